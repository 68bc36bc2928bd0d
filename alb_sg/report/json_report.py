"""Findings as JSON: the contract of `--format json` and `--format jsonl`, and objects that other formats share.

    {"version": 1, "findings": [{"accountId", "region", "loadBalancerArn", "loadBalancerName", "rule", "compliance",
       "annotation", "unresolved", "missing": [{"direction", "protocol", "fromPort", "toPort", "required", "peers",
       "orSecurityGroups", "because": {"type", "arn"}}], "advice": […]}],
     "errors": [{"loadBalancerArn", "what", "cause"}], "remarks": [{"loadBalancerArn", "remark"}],
     "configuration": [{"option", "values", "from"}], "summary": {…}}

An entry of `missing` whose direction is `targetIngress` has one more key, `securityGroups`: the groups of the targets,
one of which must allow it.

`missing` is exact: the traffic that no rule allows, as the fewest blocks. `advice` are sentences on what `alb-sg fix`
would do, `remarks` those on load balancers that no verdict depends on. `configuration` has the options of the run and
their origins: "command line", a variable of the environment, or a file.

Open and unused parts have a list of their own, in findings of ALB_SG_UNUSED_INGRESS alone. Without ports, an entry is
the whole protocol; for the protocol "-1", everything but `used`.

    "unused": [{"securityGroup", "protocol", "fromPort", "toPort", "peers", "securityGroupRules",
       "used": [{"protocol", "fromPort", "toPort"}]}]

With exemptions there is one more key before `remarks`: the exemptions in force, in the order of the findings, each with
the verdict or error without it.

    "exemptions": [{"accountId", "region", "loadBalancerArn", "rule", "reason", "owner", "ticket", "expires",
       "wouldBe": {"compliance", "annotation", "unresolved", "missing"} or null, "error": {…} or null}]

Their findings have `compliance` NOT_APPLICABLE, an empty `missing`, and an `annotation` that names the exemption;
`summary` also counts them as `exempt`. In `jsonl` each is `{"exemption": …}`, between findings and errors.

JSON lines have no `advice` and no `remarks`: they are written while load balancers are judged.

A finding that a planned change over an estate newly breaks, leaves broken or fixes also has `change` ("newly broken",
"still broken" or "fixed"), and so has an error ("newly unknown" or "still unknown"). `summary` counts them as
`changes`.

Findings are sorted by account, region, ARN and rule, one on a line. The same input gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, TextIO

from alb_sg.exemptions.exemption import Exemption
from alb_sg.findings.finding import AppliedExemption, EvaluationError, Finding, Missing, Unused
from alb_sg.observations.applied_options import AppliedOption, applied_option_objects
from alb_sg.observations.results import Results
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.report import phrasing

JSON_VERSION = 1
# Control characters that JSON allows in a string, and characters that reorder or hide text (Unicode category Cf).
FORMATTING_CHARACTER = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_to_json = json.JSONEncoder(ensure_ascii=False).encode


def write_json(results: Results, stream: TextIO, applied_options: Iterable[AppliedOption] = ()) -> None:
    """One object, with a finding or error on each line."""
    stream.write(f'{{"version": {JSON_VERSION},\n"findings": [')
    _write_lines(
        ({**finding_object(finding), "advice": list(results.advice_on(finding))} for finding in results.findings),
        stream,
    )
    stream.write('],\n"errors": [')
    _write_lines(map(error_object, results.errors), stream)
    if results.exemptions_applied:
        stream.write('],\n"exemptions": [')
        _write_lines((exemption_object(*pair) for pair in results.exempted_findings), stream)
    stream.write('],\n"remarks": [')
    _write_lines(
        (
            {"loadBalancerArn": arn, "remark": remark}
            for arn, remarks in sorted(results.remarks.items())
            for remark in remarks
        ),
        stream,
    )
    stream.write('],\n"configuration": [')
    _write_lines(applied_option_objects(applied_options), stream)
    stream.write(f'],\n"summary": {_to_json(results.summary())}}}\n')


def write_json_lines(results: Results, stream: TextIO) -> None:
    """A finding on each line, then each exemption as `{"exemption": …}` and each error as `{"error": …}`."""
    write_finding_lines(results.findings, stream)
    stream.writelines(_to_json({"exemption": exemption_object(*pair)}) + "\n" for pair in results.exempted_findings)
    write_error_lines(results.errors, stream)


def write_finding_lines(findings: Iterable[Finding], stream: TextIO) -> None:
    stream.writelines(_finding_lines(findings))


def _finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each finding. Those of a load balancer should follow one another."""
    load_balancer: tuple[str, ...] = ()
    beginning = ""
    for finding in findings:
        if finding.unused or finding.change is not None:
            yield _to_json(finding_object(finding)) + "\n"
            continue
        # The same text as `_to_json` gives. It takes 8 % less time to check a snapshot.
        if finding[:4] != load_balancer:
            load_balancer = finding[:4]
            account_id, region, arn, name = map(encode_basestring, load_balancer)
            beginning = (
                f'{{"accountId": {account_id}, "region": {region}, "loadBalancerArn": {arn}, '
                f'"loadBalancerName": {name}, "rule": '
            )
        missing = _to_json(list(map(missing_object, finding.missing))) if finding.missing else "[]"
        yield (
            f'{beginning}{encode_basestring(finding.rule)}, "compliance": "{finding.compliance.value}", '
            f'"annotation": {encode_basestring(finding.annotation)}, '
            f'"unresolved": {"true" if finding.unresolved else "false"}, "missing": {missing}}}\n'
        )


def write_error_lines(errors: Iterable[EvaluationError], stream: TextIO) -> None:
    stream.writelines(_to_json({"error": error_object(error)}) + "\n" for error in errors)


def finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "accountId": finding.account_id,
        "region": finding.region,
        "loadBalancerArn": finding.load_balancer_arn,
        "loadBalancerName": finding.load_balancer_name,
        "rule": finding.rule,
        **verdict_object(finding),
        **_change_object(finding),
    }


def _change_object(result: Finding | EvaluationError) -> dict[str, str]:
    return {} if result.change is None else {"change": result.change.value}


def missing_object(missing: Missing) -> dict[str, Any]:
    fields = {
        "direction": missing.direction,
        "protocol": missing.protocol,
        "fromPort": missing.from_port,
        "toPort": missing.to_port,
        "required": list(missing.required),
        "peers": list(missing.peers),
        "orSecurityGroups": list(missing.or_security_groups),
        "because": {"type": missing.origin.type, "arn": missing.origin.arn},
    }
    if missing.direction == Direction.TARGET_INGRESS:
        fields["securityGroups"] = list(missing.security_groups)
    return fields


def exemption_fields(exemption: Exemption) -> dict[str, Any]:
    return {
        "reason": exemption.reason,
        "owner": exemption.owner,
        "ticket": exemption.ticket,
        "expires": exemption.expires.isoformat(),
    }


def exemption_object(finding: Finding, applied_exemption: AppliedExemption) -> dict[str, Any]:
    exemption, result_without = applied_exemption
    return {
        "accountId": finding.account_id,
        "region": finding.region,
        "loadBalancerArn": exemption.load_balancer_arn,
        "rule": exemption.rule,
        **exemption_fields(exemption),
        "wouldBe": verdict_object(result_without) if isinstance(result_without, Finding) else None,
        "error": error_object(result_without) if isinstance(result_without, EvaluationError) else None,
    }


def verdict_object(finding: Finding) -> dict[str, Any]:
    """The verdict of a finding, without its load balancer and rule."""
    return {
        "compliance": finding.compliance.value,
        "annotation": finding.annotation,
        "unresolved": finding.unresolved,
        "missing": [missing_object(missing) for missing in finding.missing],
        **unused_field(finding),
    }


def unused_field(finding: Finding) -> dict[str, Any]:
    """The field `unused` of a finding that has any."""
    return {"unused": [_unused_object(entry) for entry in finding.unused]} if finding.unused else {}


def _unused_object(entry: Unused) -> dict[str, Any]:
    return {
        "securityGroup": entry.security_group,
        "protocol": entry.protocol,
        "fromPort": entry.from_port,
        "toPort": entry.to_port,
        "peers": list(entry.peers),
        "securityGroupRules": list(entry.rule_ids),
        "used": [
            {"protocol": ports.protocol, "fromPort": ports.from_port, "toPort": ports.to_port} for ports in entry.used
        ],
    }


def error_object(error: EvaluationError) -> dict[str, Any]:
    return {
        "loadBalancerArn": error.load_balancer_arn,
        "what": phrasing.error_subject(error),
        "cause": error.cause,
        **_change_object(error),
    }


def _write_lines(objects: Iterable[Mapping[str, Any]], stream: TextIO) -> None:
    separator, end = "\n", ""
    for one in objects:
        stream.write(separator + _to_json(one))
        separator, end = ",\n", "\n"
    stream.write(end)


def write_json_document(document: Mapping[str, Any], stream: TextIO) -> None:
    """A whole document, indented for people. What a terminal would obey is escaped: it can only stand in a string."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    stream.write(FORMATTING_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
