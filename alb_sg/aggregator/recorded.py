"""What an aggregator's answers say, read: verdicts, evaluations, load balancers, and where it collects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from alb_sg.aggregator.rule_names import rule_of
from alb_sg.errors import UnusableInput
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.files import decoded
from alb_sg.estate.from_api import Shape, items, shape, text
from alb_sg.estate.home import Home, account_id
from alb_sg.estate.model import LOAD_BALANCER_TYPE

T = TypeVar("T")

# A load balancer's ARN and a rule; an account and region and the name of a Config rule there.
Key = tuple[str, str]
RuleAt = tuple[Home, str]

LOAD_BALANCER_ARN = re.compile(r"arn:[^/]+:loadbalancer/[^/]+/[^/]+/[^/]+")

# The worst first: where a rule is deployed twice, the worse verdict counts.
INSUFFICIENT = "INSUFFICIENT_DATA"
VERDICTS = ("NON_COMPLIANT", INSUFFICIENT, "COMPLIANT", "NOT_APPLICABLE")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one Config rule says of one load balancer, by its ARN: one of `VERDICTS`. `rule` is which of the rules the
    Config rule is."""

    home: Home
    load_balancer_arn: str
    rule: str
    config_rule_name: str
    compliance: str

    @property
    def rank(self) -> tuple[int, str]:
        return VERDICTS.index(self.compliance), self.config_rule_name


@dataclass(frozen=True, slots=True)
class Evaluation:
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
            found.append(read(shape(decoded(row))))
        except UnusableInput as error:
            wrong.append(str(error.inside(f"Results[{number}]")))
    return found, wrong


def verdicts_in(row: Shape) -> list[Verdict]:
    """The verdicts of our rules in one resource's row. Raises UnusableInput."""
    home = home_in(row)
    configuration = shape(row.get("configuration"))
    arn = text(configuration, "targetResourceId")
    found = []
    for element in items(configuration.get("configRuleList")):
        one = shape(element)
        name = text(one, "configRuleName")
        rule = rule_of(name)
        if rule is not None:
            found.append(Verdict(home, arn, rule, name, _compliance(one)))
    if found:
        home.require(arn, "targetResourceId")
        if not LOAD_BALANCER_ARN.fullmatch(arn):
            raise UnusableInput(f"{arn!r} is not the ARN of a load balancer", "targetResourceId")
    return found


def load_balancer_in(row: Shape) -> ConfigItem:
    """The item of a load balancer. Raises UnusableInput."""
    item = read_item(row)
    if item is None or item.type != LOAD_BALANCER_TYPE:
        raise UnusableInput(f"{LOAD_BALANCER_TYPE} was asked for, not {row.get('resourceType')!r}", "resourceType")
    return item


def home_in(row: Shape) -> Home:
    """The account and region of a row. Raises UnusableInput."""
    return Home(account_id(row.get("accountId"), "accountId"), text(row, "awsRegion"))


def evaluation(result: Mapping[str, Any]) -> tuple[str, Evaluation]:
    """One of GetAggregateComplianceDetailsByConfigRule: the resource's id, and what is said of it."""
    time: datetime | None = result.get("ConfigRuleInvokedTime") or result.get("ResultRecordedTime")
    if time is not None:
        time = time.astimezone(UTC).replace(microsecond=0)
    qualifier = result.get("EvaluationResultIdentifier", {}).get("EvaluationResultQualifier", {})
    said = Evaluation(str(result.get("ComplianceType")), result.get("Annotation"), time)
    return str(qualifier.get("ResourceId")), said


def _compliance(element: Shape) -> str:
    value = text(element, "complianceType").upper()
    if value not in VERDICTS:
        raise UnusableInput(f"{value!r} is no verdict of AWS Config", "complianceType")
    return value
