"""The checked-in documents: up to date, within AWS's limits, with valid references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from alb_sg.parameters import PARAMETERS
from alb_sg.remediation.document_names import DOCUMENTS, RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT
from alb_sg.ssm_documents import scripts
from alb_sg.ssm_documents.documents import (
    ATTACHMENT,
    MAX_DOCUMENT_BYTES,
    build_document,
    document_text,
    with_checksum,
)
from tests.deployment.deployments import ARTIFACT, ROOT
from tests.rules import RULE_NAMES

FOLDER = ROOT / "remediation"
SHA256 = ARTIFACT.sha256


@pytest.fixture(params=DOCUMENTS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_there_is_a_document_for_every_rule_that_adds_rules_and_their_inverse() -> None:
    # No document removes a rule.
    fixable = set(RULE_NAMES) - {"ALB_SG_UNUSED_INGRESS"}
    assert {recommendation.name for recommendation in RECOMMENDATION_BY_DOCUMENT.values()} == fixable
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT}
    assert "AlbSg-ListenerIngress" in RECOMMENDATION_BY_DOCUMENT


def test_the_files_are_those_that_are_generated(name: str) -> None:
    assert (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") == document_text(build_document(name)), (
        "run make generate"
    )


def test_a_shipped_document_adds_the_checksum_of_its_artifact(name: str) -> None:
    checked_in = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    shipped = yaml.safe_load(document_text(with_checksum(build_document(name), SHA256)))
    assert shipped == {**checked_in, "files": {ATTACHMENT: {"checksums": {"sha256": SHA256}}}}


def test_limits(name: str) -> None:
    shipped = with_checksum(build_document(name), SHA256)
    assert len(document_text(shipped).encode()) <= MAX_DOCUMENT_BYTES == 65_536
    for step in shipped["mainSteps"]:
        assert step.get("timeoutSeconds", 0) <= (600 if step["action"] == "aws:executeScript" else 604_800)


def test_every_parameter_is_matched_whole_and_defaults_match(name: str) -> None:
    for parameter, said in build_document(name)["parameters"].items():
        pattern = said["allowedPattern"]
        assert pattern.startswith("^"), parameter
        assert pattern.endswith("$"), parameter
        # Alternatives are within brackets, so that the anchors apply to all of them.
        assert "|" not in re.sub(r"\(.*\)", "", pattern)
        default = said.get("default", [])
        for value in default if isinstance(default, list) else [default]:
            assert re.fullmatch(pattern, value), parameter


def test_a_document_takes_no_parameter_that_its_rule_has() -> None:
    """It reads them from AWS Config, so that no starter can change them."""
    own = {definition.name for definition in PARAMETERS}
    for name, recommendation in RECOMMENDATION_BY_DOCUMENT.items():
        taken = build_document(name)["parameters"]
        assert own.isdisjoint(taken)
        for step in ("Plan", "Apply", "Verify"):
            payload = step_of(name, step)["inputs"]["InputPayload"]
            assert (payload["Rule"], payload["ConfigRuleName"]) == (recommendation.name, "{{ ConfigRuleName }}")
            limits = json.loads(payload["Limits"])
            assert limits["Function"] == f"alb-sg-{recommendation.kebab_name}"
        assert taken["DryRun"]["default"] == "true"
        assert "default" not in taken["AutomationAssumeRole"]


def step_of(name: str, step: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in build_document(name)["mainSteps"] if one["name"] == step)
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from re.findall(r"\{\{ ([^}]+) \}\}", value)
    elif isinstance(value, dict):
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def test_every_reference_is_to_something_and_every_parameter_is_used(name: str) -> None:
    content = build_document(name)
    outputs = {f"{step['name']}.{said['Name']}" for step in content["mainSteps"] for said in step.get("outputs", [])}
    known = {*content["parameters"], *outputs, "global:ACCOUNT_ID", "global:REGION", "automation:EXECUTION_ID"}
    used = set(references({key: value for key, value in content.items() if key != "parameters"}))
    assert used <= known
    assert set(content["parameters"]) <= used
    assert set(content["outputs"]) <= outputs


def test_every_step_is_reached_and_the_last_one_ends_it(name: str) -> None:
    steps = build_document(name)["mainSteps"]
    names = [step["name"] for step in steps]
    reached = {names[0]}
    for step in steps:
        inputs = step["inputs"]
        following = {choice["NextStep"] for choice in inputs.get("Choices", [])}
        following |= {target for target in (inputs.get("Default"), step.get("nextStep")) if target}
        # No jump goes back.
        assert all(names.index(target) > names.index(step["name"]) for target in following)
        assert bool(following) is not step.get("isEnd", False)
        reached |= following
    assert reached == set(names)
    assert steps[-1]["isEnd"] is True


def test_only_apply_without_dry_run_changes_anything() -> None:
    for name in RECOMMENDATION_BY_DOCUMENT:
        for choice in step_of(name, "Decide")["inputs"]["Choices"]:
            tests = {(test["Variable"], test["StringEquals"]) for test in choice["And"]}
            assert {("{{ Plan.Outcome }}", scripts.PLANNED), ("{{ DryRun }}", "false")} <= tests
        assert step_of(name, "Decide")["inputs"]["Default"] == "End"
        assert step_of(name, "Apply")["inputs"]["InputPayload"]["Fingerprint"] == "{{ Plan.Fingerprint }}"
        assert step_of(name, "Approve")["onFailure"] == "Abort"


def test_scripts_are_those_of_the_module(name: str) -> None:
    for step in build_document(name)["mainSteps"]:
        if step["action"] != "aws:executeScript":
            continue
        function = step["name"].lower()
        namespace: dict[str, Any] = {}
        exec(compile(step["inputs"]["Script"], step["name"], "exec"), namespace)  # noqa: S102 (what AWS does with it)
        assert namespace[function] is getattr(scripts, function)
        assert callable(namespace[step["inputs"]["Handler"]])
        assert step["inputs"]["Attachment"] == ATTACHMENT
