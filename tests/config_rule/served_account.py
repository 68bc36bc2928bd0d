"""An account that serves a rule's handler without HTTP, in milliseconds: Elastic Load Balancing and EC2 from a saved
estate, AWS Config from the stand-in, and STS, S3 and Systems Manager from what the test puts there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any, Self

import pytest
from botocore.client import BaseClient

from alb_sg.aws import rate_limits
from alb_sg.aws.clients import make_client
from alb_sg.config_rule import client_factory, evaluations
from embedded_aws.config_recorder import record_estate
from embedded_aws.config_stand_in import ConfigStandIn
from tests.builders import ACCOUNT, REGION, Saved, Shape
from tests.live.region import Call, Refused, Region
from tests.rules import rule_module

ROLE = f"arn:aws:iam::{ACCOUNT}:role/alb-sg-evaluation"
# A context as Lambda gives it, of a function in another account than the one it judges.
FUNCTION_ACCOUNT = "444455556666"
CONTEXT = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:{REGION}:{FUNCTION_ACCOUNT}:function:alb-sg")


@dataclass(frozen=True)
class MadeClient:
    """A client that the handler made: its service, region and credentials."""

    service: str
    region: str
    credentials: Mapping[str, str]


@dataclass
class ServedAccount:
    """`saved` is what the APIs answer from; a test may replace it between events. `failures` are error codes by
    operation, for operations of any service but AWS Config; `fails_for` limits them to calls that name this value."""

    saved: Saved
    config: ConfigStandIn
    failures: dict[str, str] = field(default_factory=dict)
    fails_for: str | None = None
    # The text of an exemption document, at every location.
    exemptions: str | None = None
    clients: list[MadeClient] = field(default_factory=list)
    others: list[tuple[str, Shape]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    _seconds: int = 0
    _session: Any = None

    def make_client(self, service: str, region: str | None = None, *, session: Any = None, **credentials: str) -> Any:
        """In place of `alb_sg.aws.clients.make_client`."""
        client = _made_once(service, region or REGION, tuple(credentials.items()))
        self.clients.append(MadeClient(service, client.meta.region_name, credentials))
        self._session = session
        _serving[:] = [self]
        return client

    def remember(self, context: Shape, parameters: Shape) -> None:
        """Keeps a call's parameters until it is answered: only before their serialization they are plain."""
        context["given"] = dict(parameters)

    def created(self, **request: Any) -> None:
        """Tells the handler's own session of a request, as botocore tells those that a client has its handlers from."""
        if self._session is not None:
            self._session.emit("request-created", **request)

    def answer(self, service: str, model: Any, context: Shape) -> tuple[Any, Shape]:
        if service in ("elbv2", "ec2"):
            region = Region(self.saved, intervene=self._intervene)
            region.calls = self.calls
            return region.answer(model, context["given"])
        return self._answer(model, context)

    def _intervene(self, call: Call) -> Shape | None:
        code = self.failures.get(call.operation)
        if code is not None and (self.fails_for is None or self.fails_for in str(call.parameters)):
            raise Refused(code)
        return None

    def _answer(self, model: Any, context: Shape) -> tuple[Any, Shape]:
        self.others.append((model.name, context["given"]))
        code = self.failures.get(model.name)
        if code is not None:
            error = {"Code": code, "Message": "as the test wants it"}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=200), {**self._result(model.name), "ResponseMetadata": {}}

    def _result(self, operation: str) -> Shape:
        content = (self.exemptions or "").encode()
        credentials = {"AccessKeyId": "assumed", "SecretAccessKey": "secret", "SessionToken": "token"}
        results: dict[str, Shape] = {
            "AssumeRole": {"Credentials": credentials},
            "GetCallerIdentity": {"Account": ACCOUNT},
            "GetObject": {"Body": io.BytesIO(content), "ContentLength": len(content)},
            "GetParameter": {"Parameter": {"Value": self.exemptions}},
        }
        return results[operation]

    def scheduled(self, rule: str, parameters: Mapping[str, str] | None = None, **changes: Any) -> Shape:
        """The event of a periodic run."""
        return self._event(rule, {"messageType": "ScheduledNotification"}, parameters) | changes

    def changed(
        self,
        rule: str,
        resource_type: str,
        resource_id: str,
        parameters: Mapping[str, str] | None = None,
        *,
        status: str = "OK",
        configuration: Any = None,
        difference: Any = None,
        oversized: bool = False,
        **changes: Any,
    ) -> Shape:
        """The event of a changed item, or of one that is too large to be sent along."""
        item = {
            "resourceType": resource_type,
            "resourceId": resource_id,
            "configurationItemStatus": status,
            "configurationItemCaptureTime": self._next_time(),
        }
        if oversized:
            kind = "OversizedConfigurationItemChangeNotification"
            return self._event(rule, {"messageType": kind, "configurationItemSummary": item}, parameters) | changes
        invoking = {
            "messageType": "ConfigurationItemChangeNotification",
            "configurationItem": {**item, "configuration": configuration},
            "configurationItemDiff": difference,
        }
        return self._event(rule, invoking, parameters) | changes

    def _event(self, rule: str, invoking: Mapping[str, Any], parameters: Mapping[str, str] | None) -> Shape:
        return {
            "accountId": ACCOUNT,
            "configRuleName": rule,
            "executionRoleArn": ROLE,
            "resultToken": self.config.issue_token(rule, ACCOUNT),
            "eventLeftScope": False,
            "ruleParameters": json.dumps(parameters or {}),
            "invokingEvent": json.dumps({**invoking, "notificationCreationTime": self._next_time()}),
        }

    def _next_time(self) -> str:
        self._seconds += 1
        return f"2026-05-01T00:{self._seconds // 60:02d}:{self._seconds % 60:02d}.000Z"

    def run(self, rule: str, event: Mapping[str, Any]) -> list[Shape]:
        """The real handler's answer to an event."""
        answer: list[Shape] = rule_module(rule).lambda_handler(event, CONTEXT)
        json.dumps(answer)  # Lambda serialises what a handler returns; what it cannot, fails the invocation
        return answer

    def verdicts(self, rule: str) -> dict[str, str]:
        """The results of a rule as AWS Config shows them, by load balancer name."""
        return {_name(arn): one.compliance_type for arn, one in self.config.evaluations(rule).items()}

    def recorded(self) -> list[tuple[str, str]]:
        """Every evaluation that AWS Config took, in order."""
        return [(_name(one.resource_id), one.compliance_type) for one in self.config.accepted_evaluations]

    def operations(self) -> list[str]:
        """The operations that were called, of every service."""
        return [
            *(name for name, _ in self.others),
            *(call.operation for call in self.calls),
            *(call.operation for call in self.config.calls),
        ]

    def puts(self) -> list[int]:
        """The number of evaluations in each call of PutEvaluations."""
        return [len(one.params["Evaluations"]) for one in self.config.calls if one.operation == "PutEvaluations"]

    def forget_calls(self) -> None:
        self.others.clear()
        self.calls.clear()
        self.clients.clear()
        self.config.forget()

    def keep(self, sections: Mapping[str, Iterable[Shape]]) -> Self:
        """Replaces sections of what the APIs answer from."""
        self.saved.update({name: list(found) for name, found in sections.items()})
        return self

    def record(self, **times: str) -> None:
        """AWS Config records everything that is there, at these times by resource id."""
        record_estate(self.config, self.saved, times=times)


# The account that answers now. Clients are made once for all tests: EC2's has hundreds of methods.
_serving: list[ServedAccount] = []


@cache
def _made_once(service: str, region: str, credentials: tuple[tuple[str, str], ...]) -> BaseClient:
    """A client of which the account that serves now answers each call; of AWS Config, the stand-in."""
    arguments: dict[str, Any] = dict(credentials)
    client: BaseClient = make_client(service, region, **arguments)
    client.meta.events.register("request-created.*", lambda **request: _serving[0].created(**_of_request(request)))
    if service != "config":
        client.meta.events.register(
            "before-parameter-build.*", lambda params, context, **_: _serving[0].remember(context, params)
        )
        client.meta.events.register("before-call.*", lambda model, context, **_: _answer(service, model, context))
    return client


def _of_request(request: Mapping[str, Any]) -> Shape:
    return {name: value for name, value in request.items() if name != "event_name"}


def _answer(service: str, model: Any, context: Shape) -> None:
    # What such a handler returns becomes the answer (botocore.client), against its annotation.
    return _serving[0].answer(service, model, context)  # type: ignore[return-value]


def _name(arn: str) -> str:
    return arn.split("/")[2] if ":loadbalancer/" in arn else arn


def serve(saved: Saved, config: ConfigStandIn, monkeypatch: pytest.MonkeyPatch) -> ServedAccount:
    """Has every client of a handler served from this estate."""
    served = ServedAccount(saved, config)
    # The stand-in asks moto for the account of the credentials.
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setattr(client_factory, "make_client", served.make_client)
    monkeypatch.setattr(evaluations, "RETRY_PAUSES", (0, 0))
    # Nobody here counts calls.
    for service in list(rate_limits.RATE_LIMITS):
        monkeypatch.delitem(rate_limits.RATE_LIMITS, service)
    return served
