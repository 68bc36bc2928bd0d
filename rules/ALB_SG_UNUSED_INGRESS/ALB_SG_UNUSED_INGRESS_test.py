import sys
from pathlib import Path

# rdk puts a rule's own folder on the path, and nothing else.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ALB_SG_UNUSED_INGRESS

from embedded_aws.account import all_traffic, icmp, tcp
from embedded_aws.rule_test_case import RuleTestCase


class ComplianceTest(RuleTestCase):
    rule_module = ALB_SG_UNUSED_INGRESS

    def test_listener_port_and_icmp(self):
        web = self.load_balancer(ingress=[tcp(80, "0.0.0.0/0"), icmp(3, 4, "0.0.0.0/0")])
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "COMPLIANT", "nothing unused in sg-")

    def test_port_without_a_listener(self):
        web = self.load_balancer(ingress=[tcp(80, "0.0.0.0/0"), tcp(8080, "10.0.0.0/8")])
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "NON_COMPLIANT", "TCP 8080 open to 10.0.0.0/8 in sg-")

    def test_all_traffic(self):
        web = self.load_balancer(ingress=[all_traffic("10.0.0.0/8")])
        self.aws.listener(web, 80)
        self.assert_evaluation(web, "NON_COMPLIANT", "of which only TCP 80 and ICMP are used")

    def test_group_that_an_instance_carries_too(self):
        web = self.load_balancer(ingress=[tcp(8080, "10.0.0.0/8")])
        [group] = self.aws.elbv2.describe_load_balancers()["LoadBalancers"][0]["SecurityGroups"]
        self.aws.instance(self.subnets[0], group)
        self.assert_evaluation(web, "NOT_APPLICABLE", "is shared with network interface eni-")
