"""`--terraform-plan` on the command line: alone, over a saved estate and over a live account."""

from __future__ import annotations

import html
import io
import json
import shlex
import zipfile
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alb_sg.report.formats import ASFF, FORMATS
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    REGION,
    RULES,
    TARGETS,
    estate,
    group,
    icmp,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    target_group,
    tcp,
)
from tests.command_line.calling import Answer, Command
from tests.estate.planned.plans import Dynamic, Plan, Ref
from tests.estate.planned.test_terraform import internal, open_web, web

FIXED, NEW, STILL = "fixed", "newly broken", "still broken"
ARN = load_balancer_arn("web")


def compliance(answer: Answer) -> dict[str, str]:
    return {found["rule"]: found["compliance"] for found in answer.json["findings"]}


def changes(answer: Answer) -> dict[tuple[str, str], str]:
    """What the change does, by load balancer and rule."""
    return {
        (found["loadBalancerName"], found["rule"]): found["change"]
        for found in answer.json["findings"]
        if "change" in found
    }


def check(command: Command, plan: Plan, *arguments: str) -> Answer:
    return command("check", "--terraform-plan", str(plan.write(command.folder / "plan.json")), *arguments)


def test_a_plan_in_order(command: Command) -> None:
    answer = check(command, open_web(), "--format", "json")
    assert answer.code == 0
    assert compliance(answer) == dict.fromkeys(RULES, "COMPLIANT")


def test_texts_name_addresses(command: Command) -> None:
    answer = check(command, web())
    assert answer.code == 1
    assert "  aws_lb.web  eu-west-1  " in answer.out
    assert "not open to 0.0.0.0/0 in aws_security_group.alb" in answer.out


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(command: Command, name: str) -> None:
    if name == ASFF:
        refused = command.refused(
            "check", "--format", name, "--terraform-plan", str(web().write(command.folder / "plan.json"))
        )
        assert "Security Hub needs the account" in refused
        return
    answer = check(command, web(), "--format", name)
    assert answer.code == 1
    assert "aws_lb.web" in answer.out if name != "markdown" else "web" in answer.out


def test_explain(command: Command) -> None:
    plan = str(web().write(command.folder / "plan.json"))
    answer = command("explain", "aws_lb.web", "--terraform-plan", plan)
    assert answer.code == 1
    assert (
        "allow outbound TCP 8080 to aws_security_group.app for target group app in aws_security_group.alb" in answer.out
    )


def test_texts_do_not_claim_addresses_that_are_not_known(command: Command) -> None:
    """Nothing is open to the VPC, whatever its blocks are: they are not "all addresses"."""
    plan = str(internal(Plan()).write(command.folder / "plan.json"))
    checked = command("check", "--terraform-plan", plan)
    explained = command("explain", "web", "--terraform-plan", plan)
    assert (checked.code, explained.code) == (1, 1)
    for text in (checked.out, explained.out):
        assert "addresses that are not known yet (VPC)" in text
        assert ANYWHERE not in text
    fixed = command("fix", "web", "--terraform-plan", plan)
    assert fixed.out == ""
    assert "needs a rule for the VPC's CIDR blocks, which are not known" in fixed.err


def test_a_listener_of_a_load_balancer_that_is_not_known_is_an_error(command: Command) -> None:
    """Its load balancer needs rules for it, and is not judged."""
    plan = Plan()
    plan.create("aws_lb_listener.more", load_balancer_arn=Ref("data.aws_lb.shop.arn"), port=8443, protocol="HTTPS")
    answer = command("check", "--terraform-plan", str(plan.write(command.folder / "listener.json")))
    assert answer.code == 3
    assert "load balancer of aws_lb_listener.more: " in answer.out


def test_what_if(command: Command) -> None:
    plan = str(open_web().write(command.folder / "plan.json"))
    answer = command("what-if", "web", "--terraform-plan", plan, "--add-listener", "8443", "--format", "json")
    assert answer.code == 1
    assert {one["rule"] for one in answer.json["after"]["findings"] if one["compliance"] == "NON_COMPLIANT"} == {
        INGRESS
    }


def test_fix_writes_code_with_references(command: Command) -> None:
    plan = str(web().write(command.folder / "plan.json"))
    answer = command("fix", "web", "--terraform-plan", plan)
    assert answer.code == 1
    assert "security_group_id            = aws_security_group.alb.id\n" in answer.out
    assert "referenced_security_group_id = aws_security_group.app.id\n" in answer.out
    assert "sends" not in answer.err


@pytest.mark.parametrize("options", [("--apply", "--yes"), ("--format", "json")])
def test_fix_changes_nothing(command: Command, options: tuple[str, ...]) -> None:
    plan = str(web().write(command.folder / "plan.json"))
    assert "writes code for a plan" in command.refused("fix", "web", "--terraform-plan", plan, *options)


def test_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(open_web().document()).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert command("check", "--terraform-plan", "-").code == 0


def test_sarif_names_the_plan_relative_to_the_working_directory(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan has no lines. One from standard input has no file either."""
    plan = web().write(command.folder / "plan.json")
    monkeypatch.chdir(command.folder)

    def uris(path: str) -> set[str]:
        run = command("check", "--terraform-plan", path, "--format", "sarif").json["runs"][0]
        return {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]}

    assert uris("plan.json") == uris(str(plan)) == {"plan.json"}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(plan.read_bytes())))
    assert uris("-") == {"aws_lb.web"}


def test_an_unknown_name(command: Command) -> None:
    plan = str(web().write(command.folder / "plan.json"))
    assert "no load balancer has the name 'shop'" in command.refused(
        "check", "--terraform-plan", plan, "--load-balancer", "shop"
    )


def saved(*, api_open: bool = True) -> Any:
    """Two load balancers with one group, which is open on 443. Nothing is open for ICMP."""
    return estate(
        load_balancer("web", groups=["sg-1"]),
        load_balancer("api", groups=["sg-1"]),
        load_balancer("other", groups=["sg-2"]),
        listener(443, of="web"),
        listener(443, of="api"),
        listener(443, of="other"),
        group("sg-1", ingress=[tcp(443, ANYWHERE)] if api_open else []),
        group("sg-2", ingress=[tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)]),
    )


def change() -> Plan:
    return Plan(region=REGION)


RULE = {"security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": ANYWHERE}
ICMP_RULE = {"security_group_id": "sg-1", "ip_protocol": "icmp", "from_port": 3, "to_port": 4, "cidr_ipv4": ANYWHERE}


def over(command: Command, plan: Plan, *arguments: str, base: Any = None) -> Answer:
    file = command.file(saved() if base is None else base)
    return check(command, plan, "--estate", file, *arguments)


def test_load_balancers_that_share_a_changed_group(command: Command) -> None:
    """The plan names neither; `other` has another group and is not shown."""
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    answer = over(command, plan, "--format", "json")
    assert answer.code == 1
    assert changes(answer) == {
        ("web", INGRESS): NEW,
        ("web", ICMP): STILL,
        ("api", INGRESS): NEW,
        ("api", ICMP): STILL,
    }
    assert answer.json["summary"]["changes"] == {NEW: 2, STILL: 2, FIXED: 0, "newly unknown": 0, "still unknown": 0}
    assert answer.json["summary"]["loadBalancers"] == 2


def test_a_load_balancer_that_is_named_is_shown_though_nothing_changes_it(command: Command) -> None:
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    answer = over(command, plan, "--format", "json", "--load-balancer", "other")
    assert answer.code == 0
    assert {found["loadBalancerName"] for found in answer.json["findings"]} == {"other"}


def test_a_change_that_concerns_no_load_balancer_does_not_say_that_there_is_none(command: Command) -> None:
    plan = change().create("aws_vpc_security_group_ingress_rule.icmp", **{**ICMP_RULE, "security_group_id": "sg-9"})
    answer = over(command, plan)
    assert answer.code == 0
    assert answer.out == f"The change concerns no load balancer in {ACCOUNT} {REGION}.\n"
    assert "### alb-sg: The change concerns no load balancer\n" in over(command, plan, "--format", "markdown").out


def test_fixed_findings(command: Command) -> None:
    plan = change().create("aws_vpc_security_group_ingress_rule.icmp", **ICMP_RULE)
    answer = over(command, plan, "--format", "json")
    assert answer.code == 0
    assert changes(answer) == {("web", ICMP): FIXED, ("api", ICMP): FIXED}
    assert "fixed" in over(command, plan).out


# The refreshed values of a group whose configuration lists no rules.
GROUP_VALUES: dict[str, Any] = {"vpc_id": "vpc-1", "ingress": [Dynamic()], "egress": [Dynamic()]}


def shop_group(plan: Plan, module: str = "module.shop.") -> Plan:
    """The group of `web` exists without inline rules, and the plan has it unchanged, in a module."""
    return plan.keep(f"{module}aws_security_group.web", "sg-1", **GROUP_VALUES, name="sg-1")


def targets_base() -> Any:
    return estate(
        load_balancer("web", groups=["sg-1"]),
        listener(443, of="web"),
        target_group("app", targets=["10.0.1.5"], port=8080),
        interface("10.0.1.5", groups=["sg-app"]),
        group("sg-1", ingress=[tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)], egress=[]),
        group("sg-app", ingress=[tcp(8080, "sg-1")]),
    )


def test_a_fix_refers_to_a_group_that_exists_by_its_address(command: Command) -> None:
    """The rule belongs into the module of the group, which its reference cannot say."""
    plan = shop_group(change()).keep("aws_lb.web", ARN, arn=ARN, name="web")
    comment = over(command, plan, "--format", "markdown").out
    assert "+# Put these rules into module.shop, beside module.shop.aws_security_group.web.\n" in comment
    assert "+  security_group_id = aws_security_group.web.id\n" in comment
    assert '"sg-1"' not in comment


def outside(answer: Answer) -> str:
    """The section of a comment with the fixes of load balancers that the plan does not describe."""
    return answer.out.partition("#### Rules to add outside of the change\n")[2]


LEFT_OUT = "leave out of the change: aws_vpc_security_group_ingress_rule.https (delete)"


def test_the_fix_of_load_balancers_that_the_plan_breaks_and_does_not_describe(command: Command) -> None:
    """Two share a group that the plan does not describe either: one command, and what not to change."""
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    found = outside(over(command, plan, "--format", "markdown")).splitlines()
    [comment] = [line for line in found if line.startswith("# ")]
    assert comment.startswith("# Load balancer api (")
    assert comment.endswith(f"): after the change is applied, or {LEFT_OUT}")
    [authorize] = [shlex.split(line) for line in found if line.startswith("aws ")]
    assert authorize[:7] == ["aws", "ec2", "authorize-security-group-ingress", "--region", REGION, "--group-id", "sg-1"]
    # ICMP was missing before. It is in the table, and no part of what the plan breaks.
    [permission] = json.loads(authorize[8])
    assert (permission["FromPort"], permission["IpRanges"][0]["CidrIp"]) == (443, ANYWHERE)


def test_a_line_break_in_a_key_does_not_end_the_comment_of_a_command(command: Command) -> None:
    """What follows it would be a command for who pastes them."""
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    plan.changes[-1] |= {"address": 'aws_vpc_security_group_ingress_rule.https["a\nreboot"]', "index": "a\nreboot"}
    found = outside(over(command, plan, "--format", "markdown"))
    assert "reboot" in found
    assert not any(line.startswith("reboot") for line in found.splitlines())


def test_advice_on_load_balancers_that_the_plan_breaks_and_does_not_describe(command: Command) -> None:
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    rows = [
        line for line in over(command, plan, "--format", "markdown").out.splitlines() if "newly broken</code>" in line
    ]
    assert [html.unescape(row).count(LEFT_OUT) for row in rows] == [1, 1]


def test_the_fix_of_a_load_balancer_outside_of_the_plan_whose_group_the_plan_describes(command: Command) -> None:
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    answer = over(command, shop_group(plan), "--format", "markdown")
    assert outside(answer) == ""
    assert answer.out.count("+  security_group_id = aws_security_group.web.id\n") == 1


def test_the_fix_of_targets_outside_of_the_plan(command: Command) -> None:
    """The plan takes a rule from the group of the targets."""
    rule = {"security_group_id": "sg-app", "referenced_security_group_id": "sg-1", "from_port": 8080, "to_port": 8080}
    plan = change().delete("aws_vpc_security_group_ingress_rule.app", "sgr-2", ip_protocol="tcp", **rule)
    found = outside(over(command, plan, "--format", "markdown", base=targets_base()))
    assert "leave out of the change: aws_vpc_security_group_ingress_rule.app (delete)" in found
    assert "--group-id sg-app" in found


def test_a_load_balancer_that_was_broken_before_has_no_commands(command: Command) -> None:
    plan = change().update("aws_vpc_security_group_ingress_rule.https", "sgr-1", RULE, **{**RULE, "from_port": 80})
    assert outside(over(command, plan, "--format", "markdown")) == ""
    assert "still broken" in over(command, plan, "--format", "markdown").out


def test_a_fix_names_a_group_that_the_plan_does_not_have_by_its_identifier(command: Command) -> None:
    plan = change().keep("aws_lb.web", ARN, arn=ARN, name="web")
    comment = over(command, plan, "--format", "markdown").out
    assert '+  security_group_id = "sg-1"\n' in comment


def test_a_fix_does_not_refer_to_a_resource_that_the_configuration_lost(command: Command) -> None:
    """A `removed` block forgets the group and keeps it in the account."""
    plan = change().keep("aws_lb.web", ARN, arn=ARN, name="web")
    values = {"id": "sg-1", "name": "sg-1", "vpc_id": "vpc-1", "ingress": [], "egress": []}
    forgotten = {
        "address": "aws_security_group.web",
        "mode": "managed",
        "type": "aws_security_group",
        "name": "web",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": ["forget"], "before": values, "after": None, "after_unknown": {}},
    }
    plan.changes.append(forgotten)
    comment = over(command, plan, "--format", "markdown").out
    assert '+  security_group_id = "sg-1"\n' in comment


@pytest.mark.parametrize(
    ("module", "peer", "note"),
    [
        ("module.shop.", "aws_security_group.app.id", False),
        # A module refers to nothing of another one: the address says which identifier it needs.
        ("module.app.", "module.app.aws_security_group.app.id", True),
    ],
)
def test_a_fix_says_what_has_to_be_passed_into_the_module_of_the_group(
    module: str, peer: str, note: bool, command: Command
) -> None:
    plan = shop_group(change())
    plan.keep(f"{module}aws_security_group.app", "sg-app", **GROUP_VALUES, name="sg-app")
    plan.keep("aws_lb.web", ARN, arn=ARN, name="web")
    comment = over(command, plan, "--format", "markdown", base=targets_base()).out
    assert f"+  referenced_security_group_id = {peer}\n" in comment
    passed = "+# Pass in, as outputs and variables of modules: the id of module.app.aws_security_group.app.\n"
    assert (passed in comment) is note


@pytest.mark.parametrize(("fail_on", "code"), [("any", 1), ("new", 0), ("never", 0)])
def test_fail_on_with_earlier_findings(command: Command, fail_on: str, code: int) -> None:
    plan = change().create("aws_vpc_security_group_ingress_rule.http", **{**RULE, "from_port": 80, "to_port": 80})
    assert over(command, plan, "--fail-on", fail_on).code == code


@pytest.mark.parametrize(("fail_on", "code"), [("any", 1), ("new", 1), ("never", 0)])
def test_fail_on_with_new_findings(command: Command, fail_on: str, code: int) -> None:
    plan = change().delete("aws_vpc_security_group_ingress_rule.https", "sgr-1", **RULE)
    assert over(command, plan, "--fail-on", fail_on).code == code


def test_a_second_port_that_is_missing_is_newly_broken(command: Command) -> None:
    """Port 443 was missing before, and 8443 was not."""
    plan = change().create(
        "aws_lb_listener.more",
        load_balancer_arn=ARN,
        port=8443,
        protocol="HTTPS",
        default_action=[{"type": "redirect", "target_group_arn": ""}],
    )
    answer = over(command, plan, "--format", "json", base=saved(api_open=False))
    assert changes(answer)["web", INGRESS] == NEW
    annotation = next(one["annotation"] for one in answer.json["findings"] if one["rule"] == INGRESS)
    assert annotation.endswith("(new: TCP:8443; the rest was missing before)")
    # Its group is as it was: `api` is not affected.
    assert ("api", INGRESS) not in changes(answer)


def test_a_new_load_balancer_beside_those_that_exist(command: Command) -> None:
    plan = change().create(
        "aws_lb.new",
        name="new",
        internal=False,
        load_balancer_type="application",
        security_groups=["sg-2"],
        subnets=["subnet-1"],
    )
    answer = over(command, plan, "--format", "json")
    assert answer.code == 0
    assert compliance(answer) == {
        INGRESS: "NOT_APPLICABLE",
        EGRESS: "NOT_APPLICABLE",
        HEALTH: "NOT_APPLICABLE",
        TARGETS: "NOT_APPLICABLE",
        ICMP: "COMPLIANT",
    }


def test_a_value_that_is_not_known_is_not_taken_from_the_estate(command: Command) -> None:
    """The group of the load balancer becomes unknown: today's group is open, and decides nothing."""
    plan = change().defer("data.aws_security_group.shared")
    before = {"name": "web", "internal": False, "load_balancer_type": "application", "security_groups": ["sg-1"]}
    plan.update("aws_lb.web", ARN, before, **before)
    plan.changes[-1]["change"]["after"].pop("security_groups")
    plan.changes[-1]["change"]["after_unknown"]["security_groups"] = True
    references = {"references": ["data.aws_security_group.shared.id", "data.aws_security_group.shared"]}
    plan.root["resources"][-1]["expressions"]["security_groups"] = references
    answer = over(command, plan, "--format", "json", "--rule", INGRESS)
    assert answer.code == 3
    (error,) = answer.json["errors"]
    assert error["loadBalancerArn"] == ARN
    assert "data.aws_security_group.shared" in error["cause"]
    assert error["change"] == "newly unknown"
    assert over(command, plan, "--rule", INGRESS, "--fail-on", "new").code == 3


def test_a_plan_for_another_account(command: Command) -> None:
    """What it makes is judged alone."""
    answer = over(
        command, Plan(region="ap-south-1").create("aws_lb.a", name="a", internal=False), "--all", "--rule", INGRESS
    )
    assert "ap-south-1" in answer.out


@pytest.mark.slow
def test_over_a_live_account(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        ec2 = boto3.client("ec2", region_name=REGION)
        elbv2 = boto3.client("elbv2", region_name=REGION)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for index, zone in enumerate("ab")
        ]
        group_id = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
        arn = elbv2.create_load_balancer(
            Name="web", Subnets=[subnet["SubnetId"] for subnet in subnets], SecurityGroups=[group_id]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        action: Any = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
        elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=443, DefaultActions=[action])
        plan = change().create("aws_vpc_security_group_ingress_rule.a", **{**RULE, "security_group_id": group_id})
        answer = check(command, plan, "--region", REGION, "--format", "json")
    assert changes(answer) == {("web", INGRESS): FIXED, ("web", ICMP): STILL}


def changed(**change: Any) -> dict[str, Any]:
    """A changed resource of a plan."""
    return {"address": "aws_lb.web", "type": "aws_lb", "name": "web", "change": change}


def document(**fields: Any) -> bytes:
    plan = web()
    plan.extra = fields
    return json.dumps(plan.document()).encode()


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("tfplan", "x")
    return content.getvalue()


MESSAGES = (
    b'{"@level":"info","@message":"Terraform 1.13.4","type":"version"}\n{"@level":"info","type":"planned_change"}\n'
)
STATE = {"version": 4, "terraform_version": "1.13.4", "serial": 3, "lineage": "a", "outputs": {}, "resources": []}
SHOWN_STATE = {"format_version": "1.0", "terraform_version": "1.13.4", "values": {"root_module": {}}}
SHOW = "terraform show -json PLAN > plan.json"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped(), f"this is the binary plan; give its JSON: {SHOW}"),
        (
            MESSAGES,
            f"these are the messages of `terraform plan -json`; plan with -out=PLAN, and give a plan's JSON: {SHOW}",
        ),
        (MESSAGES.splitlines()[0], "these are the messages of `terraform plan -json`"),
        (
            json.dumps(STATE).encode(),
            f"this is a Terraform state; plan with -out=PLAN and give the plan's JSON: {SHOW}",
        ),
        (json.dumps(SHOWN_STATE).encode(), "this is a Terraform state"),
        (
            document(errored=True),
            "errored: the plan has errors, so that it lacks resources; correct them and plan again",
        ),
        (document(complete=False), "complete: the plan is incomplete (-target, or deferred changes)"),
        (
            document(
                complete=False,
                deferred_changes=[
                    {"reason": "instance_count_unknown", "resource_change": {"address": "aws_lb.web[*]"}},
                    {"reason": "deferred_prereq", "resource_change": {"address": "aws_lb_listener.web"}},
                ],
            ),
            (
                "deferred_changes: the plan leaves changes to a later one (aws_lb.web[*]: instance_count_unknown and 1 "
                "more), so that it lacks resources; plan without -allow-deferral, or apply it and judge the next plan"
            ),
        ),
        (
            document(deferred_changes=[{"reason": 1}]),
            "deferred_changes: the plan leaves changes to a later one, so that",
        ),
        (
            document(format_version="2.0"),
            "format_version: format version 2.0 is newer than this version of alb-sg reads",
        ),
        (b'{"Resources": {}}', "this is no Terraform plan"),
        (b"[]", "this is no Terraform plan"),
        (b"", "the file is empty"),
        (b"\xff\x00\xff", "neither UTF-8 nor UTF-16 text"),
        (b"{", "not JSON"),
        (b"Terraform will perform the following actions:", f"this is no JSON; give a plan's JSON: {SHOW}"),
        (
            document(resource_changes=None, planned_values={"root_module": {"resources": [{"address": "aws_lb.web"}]}}),
            "resource_changes: the changes of the planned resources are missing",
        ),
        (
            document(resource_changes=[changed(actions=["create"], after="x")]),
            "resource_changes[0].change.after: an object was expected",
        ),
        (
            # Read as no change, a removal would go unseen.
            document(resource_changes=[changed(actions=["delete", "forget"])]),
            "resource_changes[0].change.actions: these actions are not known: delete, forget; update alb-sg",
        ),
        (
            document(resource_changes=[changed(actions=["create"], after={}, after_unknown=True)]),
            "resource_changes[0].change.after_unknown: an object was expected",
        ),
        (document(resource_changes=[{"address": "a"}]), "resource_changes[0]: an object with `change` was expected"),
        (document(configuration={"root_module": []}), "configuration.root_module: an object was expected"),
    ],
    ids=[
        "binary plan",
        "messages",
        "one message",
        "state",
        "shown state",
        "errors",
        "incomplete",
        "deferred changes",
        "deferred changes in another form",
        "newer format",
        "template",
        "list",
        "empty",
        "no text",
        "no JSON",
        "what Terraform shows people",
        "no changes",
        "no values",
        "unknown actions",
        "nothing known",
        "no change",
        "no module",
    ],
)
def test_a_file_that_is_no_plan(command: Command, content: bytes, expected: str) -> None:
    path = command.folder / "plan.json"
    path.write_bytes(content)
    refused = command.refused("check", "--terraform-plan", str(path))
    assert refused.startswith(f"alb-sg: {path}: {expected}")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_plan_may_be_utf_16(command: Command, encoding: str) -> None:
    """Windows PowerShell redirects as UTF-16 with a byte order mark."""
    path = command.folder / "plan.json"
    path.write_bytes(json.dumps(open_web().document()).encode(encoding))
    assert command("check", "--terraform-plan", str(path)).code == 0


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.3"])
def test_formats_that_are_read(command: Command, version: str) -> None:
    plan = open_web()
    plan.version = version
    assert check(command, plan).code == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--fail-on", "new"), "--fail-on new needs what exists before the change"),
        (("--aggregator", "a"), "omit --aggregator"),
        (("--config-items", "a"), "omit --config-items"),
        (("--terraform-plan", "other.json"), "--terraform-plan: one plan is judged at a time"),
    ],
)
def test_options_that_do_not_combine(command: Command, options: tuple[str, ...], expected: str) -> None:
    plan = str(web().write(command.folder / "plan.json"))
    assert expected in command.refused("check", "--terraform-plan", plan, *options)


def test_standard_input_holds_one_document(command: Command) -> None:
    refused = command.refused("check", "--terraform-plan", "-", "--estate", "-")
    assert "standard input holds one document" in refused


def test_fail_on_new_needs_a_plan(command: Command) -> None:
    said = command.refused("check", "--fail-on", "new", "--estate", "x")
    assert "--fail-on new needs what exists before the change" in said


def test_sensitive_values_are_not_printed(command: Command) -> None:
    plan = web()
    plan.changes[-1]["change"]["after_sensitive"] = {"network_configuration": True, "load_balancer": True}
    plan.changes[-1]["change"]["after"]["network_configuration"][0]["subnets"] = ["subnet-secret"]
    assert "secret" not in check(command, plan).out


def test_accounts_of_the_fixture() -> None:
    assert ARN.split(":")[3:5] == [REGION, ACCOUNT]
