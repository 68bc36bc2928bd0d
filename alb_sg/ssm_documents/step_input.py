"""The payload that a document's step passes to its script. Every value is text, except the list of approvers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.clients import make_client
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.aws_document import limit_exemptions, read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.account import AccountClients, open_account
from alb_sg.remediation.fix_request import FixPolicy, FixRequest, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.tags import parse_tags
from alb_sg.ssm_documents.deployed_rule import read_deployed_rule
from alb_sg.ssm_documents.document_limits import DocumentLimits

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class StepInput:
    """One load balancer and the fix of one rule, in the account and region that the document runs in."""

    account: AccountClients
    load_balancer_arn: str
    rule: str
    fix: FixRequest
    limits: DocumentLimits


def read_step_input(payload: Payload) -> StepInput:
    """Raises InvalidInputError that names the parameter, and NotReadError if the exemptions cannot be read.

    Without them, the fix might open an exempt load balancer.
    """
    account_region = AccountRegion(required_text(payload, "AccountId"), required_text(payload, "Region"))
    arn, rule = required_text(payload, "LoadBalancerArn"), required_text(payload, "Rule")
    account_region.check_arn(arn, "LoadBalancerArn")
    limits = DocumentLimits.from_text(required_text(payload, "Limits"))
    config = make_client("config", account_region.region)
    deployed = read_deployed_rule(config, required_text(payload, "ConfigRuleName"), rule, limits.function)
    policy = FixPolicy(
        SharedGroupPolicy(required_text(payload, "SharedGroup")),
        ManagedGroupPolicy(required_text(payload, "ManagedGroup")),
        int(required_text(payload, "RulesPerGroup")),
        tags=parse_tags(payload.get("Tags", "")),
    )
    today = datetime.now(UTC).date()
    exemptions = _load_exemptions(deployed.parameters, account_region.region, deployed.function_account)
    fix = FixRequest(
        {RECOMMENDATIONS_BY_NAME[rule]: deployed.parameters},
        today,
        limits.narrowed(policy),
        limit_exemptions(exemptions, today, limits.max_exemption_days),
    )
    return StepInput(account_clients(payload), arn, rule, fix, limits)


def account_clients(payload: Payload) -> AccountClients:
    """Clients of the account and region that the document runs in, with its role."""
    return open_account(required_text(payload, "AccountId"), required_text(payload, "Region"))


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


def _load_exemptions(parameters: Parameters, region: str, owner: str) -> Exemptions:
    """The exemptions, in a bucket of the account `owner`: the functions read theirs in their own account."""
    if parameters.exemptions is None:
        return Exemptions("no exemptions")
    return read_exemptions(
        parameters.exemptions,
        lambda service: make_client(service, region),
        RECOMMENDATIONS_BY_NAME,
        bucket_owner=owner,
    )
