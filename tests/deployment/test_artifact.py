"""The zip that functions run: what is in it, that it is the same each time, and that its handlers work out of it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path

import boto3
import pytest

from alb_sg.deployment.__main__ import main
from alb_sg.deployment.artifact import Artifact, function_artifact, layer_artifact
from embedded_aws.account import ACCOUNT_ID, ENVIRONMENT, REGION, EmbeddedAws, tcp
from tests.deployment.deployments import ROOT, RULES
from tests.deployment.lambda_runtime import link_boto3
from tests.rules import RULE_NAMES

pytestmark = pytest.mark.slow

ISOLATED_IMPORT = Path(__file__).with_name("isolated_import.py")
NOT_SHIPPED = (
    "alb_sg/ssm_documents/documents",
    "alb_sg/command_line",
    "alb_sg/deployment",
    "alb_sg/estate/snapshots/reader",
    "alb_sg/ssm_documents/yaml_text",
    "rdklibtest",
    "tests",
    "demo",
    "embedded_aws",
)


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    return function_artifact(RULES)


@pytest.fixture(scope="module")
def files(artifact: Artifact) -> dict[str, zipfile.ZipInfo]:
    return contents(artifact)


def contents(artifact: Artifact) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(artifact.content)) as archive:
        assert archive.testzip() is None
        return {info.filename: info for info in archive.infolist()}


def test_every_handler_the_library_rdklib_and_the_licences(files: dict[str, zipfile.ZipInfo]) -> None:
    names = set(files)
    assert {f"{rule}.py" for rule in RULE_NAMES} <= names
    assert {"alb_sg/config_rule/rule.py", "alb_sg/live/source.py", "rdklib/evaluator.py", "LICENSE"} <= names
    assert {
        "alb_sg/functions/dashboard.py",
        "alb_sg/dashboard/assets/page.html",
        "alb_sg/functions/snapshot_batch.py",
    } <= names
    assert {"alb_sg/ssm_documents/scripts.py", "alb_sg/remediation/apply.py", "alb_sg/remediation/undo.py"} <= names
    assert {name for name in names if name.startswith("rdklib-0.3.10.dist-info/licenses/")} == {
        "rdklib-0.3.10.dist-info/licenses/LICENSE",
        "rdklib-0.3.10.dist-info/licenses/NOTICE",
    }


def test_nothing_else(files: dict[str, zipfile.ZipInfo]) -> None:
    assert [name for name in files if name.startswith(NOT_SHIPPED)] == []
    models = {name for name in files if name.startswith("alb_sg/aws_models/") and name.endswith(".json")}
    compiled = {cache_from_source(name) for name in files if name.endswith(".py")}
    assets = {name for name in files if name.startswith("alb_sg/dashboard/assets/")}
    rest = set(files) - models - compiled - assets
    assert [name for name in rest if not name.endswith((".py", "LICENSE", "NOTICE"))] == []
    assert compiled < set(files)
    assert {Path(name).suffix for name in assets} == {".css", ".html", ".js"}
    assert sum(info.compress_size for info in files.values()) < 1_800_000


def test_the_layer_is_the_same_without_the_rules(files: dict[str, zipfile.ZipInfo]) -> None:
    layer = contents(layer_artifact(RULES))
    expected = {f"python/{name}" for name in files if not Path(name).name.startswith("ALB_SG_")}
    assert set(layer) == expected
    # A compiled module says where it was compiled, and is elsewhere in a layer.
    assert all(
        info.CRC == files[name.removeprefix("python/")].CRC for name, info in layer.items() if ".pyc" not in name
    )


def test_names_are_sorted_and_times_and_modes_fixed(files: dict[str, zipfile.ZipInfo]) -> None:
    assert list(files) == sorted(files)
    assert {info.date_time for info in files.values()} == {(1980, 1, 1, 0, 0, 0)}
    assert {(info.create_system, info.external_attr >> 16) for info in files.values()} == {(3, 0o100644)}


def test_two_builds_on_two_paths_give_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "another/place"):
        checkout = tmp_path / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "alb_sg", checkout / "alb_sg", ignore=ignored)
        shutil.copytree(RULES, checkout / "rules", ignore=ignored)
        for file in ("LICENSE", "pyproject.toml"):
            shutil.copy(ROOT / file, checkout)
        # Times and modes of a checkout are whatever git and umask made of them.
        for path in checkout.rglob("*.py"):
            os.utime(path, (1, 1) if name == "one" else (10**9, 10**9))
            path.chmod(0o600 if name == "one" else 0o755)
        command = [sys.executable, "-m", "alb_sg.deployment", "build"]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)  # noqa: S603 (our own)
        # Compiled by the first build; the second finds it.
        built = sorted((checkout / "dist").glob("*.zip"))
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built})
        for path in built:
            said = path.with_name(f"{path.name}.sha256").read_text(encoding="utf-8")
            assert said == f"{digests[-1][path.name]}  {path.name}\n"
    assert len(digests[0]) == 2
    assert digests[0] == digests[1]


def test_build_prints_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], artifact: Artifact) -> None:
    assert main(["build", "--rules", str(RULES), "--output", str(tmp_path)]) == 0
    assert f"sha256 {artifact.sha256})" in capsys.readouterr().out
    assert (tmp_path / artifact.name).read_bytes() == artifact.content


def test_handlers_work_out_of_the_zip_with_boto3_alone(
    artifact: Artifact, server: str, tmp_path: Path, files: dict[str, zipfile.ZipInfo]
) -> None:
    """Each handler answers a change of a load balancer on a simulated AWS behind a server of its own.

    The simulation takes evaluations in rdklib's test mode alone, which validates and records nothing.
    """
    path = artifact.write(tmp_path)
    packages = link_boto3(tmp_path / "runtime")
    aws = EmbeddedAws()
    session = boto3.session.Session("testing", "testing", region_name=REGION)
    aws.ec2 = session.client("ec2", endpoint_url=server)
    aws.elbv2 = session.client("elbv2", endpoint_url=server)
    vpc = aws.vpc()
    group = aws.security_group(vpc, "lb", ingress=[tcp(80, "0.0.0.0/0")], egress=[])
    subnets = aws.subnets(vpc)
    web = aws.load_balancer("web", subnets, [group])
    instance = aws.instance(subnets[0], aws.security_group(vpc, "app"))
    aws.listener(web, 80, aws.target_group("web", vpc, 8080, [(instance, None)]))

    events = {
        rule: {
            **aws.change_event(
                rule, "AWS::ElasticLoadBalancingV2::LoadBalancer", web, parameters={"AssumeRoleMode": "false"}
            ),
            "resultToken": "TESTMODE",
        }
        for rule in RULE_NAMES
    }
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": server, "ALB_SG_ACCOUNTS": ACCOUNT_ID}
    done = subprocess.run(  # noqa: S603 (our own)
        [sys.executable, "-I", "-S", str(ISOLATED_IMPORT), str(path), str(packages)],
        input=json.dumps(events),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    verdicts = {rule: [found["ComplianceType"] for found in answer] for rule, answer in said["answers"].items()}
    assert verdicts == {
        "ALB_SG_HEALTH_CHECK_EGRESS": ["NON_COMPLIANT"],
        "ALB_SG_ICMP_PMTUD": ["NON_COMPLIANT"],
        "ALB_SG_INSTANCE_EGRESS": ["NON_COMPLIANT"],
        "ALB_SG_LISTENER_INGRESS": ["COMPLIANT"],
        "ALB_SG_TARGET_INGRESS": ["NON_COMPLIANT"],
        "ALB_SG_UNUSED_INGRESS": ["COMPLIANT"],
    }
    # PyYAML's C parser is not there; see isolated_import.py.
    assert len(said["imported"]) == sum(name.endswith(".py") for name in files) - 1
    assert {name for name, file in said["imported"].items() if not file.startswith(f"{path}/")} == set()
