"""Public Terraform plans and states, in `shared/samples/iac/terraform` beside the repository. Their verdicts are
derived by hand from what each plan says.

Where the samples are absent these tests are skipped or fail (`tests/samples/shared.py`); the tests in
`tests/estate/planned` have a plan of their own for each situation here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, TARGETS
from tests.command_line.calling import Command
from tests.samples.shared import require_shared_samples, shared_samples

COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, ERROR = "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "ERROR"
FOLDER = shared_samples("terraform")


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


class Case(NamedTuple):
    """The verdicts of every load balancer by rule; why; and a part of some error."""

    verdicts: Mapping[str, Mapping[str, str]]
    reason: str
    says: str = ""


def rules(ingress: str, egress: str, health: str, icmp: str, targets: str) -> dict[str, str]:
    return {INGRESS: ingress, EGRESS: egress, HEALTH: health, ICMP: icmp, TARGETS: targets}


ALB_249 = (
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/"
    "mybu-sandbox-myapp-instance-alb/2ae7b3df5b81f465"
)
PLANS: dict[str, Case] = {
    "terraform-compliance-issue-249": Case(
        {ALB_249: rules(COMPLIANT, COMPLIANT, COMPLIANT, NON_COMPLIANT, COMPLIANT)},
        "Internal. The data source of its VPC tells the one block 10.107.56.0/21, which 10.0.0.0/8 on 443 holds. All "
        "outbound traffic is open, and the Auto Scaling group that is created registers targets. Their launch "
        "configuration names a group that takes port 4000 from the load balancer's. Nothing opens ICMP.",
    ),
    "terraform-compliance-issue-171": Case(
        {"aws_lb.nlb-noncompliant": rules(*[NOT_APPLICABLE] * 5)}, "A Network Load Balancer."
    ),
    "terraform-compliance-issue-232": Case(
        {"aws_lb.internal": rules(NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE)},
        "It has no listener and no target group. Without security groups it gets the default one of its VPC, which the "
        "plan does not tell, and whose rules may open ICMP.",
        "default of VPC of aws_lb.internal",
    ),
    "terracost-plan": Case(
        {"aws_lb.example": rules(NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE)},
        "As before: nothing but the type is given.",
        "default of VPC of aws_lb.example",
    ),
}
STATES = ("driftctl-lb-listener", "driftctl-lb", "inframap-multiple-hanging-edges", "inframap-sg", "inframap-version-3")
NAMES = [] if FOLDER is None else list(PLANS)


def test_every_shared_plan_and_state_is_tested() -> None:
    require_shared_samples()
    assert FOLDER is not None
    assert {folder.name for folder in FOLDER.iterdir()} == {*PLANS, *STATES}


@pytest.mark.parametrize("name", NAMES)
def test_shared_plans(command: Command, name: str) -> None:
    assert FOLDER is not None
    case = PLANS[name]
    answer = command("check", "--terraform-plan", str(FOLDER / name / "plan.json"), "--format", "json")
    found: dict[str, dict[str, str]] = {}
    for finding in answer.json["findings"]:
        found.setdefault(finding["loadBalancerArn"], {})[finding["rule"]] = finding["compliance"]
    for arn, expected in case.verdicts.items():
        missing = {rule: ERROR for rule in expected if rule not in found.get(arn, {})}
        assert found.get(arn, {}) | missing == expected, case.reason
    assert found.keys() <= case.verdicts.keys()
    assert {error["loadBalancerArn"] for error in answer.json["errors"]} <= case.verdicts.keys()
    assert case.says in answer.out


@pytest.mark.parametrize("name", [] if FOLDER is None else STATES)
def test_shared_states_are_no_plans(command: Command, name: str) -> None:
    assert FOLDER is not None
    refused = command.refused("check", "--terraform-plan", str(FOLDER / name / "terraform.tfstate"))
    assert "this is a Terraform state" in refused
