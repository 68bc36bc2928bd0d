"""The evaluations that AWS Config holds of a rule: putting all of them, and listing their resources."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.pages import name_call, read_items

# PutEvaluations accepts at most 100 evaluations a call.
BATCH_SIZE = 100
# The limit of GetComplianceDetailsByConfigRule.
EVALUATIONS_PAGE = 100
# Seconds before each further attempt at evaluations that AWS Config returned as failed.
RETRY_PAUSES = (0.2, 0.8, 3.0)

EvaluationDict = dict[str, Any]


class FailedEvaluation(NamedTuple):
    """The resource of an evaluation that AWS Config did not accept, and the cause. `resource_id` is None for a call
    without evaluations."""

    resource_id: str | None
    cause: str


class RecordedResult(NamedTuple):
    """A result as AWS Config has it. `ordering_time` is that of the event that it is from; None where it is unknown."""

    resource_type: str
    resource_id: str
    compliance: str
    annotation: str
    ordering_time: datetime | None


def put_evaluations(config: Any, evaluations: Sequence[EvaluationDict], result_token: str) -> list[FailedEvaluation]:
    """Puts evaluations, with further attempts for those that AWS Config does not accept. Returns the failed ones.

    rdklib's result token `TESTMODE` validates without recording.
    """
    failed: list[FailedEvaluation] = []
    # AWS Config waits for a call, also for one without evaluations.
    batches = [evaluations[start : start + BATCH_SIZE] for start in range(0, len(evaluations), BATCH_SIZE)] or [[]]
    for batch in batches:
        failed.extend(_put_batch(config, list(batch), result_token))
    return failed


def _put_batch(config: Any, batch: list[EvaluationDict], result_token: str) -> list[FailedEvaluation]:
    for pause in (*RETRY_PAUSES, None):
        try:
            with name_call("PutEvaluations"):
                response = config.put_evaluations(
                    Evaluations=batch,
                    ResultToken=result_token,
                    TestMode=result_token == "TESTMODE",  # noqa: S105 (rdklib's marker, no secret)
                )
                batch = [_find_sent(batch, failed) for failed in response.get("FailedEvaluations") or []]
        except AWS_ERRORS as error:
            return _all_failed(batch, error_text(error, "PutEvaluations"))
        if not batch:
            return []
        if pause is not None:
            time.sleep(pause)
    return _all_failed(batch, f"PutEvaluations: AWS Config did not take it in {len(RETRY_PAUSES) + 1} attempts")


def _find_sent(batch: Sequence[EvaluationDict], failed: EvaluationDict) -> EvaluationDict:
    """The evaluation as it was sent: the response has a datetime in place of its time."""
    key = (failed.get("ComplianceResourceType"), failed.get("ComplianceResourceId"))
    return next(
        (sent for sent in batch if (sent["ComplianceResourceType"], sent["ComplianceResourceId"]) == key), failed
    )


def _all_failed(batch: Sequence[EvaluationDict], cause: str) -> list[FailedEvaluation]:
    return [FailedEvaluation(evaluation.get("ComplianceResourceId"), cause) for evaluation in batch] or [
        FailedEvaluation(None, cause)
    ]


def recorded_results(config: Any, config_rule_name: str) -> list[RecordedResult]:
    """The COMPLIANT and NON_COMPLIANT results of this rule. Raises one of AWS_ERRORS."""
    parameters = {"ConfigRuleName": config_rule_name, "ComplianceTypes": ["COMPLIANT", "NON_COMPLIANT"]}
    with name_call("GetComplianceDetailsByConfigRule"):
        results = read_items(
            config, "get_compliance_details_by_config_rule", parameters, "EvaluationResults", EVALUATIONS_PAGE
        )
        return [_recorded_result(result) for result in results]


def _recorded_result(result: Mapping[str, Any]) -> RecordedResult:
    identifier = result["EvaluationResultIdentifier"]
    qualifier = identifier["EvaluationResultQualifier"]
    return RecordedResult(
        _text(qualifier["ResourceType"]),
        _text(qualifier["ResourceId"]),
        result.get("ComplianceType", ""),
        result.get("Annotation", ""),
        identifier.get("OrderingTimestamp"),
    )


def _text(value: object) -> str:
    """Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"text was expected, not {value!r}")
    return value
