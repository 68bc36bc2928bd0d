"""What an aggregator's answers say, read: verdicts, evaluations, load balancers, and where it collects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from alb_sg.aggregator.rule_names import find_rule
from alb_sg.aws.account_region import AccountRegion, parse_account_id
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.field_readers import Shape, list_or_empty, require_object, required_text
from alb_sg.estate.json_files import parse_if_text
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE

T = TypeVar("T")

# A load balancer's ARN and a rule; an account and region and the name of a Config rule there.
VerdictKey = tuple[str, str]
ConfigRuleKey = tuple[AccountRegion, str]

LOAD_BALANCER_ARN = re.compile(r"arn:[^/]+:loadbalancer/[^/]+/[^/]+/[^/]+")

# The worst first: where a rule is deployed twice, the worse verdict counts.
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
COMPLIANCE_TYPES = ("NON_COMPLIANT", INSUFFICIENT_DATA, "COMPLIANT", "NOT_APPLICABLE")


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """What one Config rule says of one load balancer, by its ARN: one of `VERDICTS`. `rule` is which of the rules the
    Config rule is."""

    account_region: AccountRegion
    load_balancer_arn: str
    rule: str
    config_rule_name: str
    compliance: str

    @property
    def rank(self) -> tuple[int, str]:
        return COMPLIANCE_TYPES.index(self.compliance), self.config_rule_name


@dataclass(frozen=True, slots=True)
class RecordedEvaluation:
    """The annotation of a verdict, and when the rule was last run for it (UTC), where AWS Config says so."""

    compliance: str
    annotation: str | None
    time: datetime | None


def read_rows(rows: Iterable[str], read: Callable[[Shape], T]) -> tuple[list[T], list[str]]:
    """The rows of a query, each an object as JSON text, and what is wrong with those that cannot be read."""
    found: list[T] = []
    wrong: list[str] = []
    for number, row in enumerate(rows):
        try:
            found.append(read(require_object(parse_if_text(row))))
        except InvalidInputError as error:
            wrong.append(str(error.inside(f"Results[{number}]")))
    return found, wrong


def read_verdicts(row: Shape) -> list[RecordedVerdict]:
    """The verdicts of our rules in one resource's row. Raises InvalidInputError."""
    account_region = read_account_region(row)
    configuration = require_object(row.get("configuration"))
    arn = required_text(configuration, "targetResourceId")
    found = []
    for element in list_or_empty(configuration.get("configRuleList")):
        one = require_object(element)
        name = required_text(one, "configRuleName")
        rule = find_rule(name)
        if rule is not None:
            found.append(RecordedVerdict(account_region, arn, rule, name, _compliance(one)))
    if found:
        account_region.check_arn(arn, "targetResourceId")
        if not LOAD_BALANCER_ARN.fullmatch(arn):
            raise InvalidInputError(f"{arn!r} is not the ARN of a load balancer", "targetResourceId")
    return found


def read_load_balancer(row: Shape) -> ConfigItem:
    """The item of a load balancer. Raises InvalidInputError."""
    item = read_item(row)
    if item is None or item.type != LOAD_BALANCER_TYPE:
        raise InvalidInputError(f"{LOAD_BALANCER_TYPE} was asked for, not {row.get('resourceType')!r}", "resourceType")
    return item


def read_account_region(row: Shape) -> AccountRegion:
    """The account and region of a row. Raises InvalidInputError."""
    return AccountRegion(parse_account_id(row.get("accountId"), "accountId"), required_text(row, "awsRegion"))


def read_evaluation(result: Mapping[str, Any]) -> tuple[str, RecordedEvaluation]:
    """One of GetAggregateComplianceDetailsByConfigRule: the resource's id, and what is said of it."""
    time: datetime | None = result.get("ConfigRuleInvokedTime") or result.get("ResultRecordedTime")
    if time is not None:
        time = time.astimezone(UTC).replace(microsecond=0)
    qualifier = result.get("EvaluationResultIdentifier", {}).get("EvaluationResultQualifier", {})
    said = RecordedEvaluation(str(result.get("ComplianceType")), result.get("Annotation"), time)
    return str(qualifier.get("ResourceId")), said


def _compliance(element: Shape) -> str:
    value = required_text(element, "complianceType").upper()
    if value not in COMPLIANCE_TYPES:
        raise InvalidInputError(f"{value!r} is no verdict of AWS Config", "complianceType")
    return value
