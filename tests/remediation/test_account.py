"""Reading the account that a fix changes: an answer that lacks what was asked for is no answer."""

from __future__ import annotations

import pytest

from alb_sg.aws.clients import make_client
from alb_sg.errors import NotReadError
from alb_sg.live import LiveClients
from alb_sg.remediation.account import AccountClients
from tests.builders import ACCOUNT, REGION, Shape, estate, load_balancer, load_balancer_arn
from tests.live.region import Call, Region

WEB = load_balancer_arn("web")


def account(*, answers_with: list[Shape] | None = None) -> AccountClients:
    """An account with `web`, or one that answers with these load balancers whatever it is asked for."""

    def intervene(call: Call) -> Shape | None:
        return None if answers_with is None else {"LoadBalancers": answers_with}

    region = Region(estate(load_balancer("web", groups=["sg-2", "sg-1"])), intervene=intervene)
    clients = LiveClients(elbv2=make_client("elbv2", REGION), ec2=make_client("ec2", REGION))
    for client in (clients.elbv2, clients.ec2):
        region.serve(client)
    return AccountClients(clients, ACCOUNT, REGION)


def test_the_groups_of_a_load_balancer_in_the_apis_order() -> None:
    assert account().groups_of_load_balancer(WEB) == ("sg-2", "sg-1")


@pytest.mark.parametrize("answers_with", [[], [load_balancer("other", groups=["sg-9"])]], ids=["none", "another"])
def test_an_answer_without_the_load_balancer_names_no_groups(answers_with: list[Shape]) -> None:
    with pytest.raises(NotReadError, match="DescribeLoadBalancers: the answer does not contain it"):
        account(answers_with=answers_with).groups_of_load_balancer(WEB)


def test_an_answer_that_does_not_name_the_groups_is_none() -> None:
    """Restoring or adding to a list of groups that is not known would take groups off."""
    with pytest.raises(NotReadError, match="DescribeLoadBalancers: the answer does not name them"):
        account(answers_with=[{"LoadBalancerArn": WEB}]).groups_of_load_balancer(WEB)
