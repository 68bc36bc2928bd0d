"""AWS Config's recordings as estates, from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alb_sg.errors import UnusableInput
from alb_sg.estate.config_documents import items_in
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.estate import Estate
from alb_sg.estate.files import STANDARD_INPUT, file_content, inside_file, json_files, json_value
from alb_sg.estate.home import Home
from alb_sg.estate.quick import without_collector
from alb_sg.estate.recording import Recording, Recordings


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
    # That of the item before, which mostly is that of the next.
    recording: Recording | None = None
    with without_collector():
        for done, path in enumerate(files, start=1):
            for items in _items(path):
                for place, item in items:
                    if recording is None or item.home is not recording.home:
                        recording = recordings[item.home]
                    recording.add(item, path, place)
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
        return next((item.home for items in usual_items(path) for _, item in items), None)
    except (Irregular, UnusableInput):
        return None


def _items(path: str) -> Iterator[Sequence[tuple[str | int, ConfigItem]]]:
    """The items in a file that a verdict needs, some at a time, each after its place or its number.

    What is not a snapshot or history of usual items is read thoroughly, all of it: so one reader alone says what is
    wrong with a file, and where.
    """
    # What runs in Lambda reads no files, and has no msgspec.
    from alb_sg.estate.item_file import Irregular, usual_items  # noqa: PLC0415 (as said above)

    with inside_file(path):
        content = file_content(path) if path == STANDARD_INPUT else None
        try:
            yield from usual_items(path, content)
        except (Irregular, UnusableInput):
            for place, source in items_in(json_value(path, file_content(path) if content is None else content)):
                try:
                    found = read_item(source)
                except UnusableInput as error:
                    raise (error.inside(place) if place else error) from error
                if found is not None:
                    yield [(place, found)]
