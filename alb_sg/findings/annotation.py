"""A verdict as one sentence of at most 256 characters, AWS Config's limit (PutEvaluations, Annotation).

The text describes the first missing permission in full, abbreviates further ones that miss the same peer to "likewise",
and counts the rest. It depends on the estate alone: the same estate gives the same text.

`parse_annotation` reads back from such a text what else is lost where AWS Config keeps the text alone. No other module
parses one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from alb_sg.findings.coverage import AcceptedSources, Coverage, PermissionsOf
from alb_sg.findings.finding import Compliance
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import AllowedTraffic
from alb_sg.recommendations.requirement import AddressPeer, NodesPeer, PrefixListPeer, TargetPeer

MAX_ANNOTATION_LENGTH = 256
UNKNOWN_ADDRESSES = "addresses that are not known yet"
_SEPARATOR = "; "
_UNRESOLVED = "unresolved: "
# More sentences than this do not fit, however short they are.
_MAX_SENTENCES = MAX_ANNOTATION_LENGTH // len(f"{_SEPARATOR}.")
# A missing part with more blocks than this is clearer as the whole peer and what is open instead.
_MAX_MISSING_BLOCKS = 3

_REQUIREMENT_COUNT = re.compile(r"[0-9]+ requirements? met in ")
# The security groups of "not open to 0.0.0.0/0 in sg-1, sg-2 +1" and of "2 requirements met in sg-1".
_SECURITY_GROUPS = re.compile(r"\bin (sg-[0-9a-z-]+(?:, sg-[0-9a-z-]+)*)")


class _Detail(NamedTuple):
    """How much a sentence tells."""

    show_open_instead: bool
    show_label: bool
    max_names: int


# A text that is too long first loses what is open instead, then the label of the addresses, then further names.
_DETAIL_LEVELS = (
    _Detail(show_open_instead=True, show_label=True, max_names=3),
    _Detail(show_open_instead=False, show_label=True, max_names=3),
    _Detail(show_open_instead=False, show_label=False, max_names=3),
    _Detail(show_open_instead=False, show_label=False, max_names=2),
    _Detail(show_open_instead=False, show_label=False, max_names=1),
)


# --- writing


def describe_accepted_sources(coverages: Sequence[Coverage]) -> tuple[str, ...]:
    """Sentences on the accepted sources that replace a recommended peer: how many of them are open, and which."""
    labels_by_text: dict[str, dict[str, None]] = {}
    for coverage in coverages:
        if coverage.is_covered and coverage.accepted_sources is not None:
            labels_by_text.setdefault(_accepted(coverage.accepted_sources), {})[_label(coverage)] = None
    return tuple(f"{_abbreviate(tuple(labels))} {text}" for text, labels in labels_by_text.items())


def _accepted(sources: AcceptedSources) -> str:
    if sources.closed_port is not None:
        return f"may be closed (none@{sources.closed_port})"
    if sources.total == 1:
        return f"open to accepted source {sources.met[0]}"
    text = f"open to {len(sources.met)} of {sources.total} accepted sources"
    return text if len(sources.met) == sources.total else f"{text} ({_abbreviate(sources.met)})"


def describe_compliant(
    group_ids: Sequence[str], count: int, remarks: Sequence[str], accepted_sources: Sequence[str] = ()
) -> str:
    """What a COMPLIANT verdict rests on: the accepted sources, or else the number of covered requirements."""
    if accepted_sources:
        return fit_to_limit([*accepted_sources, *remarks])
    text = f"{count} requirement{'s' if count != 1 else ''} met in {_abbreviate(tuple(group_ids))}"
    return fit_to_limit([text, *remarks]) if remarks else text


def describe_non_compliant(
    permissions_of: PermissionsOf,
    failed: Sequence[Coverage],
    remarks: Sequence[str],
    *,
    unresolved: bool,
) -> str:
    """What is missing, in which security groups, and what is open instead."""
    ordered = sorted(failed, key=coverage_sort_key)
    cause = [f"{_UNRESOLVED}{ordered[0].unresolved[0]}"] if unresolved else []
    tails = ([*cause, *remarks], cause, [text.split(" (")[0] for text in cause])
    return _first_that_fits(
        (_sentences(permissions_of, ordered, detail), tail) for tail in tails for detail in _DETAIL_LEVELS
    )


def fit_to_limit(sentences: Sequence[str]) -> str:
    """As many of the first sentences as the limit allows, and the number of the others."""
    return _first_that_fits([(sentences, ())])


def append_remark(annotation: str, remark: str) -> str:
    """The annotation, shortened where necessary, and a remark that is never shortened."""
    shortened = shorten(annotation, MAX_ANNOTATION_LENGTH - len(_SEPARATOR) - len(remark))
    return f"{shortened}{_SEPARATOR}{remark}" if shortened else remark


def shorten(text: str, max_length: int) -> str:
    """The text within a number of characters, cut after a word."""
    if len(text) <= max_length:
        return text
    words = text[:max_length].rsplit(" ", 1)[0]
    return f"{words[: max_length - 1]}…"


def _sentences(permissions_of: PermissionsOf, ordered: Sequence[Coverage], detail: _Detail) -> list[str]:
    """A sentence on the first failed requirement, and one for each other; an empty one is only counted."""
    first, reason = _label(ordered[0]), _reason(permissions_of, ordered[0], detail)
    described = {first}
    sentences = [f"{first} {reason}"]
    for coverage in ordered[1:]:
        # Target groups have up to thousands of targets, and no two targets share a peer.
        is_target = isinstance(coverage.requirement.peer, TargetPeer)
        label = "" if is_target else _label(coverage)
        has_same_reason = (
            not is_target and label not in described and _reason(permissions_of, coverage, detail) == reason
        )
        sentences.append(f"{label} likewise" if has_same_reason else "")
        if has_same_reason:
            described.add(label)
    return sentences


def _first_that_fits(choices: Iterable[tuple[Sequence[str], Sequence[str]]]) -> str:
    """The first choice of sentences and tail that keeps to the limit.

    A choice may lose sentences from its end, which are then counted, but not its first sentence and nothing of its
    tail. If no choice fits, the text of the last one is cut after a word.
    """
    shortest = ""
    for sentences, tail in choices:
        texts = [sentence for sentence in sentences if sentence]
        for count in range(min(len(texts), _MAX_SENTENCES), 0, -1):
            omitted = len(sentences) - count
            shortest = _SEPARATOR.join([*texts[:count], *([f"+{omitted} more"] if omitted else []), *tail])
            if len(shortest) <= MAX_ANNOTATION_LENGTH:
                return shortest
    return f"{shortest[: MAX_ANNOTATION_LENGTH - 1].rsplit(' ', 1)[0]}…"


def coverage_sort_key(coverage: Coverage) -> tuple[object, ...]:
    """The order in which missing permissions are named: what health checks need before what clients need."""
    traffic = coverage.requirement.traffic
    return (
        # Of inbound traffic, an accepted source may stand in for clients, never for health checks.
        coverage.requirement.allows_accepted_sources,
        coverage.requirement.origin.arn,
        traffic.from_port,
        traffic.to_port,
        traffic.protocol,
        coverage.required,
        sorted(coverage.or_security_groups),
        requirement_peer.target_groups if isinstance(requirement_peer := coverage.requirement.peer, NodesPeer) else (),
    )


def _label(coverage: Coverage) -> str:
    """What a requirement is for: the listener, the target group with its port, or the ICMP message."""
    requirement = coverage.requirement
    if requirement.origin.type == "listener":
        return requirement.origin.label
    if requirement.origin.type == "targetGroup":
        return f"{requirement.origin.label} {requirement.traffic.label}"
    return requirement.traffic.label


def _reason(permissions_of: PermissionsOf, coverage: Coverage, detail: _Detail) -> str:
    requirement = coverage.requirement
    if isinstance(requirement.peer, NodesPeer):
        return _reason_of_targets(permissions_of, coverage, requirement.peer, detail)
    permissions = permissions_of(requirement.peer)
    text = f"not open to {_peer(coverage, detail)} in {_abbreviate(permissions.group_ids, detail.max_names)}"
    if not detail.show_open_instead:
        return text
    if coverage.lost_sources and coverage.accepted_sources is not None:
        met, count = coverage.accepted_sources.met, coverage.accepted_sources.total
        return f"{text} (open to {len(met)} of {count} accepted sources)"
    allowed = permissions.allowed_traffic(requirement.direction, requirement.traffic, requirement.peer.family)
    return _with_notes(text, _notes_on(allowed))


def _reason_of_targets(permissions_of: PermissionsOf, coverage: Coverage, peer: NodesPeer, detail: _Detail) -> str:
    """What the groups of some targets do not let in: the load balancer, by its groups or its subnets."""
    requirement = coverage.requirement
    targets = _abbreviate(tuple(dict.fromkeys(target.target_id for target in peer.targets)), detail.max_names)
    text = f"not open to {_peer(coverage, detail)}"
    if not peer.target_groups:
        return f"{text} at {targets}, as far as is known"
    text += f" in {_abbreviate(peer.target_groups, detail.max_names)} of {targets}"
    if not detail.show_open_instead:
        return text
    allowed = permissions_of(peer).allowed_traffic(requirement.direction, requirement.traffic, peer.family)
    notes = _notes_on(allowed)
    if any(_is_open_in_part(cidr, allowed) for cidr in peer.cidrs):
        notes.append("the addresses of nodes change within their subnets")
    return _with_notes(text, notes)


def _is_open_in_part(cidr: str, allowed: AllowedTraffic) -> bool:
    """Whether some addresses of a block are open, and some are not."""
    block = AddressSet.from_cidrs(allowed.addresses.family, [cidr])
    return block.overlaps(allowed.addresses) and not block <= allowed.addresses


def _notes_on(allowed: AllowedTraffic) -> list[str]:
    """What is open instead, and which references are stale."""
    instead = _open_instead(allowed)
    stale = _abbreviate(tuple(sorted({one.group_id for one in allowed.stale_references})))
    return [*([f"open to {instead}"] if instead else []), *([f"the reference to {stale} is stale"] if stale else [])]


def _with_notes(text: str, notes: Sequence[str]) -> str:
    return f"{text} ({'; '.join(notes)})" if notes else text


def _peer(coverage: Coverage, detail: _Detail) -> str:
    if coverage.lost_sources:
        lost = [name for part in coverage.lost_sources for name in part.required]
        source = "accepted source" if len(lost) == 1 else "accepted sources"
        return f"{source} {_abbreviate(tuple(lost), detail.max_names)}"
    peer = coverage.requirement.peer
    references = _abbreviate(tuple(sorted(coverage.or_security_groups)), detail.max_names)
    if isinstance(peer, TargetPeer):
        name = peer.target_id if peer.cidr is None or peer.target_id in peer.cidr else f"{peer.target_id} ({peer.cidr})"
        if not coverage.missing and references:
            return f"{references} of {name}"
        return f"{name} or {references}" if references else name
    if isinstance(peer, AddressPeer):
        text = _abbreviate(coverage.required, detail.max_names) or UNKNOWN_ADDRESSES
        missing = coverage.missing or ()
        if missing and missing != coverage.required and len(missing) <= _MAX_MISSING_BLOCKS:
            text = f"{_abbreviate(missing, detail.max_names)} of {text}"
        if peer.label and detail.show_label:
            text += f" ({peer.label})"
        # A reference to the Network Load Balancer's group is the narrower advice.
        return f"{references} or {text}" if references else text
    if isinstance(peer, NodesPeer):
        text = _abbreviate(coverage.required, detail.max_names)
        missing = coverage.missing or ()
        if missing != coverage.required and len(missing) <= _MAX_MISSING_BLOCKS:
            text = f"{_abbreviate(missing, detail.max_names)} of {text}"
        return f"{references} or {text}{' (its subnets)' if detail.show_label else ''}"
    if isinstance(peer, PrefixListPeer):
        text = _abbreviate(coverage.required, detail.max_names)
        return f"{references} or {text}" if references else text
    return references or _abbreviate(coverage.required, detail.max_names)


def _open_instead(allowed: AllowedTraffic) -> str:
    """What is open for the same traffic, in short."""
    if len(allowed.addresses.ranges) > 16:
        return f"{len(allowed.addresses.ranges)} other address ranges"
    references = sorted({reference.group_id for reference in allowed.references})
    return _abbreviate((*allowed.addresses.cidrs(), *references))


# The findings of one load balancer name the same security groups.
@lru_cache(1024)
def _abbreviate(names: tuple[str, ...], max_names: int = 3) -> str:
    """The first names and the number of the others."""
    if len(names) > max_names:
        count = max(1, max_names - 1)
        return f"{', '.join(names[:count])} +{len(names) - count}"
    return ", ".join(names)


# --- parsing


class ParsedAnnotation(NamedTuple):
    """The fields of a `Finding` that its annotation preserves, as far as the text had room for them."""

    unresolved: bool
    security_groups: tuple[str, ...]
    remarks: tuple[str, ...]


def parse_annotation(compliance: Compliance, annotation: str) -> ParsedAnnotation:
    """What an annotation tells of the finding that it was written for.

    `remarks` are those of a COMPLIANT finding; those of another one do not differ in the text from what is missing. A
    text of another author is a remark as a whole.
    """
    sentences = annotation.split(_SEPARATOR) if annotation else []
    groups = [group for names in _SECURITY_GROUPS.findall(annotation) for group in names.split(", ")]
    is_compliant = compliance is Compliance.COMPLIANT
    return ParsedAnnotation(
        unresolved=compliance is Compliance.NON_COMPLIANT
        and any(sentence.startswith(_UNRESOLVED) for sentence in sentences),
        security_groups=tuple(dict.fromkeys(groups)),
        remarks=tuple(sentence for sentence in sentences if is_compliant and not _REQUIREMENT_COUNT.match(sentence)),
    )
