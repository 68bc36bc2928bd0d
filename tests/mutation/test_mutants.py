"""The mutants of a module: what is changed, where, and what is left alone."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from tests.mutation.mutants import mutants


def changed(source: str) -> list[str]:
    """The sources of all mutants of a module."""
    source = dedent(source)
    return [ast.unparse(mutant.apply_to(source)) for mutant in mutants(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == b", ["a != b"]),
        ("a < b", ["a <= b", "not a < b"]),
        ("a in b", ["a not in b"]),
        ("a and b and c", ["a or b or c", "b and c", "a and c", "a and b"]),
        ("a or b", ["a and b", "b", "a"]),
        ("not a", ["a"]),
        ("a + b", ["a - b"]),
        ("a | b", ["a & b", "a", "b"]),
        ("a - b", ["a + b", "a"]),
        ("a if b else c", ["a if True else c", "a if False else c"]),
        ("[a for a in b if c]", ["[a for a in b]"]),
        ("x = any(a)", ["x = all(a)"]),
        ("a(3)", ["pass", "a(4)"]),
        ("a[0]", ["a[1]"]),
        ("a(True)", ["pass", "a(False)"]),
        ("a['b']", ["a['b~']"]),
        ("x = a.get('b', 'c')", ["x = a.get('b~', 'c')"]),
        ("a.b = c", ["pass"]),
        ("a += b", ["pass"]),
    ],
)
def test_each_operator(source: str, expected: list[str]) -> None:
    assert sorted(changed(source)) == sorted(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "a: Literal[3] = b",
        "def f(a: int | None) -> int | None: ...",
        "x = 'text'",
        "@dataclass(frozen=True)\nclass A: ...",
        "x = zip(a, b, strict=True)",
        "if TYPE_CHECKING:\n    x = 3",
        "from a import b",
        "x = 'a text ' + name",
    ],
)
def test_code_without_behaviour_has_no_mutant(source: str) -> None:
    assert changed(source) == []


def test_statements_of_a_function() -> None:
    source = """
    def f(a, b=3):
        if a:
            raise ValueError
        try:
            b = g()
        except (KeyError, TypeError):
            return None
        return b
    """
    found = "\n---\n".join(changed(source))
    for part in (
        "def f(a, b=4)",
        "if True:",
        "if False:",
        "if a:\n        pass",
        "except (KeyError,):",
        "except (TypeError,):",
        "except (KeyError, TypeError):\n        raise",
        "try:\n        pass",
        "return None\n    return None",
    ):
        assert part in found, part


def test_a_mutant_knows_its_function_and_its_lines() -> None:
    source = dedent(
        """\
        LIMIT = 3

        class A:
            field: int = 4

            def method(self, given=5):
                def inner():
                    return [
                        6,
                    ]
                if (
                    given
                    == 7
                ):
                    return 8
        """
    )
    found = {mutant.change: mutant for mutant in mutants(source)}
    places = {number: found[f"{number} becomes {number + 1}"] for number in range(3, 9)}
    # What an import executes belongs to no function, defaults included.
    assert [places[number].function for number in (3, 4, 5)] == [None, None, None]
    # The code of an inner function is a part of the outer one's.
    assert {places[number].function for number in (6, 7, 8)} == {"A.method"}
    assert places[6].names == ("A", "method", "inner")
    assert (places[6].first_line, places[6].last_line) == (8, 10)
    # The head of a statement, without what is inside.
    assert (places[7].first_line, places[7].last_line) == (11, 14)
