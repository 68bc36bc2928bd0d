"""AWS Config's recordings as estates, from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alb_sg.errors import UnusableInput
from alb_sg.estate.estate import Estate
from alb_sg.estate.files import STANDARD_INPUT, file_content, inside_file, json_files, json_value
from alb_sg.estate.home import Home
from alb_sg.estate.quick import without_collector
from alb_sg.estate.recording import Recordings


def read_config_items(paths: Sequence[str], progress: Callable[[int, int], None] | None = None) -> list[Estate]:
    """The estates in files of configuration items, by account and region.

    A path is a `.json` or `.json.gz` file, `-` for standard input, or a directory, which stands for all such
    files below it. `progress` is told how many files are read and how many there are. Only one file is in memory
    at a time. Raises UnusableInput that names the file, the item and the field.

    A type of which an account and region has not a single item that was recorded there is unrecorded: its
    section is None.
    """
    files = json_files(paths)
    recordings = Recordings()
    with without_collector():
        for done, path in enumerate(files, start=1):
            _take_items(path, recordings)
            if progress is not None:
                progress(done, len(files))
        # One is let go of before the next estate is made.
        return [recordings.pop(home).estate() for home in sorted(recordings)]


def first_home(path: str) -> Home | None:
    """The account and region of the first item that a verdict needs; None where a file must be read whole to tell."""
    from alb_sg.estate.item_file import Irregular, usual_items  # noqa: PLC0415 (files alone need msgspec)

    if path == STANDARD_INPUT:
        return None
    try:
        return next((item[0] for _, items in usual_items(path) for item in items if item is not None), None)
    except (Irregular, UnusableInput):
        return None


def _take_items(path: str, recordings: Recordings) -> None:
    """The items in a file that a verdict needs.

    What is not a snapshot or history of usual items is read thoroughly, all of it: so one reader alone says what is
    wrong with a file, and where.
    """
    # What runs in Lambda reads no files, and has no msgspec.
    from alb_sg.estate.item_file import Irregular, usual_items  # noqa: PLC0415 (as said above)

    with inside_file(path):
        content = file_content(path) if path == STANDARD_INPUT else None
        try:
            for first, items in usual_items(path, content):
                recordings.add_elements(items, path, first)
        except (Irregular, UnusableInput):
            recordings.add_document(json_value(path, file_content(path) if content is None else content), path)
