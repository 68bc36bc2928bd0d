"""AWS Config rule ALB_SG_ICMP_PMTUD; README.md beside this file says what it asks."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.catalogue import ICMP_PMTUD


class ALB_SG_ICMP_PMTUD(AlbSgRule):
    recommendation = ICMP_PMTUD


def lambda_handler(event, context):
    return evaluate(ALB_SG_ICMP_PMTUD(), event, context)
