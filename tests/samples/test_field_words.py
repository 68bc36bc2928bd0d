"""The field cases whose reporters got no pointer to the cause: what annotation, remark and advice say now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders import EGRESS, INGRESS
from tests.command_line.calling import Command

FOLDER = Path(__file__).with_name("field")


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


@pytest.mark.parametrize(
    ("case", "rule", "annotation", "advice"),
    [
        (
            "awsx-663-egress-on-listener-port",
            EGRESS,
            "target group caddy TCP:80 not open to 10.0.9.9 or sg-032 in sg-031 (443 is)",
            "allow outbound TCP 80 to sg-032 for target group caddy in sg-031",
        ),
        (
            "cdk-9778-ephemeral-range",
            EGRESS,
            "target group arm-ecs TCP:1033 not open to i-0aa (10.0.1.1/32) or sg-042 in sg-041 (32768-65535 is)",
            "allow outbound TCP 1033 to sg-042 for target group arm-ecs in sg-041",
        ),
        (
            "cdk-32197-no-public-ipv4",
            INGRESS,
            "HTTP:80 not open to ::/0 in sg-0e1 (open to 0.0.0.0/0; this load balancer has no public IPv4)",
            "allow inbound TCP 80 from ::/0 in sg-0e1",
        ),
        (
            "peering-deleted-group",
            EGRESS,
            "target group peer-app TCP:8080 not open to 10.99.1.1 in sg-0s1 (the reference to sg-0s9 is stale)",
            "allow outbound TCP 8080 to 10.99.1.1 for target group peer-app in sg-0s1",
        ),
        (
            "flip-473-vpc-origin-cidr-rule",
            INGRESS,
            "HTTP:80 not open to 10.1.0.0/16 (VPC) in sg-0f1 (443 is)",
            "allow inbound TCP 80 from 10.1.0.0/16 in sg-0f1",
        ),
        (
            # The groups are the Network Load Balancer's too: a rule there would open both.
            "lbc-4126-frontend-nlb-inbound-cidrs",
            INGRESS,
            (
                "HTTPS:443 not open to sg-0n1, sg-0nb or 10.0.0.0/16 (health checks and PrivateLink of k8s-shop-nlb) "
                "in sg-0n1, sg-0nb (open to 203.0.113.0/24)"
            ),
            "allow inbound TCP 443 from sg-0n1 in a new security group alb-sg-k8s-shop",
        ),
    ],
)
def test_a_finding_points_at_the_cause(command: Command, case: str, rule: str, annotation: str, advice: str) -> None:
    path = str(FOLDER / case / "estate.json")
    findings = command("check", "--estate", path, "--rule", rule, "--format", "json").json["findings"]
    [finding] = [one for one in findings if one["compliance"] == "NON_COMPLIANT"]
    assert finding["annotation"] == annotation
    assert finding["advice"][0] == advice


@pytest.mark.parametrize(
    ("case", "remark"),
    [
        # COMPLIANT was right, and every login failed.
        ("cdk-19035-idp-egress", "HTTPS:443 authenticates (authenticate-oidc), but no outbound TCP 443 is open"),
        # COMPLIANT was right, and every client of the accelerator timed out.
        ("accelerator-vpc-cidr", "Global Accelerator is present in vpc-0g"),
        ("flip-473-vpc-origin-cidr-rule", "CloudFront (VPC origins) is present in vpc-0f"),
        # COMPLIANT was right, and the targets' own group let nothing in.
        ("lbc-3737-node-inbound", "target group k8s-nginx: 1 target (i-0c1) unhealthy with Target.Timeout"),
    ],
)
def test_a_remark_points_at_the_cause(command: Command, case: str, remark: str) -> None:
    path = str(FOLDER / case / "estate.json")
    [found] = command("check", "--estate", path, "--format", "json").json["remarks"]
    assert found["remark"].startswith(remark)


def test_no_other_case_has_a_remark(command: Command) -> None:
    """A remark that is everywhere points at nothing."""
    with_remarks = set()
    for folder in sorted(FOLDER.iterdir()):
        path = folder / "estate.json"
        if path.exists() and json.loads(command("check", "--estate", str(path), "--format", "json").out)["remarks"]:
            with_remarks.add(folder.name)
    assert with_remarks == {
        "accelerator-vpc-cidr",
        "cdk-19035-idp-egress",
        "flip-473-vpc-origin-cidr-rule",
        "lbc-3737-node-inbound",
    }
