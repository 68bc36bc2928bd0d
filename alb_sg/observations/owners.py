"""Whom to ask about a load balancer: the owner that its tags name, or those of its security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alb_sg.estate.model import SecurityGroup


def find_owner(tag_keys: Sequence[str], tags: Mapping[str, str] | None, groups: Sequence[SecurityGroup]) -> str | None:
    """The value of the first of these tags that the load balancer has, else that one of its groups has.

    None where none of them has a value, or where tags are not known.
    """
    every_tags: Iterator[Mapping[str, str]] = iter(([tags] if tags else []) + [group.tags for group in groups])
    return next((each[key] for each in every_tags for key in tag_keys if each.get(key)), None)
