"""Everything of an account and region as a saved estate holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.errors import Unread
from alb_sg.live.calls import Answer, Calls, Request
from alb_sg.live.reading import (
    LOAD_BALANCER_GONE,
    TARGET_GROUP_GONE,
    answered_target_group,
    entries_not_shown,
)
from alb_sg.live.requests import ELB_NAMES, Requests, batches


def raw_sections(calls: Calls, ask: Requests, account_id: str, region: str) -> dict[str, Any]:
    """The saved estate's object. Load balancers and target groups that are deleted while it is read are left out,
    and prefix lists whose entries are not shown to this account have none. Raises Unread for any other failure.
    """
    listed = calls.answers(
        {
            "LoadBalancers": ask.load_balancers(),
            "TargetGroups": ask.target_groups(),
            "SecurityGroups": ask.security_groups(),
            "Vpcs": ask.vpcs(),
            "Subnets": ask.subnets(),
            "NetworkInterfaces": ask.network_interfaces(),
            "Instances": ask.instances(),
            "ManagedPrefixLists": ask.prefix_lists(),
        }
    )
    where = f"{account_id} {region}"
    sections: dict[str, Any] = {name: _items(answer, f"{name} of {where}") for name, answer in listed.items()}
    lists = {found["PrefixListId"]: found for found in sections.pop("ManagedPrefixLists")}
    lists |= {found: None for found in _referenced(sections["SecurityGroups"]) if found not in lists}
    load_balancers = {found["LoadBalancerArn"]: found for found in sections["LoadBalancers"]}
    target_groups = {found["TargetGroupArn"]: answered_target_group(found) for found in sections["TargetGroups"]}
    details = calls.answers(
        {
            **{("Listeners", arn): ask.listeners(arn) for arn in load_balancers},
            **{("TargetHealthDescriptions", arn): ask.target_health(arn) for arn in target_groups},
            **{("ManagedPrefixLists", found): ask.prefix_list_entries(found) for found in lists},
        }
    )
    listeners = _details(details, "Listeners", load_balancers, LOAD_BALANCER_GONE)
    health = _details(details, "TargetHealthDescriptions", target_groups, TARGET_GROUP_GONE)
    tags = _tags(calls, ask, listeners)
    prefix_lists = {
        found: _prefix_list(found, described, details["ManagedPrefixLists", found], account_id)
        for found, described in lists.items()
    }
    sections |= {
        "LoadBalancers": [load_balancers[arn] for arn in load_balancers if arn in tags],
        "Listeners": [found for arn, items in listeners.items() if arn in tags for found in items],
        "TargetGroups": [target_groups[arn] for arn in health],
        "TargetHealthDescriptions": health,
        "ManagedPrefixLists": prefix_lists,
        "Tags": tags,
    }
    return {"AccountId": account_id, "Region": region, **sections}


def _details(
    answers: Mapping[tuple[str, str], Answer], section: str, arns: Iterable[str], gone: str
) -> dict[str, list[Any]]:
    """The items of a section by ARN, of those that were still there."""
    found = {arn: answers[section, arn] for arn in arns}
    return {arn: _items(answer, f"{section} of {arn}") for arn, answer in found.items() if answer.code != gone}


def _tags(calls: Calls, ask: Requests, load_balancer_arns: Iterable[str]) -> dict[str, list[Any]]:
    """Tags by load balancer, of those that were still there."""
    wanted: dict[tuple[str, ...], Request] = {arns: ask.tags(arns) for arns in batches(load_balancer_arns, ELB_NAMES)}
    answers = calls.answers(wanted)
    hiding = [arns for arns, answer in answers.items() if len(arns) > 1 and answer.code == LOAD_BALANCER_GONE]
    answers |= calls.answers({(arn,): ask.tags((arn,)) for arns in hiding for arn in arns})
    tags: dict[str, list[Any]] = {}
    for arns, answer in answers.items():
        if answer.code != LOAD_BALANCER_GONE:
            found = {item["ResourceArn"]: item.get("Tags", []) for item in _items(answer, f"Tags of {arns[0]}")}
            tags |= {arn: found.get(arn, []) for arn in arns}
    return tags


def _prefix_list(found: str, described: Mapping[str, Any] | None, entries: Answer, account_id: str) -> dict[str, Any]:
    if entries_not_shown(described, entries, account_id):
        return dict(described or {})
    return {**(described or {}), "Entries": _items(entries, f"entries of prefix list {found}")}


def _referenced(security_groups: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        listed["PrefixListId"]
        for group in security_groups
        for permission in (*group.get("IpPermissions", ()), *group.get("IpPermissionsEgress", ()))
        for listed in permission.get("PrefixListIds", ())
    ]


def _items(answer: Answer, what: str) -> list[Any]:
    if answer.failure is not None:
        raise Unread(what, answer.failure)
    return answer.items
