"""Every parser takes its input or refuses it in one sentence, and every printer prints what the parsers let through.

The bounded form runs with the tests; `make fuzz` runs each of these with atheris for a longer time.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alb_sg.aggregator.responses import read_load_balancer, read_rows, read_verdicts
from alb_sg.aws.calls import ApiResponse
from alb_sg.command_line.main import main
from alb_sg.config_rule.notification import read_notification
from alb_sg.dashboard.history import COLUMNS, read_run
from alb_sg.errors import InvalidInputError
from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.report.formats import FORMATS
from tests.aggregator.recordings import load_balancer as load_balancer_row
from tests.aggregator.recordings import verdicts as verdict_row
from tests.builders import RULES, load_balancer_arn
from tests.estate.example import config_items, saved
from tests.fuzzing.strategies import ODD_TEXTS, file_contents, mutated, to_json

pytestmark = pytest.mark.slow

bounded = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
FOLDER = Path(tempfile.mkdtemp(prefix="alb-sg-fuzzing-"))

ITEMS = json.loads(json.dumps({"configurationItems": config_items()}))
SAVED = json.loads(json.dumps(saved()))
EXEMPTIONS = {
    "version": 1,
    "exemptions": [
        {
            "loadBalancerArn": load_balancer_arn("web"),
            "rule": RULES[0],
            "reason": "behind a firewall",
            "owner": "edge@example.com",
            "ticket": "NET-1",
            "expires": "2027-01-31",
            "ports": [443],
        }
    ],
}
EVENT = {
    "accountId": "123456789012",
    "configRuleName": "rule",
    "resultToken": "token",
    "executionRoleArn": "arn:aws:iam::123456789012:role/config",
    "ruleParameters": '{"TagKey": "x"}',
    "eventLeftScope": False,
    "invokingEvent": {
        "messageType": "ConfigurationItemChangeNotification",
        "notificationCreationTime": "2026-01-02T03:04:05.006Z",
        "configurationItem": ITEMS["configurationItems"][0],
        "configurationItemDiff": {"changedProperties": {"a": {"previousValue": "b"}}},
    },
}
PARAMETERS = {
    "AcceptedSources": "pl-3b927c52@443,none@80,10.0.0.0/8,sg-1",
    "AcceptedSourcesMatch": "all",
    "TagKey": "clients",
    "TargetMatch": "security-group",
    "Exemptions": "s3://bucket/exemptions.json",
    "Source": "config",
}
RUN = [
    dict.fromkeys(COLUMNS)
    | {"version": 1, "record": record, "account": "123456789012", "region": "us-east-1", "rule": RULES[0]}
    | {"complete": True, "load_balancer": "arn", "name": "web", "status": "compliant"}
    for record in ("scope", "verdict", "error")
]


@contextlib.contextmanager
def taken_or_refused() -> Any:
    """Any error but a refusal fails the test."""
    with contextlib.suppress(InvalidInputError):
        yield


def written(content: bytes, name: str = "input.json") -> str:
    path = FOLDER / (f"{name}.gz" if content.startswith(b"\x1f\x8b") else name)
    path.write_bytes(content)
    return str(path)


@bounded
@given(file_contents(SAVED))
def test_saved_estates(content: bytes) -> None:
    with taken_or_refused():
        read_export_file(written(content))


@bounded
@given(file_contents(ITEMS))
def test_config_items(content: bytes) -> None:
    """Both readers say the same."""
    path = written(content)
    assert said_of(path, fast=True) == said_of(path, fast=False)


def said_of(path: str, *, fast: bool) -> str:
    try:
        return str(read_config_items([path], fast=fast))
    except InvalidInputError as error:
        return str(error)


@bounded
@given(st.one_of(mutated(EXEMPTIONS).map(to_json), st.text()))
def test_exemptions(text: str) -> None:
    with taken_or_refused():
        parse_exemptions(text, "given", RECOMMENDATIONS_BY_NAME).of_ports(date(2027, 1, 1))


@bounded
@given(mutated(EVENT), st.booleans())
def test_events(event: Any, encodes: bool) -> None:
    if encodes and isinstance(event, dict) and "invokingEvent" in event:
        event["invokingEvent"] = to_json(event["invokingEvent"])
    with taken_or_refused():
        read_notification(event)


@bounded
@given(mutated(PARAMETERS))
def test_parameters(given_parameters: Any) -> None:
    if isinstance(given_parameters, dict):
        with taken_or_refused():
            parse_parameters({name: value for name, value in given_parameters.items() if value not in (None, "")})


@bounded
@given(st.one_of(st.sampled_from(ODD_TEXTS), st.text(), st.from_regex(r"(s3://|ssm:)[^\n]{0,20}", fullmatch=True)))
def test_locations(text: str) -> None:
    with taken_or_refused():
        parse_location(text)


@bounded
@given(
    st.lists(st.sampled_from(RUN).flatmap(mutated), min_size=1, max_size=4),
)
def test_runs_of_the_dashboard(rows: list[Any]) -> None:
    path = FOLDER / "2027-01-30T080000Z.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(to_json, rows)).encode(), 1))
    with taken_or_refused():
        read_run(path)


@bounded
@given(mutated(json.loads(verdict_row("web", {RULES[0]: "COMPLIANT"}))), mutated(json.loads(load_balancer_row("web"))))
def test_rows_of_an_aggregator(verdicts: Any, load_balancer: Any) -> None:
    read_rows(ApiResponse("SelectAggregateResourceConfig", [to_json(verdicts)]), read_verdicts)
    read_rows(ApiResponse("SelectAggregateResourceConfig", [to_json(load_balancer)]), read_load_balancer)


@bounded
@given(mutated(SAVED), st.sampled_from(sorted(FORMATS)), st.sampled_from(["check", "explain", "fix", "dashboard"]))
def test_printers(document: Any, output_format: str, command: str) -> None:
    path = written(to_json(document).encode(), "estate.json")
    arguments = {
        "check": ["check", "--format", output_format],
        "explain": ["explain", "web"],
        "fix": ["fix", "web"],
        "dashboard": ["dashboard", "--output", str(FOLDER / "page.html"), "--history", str(FOLDER / "history")],
    }[command]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*arguments, "--estate", path])
    assert code in {0, 1, 2, 3}
    assert "please report it" not in out.getvalue() + err.getvalue()
    assert "\x1b" not in out.getvalue()
