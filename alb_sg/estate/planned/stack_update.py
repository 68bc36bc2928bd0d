"""What a template changes of a stack that is deployed: which of its resources it keeps, changes, replaces and deletes.

Properties before the update are those of the deployed template with the deployed parameters. Where these are not known,
`before` is None: what the update takes away from a security group is then not known, either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.deployed_stack import DeployedResource
from alb_sg.estate.planned.resources import Action, PlannedResource, PlannedValue
from alb_sg.estate.planned.template_text import is_known
from alb_sg.estate.planned.template_types import CREATION_PROPERTIES, DECIDING_PROPERTIES
from alb_sg.estate.planned.values import PlannedValues

# DeletionPolicy of resources that stay in the account when they leave their stack.
KEPT_BY = ("Retain", "RetainExceptOnCreate")


def update_stack(
    resources: Sequence[PlannedResource],
    deployed: Mapping[str, DeployedResource],
    previous: Mapping[str, Mapping[str, PlannedValue]],
    retained: Collection[str],
    places: Mapping[str, tuple[str | None, str | None]],
) -> list[PlannedResource]:
    """The resources of a template, as changes of those that are `deployed`, which the result also deletes.

    All mappings are by address: `previous` has the properties of the deployed template, which may refer to other
    resources of it, and `places` the accounts and regions of those that are deployed. `retained` stay in the account
    when they leave the stack.
    """
    before = _resolved(deployed, previous)
    own = {one.address for one in resources if one.address in deployed and deployed[one.address].type == one.type}
    updated = [
        replace(
            one,
            action=Action.UPDATE,
            physical_id=deployed[one.address].physical_id,
            before=before.get(one.address),
        )
        if one.address in own
        else one
        for one in resources
    ]
    updated = _with_replacements(updated)
    values = PlannedValues(updated)
    # A group that is perhaps replaced perhaps loses what others have added to it.
    updated = [
        replace(one, before=None) if one.type == types.SECURITY_GROUP and _is_perhaps_replaced(values, one) else one
        for one in updated
    ]
    kept = [
        replace(one, action=Action.KEEP)
        if one.action is Action.UPDATE and one.before is not None and _is_same(values, one)
        else one
        for one in updated
    ]
    gone = [
        PlannedResource(
            address=address,
            type=one.type,
            properties={},
            action=Action.DELETE,
            physical_id=one.physical_id,
            before=before.get(address),
            account_id=places[address][0],
            region=places[address][1],
        )
        for address, one in deployed.items()
        if one.type in DECIDING_PROPERTIES and address not in own and address not in retained
    ]
    return [*kept, *gone]


def _resolved(
    deployed: Mapping[str, DeployedResource], previous: Mapping[str, Mapping[str, PlannedValue]]
) -> dict[str, Mapping[str, PlannedValue]]:
    """The properties before the update, with identifiers in place of references."""
    were = [
        PlannedResource(
            address=address,
            type=deployed[address].type,
            properties=one,
            action=Action.KEEP,
            physical_id=deployed[address].physical_id,
        )
        for address, one in previous.items()
        if address in deployed
    ]
    values = PlannedValues(were)
    return {one.address: {name: values.resolve_all(value) for name, value in one.properties.items()} for one in were}


def _with_replacements(resources: Sequence[PlannedResource]) -> list[PlannedResource]:
    """The resources with the action REPLACE where a property changes that only a new resource can have. A replacement
    changes the identifier that others refer to, and so may replace these in turn."""
    found = list(resources)
    while True:
        values = PlannedValues(found)
        replaced = [
            replace(one, action=Action.REPLACE) if one.action is Action.UPDATE and _is_replaced(values, one) else one
            for one in found
        ]
        if replaced == found:
            return found
        found = replaced


def _is_replaced(values: PlannedValues, resource: PlannedResource) -> bool:
    return any(is_known(change) for change in _creation_changes(values, resource))


def _is_perhaps_replaced(values: PlannedValues, resource: PlannedResource) -> bool:
    return resource.action is Action.UPDATE and any(_creation_changes(values, resource))


def _creation_changes(values: PlannedValues, resource: PlannedResource) -> Iterator[list[PlannedValue]]:
    """The properties that only a new resource can have, before and after, where they may differ."""
    for name in CREATION_PROPERTIES.get(resource.type, ()) if resource.before is not None else ():
        change = [(resource.before or {}).get(name), values.resolve_all(resource.properties.get(name))]
        if change[0] != change[1]:
            yield change


def _is_same(values: PlannedValues, resource: PlannedResource) -> bool:
    after = {name: values.resolve_all(value) for name, value in resource.properties.items()}
    return after == resource.before and is_known(after)
