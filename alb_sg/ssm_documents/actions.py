"""The IAM actions of each document, from which the remediation role is generated.

Tests prove that none is missing and none is superfluous. The action that reads exemptions is not among them: it depends
on where the exemptions are.
"""

from __future__ import annotations

from alb_sg.config_rule.iam_actions import section_actions
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.document_names import RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT

# What uses, owns and manages the groups, what room they have, and what an execution added.
CHANGE_CONTEXT_ACTIONS = (
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
)
# A dedicated group of the load balancer: created without outbound rules where no tool manages the load balancer,
# attached, and deleted if a step fails.
GROUP_ACTIONS = (
    "ec2:CreateSecurityGroup",
    "ec2:DeleteSecurityGroup",
    "ec2:RevokeSecurityGroupEgress",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:SetSecurityGroups",
)
# Rules and groups are tagged as they are made.
TAG_ACTION = "ec2:CreateTags"
# The record of an execution, with the account's tags. It is deleted when nothing is left of what it names.
RECORD_ACTIONS = (
    "ssm:AddTagsToResource",
    "ssm:DeleteParameters",
    "ssm:GetParametersByPath",
    "ssm:PutParameter",
)
RULE_ACTION = "config:DescribeConfigRules"
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
    "ssm:DeleteParameters",
    "ssm:GetParametersByPath",
)


def document_actions(document: str) -> tuple[str, ...]:
    """Every action that the steps of a document need in the account that they run in, sorted."""
    if document == UNDO_DOCUMENT:
        return UNDO_ACTIONS
    recommendation = RECOMMENDATION_BY_DOCUMENT[document]
    return tuple(
        sorted(
            {
                *section_actions(recommendation),
                *CHANGE_CONTEXT_ACTIONS,
                *(() if recommendation.direction is Direction.TARGET_INGRESS else GROUP_ACTIONS),
                TAG_ACTION,
                *RECORD_ACTIONS,
                *recommendation.fix_actions,
                RULE_ACTION,
                REEVALUATION_ACTION,
            }
        )
    )
