"""What the reader of templates knows of CloudFormation's resource types.

Source: the return values and properties of each type in the AWS CloudFormation template reference.
"""

from __future__ import annotations

from collections.abc import Mapping

from alb_sg.estate.planned import resource_types as types

MODULE_SUFFIX = "::MODULE"

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
# Those of a rule that stands in its group.
_RULE_KEYS = frozenset({*_INGRESS_PROPERTIES, *_EGRESS_PROPERTIES} - {"GroupId", "GroupName"})

# The types that scenarios hold, with the properties that verdicts depend on. Only these ask for choices; any other
# property of them is unknown where it depends on one.
DECIDING_PROPERTIES: Mapping[str, frozenset[str]] = {
    name: frozenset(properties)
    for name, properties in {
        types.LOAD_BALANCER: ("Type", "Scheme", "IpAddressType", "SecurityGroups", "Subnets", "SubnetMappings"),
        types.LISTENER: ("LoadBalancerArn", "Port", "Protocol", "DefaultActions"),
        types.LISTENER_RULE: ("ListenerArn", "Actions"),
        types.TARGET_GROUP: (
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
        types.SECURITY_GROUP: ("VpcId", "SecurityGroupIngress", "SecurityGroupEgress"),
        types.SECURITY_GROUP_INGRESS: _INGRESS_PROPERTIES,
        types.SECURITY_GROUP_EGRESS: _EGRESS_PROPERTIES,
        types.VPC: ("CidrBlock",),
        types.VPC_CIDR_BLOCK: ("VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock"),
        types.SUBNET: ("VpcId", "CidrBlock", "Ipv6CidrBlock"),
        types.SUBNET_CIDR_BLOCK: ("SubnetId", "Ipv6CidrBlock"),
        types.PREFIX_LIST: ("AddressFamily", "Entries"),
        types.INSTANCE: (
            "LaunchTemplate",
            "NetworkInterfaces",
            "PrivateIpAddress",
            "SecurityGroupIds",
            "SecurityGroups",
            "SubnetId",
        ),
        types.NETWORK_INTERFACE: (
            "GroupSet",
            "PrivateIpAddress",
            "PrivateIpAddresses",
            "SubnetId",
            "Ipv6Addresses",
        ),
        types.NETWORK_INTERFACE_ATTACHMENT: ("DeviceIndex", "InstanceId", "NetworkInterfaceId"),
        types.SECURITY_GROUP_VPC_ASSOCIATION: ("GroupId", "VpcId"),
        types.VPC_PEERING_CONNECTION: ("VpcId", "PeerVpcId"),
        # Of launch templates only some parts decide: `resolve_properties` of the reader sees to that.
        types.LAUNCH_TEMPLATE: ("LaunchTemplateData",),
        types.LAUNCH_CONFIGURATION: ("SecurityGroups",),
        types.AUTO_SCALING_GROUP: (
            "InstanceId",
            "LaunchConfigurationName",
            "LaunchTemplate",
            "MixedInstancesPolicy",
            "TargetGroupARNs",
            "TrafficSources",
            "VPCZoneIdentifier",
        ),
        types.ECS_SERVICE: ("LoadBalancers", "NetworkConfiguration"),
        types.ECS_TASK_SET: ("LoadBalancers", "NetworkConfiguration"),
        types.SPOT_FLEET: ("SpotFleetRequestConfigData",),
    }.items()
}
# Inside a property, the only keys that verdicts depend on. The others are left out.
DECIDING_KEYS: Mapping[tuple[str, str], frozenset[str]] = {
    (types.LAUNCH_TEMPLATE, "LaunchTemplateData"): frozenset(
        {"NetworkInterfaces", "SecurityGroupIds", "SecurityGroups"}
    ),
    (types.SPOT_FLEET, "SpotFleetRequestConfigData"): frozenset({"LoadBalancersConfig"}),
    (types.SECURITY_GROUP, "SecurityGroupEgress"): _RULE_KEYS,
    (types.SECURITY_GROUP, "SecurityGroupIngress"): _RULE_KEYS,
    (types.LISTENER, "DefaultActions"): frozenset({"ForwardConfig", "TargetGroupArn", "Type"}),
    (types.LISTENER_RULE, "Actions"): frozenset({"ForwardConfig", "TargetGroupArn", "Type"}),
}

# The properties whose change replaces the resource ("Update requires: Replacement").
CREATION_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    types.LOAD_BALANCER: ("Name", "Scheme", "Type"),
    types.LISTENER: ("LoadBalancerArn",),
    types.LISTENER_RULE: ("ListenerArn",),
    types.TARGET_GROUP: (
        "IpAddressType",
        "Name",
        "Port",
        "Protocol",
        "ProtocolVersion",
        "TargetControlPort",
        "TargetType",
        "VpcId",
    ),
    types.SECURITY_GROUP: ("GroupDescription", "GroupName", "VpcId"),
    types.SECURITY_GROUP_INGRESS: _INGRESS_PROPERTIES,
    types.SECURITY_GROUP_EGRESS: _EGRESS_PROPERTIES,
    types.VPC: ("CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength"),
    types.VPC_CIDR_BLOCK: ("AmazonProvidedIpv6CidrBlock", "CidrBlock", "Ipv6CidrBlock", "VpcId"),
    types.SUBNET: ("AvailabilityZone", "CidrBlock", "VpcId"),
    types.SUBNET_CIDR_BLOCK: ("Ipv6CidrBlock", "SubnetId"),
    types.PREFIX_LIST: (),
    types.INSTANCE: (
        "AvailabilityZone",
        "ImageId",
        "KeyName",
        "LaunchTemplate",
        "NetworkInterfaces",
        "PrivateIpAddress",
        "SecurityGroups",
        "SubnetId",
    ),
    types.NETWORK_INTERFACE: ("PrivateIpAddress", "SubnetId"),
    types.NETWORK_INTERFACE_ATTACHMENT: ("DeviceIndex", "InstanceId", "NetworkInterfaceId"),
    types.SECURITY_GROUP_VPC_ASSOCIATION: ("GroupId", "VpcId"),
    types.VPC_PEERING_CONNECTION: ("PeerOwnerId", "PeerRegion", "PeerVpcId", "VpcId"),
    types.LAUNCH_TEMPLATE: ("LaunchTemplateName",),
    types.LAUNCH_CONFIGURATION: ("SecurityGroups",),
    types.AUTO_SCALING_GROUP: ("AutoScalingGroupName", "InstanceId"),
    types.ECS_SERVICE: ("Cluster", "LaunchType", "ServiceName"),
    types.ECS_TASK_SET: ("LoadBalancers", "NetworkConfiguration"),
    types.SPOT_FLEET: ("SpotFleetRequestConfigData",),
}

# The attributes that are the physical identifier, as `Ref` gives it.
IDENTIFIER_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    types.LOAD_BALANCER: frozenset({"LoadBalancerArn"}),
    types.LISTENER: frozenset({"ListenerArn"}),
    types.LISTENER_RULE: frozenset({"RuleArn"}),
    types.TARGET_GROUP: frozenset({"TargetGroupArn"}),
    types.SECURITY_GROUP: frozenset({"GroupId", "Id"}),
    types.VPC: frozenset({"VpcId"}),
    types.SUBNET: frozenset({"SubnetId"}),
    types.INSTANCE: frozenset({"InstanceId"}),
    types.LAUNCH_TEMPLATE: frozenset({"LaunchTemplateId"}),
    types.NETWORK_INTERFACE: frozenset({"Id"}),
    types.PREFIX_LIST: frozenset({"PrefixListId"}),
    types.VPC_PEERING_CONNECTION: frozenset({"Id"}),
    types.ECS_SERVICE: frozenset({"ServiceArn"}),
    "AWS::ECS::TaskDefinition": frozenset({"TaskDefinitionArn"}),
}
# The attributes whose value is that of a property, where the property is given.
PROPERTY_OF_ATTRIBUTE: Mapping[tuple[str, str], str] = {
    (types.VPC, "CidrBlock"): "CidrBlock",
    (types.SUBNET, "CidrBlock"): "CidrBlock",
    (types.SUBNET, "VpcId"): "VpcId",
    (types.SECURITY_GROUP, "VpcId"): "VpcId",
    (types.LOAD_BALANCER, "SecurityGroups"): "SecurityGroups",
    (types.INSTANCE, "PrivateIp"): "PrivateIpAddress",
    (types.NETWORK_INTERFACE, "PrimaryPrivateIpAddress"): "PrivateIpAddress",
    (types.NETWORK_INTERFACE, "VpcId"): "VpcId",
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
