"""The result of one load so far, which becomes an estate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from alb_sg.aws.calls import ApiResponse
from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.field_readers import required_text
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.model import (
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.estate.sections import ALL_OR_NOTHING_SECTIONS, SECTION_ATTRIBUTES, Section

T = TypeVar("T")

LOAD_BALANCER_NOT_FOUND = "LoadBalancerNotFound"
TARGET_GROUP_NOT_FOUND = "TargetGroupNotFound"

# The code with which the call for a section's key says that the load balancer or target group does not exist.
NOT_FOUND_CODES: Mapping[str, str] = {
    Section.LISTENERS: LOAD_BALANCER_NOT_FOUND,
    Section.TAGS: LOAD_BALANCER_NOT_FOUND,
    Section.TARGET_HEALTH_DESCRIPTIONS: TARGET_GROUP_NOT_FOUND,
}

# Error codes for a prefix list that its owner hides from this account (semantics §2, "could not be resolved").
HIDDEN_PREFIX_LIST_CODES = frozenset(
    {
        "AccessDenied",
        "InvalidPrefixListID.NotFound",
        "InvalidPrefixListId.NotFound",
        "UnauthorizedOperation",
    }
)
# The owner of AWS-managed prefix lists.
AWS_OWNER = "aws"


def normalize_target_group(item: Any) -> Any:
    """A target group with `LoadBalancerArns`: the query protocol may leave an empty list out."""
    return {"LoadBalancerArns": [], **item}


def are_entries_hidden(described: Mapping[str, Any] | None, entries: ApiResponse, account_id: str) -> bool:
    """Whether the owner of a prefix list hides its entries from this account: the list is not described, or belongs to
    another account and its entries are refused."""
    owner = "" if described is None else str(described.get("OwnerId", "")).lower()
    return entries.error_code in HIDDEN_PREFIX_LIST_CODES and owner not in {account_id, AWS_OWNER}


@dataclass
class PartialEstate:
    """The sections read so far.

    - `included_sections`: sections that were requested; the estate holds None for others
    - `deleted`: ARNs of load balancers that were deleted between two calls
    - `config_sections`: sections that AWS Config filled or failed to fill; no call lists them again
    - `not_followed`: why some load balancers that the selection means were not looked for
    - `recorded_target_groups`: ARNs of target groups whose registrations come from AWS Config
    - `item_times`: the capture times of the resources that come from AWS Config, by id
    """

    account_id: str
    region: str
    included_sections: set[str]
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    listeners: dict[str, tuple[Listener, ...]] = field(default_factory=dict)
    target_groups: dict[str, TargetGroup] = field(default_factory=dict)
    targets: dict[str, tuple[Target, ...]] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    security_group_rules: dict[str, SecurityGroupRule] = field(default_factory=dict)
    interfaces_by_group: dict[str, list[NetworkInterface]] = field(default_factory=dict)
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    network_interfaces: dict[str, NetworkInterface] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    failures: list[ReadFailure] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    config_sections: set[str] = field(default_factory=set)
    recorded_target_groups: set[str] = field(default_factory=set)
    not_followed: list[str] = field(default_factory=list)
    item_times: dict[str, datetime] = field(default_factory=dict)

    def estate(self, *, all_groups: bool = False) -> Estate:
        """The sections as an estate. `all_groups`: every security group of the region was requested."""
        included = {*self.included_sections, Section.SECURITY_GROUP_CARRIERS}
        if self.failures_of(Section.TARGET_GROUPS):
            # A missing target group may be one that a load balancer uses, or one that leads to it.
            included.discard(Section.TARGET_GROUPS)
        sections: dict[str, Any] = {
            attribute: getattr(self, attribute)
            for section, attribute in SECTION_ATTRIBUTES.items()
            if section in included
        }
        return Estate(
            account_id=self.account_id,
            region=self.region,
            load_balancers=self.load_balancers,
            has_all_security_groups=(all_groups or Section.SECURITY_GROUPS in self.config_sections)
            and Section.SECURITY_GROUPS in included
            and not self.failures_of(Section.SECURITY_GROUPS),
            failures=tuple(self.failures),
            **sections,
        )

    def failures_of(self, section: str) -> list[ReadFailure]:
        return [failure for failure in self.failures if failure.section == section]

    def add_recorded(self, recorded: Estate, sections: Collection[str], item_times: Mapping[str, datetime]) -> None:
        """Adds sections as AWS Config recorded them, with the capture times of their resources by id.

        Recorded registrations may lag behind. They are left out where that matters most: for target groups of type
        `alb`, and where none are recorded.
        """
        self.config_sections.update(sections)
        self.included_sections.update(sections)
        self.item_times.update(item_times)
        if Section.LOAD_BALANCERS in sections:
            self.load_balancers.update(recorded.load_balancers)
            self.tags.update(recorded.tags or {})
        for section in (Section.LISTENERS, Section.TARGET_GROUPS, Section.SECURITY_GROUPS, Section.VPCS):
            if section in sections:
                getattr(self, SECTION_ATTRIBUTES[section]).update(recorded.section(section) or {})
        if Section.TARGET_GROUPS in sections:
            registered = {
                arn: targets
                for arn, targets in (recorded.targets or {}).items()
                if targets and self.target_groups[arn].target_type != "alb"
            }
            self.targets.update(registered)
            self.recorded_target_groups.update(registered)

    def add_recording_failure(self, section: str, cause: str) -> None:
        """Adds a failure of AWS Config to fill a section."""
        self.config_sections.add(section)
        self.included_sections.add(section)
        self.add_failure(section, None, cause)

    def add_response(self, section: str, keys: tuple[str, ...], response: ApiResponse) -> None:
        """Adds the response to a request for a section. `keys` are the requested ids; none: the whole section."""
        self.included_sections.add(section)
        match section:
            case Section.LISTENERS:
                self._add_listeners(keys[0], response)
            case Section.TARGET_GROUPS:
                items = list(map(normalize_target_group, response.items))
                self._add_by_id(section, (), response._replace(items=items))
            case Section.TARGET_HEALTH_DESCRIPTIONS:
                self._add_targets(keys[0], response)
            case Section.SECURITY_GROUP_CARRIERS:
                self._add_carriers(keys, response)
            case Section.NETWORK_INTERFACES | Section.SECURITY_GROUP_RULES:
                # Only if every requested interface was read is it certain that none holds an address.
                self._add_by_id(section, (), response)
            case _:
                self._add_by_id(section, keys, response)

    def _add_by_id(self, section: str, keys: tuple[str, ...], response: ApiResponse) -> None:
        id_key, read = from_api.READERS[section]
        is_load_balancer = section == Section.LOAD_BALANCERS
        resources = self.load_balancers if is_load_balancer else getattr(self, SECTION_ATTRIBUTES[Section(section)])
        for item in response.items:
            try:
                resources[required_text(item, id_key)] = read(item)
            except InvalidInputError as error:
                key = None if section in ALL_OR_NOTHING_SECTIONS else item.get(id_key)
                self.add_failure(section, key, f"{response.operation}: {error}")
        if response.failure is not None:
            for key in keys or (None,):
                if key is None or key not in resources:
                    self.add_failure(section, key, response.failure)

    def _add_listeners(self, load_balancer_arn: str, response: ApiResponse) -> None:
        read = self._read_all(Section.LISTENERS, load_balancer_arn, response, from_api.listener)
        if read is not None:
            self.listeners |= listeners_by_load_balancer([load_balancer_arn], read)

    def _add_targets(self, target_group_arn: str, response: ApiResponse) -> None:
        read = self._read_all(
            Section.TARGET_HEALTH_DESCRIPTIONS, target_group_arn, response, from_api.target_health_description
        )
        if read is not None:
            self.targets[target_group_arn] = ordered_targets(read)

    def _add_carriers(self, group_ids: tuple[str, ...], response: ApiResponse) -> None:
        """Adds the interfaces that carry one of the groups, by group. One of them that is missing or cannot be read may
        carry any of the groups."""
        section = Section.SECURITY_GROUP_CARRIERS
        interfaces = self._read_all(section, group_ids[0], response, from_api.network_interface)
        if interfaces is None:
            cause = self.failures[-1].cause
            for group_id in group_ids[1:]:
                self.add_failure(section, group_id, cause)
            return
        unknown = next((one.unknown_groups_error for one in interfaces if one.unknown_groups is not None), None)
        for group_id in group_ids:
            if unknown is not None:
                self.add_failure(section, group_id, f"{response.operation}: {unknown}")
            else:
                self.interfaces_by_group[group_id] = [one for one in interfaces if group_id in one.groups]

    def add_prefix_list(self, prefix_list_id: str, described: ApiResponse, entries: ApiResponse) -> None:
        """Adds a prefix list from the responses with its description and its entries."""
        section = Section.MANAGED_PREFIX_LISTS
        description = {item.get("PrefixListId"): item for item in described.items}.get(prefix_list_id)
        if description is None and described.failure is not None:
            self.add_failure(section, prefix_list_id, described.failure)
            return
        fields = dict(description or {})
        if entries.failure is None:
            fields["Entries"] = entries.items
        elif not are_entries_hidden(description, entries, self.account_id):
            self.add_failure(section, prefix_list_id, entries.failure)
            return
        try:
            self.prefix_lists[prefix_list_id] = from_api.prefix_list(prefix_list_id, fields)
        except InvalidInputError as error:
            self.add_failure(section, prefix_list_id, f"{entries.operation}: {error}")

    def _read_all(self, section: str, key: str, response: ApiResponse, read: Callable[[Any], T]) -> list[T] | None:
        """Every item, or None with a failure if one item is missing or cannot be read."""
        items, failure = response.read_all(read)
        if failure is None:
            return items
        self.add_failure(section, key, failure)
        return None

    def add_failure(self, section: str, key: str | None, cause: str) -> None:
        self.failures.append(ReadFailure(Section(section), key, cause))

    def remove_load_balancer(self, load_balancer_arn: str) -> None:
        """Removes a load balancer that is confirmed to be deleted, also from the target groups that name it."""
        self.load_balancers.pop(load_balancer_arn, None)
        self.deleted.add(load_balancer_arn)
        for arn, group in self.target_groups.items():
            users = group.load_balancer_arns or ()
            if load_balancer_arn in users:
                remaining = tuple(user for user in users if user != load_balancer_arn)
                self.target_groups[arn] = group._replace(load_balancer_arns=remaining)

    def remove_target_group(self, target_group_arn: str) -> None:
        """Removes a target group that is confirmed to be deleted."""
        self.target_groups.pop(target_group_arn, None)
