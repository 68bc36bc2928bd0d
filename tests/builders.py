"""Estates in a line or two: small builders of the shapes that the AWS API answers with.

    saved = estate(
        listener(443),
        group("sg-1", ingress=[tcp(443, "0.0.0.0/0")]),
        target_group("web", targets=["10.0.1.5"]),
    )
    finding = judge(saved, INGRESS)

Every builder gives a plain dictionary in the API's own spelling, and `estate` sorts them into the sections of a
saved estate, so that one estate can be judged (`build`), written to a file or turned into configuration items. What a
case does not mention is the ordinary: account 111122223333, us-east-1, an internet-facing IPv4 Application Load
Balancer `web` in vpc-1 (10.0.0.0/16) with the security group sg-1.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

Shape = dict[str, Any]
Saved = dict[str, Any]

ACCOUNT = "111122223333"
REGION = "us-east-1"

INGRESS = "ALB_SG_LISTENER_INGRESS"
EGRESS = "ALB_SG_INSTANCE_EGRESS"
HEALTH = "ALB_SG_HEALTH_CHECK_EGRESS"
ICMP = "ALB_SG_ICMP_PMTUD"
TARGETS = "ALB_SG_TARGET_INGRESS"
# Judged only where it is named.
UNUSED = "ALB_SG_UNUSED_INGRESS"
RULES = (INGRESS, EGRESS, HEALTH, ICMP, TARGETS)

# The subnets of every load balancer, unless a case names others.
SUBNETS = {"subnet-a": "10.0.1.0/24", "subnet-b": "10.0.2.0/24"}

ANYWHERE = "0.0.0.0/0"
ANYWHERE_IPV6 = "::/0"


def load_balancer_arn(name: str = "web", type: str = "application") -> str:  # noqa: A002 (the API's own name)
    """The ARN that `load_balancer` gives to a load balancer of this name."""
    kind = {"application": "app", "network": "net", "gateway": "gwy"}[type]
    return f"{_elastic_load_balancing()}:loadbalancer/{kind}/{name}/{_suffix(name)}"


def listener_arn(of: str, suffix: str) -> str:
    """The ARN of a listener of the load balancer with the ARN `of`."""
    return f"{of.replace(':loadbalancer/', ':listener/')}/{suffix}"


def target_group_arn(name: str = "web") -> str:
    return f"{_elastic_load_balancing()}:targetgroup/{name}/{_suffix(name)}"


def _elastic_load_balancing() -> str:
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"


def _suffix(name: str) -> str:
    return f"{zlib.crc32(name.encode()):016x}"


def load_balancer(
    name: str = "web",
    *,
    scheme: str = "internet-facing",
    groups: Sequence[str] = ("sg-1",),
    ip_address_type: str | None = "ipv4",
    state: str = "active",
    vpc: str = "vpc-1",
    type: str = "application",  # noqa: A002 (the API's own name)
    tags: Mapping[str, str] | None = None,
    subnets: Sequence[str] = tuple(SUBNETS),
) -> Shape:
    """One of DescribeLoadBalancers. `ip_address_type` None leaves the field out; `tags` go to their section."""
    return _without_nones(
        {
            "LoadBalancerArn": load_balancer_arn(name, type),
            "LoadBalancerName": name,
            "DNSName": f"{name}-1234567890.{REGION}.elb.amazonaws.com",
            "Type": type,
            "Scheme": scheme,
            "State": {"Code": state},
            "VpcId": vpc,
            "IpAddressType": ip_address_type,
            "SecurityGroups": list(groups),
            "AvailabilityZones": [
                {"ZoneName": f"{REGION}{zone}", "SubnetId": subnet_id, "LoadBalancerAddresses": []}
                for zone, subnet_id in zip("abcdef", subnets, strict=False)
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        }
    )


def network_load_balancer(name: str = "nlb", *, groups: Sequence[str] = (), **fields: Any) -> Shape:
    return load_balancer(name, type="network", groups=groups, **fields)


def listener(
    port: int | None,
    protocol: str | None = None,
    *,
    of: str = "web",
    forward: Sequence[str] = (),
    redirect: bool = False,
    suffix: str | None = None,
) -> Shape:
    """One of DescribeListeners: of a load balancer by name or ARN, HTTPS on port 443 and HTTP on others.

    It answers with a fixed response unless it forwards to target groups (by name) or redirects. The ARN's last part
    is the port unless given: that is the order in which findings name listeners.
    """
    arn = of if of.startswith("arn:") else load_balancer_arn(of)
    if forward:
        weights = [{"TargetGroupArn": target_group_arn(name), "Weight": 1} for name in forward]
        action: Shape = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    elif redirect:
        action = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    else:
        action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return _without_nones(
        {
            "ListenerArn": listener_arn(arn, suffix or f"{port or 0:016x}"),
            "LoadBalancerArn": arn,
            "Port": port,
            "Protocol": protocol or ("HTTPS" if port == 443 else "HTTP"),
            "DefaultActions": [action],
        }
    )


def target_group(
    name: str = "web",
    *,
    targets: Iterable[str | Shape] | None = (),
    port: int | None = 80,
    type: str = "ip",  # noqa: A002 (the API's own name)
    load_balancers: Sequence[str] | None = None,
    health_check_port: str | None = "traffic-port",
    health_checks: bool = True,
    ip_address_type: str | None = "ipv4",
    vpc: str | None = "vpc-1",
    control_port: int | None = None,
) -> Shape:
    """One of DescribeTargetGroups, used by `load_balancers` (names or ARNs; `web`, or `nlb` for the type `alb`).

    `targets` are ids or `target(…)`; they go to the section of their own, and None means they were not read.
    """
    users = load_balancers if load_balancers is not None else ["nlb" if type == "alb" else "web"]
    user_type = "network" if type == "alb" else "application"
    arns = [user if user.startswith("arn:") else load_balancer_arn(user, user_type) for user in users]
    registered = None if targets is None else [target(one) if isinstance(one, str) else one for one in targets]
    return _without_nones(
        {
            "TargetGroupArn": target_group_arn(name),
            "TargetGroupName": name,
            "TargetType": type,
            "Protocol": None if type == "lambda" else "TCP" if type == "alb" else "HTTP",
            "Port": None if type == "lambda" else port,
            "VpcId": None if type == "lambda" else vpc,
            "IpAddressType": ip_address_type,
            "HealthCheckEnabled": health_checks,
            "HealthCheckPort": health_check_port,
            "TargetControlPort": control_port,
            "LoadBalancerArns": arns,
            "TargetHealthDescriptions": registered,
        }
    )


def target(id: str, port: int | None = None, state: str | None = "healthy") -> Shape:  # noqa: A002 (the API's name)
    """One of DescribeTargetHealth. `port` None is the target group's, `state` None is not told."""
    return _without_nones(
        {
            "Target": _without_nones({"Id": id, "Port": port}),
            "TargetHealth": None if state is None else {"State": state},
        }
    )


def behind(port: int = 443, *, name: str = "to-web", nlb: str = "nlb", alb: str = "web", **fields: Any) -> Shape:
    """The target group of type `alb` through which a Network Load Balancer sends to a port of another's `web`."""
    return target_group(
        name, type="alb", port=port, load_balancers=[nlb], targets=[target(load_balancer_arn(alb), port)], **fields
    )


def group(
    id: str = "sg-1",  # noqa: A002 (the API's own name)
    *,
    ingress: Iterable[Shape] = (),
    egress: Iterable[Shape] = (),
    vpc: str = "vpc-1",
) -> Shape:
    """One of DescribeSecurityGroups."""
    return {
        "GroupId": id,
        "GroupName": f"name-of-{id}",
        "Description": "",
        "OwnerId": ACCOUNT,
        "VpcId": vpc,
        "IpPermissions": list(ingress),
        "IpPermissionsEgress": list(egress),
    }


def permission(protocol: str, from_port: int | None, to_port: int | None, *peers: str | Shape) -> Shape:
    """An `IpPermission`. A peer is a CIDR block, `pl-…`, `sg-…` (of this account and VPC) or `reference(…)`."""
    texts = [peer for peer in peers if isinstance(peer, str)]
    references = [peer for peer in peers if not isinstance(peer, str)]
    cidrs = [peer for peer in texts if not peer.startswith(("pl-", "sg-"))]
    return _without_nones(
        {
            "IpProtocol": protocol,
            "FromPort": from_port,
            "ToPort": to_port,
            "IpRanges": [{"CidrIp": cidr} for cidr in cidrs if ":" not in cidr],
            "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in cidrs if ":" in cidr],
            "PrefixListIds": [{"PrefixListId": peer} for peer in texts if peer.startswith("pl-")],
            "UserIdGroupPairs": [reference(peer) for peer in texts if peer.startswith("sg-")] + references,
        }
    )


def tcp(ports: int | tuple[int, int] | None, *peers: str | Shape) -> Shape:
    """TCP on a port, from one port to another, or (None) on all of them."""
    return _on_ports("tcp", ports, peers)


def udp(ports: int | tuple[int, int] | None, *peers: str | Shape) -> Shape:
    return _on_ports("udp", ports, peers)


def icmp(type: int | None, code: int | None, *peers: str | Shape) -> Shape:  # noqa: A002 (the API's own name)
    return permission("icmp", type, code, *peers)


def icmpv6(type: int | None, code: int | None, *peers: str | Shape) -> Shape:  # noqa: A002 (the API's own name)
    return permission("icmpv6", type, code, *peers)


def all_traffic(*peers: str | Shape) -> Shape:
    return permission("-1", None, None, *peers)


def reference(
    id: str,  # noqa: A002 (the API's own name)
    *,
    peering: str | None = None,
    vpc: str | None = None,
    status: str | None = None,
    account: str | None = ACCOUNT,
) -> Shape:
    """A `UserIdGroupPair`; one over VPC peering has all three: connection, VPC and status."""
    return _without_nones(
        {
            "GroupId": id,
            "UserId": account,
            "VpcId": vpc,
            "VpcPeeringConnectionId": peering,
            "PeeringStatus": status,
        }
    )


def _on_ports(protocol: str, ports: int | tuple[int, int] | None, peers: tuple[str | Shape, ...]) -> Shape:
    first, last = (ports, ports) if isinstance(ports, int) or ports is None else ports
    return permission(protocol, first, last, *peers)


def vpc(*cidrs: str, id: str = "vpc-1", disassociated: Iterable[str] = ()) -> Shape:  # noqa: A002 (the API's name)
    """One of DescribeVpcs with its associated blocks of both families, and those that once were."""
    blocks = [(cidr, "associated") for cidr in cidrs] + [(cidr, "disassociated") for cidr in disassociated]
    return {
        "VpcId": id,
        "OwnerId": ACCOUNT,
        "CidrBlock": next(cidr for cidr, _ in blocks if ":" not in cidr),
        "CidrBlockAssociationSet": [
            {"AssociationId": f"vpc-cidr-assoc-{index}", "CidrBlock": cidr, "CidrBlockState": {"State": state}}
            for index, (cidr, state) in enumerate(blocks)
            if ":" not in cidr
        ],
        "Ipv6CidrBlockAssociationSet": [
            {"AssociationId": f"vpc-cidr-assoc-{index}", "Ipv6CidrBlock": cidr, "Ipv6CidrBlockState": {"State": state}}
            for index, (cidr, state) in enumerate(blocks)
            if ":" in cidr
        ],
    }


def subnet(*cidrs: str, id: str = "subnet-a", vpc: str = "vpc-1") -> Shape:  # noqa: A002 (the API's own name)
    """One of DescribeSubnets, with at most one IPv4 block and any IPv6 blocks."""
    return _without_nones(
        {
            "SubnetId": id,
            "VpcId": vpc,
            "OwnerId": ACCOUNT,
            "CidrBlock": next((cidr for cidr in cidrs if ":" not in cidr), None),
            "Ipv6CidrBlockAssociationSet": [
                {
                    "AssociationId": f"subnet-cidr-assoc-{index}",
                    "Ipv6CidrBlock": cidr,
                    "Ipv6CidrBlockState": {"State": "associated"},
                }
                for index, cidr in enumerate(cidrs)
                if ":" in cidr
            ],
        }
    )


def interface(
    address: str,
    *,
    groups: Sequence[str] = ("sg-app",),
    vpc: str = "vpc-1",
    secondary: Sequence[str] = (),
    ipv6: Sequence[str] = (),
    prefixes: Sequence[str] = (),
    instance: str | None = None,
    device_index: int = 0,
    network_card: int | None = None,
) -> Shape:
    """One of DescribeNetworkInterfaces; `prefixes` are delegated to it, in CIDR notation."""
    return _without_nones(
        {
            "NetworkInterfaceId": f"eni-{_suffix(vpc + address)}",
            "VpcId": vpc,
            "OwnerId": ACCOUNT,
            "Groups": [{"GroupId": id, "GroupName": f"name-of-{id}"} for id in groups],  # noqa: A001 (as above)
            "PrivateIpAddress": address,
            "PrivateIpAddresses": [
                {"PrivateIpAddress": one, "Primary": one == address} for one in (address, *secondary)
            ],
            "Ipv6Addresses": [{"Ipv6Address": one} for one in ipv6],
            "Ipv4Prefixes": [{"Ipv4Prefix": prefix} for prefix in prefixes if ":" not in prefix],
            "Ipv6Prefixes": [{"Ipv6Prefix": prefix} for prefix in prefixes if ":" in prefix],
            "Attachment": None
            if instance is None
            else _without_nones(
                {
                    "AttachmentId": f"eni-attach-{instance}",
                    "InstanceId": instance,
                    "DeviceIndex": device_index,
                    "NetworkCardIndex": network_card,
                }
            ),
        }
    )


def node(
    address: str = "10.0.0.10",
    *,
    of: str = "web",
    groups: Sequence[str] = ("sg-1",),
    type: str = "application",  # noqa: A002 (the API's own name)
    **fields: Any,
) -> Shape:
    """The network interface that Elastic Load Balancing creates in a subnet for a load balancer of this name."""
    return {
        **interface(address, groups=groups, **fields),
        "Description": f"ELB {load_balancer_arn(of, type).partition(':loadbalancer/')[2]}",
        "RequesterId": "amazon-elb",
    }


def instance(
    id: str,  # noqa: A002 (the API's own name)
    address: str,
    *,
    groups: Sequence[str] = ("sg-app",),
    ipv6: Sequence[str] = (),
    second_interface: tuple[str, Sequence[str]] | None = None,
    vpc: str = "vpc-1",
) -> Shape:
    """One of DescribeInstances' `Instances`; a second interface is its address and its groups."""
    interfaces = [(address, groups, ipv6)]
    if second_interface is not None:
        interfaces.append((*second_interface, ()))
    return {
        "InstanceId": id,
        "VpcId": vpc,
        "PrivateIpAddress": address,
        "SecurityGroups": [{"GroupId": one, "GroupName": f"name-of-{one}"} for one in groups],
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": f"eni-{_suffix(vpc + of_interface)}",
                "VpcId": vpc,
                "PrivateIpAddress": of_interface,
                "PrivateIpAddresses": [{"PrivateIpAddress": of_interface, "Primary": True}],
                "Ipv6Addresses": [{"Ipv6Address": one} for one in ipv6_addresses],
                "Groups": [{"GroupId": one, "GroupName": f"name-of-{one}"} for one in its_groups],
                "Attachment": {"AttachmentId": f"eni-attach-{id}-{index}", "DeviceIndex": index},
            }
            # The primary interface comes last, so that nothing may rely on the order.
            for index, (of_interface, its_groups, ipv6_addresses) in reversed(list(enumerate(interfaces)))
        ],
    }


def prefix_list(id: str, *cidrs: str, refused: bool = False) -> Shape:  # noqa: A002 (the API's own name)
    """A managed prefix list with its entries, or one whose owner refuses them (`cidrs` then only tell the family)."""
    return _without_nones(
        {
            "PrefixListId": id,
            "PrefixListName": f"name-of-{id}",
            "AddressFamily": "IPv6" if any(":" in cidr for cidr in cidrs) else "IPv4",
            "OwnerId": "999999999999" if refused else ACCOUNT,
            "Entries": None if refused else [{"Cidr": cidr} for cidr in cidrs],
        }
    )


# The field that tells what a shape is; listeners come before load balancers, whose ARN they carry too.
_SECTION_OF_FIELD = (
    ("ListenerArn", "Listeners"),
    ("LoadBalancerName", "LoadBalancers"),
    ("TargetGroupArn", "TargetGroups"),
    ("GroupId", "SecurityGroups"),
    ("NetworkInterfaceId", "NetworkInterfaces"),
    ("InstanceId", "Instances"),
    ("PrefixListId", "ManagedPrefixLists"),
    ("SubnetId", "Subnets"),
    ("CidrBlock", "Vpcs"),
)


def estate(*parts: Shape, uncollected: Iterable[str] = (), account_id: str = ACCOUNT, region: str = REGION) -> Saved:
    """A saved estate of one account and region: every section collected, save those named as `uncollected`.

    Without an Application Load Balancer among the parts there is `load_balancer()`, without a VPC
    `vpc("10.0.0.0/16")`, and without subnets of their ids those of `SUBNETS`. The security groups that interfaces,
    instances and Network Load Balancers carry are there, without rules, unless they are among the parts. Another
    account or region moves everything there, ARNs included.
    """
    by_section: dict[str, list[Shape]] = {section: [] for _, section in _SECTION_OF_FIELD}
    for part in parts:
        section = next(section for field, section in _SECTION_OF_FIELD if field in part)
        by_section[section].append(dict(part))
    load_balancers = by_section["LoadBalancers"]
    if all(one["Type"] != "application" for one in load_balancers):
        load_balancers.append(load_balancer())
    target_groups = by_section["TargetGroups"]
    by_section["SecurityGroups"] += _carried_groups(by_section)
    described = {one["SubnetId"] for one in by_section["Subnets"]}
    by_section["Subnets"] += [subnet(cidr, id=id_) for id_, cidr in SUBNETS.items() if id_ not in described]
    tags = {one["LoadBalancerArn"]: one.pop("Tags", []) for one in load_balancers}
    registered = {one["TargetGroupArn"]: one.pop("TargetHealthDescriptions", None) for one in target_groups}
    saved: Saved = {
        "AccountId": ACCOUNT,
        "Region": REGION,
        **by_section,
        "Vpcs": by_section["Vpcs"] or [vpc("10.0.0.0/16")],
        "SecurityGroupRules": [],
        "TargetHealthDescriptions": {arn: found for arn, found in registered.items() if found is not None},
        "ManagedPrefixLists": {one.pop("PrefixListId"): one for one in by_section["ManagedPrefixLists"]},
        "Tags": tags,
    }
    for section in uncollected:
        del saved[section]
    moved = json.dumps(saved).replace(ACCOUNT, account_id).replace(REGION, region)
    result: Saved = json.loads(moved)
    return result


def build(saved: Saved) -> Estate:
    """A saved estate as the model has it, by the API readers alone."""

    def keyed(section: str, key: str, read: Any) -> dict[str, Any] | None:
        if section not in saved:
            return None
        return {source[key]: read(source) for source in saved[section]}

    load_balancers = keyed("LoadBalancers", "LoadBalancerArn", from_api.load_balancer) or {}
    targets = saved.get("TargetHealthDescriptions")
    prefix_lists = saved.get("ManagedPrefixLists")
    tags = saved.get("Tags")
    return Estate(
        account_id=saved["AccountId"],
        region=saved["Region"],
        load_balancers=load_balancers,
        listeners=None
        if "Listeners" not in saved
        else listeners_by_load_balancer(load_balancers, map(from_api.listener, saved["Listeners"])),
        target_groups=keyed("TargetGroups", "TargetGroupArn", from_api.target_group),
        targets=None
        if targets is None
        else {arn: ordered_targets(map(from_api.target_health_description, found)) for arn, found in targets.items()},
        security_groups=keyed("SecurityGroups", "GroupId", from_api.security_group),
        has_all_security_groups="SecurityGroups" in saved,
        security_group_rules=keyed("SecurityGroupRules", "SecurityGroupRuleId", from_api.security_group_rule),
        vpcs=keyed("Vpcs", "VpcId", from_api.vpc),
        subnets=keyed("Subnets", "SubnetId", from_api.subnet),
        instances=keyed("Instances", "InstanceId", from_api.instance),
        network_interfaces=keyed("NetworkInterfaces", "NetworkInterfaceId", from_api.network_interface),
        prefix_lists=None
        if prefix_lists is None
        else {id_: from_api.prefix_list(id_, source) for id_, source in prefix_lists.items()},
        tags=None if tags is None else {arn: from_api.tags(found) for arn, found in tags.items()},
    )


def judge(saved: Saved, rule: str, name: str = "web", **parameters: str) -> Finding | EvaluationError:
    """What one rule says of the load balancer of this name."""
    found = build(saved)
    judged = [one for one in found.load_balancers.values() if one.name == name]
    findings, errors = judge_all(found, judged, {RECOMMENDATIONS_BY_NAME[rule]: parse_parameters(parameters)})
    return findings[0] if findings else errors[0]


def _carried_groups(by_section: Mapping[str, list[Shape]]) -> list[Shape]:
    """The groups that something carries and that no part describes; a load balancer judged must bring its own."""
    carried = {
        one["GroupId"]: source["VpcId"]
        for source in (*by_section["NetworkInterfaces"], *by_section["Instances"])
        for holder in (source, *source.get("NetworkInterfaces", ()))
        for one in holder.get("Groups", ())
    }
    for source in by_section["LoadBalancers"]:
        if source["Type"] == "network":
            carried |= dict.fromkeys(source["SecurityGroups"], source["VpcId"])
    described = {source["GroupId"] for source in by_section["SecurityGroups"]}
    return [group(id_, vpc=vpc_id) for id_, vpc_id in carried.items() if id_ not in described]


def _without_nones(fields: Shape) -> Shape:
    """The API leaves out what there is not."""
    return {name: value for name, value in fields.items() if value is not None}
