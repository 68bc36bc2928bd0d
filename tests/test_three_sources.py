"""One estate, three ways in: live, saved, and as configuration items. The findings are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import read_export_file, write_export_file
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.findings.finding import Finding
from alb_sg.findings.judge import judge_all
from alb_sg.live import LiveClients, LiveSource, Selection
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from demo.estate import build_estate
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws
from tests.estate.example import config_items, lower_camel

SECTIONS = frozenset().union(*(recommendation.estate_sections for recommendation in RECOMMENDATIONS)) - {"Tags"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source() -> Iterator[LiveSource]:
    """The demonstration's account: every row of the page, and one of each way to fail."""
    with EmbeddedAws() as aws:
        build_estate(aws)
        yield LiveSource(LiveClients(elbv2=aws.elbv2, ec2=aws.ec2), ACCOUNT_ID, REGION)


@pytest.fixture(scope="module")
def live(source: LiveSource) -> list[Finding]:
    loaded = source.load(Selection(everything=True), SECTIONS)
    assert loaded.enumeration_failure is None
    found = findings(loaded.estate)
    verdicts = {(finding.rule, finding.compliance.value) for finding in found}
    assert len(verdicts) >= 10, "the estate has to show most rules in most verdicts"
    return found


@pytest.fixture(scope="module")
def saved(source: LiveSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = StringIO()
    write_export_file([source.export()], text)
    path = tmp_path_factory.mktemp("saved") / "estate.json"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def findings(estate: Estate) -> list[Finding]:
    found, errors = judge_all(
        estate, estate.load_balancers.values(), {recommendation: Parameters() for recommendation in RECOMMENDATIONS}
    )
    assert errors == []
    # No verdict depends on the IDs of security group rules, which not every source has.
    return [
        finding._replace(unused=tuple(entry._replace(rule_ids=()) for entry in finding.unused)) for finding in found
    ]


def test_saved_as_live(live: list[Finding], saved: Path) -> None:
    (estate,) = read_export_file(str(saved))
    assert findings(estate) == live


@pytest.mark.parametrize("lower", [False, True], ids=["as the API spells them", "in lowerCamel"])
def test_configuration_items_as_live(live: list[Finding], saved: Path, tmp_path: Path, *, lower: bool) -> None:
    items = config_items(json.loads(saved.read_text(encoding="utf-8")))
    if lower:
        for item in items:
            item["configuration"] = lower_camel(item["configuration"])
    half = len(items) // 2
    paths = []
    for name, part in (("one.json", items[:half]), ("two.json", items[half:])):
        path = tmp_path / name
        path.write_text(json.dumps({"fileVersion": "1.0", "configurationItems": part}), encoding="utf-8")
        paths.append(str(path))
    (estate,) = read_config_items(paths)
    assert findings(estate) == live
