"""Lines of JSON in a function's log: CloudWatch Logs Insights parses them, and CloudWatch reads metrics from them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

METRICS_NAMESPACE = "alb-sg"


def log_line(level: str, **fields: object) -> None:
    """Logs one line with a level (`INFO`, `WARNING` or `ERROR`) and the fields."""
    _write({"level": level, **fields})


def log_metrics(dimension: str, value: str, metrics: Mapping[str, tuple[float, str]], timestamp: int) -> None:
    """Logs metrics, each a value with its unit, in CloudWatch's embedded metric format.

    CloudWatch Logs makes the metrics from the line, so that the function needs no call and no permission. The timestamp
    is in milliseconds.
    """
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    directive = {"Namespace": METRICS_NAMESPACE, "Dimensions": [[dimension]], "Metrics": definitions}
    _write(
        {
            "_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]},
            dimension: value,
            **{name: measured for name, (measured, _) in metrics.items()},
        }
    )


@contextmanager
def logged_failure(**fields: object) -> Iterator[None]:
    """Logs the exception that ends the context, with the fields, and lets it pass."""
    try:
        yield
    except Exception as error:
        log_line("ERROR", **fields, what="this invocation", cause=str(error) or type(error).__name__)
        raise


def _write(line: Mapping[str, object]) -> None:
    # One write, so that no other line comes between. ASCII, because a name may hold half a surrogate pair.
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
