"""AWS Config's recordings as estates, from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.item_history import Recordings
from alb_sg.estate.json_files import STANDARD_INPUT, file_error_context, find_json_files, parse_content, read_content
from alb_sg.estate.snapshots.speed import no_garbage_collection


def read_config_items(paths: Sequence[str], report_progress: Callable[[int, int], None] | None = None) -> list[Estate]:
    """The estates in files of configuration items, by account and region.

    A path is a `.json` or `.json.gz` file, `-` for standard input, or a directory, which stands for all such
    files below it. `progress` is told how many files are read and how many there are. Only one file is in memory
    at a time. Raises InvalidInputError that names the file, the item and the field.

    A type of which an account and region has not a single item that was recorded there is unrecorded: its
    section is None.
    """
    files = find_json_files(paths)
    recordings = Recordings()
    with no_garbage_collection():
        for done, path in enumerate(files, start=1):
            _add_items(path, recordings)
            if report_progress is not None:
                report_progress(done, len(files))
        # One is let go of before the next estate is made.
        return [recordings.pop(account_region).estate() for account_region in sorted(recordings)]


def first_account_region(path: str) -> AccountRegion | None:
    """The account and region of the first item that a verdict needs; None where a file must be read whole to tell."""
    from alb_sg.estate.snapshots.reader import NeedsGeneralReader, fast_items  # noqa: PLC0415 (files alone need msgspec)

    if path == STANDARD_INPUT:
        return None
    try:
        return next((item[0] for _, items in fast_items(path) for item in items if item is not None), None)
    except (NeedsGeneralReader, InvalidInputError):
        return None


def _add_items(path: str, recordings: Recordings) -> None:
    """The items in a file that a verdict needs.

    What is not a snapshot or history of usual items is read thoroughly, all of it: so one reader alone says what is
    wrong with a file, and where.
    """
    # What runs in Lambda reads no files, and has no msgspec.
    from alb_sg.estate.snapshots.reader import NeedsGeneralReader, fast_items  # noqa: PLC0415 (as said above)

    with file_error_context(path):
        content = read_content(path) if path == STANDARD_INPUT else None
        try:
            for first, items in fast_items(path, content):
                recordings.add_elements(items, path, first)
        except (NeedsGeneralReader, InvalidInputError):
            recordings.add_document(parse_content(path, read_content(path) if content is None else content), path)
