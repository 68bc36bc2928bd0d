"""Settings to deploy from, as a file and as what is read from it, and templates as CloudFormation would see them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.rule_definition import read_rule_definitions
from alb_sg.deployment.settings import Settings, read_settings
from alb_sg.deployment.template_files import render_templates

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
SHIPPED = json.loads((ROOT / "rdk-config.json").read_text(encoding="utf-8"))

CENTRAL = "111122223333"
MEMBERS = ("222233334444", "333344445555")
ORGANIZATION_ID = "o-a1b2c3d4e5"
ARTIFACT = Artifact("alb-sg-0.0.0.zip", b"the artifact")

# The largest of everything: three regions, a list of members, exemptions, a region that leaves a type out.
WHOLE: dict[str, Any] = {
    **SHIPPED,
    "regions": ["eu-central-1", "us-east-1", "me-central-1"],
    "alarmTopic": "platform-security",
    "frequency": "Six_Hours",
    "parameters": {"Exemptions": "s3://security-exemptions/alb-sg.json"},
    "rules": {
        "ALB_SG_ICMP_PMTUD": {
            "severity": "LOW",
            "frequency": "TwentyFour_Hours",
            "remediation": {"mode": "manual", "managedGroup": "allow", "rulesPerGroup": 100},
        },
        "ALB_SG_INSTANCE_EGRESS": {
            "severity": "CRITICAL",
            "parameters": {"TargetMatch": "security-group", "Exemptions": "ssm:/alb-sg/exemptions"},
        },
        "ALB_SG_LISTENER_INGRESS": {
            "severity": "CRITICAL",
            "parameters": {"AcceptedSources": "203.0.113.0/24,pl-0a1b2c3d"},
            "remediation": {"mode": "automatic", "sharedGroup": "refuse", "attempts": 5},
        },
    },
    "regionalScope": {"me-central-1": {"leaveOut": ["AWS::ElasticLoadBalancingV2::TargetGroup"]}},
    "organization": {
        "delegatedAdministrator": CENTRAL,
        "memberAccounts": list(MEMBERS),
        "excludedAccounts": ["444455556666"],
        "deliveryBucket": "awsconfigconforms-alb-sg",
    },
}
# As it is shipped, for an organization that is named.
ORGANIZATION: dict[str, Any] = {
    **SHIPPED,
    "organization": {"delegatedAdministrator": CENTRAL, "organizationId": ORGANIZATION_ID},
}
VARIANTS = {"shipped": SHIPPED, "organization": ORGANIZATION, "whole": WHOLE}


def write(content: object, folder: Path) -> Path:
    path = folder / "rdk-config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def settings_of(content: object, folder: Path) -> Settings:
    return read_settings(write(content, folder), read_rule_definitions(RULES))


def templates_of(content: object, folder: Path) -> dict[str, dict[str, Any]]:
    """The rendered files, read back from their text."""
    return {
        name: yaml.safe_load(text) for name, text in render_templates(settings_of(content, folder), ARTIFACT).items()
    }


def of_type(template: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of a template's resources of a type, by logical id."""
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


class Resolver:
    """CloudFormation's functions worked out, for a template in one account and region. What a resource answers is its
    logical id, as `<FunctionArn>`."""

    def __init__(self, template: Mapping[str, Any], *, account: str, region: str, **parameters: str) -> None:
        self._values = {
            "AWS::AccountId": account,
            "AWS::Region": region,
            "AWS::Partition": "aws",
            **{name: said["Default"] for name, said in template.get("Parameters", {}).items() if "Default" in said},
            **parameters,
        }
        self._conditions = template.get("Conditions", {})

    def __call__(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return None
            case {"Ref": name}:
                return self._values.get(name, f"<{name}>")
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._values[found[1]], text)
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}{attribute}>"
            case {"Fn::If": [condition, then, otherwise]}:
                return self(then if self.holds(self._conditions[condition]) else otherwise)
            case dict():
                resolved = {name: self(member) for name, member in value.items()}
                return {name: member for name, member in resolved.items() if member is not None}
            case list():
                return [self(member) for member in value]
        return value

    def holds(self, condition: Mapping[str, Any]) -> bool:
        match condition:
            case {"Fn::Equals": [one, other]}:
                return bool(self(one) == self(other))
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": list(members)}:
                return all(self.holds(member) for member in members)
        raise AssertionError(f"a condition that the templates did not have: {condition}")
