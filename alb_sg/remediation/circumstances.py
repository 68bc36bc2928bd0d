"""What a verdict does not hang on and a change does: who carries a security group, who manages and owns it, what
prefix lists count for.

Read live, or from the raw sections of saved estates. What was not read raises Unread where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alb_sg.errors import Unread
from alb_sg.estate import from_api
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.parameters import SECURITY_GROUP_ID
from alb_sg.remediation.quota import prefix_list_weight

Shape = Mapping[str, Any]

# NetworkInterface.RequesterId of the interfaces that Elastic Load Balancing makes (DescribeNetworkInterfaces).
ELASTIC_LOAD_BALANCING = "amazon-elb"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    id: str
    name: str
    vpc_id: str
    owner_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Something other than the load balancer that carries security groups; `what` is what a person calls it."""

    what: str
    group_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class PrefixListFacts:
    """`weight`: how many rules a reference counts for; None where that is not known. `family` None: either."""

    weight: int | None
    family: Family | None


@dataclass(frozen=True)
class Circumstances:
    """`unread` says of a section (SecurityGroups, NetworkInterfaces, LoadBalancers, Instances, Tags,
    ManagedPrefixLists) why it is not, or not all, in the data."""

    groups: Mapping[str, GroupFacts] = field(default_factory=dict)
    carriers: Sequence[Carrier] = ()
    load_balancer_tags: Mapping[str, str] = field(default_factory=dict)
    prefix_lists: Mapping[str, PrefixListFacts] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def group(self, group_id: str) -> GroupFacts | None:
        """A security group; None where this account and region has none of this id."""
        self._must_have("SecurityGroups", f"tags and owner of {group_id}")
        return self.groups.get(group_id)

    def named(self, name: str, vpc_id: str) -> GroupFacts | None:
        """The security group of a name in a VPC."""
        self._must_have("SecurityGroups", f"whether a security group is called {name}")
        return next((one for one in self.groups.values() if (one.name, one.vpc_id) == (name, vpc_id)), None)

    def others_that_carry(self, group_id: str) -> tuple[str, ...]:
        """What carries a group besides the load balancer, as people call it."""
        for section in ("NetworkInterfaces", "LoadBalancers", "Instances"):
            self._must_have(section, f"who carries {group_id}")
        return tuple(sorted(carrier.what for carrier in self.carriers if group_id in carrier.group_ids))

    def tags_of_load_balancer(self) -> Mapping[str, str]:
        self._must_have("Tags", "tags of the load balancer")
        return self.load_balancer_tags

    def prefix_list(self, prefix_list_id: str) -> PrefixListFacts:
        """What a prefix list counts for. One that is not among those read counts for an unknown number."""
        return self.prefix_lists.get(prefix_list_id, PrefixListFacts(None, None))

    def _must_have(self, section: str, what: str) -> None:
        if section in self.unread:
            raise Unread(what, self.unread[section])


def unknown(cause: str) -> Circumstances:
    """Nothing is known, for one cause."""
    sections = ("SecurityGroups", "NetworkInterfaces", "LoadBalancers", "Instances", "Tags")
    return Circumstances(unread=dict.fromkeys(sections, cause))


def groups_concerned(load_balancer: LoadBalancer, results: Iterable[Finding | JudgementError]) -> frozenset[str]:
    """The load balancer's groups and those that a rule could refer to."""
    missing = [entry for result in results if isinstance(result, Finding) for entry in result.missing]
    peers = {peer for entry in missing for peer in (*entry.or_security_groups, *entry.required)}
    return frozenset({*load_balancer.security_groups, *filter(SECURITY_GROUP_ID.fullmatch, peers)})


# --- the API's own shapes


def group_facts(source: Any) -> GroupFacts:
    source = from_api.shape(source)
    group_id = from_api.text(source, "GroupId")
    return GroupFacts(
        id=group_id,
        name=from_api.text_or(source, "GroupName", group_id),
        vpc_id=from_api.text_or(source, "VpcId", ""),
        owner_id=from_api.text(source, "OwnerId"),
        tags=from_api.tags(source.get("Tags")),
    )


def interface_carrier(source: Any, load_balancer_arn: str) -> Carrier | None:
    """What carries groups through an interface; None for an interface of the load balancer's own.

    Elastic Load Balancing describes its interfaces as `ELB app/name/id`. Anybody may describe an interface so:
    only one that the service requested is the load balancer's.
    """
    source = from_api.shape(source)
    description = str(source.get("Description") or "")
    attachment = from_api.shape(source.get("Attachment") or {})
    by_the_service = ELASTIC_LOAD_BALANCING in (source.get("RequesterId"), attachment.get("InstanceOwnerId"))
    if by_the_service and description == f"ELB {load_balancer_arn.partition(':loadbalancer/')[2]}":
        return None
    name = f"network interface {from_api.text(source, 'NetworkInterfaceId')}"
    groups = frozenset(from_api.listed(source, "Groups", from_api.security_group_id))
    return Carrier(f"{name} ({description})" if description else name, groups)


def load_balancer_carrier(other: LoadBalancer) -> Carrier:
    return Carrier(f"load balancer {other.name}", frozenset(other.security_groups))


def prefix_list_facts(source: Any) -> PrefixListFacts:
    source = from_api.shape(source)
    name = str(source.get("PrefixListName") or "")
    family = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}.get(str(source.get("AddressFamily") or "").lower())
    most = source.get("MaxEntries")
    maximum = None if most is None else from_api.whole_number(most, "MaxEntries")
    return PrefixListFacts(prefix_list_weight(name, maximum), family)


# --- saved estates


def saved_circumstances(
    sources: Sequence[Shape], load_balancer: LoadBalancer, load_balancers: Iterable[LoadBalancer]
) -> Circumstances:
    """From the raw sections of the saved estates of a run. `load_balancers`: all of them.

    Interfaces count wherever they are: a group may be shared with other accounts. Raises UnusableInput.
    """
    home = (load_balancer.account_id, load_balancer.region)
    own = next(one for one in sources if (str(one.get("AccountId")), one.get("Region")) == home)
    where = " ".join(home)
    unread = {
        name: f"{name} of {where} was not collected"
        for name in ("SecurityGroups", "NetworkInterfaces", "Tags", "LoadBalancers", "ManagedPrefixLists")
        if own.get(name) is None
    }
    interfaces = [one for source in sources for one in _elements(source.get("NetworkInterfaces"), "NetworkInterfaces")]
    found = (interface_carrier(one, load_balancer.arn) for one in interfaces)
    carriers = [carrier for carrier in found if carrier is not None]
    known = {one.get("NetworkInterfaceId") for one in interfaces}
    for source in sources:
        for instance in _elements(source.get("Instances"), "Reservations", "Instances"):
            carriers += _instance_carriers(instance, known)
    carriers += [load_balancer_carrier(other) for other in load_balancers if other.arn != load_balancer.arn]
    groups = map(group_facts, _elements(own.get("SecurityGroups"), "SecurityGroups"))
    return Circumstances(
        groups={one.id: one for one in groups},
        carriers=carriers,
        load_balancer_tags=_tags(own.get("Tags"), load_balancer.arn),
        prefix_lists={
            key: prefix_list_facts(value)
            for source in sources
            for key, value in from_api.shape(source.get("ManagedPrefixLists") or {}).items()
            if value is not None
        },
        unread=unread,
    )


def _instance_carriers(instance: Shape, known: Iterable[Any]) -> Iterator[Carrier]:
    """What an instance carries through interfaces that are not in the data themselves."""
    interfaces = from_api.items(instance.get("NetworkInterfaces"))
    holders = [one for one in interfaces if one.get("NetworkInterfaceId") not in known]
    if not interfaces:
        holders = [{"Groups": instance.get("SecurityGroups")}]
    for holder in holders:
        groups = frozenset(from_api.listed(holder, "Groups", from_api.security_group_id))
        yield Carrier(f"instance {from_api.text(instance, 'InstanceId')}", groups)


def _elements(value: Any, *wrappers: str) -> Iterator[Shape]:
    """Every element of a section, out of the wrappers in which the `aws` command prints it."""
    if isinstance(value, Mapping):
        key = next((name for name in wrappers if name in value), None)
        if key is None:
            yield value
            return
        value = value[key]
    for element in from_api.items(value):
        if isinstance(element, Mapping) and any(name in element for name in wrappers):
            yield from _elements(element, *wrappers)
        else:
            yield from_api.shape(element)


def _tags(value: Any, arn: str) -> Mapping[str, str]:
    """A load balancer's tags in a section that is an object by ARN, or DescribeTags' answer."""
    if isinstance(value, Mapping) and "TagDescriptions" not in value:
        return from_api.tags(value.get(arn))
    for description in _elements(value, "TagDescriptions"):
        if description.get("ResourceArn") == arn:
            return from_api.tags(description.get("Tags"))
    return {}
