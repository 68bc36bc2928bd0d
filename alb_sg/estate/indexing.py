"""How loaders key and order what they have read, so that every source gives the same estate."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from alb_sg.estate.model import Listener, Target

_ID = attrgetter("id")
_PORT_AND_ARN = attrgetter("port", "arn")


def listeners_by_load_balancer(
    load_balancer_arns: Iterable[str], listeners: Iterable[Listener]
) -> dict[str, tuple[Listener, ...]]:
    """The listeners of each load balancer by port; one without any has none rather than no entry."""
    found: dict[str, list[Listener]] = {arn: [] for arn in load_balancer_arns}
    for listener in listeners:
        found.setdefault(listener.load_balancer_arn, []).append(listener)
    return {
        arn: tuple(held) if len(held) < 2 else tuple(sorted(held, key=_PORT_AND_ARN)) for arn, held in found.items()
    }


def ordered_targets(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Targets by id, port and state."""
    found = sorted(targets, key=_ID)
    if len(set(map(_ID, found))) < len(found):
        found.sort(key=_sort_key)
    return tuple(found)


def _sort_key(target: Target) -> tuple[str, int, str]:
    return target.id, -1 if target.port is None else target.port, target.state or ""
