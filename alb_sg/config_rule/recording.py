"""Evaluations given to AWS Config, all of them or an error that names those it did not take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

# PutEvaluations, Evaluations: at most 100 a call.
BATCH = 100
# Seconds before each further attempt at evaluations that Config answered as failed.
PAUSES = (0.2, 0.8, 3.0)

Record = dict[str, Any]


class Lost(NamedTuple):
    """An evaluation that Config did not take, by its resource, and why; None where there was none to give."""

    resource_id: str | None
    cause: str


def record(config: Any, evaluations: Sequence[Record], result_token: str) -> list[Lost]:
    """Put evaluations; what Config did not take is put again, then named in the answer (empty: all recorded).

    rdklib's result token `TESTMODE` validates without recording.
    """
    lost: list[Lost] = []
    # A run with nothing to say still has to answer, or Config waits for it.
    batches = [evaluations[start : start + BATCH] for start in range(0, len(evaluations), BATCH)] or [[]]
    for batch in batches:
        lost.extend(_record_batch(config, list(batch), result_token))
    return lost


def _record_batch(config: Any, batch: list[Record], result_token: str) -> list[Lost]:
    for pause in (*PAUSES, None):
        try:
            answer = config.put_evaluations(
                Evaluations=batch,
                ResultToken=result_token,
                TestMode=result_token == "TESTMODE",  # noqa: S105 (rdklib's marker, no secret)
            )
        except (ClientError, BotoCoreError) as error:
            return _all_lost(batch, f"PutEvaluations: {error}")
        batch = [_sent(batch, failed) for failed in answer.get("FailedEvaluations") or []]
        if not batch:
            return []
        if pause is not None:
            time.sleep(pause)
    return _all_lost(batch, f"PutEvaluations: AWS Config did not take it in {len(PAUSES) + 1} attempts")


def _sent(batch: Sequence[Record], failed: Record) -> Record:
    """The evaluation that was sent: the answer holds its time as a datetime."""
    same = (failed.get("ComplianceResourceType"), failed.get("ComplianceResourceId"))
    return next(
        (sent for sent in batch if (sent["ComplianceResourceType"], sent["ComplianceResourceId"]) == same), failed
    )


def _all_lost(batch: Sequence[Record], cause: str) -> list[Lost]:
    return [Lost(evaluation.get("ComplianceResourceId"), cause) for evaluation in batch] or [Lost(None, cause)]


def recorded_resources(config: Any, rule_name: str) -> list[tuple[str, str]]:
    """Type and id of every resource that Config holds a verdict of this rule for. Raises ClientError."""
    found: list[tuple[str, str]] = []
    request: dict[str, Any] = {
        "ConfigRuleName": rule_name,
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
