"""The rows of an explanation in words, for text and page alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alb_sg.findings.annotation import MAX_MISSING_BLOCKS, UNKNOWN_ADDRESSES
from alb_sg.findings.evidence import Evidence, Match, PermissionPeer
from alb_sg.findings.explanation import RequirementRow, RowStatus
from alb_sg.findings.finding import Missing
from alb_sg.permissions.addresses import is_part
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer
from alb_sg.report import phrasing

# A row names at most this many and counts the others; JSON has all.
MAX_TARGETS = 4
MAX_PERMISSION_PEERS = 6


def describe_front(front: FrontingLoadBalancer) -> str:
    network_load_balancer = front.load_balancer
    groups = ", ".join(network_load_balancer.security_groups) or "no security groups"
    return (
        f"Network Load Balancer {network_load_balancer.name} ({network_load_balancer.scheme}; {groups}) "
        f"to port {front.port} by target group {front.target_group.name}"
    )


def describe_peer(row: RequirementRow) -> str:
    """The recommended addresses, prefix list or security groups, or else the targets with their addresses."""
    if not row.targets or row.direction is Direction.TARGET_INGRESS:
        return ", ".join(row.required) or UNKNOWN_ADDRESSES
    addresses = [phrasing.address_or_cidr(required) for required in row.required]
    if len(addresses) == len(row.targets):
        names = [
            target_id if target_id == address else f"{target_id} ({address})"
            for target_id, address in zip(row.targets, addresses, strict=True)
        ]
    else:
        names = list(row.targets)
    text = phrasing.abbreviate(list(dict.fromkeys(names)), MAX_TARGETS)
    return text if row.count == 1 else f"{phrasing.pluralize(row.count, 'target')}: {text}"


def describe_targets(row: RequirementRow) -> str:
    """The targets that must let the load balancer in, and their security groups."""
    groups = ", ".join(row.security_groups) or "security groups not known"
    targets = phrasing.abbreviate(list(dict.fromkeys(row.targets)), MAX_TARGETS)
    return f"{phrasing.pluralize(row.count, 'target')} with {groups}: {targets}"


def describe_permission_peer(permission_peer: PermissionPeer, direction: Direction) -> str:
    """A security group rule, such as `sg-1 inbound TCP 443 from 0.0.0.0/0`."""
    rule = phrasing.describe_rule(direction.of_rules, permission_peer.permission, permission_peer.peer)
    return f"{permission_peer.group_id} {rule}"


def row_reasons(row: RequirementRow, fronts: Sequence[FrontingLoadBalancer]) -> Iterator[str]:
    """The reasons for a row's status, a sentence each. They state facts; the plan of a fix says what to allow."""
    yield from _accepted_sources(row)
    if row.status is RowStatus.MET:
        yield from _evidence(row, fronts)
        return
    if row.missing is not None and not row.lost_sources:
        yield from _missing(row, row.missing)
    yield from (f"unresolved: {note}" for note in row.unresolved)
    if row.unread is not None:
        yield f"not judged: {row.unread[0]}: {row.unread[1]}"
    yield from _evidence(row, fronts, "already: ")
    yield from _open_instead(row)
    if row.status is RowStatus.MISSING and not row.open_instead and not row.evidence:
        if row.direction is not Direction.TARGET_INGRESS:
            yield "no rule of its security groups lets this through at all"
        elif row.security_groups:
            yield "no rule of their security groups lets this through at all"
    yield from row.near_misses
    if len(row.closed_sources) == 1:
        yield f"accepted source {row.closed_sources[0]} is not open either"
    elif row.closed_sources:
        names = phrasing.abbreviate(row.closed_sources, MAX_TARGETS)
        yield f"none of {len(row.closed_sources)} accepted sources is open either: {names}"


def _accepted_sources(row: RequirementRow) -> Iterator[str]:
    """The accepted sources that stand in for the recommended peer, or that were lost."""
    sources = row.accepted_sources
    if sources is None:
        return
    if sources.closed_port is not None:
        yield f"nobody needs to reach this port (none@{sources.closed_port})"
    elif row.lost_sources:
        lost = phrasing.abbreviate(row.lost_sources, MAX_TARGETS)
        yield f"not open to {len(row.lost_sources)} of {sources.total} accepted sources: {lost}"
    elif not sources.met:
        # They are all of the other address family, which is a near miss.
        return
    elif sources.total == 1:
        yield f"accepted source {sources.met[0]} stands in for {', '.join(row.required)}"
    else:
        yield (
            f"{len(sources.met)} of {sources.total} accepted sources stand in for {', '.join(row.required)}: "
            f"{phrasing.abbreviate(sources.met, MAX_TARGETS)}"
        )


def _missing(row: RequirementRow, missing: Missing) -> Iterator[str]:
    """Which part of the recommended peer is not open, where the row does not say so itself."""
    if row.targets and row.direction is not Direction.TARGET_INGRESS:
        ways = [*missing.or_security_groups, *map(phrasing.address_or_cidr, missing.peers)]
        if ways:
            yield f"not open to {phrasing.abbreviate(ways, MAX_TARGETS)}"
        return
    recommended = ", ".join(row.required)
    if missing.or_security_groups:
        yield f"not open to {' or '.join(missing.or_security_groups)}, nor to all of {recommended}"
    elif is_part(missing.peers, missing.required):
        if len(missing.peers) <= MAX_MISSING_BLOCKS:
            yield f"not open to {', '.join(missing.peers)} of {recommended}"
        else:
            yield f"only a part of {recommended} is open"


def _evidence(row: RequirementRow, fronts: Sequence[FrontingLoadBalancer], lead: str = "") -> Iterator[str]:
    """The rules that cover the row, or a part of it."""
    for evidence in row.evidence[:MAX_PERMISSION_PEERS]:
        rule = describe_permission_peer(evidence.permission_peer, row.direction)
        yield f"{lead}{rule}: {_describe_match(evidence, row, fronts)}"
    omitted = len(row.evidence) - MAX_PERMISSION_PEERS
    if omitted > 0:
        yield f"and {phrasing.pluralize(omitted, 'rule')} more{' for a part of it' if lead else ''}"


def _open_instead(row: RequirementRow) -> Iterator[str]:
    for peer in row.open_instead[:MAX_PERMISSION_PEERS]:
        text = describe_permission_peer(peer, row.direction)
        if peer.ineffective_reason:
            yield f"without effect: {text} ({peer.ineffective_reason})"
            continue
        is_foreign_group = (
            bool(peer.permission.references)
            and row.direction is Direction.TARGET_INGRESS
            and row.status is RowStatus.MISSING
        )
        yield f"let through instead: {text}{', which the load balancer does not carry' if is_foreign_group else ''}"
    omitted = len(row.open_instead) - MAX_PERMISSION_PEERS
    if omitted > 0:
        yield f"and {phrasing.pluralize(omitted, 'rule')} more for this traffic"


def _describe_match(evidence: Evidence, row: RequirementRow, fronts: Sequence[FrontingLoadBalancer]) -> str:
    peer = evidence.permission_peer.peer
    match evidence.match:
        case Match.TARGET:
            target_ids = list(dict.fromkeys(row.targets))
            verb = "carries" if len(target_ids) == 1 else "carry"
            return f"{phrasing.abbreviate(target_ids, MAX_TARGETS)} {verb} {peer}"
        case Match.LOAD_BALANCER:
            return f"the load balancer carries {peer}"
        case Match.NETWORK_LOAD_BALANCER:
            load_balancers = (front.load_balancer for front in fronts)
            names = dict.fromkeys(one.name for one in load_balancers if peer in one.security_groups)
            return f"{peer} is a security group of {', '.join(names) or 'the Network Load Balancer in front'}"
        case Match.NAMED:
            return "names it"
        case Match.ADDRESSES:
            return f"covers {_covered_addresses(evidence, row)}"


def _covered_addresses(evidence: Evidence, row: RequirementRow) -> str:
    if not row.targets or row.direction is Direction.TARGET_INGRESS:
        return _cidrs(evidence)
    if not row.required or (evidence.covers and evidence.covers != row.required):
        return f"{_cidrs(evidence)}, whatever the addresses"
    if row.count > 1:
        return f"all {row.count:,} of them"
    address = phrasing.address_or_cidr(row.required[0])
    return address if address == row.targets[0] else f"{address} ({row.targets[0]})"


def _cidrs(evidence: Evidence) -> str:
    return phrasing.abbreviate(evidence.covers, MAX_TARGETS)
