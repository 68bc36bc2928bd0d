"""Parts of plans that newer versions of Terraform and OpenTofu have, in the shapes of their sources (`jsonplan`,
`jsonconfig`) and of plans made with Terraform 1.11."""

from __future__ import annotations

from typing import Any

import pytest

from alb_sg.estate.planned.planned_estate import planned_estates
from alb_sg.estate.planned.terraform import terraform_scenario
from tests.estate.planned.judging import judge_plan
from tests.estate.planned.plans import Plan, Ref, Written
from tests.estate.planned.test_terraform import open_web, short

GENERATED = """resource "aws_security_group" "imported" {
  description = "what has egress = []"
  ingress = [{
    cidr_blocks = ["0.0.0.0/0"]
    from_port   = 443
  }]
  name = "imported"
}
"""


def imported(generated: str) -> Plan:
    """A security group that is imported, and that the configuration does not have yet."""
    values = {"id": "sg-1", "name": "imported", "vpc_id": "vpc-1", "ingress": [], "egress": []}
    change: dict[str, Any] = {
        "actions": ["no-op"],
        "before": values,
        "after": values,
        "after_unknown": {},
        "importing": {"id": "sg-1"},
    }
    if generated:
        change["generated_config"] = generated
    plan = Plan()
    plan.changes.append(
        {
            "address": "aws_security_group.imported",
            "mode": "managed",
            "type": "aws_security_group",
            "name": "imported",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": change,
        }
    )
    return plan


@pytest.mark.parametrize(("generated", "directions"), [(GENERATED, {"ingress", "egress"}), ("", set())])
def test_configuration_that_the_plan_generates(generated: str, directions: set[str]) -> None:
    """It will have the group at its address, and lists the rules that it lists now."""
    found = planned_estates(terraform_scenario(imported(generated).document()))
    assert found.addresses == ({"sg-1": "aws_security_group.imported"} if generated else {})
    rules = found.inline_rules.get("sg-1")
    # In the direction that is not generated, the group is as in the other one.
    assert (set() if rules is None else rules.directions) == directions


def test_configuration_that_is_no_text() -> None:
    plan = imported("")
    plan.changes[0]["change"]["generated_config"] = {"hcl": GENERATED}
    assert planned_estates(terraform_scenario(plan.document())).inline_rules == {}


def test_an_ephemeral_resource_of_the_type_and_name_of_another_one() -> None:
    plan = open_web()
    for one in list(plan.root["resources"]):
        plan.root["resources"].append({**one, "mode": "ephemeral", "expressions": {}})
    assert short(plan) == "CCCC"


def test_a_write_only_argument() -> None:
    """It is null in a plan, whatever its value is."""
    plan = open_web()
    secret = Written(None, "ephemeral.aws_secretsmanager_secret_version.key.secret_string")
    plan.create("aws_ssm_parameter.key", name="key", value_wo=secret, value_wo_version=1)
    assert short(plan) == "CCCC"


def test_actions() -> None:
    plan = open_web()
    plan.extra["action_invocations"] = [
        {
            "address": "action.aws_lambda_invoke.warm",
            "type": "aws_lambda_invoke",
            "name": "warm",
            "config_values": {"function_name": "warm"},
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "lifecycle_action_trigger": {
                "triggering_resource_address": "aws_lb.web",
                "action_trigger_event": "AfterCreate",
                "action_trigger_block_index": 0,
                "actions_list_index": 0,
            },
        }
    ]
    plan.root["actions"] = [{"address": "action.aws_lambda_invoke.warm", "type": "aws_lambda_invoke", "name": "warm"}]
    assert judge_plan(plan) == judge_plan(open_web())


def test_an_ephemeral_variable_tells_no_account() -> None:
    """Its value is not in the plan, and its default may be another one."""
    plan = open_web()
    plan.provider("aws", region="eu-west-1", assume_role=[{"role_arn": Ref("var.role")}])
    plan.variable("role", "arn:aws:iam::111122223333:role/default")

    def account() -> str:
        [estate] = planned_estates(terraform_scenario(plan.document())).estates
        return estate.account_id

    assert account() == "111122223333"
    plan.root["variables"]["role"]["ephemeral"] = True
    assert account() == ""


def test_a_provider_configuration_with_instances() -> None:
    """OpenTofu's configuration has its `for_each` nowhere, and no key where a resource chooses one."""
    plan = open_web()
    plan.provider("aws.by_region", region=Ref("each.value.region"))
    plan.made_by("aws.by_region", *(one["address"] for one in plan.root["resources"]))
    assert short(plan) == "CCCC"
    [estate] = planned_estates(terraform_scenario(plan.document())).estates
    assert (estate.account_id, estate.region) == ("", "")
    assert "aws_security_group.alb" in (estate.security_groups or {})
