import sys
from pathlib import Path

# rdk puts a rule's own folder on the path, and nothing else.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ALB_SG_HEALTH_CHECK_EGRESS

from embedded_aws.account import tcp
from embedded_aws.rule_test_case import RuleTestCase


class ComplianceTest(RuleTestCase):
    rule_module = ALB_SG_HEALTH_CHECK_EGRESS

    def test_traffic_port_is_the_port_of_the_target(self):
        web = self.load_balancer(egress=[tcp(8080, self.app)])
        self.forward_to_instance(web)
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")

    def test_health_check_port_that_was_changed(self):
        web = self.load_balancer(egress=[tcp(8080, self.app)])
        self.forward_to_instance(web, health_check_port="8081")
        self.assert_evaluation(web, "NON_COMPLIANT", "target group web TCP:8081 not open to")

    def test_open_health_check_port(self):
        web = self.load_balancer(egress=[tcp(8081, "10.0.0.0/16")])
        self.forward_to_instance(web, health_check_port="8081")
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")
