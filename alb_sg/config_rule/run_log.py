"""What one invocation of a rule's function logs: a line for each evaluation and each error, then its metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from typing import Any

from alb_sg.aws.log_lines import log_line, log_metrics

METRICS_DIMENSION = "Rule"


class RunLog:
    """The log of one invocation, from its start until `close`."""

    def __init__(self, rule: str, account_id: object) -> None:
        self._rule = rule
        self._account_id = account_id
        self._started = time.monotonic()
        self._judged = 0
        self._non_compliant = 0
        self._errors = 0
        # Threads call AWS at the same time; `next` of a counter cannot lose one.
        self._calls = count()

    def count_call(self, **_: object) -> None:
        """botocore's handler of a request."""
        next(self._calls)

    def evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """An evaluation that AWS Config took."""
        compliance = evaluation["ComplianceType"]
        self._judged += 1
        self._non_compliant += compliance == "NON_COMPLIANT"
        self._log(
            "INFO",
            evaluation["ComplianceResourceId"],
            compliance=compliance,
            annotation=evaluation.get("Annotation"),
        )

    def error(self, load_balancer_arn: str | None, *, what: str, cause: str) -> None:
        self._errors += 1
        self._log("ERROR", load_balancer_arn, what=what, cause=cause)

    def close(self) -> None:
        """Logs the metrics."""
        metrics = {
            "Judged": (self._judged, "Count"),
            "NonCompliant": (self._non_compliant, "Count"),
            "Errors": (self._errors, "Count"),
            "Duration": (round((time.monotonic() - self._started) * 1000), "Milliseconds"),
            "Calls": (next(self._calls), "Count"),
        }
        log_metrics(METRICS_DIMENSION, self._rule, metrics, int(time.time() * 1000))

    def _log(self, level: str, load_balancer_arn: str | None, **fields: object) -> None:
        log_line(level, rule=self._rule, accountId=self._account_id, loadBalancerArn=load_balancer_arn, **fields)
