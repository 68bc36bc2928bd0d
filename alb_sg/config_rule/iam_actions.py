"""The IAM actions that a rule needs. Roles are built from them, and tests prove that none is missing or superfluous.

Names are those of the Service Authorization Reference: Elastic Load Balancing V2, Amazon EC2, AWS Config.
"""

from __future__ import annotations

from alb_sg.live.iam_actions import ENUMERATION_ACTIONS, RECORDING_ACTIONS, SECTION_ACTIONS
from alb_sg.parameters import Source
from alb_sg.recommendations.recommendation import Recommendation

# To report verdicts, to clear outdated ones, and to read items that are too large for a notification.
CONFIG_ACTIONS = (
    "config:GetComplianceDetailsByConfigRule",
    "config:GetResourceConfigHistory",
    "config:PutEvaluations",
)


def section_actions(recommendation: Recommendation) -> set[str]:
    """What it takes to read all sections of the estate that the verdict may depend on."""
    return {action for section in recommendation.estate_sections for action in SECTION_ACTIONS[section]}


def evaluation_actions(recommendation: Recommendation, source: Source = Source.LIVE) -> tuple[str, ...]:
    """Every action that the rule calls in the account that it judges, sorted.

    `Source.CONFIG` needs the live actions too: for change events, and for data that AWS Config does not record.
    """
    recording_actions = RECORDING_ACTIONS if source is Source.CONFIG else ()
    return tuple(sorted({*ENUMERATION_ACTIONS, *section_actions(recommendation), *CONFIG_ACTIONS, *recording_actions}))
