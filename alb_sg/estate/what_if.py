"""An estate after a hypothetical change to one load balancer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer, TargetGroup
from alb_sg.estate.sections import Section

HTTPS_PORTS = frozenset({443, 8443})


def add_listener(estate: Estate, load_balancer: LoadBalancer, port: int) -> Estate:
    """Add a listener that forwards to no target group yet: HTTPS on ports 443 and 8443, otherwise HTTP.

    Raises InvalidInputError where the port is in use, NotReadError where the listeners were not read.
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
    """Remove the listener on a port. Target groups stay associated, because listener rules, which an estate does not
    hold, may still forward to them.

    Raises InvalidInputError where there is no such listener, NotReadError where the listeners were not read.
    """
    listeners = estate.listeners_of(load_balancer)
    remaining = tuple(listener for listener in listeners if listener.port != port)
    if len(remaining) == len(listeners):
        ports = ", ".join(str(number) for number in sorted(listener.port for listener in listeners)) or "none"
        raise InvalidInputError(f"{load_balancer.name} has no listener on port {port} (its ports: {ports})")
    changed = _with_listeners(estate, load_balancer, remaining)
    try:
        associated = estate.target_groups_of(load_balancer)
    except NotReadError:
        # The rules that need target groups raise the same error.
        return changed
    groups = dict(estate.target_groups or {})
    for group in associated:
        users = group.load_balancer_arns or ()
        if load_balancer.arn not in users:
            groups[group.arn] = group._replace(load_balancer_arns=(*users, load_balancer.arn))
    return replace(changed, target_groups=groups)


def set_health_check_port(estate: Estate, load_balancer: LoadBalancer, name: str, port: int | None) -> Estate:
    """Change the health check port (None: `traffic-port`) of a target group, given by name or ARN.

    The load balancer must use the group, or be registered in it if its type is `alb`. Raises InvalidInputError where
    neither holds, NotReadError where target groups were not read.
    """
    group = health_checked_group(estate, load_balancer, name)
    groups = {**(estate.target_groups or {}), group.arn: group._replace(health_check_port=port)}
    return replace(estate, target_groups=groups)


def health_checked_group(estate: Estate, load_balancer: LoadBalancer, name: str) -> TargetGroup:
    """The target group of this name or ARN that the load balancer uses or is registered in. Raises as above."""
    registered = [group for group, _ in estate.alb_registrations_of(load_balancer)]
    groups = {group.arn: group for group in (*estate.target_groups_of(load_balancer), *registered)}
    for group in groups.values():
        if name in (group.arn, group.name):
            return group
    known = ", ".join(sorted(group.name for group in groups.values())) or "none"
    raise InvalidInputError(f"{load_balancer.name} uses no target group {name!r} (its target groups: {known})")


def set_security_groups(estate: Estate, load_balancer: LoadBalancer, group_ids: Iterable[str]) -> Estate:
    """Replace the security groups of the load balancer. A group of another VPC may be associated with the load
    balancer's VPC or shared with its account.

    Raises InvalidInputError for a group that was not collected, NotReadError where groups were not read.
    """
    group_ids = tuple(sorted(set(group_ids)))
    for group_id in group_ids:
        try:
            estate.security_group(group_id)
        except NotReadError as error:
            if estate.security_groups is None or any(
                failure.section == Section.SECURITY_GROUPS for failure in estate.failures
            ):
                raise
            raise InvalidInputError(f"{error.what} is {error.cause}") from error
    changed = load_balancer._replace(security_groups=group_ids)
    return replace(estate, load_balancers={**estate.load_balancers, load_balancer.arn: changed})


def _with_listeners(estate: Estate, load_balancer: LoadBalancer, listeners: tuple[Listener, ...]) -> Estate:
    return replace(estate, listeners={**(estate.listeners or {}), load_balancer.arn: listeners})
