"""The parameters of the rule that AWS Config evaluates, from AWS Config itself: a document judges as its rule does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.parameters import PARAMETERS, Parameters, parse_parameters

NO_SUCH_RULE = "NoSuchConfigRuleException"
DEFAULTS = {definition.name: definition.default for definition in PARAMETERS}
PLACE = "ConfigRuleName"


@dataclass(frozen=True)
class DeployedRule:
    """`parameters` as AWS Config passes them to the function; `function_account` is the account of the function."""

    name: str
    parameters: Mapping[str, str]
    function_account: str

    def parse(self, given: Mapping[str, str]) -> Parameters:
        """The rule's parameters. Raises InvalidInputError where `given` says something else than the rule does."""
        for name, value in given.items():
            own = self.parameters.get(name, DEFAULTS[name])
            if value not in (own, DEFAULTS[name]):
                raise InvalidInputError(
                    f"{value!r} is not what the rule {self.name} has, {own!r}; leave it out, the document takes the "
                    "rule's own",
                    name,
                )
        return parse_parameters(self.parameters)


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
    return DeployedRule(name, {key: str(value) for key, value in parameters.items()}, account.rpartition(":")[2])
