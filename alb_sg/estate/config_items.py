"""AWS Config's recordings as estates: of every resource the latest item, in whatever order items and files come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from alb_sg.errors import UnusableInput
from alb_sg.estate.config_documents import items_in
from alb_sg.estate.config_item import (
    DELETED,
    INSTANCE_TYPE,
    ITEM_TYPES,
    NETWORK_INTERFACE_TYPE,
    NOT_RECORDED,
    PREFIX_LIST_TYPE,
    VPC_TYPE,
    ConfigItem,
    Sighting,
    read_item,
)
from alb_sg.estate.estate import Estate, Failure
from alb_sg.estate.files import (
    STANDARD_INPUT,
    file_content,
    inside_file,
    json_files,
    json_value,
)
from alb_sg.estate.home import Home
from alb_sg.estate.keyed import listeners_by_load_balancer
from alb_sg.estate.model import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    Listener,
    Target,
    TargetGroup,
)
from alb_sg.estate.quick import without_collector

# The section of a saved estate that items of a type fill.
SECTION_OF = {
    LOAD_BALANCER_TYPE: "LoadBalancers",
    LISTENER_TYPE: "Listeners",
    TARGET_GROUP_TYPE: "TargetGroups",
    SECURITY_GROUP_TYPE: "SecurityGroups",
    VPC_TYPE: "Vpcs",
    NETWORK_INTERFACE_TYPE: "NetworkInterfaces",
    INSTANCE_TYPE: "Instances",
    PREFIX_LIST_TYPE: "ManagedPrefixLists",
}
# Sections that answer for all of an account and region: one resource that is not recorded makes them incomplete.
ANSWER_FOR_ALL = frozenset({"TargetGroups", "NetworkInterfaces"})


def read_config_items(paths: Sequence[str], progress: Callable[[int, int], None] | None = None) -> list[Estate]:
    """The estates in files of configuration items, by account and region.

    A path is a `.json` or `.json.gz` file, `-` for standard input, or a directory, which stands for all such
    files below it. `progress` is told how many files are read and how many there are. Only one file is in memory
    at a time. Raises UnusableInput that names the file, the item and the field.

    A type of which an account and region has not a single item that was recorded there is unrecorded: its
    section is None.
    """
    files = json_files(paths)
    recordings: dict[Home, Recording] = {}
    with without_collector():
        for done, path in enumerate(files, start=1):
            for sightings in _sightings(path):
                for sighting in sightings:
                    home = sighting.item.home
                    recording = recordings.get(home)
                    if recording is None:
                        recording = recordings[home] = Recording(home)
                    recording.add(sighting)
            if progress is not None:
                progress(done, len(files))
        # One is let go of before the next estate is made.
        return [recordings.pop(home).estate() for home in sorted(recordings)]


def first_home(path: str) -> Home | None:
    """The account and region of the first item that a verdict needs; None where a file must be read whole to tell."""
    from alb_sg.estate.item_file import Irregular, usual_items  # noqa: PLC0415 (files alone need msgspec)

    if path == STANDARD_INPUT:
        return None
    try:
        return next((sighting.item.home for sightings in usual_items(path) for sighting in sightings), None)
    except (Irregular, UnusableInput):
        return None


def _sightings(path: str) -> Iterator[list[Sighting]]:
    """The items in a file that a verdict needs, some at a time. What is not a snapshot or history of usual items is
    read thoroughly, all of it: so one reader alone says what is wrong with a file, and where."""
    # What runs in Lambda reads no files, and has no msgspec.
    from alb_sg.estate.item_file import Irregular, usual_items  # noqa: PLC0415 (as said above)

    with inside_file(path):
        content = file_content(path) if path == STANDARD_INPUT else None
        try:
            yield from usual_items(path, content)
        except (Irregular, UnusableInput):
            for place, source in items_in(json_value(path, file_content(path) if content is None else content)):
                try:
                    found = read_item(source)
                except UnusableInput as error:
                    raise (error.inside(place) if place else error) from error
                if found is not None:
                    yield [Sighting(found, path, place)]


def _later(known: Sighting, new: Sighting) -> Sighting:
    """The later of two sightings of a resource; two of the same time must agree."""
    if new.item.rank > known.item.rank:
        return new
    if new.item.rank < known.item.rank:
        return known
    united = known.item.united(new.item)
    return known._replace(rival=known.rival or new.where) if united is None else known._replace(item=united)


class Recording:
    """What AWS Config recorded of one account and region."""

    def __init__(self, home: Home) -> None:
        self.home = home
        # By type and id. An undated item is neither earlier nor later than a dated one.
        self._dated: dict[str, dict[str, Sighting]] = {type_name: {} for type_name in ITEM_TYPES}
        self._undated: dict[str, dict[str, Sighting]] = {type_name: {} for type_name in ITEM_TYPES}
        # By type, what the items say as long as there is one dated item of each resource, as in most files.
        self._alone: dict[str, _Latest] = {type_name: _Latest() for type_name in ITEM_TYPES}

    def add(self, sighting: Sighting) -> None:
        item = sighting.item
        _, type_name, resource_id, captured, _, _, _, _, _ = item
        if captured is not None:
            sightings = self._dated[type_name]
            known = sightings.setdefault(resource_id, sighting)
            if known is sighting:
                if type_name in self._alone:
                    self._alone[type_name].take(item)
                return
        else:
            sightings = self._undated[type_name]
            known = sightings.setdefault(resource_id, sighting)
        self._alone.pop(type_name, None)
        if known is not sighting:
            sightings[resource_id] = _later(known, sighting)

    def estate(self) -> Estate:
        """Raises UnusableInput where it cannot be told which of two items of a resource is the latest."""
        latest = {type_name: self._latest(type_name) for type_name in ITEM_TYPES}
        not_recorded = [item for found in latest.values() for item in found.not_recorded]
        failures = map(_failure, sorted(not_recorded, key=lambda item: (item.type, item.id)))
        unreadable = {(failure.section, failure.key): failure for failure in failures}
        load_balancers, listeners = latest[LOAD_BALANCER_TYPE], latest[LISTENER_TYPE]
        target_groups, groups = latest[TARGET_GROUP_TYPE], latest[SECURITY_GROUP_TYPE]
        held = listeners_by_load_balancer(load_balancers.living, listeners.living.values())
        unreadable |= _hidden(load_balancers.ids, held, target_groups.living.values())
        return Estate(
            account_id=self.home.account_id,
            region=self.home.region,
            load_balancers=load_balancers.living,
            listeners=None
            if listeners.section is None
            else {arn: found for arn, found in held.items() if ("Listeners", arn) not in unreadable},
            target_groups=target_groups.section,
            targets=None if target_groups.section is None else target_groups.targets,
            security_groups=groups.section,
            complete_groups=groups.section is not None and not groups.not_recorded,
            deleted_groups=frozenset(groups.deleted),
            vpcs=latest[VPC_TYPE].section,
            instances=latest[INSTANCE_TYPE].section,
            network_interfaces=latest[NETWORK_INTERFACE_TYPE].section,
            prefix_lists=latest[PREFIX_LIST_TYPE].section,
            tags=None if load_balancers.section is None else load_balancers.tags,
            failures=tuple(unreadable.values()),
        )

    def _latest(self, type_name: str) -> _Latest:
        """What the latest item of each resource of a type says."""
        latest = self._alone.get(type_name)
        if latest is None:
            latest = _Latest()
            dated, undated = self._dated[type_name], self._undated[type_name]
            for resource_id in sorted(dated.keys() | undated.keys()):
                found = [sightings[resource_id] for sightings in (dated, undated) if resource_id in sightings]
                latest.take(_undisputed(found))
        return latest


class _Latest:
    """Items of one type, each of another resource: the resources, registrations and tags by id, and what is gone or
    was never recorded."""

    def __init__(self) -> None:
        self.living: dict[str, Any] = {}
        self.targets: dict[str, tuple[Target, ...]] = {}
        self.tags: dict[str, Mapping[str, str]] = {}
        self.deleted: list[str] = []
        self.not_recorded: list[ConfigItem] = []
        self._gone: list[str] = []

    def take(self, item: ConfigItem) -> None:
        _, _, resource_id, _, _, status, resource, targets, tags = item
        if resource is not None:
            self.living[resource_id] = resource
            if targets is not None:
                self.targets[resource_id] = targets
            if tags is not None:
                self.tags[resource_id] = tags
        elif status == DELETED:
            self.deleted.append(resource_id)
        elif status == NOT_RECORDED:
            self.not_recorded.append(item)
        else:
            self._gone.append(resource_id)

    @property
    def section(self) -> dict[str, Any] | None:
        """The resources by their ids; None where no item shows that the type is recorded."""
        return self.living if self.living or self.deleted else None

    @property
    def ids(self) -> Collection[str]:
        """Whatever there is an item of."""
        return self.living.keys() | {*self.deleted, *self._gone, *(item.id for item in self.not_recorded)}


def _hidden(
    known: Collection[str], listeners: Mapping[str, Sequence[Listener]], target_groups: Iterable[TargetGroup]
) -> dict[tuple[str, str | None], Failure]:
    """Application Load Balancers that other items name, and that have no item of their own."""
    named = {arn: held[0].arn for arn, held in listeners.items() if held and arn not in known}
    for group in target_groups:
        for arn in group.load_balancer_arns or ():
            if arn not in known:
                named[arn] = group.arn
    return {
        ("LoadBalancers", arn): Failure("LoadBalancers", arn, f"named by {by}, but AWS Config has no item of it")
        for arn, by in sorted(named.items())
        if ":loadbalancer/app/" in arn
    }


def _undisputed(found: Sequence[Sighting]) -> ConfigItem:
    """What the latest sighting of a resource says, or the dated and the undated one."""
    for sighting in found:
        if sighting.rival is not None:
            raise UnusableInput(
                f"another item of {sighting.item.id} captured at the same time differs, in {sighting.rival}; "
                "remove one of them",
                sighting.where,
            )
    return found[0].item if len(found) == 1 else _agreed(*found)


def _agreed(dated: Sighting, undated: Sighting) -> ConfigItem:
    """What a dated and an undated item of a resource both say. Raises UnusableInput where they differ."""
    united = dated.item.united(undated.item)
    if united is None:
        raise UnusableInput(
            f"missing, and this item differs from that in {dated.where}: which is the latest cannot be told",
            undated.at("configurationItemCaptureTime"),
        )
    return united


def _failure(item: ConfigItem) -> Failure:
    """What cannot be read of an estate because a resource of it is not recorded."""
    section = SECTION_OF[item.type]
    key: str | None = item.id
    if item.type == LISTENER_TYPE:
        key = _load_balancer_of(item.id)
    elif section in ANSWER_FOR_ALL:
        key = None
    return Failure(section, key, f"AWS Config does not record {item.id} ({NOT_RECORDED})")


def _load_balancer_of(listener_arn: str) -> str:
    """The load balancer that a listener's ARN names."""
    return listener_arn.rpartition("/")[0].replace(":listener/", ":loadbalancer/", 1)
