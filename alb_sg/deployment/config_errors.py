"""The problems in `rdk-config.json`: one sentence each, with the path and the allowed values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from alb_sg.deployment.settings_schema import schema

TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "an object",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """A problem. `path` is its place, such as `organization.memberAccounts[2]`, or empty for the whole file."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


class InvalidSettingsError(Exception):
    """The settings file has problems, so nothing is deployed."""

    def __init__(self, file: str, problems: Sequence[SettingsProblem]) -> None:
        super().__init__(file, problems)
        self.file = file
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}: {problem}" for problem in self.problems)


def schema_problems(content: object) -> list[SettingsProblem]:
    """The problems that the JSON Schema finds, in the order of the file's keys."""
    errors = sorted(Draft202012Validator(schema()).iter_errors(content), key=lambda error: [*map(str, error.path)])
    return [problem for error in errors for problem in _problems_of(error)]


def path_of(keys: Iterable[str | int]) -> str:
    """The path of keys and positions as text, such as `organization.memberAccounts[2]`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def sorted_list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _problems_of(error: ValidationError) -> list[SettingsProblem]:
    # The types of these values depend on the schema's keyword.
    found: Any = error.instance
    rule: Any = error.schema
    limit: Any = error.validator_value
    path = path_of(error.absolute_path)
    shown = json.dumps(found, ensure_ascii=False)
    meant = rule.get("description", "")
    match error.validator:
        case "type":
            return [SettingsProblem(path, f"{shown} must be {TYPE_NAMES[limit]}. {meant}".rstrip())]
        case "enum":
            allowed = ", ".join(str(value) for value in limit)
            return [SettingsProblem(path, f"{shown} is not allowed; allowed are {allowed}")]
        case "additionalProperties":
            known = rule["properties"]
            unknown = sorted(set(found) - set(known))
            return [
                SettingsProblem(path, f"unknown key {json.dumps(key)}; known are {sorted_list(known)}")
                for key in unknown
            ]
        case "required":
            # jsonschema reports one error for each key and names the key only in the message.
            missing = next(key for key in limit if f"'{key}'" in error.message)
            described = rule["properties"][missing].get("description", "")
            return [SettingsProblem(path, f"{json.dumps(missing)} is missing. {described}".rstrip())]
        case "uniqueItems":
            twice = sorted({str(item) for item in found if found.count(item) > 1})
            return [SettingsProblem(path, f"{', '.join(twice)} appears more than once; remove the repetition")]
        case "minItems":
            return [SettingsProblem(path, f"must not be empty. {meant}".rstrip())]
        case "maxItems":
            return [SettingsProblem(path, f"{len(found)} entries are more than the {limit} allowed. {meant}".rstrip())]
    return [SettingsProblem(path, f"{shown} is not allowed here. {meant}".rstrip())]
