"""What an explanation says of one load balancer, case by case. `tests/report` holds its properties."""

from __future__ import annotations

from alb_sg.findings.explanation import Explanation, explain
from alb_sg.findings.judge import Judge
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    INGRESS,
    Saved,
    build,
    estate,
    group,
    listener,
    load_balancer,
    load_balancer_arn,
    tcp,
)


def explained(saved: Saved) -> Explanation:
    """The explanation of `web` by the rule on listeners, with the remarks that its estate allows."""
    found = build(saved)
    web = found.load_balancers[load_balancer_arn()]
    return explain(Judge(found), web, {RECOMMENDATIONS_BY_NAME[INGRESS]: parse_parameters({})})


def test_the_largest_part_is_the_evidence_and_what_it_holds_is_not() -> None:
    """A rule for a part that another rule allows already shows nothing."""
    for peers in (["10.0.0.0/24", ANYWHERE], [ANYWHERE, "10.0.0.0/24"]):
        found = explained(estate(listener(443), group("sg-1", ingress=[tcp(443, peer) for peer in peers])))
        [row] = found.rules[0].rows
        assert [one.permission_peer.peer for one in row.evidence] == [ANYWHERE]


def test_the_names_of_groups_that_were_read() -> None:
    saved = estate(load_balancer(groups=["sg-1", "sg-2"]), listener(443), group("sg-1", ingress=[tcp(443, ANYWHERE)]))
    found = explained(saved)
    assert found.group_names == {"sg-1": "name-of-sg-1"}
    assert [what for what, _ in found.unread] == ["security group sg-2"]


def test_a_remark_from_the_facts_in_the_estate() -> None:
    service = group("sg-9") | {"GroupName": "CloudFront-VPCOrigins-Service-SG"}
    found = explained(estate(load_balancer(scheme="internal"), listener(443), group("sg-1"), service))
    [remark] = found.remarks
    assert remark.startswith("CloudFront (VPC origins) is present in vpc-1 (sg-9)")
