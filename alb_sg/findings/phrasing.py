"""Counts and lists in sentences, below every module that words one."""

from __future__ import annotations

from collections.abc import Sequence


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
