"""`alb-sg dashboard`: the compliance of all load balancers as one page."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alb_sg.command_line.account_options import (
    add_accounts_choice,
    add_accounts_option,
    add_owner_tag_option,
    read_given_accounts,
)
from alb_sg.command_line.argument_types import time_with_zone, whole_number
from alb_sg.command_line.arguments import Parser, add_exemptions_option, add_history_option, add_rule_options
from alb_sg.command_line.exemption_options import EXEMPTIONS_HELP, load_given_exemptions
from alb_sg.command_line.exit_code import ExitCode, exit_code
from alb_sg.command_line.history import add_to_history, read_earlier_runs
from alb_sg.command_line.observe import ObservedEstates, observe_loaded
from alb_sg.command_line.output import open_output
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.settings_option import add_settings_option
from alb_sg.command_line.sources.aggregator_evaluations import (
    ACCOUNT_NAMES_HELP,
    AGGREGATOR_HELP,
    read_observation,
    refuse_judging_options,
    with_organization_names,
)
from alb_sg.command_line.sources.loading import add_source_options, load_estates
from alb_sg.command_line.sources.role_options import add_roles_options, reads_with_role, refuse_choice_of_accounts
from alb_sg.dashboard.audit import InputSource, Provenance, hash_files
from alb_sg.dashboard.fixes import fix_objects
from alb_sg.dashboard.history import make_run
from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import AccessPortal, build_page_data, page_data_text
from alb_sg.dashboard.part_histories import PartHistories
from alb_sg.dashboard.split import INDEX_NAME, PartHistory, SplitBy, split_page_data
from alb_sg.dashboard.split_index import render_index
from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import find_json_files
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import Compliance
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.exemptions_report import review_exemptions
from alb_sg.observations.from_estates import observe_results
from alb_sg.observations.observation import Observation
from alb_sg.observations.results import Results
from alb_sg.remediation.plan import Plan
from alb_sg.report.phrasing import pluralize, printable

SUMMARY = "write the compliance of all load balancers as one page"
DESCRIPTION = """\
Write the compliance of all load balancers as one page: how many are compliant, what to change first and whom to ask,
the worst first, by cause, changes, exemptions, and a picture and a fix for each load balancer. The page is one file
that needs no network. Its data is written beside it as JSON.
"""
EXAMPLES = """\
  alb-sg dashboard --region eu-west-1 --output shops.html
  alb-sg dashboard --config-items snapshots/ --exemptions exemptions.json --history runs/ --output org.html
  alb-sg dashboard --aggregator alb-sg --history runs/ --output org.html
  alb-sg dashboard --aggregator alb-sg --verdicts own --owner-tag team --split-by owner --output org.html
  alb-sg dashboard --accounts accounts.json --assume-role alb-sg-reader --region all --output org.html
  alb-sg dashboard --estate estate.json --as-of 2027-01-31T12:00:00Z --output page.html
"""
PAGE_SUFFIX = ".html"
PORTAL_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")
# Of `--verdicts`, with an aggregator: the command judges its items itself.
OWN_VERDICTS = "own"
# More pictures and fixes would make a page of many megabytes. All verdicts are on the page anyway.
DEFAULT_PICTURES = 2500


def add_options(parser: Parser) -> None:
    # With --aggregator.
    parser.set_defaults(shows_recorded_verdicts=True)
    add_source_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    add_settings_option(parser)
    parser.add_argument(
        "--aggregator",
        metavar="NAME",
        help="show all accounts of an organization, from this AWS Config aggregator",
    )
    parser.add_argument(
        "--verdicts",
        choices=("recorded", OWN_VERDICTS),
        help="with --aggregator: the verdicts that AWS Config has recorded (default), or the command's own, from "
        "the items in the aggregator; only its own have pictures and fixes",
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
    add_owner_tag_option(parser)
    add_accounts_option(parser)
    add_accounts_choice(parser)
    add_roles_options(parser, resumes="what was read, as `alb-sg export` reads it,")
    parser.add_argument(
        "--split-by",
        choices=[by.value for by in SplitBy],
        help="also write a page for each owner, account or unit, and an index of them, into a folder beside the page",
    )
    parser.add_argument(
        "--access-portal",
        metavar="URL",
        help="lead console links through this AWS access portal, such as https://d-1234567890.awsapps.com/start; "
        "needs --role",
    )
    parser.add_argument("--role", metavar="NAME", help="the permission set that console links take")
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
    portal = _access_portal(arguments)
    if arguments.split_by == SplitBy.OWNER.value and not arguments.owner_tag:
        raise InvalidInputError("--split-by owner needs --owner-tag: the tag that names the owner")
    if not reads_with_role(arguments):
        refuse_choice_of_accounts(arguments)
    accounts = read_given_accounts(arguments)
    as_of = (arguments.as_of or datetime.now(UTC)).replace(microsecond=0)
    if arguments.exemptions is not None and arguments.date is None:
        arguments.date = as_of.date()
    # Keep what was read with --resume until the page is written.
    with ExitStack() as kept:
        observation, plans = _observe(arguments, accounts, as_of, kept)
        observation = replace(
            observation, accounts={**observation.accounts, **accounts}, owner_tags=tuple(arguments.owner_tag)
        )
        split_by = None if arguments.split_by is None else SplitBy(arguments.split_by)
        provenance = _provenance(arguments)
        write_dashboard(observation, arguments.output, arguments.history, plans, provenance, portal, split_by)
    code = exit_code(observation.results.all)
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
    observation: Observation,
    path: str,
    history: str | None,
    plans: Mapping[str, Plan] | None = None,
    provenance: Provenance | None = None,
    access_portal: AccessPortal | None = None,
    split_by: SplitBy | None = None,
) -> None:
    """Writes the page, its data, its parts, and with a history the run. Raises InvalidInputError.

    `plans`: the fixes to show, by load balancer ARN. `split_by`: what each part is about; None: there are none.
    """
    earlier = None if history is None else read_earlier_runs(Path(history), observation.as_of)
    part_histories = None
    if earlier is not None and split_by is not None:
        part_histories = PartHistories(observation, split_by, earlier.omitted)
        earlier = replace(earlier, runs=part_histories.watch(earlier.runs))
    fixes = fix_objects(observation, plans or {})
    page_data = build_page_data(observation, earlier, fixes, provenance, access_portal)
    _write_page(page_data, path)
    run = make_run(observation)
    if part_histories is not None:
        part_histories.add_run(run)
    if split_by is not None:
        _write_parts(page_data, path, split_by, None if part_histories is None else part_histories.part_history)
    # Last, so that the next run is never compared with one whose page was not written.
    if history is not None:
        add_to_history(run, Path(history), observation.as_of)


def _write_page(page_data: Mapping[str, Any], path: str) -> None:
    text = page_data_text(page_data)
    with open_output(_data_path(path), machine_readable=True) as stream:
        stream.write(text)
    with open_output(path, machine_readable=True) as stream:
        stream.write(render_page(page_data, text))


def _write_parts(
    page_data: Mapping[str, Any], path: str, by: SplitBy, history_of: Callable[[str], PartHistory] | None
) -> None:
    """The pages of the parts, and their index, in a folder such as `org-by-owner` beside `org.html`."""
    folder = Path(f"{path.removesuffix(PAGE_SUFFIX)}-by-{by.value}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"cannot make the folder ({error.strerror or error})", str(folder)) from error
    parts = list(split_page_data(page_data, by, history_of))
    for part in parts:
        _write_page(part.page_data, str(folder / f"{part.file_name}{PAGE_SUFFIX}"))
    with open_output(str(folder / f"{INDEX_NAME}{PAGE_SUFFIX}"), machine_readable=True) as stream:
        stream.write(render_index(page_data, by, parts, f"../{Path(path).name}"))


def _access_portal(arguments: argparse.Namespace) -> AccessPortal | None:
    if arguments.access_portal is None and arguments.role is None:
        return None
    if arguments.access_portal is None or arguments.role is None:
        raise InvalidInputError("--access-portal and --role belong together; give both")
    url = arguments.access_portal.rstrip("/")
    if not PORTAL_URL.fullmatch(url):
        raise InvalidInputError(
            f"--access-portal {arguments.access_portal!r} is not a URL such as https://d-1234567890.awsapps.com/start"
        )
    return AccessPortal(url, arguments.role)


def shows_recorded_verdicts(arguments: argparse.Namespace) -> bool:
    """Raises InvalidInputError if --verdicts has nothing to choose from."""
    if arguments.aggregator is None and arguments.verdicts is not None:
        raise InvalidInputError("--verdicts is for --aggregator; every other source is judged by the command itself")
    return arguments.aggregator is not None and arguments.verdicts != OWN_VERDICTS


def _provenance(arguments: argparse.Namespace) -> Provenance:
    """The sources that the arguments name, with the hashes of files, and the parameters."""
    sources = [
        *hash_files("saved estate", find_json_files(arguments.estate)),
        *hash_files("Config items", find_json_files(arguments.config_items)),
        *hash_files("accounts", [arguments.accounts] if arguments.accounts else []),
    ]
    regions = ", ".join(arguments.region) or "the profile's region"
    if arguments.aggregator is not None:
        sources.append(InputSource("AWS Config aggregator", arguments.aggregator))
    elif arguments.assume_role is not None:
        sources.append(InputSource("live accounts", f"role {arguments.assume_role}, {regions}"))
    elif not (arguments.estate or arguments.config_items):
        sources.append(InputSource("live account", f"{arguments.profile or 'default credentials'}, {regions}"))
    if arguments.exemptions is not None:
        is_file = Path(arguments.exemptions).is_file()
        sources += (
            hash_files("exemptions", [arguments.exemptions])
            if is_file
            else [InputSource("exemptions", arguments.exemptions)]
        )
    parameters = dict(option.rpartition("=")[::2] for option in arguments.parameter)
    return Provenance(
        sources, parameters, recorded=shows_recorded_verdicts(arguments), applied_options=arguments.applied_options
    )


def _data_path(path: str) -> str:
    return f"{path.removesuffix(PAGE_SUFFIX)}.json"


def _refuse_to_replace_input(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError if the page or its data would overwrite an input."""
    files = [arguments.exemptions, arguments.accounts]
    given = [*arguments.estate, *arguments.config_items, *(file for file in files if file)]
    inputs = {Path(one).resolve() for one in given}
    for path in (_data_path(arguments.output), arguments.output):
        target = Path(path).resolve()
        if inputs & {target, *target.parents}:
            raise InvalidInputError(f"{path} would overwrite an input; choose another --output")


def _observe(
    arguments: argparse.Namespace, accounts: Mapping[str, AccountName], as_of: datetime, kept: ExitStack
) -> tuple[Observation, Mapping[str, Plan]]:
    """The observation, and a plan for each load balancer that it explains. `accounts`: those of `--accounts`.
    `kept`: closed once the page is written."""
    # The page shows tags, and finds owners by them.
    selection = replace(select_rules(arguments.rule, arguments.parameter), also_sections=frozenset({Section.TAGS}))
    exemptions = load_given_exemptions(arguments)
    if shows_recorded_verdicts(arguments):
        refuse_judging_options(arguments)
        named = selection.rule_names if arguments.rule else None
        return read_observation(arguments, named, as_of, exemptions), {}
    observed = (
        _observe_accounts(arguments, selection, accounts, exemptions, kept)
        if reads_with_role(arguments)
        else observe_loaded(
            arguments, selection, exemptions, load_estates(arguments, selection, include_all_targets=True)
        )
    )
    report = None if exemptions is None else review_exemptions(exemptions, observed.without_exemptions)
    results = observed.results.with_exemptions(exemptions)
    observation = observe_results(results, observed.details, as_of, report, arguments.pictures)
    if arguments.aggregator is not None:
        observation = with_organization_names(observation, arguments)
    return observation, observed.plans


def _observe_accounts(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    accounts: Mapping[str, AccountName],
    exemptions: LoadedExemptions | None,
    kept: ExitStack,
) -> ObservedEstates:
    """Judges accounts that are read with a role."""
    from alb_sg.command_line.accounts.dashboard import observe_accounts, observe_exports  # noqa: PLC0415 (it imports boto3)
    from alb_sg.command_line.accounts.export import export_accounts  # noqa: PLC0415 (it imports boto3)

    if arguments.resume is None:
        return observe_accounts(arguments, selection, accounts, exemptions)
    account_results = kept.enter_context(export_accounts(arguments, accounts))
    return observe_exports(arguments, selection, exemptions, account_results)
