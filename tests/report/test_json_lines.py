"""JSON lines: every line is the object of its finding, whatever the texts in it are."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from alb_sg.findings.finding import Change, Compliance, Finding, Missing, Unused
from alb_sg.recommendations.requirement import Origin
from alb_sg.report.json_report import finding_object, write_finding_lines

# Lone surrogates included, which JSON input can have.
TEXTS = st.text(st.characters(), max_size=6)
# Few, so that findings of one load balancer follow one another, and return.
LOAD_BALANCERS = st.sampled_from([("1", "eu-west-1", 'a"', "n"), ("1", "eu-west-1", "a\\", "n"), ("1", "", "a\n", "é")])
MISSING = Missing("ingress", "tcp", 80, 80, ("0.0.0.0/0",), ("0.0.0.0/0",), (), Origin("listener", "a", "http"))
UNUSED = Unused("sg-1", "tcp", 80, 80, ("0.0.0.0/0",))
FINDINGS = st.builds(
    lambda load_balancer, *rest: Finding(*load_balancer, *rest),
    LOAD_BALANCERS,
    TEXTS,
    st.sampled_from(Compliance),
    TEXTS,
    st.booleans(),
    st.sampled_from([(), (), (MISSING,)]),
    st.just(()),
    st.just(()),
    st.none(),
    st.sampled_from([(), (), (UNUSED,)]),
    st.sampled_from([None, None, Change.FIXED]),
)


@given(st.lists(FINDINGS, max_size=6))
def test_a_line_is_the_object_of_its_finding(findings: list[Finding]) -> None:
    stream = io.StringIO()
    write_finding_lines(findings, stream)
    expected = [json.dumps(finding_object(finding), ensure_ascii=False) for finding in findings]
    assert stream.getvalue() == "".join(f"{line}\n" for line in expected)
