"""The parameters of the rule that AWS Config evaluates, from AWS Config itself: a document judges as its rule does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.parameters import Parameters, parse_parameters

NO_SUCH_RULE = "NoSuchConfigRuleException"
PLACE = "ConfigRuleName"


@dataclass(frozen=True)
class DeployedRule:
    """The parameters that AWS Config passes to the rule's function, and the account of the function."""

    parameters: Parameters
    function_account: str


def read_deployed_rule(config: Any, name: str, function: str) -> DeployedRule:
    """The rule of that name, whose function must be the deployment's. Raises InvalidInputError, NotReadError."""
    try:
        [rule] = config.describe_config_rules(ConfigRuleNames=[name])["ConfigRules"]
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and error_code(error) == NO_SUCH_RULE:
            raise InvalidInputError(
                f"AWS Config has no rule {name} in this account and region; name the rule as AWS Config does (a "
                "conformance pack adds to its name)",
                PLACE,
            ) from error
        raise NotReadError(f"the parameters of the rule {name}", error_text(error, "DescribeConfigRules")) from error
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadError(f"the parameters of the rule {name}", f"DescribeConfigRules: {error!r}") from error
    source = str(rule.get("Source", {}).get("SourceIdentifier", ""))
    account, _, found = source.partition(":function:")
    if found != function:
        raise InvalidInputError(f"{name} is a rule of {source or 'no function'}, not of the function {function}", PLACE)
    try:
        parameters = json.loads(rule.get("InputParameters") or "{}")
    except ValueError as error:
        raise NotReadError(f"the parameters of the rule {name}", f"they are no JSON ({error})") from error
    texts = {key: str(value) for key, value in parameters.items()}
    return DeployedRule(parse_parameters(texts), account.rpartition(":")[2])
