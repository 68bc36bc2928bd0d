"""The accounts and regions that an aggregator collects from, and how current its data of each is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alb_sg.aws.account_region import AccountRegion, find_account_region
from alb_sg.aws.calls import ApiResponse
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import EvaluationError

NO_SUCH_AGGREGATOR = "NoSuchConfigurationAggregatorException"

# AggregatedSourceStatus.LastUpdateStatus (AWS Config API reference).
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
OUTDATED = "OUTDATED"


@dataclass(frozen=True, slots=True)
class AggregatorSource:
    """A source and the status of its last update. `account_region` is None for an organization: from that source, the
    aggregator learns which accounts there are. `cause` describes the last update for an error."""

    name: str
    account_region: AccountRegion | None
    status: str
    cause: str

    def as_error(self) -> EvaluationError:
        account_id, region = self.account_region or ("", "")
        return EvaluationError(account_id, region, None, None, f"load balancers of {self.name}", self.cause)


@dataclass(frozen=True)
class AggregatorSources:
    """The sources of an aggregator. `unknown_cause` says why they are unknown; None where they are known."""

    sources: Sequence[AggregatorSource]
    unknown_cause: str | None

    @property
    def account_regions(self) -> list[AccountRegion]:
        return [source.account_region for source in self.sources if source.account_region is not None]


def read_sources(response: ApiResponse, aggregator: str) -> AggregatorSources:
    """The sources in the response of DescribeConfigurationAggregatorSourcesStatus."""
    sources = [_read_source(status, aggregator) for status in response.items]
    cause = response.failure
    if cause is None and not any(source.account_region or source.status == FAILED for source in sources):
        cause = f"aggregator {aggregator} names no account and region"
    return AggregatorSources(sources, cause)


def refuse_unknown_aggregator(responses: Iterable[ApiResponse], aggregator: str, region: str) -> None:
    """Raises InvalidInputError where a response says that there is no such aggregator."""
    if any(response.error_code == NO_SUCH_AGGREGATOR for response in responses):
        raise InvalidInputError(f"there is no aggregator {aggregator!r} in {region}; give its name and region")


def _read_source(status: Mapping[str, Any], aggregator: str) -> AggregatorSource:
    account_region = find_account_region(status, "SourceId", "AwsRegion")
    source_id = str(status.get("SourceId"))
    update_status = str(status.get("LastUpdateStatus"))
    updated = status.get("LastUpdateTime")
    time = (
        f"last updated {updated.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        if isinstance(updated, datetime)
        else "never updated"
    )
    reason = ": ".join(str(status[key]) for key in ("LastErrorCode", "LastErrorMessage") if status.get(key))
    cause = f"aggregator {aggregator}: {update_status}, {time}{f': {reason}' if reason else ''}"
    name = source_id if account_region is None else str(account_region)
    return AggregatorSource(name, account_region, update_status, cause)
