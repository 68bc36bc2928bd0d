"""`alb-sg check` over many accounts: each account and region is read, judged and let go."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TextIO

from alb_sg import __version__
from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.accounts.account_results import AccountResults, count_account_regions, work_in_accounts
from alb_sg.command_line.accounts.opened_accounts import OpenedAccounts
from alb_sg.command_line.accounts.stored_results import (
    errors_from_json,
    findings_from_json,
    merge_stored,
    refuse_damaged,
    results_to_json,
)
from alb_sg.command_line.evaluate_all import judge_estates
from alb_sg.command_line.narrowing import narrow_estates
from alb_sg.command_line.planning import make_planner, with_advice, with_remarks
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.live import load_region
from alb_sg.command_line.streaming import StreamedResults, keep_first_non_compliant
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.live import Selection
from alb_sg.live.source import single_tag_key
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.results import Results
from alb_sg.parameters import Source
from alb_sg.report.json_report import write_error_lines, write_finding_lines


def judge_accounts(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    accounts: Mapping[str, AccountName],
    exemptions: LoadedExemptions | None,
) -> AbstractContextManager[AccountResults]:
    """Judges every account and region. The results are those of `work_in_accounts`, and raises as that does."""
    single_tag_key(selection.rules)
    inputs = _inputs(arguments, selection, exemptions)
    names = frozenset(arguments.load_balancer)
    wanted = Selection(everything=not names, load_balancers=names)

    def judge(opened: OpenedAccounts, account_region: AccountRegion) -> Mapping[str, Any]:
        source = opened.source(account_region, from_config=arguments.source == Source.CONFIG.value)
        estates = load_region(source, wanted, selection, include_all_targets=False)
        loaded = narrow_estates(arguments, estates, accounts)
        results = judge_estates(loaded, selection, {} if exemptions is None else exemptions.of_ports)
        planned = results.with_exemptions(exemptions)
        advice = with_advice(planned, make_planner(arguments, loaded, selection, exemptions)).advice
        return results_to_json(replace(with_remarks(results, loaded), advice=advice))

    return work_in_accounts(arguments, accounts, inputs, judge, _has_errors, "judging accounts and regions")


def merge_results(
    account_results: AccountResults,
    selection: RuleSelection,
    accounts: Mapping[str, AccountName],
    exemptions: LoadedExemptions | None,
    load_balancer_names: Sequence[str],
) -> Results:
    """All results together. Raises InvalidInputError for a name that no load balancer has."""
    results = merge_stored(account_results.stored(), selection.rule_names, accounts)
    errors = sorted([*results.errors, *account_results.errors], key=lambda error: error.sort_key)
    _refuse_unknown_names(results, load_balancer_names, errors)
    return replace(results, errors=errors).with_exemptions(exemptions)


def _inputs(
    arguments: argparse.Namespace, selection: RuleSelection, exemptions: LoadedExemptions | None
) -> dict[str, Any]:
    """What the results of an account and region depend on. A refusal names the keys that differ."""
    ports = {} if exemptions is None else exemptions.of_ports
    return {
        "command": "check",
        "version": __version__,
        "role": arguments.assume_role,
        "source": arguments.source,
        "rules and parameters": {rule.name: repr(given) for rule, given in selection.rules.items()},
        "exemptions": sorted(repr(one) for one in ports.values()),
        "load balancers": sorted(arguments.load_balancer),
        "narrowing": {name: sorted(getattr(arguments, name)) for name in ("name", "owner", "owner_tag", "tag")},
    }


def _has_errors(result: Mapping[str, Any]) -> bool:
    # A result without a list of errors is damaged: read it again.
    return bool(result.get("errors", True))


def _refuse_unknown_names(results: Results, names: Sequence[str], errors: Sequence[EvaluationError]) -> None:
    # What was not read may have it.
    known = {name for finding in results.findings for name in (finding.load_balancer_arn, finding.load_balancer_name)}
    known |= {error.load_balancer_arn or "" for error in errors}
    unknown = [name for name in names if name not in known]
    if unknown and all(error.load_balancer_arn is not None for error in errors):
        where = count_account_regions(results.account_regions)
        raise InvalidInputError(f"no load balancer has the name {unknown[0]!r} in {where}; give its name or ARN")


def stream_results(account_results: AccountResults, stream: TextIO) -> StreamedResults:
    """As `stream_json_lines`: only the results of one account and region are in memory."""
    written = StreamedResults(list(account_results.errors))
    for account_region, result in account_results.stored():
        with refuse_damaged(account_region):
            findings = findings_from_json(result)
            written.errors += errors_from_json(result)
        write_finding_lines(findings, stream)
        non_compliant: dict[str, Finding] = {}
        keep_first_non_compliant(findings, non_compliant)
        written.non_compliant_findings += non_compliant.values()
    written.errors.sort(key=lambda error: error.sort_key)
    write_error_lines(written.errors, stream)
    return written
