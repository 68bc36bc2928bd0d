"""What the reader of templates knows of CloudFormation's resource types.

Source: the return values and properties of each type in the AWS CloudFormation template reference.
"""

from __future__ import annotations

from collections.abc import Mapping

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
LISTENER_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
EGRESS = "AWS::EC2::SecurityGroupEgress"
VPC = "AWS::EC2::VPC"
VPC_CIDR_BLOCK = "AWS::EC2::VPCCidrBlock"
SUBNET = "AWS::EC2::Subnet"
NESTED_STACK = "AWS::CloudFormation::Stack"
MODULE_SUFFIX = "::MODULE"

_RULE_KEYS = frozenset(
    {
        "CidrIp",
        "CidrIpv6",
        "DestinationPrefixListId",
        "DestinationSecurityGroupId",
        "FromPort",
        "IpProtocol",
        "SourcePrefixListId",
        "SourceSecurityGroupId",
        "SourceSecurityGroupName",
        "SourceSecurityGroupOwnerId",
        "ToPort",
    }
)
_PEER_PROPERTIES = ("IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "GroupId")
_INGRESS_PROPERTIES = (
    *_PEER_PROPERTIES,
    "GroupName",
    "SourcePrefixListId",
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "SourceSecurityGroupOwnerId",
)
_EGRESS_PROPERTIES = (*_PEER_PROPERTIES, "DestinationPrefixListId", "DestinationSecurityGroupId")

# The types that scenarios hold, with the properties that verdicts depend on. Only these ask for choices; any other
# property of them is unknown where it depends on one.
DECIDING_PROPERTIES: Mapping[str, frozenset[str]] = {
    name: frozenset(properties)
    for name, properties in {
        LOAD_BALANCER: ("Type", "Scheme", "IpAddressType", "SecurityGroups", "Subnets", "SubnetMappings"),
        LISTENER: ("LoadBalancerArn", "Port", "Protocol", "DefaultActions"),
        LISTENER_RULE: ("ListenerArn", "Actions"),
        TARGET_GROUP: (
            "TargetType",
            "Port",
            "Protocol",
            "VpcId",
            "IpAddressType",
            "HealthCheckEnabled",
            "HealthCheckPort",
            "TargetControlPort",
            "Targets",
        ),
        SECURITY_GROUP: ("VpcId", "SecurityGroupIngress", "SecurityGroupEgress"),
        INGRESS: _INGRESS_PROPERTIES,
        EGRESS: _EGRESS_PROPERTIES,
        VPC: ("CidrBlock",),
        VPC_CIDR_BLOCK: ("VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock"),
        SUBNET: ("VpcId", "CidrBlock", "Ipv6CidrBlock"),
        "AWS::EC2::SubnetCidrBlock": ("SubnetId", "Ipv6CidrBlock"),
        "AWS::EC2::PrefixList": ("AddressFamily", "Entries"),
        "AWS::EC2::Instance": (
            "LaunchTemplate",
            "NetworkInterfaces",
            "PrivateIpAddress",
            "SecurityGroupIds",
            "SecurityGroups",
            "SubnetId",
        ),
        "AWS::EC2::NetworkInterface": (
            "GroupSet",
            "PrivateIpAddress",
            "PrivateIpAddresses",
            "SubnetId",
            "Ipv6Addresses",
        ),
        "AWS::EC2::NetworkInterfaceAttachment": ("DeviceIndex", "InstanceId", "NetworkInterfaceId"),
        "AWS::EC2::SecurityGroupVpcAssociation": ("GroupId", "VpcId"),
        "AWS::EC2::VPCPeeringConnection": ("VpcId", "PeerVpcId"),
        # Of launch templates only some parts decide: `resolve_properties` of the reader sees to that.
        "AWS::EC2::LaunchTemplate": ("LaunchTemplateData",),
        "AWS::AutoScaling::LaunchConfiguration": ("SecurityGroups",),
        "AWS::AutoScaling::AutoScalingGroup": (
            "InstanceId",
            "LaunchConfigurationName",
            "LaunchTemplate",
            "MixedInstancesPolicy",
            "TargetGroupARNs",
            "TrafficSources",
            "VPCZoneIdentifier",
        ),
        "AWS::ECS::Service": ("LoadBalancers", "NetworkConfiguration"),
        "AWS::ECS::TaskSet": ("LoadBalancers", "NetworkConfiguration"),
        "AWS::EC2::SpotFleet": ("SpotFleetRequestConfigData",),
    }.items()
}
# Inside a property, the only keys that verdicts depend on. The others are left out.
DECIDING_KEYS: Mapping[tuple[str, str], frozenset[str]] = {
    ("AWS::EC2::LaunchTemplate", "LaunchTemplateData"): frozenset(
        {"NetworkInterfaces", "SecurityGroupIds", "SecurityGroups"}
    ),
    ("AWS::EC2::SpotFleet", "SpotFleetRequestConfigData"): frozenset({"LoadBalancersConfig"}),
    (SECURITY_GROUP, "SecurityGroupEgress"): _RULE_KEYS,
    (SECURITY_GROUP, "SecurityGroupIngress"): _RULE_KEYS,
    (LISTENER, "DefaultActions"): frozenset({"ForwardConfig", "TargetGroupArn", "Type"}),
    (LISTENER_RULE, "Actions"): frozenset({"ForwardConfig", "TargetGroupArn", "Type"}),
}

# The properties whose change replaces the resource ("Update requires: Replacement").
CREATION_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    LOAD_BALANCER: ("Name", "Scheme", "Type"),
    LISTENER: ("LoadBalancerArn",),
    LISTENER_RULE: ("ListenerArn",),
    TARGET_GROUP: (
        "IpAddressType",
        "Name",
        "Port",
        "Protocol",
        "ProtocolVersion",
        "TargetControlPort",
        "TargetType",
        "VpcId",
    ),
    SECURITY_GROUP: ("GroupDescription", "GroupName", "VpcId"),
    INGRESS: _INGRESS_PROPERTIES,
    EGRESS: _EGRESS_PROPERTIES,
    VPC: ("CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength"),
    VPC_CIDR_BLOCK: ("AmazonProvidedIpv6CidrBlock", "CidrBlock", "Ipv6CidrBlock", "VpcId"),
    SUBNET: ("AvailabilityZone", "CidrBlock", "VpcId"),
    "AWS::EC2::SubnetCidrBlock": ("Ipv6CidrBlock", "SubnetId"),
    "AWS::EC2::PrefixList": (),
    "AWS::EC2::Instance": (
        "AvailabilityZone",
        "ImageId",
        "KeyName",
        "LaunchTemplate",
        "NetworkInterfaces",
        "PrivateIpAddress",
        "SecurityGroups",
        "SubnetId",
    ),
    "AWS::EC2::NetworkInterface": ("PrivateIpAddress", "SubnetId"),
    "AWS::EC2::NetworkInterfaceAttachment": ("DeviceIndex", "InstanceId", "NetworkInterfaceId"),
    "AWS::EC2::SecurityGroupVpcAssociation": ("GroupId", "VpcId"),
    "AWS::EC2::VPCPeeringConnection": ("PeerOwnerId", "PeerRegion", "PeerVpcId", "VpcId"),
    "AWS::EC2::LaunchTemplate": ("LaunchTemplateName",),
    "AWS::AutoScaling::LaunchConfiguration": ("SecurityGroups",),
    "AWS::AutoScaling::AutoScalingGroup": ("AutoScalingGroupName", "InstanceId"),
    "AWS::ECS::Service": ("Cluster", "LaunchType", "ServiceName"),
    "AWS::ECS::TaskSet": ("LoadBalancers", "NetworkConfiguration"),
    "AWS::EC2::SpotFleet": ("SpotFleetRequestConfigData",),
}

# The attributes that are the physical identifier, as `Ref` gives it.
IDENTIFIER_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    LOAD_BALANCER: frozenset({"LoadBalancerArn"}),
    LISTENER: frozenset({"ListenerArn"}),
    LISTENER_RULE: frozenset({"RuleArn"}),
    TARGET_GROUP: frozenset({"TargetGroupArn"}),
    SECURITY_GROUP: frozenset({"GroupId", "Id"}),
    VPC: frozenset({"VpcId"}),
    SUBNET: frozenset({"SubnetId"}),
    "AWS::EC2::Instance": frozenset({"InstanceId"}),
    "AWS::EC2::LaunchTemplate": frozenset({"LaunchTemplateId"}),
    "AWS::EC2::NetworkInterface": frozenset({"Id"}),
    "AWS::EC2::PrefixList": frozenset({"PrefixListId"}),
    "AWS::EC2::VPCPeeringConnection": frozenset({"Id"}),
    "AWS::ECS::Service": frozenset({"ServiceArn"}),
    "AWS::ECS::TaskDefinition": frozenset({"TaskDefinitionArn"}),
}
# The attributes whose value is that of a property, where the property is given.
PROPERTY_OF_ATTRIBUTE: Mapping[tuple[str, str], str] = {
    (VPC, "CidrBlock"): "CidrBlock",
    (SUBNET, "CidrBlock"): "CidrBlock",
    (SUBNET, "VpcId"): "VpcId",
    (SECURITY_GROUP, "VpcId"): "VpcId",
    (LOAD_BALANCER, "SecurityGroups"): "SecurityGroups",
    ("AWS::EC2::Instance", "PrivateIp"): "PrivateIpAddress",
    ("AWS::EC2::NetworkInterface", "PrimaryPrivateIpAddress"): "PrivateIpAddress",
    ("AWS::EC2::NetworkInterface", "VpcId"): "VpcId",
}

# Properties by the type that the API gives them. CloudFormation converts numbers, booleans and text.
INTEGER_PROPERTIES = frozenset(
    {"FromPort", "ToPort", "Port", "TargetControlPort", "ContainerPort", "HostPort", "DeviceIndex", "NetworkCardIndex"}
)
BOOLEAN_PROPERTIES = frozenset({"HealthCheckEnabled", "AmazonProvidedIpv6CidrBlock"})
TEXT_PROPERTIES = frozenset({"HealthCheckPort", "IpProtocol", "Id", "SourceSecurityGroupOwnerId"})
# CloudFormation takes a single value for these lists, too.
LIST_PROPERTIES = frozenset(
    {
        "Actions",
        "DefaultActions",
        "GroupSet",
        "Groups",
        "SecurityGroupEgress",
        "SecurityGroupIds",
        "SecurityGroupIngress",
        "SecurityGroups",
        "Subnets",
        "TargetGroupARNs",
        "Targets",
        "VPCZoneIdentifier",
    }
)
