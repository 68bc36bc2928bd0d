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


def read_deployed_rule(config: Any, name: str, rule_name: str, function: str) -> DeployedRule:
    """The rule of that name, if the deployment made it: its function is the deployment's, and it is called `rule_name`
    or belongs to a conformance pack or an organization. Anybody who may create rules could give another one of the same
    function other parameters. Raises InvalidInputError, NotReadError.
    """
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
    # Only AWS services can set CreatedBy (ConfigRule in the API reference).
    if name != rule_name and not rule.get("CreatedBy"):
        raise InvalidInputError(
            f"{name} is another rule than {rule_name}, and belongs to no conformance pack or organization", PLACE
        )
    try:
        parameters = json.loads(rule.get("InputParameters") or "{}")
    except ValueError as error:
        raise NotReadError(f"the parameters of the rule {name}", f"they are no JSON ({error})") from error
    texts = {key: str(value) for key, value in parameters.items()}
    return DeployedRule(parse_parameters(texts), account.rpartition(":")[2])
