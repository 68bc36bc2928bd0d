"""Recorded evaluations as findings. AWS Config does not record what is missing: a finding has the annotation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alb_sg.aggregator.recorded_verdicts import VERDICT
from alb_sg.aggregator.responses import INSUFFICIENT_DATA, RecordedEvaluation
from alb_sg.aws.arns import load_balancer_name
from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.annotation import parse_annotation
from alb_sg.findings.finding import Compliance, EvaluationError, Finding

NO_ANNOTATION = "AWS Config tells no reason"


def findings_from_verdicts(
    verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]],
) -> tuple[list[Finding], list[EvaluationError]]:
    """A finding for each load balancer and rule, and an error where AWS Config could not decide.

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
