"""Lambda around a function: AWS's own runtime interface client and a local Runtime API.

The function's process is the one that Lambda starts: the unpacked zip as its folder, boto3 beside it, and nothing else
of this environment. The Runtime API hands it one event after the other, kills it at its timeout, and notices its end.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import requests

from tests.tools import HANGING

# boto3 and all that it needs, which Lambda's runtime brings along; pure Python.
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
ACCOUNT = "123456789012"
PREFIX = "/2018-06-01/runtime"
# The versions of Lambda's managed runtimes that this project supports.
VERSIONS = ("3.11", "3.12", "3.13", "3.14")

# The request id, the event and its deadline; the outcome and what was said.
Events = queue.Queue[tuple[str, bytes, float]]
Answers = queue.Queue[tuple[str, Any]]


def pythons() -> dict[str, str]:
    """The Pythons of this machine by version, on the PATH or made by pyenv."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for wanted in VERSIONS:
        candidates = [shutil.which(f"python{wanted}"), *Path.home().glob(f".pyenv/versions/{wanted}.*/bin/python")]
        for candidate in filter(None, candidates):
            if wanted not in found and _runs(str(candidate)):
                found[wanted] = str(candidate)
    return dict(sorted(found.items()))


def _runs(python: str) -> bool:
    """pyenv puts a command on the PATH for every version, and runs only those that somebody chose."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0  # noqa: S603 (our own)


def install_runtime(python: str, folder: Path) -> Path:
    """A folder with what Lambda's runtime has beside the function, for this Python."""
    link_boto3(folder)
    wanted = [f"{name}=={version(name)}" for name in RUNTIME_CLIENT]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]
    done = subprocess.run([*command, str(folder), *wanted], capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    assert done.returncode == 0, done.stderr
    return folder


def link_boto3(folder: Path) -> Path:
    """A new folder with boto3 and all that it needs, and nothing else."""
    folder.mkdir()
    for name in BOTO3:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        (folder / source.name).symlink_to(source)
    return folder


@dataclass(frozen=True)
class Answer:
    """What became of an event: "response", "error" (the function raised), "timeout" (killed) or "exit"."""

    outcome: str
    payload: Any
    process: int


class _RuntimeApi(BaseHTTPRequestHandler):
    def __init__(self, events: Events, answers: Answers, *arguments: Any) -> None:
        self._events, self._answers = events, answers
        super().__init__(*arguments)

    def do_GET(self) -> None:
        assert self.path == f"{PREFIX}/invocation/next", self.path
        request, event, deadline = self._events.get()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", request)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:alb-sg")
        self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answers.put(("response" if self.path.endswith("/response") else "error", json.loads(body)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Function:
    """A function in one process. `invoke` may be called again and again: the process stays warm, as Lambda's does."""

    def __init__(
        self, python: str, runtime: Path, task: Path, handler: str, environment: Mapping[str, str], *, memory: int = 0
    ) -> None:
        self._events: Events = queue.Queue()
        self._answers: Answers = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_RuntimeApi, self._events, self._answers))
        self._server.daemon_threads = True
        self._command = [python, "-S", "-s", "-m", "awslambdaric", handler]
        self._task = task
        self._environment = {
            **environment,
            "AWS_LAMBDA_FUNCTION_NAME": "alb-sg",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "LAMBDA_TASK_ROOT": str(task),
            "PYTHONPATH": f"{task}:{runtime}",
            "TZ": ":UTC",
            "_HANDLER": handler,
            "PYTHONFAULTHANDLER": "1",
        }
        self._memory = memory
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed on exit)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._process = subprocess.Popen(  # noqa: S603 (our own)
            self._command,
            cwd=self._task,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        if self._memory:
            resource.prlimit(self._process.pid, resource.RLIMIT_DATA, (self._memory, self._memory))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: object, *, timeout: float = HANGING) -> Answer:
        """`timeout` in seconds is the function's, at which Lambda kills the process."""
        process = self._process.pid
        self._events.put((uuid.uuid4().hex, json.dumps(event).encode(), time.time() + timeout))
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                return Answer(*self._answers.get(timeout=0.05), process)
            except queue.Empty:
                if self._process.poll() is not None:
                    return Answer("exit", f"status {self._process.returncode}: {self.log()}", process)
        self._process.kill()
        return Answer("timeout", None, process)

    def log(self) -> str:
        """What the process wrote to its log."""
        self._log.seek(0)
        return self._log.read().decode()


class _ProxyHandler(BaseHTTPRequestHandler):
    def __init__(self, proxy: Proxy, *arguments: Any) -> None:
        self._proxy = proxy
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self._operation(body)
        self._proxy.calls.append(operation)
        if operation == "PutEvaluations":
            self._proxy.recorded += json.loads(body)["Evaluations"]
        match self._proxy.faults.get(operation):
            case "hang":
                self._proxy.released.wait()
            case "flood":
                self._flood()
            case _:
                self._forward(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST  # noqa: N815 (the names of http.server)

    def _operation(self, body: bytes) -> str:
        """The name of an operation of AWS Config, EC2, ELB or STS; method and path of one of S3."""
        target: str = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        [action] = parse_qs(body.decode("latin-1")).get("Action", [""])
        return target or action or f"{self.command} {self.path}"

    def _forward(self, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        url = f"{self._proxy.target}{self.path}"
        answer = requests.request(self.command, url, data=body, headers=headers, timeout=HANGING)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in {"connection", "content-length", "transfer-encoding", "content-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def _flood(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(2**33))
        self.end_headers()
        block = b" " * 2**20
        try:
            while True:
                self.wfile.write(block)
        except OSError:
            # The function's process has had enough.
            return

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Proxy:
    """A proxy before a simulated AWS. It keeps the calls and recorded evaluations, and answers those of
    `faults` itself: by not answering at all ("hang"), or without an end ("flood")."""

    def __init__(self, address: str) -> None:
        self.calls: list[str] = []
        self.recorded: list[dict[str, Any]] = []
        self.faults: dict[str, str] = {}
        self.target = address
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_ProxyHandler, self))
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()


def unpack(zip_path: Path, folder: Path) -> Path:
    """The zip as Lambda unpacks it: read-only."""
    shutil.unpack_archive(zip_path, folder)
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    return folder


def make_writable(folder: Path) -> None:
    """So that pytest can remove the folder."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            os.chmod(path, 0o755)  # noqa: PTH101, S103 (a folder of the test's own)
