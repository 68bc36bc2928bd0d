"""The words that reports share, as AWS's consoles say them: directions, ports, peers, missing permissions, verdicts."""

from __future__ import annotations

from alb_sg.estate.cidr import InvalidCidrError, parse_cidr
from alb_sg.estate.model import Permission
from alb_sg.findings.finding import AppliedExemption, EvaluationError, Finding, Missing, Result, Unused
from alb_sg.findings.phrasing import abbreviate, describe_port_range, pluralize, printable
from alb_sg.observations.ranking import verdict_status
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID
from alb_sg.permissions.addresses import is_part
from alb_sg.permissions.allowed_traffic import Direction, Traffic

# What other modules define, and reports take from here.
__all__ = ("abbreviate", "pluralize", "printable")


def direction_word(direction: str) -> str:
    """`inbound` or `outbound`, for `ingress` or `egress`, and `inbound to its targets` for `targetIngress`."""
    match Direction(direction):
        case Direction.EGRESS:
            return "outbound"
        case Direction.INGRESS:
            return "inbound"
        case Direction.TARGET_INGRESS:
            return "inbound to its targets"


def direction_preposition(direction: str) -> str:
    return "to" if direction == Direction.EGRESS else "from"


def describe_traffic(protocol: str, from_port: int, to_port: int) -> str:
    return Traffic(protocol, from_port, to_port).label.replace(":", " ")


def describe_ports(permission: Permission) -> str:
    """The protocol and ports, or ICMP type and code, of a rule."""
    first, last = permission.from_port, permission.to_port
    if permission.protocol == "-1":
        return "all traffic"
    if permission.protocol in ("icmp", "icmpv6"):
        name = "ICMP" if permission.protocol == "icmp" else "ICMPv6"
        if first in (None, -1):
            return f"all {name}"
        return f"{name} type {first} {'any code' if last in (None, -1) else f'code {last}'}"
    name = permission.protocol.upper()
    if first is None:
        return f"all {name}"
    return f"{name} {first}" if first == last else f"{name} {first}-{last}"


def describe_rule(direction: Direction, permission: Permission, peer: str) -> str:
    """A security group rule for one of its peers, such as `inbound TCP 443 from 0.0.0.0/0`."""
    return f"{direction_word(direction)} {describe_ports(permission)} {direction_preposition(direction)} {peer}"


def address_or_cidr(cidr: str) -> str:
    """A block of one address as that address, and anything else unchanged."""
    if PREFIX_LIST_ID.fullmatch(cidr) or SECURITY_GROUP_ID.fullmatch(cidr):
        return cidr
    try:
        _, (first, last) = parse_cidr(cidr)
    except InvalidCidrError:
        # A planned group or prefix list, by its address.
        return cidr
    return cidr.partition("/")[0] if first == last else cidr


def describe_missing(entry: Missing, max_peers: int | None = None) -> str:
    """The missing part, such as `inbound TCP 443 from 0.0.0.0/0, or from sg-1`, with at most `max_peers` peers.

    A rest of the recommended peer in more blocks than that is told as the whole peer: no reader adds up the blocks.
    """
    what = f"{direction_word(entry.direction)} {describe_traffic(entry.protocol, entry.from_port, entry.to_port)}"
    to = direction_preposition(entry.direction)
    limit = len(entry.peers) if max_peers is None else max_peers
    groups = f"{to} {' or '.join(entry.or_security_groups)}" if entry.or_security_groups else ""
    if not entry.peers:
        return f"{what} {groups}" if groups else f"{what} {to} {entry.origin.label}, whose addresses are not known"
    peers = f"{to} {abbreviate(entry.peers, limit)}"
    if len(entry.peers) > limit and is_part(entry.peers, entry.required) and entry.direction != Direction.EGRESS:
        peers = f"{to} all of {abbreviate(entry.required, limit)}, of which only a part is open"
    # Inbound, the group is that of a load balancer: the narrower advice comes first.
    ways = [peers, groups] if entry.direction == Direction.EGRESS else [groups, peers]
    text = f"{what} {', or '.join(filter(None, ways))}"
    if entry.direction == Direction.TARGET_INGRESS:
        text += f", in {' or '.join(entry.security_groups) or 'their groups, which are not known'}"
    return text


def describe_unused(entry: Unused, max_peers: int | None = None) -> str:
    """An open and unused part, such as `inbound TCP 80 from 0.0.0.0/0 in sg-1 (sgr-1)`."""
    limit = len(entry.peers) if max_peers is None else max_peers
    ports = describe_port_range(entry.protocol, entry.from_port, entry.to_port)
    text = f"inbound {ports} from {abbreviate(entry.peers, limit)} in {entry.security_group}"
    if entry.rule_ids:
        text += f" ({abbreviate(entry.rule_ids, limit)})"
    if entry.used:
        text += f", all but {', '.join(describe_port_range(*ports) for ports in entry.used)}"
    return text


def error_subject(error: EvaluationError) -> str:
    """What could not be judged or read, after the name of the rule if the error is of one rule."""
    return f"{error.rule}: {error.what}" if error.rule is not None else error.what


def describe_error(error: EvaluationError) -> str:
    return f"{error_subject(error)}: {error.cause}"


def describe_exemption(applied_exemption: AppliedExemption) -> str:
    """Expiry, owner, ticket, reason and the result without it, such as `until 2027-01-31 by edge (SEC-12): moves to
    another VPC; would be NON_COMPLIANT: HTTPS:443 not open to …`."""
    exemption, result_without = applied_exemption
    head = f"until {exemption.expires} by {exemption.owner} ({exemption.ticket}): {exemption.reason}"
    if isinstance(result_without, EvaluationError):
        return f"{head}; could not be judged: {result_without.what}: {result_without.cause}"
    return f"{head}; would be {result_without.compliance.value}: {result_without.annotation}"


def describe_result(result: Result) -> str:
    """A result as one sentence."""
    if isinstance(result, EvaluationError):
        return describe_error(result)
    if result.applied_exemption is not None:
        return f"exempt {describe_exemption(result.applied_exemption)}"
    return result.annotation or result.compliance.value


def status_label(result: Result) -> str:
    """A result in one word. EXEMPT is NOT_APPLICABLE to AWS Config."""
    return verdict_status(result).name


def verdict_label(result: Result) -> str:
    """As `status_label`, with a note where it is unresolved."""
    unresolved = isinstance(result, Finding) and result.unresolved and result.applied_exemption is None
    return f"{status_label(result)} (unresolved)" if unresolved else status_label(result)
