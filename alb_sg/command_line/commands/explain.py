"""`alb-sg explain`: the reasons for the verdicts on one load balancer."""

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
    add_text_or_json_option,
)
from alb_sg.command_line.exemption_options import load_given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import open_output
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.command_line.sources.loaded_estates import require_single_load_balancer
from alb_sg.command_line.sources.loading import load_estates
from alb_sg.findings.explanation import explain
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import Judge
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.report.explanation_json import write_explanation_json
from alb_sg.report.explanation_text import write_explanation
from alb_sg.report.style import Style
from alb_sg.report.text import write_errors

DESCRIPTION = """\
Show the user guide's table for one load balancer. Each recommended row has the security group rule that meets it and
why it matches, what is missing, or why it could not be judged. Listeners and target groups that need nothing are
listed with the reason. For ALB_SG_UNUSED_INGRESS, it shows what is open and unused, and the commands that remove it.
"""
EXAMPLES = """\
  alb-sg explain shop
  alb-sg explain arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188
  alb-sg explain shop --estate estate.json --rule instance_egress
  alb-sg explain shop --rule unused_ingress
"""


def add_explain(commands: Commands) -> None:
    parser = add_command(
        commands,
        "explain",
        run,
        summary="show the reasons for the verdicts on one load balancer",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("load_balancer", metavar="ARN|NAME", help="the load balancer")
    add_source_options(parser)
    add_recording_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    add_text_or_json_option(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    choice = select_rules(arguments.rule, arguments.parameter)
    name = arguments.load_balancer
    with open_output(arguments.output, machine_readable=arguments.format != "text") as stream:
        exemptions = load_given_exemptions(arguments)
        gathered = load_estates(arguments, choice, [name], include_all_targets=True)
        estate, load_balancer = require_single_load_balancer(gathered, name)
        rules = {rule: choice.rules[rule] for rule in DISPLAY_ORDER if rule in choice.rules}
        explanation = explain(Judge(estate, {} if exemptions is None else exemptions.of_ports), load_balancer, rules)
        errors = list(gathered.errors)
        if exemptions is not None:
            explanation = exemptions.apply_to_explanation(explanation)
            errors.extend(exemptions.errors)
        if arguments.format == "json":
            write_explanation_json(explanation, stream)
        else:
            write_explanation(explanation, stream, Style.for_stream(stream))
    write_errors(errors, sys.stderr)
    verdicts = [rule.verdict for rule in explanation.rules]
    return exit_code(
        [verdict for verdict in verdicts if isinstance(verdict, Finding)],
        [*errors, *(verdict for verdict in verdicts if isinstance(verdict, EvaluationError))],
    )
