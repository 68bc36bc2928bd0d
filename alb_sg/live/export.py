"""Everything of an account and region as a saved estate holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.errors import NotReadError
from alb_sg.live.partial_estate import (
    LOAD_BALANCER_NOT_FOUND,
    TARGET_GROUP_NOT_FOUND,
    are_entries_hidden,
    normalize_target_group,
)
from alb_sg.live.requests import ELB_NAMES, DescribeRequests, batches


def export_sections(calls: CallPool, requests: DescribeRequests, account_id: str, region: str) -> dict[str, Any]:
    """The saved estate's object. Load balancers and target groups that are deleted while it is read are left out,
    and prefix lists whose entries are not shown to this account have none. Raises NotReadError for any other failure.
    """
    listed = calls.send_all(
        {
            "LoadBalancers": requests.load_balancers(),
            "TargetGroups": requests.target_groups(),
            "SecurityGroups": requests.security_groups(),
            "Vpcs": requests.vpcs(),
            "Subnets": requests.subnets(),
            "NetworkInterfaces": requests.network_interfaces(),
            "Instances": requests.instances(),
            "ManagedPrefixLists": requests.prefix_lists(),
        }
    )
    where = f"{account_id} {region}"
    sections: dict[str, Any] = {name: _require_items(answer, f"{name} of {where}") for name, answer in listed.items()}
    lists = {found["PrefixListId"]: found for found in sections.pop("ManagedPrefixLists")}
    lists |= {found: None for found in _referenced_prefix_lists(sections["SecurityGroups"]) if found not in lists}
    load_balancers = {found["LoadBalancerArn"]: found for found in sections["LoadBalancers"]}
    target_groups = {found["TargetGroupArn"]: normalize_target_group(found) for found in sections["TargetGroups"]}
    details = calls.send_all(
        {
            **{("Listeners", arn): requests.listeners(arn) for arn in load_balancers},
            **{("TargetHealthDescriptions", arn): requests.target_health(arn) for arn in target_groups},
            **{("ManagedPrefixLists", found): requests.prefix_list_entries(found) for found in lists},
        }
    )
    listeners = _require_details(details, "Listeners", load_balancers, LOAD_BALANCER_NOT_FOUND)
    health = _require_details(details, "TargetHealthDescriptions", target_groups, TARGET_GROUP_NOT_FOUND)
    tags = _read_tags(calls, requests, listeners)
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


def _require_details(
    answers: Mapping[tuple[str, str], ApiResponse], section: str, arns: Iterable[str], not_found_code: str
) -> dict[str, list[Any]]:
    """The items of a section by ARN, of those that were still there."""
    found = {arn: answers[section, arn] for arn in arns}
    return {
        arn: _require_items(answer, f"{section} of {arn}")
        for arn, answer in found.items()
        if answer.error_code != not_found_code
    }


def _read_tags(calls: CallPool, requests: DescribeRequests, load_balancer_arns: Iterable[str]) -> dict[str, list[Any]]:
    """Tags by load balancer, of those that were still there."""
    wanted: dict[tuple[str, ...], ApiRequest] = {
        arns: requests.tags(arns) for arns in batches(load_balancer_arns, ELB_NAMES)
    }
    answers = calls.send_all(wanted)
    hiding = [
        arns for arns, answer in answers.items() if len(arns) > 1 and answer.error_code == LOAD_BALANCER_NOT_FOUND
    ]
    answers |= calls.send_all({(arn,): requests.tags((arn,)) for arns in hiding for arn in arns})
    tags: dict[str, list[Any]] = {}
    for arns, answer in answers.items():
        if answer.error_code != LOAD_BALANCER_NOT_FOUND:
            found = {item["ResourceArn"]: item.get("Tags", []) for item in _require_items(answer, f"Tags of {arns[0]}")}
            tags |= {arn: found.get(arn, []) for arn in arns}
    return tags


def _prefix_list(
    prefix_list_id: str, described: Mapping[str, Any] | None, entries: ApiResponse, account_id: str
) -> dict[str, Any]:
    if are_entries_hidden(described, entries, account_id):
        return dict(described or {})
    return {**(described or {}), "Entries": _require_items(entries, f"entries of prefix list {prefix_list_id}")}


def _referenced_prefix_lists(security_groups: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        listed["PrefixListId"]
        for group in security_groups
        for permission in (*group.get("IpPermissions", ()), *group.get("IpPermissionsEgress", ()))
        for listed in permission.get("PrefixListIds", ())
    ]


def _require_items(answer: ApiResponse, what: str) -> list[Any]:
    if answer.failure is not None:
        raise NotReadError(what, answer.failure)
    return answer.items
