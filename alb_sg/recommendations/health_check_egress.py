"""Outbound: every registered target on the port of its health check (semantics §7)."""

from __future__ import annotations

from collections.abc import Iterator

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, TargetGroup, UnknownValue
from alb_sg.estate.resource_types import LISTENER_TYPE, PEER_TRIGGER_TYPES, TARGET_GROUP_TYPE
from alb_sg.parameters import COMMON_PARAMETERS, TARGET_MATCH, Parameters
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.plain_load_balancer import PlainLoadBalancer, PlainlyMet
from alb_sg.recommendations.recommendation import Recommendation, Severity
from alb_sg.recommendations.requirement import RequirementSet
from alb_sg.recommendations.target_requirements import (
    AUTHENTICATION_CAVEAT,
    TARGET_SECTIONS,
    target_notes,
    target_requirement_set,
)


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """TCP to each registered target on its group's health check port. Raises NotApplicable, NotReadError."""
    return target_requirement_set(context, lambda group: (group.known_health_check_port,), _reason_to_skip)


def plainly_met(load_balancer: PlainLoadBalancer, _: Parameters) -> PlainlyMet:
    """As `requirements`, at a glance. Raises NotPlain, NotReadError."""
    return load_balancer.targets_are_reached(_ports)


def _ports(group: TargetGroup) -> tuple[int | None, ...]:
    return (group.known_health_check_port,) if group.known_health_checks_enabled else ()


def _reason_to_skip(group: TargetGroup) -> str | None:
    return None if group.known_health_checks_enabled else "only target groups whose health checks are disabled"


def _target_ports(group: TargetGroup) -> tuple[int | None, ...]:
    port = group.health_check_port
    return () if isinstance(port, UnknownValue) or not group.health_checks_enabled else (port,)


def _notes(estate: Estate, load_balancer: LoadBalancer) -> Iterator[str]:
    return target_notes(estate, load_balancer, _skip_note)


def _skip_note(group: TargetGroup) -> str | None:
    return None if group.health_checks_enabled else "its health checks are disabled"


RECOMMENDATION = Recommendation(
    name="ALB_SG_HEALTH_CHECK_EGRESS",
    title="Targets can be reached on their health check ports",
    subject="Health checks",
    requirement_text="Outbound TCP to every registered target on its target group's health check port.",
    quote="Allow outbound traffic to instances on the health check port",
    page_section="Recommended rules",
    severity=Severity.MEDIUM,
    direction=Direction.EGRESS,
    parameters=(TARGET_MATCH, *COMMON_PARAMETERS),
    estate_sections=TARGET_SECTIONS,
    # Each may change the allowed traffic, its peers, or its ports.
    trigger_types=(LISTENER_TYPE, TARGET_GROUP_TYPE, *PEER_TRIGGER_TYPES),
    display_order=3,
    requirements=requirements,
    plainly_met=plainly_met,
    target_ports=_target_ports,
    notes=_notes,
    caveat=AUTHENTICATION_CAVEAT,
)
