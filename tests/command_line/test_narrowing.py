"""The options that narrow a run: which load balancers and rules are judged, and which results are listed."""

from __future__ import annotations

import json

import pytest

from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, REGION, RULES, Saved, load_balancer
from tests.command_line.calling import Command, closed, in_order
from tests.filter_cases import FILTER_CASES, FilterCase

OTHER_ACCOUNT = "000000000001"


def estates() -> list[Saved]:
    """Two accounts: `shop-web` and `shop-api` here, with tags, and `web` there."""
    here = closed(
        load_balancer("shop-web", tags={"team": "edge", "stage": "prod"}),
        load_balancer("shop-api", tags={"team": "core"}),
        load_balancer("Shop-old", tags={}),
    )
    there = json.loads(
        json.dumps(closed(load_balancer("web", tags={"team": "edge"}))).replace("111122223333", OTHER_ACCOUNT)
    )
    return [here, there]


@pytest.mark.parametrize("format_name", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--account", OTHER_ACCOUNT), {"web"}),
        (("--account", OTHER_ACCOUNT, "--account", "111122223333"), {"web", "shop-web", "shop-api", "Shop-old"}),
        (("--name", "shop-*"), {"shop-web", "shop-api", "Shop-old"}),
        (("--name", "web", "--name", "*-api"), {"web", "shop-api"}),
        (("--tag", "team=edge"), {"shop-web", "web"}),
        (("--tag", "team"), {"shop-web", "shop-api", "web"}),
        (("--tag", "stage", "--tag", "team=core"), {"shop-web", "shop-api"}),
        (("--tag", "team=edge", "--account", OTHER_ACCOUNT), {"web"}),
        (("--name", "nothing-*"), set()),
    ],
)
def test_load_balancers_that_fit_are_judged(
    command: Command, options: tuple[str, ...], names: set[str], format_name: str
) -> None:
    answer = command("check", "--format", format_name, "--estate", command.file(estates()), *options)
    findings = answer.json["findings"] if format_name == "json" else list(map(json.loads, answer.out.splitlines()))
    assert {found["loadBalancerName"] for found in findings} == names
    assert answer.code == (1 if names else 0)


ACCOUNTS = {
    "Accounts": [
        {"Id": "111122223333", "Name": "shops", "Unit": "Production/Shops"},
        {"Id": OTHER_ACCOUNT, "Name": "lab", "Unit": "Sandbox"},
    ]
}


@pytest.mark.parametrize("format_name", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("units", "names"),
    [
        (["Production/Shops"], {"shop-web", "shop-api", "Shop-old"}),
        # A unit holds the units below it.
        (["Production"], {"shop-web", "shop-api", "Shop-old"}),
        (["/Sandbox/"], {"web"}),
        (["Prod"], set()),
        (["Sandbox", "Production"], {"web", "shop-web", "shop-api", "Shop-old"}),
    ],
)
def test_units_choose_accounts(command: Command, units: list[str], names: set[str], format_name: str) -> None:
    options = [word for unit in units for word in ("--unit", unit)]
    accounts = command.file(ACCOUNTS, "accounts.json")
    answer = command(
        *("check", "--format", format_name, "--estate", command.file(estates()), "--accounts", accounts), *options
    )
    findings = answer.json["findings"] if format_name == "json" else list(map(json.loads, answer.out.splitlines()))
    assert {found["loadBalancerName"] for found in findings} == names


def test_an_account_without_a_known_unit_is_an_error(command: Command) -> None:
    """Its load balancers may be in the unit: to leave them out would hide them."""
    accounts = command.file({"Accounts": ACCOUNTS["Accounts"][:1]}, "accounts.json")
    estate = command.file(estates())
    answer = command("check", "--estate", estate, "--accounts", accounts, "--unit", "Production", "--format", "json")
    [error] = answer.json["errors"]
    assert (error["loadBalancerArn"], error["what"]) == (None, f"unit of account {OTHER_ACCOUNT}")
    answer = command("check", "--estate", estate, "--accounts", accounts, "--unit", "Sandbox")
    assert answer.code == 3


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--owner-tag", "team", "--owner", "edge"), {"shop-web", "web"}),
        (("--owner-tag", "stage", "--owner-tag", "team", "--owner", "prod"), {"shop-web"}),
        (("--owner-tag", "team", "--owner", "edge", "--owner", "core"), {"shop-web", "shop-api", "web"}),
        (("--owner-tag", "team", "--owner", "nobody"), set()),
    ],
)
def test_owners_choose_load_balancers(command: Command, options: tuple[str, ...], names: set[str]) -> None:
    answer = command("check", "--format", "json", "--estate", command.file(estates()), *options)
    assert {found["loadBalancerName"] for found in answer.json["findings"]} == names


@pytest.mark.parametrize("case", FILTER_CASES, ids=repr)
def test_the_grammar_of_filters(command: Command, case: FilterCase) -> None:
    """The page has the same cases."""
    accounts: Saved = {"Accounts": [{"Id": "111122223333"}]}
    name, tags, more = "web", {}, []
    match case.key:
        case "name":
            name = case.value
        case "tag":
            tags = case.value
        case "owner":
            tags = {} if case.value is None else {"team": case.value}
            more = ["--owner-tag", "team"]
        case "unit":
            accounts["Accounts"][0]["Unit"] = case.value
            more = ["--accounts", command.file(accounts, "accounts.json")]
    saved = closed(load_balancer(name, tags=tags))
    given = [f"--{case.key}={pattern}" for pattern in case.patterns]
    answer = command.on(saved, "check", "--rule", ICMP, "--format", "json", *more, *given)
    assert (len(answer.json["findings"]) == 1) is case.fits
    # An unknown unit that no pattern fits decides nothing.
    assert (answer.code == 3) is (case.key == "unit" and case.value is None and not case.fits)


@pytest.mark.parametrize("given", [("--severity", "LOW"), ("--status", "Compliant"), ("--rule", "icmp-pmtud")])
def test_letter_case_does_not_matter_in_words_either(command: Command, given: tuple[str, ...]) -> None:
    answer = command.on(in_order(), "check", "--all", "--rule", ICMP, *given)
    assert answer.out.startswith("COMPLIANT")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--unit", "Production"), "--unit needs the units of accounts; give them with --accounts"),
        (("--owner", "edge"), "--owner needs the tag that names owners; give it with --owner-tag"),
    ],
)
def test_an_option_says_which_other_one_it_needs(command: Command, options: tuple[str, ...], said: str) -> None:
    assert said in command.refused("check", "--estate", command.file(estates()), *options)


def test_tags_that_were_not_read_are_errors_where_they_decide(command: Command) -> None:
    saved = in_order(uncollected=["Tags"])
    assert command.on(saved, "check").code == 0
    answer = command.on(saved, "check", "--tag", "team=edge", "--format", "json")
    assert answer.code == 3
    (error,) = answer.json["errors"]
    assert (error["what"], "Tags" in error["cause"]) == ("tags of web", True)


def test_malformed_tags_of_a_group_are_errors_where_they_decide(command: Command) -> None:
    saved = in_order()
    saved["SecurityGroups"][0]["Tags"] = {"team": "edge"}
    assert command.on(saved, "check").code == 0
    answer = command.on(saved, "check", "--owner-tag", "team", "--owner", "edge", "--format", "json")
    assert answer.code == 3
    (error,) = answer.json["errors"]
    assert error["what"] == f"Tags of security group {saved['SecurityGroups'][0]['GroupId']}"


def test_severities_choose_rules(command: Command) -> None:
    def judged(*severities: str) -> set[str]:
        options = [word for severity in severities for word in ("--severity", severity)]
        found = command.on(closed(), "check", "--format", "json", *options).json["findings"]
        return {one["rule"] for one in found}

    assert judged("low") == {ICMP}
    assert judged("MEDIUM", "low") == {HEALTH, ICMP}
    assert judged() == set(RULES)
    said = command.refused("check", "--estate", "x", "--severity", "low", "--rule", INGRESS)
    assert "no selected rule has severity low" in said


def test_statuses_select_rows_and_keep_the_exit_code(command: Command) -> None:
    saved = closed(uncollected=["TargetGroups"])
    answer = command.on(saved, "check", "--format", "json", "--status", "non-compliant")
    assert {one["compliance"] for one in answer.json["findings"]} == {"NON_COMPLIANT"}
    assert answer.json["errors"] == []
    assert answer.code == 3
    answer = command.on(saved, "check", "--format", "jsonl", "--status", "error")
    assert all("error" in json.loads(line) for line in answer.out.splitlines())
    lines = command.on(in_order(), "check", "--status", "compliant", "--rule", EGRESS).out.splitlines()
    assert lines[0].startswith("COMPLIANT ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--account", "1234"), "'1234' is not an account id of 12 digits"),
        (("--tag", "=edge"), "'=edge' is not KEY or KEY=VALUE; for any key, write '*=edge'"),
        (("--tag", ""), "'' is not KEY or KEY=VALUE"),
        (("--status", "complaint"), "did you mean 'compliant'?"),
        (("--name", "web", "--history", "runs", "--format", "asff"), "omit --load-balancer and what narrows the run"),
        (("--name", "web", "--terraform-plan", "plan.json"), "narrowed by --load-balancer and --rule"),
    ],
)
def test_bad_options_are_refused(command: Command, options: tuple[str, ...], said: str) -> None:
    assert said in command.refused("check", "--region", REGION, *options)
