"""Plans applied and undone in an embedded account, by the state of its groups and load balancers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.findings.finding import Compliance
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.api_calls import EXECUTION_TAG, RECOMMENDATION_TAG
from alb_sg.remediation.execution import ApplyOutcome
from alb_sg.remediation.fix_request import FixPolicy, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.plan import RefusalReason
from embedded_aws.account import icmp, tcp
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS
from tests.remediation.account import EXECUTION, RULES, Shop, fix_of, shop

pytestmark = pytest.mark.slow

AUTHORIZE_INGRESS = "AuthorizeSecurityGroupIngress"
AUTHORIZE_EGRESS = "AuthorizeSecurityGroupEgress"


# --- findings and their rules


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


def test_what_is_added_says_what_for() -> None:
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


def test_targets_without_a_group_are_reached_by_their_address() -> None:
    with shop() as found:
        group = found.aws.target_group("on-premises", found.vpc, 9000, [("192.168.7.7", None)], target_type="ip")
        found.aws.listener(found.arn, 9000, group)
        applied = found.apply(fix_of(EGRESS))
        assert applied.outcome is ApplyOutcome.APPLIED
        assert _added(found) == ["tcp 8080 8080 app", "tcp 9000 9000 192.168.7.7/32"]


def test_a_prefix_list_that_a_tag_names_is_referenced() -> None:
    with shop() as found:
        edge = found.aws.prefix_list("edge", "203.0.113.0/24", "198.51.100.0/24")
        found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=[{"Key": "clients", "Value": f"{edge} 10.0.0.9/16"}])
        applied = found.apply(fix_of(INGRESS, parameters=Parameters(tag_key="clients")))
        assert applied.outcome is ApplyOutcome.APPLIED
        assert _added(found) == ["tcp 443 443 10.0.0.0/16", f"tcp 443 443 {edge}"]


def test_only_what_is_missing_of_the_vpc_is_added() -> None:
    with shop(scheme="internal") as found:
        found.aws.allow_ingress(found.group, [tcp(443, "10.0.0.0/16")])
        found.apply(fix_of(INGRESS))
        assert _added(found) == ["tcp 443 443 10.1.0.0/16"]


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


# --- load balancers that stay unchanged


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


# --- shared groups


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


def test_a_group_that_another_load_balancer_carries_is_shared() -> None:
    with shop() as found:
        found.aws.load_balancer("other", found.subnets, [found.group])
        plan = found.plan()
        assert plan.new_group is not None
        assert "load balancer other" in plan.new_group.reason


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


def test_a_shared_group_is_refused_where_that_is_asked_for() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        applied = found.apply(fix_of(policy=FixPolicy(shared_group=SharedGroupPolicy.REFUSE)))
        assert applied.outcome is ApplyOutcome.REFUSED
        assert applied.plan is not None
        assert {refusal.reason for refusal in applied.plan.refusals} == {RefusalReason.SHARED}
        assert all("network interface eni-" in refusal.text for refusal in applied.plan.refusals)
        assert found.state() == before


def test_a_load_balancer_with_five_groups_gets_no_sixth() -> None:
    with shop() as found:
        more = [found.aws.security_group(found.vpc, f"more-{number}", egress=[]) for number in range(4)]
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=[found.group, *more])
        for group in (found.group, *more):
            found.aws.network_interface(found.subnets[0], group)
        applied = found.apply(fix_of(ICMP))
        assert applied.plan is not None
        assert [refusal.reason for refusal in applied.plan.refusals] == [RefusalReason.GROUP_QUOTA]


def test_a_name_that_is_taken_is_refused() -> None:
    with shop() as found:
        found.share()
        taken = found.aws.security_group(found.vpc, "alb-sg-shop")
        plan = found.plan(fix_of(ICMP))
        assert [refusal.reason for refusal in plan.refusals] == [RefusalReason.NAME_TAKEN]
        assert taken in plan.refusals[0].text


# --- managed and full groups


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


def test_a_group_that_nobody_manages_is_preferred() -> None:
    with shop() as found:
        free = found.aws.security_group(found.vpc, "free", egress=[])
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=[found.group, free])
        found.aws.ec2.create_tags(Resources=[found.group], Tags=[{"Key": "ManagedBy", "Value": "terraform"}])
        applied = found.apply(fix_of(ICMP))
        assert [added.group_id for added in applied.added_rules] == [free]


def test_a_managed_load_balancer_gets_no_group() -> None:
    with shop() as found:
        found.share()
        tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "shop"}]
        found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=tags)
        plan = found.plan(fix_of(ICMP))
        assert [refusal.reason for refusal in plan.refusals] == [RefusalReason.MANAGED]
        assert "the load balancer is managed by" in plan.refusals[0].text


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


# --- duplicates, failures, changes in between


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


def test_taking_back_is_tried_again() -> None:
    with shop() as found:
        found.share()
        before = found.state()
        found.aws.faults.fail("SetSecurityGroups", "ServiceUnavailable", times=1)
        found.aws.faults.fail("RevokeSecurityGroupIngress", "RequestLimitExceeded", times=3)
        found.aws.faults.fail("DeleteSecurityGroup", "DependencyViolation", times=2)
        assert found.apply().outcome is ApplyOutcome.ROLLED_BACK
        assert found.pauses == [1, 2, 4, 1, 2]
        assert found.state() == before


def test_what_cannot_be_taken_back_is_named_and_undone_later() -> None:
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


def test_undo_keeps_what_was_changed_since() -> None:
    with shop() as found:
        found.share()
        applied = found.apply(fix_of(ICMP))
        other = found.aws.security_group(found.vpc, "other")
        now = [found.group, other, applied.created_group]
        found.aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=now)
        found.undo()
        assert found.groups() == [found.group, other]


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


def test_undo_of_nothing_says_so_and_of_what_cannot_be_read_fails() -> None:
    with shop() as found:
        assert found.undo().is_empty
        found.aws.faults.fail("DescribeSecurityGroupRules")
        undone = found.undo()
        assert any("DescribeSecurityGroupRules" in failure for failure in undone.failures)


def test_what_was_approved_is_what_is_done() -> None:
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


def test_what_cannot_be_read_is_refused_or_raised_and_nothing_is_done() -> None:
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


def test_a_fix_that_cannot_be_looked_at_stays_and_is_said() -> None:
    with shop() as found:
        _before(found, AUTHORIZE_INGRESS, lambda: found.aws.faults.fail("DescribeListeners"))
        applied = found.apply(fix_of(INGRESS))
        assert applied.outcome is ApplyOutcome.UNVERIFIED
        assert "DescribeListeners" in str(applied.failure)
        assert found.pauses == [2, 5, 10]
        assert _added(found) == ["tcp 443 443 0.0.0.0/0"]


def test_executions_have_names_that_a_tag_can_hold() -> None:
    with shop() as found, pytest.raises(InvalidInputError, match="is not the id of an execution"):
        found.apply(execution="a b")


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
