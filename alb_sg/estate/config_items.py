"""AWS Config's recordings as estates: of every resource the latest item, in whatever order items and files come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from alb_sg.errors import UnusableInput
from alb_sg.estate.config_documents import items_in
from alb_sg.estate.config_item import (
    DELETED,
    INSTANCE_TYPE,
    NETWORK_INTERFACE_TYPE,
    NOT_RECORDED,
    PREFIX_LIST_TYPE,
    VPC_TYPE,
    ConfigItem,
    read_item,
)
from alb_sg.estate.estate import Estate, Failure
from alb_sg.estate.files import file_name, inside_file, joined, json_files, read_json_file
from alb_sg.estate.home import Home
from alb_sg.estate.keyed import listeners_by_load_balancer, ordered_interfaces
from alb_sg.estate.model import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    TargetGroup,
    Vpc,
)

T = TypeVar("T")

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
    for done, path in enumerate(files, start=1):
        for sighting in _sightings(path):
            home = sighting.item.home
            if home not in recordings:
                recordings[home] = Recording(home)
            recordings[home].add(sighting)
        if progress is not None:
            progress(done, len(files))
    return [recordings[home].estate() for home in sorted(recordings)]


@dataclass(frozen=True, slots=True)
class Sighting:
    """An item and where it stands. `rival` is where another of the same time says something else."""

    item: ConfigItem
    path: str
    place: str
    rival: str | None = None

    @property
    def where(self) -> str:
        return f"{file_name(self.path)}: {self.place}" if self.place else file_name(self.path)

    def at(self, field: str) -> str:
        return f"{file_name(self.path)}: {joined(self.place, field)}"


def _sightings(path: str) -> Iterator[Sighting]:
    with inside_file(path):
        for place, source in items_in(read_json_file(path)):
            try:
                item = read_item(source)
            except UnusableInput as error:
                raise (error.inside(place) if place else error) from error
            if item is not None:
                yield Sighting(item, path, place)


def _later(known: Sighting | None, new: Sighting) -> Sighting:
    """The later of two sightings of a resource; two of the same time must agree."""
    if known is None or new.item.rank > known.item.rank:
        return new
    if new.item.rank < known.item.rank:
        return known
    united = known.item.united(new.item)
    return replace(known, rival=known.rival or new.where) if united is None else replace(known, item=united)


class Recording:
    """What AWS Config recorded of one account and region."""

    def __init__(self, home: Home) -> None:
        self.home = home
        # By type, and by id and whether the item is dated: an undated one is neither earlier nor later.
        self._latest: dict[str, dict[tuple[str, bool], Sighting]] = {}

    def add(self, sighting: Sighting) -> None:
        item = sighting.item
        known = self._latest.setdefault(item.type, {})
        key = item.id, item.captured is not None
        known[key] = _later(known.get(key), sighting)

    def estate(self) -> Estate:
        """Raises UnusableInput where it cannot be told which of two items of a resource is the latest."""
        latest = {type_name: list(self._settled(type_name)) for type_name in sorted(self._latest)}
        not_recorded = [item for found in latest.values() for item in found if item.status == NOT_RECORDED]
        unreadable = {(failure.section, failure.key): failure for failure in map(_failure, not_recorded)}

        def living(type_name: str, kind: type[T]) -> list[T] | None:
            """The resources of a type; None where it is unrecorded."""
            found = latest.get(type_name, [])
            if not any(item.shows_recording for item in found):
                return None
            return [item.resource for item in found if isinstance(item.resource, kind)]

        load_balancers = living(LOAD_BALANCER_TYPE, LoadBalancer)
        listeners = living(LISTENER_TYPE, Listener)
        target_groups = living(TARGET_GROUP_TYPE, TargetGroup)
        groups = living(SECURITY_GROUP_TYPE, SecurityGroup)
        vpcs = living(VPC_TYPE, Vpc)
        instances = living(INSTANCE_TYPE, Instance)
        interfaces = living(NETWORK_INTERFACE_TYPE, NetworkInterface)
        prefix_lists = living(PREFIX_LIST_TYPE, PrefixList)
        by_arn = {found.arn: found for found in load_balancers or ()}
        unreadable |= self._hidden(latest, listeners or (), target_groups or ())
        return Estate(
            account_id=self.home.account_id,
            region=self.home.region,
            load_balancers=by_arn,
            listeners=None
            if listeners is None
            else {
                arn: held
                for arn, held in listeners_by_load_balancer(by_arn, listeners).items()
                if ("Listeners", arn) not in unreadable
            },
            target_groups=None if target_groups is None else {group.arn: group for group in target_groups},
            targets=None
            if target_groups is None
            else {item.id: item.targets for item in latest[TARGET_GROUP_TYPE] if item.targets is not None},
            security_groups=None if groups is None else {group.id: group for group in groups},
            complete_groups=groups is not None and not any(item.type == SECURITY_GROUP_TYPE for item in not_recorded),
            deleted_groups=frozenset(item.id for item in latest.get(SECURITY_GROUP_TYPE, ()) if item.status == DELETED),
            vpcs=None if vpcs is None else {vpc.id: vpc for vpc in vpcs},
            instances=None if instances is None else {instance.id: instance for instance in instances},
            network_interfaces=None if interfaces is None else ordered_interfaces(interfaces),
            prefix_lists=None if prefix_lists is None else {found.id: found for found in prefix_lists},
            tags=None
            if load_balancers is None
            else {item.id: item.tags for item in latest[LOAD_BALANCER_TYPE] if item.tags is not None},
            failures=tuple(unreadable.values()),
        )

    @staticmethod
    def _hidden(
        latest: Mapping[str, list[ConfigItem]], listeners: Iterable[Listener], target_groups: Iterable[TargetGroup]
    ) -> dict[tuple[str, str | None], Failure]:
        """Application Load Balancers that other items name, and that have no item of their own."""
        named = {listener.load_balancer_arn: listener.arn for listener in listeners}
        for group in target_groups:
            named |= dict.fromkeys(group.load_balancer_arns or (), group.arn)
        known = {item.id for item in latest.get(LOAD_BALANCER_TYPE, ())}
        return {
            ("LoadBalancers", arn): Failure("LoadBalancers", arn, f"named by {by}, but AWS Config has no item of it")
            for arn, by in sorted(named.items())
            if ":loadbalancer/app/" in arn and arn not in known
        }

    def _settled(self, type_name: str) -> Iterator[ConfigItem]:
        """The latest item of each resource of a type, by id."""
        sightings = self._latest[type_name]
        for resource_id in sorted({resource_id for resource_id, _ in sightings}):
            found = [sightings[resource_id, dated] for dated in (True, False) if (resource_id, dated) in sightings]
            for sighting in found:
                if sighting.rival is not None:
                    raise UnusableInput(
                        f"another item of {resource_id} captured at the same time differs, in {sighting.rival}; "
                        "remove one of them",
                        sighting.where,
                    )
            yield found[0].item if len(found) == 1 else _agreed(*found)


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
