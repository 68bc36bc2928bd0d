"""Security groups of a planned estate, with the rules that are resources of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.estate.model import SecurityGroup, UnknownValue
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
        self._take_unlisted_rules_away()
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
            owner if isinstance(owner, str) else self._draft.home.account_id or None,
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
            if before is None:
                # The rules that exist beside the document's own may be removed with it, or be those of others.
                others = with_rules_taken_away(current, rules)
                cause = "what the change does to rules that exist and are not in it is not known"
                unsure = tuple(UnknownValue(f"rules ({direction})", cause) for _ in others.known[:1])
                updated = Rules(rules.known, (*rules.unknown, *current.unknown, *unsure))
            else:
                was = self._inline_rules(resource, before, direction)
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

    def _take_unlisted_rules_away(self) -> None:
        """The rules of groups from which a resource takes those that it does not list."""
        for one in self._draft.each(types.EXCLUSIVE_RULES):
            group_id = self._draft.after(one).text("GroupId")
            group = self._draft.security_groups.get(group_id) if isinstance(group_id, str) else None
            if group is not None and one.action is not Action.KEEP:
                for direction in ("ingress", "egress"):
                    if rules_of(group, direction).known:
                        cause = f"{one.address} takes away those that it does not list"
                        group = with_rules(group, direction, Rules(unknown=(UnknownValue("rules", cause),)))
                self._draft.security_groups[group.id] = group

    def _apply_rules(self, resource_type: str, direction: str) -> None:
        """The rules that are resources of their own: first those that go, then those that come."""
        removed = self._removed_rules(resource_type, direction)
        added, of_any_group = self._added_rules(resource_type, direction)
        for group_id in removed.keys() | added.keys():
            group = self._draft.security_groups.get(group_id) or self._group_elsewhere(group_id)
            if group is not None:
                left = with_rules_taken_away(rules_of(group, direction), removed.get(group_id, Rules()))
                changed = with_rules(group, direction, left | added.get(group_id, Rules()))
                self._draft.security_groups[group_id] = changed
        if of_any_group.unknown:
            for group in list(self._draft.security_groups.values()):
                changed = with_rules(group, direction, rules_of(group, direction) | of_any_group)
                self._draft.security_groups[group.id] = changed

    def _removed_rules(self, resource_type: str, direction: str) -> dict[str, Rules]:
        """The rules before the change, by group, of the resources that it changes or deletes."""
        removed: dict[str, Rules] = {}
        for one in self._draft.by_type.get(resource_type, ()):
            before = self._draft.before(one)
            if before is None or one.action is Action.KEEP:
                continue
            group_id = before.text("GroupId")
            if isinstance(group_id, str):
                self._draft.touched.add(group_id)
                rules = read_rule(one.address, direction, before, group_id)
                removed[group_id] = removed.get(group_id, Rules()) | rules
        return removed

    def _added_rules(self, resource_type: str, direction: str) -> tuple[dict[str, Rules], Rules]:
        """The rules after the change, by group, and those that any group may have."""
        added: dict[str, Rules] = {}
        possible: dict[str, Rules] = {}
        of_any_group = Rules()
        for one in self._draft.each(resource_type):
            after = Properties(self._draft.values, one.properties)
            group_id = after.text("GroupId")
            if not isinstance(group_id, str):
                cause = f"GroupId is missing in {one.address}" if group_id is None else group_id.text
                unknown = Rules(unknown=(UnknownValue(f"GroupId of {one.address}", cause),))
                candidates = after.candidates("GroupId")
                # One is enough to say why a group may have more rules than are known.
                of_any_group = of_any_group if candidates else unknown
                for candidate in candidates:
                    possible.setdefault(candidate, unknown)
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
        return {key: added.get(key, Rules()) | possible.get(key, Rules()) for key in added | possible}, of_any_group

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
