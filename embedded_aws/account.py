"""An AWS account inside this process: moto for ELB, EC2 and STS, a stand-in for AWS Config, and the few calls that
it takes to build load balancers there. No packet leaves the machine.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.model_instances import reset_model_data
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from alb_sg.aws import rate_limits
from embedded_aws.config_stand_in import ConfigStandIn
from embedded_aws.faults import Faults

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/alb-sg-evaluation"
# Any image will do: instances are only ever targets.
IMAGE_ID = "ami-12c6146b"
# The time of every notification; later ones count up from it.
NOTIFICATION_TIME_FORMAT = "2026-01-01T00:00:{:02d}.000Z"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # Reading the images that moto knows takes half a second an account.
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}

IpPermission = Mapping[str, Any]


def tcp(port: int, *peers: str, to_port: int | None = None) -> dict[str, Any]:
    """A TCP rule as AuthorizeSecurityGroupIngress takes it; peers are CIDR blocks, sg-… or pl-…."""
    return ip_permission("tcp", port, port if to_port is None else to_port, *peers)


def all_traffic(*peers: str) -> dict[str, Any]:
    """A rule for every protocol and port."""
    return _add_peers({"IpProtocol": "-1"}, peers)


def icmp(icmp_type: int, code: int, *peers: str) -> dict[str, Any]:
    return ip_permission("icmp", icmp_type, code, *peers)


def icmpv6(icmp_type: int, code: int, *peers: str) -> dict[str, Any]:
    return ip_permission("icmpv6", icmp_type, code, *peers)


def ip_permission(protocol: str, from_port: int, to_port: int, *peers: str) -> dict[str, Any]:
    return _add_peers({"IpProtocol": protocol, "FromPort": from_port, "ToPort": to_port}, peers)


def _add_peers(permission: dict[str, Any], peers: Iterable[str]) -> dict[str, Any]:
    for peer in peers:
        if peer.startswith("sg-"):
            permission.setdefault("UserIdGroupPairs", []).append({"GroupId": peer, "UserId": ACCOUNT_ID})
        elif peer.startswith("pl-"):
            permission.setdefault("PrefixListIds", []).append({"PrefixListId": peer})
        elif ":" in peer:
            permission.setdefault("Ipv6Ranges", []).append({"CidrIpv6": peer})
        else:
            permission.setdefault("IpRanges", []).append({"CidrIp": peer})
    return permission


class EmbeddedAws:
    """One simulated account and region, as a context; builders return ids and ARNs."""

    def __init__(self) -> None:
        self.config = ConfigStandIn()
        self.faults = Faults()
        self._mock = mock_aws()
        self._environment = patch.dict(os.environ, ENVIRONMENT)
        # Nobody here counts calls.
        self._no_rate_limits = patch.dict(rate_limits.RATE_LIMITS, clear=True)
        self._seconds = itertools.count()
        self._octets = itertools.count(1)

    def __enter__(self) -> Self:
        self._environment.start()
        self._no_rate_limits.start()
        self._mock.start()
        self.config.__enter__()
        self.faults.__enter__()
        # Any: the builders pass on whatever a scenario names, which the clients' own types would want as literals.
        self.ec2: Any = boto3.client("ec2", REGION)
        self.elbv2: Any = boto3.client("elbv2", REGION)
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.__exit__(None, None, None)
        self.config.__exit__(None, None, None)
        self._mock.stop()
        self._no_rate_limits.stop()
        self._environment.stop()

    def forget_calls(self) -> None:
        """Drops the logs of calls, and what moto keeps of each: roles' sessions and keys, and a list of all objects."""
        self.faults.forget()
        self.config.forget()
        sts_backends[ACCOUNT_ID]["aws"].assumed_roles.clear()
        keys = iam_backends[ACCOUNT_ID]["aws"].access_keys
        for key in [key for key in keys if key.startswith("ASIA")]:
            del keys[key]
        reset_model_data()

    def vpc(self, cidr: str = "10.0.0.0/16", *, second_cidr: str | None = None, ipv6: bool = False) -> str:
        created = self.ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=ipv6)
        vpc_id: str = created["Vpc"]["VpcId"]
        if second_cidr is not None:
            self.ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock=second_cidr)
        return vpc_id

    def subnets(self, vpc_id: str) -> list[str]:
        """Two subnets in two zones, in the first VPC block."""
        block = self.ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["CidrBlock"].split(".")
        found = []
        for zone in "ab":
            cidr = f"{block[0]}.{block[1]}.{next(self._octets)}.0/24"
            created = self.ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")
            found.append(created["Subnet"]["SubnetId"])
        return found

    def security_group(
        self,
        vpc_id: str,
        name: str,
        *,
        ingress: Sequence[IpPermission] = (),
        egress: Sequence[IpPermission] | None = None,
    ) -> str:
        """A security group; `egress` None leaves the default of everything to everywhere."""
        created = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)
        group_id: str = created["GroupId"]
        self.allow_ingress(group_id, ingress)
        if egress is not None:
            default = self.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
            self.ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=default["IpPermissionsEgress"])
            if egress:
                self.ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=list(egress))
        return group_id

    def allow_ingress(self, group_id: str, ingress: Sequence[IpPermission]) -> None:
        if ingress:
            self.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(ingress))

    def instance(self, subnet_id: str, group_id: str) -> str:
        started = self.ec2.run_instances(
            ImageId=IMAGE_ID, MinCount=1, MaxCount=1, SubnetId=subnet_id, SecurityGroupIds=[group_id]
        )
        instance_id: str = started["Instances"][0]["InstanceId"]
        return instance_id

    def network_interface(self, subnet_id: str, group_id: str) -> str:
        """The private address of a new network interface, as a container task has one."""
        created = self.ec2.create_network_interface(SubnetId=subnet_id, Groups=[group_id])
        address: str = created["NetworkInterface"]["PrivateIpAddress"]
        return address

    def prefix_list(self, name: str, *cidrs: str) -> str:
        created = self.ec2.create_managed_prefix_list(
            PrefixListName=name,
            AddressFamily="IPv4",
            MaxEntries=max(len(cidrs), 1),
            Entries=[{"Cidr": cidr} for cidr in cidrs],
        )
        prefix_list_id: str = created["PrefixList"]["PrefixListId"]
        return prefix_list_id

    def load_balancer(
        self,
        name: str,
        subnets: Sequence[str],
        groups: Sequence[str] = (),
        *,
        scheme: str = "internet-facing",
        type_: str = "application",
        ip_address_type: str = "ipv4",
        tags: Mapping[str, str] | None = None,
    ) -> str:
        request: dict[str, Any] = {
            "Name": name,
            "Subnets": list(subnets),
            "Scheme": scheme,
            "Type": type_,
            "IpAddressType": ip_address_type,
        }
        if groups:
            request["SecurityGroups"] = list(groups)
        if tags:
            request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        arn: str = self.elbv2.create_load_balancer(**request)["LoadBalancers"][0]["LoadBalancerArn"]
        return arn

    def listener(
        self, load_balancer_arn: str, port: int, target_group_arn: str | None = None, *, protocol: str = "HTTP"
    ) -> str:
        """A listener that forwards to the target group, or answers with a fixed response."""
        action: dict[str, Any] = (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            if target_group_arn is None
            else {"Type": "forward", "TargetGroupArn": target_group_arn}
        )
        request: dict[str, Any] = {
            "LoadBalancerArn": load_balancer_arn,
            "Protocol": protocol,
            "Port": port,
            "DefaultActions": [action],
        }
        if protocol in {"HTTPS", "TLS"}:
            requested = boto3.client("acm", REGION).request_certificate(DomainName="shop.example.com")
            request["Certificates"] = [{"CertificateArn": requested["CertificateArn"]}]
        arn: str = self.elbv2.create_listener(**request)["Listeners"][0]["ListenerArn"]
        return arn

    def target_group(
        self,
        name: str,
        vpc_id: str,
        port: int = 80,
        targets: Sequence[tuple[str, int | None]] = (),
        *,
        target_type: str = "instance",
        protocol: str = "HTTP",
        health_check_port: str = "traffic-port",
    ) -> str:
        """A target group with its registrations (id and port, None for the group's own)."""
        created = self.elbv2.create_target_group(
            Name=name,
            VpcId=vpc_id,
            Port=port,
            Protocol=protocol,
            TargetType=target_type,
            HealthCheckPort=health_check_port,
        )
        arn: str = created["TargetGroups"][0]["TargetGroupArn"]
        if targets:
            self.register_targets(arn, targets)
        return arn

    def register_targets(self, target_group_arn: str, targets: Sequence[tuple[str, int | None]]) -> None:
        self.elbv2.register_targets(
            TargetGroupArn=target_group_arn,
            Targets=[{"Id": name} if port is None else {"Id": name, "Port": port} for name, port in targets],
        )

    def delete_load_balancer(self, arn: str) -> None:
        """Deletes a load balancer; its target groups are then used by nobody, which moto leaves out."""
        self.elbv2.delete_load_balancer(LoadBalancerArn=arn)
        for target_group in elbv2_backends[ACCOUNT_ID][REGION].target_groups.values():
            target_group.load_balancer_arns = [user for user in target_group.load_balancer_arns if user != arn]

    def scheduled_event(self, rule_name: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The event of a periodic run."""
        invoking = {
            "awsAccountId": ACCOUNT_ID,
            "notificationCreationTime": self._next_time(),
            "messageType": "ScheduledNotification",
            "recordVersion": "1.0",
        }
        return self._rule_event(rule_name, invoking, parameters)

    def change_event(
        self,
        rule_name: str,
        resource_type: str,
        resource_id: str,
        parameters: Mapping[str, str] | None = None,
        *,
        status: str = "OK",
        configuration: Any = None,
        difference: Any = None,
        oversized: bool = False,
    ) -> dict[str, Any]:
        """The event of a changed configuration item, or that of one too large to be sent along."""
        summary = {
            "awsAccountId": ACCOUNT_ID,
            "awsRegion": REGION,
            "configurationItemCaptureTime": self._next_time(),
            "configurationItemStatus": status,
            "resourceType": resource_type,
            "resourceId": resource_id,
        }
        if oversized:
            invoking = {
                "configurationItemSummary": summary,
                "messageType": "OversizedConfigurationItemChangeNotification",
            }
        else:
            invoking = {
                "configurationItem": {**summary, "configuration": configuration, "relationships": [], "tags": {}},
                "configurationItemDiff": difference,
                "messageType": "ConfigurationItemChangeNotification",
            }
        invoking |= {"notificationCreationTime": self._next_time(), "recordVersion": "1.3"}
        return self._rule_event(rule_name, invoking, parameters)

    def _rule_event(
        self, rule_name: str, invoking_event: Mapping[str, Any], parameters: Mapping[str, str] | None
    ) -> dict[str, Any]:
        return {
            "version": "1.0",
            "accountId": ACCOUNT_ID,
            "configRuleName": rule_name,
            "configRuleId": f"config-rule-{rule_name.lower()}",
            "configRuleArn": f"arn:aws:config:{REGION}:{ACCOUNT_ID}:config-rule/config-rule-{rule_name.lower()}",
            "executionRoleArn": ROLE_ARN,
            "eventLeftScope": False,
            "invokingEvent": json.dumps(invoking_event),
            "ruleParameters": json.dumps(parameters or {}),
            "resultToken": self.config.issue_token(rule_name, ACCOUNT_ID),
        }

    def _next_time(self) -> str:
        return NOTIFICATION_TIME_FORMAT.format(next(self._seconds) % 60)
