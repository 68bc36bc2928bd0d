"""Runs as files, and what later runs make of them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from alb_sg.command_line.output import open_output
from alb_sg.dashboard.changes import VerdictChange, VerdictHistory
from alb_sg.dashboard.history import (
    COLUMNS,
    READ_COLUMNS,
    Run,
    earlier_run_files,
    make_run,
    read_run,
    run_file_name,
    select_rows,
    write_run,
)
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import EvaluationError
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from tests.dashboard.organization import AS_OF, organization

ICMP = "ALB_SG_ICMP_PMTUD"
BAD, GOOD, EXEMPT, ERROR = "nonCompliant", "compliant", "exempt", "error"


def scope(account: str = "1", rule: str = ICMP, *, complete: bool = True) -> dict[str, Any]:
    return {
        "record": "scope",
        "account": account,
        "region": "r",
        "rule": rule,
        "complete": complete,
        "load_balancer": None,
    }


def verdict(name: str, status: str, account: str = "1", rule: str | None = ICMP) -> dict[str, Any]:
    record = "error" if status == ERROR else "verdict"
    return {"record": record, "account": account, "region": "r", "rule": rule, "load_balancer": name, "status": status}


def run(day: int, *rows: Mapping[str, Any]) -> Run:
    return Run(f"2027-01-{day:02d}T00:00:00Z", rows)


def changed(earlier: list[Run], now: Run) -> dict[str, str | None]:
    """How each load balancer changed, and which are gone."""
    ledger = VerdictHistory()
    for one in earlier:
        ledger.add_run(one)
    found = {}
    for row in (*select_rows(now, "verdict"), *select_rows(now, "error")):
        found[row["load_balancer"]] = ledger.previous_verdict(row).get("change")
    return found | {row["load_balancer"]: "gone" for row, _ in ledger.disappeared(now)}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([[scope(), verdict("a", GOOD)]], [scope(), verdict("a", BAD)], "new"),
        ([[scope()]], [scope(), verdict("a", BAD)], "new"),
        ([], [scope(), verdict("a", BAD)], "firstLook"),
        ([[scope(), verdict("a", BAD)]], [scope(), verdict("a", BAD)], None),
        ([[scope(), verdict("a", BAD)]], [scope(), verdict("a", GOOD)], "fixed"),
        ([[scope(), verdict("a", BAD)]], [scope(), verdict("a", EXEMPT)], "exempted"),
        ([[scope(), verdict("a", EXEMPT)]], [scope(), verdict("a", BAD)], "new"),
        ([[scope(), verdict("a", BAD)], [scope(), verdict("a", GOOD)]], [scope(), verdict("a", BAD)], "reopened"),
        ([[scope(), verdict("a", BAD)], [scope()]], [scope(), verdict("a", BAD)], "reopened"),
        ([[scope(), verdict("a", BAD)]], [scope()], "gone"),
        # What could not be judged is not fixed, and what it was is not forgotten.
        ([[scope(), verdict("a", BAD)]], [scope(), verdict("a", ERROR)], None),
        ([[scope(), verdict("a", BAD)], [scope(), verdict("a", ERROR)]], [scope(), verdict("a", BAD)], None),
        ([[scope(), verdict("a", BAD)], [scope(), verdict("a", ERROR)]], [scope(), verdict("a", GOOD)], "fixed"),
        ([[scope(), verdict("a", ERROR)]], [scope(), verdict("a", BAD)], "firstLook"),
        # Nobody looked in between, or only in part.
        ([[scope(), verdict("a", BAD)], [scope("2")]], [scope(), verdict("a", GOOD)], "fixed"),
        ([[scope(), verdict("a", BAD)], [scope("2")]], [scope(), verdict("a", BAD)], None),
        ([[scope(), verdict("a", BAD)], [scope(complete=False)]], [scope(), verdict("a", BAD)], None),
        # A rule that was not asked before is looked at for the first time.
        ([[scope(rule="other")]], [scope(), verdict("a", BAD)], "firstLook"),
    ],
)
def test_changes(before: list[list[dict[str, Any]]], now: list[dict[str, Any]], expected: str | None) -> None:
    earlier = [run(day, *rows) for day, rows in enumerate(before, 1)]
    assert changed(earlier, run(20, *now)) == {"a": expected}


@pytest.mark.parametrize(
    "now",
    [
        [scope("2")],
        [scope(complete=False)],
        [scope(rule="other")],
        # The load balancer is there and could not be read.
        [scope(), verdict("a", ERROR, rule=None)],
    ],
)
def test_an_unread_load_balancer_is_neither_fixed_nor_gone(now: list[dict[str, Any]]) -> None:
    found = changed([run(1, scope(), verdict("a", BAD))], run(2, *now))
    assert found.get("a") is None


def test_the_trend_keeps_what_a_run_did_not_look_at() -> None:
    ledger = VerdictHistory()
    for one in (
        run(1, scope("1"), scope("2"), verdict("a", BAD), verdict("b", BAD, "2")),
        run(2, scope("1"), verdict("a", GOOD)),
        run(3, scope("2"), verdict("b", ERROR, "2")),
        run(4, scope("1"), scope("2")),
    ):
        ledger.add_run(one)
    assert [(one["loadBalancers"], one["heard"], one["carried"]) for one in ledger.trend(0)["points"]] == [
        (2, 2, 0),
        (1, 1, 1),
        (1, 1, 1),
        (0, 2, 0),
    ]


def test_since_and_steps() -> None:
    ledger = VerdictHistory()
    for day, status in enumerate((GOOD, BAD, ERROR, BAD, GOOD, BAD), 1):
        ledger.add_run(run(day, scope(), verdict("a", status)))
    past = ledger.previous_verdict(verdict("a", BAD))
    assert past["since"] == "2027-01-06T00:00:00Z"
    assert [(at[8:10], status) for at, status in past["history"]] == [
        ("01", GOOD),
        ("02", BAD),
        ("05", GOOD),
        ("06", BAD),
    ]
    assert ledger.previous_verdict(verdict("a", GOOD))["change"] == VerdictChange.FIXED.value


def _write(folder: Path, made: Run) -> Path:
    path = folder / f"{made.as_of.replace(':', '')}.jsonl.gz"
    with open_output(str(path), machine_readable=True) as stream:
        write_run(made, stream)
    return path


def as_read(made: Run) -> Run:
    """What is kept of a run that is read: the columns that a comparison needs."""
    return Run(made.as_of, [{column: row.get(column) for column in READ_COLUMNS} for row in made.rows])


@pytest.mark.slow
def test_a_run_is_read_as_it_was_written_and_the_same_gives_the_same_bytes(tmp_path: Path) -> None:
    observation = organization(60).observation
    made = make_run(observation)
    path = _write(tmp_path, made)
    assert path.name == run_file_name(observation.as_of)
    assert read_run(path) == as_read(made)
    again = tmp_path / "again"
    again.mkdir()
    assert _write(again, make_run(organization.__wrapped__(60).observation)).read_bytes() == path.read_bytes()
    assert {tuple(row) for row in made.rows} == {COLUMNS}


@pytest.mark.slow
def test_a_run_has_every_scope_verdict_and_error() -> None:
    observation = organization(240).observation
    made = make_run(observation)
    counts = {record: len(list(select_rows(made, record))) for record in ("scope", "verdict", "error")}
    # One account and region lacks one rule.
    expected = len(observation.completeness.observed) * len(DEFAULT_RECOMMENDATIONS) - 1
    assert counts == {
        "scope": expected,
        "verdict": len(observation.results.findings),
        "error": len(observation.results.errors),
    }
    assert counts["error"] > 0


def test_an_enumeration_that_failed_leaves_its_scopes_incomplete() -> None:
    observation = organization(30, runs=0).observation
    account_region = min(observation.completeness.observed)
    error = EvaluationError(account_region.account_id, account_region.region, None, None, "LoadBalancers", "denied")
    failed = replace(observation, results=replace(observation.results, errors=[error]))
    rows = list(select_rows(make_run(failed), "scope"))
    assert {(row["account"], row["region"]) for row in rows if not row["complete"]} == {
        (account_region.account_id, account_region.region)
    }


def test_a_query_that_failed_leaves_every_scope_incomplete() -> None:
    observation = organization(12, runs=0).observation
    error = EvaluationError("", "", None, None, "verdicts in aggregator org", "ThrottlingException")
    failed = replace(observation, results=replace(observation.results, errors=[error]))
    assert {row["complete"] for row in select_rows(make_run(failed), "scope")} == {False}


@pytest.mark.slow
def test_sql_reads_the_files_as_they_are(tmp_path: Path) -> None:
    made = organization(90)
    for one in (*made.earlier.runs, make_run(made.observation)):
        _write(tmp_path, one)
    found = (
        duckdb.connect()
        .execute(
            f"""
        SELECT CAST(as_of AS TIMESTAMP) AS run, count(DISTINCT load_balancer), count(*)
        FROM read_json('{tmp_path}/*.jsonl.gz', format = 'newline_delimited')
        WHERE record = 'verdict' AND compliance = 'NON_COMPLIANT' GROUP BY run ORDER BY run
        """  # noqa: S608 (the folder is the test's own)
        )
        .fetchall()
    )
    bad = [one for one in made.observation.results.findings if one.compliance.value == "NON_COMPLIANT"]
    assert len(found) == 9
    assert found[-1] == (AS_OF.replace(tzinfo=None), len({one.load_balancer_arn for one in bad}), len(bad))


def test_only_earlier_runs_count_and_other_files_do_not(tmp_path: Path) -> None:
    for name in (
        "2027-01-30T060000Z.jsonl.gz",
        "2027-01-29T060000Z.jsonl.gz",
        "2027-02-01T060000Z.jsonl.gz",
        "notes.txt",
    ):
        (tmp_path / name).write_bytes(b"")
    assert [path.name[:10] for path in earlier_run_files(tmp_path, AS_OF)] == ["2027-01-29", "2027-01-30"]
    assert earlier_run_files(tmp_path / "none", AS_OF) == []
    assert earlier_run_files(tmp_path, AS_OF - timedelta(days=9)) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no gzip", "not a run of alb-sg dashboard"),
        (gzip.compress(b"{}\nnot json\n", mtime=0), "line 1: not a row of version 1"),
        (
            gzip.compress(json.dumps(dict.fromkeys(COLUMNS) | {"version": 1}).encode() + b"\n{nonsense\n", mtime=0),
            "line 2: not JSON",
        ),
        (gzip.compress(b'{"version": 1}\n', mtime=0), "line 1: record is missing"),
        (gzip.compress(b'{"version": 2}\n', mtime=0), "not a row of version 1"),
        (gzip.compress(b"", mtime=0), "it is empty"),
        (gzip.compress(b"\xff\n", mtime=0), "not a run of alb-sg dashboard"),
        # Cut off in the middle.
        (
            gzip.compress((json.dumps(dict.fromkeys(COLUMNS) | {"version": 1}) + "\n").encode(), mtime=0)[:-9],
            "not a run of alb-sg dashboard",
        ),
    ],
)
def test_a_file_that_is_no_run_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "2027-01-30T060000Z.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as raised:
        read_run(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)


def test_a_file_whose_name_is_no_time_is_named(tmp_path: Path) -> None:
    path = tmp_path / "2027-13-45T060000Z.jsonl.gz"
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(InvalidInputError, match="2027-13-45T060000Z"):
        read_run(path)


def test_a_line_has_no_line_of_its_own_in_it() -> None:
    stream = io.StringIO()
    write_run(Run("2027-01-01T00:00:00Z", [{"annotation": "a\nb"}]), stream)
    assert stream.getvalue().count("\n") == 1


def test_other_line_ends_than_newline_are_text(tmp_path: Path) -> None:
    made = Run("2027-01-01T00:00:00Z", [dict.fromkeys(COLUMNS) | {"version": 1, "name": "a\u2028b\x85c"}])
    assert read_run(_write(tmp_path, made)) == as_read(made)


def test_each_point_of_the_trend_says_what_changed_and_how_long_fixes_took() -> None:
    ledger = VerdictHistory()
    for one in (
        # What nobody had looked at before is not new.
        run(1, scope(), verdict("a", BAD), verdict("b", GOOD)),
        run(3, scope(), verdict("a", GOOD), verdict("b", BAD)),
        # An exemption fixes nothing.
        run(4, scope(), verdict("a", BAD), verdict("b", EXEMPT), verdict("c", BAD)),
        # What could not be judged stays what it was.
        run(9, scope(), verdict("a", ERROR), verdict("c", GOOD)),
    ):
        ledger.add_run(one)
    trend = ledger.trend(0)
    keys = ("new", "reopened", "fixed", "rules", "loadBalancers")
    assert [tuple(point[key] for key in keys) for point in trend["points"]] == [
        (0, 0, 0, {ICMP: 1}, 1),
        (1, 0, 1, {ICMP: 1}, 1),
        (1, 1, 0, {ICMP: 2}, 2),
        (0, 0, 1, {ICMP: 1}, 1),
    ]
    assert trend["timeToFix"] == {"fixed": 2, "medianDays": 3.5}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("load_balancer", ["an", "array"], "load_balancer is not text"),
        ("account", {"an": "object"}, "account is not text"),
        ("status", 7, "status is not text"),
        ("complete", "yes", "complete is not true or false"),
        ("owner", ["edge"], "owner is not text"),
    ],
)
def test_a_row_with_a_value_of_another_type_is_named(tmp_path: Path, column: str, value: object, said: str) -> None:
    path = tmp_path / run_file_name(AS_OF)
    row = dict.fromkeys(COLUMNS) | {"version": 1, "record": "verdict", column: value}
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    with pytest.raises(InvalidInputError, match=f"line 1: {said}; take the file out of the folder"):
        read_run(path)
