"""Load balancers whose rules name exactly what is recommended, as most do: that they meet it shows at a glance.

Clients are the recommended CIDR blocks by their text here, and targets are instances that carry a security group by its
ID. What does not show in this way is judged by its requirements, which give the same verdict where it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission, Target, TargetGroup, UnknownValue
from alb_sg.permissions.allowed_traffic import MAX_PERMISSIONS_WITHOUT_INDEX, Traffic
from alb_sg.recommendations.applicability import is_applicable
from alb_sg.recommendations.clients import CLIENT_FAMILIES
from alb_sg.recommendations.load_balancer_context import RECEIVING_STATES, STATES_WITHOUT_TRAFFIC

# How many requirements are met, and the IDs of the security groups that decide about them.
PlainlyMet = tuple[int, tuple[str, ...]]


class NotPlain(Exception):
    """Whether a rule is met does not show at a glance."""


class ClientBlocks(NamedTuple):
    """The CIDR blocks of the clients in one address family."""

    family: Family
    cidrs: tuple[str, ...]


class _PlainTargets(NamedTuple):
    """The registrations in a target group that receive traffic: instances, all on one port. `carried` are the security
    groups of their primary interfaces."""

    group: TargetGroup
    port: int
    ids: Sequence[str]
    carried: Collection[tuple[str, ...]]


# The ports of a target group that are required; None: each target's own.
PortsOf = Callable[[TargetGroup], Iterable[int | None]]

_ANY_ADDRESS = {family: family.any_address_cidr for family in Family}
_INTERNET: Mapping[str | UnknownValue, Sequence[ClientBlocks]] = {
    address_type: [ClientBlocks(family, (family.any_address_cidr,)) for family in families]
    for address_type, families in CLIENT_FAMILIES.items()
}


class PlainLoadBalancer:
    """An Application Load Balancer in service, in an estate that is deployed.

    To make one, and each method, raises NotPlain or NotReadError where something does not show at a glance.
    """

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        if estate.is_planned or not is_applicable(load_balancer):
            raise NotPlain
        self.estate = estate
        self.load_balancer = load_balancer
        self._security_groups = load_balancer.security_groups
        self._known_targets: Sequence[_PlainTargets] | None = None
        self._reached_by_port: dict[int, set[str]] = {}

    def clients(self) -> Sequence[ClientBlocks]:
        """The clients by scheme and address type."""
        load_balancer = self.load_balancer
        internet = _INTERNET.get(load_balancer.ip_address_type)
        if internet is None:
            raise NotPlain
        if load_balancer.scheme == "internet-facing":
            return internet
        vpc = self.estate.vpc(load_balancer.vpc_id)
        blocks = [ClientBlocks(family, vpc.known_cidrs(family)) for family, _ in internet]
        if load_balancer.scheme != "internal" or not all(cidrs for _, cidrs in blocks):
            raise NotPlain
        return blocks

    def clients_are_let_in(self, required: Iterable[tuple[Traffic, ClientBlocks]]) -> PlainlyMet:
        """The load balancer's groups let clients in: rules name each of their blocks, or any address."""
        wanted = tuple(required)
        if not _name_blocks(self._rules_of(self._security_groups, is_egress=False), wanted):
            raise NotPlain
        return len(wanted), self._security_groups

    def targets_are_reached(self, ports_of: PortsOf) -> PlainlyMet:
        """The load balancer's groups let it reach its targets on some ports: rules name a group of each."""
        count = 0
        for targets in self._targets():
            for port in ports_of(targets.group):
                reached = self._groups_reached(targets.port if port is None else port)
                if any(map(reached.isdisjoint, targets.carried)):
                    raise NotPlain
                count += len(targets.ids)
        return count, self._security_groups

    def targets_let_it_in(self, ports_of: PortsOf) -> PlainlyMet:
        """The groups of targets let the load balancer in on some ports: rules name one of its groups. A target counts
        once for a port, however often it is registered."""
        count = 0
        rules_by_carried: dict[tuple[str, ...], list[Permission]] = {}
        for targets in self._targets():
            ports = {targets.port if port is None else port for port in ports_of(targets.group)}
            for group_ids in targets.carried:
                rules = rules_by_carried.get(group_ids)
                if rules is None:
                    rules = rules_by_carried[group_ids] = self._rules_for_it(group_ids)
                for port in ports:
                    if not Traffic.tcp(port).select(rules):
                        raise NotPlain
            count += len(set(targets.ids)) * len(ports)
        return count, tuple(dict.fromkeys(group_id for group_ids in rules_by_carried for group_id in sorted(group_ids)))

    def _rules_for_it(self, group_ids: tuple[str, ...]) -> list[Permission]:
        """The inbound rules of some groups that name a group of the load balancer."""
        rules = self._rules_of(group_ids, is_egress=False)
        own = self._security_groups
        return [rule for rule in rules if rule.references and not self._named_groups((rule,)).isdisjoint(own)]

    def _targets(self) -> Sequence[_PlainTargets]:
        """The targets of each target group that has one which receives traffic, by ARN."""
        if self._known_targets is None:
            groups = self.estate.target_groups_of(self.load_balancer)
            found = [self._targets_of(group) for group in groups if group.target_type != "lambda"]
            self._known_targets = [targets for targets in found if targets.ids]
        return self._known_targets

    def _targets_of(self, group: TargetGroup) -> _PlainTargets:
        if group.target_type != "instance":
            raise NotPlain
        estate = self.estate
        ids: list[str] = []
        # A dictionary keeps the order of the targets.
        carried: dict[tuple[str, ...], None] = {}
        first: Target | None = None
        for target in estate.targets_of(group):
            if target.state in STATES_WITHOUT_TRAFFIC:
                continue
            first = first or target
            if target.state not in RECEIVING_STATES or target.port != first.port:
                raise NotPlain
            ids.append(target.id)
            carried[estate.instance(target.id).groups] = None
        if () in carried:
            raise NotPlain
        return _PlainTargets(group, 0 if first is None else group.port_of(first), ids, carried)

    def _groups_reached(self, port: int) -> set[str]:
        """The groups that outbound rules of the load balancer's groups name for a TCP port."""
        reached = self._reached_by_port.get(port)
        if reached is None:
            rules = Traffic.tcp(port).select(self._rules_of(self._security_groups, is_egress=True))
            reached = self._reached_by_port[port] = self._named_groups(rules)
        return reached

    def _named_groups(self, rules: Iterable[Permission]) -> set[str]:
        """The groups that rules name by their ID alone: not over a peering, and not deleted."""
        named: set[str] = set()
        for rule in rules:
            for reference in rule.references:
                if not reference.is_over_peering:
                    named.add(reference.group_id)
        return named - self.estate.deleted_security_groups

    def _rules_of(self, group_ids: tuple[str, ...], *, is_egress: bool) -> tuple[Permission, ...]:
        """The rules of security groups of this account and region. They are few, as each kind of traffic looks at
        all."""
        known = self.estate.security_groups
        rules: tuple[Permission, ...] = ()
        for group_id in group_ids:
            if known is None or group_id not in known:
                raise NotPlain
            rules += known[group_id].egress if is_egress else known[group_id].ingress
        if len(rules) > MAX_PERMISSIONS_WITHOUT_INDEX:
            raise NotPlain
        return rules


# Most load balancers of an account have the same few listeners and the same few rules for their clients.
@lru_cache(maxsize=256)
def _name_blocks(rules: tuple[Permission, ...], wanted: tuple[tuple[Traffic, ClientBlocks], ...]) -> bool:
    """Whether rules name, for each kind of traffic, all blocks or any address."""
    for traffic, (family, cidrs) in wanted:
        named = {cidr for rule in traffic.select(rules) for cidr in rule.cidrs}
        if _ANY_ADDRESS[family] not in named and not named.issuperset(cidrs):
            return False
    return True
