"""Every document executed step by step on an embedded account, by the steps that ran, their outputs, the rules'
verdicts before and after, and the state of groups and load balancers.

The steps run in the simulator of cdk-ssm-documents, which needs Node.js. Their scripts run in other processes, with the
built artifact as the attachment, against moto's server.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import boto3
import pytest
import yaml

from alb_sg.deployment.artifact import function_artifact
from alb_sg.parameters import PARAMETERS
from alb_sg.remediation.document_names import RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT, document_name
from alb_sg.ssm_documents.actions import REEVALUATION_ACTION, document_actions
from alb_sg.ssm_documents.document_limits import default_function
from embedded_aws.account import ACCOUNT_ID, REGION, icmp, tcp
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, TARGETS
from tests.deployment.deployments import ROOT
from tests.deployment.test_roles import Role
from tests.remediation.account import IN_ORDER, Shop, shop
from tests.rules import RULES_FOLDER, rule_module
from tests.ssm_documents.script_host import ScriptHost
from tests.ssm_documents.server import Server
from tests.tools import node

pytestmark = pytest.mark.slow

FIXING = tuple(RECOMMENDATION_BY_DOCUMENT)
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/alb-sg-remediation"
INBOUND = (INGRESS, ICMP)

RULE_PARAMETERS = {definition.name for definition in PARAMETERS}
UNHURRIED = Path(__file__).with_name("unhurried.js")

# The steps that start.
PLANNED_ONLY = ["Plan", "Decide", "End"]
DENIED = ["Plan", "Decide", "Approve"]
FAILED = ["Plan", "Decide", "Apply"]
FIXED = ["Plan", "Decide", "Apply", "Changed", "Verify", "End"]
FIXED_WITH_APPROVAL = ["Plan", "Decide", "Approve", "Apply", "Changed", "Verify", "End"]
NOTHING_CHANGED = ["Plan", "Decide", "Approve", "Apply", "Changed", "End"]


@pytest.fixture(scope="module")
def simulator() -> ModuleType:
    """The module, whose import starts Node.js. The first python3 on its path runs the scripts."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(Path(node()).parent), os.environ["PATH"]])
    with patch.dict(os.environ, PATH=path, NODE_OPTIONS=f'--require "{UNHURRIED}"'):
        return importlib.import_module("tests.ssm_documents.simulator")


@pytest.fixture(scope="module")
def attachment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The attachment of a document, unpacked as Automation does it."""
    folder = tmp_path_factory.mktemp("attachment")
    with zipfile.ZipFile(function_artifact(RULES_FOLDER).write(tmp_path_factory.mktemp("dist"))) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def host(attachment: Path) -> Iterator[ScriptHost]:
    with ScriptHost(attachment) as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as found:
        yield found


class Estate:
    """A shop that meets none of the rules, and the documents, whose role allows what they declare."""

    def __init__(self, found: Shop, server: Server, host: ScriptHost, simulator: ModuleType, folder: Path) -> None:
        self.shop = found
        self.server = server
        self.denied = ""
        # The approvers that Approve asks, and their answers.
        self.approve: Callable[[str], bool] = lambda _: False
        self._host = host
        self._simulator = simulator
        self._folder = folder
        self._role = Role("alb-sg-remediation", ACCOUNT_ID)
        for recommendation in RECOMMENDATION_BY_DOCUMENT.values():
            self.deploy(recommendation.name)

    def deploy(self, rule: str, **parameters: str) -> None:
        """Deploys the rule to AWS Config with these parameters."""
        function = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{default_function(rule)}"
        self.server.rules[rule] = {
            "ConfigRuleName": rule,
            "InputParameters": json.dumps(parameters),
            "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function},
        }

    def run(self, document: str, **parameters: Any) -> Any:
        """An execution of the checked-in document. Those of the parameters that are the rule's own go to the rule."""
        own = {name: parameters.pop(name) for name in RULE_PARAMETERS & parameters.keys()}
        if own:
            self.deploy(RECOMMENDATION_BY_DOCUMENT[document].name, **own)
        reading = ("s3:GetObject",) if "Exemptions" in own else ()
        self._role.allow([action for action in (*document_actions(document), *reading) if action != self.denied])
        self.server.may_evaluate = self._role.permits(REEVALUATION_ACTION)
        content = content_of(document)
        automation = self.automation(content)
        assert automation.printed == self._simulator.comparable(content)
        return automation.start({"AutomationAssumeRole": ROLE_ARN, **parameters})

    def automation(self, content: Mapping[str, Any]) -> Any:
        sts = boto3.client("sts", REGION)
        given = sts.assume_role(RoleArn=ROLE_ARN, RoleSessionName="automation")["Credentials"]
        environment = {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
            "AWS_ENDPOINT_URL": self.server.url,
        }
        stand_in = partial(self._host.stand_in, environment=environment)
        surroundings = self._simulator.Surroundings(self._folder, stand_in, ACCOUNT_ID, REGION, self.approve)
        return self._simulator.Automation(content, surroundings)

    def fix(self, document: str, **parameters: Any) -> Any:
        """An execution with the parameters that AWS Config passes."""
        return self.run(document, LoadBalancerArn=self.shop.arn, DryRun="false", **parameters)

    def undo(self, execution: Any) -> Any:
        return self.run(UNDO_DOCUMENT, Execution=execution.execution_id)

    def verdict(self, rule: str, **parameters: str) -> tuple[str, str]:
        """Compliance and annotation, as the rule's own handler reports them to AWS Config."""
        aws = self.shop.aws
        answer = rule_module(rule).lambda_handler(aws.scheduled_event(rule, parameters), None)
        [found] = [one for one in answer if one["ComplianceResourceId"] == self.shop.arn]
        return found["ComplianceType"], found.get("Annotation", "")

    def compliance(self, rule: str, **parameters: str) -> str:
        return self.verdict(rule, **parameters)[0]


@cache
def content_of(document: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "remediation" / f"{document}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def make(simulator: ModuleType, host: ScriptHost, server: Server, tmp_path: Path) -> Callable[[Shop], Estate]:
    def made(found: Shop) -> Estate:
        server.forget()
        return Estate(found, server, host, simulator, tmp_path)

    return made


@pytest.fixture
def estate(make: Callable[[Shop], Estate]) -> Iterator[Estate]:
    with shop() as found:
        yield make(found)


@pytest.fixture(params=FIXING)
def document(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=[name for name, rule in RECOMMENDATION_BY_DOCUMENT.items() if rule.name != TARGETS])
def own_document(request: pytest.FixtureRequest) -> str:
    """A document that changes the load balancer's own groups."""
    found: str = request.param
    return found


TINY: dict[str, Any] = {
    "description": "A script that says where it was called from.",
    "schemaVersion": "0.3",
    "assumeRole": "{{ AutomationAssumeRole }}",
    "parameters": {
        "AutomationAssumeRole": {"type": "String", "description": "A role.", "allowedPattern": "^arn:.*$"},
        "Names": {"type": "StringList", "description": "Names.", "allowedPattern": "^[a-z]+$", "default": []},
    },
    "outputs": ["Tell.File"],
    "mainSteps": [
        {
            "name": "Tell",
            "description": "Tells.",
            "action": "aws:executeScript",
            "inputs": {
                "Runtime": "python3.11",
                "Handler": "handler",
                "InputPayload": {"Names": "{{ Names }}", "Region": "{{ global:REGION }}", "Given": "as it is"},
                "Script": (
                    "import alb_sg\n\n\n"
                    "def handler(events, context):\n"
                    "    if 'nobody' in events['Names']:\n        raise KeyError(events['Region'])\n"
                    "    return {'file': alb_sg.__file__, 'events': events}\n"
                ),
            },
            "outputs": [
                {"Name": "File", "Selector": "$.Payload.file", "Type": "String"},
                {"Name": "Names", "Selector": "$.Payload.events.Names", "Type": "StringList"},
                {"Name": "Given", "Selector": "$.Payload.events.Given", "Type": "String"},
            ],
            "nextStep": "End",
        },
        {"name": "Skipped", "description": "Waits.", "action": "aws:sleep", "inputs": {"Duration": "PT2S"}},
        {"name": "End", "description": "Ends.", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "isEnd": True},
    ],
}


def test_the_simulator_runs_the_artifacts_scripts_and_returns_their_output(estate: Estate, attachment: Path) -> None:
    automation = estate.automation(TINY)
    assert automation.printed == TINY
    execution = automation.start({"AutomationAssumeRole": ROLE_ARN, "Names": ["alice", "bob"]})
    assert (execution.steps, execution.failure) == (["Tell", "End"], None)
    assert execution.outputs == {
        "Tell.File": str(attachment / "alb_sg" / "__init__.py"),
        "Tell.Names": ["alice", "bob"],
        "Tell.Given": "as it is",
    }
    failed = estate.automation(TINY).start({"AutomationAssumeRole": ROLE_ARN, "Names": ["nobody"]})
    assert (failed.steps, failed.outputs) == (["Tell"], {})
    assert f"KeyError: '{REGION}'" in failed.failure


def test_the_simulator_waits_for_as_long_as_a_script_takes() -> None:
    """It waits as here, for a worker that needs longer than the millisecond it is given."""
    waiting = """
        const { Worker } = require("worker_threads");
        const signal = new Int32Array(new SharedArrayBuffer(4));
        const wake = "Atomics.notify(require('worker_threads').workerData, 0)";
        new Worker(`setInterval(() => ${wake}, 50)`, { eval: true, workerData: signal }).unref();
        console.log(Atomics.wait(signal, 0, 0, 1));
    """
    command = [node(), "--require", str(UNHURRIED), "-e", waiting]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (our own)
    assert done.stdout == "ok\n"


@pytest.mark.parametrize(
    ("slept", "given", "failure"),
    [
        (599, {}, None),
        (601, {}, "the script waits for more than its 600 seconds"),
        (29, {"timeoutSeconds": 30}, None),
        (31, {"timeoutSeconds": 30}, "the script waits for more than its 30 seconds"),
    ],
)
def test_a_script_has_the_seconds_that_automation_gives_it(
    estate: Estate, slept: int, given: dict[str, int], failure: str | None
) -> None:
    """They pass only while it sleeps."""
    tell, *others = TINY["mainSteps"]
    script = (
        "import time\n\n\ndef handler(events, context):\n"
        f"    before = time.monotonic()\n    try:\n        time.sleep({slept})\n"
        "    except Exception:\n        pass\n"
        "    return {'file': str(time.monotonic() - before), 'events': events}\n"
    )
    content = {**TINY, "mainSteps": [{**tell, **given, "inputs": {**tell["inputs"], "Script": script}}, *others]}
    automation = estate.automation(content)
    assert automation.printed == content
    execution = automation.start({"AutomationAssumeRole": ROLE_ARN})
    if failure is None:
        assert (execution.steps, execution.failure) == (["Tell", "End"], None)
        assert float(execution.outputs["Tell.File"]) >= slept
    else:
        assert (execution.steps, execution.outputs) == (["Tell"], {})
        assert failure in execution.failure


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"parameters are missing: \['AutomationAssumeRole'\]"),
        ({"AutomationAssumeRole": "a role"}, "AutomationAssumeRole: 'a role' is not as allowedPattern asks"),
        ({"AutomationAssumeRole": ROLE_ARN, "Names": ["a", "B"]}, "Names: 'B' is not"),
        ({"AutomationAssumeRole": ROLE_ARN, "Name": "a"}, r"no parameters of the document: \['Name'\]"),
    ],
)
def test_the_simulator_takes_parameters_as_automation_does(estate: Estate, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        estate.automation(TINY).start(given)


@pytest.mark.parametrize("step", [{"maxAttempts": 3}, {"onFailure": "step:End"}, {"inputs": {"Timestamp": "x"}}])
def test_the_simulator_refuses_unknown_constructs(estate: Estate, step: dict[str, Any]) -> None:
    *others, last = TINY["mainSteps"]
    with pytest.raises(NotImplementedError):
        estate.automation({**TINY, "mainSteps": [*others, {**last, **step}]})


def test_the_whole_way(estate: Estate, document: str) -> None:
    """A plan only; then a denial; an approval and a throttled call; a second run; an undo."""
    rule, found = RECOMMENDATION_BY_DOCUMENT[document].name, estate.shop
    before = found.state()
    assert estate.compliance(rule) == "NON_COMPLIANT"

    dry = estate.run(document, LoadBalancerArn=found.arn)
    assert (dry.steps, dry.failure, dry.outputs["Plan.Outcome"]) == (PLANNED_ONLY, None, "planned")
    assert (found.state(), estate.server.changes) == (before, [])

    asked: list[str] = []

    def deny(who: str) -> bool:
        asked.append(who)
        return False

    estate.approve = deny
    denied = estate.fix(document, Approvers=["alice", "bob"])
    assert (denied.steps, asked) == (DENIED, ["alice"])
    assert "denied by alice" in denied.failure
    assert (found.state(), estate.server.changes) == (before, [])

    estate.approve = lambda _: True
    estate.server.fail(authorize(document), "RequestLimitExceeded", times=2)
    fixed = estate.fix(document, Approvers=["alice"])
    # The targets' group lacks the ports of both egress rules.
    added = 2 if rule == TARGETS else 1
    assert estate.server.changes == [authorize(document)] * (2 + added)
    assert (fixed.steps, fixed.failure) == (FIXED_WITH_APPROVAL, None)
    assert set(content_of(document)["outputs"]) <= fixed.outputs.keys()
    assert fixed.outputs["Apply.Outcome"] == "applied"
    assert (sorted(fixed.outputs["Apply.Added"]), fixed.outputs["Apply.Refused"]) == (_rules_of(estate, fixed), [])
    assert len(fixed.outputs["Apply.Added"]) == added
    assert (fixed.outputs["Verify.Verdict"], estate.server.evaluated) == ("COMPLIANT", [rule])
    assert estate.compliance(rule) == "COMPLIANT"

    after = found.state()
    estate.server.forget()
    again = estate.fix(document)
    assert (again.steps, again.failure, again.outputs["Plan.Outcome"]) == (PLANNED_ONLY, None, "nothing to do")
    assert (found.state(), estate.server.changes) == (after, [])

    undone = estate.undo(fixed)
    assert (undone.steps, undone.failure) == (["Undo", "End"], None)
    assert undone.outputs.keys() == set(content_of(UNDO_DOCUMENT)["outputs"])
    assert sorted(undone.outputs["Undo.Revoked"]) == sorted(fixed.outputs["Apply.Added"])
    assert undone.outputs["Undo.Kept"] == []
    assert found.state() == before


def authorize(document: str) -> str:
    direction = RECOMMENDATION_BY_DOCUMENT[document].direction.of_rules.value.capitalize()
    return f"AuthorizeSecurityGroup{direction}"


def _rules_of(estate: Estate, execution: Any) -> list[str]:
    """The security group rules with the execution's tag."""
    tagged = [{"Name": "tag:alb-sg:execution", "Values": [execution.execution_id]}]
    rules = estate.shop.aws.ec2.describe_security_group_rules(Filters=tagged)["SecurityGroupRules"]
    return sorted(rule["SecurityGroupRuleId"] for rule in rules)


@pytest.mark.parametrize(
    ("choices", "rule", "added"),
    [
        ({"scheme": "internal"}, INGRESS, 2),  # the VPC's two blocks
        ({"ip_address_type": "dualstack"}, INGRESS, 2),
        ({"ip_address_type": "dualstack"}, ICMP, 2),
    ],
)
def test_other_kinds_of_findings(
    make: Callable[[Shop], Estate], choices: dict[str, str], rule: str, added: int
) -> None:
    with shop(**choices) as found:
        estate = make(found)
        fixed = estate.fix(document_name(rule))
        assert (fixed.steps, fixed.failure, len(fixed.outputs["Apply.Added"])) == (FIXED, None, added)
        assert estate.compliance(rule) == "COMPLIANT"


@pytest.mark.parametrize("rule", [EGRESS, HEALTH])
def test_targets_without_a_security_group(estate: Estate, rule: str) -> None:
    found = estate.shop
    on_premises = found.aws.target_group("on-premises", found.vpc, 9000, [("192.168.7.7", None)], target_type="ip")
    found.aws.listener(found.arn, 9000, on_premises)
    fixed = estate.fix(document_name(rule))
    assert (fixed.steps, fixed.failure, len(fixed.outputs["Apply.Added"])) == (FIXED, None, 2)
    assert estate.compliance(rule) == "COMPLIANT"


def test_clients_that_a_tag_names(estate: Estate) -> None:
    found = estate.shop
    partners = found.aws.prefix_list("partners", "203.0.113.0/24")
    found.aws.elbv2.add_tags(ResourceArns=[found.arn], Tags=[{"Key": "clients", "Value": partners}])
    fixed = estate.fix(document_name(INGRESS), TagKey="clients")
    assert (fixed.steps, fixed.failure) == (FIXED, None)
    assert estate.compliance(INGRESS, TagKey="clients") == "COMPLIANT"
    assert estate.compliance(INGRESS) == "NON_COMPLIANT"


def test_a_compliant_load_balancer(estate: Estate, document: str) -> None:
    aws, found = estate.shop.aws, estate.shop
    aws.allow_ingress(found.group, IN_ORDER)
    aws.allow_ingress(found.app, [tcp(8080, found.group, to_port=8081)])
    aws.ec2.authorize_security_group_egress(
        GroupId=found.group, IpPermissions=[tcp(8080, found.app), tcp(8081, found.app)]
    )
    assert estate.compliance(RECOMMENDATION_BY_DOCUMENT[document].name) == "COMPLIANT"
    _left_alone(estate, document)


def test_an_exempt_load_balancer(estate: Estate, document: str) -> None:
    rule = RECOMMENDATION_BY_DOCUMENT[document].name
    exemptions = "s3://exemptions/alb-sg.json"
    entry = {"loadBalancer": estate.shop.arn, "rule": rule, "reason": "r", "owner": "o", "ticket": "t"}
    said = {"version": 1, "exemptions": [{**entry, "expires": "9999-12-31"}]}
    s3: Any = boto3.client("s3", REGION)
    s3.create_bucket(Bucket="exemptions")
    s3.put_object(Bucket="exemptions", Key="alb-sg.json", Body=json.dumps(said).encode())
    compliance, annotation = estate.verdict(rule, Exemptions=exemptions)
    assert (compliance, "exempt until 9999-12-31" in annotation) == ("NOT_APPLICABLE", True)
    _left_alone(estate, document, Exemptions=exemptions)


@pytest.mark.parametrize("rule", INBOUND)
def test_an_accepted_load_balancer(estate: Estate, rule: str) -> None:
    estate.shop.aws.allow_ingress(estate.shop.group, [tcp(443, "10.0.0.0/8"), icmp(3, 4, "10.0.0.0/8")])
    assert estate.compliance(rule, AcceptedSources="10.0.0.0/8") == "COMPLIANT"
    _left_alone(estate, document_name(rule), AcceptedSources="10.0.0.0/8")


def _left_alone(estate: Estate, document: str, **parameters: str) -> None:
    before = estate.shop.state()
    execution = estate.fix(document, **parameters)
    assert (execution.steps, execution.failure) == (PLANNED_ONLY, None)
    assert (execution.outputs["Plan.Outcome"], execution.outputs["Plan.Refused"]) == ("nothing to do", [])
    assert (estate.shop.state(), estate.server.changes, estate.server.evaluated) == (before, [], [])


def _refused(estate: Estate, document: str, **parameters: str) -> str:
    before = estate.shop.state()
    execution = estate.fix(document, **parameters)
    assert (execution.steps, execution.failure) == (PLANNED_ONLY, None)
    assert execution.outputs["Plan.Outcome"] == "refused"
    assert (estate.shop.state(), estate.server.changes) == (before, [])
    [sentence] = execution.outputs["Plan.Refused"]
    return str(sentence)


def test_a_shared_group(estate: Estate, own_document: str) -> None:
    """Refused with that policy; otherwise a dedicated group, which cannot be attached at first."""
    document = own_document
    rule, found = RECOMMENDATION_BY_DOCUMENT[document].name, estate.shop
    found.share()
    before = found.state()
    assert f"(shared): {found.group} is shared with network interface" in _refused(
        estate, document, SharedGroup="refuse"
    )

    estate.server.fail("SetSecurityGroups", "InvalidConfigurationRequest")
    failed = estate.fix(document)
    assert failed.steps == FAILED
    assert "failed and rolled back: SetSecurityGroups: InvalidConfigurationRequest" in failed.failure
    assert found.state() == before

    fixed = estate.fix(document)
    assert (fixed.steps, fixed.failure) == (FIXED, None)
    result = json.loads(fixed.outputs["Apply.Result"])
    assert (found.groups(), result["previousGroups"]) == ([found.group, result["createdGroup"]], [found.group])
    assert {rule["groupId"] for rule in result["added"]} == {result["createdGroup"]}
    assert estate.compliance(rule) == "COMPLIANT"
    assert estate.undo(fixed).failure is None
    assert found.state() == before


def test_a_managed_group(estate: Estate, document: str) -> None:
    tags = [{"Key": "ManagedBy", "Value": "Terraform"}]
    changed = estate.shop.app if document == document_name(TARGETS) else estate.shop.group
    estate.shop.aws.ec2.create_tags(Resources=[changed], Tags=tags)
    assert "infrastructure as code (tag ManagedBy=Terraform)" in _refused(estate, document)


def test_a_shared_target_group_is_opened_and_the_plan_names_other_users(estate: Estate) -> None:
    found = estate.shop
    found.aws.network_interface(found.subnets[1], found.app)
    before = found.state()
    fixed = estate.fix(document_name(TARGETS), SharedGroup="refuse")
    assert (fixed.steps, fixed.failure) == (FIXED, None)
    assert f"this also opens what else carries {found.app}: network interface eni-" in fixed.outputs["Plan.Summary"]
    assert {one["groupId"] for one in json.loads(fixed.outputs["Apply.Result"])["added"]} == {found.app}
    assert estate.undo(fixed).failure is None
    assert found.state() == before


def test_a_full_group_of_targets_is_refused(estate: Estate) -> None:
    found = estate.shop
    found.aws.allow_ingress(found.app, [tcp(22, *(f"10.7.{number}.0/24" for number in range(60)))])
    assert "(ruleQuota)" in _refused(estate, document_name(TARGETS))


def test_a_full_group(estate: Estate, own_document: str) -> None:
    document = own_document
    rule, found = RECOMMENDATION_BY_DOCUMENT[document].name, estate.shop
    full = [tcp(22, *(f"10.7.{number}.0/24" for number in range(60)))]
    if rule in INBOUND:
        found.aws.allow_ingress(found.group, full)
    else:
        found.aws.ec2.authorize_security_group_egress(GroupId=found.group, IpPermissions=full)
    before = found.state()
    assert "(ruleQuota)" in _refused(estate, document, SharedGroup="refuse")
    fixed = estate.fix(document)
    assert (fixed.steps, fixed.failure) == (FIXED, None)
    assert len(found.groups()) == 2
    assert estate.compliance(rule) == "COMPLIANT"
    estate.undo(fixed)
    assert found.state() == before


def test_a_call_that_stays_throttled(estate: Estate) -> None:
    before = estate.shop.state()
    estate.server.fail("AuthorizeSecurityGroupIngress", "RequestLimitExceeded", times=1000)
    failed = estate.fix(document_name(INGRESS))
    assert failed.steps == FAILED
    assert "failed and rolled back: AuthorizeSecurityGroupIngress: RequestLimitExceeded" in failed.failure
    assert estate.shop.state() == before


def test_the_second_of_two_rules_fails(make: Callable[[Shop], Estate]) -> None:
    with shop(scheme="internal") as found:
        estate = make(found)
        before = found.state()
        estate.server.fail(
            "AuthorizeSecurityGroupIngress", "RulesPerSecurityGroupLimitExceeded", when=lambda body: "10.1.0.0" in body
        )
        failed = estate.fix(document_name(INGRESS))
        assert failed.steps == FAILED
        assert "AuthorizeSecurityGroupIngress: RulesPerSecurityGroupLimitExceeded" in failed.failure
        authorized = "AuthorizeSecurityGroupIngress"
        assert estate.server.changes == [authorized, authorized, "RevokeSecurityGroupIngress"]
        assert found.state() == before


def test_a_load_balancer_that_is_deleted(estate: Estate, document: str) -> None:
    """Deleted during the approval, and before a second start of the document."""

    def deleted(_: str) -> bool:
        estate.shop.aws.delete_load_balancer(estate.shop.arn)
        return True

    estate.approve = deleted
    execution = estate.fix(document, Approvers=["alice"])
    assert (execution.steps, execution.failure) == (NOTHING_CHANGED, None)
    assert execution.outputs["Apply.Outcome"] == "the load balancer is gone"
    later = estate.fix(document)
    assert (later.steps, later.outputs["Plan.Outcome"]) == (PLANNED_ONLY, "the load balancer is gone")
    assert estate.server.changes == []


def test_a_load_balancer_that_is_deleted_while_rules_are_added(estate: Estate) -> None:
    found = estate.shop
    estate.server.before(authorize(document_name(ICMP)), lambda: found.aws.delete_load_balancer(found.arn))
    execution = estate.fix(document_name(ICMP))
    assert (execution.steps, execution.failure) == (FIXED, None)
    assert execution.outputs["Apply.Outcome"] == "applied, not verified"
    assert execution.outputs["Verify.Verdict"] == "the load balancer is gone"
    assert estate.undo(execution).outputs["Undo.Revoked"] == execution.outputs["Apply.Added"]


def test_a_plan_that_is_no_longer_the_one_that_was_approved(estate: Estate) -> None:
    found = estate.shop

    def approved(_: str) -> bool:
        found.aws.listener(found.arn, 8443)
        return True

    estate.approve = approved
    execution = estate.fix(document_name(INGRESS), Approvers=["alice"])
    assert execution.steps == [*DENIED, "Apply"]
    assert "changed since it was planned" in execution.failure
    assert estate.server.changes == []


def test_a_rule_that_aws_config_does_not_evaluate_again(estate: Estate) -> None:
    """The fix succeeds nevertheless."""
    estate.denied = REEVALUATION_ACTION
    execution = estate.fix(document_name(ICMP))
    assert (execution.steps, execution.failure) == (FIXED, None)
    assert "did not: StartConfigRulesEvaluation: AccessDenied" in execution.outputs["Verify.Reevaluation"]


def test_an_action_that_the_role_does_not_allow(estate: Estate) -> None:
    """Documents run with exactly the actions that they declare; `test_remediation_role` removes each of them."""
    found = estate.shop
    found.share()
    before = found.state()
    estate.denied = "ec2:CreateSecurityGroup"
    denied = estate.fix(document_name(INGRESS))
    assert denied.steps == FAILED
    assert "CreateSecurityGroup: " in denied.failure
    assert found.state() == before
    estate.denied = ""
    fixed = estate.fix(document_name(INGRESS))
    estate.denied = "elasticloadbalancing:SetSecurityGroups"
    kept = estate.undo(fixed)
    assert (kept.steps, "SetSecurityGroups: AccessDenied" in kept.failure) == (["Undo"], True)
    estate.denied = ""
    assert estate.undo(fixed).failure is None
    assert found.state() == before
