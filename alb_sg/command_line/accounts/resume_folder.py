"""The folder of `--resume`: the results so far, a file for each account and region.

`alb-sg-run.json` has the inputs of the run. `111122223333-eu-west-1.json.gz` has the result of one account and region,
and its time. A file appears as a whole or not at all, so an interruption loses nothing that was finished.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError

DESCRIPTION_FILE = "alb-sg-run.json"
SUFFIX = ".json.gz"
# Older results are read again: an account may have changed since.
MAX_AGE = timedelta(hours=24)


class ResumeFolder:
    """The folder of one run. Threads may save at the same time."""

    def __init__(self, folder: Path, saved_at: Mapping[AccountRegion, datetime], *, is_kept: bool) -> None:
        self.path = folder
        self.saved_at = dict(saved_at)
        self.is_kept = is_kept

    def save(self, account_region: AccountRegion, result: Mapping[str, Any], at: datetime) -> None:
        """Keeps a result. Raises OSError."""
        path = self._path(account_region)
        temporary = path.with_suffix(".tmp")
        content = json.dumps({"savedAt": at.isoformat(), "result": result}, separators=(",", ":"))
        temporary.write_bytes(gzip.compress(content.encode("utf-8", "surrogatepass"), compresslevel=3, mtime=0))
        temporary.replace(path)
        self.saved_at[account_region] = at

    def read(self, account_region: AccountRegion) -> Mapping[str, Any]:
        result: Mapping[str, Any] = _read_file(self._path(account_region))["result"]
        return result

    def clear(self) -> None:
        """Deletes all results: they are too old for the next run."""
        for account_region in self.saved_at:
            self._path(account_region).unlink(missing_ok=True)
        self.saved_at.clear()
        (self.path / DESCRIPTION_FILE).unlink(missing_ok=True)

    def _path(self, account_region: AccountRegion) -> Path:
        return self.path / f"{account_region.account_id}-{account_region.region}{SUFFIX}"


@contextmanager
def open_resume_folder(folder: str | None, inputs: Mapping[str, Any], now: datetime) -> Iterator[ResumeFolder]:
    """A resume folder; a temporary one for None. Refuses the folder of a run with other `inputs`.

    Raises InvalidInputError.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="alb-sg-", ignore_cleanup_errors=True) as temporary:
            yield ResumeFolder(Path(temporary), {}, is_kept=False)
        return
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        description_file = path / DESCRIPTION_FILE
        if description_file.exists():
            _refuse_other_inputs(description_file, inputs)
        elif any(path.iterdir()):
            raise InvalidInputError("holds other files, and no run of alb-sg; give an empty folder", folder)
        else:
            description_file.write_text(json.dumps(inputs, indent=1), encoding="utf-8")
        saved_at = dict(_saved_results(path, now))
    except OSError as error:
        raise InvalidInputError(f"cannot be used ({error.strerror or error}); choose another folder", folder) from error
    yield ResumeFolder(path, saved_at, is_kept=True)


def _saved_results(folder: Path, now: datetime) -> Iterator[tuple[AccountRegion, datetime]]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        account_id, _, region = path.name.removesuffix(SUFFIX).partition("-")
        try:
            content = _read_file(path)
            at = datetime.fromisoformat(content["savedAt"])
            is_usable = isinstance(content["result"], dict) and now - at <= MAX_AGE
        except (EOFError, KeyError, TypeError, ValueError, zlib.error, gzip.BadGzipFile):
            # A file that a full disk or another program has damaged: read that account and region again.
            is_usable = False
        if is_usable:
            yield AccountRegion(account_id, region), at
        else:
            path.unlink()
    for path in folder.glob("*.tmp"):
        path.unlink()


def _refuse_other_inputs(path: Path, inputs: Mapping[str, Any]) -> None:
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInputError("is damaged; delete the folder, and begin again", str(path)) from error
    differing = [key for key in inputs if not isinstance(saved, dict) or saved.get(key) != inputs[key]]
    if differing:
        raise InvalidInputError(
            f"is of a run with another {' and '.join(differing)}; give a folder of its own, or delete this one",
            os.fspath(path.parent),
        )


def _read_file(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
