import sys
from pathlib import Path

# rdk puts a rule's own folder on the path, and nothing else.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ALB_SG_TARGET_INGRESS

from embedded_aws.account import tcp
from embedded_aws.rule_test_case import RuleTestCase


class ComplianceTest(RuleTestCase):
    rule_module = ALB_SG_TARGET_INGRESS

    def test_targets_that_refer_to_the_group_of_the_load_balancer(self):
        web = self.load_balancer()
        self.forward_to_instance(web)
        self.aws.allow_ingress(self.app, [tcp(8080, self.group_of(web))])
        self.assert_evaluation(web, "COMPLIANT", f"1 requirement met in {self.app}")

    def test_targets_that_let_nothing_in(self):
        web = self.load_balancer()
        self.forward_to_instance(web)
        self.assert_evaluation(web, "NON_COMPLIANT", f"target group web TCP:8080 not open to {self.group_of(web)} or")

    def test_health_check_port_that_was_changed(self):
        web = self.load_balancer()
        self.forward_to_instance(web, health_check_port="8081")
        self.aws.allow_ingress(self.app, [tcp(8080, "10.0.0.0/16")])
        self.assert_evaluation(web, "NON_COMPLIANT", "target group web TCP:8081 not open to")

    def test_no_target(self):
        web = self.load_balancer()
        self.assert_evaluation(web, "NOT_APPLICABLE", "no target group")

    def group_of(self, load_balancer):
        described = self.aws.elbv2.describe_load_balancers(LoadBalancerArns=[load_balancer])
        return described["LoadBalancers"][0]["SecurityGroups"][0]
