"""Trying mutants of a small checkout: what its tests notice, what they do not, and what they never run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.outcomes import Outcome, Tried
from tests.mutation.session import Assignment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODULE = "alb_sg/room/ages.py"
SOURCE = """
import threading

LIMIT = 18

class Person:
    def __init__(self, age):
        self.age = age

    def may_vote(self):
        return self.age >= LIMIT

    def is_retired(self):
        return self.age > 67

def countdown(number):
    while number != 0:
        number -= 1
    return number

def ticket(ready=True):
    gate = threading.Event()
    if ready:
        gate.set()
    gate.wait()
    return True

def never_called(number):
    return number + 1
"""
# They import the function as a name of their own, which a mutant must reach too.
TESTS = """
from alb_sg.room.ages import Person, countdown, ticket

def test_votes():
    assert Person(18).may_vote()
    assert not Person(17).may_vote()

def test_is_retired():
    assert Person(80).is_retired()

def test_countdown():
    assert countdown(3) == 0

def test_ticket():
    assert ticket()
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What becomes of each mutant, by its line in `SOURCE` and its change."""
    root = tmp_path_factory.mktemp("checkout")
    (root / MODULE).parent.mkdir(parents=True)
    for folder in ("alb_sg", "alb_sg/room"):
        (root / folder / "__init__.py").touch()
    (root / MODULE).write_text(dedent(SOURCE), encoding="utf-8")
    (root / "test_ages.py").write_text(dedent(TESTS), encoding="utf-8")
    found = [(MODULE, tuple(mutant)) for mutant in mutants(dedent(SOURCE))]
    assignment = Assignment(
        str(root), str(root / "recording"), ["alb_sg/room"], str(root / "results"), 2, 60.0, 20.0, found
    )
    (root / "assignment.json").write_text(json.dumps(assignment), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.mutation.session", "-p", "no:terminal", "-p", "no:cacheprovider"],
        cwd=root,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(root), str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "ALB_SG_MUTATION": str(root / "assignment.json"),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # No file was changed.
    assert (root / MODULE).read_text(encoding="utf-8") == dedent(SOURCE)
    lines = dedent(SOURCE).splitlines()
    results = [
        Tried.from_json(json.loads(line)) for line in (root / "results").read_text(encoding="utf-8").splitlines()
    ]
    return {f"{lines[one.mutant.line - 1].strip()}: {one.mutant.change}": one.outcome for one in results}


@pytest.mark.parametrize(
    ("mutant", "outcome"),
    [
        ("return self.age >= LIMIT: GtE becomes Gt", Outcome.KILLED),
        ("return self.age >= LIMIT: None is returned", Outcome.KILLED),
        ("self.age = age: `self.age = age` is dropped", Outcome.KILLED),
        # Its test has one case, which the limit does not decide.
        ("return self.age > 67: Gt becomes GtE", Outcome.SURVIVED),
        ("return self.age > 67: 67 becomes 68", Outcome.SURVIVED),
        ("return self.age > 67: Gt is turned round", Outcome.KILLED),
        # Without end; what counts is the processor time, however busy the machine is.
        ("number -= 1: `number -= 1` is dropped", Outcome.TIMED_OUT),
        # Without processor time.
        ("gate.set(): `gate.set()` is dropped", Outcome.TIMED_OUT),
        ("return number + 1: Add becomes Sub", Outcome.UNTESTED),
        ("LIMIT = 18: 18 becomes 19", Outcome.AT_IMPORT),
    ],
)
def test_a_mutant_has_its_outcome(tried: dict[str, Outcome], mutant: str, outcome: Outcome) -> None:
    assert tried[mutant] is outcome
