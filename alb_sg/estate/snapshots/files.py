"""Files of configuration items as estates."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import is_message_without_item, without_messages
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.item_history import Recordings
from alb_sg.estate.json_files import (
    STANDARD_INPUT,
    display_name,
    file_error_context,
    find_json_files,
    parse_document,
    read_content,
)
from alb_sg.estate.sections import Section
from alb_sg.estate.snapshots.speed import no_garbage_collection

_LOG = logging.getLogger(__name__)

# As AWS Config names the files that it delivers: 123456789012_Config_us-east-1_ConfigSnapshot_20270131T060000Z_….
DELIVERED_FILE_NAME = re.compile(r"(?P<account>[0-9]{12})_Config_(?P<region>[a-z0-9-]+)_Config(Snapshot|History)_.*")


class UnreadFile(NamedTuple):
    """A file that cannot be read, and the accounts and regions that it is known to concern; others may be."""

    path: str
    error: InvalidInputError
    account_regions: frozenset[AccountRegion]


# The modules that need msgspec and isal are imported where they are used: Lambda has neither.


def read_config_items(
    paths: Iterable[str],
    report_progress: Callable[[int, int], None] | None = None,
    *,
    fast: bool = True,
    report_unread: Callable[[UnreadFile], None] | None = None,
) -> list[Estate]:
    """The estates in files of configuration items, by account and region.

    A path is a `.json` or `.json.gz` file, `-` for standard input, or a directory with such files
    below it. `report_progress` receives the number of files read and the number of files. `fast=False` reads without
    msgspec and isal. Raises InvalidInputError that names the file, the item and the field.

    `report_unread` receives each of several files that cannot be read, in place of that error. Estates with
    items in it are not judged: their load balancers become unread. Raises if no file can be read.

    Only one file is in memory at a time. A section is None where the account and region has no item of its type.
    """
    files = find_json_files(paths)
    recordings = Recordings()
    unread_files: list[UnreadFile] = []
    with no_garbage_collection():
        for done, path in enumerate(files, start=1):
            try:
                with file_error_context(path):
                    if fast:
                        _add_fast(path, recordings)
                    else:
                        _add_general(path, read_content(path), recordings)
            except InvalidInputError as error:
                if report_unread is None or path == STANDARD_INPUT or len(unread_files) + 1 == len(files):
                    raise
                unread_files.append(UnreadFile(path, error, _account_regions_of(path)))
                report_unread(unread_files[-1])
            if report_progress is not None:
                report_progress(done, len(files))
        unread = {found: unread for unread in unread_files for found in unread.account_regions}
        # `pop` frees each recording before the next estate is built.
        estates = [
            recordings.pop(account_region).estate()
            for account_region in sorted(recordings)
            if account_region not in unread
        ]
    estates += [_unread_estate(account_region, file) for account_region, file in unread.items()]
    return sorted(estates, key=lambda estate: estate.account_region)


def _unread_estate(account_region: AccountRegion, file: UnreadFile) -> Estate:
    """An estate of which nothing is known: what a file lacks may be newer than what others hold."""
    failure = ReadFailure(Section.LOAD_BALANCERS, None, str(file.error))
    return Estate(account_region.account_id, account_region.region, failures=(failure,))


def _account_regions_of(path: str) -> frozenset[AccountRegion]:
    """The accounts and regions that a damaged file concerns, as its name and its readable items tell."""
    readable = Recordings()
    try:
        with file_error_context(path):
            _add_fast(path, readable)
    except InvalidInputError:
        pass
    found = set(readable)
    match = DELIVERED_FILE_NAME.fullmatch(Path(path).name)
    if match is not None:
        found.add(AccountRegion(match["account"], match["region"]))
    return frozenset(found)


def first_account_region(path: str) -> AccountRegion | None:
    """The account and region of the first item that the rules read; None where only the whole file tells it."""
    from alb_sg.estate.snapshots.reader import NeedsGeneralReader, fast_items  # noqa: PLC0415 (as above)

    if path == STANDARD_INPUT:
        return None
    try:
        return next((item.account_region for _, items in fast_items(path) for item in items if item is not None), None)
    except (NeedsGeneralReader, InvalidInputError):
        return None


def _add_fast(path: str, recordings: Recordings) -> None:
    """Add the items of a file with the fast reader.

    Where it refuses the file, the general reader reads all of it, so that one reader alone words the errors.
    """
    from alb_sg.estate.snapshots.reader import NeedsGeneralReader, fast_items  # noqa: PLC0415 (as above)

    content = read_content(path) if path == STANDARD_INPUT else None
    try:
        for first, items in fast_items(path, content):
            recordings.add_elements(items, path, first)
    except (NeedsGeneralReader, InvalidInputError):
        _add_general(path, read_content(path) if content is None else content, recordings)


def _add_general(path: str, content: bytes, recordings: Recordings) -> None:
    """Add the items of a file of any form. A notification without an item is logged and skipped."""
    document = parse_document(path, content)
    if is_message_without_item(document):
        _LOG.warning("%s: skipped, because a notification of this kind reports no resource", display_name(path))
        return
    document, skipped = without_messages(document)
    if skipped:
        _LOG.warning("%s: skipped %d notifications that report no resource", display_name(path), skipped)
    recordings.add_document(document, path)
