"""The IAM actions of each document, from which the remediation role is generated.

Tests prove that none is missing and none is superfluous. The action that reads exemptions is not among them: it depends
on where the exemptions are.
"""

from __future__ import annotations

from alb_sg.config_rule.iam_actions import SECTION_ACTIONS
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import ICMP_PMTUD, LISTENER_INGRESS, Recommendation
from alb_sg.remediation.document_names import RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT

# What uses, owns and manages the groups, what room they have, and what an execution added.
CHANGE_CONTEXT_ACTIONS = (
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
)
# A dedicated group: created without outbound rules, attached, and deleted if a step fails.
GROUP_ACTIONS = (
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DeleteSecurityGroup",
    "ec2:RevokeSecurityGroupEgress",
    "elasticloadbalancing:SetSecurityGroups",
)
SECURITY_GROUP_RULE_ACTIONS = {
    Direction.INGRESS: ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
    Direction.EGRESS: ("ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress"),
}
INGRESS_RECOMMENDATIONS = (ICMP_PMTUD, LISTENER_INGRESS)
REEVALUATION_ACTION = "config:StartConfigRulesEvaluation"

UNDO_ACTIONS = (
    "ec2:DeleteSecurityGroup",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:SetSecurityGroups",
)


def document_actions(document: str) -> tuple[str, ...]:
    """Every action that the steps of a document need in the account that they run in, sorted."""
    return UNDO_ACTIONS if document == UNDO_DOCUMENT else _fix_actions(RECOMMENDATION_BY_DOCUMENT[document])


def _fix_actions(recommendation: Recommendation) -> tuple[str, ...]:
    of_sections = {action for section in recommendation.estate_sections for action in SECTION_ACTIONS[section]}
    adding = SECURITY_GROUP_RULE_ACTIONS[
        Direction.INGRESS if recommendation in INGRESS_RECOMMENDATIONS else Direction.EGRESS
    ]
    return tuple(sorted({*of_sections, *CHANGE_CONTEXT_ACTIONS, *GROUP_ACTIONS, *adding, REEVALUATION_ACTION}))
