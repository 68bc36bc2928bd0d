"""The address algebra against two obvious oracles: sets of addresses in a window small enough to count out, and
Python's `ipaddress` for anything larger."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alb_sg.estate.cidr import Family, InvalidCidrError, format_address, parse_cidr
from alb_sg.permissions.addresses import AddressSet

Network = IPv4Network | IPv6Network

FAMILIES = (Family.IPV4, Family.IPV6)
# A window of 16 addresses of each family: every block within it, and every address, can be tried.
WINDOWS: dict[Family, Network] = {
    Family.IPV4: IPv4Network("10.0.0.240/28"),
    Family.IPV6: IPv6Network("2001:db8::ffff:fff0/124"),
}


def _blocks_in(window: Network) -> list[str]:
    return [
        str(block)
        for bits in range(window.prefixlen, window.max_prefixlen + 1)
        for block in window.subnets(new_prefix=bits)
    ]


in_window = st.sampled_from(FAMILIES).flatmap(
    lambda family: st.tuples(
        st.just(family),
        st.lists(st.sampled_from(_blocks_in(WINDOWS[family])), max_size=6),
        st.lists(st.sampled_from(_blocks_in(WINDOWS[family])), max_size=6),
    )
)


@st.composite
def blocks(draw: st.DrawFn, family: Family) -> str:
    """Any block of a family: an address, often at an end of the family's range, and a length."""
    highest = (1 << family.bits) - 1
    number = draw(st.one_of(st.integers(0, highest), st.integers(0, 64), st.integers(highest - 64, highest)))
    length = draw(st.integers(0, family.bits))
    return f"{format_address(family, number)}/{length}"


anywhere = st.sampled_from(FAMILIES).flatmap(
    lambda family: st.tuples(
        st.just(family), st.lists(blocks(family), max_size=6), st.lists(blocks(family), max_size=6)
    )
)


def _counted(cidrs: Iterable[str]) -> set[int]:
    """Every address of some blocks, counted out."""
    return {int(address) for cidr in cidrs for address in ip_network(cidr, strict=False)}


def _networks(cidrs: Iterable[str]) -> list[Network]:
    return [ip_network(cidr, strict=False) for cidr in cidrs]


def _collapsed(networks: Iterable[Network]) -> list[Network]:
    """`ipaddress`'s own idea of the fewest blocks, in order."""
    of_four = [network for network in networks if isinstance(network, IPv4Network)]
    of_six = [network for network in networks if isinstance(network, IPv6Network)]
    return [*collapse_addresses(of_four), *collapse_addresses(of_six)]


def _without(networks: list[Network], taken: list[Network]) -> list[Network]:
    """What is left of some blocks when others are taken out, one block at a time."""
    for away in taken:
        left: list[Network] = []
        for network in networks:
            if network.subnet_of(away):  # type: ignore[arg-type]  # both are of one family
                continue
            if away.subnet_of(network):  # type: ignore[arg-type]  # as above
                left.extend(network.address_exclude(away))  # type: ignore[arg-type]  # as above
            else:
                left.append(network)
        networks = left
    return networks


@given(in_window)
def test_every_address_of_a_window(case: tuple[Family, list[str], list[str]]) -> None:
    family, some, others = case
    left, right = AddressSet.from_cidrs(family, some), AddressSet.from_cidrs(family, others)
    counted_left, counted_right = _counted(some), _counted(others)
    assert _counted(left.cidrs()) == counted_left
    assert _counted((left | right).cidrs()) == counted_left | counted_right
    assert _counted((left - right).cidrs()) == counted_left - counted_right
    assert (left <= right) == (counted_left <= counted_right)
    assert left.overlaps(right) == bool(counted_left & counted_right)
    assert bool(left) == bool(counted_left)
    assert (left == right) == (counted_left == counted_right)


@given(in_window)
def test_no_fewer_blocks_would_do(case: tuple[Family, list[str], list[str]]) -> None:
    """Minimal by trial: any covering needs each maximal block that lies within the set."""
    family, some, others = case
    found = AddressSet.from_cidrs(family, some) - AddressSet.from_cidrs(family, others)
    addresses = _counted(found.cidrs())
    within = [block for block in _blocks_in(WINDOWS[family]) if _counted([block]) <= addresses]
    largest = [
        block
        for block in within
        if not any(block != other and _counted([block]) < _counted([other]) for other in within)
    ]
    assert sorted(found.cidrs()) == sorted(largest)


@pytest.mark.slow
@given(anywhere)
@example((Family.IPV4, ["0.0.0.0/0"], ["255.255.255.255/32"]))
@example((Family.IPV4, ["0.0.0.0/0"], ["0.0.0.0/32"]))
@example((Family.IPV6, ["::/0"], ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::/128"]))
@example((Family.IPV4, ["0.0.0.0/1", "128.0.0.0/1"], []))
def test_any_blocks_against_ipaddress(case: tuple[Family, list[str], list[str]]) -> None:
    family, some, others = case
    left, right = AddressSet.from_cidrs(family, some), AddressSet.from_cidrs(family, others)
    networks, other_networks = _networks(some), _networks(others)
    assert _networks(left.cidrs()) == _collapsed(networks)
    assert _networks((left | right).cidrs()) == _collapsed([*networks, *other_networks])
    assert _networks((left - right).cidrs()) == _collapsed(_without(networks, other_networks))
    assert (left <= right) == (not _without(networks, other_networks))
    assert left.is_everything == (_collapsed(networks) == [ip_network(family.any_address_cidr)])


@given(anywhere, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(case: tuple[Family, list[str], list[str]], random: object) -> None:
    family, some, others = case
    shuffled = [*some, *others, *some]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own Random
    assert AddressSet.from_cidrs(family, shuffled) == AddressSet.from_cidrs(family, some) | AddressSet.from_cidrs(
        family, others
    )


@given(anywhere)
def test_the_laws_of_sets(case: tuple[Family, list[str], list[str]]) -> None:
    family, some, others = case
    left, right = AddressSet.from_cidrs(family, some), AddressSet.from_cidrs(family, others)
    assert left | right == right | left
    assert (left - right) | (left - (left - right)) == left
    assert (left | right) - right == left - right
    assert not (left - left)
    assert left - right <= left <= left | right
    assert not (left - right).overlaps(right)
    assert AddressSet.from_cidrs(family, left.cidrs()) == left
    assert not (AddressSet.everything(family) - (AddressSet.everything(family) - left)).overlaps(
        AddressSet.everything(family) - left
    )


@given(anywhere)
def test_ranges_are_sorted_disjoint_and_apart(case: tuple[Family, list[str], list[str]]) -> None:
    family, some, others = case
    for found in (
        AddressSet.from_cidrs(family, some),
        AddressSet.from_cidrs(family, some) - AddressSet.from_cidrs(family, others),
    ):
        for first, last in found.ranges:
            assert 0 <= first <= last < 1 << family.bits
        assert all(end + 1 < start for (_, end), (start, _) in zip(found.ranges, found.ranges[1:], strict=False))


@given(st.sampled_from(FAMILIES).flatmap(lambda family: st.tuples(st.just(family), blocks(family))))
def test_a_block_reads_as_ipaddress_reads_it(case: tuple[Family, str]) -> None:
    """Host bits are dropped."""
    family, text = case
    network = ip_network(text, strict=False)
    assert parse_cidr(text) == (family, (int(network.network_address), int(network.broadcast_address)))


@given(
    st.sampled_from(FAMILIES).flatmap(lambda family: st.tuples(st.just(family), st.integers(0, (1 << family.bits) - 1)))
)
def test_an_address_is_a_block_of_one_and_reads_back(case: tuple[Family, int]) -> None:
    family, number = case
    text = format_address(family, number)
    assert int(ip_address(text)) == number
    assert parse_cidr(text) == (family, (number, number))


@given(anywhere)
def test_blocks_of_the_other_family_are_left_out(case: tuple[Family, list[str], list[str]]) -> None:
    family, some, _ = case
    other = Family.IPV6 if family is Family.IPV4 else Family.IPV4
    assert not AddressSet.from_cidrs(other, some)
    assert AddressSet.from_cidrs(family, [*some, other.any_address_cidr]) == AddressSet.from_cidrs(family, some)


def test_two_families_do_not_combine() -> None:
    four, six = (AddressSet.everything(family) for family in FAMILIES)
    with pytest.raises(TypeError, match="IPv4 and IPv6"):
        four.__or__(six)
    with pytest.raises(TypeError, match="IPv6 and IPv4"):
        six.__sub__(four)


@pytest.mark.slow
@given(st.text(max_size=50))
@example("10.0.0.0\x00/8")
@example("10.0.0.0/" + "9" * 5000)
@example("\ud800")
def test_any_text_is_a_block_or_refused(text: str) -> None:
    """Whatever a file holds: a block that `ipaddress` can read too, or InvalidCidrError, never another error."""
    try:
        _, (first, last) = parse_cidr(text)
    except InvalidCidrError:
        return
    network = ip_network(text.strip(), strict=False)
    assert (first, last) == (int(network.network_address), int(network.broadcast_address))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8/8",
        "10.0.0.0/ 8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/\u0668",
        "10.0.0",
        "10",
        "10.0.0.256",
        "1.2.3.4.5",
        "0x0a.0.0.0/8",
        "010.0.0.0/8",
        "::/129",
        ":::/8",
        "2001:db8::1::/64",
        "fe80::1%eth0/64",
        "[::]/0",
        "10.0.0.0-10.0.0.9",
        "internet",
        "pl-3b927c52",
        "sg-0a1b",
        "10.0.0.0/8,11.0.0.0/8",
        "10.0.0.0\x00",
        "10.0.0.0/" + "1" * 5000,
    ],
)
def test_bad_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCidrError):
        parse_cidr(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_everything_and_nothing(family: Family) -> None:
    everything, nothing = AddressSet.everything(family), AddressSet.from_cidrs(family, [])
    assert everything.cidrs() == (family.any_address_cidr,)
    assert everything.is_everything
    assert nothing.cidrs() == ()
    assert not nothing.is_everything
    assert not nothing
    assert everything - nothing == everything
    assert nothing - everything == nothing
    assert nothing <= nothing  # noqa: PLR0124 (the empty set is a subset of itself)
