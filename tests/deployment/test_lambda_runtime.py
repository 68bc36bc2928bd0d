"""The functions as Lambda runs them: the built zip, AWS's runtime interface client and a local Runtime API.

For every Python from 3.11 on that this machine has. The remediation documents run their scripts in Systems Manager's
own Python, without this client; tests/ssm_documents runs those.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from alb_sg.deployment.artifact import FUNCTION_MODULES, function_artifact
from embedded_aws.account import ACCOUNT_ID, ENVIRONMENT, REGION, EmbeddedAws, tcp
from tests.deployment.deployments import RULES
from tests.deployment.lambda_runtime import Function, Proxy, install_runtime, make_writable, pythons, unpack
from tests.functions.hook_events import changed, event
from tests.rules import RULE_NAMES

pytestmark = pytest.mark.slow

RULE = "ALB_SG_LISTENER_INGRESS"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
MEGABYTE = 2**20
Start = Callable[..., Function]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("zip")
    made = unpack(function_artifact(RULES).write(folder), folder / "task")
    yield made
    make_writable(made)


@pytest.fixture(scope="module", params=pythons())
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A Python, and what Lambda's runtime of that version has."""
    python = pythons()[request.param]
    return python, install_runtime(python, tmp_path_factory.mktemp(request.param) / "runtime")


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server).running() as running:
        yield running


@pytest.fixture
def start(runtime: tuple[str, Path], task: Path, proxy: Proxy) -> Start:
    def made(handler: str, *, memory: int = 0, **environment: str) -> Function:
        more = {"AWS_ENDPOINT_URL": proxy.address, "ALB_SG_ACCOUNTS": ACCOUNT_ID, **environment}
        return Function(*runtime, task, handler, {**ENVIRONMENT, **more}, memory=memory)

    return made


class Region:
    """A load balancer that is open where it should be, except for ICMP and egress."""

    def __init__(self, server: str) -> None:
        self.aws = EmbeddedAws()
        session = boto3.session.Session("testing", "testing", region_name=REGION)
        self.aws.ec2 = session.client("ec2", endpoint_url=server)
        self.aws.elbv2 = session.client("elbv2", endpoint_url=server)
        vpc = self.aws.vpc()
        self.group = self.aws.security_group(vpc, "lb", ingress=[tcp(80, "0.0.0.0/0")], egress=[])
        subnets = self.aws.subnets(vpc)
        self.load_balancer = self.aws.load_balancer("web", subnets, [self.group])
        instance = self.aws.instance(subnets[0], self.aws.security_group(vpc, "app"))
        group = self.aws.target_group("web", vpc, 8080, [(instance, None)])
        self.aws.listener(self.load_balancer, 80, group)

    def change(self, rule: str) -> dict[str, Any]:
        """The event of a change of the load balancer."""
        event = self.aws.change_event(rule, LOAD_BALANCER, self.load_balancer, parameters={"AssumeRoleMode": "false"})
        # The simulation takes evaluations in rdklib's test mode alone.
        return {**event, "resultToken": "TESTMODE"}


@pytest.fixture
def region(server: str) -> Region:
    return Region(server)


def verdicts(payload: Any) -> list[str]:
    return [found["ComplianceType"] for found in payload]


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_every_rule_answers_and_answers_again_in_the_warm_process(
    rule: str, start: Start, region: Region, proxy: Proxy
) -> None:
    with start(f"{rule}.lambda_handler") as function:
        first = function.invoke(region.change(rule))
        assert first.outcome == "response", first.payload
        # One load balancer, one verdict; which one is for the rules' own tests.
        assert len(verdicts(first.payload)) == 1
        assert proxy.calls.count("PutEvaluations") == 1
        again = function.invoke(region.change(rule))
        assert (again.outcome, verdicts(again.payload)) == ("response", verdicts(first.payload))
        assert again.process == first.process
        # The second event is read and recorded anew, not answered from memory.
        assert proxy.calls.count("PutEvaluations") == 2
        assert proxy.calls.count("DescribeSecurityGroups") % 2 == 0


def test_a_warm_process_sees_later_changes(start: Start, region: Region) -> None:
    with start(f"{RULE}.lambda_handler") as function:
        assert verdicts(function.invoke(region.change(RULE)).payload) == ["COMPLIANT"]
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        region.aws.ec2.revoke_security_group_ingress(GroupId=region.group, IpPermissions=[rule])
        after = function.invoke(region.change(RULE))
        assert verdicts(after.payload) == ["NON_COMPLIANT"]


def test_an_error_is_the_functions_error_and_leaves_the_process_usable(
    start: Start, region: Region, proxy: Proxy
) -> None:
    stranger = json.loads(json.dumps(region.change(RULE)).replace(ACCOUNT_ID, "999988887777"))
    with start(f"{RULE}.lambda_handler") as function:
        refused = function.invoke(stranger)
        assert refused.outcome == "error"
        assert "999988887777" in refused.payload["errorMessage"]
        assert "PutEvaluations" not in proxy.calls
        assert verdicts(function.invoke(region.change(RULE)).payload) == ["COMPLIANT"]


def test_a_timeout_records_nothing_and_the_next_process_judges(start: Start, region: Region, proxy: Proxy) -> None:
    """Lambda kills the process at its timeout, and hands the event to a new one."""
    with start(f"{RULE}.lambda_handler") as function:
        # Warm, so that the timeout falls into the call and not into the imports.
        assert verdicts(function.invoke(region.change(RULE)).payload) == ["COMPLIANT"]
        proxy.calls.clear()
        proxy.faults["DescribeSecurityGroups"] = "hang"
        assert function.invoke(region.change(RULE), timeout=5).outcome == "timeout"
    assert "DescribeSecurityGroups" in proxy.calls
    assert "PutEvaluations" not in proxy.calls
    proxy.faults.clear()
    with start(f"{RULE}.lambda_handler") as function:
        assert verdicts(function.invoke(region.change(RULE)).payload) == ["COMPLIANT"]


def test_out_of_memory_is_an_error_and_no_verdict(start: Start, region: Region, proxy: Proxy) -> None:
    """An answer larger than the function's memory, in the threads that read."""
    proxy.faults["DescribeSecurityGroups"] = "flood"
    with start(f"{RULE}.lambda_handler", memory=512 * MEGABYTE) as function:
        answer = function.invoke(region.change(RULE))
    assert answer.outcome in {"error", "exit"}, answer.payload
    assert "DescribeSecurityGroups" in proxy.calls
    # A function that could not judge answers AWS Config with an empty list, and fails.
    assert proxy.recorded == []


def test_the_dashboard_page_reports_unread_data(start: Start, server: str, proxy: Proxy) -> None:
    """The simulation has no aggregator."""
    s3 = boto3.client("s3", endpoint_url=server, region_name=REGION)
    s3.create_bucket(Bucket="page")
    variables = {"ALB_SG_AGGREGATOR": "alb-sg", "ALB_SG_BUCKET": "page", "ALB_SG_EXEMPTIONS": ""}
    with start("alb_sg.functions.dashboard.lambda_handler", **variables) as function:
        for day in ("30", "31"):
            answer = function.invoke({"time": f"2027-01-{day}T05:00:00Z"})
            assert (answer.outcome, answer.payload["errorType"]) == ("error", "NotReadError"), answer.payload
    written = [found["Key"] for found in s3.list_objects_v2(Bucket="page")["Contents"]]
    assert {"index.html", "index.json"} <= set(written)
    assert b"2027-01-31" in s3.get_object(Bucket="page", Key="index.html")["Body"].read()


def test_the_sweep_takes_its_steps(start: Start, server: str) -> None:
    s3 = boto3.client("s3", endpoint_url=server, region_name=REGION)
    for bucket in ("snapshots", "results"):
        s3.create_bucket(Bucket=bucket)
    name = f"{ACCOUNT_ID}_Config_{REGION}_ConfigSnapshot_20270131T000000Z_0a1b2c3d.json.gz"
    key = f"AWSLogs/{ACCOUNT_ID}/Config/{REGION}/2027/1/31/ConfigSnapshot/{name}"
    s3.put_object(Bucket="snapshots", Key=key, Body=b"not a snapshot")
    variables = {"ALB_SG_RESULTS_BUCKET": "results", "ALB_SG_MAX_CONCURRENCY": "5", "ALB_SG_EXEMPTIONS": ""}
    source = {"bucket": "snapshots", "prefix": "AWSLogs/"}
    with start("alb_sg.functions.snapshot_batch.lambda_handler", **variables) as function:
        plan = function.invoke(
            {"step": "plan", "run": "one", "time": "2027-01-31T06:00:00Z", "source": source, "parameters": {}}
        )
        assert plan.outcome == "response", plan.payload
        [item] = json.loads(s3.get_object(Bucket="results", Key=plan.payload["key"])["Body"].read())
        assert function.invoke({"step": "judge", "run": "one", "item": item}).outcome == "response"
        state = function.invoke({"step": "connect", "run": "one", "round": plan.payload["round"]}).payload
        summary = function.invoke({"step": "merge", "run": "one", "round": state["round"]})
        # A file that is no snapshot is reported by its name.
        assert (summary.outcome, summary.payload["errors"]) == ("response", 1)
        assert key in s3.get_object(Bucket="results", Key="one/findings.jsonl")["Body"].read().decode()
        assert function.invoke({"step": "start", "run": "one"}).payload["errorType"] == "InvalidInputError"


class _Payload(BaseHTTPRequestHandler):
    """Serves a Hook's payload, as Amazon S3 does."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Keeps the test's output free of requests."""


@pytest.fixture
def payload_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Payload) as payloads:
        threading.Thread(target=payloads.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{payloads.server_port}/payload?X-Amz-Signature=0a%2F1b"
        payloads.shutdown()


def test_the_hook_judges_a_template_in_yaml_over_the_account(start: Start, region: Region, payload_url: str) -> None:
    """The zip brings its own reader of YAML."""
    template = f"""\
Resources:
  Https:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: {region.load_balancer}
      Port: 8443
      Protocol: HTTPS
      DefaultActions: [{{Type: fixed-response}}]
  Port:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {{GroupId: {region.group}, IpProtocol: tcp, FromPort: PORT, ToPort: PORT, CidrIp: 0.0.0.0/0}}
"""
    variables = {"ALB_SG_HOOK_RULES": json.dumps({RULE: {}}), "ALB_SG_ON_UNKNOWN": "FAIL"}
    with start("alb_sg.functions.hook.lambda_handler", **variables) as function:
        for port, status in ((8443, "SUCCESS"), (8444, "FAILED")):
            _Payload.content = json.dumps({"template": template.replace("PORT", str(port))}).encode()
            answer = function.invoke(event("STACK", payload_url, clientRequestToken=f"token-{port}"))
            assert answer.outcome == "response", answer.payload
            assert answer.payload["hookStatus"] == status, answer.payload
        changes = {"changedResources": [changed("Other", "AWS::EC2::EIP", after={})]}
        _Payload.content = json.dumps({"template": template, **changes}).encode()
        assert function.invoke(event(url=payload_url)).payload["hookStatus"] == "SUCCESS"
        assert function.invoke({}).payload["errorType"] == "InvalidInputError"


def test_every_handler_of_the_zip_was_run() -> None:
    assert set(FUNCTION_MODULES) == {
        "alb_sg.functions.dashboard",
        "alb_sg.functions.hook",
        "alb_sg.functions.snapshot_batch",
    }
