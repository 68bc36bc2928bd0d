"""Public CloudFormation templates, in `shared/samples/iac/cloudformation` beside the repository. Their verdicts are
derived by hand from what each template says.

The folder is no part of the repository. Where it is absent these tests are skipped or fail (`tests/samples/shared.py`);
the tests in `tests/estate/planned` have a template of their own for each situation here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, RULES, TARGETS
from tests.command_line.calling import Command
from tests.samples.shared import require_shared_samples, shared_samples

COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, ERROR = "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "ERROR"
NOT_JUDGED = dict.fromkeys(RULES, NOT_APPLICABLE)


FOLDER = shared_samples("cloudformation")


class Case(NamedTuple):
    """A template with the values of its parameters; the verdicts by load balancer and rule; why."""

    verdicts: Mapping[str, Mapping[str, str]]
    reason: str
    options: tuple[str, ...] = ()
    # A part of some error, finding or note.
    says: str = ""


def rules(ingress: str, egress: str, health: str, icmp: str, targets: str) -> dict[str, str]:
    return {INGRESS: ingress, EGRESS: egress, HEALTH: health, ICMP: icmp, TARGETS: targets}


# The load balancer's group opens each listener's port to everybody and says nothing of ICMP. Outbound, it has one rule
# for the targets' port, to the group of the service, which takes that port from the load balancer's group.
CDK_SERVICE = rules(COMPLIANT, COMPLIANT, COMPLIANT, NON_COMPLIANT, COMPLIANT)
# No listener forwards; the port is open, ICMP is not.
WITHOUT_TARGETS = rules(COMPLIANT, NOT_APPLICABLE, NOT_APPLICABLE, NON_COMPLIANT, NOT_APPLICABLE)
# The CDK's rule for "no outbound traffic" lets nothing out to two addresses. The template does not tell which groups
# they carry.
DISALLOW_ALL = rules(COMPLIANT, NON_COMPLIANT, NON_COMPLIANT, NON_COMPLIANT, ERROR)

CASES: dict[str, Case] = {
    "cdk-alb": Case({"LB8A12904C": DISALLOW_ALL}, "Port 80 is open to 0.0.0.0/0; icmp 252-86 is no rule for TCP 80."),
    "cdk-alb2": Case({"LB8A12904C": DISALLOW_ALL}, "As cdk-alb, with a rule that answers by itself."),
    "cdk-alb-dualstack-without-public-ipv4": Case(
        {"LB8A12904C": DISALLOW_ALL},
        "Clients use IPv6 alone: ::/0 is open, and ICMPv6 is asked for instead of ICMP.",
        says="ICMPv6 type 2 code 0 not open to ::/0",
    ),
    "cdk-alb-jwt": Case({"LoadBalancerBE9EEC3A": WITHOUT_TARGETS}, "It validates tokens and answers by itself."),
    "cdk-alb-mtls": Case({"LB8A12904C": WITHOUT_TARGETS}, "It answers by itself."),
    "cdk-alb-oidc": Case({"LoadBalancerBE9EEC3A": WITHOUT_TARGETS}, "It authenticates, and answers by itself."),
    "cdk-alb-target-group-ip-address-type": Case(
        {}, "Two target groups, and no load balancer.", says="No load balancer found"
    ),
    "cdk-alb-two-target-groups": Case(
        {"LB8A12904C": WITHOUT_TARGETS},
        "Internal: 0.0.0.0/0 includes the VPC's 10.0.0.0/16. Nothing is registered in the target groups.",
        says="not open to 10.0.0.0/16 (VPC)",
    ),
    "cdk-fargate-health-check": Case(
        {"HealthCheckALBServiceLBF0BF9C61": CDK_SERVICE},
        "The check of the container is no check of the load balancer: that one uses the traffic port.",
    ),
    "cdk-fargate-https": Case({"myServiceLB168895E1": CDK_SERVICE}, "443 forwards and 80 redirects; both are open."),
    "cdk-fargate-ipv6": Case(
        {"myServiceLB168895E1": CDK_SERVICE},
        "Clients of both families are let in; the target group is IPv4, and so is the outbound rule's traffic.",
        says="ICMPv6 type 2 code 0 not open to ::/0",
    ),
    "cdk-fargate-l3": Case(
        {"ALBFargateServiceLB64A0074E": CDK_SERVICE, "NLBFargateServiceLB659EC17C": NOT_JUDGED},
        "The second load balancer is a Network Load Balancer.",
    ),
    "cdk-fargate-multiple-alb-health-checks": Case(
        {"myServicelb1FA8CBE12": CDK_SERVICE, "myServicelb2C84C7BCB": CDK_SERVICE},
        "Targets are registered with the container's ports, 80 and 90, whatever the target groups say.",
    ),
    "cdk-fargate-special-listener": Case(
        {"FargateAlbServiceLBA7128551": CDK_SERVICE, "FargateNlbServiceLBC7004B25": NOT_JUDGED},
        "The container's port is 2015, and so is the outbound rule's; the target group says 80.",
    ),
    "cdk-fargate-public-private-switch": Case(
        {"PrivateALBFargateServiceLB3F43693F": CDK_SERVICE, "PublicALBFargateServiceLBBDD839E7": CDK_SERVICE},
        "One is internal: its VPC is within 0.0.0.0/0, and ICMP is asked for from the VPC.",
        says="not open to 10.0.0.0/16 (VPC) in PrivateALB",
    ),
    "cdk-nlb-security-group": Case(
        {
            "NlbWithSecurityGroup235636123": NOT_JUDGED,
            "NlbWithSecurityGroup8AA6FD5A": NOT_JUDGED,
            "NlbWithoutSecurityGroup82D9E764": NOT_JUDGED,
        },
        "Network Load Balancers alone.",
    ),
    "checkov-alb-redirect": Case(
        {"LoadBalancer": rules(ERROR, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE)},
        "Its group is a parameter, whose default nobody confirmed. Nothing is registered.",
        says="give --template-parameter SecurityGroup=…",
    ),
    "checkov-alb-redirect with its defaults": Case(
        {"LoadBalancer": rules(ERROR, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE)},
        "The default is a group that exists already: the template does not hold its rules.",
        ("--template-defaults",),
        says="judge over the account with --region",
    ),
    "checkov-redirect-graph": Case(
        {
            "LoadBalancerPASSED1": dict.fromkeys(RULES, ERROR),
            "LoadBalancerPASSED2": rules(ERROR, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE),
            "LoadBalancerPASSED3": dict.fromkeys(RULES, ERROR),
            "LoadBalancerPASSED4": dict.fromkeys(RULES, ERROR),
            "LoadBalancerFAILED1": dict.fromkeys(RULES, ERROR),
            "LoadBalancerFAILED2": rules(ERROR, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE),
        },
        "Their group exists already, and so does the target group that four of them forward to.",
    ),
    "convox-rack": Case(
        {
            "ApiBalancer": rules(ERROR, COMPLIANT, COMPLIANT, NON_COMPLIANT, ERROR),
            "Router": rules(ERROR, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE),
            "RouterInternal": rules(ERROR, NOT_APPLICABLE, NOT_APPLICABLE, ERROR, NOT_APPLICABLE),
            "NLBRouter": NOT_JUDGED,
            "NLBRouterInternal": NOT_JUDGED,
        },
        "The routers may get a group that exists already. No way of deploying opens ICMP on the group of ApiBalancer, "
        "which lets everything out: its tasks have host ports that Amazon ECS chooses, on instances that no template "
        "names as theirs.",
    ),
    "convox-rack with its defaults": Case(
        {
            "ApiBalancer": rules(COMPLIANT, COMPLIANT, COMPLIANT, NON_COMPLIANT, ERROR),
            "Router": WITHOUT_TARGETS,
        },
        "By default it is public, with groups of its own that are open to everybody; the others are not created.",
        ("--template-defaults",),
    ),
    "quickstart-artifactory": Case(
        {"ArtifactoryElb": NOT_JUDGED, "ArtifactoryInternalElb": NOT_JUDGED},
        "Network Load Balancers alone, and nested stacks that are not here.",
        says="load balancers of nested stack ArtifactoryPrimary, whose template is no local file",
    ),
    "quickstart-jira-dc": Case(
        {"LoadBalancer": dict.fromkeys(RULES, ERROR)},
        "Who may use it and the targets' port are parameters. Its group goes to a nested stack that is not here, which "
        "may add ICMP.",
    ),
    "quickstart-jira-dc open to everybody": Case(
        {"LoadBalancer": rules(COMPLIANT, ERROR, ERROR, ERROR, COMPLIANT)},
        "80 and 443 are open in each of its ways. The nested stack may take the default outbound rule away. Its nodes "
        "share its group, which takes all from itself.",
        ("--template-parameter", "CidrBlock=0.0.0.0/0", "--template-parameter", "TomcatDefaultConnectorPort=8080"),
        says="nested stack DB",
    ),
    "quickstart-sharepoint-alb": Case(
        {"SitesLoadBalancer": dict.fromkeys(RULES, ERROR), "AdminLoadBalancer": dict.fromkeys(RULES, ERROR)},
        "Without groups of their own they get the default group of a VPC that exists already.",
    ),
    "troposphere-application-elb": Case(
        {"ApplicationElasticLB": dict.fromkeys(RULES, ERROR)},
        "It gets the default group of a VPC that exists already; the targets' ports are parameters.",
    ),
    "troposphere-network-lb": Case({"NetworkLB": NOT_JUDGED}, "A Network Load Balancer alone."),
}


def _template(name: str) -> str:
    assert FOLDER is not None
    [path] = (FOLDER / name.partition(" ")[0]).glob("template.*")
    return str(path)


NAMES = list(CASES) if FOLDER is not None else []


def test_every_template_has_its_verdicts() -> None:
    require_shared_samples()
    assert FOLDER is not None
    assert {folder.name for folder in FOLDER.iterdir()} == {name.partition(" ")[0] for name in CASES}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_judged_as_derived(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    command = Command(tmp_path, capsys)
    answer = command("check", "--template", _template(name), *case.options, "--format", "json")
    found: dict[str, dict[str, str]] = {}
    for finding in answer.json["findings"]:
        found.setdefault(finding["loadBalancerArn"], {})[finding["rule"]] = finding["compliance"]
    for error in answer.json["errors"]:
        if error["loadBalancerArn"] is not None:
            found.setdefault(error["loadBalancerArn"], {})[error["what"].partition(":")[0]] = ERROR
    assert found == case.verdicts, case.reason
    assert case.says in command("check", "--template", _template(name), *case.options).out


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_explain_agrees_with_check(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one way of deploying is left."""
    command = Command(tmp_path, capsys)
    for load_balancer, verdicts in CASES[name].verdicts.items():
        answer = command(
            "explain", load_balancer, "--template", _template(name), *CASES[name].options, "--format", "json"
        )
        if answer.code == 2:
            assert "this command takes one" in answer.err
            continue
        explained = {one["rule"]: one["compliance"] or ERROR for one in answer.json["rules"]}
        assert explained == verdicts
