"""Results as CSV: a header, and one row for each finding and error.

A column has the same name and meaning in the page's export, which has some columns more. A cell is empty where the
source does not tell its content.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import TextIO

from alb_sg.findings.finding import Compliance, EvaluationError, Result
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.report import phrasing

ACCOUNT_ID_COLUMN = "accountId"
COLUMNS = (
    ACCOUNT_ID_COLUMN,
    "accountName",
    "unit",
    "region",
    "loadBalancerArn",
    "loadBalancerName",
    "scheme",
    "securityGroups",
    "rule",
    "severity",
    "status",
    "unresolved",
    "annotation",
    "missing",
    "advice",
    "unused",
    "change",
    "exemption",
)
# Spreadsheets read a cell that begins with one of these as a formula (OWASP, "CSV Injection").
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"


def write_csv(results: Results, stream: TextIO, *, for_spreadsheets: bool = False) -> None:
    """Findings, then errors.

    `for_spreadsheets` writes a byte order mark, by which Excel knows UTF-8, and each account id as a formula that gives
    text: as a number it would lose its leading zeros.
    """
    if for_spreadsheets:
        stream.write(BYTE_ORDER_MARK)
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(COLUMNS)
    for result in results.all:
        cells = {
            name: f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell
            for name, cell in _cells(result, results).items()
        }
        if for_spreadsheets and result.account_id:
            cells[ACCOUNT_ID_COLUMN] = f'="{result.account_id}"'
        rows.writerow([cells.get(column, "") for column in COLUMNS])


def _cells(result: Result, results: Results) -> Mapping[str, str]:
    account = results.accounts.get(result.account_id, AccountName())
    common = {
        ACCOUNT_ID_COLUMN: result.account_id,
        "accountName": account.name or "",
        "unit": account.unit or "",
        "region": result.region,
        "loadBalancerArn": result.load_balancer_arn or "",
        "loadBalancerName": result.load_balancer_name or "",
        "scheme": results.facts_of(result.load_balancer_arn).scheme or "",
        "rule": result.rule or "",
        "status": phrasing.status_label(result),
        "change": "" if result.change is None else result.change.value,
    }
    if isinstance(result, EvaluationError):
        return {**common, "annotation": f"{result.what}: {result.cause}"}
    return {
        **common,
        "securityGroups": " ".join(result.security_groups),
        "severity": rule_severity(result.rule).name if result.compliance is Compliance.NON_COMPLIANT else "",
        "unresolved": "true" if result.unresolved else "false",
        "annotation": result.annotation,
        "missing": "; ".join(phrasing.describe_missing(missing) for missing in result.missing),
        "advice": "; ".join(results.advice_on(result)),
        "unused": "; ".join(phrasing.describe_unused(entry) for entry in result.unused),
        "exemption": "" if result.applied_exemption is None else phrasing.describe_exemption(result.applied_exemption),
    }
