import sys
from pathlib import Path

# rdk puts a rule's own folder on the path, and nothing else.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ALB_SG_INSTANCE_EGRESS

from embedded_aws.account import tcp
from embedded_aws.rule_test_case import RuleTestCase


class ComplianceTest(RuleTestCase):
    rule_module = ALB_SG_INSTANCE_EGRESS

    def test_reference_to_the_group_of_the_targets(self):
        web = self.load_balancer(egress=[tcp(8080, self.app)])
        self.forward_to_instance(web)
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")

    def test_wrong_port(self):
        web = self.load_balancer(egress=[tcp(80, self.app)])
        self.forward_to_instance(web)
        self.assert_evaluation(web, "NON_COMPLIANT", "target group web TCP:8080 not open to")

    def test_address_counts_unless_the_page_is_read_literally(self):
        web = self.load_balancer(egress=[tcp(8080, "10.0.0.0/16")])
        self.forward_to_instance(web)
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")
        self.assert_evaluation(web, "NON_COMPLIANT", self.app, TargetMatch="security-group")

    def test_without_target_group(self):
        web = self.load_balancer()
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "NOT_APPLICABLE", "no target group")
