"""The load balancers that a changed item affects, by type of item and rule: nothing is read for this."""

from __future__ import annotations

from typing import Any

import pytest

from alb_sg.config_rule.affected import affected_load_balancers
from alb_sg.config_rule.notification import ChangedItem
from alb_sg.errors import InvalidInputError
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    PREFIX_LIST_TYPE,
    SECURITY_GROUP_TYPE,
    SECURITY_GROUP_VPC_ASSOCIATION_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.live import Selection
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    EGRESS,
    ICMP,
    INGRESS,
    RULES,
    TARGETS,
    UNUSED,
    listener_arn,
    load_balancer_arn,
    target_group_arn,
)

WEB, NLB = load_balancer_arn("web"), load_balancer_arn("nlb", "network")
GATEWAY = load_balancer_arn("gateway", "gateway")
LISTENER, NLB_LISTENER = listener_arn(WEB, "50"), listener_arn(NLB, "50")
GROUP = target_group_arn("web")
NETWORK = frozenset({NLB})


def item(resource_type: str, resource_id: str, *texts: str, type_: str | None = None) -> ChangedItem:
    return ChangedItem(resource_type, resource_id, "", exists=True, load_balancer_type=type_, texts=texts)


def affected(rule: str, changed: ChangedItem, **parameters: str) -> Selection:
    return affected_load_balancers(changed, RECOMMENDATIONS_BY_NAME[rule], parse_parameters(parameters))


def named(**fields: Any) -> Selection:
    return Selection(**fields)


# By item: what every rule selects, and what those select besides that read who stands in front.
CASES = {
    "a load balancer is judged itself": (item(LOAD_BALANCER_TYPE, WEB), named(load_balancers=frozenset({WEB}))),
    "an item may say its type": (
        item(LOAD_BALANCER_TYPE, WEB, type_="application"),
        named(load_balancers=frozenset({WEB})),
    ),
    "nothing stands behind a gateway load balancer": (item(LOAD_BALANCER_TYPE, GATEWAY), Selection()),
    "a listener concerns its own load balancer": (
        item(LISTENER_TYPE, LISTENER),
        named(load_balancers=frozenset({WEB})),
    ),
    "a target group names its users, now and before": (
        item(TARGET_GROUP_TYPE, GROUP, "web", WEB, f"forward to {load_balancer_arn('other')}"),
        named(load_balancers=frozenset({WEB, load_balancer_arn("other")}), target_groups=frozenset({GROUP})),
    ),
    "a group concerns its carriers": (
        item(SECURITY_GROUP_TYPE, "sg-1", "sg-2"),
        named(security_groups=frozenset({"sg-1"})),
    ),
    "the id of an association names the group": (
        item(SECURITY_GROUP_VPC_ASSOCIATION_TYPE, "sg-1|vpc-2"),
        named(security_groups=frozenset({"sg-1"})),
    ),
    "else its configuration does": (
        item(SECURITY_GROUP_VPC_ASSOCIATION_TYPE, "assoc-1", "vpc-2", "sg-3"),
        named(security_groups=frozenset({"sg-3"})),
    ),
    "a VPC concerns all in it": (item(VPC_TYPE, "vpc-1", "sg-1"), named(vpcs=frozenset({"vpc-1"}))),
    "a prefix list concerns those whose groups refer to it": (
        item(PREFIX_LIST_TYPE, "pl-1"),
        named(prefix_lists=frozenset({"pl-1"})),
    ),
}


@pytest.mark.parametrize("rule", [INGRESS, EGRESS, ICMP])
@pytest.mark.parametrize(("changed", "expected"), CASES.values(), ids=CASES)
def test_an_item_affects_its_load_balancers(changed: ChangedItem, expected: Selection, rule: str) -> None:
    assert affected(rule, changed) == expected


BEHIND = Selection(behind_network_load_balancers=NETWORK, behind_deleted_load_balancers=True)


@pytest.mark.parametrize(
    ("changed", "selected"),
    [
        (item(LOAD_BALANCER_TYPE, NLB), BEHIND),
        # The configuration says the type, whatever the ARN says.
        (
            item(LOAD_BALANCER_TYPE, WEB, type_="network"),
            Selection(behind_network_load_balancers=frozenset({WEB}), behind_deleted_load_balancers=True),
        ),
        (item(LISTENER_TYPE, NLB_LISTENER), BEHIND),
        # The deletion of a target group's Network Load Balancer is an event of its own.
        (
            item(TARGET_GROUP_TYPE, GROUP, NLB),
            Selection(behind_network_load_balancers=NETWORK, target_groups=frozenset({GROUP})),
        ),
    ],
)
def test_a_network_load_balancer_concerns_the_rule_that_reads_who_stands_behind_it(
    changed: ChangedItem, selected: Selection
) -> None:
    assert affected(INGRESS, changed) == selected
    # The others do not ask for what an NLB's clients need.
    assert affected(EGRESS, changed) == Selection(target_groups=selected.target_groups)


def test_a_group_concerns_those_that_send_to_its_carriers_where_the_rule_judges_targets() -> None:
    selected = affected(TARGETS, item(SECURITY_GROUP_TYPE, "sg-1"))
    assert selected == named(security_groups=frozenset({"sg-1"}), target_security_groups=frozenset({"sg-1"}))


@pytest.mark.parametrize(
    ("parameters", "everything"),
    [
        ({"AcceptedSources": "10.0.0.0/8,pl-1@443"}, True),
        ({"AcceptedSources": "pl-2"}, False),
        # A tag of any load balancer may name it.
        ({"TagKey": "clients"}, True),
    ],
)
def test_a_prefix_list_that_parameters_may_name_concerns_all(parameters: dict[str, str], everything: bool) -> None:
    selected = affected(INGRESS, item(PREFIX_LIST_TYPE, "pl-1"), **parameters)
    assert selected == (Selection(everything=True) if everything else named(prefix_lists=frozenset({"pl-1"})))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            item(LOAD_BALANCER_TYPE, WEB, "sg-1", "sg-2 was removed", "vpc-1"),
            named(
                load_balancers=frozenset({WEB}),
                sharing_groups_with=frozenset({WEB}),
                security_groups=frozenset({"sg-1", "sg-2"}),
            ),
        ),
        # A Network Load Balancer's listeners use ports of the group as well; nobody's clients are asked for.
        (
            item(LOAD_BALANCER_TYPE, NLB, "sg-1"),
            named(sharing_groups_with=NETWORK, security_groups=frozenset({"sg-1"})),
        ),
        (item(LISTENER_TYPE, LISTENER), named(load_balancers=frozenset({WEB}), sharing_groups_with=frozenset({WEB}))),
        # A group's own item names its peers, which use none of its ports.
        (item(SECURITY_GROUP_TYPE, "sg-1", "sg-2"), named(security_groups=frozenset({"sg-1"}))),
    ],
)
def test_those_that_share_a_group_use_its_ports(changed: ChangedItem, expected: Selection) -> None:
    assert affected(UNUSED, changed) == expected


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (item(LISTENER_TYPE, WEB), "configurationItem.resourceId: .* is not the ARN of a listener"),
        (item("AWS::EC2::Instance", "i-1"), "resourceType: .* does not handle the resource type 'AWS::EC2::Instance'"),
        (item("AWS::S3::Bucket", "b"), "resourceType: .* does not handle the resource type 'AWS::S3::Bucket'"),
    ],
)
def test_an_item_that_no_rule_handles_is_refused(changed: ChangedItem, sentence: str, rule: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        affected(rule, changed)
