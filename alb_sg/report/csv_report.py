"""Findings as CSV for spreadsheets: a header, and one row per finding."""

from __future__ import annotations

import csv
from typing import TextIO

from alb_sg.report import words
from alb_sg.report.results import Results

COLUMNS = (
    "accountId",
    "region",
    "loadBalancerArn",
    "loadBalancerName",
    "rule",
    "compliance",
    "unresolved",
    "annotation",
    "missing",
    "exemption",
)
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(results: Results, stream: TextIO) -> None:
    """One row per finding; errors have no place in it and are the caller's to show."""
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(COLUMNS)
    for finding in results.findings:
        cells = (
            finding.account_id,
            finding.region,
            finding.load_balancer_arn,
            finding.load_balancer_name,
            finding.rule,
            finding.compliance.value,
            "true" if finding.unresolved else "false",
            finding.annotation,
            "; ".join(words.missing(missing) for missing in finding.missing),
            "" if finding.exempted is None else words.exemption(finding.exempted),
        )
        rows.writerow(tuple(map(_inert, cells)))


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
