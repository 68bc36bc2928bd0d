"""Small estates, each as an estate, as the plan that creates it, and as the plan that changes another one into it. The
verdicts of all three have to be the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.from_api import permission
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.model import Instance, Listener, LoadBalancer, SecurityGroup, Subnet, Target, TargetGroup, Vpc
from tests.estate.planned.plans import COMPUTED, Plan, Ref

ACCOUNT, REGION = "111122223333", "eu-west-1"
PREFIX = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
LB_ARN = f"{PREFIX}:loadbalancer/app/web/1"
GROUPS = 3
INSTANCES = 2
TARGET_GROUPS = 2


@dataclass(frozen=True)
class Rule:
    """A security group rule. `peer` is a CIDR block, or the number of a group."""

    direction: str
    group: int
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: str | int


@dataclass(frozen=True)
class SmallEstate:
    """A load balancer with its groups, listeners and targets. Numbers name groups, target groups and instances."""

    vpc_cidrs: tuple[str, ...]
    internal: bool
    lb_groups: frozenset[int]
    rules: frozenset[Rule]
    # Port, and the target group that the listener forwards to.
    listeners: frozenset[tuple[int, int | None]]
    # Port and health check port of each target group.
    target_groups: tuple[tuple[int, int | None], ...]
    # The groups of each instance.
    instances: tuple[frozenset[int], ...]
    # Target group, instance, port.
    targets: frozenset[tuple[int, int, int | None]]


ports = st.sampled_from([80, 443, 8080, 9090])
numbers = st.integers(0, GROUPS - 1)
cidrs = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "10.0.0.10/32", "10.0.0.0/24"])
peers = st.one_of(cidrs, numbers)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    direction = draw(st.sampled_from(["ingress", "egress"]))
    kind = draw(st.sampled_from(["tcp", "tcp", "range", "-1", "icmp"]))
    group, peer, port = draw(numbers), draw(peers), draw(ports)
    match kind:
        case "tcp":
            return Rule(direction, group, "tcp", port, port, peer)
        case "range":
            return Rule(direction, group, "tcp", 80, 8080, peer)
        case "icmp":
            return Rule(direction, group, "icmp", 3, draw(st.sampled_from([4, -1, 0])), peer)
        case _:
            return Rule(direction, group, "-1", None, None, peer)


@st.composite
def small_estates(draw: st.DrawFn) -> SmallEstate:
    listeners = draw(st.dictionaries(st.sampled_from([80, 443]), st.one_of(st.none(), st.integers(0, 1)), max_size=2))
    return SmallEstate(
        vpc_cidrs=draw(st.sampled_from([("10.0.0.0/16",), ("10.0.0.0/16", "10.1.0.0/16")])),
        internal=draw(st.booleans()),
        lb_groups=draw(st.frozensets(numbers, min_size=1)),
        rules=draw(st.frozensets(rules(), max_size=8)),
        listeners=frozenset(listeners.items()),
        target_groups=tuple(draw(st.tuples(ports, st.one_of(st.none(), ports))) for _ in range(TARGET_GROUPS)),
        instances=tuple(draw(st.frozensets(numbers, min_size=1)) for _ in range(INSTANCES)),
        targets=draw(
            st.frozensets(
                st.tuples(
                    st.integers(0, TARGET_GROUPS - 1), st.integers(0, INSTANCES - 1), st.one_of(st.none(), ports)
                ),
                max_size=3,
            )
        ),
    )


def group_id(number: int) -> str:
    return f"sg-{number}"


def target_group_arn(number: int) -> str:
    return f"{PREFIX}:targetgroup/tg{number}/1"


def listener_arn(port: int) -> str:
    return f"{PREFIX}:listener/app/web/1/{port}"


def address(number: int) -> str:
    return f"10.0.0.{10 + number}"


def as_estate(small: SmallEstate) -> Estate:
    load_balancer = LoadBalancer(
        LB_ARN,
        "web",
        "application",
        "internal" if small.internal else "internet-facing",
        "active",
        "vpc-1",
        "ipv4",
        tuple(sorted(map(group_id, small.lb_groups))),
        ("subnet-1",),
    )
    listeners = [
        Listener(listener_arn(port), LB_ARN, "HTTP", port, () if number is None else (target_group_arn(number),))
        for port, number in small.listeners
    ]
    used = {number for _, number in small.listeners}
    return Estate(
        ACCOUNT,
        REGION,
        load_balancers={LB_ARN: load_balancer},
        listeners=listeners_by_load_balancer([LB_ARN], listeners),
        target_groups={
            target_group_arn(number): TargetGroup(
                target_group_arn(number),
                f"tg{number}",
                "instance",
                port,
                "vpc-1",
                Family.IPV4,
                (LB_ARN,) if number in used else (),
                True,
                check_port,
            )
            for number, (port, check_port) in enumerate(small.target_groups)
        },
        targets={
            target_group_arn(number): ordered_targets(
                Target(f"i-{instance}", port, None) for group, instance, port in small.targets if group == number
            )
            for number in range(TARGET_GROUPS)
        },
        security_groups={
            group_id(number): SecurityGroup(
                group_id(number),
                f"g{number}",
                "vpc-1",
                _permissions(small, number, "ingress"),
                _permissions(small, number, "egress"),
                ACCOUNT,
            )
            for number in range(GROUPS)
        },
        has_all_security_groups=True,
        subnets={"subnet-1": Subnet("subnet-1", "vpc-1", {Family.IPV4: ("10.0.0.0/24",), Family.IPV6: ()})},
        vpcs={"vpc-1": Vpc("vpc-1", {Family.IPV4: small.vpc_cidrs, Family.IPV6: ()})},
        instances={
            f"i-{number}": Instance(f"i-{number}", address(number), None, tuple(sorted(map(group_id, groups))))
            for number, groups in enumerate(small.instances)
        },
        network_interfaces={},
        prefix_lists={},
        tags={LB_ARN: {}},
    )


def _permissions(small: SmallEstate, group: int, direction: str) -> tuple[Any, ...]:
    chosen = sorted((rule for rule in small.rules if (rule.group, rule.direction) == (group, direction)), key=repr)
    return tuple(
        permission(
            {
                "IpProtocol": rule.protocol,
                "FromPort": rule.from_port,
                "ToPort": rule.to_port,
                **(
                    {"IpRanges": [{"CidrIp": rule.peer}]}
                    if isinstance(rule.peer, str)
                    else {"UserIdGroupPairs": [{"GroupId": group_id(rule.peer), "UserId": ACCOUNT}]}
                ),
            }
        )
        for rule in chosen
    )


def rule_name(rule: Rule) -> str:
    text = "_".join(str(one) for one in (rule.group, rule.protocol, rule.from_port, rule.to_port, rule.peer))
    return "r" + "".join(character if character.isalnum() else "_" for character in text)


class _Names:
    """What refers to a resource: the expression for one that the plan creates, otherwise its identifier."""

    def __init__(self, *, exist: bool) -> None:
        self._exist = exist

    def group(self, number: int) -> Any:
        return group_id(number) if self._exist else Ref(f"aws_security_group.g[{number}].id")

    def target_group(self, number: int) -> Any:
        return target_group_arn(number) if self._exist else Ref(f"aws_lb_target_group.tg{number}.arn")

    def instance(self, number: int) -> Any:
        return f"i-{number}" if self._exist else Ref(f"aws_instance.i{number}.id")

    @property
    def load_balancer(self) -> Any:
        return LB_ARN if self._exist else Ref("aws_lb.web.arn")

    @property
    def vpc(self) -> Any:
        return "vpc-1" if self._exist else Ref("aws_vpc.main.id")

    @property
    def subnet(self) -> Any:
        return "subnet-1" if self._exist else Ref("aws_subnet.main.id")


def resources(small: SmallEstate, *, exist: bool) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every resource by its address: its identifier once it exists, and its arguments."""
    names = _Names(exist=exist)
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "aws_vpc.main": ("vpc-1", {"cidr_block": small.vpc_cidrs[0]}),
        "aws_subnet.main": ("subnet-1", {"vpc_id": names.vpc, "cidr_block": "10.0.0.0/24"}),
        "aws_lb.web": (
            LB_ARN,
            {
                "name": "web",
                "internal": small.internal,
                "load_balancer_type": "application",
                "ip_address_type": "ipv4",
                "security_groups": [names.group(number) for number in sorted(small.lb_groups)],
                "subnets": [names.subnet],
                "vpc_id": "vpc-1" if exist else COMPUTED,
            },
        ),
    }
    for cidr in small.vpc_cidrs[1:]:
        found["aws_vpc_ipv4_cidr_block_association.more"] = ("assoc-1", {"vpc_id": names.vpc, "cidr_block": cidr})
    for number in range(GROUPS):
        values = {"name": f"g{number}", "vpc_id": names.vpc, "ingress": COMPUTED, "egress": COMPUTED}
        found[f"aws_security_group.g[{number}]"] = (group_id(number), values)
    for rule in small.rules:
        peer = (
            {"cidr_ipv4": rule.peer}
            if isinstance(rule.peer, str)
            else {"referenced_security_group_id": names.group(rule.peer)}
        )
        name = rule_name(rule)
        found[f"aws_vpc_security_group_{rule.direction}_rule.{name}"] = (
            f"sgr-{rule.direction}-{name}",
            {
                "security_group_id": names.group(rule.group),
                "ip_protocol": rule.protocol,
                "from_port": rule.from_port,
                "to_port": rule.to_port,
                **peer,
            },
        )
    for number, (port, check_port) in enumerate(small.target_groups):
        check = {"enabled": True, "port": "traffic-port" if check_port is None else str(check_port)}
        found[f"aws_lb_target_group.tg{number}"] = (
            target_group_arn(number),
            {
                "name": f"tg{number}",
                "port": port,
                "target_type": "instance",
                "vpc_id": names.vpc,
                "health_check": [check],
            },
        )
    for listener_port, forwarded_to in small.listeners:
        action = {
            "type": "redirect" if forwarded_to is None else "forward",
            "target_group_arn": "" if forwarded_to is None else names.target_group(forwarded_to),
        }
        found[f"aws_lb_listener.l{listener_port}"] = (
            listener_arn(listener_port),
            {
                "load_balancer_arn": names.load_balancer,
                "port": listener_port,
                "protocol": "HTTP",
                "default_action": [action],
            },
        )
    for number, groups in enumerate(small.instances):
        found[f"aws_instance.i{number}"] = (
            f"i-{number}",
            {
                "vpc_security_group_ids": [names.group(group) for group in sorted(groups)],
                "subnet_id": names.subnet,
                "private_ip": address(number),
            },
        )
    for group, instance, own_port in small.targets:
        found[f"aws_lb_target_group_attachment.a{group}_{instance}_{own_port or 0}"] = (
            f"attachment-{group}-{instance}-{own_port}",
            {"target_group_arn": names.target_group(group), "target_id": names.instance(instance), "port": own_port},
        )
    return found


def as_plan(small: SmallEstate) -> Plan:
    """The plan that creates everything."""
    plan = Plan()
    for where, (_, values) in resources(small, exist=False).items():
        plan.create(where, **values)
    return plan


def as_change(before: SmallEstate, after: SmallEstate) -> Plan:
    """The plan that changes one into the other."""
    plan = Plan()
    old, new = resources(before, exist=True), resources(after, exist=True)
    for where, (identifier, values) in new.items():
        if where.startswith("aws_security_group."):
            values = {name: value for name, value in values.items() if value is not COMPUTED}
        if where not in old:
            plan.create(where, **values)
        elif old[where] == (identifier, values):
            plan.keep(where, identifier, **values)
        else:
            plan.update(where, identifier, old[where][1], **values)
    for where, (identifier, values) in old.items():
        if where not in new:
            plan.delete(where, identifier, **values)
    return plan
