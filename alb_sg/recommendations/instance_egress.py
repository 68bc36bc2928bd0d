"""Outbound: every registered target on its own port and its control port (semantics §6)."""

from __future__ import annotations

from alb_sg.estate.model import TargetGroup
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
    """TCP to each registered target on its own port, and on its group's control port where it has one.

    Raises NotApplicable, NotReadError.
    """
    return target_requirement_set(context, _ports)


def plainly_met(load_balancer: PlainLoadBalancer, _: Parameters) -> PlainlyMet:
    """As `requirements`, at a glance. Raises NotPlain, NotReadError."""
    return load_balancer.targets_are_reached(_ports)


def _ports(group: TargetGroup) -> tuple[int | None, ...]:
    control_port = group.known_target_control_port
    return (None,) if control_port is None else (None, control_port)


def _ports_to_read(group: TargetGroup) -> tuple[int | None, ...]:
    """As `_ports`, as far as they are known."""
    return (None, group.target_control_port) if isinstance(group.target_control_port, int) else (None,)


RECOMMENDATION = Recommendation(
    name="ALB_SG_INSTANCE_EGRESS",
    title="Targets can be reached on their ports",
    subject="Paths to targets",
    requirement_text="Outbound TCP to every registered target on the port it was registered with, and on the control "
    "port of its target group where the group has one.",
    quote="Allow outbound traffic to instances on the instance listener port",
    page_section="Recommended rules",
    severity=Severity.HIGH,
    direction=Direction.EGRESS,
    parameters=(TARGET_MATCH, *COMMON_PARAMETERS),
    estate_sections=TARGET_SECTIONS,
    # Each may change the allowed traffic, its peers, or its ports.
    trigger_types=(LISTENER_TYPE, TARGET_GROUP_TYPE, *PEER_TRIGGER_TYPES),
    display_order=2,
    requirements=requirements,
    plainly_met=plainly_met,
    target_ports=_ports_to_read,
    notes=target_notes,
    caveat=AUTHENTICATION_CAVEAT,
)
