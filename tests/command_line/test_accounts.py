"""Many accounts over an embedded AWS: which are read, with which role, and what an interruption leaves."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.client
import pytest

from alb_sg.command_line.accounts import threads
from alb_sg.command_line.accounts.resume_folder import ResumeFolder
from alb_sg.estate.estate import Estate
from alb_sg.report.formats import FORMATS
from tests.builders import ICMP, Saved
from tests.command_line.calling import Command, without_advice
from tests.command_line.organization import (
    ACCOUNTS,
    OTHER_REGION,
    OWN_ACCOUNT,
    REGION,
    ROLE,
    Wire,
    denied,
    refuse_role_of,
    role_arn,
)

BY_NAME = ("check", "--assume-role", "audit/reader")
# The rules that need a listener and target groups are others' subject.
ONE_RULE = ("--rule", "icmp_pmtud")


def found_in(document: Any) -> set[tuple[str, str, str]]:
    return {(one["accountId"], one["region"], one["loadBalancerName"]) for one in document["findings"]}


EVERY = {(account, REGION, f"web-{account[-1]}") for account in ACCOUNTS}


@pytest.mark.slow
@pytest.mark.parametrize("role", [ROLE, "audit/reader"])
def test_every_active_account_is_judged(command: Command, organization: str, wire: Wire, role: str) -> None:
    regions = ("--region", REGION, "--region", OTHER_REGION)
    answer = command("check", "--accounts", organization, "--assume-role", role, *regions, "--format", "json")
    assert answer.code == 1
    assert found_in(answer.json) == EVERY
    assert answer.json["errors"] == []
    assert answer.err == ("alb-sg: skipped 1 account that Organizations has as not active: 100000000009 (SUSPENDED)\n")
    assert sorted(given["RoleArn"] for given in wire.parameters) == sorted(map(role_arn, ACCOUNTS))
    assert {given["RoleSessionName"] for given in wire.parameters} == {"alb-sg"}
    assert wire.regions("DescribeLoadBalancers") == {REGION, OTHER_REGION}


@pytest.mark.slow
def test_each_account_has_the_verdicts_of_a_run_of_its_own(command: Command, organization: str) -> None:
    judged = command(*BY_NAME, "--accounts", organization, "--format", "json").json
    for account in ACCOUNTS:
        alone = command("check", "--assume-role", role_arn(account), "--format", "json").json
        assert [one for one in judged["findings"] if one["accountId"] == account] == alone["findings"]
    lines = command(*BY_NAME, "--accounts", organization, "--format", "jsonl").out.splitlines()
    assert list(map(json.loads, lines)) == without_advice(judged["findings"])


@pytest.mark.slow
@pytest.mark.usefixtures("organization")
def test_accounts_without_a_file(command: Command) -> None:
    answer = command(*BY_NAME, "--account", ACCOUNTS[0], "--account", ACCOUNTS[2], "--format", "json")
    assert {one["accountId"] for one in answer.json["findings"]} == {ACCOUNTS[0], ACCOUNTS[2]}


@pytest.mark.slow
def test_all_regions_are_those_of_each_account(command: Command, organization: str, wire: Wire) -> None:
    answer = command(*BY_NAME, "--accounts", organization, "--account", ACCOUNTS[0], "--region", "all", *ONE_RULE)
    assert answer.code == 1
    assert wire.count("DescribeRegions") == 1
    assert len(wire.regions("DescribeLoadBalancers")) > 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        (("--account", ACCOUNTS[1]), {ACCOUNTS[1]}),
        (("--unit", "production/3"), {ACCOUNTS[2]}),
        (("--unit", "Production", "--account", ACCOUNTS[0]), {ACCOUNTS[0]}),
    ],
)
def test_accounts_are_chosen_before_anything_is_read(
    command: Command, organization: str, wire: Wire, narrowed: tuple[str, ...], expected: set[str]
) -> None:
    answer = command(*BY_NAME, "--accounts", organization, *narrowed, "--format", "json")
    assert {one["accountId"] for one in answer.json["findings"]} == expected
    assert [given["RoleArn"] for given in wire.parameters] == [role_arn(account) for account in expected]


@pytest.mark.slow
def test_load_balancers_are_narrowed_in_each_account(command: Command, organization: str) -> None:
    for options in (("--name", "web-2"), ("--tag", "team=team 2"), ("--owner-tag", "team", "--owner", "* 2")):
        answer = command(*BY_NAME, "--accounts", organization, *options, "--format", "json")
        assert {one["loadBalancerName"] for one in answer.json["findings"]} == {"web-2"}


@pytest.mark.slow
def test_a_load_balancer_of_some_account(command: Command, organization: str) -> None:
    given = (*BY_NAME, "--accounts", organization)
    answer = command(*given, "--load-balancer", "web-3", "--format", "json")
    assert found_in(answer.json) == {(ACCOUNTS[2], REGION, "web-3")}
    answer = command(*given, "--load-balancer", "web-7")
    assert answer.code == 2
    assert "no load balancer has the name 'web-7' in 3 accounts and regions" in answer.err


@pytest.mark.slow
def test_exemptions_hold_in_every_account(command: Command, organization: str) -> None:
    given = (*BY_NAME, "--accounts", organization, *ONE_RULE, "--format", "json")
    (arn,) = {one["loadBalancerArn"] for one in command(*given).json["findings"] if one["accountId"] == ACCOUNTS[0]}
    document: Saved = {
        "version": 1,
        "exemptions": [
            {
                "loadBalancer": arn,
                "rule": ICMP,
                "reason": "no path",
                "owner": "edge",
                "ticket": "NET-1",
                "expires": "2999-12-31",
            }
        ],
    }
    exempt = command(*given, "--exemptions", command.file(document, "exemptions.json")).json
    assert [one["loadBalancerArn"] for one in exempt["exemptions"]] == [arn]
    assert exempt["summary"]["compliance"] == {"COMPLIANT": 0, "NON_COMPLIANT": 2, "NOT_APPLICABLE": 1}


def test_names_and_units_of_accounts_are_in_the_table(command: Command, organization: str) -> None:
    rows = list(csv.DictReader(io.StringIO(command(*BY_NAME, "--accounts", organization, "-f", "csv").out)))
    assert {(row["accountId"], row["accountName"], row["unit"]) for row in rows} == {
        (account, f"account {account[-1]}", f"Production/{account[-1]}") for account in ACCOUNTS
    }


@pytest.mark.slow
def test_external_id_and_session_name_are_given(command: Command, organization: str, wire: Wire) -> None:
    command(*BY_NAME, "--accounts", organization, "--external-id", "a:b/c", "--session-name", "weekly@audit")
    assert {(given["ExternalId"], given["RoleSessionName"]) for given in wire.parameters} == {("a:b/c", "weekly@audit")}


@pytest.mark.slow
@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_the_partition_is_that_of_the_credentials(
    command: Command, organization: str, wire: Wire, monkeypatch: pytest.MonkeyPatch, partition: str
) -> None:
    """Unless an ARN says another."""
    make = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 (as in `wire`)

    def call(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "GetCallerIdentity":
            return {"Account": OWN_ACCOUNT, "Arn": f"arn:{partition}:iam::{OWN_ACCOUNT}:user/auditor"}
        return make(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    command(*BY_NAME, "--accounts", organization, *ONE_RULE)
    assert {given["RoleArn"] for given in wire.parameters} == {role_arn(one, partition) for one in ACCOUNTS}


def test_an_account_that_cannot_be_assumed_is_an_error_and_the_others_are_judged(
    command: Command, organization: str, wire: Wire
) -> None:
    wire.failing = refuse_role_of(ACCOUNTS[1])
    answer = command(*BY_NAME, "--accounts", organization, "--format", "json")
    assert answer.code == 3
    assert {one["accountId"] for one in answer.json["findings"]} == {ACCOUNTS[0], ACCOUNTS[2]}
    (error,) = answer.json["errors"]
    assert error["what"] == f"account {ACCOUNTS[1]}, role {role_arn(ACCOUNTS[1])}"
    assert error["cause"].startswith("AssumeRole: AccessDenied: not for you; the role must exist and trust arn:aws:")
    assert "sts:AssumeRole" in error["cause"]
    assert error["cause"].endswith("give --external-id if its trust policy asks for one")


@pytest.mark.slow
def test_every_format_has_account_and_region(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    """Of load balancers, and of an account that could not be read: ASFF has no place for that, standard error has."""
    wire.failing = refuse_role_of(ACCOUNTS[1])
    given = (*BY_NAME, "--accounts", organization, *ONE_RULE, "--resume", str(tmp_path / "run"))
    for format_name in FORMATS:
        answer = command(*given, "--format", format_name)
        assert answer.code == 3
        assert REGION in answer.out
        for account in (ACCOUNTS[0], ACCOUNTS[2]):
            assert account in answer.out
        assert "role/audit/reader" in answer.out + answer.err
        assert f"account {ACCOUNTS[1]}" in answer.out + answer.err


@pytest.mark.slow
def test_the_account_of_the_credentials_is_read_with_them(command: Command, organization: str, wire: Wire) -> None:
    """It often has no such role: Organizations creates that in the accounts that it creates."""
    wire.failing = refuse_role_of(OWN_ACCOUNT)
    answer = command(*BY_NAME, "--account", OWN_ACCOUNT, *ONE_RULE, "--verbose")
    assert (answer.code, answer.out) == (0, f"No load balancer found in {OWN_ACCOUNT} {REGION}.\n")
    assert f"alb-sg: {OWN_ACCOUNT} is read without {role_arn(OWN_ACCOUNT)}" in answer.err
    assert organization


@pytest.mark.slow
def test_a_region_that_cannot_be_read_is_an_error(command: Command, organization: str, wire: Wire) -> None:
    wire.failing = lambda region, operation, _: (
        denied(operation) if (region, operation) == (OTHER_REGION, "DescribeLoadBalancers") else None
    )
    regions = ("--region", REGION, "--region", OTHER_REGION)
    answer = command(*BY_NAME, "--accounts", organization, *regions, *ONE_RULE, "--format", "json")
    assert answer.code == 3
    assert found_in(answer.json) == EVERY
    assert {one["what"] for one in answer.json["errors"]} == {
        f"LoadBalancers of {account} {OTHER_REGION}" for account in ACCOUNTS
    }


@pytest.mark.slow
def test_an_account_whose_unit_is_not_known_is_an_error(command: Command, organization: str, wire: Wire) -> None:
    """Its load balancers may be in the unit."""
    assert organization
    unknown = command.file({"Accounts": [{"Id": ACCOUNTS[0]}, {"Id": "100000000009", "Status": "SUSPENDED"}]}, "a.json")
    answer = command(*BY_NAME, "--accounts", unknown, "--unit", "Production", "--format", "json")
    assert answer.code == 3
    assert [one["what"] for one in answer.json["errors"]] == [f"unit of account {ACCOUNTS[0]}"]
    assert wire.parameters == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--assume-role", "reader"), "--assume-role reader is of every account; say which: --accounts F or --account"),
        (
            ("--assume-role", "arn:aws:iam::{accountId}:role/reader"),
            "is no role; give arn:aws:iam::111122223333:role/",
        ),
        (("--assume-role", "arn:aws:iam::12345:role/reader"), "is no role"),
        (("--assume-role", "arn:aws:iam::111122223333:user/reader"), "is no role"),
        (("--assume-role", role_arn(ACCOUNTS[0]), "--account", ACCOUNTS[1]), "which --account leaves out"),
        (("--external-id", "abc"), "--external-id is for --assume-role; omit it"),
        (("--resume", "run"), "--resume is for --assume-role; omit it"),
        (("--assume-role", "reader", "--estate", "e.json"), "omit it with --estate"),
        (("--assume-role", "reader", "--aggregator", "a"), "omit it with --aggregator, which is read with the"),
        (("--assume-role", "reader", "--terraform-plan", "p.json"), "omit it with --terraform-plan"),
        (("--assume-role", "reader", "--session-name", "a b"), "'a b' is no session name"),
        (("--assume-role", "reader", "--external-id", "ü!"), "'ü!' is no external ID"),
    ],
)
def test_bad_options_are_refused(command: Command, options: tuple[str, ...], said: str) -> None:
    assert said in command.refused("check", *options)


@pytest.mark.slow
def test_accounts_that_the_file_lacks_are_refused(command: Command, organization: str) -> None:
    given = (*BY_NAME, "--accounts", organization)
    assert "did you mean '100000000001'?" in command.refused(*given, "--account", "100000000011")
    assert "there is no account in unit Prod, so nothing" in command.refused(*given, "--unit", "Prod")
    assert "omit the others" in command.refused(*given, "--region", "all", "--region", REGION)


def test_an_interrupted_walk_goes_on_where_it_was(
    command: Command, organization: str, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "MAX_THREADS", 1)
    given = (*BY_NAME, "--accounts", organization, *ONE_RULE, "--format", "json")
    whole = command(*given)
    folder = tmp_path / "run"
    resume = (*given, "--resume", str(folder), "--output", str(tmp_path / "findings.json"))
    described = wire.count("DescribeLoadBalancers")
    seen = 0

    def interrupt_the_last(_: str, operation: str, __: dict[str, Any]) -> BaseException | None:
        nonlocal seen
        seen += operation == "DescribeLoadBalancers"
        return KeyboardInterrupt() if seen == described else None

    wire.failing = interrupt_the_last
    answer = command(*resume)
    assert answer.code == 130
    assert answer.err.endswith(
        f" {folder} keeps 2 accounts and regions; run again with the same options to go on\nalb-sg: interrupted\n"
    )
    assert not (tmp_path / "findings.json").exists()

    wire.failing = lambda *_: None
    wire.calls.clear()
    answer = command(*resume)
    assert (answer.code, answer.out) == (whole.code, "")
    assert f"{folder} has 2 accounts and regions, read since 20" in answer.err
    assert wire.count("DescribeLoadBalancers") == described // 3
    assert (tmp_path / "findings.json").read_text() == whole.out
    # A run that is complete leaves nothing that a later one could take for new.
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_after_an_error_only_the_rest_is_read(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    given = (*BY_NAME, "--accounts", organization, *ONE_RULE, "--format", "json", "--resume", str(folder))
    wire.failing = lambda _, operation, parameters: (
        refuse_role_of(ACCOUNTS[0])(_, operation, parameters)
        or (denied(operation) if operation == "DescribeSecurityGroups" and wire.count(operation) == 1 else None)
    )
    answer = command(*given)
    assert (answer.code, len(answer.json["errors"])) == (3, 2)
    assert "keeps 1 account and region; run again with the same options to read what could not be read" in answer.err
    wire.failing = lambda *_: None
    wire.calls.clear()
    answer = command(*given)
    assert (answer.code, found_in(answer.json)) == (1, EVERY)
    assert wire.count("DescribeSecurityGroups") == 2


@pytest.fixture
def kept(command: Command, organization: str, wire: Wire, tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder of a run in which one account could not be read, and its options."""
    folder = tmp_path / "run"
    given = (*BY_NAME, "--accounts", organization, *ONE_RULE, "--format", "json", "--resume", str(folder))
    wire.failing = refuse_role_of(ACCOUNTS[0])
    assert command(*given).code == 3
    wire.failing = lambda *_: None
    wire.calls.clear()
    return folder, given


@pytest.mark.slow
def test_another_walk_is_refused(command: Command, kept: tuple[Path, tuple[str, ...]]) -> None:
    _, given = kept
    for options, said in (
        (("--rule", "listener_ingress"), "is of a run with another rules and parameters"),
        (("--parameter", "AcceptedSources=10.0.0.0/8"), "another rules and parameters"),
        (("--name", "web-1"), "another narrowing"),
        (("--source", "config"), "another source"),
    ):
        assert said in command.refused(*given, *options)
    # What is read is the same, and shown otherwise.
    assert command(*given, "--format", "csv").code == 1


@pytest.mark.slow
def test_a_folder_of_something_else_is_refused(command: Command, organization: str, tmp_path: Path) -> None:
    given = (*BY_NAME, "--accounts", organization, "--resume", str(tmp_path))
    assert "holds other files, and no run of alb-sg; give an empty folder" in command.refused(*given)


@pytest.mark.slow
def test_old_and_damaged_results_are_read_again(
    command: Command, wire: Wire, kept: tuple[Path, tuple[str, ...]]
) -> None:
    folder, given = kept
    old, damaged = sorted(folder.glob("*.json.gz"))
    content = json.loads(gzip.decompress(old.read_bytes()))
    content["savedAt"] = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    old.write_bytes(gzip.compress(json.dumps(content).encode()))
    damaged.write_bytes(damaged.read_bytes()[:40])
    assert found_in(command(*given).json) == EVERY
    assert wire.count("DescribeSecurityGroups") == 3


@pytest.mark.slow
def test_an_estate_is_let_go_once_it_is_judged(
    command: Command, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds what is being judged, however many accounts there are."""
    monkeypatch.setattr(threads, "MAX_THREADS", 1)
    alive: list[int] = []
    save = ResumeFolder.save

    def counting_save(*arguments: Any) -> None:
        gc.collect()
        alive.append(sum(isinstance(one, Estate) for one in gc.get_objects()))
        save(*arguments)

    monkeypatch.setattr(ResumeFolder, "save", counting_save)
    gc.collect()
    before = sum(isinstance(one, Estate) for one in gc.get_objects())
    assert command(*BY_NAME, "--accounts", organization, "--region", REGION, "--region", OTHER_REGION).code == 1
    assert len(alive) == 6
    assert max(alive) - before <= 1


def test_accounts_are_exported_together(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "organization.json.gz"
    given = ("export", "--accounts", organization, "--assume-role", ROLE, "--output", str(path))
    assert command(*given).code == 0
    saved = command("check", "--estate", str(path), "--format", "json")
    assert found_in(saved.json) == EVERY
    wire.failing = refuse_role_of(ACCOUNTS[2])
    answer = command(*given)
    assert (answer.code, answer.out) == (3, "")
    assert f"alb-sg: account {ACCOUNTS[2]}, role {role_arn(ACCOUNTS[2])}: AssumeRole: AccessDenied" in answer.err
    assert found_in(command("check", "--estate", str(path), "--format", "json").json) == {
        one for one in EVERY if one[0] != ACCOUNTS[2]
    }


@pytest.mark.slow
def test_an_export_of_nothing_writes_nothing(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "organization.json"
    wire.failing = lambda _, operation, __: denied(operation) if operation == "AssumeRole" else None
    answer = command("export", "--accounts", organization, "--assume-role", ROLE, "--output", str(path))
    assert answer.code == 3
    assert answer.err.endswith("2 more could not be read either; nothing is written\n")
    assert not path.exists()


@pytest.mark.slow
def test_an_interrupted_export_goes_on(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    path, folder = tmp_path / "organization.json", tmp_path / "run"
    given = ("export", "--accounts", organization, "--assume-role", ROLE, "--output", str(path))
    wire.failing = refuse_role_of(ACCOUNTS[2])
    assert command(*given, "--resume", str(folder)).code == 3
    wire.failing = lambda *_: None
    wire.calls.clear()
    assert command(*given, "--resume", str(folder)).code == 0
    assert wire.count("DescribeVpcs") == 1
    resumed = path.read_text()
    assert command(*given).code == 0
    assert path.read_text() == resumed


def test_a_page_of_many_accounts(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    given = ("dashboard", "--accounts", organization, "--assume-role", ROLE, "--owner-tag", "team", "-o", str(page))
    wire.failing = refuse_role_of(ACCOUNTS[2])
    answer = command(*given, "--unit", "Production", "--pictures", "1")
    assert answer.code == 3
    data = json.loads(page.with_suffix(".json").read_text())
    shown = {(one["account"], one["name"], one["owner"]) for one in data["loadBalancers"]}
    assert shown == {(account, f"web-{account[-1]}", f"team {account[-1]}") for account in ACCOUNTS[:2]}
    assert role_arn(ACCOUNTS[2]) in page.read_text()
    # One picture among all accounts.
    assert sum("detail" in one for one in data["loadBalancers"]) == 1


@pytest.mark.slow
def test_an_interrupted_page_goes_on(command: Command, organization: str, wire: Wire, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "run"
    options = ("--accounts", organization, "--assume-role", ROLE)
    given = ("dashboard", *options, "--owner-tag", "team", "--as-of", "2027-01-31T12:00:00Z", "-o", str(page))
    assert command(*given).code == 1
    whole = json.loads(page.with_suffix(".json").read_text())
    resumed = (*given, "--resume", str(folder))

    wire.failing = refuse_role_of(ACCOUNTS[2])
    answer = command(*resumed)
    assert answer.code == 3
    assert "keeps 2 accounts and regions; run again with the same options to read what could" in answer.err
    data = json.loads(page.with_suffix(".json").read_text())
    assert {one["account"] for one in data["loadBalancers"]} == set(ACCOUNTS[:2])
    assert role_arn(ACCOUNTS[2]) in page.read_text()

    wire.failing = lambda *_: None
    wire.calls.clear()
    assert command(*resumed).code == 1
    assert wire.count("DescribeLoadBalancers") == 1
    assert json.loads(page.with_suffix(".json").read_text()) == whole
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_the_folder_stays_until_the_page_is_written(
    command: Command, organization: str, wire: Wire, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    given = ("dashboard", "--accounts", organization, "--assume-role", ROLE, "--resume", str(folder), "-o")
    assert command(*given, str(tmp_path / "missing" / "page.html")).code == 2
    wire.calls.clear()
    assert command(*given, str(tmp_path / "page.html")).code == 1
    assert wire.count("DescribeLoadBalancers") == 0


@pytest.mark.slow
def test_a_page_goes_on_with_what_an_export_has_read(
    command: Command, organization: str, wire: Wire, tmp_path: Path
) -> None:
    options = ("--accounts", organization, "--assume-role", ROLE, "--resume", str(tmp_path / "run"))
    wire.failing = refuse_role_of(ACCOUNTS[2])
    assert command("export", *options, "-o", str(tmp_path / "organization.json")).code == 3
    wire.failing = lambda *_: None
    wire.calls.clear()
    assert command("dashboard", *options, "-o", str(tmp_path / "page.html")).code == 1
    assert wire.count("DescribeLoadBalancers") == 1


@pytest.mark.parametrize("words", [("export", "-o", "e.json"), ("dashboard", "-o", "e.html", "--estate", "saved.json")])
def test_accounts_are_chosen_with_a_role_alone(command: Command, words: tuple[str, ...]) -> None:
    said = "--account chooses accounts to read with --assume-role; omit it"
    assert said in command.refused(*words, "--account", ACCOUNTS[0])
