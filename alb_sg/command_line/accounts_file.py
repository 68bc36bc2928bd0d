"""The file of `--accounts`: the names and units of accounts."""

from __future__ import annotations

from alb_sg.estate.json_files import file_error_context, read_json_file
from alb_sg.observations.account_name import AccountName
from alb_sg.observations.accounts import parse_accounts


def read_accounts(path: str) -> dict[str, AccountName]:
    """Accounts by id. Raises an InvalidInputError that names the file and the place in it."""
    with file_error_context(path):
        return parse_accounts(read_json_file(path))
