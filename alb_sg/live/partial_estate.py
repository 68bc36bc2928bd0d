"""What one load has read so far, on its way to an estate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from alb_sg.aws.calls import ApiResponse
from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.model import (
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    Target,
    TargetGroup,
    Vpc,
)

T = TypeVar("T")

LOAD_BALANCER_NOT_FOUND = "LoadBalancerNotFound"
TARGET_GROUP_NOT_FOUND = "TargetGroupNotFound"

# Where an API answers so, a prefix list is not shown to this account (semantics §2, "could not be resolved").
HIDDEN_PREFIX_LIST_CODES = frozenset(
    {
        "AccessDenied",
        "InvalidPrefixListID.NotFound",
        "InvalidPrefixListId.NotFound",
        "UnauthorizedOperation",
    }
)
# The owner of the prefix lists that AWS manages.
AWS_OWNER = "aws"

# Per section: the member that holds an item's id, and what reads the item.
_ID_KEYS_AND_READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "LoadBalancers": ("LoadBalancerArn", from_api.load_balancer),
    "SecurityGroups": ("GroupId", from_api.security_group),
    "TargetGroups": ("TargetGroupArn", from_api.target_group),
    "Vpcs": ("VpcId", from_api.vpc),
    "Instances": ("InstanceId", from_api.instance),
    "NetworkInterfaces": ("NetworkInterfaceId", from_api.network_interface),
}
# One item that cannot be read leaves these sections unread: it may be the one that any question is about.
_ALL_OR_NOTHING_SECTIONS = frozenset({"NetworkInterfaces", "TargetGroups"})


def normalize_target_group(item: Any) -> Any:
    """A target group as DescribeTargetGroups means it: the query protocol may leave an empty list out, and who
    uses the group is part of every answer."""
    return {"LoadBalancerArns": [], **item}


def are_entries_hidden(described: Mapping[str, Any] | None, entries: ApiResponse, account_id: str) -> bool:
    """Whether an owner keeps a prefix list's entries from this account: the list is not described at all, or
    is another account's and its entries are refused."""
    owner = "" if described is None else str(described.get("OwnerId", "")).lower()
    return entries.error_code in HIDDEN_PREFIX_LIST_CODES and owner not in {account_id, AWS_OWNER}


@dataclass
class PartialEstate:
    """Sections as they fill. One that is not in `collected` was not asked for, and is none in the estate.
    `deleted` are the ARNs of load balancers that went away between two calls; `settled` are the sections that AWS
    Config has told, or was to tell and failed: they are not asked for as a whole any more. `recorded_targets` are the
    target groups whose registrations are as AWS Config has them."""

    account_id: str
    region: str
    included_sections: set[str]
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    listeners: dict[str, tuple[Listener, ...]] = field(default_factory=dict)
    target_groups: dict[str, TargetGroup] = field(default_factory=dict)
    targets: dict[str, tuple[Target, ...]] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    network_interfaces: dict[str, NetworkInterface] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    failures: list[ReadFailure] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    config_sections: set[str] = field(default_factory=set)
    recorded_target_groups: set[str] = field(default_factory=set)

    def estate(self, *, all_groups: bool = False) -> Estate:
        """What was read as an estate. `all_groups`: every security group of the region was asked for."""
        all_groups = all_groups or "SecurityGroups" in self.config_sections
        return Estate(
            account_id=self.account_id,
            region=self.region,
            load_balancers=self.load_balancers,
            listeners=self._if_included("Listeners", self.listeners),
            # A list of some target groups is none: what else uses them, or stands in front, cannot be told.
            target_groups=None
            if self.failures_of("TargetGroups")
            else self._if_included("TargetGroups", self.target_groups),
            targets=self._if_included("TargetHealthDescriptions", self.targets),
            security_groups=self._if_included("SecurityGroups", self.security_groups),
            has_all_security_groups=all_groups
            and "SecurityGroups" in self.included_sections
            and not self.failures_of("SecurityGroups"),
            vpcs=self._if_included("Vpcs", self.vpcs),
            instances=self._if_included("Instances", self.instances),
            network_interfaces=self._if_included("NetworkInterfaces", self.network_interfaces),
            prefix_lists=self._if_included("ManagedPrefixLists", self.prefix_lists),
            tags=self._if_included("Tags", self.tags),
            failures=tuple(self.failures),
        )

    def _if_included(self, section: str, held: dict[str, T]) -> dict[str, T] | None:
        return held if section in self.included_sections else None

    def failures_of(self, section: str) -> list[ReadFailure]:
        return [failure for failure in self.failures if failure.section == section]

    # --- what AWS Config tells

    def add_recorded(self, recorded: Estate, sections: Collection[str]) -> None:
        """Takes these sections, of those that query results fill, as they were recorded.

        Registrations are left out where more hangs on them than an item tells: in a target group of type `alb`, and
        where there are none, for they may lag behind.
        """
        self.config_sections.update(sections)
        self.included_sections.update(sections)
        if "LoadBalancers" in sections:
            self.load_balancers.update(recorded.load_balancers)
            self.tags.update(recorded.tags or {})
        if "Listeners" in sections:
            self.listeners.update(recorded.listeners or {})
        if "TargetGroups" in sections:
            self.target_groups.update(recorded.target_groups or {})
            registered = {
                arn: targets
                for arn, targets in (recorded.targets or {}).items()
                if targets and self.target_groups[arn].target_type != "alb"
            }
            self.targets.update(registered)
            self.recorded_target_groups.update(registered)
        if "SecurityGroups" in sections:
            self.security_groups.update(recorded.security_groups or {})
        if "Vpcs" in sections:
            self.vpcs.update(recorded.vpcs or {})

    def add_recording_failure(self, section: str, cause: str) -> None:
        """A section that AWS Config was to tell and did not."""
        self.config_sections.add(section)
        self.included_sections.add(section)
        self._add_failure(section, None, cause)

    # --- answers

    def add_response(self, section: str, keys: tuple[str, ...], answer: ApiResponse) -> None:
        """An answer that fills a section: `keys` are what was asked for, none where the whole section was."""
        self.included_sections.add(section)
        match section:
            case "LoadBalancers":
                self._add_by_id(section, keys, answer, self.load_balancers)
            case "Listeners":
                self._add_listeners(keys[0], answer)
            case "TargetGroups":
                items = list(map(normalize_target_group, answer.items))
                self._add_by_id(section, (), answer._replace(items=items), self.target_groups)
            case "TargetHealthDescriptions":
                self._add_targets(keys[0], answer)
            case "SecurityGroups":
                self._add_by_id(section, keys, answer, self.security_groups)
            case "Vpcs":
                self._add_by_id(section, keys, answer, self.vpcs)
            case "Instances":
                self._add_by_id(section, keys, answer, self.instances)
            case "NetworkInterfaces":
                # That nothing holds an address is known only where every interface asked for was read.
                self._add_by_id(section, (), answer, self.network_interfaces)
            case "Tags":
                self._add_tags(keys, answer)
            case _:
                raise ValueError(f"no answer fills {section}")

    def _add_by_id(self, section: str, keys: tuple[str, ...], answer: ApiResponse, into: dict[str, Any]) -> None:
        id_member, read = _ID_KEYS_AND_READERS[section]
        for item in answer.items:
            try:
                into[item[id_member]] = read(item)
            except InvalidInputError as error:
                key = None if section in _ALL_OR_NOTHING_SECTIONS else item.get(id_member)
                self._add_failure(section, key, f"{answer.operation}: {error}")
        self._add_failures_of_unread(section, keys, answer, into)

    def _add_listeners(self, load_balancer_arn: str, answer: ApiResponse) -> None:
        if answer.error_code == LOAD_BALANCER_NOT_FOUND:
            self._mark_deleted(load_balancer_arn)
            return
        read = self._read_all("Listeners", load_balancer_arn, answer, from_api.listener)
        if read is not None:
            self.listeners |= listeners_by_load_balancer([load_balancer_arn], read)

    def _add_targets(self, target_group_arn: str, answer: ApiResponse) -> None:
        if answer.error_code == TARGET_GROUP_NOT_FOUND:
            self.target_groups.pop(target_group_arn, None)
            return
        read = self._read_all("TargetHealthDescriptions", target_group_arn, answer, from_api.target_health_description)
        if read is not None:
            self.targets[target_group_arn] = ordered_targets(read)

    def _add_tags(self, load_balancer_arns: tuple[str, ...], answer: ApiResponse) -> None:
        if answer.error_code == LOAD_BALANCER_NOT_FOUND:
            for arn in load_balancer_arns:
                self._mark_deleted(arn)
            return
        for item in answer.items:
            try:
                self.tags[item["ResourceArn"]] = from_api.tags(item.get("Tags"))
            except InvalidInputError as error:
                self._add_failure("Tags", item["ResourceArn"], f"{answer.operation}: {error}")
        self._add_failures_of_unread("Tags", load_balancer_arns, answer, self.tags)

    def add_prefix_list(self, prefix_list_id: str, described: ApiResponse, entries: ApiResponse) -> None:
        """A prefix list from its description and its entries, two calls made at the same time."""
        section = "ManagedPrefixLists"
        found = {item["PrefixListId"]: item for item in described.items}.get(prefix_list_id)
        if found is None and described.failure is not None:
            self._add_failure(section, prefix_list_id, described.failure)
            return
        shape = dict(found or {})
        if entries.failure is None:
            shape["Entries"] = entries.items
        elif not are_entries_hidden(found, entries, self.account_id):
            self._add_failure(section, prefix_list_id, entries.failure)
            return
        try:
            self.prefix_lists[prefix_list_id] = from_api.prefix_list(prefix_list_id, shape)
        except InvalidInputError as error:
            self._add_failure(section, prefix_list_id, f"{entries.operation}: {error}")

    # --- failures

    def _read_all(self, section: str, key: str, answer: ApiResponse, read: Callable[[Any], T]) -> list[T] | None:
        """Every item, or None where one is missing: a list that is not whole is none."""
        failure = answer.failure
        if failure is None:
            try:
                return [read(item) for item in answer.items]
            except InvalidInputError as error:
                failure = f"{answer.operation}: {error}"
        self._add_failure(section, key, failure)
        return None

    def _add_failures_of_unread(
        self, section: str, keys: tuple[str, ...], answer: ApiResponse, read: Mapping[str, object]
    ) -> None:
        if answer.failure is None:
            return
        for key in keys or (None,):
            if key is None or key not in read:
                self._add_failure(section, key, answer.failure)

    def _add_failure(self, section: str, key: str | None, cause: str) -> None:
        self.failures.append(ReadFailure(section, key, cause))

    def _mark_deleted(self, load_balancer_arn: str) -> None:
        self.load_balancers.pop(load_balancer_arn, None)
        self.deleted.add(load_balancer_arn)
