"""`alb-sg fix`: plan what fixes load balancers, make it so, and take it back."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from alb_sg.command_line.arguments import (
    Commands,
    add_command,
    add_exemptions_option,
    add_output_option,
    add_rule_options,
    add_source_options,
)
from alb_sg.command_line.exemption_options import EXEMPTIONS_HELP, exemption_date, read_exemption_document
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output
from alb_sg.command_line.rule_selection import RuleSelection, select_rules
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.command_line.sources.loading import load_estates
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.json_files import STANDARD_INPUT, file_error_context, read_json_file
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.findings.finding import EvaluationError
from alb_sg.remediation.api_calls import parse_execution_id
from alb_sg.remediation.change_context import ChangeContext, saved_change_context, unknown_change_context
from alb_sg.remediation.cloudformation import render_cloudformation
from alb_sg.remediation.fix_request import RULES_PER_GROUP, FixPolicy, FixRequest, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import Result, judge_load_balancer, make_plan
from alb_sg.remediation.snippets import make_snippets
from alb_sg.remediation.terraform import render_terraform
from alb_sg.report.fix_report import FixReport, write_fix, write_fix_json, write_plan, write_undo_results
from alb_sg.report.phrasing import pluralize, printable
from alb_sg.report.style import Style

if TYPE_CHECKING:
    # Files need not wait for boto3, which takes a third of a second to import.
    from alb_sg.remediation.account import AccountClients

DESCRIPTION = """\
Fix what the rules find, and nothing more. By default only the plan is shown: every call that would be made, what is
refused and why, and the same as CloudFormation and Terraform for those who keep security groups in code. --apply looks
again, adds the rules, judges again, and takes everything back where a step fails. What an execution added is tagged
with its name; --undo EXECUTION revokes exactly that.
"""
EXAMPLES = """\
  alb-sg fix shop                                      what would be done
  alb-sg fix shop --rule listener_ingress --apply      do it, after a question
  alb-sg fix shop intranet --apply --yes --format json
  alb-sg fix --undo fix-20270131t120000-1f3a9c
  alb-sg fix shop --snippet terraform > shop.tf
  alb-sg fix shop --estate estate.json                 no call is made; a saved estate is planned for only
"""
EXIT_CODES = """exit codes:
  0  there is nothing to do, or it is done
  1  something is left: it is planned and not applied, or refused
  2  the call or its input cannot be used
  3  something could not be read or judged, or failed (and was rolled back)
"""
SNIPPET_WRITERS = {"cloudformation": render_cloudformation, "terraform": render_terraform}
UNDO_SCOPE_HINT = "undo is of the account and region that the fix was made in"


def add_fix(commands: Commands) -> None:
    parser = add_command(
        commands,
        "fix",
        run,
        summary="plan, apply or undo what fixes load balancers",
        description=DESCRIPTION,
        examples=EXAMPLES,
        exit_codes=EXIT_CODES,
    )
    parser.add_argument("load_balancer", nargs="*", metavar="ARN|NAME", help="a load balancer; one or more")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="show what would be done (default)")
    what.add_argument("--apply", action="store_true", help="do it, after showing it and asking")
    what.add_argument("--undo", metavar="EXECUTION", help="take back what this execution added")
    parser.add_argument("--yes", action="store_true", help="with --apply: do not ask")
    parser.add_argument(
        "--snippet",
        choices=sorted(SNIPPET_WRITERS),
        help="write this kind of snippet and nothing else, for use in code",
    )
    parser.add_argument(
        "--shared-group",
        choices=[one.value for one in SharedGroupPolicy],
        default=SharedGroupPolicy.DEDICATED.value,
        help="where every security group is shared with others or full: add one of the load balancer's own (default), "
        "or refuse",
    )
    parser.add_argument(
        "--managed-group",
        choices=[one.value for one in ManagedGroupPolicy],
        default=ManagedGroupPolicy.REFUSE.value,
        help="where CloudFormation, Terraform or another manager would take the change back: refuse (default), or "
        "allow it",
    )
    parser.add_argument(
        "--rules-per-group",
        type=_parse_rules_per_group,
        default=RULES_PER_GROUP,
        metavar="N",
        help=f"the account's quota of rules in a security group (default: {RULES_PER_GROUP}, EC2's own)",
    )
    add_source_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    parser.epilog = f"{parser.epilog}\n{EXEMPTIONS_HELP}"
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people (default), or json")
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    _refuse_combinations(arguments)
    if arguments.undo is not None:
        return _undo_execution(arguments)
    choice = select_rules(arguments.rule, arguments.parameter)
    policy = FixPolicy(
        SharedGroupPolicy(arguments.shared_group),
        ManagedGroupPolicy(arguments.managed_group),
        arguments.rules_per_group,
    )
    fix = FixRequest(choice.rules, exemption_date(arguments), policy, _read_exemptions(arguments))
    snippet = None if arguments.snippet is None else SNIPPET_WRITERS[arguments.snippet]
    with open_output(arguments.output, machine_readable=arguments.format != "text" or snippet is not None) as stream:
        gathered = load_estates(arguments, choice, arguments.load_balancer, include_all_targets=True)
        plans = _make_plans(arguments, choice, fix, gathered)
        report = FixReport(plans, list(gathered.errors))
        if arguments.apply:
            _apply_plans(arguments, fix, report)
        if snippet is not None:
            stream.write(snippet(make_snippets(plans)))
            _print_errors(report.errors)
        elif arguments.format == "json":
            write_fix_json(report, stream)
        else:
            write_fix(report, stream, Style.for_stream(stream))
    return report.exit_code()


# --- what may be asked


def _refuse_combinations(arguments: argparse.Namespace) -> None:
    if arguments.undo is not None:
        parse_execution_id(arguments.undo)
        if arguments.load_balancer:
            raise InvalidInputError("--undo takes back all that an execution added; leave out the load balancers")
    elif not arguments.load_balancer:
        raise InvalidInputError("no load balancer is named; give its name or ARN (see alb-sg fix --help)")
    changes = arguments.apply or arguments.undo is not None
    if changes and (arguments.estate or arguments.config_items):
        raise InvalidInputError(
            "files are planned for only; leave out --estate and --config-items to change an account"
        )
    if changes and arguments.snippet is not None:
        raise InvalidInputError("--snippet is for whoever changes the account in code; leave it out, or plan only")
    if arguments.yes and not arguments.apply:
        raise InvalidInputError("--yes answers the question of --apply; leave it out")
    if arguments.apply and not arguments.yes and not sys.stdin.isatty():
        raise InvalidInputError("--apply asks first, and nobody is there to answer; give --yes as well")
    if STANDARD_INPUT in arguments.estate:
        raise InvalidInputError("a plan takes more of an estate than verdicts do and reads it twice; give it as a file")


def _read_exemptions(arguments: argparse.Namespace) -> Exemptions:
    """The exemptions given. Raises NotReadError where AWS does not give them: whoever is exempt must not be fixed."""
    if arguments.exemptions is None:
        if arguments.date is not None:
            raise InvalidInputError("--date says on which day exemptions count; leave it out without --exemptions")
        return Exemptions("no exemptions")
    return read_exemption_document(arguments.exemptions, arguments.profile, arguments.region)


def _parse_rules_per_group(text: str) -> int:
    # No quota is higher: rules times groups of a network interface are at most 1,000 (Amazon VPC quotas).
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rules (1 to 1000)")
    return int(text)


# --- planning


def _make_plans(
    arguments: argparse.Namespace, selection: RuleSelection, fix_request: FixRequest, loaded_estates: LoadedEstates
) -> list[Plan]:
    circumstances = _change_context_reader(arguments, loaded_estates)
    plans = []
    for estate, load_balancer in loaded_estates.load_balancers:
        results = judge_load_balancer(estate, load_balancer, fix_request)
        plans.append(
            make_plan(estate, load_balancer, fix_request, results, circumstances(estate, load_balancer, results))
        )
    return plans


def _change_context_reader(
    arguments: argparse.Namespace, loaded_estates: LoadedEstates
) -> Callable[[Estate, LoadBalancer, Sequence[Result]], ChangeContext]:
    """What reads the circumstances of a load balancer, from where its estate was read."""
    if not (arguments.estate or arguments.config_items):
        from alb_sg.remediation.live_planning import live_change_context  # noqa: PLC0415 (boto3, as said above)

        return lambda estate, load_balancer, results: live_change_context(
            _load_balancer_account(arguments, load_balancer), estate, load_balancer, results
        )
    sources = [source for path in arguments.estate for source in _read_estate_objects(path)]
    saved = {(source["AccountId"], source["Region"]) for source in sources}
    every = [found for estate in loaded_estates.estates for found in estate.load_balancers.values()]

    def from_files(estate: Estate, load_balancer: LoadBalancer, _: Sequence[Result]) -> ChangeContext:
        if (estate.account_id, estate.region) not in saved:
            return unknown_change_context("Config items do not tell it; plan live or from a saved estate")
        return saved_change_context(sources, load_balancer, every)

    return from_files


def _read_estate_objects(path: str) -> list[dict[str, Any]]:
    """The objects of a file of saved estates, which was read as such before."""
    with file_error_context(path):
        document = read_json_file(path, unique_keys=True)
    return document if isinstance(document, list) else [document]


# --- changing


def _load_balancer_account(arguments: argparse.Namespace, load_balancer: LoadBalancer) -> AccountClients:
    return _open_account(arguments.profile, load_balancer.account_id, load_balancer.region)


def _open_account(profile: str | None, account_id: str, region: str) -> AccountClients:
    """Clients of a region that was read before: credentials and region are known to be usable."""
    from alb_sg.aws.clients import make_client, open_session  # noqa: PLC0415 (as said above)
    from alb_sg.live import LiveClients  # noqa: PLC0415
    from alb_sg.remediation.account import AccountClients  # noqa: PLC0415

    session = open_session(profile)
    elbv2, ec2 = (make_client(service, region, session=session) for service in ("elbv2", "ec2"))
    return AccountClients(LiveClients(elbv2=elbv2, ec2=ec2), account_id, region)


def _apply_plans(arguments: argparse.Namespace, fix_request: FixRequest, report: FixReport) -> None:
    """Applies each plan that adds something, after showing it and asking, unless that is answered already."""
    from alb_sg.remediation.apply import apply  # noqa: PLC0415 (as said above)

    execution = _new_execution_id()
    for plan in report.plans:
        if not plan.additions:
            continue
        if not arguments.yes and not _user_agrees(plan):
            continue
        arn = plan.load_balancer.arn
        account = _load_balancer_account(arguments, plan.load_balancer)
        try:
            report.apply_results[arn] = apply(
                account, arn, fix_request, execution, approved_fingerprint=plan.fingerprint
            )
        except NotReadError as error:
            report.errors.append(
                EvaluationError(account.account_id, account.region, arn, None, error.what, error.cause)
            )


def _user_agrees(plan: Plan) -> bool:
    write_plan(plan, sys.stderr, Style.for_stream(sys.stderr))
    name = printable(plan.load_balancer.name)
    sys.stderr.write(f"Add {pluralize(len(plan.additions), 'rule')} for {name}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _new_execution_id() -> str:
    """A name that nobody has used: the time (UTC) for people, and a random part."""
    return f"fix-{datetime.now(UTC):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"


def _undo_execution(arguments: argparse.Namespace) -> int:
    from alb_sg.command_line.sources.live import live_sources  # noqa: PLC0415 (as said above)
    from alb_sg.remediation.undo import undo  # noqa: PLC0415

    found = []
    with open_output(arguments.output, machine_readable=arguments.format != "text") as stream:
        for region, _ in live_sources(arguments.profile, arguments.region):
            found.append((region, undo(_open_account(arguments.profile, "", region), arguments.undo)))
        write_undo_results(found, stream, Style.for_stream(stream), as_json=arguments.format == "json")
    if any(undone.failures for _, undone in found):
        return ExitCode.INCOMPLETE_EVALUATION
    if all(undone.is_empty for _, undone in found):
        raise InvalidInputError(
            f"nothing that {arguments.undo} added is left in {', '.join(region for region, _ in found)}; "
            f"{UNDO_SCOPE_HINT}"
        )
    return ExitCode.NEEDS_ATTENTION if any(undone.left_in_place for _, undone in found) else ExitCode.SUCCESS


def _print_errors(errors: Sequence[EvaluationError]) -> None:
    for error in errors:
        sys.stderr.write(printable(f"alb-sg: {error.what}: {error.cause}") + "\n")
