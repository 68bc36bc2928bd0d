"""The sections of an estate: the kinds of AWS resources that it holds, by the names that an export file gives them."""

from __future__ import annotations

from enum import StrEnum


class Section(StrEnum):
    """A section, as an export file names it.

    `ALB_REGISTRATIONS` is no section of its own there: it asks for target groups of type `alb` and who is registered
    in them, a part of `TARGET_GROUPS` and `TARGET_HEALTH_DESCRIPTIONS`.
    """

    LOAD_BALANCERS = "LoadBalancers"
    LISTENERS = "Listeners"
    TARGET_GROUPS = "TargetGroups"
    TARGET_HEALTH_DESCRIPTIONS = "TargetHealthDescriptions"
    ALB_REGISTRATIONS = "AlbRegistrations"
    SECURITY_GROUPS = "SecurityGroups"
    VPCS = "Vpcs"
    INSTANCES = "Instances"
    NETWORK_INTERFACES = "NetworkInterfaces"
    MANAGED_PREFIX_LISTS = "ManagedPrefixLists"
    TAGS = "Tags"


# Every question about these sections concerns all of an account and region: one resource that is missing makes them
# incomplete.
ALL_OR_NOTHING_SECTIONS = frozenset({Section.TARGET_GROUPS, Section.NETWORK_INTERFACES})
