"""The sections of an estate: the kinds of AWS resources that it holds, under the names of an export file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Section(StrEnum):
    """A section, under its name in an export file.

    `ALB_REGISTRATIONS` is not a section of the file. It requests the target groups of type `alb` and their targets, a
    part of `TARGET_GROUPS` and `TARGET_HEALTH_DESCRIPTIONS`. Neither is `SECURITY_GROUP_CARRIERS`: it requests the
    network interfaces that carry the load balancers' security groups, a part of `NETWORK_INTERFACES`, and the listeners
    of all load balancers that do.
    """

    LOAD_BALANCERS = "LoadBalancers"
    LISTENERS = "Listeners"
    TARGET_GROUPS = "TargetGroups"
    TARGET_HEALTH_DESCRIPTIONS = "TargetHealthDescriptions"
    ALB_REGISTRATIONS = "AlbRegistrations"
    SECURITY_GROUPS = "SecurityGroups"
    SECURITY_GROUP_CARRIERS = "SecurityGroupCarriers"
    SECURITY_GROUP_RULES = "SecurityGroupRules"
    VPCS = "Vpcs"
    SUBNETS = "Subnets"
    INSTANCES = "Instances"
    NETWORK_INTERFACES = "NetworkInterfaces"
    MANAGED_PREFIX_LISTS = "ManagedPrefixLists"
    TAGS = "Tags"


# The attribute of `Estate` that holds a section. Load balancers are not optional, so no lookup needs theirs.
SECTION_ATTRIBUTES: Mapping[Section, str] = {
    Section.LISTENERS: "listeners",
    Section.TARGET_GROUPS: "target_groups",
    Section.TARGET_HEALTH_DESCRIPTIONS: "targets",
    Section.SECURITY_GROUPS: "security_groups",
    Section.SECURITY_GROUP_RULES: "security_group_rules",
    Section.VPCS: "vpcs",
    Section.SUBNETS: "subnets",
    Section.INSTANCES: "instances",
    Section.SECURITY_GROUP_CARRIERS: "interfaces_by_group",
    Section.NETWORK_INTERFACES: "network_interfaces",
    Section.MANAGED_PREFIX_LISTS: "prefix_lists",
    Section.TAGS: "tags",
}

# A load balancer's target groups, and the owner of an address, are known only from the whole section: one resource that
# was not recorded makes the section incomplete.
ALL_OR_NOTHING_SECTIONS = frozenset({Section.TARGET_GROUPS, Section.NETWORK_INTERFACES})
