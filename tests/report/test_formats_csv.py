"""CSV: its rows, and what a spreadsheet makes of them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

from alb_sg.observations.accounts import AccountName
from alb_sg.observations.results import LoadBalancerFacts, Results
from alb_sg.report.csv_report import COLUMNS
from tests.builders import ACCOUNT, REGION, load_balancer_arn
from tests.report.formats import COMPLIANT, EVERYTHING, HOSTILE_EVERYWHERE, NOBODYS, UNREAD, results, written

PAGE_EXPORT = Path(__file__).parents[2] / "alb_sg" / "dashboard" / "assets" / "export.js"
LEADING_ZERO = "012345678901"


def rows_of(found: Results, **options: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(found, "csv", **options), newline="")))


def spreadsheet_value(cell: str) -> str | float:
    """A cell as Excel, LibreOffice and Google Sheets take it: a formula of one text is that text, and a number is a
    number."""
    if formula := re.fullmatch(r'="([^"]*)"', cell):
        return formula[1]
    return float(cell) if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?", cell) else cell


def test_every_finding_and_error_is_a_row() -> None:
    rows = rows_of(EVERYTHING)
    assert [row["status"] for row in rows] == [
        *("NON_COMPLIANT", "NON_COMPLIANT", "COMPLIANT", "EXEMPT", "NOT_APPLICABLE", "NON_COMPLIANT", "NON_COMPLIANT"),
        "EXEMPT",
        *("ERROR", "ERROR", "ERROR"),
    ]
    by_name = {row["loadBalancerName"]: row for row in rows}
    assert by_name["closed"]["severity"] == "HIGH"
    assert by_name["fine"]["severity"] == ""
    assert by_name["doubtful"]["unresolved"] == "true"
    assert by_name["broken"]["rule"] == UNREAD.rule
    assert by_name["broken"]["annotation"] == "listeners of broken: DescribeListeners: AccessDenied"
    assert "until 2027-01-31 by team-edge" in by_name["special"]["exemption"]


def test_an_error_without_an_account_is_a_row() -> None:
    (row,) = rows_of(results(NOBODYS))
    assert (row["accountId"], row["status"]) == ("", "ERROR")
    assert row["annotation"] == f"{NOBODYS.what}: {NOBODYS.cause}"


def test_account_and_load_balancer_facts_stand_beside_the_verdict() -> None:
    found = replace(
        results(COMPLIANT),
        facts={load_balancer_arn("fine"): LoadBalancerFacts("internal")},
        accounts={ACCOUNT: AccountName("Shop", "Production/Shops")},
    )
    (row,) = rows_of(found)
    assert [row[name] for name in ("accountId", "accountName", "unit", "region", "scheme")] == [
        *(ACCOUNT, "Shop", "Production/Shops", REGION, "internal")
    ]


def test_the_page_exports_the_same_columns_in_the_same_order() -> None:
    """It has some more, from its history and its causes."""
    exported = re.findall(r'^  \["([A-Za-z]+)", ', PAGE_EXPORT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [column for column in exported if column in COLUMNS] == list(COLUMNS)


def test_an_account_id_keeps_its_leading_zero_in_a_spreadsheet() -> None:
    found = results(COMPLIANT._replace(account_id=LEADING_ZERO))
    (plain,) = rows_of(found)
    assert plain["accountId"] == LEADING_ZERO
    assert spreadsheet_value(plain["accountId"]) == 12345678901
    text = written(found, "csv", for_spreadsheets=True)
    assert text.startswith("\ufeffaccountId,")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert spreadsheet_value(row["accountId"]) == LEADING_ZERO


def test_no_other_cell_is_a_formula() -> None:
    text = written(HOSTILE_EVERYWHERE, "csv", for_spreadsheets=True).removeprefix("\ufeff")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        assert not [name for name, cell in row.items() if cell.startswith("=") and name != "accountId"]
