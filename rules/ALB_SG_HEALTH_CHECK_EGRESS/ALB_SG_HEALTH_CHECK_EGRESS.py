"""AWS Config rule ALB_SG_HEALTH_CHECK_EGRESS; README.md beside this file describes it."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.health_check_egress import RECOMMENDATION


class ALB_SG_HEALTH_CHECK_EGRESS(AlbSgRule):
    recommendation = RECOMMENDATION


def lambda_handler(event, context):
    return evaluate(ALB_SG_HEALTH_CHECK_EGRESS(), event, context)
