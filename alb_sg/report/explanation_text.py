"""An explanation for people: the page's table for one load balancer, with what meets each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from alb_sg.findings.evidence import Evidence, Grant, Match
from alb_sg.findings.explanation import Explanation, FrontFact, Row, RuleExplanation, Status
from alb_sg.findings.finding import Finding
from alb_sg.report import words
from alb_sg.report.style import Style

EGRESS_CAVEAT = (
    "Listener actions that authenticate (OIDC, Cognito) need outbound access besides this, which no rule judges."
)
# Beyond these a row names the first and counts the rest; JSON has all.
MOST_TARGETS = 4
MOST_GRANTS = 6


def write_explanation(explanation: Explanation, stream: TextIO, style: Style) -> None:
    stream.writelines(line + "\n" for line in _lines(explanation, style))


def _lines(explanation: Explanation, style: Style) -> Iterator[str]:
    yield from _header(explanation, style)
    for rule in explanation.rules:
        yield ""
        yield from _rule(rule, explanation.fronts, style)
    if any(row.direction.value == "egress" for rule in explanation.rules for row in rule.rows):
        yield ""
        yield style.dim(EGRESS_CAVEAT)


def _header(explanation: Explanation, style: Style) -> Iterator[str]:
    found = explanation.load_balancer
    yield f"{style.bold(words.printable(found.name))}  {style.dim(words.printable(found.arn))}"
    yield f"  account {explanation.account_id}, {explanation.region}"
    yield f"  {found.type}, {found.scheme}, {found.ip_address_type}, {found.state}"
    cidrs = explanation.vpc_cidrs
    blocks = "CIDR blocks not read" if cidrs is None else ", ".join(cidrs) or "no CIDR block"
    yield words.printable(f"  VPC {found.vpc_id or 'unknown'}: {blocks}")
    groups = [
        f"{group_id} ({name})" if (name := explanation.group_names.get(group_id)) else f"{group_id} (not read)"
        for group_id in found.security_groups
    ]
    yield words.printable(f"  security groups: {', '.join(groups) or 'none'}")
    if found.type == "application":
        listeners = ", ".join(f"{listener.protocol}:{listener.port}" for listener in explanation.listeners)
        yield words.printable(f"  listeners: {listeners or 'none'}")
        for front in explanation.fronts:
            yield words.printable(f"  behind {_front(front)}")
    for what, cause in explanation.unread:
        yield f"  {style.doubtful('not read')}: {words.printable(f'{what}: {cause}')}"


def _front(front: FrontFact) -> str:
    groups = ", ".join(front.security_groups) or "no security groups"
    port = "" if front.port is None else f" to port {front.port}"
    return f"Network Load Balancer {front.name} ({front.scheme}; {groups}){port} by target group {front.target_group}"


def _rule(rule: RuleExplanation, fronts: Sequence[FrontFact], style: Style) -> Iterator[str]:
    verdict = style.as_verdict(rule.verdict, words.verdict(rule.verdict))
    yield f"{style.bold(rule.recommendation.name)}  {verdict}"
    if not isinstance(rule.verdict, Finding):
        yield f"  not judged: {words.printable(f'{rule.verdict.what}: {rule.verdict.cause}')}"
    elif rule.verdict.exempted is not None:
        yield f"  exempt {words.printable(words.exemption(rule.verdict.exempted))}"
    elif not rule.rows:
        yield f"  {words.printable(rule.verdict.annotation)}"
    for row in rule.rows:
        yield from _row(row, fronts, style)
    for note in rule.notes:
        yield style.dim(f"  note     {words.printable(note)}")


def _row(row: Row, fronts: Sequence[FrontFact], style: Style) -> Iterator[str]:
    mark = {
        Status.MET: style.good("ok     "),
        Status.MISSING: style.bad("missing"),
        Status.UNREAD: style.doubtful("unread "),
    }[row.status]
    yield f"  {mark}  {words.printable(_recommended(row))}"
    for line in _reasons(row, fronts):
        yield f"             {words.printable(line)}"


def _recommended(row: Row) -> str:
    """The row as the page has it: direction, port, peer, and what it is for."""
    to = words.toward(row.direction.value)
    what = f"{words.inbound(row.direction.value)} {row.traffic.label.replace(':', ' ')} {to}"
    if row.targets:
        return f"{what} {_targets(row)}, {row.because.label}"
    label = f" ({row.label})" if row.label else ""
    why = f", {row.because.label}" if row.because.label not in ("", row.traffic.label) else ""
    return f"{what} {', '.join(row.required)}{label}{why}"


def _targets(row: Row) -> str:
    """The targets with their addresses, and their count where there are many."""
    addresses = [words.host(required) for required in row.required]
    if len(addresses) == len(row.targets):
        named = [
            name if name == address else f"{name} ({address})"
            for name, address in zip(row.targets, addresses, strict=True)
        ]
    else:
        named = list(row.targets)
    shown = words.some(list(dict.fromkeys(named)), MOST_TARGETS)
    return shown if row.count == 1 else f"{words.counted(row.count, 'target')}: {shown}"


def _reasons(row: Row, fronts: Sequence[FrontFact]) -> Iterator[str]:
    if row.accepted is not None:
        yield f"accepted source {row.accepted} stands in for {', '.join(row.required)}"
    if row.status is Status.MET:
        for part in row.evidence:
            yield f"{_grant(part.grant, row)}: {_why(part, row, fronts)}"
    else:
        yield from _open_reasons(row, fronts)


def _open_reasons(row: Row, fronts: Sequence[FrontFact]) -> Iterator[str]:
    """Why a row is not met: what is missing or not read, and what is let through already or instead."""
    if row.missing is not None:
        yield f"allow {words.missing(row.missing)}"
    for note in row.unresolved:
        yield f"unresolved: {note}"
    if row.unread is not None:
        yield f"not judged: {row.unread[0]}: {row.unread[1]}"
    for part in row.evidence:
        yield f"already: {_grant(part.grant, row)}: {_why(part, row, fronts)}"
    for grant in row.instead[:MOST_GRANTS]:
        if grant.nothing:
            yield f"without effect: {_grant(grant, row)} ({grant.nothing})"
        else:
            yield f"let through instead: {_grant(grant, row)}"
    if len(row.instead) > MOST_GRANTS:
        yield f"and {words.counted(len(row.instead) - MOST_GRANTS, 'rule')} more for this traffic"
    if row.status is Status.MISSING and not row.instead and not row.evidence:
        yield "no rule of its security groups lets this through at all"


def _grant(grant: Grant, row: Row) -> str:
    """A security group rule as `sg-1 inbound TCP 443 from 0.0.0.0/0`."""
    direction = row.direction.value
    return (
        f"{grant.group_id} {words.inbound(direction)} {words.ports(grant.permission)} "
        f"{words.toward(direction)} {grant.peer}"
    )


def _why(part: Evidence, row: Row, fronts: Sequence[FrontFact]) -> str:
    peer = part.grant.peer
    if part.match is Match.TARGET:
        names = words.some(list(dict.fromkeys(row.targets)), MOST_TARGETS)
        return f"{names} {'carries' if len(set(row.targets)) == 1 else 'carry'} {peer}"
    if part.match is Match.NETWORK_LOAD_BALANCER:
        names = ", ".join(dict.fromkeys(front.name for front in fronts if peer in front.security_groups))
        return f"{peer} is a security group of {names or 'the Network Load Balancer in front'}"
    if part.match is Match.NAMED:
        return "names it"
    if row.targets:
        return f"covers {_covered_targets(part, row)}"
    return f"covers {words.some(part.covers, MOST_TARGETS)}"


def _covered_targets(part: Evidence, row: Row) -> str:
    if not row.required or (part.covers and part.covers != row.required):
        return f"{words.some(part.covers, MOST_TARGETS)}, whatever the addresses"
    if row.count > 1:
        return f"all {row.count:,} of them"
    address = words.host(row.required[0])
    return address if address == row.targets[0] else f"{address} ({row.targets[0]})"
