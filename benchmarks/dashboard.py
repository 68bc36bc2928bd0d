"""What the dashboard's page takes to build, how large it is, and how soon it answers in a browser without a window.

The command builds it in a process of its own, from saved estates and earlier runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from benchmarks.snapshot import ProcessMeasurement, measure_process
from benchmarks.table import Row
from tests.dashboard.organization import AS_OF
from tests.tools import browser

FINDINGS_PER_LOAD_BALANCER = 5
# An organization of many teams: what repeats itself would be packed to nothing.
ACCOUNTS = 300
RUNS = 4
# One target group in a hundred could not be read.
NOT_READ_EXIT_CODE = 3
# Raise it with every change of the saved files: folders of other versions are not used again.
VERSION = 1
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
    """A page of so many findings: its size in bytes, what the command took to build it, and milliseconds to be usable,
    and for a filter to answer and to have the whole page follow (medians)."""

    findings: int
    size_bytes: int
    built: ProcessMeasurement
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
        f"{ten.findings:,} findings with all pictures and fixes; {_describe_build(ten.built)}",
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
    yield Row(
        "dashboard: building 100,000 findings",
        hundred.built.processor,
        "s",
        60,
        "",
        f"of the processor; {hundred.built.clock:.0f} s of the clock; {ACCOUNTS} accounts, {RUNS} earlier runs",
    )
    yield Row("dashboard: memory for 100,000 findings", hundred.built.memory, "MiB", 1024, "", "the same process")
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


def _describe_build(built: ProcessMeasurement) -> str:
    return f"built in {built.processor:.0f} s of the processor, {built.clock:.0f} s of the clock"


def _measure(chromium: Browser, findings: int) -> PageMeasurement:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dashboard.html"
        built = _build(_saved_organization(findings // FINDINGS_PER_LOAD_BALANCER), path)
        loads, filters = [], []
        for _ in range(REPEATS):
            opened = chromium.new_page(viewport={"width": 1280, "height": 900})
            opened.goto(path.as_uri())
            opened.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
            loads.append(float(opened.evaluate("document.documentElement.dataset.ready")))
            filters += opened.evaluate(FILTER_SCRIPT)
            opened.close()
        size = path.stat().st_size
    answered, followed = (median(times) for times in zip(*filters, strict=True))
    return PageMeasurement(findings, size, built, median(loads), answered, followed)


def _saved_organization(load_balancers: int) -> Path:
    """The folder of an organization whose every load balancer has its own name, tags and groups; made once, in the
    system's temporary folder, by a process of its own."""
    folder = Path(tempfile.gettempdir()) / f"alb-sg-benchmarks-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    path = folder / f"organization-{VERSION}-{load_balancers}"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        script = (
            "from pathlib import Path; from tests.dashboard.organization import organization; "
            "from tests.dashboard.saved_organization import save_organization; "
            f"save_organization(organization({load_balancers}, runs={RUNS}, pictures=0, accounts={ACCOUNTS}, "
            f"varied=True), Path({str(unfinished)!r}))"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
        unfinished.replace(path)
    return path


def _build(saved: Path, page: Path) -> ProcessMeasurement:
    """Runs the command on a copy of the history, which it adds its run to."""
    history = page.with_name("history")
    shutil.copytree(saved / "history", history)
    command = [
        sys.executable, "-m", "alb_sg", "dashboard", "--estate", str(saved / "estates"), "--history", str(history),
        "--accounts", str(saved / "accounts.json"), "--owner-tag", "team",
        "--as-of", AS_OF.isoformat(), "--output", str(page),
    ]  # fmt: skip
    return measure_process(command, str(page.with_suffix(".out")), NOT_READ_EXIT_CODE)


if __name__ == "__main__":
    from benchmarks.table import markdown_table

    print(markdown_table(rows()))
