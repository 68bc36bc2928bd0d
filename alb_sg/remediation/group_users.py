"""Who uses a security group beside the load balancer that a fix concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.change_context import attached_interface


def other_users(account: AccountClients, group_id: str, arn: str, load_balancers: Iterable[Any]) -> list[str]:
    """The resources that carry a group, apart from the load balancer. Raises NotReadError."""
    users = [
        f"load balancer {one['LoadBalancerName']}"
        for one in with_group(load_balancers, group_id)
        if one["LoadBalancerArn"] != arn
    ]
    attached = (attached_interface(interface, arn) for interface in account.network_interfaces_with(group_id))
    return [*users, *(resource.label for resource in attached if resource is not None)]


def with_group(load_balancers: Iterable[Any], group_id: str) -> Iterator[Any]:
    """The load balancers, in the API's shape, that carry a group."""
    return (one for one in load_balancers if group_id in one.get("SecurityGroups", ()))
