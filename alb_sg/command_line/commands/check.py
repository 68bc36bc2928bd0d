"""`alb-sg check`: the verdict of every rule on every load balancer."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from alb_sg.command_line.account_options import read_given_accounts
from alb_sg.command_line.argument_types import add_repeatable, whole_number
from alb_sg.command_line.arguments import Parser, add_exemptions_option, add_output_option, add_rule_options
from alb_sg.command_line.entry_point import keep_until_exit
from alb_sg.command_line.evaluate_all import evaluate_all
from alb_sg.command_line.exemption_options import load_given_exemptions
from alb_sg.command_line.exit_code import ExitCode, add_fail_on_argument, exit_code_by_choice, refuse_fail_on
from alb_sg.command_line.narrowing import (
    add_narrowing_options,
    is_narrowed,
    narrow_estates,
    narrow_rules,
    with_statuses,
)
from alb_sg.command_line.output import open_output
from alb_sg.command_line.result_format import add_format_options, prepare_format, write_formatted
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.command_line.sources.loading import (
    add_recording_options,
    add_source_options,
    load_estates,
    reads_only_config_items,
)
from alb_sg.command_line.sources.planned import has_base, is_planned
from alb_sg.command_line.sources.role_options import add_roles_options, reads_with_role
from alb_sg.command_line.streaming import StreamedResults, stream_json_lines
from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import find_json_files
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.results import Results
from alb_sg.report.formats import ASFF, JSON, JSON_LINES, TEXT

if TYPE_CHECKING:
    # Slow to import, and for a history alone.
    from alb_sg.observations.observation import Observation

SUMMARY = "judge load balancers"
DESCRIPTION = """\
Judge the security groups of load balancers against what Elastic Load Balancing recommends for Application Load
Balancers: listener ports open to clients, targets reachable on their ports and health check ports, Path MTU
Discovery. Each rule gives each load balancer one verdict: COMPLIANT, NON_COMPLIANT or NOT_APPLICABLE. Data that could
not be read is an error that names it, never a verdict.
"""
EXAMPLES = """\
  alb-sg check                                          this account, in the profile's region
  alb-sg check --region eu-west-1 --region us-east-1
  alb-sg check --load-balancer shop --rule listener_ingress
  alb-sg check --source config                          a tenth of the calls, as current as AWS Config
  alb-sg check --aggregator organization --format csv   all accounts, in one place
  alb-sg check --accounts accounts.json --assume-role alb-sg-reader --region all --resume run/     all accounts, live
  alb-sg check --estate estate.json --format json       no call is made
  alb-sg check --config-items snapshot.json.gz --format csv --output findings.csv
  alb-sg check --parameter ALB_SG_LISTENER_INGRESS:AcceptedSources=pl-3b927c52@443,none@80
  alb-sg check --format markdown --output comment.md    for a pull request; also sarif, junit, asff, ocsf
  alb-sg check --terraform-plan plan.json               before it is applied: terraform show -json PLAN > plan.json
  alb-sg check --terraform-plan plan.json --region eu-west-1 --fail-on new     over the account, for a pull request
  alb-sg check --exemptions exemptions.json             see `alb-sg exemptions --help`
"""


def add_options(parser: Parser) -> None:
    add_source_options(parser)
    add_recording_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    add_repeatable(
        parser, "--load-balancer", metavar="ARN|NAME", help="judge this load balancer only; repeatable (default: all)"
    )
    add_narrowing_options(parser, with_tags=True)
    add_roles_options(parser, resumes="what was judged")
    add_fail_on_argument(parser)
    add_format_options(parser)
    add_output_option(parser)
    parser.add_argument(
        "--jobs",
        type=whole_number(1, 1024, "a number of processes"),
        default=os.cpu_count() or 1,
        metavar="N",
        help="number of processes for --config-items with --format jsonl and files of several accounts and regions "
        "(default: one per processor)",
    )


def run(arguments: argparse.Namespace) -> int:
    selection = narrow_rules(arguments, select_rules(arguments.rule, arguments.parameter))
    accounts = read_given_accounts(arguments)
    prepare_format(arguments)
    if arguments.history is not None and (arguments.load_balancer or is_narrowed(arguments)):
        raise InvalidInputError("--history compares all load balancers; omit --load-balancer and what narrows the run")
    if is_planned(arguments) and is_narrowed(arguments):
        raise InvalidInputError("a plan or template is narrowed by --load-balancer and --rule; omit the other options")
    refuse_fail_on(arguments, over_existing=is_planned(arguments) and has_base(arguments))
    if reads_with_role(arguments):
        return _check_accounts(arguments, selection, accounts)
    with open_output(arguments.output, machine_readable=arguments.format != TEXT) as stream:
        if is_planned(arguments):
            # Most runs judge no plan or template.
            from alb_sg.command_line.evaluate_planned import evaluate_planned  # noqa: PLC0415 (slow, see above)

            planned = evaluate_planned(arguments, selection, arguments.load_balancer, load_given_exemptions(arguments))
            if arguments.format == ASFF:
                _require_accounts(planned)
            if arguments.history is not None:
                raise InvalidInputError("--history is of what exists; omit it with --terraform-plan and --template")
            write_formatted(planned, arguments, stream)
            return exit_code_by_choice(arguments, planned.findings, planned.errors)
        if arguments.format == JSON_LINES and arguments.exemptions is None and not arguments.status:
            written = _stream_json_lines(arguments, selection, accounts, stream)
            return exit_code_by_choice(arguments, written.non_compliant_findings, written.errors)
        # Slow to import, and the streaming path does not need it.
        from alb_sg.command_line.planning import make_planner, with_advice, with_remarks  # noqa: PLC0415 (slow, and not always needed)

        exemptions = load_given_exemptions(arguments)
        loaded = narrow_estates(arguments, load_estates(arguments, selection, arguments.load_balancer), accounts)
        results = replace(evaluate_all(loaded, selection, exemptions), accounts=accounts)
        if arguments.format != JSON_LINES:
            results = with_advice(results, make_planner(arguments, loaded, selection, exemptions))
        if arguments.format == JSON:
            results = with_remarks(results, loaded)
        keep_run = write_formatted(
            with_statuses(arguments, results),
            arguments,
            stream,
            lambda as_of: _observe(loaded, selection, results, as_of),
        )
    keep_run()
    return exit_code_by_choice(arguments, results.findings, results.errors)


def _check_accounts(
    arguments: argparse.Namespace, selection: RuleSelection, accounts: Mapping[str, AccountName]
) -> ExitCode:
    """Judges accounts that are read with a role."""
    from alb_sg.command_line.accounts.check import judge_accounts, merge_results, stream_results  # noqa: PLC0415 (as above)
    from alb_sg.observations.from_estates import observe_results  # noqa: PLC0415 (as above)

    exemptions = load_given_exemptions(arguments)
    with judge_accounts(arguments, selection, accounts, exemptions) as account_results:
        with open_output(arguments.output, machine_readable=arguments.format != TEXT) as stream:
            if arguments.format == JSON_LINES and exemptions is None and not arguments.status:
                written = stream_results(account_results, stream)
                return exit_code_by_choice(arguments, written.non_compliant_findings, written.errors)
            results = merge_results(account_results, selection, accounts, exemptions, arguments.load_balancer)
            keep_run = write_formatted(
                with_statuses(arguments, results), arguments, stream, lambda as_of: observe_results(results, {}, as_of)
            )
        keep_run()
    return exit_code_by_choice(arguments, results.findings, results.errors)


def _observe(loaded: LoadedEstates, selection: RuleSelection, results: Results, as_of: datetime) -> Observation:
    from alb_sg.observations.from_estates import load_balancer_details, observe_results  # noqa: PLC0415 (for a history alone)

    return observe_results(results, load_balancer_details(loaded.estates, selection.rules, results), as_of)


def _require_accounts(results: Results) -> None:
    """Raises InvalidInputError where a plan does not tell the account that a finding in ASFF must name."""
    if any(not finding.account_id for finding in results.findings):
        raise InvalidInputError(
            "--format asff: Security Hub needs the account of each load balancer, and the plan or template does not "
            "tell it; judge over the account with --region, or choose another format"
        )


def _stream_json_lines(
    arguments: argparse.Namespace, selection: RuleSelection, accounts: Mapping[str, AccountName], stream: TextIO
) -> StreamedResults:
    """Writes each verdict as soon as it is known, one line each."""
    is_parallel = reads_only_config_items(arguments) and not is_narrowed(arguments)
    files = find_json_files(arguments.config_items) if is_parallel else []
    if len(files) > 1:
        from alb_sg.command_line.parallel import stream_json_lines_in_parallel  # noqa: PLC0415 (it imports multiprocessing)

        written = stream_json_lines_in_parallel(files, arguments.rule, arguments.parameter, arguments.jobs, stream)
        if written is not None:
            return written
    return stream_json_lines(
        lambda: keep_until_exit(
            narrow_estates(arguments, load_estates(arguments, selection, arguments.load_balancer), accounts)
        ),
        selection,
        stream,
    )
