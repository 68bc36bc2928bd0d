"""The items that AWS Config recorded, in any order, as estates of the latest item of every resource."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import DELETED, ITEM_TYPES, NOT_RECORDED, ConfigItem, read_item
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.indexing import listeners_by_load_balancer
from alb_sg.estate.json_files import display_name, join_place
from alb_sg.estate.model import Listener, Target, TargetGroup, UnknownValue
from alb_sg.estate.resource_types import (
    INSTANCE_TYPE,
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    NETWORK_INTERFACE_TYPE,
    PREFIX_LIST_TYPE,
    SECTION_BY_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.estate.sections import ALL_OR_NOTHING_SECTIONS, Section


class LocatedItem(NamedTuple):
    """An item and its place in a file: a path of keys, or its index in `configurationItems`. `conflict` locates an item
    of the same time that contradicts it."""

    item: ConfigItem
    path: str
    place: str | int
    conflict: str | None = None

    @property
    def location(self) -> str:
        return self.location_of("")

    def location_of(self, field: str) -> str:
        place = self.place if isinstance(self.place, str) else f"configurationItems[{self.place}]"
        within = join_place(place, field) if field else place
        return f"{display_name(self.path)}: {within}" if within else display_name(self.path)


def _later(known: LocatedItem, new: LocatedItem) -> LocatedItem:
    """The later of two items of a resource. Two items of the same time must agree."""
    if new.item.capture_order > known.item.capture_order:
        return new
    if new.item.capture_order < known.item.capture_order:
        return known
    merged = known.item.merged_with(new.item)
    return known._replace(conflict=known.conflict or new.location) if merged is None else known._replace(item=merged)


class Recording:
    """The items that AWS Config recorded of one account and region."""

    def __init__(self, account_region: AccountRegion) -> None:
        self.account_region = account_region
        # By type and ID. An undated item is neither earlier nor later than a dated one.
        self._dated: dict[str, dict[str, LocatedItem]] = {type_name: {} for type_name in ITEM_TYPES}
        self._undated: dict[str, dict[str, LocatedItem]] = {type_name: {} for type_name in ITEM_TYPES}

    def add(self, item: ConfigItem, path: str, place: str | int) -> None:
        """Add an item of a file. `place` is its place in the document, or its index in `configurationItems`."""
        new = LocatedItem(item, path, place)
        items = (self._undated if item.capture_time is None else self._dated)[item.type]
        known = items.setdefault(item.id, new)
        if known is not new:
            items[item.id] = _later(known, new)

    def estate(self) -> Estate:
        """Raises InvalidInputError where the data does not tell which of two items of a resource is the latest."""
        latest = {type_name: self._latest(type_name) for type_name in ITEM_TYPES}
        not_recorded = [item for items in latest.values() for item in items.not_recorded]
        unread = [item for items in latest.values() for item in items.unread]
        failures = map(_failure, sorted([*not_recorded, *unread], key=lambda item: (item.type, item.id)))
        unreadable = {(failure.section, failure.key): failure for failure in failures}
        load_balancers, listeners = latest[LOAD_BALANCER_TYPE], latest[LISTENER_TYPE]
        target_groups, groups = latest[TARGET_GROUP_TYPE], latest[SECURITY_GROUP_TYPE]
        for section, unknown_values in (
            (Section.TARGET_HEALTH_DESCRIPTIONS, target_groups.unknown_targets),
            (Section.TAGS, load_balancers.unknown_tags),
        ):
            for arn, value in unknown_values.items():
                unreadable[section, arn] = ReadFailure(section, arn, f"{value.field}: {value.text}")
        grouped = listeners_by_load_balancer(load_balancers.existing, listeners.existing.values())
        unreadable |= _unrecorded_load_balancers(load_balancers.ids, grouped, target_groups.existing.values())
        return Estate(
            account_id=self.account_region.account_id,
            region=self.account_region.region,
            load_balancers=load_balancers.existing,
            listeners=None
            if listeners.section is None
            else {arn: own for arn, own in grouped.items() if (Section.LISTENERS, arn) not in unreadable},
            target_groups=target_groups.section,
            targets=None if target_groups.section is None else target_groups.targets,
            security_groups=groups.section,
            has_all_security_groups=groups.section is not None and not groups.not_recorded and not groups.unread,
            deleted_security_groups=frozenset(groups.deleted),
            vpcs=latest[VPC_TYPE].section,
            instances=latest[INSTANCE_TYPE].section,
            network_interfaces=latest[NETWORK_INTERFACE_TYPE].section,
            prefix_lists=latest[PREFIX_LIST_TYPE].section,
            tags=None if load_balancers.section is None else load_balancers.tags,
            failures=tuple(unreadable.values()),
        )

    def _latest(self, type_name: str) -> _LatestItems:
        latest = _LatestItems()
        dated, undated = self._dated[type_name], self._undated[type_name]
        for resource_id in sorted(dated.keys() | undated.keys()):
            latest.add(_latest_item([items[resource_id] for items in (dated, undated) if resource_id in items]))
        return latest


class Recordings(dict[AccountRegion, Recording]):
    """Recordings by account and region, each created at its first use."""

    def __missing__(self, account_region: AccountRegion) -> Recording:
        recording = self[account_region] = Recording(account_region)
        return recording

    def add_document(self, document: Any, path: str) -> None:
        """Add the items of a document of any form. Raises InvalidInputError that names the item and the field."""
        for place, record in find_config_items(document):
            try:
                item = read_item(record)
            except InvalidInputError as error:
                raise (error.inside(place) if place else error) from error
            if item is not None:
                self[item.account_region].add(item, path, place)

    def add_elements(self, items: Iterable[ConfigItem | None], path: str, first: int) -> None:
        """Add consecutive elements of `configurationItems`, from the index `first` on; None for an item to skip."""
        for place, item in enumerate(items, first):
            if item is not None:
                self[item.account_region].add(item, path, place)


class _LatestItems:
    """The latest items of one type: existing resources, registrations and tags by ID, and the other resources by
    status."""

    def __init__(self) -> None:
        self.existing: dict[str, Any] = {}
        self.targets: dict[str, tuple[Target, ...]] = {}
        self.unknown_targets: dict[str, UnknownValue] = {}
        self.unknown_tags: dict[str, UnknownValue] = {}
        self.tags: dict[str, Mapping[str, str]] = {}
        self.deleted: list[str] = []
        self.not_recorded: list[ConfigItem] = []
        self.unread: list[ConfigItem] = []
        self._deleted_unrecorded: list[str] = []

    def add(self, item: ConfigItem) -> None:
        resource_id, status = item.id, item.status
        if item.resource is not None:
            self.existing[resource_id] = item.resource
            if item.unknown_targets is not None:
                self.unknown_targets[resource_id] = item.unknown_targets
            if item.targets is not None:
                self.targets[resource_id] = item.targets
            if item.unknown_tags is not None:
                self.unknown_tags[resource_id] = item.unknown_tags
            if item.tags is not None:
                self.tags[resource_id] = item.tags
        elif item.unread_cause is not None:
            self.unread.append(item)
        elif status == DELETED:
            self.deleted.append(resource_id)
        elif status == NOT_RECORDED:
            self.not_recorded.append(item)
        else:
            self._deleted_unrecorded.append(resource_id)

    @property
    def section(self) -> dict[str, Any] | None:
        """The resources by ID; None where no item shows that the type is recorded."""
        return self.existing if self.existing or self.deleted or self.unread else None

    @property
    def ids(self) -> Collection[str]:
        """The IDs of all items."""
        return self.existing.keys() | {
            *self.deleted,
            *self._deleted_unrecorded,
            *(item.id for item in (*self.not_recorded, *self.unread)),
        }


def _unrecorded_load_balancers(
    known_arns: Collection[str], listeners: Mapping[str, Sequence[Listener]], target_groups: Iterable[TargetGroup]
) -> dict[tuple[Section, str | None], ReadFailure]:
    """Failures for Application Load Balancers that other items name and that have no item of their own."""
    named = {arn: own[0].arn for arn, own in listeners.items() if own and arn not in known_arns}
    for group in target_groups:
        for arn in group.load_balancer_arns or ():
            if arn not in known_arns:
                named[arn] = group.arn
    return {
        (Section.LOAD_BALANCERS, arn): ReadFailure(
            Section.LOAD_BALANCERS, arn, f"named by {by}, but AWS Config has no item of it"
        )
        for arn, by in sorted(named.items())
        if ":loadbalancer/app/" in arn
    }


def _latest_item(items: Sequence[LocatedItem]) -> ConfigItem:
    """The latest item of a resource, out of the latest dated one, the undated one, or both.

    Raises InvalidInputError where they contradict each other. An item that cannot be read says so itself.
    """
    for located in items:
        if located.item.unread_cause is not None:
            return located.item
    for located in items:
        if located.conflict is not None:
            raise InvalidInputError(
                f"another item of {located.item.id} captured at the same time differs, in {located.conflict}; "
                "remove one of them",
                located.location,
            )
    if len(items) == 1:
        return items[0].item
    dated, undated = items
    merged = dated.item.merged_with(undated.item)
    if merged is None:
        raise InvalidInputError(
            f"missing, and this item differs from that in {dated.location}, so neither is known to be the latest",
            undated.location_of("configurationItemCaptureTime"),
        )
    return merged


def _failure(item: ConfigItem) -> ReadFailure:
    """The section, or the key of it, that a resource leaves unread whose item cannot be read or is not recorded."""
    section = SECTION_BY_TYPE[item.type]
    key: str | None = item.id
    if item.type == LISTENER_TYPE:
        key = _load_balancer_arn(item.id)
    elif section in ALL_OR_NOTHING_SECTIONS:
        key = None
    cause = item.unread_cause or f"AWS Config does not record {item.id} ({NOT_RECORDED})"
    return ReadFailure(section, key, cause)


def _load_balancer_arn(listener_arn: str) -> str:
    """The load balancer that a listener's ARN names."""
    return listener_arn.rpartition("/")[0].replace(":listener/", ":loadbalancer/", 1)
