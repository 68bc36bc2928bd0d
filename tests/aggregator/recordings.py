"""Answers of AWS Config's aggregator and of Organizations, in their recorded shapes, behind botocore's Stubber.

The Stubber checks each request and each answer against the API's model. Answers are given in the order in which they
were added, so calls are made one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.stub import ANY, Stubber

from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.requests import AggregatorClients
from alb_sg.aws.account_region import AccountRegion
from alb_sg.observations.observation import Observation
from tests.builders import ACCOUNT, REGION, RULES
from tests.clients import make_client

AGGREGATOR = "alb-sg"
AS_OF = datetime(2027, 1, 31, 8, 0, tzinfo=UTC)
ACCOUNT_REGION = AccountRegion(ACCOUNT, REGION)
OTHER = AccountRegion("444455556666", "eu-west-1")
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
EVALUATED = datetime(2027, 1, 30, 23, 15, 12, 345000, tzinfo=UTC)

Shape = dict[str, Any]


def arn(name: str = "web", account_region: AccountRegion = ACCOUNT_REGION, kind: str = "app") -> str:
    return (
        f"arn:aws:elasticloadbalancing:{account_region.region}:{account_region.account_id}:loadbalancer/{kind}/"
        f"{name}/50dc6c495c0c9188"
    )


def config_rule(rule: str, compliance: str = "COMPLIANT", account_region: AccountRegion = ACCOUNT_REGION) -> Shape:
    """A Config rule of an account and region, with its compliance there."""
    return {
        "ConfigRuleName": rule,
        "Compliance": {"ComplianceType": compliance},
        "AccountId": account_region.account_id,
        "AwsRegion": account_region.region,
    }


def verdicts(
    name: str,
    said: Mapping[str, str],
    account_region: AccountRegion = ACCOUNT_REGION,
    *,
    captured: datetime | None = None,
) -> str:
    """A resource's row: what each Config rule says of it, as AWS Config recorded it at that time."""
    rules = [
        {
            "configRuleArn": (
                f"arn:aws:config:{account_region.region}:"
                f"{account_region.account_id}:config-rule/config-rule-{number:06}"
            ),
            "configRuleId": f"config-rule-{number:06}",
            "configRuleName": rule,
            "complianceType": compliance,
        }
        for number, (rule, compliance) in enumerate(said.items())
    ]
    row = {
        "accountId": account_region.account_id,
        "awsRegion": account_region.region,
        "configuration": {"targetResourceId": arn(name, account_region), "configRuleList": rules},
    }
    if captured is not None:
        row["configurationItemCaptureTime"] = captured.isoformat()
    return json.dumps(row)


def load_balancer(
    name: str,
    account_region: AccountRegion = ACCOUNT_REGION,
    *,
    kind: str = "app",
    scheme: str = "internet-facing",
    tags: Sequence[Shape] = (),
) -> str:
    configuration = {
        "loadBalancerArn": arn(name, account_region, kind),
        "loadBalancerName": name,
        "type": "application" if kind == "app" else "network",
        "scheme": scheme,
        "state": {"code": "active"},
        "vpcId": "vpc-1",
        "ipAddressType": "ipv4",
        "securityGroups": ["sg-1"],
        "availabilityZones": [],
    }
    row = {
        "accountId": account_region.account_id,
        "awsRegion": account_region.region,
        "resourceType": LOAD_BALANCER,
        "resourceId": arn(name, account_region, kind),
        "arn": arn(name, account_region, kind),
        "configurationItemCaptureTime": "2027-01-29T10:00:00.000Z",
        "configurationItemStatus": "OK",
        "configuration": configuration,
        "tags": list(tags),
    }
    return json.dumps(row)


def counted(account_region: AccountRegion, region: str | None = None) -> str:
    return json.dumps(
        {"accountId": account_region.account_id, "awsRegion": region or account_region.region, "COUNT(*)": 7}
    )


def source(
    account_region: AccountRegion, status: str = "SUCCEEDED", code: str | None = None, message: str | None = None
) -> Shape:
    said = {"LastErrorCode": code, "LastErrorMessage": message}
    return {
        "SourceId": account_region.account_id,
        "SourceType": "ACCOUNT",
        "AwsRegion": account_region.region,
        "LastUpdateStatus": status,
        "LastUpdateTime": EVALUATED,
        **{name: value for name, value in said.items() if value is not None},
    }


HERE = (source(ACCOUNT_REGION),)
ORGANIZATION: Shape = {
    "SourceId": "o-a1b2c3d4e5",
    "SourceType": "ORGANIZATION",
    "AwsRegion": REGION,
    "LastUpdateStatus": "SUCCEEDED",
    "LastUpdateTime": EVALUATED,
}


def evaluation(
    name: str,
    compliance: str = "NON_COMPLIANT",
    annotation: str | None = None,
    *,
    account_region: AccountRegion = ACCOUNT_REGION,
    time: datetime = EVALUATED,
    rule: str = "",
) -> Shape:
    qualifier = {
        "ResourceType": LOAD_BALANCER,
        "ResourceId": arn(name, account_region),
        "ConfigRuleName": rule or "a rule",
    }
    return {
        "EvaluationResultIdentifier": {"EvaluationResultQualifier": qualifier, "OrderingTimestamp": time},
        "ComplianceType": compliance,
        "ConfigRuleInvokedTime": time,
        "ResultRecordedTime": time,
        **({} if annotation is None else {"Annotation": annotation}),
        "AccountId": account_region.account_id,
        "AwsRegion": account_region.region,
    }


@dataclass(frozen=True)
class Failure:
    """An answer that is an error."""

    code: str
    message: str = "no"


Page = Sequence[Any] | Failure


@dataclass
class Recording:
    """A stubbed aggregator. Answers are one page each, unless they are given as several."""

    config: Any = field(default_factory=lambda: make_client("config"))
    organizations: Any = field(default_factory=lambda: make_client("organizations"))

    def __post_init__(self) -> None:
        self._config = Stubber(self.config)
        self._organizations = Stubber(self.organizations)
        self._config.activate()
        self._organizations.activate()

    def first_step(
        self,
        verdicts: Sequence[str | Page] = (),
        load_balancers: Sequence[str | Page] = (),
        recorded: Sequence[str] | Failure = (),
        sources: Sequence[Shape | Page] | Failure = HERE,
        config_rules: Sequence[Shape | Page] | Failure = (),
    ) -> None:
        """The answers to the first five requests."""
        rules_call = ("describe_aggregate_compliance_by_config_rules", {"Limit": 1000})
        self.pages(rules_call, "AggregateComplianceByConfigRules", config_rules)
        self.pages(_select("ResourceCompliance' AND configuration.targetResourceType"), "Results", verdicts)
        self.pages(_select("configurationStateId"), "Results", load_balancers)
        self.pages(_select("COUNT(*)"), "Results", recorded)
        name = "describe_configuration_aggregator_sources_status"
        self.pages((name, {}), "AggregatedSourceStatusList", sources)

    def evaluations(
        self, rule: str, found: Sequence[Shape | Page] | Failure, account_region: AccountRegion = ACCOUNT_REGION
    ) -> None:
        """The answer to what a Config rule says; these are asked in the order of account, region and name."""
        parameters = {
            "ConfigRuleName": rule,
            "AccountId": account_region.account_id,
            "AwsRegion": account_region.region,
        }
        name = "get_aggregate_compliance_details_by_config_rule"
        self.pages((name, parameters), "AggregateEvaluationResults", found)

    def pages(self, call: tuple[str, Shape], member: str, found: Sequence[Any] | Failure) -> None:
        name, parameters = call
        several = bool(found) and not isinstance(found, Failure) and isinstance(found[0], list | Failure)
        pages: Sequence[Page] = found if several and not isinstance(found, Failure) else [found]
        for number, page in enumerate(pages):
            expected = {"ConfigurationAggregatorName": AGGREGATOR, "Limit": 100, **parameters}
            if number:
                expected["NextToken"] = f"token-{number}"
            if isinstance(page, Failure):
                self._config.add_client_error(name, page.code, page.message, 400, expected_params=expected)
                return
            more = {"NextToken": f"token-{number + 1}"} if number + 1 < len(pages) else {}
            self._config.add_response(name, {member: list(page), **more}, expected)

    def organization(self, name: str, answer: Shape | Failure, **parameters: Any) -> None:
        expected = {"MaxResults": ANY, **parameters} if name != "list_roots" else parameters
        if isinstance(answer, Failure):
            self._organizations.add_client_error(name, answer.code, answer.message, 400, expected_params=expected)
        else:
            self._organizations.add_response(name, answer, expected)

    def observed(self, rules: Sequence[str] | None = RULES, *, names: bool = False) -> Observation:
        """What is observed, after which no answer is left over."""
        clients = AggregatorClients(self.config, self.organizations if names else None)
        observation = observe(clients, AGGREGATOR, rules, AS_OF)
        self._config.assert_no_pending_responses()
        self._organizations.assert_no_pending_responses()
        return observation


class _Holding:
    """Equal to every query that holds a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self._text in other

    __hash__ = object.__hash__


def _select(holding: str) -> tuple[str, Shape]:
    return "select_aggregate_resource_config", {"Expression": _Holding(holding)}
