"""Files of JSON, gzipped or not. Only this module opens them.

Every error is an InvalidInputError that names the file.
"""

from __future__ import annotations

import codecs
import glob
import gzip
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from alb_sg.errors import InvalidInputError

STANDARD_INPUT = "-"
GZIP_SIGNATURE = b"\x1f\x8b"
ZIP_SIGNATURE = b"PK\x03\x04"
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
JSON_SUFFIXES = (".json", ".json.gz")
NESTED_TOO_DEEPLY = "lists and objects are nested too deeply"


@contextmanager
def file_error_context(path: str) -> Iterator[None]:
    """Adds the name of the file to the place in errors."""
    name = display_name(path)
    try:
        yield
    except InvalidInputError as error:
        raise error.at(f"{name}: {error.place}" if error.place else name) from error
    except RecursionError as error:
        raise InvalidInputError(NESTED_TOO_DEEPLY, name) from error


def display_name(path: str) -> str:
    return "standard input" if path == STANDARD_INPUT else path


def find_json_files(paths: Iterable[str]) -> list[str]:
    """The files of these paths, sorted: every `.json` and `.json.gz` file below a directory, and every
    match of a pattern such as `estates/*.json`.

    Raises InvalidInputError for a directory that cannot be listed or has no such file, and for a pattern that matches
    nothing.
    """
    files: set[str] = set()
    for path in _expand_patterns(paths):
        if not Path(path).is_dir():
            files.add(path)
            continue
        below = {
            str(Path(folder, name))
            for folder, _, names in os.walk(path, onerror=_raise_unlistable)
            for name in names
            if name.endswith(JSON_SUFFIXES)
        }
        if not below:
            raise InvalidInputError("this directory has no .json or .json.gz file, in or below it", path)
        files |= below
    return sorted(files)


def _expand_patterns(paths: Iterable[str]) -> Iterator[str]:
    """Patterns as the paths that they match. A shell leaves a quoted one to the command, and PowerShell leaves any."""
    for path in paths:
        if not glob.has_magic(path) or Path(path).exists():
            yield path
            continue
        matches = glob.glob(path, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        if not matches:
            raise InvalidInputError("no file matches this pattern", path)
        yield from matches


def _raise_unlistable(error: OSError) -> NoReturn:
    raise InvalidInputError(f"the directory cannot be listed ({error.strerror})", str(error.filename)) from error


def read_json_file(path: str, *, unique_keys: bool = False) -> Any:
    """The JSON value in a file, gzipped or not; `-` is standard input.

    `unique_keys` refuses an object that repeats a key. Call it inside `file_error_context`, which adds the name of the
    file to errors.
    """
    return parse_content(path, read_content(path), unique_keys=unique_keys)


def parse_content(path: str, content: bytes, *, unique_keys: bool = False) -> Any:
    """As `read_json_file`, from the content of the file."""
    return _parse_text(_decode_content(path, content), unique_keys=unique_keys)


def parse_document(path: str, content: bytes) -> Any:
    """As `parse_content`. JSON lines, and other values that follow one another, are a list."""
    text = _decode_content(path, content)
    try:
        return _parse_text(text)
    except InvalidInputError:
        # Not `splitlines`: a text in JSON may hold the other separators.
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith("{") and line.rstrip().endswith("}") for line in lines):
            return [parse_json(line) for line in lines]
        values = _values_in_sequence(text)
        if values is None:
            raise
        return values


def _parse_text(text: str, *, unique_keys: bool = False) -> Any:
    if not text.strip():
        raise InvalidInputError("the file is empty; JSON was expected")
    try:
        return parse_json(text, unique_keys=unique_keys)
    except InvalidInputError as error:
        if not text.lstrip().startswith(("{", "[", '"')):
            raise InvalidInputError(f"{error.message}; the aws command prints JSON with --output json") from error
        raise


def _decode_content(path: str, content: bytes) -> str:
    """The text of a file, gzipped or not. PowerShell writes what a command prints as UTF-16."""
    if is_gzipped(path, content):
        content = unzip(content)
    if content.startswith(ZIP_SIGNATURE):
        raise InvalidInputError("this is a zip archive; unpack it first")
    is_utf_16 = content.startswith(UTF_16_MARKS)
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"not UTF-{16 if is_utf_16 else 8} text (byte {error.start + 1} is 0x{content[error.start]:02x}); save it "
            "as UTF-8"
        ) from error


def _values_in_sequence(text: str) -> list[Any] | None:
    """The JSON objects and lists that follow one another in a text, as pages that were appended to one file do; None
    where it is anything else."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    values: list[Any] = []
    end = len(text.rstrip())
    position = len(text) - len(text.lstrip())
    try:
        while position < end:
            value, position = decoder.raw_decode(text, position)
            values.append(value)
            while position < end and text[position].isspace():
                position += 1
    except (ValueError, RecursionError):
        return None
    return values if all(isinstance(value, dict | list) for value in values) else None


def read_content(path: str) -> bytes:
    """The bytes of a file or of standard input. Raises InvalidInputError without the file's name."""
    try:
        return sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
    except OSError as error:
        raise unreadable_file_error(error) from error


def unreadable_file_error(error: OSError) -> InvalidInputError:
    return InvalidInputError(f"the file cannot be read ({error.strerror or error})")


def is_gzipped(path: str, beginning: bytes) -> bool:
    """Whether a file is gzipped, by its name or its first bytes."""
    return path.endswith(".gz") or beginning.startswith(GZIP_SIGNATURE)


def unzip(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except EOFError as error:
        raise InvalidInputError("the gzip data is truncated; fetch the file again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInputError(f"not gzip data, or damaged ({error})") from error


def parse_json(text: str, *, unique_keys: bool = False) -> Any:
    """The value of JSON text. Raises InvalidInputError with line and column, without the file's name."""
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_object_with_unique_keys if unique_keys else None
        )
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        several = "; give several values as one list" if what == "Extra data" else ""
        raise InvalidInputError(f"not JSON: {what} at line {error.lineno}, column {error.colno}{several}") from error
    except RecursionError as error:
        raise InvalidInputError(NESTED_TOO_DEEPLY) from error
    except ValueError as error:
        # Python refuses to convert a whole number of thousands of digits.
        raise InvalidInputError(f"not usable JSON: {error}") from error


def parse_if_text(value: Any) -> Any:
    """A value, decoded where it is JSON text. Raises InvalidInputError."""
    return parse_json(value) if isinstance(value, str) else value


def join_place(place: str, key: str) -> str:
    """The place of a key inside a place; the whole document is the empty place."""
    return f"{place}.{key}" if place else key


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInputError(f"not JSON: {name} is not a JSON value")


def _object_with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise InvalidInputError(f"the key {repeated!r} is given twice in one object")
    return value
