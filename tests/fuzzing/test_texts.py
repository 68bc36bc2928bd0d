"""Parsers of texts take what is changed byte by byte, or refuse it. `make fuzz` tries more."""

from __future__ import annotations

import pytest

from alb_sg.errors import InvalidInputError
from tests.fuzzing.texts import PARSERS, refused_badly

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", PARSERS)
def test_a_changed_text_is_taken_or_refused(name: str) -> None:
    assert list(refused_badly(name, 300, 1)) == []


@pytest.mark.parametrize("name", PARSERS)
def test_the_texts_that_are_changed_are_taken(name: str) -> None:
    """What every parser refuses at its first byte tries nothing."""
    for text in PARSERS[name].texts:
        try:
            PARSERS[name].parse(text)
        except InvalidInputError as error:
            pytest.fail(f"{text!r}: {error}")
