"""The Hook's function over an account in moto: what it blocks, what it lets pass, and what it does not know."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest

from alb_sg.aws.service_models import new_session
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.planned.deployed_stack import DeployedResource, DeployedStack
from alb_sg.functions import hook
from alb_sg.functions.hook import lambda_handler
from embedded_aws.account import REGION, EmbeddedAws, tcp
from tests.exemptions.entries import FAR_AHEAD, LONG_AGO, entry
from tests.exemptions.entries import document as exemptions
from tests.functions.hook_events import (
    GROUP,
    INGRESS,
    LISTENER,
    UNKNOWN,
    changed,
    event,
    new_load_balancer,
    payload,
)

pytestmark = pytest.mark.slow

LISTENER_INGRESS = json.dumps({"ALB_SG_LISTENER_INGRESS": {}})


class Account:
    """A load balancer with one listener that everybody reaches."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.vpc = aws.vpc()
        self.subnets = aws.subnets(self.vpc)
        self.group = aws.security_group(self.vpc, "lb", ingress=[tcp(80, "0.0.0.0/0")])
        self.load_balancer = aws.load_balancer("web", self.subnets, [self.group])
        target_group = aws.target_group("web", self.vpc, 8080, [])
        self.target_group = target_group
        self.listener_arn = aws.listener(self.load_balancer, 80, target_group)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv(hook.RULES_VARIABLE, LISTENER_INGRESS)
    monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, hook.SKIP)
    with EmbeddedAws() as aws:
        yield Account(aws)


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    def asked(
        content: Mapping[str, Any], *, physical_ids: Mapping[str, str] | None = None, target: str = "CHANGE_SET"
    ) -> dict[str, Any]:
        monkeypatch.setattr(hook, "fetch_payload", lambda _: content)
        monkeypatch.setattr(hook, "physical_ids", lambda *_: physical_ids or {})
        return lambda_handler(event(target), None)

    return asked


def new_stack(account: Account, *, ingress_port: int) -> dict[str, Any]:
    return new_load_balancer(account.vpc, account.subnets, ingress_port)


def test_a_new_stack_that_is_open_passes(account: Account, ask: Ask) -> None:
    answer = ask(new_stack(account, ingress_port=443))
    assert answer["hookStatus"] == "SUCCESS"
    assert answer["clientRequestToken"] == "token"
    [annotation] = answer["annotations"]
    assert annotation["status"] == "PASSED"


def test_a_new_stack_with_a_missing_rule_is_blocked_with_its_fix(account: Account, ask: Ask) -> None:
    answer = ask(new_stack(account, ingress_port=80))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "NonCompliant")
    # The working load balancer that the change set does not mention is not named.
    [annotation] = answer["annotations"]
    assert annotation["annotationName"] == "ALB_SG_LISTENER_INGRESS Shop"
    assert annotation["status"] == "FAILED"
    assert "HTTPS:443 not open to 0.0.0.0/0 in Group" in annotation["statusMessage"]
    assert "allow inbound TCP 443 from 0.0.0.0/0 in Group" in annotation["remediationMessage"]
    assert annotation["remediationLink"].startswith("https://docs.aws.amazon.com/")
    assert annotation["severityLevel"] == "HIGH"
    assert "Shop" in answer["message"]


def test_a_rule_that_the_change_set_takes_away_breaks_a_load_balancer_of_another_stack(
    account: Account, ask: Ask
) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0", "GroupId": account.group}
    content = payload({"Other": {"Type": "AWS::SNS::Topic"}}, [changed("Rule", INGRESS, "DELETE", before=rule)])
    answer = ask(content, physical_ids={"Rule": "sgr-0123456789abcdef0"})
    assert answer["hookStatus"] == "FAILED"
    assert answer["annotations"][0]["annotationName"] == "ALB_SG_LISTENER_INGRESS web"


def test_a_rule_that_stays_in_the_account_breaks_nothing(account: Account, ask: Ask) -> None:
    """DeletionPolicy Retain: the resource leaves the stack alone."""
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0", "GroupId": account.group}
    entry = changed("Rule", INGRESS, "DELETE", before=rule, DeletionPolicy="Retain")
    answer = ask(
        payload({"Other": {"Type": "AWS::SNS::Topic"}}, [entry]), physical_ids={"Rule": "sgr-0123456789abcdef0"}
    )
    assert answer["hookStatus"] == "SUCCESS"


def test_an_update_that_moves_a_listener_to_a_closed_port(account: Account, ask: Ask) -> None:
    before = {
        "LoadBalancerArn": account.load_balancer,
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": account.target_group}],
    }
    resources = {"Http": {"Type": LISTENER, "Properties": {**before, "Port": 8443}}}
    content = payload(resources, [changed("Http", LISTENER, "UPDATE", before=before, after={**before, "Port": 8443})])
    answer = ask(content, physical_ids={"Http": account.listener_arn})
    assert answer["hookStatus"] == "FAILED"
    assert "HTTP:8443 not open" in answer["annotations"][0]["statusMessage"]


def test_earlier_findings_are_not_blocked(account: Account, ask: Ask) -> None:
    closed = account.aws.security_group(account.vpc, "closed", ingress=[])
    broken = account.aws.load_balancer("broken", account.subnets, [closed])
    listener = account.aws.listener(broken, 80, account.target_group)
    before = {
        "LoadBalancerArn": broken,
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": account.target_group}],
    }
    after = {**before, "DefaultActions": [{"Type": "fixed-response"}]}
    content = payload(
        {"Http": {"Type": LISTENER, "Properties": after}},
        [changed("Http", LISTENER, "UPDATE", before=before, after=after)],
    )
    assert ask(content, physical_ids={"Http": listener})["hookStatus"] == "SUCCESS"


def test_an_update_that_leaves_outbound_rules_unwritten_keeps_them(
    account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither before nor after has SecurityGroupEgress: what EC2 gave the group at its creation stays."""
    monkeypatch.setenv(hook.RULES_VARIABLE, json.dumps({"ALB_SG_INSTANCE_EGRESS": {}, "ALB_SG_LISTENER_INGRESS": {}}))
    instance = account.aws.instance(account.subnets[0], account.aws.security_group(account.vpc, "app"))
    account.aws.register_targets(account.target_group, [(instance, None)])
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}
    before = {"GroupDescription": "lb", "VpcId": account.vpc, "SecurityGroupIngress": [rule]}
    after = {**before, "SecurityGroupIngress": [rule, {**rule, "FromPort": 81, "ToPort": 81}]}
    content = payload(
        {"Lb": {"Type": GROUP, "Properties": after}}, [changed("Lb", GROUP, "UPDATE", before=before, after=after)]
    )
    answer = ask(content, physical_ids={"Lb": account.group})
    assert (answer["hookStatus"], answer["annotations"][0]["status"]) == ("SUCCESS", "PASSED"), answer


@pytest.mark.parametrize(("on_unknown", "status"), [(hook.SKIP, "SUCCESS"), (hook.FAIL, "FAILED")])
def test_an_unknown_value_is_skipped_or_refused(
    on_unknown: str, status: str, account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule's source is the output of a custom resource."""
    monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, on_unknown)
    content = new_stack(account, ingress_port=443)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": UNKNOWN, "GroupId": UNKNOWN}
    content["changedResources"][1] = changed("Rule", INGRESS, after=rule)
    answer = ask(content)
    assert answer["hookStatus"] == status
    [annotation] = answer["annotations"]
    assert annotation["status"] == "SKIPPED"
    assert "Rule.CidrIp" in annotation["statusMessage"]


def test_a_finding_that_a_nested_stack_may_settle_is_not_blocked(account: Account, ask: Ask) -> None:
    content = new_stack(account, ingress_port=80)
    content["changedResources"].append(changed("Nested", "AWS::CloudFormation::Stack", after={}))
    answer = ask(content)
    assert answer["hookStatus"] == "SUCCESS"
    [annotation] = answer["annotations"]
    assert annotation["status"] == "SKIPPED"
    assert "nested stack Nested" in annotation["statusMessage"]


def test_a_change_that_no_verdict_depends_on_reads_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "read_account", pytest.fail)
    content = payload({"Topic": {"Type": "AWS::SNS::Topic"}}, [changed("Topic", "AWS::SNS::Topic", after={})])
    answer = ask(content)
    assert (answer["hookStatus"], "annotations" in answer) == ("SUCCESS", False)


STACK_TEMPLATE = """\
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: lb
      VpcId: {vpc}
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: {port}, ToPort: {port}, CidrIp: 0.0.0.0/0}}
  Shop:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Subnets: [{subnets}]
      SecurityGroups: [!Ref Group]
  Https:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Shop
      Port: 443
      Protocol: HTTPS
      DefaultActions: [{{Type: fixed-response, FixedResponseConfig: {{StatusCode: "404"}}}}]
"""


@pytest.mark.parametrize(("port", "status"), [(443, "SUCCESS"), (80, "FAILED")])
def test_a_new_stack_without_change_set_is_judged_by_its_template(
    port: int, status: str, account: Account, ask: Ask
) -> None:
    template = STACK_TEMPLATE.format(vpc=account.vpc, port=port, subnets=", ".join(account.subnets))
    answer = ask({"template": template}, target="STACK")
    assert answer["hookStatus"] == status, answer


@pytest.mark.parametrize(
    "properties",
    [
        {"Type": LISTENER, "Properties": {"LoadBalancerArn": {"Ref": "Owner"}, "Port": 80, "Protocol": "HTTP"}},
        {"Type": f"{LISTENER}Rule", "Properties": {"ListenerArn": {"Ref": "Owner"}, "Actions": []}},
        {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {"TargetGroupARNs": [{"Ref": "Owner"}]}},
    ],
)
def test_a_part_of_a_load_balancer_that_is_not_told_is_unknown(
    properties: dict[str, Any], account: Account, ask: Ask
) -> None:
    """It may break any load balancer of the account."""
    template = {"Parameters": {"Owner": {"Type": "String"}}, "Resources": {"Part": properties}}
    answer = ask({"template": json.dumps(template)}, target="STACK")
    [annotation] = answer["annotations"]
    assert annotation["status"] == "SKIPPED"
    assert "load balancer of Part: parameter Owner" in annotation["statusMessage"]


def deployed(template: str, **parameters: str) -> str:
    """The ARN of a stack in the account."""
    given: Any = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation = boto3.client("cloudformation", REGION)
    created = cloudformation.create_stack(StackName="web", TemplateBody=template, Parameters=given)
    return str(created["StackId"])


@pytest.fixture
def ask_update(monkeypatch: pytest.MonkeyPatch) -> Ask:
    def asked(before: str, after: str, **parameters: str) -> dict[str, Any]:
        stack_id = deployed(before, **parameters)
        monkeypatch.setattr(hook, "fetch_payload", lambda _: {"template": after, "previousTemplate": before})
        # The simulated CloudFormation takes its time when it is first asked.
        monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 120.0)
        return lambda_handler(event("STACK", stackId=stack_id), None)

    return asked


def test_an_update_without_change_set_is_judged_over_the_resources_that_the_stack_has(
    account: Account, ask_update: Ask
) -> None:
    before = STACK_TEMPLATE.format(vpc=account.vpc, port=443, subnets=", ".join(account.subnets))
    answer = ask_update(before, before.replace("FromPort: 443, ToPort: 443", "FromPort: 80, ToPort: 80"))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "NonCompliant"), answer
    # The load balancer is the one that exists, and the only one.
    [annotation] = answer["annotations"]
    assert annotation["annotationName"].startswith("ALB_SG_LISTENER_INGRESS web-Shop")
    assert "HTTPS:443 not open to 0.0.0.0/0" in annotation["statusMessage"]


def test_an_update_that_changes_something_else_breaks_nothing(account: Account, ask_update: Ask) -> None:
    before = STACK_TEMPLATE.format(vpc=account.vpc, port=80, subnets=", ".join(account.subnets))
    after = f"{before}  Topic: {{Type: 'AWS::SNS::Topic'}}\n"
    answer = ask_update(before, after)
    assert (answer["hookStatus"], answer["annotations"][0]["status"]) == ("SUCCESS", "PASSED"), answer


def test_an_update_whose_parameters_are_not_told_is_unknown_where_they_decide(
    account: Account, ask_update: Ask
) -> None:
    """The deployed value is no answer: the update may give another one."""
    template = STACK_TEMPLATE.format(vpc=account.vpc, port=443, subnets=", ".join(account.subnets))
    template = "Parameters:\n  Clients: {Type: String}\n" + template.replace("0.0.0.0/0", "!Ref Clients")
    answer = ask_update(template, template, Clients="0.0.0.0/0")
    assert answer["hookStatus"] == "SUCCESS"
    [annotation] = answer["annotations"]
    assert annotation["status"] == "SKIPPED"
    assert "parameter Clients" in annotation["statusMessage"]


def test_an_update_of_a_stack_that_is_not_there_is_the_hooks_own_failure(account: Account, ask: Ask) -> None:
    ask_once = {"template": "Resources: {}", "previousTemplate": "Resources: {}"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hook, "SECONDS_TO_ANSWER", 120.0)
        answer = ask(ask_once, target="STACK")
    assert answer["errorCode"] == "InternalFailure"
    assert "DescribeStacks" in answer["message"]


def test_a_template_that_cannot_be_read_is_unknown(account: Account, ask: Ask) -> None:
    answer = ask({"template": "{"}, target="STACK")
    assert answer["annotations"][0]["status"] == "SKIPPED"
    assert "not JSON" in answer["message"]


NO_TEXT = '{"Resources": {"\ud800": {}}}'


def test_a_stack_template_with_text_that_is_none(account: Account, ask: Ask) -> None:
    """JSON may hold half of a surrogate pair."""
    answer = ask({"template": NO_TEXT}, target="STACK")
    assert answer["hookStatus"] == "SUCCESS"
    assert answer["annotations"][0]["status"] == "SKIPPED"
    assert answer["message"].endswith("first template: not UTF-8 text (byte 17); save it as UTF-8")


def test_a_deployed_template_with_text_that_is_none(
    account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds is not known, and no verdict depends on it."""
    deployed = {"Alb": DeployedResource("AWS::EC2::SecurityGroup", "sg-1")}
    monkeypatch.setattr(hook, "read_stack", lambda _, name, template: DeployedStack(name, deployed, template))
    group = "{Type: 'AWS::EC2::SecurityGroup', Properties: {GroupDescription: alb, VpcId: vpc-1}}"
    answer = ask({"template": f"Resources: {{Alb: {group}}}", "previousTemplate": NO_TEXT}, target="STACK")
    assert (answer["hookStatus"], answer["annotations"][0]["status"]) == ("SUCCESS", "PASSED")


def test_a_refused_call_is_the_hooks_own_failure(account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was judged: the Hook's failure mode decides, whatever OnUnknown says."""

    def refused(*_: object) -> None:
        raise NotReadError("LoadBalancers", "DescribeLoadBalancers: AccessDenied")

    monkeypatch.setattr(hook, "read_account", refused)
    answer = ask(new_stack(account, ingress_port=443))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert "DescribeLoadBalancers: AccessDenied" in answer["message"]


def test_a_slow_account_is_read_on_in_the_next_invocation(
    account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 0.0)
    read, proceed, reads = hook.read_account, threading.Event(), []

    def slow(*arguments: Any) -> Any:
        reads.append(arguments)
        proceed.wait(30)
        return read(*arguments)

    monkeypatch.setattr(hook, "read_account", slow)
    first = ask(new_stack(account, ingress_port=80))
    assert (first["hookStatus"], first["callbackDelaySeconds"]) == ("IN_PROGRESS", hook.CALLBACK_SECONDS)
    assert "annotations" not in first
    proceed.set()
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 20.0)
    second = lambda_handler(event(requestContext={"invocation": 2}), None)
    assert second["hookStatus"] == "FAILED"
    assert len(reads) == 1


def test_an_account_that_is_not_read_in_three_invocations(
    account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 0.0)
    proceed = threading.Event()
    monkeypatch.setattr(hook, "read_account", lambda *_: proceed.wait(30))
    ask(new_stack(account, ingress_port=80))
    last = lambda_handler(event(requestContext={"invocation": 3}), None)
    proceed.set()
    assert (last["hookStatus"], last["errorCode"]) == ("FAILED", "InternalFailure")
    assert "not read within 3 invocations" in last["message"]


def test_physical_identifiers_come_from_the_stack(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    cloudformation = boto3.client("cloudformation", REGION)
    group = {"Type": GROUP, "Properties": {"GroupDescription": "made", "VpcId": account.vpc}}
    cloudformation.create_stack(StackName="web", TemplateBody=json.dumps({"Resources": {"Made": group}}))
    found = hook.physical_ids("web", new_session())
    assert found["Made"].startswith("sg-")


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [
        ("arn", "SUCCESS", ""),
        ("other", "FAILED", "newly breaks 1 verdict"),
        ("expired", "FAILED", "newly breaks 1 verdict"),
        ("{", "FAILED", "exemptions in ssm:/alb-sg/exemptions"),
        ("", "FAILED", "no exemption applies"),
    ],
)
def test_an_exempt_load_balancer_blocks_no_change(
    document: str, status: str, said: str, account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that expired exempts nothing, and neither does a document that cannot be read, which is said."""
    other = account.load_balancer.replace("/web/", "/other/")
    texts = {
        name: json.dumps(exemptions(entry(loadBalancer=arn, rule="ALB_SG_LISTENER_INGRESS", expires=expires)))
        for name, arn, expires in (
            ("arn", account.load_balancer, FAR_AHEAD),
            ("other", other, FAR_AHEAD),
            ("expired", account.load_balancer, LONG_AGO),
        )
    }
    if document:
        boto3.client("ssm", REGION).put_parameter(
            Name="/alb-sg/exemptions", Value=texts.get(document, document), Type="String"
        )
    monkeypatch.setenv(hook.EXEMPTIONS_VARIABLE, "ssm:/alb-sg/exemptions")
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0", "GroupId": account.group}
    content = payload({"Other": {"Type": "AWS::SNS::Topic"}}, [changed("Rule", INGRESS, "DELETE", before=rule)])
    answer = ask(content, physical_ids={"Rule": "sgr-0123456789abcdef0"})
    assert answer["hookStatus"] == status, answer
    assert said in answer["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requestData": None}, "it has no requestData"),
        ({"requestData": {"targetType": "RESOURCE"}}, "it has no payload"),
        ({"awsAccountId": None}, "it has no awsAccountId"),
    ],
)
def test_an_event_of_another_kind_is_refused(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        lambda_handler(event(**change), None)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('{"ALB_SG_NOTHING": {}}', "unknown rule 'ALB_SG_NOTHING'"),
        ('["ALB_SG_ICMP_PMTUD"]', "rules are written"),
        ('{"ALB_SG_ICMP_PMTUD": {"Exemptions": "ssm:/a"}}', "give it as the stack's parameter Exemptions"),
        ('{"ALB_SG_ICMP_PMTUD": {"Colour": "red"}}', "Colour"),
    ],
)
def test_rules_that_are_none_are_refused(rules: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        hook.parse_rules(rules)
