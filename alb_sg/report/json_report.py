"""Findings as JSON: the contract of `--format json` and `--format jsonl`.

    {"version": 1, "findings": [{"accountId", "region", "loadBalancerArn", "loadBalancerName", "rule", "compliance",
       "annotation", "unresolved", "missing": [{"direction", "protocol", "fromPort", "toPort", "required", "peers",
       "orSecurityGroups", "because": {"type", "arn"}}]}],
     "errors": [{"loadBalancerArn", "what", "cause"}], "summary": {…}}

Where exemptions were given there is one more key before `summary`, with the exemptions in force, in the order of the
findings, and what would be said without each: a verdict, or the error for which there is none.

    "exemptions": [{"accountId", "region", "loadBalancerArn", "rule", "reason", "owner", "ticket", "expires",
       "wouldBe": {"compliance", "annotation", "unresolved", "missing"} or null, "error": {…} or null}]

Their findings have `compliance` NOT_APPLICABLE, nothing `missing`, and say so in `annotation`; `summary` counts them as
`exempt`, too. In `jsonl` each is `{"exemption": …}`, between findings and errors.

Findings are sorted by account, region, ARN and rule, one on a line; the same input gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import Any, TextIO

from alb_sg.findings.finding import AppliedExemption, Compliance, EvaluationError, Finding, Missing
from alb_sg.observations.results import Results
from alb_sg.report import phrasing

JSON_VERSION = 1


def write_json(results: Results, stream: TextIO) -> None:
    """One object, with a finding or error on each line."""
    stream.write(f'{{"version": {JSON_VERSION},\n"findings": [')
    _write_lines(map(finding_object, results.findings), stream)
    stream.write('],\n"errors": [')
    _write_lines(map(error_object, results.errors), stream)
    if results.exemptions_applied:
        stream.write('],\n"exemptions": [')
        _write_lines((exemption_object(*pair) for pair in results.exempted_findings), stream)
    stream.write(f'],\n"summary": {_to_json(results.summary())}}}\n')


def write_json_lines(results: Results, stream: TextIO) -> None:
    """A finding on each line, then each exemption as `{"exemption": …}` and each error as `{"error": …}`."""
    write_finding_lines(results.findings, stream)
    stream.writelines(_to_json({"exemption": exemption_object(*pair)}) + "\n" for pair in results.exempted_findings)
    write_error_lines(results.errors, stream)


def write_finding_lines(findings: Iterable[Finding], stream: TextIO) -> None:
    stream.write("".join([_finding_line(finding) for finding in findings]))


def write_error_lines(errors: Iterable[EvaluationError], stream: TextIO) -> None:
    stream.writelines(_to_json({"error": error_object(error)}) + "\n" for error in errors)


# Enum looks a value up each time.
_COMPLIANCE_TEXTS = {compliance: compliance.value for compliance in Compliance}


def _finding_line(finding: Finding) -> str:
    """`finding_object` as JSON, put together by hand: there are hundreds of thousands of them."""
    account_id, region, arn, name, rule, compliance, annotation, unresolved, missing, _ = finding
    said = ", ".join(map(_missing_json, missing)) if missing else ""
    return (
        f'{_load_balancer_prefix(account_id, region, arn, name)}, "rule": "{rule}", '
        f'"compliance": "{_COMPLIANCE_TEXTS[compliance]}", "annotation": {_quoted(annotation)}, '
        f'"unresolved": {"true" if unresolved else "false"}, "missing": [{said}]}}\n'
    )


def _missing_json(missing: Missing) -> str:
    """`missing_object` as JSON."""
    direction, protocol, from_port, to_port, required, peers, or_security_groups, because = missing
    return (
        f'{{"direction": "{direction}", "protocol": "{protocol}", "fromPort": {from_port}, "toPort": {to_port}, '
        f'"required": {_string_list_json(required)}, "peers": {_string_list_json(peers)}, "orSecurityGroups": '
        f"{_string_list_json(or_security_groups)}, "
        f'"because": {{"type": "{because.type}", "arn": {_quoted(because.arn)}}}}}'
    )


def _string_list_json(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


@lru_cache(1)
def _load_balancer_prefix(account_id: str, region: str, arn: str, name: str) -> str:
    """How the lines of all rules begin."""
    return (
        f'{{"accountId": {_quoted(account_id)}, "region": {_quoted(region)}, "loadBalancerArn": {_quoted(arn)}, '
        f'"loadBalancerName": {_quoted(name)}'
    )


def finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "accountId": finding.account_id,
        "region": finding.region,
        "loadBalancerArn": finding.load_balancer_arn,
        "loadBalancerName": finding.load_balancer_name,
        "rule": finding.rule,
        **verdict_object(finding),
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
        "because": {"type": missing.origin.type, "arn": missing.origin.arn},
    }


def exemption_object(finding: Finding, applied_exemption: AppliedExemption) -> dict[str, Any]:
    granted, otherwise = applied_exemption.exemption, applied_exemption.result_without
    return {
        "accountId": finding.account_id,
        "region": finding.region,
        "loadBalancerArn": granted.load_balancer_arn,
        "rule": granted.rule,
        "reason": granted.reason,
        "owner": granted.owner,
        "ticket": granted.ticket,
        "expires": granted.expires.isoformat(),
        "wouldBe": verdict_object(otherwise) if isinstance(otherwise, Finding) else None,
        "error": error_object(otherwise) if isinstance(otherwise, EvaluationError) else None,
    }


def verdict_object(finding: Finding) -> dict[str, Any]:
    """What a finding says, without what it is about."""
    return {
        "compliance": finding.compliance.value,
        "annotation": finding.annotation,
        "unresolved": finding.unresolved,
        "missing": [missing_object(missing) for missing in finding.missing],
    }


def error_object(error: EvaluationError) -> dict[str, Any]:
    return {"loadBalancerArn": error.load_balancer_arn, "what": phrasing.error_subject(error), "cause": error.cause}


def _write_lines(objects: Iterable[Mapping[str, Any]], stream: TextIO) -> None:
    separator, end = "\n", ""
    for each in objects:
        stream.write(separator + _to_json(each))
        separator, end = ",\n", "\n"
    stream.write(end)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
