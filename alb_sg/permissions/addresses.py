"""Sets of IP addresses of one family, as sorted, disjoint, non-adjacent ranges of integers.

This is the algebra of every verdict: union, difference, inclusion, and the fewest CIDR blocks that make up a set. To
combine IPv4 and IPv6 is a programming error.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from alb_sg.estate.cidr import Family, InvalidCidrError, Range, format_address, parse_cidr

_ALL_ADDRESSES = {Family.IPV4: ((0, (1 << 32) - 1),), Family.IPV6: ((0, (1 << 128) - 1),)}


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses of one family. `from_cidrs` and `from_ranges` build it with normalized ranges."""

    family: Family
    ranges: tuple[Range, ...]

    @staticmethod
    def from_ranges(family: Family, ranges: Iterable[Range]) -> AddressSet:
        """The union of ranges given in any order, overlapping or not."""
        merged: list[Range] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                if last > merged[-1][1]:
                    merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        return AddressSet(family, tuple(merged))

    @staticmethod
    def from_cidrs(family: Family, cidrs: Iterable[str]) -> AddressSet:
        """The addresses of the blocks of this family; blocks of the other one are ignored."""
        parsed = (parse_cidr(cidr) for cidr in cidrs)
        return AddressSet.from_ranges(family, (block for of_family, block in parsed if of_family is family))

    @staticmethod
    def union(family: Family, sets: Sequence[AddressSet]) -> AddressSet:
        """The union of sets of one family."""
        if len(sets) == 1:
            return sets[0]
        return AddressSet.from_ranges(family, (block for one in sets for block in one.ranges))

    @staticmethod
    def everything(family: Family) -> AddressSet:
        return AddressSet(family, _ALL_ADDRESSES[family])

    @property
    def is_everything(self) -> bool:
        """Whether this is every address of the family."""
        return self.ranges == _ALL_ADDRESSES[self.family]

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __or__(self, other: AddressSet) -> AddressSet:
        self._require_same_family(other)
        return AddressSet.from_ranges(self.family, self.ranges + other.ranges)

    def __sub__(self, other: AddressSet) -> AddressSet:
        """The addresses of this set that are not in the other."""
        self._require_same_family(other)
        remaining: list[Range] = []
        subtracted = other.ranges
        for first, last in self.ranges:
            index = other._last_range_starting_by(first)
            if index < 0 or subtracted[index][1] < first:
                index += 1
            while index < len(subtracted) and subtracted[index][0] <= last:
                if subtracted[index][0] > first:
                    remaining.append((first, subtracted[index][0] - 1))
                first = subtracted[index][1] + 1
                index += 1
            if first <= last:
                remaining.append((first, last))
        return AddressSet(self.family, tuple(remaining))

    def __le__(self, other: AddressSet) -> bool:
        self._require_same_family(other)
        return self.ranges == other.ranges or all(other.contains_range(first, last) for first, last in self.ranges)

    def is_covered_by(self, other: AddressSet) -> bool:
        """Whether all addresses are in the other set, and there is one: nothing at all is never covered."""
        return bool(self.ranges) and self <= other

    def contains_range(self, first: int, last: int) -> bool:
        """Whether all addresses of a range are in the set: in one of its ranges, because they are not adjacent."""
        index = self._last_range_starting_by(first)
        return index >= 0 and last <= self.ranges[index][1]

    def overlaps(self, other: AddressSet) -> bool:
        return (self - other) != self

    def cidrs(self) -> tuple[str, ...]:
        """The fewest CIDR blocks whose union is exactly this set, in address order."""
        return _fewest_blocks(self.family, self.ranges)

    def _last_range_starting_by(self, address: int) -> int:
        """The index of the last range that begins at or before an address; -1 if there is none."""
        return bisect_right(self.ranges, address, key=_first_address) - 1

    def _require_same_family(self, other: AddressSet) -> None:
        if self.family is not other.family:
            raise TypeError(f"{self.family.label} and {other.family.label} address sets do not combine")


# What is missing recurs too: all addresses, or those of a VPC.
@lru_cache(maxsize=256)
def _fewest_blocks(family: Family, ranges: tuple[Range, ...]) -> tuple[str, ...]:
    blocks: list[str] = []
    bits = family.bits
    for first, last in ranges:
        while first <= last:
            aligned = (first & -first).bit_length() - 1 if first else bits
            host_bits = min(aligned, (last - first + 1).bit_length() - 1)
            blocks.append(f"{format_address(family, first)}/{bits - host_bits}")
            first += 1 << host_bits
    return tuple(blocks)


def _first_address(block: Range) -> int:
    return block[0]


@lru_cache(maxsize=256)
def address_set(family: Family, cidrs: tuple[str, ...]) -> AddressSet:
    """`AddressSet.from_cidrs` for blocks that recur: 0.0.0.0/0, those of a VPC or of a prefix list."""
    return AddressSet.from_cidrs(family, cidrs)


def is_part(cidrs: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    """Whether these blocks, the fewest that hold their addresses, are less than the whole, however it is divided.

    The whole may be a prefix list or a security group instead: blocks are a part of it.
    """
    if cidrs == whole or not whole:
        return False
    try:
        family, _ = parse_cidr(whole[0])
        return AddressSet.from_cidrs(family, whole).cidrs() != cidrs
    except InvalidCidrError:
        return True
