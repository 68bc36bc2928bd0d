"""Recorded verdicts as findings. What is missing exactly is not recorded: a finding has the annotation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alb_sg.aggregator.responses import (
    INSUFFICIENT_DATA,
    ConfigRuleKey,
    RecordedEvaluation,
    RecordedVerdict,
    VerdictKey,
)
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
        findings.append(
            Finding(
                account_id=account_region.account_id,
                region=account_region.region,
                load_balancer_arn=arn,
                load_balancer_name=arn.split("/")[-2],
                rule=rule,
                compliance=Compliance(worst.compliance),
                annotation=annotation,
                unresolved=worst.compliance == "NON_COMPLIANT" and _only_unresolved(annotation),
            )
        )
    return findings, errors


def _annotation(verdict: RecordedVerdict, evaluation: RecordedEvaluation | None) -> str:
    """The verdict's own text: one that goes with another verdict is of another run of the rule."""
    if evaluation is not None and evaluation.annotation is not None and evaluation.compliance == verdict.compliance:
        return evaluation.annotation
    return NO_ANNOTATION


def _only_unresolved(annotation: str) -> bool:
    """Whether an annotation says that only what could not be resolved stands in the way (`findings.annotation`)."""
    return any(part.startswith("unresolved: ") for part in annotation.split("; "))
