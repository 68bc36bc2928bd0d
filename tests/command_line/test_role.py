"""Commands about one account, read with a role, over an embedded AWS."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from tests.builders import Saved
from tests.command_line.calling import Command
from tests.command_line.organization import ACCOUNTS, OWN_ACCOUNT, REGION, Wire, denied, refuse_role_of, role_arn

pytestmark = pytest.mark.slow

ACCOUNT = ACCOUNTS[0]
ROLE = ("--assume-role", role_arn(ACCOUNT))
OWN_CALLS = {"GetCallerIdentity", "AssumeRole"}
NO_EXEMPTIONS: Saved = {"version": 1, "exemptions": []}


@pytest.fixture(autouse=True)
def _accounts(organization: str) -> None:
    """Each account has a load balancer, that of the credentials has none."""
    assert organization


def own_calls(wire: Wire) -> set[str]:
    """The calls with the credentials of the command itself."""
    own = boto3.Session().get_credentials()
    assert own is not None
    return {operation for _, key, operation in wire.calls if key == own.access_key}


def arn_of(command: Command, account: str) -> str:
    findings = command("check", "--assume-role", role_arn(account), "--format", "json").json["findings"]
    return str(findings[0]["loadBalancerArn"])


def test_explain_reads_with_the_role(command: Command, wire: Wire) -> None:
    answer = command("explain", "web-1", *ROLE, "--format", "json")
    assert answer.code == 1
    assert answer.json["loadBalancer"]["accountId"] == ACCOUNT
    # It reads verdicts, remarks and who shares a group: with one session of the role.
    assert wire.count("AssumeRole") == 1
    assert own_calls(wire) == OWN_CALLS


def test_a_verdict_is_that_of_check(command: Command) -> None:
    explained = command("explain", "web-1", *ROLE, "--format", "json").json
    checked = command("check", *ROLE, "--format", "json").json
    assert {one["rule"]: one["compliance"] for one in explained["rules"]} == {
        one["rule"]: one["compliance"] for one in checked["findings"]
    }


def test_what_if_reads_with_the_role(command: Command, wire: Wire) -> None:
    answer = command("what-if", "web-1", "--add-listener", "8443", *ROLE, "--format", "json")
    assert answer.code == 1
    assert answer.json["loadBalancerArn"].split(":")[4] == ACCOUNT
    assert own_calls(wire) == OWN_CALLS


def test_exemptions_are_reviewed_with_the_role(command: Command, wire: Wire) -> None:
    document = command.file(NO_EXEMPTIONS, "exemptions.json")
    assert command("exemptions", document, *ROLE).code == 0
    assert wire.count("DescribeLoadBalancers") == 1
    assert own_calls(wire) == OWN_CALLS


def test_a_document_in_aws_is_read_without_the_role(command: Command, wire: Wire) -> None:
    """As by the deployed functions: the judged account must not exempt itself."""
    boto3.client("ssm", REGION).put_parameter(Name="/exempt", Value=json.dumps(NO_EXEMPTIONS), Type="String")
    wire.calls.clear()
    assert command("explain", "web-1", *ROLE, "--exemptions", "ssm:/exempt").code == 1
    assert own_calls(wire) == {*OWN_CALLS, "GetParameter"}


def test_doctor_checks_the_account_of_the_role(command: Command, wire: Wire) -> None:
    # moto lacks most of what it asks for; an unread check names its place as well.
    wire.failing = lambda _, operation, __: None if operation in OWN_CALLS else denied(operation)
    answer = command("doctor", *ROLE, "--format", "json")
    assert {one["place"].split()[0] for one in answer.json["results"]} == {ACCOUNT}
    assert own_calls(wire) == OWN_CALLS


def test_doctor_checks_many_accounts_with_a_role_in_each(command: Command, wire: Wire, organization: str) -> None:
    wire.failing = lambda _, operation, given: (
        denied(operation) if operation not in OWN_CALLS or ACCOUNTS[1] in given.get("RoleArn", "") else None
    )
    regions = ("--region", REGION, "--region", "eu-west-1")
    answer = command("doctor", "--accounts", organization, "--assume-role", "audit/reader", *regions, "-f", "json")
    assert answer.code == 1
    first, *others = answer.json["results"]
    # The account whose role is refused is named, and the others are checked.
    assert (first["check"], first["place"], first["status"]) == ("accounts", ACCOUNTS[1], "unread")
    assert f"role {role_arn(ACCOUNTS[1])}: AssumeRole: AccessDenied" in first["found"]
    places = list(dict.fromkeys(" ".join(one["place"].split()[:2]) for one in others))
    checked = [account for account in ACCOUNTS if account != ACCOUNTS[1]]
    assert set(places) >= {f"{account} {region}" for account in checked for region in ("eu-west-1", REGION)}
    assert places == sorted(places)
    assert not any(one["check"] == "trusted access" for one in others)
    assert own_calls(wire) == OWN_CALLS


def test_doctor_checks_the_organization_and_accounts_in_one_run(command: Command, wire: Wire) -> None:
    """The organization with the credentials of the command, the account with the role."""
    wire.failing = lambda _, operation, __: None if operation in OWN_CALLS else denied(operation)
    aggregator = ("doctor", "--aggregator", "all", "--format", "json")
    found = command(*aggregator, "--account", ACCOUNT, "--assume-role", "audit/reader").json["results"]
    places = {(one["check"], one["place"]) for one in found}
    assert ("trusted access", f"{OWN_ACCOUNT} {REGION}") in places
    assert ("recorder", f"{ACCOUNT} {REGION}") in places
    assert not any(check == "member accounts" for check, _ in places)
    alone = command(*aggregator).json["results"]
    [notice] = [one for one in alone if one["check"] == "member accounts"]
    assert notice["status"] == "notice"
    assert "add --accounts F --assume-role NAME" in notice["action"]


def test_verdicts_are_read_with_the_role(command: Command, wire: Wire) -> None:
    wire.failing = lambda _, operation, __: denied(operation) if "Aggregat" in operation else None
    answer = command("verdicts", "--aggregator", "all", *ROLE)
    assert answer.code == 3
    assert own_calls(wire) == OWN_CALLS


def test_a_fix_is_applied_and_undone_with_the_role(command: Command, wire: Wire) -> None:
    given = ("--rule", "icmp_pmtud", *ROLE, "--format", "json")
    answer = command("fix", "web-1", *given, "--apply", "--yes")
    assert answer.code == 0
    assert command("check", *given).code == 0
    assert command("check", "--rule", "icmp_pmtud", "--assume-role", role_arn(ACCOUNTS[1])).code == 1
    (applied,) = answer.json["applied"]
    assert command("fix", "--undo", applied["execution"], *ROLE).code == 0
    assert command("check", *given).code == 1
    assert own_calls(wire) == OWN_CALLS


@pytest.mark.parametrize("role", ["audit/reader", "arn:aws:iam::{account}:role/audit/reader"])
def test_a_role_of_every_account_is_that_of_the_load_balancer(command: Command, wire: Wire, role: str) -> None:
    arn = arn_of(command, ACCOUNTS[1])
    wire.parameters.clear()
    explained = command("explain", arn, "--assume-role", role, "--format", "json").json
    assert explained["loadBalancer"]["loadBalancerArn"] == arn
    assert [given["RoleArn"] for given in wire.parameters] == [role_arn(ACCOUNTS[1])]


def test_aws_sts_is_asked_in_the_region_of_the_load_balancer(
    command: Command, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none is configured: another partition has no endpoint in us-east-1."""
    arn = arn_of(command, ACCOUNT).replace(REGION, "eu-west-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    wire.calls.clear()
    assert command("explain", arn, "--assume-role", "audit/reader").code == 2
    assert wire.regions("AssumeRole") == {"eu-west-1"}


def test_session_name_and_external_id_are_given(command: Command, wire: Wire) -> None:
    command("explain", "web-1", *ROLE, "--external-id", "a:b/c", "--session-name", "on@call")
    assert [(given["ExternalId"], given["RoleSessionName"]) for given in wire.parameters] == [("a:b/c", "on@call")]


def test_the_configuration_may_have_the_role(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALB_SG_ASSUME_ROLE", role_arn(ACCOUNT))
    assert command("explain", "web-1", "--format", "json").json["loadBalancer"]["accountId"] == ACCOUNT


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("explain", "web"), 2),
        (("what-if", "web", "--add-listener", "8443"), 2),
        (("exemptions", "none.json"), 0),
        (("doctor",), 1),
        (("fix", "web"), 2),
    ],
)
def test_a_configured_role_of_every_account_is_for_commands_that_read_many(
    command: Command, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int
) -> None:
    """The account of the credentials has no load balancer, so that a name is not found there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none.json").write_text(json.dumps(NO_EXEMPTIONS))
    (tmp_path / "alb-sg.toml").write_text('assume-role = "audit/reader"\nexternal-id = "a:b/c"\n')
    if words == ("doctor",):
        wire.failing = lambda _, operation, __: None if operation in OWN_CALLS else denied(operation)
    answer = command(*words)
    assert answer.code == code
    note = "alb-sg: assume-role audit/reader from alb-sg.toml is of every account, and this command reads one; "
    assert answer.err.count(note) == 1
    assert wire.count("AssumeRole") == 0


def test_a_configured_role_of_every_account_is_that_of_the_load_balancer(
    command: Command, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = arn_of(command, ACCOUNTS[1])
    monkeypatch.setenv("ALB_SG_ASSUME_ROLE", "audit/reader")
    wire.parameters.clear()
    answer = command("explain", arn, "--format", "json")
    assert answer.json["loadBalancer"]["loadBalancerArn"] == arn
    assert answer.json["configuration"][0]["option"] == "--assume-role"
    assert [given["RoleArn"] for given in wire.parameters] == [role_arn(ACCOUNTS[1])]
    assert answer.err == ""


@pytest.mark.parametrize("words", [("fix", "web", "--apply", "--yes"), ("fix", "--undo", "fix-20270131t120000-1f3a9c")])
def test_no_account_is_changed_without_the_configured_role(
    command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ALB_SG_ASSUME_ROLE", "reader")
    assert "--assume-role reader is of every account, and this command reads one" in command.refused(*words)


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "web-1"),
        ("what-if", "web-1", "--add-listener", "8443"),
        ("doctor",),
        ("verdicts", "--aggregator", "all"),
        ("fix", "--undo", "fix-20270131t120000-1f3a9c"),
    ],
)
def test_a_role_that_cannot_be_assumed_is_named(command: Command, wire: Wire, words: tuple[str, ...]) -> None:
    wire.failing = refuse_role_of(ACCOUNT)
    answer = command(*words, *ROLE)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith(
        f"alb-sg: role {role_arn(ACCOUNT)}: AssumeRole: AccessDenied: not for you; the role must"
    )


def test_a_fix_without_the_role_is_incomplete(command: Command, wire: Wire) -> None:
    wire.failing = refuse_role_of(ACCOUNT)
    answer = command("fix", "web-1", *ROLE, "--apply", "--yes")
    assert answer.code == 3
    assert f"role {role_arn(ACCOUNT)}" in answer.out + answer.err


@pytest.mark.parametrize("words", [("check",), ("explain", "web"), ("fix", "web"), ("doctor",)])
def test_a_refused_role_is_not_replaced_by_the_credentials(
    command: Command, wire: Wire, words: tuple[str, ...]
) -> None:
    """In their own account, they could read: but a role that is named with its account is the one to use."""
    wire.failing = refuse_role_of(OWN_ACCOUNT)
    answer = command(*words, "--assume-role", role_arn(OWN_ACCOUNT))
    assert answer.code == 3
    assert f"role {role_arn(OWN_ACCOUNT)}: AssumeRole: AccessDenied" in answer.out + answer.err
    assert wire.count("DescribeLoadBalancers") == 0


ONE = "--assume-role reader is of every account, and this command reads one; give arn:aws:iam::111122223333:role/NAME"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "web-1"), f"{ONE}, or the ARN of the load balancer\n"),
        # The account of one of them is not known, and it may be another.
        (("fix", "web-1", "arn:aws:elasticloadbalancing:eu-west-1:100000000001:loadbalancer/app/a/b"), f"{ONE}, or"),
        (("doctor",), f"{ONE}\n"),
        (("verdicts", "--aggregator", "all"), f"{ONE}\n"),
        (("fix", "--undo", "fix-20270131t120000-1f3a9c"), f"{ONE}\n"),
        (("explain", "web-1", "--estate", "e.json"), "--assume-role reads live accounts; omit it with --estate"),
        (("what-if", "web-1", "--add-listener", "80", "--template", "t.json"), "omit it with --template"),
        (("fix", "web-1", "--config-items", "i.json"), "omit it with --config-items"),
        (("explain", "web-1", "--aggregator", "all"), "omit it with --aggregator, which is read with the credentials"),
    ],
)
def test_a_role_without_an_account_to_read_is_refused(command: Command, words: tuple[str, ...], said: str) -> None:
    assert said in command.refused(*words, "--assume-role", "reader")


def test_doctor_refuses_accounts_without_a_role_in_each(command: Command, organization: str) -> None:
    said = command.refused("doctor", "--accounts", organization)
    assert "--accounts chooses accounts to check with a role; add --assume-role NAME, or omit it" in said
    said = command.refused("doctor", "--account", ACCOUNT, "--assume-role", role_arn(ACCOUNT))
    assert f"--assume-role is of account {ACCOUNT}, and --account chooses accounts; write {{account}}" in said


def test_accounts_of_a_file_are_for_a_role_in_each(
    command: Command, wire: Wire, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check` takes their names from it, also without a role."""
    wire.failing = lambda _, operation, __: None if operation in OWN_CALLS else denied(operation)
    monkeypatch.setenv("ALB_SG_ACCOUNTS", organization)
    found = command("doctor", "--format", "json").json["results"]
    assert {one["place"].split()[0] for one in found} == {OWN_ACCOUNT}


def test_load_balancers_of_several_accounts_are_refused(command: Command) -> None:
    arns = [f"arn:aws:elasticloadbalancing:eu-west-1:{one}:loadbalancer/app/a/b" for one in ACCOUNTS[:2]]
    assert ONE in command.refused("fix", *arns, "--assume-role", "reader")


@pytest.mark.parametrize("words", [("explain", "web-1"), ("doctor",), ("verdicts", "--aggregator", "all")])
@pytest.mark.parametrize("option", ["--external-id", "--session-name"])
def test_an_option_of_a_role_alone_is_refused(command: Command, words: tuple[str, ...], option: str) -> None:
    assert f"{option} is for --assume-role; omit it" in command.refused(*words, option, "abc")
