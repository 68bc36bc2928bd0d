"""Events over an account that changes: repeated, late and out of order, as AWS Config and Lambda deliver them."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import botocore.handlers

from embedded_aws.account import EmbeddedAws, icmp, tcp
from tests.builders import RULES
from tests.rules import rule_module

SECURITY_GROUP, LOAD_BALANCER = "AWS::EC2::SecurityGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer"
Verdicts = Mapping[tuple[str, str], str]
START = datetime(2026, 1, 2, tzinfo=UTC)


class ChangingAccount:
    """Three load balancers whose security groups are opened and closed."""

    def __init__(self, aws: EmbeddedAws, random: Random) -> None:
        self._aws = aws
        self._random = random
        self._milliseconds = itertools.count()
        vpc = aws.vpc()
        subnets = aws.subnets(vpc)
        app = aws.security_group(vpc, "app")
        targets = aws.target_group("app", vpc, 8080, [(aws.instance(subnets[0], app), None)])
        self.groups = [aws.security_group(vpc, f"lb-{number}", egress=[]) for number in range(3)]
        self.arns = [aws.load_balancer(f"lb-{number}", subnets, [group]) for number, group in enumerate(self.groups)]
        for arn in self.arns:
            aws.listener(arn, 443, targets)
        self._permissions: list[tuple[str, Any]] = [
            ("ingress", tcp(443, "0.0.0.0/0")),
            ("ingress", icmp(3, 4, "0.0.0.0/0")),
            ("egress", tcp(8080, app)),
        ]

    def change(self) -> int:
        """Opens or closes one thing. Returns the number of the load balancer that it concerns."""
        number = self._random.randrange(len(self.groups))
        direction, permission = self._random.choice(self._permissions)
        parameters = {"GroupId": self.groups[number], "IpPermissions": [permission]}
        ec2 = self._aws.ec2
        with contextlib.suppress(ec2.exceptions.ClientError):
            getattr(ec2, f"{self._random.choice(('authorize', 'revoke'))}_security_group_{direction}")(**parameters)
        return number

    def event(self, rule: str, number: int) -> dict[str, Any]:
        """An event of a change, at a later time than all before."""
        if self._random.random() < 0.5:
            return self._at_next_time(self._aws.change_event(rule, SECURITY_GROUP, self.groups[number]))
        return self._at_next_time(self._aws.change_event(rule, LOAD_BALANCER, self.arns[number]))

    def judge_anew(self) -> Verdicts:
        """What a scheduled run of every rule gives."""
        for rule in RULES:
            handle(rule, self._at_next_time(self._aws.scheduled_event(rule)))
        return recorded(self._aws)

    def _at_next_time(self, event: dict[str, Any]) -> dict[str, Any]:
        time = (START + timedelta(milliseconds=next(self._milliseconds))).isoformat(timespec="milliseconds")
        invoking = json.loads(event["invokingEvent"])
        invoking["notificationCreationTime"] = time
        if "configurationItem" in invoking:
            invoking["configurationItem"]["configurationItemCaptureTime"] = time
        return event | {"invokingEvent": json.dumps(invoking)}


def handle(rule: str, event: dict[str, Any]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        rule_module(rule).lambda_handler(event, None)


def recorded(aws: EmbeddedAws) -> Verdicts:
    return {(arn, rule): found.compliance_type for rule in RULES for arn, found in aws.config.evaluations(rule).items()}


class Delivery:
    """Sends the events of changes late, out of order and some of them twice. Each change has its events.

    Some changes happen between two calls of an invocation, as they do while several invocations run side by side.
    """

    def __init__(self, account: ChangingAccount, random: Random) -> None:
        self._account = account
        self._random = random
        self._waiting: list[tuple[str, dict[str, Any]]] = []
        self._calls_until_change: int | None = None
        self._events = 0
        self.sent = 0

    @contextmanager
    def interleaved(self) -> Iterator[None]:
        handler = ("before-call.*.*", self._before_call)
        botocore.handlers.BUILTIN_HANDLERS.append(handler)
        try:
            yield
        finally:
            botocore.handlers.BUILTIN_HANDLERS.remove(handler)

    def run(self, events: int, send: Callable[[str, dict[str, Any]], None]) -> None:
        """Sends at least this many events, and then all that wait, without further changes."""
        self._events = events
        while self.sent < events:
            self._change()
            while self._waiting and (len(self._waiting) > self._random.randrange(24) or self.sent >= events):
                self._send_one(send)
        while self._waiting:
            self._send_one(send)

    def _send_one(self, send: Callable[[str, dict[str, Any]], None]) -> None:
        rule, event = self._waiting.pop(self._random.randrange(len(self._waiting)))
        interrupts = self.sent < self._events and 4 < len(self._waiting) < 24 and self._random.random() < 0.3
        self._calls_until_change = self._random.randrange(8) if interrupts else None
        send(rule, event)
        self._calls_until_change = None
        self.sent += 1

    def _change(self) -> None:
        number = self._account.change()
        for rule in RULES:
            self._waiting += [(rule, self._account.event(rule, number))] * self._random.choice((1, 1, 2))

    def _before_call(self, **_: Any) -> None:
        if self._calls_until_change is None:
            return
        self._calls_until_change -= 1
        if self._calls_until_change < 0:
            self._calls_until_change = None
            self._change()
