"""What annotations preserve: the parser reads back what the writer wrote."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from alb_sg.exemptions.exemption import Exemption, Exemptions
from alb_sg.findings.annotation import MAX_ANNOTATION_LENGTH, parse_annotation
from alb_sg.findings.exemption_application import apply_exemption
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import RULES, Saved, build
from tests.properties.estates import PARAMETERS, estates

EXPIRY, TODAY = date(2026, 5, 31), date(2026, 6, 1)
TICKETS = st.text(st.sampled_from("SEC-1; "), min_size=1, max_size=80).map(lambda text: f"x{text}x")


def _findings(saved: Saved, parameters: dict[str, str]) -> list[Finding]:
    estate = build(saved)
    parsed = parse_parameters(parameters)
    rules = {RECOMMENDATIONS_BY_NAME[rule]: parsed for rule in RULES}
    return judge_all(estate, estate.load_balancers.values(), rules)[0]


@pytest.mark.slow
@given(estates(), PARAMETERS)
def test_an_annotation_preserves_the_fields_of_its_finding(saved: Saved, parameters: dict[str, str]) -> None:
    for finding in _findings(saved, parameters):
        parsed = parse_annotation(finding.compliance, finding.annotation)
        event(f"{finding.compliance.value} {finding.unresolved} {bool(finding.remarks)}")
        assert parsed.unresolved == finding.unresolved
        if finding.compliance is Compliance.COMPLIANT:
            _assert_same_remarks(parsed.remarks, finding.remarks)
        if finding.compliance is Compliance.NOT_APPLICABLE or finding.compliance is Compliance.COMPLIANT:
            assert set(parsed.security_groups) <= set(finding.security_groups)
        else:
            # One "+N" stands for the names that there was no room for. Those of an unseen target are not known.
            assert parsed.security_groups or not finding.missing[0].security_groups
            assert parsed.security_groups == finding.security_groups[: len(parsed.security_groups)]


@pytest.mark.slow
@given(estates(), PARAMETERS, TICKETS)
def test_an_expired_exemption_is_a_remark(saved: Saved, parameters: dict[str, str], ticket: str) -> None:
    for finding in _findings(saved, parameters):
        exemption = Exemption(finding.load_balancer_arn, finding.rule, "reason", "owner", ticket, EXPIRY)
        result = apply_exemption(finding, Exemptions("document", (exemption,)), TODAY)
        assert isinstance(result, Finding)
        assert result.remarks == (*finding.remarks, f"exemption expired {EXPIRY} ({ticket})")
        if finding.compliance is Compliance.COMPLIANT and "…" not in result.annotation:
            # The finding's own remarks come before it, and those without room are counted there.
            last = f"; {result.remarks[-1]}"
            assert "; ".join(parse_annotation(result.compliance, result.annotation).remarks).endswith(last[2:])
            assert result.annotation.endswith(last)
            own = parse_annotation(result.compliance, result.annotation.removesuffix(last))
            _assert_same_remarks(own.remarks, finding.remarks)


def _assert_same_remarks(parsed: tuple[str, ...], written: tuple[str, ...]) -> None:
    """A remark that contains the separator is read as several; those without room are only counted."""
    text = "; ".join(parsed)
    whole = "; ".join(written)
    if parsed and parsed[-1].startswith("+"):
        text = "; ".join(parsed[:-1])
        assert whole.startswith(text)
        assert len(whole) + len(text) > MAX_ANNOTATION_LENGTH - len("256 requirements met in sg-1; ")
    else:
        assert text == whole


@pytest.mark.parametrize(
    ("compliance", "annotation", "expected"),
    [
        # Remarks count where the verdict needs no explanation.
        (Compliance.COMPLIANT, "2 requirements met in sg-1, sg-2 +1", (False, ("sg-1", "sg-2"), ())),
        (Compliance.COMPLIANT, "1 requirement met in sg-1; a remark", (False, ("sg-1",), ("a remark",))),
        (
            Compliance.COMPLIANT,
            "HTTPS:443 open to accepted source pl-1; +1 more",
            (False, (), ("HTTPS:443 open to accepted source pl-1", "+1 more")),
        ),
        # A rule of another version, or of another author.
        (Compliance.COMPLIANT, "looks good to me", (False, (), ("looks good to me",))),
        (Compliance.COMPLIANT, "", (False, (), ())),
        # The groups of the load balancer, and not the peer or what is open instead.
        (
            Compliance.NON_COMPLIANT,
            "HTTPS:443 not open to 0.0.0.0/0 or sg-9 in sg-1a, sg-2b (open to sg-3c); +1 more",
            (False, ("sg-1a", "sg-2b"), ()),
        ),
        (
            Compliance.NON_COMPLIANT,
            "TCP:80 not open to i-1 in sg-1; unresolved: prefix list pl-1 (its owner does not share the entries)",
            (True, ("sg-1",), ()),
        ),
        (Compliance.NON_COMPLIANT, "TCP:80 not open to i-1 in sg-1; +2 more; unresolved", (True, ("sg-1",), ())),
        # The word alone is no flag.
        (Compliance.NON_COMPLIANT, "HTTPS:443 not open to 0.0.0.0/0 in sg-1 (unresolved: no)", (False, ("sg-1",), ())),
        (Compliance.COMPLIANT, "unresolved: nothing", (False, (), ("unresolved: nothing",))),
    ],
)
def test_parse_annotation(
    compliance: Compliance, annotation: str, expected: tuple[bool, tuple[str, ...], tuple[str, ...]]
) -> None:
    assert parse_annotation(compliance, annotation) == expected
