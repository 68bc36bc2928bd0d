"""What holds for every test: no network, no AWS account of anybody's, and property tests that repeat themselves."""

from __future__ import annotations

import gc
import inspect
import re
import socket
import sys
from collections.abc import Generator, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import botocore.hooks
import botocore.session
import pytest
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, settings

from alb_sg.recommendations.catalogue import override_severities

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

# Fewer examples for the tests of `make check`.
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=15)

SLOW_MODULE = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)


def runs_quick_tests_alone(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not slow")


def pytest_configure(config: pytest.Config) -> None:
    if runs_quick_tests_alone(config):
        settings.load_profile("quick")
        # jsonschema imports it, if it is there. It builds 38 parsers, for formats that only slow tests validate.
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # how Python notes that a module is not there


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignores modules that are slow as a whole where only quick tests run: importing them takes seconds."""
    if runs_quick_tests_alone(config) and collection_path.suffix == ".py":
        return SLOW_MODULE.search(collection_path.read_text(encoding="utf-8")) is not None or None
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Disables the garbage collector while modules are imported. What they hold is no garbage later either."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        # Tests load large models and make many objects: with Python's thresholds, that takes a quarter of their time.
        gc.set_threshold(5000, 20, 20)
        gc.enable()


# Where a client is built without a stand-in, it must find no credentials that work, and no profile.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


@pytest.fixture(autouse=True)
def _own_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _own_severities() -> Iterator[None]:
    """Severities that a command read from settings hold for its process, not for the next test."""
    yield
    override_severities({})


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


class _SharedModels(Loader):
    """Models for all sessions, but for that of S3, which its clients change."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if service_name == "s3":
            return Loader().load_service_model(service_name, type_name, api_version)
        return super().load_service_model(service_name, type_name, api_version)


@pytest.fixture(autouse=True, scope="session")
def _service_models_are_read_once() -> Iterator[None]:
    """botocore reads the services' models anew for every session, EC2's for half a second. Here sessions share them."""
    create, shared = botocore.session.create_loader, _SharedModels()
    paths = tuple(shared.search_paths)

    def loader(path: str | None = None) -> Loader:
        # Every session of boto3 adds its own folder.
        shared.search_paths[:] = paths
        return create(path) if path else shared

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(botocore.session, "create_loader", loader)
        yield


@pytest.fixture(autouse=True, scope="session")
def _clients_are_made_quickly() -> Iterator[None]:
    """Most tests make sessions and clients. A session of botocore registers hundreds of handlers, inspects each and
    translates the name of its event; a client of EC2 has 700 methods. Here a name is translated once for all sessions,
    and methods are made once for all clients of a service."""
    aliaser, creator = cast("Any", EventAliaser), cast("Any", ClientCreator)
    translate = cache(partial(aliaser._alias_event_name, aliaser(None)))  # noqa: SLF001 (botocore has no other place)
    inspected, make_methods = botocore.hooks.accepts_kwargs, creator._create_methods  # noqa: SLF001
    load_model = creator._load_service_model  # noqa: SLF001
    methods: dict[tuple[str, ...], dict[str, Any]] = {}
    models: dict[int, ServiceModel] = {}

    def accepts_kwargs(handler: Any) -> Any:
        code = getattr(handler, "__code__", None)
        return inspected(handler) if code is None else code.co_flags & inspect.CO_VARKEYWORDS

    def shared_methods(creator: ClientCreator, model: ServiceModel) -> dict[str, Any]:
        # The artifact's models have fewer operations of the same version.
        key = (model.service_name, model.api_version, *model.operation_names)
        if key not in methods:
            methods[key] = make_methods(creator, model)
        return dict(methods[key])

    def shared_model(creator: Any, service_name: str, api_version: str | None = None) -> ServiceModel:
        if service_name == "s3":
            return cast("ServiceModel", load_model(creator, service_name, api_version))
        # A loader returns the same description each time, and the model keeps it.
        description = creator._loader.load_service_model(service_name, "service-2", api_version=api_version)  # noqa: SLF001
        return models.setdefault(id(description), ServiceModel(description, service_name))

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(creator, "_load_service_model", shared_model)
        monkeypatch.setattr(creator, "_create_methods", shared_methods)
        monkeypatch.setattr(aliaser, "_alias_event_name", lambda _, event_name: translate(event_name))
        monkeypatch.setattr(botocore.hooks, "accepts_kwargs", accepts_kwargs)
        yield
