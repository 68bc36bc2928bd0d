"""The payload that a document's step passes to its script. Every value is text, except the list of approvers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.clients import make_client
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.aws_document import read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.live import LiveClients
from alb_sg.parameters import PARAMETERS, Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.fix_request import FixPolicy, FixRequest, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.tags import parse_tags

Payload = Mapping[str, Any]

RULE_PARAMETERS = frozenset(fact.name for fact in PARAMETERS)


@dataclass(frozen=True)
class StepInput:
    """One load balancer and the fix of one rule, in the account and region that the document runs in."""

    account: AccountClients
    load_balancer_arn: str
    rule: str
    fix: FixRequest


def read_step_input(payload: Payload) -> StepInput:
    """Raises InvalidInputError that names the parameter, and NotReadError if the exemptions cannot be read.

    Without them, the fix might open an exempt load balancer.
    """
    account_region = AccountRegion(required_text(payload, "AccountId"), required_text(payload, "Region"))
    arn, rule = required_text(payload, "LoadBalancerArn"), required_text(payload, "Rule")
    account_region.check_arn(arn, "LoadBalancerArn")
    parameters = parse_parameters({name: value for name, value in payload.items() if name in RULE_PARAMETERS})
    policy = FixPolicy(
        SharedGroupPolicy(required_text(payload, "SharedGroup")),
        ManagedGroupPolicy(required_text(payload, "ManagedGroup")),
        int(required_text(payload, "RulesPerGroup")),
        tags=parse_tags(payload.get("Tags", "")),
    )
    today = datetime.now(UTC).date()
    fix = FixRequest(
        {RECOMMENDATIONS_BY_NAME[rule]: parameters}, today, policy, _load_exemptions(parameters, account_region.region)
    )
    return StepInput(account_clients(payload), arn, rule, fix)


def account_clients(payload: Payload) -> AccountClients:
    """Clients of the account and region that the document runs in, with its role."""
    region = required_text(payload, "Region")
    clients = LiveClients(elbv2=make_client("elbv2", region), ec2=make_client("ec2", region))
    return AccountClients(clients, required_text(payload, "AccountId"), region)


def required_text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"text was expected, not {value!r}", name)
    return value


def text_list(payload: Payload, name: str) -> Sequence[str]:
    value = payload.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidInputError(f"a list of texts was expected, not {value!r}", name)
    return value


def _load_exemptions(parameters: Parameters, region: str) -> Exemptions:
    if parameters.exemptions is None:
        return Exemptions("no exemptions")
    return read_exemptions(parameters.exemptions, lambda service: make_client(service, region), RECOMMENDATIONS_BY_NAME)
