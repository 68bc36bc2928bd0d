"""The GitHub Action and the pre-commit hook, run by their own scripts."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INPUTS = {"TEMPLATE", "TERRAFORM_PLAN", "TEMPLATE_PARAMETERS", "TEMPLATE_PARAMETER_FILE", "ARGUMENTS", "FAIL_ON"}
TEMPLATE = """\
Parameters:
  Clients: {Type: String}
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: "-1", CidrIp: !Ref Clients}]
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {SecurityGroups: [!Ref Group], Subnets: [!Ref Subnet]}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A runner's, with the checkout in place of an installed alb-sg."""
    folder = tmp_path / "alb-sg" / "bin"
    folder.mkdir(parents=True)
    command = folder / "alb-sg"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m alb_sg "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    return {
        **os.environ,
        **files,
        **dict.fromkeys(INPUTS, ""),
        "RUNNER_TEMP": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder}:{os.environ['PATH']}",
    }


def run_check_step(folder: Path, environment: dict[str, str], **inputs: str) -> tuple[int, dict[str, str]]:
    """The exit code of the action's step, and its outputs."""
    step = ACTION["runs"]["steps"][1]
    assert set(step["env"]) == INPUTS
    # As GitHub runs `shell: bash`.
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**environment, **inputs},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (folder / "output").read_text(encoding="utf-8").splitlines()
    return done.returncode, dict(line.split("=", 1) for line in lines)


@pytest.mark.slow
def test_the_action_writes_a_comment_and_alerts(tmp_path: Path, environment: dict[str, str]) -> None:
    inputs = {
        "TEMPLATE": "web=template.yaml\n",
        "TEMPLATE_PARAMETERS": "Clients=10.0.0.0/8\n",
        "FAIL_ON": "non-compliant",
    }
    code, outputs = run_check_step(tmp_path, environment, **inputs)
    assert (code, outputs["exit-code"]) == (1, "1")
    comment = Path(outputs["comment"]).read_text(encoding="utf-8")
    assert "ICMP type 3 code 4 not open to 0.0.0.0/0 in Group" in comment
    assert (tmp_path / "summary").read_text(encoding="utf-8") == comment
    [alert] = json.loads(Path(outputs["sarif"]).read_text(encoding="utf-8"))["runs"][0]["results"]
    assert alert["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "template.yaml"


@pytest.mark.slow
def test_the_action_passes_unknown_values(tmp_path: Path, environment: dict[str, str]) -> None:
    code, outputs = run_check_step(tmp_path, environment, TEMPLATE="template.yaml", FAIL_ON="non-compliant")
    assert (code, outputs["exit-code"]) == (0, "0")
    assert "parameter Clients" in Path(outputs["comment"]).read_text(encoding="utf-8")


def test_the_action_fails_on_bad_input_without_a_comment(tmp_path: Path, environment: dict[str, str]) -> None:
    code, outputs = run_check_step(tmp_path, environment, TEMPLATE="$(touch pwned).yaml", FAIL_ON="non-compliant")
    assert (code, outputs) == (2, {"exit-code": "2"})
    assert not (tmp_path / "pwned").exists()


def test_the_action_hands_all_inputs_to_its_scripts_as_variables() -> None:
    """An expression in a script would run what an input says."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
    used = {text for step in ACTION["runs"]["steps"] for text in step["env"].values()}
    assert used == {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}


@pytest.mark.slow
@pytest.mark.parametrize(("clients", "code"), [("10.0.0.0/8", 1), ("0.0.0.0/0", 0)])
def test_the_hook_judges_each_file_by_itself(
    tmp_path: Path, environment: dict[str, str], clients: str, code: int
) -> None:
    text = TEMPLATE.replace("!Ref Clients", clients)
    for name in ("one.yaml", "two with space.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    words = [*shlex.split(hook["entry"]), "one.yaml", "two with space.yaml"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == code
    assert done.stdout.count("1 load balancer: ") == 2
