"""Recorded verdicts as findings. AWS Config records the annotation alone: the exact missing permissions are unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alb_sg.aggregator.responses import (
    INSUFFICIENT_DATA,
    ConfigRuleKey,
    RecordedEvaluation,
    RecordedVerdict,
    VerdictKey,
)
from alb_sg.aws.arns import load_balancer_name
from alb_sg.findings.annotation import parse_annotation
from alb_sg.findings.finding import Compliance, EvaluationError, Finding

NO_ANNOTATION = "AWS Config tells no reason"


def findings_from_verdicts(
    verdicts: Mapping[VerdictKey, Sequence[RecordedVerdict]],
    evaluations: Mapping[ConfigRuleKey, Mapping[str, RecordedEvaluation]],
) -> tuple[list[Finding], list[EvaluationError]]:
    """A finding for each load balancer and rule, and an error where AWS Config could not decide.

    Where a rule is deployed twice, the worse verdict counts.
    """
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    for (arn, rule), found in verdicts.items():
        worst = min(found, key=lambda one: one.rank)
        account_region = worst.account_region
        if worst.compliance == INSUFFICIENT_DATA:
            cause = f"{worst.config_rule_name} has {INSUFFICIENT_DATA}: it has not run, or has failed"
            errors.append(
                EvaluationError(
                    account_region.account_id, account_region.region, arn, rule, "AWS Config's verdict", cause
                )
            )
            continue
        annotation = _annotation(worst, evaluations.get((account_region, worst.config_rule_name), {}).get(arn))
        compliance = Compliance(worst.compliance)
        parsed = parse_annotation(compliance, annotation)
        findings.append(
            Finding(
                account_id=account_region.account_id,
                region=account_region.region,
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


def _annotation(verdict: RecordedVerdict, evaluation: RecordedEvaluation | None) -> str:
    """The verdict's own text: one that goes with another verdict is of another run of the rule."""
    if evaluation is not None and evaluation.annotation is not None and evaluation.compliance == verdict.compliance:
        return evaluation.annotation
    return NO_ANNOTATION
