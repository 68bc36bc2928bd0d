"""Addresses and CIDR blocks as whole numbers. Only this module parses and formats their text."""

from __future__ import annotations

import ipaddress
import socket
from enum import Enum
from functools import lru_cache

Range = tuple[int, int]


class Family(Enum):
    """An address family, by the number of bits of an address."""

    IPV4 = 32
    IPV6 = 128

    def __init__(self, bits: int) -> None:
        self.bits = bits

    # A member is a single object. An enum hashes the member's name instead, in Python, at each of many look-ups.
    __hash__ = object.__hash__

    @property
    def label(self) -> str:
        return "IPv4" if self is IPV4 else "IPv6"

    @property
    def any_address_cidr(self) -> str:
        """The CIDR block of the whole family."""
        return "0.0.0.0/0" if self is IPV4 else "::/0"


IPV4, IPV6 = Family.IPV4, Family.IPV6


class InvalidCidrError(ValueError):
    """The text is neither an address nor a CIDR block."""


@lru_cache(maxsize=65536)
def parse_cidr(text: str) -> tuple[Family, Range]:
    """Family and first and last address of a CIDR block or single address; host bits are dropped.

    Raises InvalidCidrError.
    """
    address, slash, length = text.strip().partition("/")
    family = family_of(address)
    bits, protocol = (32, socket.AF_INET) if family is IPV4 else (128, socket.AF_INET6)
    try:
        number = int.from_bytes(socket.inet_pton(protocol, address), "big")
    except (OSError, ValueError) as error:
        raise InvalidCidrError(f"{text!r} is not a CIDR block") from error
    if not slash:
        return family, (number, number)
    if not (length.isascii() and length.isdigit() and len(length) <= 3 and int(length) <= bits):
        raise InvalidCidrError(f"{text!r} is not a CIDR block")
    host_bits = bits - int(length)
    first = number >> host_bits << host_bits
    return family, (first, first | ((1 << host_bits) - 1))


def is_cidr(text: str) -> bool:
    """Whether a text is an address or a CIDR block."""
    try:
        parse_cidr(text)
    except InvalidCidrError:
        return False
    return True


def family_of(text: str) -> Family:
    """The family of an address or CIDR block. The text is not validated."""
    return IPV6 if ":" in text else IPV4


def format_address(family: Family, number: int) -> str:
    """An address as text. IPv6 uses the shortest form of RFC 5952, which `inet_ntop` does not always produce."""
    if family is IPV4:
        return socket.inet_ntoa(number.to_bytes(4, "big"))
    return str(ipaddress.IPv6Address(number))
