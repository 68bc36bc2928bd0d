"""Options from the environment and from a configuration file, for what the command line does not give.

The file is `alb-sg.toml` in the current folder, else the table `[tool.alb-sg]` of `pyproject.toml` there. A key is the
name of a long option without its dashes. Keys at the top are for every command that has the option, those in a table
with a command's name for that command:

    region = ["eu-west-1", "us-east-1"]
    exemptions = "s3://governance/alb-sg/exemptions.json"

    [check]
    fail-on = "high"

The environment has `ALB_SG_REGION` and so on, with the words of a repeatable option separated by spaces. It takes
precedence over the file, and the command line over both.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alb_sg.command_line.suggestions import did_you_mean
from alb_sg.errors import InvalidInputError
from alb_sg.observations.applied_options import COMMAND_LINE, AppliedOption

FILE_NAME = "alb-sg.toml"
PROJECT_FILE_NAME = "pyproject.toml"
TABLE_NAME = "alb-sg"
VARIABLE_PREFIX = "ALB_SG_"
# What several commands take. Other options stand in the table of their command.
SHARED_KEYS = (
    "accounts",
    "aggregator",
    "assume-role",
    "config-items",
    "estate",
    "exemptions",
    "external-id",
    "parameter",
    "profile",
    "region",
    "rule",
    "session-name",
    "settings",
    "source",
)
# Choosing one source on the command line leaves out every other source of the configuration.
SOURCE_KEYS = frozenset({"aggregator", "config-items", "estate", "source", "template", "terraform-plan"})
FILE_SOURCE_KEYS = frozenset({"config-items", "estate"})
# How other accounts are read, live.
ROLE_KEYS = frozenset({"assume-role", "external-id", "resume", "session-name"})
LIVE_KEYS = ROLE_KEYS | {"profile", "region"}
# Only the command line may ask for a change of an account.
REFUSED_KEYS = frozenset({"apply", "debug", "help", "undo", "yes"})
# The options of the command line that results depend on. What a template's parameters hold may be secret.
RESULT_KEYS = (
    "account",
    "accounts",
    "aggregator",
    "assume-role",
    "config-items",
    "date",
    "estate",
    "exemptions",
    "load-balancer",
    "name",
    "owner",
    "owner-tag",
    "parameter",
    "profile",
    "region",
    "rule",
    "settings",
    "severity",
    "source",
    "status",
    "tag",
    "template",
    "template-defaults",
    "terraform-plan",
    "unit",
    "verdicts",
)
SECRET_KEYS = frozenset({"template-parameter"})


@dataclass(frozen=True)
class _Setting:
    """An option's values and where they come from."""

    key: str
    values: Sequence[str]
    origin: str


def configured_words(
    command: str, commands: Sequence[str], parser: argparse.ArgumentParser, words: Sequence[str]
) -> tuple[list[str], list[str], list[AppliedOption]]:
    """The words to put before those of the command line, a sentence on each for `--verbose`, and the options.

    Raises InvalidInputError for a file that cannot be read, and for a key or value that fits no option.
    """
    actions = {
        option.removeprefix("--"): action
        for action in parser._actions  # noqa: SLF001 (argparse has no public list of options)
        for option in action.option_strings
        if option.startswith("--")
    }
    given = {key for key, action in actions.items() if _is_given(action, words)}
    settings: dict[str, _Setting] = {}
    for setting in (*_environment_settings(actions), *_file_settings(command, commands, actions)):
        settings.setdefault(setting.key, setting)
    if given & SOURCE_KEYS:
        left_out = SOURCE_KEYS if given & SOURCE_KEYS <= {"source"} else SOURCE_KEYS | ROLE_KEYS
        settings = {key: one for key, one in settings.items() if key not in left_out}
    if (given | settings.keys()) & FILE_SOURCE_KEYS:
        settings = {key: one for key, one in settings.items() if key not in LIVE_KEYS}
    added: list[str] = []
    sentences: list[str] = []
    applied: list[AppliedOption] = []
    for key, setting in settings.items():
        if key not in given:
            option_words = _option_words(actions[key], setting)
            added += option_words
            text = f"--{key}=…" if key in SECRET_KEYS else " ".join(option_words) or f"no --{key}"
            sentences.append(f"{text} from {setting.origin}")
            values = () if key in SECRET_KEYS else tuple(setting.values)
            applied.append(AppliedOption(f"--{key}", values, setting.origin))
    return added, sentences, applied


def options_of_the_command_line(
    parser: argparse.ArgumentParser, words: Sequence[str], arguments: argparse.Namespace
) -> list[AppliedOption]:
    """The options of the command line that results depend on, with what they were read as."""
    return [
        AppliedOption(option, _texts(getattr(arguments, action.dest)), COMMAND_LINE)
        for action in parser._actions  # noqa: SLF001 (as above)
        for option in action.option_strings
        if option.removeprefix("--") in RESULT_KEYS and _is_given(action, words)
    ]


def _texts(value: Any) -> tuple[str, ...]:
    """A value, or those of a list, as the command line has them."""
    every = value if isinstance(value, list) else [value]
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in every)


def _is_given(action: argparse.Action, words: Sequence[str]) -> bool:
    return any(
        word == option
        or word.startswith(f"{option}=")
        or (not option.startswith("--") and not word.startswith("--") and word.startswith(option))
        for word in words
        for option in action.option_strings
    )


def _option_words(action: argparse.Action, setting: _Setting) -> list[str]:
    if action.nargs == 0:
        if list(setting.values) not in (["true"], ["false"]):
            raise InvalidInputError(f"--{setting.key} is either true or false", setting.origin)
        return [f"--{setting.key}"] if setting.values[0] == "true" else []
    if len(setting.values) != 1 and not isinstance(action.default, list):
        raise InvalidInputError(f"--{setting.key} takes one value", setting.origin)
    return [f"--{setting.key}={value}" for value in setting.values]


def _environment_settings(actions: Mapping[str, argparse.Action]) -> Iterator[_Setting]:
    for key, action in actions.items():
        variable = VARIABLE_PREFIX + key.upper().replace("-", "_")
        value = os.environ.get(variable)
        if value and key not in REFUSED_KEYS:
            yield _Setting(key, value.split() if isinstance(action.default, list) else [value], variable)


def _file_settings(command: str, commands: Sequence[str], actions: Mapping[str, argparse.Action]) -> Iterator[_Setting]:
    place, content = _read_file()
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    for name in tables:
        if name not in commands:
            raise InvalidInputError(f"there is no command {name!r}{did_you_mean(name, commands)}", place)
    shared = {key: value for key, value in content.items() if key not in tables}
    for key, value in tables.get(command, {}).items():
        if key not in actions or key in REFUSED_KEYS:
            hint = did_you_mean(key, actions.keys() - REFUSED_KEYS)
            raise InvalidInputError(f"alb-sg {command} takes no {key!r} from a file{hint}", f"{place}: [{command}]")
        yield _Setting(key, _values(value, key, place), place)
    for key, value in shared.items():
        if key not in SHARED_KEYS:
            hint = did_you_mean(key, SHARED_KEYS)
            raise InvalidInputError(f"{key!r} is not for all commands; put it into a command's table{hint}", place)
        if key in actions:
            yield _Setting(key, _values(value, key, place), place)


def _values(value: Any, key: str, place: str) -> tuple[str, ...]:
    if not all(isinstance(one, (str, int)) for one in (value if isinstance(value, list) else [value])):
        raise InvalidInputError(f"{key} is text, a whole number, true or false, or a list of them", place)
    return _texts(value)


def _read_file() -> tuple[str, Mapping[str, Any]]:
    """The name and the content of the configuration file; no content without one."""
    for name in (FILE_NAME, PROJECT_FILE_NAME):
        path = Path(name)
        if not path.is_file():
            continue
        import tomllib  # noqa: PLC0415 (slow, and most runs have no such file)

        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInputError(f"cannot be read ({error.strerror or error})", name) from error
        except ValueError as error:
            # Another tool's problem, where the file is another's.
            if name == PROJECT_FILE_NAME:
                continue
            if isinstance(error, UnicodeDecodeError):
                place = f"byte {error.start + 1}"
                raise InvalidInputError(f"is not UTF-8 text ({place}); save it as UTF-8", name) from error
            raise InvalidInputError(f"is not TOML ({error})", name) from error
        if name == FILE_NAME:
            return name, content
        table = content.get("tool", {}).get(TABLE_NAME)
        if isinstance(table, dict):
            return f"{name}: [tool.{TABLE_NAME}]", table
    return FILE_NAME, {}
