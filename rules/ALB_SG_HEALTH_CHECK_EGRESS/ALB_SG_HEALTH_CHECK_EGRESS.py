"""AWS Config rule ALB_SG_HEALTH_CHECK_EGRESS; README.md beside this file says what it asks."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.catalogue import HEALTH_CHECK_EGRESS


class ALB_SG_HEALTH_CHECK_EGRESS(AlbSgRule):
    recommendation = HEALTH_CHECK_EGRESS


def lambda_handler(event, context):
    return evaluate(ALB_SG_HEALTH_CHECK_EGRESS(), event, context)
