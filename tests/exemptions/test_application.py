"""Exemptions applied to results: NOT_APPLICABLE while in force, a remark once expired, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.exemptions.exemption import Exemptions
from alb_sg.findings.annotation import MAX_ANNOTATION_LENGTH
from alb_sg.findings.exemption_application import apply_exemption, apply_exemptions
from alb_sg.findings.finding import AppliedExemption, Compliance, EvaluationError, Finding, Missing
from alb_sg.recommendations.requirement import Origin
from tests.builders import ACCOUNT, ICMP, INGRESS, REGION, load_balancer_arn
from tests.exemptions.entries import TODAY, entry, exemption, read

MISSING = Missing(
    "ingress", "icmp", 3, 4, ("0.0.0.0/0",), ("0.0.0.0/0",), (), Origin("loadBalancer", load_balancer_arn(), "web")
)


def finding(
    compliance: Compliance = Compliance.NON_COMPLIANT,
    annotation: str = "ICMP type 3 code 4 not open to 0.0.0.0/0 in sg-1",
    rule: str = ICMP,
    name: str = "web",
) -> Finding:
    wrong = compliance is Compliance.NON_COMPLIANT
    return Finding(
        ACCOUNT,
        REGION,
        load_balancer_arn(name),
        name,
        rule,
        compliance,
        annotation,
        unresolved=wrong,
        missing=(MISSING,) if wrong else (),
    )


def failed(rule: str | None = ICMP, arn: str | None = load_balancer_arn()) -> EvaluationError:
    return EvaluationError(ACCOUNT, REGION, arn, rule, "security group sg-1", "it was not collected")


@pytest.mark.parametrize("compliance", list(Compliance))
def test_an_exempted_load_balancer_is_not_applicable_whatever_it_would_be(compliance: Compliance) -> None:
    before = finding(compliance, "so")
    after = apply_exemption(before, read(entry()), TODAY)
    assert isinstance(after, Finding)
    assert after.compliance is Compliance.NOT_APPLICABLE
    assert after.annotation == (
        f"exempt until 2027-01-31 by team-edge (SEC-12): moves to another VPC; would be {compliance.value}: so"
    )
    # Nothing is left for anybody to act on; what would be is kept apart.
    assert (after.missing, after.unresolved) == ((), False)
    assert after.applied_exemption == AppliedExemption(exemption(), before)
    assert after.sort_key == before.sort_key


def test_one_that_could_not_be_judged_is_exempted_too() -> None:
    after = apply_exemption(failed(), read(entry()), TODAY)
    assert isinstance(after, Finding)
    assert (after.compliance, after.load_balancer_name) == (Compliance.NOT_APPLICABLE, "web")
    assert after.annotation.endswith("could not be judged: security group sg-1: it was not collected")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (finding(rule=INGRESS), "another rule"),
        (finding(name="shop"), "another load balancer"),
        (failed(rule=INGRESS), "another rule"),
        (failed(arn=None), "a whole account that could not be listed"),
        (failed(rule=None), "a load balancer that could not be read, for every rule"),
    ],
)
def test_nothing_else_is_touched(result: Finding | EvaluationError, reason: str) -> None:
    assert apply_exemption(result, read(entry()), TODAY) is result, reason


@pytest.mark.parametrize("malformed", [entry(ticket=None), entry(expires="2999-99-99")])
def test_a_malformed_exemption_hides_nothing(malformed: dict[str, str]) -> None:
    assert apply_exemption(finding(), read(malformed), TODAY) == finding()


@pytest.mark.parametrize("compliance", list(Compliance))
def test_an_expired_exemption_changes_the_annotation_alone(compliance: Compliance) -> None:
    before = finding(compliance, "so")
    after = apply_exemption(before, read(entry(expires="2026-06-14")), TODAY)
    assert isinstance(after, Finding)
    assert after.annotation == "so; exemption expired 2026-06-14 (SEC-12)"
    assert (after.compliance, after.missing, after.unresolved) == (compliance, before.missing, before.unresolved)
    assert after.applied_exemption is None


def test_an_error_says_that_the_exemption_has_expired() -> None:
    after = apply_exemption(failed(), read(entry(expires="2026-06-14")), TODAY)
    assert isinstance(after, EvaluationError)
    assert after.cause == "it was not collected; exemption expired 2026-06-14 (SEC-12)"


def test_findings_and_errors_stay_in_order() -> None:
    exemptions = read(entry(), entry(rule=INGRESS))
    found, errors = apply_exemptions(
        exemptions, [finding(name="shop")], [failed(rule=INGRESS), failed(), failed(arn=None)], TODAY
    )
    assert found == sorted(found, key=lambda one: one.sort_key)
    assert [(one.load_balancer_name, one.rule, one.applied_exemption is not None) for one in found] == [
        ("shop", ICMP, False),
        ("web", ICMP, True),
        ("web", INGRESS, True),
    ]
    assert errors == [failed(arn=None)]


def test_no_exemptions_change_nothing() -> None:
    assert apply_exemptions(Exemptions("none"), [finding()], [failed()], TODAY) == ([finding()], [failed()])


words = st.text(st.sampled_from("ab -;"), min_size=1).map(lambda text: f"x{text}x")


@given(words, words.map(lambda text: text[:80]), words.map(lambda text: text[:80]), words, st.booleans())
def test_annotations_keep_the_limit_and_the_required_parts(
    reason: str, owner: str, ticket: str, annotation: str, expired: bool
) -> None:
    reason, annotation = (reason * 40)[:1000], (annotation * 40)[:MAX_ANNOTATION_LENGTH]
    given_one = entry(reason=reason, owner=owner, ticket=ticket, expires="2026-06-14" if expired else "2027-01-31")
    exemptions = read(given_one)
    (granted,) = exemptions.entries
    after = apply_exemption(finding(annotation=annotation), exemptions, TODAY)
    assert isinstance(after, Finding)
    assert 0 < len(after.annotation) <= MAX_ANNOTATION_LENGTH
    if expired:
        assert after.annotation.endswith(f"; exemption expired 2026-06-14 ({granted.ticket})")
    else:
        assert after.annotation.startswith(f"exempt until 2027-01-31 by {granted.owner} ({granted.ticket}): ")
        assert "; would be NON_COMPLIANT" in after.annotation


def test_the_longest_names_leave_room_for_the_verdict() -> None:
    after = apply_exemption(finding(), read(entry(owner="o" * 80, ticket="t" * 80, reason="because " * 100)), TODAY)
    assert isinstance(after, Finding)
    assert len(after.annotation) <= MAX_ANNOTATION_LENGTH
    assert after.annotation.endswith("because because because…; would be NON_COMPLIANT")
