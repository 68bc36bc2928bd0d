"""One advice: whatever a report says about what to allow is what `alb-sg fix` does."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.report.formats import FORMATS, JSON_LINES
from tests.builders import (
    ANYWHERE,
    INGRESS,
    TARGETS,
    Saved,
    all_traffic,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    target_group,
    tcp,
)
from tests.command_line.calling import Command
from tests.estate.example import config_items

ADVISING = [name for name in FORMATS if name != JSON_LINES]
# Every second block of a /17: what they leave of all addresses takes some sixty blocks.
SCATTERED = [f"10.0.{2 * number}.0/24" for number in range(40)]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def _one_group(**tags: str) -> Saved:
    sg = group("sg-1", ingress=[tcp(443, *SCATTERED)]) | {"Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
    return estate(load_balancer("web"), listener(443), sg)


def _shared() -> Saved:
    return estate(load_balancer("web"), load_balancer("other"), listener(443), group("sg-1"))


def _plain(text: str) -> str:
    """The text of any format without its escapes."""
    return html.unescape(text)


@pytest.mark.parametrize("format_name", ADVISING)
def test_every_format_describes_the_fix(command: Command, format_name: str) -> None:
    """The recommended peer and the group: not the many blocks that are missing of it."""
    answer = command.on(_one_group(), "check", "--rule", INGRESS, "--format", format_name)
    assert "allow inbound TCP 443 from 0.0.0.0/0 in sg-1" in _plain(answer.out)
    plan = command.on(_one_group(), "fix", "web", "--rule", INGRESS).out
    assert "add inbound TCP 443 from 0.0.0.0/0 in sg-1" in plan


@pytest.mark.parametrize("format_name", ADVISING)
def test_a_shared_group_is_not_touched(command: Command, format_name: str) -> None:
    answer = command.on(_shared(), "check", "--rule", INGRESS, "--load-balancer", "web", "--format", format_name)
    text = _plain(answer.out)
    assert "in a new security group alb-sg-web" in text
    assert "sg-1 is shared with load balancer other" in text


def test_a_managed_group_is_refused_with_the_rule_that_it_would_take(command: Command) -> None:
    (finding,) = command.on(
        _one_group(**{"aws:cloudformation:stack-name": "shop"}), "check", "--rule", INGRESS, "--format", "json"
    ).json["findings"]
    refusal, rule = finding["advice"]
    assert refusal.startswith("alb-sg fix refuses this (managed): sg-1 is managed by CloudFormation stack shop")
    assert rule == "it would take inbound TCP 443 from 0.0.0.0/0 in sg-1"


def test_missing_stays_exact(command: Command) -> None:
    (finding,) = command.on(_one_group(), "check", "--rule", INGRESS, "--format", "json").json["findings"]
    (entry,) = finding["missing"]
    assert entry["required"] == [ANYWHERE]
    assert len(entry["peers"]) > 40


def test_config_items_do_not_tell_who_shares_a_group(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"configurationItems": config_items(_one_group())}))
    findings = command("check", "--rule", INGRESS, "--format", "json", "--config-items", str(path)).json["findings"]
    (finding,) = findings
    assert finding["advice"] == [
        (
            "allow inbound TCP 443 from 0.0.0.0/0 in sg-1, if it is neither shared nor managed (not known: who carries "
            "sg-1: Config items do not tell it; plan live or from a saved estate)"
        )
    ]


def test_an_exempt_load_balancer_gets_no_advice(command: Command) -> None:
    entry: dict[str, Any] = {
        "loadBalancer": _one_group()["LoadBalancers"][0]["LoadBalancerArn"],
        "rule": INGRESS,
        "reason": "moves",
        "owner": "edge",
        "ticket": "SEC-1",
        "expires": "2027-02-10",
    }
    source = command.file({"version": 1, "exemptions": [entry]}, "exempt.json")
    answer = command.on(
        _one_group(), "check", "--rule", INGRESS, "--format", "json", "--exemptions", source, "--date", "2027-01-31"
    )
    assert [finding["advice"] for finding in answer.json["findings"]] == [[]]


def test_explain_prints_no_complement(command: Command) -> None:
    """An engineer reads the recommended peer and what is open instead, not seventy blocks."""
    out = command.on(_one_group(), "explain", "web", "--rule", INGRESS).out
    assert "only a part of 0.0.0.0/0 is open" in out
    assert "  fix      allow inbound TCP 443 from 0.0.0.0/0 in sg-1\n" in out
    assert len(out.splitlines()) < 80
    assert max(map(len, out.splitlines())) < 200


def test_the_page_does_not_edit_a_group_that_others_carry(command: Command) -> None:
    path = command.folder / "page.html"
    command.on(_shared(), "dashboard", "--output", str(path), "--as-of", "2027-01-31T06:00:00Z")
    data = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    (web,) = [one for one in data["loadBalancers"] if one["name"] == "web"]
    fix = web["detail"]["fix"]
    assert {rule["group"] for rule in fix["rules"]} == {None}
    assert "--group-id sg-1" not in fix["cli"]
    assert [INGRESS, "allow inbound TCP 443 from 0.0.0.0/0 in a new security group alb-sg-web"] in fix["advice"]


def test_open_egress_needs_no_advice(command: Command) -> None:
    saved = estate(listener(443), group("sg-1", ingress=[all_traffic(ANYWHERE)], egress=[all_traffic(ANYWHERE)]))
    found = command.on(saved, "check", "--format", "json").json["findings"]
    assert [finding["advice"] for finding in found] == [[], [], [], [], []]


@pytest.mark.parametrize("format_name", ADVISING)
def test_a_rule_in_the_targets_group_tells_what_else_it_opens(command: Command, format_name: str) -> None:
    """Who adds the rule by hand opens the database too, as the fix does."""
    database = interface("10.0.1.70") | {"Description": "RDSNetworkInterface"}
    saved = estate(listener(443), group("sg-1"), target_group(targets=["10.0.1.5"]), interface("10.0.1.5"), database)
    text = _plain(command.on(saved, "check", "--rule", TARGETS, "--format", format_name).out)
    assert "allow inbound TCP 80 from sg-1 in sg-app" in text
    assert "this also opens what else carries sg-app: network interface " in text
    assert "(RDSNetworkInterface)" in text
    assert (
        "this also opens what else carries sg-app: network interface "
        in command.on(saved, "fix", "web", "--rule", TARGETS).out
    )
