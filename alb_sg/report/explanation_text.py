"""An explanation for people: the page's table for one load balancer, with what meets each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from alb_sg.findings.evidence import Evidence, Match, PermissionPeer
from alb_sg.findings.explanation import (
    Explanation,
    FrontingLoadBalancerSummary,
    RequirementRow,
    RowStatus,
    RuleExplanation,
)
from alb_sg.findings.finding import Finding
from alb_sg.report import phrasing
from alb_sg.report.style import Style

# Beyond these a row names the first and counts the rest; JSON has all.
MAX_TARGETS = 4
MAX_PERMISSION_PEERS = 6


def write_explanation(explanation: Explanation, stream: TextIO, style: Style) -> None:
    stream.writelines(line + "\n" for line in _lines(explanation, style))


def _lines(explanation: Explanation, style: Style) -> Iterator[str]:
    yield from _header(explanation, style)
    for rule in explanation.rules:
        yield ""
        yield from _rule_lines(rule, explanation.fronting_load_balancers, style)
    caveats = [rule.recommendation.caveat for rule in explanation.rules if rule.rows]
    for caveat in dict.fromkeys(filter(None, caveats)):
        yield ""
        yield style.dim(caveat)


def _header(explanation: Explanation, style: Style) -> Iterator[str]:
    found = explanation.load_balancer
    yield f"{style.bold(phrasing.printable(found.name))}  {style.dim(phrasing.printable(found.arn))}"
    yield f"  account {explanation.account_id}, {explanation.region}"
    yield f"  {found.type}, {found.scheme}, {found.ip_address_type}, {found.state}"
    cidrs = explanation.vpc_cidrs
    blocks = "CIDR blocks not read" if cidrs is None else ", ".join(cidrs) or "no CIDR block"
    yield phrasing.printable(f"  VPC {found.vpc_id or 'unknown'}: {blocks}")
    groups = [
        f"{group_id} ({name})" if (name := explanation.group_names.get(group_id)) else f"{group_id} (not read)"
        for group_id in found.security_groups
    ]
    yield phrasing.printable(f"  security groups: {', '.join(groups) or 'none'}")
    if found.type == "application":
        listeners = ", ".join(f"{listener.protocol}:{listener.port}" for listener in explanation.listeners)
        yield phrasing.printable(f"  listeners: {listeners or 'none'}")
        for front in explanation.fronting_load_balancers:
            yield phrasing.printable(f"  behind {_describe_network_load_balancer(front)}")
    for what, cause in explanation.unread:
        yield f"  {style.warning('not read')}: {phrasing.printable(f'{what}: {cause}')}"


def _describe_network_load_balancer(network_load_balancer: FrontingLoadBalancerSummary) -> str:
    groups = ", ".join(network_load_balancer.security_groups) or "no security groups"
    port = "" if network_load_balancer.port is None else f" to port {network_load_balancer.port}"
    return (
        f"Network Load Balancer {network_load_balancer.name} ({network_load_balancer.scheme}; {groups}){port} "
        f"by target group {network_load_balancer.target_group}"
    )


def _rule_lines(
    rule: RuleExplanation, network_load_balancers: Sequence[FrontingLoadBalancerSummary], style: Style
) -> Iterator[str]:
    verdict = style.in_verdict_color(rule.verdict, phrasing.verdict_label(rule.verdict))
    yield f"{style.bold(rule.recommendation.name)}  {verdict}"
    if not isinstance(rule.verdict, Finding):
        yield f"  not judged: {phrasing.printable(f'{rule.verdict.what}: {rule.verdict.cause}')}"
    elif rule.verdict.applied_exemption is not None:
        yield f"  exempt {phrasing.printable(phrasing.describe_exemption(rule.verdict.applied_exemption))}"
    elif not rule.rows:
        yield f"  {phrasing.printable(rule.verdict.annotation)}"
    for row in rule.rows:
        yield from _row_lines(row, network_load_balancers, style)
    for note in rule.notes:
        yield style.dim(f"  note     {phrasing.printable(note)}")


def _row_lines(
    row: RequirementRow, network_load_balancers: Sequence[FrontingLoadBalancerSummary], style: Style
) -> Iterator[str]:
    mark = {
        RowStatus.MET: style.good("ok     "),
        RowStatus.MISSING: style.bad("missing"),
        RowStatus.UNREAD: style.warning("unread "),
    }[row.status]
    yield f"  {mark}  {phrasing.printable(_describe_requirement(row))}"
    for line in _reason_lines(row, network_load_balancers):
        yield f"             {phrasing.printable(line)}"


def _describe_requirement(row: RequirementRow) -> str:
    """The row as the page has it: direction, port, peer, and what it is for."""
    to = phrasing.direction_preposition(row.direction.value)
    what = f"{phrasing.direction_word(row.direction.value)} {row.traffic.label.replace(':', ' ')} {to}"
    if row.targets:
        return f"{what} {_describe_targets(row)}, {row.origin.label}"
    label = f" ({row.label})" if row.label else ""
    why = f", {row.origin.label}" if row.origin.label not in ("", row.traffic.label) else ""
    return f"{what} {', '.join(row.required)}{label}{why}"


def _describe_targets(row: RequirementRow) -> str:
    """The targets with their addresses, and their count where there are many."""
    addresses = [phrasing.address_or_cidr(required) for required in row.required]
    if len(addresses) == len(row.targets):
        named = [
            name if name == address else f"{name} ({address})"
            for name, address in zip(row.targets, addresses, strict=True)
        ]
    else:
        named = list(row.targets)
    shown = phrasing.abbreviate(list(dict.fromkeys(named)), MAX_TARGETS)
    return shown if row.count == 1 else f"{phrasing.pluralize(row.count, 'target')}: {shown}"


def _reason_lines(row: RequirementRow, network_load_balancers: Sequence[FrontingLoadBalancerSummary]) -> Iterator[str]:
    if row.accepted_source is not None:
        yield f"accepted source {row.accepted_source} stands in for {', '.join(row.required)}"
    if row.status is RowStatus.MET:
        for part in row.evidence:
            yield (
                f"{_describe_permission_peer(part.permission_peer, row)}: "
                f"{_describe_match(part, row, network_load_balancers)}"
            )
    else:
        yield from _not_met_lines(row, network_load_balancers)


def _not_met_lines(row: RequirementRow, network_load_balancers: Sequence[FrontingLoadBalancerSummary]) -> Iterator[str]:
    """Why a row is not met: what is missing or not read, and what is let through already or instead."""
    if row.missing is not None:
        yield f"allow {phrasing.describe_missing(row.missing)}"
    for note in row.unresolved:
        yield f"unresolved: {note}"
    if row.unread is not None:
        yield f"not judged: {row.unread[0]}: {row.unread[1]}"
    for part in row.evidence:
        yield (
            f"already: {_describe_permission_peer(part.permission_peer, row)}: "
            f"{_describe_match(part, row, network_load_balancers)}"
        )
    for grant in row.open_instead[:MAX_PERMISSION_PEERS]:
        if grant.ineffective_reason:
            yield f"without effect: {_describe_permission_peer(grant, row)} ({grant.ineffective_reason})"
        else:
            yield f"let through instead: {_describe_permission_peer(grant, row)}"
    if len(row.open_instead) > MAX_PERMISSION_PEERS:
        yield f"and {phrasing.pluralize(len(row.open_instead) - MAX_PERMISSION_PEERS, 'rule')} more for this traffic"
    if row.status is RowStatus.MISSING and not row.open_instead and not row.evidence:
        yield "no rule of its security groups lets this through at all"


def _describe_permission_peer(permission_peer: PermissionPeer, row: RequirementRow) -> str:
    """A security group rule as `sg-1 inbound TCP 443 from 0.0.0.0/0`."""
    direction = row.direction.value
    return (
        f"{permission_peer.group_id} {phrasing.direction_word(direction)} "
        f"{phrasing.describe_ports(permission_peer.permission)} "
        f"{phrasing.direction_preposition(direction)} {permission_peer.peer}"
    )


def _describe_match(
    evidence: Evidence, row: RequirementRow, network_load_balancers: Sequence[FrontingLoadBalancerSummary]
) -> str:
    peer = evidence.permission_peer.peer
    if evidence.match is Match.TARGET:
        names = phrasing.abbreviate(list(dict.fromkeys(row.targets)), MAX_TARGETS)
        return f"{names} {'carries' if len(set(row.targets)) == 1 else 'carry'} {peer}"
    if evidence.match is Match.NETWORK_LOAD_BALANCER:
        names = ", ".join(
            dict.fromkeys(front.name for front in network_load_balancers if peer in front.security_groups)
        )
        return f"{peer} is a security group of {names or 'the Network Load Balancer in front'}"
    if evidence.match is Match.NAMED:
        return "names it"
    if row.targets:
        return f"covers {_describe_covered_targets(evidence, row)}"
    return f"covers {phrasing.abbreviate(evidence.covers, MAX_TARGETS)}"


def _describe_covered_targets(evidence: Evidence, row: RequirementRow) -> str:
    if not row.required or (evidence.covers and evidence.covers != row.required):
        return f"{phrasing.abbreviate(evidence.covers, MAX_TARGETS)}, whatever the addresses"
    if row.count > 1:
        return f"all {row.count:,} of them"
    address = phrasing.address_or_cidr(row.required[0])
    return address if address == row.targets[0] else f"{address} ({row.targets[0]})"
