"""Runs the rules' own tests, and imports every module, on each Python here with the oldest boto3 and the newest.

    python -m tests.compatibility FOLDER [--this-python]

FOLDER keeps an environment for each combination, made from requirements/oldest.txt or requirements/demo.txt. With
`--this-python`, only this interpreter's version runs, with the oldest boto3: the other one is what all tests run on.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OLDEST, NEWEST = "oldest", "demo"
# Needs the extra `deploy`, which runs on the machine of a maintainer alone.
LEFT_OUT = "alb_sg.deployment"
IMPORT_ALL = f"""
import importlib, pkgutil, alb_sg
names = [one.name for one in pkgutil.walk_packages(alb_sg.__path__, "alb_sg.") if not one.name.startswith("{LEFT_OUT}")]
for name in names:
    name.endswith("__main__") or importlib.import_module(name)
import boto3, botocore
print(f"boto3 {{boto3.__version__}}, botocore {{botocore.__version__}}, {{len(names)}} modules", end="")
"""


class Combination(NamedTuple):
    version: str
    lock: str
    python: str


def combinations(*, this_python: bool) -> Iterator[Combination]:
    """What this machine can run; says which versions it lacks."""
    if this_python:
        yield Combination("{}.{}".format(*sys.version_info), OLDEST, sys.executable)
        return
    for version in VERSIONS:
        python = find_python(version)
        if python is None:
            print(f"Python {version}: not on this machine, NOT run")
            continue
        for lock in (OLDEST, NEWEST):
            yield Combination(version, lock, python)


def find_python(version: str) -> str | None:
    """A Python of the version that can make environments."""
    own = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in (*map(str, own), shutil.which(f"python{version}")):
        if candidate and _run(candidate, "-c", "import ensurepip, venv").returncode == 0:
            return candidate
    return None


def prepare(combination: Combination, folder: Path) -> str:
    """The Python of the combination's environment, made anew when its lock has changed."""
    lock = ROOT / "requirements" / f"{combination.lock}.txt"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    environment = folder / f"{combination.version}-{combination.lock}"
    ready, python = environment / ".ready", str(environment / "bin" / "python")
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        _succeed(combination.python, "-m", "venv", "--clear", str(environment))
        quiet = ("--quiet", "--disable-pip-version-check")
        _succeed(python, "-m", "pip", "install", *quiet, "--require-hashes", "--requirement", str(lock))
        _succeed(python, "-m", "pip", "install", *quiet, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        ready.write_text(wanted, encoding="utf-8")
    return python


def run(python: str) -> str:
    """Imports everything and runs the tests of every rule as rdk does; returns what ran."""
    said = _succeed(python, "-c", IMPORT_ALL).stdout
    count = 0
    for rule in sorted((ROOT / "rules").glob("*/*_test.py")):
        done = _succeed(python, "-m", "unittest", rule.stem, folder=rule.parent)
        count += int(done.stderr.split("Ran ", 1)[1].split(" ", 1)[0])
    return f"{said}, {count} tests of rules"


def _run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 (Pythons found here)


def _succeed(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    done = _run(*command, folder=folder)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--this-python", action="store_true")
    arguments = parser.parse_args()
    for combination in combinations(this_python=arguments.this_python):
        python = prepare(combination, arguments.folder.absolute())
        print(f"Python {combination.version}: {run(python)}", flush=True)


if __name__ == "__main__":
    main()
