"""`alb-sg dashboard` over many accounts: each account and region is judged, drawn and freed.

A picture and a fix need too much data to keep. With `--resume`, the folder therefore keeps the estates, as for
`alb-sg export`, and they are judged when all of them are there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence

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
from alb_sg.observations.results import Results


def observe_accounts(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    accounts: Mapping[str, AccountName],
    exemptions: LoadedExemptions | None,
) -> ObservedEstates:
    """Judges every account and region. Raises InvalidInputError, and NotReadError if the credentials of the command
    cannot be used."""
    single_tag_key(selection.rules)
    opened = open_accounts(arguments, accounts)

    def observe(account_region: AccountRegion) -> ObservedEstates:
        source = opened.source(account_region)
        loaded = load_region(source, Selection(everything=True), selection, include_all_targets=True)
        return observe_loaded(arguments, selection, exemptions, loaded)

    observed = dict(run_in_threads(observe, opened.account_regions, "judging accounts and regions"))
    return _merge_parts([observed[one] for one in sorted(observed)], selection, opened.errors)


def observe_exports(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    exemptions: LoadedExemptions | None,
    account_results: AccountResults,
) -> ObservedEstates:
    """As `observe_accounts`, of accounts that `export_accounts` has read."""
    single_tag_key(selection.rules)
    errors = list(account_results.errors)
    parts = []
    with Progress("judging accounts and regions") as progress:
        for text in exported_texts(account_results, errors):
            loaded = select_in_estates([estate_of_export(json.loads(text))], ())
            parts.append(observe_loaded(arguments, selection, exemptions, loaded))
            progress(len(parts), len(account_results.account_regions))
    return _merge_parts(parts, selection, errors)


def _merge_parts(
    parts: Sequence[ObservedEstates], selection: RuleSelection, errors: Sequence[EvaluationError]
) -> ObservedEstates:
    return ObservedEstates(
        _merge([part.results for part in parts], selection, errors),
        _merge([part.without_exemptions for part in parts], selection, errors),
        {arn: detail for part in parts for arn, detail in part.details.items()},
        {arn: plan for part in parts for arn, plan in part.plans.items()},
    )


def _merge(parts: Sequence[Results], selection: RuleSelection, errors: Sequence[EvaluationError]) -> Results:
    """Results by account and region, each part in its order already."""
    all_errors = [*(error for part in parts for error in part.errors), *errors]
    return Results(
        [account_region for part in parts for account_region in part.account_regions],
        sum(part.load_balancer_count for part in parts),
        selection.rule_names,
        [finding for part in parts for finding in part.findings],
        sorted(all_errors, key=lambda error: error.sort_key),
        facts={arn: facts for part in parts for arn, facts in part.facts.items()},
    )
