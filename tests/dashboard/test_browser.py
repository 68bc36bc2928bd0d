"""The page in a browser: what it shows is what its data says, however it is filtered, linked, printed and read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Download, Page, expect, sync_playwright
from pypdf import PdfReader

from alb_sg.dashboard.page import render_page as render
from alb_sg.dashboard.page_data import build_page_data, page_data_text
from alb_sg.findings.finding import Compliance, EvaluationError
from tests.dashboard import recount
from tests.dashboard.organization import HOSTILE, Organization, hostile, organization
from tests.tools import HANGING, browser, node_module

pytestmark = pytest.mark.slow

RULE_NAMES = {
    "Paths to targets": "ALB_SG_INSTANCE_EGRESS",
    "Listener ports": "ALB_SG_LISTENER_INGRESS",
    "Health checks": "ALB_SG_HEALTH_CHECK_EGRESS",
    "Path MTU Discovery": "ALB_SG_ICMP_PMTUD",
    "Targets' security groups": "ALB_SG_TARGET_INGRESS",
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
    found = build_page_data(made.observation, made.earlier, made.plans)
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
    keys = ("total", "nonCompliant", "internetFacing", "notJudged", "exempt", "compliant")
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


def show_all(page: Page, section: str) -> None:
    button = page.locator(f"#{section} button", has_text="Show all")
    if button.count():
        button.click()


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f'#filters select[name="{name}"]').select_option(value)


# --- every number


def test_the_summary_is_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    assert numbers(page) == recount.count_compliance(written.data)
    assert number(page, "change") == recount.change(written.data)


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
    heads = page.locator("#matrix thead th").all_inner_texts()
    seen = set()
    for row in cells(page, "#matrix"):
        for subject, text in zip(heads[1:], row[1:], strict=True):
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
    assert "1 partly read" in page.locator("#coverage").inner_text()


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
    counted = len({one.load_balancer_arn for one in compliant})
    share = page.locator('[data-number="share"]').inner_text()
    assert share == (
        f"of {counted} load balancers; {30 - counted} more without a verdict"
        if counted
        else "no verdict on any of 30 load balancers"
    )


def test_the_worst_come_first_and_all_of_them(show: Open, written: Written) -> None:
    page = show(written.at())
    expected = recount.to_do(recount.pairs(written.data))
    found: list[list[str]] = []
    while True:
        found += cells(page, "#worst")
        following = page.get_by_role("button", name="Next")
        if following.count() == 0 or following.is_disabled():
            break
        following.click()
    names = [(row[1].split("\n")[0], row[3].split("\n")) for row in found]
    subjects = {name: subject for subject, name in RULE_NAMES.items()}
    assert names == [(one["name"], [subjects[verdict["rule"]], verdict["annotation"]]) for one, verdict in expected]
    assert f"{len(expected)} findings" in page.locator("#worst .note").inner_text()
    left_out = len(recount.pairs(written.data)) - len(expected)
    assert f"{left_out} verdicts that need no work are omitted" in page.locator("#worst .note").inner_text()


def test_causes_are_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    show_all(page, "causes")
    tables = page.locator("#causes table")
    kinds = (
        tables.nth(0).locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.children].map(c => c.innerText))")
    )
    assert {row[0]: (int(row[1]), int(row[2])) for row in kinds} == recount.kinds(written.data)
    groups = (
        tables.nth(1).locator("tbody tr").evaluate_all("rows => rows.map(r => [...r.children].map(c => c.innerText))")
    )
    assert {row[0].split("\n")[0]: (int(row[2]), int(row[3])) for row in groups} == recount.groups(written.data)
    counted = [int(row[2]) for row in groups]
    assert counted == sorted(counted, reverse=True)


def test_changes_and_the_trend_are_what_the_data_says(show: Open, written: Written) -> None:
    page = show(written.at())
    expected = recount.changes(written.data)
    tiles = page.locator("#changes .tile")
    words = {
        "new": "new",
        "reopened": "reopened",
        "fixed": "fixed",
        "exempted": "now exempt",
        "gone": "gone",
        "firstLook": "first seen",
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
    assert [[int(cell) for cell in row[1:]] for row in points] == [
        [point["loadBalancers"], point["findings"], point["heard"], point["carried"]]
        for point in written.data["trend"]["points"]
    ]
    assert page.locator("#changes svg circle").count() == len(points)


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
    text = page.locator("#coverage").inner_text()
    heard = [account_region for account_region in account_regions if account_region["heard"]]
    assert f"{len(heard)}\nof {len(account_regions)} expected" in text
    assert "No data, and not counted: acquired-company" in text
    assert f"{len(heard) - 1}\nof {len(heard)} have all 5 rules" in text
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


# --- filters, addresses, Back


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
        # Open listeners alone do not make a load balancer compliant.
        ("#status=compliant", lambda one: one["status"] == "compliant"),
    ],
)
def test_an_address_is_a_view(show: Open, written: Written, fragment: str, keep: recount.Keep) -> None:
    page = show(written.at(fragment))
    # The status is of findings: what load balancers are counts whatever it is.
    rule = re.search("rule=([A-Z_]+)", fragment)
    counted = recount.everything if "status=" in fragment else keep
    assert numbers(page) == recount.count_compliance(written.data, counted, rule[1] if rule else None)
    expected = recount.pairs(written.data, keep)
    wanted = expected if "status=" in fragment else recount.to_do(expected)
    shown = page.locator("#shown").inner_text()
    assert shown.startswith(f"{len(wanted)} finding")
    assert f"{len(expected):,} verdict" in shown
    if any(verdict["status"] == "nonCompliant" for _, verdict in expected):
        show_all(page, "causes")
        found = {row[0].split("\n")[0]: (int(row[2]), int(row[3])) for row in cells(page, "#causes .scroll:last-child")}
        assert found == recount.groups(written.data, keep)


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
    assert numbers(page)["total"] == 0
    assert page.locator('select[name="account"]').input_value() == "000000000000"
    assert "This page has no load balancer arn:gone" in page.locator("#detail").inner_text()


def test_a_number_of_the_matrix_leads_to_its_findings(show: Open, written: Written) -> None:
    page = show(written.at())
    cell = page.locator("#matrix td a").first
    counted = re.search(r"([0-9]+) of", cell.inner_text())
    assert counted is not None
    cell.click()
    expect(page.locator("#worst tbody tr")).to_have_count(int(counted[1]))


# --- one load balancer


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
    steps = page.locator("#detail ol li").all_inner_texts()
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


# --- export


def _download(page: Page, button: str) -> str:
    with page.expect_download() as found:
        page.get_by_role("button", name=button).click()
    download: Download = found.value
    return Path(download.path()).read_text(encoding="utf-8")


def test_export_is_what_is_filtered(show: Open, written: Written) -> None:
    page = show(written.at("#region=eu-west-1"))
    expected = recount.to_do(recount.pairs(written.data, lambda one: one["region"] == "eu-west-1"))
    rows = list(csv.DictReader(io.StringIO(_download(page, "Export CSV"), newline="")))
    keys = [(one["arn"], verdict["rule"], verdict["annotation"]) for one, verdict in expected]
    assert [(row["loadBalancerArn"], row["rule"], row["annotation"]) for row in rows] == keys
    found = json.loads(_download(page, "Export JSON"))
    assert [(one["arn"], one["rule"], one["annotation"]) for one in found["findings"]] == keys
    assert found["filters"] == {"region": "eu-west-1"}


def test_names_that_try_to_harm_do_none(show: Open, tmp_path: Path) -> None:
    harmful = _written(hostile(), tmp_path)
    page = show(harmful.at("#status=all"))
    text = page.locator("body").inner_text()
    assert all(name.strip().split("\n")[0].strip() in text.replace("\xa0", " ") for name in HOSTILE[:3])
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    bare = page.locator("#worst tbody th a > bdi").count()
    assert bare == page.locator("#worst tbody tr").count() > 0
    rows = list(csv.reader(io.StringIO(_download(page, "Export CSV"), newline="")))
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    names = {row[5] for row in rows}
    assert "'" + HOSTILE[2] in names
    for one in harmful.data["loadBalancers"][:8]:
        page.evaluate("fragment => { location.hash = fragment; }", f"lb={quote(one['arn'], safe='')}")
        title = page.locator("#detail-title")
        expect(title).to_have_text(one["name"])
        assert title.text_content() == one["name"]


# --- keyboard, screen readers, paper, no script


def test_the_keyboard_alone_suffices(show: Open, written: Written) -> None:
    page = show(written.at())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "summary"
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
    _tab_until(page, "document.activeElement.textContent === 'Close'")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
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
