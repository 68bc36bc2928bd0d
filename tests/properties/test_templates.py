"""Properties of CloudFormation templates, over random estates: a template has the verdicts of the estate that it makes,
and a value that is not known takes a verdict away or leaves it as it is (semantics §13)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.planned_estate import planned_estates
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import RULES, Saved, build
from tests.properties.templates import as_template, deployable_estates

pytestmark = pytest.mark.slow

NAMES = ("web", "other")
PARAMETERS = st.sampled_from([{}, {}, {"TargetMatch": "security-group"}, {"AcceptedSources": "10.0.0.0/8"}])
Verdicts = dict[tuple[str, str], str]


def _verdicts(found: Estate, names: tuple[str, ...], parameters: dict[str, str]) -> Verdicts:
    """The verdict of each rule on the load balancers with these names; ERROR if there is none."""
    judged = [one for one in found.load_balancers.values() if one.name in names]
    by_arn = {one.arn: one.name for one in judged}
    rules = {RECOMMENDATIONS_BY_NAME[rule]: parse_parameters(parameters) for rule in RULES}
    findings, errors = judge_all(found, judged, rules)
    verdicts = {(one.load_balancer_name, one.rule): one.compliance.value for one in findings}
    return verdicts | {(by_arn[str(one.load_balancer_arn)], str(one.rule)): f"ERROR {one.what}" for one in errors}


def _of_template(template: dict[str, Any], given_values: dict[str, str], parameters: dict[str, str]) -> Verdicts:
    verdicts: Verdicts = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "template.json")
        path.write_text(json.dumps(template), encoding="utf-8")
        for scenario in read_templates([TemplateFile(str(path))], GivenValues(given_values)):
            [found] = planned_estates(scenario).estates
            names = tuple(
                one.name
                for one in found.load_balancers.values()
                if one.arn in (scenario.load_balancers or ()) and one.name in NAMES
            )
            verdicts |= _verdicts(found, names, parameters)
    return verdicts


@given(deployable_estates(), PARAMETERS)
def test_a_template_has_the_verdicts_of_the_estate_that_it_makes(saved: Saved, parameters: dict[str, str]) -> None:
    expected = _verdicts(build(saved), NAMES, parameters)
    for verdict in expected.values():
        event(verdict.partition(" ")[0])
    assert _of_template(as_template(saved), {}, parameters) == expected


@given(deployable_estates(), PARAMETERS, st.randoms(use_true_random=False))
def test_a_value_that_is_not_known_gives_the_same_verdict_or_an_error(
    saved: Saved, parameters: dict[str, str], random: Random
) -> None:
    expected = _verdicts(build(saved), NAMES, parameters)
    template, values = _with_parameters(as_template(saved), random)
    for key, verdict in _of_template(template, {}, parameters).items():
        event(f"{expected[key]} becomes {verdict.partition(' ')[0]}")
        assert verdict == expected[key] or verdict.startswith("ERROR"), key
    # Given their values, parameters are as good as the values themselves.
    assert _of_template(template, values, parameters) == expected


def _with_parameters(template: dict[str, Any], random: Random) -> tuple[dict[str, Any], dict[str, str]]:
    """The template with some of its values as parameters, and what those were."""
    # Through JSON, so that no two places are one object.
    changed = json.loads(json.dumps(template))
    places = [place for resource in changed["Resources"].values() for place in _places(resource["Properties"])]
    chosen = random.sample(places, k=min(len(places), random.choice([1, 2, 3, 8, 30])))
    values = {}
    for index, (holder, key) in enumerate(chosen):
        name = f"Parameter{index}"
        values[name] = json.dumps(holder[key]) if isinstance(holder[key], bool) else str(holder[key])
        holder[key] = {"Ref": name}
    parameters = {name: {"Type": "String"} for name in values}
    return {**changed, "Parameters": parameters}, values


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Where scalars stand: what holds them, and the key or index there. Names only name."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in entries:
        if isinstance(one, (dict, list)):
            if "Ref" not in one and "Fn::GetAtt" not in one:
                yield from _places(one)
        elif key not in ("GroupDescription", "Name", "Weight"):
            yield value, key
