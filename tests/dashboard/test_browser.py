"""The page in a browser: what it shows is what its data says, however it is filtered, linked, printed and read."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qs, quote

import pytest
from playwright.sync_api import Browser, Download, Page, expect, sync_playwright
from pypdf import PdfReader

from alb_sg.command_line.main import main
from alb_sg.dashboard.fixes import fix_objects
from alb_sg.dashboard.page import read_asset
from alb_sg.dashboard.page import render_page as render
from alb_sg.dashboard.page_data import AccessPortal, build_page_data, page_data_text
from alb_sg.findings.finding import Compliance, EvaluationError
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.report.csv_report import COLUMNS
from tests.dashboard import recount
from tests.dashboard.organization import HOSTILE, Organization, hostile, organization
from tests.dashboard.saved_organization import save_organization
from tests.filter_cases import FILTER_CASES
from tests.tools import HANGING, browser, node_module

pytestmark = pytest.mark.slow

RULE_NAMES = {
    "Paths to targets": "ALB_SG_INSTANCE_EGRESS",
    "Listener ports": "ALB_SG_LISTENER_INGRESS",
    "Health checks": "ALB_SG_HEALTH_CHECK_EGRESS",
    "Path MTU Discovery": "ALB_SG_ICMP_PMTUD",
    "Targets' security groups": "ALB_SG_TARGET_INGRESS",
    "Unused openings": "ALB_SG_UNUSED_INGRESS",
}


@dataclass
class Written:
    """A page on disk and its data."""

    path: Path
    data: Mapping[str, Any]

    def at(self, fragment: str = "") -> str:
        return self.path.as_uri() + fragment


@dataclass
class Heard:
    """What a page said and asked for besides what it shows."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def _written(made: Organization, folder: Path, partition: str = "aws") -> Written:
    found = build_page_data(made.observation, made.earlier, fix_objects(made.observation, made.plans))
    text = page_data_text(found).replace("arn:aws:", f"arn:{partition}:")
    path = folder / "dashboard.html"
    path.write_text(render(found, text), encoding="utf-8")
    return Written(path, json.loads(text))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return _written(organization(240), tmp_path_factory.mktemp("dashboard"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=HANGING * 1000)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"], timeout=HANGING * 1000)
        yield found
        found.close()


Open = Callable[..., Page]


@pytest.fixture
def show(chromium: Browser) -> Iterator[Open]:
    """Opens a page, and holds afterwards that it said nothing and asked for nothing but itself."""
    heard = Heard()
    contexts = []

    def opened(address: str, *, ready: bool = True, **choices: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **choices})
        context.set_default_timeout(HANGING * 1000)
        contexts.append(context)
        found = context.new_page()
        found.on("console", lambda message: heard.console.append(message.text))
        found.on("pageerror", lambda error: heard.console.append(str(error)))
        found.on("dialog", lambda dialog: heard.console.append(dialog.message))
        found.on("request", lambda request: heard.requests.append(request.url))
        found.goto(address)
        if ready:
            # A text that were evaluated again and again would sometimes meet the page's policy, which forbids it.
            found.wait_for_selector("html[data-ready]", state="attached")
        return found

    yield opened
    for context in contexts:
        context.close()
    assert heard.console == []
    assert [url for url in heard.requests if not url.startswith(("file:///", "blob:"))] == []
    assert len({url.partition("#")[0] for url in heard.requests if url.startswith("file:")}) <= 1


def number(page: Page, key: str) -> int:
    text = page.locator(f'[data-number="{key}"]').inner_text()
    return int(text.replace(",", "").replace("\u2212", "-").replace("+", "").replace("\u00b1", ""))


def numbers(page: Page) -> dict[str, int]:
    keys = (
        "judged", "nonCompliant", "internetFacing", "unreachable", "notJudged", "exempt", "compliant", "notApplicable",
    )  # fmt: skip
    return {key: number(page, key) for key in keys}


def expect_numbers(page: Page, expected: Mapping[str, int]) -> None:
    """Wait for these numbers: the browser tells the page of a new address some time after the address has changed."""
    for _ in range(100):
        if numbers(page) == expected:
            return
        page.wait_for_timeout(50)
    assert numbers(page) == expected


def cells(page: Page, table: str) -> list[list[str]]:
    """The texts of a table's body, by row; everything is shown first."""
    script = "rows => rows.map(row => [...row.children].map(cell => cell.innerText))"
    found: list[list[str]] = page.locator(f"{table} tbody tr").evaluate_all(script)
    return found


def heads(page: Page, table: str) -> list[str]:
    """The titles of a table's columns, without the signs of their order."""
    texts = page.locator(f"{table} thead th").all_inner_texts()
    return [
        text.rstrip(" \xa0\N{UP DOWN ARROW}\N{BLACK UP-POINTING TRIANGLE}\N{BLACK DOWN-POINTING TRIANGLE}")
        for text in texts
    ]


def records(page: Page, table: str) -> list[dict[str, str]]:
    """The texts of a table's body, by row and column."""
    titles = heads(page, table)
    return [dict(zip(titles, row, strict=True)) for row in cells(page, table)]


def counted(page: Page, table: str, key: str) -> dict[str, tuple[int, int]]:
    """Findings and load balancers by the first line of a column."""
    return {row[key].split("\n")[0]: (int(row["Findings"]), int(row["Load balancers"])) for row in records(page, table)}


def show_all(page: Page, section: str) -> None:
    button = page.locator(f"#{section} button", has_text="Show all")
    if button.count():
        button.click()


def choose(page: Page, name: str, value: str) -> None:
    unfold(page)
    page.locator(f'#filters select[name="{name}"]').select_option(value)


def unfold(page: Page) -> None:
    """Show the fields of the filters, if they are folded."""
    if page.locator("#fold[open]").count() == 0:
        page.locator("#fold > summary").click()


def test_the_summary_agrees_with_the_data(show: Open, written: Written) -> None:
    page = show(written.at())
    assert numbers(page) == recount.count_compliance(written.data)
    assert number(page, "change") == recount.change(written.data)


@pytest.mark.parametrize(
    "key", ["judged", "nonCompliant", "internetFacing", "unreachable", "notJudged", "exempt", "compliant"]
)
def test_each_number_leads_to_its_load_balancers(show: Open, written: Written, key: str) -> None:
    page = show(written.at("#region=eu-west-1"))
    count = number(page, key)
    assert count > 0
    page.locator(f'[data-number="{key}"]').click()
    noun = "load balancer" if count == 1 else "load balancers"
    expect(page.locator("#shown")).to_contain_text(f"on {count} {noun};")
    # The numbers stay, and the filters that were in use.
    assert number(page, key) == count or key == "internetFacing"
    assert "region=eu-west-1" in page.url
    expect(page.locator("#worst-title")).to_be_focused()


def test_the_first_screen_has_status_and_next_steps(show: Open, written: Written) -> None:
    page = show(written.at(), viewport={"width": 1440, "height": 900})
    counts = recount.count_compliance(written.data)
    share = 100 * counts["compliant"] // counts["judged"]
    sentence = page.locator(".sentence").inner_text().replace("\xa0", " ")
    assert f"{share} % of {counts['judged']} judged load balancers are compliant" in sentence
    bad, facing, unreachable = (counts[key] for key in ("nonCompliant", "internetFacing", "unreachable"))
    assert f"compliant, and \N{BLACK UP-POINTING TRIANGLE} {bad} are non-compliant (" in sentence
    assert f": {facing} of these face the internet, and {unreachable} of those are unreachable." in sentence
    # What changed and what is first seen make up the difference between the last two points of the trend.
    last, now = (point["loadBalancers"] for point in written.data["trend"]["points"][-2:])
    first_seen = re.search("; ([0-9]+) more first seen", sentence)
    assert last + number(page, "change") + (int(first_seen[1]) if first_seen else 0) == now
    for part in (".sentence", "#sparkline svg", "#first-changes tbody tr:nth-child(5)", "#coverage > summary"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900, part


def test_the_sentence_agrees_with_its_numbers(show: Open, written: Written) -> None:
    one = next(
        one
        for one in written.data["loadBalancers"]
        if one["scheme"] == "internet-facing" and any(each["status"] == "nonCompliant" for each in one["verdicts"])
    )
    page = show(written.at(f"#q={quote(one['arn'], safe='')}"))
    sentence = page.locator(".sentence").inner_text().replace("\xa0", " ")
    assert sentence.startswith(
        "0 % of 1 judged load balancer is compliant, and \N{BLACK UP-POINTING TRIANGLE} 1 is non-compliant ("
    )
    assert "1 of these faces the internet" in sentence
    page = show(written.at("#is=compliant&status=all&name=nothing"))
    assert page.locator(".sentence").inner_text().strip() == "No judged load balancers match these filters."
    fine = next(one for one in written.data["loadBalancers"] if {v["status"] for v in one["verdicts"]} == {"compliant"})
    page = show(written.at(f"#q={quote(fine['arn'], safe='')}"))
    sentence = page.locator(".sentence").inner_text().replace("\xa0", " ")
    assert sentence.startswith("100 % of 1 judged load balancer is compliant, and 0 are non-compliant (")
    assert "face the internet" not in sentence
    # No alarm where nothing is wrong.
    assert page.locator(".sentence .bad").is_hidden()


def test_the_first_changes_free_most_load_balancers(show: Open, written: Written) -> None:
    page = show(written.at())
    rows = cells(page, "#first-changes")
    freed = [int(re.findall("([0-9]+) load balancer", " ".join(row))[0]) for row in rows]
    assert len(rows) == 5
    assert freed == sorted(freed, reverse=True)
    # The group of the first change is one that as many load balancers carry, and no group frees more.
    carriers = {
        group: sum(
            group in one["securityGroups"]
            and any(verdict["status"] == "nonCompliant" for verdict in one["verdicts"])
            and all("missing" in verdict for verdict in one["verdicts"] if verdict["status"] == "nonCompliant")
            for one in written.data["loadBalancers"]
        )
        for group in recount.groups(written.data)
    }
    named = re.findall("sg-[0-9a-f]{17}", rows[0][0])[0]
    assert freed[0] == carriers[named] == max(carriers.values())


def test_the_common_part_of_all_changes_is_said_before_them(show: Open, owned: Written) -> None:
    page = show(owned.at("#owner=edge"))
    assert "Owner" not in heads(page, "#first-changes")
    assert "Owner in every row: edge." in page.locator("#first-changes .note").inner_text()


def test_the_command_of_a_change_is_copied(show: Open, written: Written) -> None:
    page = show(written.at(), permissions=["clipboard-read", "clipboard-write"])
    row = page.locator("#first-changes tbody tr").first
    group = re.findall("sg-[0-9a-f]{17}", row.inner_text())[0]
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    words = shlex.split(command.splitlines()[0])
    assert words[:2] == ["aws", "ec2"]
    assert words[words.index("--group-id") + 1] == group
    (permission,) = json.loads(words[words.index("--ip-permissions") + 1])
    lacking = [
        missing
        for one, verdict in recount.pairs(written.data)
        if group in one["securityGroups"] and verdict["status"] == "nonCompliant"
        for missing in verdict["missing"]
    ]
    assert (permission["IpProtocol"], permission["FromPort"], permission["ToPort"]) in {
        (missing["protocol"], missing["fromPort"], missing["toPort"]) for missing in lacking
    }
    # What the AWS CLI takes: a member that EC2 does not know would be refused.
    members = {"IpProtocol", "FromPort", "ToPort", "IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"}
    assert set(permission) <= members
    assert len(permission) == 4


def test_tab_reaches_the_worst_findings_in_under_ten_presses(show: Open, written: Written) -> None:
    page = show(written.at())
    presses = _tab_until(page, "document.activeElement.textContent === 'Worst first'")
    page.keyboard.press("Enter")
    expect(page.locator("#worst-title")).to_be_focused()
    presses += 1 + _tab_until(page, "document.activeElement.closest('#worst .scroll') !== null")
    assert presses < 10


def test_the_matrix_is_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    show_all(page, "matrix")
    expected = recount.matrix(written.data, lambda one: one["account"])
    _assert_matrix(page, expected, lambda head: re.findall(r"[0-9]{12}", head)[0])
    page.get_by_role("button", name="By organizational unit").click()
    assert page.url.endswith("#by=unit")
    expected = recount.matrix(written.data, lambda one: recount.unit_of(written.data, one) or "")
    _assert_matrix(page, expected, lambda head: head)


def _assert_matrix(
    page: Page, expected: Mapping[tuple[str, str], Mapping[str, int]], key: Callable[[str], str]
) -> None:
    titles = heads(page, "#matrix")
    seen = set()
    for row in cells(page, "#matrix"):
        for subject, text in zip(titles[1:], row[1:], strict=True):
            where = key(row[0]), RULE_NAMES[subject]
            counts = expected.get(where)
            if counts is None:
                assert "not covered" in text
                continue
            seen.add(where)
            asked = counts["nonCompliant"] + counts["error"] + counts["compliant"]
            shown = counts["nonCompliant"] or counts["error"]
            shape = "▲" if counts["nonCompliant"] else "◆" if counts["error"] else "●"
            assert text.startswith(f"{shape} {shown} of {asked}")
            assert f"{counts['nonCompliant']} non-compliant" in text or not counts["nonCompliant"]
            assert (f"{counts['exempt']} exempt" in text) == bool(counts["exempt"])
    assert seen == set(expected)


def test_an_account_whose_load_balancers_were_not_found_is_not_shown_as_having_none(show: Open, tmp_path: Path) -> None:
    made = organization(3, runs=0)
    silent = max(made.observation.completeness.observed)
    error = EvaluationError(silent.account_id, silent.region, None, None, "LoadBalancers", "AccessDenied")
    results = replace(made.observation.results, errors=[error])
    page = show(_written(replace(made, observation=replace(made.observation, results=results)), tmp_path).at())
    row = page.locator("#matrix tbody tr", has_text=silent.account_id).inner_text()
    assert "1 account and region partly read" in row
    assert "none" not in row
    assert "1 partly read" in page.locator("#coverage > summary").inner_text()


@pytest.mark.parametrize(("kept", "non_compliant"), [(0, "\u2013"), (30, "0")])
def test_load_balancers_without_a_verdict_are_not_counted_as_fine(
    show: Open, tmp_path: Path, kept: int, non_compliant: str
) -> None:
    """The script counts for each filter, and puts its numbers in place of those of the markup."""
    made = organization(30, runs=0)
    compliant = [one for one in made.observation.results.findings if one.compliance is Compliance.COMPLIANT][:kept]
    results = replace(made.observation.results, findings=compliant, errors=[])
    page = show(_written(replace(made, observation=replace(made.observation, results=results)), tmp_path).at())
    assert page.locator('[data-number="nonCompliant"]').inner_text() == non_compliant
    without = 30 - len({one.load_balancer_arn for one in compliant})
    assert f"Without a verdict: {without} more." in page.locator(".sentence").inner_text()


def test_the_worst_come_first_and_all_of_them(show: Open, written: Written) -> None:
    page = show(written.at())
    expected = recount.to_do(recount.pairs(written.data))
    found: list[dict[str, str]] = []
    while True:
        found += records(page, "#worst")
        following = page.get_by_role("button", name="Next")
        if following.count() == 0 or following.is_disabled():
            break
        following.click()
        # The next page begins where it is seen, and the keyboard goes on from there.
        expect(page.locator("#worst-title")).to_be_focused()
        assert 0 <= page.locator("#worst-title").evaluate("title => title.getBoundingClientRect().top") < 200
    names = [(row["Load balancer"].split("\n")[0], row["What is wrong"].split("\n")) for row in found]
    subjects = {name: subject for subject, name in RULE_NAMES.items()}
    assert names == [(one["name"], [subjects[verdict["rule"]], verdict["annotation"]]) for one, verdict in expected]
    assert f"{len(expected)} findings" in page.locator("#worst .note").inner_text()
    left_out = len(recount.pairs(written.data)) - len(expected)
    assert f"{left_out:,} verdicts that need no work are omitted" in page.locator("#worst .note").inner_text()


def test_causes_are_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    show_all(page, "causes")
    kinds = counted(page, '[data-table="causes:kinds"]', "Cause")
    unjudged = counted(page, '[data-table="causes:unjudged"]', "Cause")
    assert kinds | unjudged == recount.kinds(written.data)
    # What could not be judged has causes, too.
    assert unjudged != {}
    groups = counted(page, '[data-table="causes"]', "Security group")
    assert groups == recount.groups(written.data)
    assert [findings for findings, _ in groups.values()] == sorted((many for many, _ in groups.values()), reverse=True)


def test_changes_and_the_trend_are_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    expected = recount.changes(written.data)
    tiles = page.locator("#changes .tile")
    words = {
        "new": "New",
        "reopened": "Reopened",
        "fixed": "Fixed",
        "exempted": "Now exempt",
        "gone": "Gone",
        "firstLook": "First seen",
    }
    found = dict(zip(tiles.locator("dt").all_inner_texts(), tiles.locator(".number").all_inner_texts(), strict=True))
    assert found == {word: str(expected[kind]) for kind, word in words.items()}
    assert {expected[kind] > 0 for kind in ("new", "reopened", "fixed", "gone")} == {True}
    show_all(page, "changes")
    listed = page.locator("#changes table").nth(0).locator("tbody tr")
    assert listed.count() == sum(expected.values()) - expected["firstLook"]
    page.locator("#changes summary").click()
    points = page.locator("#changes details tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.innerText))"
    )
    rules = [rule["name"] for rule in written.data["rules"]]
    assert [[int(cell) for cell in row[1:]] for row in points] == [
        [point[key] for key in ("loadBalancers", "findings", "heard", "carried", "new", "reopened", "fixed")]
        + [point["rules"].get(rule, 0) for rule in rules]
        for point in written.data["trend"]["points"]
    ]
    chart = page.locator("#changes svg").first
    assert chart.locator("circle").count() == len(points)
    # Each run has its value, and one that did not cover everything another sign.
    values = [int(text) for text in chart.locator("text.value").all_text_contents()]
    assert values == [point["loadBalancers"] for point in written.data["trend"]["points"]]
    gaps = sum(point["carried"] > 0 for point in written.data["trend"]["points"])
    assert chart.locator("circle.gap").count() == gaps > 0
    note = page.locator("#changes .note", has_text="Time to fix").inner_text()
    assert f"{gaps} runs" in note
    fix = written.data["trend"]["timeToFix"]
    assert f"half of {fix['fixed']} fixed findings took {fix['medianDays']:g} days or less" in note


def test_the_trend_has_a_line_for_each_rule_and_severity(show: Open, written: Written) -> None:
    page = show(written.at("#trend=rule"))
    lines = page.locator("#changes svg").first
    assert lines.locator("polyline").count() == len(written.data["rules"])
    last = written.data["trend"]["points"][-1]["rules"]
    labels = lines.locator("text").all_text_contents()
    assert all(f"{last.get(rule['name'], 0)} {rule['subject']}" in labels for rule in written.data["rules"])
    page.get_by_role("button", name="By severity").click()
    expect(lines.locator("polyline")).to_have_count(3)
    assert page.url.endswith("trend=severity")
    expect(page.get_by_role("button", name="By severity")).to_be_focused()


def test_bars_show_what_each_run_changed(show: Open, written: Written) -> None:
    page = show(written.at())
    points = written.data["trend"]["points"][1:]
    said = page.locator("#changes svg").nth(1).locator("title").text_content()
    assert said == "; ".join(
        f"{point['asOf'][:10]}: {point['new']} new, {point['reopened']} reopened, {point['fixed']} fixed"
        for point in points
    )
    # The last run's bars are what the page lists.
    expected = recount.changes(written.data)
    assert [points[-1][kind] for kind in ("new", "reopened", "fixed")] == [
        expected[kind] for kind in ("new", "reopened", "fixed")
    ]


def test_changes_of_one_kind_have_no_column_of_kinds(show: Open, written: Written) -> None:
    page = show(written.at())
    assert heads(page, "#changes")[0] == "Change"
    page = show(written.at("#change=fixed"))
    assert heads(page, "#changes")[0] == "Load balancer"
    assert "Change in every row: fixed." in page.locator('[data-table="changes"] .note').inner_text()


def test_another_run_may_be_picked_to_compare_with(show: Open, written: Written) -> None:
    page = show(written.at())
    run = written.data["trend"]["points"][3]["asOf"]
    page.locator("#changes select").select_option(run)
    assert f"since={quote(run, safe='')}" in page.url
    tiles = page.locator("#changes .tile")
    expect(page.locator("#changes .note").first).to_contain_text(
        f"Compared with what was known after the run of {run[:10]}"
    )
    shown = dict(zip(tiles.locator("dt").all_inner_texts(), tiles.locator(".number").all_inner_texts(), strict=True))

    def status_then(verdict: Mapping[str, Any]) -> str | None:
        history = verdict.get("history") or ([[verdict["since"], verdict["status"]]] if verdict["since"] else [])
        return next((status for time, status in reversed(history) if time <= run), None)

    fixed = [
        verdict
        for _, verdict in recount.pairs(written.data)
        if status_then(verdict) == "nonCompliant" and verdict["status"] in ("compliant", "notApplicable")
    ]
    assert shown["Fixed"] == str(len(fixed))
    assert len(fixed) > recount.changes(written.data)["fixed"]


def test_exemptions_are_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    tiles = page.locator("#exemptions .tile")
    found = dict(zip(tiles.locator("dt").all_inner_texts(), tiles.locator(".number").all_inner_texts(), strict=True))
    assert found == {title: str(count) for title, count in recount.exemptions(written.data).items()}
    show_all(page, "exemptions")
    assert page.locator("#exemptions tbody tr").count() == len(written.data["exemptions"]["entries"])
    assert "'expires' is missing" in page.locator("#exemptions .alarm").inner_text()


def test_coverage_says_what_was_not_looked_at(show: Open, written: Written) -> None:
    page = show(written.at())
    account_regions = written.data["coverage"]["homes"]
    heard = [account_region for account_region in account_regions if account_region["heard"]]
    line = page.locator("#coverage > summary").inner_text()
    assert f"{len(heard)} of {len(account_regions)} expected accounts and regions of 10 accounts" in line
    assert "1 without all 5 rules" in line
    # It is one line, until it is unfolded.
    assert "acquired-company" not in page.locator("#coverage").inner_text()
    page.locator("#coverage > summary").click()
    text = page.locator("#coverage").inner_text()
    assert "No data, and not counted: acquired-company" in text
    assert "ALB_SG_ICMP_PMTUD missing" in text
    assert min(account_region["oldest"] for account_region in heard)[:10] in text


def test_pictures_that_are_left_out_are_said_before_the_table(show: Open, tmp_path: Path) -> None:
    some = _written(organization(60, runs=0, pictures=10), tmp_path)
    page = show(some.at("#status=all"))
    said = "This page has the diagram and fix of the 10 worst load balancers"
    assert said in page.locator("#worst .note").inner_text()
    without = next(one for one in some.data["loadBalancers"] if "detail" not in one)
    page.evaluate("fragment => { location.hash = fragment; }", f"lb={quote(without['arn'], safe='')}")
    page.get_by_text(f"alb-sg explain {without['arn']}").wait_for()


@pytest.mark.parametrize(
    ("fragment", "keep"),
    [
        ("#account=111123223336", lambda one: one["account"] == "111123223336"),
        (
            "#region=us-east-1&scheme=internal",
            lambda one: (one["region"], one["scheme"]) == ("us-east-1", "internal"),
        ),
        ("#rule=ALB_SG_ICMP_PMTUD", lambda one: one["rule"] == "ALB_SG_ICMP_PMTUD"),
        ("#status=exempt", lambda one: one["status"] == "exempt"),
        ("#tag=team%3Dcheckout", lambda one: one["tags"]["team"] == "checkout"),
        ("#tag=team", lambda one: "team" in one["tags"]),
        ("#q=CHECKOUT-", lambda one: "checkout-" in one["name"]),
        ("#status=error", lambda one: one["status"] == "error"),
        # The grammar of the command: patterns, any letter case, several values.
        ("#tag=TEAM%3DCheck*", lambda one: one["tags"]["team"] == "checkout"),
        ("#tag=*=PLAT*", lambda one: one["tags"]["team"] == "platform"),
        ("#tag=team%3Dedge&tag=team%3Ddata", lambda one: one["tags"]["team"] in ("edge", "data")),
        ("#name=Checkout-*&name=login-1", lambda one: one["name"].startswith("checkout-") or one["name"] == "login-1"),
        ("#region=EU-WEST-1&region=us-east-1", lambda one: one["region"] in ("eu-west-1", "us-east-1")),
        ("#rule=icmp_pmtud", lambda one: one["rule"] == "ALB_SG_ICMP_PMTUD"),
        ("#status=non-compliant&status=error", lambda one: one["status"] in ("nonCompliant", "error")),
        # As earlier pages wrote it.
        ("#status=nonCompliant", lambda one: one["status"] == "nonCompliant"),
        ("#severity=LOW", lambda one: one["rule"] == "ALB_SG_ICMP_PMTUD"),
        # Open listeners alone do not make a load balancer compliant.
        ("#status=compliant", lambda one: one["status"] == "compliant"),
    ],
)
def test_an_address_is_a_view(show: Open, written: Written, fragment: str, keep: recount.Keep) -> None:
    page = show(written.at(fragment))
    # The status is of findings: what load balancers are counts whatever it is.
    rule = "ALB_SG_ICMP_PMTUD" if "rule=" in fragment else None
    # A severity selects verdicts, and load balancers count with all of theirs.
    kept = recount.everything if "status=" in fragment else keep
    assert numbers(page) == recount.count_compliance(written.data, kept, rule)
    expected = recount.pairs(written.data, keep)
    wanted = expected if "status=" in fragment else recount.to_do(expected)
    shown = page.locator("#shown").inner_text()
    assert shown.startswith(f"{len(wanted):,} finding")
    assert f"{len(expected):,} verdict" in shown
    if any(verdict["status"] == "nonCompliant" for _, verdict in expected):
        show_all(page, "causes")
        found = counted(page, '[data-table="causes"]', "Security group")
        assert found == recount.groups(written.data, keep)


def test_filters_fit_as_those_of_the_command_do(show: Open, written: Written) -> None:
    """docs/command-line.md, "Narrowing"."""
    functions = {"name": "fits", "owner": "ownerFits", "unit": "unitFits", "tag": "tagsFit"}
    script = "\n".join([read_asset("data.js"), read_asset("filters.js")])
    run = f"cases => {{ {script}; return cases.map(([name, value, patterns]) => eval(name)(value, patterns)); }}"
    page = show("about:blank", ready=False)
    cases = [[functions[case.key], case.value, list(case.patterns)] for case in FILTER_CASES]
    fitted = page.evaluate(run, cases)
    assert [case for case, found in zip(FILTER_CASES, fitted, strict=True) if found != case.fits] == []


def test_a_pattern_of_many_stars_answers_at_once(show: Open, written: Written) -> None:
    pattern = quote("*a" * 400)
    page = show(written.at(f"#name={pattern}&tag={pattern}"))
    assert numbers(page)["judged"] == 0


def test_several_rules_are_judged_together(show: Open, written: Written) -> None:
    rules = ["ALB_SG_ICMP_PMTUD", "ALB_SG_LISTENER_INGRESS"]
    page = show(written.at("#rule=icmp_pmtud&rule=LISTENER_INGRESS"))
    statuses = [
        {verdict["status"] for verdict in one["verdicts"] if verdict["rule"] in rules}
        for one in written.data["loadBalancers"]
    ]
    assert number(page, "nonCompliant") == sum("nonCompliant" in found for found in statuses)
    assert len(heads(page, "#matrix")) == 3
    assert page.title().startswith("Rule: Path MTU Discovery or Listener ports")


def test_a_part_of_a_name_or_tag_is_typed_and_becomes_a_pattern(show: Open, written: Written) -> None:
    page = show(written.at())
    unfold(page)
    for name, typed, pattern in (
        ("tag", "PLAT", "*PLAT*"),
        ("tag", "eam=heck", "*eam*=*heck*"),
        # One of the suggestions, and what is a pattern already, stay as they are.
        ("tag", "team=edge", "team=edge"),
        ("tag", "te*", "te*"),
        ("name", "heck", "*heck*"),
    ):
        page.locator(f'#filters input[name="{name}"]').fill(typed)
        page.keyboard.press("Enter")
        assert parse_qs(page.url.partition("#")[2])[name] == [pattern]
        assert number(page, "judged") > 0
        page.get_by_role("button", name="Clear filters").click()
        unfold(page)


def test_a_value_may_join_those_in_use(show: Open, written: Written) -> None:
    page = show(written.at())
    choose(page, "region", "eu-west-1")
    page.get_by_label("Keep earlier values").check()
    choose(page, "region", "us-east-1")
    assert page.url.endswith("#region=eu-west-1&region=us-east-1")
    expected = recount.count_compliance(written.data, lambda one: one["region"] in ("eu-west-1", "us-east-1"))
    expect_numbers(page, expected)
    chips = page.locator("#chips button")
    expect(chips).to_have_count(2)
    assert page.locator('select[name="region"] option:checked').inner_text() == "eu-west-1 or us-east-1"
    chips.first.click()
    assert page.url.endswith("#region=us-east-1")
    expect(page.locator('select[name="region"]')).to_have_value("us-east-1")
    # What was shown for both is none to choose any more.
    assert "eu-west-1 or us-east-1" not in page.locator('select[name="region"] option').all_inner_texts()
    name = page.locator('#filters input[name="name"]')
    for text in ("checkout-*", "login-*"):
        name.fill(text)
        page.keyboard.press("Enter")
    assert parse_qs(page.url.partition("#")[2])["name"] == ["checkout-*", "login-*"]
    expect(name).to_have_value("")
    page.get_by_label("Keep earlier values").uncheck()
    name.fill("api-*")
    page.keyboard.press("Enter")
    assert parse_qs(page.url.partition("#")[2])["name"] == ["api-*"]


def test_a_number_of_a_unit_leads_to_its_findings_alone(show: Open, tmp_path: Path) -> None:
    """A filter for a unit holds the units below it; the row of the matrix does not."""
    made = organization(120, runs=0)
    names = {account: replace(name, unit="Shops/Web") for account, name in made.observation.accounts.items()}
    first, second = sorted(names)[:2]
    names |= {one: replace(names[one], unit="Shops") for one in (first, second)}
    page = show(_written(replace(made, observation=replace(made.observation, accounts=names)), tmp_path).at("#by=unit"))
    row = page.locator("#matrix tbody tr", has=page.get_by_text("Shops", exact=True))
    cell = row.locator("td a", has_text="\N{BLACK UP-POINTING TRIANGLE}").first
    count = re.search("([0-9]+) of", cell.inner_text())
    assert count is not None
    cell.click()
    expect(page.locator("#worst tbody tr")).to_have_count(int(count[1]))


def test_a_unit_holds_the_units_below_it(show: Open, written: Written) -> None:
    page = show(written.at("#unit=Production"))
    expected = recount.count_compliance(
        written.data, lambda one: (recount.unit_of(written.data, one) or "").startswith("Production/")
    )
    assert numbers(page) == expected


def test_filters_stand_in_the_address_and_back_goes_back(show: Open, written: Written) -> None:
    page = show(written.at())
    whole = numbers(page)
    choose(page, "rule", "ALB_SG_LISTENER_INGRESS")
    one = numbers(page)
    choose(page, "region", "eu-west-1")
    both = numbers(page)
    assert page.url.endswith("#region=eu-west-1&rule=ALB_SG_LISTENER_INGRESS")
    assert len({json.dumps(found) for found in (whole, one, both)}) == 3
    page.go_back()
    expect_numbers(page, one)
    assert page.locator('select[name="region"]').input_value() == ""
    page.go_back()
    expect_numbers(page, whole)
    page.go_forward()
    expect_numbers(page, one)
    page.get_by_role("button", name="Clear filters").click()
    assert numbers(page) == whole


def test_a_search_is_followed_while_it_is_written_and_is_one_step(show: Open, written: Written) -> None:
    page = show(written.at())
    whole = numbers(page)
    unfold(page)
    page.get_by_role("searchbox").press_sequentially("checkout")
    expected = recount.count_compliance(
        written.data,
        lambda one: (
            "checkout" in json.dumps([one["name"], one["arn"], one["tags"], one["annotation"], one.get("exemption")])
        ),
    )
    assert numbers(page) == expected
    page.go_back()
    expect_numbers(page, whole)


def test_a_load_balancer_has_an_address_and_close_leaves_the_filters(show: Open, written: Written) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(written.at(f"#rule=ALB_SG_LISTENER_INGRESS&lb={quote(one['arn'], safe='')}"))
    assert page.locator("#detail-title").inner_text() == one["name"]
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#detail-title")).to_have_text("One load balancer")
    assert page.url.endswith("#rule=ALB_SG_LISTENER_INGRESS")
    page.go_back()
    expect(page.locator("#detail-title")).to_have_text(one["name"])


def test_an_address_of_what_is_not_there_finds_nothing_and_says_so(show: Open, written: Written) -> None:
    page = show(written.at("#account=000000000000&lb=arn:gone"))
    assert numbers(page)["judged"] == 0
    assert "No findings match these filters" in page.locator("#worst").inner_text()
    assert "No load balancers match these filters" in page.locator("#first-changes").inner_text()
    assert page.locator('select[name="account"]').input_value() == "000000000000"
    assert "This page has no load balancer arn:gone" in page.locator("#detail").inner_text()


def test_a_number_of_the_matrix_leads_to_its_findings(show: Open, written: Written) -> None:
    page = show(written.at())
    cell = page.locator("#matrix td a").first
    shown = re.search(r"([0-9]+) of", cell.inner_text())
    assert shown is not None
    cell.click()
    expect(page.locator("#worst tbody tr")).to_have_count(int(shown[1]))


def test_the_picture_and_the_table_draw_each_recommended_row(show: Open, written: Written) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(written.at(f"#lb={quote(one['arn'], safe='')}"))
    rows = one["detail"]["rows"]
    for status in ("met", "missing"):
        expected = sum(row["status"] == status for row in rows)
        assert page.locator(f"#detail svg text.{status}").count() == expected
        table = page.get_by_role("table", name="Recommended and actual rules")
        assert table.locator(f".status.{status}").count() == expected
    assert sum(row["status"] == "missing" for row in rows) > 0
    picture = page.locator("#detail svg").first
    assert all(row["traffic"] in (picture.text_content() or "") for row in rows)


def test_the_fix_is_shown_in_each_form(show: Open, written: Written) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(written.at(f"#lb={quote(one['arn'], safe='')}"))
    fix = one["detail"]["fix"]
    steps = page.locator("#detail details ol li").all_inner_texts()
    assert len(steps) == len(fix["rules"]) > 0
    for rule, step in zip(fix["rules"], steps, strict=True):
        assert rule["peer"] in step
        assert rule["what"] in step
    for title, key in (("AWS CLI", "cli"), ("CloudFormation", "cloudFormation"), ("Terraform", "terraform")):
        page.locator("#detail summary", has_text=title).click()
        assert page.get_by_role("region", name=title).inner_text().strip() == fix[key].strip()
    links = page.locator("#detail ul a").evaluate_all("links => links.map(link => link.href)")
    (wanted,) = [link for link in links if "AlbSg-ListenerIngress" in link]
    region = one["region"]
    assert wanted == (
        f"https://{region}.console.aws.amazon.com/systems-manager/automation/execute/AlbSg-ListenerIngress"
        f"?region={region}#LoadBalancerArn={quote(one['arn'], safe='')}"
    )


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-eusc", "console.amazonaws-eusc.eu"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        # AWS documents no console: no link is better than one that leads elsewhere.
        ("aws-iso", None),
    ],
)
def test_links_lead_to_the_partitions_own_console(show: Open, tmp_path: Path, partition: str, host: str | None) -> None:
    elsewhere = _written(organization(24), tmp_path, partition)
    one = recount.to_do(recount.pairs(elsewhere.data))[0][0]
    assert one["arn"].startswith(f"arn:{partition}:")
    page = show(elsewhere.at(f"#lb={quote(one['arn'], safe='')}"))
    links = page.locator("#detail a[target=_blank]").evaluate_all("links => links.map(link => link.host)")
    assert set(links) == (set() if host is None else {f"{one['region']}.{host}"})
    assert "AlbSg-" in page.locator("#detail ul").last.inner_text()


def test_history_has_each_change_of_a_verdict(show: Open, written: Written) -> None:
    one, verdict = next(pair for pair in recount.pairs(written.data) if pair[1].get("change") == "reopened")
    page = show(written.at(f"#lb={quote(one['arn'], safe='')}"))
    rows = (
        page.get_by_role("table", name="When verdicts changed, the latest first").locator("tbody tr").all_inner_texts()
    )
    expected = sum(len(found["history"]) + ("change" in found) for found in one["verdicts"] if "history" in found)
    assert len(rows) == expected > len(verdict["history"])


@pytest.fixture(scope="module")
def both_sides(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A page with findings of all rules, as the command writes it: some groups of targets let nobody in."""
    folder = tmp_path_factory.mktemp("both")
    saved = save_organization(organization(90, runs=0, varied=True), folder)
    for number, path in enumerate(sorted(saved.estates.iterdir())):
        estate = json.loads(path.read_text(encoding="utf-8"))
        block = estate["Vpcs"][0]["CidrBlock"].replace(".0.0/16", ".0.0/24")
        estate["Subnets"] = [{"SubnetId": f"subnet-{number}", "VpcId": estate["Vpcs"][0]["VpcId"], "CidrBlock": block}]
        for load_balancer in estate["LoadBalancers"]:
            load_balancer["AvailabilityZones"] = [{"SubnetId": f"subnet-{number}"}]
        for group in estate["SecurityGroups"]:
            if group["GroupName"].endswith("-app") and number % 2:
                group["IpPermissions"] = []
        path.write_text(json.dumps(estate), encoding="utf-8")
    path = folder / "page.html"
    rules = [word for rule in DISPLAY_ORDER for word in ("--rule", rule.name)]
    assert main(["dashboard", "--estate", str(saved.estates), *rules, "--output", str(path)]) == 1
    return Written(path, json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))


def _with_both(written: Written) -> Mapping[str, Any]:
    """A load balancer whose targets do not let it in, and which is open on an unused port."""
    rules = {"ALB_SG_TARGET_INGRESS", "ALB_SG_UNUSED_INGRESS"}
    return next(
        one
        for one in written.data["loadBalancers"]
        if rules <= {verdict["rule"] for verdict in one["verdicts"] if verdict["status"] == "nonCompliant"}
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_the_picture_shows_what_is_open_and_unused(show: Open, both_sides: Written, width: int) -> None:
    one = _with_both(both_sides)
    page = show(both_sides.at(f"#lb={quote(one['arn'], safe='')}"), viewport={"width": width, "height": 900})
    openings = one["detail"]["unused"]
    assert openings != []
    if width == 390:
        lanes = page.locator("#detail .lanes li.unused").all_inner_texts()
        assert [f"inbound {each['traffic']} from {each['peer']} in {each['group']}" in lane for each, lane in zip(
            openings, lanes, strict=True)] == [True] * len(lanes)  # fmt: skip
    else:
        assert page.locator("#detail svg text.unused").count() == len(openings)
        text = page.locator("#detail svg").first.text_content() or ""
        assert all(each["traffic"] in text and f"in {each['group']}" in text for each in openings)
    # The targets' side is said of the target, and the way there once.
    recommended = page.get_by_role("table", name="Recommended and actual rules").inner_text()
    assert "inbound TCP 8080 at 1 target" in recommended or "inbound TCP 8080 at 2 targets" in recommended or (
        "inbound TCP 8080 at 3 targets" in recommended)  # fmt: skip
    assert "to its targets" not in recommended


def test_causes_of_both_sides_name_the_rules(show: Open, both_sides: Written) -> None:
    page = show(both_sides.at())
    show_all(page, "causes")
    kinds = counted(page, '[data-table="causes:kinds"]', "Cause")
    assert kinds == recount.kinds(both_sides.data)
    assert {
        "The targets' security groups do not let the load balancer in",
        "Open on ports that no listener uses",
    } <= set(kinds)
    rows = {row["Security group"].split("\n")[0]: row for row in records(page, '[data-table="causes"]')}
    one = _with_both(both_sides)
    (unused,) = (verdict for verdict in one["verdicts"] if verdict["rule"] == "ALB_SG_UNUSED_INGRESS")
    sentence, _, group = unused["unused"][0].partition(" in ")
    assert f"unused: {sentence}" in rows[group]["Missing and unused rules"]
    (closed,) = (verdict for verdict in one["verdicts"] if verdict["rule"] == "ALB_SG_TARGET_INGRESS")
    assert f"inbound TCP 8080 from {one['securityGroups'][0]}" in rows[closed["groups"][0]]["Missing and unused rules"]
    # No row is without a rule.
    assert [row for row in rows.values() if not row["Missing and unused rules"].strip()] == []


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Written:
    made = organization(240)
    observation = replace(made.observation, owner_tags=("owner", "team"))
    portal = AccessPortal("https://d-1234567890.awsapps.com/start", "ReadOnly")
    data = build_page_data(observation, made.earlier, fix_objects(observation, made.plans), access_portal=portal)
    text = page_data_text(data)
    path = tmp_path_factory.mktemp("owned") / "dashboard.html"
    path.write_text(render(data, text), encoding="utf-8")
    return Written(path, json.loads(text))


def test_owners_have_a_column_a_filter_and_a_matrix(show: Open, owned: Written) -> None:
    page = show(owned.at("#by=owner"))
    expected = recount.matrix(owned.data, lambda one: one["owner"])
    _assert_matrix(page, expected, lambda head: head)
    owners = {one["arn"]: one["owner"] for one in owned.data["loadBalancers"]}
    assert {row["Owner"] for row in records(page, "#worst")} <= set(owners.values())
    choose(page, "owner", "edge")
    expect_numbers(page, recount.count_compliance(owned.data, lambda one: one["owner"] == "edge"))
    # One owner in every row is no column: it is said once.
    assert "Owner" not in heads(page, "#worst")
    assert "Owner in every row: edge." in page.locator("#worst .note").inner_text()


def test_without_owner_tags_the_page_has_no_owners(show: Open, written: Written) -> None:
    page = show(written.at())
    assert "Owner" not in heads(page, "#worst")
    assert page.get_by_role("button", name="By owner").count() == 0
    unfold(page)
    assert page.locator('select[name="owner"]').is_hidden()


def test_console_links_lead_through_the_access_portal(show: Open, owned: Written) -> None:
    one = recount.to_do(recount.pairs(owned.data))[0][0]
    page = show(owned.at(f"#lb={quote(one['arn'], safe='')}"))
    links = page.locator("#detail a[target]").evaluate_all("links => links.map(link => link.href)")
    assert links != []
    for link in links:
        start, _, query = link.partition("/#/console?")
        assert start == "https://d-1234567890.awsapps.com/start"
        parameters = parse_qs(query, strict_parsing=True)
        assert (parameters["account_id"], parameters["role_name"]) == ([one["account"]], ["ReadOnly"])
        assert parameters["destination"][0].startswith(f"https://{one['region']}.console.aws.amazon.com/")


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Load balancer", lambda one, _: one["name"].lower()),
        ("Targets", lambda one, _: one["targets"]),
        ("Severity", lambda _, verdict: ["high", "medium", "low"].index(severity_label(verdict))),
    ],
)
def test_columns_sort_both_ways(show: Open, written: Written, title: str, value: Callable[..., Any]) -> None:
    page = show(written.at("#status=nonCompliant"))
    expected = recount.pairs(written.data, lambda one: one["status"] == "nonCompliant")
    keys = sorted(value(*pair) for pair in expected)
    for direction, ordered in (("ascending", keys), ("descending", keys[::-1])):
        page.locator("#worst th button", has_text=title).click()
        expect(page.locator(f'#worst th[aria-sort="{direction}"]')).to_contain_text(title)
        # The keyboard stays where it was.
        assert page.evaluate("document.activeElement.textContent").startswith(title)
        shown = [row[title].split("\n")[0] for row in records(page, "#worst")]
        known = {one["name"]: one["targets"] for one, _ in expected}
        assert len(shown) == 25
        if title == "Targets":
            assert shown == [str(key) for key in ordered[:25]]
        elif title == "Load balancer":
            assert [text.lower() for text in shown] == ordered[:25]
            assert set(shown) <= set(known)
        else:
            assert [["high", "medium", "low"].index(text) for text in shown] == ordered[:25]
    assert "sort=-" in page.url


def severity_label(verdict: Mapping[str, Any]) -> str:
    return {"ALB_SG_HEALTH_CHECK_EGRESS": "medium", "ALB_SG_ICMP_PMTUD": "low"}.get(verdict["rule"], "high")


def test_ages_are_in_days(show: Open, written: Written) -> None:
    page = show(written.at())
    oldest = written.data["trend"]["points"][0]["asOf"]
    expected = recount.to_do(recount.pairs(written.data))[:25]
    for (_, verdict), row in zip(expected, records(page, "#worst"), strict=True):
        since = verdict["since"] or (written.data["asOf"] if "change" in verdict else None)
        if since is None:
            assert row["Age"] == ""
            continue
        days = (datetime.fromisoformat(written.data["asOf"]) - datetime.fromisoformat(since)).days
        plus = "+" if since == oldest else ""
        assert row["Age"] == ("today" if days == 0 else f"{days}{plus} day{'' if days == 1 else 's'}")


def test_close_returns_to_where_the_reader_was(show: Open, written: Written) -> None:
    page = show(written.at("#region=eu-west-1"))
    opened = page.locator("#changes a[data-arn]").nth(2)
    opened.scroll_into_view_if_needed()
    before = opened.evaluate("link => link.getBoundingClientRect().top")
    arn = opened.get_attribute("data-arn")
    opened.click()
    expect(page.locator("#detail-title")).to_be_focused()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#detail-title")).to_have_text("One load balancer")
    link = page.locator(f'#changes a[data-arn="{arn}"]').first
    expect(link).to_be_focused()
    assert abs(link.evaluate("link => link.getBoundingClientRect().top") - before) < 2
    assert page.url.endswith("#region=eu-west-1")


def test_links_carry_the_filters(show: Open, written: Written) -> None:
    page = show(written.at("#region=eu-west-1&scheme=internal"))
    hrefs = page.locator("main a[href^='#']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert len(hrefs) > 20
    assert [href for href in hrefs if "region=eu-west-1" not in href or "scheme=int" not in href] == []


def test_filters_in_use_are_shown_and_removed_one_by_one(show: Open, written: Written) -> None:
    page = show(written.at("#region=eu-west-1&cause=icmp-closed"))
    chips = page.locator("#chips button")
    expect(chips).to_have_count(2)
    assert "Region: eu-west-1" in chips.nth(0).inner_text()
    assert "ICMP for Path MTU Discovery is not allowed" in chips.nth(1).inner_text()
    chips.nth(0).click()
    expect(chips).to_have_count(1)
    assert page.url.endswith("#cause=icmp-closed")
    expected = recount.to_do(recount.pairs(written.data, lambda one: "icmp-closed" in one.get("causes", ())))
    expect(page.locator("#shown")).to_contain_text(f"{len(expected)} findings on")


def test_a_cause_and_a_change_lead_to_their_findings(show: Open, written: Written) -> None:
    page = show(written.at())
    row = page.locator('[data-table="causes:kinds"] tbody tr').first
    findings = int(records(page, '[data-table="causes:kinds"]')[0]["Findings"])
    row.locator("td a").first.click()
    expect(page.locator("#shown")).to_contain_text(f"{findings} findings on")
    page.get_by_role("button", name="Clear filters").click()
    fixed = page.locator("#changes .tile", has_text="Fixed").locator("a")
    count = int(fixed.inner_text())
    fixed.click()
    expect(page.locator("#shown")).to_contain_text(f"{count} finding")
    assert recount.changes(written.data)["fixed"] == count


def test_accounts_of_one_name_are_told_apart(show: Open, tmp_path: Path) -> None:
    made = organization(120, runs=0)
    accounts = {account: replace(name, name="shop") for account, name in made.observation.accounts.items()}
    written = _written(replace(made, observation=replace(made.observation, accounts=accounts)), tmp_path)
    page = show(written.at())
    assert "Account" in heads(page, "#worst")
    account = written.data["loadBalancers"][0]["account"]
    page = show(written.at(f"#account={account}&status=all"))
    assert f"Account in every row: shop ({account})." in page.locator("#worst .note").inner_text()


def test_the_root_unit_has_a_name(show: Open, tmp_path: Path) -> None:
    made = organization(30, runs=0)
    accounts = {account: replace(name, unit="") for account, name in made.observation.accounts.items()}
    page = show(_written(replace(made, observation=replace(made.observation, accounts=accounts)), tmp_path).at())
    assert "Root" in page.locator("#worst tbody tr").first.inner_text()
    whole = numbers(page)
    choose(page, "unit", "Root")
    expect_numbers(page, whole)
    assert whole["judged"] > 0


def test_account_numbers_are_isolated_from_right_to_left_names(show: Open, tmp_path: Path) -> None:
    page = show(_written(hostile(), tmp_path).at())
    bare = page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
          const bare = [];
          while (walker.nextNode()) {
            const node = walker.currentNode;
            if (/^[0-9]{12}$/.test(node.data.trim()) && !node.parentElement.closest('bdi')) bare.push(node.data);
          }
          return bare;
        }"""
    )
    assert bare == []


def test_the_title_follows_the_view(show: Open, written: Written) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(written.at(f"#region={one['region']}&lb={quote(one['arn'], safe='')}"))
    title = page.title()
    assert title.startswith(f"{one['name']} \u2013 Region: {one['region']} \u2013 Load balancers' security groups")
    page.get_by_role("link", name="Close").click()
    expect(page).to_have_title(re.compile("^Region: "))
    page.get_by_role("button", name="Clear filters").click()
    expect(page).to_have_title(re.compile("^Load balancers'"))


def test_an_empty_page_says_that_there_are_no_load_balancers(show: Open, tmp_path: Path) -> None:
    made = organization(0, runs=0)
    page = show(_written(made, tmp_path).at())
    assert "No load balancers" in page.locator("#worst").inner_text()
    assert set(numbers(page).values()) == {0}
    assert page.locator('[data-number="percent"]').inner_text() == "\u2013"


@pytest.mark.parametrize("width", [390, 768])
def test_problems_are_seen_first_on_a_small_screen(show: Open, written: Written, width: int) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(written.at(f"#lb={quote(one['arn'], safe='')}"), viewport={"width": width, "height": 900})
    wrong, name = page.locator("#worst tbody tr").first.locator("td.text"), page.locator("#worst tbody th").first
    tops = [part.evaluate("part => part.getBoundingClientRect().top") for part in (wrong, name)]
    assert tops == sorted(tops)
    assert page.locator("#detail .picture").is_hidden()
    statuses = page.locator("#detail .lanes .status").all_inner_texts()
    assert "missing" in statuses[0]
    assert len(statuses) == min(24, len(one["detail"]["rows"]))
    # Nothing is cut off: no table is wider than its place.
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(part => part.scrollWidth > part.clientWidth + 1)"
        ".map(part => part.getAttribute('aria-label'))"
    )
    assert wide == []


def _download(page: Page, button: str) -> str:
    with page.expect_download() as found:
        page.get_by_role("button", name=button).click()
    download: Download = found.value
    return Path(download.path()).read_bytes().decode("utf-8")


def test_export_is_what_is_filtered(show: Open, written: Written) -> None:
    page = show(written.at("#region=eu-west-1"))
    expected = recount.to_do(recount.pairs(written.data, lambda one: one["region"] == "eu-west-1"))
    rows = list(csv.DictReader(io.StringIO(_download(page, "Export CSV")[1:], newline="")))
    keys = [(one["arn"], verdict["rule"], verdict["annotation"]) for one, verdict in expected]
    assert [(row["loadBalancerArn"], row["rule"], row["annotation"]) for row in rows] == keys
    found = json.loads(_download(page, "Export JSON"))
    assert [(one["arn"], one["rule"], one["annotation"]) for one in found["findings"]] == keys
    assert found["filters"] == {"region": ["eu-west-1"]}


def test_the_csv_is_that_of_the_command_and_more(
    show: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `check --format csv --spreadsheet` prints it: columns, contents, byte order mark, and ids as text."""
    saved = save_organization(organization(240, runs=0), tmp_path)
    rules = [word for rule in DISPLAY_ORDER for word in ("--rule", rule.name)]
    source = ["--estate", str(saved.estates), "--accounts", str(saved.accounts), *rules]
    page_path = tmp_path / "page.html"
    assert main(["dashboard", *source, "--output", str(page_path)]) == 3
    capsys.readouterr()
    assert main(["check", *source, "--format", "csv", "--spreadsheet"]) == 3
    printed = capsys.readouterr().out
    exported = _download(show(f"{page_path.as_uri()}#status=all"), "Export CSV")
    assert exported[0] == printed[0] == "\ufeff"
    wanted, found = (list(csv.DictReader(io.StringIO(text[1:], newline=""))) for text in (printed, exported))
    assert list(found[0])[: len(COLUMNS)] == list(COLUMNS)
    assert list(found[0])[len(COLUMNS) :] == ["owner", "causes", "since"]
    # The page has abbreviated lists of what is unused.
    columns = [column for column in COLUMNS if column != "unused"]
    same = [sorted([row[column] for column in columns] for row in rows) for rows in (wanted, found)]
    assert same[0] == same[1]
    assert {row["accountId"][:2] for row in found} == {'="'}
    assert {row["status"] for row in found} >= {"NON_COMPLIANT", "ERROR", "COMPLIANT"}


def test_the_csv_has_what_was_not_read_at_all(show: Open, tmp_path: Path) -> None:
    made = organization(12, runs=0)
    place = min(made.observation.completeness.observed)
    error = EvaluationError(place.account_id, place.region, None, None, "LoadBalancers", "AccessDenied")
    results = replace(made.observation.results, errors=[error])
    written = _written(replace(made, observation=replace(made.observation, results=results)), tmp_path)
    for fragment, count in (
        ("", 1),
        # It may concern any load balancer there.
        ("#name=nothing", 1),
        (f"#account={place.account_id}", 1),
        ("#account=999999999999", 0),
        ("#status=compliant", 0),
        ("#status=error", 1),
    ):
        rows = list(csv.DictReader(io.StringIO(_download(show(written.at(fragment)), "Export CSV")[1:], newline="")))
        assert [row["annotation"] for row in rows].count("LoadBalancers: AccessDenied") == count, fragment


def test_long_names_and_reasons_do_not_stretch_the_page(show: Open, tmp_path: Path) -> None:
    """Tags have up to 256 characters, names of accounts and units many, and a malformed exemption is quoted."""
    made = organization(30, runs=0, owner_tags=("team",))
    wide = "W" * 250
    details = {
        arn: replace(detail, tags={f"{number} {wide[:100]}": wide for number in range(40)} | {"team": wide})
        for arn, detail in made.observation.details.items()
    }
    report = made.observation.exemptions
    assert report is not None
    malformed = report.malformed[0]._replace(message="too long " * 300)
    accounts = {key: replace(name, name=wide[:50], unit=wide) for key, name in made.observation.accounts.items()}
    observation = replace(
        made.observation, details=details, accounts=accounts, exemptions=replace(report, malformed=(malformed,))
    )
    written = _written(replace(made, observation=observation), tmp_path)
    one = recount.to_do(recount.pairs(written.data))[0][0]
    for width in (390, 768, 1440):
        page = show(written.at(f"#lb={quote(one['arn'], safe='')}"), viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        widest = page.evaluate(
            "Math.max(...[...document.querySelectorAll('.scroll > table')].map(one => one.offsetWidth))"
        )
        assert widest <= max(width, 1700)
        assert page.locator("#exemptions .alarm").evaluate("one => one.offsetHeight") < 200
        facts = page.locator("#detail .facts > div", has=page.get_by_text("Tags", exact=True))
        assert facts.evaluate("one => one.offsetHeight") < 500


def test_names_that_try_to_harm_do_none(show: Open, tmp_path: Path) -> None:
    harmful = _written(hostile(), tmp_path)
    page = show(harmful.at("#status=all"))
    text = page.locator("body").inner_text()
    assert all(name.strip().split("\n")[0].strip() in text.replace("\xa0", " ") for name in HOSTILE[:3])
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    bare = page.locator("#worst tbody th a > bdi").count()
    assert bare == page.locator("#worst tbody tr").count() > 0
    rows = list(csv.reader(io.StringIO(_download(page, "Export CSV")[1:], newline="")))
    ids = {row[0] for row in rows[1:]}
    assert all(re.fullmatch('="[0-9]{12}"', account) for account in ids)
    assert [cell for row in rows for cell in row[1:] if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    names = {row[rows[0].index("loadBalancerName")] for row in rows}
    assert "'" + HOSTILE[2] in names
    for one in harmful.data["loadBalancers"][:8]:
        page.evaluate("fragment => { location.hash = fragment; }", f"lb={quote(one['arn'], safe='')}")
        title = page.locator("#detail-title")
        expect(title).to_have_text(one["name"])
        assert title.text_content() == one["name"]


def test_the_keyboard_alone_suffices(show: Open, written: Written) -> None:
    page = show(written.at())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "summary"
    unfold(page)
    page.locator('select[name="rule"]').focus()
    page.keyboard.press("ArrowDown")
    assert "rule=ALB_SG_INSTANCE_EGRESS" in page.url
    assert page.evaluate("document.activeElement.name") == "rule"
    expected = recount.count_compliance(written.data, rule="ALB_SG_INSTANCE_EGRESS")
    assert numbers(page) == expected
    link = page.locator("#worst tbody a").first
    name = link.inner_text()
    reached = _tab_until(page, "document.activeElement.closest('#worst tbody') !== null")
    assert reached < 120
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_be_focused()
    expect(page.locator("#detail-title")).to_have_text(name)
    assert _tab_until(page, "document.activeElement.textContent === 'Close'") == 1
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_have_text("One load balancer")
    assert "lb=" not in page.url


def _tab_until(page: Page, condition: str) -> int:
    for pressed in range(1, 200):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return pressed
    pytest.fail(f"not reached with Tab: {condition}")


def test_counts_are_announced(show: Open, written: Written) -> None:
    page = show(written.at())
    said = page.get_by_role("status")
    assert said.get_attribute("aria-live") == "polite"
    before = said.inner_text()
    choose(page, "scheme", "internal")
    assert said.inner_text() != before


def test_labels_of_lines_are_whole_on_a_small_screen(show: Open, written: Written) -> None:
    page = show(written.at("#trend=rule"), viewport={"width": 390, "height": 900})
    labels = page.locator("#changes svg").first.locator("text.small")
    texts = labels.all_text_contents()
    assert len(texts) == len(written.data["rules"])
    assert not any("\N{HORIZONTAL ELLIPSIS}" in text for text in texts)
    ends = labels.evaluate_all("texts => texts.map(text => text.getBBox().x + text.getBBox().width)")
    assert max(ends) <= 340


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_axe_finds_no_violation(show: Open, written: Written, scheme: str, width: int) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(
        written.at(f"#lb={quote(one['arn'], safe='')}"), color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate(node_module("axe-core/axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']}))"
        ".violations.map(v => [v.id, v.nodes.map(n => n.html)])"
    )
    assert found == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_makes_the_page_wider_than_the_screen(show: Open, written: Written, width: int) -> None:
    one = recount.to_do(recount.pairs(written.data))[0][0]
    page = show(written.at(f"#lb={quote(one['arn'], safe='')}"), viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_has_all_rows_and_the_screen_has_its_page_again(show: Open, written: Written, tmp_path: Path) -> None:
    page = show(written.at())
    before = page.locator("#worst tbody tr").count()
    path = tmp_path / "page.pdf"
    page.pdf(path=path, format="A4")
    # A narrow column breaks a long id over lines, and a font joins letters.
    text = normalize("NFKC", "".join(page.extract_text() for page in PdfReader(path).pages)).replace("\n", "")
    expected = recount.to_do(recount.pairs(written.data))
    assert len(expected) > before
    names = {one["name"] for one, _ in expected}
    assert {name for name in names if name not in text} == set()
    groups = recount.groups(written.data)
    assert {group for group in groups if group not in text} == set()
    assert page.locator("#worst tbody tr").count() == before


def _printed(page: Page, path: Path) -> list[str]:
    page.pdf(path=path, format="A4")
    return [normalize("NFKC", sheet.extract_text()) for sheet in PdfReader(path).pages]


def test_paper_begins_with_one_page_of_summary_and_ends_with_the_audit(
    show: Open, written: Written, tmp_path: Path
) -> None:
    sheets = _printed(show(written.at()), tmp_path / "page.pdf")
    assert "judged load balancers are compliant" in sheets[0]
    assert "What to change first" in sheets[0]
    assert "Worst first" not in sheets[0]
    assert "Worst first" in sheets[1]
    assert "Audit" in sheets[-1]
    assert "Exemptions in force" in sheets[-1]
    assert [sheet for sheet in sheets if "All load balancers" not in sheet.split("\n")[0]] == []


def test_each_printed_page_says_its_filters(show: Open, written: Written, tmp_path: Path) -> None:
    page = show(written.at("#region=eu-west-1&rule=ALB_SG_ICMP_PMTUD"))
    sheets = _printed(page, tmp_path / "page.pdf")
    assert len(sheets) > 2
    assert {sheet.split("\n")[0] for sheet in sheets} == {"Only Region: eu-west-1; Rule: Path MTU Discovery"}
    # What was unfolded for paper is folded again.
    expect(page.locator("#coverage[open]")).to_have_count(0)


def test_a_filter_that_tries_to_end_the_margin_of_paper_does_not(show: Open, written: Written, tmp_path: Path) -> None:
    page = show(written.at(f"#q={quote(chr(34) + '; } } body { display: none } /* ' + chr(92))}"))
    sheets = _printed(page, tmp_path / "page.pdf")
    assert sheets[0].startswith('Only Search: "; } } body { display: none } /*')
    assert "Compliance" in sheets[0]


def test_the_summary_and_the_fifty_worst_read_without_javascript(show: Open, written: Written) -> None:
    page = show(written.at(), ready=False, java_script_enabled=False)
    text = page.locator("body").inner_text()
    for key, value in recount.count_compliance(written.data).items():
        assert page.locator(f'[data-number="{key}"]').inner_text() == f"{value:,}"
    expected = recount.to_do(recount.pairs(written.data))
    rows = page.locator("#worst tbody tr")
    assert rows.count() == min(50, len(expected)) == 50
    assert f"{len(expected)} findings; the 50 worst are in this table" in text
    for (one, verdict), row in zip(expected, rows.all_inner_texts(), strict=False):
        assert one["name"] in row
        assert verdict["annotation"] in row
    assert "Without JavaScript" in text
    assert page.locator("#filters").is_hidden()
    assert page.locator("#matrix").is_hidden()


def test_the_policy_forbids_what_is_not_its_own(show: Open, written: Written, tmp_path: Path) -> None:
    html = written.path.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "unsafe" not in policy[1]
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    injected = tmp_path / "injected.html"
    injected.write_text(html.replace("</main>", "</main><script>document.title = 'run'</script>"), encoding="utf-8")
    page = show(written.at())
    page.context.new_page().goto(injected.as_uri())
    assert page.context.pages[-1].title() != "run"
