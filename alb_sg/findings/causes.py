"""The causes of findings, in a few kinds: findings with one cause and one security group need one change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Permission, SecurityGroup
from alb_sg.findings.finding import Finding, Missing
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID
from alb_sg.permissions.addresses import is_part
from alb_sg.permissions.allowed_traffic import Direction, Traffic


class Cause(Enum):
    """A kind of cause. Its value stands in the dashboard's data and history."""

    NO_OUTBOUND_RULE = "no-outbound-rule"
    DEFAULT_OUTBOUND_IPV4 = "default-outbound-ipv4"
    IPV6_MISSING = "ipv6-left-out"
    ICMP_CLOSED = "icmp-closed"
    TARGETS_CLOSED = "targets-closed"
    TOO_NARROW = "too-narrow"
    CLOSED = "closed"
    UNUSED = "unused"
    UNRESOLVED = "unresolved"
    NOT_REPORTED = "not-told"


CAUSE_DESCRIPTIONS = {
    Cause.NO_OUTBOUND_RULE: "No outbound rule: the default one was removed and not replaced",
    Cause.DEFAULT_OUTBOUND_IPV4: "The default outbound rule covers IPv4 only, and targets have IPv6 addresses",
    Cause.IPV6_MISSING: "Open to IPv4 but not to IPv6",
    Cause.ICMP_CLOSED: "ICMP for Path MTU Discovery is not allowed",
    Cause.TARGETS_CLOSED: "The targets' security groups do not let the load balancer in",
    Cause.TOO_NARROW: "Open to only a part of the recommended addresses",
    Cause.CLOSED: "Closed: no rule allows any of it",
    Cause.UNUSED: "Open on ports that no listener uses",
    Cause.UNRESOLVED: "Possibly open: it depends on something that could not be resolved",
    Cause.NOT_REPORTED: "The source describes what is missing in words only",
}


def find_causes(finding: Finding, groups: Sequence[SecurityGroup]) -> tuple[Cause, ...]:
    """The causes of a NON_COMPLIANT finding, each once. `groups` are the load balancer's groups that were read."""
    if finding.unresolved:
        return (Cause.UNRESOLVED,)
    if finding.unused:
        return (Cause.UNUSED,)
    if not finding.missing:
        return (Cause.NOT_REPORTED,)
    causes = {_find_cause(missing, finding.missing, groups) for missing in finding.missing}
    return tuple(cause for cause in Cause if cause in causes)


def _find_cause(missing: Missing, entries: Iterable[Missing], groups: Sequence[SecurityGroup]) -> Cause:
    if missing.protocol in ("icmp", "icmpv6"):
        return Cause.ICMP_CLOSED
    if missing.direction == Direction.TARGET_INGRESS:
        return Cause.TARGETS_CLOSED
    ipv6 = _is_ipv6(missing.required)
    if missing.direction == "egress" and groups:
        rules = [rule for group in groups for rule in group.egress]
        if not rules:
            return Cause.NO_OUTBOUND_RULE
        if ipv6 and any(_is_default_egress(rule) for rule in rules):
            return Cause.DEFAULT_OUTBOUND_IPV4
    if ipv6 and not any(_is_ipv4_counterpart(missing, other) for other in entries):
        return Cause.IPV6_MISSING
    if is_part(missing.peers, missing.required) or _allows_some_peer(missing, groups):
        return Cause.TOO_NARROW
    return Cause.CLOSED


def _is_ipv6(cidrs: Iterable[str]) -> bool:
    return any(
        parse_cidr(cidr)[0] is Family.IPV6
        for cidr in cidrs
        if not PREFIX_LIST_ID.fullmatch(cidr) and not SECURITY_GROUP_ID.fullmatch(cidr)
    )


def _is_ipv4_counterpart(missing: Missing, other: Missing) -> bool:
    traffic = (other.direction, other.protocol, other.from_port, other.to_port)
    return traffic == (
        missing.direction,
        missing.protocol,
        missing.from_port,
        missing.to_port,
    ) and not _is_ipv6(other.required)


def _is_default_egress(rule: Permission) -> bool:
    """Whether it is the outbound rule of every new security group (EC2 user guide, "Default security group rules")."""
    return rule.protocol == "-1" and "0.0.0.0/0" in rule.cidrs


def _allows_some_peer(missing: Missing, groups: Sequence[SecurityGroup]) -> bool:
    """Whether a rule allows the same traffic for any peer."""
    traffic = Traffic(missing.protocol, missing.from_port, missing.to_port)
    return any(
        traffic.matches(rule)
        for group in groups
        for rule in (group.ingress if missing.direction == "ingress" else group.egress)
    )
