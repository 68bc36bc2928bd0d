"""The responses of an aggregator: verdicts, evaluations and load balancers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from alb_sg.aws.account_region import AccountRegion, account_region_in, find_account_region
from alb_sg.aws.arns import is_load_balancer_arn
from alb_sg.aws.calls import ApiResponse
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_item import ConfigItem, parse_capture_time, read_item
from alb_sg.estate.field_readers import Shape, optional_text, require_object, required_list, required_text
from alb_sg.estate.json_files import parse_if_text
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

T = TypeVar("T")


# The worst first: where a rule is deployed twice, the worse verdict counts.
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
COMPLIANT = "COMPLIANT"
COMPLIANCE_TYPES = ("NON_COMPLIANT", INSUFFICIENT_DATA, COMPLIANT, "NOT_APPLICABLE")

# AWS Config names a rule of a conformance pack NAME-conformance-pack-szsm1uv0w and an organization's rule
# OrgConfigRule-NAME-dbgzf8ba; other tools add words of their own. All of them contain the whole name, with no letter,
# digit or underscore next to it.
_RULE_NAME = re.compile(rf"(?<![A-Za-z0-9_])({'|'.join(sorted(RECOMMENDATIONS_BY_NAME))})(?![A-Za-z0-9_])")


class ConfigRule(NamedTuple):
    """A Config rule of an account and region, and the rule that it is a deployment of."""

    account_region: AccountRegion
    name: str
    rule: str


@dataclass(frozen=True, slots=True)
class RecordedEvaluation:
    """AWS Config's result of a Config rule for a load balancer; `compliance` is one of COMPLIANCE_TYPES.

    `recorded` is when AWS Config recorded it; None where that is unknown. Only the compliance API gives the
    `annotation` and the `time` (UTC) of the rule's last run.
    """

    config_rule: ConfigRule
    load_balancer_arn: str
    compliance: str
    recorded: datetime | None = None
    annotation: str | None = None
    time: datetime | None = None

    @property
    def account_region(self) -> AccountRegion:
        return self.config_rule.account_region

    @property
    def rank(self) -> tuple[int, str]:
        return COMPLIANCE_TYPES.index(self.compliance), self.config_rule.name


class UnreadableRow(NamedTuple):
    """A row of a query that could not be read. `account_region` is None where the row does not name them."""

    account_region: AccountRegion | None
    cause: str


def read_rows(response: ApiResponse, read: Callable[[Shape], T]) -> tuple[dict[int, T], list[UnreadableRow]]:
    """The rows of a query, each an object as JSON text, by their number, and those that could not be read."""
    rows: dict[int, T] = {}
    unreadable: list[UnreadableRow] = []
    for number, row in enumerate(response.items):
        fields: Shape = {}
        try:
            fields = require_object(parse_if_text(row))
            rows[number] = read(fields)
        except InvalidInputError as error:
            place = str(fields.get("resourceId") or f"Results[{number}]")
            cause = f"{response.operation}: {error.inside(place)}"
            unreadable.append(UnreadableRow(find_account_region(fields), cause))
    return rows, unreadable


def find_rule(config_rule_name: str) -> str | None:
    """The rule that a Config rule is a deployment of; None for any other Config rule."""
    match = _RULE_NAME.search(config_rule_name)
    return None if match is None else match[1]


def read_config_rule(result: Shape) -> tuple[ConfigRule, str] | None:
    """A deployment of one of our rules, with its compliance type; None for any other Config rule.

    Reads a result of DescribeAggregateComplianceByConfigRules. Raises InvalidInputError.
    """
    name = required_text(result, "ConfigRuleName")
    rule = find_rule(name)
    if rule is None:
        return None
    compliance = require_object(result.get("Compliance") or {}).get("ComplianceType") or INSUFFICIENT_DATA
    account_region = account_region_in(result, "AccountId", "AwsRegion")
    return ConfigRule(account_region, name, rule), str(compliance)


def read_verdicts(row: Shape) -> list[RecordedEvaluation]:
    """The verdicts of our rules in the row of one resource. Raises InvalidInputError."""
    account_region = account_region_in(row)
    recorded = parse_capture_time(row.get("configurationItemCaptureTime"))
    configuration = require_object(row.get("configuration"))
    arn = required_text(configuration, "targetResourceId")
    verdicts = []
    for element in required_list(configuration, "configRuleList"):
        config_rule = require_object(element)
        name = required_text(config_rule, "configRuleName")
        rule = find_rule(name)
        if rule is not None:
            compliance = _compliance(config_rule, "complianceType")
            verdicts.append(RecordedEvaluation(ConfigRule(account_region, name, rule), arn, compliance, recorded))
    if verdicts:
        _check_load_balancer(arn, account_region, "targetResourceId")
    return verdicts


def read_load_balancer(row: Shape) -> ConfigItem:
    """The item of a load balancer. Raises InvalidInputError."""
    item = read_item(row)
    if item is None or item.type != LOAD_BALANCER_TYPE:
        raise InvalidInputError(f"{LOAD_BALANCER_TYPE} was expected, not {row.get('resourceType')!r}", "resourceType")
    if item.unread_cause is not None:
        raise InvalidInputError(item.unread_cause)
    return item


def read_evaluation(result: Shape, config_rule: ConfigRule) -> RecordedEvaluation | None:
    """A result of GetAggregateComplianceDetailsByConfigRule for a Config rule; None if it is on another resource type.

    Raises InvalidInputError.
    """
    identifier = require_object(result.get("EvaluationResultIdentifier"))
    qualifier = require_object(identifier.get("EvaluationResultQualifier"))
    if qualifier.get("ResourceType") != LOAD_BALANCER_TYPE:
        return None
    arn = required_text(qualifier, "ResourceId")
    _check_load_balancer(arn, config_rule.account_region, "ResourceId")
    invoked, recorded = result.get("ConfigRuleInvokedTime"), result.get("ResultRecordedTime")
    time = next((one for one in (invoked, recorded) if isinstance(one, datetime)), None)
    return RecordedEvaluation(
        config_rule,
        arn,
        _compliance(result, "ComplianceType"),
        next((one for one in (recorded, invoked) if isinstance(one, datetime)), None),
        optional_text(result, "Annotation"),
        None if time is None else time.astimezone(UTC).replace(microsecond=0),
    )


def _check_load_balancer(arn: str, account_region: AccountRegion, field: str) -> None:
    account_region.check_arn(arn, field)
    if not is_load_balancer_arn(arn):
        raise InvalidInputError(f"{arn!r} is not the ARN of a load balancer", field)


def _compliance(element: Shape, field: str) -> str:
    value = required_text(element, field).upper()
    if value not in COMPLIANCE_TYPES:
        raise InvalidInputError(f"{value!r} is not a compliance type of AWS Config", field)
    return value
