"""Checks of the Config rules: whether they are there, run, and have recent verdicts and readable exemptions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from alb_sg.aggregator.responses import find_rule
from alb_sg.aws.rule_frequencies import DEFAULT_FREQUENCY, FREQUENCY_SECONDS
from alb_sg.doctor.check import Check, CheckResult
from alb_sg.doctor.reader import Reader
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.exemptions.aws_document import read_exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.phrasing import pluralize
from alb_sg.parameters import EXEMPTIONS_PARAMETER, SOURCE_PARAMETER, Source
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation

RULES = Check("rules", "A rule that is not deployed judges nothing.")
LAST_EVALUATION = Check("last evaluation", "A rule that fails keeps its old verdicts, which may be wrong by now.")
VERDICT_AGE = Check(
    "age of verdicts", "A scheduled run renews every verdict. An old one may be of a load balancer that fails."
)
EXEMPTIONS = Check("exemptions", "If a function cannot read its exemptions, none applies, and every invocation fails.")

# So many periods of a rule may pass without a run.
PERIODS = 2


@dataclass(frozen=True, slots=True)
class DeployedRule:
    """A Config rule of this account and region that is a deployment of `recommendation`."""

    name: str
    recommendation: Recommendation
    function_arn: str
    parameters: Mapping[str, str]
    period: timedelta

    @property
    def function_account(self) -> str:
        return self.function_arn.split(":")[4] if self.function_arn.count(":") >= 6 else ""

    @property
    def is_from_recordings(self) -> bool:
        return self.parameters.get(SOURCE_PARAMETER, "").strip().lower() == Source.CONFIG.value


def read_deployed_rules(reader: Reader, place: str) -> tuple[list[DeployedRule], list[CheckResult]]:
    """The deployments of all rules, and the results of the check that they are there."""
    response = reader.list("config", "describe_config_rules", "ConfigRules")
    if response.failure is not None:
        return [], [RULES.unread(place, response.failure)]
    rules = []
    for fields in response.items:
        name = find_rule(str(fields.get("ConfigRuleName")))
        if name is not None:
            rules.append(_deployed_rule(fields, RECOMMENDATIONS_BY_NAME[name]))
    rules.sort(key=lambda rule: rule.name)
    return rules, list(_rules_results(place, rules, response.items))


def _deployed_rule(fields: Mapping[str, Any], recommendation: Recommendation) -> DeployedRule:
    source = fields.get("Source") or {}
    details = [detail.get("MaximumExecutionFrequency") for detail in source.get("SourceDetails") or ()]
    frequency = next(filter(None, [fields.get("MaximumExecutionFrequency"), *details]), DEFAULT_FREQUENCY)
    return DeployedRule(
        name=str(fields["ConfigRuleName"]),
        recommendation=recommendation,
        function_arn=str(source.get("SourceIdentifier") or ""),
        parameters=_parameters(fields.get("InputParameters")),
        period=timedelta(seconds=FREQUENCY_SECONDS.get(frequency, FREQUENCY_SECONDS[DEFAULT_FREQUENCY])),
    )


def _parameters(text: object) -> dict[str, str]:
    try:
        content = json.loads(str(text or "{}"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in content.items()} if isinstance(content, dict) else {}


def _rules_results(
    place: str, rules: Sequence[DeployedRule], config_rules: Iterable[Mapping[str, Any]]
) -> Iterator[CheckResult]:
    if not rules:
        yield RULES.problem(place, "no rule of alb-sg is deployed", "deploy the rules or the conformance pack")
        return
    deployed = {rule.recommendation.name for rule in rules}
    expected = {recommendation.name for recommendation in DEFAULT_RECOMMENDATIONS}
    states = {str(found.get("ConfigRuleName")): str(found.get("ConfigRuleState")) for found in config_rules}
    inactive = [f"{rule.name} is {states[rule.name]}" for rule in rules if states[rule.name] != "ACTIVE"]
    missing = sorted(expected - deployed)
    if inactive:
        yield RULES.problem(place, "; ".join(inactive), "deploy it again")
    elif missing:
        yield RULES.notice(
            place,
            f"{', '.join(missing)} not deployed",
            "deploy them, unless rdk-config.json leaves them out on purpose",
        )
    else:
        yield RULES.ok(place, f"{pluralize(len(rules), 'rule')} deployed")


def check_last_evaluations(
    reader: Reader, place: str, rules: Sequence[DeployedRule], now: datetime
) -> Iterator[CheckResult]:
    """Whether each rule was invoked within two of its periods, and the last time without an error."""
    if not rules:
        return
    response = reader.list("config", "describe_config_rule_evaluation_status", "ConfigRulesEvaluationStatus")
    if response.failure is not None:
        yield LAST_EVALUATION.unread(place, response.failure)
        return
    statuses = {status.get("ConfigRuleName"): status for status in response.items}
    for rule in rules:
        yield _last_evaluation(f"{place} {rule.name}", rule, statuses.get(rule.name) or {}, now)


def _last_evaluation(place: str, rule: DeployedRule, status: Mapping[str, Any], now: datetime) -> CheckResult:
    succeeded, failed = status.get("LastSuccessfulInvocationTime"), status.get("LastFailedInvocationTime")
    rerun = "aws configservice start-config-rules-evaluation --config-rule-names " + rule.name
    look = f"read the function's log and the failed-event queue; then {rerun}"
    if failed is not None and (succeeded is None or failed > succeeded):
        reason = ": ".join(str(status[key]) for key in ("LastErrorCode", "LastErrorMessage") if status.get(key))
        return LAST_EVALUATION.problem(place, f"failed at {_time(failed)}{f': {reason}' if reason else ''}", look)
    if succeeded is None:
        return LAST_EVALUATION.problem(place, "it has never run", f"{rerun}; then look again")
    if now - succeeded > PERIODS * rule.period:
        return LAST_EVALUATION.problem(place, f"it ran last at {_time(succeeded)}, more than two periods ago", look)
    return LAST_EVALUATION.ok(place, f"it ran last at {_time(succeeded)}")


def check_verdict_ages(
    reader: Reader, place: str, rules: Sequence[DeployedRule], now: datetime
) -> Iterator[CheckResult]:
    """Verdicts that no scheduled run has renewed for two periods."""
    for rule in rules:
        at = f"{place} {rule.name}"
        response = reader.list(
            "config",
            "get_compliance_details_by_config_rule",
            "EvaluationResults",
            ConfigRuleName=rule.name,
            ComplianceTypes=["COMPLIANT", "NON_COMPLIANT"],
        )
        if response.failure is not None:
            yield VERDICT_AGE.unread(at, response.failure)
            continue
        times = [
            (result.get("ConfigRuleInvokedTime") or result.get("ResultRecordedTime"), _resource_id(result))
            for result in response.items
            if _qualifier(result).get("ResourceType") == LOAD_BALANCER_TYPE
        ]
        old = sorted((time, arn) for time, arn in times if time is not None and now - time > PERIODS * rule.period)
        if not times:
            yield VERDICT_AGE.notice(at, "it has no verdict", "nothing, if it applies to no load balancer here")
        elif old and not rule.is_from_recordings:
            time, arn = old[0]
            yield VERDICT_AGE.problem(
                at,
                f"{len(old):,} of {pluralize(len(times), 'verdict')} older than two periods; the oldest, of {arn}, is "
                f"of {_time(time)}",
                "read the function's log: it names each load balancer that could not be judged",
            )
        elif old:
            # An unchanged verdict from recordings keeps the time of its items.
            yield VERDICT_AGE.ok(
                at, f"{pluralize(len(times), 'verdict')}; with Source=config, unchanged ones keep their time"
            )
        else:
            yield VERDICT_AGE.ok(at, f"{pluralize(len(times), 'verdict')}, none older than two periods")


def check_exemptions(reader: Reader, place: str, rules: Sequence[DeployedRule]) -> Iterator[CheckResult]:
    """Reads each document that rules name, with the credentials of this command. The function uses its own role."""
    locations = sorted({text for rule in rules if (text := rule.parameters.get(EXEMPTIONS_PARAMETER, "").strip())})
    if rules and not locations:
        yield EXEMPTIONS.ok(place, "no rule has exemptions")
    for text in locations:
        yield _exemptions_result(reader, f"{place} {text}", text)


def _exemptions_result(reader: Reader, at: str, text: str) -> CheckResult:
    try:
        exemptions = read_exemptions(parse_location(text), reader.client, RECOMMENDATIONS_BY_NAME)
    except NotReadError as error:
        return EXEMPTIONS.unread(at, error.cause)
    except InvalidInputError as error:
        return EXEMPTIONS.problem(at, str(error), "correct the document, or the rules' parameter Exemptions")
    if exemptions.malformed:
        entry, count = exemptions.malformed[0], len(exemptions.malformed)
        return EXEMPTIONS.problem(
            at,
            f"{pluralize(count, 'malformed exemption')}, the first at {entry.place}: {entry.message}",
            "correct them; alb-sg exemptions checks a document before you put it there",
        )
    return EXEMPTIONS.ok(
        at, f"{pluralize(len(exemptions.entries), 'exemption')}, read with the credentials of this command"
    )


def _qualifier(result: Mapping[str, Any]) -> Mapping[str, Any]:
    qualifier: Mapping[str, Any] = (result.get("EvaluationResultIdentifier") or {}).get(
        "EvaluationResultQualifier"
    ) or {}
    return qualifier


def _resource_id(result: Mapping[str, Any]) -> str:
    return str(_qualifier(result).get("ResourceId"))


def _time(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
