"""The pages: every link to a file or heading of the repository leads somewhere; pages say what was executed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "rules").glob("*/README.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# The ways of deployment that no test executes on AWS.
OTHER_TOOLS = ("terraform.md", "landing-zone-accelerator.md", "control-tower.md")


def anchors(path: Path) -> set[str]:
    """The ids that GitHub gives to a page's headings."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for found in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = found["target"].partition("#")
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), found[0]
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), found[0]


@pytest.mark.parametrize("name", OTHER_TOOLS)
def test_each_way_of_deployment_says_which_steps_were_executed(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    section = text.partition("## What was executed")[2]
    assert "executed by the tests" in section
    assert "**not executed**" in section


def test_each_step_of_the_checklist_has_command_sight_and_report() -> None:
    text = (ROOT / "docs" / "first-deployment.md").read_text(encoding="utf-8")
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
