"""The API actions that a rule calls, as data: roles are made from them, and tests prove that none is missing and
none is superfluous.

Names are those of IAM (Service Authorization Reference: Elastic Load Balancing V2, Amazon EC2, AWS Config).
"""

from __future__ import annotations

from alb_sg.live.iam_actions import ENUMERATION_ACTIONS, RECORDING_ACTIONS, SECTION_ACTIONS
from alb_sg.parameters import Source
from alb_sg.recommendations.catalogue import Recommendation

# To give verdicts, to clear those that no longer apply, and to see what an item too large to be sent along said.
CONFIG_ACTIONS = (
    "config:GetComplianceDetailsByConfigRule",
    "config:GetResourceConfigHistory",
    "config:PutEvaluations",
)


def evaluation_actions(recommendation: Recommendation, source: Source = Source.LIVE) -> tuple[str, ...]:
    """Every action that the rule calls in the account that it judges, in order.

    With `MatchingRule.CONFIG` it needs the others as well: for change events, and for what was not recorded.
    """
    of_sections = {action for section in recommendation.estate_sections for action in SECTION_ACTIONS[section]}
    of_source = RECORDING_ACTIONS if source is Source.CONFIG else ()
    return tuple(sorted({*ENUMERATION_ACTIONS, *of_sections, *CONFIG_ACTIONS, *of_source}))
