"""Checks of the rules' functions: they are there and alike, may be invoked, lose no event, and have their alarms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg import __version__
from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.check import Check, CheckResult
from alb_sg.doctor.deployed_rules import DeployedRule
from alb_sg.doctor.reader import Reader, policy_statements, texts
from alb_sg.findings.phrasing import abbreviate, pluralize
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

FUNCTIONS = Check("functions", "A rule whose function is missing or broken fails on every event.")
VERSIONS = Check("version", "Functions of different versions judge by different rules.")
INVOCATION = Check("permission to invoke", "AWS Config cannot run a rule whose function it may not invoke.")
EVENT_AGE = Check("event age", "An event that is older than this limit is dropped, and Errors does not count it.")
CONCURRENCY = Check("concurrency", "Without free concurrency, events wait until they are too old.")
ALARMS = Check("alarms", "Without an alarm, nobody hears of a function that fails or falls silent.")
FAILED_EVENTS = Check("failed events", "A lost event may leave a wrong verdict until the next scheduled run.")

VERSION_TAG = "alb-sg:version"
# Handlers of our functions: the rule's module and its function.
HANDLERS = frozenset(f"{rule}.lambda_handler" for rule in RECOMMENDATIONS_BY_NAME)
NOT_FOUND = "ResourceNotFoundException"
CONFIG_PRINCIPAL = "config.amazonaws.com"
INVOKE_ACTIONS = frozenset({"lambda:InvokeFunction", "lambda:*", "*"})
# Seconds: a shorter limit may drop events during an outage or a deployment.
SHORT_EVENT_AGE = 900
# Several events at once are usual: a deployment changes listeners, target groups and security groups together.
CONCURRENT_EVENTS = 5
# The metrics that tell of failed and lost events, and of silence (docs/deployment.md).
ALARM_METRICS = {
    "Errors": "failed invocations",
    "Throttles": "throttled ones",
    "AsyncEventsDropped": "dropped events",
    "Invocations": "silence",
}
# The accounts or functions that a sentence names.
MAX_NAMED = 3
QUEUE_METRIC = "ApproximateNumberOfMessagesVisible"


@dataclass(frozen=True, slots=True)
class RuleFunction:
    """A function of a rule, as GetFunction describes it. `reserved` is None without reserved concurrency."""

    name: str
    configuration: Mapping[str, Any]
    version: str | None
    reserved: int | None

    @property
    def role_arn(self) -> str:
        return str(self.configuration.get("Role"))


def read_functions(
    reader: Reader, place: AccountRegion, rules: Sequence[DeployedRule]
) -> tuple[list[RuleFunction], list[CheckResult]]:
    """The functions of this account and region: those that the rules name, and all others with a rule's handler."""
    listed = reader.list("lambda", "list_functions", "Functions")
    if listed.failure is not None:
        return [], [FUNCTIONS.unread(place, listed.failure)]
    names = {str(found["FunctionName"]) for found in listed.items if found.get("Handler") in HANDLERS}
    names |= {rule.function_arn.split(":")[6] for rule in rules if rule.function_account == place.account_id}
    functions: list[RuleFunction] = []
    results: list[CheckResult] = []
    for name in sorted(names):
        answer = reader.get("lambda", "get_function", FunctionName=name)
        if answer.error_code == NOT_FOUND:
            results.append(
                FUNCTIONS.problem(f"{place} {name}", "a rule names it, and it does not exist", "deploy the functions")
            )
        elif answer.failure is not None:
            results.append(FUNCTIONS.unread(f"{place} {name}", answer.failure))
        else:
            function = _function(name, answer.content)
            functions.append(function)
            results.append(_state_result(place, function))
    elsewhere = sorted({rule.function_account for rule in rules} - {place.account_id, ""})
    if elsewhere:
        results.append(
            FUNCTIONS.notice(
                place,
                f"the rules' functions are in account {', '.join(elsewhere)}",
                "run alb-sg doctor there, in the same region",
            )
        )
    return functions, results


def _function(name: str, content: Mapping[str, Any]) -> RuleFunction:
    reserved = (content.get("Concurrency") or {}).get("ReservedConcurrentExecutions")
    return RuleFunction(
        name=name,
        configuration=content.get("Configuration") or {},
        version=(content.get("Tags") or {}).get(VERSION_TAG),
        reserved=None if reserved is None else int(reserved),
    )


def _state_result(place: AccountRegion, function: RuleFunction) -> CheckResult:
    configuration, at = function.configuration, f"{place} {function.name}"
    for field in ("State", "LastUpdateStatus"):
        if configuration.get(field) == "Failed":
            reason = configuration.get(f"{field}Reason") or "no reason given"
            return FUNCTIONS.problem(at, f"{field} is Failed: {reason}", "deploy it again")
    return FUNCTIONS.ok(at, f"{configuration.get('Runtime')}, updated {str(configuration.get('LastModified'))[:10]}")


def check_versions(place: AccountRegion, functions: Sequence[RuleFunction]) -> Iterator[CheckResult]:
    """Whether all functions have the same code, and that of this version."""
    if not functions:
        return
    hashes = {str(function.configuration.get("CodeSha256")) for function in functions}
    versions = sorted({function.version or "unknown" for function in functions})
    found = f"version {', '.join(versions)}; this command is {__version__}"
    if len(hashes) > 1:
        yield VERSIONS.problem(
            place,
            f"{pluralize(len(functions), 'function')} with {len(hashes)} different codes; {found}",
            "deploy all again",
        )
    elif versions not in (["unknown"], [__version__]):
        yield VERSIONS.notice(place, found, "deploy this version, or use the command of that one")
    else:
        yield VERSIONS.ok(place, f"{pluralize(len(functions), 'function')} with the same code; {found}")


def check_invocation(
    reader: Reader, place: AccountRegion, functions: Iterable[RuleFunction], accounts: Collection[str]
) -> Iterator[CheckResult]:
    """Whether AWS Config may invoke the functions for these accounts."""
    for function in functions:
        at = f"{place} {function.name}"
        answer = reader.get("lambda", "get_policy", FunctionName=function.name)
        action = "deploy the functions again: their template creates the permission"
        if answer.error_code == NOT_FOUND:
            yield INVOCATION.problem(at, "it has no resource policy", action)
        elif answer.failure is not None:
            yield INVOCATION.unread(at, answer.failure)
        else:
            allowed = _allowed_accounts(str(answer.content.get("Policy")))
            missing = sorted(set(accounts) - allowed) if allowed is not None else []
            if missing:
                yield INVOCATION.problem(
                    at, f"AWS Config may not invoke it for {abbreviate(missing, MAX_NAMED)}", action
                )
            else:
                yield INVOCATION.ok(at, f"AWS Config may invoke it for {abbreviate(sorted(accounts), MAX_NAMED)}")


def _allowed_accounts(policy: str) -> set[str] | None:
    """The accounts for which AWS Config may invoke a function; None for all."""
    accounts: set[str] = set()
    for statement in policy_statements(policy):
        principal = statement.get("Principal")
        services = principal.get("Service") if isinstance(principal, dict) else principal
        if statement.get("Effect") != "Allow" or CONFIG_PRINCIPAL not in texts(services):
            continue
        if not INVOKE_ACTIONS.intersection(texts(statement.get("Action"))):
            continue
        conditions = statement.get("Condition") or {}
        named = {
            account
            for operator in conditions.values()
            for key, values in operator.items()
            if key.lower() == "aws:sourceaccount"
            for account in texts(values)
        }
        if not named:
            return None
        accounts |= named
    return accounts


def check_concurrency(reader: Reader, place: AccountRegion, functions: Sequence[RuleFunction]) -> Iterator[CheckResult]:
    """The functions' reserved concurrency and event age, and the account's quota."""
    if not functions:
        return
    for function in functions:
        yield _event_age(reader, f"{place} {function.name}", function)
    disabled = [function.name for function in functions if function.reserved == 0]
    if disabled:
        yield CONCURRENCY.problem(
            place,
            f"{abbreviate(disabled, MAX_NAMED)} reserved 0 and never run",
            "raise reservedConcurrency, or remove it",
        )
    settings = reader.get("lambda", "get_account_settings")
    if settings.failure is not None:
        yield CONCURRENCY.unread(place, settings.failure)
        return
    limits = settings.content.get("AccountLimit") or {}
    quota, free = int(limits.get("ConcurrentExecutions", 0)), int(limits.get("UnreservedConcurrentExecutions", 0))
    shared = [function.name for function in functions if function.reserved is None]
    found = f"the account's quota is {quota:,}, of which {free:,} are unreserved"
    if shared and free < len(shared) * CONCURRENT_EVENTS:
        yield CONCURRENCY.problem(
            place,
            f"{found}; {pluralize(len(shared), 'function')} without reserved concurrency use them",
            "raise the quota (Service Quotas, Lambda, Concurrent executions): new accounts have 10",
        )
    elif not disabled:
        yield CONCURRENCY.ok(place, found)


def _event_age(reader: Reader, at: str, function: RuleFunction) -> CheckResult:
    answer = reader.get("lambda", "get_function_event_invoke_config", FunctionName=function.name)
    if answer.error_code == NOT_FOUND:
        return EVENT_AGE.ok(at, "Lambda tries an event for six hours")
    if answer.failure is not None:
        return EVENT_AGE.unread(at, answer.failure)
    seconds = answer.content.get("MaximumEventAgeInSeconds")
    if seconds is not None and int(seconds) < SHORT_EVENT_AGE:
        return EVENT_AGE.notice(
            at,
            f"Lambda drops an event after {int(seconds):,} seconds",
            "raise maximumEventAgeSeconds in rdk-config.json",
        )
    return EVENT_AGE.ok(at, f"Lambda tries an event for {int(seconds or 21_600):,} seconds")


def check_alarms(reader: Reader, place: AccountRegion, functions: Sequence[RuleFunction]) -> Iterator[CheckResult]:
    """Whether each function and its queue have their alarms, and none of them rings."""
    if not functions:
        return
    response = reader.list("cloudwatch", "describe_alarms", "MetricAlarms", AlarmTypes=["MetricAlarm"])
    if response.failure is not None:
        yield ALARMS.unread(place, response.failure)
        return
    for function in functions:
        names = {function.name, _queue_name(function) or function.name}
        own = [
            alarm
            for alarm in response.items
            if any(str(dimension.get("Value")) in names for dimension in alarm.get("Dimensions") or ())
        ]
        yield _alarms_result(f"{place} {function.name}", function, own)


def _alarms_result(at: str, function: RuleFunction, own: Sequence[Mapping[str, Any]]) -> CheckResult:
    ringing = sorted(str(alarm.get("AlarmName")) for alarm in own if alarm.get("StateValue") == "ALARM")
    if ringing:
        return ALARMS.problem(at, f"ringing: {', '.join(ringing)}", "docs/deployment.md says what to do for each alarm")
    metrics = {alarm.get("MetricName") for alarm in own}
    missing = [what for metric, what in ALARM_METRICS.items() if metric not in metrics]
    if _queue_name(function) is not None and QUEUE_METRIC not in metrics:
        missing.append("the failed-event queue")
    if missing:
        return ALARMS.problem(
            at, f"no alarm on {', '.join(missing)}", "deploy the functions from this version's templates"
        )
    if not any(alarm.get("AlarmActions") for alarm in own):
        return ALARMS.notice(at, f"{pluralize(len(own), 'alarm')} notify nobody", "set alarmTopic in rdk-config.json")
    return ALARMS.ok(at, f"{pluralize(len(own), 'alarm')}, none ringing")


def _queue_name(function: RuleFunction) -> str | None:
    arn = str((function.configuration.get("DeadLetterConfig") or {}).get("TargetArn"))
    return arn.rpartition(":")[2] if ":sqs:" in arn else None


def check_failed_events(
    reader: Reader, place: AccountRegion, functions: Iterable[RuleFunction]
) -> Iterator[CheckResult]:
    for function in functions:
        yield _failed_events(reader, f"{place} {function.name}", function)


def _failed_events(reader: Reader, at: str, function: RuleFunction) -> CheckResult:
    name = _queue_name(function)
    if name is None:
        return FAILED_EVENTS.problem(
            at, "it has no failed-event queue, so its failed events are lost", "deploy it from this version's templates"
        )
    url = reader.get("sqs", "get_queue_url", QueueName=name)
    attribute = "ApproximateNumberOfMessages"
    answer = url
    if url.failure is None:
        answer = reader.get("sqs", "get_queue_attributes", QueueUrl=url.content["QueueUrl"], AttributeNames=[attribute])
    if answer.failure is not None:
        return FAILED_EVENTS.unread(at, answer.failure)
    count = int((answer.content.get("Attributes") or {}).get(attribute, 0))
    if count:
        return FAILED_EVENTS.problem(
            at,
            f"the queue {name} holds {pluralize(count, 'event')}",
            "repair the cause (the function's log), then: python -m alb_sg.deployment replay",
        )
    return FAILED_EVENTS.ok(at, f"the queue {name} is empty")
