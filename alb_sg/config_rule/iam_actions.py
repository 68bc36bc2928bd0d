"""The IAM actions that a rule needs. Roles are built from them, and tests prove that none is missing or superfluous.

Names are those of the Service Authorization Reference: Elastic Load Balancing V2, Amazon EC2, AWS Config.
"""

from __future__ import annotations

from alb_sg.estate.sections import Section
from alb_sg.parameters import Source
from alb_sg.recommendations.recommendation import Recommendation

# Every change needs these, to find the load balancers that it affects.
ENUMERATION_ACTIONS = (
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)

# What it takes to read a section of the estate.
SECTION_ACTIONS: dict[Section, tuple[str, ...]] = {
    Section.ALB_REGISTRATIONS: (
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    Section.INSTANCES: ("ec2:DescribeInstances",),
    Section.LISTENERS: ("elasticloadbalancing:DescribeListeners",),
    Section.MANAGED_PREFIX_LISTS: ("ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"),
    Section.NETWORK_INTERFACES: ("ec2:DescribeNetworkInterfaces",),
    Section.SECURITY_GROUPS: ("ec2:DescribeSecurityGroups",),
    Section.TAGS: ("elasticloadbalancing:DescribeTags",),
    Section.TARGET_GROUPS: ("elasticloadbalancing:DescribeTargetGroups",),
    Section.TARGET_HEALTH_DESCRIPTIONS: ("elasticloadbalancing:DescribeTargetHealth",),
    Section.VPCS: ("ec2:DescribeVpcs",),
}

# To report verdicts, to clear outdated ones, and to read items that are too large for a notification.
CONFIG_ACTIONS = (
    "config:GetComplianceDetailsByConfigRule",
    "config:GetResourceConfigHistory",
    "config:PutEvaluations",
)

# To read AWS Config's recordings and whether they are current, where the parameter Source is `config`.
RECORDING_ACTIONS = (
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "config:SelectResourceConfig",
)


def section_actions(recommendation: Recommendation) -> set[str]:
    """What it takes to read all sections of the estate that the verdict may depend on."""
    return {action for section in recommendation.estate_sections for action in SECTION_ACTIONS[section]}


def evaluation_actions(recommendation: Recommendation, source: Source = Source.LIVE) -> tuple[str, ...]:
    """Every action that the rule calls in the account that it judges, sorted.

    `Source.CONFIG` needs the live actions too: for change events, and for what is not recorded.
    """
    recording_actions = RECORDING_ACTIONS if source is Source.CONFIG else ()
    return tuple(sorted({*ENUMERATION_ACTIONS, *section_actions(recommendation), *CONFIG_ACTIONS, *recording_actions}))
