"""The resource types whose configuration items the rules read, by AWS Config's names."""

from __future__ import annotations

from collections.abc import Mapping

from alb_sg.estate.sections import Section

LOAD_BALANCER_TYPE = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER_TYPE = "AWS::ElasticLoadBalancingV2::Listener"
TARGET_GROUP_TYPE = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP_TYPE = "AWS::EC2::SecurityGroup"
SECURITY_GROUP_VPC_ASSOCIATION_TYPE = "AWS::EC2::SecurityGroupVpcAssociation"
VPC_TYPE = "AWS::EC2::VPC"
SUBNET_TYPE = "AWS::EC2::Subnet"
NETWORK_INTERFACE_TYPE = "AWS::EC2::NetworkInterface"
INSTANCE_TYPE = "AWS::EC2::Instance"
PREFIX_LIST_TYPE = "AWS::EC2::PrefixList"

# The section of an estate that a type fills.
SECTION_BY_TYPE: Mapping[str, Section] = {
    LOAD_BALANCER_TYPE: Section.LOAD_BALANCERS,
    LISTENER_TYPE: Section.LISTENERS,
    TARGET_GROUP_TYPE: Section.TARGET_GROUPS,
    SECURITY_GROUP_TYPE: Section.SECURITY_GROUPS,
    VPC_TYPE: Section.VPCS,
    SUBNET_TYPE: Section.SUBNETS,
    NETWORK_INTERFACE_TYPE: Section.NETWORK_INTERFACES,
    INSTANCE_TYPE: Section.INSTANCES,
    PREFIX_LIST_TYPE: Section.MANAGED_PREFIX_LISTS,
}

# The types that may change the verdict of every rule: they hold the load balancer, its permissions, and their
# addresses.
PEER_TRIGGER_TYPES = (
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    SECURITY_GROUP_VPC_ASSOCIATION_TYPE,
    VPC_TYPE,
    PREFIX_LIST_TYPE,
)
