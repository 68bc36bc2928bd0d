"""Estates that a CloudFormation template can make, at random, and each written out as one.

Resources refer to one another where an estate has identifiers. Registration states, peered VPCs and refused prefix
lists are left out: no template has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.builders import (
    Saved,
    Shape,
    behind,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    network_load_balancer,
    permission,
    prefix_list,
    target,
    target_group,
    vpc,
)
from tests.properties.estates import IPV4, IPV6, PORTS

GROUPS = ("sg-1", "sg-2", "sg-app", "sg-db", "sg-nlb")
PREFIX_LISTS = ("pl-4", "pl-6")
INSTANCES = {"i-1": ("10.0.1.20", ["sg-app"]), "i-2": ("10.0.1.21", ["sg-db", "sg-app"])}
INTERFACES = {"10.0.1.5": ["sg-app"], "10.0.1.6": ["sg-db"]}
# The rule of the AWS CDK for a group that lets nothing out: without any rule, a template leaves the default one.
NOTHING = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}

_RULES = (
    ("-1", None, None),
    ("tcp", None, None),
    ("tcp", 1, 9999),
    *(("tcp", port, port) for port in PORTS),
    ("icmp", 3, 4),
    ("icmp", -1, -1),
    ("icmpv6", 2, 0),
    ("udp", 443, 443),
)


@st.composite
def _permissions(draw: st.DrawFn, most: int) -> list[Shape]:
    peer = st.one_of(
        st.sampled_from(IPV4),
        st.sampled_from(IPV4[:1]),
        st.sampled_from(IPV6),
        st.sampled_from((*GROUPS, *PREFIX_LISTS)),
    )
    return [
        permission(*rule, *draw(st.lists(peer, min_size=1, max_size=2)))
        for rule in draw(st.lists(st.sampled_from(_RULES), max_size=most))
    ]


@st.composite
def deployable_estates(draw: st.DrawFn) -> Saved:
    """A saved estate with two Application Load Balancers, `web` and `other`."""
    parts: list[Shape] = [vpc("10.0.0.0/16", *draw(st.sampled_from([(), ("100.64.0.0/16",), ("2001:db8::/56",)])))]
    parts += [
        group(one, ingress=draw(_permissions(most)), egress=draw(_permissions(most)))
        for one, most in zip(GROUPS, (6, 4, 0, 0, 3), strict=True)
    ]
    forwarded = {"web": draw(st.sampled_from([[], ["ip"], ["ip", "instances"]])), "other": ["instances"]}
    for name in ("web", "other"):
        parts.append(
            load_balancer(
                name,
                scheme=draw(st.sampled_from(["internet-facing", "internal"])),
                ip_address_type=draw(st.sampled_from(["ipv4", "ipv4", "dualstack", "dualstack-without-public-ipv4"])),
                groups=draw(st.sampled_from([["sg-1"], ["sg-2"], ["sg-1", "sg-2"]])),
            )
        )
        ports = draw(st.sampled_from([(443,), (80, 443), (80, 8080)]))
        parts += [listener(port, of=name, forward=forwarded[name]) for port in ports]
    registrations = {
        "ip": st.builds(target, st.sampled_from(sorted(INTERFACES)), st.sampled_from([None, *PORTS]), st.none()),
        "instances": st.builds(target, st.sampled_from(sorted(INSTANCES)), st.sampled_from([None, *PORTS]), st.none()),
    }
    for name, registration in registrations.items():
        parts.append(
            target_group(
                name,
                type="ip" if name == "ip" else "instance",
                port=draw(st.sampled_from(PORTS)),
                targets=draw(st.lists(registration, max_size=3)),
                load_balancers=[one for one, names in forwarded.items() if name in names],
                health_check_port=draw(st.sampled_from(["traffic-port", "80", "8080"])),
                health_checks=draw(st.sampled_from([True, True, False])),
                control_port=draw(st.sampled_from([None, None, 8080])),
            )
        )
    if draw(st.booleans()):
        parts.append(
            network_load_balancer(
                "nlb", groups=["sg-nlb"], scheme=draw(st.sampled_from(["internet-facing", "internal"]))
            )
        )
        front = behind(443, name="front", health_check_port=draw(st.sampled_from(["traffic-port", "80"])))
        front["TargetHealthDescriptions"][0].pop("TargetHealth")
        nlb_arn = parts[-1]["LoadBalancerArn"]
        parts += [front, listener(443, "TCP", of=nlb_arn, forward=["front"])]
    parts += [interface(address, groups=groups) for address, groups in INTERFACES.items()]
    parts += [instance(one, address, groups=groups) for one, (address, groups) in INSTANCES.items()]
    parts += [
        prefix_list("pl-4", *draw(st.lists(st.sampled_from(IPV4), max_size=2))),
        {**prefix_list("pl-6", *draw(st.lists(st.sampled_from(IPV6), max_size=2))), "AddressFamily": "IPv6"},
    ]
    return estate(*parts)


def logical_id(identifier: str) -> str:
    """The logical ID of what has this identifier in the estate."""
    return "R" + "".join(part.capitalize() for part in "".join(c if c.isalnum() else " " for c in identifier).split())


def as_template(saved: Saved) -> dict[str, Any]:
    """The template that makes this estate."""
    known = {logical_id(one) for one in _identifiers(saved)}
    return {"Resources": dict(_resources(saved, known))}


def _identifiers(saved: Saved) -> Iterator[str]:
    for section, key in (
        ("LoadBalancers", "LoadBalancerArn"),
        ("TargetGroups", "TargetGroupArn"),
        ("SecurityGroups", "GroupId"),
        ("Instances", "InstanceId"),
        ("Vpcs", "VpcId"),
    ):
        yield from (one[key] for one in saved[section])
    yield from saved["ManagedPrefixLists"]


def _resources(saved: Saved, known: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    def named(identifier: str) -> Any:
        name = logical_id(identifier)
        return {"Ref": name} if name in known else identifier

    [network] = saved["Vpcs"]
    yield logical_id("vpc-1"), _resource("EC2::VPC", CidrBlock=network["CidrBlock"])
    blocks = [*network["CidrBlockAssociationSet"][1:], *network["Ipv6CidrBlockAssociationSet"]]
    for index, one in enumerate(blocks):
        block = {name: one[name] for name in ("CidrBlock", "Ipv6CidrBlock") if name in one}
        yield f"Block{index}", _resource("EC2::VPCCidrBlock", VpcId=named("vpc-1"), **block)
    yield "Subnet", _resource("EC2::Subnet", VpcId=named("vpc-1"), CidrBlock="10.0.1.0/24")
    for id_, one in saved["ManagedPrefixLists"].items():
        entries = [{"Cidr": entry["Cidr"]} for entry in one["Entries"]]
        yield logical_id(id_), _resource("EC2::PrefixList", AddressFamily=one["AddressFamily"], Entries=entries)
    for one in saved["SecurityGroups"]:
        yield from _security_group(one, named)
    for one in saved["Instances"]:
        groups = [named(found["GroupId"]) for found in one["SecurityGroups"]]
        properties = {
            "PrivateIpAddress": one["PrivateIpAddress"],
            "SecurityGroupIds": groups,
            "SubnetId": {"Ref": "Subnet"},
        }
        yield logical_id(one["InstanceId"]), _resource("EC2::Instance", **properties)
    for one in saved["NetworkInterfaces"]:
        groups = [named(found["GroupId"]) for found in one["Groups"]]
        properties = {"PrivateIpAddress": one["PrivateIpAddress"], "GroupSet": groups, "SubnetId": {"Ref": "Subnet"}}
        yield logical_id(one["NetworkInterfaceId"]), _resource("EC2::NetworkInterface", **properties)
    for one in saved["LoadBalancers"]:
        yield (
            logical_id(one["LoadBalancerArn"]),
            _resource(
                "ElasticLoadBalancingV2::LoadBalancer",
                Name=one["LoadBalancerName"],
                Type=one["Type"],
                Scheme=one["Scheme"],
                IpAddressType=one["IpAddressType"],
                SecurityGroups=[named(found) for found in one["SecurityGroups"]],
                Subnets=[{"Ref": "Subnet"}],
            ),
        )
    for index, one in enumerate(saved["Listeners"]):
        yield f"Listener{index}", _listener(one, named)
    for one in saved["TargetGroups"]:
        yield logical_id(one["TargetGroupArn"]), _target_group(one, saved, named)


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": {name: one for name, one in properties.items() if one is not None}}


def _security_group(source: Mapping[str, Any], named: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    name = logical_id(source["GroupId"])
    ingress = list(_rules(source["IpPermissions"], "Source", named))
    egress = list(_rules(source["IpPermissionsEgress"], "Destination", named))
    # A group that refers to itself, and two that refer to each other, need rules that stand apart.
    apart = [one for one in ingress if any("SecurityGroup" in key for key in one)]
    egress_apart = [one for one in egress if any("SecurityGroup" in key for key in one)]
    yield (
        name,
        _resource(
            "EC2::SecurityGroup",
            GroupDescription="a group",
            VpcId=named("vpc-1"),
            SecurityGroupIngress=[one for one in ingress if one not in apart],
            SecurityGroupEgress=[one for one in egress if one not in egress_apart] or [NOTHING],
        ),
    )
    for kind, rules in (("Ingress", apart), ("Egress", egress_apart)):
        for index, rule in enumerate(rules):
            group_id = {"Fn::GetAtt": [name, "GroupId"]}
            yield f"{name}{kind}{index}", _resource(f"EC2::SecurityGroup{kind}", GroupId=group_id, **rule)


def _rules(permissions: Sequence[Shape], side: str, named: Any) -> Iterator[dict[str, Any]]:
    for one in permissions:
        traffic: dict[str, Any] = {name: one[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in one}
        yield from ({**traffic, "CidrIp": found["CidrIp"]} for found in one["IpRanges"])
        yield from ({**traffic, "CidrIpv6": found["CidrIpv6"]} for found in one["Ipv6Ranges"])
        for found in one["PrefixListIds"]:
            yield {**traffic, f"{side}PrefixListId": named(found["PrefixListId"])}
        for found in one["UserIdGroupPairs"]:
            yield {**traffic, f"{side}SecurityGroupId": named(found["GroupId"])}


def _listener(source: Mapping[str, Any], named: Any) -> dict[str, Any]:
    actions = []
    for action in source["DefaultActions"]:
        if action["Type"] == "forward":
            groups = [
                {"TargetGroupArn": named(found["TargetGroupArn"]), "Weight": 1}
                for found in action["ForwardConfig"]["TargetGroups"]
            ]
            action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        actions.append(action)
    return _resource(
        "ElasticLoadBalancingV2::Listener",
        LoadBalancerArn=named(source["LoadBalancerArn"]),
        Port=source["Port"],
        Protocol=source["Protocol"],
        DefaultActions=actions,
    )


def _target_group(source: Mapping[str, Any], saved: Saved, named: Any) -> dict[str, Any]:
    registered = saved["TargetHealthDescriptions"].get(source["TargetGroupArn"], [])
    targets = [{**one["Target"], "Id": named(one["Target"]["Id"])} for one in registered]
    fields = (
        "HealthCheckEnabled",
        "HealthCheckPort",
        "IpAddressType",
        "Port",
        "Protocol",
        "TargetControlPort",
        "TargetType",
    )
    properties = {field: source.get(field) for field in fields}
    return _resource("ElasticLoadBalancingV2::TargetGroup", VpcId=named("vpc-1"), Targets=targets, **properties)
