"""The items that AWS Config recorded, in any order, as estates of the latest item of every resource."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import DELETED, ITEM_TYPES, NOT_RECORDED, ConfigItem, read_item
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.indexing import listeners_by_load_balancer
from alb_sg.estate.json_files import display_name, join_place
from alb_sg.estate.model import Listener, TargetGroup, UnknownValue
from alb_sg.estate.resource_types import (
    INSTANCE_TYPE,
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    NETWORK_INTERFACE_TYPE,
    PREFIX_LIST_TYPE,
    SECTION_BY_TYPE,
    SECURITY_GROUP_TYPE,
    SUBNET_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.estate.sections import ALL_OR_NOTHING_SECTIONS, Section

# The file of an item, and its place there: a path of keys, or an index of `configurationItems`.
Location: TypeAlias = tuple[str, str | int]


class _LatestItems:
    """The latest item of every resource of one type. `conflicts` locate items of the same time that contradict it.

    Items with a malformed state ID wait until all are there: they are neither earlier nor later than others of their
    time.
    """

    def __init__(self) -> None:
        self.items: dict[str, ConfigItem] = {}
        self.conflicts: dict[str, Location] = {}
        # Locations are for errors alone, and millions: places in the order of `items`, each file with the number of
        # places before its own, and the locations of items that were replaced later.
        self._places: list[str | int] = []
        self._files: list[tuple[int, str]] = []
        self._later_locations: dict[str, Location] = {}
        self._without_state_id: list[tuple[ConfigItem, UnknownValue, Location]] = []

    def add(self, item: ConfigItem, location: Location) -> None:
        if isinstance(item.state_id, UnknownValue):
            self._without_state_id.append((item, item.state_id, location))
        else:
            self._add_ordered(item, location)

    def add_first(self, resource_id: str, item: ConfigItem, path: str, place: str | int) -> None:
        """Add the first item of a resource. Its state ID must be known."""
        if not self._files or self._files[-1][1] != path:
            self._files.append((len(self._places), path))
        self.items[resource_id] = item
        self._places.append(place)

    def location(self, resource_id: str) -> Location:
        """Where the latest item of a resource is."""
        if resource_id in self._later_locations:
            return self._later_locations[resource_id]
        index = list(self.items).index(resource_id)
        return self._files[bisect_right(self._files, index, key=itemgetter(0)) - 1][1], self._places[index]

    def _add_ordered(self, item: ConfigItem, location: Location) -> None:
        known = self.items.get(item.id)
        if known is None:
            self.add_first(item.id, item, *location)
        elif item.capture_order > known.capture_order:
            self.items[item.id] = item
            self._later_locations[item.id] = location
            self.conflicts.pop(item.id, None)
        elif item.capture_order == known.capture_order:
            merged = known.merged_with(item)
            if merged is None:
                self.conflicts.setdefault(item.id, location)
            else:
                self.items[item.id] = merged

    def complete(self) -> None:
        """Call it once all items are added. Raises InvalidInputError where two items contradict each other."""
        for without_state_id in self._without_state_id:
            self._add_without_state_id(*without_state_id)
        self._without_state_id = []
        for resource_id in sorted(self.conflicts):
            raise InvalidInputError(
                f"another item of {resource_id} captured at the same time differs, in "
                f"{_describe(self.conflicts[resource_id])}; remove one of them",
                _describe(self.location(resource_id)),
            )

    def _add_without_state_id(self, item: ConfigItem, state_id: UnknownValue, location: Location) -> None:
        known = self.items.get(item.id)
        if known is not None and item.capture_time == known.capture_time:
            # Nothing but the state ID tells which of them is the later one.
            self.items[item.id] = known.merged_with(item) or item.as_unread(f"{state_id.field}: {state_id.text}")
        else:
            self._add_ordered(item, location)


class Recording:
    """The items that AWS Config recorded of one account and region."""

    def __init__(self, account_region: AccountRegion) -> None:
        self.account_region = account_region
        # By type. An undated item is neither earlier nor later than a dated one.
        self.dated = {type_name: _LatestItems() for type_name in ITEM_TYPES}
        self._undated = {type_name: _LatestItems() for type_name in ITEM_TYPES}

    def add(self, item: ConfigItem, path: str, place: str | int) -> None:
        """Add an item of a file. `place` is a path of keys in the document, or an index of `configurationItems`."""
        (self._undated if item.capture_time is None else self.dated)[item.type].add(item, (path, place))

    def estate(self) -> Estate:
        """Raises InvalidInputError where the data does not tell which of two items of a resource is the latest."""
        items = {type_name: self._latest_items(type_name) for type_name in ITEM_TYPES}
        sections, absent = {}, {}
        for type_name, of_type in items.items():
            sections[type_name], absent[type_name] = _existing_resources(of_type)
        missing = [item for group in absent.values() for item in group if _is_missing(item)]
        failures = map(_failure, sorted(missing, key=lambda item: (item.type, item.id)))
        unreadable = {(failure.section, failure.key): failure for failure in failures}
        for section, type_name, unknown_value in (
            (Section.TARGET_HEALTH_DESCRIPTIONS, TARGET_GROUP_TYPE, attrgetter("unknown_targets")),
            (Section.TAGS, LOAD_BALANCER_TYPE, attrgetter("unknown_tags")),
        ):
            for arn, value in zip(items[type_name], map(unknown_value, items[type_name].values()), strict=True):
                if value is not None:
                    unreadable[section, arn] = ReadFailure(section, arn, f"{value.field}: {value.text}")
        load_balancers, listeners = sections[LOAD_BALANCER_TYPE], sections[LISTENER_TYPE]
        target_groups, groups = sections[TARGET_GROUP_TYPE], sections[SECURITY_GROUP_TYPE]
        grouped = listeners_by_load_balancer(load_balancers or (), (listeners or {}).values())
        unreadable |= _unrecorded_load_balancers(items[LOAD_BALANCER_TYPE], grouped, (target_groups or {}).values())
        return Estate(
            account_id=self.account_region.account_id,
            region=self.account_region.region,
            load_balancers=load_balancers or {},
            listeners=None
            if listeners is None
            else {arn: own for arn, own in grouped.items() if (Section.LISTENERS, arn) not in unreadable},
            target_groups=target_groups,
            targets=None if target_groups is None else _values(items[TARGET_GROUP_TYPE], "targets"),
            security_groups=groups,
            has_all_security_groups=groups is not None and not any(map(_is_missing, absent[SECURITY_GROUP_TYPE])),
            deleted_security_groups=frozenset(
                item.id for item in absent[SECURITY_GROUP_TYPE] if item.status == DELETED
            ),
            vpcs=sections[VPC_TYPE],
            subnets=sections[SUBNET_TYPE],
            instances=sections[INSTANCE_TYPE],
            network_interfaces=sections[NETWORK_INTERFACE_TYPE],
            prefix_lists=sections[PREFIX_LIST_TYPE],
            tags=None if load_balancers is None else _values(items[LOAD_BALANCER_TYPE], "tags"),
            failures=tuple(unreadable.values()),
        )

    def _latest_items(self, type_name: str) -> Mapping[str, ConfigItem]:
        """The latest item of every resource of a type. Raises InvalidInputError where two contradict each other."""
        dated, undated = self.dated[type_name], self._undated[type_name]
        dated.complete()
        undated.complete()
        if not undated.items:
            return dated.items
        latest = dated.items | undated.items
        for resource_id in sorted(dated.items.keys() & undated.items.keys()):
            merged = dated.items[resource_id].merged_with(undated.items[resource_id])
            if merged is None:
                other = _describe(dated.location(resource_id))
                raise InvalidInputError(
                    f"missing, and this item differs from that in {other}, so neither is known to be the latest",
                    _describe(undated.location(resource_id), "configurationItemCaptureTime"),
                )
            latest[resource_id] = merged
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
        account_region, recording = None, None
        for place, item in enumerate(items, first):
            if item is None:
                continue
            # One slice, because each field of a named tuple costs as much.
            of, type_name, resource_id, captured, state_id = item[:5]
            if recording is None or of is not account_region:
                account_region, recording = of, self[of]
            latest = recording.dated[type_name]
            if captured is None or type(state_id) is not int or resource_id in latest.items:
                recording.add(item, path, place)
            else:
                latest.add_first(resource_id, item, path, place)


def _describe(location: Location, field: str = "") -> str:
    path, place = location
    at = place if isinstance(place, str) else f"configurationItems[{place}]"
    within = join_place(at, field) if field else at
    return f"{display_name(path)}: {within}" if within else display_name(path)


def _existing_resources(items: Mapping[str, ConfigItem]) -> tuple[dict[str, Any] | None, Sequence[ConfigItem]]:
    """The resources by ID, and the items without one. The resources are None where no item shows that the type is
    recorded."""
    resources: dict[str, Any] = _values_or_none(items, "resource")
    if None not in resources.values():
        return resources or None, ()
    existing = {resource_id: resource for resource_id, resource in resources.items() if resource is not None}
    absent = [item for item in items.values() if item.resource is None]
    is_recorded = any(item.status == DELETED or item.unread_cause is not None for item in absent)
    return existing if existing or is_recorded else None, absent


def _values(items: Mapping[str, ConfigItem], field: str) -> dict[str, Any]:
    """A field of items by their IDs, where it is not None."""
    values = _values_or_none(items, field)
    if None not in values.values():
        return values
    return {resource_id: value for resource_id, value in values.items() if value is not None}


def _values_or_none(items: Mapping[str, ConfigItem], field: str) -> dict[str, Any]:
    return dict(zip(items, map(attrgetter(field), items.values()), strict=True))


def _is_missing(item: ConfigItem) -> bool:
    """Whether the resource may exist although the item does not hold it: it is unreadable or not recorded."""
    return item.unread_cause is not None or item.status == NOT_RECORDED


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


def _failure(item: ConfigItem) -> ReadFailure:
    """The section, or the key of it, that a resource leaves unread whose item is unreadable or not recorded."""
    section = SECTION_BY_TYPE[item.type]
    key: str | None = item.id
    if item.type == LISTENER_TYPE:
        # The load balancer that the listener's ARN names.
        key = item.id.rpartition("/")[0].replace(":listener/", ":loadbalancer/", 1)
    elif section in ALL_OR_NOTHING_SECTIONS:
        key = None
    cause = item.unread_cause or f"AWS Config does not record {item.id} ({NOT_RECORDED})"
    return ReadFailure(section, key, cause)
