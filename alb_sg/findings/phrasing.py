"""Counts and lists in sentences, below every module that words one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

# More open peers than this explain nothing by their names.
MAX_OPEN_PEERS = 16


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text without control and formatting characters, which a terminal would obey and which reorder a line:
    anyone may choose a name in AWS."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def cut_middle(text: str, max_length: int) -> str:
    """The text, or its first and last part with the number of characters between them."""
    if len(text) <= max_length:
        return text
    half = max_length // 2
    return f"{text[:half]}… ({len(text) - 2 * half:,} characters more) …{text[-half:]}"


_PROTOCOL_NAMES = {"tcp": "TCP", "udp": "UDP", "icmp": "ICMP", "icmpv6": "ICMPv6", "-1": "all traffic"}


def describe_port_range(protocol: str, from_port: int | None, to_port: int | None) -> str:
    """A protocol with its ports, or as a whole: `TCP 80`, `TCP 8000-8010`, `UDP`, `all traffic`, `protocol 50`."""
    name = _PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")
    if from_port is None or to_port is None:
        return name
    return f"{name} {from_port}" if from_port == to_port else f"{name} {from_port}-{to_port}"


def abbreviate(names: Sequence[str], max_names: int) -> str:
    """The first names and how many more there are."""
    if len(names) <= max_names + 1:
        return ", ".join(names)
    return f"{', '.join(names[:max_names])} and {len(names) - max_names:,} more"


# The findings of one load balancer name the same security groups.
@lru_cache(1024)
def abbreviate_names(names: tuple[str, ...], max_names: int = 3) -> str:
    """As `abbreviate`, for annotations: `sg-1, sg-2 +3`."""
    if len(names) > max_names:
        count = max(1, max_names - 1)
        return f"{', '.join(names[:count])} +{len(names) - count}"
    return ", ".join(names)


def describe_open(peers: tuple[str, ...]) -> str:
    """The peers that traffic is open to, in short; "" for none."""
    return f"{len(peers)} other address ranges" if len(peers) > MAX_OPEN_PEERS else abbreviate_names(peers)
