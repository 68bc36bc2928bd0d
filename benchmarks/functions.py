"""Cold starts: each rule's handler from the built zip in a fresh process, against plain rdklib with the same calls.

Both run as in Lambda: unpacked, on nothing but the interpreter and boto3, in a folder that is not written to. AWS is
moto behind a server in this process; AWS Config takes verdicts in its test mode. Neither assumes a role: rdklib asks a
public address for that.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import boto3
import botocore.handlers
from botocore import xform_name
from moto.server import ThreadedMotoServer

from alb_sg.deployment.artifact import function_artifact
from benchmarks.table import RATIO_UNIT, Row
from embedded_aws.account import ENVIRONMENT, REGION, EmbeddedAws, tcp

HERE = Path(__file__).parent
RULES = HERE.parent / "rules"
RUNS = 9
MAX_RATIO = 0.6
FLOOR_HANDLER = "floor_handler"
COMPARISON = "plain rdklib with boto3's clients, same calls"
# boto3 and what it needs, which Lambda's runtime brings along, compiled.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
# What the event leads to, by rule.
EXPECTED_VERDICTS = {
    "ALB_SG_HEALTH_CHECK_EGRESS": "NON_COMPLIANT",
    "ALB_SG_ICMP_PMTUD": "NON_COMPLIANT",
    "ALB_SG_INSTANCE_EGRESS": "NON_COMPLIANT",
    "ALB_SG_LISTENER_INGRESS": "COMPLIANT",
    "ALB_SG_TARGET_INGRESS": "NON_COMPLIANT",
}

Call = tuple[str, str, dict[str, Any]]
Measurement = dict[str, Any]


def rows() -> Iterator[Row]:
    """Time and memory of each handler's cold start, as ratios to the floor's."""
    with tempfile.TemporaryDirectory() as name, _run_server() as address:
        folder = Path(name)
        function, floor, runtime = _unpack_function(folder), _make_floor_function(folder), _link_runtime(folder)
        aws, group = _build_account(address)
        imports: tuple[list[Measurement], list[Measurement]] = ([], [])
        for rule, verdict in EXPECTED_VERDICTS.items():
            change = aws.change_event(rule, "AWS::EC2::SecurityGroup", group, {"AssumeRoleMode": "false"})
            event = {**change, "resultToken": "TESTMODE"}
            environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": address}
            calls = _record_calls(rule, event, environment, function)
            (folder / "calls.json").write_text(json.dumps(calls), encoding="utf-8")
            environment["FLOOR_CALLS"] = str(folder / "calls.json")
            ours, theirs = [], []
            for _ in range(RUNS):
                ours.append(_cold_start(rule, (function, runtime), event, environment))
                theirs.append(_cold_start(FLOOR_HANDLER, (floor, runtime), event, environment))
            for run in ours:
                assert {found["ComplianceType"] for found in run["answer"]} == {verdict}, run
            assert all(len(run["answer"]) == 1 for run in theirs)
            yield from _comparison_rows(rule, ours, theirs, len(calls))
            imports[0].extend(ours)
            imports[1].extend(theirs)
        yield _time_row("cold start: import alone", *imports, ("import",), None)


def _comparison_rows(
    rule: str, rule_runs: Sequence[Measurement], floor_runs: Sequence[Measurement], calls: int
) -> Iterator[Row]:
    row = _time_row(
        f"cold start: {rule}, import and first event", rule_runs, floor_runs, ("import", "event"), MAX_RATIO
    )
    processor = " against ".join(
        f"{min(run['processor'] for run in some) * 1000:.0f}" for some in (rule_runs, floor_runs)
    )
    yield Row(
        row.name,
        row.value,
        row.unit,
        row.limit,
        row.comparison,
        f"{row.detail}; processor {processor}; {calls + 1} calls",
    )
    mine, floors = (min(run["peak"] for run in some) / 1024 for some in (rule_runs, floor_runs))
    detail = f"{mine:.1f} against {floors:.1f} MiB"
    yield Row(f"cold start: {rule}, peak memory", mine / floors, RATIO_UNIT, MAX_RATIO, COMPARISON, detail)


def _time_row(
    name: str,
    rule_runs: Sequence[Measurement],
    floor_runs: Sequence[Measurement],
    parts: Sequence[str],
    limit: float | None,
) -> Row:
    """The ratio of the fastest runs: whatever else the machine does only ever adds."""
    mine, floors = ([1000 * sum(run[part] for part in parts) for run in some] for some in (rule_runs, floor_runs))
    detail = f"{min(mine):.0f} against {min(floors):.0f} ms (medians {median(mine):.0f}, {median(floors):.0f})"
    return Row(name, min(mine) / min(floors), RATIO_UNIT, limit, COMPARISON, detail)


def _cold_start(
    handler: str, folders: Sequence[Path], event: Mapping[str, Any], environment: Mapping[str, str]
) -> Measurement:
    command = [sys.executable, "-I", "-S", "-B", str(HERE / "measure_cold_start.py"), handler, *map(str, folders)]
    done = subprocess.run(
        command, input=json.dumps(event), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measured: Measurement = json.loads(done.stdout.splitlines()[-1])
    return measured


def _record_calls(rule: str, event: Mapping[str, Any], environment: Mapping[str, str], function: Path) -> list[Call]:
    """The calls that a rule makes for an event, but for the one that gives the verdicts."""
    made: list[Call] = []

    def keep(params: dict[str, Any], model: Any, **_: Any) -> None:
        made.append((model.service_model.service_name, xform_name(model.name), dict(params)))

    handler = ("before-parameter-build", keep)
    botocore.handlers.BUILTIN_HANDLERS.append(handler)
    try:
        with patch.dict(os.environ, environment), patch.object(sys, "path", [str(function), *sys.path]):
            __import__(rule).lambda_handler(event, None)
    finally:
        botocore.handlers.BUILTIN_HANDLERS.remove(handler)
    return [call for call in made if call[1] != "put_evaluations"]


@contextmanager
def _run_server() -> Iterator[str]:
    # Otherwise it tells every request.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(port=0, verbose=False)
    with patch.dict(os.environ, ENVIRONMENT):
        server.start()
        try:
            _, port = server.get_host_and_port()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop()


def _build_account(address: str) -> tuple[EmbeddedAws, str]:
    """A load balancer with a listener and an instance, and its security group."""
    aws = EmbeddedAws()
    session = boto3.session.Session("testing", "testing", region_name=REGION)
    aws.ec2 = session.client("ec2", endpoint_url=address)
    aws.elbv2 = session.client("elbv2", endpoint_url=address)
    vpc = aws.vpc()
    group = aws.security_group(vpc, "lb", ingress=[tcp(80, "0.0.0.0/0")], egress=[])
    subnets = aws.subnets(vpc)
    web = aws.load_balancer("web", subnets, [group])
    instance = aws.instance(subnets[0], aws.security_group(vpc, "app"))
    aws.listener(web, 80, aws.target_group("web", vpc, 8080, [(instance, None)]))
    return aws, group


def _unpack_function(folder: Path) -> Path:
    task = folder / "function"
    with zipfile.ZipFile(io.BytesIO(function_artifact(RULES).content)) as archive:
        archive.extractall(task)
    return task


def _make_floor_function(folder: Path) -> Path:
    """The floor's handler and rdklib, as pip and zip would lay them out."""
    task = folder / "floor"
    shutil.copytree(_installed_path("rdklib"), task / "rdklib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / f"{FLOOR_HANDLER}.py", task)
    return task


def _link_runtime(folder: Path) -> Path:
    runtime = folder / "runtime"
    runtime.mkdir()
    for name in RUNTIME_PACKAGES:
        (runtime / _installed_path(name).name).symlink_to(_installed_path(name))
    return runtime


def _installed_path(package: str) -> Path:
    """Where a package or module is installed."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin)
    return path.parent if path.name == "__init__.py" else path
