"""`alb-sg what-if`: the verdicts before and after a planned change."""

from __future__ import annotations

import argparse

from alb_sg.command_line.argument_types import TRAFFIC_PORT, add_repeatable, health_check_port, port, security_group_ids
from alb_sg.command_line.arguments import Parser, add_output_option, add_rule_options, add_text_or_json_option
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import open_output, write_errors
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.command_line.sources.loaded_estates import require_single_load_balancer
from alb_sg.command_line.sources.loading import add_source_options, load_estates
from alb_sg.command_line.sources.role_options import add_role_options
from alb_sg.errors import InvalidInputError
from alb_sg.estate import what_if
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.judge import Judge
from alb_sg.report.json_report import write_json_document
from alb_sg.report.style import Style, write_lines
from alb_sg.report.what_if import WhatIfReport, what_if_document, what_if_lines

SUMMARY = "judge a change before it is made"
DESCRIPTION = """\
"Whenever you add a listener to your load balancer or update the health check port for a target group used by the load
balancer to route requests, you must verify that the security groups associated with the load balancer allow traffic on
the new port in both directions". This command verifies it before you make the change. It shows each rule's verdict
before and after, and what would be missing. It changes nothing.
"""
EXAMPLES = """\
  alb-sg what-if shop --add-listener 8443
  alb-sg what-if shop --health-check-port shop-targets=9000
  alb-sg what-if shop --health-check-port shop-targets=traffic-port --remove-listener 80
  alb-sg what-if shop --security-groups sg-0a1b2c3d,sg-4e5f6a7b --estate estate.json

The exit code follows the verdicts after the change.
"""


def add_options(parser: Parser) -> None:
    parser.add_argument("load_balancer", metavar="ARN|NAME", help="the load balancer")
    changes = parser.add_argument_group("changes (one or more)")
    add_repeatable(changes, "--add-listener", type=port, metavar="PORT", help="HTTPS on 443 and 8443, else HTTP")
    add_repeatable(changes, "--remove-listener", type=port, metavar="PORT")
    add_repeatable(
        changes,
        "--health-check-port",
        type=health_check_port,
        metavar="TARGET-GROUP=PORT",
        help="set the health check port of a target group (name or ARN) to a port or traffic-port",
    )
    changes.add_argument(
        "--security-groups",
        type=security_group_ids,
        metavar="sg-…,sg-…",
        help="replace the load balancer's security groups by these",
    )
    add_source_options(parser)
    add_role_options(parser, names_load_balancers=True)
    add_rule_options(parser)
    add_text_or_json_option(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    selection = select_rules(arguments.rule, arguments.parameter)
    groups: tuple[str, ...] | None = arguments.security_groups
    if not (arguments.add_listener or arguments.remove_listener or arguments.health_check_port or groups):
        raise InvalidInputError(
            "no change given; name one with --add-listener, --remove-listener, --health-check-port or --security-groups"
        )
    name = arguments.load_balancer
    rules = selection.rules_to_display
    with open_output(arguments.output, machine_readable=arguments.format != "text") as stream:
        loaded = load_estates(arguments, selection, [name], include_all_targets=True, also_security_groups=groups or ())
        estate, load_balancer = require_single_load_balancer(loaded, name)
        changed, changes, notes = _apply_changes(estate, load_balancer, arguments)
        judge, judge_after = Judge(estate), Judge(changed)
        after = changed.load_balancers[load_balancer.arn]
        found = WhatIfReport(
            load_balancer,
            changes,
            notes,
            [judge.judge(load_balancer, *rule) for rule in rules.items()],
            [judge_after.judge(after, *rule) for rule in rules.items()],
        )
        if arguments.format == "json":
            write_json_document(what_if_document(found, arguments.applied_options), stream)
        else:
            write_lines(what_if_lines(found, Style.for_stream(stream)), stream)
    write_errors(loaded.errors)
    return exit_code([*loaded.errors, *found.after])


def _apply_changes(
    estate: Estate, load_balancer: LoadBalancer, arguments: argparse.Namespace
) -> tuple[Estate, list[str], list[str]]:
    """The estate after the changes, a description of each change, and notes on what the verdicts leave out."""
    changes: list[str] = []
    notes: list[str] = []
    if arguments.security_groups:
        estate = what_if.set_security_groups(estate, load_balancer, arguments.security_groups)
        changes.append(f"its security groups were {', '.join(arguments.security_groups)}")
    for removed in arguments.remove_listener:
        estate = what_if.remove_listener(estate, load_balancer, removed)
        changes.append(f"its listener on port {removed} were removed")
    if arguments.remove_listener:
        notes.append("target groups stay associated: rules of other listeners may forward to them")
    for added in arguments.add_listener:
        estate = what_if.add_listener(estate, load_balancer, added)
        changes.append(f"it had a listener on port {added}")
    if arguments.add_listener:
        notes.append("a new listener forwards to no new target group here: check both sides once it does")
    for name, check_port in arguments.health_check_port:
        group = what_if.health_checked_group(estate, load_balancer, name)
        estate = what_if.set_health_check_port(estate, load_balancer, name, check_port)
        changes.append(f"the health check port of target group {group.name} were {check_port or TRAFFIC_PORT}")
        others = sorted(arn for arn in group.load_balancer_arns or () if arn != load_balancer.arn)
        if others:
            notes.append(f"target group {group.name} is also used by {', '.join(others)}: not judged here")
    return estate, changes, notes
