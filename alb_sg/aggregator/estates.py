"""The estates of a whole organization, from the items in an AWS Config aggregator. No member account is called.

The items are as the recorder of each account, and then the aggregator, last saved them. Everything that the aggregator
lacks of an account and region is a failure of that estate, which names the resource type. It is never taken as empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.client import BaseClient

from alb_sg.aggregator.responses import read_rows
from alb_sg.aggregator.sources import (
    FAILED,
    SUCCEEDED,
    AggregatorSources,
    read_sources,
    refuse_unknown_aggregator,
)
from alb_sg.aws.account_region import AccountRegion, account_region_in
from alb_sg.aws.calls import ApiResponse, CallPool, Progress
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.config_item import ITEM_TYPES, read_item, to_api_keys
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.field_readers import Shape, require_object
from alb_sg.estate.item_history import Recording, Recordings
from alb_sg.estate.json_files import parse_if_text
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE, SECTION_BY_TYPE
from alb_sg.estate.sections import SECTION_ATTRIBUTES, Section
from alb_sg.findings.finding import EvaluationError
from alb_sg.live.config_requests import ConfigRequests
from alb_sg.live.recordings import is_customer_recorder, records_type

# AWS Config records its own recorders, if they include this type.
RECORDER_TYPE = "AWS::Config::ConfigurationRecorder"
SOURCE_STATUSES_KEY = "sources"


@dataclass(frozen=True)
class AggregatorEstates:
    """The estates of all accounts and regions of an aggregator, ordered by account and region, empty ones included.

    `errors` name what the aggregator lacks, or has only in an older state. `possibly_unrecorded` are the accounts and
    regions without a load balancer where no recorder shows whether load balancers are recorded.
    """

    estates: Sequence[Estate]
    errors: Sequence[EvaluationError]
    possibly_unrecorded: Sequence[AccountRegion]


def read_aggregator(config: BaseClient, name: str, progress: Progress | None = None) -> AggregatorEstates:
    """Everything that verdicts depend on, of every account and region.

    Raises InvalidInputError where there is no such aggregator, NotReadError where all queries fail.
    """
    requests = ConfigRequests(config, name)
    with CallPool(progress) as calls:
        responses = calls.send_all(
            {
                SOURCE_STATUSES_KEY: requests.source_statuses(),
                **{type_name: requests.items(type_name) for type_name in (*ITEM_TYPES, RECORDER_TYPE)},
            }
        )
    refuse_unknown_aggregator(responses.values(), name, config.meta.region_name)
    builder = _EstatesBuilder(name)
    for type_name in ITEM_TYPES:
        builder.add_items(type_name, responses[type_name])
    if len(builder.failed_types) == len(ITEM_TYPES):
        raise NotReadError(f"aggregator {name}", builder.failed_types[LOAD_BALANCER_TYPE])
    # If this query fails, the items alone show which types are recorded.
    builder.add_recorders(responses[RECORDER_TYPE])
    builder.add_sources(read_sources(responses[SOURCE_STATUSES_KEY], name))
    return builder.build()


class _EstatesBuilder:
    """Collects the responses, and builds the estates from them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._recordings = Recordings()
        # The RecordingGroup of each recorder, and whether any recorder of the account and region runs.
        self._recorders: dict[AccountRegion, list[Shape]] = {}
        self._unreadable: dict[tuple[AccountRegion, str], str] = {}
        self._uncollected: set[AccountRegion] = set()
        self._errors: list[EvaluationError] = []
        # By type: why not all of its items are known.
        self.failed_types: dict[str, str] = {}

    def add_items(self, type_name: str, response: ApiResponse) -> None:
        if response.failure is not None:
            self.failed_types[type_name] = response.failure
        items, unreadable = read_rows(response, read_item)
        for number, item in items.items():
            if item is not None:
                self._recordings[item.account_region].add(item, self._name, f"{type_name}[{number}]")
        # An unreadable item may be the one that decides: its type is unread there, or everywhere.
        for row in unreadable:
            if row.account_region is None:
                self.failed_types.setdefault(type_name, row.cause)
            else:
                self._add_account_region(row.account_region)
                self._unreadable[row.account_region, type_name] = row.cause

    def add_recorders(self, response: ApiResponse) -> None:
        recorders, _ = read_rows(response, _read_recorder)
        for account_region, fields in recorders.values():
            recorder = _lower_camel_case_keys(fields)
            if is_customer_recorder(recorder):
                self._recorders.setdefault(account_region, []).append(recorder)

    def add_sources(self, sources: AggregatorSources) -> None:
        if sources.unknown_cause is not None:
            what = f"accounts and regions of aggregator {self._name}"
            self._errors.append(EvaluationError("", "", None, None, what, sources.unknown_cause))
        for account_region in sources.account_regions:
            self._add_account_region(account_region)
        for source in sources.sources:
            if source.status != SUCCEEDED:
                self._errors.append(source.as_error())
            if source.status == FAILED and source.account_region is not None:
                self._uncollected.add(source.account_region)

    def build(self) -> AggregatorEstates:
        if LOAD_BALANCER_TYPE in self.failed_types:
            what = f"load balancers of aggregator {self._name}"
            self._errors.append(EvaluationError("", "", None, None, what, self.failed_types[LOAD_BALANCER_TYPE]))
        estates = {account_region: self._estate(account_region) for account_region in sorted(self._recordings)}
        possibly_unrecorded = [
            account_region
            for account_region, estate in estates.items()
            if not estate.load_balancers
            and account_region not in self._recorders
            and account_region not in self._uncollected
        ]
        return AggregatorEstates(tuple(estates.values()), tuple(self._errors), possibly_unrecorded)

    def _add_account_region(self, account_region: AccountRegion) -> None:
        """Gives an account and region an estate, even without any item."""
        self._recordings.setdefault(account_region, Recording(account_region))

    def _estate(self, account_region: AccountRegion) -> Estate:
        if account_region in self._uncollected:
            return Estate(*account_region)
        try:
            estate = self._recordings[account_region].estate()
        except InvalidInputError as error:
            cause = f"aggregator {self._name}: {error}"
            self._errors.append(_load_balancers_error(account_region, None, cause))
            return Estate(*account_region)
        for type_name, cause in self._unread_types(account_region, estate):
            estate = without_section(estate, SECTION_BY_TYPE[type_name], cause)
        self._errors.extend(
            _load_balancers_error(account_region, failure.key, failure.cause)
            for failure in estate.failures
            if failure.section == Section.LOAD_BALANCERS and failure.cause != self.failed_types.get(LOAD_BALANCER_TYPE)
        )
        return estate

    def _unread_types(self, account_region: AccountRegion, estate: Estate) -> Iterator[tuple[str, str]]:
        """The types of which the aggregator lacks items there, each with the cause."""
        recorders = self._recorders.get(account_region, ())
        # A stopped recorder keeps its recording group, which says nothing of today.
        recording_groups = [
            recorder.get("recordingGroup") or {}
            for recorder in recorders
            if str(recorder.get("recording")).lower() != "false"
        ]
        for type_name, section in SECTION_BY_TYPE.items():
            cause = self.failed_types.get(type_name) or self._unreadable.get((account_region, type_name))
            if cause is not None:
                yield type_name, cause
            elif recorders and not recording_groups:
                yield type_name, f"the recorder of {account_region} is stopped"
            elif recorders and not any(records_type(group, type_name) for group in recording_groups):
                yield type_name, f"{type_name} is not recorded in {account_region}"
            elif section != Section.LOAD_BALANCERS and estate.section(section) is None:
                yield type_name, f"aggregator {self._name} has no item of {type_name} of {account_region}"


def without_section(estate: Estate, section: Section, cause: str) -> Estate:
    """The estate with a section unread as a whole. Known load balancers stay."""
    failures = (*estate.failures, ReadFailure(section, None, cause))
    if section == Section.LOAD_BALANCERS:
        return replace(estate, failures=failures)
    unread: dict[str, Any] = {SECTION_ATTRIBUTES[section]: None}
    if section == Section.TARGET_GROUPS:
        unread["targets"] = None
    return replace(
        estate,
        failures=failures,
        has_all_security_groups=estate.has_all_security_groups and section != Section.SECURITY_GROUPS,
        **unread,
    )


def _load_balancers_error(account_region: AccountRegion, arn: str | None, cause: str) -> EvaluationError:
    what = f"load balancers of {account_region}" if arn is None else f"load balancer {arn}"
    return EvaluationError(*account_region, arn, None, what, cause)


def _read_recorder(row: Shape) -> tuple[AccountRegion, Shape]:
    configuration = require_object(to_api_keys(parse_if_text(row.get("configuration"))))
    return account_region_in(row), configuration


def _lower_camel_case_keys(value: Any) -> Any:
    """A shape with the keys of AWS Config's API; its items capitalise them."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _lower_camel_case_keys(inner) for key, inner in value.items()}
    return value if value is not None else {}
