"""Stage 0, if AWS Config is a source: advanced queries in place of calls to Elastic Load Balancing and EC2.

A resource type counts as recorded if an up-to-date recorder records it and a query returns items of it, all of them
readable. The next stages read other types live. A failed query is a failure of its section.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.client import BaseClient

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.calls import ApiResponse
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.estate import Estate
from alb_sg.estate.item_history import Recording
from alb_sg.estate.model import has_unknown_value
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECTION_BY_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.estate.sections import Section
from alb_sg.live.config_requests import ConfigRequests
from alb_sg.live.load_context import LoadContext

# Other types are read live. EC2 lists instances and interfaces by 1,000 a page, a query by 100, and they change by the
# minute. No item holds the entries of an AWS-managed prefix list.
QUERIED_TYPES = (LOAD_BALANCER_TYPE, LISTENER_TYPE, TARGET_GROUP_TYPE, SECURITY_GROUP_TYPE, VPC_TYPE)

RECORDERS_KEY = "recorders"
RECORDER_STATUS_KEY = "status"
# RecordingFrequency in the AWS Config API.
DAILY = "DAILY"


def read_recordings(context: LoadContext, config: BaseClient) -> None:
    """Adds the recorded sections that the question needs to the partial estate."""
    requests = ConfigRequests(config)
    types = [type_name for type_name in QUERIED_TYPES if _is_needed(context, SECTION_BY_TYPE[type_name])]
    responses = context.calls.send_all(
        {
            RECORDERS_KEY: requests.recorders(),
            RECORDER_STATUS_KEY: requests.recorder_status(),
            **{type_name: requests.items(type_name) for type_name in types},
        }
    )
    partial_estate = context.partial_estate
    account_region = AccountRegion(partial_estate.account_id, partial_estate.region)
    recorders, status = responses.pop(RECORDERS_KEY), responses.pop(RECORDER_STATUS_KEY)
    recorded = recorded_types(recorders, status)
    items_by_type = {}
    for type_name, response in responses.items():
        failure = recorders.failure or status.failure or response.failure
        if failure is not None:
            partial_estate.add_recording_failure(SECTION_BY_TYPE[type_name], failure)
        elif type_name in recorded:
            items_by_type[type_name] = _read_items(response, account_region)
    items_by_type = {type_name: items for type_name, items in items_by_type.items() if items}
    estate = _estate(account_region, items_by_type)
    if estate is not None:
        complete = [name for name in items_by_type if _is_complete(context, estate, name)]
        times = {
            item.id: item.capture_time
            for type_name in complete
            for item in items_by_type[type_name]
            if item.capture_time is not None
        }
        partial_estate.add_recorded(estate, frozenset(SECTION_BY_TYPE[type_name] for type_name in complete), times)


def recorded_types(recorders: ApiResponse, status: ApiResponse) -> frozenset[str]:
    """The types of `QUERIED_TYPES` that the account's own recorder keeps up to date.

    A type that is recorded daily is up to a day old, so its items are not up to date.
    """
    up_to_date = {
        str(recorder.get("name"))
        for recorder in status.items
        # The API's model spells it Success, the service SUCCESS.
        if recorder.get("recording") and str(recorder.get("lastStatus")).upper() == "SUCCESS"
    }
    return frozenset(
        type_name
        for recorder in recorders.items
        if str(recorder.get("name")) in up_to_date and is_customer_recorder(recorder)
        for type_name in QUERIED_TYPES
        if records_type(recorder.get("recordingGroup") or {}, type_name)
        and not records_daily(recorder.get("recordingMode") or {}, type_name)
    )


def is_customer_recorder(recorder: Mapping[str, Any]) -> bool:
    """Whether a ConfigurationRecorder is the customer's own, and not a service-linked one of an AWS service."""
    return not recorder.get("servicePrincipal") and recorder.get("recordingScope") != "INTERNAL"


def records_daily(recording_mode: Mapping[str, Any], type_name: str) -> bool:
    """Whether a RecordingMode records a resource type once a day. An override for the type takes precedence."""
    for override in recording_mode.get("recordingModeOverrides") or ():
        if type_name in (override.get("resourceTypes") or ()):
            return bool(override.get("recordingFrequency") == DAILY)
    return bool(recording_mode.get("recordingFrequency") == DAILY)


def records_type(recording_group: Mapping[str, Any], type_name: str) -> bool:
    """Whether a RecordingGroup, as the AWS Config API returns it, covers a resource type.

    A recorder from before recording strategies lists its types or sets `allSupported`.
    """
    strategy = (recording_group.get("recordingStrategy") or {}).get("useOnly")
    included = recording_group.get("resourceTypes") or ()
    excluded = (recording_group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or ()
    match strategy:
        case "ALL_SUPPORTED_RESOURCE_TYPES":
            return True
        case "EXCLUSION_BY_RESOURCE_TYPES":
            return type_name not in excluded
        case "INCLUSION_BY_RESOURCE_TYPES":
            return type_name in included
    return bool(recording_group.get("allSupported")) or type_name in included


def _is_needed(context: LoadContext, section: str) -> bool:
    if section == Section.TARGET_GROUPS:
        return context.needs_target_groups
    return section == Section.LOAD_BALANCERS or context.needs_section(section)


def _read_items(response: ApiResponse, account_region: AccountRegion) -> list[ConfigItem]:
    """The items of a query's rows; none if one row cannot be read or has an unknown value, because a verdict may depend
    on it and the API may tell it, and none if one has no time, because nothing tells how old such a verdict is."""
    try:
        rows = [read_item(row) for _, row in find_config_items(response.items)]
    except InvalidInputError:
        return []
    items = [item for item in rows if item is not None]
    if any(item.capture_time is None for item in items):
        return []
    if any(item.resource is not None and has_unknown_value(item.resource) for item in items):
        return []
    return items if all(item.account_region == account_region for item in items) else []


def _estate(account_region: AccountRegion, items_by_type: Mapping[str, Iterable[ConfigItem]]) -> Estate | None:
    """The items as an estate; None if two items contradict each other."""
    recording = Recording(account_region)
    for type_name, items in items_by_type.items():
        for number, item in enumerate(items):
            recording.add(item, "AWS Config", f"{type_name}[{number}]")
    try:
        return recording.estate()
    except InvalidInputError:
        return None


def _is_complete(context: LoadContext, estate: Estate, type_name: str) -> bool:
    """Whether no other item and no name shows that an item of a type is missing."""
    section = SECTION_BY_TYPE[type_name]
    if any(failure.section == section for failure in estate.failures):
        return False
    match type_name:
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            # A load balancer that was just created may have no item yet.
            known = {name for found in estate.load_balancers.values() for name in (found.arn, found.name)}
            return context.selection.load_balancers <= known
        case "AWS::ElasticLoadBalancingV2::TargetGroup":
            groups = estate.target_groups or {}
            listeners = (listener for found in (estate.listeners or {}).values() for listener in found)
            used = {arn for listener in listeners for arn in listener.target_group_arns}
            return used <= groups.keys() and all(group.load_balancer_arns is not None for group in groups.values())
    return True
