"""The clients of a load balancer, by its scheme and address type or as its tag names them (semantics §5, §9)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, require_known
from alb_sg.estate.sections import Section
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID, Parameters, is_peer
from alb_sg.permissions.addresses import AddressSet
from alb_sg.recommendations.requirement import (
    AddressPeer,
    NotApplicable,
    Peer,
    address_peer,
    parse_peer,
)

# LoadBalancer.IpAddressType in the Elastic Load Balancing API.
CLIENT_FAMILIES = {
    "ipv4": (Family.IPV4,),
    "dualstack": (Family.IPV4, Family.IPV6),
    "dualstack-without-public-ipv4": (Family.IPV6,),
}
# What a verdict on clients may depend on.
CLIENT_SECTIONS = frozenset({Section.SECURITY_GROUPS, Section.VPCS, Section.MANAGED_PREFIX_LISTS, Section.TAGS})


def client_families(load_balancer: LoadBalancer) -> tuple[Family, ...]:
    """Raises NotReadError for an unknown address type."""
    return CLIENT_FAMILIES[require_known(load_balancer.ip_address_type, f"load balancer {load_balancer.name}")]


def client_peers(
    estate: Estate, load_balancer: LoadBalancer, parameters: Parameters, *, include_security_groups: bool = True
) -> tuple[Peer, ...]:
    """All peers that a load balancer must be open to.

    `include_security_groups` False ignores security groups in the tag, because a router that sends ICMP carries none;
    if the tag names nothing else, the default applies. Raises NotReadError where the tag or the VPC cannot be used, and
    NotApplicable where there is no client address at all.
    """
    words = [] if parameters.tag_key is None else _tagged_clients(estate, load_balancer, parameters.tag_key)
    if not include_security_groups:
        words = [word for word in words if not SECURITY_GROUP_ID.fullmatch(word)]
    families = client_families(load_balancer)
    if words:
        return _peers_from_tag(
            estate, load_balancer, words, families, f"tag {parameters.tag_key} of {load_balancer.name}"
        )
    if require_known(load_balancer.scheme, f"load balancer {load_balancer.name}") == "internet-facing":
        return _internet_peers(families)
    peers = _vpc_peers(estate, load_balancer.vpc_id, families)
    if not peers:
        raise NotApplicable(f"{load_balancer.vpc_id} has no IPv6 CIDR block, so there are no clients")
    return peers


def vpc_cidrs(estate: Estate, vpc_id: str, family: Family) -> tuple[str, ...]:
    """A VPC's associated CIDR blocks of a family. Raises NotReadError where one of them could not be read, and where
    no IPv4 block is known: every VPC has one."""
    cidrs = estate.vpc(vpc_id).known_cidrs(family)
    if not cidrs and family is Family.IPV4:
        raise NotReadError(f"IPv4 CIDR blocks of {vpc_id}", "none was recorded")
    return cidrs


def _tagged_clients(estate: Estate, load_balancer: LoadBalancer, tag_key: str) -> list[str]:
    """The words of the load balancer's tag; none where it has no tag of this key. Raises NotReadError."""
    value = estate.tags_of(load_balancer).get(tag_key)
    if value is None:
        return []
    words = value.split()
    bad = next((word for word in words if not _is_client_word(word)), None)
    if bad is not None or not words:
        raise NotReadError(
            f"tag {tag_key} of {load_balancer.name}",
            "it is empty; name CIDR blocks, pl-…, sg-…, internet or vpc"
            if bad is None
            else f"{bad!r} is not a CIDR block, pl-…, sg-…, internet or vpc",
        )
    return words


def _is_client_word(word: str) -> bool:
    return word in ("internet", "vpc") or is_peer(word)


def _peers_from_tag(
    estate: Estate, load_balancer: LoadBalancer, words: Sequence[str], families: tuple[Family, ...], tag: str
) -> tuple[Peer, ...]:
    """The peers that the words name together. Raises NotReadError if they name no peer."""
    peers = tuple(
        dict.fromkeys(peer for word in words for peer in _peers_from_word(estate, load_balancer, word, families))
    )
    if not peers:
        raise NotReadError(
            tag,
            f"{' '.join(words)!r} names no client that an {load_balancer.ip_address_type} load balancer can have",
        )
    return peers


def _peers_from_word(
    estate: Estate, load_balancer: LoadBalancer, word: str, families: tuple[Family, ...]
) -> tuple[Peer, ...]:
    """The peers that one word names, in those address families that the load balancer serves."""
    if word == "internet":
        return _internet_peers(families)
    if word == "vpc":
        return _vpc_peers(estate, load_balancer.vpc_id, families)
    if PREFIX_LIST_ID.fullmatch(word) and (list_family := estate.prefix_list(word).family) is not None:
        families = tuple(family for family in families if family is list_family)
    peers = (parse_peer(word, family) for family in families)
    return tuple(peer for peer in peers if peer is not None)


def _vpc_peers(estate: Estate, vpc_id: str, families: tuple[Family, ...]) -> tuple[Peer, ...]:
    if estate.is_planned:
        return tuple(peer for family in families for peer in _planned_vpc_peers(estate, vpc_id, family))
    blocks = [(family, vpc_cidrs(estate, vpc_id, family)) for family in families]
    return tuple(address_peer(family, cidrs, label="VPC") for family, cidrs in blocks if cidrs)


def _planned_vpc_peers(estate: Estate, vpc_id: str, family: Family) -> tuple[Peer, ...]:
    """The blocks of a VPC that are known before a plan is applied, and any address for those that are not."""
    try:
        cidrs = vpc_cidrs(estate, vpc_id, family)
        unknown: tuple[Peer, ...] = ()
    except NotReadError as error:
        vpc = estate.vpc(vpc_id) if vpc_id in (estate.vpcs or {}) else None
        cidrs = () if vpc is None else vpc.cidrs[family]
        blocks = None if vpc is None else vpc.unknown_cidrs.get(family)
        identities = frozenset[str]() if blocks is None else blocks.identities
        # Every VPC has an IPv4 block.
        some_required = not cidrs and family is Family.IPV4
        anywhere = AddressSet.everything(family)
        unknown = (
            AddressPeer(
                family,
                (),
                anywhere,
                label="VPC",
                unread=error,
                some_required=some_required,
                identities=identities,
            ),
        )
    return (*((address_peer(family, cidrs, label="VPC"),) if cidrs else ()), *unknown)


@cache
def _internet_peers(families: tuple[Family, ...]) -> tuple[Peer, ...]:
    return tuple(address_peer(family, (family.any_address_cidr,)) for family in families)
