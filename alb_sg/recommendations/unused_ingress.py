"""Inbound: nothing is open that no listener uses (semantics §12).

Judged are the security groups that only load balancers carry. Every load balancer that carries a group uses the ports
of its own listeners in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, NetworkInterface, SecurityGroup
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    SECURITY_GROUP_VPC_ASSOCIATION_TYPE,
)
from alb_sg.estate.sections import Section
from alb_sg.parameters import COMMON_PARAMETERS
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.permissions.unused_traffic import ICMP_PROTOCOLS, UnusedRule, find_unused_rules
from alb_sg.recommendations.recommendation import Recommendation, Severity, UnusedIngress
from alb_sg.recommendations.requirement import NotApplicable

# The transport protocols of a listener (Elastic Load Balancing API, Listener.Protocol): those of its security group
# rules. Gateway Load Balancers, which GENEVE is for, have no security groups.
_TRANSPORT_PROTOCOLS = {
    "HTTP": ("tcp",),
    "HTTPS": ("tcp",),
    "TCP": ("tcp",),
    "TLS": ("tcp",),
    "UDP": ("udp",),
    "QUIC": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "TCP_QUIC": ("tcp", "udp"),
}


class _JudgedGroup(NamedTuple):
    """The interface that shares a group, or else those of its rules that let in something unused."""

    shared_with: NetworkInterface | None
    rules: Sequence[UnusedRule]


class _GroupUse(NamedTuple):
    """The used ports of a group, by protocol. `unread`: why more of them may be used."""

    ports: dict[str, set[int]]
    unread: NotReadError | None


def find_unused(estate: Estate, load_balancer: LoadBalancer, exempt_ports: Collection[int]) -> UnusedIngress:
    """What the load balancer's groups let in and no listener uses. The TCP ports `exempt_ports` count as used.

    Raises NotApplicable where every group is shared, NotReadError.
    """
    if not load_balancer.security_groups:
        raise NotReadError("security groups", "the load balancer has none")
    judged: list[str] = []
    rules: list[UnusedRule] = []
    remarks: list[str] = []
    exempt = frozenset(exempt_ports)
    for group_id in load_balancer.security_groups:
        group = _judge_group(estate, load_balancer, group_id, exempt)
        if group.shared_with is None:
            judged.append(group_id)
            rules += group.rules
        else:
            remarks.append(f"{group_id} is shared with {_describe(group.shared_with)} and not judged")
    if not judged:
        raise NotApplicable("; ".join(remarks))
    if rules and estate.rule_ids_failure is not None:
        remarks.append(f"ids of security group rules were not read: {estate.rule_ids_failure}")
    return UnusedIngress(tuple(rules), tuple(judged), tuple(remarks))


def _judge_group(
    estate: Estate, load_balancer: LoadBalancer, group_id: str, exempt_ports: frozenset[int]
) -> _JudgedGroup:
    """One group of a load balancer. It is judged once for all that carry it. Raises NotReadError."""
    key = RECOMMENDATION.name, group_id, exempt_ports
    known: _JudgedGroup | None = estate.derived_facts.get(key)
    if known is None:
        other = _other_carrier(estate, group_id)
        rules = () if other is not None else _unused_rules(estate, load_balancer, group_id, exempt_ports)
        known = estate.derived_facts[key] = _JudgedGroup(other, rules)
    return known


def _other_carrier(estate: Estate, group_id: str) -> NetworkInterface | None:
    """An interface that carries the group and is no load balancer's; None where load balancers alone carry it.

    Raises NotReadError where not everything that may carry the group was read.
    """
    if estate.is_planned:
        cause = "what will carry it is not known before the change is applied; judge the account after it"
        raise NotReadError(f"network interfaces that carry {group_id}", cause)
    others = [interface for interface in estate.interfaces_with(group_id) if not interface.is_elb_managed]
    if others:
        return min(others, key=lambda interface: interface.id)
    estate.require_all_interfaces_with(group_id)
    group = estate.security_group(group_id)
    if group.owner_id not in (None, estate.account_id):
        raise NotReadError(
            f"network interfaces that carry {group_id}", f"account {group.owner_id} owns it, and others may carry it"
        )
    return None


def _describe(interface: NetworkInterface) -> str:
    description = f" ({interface.description})" if interface.description else ""
    return f"network interface {interface.id}{description}"


def _unused_rules(
    estate: Estate, load_balancer: LoadBalancer, group_id: str, exempt_ports: frozenset[int]
) -> Sequence[UnusedRule]:
    """The rules of one group of a load balancer that let in something unused. Raises NotReadError unless these are
    all."""
    group = estate.security_group(group_id)
    for unknown in group.unknown_ingress:
        raise unknown.error(f"security group {group_id}")
    if _uses_all(estate, load_balancer, group):
        return ()
    use = _group_use(estate, group_id)
    use.ports["tcp"].update(exempt_ports)
    rules = find_unused_rules(group, use.ports)
    if rules and use.unread is not None:
        raise use.unread
    return [rule._replace(descriptions=estate.inbound_rule_descriptions(group_id, rule.permission)) for rule in rules]


def _uses_all(estate: Estate, load_balancer: LoadBalancer, group: SecurityGroup) -> bool:
    """Whether it shows at a glance that a load balancer's own listeners use all that a group lets in: each rule is for
    one of their ports, or for ICMP. Most do."""
    listeners = (estate.listeners or {}).get(load_balancer.arn, ())
    ports = {listener.port for listener in listeners if listener.protocol in ("HTTP", "HTTPS")}
    for rule in group.ingress:
        port = rule.from_port
        if rule.protocol not in ICMP_PROTOCOLS and (
            rule.protocol != "tcp" or port is None or port != rule.to_port or port not in ports
        ):
            return False
    return True


def _group_use(estate: Estate, group_id: str) -> _GroupUse:
    """The ports of all listeners of all load balancers that carry a group."""
    ports: dict[str, set[int]] = {"tcp": set(), "udp": set()}
    carriers = dict.fromkeys(estate.load_balancers_with(group_id))
    unread: list[NotReadError] = []
    try:
        estate.require_all_load_balancers(f"load balancers that carry {group_id}")
    except NotReadError as error:
        unread.append(error)
    for interface in sorted(estate.interfaces_with(group_id), key=lambda interface: interface.id):
        found = estate.load_balancer_of(interface)
        if found is None:
            what = f"listeners of the load balancer of {_describe(interface)}, which carries {group_id}"
            unread.append(NotReadError(what, _unknown_load_balancer_cause(interface)))
        else:
            carriers[found] = None
    for load_balancer in carriers:
        try:
            listeners = estate.listeners_of(load_balancer)
        except NotReadError as error:
            unread.append(error)
            continue
        for listener in listeners:
            try:
                port = listener.known_port
            except NotReadError as error:
                unread.append(error)
                continue
            for protocol in _TRANSPORT_PROTOCOLS.get(str(listener.protocol), ("tcp", "udp")):
                ports[protocol].add(port)
    return _GroupUse(ports, unread[0] if unread else None)


def _unknown_load_balancer_cause(interface: NetworkInterface) -> str:
    if interface.description.startswith("ELB ") and "/" not in interface.description:
        return "Classic Load Balancers are not read"
    return "it is not among the load balancers that were read"


RECOMMENDATION = Recommendation(
    name="ALB_SG_UNUSED_INGRESS",
    title="Nothing is open that no listener uses",
    subject="Unused openings",
    requirement_text="The inbound rules of security groups that only load balancers carry let in nothing but the ports "
    "of their listeners, and ICMP.",
    quote="Allow all inbound traffic on the load balancer listener port",
    page_section="Recommended rules",
    severity=Severity.LOW,
    direction=Direction.INGRESS,
    parameters=COMMON_PARAMETERS,
    estate_sections=frozenset({Section.LISTENERS, Section.SECURITY_GROUPS, Section.SECURITY_GROUP_CARRIERS}),
    detail_sections=frozenset({Section.SECURITY_GROUP_RULES}),
    # Interfaces are many and change by the minute: whether another one carries a group is left to the periodic run.
    trigger_types=(LISTENER_TYPE, LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE, SECURITY_GROUP_VPC_ASSOCIATION_TYPE),
    display_order=6,
    find_unused=find_unused,
    deployed_by_default=False,
)
