"""Estates in memory, of any size and always the same, with the verdicts that they must get.

`ordinary` is an account as most are: mostly in order, with a few defects planted in known numbers. The others stretch
one thing that a real account can have much of, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from itertools import islice

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import (
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    PrefixList,
    SecurityGroup,
    SecurityGroupReference,
    Subnet,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.findings.finding import Compliance

ACCOUNT, REGION = "111122223333", "eu-west-1"
HEALTH, ICMP = "ALB_SG_HEALTH_CHECK_EGRESS", "ALB_SG_ICMP_PMTUD"
INSTANCE, LISTENER = "ALB_SG_INSTANCE_EGRESS", "ALB_SG_LISTENER_INGRESS"
TARGETS, UNUSED = "ALB_SG_TARGET_INGRESS", "ALB_SG_UNUSED_INGRESS"
RULES = (HEALTH, ICMP, INSTANCE, LISTENER, TARGETS)
ALL_ADDRESSES = ("0.0.0.0/0", "::/0")
LOAD_BALANCERS_PER_VPC = 100
SUBNETS_PER_VPC = 3

VerdictCounts = Mapping[tuple[str, Compliance], int]


@dataclass(frozen=True)
class GeneratedEstate:
    """An estate and how many of each rule's verdicts it must get."""

    estate: Estate
    verdicts: VerdictCounts


@dataclass
class EstateParts:
    """What an estate is put together from, in any order."""

    load_balancers: list[LoadBalancer]
    listeners: list[Listener]
    target_groups: list[TargetGroup]
    targets: dict[str, tuple[Target, ...]]
    security_groups: list[SecurityGroup]
    vpcs: list[Vpc]
    instances: list[Instance]
    network_interfaces: list[NetworkInterface]
    prefix_lists: list[PrefixList]

    @staticmethod
    def empty() -> EstateParts:
        return EstateParts([], [], [], {}, [], [], [], [], [])

    def to_estate(self) -> Estate:
        listeners: dict[str, tuple[Listener, ...]] = {one.arn: () for one in self.load_balancers}
        for listener in self.listeners:
            listeners[listener.load_balancer_arn] += (listener,)
        return Estate(
            account_id=ACCOUNT,
            region=REGION,
            load_balancers={one.arn: one for one in self.load_balancers},
            listeners=listeners,
            target_groups={one.arn: one for one in self.target_groups},
            targets=self.targets,
            security_groups={one.id: one for one in self.security_groups},
            vpcs={one.id: one for one in self.vpcs},
            subnets={one.id: one for vpc in self.vpcs for one in _subnets(vpc)},
            instances={one.id: one for one in self.instances},
            network_interfaces={one.id: one for one in self.network_interfaces},
            prefix_lists={one.id: one for one in self.prefix_lists},
        )


def ordinary_estate(size: int) -> GeneratedEstate:
    """Load balancers with 2 listeners, 2 target groups, 2 security groups, 2 instances and 2 interfaces each. Every
    fourth is internal and every eighth dualstack; of forty, thirty-five have no defect."""
    parts = EstateParts.empty()
    for number in range(size):
        if number % LOAD_BALANCERS_PER_VPC == 0:
            parts.vpcs.append(_vpc(number // LOAD_BALANCERS_PER_VPC))
        _add_ordinary_load_balancer(parts, number)
    lacking = {HEALTH: 2 * size // 40, **dict.fromkeys((ICMP, INSTANCE, LISTENER, TARGETS), size // 40)}
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(size, lacking))


def _add_ordinary_load_balancer(parts: EstateParts, number: int) -> None:
    defect = number % 40
    dualstack, internal = number % 8 == 1, number % 4 == 3
    balancer = _load_balancer(
        number,
        (_id("sg", number),),
        scheme="internal" if internal else "internet-facing",
        ip_address_type="dualstack" if dualstack else "ipv4",
    )
    vpc = balancer.vpc_id
    own, app = _id("sg", number), _id("sg", number, "a")
    clients = (
        (_vpc_cidr(number // LOAD_BALANCERS_PER_VPC),)
        if internal
        else ALL_ADDRESSES
        if dualstack
        else ALL_ADDRESSES[:1]
    )
    routers = (_tcp(22, 22, ("192.0.2.0/24",)),) if defect == 9 else _path_mtu_permissions(clients)
    reached = _reference(_id("sg", number, "b") if defect == 19 else app)
    parts.load_balancers.append(balancer)
    parts.security_groups += (
        SecurityGroup(
            own,
            f"web-{number}",
            vpc,
            (_tcp(80, 80, clients), _tcp(443, 443, ("192.0.2.0/24",) if defect == 4 else clients), *routers),
            (_tcp(8080, 8080 if defect == 14 else 8081, references=(reached,)),),
        ),
        SecurityGroup(
            app,
            f"app-{number}",
            vpc,
            (_tcp(8080, 8080 if defect == 24 else 8081, references=(_reference(own),)),),
            (Permission("-1", None, None, ALL_ADDRESSES[:1], (), ()),),
        ),
    )
    instances = [_id("i", number, str(index)) for index in range(2)]
    for index, instance in enumerate(instances):
        address = _address(number // LOAD_BALANCERS_PER_VPC, 256 + 2 * (number % LOAD_BALANCERS_PER_VPC) + index)
        parts.instances.append(Instance(instance, address, None, (app,)))
        parts.network_interfaces.append(_interface(vpc, address, (app,), instance))
    registered = tuple(Target(instance, 8080, "healthy") for instance in instances)
    groups = [_target_group(balancer, "web", 8080), _target_group(balancer, "api", 8080, health_check_port=8081)]
    parts.target_groups += groups
    parts.targets |= {group.arn: registered for group in groups}
    parts.listeners += (_listener(balancer, 80), _listener(balancer, 443, groups[0]))


def many_rules(size: int) -> GeneratedEstate:
    """A group with a rule for each of so many ports, inbound and outbound."""
    rules = tuple(_tcp(1000 + port, 1000 + port, ALL_ADDRESSES[:1]) for port in range(size))
    return _one_load_balancer_estate(rules, rules)


def many_cidr_blocks(size: int) -> GeneratedEstate:
    """Rules that only together are open to everywhere: `size`, a power of two, blocks in a rule each."""
    rules = tuple(_tcp(0, 65535, (block,)) for block in _equal_cidr_blocks(size))
    return _one_load_balancer_estate((*rules, *_path_mtu_permissions(ALL_ADDRESSES)), rules)


def sixteen_groups(size: int) -> GeneratedEstate:
    """The same in sixteen security groups."""
    rules = [_tcp(0, 65535, (block,)) for block in _equal_cidr_blocks(size)]
    balancer = _load_balancer(0, tuple(_id("sg", index) for index in range(16)))
    parts = _parts_with(balancer, [(443, 8080)])
    for index, group in enumerate(balancer.security_groups):
        share = tuple(rules[index::16])
        parts.security_groups.append(
            SecurityGroup(group, group, balancer.vpc_id, (*share, *_path_mtu_permissions(ALL_ADDRESSES)), share)
        )
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(1, {}))


def long_prefix_list(size: int) -> GeneratedEstate:
    """A prefix list with so many entries, referenced inbound and outbound."""
    rule = (Permission("tcp", 0, 65535, (), ("pl-1",), ()),)
    made = _one_load_balancer_estate((*rule, *_path_mtu_permissions(ALL_ADDRESSES)), rule)
    lists = {"pl-1": PrefixList("pl-1", "all", Family.IPV4, _equal_cidr_blocks(size))}
    return GeneratedEstate(replace(made.estate, prefix_lists=lists), made.verdicts)


def many_targets(size: int) -> GeneratedEstate:
    """So many `ip` targets, each on an interface of its own."""
    return _many_targets_estate(size, _tcp(8080, 8081, references=(_reference("sg-app"),)), {})


def many_targets_missing(size: int) -> GeneratedEstate:
    """The same, none of which can be reached."""
    return _many_targets_estate(size, _tcp(1, 2, ALL_ADDRESSES[:1]), {INSTANCE: 1, HEALTH: 1})


def many_targets_by_address(size: int) -> GeneratedEstate:
    """The same, each let through by a rule for its address alone."""
    addresses = tuple(f"{_address(0, 256 + index)}/32" for index in range(size))
    return _many_targets_estate(size, _tcp(8080, 8081, addresses), {})


def many_targets_on_premises(size: int) -> GeneratedEstate:
    """So many targets outside the VPC, open to none of them, and as many references to other groups."""
    rules = _tcp(8080, 8081, references=tuple(_reference(_id("sg", index)) for index in range(size)))
    made = _many_targets_estate(size, rules, {INSTANCE: 1, HEALTH: 1})
    addresses = tuple(Target(str(IPv4Address("172.16.0.0") + index), 8080, "healthy") for index in range(size))
    return GeneratedEstate(
        replace(made.estate, targets=dict.fromkeys(made.estate.targets or {}, addresses)),
        # No group of a target outside the VPC is seen.
        {key: count for key, count in made.verdicts.items() if key[0] != TARGETS}
        | {(TARGETS, Compliance.NOT_APPLICABLE): 1},
    )


def port_per_task(size: int) -> GeneratedEstate:
    """ECS tasks on ten container instances: a registration for each task, with a port of its own."""
    return _ecs_tasks_estate(size, (_tcp(20000, 65535, references=(_reference("sg-app"),)),))


def rule_per_task(size: int) -> GeneratedEstate:
    """The same, and a rule for each port."""
    return _ecs_tasks_estate(
        size, tuple(_tcp(20000 + port, 20000 + port, references=(_reference("sg-app"),)) for port in range(size))
    )


def shared_group(size: int) -> GeneratedEstate:
    """So many load balancers, each with a group of its own and one of 1,000 rules that all of them share."""
    shared = SecurityGroup(
        "sg-shared",
        "shared",
        _id("vpc", 0),
        (*(_tcp(443, 443, (block,)) for block in _equal_cidr_blocks(1024)), *_path_mtu_permissions(ALL_ADDRESSES)),
        tuple(_tcp(8080 + port, 8080 + port, references=(_reference("sg-app"),)) for port in range(1000)),
    )
    parts = EstateParts.empty()
    for number in range(size):
        own = _id("sg", number)
        balancer = _load_balancer(number, (own, shared.id), vpc=shared.vpc_id)
        _add_load_balancer(parts, balancer, [(443, 8080)])
        parts.security_groups.append(SecurityGroup(own, own, shared.vpc_id, (_tcp(80, 80, ALL_ADDRESSES[:1]),), ()))
    parts.security_groups += [shared, _app_security_group([shared.id])]
    parts.vpcs.append(_vpc(0))
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(size, {}))


def many_interfaces(size: int) -> GeneratedEstate:
    """So many interfaces, every other one with a delegated prefix, of which two are targets'."""
    parts = _parts_with(_load_balancer(0, ("sg-web",)), [(443, 8080)])
    parts.security_groups.append(
        _web_security_group(
            (_tcp(443, 443, ALL_ADDRESSES[:1]), *_path_mtu_permissions(ALL_ADDRESSES)), _permissions_to_app()
        )
    )
    parts.network_interfaces += (
        _interface(
            _id("vpc", 1), _address(1, index), ("sg-app",), prefixes=(f"{_address(2, 16 * index)}/28",) * (index % 2)
        )
        for index in range(size)
    )
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(1, {}))


def many_listeners_missing(size: int) -> GeneratedEstate:
    """A load balancer with so many listeners, none of which is open."""
    parts = _parts_with(_load_balancer(0, ("sg-web",)), [(1000 + port, 8080) for port in range(size)])
    parts.security_groups.append(_web_security_group(_path_mtu_permissions(ALL_ADDRESSES), _permissions_to_app()))
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(1, {LISTENER: 1}))


def many_network_load_balancers(size: int) -> GeneratedEstate:
    """So many internal Network Load Balancers in front of one load balancer."""
    balancer = _load_balancer(0, ("sg-web",))
    parts = _parts_with(balancer, [(443, 8080)])
    parts.security_groups.append(
        _web_security_group(
            (_tcp(443, 443, ALL_ADDRESSES[:1]), *_path_mtu_permissions(ALL_ADDRESSES)), _permissions_to_app()
        )
    )
    for number in range(1, size + 1):
        front = _load_balancer(number, (_id("sg", number),), kind="network", scheme="internal", vpc=balancer.vpc_id)
        group = _target_group(front, f"front-{number}", 443, kind="alb")
        parts.load_balancers.append(front)
        parts.target_groups.append(group)
        parts.targets[group.arn] = (Target(balancer.arn, 443, "healthy"),)
    return GeneratedEstate(
        parts.to_estate(), Counter(_expected_verdicts(1, {})) + Counter(_not_applicable_verdicts(size))
    )


# Each with the size that it begins at.
EXTREME_ESTATES: Mapping[str, tuple[Callable[[int], GeneratedEstate], int]] = {
    "rules of one group": (many_rules, 1_000),
    "blocks, one a rule": (many_cidr_blocks, 1_024),
    "rules of 16 groups": (sixteen_groups, 1_024),
    "entries of a prefix list": (long_prefix_list, 1_024),
    "targets": (many_targets, 4_000),
    "targets that cannot be reached": (many_targets_missing, 4_000),
    "targets, a rule for each": (many_targets_by_address, 4_000),
    "targets on premises, a reference for each": (many_targets_on_premises, 4_000),
    "ECS tasks, a port for each": (port_per_task, 4_000),
    "ECS tasks, a port and a rule for each": (rule_per_task, 4_000),
    "load balancers that share a group of 1,000 rules": (shared_group, 100),
    "network interfaces": (many_interfaces, 2_000),
    "listeners that are not open": (many_listeners_missing, 500),
    "Network Load Balancers in front": (many_network_load_balancers, 500),
}


def _one_load_balancer_estate(ingress: tuple[Permission, ...], egress: tuple[Permission, ...]) -> GeneratedEstate:
    """A load balancer that listens on 1000 and 1001 and sends to two targets on 1000; `ingress` without any inbound
    ICMP lacks that alone."""
    parts = _parts_with(_load_balancer(0, ("sg-web",)), [(1000, 1000), (1001, 1000)])
    parts.security_groups.append(_web_security_group(ingress, egress))
    lacking = {} if any(rule.protocol == "icmp" for rule in ingress) else {ICMP: 1}
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(1, lacking))


def _many_targets_estate(size: int, egress: Permission, non_compliant: Mapping[str, int]) -> GeneratedEstate:
    balancer = _load_balancer(0, ("sg-web",))
    parts = _parts_with(balancer, [(443, 8080)])
    parts.security_groups.append(
        _web_security_group((_tcp(443, 443, ALL_ADDRESSES[:1]), *_path_mtu_permissions(ALL_ADDRESSES)), (egress,))
    )
    addresses = [_address(0, 256 + index) for index in range(size)]
    parts.network_interfaces = [_interface(balancer.vpc_id, address, ("sg-app",)) for address in addresses]
    group = parts.target_groups[0]
    parts.targets[group.arn] = tuple(Target(address, 8080, "healthy") for address in addresses)
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(1, non_compliant))


def _ecs_tasks_estate(size: int, egress: tuple[Permission, ...]) -> GeneratedEstate:
    balancer = _load_balancer(0, ("sg-web",))
    parts = _parts_with(balancer, [(443, 8080)])
    parts.security_groups.append(
        _web_security_group((_tcp(443, 443, ALL_ADDRESSES[:1]), *_path_mtu_permissions(ALL_ADDRESSES)), egress)
    )
    hosts = [Instance(_id("i", host), _address(0, 256 + host), None, ("sg-app",)) for host in range(10)]
    parts.instances = hosts
    group = parts.target_groups[0]._replace(target_type="instance")
    parts.target_groups = [group]
    parts.targets[group.arn] = tuple(Target(hosts[task % 10].id, 20000 + task, "healthy") for task in range(size))
    return GeneratedEstate(parts.to_estate(), _expected_verdicts(1, {}))


def _parts_with(balancer: LoadBalancer, ports: Iterable[tuple[int, int]]) -> EstateParts:
    parts = EstateParts.empty()
    _add_load_balancer(parts, balancer, ports)
    parts.vpcs.append(_vpc(0))
    parts.security_groups.append(_app_security_group(balancer.security_groups))
    return parts


def _app_security_group(load_balancer_groups: Iterable[str]) -> SecurityGroup:
    """The targets' group, which lets a load balancer in on every port."""
    references = tuple(_reference(group_id) for group_id in load_balancer_groups)
    return SecurityGroup("sg-app", "app", _id("vpc", 0), (_tcp(0, 65535, references=references),), ())


def _add_load_balancer(parts: EstateParts, balancer: LoadBalancer, ports: Iterable[tuple[int, int]]) -> None:
    """A load balancer that sends from each listener's port to one target group with two targets on the other."""
    parts.load_balancers.append(balancer)
    group: TargetGroup | None = None
    for listening, port in ports:
        if group is None:
            group = _target_group(balancer, "web", port, kind="ip")
            parts.target_groups.append(group)
            addresses = [_address(0, 2 * len(parts.load_balancers) + index) for index in range(2)]
            parts.targets[group.arn] = tuple(Target(address, port, "healthy") for address in addresses)
            parts.network_interfaces += (_interface(balancer.vpc_id, address, ("sg-app",)) for address in addresses)
        parts.listeners.append(_listener(balancer, listening, group))


def _web_security_group(ingress: tuple[Permission, ...], egress: tuple[Permission, ...]) -> SecurityGroup:
    return SecurityGroup("sg-web", "web", _id("vpc", 0), ingress, egress)


def _permissions_to_app() -> tuple[Permission, ...]:
    return (_tcp(8080, 8080, references=(_reference("sg-app"),)),)


def _load_balancer(
    number: int,
    groups: tuple[str, ...],
    *,
    kind: str = "application",
    scheme: str = "internet-facing",
    ip_address_type: str = "ipv4",
    vpc: str | None = None,
) -> LoadBalancer:
    name = f"{kind}-{number:06d}"
    vpc_id = vpc or _id("vpc", number // LOAD_BALANCERS_PER_VPC)
    return LoadBalancer(
        arn=f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{kind[:3]}/{name}/{number:016x}",
        name=name,
        type=kind,
        scheme=scheme,
        state="active",
        vpc_id=vpc_id,
        ip_address_type=ip_address_type,
        security_groups=tuple(sorted(groups)),
        subnet_ids=tuple(f"subnet-{vpc_id}-{index}" for index in range(SUBNETS_PER_VPC)),
    )


def _listener(balancer: LoadBalancer, port: int, group: TargetGroup | None = None) -> Listener:
    arn = f"{balancer.arn.replace(':loadbalancer/', ':listener/')}/{port:016x}"
    return Listener(arn, balancer.arn, "HTTPS" if port == 443 else "HTTP", port, () if group is None else (group.arn,))


def _target_group(
    balancer: LoadBalancer, name: str, port: int, *, kind: str = "instance", health_check_port: int | None = None
) -> TargetGroup:
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}-{balancer.name}/{balancer.arn[-16:]}"
    return TargetGroup(
        arn=arn,
        name=f"{name}-{balancer.name}",
        target_type=kind,
        port=port,
        vpc_id=balancer.vpc_id,
        family=Family.IPV4,
        load_balancer_arns=(balancer.arn,),
        health_checks_enabled=True,
        health_check_port=health_check_port,
    )


def _tcp(
    first: int, last: int, cidrs: tuple[str, ...] = (), *, references: tuple[SecurityGroupReference, ...] = ()
) -> Permission:
    return Permission("tcp", first, last, cidrs, (), references)


def _path_mtu_permissions(clients: tuple[str, ...]) -> tuple[Permission, ...]:
    ipv6 = tuple(cidr for cidr in clients if ":" in cidr)
    ipv4 = Permission("icmp", 3, 4, tuple(cidr for cidr in clients if ":" not in cidr), (), ())
    return (ipv4, Permission("icmpv6", 2, 0, ipv6, (), ())) if ipv6 else (ipv4,)


def _reference(group_id: str) -> SecurityGroupReference:
    return SecurityGroupReference(group_id, ACCOUNT, None, None, None)


def _interface(
    vpc_id: str, address: str, groups: tuple[str, ...], instance: str | None = None, prefixes: tuple[str, ...] = ()
) -> NetworkInterface:
    index = None if instance is None else 0
    return NetworkInterface(f"eni-{vpc_id}-{address}", vpc_id, groups, (address,), (), prefixes, instance, index)


def _vpc(number: int) -> Vpc:
    return Vpc(_id("vpc", number), {Family.IPV4: (_vpc_cidr(number),), Family.IPV6: ()})


def _subnets(vpc: Vpc) -> tuple[Subnet, ...]:
    """The first /24 blocks of a VPC."""
    blocks = islice(IPv4Network(vpc.cidrs[Family.IPV4][0]).subnets(new_prefix=24), SUBNETS_PER_VPC)
    return tuple(
        Subnet(f"subnet-{vpc.id}-{index}", vpc.id, {Family.IPV4: (str(block),), Family.IPV6: ()})
        for index, block in enumerate(blocks)
    )


def _vpc_cidr(number: int) -> str:
    """The block of a VPC, the same for every 256th: VPCs overlap in real accounts too."""
    return f"10.{number % 256}.0.0/16"


def _address(vpc: int, number: int) -> str:
    return str(IPv4Address(f"10.{vpc % 256}.0.0") + number)


def _equal_cidr_blocks(size: int) -> tuple[str, ...]:
    """So many blocks, a power of two, that make up all IPv4 addresses."""
    return tuple(map(str, IPv4Network("0.0.0.0/0").subnets(prefixlen_diff=size.bit_length() - 1)))


def _id(prefix: str, number: int, kind: str = "0") -> str:
    return f"{prefix}-{kind}{number:016x}"


def _expected_verdicts(size: int, non_compliant: Mapping[str, int]) -> VerdictCounts:
    """All compliant but for those."""
    expected = Counter({(rule, Compliance.COMPLIANT): size - non_compliant.get(rule, 0) for rule in RULES})
    expected.update({(rule, Compliance.NON_COMPLIANT): number for rule, number in non_compliant.items()})
    return +expected


def _not_applicable_verdicts(size: int) -> VerdictCounts:
    return {(rule, Compliance.NOT_APPLICABLE): size for rule in RULES}
