"""Output: a report on standard output or in a file, which is replaced completely or not at all, and notes beside it."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import EvaluationError
from alb_sg.report.phrasing import describe_error, printable

STANDARD_OUTPUT = "-"
# JSON input can contain a lone surrogate; output escapes it as JSON does.
ENCODING_ERRORS = "backslashreplace"


@contextmanager
def open_output(path: str | None, *, machine_readable: bool = False) -> Iterator[TextIO]:
    """A stream for a report: standard output if `path` is None or `-`, else a file that appears when the block ends.

    `machine_readable` output is UTF-8 whatever the terminal's encoding. If the block raises, an existing file stays as
    it was. Raises InvalidInputError if the file cannot be written, at the start of the block if possible.
    """
    if path is None or path == STANDARD_OUTPUT:
        yield _standard_output(machine_readable=machine_readable)
        sys.stdout.flush()
        return
    try:
        with _open_replacement(path) as binary, _open_text(path, binary) as stream:
            yield stream
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise InvalidInputError(f"cannot write {path} ({error.strerror or error}); choose another --output") from error


def _standard_output(*, machine_readable: bool) -> TextIO:
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        if machine_readable:
            stream.reconfigure(encoding="utf-8", errors=ENCODING_ERRORS, newline="\n")
        else:
            stream.reconfigure(errors="replace")
    return stream


@contextmanager
def _open_replacement(path: str) -> Iterator[BinaryIO]:
    """A temporary file beside the target, which replaces the target if the block succeeds."""
    given = Path(path)
    if given.exists() and not given.is_file():
        # Write to a device or a named pipe directly; opening a folder fails here.
        with given.open("wb") as device:
            yield device
        return
    target = given.resolve()
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    with temporary.open("xb") as stream:
        try:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def _open_text(path: str, binary: BinaryIO) -> Iterator[TextIO]:
    """A UTF-8 text stream over a binary one, compressed if the file's name ends in .gz."""
    # Fixed time and no name, so that equal content gives equal bytes.
    packed = gzip.GzipFile("", "wb", fileobj=binary, mtime=0) if path.endswith(".gz") else None
    stream = io.TextIOWrapper(
        cast("BinaryIO", packed or binary), encoding="utf-8", errors=ENCODING_ERRORS, newline="\n"
    )
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()
        if packed is not None:
            packed.close()


def write_note(sentence: str) -> None:
    """Writes one line to standard error. Names in it may come from anybody, so it keeps no control characters."""
    sys.stderr.write(printable(f"alb-sg: {sentence}") + "\n")


def write_errors(errors: Iterable[EvaluationError]) -> None:
    """Writes the errors that a report has no place for, a line each."""
    for error in errors:
        subject = f"{error.load_balancer_arn}: " if error.load_balancer_arn else ""
        write_note(f"{subject}{describe_error(error)}")
