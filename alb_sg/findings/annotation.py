"""A finding in one sentence of at most 256 characters, AWS Config's limit (PutEvaluations, Annotation).

The first missing thing in full, others that lack the same peer as "likewise", the rest counted. The text depends
on the estate alone: same estate, same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from alb_sg.findings.outcome import Outcome
from alb_sg.permissions.permissions import Allowed, Permissions
from alb_sg.recommendations.requirement import AddressPeer, EndpointPeer

LIMIT = 256
# More sentences than these do not fit, be they ever so short.
_MOST = LIMIT // len("; .")
# A part of a peer that takes more blocks than these is plainer as the whole and what is open of it.
_FEW = 3


class _Detail(NamedTuple):
    """How much is said: whether what is open instead and what the addresses are is, and how many names at most."""

    instead: bool
    label: bool
    most: int


# What gives way first where the text would be too long: what is open instead, then what the addresses are, then
# names beyond the first ones.
_DETAILS = (
    _Detail(instead=True, label=True, most=3),
    _Detail(instead=False, label=True, most=3),
    _Detail(instead=False, label=False, most=3),
    _Detail(instead=False, label=False, most=2),
    _Detail(instead=False, label=False, most=1),
)


def compliant(permissions: Permissions, outcomes: Sequence[Outcome], remarks: Sequence[str]) -> str:
    """What the verdict rests on where it is not the recommendation itself: accepted sources, and remarks."""
    accepted: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.accepted is not None:
            accepted.setdefault(outcome.accepted, {})[_label(outcome)] = None
    if not accepted:
        return met(permissions, len(outcomes), remarks)
    parts = [f"{_some(tuple(labels))} open to accepted source {source}" for source, labels in accepted.items()]
    return fit([*parts, *remarks])


def met(permissions: Permissions, count: int, remarks: Sequence[str]) -> str:
    """What the verdict rests on where all that is recommended is let through."""
    text = f"{count} requirement{'s' if count != 1 else ''} met in {_some(permissions.group_ids)}"
    return fit([text, *remarks]) if remarks else text


def non_compliant(
    permissions: Permissions,
    failed: Sequence[Outcome],
    remarks: Sequence[str],
    *,
    unresolved: bool,
) -> str:
    """What is missing, the groups looked at, and what is open instead."""
    ordered = sorted(failed, key=_order)
    why = [f"unresolved: {ordered[0].unresolved[0]}"] if unresolved else []
    tails = ([*why, *remarks], why, [text.split(" (")[0] for text in why])
    return _first_that_fits((_sentences(permissions, ordered, detail), tail) for tail in tails for detail in _DETAILS)


def _sentences(permissions: Permissions, ordered: Sequence[Outcome], detail: _Detail) -> list[str]:
    """The first missing thing in full, then one text for each other; an empty one is counted only."""
    first, reason = _label(ordered[0]), _reason(permissions, ordered[0], detail)
    seen = {first}
    sentences = [f"{first} {reason}"]
    for outcome in ordered[1:]:
        # Of targets, of which there may be thousands, none is like another.
        target = isinstance(outcome.requirement.peer, EndpointPeer)
        other = "" if target else _label(outcome)
        alike = not target and other not in seen and _reason(permissions, outcome, detail) == reason
        sentences.append(f"{other} likewise" if alike else "")
        if alike:
            seen.add(other)
    return sentences


def fit(sentences: Sequence[str]) -> str:
    """Sentences as one text within the limit: as many from the first on as fit, and how many more there are."""
    return _first_that_fits([(sentences, ())])


def _first_that_fits(choices: Iterable[tuple[Sequence[str], Sequence[str]]]) -> str:
    """The first choice of sentences and tail that keeps to the limit: of the sentences the first, as many of those
    that follow as fit, and how many more there are; of the tail everything. Where none does, the last is cut at a
    word.
    """
    shortest = ""
    for sentences, tail in choices:
        said = [sentence for sentence in sentences if sentence]
        for kept in range(min(len(said), _MOST), 0, -1):
            left_out = len(sentences) - kept
            shortest = "; ".join([*said[:kept], *([f"+{left_out} more"] if left_out else []), *tail])
            if len(shortest) <= LIMIT:
                return shortest
    return f"{shortest[: LIMIT - 1].rsplit(' ', 1)[0]}…"


def _order(outcome: Outcome) -> tuple[object, ...]:
    because = outcome.requirement.because
    traffic = outcome.requirement.traffic
    return (
        because.arn,
        traffic.from_port,
        traffic.to_port,
        traffic.protocol,
        outcome.required,
        sorted(outcome.or_security_groups),
    )


def _label(outcome: Outcome) -> str:
    """What lacks something, as a person calls it: the listener, the target group with its port, or the message."""
    requirement = outcome.requirement
    if requirement.because.type == "listener":
        return requirement.because.label
    if requirement.because.type == "targetGroup":
        return f"{requirement.because.label} {requirement.traffic.label}"
    return requirement.traffic.label


def _reason(permissions: Permissions, outcome: Outcome, detail: _Detail) -> str:
    requirement = outcome.requirement
    text = f"not open to {_peer(outcome, detail)} in {_some(permissions.group_ids, detail.most)}"
    if not detail.instead:
        return text
    instead = _instead(permissions.allowed(requirement.direction, requirement.traffic, requirement.peer.family))
    return f"{text} (open to {instead})" if instead else text


def _peer(outcome: Outcome, detail: _Detail) -> str:
    peer = outcome.requirement.peer
    references = _some(tuple(sorted(outcome.or_security_groups)), detail.most)
    if isinstance(peer, EndpointPeer):
        name = peer.name if peer.required is None or peer.name in peer.required else f"{peer.name} ({peer.required})"
        if not outcome.missing and references:
            return f"{references} of {name}"
        return f"{name} or {references}" if references else name
    if isinstance(peer, AddressPeer):
        text = _some(outcome.required, detail.most)
        lacking = outcome.missing or ()
        if lacking != outcome.required and len(lacking) <= _FEW:
            text = f"{_some(lacking, detail.most)} of {text}"
        if peer.label and detail.label:
            text += f" ({peer.label})"
        return f"{text} or {references}" if references else text
    return references or _some(outcome.required, detail.most)


def _instead(allowed: Allowed) -> str:
    """What is open for the same traffic, shortly."""
    if len(allowed.addresses.ranges) > 16:
        return f"{len(allowed.addresses.ranges)} other address ranges"
    references = sorted({reference.group_id for reference in allowed.references})
    return _some((*allowed.addresses.cidrs(), *references))


# All rules speak of the same groups.
@lru_cache(1024)
def _some(names: tuple[str, ...], most: int = 3) -> str:
    """The first names and how many more there are."""
    if len(names) > most:
        kept = max(1, most - 1)
        return f"{', '.join(names[:kept])} +{len(names) - kept}"
    return ", ".join(names)
