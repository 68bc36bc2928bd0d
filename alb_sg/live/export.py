"""An account and region as an export file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.errors import NotReadError
from alb_sg.estate.sections import Section
from alb_sg.live.confirmation import Confirmation, confirm_load_balancers, confirm_target_groups
from alb_sg.live.partial_estate import (
    LOAD_BALANCER_NOT_FOUND,
    NOT_FOUND_CODES,
    are_entries_hidden,
    normalize_target_group,
)
from alb_sg.live.requests import ELB_NAMES, DescribeRequests, batches

# The ARNs of the load balancers and target groups to export, from the sections that list them.
ExportScope = Callable[[Mapping[str, Sequence[Mapping[str, Any]]]], tuple[set[str], set[str]]]


def export_sections(
    calls: CallPool, requests: DescribeRequests, account_id: str, region: str, scope: ExportScope | None = None
) -> dict[str, Any]:
    """The export file's object. With a `scope`, it leaves out all other load balancers and target groups.

    Load balancers and target groups that are deleted during the export are left out, once the call for their own ARN
    confirms it. A prefix list has no entries if its owner hides them from this account. Raises NotReadError for any
    other failure.
    """
    listed = calls.send_all(
        {
            Section.LOAD_BALANCERS: requests.load_balancers(),
            Section.TARGET_GROUPS: requests.target_groups(),
            Section.SECURITY_GROUPS: requests.security_groups(),
            Section.SECURITY_GROUP_RULES: requests.security_group_rules(),
            Section.VPCS: requests.vpcs(),
            Section.SUBNETS: requests.subnets(),
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
    if scope is not None:
        in_scope = scope(sections)
        load_balancers = {arn: item for arn, item in load_balancers.items() if arn in in_scope[0]}
        target_groups = {arn: item for arn, item in target_groups.items() if arn in in_scope[1]}
    details = calls.send_all(
        {
            **{(Section.LISTENERS, arn): requests.listeners(arn) for arn in load_balancers},
            **{(Section.TARGET_HEALTH_DESCRIPTIONS, arn): requests.target_health(arn) for arn in target_groups},
            **{(Section.MANAGED_PREFIX_LISTS, list_id): requests.prefix_list_entries(list_id) for list_id in list_ids},
        }
    )
    reader = _DetailReader(calls, requests)
    listeners = reader.read(details, Section.LISTENERS, load_balancers)
    health = reader.read(details, Section.TARGET_HEALTH_DESCRIPTIONS, target_groups)
    tags = reader.read_tags(listeners)
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


@dataclass(frozen=True)
class _DetailReader:
    """Reads the parts of load balancers and target groups, and asks again by ARN for what is "not found"."""

    calls: CallPool
    requests: DescribeRequests

    def read(
        self, responses: Mapping[tuple[Section, str], ApiResponse], section: Section, arns: Iterable[str]
    ) -> dict[str, list[Any]]:
        """The items of a section by ARN, without deleted load balancers and target groups."""
        found = {arn: responses[section, arn] for arn in arns}
        is_target_group = section == Section.TARGET_HEALTH_DESCRIPTIONS
        confirm = confirm_target_groups if is_target_group else confirm_load_balancers
        request = self.requests.target_health if is_target_group else self.requests.listeners
        return self._without_deleted(found, section, confirm, request)

    def read_tags(self, load_balancer_arns: Iterable[str]) -> dict[str, list[Any]]:
        """Tags by load balancer, without deleted ones."""
        by_batch: dict[tuple[str, ...], ApiRequest] = {
            arns: self.requests.tags(arns) for arns in batches(load_balancer_arns, ELB_NAMES)
        }
        responses = self.calls.send_all(by_batch)
        # A single deleted load balancer fails the call for its whole batch.
        failed = [arns for arns, response in responses.items() if response.error_code == LOAD_BALANCER_NOT_FOUND]
        tags: dict[str, list[Any]] = {}
        for arns, response in responses.items():
            if arns not in failed:
                tags |= _tags_by_arn(arns, _require_items(response, f"Tags of {arns[0]}"))
        again = self.calls.send_all({arn: self._tags_of(arn) for arns in failed for arn in arns})
        single = self._without_deleted(again, Section.TAGS, confirm_load_balancers, self._tags_of)
        for arn, items in single.items():
            tags |= _tags_by_arn((arn,), items)
        return tags

    def _tags_of(self, load_balancer_arn: str) -> ApiRequest:
        return self.requests.tags((load_balancer_arn,))

    def _without_deleted(
        self,
        responses: dict[str, ApiResponse],
        section: Section,
        confirm: Callable[[CallPool, DescribeRequests, Iterable[str]], Confirmation],
        request: Callable[[str], ApiRequest],
    ) -> dict[str, list[Any]]:
        code = NOT_FOUND_CODES[section]
        confirmation = confirm(
            self.calls, self.requests, [arn for arn, response in responses.items() if response.error_code == code]
        )
        for arn, cause in confirmation.failures.items():
            raise NotReadError(f"{section} of {arn}", cause)
        responses |= self.calls.send_all({arn: request(arn) for arn in confirmation.found})
        return {
            arn: _require_items(response, f"{section} of {arn}")
            for arn, response in responses.items()
            if arn not in confirmation.gone
        }


def _tags_by_arn(arns: Iterable[str], items: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    tags = {item["ResourceArn"]: item.get("Tags") for item in items}
    for arn in arns:
        if tags.get(arn) is None:
            raise NotReadError(f"Tags of {arn}", "DescribeTags: the answer lacks them, which it was asked for")
    return {arn: tags[arn] or [] for arn in arns}


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
