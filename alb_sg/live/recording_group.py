"""Which resource types a recorder of AWS Config records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def records_type(recording_group: Mapping[str, Any], type_name: str) -> bool:
    """Whether a RecordingGroup, as the AWS Config API has it, covers a type.

    A recorder from before there were strategies names its types, or says that it records all.
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
