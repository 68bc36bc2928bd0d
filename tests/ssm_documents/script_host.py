"""Runs the scripts of documents, each in a process of its own, with an attachment unpacked on the path.

Run as a program, `python -P script_host.py`, it reads what every script reads once, boto3, its models and the
attachment, and forks for each script. A pause takes no time there: whoever sleeps finds that it is later.
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

# What the simulator runs in a script's place: its handler, handed on to the host.
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
        # Nothing of the test's own environment is to help, nor anybody's profile.
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
        """A script whose handler is the given script's, run here."""
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
    # Here it is the attachment's.
    importlib.import_module("alb_sg.ssm_documents.scripts")
    with _Server(("127.0.0.1", 0), _Run) as server:
        print(server.server_address[1], flush=True)  # noqa: T201  # for whoever started it
        server.serve_forever()


if __name__ == "__main__":
    main()
