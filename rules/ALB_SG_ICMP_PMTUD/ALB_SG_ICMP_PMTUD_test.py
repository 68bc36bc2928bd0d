import sys
from pathlib import Path

# rdk puts a rule's own folder on the path, and nothing else.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ALB_SG_ICMP_PMTUD

from embedded_aws.account import icmp, tcp
from embedded_aws.rule_test_case import RuleTestCase


class ComplianceTest(RuleTestCase):
    rule_module = ALB_SG_ICMP_PMTUD

    def test_fragmentation_needed(self):
        web = self.load_balancer(ingress=[icmp(3, 4, "0.0.0.0/0")])
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")

    def test_echo_is_not_path_mtu_discovery(self):
        web = self.load_balancer(ingress=[tcp(80, "0.0.0.0/0"), icmp(8, 0, "0.0.0.0/0")])
        self.assert_evaluation(web, "NON_COMPLIANT", "ICMP type 3 code 4 not open to 0.0.0.0/0")

    def test_internal_load_balancer_hears_its_vpc(self):
        web = self.load_balancer(ingress=[icmp(-1, -1, "10.0.0.0/8")], scheme="internal")
        self.assert_evaluation(web, "COMPLIANT", "1 requirement met")
