"""The parts of an ARN (AWS General Reference, "Amazon Resource Names"), and the partitions of AWS."""

from __future__ import annotations

import re
from typing import NamedTuple

_LOAD_BALANCER = re.compile(r"arn:[^:\s]+:elasticloadbalancing:[^:\s]+:\d+:loadbalancer/[^/\s]+/[^/\s]+/[^/\s\"]+")
_LISTENER = re.compile(r"(arn:[^:]+:elasticloadbalancing:[^:]+:\d+:)listener/([^/]+/[^/]+/[^/]+)/[^/]+")
_LISTENER_RULE = re.compile(r"(arn:[^:]+:elasticloadbalancing:[^:]+:\d+:)listener-rule/(app/[^/]+/[^/]+/[^/]+)/[^/]+")
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/.+")


class Partition(NamedTuple):
    """A partition as in botocore's `partitions.json`. Names of its regions begin with `region_prefix`, and names of its
    endpoints end with `dns_suffix`."""

    name: str
    region_prefix: str
    dns_suffix: str


COMMERCIAL = Partition("aws", "", "amazonaws.com")
OTHERS = (
    Partition("aws-cn", "cn-", "amazonaws.com.cn"),
    Partition("aws-eusc", "eusc-", "amazonaws.eu"),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov"),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com"),
)


def partition_of(arn: str) -> str:
    return _part(arn, 1)


def partition_of_region(region: str) -> Partition:
    return next((one for one in OTHERS if region.startswith(one.region_prefix)), COMMERCIAL)


def region_of(arn: str) -> str:
    return _part(arn, 3)


def account_id_of(arn: str) -> str:
    return _part(arn, 4)


def load_balancer_name(arn: str) -> str:
    """The name in a load balancer's ARN (`…:loadbalancer/app/NAME/ID`); any other text unchanged."""
    return _name_before_id(arn)


def target_group_name(arn: str) -> str:
    """The name in a target group's ARN (`…:targetgroup/NAME/ID`); any other text unchanged."""
    return _name_before_id(arn)


def is_load_balancer_arn(text: str) -> bool:
    return _LOAD_BALANCER.fullmatch(text) is not None


def find_load_balancer_arns(text: str) -> list[str]:
    """The ARNs of load balancers in a text."""
    return _LOAD_BALANCER.findall(text)


def listener_load_balancer_arn(listener_arn: str) -> str | None:
    """The ARN of a listener's load balancer; None for a text that is no listener's ARN."""
    match = _LISTENER.fullmatch(listener_arn)
    return None if match is None else f"{match[1]}loadbalancer/{match[2]}"


def function_account_id(context: object) -> str | None:
    """The account of a Lambda function, from the context of its invocation; None outside of Lambda."""
    arn = getattr(context, "invoked_function_arn", None)
    return account_id_of(arn) if isinstance(arn, str) else None


def listener_of_rule(rule_arn: str) -> str | None:
    """The ARN of a listener rule's listener; None for a text that is no such rule's ARN."""
    match = _LISTENER_RULE.fullmatch(rule_arn)
    return None if match is None else f"{match[1]}listener/{match[2]}"


def role_account_id(role_arn: str) -> str | None:
    """The account of an IAM role; None for a text that is no role's ARN."""
    match = _ROLE.fullmatch(role_arn)
    return None if match is None else match[1]


def _part(arn: str, index: int) -> str:
    """A part by its position; "" where the ARN has none."""
    parts = arn.split(":", 5)
    return parts[index] if len(parts) > index else ""


def _name_before_id(arn: str) -> str:
    parts = arn.split("/")
    return parts[-2] if len(parts) > 2 else arn
