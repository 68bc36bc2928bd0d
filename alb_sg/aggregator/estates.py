"""An aggregator of AWS Config: the load balancers of a whole organization, without a call to any of its accounts.

Everything is as its account's recorder and then the aggregator last had it. What the aggregator does not tell of an
account and region is a failure of its estate that names the type, and never taken for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from botocore.client import BaseClient

from alb_sg.aws.account_region import ACCOUNT_ID, AccountRegion
from alb_sg.aws.calls import ApiResponse, CallPool, Progress
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.config_item import ITEM_TYPES, read_item, to_api_keys
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.field_readers import Shape, require_object
from alb_sg.estate.item_history import Recording, Recordings
from alb_sg.estate.json_files import parse_if_text
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE, SECTION_BY_TYPE
from alb_sg.estate.sections import SECTION_ATTRIBUTES
from alb_sg.live.config_requests import ConfigRequests
from alb_sg.live.recording_group import records_type

# AWS Config records its own recorders, where they are told to.
RECORDER_TYPE = "AWS::Config::ConfigurationRecorder"
SOURCE_STATUSES_KEY = "sources"
NO_SUCH_AGGREGATOR = "NoSuchConfigurationAggregatorException"


class AggregatorFailure(NamedTuple):
    """What an aggregator does not tell, or not as it is now, and why; `home` None: of no account in particular.
    `load_balancer_arn` where it is a single load balancer."""

    account_region: AccountRegion | None
    what: str
    cause: str
    load_balancer_arn: str | None = None


@dataclass(frozen=True)
class AggregatorEstates:
    """The estates of all accounts and regions that an aggregator has, by account and region, empty ones included.

    `silent` are those without a load balancer of which nothing tells whether load balancers are recorded there.
    """

    estates: Sequence[Estate]
    failures: Sequence[AggregatorFailure]
    possibly_unrecorded: Sequence[AccountRegion]


def read_aggregator(config: BaseClient, name: str, progress: Progress | None = None) -> AggregatorEstates:
    """Everything that verdicts hang on, of every account and region.

    Raises InvalidInputError where there is no such aggregator, NotReadError where it answers none of the queries.
    """
    queries = ConfigRequests(config, name)
    with CallPool(progress) as calls:
        answers = calls.send_all(
            {
                SOURCE_STATUSES_KEY: queries.source_statuses(),
                **{one: queries.items(one) for one in (*ITEM_TYPES, RECORDER_TYPE)},
            }
        )
    if any(answer.error_code == NO_SUCH_AGGREGATOR for answer in answers.values()):
        raise InvalidInputError(
            f"there is no aggregator {name!r} in {config.meta.region_name}; give its name and region"
        )
    found = _EstatesBuilder(name)
    for type_name in ITEM_TYPES:
        found.add_items(type_name, answers[type_name])
    if len(found.failed_types) == len(ITEM_TYPES):
        raise NotReadError(f"aggregator {name}", found.failed_types[LOAD_BALANCER_TYPE])
    # Without an answer to this one, nothing but the items tells what is recorded.
    found.add_recorders(answers[RECORDER_TYPE])
    found.add_source_statuses(answers[SOURCE_STATUSES_KEY])
    return found.build()


class _EstatesBuilder:
    """What the answers hold, on its way to estates."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._histories = Recordings()
        self._recorders: dict[AccountRegion, list[Shape]] = {}
        self._unreadable: dict[tuple[AccountRegion, str], str] = {}
        self._uncollected: set[AccountRegion] = set()
        self._failures: list[AggregatorFailure] = []
        # By type: why not all of its items are known.
        self.failed_types: dict[str, str] = {}

    def add_items(self, type_name: str, answer: ApiResponse) -> None:
        if answer.failure is not None:
            self.failed_types[type_name] = answer.failure
        for number, row in enumerate(answer.items):
            try:
                source = require_object(parse_if_text(row))
            except InvalidInputError as error:
                self.failed_types.setdefault(type_name, f"{answer.operation}: {error}")
                continue
            try:
                item = read_item(source)
            except InvalidInputError as error:
                self._add_unreadable_item(type_name, source, f"{answer.operation}: {source.get('resourceId')}: {error}")
                continue
            if item is not None:
                self._history(item.account_region).add(item, self._name, f"{type_name}[{number}]")

    def add_recorders(self, answer: ApiResponse) -> None:
        for row in answer.items:
            try:
                source = require_object(parse_if_text(row))
                recorder = require_object(to_api_keys(parse_if_text(source.get("configuration"))))
            except InvalidInputError:
                continue
            account_region = _account_region_of(source)
            if account_region is not None:
                self._recorders.setdefault(account_region, []).append(recorder)

    def add_source_statuses(self, answer: ApiResponse) -> None:
        """How current what the aggregator has of an account and region is (AggregatedSourceStatus)."""
        if answer.failure is not None:
            self._failures.append(
                AggregatorFailure(None, f"accounts and regions of aggregator {self._name}", answer.failure)
            )
        elif not answer.items:
            self._failures.append(
                AggregatorFailure(
                    None, f"accounts and regions of aggregator {self._name}", "it collects from none so far"
                )
            )
        for source in answer.items:
            account_region = _account_region_of(
                {"accountId": source.get("SourceId"), "awsRegion": source.get("AwsRegion")}
            )
            if account_region is not None:
                self._history(account_region)
            status = source.get("LastUpdateStatus")
            if status == "SUCCEEDED":
                continue
            if status == "FAILED" and account_region is not None:
                self._uncollected.add(account_region)
            said = " ".join(str(source[key]) for key in ("LastErrorCode", "LastErrorMessage") if source.get(key))
            updated = source.get("LastUpdateTime")
            as_of = "never updated" if updated is None else f"last updated {updated:%Y-%m-%d %H:%M} UTC"
            what = (
                str(account_region)
                if account_region is not None
                else f"{source.get('SourceId')} {source.get('AwsRegion', '')}".strip()
            )
            cause = f"aggregator {self._name}: {status}, {as_of}{f': {said}' if said else ''}"
            self._failures.append(AggregatorFailure(account_region, f"load balancers of {what}", cause))

    def build(self) -> AggregatorEstates:
        for type_name, cause in self.failed_types.items():
            if type_name == LOAD_BALANCER_TYPE:
                self._failures.append(AggregatorFailure(None, f"load balancers of aggregator {self._name}", cause))
        estates = [self._estate(account_region) for account_region in sorted(self._histories)]
        silent = [
            account_region
            for account_region, estate in zip(sorted(self._histories), estates, strict=True)
            if not estate.load_balancers
            and account_region not in self._recorders
            and account_region not in self._uncollected
        ]
        return AggregatorEstates(estates, tuple(self._failures), silent)

    def _add_unreadable_item(self, type_name: str, source: Shape, cause: str) -> None:
        """An item that cannot be read may be the one that matters: its type is unread, there or everywhere."""
        account_region = _account_region_of(source)
        if account_region is None:
            self.failed_types.setdefault(type_name, cause)
        else:
            self._history(account_region)
            self._unreadable[account_region, type_name] = cause

    def _history(self, account_region: AccountRegion) -> Recording:
        return self._histories[account_region]

    def _estate(self, account_region: AccountRegion) -> Estate:
        if account_region in self._uncollected:
            return Estate(account_region.account_id, account_region.region)
        try:
            estate = self._histories[account_region].estate()
        except InvalidInputError as error:
            self._failures.append(
                AggregatorFailure(
                    account_region, f"load balancers of {account_region}", f"aggregator {self._name}: {error}"
                )
            )
            return Estate(account_region.account_id, account_region.region)
        for type_name, cause in self._unread_types(account_region, estate):
            estate = without_section(estate, SECTION_BY_TYPE[type_name], cause)
        self._failures.extend(
            AggregatorFailure(account_region, _failed_part(failure, account_region), failure.cause, failure.key)
            for failure in estate.failures
            if failure.section == "LoadBalancers" and failure.cause != self.failed_types.get(LOAD_BALANCER_TYPE)
        )
        return estate

    def _unread_types(self, account_region: AccountRegion, estate: Estate) -> Iterator[tuple[str, str]]:
        """The types of which the aggregator does not have everything there, each with why."""
        groups = [
            _lower_camel_case_keys(recorder.get("RecordingGroup"))
            for recorder in self._recorders.get(account_region, ())
        ]
        recording = any(
            str(recorder.get("Recording")).lower() != "false" for recorder in self._recorders.get(account_region, ())
        )
        for type_name, section in SECTION_BY_TYPE.items():
            if (
                cause := self.failed_types.get(type_name) or self._unreadable.get((account_region, type_name))
            ) is not None:
                yield type_name, cause
            elif groups and not recording:
                yield type_name, f"the recorder of {account_region} is stopped"
            elif groups and not any(records_type(group, type_name) for group in groups):
                yield type_name, f"{type_name} is not recorded in {account_region}"
            elif section != "LoadBalancers" and estate.section(section) is None:
                yield type_name, f"aggregator {self._name} has no item of {type_name} of {account_region}"


def without_section(estate: Estate, section: str, cause: str) -> Estate:
    """The estate with a section unread as a whole; load balancers that are known stay."""
    failures = (*estate.failures, ReadFailure(section, None, cause))
    if section == "LoadBalancers":
        return replace(estate, failures=failures)
    unread: dict[str, Any] = {SECTION_ATTRIBUTES[section]: None}
    if section == "TargetGroups":
        unread["targets"] = None
    return replace(
        estate,
        failures=failures,
        has_all_security_groups=estate.has_all_security_groups and section != "SecurityGroups",
        **unread,
    )


def _failed_part(failure: ReadFailure, account_region: AccountRegion) -> str:
    return f"load balancers of {account_region}" if failure.key is None else f"load balancer {failure.key}"


def _account_region_of(source: Mapping[str, Any]) -> AccountRegion | None:
    account_id, region = source.get("accountId"), source.get("awsRegion")
    if isinstance(account_id, str) and ACCOUNT_ID.fullmatch(account_id) and isinstance(region, str) and region:
        return AccountRegion(account_id, region)
    return None


def _lower_camel_case_keys(value: Any) -> Any:
    """A shape with the keys that the API of AWS Config has, whose items capitalise them."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _lower_camel_case_keys(inner) for key, inner in value.items()}
    return value if value is not None else {}
