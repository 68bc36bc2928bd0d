"""The accounts and regions of a plan's provider configurations, and what of them is judged together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.planned_estate import planned_estates
from alb_sg.estate.planned.resources import Scenario
from alb_sg.estate.planned.terraform import terraform_scenario
from tests.builders import build, estate, group
from tests.estate.planned.judging import judge_plan, verdicts
from tests.estate.planned.plans import COMPUTED, Plan, Ref, Written

MAIN, EDGE, OTHER = "111122223333", "222233334444", "333344445555"
REGION = "eu-west-1"
LB = "aws_lb.web"


def role(account_id: str) -> list[dict[str, Any]]:
    """The blocks of `assume_role` for a role of an account."""
    return [{"role_arn": f"arn:aws:iam::{account_id}:role/deploy"}]


def load_balancer(plan: Plan, name: str = "web", *, internal: bool = True) -> Plan:
    plan.create(f"aws_vpc.{name}", cidr_block="10.0.0.0/16")
    plan.create(f"aws_subnet.{name}", vpc_id=Ref(f"aws_vpc.{name}.id"), cidr_block="10.0.0.0/24")
    plan.create(
        f"aws_security_group.{name}",
        name=name,
        vpc_id=Ref(f"aws_vpc.{name}.id"),
        ingress=COMPUTED,
        egress=COMPUTED,
    )
    plan.create(
        f"aws_vpc_security_group_ingress_rule.{name}",
        security_group_id=Ref(f"aws_security_group.{name}.id"),
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4="10.0.0.0/16",
    )
    plan.create(
        f"aws_lb.{name}",
        name=name,
        load_balancer_type="application",
        internal=internal,
        ip_address_type="ipv4",
        security_groups=[Ref(f"aws_security_group.{name}.id")],
        subnets=[Ref(f"aws_subnet.{name}.id")],
    )
    action: dict[str, Any] = {"type": "fixed-response", "target_group_arn": None, "forward": []}
    return plan.create(
        f"aws_lb_listener.{name}",
        load_balancer_arn=Ref(f"aws_lb.{name}.arn"),
        port=443,
        protocol="HTTPS",
        default_action=[action],
    )


RESOURCES = (
    "aws_vpc.{}",
    "aws_subnet.{}",
    "aws_security_group.{}",
    "aws_vpc_security_group_ingress_rule.{}",
    "aws_lb.{}",
    "aws_lb_listener.{}",
)


def made_by(plan: Plan, key: str, name: str) -> Plan:
    return plan.made_by(key, *(one.format(name) for one in RESOURCES))


def accounts(plan: Plan, base: Sequence[Estate] = ()) -> dict[str, tuple[str, str]]:
    """The account and region of every load balancer."""
    found = planned_estates(terraform_scenario(plan.document()), base).estates
    return {arn: (one.account_id, one.region) for one in found for arn in one.load_balancers}


def saved(account_id: str, region: str = REGION) -> Estate:
    return Estate(account_id, region, load_balancers={}, listeners={}, target_groups={}, targets={}, vpcs={})


@pytest.mark.parametrize(
    ("arguments", "account_id"),
    [
        ({"assume_role": role(EDGE)}, EDGE),
        # A chain of roles: each one assumes the next.
        ({"assume_role": [*role(OTHER), *role(EDGE)]}, EDGE),
        ({"assume_role": {"role_arn": f"arn:aws:iam::{EDGE}:role/deploy"}}, EDGE),
        ({"assume_role_with_web_identity": role(EDGE)}, EDGE),
        ({"allowed_account_ids": [EDGE]}, EDGE),
        # One that is not allowed fails before anything is made.
        ({"allowed_account_ids": [EDGE], "assume_role": [{"role_arn": Ref("local.role")}]}, EDGE),
        ({"allowed_account_ids": [EDGE, OTHER]}, ""),
        ({"assume_role": [{"role_arn": Ref("var.role")}]}, EDGE),
        # A plan shows what an expression refers to: of an ARN that is put together, the account's ID.
        ({"assume_role": [{"role_arn": Ref("var.account_id")}]}, EDGE),
        ({"assume_role": [{"role_arn": Ref('var.accounts["prod"].id')}]}, EDGE),
        # It is the role of one of two accounts.
        ({"assume_role": [{"role_arn": Ref("var.accounts")}]}, ""),
        ({"assume_role": [{"role_arn": Ref("var.role", "var.other_role")}]}, ""),
        ({"assume_role": [{"role_arn": Ref("local.role")}]}, ""),
        ({"assume_role": [{"role_arn": Ref("var.account_id", "local.role_name")}]}, ""),
        ({"assume_role": [{"role_arn": Ref("var.secret_role")}]}, ""),
        ({"profile": "edge"}, ""),
        ({}, ""),
    ],
)
def test_accounts_of_a_provider_configuration(arguments: dict[str, Any], account_id: str) -> None:
    plan = load_balancer(Plan())
    plan.variable("role", f"arn:aws:iam::{EDGE}:role/deploy")
    plan.variable("other_role", f"arn:aws:iam::{OTHER}:role/deploy")
    plan.variable("account_id", EDGE)
    plan.variable("accounts", {"prod": {"id": EDGE}, "test": {"id": OTHER}})
    plan.variable("secret_role", f"arn:aws:iam::{EDGE}:role/deploy", sensitive=True)
    plan.provider("aws", region=REGION, **arguments)
    assert accounts(plan) == {LB: (account_id, REGION)}


def test_the_account_that_a_data_source_tells() -> None:
    plan = load_balancer(Plan(region=REGION))
    plan.read("data.aws_caller_identity.current", account_id=MAIN, arn=f"arn:aws:sts::{MAIN}:assumed-role/deploy/1")
    assert accounts(plan) == {LB: (MAIN, REGION)}
    plan.provider("aws", region=REGION, assume_role=[{"role_arn": Ref("data.aws_caller_identity.root.account_id")}])
    plan.read("data.aws_caller_identity.root", account_id=EDGE)
    assert accounts(plan) == {LB: (EDGE, REGION)}


def test_a_vpc_that_another_account_shares_tells_no_account() -> None:
    """Its data source has the owner's."""
    plan = load_balancer(Plan(region=REGION))
    plan.read("data.aws_vpc.shared", id="vpc-1", owner_id=OTHER, arn=f"arn:aws:ec2:{REGION}:{OTHER}:vpc/vpc-1")
    assert accounts(plan) == {LB: ("", REGION)}
    assert accounts(plan, [saved(MAIN)]) == {LB: (MAIN, REGION)}


def test_provider_configurations_with_the_same_credentials_are_of_one_account() -> None:
    plan = load_balancer(load_balancer(Plan(region=REGION)), "far")
    plan.provider("aws.far", region="us-east-1")
    made_by(plan, "aws.far", "far")
    assert accounts(plan) == {LB: ("", REGION), "aws_lb.far": ("", "us-east-1")}
    plan.read("data.aws_caller_identity.current", arn=f"arn:aws:sts::{MAIN}:assumed-role/deploy/1")
    assert accounts(plan) == {LB: (MAIN, REGION), "aws_lb.far": (MAIN, "us-east-1")}


@pytest.mark.parametrize(
    ("expression", "region"),
    [
        (Ref("var.region"), REGION),
        (Ref("var.regions.main"), REGION),
        # A part of a name is none.
        (Ref("var.prefix"), ""),
        (Ref("local.region"), ""),
    ],
)
def test_regions_of_a_provider_configuration(expression: Any, region: str) -> None:
    plan = load_balancer(Plan())
    plan.variable("region", REGION).variable("prefix", "eu").variable("regions", {"main": REGION})
    plan.provider("aws", region=expression)
    assert accounts(plan) == {LB: ("", region)}


def test_a_provider_configuration_of_a_module() -> None:
    plan = Plan()
    plan.create("module.edge.aws_lb.web", name="web", load_balancer_type="application", internal=True)
    plan.call("module.edge", account=Ref("var.account_id"), place=Written(REGION))
    plan.variable("account_id", EDGE)
    plan.provider("module.edge:aws", region=Ref("var.place"), assume_role=[{"role_arn": Ref("var.account")}])
    plan.providers["module.edge:aws"]["module_address"] = "module.edge"
    plan.made_by("module.edge:aws", "module.edge.aws_lb.web")
    assert accounts(plan) == {"module.edge.aws_lb.web": (EDGE, "")}
    plan.call("module.edge", account=Ref("var.account_id"), place=REGION)
    assert accounts(plan) == {"module.edge.aws_lb.web": (EDGE, REGION)}


def two_accounts(**edge: Any) -> Plan:
    """A load balancer each of two provider configurations."""
    plan = load_balancer(load_balancer(Plan(region=REGION)), "edge")
    plan.provider("aws.edge", region=REGION, **edge)
    return made_by(plan, "aws.edge", "edge")


def test_two_accounts_by_their_roles() -> None:
    plan = two_accounts(assume_role=role(EDGE))
    # Whose credentials the other one has is not known.
    assert accounts(plan) == {LB: ("", REGION), "aws_lb.edge": (EDGE, REGION)}
    assert accounts(plan.provider("aws", region=REGION, assume_role=role(MAIN))) == {
        LB: (MAIN, REGION),
        "aws_lb.edge": (EDGE, REGION),
    }
    assert verdicts(plan, LB)["listeners"] == verdicts(plan, "aws_lb.edge")["listeners"] == "COMPLIANT"


def test_a_base_concerns_its_own_account() -> None:
    plan = two_accounts(assume_role=role(EDGE))
    assert accounts(plan, [saved(MAIN)]) == {LB: (MAIN, REGION), "aws_lb.edge": (EDGE, REGION)}
    assert accounts(plan, [saved(MAIN), saved(OTHER, "us-east-1")]) == accounts(plan, [saved(MAIN)])
    with pytest.raises(InvalidInputError, match=f"provider aws.*{MAIN} {REGION}, {OTHER} {REGION}"):
        accounts(plan, [saved(MAIN), saved(OTHER)])


def test_the_parts_of_a_load_balancer_are_in_its_account() -> None:
    """The default configuration may have the credentials of the same account."""
    plan = load_balancer(Plan(region=REGION))
    plan.provider("aws.deploy", region=REGION, assume_role=role(EDGE))
    plan.made_by("aws.deploy", "aws_lb.web", "aws_security_group.web")
    assert accounts(plan) == {LB: (EDGE, REGION)}
    assert verdicts(plan, LB)["listeners"] == "COMPLIANT"
    plan.made_by("aws", "aws_security_group.web").made_by("aws.deploy", "aws_vpc_security_group_ingress_rule.web")
    assert verdicts(plan, LB)["listeners"] == "COMPLIANT"


def test_what_is_not_known_may_belong_to_an_account_that_is_not_known_either() -> None:
    """A listener and a rule that a local value joins to some load balancer and group."""
    plan = load_balancer(Plan(region=REGION))
    plan.provider("aws.deploy", region=REGION, assume_role=role(EDGE))
    made_by(plan, "aws.deploy", "web")
    action: dict[str, Any] = {"type": "fixed-response", "target_group_arn": None, "forward": []}
    plan.create(
        "aws_lb_listener.more", load_balancer_arn=Ref("local.arn"), port=8443, protocol="HTTPS", default_action=[action]
    )
    plan.create("data.aws_ssm_parameter.arn", name="arn")
    plan.defer("data.aws_ssm_parameter.arn")
    assert judge_plan(plan)[LB, "listeners"].startswith("ERROR ")
    # Another account's listener is none of this load balancer.
    plan.provider("aws", region=REGION, assume_role=role(MAIN))
    assert verdicts(plan, LB)["listeners"] == "COMPLIANT"


def shared_vpc(*, is_open: bool) -> Plan:
    """One account shares its subnets, and another one has a load balancer and a service in them."""
    plan = load_balancer(Plan())
    plan.provider("aws.network", region=REGION, assume_role=role(MAIN))
    plan.provider("aws", region=REGION, assume_role=role(EDGE))
    plan.made_by("aws.network", "aws_vpc.web", "aws_subnet.web")
    plan.create("aws_security_group.app", name="app", vpc_id=Ref("aws_vpc.web.id"), ingress=COMPUTED, egress=COMPUTED)
    plan.create(
        "aws_lb_target_group.app",
        name="app",
        port=8080,
        protocol="HTTP",
        vpc_id=Ref("aws_vpc.web.id"),
        target_type="ip",
        health_check=[{"enabled": True, "port": "traffic-port"}],
    )
    plan.create(
        "aws_lb_listener_rule.app",
        listener_arn=Ref("aws_lb_listener.web.arn"),
        action=[{"type": "forward", "target_group_arn": Ref("aws_lb_target_group.app.arn"), "forward": []}],
    )
    plan.create(
        "aws_ecs_service.app",
        name="app",
        network_configuration=[
            {"security_groups": [Ref("aws_security_group.app.id")], "subnets": [Ref("aws_subnet.web.id")]}
        ],
        load_balancer=[{"target_group_arn": Ref("aws_lb_target_group.app.arn"), "container_port": 8080}],
    )
    for name, direction, owner in (("out", "egress", "web"), ("in", "ingress", "app")):
        plan.create(
            f"aws_vpc_security_group_{direction}_rule.{name}",
            security_group_id=Ref(f"aws_security_group.{owner}.id"),
            ip_protocol="tcp",
            from_port=8080,
            to_port=8080,
            # Nodes and tasks are in the subnet of the other account.
            cidr_ipv4="10.0.0.0/24" if is_open else "10.0.1.0/24",
        )
    return plan


@pytest.mark.parametrize(("is_open", "verdict"), [(True, "COMPLIANT"), (False, "NON_COMPLIANT")])
def test_a_shared_vpc(is_open: bool, verdict: str) -> None:
    plan = shared_vpc(is_open=is_open)
    assert accounts(plan) == {LB: (EDGE, REGION)}
    found = verdicts(plan, LB)
    assert found["listeners"] == "COMPLIANT"
    assert [found[about] for about in ("targets", "health checks", "nodes")] == [verdict] * 3


def test_a_rule_of_a_group_of_one_of_several_estates() -> None:
    """Of a resource that exists and whose provider configuration is gone, the group tells the account."""
    plan = Plan()
    plan.delete("aws_security_group_rule.old", "sgrule-1", type="ingress", security_group_id="sg-1", protocol="tcp")
    bases = [build(estate(group("sg-1"))), saved(OTHER, "us-east-1")]
    found = planned_estates(terraform_scenario(plan.document()), bases)
    assert [one.account_id for one in found.estates] == [MAIN, OTHER]


def by_region() -> Plan:
    """Load balancers of a provider configuration that has `for_each`, as OpenTofu has it."""
    plan = load_balancer(load_balancer(Plan(region=REGION)), "far")
    plan.provider("aws.by_region", region=Ref("each.value"))
    made_by(plan, "aws.by_region", "web")
    return made_by(plan, "aws.by_region", "far")


def test_a_provider_configuration_with_for_each_tells_no_region() -> None:
    plan = by_region()
    assert accounts(plan) == {LB: ("", ""), "aws_lb.far": ("", "")}
    assert verdicts(plan, LB)["listeners"] == "COMPLIANT"
    # The region of one is not that of another.
    arn = f"arn:aws:ec2:{REGION}:{MAIN}:vpc/vpc-1"
    plan.keep("aws_vpc.there", "vpc-1", arn=arn, cidr_block="10.0.0.0/16").made_by("aws.by_region", "aws_vpc.there")
    assert accounts(plan) == {LB: ("", ""), "aws_lb.far": ("", "")}


def test_a_provider_configuration_with_for_each_is_not_applied_to_a_base() -> None:
    """Which of its load balancers are of that region is not known."""
    assert accounts(by_region(), [saved(MAIN)]) == {LB: ("", ""), "aws_lb.far": ("", "")}


def test_a_document_without_providers_is_of_one_account() -> None:
    scenario = terraform_scenario(load_balancer(Plan(region=REGION)).document())
    assert scenario == Scenario(scenario.resources)
