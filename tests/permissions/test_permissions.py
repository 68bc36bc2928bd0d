"""What groups let through, against what each of their rules lets through by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import (
    ANY_TCP_PORT,
    FRAGMENTATION_NEEDED,
    MAX_PERMISSIONS_WITHOUT_INDEX,
    PACKET_TOO_BIG,
    Direction,
    Permissions,
    Traffic,
)
from tests.builders import ANYWHERE, Saved, all_traffic, build, estate, group, prefix_list, reference, tcp
from tests.properties.estates import OWN_GROUPS, PORTS, estates

TRAFFICS = [*map(Traffic.tcp, (0, 8081, *PORTS)), FRAGMENTATION_NEEDED, PACKET_TOO_BIG]


@pytest.mark.slow
@given(estates(collected=True), st.sampled_from(Direction), st.sampled_from(TRAFFICS), st.sampled_from(Family))
def test_groups_allow_the_union_of_their_rules(
    saved: Saved, direction: Direction, traffic: Traffic, family: Family
) -> None:
    found = build(saved)
    permissions = Permissions(found, OWN_GROUPS)
    allowed = permissions.allowed_traffic(direction, traffic, family)
    rules = [source.permission for source in permissions.matching_rules(direction, traffic)]
    known = found.prefix_lists or {}
    lists = [known[id_] for rule in rules for id_ in rule.prefix_list_ids if id_ in known]
    addresses = AddressSet.from_cidrs(family, [cidr for rule in rules for cidr in rule.cidrs])
    for one in lists:
        addresses |= AddressSet.from_cidrs(family, one.entries or ())
    assert allowed.addresses == addresses
    # A reference to a list without entries lets nobody in.
    empty = {
        one.id
        for one in lists
        if one.family in (None, family) and one.entries is not None and not AddressSet.from_cidrs(family, one.entries)
    }
    assert allowed.prefix_list_ids == {id_ for rule in rules for id_ in rule.prefix_list_ids} - empty
    assert set(allowed.empty_prefix_lists) == empty
    # In the order of the rules, each once: texts on them must not depend on how they were found.
    live = [
        one for rule in rules for one in rule.references if not one.is_stale and not found.references_deleted_group(one)
    ]
    assert allowed.references == tuple(dict.fromkeys(live))
    assert allowed.referenced_group_ids == {one.group_id for one in live}
    assert allowed.peering_references == tuple(one for one in allowed.references if one.peering_connection_id)


def _one_group(*egress: object) -> Estate:
    return build(estate(group("sg-1", egress=egress)))  # type: ignore[arg-type]  # shapes


def test_ports_with_the_same_rules_share_allowed_traffic() -> None:
    permissions = Permissions(_one_group(tcp((8000, 8999), "sg-app"), tcp(8080, "sg-db")), ["sg-1"])

    def allowed(port: int) -> object:
        return permissions.allowed_traffic(Direction.EGRESS, Traffic.tcp(port), Family.IPV4)

    assert allowed(8001) is allowed(8999)
    assert allowed(8001) is not allowed(8080)


@pytest.mark.parametrize("first", ["port", "range", "everything"])
def test_references_keep_the_order_of_the_rules(first: str) -> None:
    rules = {
        "port": tcp(80, "sg-port"),
        "range": tcp((1, 100), reference("sg-range")),
        "everything": all_traffic("sg-everything", ANYWHERE),
    }
    ordered = [first, *(name for name in rules if name != first)]
    permissions = Permissions(_one_group(*(rules[name] for name in ordered)), ["sg-1"])
    allowed = permissions.allowed_traffic(Direction.EGRESS, Traffic.tcp(80), Family.IPV4)
    assert [one.group_id for one in allowed.references] == [f"sg-{name}" for name in ordered]


MANY = MAX_PERMISSIONS_WITHOUT_INDEX + 1


@pytest.mark.parametrize("others", [0, MANY], ids=["few rules", "many rules"])
def test_a_rule_for_port_1_alone_is_not_for_every_port(others: int) -> None:
    """All ports are asked for where a planned target's port is not known."""
    rules = (tcp(1, ANYWHERE), *(tcp(9000 + port, "sg-app") for port in range(others)))
    permissions = Permissions(_one_group(*rules), ["sg-1"])
    assert not permissions.allowed_traffic(Direction.EGRESS, ANY_TCP_PORT, Family.IPV4).addresses


def test_a_large_group_allows_what_its_rules_do() -> None:
    """Its index leaves out no rule, and keeps their order."""
    ports = (tcp(9000 + port, f"sg-{port}") for port in range(MANY))
    estate_ = _one_group(all_traffic("sg-first"), *ports, tcp((9000, 9010), "sg-range"), tcp(9001, "sg-last"))
    permissions = Permissions(estate_, ["sg-1"])

    def named(port: int) -> list[str]:
        allowed = permissions.allowed_traffic(Direction.EGRESS, Traffic.tcp(port), Family.IPV4)
        return [one.group_id for one in allowed.references]

    assert named(9001) == ["sg-first", "sg-1", "sg-range", "sg-last"]
    assert named(9012) == ["sg-first", "sg-12"]
    assert named(80) == ["sg-first"]


def test_a_group_that_is_no_part_of_the_estate_has_its_own_rules() -> None:
    """What is known of a large group of the same ID does not stand for it."""
    found = _one_group(*(tcp(9000 + port, "sg-app") for port in range(MANY)))
    assert Permissions(found, ["sg-1"]).allowed_traffic(Direction.EGRESS, Traffic.tcp(9000), Family.IPV4).references
    other = found.security_group("sg-1")._replace(egress=found.security_group("sg-1").egress[1:] * 2)
    of_other = Permissions.of_groups(found, [other])
    assert not of_other.allowed_traffic(Direction.EGRESS, Traffic.tcp(9000), Family.IPV4).references


def test_equal_rules_of_two_estates_do_not_share_what_depends_on_the_estate() -> None:
    """A prefix list has other entries in another account."""
    rules = [tcp(443, "pl-1"), tcp(443, "192.0.2.0/24")]
    read = build(estate(group("sg-1", egress=rules), prefix_list("pl-1", "10.0.0.0/8")))
    unread = build(estate(group("sg-1", egress=rules)))
    for found, is_read in ((read, True), (unread, False), (read, True)):
        allowed = Permissions(found, ["sg-1"]).allowed_traffic(Direction.EGRESS, Traffic.tcp(443), Family.IPV4)
        assert bool(allowed.unread) != is_read
