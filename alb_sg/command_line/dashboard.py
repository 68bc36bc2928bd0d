"""`alb-sg dashboard`: how all load balancers stand, as one page."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from alb_sg.command_line.aggregator_source import HELP as AGGREGATOR_HELP
from alb_sg.command_line.aggregator_source import NAMES_HELP, observed, refuse_options_of_judging
from alb_sg.command_line.arguments import (
    Commands,
    add_command,
    add_exemptions_option,
    add_rule_options,
    add_source_options,
)
from alb_sg.command_line.choice import Choice, choose
from alb_sg.command_line.exemption_source import HELP as EXEMPTIONS_HELP
from alb_sg.command_line.exemption_source import given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.explain import PAGE_ORDER
from alb_sg.command_line.output import output
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, gather, home
from alb_sg.command_line.whole import judged
from alb_sg.dashboard.data import Earlier, document, write_document
from alb_sg.dashboard.estates import observe_estates
from alb_sg.dashboard.history import earlier_files, file_name, read_run, run_of, write_run
from alb_sg.dashboard.observation import Observation
from alb_sg.dashboard.page import page
from alb_sg.errors import UnusableInput
from alb_sg.estate.home import Home
from alb_sg.exemptions.given import Given
from alb_sg.exemptions.review import DAYS, Looked, review
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.report.exemptions import ExemptionsReport
from alb_sg.report.results import Results

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
ENDING = ".html"
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Pictures and fixes beyond these would make a page of many megabytes; verdicts are all in it.
MOST_EXPLAINED = 2500
# A daily run for two months; each more takes its time to read.
MOST_RUNS = 60


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
    parser.epilog = f"{parser.epilog}\n{AGGREGATOR_HELP}{NAMES_HELP}\n{EXEMPTIONS_HELP}"
    parser.add_argument(
        "--history",
        metavar="DIR",
        help="compare with the runs in this folder, and add this one to them; it is made where there is none",
    )
    parser.add_argument(
        "--as-of",
        type=_time,
        metavar="TIME",
        help="when what is shown was so, such as 2027-01-31T12:00:00Z (default: now)",
    )
    parser.add_argument(
        "--pictures",
        type=_number,
        default=MOST_EXPLAINED,
        metavar="N",
        help=f"draw so many load balancers, the worst first (default: {MOST_EXPLAINED})",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE.html",
        help="the page; its data goes beside it as FILE.json. Each is replaced whole or not at all",
    )


def run(arguments: argparse.Namespace) -> int:
    if not arguments.output.endswith(ENDING):
        raise UnusableInput(f"--output {arguments.output!r} does not end in {ENDING}; the data goes beside it as .json")
    _refuse_to_replace_input(arguments)
    as_of = datetime.now(UTC).replace(microsecond=0) if arguments.as_of is None else arguments.as_of
    if arguments.exemptions is not None and arguments.date is None:
        arguments.date = as_of.date()
    observation = _observe(arguments, as_of)
    write_dashboard(observation, arguments.output, arguments.history)
    return exit_code(observation.results.findings, observation.results.errors)


def write_dashboard(observation: Observation, path: str, history: str | None) -> None:
    """The page and its data, and the run in its history where one is kept. Raises UnusableInput."""
    earlier = None if history is None else _earlier(Path(history), observation.as_of)
    found = document(observation, earlier)
    text = write_document(found)
    with output(_data_path(path), exact=True) as stream:
        stream.write(text)
    with output(path, exact=True) as stream:
        stream.write(page(found, text))
    # Last: a run whose page nobody could see must not be what the next one is compared with.
    if history is not None:
        with output(str(Path(history) / file_name(observation.as_of)), exact=True) as stream:
            write_run(run_of(observation), stream)


def _data_path(path: str) -> str:
    return f"{path.removesuffix(ENDING)}.json"


def _refuse_to_replace_input(arguments: argparse.Namespace) -> None:
    """Raises UnusableInput where the page or its data would take the place of what is read."""
    given = [*arguments.estate, *arguments.config_items, *([arguments.exemptions] if arguments.exemptions else [])]
    inputs = {Path(one).resolve() for one in given}
    for path in (_data_path(arguments.output), arguments.output):
        target = Path(path).resolve()
        if inputs & {target, *target.parents}:
            raise UnusableInput(f"{path} would be written over or into what is read; choose another --output")


def _earlier(folder: Path, as_of: datetime) -> Earlier:
    """The latest runs in a folder, which is there afterwards. Each is read when it is its turn: together they may be
    large."""
    paths = earlier_files(folder, as_of)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(
            f"cannot make the folder ({error.strerror or error}); choose another", str(folder)
        ) from error
    latest = paths[-MOST_RUNS:]
    return Earlier(map(read_run, latest), len(paths) - len(latest))


# --- observing


def _observe(arguments: argparse.Namespace, as_of: datetime) -> Observation:
    choice = choose(arguments.rule, arguments.parameter)
    exemptions = given_exemptions(arguments)
    if arguments.aggregator is not None:
        refuse_options_of_judging(arguments)
        return observed(arguments, choice.names, as_of, exemptions)
    gathered = gather(arguments, choice, all_targets=True)
    without = judged(gathered, choice)
    results, report = without, None
    if exemptions is not None:
        results = _exempted(without, exemptions)
        report = _review(without, exemptions, gathered, choice)
    rules = {rule: choice.rules[rule] for rule in PAGE_ORDER if rule in choice.rules}
    with Progress("drawing load balancers") as progress:
        return observe_estates(gathered.estates, rules, results, report, as_of, arguments.pictures, progress)


def _exempted(results: Results, exemptions: Given) -> Results:
    findings, errors = exemptions.applied(results.findings, results.errors)
    return Results(
        results.homes,
        results.load_balancers,
        results.rules,
        findings,
        sorted(errors, key=lambda error: error.sort_key),
        exemptions_applied=True,
    )


def _review(without: Results, given: Given, gathered: Gathered, choice: Choice) -> ExemptionsReport:
    """The exemptions held against the results without them."""
    every: Sequence[Finding | JudgementError] = [*without.findings, *without.errors]
    by_key = {(one.load_balancer_arn or "", one.rule or ""): one for one in every}
    looked = Looked({Home(*home(estate)) for estate in gathered.estates}, by_key, gathered.errors)
    known = given.exemptions
    return ExemptionsReport(
        known.source,
        given.today,
        DAYS,
        review([one for one in known.entries if one.rule in choice.names], looked, given.today, DAYS),
        [one for one in known.malformed if one.rule is None or one.rule in choice.names],
        [] if known.malformed else given.errors,
    )


def _time(text: str) -> datetime:
    try:
        if TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2027-01-31T12:00:00Z")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of load balancers (0 to 9999999)")
    return int(text)
