"""Estates from files: export files and AWS Config items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, select_in_estates
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.json_files import find_json_files
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.snapshots.files import UnreadFile, read_config_items
from alb_sg.findings.finding import EvaluationError

CONFIG_ITEMS_OPTION = "--config-items"


def load_files(
    export_files: Sequence[str], config_items: Sequence[str], load_balancer_names: Sequence[str]
) -> LoadedEstates:
    """The estates of export files and of files of Config items. Raises InvalidInputError."""
    origins: dict[tuple[str, str], str] = {}
    found: list[Estate] = []
    unread: list[UnreadFile] = []

    def add(estates: Iterable[Estate], origin: str) -> None:
        for estate in estates:
            where = estate.account_region
            if where in origins:
                raise InvalidInputError(
                    f"account {estate.account_id} in {estate.region} is in two sources, {origins[where]} and "
                    f"{origin}; give each account and region once"
                )
            origins[where] = origin
            found.append(estate)

    for path in export_files:
        from alb_sg.estate.export_file import read_export_file  # noqa: PLC0415 (slow, and not always needed)

        for file in find_json_files([path]):
            add(read_export_file(file), file)
    if config_items:
        with Progress("reading AWS Config items") as progress:
            add(read_config_items(config_items, progress, report_unread=unread.append), CONFIG_ITEMS_OPTION)
    if not found:
        given = ", ".join((*export_files, *config_items))
        raise InvalidInputError(
            f"{given}: no Config item of a type that the rules read (load balancers, listeners, security groups, …)"
        )
    loaded = select_in_estates(
        link_estates(sorted(found, key=lambda estate: estate.account_region)), load_balancer_names
    )
    from_config_items = frozenset(key for key, origin in origins.items() if origin == CONFIG_ITEMS_OPTION)
    # A file that concerns a known account and region is an error of that account and region already.
    errors = [_unread_file_error(file) for file in unread if not file.account_regions]
    return replace(loaded, errors=[*loaded.errors, *errors], from_config_items=from_config_items)


def _unread_file_error(file: UnreadFile) -> EvaluationError:
    what = "the accounts and regions of a file that cannot be read, which may be among those judged"
    return EvaluationError("", "", None, None, what, str(file.error))
