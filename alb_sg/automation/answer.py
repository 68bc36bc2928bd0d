"""What a script gives back to its document: texts and lists of texts, which the document's outputs show.

`summary` is for people; `plan` and `result` are JSON (`remediation.shapes`). AWS keeps 100 KB of a script's answer, and
takes 4,096 characters of an approval's message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alb_sg.remediation.execution import Applied, Undone
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.policy import RULES_PER_GROUP
from alb_sg.remediation.shapes import applied_object, plan_object, undone_object

Answer = dict[str, Any]

LONGEST_SUMMARY = 4000
# What would fix a refused finding may be thousands of rules.
MOST_WANTED = 20
# A group may have a thousand rules; as many as its quota is by default are listed.
MOST_RULES = RULES_PER_GROUP


def plan_answer(outcome: str, plan: Plan) -> Answer:
    return {
        "outcome": outcome,
        "fingerprint": plan.fingerprint,
        "summary": summary(_planned(outcome, plan)),
        "refused": _refused(plan),
        "plan": _plan_text(plan),
    }


def no_plan_answer(outcome: str, sentence: str) -> Answer:
    """As `plan_answer`, where there is no load balancer to plan for."""
    return {"outcome": outcome, "fingerprint": "", "summary": sentence, "refused": [], "plan": "{}"}


def applied_answer(arn: str, applied: Applied) -> Answer:
    return {
        "outcome": applied.outcome.value,
        "summary": summary(_applied(applied)),
        "added": [rule.rule_id for rule in applied.added],
        "refused": [] if applied.plan is None else _refused(applied.plan),
        "result": _result(applied_object(arn, applied), "added"),
    }


def undone_answer(undone: Undone) -> Answer:
    return {
        "summary": summary(undone_lines(undone)),
        "revoked": [rule.rule_id for rule in undone.revoked],
        "kept": undone.kept,
        "result": _result(undone_object(undone), "revoked"),
    }


def summary(lines: Iterable[str]) -> str:
    """Lines as one text, cut where an approval's message would be too long."""
    whole = "\n".join(lines)
    return whole if len(whole) <= LONGEST_SUMMARY else f"{whole[: LONGEST_SUMMARY - 1]}…"


def undone_lines(undone: Undone) -> Iterator[str]:
    if undone.found_nothing:
        yield f"nothing that {undone.execution} added is left in this account and region"
    for rule in undone.revoked:
        yield f"revoked {rule.rule_id} in {rule.group_id}"
    for arn, groups in undone.restored.items():
        yield f"{arn} carries {', '.join(groups)} again"
    for group_id in undone.deleted_groups:
        yield f"deleted {group_id}"
    yield from (f"kept: {sentence}" for sentence in undone.kept)
    yield from (f"failed: {sentence}" for sentence in undone.failures)


def _planned(outcome: str, plan: Plan) -> Iterator[str]:
    yield f"{plan.load_balancer.name}: {outcome}"
    for result in plan.results:
        yield f"{result.rule}: {getattr(result, 'annotation', '')}"
    if plan.new_group is not None:
        yield f"create the security group {plan.new_group.name} and add it to the load balancer: {plan.new_group.why}"
    yield from map(_addition, plan.additions)
    yield from (f"refused: {sentence}" for sentence in _refused(plan))


def _addition(addition: Addition) -> str:
    permission = addition.permission
    traffic = f"{addition.direction.value} {permission.protocol} {permission.from_port}"
    if permission.to_port != permission.from_port:
        traffic += f"/{permission.to_port}" if permission.protocol.startswith("icmp") else f"-{permission.to_port}"
    everyone = " (OPEN TO EVERYONE, as is recommended for its clients)" if addition.open_to_everyone else ""
    where = addition.group_id or "the new security group"
    return f"add {traffic} {addition.peer} to {where}{everyone}, for {', '.join(addition.because)}"


def _applied(applied: Applied) -> Iterator[str]:
    yield applied.outcome.value if applied.failure is None else f"{applied.outcome.value}: {applied.failure}"
    for rule in applied.added:
        yield f"added {rule.rule_id} to {rule.group_id} ({rule.direction.value})"
    if applied.created_group is not None:
        yield f"{applied.created_group} was made, beside {', '.join(applied.previous_groups)}"
    if applied.plan is not None:
        yield from (f"refused: {sentence}" for sentence in _refused(applied.plan))
    if applied.undone is not None:
        yield from undone_lines(applied.undone)


def _refused(plan: Plan) -> list[str]:
    return [f"{refusal.rule} ({refusal.reason.value}): {refusal.text}" for refusal in plan.refusals]


def _plan_text(plan: Plan) -> str:
    shape = plan_object(plan)
    for listed in ("additions", "calls"):
        _cut(shape, listed, MOST_RULES)
    for refusal in shape["refusals"]:
        _cut(refusal, "wanted", MOST_WANTED)
    return _json(shape)


def _result(shape: dict[str, Any], rules: str) -> str:
    _cut(shape, rules, MOST_RULES)
    return _json(shape)


def _cut(shape: dict[str, Any], name: str, most: int) -> None:
    """Leaves the first elements of a list, and says how many there are in all."""
    shape[f"{name}InAll"] = len(shape[name])
    del shape[name][most:]


def _json(shape: Mapping[str, Any]) -> str:
    return json.dumps(shape, ensure_ascii=False)
