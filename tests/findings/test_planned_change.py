"""The results of a planned change: what all scenarios agree on, and what the change breaks and fixes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from alb_sg.findings.finding import Change, Compliance, EvaluationError, Finding, Missing, Result
from alb_sg.findings.planned_change import combine_scenarios, compare, results_of_change
from alb_sg.recommendations.requirement import Origin
from tests.builders import ACCOUNT, ICMP, INGRESS, REGION, load_balancer_arn

WEB, OTHER = load_balancer_arn("web"), load_balancer_arn("other")


def missing(
    peers: Sequence[str] = ("0.0.0.0/0",),
    *,
    direction: str = "ingress",
    protocol: str = "tcp",
    port: int = 443,
    to_port: int | None = None,
    groups: Sequence[str] = (),
) -> Missing:
    last = port if to_port is None else to_port
    return Missing(
        direction, protocol, port, last, tuple(peers), tuple(peers), tuple(groups), Origin("listener", WEB, "")
    )


def finding(*lacks: Missing, arn: str = WEB, rule: str = INGRESS, compliance: str | None = None) -> Finding:
    """NON_COMPLIANT where something is missing."""
    said = Compliance(compliance or ("NON_COMPLIANT" if lacks else "COMPLIANT"))
    return Finding(ACCOUNT, REGION, arn, arn.split("/")[2], rule, said, "an annotation", missing=lacks)


def error(rule: str | None = INGRESS, arn: str | None = WEB) -> EvaluationError:
    return EvaluationError(ACCOUNT, REGION, arn, rule, "listeners of web", "not known before apply")


IPV4, IPV6 = ("10.0.0.0/8",), ("2001:db8::/32",)
BROKEN = finding(missing())


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param(finding(), finding(), None, id="it was and is met"),
        pytest.param(None, finding(), None, id="a new one that is met"),
        pytest.param(None, BROKEN, Change.NEWLY_BROKEN, id="a new one that is not"),
        pytest.param(finding(), BROKEN, Change.NEWLY_BROKEN, id="it was met"),
        pytest.param(finding(compliance="NOT_APPLICABLE"), BROKEN, Change.NEWLY_BROKEN, id="it did not apply"),
        pytest.param(BROKEN, BROKEN, Change.STILL_BROKEN, id="the same is missing"),
        pytest.param(BROKEN, finding(), Change.FIXED, id="nothing is missing any more"),
        pytest.param(BROKEN, finding(compliance="NOT_APPLICABLE"), Change.FIXED, id="it does not apply any more"),
        pytest.param(error(), finding(), None, id="it was not known"),
        pytest.param(error(), BROKEN, Change.NEWLY_BROKEN, id="it was not known, and is not met"),
        pytest.param(error(), error(), Change.STILL_UNKNOWN, id="it is still not known"),
        pytest.param(finding(), error(), Change.NEWLY_UNKNOWN, id="it is not known any more"),
        # It was broken before, and the change may break more of it or nothing.
        pytest.param(BROKEN, error(), Change.NEWLY_UNKNOWN, id="it was not met, and is not known any more"),
        pytest.param(None, error(), Change.NEWLY_UNKNOWN, id="a new one that is not known"),
        # A load balancer that lacked one permission may now lack another one.
        pytest.param(BROKEN, finding(missing(port=80)), Change.NEWLY_BROKEN, id="another port is missing"),
        pytest.param(
            BROKEN, finding(missing(), missing(port=80)), Change.NEWLY_BROKEN, id="another port is missing besides"
        ),
        pytest.param(finding(missing(), missing(port=80)), BROKEN, Change.STILL_BROKEN, id="less is missing"),
        pytest.param(
            finding(missing(to_port=444)), BROKEN, Change.NEWLY_BROKEN, id="a range that ended later was missing"
        ),
        pytest.param(finding(missing(protocol="udp")), BROKEN, Change.NEWLY_BROKEN, id="of another protocol"),
        pytest.param(finding(missing(direction="egress")), BROKEN, Change.NEWLY_BROKEN, id="of the other direction"),
        pytest.param(finding(missing(IPV4)), finding(missing(["10.1.0.0/16"])), Change.STILL_BROKEN, id="a part of it"),
        pytest.param(finding(missing(["10.1.0.0/16"])), finding(missing(IPV4)), Change.NEWLY_BROKEN, id="more than it"),
        pytest.param(
            finding(missing(["10.0.0.0/9", "10.128.0.0/9"])),
            finding(missing(IPV4)),
            Change.STILL_BROKEN,
            id="its halves",
        ),
        pytest.param(finding(missing(IPV6)), finding(missing(IPV4)), Change.NEWLY_BROKEN, id="of the other family"),
        pytest.param(finding(missing(["pl-1"])), finding(missing(["pl-1"])), Change.STILL_BROKEN, id="a prefix list"),
        pytest.param(
            finding(missing(["pl-1", "pl-2"])), finding(missing(["pl-2"])), Change.STILL_BROKEN, id="one of two lists"
        ),
        pytest.param(finding(missing(["pl-1"])), finding(missing(["pl-2"])), Change.NEWLY_BROKEN, id="another list"),
        pytest.param(
            finding(missing([], groups=["sg-1"])),
            finding(missing([], groups=["sg-1"])),
            Change.STILL_BROKEN,
            id="a reference to the same groups, where no address is known",
        ),
        pytest.param(
            finding(missing([], groups=["sg-1"])),
            finding(missing([], groups=["sg-2"])),
            Change.NEWLY_BROKEN,
            id="a reference to other groups",
        ),
        pytest.param(
            finding(missing(IPV4, groups=["sg-1"])),
            finding(missing([], groups=["sg-1"])),
            Change.NEWLY_BROKEN,
            id="a reference, where addresses were missing",
        ),
    ],
)
def test_a_verdict_says_how_the_change_affects_it(before: Result | None, after: Result, change: Change | None) -> None:
    [compared] = compare([] if before is None else [before], [after], {})
    assert compared.change is change


@pytest.mark.parametrize(
    ("before", "after", "annotation"),
    [
        pytest.param([], [missing()], "an annotation", id="nothing was missing"),
        pytest.param([missing()], [missing()], "an annotation", id="nothing else is missing"),
        pytest.param(
            [missing()],
            [missing(), missing(port=80), missing(IPV6, port=80)],
            "an annotation (new: TCP:80; the rest was missing before)",
            id="more is missing",
        ),
        pytest.param(
            [missing()], [missing(port=80)], "an annotation (something else was missing before)", id="another port"
        ),
    ],
)
def test_a_broken_finding_says_what_is_new(
    before: Sequence[Missing], after: Sequence[Missing], annotation: str
) -> None:
    """It stops a change, and what was missing before does not."""
    [compared] = compare([finding(*before)], [finding(*after)], {})
    assert isinstance(compared, Finding)
    assert compared.annotation == annotation


def test_a_verdict_is_compared_with_that_of_its_own_rule_and_load_balancer() -> None:
    before: list[Result] = [BROKEN, finding(missing(), arn=OTHER), finding(rule=ICMP)]
    after: list[Result] = [BROKEN, finding(missing(), rule=ICMP), finding(arn=OTHER), error(None, None)]
    changes = [one.change for one in compare(before, after, {})]
    assert changes == [Change.STILL_BROKEN, Change.NEWLY_BROKEN, Change.FIXED, Change.NEWLY_UNKNOWN]


def test_one_that_replaces_another_is_compared_with_it() -> None:
    planned = f"{WEB}-planned"
    [compared] = compare([BROKEN], [finding(missing(), arn=planned)], {planned: WEB})
    assert compared.change is Change.STILL_BROKEN


def test_a_change_concerns_the_results_that_it_may_affect() -> None:
    """What it breaks or fixes, though nothing was seen to change, what it touches, and errors about the whole."""
    whole, untouched = error(None, None), finding(missing(port=80), arn=OTHER)
    before = [finding(), untouched, finding(arn=OTHER, rule=ICMP), finding(missing(), arn=OTHER, rule="third")]
    after: list[Result] = [
        finding(),
        untouched,
        finding(missing(), arn=OTHER, rule=ICMP),
        finding(arn=OTHER, rule="third"),
        whole,
    ]
    found = results_of_change(before, after, {}, {WEB})
    assert [(one.load_balancer_arn, one.rule) for one in found] == [
        (WEB, INGRESS),
        (OTHER, ICMP),
        (OTHER, "third"),
        (None, None),
    ]


def test_a_verdict_of_all_scenarios_stands() -> None:
    assert combine_scenarios([(("A is 1",), [finding()]), (("A is 2",), [finding()])]) == [finding()]


def test_differing_scenarios_are_an_error_that_names_the_assumptions() -> None:
    [combined] = combine_scenarios([(("A is 1", "B is 1"), [finding()]), ((), [BROKEN]), (("A is 3",), [BROKEN])])
    assert isinstance(combined, EvaluationError)
    assert combined == EvaluationError(
        ACCOUNT,
        REGION,
        WEB,
        INGRESS,
        "the verdict depends on values",
        "COMPLIANT if A is 1 and B is 1; NON_COMPLIANT if nothing else is given",
    )


def test_assumptions_that_decide_nothing_are_not_named() -> None:
    """`A` is asked first and decides nothing; `B` matters only if `C` is 2."""
    outcomes: dict[tuple[str, ...], Finding] = {}
    for first in ("A is 1", "A is 2"):
        outcomes[first, "C is 1"] = finding()
        outcomes[first, "C is 2", "B is 1"] = BROKEN
        outcomes[first, "C is 2", "B is 2"] = finding()
    [combined] = combine_scenarios([(given, [found]) for given, found in outcomes.items()])
    assert isinstance(combined, EvaluationError)
    assert combined.cause == "COMPLIANT if C is 1; NON_COMPLIANT if C is 2 and B is 1"


def test_a_choice_that_only_some_ways_ask_for_is_named_with_what_asks_for_it() -> None:
    """Without `A is 2`, `B is 1` would not exclude the first way, which asks nothing about `B`."""
    ways = [(("A is 1",), [finding()]), (("A is 2", "B is 1"), [BROKEN]), (("A is 2", "B is 2"), [finding()])]
    [combined] = combine_scenarios(ways)
    assert isinstance(combined, EvaluationError)
    assert combined.cause == "COMPLIANT if A is 1; NON_COMPLIANT if A is 2 and B is 1"


def test_four_assumptions_are_named_and_the_others_counted() -> None:
    many = tuple(f"P{number} is 1" for number in range(6))
    [combined] = combine_scenarios([(many, [finding()]), (many[:4], [BROKEN])])
    assert isinstance(combined, EvaluationError)
    named = "P0 is 1 and P1 is 1 and P2 is 1 and P3 is 1"
    assert combined.cause == f"COMPLIANT if {named} and 2 more; NON_COMPLIANT if {named}"


def test_an_error_of_any_scenario_is_that_of_all() -> None:
    assert combine_scenarios([((), [finding()]), ((), [error()])]) == [error()]


def test_where_only_what_is_missing_differs_the_first_says_on_what_it_rests() -> None:
    [combined] = combine_scenarios(
        [(("A is 1", "B is 1"), [BROKEN]), (("A is 2", "B is 1"), [finding(missing(port=80))])]
    )
    assert isinstance(combined, Finding)
    assert combined.missing == BROKEN.missing
    # Only the assumption by which they differ.
    assert combined.annotation == "an annotation (if A is 1; with other values something else is missing)"


def test_assumptions_that_make_no_difference_alone_are_named_together() -> None:
    results = [(("A is 1",), [BROKEN]), (("A is 2",), [BROKEN]), (("A is 2",), [finding(missing(port=80))])]
    [combined] = combine_scenarios(results)
    assert isinstance(combined, Finding)
    assert combined.annotation == "an annotation (if A is 1; with other values something else is missing)"


def test_errors_about_the_whole_are_told_once_and_first() -> None:
    whole = error(None, None)
    assert combine_scenarios([((), [finding(), whole]), ((), [whole, finding()])]) == [whole, finding()]
