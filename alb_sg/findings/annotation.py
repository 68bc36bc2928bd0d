"""A finding in one sentence of at most 256 characters, AWS Config's limit (PutEvaluations, Annotation).

The first missing thing in full, others that lack the same peer as "likewise", the rest counted. The text depends
on the estate alone: same estate, same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from alb_sg.findings.coverage import Coverage
from alb_sg.permissions.allowed_traffic import AllowedTraffic, Permissions
from alb_sg.recommendations.requirement import AddressPeer, TargetPeer

MAX_ANNOTATION_LENGTH = 256
# More sentences than these do not fit, be they ever so short.
_MAX_SENTENCES = MAX_ANNOTATION_LENGTH // len("; .")
# A part of a peer that takes more blocks than these is plainer as the whole and what is open of it.
_MAX_MISSING_BLOCKS = 3


class _Detail(NamedTuple):
    """How much is said: whether what is open instead and what the addresses are is, and how many names at most."""

    show_open_instead: bool
    show_label: bool
    max_names: int


# What gives way first where the text would be too long: what is open instead, then what the addresses are, then
# names beyond the first ones.
_DETAIL_LEVELS = (
    _Detail(show_open_instead=True, show_label=True, max_names=3),
    _Detail(show_open_instead=False, show_label=True, max_names=3),
    _Detail(show_open_instead=False, show_label=False, max_names=3),
    _Detail(show_open_instead=False, show_label=False, max_names=2),
    _Detail(show_open_instead=False, show_label=False, max_names=1),
)


def describe_compliant(permissions: Permissions, coverages: Sequence[Coverage], remarks: Sequence[str]) -> str:
    """What the verdict rests on where it is not the recommendation itself: accepted sources, and remarks."""
    accepted: dict[str, dict[str, None]] = {}
    for outcome in coverages:
        if outcome.accepted_source is not None:
            accepted.setdefault(outcome.accepted_source, {})[_label(outcome)] = None
    if not accepted:
        return describe_all_covered(permissions, len(coverages), remarks)
    parts = [f"{_abbreviate(tuple(labels))} open to accepted source {source}" for source, labels in accepted.items()]
    return fit_to_limit([*parts, *remarks])


def describe_all_covered(permissions: Permissions, count: int, remarks: Sequence[str]) -> str:
    """What the verdict rests on where all that is recommended is let through."""
    text = f"{count} requirement{'s' if count != 1 else ''} met in {_abbreviate(permissions.group_ids)}"
    return fit_to_limit([text, *remarks]) if remarks else text


def describe_non_compliant(
    permissions: Permissions,
    failed: Sequence[Coverage],
    remarks: Sequence[str],
    *,
    unresolved: bool,
) -> str:
    """What is missing, the groups looked at, and what is open instead."""
    ordered = sorted(failed, key=_sort_key)
    why = [f"unresolved: {ordered[0].unresolved[0]}"] if unresolved else []
    tails = ([*why, *remarks], why, [text.split(" (")[0] for text in why])
    return _first_that_fits(
        (_sentences(permissions, ordered, detail), tail) for tail in tails for detail in _DETAIL_LEVELS
    )


def _sentences(permissions: Permissions, ordered: Sequence[Coverage], detail: _Detail) -> list[str]:
    """The first missing thing in full, then one text for each other; an empty one is counted only."""
    first, reason = _label(ordered[0]), _reason(permissions, ordered[0], detail)
    seen = {first}
    sentences = [f"{first} {reason}"]
    for outcome in ordered[1:]:
        # Of targets, of which there may be thousands, none is like another.
        target = isinstance(outcome.requirement.peer, TargetPeer)
        other = "" if target else _label(outcome)
        alike = not target and other not in seen and _reason(permissions, outcome, detail) == reason
        sentences.append(f"{other} likewise" if alike else "")
        if alike:
            seen.add(other)
    return sentences


def fit_to_limit(sentences: Sequence[str]) -> str:
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
        for kept in range(min(len(said), _MAX_SENTENCES), 0, -1):
            left_out = len(sentences) - kept
            shortest = "; ".join([*said[:kept], *([f"+{left_out} more"] if left_out else []), *tail])
            if len(shortest) <= MAX_ANNOTATION_LENGTH:
                return shortest
    return f"{shortest[: MAX_ANNOTATION_LENGTH - 1].rsplit(' ', 1)[0]}…"


def _sort_key(coverage: Coverage) -> tuple[object, ...]:
    because = coverage.requirement.origin
    traffic = coverage.requirement.traffic
    return (
        because.arn,
        traffic.from_port,
        traffic.to_port,
        traffic.protocol,
        coverage.required,
        sorted(coverage.or_security_groups),
    )


def _label(coverage: Coverage) -> str:
    """What lacks something, as a person calls it: the listener, the target group with its port, or the message."""
    requirement = coverage.requirement
    if requirement.origin.type == "listener":
        return requirement.origin.label
    if requirement.origin.type == "targetGroup":
        return f"{requirement.origin.label} {requirement.traffic.label}"
    return requirement.traffic.label


def _reason(permissions: Permissions, coverage: Coverage, detail: _Detail) -> str:
    requirement = coverage.requirement
    text = f"not open to {_peer(coverage, detail)} in {_abbreviate(permissions.group_ids, detail.max_names)}"
    if not detail.show_open_instead:
        return text
    allowed = permissions.allowed_traffic(requirement.direction, requirement.traffic, requirement.peer.family)
    instead, stale = (
        _open_instead(allowed),
        _abbreviate(tuple(sorted({one.group_id for one in allowed.stale_references}))),
    )
    said = [*([f"open to {instead}"] if instead else []), *([f"the reference to {stale} is stale"] if stale else [])]
    return f"{text} ({'; '.join(said)})" if said else text


def _peer(coverage: Coverage, detail: _Detail) -> str:
    peer = coverage.requirement.peer
    references = _abbreviate(tuple(sorted(coverage.or_security_groups)), detail.max_names)
    if isinstance(peer, TargetPeer):
        name = peer.target_id if peer.cidr is None or peer.target_id in peer.cidr else f"{peer.target_id} ({peer.cidr})"
        if not coverage.missing and references:
            return f"{references} of {name}"
        return f"{name} or {references}" if references else name
    if isinstance(peer, AddressPeer):
        text = _abbreviate(coverage.required, detail.max_names)
        lacking = coverage.missing or ()
        if lacking != coverage.required and len(lacking) <= _MAX_MISSING_BLOCKS:
            text = f"{_abbreviate(lacking, detail.max_names)} of {text}"
        if peer.label and detail.show_label:
            text += f" ({peer.label})"
        return f"{text} or {references}" if references else text
    return references or _abbreviate(coverage.required, detail.max_names)


def _open_instead(allowed: AllowedTraffic) -> str:
    """What is open for the same traffic, shortly."""
    if len(allowed.addresses.ranges) > 16:
        return f"{len(allowed.addresses.ranges)} other address ranges"
    references = sorted({reference.group_id for reference in allowed.references})
    return _abbreviate((*allowed.addresses.cidrs(), *references))


# All rules speak of the same groups.
@lru_cache(1024)
def _abbreviate(names: tuple[str, ...], max_names: int = 3) -> str:
    """The first names and how many more there are."""
    if len(names) > max_names:
        kept = max(1, max_names - 1)
        return f"{', '.join(names[:kept])} +{len(names) - kept}"
    return ", ".join(names)
