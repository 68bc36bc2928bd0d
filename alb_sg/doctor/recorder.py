"""Checks of AWS Config's recorder: whether changes of load balancers and their security groups reach the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from alb_sg.doctor.check import Check, CheckResult
from alb_sg.doctor.reader import Reader
from alb_sg.estate.resource_types import LISTENER_TYPE, LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE, TARGET_GROUP_TYPE
from alb_sg.findings.phrasing import pluralize
from alb_sg.live.recordings import is_customer_recorder, records_daily, records_type
from alb_sg.recommendations.recommendation import Recommendation

RECORDER = Check("recorder", "Without a running recorder, no change triggers a rule.")
RECORDERS = Check("several recorders", "Only the customer managed recorder triggers rules, whatever others record.")
TYPES = Check(
    "recorded types", "A change of a type that is not recorded triggers no rule until the next scheduled run."
)
DAILY = Check("daily recording", "A type that is recorded daily triggers rules up to a day after its change.")
COMPLIANCE = Check(
    "compliance history",
    "Without AWS::Config::ResourceCompliance, AWS Config keeps no history of verdicts, and queries find none.",
)
DELIVERY = Check("delivery", "A recorder that cannot deliver loses history and snapshots, which --config-items reads.")

RESOURCE_COMPLIANCE_TYPE = "AWS::Config::ResourceCompliance"
# Without these, changes of most load balancers go unnoticed. Not every region records the other triggers.
REQUIRED_TYPES = (LOAD_BALANCER_TYPE, LISTENER_TYPE, TARGET_GROUP_TYPE, SECURITY_GROUP_TYPE)
FAILURE = "FAILURE"


def check_recorders(reader: Reader, place: str, rules: Iterable[Recommendation]) -> Iterator[CheckResult]:
    """The checks of the recorders, for the types that trigger `rules`."""
    recorders = reader.list("config", "describe_configuration_recorders", "ConfigurationRecorders")
    statuses = reader.list("config", "describe_configuration_recorder_status", "ConfigurationRecordersStatus")
    failure = recorders.failure or statuses.failure
    if failure is not None:
        yield from (check.unread(place, failure) for check in (RECORDER, RECORDERS, TYPES, DAILY, COMPLIANCE))
        return
    by_name = {status.get("name"): status for status in statuses.items}
    own = [recorder for recorder in recorders.items if is_customer_recorder(recorder)]
    running = [recorder for recorder in own if by_name.get(recorder["name"], {}).get("recording")]
    yield _recorder_result(place, own, running, by_name)
    yield _recorders_result(place, own, recorders.items)
    # A stopped recorder keeps its recording group, which says nothing of today.
    if running:
        yield from _type_results(place, running, rules)
    else:
        yield TYPES.problem(place, "no customer managed recorder is running", "start the recorder")


def _recorder_result(
    place: str,
    own: Sequence[Mapping[str, Any]],
    running: Sequence[Mapping[str, Any]],
    statuses: Mapping[str, Mapping[str, Any]],
) -> CheckResult:
    if not own:
        return RECORDER.problem(
            place, "there is no customer managed recorder", "set AWS Config up in this account and region"
        )
    if not running:
        name = own[0]["name"]
        return RECORDER.problem(
            place,
            f"the recorder {name} is stopped",
            f"aws configservice start-configuration-recorder --configuration-recorder-name {name}",
        )
    status = statuses[running[0]["name"]]
    # The API's model spells it Failure, the service FAILURE.
    if str(status.get("lastStatus")).upper() == FAILURE:
        reason = ": ".join(str(status[key]) for key in ("lastErrorCode", "lastErrorMessage") if status.get(key))
        return RECORDER.problem(
            place,
            f"the recorder {running[0]['name']} fails{f': {reason}' if reason else ''}",
            "check the recorder's role and its delivery channel",
        )
    return RECORDER.ok(place, f"the recorder {running[0]['name']} is running")


def _recorders_result(
    place: str, own: Sequence[Mapping[str, Any]], recorders: Sequence[Mapping[str, Any]]
) -> CheckResult:
    others = [str(recorder["name"]) for recorder in recorders if recorder not in own]
    if not others:
        return RECORDERS.ok(place, pluralize(len(own), "customer managed recorder"))
    return RECORDERS.notice(
        place,
        f"beside {pluralize(len(own), 'customer managed recorder')}, AWS services have {', '.join(sorted(others))}",
        "nothing, as long as the customer managed recorder runs",
    )


def _type_results(
    place: str, running: Sequence[Mapping[str, Any]], rules: Iterable[Recommendation]
) -> Iterator[CheckResult]:
    triggers = sorted({*REQUIRED_TYPES, *(type_name for rule in rules for type_name in rule.trigger_types)})
    recorded = [name for name in triggers if _is_recorded(running, name)]
    missing = [name for name in triggers if name not in recorded]
    action = "add them to the recorder's resource types"
    if not missing:
        yield TYPES.ok(place, f"all {pluralize(len(triggers), 'type')} that trigger the rules are recorded")
    elif any(name in REQUIRED_TYPES for name in missing):
        yield TYPES.problem(place, f"not recorded: {', '.join(missing)}", action)
    else:
        yield TYPES.notice(place, f"not recorded: {', '.join(missing)}", f"{action}, where the region supports them")
    daily = [name for name in recorded if not _is_recorded(running, name, continuously=True)]
    if daily:
        override = "record them continuously (recordingModeOverrides of the recorder)"
        yield DAILY.notice(place, f"recorded daily: {', '.join(daily)}", override)
    else:
        yield DAILY.ok(place, "no type that triggers the rules is recorded daily")
    if _is_recorded(running, RESOURCE_COMPLIANCE_TYPE):
        yield COMPLIANCE.ok(place, f"{RESOURCE_COMPLIANCE_TYPE} is recorded")
    else:
        yield COMPLIANCE.notice(
            place,
            f"{RESOURCE_COMPLIANCE_TYPE} is not recorded",
            "nothing: alb-sg verdicts and the dashboard read the compliance API. Record it if you need the history",
        )


def _is_recorded(recorders: Iterable[Mapping[str, Any]], type_name: str, *, continuously: bool = False) -> bool:
    return any(
        records_type(recorder.get("recordingGroup") or {}, type_name)
        and not (continuously and records_daily(recorder.get("recordingMode") or {}, type_name))
        for recorder in recorders
    )


def check_delivery(reader: Reader, place: str) -> Iterator[CheckResult]:
    statuses = reader.list("config", "describe_delivery_channel_status", "DeliveryChannelsStatus")
    if statuses.failure is not None:
        yield DELIVERY.unread(place, statuses.failure)
    elif not statuses.items:
        yield DELIVERY.problem(place, "there is no delivery channel", "create one: a recorder cannot start without it")
    else:
        for status in statuses.items:
            yield _delivery_result(place, status)


def _delivery_result(place: str, status: Mapping[str, Any]) -> CheckResult:
    failed = [
        f"{what} ({'; '.join(str(info[key]) for key in ('lastErrorCode', 'lastErrorMessage') if info.get(key))})"
        for what, info in (
            ("snapshots", status.get("configSnapshotDeliveryInfo") or {}),
            ("history", status.get("configHistoryDeliveryInfo") or {}),
            ("notifications", status.get("configStreamDeliveryInfo") or {}),
        )
        if str(info.get("lastStatus")).upper() == FAILURE
    ]
    if failed:
        return DELIVERY.problem(
            place,
            f"the channel {status.get('name')} does not deliver {', '.join(failed)}",
            "check that the recorder's role may write to the bucket, its KMS key and the topic",
        )
    return DELIVERY.ok(place, f"the channel {status.get('name')} delivers")
