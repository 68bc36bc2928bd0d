"""The command called in this process, on files, and what it answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alb_sg.command_line.main import main
from tests.builders import (
    ANYWHERE,
    Saved,
    estate,
    group,
    icmp,
    interface,
    listener,
    load_balancer,
    target_group,
    tcp,
)


@dataclass(frozen=True)
class Answer:
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """Calls `alb-sg`, and writes the files it reads."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Answer:
        code = main(arguments)
        shown = self.capsys.readouterr()
        return Answer(code, shown.out, shown.err)

    def file(self, content: Saved | list[Saved], name: str = "estate.json") -> str:
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def on(self, saved: Saved, command: str, *arguments: str) -> Answer:
        """A command on one saved estate."""
        return self(command, *arguments, "--estate", self.file(saved))

    def refused(self, *arguments: str) -> str:
        """The sentence with which a call is refused: one line, exit 2, nothing on standard output."""
        answer = self(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("alb-sg: ")
        assert answer.err.count("\n") == 1
        assert answer.err.endswith("\n")
        return answer.err


def without_advice(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings of JSON without what a fix would do, which depends on how much a source tells."""
    return [{key: value for key, value in finding.items() if key != "advice"} for finding in findings]


def in_order(*more: Any, **fields: Any) -> Saved:
    """An estate in which nothing is wrong with `web`."""
    return estate(
        load_balancer("web"),
        listener(443, forward=["web"]),
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1", ingress=[tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)], egress=[tcp(80, "sg-app")]),
        group("sg-app", ingress=[tcp(80, "sg-1")]),
        *more,
        **fields,
    )


def closed(*more: Any, **fields: Any) -> Saved:
    """An estate in which `web` meets no recommendation."""
    return estate(
        listener(443, forward=["web"]),
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1"),
        group("sg-app"),
        *more,
        **fields,
    )


def let_in(saved: Saved) -> Saved:
    """The estate with targets whose group lets the whole VPC in."""
    for one in saved["SecurityGroups"]:
        if one["GroupId"] == "sg-app":
            one["IpPermissions"] = [tcp(80, "10.0.0.0/16")]
    return saved
