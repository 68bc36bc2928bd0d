"""Rules in the security groups of targets: planned, applied and undone in an embedded account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alb_sg.findings.finding import Compliance
from alb_sg.remediation.execution import ApplyOutcome
from alb_sg.remediation.json_objects import plan_object
from alb_sg.remediation.plan import RefusalReason
from embedded_aws.account import tcp
from tests.builders import TARGETS
from tests.remediation.account import EXECUTION, Shop, fix_of, shop

pytestmark = pytest.mark.slow

BACKEND_TAG = {"Key": "elbv2.k8s.aws/resource", "Value": "backend-sg"}


def _tag(found: Shop, group_id: str, key: str, value: str) -> None:
    found.aws.ec2.create_tags(Resources=[group_id], Tags=[{"Key": key, "Value": value}])


def _added(plan: Any) -> list[tuple[str | None, str, int | None]]:
    return [(one.group_id, one.peer, one.permission.from_port) for one in plan.additions]


def test_the_targets_group_refers_to_the_load_balancers_on_exactly_the_missing_ports() -> None:
    with shop() as found:
        before = found.state()
        applied = found.apply(fix_of(TARGETS))
        assert (applied.outcome, applied.failure) == (ApplyOutcome.APPLIED, None)
        assert found.verdicts(applied) == {TARGETS: Compliance.COMPLIANT}
        assert applied.plan is not None
        assert _added(applied.plan) == [(found.app, found.group, 8080), (found.app, found.group, 8081)]
        assert set(found.changes()) == {"AuthorizeSecurityGroupIngress"}
        undone = found.undo()
        assert (len(undone.revoked_rules), undone.left_in_place, undone.failures) == (2, [], [])
        assert found.state() == before


def test_a_port_that_is_open_is_not_added_again() -> None:
    with shop() as found:
        found.aws.allow_ingress(found.app, [tcp(8080, "10.0.0.0/16")])
        assert _added(found.plan(fix_of(TARGETS))) == [(found.app, found.group, 8081)]


def test_the_plan_names_other_carriers_of_the_targets_group() -> None:
    with shop() as found:
        assert [one.also_opens for one in found.plan(fix_of(TARGETS)).additions] == [(), ()]
        found.aws.network_interface(found.subnets[0], found.app)
        plan = found.plan(fix_of(TARGETS))
        assert [len(one.also_opens) for one in plan.additions] == [1, 1]
        assert "network interface eni-" in json.dumps(plan_object(plan)["additions"][0]["alsoOpens"])


def test_the_group_that_fewest_others_carry_gets_the_rules() -> None:
    with shop() as found:
        own = found.aws.security_group(found.vpc, "own")
        _carry(found, [found.app, own])
        found.aws.network_interface(found.subnets[0], found.app)
        assert {group_id for group_id, _, _ in _added(found.plan(fix_of(TARGETS)))} == {own}


def _carry(found: Shop, group_ids: list[str]) -> None:
    """Gives the target's interface these groups."""
    (interface,) = found.aws.ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [found.app]}])[
        "NetworkInterfaces"
    ]
    found.aws.ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=group_ids
    )


def test_the_reference_is_to_the_group_that_fewest_others_carry() -> None:
    with shop() as found:
        second = found.aws.security_group(found.vpc, "second")
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=[found.group, second])
        found.share()
        assert {peer for _, peer, _ in _added(found.plan(fix_of(TARGETS)))} == {second}


def test_the_controllers_backend_group_is_referred_to_however_many_carry_it() -> None:
    with shop() as found:
        backend = found.aws.security_group(found.vpc, "k8s-traffic-shop")
        _tag(found, backend, BACKEND_TAG["Key"], BACKEND_TAG["Value"])
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=[found.group, backend])
        found.aws.load_balancer("other", found.subnets, [backend])
        assert {peer for _, peer, _ in _added(found.plan(fix_of(TARGETS)))} == {backend}


def test_a_managed_group_of_targets_is_refused() -> None:
    with shop() as found:
        _tag(found, found.app, "kubernetes.io/cluster/shop", "owned")
        plan = found.plan(fix_of(TARGETS))
        assert plan.additions == ()
        (refusal,) = plan.refusals
        assert refusal.reason is RefusalReason.MANAGED
        assert "Kubernetes cluster shop" in refusal.text
        # What it would take is known all the same.
        assert [(one.group_id, one.peer) for one in refusal.additions] == [(found.app, found.group)] * 2


def test_another_group_of_the_target_gets_the_rules_where_one_is_managed() -> None:
    with shop() as found:
        free = found.aws.security_group(found.vpc, "free")
        _carry(found, [found.app, free])
        found.aws.network_interface(found.subnets[0], free)
        _tag(found, found.app, "kubernetes.io/cluster/shop", "owned")
        assert {group_id for group_id, _, _ in _added(found.plan(fix_of(TARGETS)))} == {free}


def test_targets_whose_interface_is_not_seen_are_refused() -> None:
    with shop() as found:
        found.aws.register_targets(found.target_group, [("10.0.77.77", None)])
        found.aws.allow_ingress(found.app, [tcp(8080, found.group, to_port=8081)])
        plan = found.plan(fix_of(TARGETS))
        assert [one.reason for one in plan.refusals] == [RefusalReason.UNRESOLVED]
        assert found.apply(fix_of(TARGETS), EXECUTION).outcome is ApplyOutcome.REFUSED
