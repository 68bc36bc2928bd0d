"""`alb-sg fix`, on saved estates and on an embedded account."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import hcl2
import pytest

from embedded_aws.account import REGION
from tests.builders import ICMP, INGRESS, group, icmp, interface, load_balancer_arn, tcp
from tests.command_line.calling import Command, closed, in_order
from tests.estate.example import config_items, write
from tests.remediation.account import Shop, shop

pytestmark = pytest.mark.slow


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


@pytest.fixture
def account() -> Iterator[Shop]:
    with shop() as found:
        yield found


class Terminal(io.StringIO):
    """A terminal with an answer."""

    def isatty(self) -> bool:
        return True


def test_help_has_description_examples_exit_codes_and_sources(command: Command) -> None:
    answer = command("fix", "--help")
    assert answer.code == 0
    wanted = (
        "examples:",
        "alb-sg fix shop",
        "exit codes:",
        "rolled back",
        "--estate",
        "--undo EXECUTION",
        "exemptions:",
    )
    assert [word for word in wanted if word not in answer.out] == []


def test_a_saved_estate_is_planned_for(command: Command) -> None:
    answer = command.on(closed(), "fix", "web")
    assert (answer.code, answer.err) == (1, "")
    assert "add inbound TCP 443 from 0.0.0.0/0 in sg-1 (OPEN TO EVERYONE" in answer.out
    assert "add outbound TCP 80 to sg-app in sg-1" in answer.out
    assert 'ec2:AuthorizeSecurityGroupIngress {"GroupId": "sg-1"' in answer.out
    assert "as CloudFormation:" in answer.out
    assert "as Terraform:" in answer.out


def test_a_saved_estate_is_planned_for_from_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(closed())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert "add inbound TCP 443 from 0.0.0.0/0 in sg-1" in command("fix", "web", "--estate", "-").out


def test_sections_may_stand_in_the_wrappers_of_the_aws_command(command: Command) -> None:
    saved = closed(interface("10.0.1.9", groups=["sg-1"]))
    arn = saved["LoadBalancers"][0]["LoadBalancerArn"]
    plain = command.on(saved, "fix", "web", "--format", "json")
    wrapped = {
        **saved,
        "NetworkInterfaces": {"NetworkInterfaces": saved["NetworkInterfaces"]},
        "SecurityGroups": [{"SecurityGroups": saved["SecurityGroups"]}],
        "Instances": {"Reservations": [{"Instances": saved["Instances"]}]},
        "Tags": {"TagDescriptions": [{"ResourceArn": arn, "Tags": []}]},
    }
    assert plain.json["plans"][0]["newGroup"] is not None
    assert command.on(wrapped, "fix", "web", "--format", "json") == plain


def test_each_source_is_planned_by_its_own_data(command: Command, tmp_path: Path) -> None:
    saved = closed()
    other = json.loads(json.dumps(saved).replace("111122223333", "999999999999"))
    path = write(tmp_path, {"configurationItems": config_items(other)})
    # Both have a load balancer of this name.
    arns = [load_balancer_arn("web"), load_balancer_arn("web").replace("111122223333", "999999999999")]
    arguments = ("fix", *arns, "--config-items", path, "--format", "json", "--rule", "icmp_pmtud")
    plans = command.on(saved, *arguments).json["plans"]
    assert [(len(found["additions"]), len(found["refusals"])) for found in plans] == [(1, 0), (0, 1)]


def test_json_has_plan_calls_and_snippets(command: Command) -> None:
    answer = command.on(closed(), "fix", "web", "--format", "json", "--rule", "listener_ingress")
    assert answer.code == 1
    (found,) = answer.json["plans"]
    (addition,) = found["additions"]
    assert (addition["peer"], addition["openToEveryone"], addition["recommendations"]) == ("0.0.0.0/0", True, [INGRESS])
    assert [call["operation"] for call in found["calls"]] == ["AuthorizeSecurityGroupIngress"]
    assert hcl2.loads(answer.json["terraform"])["resource"]
    assert "AWS::EC2::SecurityGroupIngress" in answer.json["cloudformation"]


def test_nothing_to_do_is_zero(command: Command) -> None:
    answer = command.on(in_order(), "fix", "web")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.count("nothing to do") == 5


def test_refused_parts_are_left_alone(command: Command) -> None:
    saved = closed()
    saved["SecurityGroups"][0]["Tags"] = [{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
    answer = command.on(saved, "fix", "web", "--rule", "icmp_pmtud")
    assert answer.code == 1
    assert f"{ICMP}  refused (managed): sg-1 is managed by CloudFormation stack shop" in answer.out
    assert "it would take inbound ICMP type 3 code 4 from 0.0.0.0/0 in sg-1" in answer.out
    assert command.on(saved, "fix", "web", "--managed-group", "allow").out.count("refused") == 0


def test_an_error_sets_exit_code_three(command: Command) -> None:
    saved = closed()
    del saved["Listeners"]
    answer = command.on(saved, "fix", "web")
    assert answer.code == 3
    assert f"{INGRESS}  not judged" in answer.out


def test_a_fix_from_config_items_is_refused(command: Command, tmp_path: Path) -> None:
    path = write(tmp_path, {"configurationItems": config_items(closed())})
    answer = command("fix", "web", "--config-items", path, "--format", "json", "--rule", "icmp_pmtud")
    assert answer.code == 1
    (found,) = answer.json["plans"]
    assert found["additions"] == []
    (refusal,) = found["refusals"]
    assert refusal["reason"] == "notRead"
    assert "Config items do not tell it" in refusal["text"]


def test_a_snippet_is_all_there_is(command: Command) -> None:
    answer = command.on(closed(), "fix", "web", "--snippet", "terraform")
    assert answer.code == 1
    assert len(hcl2.loads(answer.out)["resource"]) == 4
    answer = command.on(closed(), "fix", "web", "--snippet", "cloudformation")
    assert answer.out.startswith("AWSTemplateFormatVersion")
    assert command.on(in_order(), "fix", "web", "--snippet", "terraform").out == ""


def test_exempt_load_balancers_are_left_alone(command: Command) -> None:
    (balancer,) = closed()["LoadBalancers"]
    entry = {"reason": "r", "owner": "o", "ticket": "t", "expires": "2026-06-01"}
    entries = [{"loadBalancer": balancer["LoadBalancerArn"], "rule": rule, **entry} for rule in (ICMP, INGRESS)]
    path = command.file({"version": 1, "exemptions": entries}, "exemptions.json")
    asked = ("web", "--rule", "icmp_pmtud", "--rule", "listener_ingress", "--exemptions", path)
    answer = command.on(closed(), "fix", *asked, "--date", "2026-06-01")
    assert answer.code == 0
    assert answer.out.count("EXEMPT, nothing to do") == 2
    assert command.on(closed(), "fix", *asked, "--date", "2026-06-02").code == 1


def test_several_load_balancers_at_once(command: Command) -> None:
    saved = closed(group("sg-2", ingress=[tcp(443, "0.0.0.0/0"), icmp(3, 4, "0.0.0.0/0")]))
    other = {**saved["LoadBalancers"][0], "LoadBalancerName": "other"}
    other["LoadBalancerArn"] = other["LoadBalancerArn"].replace("app/web/", "app/other/")
    other["SecurityGroups"] = ["sg-2"]
    saved["LoadBalancers"].append(other)
    answer = command.on(saved, "fix", "web", "other", "--format", "json", "--rule", "icmp_pmtud")
    assert [len(found["additions"]) for found in answer.json["plans"]] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no load balancer is named"),
        (("web", "--undo", "fix-1"), "omit the load balancers"),
        (("--undo", "a b"), "is not the id of an execution"),
        (("--undo", "fix-1", "--estate", "e.json"), "--estate"),
        (("web", "--apply", "--yes", "--estate", "e.json"), "can only be planned for"),
        (("web", "--apply"), "give --yes"),
        (("web", "--yes", "--estate", "e.json"), "--yes"),
        (("web", "--apply", "--plan"), "not allowed"),
        (("web", "--apply", "--yes", "--snippet", "terraform"), "--snippet"),
        (("web", "--rules-per-group", "0"), "'0' is not a number of rules (1 to 1000)"),
        (("web", "--date", "2026-06-01", "--estate", "e.json"), "--exemptions"),
        (("web", "--shared-group", "open"), "invalid choice"),
    ],
)
def test_bad_calls_are_refused(command: Command, arguments: tuple[str, ...], said: str) -> None:
    assert said in command.refused("fix", *arguments)


def test_applied_and_undone(command: Command, account: Shop) -> None:
    before = account.state()
    answer = command("fix", "shop", "--apply", "--yes", "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    (applied,) = answer.json["applied"]
    assert applied["outcome"] == "applied"
    assert len(applied["added"]) == 6
    assert set(applied["verdicts"].values()) == {"COMPLIANT"}
    answer = command("fix", account.arn, "--apply", "--yes")
    assert answer.code == 0
    assert "fix --undo" not in answer.out
    answer = command("fix", "--undo", applied["execution"])
    assert answer.code == 0
    assert answer.out.count("revoked sgr-") == 6
    assert account.state() == before
    assert "nothing that" in command.refused("fix", "--undo", applied["execution"])


def test_a_live_plan_changes_nothing(command: Command, account: Shop) -> None:
    before = account.state()
    answer = command("fix", "shop")
    assert answer.code == 1
    assert "add outbound TCP 8080" in answer.out
    assert account.changes() == []
    assert account.state() == before


def test_an_export_is_planned_for_as_the_account_is(command: Command, account: Shop, tmp_path: Path) -> None:
    account.share()
    path = tmp_path / "estate.json"
    assert command("export", "--output", str(path)).code == 0
    live = command("fix", "shop", "--format", "json")
    saved = command("fix", "shop", "--format", "json", "--estate", str(path))
    assert live.json["plans"][0]["newGroup"] is not None
    assert saved.code == live.code
    # They differ in what they were read from.
    assert {**saved.json, "configuration": []} == {**live.json, "configuration": []}


@pytest.mark.parametrize(("said", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_apply_asks(command: Command, account: Shop, monkeypatch: pytest.MonkeyPatch, said: str, code: int) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    before = account.state()
    answer = command("fix", "shop", "--apply", "--rule", "icmp_pmtud")
    assert answer.code == code
    assert "Add 1 rule for shop? [y/N]" in answer.err
    assert "add inbound ICMP type 3 code 4 from 0.0.0.0/0" in answer.err
    assert (account.state() == before) == (code == 1)


def test_a_failure_is_three_and_named(command: Command, account: Shop) -> None:
    before = account.state()
    account.aws.faults.fail("AuthorizeSecurityGroupIngress", "UnauthorizedOperation")
    answer = command("fix", "shop", "--apply", "--yes")
    assert answer.code == 3
    assert "failed and rolled back: AuthorizeSecurityGroupIngress: UnauthorizedOperation" in answer.out
    assert account.state() == before


def test_undo_that_fails_is_three(command: Command, account: Shop) -> None:
    account.apply()
    account.aws.faults.fail("RevokeSecurityGroupIngress", "UnauthorizedOperation")
    answer = command("fix", "--undo", "fix-1", "--region", REGION, "--format", "json")
    assert answer.code == 3
    (undone,) = json.loads(answer.out)["undone"]
    assert len(undone["failures"]) == 2
    assert undone["region"] == REGION


def test_exemptions_that_cannot_be_read_stop_everything(command: Command, account: Shop) -> None:
    before = account.state()
    account.aws.faults.fail("GetParameter", "AccessDeniedException")
    answer = command("fix", "shop", "--apply", "--yes", "--exemptions", "ssm:/alb-sg/exemptions")
    assert answer.code == 3
    assert "exemptions in ssm:/alb-sg/exemptions" in answer.err
    assert account.state() == before
