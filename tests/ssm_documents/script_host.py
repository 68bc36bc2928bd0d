"""Runs the scripts of documents, each in its own process, with an unpacked attachment on the path.

As a program, `python -P script_host.py`, it imports boto3, its models and the attachment once, and forks for each
script. A pause takes no time there: sleeping only advances the clock.
"""

from __future__ import annotations

import importlib
import json
import os
import socketserver
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.loaders

SERVICES = ("config", "ec2", "elbv2", "s3")

# The simulator runs this in place of a script: it passes the handler's call to the host.
STAND_IN = """
import json
import socket


def {handler}(events, context):
    with socket.create_connection(("127.0.0.1", {port})) as host, host.makefile("rw") as stream:
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

    def stand_in(self, script: str, handler: str, environment: Mapping[str, str]) -> str:
        """A script whose handler makes the program run the given script's handler."""
        request = {"script": script, "handler": handler, "environment": dict(environment)}
        return STAND_IN.format(handler=handler, port=self._port, request=request)


class _Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    pass


class _Run(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        os.environ.update(request["environment"])
        self.wfile.write(json.dumps(_answer(request)).encode() + b"\n")


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    try:
        exec(compile(request["script"], "script", "exec"), names)  # noqa: S102  # as Automation does
        return {"returned": names[request["handler"]](request["events"], {})}
    except Exception:  # noqa: BLE001  # whatever a script raises is why its step fails
        return {"failure": traceback.format_exc()}


def main() -> None:
    now, monotonic, slept = time.time, time.monotonic, [0.0]
    time.sleep = lambda seconds: slept.append(float(seconds))
    time.time = lambda: now() + sum(slept)
    time.monotonic = lambda: monotonic() + sum(slept)
    loader = botocore.loaders.create_loader()
    botocore.loaders.create_loader = lambda *_: loader
    for service in SERVICES:
        boto3.session.Session("none", "none").client(service, "us-east-1")  # type: ignore[call-overload]  # no literal
    # The attachment's package, not the tests'.
    importlib.import_module("alb_sg.ssm_documents.scripts")
    with _Server(("127.0.0.1", 0), _Run) as server:
        print(server.server_address[1], flush=True)  # noqa: T201  # for whoever started it
        server.serve_forever()


if __name__ == "__main__":
    main()
