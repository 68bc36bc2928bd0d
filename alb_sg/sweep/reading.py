"""Files of configuration items read with Python's own JSON: what runs in Lambda has no other."""

from __future__ import annotations

from collections.abc import Iterable

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
            recordings.add_document(read_json_file(path), path)
    return [recordings[home].estate() for home in sorted(recordings)]
