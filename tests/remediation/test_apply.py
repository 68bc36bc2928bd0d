"""Plans applied and undone in an embedded account, by the state of its groups and load balancers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.findings.finding import Compliance
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.api_calls import EXECUTION_TAG, RECOMMENDATION_TAG
from alb_sg.remediation.apply import apply
from alb_sg.remediation.execution import ApplyOutcome, RuleContent, SecurityGroupRule
from alb_sg.remediation.execution_record import ExecutionRecord, read_records, write_added, write_plan
from alb_sg.remediation.fix_request import FixPolicy, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.load_balancer_groups import change_groups
from alb_sg.remediation.plan import RefusalReason
from alb_sg.remediation.undo import undo
from embedded_aws.account import icmp, tcp
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS
from tests.remediation.account import EXECUTION, RULES, Shop, fix_of, shop

AUTHORIZE_INGRESS = "AuthorizeSecurityGroupIngress"
AUTHORIZE_EGRESS = "AuthorizeSecurityGroupEgress"


@pytest.mark.parametrize(
    ("choices", "rule", "rules"),
    [
        ({}, INGRESS, ["tcp 443 443 0.0.0.0/0"]),
        ({}, ICMP, ["icmp 3 4 0.0.0.0/0"]),
        # The targets have a security group, which the recommendation prefers to their addresses.
        ({}, EGRESS, ["tcp 8080 8080 app"]),
        ({}, HEALTH, ["tcp 8081 8081 app"]),
        ({"scheme": "internal"}, INGRESS, ["tcp 443 443 10.0.0.0/16", "tcp 443 443 10.1.0.0/16"]),
        ({"ip_address_type": "dualstack"}, INGRESS, ["tcp 443 443 0.0.0.0/0", "tcp 443 443 ::/0"]),
        ({"ip_address_type": "dualstack"}, ICMP, ["icmp 3 4 0.0.0.0/0", "icmpv6 2 0 ::/0"]),
    ],
)
def test_each_kind_of_finding_is_fixed_and_undone(choices: dict[str, str], rule: str, rules: list[str]) -> None:
    with shop(**choices) as found:
        before = found.state()
        applied = found.apply(fix_of(rule))
        assert (applied.outcome, applied.failure) == (ApplyOutcome.APPLIED, None)
        assert found.verdicts(applied) == {rule: Compliance.COMPLIANT}
        assert _added(found) == rules
        assert {added.group_id for added in applied.added_rules} == {found.group}
        undone = found.undo()
        assert (len(undone.revoked_rules), undone.left_in_place, undone.failures) == (len(rules), [], [])
        assert found.state() == before


def _added(found: Shop, execution: str = EXECUTION) -> list[str]:
    """The security group rules with the tag of an execution, as texts."""
    tagged = [{"Name": f"tag:{EXECUTION_TAG}", "Values": [execution]}]
    rules = found.aws.ec2.describe_security_group_rules(Filters=tagged)["SecurityGroupRules"]
    names = {found.app: "app", found.group: "shop"}
    return sorted(
        f"{rule['IpProtocol']} {rule['FromPort']} {rule['ToPort']} "
        + str(
            rule.get("CidrIpv4")
            or rule.get("CidrIpv6")
            or rule.get("PrefixListId")
            or names[rule["ReferencedGroupInfo"]["GroupId"]]
        )
        for rule in rules
    )


def test_all_at_once_and_a_second_run_changes_nothing() -> None:
    with shop() as found:
        before = found.state()
        applied = found.apply()
        assert applied.outcome is ApplyOutcome.APPLIED
        assert found.verdicts(applied) == dict.fromkeys(RULES, Compliance.COMPLIANT)
        # Rules are only ever added.
        assert set(found.changes()) == {AUTHORIZE_INGRESS, AUTHORIZE_EGRESS}
        after = found.state()
        found.aws.faults.calls.clear()
        again = found.apply(execution="fix-2")
        assert (again.outcome, again.added_rules) == (ApplyOutcome.NOTHING_TO_DO, ())
        assert found.changes() == []
        assert found.state() == after
        found.undo()
        assert found.state() == before


@pytest.mark.slow
def test_added_rules_state_their_purpose() -> None:
    with shop() as found:
        found.aws.elbv2.modify_target_group(TargetGroupArn=found.target_group, HealthCheckPort="traffic-port")
        found.apply(fix_of(EGRESS, HEALTH))
        tagged = [{"Name": f"tag:{EXECUTION_TAG}", "Values": [EXECUTION]}]
        (rule,) = found.aws.ec2.describe_security_group_rules(Filters=tagged)["SecurityGroupRules"]
        tags = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
        # Both Config rules need the same port: it is added once, for both.
        assert tags == {EXECUTION_TAG: EXECUTION, RECOMMENDATION_TAG: f"{HEALTH} {EGRESS}"}
        (group,) = found.aws.ec2.describe_security_groups(GroupIds=[found.group])["SecurityGroups"]
        (pair,) = group["IpPermissionsEgress"][0]["UserIdGroupPairs"]
        assert pair["Description"] == f"alb-sg {HEALTH} {EGRESS} {EXECUTION}: target group shop"


@pytest.mark.slow
def test_targets_without_a_group_are_reached_by_their_address() -> None:
    with shop() as found:
        group = found.aws.target_group("on-premises", found.vpc, 9000, [("192.168.7.7", None)], target_type="ip")
        found.aws.listener(found.arn, 9000, group)
        applied = found.apply(fix_of(EGRESS))
        assert applied.outcome is ApplyOutcome.APPLIED
        assert _added(found) == ["tcp 8080 8080 app", "tcp 9000 9000 192.168.7.7/32"]


@pytest.mark.slow
def test_a_prefix_list_that_a_tag_names_is_referenced() -> None:
    with shop() as found:
        edge = found.aws.prefix_list("edge", "203.0.113.0/24", "198.51.100.0/24")
        found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=[{"Key": "clients", "Value": f"{edge} 10.0.0.9/16"}])
        applied = found.apply(fix_of(INGRESS, parameters=Parameters(tag_key="clients")))
        assert applied.outcome is ApplyOutcome.APPLIED
        assert _added(found) == ["tcp 443 443 10.0.0.0/16", f"tcp 443 443 {edge}"]


@pytest.mark.slow
def test_only_missing_vpc_blocks_are_added() -> None:
    with shop(scheme="internal") as found:
        found.aws.allow_ingress(found.group, [tcp(443, "10.0.0.0/16")])
        found.apply(fix_of(INGRESS))
        assert _added(found) == ["tcp 443 443 10.1.0.0/16"]


@pytest.mark.slow
def test_an_internal_load_balancer_behind_a_network_load_balancer_is_not_opened_to_everybody() -> None:
    """Opening an internal load balancer to everybody is an operator's decision (opensInternal)."""
    with shop(scheme="internal") as found:
        aws = found.aws
        front = aws.load_balancer("front", found.subnets, [], type_="network")
        behind = aws.target_group("to-shop", found.vpc, 443, [(found.arn, None)], target_type="alb", protocol="TCP")
        aws.listener(front, 443, behind, protocol="TCP")
        before = found.state()
        applied = found.apply(fix_of(INGRESS))
        assert applied.outcome is ApplyOutcome.REFUSED
        assert found.state() == before


EXEMPT = (
    '{"version": 1, "exemptions": [{"loadBalancer": "%s", "rule": "%s", "reason": "r", "owner": "o", "ticket": "t", '
    '"expires": "%s"}]}'
)


def test_compliant_accepted_and_exempt_load_balancers_are_left_alone() -> None:
    with shop() as found:
        found.aws.allow_ingress(found.group, [tcp(443, "10.0.0.0/8"), icmp(3, 4, "0.0.0.0/0")])
        before = found.state()
        exempt = parse_exemptions(
            EXEMPT % (found.arn, INGRESS, "2026-06-01"), "exemptions.json", RECOMMENDATIONS_BY_NAME
        )
        for fix in (
            fix_of(ICMP),
            fix_of(INGRESS, parameters=parse_parameters({"AcceptedSources": "10.0.0.0/8"})),
            fix_of(INGRESS, exemptions=exempt),
        ):
            applied = found.apply(fix)
            assert applied.outcome is ApplyOutcome.NOTHING_TO_DO
        assert found.state() == before
        expired = parse_exemptions(
            EXEMPT % (found.arn, INGRESS, "2026-05-31"), "exemptions.json", RECOMMENDATIONS_BY_NAME
        )
        assert found.apply(fix_of(INGRESS, exemptions=expired)).outcome is ApplyOutcome.APPLIED


@pytest.mark.slow
def test_a_malformed_exemption_may_have_been_meant() -> None:
    with shop() as found:
        malformed = parse_exemptions(
            EXEMPT % (found.arn, INGRESS, "tomorrow"), "exemptions.json", RECOMMENDATIONS_BY_NAME
        )
        applied = found.apply(fix_of(INGRESS, ICMP, exemptions=malformed))
        assert applied.plan is not None
        (refusal,) = applied.plan.refusals
        assert (refusal.rule, refusal.reason) == (INGRESS, RefusalReason.MALFORMED_EXEMPTION)
        assert "exemptions[0].expires in exemptions.json" in refusal.text
        assert _added(found) == ["icmp 3 4 0.0.0.0/0"]


@pytest.mark.slow
def test_a_shared_group_is_not_opened() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        applied = found.apply()
        assert applied.outcome is ApplyOutcome.APPLIED
        assert found.verdicts(applied) == dict.fromkeys(RULES, Compliance.COMPLIANT)
        assert applied.previous_groups == (found.group,)
        assert found.groups() == [found.group, applied.created_group]
        assert {added.group_id for added in applied.added_rules} == {applied.created_group}
        (group,) = found.aws.ec2.describe_security_groups(GroupIds=[applied.created_group])["SecurityGroups"]
        assert group["GroupName"] == "alb-sg-shop"
        assert len(found.aws.ec2.describe_security_group_rules()["SecurityGroupRules"]) == before.count("sgr-") + 4
        # The load balancer gets the group only after the group has exactly the planned rules.
        changes = found.changes()
        assert changes[:2] == ["CreateSecurityGroup", "RevokeSecurityGroupEgress"]
        assert changes[-1] == "SetSecurityGroups"
        undone = found.undo()
        assert undone.restored_groups == {found.arn: (found.group,)}
        assert undone.deleted_groups == [applied.created_group]
        assert found.state() == before


@pytest.mark.slow
def test_a_group_that_another_load_balancer_carries_is_shared() -> None:
    with shop() as found:
        found.aws.load_balancer("other", found.subnets, [found.group])
        plan = found.plan()
        assert plan.new_group is not None
        assert "load balancer other" in plan.new_group.reason


@pytest.mark.slow
def test_its_own_group_takes_further_rules() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        first = found.apply(fix_of(INGRESS))
        middle = found.state()
        second = found.apply(fix_of(EGRESS), execution="fix-2")
        assert (second.outcome, second.created_group) == (ApplyOutcome.APPLIED, None)
        assert {added.group_id for added in second.added_rules} == {first.created_group}
        # A rule of another execution stays, and the undo says so.
        undone = found.undo()
        assert len(undone.left_in_place) == 1
        assert "1 rules that fix-1 did not add" in undone.left_in_place[0]
        assert first.created_group in found.groups()
        found.undo("fix-2")
        assert _added(found, "fix-2") == []
        undone = found.undo()
        assert (undone.left_in_place, undone.deleted_groups) == ([], [first.created_group])
        assert found.state() == before != middle


def test_a_shared_group_is_refused_on_request() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        applied = found.apply(fix_of(policy=FixPolicy(shared_group=SharedGroupPolicy.REFUSE)))
        assert applied.outcome is ApplyOutcome.REFUSED
        assert applied.plan is not None
        assert {refusal.reason for refusal in applied.plan.refusals} == {RefusalReason.SHARED}
        assert all("network interface eni-" in refusal.text for refusal in applied.plan.refusals)
        assert found.state() == before


@pytest.mark.slow
def test_a_load_balancer_with_five_groups_gets_no_sixth() -> None:
    with shop() as found:
        more = [found.aws.security_group(found.vpc, f"more-{number}", egress=[]) for number in range(4)]
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=[found.group, *more])
        for group in (found.group, *more):
            found.aws.network_interface(found.subnets[0], group)
        applied = found.apply(fix_of(ICMP))
        assert applied.plan is not None
        assert [refusal.reason for refusal in applied.plan.refusals] == [RefusalReason.GROUP_QUOTA]


@pytest.mark.slow
def test_a_name_that_is_taken_is_refused() -> None:
    with shop() as found:
        found.share()
        taken = found.aws.security_group(found.vpc, "alb-sg-shop")
        plan = found.plan(fix_of(ICMP))
        assert [refusal.reason for refusal in plan.refusals] == [RefusalReason.NAME_TAKEN]
        assert taken in plan.refusals[0].text


def test_a_managed_group_is_refused_unless_told_otherwise() -> None:
    with shop() as found:
        found.aws.ec2.create_tags(Resources=[found.group], Tags=[{"Key": "ManagedBy", "Value": "Terraform"}])
        found.aws.faults.calls.clear()
        applied = found.apply(fix_of(ICMP))
        assert applied.outcome is ApplyOutcome.REFUSED
        assert applied.plan is not None
        (refusal,) = applied.plan.refusals
        assert refusal.reason is RefusalReason.MANAGED
        assert "(tag ManagedBy=Terraform)" in refusal.text
        # The refusal names the rule to add, for those who manage the group.
        assert [addition.group_id for addition in refusal.additions] == [found.group]
        assert found.changes() == []
        allowed = fix_of(ICMP, policy=FixPolicy(managed_group=ManagedGroupPolicy.ALLOW))
        assert found.apply(allowed).outcome is ApplyOutcome.APPLIED


@pytest.mark.slow
def test_an_unmanaged_group_is_preferred() -> None:
    with shop() as found:
        free = found.aws.security_group(found.vpc, "free", egress=[])
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=[found.group, free])
        found.aws.ec2.create_tags(Resources=[found.group], Tags=[{"Key": "ManagedBy", "Value": "terraform"}])
        applied = found.apply(fix_of(ICMP))
        assert [added.group_id for added in applied.added_rules] == [free]


@pytest.mark.slow
def test_a_managed_load_balancer_gets_no_group() -> None:
    with shop() as found:
        found.share()
        tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "shop"}]
        found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=tags)
        plan = found.plan(fix_of(ICMP))
        assert [refusal.reason for refusal in plan.refusals] == [RefusalReason.MANAGED]
        assert "the load balancer is managed by" in plan.refusals[0].text


@pytest.mark.slow
def test_a_full_group_is_not_filled_further() -> None:
    """The group has 59 rules of 60, because a reference to a prefix list counts as its maximum of entries."""
    with shop() as found:
        listed = found.aws.prefix_list("partners", *(f"192.0.2.{number}/32" for number in range(20)))
        others = [tcp(22, *(f"10.7.{number}.0/24" for number in range(39)))]
        found.aws.allow_ingress(found.group, [*others, tcp(22, listed)])
        before = found.state()
        assert found.plan(fix_of(ICMP)).new_group is None
        found.aws.allow_ingress(found.group, [tcp(22, "10.8.0.0/24")])
        applied = found.apply(fix_of(ICMP))
        assert applied.outcome is ApplyOutcome.APPLIED
        assert applied.plan is not None
        assert applied.plan.new_group is not None
        assert "61 IPv4 rules of 60" in applied.plan.new_group.reason
        found.undo()
        found.aws.ec2.revoke_security_group_ingress(GroupId=found.group, IpPermissions=[tcp(22, "10.8.0.0/24")])
        assert found.state() == before
        assert found.plan(fix_of(ICMP, policy=FixPolicy(rules_per_group=50))).new_group is not None


@pytest.mark.slow
def test_a_rule_that_is_there_already_is_a_success_and_not_undone() -> None:
    """Somebody adds the rule between the plan and the call."""
    with shop() as found:
        add = _before(found, AUTHORIZE_INGRESS, lambda: found.aws.allow_ingress(found.group, [icmp(3, 4, "0.0.0.0/0")]))
        applied = found.apply(fix_of(ICMP))
        assert add
        assert (applied.outcome, applied.added_rules) == (ApplyOutcome.APPLIED, ())
        assert found.undo().is_empty
        (group,) = found.aws.ec2.describe_security_groups(GroupIds=[found.group])["SecurityGroups"]
        assert len(group["IpPermissions"]) == 1


def _before(found: Shop, operation: str, act: Callable[[], object]) -> list[str]:
    """Calls `act` just before the first call of an operation. Returns a list that then names the operation."""
    happened: list[str] = []

    def happen(**_: object) -> None:
        if not happened:
            happened.append(operation)
            act()

    for client in (found.aws.ec2, found.aws.elbv2):
        service = client.meta.service_model
        if operation in service.operation_names:
            client.meta.events.register_first(f"before-call.{service.service_id.hyphenize()}.{operation}", happen)
    return happened


@pytest.mark.parametrize(
    ("shared", "operation", "code"),
    [
        (False, AUTHORIZE_INGRESS, "RequestLimitExceeded"),
        (False, AUTHORIZE_EGRESS, "RulesPerSecurityGroupLimitExceeded"),
        (True, "CreateSecurityGroup", "UnauthorizedOperation"),
        (True, "RevokeSecurityGroupEgress", "RequestLimitExceeded"),
        (True, AUTHORIZE_INGRESS, "InvalidGroup.NotFound"),
        (True, AUTHORIZE_EGRESS, "RequestLimitExceeded"),
        (True, "SetSecurityGroups", "InvalidConfigurationRequest"),
    ],
)
def test_a_step_that_fails_takes_everything_back(shared: bool, operation: str, code: str) -> None:
    with shop() as found:
        if shared:
            found.share()
        before = found.state()
        found.aws.faults.fail(operation, code, times=1)
        applied = found.apply()
        assert (applied.outcome, applied.added_rules) == (ApplyOutcome.ROLLED_BACK, ())
        assert applied.failure is not None
        assert f"{operation}: {code}" in applied.failure
        assert found.state() == before


@pytest.mark.slow
def test_half_of_the_rules_are_taken_back() -> None:
    """The call for the fourth rule of four is throttled."""
    with shop() as found:
        before = found.state()
        found.aws.faults.fail(AUTHORIZE_INGRESS, times=1, when=lambda body: "'IpPermissions.1.FromPort': 443" in body)
        applied = found.apply()
        assert applied.outcome is ApplyOutcome.ROLLED_BACK
        assert applied.rollback is not None
        assert len(applied.rollback.revoked_rules) == 3
        assert found.state() == before


@pytest.mark.slow
def test_taking_back_is_tried_again() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        found.aws.faults.fail("SetSecurityGroups", "InvalidConfigurationRequest", times=1)
        found.aws.faults.fail("RevokeSecurityGroupIngress", "RequestLimitExceeded", times=3)
        found.aws.faults.fail("DeleteSecurityGroup", "DependencyViolation", times=2)
        assert found.apply().outcome is ApplyOutcome.ROLLED_BACK
        assert found.pauses == [1, 2, 4, 1, 2]
        assert found.state() == before


@pytest.mark.slow
def test_a_change_that_cannot_be_rolled_back_is_named_and_undone_later() -> None:
    with shop() as found:
        before = found.state()
        found.aws.faults.fail(AUTHORIZE_INGRESS)
        found.aws.faults.fail("RevokeSecurityGroupEgress", "UnauthorizedOperation")
        applied = found.apply()
        assert applied.outcome is ApplyOutcome.PARTLY_ROLLED_BACK
        assert applied.rollback is not None
        (failed,) = applied.rollback.failures
        assert found.group in failed
        found.aws.faults.clear()
        assert len(found.undo().revoked_rules) == 1
        assert found.state() == before


def test_an_interruption_takes_everything_back() -> None:
    with shop() as found:
        found.share()
        before = found.state()

        def interrupt() -> None:
            raise KeyboardInterrupt

        _before(found, "SetSecurityGroups", interrupt)
        with pytest.raises(KeyboardInterrupt):
            found.apply()
        assert found.state() == before


@pytest.mark.slow
def test_an_answer_that_is_lost_leaves_nothing_behind() -> None:
    """Only the tag can find the rule: its id was in the lost response."""
    with shop() as found:
        before = found.state()

        def lose(**_: object) -> None:
            raise KeyboardInterrupt

        found.aws.ec2.meta.events.register("after-call.ec2.AuthorizeSecurityGroupIngress", lose)
        with pytest.raises(KeyboardInterrupt):
            found.apply(fix_of(ICMP))
        assert found.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
def test_a_load_balancer_that_is_deleted_meanwhile(shared: bool) -> None:
    with shop() as found:
        if shared:
            found.share()
        arn = found.arn
        _before(
            found, "SetSecurityGroups" if shared else AUTHORIZE_INGRESS, lambda: found.aws.delete_load_balancer(arn)
        )
        applied = found.apply(fix_of(ICMP))
        assert applied.outcome is (ApplyOutcome.ROLLED_BACK if shared else ApplyOutcome.UNVERIFIED)
        assert (
            "LoadBalancerNotFound" in str(applied.failure) if shared else applied.failure == "the load balancer is gone"
        )
        found.undo()
        assert _added(found) == []
        groups = found.aws.ec2.describe_security_groups()["SecurityGroups"]
        assert "alb-sg-shop" not in [group["GroupName"] for group in groups]
        assert found.apply(execution="fix-2").outcome is ApplyOutcome.LOAD_BALANCER_DELETED


def test_groups_that_change_meanwhile_are_not_taken_off() -> None:
    with shop() as found:
        found.share()
        other = found.aws.security_group(found.vpc, "other")
        both = [found.group, other]
        _before(
            found,
            AUTHORIZE_INGRESS,
            lambda: found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=both),
        )
        applied = found.apply(fix_of(ICMP))
        assert applied.outcome is ApplyOutcome.ROLLED_BACK
        assert "changed meanwhile" in str(applied.failure)
        assert found.groups() == both


@pytest.mark.slow
def test_a_group_that_is_attached_between_the_last_read_and_the_write_is_put_back() -> None:
    """SetSecurityGroups replaces the list: only the interfaces still show the group that a person attached."""
    with shop() as found:
        found.share()
        node = found.node()
        other = found.aws.security_group(found.vpc, "other")
        assert _before(found, "SetSecurityGroups", lambda: found.attach(other, node)) == []
        applied = found.apply(fix_of(ICMP))
        assert (applied.outcome, applied.put_back_groups) == (ApplyOutcome.APPLIED, (other,))
        assert sorted(found.groups()) == sorted([found.group, other, str(applied.created_group)])


@pytest.mark.slow
def test_a_change_by_a_list_without_the_new_group_gets_it_again() -> None:
    """The person read the list before the fix and wrote it after the fix."""
    with shop() as found:
        found.share()
        other = found.aws.security_group(found.vpc, "other")
        overwritten = [found.group, other]

        def overwrite(**_: object) -> None:
            if overwritten:
                groups = list(overwritten)
                overwritten.clear()
                found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=groups)

        found.aws.elbv2.meta.events.register("after-call.elastic-load-balancing-v2.SetSecurityGroups", overwrite)
        applied = found.apply(fix_of(ICMP))
        assert applied.outcome is ApplyOutcome.APPLIED
        assert found.groups() == [found.group, other, applied.created_group]


@pytest.mark.slow
def test_a_write_that_is_tried_again_does_not_write_an_old_list() -> None:
    with shop() as found:
        found.share()
        other = found.aws.security_group(found.vpc, "other")
        found.aws.faults.fail("SetSecurityGroups", "ThrottlingException", times=1)
        pauses = found.pauses

        def attach_in_the_pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 1:
                found.attach(other)

        applied = apply(found.account, found.arn, fix_of(ICMP), EXECUTION, pause=attach_in_the_pause)
        assert applied.outcome is ApplyOutcome.APPLIED
        assert found.groups() == [found.group, other, applied.created_group]


def test_undo_that_is_tried_again_does_not_write_an_old_list() -> None:
    with shop() as found:
        found.share()
        found.apply(fix_of(ICMP))
        other = found.aws.security_group(found.vpc, "other")
        found.aws.faults.fail("SetSecurityGroups", "ThrottlingException", times=3)
        pauses: list[float] = []

        def attach_in_the_pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                found.aws.faults.clear()
                found.attach(other)

        undo(found.account, EXECUTION, pause=attach_in_the_pause)
        assert found.groups() == [found.group, other]


def test_undo_puts_back_a_group_that_is_attached_between_its_last_read_and_its_write() -> None:
    with shop() as found:
        found.share()
        found.apply(fix_of(ICMP))
        node = found.node()
        other = found.aws.security_group(found.vpc, "other")
        _before(found, "SetSecurityGroups", lambda: found.attach(other, node))
        undone = found.undo()
        assert found.groups() == [found.group, other]
        assert undone.put_back_groups == {found.arn: (other,)}


@pytest.mark.slow
def test_a_group_that_becomes_shared_meanwhile_is_not_left_open() -> None:
    """Somebody attaches the load balancer's group to another interface after the plan was made."""
    with shop() as found:
        before_rules = _rules_of_group(found)
        _before(found, AUTHORIZE_INGRESS, found.share)
        applied = found.apply(fix_of(ICMP))
        assert applied.outcome is ApplyOutcome.ROLLED_BACK
        assert f"{found.group} became shared meanwhile with network interface eni-" in str(applied.failure)
        assert _rules_of_group(found) == before_rules


def test_undo_reattaches_a_group_that_gets_a_rule_of_somebody_else_meanwhile() -> None:
    with shop() as found:
        found.share()
        created = str(found.apply(fix_of(ICMP)).created_group)
        _before(found, "SetSecurityGroups", lambda: found.aws.allow_ingress(created, [tcp(22, "10.0.0.0/16")]))
        undone = found.undo()
        assert found.groups() == [found.group, created]
        assert f"security group {created} stays on {found.arn}" in undone.left_in_place[0]
        assert undone.deleted_groups == []


def test_undo_keeps_a_group_whose_rules_cannot_be_read_once_it_is_detached() -> None:
    """Somebody may have added a rule meanwhile, which deleting the group would lose."""
    with shop() as found:
        found.share()
        created = str(found.apply(fix_of(ICMP)).created_group)
        _before(found, "SetSecurityGroups", lambda: found.aws.faults.fail("DescribeSecurityGroupRules", "AccessDenied"))
        undone = found.undo()
        assert found.groups() == [found.group]
        assert undone.deleted_groups == []
        assert any("DescribeSecurityGroupRules" in failure for failure in undone.failures)
        found.aws.faults.clear()
        assert found.undo().deleted_groups == [created]


def test_undo_leaves_a_load_balancer_whose_groups_cannot_be_read() -> None:
    with shop() as found:
        found.share()
        created = str(found.apply(fix_of(ICMP)).created_group)
        # The interfaces that Elastic Load Balancing made are found by their description.
        found.aws.faults.fail("DescribeNetworkInterfaces", "AccessDenied", when=lambda body: "description" in body)
        undone = found.undo()
        assert found.groups() == [found.group, created]
        assert (undone.deleted_groups, undone.restored_groups) == ([], {})
        assert any("DescribeNetworkInterfaces: AccessDenied" in failure for failure in undone.failures)
        found.aws.faults.clear()
        assert found.undo().deleted_groups == [created]
        assert found.groups() == [found.group]


def _rules_of_group(found: Shop) -> list[str]:
    filters = [{"Name": "group-id", "Values": [found.group]}]
    rules = found.aws.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return sorted(rule["SecurityGroupRuleId"] for rule in rules)


def test_undo_keeps_later_changes() -> None:
    with shop() as found:
        found.share()
        applied = found.apply(fix_of(ICMP))
        other = found.aws.security_group(found.vpc, "other")
        now = [found.group, other, applied.created_group]
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=now)
        found.undo()
        assert found.groups() == [found.group, other]


@pytest.mark.parametrize("is_tagged", [True, False])
@pytest.mark.parametrize("shared", [False, True])
def test_undo_keeps_a_rule_that_somebody_has_changed_since(shared: bool, is_tagged: bool) -> None:
    """ModifySecurityGroupRules keeps the rule's id, and the person relies on what it lets in now."""
    with shop() as found:
        if shared:
            found.share()
        applied = found.apply(fix_of(INGRESS, ICMP))
        rule = next(one for one in applied.added_rules if _ports(found, one) == (443, 443))
        found.aws.ec2.modify_security_group_rules(
            GroupId=rule.group_id,
            SecurityGroupRules=[
                {
                    "SecurityGroupRuleId": rule.rule_id,
                    "SecurityGroupRule": {
                        "IpProtocol": "tcp",
                        "FromPort": 443,
                        "ToPort": 8443,
                        "CidrIpv4": "0.0.0.0/0",
                    },
                }
            ],
        )
        if not is_tagged:
            found.aws.ec2.delete_tags(Resources=[rule.rule_id], Tags=[{"Key": "alb-sg:execution"}])
        undone = found.undo()
        assert undone.revoked_rules == [one for one in applied.added_rules if one != rule]
        assert f"{rule.rule_id} of {rule.group_id} was changed since fix-1 added it" in undone.left_in_place[0]
        assert _ports(found, rule) == (443, 8443)
        # It still has its effect.
        assert rule.group_id in found.groups()
        assert "no record says" not in " ".join(undone.left_in_place)


def _ports(found: Shop, rule: SecurityGroupRule) -> tuple[int, int]:
    [one] = found.aws.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule.rule_id])["SecurityGroupRules"]
    return one["FromPort"], one["ToPort"]


def test_undo_leaves_a_group_that_somebody_else_came_to_carry() -> None:
    with shop() as found:
        found.share()
        applied = found.apply(fix_of(ICMP))
        assert applied.created_group is not None
        found.aws.network_interface(found.subnets[0], applied.created_group)
        undone = found.undo()
        assert undone.deleted_groups == []
        assert "network interface eni-" in undone.left_in_place[0]
        assert found.groups() == [found.group]
        assert _added(found) == []


def _tag(found: Shop, resource: str, **tags: str) -> None:
    """What anyone who may call ec2:CreateTags can do."""
    found.aws.ec2.create_tags(
        Resources=[resource],
        Tags=[{"Key": f"alb-sg:{key.replace('_', '-')}", "Value": value} for key, value in tags.items()],
    )


@pytest.mark.slow
def test_forged_tags_of_a_created_group_change_nothing() -> None:
    """The forger wants undo to attach his group in place of the real one."""
    with shop() as found:
        found.share()
        before = found.state()
        applied = found.apply(fix_of(ICMP))
        forged = found.aws.security_group(found.vpc, "forged", ingress=[tcp(443, "0.0.0.0/0")])
        _tag(found, str(applied.created_group), previous_groups=forged, load_balancer="arn:of:another")
        undone = found.undo()
        assert found.groups() == [found.group]
        assert undone.deleted_groups == [applied.created_group]
        found.aws.ec2.delete_security_group(GroupId=forged)
        assert found.state() == before


@pytest.mark.slow
def test_a_group_of_somebody_else_with_the_tag_of_an_execution_stays() -> None:
    with shop() as found:
        found.apply(fix_of(ICMP))
        found.attach(found.aws.security_group(found.vpc, "real"))
        real = found.groups()[1]
        _tag(found, real, execution=EXECUTION, load_balancer=found.arn, previous_groups=found.group)
        undone = found.undo()
        assert found.groups() == [found.group, real]
        assert undone.deleted_groups == []
        assert undone.left_in_place[0].startswith(f"{real} carries the tag of {EXECUTION}, but no record says")


@pytest.mark.slow
@pytest.mark.parametrize("complete", [True, False])
def test_a_rule_of_somebody_else_with_the_tag_of_an_execution_stays(complete: bool) -> None:
    """Also after a process that was killed before it could write the ids of what it had added."""
    with shop() as found:
        found.aws.allow_ingress(found.group, [tcp(22, "10.0.0.0/16")])
        [foreign] = _rules_of_group(found)
        applied = found.apply(fix_of(ICMP))
        _tag(found, foreign, execution=EXECUTION)
        if not complete:
            _forget_ids(found)
        undone = found.undo()
        assert undone.revoked_rules == list(applied.added_rules)
        assert _rules_of_group(found) == [foreign]
        assert foreign in undone.left_in_place[0]


@pytest.mark.slow
@pytest.mark.parametrize("complete", [True, False])
def test_a_description_attributes_nothing_to_an_execution(complete: bool) -> None:
    """Anybody can write what a fix writes. The rule has a planned content, but for its port."""
    with shop() as found:
        applied = found.apply(fix_of(INGRESS))
        [described] = found.aws.ec2.describe_security_group_rules(
            SecurityGroupRuleIds=[applied.added_rules[0].rule_id]
        )["SecurityGroupRules"]
        forged = tcp(8443, "0.0.0.0/0")
        forged["IpRanges"][0]["Description"] = described["Description"]
        found.aws.allow_ingress(found.group, [forged])
        if not complete:
            _forget_ids(found)
        undone = found.undo()
        assert (undone.revoked_rules, undone.left_in_place) == (list(applied.added_rules), [])
        assert len(_rules_of_group(found)) == 1


def _forget_ids(found: Shop) -> None:
    ssm = found.account.ssm
    names = [one["Name"] for one in ssm.get_parameters_by_path(Path="/alb-sg/", Recursive=True)["Parameters"]]
    ssm.delete_parameters(Names=[name for name in names if "/added/" in name])


def test_undo_needs_a_record() -> None:
    """Everything that only tags attribute to an execution may be forged."""
    with shop() as found:
        found.share()
        created = str(found.apply(fix_of(ICMP)).created_group)
        ssm = found.account.ssm
        names = [one["Name"] for one in ssm.get_parameters_by_path(Path="/alb-sg/", Recursive=True)["Parameters"]]
        ssm.delete_parameters(Names=names)
        before = found.state()
        undone = found.undo()
        assert (undone.revoked_rules, undone.deleted_groups, undone.restored_groups) == ([], [], {})
        assert created in undone.left_in_place[0]
        assert found.state() == before


@pytest.mark.slow
def test_a_killed_process_is_undone_by_its_plan() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        found.apply()
        _forget_ids(found)
        assert found.undo().left_in_place == []
        assert found.state() == before


@pytest.mark.slow
def test_a_fix_needs_a_record_and_an_unread_record_stops_an_undo() -> None:
    with shop() as found:
        before = found.state()
        found.aws.faults.fail("PutParameter", "AccessDeniedException", times=1)
        applied = found.apply(fix_of(ICMP))
        assert (applied.outcome, found.changes()) == (ApplyOutcome.ROLLED_BACK, [])
        assert "PutParameter: AccessDeniedException" in str(applied.failure)
        found.apply(fix_of(ICMP))
        found.aws.faults.fail("GetParametersByPath", "AccessDeniedException", times=1)
        assert "the record of fix-1 in /alb-sg/executions/fix-1" in found.undo().failures[0]
        assert found.undo().failures == []
        assert found.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plan", "added"])
def test_a_record_that_no_fix_wrote_stops_an_undo(kind: str) -> None:
    """Each of its values in turn is something else."""
    with shop() as found:
        found.share()
        found.apply()
        ssm = found.account.ssm
        parameters = ssm.get_parameters_by_path(Path="/alb-sg/", Recursive=True)["Parameters"]
        [given] = [one for one in parameters if f"/{kind}/" in one["Name"]]
        before, content = found.state(), json.loads(given["Value"])
        for name in content:
            others: list[Any] = [3, {}, [[]], [None], ["a"], [["a", 3]]]
            for value in others:
                if (name, value) == ("previousGroups", ["a"]):
                    continue
                text = json.dumps({**content, name: value})
                ssm.put_parameter(Name=given["Name"], Value=text, Type="String", Overwrite=True)
                undone = found.undo()
                assert "it is not one that a fix wrote" in " ".join(undone.failures), (name, value)
                assert found.state() == before


@pytest.mark.slow
def test_a_record_in_the_place_of_another_load_balancers_stops_an_undo() -> None:
    with shop() as found:
        found.apply()
        ssm = found.account.ssm
        [given] = [
            one
            for one in ssm.get_parameters_by_path(Path="/alb-sg/", Recursive=True)["Parameters"]
            if "/plan/" in one["Name"]
        ]
        other = given["Value"].replace("/app/shop/", "/app/other/")
        ssm.put_parameter(Name=given["Name"], Value=other, Type="String", Overwrite=True)
        assert "/app/other/" in found.undo().failures[0]


def test_undo_deletes_the_record_with_its_changes() -> None:
    with shop() as found:
        found.apply()
        ssm = found.account.ssm
        assert ssm.get_parameters_by_path(Path="/alb-sg/", Recursive=True)["Parameters"]
        found.undo()
        assert ssm.get_parameters_by_path(Path="/alb-sg/", Recursive=True)["Parameters"] == []


@pytest.mark.slow
def test_an_execution_id_that_is_used_again_keeps_what_it_added_first() -> None:
    """A step of a document that is tried again has the id of its execution, and plans only what is still missing."""
    with shop() as found:
        before = found.state()
        assert found.apply(fix_of(ICMP)).outcome is ApplyOutcome.APPLIED
        assert found.apply(fix_of(INGRESS)).outcome is ApplyOutcome.APPLIED
        assert len(read_records(found.account, EXECUTION)) == 2
        assert found.undo().left_in_place == []
        assert found.state() == before
        assert read_records(found.account, EXECUTION) == []


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True], ids=["a rule fails", "a new group fails"])
def test_a_roll_back_leaves_what_its_execution_added_for_others(shared: bool) -> None:
    """The command fixes several load balancers under one id. Tags of the first may be gone by then."""
    with shop() as found:
        other_group = found.aws.security_group(found.vpc, "other", egress=[])
        other = found.aws.load_balancer("other", found.subnets, [other_group])
        before = found.state()
        assert apply(found.account, other, fix_of(ICMP), EXECUTION).outcome is ApplyOutcome.APPLIED
        if shared:
            found.share()
        with_other = found.state()
        found.aws.faults.fail(AUTHORIZE_EGRESS, times=1)
        assert found.apply().outcome is ApplyOutcome.ROLLED_BACK
        assert found.state() == with_other
        assert [record.load_balancer_arn for record in read_records(found.account, EXECUTION)] == [other]
        assert len(found.undo().revoked_rules) == 1
        assert shared or found.state() == before


@pytest.mark.slow
def test_a_record_of_many_rules_has_several_parts() -> None:
    """A parameter holds 4 KB, and a plan up to a thousand rules. moto allows sixty in a group."""
    with shop() as found:
        contents = [
            RuleContent(found.group, "egress", "tcp", 9000, 9000, f"192.168.{number // 250}.{number % 250}/32")
            for number in range(1000)
        ]
        rules = [SecurityGroupRule(found.group, f"sgr-{number:017x}", Direction.EGRESS) for number in range(1000)]
        plain = ExecutionRecord(EXECUTION, found.arn, found.vpc, (found.group,), "alb-sg-shop", frozenset(contents))
        write_plan(found.account, plain)
        assert read_records(found.account, EXECUTION) == [plain]
        whole = plain.with_added(rules, "sg-1")
        write_added(found.account, whole)
        assert read_records(found.account, EXECUTION) == [replace(whole, is_complete=True)]
        name = f"/alb-sg/executions/{EXECUTION}/shop-{found.arn.rpartition('/')[2]}"
        # A process that is killed while it writes the ids.
        found.account.ssm.delete_parameter(Name=f"{name}/added/2-of-{_count(found, name, 'added')}")
        assert read_records(found.account, EXECUTION) == [plain]
        found.account.ssm.delete_parameter(Name=f"{name}/plan/1-of-{_count(found, name, 'plan')}")
        assert f"the record {name}" in found.undo().failures[0]


def _count(found: Shop, name: str, kind: str) -> int:
    pages = found.account.ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{name}/{kind}")
    return sum(len(page["Parameters"]) for page in pages)


def test_undo_of_nothing_says_so_and_unread_data_fails() -> None:
    with shop() as found:
        assert found.undo().is_empty
        found.aws.faults.fail("DescribeSecurityGroupRules")
        undone = found.undo()
        assert any("DescribeSecurityGroupRules" in failure for failure in undone.failures)


def test_the_approved_plan_is_applied() -> None:
    with shop() as found:
        plan = found.plan(fix_of(INGRESS))
        found.aws.listener(found.arn, 8443)
        applied = found.apply(fix_of(INGRESS), approved=plan.fingerprint)
        assert applied.outcome is ApplyOutcome.PLAN_CHANGED
        assert found.changes() == ["CreateListener"]
        assert (
            found.apply(fix_of(INGRESS), approved=found.plan(fix_of(INGRESS)).fingerprint).outcome
            is ApplyOutcome.APPLIED
        )


@pytest.mark.slow
@pytest.mark.parametrize("groups", [None, []])
def test_an_answer_without_the_groups_takes_none_off(monkeypatch: pytest.MonkeyPatch, groups: list[str] | None) -> None:
    """SetSecurityGroups replaces the whole list: what the answer leaves out would be gone."""
    with shop() as found:
        client: Any = found.account.clients.elbv2
        describe = client.describe_load_balancers

        def without_groups(**given: Any) -> Any:
            answer = describe(**given)
            for one in answer["LoadBalancers"]:
                del one["SecurityGroups"]
                one.update({} if groups is None else {"SecurityGroups": groups})
            return answer

        monkeypatch.setattr(client, "describe_load_balancers", without_groups)
        with pytest.raises(NotReadError, match="the answer does not name them"):
            change_groups(found.account, found.arn, lambda present: (*present, found.app))
        assert found.changes() == []


def test_unread_data_is_an_error_and_changes_nothing() -> None:
    with shop() as found:
        for operation in ("DescribeNetworkInterfaces", "DescribeSecurityGroups"):
            found.aws.faults.fail(operation, "UnauthorizedOperation")
            applied = found.apply(fix_of(ICMP))
            assert applied.outcome is ApplyOutcome.REFUSED
            found.aws.faults.clear()
        found.aws.faults.fail("DescribeLoadBalancers")
        with pytest.raises(NotReadError, match="DescribeLoadBalancers"):
            found.apply(fix_of(ICMP))
        assert found.changes() == []


@pytest.mark.slow
def test_a_fix_that_cannot_be_verified_stays_and_is_reported() -> None:
    with shop() as found:
        _before(found, AUTHORIZE_INGRESS, lambda: found.aws.faults.fail("DescribeListeners"))
        applied = found.apply(fix_of(INGRESS))
        assert applied.outcome is ApplyOutcome.UNVERIFIED
        assert "DescribeListeners" in str(applied.failure)
        assert found.pauses == [2, 5, 10]
        assert _added(found) == ["tcp 443 443 0.0.0.0/0"]


@pytest.mark.slow
def test_executions_have_names_that_a_tag_can_hold() -> None:
    with shop() as found, pytest.raises(InvalidInputError, match="is not the id of an execution"):
        found.apply(execution="a b")


@pytest.mark.slow
def test_rules_share_their_tag() -> None:
    with shop() as found:
        one, other = (
            fix_of(INGRESS, parameters=Parameters(tag_key="a")),
            fix_of(ICMP, parameters=Parameters(tag_key="b")),
        )
        both = fix_of()
        mixed = type(both)({**one.rules, **other.rules}, both.today, both.policy, Exemptions("none"))
        with pytest.raises(InvalidInputError, match="TagKey"):
            found.plan(mixed)
