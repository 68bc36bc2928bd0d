"""An aggregator of AWS Config: the load balancers of a whole organization, without a call to any of its accounts.

Everything is as its account's recorder and then the aggregator last had it. What the aggregator does not tell of an
account and region is a failure of its estate that names the type, and never taken for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from botocore.client import BaseClient

from alb_sg.errors import Unread, UnusableInput
from alb_sg.estate.config_item import ITEM_TYPES, in_api_shape, read_item
from alb_sg.estate.estate import SECTIONS, Estate, Failure
from alb_sg.estate.files import decoded
from alb_sg.estate.from_api import Shape, shape
from alb_sg.estate.home import ACCOUNT_ID, Home
from alb_sg.estate.model import LOAD_BALANCER_TYPE
from alb_sg.estate.recording import SECTION_OF, Recording, Recordings
from alb_sg.live.calls import Answer, Calls, Progress
from alb_sg.live.queries import Queries
from alb_sg.live.recording_group import records

# AWS Config records its own recorders, where they are told to.
RECORDER_TYPE = "AWS::Config::ConfigurationRecorder"
SOURCES = "sources"
UNKNOWN_AGGREGATOR = "NoSuchConfigurationAggregatorException"


class Unseen(NamedTuple):
    """What an aggregator does not tell, or not as it is now, and why; `home` None: of no account in particular.
    `load_balancer_arn` where it is a single load balancer."""

    home: Home | None
    what: str
    cause: str
    load_balancer_arn: str | None = None


@dataclass(frozen=True)
class Aggregated:
    """The estates of all accounts and regions that an aggregator has, by account and region, empty ones included.

    `silent` are those without a load balancer of which nothing tells whether load balancers are recorded there.
    """

    estates: Sequence[Estate]
    unseen: Sequence[Unseen]
    silent: Sequence[Home]


def read_aggregator(config: BaseClient, name: str, progress: Progress | None = None) -> Aggregated:
    """Everything that verdicts hang on, of every account and region.

    Raises UnusableInput where there is no such aggregator, Unread where it answers none of the queries.
    """
    queries = Queries(config, name)
    with Calls(progress) as calls:
        answers = calls.answers(
            {SOURCES: queries.sources(), **{one: queries.items(one) for one in (*ITEM_TYPES, RECORDER_TYPE)}}
        )
    if any(answer.code == UNKNOWN_AGGREGATOR for answer in answers.values()):
        raise UnusableInput(f"there is no aggregator {name!r} in {config.meta.region_name}; give its name and region")
    found = _Found(name)
    for type_name in ITEM_TYPES:
        found.take(type_name, answers[type_name])
    if len(found.failed) == len(ITEM_TYPES):
        raise Unread(f"aggregator {name}", found.failed[LOAD_BALANCER_TYPE])
    # Without an answer to this one, nothing but the items tells what is recorded.
    found.take_recorders(answers[RECORDER_TYPE])
    found.take_sources(answers[SOURCES])
    return found.aggregated()


class _Found:
    """What the answers hold, on its way to estates."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._recordings = Recordings()
        self._recorders: dict[Home, list[Shape]] = {}
        self._unreadable: dict[tuple[Home, str], str] = {}
        self._refused: set[Home] = set()
        self._unseen: list[Unseen] = []
        # By type: why not all of its items are known.
        self.failed: dict[str, str] = {}

    def take(self, type_name: str, answer: Answer) -> None:
        if answer.failure is not None:
            self.failed[type_name] = answer.failure
        for number, row in enumerate(answer.items):
            try:
                source = shape(decoded(row))
            except UnusableInput as error:
                self.failed.setdefault(type_name, f"{answer.operation}: {error}")
                continue
            try:
                item = read_item(source)
            except UnusableInput as error:
                self._take_unreadable(type_name, source, f"{answer.operation}: {source.get('resourceId')}: {error}")
                continue
            if item is not None:
                self._recording(item.home).add(item, self._name, f"{type_name}[{number}]")

    def take_recorders(self, answer: Answer) -> None:
        for row in answer.items:
            try:
                source = shape(decoded(row))
                recorder = shape(in_api_shape(decoded(source.get("configuration"))))
            except UnusableInput:
                continue
            home = _home(source)
            if home is not None:
                self._recorders.setdefault(home, []).append(recorder)

    def take_sources(self, answer: Answer) -> None:
        """How current what the aggregator has of an account and region is (AggregatedSourceStatus)."""
        if answer.failure is not None:
            self._unseen.append(Unseen(None, f"accounts and regions of aggregator {self._name}", answer.failure))
        elif not answer.items:
            self._unseen.append(
                Unseen(None, f"accounts and regions of aggregator {self._name}", "it collects from none so far")
            )
        for source in answer.items:
            home = _home({"accountId": source.get("SourceId"), "awsRegion": source.get("AwsRegion")})
            if home is not None:
                self._recording(home)
            status = source.get("LastUpdateStatus")
            if status == "SUCCEEDED":
                continue
            if status == "FAILED" and home is not None:
                self._refused.add(home)
            said = " ".join(str(source[key]) for key in ("LastErrorCode", "LastErrorMessage") if source.get(key))
            updated = source.get("LastUpdateTime")
            as_of = "never updated" if updated is None else f"last updated {updated:%Y-%m-%d %H:%M} UTC"
            what = str(home) if home is not None else f"{source.get('SourceId')} {source.get('AwsRegion', '')}".strip()
            cause = f"aggregator {self._name}: {status}, {as_of}{f': {said}' if said else ''}"
            self._unseen.append(Unseen(home, f"load balancers of {what}", cause))

    def aggregated(self) -> Aggregated:
        for type_name, cause in self.failed.items():
            if type_name == LOAD_BALANCER_TYPE:
                self._unseen.append(Unseen(None, f"load balancers of aggregator {self._name}", cause))
        estates = [self._estate(home) for home in sorted(self._recordings)]
        silent = [
            home
            for home, estate in zip(sorted(self._recordings), estates, strict=True)
            if not estate.load_balancers and home not in self._recorders and home not in self._refused
        ]
        return Aggregated(estates, tuple(self._unseen), silent)

    def _take_unreadable(self, type_name: str, source: Shape, cause: str) -> None:
        """An item that cannot be read may be the one that matters: its type is unread, there or everywhere."""
        home = _home(source)
        if home is None:
            self.failed.setdefault(type_name, cause)
        else:
            self._recording(home)
            self._unreadable[home, type_name] = cause

    def _recording(self, home: Home) -> Recording:
        return self._recordings[home]

    def _estate(self, home: Home) -> Estate:
        if home in self._refused:
            return Estate(home.account_id, home.region)
        try:
            estate = self._recordings[home].estate()
        except UnusableInput as error:
            self._unseen.append(Unseen(home, f"load balancers of {home}", f"aggregator {self._name}: {error}"))
            return Estate(home.account_id, home.region)
        for type_name, cause in self._unread(home, estate):
            estate = without(estate, SECTION_OF[type_name], cause)
        self._unseen.extend(
            Unseen(home, _what(failure, home), failure.cause, failure.key)
            for failure in estate.failures
            if failure.section == "LoadBalancers" and failure.cause != self.failed.get(LOAD_BALANCER_TYPE)
        )
        return estate

    def _unread(self, home: Home, estate: Estate) -> Iterator[tuple[str, str]]:
        """The types of which the aggregator does not have everything there, each with why."""
        groups = [_lower(recorder.get("RecordingGroup")) for recorder in self._recorders.get(home, ())]
        recording = any(str(recorder.get("Recording")).lower() != "false" for recorder in self._recorders.get(home, ()))
        for type_name, section in SECTION_OF.items():
            if (cause := self.failed.get(type_name) or self._unreadable.get((home, type_name))) is not None:
                yield type_name, cause
            elif groups and not recording:
                yield type_name, f"the recorder of {home} is stopped"
            elif groups and not any(records(group, type_name) for group in groups):
                yield type_name, f"{type_name} is not recorded in {home}"
            elif section != "LoadBalancers" and estate.section(section) is None:
                yield type_name, f"aggregator {self._name} has no item of {type_name} of {home}"


def without(estate: Estate, section: str, cause: str) -> Estate:
    """The estate with a section unread as a whole; load balancers that are known stay."""
    failures = (*estate.failures, Failure(section, None, cause))
    if section == "LoadBalancers":
        return replace(estate, failures=failures)
    unread: dict[str, Any] = {SECTIONS[section]: None}
    if section == "TargetGroups":
        unread["targets"] = None
    return replace(
        estate, failures=failures, complete_groups=estate.complete_groups and section != "SecurityGroups", **unread
    )


def _what(failure: Failure, home: Home) -> str:
    return f"load balancers of {home}" if failure.key is None else f"load balancer {failure.key}"


def _home(source: Mapping[str, Any]) -> Home | None:
    account_id, region = source.get("accountId"), source.get("awsRegion")
    if isinstance(account_id, str) and ACCOUNT_ID.fullmatch(account_id) and isinstance(region, str) and region:
        return Home(account_id, region)
    return None


def _lower(value: Any) -> Any:
    """A shape with the keys that the API of AWS Config has, whose items capitalise them."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _lower(inner) for key, inner in value.items()}
    return value if value is not None else {}
