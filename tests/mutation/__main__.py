"""`python -m tests.mutation [MUTANTS] [SEED] [ROOM]`: changes one thing in a copy of the checkout and runs its tests.

A mutant that no test notices survives: it is printed with its place. The sample is drawn from every mutant of `ROOMS`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
# The modules, and the tests that should notice. The quick ones come first.
JUDGING = (
    "tests/permissions",
    "tests/recommendations",
    "tests/semantics",
    "tests/findings",
    "tests/samples",
    "tests/properties",
)
ROOMS: dict[str, tuple[str, ...]] = {
    "alb_sg/permissions": JUDGING,
    "alb_sg/recommendations": JUDGING,
    "alb_sg/findings": (*JUDGING, "tests/report", "tests/command_line", "tests/exemptions"),
    "alb_sg/remediation": ("tests/remediation", "tests/command_line"),
    "alb_sg/config_rule": ("tests/config_rule", "rules"),
}
# Nobody reads these fast, and no verdict or change hangs on them.
LEFT_OUT = frozenset(
    {"rdk_files.py", "cold_start.py", "iam_actions.py", "snippets.py", "terraform.py", "cloudformation.py"}
)
NOT_COPIED = (".git", ".venv*", "node_modules", ".mypy_cache", "dist")
TIMEOUT = 900


def find_mutants() -> list[tuple[str, Mutant]]:
    return [
        (str(path.relative_to(ROOT)), mutant)
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.name not in LEFT_OUT and path.name != "__init__.py"
        for mutant in mutants(path.read_text(encoding="utf-8"))
    ]


def is_killed(copy: Path, module: str, mutant: Mutant) -> bool:
    path = copy / module
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.apply_to(original), encoding="utf-8")
    tests = next(tests for room, tests in ROOMS.items() if module.startswith(f"{room}/"))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(  # noqa: S603 (pytest)
            command, cwd=copy, env=environment, check=False, capture_output=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(original, encoding="utf-8")
    return done.returncode != 0


def main(count: int, seed: int, only: str) -> int:
    every = [found for found in find_mutants() if found[0].startswith(only)]
    chosen = Random(seed).sample(every, min(count, len(every)))
    start, killed = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="alb-sg-mutants-") as folder:
        copy = Path(folder, "checkout")
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "node_modules", ".mypy_cache", "dist")
        )
        for number, (module, mutant) in enumerate(chosen, 1):
            if is_killed(copy, module, mutant):
                killed += 1
            else:
                sys.stdout.write(f"survives: {module}, line {mutant.line}: {mutant.change}\n")
            sys.stdout.flush()
            sys.stderr.write(f"{number} of {len(chosen)}, {killed} killed, {time.monotonic() - start:.0f} s\n")
    sys.stdout.write(f"{killed} of {len(chosen)} mutants killed ({len(every)} there are, seed {seed})\n")
    return 0 if killed >= 0.95 * len(chosen) else 1


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *("200", "1", "")[len(sys.argv) - 1 :]]
    sys.exit(main(int(arguments[0]), int(arguments[1]), arguments[2]))
