"""What the picture, the table and the fix of one load balancer are drawn from, as the page's data has it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from alb_sg.dashboard.observation import Detail
from alb_sg.findings.evidence import Evidence, Grant, Match
from alb_sg.findings.explanation import Explanation, FrontFact, Row, Status
from alb_sg.remediation.calls import authorize
from alb_sg.remediation.cloudformation import cloudformation
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.snippets import snippets_of
from alb_sg.remediation.terraform import terraform
from alb_sg.report import words

# Beyond these a row names the first and counts the rest.
MOST_NAMES = 4
MOST_RULES = 6
# Who asked for a rule, in its description.
BY = "dashboard"
NEW_GROUP = "THE_NEW_GROUP"


def detail_object(detail: Detail) -> dict[str, Any] | None:
    """None where there is nothing to draw."""
    if detail.explanation is None:
        return None
    return {**_explained(detail.explanation), "fix": None if detail.plan is None else _fix(detail.plan)}


def _explained(explanation: Explanation) -> dict[str, Any]:
    found = explanation.load_balancer
    return {
        "type": found.type,
        "state": found.state,
        "ipAddressType": found.ip_address_type,
        "vpc": found.vpc_id,
        "vpcCidrs": None if explanation.vpc_cidrs is None else list(explanation.vpc_cidrs),
        "groupNames": dict(explanation.group_names),
        "listeners": [
            {
                "name": f"{listener.protocol}:{listener.port}",
                "targetGroups": [arn.split("/")[-2] for arn in listener.target_group_arns],
            }
            for listener in explanation.listeners
        ],
        "fronts": [_front(front) for front in explanation.fronts],
        "rows": [_row(rule.recommendation.name, row) for rule in explanation.rules for row in rule.rows],
        "notes": [[rule.recommendation.name, note] for rule in explanation.rules for note in rule.notes],
        "unread": [f"{what}: {cause}" for what, cause in explanation.unread],
    }


def _front(front: FrontFact) -> str:
    port = "" if front.port is None else f", to port {front.port}"
    return f"{front.name} ({front.scheme}{port})"


def _row(rule: str, row: Row) -> dict[str, Any]:
    """One recommended row: what is asked, what became of it, and why in words."""
    return {
        "rule": rule,
        "direction": words.inbound(row.direction.value),
        "traffic": words.traffic(row.traffic.protocol, row.traffic.from_port, row.traffic.to_port),
        "peer": _peer(row),
        "label": row.label,
        "because": [row.because.type, row.because.label],
        "status": row.status.value,
        "why": list(_why(row)),
    }


def _peer(row: Row) -> str:
    if not row.targets:
        return ", ".join(row.required)
    shown = words.some(list(dict.fromkeys(row.targets)), MOST_NAMES)
    return shown if row.count == 1 else f"{words.counted(row.count, 'target')}: {shown}"


def _why(row: Row) -> Iterator[str]:
    if row.accepted is not None:
        yield f"accepted source {row.accepted} stands in"
    if row.status is Status.MET:
        yield from (f"{_grant(part.grant, row)}{_match(part)}" for part in row.evidence)
        return
    if row.missing is not None:
        yield f"missing: {words.missing(row.missing, MOST_NAMES)}"
    yield from (f"unresolved: {note}" for note in row.unresolved)
    if row.unread is not None:
        yield f"not judged: {row.unread[0]}: {row.unread[1]}"
    yield from (f"already: {_grant(part.grant, row)}" for part in row.evidence)
    for grant in row.instead[:MOST_RULES]:
        yield f"instead: {_grant(grant, row)}{f' ({grant.nothing})' if grant.nothing else ''}"
    if len(row.instead) > MOST_RULES:
        yield f"and {words.counted(len(row.instead) - MOST_RULES, 'rule')} more for this traffic"


def _grant(grant: Grant, row: Row) -> str:
    direction = row.direction.value
    return f"{grant.group_id} {words.ports(grant.permission)} {words.toward(direction)} {grant.peer}"


def _match(part: Evidence) -> str:
    return "" if part.match in (Match.ADDRESSES, Match.NAMED) else f" ({part.match.value})"


# --- the fix


def _fix(plan: Plan) -> dict[str, Any]:
    """The rules to add: one by one for the console, and as code."""
    snippets = snippets_of([plan])
    region = plan.load_balancer.region
    return {
        "rules": [_rule(addition) for addition in plan.additions],
        "refused": [[refusal.rule, refusal.text] for refusal in plan.refusals],
        "cli": "\n".join(_cli(addition, region) for addition in plan.additions),
        "cloudFormation": cloudformation(snippets),
        "terraform": terraform(snippets),
    }


def _rule(addition: Addition) -> dict[str, Any]:
    permission = addition.permission
    return {
        "group": addition.group_id,
        "direction": words.inbound(addition.direction.value),
        "what": words.ports(permission),
        "peer": addition.peer,
        "rules": list(addition.recommendations),
        "because": list(addition.because),
        "everyone": addition.open_to_everyone,
    }


def _cli(addition: Addition, region: str) -> str:
    """The call as a command of the AWS command line interface, for a shell."""
    call = authorize(addition, addition.group_id or NEW_GROUP, BY)
    operation = re.sub(r"(?<!^)(?=[A-Z])", "-", call.operation).lower()
    permissions = json.dumps(call.parameters["IpPermissions"], ensure_ascii=False)
    return (
        f"aws {call.service} {operation} --region {region} --group-id {call.parameters['GroupId']} "
        f"--ip-permissions {shlex.quote(permissions)}"
    )
