"""A value that nobody has heard of, in every field of the model and from every source.

It concerns the object that holds it, and only the verdicts that depend on its field: those of a load balancer that does
not use the object stay as they are, and those of one that does stay or become errors.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from alb_sg.estate import model
from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.findings.judge import judge_all
from alb_sg.live import Selection
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from tests.builders import (
    RULES,
    UNUSED,
    Saved,
    Shape,
    behind,
    estate,
    group,
    icmp,
    instance,
    interface,
    listener,
    load_balancer,
    network_load_balancer,
    prefix_list,
    reference,
    subnet,
    target,
    target_group,
    tcp,
    vpc,
)
from tests.estate.example import config_items, lower_camel
from tests.live.region import Region

# What the load balancer `other` uses, and `web` does not, in places that `PATHS` names.
SECTION_AND_INDEX: dict[type, tuple[str, int]] = {
    model.LoadBalancer: ("LoadBalancers", 1),
    model.Listener: ("Listeners", 1),
    model.TargetGroup: ("TargetGroups", 1),
    model.SecurityGroup: ("SecurityGroups", 2),
    model.Vpc: ("Vpcs", 1),
    model.Subnet: ("Subnets", 1),
    model.NetworkInterface: ("NetworkInterfaces", 1),
    model.Instance: ("Instances", 1),
}
IDENTITY = "it says which object this is"
DERIVED = "it holds the unknown values of the others"
PLANNED = "only plans and templates have it"
UNJUDGED = "no verdict depends on it"

# Per class of the model and field: the places in the API's shape that it is read from, or why there is none to change.
PATHS: dict[type, dict[str, list[list[Any]] | str]] = {
    model.LoadBalancer: {
        "arn": IDENTITY,
        "name": [["LoadBalancerName"]],
        "type": [["Type"]],
        "scheme": [["Scheme"]],
        "state": [["State"], ["State", "Code"]],
        "vpc_id": [["VpcId"]],
        "ip_address_type": [["IpAddressType"]],
        "security_groups": [["SecurityGroups"], ["SecurityGroups", 0]],
        "subnet_ids": [["AvailabilityZones"], ["AvailabilityZones", 0], ["AvailabilityZones", 0, "SubnetId"]],
        "possible_subnet_ids": PLANNED,
    },
    model.Listener: {
        "arn": IDENTITY,
        "load_balancer_arn": [["LoadBalancerArn"]],
        "protocol": [["Protocol"]],
        "port": [["Port"]],
        "target_group_arns": [
            ["DefaultActions"],
            ["DefaultActions", 0],
            ["DefaultActions", 0, "ForwardConfig"],
            ["DefaultActions", 0, "ForwardConfig", "TargetGroups"],
        ],
        "unknown_actions": DERIVED,
        "authentications": [["DefaultActions", 0, "Type"]],
        "possible_target_group_arns": DERIVED,
    },
    model.TargetGroup: {
        "arn": IDENTITY,
        "name": [["TargetGroupName"]],
        "target_type": [["TargetType"]],
        "port": [["Port"]],
        "vpc_id": [["VpcId"]],
        "family": [["IpAddressType"]],
        "load_balancer_arns": [["LoadBalancerArns"], ["LoadBalancerArns", 0]],
        "health_checks_enabled": [["HealthCheckEnabled"]],
        "health_check_port": [["HealthCheckPort"]],
        "target_control_port": [["TargetControlPort"]],
    },
    model.SecurityGroup: {
        "id": IDENTITY,
        "name": [["GroupName"]],
        "vpc_id": [["VpcId"]],
        "ingress": [["IpPermissions"], ["IpPermissions", 0]],
        "egress": [["IpPermissionsEgress"], ["IpPermissionsEgress", 0]],
        "owner_id": [["OwnerId"]],
        "tags": [["Tags"], ["Tags", 0]],
        "unknown_ingress": DERIVED,
        "unknown_egress": DERIVED,
    },
    model.SecurityGroupRule: {
        "id": IDENTITY,
        "group_id": UNJUDGED,
        "is_egress": UNJUDGED,
        "permission": UNJUDGED,
        "description": UNJUDGED,
    },
    model.Vpc: {
        "id": IDENTITY,
        "cidrs": [
            ["CidrBlockAssociationSet"],
            ["CidrBlockAssociationSet", 0],
            ["CidrBlockAssociationSet", 0, "CidrBlock"],
            ["CidrBlockAssociationSet", 0, "CidrBlockState"],
            ["CidrBlockAssociationSet", 0, "CidrBlockState", "State"],
            ["Ipv6CidrBlockAssociationSet"],
        ],
        "unknown_cidrs": DERIVED,
    },
    model.Subnet: {
        "id": IDENTITY,
        "vpc_id": [["VpcId"]],
        "cidrs": [
            ["CidrBlock"],
            ["Ipv6CidrBlockAssociationSet"],
            ["Ipv6CidrBlockAssociationSet", 0],
            ["Ipv6CidrBlockAssociationSet", 0, "Ipv6CidrBlock"],
            ["Ipv6CidrBlockAssociationSet", 0, "Ipv6CidrBlockState"],
        ],
        "unknown_cidrs": DERIVED,
    },
    model.NetworkInterface: {
        "id": IDENTITY,
        "vpc_id": [["VpcId"]],
        "groups": [["Groups"], ["Groups", 0]],
        "ipv4_addresses": [["PrivateIpAddress"], ["PrivateIpAddresses"], ["PrivateIpAddresses", 0]],
        "ipv6_addresses": [["Ipv6Addresses"]],
        "prefixes": [["Ipv4Prefixes"], ["Ipv6Prefixes"]],
        "instance_id": [["Attachment"], ["Attachment", "InstanceId"]],
        "device_index": [["Attachment", "DeviceIndex"]],
        "description": [["Description"]],
        "is_elb_managed": [["RequesterId"]],
        "network_card_index": [["Attachment", "NetworkCardIndex"]],
        "unknown": DERIVED,
        "interface_type": [["InterfaceType"]],
        "unknown_groups": DERIVED,
    },
    model.Instance: {
        "id": IDENTITY,
        "ipv4_address": [["PrivateIpAddress"], ["NetworkInterfaces", 0, "PrivateIpAddress"]],
        "ipv6_address": [["NetworkInterfaces", 0, "Ipv6Addresses"]],
        "groups": [["SecurityGroups"], ["NetworkInterfaces", 0, "Groups"], ["NetworkInterfaces", 0, "Groups", 0]],
        "interfaces": [
            ["NetworkInterfaces"],
            ["NetworkInterfaces", 0],
            ["NetworkInterfaces", 0, "NetworkInterfaceId"],
            ["NetworkInterfaces", 0, "Attachment"],
            ["NetworkInterfaces", 0, "Attachment", "DeviceIndex"],
            ["NetworkInterfaces", 0, "Attachment", "NetworkCardIndex"],
        ],
        "unknown_groups": PLANNED,
        "unknown_address": PLANNED,
        "possible_cidrs": PLANNED,
    },
    model.Target: {
        "id": [["Target"], ["Target", "Id"]],
        "port": [["Target", "Port"]],
        "state": [["TargetHealth"], ["TargetHealth", "State"]],
        "reason": [["TargetHealth", "Reason"]],
        "unknown": PLANNED,
        "possible_target_group_arns": PLANNED,
    },
    model.Permission: {
        "protocol": [["IpProtocol"]],
        "from_port": [["FromPort"]],
        "to_port": [["ToPort"]],
        "cidrs": [["IpRanges"], ["IpRanges", 0], ["IpRanges", 0, "CidrIp"], ["Ipv6Ranges"]],
        "prefix_list_ids": [["PrefixListIds"]],
        "references": [["UserIdGroupPairs"], ["UserIdGroupPairs", 0]],
        "unknown_addresses": PLANNED,
        "unknown_reference": PLANNED,
    },
    model.SecurityGroupReference: {
        "group_id": [["GroupId"]],
        "owner_id": [["UserId"]],
        "vpc_id": [["VpcId"]],
        "peering_connection_id": [["VpcPeeringConnectionId"]],
        "peering_status": [["PeeringStatus"]],
    },
    model.PrefixList: {
        "id": IDENTITY,
        "name": [["PrefixListName"]],
        "family": [["AddressFamily"]],
        "entries": [["Entries"], ["Entries", 0], ["Entries", 0, "Cidr"]],
        "owner_id": [["OwnerId"]],
        "max_entries": [["MaxEntries"]],
    },
}
UNHEARD_OF: tuple[Any, ...] = ("unheard-of", 70000, {"New": "unheard-of"}, ["unheard-of"])

# Fields in which any text is legal: it names another VPC or group, or says that a peering is not active.
ANY_TEXT = {
    (model.NetworkInterface, "VpcId"),
    (model.NetworkInterface, "Groups"),
    (model.Instance, "NetworkInterfaces.0.Groups"),
    (model.SecurityGroupReference, "GroupId"),
    (model.SecurityGroupReference, "PeeringStatus"),
}

# Fields that no verdict reads: what is wrong with one is told where a fix or an owner depends on it.
NO_VERDICT = {
    (model.LoadBalancer, "LoadBalancerName"),
    (model.Listener, "DefaultActions.0.Type"),
    (model.TargetGroup, "TargetGroupName"),
    (model.SecurityGroup, "GroupName"),
    (model.SecurityGroup, "OwnerId"),
    (model.SecurityGroup, "Tags"),
    (model.NetworkInterface, "Description"),
    (model.NetworkInterface, "InterfaceType"),
    (model.NetworkInterface, "RequesterId"),
    (model.Instance, "NetworkInterfaces.0.NetworkInterfaceId"),
    (model.Target, "TargetHealth.Reason"),
    (model.PrefixList, "PrefixListName"),
    (model.PrefixList, "OwnerId"),
    (model.PrefixList, "MaxEntries"),
}


def saved() -> Saved:
    """Two load balancers in two VPCs that share nothing: `web`, and `other` with every kind of object."""
    return estate(
        load_balancer(scheme="internal"),
        load_balancer("other", scheme="internal", groups=["sg-2"], vpc="vpc-2", subnets=["subnet-2"]),
        network_load_balancer("nlb", scheme="internal", vpc="vpc-2"),
        listener(443, forward=["web"]),
        listener(443, of="other", forward=["other"]),
        target_group(targets=["10.0.1.5"]),
        target_group("other", targets=[target("10.2.1.5", 80)], load_balancers=["other"], vpc="vpc-2"),
        target_group("hosts", type="instance", targets=["i-2"], load_balancers=["other"], vpc="vpc-2"),
        behind(443, alb="other", vpc="vpc-2"),
        target_group("hosts-of-web", type="instance", targets=["i-1"]),
        group(
            ingress=[tcp(443, "10.0.0.0/16"), icmp(3, 4, "10.0.0.0/16")],
            egress=[tcp(80, "sg-app")],
        ),
        group("sg-app", ingress=[tcp(80, "sg-1")]),
        group(
            "sg-2",
            vpc="vpc-2",
            ingress=[tcp(443, "pl-2", "10.2.0.0/17"), icmp(3, 4, "10.2.0.0/16")],
            egress=[tcp(80, "10.9.0.0/16", reference("sg-db", vpc="vpc-2"))],
        ),
        group("sg-db", vpc="vpc-2", ingress=[tcp(80, "10.2.0.0/24")]),
        prefix_list("pl-2", "10.2.128.0/17"),
        vpc("10.0.0.0/16"),
        vpc("10.2.0.0/16", id="vpc-2"),
        subnet("10.0.1.0/24", "2001:db8:0:1::/64", id="subnet-a"),
        subnet("10.2.0.0/24", "2001:db8:2::/64", id="subnet-2", vpc="vpc-2"),
        interface("10.0.1.5"),
        interface("10.2.1.5", groups=["sg-db"], vpc="vpc-2"),
        instance("i-1", "10.0.1.20"),
        instance("i-2", "10.2.1.20", groups=["sg-db"], vpc="vpc-2"),
    )


def element(document: Saved, of: type) -> Any:
    """The object of `other` that a class of the model is read from."""
    if of in SECTION_AND_INDEX:
        section, index = SECTION_AND_INDEX[of]
        return document[section][index]
    if of is model.Target:
        return document["TargetHealthDescriptions"][element(document, model.TargetGroup)["TargetGroupArn"]][0]
    if of is model.PrefixList:
        return document["ManagedPrefixLists"]["pl-2"]
    permission = element(document, model.SecurityGroup)["IpPermissionsEgress"][0]
    return permission if of is model.Permission else permission["UserIdGroupPairs"][0]


def changed(of: type, path: list[Any], value: Any) -> Saved:
    document = saved()
    holder = element(document, of)
    for step in path[:-1]:
        holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
    holder[path[-1]] = copy.deepcopy(value)
    return document


def from_file(folder: Path, document: Saved) -> Estate:
    path = folder / "estate.json"
    path.write_text(json.dumps(document))
    [found] = read_export_file(str(path))
    return found


def from_items(folder: Path, document: Saved, *, fast: bool) -> Estate:
    # As AWS Config has them: EC2's and load balancers in lowerCamel, listeners and target groups in Pascal.
    items = _config_items(document)
    for item in items:
        if not item["resourceType"].endswith(("::Listener", "::TargetGroup")):
            item["configuration"] = lower_camel(item["configuration"])
    path = folder / "items.json"
    path.write_text(json.dumps({"configurationItems": items}))
    [found] = read_config_items([str(path)], fast=fast)
    return found


def _config_items(document: Saved) -> list[Shape]:
    """`config_items`, which takes tags and targets apart, for objects in which these may be anything."""
    document = copy.deepcopy(document)
    tags = {one["GroupId"]: one.pop("Tags", []) for one in document["SecurityGroups"]}
    descriptions = document["TargetHealthDescriptions"]
    targets = {arn: [one.get("Target") for one in found] for arn, found in descriptions.items()}
    document["TargetHealthDescriptions"] = {arn: [] for arn in descriptions}
    items = config_items(document)
    for item in items:
        if item["resourceId"] in targets:
            item["configuration"]["Targets"] = targets[item["resourceId"]]
        if item["resourceId"] in tags:
            item["tags"] = tags[item["resourceId"]]
    return items


def from_live(_: Path, document: Saved) -> Estate:
    sections = frozenset().union(*(rule.estate_sections for rule in RECOMMENDATIONS))
    return Region(document).source().load(Selection(everything=True), sections).estate


SOURCES: dict[str, Callable[[Path, Saved], Estate]] = {
    "saved": from_file,
    "items": lambda folder, document: from_items(folder, document, fast=False),
    "fast items": lambda folder, document: from_items(folder, document, fast=True),
    "live": from_live,
}
WEB, OTHER = "web", "other"
ALL_RULES = (*RULES, UNUSED)


def verdicts(found: Estate) -> dict[tuple[str, str], str]:
    """By load balancer and rule: the verdict with its annotation, or "ERROR"."""
    rules = {rule: parse_parameters({}) for rule in RECOMMENDATIONS}
    findings, errors = judge_all(found, found.load_balancers.values(), rules)
    names = {arn: arn.split("/")[-2] for arn in found.load_balancers}
    by_rule = {(names[one.load_balancer_arn], one.rule): f"{one.compliance.value} {one.annotation}" for one in findings}
    return by_rule | {(names[one.load_balancer_arn or ""], str(one.rule)): "ERROR" for one in errors}


def places() -> Iterator[tuple[type, str, list[Any]]]:
    for of, fields in PATHS.items():
        for name, paths in fields.items():
            if not isinstance(paths, str):
                for path in paths:
                    yield of, name, path


def _names(values: Iterable[Any]) -> list[str]:
    return [".".join(map(str, value)) for value in values]


def test_every_field_of_the_model_is_walked() -> None:
    for of, fields in PATHS.items():
        assert set(fields) == set(of._fields), of  # type: ignore[attr-defined]  # the model's classes are named tuples
    classes = {of for of in vars(model).values() if isinstance(of, type) and hasattr(of, "_fields")}
    # What an instance's record says of its interfaces belongs to the instance.
    assert classes - {model.UnknownValue, model.InstanceInterface} == set(PATHS)


@pytest.mark.parametrize("source", SOURCES)
def test_everything_is_judged_without_unknown_values(source: str) -> None:
    """Otherwise the tests below would compare errors with errors."""
    before = verdicts_before(source)
    assert {before[name, rule].split()[0] for name in (WEB, OTHER) for rule in RULES} == {"COMPLIANT"}


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("of", "path"),
    [(of, path) for of, _, path in places()],
    ids=_names((of.__name__, *path) for of, _, path in places()),
)
def test_an_unknown_value_concerns_only_its_dependents(tmp_path: Path, source: str, of: type, path: list[Any]) -> None:
    read = SOURCES[source]
    before = verdicts_before(source)
    for value in UNHEARD_OF[:1] if source == "live" else UNHEARD_OF:
        if source == "live" and path in (["Entries"], ["LoadBalancerArn"]):
            # The client pages through a list, whatever the service answers; and it asks for the listeners of one load
            # balancer.
            continue
        after = verdicts(read(tmp_path, changed(of, path, value)))
        for rule in RULES:
            assert after.get((WEB, rule)) == before[WEB, rule], (value, rule)
            found = after.get((OTHER, rule), "no verdict")
            if (of, _without_last_index(path)) in NO_VERDICT:
                assert found == before[OTHER, rule], (value, rule)
            if (of, _without_last_index(path)) in ANY_TEXT and found.startswith("NON_COMPLIANT"):
                continue
            assert found in (before[OTHER, rule], "ERROR"), (value, rule)


ABSENT = object()
NOTHING: tuple[Any, ...] = (ABSENT, None, "", {})


def closed() -> Saved:
    """As `saved`, and every rule finds something of `other`."""
    document = saved()
    groups = {one["GroupId"]: one for one in document["SecurityGroups"]}
    groups["sg-2"]["IpPermissions"] = [tcp(444, "10.2.0.0/17", "pl-2"), icmp(8, 0, "10.2.0.0/16")]
    groups["sg-2"]["IpPermissionsEgress"] = [tcp(81, "10.9.0.0/16", reference("sg-db", vpc="vpc-2"))]
    groups["sg-db"]["IpPermissions"] = [tcp(81, "10.2.0.0/25")]
    return document


@pytest.mark.slow
@pytest.mark.parametrize("source", ["saved", "fast items"])
@pytest.mark.parametrize(
    ("of", "path"),
    [(of, path) for of, _, path in places()],
    ids=_names((of.__name__, *path) for of, _, path in places()),
)
def test_an_absent_value_opens_nothing(tmp_path: Path, source: str, of: type, path: list[Any]) -> None:
    """Without a value, or with an empty one, a verdict stays or becomes an error: nothing is met by it, and no
    requirement is dropped."""
    read = SOURCES[source]
    before = verdicts(read(tmp_path, closed()))
    assert {before[OTHER, rule].split()[0] for rule in ALL_RULES} == {"NON_COMPLIANT"}
    for value in NOTHING:
        document = closed()
        holder = element(document, of)
        for step in path[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
        if value is not ABSENT:
            holder[path[-1]] = copy.deepcopy(value)
        elif isinstance(holder, dict):
            holder.pop(path[-1], None)
        after = verdicts(read(tmp_path, document))
        for rule in ALL_RULES:
            of_web = after.get((WEB, rule))
            # An interface whose groups are not known may carry any.
            of_any_group = rule == UNUSED and of is model.NetworkInterface and path[0] == "Groups"
            assert of_web == before[WEB, rule] or (of_any_group and of_web == "ERROR"), (value, rule)
            if source != "saved" and rule == UNUSED and path == ["IpPermissions"]:
                # Items leave out an empty list.
                continue
            assert after.get((OTHER, rule), "no verdict").split()[0] in ("NON_COMPLIANT", "ERROR"), (value, rule)


def _without_last_index(path: list[Any]) -> str:
    return ".".join(map(str, path[:-1] if path[-1] == 0 else path))


@cache
def verdicts_before(source: str) -> dict[tuple[str, str], str]:
    with TemporaryDirectory() as folder:
        return verdicts(SOURCES[source](Path(folder), saved()))
