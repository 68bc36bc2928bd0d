"""The facts about one load balancer that remarks need and no verdict: read only where someone asks for its reasons."""

from __future__ import annotations

from typing import Any

from alb_sg.aws.calls import ApiRequest, CallPool
from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, NetworkInterface, SecurityGroup
from alb_sg.findings.judge import Judge
from alb_sg.findings.remarks import (
    SENDERS_BY_GROUP_NAME,
    SENDERS_BY_INTERFACE_TYPE,
    RemarkFinder,
    has_outbound_https,
)
from alb_sg.live.requests import DescribeRequests, LiveClients

_INTERFACES, _GROUPS = "network interfaces of services in the VPC", "security groups of services in the VPC"


def read_remark_facts(clients: LiveClients, estate: Estate, load_balancer: LoadBalancer) -> RemarkFinder:
    """Reads the rules of listeners if the load balancer cannot reach an identity provider, and the interfaces and
    groups of services in the VPC if it is internal. What could not be read is among the finder's `unread`."""
    requests = DescribeRequests(clients)
    pending: dict[tuple[str, str], ApiRequest] = {}
    if not has_outbound_https(Judge(estate).permissions_of(load_balancer)):
        for listener in (estate.listeners or {}).get(load_balancer.arn, ()):
            pending["rules of listener", listener.arn] = requests.listener_rules(listener.arn)
    if load_balancer.scheme == "internal":
        vpc_id = load_balancer.vpc_id
        pending[_INTERFACES, vpc_id] = requests.network_interfaces_of_types(vpc_id, SENDERS_BY_INTERFACE_TYPE)
        pending[_GROUPS, vpc_id] = requests.security_groups_by_name(vpc_id, SENDERS_BY_GROUP_NAME)
    interfaces: list[NetworkInterface] = []
    groups: list[SecurityGroup] = []
    rule_authentications: dict[str, tuple[str, ...]] = {}
    unread: list[tuple[str, str]] = []
    with CallPool() as calls:
        responses = calls.send_all(pending)
    for (what, key), response in responses.items():
        try:
            if what == _INTERFACES:
                interfaces += map(from_api.network_interface, response.items)
            elif what == _GROUPS:
                groups += map(from_api.security_group, response.items)
            else:
                rule_authentications[key] = _authentications(response.items)
        except InvalidInputError as error:
            unread.append((f"{what} {key}", str(error)))
        if response.failure is not None:
            unread.append((f"{what} {key}", response.failure))
    return RemarkFinder(
        estate,
        interfaces=interfaces,
        security_groups=groups,
        rule_authentications=rule_authentications,
        unread=unread,
    )


def _authentications(rules: list[Any]) -> tuple[str, ...]:
    types = {one for rule in rules if isinstance(rule, dict) for one in from_api.authentications(rule.get("Actions"))}
    return tuple(sorted(types))
