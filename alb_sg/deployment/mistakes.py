"""What is wrong with `rdk-config.json`: one sentence for each mistake, with the path and what is allowed there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SCHEMA_FILE = Path(__file__).with_name("rdk-config.schema.json")

TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "an object",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """`path` is where it stands, such as `organization.memberAccounts[2]`; empty for the file as a whole."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


class WrongSettings(Exception):
    """A settings file that nothing is deployed from."""

    def __init__(self, file: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(file, mistakes)
        self.file = file
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}: {mistake}" for mistake in self.mistakes)


def schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return content


def schema_mistakes(content: object) -> list[Mistake]:
    """The mistakes that the JSON Schema finds, in the order of the file's keys."""
    errors = sorted(Draft202012Validator(schema()).iter_errors(content), key=lambda error: [*map(str, error.path)])
    return [mistake for error in errors for mistake in _of_error(error)]


def path_of(keys: Iterable[str | int]) -> str:
    """`organization.memberAccounts[2]` from its keys and positions."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def one_of(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _of_error(error: ValidationError) -> list[Mistake]:
    # What the rule says depends on its keyword, and so does what was found.
    found, rule, said = _any(error.instance), _any(error.schema), _any(error.validator_value)
    path = path_of(error.absolute_path)
    shown = json.dumps(found, ensure_ascii=False)
    meant = rule.get("description", "")
    match error.validator:
        case "type":
            return [Mistake(path, f"{shown} must be {TYPES[said]}. {meant}".rstrip())]
        case "enum":
            allowed = ", ".join(str(value) for value in said)
            return [Mistake(path, f"{shown} is not allowed; allowed are {allowed}")]
        case "additionalProperties":
            known = rule["properties"]
            unknown = sorted(set(found) - set(known))
            return [Mistake(path, f"unknown key {json.dumps(key)}; known are {one_of(known)}") for key in unknown]
        case "required":
            # There is one error for each key, and only its message says for which.
            missing = next(key for key in said if f"'{key}'" in error.message)
            described = rule["properties"][missing].get("description", "")
            return [Mistake(path, f"{json.dumps(missing)} is missing. {described}".rstrip())]
        case "uniqueItems":
            twice = sorted({str(item) for item in found if found.count(item) > 1})
            return [Mistake(path, f"{', '.join(twice)} is there more than once")]
        case "minItems":
            return [Mistake(path, f"must not be empty. {meant}".rstrip())]
        case "maxItems":
            return [Mistake(path, f"{len(found)} are more than the {said} allowed. {meant}".rstrip())]
    return [Mistake(path, f"{shown} is not allowed here. {meant}".rstrip())]


def _any(value: object) -> Any:
    return value
