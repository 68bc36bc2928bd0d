"""Semantics §7: ALB_SG_HEALTH_CHECK_EGRESS."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    Saved,
    Shape,
    all_traffic,
    estate,
    group,
    instance,
    interface,
    listener,
    target,
    target_group,
    tcp,
)
from tests.semantics.cases import COMPLIANT, ERROR, NON_COMPLIANT, NOT_APPLICABLE, Case, Lacks, check, table

TRAFFIC_PORT = "`traffic-port` is the target's own port."
NUMBER = "Else the number."
DISABLED = "A group whose health checks are disabled requires nothing."
AS_6 = "As §6, on the health check port."


def _checked(*egress: Shape, parts: tuple[Shape, ...] = ()) -> Saved:
    return estate(*parts, group("sg-1", egress=egress))


def _lacks(port: int, groups: tuple[str, ...] = ()) -> tuple[Lacks, ...]:
    return (Lacks(port, ("10.0.1.5/32",), ("10.0.1.5/32",), groups),)


APART = target_group(health_check_port="8081", targets=["10.0.1.5"])
OVERRIDDEN = target_group(port=80, targets=[target("10.0.1.5", 8080)])


@table(
    Case(
        "the group's port",
        TRAFFIC_PORT,
        _checked(tcp(80, ANYWHERE), parts=(target_group(targets=["10.0.1.5"]),)),
        COMPLIANT,
    ),
    Case("an override port open", TRAFFIC_PORT, _checked(tcp(8080, ANYWHERE), parts=(OVERRIDDEN,)), COMPLIANT),
    Case(
        "an override port closed",
        TRAFFIC_PORT,
        _checked(tcp(80, ANYWHERE), parts=(OVERRIDDEN,)),
        NON_COMPLIANT,
        lacks=_lacks(8080),
    ),
    Case("a port apart open", NUMBER, _checked(tcp(8081, ANYWHERE), parts=(APART,)), COMPLIANT),
    Case(
        "a port apart closed",
        NUMBER,
        _checked(tcp(80, ANYWHERE), parts=(APART,)),
        NON_COMPLIANT,
        lacks=_lacks(8081),
        says=("TCP:8081", "web", "10.0.1.5"),
    ),
    Case(
        "a port apart whatever the registration says",
        NUMBER,
        _checked(
            tcp(8080, ANYWHERE),
            parts=(target_group(health_check_port="8081", targets=[target("10.0.1.5", 8080)]),),
        ),
        NON_COMPLIANT,
        lacks=_lacks(8081),
    ),
    Case(
        "two registrations of a target on two ports, one health check port",
        NUMBER,
        _checked(
            parts=(target_group(health_check_port="8081", targets=[target("10.0.1.5", 1), target("10.0.1.5", 2)]),)
        ),
        NON_COMPLIANT,
        lacks=_lacks(8081),
    ),
    Case(
        "health checks disabled",
        DISABLED,
        _checked(parts=(target_group(health_checks=False, targets=["10.0.1.5"]),)),
        NOT_APPLICABLE,
        says=("health checks are disabled",),
    ),
    Case(
        "health checks disabled, registrations unread",
        "Requires nothing, so that nothing of it must be read.",
        _checked(parts=(target_group(health_checks=False, targets=None),)),
        NOT_APPLICABLE,
    ),
    Case(
        "health checks disabled in one of two groups",
        DISABLED,
        _checked(
            tcp(80, "10.0.1.5/32"),
            parts=(
                target_group("quiet", health_checks=False, targets=["10.0.1.6"]),
                target_group(targets=["10.0.1.5"]),
            ),
        ),
        COMPLIANT,
    ),
    Case("Lambda", AS_6, _checked(parts=(target_group(type="lambda"),)), NOT_APPLICABLE, says=("Lambda",)),
    Case("only redirects", AS_6, _checked(parts=(listener(443, redirect=True),)), NOT_APPLICABLE),
    Case(
        "draining",
        AS_6,
        _checked(parts=(target_group(targets=[target("10.0.1.5", state="draining")]),)),
        NOT_APPLICABLE,
    ),
    Case(
        "unhealthy",
        AS_6,
        _checked(parts=(target_group(targets=[target("10.0.1.5", state="unhealthy")]),)),
        NON_COMPLIANT,
    ),
    Case(
        "a reference on the health check port",
        AS_6,
        _checked(tcp(8081, "sg-app"), parts=(APART, interface("10.0.1.5"))),
        COMPLIANT,
    ),
    Case(
        "a reference on the traffic port alone",
        AS_6,
        _checked(tcp(80, "sg-app"), parts=(APART, interface("10.0.1.5"))),
        NON_COMPLIANT,
        lacks=_lacks(8081, ("sg-app",)),
    ),
    Case(
        "an instance's health check",
        AS_6,
        _checked(
            tcp(8081, "sg-app"),
            parts=(
                target_group(type="instance", health_check_port="8081", targets=["i-1"]),
                instance("i-1", "10.0.1.5"),
            ),
        ),
        COMPLIANT,
    ),
    Case(
        "all traffic under security-group",
        "`TargetMatch`: §6, §7.",
        _checked(all_traffic(ANYWHERE), parts=(APART, interface("10.0.1.5"))),
        NON_COMPLIANT,
        parameters={"TargetMatch": "security-group"},
        lacks=(Lacks(8081, ("10.0.1.5/32",), (), ("sg-app",)),),
    ),
    Case(
        "registrations unread",
        "Every requirement must be known.",
        _checked(all_traffic(ANYWHERE), parts=(target_group(targets=None),)),
        ERROR,
    ),
)
def test_health_check_ports(case: Case) -> None:
    check(replace(case, rule=HEALTH))


def test_the_other_egress_rule_asks_for_the_other_port() -> None:
    saved = _checked(tcp(8081, ANYWHERE), parts=(APART,))
    check(Case("health", NUMBER, saved, COMPLIANT, rule=HEALTH))
    check(Case("instance", "The target's own port.", saved, NON_COMPLIANT, rule=EGRESS, lacks=_lacks(80)))
