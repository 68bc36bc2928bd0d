"""The Hook's function on a served account, in milliseconds: from the event and its payload to the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from alb_sg.aws import rate_limits
from alb_sg.aws.clients import make_client
from alb_sg.errors import InvalidInputError
from alb_sg.functions import hook
from alb_sg.functions.hook import lambda_handler
from alb_sg.functions.hook_judging import unjudged
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    REGION,
    Saved,
    estate,
    group,
    listener,
    load_balancer,
    load_balancer_arn,
    tcp,
)
from tests.exemptions.entries import FAR_AHEAD, LONG_AGO, entry, read
from tests.functions.hook_events import (
    GROUP,
    INGRESS,
    STACK,
    UNKNOWN,
    changed,
    event,
    new_load_balancer,
    payload,
)
from tests.live.region import Call, Refused, Region
from tests.tools import HANGING

INGRESS_RULE = "ALB_SG_LISTENER_INGRESS"
LISTENER_INGRESS = json.dumps({INGRESS_RULE: {}})


class Served:
    """A payload over HTTP, and an account with one load balancer `web` that everybody reaches on its port 80."""

    def __init__(self) -> None:
        self.payload: Any = None
        self.status = 200
        self.saved: Saved = estate(listener(80), group("sg-1", ingress=[tcp(80, ANYWHERE)]))
        self.failures: dict[str, str] = {}
        self.physical_ids: dict[str, str] = {}
        self.calls: list[Call] = []
        self.url = ""
        # Whether the account has been asked anything, and what its answers wait for.
        self.was_asked = threading.Event()
        self.proceed = threading.Event()
        self.proceed.set()

    def ask(self, content: Any = None, target: str = "CHANGE_SET", **changes: Any) -> dict[str, Any]:
        self.payload = self.payload if content is None else content
        answer = lambda_handler(event(target, self.url, awsAccountId=ACCOUNT, **changes), None)
        json.dumps(answer)
        return answer

    def make_client(self, service: str, *, session: Any = None) -> Any:
        client = make_client(service, REGION, session=session)
        if service in ("elbv2", "ec2"):
            region = Region(self.saved, intervene=self._intervene)
            region.calls = self.calls
            region.serve(client)
        else:
            client.meta.events.register("before-call.*", self._answer)
        return client

    def _intervene(self, call: Call) -> None:
        self.was_asked.set()
        self.proceed.wait(HANGING)
        if call.operation in self.failures:
            raise Refused(self.failures[call.operation])

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        if model.name in self.failures:
            error = {"Code": self.failures[model.name], "Message": "no"}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
        status = {"ResourceStatus": "CREATE_COMPLETE"}
        found = [
            {**status, "LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": INGRESS}
            for logical, physical in self.physical_ids.items()
        ]
        unmade = {"LogicalResourceId": "Unmade", "ResourceType": GROUP, "ResourceStatus": "CREATE_IN_PROGRESS"}
        return SimpleNamespace(status_code=200), {"StackResourceSummaries": [unmade, *found], "ResponseMetadata": {}}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv(hook.RULES_VARIABLE, LISTENER_INGRESS)
    monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, hook.SKIP)
    for service in list(rate_limits.RATE_LIMITS):
        monkeypatch.delitem(rate_limits.RATE_LIMITS, service)
    found = Served()
    monkeypatch.setattr(hook, "make_client", found.make_client)

    class Bucket(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = found.payload if isinstance(found.payload, bytes) else json.dumps(found.payload).encode()
            self.send_response(found.status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}/payload"
        yield found
        found.proceed.set()
        server.shutdown()
        thread.join()


def new_stack(ingress_port: int = 443, *, cidr: str = ANYWHERE, scheme: str = "internet-facing") -> dict[str, Any]:
    return new_load_balancer("vpc-1", ["subnet-a", "subnet-b"], ingress_port, cidr=cidr, scheme=scheme)


def test_a_change_that_breaks_nothing_passes(served: Served) -> None:
    answer = served.ask(new_stack())
    [annotation] = answer.pop("annotations")
    assert annotation == {
        "annotationName": "alb-sg",
        "status": "PASSED",
        "statusMessage": "1 load balancer judged, none newly broken",
    }
    assert answer == {
        "hookStatus": "SUCCESS",
        "message": "the change breaks no load balancer's security groups",
        "clientRequestToken": "token",
    }


def test_a_change_that_breaks_a_load_balancer_is_blocked_with_its_fix(served: Served) -> None:
    answer = served.ask(new_stack(80))
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "NonCompliant")
    assert answer["message"].startswith(f"the change newly breaks 1 verdict, first Shop, {INGRESS_RULE}: HTTPS:443 not")
    # `web`, which the change set does not mention, is not named.
    [annotation] = answer["annotations"]
    assert annotation.pop("statusMessage").startswith("HTTPS:443 not open to 0.0.0.0/0 in Group")
    assert "allow inbound TCP 443 from 0.0.0.0/0 in Group" in annotation.pop("remediationMessage")
    assert annotation.pop("remediationLink").startswith("https://docs.aws.amazon.com/")
    assert annotation == {"annotationName": f"{INGRESS_RULE} Shop", "status": "FAILED", "severityLevel": "HIGH"}


def deleted_rule() -> dict[str, Any]:
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": ANYWHERE, "GroupId": "sg-1"}
    other = {"Other": {"Type": "AWS::SNS::Topic"}}
    return payload(other, [changed("Rule", INGRESS, "DELETE", before=rule)])


def test_a_rule_that_goes_breaks_what_is_there(served: Served) -> None:
    served.physical_ids = {"Rule": "sgr-0123456789abcdef0"}
    answer = served.ask(deleted_rule())
    assert answer["hookStatus"] == "FAILED"
    assert [one["annotationName"] for one in answer["annotations"]] == [f"{INGRESS_RULE} web"]


@pytest.mark.parametrize(
    ("action", "statuses"),
    [
        ("REMOVE", ["FAILED"]),
        # The resource joins the stack, or the stack takes note of it. It does not change.
        ("Import", ["PASSED"]),
        ("SyncWithActual", ["PASSED"]),
        # An action of the future may do anything.
        ("Twist", ["SKIPPED"]),
    ],
)
def test_actions_of_a_change(action: str, statuses: list[str], served: Served) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": ANYWHERE, "GroupId": "sg-1"}
    served.physical_ids = {"Rule": "sgr-0123456789abcdef0"}
    answer = served.ask(payload({}, [changed("Rule", INGRESS, action, before=rule)]))
    assert [one["status"] for one in answer["annotations"]] == statuses


def test_earlier_findings_are_not_blocked(served: Served) -> None:
    served.saved = estate(listener(80), listener(8080), group("sg-1", ingress=[tcp(8443, ANYWHERE)]))
    rule = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "CidrIp": ANYWHERE, "GroupId": "sg-1"}
    served.physical_ids = {"Rule": "sgr-0123456789abcdef0"}
    answer = served.ask(payload({}, [changed("Rule", INGRESS, "DELETE", before=rule)]))
    assert answer["hookStatus"] == "SUCCESS", answer


def test_a_finding_that_was_unknown_before_is_not_blocked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, hook.FAIL)
    served.saved = estate(load_balancer(scheme="new-fangled"), listener(80), group("sg-1"))
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": ANYWHERE, "GroupId": "sg-1"}
    answer = served.ask(payload({}, [changed("Rule", INGRESS, after=rule)]))
    assert [one["status"] for one in answer["annotations"]] == ["PASSED"]


def test_a_verdict_that_stays_unknown_is_not_told(served: Served) -> None:
    served.saved = estate(load_balancer(scheme="new-fangled"), listener(80), group("sg-1", ingress=[tcp(80, ANYWHERE)]))
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": ANYWHERE, "GroupId": "sg-1"}
    served.physical_ids = {"Rule": "sgr-0123456789abcdef0"}
    answer = served.ask(payload({}, [changed("Rule", INGRESS, "DELETE", before=rule)]))
    assert [one["status"] for one in answer["annotations"]] == ["PASSED"]


@pytest.fixture
def exempted(served: Served, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The answer to a change that takes away the rule of `web`, with these entries in the document of exemptions."""

    def asked(*entries: Any) -> dict[str, Any]:
        monkeypatch.setenv(hook.EXEMPTIONS_VARIABLE, "ssm:/alb-sg/exemptions")
        monkeypatch.setattr(hook, "read_exemptions", lambda *_, **__: read(*entries))
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": ANYWHERE, "GroupId": "sg-1"}
        served.physical_ids = {"Rule": "sgr-0123456789abcdef0"}
        return served.ask(payload({}, [changed("Rule", INGRESS, "DELETE", before=rule)]))

    return asked


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "SUCCESS"),
        ({"ports": [80]}, "SUCCESS"),
        ({"ports": [443]}, "FAILED"),
        ({"expires": LONG_AGO}, "FAILED"),
        ({"loadBalancer": load_balancer_arn("other")}, "FAILED"),
    ],
)
def test_an_exempt_load_balancer_or_port_blocks_no_change(
    changes: Mapping[str, Any], status: str, exempted: Callable[..., dict[str, Any]]
) -> None:
    given = {"rule": INGRESS_RULE, "expires": FAR_AHEAD, **changes}
    assert exempted(entry(**given))["hookStatus"] == status


@pytest.mark.parametrize(
    ("arn", "is_told"),
    [
        (load_balancer_arn(), True),
        # Of a known rule, and of no load balancer of this account and region.
        (load_balancer_arn().replace(ACCOUNT, "999999999999"), False),
        (load_balancer_arn().replace(REGION, "eu-west-1"), False),
    ],
)
def test_a_malformed_exemption_is_told_where_it_may_be_meant_for_the_account(
    arn: str, is_told: bool, exempted: Callable[..., dict[str, Any]]
) -> None:
    answer = exempted(entry(rule=INGRESS_RULE, loadBalancer=arn, expires="soon"))
    assert answer["hookStatus"] == "FAILED"
    assert [one["status"] for one in answer["annotations"]] == ["FAILED", *(["SKIPPED"] if is_told else [])]


def test_several_verdicts_are_counted_and_annotated_in_order(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.RULES_VARIABLE, json.dumps({INGRESS_RULE: {}, "ALB_SG_ICMP_PMTUD": {}}))
    answer = served.ask(new_stack(80))
    names = [one["annotationName"] for one in answer["annotations"]]
    assert names == ["ALB_SG_ICMP_PMTUD Shop", f"{INGRESS_RULE} Shop"]
    assert answer["message"].startswith("the change newly breaks 2 verdicts, first Shop, ALB_SG_ICMP_PMTUD: ")


def test_a_change_that_no_verdict_depends_on_reads_nothing(served: Served) -> None:
    answer = served.ask(
        payload({"Topic": {"Type": "AWS::SNS::Topic"}}, [changed("Topic", "AWS::SNS::Topic", after={})])
    )
    assert (answer["hookStatus"], "annotations" in answer) == ("SUCCESS", False)
    assert served.calls == []


@pytest.mark.parametrize(("on_unknown", "status"), [(None, "SUCCESS"), ("SKIP", "SUCCESS"), ("FAIL", "FAILED")])
def test_an_unknown_value_is_skipped_unless_the_deployment_refuses_it(
    on_unknown: str | None, status: str, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    if on_unknown is None:
        monkeypatch.delenv(hook.ON_UNKNOWN_VARIABLE)
    else:
        monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, on_unknown)
    answer = served.ask(new_stack(cidr=UNKNOWN))
    assert answer["hookStatus"] == status
    assert answer.get("errorCode") == (None if status == "SUCCESS" else "NonCompliant")
    assert answer["message"].startswith(f"1 verdict cannot be judged, first Shop, {INGRESS_RULE}: ")
    [annotation] = answer["annotations"]
    assert (annotation["annotationName"], annotation["status"]) == ("alb-sg", "SKIPPED")
    assert "Rule.CidrIp" in annotation["statusMessage"]


def test_known_values_pass_also_where_unknown_ones_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, hook.FAIL)
    assert served.ask(new_stack())["hookStatus"] == "SUCCESS"


@pytest.mark.parametrize("action", ["CREATE", "Add"])
def test_a_creation_needs_no_identifiers_of_the_stack(action: str, served: Served) -> None:
    served.failures["ListStackResources"] = "AccessDenied"
    content = new_stack()
    for one in content["changedResources"]:
        one["action"] = action
    assert served.ask(content)["hookStatus"] == "SUCCESS"


def test_a_template_of_nothing_but_a_nested_stack_is_unknown(served: Served) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://bucket/nested.yaml"}}
    answer = served.ask({"template": json.dumps({"Resources": {"Nested": nested}})}, "STACK")
    assert [one["status"] for one in answer["annotations"]] == ["SKIPPED"]
    assert "Nested" in answer["message"]


def test_a_value_of_a_nested_stack_is_unknown(served: Served) -> None:
    content = new_stack(80)
    content["changedResources"].append(changed("Nested", "AWS::CloudFormation::Stack", after={}))
    answer = served.ask(content)
    assert answer["hookStatus"] == "SUCCESS"
    [annotation] = answer["annotations"]
    assert annotation["status"] == "SKIPPED"
    assert annotation["statusMessage"].startswith(f"Shop, {INGRESS_RULE}: HTTPS:443 not open")
    assert "nested stack Nested" in annotation["statusMessage"]


@pytest.mark.parametrize(
    ("content", "target", "said"),
    [
        ([], "CHANGE_SET", "the Hook's payload is no object"),
        ({}, "CHANGE_SET", "the Hook's payload has no template"),
        (b"{", "CHANGE_SET", "not JSON"),
        ({"template": "{}"}, "CHANGE_SET", "changedResources"),
        ({"template": "{"}, "STACK", "not JSON"),
        ({"template": "{}"}, "CLOUD_CONTROL", "'CLOUD_CONTROL' is neither CHANGE_SET nor STACK"),
    ],
)
@pytest.mark.parametrize(("on_unknown", "status"), [("SKIP", "SUCCESS"), ("FAIL", "FAILED")])
def test_a_payload_that_cannot_be_read_is_unknown(
    served: Served, content: Any, target: str, said: str, on_unknown: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hook.ON_UNKNOWN_VARIABLE, on_unknown)
    answer = served.ask(content, target)
    assert answer["hookStatus"] == status
    [annotation] = answer["annotations"]
    assert (annotation["annotationName"], annotation["status"]) == ("alb-sg", "SKIPPED")
    assert said in annotation["statusMessage"]
    assert said in answer["message"]


def test_a_payload_that_is_gone_is_the_hooks_own_failure(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.status = 403
    answer = served.ask({})
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert "the Hook's payload: Amazon S3 answers 403" in answer["message"]
    assert "Amazon S3 answers 403" in caplog.text


def test_a_bucket_that_does_not_answer_is_the_hooks_own_failure(served: Served) -> None:
    served.url = "http://127.0.0.1:1/payload"
    answer = served.ask({})
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert "the Hook's payload: GET" in answer["message"]


@pytest.mark.parametrize("operation", ["DescribeLoadBalancers", "ListStackResources"])
def test_a_call_that_is_refused_is_the_hooks_own_failure(served: Served, operation: str) -> None:
    served.failures[operation] = "AccessDenied"
    served.physical_ids = {"Rule": "sgr-0123456789abcdef0"}
    answer = served.ask(deleted_rule())
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure"), answer
    assert f"{operation}: AccessDenied" in answer["message"]
    # A further invocation for the same request starts anew.
    served.failures.clear()
    assert served.ask()["errorCode"] == "NonCompliant"


def test_a_slow_account_is_read_on_in_the_next_invocation(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 0.0)
    served.proceed.clear()
    for invocation in (1, 2):
        answer = served.ask(new_stack(80), requestContext={"invocation": invocation})
        assert answer == {
            "hookStatus": "IN_PROGRESS",
            "message": "reading the account",
            "clientRequestToken": "token",
            "callbackDelaySeconds": hook.CALLBACK_SECONDS,
        }
        assert served.was_asked.wait(HANGING)
    served.proceed.set()
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 20.0)
    answer = served.ask(requestContext={"invocation": 3})
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "NonCompliant")
    assert [call.operation for call in served.calls].count("DescribeLoadBalancers") == 1
    # The request is answered: another one of the same token is judged anew.
    assert served.ask(new_stack(443))["hookStatus"] == "SUCCESS"


def test_an_account_that_is_not_read_in_three_invocations(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 0.0)
    served.proceed.clear()
    served.ask(new_stack(80))
    assert served.was_asked.wait(HANGING)
    answer = served.ask(requestContext={"invocation": 3})
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert "not read within 3 invocations" in answer["message"]
    # A further request of the same token is judged anew.
    served.proceed.set()
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 20.0)
    assert served.ask(new_stack(443))["hookStatus"] == "SUCCESS"


@pytest.mark.parametrize(
    "spelling",
    [
        {"stackID": "arn:stack/web", "clientRequesttoken": "one", "awsAccountId": ACCOUNT},
        {"stackId": "arn:stack/web", "clientRequestToken": "one", "awsAccountID": ACCOUNT},
    ],
)
def test_both_spellings_of_an_event_are_read(spelling: Mapping[str, str]) -> None:
    data = {"requestData": {"targetName": "STACK", "payload": "https://bucket"}}
    assert hook.read_request({**spelling, **data}) == hook.HookRequest(
        token="one",
        account_id=ACCOUNT,
        stack_id="arn:stack/web",
        target="STACK",
        payload_url="https://bucket",
        invocation=1,
    )


def test_the_type_of_the_target_counts_before_its_name() -> None:
    data = {"targetType": "STACK", "targetName": "AWS::CloudFormation::Stack", "payload": "https://bucket"}
    read = hook.read_request(event(requestData=data, requestContext={"invocation": 2}))
    assert (read.target, read.invocation) == ("STACK", 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requestData": None}, "it has no requestData"),
        ({"requestData": {"targetType": "RESOURCE"}}, "it has no payload"),
        ({"awsAccountId": None}, "it has no awsAccountId"),
        ({"clientRequesttoken": ""}, "it has no clientRequestToken"),
        ({"stackID": 3}, "it has no stackId"),
    ],
)
def test_an_event_of_another_kind_is_refused(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        lambda_handler(event(**change), None)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (hook.RULES_VARIABLE, '{"ALB_SG_NOTHING": {}}', "unknown rule 'ALB_SG_NOTHING'; known are ALB_SG_HEALTH"),
        (hook.RULES_VARIABLE, '["ALB_SG_ICMP_PMTUD"]', "rules are written"),
        (hook.RULES_VARIABLE, '{"ALB_SG_ICMP_PMTUD": []}', "rules are written"),
        (hook.RULES_VARIABLE, '{"ALB_SG_ICMP_PMTUD": {}, "ALB_SG_LISTENER_INGRESS": []}', "rules are written"),
        (hook.RULES_VARIABLE, '{"ALB_SG_ICMP_PMTUD": {"Colour": "red"}}', "Colour"),
        (hook.RULES_VARIABLE, '{"ALB_SG_ICMP_PMTUD": {}, "ALB_SG_ICMP_PMTUD": {}}', "ALB_SG_ICMP_PMTUD"),
        (hook.RULES_VARIABLE, '{"ALB_SG_ICMP_PMTUD": {"Exemptions": "ssm:/a"}}', "give it as the stack's parameter"),
        (hook.ON_UNKNOWN_VARIABLE, "", "'' is neither SKIP nor FAIL"),
        (hook.ON_UNKNOWN_VARIABLE, "fail", "'fail' is neither SKIP nor FAIL"),
    ],
)
def test_a_setting_that_is_none_is_refused(
    served: Served, variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInputError, match=said):
        served.ask(new_stack())


def test_the_rules_are_those_that_are_deployed_unless_the_deployment_says_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(hook.RULES_VARIABLE)
    assert {rule.name for rule in hook.parse_rules("")} >= {INGRESS_RULE, "ALB_SG_ICMP_PMTUD", "ALB_SG_TARGET_INGRESS"}
    assert "ALB_SG_UNUSED_INGRESS" not in {rule.name for rule in hook.parse_rules("")}
    assert [one["annotationName"] for one in served.ask(new_stack())["annotations"]] == ["ALB_SG_ICMP_PMTUD Shop"]
    monkeypatch.setenv(hook.RULES_VARIABLE, json.dumps({INGRESS_RULE: {"AcceptedSources": "10.0.0.0/8"}}))
    assert served.ask(new_stack(443, cidr="10.0.0.0/8"))["hookStatus"] == "SUCCESS"


def test_other_load_balancers_are_not_read_unless_a_rule_needs_them(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elastic Load Balancing allows ten calls a second: 500 load balancers do not fit into the time."""
    served.saved = estate(load_balancer(), load_balancer("other", groups=["sg-2"]), group("sg-1"), group("sg-2"))
    served.ask(new_stack())
    of_listeners = [call.parameters for call in served.calls if call.operation == "DescribeListeners"]
    assert of_listeners == []
    monkeypatch.setenv(hook.RULES_VARIABLE, json.dumps({INGRESS_RULE: {}, "ALB_SG_UNUSED_INGRESS": {}}))
    served.ask(new_stack())
    of_listeners = [call.parameters for call in served.calls if call.operation == "DescribeListeners"]
    assert {one["LoadBalancerArn"] for one in of_listeners} == {load_balancer_arn("web"), load_balancer_arn("other")}


TEMPLATE = """\
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: lb
      VpcId: vpc-1
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: {port}, ToPort: {port}, CidrIp: 0.0.0.0/0}}
  Shop:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Subnets: [subnet-a, subnet-b]
      SecurityGroups: [!Ref Group]
  Https:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Shop
      Port: 443
      Protocol: HTTPS
      DefaultActions: [{{Type: fixed-response}}]
"""


@pytest.mark.parametrize(("port", "status"), [(443, "SUCCESS"), (80, "FAILED")])
def test_a_new_stack_without_a_change_set_is_judged_by_its_template(served: Served, port: int, status: str) -> None:
    assert served.ask({"template": TEMPLATE.format(port=port)}, "STACK")["hookStatus"] == status


@pytest.mark.parametrize(("stack_id", "status"), [(STACK, "PASSED"), ("web", "SKIPPED")])
def test_the_name_of_the_stack_is_known_from_its_arn(served: Served, stack_id: str, status: str) -> None:
    condition = "Conditions: {IsWeb: !Equals [!Ref AWS::StackName, web]}\n"
    template = TEMPLATE.format(port=443).replace("0.0.0.0/0", "!If [IsWeb, 0.0.0.0/0, 10.0.0.0/8]")
    answer = served.ask({"template": condition + template}, "STACK", stackId=stack_id)
    assert [one["status"] for one in answer["annotations"]] == [status]


def test_a_load_balancer_that_one_way_of_applying_the_template_lacks(served: Served) -> None:
    """It is broken where there is one, and its fix is that of this way."""
    condition = (
        "Parameters: {Wanted: {Type: String, AllowedValues: [a, b]}}\nConditions: {Is: !Equals [!Ref Wanted, a]}\n"
    )
    template = TEMPLATE.format(port=80)
    for one in ("LoadBalancer", "Listener"):
        kind = f"Type: AWS::ElasticLoadBalancingV2::{one}\n"
        template = template.replace(kind, f"{kind}    Condition: Is\n")
    answer = served.ask({"template": condition + template}, "STACK")
    assert answer["hookStatus"] == "FAILED", answer
    assert "allow inbound TCP 443 from 0.0.0.0/0 in Group" in answer["annotations"][0]["remediationMessage"]


def test_a_nested_stack_is_no_file_of_the_function(served: Served) -> None:
    nested = "\n  Nested: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: template}}\n"
    answer = served.ask({"template": TEMPLATE.format(port=443) + nested}, "STACK")
    assert [one["status"] for one in answer["annotations"]] == ["SKIPPED"]
    assert "nested stack Nested" in answer["message"]


def test_a_previous_template_that_is_no_text_is_unknown(served: Served) -> None:
    answer = served.ask({"template": TEMPLATE.format(port=443), "previousTemplate": {"Resources": {}}}, "STACK")
    assert [one["status"] for one in answer["annotations"]] == ["SKIPPED"]
    assert "a previousTemplate that is no text" in answer["message"]


def test_an_update_of_a_stack_without_resources_is_the_hooks_own_failure(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had a template: something has become of it meanwhile."""
    monkeypatch.setattr(hook, "read_stack", lambda *_: None)
    template = TEMPLATE.format(port=443)
    answer = served.ask({"template": template, "previousTemplate": template}, "STACK")
    assert answer["errorCode"] == "InternalFailure"
    assert "DescribeStacks: it has no resources, but a previous template" in answer["message"]


@pytest.mark.parametrize(("length", "said"), [(1000, "x" * 1000), (1001, "x" * 999 + "…")])
def test_a_text_that_is_too_long_is_cut_visibly(length: int, said: str) -> None:
    """CloudFormation refuses an answer whose texts are longer."""
    judgement = unjudged("x" * length)
    assert judgement.annotations[0]["statusMessage"] == said
    assert judgement.unknown == ("x" * length,)


def test_a_template_that_no_verdict_depends_on_reads_nothing(served: Served) -> None:
    answer = served.ask({"template": "Resources: {Topic: {Type: AWS::SNS::Topic}}"}, "STACK")
    assert (answer["hookStatus"], served.calls) == ("SUCCESS", [])
