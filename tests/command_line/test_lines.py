"""`alb-sg check --format jsonl`: the same lines however many files there are, and however many processes read them."""

from __future__ import annotations

import copy
import gzip
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from alb_sg.command_line import streaming
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.findings.finding import Finding
from alb_sg.findings.judge import judge_all
from alb_sg.report.json_report import finding_object
from benchmarks.snapshot_files import snapshot_file
from tests.command_line.calling import Answer, Command
from tests.estate.example import Shape, write
from tests.tools import HANGING

SIZE = 20


def items_of(account: int) -> list[Shape]:
    items: list[Shape] = json.loads(gzip.decompress(snapshot_file(SIZE, account).read_bytes()))["configurationItems"]
    return items


def checked(command: Command, *paths: str, jobs: int = 1) -> Answer:
    given = [word for path in paths for word in ("--config-items", path)]
    return command("check", *given, "--format", "jsonl", "--jobs", str(jobs))


def expected(*paths: str) -> str:
    """What all files together say, a line for each verdict, by account, region, ARN and rule."""
    found: list[Finding] = []
    for estate in link_estates(read_config_items(paths)):
        findings, errors = judge_all(estate, list(estate.load_balancers.values()), select_rules((), ()).rules)
        assert not errors
        found += findings
    found.sort(key=lambda finding: finding.sort_key)
    return "".join(json.dumps(finding_object(finding), ensure_ascii=False) + "\n" for finding in found)


@pytest.fixture
def read_together(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What files that were read together rather than apart gave: empty where none were."""
    seen: list[object] = []
    write_lines = streaming.stream_json_lines

    def watched(*given: Any) -> Any:
        seen.append(write_lines(*given))
        return seen[-1]

    monkeypatch.setattr("alb_sg.command_line.commands.check.stream_json_lines", watched)
    return seen


@pytest.mark.parametrize("jobs", [1, 2])
def test_accounts_are_judged_apart(command: Command, read_together: list[object], jobs: int) -> None:
    paths = [str(snapshot_file(SIZE, account)) for account in (2, 0, 1)]
    answer = checked(command, *paths, jobs=jobs)
    assert answer.code == 1
    assert answer.out == expected(*paths)
    assert answer.out.count("\n") == 3 * SIZE * 5
    assert not read_together


@pytest.mark.slow
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_processes_start_without_a_copy_of_the_command(method: str, tmp_path: Path) -> None:
    """Python 3.14 starts them by `forkserver` on Linux, macOS and Windows by `spawn`."""
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing\n"
        "from alb_sg.command_line.entry_point import run\n"
        'if __name__ == "__main__":\n'
        f"    multiprocessing.set_start_method({method!r})\n"
        "    run()\n",
        encoding="utf-8",
    )
    paths = [str(snapshot_file(SIZE, account)) for account in (0, 1)]
    given = [word for path in paths for word in ("--config-items", path)]
    done = subprocess.run(  # noqa: S603 (written above)
        [sys.executable, str(program), "check", *given, "--format", "jsonl", "--jobs", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == expected(*paths)


def test_one_file_is_judged_the_same(command: Command) -> None:
    path = str(snapshot_file(300))
    assert checked(command, path).out == expected(path)


def test_files_of_one_account_are_one_estate(command: Command, tmp_path: Path) -> None:
    """Half of each account is in another file, and a later item replaces one in the first."""
    paths = []
    for account in (0, 1):
        items = items_of(account)
        later = copy.deepcopy(next(item for item in items if item["resourceType"] == "AWS::EC2::SecurityGroup"))
        later["configurationItemCaptureTime"] = "2026-03-18T00:00:00.000Z"
        later["configuration"]["ipPermissions"] = []
        for name, some in (("a", items[::2]), ("b", [*items[1::2], later])):
            paths.append(write(tmp_path, {"configurationItems": some}, f"{account}{name}.json"))
    answer = checked(command, *paths, jobs=2)
    assert answer.out == expected(*paths)
    assert answer.out != expected(*[str(snapshot_file(SIZE, account)) for account in (0, 1)])


def test_a_file_of_several_accounts_is_read_with_the_others(
    command: Command, tmp_path: Path, read_together: list[object]
) -> None:
    first, second = items_of(0), items_of(1)
    paths = [
        write(tmp_path, {"configurationItems": [*first, *second[: len(second) // 2]]}, "a.json"),
        write(tmp_path, {"configurationItems": second[len(second) // 2 :]}, "b.json"),
    ]
    assert checked(command, *paths, jobs=2).out == expected(*paths)
    assert read_together


def _moved(type_name: str) -> tuple[list[Shape], list[Shape]]:
    """The items of two accounts, of which the second has all of a type, such as the VPC that it shares."""
    first, second = items_of(0), items_of(1)
    moved = [item for item in first if item["resourceType"] == type_name]
    kept = [item for item in first if item["resourceType"] != type_name]
    return kept, second + [{**item, "awsAccountId": second[0]["awsAccountId"]} for item in moved]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("type_name", ["AWS::EC2::VPC", "AWS::EC2::SecurityGroup", "AWS::EC2::Instance"])
def test_a_resource_of_another_account_is_found(
    command: Command, tmp_path: Path, read_together: list[object], type_name: str, jobs: int
) -> None:
    paths = [
        write(tmp_path, {"configurationItems": items}, f"{number}.json")
        for number, items in enumerate(_moved(type_name))
    ]
    if type_name == "AWS::EC2::Instance":
        # Interfaces tell of instances, too.
        for path in paths:
            _remove(path, "AWS::EC2::NetworkInterface")
    answer = checked(command, *paths, jobs=jobs)
    assert answer.out == expected(*paths)
    assert not read_together
    assert answer.out != checked(command, paths[0]).out


def test_an_address_is_found_in_another_account(command: Command, tmp_path: Path, read_together: list[object]) -> None:
    """Targets that are addresses, and interfaces that the account which shares its VPC has recorded."""
    first, second = _moved("AWS::EC2::NetworkInterface")
    addresses = {
        item["configuration"]["attachment"]["instanceId"]: item["configuration"]["privateIpAddress"]
        for item in second
        if item["resourceType"] == "AWS::EC2::NetworkInterface"
    }
    for item in first:
        if item["resourceType"].endswith("::TargetGroup"):
            item["configuration"]["TargetType"] = "ip"
            for target in item["configuration"]["Targets"]:
                target["Id"] = addresses[target["Id"]]
    # An interface of its own: without any, interfaces would be unrecorded there.
    first.append(next(item for item in items_of(0) if item["resourceType"] == "AWS::EC2::NetworkInterface"))
    paths = [
        write(tmp_path, {"configurationItems": items}, f"{number}.json") for number, items in enumerate((first, second))
    ]
    assert checked(command, *paths, jobs=2).out == expected(*paths)
    assert not read_together


def test_missing_objects_are_looked_up_once(command: Command, tmp_path: Path, read_together: list[object]) -> None:
    """A prefix list of AWS's own, as no account records."""
    paths = []
    for account in (0, 1):
        items = items_of(account)
        for item in items:
            if item["resourceType"].endswith("::SecurityGroup") and item["resourceName"].endswith("web"):
                item["configuration"]["ipPermissions"][1]["prefixListIds"] = [{"prefixListId": "pl-3b927c52"}]
        paths.append(write(tmp_path, {"configurationItems": items}, f"{account}.json"))
    answer = checked(command, *paths, jobs=2)
    assert answer.code == 3
    assert not read_together
    together_again = checked(command, write(tmp_path, [json.loads(Path(path).read_text()) for path in paths], "c.json"))
    assert answer == together_again
    assert read_together


def _remove(path: str, type_name: str) -> None:
    document = json.loads(Path(path).read_text())
    document["configurationItems"] = [
        item for item in document["configurationItems"] if item["resourceType"] != type_name
    ]
    Path(path).write_text(json.dumps(document))


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_come_last(command: Command, tmp_path: Path, jobs: int) -> None:
    paths = []
    for account in (0, 1):
        items = [item for item in items_of(account) if not item["resourceType"].endswith("::TargetGroup")]
        paths.append(write(tmp_path, {"configurationItems": items}, f"{account}.json"))
    answer = checked(command, *paths, jobs=jobs)
    assert answer.code == 3
    found = [json.loads(line) for line in answer.out.splitlines()]
    assert ["error" in line for line in found] == [False] * 2 * 2 * SIZE + [True] * 2 * 3 * SIZE
    arns = [line["error"]["loadBalancerArn"] for line in found[4 * SIZE :]]
    assert arns == sorted(arns)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_is_wrong_is_named_and_the_others_are_judged(command: Command, tmp_path: Path, jobs: int) -> None:
    items = items_of(1)
    number, group = next(pair for pair in enumerate(items) if pair[1]["resourceType"].endswith("::SecurityGroup"))
    group["awsAccountId"] = "12"
    bad = write(tmp_path, {"configurationItems": items})
    answer = checked(command, str(snapshot_file(SIZE)), bad, jobs=jobs)
    assert (answer.code, answer.err) == (3, "")
    *verdicts, error = [json.loads(line) for line in answer.out.splitlines()]
    assert error["error"]["cause"].startswith(f"{bad}: configurationItems[{number}]")
    assert [json.dumps(line) for line in verdicts] == [
        json.dumps(json.loads(line)) for line in checked(command, str(snapshot_file(SIZE)), jobs=1).out.splitlines()
    ]


@pytest.fixture
def forked() -> Iterator[None]:
    """Processes are forked: others would not know of what a test replaces."""
    started = multiprocessing.get_start_method()
    multiprocessing.set_start_method("fork", force=True)
    yield
    multiprocessing.set_start_method(started, force=True)


@pytest.mark.usefixtures("forked")
def test_the_files_of_a_lost_process_are_judged_together(
    command: Command, monkeypatch: pytest.MonkeyPatch, read_together: list[object]
) -> None:
    """As where the system ends one for want of memory."""
    mine = os.getpid()

    def reads(paths: list[str]) -> Any:
        if os.getpid() != mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return read_config_items(paths)

    monkeypatch.setattr("alb_sg.command_line.parallel.read_config_items", reads)
    paths = [str(snapshot_file(SIZE, account)) for account in (0, 1)]
    assert checked(command, *paths, jobs=2).out == expected(*paths)
    assert read_together


@pytest.fixture
def reading_for_ever(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A command, with `--jobs 2`, whose processes say `reading` and go on as long as nobody ends them."""
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, os, time\n"
        "from alb_sg.command_line import parallel\n"
        "from alb_sg.command_line.entry_point import run\n"
        "def reads(paths):\n"
        "    os.write(1, b'reading\\n')\n"
        f"    time.sleep({2 * HANGING})\n"
        "parallel.read_config_items = reads\n"
        "multiprocessing.set_start_method('fork')\n"
        "run()\n",
        encoding="utf-8",
    )
    given = [word for account in (0, 1) for word in ("--config-items", str(snapshot_file(SIZE, account)))]
    with subprocess.Popen(  # noqa: S603 (written above)
        [sys.executable, str(program), "check", *given, "--format", "jsonl", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            assert started.stdout is not None
            assert [started.stdout.readline() for _ in range(2)] == ["reading\n", "reading\n"]
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)


@pytest.mark.slow
def test_an_interrupt_ends_the_processes(reading_for_ever: subprocess.Popen[str]) -> None:
    reading_for_ever.send_signal(signal.SIGINT)
    # Both pipes end with the last process that holds them.
    assert reading_for_ever.communicate(timeout=HANGING) == ("", "alb-sg: interrupted\n")
    assert reading_for_ever.returncode == 130


@pytest.mark.slow
@pytest.mark.parametrize(
    "signals",
    [
        # The second one may arrive before the command has ended any process.
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM,),
        (signal.SIGKILL,),
    ],
    ids=["interrupted twice", "terminated", "killed"],
)
def test_processes_do_not_outlive_the_command(
    reading_for_ever: subprocess.Popen[str], signals: Sequence[signal.Signals]
) -> None:
    for number in signals:
        reading_for_ever.send_signal(number)
    reading_for_ever.communicate(timeout=HANGING)
    assert reading_for_ever.returncode != 0


@pytest.mark.parametrize("jobs", ["0", "-1", "two", ""])
def test_jobs_is_a_number(command: Command, jobs: str) -> None:
    assert "not a number of processes" in command.refused("check", "--config-items", "x.json", f"--jobs={jobs}")
