"""What a verdict does not hang on and a change does: who carries a security group, who manages and owns it, what
prefix lists count for.

Read live, or from the raw sections of saved estates. What was not read raises NotReadError where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alb_sg.errors import NotReadError
from alb_sg.estate import from_api
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.parameters import SECURITY_GROUP_ID
from alb_sg.remediation.quota import prefix_list_weight

Shape = Mapping[str, Any]

# NetworkInterface.RequesterId of the interfaces that Elastic Load Balancing makes (DescribeNetworkInterfaces).
ELB_REQUESTER_ID = "amazon-elb"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    id: str
    name: str
    vpc_id: str
    owner_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AttachedResource:
    """Something other than the load balancer that carries security groups; `what` is what a person calls it."""

    label: str
    group_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class PrefixListFacts:
    """`weight`: how many rules a reference counts for; None where that is not known. `family` None: either."""

    weight: int | None
    family: Family | None


@dataclass(frozen=True)
class ChangeContext:
    """`unread` says of a section (SecurityGroups, NetworkInterfaces, LoadBalancers, Instances, Tags,
    ManagedPrefixLists) why it is not, or not all, in the data."""

    groups: Mapping[str, GroupFacts] = field(default_factory=dict)
    attached_resources: Sequence[AttachedResource] = ()
    load_balancer_tags: Mapping[str, str] = field(default_factory=dict)
    prefix_lists: Mapping[str, PrefixListFacts] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def group(self, group_id: str) -> GroupFacts | None:
        """A security group; None where this account and region has none of this id."""
        self._require_section("SecurityGroups", f"tags and owner of {group_id}")
        return self.groups.get(group_id)

    def group_by_name(self, name: str, vpc_id: str) -> GroupFacts | None:
        """The security group of a name in a VPC."""
        self._require_section("SecurityGroups", f"whether a security group is called {name}")
        return next((one for one in self.groups.values() if (one.name, one.vpc_id) == (name, vpc_id)), None)

    def other_resources_with(self, group_id: str) -> tuple[str, ...]:
        """What carries a group besides the load balancer, as people call it."""
        for section in ("NetworkInterfaces", "LoadBalancers", "Instances"):
            self._require_section(section, f"who carries {group_id}")
        return tuple(sorted(carrier.label for carrier in self.attached_resources if group_id in carrier.group_ids))

    def require_load_balancer_tags(self) -> Mapping[str, str]:
        self._require_section("Tags", "tags of the load balancer")
        return self.load_balancer_tags

    def prefix_list(self, prefix_list_id: str) -> PrefixListFacts:
        """What a prefix list counts for. One that is not among those read counts for an unknown number."""
        return self.prefix_lists.get(prefix_list_id, PrefixListFacts(None, None))

    def _require_section(self, section: str, what: str) -> None:
        if section in self.unread:
            raise NotReadError(what, self.unread[section])


def unknown_change_context(cause: str) -> ChangeContext:
    """Nothing is known, for one cause."""
    sections = ("SecurityGroups", "NetworkInterfaces", "LoadBalancers", "Instances", "Tags")
    return ChangeContext(unread=dict.fromkeys(sections, cause))


def groups_to_read(load_balancer: LoadBalancer, results: Iterable[Finding | EvaluationError]) -> frozenset[str]:
    """The load balancer's groups and those that a rule could refer to."""
    missing = [entry for result in results if isinstance(result, Finding) for entry in result.missing]
    peers = {peer for entry in missing for peer in (*entry.or_security_groups, *entry.required)}
    return frozenset({*load_balancer.security_groups, *filter(SECURITY_GROUP_ID.fullmatch, peers)})


# --- the API's own shapes


def parse_group_facts(source: Any) -> GroupFacts:
    source = from_api.require_object(source)
    group_id = from_api.required_text(source, "GroupId")
    return GroupFacts(
        id=group_id,
        name=from_api.text_or_default(source, "GroupName", group_id),
        vpc_id=from_api.text_or_default(source, "VpcId", ""),
        owner_id=from_api.required_text(source, "OwnerId"),
        tags=from_api.tags(source.get("Tags")),
    )


def attached_interface(source: Any, load_balancer_arn: str) -> AttachedResource | None:
    """What carries groups through an interface; None for an interface of the load balancer's own.

    Elastic Load Balancing describes its interfaces as `ELB app/name/id`. Anybody may describe an interface so:
    only one that the service requested is the load balancer's.
    """
    source = from_api.require_object(source)
    description = str(source.get("Description") or "")
    attachment = from_api.require_object(source.get("Attachment") or {})
    by_the_service = ELB_REQUESTER_ID in (source.get("RequesterId"), attachment.get("InstanceOwnerId"))
    if by_the_service and description == f"ELB {load_balancer_arn.partition(':loadbalancer/')[2]}":
        return None
    name = f"network interface {from_api.required_text(source, 'NetworkInterfaceId')}"
    groups = frozenset(from_api.read_list(source, "Groups", from_api.security_group_id))
    return AttachedResource(f"{name} ({description})" if description else name, groups)


def attached_load_balancer(other: LoadBalancer) -> AttachedResource:
    return AttachedResource(f"load balancer {other.name}", frozenset(other.security_groups))


def parse_prefix_list_facts(source: Any) -> PrefixListFacts:
    source = from_api.require_object(source)
    name = str(source.get("PrefixListName") or "")
    family = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}.get(str(source.get("AddressFamily") or "").lower())
    most = source.get("MaxEntries")
    maximum = None if most is None else from_api.whole_number(most, "MaxEntries")
    return PrefixListFacts(prefix_list_weight(name, maximum), family)


# --- saved estates


def saved_change_context(
    sources: Sequence[Shape], load_balancer: LoadBalancer, load_balancers: Iterable[LoadBalancer]
) -> ChangeContext:
    """From the raw sections of the saved estates of a run. `load_balancers`: all of them.

    Interfaces count wherever they are: a group may be shared with other accounts. Raises InvalidInputError.
    """
    account_region = (load_balancer.account_id, load_balancer.region)
    own = next(one for one in sources if (str(one.get("AccountId")), one.get("Region")) == account_region)
    where = " ".join(account_region)
    unread = {
        name: f"{name} of {where} was not collected"
        for name in ("SecurityGroups", "NetworkInterfaces", "Tags", "LoadBalancers", "ManagedPrefixLists")
        if own.get(name) is None
    }
    interfaces = [
        one for source in sources for one in _section_elements(source.get("NetworkInterfaces"), "NetworkInterfaces")
    ]
    found = (attached_interface(one, load_balancer.arn) for one in interfaces)
    carriers = [carrier for carrier in found if carrier is not None]
    known = {one.get("NetworkInterfaceId") for one in interfaces}
    for source in sources:
        for instance in _section_elements(source.get("Instances"), "Reservations", "Instances"):
            carriers += _attached_instances(instance, known)
    carriers += [attached_load_balancer(other) for other in load_balancers if other.arn != load_balancer.arn]
    groups = map(parse_group_facts, _section_elements(own.get("SecurityGroups"), "SecurityGroups"))
    return ChangeContext(
        groups={one.id: one for one in groups},
        attached_resources=carriers,
        load_balancer_tags=_load_balancer_tags(own.get("Tags"), load_balancer.arn),
        prefix_lists={
            key: parse_prefix_list_facts(value)
            for source in sources
            for key, value in from_api.require_object(source.get("ManagedPrefixLists") or {}).items()
            if value is not None
        },
        unread=unread,
    )


def _attached_instances(instance: Shape, known: Iterable[Any]) -> Iterator[AttachedResource]:
    """What an instance carries through interfaces that are not in the data themselves."""
    interfaces = from_api.list_or_empty(instance.get("NetworkInterfaces"))
    holders = [one for one in interfaces if one.get("NetworkInterfaceId") not in known]
    if not interfaces:
        holders = [{"Groups": instance.get("SecurityGroups")}]
    for holder in holders:
        groups = frozenset(from_api.read_list(holder, "Groups", from_api.security_group_id))
        yield AttachedResource(f"instance {from_api.required_text(instance, 'InstanceId')}", groups)


def _section_elements(value: Any, *wrappers: str) -> Iterator[Shape]:
    """Every element of a section, out of the wrappers in which the `aws` command prints it."""
    if isinstance(value, Mapping):
        key = next((name for name in wrappers if name in value), None)
        if key is None:
            yield value
            return
        value = value[key]
    for element in from_api.list_or_empty(value):
        if isinstance(element, Mapping) and any(name in element for name in wrappers):
            yield from _section_elements(element, *wrappers)
        else:
            yield from_api.require_object(element)


def _load_balancer_tags(value: Any, arn: str) -> Mapping[str, str]:
    """A load balancer's tags in a section that is an object by ARN, or DescribeTags' answer."""
    if isinstance(value, Mapping) and "TagDescriptions" not in value:
        return from_api.tags(value.get(arn))
    for description in _section_elements(value, "TagDescriptions"):
        if description.get("ResourceArn") == arn:
            return from_api.tags(description.get("Tags"))
    return {}
