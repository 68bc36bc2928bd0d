"""What shows at a glance, and what does not: one fact at a time that makes a plain load balancer another one. Every
verdict is also that of the requirements."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from alb_sg.errors import NotReadError
from alb_sg.estate.model import UnknownValue
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import Judge
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.plain_load_balancer import NotPlain, PlainLoadBalancer
from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    TARGETS,
    Shape,
    build,
    estate,
    group,
    icmp,
    instance,
    listener,
    load_balancer,
    reference,
    target,
    target_group,
    tcp,
    vpc,
)

OPEN = [tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)]
PEERED = {"peering": "pcx-1", "vpc": "vpc-1"}


class Case(NamedTuple):
    """What differs from a plain estate, and the results of rules: the beginning of the annotation or of the error, and
    whether it shows at a glance."""

    name: str
    parts: tuple[Shape, ...]
    expected: dict[str, tuple[str, bool]]


CASES = [
    Case(
        "every rule names what is recommended",
        (),
        {
            INGRESS: ("1 requirement met in sg-1", True),
            ICMP: ("1 requirement met in sg-1", True),
            EGRESS: ("2 requirements met in sg-1", True),
            HEALTH: ("2 requirements met in sg-1", True),
            TARGETS: ("2 requirements met in sg-app", True),
        },
    ),
    Case(
        "two target groups, one with another health check port and an instance that is registered twice",
        (
            target_group("web", type="instance", port=80, targets=["i-1", "i-2"]),
            target_group("api", type="instance", port=80, health_check_port="81", targets=["i-1", "i-1"]),
        ),
        {
            EGRESS: ("4 requirements met in sg-1", True),
            HEALTH: ("4 requirements met in sg-1", True),
            # The same target counts once for a port.
            TARGETS: ("4 requirements met in sg-app", True),
        },
    ),
    Case(
        "targets that carry other groups, in an order of their own",
        (
            instance("i-2", "10.0.1.21", groups=["sg-z", "sg-b"]),
            group("sg-1", ingress=OPEN, egress=[tcp((80, 81), "sg-app", "sg-b")]),
            group("sg-b", ingress=[tcp((80, 81), "sg-1")]),
            group("sg-z"),
        ),
        {EGRESS: ("2 requirements met", True), TARGETS: ("2 requirements met in sg-app, sg-b, sg-z", True)},
    ),
    Case(
        "one of two targets carries a group that no rule names",
        (instance("i-2", "10.0.1.21", groups=["sg-db"]), group("sg-db")),
        {
            EGRESS: ("target group web TCP:80 not open to i-2", False),
            HEALTH: ("target group web TCP:80 not open to i-2", False),
            TARGETS: ("target group web TCP:80 not open to sg-1", False),
        },
    ),
    Case(
        "a rule over a peering",
        (
            group("sg-1", ingress=OPEN, egress=[tcp((80, 81), reference("sg-app", status="active", **PEERED))]),
            group("sg-app", ingress=[tcp((80, 81), reference("sg-1", status="deleted", **PEERED))]),
        ),
        # An active reference over a peering counts as well, and a stale one does not.
        {EGRESS: ("2 requirements met in sg-1", False), TARGETS: ("target group web TCP:80 not open to sg-1", False)},
    ),
    Case(
        "targets on two ports",
        (target_group("web", type="instance", port=80, targets=[target("i-1", 80), target("i-2", 81)]),),
        {EGRESS: ("2 requirements met in sg-1", False), TARGETS: ("2 requirements met in sg-app", False)},
    ),
    Case(
        "a target that is draining and one that is not",
        (target_group("web", type="instance", port=80, targets=[target("i-1", state="draining"), target("i-2")]),),
        {EGRESS: ("1 requirement met in sg-1", True), TARGETS: ("1 requirement met in sg-app", True)},
    ),
    Case(
        "targets that are all draining",
        (target_group("web", type="instance", port=80, targets=[target("i-1", state="draining")]),),
        {EGRESS: ("only targets that are draining", False), TARGETS: ("only targets that are draining", False)},
    ),
    Case(
        "a target in a state that is not known",
        (target_group("web", type="instance", port=80, targets=[target("i-1", state="resting"), target("i-2")]),),
        {EGRESS: ("TargetHealth.State of target i-1", False), TARGETS: ("TargetHealth.State of target i-1", False)},
    ),
    Case(
        "an instance without a security group that was recorded",
        (instance("i-2", "10.0.1.21", groups=[]),),
        {EGRESS: ("security groups of i-2", False), TARGETS: ("security groups of i-2", False)},
    ),
    Case(
        "a load balancer with a security group that was not read",
        (load_balancer(groups=["sg-1", "sg-lost"]),),
        {INGRESS: ("1 requirement met in sg-1, sg-lost", False), EGRESS: ("2 requirements met", False)},
    ),
    Case(
        "an internal load balancer",
        (
            load_balancer(scheme="internal"),
            vpc("10.0.0.0/16", "10.1.0.0/16"),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/16")]),
        ),
        {INGRESS: ("HTTPS:443 not open to 10.1.0.0/16 of 10.0.0.0/16, 10.1.0.0/16", False)},
    ),
    Case(
        "an internal load balancer whose rules name each block of its VPC",
        (
            load_balancer(scheme="internal"),
            vpc("10.0.0.0/16", "10.1.0.0/16"),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/16"), tcp(443, "10.1.0.0/16"), icmp(3, 4, ANYWHERE)]),
        ),
        {INGRESS: ("1 requirement met in sg-1", True), ICMP: ("1 requirement met in sg-1", True)},
    ),
    Case(
        "a scheme that is not known",
        (load_balancer(scheme="interplanetary"), group("sg-1", ingress=[tcp(443, ANYWHERE)])),
        {INGRESS: ("Scheme of load balancer web", False), ICMP: ("Scheme of load balancer web", False)},
    ),
    Case(
        "a load balancer that is not in service",
        (load_balancer(state="provisioning"),),
        {INGRESS: ("the load balancer is provisioning", False), EGRESS: ("the load balancer is provisioning", False)},
    ),
    Case(
        "an internal dualstack load balancer in a VPC without IPv6",
        (load_balancer(scheme="internal", ip_address_type="dualstack"),),
        {INGRESS: ("1 requirement met in sg-1", False)},
    ),
    Case(
        "a listener that is closed",
        (listener(443), listener(80)),
        {INGRESS: ("HTTP:80 not open to 0.0.0.0/0", False), ICMP: ("1 requirement met in sg-1", True)},
    ),
    Case(
        "a Lambda function beside instances",
        (
            target_group("web", type="instance", port=80, targets=["i-1", "i-2"]),
            target_group("code", type="lambda", targets=[]),
        ),
        {EGRESS: ("2 requirements met in sg-1", True), TARGETS: ("2 requirements met in sg-app", True)},
    ),
    Case(
        "health checks that are disabled",
        (target_group("web", type="instance", port=80, targets=["i-1"], health_checks=False),),
        {HEALTH: ("only target groups whose health checks are disabled", False), TARGETS: ("1 requirement met", True)},
    ),
]


def _with(parts: tuple[Shape, ...]) -> list[Shape]:
    """A plain estate in which some resources are replaced: those of the same kind and name."""
    plain = [
        load_balancer(),
        listener(443),
        vpc("10.0.0.0/16"),
        group("sg-1", ingress=OPEN, egress=[tcp((80, 81), "sg-app")]),
        group("sg-app", ingress=[tcp((80, 81), "sg-1")]),
        target_group("web", type="instance", port=80, targets=["i-1", "i-2"]),
        instance("i-1", "10.0.1.20", groups=["sg-app"]),
        instance("i-2", "10.0.1.21", groups=["sg-app"]),
    ]
    keys = ("ListenerArn", "LoadBalancerArn", "TargetGroupArn", "GroupId", "InstanceId", "CidrBlockAssociationSet")

    def name(part: Shape) -> tuple[str, object]:
        key = next(key for key in keys if key in part)
        return key, part[key] if key != "CidrBlockAssociationSet" else None

    replaced = set(map(name, parts))
    return [*(part for part in plain if name(part) not in replaced), *parts]


@pytest.mark.parametrize(
    ("case", "rule"),
    [(case, rule) for case in CASES for rule in case.expected],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_verdict_at_a_glance(case: Case, rule: str) -> None:
    said, shows = case.expected[rule]
    found = build(estate(*_with(case.parts)))
    (balancer,) = found.load_balancers.values()
    recommendation = RECOMMENDATIONS_BY_NAME[rule]
    result = Judge(found).judge(balancer, recommendation, Parameters())
    assert _text(result).startswith(said)
    assert result == Judge(found).judge(balancer, replace(recommendation, plainly_met=None), Parameters())
    assert recommendation.plainly_met is not None
    try:
        shown, _ = recommendation.plainly_met(PlainLoadBalancer(found, balancer), Parameters())
    except (NotPlain, NotReadError):
        shown = 0
    assert bool(shown) is shows


def _text(result: Finding | EvaluationError) -> str:
    return result.annotation if isinstance(result, Finding) else result.what


def test_a_reference_to_a_deleted_group_lets_nothing_through() -> None:
    found = replace(build(estate(*_with(()))), deleted_security_groups=frozenset({"sg-app"}))
    (balancer,) = found.load_balancers.values()
    result = Judge(found).judge(balancer, RECOMMENDATIONS_BY_NAME[EGRESS], Parameters())
    assert _text(result).startswith("target group web TCP:80 not open to")


def test_nothing_shows_at_a_glance_before_a_plan_is_applied() -> None:
    """Perhaps the targets belong to another target group."""
    found = build(estate(*_with(())))
    unknown = UnknownValue("TargetGroupArn", "known after apply")
    targets = {arn: tuple(one._replace(unknown=unknown) for one in some) for arn, some in (found.targets or {}).items()}
    planned = replace(found, targets=targets, is_planned=True)
    (balancer,) = planned.load_balancers.values()
    result = Judge(planned).judge(balancer, RECOMMENDATIONS_BY_NAME[EGRESS], Parameters())
    assert isinstance(result, EvaluationError)
    assert result.cause == "known after apply"
