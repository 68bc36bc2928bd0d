"""The API actions that a document calls, as data: the remediation role is made from them, and tests prove that none is
missing and none is superfluous.

Names are those of IAM. What `Exemptions` takes is not among them: it depends on where they are kept.
"""

from __future__ import annotations

from alb_sg.config_rule.iam_actions import section_actions
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.document_names import RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT

# Who carries the groups, who manages them and the load balancer, what they have room for, what an execution added.
CHANGE_CONTEXT_ACTIONS = (
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
)
# A group of the load balancer's own: made without outbound rules, added, and deleted where a step fails.
GROUP_ACTIONS = (
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DeleteSecurityGroup",
    "ec2:RevokeSecurityGroupEgress",
    "elasticloadbalancing:SetSecurityGroups",
)
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
    """Every action that the steps of a document call in the account that they run in, in order."""
    return UNDO_ACTIONS if document == UNDO_DOCUMENT else _fix_actions(RECOMMENDATION_BY_DOCUMENT[document])


def _fix_actions(recommendation: Recommendation) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                *section_actions(recommendation),
                *CHANGE_CONTEXT_ACTIONS,
                *GROUP_ACTIONS,
                *recommendation.fix_actions,
                REEVALUATION_ACTION,
            }
        )
    )
