"""An estate as it would be with a plan's changes, and without them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.plan import Addition, NewGroup

# What stands for the id of a group that is not there yet; EC2's own are hexadecimal.
NEW_GROUP_ID = "sg-new"


def apply_to_estate(
    estate: Estate, load_balancer: LoadBalancer, additions: Sequence[Addition], new_group: NewGroup | None
) -> Estate:
    """The estate with these rules added and, where there is one, the new group on the load balancer."""
    if not additions and new_group is None:
        return estate
    groups = dict(estate.security_groups or {})
    if new_group is not None:
        groups[NEW_GROUP_ID] = SecurityGroup(NEW_GROUP_ID, new_group.name, new_group.vpc_id, (), ())
        carried = tuple(sorted((*load_balancer.security_groups, NEW_GROUP_ID)))
        load_balancer = load_balancer._replace(security_groups=carried)
    for addition in additions:
        group = groups[addition.group_id or NEW_GROUP_ID]
        if addition.direction is Direction.INGRESS:
            group = group._replace(ingress=(*group.ingress, addition.permission))
        else:
            group = group._replace(egress=(*group.egress, addition.permission))
        groups[group.id] = group
    return replace(
        estate,
        load_balancers={**estate.load_balancers, load_balancer.arn: load_balancer},
        security_groups=groups,
    )


def undo_in_estate(estate: Estate, arn: str, additions: Sequence[Addition], new_group: NewGroup | None) -> Estate:
    """The estate without what `applied` made of it: the rules added last are those that are taken away."""
    if not additions and new_group is None:
        return estate
    groups = dict(estate.security_groups or {})
    load_balancer = estate.load_balancers[arn]
    for addition in reversed(additions):
        group = groups[addition.group_id or NEW_GROUP_ID]
        of_direction = group.ingress if addition.direction is Direction.INGRESS else group.egress
        last = len(of_direction) - 1 - of_direction[::-1].index(addition.permission)
        kept = (*of_direction[:last], *of_direction[last + 1 :])
        ingress = addition.direction is Direction.INGRESS
        groups[group.id] = group._replace(ingress=kept) if ingress else group._replace(egress=kept)
    if new_group is not None:
        del groups[NEW_GROUP_ID]
        carried = tuple(one for one in load_balancer.security_groups if one != NEW_GROUP_ID)
        load_balancer = load_balancer._replace(security_groups=carried)
    return replace(estate, load_balancers={**estate.load_balancers, arn: load_balancer}, security_groups=groups)
