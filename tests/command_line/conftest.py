"""The command, ready to be called, and an organization for it to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.client
import pytest
from moto import mock_aws

from tests.command_line.calling import Command
from tests.command_line.organization import ACCOUNTS, REGION, Wire, create_load_balancer


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


@pytest.fixture
def organization(command: Command) -> Iterator[str]:
    """A load balancer in one region of each account; the file of accounts, with a suspended one."""
    with mock_aws():
        for account in ACCOUNTS:
            create_load_balancer(account, REGION)
        entries = [
            {"Id": account, "Name": f"account {account[-1]}", "Status": "ACTIVE", "Unit": f"Production/{account[-1]}"}
            for account in ACCOUNTS
        ]
        entries.append({"Id": "100000000009", "Name": "closed", "State": "SUSPENDED", "Unit": "Production"})
        yield command.file({"Accounts": entries}, "accounts.json")


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    seen = Wire()
    make = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 (the one place that every call passes; it is in no stubs)

    def call(self: Any, operation: str, parameters: Any) -> Any:
        credentials = self._request_signer._credentials  # noqa: SLF001 (as above)
        seen.calls.append((self.meta.region_name, credentials.access_key, operation))
        if operation == "AssumeRole":
            seen.parameters.append(parameters)
        error = seen.failing(self.meta.region_name, operation, parameters)
        if error is not None:
            raise error
        return make(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return seen
