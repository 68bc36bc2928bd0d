"""`alb-sg explain`: the reasons for the verdicts on one load balancer."""

from __future__ import annotations

import argparse

from alb_sg.command_line.arguments import (
    Parser,
    add_exemptions_option,
    add_output_option,
    add_rule_options,
    add_text_or_json_option,
)
from alb_sg.command_line.exemption_options import load_given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import open_output, write_errors
from alb_sg.command_line.planning import make_fix_request, make_planner
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, require_single_load_balancer
from alb_sg.command_line.sources.loading import add_recording_options, add_source_options, load_estates
from alb_sg.command_line.sources.planned import is_planned
from alb_sg.command_line.sources.role_options import add_role_options
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.explanation import Explanation, explain
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.findings.judge import Judge
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.findings.remarks import RemarkFinder
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from alb_sg.remediation.planning import make_plan
from alb_sg.report.advice import Advice, plan_advice
from alb_sg.report.explanation_json import explanation_document
from alb_sg.report.explanation_text import explanation_lines
from alb_sg.report.json_report import write_json_document
from alb_sg.report.style import Style, write_lines

SUMMARY = "show the reasons for the verdicts on one load balancer"
DESCRIPTION = """\
Show the user guide's table for one load balancer. Each recommended row has the security group rule that meets it and
why it matches, the missing parts, or why it could not be judged. Listeners and target groups that need nothing are
listed with the reason. For ALB_SG_UNUSED_INGRESS, it shows open and unused parts, and the commands that remove them.
"""
EXAMPLES = """\
  alb-sg explain shop
  alb-sg explain arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188
  alb-sg explain ARN --assume-role alb-sg-reader        in the account of the ARN, with its role of this name
  alb-sg explain shop --estate estate.json --rule instance_egress
  alb-sg explain shop --rule unused_ingress
"""


def add_options(parser: Parser) -> None:
    parser.add_argument("load_balancer", metavar="ARN|NAME", help="the load balancer")
    add_source_options(parser)
    add_recording_options(parser)
    add_role_options(parser, names_load_balancers=True)
    add_rule_options(parser)
    add_exemptions_option(parser)
    add_text_or_json_option(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    selection = select_rules(arguments.rule, arguments.parameter)
    name = arguments.load_balancer
    with open_output(arguments.output, machine_readable=arguments.format != "text") as stream:
        exemptions = load_given_exemptions(arguments)
        loaded = load_estates(arguments, selection, [name], include_all_targets=True)
        estate, load_balancer = require_single_load_balancer(loaded, name)
        judge = Judge(estate, {} if exemptions is None else exemptions.of_ports)
        explanation = explain(
            judge, load_balancer, selection.rules_to_display, _remark_finder(loaded, estate, load_balancer)
        )
        errors = list(loaded.errors)
        if exemptions is not None:
            explanation = exemptions.apply_to_explanation(explanation)
            errors.extend(exemptions.errors)
        advice = _advice(arguments, loaded, selection, exemptions, explanation, estate)
        if arguments.format == "json":
            write_json_document(explanation_document(explanation, advice, arguments.applied_options), stream)
        else:
            write_lines(explanation_lines(explanation, advice, Style.for_stream(stream)), stream)
    write_errors(errors)
    return exit_code([*errors, *(rule.verdict for rule in explanation.rules)])


def _remark_finder(loaded: LoadedEstates, estate: Estate, load_balancer: LoadBalancer) -> RemarkFinder:
    """What remarks rest on: what was read for verdicts; in a live account, some calls more."""
    if loaded.credentials is None or load_balancer.type != "application":
        return RemarkFinder(estate)
    # Importing boto3 takes a third of a second, which commands on files do not need.
    from alb_sg.command_line.sources.live import open_live_clients  # noqa: PLC0415 (see above)
    from alb_sg.live.remark_facts import read_remark_facts  # noqa: PLC0415 (slow, and not always needed)

    clients = open_live_clients(loaded.credentials, estate.account_id, estate.region)
    return read_remark_facts(clients, estate, load_balancer)


def _advice(
    arguments: argparse.Namespace,
    loaded: LoadedEstates,
    selection: RuleSelection,
    exemptions: LoadedExemptions | None,
    explanation: Explanation,
    estate: Estate,
) -> Advice:
    """What `alb-sg fix` would do about the findings. In a live account, it reads who carries and manages the groups."""
    results = sorted((rule.verdict for rule in explanation.rules), key=lambda result: result.rule or "")
    load_balancer = explanation.load_balancer
    if not any(isinstance(one, Finding) and one.compliance is Compliance.NON_COMPLIANT for one in results):
        return {}
    if is_planned(arguments):
        plan = PlannedEstatePlanner(estate, selection.rules).plan(load_balancer, results)
    elif loaded.credentials is not None:
        from alb_sg.command_line.sources.live import open_live_clients  # noqa: PLC0415 (it imports boto3)
        from alb_sg.remediation.account import AccountClients  # noqa: PLC0415 (slow, and not always needed)
        from alb_sg.remediation.live_planning import live_change_context  # noqa: PLC0415 (slow, and not always needed)

        clients = open_live_clients(loaded.credentials, estate.account_id, estate.region)
        account = AccountClients(clients, estate.account_id, estate.region)
        context = live_change_context(account, estate, load_balancer, results)
        plan = make_plan(estate, load_balancer, make_fix_request(selection, exemptions), results, context)
    else:
        plan = make_planner(arguments, loaded, selection, exemptions).plan(estate, load_balancer, results)
    return plan_advice(plan)
