"""Files of configuration items read with Python's own JSON: what runs in Lambda has no other."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.errors import UnusableInput
from alb_sg.estate.config_documents import items_in
from alb_sg.estate.config_item import read_item
from alb_sg.estate.estate import Estate
from alb_sg.estate.files import inside_file, read_json_file
from alb_sg.estate.recording import Recordings


def read_estates(paths: Iterable[str]) -> list[Estate]:
    """The estates in files, as `estate.config_items.read_config_items` gives them; one file in memory at a time.

    Raises UnusableInput that names the file, the item and the field.
    """
    recordings = Recordings()
    for path in paths:
        with inside_file(path):
            for place, source in items_in(read_json_file(path)):
                try:
                    item = read_item(source)
                except UnusableInput as error:
                    raise (error.inside(place) if place else error) from error
                if item is not None:
                    recordings[item.home].add(item, path, place)
    return [recordings[home].estate() for home in sorted(recordings)]
