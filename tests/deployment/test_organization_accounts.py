"""Accounts outside `memberAccounts`: excluded from the pack where the organization's accounts are listed, else said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from alb_sg.deployment.__main__ import main
from tests.deployment.deployments import CENTRAL, MEMBERS, ORGANIZATION, RULES, SHIPPED, write

OUTSIDE = ("055556666777", "066667777888")
LISTED: dict[str, Any] = {
    "Accounts": [{"Id": account, "Status": "ACTIVE"} for account in (*OUTSIDE, *MEMBERS, CENTRAL, "444455556666")]
}
LIMITED = {
    **SHIPPED,
    "organization": {
        "delegatedAdministrator": CENTRAL,
        "memberAccounts": list(MEMBERS),
        "excludedAccounts": ["444455556666"],
    },
}


class Pack:
    """`make pack` with some settings and a listing of the organization's accounts."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, content: object, listing: object = None) -> tuple[int, str]:
        arguments = ["--rules", str(RULES), "--config", str(write(content, self.folder)), "--output", str(self.folder)]
        if listing is not None:
            path = self.folder / "accounts.json"
            path.write_text(listing if isinstance(listing, str) else json.dumps(listing), encoding="utf-8")
            arguments += ["--organization-accounts", str(path)]
        status = main(["pack", *arguments])
        said = self.capsys.readouterr()
        return status, said.err if status else said.out

    def excluded(self) -> list[str]:
        text = (self.folder / "organization-conformance-pack.yaml").read_text(encoding="utf-8")
        found: list[str] = yaml.safe_load(text)["Resources"]["Pack"]["Properties"].get("ExcludedAccounts", [])
        return found


@pytest.fixture
def pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pack:
    return Pack(tmp_path, capsys)


@pytest.mark.slow
def test_accounts_outside_fail_the_pack_with_a_warning(pack: Pack) -> None:
    status, said = pack(LIMITED)
    assert status == 0
    [remark] = [line for line in said.splitlines() if line.startswith("organization.memberAccounts")]
    assert remark.startswith("organization.memberAccounts names 2 accounts, and excludedAccounts 1. AWS Config deploys")
    assert "one such account fails the whole pack" in remark
    assert "pack --organization-accounts accounts.json" in remark
    assert pack.excluded() == ["444455556666"]


@pytest.mark.slow
def test_listed_accounts_outside_are_excluded(pack: Pack) -> None:
    status, said = pack(LIMITED, LISTED)
    assert status == 0
    assert "fails the whole pack" not in said
    # The delegated administrator is no member here, so the functions refuse it too.
    assert pack.excluded() == sorted([*OUTSIDE, CENTRAL, "444455556666"])


@pytest.mark.slow
def test_a_fully_served_organization_excludes_no_account(pack: Pack) -> None:
    status, said = pack(ORGANIZATION)
    assert (status, "fails the whole pack" in said) == (0, False)
    assert pack(ORGANIZATION, LISTED)[0] == 0
    assert pack.excluded() == []


@pytest.mark.slow
@pytest.mark.parametrize("key", ["State", "Status"])
def test_accounts_that_are_not_active_are_excluded(key: str, pack: Pack) -> None:
    """Organizations answers Status, and State since 2025."""
    states = ("ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "PENDING_ACTIVATION")
    listing = {"Accounts": [{"Id": f"{number:012}", key: state} for number, state in enumerate(states)]}
    assert pack(ORGANIZATION, listing)[0] == 0
    assert pack.excluded() == ["000000000001", "000000000002", "000000000003"]


@pytest.mark.parametrize(
    ("listing", "sentence"),
    [
        ("{", "is not the output of `aws organizations list-accounts --output json` (JSONDecodeError"),
        (
            {"Accounts": [{"Id": 55556666777, "Status": "ACTIVE"}]},
            "is not the output of `aws organizations list-accounts",
        ),
        # Neither State nor Status: whether it can be deployed to is not known.
        ({"Accounts": [{"Id": MEMBERS[0]}]}, "(KeyError('Status'))"),
        ({"Accounts": [{"Id": "55556666777", "Status": "ACTIVE"}]}, "(ValueError('an Id is not twelve digits'))"),
        ({**LISTED, "NextToken": "x"}, "is only the first part of a listing; run"),
        (
            {"Accounts": [{"Id": MEMBERS[0], "Status": "ACTIVE"}]},
            f"does not list {MEMBERS[1]} of organization.memberAccounts; correct",
        ),
        (
            {"Accounts": [*LISTED["Accounts"][:2], *({"Id": one, "State": "SUSPENDED"} for one in MEMBERS)]},
            f"lists {MEMBERS[0]} (SUSPENDED), {MEMBERS[1]} (SUSPENDED) of organization.memberAccounts, which nothing",
        ),
        (
            {
                "Accounts": [
                    *LISTED["Accounts"],
                    *({"Id": f"{number:012}", "Status": "ACTIVE"} for number in range(1_000)),
                ]
            },
            "1,004 accounts are outside organization.memberAccounts, but AWS Config excludes at most 1,000; use",
        ),
    ],
)
def test_a_listing_that_cannot_be_used(listing: object, sentence: str, pack: Pack) -> None:
    status, said = pack(LIMITED, listing)
    assert status == 2
    assert said.startswith(f"{pack.folder / 'accounts.json'}: ")
    assert sentence in said
    assert not (pack.folder / "organization-conformance-pack.yaml").exists()


def test_a_listing_that_is_not_there(pack: Pack, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(LIMITED, pack.folder)
    missing = str(pack.folder / "none.json")
    assert main(["pack", "--rules", str(RULES), "--config", str(path), "--organization-accounts", missing]) == 2
    assert capsys.readouterr().err == f"{missing}: cannot be read: No such file or directory\n"
