"""`alb-sg verdicts`: the evaluations that AWS Config has recorded in all accounts of an organization."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from alb_sg.command_line.account_options import read_given_accounts
from alb_sg.command_line.arguments import (
    Parser,
    add_exemptions_option,
    add_output_option,
    add_rule_option,
)
from alb_sg.command_line.exemption_options import load_given_exemptions
from alb_sg.command_line.exit_code import add_fail_on_argument, exit_code_by_choice, refuse_fail_on
from alb_sg.command_line.narrowing import (
    add_narrowing_options,
    is_narrowed,
    narrow_recorded,
    with_statuses,
)
from alb_sg.command_line.output import open_output, write_note
from alb_sg.command_line.result_format import add_format_options, prepare_format, write_formatted
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.command_line.sources.aggregator_evaluations import AGGREGATOR_HELP, read_observation
from alb_sg.command_line.sources.loading import add_live_options
from alb_sg.command_line.sources.role_options import add_role_options
from alb_sg.errors import InvalidInputError
from alb_sg.observations.observation import Completeness
from alb_sg.report import phrasing
from alb_sg.report.formats import TEXT

SUMMARY = "print the verdicts that AWS Config has recorded in all accounts"
DESCRIPTION = """\
Print the verdicts that AWS Config has recorded in every account and region of an organization, from an aggregator, in
any format of `alb-sg check`. This command judges nothing: age, parameters and exemptions of the verdicts are those of
the deployed rules' last run. Standard error lists what the rules have not evaluated. To judge the load balancers
yourself from the aggregator's items, use `alb-sg check --aggregator NAME`.
"""
EXAMPLES = """\
  alb-sg verdicts --aggregator alb-sg
  alb-sg verdicts --aggregator alb-sg --region eu-central-1 --format asff --output findings.jsonl
  alb-sg verdicts --aggregator alb-sg --rule listener_ingress --format csv
"""
# The most accounts and regions that a remark names.
MAX_NAMED_ACCOUNTS = 5


def add_options(parser: Parser) -> None:
    parser.epilog = f"{parser.epilog}\n{AGGREGATOR_HELP}"
    parser.add_argument("--aggregator", metavar="NAME", required=True, help="the name of the configuration aggregator")
    add_live_options(parser)
    add_role_options(parser)
    add_rule_option(parser, "print this rule only, with or without ALB_SG_; repeatable (default: all)")
    add_exemptions_option(parser)
    add_narrowing_options(parser, with_tags=False)
    add_fail_on_argument(parser)
    add_format_options(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    rules = select_rules(arguments.rule, ()).rule_names if arguments.rule else None
    prepare_format(arguments)
    if arguments.history is not None and is_narrowed(arguments):
        raise InvalidInputError("--history compares all load balancers; omit what narrows the run")
    accounts = read_given_accounts(arguments)
    refuse_fail_on(arguments, over_existing=False)
    arguments.as_of = arguments.as_of or datetime.now(UTC)
    with open_output(arguments.output, machine_readable=arguments.format != TEXT) as stream:
        exemptions = load_given_exemptions(arguments)
        observation = read_observation(arguments, rules, arguments.as_of, exemptions, with_account_names=False)
        results = narrow_recorded(arguments, observation.results, accounts)
        keep_run = write_formatted(with_statuses(arguments, results), arguments, stream, lambda _: observation)
    keep_run()
    for remark in _completeness_remarks(observation.completeness):
        write_note(remark)
    return exit_code_by_choice(arguments, results.findings, results.errors)


def _completeness_remarks(completeness: Completeness) -> Iterator[str]:
    """What the recorded verdicts do not cover."""
    expected = completeness.expected or ()
    silent = [account_region for account_region in expected if account_region not in completeness.observed]
    if silent:
        yield (
            f"The aggregator collects from {len(expected):,} accounts and regions, and has nothing of "
            f"{len(silent):,} of them: {phrasing.abbreviate(list(map(str, silent)), MAX_NAMED_ACCOUNTS)}."
        )
    for account_region, rules in (completeness.rules_deployed or {}).items():
        lacking = sorted(set(completeness.rules_expected) - rules)
        if lacking:
            yield f"{account_region} has load balancers and no verdict of {', '.join(lacking)}."
    yield from completeness.gaps
