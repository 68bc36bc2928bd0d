"""AWS Config rule ALB_SG_ICMP_PMTUD; README.md beside this file describes it."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.icmp_pmtud import RECOMMENDATION


class ALB_SG_ICMP_PMTUD(AlbSgRule):
    recommendation = RECOMMENDATION


def lambda_handler(event, context):
    return evaluate(ALB_SG_ICMP_PMTUD(), event, context)
