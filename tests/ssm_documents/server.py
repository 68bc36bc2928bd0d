"""An embedded account behind an HTTP endpoint, for scripts in other processes."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

from moto.core.authorization import enable_iam_authentication
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

# The scripts' calls of AWS Config, which moto does not simulate as AWS answers them.
REEVALUATION = "StartConfigRulesEvaluation"
RULES = "DescribeConfigRules"
READING = ("Describe", "Get", "GET ")
# Calls for the record of an execution.
RECORDING = ("PutParameter", "DeleteParameters")
CREDENTIAL = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")


@dataclass
class Incident:
    """An incident for the next `left` calls of an operation: they fail with a code, or `act` runs before them."""

    operation: str
    left: int
    when: Callable[[str], bool]
    code: str = ""
    act: Callable[[], object] = field(default=lambda: None)


class Server:
    """moto's server, as a context. It serves the accounts of `moto.mock_aws` in this process, which share all changes.
    Unlike `moto.mock_aws`, it enforces IAM.

    `calls` are the operations called, with retries, and `evaluated` the rules that AWS Config was asked to evaluate.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.evaluated: list[str] = []
        self.may_evaluate = True
        # The rules of AWS Config, by name, as DescribeConfigRules shows them.
        self.rules: dict[str, dict[str, Any]] = {}
        self._incidents: list[Incident] = []
        self._lock = threading.Lock()
        self._enforcing = threading.Lock()
        self._moto: Any = DomainDispatcherApplication(create_backend_app)
        self._http = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def forget(self) -> None:
        """Resets the server for the next scenario. The rules stay."""
        self.calls.clear()
        self.evaluated.clear()
        self._incidents.clear()
        self.may_evaluate = True

    def fail(self, operation: str, code: str, *, times: int = 1, when: Callable[[str], bool] = lambda _: True) -> None:
        """Makes an operation of EC2 or Elastic Load Balancing fail; `when` receives the request's body."""
        self._incidents.append(Incident(operation, times, when, code))

    def before(self, operation: str, act: Callable[[], object]) -> None:
        """Calls `act` just before the first call of an operation."""
        self._incidents.append(Incident(operation, 1, lambda _: True, act=act))

    @property
    def changes(self) -> list[str]:
        """The operations that change the network, in order."""
        return [name for name in self.calls if not name.startswith((*READING, *RECORDING, REEVALUATION))]

    def _answer(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(raw)
        body = raw.decode()
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        # The JSON protocol names the operation in a header, the query protocol in the body; REST does not name it.
        rest = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        operation = target.rpartition(".")[2] or parse_qs(body).get("Action", [rest])[0]
        with self._lock:
            self.calls.append(operation)
            met = next((one for one in self._incidents if self._befalls(one, operation, body)), None)
            if met is not None:
                met.left -= 1
        if met is not None:
            met.act()
            if met.code:
                return _failed(_service(environ), met.code, start)
        if operation == RULES:
            return self._describe_rules(body, start)
        if operation == REEVALUATION:
            return self._evaluate(body, start)
        # One switch for the whole process.
        with self._enforcing, enable_iam_authentication():
            return list(self._moto(environ, start))

    def _befalls(self, incident: Incident, operation: str, body: str) -> bool:
        return incident.operation == operation and incident.left > 0 and incident.when(body)

    def _describe_rules(self, body: str, start: StartResponse) -> Iterable[bytes]:
        names = json.loads(body)["ConfigRuleNames"]
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        if not self.rules.keys() >= set(names):
            start("400 Bad Request", headers)
            return [b'{"__type": "NoSuchConfigRuleException", "message": "no such rule"}']
        start("200 OK", headers)
        return [json.dumps({"ConfigRules": [self.rules[name] for name in names]}).encode()]

    def _evaluate(self, body: str, start: StartResponse) -> Iterable[bytes]:
        if not self.may_evaluate:
            start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
            return [b'{"__type": "AccessDeniedException", "message": "asked to fail"}']
        self.evaluated += json.loads(body)["ConfigRuleNames"]
        start("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [b"{}"]


def _service(environ: Environ) -> str:
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return signed[1] if signed else ""


def _failed(service: str, code: str, start: StartResponse) -> Iterable[bytes]:
    """An error in the service's protocol: that of EC2, or the query protocol."""
    error = f"<Error><Code>{code}</Code><Message>asked to fail</Message></Error>"
    text = (
        f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
        if service == "ec2"
        else f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    )
    start("400 Bad Request", [("Content-Type", "text/xml")])
    return [text.encode()]
