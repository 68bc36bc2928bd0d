"""Runs the scripts of documents, each in its own process, with an unpacked attachment on the path.

As a program, `python -P script_host.py`, it imports boto3, its models and the attachment once, and forks for each
script. A pause takes no time there: sleeping only advances the clock.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import socketserver
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, SupportsIndex

import boto3
import botocore.session

SERVICES = ("config", "ec2", "elbv2", "s3", "ssm")

# Seconds of the clock after which no answer comes any more: the script hangs and is not merely slow.
HANGING = 900

# The simulator runs this in place of a script: it passes the handler's call to the host.
STAND_IN = """
import json
import socket


def {handler}(events, context):
    with socket.create_connection(("127.0.0.1", {port}), timeout={hanging}) as host, host.makefile("rw") as stream:
        stream.write(json.dumps({{**{request!r}, "events": events}}) + "\\n")
        stream.flush()
        answer = json.loads(stream.readline())
    if "failure" in answer:
        raise RuntimeError(answer["failure"])
    return answer["returned"]
"""


class ScriptHost:
    """The program, as a context."""

    def __init__(self, attachment: Path) -> None:
        # Neither the test's environment nor a profile may help the scripts.
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(attachment),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._process = subprocess.Popen(  # noqa: S603  # it is this file
            [sys.executable, "-P", __file__],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def stand_in(self, script: str, handler: str, seconds: float, environment: Mapping[str, str]) -> str:
        """A script whose handler makes the program run the given script's handler, which fails if it sleeps for longer
        than `seconds`."""
        request = {"script": script, "handler": handler, "seconds": seconds, "environment": dict(environment)}
        return STAND_IN.format(handler=handler, port=self._port, hanging=HANGING, request=request)


class _Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    pass


class _OutOfTime(BaseException):
    """Ends a script as Automation does: it cannot be caught as an error of what the script called."""


class _Clock:
    """The time, and what was slept on top of it. Sleep alone counts towards the limit, whatever the machine does."""

    def __init__(self) -> None:
        self._time, self._monotonic = time.time, time.monotonic
        self._slept = 0.0
        self.limit = math.inf

    def time(self) -> float:
        return self._time() + self._slept

    def monotonic(self) -> float:
        return self._monotonic() + self._slept

    def sleep(self, seconds: float | SupportsIndex) -> None:
        self._slept += float(seconds)
        if self._slept > self.limit:
            raise _OutOfTime(f"the script waits for more than its {self.limit} seconds")


class _Run(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        os.environ.update(request["environment"])
        CLOCK.limit = request["seconds"]
        self.wfile.write(json.dumps(_answer(request)).encode() + b"\n")


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    try:
        exec(compile(request["script"], "script", "exec"), names)  # noqa: S102  # as Automation does
        return {"returned": names[request["handler"]](request["events"], {})}
    except (Exception, _OutOfTime):  # noqa: BLE001  # whatever a script raises is why its step fails
        return {"failure": traceback.format_exc()}


CLOCK = _Clock()


def main() -> None:
    time.sleep, time.time, time.monotonic = CLOCK.sleep, CLOCK.time, CLOCK.monotonic
    loader = botocore.session.create_loader()
    botocore.session.create_loader = lambda *_: loader
    for service in SERVICES:
        boto3.session.Session("none", "none").client(service, "us-east-1")  # type: ignore[call-overload]  # no literal
    # The attachment's package, not the tests'.
    importlib.import_module("alb_sg.ssm_documents.scripts")
    with _Server(("127.0.0.1", 0), _Run) as server:
        print(server.server_address[1], flush=True)  # noqa: T201  # for the process that started it
        server.serve_forever()


if __name__ == "__main__":
    main()
