"""ConfigSnapshot files of any size and always the same, with the verdicts that they must get.

Items are as AWS Config writes them into S3: on one line, `configuration` after `relationships` and the item's type
after both, ids of 17 digits, the newer types in the resource schemas' spelling and the older in lowerCamel.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

HEALTH, ICMP = "ALB_SG_HEALTH_CHECK_EGRESS", "ALB_SG_ICMP_PMTUD"
INSTANCE, LISTENER = "ALB_SG_INSTANCE_EGRESS", "ALB_SG_LISTENER_INGRESS"
TARGETS = "ALB_SG_TARGET_INGRESS"
RULES = (HEALTH, ICMP, INSTANCE, LISTENER, TARGETS)

REGION = "eu-west-1"
CAPTURE_TIME = "2026-03-17T08:15:42.118Z"
CREATION_TIME = "2024-11-02T10:31:07.000Z"
LOAD_BALANCERS_PER_VPC = 100
# The missing parts by a load balancer's number, modulo twenty.
CLOSED_LISTENER, NO_ICMP, CLOSED_HEALTH_CHECK, WRONG_GROUP = 4, 9, 14, 19
# Raise it with every change of the files' content: files of other versions are not used again.
VERSION = 1

JsonObject = dict[str, Any]


def snapshot_file(load_balancers: int, account: int = 0) -> Path:
    """A gzipped ConfigSnapshot of one account and region; made once, in the system's temporary folder."""
    folder = Path(tempfile.gettempdir()) / f"alb-sg-benchmarks-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    path = folder / f"snapshot-{VERSION}-{load_balancers}-{account}.json.gz"
    if not path.exists():
        # Tests make some side by side.
        unfinished = path.with_suffix(f".{os.getpid()}")
        with (
            unfinished.open("wb") as stream,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed,
        ):
            packed.writelines(_document_bytes(load_balancers, account))
        unfinished.replace(path)
    return path


def expected_verdicts(load_balancers: int) -> dict[tuple[str, str], int]:
    """How many load balancers of a snapshot must get each verdict of each rule."""
    lacking = Counter(rule for number in range(load_balancers) for rule in _non_compliant_rules(number))
    return {
        (rule, verdict): count
        for rule in RULES
        for verdict, count in (("COMPLIANT", load_balancers - lacking[rule]), ("NON_COMPLIANT", lacking[rule]))
        if count
    }


def _non_compliant_rules(number: int) -> tuple[str, ...]:
    return {
        CLOSED_LISTENER: (LISTENER,),
        NO_ICMP: (ICMP,),
        CLOSED_HEALTH_CHECK: (HEALTH,),
        WRONG_GROUP: (HEALTH, INSTANCE),
    }.get(number % 20, ())


def _document_bytes(load_balancers: int, account: int) -> Iterator[bytes]:
    yield b'{"fileVersion":"1.0","configSnapshotId":"0f1d63cc-aee4-48b8-82ab-4f38087be14e","configurationItems":['
    separator = b""
    for first in range(0, load_balancers, LOAD_BALANCERS_PER_VPC):
        numbers = range(first, min(first + LOAD_BALANCERS_PER_VPC, load_balancers))
        items = _VpcItems(f"{account + 100_000_000_001:012}", first // LOAD_BALANCERS_PER_VPC).items(numbers)
        # AWS Config keeps no order.
        random.Random(first).shuffle(items)
        yield separator + b",".join(map(msgspec.json.encode, items))
        separator = b","
    yield b"]}"


class _VpcItems:
    """A VPC, and what lies in it."""

    def __init__(self, account: str, number: int) -> None:
        self.account = account
        self.number = number
        self.id = self._id("vpc", number)
        self.cidr_block = f"10.{number % 256}.0.0/16"
        self.subnets = [self._id("subnet", number, zone) for zone in "abc"]

    def items(self, load_balancers: Iterable[int]) -> list[JsonObject]:
        found = [self._vpc(), *map(self._subnet, "abc"), self._route_table(), self._role()]
        for number in load_balancers:
            found += self._load_balancer_items(number)
        return found

    def _load_balancer_items(self, number: int) -> list[JsonObject]:
        return [
            self._load_balancer(number),
            self._redirecting_listener(number),
            self._forwarding_listener(number),
            self._target_group(number, "web", 8080, "traffic-port"),
            self._target_group(number, "api", 8443, "8444"),
            self._load_balancer_group(number),
            self._application_group(number),
            *(self._instance(number, slot) for slot in (0, 1)),
            *(self._interface(number, slot) for slot in (0, 1)),
            self._volume(number, 0),
        ]

    def _id(self, kind: str, *what: object) -> str:
        return f"{kind}-0{_digits(16, self.account, kind, *what)}"

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{REGION}:{self.account}:{rest}"

    def _load_balancer_name(self, number: int) -> str:
        return f"app/shop-{number:06}/{_digits(16, self.account, number)}"

    def _load_balancer_arn(self, number: int) -> str:
        return self._arn("elasticloadbalancing", f"loadbalancer/{self._load_balancer_name(number)}")

    def _target_group_arn(self, number: int, name: str) -> str:
        digits = _digits(16, self.account, number, name)
        return self._arn("elasticloadbalancing", f"targetgroup/{name}-{number:06}/{digits}")

    def _address(self, number: int, slot: int) -> str:
        place = 256 + 4 * (number % LOAD_BALANCERS_PER_VPC) + slot
        return f"10.{self.number % 256}.{place >> 8}.{place & 255}"

    def _load_balancer(self, number: int) -> JsonObject:
        arn = self._load_balancer_arn(number)
        name = f"shop-{number:06}"
        internal = _is_internal(number)
        attributes = {
            "access_logs.s3.enabled": "true",
            "access_logs.s3.bucket": f"logs-{self.account}-{REGION}",
            "access_logs.s3.prefix": name,
            "idle_timeout.timeout_seconds": "60",
            "deletion_protection.enabled": "true",
            "routing.http2.enabled": "true",
            "routing.http.drop_invalid_header_fields.enabled": "false",
            "load_balancing.cross_zone.enabled": "true",
            "routing.http.desync_mitigation_mode": "defensive",
        }
        tags = _tags(name)
        return self._item(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            arn,
            arn,
            name,
            [
                ("AWS::EC2::SecurityGroup", self._id("sg", number, "web"), "Is associated with SecurityGroup"),
                *(("AWS::EC2::Subnet", subnet, "Is attached to Subnet") for subnet in self.subnets),
                ("AWS::EC2::VPC", self.id, "Is contained in Vpc"),
            ],
            {
                "loadBalancerArn": arn,
                "dNSName": f"{'internal-' if internal else ''}{name}-{number + 1278615410}.{REGION}.elb.amazonaws.com",
                "canonicalHostedZoneId": "Z32O12XQLNTSW2",
                "createdTime": CREATION_TIME,
                "loadBalancerName": name,
                "scheme": "internal" if internal else "internet-facing",
                "vpcId": self.id,
                "state": {"code": "active"},
                "type": "application",
                "availabilityZones": [
                    {"zoneName": f"{REGION}{zone}", "subnetId": subnet, "loadBalancerAddresses": []}
                    for zone, subnet in zip("abc", self.subnets, strict=True)
                ],
                "securityGroups": [self._id("sg", number, "web")],
                "ipAddressType": "ipv4",
                "enablePrefixForIpv6SourceNat": "off",
            },
            {
                "LoadBalancerAttributes": [{"key": key, "value": value} for key, value in attributes.items()],
                "Tags": [{"key": key, "value": value} for key, value in tags.items()],
            },
            tags,
        )

    def _redirecting_listener(self, number: int) -> JsonObject:
        redirect = {
            "Type": "redirect",
            "Order": 1,
            "RedirectConfig": {
                "Protocol": "HTTPS",
                "Port": "443",
                "Host": "#{host}",
                "Path": "/#{path}",
                "Query": "#{query}",
                "StatusCode": "HTTP_301",
            },
        }
        return self._listener(number, 80, {"Protocol": "HTTP", "DefaultActions": [redirect], "Certificates": []})

    def _forwarding_listener(self, number: int) -> JsonObject:
        group = self._target_group_arn(number, "web")
        forward = {
            "Type": "forward",
            "Order": 1,
            "TargetGroupArn": group,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": False, "DurationSeconds": 3600},
            },
        }
        certificate = self._arn("acm", f"certificate/{_digits(32, self.account, number)}")
        return self._listener(
            number,
            443,
            {
                "Protocol": "HTTPS",
                "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "Certificates": [{"CertificateArn": certificate}],
                "DefaultActions": [forward],
                "MutualAuthentication": {"Mode": "off", "AdvertiseTrustStoreCaNames": "off"},
            },
        )

    def _listener(self, number: int, port: int, configuration: JsonObject) -> JsonObject:
        digits = _digits(16, self.account, number, port)
        arn = self._arn("elasticloadbalancing", f"listener/{self._load_balancer_name(number)}/{digits}")
        attributes = {
            "routing.http.response.server.enabled": "true",
        }
        return self._item(
            "AWS::ElasticLoadBalancingV2::Listener",
            arn,
            arn,
            arn,
            [],
            {
                "ListenerArn": arn,
                "LoadBalancerArn": self._load_balancer_arn(number),
                "Port": port,
                **configuration,
                "AlpnPolicy": [],
                "ListenerAttributes": [{"Key": key, "Value": value} for key, value in attributes.items()],
            },
        )

    def _target_group(self, number: int, name: str, port: int, health_check_port: str) -> JsonObject:
        arn = self._target_group_arn(number, name)
        attributes = {
            "deregistration_delay.timeout_seconds": "300",
            "stickiness.enabled": "false",
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": "86400",
            "load_balancing.algorithm.type": "round_robin",
            "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        }
        return self._item(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            arn,
            arn,
            f"{name}-{number:06}",
            [],
            {
                "TargetGroupArn": arn,
                "TargetGroupFullName": arn.rpartition(":")[2],
                "TargetGroupName": f"{name}-{number:06}",
                "LoadBalancerArns": [self._load_balancer_arn(number)],
                "Protocol": "HTTP",
                "ProtocolVersion": "HTTP1",
                "Port": port,
                "VpcId": self.id,
                "TargetType": "instance",
                "IpAddressType": "ipv4",
                "HealthCheckEnabled": True,
                "HealthCheckPort": health_check_port,
                "HealthCheckProtocol": "HTTP",
                "HealthCheckPath": "/health",
                "HealthCheckIntervalSeconds": 30,
                "HealthCheckTimeoutSeconds": 5,
                "HealthyThresholdCount": 5,
                "UnhealthyThresholdCount": 2,
                "Matcher": {"HttpCode": "200"},
                "Targets": [{"Id": self._id("i", number, slot), "Port": port} for slot in (0, 1)],
                "TargetGroupAttributes": [{"Key": key, "Value": value} for key, value in attributes.items()],
            },
            tags=_tags(f"{name}-{number:06}"),
        )

    def _load_balancer_group(self, number: int) -> JsonObject:
        clients = self.cidr_block if _is_internal(number) else "0.0.0.0/0"
        defect = number % 20
        application = self._id("sg", number, "elsewhere" if defect == WRONG_GROUP else "app")
        ingress = [
            _permission("tcp", 80, 80, cidr=clients),
            _permission("tcp", 443, 443, cidr="192.0.2.0/24" if defect == CLOSED_LISTENER else clients),
        ]
        if defect != NO_ICMP:
            ingress.append(_permission("icmp", 3, 4, cidr=clients))
        egress = [self._group_permission(port, application) for port in (8080, 8443)]
        if defect != CLOSED_HEALTH_CHECK:
            egress.append(self._group_permission(8444, application))
        return self._security_group(number, "web", ingress, egress)

    def _application_group(self, number: int) -> JsonObject:
        web = self._id("sg", number, "web")
        return self._security_group(
            number,
            "app",
            [
                *(self._group_permission(port, web) for port in (8080, 8443, 8444)),
                _permission("tcp", 22, 22, cidr="10.0.0.0/8"),
            ],
            [_permission("-1", None, None, cidr="0.0.0.0/0")],
        )

    def _group_permission(self, port: int, group: str) -> JsonObject:
        return _permission("tcp", port, port, pair={"groupId": group, "userId": self.account})

    def _security_group(
        self, number: int, name: str, ingress: list[JsonObject], egress: list[JsonObject]
    ) -> JsonObject:
        group_id = self._id("sg", number, name)
        group_name = f"shop-{number:06}-{name}"
        return self._item(
            "AWS::EC2::SecurityGroup",
            group_id,
            self._arn("ec2", f"security-group/{group_id}"),
            group_name,
            [
                ("AWS::EC2::VPC", self.id, "Is contained in Vpc"),
                *(
                    ("AWS::EC2::NetworkInterface", self._id("eni", number, slot), "Is associated with NetworkInterface")
                    for slot in ((0, 1) if name == "app" else ())
                ),
                *(
                    ("AWS::EC2::Instance", self._id("i", number, slot), "Is associated with Instance")
                    for slot in ((0, 1) if name == "app" else ())
                ),
            ],
            {
                "description": f"{name} of shop-{number:06}",
                "groupName": group_name,
                "ipPermissions": ingress,
                "ownerId": self.account,
                "groupId": group_id,
                "ipPermissionsEgress": egress,
                "tags": _tag_list(group_name),
                "vpcId": self.id,
                "securityGroupArn": self._arn("ec2", f"security-group/{group_id}"),
            },
            tags=_tags(group_name),
        )

    def _instance(self, number: int, slot: int) -> JsonObject:
        instance = self._id("i", number, slot)
        address = self._address(number, slot)
        interface = self._interface_configuration(number, slot)
        name = f"shop-{number:06}-{slot}"
        del interface["availabilityZone"], interface["requesterManaged"], interface["tagSet"]
        del interface["attachment"]["instanceId"], interface["attachment"]["instanceOwnerId"]
        return self._item(
            "AWS::EC2::Instance",
            instance,
            self._arn("ec2", f"instance/{instance}"),
            None,
            [
                ("AWS::EC2::NetworkInterface", self._id("eni", number, slot), "Contains NetworkInterface"),
                ("AWS::EC2::SecurityGroup", self._id("sg", number, "app"), "Is associated with SecurityGroup"),
                ("AWS::EC2::Subnet", self.subnets[slot], "Is contained in Subnet"),
                ("AWS::EC2::Volume", self._id("vol", number, slot), "Is attached to Volume"),
                ("AWS::EC2::VPC", self.id, "Is contained in Vpc"),
            ],
            {
                "amiLaunchIndex": 0,
                "imageId": "ami-0c24aa343c564eda8",
                "instanceId": instance,
                "instanceType": "m6i.large",
                "launchTime": CREATION_TIME,
                "monitoring": {"state": "disabled"},
                "placement": {
                    "availabilityZone": f"{REGION}{'abc'[slot]}",
                    "groupName": "",
                    "tenancy": "default",
                },
                "privateDnsName": f"ip-{address.replace('.', '-')}.{REGION}.compute.internal",
                "privateIpAddress": address,
                "productCodes": [],
                "publicDnsName": "",
                "state": {"code": 16, "name": "running"},
                "stateTransitionReason": "",
                "subnetId": self.subnets[slot],
                "vpcId": self.id,
                "architecture": "x86_64",
                "blockDeviceMappings": [
                    {
                        "deviceName": "/dev/xvda",
                        "ebs": {
                            "attachTime": CREATION_TIME,
                            "deleteOnTermination": True,
                            "status": "attached",
                            "volumeId": self._id("vol", number, slot),
                        },
                    }
                ],
                "clientToken": _digits(32, self.account, number, slot),
                "ebsOptimized": True,
                "enaSupport": True,
                "hypervisor": "xen",
                "iamInstanceProfile": {
                    "arn": f"arn:aws:iam::{self.account}:instance-profile/shop",
                    "id": "AIPA4ZQXVT3EXAMPLE7QK",
                },
                "networkInterfaces": [interface | {"interfaceType": "interface", "ipv4Prefixes": []}],
                "rootDeviceName": "/dev/xvda",
                "rootDeviceType": "ebs",
                "securityGroups": [self._group_identifier(number)],
                "sourceDestCheck": True,
                "tags": _tag_list(name),
                "virtualizationType": "hvm",
                "cpuOptions": {"coreCount": 1, "threadsPerCore": 2},
                "capacityReservationSpecification": {
                    "capacityReservationPreference": "open",
                    "capacityReservationTarget": None,
                },
                "hibernationOptions": {"configured": False},
                "licenses": [],
                "metadataOptions": {
                    "state": "applied",
                    "httpTokens": "required",
                    "httpPutResponseHopLimit": 2,
                    "httpEndpoint": "enabled",
                },
                "enclaveOptions": {"enabled": False},
            },
            tags=_tags(name),
        )

    def _interface(self, number: int, slot: int) -> JsonObject:
        interface = self._id("eni", number, slot)
        return self._item(
            "AWS::EC2::NetworkInterface",
            interface,
            self._arn("ec2", f"network-interface/{interface}"),
            None,
            [
                ("AWS::EC2::Instance", self._id("i", number, slot), "Is attached to Instance"),
                ("AWS::EC2::SecurityGroup", self._id("sg", number, "app"), "Is associated with SecurityGroup"),
                ("AWS::EC2::Subnet", self.subnets[slot], "Is contained in Subnet"),
                ("AWS::EC2::VPC", self.id, "Is contained in Vpc"),
            ],
            self._interface_configuration(number, slot)
            | {"interfaceType": "interface", "ipv4Prefixes": [], "ipv6Prefixes": [], "requesterId": None},
        )

    def _interface_configuration(self, number: int, slot: int) -> JsonObject:
        address = self._address(number, slot)
        name = f"ip-{address.replace('.', '-')}.{REGION}.compute.internal"
        digits = _digits(10, self.account, number, slot)
        return {
            "attachment": {
                "attachTime": CREATION_TIME,
                "attachmentId": self._id("eni-attach", number, slot),
                "deleteOnTermination": True,
                "deviceIndex": 0,
                "networkCardIndex": 0,
                "instanceId": self._id("i", number, slot),
                "instanceOwnerId": self.account,
                "status": "attached",
            },
            "availabilityZone": f"{REGION}{'abc'[slot]}",
            "description": "",
            "groups": [self._group_identifier(number)],
            "ipv6Addresses": [],
            "macAddress": "06:" + ":".join(digits[index : index + 2] for index in range(0, 10, 2)),
            "networkInterfaceId": self._id("eni", number, slot),
            "ownerId": self.account,
            "privateDnsName": name,
            "privateIpAddress": address,
            "privateIpAddresses": [{"primary": True, "privateDnsName": name, "privateIpAddress": address}],
            "requesterManaged": False,
            "sourceDestCheck": True,
            "status": "in-use",
            "subnetId": self.subnets[slot],
            "tagSet": [],
            "vpcId": self.id,
        }

    def _group_identifier(self, number: int) -> JsonObject:
        return {"groupName": f"shop-{number:06}-app", "groupId": self._id("sg", number, "app")}

    def _vpc(self) -> JsonObject:
        block = {
            "associationId": self._id("vpc-cidr-assoc", self.number),
            "cidrBlock": self.cidr_block,
            "cidrBlockState": {"state": "associated"},
        }
        return self._item(
            "AWS::EC2::VPC",
            self.id,
            self._arn("ec2", f"vpc/{self.id}"),
            None,
            [("AWS::EC2::Subnet", subnet, "Contains Subnet") for subnet in self.subnets],
            {
                "cidrBlock": self.cidr_block,
                "dhcpOptionsId": self._id("dopt"),
                "state": "available",
                "vpcId": self.id,
                "ownerId": self.account,
                "instanceTenancy": "default",
                "ipv6CidrBlockAssociationSet": [],
                "cidrBlockAssociationSet": [block],
                "isDefault": False,
                "tags": _tag_list(f"vpc-{self.number}"),
            },
            tags=_tags(f"vpc-{self.number}"),
        )

    def _subnet(self, zone: str) -> JsonObject:
        subnet = self.subnets["abc".index(zone)]
        return self._item(
            "AWS::EC2::Subnet",
            subnet,
            self._arn("ec2", f"subnet/{subnet}"),
            None,
            [("AWS::EC2::VPC", self.id, "Is contained in Vpc")],
            {
                "availabilityZone": f"{REGION}{zone}",
                "availableIpAddressCount": 4012,
                "cidrBlock": f"10.{self.number % 256}.{16 * 'abc'.index(zone)}.0/20",
                "defaultForAz": False,
                "mapPublicIpOnLaunch": False,
                "state": "available",
                "subnetId": subnet,
                "vpcId": self.id,
                "ownerId": self.account,
                "assignIpv6AddressOnCreation": False,
                "ipv6CidrBlockAssociationSet": [],
                "subnetArn": self._arn("ec2", f"subnet/{subnet}"),
            },
        )

    def _route_table(self) -> JsonObject:
        table = self._id("rtb", self.number)
        routes = [{"destinationCidrBlock": self.cidr_block, "gatewayId": "local", "origin": "CreateRouteTable"}]
        return self._item(
            "AWS::EC2::RouteTable",
            table,
            self._arn("ec2", f"route-table/{table}"),
            None,
            [("AWS::EC2::VPC", self.id, "Is contained in Vpc")],
            {"associations": [], "routes": routes, "routeTableId": table, "vpcId": self.id, "ownerId": self.account},
        )

    def _role(self) -> JsonObject:
        name = f"shop-{self.number}"
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
        return self._item(
            "AWS::IAM::Role",
            f"AROA{_digits(17, self.account, name).upper()}",
            f"arn:aws:iam::{self.account}:role/{name}",
            name,
            [],
            {"path": "/", "roleName": name, "assumeRolePolicyDocument": json.dumps(policy), "rolePolicyList": []},
        )

    def _volume(self, number: int, slot: int) -> JsonObject:
        volume = self._id("vol", number, slot)
        attachment = {
            "attachTime": CREATION_TIME,
            "device": "/dev/xvda",
            "instanceId": self._id("i", number, slot),
            "state": "attached",
            "volumeId": volume,
            "deleteOnTermination": True,
        }
        return self._item(
            "AWS::EC2::Volume",
            volume,
            self._arn("ec2", f"volume/{volume}"),
            None,
            [("AWS::EC2::Instance", self._id("i", number, slot), "Is attached to Instance")],
            {
                "attachments": [attachment],
                "availabilityZone": f"{REGION}{'abc'[slot]}",
                "createTime": CREATION_TIME,
                "encrypted": True,
                "size": 30,
                "state": "in-use",
                "volumeId": volume,
                "iops": 3000,
                "tags": [],
                "volumeType": "gp3",
            },
        )

    def _item(
        self,
        type_name: str,
        resource_id: str,
        arn: str,
        name: str | None,
        related: list[tuple[str, str, str]],
        configuration: JsonObject,
        supplementary: JsonObject | None = None,
        tags: JsonObject | None = None,
    ) -> JsonObject:
        item = {
            "relatedEvents": [],
            "relationships": [
                {"resourceId": related_id, "resourceType": related_type, "name": how}
                for related_type, related_id, how in related
            ],
            "configuration": configuration,
            "supplementaryConfiguration": supplementary or {},
            "tags": tags or {},
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": CAPTURE_TIME,
            "configurationStateId": 1773735342118,
            "awsAccountId": self.account,
            "configurationItemStatus": "OK",
            "resourceType": type_name,
            "resourceId": resource_id,
            "resourceName": name,
            "ARN": arn,
            "awsRegion": REGION,
            "availabilityZone": "Multiple Availability Zones",
            "configurationStateMd5Hash": "",
            "resourceCreationTime": CREATION_TIME,
        }
        if name is None:
            del item["resourceName"]
        return item


def _is_internal(number: int) -> bool:
    return number % 4 == 3


@lru_cache(10_000)
def _digits(count: int, *what: object) -> str:
    """Digits as AWS's ids have them, the same for the same."""
    return blake2b(repr(what).encode(), digest_size=(count + 1) // 2).hexdigest()[:count]


def _tags(name: str) -> JsonObject:
    return {"Name": name, "team": "checkout", "cost-center": "4711", "environment": "production"}


def _tag_list(name: str) -> list[JsonObject]:
    return [{"key": key, "value": value} for key, value in _tags(name).items()]


def _permission(
    protocol: str, first: int | None, last: int | None, *, cidr: str | None = None, pair: JsonObject | None = None
) -> JsonObject:
    ports = {} if first is None else {"fromPort": first, "toPort": last}
    return {
        **ports,
        "ipProtocol": protocol,
        "ipv6Ranges": [],
        "prefixListIds": [],
        "userIdGroupPairs": [] if pair is None else [pair],
        "ipv4Ranges": [] if cidr is None else [{"cidrIp": cidr}],
        "ipRanges": [] if cidr is None else [cidr],
    }
