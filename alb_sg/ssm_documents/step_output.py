"""What a script returns to its document: texts and lists of texts, which the document's outputs show.

`summary` is for people; `plan` and `result` are JSON (`remediation.json_objects`). AWS keeps 100 KB of what a script
returns, and accepts 4,096 characters in an approval's message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from typing import Any

from alb_sg.findings.phrasing import pluralize, printable
from alb_sg.remediation.execution import ApplyResult, UndoResult, put_back_sentence
from alb_sg.remediation.fix_request import RULES_PER_GROUP
from alb_sg.remediation.json_objects import apply_result_object, plan_object, undo_result_object
from alb_sg.remediation.plan import Addition, PeerKind, Plan
from alb_sg.remediation.planning import result_text

StepOutput = dict[str, Any]

MAX_SUMMARY_LENGTH = 4000
# A line holds a sentence. Descriptions in it may be long.
MAX_LINE_LENGTH = 1000
PREFIX_LIST_WIDTH = 0.9
# It may take thousands of rules to fix a refused finding.
MAX_REFUSED_ADDITIONS = 20
# A group may have a thousand rules. The outputs list as many as the default quota allows.
MAX_LISTED_RULES = RULES_PER_GROUP
# A thousand interfaces may carry a group of targets.
MAX_LISTED_CARRIERS = 5


def plan_output(outcome: str, plan: Plan) -> StepOutput:
    return {
        "outcome": outcome,
        "fingerprint": plan.fingerprint,
        "summary": _plan_summary(outcome, plan),
        "refused": _refusal_lines(plan),
        "plan": _plan_json(plan),
    }


def no_plan_output(outcome: str, sentence: str) -> StepOutput:
    """The output of `plan_output` if there is no load balancer to plan for."""
    return {"outcome": outcome, "fingerprint": "", "summary": sentence, "refused": [], "plan": "{}"}


def apply_output(arn: str, result: ApplyResult) -> StepOutput:
    return {
        "outcome": result.outcome.value,
        "summary": summarize(_apply_lines(result)),
        "added": [rule.rule_id for rule in result.added_rules],
        "refused": [] if result.plan is None else _refusal_lines(result.plan),
        "result": _result_json(apply_result_object(arn, result), "added"),
    }


def undo_output(result: UndoResult) -> StepOutput:
    return {
        "summary": summarize(undo_lines(result)),
        "revoked": [rule.rule_id for rule in result.revoked_rules],
        "kept": [printable(sentence) for sentence in result.left_in_place],
        "result": _result_json(undo_result_object(result), "revoked"),
    }


def summarize(lines: Iterable[str]) -> str:
    """Lines as one text that fits into an approval's message. It counts the lines that it leaves out."""
    kept = [_one_line(line) for line in lines]
    count = len(kept)
    while len(text := "\n".join([*kept, *([f"and {count - len(kept)} more lines"] * (len(kept) < count))])) > (
        MAX_SUMMARY_LENGTH
    ):
        kept.pop()
    return text


def _one_line(text: str) -> str:
    """A line that nobody who names a resource in AWS can end, reorder, or make Automation replace a part of."""
    line = printable(text).replace("{{", "{ {")
    return line if len(line) <= MAX_LINE_LENGTH else f"{line[: MAX_LINE_LENGTH - 1]}…"


def undo_lines(result: UndoResult) -> Iterator[str]:
    if result.is_empty:
        yield f"nothing that {result.execution} added is left in this account and region"
    for rule in result.revoked_rules:
        yield f"revoked {rule.rule_id} in {rule.group_id}"
    for arn, groups in result.restored_groups.items():
        yield f"{arn} carries {', '.join(groups)} again"
    for groups in result.put_back_groups.values():
        yield put_back_sentence(groups)
    for group_id in result.deleted_groups:
        yield f"deleted {group_id}"
    yield from (f"kept: {sentence}" for sentence in result.left_in_place)
    yield from (f"failed: {sentence}" for sentence in result.failures)


def _plan_summary(outcome: str, plan: Plan) -> str:
    """What an approver reads: first how many rules the plan adds, then the widest openings, then the rest.

    Rules take at most half of the text, so that what was refused and why fits as well.
    """
    lines = [f"{plan.load_balancer.name}: {outcome}"]
    additions = sorted(plan.additions, key=_width, reverse=True)
    if additions:
        lines.append(_count_line(additions))
    shown = 0
    for addition in additions:
        line = _addition_line(addition)
        if sum(map(len, [*lines, line])) + len(lines) > MAX_SUMMARY_LENGTH // 2:
            break
        lines.append(line)
        shown += 1
    if shown < len(additions):
        lines.append(f"and {len(additions) - shown} more rules, none of them wider")
    if plan.new_group is not None:
        lines.append(
            f"create the security group {plan.new_group.name} and add it to the load balancer: {plan.new_group.reason}"
        )
    lines += (f"{result.rule}: {result_text(result)}" for result in plan.results)
    lines += (f"refused: {sentence}" for sentence in _refusal_lines(plan))
    return summarize(lines)


def _count_line(additions: Sequence[Addition]) -> str:
    everyone = sum(addition.open_to_everyone for addition in additions)
    wide = sum(addition.is_wide for addition in additions)
    of_them = [
        *([f"{everyone} of them OPEN TO EVERYONE"] if everyone else []),
        *([f"{wide} of them MORE THAN IS RECOMMENDED"] if wide else []),
    ]
    return ", ".join([f"adds {pluralize(len(additions), 'rule')}", *of_them])


def _width(addition: Addition) -> tuple[bool, bool, float]:
    """How wide a rule opens, for sorting: 1.0 is a whole address family, 0.0 one address or a reference."""
    if addition.peer_kind is PeerKind.SECURITY_GROUP:
        share = 0.0
    elif addition.peer_kind is PeerKind.PREFIX_LIST:
        # Its entries may change: wider than any single block but the largest.
        share = PREFIX_LIST_WIDTH
    else:
        network = ip_network(addition.peer)
        share = 1 - network.prefixlen / network.max_prefixlen
    return addition.is_wide, addition.open_to_everyone, share


def _addition_line(addition: Addition) -> str:
    permission = addition.permission
    traffic = f"{addition.direction.value} {permission.protocol} {permission.from_port}"
    if permission.to_port != permission.from_port:
        traffic += f"/{permission.to_port}" if permission.protocol.startswith("icmp") else f"-{permission.to_port}"
    everyone = " (OPEN TO EVERYONE, as is recommended for its clients)" if addition.open_to_everyone else ""
    if addition.is_wide:
        everyone = f" ({'OPEN TO EVERYONE, ' if addition.open_to_everyone else ''}MORE THAN IS RECOMMENDED)"
    group = addition.group_id or "the new security group"
    text = f"add {traffic} {addition.peer} to {group}{everyone}, for {', '.join(addition.origins)}"
    return "; ".join(filter(None, (text, addition.also_opens_sentence)))


def _apply_lines(result: ApplyResult) -> Iterator[str]:
    yield result.outcome.value if result.failure is None else f"{result.outcome.value}: {result.failure}"
    for rule in result.added_rules:
        yield f"added {rule.rule_id} to {rule.group_id} ({rule.direction.value})"
    if result.created_group is not None:
        yield f"{result.created_group} was made, beside {', '.join(result.previous_groups)}"
    if result.put_back_groups:
        yield put_back_sentence(result.put_back_groups)
    if result.plan is not None:
        yield from (f"refused: {sentence}" for sentence in _refusal_lines(result.plan))
    if result.rollback is not None:
        yield from undo_lines(result.rollback)


def _refusal_lines(plan: Plan) -> list[str]:
    sentences = (f"{refusal.rule} ({refusal.reason.value}): {refusal.text}" for refusal in plan.refusals)
    return [printable(sentence) for sentence in sentences]


def _plan_json(plan: Plan) -> str:
    content = plan_object(plan)
    for name in ("additions", "calls"):
        _truncate_list(content, name, MAX_LISTED_RULES)
    for addition in content["additions"]:
        if "alsoOpens" in addition:
            _truncate_list(addition, "alsoOpens", MAX_LISTED_CARRIERS)
    for refusal in content["refusals"]:
        _truncate_list(refusal, "wanted", MAX_REFUSED_ADDITIONS)
    return json.dumps(content, ensure_ascii=False)


def _result_json(content: dict[str, Any], rules_name: str) -> str:
    _truncate_list(content, rules_name, MAX_LISTED_RULES)
    return json.dumps(content, ensure_ascii=False)


def _truncate_list(content: dict[str, Any], name: str, max_elements: int) -> None:
    """Keeps the first elements of a list, and adds how many there are in all."""
    content[f"{name}InAll"] = len(content[name])
    del content[name][max_elements:]
