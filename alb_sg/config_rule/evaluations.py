"""Evaluations given to AWS Config, all of them or an error that names those it did not take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

# PutEvaluations, Evaluations: at most 100 a call.
BATCH_SIZE = 100
# Seconds before each further attempt at evaluations that Config answered as failed.
RETRY_PAUSES = (0.2, 0.8, 3.0)

EvaluationDict = dict[str, Any]


class FailedEvaluation(NamedTuple):
    """An evaluation that Config did not take, by its resource, and why; None where there was none to give."""

    resource_id: str | None
    cause: str


def put_evaluations(config: Any, evaluations: Sequence[EvaluationDict], result_token: str) -> list[FailedEvaluation]:
    """Put evaluations; what Config did not take is put again, then named in the answer (empty: all recorded).

    rdklib's result token `TESTMODE` validates without recording.
    """
    lost: list[FailedEvaluation] = []
    # A run with nothing to say still has to answer, or Config waits for it.
    batches = [evaluations[start : start + BATCH_SIZE] for start in range(0, len(evaluations), BATCH_SIZE)] or [[]]
    for batch in batches:
        lost.extend(_put_batch(config, list(batch), result_token))
    return lost


def _put_batch(config: Any, batch: list[EvaluationDict], result_token: str) -> list[FailedEvaluation]:
    for pause in (*RETRY_PAUSES, None):
        try:
            answer = config.put_evaluations(
                Evaluations=batch,
                ResultToken=result_token,
                TestMode=result_token == "TESTMODE",  # noqa: S105 (rdklib's marker, no secret)
            )
        except (ClientError, BotoCoreError) as error:
            return _all_failed(batch, f"PutEvaluations: {error}")
        batch = [_find_sent(batch, failed) for failed in answer.get("FailedEvaluations") or []]
        if not batch:
            return []
        if pause is not None:
            time.sleep(pause)
    return _all_failed(batch, f"PutEvaluations: AWS Config did not take it in {len(RETRY_PAUSES) + 1} attempts")


def _find_sent(batch: Sequence[EvaluationDict], failed: EvaluationDict) -> EvaluationDict:
    """The evaluation that was sent: the answer holds its time as a datetime."""
    same = (failed.get("ComplianceResourceType"), failed.get("ComplianceResourceId"))
    return next(
        (sent for sent in batch if (sent["ComplianceResourceType"], sent["ComplianceResourceId"]) == same), failed
    )


def _all_failed(batch: Sequence[EvaluationDict], cause: str) -> list[FailedEvaluation]:
    return [FailedEvaluation(evaluation.get("ComplianceResourceId"), cause) for evaluation in batch] or [
        FailedEvaluation(None, cause)
    ]


def evaluated_resources(config: Any, config_rule_name: str) -> list[tuple[str, str]]:
    """Type and id of every resource that Config holds a verdict of this rule for. Raises ClientError."""
    found: list[tuple[str, str]] = []
    request: dict[str, Any] = {
        "ConfigRuleName": config_rule_name,
        "ComplianceTypes": ["COMPLIANT", "NON_COMPLIANT"],
        "Limit": 100,
    }
    while True:
        answer = config.get_compliance_details_by_config_rule(**request)
        for result in answer.get("EvaluationResults") or []:
            qualifier = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
            found.append((qualifier["ResourceType"], qualifier["ResourceId"]))
        if not answer.get("NextToken"):
            return found
        request["NextToken"] = answer["NextToken"]
