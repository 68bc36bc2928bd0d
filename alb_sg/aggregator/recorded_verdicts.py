"""The verdicts of an organization, put together from the two places in which AWS Config keeps them.

The compliance API has each Config rule's current results. AWS Config also records results as resources, of the type
AWS::Config::ResourceCompliance, which an advanced query finds. Many recorders exclude that type to save cost; the query
then has no rows, or old ones. So the API's results are the verdicts, and rows only add what it lacks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alb_sg.aggregator.responses import (
    COMPLIANT,
    INSUFFICIENT_DATA,
    ConfigRule,
    RecordedEvaluation,
    read_evaluation,
    read_rows,
)
from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import load_balancer_name
from alb_sg.aws.calls import ApiResponse
from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.annotation import parse_annotation
from alb_sg.findings.finding import Compliance, EvaluationError, Finding

NO_ANNOTATION = "AWS Config tells no reason"
VERDICT = "AWS Config's verdict"


@dataclass(frozen=True)
class RuleEvaluations:
    """The results of a Config rule in the compliance API, by load balancer ARN, and why some may be unread."""

    by_arn: Mapping[str, RecordedEvaluation]
    failure: str | None = None

    @property
    def last_run(self) -> datetime | None:
        """When AWS Config last recorded a result of the Config rule."""
        return max((found.recorded for found in self.by_arn.values() if found.recorded is not None), default=None)


@dataclass(frozen=True)
class RecordedVerdicts:
    """The verdicts on each load balancer and rule, one for each Config rule that the rule is deployed as."""

    verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]]
    errors: Sequence[EvaluationError]


def read_rule_evaluations(config_rule: ConfigRule, response: ApiResponse) -> RuleEvaluations:
    """The response of GetAggregateComplianceDetailsByConfigRule for a Config rule."""
    results, unreadable = read_rows(response, lambda result: read_evaluation(result, config_rule))
    by_arn = {result.load_balancer_arn: result for result in results.values() if result is not None}
    return RuleEvaluations(by_arn, response.failure or next((row.cause for row in unreadable), None))


def merge_verdicts(
    rows: Iterable[RecordedEvaluation], evaluations: Mapping[ConfigRule, RuleEvaluations]
) -> RecordedVerdicts:
    """The API's results, and the rows that say something else or more.

    Where both have a verdict, the later one counts. A row alone that says COMPLIANT is a verdict only if it is later
    than the Config rule's last run: the API returns every COMPLIANT result, so that run found the load balancer not
    applicable, or the rule was made again and has not run. It is an error if the API's results could not be read.
    """
    verdicts: dict[VerdictKey, list[RecordedEvaluation]] = defaultdict(list)
    errors = [
        EvaluationError(*config_rule.account_region, None, config_rule.rule, f"verdicts of {config_rule.name}", cause)
        for config_rule, found in evaluations.items()
        if (cause := found.failure) is not None
    ]
    rows_by_rule: dict[ConfigRule, dict[str, RecordedEvaluation]] = defaultdict(dict)
    for row in rows:
        rows_by_rule[row.config_rule][row.load_balancer_arn] = row
    for config_rule, found in evaluations.items():
        by_arn = dict(found.by_arn)
        for arn, row in rows_by_rule[config_rule].items():
            result = by_arn.get(arn)
            if result is not None:
                by_arn[arn] = _later(result, row)
            elif row.compliance == COMPLIANT and found.failure is not None:
                errors.append(EvaluationError(*row.account_region, arn, config_rule.rule, VERDICT, found.failure))
            elif row.compliance != COMPLIANT or _is_before(found.last_run, row.recorded):
                by_arn[arn] = row
        for arn, verdict in by_arn.items():
            verdicts[arn, config_rule.rule].append(verdict)
    return RecordedVerdicts(verdicts, errors)


def silent_rules(
    config_rules: Mapping[ConfigRule, str],
    load_balancers: Mapping[AccountRegion, Sequence[str]],
    recorded: RecordedVerdicts,
) -> Iterator[EvaluationError]:
    """An error for each load balancer of an account and region in which a deployed rule has no verdict on any.

    `config_rules` have their compliance type, `load_balancers` are ARNs. A Config rule that has results is an error
    also where no load balancer is known. A rule whose verdicts could not be read has an error already.
    """
    heard = {
        *((verdict.account_region, rule) for (_, rule), found in recorded.verdicts.items() for verdict in found),
        *((AccountRegion(error.account_id, error.region), error.rule) for error in recorded.errors),
    }
    silent: dict[tuple[AccountRegion, str], list[ConfigRule]] = defaultdict(list)
    for config_rule in config_rules:
        if (config_rule.account_region, config_rule.rule) not in heard:
            silent[config_rule.account_region, config_rule.rule].append(config_rule)
    for (account_region, rule), deployed in silent.items():
        arns: Sequence[str | None] = load_balancers.get(account_region, ())
        if not arns and any(config_rules[config_rule] != INSUFFICIENT_DATA for config_rule in deployed):
            arns = (None,)
        name = deployed[0].name
        cause = (
            f"{name} has no verdict on any load balancer of {account_region}: it has not run, has failed, or applies "
            "to none of them; alb-sg doctor there tells"
        )
        yield from (EvaluationError(*account_region, arn, rule, VERDICT, cause) for arn in arns)


def _later(result: RecordedEvaluation, row: RecordedEvaluation) -> RecordedEvaluation:
    """The API's result, unless a row with another verdict is later."""
    if result.compliance == row.compliance:
        return result
    return row if _is_before(result.recorded, row.recorded) else result


def _is_before(time: datetime | None, other: datetime | None) -> bool:
    """Whether a time is before another one; two times of which one is unknown are in no order."""
    return time is not None and other is not None and time < other


def findings_from_verdicts(
    verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]],
) -> tuple[list[Finding], list[EvaluationError]]:
    """A finding for each load balancer and rule, and an error where AWS Config could not decide.

    AWS Config does not record which permissions are missing: a finding has the annotation alone.
    Where a rule is deployed twice, the worse verdict counts.
    """
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    for (arn, rule), deployments in verdicts.items():
        verdict = min(deployments, key=lambda deployment: deployment.rank)
        if verdict.compliance == INSUFFICIENT_DATA:
            cause = f"{verdict.config_rule.name} has {INSUFFICIENT_DATA}: it has not run, or has failed"
            errors.append(EvaluationError(*verdict.account_region, arn, rule, VERDICT, cause))
            continue
        annotation = NO_ANNOTATION if verdict.annotation is None else verdict.annotation
        compliance = Compliance(verdict.compliance)
        parsed = parse_annotation(compliance, annotation)
        findings.append(
            Finding(
                account_id=verdict.account_region.account_id,
                region=verdict.account_region.region,
                load_balancer_arn=arn,
                load_balancer_name=load_balancer_name(arn),
                rule=rule,
                compliance=compliance,
                annotation=annotation,
                unresolved=parsed.unresolved,
                remarks=parsed.remarks,
                security_groups=parsed.security_groups,
            )
        )
    return findings, errors
