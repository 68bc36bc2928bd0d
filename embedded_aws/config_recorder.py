"""What AWS Config records of the embedded account: an item of everything there, as its APIs describe it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from alb_sg.estate.resource_types import (
    INSTANCE_TYPE,
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    NETWORK_INTERFACE_TYPE,
    PREFIX_LIST_TYPE,
    SECURITY_GROUP_TYPE,
    SUBNET_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from embedded_aws.config_stand_in import ConfigStandIn

# By type: the section of a saved estate, the field that is the resource's id, and whether items spell fields in
# lowerCamel.
TYPE_MAPPINGS = {
    LOAD_BALANCER_TYPE: ("LoadBalancers", "LoadBalancerArn", True),
    LISTENER_TYPE: ("Listeners", "ListenerArn", False),
    TARGET_GROUP_TYPE: ("TargetGroups", "TargetGroupArn", False),
    SECURITY_GROUP_TYPE: ("SecurityGroups", "GroupId", True),
    VPC_TYPE: ("Vpcs", "VpcId", True),
    SUBNET_TYPE: ("Subnets", "SubnetId", True),
    INSTANCE_TYPE: ("Instances", "InstanceId", True),
    NETWORK_INTERFACE_TYPE: ("NetworkInterfaces", "NetworkInterfaceId", True),
}
ALL_TYPES = frozenset({*TYPE_MAPPINGS, PREFIX_LIST_TYPE})
CAPTURE_TIME = "2026-01-01T00:00:00.000Z"


def record_estate(
    config: ConfigStandIn,
    exported_estate: Mapping[str, Any],
    types: Collection[str] = ALL_TYPES,
    times: Mapping[str, str] | None = None,
) -> None:
    """Gives AWS Config an item of every resource of these types in a saved estate, with a recorder of them.

    `times` are capture times by resource id; the others have CAPTURE_TIME. Of two items of a resource with the same
    time, the later one to come counts.
    """
    # Items hold times as texts.
    exported_estate = json.loads(json.dumps(exported_estate, default=str))
    account_region = {"accountId": exported_estate["AccountId"], "awsRegion": exported_estate["Region"]}

    def add(type_name: str, resource_id: str, configuration: Any, tags: Mapping[str, str]) -> None:
        config.add_item(
            {
                **account_region,
                "resourceType": type_name,
                "resourceId": resource_id,
                "configurationItemCaptureTime": (times or {}).get(resource_id, CAPTURE_TIME),
                "configuration": configuration,
                "tags": tags,
            }
        )

    for type_name in types & TYPE_MAPPINGS.keys():
        section, identifier, lower = TYPE_MAPPINGS[type_name]
        for element in exported_estate[section]:
            found = dict(element)
            if section == "TargetGroups":
                health = exported_estate["TargetHealthDescriptions"][found[identifier]]
                found["Targets"] = [one["Target"] for one in health]
            tags = {one["Key"]: one["Value"] for one in exported_estate["Tags"].get(found[identifier], ())}
            add(type_name, found[identifier], to_lower_camel(found) if lower else found, tags)
    if PREFIX_LIST_TYPE in types:
        for prefix_list_id, found in exported_estate["ManagedPrefixLists"].items():
            if "Entries" in found:
                add(PREFIX_LIST_TYPE, prefix_list_id, {"PrefixListId": prefix_list_id, **found}, {})
    config.set_recorder(
        {"recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}, "resourceTypes": sorted(types)}
    )


def to_lower_camel(value: Any) -> Any:
    """The API's shape as AWS Config spells it for most types: `DNSName` becomes `dNSName`."""
    if isinstance(value, list):
        return [to_lower_camel(element) for element in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: to_lower_camel(inner) for key, inner in value.items()}
    return value
