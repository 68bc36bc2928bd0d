"""`alb-sg dashboard` over many accounts: each account and region is judged, drawn and freed.

A picture and a fix need too much data to keep. With `--resume`, the folder therefore keeps the estates, as for
`alb-sg export`, and they are judged when all of them are there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.accounts.account_results import AccountResults
from alb_sg.command_line.accounts.export import exported_texts
from alb_sg.command_line.accounts.opened_accounts import open_accounts
from alb_sg.command_line.accounts.threads import run_in_threads
from alb_sg.command_line.observe import ObservedEstates, observe_loaded
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.live import load_region
from alb_sg.command_line.sources.loaded_estates import select_in_estates
from alb_sg.estate.export_file import estate_of_export
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.live import Selection
from alb_sg.live.source import single_tag_key
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.observation import LoadBalancerDetail
from alb_sg.observations.results import Results
from alb_sg.remediation.plan import Plan


@dataclass(frozen=True)
class ObservedAccounts:
    """What a page shows of accounts and regions. `without_exemptions`: the results that exemptions are reviewed by."""

    results: Results
    without_exemptions: Results
    details: Mapping[str, LoadBalancerDetail]
    plans: Mapping[str, Plan]


def observe_accounts(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    accounts: Mapping[str, AccountName],
    exemptions: LoadedExemptions | None,
    as_of: datetime,
) -> ObservedAccounts:
    """Judges every account and region. Raises InvalidInputError, and NotReadError if the credentials of the command
    cannot be used."""
    single_tag_key(selection.rules)
    opened = open_accounts(arguments, accounts)

    def observe(account_region: AccountRegion) -> ObservedEstates:
        source = opened.source(account_region)
        loaded = load_region(source, Selection(everything=True), selection, include_all_targets=True)
        return observe_loaded(arguments, selection, exemptions, as_of, loaded)

    observed = dict(run_in_threads(observe, opened.account_regions, "judging accounts and regions"))
    return _merge_parts([observed[one] for one in sorted(observed)], selection, exemptions, opened.errors)


def observe_exports(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    exemptions: LoadedExemptions | None,
    as_of: datetime,
    account_results: AccountResults,
) -> ObservedAccounts:
    """As `observe_accounts`, of accounts that `export_accounts` has read."""
    single_tag_key(selection.rules)
    errors = list(account_results.errors)
    parts = []
    with Progress("judging accounts and regions") as progress:
        for text in exported_texts(account_results, errors):
            loaded = select_in_estates([estate_of_export(json.loads(text))], ())
            parts.append(observe_loaded(arguments, selection, exemptions, as_of, loaded))
            progress(len(parts), len(account_results.account_regions))
    return _merge_parts(parts, selection, exemptions, errors)


def _merge_parts(
    parts: Sequence[ObservedEstates],
    selection: RuleSelection,
    exemptions: LoadedExemptions | None,
    errors: Sequence[EvaluationError],
) -> ObservedAccounts:
    without = _merge([part.without_exemptions for part in parts], selection, errors)
    results = _merge([part.results for part in parts], selection, errors).with_exemptions(exemptions)
    return ObservedAccounts(
        results,
        without,
        {arn: detail for part in parts for arn, detail in part.observation.details.items()},
        {arn: plan for part in parts for arn, plan in part.plans.items()},
    )


def _merge(parts: Iterable[Results], selection: RuleSelection, errors: Sequence[EvaluationError]) -> Results:
    """Results by account and region, each part in its order already."""
    every = list(parts)
    all_errors = [*(error for part in every for error in part.errors), *errors]
    return Results(
        [account_region for part in every for account_region in part.account_regions],
        sum(part.load_balancer_count for part in every),
        selection.rule_names,
        [finding for part in every for finding in part.findings],
        sorted(all_errors, key=lambda error: error.sort_key),
        facts={arn: facts for part in every for arn, facts in part.facts.items()},
    )
