"""An account and region as an export file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from alb_sg.aws.calls import ApiResponse, CallPool
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import estate_of_export
from alb_sg.estate.sections import Section
from alb_sg.live.confirmation import confirm_load_balancers, confirm_target_groups, send_batches
from alb_sg.live.partial_estate import (
    LOAD_BALANCER_NOT_FOUND,
    NOT_FOUND_CODES,
    are_entries_hidden,
    normalize_target_group,
)
from alb_sg.live.requests import DescribeRequests


class AccountExport:
    """An account and region, read in steps: first what takes one call for all, then the details of some load balancers
    and target groups, each of which takes a call of its own.

    Load balancers and target groups that are deleted during the export are left out, once the call for their own ARN
    confirms it. A prefix list has no entries if its owner hides them from this account. Every step raises NotReadError
    for any other failure.
    """

    def __init__(self, calls: CallPool, requests: DescribeRequests, account_id: str, region: str) -> None:
        self._calls = calls
        self._requests = requests
        self._account_id = account_id
        self._region = region
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
        self._sections: dict[str, Any] = {
            str(name): _require_items(response, f"{name} of {account_id} {region}") for name, response in listed.items()
        }
        self._described = {item["PrefixListId"]: item for item in self._sections.pop(Section.MANAGED_PREFIX_LISTS)}
        self._prefix_lists: dict[str, Any] | None = None
        self._load_balancers = {item["LoadBalancerArn"]: item for item in self._sections[Section.LOAD_BALANCERS]}
        self._target_groups = {
            item["TargetGroupArn"]: normalize_target_group(item) for item in self._sections[Section.TARGET_GROUPS]
        }
        self._listeners: dict[str, list[Any]] = {}
        self._health: dict[str, list[Any]] = {}
        self._tags: dict[str, list[Any]] = {}

    @property
    def load_balancers(self) -> tuple[str, ...]:
        """The ARNs of all load balancers, without deleted ones."""
        return tuple(self._load_balancers)

    @property
    def target_groups(self) -> tuple[str, ...]:
        """The ARNs of all target groups, without deleted ones."""
        return tuple(self._target_groups)

    def read_details(self, listeners_of: Iterable[str], targets_of: Iterable[str], tags_of: Iterable[str]) -> None:
        """Reads listeners and tags by load balancer, and registrations by target group, unless they were read before.
        The first call also reads the entries of prefix lists."""
        listener_arns = [arn for arn in listeners_of if arn in self._load_balancers and arn not in self._listeners]
        group_arns = [arn for arn in targets_of if arn in self._target_groups and arn not in self._health]
        list_ids = self._unread_prefix_lists()
        details = self._calls.send_all(
            {
                **{(Section.LISTENERS, arn): self._requests.listeners(arn) for arn in listener_arns},
                **{(Section.TARGET_HEALTH_DESCRIPTIONS, arn): self._requests.target_health(arn) for arn in group_arns},
                **{(Section.MANAGED_PREFIX_LISTS, one): self._requests.prefix_list_entries(one) for one in list_ids},
            }
        )
        listeners = self._without_deleted(
            Section.LISTENERS, {arn: details[Section.LISTENERS, arn] for arn in listener_arns}
        )
        health = self._without_deleted(
            Section.TARGET_HEALTH_DESCRIPTIONS,
            {arn: details[Section.TARGET_HEALTH_DESCRIPTIONS, arn] for arn in group_arns},
        )
        for arn in listener_arns:
            if arn not in listeners:
                self._remove_load_balancer(arn)
        for arn in group_arns:
            if arn not in health:
                del self._target_groups[arn]
        tag_arns = [arn for arn in tags_of if arn in self._load_balancers and arn not in self._tags]
        tags = self._read_tags(tag_arns)
        self._listeners |= listeners
        self._health |= health
        self._tags |= tags
        for arn in tag_arns:
            if arn not in tags:
                self._remove_load_balancer(arn)
        if list_ids:
            self._prefix_lists = {
                one: _prefix_list(
                    one, self._described.get(one), details[Section.MANAGED_PREFIX_LISTS, one], self._account_id
                )
                for one in list_ids
            }

    def document(self) -> dict[str, Any]:
        """The export file's object, with the details that were read so far. It does not tell which were not: it has no
        listeners of such load balancers."""
        return {
            "AccountId": self._account_id,
            "Region": self._region,
            **self._sections,
            Section.LOAD_BALANCERS: list(self._load_balancers.values()),
            Section.LISTENERS: [item for items in self._listeners.values() for item in items],
            Section.TARGET_GROUPS: list(self._target_groups.values()),
            Section.TARGET_HEALTH_DESCRIPTIONS: self._health,
            Section.MANAGED_PREFIX_LISTS: self._prefix_lists or {},
            Section.TAGS: self._tags,
        }

    def estate(self) -> Estate:
        """The estate with the details that were read so far. All others are unread."""
        whole = estate_of_export(self.document())
        listeners = whole.listeners or {}
        return replace(whole, listeners={arn: found for arn, found in listeners.items() if arn in self._listeners})

    def _unread_prefix_lists(self) -> list[str]:
        if self._prefix_lists is not None:
            return []
        self._prefix_lists = {}
        return list(
            dict.fromkeys((*self._described, *_referenced_prefix_lists(self._sections[Section.SECURITY_GROUPS])))
        )

    def _remove_load_balancer(self, arn: str) -> None:
        self._load_balancers.pop(arn, None)
        self._listeners.pop(arn, None)

    def _read_tags(self, load_balancer_arns: Iterable[str]) -> dict[str, list[Any]]:
        """Tags by load balancer, without deleted ones."""
        responses = send_batches(self._calls, self._requests.tags, load_balancer_arns, (LOAD_BALANCER_NOT_FOUND,))
        tags: dict[str, list[Any]] = {}
        not_found: dict[str, ApiResponse] = {}
        for arns, response in responses.items():
            if response.error_code == LOAD_BALANCER_NOT_FOUND:
                not_found[arns[0]] = response
            else:
                tags |= _tags_by_arn(arns, _require_items(response, f"Tags of {arns[0]}"))
        for arn, items in self._without_deleted(Section.TAGS, not_found).items():
            tags |= _tags_by_arn((arn,), items)
        return tags

    def _without_deleted(self, section: Section, responses: dict[str, ApiResponse]) -> dict[str, list[Any]]:
        """The items of a section by ARN, without deleted load balancers and target groups: it asks again by ARN for
        those that are "not found"."""
        not_found = [arn for arn, response in responses.items() if response.error_code == NOT_FOUND_CODES[section]]
        is_target_group = section == Section.TARGET_HEALTH_DESCRIPTIONS
        confirm = confirm_target_groups if is_target_group else confirm_load_balancers
        confirmation = confirm(self._calls, self._requests, not_found)
        for arn, cause in confirmation.failures.items():
            raise NotReadError(f"{section} of {arn}", cause)
        responses |= self._calls.send_all({arn: self._requests.detail(section, arn) for arn in confirmation.found})
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
