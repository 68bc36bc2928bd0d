"""Each rule end to end under exactly the role that is generated for it, with moto's IAM enforcement on.

moto judges actions alone: it ignores or mishandles a policy's resources and conditions, and does not look at a role's
trust across accounts. So here every statement is given the resource `*` and no condition; what the templates say of
resources, conditions and trust is asserted as data in test_templates.py. AWS Config's calls are answered by the
stand-in in moto's place, and judged here by moto's own policy evaluation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.authorization import enable_iam_authentication
from moto.iam.access_control import IAMPolicy, PermissionResult

from alb_sg.config_rule.iam_actions import CONFIG_ACTIONS, evaluation_actions
from alb_sg.errors import IncompleteEvaluationError
from alb_sg.estate.resource_types import LISTENER_TYPE, LOAD_BALANCER_TYPE, TARGET_GROUP_TYPE
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, icmp, tcp
from tests.deployment.deployments import CENTRAL, RULES, SHIPPED, Resolver, of_type, templates_of
from tests.rules import DEPLOYED_RULE_NAMES, rule_module

pytestmark = pytest.mark.slow

Outcome = tuple[object, ...]


class Estate(EmbeddedAws):
    """An account where every call of every rule decides something: an internal load balancer that its groups let in
    and out through prefix lists alone, an instance and an address as targets, a Network Load Balancer in front, a tag
    that names clients, a verdict on something that is gone, and a target group whose item is too large."""

    def build(self) -> None:
        vpc = self.vpc("10.0.0.0/16", second_cidr="10.1.0.0/16")
        subnets = self.subnets(vpc)
        blocks = self.prefix_list("vpc", "10.0.0.0/16", "10.1.0.0/16")
        self.clients = self.prefix_list("clients", "192.0.2.0/24")
        app = self.security_group(vpc, "app")
        group = self.security_group(
            vpc, "lb", ingress=[tcp(80, blocks), icmp(3, 4, blocks)], egress=[tcp(8080, app, self.clients)]
        )
        self.web = self.load_balancer("web", subnets, [group], scheme="internal")
        instances = [(self.instance(subnets[0], app), None)]
        self.targets = self.target_group("web", vpc, 8080, instances, health_check_port="8081")
        addresses = [(self.network_interface(subnets[0], app), None)]
        addressed = self.target_group("addressed", vpc, 8080, addresses, target_type="ip")
        self.listener_80 = self.listener(self.web, 80, self.targets)
        self.listener(self.web, 81, addressed)
        self.front = self.load_balancer("front", subnets, [], type_="network", scheme="internal")
        self.to_web = self.target_group("to-web", vpc, 80, [(self.web, None)], target_type="alb", protocol="TCP")
        self.listener(self.front, 80, self.to_web, protocol="TCP")
        tagged = self.security_group(vpc, "tagged", ingress=[tcp(80, self.clients)], egress=[])
        tags = {"clients": self.clients}
        self.tagged = self.load_balancer("tagged", subnets, [tagged], scheme="internal", tags=tags)
        self.listener(self.tagged, 80)
        self.config.add_item(
            {
                "accountId": ACCOUNT_ID,
                "awsRegion": REGION,
                "resourceType": TARGET_GROUP_TYPE,
                "resourceId": self.targets,
                "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
                "configuration": {"LoadBalancerArns": [self.tagged]},
            }
        )

    def events(self, rule: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        if "TagKey" in _parameter_names(rule):
            parameters = {**parameters, "TagKey": "clients"}
        return [
            self.scheduled_event(rule, parameters),
            self.change_event(rule, LISTENER_TYPE, self.listener_80, parameters),
            self.change_event(rule, TARGET_GROUP_TYPE, self.to_web, parameters),
            self.change_event(rule, LOAD_BALANCER_TYPE, self.front, parameters, configuration={"type": "network"}),
            self.change_event(rule, TARGET_GROUP_TYPE, self.targets, parameters, oversized=True),
        ]

    def leave_a_verdict_on_what_is_gone(self, rule: str) -> None:
        arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT_ID}:loadbalancer/app/gone/0123456789abcdef"
        verdict = {
            "ComplianceResourceType": LOAD_BALANCER_TYPE,
            "ComplianceResourceId": arn,
            "ComplianceType": "NON_COMPLIANT",
            "OrderingTimestamp": "2025-12-31T00:00:00Z",
        }
        token = self.config.issue_token(rule, ACCOUNT_ID)
        config: Any = boto3.client("config", REGION)
        config.put_evaluations(Evaluations=[verdict], ResultToken=token)


def _parameter_names(rule: str) -> set[str]:
    content = json.loads((RULES / rule / "parameters.json").read_text(encoding="utf-8"))
    return set(json.loads(content["Parameters"]["OptionalParameters"]))


@pytest.fixture
def aws() -> Iterator[Estate]:
    with Estate() as estate:
        estate.build()
        yield estate


def actions_of(role: Mapping[str, Any]) -> list[str]:
    """Every action that a role's policies allow."""
    statements = [said for policy in role["Policies"] for said in policy["PolicyDocument"]["Statement"]]
    return [action for statement in statements if statement["Effect"] == "Allow" for action in statement["Action"]]


class Role:
    """A role of an account, allowed some actions, and credentials of it."""

    def __init__(self, name: str, account: str) -> None:
        self.name, self.account = name, account
        self.policy = ""
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}
        self._iam = _session_of(account).client("iam")
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    def allow(self, actions: Sequence[str]) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        self.policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam.put_role_policy(RoleName=self.name, PolicyName="rule", PolicyDocument=self.policy)

    def permits(self, action: str) -> bool:
        return IAMPolicy(self.policy).is_action_permitted(action) is PermissionResult.PERMITTED

    @contextmanager
    def assumed(self) -> Iterator[None]:
        arn = f"arn:aws:iam::{self.account}:role/{self.name}"
        given = boto3.client("sts", REGION).assume_role(RoleArn=arn, RoleSessionName="lambda")["Credentials"]
        environment = {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }
        # boto3's default session, from which documents' scripts make clients, keeps the credentials it was made with.
        new_session = patch.object(boto3, "DEFAULT_SESSION", None)
        with patch.dict(os.environ, environment), new_session, enable_iam_authentication():
            yield


def _session_of(account: str) -> boto3.session.Session:
    if account == ACCOUNT_ID:
        return boto3.session.Session()
    arn = f"arn:aws:iam::{account}:role/administrator"
    given = boto3.client("sts", REGION).assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.session.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def judge_config_calls(aws: Estate, role: Role) -> None:
    def denied(action: str) -> Callable[[str], bool]:
        return lambda _: not role.permits(action)

    for action in CONFIG_ACTIONS:
        aws.faults.fail(action.removeprefix("config:"), "AccessDeniedException", when=denied(action))


def outcome(rule: str, event: Mapping[str, Any], role: Role) -> Outcome:
    """What an invocation gave AWS Config, or how it failed."""
    with role.assumed():
        try:
            answer = rule_module(rule).lambda_handler(event, None)
        except (IncompleteEvaluationError, ClientError) as error:
            return (type(error).__name__,)
    return tuple((found["ComplianceResourceId"], found["ComplianceType"], found.get("Annotation")) for found in answer)


def failed(found: Outcome) -> bool:
    """Whether the invocation failed. One that concerned no load balancer gave nothing, and did not fail."""
    return len(found) == 1 and isinstance(found[0], str)


@pytest.mark.parametrize("rule", DEPLOYED_RULE_NAMES)
def test_nothing_is_denied_and_nothing_is_superfluous(rule: str, aws: Estate, tmp_path: Path) -> None:
    """In one account: the role that stack.yaml gives the rule's function, and then without each of its actions."""
    template = templates_of(SHIPPED, tmp_path)["stack.yaml"]
    function = {found["Handler"]: name for name, found in of_type(template, "AWS::Lambda::Function").items()}
    logical_id = function[f"{rule}.lambda_handler"].replace("Function", "Role")
    resolve = Resolver(template, account=ACCOUNT_ID, region=REGION)
    # Lambda itself writes the log and leaves failed events, with the function's role.
    allowed = set(actions_of(resolve(of_type(template, "AWS::IAM::Role")[logical_id])))
    allowed -= {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
    assert allowed == set(evaluation_actions(RECOMMENDATIONS_BY_NAME[rule]))

    role = Role("function", ACCOUNT_ID)
    judge_config_calls(aws, role)

    def outcomes(actions: set[str]) -> Iterator[Outcome]:
        role.allow(sorted(allowed))
        aws.leave_a_verdict_on_what_is_gone(rule)
        role.allow(sorted(actions))
        return (outcome(rule, event, role) for event in aws.events(rule, {"AssumeRoleMode": "false"}))

    whole = list(outcomes(allowed))
    assert [found for found in whole if failed(found)] == []
    assert "COMPLIANT" in str(whole)
    superfluous = [
        action
        for action in sorted(allowed)
        if all(found == expected for found, expected in zip(outcomes(allowed - {action}), whole, strict=True))
    ]
    assert superfluous == []


@pytest.mark.parametrize("rule", DEPLOYED_RULE_NAMES)
def test_a_function_of_the_central_account_judges_a_member(rule: str, aws: Estate, tmp_path: Path) -> None:
    """Through the role of member.yaml, which alone may read; without it, or without assuming it, nothing works."""
    templates = templates_of(SHIPPED, tmp_path)
    central = templates["central.yaml"]
    [function] = [
        name.removesuffix("Function")
        for name, found in of_type(central, "AWS::Lambda::Function").items()
        if found["Handler"] == f"{rule}.lambda_handler"
    ]
    resolve = Resolver(central, account=CENTRAL, region=REGION, OrganizationId="o-a1b2c3d4e5")
    own = resolve(of_type(central, "AWS::IAM::Role")[f"{function}Role"])
    evaluation = of_type(templates["member.yaml"], "AWS::IAM::Role")["EvaluationRole"]

    member = Role(evaluation["RoleName"], ACCOUNT_ID)
    member.allow(actions_of(evaluation))
    caller = Role(own["RoleName"], CENTRAL)
    caller.allow(actions_of(own))
    judge_config_calls(aws, member)
    aws.leave_a_verdict_on_what_is_gone(rule)
    parameters = {"ExecutionRoleName": evaluation["RoleName"]}
    events = aws.events(rule, parameters)
    assert [found for event in events if failed(found := outcome(rule, event, caller))] == []
    caller.allow([action for action in actions_of(own) if action != "sts:AssumeRole"])
    assert outcome(rule, aws.scheduled_event(rule, parameters), caller) == ("ClientError",)
    # A rule of somebody else's that asks the function to read with its own role gets nothing.
    caller.allow(actions_of(own))
    assert outcome(rule, aws.scheduled_event(rule, {"AssumeRoleMode": "false"}), caller)[0] in {
        "IncompleteEvaluationError",
        "ClientError",
    }
