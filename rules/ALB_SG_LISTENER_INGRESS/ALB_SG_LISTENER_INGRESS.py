"""AWS Config rule ALB_SG_LISTENER_INGRESS; README.md beside this file says what it asks."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.catalogue import LISTENER_INGRESS


class ALB_SG_LISTENER_INGRESS(AlbSgRule):
    recommendation = LISTENER_INGRESS


def lambda_handler(event, context):
    return evaluate(ALB_SG_LISTENER_INGRESS(), event, context)
