"""An explanation for people: the user guide's table for one load balancer, with the reasons for each row's status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alb_sg.findings.explanation import Explanation, RequirementRow, RowStatus, RuleExplanation
from alb_sg.findings.finding import Finding
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer
from alb_sg.report import phrasing
from alb_sg.report.advice import Advice
from alb_sg.report.removal_commands import may_lose_descriptions, removal_commands
from alb_sg.report.row_phrasing import describe_front, describe_peer, describe_targets, row_reasons
from alb_sg.report.style import Style


def explanation_lines(explanation: Explanation, advice: Advice, style: Style) -> Iterator[str]:
    yield from _header(explanation, style)
    for rule in explanation.rules:
        yield ""
        yield from _rule_lines(rule, explanation.fronting_load_balancers, style)
        yield from _unused_lines(rule, explanation.region, style)
        for sentence in advice.get((explanation.load_balancer.arn, rule.recommendation.name), ()):
            yield f"  {style.bold('fix')}      {phrasing.printable(sentence)}"
    if explanation.remarks:
        yield ""
    for remark in explanation.remarks:
        yield f"{style.warning('remark')}  {phrasing.printable(remark)}"


def _header(explanation: Explanation, style: Style) -> Iterator[str]:
    load_balancer = explanation.load_balancer
    yield f"{style.bold(phrasing.printable(load_balancer.name))}  {style.dim(phrasing.printable(load_balancer.arn))}"
    place = [f"account {explanation.account_id}" if explanation.account_id else "", explanation.region]
    yield phrasing.printable(f"  {', '.join(filter(None, place)) or 'in an account that is not known'}")
    kinds = (load_balancer.type, load_balancer.scheme, load_balancer.ip_address_type, load_balancer.state)
    yield phrasing.printable(f"  {', '.join(map(str, kinds))}")
    cidrs = explanation.vpc_cidrs
    blocks = "CIDR blocks not read" if cidrs is None else ", ".join(cidrs) or "no CIDR block"
    yield phrasing.printable(f"  VPC {load_balancer.vpc_id or 'unknown'}: {blocks}")
    groups = [
        f"{group_id} ({name})" if (name := explanation.group_names.get(group_id)) else f"{group_id} (not read)"
        for group_id in load_balancer.security_groups
    ]
    yield phrasing.printable(f"  security groups: {', '.join(groups) or 'none'}")
    if load_balancer.type == "application":
        listeners = ", ".join(f"{listener.protocol}:{listener.port}" for listener in explanation.listeners)
        yield phrasing.printable(f"  listeners: {listeners or 'none'}")
        for front in explanation.fronting_load_balancers:
            yield phrasing.printable(f"  behind {describe_front(front)}")
    for what, cause in explanation.unread:
        yield f"  {style.warning('not read')}: {phrasing.printable(f'{what}: {cause}')}"


def _rule_lines(rule: RuleExplanation, fronts: Sequence[FrontingLoadBalancer], style: Style) -> Iterator[str]:
    verdict = style.in_verdict_color(rule.verdict, phrasing.verdict_label(rule.verdict))
    yield f"{style.bold(rule.recommendation.name)}  {verdict}"
    if not isinstance(rule.verdict, Finding):
        yield f"  not judged: {phrasing.printable(f'{rule.verdict.what}: {rule.verdict.cause}')}"
    elif rule.verdict.applied_exemption is not None:
        yield f"  exempt {phrasing.printable(phrasing.describe_exemption(rule.verdict.applied_exemption))}"
    elif not rule.rows:
        yield f"  {phrasing.printable(rule.verdict.annotation)}"
    for row in rule.rows:
        yield from _row_lines(row, fronts, style)
    for note in rule.notes:
        yield style.dim(f"  note     {phrasing.printable(note)}")


def _unused_lines(rule: RuleExplanation, region: str, style: Style) -> Iterator[str]:
    """The unused parts, and the commands that remove them: nothing else of the project removes a rule."""
    if not isinstance(rule.verdict, Finding) or not rule.verdict.unused:
        return
    for entry in rule.verdict.unused:
        yield f"  {style.bad('unused ')}  {phrasing.printable(phrasing.describe_unused(entry))}"
    lost = " (the descriptions of rules that stay in part are not known here; add them)"
    yield f"  these commands remove it{lost if may_lose_descriptions(rule.unused) else ''}:"
    for command in removal_commands(rule.unused, region):
        yield f"    {phrasing.printable(command)}"


def _row_lines(row: RequirementRow, fronts: Sequence[FrontingLoadBalancer], style: Style) -> Iterator[str]:
    mark = {
        RowStatus.MET: style.good("ok     "),
        RowStatus.MISSING: style.bad("missing"),
        RowStatus.UNREAD: style.warning("unread "),
    }[row.status]
    yield f"  {mark}  {phrasing.printable(_describe_requirement(row))}"
    for reason in row_reasons(row, fronts):
        yield f"             {phrasing.printable(reason)}"


def _describe_requirement(row: RequirementRow) -> str:
    """The row as in the user guide's table: direction, port, peer, and what it is for."""
    preposition = phrasing.direction_preposition(row.direction)
    text = f"{phrasing.direction_word(row.direction)} {row.traffic.label.replace(':', ' ')} {preposition}"
    if row.direction is Direction.TARGET_INGRESS:
        return f"{text} {describe_peer(row)} ({row.label}), {row.origin.label}; {describe_targets(row)}"
    if row.targets:
        return f"{text} {describe_peer(row)}, {row.origin.label}"
    label = f" ({row.label})" if row.label else ""
    origin = f", {row.origin.label}" if row.origin.label not in ("", row.traffic.label) else ""
    return f"{text} {describe_peer(row)}{label}{origin}"
