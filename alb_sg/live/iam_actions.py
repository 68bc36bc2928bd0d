"""The IAM actions of the calls in this package, as data: roles are generated from them.

Names are IAM's (Service Authorization Reference: Elastic Load Balancing V2, Amazon EC2, AWS Config).
"""

from __future__ import annotations

from alb_sg.estate.sections import Section

# Needed to find the load balancers that any changed item affects.
ENUMERATION_ACTIONS = (
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)

# The calls that read a section.
SECTION_ACTIONS: dict[str, tuple[str, ...]] = {
    Section.ALB_REGISTRATIONS: (
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    Section.INSTANCES: ("ec2:DescribeInstances",),
    Section.LISTENERS: ("elasticloadbalancing:DescribeListeners",),
    Section.MANAGED_PREFIX_LISTS: ("ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"),
    Section.NETWORK_INTERFACES: ("ec2:DescribeNetworkInterfaces",),
    Section.SECURITY_GROUPS: ("ec2:DescribeSecurityGroups",),
    Section.SECURITY_GROUP_CARRIERS: ("ec2:DescribeNetworkInterfaces",),
    Section.SECURITY_GROUP_RULES: ("ec2:DescribeSecurityGroupRules",),
    Section.SUBNETS: ("ec2:DescribeSubnets",),
    Section.TAGS: ("elasticloadbalancing:DescribeTags",),
    Section.TARGET_GROUPS: ("elasticloadbalancing:DescribeTargetGroups",),
    Section.TARGET_HEALTH_DESCRIPTIONS: ("elasticloadbalancing:DescribeTargetHealth",),
    Section.VPCS: ("ec2:DescribeVpcs",),
}

# The calls that read what AWS Config has recorded, and whether it is current.
RECORDING_ACTIONS = (
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "config:SelectResourceConfig",
)
