"""How large the dashboard's page is, and how soon it answers, in a browser without a window."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from playwright.sync_api import Browser, sync_playwright

from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import build_page_data, page_data_text
from benchmarks.table import Row
from tests.dashboard.organization import organization
from tests.tools import browser

FINDINGS_PER_LOAD_BALANCER = 5
# An organization of many teams: what repeats itself would be packed to nothing.
ACCOUNTS = 300
RUNS = 4
REPEATS = 5

# Each filter in turn, and none again: until the browser has laid out numbers, matrix and findings, and until what is
# further down the page is laid out, too.
FILTER_SCRIPT = """async () => {
  const form = document.querySelector('#filters');
  const steps = [['rule', 'ALB_SG_ICMP_PMTUD'], ['scheme', 'internal'], ['status', 'all'], ['q', 'checkout'], ['q', ''],
                 ['status', ''], ['rule', ''], ['scheme', ''], ['region', 'eu-west-1'], ['region', '']];
  const found = [];
  for (const [name, value] of steps) {
    const field = form.elements[name];
    const begin = performance.now();
    field.value = value;
    field.dispatchEvent(new Event('change', {bubbles: true}));
    document.body.offsetHeight;
    const answered = performance.now() - begin;
    await new Promise((done) => setTimeout(done));
    document.body.offsetHeight;
    found.push([answered, performance.now() - begin]);
  }
  return found;
}"""


@dataclass(frozen=True)
class PageMeasurement:
    """A page of so many findings: its size in bytes, and milliseconds to write it, to be usable, and for a filter
    to answer and to have the whole page follow (medians)."""

    findings: int
    size_bytes: int
    write_ms: float
    interactive_ms: float
    filter_ms: float
    full_layout_ms: float


def rows() -> Iterator[Row]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        ten, hundred = (_measure(chromium, count) for count in (10_000, 100_000))
        chromium.close()
    yield Row(
        "dashboard: file with 10,000 findings",
        ten.size_bytes / 1e6,
        "MB",
        1.5,
        "",
        f"{ten.findings:,} findings with all pictures and fixes; {ten.write_ms / 1e3:.2f} s to write",
    )
    yield Row("dashboard: interactive with 10,000", ten.interactive_ms, "ms", 1000, "", f"median of {REPEATS} loads")
    yield Row(
        "dashboard: a filter at 10,000",
        ten.filter_ms,
        "ms",
        50,
        "",
        f"median of {REPEATS} times ten; {ten.full_layout_ms:.0f} ms for all of the page",
    )
    yield Row(
        "dashboard: file with 100,000 findings",
        hundred.size_bytes / 1e6,
        "MB",
        12,
        "",
        f"{hundred.findings:,} findings of load balancers with names, tags and groups of their own",
    )
    yield Row("dashboard: writing 100,000 findings", hundred.write_ms / 1e3, "s", 60, "", "data, comparison and page")
    yield Row(
        "dashboard: interactive with 100,000", hundred.interactive_ms, "ms", 3000, "", f"median of {REPEATS} loads"
    )
    yield Row(
        "dashboard: a filter at 100,000",
        hundred.filter_ms,
        "ms",
        150,
        "",
        f"median of {REPEATS} times ten; {hundred.full_layout_ms:.0f} ms for all of the page",
    )


def _measure(chromium: Browser, findings: int) -> PageMeasurement:
    made = organization(findings // FINDINGS_PER_LOAD_BALANCER, runs=RUNS, accounts=ACCOUNTS, varied=True)
    begin = perf_counter()
    found = build_page_data(made.observation, made.earlier, made.plans)
    html = render_page(found, page_data_text(found))
    written = (perf_counter() - begin) * 1e3
    del made, found
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dashboard.html"
        path.write_text(html, encoding="utf-8")
        loads, filters = [], []
        for _ in range(REPEATS):
            opened = chromium.new_page(viewport={"width": 1280, "height": 900})
            opened.goto(path.as_uri())
            opened.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
            loads.append(float(opened.evaluate("document.documentElement.dataset.ready")))
            filters += opened.evaluate(FILTER_SCRIPT)
            opened.close()
    answered, followed = (median(times) for times in zip(*filters, strict=True))
    return PageMeasurement(findings, len(html.encode()), written, median(loads), answered, followed)


if __name__ == "__main__":
    from benchmarks.table import markdown_table

    print(markdown_table(rows()))
