"""What holds for every test: no network, no AWS account of anybody's, and property tests that repeat themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Generated estates are large beside the time they take; a deadline would only measure the machine.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=70,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# An explorer's: pytest --hypothesis-profile=exploring looks further, and elsewhere each time.
settings.register_profile("exploring", settings.get_profile("repeatable"), derandomize=False, max_examples=2000)

# Where a client is built without a stand-in, it must find no credentials that work, and no profile.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}

# Modules whose tests each start a simulated AWS account, render and lint every template, or generate whole estates:
# seconds a test, which `make check` leaves to `make test`.
SLOW_MODULES = frozenset(
    {
        "command_line/test_live.py",
        "config_rule/test_handlers.py",
        "deployment/test_settings.py",
        "deployment/test_stacks.py",
        "deployment/test_templates.py",
        "estate/test_unknown_values.py",
        "exemptions/test_command.py",
        "exemptions/test_handlers.py",
        "live/test_live_moto.py",
        "properties/test_whole.py",
        "remediation/test_apply.py",
        "remediation/test_command.py",
        "remediation/test_properties.py",
        "remediation/test_snippets.py",
        "test_three_sources.py",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/".join(item.path.parts[-2:]) in SLOW_MODULES or item.path.name in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _own_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Connections to other machines fail; those within this one (a test's own server) work."""
    connect = socket.socket.connect

    def within_this_machine(self: socket.socket, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to connect to {address[0]}:{address[1]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(socket.socket, "connect", within_this_machine)
        yield
