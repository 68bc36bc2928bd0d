"""`alb-sg dashboard` on files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from alb_sg import __version__
from alb_sg.dashboard.summary import count_compliance
from tests.builders import (
    ACCOUNT,
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


def test_the_fix_of_a_targets_group_says_what_else_it_opens(command: Command) -> None:
    saved = estate(
        load_balancer(),
        group(ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, ANYWHERE)]),
        listener(443, forward=["web"]),
        target_group("web", targets=["10.0.1.5"]),
        *(interface(f"10.0.1.{number}") for number in range(5, 11)),
    )
    _, data = made(command, saved)
    detail = data["loadBalancers"][0]["detail"]
    assert detail["groupNames"] == {"sg-1": "name-of-sg-1", "sg-app": "name-of-sg-app"}
    (rule,) = (one for one in detail["fix"]["rules"] if one["group"] == "sg-app")
    carriers = sorted(f"network interface {one['NetworkInterfaceId']}" for one in saved["NetworkInterfaces"][1:])
    assert rule["alsoOpens"] == f"this also opens what else carries sg-app: {', '.join(carriers[:3])} and 2 more"


def test_a_compliant_load_balancer_has_no_fix(command: Command) -> None:
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
    assert (data["errors"], data["coverage"]["gaps"]) == ([], [])
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


def test_an_error_sets_the_exit_code_and_the_status(command: Command) -> None:
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


def test_an_input_is_never_written_over(command: Command) -> None:
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


def test_an_error_is_no_improvement(command: Command) -> None:
    runs = str(command.folder / "runs")
    saved = closed()
    made(command, saved, "--history", runs, day=1)
    saved.pop("SecurityGroups")
    code, data = made(command, saved, "--history", runs, day=2)
    assert code == 3
    found = count_compliance(data)
    assert (found.non_compliant, found.not_judged, found.change) == (0, 1, 0)


ACCOUNTS = {"Accounts": [{"Id": ACCOUNT, "Arn": "arn", "Name": "shop", "Unit": "Production/Shops", "Status": "ACTIVE"}]}


def owned_by(team: str | None, group_team: str | None = None) -> Any:
    """A closed load balancer, with a tag of its own and one of its group."""
    saved = closed()
    if team is not None:
        saved["Tags"] = {load_balancer_arn("web"): [{"Key": "team", "Value": team}]}
    if group_team is not None:
        saved["SecurityGroups"][0]["Tags"] = [{"Key": "Owner", "Value": group_team}]
    return saved


@pytest.mark.parametrize(
    ("saved", "owner"),
    [
        (owned_by("edge", "network"), "edge"),
        # A group's tag counts where the load balancer has none.
        (owned_by(None, "network"), "network"),
        (owned_by("", "network"), "network"),
        (owned_by(None), None),
    ],
)
def test_owners_are_named_by_tags(command: Command, saved: Any, owner: str | None) -> None:
    _, data = made(command, saved, "--owner-tag", "Owner", "--owner-tag", "team")
    assert data["ownerTags"] == ["Owner", "team"]
    assert [one["owner"] for one in data["loadBalancers"]] == [owner]


def test_accounts_have_names_and_units_from_a_file(command: Command) -> None:
    _, data = made(command, closed(), "--accounts", command.file(ACCOUNTS, "accounts.json"))
    assert data["accounts"] == {ACCOUNT: {"name": "shop", "unit": "Production/Shops"}}
    ids = {"Accounts": [{"Id": ACCOUNT, "Name": "shop", "Paths": [f"o-1/r-1/ou-1-a/ou-1-b/{ACCOUNT}/"]}]}
    _, data = made(command, closed(), "--accounts", command.file(ids, "accounts.json"))
    assert data["accounts"][ACCOUNT]["unit"] == "ou-1-a/ou-1-b"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "has no list 'Accounts'"),
        ({"Accounts": [{"Id": 123456789012}]}, "Accounts[0].Id: 123456789012 is not an account id"),
        ({"Accounts": [{"Id": "12"}]}, "Accounts[0].Id: '12' is not an account id"),
        ({"Accounts": [{"Id": ACCOUNT, "Unit": 5}]}, "Accounts[0].Unit: 5 is not a text"),
        ([{"Id": ACCOUNT}, {"Id": ACCOUNT}], "is there twice"),
        ([{"Id": ACCOUNT, "Paths": "o-1/"}], "Paths: 'o-1/' is not a list of texts"),
        (["x"], "Accounts[0]: 'x' is not an object"),
    ],
)
def test_accounts_that_cannot_be_read_are_named(command: Command, document: Any, said: str) -> None:
    path = command.file(document, "accounts.json")
    refused = command.refused(
        "dashboard", "--estate", command.file(closed()), "--accounts", path, "--output", str(command.folder / "p.html")
    )
    assert said in refused
    assert "accounts.json" in refused


@pytest.mark.parametrize(
    ("by", "options", "names"),
    [
        ("owner", ["--owner-tag", "team"], ["edge"]),
        ("account", [], [ACCOUNT]),
        ("unit", ["--accounts", "accounts.json"], ["Production-Shops-3782df02"]),
    ],
)
def test_a_page_may_be_split(command: Command, by: str, options: list[str], names: list[str]) -> None:
    path = command.file(ACCOUNTS, "accounts.json")
    options = [path if option == "accounts.json" else option for option in options]
    _, data = made(command, owned_by("edge"), "--split-by", by, *options)
    folder = command.folder / f"page-by-{by}"
    written = {path.name for path in folder.iterdir()}
    assert written == {"index.html", *(f"{name}{suffix}" for name in names for suffix in (".html", ".json"))}
    part = json.loads((folder / f"{names[0]}.json").read_text(encoding="utf-8"))
    assert part["loadBalancers"] == data["loadBalancers"]
    assert part["part"]["by"] == by
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert f'href="{names[0]}.html"' in index
    assert 'href="../page.html"' in index


def test_a_part_has_a_trend_where_history_is_kept(command: Command) -> None:
    runs = str(command.folder / "runs")
    options = ["--split-by", "owner", "--owner-tag", "team", "--history", runs]
    made(command, owned_by("edge"), *options, day=1)
    made(command, owned_by("edge"), *options, day=2)
    part = json.loads((command.folder / "page-by-owner" / "edge.json").read_text(encoding="utf-8"))
    assert [point["asOf"] for point in part["trend"]["points"]] == ["2027-01-01T06:00:00Z", "2027-01-02T06:00:00Z"]
    assert part["lastRun"] == "2027-01-01T06:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split-by", "owner"], "--split-by owner needs --owner-tag"),
        (["--access-portal", "https://x.awsapps.com/start"], "--access-portal and --role belong together"),
        (["--role", "ReadOnly"], "--access-portal and --role belong together"),
        (["--access-portal", "javascript:alert(1)", "--role", "R"], "is not a URL such as https://"),
        (["--verdicts", "own"], "--verdicts is for --aggregator"),
    ],
)
def test_options_that_do_not_go_together(command: Command, arguments: list[str], said: str) -> None:
    output = str(command.folder / "p.html")
    assert said in command.refused("dashboard", "--estate", command.file(closed()), "--output", output, *arguments)


def test_the_audit_names_sources_hashes_parameters_and_exemptions(command: Command) -> None:
    entry = {
        "loadBalancer": load_balancer_arn("web"),
        "rule": INGRESS,
        "reason": "moves",
        "owner": "edge",
        "ticket": "SEC-1",
        "expires": "2027-02-10",
    }
    exemptions = command.file({"version": 1, "exemptions": [entry]}, "exempt.json")
    parameter = f"{INGRESS}:AcceptedSources=192.0.2.0/24"
    _, data = made(command, closed(), "--exemptions", exemptions, "--parameter", parameter)
    audit = data["audit"]
    assert (audit["version"], audit["verdicts"]) == (__version__, "judged")
    assert audit["parameters"] == {f"{INGRESS}:AcceptedSources": "192.0.2.0/24"}
    hashes = {source["kind"]: source["sha256"] for source in audit["sources"]}
    files = {"saved estate": command.folder / "estate.json", "exemptions": Path(exemptions)}
    assert hashes == {kind: hashlib.sha256(path.read_bytes()).hexdigest() for kind, path in files.items()}
    # It is in the markup, for paper and for readers without JavaScript.
    html = (command.folder / "page.html").read_text(encoding="utf-8")
    section = html[html.index('id="audit"') : html.index("</main>")]
    for text in (*hashes.values(), "AcceptedSources=192.0.2.0/24", __version__, "SEC-1", "2027-02-10", INGRESS):
        assert text in section


def test_help_says_all(command: Command) -> None:
    answer = command("dashboard", "--help")
    assert answer.code == 0
    assert [
        word for word in ("--history", "--as-of", "--exemptions", "--estate", "exit codes:") if word not in answer.out
    ] == []
