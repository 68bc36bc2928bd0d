"""Stage 0, where the source is AWS Config: what its advanced queries tell of an account and region, in place of the
calls that Elastic Load Balancing would take.

A type counts as recorded where the recorder records it and is up to date, and there are items of it, all of them
readable. What is not recorded the next stages read live, as if nobody had asked AWS Config. A query that fails is a
failure of its section.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from botocore.client import BaseClient

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.calls import ApiResponse
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.estate import Estate
from alb_sg.estate.item_history import Recording
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECTION_BY_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.live.config_requests import ConfigRequests
from alb_sg.live.load_context import LoadContext
from alb_sg.live.recording_group import records_type

# EC2 lists instances and interfaces at 1,000 a page where a query has 100, and they change by the minute; and what is
# in AWS-managed prefix lists no item tells.
QUERIED_TYPES = (LOAD_BALANCER_TYPE, LISTENER_TYPE, TARGET_GROUP_TYPE, SECURITY_GROUP_TYPE, VPC_TYPE)

RECORDERS_KEY = "recorders"
RECORDER_STATUS_KEY = "status"


def read_recordings(context: LoadContext, config: BaseClient) -> None:
    """Takes into the reading what AWS Config has recorded of the sections in question."""
    queries = ConfigRequests(config)
    types = [type_name for type_name in QUERIED_TYPES if _is_needed(context, SECTION_BY_TYPE[type_name])]
    answers = context.calls.send_all(
        {
            RECORDERS_KEY: queries.recorders(),
            RECORDER_STATUS_KEY: queries.recorder_status(),
            **{type_name: queries.items(type_name) for type_name in types},
        }
    )
    reading = context.partial_estate
    known = (answers.pop(RECORDERS_KEY), answers.pop(RECORDER_STATUS_KEY))
    for type_name, answer in answers.items():
        failure = next((one.failure for one in (*known, answer) if one.failure is not None), None)
        if failure is not None:
            reading.add_recording_failure(SECTION_BY_TYPE[type_name], failure)
    recorded = recorded_types(*known)
    rows = {
        type_name: rows
        for type_name, answer in answers.items()
        if type_name in recorded
        and answer.failure is None
        and (rows := _read_items(answer, AccountRegion(reading.account_id, reading.region)))
    }
    estate = _estate(AccountRegion(reading.account_id, reading.region), rows)
    if estate is not None:
        reading.add_recorded(
            estate,
            frozenset(SECTION_BY_TYPE[type_name] for type_name in rows if _is_complete(context, estate, type_name)),
        )


def recorded_types(recorders: ApiResponse, status: ApiResponse) -> frozenset[str]:
    """The types that the account's own recorder keeps up to date, of those that matter here."""
    up_to_date = {
        found["name"]
        for found in status.items
        # The API's model spells it Success, the service SUCCESS.
        if found.get("recording") and str(found.get("lastStatus")).upper() == "SUCCESS"
    }
    return frozenset(
        type_name
        for recorder in recorders.items
        if recorder["name"] in up_to_date
        for type_name in QUERIED_TYPES
        if records_type(recorder.get("recordingGroup") or {}, type_name)
    )


def _is_needed(context: LoadContext, section: str) -> bool:
    if section == "TargetGroups":
        return context.needs_target_groups
    return section == "LoadBalancers" or context.needs_section(section)


def _read_items(answer: ApiResponse, account_region: AccountRegion) -> list[ConfigItem]:
    """The items of a query's rows; none where one of them cannot be read: it may be the one that matters."""
    try:
        read = [read_item(source) for _, source in find_config_items(answer.items)]
    except InvalidInputError:
        return []
    found = [item for item in read if item is not None]
    return found if all(item.account_region == account_region for item in found) else []


def _estate(account_region: AccountRegion, rows: Mapping[str, Iterable[ConfigItem]]) -> Estate | None:
    """The estate in the items; None where two contradict each other."""
    recording = Recording(account_region)
    for type_name, items in rows.items():
        for number, item in enumerate(items):
            recording.add(item, "AWS Config", f"{type_name}[{number}]")
    try:
        return recording.estate()
    except InvalidInputError:
        return None


def _is_complete(context: LoadContext, estate: Estate, type_name: str) -> bool:
    """Whether the items of a type stand for all that there are."""
    section = SECTION_BY_TYPE[type_name]
    if any(failure.section == section for failure in estate.failures):
        return False
    match type_name:
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            # One that is asked for and has no item yet may have been created a moment ago.
            known = {name for found in estate.load_balancers.values() for name in (found.arn, found.name)}
            return context.selection.load_balancers <= known
        case "AWS::ElasticLoadBalancingV2::TargetGroup":
            groups = estate.target_groups or {}
            named = {arn for held in (estate.listeners or {}).values() for one in held for arn in one.target_group_arns}
            return named <= groups.keys() and all(group.load_balancer_arns is not None for group in groups.values())
    return True
