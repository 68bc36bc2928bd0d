"""Instances of a planned estate, and the members that its Auto Scaling groups will have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from alb_sg.estate.cidr import is_cidr
from alb_sg.estate.model import Instance, NetworkInterface, UnknownValue, is_placeholder
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.draft import NEW_ACTIONS, OVER_AN_ACCOUNT, Draft
from alb_sg.estate.planned.planned_groups import SecurityGroupBuilder
from alb_sg.estate.planned.planned_vpcs import VpcBuilder
from alb_sg.estate.planned.resources import Action, PlannedResource, UnknownPlannedValue
from alb_sg.estate.planned.values import Properties, resource_id, unknown_text, unknown_value


class Members(NamedTuple):
    """The security groups and subnets of targets whose addresses are not known."""

    groups: tuple[str, ...]
    unknown_groups: UnknownValue | None
    subnets: tuple[Any, ...]


class _Attached(NamedTuple):
    """The groups that resources of their own attach to interfaces, by the interface or the instance whose primary
    interface it is, and why one may have more of them. `of_any` is such a reason that concerns each of them."""

    groups: dict[str, tuple[str, ...]]
    unknown: dict[str, UnknownValue]
    of_any: UnknownValue | None = None

    def unknown_groups(self, identifier: str) -> UnknownValue | None:
        return self.unknown.get(identifier) or self.of_any


_NOTHING_ATTACHED = _Attached({}, {})


class MemberBuilder:
    """Builds instances: their security groups, and where their addresses will be."""

    def __init__(self, draft: Draft, vpcs: VpcBuilder, groups: SecurityGroupBuilder) -> None:
        self._draft = draft
        self._vpcs = vpcs
        self._groups = groups

    def build(self) -> None:
        for identifier in self._draft.deleted(types.INSTANCE):
            self._draft.instances.pop(identifier, None)
            self._draft.interfaces = {
                key: one for key, one in self._draft.interfaces.items() if one.instance_id != identifier
            }
        for identifier in self._draft.deleted(types.NETWORK_INTERFACE):
            self._draft.interfaces.pop(identifier, None)
        attached = self._attached_groups()
        for one in self._draft.each(types.NETWORK_INTERFACE):
            self._add_interface(one, attached)
        for one in self._draft.each(types.INSTANCE):
            identifier = resource_id(one)
            if one.action is Action.KEEP and self._draft.base is not None and identifier in self._draft.instances:
                continue
            members = self._instance_members(self._draft.after(one), attached, identifier)
            address = self._draft.after(one).get("PrivateIpAddress")
            known = self._draft.instances.get(identifier)
            if known is None or one.action is not Action.UPDATE:
                known = self.record(identifier, members, address)
                self._draft.instances[identifier] = known
            if one.action is Action.UPDATE:
                before = self._draft.before(one)
                was = None if before is None else self._instance_members(before)
                if was is None or (was.groups, was.unknown_groups) != (members.groups, members.unknown_groups):
                    self._set_groups_of_instance(known, members.groups, members.unknown_groups)
        removed = self._removed_groups()
        if self._draft.base is not None:
            self._change_existing(attached, removed)
        else:
            self._doubt_existing(removed)

    def _attached_groups(self) -> _Attached:
        found: dict[str, tuple[str, ...]] = {}
        unknown: dict[str, UnknownValue] = {}
        of_any: UnknownValue | None = None
        for one in self._draft.each(types.INTERFACE_SECURITY_GROUP):
            if one.action is Action.KEEP and self._draft.base is not None:
                continue
            properties = self._draft.after(one)
            interface = properties.text("NetworkInterfaceId")
            if isinstance(interface, str):
                self._draft.touched.add(interface)
                groups = self._groups.group_ids(one.address, [properties.get("SecurityGroupId")])
                found[interface] = (*found.get(interface, ()), *groups)
            else:
                cause = "it is missing" if interface is None else interface.text
                reason = UnknownValue("security groups", f"the interface of {one.address} is not known: {cause}")
                candidates = properties.candidates("NetworkInterfaceId")
                unknown.update(dict.fromkeys(candidates, reason))
                of_any = of_any if candidates else reason
        for one in self._draft.by_type.get(types.INTERFACE_SECURITY_GROUP, ()):
            before = None if one.action is Action.KEEP or self._draft.base is None else self._draft.before(one)
            values = [] if before is None else [before.text("NetworkInterfaceId"), before.text("SecurityGroupId")]
            if any(isinstance(value, UnknownValue) for value in values):
                reason = UnknownValue("security groups", f"what {one.address} takes away is not known")
                if isinstance(values[0], str):
                    unknown[values[0]] = reason
                else:
                    of_any = reason
        return _Attached(found, unknown, of_any)

    def _removed_groups(self) -> dict[str, set[str]]:
        """The groups whose attachments go, by interface."""
        removed: dict[str, set[str]] = {}
        for one in self._draft.by_type.get(types.INTERFACE_SECURITY_GROUP, ()):
            before = self._draft.before(one)
            if before is not None and one.action is not Action.KEEP:
                interface, group = before.text("NetworkInterfaceId"), before.text("SecurityGroupId")
                if isinstance(interface, str) and isinstance(group, str):
                    removed.setdefault(interface, set()).add(group)
        return removed

    def _doubt_existing(self, removed: Mapping[str, set[str]]) -> None:
        """Without a base, which of the instances that carry a group have the interface that it is taken from is not
        known."""
        for groups in removed.values():
            for one in list(self._draft.instances.values()):
                if not groups.isdisjoint(one.groups):
                    cause = f"{', '.join(sorted(groups))} is taken from an interface, which may be its own"
                    self._draft.instances[one.id] = one._replace(
                        groups=tuple(group for group in one.groups if group not in groups),
                        unknown_groups=UnknownValue("security groups", f"{cause}; {OVER_AN_ACCOUNT}"),
                    )

    def _change_existing(self, attached: _Attached, removed: Mapping[str, set[str]]) -> None:
        """Attach groups to the interfaces of the base, and take those away whose attachments go."""
        of_any = () if attached.of_any is None else (*self._draft.interfaces, *self._draft.instances)
        for identifier in dict.fromkeys((*removed, *attached.groups, *attached.unknown, *of_any)):
            added = attached.groups.get(identifier, ())
            interface = self._draft.interfaces.get(identifier)
            known = self._draft.instances.get(identifier)
            if interface is None and known is None:
                known = self._instance_with(identifier)
            groups = known.groups if known is not None else () if interface is None else interface.groups
            after = tuple(sorted({*groups} - removed.get(identifier, set()) | {*added}))
            unknown = attached.unknown_groups(identifier) or _unknown_among(added)
            self._draft.touched.add(identifier)
            if known is not None:
                self._set_groups_of_instance(known, after, unknown or known.unknown_groups)
            elif interface is not None:
                self._set_groups_of_interface(interface, after, unknown or interface.unknown_groups)
            else:
                self._doubt_instances_of(identifier)

    def _instance_with(self, interface_id: str) -> Instance | None:
        """The instance of the base whose record has this interface alone."""
        known = self._draft.instances.values()
        return next((one for one in known if _interface_ids(one) == (interface_id,)), None)

    def _doubt_instances_of(self, interface_id: str) -> None:
        """An interface that the base does not hold changes its groups: it may be the primary one of each instance whose
        record does not tell which one it has."""
        planned = self._draft.all_by_id.get(interface_id)
        if planned is not None and (planned.type == types.INSTANCE or planned.action in NEW_ACTIONS):
            return
        cause = f"those of network interface {interface_id} change, which may be its own"
        unknown = UnknownValue("security groups", cause)
        existing = {} if self._draft.base is None else self._draft.base.instances or {}
        held = {one.instance_id for one in self._draft.interfaces.values() if one.is_primary}
        for identifier in existing.keys() & self._draft.instances.keys() - held:
            one = self._draft.instances[identifier]
            interfaces = _interface_ids(one)
            if not interfaces or None in interfaces or interface_id in interfaces:
                self._draft.instances[identifier] = one._replace(groups=(), unknown_groups=unknown)
                self._draft.touched.add(identifier)

    def _set_groups_of_instance(
        self, instance: Instance, groups: tuple[str, ...], unknown: UnknownValue | None
    ) -> None:
        """Groups of an instance are those of its primary interface."""
        self._draft.instances[instance.id] = instance._replace(groups=groups, unknown_groups=unknown)
        for one in self._draft.interfaces.values() if self._draft.base is not None else ():
            if one.instance_id == instance.id and one.is_primary:
                self._draft.interfaces[one.id] = one._replace(groups=groups, unknown_groups=unknown)
                return

    def _set_groups_of_interface(
        self, interface: NetworkInterface, groups: tuple[str, ...], unknown: UnknownValue | None
    ) -> None:
        self._draft.interfaces[interface.id] = interface._replace(groups=groups, unknown_groups=unknown)
        instance = self._draft.instances.get(interface.instance_id or "")
        if instance is not None and interface.is_primary:
            self._draft.instances[instance.id] = instance._replace(groups=groups, unknown_groups=unknown)

    def _add_interface(self, resource: PlannedResource, attached: _Attached) -> None:
        identifier = resource_id(resource)
        if resource.action is Action.KEEP and self._draft.base is not None and identifier in self._draft.interfaces:
            return
        properties = self._draft.after(resource)
        groups = self._groups.group_ids(resource.address, properties.elements("GroupSet"))
        address = properties.get("PrivateIpAddress")
        vpc_id = self._vpcs.vpc_of_subnets(properties.elements("SubnetId"))
        groups = (*groups, *attached.groups.get(identifier, ()))
        unknown = None
        if not groups or any(map(is_placeholder, groups)):
            unknown = UnknownValue("security groups", "they are not known before the change is applied")
        existing = self._draft.interfaces.get(identifier)
        known = tuple(sorted(one for one in groups if not is_placeholder(one)))
        if existing is not None and resource.action is Action.UPDATE:
            self._set_groups_of_interface(existing, known, unknown or attached.unknown_groups(identifier))
            return
        owner = self._instance_with(identifier)
        if resource.action is Action.UPDATE and self._draft.base is not None:
            before = self._draft.before(resource)
            if owner is not None:
                self._draft.touched.add(owner.id)
                self._set_groups_of_instance(owner, known, unknown or attached.unknown_groups(identifier))
            elif before is None or before.elements("GroupSet") != properties.elements("GroupSet"):
                self._doubt_instances_of(identifier)
        if isinstance(address, str) and is_cidr(address) and isinstance(vpc_id, str):
            secondary = [one for one in properties.elements("SecondaryAddresses") if isinstance(one, str)]
            addresses = () if unknown else (address, *filter(is_cidr, secondary))
            self._draft.interfaces[identifier] = NetworkInterface(
                identifier,
                vpc_id,
                groups,
                addresses,
                (),
                (),
                None if owner is None else owner.id,
                None if owner is None else 0,
                unknown=unknown,
                unknown_groups=attached.unknown_groups(identifier),
            )
        elif address is None or isinstance(address, UnknownPlannedValue):
            # A target that it is has no address yet, as that of a new instance.
            launched = {"SecurityGroupIds": properties.raw.get("GroupSet"), "SubnetId": properties.raw.get("SubnetId")}
            members = self._instance_members(Properties(self._draft.values, launched), attached, identifier)
            self._draft.instances[identifier] = self.record(identifier, members)

    def _instance_members(
        self, properties: Properties, attached: _Attached = _NOTHING_ATTACHED, identifier: str = ""
    ) -> Members:
        """The groups of the primary interface and the subnet of an instance or a launch template's instances."""
        interfaces = [identifier]
        subnets = properties.elements("SubnetId")
        elements: list[Any] = [
            *properties.elements("SecurityGroupIds"),
            *(
                one
                if isinstance(one, str) and one in self._draft.all_by_id
                else UnknownPlannedValue(f"group name {one}")
                for one in properties.elements("SecurityGroups")
                if not isinstance(one, UnknownPlannedValue) or not properties.elements("SecurityGroupIds")
            ),
        ]
        for interface in properties.objects("NetworkInterfaces"):
            if isinstance(interface, UnknownPlannedValue):
                elements.append(interface)
                continue
            if (interface.number("DeviceIndex") or 0) != 0 or (interface.number("NetworkCardIndex") or 0) != 0:
                continue
            elements += [*interface.elements("GroupSet"), *interface.elements("Groups")]
            subnets += interface.elements("SubnetId")
            own = interface.get("NetworkInterfaceId")
            planned = self._draft.all_by_id.get(own) if isinstance(own, str) else None
            interfaces += [own] if isinstance(own, str) else []
            if planned is not None:
                of_interface = Properties(self._draft.values, planned.properties)
                elements += of_interface.elements("GroupSet")
                subnets += of_interface.elements("SubnetId")
            elif own is not None:
                elements.append(UnknownPlannedValue(f"the groups of network interface {own} are not in the document"))
        added = {group for one in interfaces for group in attached.groups.get(one, ())}
        known = tuple(sorted({one for one in elements if isinstance(one, str)} | added))
        unknown = next((unknown_value("security groups", one) for one in elements if not isinstance(one, str)), None)
        if not elements and "LaunchTemplate" in properties:
            of_template = self._members_of_template(properties.object("LaunchTemplate"), tuple(subnets))
            known = tuple(sorted({*known, *of_template.groups}))
            unknown = of_template.unknown_groups
        elif not elements:
            vpc_id = self._vpcs.vpc_of_subnets(subnets)
            if isinstance(vpc_id, str):
                known = tuple(sorted({*known, self._groups.default_group(vpc_id)}))
            else:
                cause = "it names none, and its VPC, whose default group it gets, is not known"
                unknown = UnknownValue("security groups", cause)
        unknown = unknown or next(filter(None, map(attached.unknown_groups, interfaces)), None)
        return Members(known, unknown, tuple(subnets))

    def record(self, identifier: str, members: Members, address: Any = None) -> Instance:
        if isinstance(address, str) and is_cidr(address):
            return Instance(identifier, address, None, members.groups, unknown_groups=members.unknown_groups)
        cause = "it is not known before the change is applied"
        for subnet in self._vpcs.named_subnets(members.subnets):
            if isinstance(subnet, UnknownPlannedValue) and not self._draft.values.candidates(subnet):
                cause = f"{cause}, nor are its subnets: {unknown_text(subnet)}"
                break
        return Instance(
            identifier,
            None,
            None,
            members.groups,
            unknown_address=UnknownValue("address", cause),
            possible_cidrs=self._vpcs.blocks_of_subnets(members.subnets),
            unknown_groups=members.unknown_groups,
        )

    def auto_scaling_members(self, properties: Properties) -> Members:
        """The groups that a launch template or launch configuration gives to the group's instances."""
        subnets = tuple(properties.elements("VPCZoneIdentifier"))
        reference = _launch_template_of(properties)
        configuration = properties.get("LaunchConfigurationName")
        if reference is None and configuration is not None:
            planned = self._named(types.LAUNCH_CONFIGURATION, configuration, "LaunchConfigurationName")
            if planned is not None:
                # Those of a launch configuration are identifiers, in spite of the property's name.
                groups = planned.properties.get("SecurityGroups")
                return self._launched_members({"SecurityGroupIds": groups}, subnets)
            reference = configuration if isinstance(configuration, UnknownPlannedValue) else None
        return self._members_of_template(reference, subnets)

    def launches_otherwise(self, properties: Properties) -> bool:
        """Whether an Auto Scaling group that stays as it is launches instances by a template that changes."""
        reference = _launch_template_of(properties)
        if isinstance(reference, UnknownPlannedValue):
            return any(one.action is not Action.KEEP for one in self._draft.each(types.LAUNCH_TEMPLATE))
        if reference is None or _version_text(reference.get("Version")).isdigit():
            return False
        template = self._template_named_by(reference)
        return template is not None and template.action is not Action.KEEP

    def _template_named_by(self, reference: Properties) -> PlannedResource | None:
        named = reference.get("LaunchTemplateId") or reference.get("LaunchTemplateName")
        return self._named(types.LAUNCH_TEMPLATE, named, "LaunchTemplateName")

    def _members_of_template(
        self, reference: Properties | UnknownPlannedValue | None, subnets: tuple[Any, ...]
    ) -> Members:
        """The members that are launched with a launch template, from how a resource names it."""
        unknown = UnknownPlannedValue("the launch template is not in the document")
        if isinstance(reference, Properties):
            template = self._template_named_by(reference)
            if template is not None:
                return self._template_members(template, reference.get("Version"), subnets)
            named = reference.get("LaunchTemplateId") or reference.get("LaunchTemplateName")
            unknown = named if isinstance(named, UnknownPlannedValue) else unknown
        elif reference is not None:
            unknown = reference
        return Members((), unknown_value("security groups", unknown), subnets)

    def _launched_members(self, properties: Mapping[str, Any], subnets: tuple[Any, ...]) -> Members:
        """The members that an Auto Scaling group launches into its own subnets."""
        launched = Properties(self._draft.values, {**properties, "SubnetId": list(subnets)})
        return self._instance_members(launched)._replace(subnets=subnets)

    def _named(self, resource_type: str, name: Any, name_property: str) -> PlannedResource | None:
        """The resource of a type with this identifier or name."""
        if not isinstance(name, str):
            return None
        planned = self._draft.all_by_id.get(name)
        if planned is not None and planned.type == resource_type:
            return planned
        for one in self._draft.each(resource_type):
            if Properties(self._draft.values, one.properties).get(name_property) == name:
                return one
        return None

    def _template_members(self, template: PlannedResource, version: Any, subnets: tuple[Any, ...]) -> Members:
        def read(properties: Mapping[str, Any]) -> Members:
            data = Properties(self._draft.values, properties).object("LaunchTemplateData")
            if not isinstance(data, Properties):
                cause = data or UnknownPlannedValue("LaunchTemplateData is missing")
                return Members((), unknown_value("security groups", cause), subnets)
            return self._launched_members(data.raw, subnets)

        after = read(template.properties)
        text = _version_text(version)
        # The default version is not the one that an update makes.
        is_default = text == "$Default" and template.action is Action.UPDATE and template.before is None
        if (text.isdigit() or is_default) and template.action is not Action.CREATE:
            latest = template.properties.get("LatestVersionNumber")
            if latest is None or str(latest) != text:
                cause = f"launch template version {text} is not in the document"
                return after._replace(groups=(), unknown_groups=UnknownValue("security groups", cause))
        if template.action is Action.UPDATE and template.before is not None and version != "$Latest":
            before = read(template.before)
            if before.groups != after.groups and not isinstance(version, UnknownPlannedValue):
                common = tuple(one for one in after.groups if one in before.groups)
                cause = "whether its instances use the new version of the launch template is not known"
                return after._replace(groups=common, unknown_groups=UnknownValue("security groups", cause))
        return after


def _launch_template_of(properties: Properties) -> Properties | UnknownPlannedValue | None:
    """How an Auto Scaling group names its launch template."""
    reference = properties.object("LaunchTemplate")
    mixed = properties.object("MixedInstancesPolicy")
    in_policy = mixed.object("LaunchTemplate") if isinstance(mixed, Properties) else None
    if not isinstance(in_policy, Properties):
        return reference
    if any(
        isinstance(one, UnknownPlannedValue) or "LaunchTemplateSpecification" in one
        for one in in_policy.objects("Overrides")
    ):
        return UnknownPlannedValue("overrides name other launch templates")
    return in_policy.object("LaunchTemplateSpecification")


def _version_text(version: object) -> str:
    """The version of a launch template, which may be written as a number; "" where it is not known."""
    return str(version) if isinstance(version, (str, int)) else ""


def _unknown_among(groups: Sequence[str]) -> UnknownValue | None:
    """Why groups are not all known: one of them is a name for what is not."""
    unknown = next(filter(is_placeholder, groups), None)
    return None if unknown is None else UnknownValue("security groups", unknown)


def _interface_ids(instance: Instance) -> tuple[str | None, ...]:
    """The interfaces in the record of an instance; none where it does not tell them."""
    interfaces = instance.interfaces
    return () if isinstance(interfaces, UnknownValue) else tuple(one.id for one in interfaces)
