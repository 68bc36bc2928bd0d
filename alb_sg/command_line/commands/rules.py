"""`alb-sg rules`: what each rule asks."""

from __future__ import annotations

import argparse

from alb_sg.command_line.arguments import Commands, add_command
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output
from alb_sg.command_line.rule_selection import find_rule
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.report.rules_text import write_rules
from alb_sg.report.style import Style

DESCRIPTION = """\
What each rule asks, its parameters with their defaults, and where the Elastic Load Balancing user guide says so.
"""
EXAMPLES = """\
  alb-sg rules
  alb-sg rules ALB_SG_LISTENER_INGRESS
"""
EXIT_CODES = """\
exit codes:
  0  the rules are shown
  2  there is no such rule
"""


def add_rules(commands: Commands) -> None:
    parser = add_command(
        commands,
        "rules",
        run,
        summary="say what each rule asks",
        description=DESCRIPTION,
        examples=EXAMPLES,
        exit_codes=EXIT_CODES,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="one rule (default: all)")


def run(arguments: argparse.Namespace) -> int:
    rules = DISPLAY_ORDER if arguments.name is None else (find_rule(arguments.name),)
    with open_output(None) as stream:
        write_rules(rules, stream, Style.for_stream(stream))
    return ExitCode.SUCCESS
