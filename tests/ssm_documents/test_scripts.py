"""The functions of the steps on an embedded account, by their outputs and the state of its groups."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.document_names import RECOMMENDATION_BY_DOCUMENT, document_name
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult, SecurityGroupRule, UndoResult
from alb_sg.remediation.fix_request import FixPolicy, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.ssm_documents import scripts
from alb_sg.ssm_documents.document_limits import DocumentLimits, default_function
from alb_sg.ssm_documents.documents import build_document
from alb_sg.ssm_documents.step_output import MAX_SUMMARY_LENGTH, apply_output, undo_output
from embedded_aws.account import ACCOUNT_ID, REGION, icmp, tcp
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS
from tests.remediation.account import IN_ORDER, Shop, shop
from tests.rules import RULE_NAMES

pytestmark = pytest.mark.slow

EXECUTION = "0123abcd-1234-5678-9abc-0123456789ab"
REEVALUATION = "StartConfigRulesEvaluation"


@pytest.fixture
def found() -> Iterator[Shop]:
    with shop() as account:
        for rule in RULE_NAMES:
            account.aws.config.issue_token(rule, ACCOUNT_ID)
            deploy(account, rule)
        yield account


def deploy(found: Shop, rule: str, **parameters: str) -> None:
    """Deploys the rule to AWS Config with these parameters, with the function that documents know it by."""
    found.aws.config.add_rule(rule, function_arn(rule), parameters)


def function_arn(rule: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{default_function(rule)}"


def payload(found: Shop, step: str, rule: str, limits: DocumentLimits | None = None, **given: Any) -> dict[str, Any]:
    """A step's InputPayload as Automation fills it in: from the given parameters and the defaults."""
    content = build_document(document_name(rule), limits)
    values: dict[str, Any] = {
        **{name: said["default"] for name, said in content["parameters"].items() if "default" in said},
        "LoadBalancerArn": found.arn,
        "global:ACCOUNT_ID": ACCOUNT_ID,
        "global:REGION": REGION,
        "automation:EXECUTION_ID": EXECUTION,
        **given,
    }
    [inputs] = [one["inputs"]["InputPayload"] for one in content["mainSteps"] if one["name"] == step]
    filled: dict[str, Any] = {}
    for name, value in inputs.items():
        reference = re.fullmatch(r"\{\{ (.+) \}\}", value) if isinstance(value, str) else None
        filled[name] = values[reference[1]] if reference else value
    return filled


def plan(found: Shop, rule: str, limits: DocumentLimits | None = None, **given: Any) -> dict[str, Any]:
    return scripts.plan(payload(found, "Plan", rule, limits, **given))


def apply(found: Shop, rule: str, fingerprint: str, **given: Any) -> dict[str, Any]:
    return scripts.apply(payload(found, "Apply", rule, **{"Plan.Fingerprint": fingerprint, **given}))


def verify(found: Shop, rule: str, **given: Any) -> dict[str, Any]:
    return scripts.verify(payload(found, "Verify", rule, **given))


def undo() -> dict[str, Any]:
    return scripts.undo({"AccountId": ACCOUNT_ID, "Region": REGION, "Execution": EXECUTION})


@pytest.mark.parametrize("rule", [INGRESS, ICMP, EGRESS, HEALTH])
def test_each_kind_of_finding_is_planned_fixed_verified_and_undone(found: Shop, rule: str) -> None:
    before = found.state()
    planned = plan(found, rule)
    assert (planned["outcome"], planned["approval"], planned["refused"]) == ("planned", "not asked for", [])
    assert len(json.loads(planned["plan"])["additions"]) == 1
    assert planned["summary"].startswith("shop: planned\n")
    assert found.changes() == []
    applied = apply(found, rule, planned["fingerprint"])
    assert (applied["outcome"], len(applied["added"]), applied["refused"]) == ("applied", 1, [])
    assert json.loads(applied["result"])["verdicts"] == {rule: "COMPLIANT"}
    verified = verify(found, rule)
    assert (verified["verdict"], verified["reevaluation"]) == ("COMPLIANT", f"AWS Config evaluates {rule} again")
    started = [call.params for call in found.aws.config.calls if call.operation == REEVALUATION]
    assert started == [{"ConfigRuleNames": [rule]}]
    assert plan(found, rule)["outcome"] == "nothing to do"
    undone = undo()
    assert (undone["revoked"], undone["kept"]) == (applied["added"], [])
    assert found.state() == before
    assert undo()["summary"] == f"nothing that {EXECUTION} added is left in this account and region"


def test_a_shared_group_is_left_and_one_of_its_own_is_made_and_taken_back(found: Shop) -> None:
    found.share()
    before = found.state()
    planned = plan(found, INGRESS)
    assert "create the security group alb-sg-shop and add it to the load balancer" in planned["summary"]
    assert "OPEN TO EVERYONE" in planned["summary"]
    applied = apply(found, INGRESS, planned["fingerprint"])
    assert found.groups() == [found.group, json.loads(applied["result"])["createdGroup"]]
    assert f"{found.groups()[1]} was made, beside {found.group}" in applied["summary"]
    assert f"deleted {found.groups()[1]}" in undo()["summary"]
    assert found.state() == before


def test_a_refusal_is_an_answer_with_its_reason(found: Shop) -> None:
    found.share()
    refused = plan(found, INGRESS, SharedGroup="refuse")
    assert refused["outcome"] == "refused"
    [sentence] = refused["refused"]
    assert sentence.startswith(f"{INGRESS} (shared): {found.group} is shared with network interface")
    again = apply(found, INGRESS, refused["fingerprint"], SharedGroup="refuse")
    assert (again["outcome"], again["refused"], again["added"]) == ("refused", [sentence], [])
    assert found.changes() == []


def test_a_managed_group_is_refused_unless_told_otherwise(found: Shop) -> None:
    found.aws.ec2.create_tags(Resources=[found.group], Tags=[{"Key": "ManagedBy", "Value": "Terraform"}])
    refused = plan(found, INGRESS)
    assert refused["outcome"] == "refused"
    assert "infrastructure as code (tag ManagedBy=Terraform)" in refused["refused"][0]
    # Only the deployment may allow it.
    assert plan(found, INGRESS, ManagedGroup="allow")["outcome"] == "refused"
    allowed = DocumentLimits(default_function(INGRESS), FixPolicy(managed_group=ManagedGroupPolicy.ALLOW))
    assert plan(found, INGRESS, allowed)["outcome"] == "planned"
    assert plan(found, INGRESS, allowed, ManagedGroup="refuse")["outcome"] == "refused"


def test_the_quota_is_the_one_that_is_given(found: Shop) -> None:
    found.aws.allow_ingress(found.group, [tcp(22, "10.0.0.0/16")])
    assert f'"groupId": "{found.group}"' in plan(found, INGRESS)["plan"]
    assert "has no room for 1 more ingress rule" in plan(found, INGRESS, RulesPerGroup="1")["summary"]


def test_compliant_accepted_and_exempt_load_balancers_are_left_alone(found: Shop) -> None:
    s3: Any = boto3.client("s3", REGION)
    s3.create_bucket(Bucket="exemptions")
    entry = {"loadBalancer": found.arn, "rule": INGRESS, "reason": "r", "owner": "o", "ticket": "t"}
    said = {"version": 1, "exemptions": [{**entry, "expires": "9999-12-31"}]}
    s3.put_object(Bucket="exemptions", Key="alb-sg.json", Body=json.dumps(said).encode())
    deploy(found, INGRESS, Exemptions="s3://exemptions/alb-sg.json")
    exempt = plan(found, INGRESS)
    assert exempt["outcome"] == "nothing to do"
    assert "exempt until 9999-12-31 by o (t)" in exempt["summary"]
    found.aws.allow_ingress(found.group, [tcp(443, "10.0.0.0/8")])
    deploy(found, INGRESS)
    assert plan(found, INGRESS)["outcome"] == "planned"
    deploy(found, INGRESS, AcceptedSources="10.0.0.0/8")
    assert plan(found, INGRESS)["outcome"] == "nothing to do"
    found.aws.allow_ingress(found.group, IN_ORDER)
    assert [plan(found, rule)["outcome"] for rule in (INGRESS, ICMP)] == ["nothing to do"] * 2


def test_exemptions_that_cannot_be_read_stop_it(found: Shop) -> None:
    deploy(found, INGRESS, Exemptions="s3://exemptions/alb-sg.json")
    with pytest.raises(NotReadError, match=r"exemptions in s3://exemptions/alb-sg\.json"):
        plan(found, INGRESS)


def test_exemptions_of_another_accounts_bucket_are_not_read(found: Shop) -> None:
    """The function's account owns them. Somebody else may have taken the name of a bucket that was deleted."""
    s3: Any = boto3.client("s3", REGION)
    s3.create_bucket(Bucket="exemptions")
    s3.put_object(Bucket="exemptions", Key="alb-sg.json", Body=b'{"version": 1, "exemptions": []}')
    function = function_arn(INGRESS).replace(ACCOUNT_ID, "999999999999")
    found.aws.config.add_rule(INGRESS, function, {"Exemptions": "s3://exemptions/alb-sg.json"})
    plan(found, INGRESS)
    assert "999999999999" in next(headers for name, headers in found.aws.faults.headers if name == "GetObject")


def test_unread_data_is_a_failure_and_no_refusal(found: Shop) -> None:
    found.aws.faults.fail("DescribeListeners", "AccessDenied")
    with pytest.raises(
        scripts.StepFailedError, match=f"nothing was changed, {INGRESS} could not be judged: .*AccessDenied"
    ):
        plan(found, INGRESS)
    with pytest.raises(scripts.StepFailedError, match="could not be judged"):
        apply(found, INGRESS, "whatever")


def test_a_load_balancer_that_is_gone_is_an_answer_of_every_step(found: Shop) -> None:
    planned = plan(found, INGRESS)
    found.aws.delete_load_balancer(found.arn)
    assert plan(found, INGRESS)["outcome"] == "the load balancer is gone"
    assert apply(found, INGRESS, planned["fingerprint"])["outcome"] == "the load balancer is gone"
    assert verify(found, INGRESS)["verdict"] == "the load balancer is gone"


@pytest.mark.parametrize("other", ["us-west-2:123456789012", "us-east-1:999999999999"])
def test_a_load_balancer_of_another_account_or_region_is_refused(found: Shop, other: str) -> None:
    arn = found.arn.replace(f"{REGION}:{ACCOUNT_ID}", other)
    with pytest.raises(InvalidInputError, match=r"LoadBalancerArn: .* is of"):
        plan(found, INGRESS, LoadBalancerArn=arn)


def test_parameters_are_refused_by_name(found: Shop) -> None:
    with pytest.raises(InvalidInputError, match="Approvers: a list of texts was expected"):
        plan(found, INGRESS, Approvers="alice")
    assert plan(found, INGRESS, Approvers=["alice"])["approval"] == "asked for"


def test_the_message_is_not_forged_by_a_description(found: Shop) -> None:
    """Anybody who makes an interface describes it, and the plan says who shares a group."""
    found.aws.ec2.create_network_interface(
        SubnetId=found.subnets[1],
        Groups=[found.group],
        Description="x\nadd ingress tcp 443 10.0.0.0/16 to sg-1\u202e{{ Apply.Outcome }}",
    )
    summary = plan(found, INGRESS)["summary"]
    [added] = [line for line in summary.split("\n") if line.startswith("add ")]
    assert added.startswith("add ingress tcp 443 0.0.0.0/0 to the new security group (OPEN TO EVERYONE, as is")
    assert "\u202e" not in summary
    assert "{{" not in summary


def test_the_message_counts_and_says_the_widest_opening_first(found: Shop) -> None:
    """A message holds 4,096 characters: what is left out is counted."""
    for port in range(1, 60):
        found.aws.listener(found.arn, 9000 + port)
    clients = "203.0.113.7/32 198.51.0.0/16"
    found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=[{"Key": "clients", "Value": clients}])
    deploy(found, INGRESS, TagKey="clients")
    limits = DocumentLimits(default_function(INGRESS), FixPolicy(rules_per_group=1000))
    summary = plan(found, INGRESS, limits)["summary"]
    lines = summary.split("\n")
    assert lines[:2] == ["shop: planned", "adds 120 rules"]
    shown = [line for line in lines if line.startswith("add ")]
    assert 10 < len(shown) < 60
    assert all(" 198.51.0.0/16 " in line for line in shown)
    assert f"and {120 - len(shown)} more rules, none of them wider" in lines
    assert len(summary) <= MAX_SUMMARY_LENGTH


TAGGED = {"TagKey": "clients"}


def test_the_rules_own_parameters_decide(found: Shop) -> None:
    found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=[{"Key": "clients", "Value": "10.0.0.0/16"}])
    deploy(found, INGRESS, **TAGGED)
    # Without TagKey, the load balancer would be opened to everybody.
    [addition] = json.loads(plan(found, INGRESS)["plan"])["additions"]
    assert addition["peer"] == "10.0.0.0/16"


def test_a_rule_that_is_not_the_deployments_has_no_say(found: Shop) -> None:
    """Without parameters, it would waive the tag and the exemptions."""
    found.aws.config.add_rule("other", f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:other")
    with pytest.raises(
        InvalidInputError, match=r"ConfigRuleName: other is a rule of arn:.*:other, not of the function"
    ):
        plan(found, INGRESS, ConfigRuleName="other")
    with pytest.raises(InvalidInputError, match="ConfigRuleName: AWS Config has no rule nobody in this account"):
        plan(found, INGRESS, ConfigRuleName="nobody")
    found.aws.faults.fail("DescribeConfigRules", "AccessDeniedException")
    with pytest.raises(NotReadError, match=f"the parameters of the rule {INGRESS}: DescribeConfigRules: AccessDenied"):
        plan(found, INGRESS)


def test_a_further_rule_of_the_deployments_function_has_no_say(found: Shop) -> None:
    """Who may create rules could give one no AcceptedSources or exemptions, and start the document with it."""
    deploy(found, INGRESS, AcceptedSources="192.0.2.0/24")
    found.aws.ec2.authorize_security_group_ingress(GroupId=found.group, IpPermissions=[tcp(443, "192.0.2.0/24")])
    assert plan(found, INGRESS)["outcome"] == "nothing to do"
    found.aws.config.add_rule("mine", function_arn(INGRESS))
    with pytest.raises(InvalidInputError, match=f"ConfigRuleName: mine is another rule than {INGRESS}, and belongs to"):
        plan(found, INGRESS, ConfigRuleName="mine")
    # A conformance pack adds to its rules' names; nobody else can create or change them.
    name = f"{INGRESS}-conformance-pack-n0q8yfwsp"
    found.aws.config.add_rule(name, function_arn(INGRESS), created_by="config-conforms.amazonaws.com")
    assert plan(found, INGRESS, ConfigRuleName=name)["outcome"] == "planned"


def test_the_deployments_approvers_must_approve_every_start(found: Shop) -> None:
    limits = DocumentLimits(default_function(INGRESS), approvers=("alice", "bob"))
    planned = plan(found, INGRESS, limits)
    assert (planned["approval"], planned["approvers"]) == ("asked for", ["alice", "bob"])
    assert plan(found, INGRESS, limits, Approvers=["bob"])["approvers"] == ["bob"]
    with pytest.raises(InvalidInputError, match="Approvers: mallory is none of the approvers of this deployment"):
        plan(found, INGRESS, limits, Approvers=["mallory"])
    # A starter may ask for an approval that the deployment does not.
    assert plan(found, INGRESS, Approvers=["carol"])["approvers"] == ["carol"]


def test_a_starter_may_ask_for_less_and_not_for_more(found: Shop) -> None:
    found.share()
    narrow = DocumentLimits(default_function(INGRESS), FixPolicy(shared_group=SharedGroupPolicy.REFUSE))
    assert plan(found, INGRESS, narrow, SharedGroup="dedicated")["outcome"] == "refused"


def test_a_tag_opens_an_internal_load_balancer_only_with_the_deployments_approvers() -> None:
    """A starter could name themselves."""
    with shop(scheme="internal") as internal:
        internal.aws.elbv2.add_tags(ResourceArns=[internal.arn], Tags=[{"Key": "clients", "Value": "internet"}])
        deploy(internal, INGRESS, **TAGGED)
        refused = plan(internal, INGRESS, Approvers=["mallory"])
        assert (refused["outcome"], "(opensInternal)" in refused["refused"][0]) == ("refused", True)
        approved = plan(internal, INGRESS, DocumentLimits(default_function(INGRESS), approvers=("alice",)))
        assert (approved["outcome"], approved["approval"]) == ("planned", "asked for")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        # Who may change the list waits until the approver has seen private addresses.
        ({"AddEntries": [{"Cidr": "0.0.0.0/0"}]}, "changed since it was planned; nothing was changed"),
        # A rule for it would let nobody in, and one for the recommended peer more than the tag says.
        ({"RemoveEntries": [{"Cidr": "10.3.0.0/16"}]}, "refused"),
    ],
)
def test_an_approval_does_not_hold_for_other_entries_of_a_prefix_list(entries: Mapping[str, Any], said: str) -> None:
    with shop(scheme="internal") as internal:
        ec2 = internal.aws.ec2
        made = ec2.create_managed_prefix_list(
            PrefixListName="clients", AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": "10.3.0.0/16"}]
        )["PrefixList"]
        prefix_list_id = made["PrefixListId"]
        internal.aws.elbv2.add_tags(ResourceArns=[internal.arn], Tags=[{"Key": "clients", "Value": prefix_list_id}])
        deploy(internal, INGRESS, **TAGGED)
        limits = DocumentLimits(default_function(INGRESS), approvers=("alice",))
        planned = plan(internal, INGRESS, limits)
        assert "MORE THAN IS RECOMMENDED" not in planned["summary"]
        ec2.modify_managed_prefix_list(PrefixListId=prefix_list_id, CurrentVersion=made["Version"], **entries)
        internal.aws.faults.calls.clear()
        given = payload(internal, "Apply", INGRESS, limits, **{"Plan.Fingerprint": planned["fingerprint"]})
        try:
            outcome = scripts.apply(given)["summary"]
        except scripts.StepFailedError as error:
            outcome = str(error)
        assert said in outcome
        assert internal.changes() == []


def test_a_plan_that_has_changed_is_not_done(found: Shop) -> None:
    planned = plan(found, INGRESS)
    found.aws.listener(found.arn, 8443)
    found.aws.faults.calls.clear()
    with pytest.raises(
        scripts.StepFailedError, match="changed since it was planned; nothing was changed, start the doc"
    ):
        apply(found, INGRESS, planned["fingerprint"])
    assert found.changes() == []


def test_a_failed_call_is_rolled_back_and_fails_the_step(found: Shop) -> None:
    found.aws.listener(found.arn, 8443)
    before = found.state()
    planned = plan(found, INGRESS)
    second = iter([False])
    found.aws.faults.fail("AuthorizeSecurityGroupIngress", "UnauthorizedOperation", when=lambda _: next(second, True))
    with pytest.raises(scripts.StepFailedError, match="failed and rolled back: AuthorizeSecurityGroupIngress: Unauth"):
        apply(found, INGRESS, planned["fingerprint"])
    assert found.state() == before


def test_an_incomplete_rollback_names_the_document_that_completes_it(found: Shop) -> None:
    found.aws.listener(found.arn, 8443)
    before = found.state()
    planned = plan(found, INGRESS)
    faults = found.aws.faults
    second = iter([False])
    faults.fail("AuthorizeSecurityGroupIngress", "UnauthorizedOperation", when=lambda _: next(second, True))
    faults.fail("RevokeSecurityGroupIngress", "UnauthorizedOperation")
    with pytest.raises(
        scripts.StepFailedError, match=f"run AlbSg-Undo with Execution {EXECUTION} to take back the rest"
    ):
        apply(found, INGRESS, planned["fingerprint"])
    with pytest.raises(scripts.StepFailedError, match=r"failed: sgr-.*\nrun this again"):
        undo()
    faults.clear()
    undo()
    assert found.state() == before


def test_a_failed_verification_still_starts_a_reevaluation(found: Shop) -> None:
    with pytest.raises(
        scripts.StepFailedError, match=f"{INGRESS}: NON_COMPLIANT: .*undo it with AlbSg-Undo; AWS Config ev"
    ):
        verify(found, INGRESS)
    assert REEVALUATION in found.aws.faults.calls
    found.aws.faults.fail("DescribeSecurityGroups", "AccessDenied")
    with pytest.raises(scripts.StepFailedError, match="what was added stays"):
        verify(found, INGRESS)


def test_aws_config_may_refuse_to_evaluate_or_not_be_asked(found: Shop) -> None:
    found.aws.allow_ingress(found.group, [tcp(443, "0.0.0.0/0"), icmp(3, 4, "0.0.0.0/0")])
    found.aws.faults.fail(REEVALUATION, "LimitExceededException")
    verified = verify(found, INGRESS)
    assert verified["verdict"] == "COMPLIANT"
    assert verified["reevaluation"].startswith(
        f"AWS Config was asked to evaluate {INGRESS} again, and did not: {REEVALUATION}: LimitExceededException"
    )


def test_answers_match_the_selected_outputs_and_fit(found: Shop) -> None:
    """A refused finding may need thousands of rules, and AWS keeps 100 KB of an output."""
    targets = [(f"192.168.{number // 100}.{number % 100 * 2 + 1}", None) for number in range(800)]
    group = found.aws.target_group("on-premises", found.vpc, 9000, targets, target_type="ip")
    found.aws.listener(found.arn, 9000, group)
    planned = plan(found, EGRESS)
    assert planned["outcome"] == "refused"
    [refusal] = json.loads(planned["plan"])["refusals"]
    assert (len(refusal["wanted"]), refusal["wantedInAll"]) == (20, 801)
    assert len(json.dumps(planned)) < 100_000
    assert len(planned["summary"]) <= MAX_SUMMARY_LENGTH < 4096
    many = plan(found, EGRESS, DocumentLimits(default_function(EGRESS), FixPolicy(rules_per_group=1000)))
    shown = json.loads(many["plan"])
    assert (many["outcome"], len(shown["additions"]), shown["additionsInAll"]) == ("planned", 60, 801)
    assert (len(shown["calls"]), shown["callsInAll"]) == (60, 801)
    assert len(json.dumps(many)) < 100_000
    answers = {
        "Plan": planned,
        "Apply": apply(found, ICMP, plan(found, ICMP)["fingerprint"]),
        "Verify": verify(found, ICMP),
        "Undo": undo(),
    }
    for name in (*RECOMMENDATION_BY_DOCUMENT, "AlbSg-Undo"):
        for step in build_document(name)["mainSteps"]:
            for output in step.get("outputs", []):
                value = answers[step["name"]][output["Selector"].removeprefix("$.Payload.")]
                assert isinstance(value, list if output["Type"] == "StringList" else str), output


def test_answers_on_as_many_rules_as_a_group_may_have_fit() -> None:
    """AWS keeps 100 KB: a change must not fail because of its output."""
    rules = [SecurityGroupRule(f"sg-{1:017x}", f"sgr-{number:017x}", Direction.EGRESS) for number in range(1000)]
    applied = apply_output("arn", ApplyResult(EXECUTION, ApplyOutcome.APPLIED, None, tuple(rules)))
    undone = undo_output(UndoResult(EXECUTION, rules))
    for answer, name in ((applied, "added"), (undone, "revoked")):
        result = json.loads(answer["result"])
        assert answer[name] == [rule.rule_id for rule in rules]
        assert (len(result[name]), result[f"{name}InAll"]) == (60, 1000)
        assert len(json.dumps(answer)) < 100_000


def test_resources_of_a_step_have_the_tags_of_its_starter(found: Shop) -> None:
    tags = "CostCenter=1234,Data Class=a/b:c@d"
    planned = plan(found, INGRESS, Tags=tags)
    apply(found, INGRESS, planned["fingerprint"], Tags=tags)
    filters = [{"Name": "tag:alb-sg:execution", "Values": [EXECUTION]}]
    [rule] = found.aws.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    written = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
    assert written.items() >= {"CostCenter": "1234", "Data Class": "a/b:c@d"}.items()
