"""The input of a document's step: the payload that it passes to its script, and its rule as AWS Config has it.

Every value of the payload is text, except the list of approvers. A document judges as its rule does, so it takes the
rule's parameters from AWS Config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.aws.clients import make_client
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.aws_document import limit_exemptions, read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.account import AccountClients, open_account
from alb_sg.remediation.fix_request import FixPolicy, FixRequest, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.tags import parse_tags
from alb_sg.ssm_documents.document_limits import DocumentLimits

Payload = Mapping[str, Any]

CONFIG_RULE_NAME = "ConfigRuleName"
NO_SUCH_RULE = "NoSuchConfigRuleException"


@dataclass(frozen=True)
class StepInput:
    """One load balancer and the fix of one rule, in the account and region that the document runs in."""

    account: AccountClients
    load_balancer_arn: str
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
    name = required_text(payload, CONFIG_RULE_NAME)
    parameters, function_account = _read_rule(make_client("config", account_region.region), name, rule, limits.function)
    policy = FixPolicy(
        SharedGroupPolicy(required_text(payload, "SharedGroup")),
        ManagedGroupPolicy(required_text(payload, "ManagedGroup")),
        int(required_text(payload, "RulesPerGroup")),
        tags=parse_tags(payload.get("Tags", "")),
    )
    today = datetime.now(UTC).date()
    exemptions = Exemptions("no exemptions")
    if parameters.exemptions is not None:
        # In a bucket of the functions' account: they read theirs in their own.
        exemptions = read_exemptions(
            parameters.exemptions,
            lambda service: make_client(service, account_region.region),
            RECOMMENDATIONS_BY_NAME,
            bucket_owner=function_account,
        )
    fix = FixRequest(
        {RECOMMENDATIONS_BY_NAME[rule]: parameters},
        today,
        limits.narrowed(policy),
        limit_exemptions(exemptions, today, limits.max_exemption_days),
    )
    return StepInput(account_clients(payload), arn, fix, limits)


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


def _read_rule(config: Any, name: str, rule_name: str, function: str) -> tuple[Parameters, str]:
    """The parameters that AWS Config passes to the function of the rule `name`, and the function's account.

    It must be a rule of the deployment: its function is the deployment's, and it is called `rule_name` or belongs to a
    conformance pack or an organization. Anybody who may create rules could give another one of the same function other
    parameters. Raises InvalidInputError, NotReadError.
    """
    try:
        [rule] = config.describe_config_rules(ConfigRuleNames=[name])["ConfigRules"]
    except AWS_ERRORS as error:
        if error_code(error) == NO_SUCH_RULE:
            raise InvalidInputError(
                f"AWS Config has no rule {name} in this account and region; name the rule as AWS Config does (a "
                "conformance pack adds to its name)",
                CONFIG_RULE_NAME,
            ) from error
        raise NotReadError(f"the parameters of the rule {name}", error_text(error, "DescribeConfigRules")) from error
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadError(f"the parameters of the rule {name}", f"DescribeConfigRules: {error!r}") from error
    source = str(rule.get("Source", {}).get("SourceIdentifier", ""))
    account, _, found = source.partition(":function:")
    if found != function:
        raise InvalidInputError(
            f"{name} is a rule of {source or 'no function'}, not of the function {function}", CONFIG_RULE_NAME
        )
    # Only AWS services can set CreatedBy (ConfigRule in the API reference).
    if name != rule_name and not rule.get("CreatedBy"):
        raise InvalidInputError(
            f"{name} is another rule than {rule_name}, and belongs to no conformance pack or organization",
            CONFIG_RULE_NAME,
        )
    try:
        parameters = json.loads(rule.get("InputParameters") or "{}")
    except ValueError as error:
        raise NotReadError(f"the parameters of the rule {name}", f"they are no JSON ({error})") from error
    texts = {key: str(value) for key, value in parameters.items()}
    return parse_parameters(texts), account.rpartition(":")[2]
