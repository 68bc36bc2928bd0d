"""The questions to the history, asked of the files that the dashboard writes, by DuckDB in Athena's place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from alb_sg.dashboard.bucket import HISTORY_PREFIX, run_file_content
from alb_sg.dashboard.history import COLUMNS, make_run, run_file_name
from alb_sg.findings.exemption_review import ExemptionStatus
from alb_sg.observations.ranking import VerdictStatus, verdict_status
from tests.dashboard.organization import Organization, organization
from tests.deploy.templates import DEPLOY, template
from tests.deployment.deployments import of_type

QUERIES = DEPLOY / "queries"
TABLE = (QUERIES / "table.sql").read_text(encoding="utf-8")
# Athena's words for types, in DuckDB's.
DUCKDB = {"string": "VARCHAR", "int": "INTEGER", "boolean": "BOOLEAN", "array<string>": "VARCHAR[]"}

Answer = list[dict[str, Any]]


def columns() -> dict[str, str]:
    """The columns of deploy/queries/table.sql and their types, in Athena's words."""
    [listed] = re.findall(r"CREATE EXTERNAL TABLE history \((.*?)\n\)\n", TABLE, flags=re.DOTALL)
    return dict(line.split() for line in listed.strip().split(",\n"))


class History:
    """A history folder with a table over it as deploy/queries/table.sql describes it."""

    def __init__(self, folder: Path, made: Organization) -> None:
        self.last = made.observation
        self.runs = [*made.earlier.runs, make_run(made.observation)]
        for run in self.runs:
            name = run_file_name(self.last.as_of) if run is self.runs[-1] else run.as_of.replace(":", "") + ".jsonl.gz"
            (folder / name).write_bytes(run_file_content(run))
        self._database = duckdb.connect()
        types = ", ".join(f"{name}: '{DUCKDB[kind]}'" for name, kind in columns().items())
        self._database.execute(
            f"CREATE VIEW history AS SELECT * FROM read_json('{folder}/*.jsonl.gz', "  # noqa: S608 (the test's own)
            f"format = 'newline_delimited', columns = {{{types}}})"
        )

    def ask(self, name: str) -> Answer:
        text = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
        found = self._database.execute(text)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"), organization(120, runs=4, pictures=0, owner_tags=("team",)))


def test_the_table_has_the_files_columns(history: History) -> None:
    python = {"string": str, "int": int, "boolean": bool, "array<string>": list}
    rows = [row for run in history.runs for row in run.rows]
    found = {name: {type(row[name]) for row in rows if row[name] is not None} for name in COLUMNS}
    assert found == {name: {python[kind]} for name, kind in columns().items()}
    assert tuple(columns()) == COLUMNS


def test_the_template_has_the_same_table() -> None:
    [table] = of_type(template("dashboard.yaml"), "AWS::Glue::Table").values()
    stored = table["TableInput"]["StorageDescriptor"]
    assert table["TableInput"]["Name"] == "history"
    assert [(one["Name"], one["Type"]) for one in stored["Columns"]] == list(columns().items())
    assert f"ROW FORMAT SERDE '{stored['SerdeInfo']['SerializationLibrary']}'" in TABLE
    assert f"LOCATION '{stored['Location']['Fn::Sub'].replace('${Bucket}', 'BUCKET')}'" in TABLE
    assert stored["Location"]["Fn::Sub"].endswith(f"/{HISTORY_PREFIX}")


def test_the_template_has_the_same_queries() -> None:
    named = of_type(template("dashboard.yaml"), "AWS::Athena::NamedQuery").values()
    texts = {path.stem: path.read_text(encoding="utf-8") for path in QUERIES.glob("*.sql") if path.stem != "table"}
    assert {one["Name"]: one["QueryString"] for one in named} == {
        f"alb-sg: {name.replace('_', ' ')}": text for name, text in texts.items()
    }
    assert len(named) == len(texts) == 6


def test_non_compliant_now(history: History) -> None:
    found = [one for one in history.last.results.findings if verdict_status(one) is VerdictStatus.NON_COMPLIANT]
    answer = history.ask("non_compliant_now")
    expected: dict[tuple[str, str], int] = {}
    for one in found:
        expected[one.account_id, one.rule] = expected.get((one.account_id, one.rule), 0) + 1
    assert {(row["account"], row["rule"]): row["findings"] for row in answer} == expected
    assert {row["account"]: row["unit"] for row in answer} == {
        row["account"]: history.last.accounts[row["account"]].unit for row in answer
    }


def test_trend(history: History) -> None:
    answer = history.ask("trend")
    assert [row["as_of"] for row in answer] == [run.as_of for run in history.runs]
    bad = [[row for row in run.rows if row["status"] == "nonCompliant"] for run in history.runs]
    assert [row["findings"] for row in answer] == [len(rows) for rows in bad]
    assert [row["load_balancers"] for row in answer] == [len({one["load_balancer"] for one in rows}) for rows in bad]


def test_new_and_fixed(history: History) -> None:
    answer = {(row["as_of"], row["load_balancer"], row["rule"]): row["change"] for row in history.ask("new_and_fixed")}
    expected = {}
    seen: dict[tuple[str, str], str] = {}
    looked: set[tuple[str, str, str]] = set()
    for run in history.runs:
        for row in (row for row in run.rows if row["record"] == "verdict"):
            key, scope = (row["load_balancer"], row["rule"]), (row["account"], row["region"], row["rule"])
            was, now = seen.get(key), row["status"]
            seen[key] = now
            if scope in looked and (was == "nonCompliant") != (now == "nonCompliant"):
                change = "new" if now == "nonCompliant" else "exempted" if now == "exempt" else "fixed"
                expected[run.as_of, *key] = change
        looked |= {(row["account"], row["region"], row["rule"]) for row in run.rows if row["record"] == "scope"}
    assert answer == expected
    assert {"new", "fixed"} <= set(expected.values())


def test_worst_security_groups(history: History) -> None:
    counts: dict[str, int] = {}
    for row in history.runs[-1].rows:
        if row["status"] == "nonCompliant":
            for group in row["security_groups"]:
                counts[group] = counts.get(group, 0) + 1
    answer = history.ask("worst_security_groups")
    assert {row["security_group"]: row["findings"] for row in answer} == counts
    assert [row["findings"] for row in answer] == sorted(counts.values(), reverse=True)


def test_exemptions_expiring(history: History) -> None:
    report = history.last.exemptions
    assert report is not None
    expected = {
        (one.exemption.load_balancer_arn, one.exemption.rule)
        for one in report.reviewed
        if one.status is ExemptionStatus.EXPIRING
    }
    in_use = {
        (row["load_balancer"], row["rule"])
        for row in history.runs[-1].rows
        if row["record"] == "verdict" and row["exempt"]
    }
    answer = history.ask("exemptions_expiring")
    assert {(row["load_balancer"], row["rule"]) for row in answer} == expected & in_use
    assert answer


def test_oldest_evaluation(history: History) -> None:
    answer = history.ask("oldest_evaluation")
    latest: dict[tuple[str, str, str], str] = {}
    for run in history.runs:
        for row in (row for row in run.rows if row["record"] == "scope"):
            latest[row["account"], row["region"], row["rule"]] = run.as_of
    assert {(row["account"], row["region"], row["rule"]): row["last_look"] for row in answer} == latest
    assert [row["last_look"] for row in answer] == sorted(latest.values())
