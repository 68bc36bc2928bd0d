"""Whom to ask about a load balancer: the owner that its tags name, or those of its security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alb_sg.estate.model import SecurityGroup


def find_owner(tag_keys: Sequence[str], tags: Mapping[str, str] | None, groups: Sequence[SecurityGroup]) -> str | None:
    """The value of the first of these tags that the load balancer has, else that one of its groups has.

    None where none of them has a value, or where the load balancer's tags are not known. Raises NotReadError where the
    tags of a group could not be read and no tag before names an owner.
    """
    return next((each[key] for each in _every_tags(tags, groups) for key in tag_keys if each.get(key)), None)


def _every_tags(tags: Mapping[str, str] | None, groups: Sequence[SecurityGroup]) -> Iterator[Mapping[str, str]]:
    if tags:
        yield tags
    for group in groups:
        yield group.known_tags
