"""The resources of Terraform's `aws` and `awscc` providers, in CloudFormation's names.

A provider's default is written out where it differs from the API's: a security group has no outbound rules unless they
are written (Terraform registry, aws_security_group).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import PlannedValue, ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.security_group_rules import SELF
from alb_sg.estate.planned.terraform_view import View

Properties = dict[str, PlannedValue]

_LOAD_BALANCERS = ("aws_lb", "aws_alb", "awscc_elasticloadbalancingv2_load_balancer")
_LISTENERS = ("aws_lb_listener", "aws_alb_listener", "awscc_elasticloadbalancingv2_listener")
_TARGET_GROUPS = ("aws_lb_target_group", "aws_alb_target_group", "awscc_elasticloadbalancingv2_target_group")
_SECURITY_GROUPS = ("aws_security_group", "aws_default_security_group", "awscc_ec2_security_group")
_VPCS = ("aws_vpc", "aws_default_vpc", "awscc_ec2_vpc")
_SUBNETS = ("aws_subnet", "aws_default_subnet", "awscc_ec2_subnet")
_INSTANCES = ("aws_instance", "awscc_ec2_instance")
_INTERFACES = ("aws_network_interface", "awscc_ec2_network_interface")
_PREFIX_LISTS = ("aws_ec2_managed_prefix_list", "awscc_ec2_prefix_list")
_LAUNCH_TEMPLATES = ("aws_launch_template", "awscc_ec2_launch_template")
_LAUNCH_CONFIGURATIONS = ("aws_launch_configuration", "awscc_autoscaling_launch_configuration")
_AUTO_SCALING_GROUPS = ("aws_autoscaling_group", "awscc_autoscaling_auto_scaling_group")
# What a target group registers, by its type.
_TYPES_OF_TARGETS: Mapping[str, tuple[str, ...]] = {
    "instance": _INSTANCES,
    "ip": (*_INSTANCES, *_INTERFACES),
    "alb": _LOAD_BALANCERS,
    "lambda": ("aws_lambda_function",),
}


def _load_balancer(view: View) -> Properties:
    internal = view.get("internal")
    scheme: PlannedValue = internal
    if not isinstance(internal, UnknownPlannedValue):
        scheme = "internal" if internal in (True, "true") else "internet-facing"
    mappings = view.blocks("subnet_mapping")
    return {
        "Type": view.get("load_balancer_type"),
        "Name": view.get("name"),
        "Scheme": scheme,
        "IpAddressType": view.get("ip_address_type"),
        "SecurityGroups": view.references("security_groups", *_SECURITY_GROUPS),
        "Subnets": view.references_and_texts("subnets", *_SUBNETS),
        "SubnetMappings": [
            one if isinstance(one, UnknownPlannedValue) else {"SubnetId": one.reference("subnet_id", *_SUBNETS)}
            for one in mappings
        ],
        "VpcId": view.reference("vpc_id", *_VPCS),
        "Tags": _tags(view),
    }


def _listener(view: View) -> Properties:
    return {
        "LoadBalancerArn": view.reference("load_balancer_arn", *_LOAD_BALANCERS),
        "Port": view.get("port"),
        # The protocol may be left out for an Application Load Balancer alone.
        "Protocol": view.get("protocol") or "HTTP",
        "DefaultActions": _actions(view, "default_action"),
    }


def _listener_rule(view: View) -> Properties:
    return {
        "ListenerArn": view.reference("listener_arn", *_LISTENERS),
        "Actions": _actions(view, "action"),
    }


def _actions(view: View, name: str) -> list[PlannedValue]:
    actions: list[PlannedValue] = []
    for one in view.blocks(name):
        if isinstance(one, UnknownPlannedValue):
            actions.append(one)
            continue
        action: Properties = {
            "Type": one.get("type"),
            "TargetGroupArn": one.reference("target_group_arn", *_TARGET_GROUPS),
        }
        groups: list[PlannedValue] = []
        for forward in one.blocks("forward"):
            if isinstance(forward, UnknownPlannedValue):
                groups.append(forward)
                continue
            groups += [
                group
                if isinstance(group, UnknownPlannedValue)
                else {"TargetGroupArn": group.reference("arn", *_TARGET_GROUPS)}
                for group in forward.blocks("target_group")
            ]
        if groups:
            action["ForwardConfig"] = {"TargetGroups": groups}
        actions.append(action)
    return actions


def _target_group(view: View) -> Properties:
    properties: Properties = {
        "Name": view.get("name"),
        "Port": _port(view, "port"),
        "Protocol": view.get("protocol"),
        "VpcId": view.reference("vpc_id", *_VPCS),
        "TargetType": view.get("target_type"),
        "IpAddressType": view.get("ip_address_type"),
        "TargetControlPort": _port(view, "target_control_port"),
    }
    for check in view.blocks("health_check"):
        if isinstance(check, UnknownPlannedValue):
            properties |= {"HealthCheckEnabled": check, "HealthCheckPort": check}
        else:
            properties |= {"HealthCheckEnabled": check.get("enabled"), "HealthCheckPort": check.get("port")}
    return properties


def _target_group_attachment(view: View) -> Properties:
    group = view.reference("target_group_arn", *_TARGET_GROUPS)
    target_types = view.arguments_of(group, "target_type") & _TYPES_OF_TARGETS.keys() or _TYPES_OF_TARGETS
    targets = [one for name in target_types for one in _TYPES_OF_TARGETS[name]]
    return {
        "TargetGroupArn": group,
        "Id": view.reference("target_id", *targets),
        "Port": _port(view, "port"),
    }


def _port(view: View, name: str) -> Any:
    """The port of a target or target group; None for 0, which a state may have in place of a number that is not set."""
    value = view.get(name)
    return None if value == 0 else value


def _security_group(view: View) -> Properties:
    return {
        "GroupName": view.get("name"),
        "VpcId": view.reference("vpc_id", *_VPCS),
        "OwnerId": view.get("owner_id"),
        "SecurityGroupIngress": _inline_rules(view, "ingress", "Source"),
        "SecurityGroupEgress": _inline_rules(view, "egress", "Destination"),
        "Tags": _tags(view),
    }


def _default_security_group(view: View) -> Properties:
    return {**_security_group(view), "GroupName": "default"}


def _inline_rules(view: View, name: str, side: str) -> list[PlannedValue]:
    """The rules of a group. Without any in the configuration, a new group has none: the provider removes the outbound
    rule that EC2 adds."""
    return [
        one
        if isinstance(one, UnknownPlannedValue)
        else _grouped_rule(one, side, one.references("security_groups", *_SECURITY_GROUPS) or [])
        for one in view.blocks(name)
    ]


def _grouped_rule(view: View, side: str, given_groups: Sequence[PlannedValue]) -> Properties:
    """A rule with several peers."""
    groups = [_without_owner(one) for one in given_groups]
    itself = view.get("self")
    if isinstance(itself, UnknownPlannedValue):
        groups.append(itself)
    elif itself in (True, "true"):
        groups.append(SELF)
    return {
        "IpProtocol": _protocol(view.get("protocol")),
        "FromPort": view.get("from_port"),
        "ToPort": view.get("to_port"),
        "CidrIp": _elements(view, "cidr_blocks"),
        "CidrIpv6": _elements(view, "ipv6_cidr_blocks"),
        f"{side}PrefixListId": view.references("prefix_list_ids", *_PREFIX_LISTS) or [],
        f"{side}SecurityGroupId": groups,
    }


def _elements(view: View, name: str) -> list[PlannedValue]:
    """A list of texts, whose unknown elements are unknown values."""
    return view.references(name) or []


def _without_owner(group: PlannedValue) -> PlannedValue:
    """A group of another account is written as `owner/sg-…`."""
    return group.rpartition("/")[2] if isinstance(group, str) else group


def _protocol(value: PlannedValue) -> PlannedValue:
    return "-1" if isinstance(value, str) and value.lower() == "all" else value


def _security_group_rule(view: View) -> Properties:
    source = view.reference("source_security_group_id", *_SECURITY_GROUPS)
    groups = [] if source in (None, "") else [source]
    group = view.reference("security_group_id", *_SECURITY_GROUPS)
    if view.get("type") not in ("ingress", "egress") and not isinstance(group, UnknownPlannedValue):
        # The group has perhaps such a rule, in each direction.
        candidates = (group,) if isinstance(group, ResourceReference | str) else ()
        group = UnknownPlannedValue(f"the direction is not known: {view.place}.type", candidates=candidates)
    return {
        "GroupId": group,
        **_grouped_rule(view, "Source", groups),
        **_grouped_rule(view, "Destination", groups),
    }


def _vpc_rule(view: View, side: str) -> Properties:
    group = view.reference("referenced_security_group_id", *_SECURITY_GROUPS)
    return {
        "GroupId": view.reference("security_group_id", *_SECURITY_GROUPS),
        "IpProtocol": _protocol(view.get("ip_protocol")),
        "FromPort": view.get("from_port"),
        "ToPort": view.get("to_port"),
        "CidrIp": view.get("cidr_ipv4"),
        "CidrIpv6": view.get("cidr_ipv6"),
        f"{side}PrefixListId": view.reference("prefix_list_id", *_PREFIX_LISTS),
        f"{side}SecurityGroupId": _without_owner(group),
    }


def _interface_security_group(view: View) -> Properties:
    return {
        "NetworkInterfaceId": view.reference("network_interface_id", *_INTERFACES, *_INSTANCES),
        "SecurityGroupId": view.reference("security_group_id", *_SECURITY_GROUPS),
    }


def _vpc(view: View) -> Properties:
    asks_for_ipv6 = view.get("assign_generated_ipv6_cidr_block") or view.get("ipv6_ipam_pool_id")
    return {
        "CidrBlock": view.computed("cidr_block"),
        "Ipv6CidrBlock": view.computed("ipv6_cidr_block") if asks_for_ipv6 else view.get("ipv6_cidr_block"),
        **_associations(view),
    }


def _associations(view: View) -> Properties:
    """All blocks, which only the data source tells."""
    found = view.get("cidr_block_associations")
    if not isinstance(found, list):
        return {}
    return {
        "CidrBlockAssociations": [
            {"CidrBlock": one.get("cidr_block")}
            for one in found
            if isinstance(one, Mapping) and one.get("state") in (None, "associated")
        ]
    }


def _vpc_cidr_block(view: View) -> Properties:
    is_ipv6 = view.instance.type == "aws_vpc_ipv6_cidr_block_association"
    name, field = ("Ipv6CidrBlock", "ipv6_cidr_block") if is_ipv6 else ("CidrBlock", "cidr_block")
    return {"VpcId": view.reference("vpc_id", *_VPCS), name: view.computed(field)}


def _subnet(view: View) -> Properties:
    return {
        "VpcId": view.reference("vpc_id", *_VPCS),
        "CidrBlock": view.computed("cidr_block"),
        "Ipv6CidrBlock": view.get("ipv6_cidr_block"),
    }


def _instance(view: View) -> Properties:
    properties: Properties = {
        "SecurityGroupIds": view.references("vpc_security_group_ids", *_SECURITY_GROUPS),
        "SubnetId": view.reference("subnet_id", *_SUBNETS),
        "PrivateIpAddress": view.computed("private_ip"),
        "NetworkInterfaces": [
            one
            if isinstance(one, UnknownPlannedValue)
            else {
                "DeviceIndex": one.get("device_index"),
                "NetworkCardIndex": one.get("network_card_index"),
                "NetworkInterfaceId": one.reference("network_interface_id", *_INTERFACES),
            }
            for name in ("network_interface", "primary_network_interface")
            for one in view.blocks(name)
        ],
    }
    if not properties["SecurityGroupIds"]:
        # Groups of a default VPC by their names; those of an instance that exists are listed both ways.
        properties["SecurityGroups"] = view.references("security_groups")
    if not properties["SecurityGroupIds"] and view.blocks("launch_template"):
        properties["SecurityGroupIds"] = [UnknownPlannedValue(f"the launch template of {view.place}")]
    return properties


def _network_interface(view: View) -> Properties:
    addresses = view.references("private_ips") or [view.computed("private_ip")]
    return {
        "SubnetId": view.reference("subnet_id", *_SUBNETS),
        "GroupSet": view.references("security_groups", *_SECURITY_GROUPS),
        "PrivateIpAddress": addresses[0],
        "SecondaryAddresses": addresses[1:],
    }


def _prefix_list(view: View) -> Properties:
    family = view.get("address_family")
    return {
        "PrefixListName": view.get("name"),
        "AddressFamily": family,
        "Entries": [
            one if isinstance(one, UnknownPlannedValue) else {"Cidr": one.get("cidr")}
            for name in ("entry", "entries")
            for one in view.blocks(name)
        ],
    }


def _prefix_list_entry(view: View) -> Properties:
    return {"PrefixListId": view.reference("prefix_list_id", *_PREFIX_LISTS), "Cidr": view.get("cidr")}


def _aws_prefix_list(view: View) -> Properties:
    """The data source of an AWS-managed prefix list, for IPv4 or IPv6."""
    blocks = view.references("cidr_blocks") or []
    return {"PrefixListName": view.get("name"), "Entries": [{"Cidr": one} for one in blocks]}


def _launch_template(view: View) -> Properties:
    interfaces: list[PlannedValue] = []
    for one in view.blocks("network_interfaces"):
        if isinstance(one, UnknownPlannedValue):
            interfaces.append(one)
            continue
        interfaces.append(
            {
                "DeviceIndex": one.get("device_index"),
                "NetworkCardIndex": one.get("network_card_index"),
                "NetworkInterfaceId": one.reference("network_interface_id", *_INTERFACES),
                "Groups": one.references("security_groups", *_SECURITY_GROUPS),
            }
        )
    return {
        "LaunchTemplateName": view.get("name"),
        "LatestVersionNumber": view.computed("latest_version"),
        "LaunchTemplateData": {
            "SecurityGroupIds": view.references("vpc_security_group_ids", *_SECURITY_GROUPS),
            "SecurityGroups": view.references("security_group_names"),
            "NetworkInterfaces": interfaces,
        },
    }


def _launch_configuration(view: View) -> Properties:
    return {
        "LaunchConfigurationName": view.get("name"),
        "SecurityGroups": view.references("security_groups", *_SECURITY_GROUPS),
    }


def _auto_scaling_group(view: View) -> Properties:
    properties: Properties = {
        "AutoScalingGroupName": view.get("name"),
        "LaunchConfigurationName": view.reference("launch_configuration", *_LAUNCH_CONFIGURATIONS),
        "TargetGroupARNs": [
            *(view.references("target_group_arns", *_TARGET_GROUPS) or ()),
            *_traffic_sources(view),
        ],
        "VPCZoneIdentifier": view.references_and_texts("vpc_zone_identifier", *_SUBNETS),
    }
    for template in view.blocks("launch_template"):
        if isinstance(template, UnknownPlannedValue) and properties["LaunchConfigurationName"] not in (None, ""):
            # The provider computes the block of a group that has a launch configuration instead.
            continue
        properties["LaunchTemplate"] = _template_specification(template, "id", "name")
    for policy in view.blocks("mixed_instances_policy"):
        if isinstance(policy, UnknownPlannedValue):
            properties["LaunchTemplate"] = policy
            continue
        for template in policy.blocks("launch_template"):
            if isinstance(template, UnknownPlannedValue):
                properties["LaunchTemplate"] = template
                continue
            for specification in template.blocks("launch_template_specification"):
                properties["LaunchTemplate"] = _template_specification(
                    specification, "launch_template_id", "launch_template_name"
                )
            for override in template.blocks("override"):
                if isinstance(override, UnknownPlannedValue) or override.blocks("launch_template_specification"):
                    properties["LaunchTemplate"] = UnknownPlannedValue(
                        f"overrides of {view.place} name other launch templates"
                    )
    return properties


def _template_specification(view: View | UnknownPlannedValue, id_name: str, name_name: str) -> PlannedValue:
    if isinstance(view, UnknownPlannedValue):
        return view
    identifier = view.reference(id_name, *_LAUNCH_TEMPLATES)
    return {
        "LaunchTemplateId": identifier or view.reference(name_name, *_LAUNCH_TEMPLATES),
        "Version": view.get("version"),
    }


def _traffic_sources(view: View) -> list[PlannedValue]:
    sources: list[PlannedValue] = []
    for one in view.blocks("traffic_source"):
        if isinstance(one, UnknownPlannedValue):
            sources.append(one)
        elif one.get("type") in (None, "", "elbv2") or isinstance(one.get("type"), UnknownPlannedValue):
            sources.append(one.reference("identifier", *_TARGET_GROUPS))
    return sources


def _auto_scaling_attachment(view: View) -> Properties:
    groups = [
        view.reference(name, *_TARGET_GROUPS)
        for name in ("lb_target_group_arn", "alb_target_group_arn")
        if view.get(name) not in (None, "")
    ]
    return {
        "AutoScalingGroupName": view.reference("autoscaling_group_name", *_AUTO_SCALING_GROUPS),
        "TargetGroupARN": [*groups, *_traffic_sources(view)],
    }


def _spot_fleet(view: View) -> Properties:
    groups = [{"Arn": one} for one in view.references("target_group_arns", *_TARGET_GROUPS) or ()]
    return {"SpotFleetRequestConfigData": {"LoadBalancersConfig": {"TargetGroupsConfig": {"TargetGroups": groups}}}}


def _ecs_service(view: View) -> Properties:
    properties: Properties = {
        "LoadBalancers": [
            one
            if isinstance(one, UnknownPlannedValue)
            else {
                "TargetGroupArn": one.reference("target_group_arn", *_TARGET_GROUPS),
                "ContainerPort": one.get("container_port"),
                "AdvancedConfiguration": _advanced_configuration(one),
            }
            for one in view.blocks("load_balancer")
            if isinstance(one, UnknownPlannedValue) or one.get("target_group_arn") not in (None, "")
        ]
    }
    for network in view.blocks("network_configuration"):
        if isinstance(network, UnknownPlannedValue):
            properties["NetworkConfiguration"] = network
            continue
        properties["NetworkConfiguration"] = {
            "AwsvpcConfiguration": {
                "SecurityGroups": network.references("security_groups", *_SECURITY_GROUPS),
                "Subnets": network.references_and_texts("subnets", *_SUBNETS),
            }
        }
    return properties


def _advanced_configuration(view: View) -> PlannedValue:
    for one in view.blocks("advanced_configuration"):
        if isinstance(one, UnknownPlannedValue):
            return one
        return {"AlternateTargetGroupArn": one.reference("alternate_target_group_arn", *_TARGET_GROUPS)}
    return None


def _tags(view: View) -> PlannedValue:
    """The tags, those of the provider's `default_tags` included."""
    for name in ("tags_all", "tags"):
        if view.is_unknown(name):
            return UnknownPlannedValue(f"known after apply: {view.place}.{name}")
        value = view.get(name)
        if isinstance(value, UnknownPlannedValue):
            return value
        if isinstance(value, Mapping):
            return [{"Key": key, "Value": text} for key, text in value.items()]
    return []


Reader = Callable[[View], Properties]

READERS: Mapping[str, tuple[str, Reader]] = {
    "aws_lb": (types.LOAD_BALANCER, _load_balancer),
    "aws_alb": (types.LOAD_BALANCER, _load_balancer),
    "aws_lb_listener": (types.LISTENER, _listener),
    "aws_alb_listener": (types.LISTENER, _listener),
    "aws_lb_listener_rule": (types.LISTENER_RULE, _listener_rule),
    "aws_alb_listener_rule": (types.LISTENER_RULE, _listener_rule),
    "aws_lb_target_group": (types.TARGET_GROUP, _target_group),
    "aws_alb_target_group": (types.TARGET_GROUP, _target_group),
    "aws_lb_target_group_attachment": (types.TARGET_REGISTRATION, _target_group_attachment),
    "aws_alb_target_group_attachment": (types.TARGET_REGISTRATION, _target_group_attachment),
    "aws_security_group": (types.SECURITY_GROUP, _security_group),
    "aws_default_security_group": (types.SECURITY_GROUP, _default_security_group),
    "aws_vpc_security_group_ingress_rule": (types.SECURITY_GROUP_INGRESS, lambda view: _vpc_rule(view, "Source")),
    "aws_vpc_security_group_egress_rule": (types.SECURITY_GROUP_EGRESS, lambda view: _vpc_rule(view, "Destination")),
    "aws_vpc_security_group_rules_exclusive": (
        types.EXCLUSIVE_RULES,
        lambda view: {"GroupId": view.reference("security_group_id", *_SECURITY_GROUPS)},
    ),
    "aws_network_interface_sg_attachment": (types.INTERFACE_SECURITY_GROUP, _interface_security_group),
    "aws_vpc": (types.VPC, _vpc),
    "aws_default_vpc": (types.VPC, _vpc),
    "aws_vpc_ipv4_cidr_block_association": (types.VPC_CIDR_BLOCK, _vpc_cidr_block),
    "aws_vpc_ipv6_cidr_block_association": (types.VPC_CIDR_BLOCK, _vpc_cidr_block),
    "aws_subnet": (types.SUBNET, _subnet),
    "aws_default_subnet": (types.SUBNET, _subnet),
    "aws_instance": (types.INSTANCE, _instance),
    "aws_network_interface": (types.NETWORK_INTERFACE, _network_interface),
    "aws_ec2_managed_prefix_list": (types.PREFIX_LIST, _prefix_list),
    "aws_ec2_managed_prefix_list_entry": (types.PREFIX_LIST_ENTRY, _prefix_list_entry),
    "aws_launch_template": (types.LAUNCH_TEMPLATE, _launch_template),
    "aws_launch_configuration": (types.LAUNCH_CONFIGURATION, _launch_configuration),
    "aws_autoscaling_group": (types.AUTO_SCALING_GROUP, _auto_scaling_group),
    "aws_autoscaling_attachment": (types.AUTO_SCALING_ATTACHMENT, _auto_scaling_attachment),
    "aws_autoscaling_traffic_source_attachment": (types.AUTO_SCALING_ATTACHMENT, _auto_scaling_attachment),
    "aws_ecs_service": (types.ECS_SERVICE, _ecs_service),
    "aws_ecs_task_set": (types.ECS_TASK_SET, _ecs_service),
    "aws_spot_fleet_request": (types.SPOT_FLEET, _spot_fleet),
}
# The direction of a rule is one of its arguments.
SECURITY_GROUP_RULE = "aws_security_group_rule"
RULE_TYPES = {"ingress": types.SECURITY_GROUP_INGRESS, "egress": types.SECURITY_GROUP_EGRESS}
read_security_group_rule = _security_group_rule
# Data sources that tell a whole resource.
DATA_READERS: Mapping[str, tuple[str, Reader]] = {
    "aws_vpc": (types.VPC, _vpc),
    "aws_subnet": (types.SUBNET, _subnet),
    "aws_ec2_managed_prefix_list": (types.PREFIX_LIST, _prefix_list),
    "aws_prefix_list": (types.PREFIX_LIST, _aws_prefix_list),
}


_CLOUDFORMATION_TYPES = {
    "awscc_elasticloadbalancingv2_load_balancer": types.LOAD_BALANCER,
    "awscc_elasticloadbalancingv2_listener": types.LISTENER,
    "awscc_elasticloadbalancingv2_listener_rule": types.LISTENER_RULE,
    "awscc_elasticloadbalancingv2_target_group": types.TARGET_GROUP,
    "awscc_ec2_security_group": types.SECURITY_GROUP,
    "awscc_ec2_security_group_ingress": types.SECURITY_GROUP_INGRESS,
    "awscc_ec2_security_group_egress": types.SECURITY_GROUP_EGRESS,
    "awscc_ec2_vpc": types.VPC,
    "awscc_ec2_vpc_cidr_block": types.VPC_CIDR_BLOCK,
    "awscc_ec2_subnet": types.SUBNET,
    "awscc_ec2_instance": types.INSTANCE,
    "awscc_ec2_network_interface": types.NETWORK_INTERFACE,
    "awscc_ec2_prefix_list": types.PREFIX_LIST,
    "awscc_ec2_launch_template": types.LAUNCH_TEMPLATE,
    "awscc_autoscaling_launch_configuration": types.LAUNCH_CONFIGURATION,
    "awscc_autoscaling_auto_scaling_group": types.AUTO_SCALING_GROUP,
    "awscc_ecs_service": types.ECS_SERVICE,
    "awscc_ecs_task_set": types.ECS_TASK_SET,
    "awscc_ec2_spot_fleet": types.SPOT_FLEET,
}
# The properties that name resources, with the types of those.
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "LoadBalancerArn": _LOAD_BALANCERS,
    "ListenerArn": _LISTENERS,
    "TargetGroupArn": _TARGET_GROUPS,
    "AlternateTargetGroupArn": _TARGET_GROUPS,
    "TargetGroupARNs": _TARGET_GROUPS,
    "Identifier": _TARGET_GROUPS,
    "Arn": _TARGET_GROUPS,
    "SecurityGroups": _SECURITY_GROUPS,
    "SecurityGroupIds": _SECURITY_GROUPS,
    "GroupSet": _SECURITY_GROUPS,
    "Groups": _SECURITY_GROUPS,
    "GroupId": _SECURITY_GROUPS,
    "SourceSecurityGroupId": _SECURITY_GROUPS,
    "DestinationSecurityGroupId": _SECURITY_GROUPS,
    "SourcePrefixListId": _PREFIX_LISTS,
    "DestinationPrefixListId": _PREFIX_LISTS,
    "Subnets": _SUBNETS,
    "SubnetId": _SUBNETS,
    "VPCZoneIdentifier": _SUBNETS,
    "VpcId": _VPCS,
    "Id": (*_INSTANCES, *_LOAD_BALANCERS),
    "NetworkInterfaceId": _INTERFACES,
    "LaunchTemplateId": _LAUNCH_TEMPLATES,
    "LaunchConfigurationName": _LAUNCH_CONFIGURATIONS,
}
_LISTS = frozenset(
    {"SecurityGroups", "SecurityGroupIds", "GroupSet", "Groups", "Subnets", "VPCZoneIdentifier", "TargetGroupARNs"}
)
_BLOCKS = frozenset(
    {
        "Actions",
        "DefaultActions",
        "Targets",
        "SecurityGroupIngress",
        "SecurityGroupEgress",
        "SubnetMappings",
        "TargetGroups",
        "NetworkInterfaces",
        "Entries",
        "LoadBalancers",
        "Tags",
        "Overrides",
        "TrafficSources",
    }
)
_OBJECTS = frozenset(
    {
        "AdvancedConfiguration",
        "ForwardConfig",
        "LaunchTemplateData",
        "LaunchTemplate",
        "MixedInstancesPolicy",
        "LaunchTemplateSpecification",
        "NetworkConfiguration",
        "AwsvpcConfiguration",
        "SpotFleetRequestConfigData",
        "LoadBalancersConfig",
        "TargetGroupsConfig",
    }
)
_SCALARS = frozenset(
    {
        "Type",
        "Name",
        "Scheme",
        "IpAddressType",
        "Port",
        "Protocol",
        "TargetType",
        "HealthCheckEnabled",
        "HealthCheckPort",
        "TargetControlPort",
        "GroupName",
        "IpProtocol",
        "FromPort",
        "ToPort",
        "CidrIp",
        "CidrIpv6",
        "CidrBlock",
        "Ipv6CidrBlock",
        "AmazonProvidedIpv6CidrBlock",
        "PrivateIpAddress",
        "DeviceIndex",
        "NetworkCardIndex",
        "PrefixListName",
        "AddressFamily",
        "Cidr",
        "LaunchTemplateName",
        "LatestVersionNumber",
        "Version",
        "ContainerPort",
        "AutoScalingGroupName",
        "Key",
        "Value",
    }
)
_PROPERTY_NAMES = {name.lower(): name for name in (*_REFERENCES, *_LISTS, *_BLOCKS, *_OBJECTS, *_SCALARS)}
# A resource's own identifier, which `awscc` lists among its attributes.
_OWN_IDENTIFIERS: Mapping[str, frozenset[str]] = {
    types.LOAD_BALANCER: frozenset({"LoadBalancerArn"}),
    types.LISTENER: frozenset({"ListenerArn"}),
    types.TARGET_GROUP: frozenset({"TargetGroupArn"}),
    types.SECURITY_GROUP: frozenset({"GroupId"}),
    types.VPC: frozenset({"VpcId"}),
    types.SUBNET: frozenset({"SubnetId"}),
    types.LAUNCH_TEMPLATE: frozenset({"LaunchTemplateId"}),
    types.NETWORK_INTERFACE: frozenset({"NetworkInterfaceId"}),
}


def cloudformation_type(terraform_type: str) -> str | None:
    """The type of an `awscc` resource; None where no verdict depends on it."""
    return _CLOUDFORMATION_TYPES.get(terraform_type)


def read_cloud_control(view: View, own_type: str | None = None) -> Properties:
    """The properties of an `awscc` resource, whose names are CloudFormation's with underscores."""
    own = _OWN_IDENTIFIERS.get(own_type or "", frozenset())
    properties: Properties = {}
    for attribute in view.names():
        name = _PROPERTY_NAMES.get(attribute.replace("_", ""))
        if name is None or name in own or (own_type is not None and attribute in ("id", "arn")):
            continue
        value = _cloud_control_value(view, attribute, name)
        if value is not None:
            properties[name] = value
    return properties


def _cloud_control_value(view: View, attribute: str, name: str) -> Any:
    if name in _OBJECTS and view.is_text(attribute):
        return view.get(attribute)
    if name in _OBJECTS or name in _BLOCKS:
        if name == "SecurityGroups" and view.is_text(attribute):
            return view.get(attribute)
        blocks = [
            one if isinstance(one, UnknownPlannedValue) else read_cloud_control(one) for one in view.blocks(attribute)
        ]
        if name in _OBJECTS:
            return blocks[0] if blocks else None
        return blocks if blocks or view.has_value(attribute) else None
    if name in ("Subnets", "VPCZoneIdentifier"):
        return view.references_and_texts(attribute, *_SUBNETS)
    if name in _LISTS:
        return view.references(attribute, *_REFERENCES[name])
    if name in _REFERENCES:
        return view.reference(attribute, *_REFERENCES[name])
    return view.get(attribute)
