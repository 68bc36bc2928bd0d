"""`alb-sg explain`: why the verdicts on one load balancer are what they are."""

from __future__ import annotations

import argparse
import sys

from alb_sg.command_line.arguments import (
    Commands,
    add_command,
    add_exemptions_option,
    add_output_option,
    add_recording_options,
    add_rule_options,
    add_source_options,
)
from alb_sg.command_line.choice import choose
from alb_sg.command_line.exemption_source import given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import output
from alb_sg.command_line.sources import gather, the_one
from alb_sg.findings.explanation import explain
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.findings.judge import Judge
from alb_sg.recommendations.catalogue import (
    HEALTH_CHECK_EGRESS,
    ICMP_PMTUD,
    INSTANCE_EGRESS,
    LISTENER_INGRESS,
)
from alb_sg.report import words
from alb_sg.report.explanation_json import write_explanation_json
from alb_sg.report.explanation_text import write_explanation
from alb_sg.report.style import Style

DESCRIPTION = """\
Show the user guide's table for one load balancer: every recommended row, the security group rule that meets it and
why it matches, or what is missing, or why it could not be judged; and what needs nothing, with the reason.
"""
EXAMPLES = """\
  alb-sg explain shop
  alb-sg explain arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188
  alb-sg explain shop --estate estate.json --rule instance_egress
"""
# The order of the page's tables: inbound, outbound, and ICMP below them.
PAGE_ORDER = (LISTENER_INGRESS, INSTANCE_EGRESS, HEALTH_CHECK_EGRESS, ICMP_PMTUD)


def add_explain(commands: Commands) -> None:
    parser = add_command(
        commands,
        "explain",
        run,
        summary="show what each verdict on one load balancer rests on",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("load_balancer", metavar="ARN|NAME", help="the load balancer")
    add_source_options(parser)
    add_recording_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people (default), or json")
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    choice = choose(arguments.rule, arguments.parameter)
    name = arguments.load_balancer
    with output(arguments.output, exact=arguments.format != "text") as stream:
        exemptions = given_exemptions(arguments)
        gathered = gather(arguments, choice, [name], all_targets=True)
        estate, load_balancer = the_one(gathered, name)
        rules = {rule: choice.rules[rule] for rule in PAGE_ORDER if rule in choice.rules}
        explanation = explain(Judge(estate), load_balancer, rules)
        errors = list(gathered.errors)
        if exemptions is not None:
            explanation = exemptions.explained(explanation)
            errors.extend(exemptions.errors)
        if arguments.format == "json":
            write_explanation_json(explanation, stream)
        else:
            write_explanation(explanation, stream, Style.of(stream))
    for error in errors:
        sys.stderr.write(words.printable(f"alb-sg: {words.what(error)}: {error.cause}") + "\n")
    verdicts = [rule.verdict for rule in explanation.rules]
    return exit_code(
        [verdict for verdict in verdicts if isinstance(verdict, Finding)],
        [*errors, *(verdict for verdict in verdicts if isinstance(verdict, JudgementError))],
    )
