"""AWS Config rule ALB_SG_TARGET_INGRESS; README.md beside this file describes it."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.target_ingress import RECOMMENDATION


class ALB_SG_TARGET_INGRESS(AlbSgRule):
    recommendation = RECOMMENDATION


def lambda_handler(event, context):
    return evaluate(ALB_SG_TARGET_INGRESS(), event, context)
