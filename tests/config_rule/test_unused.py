"""ALB_SG_UNUSED_INGRESS after changes: load balancers that share a security group use its ports together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alb_sg.config_rule import evaluations
from alb_sg.config_rule.affected import affected_load_balancers
from alb_sg.config_rule.notification import ChangedItem
from alb_sg.estate.resource_types import LISTENER_TYPE, LOAD_BALANCER_TYPE
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from embedded_aws.account import tcp
from tests.builders import INGRESS, UNUSED
from tests.config_rule.test_handlers import Shop

WEB = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"


class SharedShop(Shop):
    """`web` and `other` share a group that is open on 80 and 8443."""

    def build(self) -> None:
        super().build()
        self.allow_ingress(self.group, [tcp(8443, "0.0.0.0/0")])
        self.other = self.load_balancer("other", self.subnet_ids, [self.group])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedShop]:
    monkeypatch.setattr(evaluations, "RETRY_PAUSES", (0, 0))
    with SharedShop() as shop:
        shop.build()
        yield shop


@pytest.mark.slow
def test_a_listener_of_one_load_balancer_concerns_all_that_share_its_groups(aws: SharedShop) -> None:
    aws.run(UNUSED, aws.change_event(UNUSED, LISTENER_TYPE, aws.web_80))
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT", aws.other: "NON_COMPLIANT"}
    added = aws.listener(aws.other, 8443)
    aws.run(UNUSED, aws.change_event(UNUSED, LISTENER_TYPE, added))
    assert aws.verdicts(UNUSED) == {aws.web: "COMPLIANT", aws.other: "COMPLIANT"}


@pytest.mark.slow
def test_a_deleted_load_balancer_uses_no_port_of_the_groups_that_it_shared(aws: SharedShop) -> None:
    aws.listener(aws.other, 8443)
    aws.run(UNUSED, aws.scheduled_event(UNUSED))
    assert aws.verdicts(UNUSED) == {aws.web: "COMPLIANT", aws.other: "COMPLIANT"}
    aws.delete_load_balancer(aws.other)
    before = {"changedProperties": {"Configuration": {"previousValue": {"securityGroups": [aws.group]}}}}
    event = aws.change_event(UNUSED, LOAD_BALANCER_TYPE, aws.other, status="ResourceDeleted", difference=before)
    aws.run(UNUSED, event)
    assert dict(aws.recorded()[2:]) == {aws.other: "NOT_APPLICABLE", aws.web: "NON_COMPLIANT"}


def test_other_rules_select_no_load_balancer_for_its_groups() -> None:
    item = ChangedItem(LOAD_BALANCER_TYPE, WEB, "", exists=True, texts=("sg-0a1b2c3d",))
    none = parse_parameters({})
    assert affected_load_balancers(item, RECOMMENDATIONS_BY_NAME[INGRESS], none).security_groups == frozenset()
    selection = affected_load_balancers(item, RECOMMENDATIONS_BY_NAME[UNUSED], none)
    assert selection.security_groups == {"sg-0a1b2c3d"}
    assert selection.sharing_groups_with == selection.load_balancers == {WEB}
