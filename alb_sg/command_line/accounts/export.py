"""`alb-sg export` over many accounts: each account and region is read, kept as text, and let go."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, TextIO

from alb_sg import __version__
from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.accounts.account_results import AccountResults, work_in_accounts
from alb_sg.command_line.accounts.opened_accounts import OpenedAccounts
from alb_sg.errors import NotReadError
from alb_sg.estate.export_file import estate_text, write_estate_texts
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.accounts import AccountName


def export_accounts(
    arguments: argparse.Namespace, accounts: Mapping[str, AccountName]
) -> AbstractContextManager[AccountResults]:
    """Exports every account and region. The results are those of `work_in_accounts`, and raises as that does."""

    def export(opened: OpenedAccounts, account_region: AccountRegion) -> Mapping[str, Any]:
        try:
            return {"estate": estate_text(opened.source(account_region).export())}
        except NotReadError as error:
            return {"error": [error.what, error.cause]}

    def has_error(result: Mapping[str, Any]) -> bool:
        return "error" in result

    inputs = {"command": "export", "version": __version__, "role": arguments.assume_role}
    return work_in_accounts(arguments, accounts, inputs, export, has_error, "exporting accounts and regions")


def write_exports(account_results: AccountResults, stream: TextIO) -> list[EvaluationError]:
    """Writes what was read as one saved estate, and returns what was not, by account and region.

    Raises NotReadError where there is nothing to write.
    """
    errors = list(account_results.errors)
    count = write_estate_texts(exported_texts(account_results, errors), stream)
    errors.sort(key=lambda error: error.sort_key)
    if not count and errors:
        more = f"; {len(errors) - 1:,} more could not be read either" if len(errors) > 1 else ""
        raise NotReadError(errors[0].what, f"{errors[0].cause}{more}; nothing is written")
    return errors


def exported_texts(account_results: AccountResults, errors: list[EvaluationError]) -> Iterator[str]:
    """What was read, an account and region at a time; what was not is added to `errors`."""
    for (account_id, region), result in account_results.stored():
        if "error" in result:
            errors.append(EvaluationError(account_id, region, None, None, *result["error"]))
        else:
            yield result["estate"]
