"""A run as a file of flat rows, for the dashboard to compare later runs with, and for SQL engines.

A file is named by the time of the run, `2027-01-31T120000Z.jsonl.gz`: JSON lines, gzipped. Every line has the same
columns (`COLUMNS`, described in docs/dashboard.md). `record` is

- `scope`: an account and region that the run covered for a rule; `complete` says whether all its load balancers were
  found. A run has no information outside its scopes.
- `verdict`: a rule's verdict on a load balancer.
- `error`: something that could not be judged.

The same observation gives the same bytes.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from alb_sg.aws.arns import load_balancer_name
from alb_sg.errors import InvalidInputError
from alb_sg.findings.causes import find_causes
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.observation import LoadBalancerDetail, Observation
from alb_sg.observations.ranking import INTERNET_FACING, VerdictStatus, verdict_status
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, rule_severity

VERSION = 1
SUFFIX = ".jsonl.gz"
FILE_NAME_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z" + re.escape(SUFFIX))
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FILE_TIME_FORMAT = "%Y-%m-%dT%H%M%SZ"
# Two months of daily runs. Each further run adds time to read.
MAX_COMPARED_RUNS = 60

Row = Mapping[str, Any]

# The columns that a comparison reads. A file may lack others, which were added after it was written.
COMPARED_COLUMNS = ("record", "account", "region", "rule", "complete", "load_balancer", "name", "scheme", "status")
# The fields kept of a file's rows: a comparison of large runs has all rows of one in memory.
READ_COLUMNS = (*COMPARED_COLUMNS, "owner")
COLUMNS = (
    "version",
    "as_of",
    "record",
    "account",
    "account_name",
    "unit",
    "region",
    "rule",
    "severity",
    "complete",
    "load_balancer",
    "name",
    "scheme",
    "internet_facing",
    "owner",
    "security_groups",
    "compliance",
    "status",
    "unresolved",
    "causes",
    "exempt",
    "exemption_expires",
    "exemption_owner",
    "exemption_ticket",
    "annotation",
)


@dataclass(frozen=True)
class Run:
    """A run: its time (UTC) as text, and its rows."""

    as_of: str
    rows: Sequence[Row]


def format_time(time: datetime) -> str:
    """A time as `2027-01-31T12:00:00Z`."""
    return time.astimezone(UTC).strftime(TIME_FORMAT)


def run_file_name(as_of: datetime) -> str:
    return as_of.astimezone(UTC).strftime(FILE_TIME_FORMAT) + SUFFIX


def make_run(observation: Observation) -> Run:
    """An observation as rows: its scopes, then its verdicts, then its errors, each by account, region and ARN."""
    rows = [*_scope_rows(observation), *_verdict_rows(observation), *_error_rows(observation)]
    return Run(format_time(observation.as_of), [dict.fromkeys(COLUMNS) | row for row in rows])


def write_run(run: Run, stream: TextIO) -> None:
    stream.writelines(
        replace_lone_surrogates(json.dumps(row, ensure_ascii=False, separators=(",", ":"))) + "\n" for row in run.rows
    )


def replace_lone_surrogates(text: str) -> str:
    """The text with a question mark for each lone surrogate, which JSON can escape and UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")


def earlier_run_files(folder: Path, as_of: datetime) -> list[Path]:
    """The files of the runs in a folder before a time, oldest first. Ignores other files; a missing folder has none.

    Raises InvalidInputError where the folder cannot be listed.
    """
    try:
        names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise InvalidInputError(f"the folder cannot be listed ({error.strerror or error})", str(folder)) from error
    return [folder / name for name in names if FILE_NAME_PATTERN.fullmatch(name) and name < run_file_name(as_of)]


def read_run(path: Path) -> Run:
    """The run in a file, with `READ_COLUMNS`. Raises an InvalidInputError that names file and line."""
    # Texts repeat themselves from row to row.
    texts: dict[str, str] = {}
    try:
        as_of = datetime.strptime(path.name.removesuffix(SUFFIX), FILE_TIME_FORMAT).replace(tzinfo=UTC)
        with gzip.open(path, "rb") as stream:
            rows = [
                _parse_row(line.decode("utf-8"), f"{path}: line {number}", texts)
                for number, line in enumerate(stream, 1)
            ]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise _not_a_run(str(error), path) from error
    if not rows:
        raise _not_a_run("it is empty", path)
    return Run(format_time(as_of), rows)


def _not_a_run(cause: str, path: Path) -> InvalidInputError:
    return InvalidInputError(f"not a run of alb-sg dashboard ({cause}); take the file out of the folder", str(path))


def _parse_row(line: str, place: str, texts: dict[str, str]) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"not JSON ({error}); take the file out of the folder", place) from error
    if not isinstance(row, dict) or row.get("version") != VERSION:
        raise InvalidInputError(
            f"not a row of version {VERSION}, which this alb-sg reads; take the file out of the folder", place
        )
    for column in READ_COLUMNS:
        if column not in row and column in COMPARED_COLUMNS:
            raise InvalidInputError(f"{column} is missing; take the file out of the folder", place)
        expected = bool if column == "complete" else str
        if row.get(column) is not None and not isinstance(row[column], expected):
            name = "true or false" if expected is bool else "text"
            raise InvalidInputError(f"{column} is not {name}; take the file out of the folder", place)
    return {column: _once(row.get(column), texts) for column in READ_COLUMNS}


def _once(value: Any, texts: dict[str, str]) -> Any:
    """The value; a text as the object that an equal text has already."""
    return texts.setdefault(value, value) if isinstance(value, str) else value


def _common_columns(
    observation: Observation, as_of: str, record: str, account_id: str, region: str, rule: str | None
) -> dict[str, Any]:
    account = observation.accounts.get(account_id, AccountName())
    return {
        "version": VERSION,
        "as_of": as_of,
        "record": record,
        "account": account_id or None,
        "account_name": account.name,
        "unit": account.unit,
        "region": region or None,
        "rule": rule,
        "severity": None if rule is None else rule_severity(rule).value,
    }


def _scope_rows(observation: Observation) -> Iterator[dict[str, Any]]:
    as_of = format_time(observation.as_of)
    failed = {
        (error.account_id, error.region, error.rule)
        for error in observation.errors_of_load_balancers
        if error.load_balancer_arn is None
    }
    # A failure that names no account may concern any.
    failed_anywhere = {rule for account_id, _, rule in failed if not account_id}
    deployed = observation.completeness.rules_deployed
    for account_region in sorted(observation.completeness.observed):
        rules = observation.results.rule_names if deployed is None else deployed.get(account_region, frozenset())
        for rule in sorted(rules):
            # A failure that names no rule may concern each of them.
            this_or_any = {rule, None}
            failed_here = failed & {(*account_region, name) for name in this_or_any}
            complete = not failed_here and not failed_anywhere & this_or_any
            yield {
                **_common_columns(observation, as_of, "scope", account_region.account_id, account_region.region, rule),
                "complete": complete,
            }


def _verdict_rows(observation: Observation) -> Iterator[dict[str, Any]]:
    as_of = format_time(observation.as_of)
    columns: dict[str, dict[str, Any]] = {}
    for finding in observation.results.findings:
        arn = finding.load_balancer_arn
        if arn not in columns:
            columns[arn] = _load_balancer_columns(arn, finding.load_balancer_name, observation)
        detail = observation.details.get(finding.load_balancer_arn)
        exemption = None if finding.applied_exemption is None else finding.applied_exemption.exemption
        yield {
            **_common_columns(observation, as_of, "verdict", finding.account_id, finding.region, finding.rule),
            **columns[arn],
            "security_groups": list(finding_groups(finding, detail)),
            "compliance": finding.compliance.value,
            "status": verdict_status(finding).value,
            "unresolved": finding.unresolved,
            "causes": cause_codes(finding, detail),
            "exempt": exemption is not None,
            "exemption_expires": None if exemption is None else exemption.expires.isoformat(),
            "exemption_owner": None if exemption is None else exemption.owner,
            "exemption_ticket": None if exemption is None else exemption.ticket,
            "annotation": finding.annotation,
        }


def _error_rows(observation: Observation) -> Iterator[dict[str, Any]]:
    as_of = format_time(observation.as_of)
    for error in observation.results.errors:
        arn = error.load_balancer_arn
        yield {
            **_common_columns(observation, as_of, "error", error.account_id, error.region, error.rule),
            **({} if arn is None else _load_balancer_columns(arn, load_balancer_name(arn), observation)),
            "status": VerdictStatus.ERROR.value,
            "annotation": f"{error.what}: {error.cause}",
        }


def _load_balancer_columns(arn: str, name: str, observation: Observation) -> dict[str, Any]:
    detail = observation.details.get(arn)
    scheme = None if detail is None else str(detail.load_balancer.scheme)
    return {
        "load_balancer": arn,
        "name": name,
        "scheme": scheme,
        "internet_facing": None if scheme is None else scheme == INTERNET_FACING,
        "owner": observation.owner_of(arn),
    }


def finding_groups(finding: Finding, detail: LoadBalancerDetail | None) -> tuple[str, ...]:
    """The security groups that the finding is about: those of targets, or else the load balancer's, as many as are
    known."""
    if detail is None or is_about_targets(finding):
        return finding.security_groups
    return detail.load_balancer.security_groups


def is_about_targets(finding: Finding) -> bool:
    """Whether the finding is about the security groups of targets."""
    rule = RECOMMENDATIONS_BY_NAME.get(finding.rule)
    return rule is not None and rule.direction is Direction.TARGET_INGRESS


def cause_codes(result: Result, detail: LoadBalancerDetail | None) -> list[str]:
    if isinstance(result, EvaluationError) or result.compliance is not Compliance.NON_COMPLIANT:
        return []
    return [cause.value for cause in find_causes(result, () if detail is None else detail.security_groups)]


def select_rows(run: Run, record: str) -> Iterable[Row]:
    return (row for row in run.rows if row["record"] == record)
