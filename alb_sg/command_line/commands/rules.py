"""`alb-sg rules`: what each rule requires."""

from __future__ import annotations

import argparse

from alb_sg.command_line.arguments import Parser, add_text_or_json_option
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output
from alb_sg.command_line.rule_selection import find_rule
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.report.json_report import write_json_document
from alb_sg.report.rules_text import rules_document, rules_lines
from alb_sg.report.style import Style, write_lines

SUMMARY = "show what each rule requires"
DESCRIPTION = """\
Show what each rule requires, its parameters with their defaults, and its section of the Elastic Load Balancing user
guide.
"""
EXAMPLES = """\
  alb-sg rules
  alb-sg rules ALB_SG_LISTENER_INGRESS
  alb-sg rules --format json
"""
EXIT_CODES = """\
exit codes:
  0  success
  2  no rule has this name
"""


def add_options(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="one rule (default: all)")
    add_text_or_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    rules = DISPLAY_ORDER if arguments.name is None else (find_rule(arguments.name),)
    with open_output(None, machine_readable=arguments.format == "json") as stream:
        if arguments.format == "json":
            write_json_document(rules_document(rules), stream)
        else:
            write_lines(rules_lines(rules, Style.for_stream(stream)), stream)
    return ExitCode.SUCCESS
