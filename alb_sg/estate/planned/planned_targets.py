"""The targets that a planned estate registers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alb_sg.estate.model import Instance, Target, UnknownValue
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.draft import NEW_ACTIONS, NOT_IN_DOCUMENT, OVER_AN_ACCOUNT, Draft
from alb_sg.estate.planned.planned_groups import SecurityGroupBuilder
from alb_sg.estate.planned.planned_members import MemberBuilder, Members
from alb_sg.estate.planned.planned_vpcs import VpcBuilder
from alb_sg.estate.planned.resources import Action, PlannedResource, UnknownPlannedValue
from alb_sg.estate.planned.values import Properties, resource_id, unknown_text, unknown_value
from alb_sg.estate.sections import Section


class TargetBuilder:
    """Builds the registrations of instances, addresses, Auto Scaling groups and ECS services."""

    def __init__(self, draft: Draft, vpcs: VpcBuilder, groups: SecurityGroupBuilder, members: MemberBuilder) -> None:
        self._draft = draft
        self._vpcs = vpcs
        self._groups = groups
        self._members = members

    def build(self) -> None:
        draft = self._draft
        registered_to: set[str] = set()
        new = {resource_id(one) for one in draft.each(types.TARGET_GROUP) if one.action in NEW_ACTIONS}
        read = new | draft.targets.keys()
        # A target that moves to another resource of the document comes and goes.
        for arn, target, action in sorted(self._registrations(), key=lambda one: one[2] is not Action.DELETE):
            registered_to.add(arn)
            # One of an unknown group makes doubt of many groups, and changes one.
            draft.touched |= {arn} & (draft.all_by_id.keys() if target.unknown else {arn})
            if (holder := self._other_holder(arn)) is not None:
                if holder.base is None or arn in holder.targets:
                    holder.targets[arn] = [*holder.targets.get(arn, ()), target]
                continue
            if draft.base is not None and arn not in read:
                # What the base does not tell stays unknown: these targets are not all.
                continue
            found = draft.targets.setdefault(arn, [])
            same = [one for one in found if self._key(arn, one) == self._key(arn, target)]
            is_certain = any(one.unknown is None for one in same)
            if action is Action.DELETE or (target.unknown is None and not is_certain):
                # One that is certain takes the place of the same one that is not.
                found[:] = [one for one in found if one not in same]
            if action is not Action.DELETE and not is_certain and (target.unknown is None or not same):
                found.append(target)
        for one in draft.each(types.TARGET_GROUP):
            arn = resource_id(one)
            if arn in new:
                draft.targets.setdefault(arn, [])
            elif draft.base is None and arn not in registered_to:
                draft.fail(Section.TARGET_HEALTH_DESCRIPTIONS, arn, f"it exists already, and {NOT_IN_DOCUMENT}")
        self._place_instances_in_vpcs()

    def _place_instances_in_vpcs(self) -> None:
        """Instances whose addresses and subnets are not known: they are in the VPC of their target group, because a
        target group of type `instance` takes no others ("Register targets", Elastic Load Balancing user guide)."""
        draft = self._draft
        for arn, targets in draft.targets.items():
            group = draft.target_groups.get(arn)
            vpc = None if group is None else draft.vpc(group.vpc_id)
            if group is None or group.target_type != "instance" or vpc is None:
                continue
            blocks = self._vpcs.blocks_of_vpc(vpc)
            for target in targets:
                record = draft.instances.get(target.id)
                # Of a target with an unknown value, it is not known whether this is its group.
                if (
                    target.unknown is None
                    and record is not None
                    and record.unknown_address
                    and not record.possible_cidrs
                ):
                    draft.instances[target.id] = record._replace(possible_cidrs=blocks)

    def _key(self, arn: str, target: Target) -> tuple[str, int | UnknownValue | None]:
        """What a registration is told apart by: EC2 names the port of the group where none is given."""
        group = self._draft.target_groups.get(arn)
        return target.id, target.port if target.port is not None or group is None else group.port

    def _registrations(self) -> Iterator[tuple[str, Target, Action]]:
        """Targets that come and go, by target group."""
        yield from self._explicit_registrations()
        yield from self._listed_targets()
        yield from self._auto_scaling_registrations()
        yield from self._service_registrations()
        yield from self._spot_fleet_registrations()

    def _explicit_registrations(self) -> Iterator[tuple[str, Target, Action]]:
        """The registrations that are resources of their own."""
        for one in self._draft.by_type.get(types.TARGET_REGISTRATION, ()):
            before = self._draft.before(one)
            if before is not None and one.action is not Action.KEEP:
                yield from self._read_registration(one, before, before.text("TargetGroupArn"), Action.DELETE)
            if one.action is not Action.DELETE and not (one.action is Action.KEEP and self._draft.base is not None):
                after = self._draft.after(one)
                yield from self._read_registration(one, after, after.text("TargetGroupArn"), Action.CREATE)

    def _listed_targets(self) -> Iterator[tuple[str, Target, Action]]:
        """The targets that target groups list."""
        for one in self._draft.each(types.TARGET_GROUP):
            arn = resource_id(one)
            if one.action is Action.KEEP and arn in self._draft.targets:
                continue
            after = self._draft.after(one)
            before = self._draft.before(one)
            if before is not None and one.action is Action.UPDATE:
                for target in before.objects("Targets"):
                    if isinstance(target, Properties):
                        yield from self._read_registration(one, target, arn, Action.DELETE)
            for target in after.objects("Targets"):
                if isinstance(target, UnknownPlannedValue):
                    identifier = f"of {one.address} not known yet"
                    self._add_unknown_target(identifier, target)
                    yield arn, Target(identifier, unknown_value("Targets", target), None), Action.CREATE
                else:
                    yield from self._read_registration(one, target, arn, Action.CREATE)

    def _read_registration(
        self, resource: PlannedResource, properties: Properties, arn: str | UnknownValue | None, action: Action
    ) -> Iterator[tuple[str, Target, Action]]:
        target_id, port = self._address_of_interface(properties.get("Id")), properties.port("Port")
        if isinstance(target_id, UnknownPlannedValue):
            self._add_unknown_target(resource.address, target_id)
            target_id = resource.address
        if isinstance(arn, str):
            yield arn, Target(str(target_id), port, None), action
        elif action is Action.CREATE:
            hidden = arn or UnknownValue("TargetGroupArn", "it is missing")
            candidates = properties.candidates("TargetGroupArn")
            target = Target(str(target_id), port, None, unknown=hidden, possible_target_group_arns=candidates)
            for one in self._possible_target_groups(resource, candidates, hidden):
                yield one, target, Action.CREATE

    def _address_of_interface(self, target_id: Any) -> Any:
        """The address of a planned network interface that a target is, where it is known."""
        planned = self._draft.all_by_id.get(target_id) if isinstance(target_id, str) else None
        if planned is None or planned.type != types.NETWORK_INTERFACE:
            return target_id
        address = Properties(self._draft.values, planned.properties).get("PrivateIpAddress")
        return address if isinstance(address, str) else target_id

    def _possible_target_groups(
        self, resource: PlannedResource, candidates: Sequence[str], hidden: UnknownValue
    ) -> Sequence[str]:
        """The target groups of which an unknown one is one: any of the document and the base, unless candidates are
        known."""
        if self._draft.base is not None:
            self._draft.fail_elsewhere(resource, candidates, hidden.text)
        return candidates or [arn for draft in self._draft.may_be_one_with() for arn in draft.target_groups]

    def _other_holder(self, arn: str) -> Draft | None:
        """The other draft that has a target group which a target may be registered with."""
        if arn in self._draft.target_groups:
            return None
        return next((one for one in self._draft.may_be_one_with() if arn in one.target_groups), None)

    def _add_unknown_target(self, identifier: str, target_id: UnknownPlannedValue) -> None:
        """A target of which only is known what the instances that it may be have in common."""
        unknown = UnknownValue("Id", unknown_text(target_id))
        found = [self._draft.instances.get(one) for one in self._draft.values.candidates(target_id)]
        candidates = [one for one in found if one is not None]
        groups = {(one.groups, one.unknown_groups) for one in candidates}
        record = Instance(identifier, None, None, (), unknown_address=unknown, unknown_groups=unknown)
        if len(candidates) == len(found) and len(groups) == 1:
            ((common, unknown_groups),) = groups
            record = record._replace(groups=common, unknown_groups=unknown_groups)
        self._draft.instances[identifier] = record

    def _auto_scaling_registrations(self) -> Iterator[tuple[str, Target, Action]]:
        attachments: dict[str, list[PlannedResource]] = {}
        for one in self._draft.each(types.AUTO_SCALING_ATTACHMENT):
            name = self._draft.after(one).text("AutoScalingGroupName")
            if isinstance(name, str):
                attachments.setdefault(name, []).append(one)
            else:
                yield from self._attached_elsewhere(one, name.text if name is not None else "it is missing")
        for one in self._draft.each(types.AUTO_SCALING_GROUP):
            properties = self._draft.after(one)
            arns = [*properties.elements("TargetGroupARNs"), *_traffic_sources(properties)]
            own_name = properties.text("AutoScalingGroupName")
            names = {resource_id(one), own_name} if isinstance(own_name, str) else {resource_id(one)}
            attached = [attachment for name in sorted(names) for attachment in attachments.pop(name, ())]
            if arns or attached:
                members = self._members.auto_scaling_members(properties)
                is_changed = one.action is Action.KEEP and self._members.launches_otherwise(properties)
                own_action = Action.UPDATE if is_changed else one.action
                yield from self._member_registrations(one, own_action, arns, members, None)
                for attachment in attached:
                    arns = self._draft.after(attachment).elements("TargetGroupARN")
                    action = own_action if attachment.action is Action.KEEP else attachment.action
                    yield from self._member_registrations(one, action, arns, members, None)
        for name, attached in attachments.items():
            for attachment in attached:
                cause = f"the plan or template does not hold Auto Scaling group {name}; {OVER_AN_ACCOUNT}"
                yield from self._attached_elsewhere(attachment, cause)

    def _attached_elsewhere(self, attachment: PlannedResource, cause: str) -> Iterator[tuple[str, Target, Action]]:
        """The members of an Auto Scaling group that is not known."""
        unknown = UnknownValue("security groups", cause)
        members = Members((), unknown, ())
        arns = self._draft.after(attachment).elements("TargetGroupARN")
        yield from self._member_registrations(attachment, attachment.action, arns, members, None)

    def _spot_fleet_registrations(self) -> Iterator[tuple[str, Target, Action]]:
        for one in self._draft.each(types.SPOT_FLEET):
            level: Properties | UnknownPlannedValue | None = self._draft.after(one)
            for name in ("SpotFleetRequestConfigData", "LoadBalancersConfig", "TargetGroupsConfig"):
                level = level.object(name) if isinstance(level, Properties) else level
            entries = level.objects("TargetGroups") if isinstance(level, Properties) else [level] if level else []
            arns = [entry.get("Arn") if isinstance(entry, Properties) else entry for entry in entries]
            unknown = UnknownValue("security groups", f"the launch specifications of {one.address} are not read")
            yield from self._member_registrations(one, one.action, arns, Members((), unknown, ()), None)

    def _service_registrations(self) -> Iterator[tuple[str, Target, Action]]:
        for one in (*self._draft.each(types.ECS_SERVICE), *self._draft.each(types.ECS_TASK_SET)):
            properties = self._draft.after(one)
            load_balancers = properties.objects("LoadBalancers")
            if not load_balancers:
                continue
            network = properties.object("NetworkConfiguration")
            awsvpc = network.object("AwsvpcConfiguration") if isinstance(network, Properties) else network
            unknown: UnknownValue | None = None
            groups: tuple[str, ...] = ()
            subnets: tuple[Any, ...] = ()
            if isinstance(awsvpc, Properties):
                elements = awsvpc.elements("SecurityGroups")
                subnets = tuple(awsvpc.elements("Subnets"))
                groups = tuple(sorted({group for group in elements if isinstance(group, str)}))
                not_known = next((group for group in elements if not isinstance(group, str)), None)
                unknown = None if not_known is None else unknown_value("security groups", not_known)
                if not elements:
                    vpc_id = self._vpcs.vpc_of_subnets(subnets)
                    if isinstance(vpc_id, str):
                        groups = (self._groups.default_group(vpc_id),)
                    else:
                        unknown = UnknownValue("security groups", "it names none, and its VPC is not known")
            else:
                cause = awsvpc if isinstance(awsvpc, UnknownPlannedValue) else None
                text = unknown_text(cause) if cause else "its tasks use the interfaces of container instances"
                unknown = UnknownValue("security groups", text)
            members = Members(groups, unknown, subnets)
            for entry in load_balancers:
                if isinstance(entry, UnknownPlannedValue):
                    unknown_port = unknown_value("ContainerPort", entry)
                    yield from self._member_registrations(one, one.action, [entry], members, unknown_port)
                else:
                    # Tasks with their own interface are registered with the container's port.
                    port = entry.port("ContainerPort") if isinstance(awsvpc, Properties) else _dynamic_port()
                    # Blue/green deployments move the tasks between both.
                    advanced = entry.object("AdvancedConfiguration")
                    other = advanced.get("AlternateTargetGroupArn") if isinstance(advanced, Properties) else advanced
                    arns = [entry.get("TargetGroupArn"), other]
                    yield from self._member_registrations(one, one.action, arns, members, port)

    def _member_registrations(
        self,
        resource: PlannedResource,
        action: Action,
        arns: Iterable[Any],
        members: Members,
        port: int | UnknownValue | None,
    ) -> Iterator[tuple[str, Target, Action]]:
        """The future members of a resource as one target of each of its target groups."""
        identifier = resource.address
        self._draft.instances.setdefault(identifier, self._members.record(identifier, members))
        for arn in arns:
            if isinstance(arn, str):
                if action is not Action.KEEP or self._draft.base is None or arn not in self._draft.targets:
                    yield arn, Target(identifier, port, None), Action.CREATE
                # Otherwise, the base holds the members as they are.
            elif arn is not None:
                hidden = (
                    unknown_value("TargetGroupArn", arn)
                    if isinstance(arn, UnknownPlannedValue)
                    else UnknownValue("TargetGroupArn", f"text was expected, not {arn!r}")
                )
                candidates = self._draft.values.candidates(arn)
                target = Target(identifier, port, None, unknown=hidden, possible_target_group_arns=candidates)
                for one in self._possible_target_groups(resource, candidates, hidden):
                    yield one, target, Action.CREATE


def _traffic_sources(properties: Properties) -> list[Any]:
    """The target groups among the traffic sources of an Auto Scaling group."""
    return [
        one if isinstance(one, UnknownPlannedValue) else one.get("Identifier")
        for one in properties.objects("TrafficSources")
        if isinstance(one, UnknownPlannedValue)
        or one.get("Type") in (None, "elbv2")
        or isinstance(one.get("Type"), UnknownPlannedValue)
    ]


def _dynamic_port() -> UnknownValue:
    return UnknownValue("Port", "its tasks have host ports that Amazon ECS chooses, or that the task definition holds")
