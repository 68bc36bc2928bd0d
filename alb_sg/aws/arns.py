"""The parts of an ARN (AWS General Reference, "Amazon Resource Names")."""

from __future__ import annotations


def partition_of(arn: str) -> str:
    return _part(arn, 1)


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


def _part(arn: str, index: int) -> str:
    """A part by its position; "" where the ARN has none."""
    parts = arn.split(":", 5)
    return parts[index] if len(parts) > index else ""


def _name_before_id(arn: str) -> str:
    parts = arn.split("/")
    return parts[-2] if len(parts) > 2 else arn
