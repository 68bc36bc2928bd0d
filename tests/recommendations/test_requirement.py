"""What no requirement can be: nothing at all, which everything would cover."""

from __future__ import annotations

import pytest

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import TargetGroup
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Traffic
from alb_sg.recommendations.requirement import (
    AddressPeer,
    Origin,
    RequirementGroup,
    RequirementSet,
    address_peer,
)
from alb_sg.recommendations.target_peer import target_peer
from tests.builders import build, estate, target_group_arn

NOTHING = AddressSet(Family.IPV4, ())


@pytest.mark.parametrize(
    ("family", "cidrs"),
    [
        (Family.IPV4, ()),
        # The VPC whose IPv4 block is IPv6 text.
        (Family.IPV4, ("2600:1f18::/56",)),
        (Family.IPV6, ("10.0.0.0/16",)),
    ],
)
def test_a_peer_has_addresses_of_its_family(family: Family, cidrs: tuple[str, ...]) -> None:
    with pytest.raises(NotReadError, match=family.label):
        address_peer(family, cidrs)


def test_a_peer_is_of_the_family_of_its_addresses() -> None:
    with pytest.raises(NotReadError):
        AddressPeer(Family.IPV4, ("::/0",), AddressSet.everything(Family.IPV6))


def test_a_recommendation_requires_something_or_says_why_not() -> None:
    with pytest.raises(NotReadError):
        RequirementSet(())
    origin = Origin("listener", "arn", "HTTPS:443")
    without_peers = RequirementGroup(Direction.INGRESS, Traffic.tcp(443), (), origin)
    with pytest.raises(NotReadError):
        RequirementSet((without_peers,))


def test_an_empty_peer_is_never_covered() -> None:
    assert not NOTHING.is_covered_by(AddressSet.everything(Family.IPV4))
    assert not NOTHING.is_covered_by(NOTHING)
    assert AddressSet.from_cidrs(Family.IPV4, ["10.0.0.0/8"]).is_covered_by(AddressSet.everything(Family.IPV4))


@pytest.mark.parametrize(("family", "target_id"), [(Family.IPV6, "10.0.1.5"), (Family.IPV4, "2001:db8::5")])
def test_a_target_of_another_family_than_its_group_is_not_read(family: Family, target_id: str) -> None:
    group = TargetGroup(target_group_arn(), "web", "ip", 80, "vpc-1", family, (), True, None)
    peer = target_peer(build(estate()), group, target_id)
    assert (peer.family, peer.ip) == (family, None)
    assert peer.unread is not None
