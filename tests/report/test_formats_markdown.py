"""Markdown as GitHub's own parser reads it."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest

from alb_sg.findings.finding import Compliance, Finding
from alb_sg.observations.results import Results
from alb_sg.report import phrasing
from alb_sg.report.markdown import MAX_COMMENT_BYTES, render_markdown
from tests.builders import ACCOUNT, INGRESS, REGION
from tests.report.formats import (
    ADVICE,
    CASES,
    COMPLIANT,
    EVERYTHING,
    HOSTILE,
    HOSTILE_EVERYWHERE,
    NON_COMPLIANT,
    NOTHING,
    UNREAD,
    error,
    exempt,
    finding,
    results,
    written,
)

OURS = {"h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "br"}
FOLDS = {"details", "summary"}


class Page(HTMLParser):
    """The tags of a page, its headings and its rows of cells."""

    def __init__(self, found: Results) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.in_cell = False
        self.tables: list[list[list[str]]] = []
        # Raw HTML is kept, as GitHub keeps what its sanitizer allows.
        self.feed(
            cmarkgfm.github_flavored_markdown_to_html(written(found, "markdown"), cmarkgfm.Options.CMARK_OPT_UNSAFE)
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == []
        self.tags.add(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.in_cell = True
        elif tag == "br":
            self.tables[-1][-1][-1] += "\n"

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.in_cell:
            self.tables[-1][-1][-1] += data

    def cells(self, table: int) -> list[list[str]]:
        return [[cell.strip() for cell in row] for row in self.tables[table][1:]]


def test_errors_come_first_then_the_worst_then_exemptions() -> None:
    page = Page(EVERYTHING)
    account_region = f"{ACCOUNT} {REGION}"
    errors, failed, exemptions = (page.cells(table) for table in range(3))
    assert errors == [
        ["", "", "exemptions[3] in exemptions.json", "owner is missing"],
        [account_region, "", "listeners of None", "DescribeListeners: AccessDenied"],
        [account_region, "broken", "ALB_SG_INSTANCE_EGRESS: listeners of broken", "DescribeListeners: AccessDenied"],
    ]
    assert [row[:3] for row in failed] == [
        [account_region, "closed", "ALB_SG_LISTENER_INGRESS"],
        [account_region, "doubtful", "ALB_SG_INSTANCE_EGRESS"],
        [account_region, "sick", "ALB_SG_HEALTH_CHECK_EGRESS"],
        [account_region, "mute", "ALB_SG_ICMP_PMTUD"],
    ]
    assert failed[0][3].splitlines() == [
        "ALB_SG_LISTENER_INGRESS of closed",
        "inbound TCP 443 from 0.0.0.0/0",
        "inbound TCP 80 from 10.0.0.0/8, 192.168.0.0/16",
        *(f"fix: {sentence}" for sentence in ADVICE),
    ]
    assert [row[1] for row in exemptions] == ["hidden", "special"]
    assert "until 2027-01-31 by team-edge (SEC-12): moves in January; would be NON_COMPLIANT" in exemptions[1][3]
    text = "".join(page.text)
    assert "alb-sg: Not everything could be judged. 4 load balancers not as recommended" in text
    assert "9 load balancers · 4 NON_COMPLIANT · 1 COMPLIANT · 1 NOT_APPLICABLE · 2 EXEMPT · 3 ERROR" in text.replace(
        "\n", " "
    )


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (results(COMPLIANT), "alb-sg: As recommended"),
        (results(UNREAD), "alb-sg: Not everything could be judged. No load balancer is known to be otherwise"),
        (NOTHING, "alb-sg: No load balancer found"),
        (results(error(None, None)), "alb-sg: Not everything could be judged. No load balancer found"),
    ],
)
def test_the_title_claims_no_more_than_was_looked_at(found: Results, title: str) -> None:
    assert "".join(Page(found).text).startswith(title)


def test_hostile_text_is_text_in_its_cell() -> None:
    page = Page(HOSTILE_EVERYWHERE)
    assert page.tags == (OURS | FOLDS) - {"br"}
    plain = phrasing.printable(HOSTILE)
    assert page.cells(0)[0] == ["", "", plain, plain]
    assert page.cells(1) == [[f"{ACCOUNT} {REGION}", plain, INGRESS, plain]]
    assert plain in page.cells(2)[0][3]


def test_variable_text_is_code_where_github_looks_for_no_mention() -> None:
    assert "@octocat" not in written(HOSTILE_EVERYWHERE, "markdown")
    assert "https://evil" not in written(HOSTILE_EVERYWHERE, "markdown")


def test_results_without_work_and_long_tables_are_folded() -> None:
    text = written(EVERYTHING, "markdown")
    assert "\n#### 4 NON\\_COMPLIANT\n" in text
    assert "<summary>2 exemptions in force</summary>" in text
    assert "<summary>2 compliant or not applicable</summary>" in text
    many = results(*(finding(f"web-{number}", INGRESS, Compliance.NON_COMPLIANT) for number in range(11)))
    # Markdown ends at the tag: no backslash before the underscore.
    assert "<summary>11 NON_COMPLIANT</summary>" in written(many, "markdown")
    assert len(Page(many).cells(0)) == 11


def test_every_result_has_a_row() -> None:
    page = Page(EVERYTHING)
    assert [len(page.cells(table)) for table in range(4)] == [3, 4, 2, 2]
    assert [(row[1], row[3]) for row in page.cells(3)] == [("fine", "COMPLIANT"), ("idle", "NOT_APPLICABLE")]


@pytest.mark.parametrize("case", CASES)
def test_it_fits_and_is_complete(case: str) -> None:
    assert len(written(CASES[case], "markdown")) <= MAX_COMMENT_BYTES
    assert "left out" not in written(CASES[case], "markdown")


@pytest.mark.parametrize(("failed", "unread", "exempted"), [(1000, 0, 0), (0, 1000, 0), (0, 0, 1000), (700, 5, 700)])
def test_omitted_rows_are_counted_before_their_table(failed: int, unread: int, exempted: int) -> None:
    def broken(name: str) -> Finding:
        return finding(name, INGRESS, Compliance.NON_COMPLIANT, annotation=f"{HOSTILE[:80]} é")

    found = results(
        *(broken(f"web-{number:04}") for number in range(failed)),
        *(error(f"dark-{number:04}") for number in range(unread)),
        *(exempt(broken(f"free-{number:04}")) for number in range(exempted)),
    )
    text = render_markdown(found)
    assert MAX_COMMENT_BYTES - 2000 < len(text.encode()) <= MAX_COMMENT_BYTES
    page = Page(found)
    shown = sum(len(page.cells(table)) for table in range(len(page.tables)))
    left_out = [int(part.split()[-1].replace(",", "")) for part in text.split(" more than a comment has room")[:-1]]
    assert shown + sum(left_out) == failed + unread + exempted
    if unread == 5:
        assert len(page.cells(0)) == 5


def test_code_that_would_end_its_fence_does_not() -> None:
    """Names in the code are anybody's."""
    code = "Resources:\n  # Load balancer ``` </code> ```` @octocat\n"
    text = written(replace(results(NON_COMPLIANT), fix_code=code), "markdown")
    assert text.endswith("`````diff\n+Resources:\n+  # Load balancer ``` </code> ```` @octocat\n`````\n")


def test_code_that_has_no_room_is_named() -> None:
    text = written(replace(results(NON_COMPLIANT), fix_code="# rule\n" * 10_000), "markdown")
    assert text.endswith("\n`alb-sg fix` writes the rules to add; a comment has no room for them.\n")
    assert len(text.encode()) <= 65_536
