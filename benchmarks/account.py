"""An account of many load balancers in the embedded AWS, with one and a half target groups each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from alb_sg.findings.finding import Compliance
from alb_sg.findings.judge import judge_all
from alb_sg.live import LoadResult
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from alb_sg.recommendations.recommendation import Recommendation
from embedded_aws.account import EmbeddedAws, all_traffic, icmp, tcp

ESTATE_SECTIONS = frozenset[str]().union(*(rule.estate_sections for rule in DEFAULT_RECOMMENDATIONS)) - {"Tags"}
# Those of the rules that judge the load balancers' own security groups alone.
OWN_SIDE_SECTIONS = frozenset[str]().union(
    *(rule.estate_sections for rule in DEFAULT_RECOMMENDATIONS if rule.direction is not Direction.TARGET_INGRESS)
) - {"Tags"}
# As many load balancers share a security group.
LOAD_BALANCERS_PER_GROUP = 5
VPC_BLOCK = "10.0.0.0/16"
VerdictCounts = Mapping[tuple[str, Compliance], int]


def build_account(aws: EmbeddedAws, size: int, *, open_to_targets: bool) -> VerdictCounts:
    """Internet-facing load balancers, an even number of them, and the verdicts that they are to have.

    Every second one has a second listener, on a port that its group does not let in, with a target group of its own,
    and lets ICMP in; the others do not. Groups let out to the targets' group, which lets nobody in. Where
    `open_to_targets`, they let out everywhere, and the targets' group lets the VPC in on every port.
    """
    vpc = aws.vpc(VPC_BLOCK)
    subnets = aws.subnets(vpc)
    app = aws.security_group(vpc, "app", ingress=[all_traffic(VPC_BLOCK)] if open_to_targets else [])
    instance = aws.instance(subnets[0], app)
    egress = None if open_to_targets else [tcp(8080, app)]
    groups: dict[tuple[int, int], str] = {}
    for number in range(size):
        second = number % 2
        key = (number // (2 * LOAD_BALANCERS_PER_GROUP), second)
        if key not in groups:
            ingress = [tcp(80, "0.0.0.0/0"), *([icmp(3, 4, "0.0.0.0/0")] if second else [])]
            groups[key] = aws.security_group(vpc, f"group-{number}", ingress=ingress, egress=egress)
        balancer = aws.load_balancer(f"web-{number}", subnets, [groups[key]])
        for index in range(1 + second):
            target_group = aws.target_group(f"web-{number}-{index}", vpc, 8080, [(instance, None)])
            aws.listener(balancer, 80 + index, target_group)
    half = size // 2
    return {
        ("ALB_SG_LISTENER_INGRESS", Compliance.COMPLIANT): half,
        ("ALB_SG_LISTENER_INGRESS", Compliance.NON_COMPLIANT): half,
        ("ALB_SG_ICMP_PMTUD", Compliance.COMPLIANT): half,
        ("ALB_SG_ICMP_PMTUD", Compliance.NON_COMPLIANT): half,
        ("ALB_SG_INSTANCE_EGRESS", Compliance.COMPLIANT): size,
        ("ALB_SG_HEALTH_CHECK_EGRESS", Compliance.COMPLIANT): size,
        ("ALB_SG_TARGET_INGRESS", Compliance.COMPLIANT if open_to_targets else Compliance.NON_COMPLIANT): size,
    }


def count_verdicts(
    loaded: LoadResult, recommendations: Iterable[Recommendation] = DEFAULT_RECOMMENDATIONS
) -> VerdictCounts:
    """The verdicts of rules, counted. Nothing may be in error."""
    assert loaded.enumeration_failure is None
    rules = dict.fromkeys(recommendations, Parameters())
    findings, errors = judge_all(loaded.estate, loaded.selected, rules)
    assert not errors, errors[0]
    return dict(Counter((finding.rule, finding.compliance) for finding in findings))
