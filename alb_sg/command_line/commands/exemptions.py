"""`alb-sg exemptions`: which exemptions are in force, end soon, have expired, or hide nothing."""

from __future__ import annotations

import argparse

from alb_sg.command_line.argument_types import whole_number
from alb_sg.command_line.arguments import Parser, add_output_option, add_rule_options, add_text_or_json_option
from alb_sg.command_line.exemption_options import (
    EXEMPTIONS_HELP,
    add_date_option,
    exemption_date,
    read_exemption_document,
)
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.command_line.sources.loading import add_source_options, load_estates
from alb_sg.command_line.sources.role_options import add_role_options
from alb_sg.exemptions.exemption import Exemption, VerdictKey
from alb_sg.findings.exemption_review import DEFAULT_EXPIRING_DAYS, ReviewScope, review
from alb_sg.findings.finding import EvaluationError, Result
from alb_sg.findings.judge import judge_all
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.report.exemptions import exemptions_document, exemptions_lines
from alb_sg.report.json_report import write_json_document
from alb_sg.report.style import Style, write_lines

SUMMARY = "list exemptions and those that need attention"
DESCRIPTION = """\
List exemptions by state: in force, about to expire, expired, and unused because the load balancer does not exist or is
not NON_COMPLIANT without them. Malformed entries, which exempt nothing, are listed too. For load balancers outside the
sources below, the use is unknown.
"""
EXAMPLES = """\
  alb-sg exemptions exemptions.json
  alb-sg exemptions s3://governance/alb-sg/exemptions.json --days 60 --region eu-west-1 --region us-east-1
  alb-sg exemptions ssm:/alb-sg/exemptions --config-items snapshots/ --format json
  alb-sg exemptions exemptions.json --estate estate.json --date 2027-01-31
"""
EXIT_CODES = """\
exit codes:
  0  nothing needs attention
  1  an exemption has expired, is about to expire, or is unused
  2  the call or its input cannot be used, or SOURCE is no document of exemptions
  3  an entry is malformed, or something could not be read or judged
"""


def add_options(parser: Parser) -> None:
    parser.epilog = f"{parser.epilog}\n{EXEMPTIONS_HELP}"
    parser.add_argument("document", metavar="SOURCE", help="a file, s3://bucket/key, or ssm:/parameter/name")
    parser.add_argument(
        "--days",
        type=whole_number(0, 99_999, "a number of days"),
        default=DEFAULT_EXPIRING_DAYS,
        metavar="N",
        help=f"an exemption that ends within N days is about to expire (default: {DEFAULT_EXPIRING_DAYS})",
    )
    add_date_option(parser)
    add_source_options(parser)
    add_role_options(parser)
    add_rule_options(parser)
    add_text_or_json_option(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    selection = select_rules(arguments.rule, arguments.parameter)
    today = exemption_date(arguments)
    with open_output(arguments.output, machine_readable=arguments.format != "text") as stream:
        exemptions = read_exemption_document(arguments.document, arguments.profile, arguments.region)
        loaded = load_estates(arguments, selection)
        entries = [entry for entry in exemptions.entries if entry.rule in selection.rule_names]
        results = _judge_exempted(loaded, selection, entries)
        scope = ReviewScope({estate.account_region for estate in loaded.estates}, results, loaded.errors)
        report = ExemptionsReport(
            exemptions.document_name,
            today,
            arguments.days,
            review(entries, scope, today, arguments.days),
            [one for one in exemptions.malformed if one.rule is None or one.rule in selection.rule_names],
            sorted(
                [*loaded.errors, *(result for result in results.values() if isinstance(result, EvaluationError))],
                key=lambda error: error.sort_key,
            ),
        )
        if arguments.format == "json":
            write_json_document(exemptions_document(report), stream)
        else:
            write_lines(exemptions_lines(report, Style.for_stream(stream)), stream)
    if report.malformed or report.errors:
        return ExitCode.INCOMPLETE_EVALUATION
    if any(one.needs_attention for one in report.reviewed):
        return ExitCode.NEEDS_ATTENTION
    return ExitCode.SUCCESS


def _judge_exempted(
    loaded: LoadedEstates, selection: RuleSelection, entries: list[Exemption]
) -> dict[VerdictKey, Result]:
    """The results without exemptions for every load balancer and rule that an exemption names."""
    keys = {entry.key for entry in entries}
    arns = {arn for arn, _ in keys}
    found: dict[VerdictKey, Result] = {}
    for estate in loaded.estates:
        named = [one for one in loaded.load_balancers_by_account_region[estate.account_region] if one.arn in arns]
        findings, errors = judge_all(estate, named, selection.rules)
        results: list[Result] = [*findings, *errors]
        for result in results:
            # An error of the judge names a load balancer and a rule, like a finding.
            key = (str(result.load_balancer_arn), str(result.rule))
            if key in keys:
                found[key] = result
    return found
