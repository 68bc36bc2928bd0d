"""An embedded account with one load balancer, and its state before and after a fix."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import boto3
from moto.ec2.models import ec2_backends

from alb_sg.exemptions.exemption import Exemptions
from alb_sg.live import LiveClients
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.apply import apply
from alb_sg.remediation.execution import ApplyResult, UndoResult
from alb_sg.remediation.fix_request import FixPolicy, FixRequest
from alb_sg.remediation.live_planning import make_live_plan
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.undo import undo
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, icmp, tcp
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS

# The rules of the load balancer's own groups; `test_target_side.py` fixes the other side.
RULES = (INGRESS, EGRESS, HEALTH, ICMP)
TODAY = date(2026, 6, 1)
EXECUTION = "fix-1"
IN_ORDER = (tcp(443, "0.0.0.0/0"), icmp(3, 4, "0.0.0.0/0"))


def fix_of(
    *names: str,
    policy: FixPolicy | None = None,
    exemptions: Exemptions | None = None,
    parameters: Parameters | None = None,
) -> FixRequest:
    """A request to fix these rules; all four without names."""
    given = parameters or Parameters()
    rules = {RECOMMENDATIONS_BY_NAME[name]: given for name in names or RULES}
    return FixRequest(rules, TODAY, policy or FixPolicy(), exemptions or Exemptions("none"))


class Shop:
    """An internet-facing load balancer `shop` on port 443, with a target in the group `app`. Its security group `shop`
    causes all findings."""

    def __init__(self, aws: EmbeddedAws, *, scheme: str = "internet-facing", ip_address_type: str = "ipv4") -> None:
        self.aws = aws
        self.vpc = aws.vpc("10.0.0.0/16", second_cidr="10.1.0.0/16", ipv6=True)
        self.subnets = aws.subnets(self.vpc)
        self.app = aws.security_group(self.vpc, "app")
        self.group = aws.security_group(self.vpc, "shop", egress=[])
        self.arn = aws.load_balancer("shop", self.subnets, [self.group], scheme=scheme, ip_address_type=ip_address_type)
        task = aws.network_interface(self.subnets[0], self.app)
        self.target_group = aws.target_group(
            "shop", self.vpc, 8080, [(task, None)], target_type="ip", health_check_port="8081"
        )
        aws.listener(self.arn, 443, self.target_group)
        self.account = AccountClients(
            LiveClients(elbv2=aws.elbv2, ec2=aws.ec2), ACCOUNT_ID, REGION, aws.elbv2, boto3.client("ssm", REGION)
        )
        self.pauses: list[float] = []

    def plan(self, fix: FixRequest | None = None) -> Plan:
        plan = make_live_plan(self.account, self.arn, fix or fix_of())
        assert plan is not None
        return plan

    def apply(
        self, fix: FixRequest | None = None, execution: str = EXECUTION, approved: str | None = None
    ) -> ApplyResult:
        return apply(
            self.account, self.arn, fix or fix_of(), execution, approved_fingerprint=approved, pause=self.pauses.append
        )

    def undo(self, execution: str = EXECUTION) -> UndoResult:
        return undo(self.account, execution, pause=self.pauses.append)

    def verdicts(self, applied: ApplyResult) -> Mapping[str, Any]:
        return {str(result.rule): getattr(result, "compliance", None) for result in applied.results_after}

    def state(self) -> str:
        """Security groups, their rules and load balancers, in the API's shape, sorted."""
        ec2, elbv2 = self.aws.ec2, self.aws.elbv2
        found = [
            *ec2.describe_security_groups()["SecurityGroups"],
            *ec2.describe_security_group_rules()["SecurityGroupRules"],
            *elbv2.describe_load_balancers()["LoadBalancers"],
        ]
        return "\n".join(sorted(json.dumps(one, sort_keys=True, default=str) for one in found))

    def groups(self) -> list[str]:
        return list(
            self.aws.elbv2.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"][0]["SecurityGroups"]
        )

    def node(self) -> str:
        """An interface that Elastic Load Balancing has created for the load balancer, with its groups."""
        created = self.aws.ec2.create_network_interface(
            SubnetId=self.subnets[0], Groups=self.groups(), Description=f"ELB {self.arn.partition(':loadbalancer/')[2]}"
        )
        interface_id: str = created["NetworkInterface"]["NetworkInterfaceId"]
        ec2_backends[ACCOUNT_ID][REGION].enis[interface_id].requester_id = "amazon-elb"
        self.aws.faults.calls.clear()
        return interface_id

    def attach(self, group_id: str, node: str | None = None) -> None:
        """What a person does: attaches a group. Elastic Load Balancing adds it to the interface `node`."""
        groups = [*self.groups(), group_id]
        self.aws.elbv2.set_security_groups(LoadBalancerArn=self.arn, SecurityGroups=groups)
        if node is not None:
            self.aws.ec2.modify_network_interface_attribute(NetworkInterfaceId=node, Groups=groups)

    def share(self) -> None:
        """Attaches the group to another interface."""
        self.aws.network_interface(self.subnets[1], self.group)
        self.aws.faults.calls.clear()

    def changes(self) -> list[str]:
        """The operations called that change the network, in order."""
        others = ("Describe", "Get", "Assume", "PutParameter", "DeleteParameters")
        return [name for name in self.aws.faults.calls if not name.startswith(others)]


@contextmanager
def shop(**choices: Any) -> Iterator[Shop]:
    with EmbeddedAws() as aws:
        found = Shop(aws, **choices)
        aws.faults.calls.clear()
        yield found
