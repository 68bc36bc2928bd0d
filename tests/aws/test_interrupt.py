"""Ctrl-C ends a command at once, although calls are under way that AWS does not answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class SilentAws(ThreadingHTTPServer):
    """Says whose credentials they are, and answers nothing else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = threading.Event()
        self.stopped = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: SilentAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"GetCallerIdentity" not in body:
            self.server.asked.set()
            self.server.stopped.wait(60)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(IDENTITY)))
        self.end_headers()
        self.wfile.write(IDENTITY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def silent_aws() -> Iterator[SilentAws]:
    server = SilentAws()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.stopped.set()
    server.shutdown()
    server.server_close()


def test_an_interrupt_does_not_wait_for_calls_under_way(silent_aws: SilentAws) -> None:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent_aws.server_port}",
        "AWS_ACCESS_KEY_ID": "A",
        "AWS_SECRET_ACCESS_KEY": "B",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-c", "from alb_sg.command_line.entry_point import run; run()", "check"]
    with subprocess.Popen(  # noqa: S603 (this very interpreter)
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert silent_aws.asked.wait(60)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    # The calls would go on for 30 seconds, and for several attempts after that.
    assert time.monotonic() - start < 2
    assert process.returncode == 130
    assert output == b""
    assert b"interrupted" in errors
