"""`alb-sg dashboard` on files."""

from __future__ import annotations

import base64
import json
import re
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from alb_sg.dashboard.summary import count_compliance
from tests.builders import (
    ANYWHERE,
    ICMP,
    INGRESS,
    TARGETS,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    target_group,
    tcp,
)
from tests.command_line.calling import Command, closed, in_order


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def made(command: Command, saved: Any, *arguments: str, day: int = 31) -> tuple[int, Any]:
    """The command's exit code, and the data that it wrote."""
    path = command.folder / "page.html"
    time = f"2027-01-{day:02d}T06:00:00Z"
    answer = command.on(saved, "dashboard", "--as-of", time, "--output", str(path), *arguments)
    assert answer.out.startswith("wrote ")
    assert answer.err == ""
    data = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    held = re.search(r'id="data">([^<]*)<', path.read_text(encoding="utf-8"))
    assert held is not None
    assert json.loads(zlib.decompress(base64.b64decode(held[1]))) == data
    return answer.code, data


def test_a_page_and_its_data(command: Command) -> None:
    code, data = made(command, closed())
    assert code == 1
    assert data["asOf"] == "2027-01-31T06:00:00Z"
    (one,) = data["loadBalancers"]
    assert (one["name"], one["scheme"], one["securityGroups"]) == ("web", "internet-facing", ["sg-1"])
    fix = one["detail"]["fix"]
    assert "--ip-permissions" in fix["cli"]
    assert "AWS::EC2::SecurityGroupIngress" in fix["cloudFormation"]
    assert "aws_vpc_security_group_ingress_rule" in fix["terraform"]
    assert [rule["peer"] for rule in fix["rules"] if INGRESS in rule["rules"]] == [ANYWHERE]


def test_targets_closed_to_several_load_balancers_are_one_group_to_open(command: Command) -> None:
    """Each finding names the group of the targets, by which the page counts causes."""
    names = ("web", "api", "shop")
    saved = estate(
        *(load_balancer(name, groups=[f"sg-{name}"]) for name in names),
        *(group(f"sg-{name}", egress=[tcp(80, ANYWHERE)]) for name in names),
        *(target_group(name, targets=["10.0.1.5"], load_balancers=[name]) for name in names),
        interface("10.0.1.5"),
    )
    _, data = made(command, saved)
    found = [one for lb in data["loadBalancers"] for one in lb["verdicts"] if one["rule"] == TARGETS]
    assert [(one["status"], one["groups"], one["causes"]) for one in found] == [
        ("nonCompliant", ["sg-app"], ["targets-closed"])
    ] * len(names)
    assert [lb["securityGroups"] for lb in data["loadBalancers"]] == [["sg-api"], ["sg-shop"], ["sg-web"]]
    # The picture has both sides of the arrow to the targets.
    rows = [row for row in data["loadBalancers"][2]["detail"]["rows"] if row["traffic"] == "TCP 80"]
    sides = {(row["direction"], row["status"], row["preposition"], row["because"][1]) for row in rows}
    assert ("inbound to its targets", "missing", "at", "target group web") in sides
    assert ("outbound", "met", "to", "target group web") in sides


def test_what_is_in_order_has_no_fix(command: Command) -> None:
    code, data = made(command, in_order())
    assert code == 0
    assert data["loadBalancers"][0]["detail"]["fix"]["rules"] == []


def test_the_same_twice_gives_the_same_bytes(command: Command) -> None:
    path = command.folder / "page.html"
    made(command, closed())
    first = path.read_bytes(), path.with_suffix(".json").read_bytes()
    made(command, closed())
    assert (path.read_bytes(), path.with_suffix(".json").read_bytes()) == first


def test_runs_are_kept_and_compared(command: Command) -> None:
    folder = str(command.folder / "runs")
    _, first = made(command, closed(), "--history", folder, day=29)
    assert (first["lastRun"], len(first["trend"]["points"])) == (None, 1)
    _, second = made(command, in_order(), "--history", folder, day=30)
    assert {verdict.get("change") for verdict in second["loadBalancers"][0]["verdicts"]} >= {"fixed"}
    _, third = made(command, closed(), "--history", folder, "--rule", "listener_ingress", day=31)
    (verdict,) = third["loadBalancers"][0]["verdicts"]
    assert (verdict["change"], verdict["was"]) == ("reopened", "compliant")
    assert [point["loadBalancers"] for point in third["trend"]["points"]] == [1, 0, 1]
    assert len(list(Path(folder).iterdir())) == 3


def test_an_hour_may_be_run_again(command: Command) -> None:
    folder = str(command.folder / "runs")
    made(command, closed(), "--history", folder)
    before = [path.read_bytes() for path in Path(folder).iterdir()]
    _, again = made(command, closed(), "--history", folder)
    assert [path.read_bytes() for path in Path(folder).iterdir()] == before
    assert again["lastRun"] is None


def test_exemptions_are_reviewed_as_of_the_day(command: Command) -> None:
    entry = {
        "loadBalancer": load_balancer_arn("web"),
        "rule": INGRESS,
        "reason": "moves",
        "owner": "edge",
        "ticket": "SEC-1",
        "expires": str(date(2027, 2, 10)),
    }
    source = command.file(
        {"version": 1, "exemptions": [entry, {**entry, "rule": ICMP, "expires": "never"}]}, "exempt.json"
    )
    code, data = made(command, closed(), "--exemptions", source)
    assert code == 3
    (found,) = data["exemptions"]["entries"]
    assert (found["status"], found["use"]) == ("expiring", "used")
    assert len(data["exemptions"]["malformed"]) == 1
    (exempt,) = [verdict for verdict in data["loadBalancers"][0]["verdicts"] if verdict["status"] == "exempt"]
    assert exempt["exemption"]["wouldBe"]["compliance"] == "NON_COMPLIANT"


def test_exempt_ports_are_not_among_the_drawn_rows(command: Command) -> None:
    """What is exempt is not required, in the verdict and in its picture."""
    saved = closed(listener(8443, "HTTPS"))
    entry = {
        "loadBalancer": load_balancer_arn("web"),
        "rule": INGRESS,
        "reason": "moves",
        "owner": "edge",
        "ticket": "SEC-1",
        "expires": str(date(2027, 2, 10)),
        "ports": [8443],
    }
    source = command.file({"version": 1, "exemptions": [entry]}, "exempt.json")
    _, data = made(command, saved, "--exemptions", source)
    rows = [row["traffic"] for row in data["loadBalancers"][0]["detail"]["rows"] if row["rule"] == INGRESS]
    assert rows == ["TCP 443"]


def test_what_could_not_be_read_is_said(command: Command) -> None:
    saved = estate(load_balancer("web"), listener(443), group("sg-1", ingress=[tcp(443, ANYWHERE)]))
    saved.pop("Listeners")
    code, data = made(command, saved)
    assert code == 3
    assert {verdict["status"] for verdict in data["loadBalancers"][0]["verdicts"]} >= {"error"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "page.htm"], "does not end in .html"),
        ([], "--output"),
        (["--output", "p.html", "--as-of", "yesterday"], "is not a time with its zone"),
        (["--output", "p.html", "--as-of", "2027-02-31T00:00:00Z"], "is not a time with its zone"),
        (["--output", "p.html", "--pictures", "-1"], "--pictures"),
        (["--output", "/nonexistent/p.html"], "cannot write /nonexistent/p"),
    ],
)
def test_calls_that_cannot_be_used(command: Command, arguments: list[str], said: str) -> None:
    assert said in command.refused("dashboard", "--estate", command.file(closed()), *arguments)


def test_a_history_that_cannot_be_read_is_named(command: Command) -> None:
    folder = command.folder / "runs"
    folder.mkdir()
    (folder / "2027-01-30T060000Z.jsonl.gz").write_bytes(b"nonsense")
    said = command.refused(
        "dashboard", "--estate", command.file(closed()), "--as-of", "2027-01-31T00:00:00Z",
        "--history", str(folder), "--output", str(command.folder / "p.html"),
    )  # fmt: skip
    assert "2027-01-30T060000Z.jsonl.gz" in said


def test_what_is_read_is_never_written_over(command: Command) -> None:
    saved = Path(command.file(closed()))
    before = saved.read_bytes()
    said = command.refused("dashboard", "--estate", str(saved), "--output", str(saved.with_suffix(".html")))
    assert f"{saved} would overwrite an input" in said
    assert saved.read_bytes() == before


def test_a_run_without_its_page_is_not_kept(command: Command) -> None:
    runs = command.folder / "runs"
    command.refused(
        "dashboard", "--estate", command.file(closed()), "--history", str(runs), "--output", "/nonexistent/p.html"
    )
    assert list(runs.iterdir()) == []


def test_what_could_not_be_judged_is_no_improvement(command: Command) -> None:
    runs = str(command.folder / "runs")
    saved = closed()
    made(command, saved, "--history", runs, day=1)
    saved.pop("SecurityGroups")
    code, data = made(command, saved, "--history", runs, day=2)
    assert code == 3
    found = count_compliance(data)
    assert (found.non_compliant, found.not_judged, found.change) == (0, 1, 0)


def test_help_says_all(command: Command) -> None:
    answer = command("dashboard", "--help")
    assert answer.code == 0
    assert [
        word for word in ("--history", "--as-of", "--exemptions", "--estate", "exit codes:") if word not in answer.out
    ] == []
