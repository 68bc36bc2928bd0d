"""The command as a whole: help, version, bad calls, where output goes, and how it ends early."""

from __future__ import annotations

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alb_sg import __version__
from alb_sg.parameters import PARAMETERS
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, USER_GUIDE_URL
from benchmarks.snapshot_files import snapshot_file
from tests.builders import (
    Saved,
    behind,
    estate,
    group,
    interface,
    load_balancer,
    network_load_balancer,
    tcp,
    vpc,
)
from tests.command_line.calling import Answer, Command, closed, in_order
from tests.tools import HANGING

COMMANDS = ("check", "explain", "export", "what-if", "fix", "rules", "exemptions")
# The console script, where the package is installed.
ALB_SG = Path(sys.executable).with_name("alb-sg")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_description_examples_and_exit_codes(command: Command, name: str) -> None:
    answer = command(name, "--help")
    assert answer.code == 0
    assert "examples:" in answer.out
    assert f"alb-sg {name}" in answer.out
    assert "exit codes:" in answer.out


@pytest.mark.parametrize("name", ["check", "explain", "what-if"])
def test_help_says_where_load_balancers_are_read_from(command: Command, name: str) -> None:
    out = command(name, "--help").out
    assert [word for word in ("--estate", "--config-items", "--profile", "credentials") if word not in out] == []


def test_help_names_every_command(command: Command) -> None:
    out = command("--help").out
    assert [name for name in COMMANDS if f"    {name}" not in out] == []


def test_version(command: Command) -> None:
    answer = command("--version")
    assert (answer.code, answer.out) == (0, f"alb-sg {__version__}\n")


@pytest.mark.parametrize("arguments", [("judge",), ("check", "web"), ("explain",), ("export",)])
def test_bad_calls_are_refused(command: Command, arguments: tuple[str, ...]) -> None:
    assert "--help" in command.refused(*arguments)


def test_rules_say_all_that_is_known_of_each(command: Command) -> None:
    answer = command("rules")
    text = " ".join(answer.out.split())
    assert answer.code == 0
    for rule in RECOMMENDATIONS:
        assert [
            fact
            for fact in (rule.name, rule.title, rule.requirement_text, rule.quote, USER_GUIDE_URL)
            if fact not in text
        ] == []
    assert [fact.name for fact in PARAMETERS if fact.meaning not in text] == []


def test_one_rule_has_its_own_parameters_only(command: Command) -> None:
    out = command("rules", "instance_egress").out
    assert "ALB_SG_INSTANCE_EGRESS" in out
    assert "TargetMatch (default effective)" in out
    assert "AcceptedSources" not in out
    assert "ICMP" not in out


def test_egress_rules_do_not_claim_that_egress_is_complete(command: Command) -> None:
    for name in ("instance_egress", "health_check_egress"):
        assert "authenticate" in command("rules", name).out


def test_an_unknown_rule_is_refused(command: Command) -> None:
    assert "'nacl'" in command.refused("rules", "nacl")


def test_output_is_the_same_in_a_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    shown = command.on(closed(), "check", "--format", "json")
    written = command.on(closed(), "check", "--format", "json", "--output", str(path))
    assert (written.code, written.out, written.err) == (1, "", "")
    assert path.read_text(encoding="utf-8") == shown.out
    assert sorted(one.name for one in tmp_path.iterdir()) == ["estate.json", "findings.json"]


def test_output_that_ends_in_gz_is_gzipped_with_the_same_bytes_each_time(command: Command, tmp_path: Path) -> None:
    first, second = tmp_path / "1.gz", tmp_path / "2.gz"
    shown = command.on(closed(), "check", "--format", "jsonl")
    for path in (first, second):
        command.on(closed(), "check", "--format", "jsonl", "--output", str(path))
    assert gzip.decompress(first.read_bytes()).decode() == shown.out
    assert first.read_bytes() == second.read_bytes()


def test_a_refused_run_keeps_the_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text("before")
    command.refused("check", "--estate", str(tmp_path / "absent.json"), "--output", str(path))
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["findings.json"]


def test_a_file_that_is_replaced_keeps_its_mode_and_its_link(command: Command, tmp_path: Path) -> None:
    path, link = tmp_path / "findings.json", tmp_path / "latest.json"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    command.on(in_order(), "check", "--output", str(link))
    assert link.is_symlink()
    assert "1 as recommended" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("place", ["absent/findings.json", ""])
def test_a_place_that_cannot_be_written_is_refused(command: Command, tmp_path: Path, place: str) -> None:
    path = str(tmp_path / place)
    assert path.rstrip("/") in command.refused("check", "--estate", command.file(in_order()), "--output", path)


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(command: Command, tmp_path: Path) -> None:
    said = command.refused("check", "--estate", "absent.json", "--output", str(tmp_path / "absent" / "f"))
    assert "cannot write" in said


def test_a_device_is_written_to_and_stays(command: Command) -> None:
    assert command.on(in_order(), "check", "--output", os.devnull).code == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_colour_is_for_terminals_only(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" not in command.on(closed(), "check").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\x1b[31m" in command.on(closed(), "check").out
    assert "\x1b" not in command.on(closed(), "check", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in command.on(closed(), "check").out


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (the command under test)
        [str(ALB_SG), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def installed(*arguments: str, given: str = "", **environment: str) -> Answer:
    with start(*arguments, **environment) as process:
        out, err = process.communicate(given.encode(), timeout=HANGING)
    return Answer(process.returncode, out.decode(), err.decode())


def test_the_installed_command_answers_with_its_exit_code(command: Command) -> None:
    answer = installed("check", "--estate", command.file(closed()))
    assert (answer.code, answer.err) == (1, "")
    assert "NON_COMPLIANT" in answer.out
    assert "\x1b" not in answer.out


def test_the_installed_command_writes_all_before_it_ends(command: Command) -> None:
    """It ends without Python's own clean-up."""
    items = str(snapshot_file(20))
    answer = installed("check", "--config-items", items, "--format", "jsonl")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out == command("check", "--config-items", items, "--format", "jsonl").out


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no file that is always full")
@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_cannot_be_written_is_no_answer(form: str, unbuffered: str) -> None:
    """Not even one that says that something is NON_COMPLIANT."""
    command = [str(ALB_SG), "check", "--config-items", str(snapshot_file(20)), "--format", form]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 (the command under test)
            command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False, timeout=HANGING
        )
    assert done.returncode == 2
    sentence = b"alb-sg: the output: No space left on device; the output is incomplete\n"
    assert done.stderr == sentence


def test_the_installed_command_refuses_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "bad.json.gz"
    path.write_bytes(gzip.compress(b"{}" * 1000)[:-9])
    answer = installed("check", "--estate", str(path))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"alb-sg: {path}")
    assert answer.err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "call", [("check", "--format", "json"), ("explain", "web"), ("explain", "web", "--format", "json")]
)
def test_same_bytes_whatever_the_order_of_hashes(command: Command, call: tuple[str, ...]) -> None:
    saved = closed(
        load_balancer("web", groups=["sg-1", "sg-2", "sg-3"]),
        group("sg-2", ingress=[tcp(443, "10.0.0.0/8", "sg-app", "sg-1")]),
        group("sg-3", ingress=[tcp(443, "192.0.2.0/24", "198.51.100.0/24")]),
    )
    path = command.file(saved)
    assert installed(*call, "--estate", path, PYTHONHASHSEED="1") == installed(
        *call, "--estate", path, PYTHONHASHSEED="2"
    )


def test_standard_input_is_a_source() -> None:
    given = '{"AccountId": "111122223333", "Region": "us-east-1", "LoadBalancers": []}'
    answer = installed("check", "--estate", "-", given=given)
    assert answer == Answer(0, "No load balancer found in 111122223333 us-east-1.\n", "")


def test_output_is_utf_8_for_programs_whatever_the_locale(command: Command) -> None:
    saved = in_order()
    saved["LoadBalancers"][0]["LoadBalancerName"] = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    path = command.file(saved)
    answer = installed("check", "--estate", path, "--format", "json", PYTHONIOENCODING="ascii")
    assert answer.code == 0
    assert "caf\N{LATIN SMALL LETTER E WITH ACUTE}" in answer.out
    answer = installed("check", "--all", "--estate", path, PYTHONIOENCODING="ascii")
    assert (answer.code, answer.err) == (0, "")
    assert "  caf?  " in answer.out


def _many() -> Saved:
    return estate(*(load_balancer(f"lb-{number}") for number in range(3000)))


def test_a_reader_that_has_enough_ends_the_command_quietly(command: Command) -> None:
    path = command.file(_many())
    with start("check", "--estate", path, "--format", "jsonl") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"accountId"')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """A runner in the background may ignore SIGINT, and a process started by it then does too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_interrupts")
def test_an_interrupt_ends_with_one_line(tmp_path: Path) -> None:
    """The command waits for a pipe that nobody writes to."""
    pipe = tmp_path / "estate.json"
    os.mkfifo(pipe)
    output = tmp_path / "findings.json"
    with start("check", "--estate", str(pipe), "--output", str(output)) as process:
        deadline = time.monotonic() + HANGING
        while not list(tmp_path.glob("findings.json.*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=HANGING)
        finally:
            process.kill()
    assert process.returncode == 130
    assert said == b"alb-sg: interrupted\n"
    assert [one.name for one in tmp_path.iterdir()] == ["estate.json"]


HOSTILE = "\x1b[2J\x9b8m\u202e\u2066"


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every text in a saved estate."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _leaves(member, (*path, index))
    elif isinstance(value, str):
        yield path


def _with_hostile(saved: Saved, path: tuple[str | int, ...]) -> Saved:
    changed: Any = json.loads(json.dumps(saved))
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] += HOSTILE
    return changed  # type: ignore[no-any-return]  # JSON


@pytest.mark.slow
@pytest.mark.parametrize("call", [("explain",), ("explain", "--format", "json"), ("fix",), ("fix", "--format", "json")])
def test_no_value_reaches_the_terminal_as_a_command(command: Command, call: tuple[str, ...]) -> None:
    """Every text of an estate in turn: a terminal obeys control characters, and bidi characters reorder a line."""
    nlb = network_load_balancer("nlb", groups=["sg-nlb"], tags={"team": "edge"})
    shared = {**interface("10.0.1.9", groups=["sg-1"]), "Description": "somebody's"}
    saved = closed(load_balancer("web"), nlb, behind(443), group("sg-nlb"), shared, vpc("10.0.0.0/16"))
    seen = set()
    for path in _leaves(saved):
        answer = command.on(_with_hostile(saved, path), *call, "web")
        shown = answer.out + answer.err
        assert [character for character in shown if not character.isprintable() and character != "\n"] == [], path
        seen.add(answer.code)
    assert 1 in seen or 0 in seen


@pytest.mark.parametrize("arguments", [("fix", "--undo", "x" * 6000), ("check", "--rule", "x" * 6000), ("y" * 6000,)])
def test_a_refusal_does_not_repeat_long_input(command: Command, arguments: tuple[str, ...]) -> None:
    said = command.refused(*arguments)
    assert len(said) < 1200
    assert "characters more" in said
