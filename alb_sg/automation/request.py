"""What a document's step hands to its script, read: every value is text, but for the list of approvers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from alb_sg.errors import UnusableInput
from alb_sg.estate.home import Home
from alb_sg.exemptions.aws import read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.live import LiveClients, client_config
from alb_sg.parameters import PARAMETERS, Parameters, parse_parameters
from alb_sg.recommendations.catalogue import BY_NAME
from alb_sg.remediation.account import Account
from alb_sg.remediation.policy import Fix, ManagedGroup, Policy, SharedGroup

Payload = Mapping[str, Any]

RULE_PARAMETERS = frozenset(fact.name for fact in PARAMETERS)


@dataclass(frozen=True)
class Request:
    """One load balancer, one rule, and how it is to be fixed, in the account and region that the document runs in."""

    account: Account
    load_balancer_arn: str
    rule: str
    fix: Fix


def read_request(payload: Payload) -> Request:
    """Raises UnusableInput that names the parameter, and Unread where exemptions are not to be had: whoever is exempt
    must not be fixed."""
    home = Home(text(payload, "AccountId"), text(payload, "Region"))
    arn, rule = text(payload, "LoadBalancerArn"), text(payload, "Rule")
    home.require(arn, "LoadBalancerArn")
    parameters = parse_parameters({name: value for name, value in payload.items() if name in RULE_PARAMETERS})
    policy = Policy(
        SharedGroup(text(payload, "SharedGroup")),
        ManagedGroup(text(payload, "ManagedGroup")),
        int(text(payload, "RulesPerGroup")),
    )
    today = datetime.now(UTC).date()
    fix = Fix({BY_NAME[rule]: parameters}, today, policy, _exemptions(parameters, home.region))
    return Request(account_of(payload), arn, rule, fix)


def account_of(payload: Payload) -> Account:
    """Clients of the account and region that the document runs in, with the role that it runs as."""
    region = text(payload, "Region")
    clients = LiveClients(elbv2=client("elbv2", region), ec2=client("ec2", region))
    return Account(clients, text(payload, "AccountId"), region)


def text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise UnusableInput(f"text was expected, not {value!r}", name)
    return value


def texts(payload: Payload, name: str) -> Sequence[str]:
    value = payload.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UnusableInput(f"a list of texts was expected, not {value!r}", name)
    return value


def client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region, config=client_config())  # type: ignore[call-overload]  # not a literal


def _exemptions(parameters: Parameters, region: str) -> Exemptions:
    if parameters.exemptions is None:
        return Exemptions("no exemptions")
    return read_exemptions(parameters.exemptions, lambda service: client(service, region))
