"""`make demo`: the rules' real handlers on an embedded AWS.

    python -m demo [FOLDER]

Builds load balancers, sends each rule the events that AWS Config sends, and shows what Config then has recorded. The
account as a saved estate and the dashboard's page of it go into FOLDER (build/demo).
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from alb_sg.command_line.main import main as command
from alb_sg.errors import IncompleteEvaluationError
from alb_sg.estate.resource_types import LISTENER_TYPE, SECURITY_GROUP_TYPE
from alb_sg.live import LiveClients, LiveSource
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from demo.estate import build_estate
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, tcp

FOLDER = Path(__file__).parents[1] / "build" / "demo"
RULES_FOLDER = Path(__file__).parents[1] / "rules"
# Each rule that is deployed by default, with the heading of its column.
RULES = {rule.name: rule.subject for rule in DISPLAY_ORDER if rule.deployed_by_default}
COLUMN_WIDTH = max(map(len, RULES.values())) + 2
SHORT_LABELS = {"COMPLIANT": "ok", "NON_COMPLIANT": "MISSING", "NOT_APPLICABLE": "-"}

Handler = Callable[[dict[str, Any], None], list[dict[str, Any]]]


def load_handler(rule: str) -> Handler:
    """A rule's `lambda_handler`, from its own folder."""
    spec = importlib.util.spec_from_file_location(rule, RULES_FOLDER / rule / f"{rule}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(RULES_FOLDER / rule)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Handler = module.lambda_handler
    return found


def invoke(rule: str, event: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Runs a handler as Lambda would: how it ended, and the lines of JSON that it logged."""
    output = StringIO()
    try:
        with redirect_stdout(output):
            answer = load_handler(rule)(event, None)
        json.dumps(answer)
        ended = f"recorded {len(answer)}"
    except IncompleteEvaluationError as error:
        ended = f"failed, as it must: {error}"
    return ended, [json.loads(line) for line in output.getvalue().splitlines() if line.startswith("{")]


def main(argv: Sequence[str]) -> int:
    # moto says at this level that its simulation has no such certificate authority.
    logging.disable(logging.WARNING)
    with EmbeddedAws() as aws:
        shown = build_estate(aws)
        names = {
            found["LoadBalancerArn"]: found["LoadBalancerName"]
            for found in aws.elbv2.describe_load_balancers()["LoadBalancers"]
        }
        unreadable = next(
            found["TargetGroupArn"]
            for found in aws.elbv2.describe_target_groups()["TargetGroups"]
            if found["TargetGroupName"] == "unreadable-targets"
        )
        aws.faults.fail("DescribeTargetHealth", "AccessDenied", when=lambda body: unreadable.rsplit("/", 1)[1] in body)
        print(f"An embedded AWS account {ACCOUNT_ID} in {REGION}: {len(names)} load balancers.\n")

        print("AWS Config's periodic run, each rule's own lambda_handler:")
        for rule in RULES:
            ended, lines = invoke(rule, aws.scheduled_event(rule))
            print(f"  {rule}: {ended}")
            for line in lines:
                print(f"    log: {json.dumps(line)}")
        print("\nWhat AWS Config has recorded:\n")
        print_verdicts(aws, names, shown)

        aws.faults.clear()
        print("\nChange events:")
        repair_listener(aws, names)
        delete_listener(aws, names)

        estate = export_estate(aws, Path(argv[0]) if argv else FOLDER)
    print("\nalb-sg explain no-health\n")
    command(["explain", "no-health", "--estate", str(estate)])
    page = estate.with_name("dashboard.html")
    command(["dashboard", "--estate", str(estate), "--output", str(page)])
    print(f"\nThe dashboard of this account: {page}")
    return 0


def print_verdicts(aws: EmbeddedAws, names: dict[str, str], descriptions: dict[str, str]) -> None:
    print(f"  {'load balancer':14}" + "".join(f"{short:{COLUMN_WIDTH}}" for short in RULES.values()) + "shows")
    recorded = {rule: aws.config.evaluations(rule) for rule in RULES}
    answered = {(found.rule_name, found.resource_id): found for found in aws.config.accepted_evaluations}
    for arn, name in sorted(names.items(), key=lambda item: list(descriptions).index(item[1])):
        cells = []
        for rule in RULES:
            found = recorded[rule].get(arn) or answered.get((rule, arn))
            cells.append("no verdict" if found is None else SHORT_LABELS[found.compliance_type])
        print(f"  {name:14}" + "".join(f"{cell:{COLUMN_WIDTH}}" for cell in cells) + descriptions[name])
    print("\nAnnotations of what is missing:")
    for rule in RULES:
        for arn, found in sorted(recorded[rule].items(), key=lambda item: names[item[0]]):
            if found.compliance_type == "NON_COMPLIANT":
                print(f"  {rule} {names[arn]}: {found.annotation}")


def recorded_compliance(aws: EmbeddedAws, rule: str, arn: str) -> str:
    return aws.config.evaluations(rule)[arn].compliance_type


def repair_listener(aws: EmbeddedAws, names: dict[str, str]) -> None:
    rule, arn = "ALB_SG_LISTENER_INGRESS", find_arn(names, "no-https")
    group = aws.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["SecurityGroups"][0]
    aws.allow_ingress(group, [tcp(443, "0.0.0.0/0")])
    invoke(rule, aws.change_event(rule, SECURITY_GROUP_TYPE, group))
    print(f"  {group} lets port 443 in: no-https is {recorded_compliance(aws, rule, arn)}")


def delete_listener(aws: EmbeddedAws, names: dict[str, str]) -> None:
    rule, arn = "ALB_SG_LISTENER_INGRESS", find_arn(names, "edge-only")
    listener = aws.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"]
    aws.elbv2.delete_listener(ListenerArn=listener)
    aws.allow_ingress(
        aws.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["SecurityGroups"][0],
        [tcp(80, "0.0.0.0/0")],
    )
    aws.listener(arn, 80)
    invoke(rule, aws.change_event(rule, LISTENER_TYPE, listener, status="ResourceDeleted"))
    print(
        "  edge-only's listener on port 443 is gone, one on 80 is there: edge-only is "
        f"{recorded_compliance(aws, rule, arn)}"
    )


def find_arn(names: dict[str, str], name: str) -> str:
    return next(arn for arn, found in names.items() if found == name)


def export_estate(aws: EmbeddedAws, folder: Path) -> Path:
    """A saved estate of the embedded account, as `alb-sg export` writes it."""
    saved = LiveSource(LiveClients(elbv2=aws.elbv2, ec2=aws.ec2), ACCOUNT_ID, REGION).export()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "estate.json"
    path.write_text(json.dumps(saved, default=str), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
