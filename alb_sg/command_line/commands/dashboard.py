"""`alb-sg dashboard`: how all load balancers stand, as one page."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.arguments import (
    Commands,
    add_command,
    add_exemptions_option,
    add_rule_options,
    add_source_options,
)
from alb_sg.command_line.evaluate_all import evaluate_all
from alb_sg.command_line.exemption_options import EXEMPTIONS_HELP, load_given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import open_output
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.sources.aggregator_evaluations import (
    ACCOUNT_NAMES_HELP,
    AGGREGATOR_HELP,
    read_observation,
    refuse_judging_options,
)
from alb_sg.command_line.sources.loading import LoadedEstates, account_region_key, load_estates
from alb_sg.dashboard.history import earlier_run_files, make_run, read_run, run_file_name, write_run
from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import EarlierRuns, build_page_data, page_data_text
from alb_sg.errors import InvalidInputError
from alb_sg.findings.exemption_review import DEFAULT_EXPIRING_DAYS, ReviewScope, review
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.from_estates import observe_estates
from alb_sg.observations.observation import Observation
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.report.exemptions import ExemptionsReport

DESCRIPTION = """\
Write how all load balancers stand as one page: what was looked at, how many are not as recommended and which face the
internet, the worst first, by cause, what changed, exemptions, and for each load balancer its picture and its fix. The
page is one file that needs no network; the data goes beside it as JSON.
"""
EXAMPLES = """\
  alb-sg dashboard --region eu-west-1 --output shops.html
  alb-sg dashboard --config-items snapshots/ --exemptions exemptions.json --history runs/ --output org.html
  alb-sg dashboard --aggregator alb-sg --history runs/ --output org.html
  alb-sg dashboard --estate estate.json --as-of 2027-01-31T12:00:00Z --output page.html
"""
PAGE_SUFFIX = ".html"
TIME_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Pictures and fixes beyond these would make a page of many megabytes; verdicts are all in it.
DEFAULT_PICTURES = 2500
# A daily run for two months; each more takes its time to read.
MAX_COMPARED_RUNS = 60


def add_dashboard(commands: Commands) -> None:
    parser = add_command(
        commands,
        "dashboard",
        run,
        summary="write one page on how all stand",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    add_source_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    parser.add_argument(
        "--aggregator",
        metavar="NAME",
        help="show what AWS Config has recorded in all accounts of an organization, as this aggregator has it; nothing "
        "is judged then",
    )
    parser.epilog = f"{parser.epilog}\n{AGGREGATOR_HELP}{ACCOUNT_NAMES_HELP}\n{EXEMPTIONS_HELP}"
    parser.add_argument(
        "--history",
        metavar="DIR",
        help="compare with the runs in this folder, and add this one to them; it is made where there is none",
    )
    parser.add_argument(
        "--as-of",
        type=_parse_time,
        metavar="TIME",
        help="when what is shown was so, such as 2027-01-31T12:00:00Z (default: now)",
    )
    parser.add_argument(
        "--pictures",
        type=_parse_picture_count,
        default=DEFAULT_PICTURES,
        metavar="N",
        help=f"draw so many load balancers, the worst first (default: {DEFAULT_PICTURES})",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE.html",
        help="the page; its data goes beside it as FILE.json. Each is replaced whole or not at all",
    )


def run(arguments: argparse.Namespace) -> int:
    if not arguments.output.endswith(PAGE_SUFFIX):
        raise InvalidInputError(
            f"--output {arguments.output!r} does not end in {PAGE_SUFFIX}; the data goes beside it as .json"
        )
    _refuse_to_replace_input(arguments)
    as_of = datetime.now(UTC).replace(microsecond=0) if arguments.as_of is None else arguments.as_of
    if arguments.exemptions is not None and arguments.date is None:
        arguments.date = as_of.date()
    observation = _observe(arguments, as_of)
    write_dashboard(observation, arguments.output, arguments.history)
    return exit_code(observation.results.findings, observation.results.errors)


def write_dashboard(observation: Observation, path: str, history: str | None) -> None:
    """The page and its data, and the run in its history where one is kept. Raises InvalidInputError."""
    earlier = None if history is None else _read_earlier_runs(Path(history), observation.as_of)
    found = build_page_data(observation, earlier)
    text = page_data_text(found)
    with open_output(_data_path(path), machine_readable=True) as stream:
        stream.write(text)
    with open_output(path, machine_readable=True) as stream:
        stream.write(render_page(found, text))
    # Last: a run whose page nobody could see must not be what the next one is compared with.
    if history is not None:
        with open_output(str(Path(history) / run_file_name(observation.as_of)), machine_readable=True) as stream:
            write_run(make_run(observation), stream)


def _data_path(path: str) -> str:
    return f"{path.removesuffix(PAGE_SUFFIX)}.json"


def _refuse_to_replace_input(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError where the page or its data would take the place of what is read."""
    given = [*arguments.estate, *arguments.config_items, *([arguments.exemptions] if arguments.exemptions else [])]
    inputs = {Path(one).resolve() for one in given}
    for path in (_data_path(arguments.output), arguments.output):
        target = Path(path).resolve()
        if inputs & {target, *target.parents}:
            raise InvalidInputError(f"{path} would be written over or into what is read; choose another --output")


def _read_earlier_runs(folder: Path, as_of: datetime) -> EarlierRuns:
    """The latest runs in a folder, which is there afterwards. Each is read when it is its turn: together they may be
    large."""
    paths = earlier_run_files(folder, as_of)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"cannot make the folder ({error.strerror or error}); choose another", str(folder)
        ) from error
    latest = paths[-MAX_COMPARED_RUNS:]
    return EarlierRuns(map(read_run, latest), len(paths) - len(latest))


# --- observing


def _observe(arguments: argparse.Namespace, as_of: datetime) -> Observation:
    choice = select_rules(arguments.rule, arguments.parameter)
    exemptions = load_given_exemptions(arguments)
    if arguments.aggregator is not None:
        refuse_judging_options(arguments)
        return read_observation(arguments, choice.rule_names, as_of, exemptions)
    gathered = load_estates(arguments, choice, include_all_targets=True)
    without = evaluate_all(gathered, choice)
    results, report = without, None
    if exemptions is not None:
        results = _apply_exemptions(without, exemptions)
        report = _review_exemptions(without, exemptions, gathered, choice)
    rules = {rule: choice.rules[rule] for rule in DISPLAY_ORDER if rule in choice.rules}
    with Progress("drawing load balancers") as progress:
        return observe_estates(gathered.estates, rules, results, report, as_of, arguments.pictures, progress)


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
    """The exemptions held against the results without them."""
    every: Sequence[Finding | EvaluationError] = [
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


def _parse_time(text: str) -> datetime:
    try:
        if TIME_PATTERN.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2027-01-31T12:00:00Z")


def _parse_picture_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of load balancers (0 to 9999999)")
    return int(text)
