"""The sources, parameters and options of a page, for audits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alb_sg import __version__
from alb_sg.errors import InvalidInputError
from alb_sg.observations.applied_options import AppliedOption, applied_option_objects

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class InputSource:
    """A source of a run, such as the kind `accounts` and the name of a file. `sha256` is the hash of a file's
    bytes; None for other sources."""

    kind: str
    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Provenance:
    """The sources of a run, the rule parameters that were given, whether AWS Config recorded the verdicts, and the
    options that the run went by."""

    sources: Sequence[InputSource] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    recorded: bool = False
    applied_options: Sequence[AppliedOption] = ()


def audit_object(provenance: Provenance) -> dict[str, Any]:
    return {
        "version": __version__,
        "verdicts": "recorded" if provenance.recorded else "judged",
        "parameters": dict(sorted(provenance.parameters.items())),
        "sources": list(map(asdict, provenance.sources)),
        "configuration": applied_option_objects(provenance.applied_options),
    }


def hash_files(kind: str, paths: Iterable[str]) -> list[InputSource]:
    """The files as sources. Standard input was read already, and has no hash. Raises InvalidInputError."""
    return [InputSource(kind, path, None if path == STANDARD_INPUT else _hash_file(path)) for path in paths]


def _hash_file(path: str) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInputError(f"cannot be read ({error.strerror or error})", path) from error
