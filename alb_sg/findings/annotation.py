"""A verdict as one sentence of at most 256 characters, AWS Config's limit (PutEvaluations, Annotation).

The text describes the first missing permission in full, abbreviates further ones that miss the same peer to "likewise",
and counts the rest. It depends on the estate alone: the same estate gives the same text.

`parse_annotation` reads back from such a text what else is lost where AWS Config keeps the text alone. No other module
parses one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.coverage import AcceptedSources, Coverage, PermissionsOf
from alb_sg.findings.finding import Compliance, Unused
from alb_sg.findings.near_misses import find_near_misses, open_peers
from alb_sg.findings.phrasing import abbreviate_names, describe_open, describe_port_range
from alb_sg.permissions.addresses import is_part
from alb_sg.recommendations.requirement import AddressPeer, NodesPeer, PrefixListPeer, TargetPeer

MAX_ANNOTATION_LENGTH = 256
UNKNOWN_ADDRESSES = "addresses that are not known yet"
_SEPARATOR = "; "
# The characters that JSON escapes, and their replacements.
_ESCAPED_IN_JSON = {**dict.fromkeys(range(0x20), " "), ord('"'): "'", ord("\\"): "/"}
_UNRESOLVED = "unresolved"
# The ports from which both Linux and Windows connect by default begin at 49152 or before, and end at 60999 or later.
_EPHEMERAL_PORTS = (49152, 60999)
_FIRST_REGISTERED_PORT = 1024
_STATEFUL = "security groups are stateful: responses need no rule"
# More sentences than this do not fit, however short they are.
_MAX_SENTENCES = MAX_ANNOTATION_LENGTH // len(f"{_SEPARATOR}.")
# A missing part with more blocks than this is clearer as the whole peer and the peers that are open instead.
MAX_MISSING_BLOCKS = 3

_WITHOUT_REMARK = re.compile(r"([0-9]+ requirements? met|nothing unused) in ")
# The security groups of "not open to 0.0.0.0/0 in sg-1, sg-2 +1" and of "2 requirements met in sg-1".
_SECURITY_GROUPS = re.compile(r"\bin (sg-[0-9a-z-]+(?:, sg-[0-9a-z-]+)*)")


class _Detail(NamedTuple):
    """How much a sentence tells."""

    max_near_misses: int
    show_label: bool
    max_names: int


# A text that is too long first loses the near misses, the most telling one last, then the label of the addresses, then
# further names.
_DETAIL_LEVELS = (
    _Detail(max_near_misses=4, show_label=True, max_names=3),
    _Detail(max_near_misses=2, show_label=True, max_names=3),
    _Detail(max_near_misses=1, show_label=True, max_names=3),
    _Detail(max_near_misses=0, show_label=True, max_names=3),
    _Detail(max_near_misses=0, show_label=False, max_names=3),
    _Detail(max_near_misses=0, show_label=False, max_names=2),
    _Detail(max_near_misses=0, show_label=False, max_names=1),
)


def describe_accepted_sources(coverages: Sequence[Coverage]) -> tuple[str, ...]:
    """Sentences on the accepted sources that replace a recommended peer: how many of them are open, and which."""
    labels_by_text: dict[str, dict[str, None]] = {}
    for coverage in coverages:
        if coverage.is_covered and coverage.accepted_sources is not None:
            labels_by_text.setdefault(_accepted(coverage.accepted_sources), {})[_label(coverage)] = None
    return tuple(f"{abbreviate_names(tuple(labels))} {text}" for text, labels in labels_by_text.items())


def _accepted(sources: AcceptedSources) -> str:
    if sources.closed_port is not None:
        return f"may be closed (none@{sources.closed_port})"
    if sources.total == 1:
        return f"open to accepted source {sources.met[0]}"
    text = f"open to {len(sources.met)} of {sources.total} accepted sources"
    return text if len(sources.met) == sources.total else f"{text} ({abbreviate_names(sources.met)})"


def describe_compliant(
    group_ids: Sequence[str], count: int, remarks: Sequence[str], accepted_sources: Sequence[str] = ()
) -> str:
    """What a COMPLIANT verdict rests on: the accepted sources, or else the number of covered requirements."""
    if accepted_sources:
        return fit_to_limit([*accepted_sources, *remarks])
    text = f"{count} requirement{'s' if count != 1 else ''} met in {abbreviate_names(tuple(group_ids))}"
    return fit_to_limit([text, *remarks]) if remarks else text


def describe_non_compliant(
    load_balancer: LoadBalancer,
    permissions_of: PermissionsOf,
    failed: Sequence[Coverage],
    remarks: Sequence[str],
    *,
    unresolved: bool,
) -> str:
    """The missing parts, their security groups, and the rules that come close to them."""
    ordered = sorted(failed, key=coverage_sort_key)
    known: dict[int, tuple[str, ...]] = {}

    def near_misses(position: int) -> tuple[str, ...]:
        if position not in known:
            known[position] = _near_misses(load_balancer, permissions_of, ordered[position])
        return known[position]

    cause = [f"{_UNRESOLVED}: {ordered[0].unresolved[0]}"] if unresolved else []
    # The name of a target may be too long to be said twice.
    tails = ([*cause, *remarks], cause, [text.split(" (")[0] for text in cause], [_UNRESOLVED for _ in cause])
    return _first_that_fits(
        (_sentences(permissions_of, ordered, near_misses, detail), tail) for tail in tails for detail in _DETAIL_LEVELS
    )


def describe_unused(unused: Sequence[Unused], remarks: Sequence[str]) -> str:
    """The ports that are open and that no listener uses, and their security group."""
    stateful = [_STATEFUL] if any(map(_is_for_responses, unused)) else []
    tails = ([*stateful, *remarks], stateful)
    return _first_that_fits(
        ([_describe_opening(entry, index, max_names) for index, entry in enumerate(unused)], tail)
        for tail in tails
        for max_names in (3, 2, 1)
    )


def describe_nothing_unused(groups: Sequence[str], remarks: Sequence[str]) -> str:
    """What a COMPLIANT verdict of the rule on unused openings rests on."""
    text = f"nothing unused in {abbreviate_names(tuple(groups))}"
    return fit_to_limit([text, *remarks]) if remarks else text


def _describe_opening(entry: Unused, index: int, max_names: int) -> str:
    """A sentence on one opening; an empty one is only counted."""
    if index >= _MAX_SENTENCES:
        return ""
    ports = describe_port_range(entry.protocol, entry.from_port, entry.to_port)
    peers = abbreviate_names(entry.peers, max_names)
    return f"{ports} open to {peers} in {entry.security_group}{_reason_unused(entry, index)}"


def _reason_unused(entry: Unused, index: int) -> str:
    if entry.used:
        ports = tuple(describe_port_range(*ports) for ports in entry.used if "icmp" not in ports.protocol)
        return (
            f", of which only {abbreviate_names(ports)} and ICMP are used" if ports else ", of which only ICMP is used"
        )
    return ", used by no listener" if index == 0 else ""


def _is_for_responses(entry: Unused) -> bool:
    """Whether an opening is for ephemeral ports, as one for the responses to the load balancer's requests."""
    first, last = entry.from_port, entry.to_port
    if first is None or last is None:
        return False
    return _FIRST_REGISTERED_PORT <= first <= _EPHEMERAL_PORTS[0] and last >= _EPHEMERAL_PORTS[1]


def fit_to_limit(sentences: Sequence[str]) -> str:
    """As many of the first sentences as the limit allows, and the number of the others."""
    return _first_that_fits([(sentences, ())])


def without_escapes(annotation: str) -> str:
    """The annotation without characters that JSON escapes, for AWS Config: its compliance changes become messages, and
    EventBridge puts the annotation into their JSON as it is ("EventBridge doesn't escape values", EventBridge user
    guide, Input transformation)."""
    return annotation.translate(_ESCAPED_IN_JSON)


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


def _sentences(
    permissions_of: PermissionsOf,
    ordered: Sequence[Coverage],
    near_misses: Callable[[int], tuple[str, ...]],
    detail: _Detail,
) -> list[str]:
    """A sentence on the first failed requirement, and one for each other; an empty one is only counted.

    Load balancers have up to hundreds of listeners, so what no longer fits is not put into words.
    """

    def reason(position: int) -> str:
        text = _reason(permissions_of, ordered[position], detail)
        close = near_misses(position)[: detail.max_near_misses] if detail.max_near_misses else ()
        return f"{text} ({'; '.join(close)})" if close else text

    first, first_reason = _label(ordered[0]), reason(0)
    described = {first}
    sentences = [""] * len(ordered)
    sentences[0] = f"{first} {first_reason}"
    length = len(sentences[0])
    for position, coverage in enumerate(ordered[1:], 1):
        if length > MAX_ANNOTATION_LENGTH:
            break
        # Target groups have up to thousands of targets, and no two targets share a peer.
        if isinstance(coverage.requirement.peer, TargetPeer):
            continue
        label = _label(coverage)
        if label not in described and reason(position) == first_reason:
            described.add(label)
            sentences[position] = f"{label} likewise"
            length += len(_SEPARATOR) + len(sentences[position])
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
    """The order in which missing permissions are named: what health checks need before what clients need, and what is
    certain before what could not be resolved."""
    traffic = coverage.requirement.traffic
    return (
        # Of inbound traffic, an accepted source may stand in for clients, never for health checks.
        coverage.requirement.allows_accepted_sources,
        bool(coverage.unresolved),
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
    peer = coverage.requirement.peer
    text = f"not open to {_peer(coverage, detail)}"
    if not isinstance(peer, NodesPeer):
        return f"{text} in {abbreviate_names(permissions_of(peer).group_ids, detail.max_names)}"
    targets = abbreviate_names(tuple(dict.fromkeys(target.target_id for target in peer.targets)), detail.max_names)
    if not peer.target_groups:
        return f"{text} at {targets}, as far as is known"
    return f"{text} in {abbreviate_names(peer.target_groups, detail.max_names)} of {targets}"


def _near_misses(load_balancer: LoadBalancer, permissions_of: PermissionsOf, coverage: Coverage) -> tuple[str, ...]:
    """What the groups allow instead, or nearly, in short clauses: the most telling first."""
    requirement = coverage.requirement
    permissions = permissions_of(requirement.peer)
    direction, traffic, family = requirement.direction, requirement.traffic, requirement.peer.family
    allowed = permissions.allowed_traffic(direction, traffic, family)
    empty_lists = abbreviate_names(allowed.empty_prefix_lists)
    no_entries = [f"no entries in {empty_lists}"] if empty_lists else []
    if coverage.lost_sources and coverage.accepted_sources is not None:
        met, count = coverage.accepted_sources.met, coverage.accepted_sources.total
        return (f"open to {len(met)} of {count} accepted sources", *no_entries)
    references = sorted({reference.group_id for reference in allowed.references})
    instead = describe_open((*open_peers(permissions, direction, traffic, family), *references))
    stale = abbreviate_names(tuple(sorted({reference.group_id for reference in allowed.stale_references})))
    return (
        *([f"open to {instead}"] if instead else []),
        *([f"the reference to {stale} is stale"] if stale else []),
        *no_entries,
        *(near_miss.clause for near_miss in find_near_misses(permissions, coverage, load_balancer)),
    )


def _peer(coverage: Coverage, detail: _Detail) -> str:
    if coverage.lost_sources:
        lost = [name for part in coverage.lost_sources for name in part.required]
        source = "accepted source" if len(lost) == 1 else "accepted sources"
        return f"{source} {abbreviate_names(tuple(lost), detail.max_names)}"
    peer = coverage.requirement.peer
    references = abbreviate_names(tuple(sorted(coverage.or_security_groups)), detail.max_names)
    if isinstance(peer, TargetPeer):
        name = peer.target_id if peer.cidr is None or peer.target_id in peer.cidr else f"{peer.target_id} ({peer.cidr})"
        if not coverage.missing and references:
            return f"{references} of {name}"
        return f"{name} or {references}" if references else name
    if isinstance(peer, AddressPeer):
        text = abbreviate_names(coverage.required, detail.max_names) or UNKNOWN_ADDRESSES
        missing = coverage.missing or ()
        if 0 < len(missing) <= MAX_MISSING_BLOCKS and is_part(missing, coverage.required):
            text = f"{abbreviate_names(missing, detail.max_names)} of {text}"
        if peer.label and detail.show_label:
            text += f" ({peer.label})"
        # A reference to the Network Load Balancer's group is the narrower advice.
        return f"{references} or {text}" if references else text
    if isinstance(peer, NodesPeer):
        text = abbreviate_names(coverage.required, detail.max_names) or UNKNOWN_ADDRESSES
        missing = coverage.missing or ()
        if 0 < len(missing) <= MAX_MISSING_BLOCKS and is_part(missing, coverage.required):
            text = f"{abbreviate_names(missing, detail.max_names)} of {text}"
        return f"{references} or {text}{' (its subnets)' if detail.show_label else ''}"
    if isinstance(peer, PrefixListPeer):
        text = abbreviate_names(coverage.required, detail.max_names)
        return f"{references} or {text}" if references else text
    return references or abbreviate_names(coverage.required, detail.max_names)


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
        and any(sentence.partition(": ")[0] == _UNRESOLVED for sentence in sentences),
        security_groups=tuple(dict.fromkeys(groups)),
        remarks=tuple(sentence for sentence in sentences if is_compliant and not _WITHOUT_REMARK.match(sentence)),
    )
