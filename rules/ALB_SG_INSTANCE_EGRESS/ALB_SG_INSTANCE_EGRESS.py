"""AWS Config rule ALB_SG_INSTANCE_EGRESS; README.md beside this file says what it asks."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.catalogue import INSTANCE_EGRESS


class ALB_SG_INSTANCE_EGRESS(AlbSgRule):
    recommendation = INSTANCE_EGRESS


def lambda_handler(event, context):
    return evaluate(ALB_SG_INSTANCE_EGRESS(), event, context)
