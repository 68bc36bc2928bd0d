"""What an explanation says of one load balancer, case by case. `tests/report` holds its properties."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from alb_sg.findings.explanation import Explanation, RowStatus, explain
from alb_sg.findings.judge import Judge
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    EGRESS,
    INGRESS,
    TARGETS,
    Saved,
    build,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    reference,
    target_group,
    tcp,
    vpc,
)


def explained(saved: Saved, rule: str = INGRESS) -> Explanation:
    """The explanation of `web` by a rule, with the remarks that its estate allows."""
    found = build(saved)
    web = found.load_balancers[load_balancer_arn()]
    return explain(Judge(found), web, {RECOMMENDATIONS_BY_NAME[rule]: parse_parameters({})})


def test_the_largest_part_is_the_evidence_and_what_it_holds_is_not() -> None:
    """A rule for a part that another rule allows already shows nothing."""
    for peers in (["10.0.100.0/24", "10.0.64.0/18"], ["10.0.64.0/18", "10.0.100.0/24"]):
        groups = group("sg-1", ingress=[tcp(443, peer) for peer in peers])
        found = explained(estate(load_balancer(scheme="internal"), listener(443), groups))
        [row] = found.rules[0].rows
        assert [one.permission_peer.peer for one in row.evidence] == ["10.0.64.0/18"]


def test_a_reference_over_a_peering_that_names_no_vpc_is_unresolved_once() -> None:
    far = reference("sg-far", peering="pcx-2", status="active", account="999999999999")
    saved = estate(target_group(targets=["10.9.1.5"]), vpc("10.0.0.0/16"), group("sg-1", egress=[tcp(80, far)]))
    [row] = explained(saved, EGRESS).rules[0].rows
    assert row.unresolved == ("sg-far over pcx-2 (its VPC is not named)",)


@pytest.mark.parametrize(
    ("uncollected", "required"),
    [
        # They are somewhere in the VPC.
        (["Subnets"], ("10.0.0.0/16",)),
        # They may be anywhere, which is no block to let in.
        (["Subnets", "Vpcs"], ()),
    ],
)
def test_the_nodes_of_subnets_that_were_not_read(uncollected: Sequence[str], required: tuple[str, ...]) -> None:
    saved = estate(
        load_balancer(),
        listener(443, forward=["web"]),
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1"),
        group("sg-app", ingress=[tcp(80, "sg-1")]),
        vpc("10.0.0.0/16"),
        uncollected=uncollected,
    )
    [row] = explained(saved, TARGETS).rules[0].rows
    assert (row.required, row.status) == (required, RowStatus.MET)


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
