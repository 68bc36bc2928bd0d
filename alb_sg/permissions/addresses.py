"""Sets of IP addresses of one family, as sorted, disjoint, non-adjacent ranges of whole numbers.

The algebra that every verdict rests on: union, difference, cover, and the fewest CIDR blocks that make up a
set. IPv4 and IPv6 never meet: combining two families is a programming error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alb_sg.estate.cidr import Family, Range, format_address, parse_cidr


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses of one family. Build it with `of` or `from_ranges`, which keep it normal."""

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
    def of(family: Family, cidrs: Iterable[str]) -> AddressSet:
        """The addresses of those blocks that belong to the family; blocks of the other one are left out."""
        parsed = (parse_cidr(cidr) for cidr in cidrs)
        return AddressSet.from_ranges(family, (block for of_family, block in parsed if of_family is family))

    @staticmethod
    def everything(family: Family) -> AddressSet:
        return AddressSet(family, ((0, (1 << family.value) - 1),))

    @property
    def whole(self) -> bool:
        """Whether this is every address of the family."""
        return self.ranges == ((0, (1 << self.family.value) - 1),)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __or__(self, other: AddressSet) -> AddressSet:
        self._must_match(other)
        return AddressSet.from_ranges(self.family, self.ranges + other.ranges)

    def __sub__(self, other: AddressSet) -> AddressSet:
        """The addresses of this set that are not in the other: one pass over both."""
        self._must_match(other)
        left: list[Range] = []
        position, taken = 0, other.ranges
        for first, last in self.ranges:
            while position < len(taken) and taken[position][1] < first:
                position += 1
            index = position
            while index < len(taken) and taken[index][0] <= last:
                if taken[index][0] > first:
                    left.append((first, taken[index][0] - 1))
                first = taken[index][1] + 1
                index += 1
            if first <= last:
                left.append((first, last))
        return AddressSet(self.family, tuple(left))

    def __le__(self, other: AddressSet) -> bool:
        return not (self - other)

    def overlaps(self, other: AddressSet) -> bool:
        return (self - other) != self

    def cidrs(self) -> tuple[str, ...]:
        """The fewest CIDR blocks whose union is exactly this set, in address order."""
        blocks: list[str] = []
        for first, last in self.ranges:
            while first <= last:
                aligned = (first & -first).bit_length() - 1 if first else self.family.value
                host_bits = min(aligned, (last - first + 1).bit_length() - 1)
                blocks.append(f"{format_address(self.family, first)}/{self.family.value - host_bits}")
                first += 1 << host_bits
        return tuple(blocks)

    def _must_match(self, other: AddressSet) -> None:
        if self.family is not other.family:
            raise TypeError(f"{self.family.label} and {other.family.label} address sets do not combine")
