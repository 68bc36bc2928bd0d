import sys
from pathlib import Path

# rdk puts a rule's own folder on the path, and nothing else.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ALB_SG_LISTENER_INGRESS

from embedded_aws.account import tcp
from embedded_aws.rule_test_case import RuleTestCase


class ComplianceTest(RuleTestCase):
    rule_module = ALB_SG_LISTENER_INGRESS

    def test_listener_open_to_everybody(self):
        web = self.load_balancer(ingress=[tcp(80, "0.0.0.0/0")])
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")

    def test_listener_that_was_forgotten(self):
        web = self.load_balancer(ingress=[tcp(80, "0.0.0.0/0")])
        self.aws.listener(web, 80)
        self.aws.listener(web, 8443)
        self.assert_evaluation(web, "NON_COMPLIANT", "HTTP:8443 not open to 0.0.0.0/0")

    def test_internal_load_balancer_serves_every_block_of_its_vpc(self):
        web = self.load_balancer(ingress=[tcp(80, "10.0.0.0/16")], scheme="internal")
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "NON_COMPLIANT", "10.1.0.0/16")

    def test_accepted_source(self):
        web = self.load_balancer(ingress=[tcp(80, "203.0.113.0/24")])
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "COMPLIANT", "accepted source 203.0.113.0/24", AcceptedSources="203.0.113.0/24")

    def test_without_listener(self):
        self.assert_evaluation(self.load_balancer(), "NOT_APPLICABLE", "no listener")
