"""A finding in one sentence of at most 256 characters, AWS Config's limit (PutEvaluations, Annotation).

The first missing thing in full, others that lack the same peer as "likewise", the rest counted. The text depends
on the estate alone: same estate, same text.
"""

from __future__ import annotations

from collections.abc import Sequence

from alb_sg.findings.finding import Missing
from alb_sg.findings.outcome import Outcome
from alb_sg.permissions.permissions import Allowed, Permissions
from alb_sg.recommendations.requirement import AddressPeer, EndpointPeer

LIMIT = 256


def compliant(permissions: Permissions, outcomes: Sequence[Outcome], remarks: Sequence[str]) -> str:
    """What the verdict rests on where it is not the recommendation itself: accepted sources, and remarks."""
    accepted: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.accepted is not None:
            accepted.setdefault(outcome.accepted, {})[_label(outcome)] = None
    parts = [f"{', '.join(labels)} open to accepted source {source}" for source, labels in accepted.items()]
    if not parts:
        count = len(outcomes)
        parts = [f"{count} requirement{'s' if count != 1 else ''} met in {_some(permissions.group_ids)}"]
    return fit([*parts, *remarks])


def non_compliant(
    permissions: Permissions,
    failed: Sequence[Outcome],
    missing: Sequence[Missing],
    remarks: Sequence[str],
    *,
    unresolved: bool,
) -> str:
    """What is missing, the groups looked at, and what is open instead."""
    ordered = sorted(failed, key=lambda outcome: _order(outcome, missing))
    tail = list(remarks)
    if unresolved:
        tail.insert(0, f"unresolved: {ordered[0].unresolved[0]}")
    likewise: list[str] = []
    others = 0
    first, first_reason = _label(ordered[0]), _reason(permissions, ordered[0])
    seen = {(first, first_reason)}
    for outcome in ordered[1:]:
        label, reason = _label(outcome), _reason(permissions, outcome)
        if isinstance(outcome.requirement.peer, EndpointPeer) or (label, reason) in seen:
            others += 1
        elif reason == first_reason:
            likewise.append(f"{label} likewise")
        else:
            others += 1
        seen.add((label, reason))
    return fit([f"{first} {first_reason}", *likewise], tail, others)


def fit(parts: Sequence[str], tail: Sequence[str] = (), others: int = 0) -> str:
    """Parts joined by semicolons within the limit: the first always, as many as fit, the rest counted."""
    for keep_tail in (tail, tail[:1], ()):
        for kept in range(len(parts), 0, -1):
            left_out = len(parts) - kept + others
            counted = [f"+{left_out} more"] if left_out else []
            text = "; ".join([*parts[:kept], *counted, *keep_tail])
            if len(text) <= LIMIT:
                return text
    counted_text = f"; +{len(parts) - 1 + others} more" if len(parts) + others > 1 else ""
    room = LIMIT - len(counted_text) - 1
    words = parts[0][: room + 1].rsplit(" ", 1)[0] if len(parts[0]) > room else parts[0]
    return f"{words[:room]}…{counted_text}"


def _order(outcome: Outcome, missing: Sequence[Missing]) -> tuple[object, ...]:
    because = outcome.requirement.because
    traffic = outcome.requirement.traffic
    return (because.arn, traffic.from_port, traffic.to_port, traffic.protocol, outcome.required)


def _label(outcome: Outcome) -> str:
    """What lacks something, as a person calls it: the listener, the target group with its port, or the message."""
    requirement = outcome.requirement
    if requirement.because.type == "listener":
        return requirement.because.label
    if requirement.because.type == "targetGroup":
        return f"{requirement.because.label} {requirement.traffic.label}"
    return requirement.traffic.label


def _reason(permissions: Permissions, outcome: Outcome) -> str:
    requirement = outcome.requirement
    allowed = permissions.allowed(requirement.direction, requirement.traffic, requirement.peer.family)
    instead = _instead(allowed)
    return f"not open to {_peer(outcome)} in {_some(permissions.group_ids)}{f' (open to {instead})' if instead else ''}"


def _peer(outcome: Outcome) -> str:
    peer = outcome.requirement.peer
    missing = outcome.missing or ()
    references = _some(tuple(sorted(outcome.or_security_groups)))
    if isinstance(peer, EndpointPeer):
        name = peer.name if peer.required is None or peer.name in peer.required else f"{peer.name} ({peer.required})"
        if not missing and references:
            return f"{references} of {name}"
        return f"{name} or {references}" if references else name
    if isinstance(peer, AddressPeer):
        text = _some(outcome.required)
        if peer.label:
            text += f" ({peer.label})"
        return f"{text} or {references}" if references else text
    return references or _some(outcome.required)


def _instead(allowed: Allowed) -> str:
    """What is open for the same traffic, shortly."""
    blocks = allowed.addresses.cidrs() if len(allowed.addresses.ranges) <= 16 else ()
    if not blocks and allowed.addresses:
        return f"{len(allowed.addresses.ranges)} other address ranges"
    references = tuple(sorted({reference.group_id for reference in allowed.references}))
    return _some((*blocks, *references))


def _some(names: Sequence[str], most: int = 2) -> str:
    """The first names and how many more there are."""
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} +{len(names) - most}"
    return ", ".join(names)
