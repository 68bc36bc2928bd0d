"""What CloudFormation and EC2 add where a template writes nothing.

A security group without `SecurityGroupEgress` lets everything out. Source: "AWS::EC2::SecurityGroup" of the
CloudFormation template reference; for IPv6, "Security group rules" of the Amazon types.VPC user guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import (
    Action,
    PlannedResource,
    PlannedValue,
    ResourceReference,
    UnknownPlannedValue,
)

EGRESS_PROPERTY = "SecurityGroupEgress"
IPV6_ORIGIN = (
    "whether EC2 adds the default outbound rule for IPv6 to {address}, which it does if the types.VPC has IPv6"
)


def with_default_egress(resources: Sequence[PlannedResource], *, several: bool) -> list[PlannedResource]:
    """The resources, with its default outbound rules written into each security group that writes none.

    `several`: the templates are several, so that a rule whose group is not known may be for a group of another.
    """
    ipv4_vpcs = _vpcs_without_ipv6(resources)
    removers: dict[str, str] = {}
    anywhere: str | None = None
    for resource in resources:
        if resource.type == types.SECURITY_GROUP_EGRESS:
            group = resource.properties.get("GroupId")
            if isinstance(group, ResourceReference):
                removers.setdefault(group.address, resource.address)
            elif isinstance(group, UnknownPlannedValue) and several:
                anywhere = anywhere or resource.address
    return [
        one
        if one.type != types.SECURITY_GROUP or one.properties.get(EGRESS_PROPERTY)
        else _group_with_default_egress(one, ipv4_vpcs, removers.get(one.address, anywhere))
        for one in resources
    ]


def with_egress_of_changes(resources: Sequence[PlannedResource], *, several: bool = False) -> list[PlannedResource]:
    """As `with_default_egress`, where some resources exist: what EC2 adds to new groups, and doubt where an update
    takes outbound rules out of the template, because what then remains is not documented."""
    asked = [
        replace(one, properties={**one.properties, EGRESS_PROPERTY: []})
        if one.action is Action.UPDATE
        and (one.before or {}).get(EGRESS_PROPERTY)
        and not one.properties.get(EGRESS_PROPERTY)
        else one
        for one in resources
    ]
    return [
        given if one.action in (Action.CREATE, Action.REPLACE) or EGRESS_PROPERTY in one.properties else one
        for one, given in zip(asked, with_default_egress(asked, several=several), strict=True)
    ]


def _group_with_default_egress(
    group: PlannedResource, ipv4_vpcs: frozenset[str], remover: str | None
) -> PlannedResource:
    # What a separate rule or an empty list does to the default rule is not documented.
    doubt = f"{remover} takes" if remover is not None else "an empty SecurityGroupEgress takes"
    unsure = remover is not None or EGRESS_PROPERTY in group.properties
    unknown = UnknownPlannedValue(f"whether {doubt} the default outbound rule of {group.address} away")
    rules: list[dict[str, PlannedValue]] = [{"IpProtocol": "-1", "CidrIp": unknown if unsure else "0.0.0.0/0"}]
    vpc = group.properties.get("VpcId")
    if not (isinstance(vpc, ResourceReference) and vpc.address in ipv4_vpcs):
        rules.append({"IpProtocol": "-1", "CidrIpv6": UnknownPlannedValue(IPV6_ORIGIN.format(address=group.address))})
    return replace(group, properties={**group.properties, EGRESS_PROPERTY: rules})


def _vpcs_without_ipv6(resources: Sequence[PlannedResource]) -> frozenset[str]:
    """The addresses of the VPCs that get no IPv6 block here."""
    vpcs = {one.address for one in resources if one.type == types.VPC}
    for one in resources:
        if one.type == types.VPC_CIDR_BLOCK and not isinstance(one.properties.get("CidrBlock"), str):
            vpc = one.properties.get("VpcId")
            vpcs -= {vpc.address} if isinstance(vpc, ResourceReference) else vpcs
    return frozenset(vpcs)
