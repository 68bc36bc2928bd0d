"""What the tests beside the rules share: one load balancer on an embedded AWS, judged by a rule's real handler."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from types import ModuleType
from typing import ClassVar

from embedded_aws.account import EmbeddedAws, IpPermission


class RuleTestCase(unittest.TestCase):
    """A test of one rule: `module` is the rule's, which has a `lambda_handler`."""

    rule_module: ClassVar[ModuleType]

    def setUp(self) -> None:
        self.aws = EmbeddedAws()
        self.aws.__enter__()
        self.addCleanup(self.aws.__exit__)
        self.vpc = self.aws.vpc("10.0.0.0/16", second_cidr="10.1.0.0/16")
        self.subnets = self.aws.subnets(self.vpc)
        self.app = self.aws.security_group(self.vpc, "app")

    def load_balancer(
        self,
        *,
        ingress: Sequence[IpPermission] = (),
        egress: Sequence[IpPermission] = (),
        scheme: str = "internet-facing",
    ) -> str:
        group = self.aws.security_group(self.vpc, "lb", ingress=ingress, egress=egress)
        return self.aws.load_balancer("web", self.subnets, [group], scheme=scheme)

    def forward_to_instance(self, load_balancer: str, *, health_check_port: str = "traffic-port") -> None:
        """A listener on port 80 that forwards to port 8080 of an instance in the group `app`."""
        instance = self.aws.instance(self.subnets[0], self.app)
        targets = self.aws.target_group("web", self.vpc, 8080, [(instance, None)], health_check_port=health_check_port)
        self.aws.listener(load_balancer, 80, targets)

    def assert_evaluation(self, load_balancer: str, compliance: str, annotation: str, **parameters: str) -> None:
        """Runs the handler on a schedule, and compares what it recorded of the load balancer."""
        rule = self.rule_module.__name__
        answer = self.rule_module.lambda_handler(self.aws.scheduled_event(rule, parameters), None)
        found = {evaluation["ComplianceResourceId"]: evaluation for evaluation in answer}[load_balancer]
        self.assertEqual(found["ComplianceType"], compliance)
        self.assertIn(annotation, found.get("Annotation", ""))
