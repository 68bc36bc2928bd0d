"""Each document's scripts end to end under exactly the actions that the document declares, with moto's IAM enforcement
on; and each action taken away in turn makes something fail.

moto judges actions alone; what the role says of resources and conditions is asserted as data in test_templates.py.
AWS Config's calls are answered by the stand-in in moto's place, and judged here by moto's own policy evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.elbv2.models import elbv2_backends

from alb_sg.errors import NotReadError
from alb_sg.remediation.api_calls import EXECUTION_TAG
from alb_sg.remediation.apply import apply
from alb_sg.remediation.document_names import DOCUMENTS, RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT, document_name
from alb_sg.remediation.execution_record import RECORD_PATH
from alb_sg.remediation.undo import undo
from alb_sg.ssm_documents import scripts
from alb_sg.ssm_documents.actions import REEVALUATION_ACTION, RULE_ACTION, document_actions
from alb_sg.ssm_documents.document_limits import DocumentLimits, default_function
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, tcp
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, TARGETS
from tests.deployment.deployments import WHOLE, of_type, templates_of
from tests.deployment.test_roles import Role, actions_of
from tests.rules import RULE_NAMES

pytestmark = pytest.mark.slow

HERE = {"AccountId": ACCOUNT_ID, "Region": REGION}
# AWS asks for it where something is made with tags; moto does not. It is asserted as data.
NOT_JUDGED = {"ec2:CreateTags", "ssm:AddTagsToResource"}
# Addresses of targets: one outside of the VPC, and one within it that no network interface is seen to hold.
OUTSIDE, UNSEEN = "192.168.7.7", "10.0.200.9"
TAG = {"TagKey": "clients"}
TARGETS_DOCUMENT = document_name(TARGETS)
Outcome = tuple[object, ...]


class Estate(EmbeddedAws):
    """A load balancer, made anew for each run, of which every call of a document decides something: its group names a
    prefix list and is shared, so that it gets one of its own; a tag names its clients; a Network Load Balancer is in
    front; a target is an instance and another an address. Its targets' groups name the prefix list too."""

    def build(self) -> None:
        self.vpc_id = self.vpc("10.0.0.0/16", second_cidr="10.1.0.0/16")
        self.zones = self.subnets(self.vpc_id)
        self.clients = self.prefix_list("clients", "192.0.2.0/24")
        self.app = self.security_group(self.vpc_id, "app")
        self.instance_id = self.instance(self.zones[0], self.app)
        self.address = self.network_interface(self.zones[0], self.app)
        self.number = 0

    def shop(self, *, shared: bool, target: str = OUTSIDE) -> str:
        """A load balancer that meets none of the rules; with a target that is not seen, that alone is in doubt."""
        return self._shop(self.instance_id, self.address, shared=shared, targets=[target])

    def shop_with_closed_targets(self) -> str:
        """As `shop`, with targets of its own in two security groups, of which the prefix list does not open enough. The
        target in the second group is registered where the listener alone tells it, beside one outside of the VPC."""
        name = f"shop{self.number + 1}"
        app, other = (
            self.security_group(self.vpc_id, f"{name}-{kind}", ingress=[tcp(port, self.clients)])
            for kind, port in (("app", 8080), ("other", 9000))
        )
        return self._shop(
            self.instance(self.zones[0], app),
            self.network_interface(self.zones[0], app),
            shared=False,
            targets=[self.network_interface(self.zones[1], other), OUTSIDE],
        )

    def _shop(self, instance_id: str, address: str, *, shared: bool, targets: Sequence[str]) -> str:
        self.number += 1
        name = f"shop{self.number}"
        # What these let through hangs on the prefix list, and it is not enough but for a target that nobody sees.
        seen = [tcp(8080, self.app)] if UNSEEN in targets else []
        group = self.security_group(
            self.vpc_id,
            name,
            ingress=[tcp(80, self.clients)],
            egress=[tcp(8080, self.clients), tcp(9000, self.app), *seen],
        )
        tags = {"clients": f"{self.clients} vpc"}
        arn = self.load_balancer(name, self.zones, [group], scheme="internal", tags=tags)
        self.listener(arn, 80, self.target_group(f"{name}-a", self.vpc_id, 8080, [(instance_id, None)]))
        self.listener(arn, 81, self.target_group(f"{name}-b", self.vpc_id, 8080, [(address, None)], target_type="ip"))
        # Known by its listener alone, as it is for a while after it was made, and with a target outside of the VPC.
        elsewhere = self.target_group(
            f"{name}-d", self.vpc_id, 9000, [(one, None) for one in targets], target_type="ip"
        )
        self.listener(arn, 82, elsewhere)
        elbv2_backends[ACCOUNT_ID][REGION].target_groups[elsewhere].load_balancer_arns = []
        front = self.load_balancer(f"{name}-front", self.zones, [], type_="network", scheme="internal")
        behind = self.target_group(f"{name}-c", self.vpc_id, 80, [(arn, None)], target_type="alb", protocol="TCP")
        self.listener(front, 80, behind, protocol="TCP")
        if shared:
            self.network_interface(self.zones[1], group)
        return arn


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    # moto shows a change at once.
    monkeypatch.setattr(scripts, "apply_plan", partial(apply, pause=lambda _: None))
    monkeypatch.setattr(scripts, "undo_execution", partial(undo, pause=lambda _: None))
    with Estate() as estate:
        estate.build()
        for rule in RULE_NAMES:
            estate.config.issue_token(rule, ACCOUNT_ID)
            function = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{default_function(rule)}"
            estate.config.add_rule(rule, function, TAG if rule in (INGRESS, ICMP) else {})
        yield estate


def payload(arn: str, rule: str) -> dict[str, Any]:
    given = {"SharedGroup": "dedicated", "ManagedGroup": "refuse", "RulesPerGroup": "60", "ConfigRuleName": rule}
    limits = DocumentLimits(default_function(rule), approvers=("alice",)).text
    return {**HERE, **given, "LoadBalancerArn": arn, "Rule": rule, "Approvers": [], "Limits": limits}


def execution(aws: Estate) -> str:
    return f"execution-{aws.number}"


def fixed(aws: Estate, arn: str, rule: str) -> Outcome:
    """What the steps of a document answer, one after the other, or how one failed."""
    given = payload(arn, rule)
    try:
        planned = scripts.plan(given)
        if planned["outcome"] != scripts.PLANNED:
            return (planned["outcome"],)
        applied = scripts.apply({**given, "Fingerprint": planned["fingerprint"], "Execution": execution(aws)})
        verified = scripts.verify(given)
    except (scripts.StepFailedError, NotReadError, ClientError) as error:
        return ("rolled back",) if "failed and rolled back" in str(error) else ("failed", type(error).__name__)
    made = json.loads(applied["result"])["createdGroup"] is not None
    evaluated = verified["reevaluation"].startswith("AWS Config evaluates")
    return planned["outcome"], applied["outcome"], len(applied["added"]), made, verified["verdict"], evaluated


def taken_back(aws: Estate) -> Outcome:
    try:
        undone = scripts.undo({**HERE, "Execution": execution(aws)})
    except (scripts.StepFailedError, NotReadError, ClientError) as error:
        return ("failed", type(error).__name__)
    result = json.loads(undone["result"])
    return len(undone["revoked"]), len(result["deletedGroups"]), len(result["restored"]), undone["kept"]


SCENARIOS = ((True, False, OUTSIDE), (False, False, OUTSIDE), (True, True, OUTSIDE), (False, False, UNSEEN))


def outcomes_of_a_fix(aws: Estate, rule: str, role: Role, actions: Sequence[str]) -> Iterator[Outcome]:
    """A group of the load balancer's own, its only group, a group of its own that could not be added, and, of targets,
    one that may be reached already."""
    for shared, broken, target in SCENARIOS if rule in (EGRESS, HEALTH) else SCENARIOS[:-1]:
        role.allow(sorted(EVERYTHING))
        arn = aws.shop(shared=shared, target=target)
        if broken:
            aws.faults.fail("SetSecurityGroups", "InternalFailure")
        yield _outcome(aws, arn, rule, role, actions)


def outcomes_of_a_fix_of_targets(aws: Estate, rule: str, role: Role, actions: Sequence[str]) -> Iterator[Outcome]:
    """Rules in two groups of targets, and a second rule that fails, so that the first one is rolled back."""
    for broken in (False, True):
        role.allow(sorted(EVERYTHING))
        arn = aws.shop_with_closed_targets()
        if broken:
            aws.faults.fail(
                "AuthorizeSecurityGroupIngress",
                "InternalFailure",
                when=lambda request: "'IpPermissions.1.FromPort': 9000" in request,
            )
        outcome = _outcome(aws, arn, rule, role, actions)
        role.allow(sorted(EVERYTHING))
        yield (*outcome, _left_behind(aws))


def _outcome(aws: Estate, arn: str, rule: str, role: Role, actions: Sequence[str]) -> Outcome:
    judge_config_calls(aws, role)
    role.allow(actions)
    with role.assumed():
        found = fixed(aws, arn, rule)
    aws.faults.clear()
    return found


def _left_behind(aws: Estate) -> tuple[int, int]:
    """The numbers of security group rules and of recorded parameters of the last execution."""
    rules = aws.ec2.describe_security_group_rules(
        Filters=[{"Name": f"tag:{EXECUTION_TAG}", "Values": [execution(aws)]}]
    )
    found = boto3.client("ssm", REGION).get_parameters_by_path(Path=f"{RECORD_PATH}/{execution(aws)}", Recursive=True)
    return len(rules["SecurityGroupRules"]), len(found["Parameters"])


def outcomes_of_an_undo(aws: Estate, _: str, role: Role, actions: Sequence[str]) -> Iterator[Outcome]:
    """Inbound rules of one execution and outbound rules of another, each in a group that it made."""
    for rule in (INGRESS, EGRESS):
        given = payload(aws.shop(shared=True), rule)
        fingerprint = scripts.plan(given)["fingerprint"]
        assert scripts.apply({**given, "Fingerprint": fingerprint, "Execution": execution(aws)})["added"]
        role.allow(actions)
        with role.assumed():
            yield taken_back(aws)


def judge_config_calls(aws: Estate, role: Role) -> None:
    for action in (REEVALUATION_ACTION, RULE_ACTION):
        aws.faults.fail(action.removeprefix("config:"), "AccessDeniedException", when=partial(_is_denied, role, action))


def _is_denied(role: Role, action: str, _: str) -> bool:
    return not role.permits(action)


EVERYTHING = {action for name in DOCUMENTS for action in document_actions(name)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_is_denied_and_nothing_is_superfluous(document: str, aws: Estate, tmp_path: Path) -> None:
    template = templates_of(WHOLE, tmp_path)["member.yaml"]
    of_role = set(actions_of(of_type(template, "AWS::IAM::Role")["RemediationRole"]))
    assert of_role - {"s3:GetObject", "ssm:GetParameter"} == EVERYTHING
    declared = set(document_actions(document))
    role = Role("remediation", ACCOUNT_ID)
    rule = "" if document == UNDO_DOCUMENT else RECOMMENDATION_BY_DOCUMENT[document].name
    outcomes = {UNDO_DOCUMENT: outcomes_of_an_undo, TARGETS_DOCUMENT: outcomes_of_a_fix_of_targets}.get(
        document, outcomes_of_a_fix
    )

    whole = list(outcomes(aws, rule, role, sorted(declared)))
    met = ("COMPLIANT", True)
    if document == UNDO_DOCUMENT:
        assert [found[1:] for found in whole] == [(1, 1, [])] * 2
    elif document == TARGETS_DOCUMENT:
        # The targets' groups get the rules: no group is made.
        assert whole == [("planned", "applied", 2, False, *met, (2, 2)), ("rolled back", (0, 0))]
    else:
        rules = {INGRESS: 8, ICMP: 3, EGRESS: 2, HEALTH: 2}[rule]
        assert whole == [
            ("planned", "applied", rules, True, *met),
            ("planned", "applied", rules, False, *met),
            ("rolled back",),
            *([("refused",)] if rule in (EGRESS, HEALTH) else []),
        ]
    superfluous = [
        action
        for action in sorted(declared - NOT_JUDGED)
        if all(
            found == expected
            for found, expected in zip(outcomes(aws, rule, role, sorted(declared - {action})), whole, strict=True)
        )
    ]
    assert superfluous == []
