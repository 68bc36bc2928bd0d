"""Recorded verdicts as findings. What is missing exactly is not recorded: a finding has the annotation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alb_sg.aggregator.recorded import INSUFFICIENT, Evaluation, Key, RuleAt, Verdict
from alb_sg.findings.finding import Compliance, Finding, JudgementError

NO_REASON = "AWS Config tells no reason"


def findings_of(
    verdicts: Mapping[Key, Sequence[Verdict]], evaluations: Mapping[RuleAt, Mapping[str, Evaluation]]
) -> tuple[list[Finding], list[JudgementError]]:
    """A finding for each load balancer and rule, and an error where AWS Config could not decide.

    Where a rule is deployed twice, the worse verdict counts.
    """
    findings: list[Finding] = []
    errors: list[JudgementError] = []
    for (arn, rule), found in verdicts.items():
        worst = min(found, key=lambda one: one.rank)
        home = worst.home
        if worst.compliance == INSUFFICIENT:
            cause = f"{worst.config_rule_name} has {INSUFFICIENT}: it has not run, or has failed"
            errors.append(JudgementError(home.account_id, home.region, arn, rule, "AWS Config's verdict", cause))
            continue
        annotation = _annotation(worst, evaluations.get((home, worst.config_rule_name), {}).get(arn))
        findings.append(
            Finding(
                account_id=home.account_id,
                region=home.region,
                load_balancer_arn=arn,
                load_balancer_name=arn.split("/")[-2],
                rule=rule,
                compliance=Compliance(worst.compliance),
                annotation=annotation,
                unresolved=worst.compliance == "NON_COMPLIANT" and _only_unresolved(annotation),
            )
        )
    return findings, errors


def _annotation(verdict: Verdict, said: Evaluation | None) -> str:
    """The verdict's own text: one that goes with another verdict is of another run of the rule."""
    if said is not None and said.annotation is not None and said.compliance == verdict.compliance:
        return said.annotation
    return NO_REASON


def _only_unresolved(annotation: str) -> bool:
    """Whether an annotation says that only what could not be resolved stands in the way (`findings.annotation`)."""
    return any(part.startswith("unresolved: ") for part in annotation.split("; "))
