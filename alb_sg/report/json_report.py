"""Findings as JSON: the contract of `--format json` and `--format jsonl`.

    {"version": 1, "findings": [{"accountId", "region", "loadBalancerArn", "loadBalancerName", "rule", "compliance",
       "annotation", "unresolved", "missing": [{"direction", "protocol", "fromPort", "toPort", "required", "peers",
       "orSecurityGroups", "because": {"type", "arn"}}]}],
     "errors": [{"loadBalancerArn", "what", "cause"}], "summary": {…}}

Findings are sorted by account, region, ARN and rule, one on a line; the same input gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from alb_sg.findings.finding import Finding, JudgementError, Missing
from alb_sg.report import words
from alb_sg.report.results import Results

VERSION = 1


def write_json(results: Results, stream: TextIO) -> None:
    """One object, with a finding or error on each line."""
    stream.write(f'{{"version": {VERSION},\n"findings": [')
    _write_lines(map(finding_object, results.findings), stream)
    stream.write('],\n"errors": [')
    _write_lines(map(error_object, results.errors), stream)
    stream.write(f'],\n"summary": {_text(results.summary())}}}\n')


def write_json_lines(results: Results, stream: TextIO) -> None:
    """A finding on each line, then each error as `{"error": …}`."""
    stream.writelines(_text(finding_object(finding)) + "\n" for finding in results.findings)
    stream.writelines(_text({"error": error_object(error)}) + "\n" for error in results.errors)


def finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "accountId": finding.account_id,
        "region": finding.region,
        "loadBalancerArn": finding.load_balancer_arn,
        "loadBalancerName": finding.load_balancer_name,
        "rule": finding.rule,
        "compliance": finding.compliance.value,
        "annotation": finding.annotation,
        "unresolved": finding.unresolved,
        "missing": [missing_object(missing) for missing in finding.missing],
    }


def missing_object(missing: Missing) -> dict[str, Any]:
    return {
        "direction": missing.direction,
        "protocol": missing.protocol,
        "fromPort": missing.from_port,
        "toPort": missing.to_port,
        "required": list(missing.required),
        "peers": list(missing.peers),
        "orSecurityGroups": list(missing.or_security_groups),
        "because": {"type": missing.because.type, "arn": missing.because.arn},
    }


def error_object(error: JudgementError) -> dict[str, Any]:
    return {"loadBalancerArn": error.load_balancer_arn, "what": words.what(error), "cause": error.cause}


def _write_lines(objects: Iterable[Mapping[str, Any]], stream: TextIO) -> None:
    separator, end = "\n", ""
    for each in objects:
        stream.write(separator + _text(each))
        separator, end = ",\n", "\n"
    stream.write(end)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
