"""The records of what executions add: parameters of Systems Manager, which only the roles that fix may write.

An undo goes by the record. Tags only find what an execution added, because anyone who may call ec2:CreateTags can set
them. For each load balancer of an execution there are two texts, in parts of 4,096 characters:

    /alb-sg/executions/EXECUTION/NAME-ID/plan/1-of-1    before the first change: the rules and the group to add
    /alb-sg/executions/EXECUTION/NAME-ID/added/1-of-1   after the last change: the ids of what was added

An execution id that fixes the same load balancer again writes to `NAME-ID.2`, and keeps what the first time added.

A process that was killed in between leaves no ids. What it added is then a rule with its tag and exactly the content of
a planned rule, and a group with its tag and the planned name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alb_sg.aws.calls import ApiRequest
from alb_sg.aws.pages import name_call
from alb_sg.errors import NotReadError
from alb_sg.estate.field_readers import required_text
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.execution import RuleContent, SecurityGroupRule, normalized_peer
from alb_sg.remediation.plan import Plan

RECORD_PATH = "/alb-sg/executions"
# PutParameter, Value: 4 KB for a standard parameter.
PART_LENGTH = 4096
PLAN, ADDED = "plan", "added"
# No name of a load balancer has a dot.
ATTEMPT_SEPARATOR = "."
# GetParametersByPath and DeleteParameters take ten at a time.
PARAMETERS_PER_CALL = 10


@dataclass(frozen=True)
class ExecutionRecord:
    """What one execution adds for one load balancer. In `planned`, the group "" is the new one.

    `is_complete`: `added_rules` and `created_group` are all that it added. If not, it may have added more. `tags` go on
    the parameters, which do not tell them when they are read.
    """

    execution: str
    load_balancer_arn: str
    vpc_id: str
    previous_groups: tuple[str, ...]
    new_group_name: str | None
    planned: frozenset[RuleContent]
    added_rules: tuple[SecurityGroupRule, ...] = ()
    created_group: str | None = None
    is_complete: bool = False
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    attempt: int = 1

    @property
    def path(self) -> str:
        """The folder of its parameters."""
        name, _, load_balancer_id = self.load_balancer_arn.rpartition("/app/")[2].partition("/")
        attempt = "" if self.attempt == 1 else f"{ATTEMPT_SEPARATOR}{self.attempt}"
        return f"{_path(self.execution)}/{name}-{load_balancer_id}{attempt}"

    def with_added(self, rules: Iterable[SecurityGroupRule], created_group: str | None) -> ExecutionRecord:
        return replace(self, added_rules=tuple(rules), created_group=created_group)

    def is_planned(self, content: RuleContent, created_group: str | None) -> bool:
        """Whether the execution planned a rule of this content. `created_group` is the id of the new group."""
        if created_group is not None and content.group_id == created_group:
            content = content._replace(group_id="")
        return content in self.planned


def _parse_text(parts: Mapping[str, str]) -> Any:
    """The JSON in a text of a record, whose parts have the names `1-of-3` and so on. Raises ValueError if a part is
    missing."""
    names = _part_names(len(parts))
    if parts.keys() != set(names):
        raise ValueError(f"its parts are {', '.join(sorted(parts))}")
    return json.loads("".join(parts[name] for name in names))


def _part_names(count: int) -> list[str]:
    return [f"{number}-of-{count}" for number in range(1, count + 1)]


def planned_record(
    execution: str, plan: Plan, previous_groups: Sequence[str], records: Iterable[ExecutionRecord]
) -> ExecutionRecord:
    """The record of an execution that has changed nothing yet. `records` are those that it has already."""
    group = plan.new_group
    attempts = [record.attempt for record in records if record.load_balancer_arn == plan.load_balancer.arn]
    return ExecutionRecord(
        execution,
        plan.load_balancer.arn,
        plan.load_balancer.vpc_id,
        tuple(previous_groups),
        None if group is None else group.name,
        frozenset(
            RuleContent(
                addition.group_id or "",
                addition.direction.value,
                addition.permission.protocol,
                addition.permission.from_port,
                addition.permission.to_port,
                normalized_peer(addition.peer),
            )
            for addition in plan.additions
        ),
        tags=plan.tags,
        attempt=max(attempts, default=0) + 1,
    )


def write_plan(account: AccountClients, record: ExecutionRecord) -> None:
    """Writes what an execution is going to add. Raises what boto3 raises."""
    content = {
        "loadBalancer": record.load_balancer_arn,
        "vpc": record.vpc_id,
        "previousGroups": record.previous_groups,
        "newGroup": record.new_group_name,
        "rules": sorted(record.planned),
    }
    _write(account, record, PLAN, content)


def write_added(account: AccountClients, record: ExecutionRecord) -> None:
    """Writes what an execution has added, after its last change. Raises what boto3 raises."""
    rules = [[rule.group_id, rule.rule_id, rule.direction.value] for rule in record.added_rules]
    _write(account, record, ADDED, {"createdGroup": record.created_group, "rules": rules})


def read_records(account: AccountClients, execution: str) -> list[ExecutionRecord]:
    """The records of an execution, none if there are none. Raises NotReadError."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name, value in _parameters(account, execution):
        load_balancer, kind, part = name.rsplit("/", 3)[1:]
        found[load_balancer][kind][part] = value
    records = []
    for load_balancer, texts in sorted(found.items()):
        try:
            attempt = load_balancer.partition(ATTEMPT_SEPARATOR)[2]
            record = replace(_parse(execution, texts), attempt=int(attempt or 1))
            if record.path != f"{_path(execution)}/{load_balancer}":
                raise ValueError(f"it is for {record.load_balancer_arn}")
            records.append(record)
        except (KeyError, TypeError, ValueError) as error:
            name = f"{_path(execution)}/{load_balancer}"
            raise NotReadError(f"the record {name}", f"it is not one that a fix wrote ({error!r})") from error
    return records


def delete_records(account: AccountClients, execution: str, records: Iterable[ExecutionRecord]) -> None:
    """Deletes records of an execution of which nothing is left. Raises NotReadError and what boto3 raises."""
    folders = tuple(f"{record.path}/" for record in records)
    names = [name for name, _ in _parameters(account, execution) if name.startswith(folders)]
    for start in range(0, len(names), PARAMETERS_PER_CALL):
        with name_call("DeleteParameters"):
            account.ssm.delete_parameters(Names=names[start : start + PARAMETERS_PER_CALL])


def _parse(execution: str, texts: Mapping[str, Mapping[str, str]]) -> ExecutionRecord:
    plan = _parse_text(texts[PLAN])
    record = ExecutionRecord(
        execution,
        _text(plan["loadBalancer"]),
        _text(plan["vpc"]),
        _texts(plan["previousGroups"]),
        None if plan["newGroup"] is None else _text(plan["newGroup"]),
        frozenset(RuleContent(*rule) for rule in _list(plan["rules"])),
    )
    try:
        added = _parse_text(texts[ADDED])
    except ValueError:
        # Without all of its parts, it was killed while it wrote them.
        return record
    rules = [
        SecurityGroupRule(group_id, rule_id, Direction(way))
        for group_id, rule_id, way in map(_texts, _list(added["rules"]))
    ]
    created = None if added["createdGroup"] is None else _text(added["createdGroup"])
    return replace(record.with_added(rules, created), is_complete=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _write(account: AccountClients, record: ExecutionRecord, kind: str, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, separators=(",", ":"))
    path = f"{record.path}/{kind}"
    parts = [text[start : start + PART_LENGTH] for start in range(0, len(text), PART_LENGTH)]
    for part_name, part in zip(_part_names(len(parts)), parts, strict=True):
        with name_call("PutParameter"):
            _put_parameter(account.ssm, f"{path}/{part_name}", part, record.tags)


def _put_parameter(ssm: Any, name: str, value: str, tags: Mapping[str, str]) -> None:
    """Writes a parameter, with tags where it does not exist yet: PutParameter refuses tags together with Overwrite."""
    if tags:
        entries = [{"Key": key, "Value": tags[key]} for key in tags]
        try:
            ssm.put_parameter(Name=name, Value=value, Type="String", Tags=entries)
        except ssm.exceptions.ParameterAlreadyExists:
            pass
        else:
            return
    ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def _parameters(account: AccountClients, execution: str) -> list[tuple[str, str]]:
    """Names and values. Raises NotReadError."""
    parameters = {"Path": _path(execution), "Recursive": True}
    request = ApiRequest(account.ssm, "get_parameters_by_path", "Parameters", parameters, PARAMETERS_PER_CALL)
    found, failure = request.send().read_all(lambda one: (required_text(one, "Name"), required_text(one, "Value")))
    if failure is not None:
        raise NotReadError(f"the record of {execution} in {_path(execution)}", failure)
    return found


def _path(execution: str) -> str:
    return f"{RECORD_PATH}/{execution}"
