"""Load balancers, listeners and target groups of a planned estate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, NamedTuple

from alb_sg.aws.arns import listener_load_balancer_arn
from alb_sg.estate.model import (
    IP_ADDRESS_TYPES,
    LISTENER_PROTOCOLS,
    LOAD_BALANCER_TYPES,
    SCHEMES,
    TARGET_TYPES,
    Listener,
    LoadBalancer,
    TargetGroup,
    UnknownValue,
)
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.draft import NEW_ACTIONS, NOT_IN_DOCUMENT, Draft
from alb_sg.estate.planned.planned_groups import SecurityGroupBuilder
from alb_sg.estate.planned.planned_vpcs import VpcBuilder
from alb_sg.estate.planned.resources import Action, PlannedResource, UnknownPlannedValue
from alb_sg.estate.planned.security_group_rules import tags_of
from alb_sg.estate.planned.values import FAMILIES, Properties, resource_id, unknown_text, unknown_value
from alb_sg.estate.sections import Section


class _Forwarded(NamedTuple):
    """The target groups that actions forward to, a value that hides some of them, and those of which it hides some:
    None where that may be any."""

    arns: set[str]
    unknown: UnknownValue | None
    possible: tuple[str, ...] | None

    @property
    def all_possible(self) -> tuple[str, ...] | None:
        """All that the actions may forward to; None where that may be any."""
        is_bounded = self.unknown is None or self.possible is not None
        return tuple(sorted({*self.arns, *(self.possible or ())})) if is_bounded else None


class LoadBalancerBuilder:
    """Builds load balancers, their listeners, and the target groups that these forward to."""

    def __init__(self, draft: Draft, vpcs: VpcBuilder, groups: SecurityGroupBuilder) -> None:
        self._draft = draft
        self._vpcs = vpcs
        self._groups = groups

    def build_load_balancers(self) -> None:
        for arn in self._draft.deleted(types.LOAD_BALANCER):
            self._draft.load_balancers.pop(arn, None)
            self._draft.tags.pop(arn, None)
            self._draft.listeners = {
                key: one for key, one in self._draft.listeners.items() if one.load_balancer_arn != arn
            }
            for group in list(self._draft.target_groups.values()):
                if group.load_balancer_arns is not None and arn in group.load_balancer_arns:
                    left = tuple(one for one in group.load_balancer_arns if one != arn)
                    self._draft.target_groups[group.arn] = group._replace(load_balancer_arns=left)
        for one in self._draft.each(types.LOAD_BALANCER):
            arn = resource_id(one)
            existing = self._draft.load_balancers.get(arn)
            read = self._draft.overlay(one, existing, partial(self._read_load_balancer, one))
            if existing is not None and one.action not in NEW_ACTIONS:
                # A load balancer stays in its VPC, and keeps the name that it got.
                read = read._replace(vpc_id=existing.vpc_id, name=existing.name)
            self._draft.load_balancers[arn] = read
            tags = tags_of(self._draft.after(one).get_all("Tags"))
            if isinstance(tags, UnknownPlannedValue):
                self._draft.tags.pop(arn, None)
                self._draft.fail(Section.TAGS, arn, unknown_text(tags))
            elif arn not in self._draft.tags or one.action is not Action.KEEP:
                self._draft.tags[arn] = tags

    def _read_load_balancer(self, resource: PlannedResource, arn: str, properties: Properties) -> LoadBalancer:
        subnets = [
            *properties.elements("Subnets"),
            *(
                one if isinstance(one, UnknownPlannedValue) else one.get("SubnetId")
                for one in properties.objects("SubnetMappings")
            ),
        ]
        vpc_id = properties.text("VpcId")
        if not isinstance(vpc_id, str):
            vpc_id = self._vpcs.vpc_of_subnets(subnets) or vpc_id
        known_vpc_id = self._vpcs.known_vpc_id(vpc_id, resource.address)
        kind = properties.one_of("Type", LOAD_BALANCER_TYPES, "application")
        groups = self._groups.group_ids(resource.address, properties.elements("SecurityGroups"))
        if not groups and kind == "application":
            # CreateLoadBalancer: "the default security group for the VPC".
            groups = (self._groups.default_group(known_vpc_id),)
        name = properties.text("Name")
        subnet_ids = _subnet_ids(self._vpcs.named_subnets(subnets))
        return LoadBalancer(
            arn=arn,
            name=name if isinstance(name, str) else resource.address,
            type=kind,
            scheme=properties.one_of("Scheme", SCHEMES, "internet-facing"),
            state="active",
            vpc_id=known_vpc_id,
            ip_address_type=properties.one_of("IpAddressType", IP_ADDRESS_TYPES, "ipv4"),
            security_groups=groups,
            subnet_ids=subnet_ids,
            possible_subnet_ids=self._vpcs.possible_subnet_ids(subnets) if isinstance(subnet_ids, UnknownValue) else (),
        )

    def build_listeners(self) -> None:
        for arn in self._draft.deleted(types.LISTENER):
            gone = self._draft.listeners.pop(arn, None)
            self._draft.touched.update(() if gone is None else (gone.load_balancer_arn,))
        for one in self._draft.each(types.LISTENER):
            arn = resource_id(one)
            properties = self._draft.after(one)
            load_balancer = properties.text("LoadBalancerArn") or listener_load_balancer_arn(arn)
            if not isinstance(load_balancer, str):
                cause = load_balancer.text if isinstance(load_balancer, UnknownValue) else "it is missing"
                self._add_listener_of_unknown(one, properties.candidates("LoadBalancerArn"), cause)
                continue
            if one.action is not Action.KEEP:
                self._draft.touched.add(load_balancer)
            if load_balancer not in self._draft.load_balancers and one.action is not Action.KEEP:
                self._draft.fail(Section.LOAD_BALANCERS, load_balancer, f"{one.address} changes it; {NOT_IN_DOCUMENT}")
            read = partial(self._read_listener, load_balancer)
            self._draft.listeners[arn] = self._draft.overlay(one, self._draft.listeners.get(arn), read)

    def build_listener_rules(self) -> None:
        """The target groups of rules, when the listeners of all accounts are there."""
        # A target group that is here names its load balancers itself.
        here = {resource_id(one) for one in self._draft.each(types.TARGET_GROUP)} | self._draft.target_groups.keys()
        for one in self._draft.each(types.LISTENER_RULE):
            self._add_listener_rule(one, here)
        if self._draft.base is None:
            self._add_listeners_elsewhere()

    def _add_listeners_elsewhere(self) -> None:
        """A load balancer that exists and has no listener in the document may have some in another stack or state."""
        with_listeners = {one.load_balancer_arn for one in self._draft.listeners.values()}
        for one in self._draft.each(types.LOAD_BALANCER):
            arn = resource_id(one)
            if one.action not in NEW_ACTIONS and arn not in with_listeners:
                unknown = UnknownValue("listeners", f"it exists already, and {NOT_IN_DOCUMENT}")
                elsewhere = f"of {one.address} in another stack or state"
                self._draft.listeners[elsewhere] = Listener(elsewhere, arn, "HTTP", unknown, (), unknown)

    def _add_listener_of_unknown(self, resource: PlannedResource, candidates: Sequence[str], cause: str) -> None:
        """A listener of a load balancer that is not known may be one of each candidate, or of any without them."""
        drafts = list(self._draft.may_be_one_with())
        if self._draft.base is not None or not any(draft.load_balancers for draft in drafts):
            self._draft.fail_elsewhere(resource, candidates, cause)
        unknown = UnknownValue("LoadBalancerArn", cause)
        forwarded = self._forwarded(self._draft.after(resource), "DefaultActions")
        possible = forwarded.all_possible
        hidden = None if possible == () else unknown
        for draft in drafts:
            for load_balancer_arn in candidates or draft.load_balancers:
                if load_balancer_arn in draft.load_balancers:
                    arn = f"{resource_id(resource)} (perhaps of {load_balancer_arn})"
                    draft.listeners[arn] = Listener(
                        arn, load_balancer_arn, "HTTP", unknown, (), hidden, possible_target_group_arns=possible
                    )

    def _read_listener(self, load_balancer_arn: str, arn: str, properties: Properties) -> Listener:
        protocol = properties.one_of("Protocol", LISTENER_PROTOCOLS, "tcp")
        port = properties.port("Port")
        groups, unknown, possible = self._forwarded(properties, "DefaultActions")
        return Listener(
            arn,
            load_balancer_arn,
            protocol if isinstance(protocol, UnknownValue) else protocol.upper(),
            UnknownValue("Port", "it is missing", "missing") if port is None else port,
            tuple(sorted(groups)),
            unknown,
            possible_target_group_arns=possible,
        )

    def _forwarded(self, properties: Properties, name: str) -> _Forwarded:
        found: set[str] = set()
        unknown: UnknownValue | None = None
        possible: set[str] | None = set()
        for action in properties.objects(name):
            if isinstance(action, UnknownPlannedValue):
                unknown, possible = unknown or unknown_value(name, action), None
                continue
            arns = action.elements("TargetGroupArn")
            forward = action.object("ForwardConfig")
            if isinstance(forward, UnknownPlannedValue):
                arns.append(forward)
            elif forward is not None:
                for group in forward.objects("TargetGroups"):
                    arns += [group] if isinstance(group, UnknownPlannedValue) else group.elements("TargetGroupArn")
            for arn in arns:
                if isinstance(arn, UnknownPlannedValue):
                    unknown = unknown or unknown_value("TargetGroupArn", arn)
                    candidates = self._draft.values.candidates(arn)
                    possible = {*possible, *candidates} if possible is not None and candidates else None
                elif not isinstance(arn, str):
                    unknown, possible = (
                        unknown or UnknownValue("TargetGroupArn", f"text was expected, not {arn!r}"),
                        None,
                    )
                elif arn:
                    found.add(arn)
        return _Forwarded(found, unknown, tuple(sorted(possible)) if possible and unknown is not None else None)

    def _add_listener_rule(self, resource: PlannedResource, target_groups: AbstractSet[str]) -> None:
        """A rule's target groups belong to its listener's load balancer; unknown ones hide some of the listener's.

        `target_groups` are those of the document and the base. One that is elsewhere is the listener's own.
        """
        properties = self._draft.after(resource)
        listener_arn = properties.text("ListenerArn")
        forwarded = self._forwarded(properties, "Actions")
        listener = self._listener(resource, listener_arn) if isinstance(listener_arn, str) else None
        found = [self._draft.listeners.get(arn) for arn in properties.candidates("ListenerArn")]
        candidates = [one for one in found if one is not None]
        if len(candidates) == len(found) and len({one.load_balancer_arn for one in candidates}) == 1:
            # Whichever of these listeners has the rule, its load balancer uses the target groups.
            listener = candidates[0]
        if not isinstance(listener_arn, str) and (self._draft.base is not None or not self._draft.listeners):
            cause = "ListenerArn is missing" if listener_arn is None else listener_arn.text
            self._draft.fail_elsewhere(resource, properties.candidates("ListenerArn"), cause)
        if listener is not None:
            elsewhere = {*listener.target_group_arns, *(forwarded.arns - target_groups)}
            changed = listener._replace(target_group_arns=tuple(sorted(elsewhere)))
            self._draft.listeners[listener.arn] = _with_unknown(changed, forwarded.unknown, forwarded.possible)
        elif not isinstance(listener_arn, str) and (forwarded.arns or forwarded.unknown is not None):
            hidden = listener_arn or UnknownValue("ListenerArn", "it is missing")
            named = {one.arn for one in candidates} if len(candidates) == len(found) > 0 else None
            for draft in self._draft.may_be_one_with():
                for arn, one in list(draft.listeners.items()):
                    if named is None or arn in named:
                        draft.listeners[arn] = _with_unknown(one, hidden, forwarded.all_possible)

    def _listener(self, rule: PlannedResource, listener_arn: str) -> Listener | None:
        """The listener of a rule. Of one that the base does not hold, its load balancer alone is known."""
        listener = self._draft.listeners.get(listener_arn)
        arn = listener_load_balancer_arn(listener_arn)
        if listener is not None or arn is None or rule.action is Action.KEEP:
            return listener
        if arn not in self._draft.load_balancers:
            self._draft.fail(Section.LOAD_BALANCERS, arn, f"{rule.address} changes it; {NOT_IN_DOCUMENT}")
        elif self._draft.base is not None:
            unknown = UnknownValue("Port", f"{rule.address} is its rule, and the estate does not hold it")
            return Listener(listener_arn, arn, "HTTP", unknown, ())
        return None

    def build_target_groups(self) -> None:
        for arn in self._draft.deleted(types.TARGET_GROUP):
            self._draft.target_groups.pop(arn, None)
            self._draft.targets.pop(arn, None)
        before = self._users(
            lambda one: None if one.action in NEW_ACTIONS else self._draft.before(one) or self._kept(one)
        )
        after = self._users(
            lambda one: None if one.action is Action.DELETE else Properties(self._draft.values, one.properties)
        )
        for one in self._draft.each(types.TARGET_GROUP):
            arn = resource_id(one)
            existing = self._draft.target_groups.get(arn)
            read = self._draft.overlay(one, existing, partial(self._read_target_group, one))
            if existing is not None and one.action not in NEW_ACTIONS:
                # Others may use it as well.
                read = read._replace(load_balancer_arns=existing.load_balancer_arns, name=existing.name)
            self._draft.target_groups[arn] = read
        listed = {
            (arn, one.load_balancer_arn) for one in self._draft.listeners.values() for arn in one.target_group_arns
        }
        if self._draft.base is None:
            for arn, _ in sorted(listed):
                if arn not in self._draft.target_groups:
                    self._draft.fail(Section.TARGET_GROUPS, arn, NOT_IN_DOCUMENT)
        for arn in before.keys() | after.keys():
            group = self._draft.target_groups.get(arn)
            if group is None or group.load_balancer_arns is None:
                continue
            gone = {
                one
                for one in before.get(arn, set()) - after.get(arn, set())
                if (arn, one) not in listed and self._draft.base is not None
            }
            users = (set(group.load_balancer_arns) - gone) | after.get(arn, set())
            if users != set(group.load_balancer_arns):
                self._draft.target_groups[arn] = group._replace(load_balancer_arns=tuple(sorted(users)))
                self._draft.touched |= users ^ set(group.load_balancer_arns)

    def _kept(self, resource: PlannedResource) -> Properties | None:
        return Properties(self._draft.values, resource.properties) if resource.action is Action.KEEP else None

    def _users(self, properties_of: Callable[[PlannedResource], Properties | None]) -> dict[str, set[str]]:
        """The load balancers whose listeners and rules forward to each target group."""
        users: dict[str, set[str]] = {}
        listener_users: dict[str, str] = {one.arn: one.load_balancer_arn for one in self._draft.listeners.values()}
        for kind, actions in ((types.LISTENER, "DefaultActions"), (types.LISTENER_RULE, "Actions")):
            for one in self._draft.by_type.get(kind, ()):
                properties = properties_of(one)
                if properties is None:
                    continue
                if kind == types.LISTENER:
                    owner = properties.text("LoadBalancerArn") or listener_load_balancer_arn(resource_id(one))
                    if isinstance(owner, str):
                        listener_users[resource_id(one)] = owner
                else:
                    arn = properties.text("ListenerArn")
                    owner = listener_users.get(arn) or listener_load_balancer_arn(arn) if isinstance(arn, str) else None
                    owners = {listener_users.get(candidate) for candidate in properties.candidates("ListenerArn")}
                    owner = owners.pop() if len(owners) == 1 else owner
                if isinstance(owner, str):
                    for group_arn in self._forwarded(properties, actions).arns:
                        users.setdefault(group_arn, set()).add(owner)
        return users

    def _read_target_group(self, resource: PlannedResource, arn: str, properties: Properties) -> TargetGroup:
        kind = properties.text("TargetType") or "instance"
        if isinstance(kind, str) and kind not in TARGET_TYPES:
            kind = UnknownValue("TargetType", f"{kind!r} is not one of {', '.join(TARGET_TYPES)}", kind)
        family = properties.one_of("IpAddressType", tuple(FAMILIES), "ipv4")
        enabled = properties.flag("HealthCheckEnabled")
        name = properties.text("Name")
        vpc_id = properties.text("VpcId")
        check_port = None if properties.get("HealthCheckPort") == "traffic-port" else properties.port("HealthCheckPort")
        return TargetGroup(
            arn=arn,
            name=name if isinstance(name, str) else resource.address,
            target_type=kind,
            port=properties.port("Port"),
            vpc_id=vpc_id if isinstance(vpc_id, str) else "",
            family=family if isinstance(family, UnknownValue) else FAMILIES[family],
            load_balancer_arns=(),
            health_checks_enabled=kind != "lambda" if enabled is None else enabled,
            health_check_port=check_port,
            target_control_port=properties.port("TargetControlPort"),
        )


def _with_unknown(listener: Listener, unknown: UnknownValue | None, possible: tuple[str, ...] | None) -> Listener:
    """The listener with a further value that hides some of its target groups."""
    if unknown is None:
        return listener
    before = listener.possible_target_group_arns
    if listener.unknown_actions is None:
        return listener._replace(unknown_actions=unknown, possible_target_group_arns=possible)
    both = None if before is None or possible is None else tuple(sorted({*before, *possible}))
    return listener._replace(possible_target_group_arns=both)


def _subnet_ids(subnets: Iterable[Any]) -> tuple[str, ...] | UnknownValue:
    found: list[str] = []
    for subnet in subnets:
        if isinstance(subnet, UnknownPlannedValue):
            return unknown_value("Subnets", subnet)
        found.append(str(subnet))
    return tuple(sorted(set(found)))
