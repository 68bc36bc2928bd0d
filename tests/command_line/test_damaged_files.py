"""A damaged file of several is named, what it may concern is not judged, and everything else is. Nothing unexpected
ends with exit 1, which means NON_COMPLIANT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.command_line.sources import loading
from alb_sg.findings.judge import Judge
from tests.builders import INGRESS, load_balancer, load_balancer_arn
from tests.command_line.calling import Answer, Command, closed, in_order
from tests.estate.example import ACCOUNT, REGION, config_items

OTHER_ACCOUNT = "999999999999"
SNAPSHOT = f"{ACCOUNT}_Config_{REGION}_ConfigSnapshot_20270131T060000Z_1.json"


def other_account(items: Any) -> Any:
    """The items as of another account."""
    return json.loads(json.dumps(items).replace(ACCOUNT, OTHER_ACCOUNT))


def judged_accounts(answer: Answer) -> set[str]:
    return {finding["accountId"] for finding in answer.json["findings"]}


def folder_of(tmp_path: Path, **files: str | bytes) -> str:
    folder = tmp_path / "items"
    folder.mkdir()
    for name, content in files.items():
        path = folder / f"{name.removesuffix('_json')}.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder)


GOOD = json.dumps(config_items())
OTHERS = json.dumps(other_account(config_items()))


@pytest.mark.parametrize(
    ("damaged", "cause"),
    [
        pytest.param(b"\x1f\x8b damaged", "not gzip data, or damaged", id="gzip data"),
        pytest.param(b'{"configurationItems": [', "not JSON", id="cut off"),
        pytest.param(b'{"a":' * 100_000, "nested too deeply", id="deep nesting"),
        pytest.param(b"\xff{", "not UTF-8", id="another encoding"),
        pytest.param(b"[7]", "an object was expected", id="no item"),
        pytest.param(b"1" * 5000, "not usable JSON", id="a number of 5,000 digits"),
    ],
)
def test_other_files_of_a_folder_are_judged(command: Command, tmp_path: Path, damaged: bytes, cause: str) -> None:
    folder = folder_of(tmp_path, a=damaged, b=GOOD)
    answer = command("check", "--config-items", folder, "--format", "json")
    assert answer.code == 3
    assert judged_accounts(answer) == {ACCOUNT}
    [error] = [error for error in answer.json["errors"] if "a.json" in error["cause"]]
    assert cause in error["cause"]


def test_the_account_of_a_damaged_file_is_known_by_its_readable_items(command: Command, tmp_path: Path) -> None:
    """What the rest of the file says may be newer than what other files say of the same resources."""
    folder = folder_of(tmp_path, a=GOOD, b=OTHERS, c=json.dumps([*config_items(), 7]))
    answer = command("check", "--config-items", folder, "--format", "json")
    assert answer.code == 3
    assert judged_accounts(answer) == {OTHER_ACCOUNT}
    [error] = [error for error in answer.json["errors"] if "c.json" in error["cause"]]
    assert error["what"] == f"LoadBalancers of {ACCOUNT} {REGION}"


def test_the_account_of_a_damaged_file_is_known_by_its_name(command: Command, tmp_path: Path) -> None:
    folder = Path(folder_of(tmp_path, a=GOOD, b=OTHERS))
    (folder / SNAPSHOT).write_bytes(b"\x1f\x8b damaged")
    answer = command("check", "--config-items", str(folder), "--format", "json")
    assert answer.code == 3
    assert judged_accounts(answer) == {OTHER_ACCOUNT}
    [error] = [error for error in answer.json["errors"] if SNAPSHOT in error["cause"]]
    assert error["what"] == f"LoadBalancers of {ACCOUNT} {REGION}"


def test_json_lines_of_several_processes_name_a_damaged_file_too(command: Command, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a=GOOD, b=OTHERS, c=b"\x1f\x8b damaged")
    answer = command("check", "--config-items", folder, "--format", "jsonl", "--jobs", "2")
    assert answer.code == 3
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert {line["accountId"] for line in lines if "compliance" in line} == {ACCOUNT, OTHER_ACCOUNT}
    assert any("c.json" in line["error"]["cause"] for line in lines if "error" in line)


def test_a_folder_of_damaged_files_alone_is_refused(command: Command, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a=b"{", b=b"[")
    assert "not JSON" in command.refused("check", "--config-items", folder)


def test_an_unexpected_error_is_one_sentence_and_not_a_verdict(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(loading, "load_files", fail)
    answer = command.on(closed(), "check")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.count("\n") == 1
    assert "unexpected KeyError in alb_sg/command_line/sources/loading.py, line" in answer.err
    assert "the output is incomplete" in answer.err


def test_an_unexpected_error_of_one_verdict_leaves_the_others(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Judge._find  # noqa: SLF001 (the one place that every rule passes)

    def fail_for_api(self: Judge, found: Any, recommendation: Any, parameters: Any) -> Any:
        if found.name == "api":
            raise RecursionError("surprise")
        return find(self, found, recommendation, parameters)

    monkeypatch.setattr(Judge, "_find", fail_for_api)
    saved = in_order(load_balancer("api"))
    answer = command.on(saved, "check", "--format", "json", "--rule", INGRESS)
    assert answer.code == 3
    assert [finding["loadBalancerName"] for finding in answer.json["findings"]] == ["web"]
    [error] = answer.json["errors"]
    assert error["loadBalancerArn"] == load_balancer_arn("api")
    assert error["what"] == f"{INGRESS}: the verdict on api"
    assert "unexpected RecursionError" in error["cause"]
