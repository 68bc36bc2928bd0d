"""A Terraform plan from its file to verdicts: modules with their references, and resources that no verdict needs. And a
small template, whose verdicts take as long as the command needs to start."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from math import log
from pathlib import Path
from typing import Any

from benchmarks.snapshot import CHECK_COMMAND, NON_COMPLIANT_EXIT_CODE, ProcessMeasurement, measure_process
from benchmarks.table import Row

# A plan that changes a whole platform.
LOAD_BALANCERS, RESOURCES_EACH = 200, 25
MAX_SECONDS, MAX_MEMORY_MIB, MAX_EXPONENT = 1.5, 200.0, 1.1
RUNS = 5
MAX_START_SECONDS, STARTS = 0.5, 9
TEMPLATE = """\
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: alb
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Subnets: [!Ref Subnet], SecurityGroups: [!Ref Group]}
  Https:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Web
      Port: 443
      Protocol: HTTPS
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
"""


def rows() -> Iterator[Row]:
    few, many = _shortest(LOAD_BALANCERS // 4), _shortest(LOAD_BALANCERS)
    size = f"{LOAD_BALANCERS * RESOURCES_EACH:,} resources, {LOAD_BALANCERS} load balancers"
    yield Row("Terraform plan to verdicts", many.processor, "s", MAX_SECONDS, "", f"of the processor; {size}")
    yield Row("Terraform plan to verdicts: peak memory", many.memory, "MiB", MAX_MEMORY_MIB, "", size)
    yield Row(
        f"Terraform plan to verdicts: growth from {LOAD_BALANCERS // 4} to {LOAD_BALANCERS}",
        log(many.processor / few.processor, 4),
        "exponent",
        MAX_EXPONENT,
        "1 is in proportion",
        f"{few.processor:.3g} s to {many.processor:.3g} s of the processor",
    )
    start = _shortest_start()
    yield Row(
        "small template to verdicts, start included",
        start.processor,
        "s",
        MAX_START_SECONDS,
        "",
        f"of the processor; {start.clock:.2g} s by the clock, {start.memory:.0f} MiB",
    )


def _shortest_start() -> ProcessMeasurement:
    """The command on a template with one load balancer."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "template.yaml"), Path(folder, "out.jsonl")
        path.write_text(TEMPLATE)
        command = [*CHECK_COMMAND, "--template", str(path), "--format", "jsonl"]
        runs = [measure_process(command, str(out), NON_COMPLIANT_EXIT_CODE) for _ in range(STARTS)]
        found = {one["rule"]: one["compliance"] for one in map(json.loads, out.read_text().splitlines())}
    # It opens its listener's port, and nothing for ICMP.
    assert found["ALB_SG_LISTENER_INGRESS"] == "COMPLIANT", found
    assert found["ALB_SG_ICMP_PMTUD"] == "NON_COMPLIANT", found
    return min(runs, key=lambda run: run.processor)


def _shortest(count: int) -> ProcessMeasurement:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "plan.json"), Path(folder, "out.jsonl")
        path.write_text(json.dumps(plan(count)))
        command = [*CHECK_COMMAND, "--terraform-plan", str(path), "--format", "jsonl"]
        runs = []
        for _ in range(RUNS):
            runs.append(measure_process(command, str(out), NON_COMPLIANT_EXIT_CODE))
            findings = [json.loads(line) for line in out.read_text().splitlines()]
            counted = Counter((finding["rule"], finding["compliance"]) for finding in findings)
            # Each module opens its listener's port and its targets' port, and nothing for ICMP.
            assert counted["ALB_SG_LISTENER_INGRESS", "COMPLIANT"] == count, counted
            assert counted["ALB_SG_INSTANCE_EGRESS", "COMPLIANT"] == count, counted
            assert counted["ALB_SG_ICMP_PMTUD", "NON_COMPLIANT"] == count, counted
    return min(runs, key=lambda run: run.processor)


def plan(count: int) -> dict[str, Any]:
    """A plan that creates modules of 25 resources, each with one load balancer."""
    changes = [
        _change("aws_vpc.main", {"cidr_block": "10.0.0.0/16"}),
        _change("aws_subnet.a", {"cidr_block": "10.0.1.0/24"}, "vpc_id"),
    ]
    calls: dict[str, Any] = {}
    for number in range(count):
        name = f"app{number}"
        module = _module_resources()
        changes += [
            _change(f"module.{name}.{address}", known, *unknown) for address, (known, unknown, _) in module.items()
        ]
        calls[name] = {
            "expressions": {"vpc_id": _refers("aws_vpc.main", "id"), "subnets": _refers("aws_subnet.a", "id")},
            "module": {
                "resources": [_configured(address, expressions) for address, (_, _, expressions) in module.items()],
                "variables": {"vpc_id": {}, "subnets": {}},
            },
        }
    return {
        "format_version": "1.2",
        "terraform_version": "1.13.4",
        "resource_changes": changes,
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"constant_value": "eu-west-1"}}}},
            "root_module": {
                "resources": [
                    _configured("aws_vpc.main", {}),
                    _configured("aws_subnet.a", {"vpc_id": _refers("aws_vpc.main", "id")}),
                ],
                "module_calls": calls,
            },
        },
    }


_Resource = tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]


def _module_resources() -> dict[str, _Resource]:
    """The known values, the unknown arguments and the expressions of a module's resources, by address."""
    vpc = {"vpc_id": {"references": ["var.vpc_id"]}}
    alb, app = _refers("aws_security_group.alb", "id"), _refers("aws_security_group.app", "id")
    target_group = _refers("aws_lb_target_group.app", "arn")
    action = {"type": "forward", "forward": []}
    rule = {"ip_protocol": "tcp"}
    found: dict[str, _Resource] = {
        "aws_security_group.alb": ({"name": "alb"}, ("vpc_id", "ingress", "egress"), vpc),
        "aws_security_group.app": ({"name": "app"}, ("vpc_id", "ingress", "egress"), vpc),
        "aws_lb.web": (
            {"name": "web", "internal": False, "load_balancer_type": "application"},
            ("security_groups", "subnets", "vpc_id"),
            {"security_groups": alb, "subnets": {"references": ["var.subnets"]}},
        ),
        "aws_lb_target_group.app": ({"name": "app", "port": 8080, "target_type": "ip"}, ("vpc_id",), vpc),
        "aws_lb_listener.https": (
            {"port": 443, "protocol": "HTTPS", "default_action": [action]},
            ("load_balancer_arn",),
            {
                "load_balancer_arn": _refers("aws_lb.web", "arn"),
                "default_action": [{"type": {"constant_value": "forward"}, "target_group_arn": target_group}],
            },
        ),
        "aws_vpc_security_group_ingress_rule.https": (
            {**rule, "from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0"},
            ("security_group_id",),
            {"security_group_id": alb},
        ),
        "aws_vpc_security_group_egress_rule.app": (
            {**rule, "from_port": 8080, "to_port": 8080},
            ("security_group_id", "referenced_security_group_id"),
            {"security_group_id": alb, "referenced_security_group_id": app},
        ),
        "aws_vpc_security_group_ingress_rule.alb": (
            {**rule, "from_port": 8080, "to_port": 8080},
            ("security_group_id", "referenced_security_group_id"),
            {"security_group_id": app, "referenced_security_group_id": alb},
        ),
        "aws_ecs_service.app": (
            {"name": "app", "load_balancer": [{"container_port": 8080}], "network_configuration": [{}]},
            (),
            {
                "load_balancer": [{"target_group_arn": target_group, "container_port": {"constant_value": 8080}}],
                "network_configuration": [{"security_groups": app, "subnets": {"references": ["var.subnets"]}}],
            },
        ),
    }
    tags = {f"Tag{number}": "a value of some length" for number in range(8)}
    for number in range(RESOURCES_EACH - len(found)):
        found[f"aws_iam_policy.p{number}"] = (
            {"name": f"p{number}", "policy": "{}" * 300, "tags_all": tags},
            ("id",),
            {},
        )
    return found


def _change(address: str, known: dict[str, Any], *unknown: str) -> dict[str, Any]:
    module, _, rest = address.rpartition(".aws_")
    kind, name = (f"aws_{rest}" if module else address).split(".")
    hidden: dict[str, Any] = dict.fromkeys((*unknown, "id", "arn"), True)
    if kind == "aws_lb_listener":
        hidden["default_action"] = [{"target_group_arn": True, "forward": []}]
    if kind == "aws_ecs_service":
        hidden["load_balancer"] = [{"target_group_arn": True}]
        hidden["network_configuration"] = [{"security_groups": True, "subnets": True}]
    change = {"actions": ["create"], "before": None, "after": known, "after_unknown": hidden, "after_sensitive": {}}
    place = {"module_address": module} if module else {}
    return {"address": address, **place, "mode": "managed", "type": kind, "name": name, "change": change}


def _configured(address: str, expressions: dict[str, Any]) -> dict[str, Any]:
    kind, name = address.split(".")
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_config_key": "aws",
        "expressions": expressions,
    }


def _refers(address: str, attribute: str) -> dict[str, Any]:
    return {"references": [f"{address}.{attribute}", address]}


if __name__ == "__main__":
    from benchmarks.table import markdown_table

    print(markdown_table(rows()))
