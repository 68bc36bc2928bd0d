"""An account and region as an export file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.errors import NotReadError
from alb_sg.estate.sections import Section
from alb_sg.live.partial_estate import (
    LOAD_BALANCER_NOT_FOUND,
    TARGET_GROUP_NOT_FOUND,
    are_entries_hidden,
    normalize_target_group,
)
from alb_sg.live.requests import ELB_NAMES, DescribeRequests, batches


def export_sections(calls: CallPool, requests: DescribeRequests, account_id: str, region: str) -> dict[str, Any]:
    """The export file's object.

    Load balancers and target groups that are deleted during the export are left out. A prefix list has no entries if
    its owner hides them from this account. Raises NotReadError for any other failure.
    """
    listed = calls.send_all(
        {
            Section.LOAD_BALANCERS: requests.load_balancers(),
            Section.TARGET_GROUPS: requests.target_groups(),
            Section.SECURITY_GROUPS: requests.security_groups(),
            Section.VPCS: requests.vpcs(),
            Section.NETWORK_INTERFACES: requests.network_interfaces(),
            Section.INSTANCES: requests.instances(),
            Section.MANAGED_PREFIX_LISTS: requests.prefix_lists(),
        }
    )
    sections: dict[str, Any] = {
        str(name): _require_items(response, f"{name} of {account_id} {region}") for name, response in listed.items()
    }
    described = {item["PrefixListId"]: item for item in sections.pop(Section.MANAGED_PREFIX_LISTS)}
    list_ids = dict.fromkeys((*described, *_referenced_prefix_lists(sections[Section.SECURITY_GROUPS])))
    load_balancers = {item["LoadBalancerArn"]: item for item in sections[Section.LOAD_BALANCERS]}
    target_groups = {item["TargetGroupArn"]: normalize_target_group(item) for item in sections[Section.TARGET_GROUPS]}
    details = calls.send_all(
        {
            **{(Section.LISTENERS, arn): requests.listeners(arn) for arn in load_balancers},
            **{(Section.TARGET_HEALTH_DESCRIPTIONS, arn): requests.target_health(arn) for arn in target_groups},
            **{(Section.MANAGED_PREFIX_LISTS, list_id): requests.prefix_list_entries(list_id) for list_id in list_ids},
        }
    )
    listeners = _require_details(details, Section.LISTENERS, load_balancers, LOAD_BALANCER_NOT_FOUND)
    health = _require_details(details, Section.TARGET_HEALTH_DESCRIPTIONS, target_groups, TARGET_GROUP_NOT_FOUND)
    tags = _read_tags(calls, requests, listeners)
    prefix_lists = {
        list_id: _prefix_list(
            list_id, described.get(list_id), details[Section.MANAGED_PREFIX_LISTS, list_id], account_id
        )
        for list_id in list_ids
    }
    sections |= {
        Section.LOAD_BALANCERS: [load_balancers[arn] for arn in load_balancers if arn in tags],
        Section.LISTENERS: [item for arn, items in listeners.items() if arn in tags for item in items],
        Section.TARGET_GROUPS: [target_groups[arn] for arn in health],
        Section.TARGET_HEALTH_DESCRIPTIONS: health,
        Section.MANAGED_PREFIX_LISTS: prefix_lists,
        Section.TAGS: tags,
    }
    return {"AccountId": account_id, "Region": region, **sections}


def _require_details(
    responses: Mapping[tuple[Section, str], ApiResponse], section: Section, arns: Iterable[str], not_found_code: str
) -> dict[str, list[Any]]:
    """The items of a section by ARN, without deleted load balancers and target groups."""
    return {
        arn: _require_items(responses[section, arn], f"{section} of {arn}")
        for arn in arns
        if responses[section, arn].error_code != not_found_code
    }


def _read_tags(calls: CallPool, requests: DescribeRequests, load_balancer_arns: Iterable[str]) -> dict[str, list[Any]]:
    """Tags by load balancer, without deleted ones."""
    by_batch: dict[tuple[str, ...], ApiRequest] = {
        arns: requests.tags(arns) for arns in batches(load_balancer_arns, ELB_NAMES)
    }
    responses = calls.send_all(by_batch)
    # A single deleted load balancer fails the call for its whole batch.
    failed = [
        arns for arns, response in responses.items() if len(arns) > 1 and response.error_code == LOAD_BALANCER_NOT_FOUND
    ]
    responses |= calls.send_all({(arn,): requests.tags((arn,)) for arns in failed for arn in arns})
    tags: dict[str, list[Any]] = {}
    for arns, response in responses.items():
        if response.error_code != LOAD_BALANCER_NOT_FOUND:
            items = _require_items(response, f"Tags of {arns[0]}")
            tags_by_arn = {item["ResourceArn"]: item.get("Tags", []) for item in items}
            tags |= {arn: tags_by_arn.get(arn, []) for arn in arns}
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


def _require_items(response: ApiResponse, what: str) -> list[Any]:
    if response.failure is not None:
        raise NotReadError(what, response.failure)
    return response.items
