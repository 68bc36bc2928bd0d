"""The ways in which a template can be deployed: every condition and allowed value that matters, chosen.

An evaluation asks for a choice where it needs one. What nothing asks for multiplies nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from alb_sg.errors import InvalidInputError

T = TypeVar("T")

# More ways than this are refused.
MAX_SCENARIOS = 256
# The most parameters that the refusal names.
MAX_NAMED = 8


class Option(NamedTuple):
    """One answer to a choice, and the choice in words."""

    value: object
    assumption: str


class TooManyWaysError(InvalidInputError):
    """There are more than MAX_SCENARIOS ways. `remedy` names parameters that would make it fewer."""

    def __init__(self, remedy: str) -> None:
        super().__init__(f"the templates can be deployed in more than {MAX_SCENARIOS} ways that matter; {remedy}")
        self.remedy = remedy


class NeedsChoiceError(Exception):
    """An evaluation needs a choice that has not been made. Never leaves this room."""

    def __init__(self, key: Hashable, options: Sequence[Option], parameter: str) -> None:
        super().__init__(key)
        self.key = key
        self.options = options
        # What the choice is about, such as `parameter Scheme`.
        self.parameter = parameter


class UndeployableError(InvalidInputError):
    """CloudFormation would refuse the template with the choices that were made."""

    def at(self, place: str) -> UndeployableError:
        return UndeployableError(self.message, place)


class Choices:
    """The choices made so far."""

    def __init__(self, made: Mapping[Hashable, Option] | None = None) -> None:
        self._made = dict(made or {})
        self._literals = {
            (key[1], key[2]): key[3]
            for key, option in self._made.items()
            if isinstance(key, tuple) and key[0] == "is" and option.value is True
        }

    def choose(self, key: Hashable, options: Sequence[Option], parameter: str) -> object:
        """What was chosen. Raises NeedsChoiceError if nothing was, and there is something to choose."""
        if key in self._made:
            return self._made[key].value
        if len(options) == 1:
            return options[0].value
        raise NeedsChoiceError(key, options, parameter)

    def extended(self, key: Hashable, option: Option) -> Choices:
        return Choices({**self._made, key: option})

    def literal_of(self, stack: str, name: str) -> str | None:
        """The value of a parameter, where a choice says what it is."""
        chosen = self._made.get(("value", stack, name))
        if chosen is not None and isinstance(chosen.value, str):
            return chosen.value
        return self._literals.get((stack, name))

    @property
    def assumptions(self) -> tuple[str, ...]:
        return tuple(option.assumption for option in self._made.values())


def enumerate_choices(
    evaluate: Callable[[Choices], T], is_wanted: Callable[[T], bool] = lambda _: True
) -> list[tuple[T, tuple[str, ...]]]:
    """The result of every combination of choices, with the choices in words.

    A combination that cannot be deployed is left out. Raises InvalidInputError if none with a wanted result can be, and
    TooManyWaysError.
    """
    undeployable: UndeployableError | None = None
    found: list[tuple[T, tuple[str, ...]]] = []
    pending = [Choices()]
    asked: dict[str, None] = {}
    while pending:
        choices = pending.pop()
        try:
            found.append((evaluate(choices), choices.assumptions))
        except UndeployableError as error:
            undeployable = undeployable or error
        except NeedsChoiceError as needed:
            asked[needed.parameter] = None
            pending.extend(choices.extended(needed.key, option) for option in reversed(needed.options))
        if len(found) + len(pending) > MAX_SCENARIOS:
            names = list(asked)
            more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
            remedy = f"give values with --template-parameter for some of {', '.join(names[:MAX_NAMED])}{more}"
            raise TooManyWaysError(remedy)
    if undeployable is not None and not any(is_wanted(result) for result, _ in found):
        raise undeployable
    return found
