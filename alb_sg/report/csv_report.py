"""Findings as CSV for spreadsheets: a header, and one row per finding."""

from __future__ import annotations

import csv
from typing import TextIO

from alb_sg.observations.results import Results
from alb_sg.report import phrasing

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
    "advice",
    "exemption",
    "unused",
    "change",
)
# Spreadsheets read a cell that begins with one of these as a formula (OWASP, "CSV Injection").
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def write_csv(results: Results, stream: TextIO) -> None:
    """One row per finding. The format has no place for errors; the caller shows them."""
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
            "; ".join(phrasing.describe_missing(missing) for missing in finding.missing),
            "; ".join(results.advice_on(finding)),
            "" if finding.applied_exemption is None else phrasing.describe_exemption(finding.applied_exemption),
            "; ".join(phrasing.describe_unused(entry) for entry in finding.unused),
            "" if finding.change is None else finding.change.value,
        )
        rows.writerow(tuple(map(_escape_formula, cells)))


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell
