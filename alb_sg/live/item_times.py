"""How old the recordings are that a verdict rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer


def oldest_item_time(
    estate: Estate, load_balancer: LoadBalancer, item_times: Mapping[str, datetime]
) -> datetime | None:
    """The capture time of the oldest recorded item of a load balancer and of what belongs to it: listeners, security
    groups, VPC, target groups and Network Load Balancers in front. None where all of that was read live.

    `item_times`: the capture times of the recorded resources, by id.
    """
    times = (item_times.get(resource_id) for resource_id in _resource_ids(estate, load_balancer))
    return min((time for time in times if time is not None), default=None)


def _resource_ids(estate: Estate, load_balancer: LoadBalancer) -> Iterator[str]:
    yield from _own_ids(estate, load_balancer)
    # What was not read has no recorded item, and a verdict that depends on it is an error.
    with suppress(NotReadError):
        yield from (group.arn for group in estate.target_groups_of(load_balancer))
    with suppress(NotReadError):
        for group, _ in estate.alb_registrations_of(load_balancer):
            yield group.arn
            for arn in group.load_balancer_arns or ():
                if arn in estate.load_balancers:
                    yield from _own_ids(estate, estate.load_balancers[arn])


def _own_ids(estate: Estate, load_balancer: LoadBalancer) -> Iterator[str]:
    yield load_balancer.arn
    yield load_balancer.vpc_id
    yield from load_balancer.security_groups
    yield from (listener.arn for listener in (estate.listeners or {}).get(load_balancer.arn, ()))
