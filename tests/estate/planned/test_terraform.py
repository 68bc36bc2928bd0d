"""Terraform plans: what they would make, and the verdict on every load balancer in them with its reason.

`C` is COMPLIANT, `N` NON_COMPLIANT, `-` NOT_APPLICABLE and `?` an error that names what is not known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Target
from alb_sg.estate.planned.planned_estate import planned_estates
from alb_sg.estate.planned.terraform import terraform_scenario
from alb_sg.estate.planned.terraform_references import parse_steps, traversals
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.estate.planned.judging import judge_plan, verdicts
from tests.estate.planned.plans import COMPUTED, Dynamic, Plan, Ref, Written
from tests.estate.planned.small_estates import LB_ARN, SmallEstate, as_estate, target_group_arn

SHORT = {"COMPLIANT": "C", "NON_COMPLIANT": "N", "NOT_APPLICABLE": "-", "ERROR": "?"}
ABOUT = ("listeners", "targets", "health checks", "icmp")
LB = "aws_lb.web"


def short(plan: Plan, address: str = LB) -> str:
    """The verdicts of a load balancer on listeners, targets, health checks and ICMP, a letter each."""
    found = verdicts(plan, address)
    return "".join(SHORT[found[about]] for about in ABOUT)


def error(plan: Plan, about: str, address: str = LB) -> str:
    text = judge_plan(plan)[address, about]
    assert text.startswith("ERROR ")
    return text.removeprefix("ERROR ")


def vpc(plan: Plan) -> Plan:
    plan.create("aws_vpc.main", cidr_block="10.0.0.0/16")
    return plan.create(
        "aws_subnet.a", vpc_id=Ref("aws_vpc.main.id"), cidr_block="10.0.1.0/24", ipv6_cidr_block=COMPUTED
    )


def security_group(plan: Plan, address: str, **values: Any) -> Plan:
    defaults = {
        "name": address.rpartition(".")[2],
        "vpc_id": Ref("aws_vpc.main.id"),
        "ingress": COMPUTED,
        "egress": COMPUTED,
    }
    return plan.create(address, **(defaults | values))


def rule(plan: Plan, name: str, direction: str, group: Any, **values: Any) -> Plan:
    """An `aws_vpc_security_group_…_rule`."""
    values = {"ip_protocol": "tcp"} | values
    return plan.create(f"aws_vpc_security_group_{direction}_rule.{name}", security_group_id=group, **values)


def cidr_block(protocol: str, first: int, last: int, *cidrs: str, **values: Any) -> dict[str, Any]:
    """An inline rule, with every attribute that the provider's schema has."""
    rest = {"ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": False, "description": ""}
    return {"protocol": protocol, "from_port": first, "to_port": last, "cidr_blocks": list(cidrs), **rest, **values}


def load_balancer(plan: Plan, address: str = LB, *, groups: Any = None, **values: Any) -> Plan:
    defaults = {
        "name": address.rpartition(".")[2],
        "internal": False,
        "load_balancer_type": "application",
        "ip_address_type": COMPUTED,
        "security_groups": [Ref("aws_security_group.alb.id")] if groups is None else groups,
        "subnets": [Ref("aws_subnet.a.id")],
        "vpc_id": COMPUTED,
        "tags": None,
    }
    return plan.create(address, **(defaults | values))


def listener(
    plan: Plan, port: int = 443, *, name: str = "https", lb: str = LB, group: str | None = "aws_lb_target_group.app"
) -> Plan:
    target = None if group is None else Ref(f"{group}.arn")
    action: dict[str, Any] = {
        "type": "redirect" if group is None else "forward",
        "target_group_arn": target,
        "forward": [],
    }
    return plan.create(
        f"aws_lb_listener.{name}",
        load_balancer_arn=Ref(f"{lb}.arn"),
        port=port,
        protocol="HTTPS",
        default_action=[action],
    )


def target_group(plan: Plan, address: str = "aws_lb_target_group.app", **values: Any) -> Plan:
    check = {"enabled": True, "port": "traffic-port", "path": "/"}
    defaults = {
        "name": address.rpartition(".")[2],
        "port": 8080,
        "protocol": "HTTP",
        "vpc_id": Ref("aws_vpc.main.id"),
        "target_type": "ip",
        "ip_address_type": COMPUTED,
        "health_check": [check],
    }
    return plan.create(address, **(defaults | values))


def service(plan: Plan, address: str = "aws_ecs_service.app", *, groups: Any = None, port: int = 8080) -> Plan:
    network = {
        "security_groups": [Ref("aws_security_group.app.id")] if groups is None else groups,
        "subnets": [Ref("aws_subnet.a.id")],
        "assign_public_ip": False,
    }
    balancer = {"target_group_arn": Ref("aws_lb_target_group.app.arn"), "container_name": "app", "container_port": port}
    return plan.create(
        address, name="app", launch_type="FARGATE", network_configuration=[network], load_balancer=[balancer]
    )


OPEN_443 = {"from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0", "cidr_ipv6": None}
OPEN_ICMP = {"ip_protocol": "icmp", "from_port": 3, "to_port": 4, "cidr_ipv4": "0.0.0.0/0"}
ALB_GROUP, APP_GROUP = Ref("aws_security_group.alb.id"), Ref("aws_security_group.app.id")


def web(plan: Plan | None = None) -> Plan:
    """A VPC, the groups of the load balancer and the service without rules, and everything that is joined to them."""
    plan = vpc(plan or Plan())
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.app")
    load_balancer(plan)
    listener(plan)
    target_group(plan)
    return service(plan)


def open_web() -> Plan:
    """The same with all rules that are recommended, each a resource of its own."""
    plan = web()
    rule(plan, "https", "ingress", ALB_GROUP, **OPEN_443)
    rule(plan, "icmp", "ingress", ALB_GROUP, **OPEN_ICMP)
    rule(plan, "alb", "ingress", APP_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=ALB_GROUP)
    return rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=APP_GROUP)


def test_a_listener_of_one_of_some_load_balancers() -> None:
    """With `for_each` over a map of ARNs, it may be each of these, and none of the others."""
    plan = open_web()
    load_balancer(plan, "aws_lb.one")
    load_balancer(plan, "aws_lb.two")
    listener(plan, 80, name="http", lb="each.value")
    plan.for_each("aws_lb_listener.http", "aws_lb.one.arn", "aws_lb.one", "aws_lb.two.arn", "aws_lb.two")
    plan.changes[-1]["change"]["after_unknown"]["load_balancer_arn"] = True
    assert short(plan) == "CCCC"
    assert "may be aws_lb.one, aws_lb.two" in error(plan, "listeners", "aws_lb.one")


def test_rules_that_are_resources_of_their_own() -> None:
    assert short(open_web()) == "CCCC"


def test_a_new_group_has_no_rules_unless_they_are_written() -> None:
    """Terraform removes the outbound rule that EC2 adds."""
    assert short(web()) == "NNNN"


def test_a_group_rule_of_the_older_kind() -> None:
    plan = web()
    plan.create(
        "aws_security_group_rule.https",
        type="ingress",
        security_group_id=ALB_GROUP,
        protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_blocks=["0.0.0.0/0"],
        ipv6_cidr_blocks=None,
        prefix_list_ids=None,
        self=False,
        source_security_group_id=COMPUTED,
    )
    plan.create(
        "aws_security_group_rule.app",
        type="egress",
        security_group_id=ALB_GROUP,
        protocol="tcp",
        from_port=8080,
        to_port=8080,
        cidr_blocks=None,
        ipv6_cidr_blocks=None,
        prefix_list_ids=None,
        self=False,
        source_security_group_id=APP_GROUP,
    )
    assert short(plan) == "CCCN"


def test_inline_rules() -> None:
    plan = vpc(Plan())
    inbound = [cidr_block("tcp", 443, 443, "0.0.0.0/0"), cidr_block("icmp", -1, -1, "0.0.0.0/0")]
    # Protocol -1 is written with ports 0.
    security_group(plan, "aws_security_group.alb", ingress=inbound, egress=[cidr_block("-1", 0, 0, "0.0.0.0/0")])
    security_group(plan, "aws_security_group.app")
    load_balancer(plan)
    listener(plan)
    target_group(plan)
    assert short(service(plan)) == "CCCC"


def with_egress(*rules: Any) -> Plan:
    """A service, a database, and a load balancer with these inline outbound rules."""
    plan = vpc(Plan())
    inbound = [cidr_block("tcp", 443, 443, "0.0.0.0/0")]
    security_group(plan, "aws_security_group.alb", ingress=inbound, egress=list(rules))
    security_group(plan, "aws_security_group.app")
    security_group(plan, "aws_security_group.database")
    load_balancer(plan)
    return service(target_group(listener(plan)))


TO_APP = cidr_block("tcp", 8080, 8080, security_groups=[APP_GROUP])
TO_DATABASE = cidr_block("tcp", 5432, 5432, security_groups=[Ref("aws_security_group.database.id")])


def test_an_inline_rule_for_the_group_of_the_service() -> None:
    """The configuration has one expression for all inline rules."""
    assert short(with_egress(TO_APP)) == "CCCN"
    assert short(with_egress(TO_APP, cidr_block("udp", 53, 53, "10.0.0.0/16"))) == "CCCN"


def test_inline_rules_for_several_groups() -> None:
    """It does not tell which rule has which of the groups."""
    plan = with_egress(TO_APP, TO_DATABASE)
    assert short(plan) == "C??N"
    assert "aws_security_group.alb.egress[0].security_groups" in error(plan, "targets")


def test_inline_rules_for_the_same_group() -> None:
    """The expression refers to it as often as there are rules whose groups are not known."""
    assert short(with_egress(TO_APP, cidr_block("tcp", 22, 22, security_groups=[APP_GROUP]))) == "CCCN"


@pytest.mark.parametrize("written", [TO_DATABASE, cidr_block("udp", 53, 53, "10.0.0.0/16")])
def test_an_inline_rule_of_a_dynamic_block(written: dict[str, Any]) -> None:
    """What it refers to is nowhere in the configuration, and nothing of the written rules tells it."""
    assert short(with_egress(written, Dynamic(TO_APP))) == "C??N"
    # The rule that is written is for the service, and the other one for the database on the service's port.
    to_database = cidr_block("tcp", 8080, 8080, security_groups=[Ref("aws_security_group.database.id")])
    to_app = cidr_block("tcp", 22, 22, security_groups=[APP_GROUP])
    assert short(with_egress(to_app, Dynamic(to_database))) == "C??N"


def test_a_dynamic_block_can_only_mean_the_other_group_of_the_module() -> None:
    plan = with_egress(cidr_block("udp", 53, 53, "10.0.0.0/16"), Dynamic(TO_APP))
    plan.changes = [one for one in plan.changes if one["address"] != "aws_security_group.database"]
    assert short(plan) == "CCCN"


@pytest.mark.parametrize(
    ("ingress", "verdict"),
    [
        # Only one argument is unknown, so that both groups are in it.
        ([cidr_block("tcp", 8080, 8080, security_groups=[Ref("aws_security_group.bastion.id"), ALB_GROUP])], "C"),
        # A condition of a `for` expression may leave some out.
        ([cidr_block("tcp", 8080, 8080, security_groups=[Ref("aws_security_group.others")])], "?"),
    ],
    ids=["list", "for expression"],
)
def test_an_inline_rule_for_two_groups(ingress: list[Any], verdict: str) -> None:
    plan = vpc(Plan())
    for name in ("alb", "bastion", "others[0]", "others[1]"):
        security_group(plan, f"aws_security_group.{name}")
    everybody = cidr_block("tcp", 443, 443, "0.0.0.0/0")
    security_group(plan, "aws_security_group.app", ingress=[everybody, *ingress])
    load_balancer(plan)
    assert nodes(service(target_group(listener(plan)))) == verdict


def test_an_inline_rule_that_is_unknown_as_a_whole() -> None:
    """As of `egress = [local.dns, module.rules.app]`: a plan has null in the place of the rule."""
    plan = with_egress(cidr_block("udp", 53, 53, "10.0.0.0/16"))
    [group] = [one["change"] for one in plan.changes if one["address"] == "aws_security_group.alb"]
    group["after"]["egress"].append(None)
    group["after_unknown"]["egress"] = [{}, True]
    assert short(plan) == "C??N"
    assert error(plan, "targets").endswith("known after apply: aws_security_group.alb.egress[1]")


def test_an_inline_rule_for_unknown_groups_on_another_port() -> None:
    """Whatever its groups are, it lets nothing through on port 8080."""
    plan = vpc(Plan())
    outbound = cidr_block("tcp", 5432, 5432, security_groups=[Ref("aws_security_group.database.id")])
    security_group(plan, "aws_security_group.alb", egress=[outbound])
    security_group(plan, "aws_security_group.app")
    security_group(plan, "aws_security_group.database")
    load_balancer(plan)
    listener(plan)
    target_group(plan)
    assert short(service(plan)) == "NNNN"


def test_groups_and_load_balancer_in_modules() -> None:
    plan = Plan()
    plan.create("module.network.aws_vpc.this[0]", cidr_block="10.0.0.0/16")
    plan.create('module.network.aws_subnet.public["a"]', vpc_id=Ref("aws_vpc.this[0].id"), cidr_block="10.0.0.0/24")
    plan.output("module.network", "vpc_id", Ref("aws_vpc.this[0].id"))
    plan.output("module.network", "public_subnets", Ref("aws_subnet.public"))
    plan.call("module.alb", vpc_id=Ref("module.network.vpc_id"), subnets=Ref("module.network.public_subnets"))
    plan.create(
        "module.alb.aws_security_group.this[0]", name="alb", vpc_id=Ref("var.vpc_id"), ingress=COMPUTED, egress=COMPUTED
    )
    plan.output("module.alb", "security_group_id", Ref("aws_security_group.this[0].id"))
    plan.output("module.alb", "target_group_arn", Ref('aws_lb_target_group.this["app"].arn'))
    load_balancer(
        plan, "module.alb.aws_lb.this[0]", groups=[Ref("aws_security_group.this[0].id")], subnets=[Ref("var.subnets")]
    )
    plan.create(
        'module.alb.aws_lb_target_group.this["app"]',
        name="app",
        port=8080,
        protocol="HTTP",
        target_type="ip",
        vpc_id=Ref("var.vpc_id"),
        health_check=[{"enabled": True, "port": "9090"}],
    )
    plan.create(
        'module.alb.aws_lb_listener.this["https"]',
        load_balancer_arn=Ref("aws_lb.this[0].arn"),
        port=443,
        protocol="HTTPS",
        default_action=[
            {"type": "forward", "target_group_arn": Ref("aws_lb_target_group.this", "each.value"), "forward": []}
        ],
    )
    plan.create(
        'module.alb.aws_vpc_security_group_ingress_rule.this["https"]',
        security_group_id=Ref("aws_security_group.this[0].id"),
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4="0.0.0.0/0",
    )
    plan.call("module.service", alb=Ref("module.alb.security_group_id"), subnets=Ref("module.network.public_subnets"))
    plan.call(
        "module.service", alb=Ref("module.alb.security_group_id"), target_group=Ref("module.alb.target_group_arn")
    )
    plan.create(
        "module.service.aws_security_group.tasks",
        name="tasks",
        vpc_id=Ref("var.vpc_id"),
        ingress=COMPUTED,
        egress=COMPUTED,
    )
    plan.create(
        "module.service.aws_ecs_service.this",
        name="app",
        network_configuration=[
            {"security_groups": [Ref("aws_security_group.tasks.id")], "subnets": Ref("var.subnets")}
        ],
        load_balancer=[{"target_group_arn": Ref("var.target_group"), "container_port": 8080}],
    )
    plan.create(
        "module.service.aws_vpc_security_group_egress_rule.from_alb",
        security_group_id=Ref("var.alb"),
        ip_protocol="tcp",
        from_port=8080,
        to_port=8080,
        referenced_security_group_id=Ref("aws_security_group.tasks.id"),
    )
    # The health check port 9090 is not open, and nothing is for ICMP.
    assert short(plan, "module.alb.aws_lb.this[0]") == "CCNN"


def paired(index: str, *keys: str) -> Plan:
    """Load balancers with a group and a listener each, which belong together by an index. The first one's is open."""
    plan = vpc(Plan())
    for key in keys:
        security_group(plan, f"aws_security_group.alb{key}")
        load_balancer(plan, f"aws_lb.web{key}", groups=[Ref("aws_security_group.alb", index)])
        plan.create(
            f"aws_lb_listener.https{key}",
            load_balancer_arn=Ref("aws_lb.web", index),
            port=443,
            protocol="HTTPS",
            default_action=[{"type": "fixed-response", "target_group_arn": None}],
        )
    return rule(plan, "https", "ingress", Ref(f"aws_security_group.alb{keys[0]}.id"), **OPEN_443)


def test_instances_of_one_resource_belong_together_by_their_key() -> None:
    """`aws_security_group.alb[each.key].id` is written without its index in a plan."""
    plan = paired("each.key", '["eu"]', '["us"]')
    assert short(plan, 'aws_lb.web["eu"]') == "C--N"
    assert short(plan, 'aws_lb.web["us"]') == "N--N"


@pytest.mark.parametrize("index", ["count.index", "each.value", "each.value.group", "local.groups"])
def test_another_index_than_the_key_does_not_tell_which_instance_it_is(index: str) -> None:
    """`count.index` may be `(count.index + 1) % 2`, and a value any key."""
    keys = ("[0]", "[1]") if index == "count.index" else ('["eu"]', '["us"]')
    plan = paired(index, *keys)
    for key in keys:
        # Whichever listener it is, it forwards to nothing.
        assert short(plan, f"aws_lb.web{key}") == "?--?"
    assert f"may be aws_security_group.alb{keys[0]}, aws_security_group.alb{keys[1]}" in error(
        plan, "icmp", f"aws_lb.web{keys[0]}"
    )


def test_a_local_map_beside_the_key() -> None:
    """`aws_security_group.alb[local.groups[each.key]].id` is not the group of that key."""
    plan = paired("each.key", '["eu"]', '["us"]')
    for one in plan.root["resources"]:
        if one["type"] == "aws_lb":
            one["expressions"]["security_groups"]["references"].append("local.groups")
    assert short(plan, 'aws_lb.web["eu"]') == short(plan, 'aws_lb.web["us"]') == "?--?"


def test_the_only_instance_is_meant_whatever_its_index_is() -> None:
    """`count = var.create ? 1 : 0`."""
    assert short(paired("count.index", "[0]"), "aws_lb.web[0]") == "C--N"


def numbered_instances(count: int, attached: int) -> Plan:
    """Instances with a group each, of which the load balancer reaches the first, and attachments by `count.index`."""
    plan = balanced(target_type="instance")
    for key in range(count):
        security_group(plan, f"aws_security_group.numbered[{key}]")
        groups = [Ref("aws_security_group.numbered", "count.index")]
        instance(plan, f"aws_instance.numbered[{key}]", vpc_security_group_ids=groups)
    for key in range(attached):
        attach(plan, f"[{key}]", Ref("aws_instance.numbered", "count.index"))
    numbered = Ref("aws_security_group.numbered[0].id")
    return rule(plan, "0", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=numbered)


def attach(plan: Plan, key: str, target: Ref) -> Plan:
    return plan.create(
        f"aws_lb_target_group_attachment.app{key}",
        target_group_arn=Ref("aws_lb_target_group.app.arn"),
        target_id=target,
        port=None,
    )


@pytest.mark.parametrize("attached", [1, 2])
def test_a_plan_does_not_show_what_is_added_to_an_index(attached: int) -> None:
    """`aws_instance.numbered[(count.index + 1) % 2].id` looks as without arithmetic, and the load balancer reaches the
    first one alone."""
    plan = numbered_instances(count=2, attached=attached)
    assert short(plan) == "N??N"
    assert "may be aws_instance.numbered[0], aws_instance.numbered[1]" in error(plan, "targets")
    assert short(numbered_instances(count=1, attached=1)) == "NCCN"


def test_a_target_that_is_one_of_several_instances_of_the_same_groups() -> None:
    """`for_each = { for i, one in aws_instance.app : i => one }` has other keys than the instances."""
    plan = balanced(target_type="instance")
    for key in (0, 1):
        instance(plan, f"aws_instance.app[{key}]")
        attach(plan, f'["{key}"]', Ref("each.value.id"))
    plan.for_each('aws_lb_target_group_attachment.app["0"]', "aws_instance.app")
    assert short(plan) == "NCCN"
    instance(plan, "aws_instance.app[2]", vpc_security_group_ids=["sg-0123456789abcdef0"])
    assert short(plan) == "N??N"


def test_a_rule_of_one_of_two_groups_concerns_no_others() -> None:
    """`for_each = { a = aws_security_group.a.id, b = aws_security_group.b.id }`: each key has one of them."""
    plan = open_web()
    for name in ("a", "b"):
        security_group(plan, f"aws_security_group.{name}")
        load_balancer(plan, f"aws_lb.{name}", groups=[Ref(f"aws_security_group.{name}.id")])
    for key in ("a", "b"):
        rule(plan, f'each["{key}"]', "ingress", Ref("each.value"), **OPEN_ICMP)
    expression = "aws_security_group.a.id", "aws_security_group.a", "aws_security_group.b.id", "aws_security_group.b"
    plan.for_each('aws_vpc_security_group_ingress_rule.each["a"]', *expression)
    assert short(plan, "aws_lb.a") == short(plan, "aws_lb.b") == "---?"
    load_balancer(
        security_group(plan, "aws_security_group.other"), "aws_lb.o", groups=[Ref("aws_security_group.other.id")]
    )
    assert short(plan, "aws_lb.o") == "---N"


def test_a_rule_of_a_group_that_may_be_any() -> None:
    """The group of a data source that is read later may be one of the estate that exists, too."""
    plan = open_web().defer("data.aws_security_group.some")
    rule(plan, "some", "ingress", Ref("data.aws_security_group.some.id"), **OPEN_ICMP)
    load_balancer(
        security_group(plan, "aws_security_group.other"), "aws_lb.o", groups=[Ref("aws_security_group.other.id")]
    )
    assert short(plan, "aws_lb.o") == "---?"
    load_balancer(plan, "aws_lb.p", groups=["sg-0"])
    assert verdicts(plan, "aws_lb.p", [as_estate(SMALL_ESTATE)])["icmp"] == "ERROR"


def test_a_rule_of_a_group_that_may_be_any_lets_nothing_but_its_own_traffic_through() -> None:
    """The group is not known, and the rule is: an HTTPS rule opens no group to ICMP."""
    plan = open_web().defer("data.aws_security_group.some")
    rule(plan, "some", "ingress", Ref("data.aws_security_group.some.id"), **OPEN_443)
    security_group(plan, "aws_security_group.other")
    load_balancer(plan, "aws_lb.o", groups=[Ref("aws_security_group.other.id")])
    listener(plan, name="o", lb="aws_lb.o", group=None)
    assert short(plan, "aws_lb.o") == "?--N"


def test_the_subnets_of_an_object_are_in_one_vpc() -> None:
    """`module.net.all.subnets`: a plan does not show which part of the object it is."""
    plan = Plan()
    plan.create("module.net.aws_vpc.main", cidr_block="10.0.0.0/16")
    for key in (0, 1):
        subnet = {"vpc_id": Ref("aws_vpc.main.id"), "cidr_block": f"10.0.{key}.0/24", "ipv6_cidr_block": COMPUTED}
        plan.create(f"module.net.aws_subnet.s[{key}]", **subnet)
    plan.output("module.net", "all", Ref("aws_subnet.s", "aws_vpc.main.id"))
    security_group(plan, "aws_security_group.alb", vpc_id=Ref("module.net.all.vpc_id"))
    load_balancer(plan, internal=True, subnets=Ref("module.net.all.subnets"))
    rule(plan, "icmp", "ingress", ALB_GROUP, **OPEN_ICMP | {"cidr_ipv4": "10.0.0.0/16"})
    assert short(plan) == "---C"


def test_a_null_of_a_variable_is_as_if_it_were_left_out() -> None:
    """The value is unknown because the provider computes it: the expression depends on what is known."""
    plan = Plan().default("module.alb", "ip_address_type", None).call("module.alb", groups=ALB_GROUP)
    security_group(vpc(plan), "aws_security_group.alb")
    values = {"groups": Ref("var.groups"), "subnets": ["subnet-1"], "ip_address_type": Ref("var.ip_address_type")}
    load_balancer(plan, "module.alb.aws_lb.this", **values)
    assert short(plan, "module.alb.aws_lb.this") == "---N"
    plan.call("module.alb", groups=ALB_GROUP, ip_address_type=Ref("aws_lb.other.ip_address_type"))
    assert short(plan, "module.alb.aws_lb.this") == "---?"


def two_target_groups(*actions: Ref) -> Plan:
    """A load balancer that reaches port 8080 of everything, and rules whose actions forward to one of two groups."""
    plan = balanced()
    rule(plan, "all", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="0.0.0.0/0")
    service(plan)
    target_group(plan, "aws_lb_target_group.other")
    plan.create(
        "aws_lb_target_group_attachment.other",
        target_group_arn=Ref("aws_lb_target_group.other.arn"),
        target_id="10.0.1.9",
        port=None,
    )
    for index, action in enumerate(actions):
        plan.create(
            f"aws_lb_listener_rule.r{index}",
            listener_arn=Ref("each.value.listener", "aws_lb_listener.https.arn", "aws_lb_listener.http.arn"),
            action=[{"type": "forward", "target_group_arn": action}],
        )
    return plan


EITHER = Ref("local.key", "aws_lb_target_group.app.arn", "aws_lb_target_group.other.arn")


def test_a_rule_of_one_of_the_listeners_of_a_load_balancer() -> None:
    """Whichever it is, the load balancer uses the target group."""
    plan = listener(two_target_groups(Ref("aws_lb_target_group.other.arn")), 80, name="http", group=None)
    assert short(plan) == "NCCN"
    plan = two_target_groups(Ref("aws_lb_target_group.other.arn"))
    security_group(plan, "aws_security_group.x")
    load_balancer(plan, "aws_lb.x", groups=[Ref("aws_security_group.x.id")])
    listener(plan, 80, name="http", lb="aws_lb.x", group=None)
    assert short(plan) == "NCCN"
    # Its group lets nothing out, and it need not be the one.
    assert short(plan, "aws_lb.x") == "N??N"


def test_target_groups_of_which_a_load_balancer_uses_one() -> None:
    """It is COMPLIANT if it reaches the targets of both, and not judged if it does not reach all of one."""
    plan = listener(two_target_groups(EITHER), 80, name="http", group=None)
    assert short(plan) == "NCCN"
    plan.create(
        "aws_lb_target_group_attachment.more",
        target_group_arn=Ref("aws_lb_target_group.other.arn"),
        target_id="10.0.1.9",
        port=9999,
    )
    assert short(plan) == "N??N"
    # What lacks for the one that it certainly uses is missing.
    plan.create(
        "aws_lb_target_group_attachment.app",
        target_group_arn=Ref("aws_lb_target_group.app.arn"),
        target_id="10.0.1.9",
        port=9999,
    )
    assert short(plan) == "NNNN"


def test_a_target_port_that_is_not_known_may_be_open_at_the_target() -> None:
    plan = instance(balanced(target_type="instance"), "aws_instance.app")
    attach(plan, "", Ref("aws_instance.app.id"))
    plan.changes[-1]["change"]["after_unknown"]["port"] = True
    plan.root["resources"][-1]["expressions"]["port"] = {"references": ["aws_eip.a.id"]}
    rule(plan, "some", "ingress", APP_GROUP, from_port=8000, to_port=9000, referenced_security_group_id=ALB_GROUP)
    assert nodes(plan) == "?"
    rule(plan, "all", "ingress", APP_GROUP, ip_protocol="-1", referenced_security_group_id=ALB_GROUP)
    assert nodes(plan) == "C"


def test_for_each_over_another_resource() -> None:
    """`each.value.id` is the instance of the same key."""
    plan = vpc(Plan())
    for key in ("a", "b"):
        security_group(plan, f'aws_security_group.alb["{key}"]')
        load_balancer(plan, f'aws_lb.web["{key}"]', groups=[Ref("each.value.id")])
        plan.for_each(f'aws_lb.web["{key}"]', "aws_security_group.alb")
    rule(plan, "icmp", "ingress", Ref('aws_security_group.alb["b"].id'), **OPEN_ICMP)
    assert short(plan, 'aws_lb.web["a"]') == "---N"
    assert short(plan, 'aws_lb.web["b"]') == "---C"


@pytest.mark.parametrize(
    "references",
    [
        # `aws_security_group.s[*].id`, `[for one in aws_security_group.s : one.id if one.name == "b"]`,
        # `slice(aws_security_group.s[*].id, 0, 1)`, `element(…)` and `one(…)` look alike.
        ["aws_security_group.s"],
        # `setsubtract(aws_security_group.s[*].id, [aws_security_group.s["a"].id])`, which is the other one.
        ["aws_security_group.s", 'aws_security_group.s["a"].id', 'aws_security_group.s["a"]', "aws_security_group.s"],
        # `setsubtract([aws_security_group.s["a"].id, aws_security_group.s["b"].id], [aws_security_group.s["a"].id])`
        [
            *Ref(
                'aws_security_group.s["a"].id', 'aws_security_group.s["b"].id', 'aws_security_group.s["a"].id'
            ).references
        ],
        # `[for one in [aws_security_group.c, aws_security_group.d] : one.id if one.name == "d"]`
        ["aws_security_group.c", "aws_security_group.d"],
        # `length(aws_security_group.none) > 0 ? aws_security_group.s["a"].id : aws_security_group.s["b"].id`
        ["aws_security_group.none", *Ref('aws_security_group.s["a"].id', 'aws_security_group.s["b"].id').references],
        # `terraform.workspace == "x" ? aws_security_group.s["a"].id : aws_security_group.s["b"].id`
        ["terraform.workspace", *Ref('aws_security_group.s["a"].id', 'aws_security_group.s["b"].id').references],
    ],
    ids=["splat", "without one", "without one of two", "for", "length", "condition"],
)
def test_a_part_of_several_groups(references: list[str]) -> None:
    plan = vpc(Plan())
    for name in ('s["a"]', 's["b"]', "c", "d"):
        security_group(plan, f"aws_security_group.{name}")
    load_balancer(plan, groups=COMPUTED)
    plan.root["resources"][-1]["expressions"]["security_groups"] = {"references": references}
    for number, name in enumerate(('s["a"]', "c")):
        rule(plan, f"icmp{number}", "ingress", Ref(f"aws_security_group.{name}.id"), **OPEN_ICMP)
    assert short(plan) == "---?"
    first = "c, aws_security_group.d" if "aws_security_group.c" in references else 's["a"], aws_security_group.s["b"]'
    assert f"may be aws_security_group.{first}" in error(plan, "icmp")


def test_a_part_of_several_groups_through_a_variable() -> None:
    """`slice(var.groups, 0, 1)` looks like `var.groups`."""
    plan = vpc(Plan())
    for key in ("a", "b"):
        security_group(plan, f"aws_security_group.{key}")
    plan.call("module.web", groups=Ref("aws_security_group.a.id", "aws_security_group.b.id"))
    load_balancer(plan, "module.web.aws_lb.this", groups=[Ref("var.groups")], subnets=["subnet-1"])
    rule(plan, "icmp", "ingress", Ref("aws_security_group.b.id"), **OPEN_ICMP)
    assert short(plan, "module.web.aws_lb.this") == "---?"


def groups_of_modules(*more: str) -> Plan:
    """The groups of two modules, whose outputs also refer to these."""
    plan = vpc(Plan())
    for name in ("a", "b"):
        plan.call(f"module.{name}", vpc_id=Ref("aws_vpc.main.id"))
        security_group(plan, f"module.{name}.aws_security_group.this[0]", vpc_id=Ref("var.vpc_id"))
        plan.output(f"module.{name}", "id", Ref("aws_security_group.this[0].id", *more))
    load_balancer(plan, groups=[Ref("module.a.id"), Ref("module.b.id")])
    return plan.create(
        "module.b.aws_vpc_security_group_ingress_rule.icmp",
        security_group_id=Ref("aws_security_group.this[0].id"),
        **OPEN_ICMP,
    )


def test_groups_that_modules_may_have() -> None:
    """`id = var.create ? aws_security_group.this[0].id : null` may be nothing."""
    assert short(groups_of_modules()) == "---C"
    assert short(groups_of_modules("var.create")) == "---?"
    # `try(aws_security_group.this[0].id, aws_security_group.prefixed[0].id)`, of which the latter is not created.
    assert short(groups_of_modules("aws_security_group.prefixed[0].id")) == "---C"


def test_groups_that_are_written_one_by_one() -> None:
    plan = vpc(Plan())
    for key in (0, 1):
        security_group(plan, f"aws_security_group.alb[{key}]")
    load_balancer(plan, groups=[Ref("aws_security_group.alb[0].id"), Ref("aws_security_group.alb[1].id")])
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("aws_security_group.alb[1].id"), **OPEN_443)
    rule(plan, "icmp", "ingress", Ref("aws_security_group.alb[0].id"), **OPEN_ICMP)
    assert short(plan) == "C--C"


def test_a_local_value_that_can_only_be_one_resource() -> None:
    """A plan has no local values. The module has one group, so that its unknown group is that one."""
    plan = vpc(Plan())
    plan.call("module.group", vpc_id=Ref("aws_vpc.main.id"))
    plan.create(
        "module.group.aws_security_group.this_name_prefix[0]",
        vpc_id=Ref("var.vpc_id"),
        ingress=COMPUTED,
        egress=COMPUTED,
    )
    for number, port in enumerate((443, 80)):
        plan.create(
            f"module.group.aws_security_group_rule.ingress[{number}]",
            type="ingress",
            security_group_id=Ref("local.this_sg_id"),
            protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_blocks=["0.0.0.0/0"],
            self=False,
        )
    plan.output("module.group", "security_group_id", Ref("aws_security_group.this_name_prefix[0].id", "var.create"))
    load_balancer(plan, groups=[Ref("module.group.security_group_id")])
    listener(plan, group=None)
    assert short(plan) == "C--N"


def test_a_local_value_that_may_be_one_of_several_resources() -> None:
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.app")
    load_balancer(plan)
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("local.group"), **OPEN_443)
    # The rule opens one of the groups; nothing opens ICMP.
    assert short(plan) == "?--N"
    assert "local.group, which a plan does not show" in error(plan, "listeners")


def test_a_list_through_a_local_value_may_have_more_elements() -> None:
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, groups=Ref("local.groups"))
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("aws_security_group.alb.id"), **OPEN_443)
    # The group is among them, and opens the port. Another one may open ICMP.
    assert short(plan) == "C--?"


def test_a_local_value_does_not_depend_on_what_uses_it() -> None:
    """`count = local.create ? 1 : 0`: the local value depends on none of the groups that it makes, and on nothing that
    refers to them, because Terraform refuses circles. The rule for `each.value` of another local value may be one of
    the load balancer itself."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    plan.count("aws_security_group.alb", "local.create")
    security_group(plan, "aws_security_group.app")
    load_balancer(plan)
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("local.create", "aws_security_group.app.id"), **OPEN_443)
    assert short(plan) == "N--N"
    rule(plan, "more", "ingress", Ref("local.other", "aws_security_group.app.id"), **OPEN_443)
    assert short(plan) == "?--N"


def test_a_local_value_does_not_depend_on_what_refers_to_its_users() -> None:
    plan = vpc(Plan())
    plan.depends_on("aws_vpc.main", "local.create")
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan)
    listener(plan, group=None)
    # The group is in the VPC, which depends on the local value.
    rule(plan, "https", "ingress", Ref("local.create", "var.given"), **OPEN_443)
    plan.variable("given", "sg-0123456789abcdef0")
    assert short(plan) == "N--N"


DEFAULT_GROUP = {"cidr_block": "10.9.0.0/16", "default_security_group_id": COMPUTED}


@pytest.mark.parametrize(
    ("relevant", "expected"),
    [
        # The plan refers to the default group, so the local value may be that group.
        ([{"resource": "aws_vpc.other", "attribute": ["default_security_group_id"]}], "?--?"),
        ([{"resource": "aws_vpc.other", "attribute": []}], "?--?"),
        # Nothing does.
        ([{"resource": "aws_vpc.other", "attribute": ["id"]}], "C--?"),
        # Plans of format 0.2 do not say it.
        (None, "?--?"),
    ],
)
def test_a_local_value_that_may_be_the_default_group_of_a_vpc(relevant: Any, expected: str) -> None:
    plan = vpc(Plan()).create("aws_vpc.other", **DEFAULT_GROUP)
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, groups=Ref("local.groups"))
    listener(plan, group=None)
    rule(plan, "https", "ingress", ALB_GROUP, **OPEN_443)
    plan.extra["relevant_attributes"] = relevant
    assert short(plan) == expected


@pytest.mark.parametrize(
    ("data", "attributes", "expected"),
    [
        # The identifier of a VPC is that of no group.
        ("aws_subnet", [["vpc_id"]], "C--?"),
        # Nothing refers to it.
        ("aws_subnet", [], "C--?"),
        # A tag may name a group.
        ("aws_subnet", [["vpc_id"], ["tags", "group"]], "?--?"),
        ("aws_security_group", [["id"]], "?--?"),
        # The whole data source is passed on.
        ("aws_subnet", [[]], "?--?"),
    ],
)
def test_a_local_value_that_may_be_read_while_the_plan_is_applied(
    data: str, attributes: list[list[str]], expected: str
) -> None:
    plan = vpc(Plan()).defer(f"data.{data}.some")
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, groups=Ref("local.groups"))
    listener(plan, group=None)
    rule(plan, "https", "ingress", ALB_GROUP, **OPEN_443)
    used = [{"resource": f"data.{data}.some", "attribute": one} for one in attributes]
    plan.extra["relevant_attributes"] = [{"resource": "aws_subnet.a", "attribute": ["id"]}, *used]
    assert short(plan) == expected


def test_a_local_value_that_may_be_the_computed_groups_of_an_instance() -> None:
    """An instance without groups gets the default one, and the provider tells its identifier."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    plan.create("aws_instance.other", subnet_id=Ref("aws_subnet.a.id"), vpc_security_group_ids=COMPUTED)
    load_balancer(plan, groups=Ref("local.groups"))
    listener(plan, group=None)
    rule(plan, "https", "ingress", ALB_GROUP, **OPEN_443)
    assert short(plan) == "?--?"
    plan.extra["relevant_attributes"] = [{"resource": "aws_instance.other", "attribute": ["id"]}]
    assert short(plan) == "C--?"
    # An instance that uses the local value does not make it.
    plan.extra.clear()
    plan.count("aws_instance.other", "local.groups")
    assert short(plan) == "C--?"


def test_local_values_of_two_modules_that_refer_to_each_other() -> None:
    """`local.groups` holds a group of the root module and an output of the child, which is given the former: no circle
    to Terraform. Following the first load balancer's groups leads from `local.groups` through the child back to it."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.closed")
    load_balancer(plan, groups=[Ref("local.groups")])
    plan.call("module.child", group=Ref("local.groups"), vpc_id=Ref("aws_vpc.main.id"), subnet=Ref("aws_subnet.a.id"))
    plan.output("module.child", "own", Ref("aws_security_group.open.id"))
    plan.output("module.child", "given", Ref("local.given"))
    security_group(
        plan,
        "module.child.aws_security_group.open",
        vpc_id=Ref("var.vpc_id"),
        ingress=[cidr_block("-1", 0, 0, "0.0.0.0/0")],
    )
    load_balancer(plan, "module.child.aws_lb.web", groups=[Ref("local.given")], subnets=[Ref("var.subnet")])
    # It may have the closed group.
    assert short(plan) == short(plan, "module.child.aws_lb.web") == "---?"


def test_an_attribute_that_names_a_group_is_no_target_group() -> None:
    """A list of objects, of which the default group of a VPC is another element, has one target group."""
    plan = open_web().create("aws_vpc.other", **DEFAULT_GROUP)
    target_group(plan, "aws_lb_target_group.more")
    mixed = Ref("var.key", "aws_lb_target_group.more.arn", "aws_vpc.other.default_security_group_id")
    listener_rule = {"type": "forward", "target_group_arn": mixed, "forward": []}
    plan.create("aws_lb_listener_rule.more", listener_arn=Ref("aws_lb_listener.https.arn"), action=[listener_rule])
    assert short(plan) == "CCCC"


def test_a_choice_by_a_variable() -> None:
    """`var.own ? aws_security_group.alb.id : aws_security_group.shared.id`: which one is not known."""
    plan = vpc(Plan())
    plan.variable("own", True)
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.shared")
    load_balancer(plan, groups=[Ref("var.own", "aws_security_group.alb.id", "aws_security_group.shared.id")])
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("aws_security_group.alb.id"), **OPEN_443)
    assert short(plan) == "?--?"
    assert "may be aws_security_group.alb, aws_security_group.shared" in error(plan, "listeners")


def test_a_choice_of_which_one_side_is_not_created() -> None:
    """`count = 0` leaves one resource: an unknown group can only be that one."""
    plan = vpc(Plan())
    plan.variable("own", True)
    security_group(plan, "aws_security_group.alb[0]")
    load_balancer(plan, groups=[Ref("var.own", "aws_security_group.alb[0].id", "aws_security_group.shared[0].id")])
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("aws_security_group.alb[0].id"), **OPEN_443)
    assert short(plan) == "C--N"


def test_a_group_of_a_variable_beside_a_new_one() -> None:
    """`concat([aws_security_group.alb.id], var.more)`: the variable's group is outside the plan."""
    plan = vpc(Plan())
    plan.variable("more", ["sg-0123456789abcdef0"])
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, groups=Ref("aws_security_group.alb.id", "var.more"))
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("aws_security_group.alb.id"), **OPEN_443)
    assert short(plan) == "C--?"


def test_a_group_that_is_known_and_outside_the_plan() -> None:
    plan = load_balancer(vpc(Plan()), groups=["sg-0123456789abcdef0"])
    listener(plan, group=None)
    assert short(plan) == "?--?"
    assert "sg-0123456789abcdef0" in error(plan, "listeners")
    assert "judge over the account with --region" in error(plan, "listeners")


def test_a_rule_for_a_group_outside_the_plan() -> None:
    """What a known rule lets through is let through, whatever else the group has."""
    plan = load_balancer(vpc(Plan()), groups=["sg-0123456789abcdef0"])
    listener(plan, group=None)
    rule(plan, "https", "ingress", "sg-0123456789abcdef0", **OPEN_443)
    assert short(plan) == "C--?"


def internal(plan: Plan, **values: Any) -> Plan:
    """An internal load balancer in a VPC that another state holds."""
    security_group(plan, "aws_security_group.alb", vpc_id="vpc-0123456789abcdef0")
    load_balancer(plan, internal=True, subnets=["subnet-0123456789abcdef0"], **values)
    return listener(plan, group=None)


def test_the_blocks_of_a_vpc_outside_the_plan() -> None:
    plan = internal(Plan())
    rule(plan, "https", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4="10.0.0.0/8")
    # 10.0.0.0/8 may hold the VPC or not. For ICMP nothing is open, and every VPC has a block.
    assert short(plan) == "?--N"
    assert "subnet-0123456789abcdef0" in error(plan, "listeners")


def test_a_group_that_is_open_to_everybody_is_open_to_every_vpc() -> None:
    plan = internal(Plan())
    rule(plan, "https", "ingress", ALB_GROUP, **OPEN_443)
    rule(plan, "icmp", "ingress", ALB_GROUP, **OPEN_ICMP)
    assert short(plan) == "C--C"


def test_the_data_source_of_a_vpc_tells_its_blocks() -> None:
    plan = Plan()
    blocks = [
        {"cidr_block": "10.1.0.0/16", "state": "associated"},
        {"cidr_block": "10.9.0.0/16", "state": "disassociated"},
    ]
    plan.read("data.aws_vpc.main", id="vpc-1", cidr_block="10.1.0.0/16", cidr_block_associations=blocks)
    plan.read("data.aws_subnet.a", id="subnet-1", vpc_id="vpc-1", cidr_block="10.1.1.0/24")
    security_group(plan, "aws_security_group.alb", vpc_id="vpc-1")
    load_balancer(plan, internal=True, subnets=["subnet-1"])
    listener(plan, group=None)
    rule(plan, "https", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4="10.1.0.0/16")
    assert short(plan) == "C--N"


def test_a_vpc_that_exists_may_have_further_blocks() -> None:
    """The resource of a VPC has its first block only; others may be of another state."""
    plan = Plan()
    plan.keep("aws_vpc.main", "vpc-1", cidr_block="10.1.0.0/16")
    plan.keep("aws_subnet.a", "subnet-1", vpc_id="vpc-1", cidr_block="10.1.1.0/24")
    security_group(plan, "aws_security_group.alb", vpc_id="vpc-1")
    load_balancer(plan, internal=True, subnets=["subnet-1"])
    listener(plan, group=None)
    rule(plan, "https", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4="10.1.0.0/16")
    assert short(plan) == "?--N"


def test_blocks_that_are_associated_with_a_new_vpc() -> None:
    plan = vpc(Plan())
    plan.create("aws_vpc_ipv4_cidr_block_association.more", vpc_id=Ref("aws_vpc.main.id"), cidr_block="10.7.0.0/16")
    security_group(plan, "aws_security_group.alb")
    # The subnet's VPC is that of the association, as modules write it to wait for the block.
    plan.create("aws_subnet.b", vpc_id=Ref("aws_vpc_ipv4_cidr_block_association.more.vpc_id"), cidr_block="10.7.1.0/24")
    load_balancer(plan, internal=True, subnets=[Ref("aws_subnet.b.id")])
    listener(plan, group=None)
    rule(plan, "first", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4="10.0.0.0/16")
    assert short(plan) == "N--N"
    rule(plan, "second", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4="10.7.0.0/16")
    assert short(plan) == "C--N"


def test_a_block_that_ipam_chooses() -> None:
    plan = Plan()
    plan.create("aws_vpc.main", cidr_block=COMPUTED, ipv4_ipam_pool_id="ipam-pool-1", ipv4_netmask_length=20)
    plan.create("aws_subnet.a", vpc_id=Ref("aws_vpc.main.id"), cidr_block=Ref("aws_vpc.main.cidr_block"))
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, internal=True)
    listener(plan, group=None)
    # `cidr_ipv4 = aws_vpc.main.cidr_block` names the block that the load balancer needs, and its value is not known.
    rule(plan, "https", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4=Ref("aws_vpc.main.cidr_block"))
    assert short(plan) == "?--N"


def test_targets_get_addresses_of_their_subnets() -> None:
    plan = web()
    rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.1.0/24")
    assert short(plan) == "NCCN"
    plan = web()
    rule(plan, "elsewhere", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.9.0.0/16")
    assert short(plan) == "NNNN"
    plan = web()
    # A part of the subnet: an address of it may be open or not.
    rule(plan, "part", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.1.0/25")
    assert short(plan) == "N??N"
    assert "aws_ecs_service.app" in error(plan, "targets")


def test_a_sensitive_value_is_not_known() -> None:
    plan = web()
    rule(plan, "https", "ingress", ALB_GROUP, **(OPEN_443 | {"cidr_ipv4": "198.51.100.7/32"}))
    plan.changes[-1]["change"]["after_sensitive"] = {"cidr_ipv4": True}
    assert short(plan) == "?NNN"
    assert "is sensitive" in error(plan, "listeners")
    assert "198.51.100.7" not in error(plan, "listeners")


def test_a_data_source_that_is_read_while_the_plan_is_applied() -> None:
    plan = vpc(Plan()).defer("data.aws_security_group.shared")
    load_balancer(plan, groups=[Ref("data.aws_security_group.shared.id")])
    listener(plan, group=None)
    assert short(plan) == "?--?"
    assert "data.aws_security_group.shared" in error(plan, "listeners")


def test_a_data_source_that_is_read_again_while_the_plan_is_applied() -> None:
    """What it said earlier does not count."""
    entries = {"address_family": "IPv4", "name": "everybody", "entries": [{"cidr": "0.0.0.0/0"}]}
    plan = vpc(Plan()).read("data.aws_ec2_managed_prefix_list.all", id="pl-0123456789abcdef0", **entries)
    load_balancer(security_group(plan, "aws_security_group.alb"))
    rule(
        plan, "icmp", "ingress", ALB_GROUP, **OPEN_ICMP | {"cidr_ipv4": None, "prefix_list_id": "pl-0123456789abcdef0"}
    )
    assert short(plan) == "---C"
    assert short(plan.defer("data.aws_ec2_managed_prefix_list.all")) == "---?"


def test_a_load_balancer_without_groups_gets_the_default_group_of_its_vpc() -> None:
    plan = vpc(Plan())
    load_balancer(plan, groups=COMPUTED)
    listener(plan, group=None)
    # That of a new VPC is open to its own members alone.
    assert short(plan) == "N--N"
    plan.create("aws_default_security_group.main", vpc_id=Ref("aws_vpc.main.id"), ingress=COMPUTED, egress=COMPUTED)
    rule(plan, "https", "ingress", Ref("aws_default_security_group.main.id"), **OPEN_443)
    assert short(plan) == "C--N"


def test_a_load_balancer_without_groups_in_a_vpc_outside_the_plan() -> None:
    plan = load_balancer(Plan(), groups=COMPUTED, subnets=["subnet-0123456789abcdef0"])
    listener(plan, group=None)
    assert short(plan) == "?--?"
    assert "default of VPC" in error(plan, "icmp")


def existing(ingress: list[dict[str, Any]], **values: Any) -> Plan:
    """A load balancer, its group and VPC, all applied before."""
    plan = Plan()
    blocks = [{"cidr_block": "10.1.0.0/16", "state": "associated"}]
    plan.read("data.aws_vpc.main", id="vpc-1", cidr_block="10.1.0.0/16", cidr_block_associations=blocks)
    group = {"name": "alb", "vpc_id": "vpc-1", "ingress": ingress, "egress": []}
    plan.keep("aws_security_group.alb", "sg-1", **group)
    plan.keep(
        LB,
        ARN,
        name="web",
        internal=False,
        load_balancer_type="application",
        ip_address_type="ipv4",
        security_groups=["sg-1"],
        subnets=["subnet-1"],
        vpc_id="vpc-1",
        **values,
    )
    return plan.keep(
        "aws_lb_listener.https",
        LISTENER_ARN,
        load_balancer_arn=ARN,
        port=443,
        protocol="HTTPS",
        default_action=[{"type": "redirect", "target_group_arn": ""}],
    )


PREFIX = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
ARN, LISTENER_ARN = f"{PREFIX}:loadbalancer/app/web/1", f"{PREFIX}:listener/app/web/1/2"
TO_EVERYBODY = cidr_block("tcp", 443, 443, "0.0.0.0/0")


def test_rules_that_were_refreshed_count() -> None:
    """Those of an unchanged group stand in the plan, also those that other tools made."""
    assert short(existing([TO_EVERYBODY]), ARN) == "C--N"
    assert short(existing([]), ARN) == "N--N"


def test_a_rule_that_is_added_to_a_group_and_one_that_is_taken_away() -> None:
    plan = existing([TO_EVERYBODY, cidr_block("icmp", 3, 4, "0.0.0.0/0")])
    plan.delete(
        "aws_vpc_security_group_ingress_rule.https", "sgr-1", security_group_id="sg-1", ip_protocol="tcp", **OPEN_443
    )
    assert short(plan, ARN) == "N--C"
    rule(plan, "again", "ingress", "sg-1", **OPEN_443)
    assert short(plan, ARN) == "C--C"


def test_one_of_the_blocks_of_a_grouped_rule_is_taken_away() -> None:
    """EC2 and the provider group rules of one protocol and port."""
    plan = existing([cidr_block("tcp", 443, 443, "0.0.0.0/1", "128.0.0.0/1")])
    assert short(plan, ARN) == "C--N"
    half = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": "128.0.0.0/1"}
    plan.delete("aws_vpc_security_group_ingress_rule.half", "sgr-1", security_group_id="sg-1", **half)
    assert short(plan, ARN) == "N--N"


def test_a_rule_that_is_replaced() -> None:
    plan = existing([TO_EVERYBODY])
    narrow = OPEN_443 | {"cidr_ipv4": "198.51.100.0/24"}
    before = {"security_group_id": "sg-1", "ip_protocol": "tcp", **OPEN_443}
    plan.replace(
        "aws_vpc_security_group_ingress_rule.https",
        "sgr-1",
        before,
        security_group_id="sg-1",
        ip_protocol="tcp",
        **narrow,
    )
    assert short(plan, ARN) == "N--N"


def test_a_replaced_group_loses_its_rules() -> None:
    plan = existing([TO_EVERYBODY])
    plan.changes = [one for one in plan.changes if one["address"] not in ("aws_security_group.alb", LB)]
    plan.root["resources"] = [one for one in plan.root["resources"] if one["type"] != "aws_security_group"]
    before = {"name": "alb", "vpc_id": "vpc-1", "ingress": [TO_EVERYBODY], "egress": []}
    plan.replace(
        "aws_security_group.alb", "sg-1", before, name="alb2", vpc_id="vpc-1", ingress=COMPUTED, egress=COMPUTED
    )
    plan.root["resources"] = [one for one in plan.root["resources"] if one["address"] != LB]
    old = {
        "name": "web",
        "internal": False,
        "load_balancer_type": "application",
        "security_groups": ["sg-1"],
        "vpc_id": "vpc-1",
    }
    plan.update(LB, ARN, old, **{**old, "security_groups": [Ref("aws_security_group.alb.id")]})
    assert short(plan, ARN) == "N--N"
    rule(plan, "https", "ingress", Ref("aws_security_group.alb.id"), **OPEN_443)
    assert short(plan, ARN) == "C--N"


def test_a_deposed_object_is_not_the_current_one() -> None:
    plan = existing([TO_EVERYBODY])
    plan.delete("aws_security_group.alb", "sg-0", name="alb", vpc_id="vpc-1", ingress=[], egress=[])
    plan.changes[-1]["deposed"] = "0a1b2c3d"
    assert short(plan, ARN) == "C--N"


def test_targets_of_a_group_that_exists_are_not_known() -> None:
    """Without a resource that registers any, another state or a controller does."""
    plan = existing([TO_EVERYBODY])
    plan.changes.pop()
    plan.root["resources"].pop()
    arn = f"{PREFIX}:targetgroup/app/3"
    plan.keep("aws_lb_target_group.app", arn, name="app", port=80, target_type="ip", vpc_id="vpc-1")
    plan.keep(
        "aws_lb_listener.https",
        LISTENER_ARN,
        load_balancer_arn=ARN,
        port=443,
        protocol="HTTPS",
        default_action=[{"type": "forward", "target_group_arn": arn}],
    )
    assert short(plan, ARN) == "C??N"
    assert "targets of app" in error(plan, "targets", ARN)


def instance(plan: Plan, address: str = "aws_instance.app", **values: Any) -> Plan:
    defaults = {"vpc_security_group_ids": [APP_GROUP], "subnet_id": Ref("aws_subnet.a.id"), "private_ip": COMPUTED}
    return plan.create(address, **(defaults | values))


def balanced(**group: Any) -> Plan:
    """A load balancer whose group lets it reach the group of its targets, and a target group without targets."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.app")
    load_balancer(plan)
    listener(plan)
    target_group(plan, **group)
    return rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=APP_GROUP)


def test_a_new_target_group_without_targets() -> None:
    assert short(balanced()) == "N--N"


def test_an_instance() -> None:
    plan = instance(balanced(target_type="instance"))
    attach = {
        "target_group_arn": Ref("aws_lb_target_group.app.arn"),
        "target_id": Ref("aws_instance.app.id"),
        "port": None,
    }
    plan.create("aws_lb_target_group_attachment.app", **attach)
    assert short(plan) == "NCCN"
    plan.create("aws_lb_target_group_attachment.other", **{**attach, "port": 9999})
    # Port 9999 is not open; the health check follows the target's own port.
    assert short(plan) == "NNNN"


def test_a_target_is_of_the_type_of_its_target_group() -> None:
    """A module registers `each.value.target_id`, and a plan does not show that it is no load balancer."""
    plan = instance(balanced(target_type="instance"))
    target = Ref("local.target")
    arn = Ref("aws_lb_target_group.app.arn")
    plan.create("aws_lb_target_group_attachment.app", target_group_arn=arn, target_id=target, port=None)
    assert short(plan) == "NCCN"


@pytest.mark.parametrize(
    ("target_type", "expected"),
    # An address may be outside the VPC of its target group.
    [("instance", "NCCN"), ("ip", "N??N")],
)
def test_an_instance_that_is_not_known_is_in_the_vpc_of_its_target_group(target_type: str, expected: str) -> None:
    plan = instance(vpc(Plan()), vpc_security_group_ids=[])
    instance(plan, "aws_instance.other", vpc_security_group_ids=["sg-0123456789abcdef0"])
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan)
    listener(plan)
    target_group(plan, target_type=target_type)
    arn, target = Ref("aws_lb_target_group.app.arn"), Ref("var.key", "aws_instance.app.id", "aws_instance.other.id")
    plan.create("aws_lb_target_group_attachment.app", target_group_arn=arn, target_id=target, port=None)
    rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.0.0/16")
    assert short(plan) == expected


def test_the_address_of_an_instance_as_target() -> None:
    """`target_id = aws_instance.app.private_ip`: the address is not known, and the groups of the instance are."""
    plan = instance(balanced())
    plan.create(
        "aws_lb_target_group_attachment.app",
        target_group_arn=Ref("aws_lb_target_group.app.arn"),
        target_id=Ref("aws_instance.app.private_ip"),
        port=None,
    )
    assert short(plan) == "NCCN"


def test_the_address_of_a_network_interface_as_target() -> None:
    plan = balanced()
    defaults = {"subnet_id": Ref("aws_subnet.a.id"), "private_ips": COMPUTED, "private_ip": COMPUTED}
    plan.create("aws_network_interface.app", security_groups=[APP_GROUP], **defaults)
    arn, address = Ref("aws_lb_target_group.app.arn"), Ref("aws_network_interface.app.private_ip")
    plan.create("aws_lb_target_group_attachment.app", target_group_arn=arn, target_id=address, port=None)
    assert short(plan) == "NCCN"
    # One without groups has the default one.
    plan.create("aws_network_interface.other", security_groups=COMPUTED, **defaults)
    address = Ref("aws_network_interface.other.private_ip")
    plan.create("aws_lb_target_group_attachment.other", target_group_arn=arn, target_id=address, port=None)
    assert short(plan) == "NNNN"


def test_an_instance_without_groups_has_the_default_one() -> None:
    plan = instance(balanced(target_type="instance"), vpc_security_group_ids=COMPUTED)
    plan.create(
        "aws_lb_target_group_attachment.app",
        target_group_arn=Ref("aws_lb_target_group.app.arn"),
        target_id=Ref("aws_instance.app.id"),
        port=None,
    )
    assert short(plan) == "NNNN"


def test_a_group_that_is_attached_to_the_interface_of_an_instance() -> None:
    plan = instance(balanced(target_type="instance"), vpc_security_group_ids=COMPUTED)
    plan.create(
        "aws_lb_target_group_attachment.app",
        target_group_arn=Ref("aws_lb_target_group.app.arn"),
        target_id=Ref("aws_instance.app.id"),
        port=None,
    )
    plan.create(
        "aws_network_interface_sg_attachment.app",
        security_group_id=APP_GROUP,
        network_interface_id=Ref("aws_instance.app.primary_network_interface_id"),
    )
    assert short(plan) == "NCCN"


def auto_scaling_group(plan: Plan, **values: Any) -> Plan:
    return plan.create(
        "aws_autoscaling_group.app",
        name="app",
        vpc_zone_identifier=[Ref("aws_subnet.a.id")],
        target_group_arns=[Ref("aws_lb_target_group.app.arn")],
        **values,
    )


def test_an_auto_scaling_group_with_a_launch_template() -> None:
    plan = balanced(target_type="instance")
    plan.create("aws_launch_template.app", name="app", vpc_security_group_ids=[APP_GROUP], latest_version=COMPUTED)
    template = {
        "id": Ref("aws_launch_template.app.id"),
        "name": COMPUTED,
        "version": Ref("aws_launch_template.app.latest_version"),
    }
    assert short(auto_scaling_group(plan, launch_template=[template])) == "NCCN"


def test_a_launch_template_whose_interface_has_the_groups() -> None:
    plan = balanced(target_type="instance")
    interface = {"device_index": None, "security_groups": [APP_GROUP], "associate_public_ip_address": "false"}
    second = {"device_index": 1, "security_groups": [ALB_GROUP]}
    plan.create("aws_launch_template.app", name="app", network_interfaces=[interface, second], latest_version=COMPUTED)
    specification = {"launch_template_id": Ref("aws_launch_template.app.id"), "version": "$Latest"}
    # The provider computes the block where none is written.
    policy = {"launch_template": [{"launch_template_specification": [specification], "override": COMPUTED}]}
    assert short(auto_scaling_group(plan, mixed_instances_policy=[policy])) == "NCCN"


def test_a_launch_configuration() -> None:
    plan = balanced(target_type="instance")
    plan.create("aws_launch_configuration.app", name=COMPUTED, security_groups=[APP_GROUP])
    assert (
        short(
            auto_scaling_group(
                plan, launch_template=COMPUTED, launch_configuration=Ref("aws_launch_configuration.app.name")
            )
        )
        == "NCCN"
    )


@pytest.mark.parametrize(
    "name",
    # `aws_autoscaling_group.app.name` is known where the group is given a name.
    [Ref("aws_autoscaling_group.app.id"), "app"],
)
def test_an_auto_scaling_group_that_is_attached(name: Any) -> None:
    plan = balanced(target_type="instance")
    plan.create("aws_launch_template.app", name="app", vpc_security_group_ids=[APP_GROUP])
    plan.create(
        "aws_autoscaling_group.app",
        name="app",
        target_group_arns=COMPUTED,
        launch_template=[{"id": Ref("aws_launch_template.app.id"), "version": "$Latest"}],
    )
    plan.create(
        "aws_autoscaling_attachment.app",
        autoscaling_group_name=name,
        lb_target_group_arn=Ref("aws_lb_target_group.app.arn"),
    )
    assert short(plan) == "NCCN"


def test_the_only_target_is_perhaps_of_another_target_group() -> None:
    """Then nothing would be required, which is another verdict than that everything is allowed."""
    plan = open_web()
    plan.changes = [one for one in plan.changes if one["type"] != "aws_ecs_service"]
    target_group(plan, "aws_lb_target_group.other")
    instance(plan)
    attachment: dict[str, Any] = {"target_id": Ref("aws_instance.app.private_ip"), "port": None}
    some = Ref("aws_lb_target_group.app.arn", "aws_lb_target_group.other.arn")
    plan.create("aws_lb_target_group_attachment.app", target_group_arn=some, **attachment)
    assert (short(plan), nodes(plan)) == ("C??C", "?")
    # Whichever it is, the load balancer has it.
    listener(plan, 443, name="more", group="aws_lb_target_group.other")
    assert (short(plan), nodes(plan)) == ("CCCC", "C")


def test_an_auto_scaling_group_of_a_part_of_several_target_groups() -> None:
    """`slice(aws_lb_target_group.s[*].arn, 0, 1)` looks as without `slice`: each of them may have its members."""
    plan = balanced(target_type="instance")
    for key, port in ((0, 8080), (1, 9090)):
        target_group(plan, f"aws_lb_target_group.s[{key}]", target_type="instance", port=port)
        listener(plan, 8000 + key, name=f"s{key}", group=f"aws_lb_target_group.s[{key}]")
    template = {"id": Ref("aws_launch_template.app.id"), "version": "$Latest"}
    plan.create("aws_launch_template.app", name="app", vpc_security_group_ids=[APP_GROUP])
    auto_scaling_group(plan, launch_template=[template])
    configuration = next(one for one in plan.root["resources"] if one["type"] == "aws_autoscaling_group")
    configuration["expressions"]["target_group_arns"] = {"references": ["aws_lb_target_group.s"]}
    # Port 9090 is not open.
    assert short(plan) == "N??N"
    rule(plan, "9090", "egress", ALB_GROUP, from_port=9090, to_port=9090, referenced_security_group_id=APP_GROUP)
    assert short(plan) == "NCCN"
    # One that certainly has other members, which are not reached, decides.
    attach(instance(plan, vpc_security_group_ids=[ALB_GROUP]), "", Ref("aws_instance.app.id"))
    assert short(plan) == "NNNN"


@pytest.mark.parametrize("block", ["load_balancer", "network_configuration"])
def test_a_dynamic_block_whose_number_is_not_known(block: str) -> None:
    """The plan has nothing of it but that it is not known."""
    plan = service(balanced())
    target_group(plan, "aws_lb_target_group.other")
    listener(plan, 8443, name="other", group="aws_lb_target_group.other")
    attached = {"target_id": "10.0.1.9", "port": None}
    plan.create("aws_lb_target_group_attachment.o", target_group_arn=Ref("aws_lb_target_group.app.arn"), **attached)
    rule(plan, "o", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.1.9/32")
    assert short(plan) == "NCCN"
    [entry] = [one for one in plan.changes if one["type"] == "aws_ecs_service"]
    del entry["change"]["after"][block]
    entry["change"]["after_unknown"][block] = True
    [configuration] = [one for one in plan.root["resources"] if one["type"] == "aws_ecs_service"]
    del configuration["expressions"][block]
    assert short(plan) == "N??N"


def test_tasks_of_a_task_set() -> None:
    """An external deployment controller makes them, and no service registers them."""
    plan = balanced()
    network = {"security_groups": [APP_GROUP], "subnets": [Ref("aws_subnet.a.id")]}
    balancer = {"target_group_arn": Ref("aws_lb_target_group.app.arn"), "container_port": 8080}
    plan.create("aws_ecs_task_set.app", network_configuration=[network], load_balancer=[balancer])
    assert short(plan) == "NCCN"


def test_instances_of_a_spot_fleet() -> None:
    """They are targets, and their groups are not read."""
    plan = balanced(target_type="instance")
    plan.create("aws_spot_fleet_request.app", target_group_arns=[Ref("aws_lb_target_group.app.arn")])
    assert short(plan) == "N??N"
    assert "launch specifications of aws_spot_fleet_request.app" in error(plan, "targets")


def test_a_launch_template_outside_the_plan() -> None:
    plan = balanced(target_type="instance")
    auto_scaling_group(plan, launch_template=[{"id": "lt-0123456789abcdef0", "version": "$Latest"}])
    # The reference covers it if the template names that group.
    assert short(plan) == "N??N"
    plan = auto_scaling_group(
        vpc_without_egress(), launch_template=[{"id": "lt-0123456789abcdef0", "version": "$Latest"}]
    )
    # Without any outbound rule, no target can be reached, whatever its groups are.
    assert short(plan) == "NNNN"


def vpc_without_egress() -> Plan:
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan)
    listener(plan)
    return target_group(plan, target_type="instance")


def test_a_service_of_several_target_groups_and_ports() -> None:
    plan = balanced()
    target_group(plan, "aws_lb_target_group.admin", port=80)
    # A listener rule, with weights.
    plan.create(
        "aws_lb_listener_rule.admin",
        listener_arn=Ref("aws_lb_listener.https.arn"),
        priority=1,
        action=[
            {
                "type": "forward",
                "forward": [{"target_group": [{"arn": Ref("aws_lb_target_group.admin.arn"), "weight": 0}]}],
            }
        ],
    )
    service(plan)
    assert short(plan) == "NCCN"
    network = {"security_groups": [APP_GROUP], "subnets": [Ref("aws_subnet.a.id")]}
    balancer = {"target_group_arn": Ref("aws_lb_target_group.admin.arn"), "container_port": 9000}
    plan.create("aws_ecs_service.admin", network_configuration=[network], load_balancer=[balancer])
    # Its containers listen on 9000, whatever the target group's port is.
    assert short(plan) == "NNNN"


def test_blocks_of_a_dynamic_block() -> None:
    """The configuration leaves them out. The module has one target group."""
    plan = web()
    network = Dynamic({"security_groups": [APP_GROUP], "subnets": [Ref("aws_subnet.a.id")]})
    balancer = Dynamic({"target_group_arn": Ref("aws_lb_target_group.app.arn"), "container_port": 8080})
    plan.changes = [one for one in plan.changes if one["type"] != "aws_ecs_service"]
    plan.root["resources"] = [one for one in plan.root["resources"] if one["type"] != "aws_ecs_service"]
    plan.create("aws_ecs_service.app", network_configuration=network, load_balancer=balancer)
    rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=APP_GROUP)
    # Which of the two groups the service has is not known.
    assert short(plan) == "N??N"


def test_a_prefix_list_with_entries() -> None:
    plan = web()
    entries = [{"cidr": "0.0.0.0/1", "description": ""}, {"cidr": "128.0.0.0/1", "description": ""}]
    plan.create("aws_ec2_managed_prefix_list.all", name="all", address_family="IPv4", max_entries=2, entry=entries)
    open_to = {"cidr_ipv4": None, "prefix_list_id": Ref("aws_ec2_managed_prefix_list.all.id")}
    rule(plan, "https", "ingress", ALB_GROUP, **(OPEN_443 | open_to))
    assert short(plan) == "CNNN"


def test_a_prefix_list_outside_the_plan() -> None:
    plan = web()
    rule(plan, "https", "ingress", ALB_GROUP, **(OPEN_443 | {"cidr_ipv4": None, "prefix_list_id": "pl-3b927c52"}))
    assert short(plan) == "?NNN"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Every protocol, with the ports that the provider writes for it.
        ({"ip_protocol": "-1", "from_port": None, "to_port": None, "cidr_ipv4": "0.0.0.0/0"}, "CNNC"),
        # TCP by its number.
        ({"ip_protocol": "6", "from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0"}, "CNNN"),
        # Another protocol.
        ({"ip_protocol": "udp", "from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0"}, "NNNN"),
        # A load balancer with IPv4 clients.
        ({"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv6": "::/0"}, "NNNN"),
    ],
)
def test_protocols(values: dict[str, Any], expected: str) -> None:
    assert short(rule(web(), "https", "ingress", ALB_GROUP, **values)) == expected


def test_address_types() -> None:
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, ip_address_type="dualstack")
    listener(plan, group=None)
    rule(plan, "v4", "ingress", ALB_GROUP, **OPEN_443)
    assert short(plan) == "N--N"
    rule(plan, "v6", "ingress", ALB_GROUP, **(OPEN_443 | {"cidr_ipv4": None, "cidr_ipv6": "::/0"}))
    assert short(plan) == "C--N"


def test_a_scheme_of_a_variable_is_known() -> None:
    plan = vpc(Plan()).variable("internal", True)
    security_group(plan, "aws_security_group.alb")
    load_balancer(plan, internal=Written(True, "var.internal"))
    listener(plan, group=None)
    rule(plan, "vpc", "ingress", ALB_GROUP, from_port=443, to_port=443, cidr_ipv4="10.0.0.0/16")
    assert short(plan) == "C--N"


def test_a_network_load_balancer_in_front() -> None:
    """Its health checks and clients come from the VPC; its own group may be referred to."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.nlb")
    load_balancer(plan, internal=True)
    listener(plan, group=None)
    load_balancer(
        plan, "aws_lb.front", load_balancer_type="network", internal=True, groups=[Ref("aws_security_group.nlb.id")]
    )
    target_group(plan, "aws_lb_target_group.alb", target_type="alb", port=443, protocol="TCP")
    listener(plan, name="tcp", lb="aws_lb.front", group="aws_lb_target_group.alb")
    plan.create(
        "aws_lb_target_group_attachment.alb",
        target_group_arn=Ref("aws_lb_target_group.alb.arn"),
        target_id=Ref("aws_lb.web.arn"),
        port=443,
    )
    assert short(plan) == "N--N"
    rule(
        plan,
        "nlb",
        "ingress",
        ALB_GROUP,
        from_port=443,
        to_port=443,
        referenced_security_group_id=Ref("aws_security_group.nlb.id"),
    )
    assert short(plan) == "C--N"


def test_the_awscc_provider() -> None:
    """Its resources are CloudFormation's: a group has all outbound rules unless some are written."""
    plan = vpc(Plan())
    everybody = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ip": "0.0.0.0/0"}
    plan.create(
        "awscc_ec2_security_group.alb",
        group_description="alb",
        vpc_id=Ref("aws_vpc.main.id"),
        security_group_ingress=[everybody],
        security_group_egress=COMPUTED,
        group_id=COMPUTED,
    )
    plan.create(
        "awscc_elasticloadbalancingv2_load_balancer.web",
        type="application",
        scheme="internet-facing",
        load_balancer_arn=COMPUTED,
        security_groups=[Ref("awscc_ec2_security_group.alb.id")],
        subnets=[Ref("aws_subnet.a.id")],
        name="web",
    )
    plan.create(
        "awscc_elasticloadbalancingv2_target_group.app",
        name="app",
        port=80,
        protocol="HTTP",
        target_type="ip",
        vpc_id=Ref("aws_vpc.main.id"),
        targets=[{"id": "10.0.1.5", "port": 80}],
        target_group_arn=COMPUTED,
    )
    plan.create(
        "awscc_elasticloadbalancingv2_listener.https",
        port=443,
        protocol="HTTPS",
        listener_arn=COMPUTED,
        load_balancer_arn=Ref("awscc_elasticloadbalancingv2_load_balancer.web.load_balancer_arn"),
        default_actions=[
            {
                "type": "forward",
                "target_group_arn": Ref("awscc_elasticloadbalancingv2_target_group.app.target_group_arn"),
            }
        ],
    )
    assert short(plan, "awscc_elasticloadbalancingv2_load_balancer.web") == "CCCN"
    # The instances of the group are in the VPC; the group lets all out.
    source = {"identifier": Ref("awscc_elasticloadbalancingv2_target_group.app.target_group_arn"), "type": "elbv2"}
    subnets = ["subnet-1"]
    plan.create("awscc_autoscaling_auto_scaling_group.app", vpc_zone_identifier=subnets, traffic_sources=[source])
    annotation = judge_plan(plan)["awscc_elasticloadbalancingv2_load_balancer.web", "targets"]
    assert annotation.startswith("COMPLIANT 2 requirements")


def test_the_group_that_another_service_makes() -> None:
    """Amazon EKS makes a group for a cluster, which is none of those that the cluster is given."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.nodes")
    cluster = {"security_group_ids": [Ref("aws_security_group.nodes.id")], "cluster_security_group_id": COMPUTED}
    plan.create("aws_eks_cluster.main", name="main", vpc_config=[cluster])
    load_balancer(plan, groups=[Ref("aws_eks_cluster.main.vpc_config[0].cluster_security_group_id")])
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("aws_security_group.nodes.id"), **OPEN_443)
    assert short(plan) == "?--?"
    assert "cluster_security_group_id" in error(plan, "listeners")


def test_a_local_value_beside_a_cluster() -> None:
    """It may be the group of the cluster."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    plan.create("aws_eks_cluster.main", name="main", vpc_config=[{"cluster_security_group_id": COMPUTED}])
    load_balancer(plan, groups=[Ref("aws_security_group.alb.id")])
    listener(plan, group=None)
    rule(plan, "https", "ingress", Ref("local.group"), **OPEN_443)
    assert short(plan) == "?--N"


def test_an_element_of_a_variable() -> None:
    """`var.groups["alb"]` is one of the groups that the module is given."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.app")
    plan.call("module.web", groups=Ref("aws_security_group.alb.id", "aws_security_group.app.id"))
    address = "module.web.aws_lb.this"
    load_balancer(plan, address, groups=[Ref('var.groups["alb"]')], subnets=["subnet-1"])
    rule(plan, "icmp", "ingress", ALB_GROUP, **OPEN_ICMP)
    assert short(plan, address) == "---?"


def test_blocks_of_a_set_are_in_another_order() -> None:
    """Their constants tell which expressions belong to which block."""
    plan = balanced()
    target_group(plan, "aws_lb_target_group.admin", port=9000)
    listener(plan, 8443, name="admin", group="aws_lb_target_group.admin")
    network = {"security_groups": [APP_GROUP], "subnets": [Ref("aws_subnet.a.id")]}
    first = {"target_group_arn": Ref("aws_lb_target_group.admin.arn"), "container_port": 9000}
    second = {"target_group_arn": Ref("aws_lb_target_group.app.arn"), "container_port": 8080}
    plan.create("aws_ecs_service.app", network_configuration=[network], load_balancer=[first, second])
    plan.changes[-1]["change"]["after"]["load_balancer"].reverse()
    plan.changes[-1]["change"]["after_unknown"]["load_balancer"].reverse()
    # Port 8080 is open to the service, and 9000 is not.
    assert "TCP:9000" in judge_plan(plan)[LB, "targets"]
    assert "+1 more" not in judge_plan(plan)[LB, "targets"]


def test_rules_of_a_group_that_exists_are_unknown_as_a_whole() -> None:
    """The provider would know them if they were not written: a `dynamic` block makes them."""
    plan = existing([TO_EVERYBODY])
    group = {"name": "alb", "vpc_id": "vpc-1", "egress": []}
    plan.changes = [one for one in plan.changes if one["address"] != "aws_security_group.alb"]
    plan.update("aws_security_group.alb", "sg-1", {**group, "ingress": [TO_EVERYBODY]}, **group, ingress=COMPUTED)
    assert short(plan, ARN) == "?--?"


def test_a_group_takes_away_a_rule_that_is_a_resource_of_its_own() -> None:
    """Inline rules are all that the group has: the provider removes all others."""
    plan = existing([])
    plan.changes = [one for one in plan.changes if one["address"] != "aws_security_group.alb"]
    group = {"name": "alb", "vpc_id": "vpc-1", "egress": []}
    plan.update("aws_security_group.alb", "sg-1", {**group, "ingress": [TO_EVERYBODY]}, **group, ingress=[])
    plan.keep(
        "aws_vpc_security_group_ingress_rule.https", "sgr-1", security_group_id="sg-1", ip_protocol="tcp", **OPEN_443
    )
    assert short(plan, ARN) == "N--N"


def test_a_rule_that_an_old_refresh_did_not_list() -> None:
    """With `-refresh=false`, the group's rules are those before its own rules were made."""
    plan = existing([])
    plan.keep(
        "aws_vpc_security_group_ingress_rule.https", "sgr-1", security_group_id="sg-1", ip_protocol="tcp", **OPEN_443
    )
    assert short(plan, ARN) == "C--N"


def test_rules_that_are_not_listed_are_taken_away() -> None:
    plan = existing([TO_EVERYBODY])
    plan.create("aws_vpc_security_group_rules_exclusive.alb", security_group_id="sg-1", ingress_rule_ids=[])
    assert short(plan, ARN) == "?--?"


def test_listeners_of_a_load_balancer_that_exists_are_elsewhere() -> None:
    """Applications add listeners to a load balancer of another state."""
    plan = existing([TO_EVERYBODY])
    plan.changes = [one for one in plan.changes if one["type"] != "aws_lb_listener"]
    assert short(plan, ARN) == "???N"


def test_a_subnet_whose_block_is_not_known() -> None:
    """An address may be in it, whatever the other subnet's block is."""
    plan = web()
    plan.create("aws_subnet.b", vpc_id=Ref("aws_vpc.main.id"), cidr_block=COMPUTED, ipv4_ipam_pool_id="pool")
    entry = plan.changes[[one["address"] for one in plan.changes].index("aws_ecs_service.app")]
    assert entry["change"]["after_unknown"]["network_configuration"][0]["subnets"] is True
    expressions = next(one for one in plan.root["resources"] if one["type"] == "aws_ecs_service")["expressions"]
    both = Ref("aws_subnet.a.id", "aws_subnet.b.id").references
    expressions["network_configuration"][0]["subnets"] = {"references": both}
    rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.1.0/24")
    assert short(plan) == "N??N"


def test_groups_of_an_instance_by_name() -> None:
    plan = balanced(target_type="instance")
    plan.create("aws_instance.app", vpc_security_group_ids=COMPUTED, security_groups=["web"], private_ip=COMPUTED)
    plan.create(
        "aws_lb_target_group_attachment.app",
        target_group_arn=Ref("aws_lb_target_group.app.arn"),
        target_id=Ref("aws_instance.app.id"),
        port=None,
    )
    assert short(plan) == "N??N"


def nodes(plan: Plan, address: str = LB) -> str:
    """The verdict on whether the targets let the load balancer in."""
    return SHORT[verdicts(plan, address)["nodes"]]


def let_in(**values: Any) -> Plan:
    """The service's group with one inbound rule on the port of its containers."""
    return rule(web(), "alb", "ingress", APP_GROUP, **({"from_port": 8080, "to_port": 8080} | values))


def test_targets_let_in_the_group_of_the_load_balancer() -> None:
    assert nodes(web()) == "N"
    assert nodes(let_in(referenced_security_group_id=ALB_GROUP)) == "C"
    assert nodes(let_in(referenced_security_group_id=APP_GROUP)) == "N"


def test_targets_let_in_the_subnets_of_the_load_balancer() -> None:
    assert nodes(let_in(cidr_ipv4="10.0.1.0/24")) == "C"
    assert nodes(let_in(cidr_ipv4="10.0.1.0/25")) == "N"


def test_subnets_outside_the_plan() -> None:
    plan = let_in(cidr_ipv4="10.0.1.0/24")
    entry = plan.changes[[one["address"] for one in plan.changes].index(LB)]
    entry["change"]["after"]["subnets"] = ["subnet-0123456789abcdef0"]
    entry["change"]["after_unknown"].pop("subnets")
    # Nothing says whether 10.0.1.0/24 is that subnet.
    assert nodes(plan) == "?"


def in_vpc_that_exists(**values: Any) -> Plan:
    """A service in a new subnet, whose group lets in that subnet, all in a VPC of another state."""
    plan = Plan()
    blocks = [{"cidr_block": "10.0.0.0/16", "state": "associated"}]
    plan.read("data.aws_vpc.main", id="vpc-1", cidr_block="10.0.0.0/16", cidr_block_associations=blocks)
    for name, block in (("a", "10.0.1.0/24"), ("b", "10.0.2.0/24")):
        plan.create(f"aws_subnet.{name}", vpc_id="vpc-1", cidr_block=block, ipv6_cidr_block=COMPUTED)
    for name in ("alb", "app"):
        security_group(plan, f"aws_security_group.{name}", vpc_id="vpc-1")
    service(target_group(listener(load_balancer(plan, **values)), vpc_id="vpc-1"))
    return rule(plan, "alb", "ingress", APP_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.1.0/24")


def test_a_subnet_that_is_written_as_text_beside_references() -> None:
    """`subnets = [aws_subnet.a.id, "subnet-0123456789abcdef0"]`: a plan shows the reference alone."""
    plan = in_vpc_that_exists()
    assert nodes(plan) == "?"
    assert "a plan does not show what it holds besides references" in judge_plan(plan)[LB, "nodes"]
    # The other subnet is in the same VPC.
    rule(plan, "vpc", "ingress", APP_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.0.0/16")
    assert nodes(plan) == "C"
    # One that exists is not in a VPC that is new.
    assert nodes(let_in(cidr_ipv4="10.0.1.0/24")) == "C"


def test_targets_in_a_subnet_that_is_written_as_text() -> None:
    plan = in_vpc_that_exists()
    rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.1.0/24")
    assert short(plan) == "N??N"
    assert "aws_ecs_service.app.network_configuration[0].subnets (a plan does not show" in error(plan, "targets")
    rule(plan, "group", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=APP_GROUP)
    assert short(plan) == "NCCN"


def test_a_part_of_several_subnets() -> None:
    """`slice(aws_subnet.s[*].id, 0, 2)` looks as without `slice`: targets let in all of them, or it is not known."""
    plan = vpc(Plan())
    for key in (0, 1, 2):
        plan.create(
            f"aws_subnet.s[{key}]",
            vpc_id=Ref("aws_vpc.main.id"),
            cidr_block=f"10.0.{100 + key}.0/24",
            ipv6_cidr_block=COMPUTED,
        )
    security_group(plan, "aws_security_group.alb")
    security_group(plan, "aws_security_group.app")
    service(target_group(listener(load_balancer(plan, subnets=[Ref("aws_subnet.s")]))))
    rule(plan, "two", "ingress", APP_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.100.0/23")
    assert nodes(plan) == "?"
    rule(plan, "third", "ingress", APP_GROUP, from_port=8080, to_port=8080, cidr_ipv4="10.0.102.0/24")
    assert nodes(plan) == "C"


def test_targets_without_any_inbound_rule_let_no_subnet_in() -> None:
    plan = web()
    entry = plan.changes[[one["address"] for one in plan.changes].index(LB)]
    entry["change"]["after"]["subnets"] = ["subnet-0123456789abcdef0"]
    entry["change"]["after_unknown"].pop("subnets")
    assert nodes(plan) == "N"


def test_a_reference_to_one_of_the_groups_that_the_load_balancer_may_have() -> None:
    plan = let_in(referenced_security_group_id=ALB_GROUP)
    next(one for one in plan.root["resources"] if one["address"] == LB)["expressions"]["security_groups"] = {
        "references": ["local.groups"]
    }
    # The module has two groups, and the load balancer one of them or both.
    assert nodes(plan) == "?"


def test_inbound_rules_of_a_launch_template_outside_the_plan() -> None:
    plan = balanced(target_type="instance")
    assert nodes(auto_scaling_group(plan, launch_template=[{"id": "lt-0123456789abcdef0"}])) == "?"


def test_the_carriers_of_a_planned_group_are_not_known() -> None:
    """Whether only load balancers carry it decides if unused openings are judged."""
    scenario = terraform_scenario(open_web().document())
    [estate] = planned_estates(scenario).estates
    rule = RECOMMENDATIONS_BY_NAME["ALB_SG_UNUSED_INGRESS"]
    findings, errors = judge_all(estate, estate.load_balancers.values(), {rule: parse_parameters({})})
    assert (findings, len(errors)) == ([], 1)


def test_values_that_the_estate_lacks_stay_unknown() -> None:
    """A listener, a target and an interface of the plan do not make the lists that they are in complete."""
    saved = as_estate(SMALL_ESTATE)
    plan = Plan().create(
        "aws_lb_listener.more",
        load_balancer_arn=LB_ARN,
        port=8443,
        protocol="HTTPS",
        default_action=[{"type": "forward", "target_group_arn": target_group_arn(0)}],
    )
    plan.create("aws_lb_target_group_attachment.more", target_group_arn=target_group_arn(0), target_id="i-1", port=None)
    plan.create("aws_network_interface.more", subnet_id="subnet-1", security_groups=["sg-1"], private_ips=["10.0.0.9"])
    whole = verdicts(plan, LB_ARN, [saved])
    assert "ERROR" not in whole.values()
    assert verdicts(plan, LB_ARN, [replace(saved, listeners=None)])["listeners"] == "ERROR"
    assert verdicts(plan, LB_ARN, [replace(saved, targets=None)])["targets"] == "ERROR"
    assert verdicts(plan, LB_ARN, [replace(saved, target_groups=None)])["targets"] == "ERROR"
    estate = planned_estates(terraform_scenario(plan.document()), [replace(saved, network_interfaces=None)]).estates[0]
    with pytest.raises(NotReadError):
        estate.interface_at("vpc-1", Family.IPV4, parse_cidr("10.0.0.77")[1][0])


def test_a_target_is_taken_away_by_the_port_of_its_group() -> None:
    """Elastic Load Balancing tells the port of every target; a plan leaves out that of the group."""
    saved = as_estate(SMALL_ESTATE)
    registered = replace(saved, targets={target_group_arn(0): (Target("i-0", 8080, None),), target_group_arn(1): ()})
    plan = Plan().delete(
        "aws_lb_target_group_attachment.a", "a", target_group_arn=target_group_arn(0), target_id="i-0", port=None
    )
    assert verdicts(plan, LB_ARN, [registered])["targets"] == "NOT_APPLICABLE"


SMALL_ESTATE = SmallEstate(
    vpc_cidrs=("10.0.0.0/16",),
    internal=False,
    lb_groups=frozenset({0}),
    rules=frozenset(),
    listeners=frozenset({(443, 0)}),
    target_groups=((8080, None), (8080, None)),
    instances=(frozenset({1}), frozenset({1})),
    targets=frozenset({(0, 0, None)}),
)


@pytest.mark.parametrize(
    ("address", "steps"),
    [
        ('module.a["k"].aws_lb.b[0].id', [("module", None), ("a", "k"), ("aws_lb", None), ("b", 0), ("id", None)]),
        # HCL's escapes, of which JSON lacks several.
        (r'a["\"\\\n\u00e9"]', [("a", '"\\\n\u00e9')]),
        (r'a["\U0001F600"]', [("a", "\U0001f600")]),
        ('a["$${x}%%{y}"]', [("a", "${x}%{y}")]),
        # Terraform writes none of these.
        (r'a["\2x"]', [("a", r"\2x")]),
        (r'a["\UFFFFFFFF"]', [("a", r"\UFFFFFFFF")]),
        (f"a[{'9' * 5000}]", [("a", None)]),
    ],
)
def test_keys_in_addresses(address: str, steps: list[tuple[str, object]]) -> None:
    assert parse_steps(address) == steps


@pytest.mark.parametrize(
    ("references", "written"),
    [
        (["aws_lb.a.arn", "aws_lb.a"], ["aws_lb.a.arn"]),
        (['aws_lb.a["x.y"].arn', 'aws_lb.a["x.y"]', "aws_lb.a"], ['aws_lb.a["x.y"].arn']),
        (["data.aws_vpc.a.id", "data.aws_vpc.a", "var.b"], ["data.aws_vpc.a.id", "var.b"]),
        (["module.a[0].b", "module.a[0]", "module.a"], ["module.a[0].b"]),
        # A resource of which one instance is named, too.
        (["aws_lb.a", "aws_lb.a[0].arn", "aws_lb.a[0]", "aws_lb.a"], ["aws_lb.a", "aws_lb.a[0].arn"]),
        (["aws_lb.a[0].arn", "aws_lb.a[0]", "aws_lb.a", "aws_lb.a"], ["aws_lb.a[0].arn", "aws_lb.a"]),
        # As often as it is written.
        (["aws_lb.a.arn", "aws_lb.a", "aws_lb.a.arn", "aws_lb.a"], ["aws_lb.a.arn", "aws_lb.a.arn"]),
        (["aws_lb.a", "aws_lb.a"], ["aws_lb.a", "aws_lb.a"]),
        # Terraform 0.12 lists the resource alone.
        (["aws_lb.a[0]", "aws_lb.b"], ["aws_lb.a[0]", "aws_lb.b"]),
    ],
)
def test_an_expression_gives_its_references(references: list[str], written: list[str]) -> None:
    assert traversals(references) == written
