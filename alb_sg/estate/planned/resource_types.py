"""The types of planned resources, by CloudFormation's names. Those of `AlbSg` have no counterpart in CloudFormation."""

from __future__ import annotations

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
LISTENER_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
SECURITY_GROUP_INGRESS = "AWS::EC2::SecurityGroupIngress"
SECURITY_GROUP_EGRESS = "AWS::EC2::SecurityGroupEgress"
VPC = "AWS::EC2::VPC"
VPC_CIDR_BLOCK = "AWS::EC2::VPCCidrBlock"
SUBNET = "AWS::EC2::Subnet"
SUBNET_CIDR_BLOCK = "AWS::EC2::SubnetCidrBlock"
INSTANCE = "AWS::EC2::Instance"
NETWORK_INTERFACE = "AWS::EC2::NetworkInterface"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
LAUNCH_CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"
AUTO_SCALING_GROUP = "AWS::AutoScaling::AutoScalingGroup"
ECS_SERVICE = "AWS::ECS::Service"
ECS_TASK_SET = "AWS::ECS::TaskSet"
SPOT_FLEET = "AWS::EC2::SpotFleet"
PREFIX_LIST = "AWS::EC2::PrefixList"
NETWORK_INTERFACE_ATTACHMENT = "AWS::EC2::NetworkInterfaceAttachment"
SECURITY_GROUP_VPC_ASSOCIATION = "AWS::EC2::SecurityGroupVpcAssociation"
VPC_PEERING_CONNECTION = "AWS::EC2::VPCPeeringConnection"
NESTED_STACK = "AWS::CloudFormation::Stack"

# A target in a target group: TargetGroupArn, Id, Port.
TARGET_REGISTRATION = "AlbSg::TargetRegistration"
# A target group of an Auto Scaling group: AutoScalingGroupName, TargetGroupARN.
AUTO_SCALING_ATTACHMENT = "AlbSg::AutoScalingAttachment"
# A security group of a network interface: NetworkInterfaceId, SecurityGroupId.
INTERFACE_SECURITY_GROUP = "AlbSg::NetworkInterfaceSecurityGroup"
# An entry of a prefix list: PrefixListId, Cidr.
PREFIX_LIST_ENTRY = "AlbSg::PrefixListEntry"
# Other rules than those that are resources of their own are taken from a group: GroupId.
EXCLUSIVE_RULES = "AlbSg::ExclusiveRules"
