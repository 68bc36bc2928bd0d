"""A rule more: the three files of CONTRIBUTING.md's example and `make generate`, in a copy of the checkout, and every
surface has the rule."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from alb_sg.estate.resource_types import PEER_TRIGGER_TYPES
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.report.formats import FORMATS
from tests.builders import estate, group, listener, load_balancer, vpc
from tests.deployment.deployments import ROOT

# The copy takes seconds to make.
pytestmark = pytest.mark.slow

RULE = "ALB_SG_EXAMPLE_INGRESS"
DOCUMENT = "AlbSg-ExampleIngress"
COPIED = ("alb_sg", "deploy", "embedded_aws", "remediation", "rules", "tests")
COPIED_FILES = ("LICENSE", "pyproject.toml", "rdk-config.json")
# A file of the example: its path, and a fenced block that holds its text.
EXAMPLE_FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```\n", re.MULTILINE | re.DOTALL)

ESTATE = estate(load_balancer(), listener(80), group(), vpc("10.0.0.0/16"))


def example_files() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {path: content for path, content in EXAMPLE_FILE.findall(text) if "example" in path.lower()}


def python(checkout: Path, *arguments: str) -> str:
    """Runs Python on the copy and returns its output."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(  # noqa: S603 (this Python)
        [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout")
    for folder in COPIED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in COPIED_FILES:
        shutil.copyfile(ROOT / name, copy / name)
    for path, content in example_files().items():
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(content, encoding="utf-8")
    python(copy, "-m", "alb_sg.deployment.generated_files", ".")
    return copy


@pytest.fixture(scope="module")
def surfaces(checkout: Path) -> dict[str, Any]:
    path = checkout / "estate.json"
    path.write_text(json.dumps(ESTATE), encoding="utf-8")
    found: dict[str, Any] = json.loads(python(checkout, "tests/recommendations/surfaces.py", ".", str(path), RULE))
    return found


def test_a_rule_is_three_files() -> None:
    assert set(example_files()) == {
        "alb_sg/recommendations/example_ingress.py",
        f"rules/{RULE}/README.md",
        f"rules/{RULE}/{RULE}_test.py",
    }


def test_the_files_to_touch_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:alb_sg|tests|docs|rules)/[\w/.]+)`", text)) - set(example_files())
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_a_rule_that_is_not_deployed_by_default_is_judged_only_where_it_is_named(surfaces: dict[str, Any]) -> None:
    assert RULE not in surfaces["check without a name"]
    assert RULE not in surfaces["snapshot batch without a name"]
    assert "ALB_SG_LISTENER_INGRESS" in surfaces["check without a name"]


@pytest.mark.parametrize("format_name", FORMATS)
def test_check_reports_it(surfaces: dict[str, Any], format_name: str) -> None:
    assert RULE in html.unescape(surfaces[f"check {format_name}"])


def test_reports_have_its_severity(surfaces: dict[str, Any]) -> None:
    [asff] = [one for one in json.loads(surfaces["check asff"])["Findings"] if RULE in one["Title"]]
    [ocsf] = [
        one for one in map(json.loads, surfaces["check ocsf"].splitlines()) if one["compliance"]["control"] == RULE
    ]
    [sarif] = json.loads(surfaces["check sarif"])["runs"]
    [rule] = [one for one in sarif["tool"]["driver"]["rules"] if one["id"] == RULE]
    assert asff["FindingProviderFields"]["Severity"]["Label"] == "LOW"
    assert ocsf["severity"] == "Low"
    assert rule["defaultConfiguration"]["level"] == "note"


@pytest.mark.parametrize("command", ["explain", "explain json", "rules", "what-if", "what-if json", "fix"])
def test_commands_show_it(surfaces: dict[str, Any], command: str) -> None:
    assert RULE in surfaces[command]


def test_explain_and_rules_list_it_last(surfaces: dict[str, Any]) -> None:
    for command in ("explain", "rules"):
        names = re.findall(r"^(ALB_SG_\w+)", surfaces[command], re.MULTILINE)
        assert (len(names), names[-1]) == (len(RECOMMENDATIONS) + 1, RULE)


def test_the_dashboard_shows_it(surfaces: dict[str, Any]) -> None:
    data = json.loads(surfaces["dashboard data"])
    [rule] = [one for one in data["rules"] if one["name"] == RULE]
    assert (rule["subject"], rule["severity"], rule["document"]) == ("Administration", 2, DOCUMENT)
    [balancer] = data["loadBalancers"]
    assert RULE in {verdict["rule"] for verdict in balancer["verdicts"]}
    assert RULE in json.dumps(balancer["detail"])


def test_recorded_verdicts_exemptions_and_snapshots_know_it(surfaces: dict[str, Any]) -> None:
    assert surfaces["aggregator"] == RULE
    assert surfaces["exemptions"] == [RULE]
    assert RULE in surfaces["snapshot batch"]


def test_its_document_knows_its_function_and_changes_its_direction(checkout: Path, surfaces: dict[str, Any]) -> None:
    assert (
        yaml.safe_load((checkout / f"remediation/{DOCUMENT}.yaml").read_text(encoding="utf-8")) == surfaces["document"]
    )
    # It reads the rule's parameters from AWS Config.
    assert {"AcceptedSources", "Exemptions"}.isdisjoint(surfaces["document"]["parameters"])
    payload = surfaces["document"]["mainSteps"][0]["inputs"]["InputPayload"]
    assert json.loads(payload["Limits"])["Function"] == "alb-sg-example-ingress"
    assert "ec2:AuthorizeSecurityGroupIngress" in surfaces["document actions"]
    assert "ec2:AuthorizeSecurityGroupEgress" not in surfaces["document actions"]


def test_rdks_files_are_generated(checkout: Path) -> None:
    folder = checkout / "rules" / RULE
    assert {path.name for path in folder.iterdir()} >= {f"{RULE}.py", "parameters.json"}
    parameters = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))["Parameters"]
    assert parameters["SourceEvents"] == ",".join(PEER_TRIGGER_TYPES)
    assert list(json.loads(parameters["OptionalParameters"]))[:3] == ["AcceptedSources", "Exemptions", "Source"]


@pytest.mark.parametrize(
    ("template", "rules"),
    [("dashboard.yaml", ["OpenedRule", "ClosedRule"]), ("member-events.yaml", ["ForwardRule"])],
)
def test_event_patterns_match_it(checkout: Path, template: str, rules: list[str]) -> None:
    """One pattern of each EventBridge rule matches the names of all rules."""
    text = (checkout / "deploy" / template).read_text(encoding="utf-8")
    assert [rule for rule in rules if f"  {rule}:\n" in text] == rules
    assert re.findall(r"- wildcard: '\*(ALB_SG_\w*)\*'\n", text) == ["ALB_SG_"] * len(rules)
    assert RULE.startswith("ALB_SG_")


def test_the_schema_of_the_settings_has_it(checkout: Path, surfaces: dict[str, Any]) -> None:
    schema = json.loads((checkout / "alb_sg/deployment/rdk-config.schema.json").read_text(encoding="utf-8"))
    assert schema == surfaces["schema"]
    rule = schema["properties"]["rules"]["properties"][RULE]
    assert "Severity LOW. Deployed only if deployed is true." in rule["description"]
    assert sorted(rule["properties"]["parameters"]["properties"]) == ["AcceptedSources", "Exemptions", "Source"]


def test_it_is_deployed_where_the_settings_say_so(surfaces: dict[str, Any]) -> None:
    # Documents are there for every rule: somebody may run one by hand.
    by_default = {name for name, text in surfaces["default deployment"].items() if RULE in text}
    assert by_default == {"documents.yaml"}
    templates = {name: yaml.safe_load(text) for name, text in surfaces["deployment"].items()}
    pack = templates["conformance-pack.yaml"]
    properties = pack["Resources"]["ExampleIngressRule"]["Properties"]
    assert properties["Description"] == "[LOW] Inbound TCP on port 9443 from the VPC's CIDR blocks."
    assert len(properties["Scope"]["ComplianceResourceTypes"]) == len(PEER_TRIGGER_TYPES)
    assert pack["Parameters"]["ExampleIngressAcceptedSources"]["Default"] == "pl-1"
    assert templates["documents.yaml"]["Resources"]["ExampleIngressDocument"]["Properties"]["Name"] == DOCUMENT
    assert "ExampleIngressFunction" in templates["central.yaml"]["Resources"]
    stack = templates["stack.yaml"]["Resources"]
    assert {"ExampleIngressFunction", "ExampleIngressRule", "ExampleIngressRemediationConfiguration"} <= stack.keys()


def test_its_function_has_the_read_permissions(surfaces: dict[str, Any]) -> None:
    stack = yaml.safe_load(surfaces["deployment"]["stack.yaml"])["Resources"]
    assert "ec2:DescribeVpcs" in surfaces["evaluation actions"]
    assert "ec2:DescribeInstances" not in surfaces["evaluation actions"]
    policies = stack["ExampleIngressRole"]["Properties"]["Policies"]
    [evaluate] = [
        statement
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Sid"] == "Evaluate"
    ]
    assert evaluate["Action"] == surfaces["evaluation actions"]


def test_the_checks_of_every_rule_pass_for_it(checkout: Path) -> None:
    own = f"rules/{RULE}/{RULE}_test.py"
    shared = ("tests/config_rule/test_definition.py", "tests/deployment/test_generated_files.py")
    assert " passed" in python(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", own, *shared)


def test_the_artifact_holds_it(checkout: Path) -> None:
    code = (
        "import io, zipfile; from pathlib import Path; from alb_sg.deployment.artifact import function_artifact; "
        "print(*zipfile.ZipFile(io.BytesIO(function_artifact(Path('rules')).content)).namelist(), sep='\\n')"
    )
    names = python(checkout, "-c", code).splitlines()
    assert {f"{RULE}.py", "alb_sg/recommendations/example_ingress.py"} <= set(names)
