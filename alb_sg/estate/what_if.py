"""An estate as it would be after a change to one load balancer, for judging the change before it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer, TargetGroup

HTTPS_PORTS = frozenset({443, 8443})


def add_listener(estate: Estate, load_balancer: LoadBalancer, port: int) -> Estate:
    """With one more listener, which forwards to no target group yet: HTTPS on ports 443 and 8443, else HTTP.

    Raises InvalidInputError where the port is taken, NotReadError where the listeners were not read.
    """
    listeners = estate.listeners_of(load_balancer)
    if any(listener.port == port for listener in listeners):
        raise InvalidInputError(f"{load_balancer.name} already has a listener on port {port}")
    added = Listener(
        arn=f"{load_balancer.arn.replace(':loadbalancer/', ':listener/')}/new-on-port-{port}",
        load_balancer_arn=load_balancer.arn,
        protocol="HTTPS" if port in HTTPS_PORTS else "HTTP",
        port=port,
        target_group_arns=(),
    )
    return _with_listeners(estate, load_balancer, (*listeners, added))


def remove_listener(estate: Estate, load_balancer: LoadBalancer, port: int) -> Estate:
    """Without the listener on a port. Target groups stay associated: listener rules, which are not part of an
    estate, may still forward to them.

    Raises InvalidInputError where there is no such listener, NotReadError where the listeners were not read.
    """
    listeners = estate.listeners_of(load_balancer)
    kept = tuple(listener for listener in listeners if listener.port != port)
    if len(kept) == len(listeners):
        ports = ", ".join(str(number) for number in sorted(listener.port for listener in listeners)) or "none"
        raise InvalidInputError(f"{load_balancer.name} has no listener on port {port} (its ports: {ports})")
    changed = _with_listeners(estate, load_balancer, kept)
    try:
        associated = estate.target_groups_of(load_balancer)
    except NotReadError:
        # The rules that ask for target groups then say so themselves.
        return changed
    for group in associated:
        changed = _with_associated_target_group(changed, load_balancer, group.arn)
    return changed


def set_health_check_port(estate: Estate, load_balancer: LoadBalancer, name: str, port: int | None) -> Estate:
    """With another health check port (None: `traffic-port`) of a target group, given by name or ARN.

    The group is one that the load balancer uses, or one of type `alb` in which it is registered. Raises
    InvalidInputError where it is neither, NotReadError where target groups were not read.
    """
    group = health_checked_group(estate, load_balancer, name)
    groups = {**(estate.target_groups or {}), group.arn: group._replace(health_check_port=port)}
    return replace(estate, target_groups=groups)


def health_checked_group(estate: Estate, load_balancer: LoadBalancer, name: str) -> TargetGroup:
    """The target group of this name or ARN whose health checks concern the load balancer. Raises as above."""
    registered = [group for group, _ in estate.alb_registrations_of(load_balancer)]
    concerned = {group.arn: group for group in (*estate.target_groups_of(load_balancer), *registered)}
    for group in concerned.values():
        if name in (group.arn, group.name):
            return group
    known = ", ".join(sorted(group.name for group in concerned.values())) or "none"
    raise InvalidInputError(f"{load_balancer.name} uses no target group {name!r} (its target groups: {known})")


def set_security_groups(estate: Estate, load_balancer: LoadBalancer, group_ids: Iterable[str]) -> Estate:
    """With other security groups on the load balancer.

    Raises InvalidInputError for a group that is not among those collected or belongs to another VPC, NotReadError where
    groups were not read.
    """
    group_ids = tuple(sorted(set(group_ids)))
    for group_id in group_ids:
        try:
            group = estate.security_group(group_id)
        except NotReadError as error:
            if estate.security_groups is None or any(one.section == "SecurityGroups" for one in estate.failures):
                raise
            raise InvalidInputError(f"{error.what} is {error.cause}") from error
        if group.vpc_id and load_balancer.vpc_id and group.vpc_id != load_balancer.vpc_id:
            raise InvalidInputError(
                f"security group {group_id} is of {group.vpc_id}, and {load_balancer.name} of {load_balancer.vpc_id}"
            )
    changed = load_balancer._replace(security_groups=group_ids)
    return replace(estate, load_balancers={**estate.load_balancers, load_balancer.arn: changed})


def _with_listeners(estate: Estate, load_balancer: LoadBalancer, listeners: tuple[Listener, ...]) -> Estate:
    return replace(estate, listeners={**(estate.listeners or {}), load_balancer.arn: listeners})


def _with_associated_target_group(estate: Estate, load_balancer: LoadBalancer, target_group_arn: str) -> Estate:
    """With a target group that names the load balancer among those it is associated with."""
    groups = estate.target_groups or {}
    group = groups[target_group_arn]
    users = group.load_balancer_arns or ()
    if load_balancer.arn in users:
        return estate
    associated = group._replace(load_balancer_arns=(*users, load_balancer.arn))
    return replace(estate, target_groups={**groups, target_group_arn: associated})
