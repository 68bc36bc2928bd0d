"""`alb-sg dashboard`: the compliance of all load balancers as one page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.argument_types import time_with_zone, whole_number
from alb_sg.command_line.arguments import (
    Commands,
    add_command,
    add_exemptions_option,
    add_history_option,
    add_rule_options,
    add_source_options,
)
from alb_sg.command_line.evaluate_all import evaluate_all
from alb_sg.command_line.exemption_options import EXEMPTIONS_HELP, load_given_exemptions
from alb_sg.command_line.exit_code import ExitCode, exit_code
from alb_sg.command_line.history import add_to_history, read_earlier_runs
from alb_sg.command_line.output import open_output
from alb_sg.command_line.planning import make_planner, plan_results
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.settings_option import add_settings_option
from alb_sg.command_line.sources.aggregator_evaluations import (
    ACCOUNT_NAMES_HELP,
    AGGREGATOR_HELP,
    read_observation,
    refuse_judging_options,
)
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, account_region_key
from alb_sg.command_line.sources.loading import load_estates
from alb_sg.dashboard.history import make_run
from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import build_page_data, page_data_text
from alb_sg.errors import InvalidInputError
from alb_sg.findings.exemption_review import DEFAULT_EXPIRING_DAYS, ReviewScope, review
from alb_sg.findings.finding import Compliance, Result
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.observations.from_estates import observe_estates
from alb_sg.observations.observation import Observation
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.remediation.plan import Plan
from alb_sg.report.phrasing import pluralize, printable

DESCRIPTION = """\
Write the compliance of all load balancers as one page: coverage, the number of non-compliant load balancers and which
of them face the internet, the worst first, by cause, changes, exemptions, and a picture and a fix for each load
balancer. The page is one file that needs no network. Its data is written beside it as JSON.
"""
EXAMPLES = """\
  alb-sg dashboard --region eu-west-1 --output shops.html
  alb-sg dashboard --config-items snapshots/ --exemptions exemptions.json --history runs/ --output org.html
  alb-sg dashboard --aggregator alb-sg --history runs/ --output org.html
  alb-sg dashboard --estate estate.json --as-of 2027-01-31T12:00:00Z --output page.html
"""
PAGE_SUFFIX = ".html"
# More pictures and fixes would make a page of many megabytes. All verdicts are on the page anyway.
DEFAULT_PICTURES = 2500


def add_dashboard(commands: Commands) -> None:
    parser = add_command(
        commands,
        "dashboard",
        run,
        summary="write the compliance of all load balancers as one page",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    # With --aggregator.
    parser.set_defaults(shows_recorded_verdicts=True)
    add_source_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    add_settings_option(parser)
    parser.add_argument(
        "--aggregator",
        metavar="NAME",
        help="show the verdicts that AWS Config has recorded in all accounts of an organization, from this aggregator; "
        "the command judges nothing then",
    )
    parser.epilog = f"{parser.epilog}\n{AGGREGATOR_HELP}{ACCOUNT_NAMES_HELP}\n{EXEMPTIONS_HELP}"
    add_history_option(parser)
    parser.add_argument(
        "--as-of",
        type=time_with_zone,
        metavar="TIME",
        help="the time that the results describe, such as 2027-01-31T12:00:00Z (default: now)",
    )
    parser.add_argument(
        "--pictures",
        type=whole_number(0, 9_999_999, "a number of load balancers"),
        default=DEFAULT_PICTURES,
        metavar="N",
        help=f"draw the N worst load balancers (default: {DEFAULT_PICTURES})",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE.html",
        help="the page; its data is written beside it as FILE.json. On failure an existing file stays as it was",
    )


def run(arguments: argparse.Namespace) -> int:
    if not arguments.output.endswith(PAGE_SUFFIX):
        raise InvalidInputError(
            f"--output {arguments.output!r} does not end in {PAGE_SUFFIX}, which the data file replaces by .json"
        )
    _refuse_to_replace_input(arguments)
    as_of = (arguments.as_of or datetime.now(UTC)).replace(microsecond=0)
    if arguments.exemptions is not None and arguments.date is None:
        arguments.date = as_of.date()
    observation, plans = _observe(arguments, as_of)
    write_dashboard(observation, arguments.output, arguments.history, plans)
    code = exit_code(observation.results.findings, observation.results.errors)
    sys.stdout.write(f"{_describe_page(arguments, observation.results, code)}\n")
    return code


def _describe_page(arguments: argparse.Namespace, results: Results, code: ExitCode) -> str:
    """What was written, and why the exit code is not 0."""
    files = [arguments.output, _data_path(arguments.output)]
    added = "" if arguments.history is None else f", and added the run to {arguments.history}"
    failed = {
        finding.load_balancer_arn for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT
    }
    reasons = {
        ExitCode.NON_COMPLIANT: f"exit code 1: {pluralize(len(failed), 'load balancer')} not as recommended",
        ExitCode.INCOMPLETE_EVALUATION: f"exit code 3: {pluralize(len(results.errors), 'error')}, which the page lists",
    }
    reason = f"; {reasons[code]}" if code in reasons else ""
    count = pluralize(results.load_balancer_count, "load balancer")
    return printable(f"wrote {' and '.join(files)} with {count}{added}{reason}")


def write_dashboard(
    observation: Observation, path: str, history: str | None, plans: Mapping[str, Plan] | None = None
) -> None:
    """Writes the page, its data, and with a history the run. Raises InvalidInputError.

    `plans`: the fixes to show, by load balancer ARN.
    """
    earlier = None if history is None else read_earlier_runs(Path(history), observation.as_of)
    found = build_page_data(observation, earlier, plans)
    text = page_data_text(found)
    with open_output(_data_path(path), machine_readable=True) as stream:
        stream.write(text)
    with open_output(path, machine_readable=True) as stream:
        stream.write(render_page(found, text))
    # Last, so that the next run is never compared with one whose page was not written.
    if history is not None:
        add_to_history(make_run(observation), Path(history), observation.as_of)


def _data_path(path: str) -> str:
    return f"{path.removesuffix(PAGE_SUFFIX)}.json"


def _refuse_to_replace_input(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError if the page or its data would overwrite an input."""
    given = [*arguments.estate, *arguments.config_items, *([arguments.exemptions] if arguments.exemptions else [])]
    inputs = {Path(one).resolve() for one in given}
    for path in (_data_path(arguments.output), arguments.output):
        target = Path(path).resolve()
        if inputs & {target, *target.parents}:
            raise InvalidInputError(f"{path} would overwrite an input; choose another --output")


def _observe(arguments: argparse.Namespace, as_of: datetime) -> tuple[Observation, Mapping[str, Plan]]:
    """The observation, and a plan for each load balancer that it explains."""
    choice = select_rules(arguments.rule, arguments.parameter)
    exemptions = load_given_exemptions(arguments)
    if arguments.aggregator is not None:
        refuse_judging_options(arguments)
        named = choice.rule_names if arguments.rule else None
        return read_observation(arguments, named, as_of, exemptions), {}
    gathered = load_estates(arguments, choice, include_all_targets=True)
    without = evaluate_all(gathered, choice)
    results, report = without, None
    if exemptions is not None:
        # Exemptions of single ports count when a load balancer is judged.
        results = (
            evaluate_all(gathered, choice, exemptions)
            if exemptions.of_ports
            else _apply_exemptions(without, exemptions)
        )
        report = _review_exemptions(without, exemptions, gathered, choice)
    rules = {rule: choice.rules[rule] for rule in DISPLAY_ORDER if rule in choice.rules}
    with Progress("drawing load balancers") as progress:
        observation = observe_estates(
            gathered.estates,
            rules,
            results,
            report,
            as_of,
            arguments.pictures,
            progress,
            {} if exemptions is None else exemptions.of_ports,
        )
    planner = make_planner(arguments, gathered, choice, exemptions)
    return observation, plan_results(planner, results, observation.explained_arns)


def _apply_exemptions(results: Results, loaded_exemptions: LoadedExemptions) -> Results:
    findings, errors = loaded_exemptions.apply(results.findings, results.errors)
    return Results(
        results.account_regions,
        results.load_balancer_count,
        results.rule_names,
        findings,
        sorted(errors, key=lambda error: error.sort_key),
        exemptions_applied=True,
    )


def _review_exemptions(
    results_without_exemptions: Results,
    loaded_exemptions: LoadedExemptions,
    loaded_estates: LoadedEstates,
    selection: RuleSelection,
) -> ExemptionsReport:
    """The review of the exemptions against the results without them."""
    every: Sequence[Result] = [
        *results_without_exemptions.findings,
        *results_without_exemptions.errors,
    ]
    by_key = {(one.load_balancer_arn or "", one.rule or ""): one for one in every}
    looked = ReviewScope(
        {AccountRegion(*account_region_key(estate)) for estate in loaded_estates.estates}, by_key, loaded_estates.errors
    )
    known = loaded_exemptions.exemptions
    return ExemptionsReport(
        known.document_name,
        loaded_exemptions.today,
        DEFAULT_EXPIRING_DAYS,
        review(
            [one for one in known.entries if one.rule in selection.rule_names],
            looked,
            loaded_exemptions.today,
            DEFAULT_EXPIRING_DAYS,
        ),
        [one for one in known.malformed if one.rule is None or one.rule in selection.rule_names],
        [] if known.malformed else loaded_exemptions.errors,
    )
