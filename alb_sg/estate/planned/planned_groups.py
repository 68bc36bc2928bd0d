"""Security groups of a planned estate, with the rules that are resources of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.estate.model import Permission, SecurityGroup, UnknownValue
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.draft import NEW_ACTIONS, NOT_IN_DOCUMENT, OVER_AN_ACCOUNT, Draft
from alb_sg.estate.planned.planned_vpcs import VpcBuilder
from alb_sg.estate.planned.resources import Action, PlannedResource, UnknownPlannedValue
from alb_sg.estate.planned.security_group_rules import (
    ALL_TRAFFIC,
    Rules,
    default_group,
    read_rule,
    read_rules,
    rules_of,
    split_rules,
    tags_of,
    with_rules,
    with_rules_taken_away,
)
from alb_sg.estate.planned.values import Properties, default_group_id, resource_id, unknown_text
from alb_sg.estate.sections import Section


class _PossibleRules:
    """Rules of which only is known that a group may have them: their traffic, for peers that nobody knows. One rule is
    enough to say why a group may let some traffic through."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Permission] = {}
        self._unknown: tuple[UnknownValue, ...] = ()

    def add(self, rules: Rules, reason: UnknownValue) -> None:
        for one in rules.known:
            has_addresses = bool(one.cidrs or one.prefix_list_ids or one.unknown_addresses)
            has_reference = bool(one.references or one.unknown_reference)
            traffic = one.protocol, one.from_port, one.to_port, has_addresses, has_reference
            if traffic not in self._known:
                self._known[traffic] = one._replace(
                    cidrs=(),
                    prefix_list_ids=(),
                    references=(),
                    unknown_addresses=reason if has_addresses else None,
                    unknown_reference=reason if has_reference else None,
                )
        if rules.unknown:
            self._unknown = self._unknown or (reason,)

    @property
    def rules(self) -> Rules:
        return Rules(tuple(self._known.values()), self._unknown)


class SecurityGroupBuilder:
    """Builds security groups."""

    def __init__(self, draft: Draft, vpcs: VpcBuilder) -> None:
        self._draft = draft
        self._vpcs = vpcs
        # The rules that the change of a group itself takes away, by group and direction.
        self._taken_away: dict[tuple[str, str], Rules] = {}

    def build(self) -> None:
        for identifier in self._draft.deleted(types.SECURITY_GROUP):
            self._draft.security_groups.pop(identifier, None)
            self._draft.deleted_groups.add(identifier)
        for one in self._draft.each(types.SECURITY_GROUP):
            self._add_security_group(one)
        self._take_default_groups_over()
        self._take_unlisted_rules_away()

    def apply_rules(self) -> None:
        """The rules that are resources of their own, when the groups of all accounts are there."""
        self._apply_rules(types.SECURITY_GROUP_INGRESS, "ingress")
        self._apply_rules(types.SECURITY_GROUP_EGRESS, "egress")

    def _add_security_group(self, resource: PlannedResource) -> None:
        identifier = resource_id(resource)
        existing = self._draft.security_groups.get(identifier)
        after = self._draft.after(resource)
        before = self._draft.before(resource)
        name, vpc_id = after.text("GroupName"), after.text("VpcId")
        tags = tags_of(after.get_all("Tags"))
        ingress, egress = (self._inline_rules(resource, after, direction) for direction in ("ingress", "egress"))
        owner = after.text("OwnerId")
        group = SecurityGroup(
            identifier,
            name if isinstance(name, str) else identifier,
            self._vpcs.known_vpc_id(vpc_id, f"security group {resource.address}") if vpc_id is not None else "",
            split_rules(ingress.known),
            split_rules(egress.known),
            owner if isinstance(owner, str) else self._draft.account_region.account_id or None,
            tags if isinstance(tags, Mapping) else {},
            ingress.unknown,
            egress.unknown,
        )
        if before is not None:
            for direction, rules in (("ingress", ingress), ("egress", egress)):
                was = self._inline_rules(resource, before, direction)
                self._taken_away[identifier, direction] = with_rules_taken_away(was, rules)
        if existing is None or resource.action in NEW_ACTIONS:
            self._draft.security_groups[identifier] = group
            return
        if resource.action is Action.KEEP:
            return
        for direction, rules in (("ingress", ingress), ("egress", egress)):
            current = rules_of(existing, direction)
            was = Rules() if before is None else self._inline_rules(resource, before, direction)
            if before is None or was.unknown or _has_unknown_peer(with_rules_taken_away(was, rules)):
                # The rules that exist beside the document's own may be removed with it, or be those of others.
                apart = self._rules_apart(identifier, direction)
                others = with_rules_taken_away(current, rules | apart)
                cause = "what the change does to rules that exist and are not in it is not known"
                unsure = tuple(UnknownValue(f"rules ({direction})", cause) for _ in others.known[:1])
                updated = Rules((rules | apart).known, (*rules.unknown, *current.unknown, *unsure))
            else:
                kept = with_rules_taken_away(current, with_rules_taken_away(was, rules))
                updated = kept | with_rules_taken_away(rules, was) | Rules(unknown=rules.unknown)
            existing = with_rules(existing, direction, updated)
        self._draft.security_groups[identifier] = existing

    def _inline_rules(self, resource: PlannedResource, properties: Properties, direction: str) -> Rules:
        name = "SecurityGroupIngress" if direction == "ingress" else "SecurityGroupEgress"
        if name not in properties and direction == "egress":
            # CreateSecurityGroup adds it (EC2 API reference); a reader whose tool removes it writes an empty list.
            return Rules(split_rules([ALL_TRAFFIC]))
        return read_rules(resource.address, direction, properties.objects(name), resource_id(resource))

    def _rules_apart(self, group_id: str, direction: str) -> Rules:
        """The rules of a group that exist as resources of their own in the document."""
        known = {} if self._draft.base is None else self._draft.base.security_group_rules or {}
        kind = types.SECURITY_GROUP_INGRESS if direction == "ingress" else types.SECURITY_GROUP_EGRESS
        found = [known.get(one.physical_id or "") for one in self._draft.by_type.get(kind, ())]
        return Rules(split_rules(one.permission for one in found if one is not None and one.group_id == group_id))

    def _take_default_groups_over(self) -> None:
        """The resource of a default group takes away the rules of the one that exists. If its VPC is not known, that
        may be each of them."""
        for one in self._draft.each(types.SECURITY_GROUP):
            if not takes_over_default_group(one) or one.physical_id is not None:
                continue
            vpc_id = self._draft.after(one).text("VpcId")
            if isinstance(vpc_id, str):
                continue
            cause = f"{one.address} takes over the default group of a VPC that is not known"
            unknown = Rules(unknown=(UnknownValue("rules", cause),))
            for draft in self._draft.may_be_one_with():
                for group in [found for found in draft.security_groups.values() if found.name == "default"]:
                    if group.id != one.address:
                        changed = with_rules(with_rules(group, "ingress", unknown), "egress", unknown)
                        draft.security_groups[group.id] = changed
                        draft.touched.add(group.id)

    def _take_unlisted_rules_away(self) -> None:
        """The rules of groups from which a resource takes those that it does not list."""
        for one in self._draft.each(types.EXCLUSIVE_RULES):
            properties = self._draft.after(one)
            group_id = properties.text("GroupId")
            # One that is not known may be each.
            owners = (group_id,) if isinstance(group_id, str) else properties.candidates("GroupId")
            for group in list(self._draft.security_groups.values()) if one.action is not Action.KEEP else ():
                if owners and group.id not in owners:
                    continue
                changed = group
                for direction in ("ingress", "egress"):
                    if rules_of(group, direction).known:
                        cause = f"{one.address} takes away those that it does not list"
                        changed = with_rules(changed, direction, Rules(unknown=(UnknownValue("rules", cause),)))
                self._draft.security_groups[group.id] = changed
                self._draft.touched.update((group.id,) if owners else ())

    def _apply_rules(self, resource_type: str, direction: str) -> None:
        """The rules that are resources of their own: first those that go, then those that come."""
        removed = self._removed_rules(resource_type, direction)
        added, of_any_group = self._added_rules(resource_type, direction)
        for group_id in removed.keys() | added.keys():
            group = self._draft.security_groups.get(group_id) or self._group_elsewhere(group_id)
            if group is not None:
                gone = removed.get(group_id, Rules())
                left = with_rules_taken_away(rules_of(group, direction), gone)
                if gone.unknown:
                    left = Rules((), (*left.unknown, *gone.unknown))
                changed = with_rules(group, direction, left | added.get(group_id, Rules()))
                self._draft.security_groups[group_id] = changed
        for draft in self._draft.may_be_one_with() if of_any_group != Rules() else ():
            for group in list(draft.security_groups.values()):
                changed = with_rules(group, direction, rules_of(group, direction) | of_any_group)
                draft.security_groups[group.id] = changed

    def _removed_rules(self, resource_type: str, direction: str) -> dict[str, Rules]:
        """The rules before the change, by group, of the resources that it changes or deletes. `unknown`: any rule of
        the group may be one."""
        removed: dict[str, Rules] = {}
        for one in self._draft.by_type.get(resource_type, ()):
            if one.action is Action.KEEP or (one.before is None and one.physical_id is None):
                continue
            for group_id, rules in self._rules_before(one, direction).items():
                self._draft.touched.add(group_id)
                removed[group_id] = removed.get(group_id, Rules()) | rules
        return removed

    def _rules_before(self, resource: PlannedResource, direction: str) -> dict[str, Rules]:
        """The rule that a resource is before the change, by its group."""
        base = self._draft.base
        existing = None if base is None else (base.security_group_rules or {}).get(resource.physical_id or "")
        if existing is not None:
            return {existing.group_id: Rules(split_rules([existing.permission]))}
        before = self._draft.before(resource)
        group_id = None if before is None else before.text("GroupId")
        if before is not None and isinstance(group_id, str):
            rules = read_rule(resource.address, direction, before, group_id)
            if base is None or not (rules.unknown or _has_unknown_peer(rules)):
                return {group_id: rules}
        if base is None:
            return {}
        after = Properties(self._draft.values, resource.properties)
        own_group = after.text("GroupId")
        if before is None and isinstance(own_group, str) and resource.action is Action.UPDATE:
            group = self._draft.security_groups.get(own_group)
            current = Rules() if group is None else rules_of(group, direction)
            own = read_rule(resource.address, direction, after, own_group)
            if own.known and not own.unknown and not with_rules_taken_away(own, current).known:
                # A group has no rule twice: it is this one, unchanged.
                return {}
        unknown = UnknownValue("rules", f"which of them {resource.address} is before the change is not known")
        groups = [group_id] if isinstance(group_id, str) else list(self._draft.security_groups)
        return {one: Rules(unknown=(unknown,)) for one in groups}

    def _added_rules(self, resource_type: str, direction: str) -> tuple[dict[str, Rules], Rules]:
        """The rules after the change, by group, and those that any group may have."""
        added: dict[str, Rules] = {}
        possible: dict[str, _PossibleRules] = {}
        of_any_group = _PossibleRules()
        for one in self._draft.each(resource_type):
            after = Properties(self._draft.values, one.properties)
            group_id = after.text("GroupId")
            if not isinstance(group_id, str):
                cause = f"GroupId is missing in {one.address}" if group_id is None else group_id.text
                reason = UnknownValue(f"GroupId of {one.address}", cause)
                rules = read_rule(one.address, direction, after, "")
                candidates = after.candidates("GroupId")
                if not candidates:
                    of_any_group.add(rules, reason)
                for candidate in candidates:
                    possible.setdefault(candidate, _PossibleRules()).add(rules, reason)
                continue
            if one.action is not Action.KEEP:
                self._draft.touched.add(group_id)
            elif self._draft.base is not None and group_id in self._draft.security_groups:
                # The base holds it as it is.
                continue
            rules = read_rule(one.address, direction, after, group_id)
            if one.action is Action.KEEP:
                rules = with_rules_taken_away(rules, self._taken_away.get((group_id, direction), Rules()))
            added[group_id] = added.get(group_id, Rules()) | rules
        self._draft.touched.update(possible)
        for group_id, found in possible.items():
            added[group_id] = added.get(group_id, Rules()) | found.rules
        return added, of_any_group.rules

    def _group_elsewhere(self, group_id: str) -> SecurityGroup | None:
        """A group that the document adds rules to and does not hold: nothing else is known about it."""
        planned = self._draft.all_by_id.get(group_id)
        if planned is not None:
            # It belongs to another account or region of the document.
            return None
        if self._draft.base is not None:
            return None
        vpc = self._vpc_of_default_group(group_id)
        if vpc is not None:
            return default_group(group_id, vpc)
        other = UnknownValue("other rules", f"the plan or template does not hold the group; {OVER_AN_ACCOUNT}")
        return SecurityGroup(group_id, group_id, "", (), (), unknown_ingress=(other,), unknown_egress=(other,))

    def _vpc_of_default_group(self, group_id: str) -> str | None:
        """The new VPC whose default group has this identifier."""
        for one in self._draft.each(types.VPC):
            if one.action in NEW_ACTIONS and default_group_id(resource_id(one)) == group_id:
                return resource_id(one)
        return None

    def default_group(self, vpc_id: str) -> str:
        """The default security group of a VPC: that of the document or the base, or of a new VPC."""
        for one in self._draft.security_groups.values():
            if one.name == "default" and one.vpc_id == vpc_id:
                found: str = one.id
                return found
        identifier = default_group_id(vpc_id)
        if self._vpc_of_default_group(identifier) is not None:
            self._draft.security_groups[identifier] = default_group(identifier, vpc_id)
        else:
            self._draft.fail(Section.SECURITY_GROUPS, identifier, NOT_IN_DOCUMENT)
        return identifier

    def group_ids(self, owner: str, elements: Iterable[Any]) -> tuple[str, ...]:
        """Security groups. One that is not known gets an identifier that says so, and is never read."""
        found: list[str] = []
        for element in elements:
            if isinstance(element, str):
                vpc_id = self._vpc_of_default_group(element)
                found.append(element if vpc_id is None else self.default_group(vpc_id))
                continue
            cause = unknown_text(element) if isinstance(element, UnknownPlannedValue) else f"{element!r} is no group"
            identifier = f"of {owner} that is not known yet"
            self._draft.fail(Section.SECURITY_GROUPS, identifier, cause)
            found.append(identifier)
        return tuple(sorted(set(found)))


def _has_unknown_peer(rules: Rules) -> bool:
    """Whether which of a group's rules these are depends on peers that are not known."""
    return any(one.unknown_addresses is not None or one.unknown_reference is not None for one in rules.known)


def takes_over_default_group(resource: PlannedResource) -> bool:
    """Whether this is the default group of a VPC, which no resource creates."""
    is_new = resource.type == types.SECURITY_GROUP and resource.action is Action.CREATE
    return is_new and resource.properties.get("GroupName") == "default"
