"""`python -m benchmarks`: what it runs, what it writes, and when it fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.table import RATIO_UNIT, Row

MADE = {
    "quick": Row("quick: a figure", 12, "µs", None, "", "once"),
    "ratio": Row("ratio: a comparison", 1.8, RATIO_UNIT, 1.7, "the floor", "18 against 10"),
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of results, for two benchmarks that need no time and one whose results are wrong."""
    for name, row in MADE.items():
        _module(monkeypatch, name, [row], wrong=False)
    _module(monkeypatch, "broken", [], wrong=True)
    monkeypatch.setattr(command, "BENCHMARKS", tuple(MADE))
    monkeypatch.setattr(command, "RESULTS", tmp_path / "RESULTS.md")
    return tmp_path / "RESULTS.md"


def _module(monkeypatch: pytest.MonkeyPatch, name: str, made: list[Row], *, wrong: bool) -> None:
    def rows() -> Iterator[Row]:
        yield from made
        assert not wrong, "41 load balancers are COMPLIANT, not 40"

    module = ModuleType(f"benchmarks.{name}")
    module.rows = rows  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_all_are_written_ratios_first(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    text = results.read_text(encoding="utf-8")
    assert text.index("ratio: a comparison") < text.index("quick: a figure")
    assert f"| 1.8 {RATIO_UNIT} | ≤ 1.7 {RATIO_UNIT} | **missed** | the floor | 18 against 10 |" in text
    assert f"Python {'.'.join(map(str, sys.version_info[:3]))}" in text
    out = capsys.readouterr().out
    assert out.index("quick: a figure") < out.index("ratio: a comparison")
    assert "MISSED" in out


def test_some_are_shown_and_not_written(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["ratio,quick"]) == 0
    assert "quick: a figure" in capsys.readouterr().out
    assert not results.exists()


def test_a_wrong_result_fails(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "BENCHMARKS", ("broken", "quick"))
    assert command.main([]) == 1
    shown = capsys.readouterr()
    assert "41 load balancers" in shown.err
    assert "wrong results in broken" in shown.err
    assert "quick: a figure" in shown.out
    assert not results.exists()


def test_an_unknown_name_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["quik"])
    assert "no benchmark is called quik; there are quick, ratio" in capsys.readouterr().err


# What each takes most of its time for, and how much of it is enough to see its results checked.
SMALL: Mapping[str, Mapping[str, Any]] = {
    "judging": {"SIZES": (40,), "RUNS": 1, "EXTREME_ESTATES": {}},
    "planned": {"RUNS": 1},
    "calls": {"SIZE": 40},
    "event": {"FOLLOWED_LIMITS": {10: 20}},
    "hook": {},
    "functions": {"RUNS": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_result_is_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark whose own checks fail writes no results, and is run by hand too seldom to notice."""
    module = import_module(f"benchmarks.{name}")
    for constant, value in SMALL[name].items():
        monkeypatch.setattr(module, constant, value)
    rows = list(module.rows())
    assert rows
    assert all(row.value >= 0 for row in rows)
