"""One small estate as a saved estate, and the same as AWS Config items: what the tests of both loaders vary."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

Shape = dict[str, Any]

ACCOUNT = "111122223333"
REGION = "eu-west-1"
PREFIX = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
WEB = f"{PREFIX}:loadbalancer/app/web/50dc6c495c0c9188"
IDLE = f"{PREFIX}:loadbalancer/app/idle/60dc6c495c0c9188"
HTTP = f"{PREFIX}:listener/app/web/50dc6c495c0c9188/1111111111111111"
HTTPS = f"{PREFIX}:listener/app/web/50dc6c495c0c9188/2222222222222222"
BLUE = f"{PREFIX}:targetgroup/blue/73e2d6bc24d8a067"

_SAVED: Shape = {
    "AccountId": ACCOUNT,
    "Region": REGION,
    "LoadBalancers": [
        {
            "LoadBalancerArn": WEB,
            "LoadBalancerName": "web",
            "Type": "application",
            "Scheme": "internet-facing",
            "State": {"Code": "active"},
            "VpcId": "vpc-1",
            "IpAddressType": "dualstack",
            "SecurityGroups": ["sg-web", "sg-admin"],
            "AvailabilityZones": [
                {"ZoneName": "eu-west-1b", "SubnetId": "subnet-2", "LoadBalancerAddresses": []},
                {"ZoneName": "eu-west-1a", "SubnetId": "subnet-1", "LoadBalancerAddresses": []},
            ],
            "DNSName": "web-1.eu-west-1.elb.amazonaws.com",
        },
        {
            "LoadBalancerArn": IDLE,
            "LoadBalancerName": "idle",
            "Type": "application",
            "Scheme": "internal",
            "State": {"Code": "provisioning"},
            "VpcId": "vpc-1",
            "SecurityGroups": ["sg-web"],
        },
    ],
    "Listeners": [
        {
            "ListenerArn": HTTPS,
            "LoadBalancerArn": WEB,
            "Protocol": "HTTPS",
            "Port": 443,
            "DefaultActions": [
                {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": BLUE, "Weight": 0}]}}
            ],
        },
        {
            "ListenerArn": HTTP,
            "LoadBalancerArn": WEB,
            "Protocol": "HTTP",
            "Port": 80,
            "DefaultActions": [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "443"}}],
        },
    ],
    "TargetGroups": [
        {
            "TargetGroupArn": BLUE,
            "TargetGroupName": "blue",
            "TargetType": "instance",
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": "vpc-1",
            "IpAddressType": "ipv4",
            "LoadBalancerArns": [WEB],
            "HealthCheckEnabled": True,
            "HealthCheckPort": "8081",
        }
    ],
    "TargetHealthDescriptions": {
        BLUE: [{"Target": {"Id": "i-2", "Port": 8090}}, {"Target": {"Id": "i-1", "Port": 8080}}],
    },
    "SecurityGroups": [
        {
            "GroupId": "sg-web",
            "GroupName": "web",
            "VpcId": "vpc-1",
            "OwnerId": ACCOUNT,
            "Tags": [{"Key": "team", "Value": "web"}],
            "IpPermissions": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8", "Description": "office"}],
                    "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
                    "PrefixListIds": [{"PrefixListId": "pl-1"}],
                },
                {"IpProtocol": "icmp", "FromPort": 3, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            ],
            "IpPermissionsEgress": [
                {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-app", "UserId": ACCOUNT}]}
            ],
        },
        {"GroupId": "sg-admin", "GroupName": "admin", "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": []},
    ],
    "Vpcs": [
        {
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.0.0/16",
            "CidrBlockAssociationSet": [
                {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
                {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "disassociated"}},
            ],
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}}
            ],
        }
    ],
    "Subnets": [
        {
            "SubnetId": "subnet-1",
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.1.0/24",
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": "2001:db8:0:1::/64", "Ipv6CidrBlockState": {"State": "associated"}},
                {"Ipv6CidrBlock": "2001:db8:0:9::/64", "Ipv6CidrBlockState": {"State": "disassociated"}},
            ],
        },
        {"SubnetId": "subnet-2", "VpcId": "vpc-1", "CidrBlock": "10.0.2.0/24"},
    ],
    "NetworkInterfaces": [
        {
            "NetworkInterfaceId": "eni-1",
            "VpcId": "vpc-1",
            "Groups": [{"GroupId": "sg-app", "GroupName": "app"}],
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5", "Primary": True}],
            "Ipv6Addresses": [{"Ipv6Address": "2001:db8::5", "IsPrimaryIpv6": True}],
            "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.1.0/28"}],
            "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0},
            "Description": "primary",
        },
        {
            "NetworkInterfaceId": "eni-3",
            "VpcId": "vpc-1",
            "Groups": [{"GroupId": "sg-web", "GroupName": "web"}],
            "PrivateIpAddress": "10.0.0.7",
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.7", "Primary": True}],
            "Attachment": {"InstanceOwnerId": "amazon-elb", "DeviceIndex": 1},
            "Description": "ELB app/web/50dc6c495c0c9188",
            "RequesterId": "amazon-elb",
        },
    ],
    "Instances": [
        {
            "InstanceId": "i-2",
            "PrivateIpAddress": "10.0.0.6",
            "SecurityGroups": [{"GroupId": "sg-app"}],
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": "eni-2",
                    "PrivateIpAddress": "10.0.0.6",
                    "Groups": [{"GroupId": "sg-app"}],
                    "Ipv6Addresses": [],
                    "Attachment": {"DeviceIndex": 0},
                }
            ],
        }
    ],
    "ManagedPrefixLists": {
        "pl-1": {
            "PrefixListName": "corporate",
            "AddressFamily": "IPv4",
            "OwnerId": ACCOUNT,
            "MaxEntries": 10,
            "Entries": [{"Cidr": "192.0.2.0/24"}],
        }
    },
    "Tags": {WEB: [{"Key": "clients", "Value": "internet"}], IDLE: []},
}

# How AWS Config names what a section of the saved estate holds, and the field with a resource's id.
TYPES = {
    "LoadBalancers": ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerArn"),
    "Listeners": ("AWS::ElasticLoadBalancingV2::Listener", "ListenerArn"),
    "TargetGroups": ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupArn"),
    "SecurityGroups": ("AWS::EC2::SecurityGroup", "GroupId"),
    "Vpcs": ("AWS::EC2::VPC", "VpcId"),
    "Subnets": ("AWS::EC2::Subnet", "SubnetId"),
    "NetworkInterfaces": ("AWS::EC2::NetworkInterface", "NetworkInterfaceId"),
    "Instances": ("AWS::EC2::Instance", "InstanceId"),
}
PREFIX_LIST = "AWS::EC2::PrefixList"
EARLIER, NOON, LATER = (f"2026-01-01T{hour}:00:00.000Z" for hour in ("09", "12", "15"))


def saved() -> Shape:
    """The estate as a saved estate; every call gives one of its own to change."""
    return copy.deepcopy(_SAVED)


def config_item(type_name: str, resource_id: str, configuration: Any, **changes: Any) -> Shape:
    """An item as a ConfigSnapshot spells its envelope; `changes` replace fields, None takes them out."""
    item = {
        "resourceType": type_name,
        "resourceId": resource_id,
        "awsAccountId": ACCOUNT,
        "awsRegion": REGION,
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": NOON,
        "configurationStateId": 1767268800000,
        "configuration": configuration,
        "supplementaryConfiguration": {},
        "tags": {},
    } | changes
    return {key: value for key, value in item.items() if value is not None}


def config_items(source: Shape | None = None) -> list[Shape]:
    """A saved estate, the example if none is given, as configuration items in the API's own spelling."""
    source = saved() if source is None else copy.deepcopy(source)
    account_region = {"awsAccountId": source["AccountId"], "awsRegion": source["Region"]}
    found = []
    for section, (type_name, identifier) in TYPES.items():
        for element in source[section]:
            resource_id = element[identifier]
            item = config_item(type_name, resource_id, element, **account_region)
            if section == "LoadBalancers":
                item["tags"] = {tag["Key"]: tag["Value"] for tag in source["Tags"].get(resource_id, ())}
            if section == "SecurityGroups":
                item["tags"] = {tag["Key"]: tag["Value"] for tag in element.pop("Tags", ())}
            if section == "TargetGroups":
                element["Targets"] = [found["Target"] for found in source["TargetHealthDescriptions"][resource_id]]
            found.append(item)
    for prefix_list_id, element in source["ManagedPrefixLists"].items():
        found.append(
            config_item(PREFIX_LIST, prefix_list_id, {"PrefixListId": prefix_list_id, **element}, **account_region)
        )
    return found


def lower_camel(value: Any) -> Any:
    """The API's shape as most items spell it; `DNSName` becomes `dNSName` as AWS Config itself has it."""
    if isinstance(value, list):
        return [lower_camel(element) for element in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: lower_camel(inner) for key, inner in value.items()}
    return value


def write(folder: Path, document: Any, name: str = "given.json") -> str:
    """A file of that JSON, gzipped where its name says so; its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(document).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return str(path)
