"""The results of a planned change: what all ways of applying it agree on, and what it breaks and fixes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeVar

from alb_sg.estate.cidr import InvalidCidrError, parse_cidr
from alb_sg.findings.finding import NEW_CHANGES, Change, Compliance, EvaluationError, Finding, Missing, Result
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Traffic

MAX_NAMED_ASSUMPTIONS = 4
T = TypeVar("T")
ResultKey = tuple[str | None, str | None]


def result_key(result: Result) -> ResultKey:
    return result.load_balancer_arn, result.rule


def combine_scenarios(results_by_assumptions: Sequence[tuple[Sequence[str], Sequence[Result]]]) -> list[Result]:
    """One result for each load balancer and rule: that of all scenarios, or else an error that names the assumptions
    by which they differ. Where only what is missing differs, it is that of the first scenario, and the annotation names
    its assumptions."""
    by_key: dict[ResultKey, list[tuple[Sequence[str], Result]]] = {}
    whole: dict[Result, None] = {}
    for assumptions, results in results_by_assumptions:
        for result in results:
            if result.rule is None:
                whole[result] = None
            else:
                by_key.setdefault(result_key(result), []).append((assumptions, result))
    return [*whole, *map(_combine, by_key.values())]


def _combine(results: Sequence[tuple[Sequence[str], Result]]) -> Result:
    errors = [result for _, result in results if isinstance(result, EvaluationError)]
    if errors:
        return errors[0]
    findings = [(assumptions, result) for assumptions, result in results if isinstance(result, Finding)]
    first = findings[0][1]
    if len({finding.compliance for _, finding in findings}) == 1:
        return _name_choices(findings)
    verdicts = [(assumptions, finding.compliance) for assumptions, finding in findings]
    cause = "; ".join(
        f"{compliance.value} if {_in_words(deciding_assumptions(verdicts, compliance))}"
        for compliance in dict.fromkeys(compliance for _, compliance in verdicts)
    )
    return EvaluationError(
        first.account_id, first.region, first.load_balancer_arn, first.rule, "the verdict depends on values", cause
    )


def _name_choices(findings: Sequence[tuple[Sequence[str], Finding]]) -> Finding:
    """The first finding, which says on which assumptions that rests which others do not share."""
    first = findings[0][1]
    if all(finding.missing == first.missing for _, finding in findings):
        return first
    words = _in_words(deciding_assumptions([(given, finding.missing) for given, finding in findings], first.missing))
    return first._replace(annotation=f"{first.annotation} (if {words}; with other values something else is missing)")


def deciding_assumptions(ways: Sequence[tuple[Sequence[str], T]], outcome: T) -> list[str]:
    """Assumptions of the first way with this outcome that lead to it whatever else is assumed.

    `ways` are the leaves of a tree of choices: those that begin with the same assumptions have the same choice next. A
    way that makes no assumption about a choice does not depend on it.
    """
    options: dict[tuple[str, ...], set[str]] = {}
    for given, _ in ways:
        for index, one in enumerate(given):
            options.setdefault(tuple(given[:index]), set()).add(one)
    alternatives: dict[str, set[str]] = {}
    for choice in options.values():
        for one in choice:
            alternatives.setdefault(one, set()).update(choice - {one})
    others = [set(given) for given, found in ways if found != outcome]
    kept = list(next(given for given, found in ways if found == outcome))
    for one in tuple(kept):
        excluded = set[str]().union(*(alternatives[rest] for rest in kept if rest != one))
        if all(given & excluded for given in others):
            kept.remove(one)
    return kept


def _in_words(assumptions: Sequence[str]) -> str:
    more = len(assumptions) - MAX_NAMED_ASSUMPTIONS
    named = " and ".join(assumptions[:MAX_NAMED_ASSUMPTIONS]) or "nothing else is given"
    return f"{named} and {more} more" if more > 0 else named


def compare(before: Iterable[Result], after: Iterable[Result], replaced: Mapping[str, str]) -> list[Result]:
    """The results after a change, each with what the change does to it. The annotation of a finding that was broken
    before and lacks something else now names the new part.

    `replaced`: the ARNs that load balancers had before the change replaces them.
    """
    was = {result_key(result): result for result in before}
    compared: list[Result] = []
    for result in after:
        arn = result.load_balancer_arn
        earlier = was.get((replaced.get(arn, arn) if arn is not None else None, result.rule))
        compared.append(_compare(earlier, result))
    return compared


def results_of_change(
    before: Iterable[Result], after: Iterable[Result], replaced: Mapping[str, str], affected: Container[str]
) -> list[Result]:
    """The results after a change that concern it: of load balancers in `affected`, what it breaks or fixes though
    nothing that the verdict depends on was seen to change, and errors about the whole. Arguments as for `compare`."""
    return [
        one
        for one in compare(before, after, replaced)
        if one.load_balancer_arn in affected or one.change in (*NEW_CHANGES, Change.FIXED) or one.rule is None
    ]


def _compare(before: Result | None, after: Result) -> Result:
    if isinstance(after, EvaluationError):
        was_unknown = isinstance(before, EvaluationError)
        return after._replace(change=Change.STILL_UNKNOWN if was_unknown else Change.NEWLY_UNKNOWN)
    was_broken = isinstance(before, Finding) and before.compliance is Compliance.NON_COMPLIANT
    if after.compliance is not Compliance.NON_COMPLIANT:
        return after._replace(change=Change.FIXED if was_broken else None)
    if not isinstance(before, Finding) or not was_broken:
        return after._replace(change=Change.NEWLY_BROKEN)
    # A load balancer that lacked one permission may now lack another one.
    new = [one for one in after.missing if not any(_was_missing(one, old) for old in before.missing)]
    if not new:
        return after._replace(change=Change.STILL_BROKEN)
    labels = dict.fromkeys(Traffic(one.protocol, one.from_port, one.to_port).label for one in new)
    is_all = len(new) == len(after.missing)
    said = "something else was missing before" if is_all else f"new: {', '.join(labels)}; the rest was missing before"
    return after._replace(change=Change.NEWLY_BROKEN, annotation=f"{after.annotation} ({said})")


def _was_missing(new: Missing, old: Missing) -> bool:
    """Whether a permission that is missing was missing before, as a whole."""
    if (new.direction, new.protocol, new.from_port, new.to_port) != (
        old.direction,
        old.protocol,
        old.from_port,
        old.to_port,
    ):
        return False
    if not new.peers:
        return not old.peers and new.or_security_groups == old.or_security_groups
    if new.peers == old.peers:
        return True
    try:
        family = parse_cidr(new.peers[0])[0]
        return AddressSet.from_cidrs(family, new.peers) <= AddressSet.from_cidrs(family, old.peers)
    except InvalidCidrError:
        return set(new.peers) <= set(old.peers)
