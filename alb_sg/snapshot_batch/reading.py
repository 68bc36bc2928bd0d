"""Files of configuration items read with Python's own JSON: what runs in Lambda has no other."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.estate.estate import Estate
from alb_sg.estate.item_history import Recordings
from alb_sg.estate.json_files import file_error_context, read_json_file


def read_estates(paths: Iterable[str]) -> list[Estate]:
    """The estates in files, as `estate.config_items.read_config_items` gives them; one file in memory at a time.

    Raises InvalidInputError that names the file, the item and the field.
    """
    recordings = Recordings()
    for path in paths:
        with file_error_context(path):
            recordings.add_document(read_json_file(path), path)
    return [recordings[account_region].estate() for account_region in sorted(recordings)]
