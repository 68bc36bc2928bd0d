"""The same estate as an estate and as a plan gets the same verdicts, and what is not known never makes another one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.terraform import terraform_scenario
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from tests.estate.planned.judging import RULES, judge_plan, judge_scenario
from tests.estate.planned.plans import Ref
from tests.estate.planned.small_estates import (
    GROUPS,
    INSTANCES,
    LB_ARN,
    TARGET_GROUPS,
    SmallEstate,
    as_change,
    as_estate,
    as_plan,
    small_estates,
)

# The arguments that verdicts depend on. The others of a plan are names.
DECIDING = frozenset(
    {
        "cidr_block",
        "cidr_ipv4",
        "default_action",
        "from_port",
        "health_check",
        "internal",
        "ip_protocol",
        "load_balancer_arn",
        "load_balancer_type",
        "port",
        "private_ip",
        "referenced_security_group_id",
        "security_group_id",
        "security_groups",
        "subnet_id",
        "subnets",
        "target_group_arn",
        "target_id",
        "target_type",
        "to_port",
        "vpc_id",
        "vpc_security_group_ids",
    }
)
# Expressions that tell less than the value: something outside the plan, a local value, a choice between resources, or a
# part of them, as a splat, a `for` with a condition and an index look in a plan.
OUTSIDE = ["data.external.somewhere.result", "data.external.somewhere"]
CHOICE = [
    "var.choice",
    *(f"aws_security_group.g[{number}].id" for number in range(GROUPS)),
    *(f"aws_lb_target_group.tg{number}.arn" for number in range(TARGET_GROUPS)),
    *(f"aws_instance.i{number}.id" for number in range(INSTANCES)),
]
PART = ["aws_security_group.g"]
INDEX = ["aws_security_group.g", "count.index"]


def judge_estate(estate: Estate) -> dict[str, str]:
    rules = {rule: parse_parameters({}) for rule in RECOMMENDATIONS if rule.name in RULES}
    findings, errors = judge_all(estate, estate.load_balancers.values(), rules)
    assert not errors
    return {RULES[finding.rule]: finding.compliance.value for finding in findings}


def of_load_balancer(results: dict[tuple[str, str], str], address: str) -> dict[str, str]:
    return {about: text.split()[0] for (arn, about), text in results.items() if arn == address}


@given(small_estates())
def test_the_plan_that_creates_an_estate_gets_its_verdicts(small: SmallEstate) -> None:
    assert of_load_balancer(judge_plan(as_plan(small)), "aws_lb.web") == judge_estate(as_estate(small))


@pytest.mark.slow
@given(small_estates(), small_estates())
def test_a_plan_over_an_estate_gets_the_verdicts_of_the_estate_after_it(
    before: SmallEstate, after: SmallEstate
) -> None:
    judged = judge_plan(as_change(before, after), [as_estate(before)])
    assert of_load_balancer(judged, LB_ARN) == judge_estate(as_estate(after))


@pytest.mark.slow
@given(small_estates(), st.data())
def test_unknown_values_never_make_another_verdict(small: SmallEstate, data: st.DataObject) -> None:
    known = judge_estate(as_estate(small))
    document = as_plan(small).document()
    places = list(deciding_places(document))
    hidden = data.draw(st.lists(st.sampled_from(range(len(places))), min_size=1, max_size=4, unique=True))
    for number in hidden:
        # One local value for several arguments could make a circle of references, which Terraform refuses.
        local = [f"local.value_{number}"]
        hide(document, *places[number], data.draw(st.sampled_from([OUTSIDE, local, CHOICE, PART, INDEX])))
    judged = of_load_balancer(judge_scenario(terraform_scenario(document)), "aws_lb.web")
    assert set(judged) == set(known)
    changed = {about: text for about, text in judged.items() if text not in (known[about], "ERROR")}
    assert not changed, [places[number] for number in hidden]


# Provider configurations whose credentials may all be those of one account. Two of them say so.
ROLE = [{"role_arn": "arn:aws:iam::111122223333:role/deploy"}]
PROVIDERS: dict[str, dict[str, Any]] = {
    "aws": {"region": "eu-west-1"},
    "aws.role": {"region": "eu-west-1", "assume_role": ROLE},
    "aws.profile": {"region": "eu-west-1", "profile": "deploy"},
    "aws.local": {"region": Ref("local.region"), "assume_role": [{"role_arn": Ref("local.role")}]},
    "aws.allowed": {"allowed_account_ids": ["111122223333"]},
}


@given(small_estates(), st.data())
def test_provider_configurations_never_make_another_verdict(small: SmallEstate, data: st.DataObject) -> None:
    """Whichever of them makes a resource, and whatever else is not known."""
    known = judge_estate(as_estate(small))
    plan = as_plan(small)
    for key, arguments in PROVIDERS.items():
        plan.provider(key, **arguments)
    for resource in plan.root["resources"]:
        resource["provider_config_key"] = data.draw(st.sampled_from(list(PROVIDERS)))
    document = plan.document()
    places = list(deciding_places(document))
    hidden = data.draw(st.lists(st.sampled_from(range(len(places))), max_size=2, unique=True))
    for number in hidden:
        hide(document, *places[number], data.draw(st.sampled_from([OUTSIDE, [f"local.value_{number}"], CHOICE])))
    judged = of_load_balancer(judge_scenario(terraform_scenario(document)), "aws_lb.web")
    changed = {about: text for about, text in judged.items() if text not in (known[about], "ERROR")}
    assert (set(judged), changed) == (set(known), {})
    if not hidden:
        assert "ERROR" not in judged.values()


def deciding_places(document: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for index, change in enumerate(document["resource_changes"]):
        names = {*change["change"]["after"], *change["change"]["after_unknown"]}
        yield from ((index, name) for name in sorted(names & DECIDING))


def hide(document: dict[str, Any], index: int, name: str, references: list[str]) -> None:
    """Makes an argument unknown, and its expression one that tells less."""
    entry = document["resource_changes"][index]
    entry["change"] = copy.deepcopy(entry["change"])
    entry["change"]["after"].pop(name, None)
    entry["change"]["after_unknown"][name] = True
    for resource in document["configuration"]["root_module"]["resources"]:
        if (resource["type"], resource["name"]) == (entry["type"], entry["name"]):
            resource["expressions"][name] = {"references": references}
