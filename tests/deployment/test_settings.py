"""`rdk-config.json`: what is read from it, and how each kind of mistake is answered."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alb_sg.deployment.__main__ import main
from alb_sg.deployment.config_errors import InvalidSettingsError
from alb_sg.deployment.rule_definition import read_rule_definitions
from alb_sg.deployment.settings import RemediationMode, RemediationSettings, read_settings
from alb_sg.deployment.settings_schema import SCHEMA_FILE, schema
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.fix_request import ManagedGroupPolicy, SharedGroupPolicy
from tests.deployment.deployments import (
    CENTRAL,
    MEMBERS,
    RULES,
    SHIPPED,
    VARIANTS,
    WHOLE,
    settings_of,
    templates_of,
    write,
)
from tests.rules import RULE_NAMES

RULE = "ALB_SG_ICMP_PMTUD"


def changed(path: str, value: object) -> dict[str, Any]:
    """The whole settings with one place set to another value, or taken out (None)."""
    content = copy.deepcopy(WHOLE)
    *way, last = path.split("/")
    place = content
    for key in way:
        place = place.setdefault(key, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return content


def test_the_schema_is_valid_and_describes_every_property() -> None:
    Draft202012Validator.check_schema(schema())

    def undescribed(rule: Any, path: str) -> list[str]:
        properties = rule.get("properties", {}) if isinstance(rule, dict) else {}
        own = [f"{path}.{name}" for name, said in properties.items() if "description" not in said]
        return own + [found for name, said in properties.items() for found in undescribed(said, f"{path}.{name}")]

    assert undescribed(schema(), "") == []
    assert [name for name, said in schema()["$defs"].items() if "description" not in said] == []


def test_the_shipped_settings_name_the_shipped_schema(tmp_path: Path) -> None:
    assert (RULES.parent / SHIPPED["$schema"]).resolve() == SCHEMA_FILE.resolve()
    by_default = [name for name, rule in RECOMMENDATIONS_BY_NAME.items() if rule.deployed_by_default]
    assert [rule.name for rule in settings_of(SHIPPED, tmp_path).rules] == by_default


def test_the_shipped_settings_leave_every_severity_to_its_rule(tmp_path: Path) -> None:
    severities = {rule.name: rule.severity for rule in settings_of(SHIPPED, tmp_path).rules}
    assert {
        ("ALB_SG_HEALTH_CHECK_EGRESS", "MEDIUM"),
        ("ALB_SG_ICMP_PMTUD", "LOW"),
        ("ALB_SG_INSTANCE_EGRESS", "HIGH"),
        ("ALB_SG_LISTENER_INGRESS", "HIGH"),
    } <= severities.items()


@pytest.mark.parametrize("content", VARIANTS.values(), ids=VARIANTS)
def test_settings_that_are_right(content: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(content, tmp_path)
    assert settings.stack_name == "alb-sg"
    assert settings.artifact_bucket_name("123456789012", "us-east-1") == "alb-sg-123456789012-us-east-1"


def test_settings_of_a_rule_override_common_settings(tmp_path: Path) -> None:
    rules = {rule.name: rule for rule in settings_of(WHOLE, tmp_path).rules}
    assert (rules[RULE].frequency, rules["ALB_SG_INSTANCE_EGRESS"].frequency) == ("TwentyFour_Hours", "Six_Hours")
    assert rules[RULE].parameters == {"Exemptions": "s3://security-exemptions/alb-sg.json"}
    assert rules["ALB_SG_INSTANCE_EGRESS"].parameters["Exemptions"] == "ssm:/alb-sg/exemptions"
    # Nothing is said of this one.
    assert rules["ALB_SG_HEALTH_CHECK_EGRESS"].description.startswith("[MEDIUM] Outbound TCP")


def test_remediation_is_off_by_default(tmp_path: Path) -> None:
    said = {rule.name: rule.remediation for rule in settings_of(WHOLE, tmp_path).rules}
    assert said["ALB_SG_LISTENER_INGRESS"] == RemediationSettings(
        RemediationMode.AUTOMATIC, SharedGroupPolicy.REFUSE, attempts=5
    )
    assert said[RULE] == RemediationSettings(
        RemediationMode.MANUAL, managed_group=ManagedGroupPolicy.ALLOW, rules_per_group=100
    )
    assert said["ALB_SG_INSTANCE_EGRESS"].mode is RemediationMode.OFF
    assert {rule.remediation.mode for rule in settings_of(SHIPPED, tmp_path).rules} == {RemediationMode.OFF}
    # How it would be run may be said while it is off.
    off = settings_of(changed(f"rules/{RULE}/remediation", {"attempts": 1}), tmp_path)
    assert {rule.name: rule.remediation.mode for rule in off.rules}[RULE] is RemediationMode.OFF


@pytest.mark.slow
def test_a_rule_may_be_left_to_another_file(tmp_path: Path) -> None:
    """Its pack has a name of its own then, the stack's, and goes to accounts of its own."""
    rest = {**changed(f"rules/{RULE}/deployed", False), "stackName": "alb-sg-others"}
    assert RULE not in {rule.name for rule in settings_of(rest, tmp_path).rules}
    template = templates_of(rest, tmp_path)["organization-conformance-pack.yaml"]
    assert template["Resources"]["Pack"]["Properties"]["OrganizationConformancePackName"] == "alb-sg-others"


INVALID_SETTINGS: list[tuple[str, object, str]] = [
    # What the schema refuses, a case for each of its keywords.
    ("regions", None, '"regions" is missing. Regions that the rules run in.'),
    ("region", ["us-east-1"], 'unknown key "region"; known are $schema, alarmTopic, artefactBucket,'),
    ("regions", [], "regions: must not be empty"),
    ("regions", "us-east-1", 'regions: "us-east-1" must be a list'),
    ("regions", ["us-east-1", "us-east-1"], "regions: us-east-1 appears more than once"),
    ("regions", ["Frankfurt"], 'regions[0]: "Frankfurt" is not allowed here. An AWS region, such as eu-central-1.'),
    ("frequency", "Daily", 'frequency: "Daily" is not allowed; allowed are One_Hour, Three_Hours,'),
    ("logRetentionDays", 100, "logRetentionDays: 100 is not allowed; allowed are 1, 3, 5,"),
    ("reservedConcurrency", 0, "reservedConcurrency: 0 is not allowed here. Concurrent invocations reserved"),
    ("maximumEventAgeSeconds", 21_601, "maximumEventAgeSeconds: 21601 is not allowed here. Seconds that Lambda keeps"),
    (f"rules/{RULE}/severity", "high", f'rules.{RULE}.severity: "high" is not allowed; allowed are LOW, MEDIUM,'),
    (f"rules/{RULE}/remediation", True, f"rules.{RULE}.remediation: true must be an object"),
    (f"rules/{RULE}/remediation/mode", "on", 'mode: "on" is not allowed; allowed are off, manual, automatic'),
    (f"rules/{RULE}/remediation/attempts", 26, "attempts: 26 is not allowed here. Automatic attempts before"),
    (f"rules/{RULE}/remediation/retrySeconds", 0, "retrySeconds: 0 is not allowed here. Seconds within which"),
    (f"rules/{RULE}/remediation/rulesPerGroup", "60", 'rulesPerGroup: "60" must be a whole number'),
    (f"rules/{RULE}/remediation/document", "X", 'unknown key "document"; known are approvers, attempts'),
    ("parameters/Exemptions", 1, "parameters.Exemptions: 1 must be text"),
    ("rules/ALB_SG_EGRESS", {}, 'rules: unknown key "ALB_SG_EGRESS"; known are ALB_SG_HEALTH_CHECK_EGRESS,'),
    ("names/evaluationRole", "a/b", 'names.evaluationRole: "a/b" is not allowed here. A role name without a path'),
    ("organization/memberAccounts", [222233334444], "organization.memberAccounts[0]: 222233334444 must be text"),
    (
        "organization/memberAccounts",
        [f"{number:012}" for number in range(51)],
        "organization.memberAccounts: 51 entries are more than the 50 allowed. Accounts that the functions serve",
    ),
    (
        "organization/deliveryBucket",
        "my-bucket",
        "pack templates. Its name must start with awsconfigconforms.",
    ),
    (
        "regionalScope/Bahrain",
        {"leaveOut": ["AWS::EC2::SecurityGroup"]},
        '"Bahrain" is not allowed here. An AWS region',
    ),
    # What no schema can know.
    ("ruleSets", ["all"], "ruleSets[0]: no rule is in the rule set 'all'; known are alb-sg"),
    ("artefactBucket", "one-bucket", "artefactBucket: 'one-bucket' is one bucket for 3 regions"),
    ("artefactBucket", "alb-{stage}-{region}", "has braces that are neither {account} nor {region}"),
    ("names/remediationRole", "alb-sg-evaluation", "names: evaluationRole and remediationRole are both"),
    (
        "parameters/Exemption",
        "x",
        "parameters: unknown parameter 'Exemption'; known are AcceptedSources, Accepted",
    ),
    ("names/remediationRole", "alb-sg-icmp-pmtud", "names: 'alb-sg-icmp-pmtud' is also the name of a function's role"),
    (
        f"rules/{RULE}/parameters/TargetMatch",
        "effective",
        (
            f"rules.{RULE}.parameters: unknown parameter 'TargetMatch'; "
            "known are AcceptedSources, AcceptedSourcesMatch, Exemptions, Source, TagKey"
        ),
    ),
    ("parameters/AssumeRoleMode", "false", "parameters: the deployment sets AssumeRoleMode itself"),
    ("parameters/TargetMatch", "literal", "parameters.TargetMatch: rule parameter TargetMatch is effective or"),
    ("parameters/Exemptions", "file.json", "parameters.Exemptions: "),
    (
        "parameters/Exemptions",
        "s3://bucket/*",
        "parameters.Exemptions: a role's policy cannot name a key with *, ? or $",
    ),
    (
        f"rules/{RULE}/remediation",
        {"mode": "automatic", "approvers": []},
        f"rules.{RULE}.remediation.approvers: must not be empty. IAM users and roles",
    ),
    ("maxExemptionDays", 0, "maxExemptionDays: 0 is not allowed here. Days that an exemption may last"),
    (
        "rules/ALB_SG_LISTENER_INGRESS/parameters",
        {"TagKey": "clients"},
        "rules.ALB_SG_LISTENER_INGRESS.remediation: TagKey lets everybody who may tag a load balancer decide",
    ),
    (
        f"rules/{RULE}/parameters/TagKey",
        "x" * 1024,
        f"rules.{RULE}.parameters.TagKey: 1024 characters are more than its share of 128 of the 1,024",
    ),
    (
        "rules",
        {name: {"deployed": False} for name in RULE_NAMES},
        "rules: deployed is false for every rule; deploy at least one",
    ),
    (f"rules/{RULE}/deployed", "no", 'deployed: "no" must be true or false'),
    (
        f"rules/{RULE}/parameters",
        {"Exemptions": "ssm:/alb-sg/exemptions"},
        f"rules.{RULE}.remediation: Exemptions are in ssm:/alb-sg/exemptions, which only one account can read",
    ),
    (
        "regionalScope/ap-south-1",
        {"leaveOut": ["AWS::EC2::SecurityGroup"]},
        "regionalScope.ap-south-1: ap-south-1 is not in regions: eu-central-1, us-east-1",
    ),
    (
        "regionalScope/us-east-1",
        {"leaveOut": ["AWS::EC2::Instance"]},
        "regionalScope.us-east-1.leaveOut[0]: no rule is triggered by 'AWS::EC2::Instance'; known are AWS::EC2",
    ),
    (
        "regionalScope/us-east-1",
        {"leaveOut": sorted({name for found in RECOMMENDATIONS for name in found.trigger_types})},
        "regionalScope.us-east-1.leaveOut: leaves no type that triggers a rule",
    ),
    (
        "rules/ALB_SG_UNUSED_INGRESS",
        {"deployed": True, "remediation": {"mode": "manual"}},
        "rules.ALB_SG_UNUSED_INGRESS.remediation: no document removes security group rules; leave out the remediation",
    ),
    ("organization/organizationId", "o-a1b2c3d4e5", "organization: has both organizationId and memberAccounts"),
    ("organization/excludedAccounts", [MEMBERS[0]], f"excludedAccounts: {MEMBERS[0]} is also in memberAccounts"),
    ("organization/delegatedAdministrator", None, '"delegatedAdministrator" is missing. Account with the functions'),
]


@pytest.mark.parametrize(("path", "value", "sentence"), INVALID_SETTINGS)
def test_a_mistake_is_one_sentence_that_says_where_and_what(
    path: str, value: object, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSettingsError) as found:
        settings_of(changed(path, value), tmp_path)
    assert len(found.value.problems) == 1, str(found.value)
    assert sentence in str(found.value)
    assert str(found.value).startswith(str(tmp_path / "rdk-config.json") + ": ")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    content = {**changed("frequency", "Daily"), "logRetentionDays": "long", "colour": "red"}
    with pytest.raises(InvalidSettingsError) as found:
        settings_of(content, tmp_path)
    assert {mistake.path for mistake in found.value.problems} == {"", "frequency", "logRetentionDays"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes in line 1, column 2"),
        ("[]", "[] must be an object"),
        ('{"regions": [], "regions": []}', 'the key "regions" appears twice'),
    ],
)
def test_files_that_hold_no_settings(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingsError, match=r"rdk-config\.json: ") as found:
        settings_of(text, tmp_path)
    assert sentence in str(found.value)


@pytest.mark.parametrize("command", ["pack", "upload", "deploy", "deploy-stack"])
def test_every_command_stops_at_a_mistake(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(changed("frequency", "Daily"), tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([command, "--rules", str(RULES)]) == 2
    assert capsys.readouterr().err.startswith(
        'rdk-config.json: frequency: "Daily" is not allowed; allowed are One_Hour'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["rdk-config.json"]


def test_a_missing_file_and_a_folder_without_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", "--rules", str(RULES), "--config", str(tmp_path / "none.json")]) == 2
    assert main(["build", "--rules", str(tmp_path)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("none.json: cannot be read: No such file or directory")
    assert second.startswith(f"{tmp_path}: contains no rule (RULE/parameters.json); run the command in the checkout, ")


def test_a_rule_that_rdk_could_not_read_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "rules" / "ALB_SG_X"
    folder.mkdir(parents=True)
    (folder / "parameters.json").write_text(json.dumps({"Parameters": {"RuleName": "ALB_SG_X"}}), encoding="utf-8")
    assert main(["pack", "--rules", str(folder.parent), "--config", str(write(SHIPPED, tmp_path))]) == 2
    assert "is not a parameters.json as rdk writes it (KeyError('InputParameters'))" in capsys.readouterr().err


def test_a_rule_that_alb_sg_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "rules" / "ALB_SG_X"
    shutil.copytree(RULES / RULE, folder)
    text = (folder / "parameters.json").read_text(encoding="utf-8")
    (folder / "parameters.json").write_text(text.replace(RULE, "ALB_SG_X"), encoding="utf-8")
    assert main(["pack", "--rules", str(folder.parent), "--config", str(write(SHIPPED, tmp_path))]) == 2
    assert "unknown rule 'ALB_SG_X'; alb_sg.recommendations has ALB_SG_HEALTH_CHECK_EGRESS" in capsys.readouterr().err


def test_settings_for_a_rule_that_is_not_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES / RULE, folder / RULE)
    path = write({**SHIPPED, "rules": {"ALB_SG_INSTANCE_EGRESS": {}}}, tmp_path)
    with pytest.raises(
        InvalidSettingsError, match="rules: unknown rule 'ALB_SG_INSTANCE_EGRESS'; known are ALB_SG_ICMP"
    ):
        read_settings(path, read_rule_definitions(folder))


def test_the_central_account_may_be_a_member(tmp_path: Path) -> None:
    members = [*MEMBERS, CENTRAL]
    assert settings_of(changed("organization/memberAccounts", members), tmp_path).organization.member_accounts == (
        *MEMBERS,
        CENTRAL,
    )
