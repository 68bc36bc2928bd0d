"""What a change can newly break in an account: the only part of it whose details are read.

Elastic Load Balancing allows ten calls a second for all of an account (user guide, "Request throttling"). One call
reads the listeners of one load balancer, and one the targets of one target group. All else takes a few calls for the
whole account. From that alone it follows which load balancers a change takes something away from, and on which side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alb_sg.aws.arns import listener_load_balancer_arn, listener_of_rule
from alb_sg.estate.cidr import parse_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.field_readers import texts_in
from alb_sg.estate.model import Permission, SecurityGroup, TargetGroup, is_placeholder
from alb_sg.estate.planned.planned_estate import planned_estates
from alb_sg.estate.planned.resources import Action, Scenario
from alb_sg.estate.planned.security_group_rules import split_rules
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.recommendation import Recommendation

# The target group types whose targets have security groups.
_GROUPS_OF_MEMBERS = ("instance", "ip")


@dataclass(frozen=True)
class Scope:
    """The load balancers whose verdicts a change can make worse, by ARN.

    `clients`: about what lets clients in, for which their listeners are read. `targets`: about the way to their
    targets, for which registrations are read. Verdicts may also depend on `target_groups`, of which the change concerns
    `changed_target_groups`, and on the listeners of `fronts`, Network Load Balancers.
    """

    clients: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    target_groups: frozenset[str] = frozenset()
    changed_target_groups: frozenset[str] = frozenset()
    fronts: frozenset[str] = frozenset()

    @property
    def load_balancers(self) -> frozenset[str]:
        return self.clients | self.targets

    def of_rule(self, rule: Recommendation) -> frozenset[str]:
        """The load balancers for which the change can make the verdict of a rule worse."""
        return self.clients if rule.direction is Direction.INGRESS else self.targets

    def without(self, load_balancer_arns: Iterable[str]) -> Scope:
        left = frozenset(load_balancer_arns)
        return replace(self, clients=self.clients - left, targets=self.targets - left)


@dataclass
class _Changes:
    """What the ways of making a change do to the resources that exist, together: identifiers of what they touch, and of
    load balancers (and the VPCs of targets) whose groups let less through than before, by direction."""

    touched: set[str] = field(default_factory=set)
    reduced: dict[Direction, set[str]] = field(
        default_factory=lambda: {Direction.INGRESS: set(), Direction.EGRESS: set()}
    )
    groups_with_other_ingress: set[str] = field(default_factory=set)
    load_balancers: set[str] = field(default_factory=set)
    target_groups: set[str] = field(default_factory=set)
    vpcs: set[str] = field(default_factory=set)
    subnets: set[str] = field(default_factory=set)
    # The VPCs in which other interfaces than those of load balancers change, or let less in.
    vpcs_of_targets: set[str] = field(default_factory=set)
    vpcs_of_new_load_balancers: set[str] = field(default_factory=set)


def find_scope(scenarios: Sequence[Scenario], base: Estate, rules: Iterable[Recommendation]) -> Scope:
    """The scope of a change, before registrations are known: `with_load_balancers_behind` completes it.

    `base` is the account without listeners and registrations. Raises InvalidInputError.
    """
    changes = _changes(scenarios, base)
    clients = changes.load_balancers | changes.reduced[Direction.INGRESS]
    targets = changes.load_balancers | changes.reduced[Direction.EGRESS]
    for one in base.load_balancers.values():
        if one.vpc_id in changes.vpcs:
            clients.add(one.arn)
            targets.add(one.arn)
        if one.type == "network" and not changes.groups_with_other_ingress.isdisjoint(one.security_groups):
            clients.add(one.arn)
        # Where its subnets are not known, its verdicts are errors before and after.
        if not changes.subnets.isdisjoint(one.subnet_ids):
            targets.add(one.arn)
    vpcs = set(changes.vpcs_of_new_load_balancers)
    for group in (base.target_groups or {}).values():
        is_changed = group.arn in changes.target_groups
        if is_changed or (group.target_type in _GROUPS_OF_MEMBERS and group.vpc_id in changes.vpcs_of_targets):
            targets.update(group.load_balancer_arns or ())
        if is_changed and group.may_hold_load_balancers:
            clients.update(group.load_balancer_arns or ())
            vpcs.add(group.vpc_id)
    if any(rule.find_unused is not None for rule in rules):
        # An opening is unused if no listener of any load balancer that carries the group uses it.
        clients |= base.load_balancers.keys()
    clients &= base.load_balancers.keys()
    targets &= base.load_balancers.keys()
    vpcs |= {base.load_balancers[arn].vpc_id for arn in clients}
    fronts = [one for one in _groups_of_load_balancers(base) if _may_be_in(one, vpcs)]
    return Scope(
        frozenset(clients),
        frozenset(targets),
        frozenset(changes.target_groups | {one.arn for one in fronts}),
        frozenset(changes.target_groups),
        frozenset(arn for one in fronts for arn in one.load_balancer_arns or ()),
    )


def with_load_balancers_behind(scope: Scope, base: Estate) -> Scope:
    """The scope with the load balancers behind those Network Load Balancers that the change concerns: what these let
    in are the clients of the others. `base` has the registrations of `scope.target_groups`."""
    behind = {
        target.id
        for group in _groups_of_load_balancers(base)
        if group.arn in scope.changed_target_groups or not scope.clients.isdisjoint(group.load_balancer_arns or ())
        for target in (base.targets or {}).get(group.arn, ())
    }
    return replace(scope, clients=scope.clients | (behind & base.load_balancers.keys()))


def target_groups_of(scope: Scope, base: Estate) -> Mapping[str, list[str]]:
    """The target groups whose registrations are needed, by the load balancers of the scope that use them."""
    found: dict[str, list[str]] = {}
    for group in (base.target_groups or {}).values():
        for arn in scope.targets.intersection(group.load_balancer_arns or ()):
            found.setdefault(arn, []).append(group.arn)
    return found


def _groups_of_load_balancers(base: Estate) -> Iterator[TargetGroup]:
    return (one for one in (base.target_groups or {}).values() if one.may_hold_load_balancers)


def _may_be_in(group: TargetGroup, vpcs: set[str]) -> bool:
    return not group.vpc_id or group.vpc_id in vpcs or any(not one or is_placeholder(one) for one in vpcs)


def _changes(scenarios: Sequence[Scenario], base: Estate) -> _Changes:
    changes = _Changes()
    for scenario in scenarios:
        planned = planned_estates(scenario, [base])
        after = next(one for one in planned.estates if one.account_region == base.account_region)
        changes.touched |= planned.touched | _named(scenario)
        _compare(base, after, changes)
    changes.load_balancers |= changes.touched
    # Nobody has registered anything in a new one.
    changes.target_groups = (changes.target_groups | changes.touched) & (base.target_groups or {}).keys()
    return changes


def _named(scenario: Scenario) -> set[str]:
    """The identifiers that a scenario names, with the load balancers of its listeners and listener rules."""
    named = {
        text
        for one in scenario.resources
        if one.action is not Action.KEEP
        for text in texts_in([one.physical_id, one.properties, one.before])
    }
    listeners = named | {arn for arn in map(listener_of_rule, named) if arn is not None}
    return named | {arn for arn in map(listener_load_balancer_arn, listeners) if arn is not None}


def _compare(base: Estate, after: Estate, changes: _Changes) -> None:
    difference = _RuleDifference(base, after)
    for arn, one in base.load_balancers.items():
        if after.load_balancers.get(arn) != one:
            changes.load_balancers.add(arn)
        for direction, reduced in changes.reduced.items():
            if difference.is_reduced(one.security_groups, direction):
                reduced.add(arn)
    changes.groups_with_other_ingress |= difference.groups_with_other_ingress
    changes.target_groups |= _changed(base.target_groups, after.target_groups)
    changes.vpcs |= _changed(base.vpcs, after.vpcs)
    changes.subnets |= _changed(base.subnets, after.subnets)
    interfaces = base.network_interfaces or {}
    changed = _changed(interfaces, after.network_interfaces)
    instances = _changed(base.instances, after.instances)
    vpcs = {
        one.vpc_id
        for one in interfaces.values()
        if one.id in changed
        or one.instance_id in instances
        or (not one.is_elb_managed and difference.is_reduced(one.groups, Direction.INGRESS))
    }
    changes.vpcs_of_targets |= vpcs
    # A reference over a peering tells the groups of a target in another VPC.
    changes.reduced[Direction.EGRESS] |= {
        arn
        for arn, one in base.load_balancers.items()
        if (vpcs or not difference.changed_groups.isdisjoint(one.security_groups))
        and difference.are_peered(one.security_groups)
    }
    changes.vpcs_of_new_load_balancers |= {
        one.vpc_id for arn, one in after.load_balancers.items() if arn not in base.load_balancers
    }


def _changed(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> set[str]:
    """The identifiers of what existed and is something else afterwards."""
    left = after or {}
    return {key for key, one in (before or {}).items() if left.get(key) != one}


class _RuleDifference:
    """What security groups let through less than before, one way of making the change later."""

    def __init__(self, base: Estate, after: Estate) -> None:
        self._lists = _changed(base.prefix_lists, after.prefix_lists)
        self._deleted = after.deleted_security_groups - base.deleted_security_groups
        self._left = after.security_groups or {}
        # By group and direction, what is not there as it was.
        self._lost: dict[tuple[str, Direction], list[Permission]] = {}
        self._is_reduced: dict[tuple[tuple[str, ...], Direction], bool] = {}
        self.groups_with_other_ingress: set[str] = set()
        self.changed_groups: set[str] = set()
        for group in (base.security_groups or {}).values():
            self._compare(group)

    def is_reduced(self, group_ids: tuple[str, ...], direction: Direction) -> bool:
        """Whether a rule of these groups lets through what no single rule of them does afterwards."""
        lost = [rule for group_id in group_ids for rule in self._lost.get((group_id, direction), ())]
        if not lost:
            return False
        key = (group_ids, direction)
        if key not in self._is_reduced:
            left = [rule for group_id in group_ids for rule in self._rules_left(group_id, direction)]
            self._is_reduced[key] = any(not any(_covers(wide, one) for wide in left) for one in lost)
        return self._is_reduced[key]

    def are_peered(self, group_ids: tuple[str, ...]) -> bool:
        """Whether a rule that these groups have afterwards names a group over a VPC peering."""
        groups = [self._left.get(one) for one in group_ids]
        return any(
            reference.is_over_peering or (reference.vpc_id is not None and reference.vpc_id != group.vpc_id)
            for group in groups
            if group is not None
            for rule in (*group.ingress, *group.egress)
            for reference in rule.references
        )

    def _compare(self, before: SecurityGroup) -> None:
        after = self._left.get(before.id)
        if after != before:
            self.changed_groups.add(before.id)
        if after is None or (after.ingress, after.unknown_ingress) != (before.ingress, before.unknown_ingress):
            self.groups_with_other_ingress.add(before.id)
        for direction in (Direction.INGRESS, Direction.EGRESS):
            rules = _rules_of(before, direction)
            if after is not None and _rules_of(after, direction) is rules and not any(map(self._names_less, rules)):
                continue
            same = frozenset(self._rules_left(before.id, direction))
            self._lost[before.id, direction] = [one for one in split_rules(rules) if one not in same]

    def _rules_left(self, group_id: str, direction: Direction) -> list[Permission]:
        after = self._left.get(group_id)
        rules = () if after is None else split_rules(_rules_of(after, direction))
        return [one for one in rules if not self._names_less(one)]

    def _names_less(self, rule: Permission) -> bool:
        """Whether what a rule names may shrink."""
        return not self._lists.isdisjoint(rule.prefix_list_ids) or any(
            peer.group_id in self._deleted for peer in rule.references
        )


def _rules_of(group: SecurityGroup, direction: Direction) -> tuple[Permission, ...]:
    return group.ingress if direction is Direction.INGRESS else group.egress


def _covers(wide: Permission, narrow: Permission) -> bool:
    """Whether a rule lets everything through that another one does. Both have a single peer.

    A reference covers the same reference alone: rules may ask for one.
    """
    if wide.protocol != "-1":
        if wide.protocol != narrow.protocol:
            return False
        if wide.has_ports:
            (first, last), (start, end) = wide.port_range, narrow.port_range
            if not first <= start <= end <= last:
                return False
        elif (wide.from_port, wide.to_port) != (narrow.from_port, narrow.to_port):
            return False
    if narrow.cidrs and wide.cidrs:
        (family, (first, last)), (other, (start, end)) = parse_cidr(wide.cidrs[0]), parse_cidr(narrow.cidrs[0])
        return family is other and first <= start <= end <= last
    same_lists = bool(narrow.prefix_list_ids) and narrow.prefix_list_ids == wide.prefix_list_ids
    return same_lists or (bool(narrow.references) and narrow.references == wide.references)
