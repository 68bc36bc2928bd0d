"""`alb-sg fix`: plan the changes that fix load balancers, apply them, and undo them."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from alb_sg.command_line.argument_types import add_repeatable, whole_number
from alb_sg.command_line.arguments import (
    Parser,
    add_exemptions_option,
    add_output_option,
    add_rule_options,
    add_text_or_json_option,
)
from alb_sg.command_line.exemption_options import EXEMPTIONS_HELP, exemption_date, read_exemption_document
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output, write_errors, write_note
from alb_sg.command_line.planning import CONFIG_ITEMS_CAUSE
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, refuse_ambiguous_names
from alb_sg.command_line.sources.loading import add_source_options, load_estates
from alb_sg.command_line.sources.planned import is_planned, planned_language
from alb_sg.command_line.sources.role_options import add_role_options
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.findings.finding import EvaluationError, Result
from alb_sg.remediation.api_calls import parse_execution_id
from alb_sg.remediation.change_context import ChangeContext, ChangeContexts, unknown_change_context
from alb_sg.remediation.execution import ApplyOutcome
from alb_sg.remediation.fix_request import (
    RULES_PER_GROUP,
    FixPolicy,
    FixRequest,
    ManagedGroupPolicy,
    SharedGroupPolicy,
    WideOpeningPolicy,
)
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from alb_sg.remediation.planning import judge_load_balancer, make_plan
from alb_sg.remediation.snippet_languages import SNIPPET_WRITERS
from alb_sg.remediation.snippets import make_snippets
from alb_sg.remediation.tags import parse_tags
from alb_sg.report.fix_report import FixReport, fix_document, fix_lines, plan_lines, undo_document, undo_lines
from alb_sg.report.json_report import write_json_document
from alb_sg.report.phrasing import pluralize, printable
from alb_sg.report.style import Style, write_lines

if TYPE_CHECKING:
    # The modules that call AWS take a third of a second to import, which a plan for files does not need.
    from alb_sg.command_line.sources.sessions import Credentials
    from alb_sg.remediation.account import AccountClients

SUMMARY = "plan, apply or undo the changes that fix load balancers"
DESCRIPTION = """\
Add the security group rules that the load balancers lack, and nothing more. By default the command only shows a plan:
each API call, each refusal with its reason, and the same rules as CloudFormation and Terraform. --apply reads the
account again, adds the rules, judges again, and rolls back if a step fails. It tags everything that it adds with the
id of the execution; --undo EXECUTION removes exactly that.
"""
EXAMPLES = """\
  alb-sg fix shop                                      show the plan
  alb-sg fix shop --rule listener_ingress --apply      apply it, after a question
  alb-sg fix shop intranet --apply --yes --format json
  alb-sg fix shop --apply --tag CostCenter=1234        tag what is created
  alb-sg fix --undo fix-20270131t120000-1f3a9c
  alb-sg fix shop --snippet terraform > shop.tf
  alb-sg fix shop --estate estate.json                 plan for a saved estate, without any call
  alb-sg fix shop --terraform-plan plan.json           the rules that a Terraform plan lacks, as code
  alb-sg fix Web --template template.yaml              the rules that a CloudFormation template lacks, as code
"""
EXIT_CODES = """exit codes:
  0  there was nothing to do, or everything is done
  1  something is left: planned but not applied, refused, or left in place by an undo
  2  the command line or its input is invalid
  3  something could not be read or judged, or a change failed (and was rolled back)
"""
FAILED_OUTCOMES = frozenset({ApplyOutcome.UNVERIFIED, ApplyOutcome.ROLLED_BACK, ApplyOutcome.PARTLY_ROLLED_BACK})
# Rules times groups of a network interface are at most 1,000 (Amazon VPC quotas).
MAX_RULES_PER_GROUP = 1000


def add_options(parser: Parser) -> None:
    parser.add_argument("load_balancer", nargs="*", metavar="ARN|NAME", help="the load balancers to fix")
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--plan", action="store_true", help="show the plan (default)")
    actions.add_argument("--apply", action="store_true", help="show the plan, ask, and apply it")
    actions.add_argument("--undo", metavar="EXECUTION", help="remove what this execution added")
    parser.add_argument("--yes", action="store_true", help="with --apply: do not ask")
    parser.add_argument(
        "--snippet", choices=sorted(SNIPPET_WRITERS), help="write the rules as this kind of code, and nothing else"
    )
    parser.add_argument(
        "--shared-group",
        choices=[policy.value for policy in SharedGroupPolicy],
        default=SharedGroupPolicy.DEDICATED.value,
        help="if every security group is shared or full: create a dedicated one (default), or refuse",
    )
    parser.add_argument(
        "--managed-group",
        choices=[policy.value for policy in ManagedGroupPolicy],
        default=ManagedGroupPolicy.REFUSE.value,
        help="if CloudFormation, Terraform or another tool manages a security group, and may revert the change: "
        "refuse (default), or allow it",
    )
    parser.add_argument(
        "--rules-per-group",
        type=whole_number(1, MAX_RULES_PER_GROUP, "a number of rules"),
        default=RULES_PER_GROUP,
        metavar="N",
        help=f"the account's quota of rules in a security group (default: EC2's default, {RULES_PER_GROUP})",
    )
    parser.add_argument(
        "--wide-opening",
        choices=[policy.value for policy in WideOpeningPolicy],
        default=WideOpeningPolicy.REFUSE.value,
        help="if a tag, an accepted source or a Network Load Balancer in front would open an internal load balancer "
        "beyond private addresses: refuse (default), or plan it for approval by a person (not with --yes)",
    )
    add_repeatable(
        parser,
        "--tag",
        metavar="KEY=VALUE",
        help="a tag for the security groups, rules and records that are created, where a service control policy "
        "demands it; several times for several",
    )
    add_source_options(parser)
    add_role_options(parser, names_load_balancers=True)
    add_rule_options(parser)
    add_exemptions_option(parser)
    parser.epilog = f"{parser.epilog}\n{EXEMPTIONS_HELP}"
    add_text_or_json_option(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    _refuse_combinations(arguments)
    if arguments.undo is not None:
        return _undo_execution(arguments)
    selection = select_rules(arguments.rule, arguments.parameter)
    policy = FixPolicy(
        SharedGroupPolicy(arguments.shared_group),
        ManagedGroupPolicy(arguments.managed_group),
        arguments.rules_per_group,
        wide_opening=WideOpeningPolicy(arguments.wide_opening),
        tags=parse_tags(",".join(arguments.tag)),
    )
    fix = FixRequest(selection.rules, exemption_date(arguments), policy, _read_exemptions(arguments))
    language = arguments.snippet or (planned_language(arguments) if is_planned(arguments) else None)
    in_own_language = is_planned(arguments) and language == planned_language(arguments)
    render_snippets = None if language is None else SNIPPET_WRITERS[language]
    machine_readable = arguments.format != "text" or render_snippets is not None
    with open_output(arguments.output, machine_readable=machine_readable) as stream:
        loaded = load_estates(arguments, selection, arguments.load_balancer, include_all_targets=True)
        refuse_ambiguous_names(loaded, arguments.load_balancer)
        plans = _make_plans(arguments, fix, loaded)
        report = FixReport(plans, list(loaded.errors))
        # Only a live account is changed; one that could not be read has no plans.
        if arguments.apply and loaded.credentials is not None:
            _apply_plans(arguments, fix, report, loaded.credentials)
        if render_snippets is not None:
            stream.write(render_snippets(make_snippets(plans, loaded.document if in_own_language else None)))
            write_errors([*report.errors, *(one for plan in plans for one in plan.evaluation_errors)])
            _write_refusals(plans)
        elif arguments.format == "json":
            write_json_document(fix_document(report, arguments.applied_options), stream)
        else:
            write_lines(fix_lines(report, Style.for_stream(stream)), stream)
    return _exit_code(report)


def _write_refusals(plans: Sequence[Plan]) -> None:
    """What the code does not fix, as messages of the command."""
    for plan in plans:
        for refusal in plan.refusals:
            write_note(f"{plan.load_balancer.name}: {refusal.rule} is not fixed: {refusal.text}")


def _exit_code(report: FixReport) -> ExitCode:
    """Failures take precedence over work that is left."""
    plans = [report.latest_plan(plan) for plan in report.plans]
    outcomes = {result.outcome for result in report.apply_results.values()}
    if report.errors or any(plan.evaluation_errors for plan in plans) or outcomes & FAILED_OUTCOMES:
        return ExitCode.INCOMPLETE_EVALUATION
    not_applied = any(plan.additions and plan.load_balancer.arn not in report.apply_results for plan in report.plans)
    if not_applied or ApplyOutcome.PLAN_CHANGED in outcomes or any(plan.refusals for plan in plans):
        return ExitCode.NEEDS_ATTENTION
    return ExitCode.SUCCESS


def _refuse_combinations(arguments: argparse.Namespace) -> None:
    if arguments.undo is not None:
        parse_execution_id(arguments.undo)
        if arguments.load_balancer:
            raise InvalidInputError("--undo removes everything that an execution added; omit the load balancers")
    elif not arguments.load_balancer:
        raise InvalidInputError("no load balancer is named; give its name or ARN (see alb-sg fix --help)")
    changes = arguments.apply or arguments.undo is not None
    if is_planned(arguments) and (changes or arguments.format != "text"):
        raise InvalidInputError(
            "`alb-sg fix` writes code for a plan or template, and changes no account; leave out --apply, --undo and "
            "--format json"
        )
    if changes and (arguments.estate or arguments.config_items):
        raise InvalidInputError(
            "files can only be planned for; to change an account, leave out --estate and --config-items"
        )
    if changes and arguments.snippet is not None:
        raise InvalidInputError("--snippet writes code instead of changing the account; leave out --snippet or --apply")
    if arguments.yes and not arguments.apply:
        raise InvalidInputError("--yes answers the question of --apply; leave it out")
    if arguments.yes and arguments.wide_opening != WideOpeningPolicy.REFUSE.value:
        raise InvalidInputError("--wide-opening approval needs the answer of a person; leave out --yes")
    if arguments.apply and not arguments.yes and not sys.stdin.isatty():
        raise InvalidInputError("--apply asks a question, and standard input is not a terminal; give --yes as well")


def _read_exemptions(arguments: argparse.Namespace) -> Exemptions:
    """The exemptions of `--exemptions`. Raises NotReadError: without them, a fix might open exempt load balancers."""
    if arguments.exemptions is None:
        if arguments.date is not None:
            raise InvalidInputError("--date is the day for which exemptions count; leave it out without --exemptions")
        return Exemptions("no exemptions")
    return read_exemption_document(arguments.exemptions, arguments.profile, arguments.region)


def _make_plans(arguments: argparse.Namespace, fix: FixRequest, loaded: LoadedEstates) -> list[Plan]:
    if is_planned(arguments):
        # No account holds the planned groups, so that there is nothing to read about them.
        return [
            PlannedEstatePlanner(estate, fix.rules).plan(load_balancer, judge_load_balancer(estate, load_balancer, fix))
            for estate, load_balancer in loaded.load_balancers
        ]
    plans = []
    contexts = ChangeContexts(loaded.estates)
    for estate, load_balancer in loaded.load_balancers:
        results = judge_load_balancer(estate, load_balancer, fix)
        context = _change_context(loaded, contexts, estate, load_balancer, results)
        plans.append(make_plan(estate, load_balancer, fix, results, context))
    return plans


def _change_context(
    loaded: LoadedEstates,
    contexts: ChangeContexts,
    estate: Estate,
    load_balancer: LoadBalancer,
    results: Sequence[Result],
) -> ChangeContext:
    """The facts about a load balancer's groups, from the source of its estate."""
    if loaded.credentials is not None:
        from alb_sg.remediation.live_planning import live_change_context  # noqa: PLC0415 (see TYPE_CHECKING)

        account = _open_account(loaded.credentials, load_balancer.account_id, load_balancer.region)
        return live_change_context(account, estate, load_balancer, results)
    if estate.account_region in loaded.from_config_items:
        return unknown_change_context(CONFIG_ITEMS_CAUSE)
    return contexts.of(estate, load_balancer)


def _open_account(credentials: Credentials, account_id: str, region: str) -> AccountClients:
    """Clients of a region that was read before, so its credentials are known to work."""
    from alb_sg.remediation.account import open_account  # noqa: PLC0415 (see TYPE_CHECKING)

    return open_account(account_id, region, credentials.open_session())


def _apply_plans(arguments: argparse.Namespace, fix: FixRequest, report: FixReport, credentials: Credentials) -> None:
    """Applies each plan that adds rules and that the user agrees to."""
    from alb_sg.remediation.apply import apply  # noqa: PLC0415 (see TYPE_CHECKING)

    # A unique id: the time in UTC, for people, and a random part.
    execution = f"fix-{datetime.now(UTC):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"
    for plan in report.plans:
        if not plan.additions or not (arguments.yes or _user_agrees(plan)):
            continue
        arn = plan.load_balancer.arn
        account = _open_account(credentials, plan.load_balancer.account_id, plan.load_balancer.region)
        try:
            report.apply_results[arn] = apply(account, arn, fix, execution, approved_fingerprint=plan.fingerprint)
        except NotReadError as error:
            report.errors.append(
                EvaluationError(account.account_id, account.region, arn, None, error.what, error.cause)
            )


def _user_agrees(plan: Plan) -> bool:
    write_lines(plan_lines(plan, Style.for_stream(sys.stderr)), sys.stderr)
    name = printable(plan.load_balancer.name)
    sys.stderr.write(f"Add {pluralize(len(plan.additions), 'rule')} for {name}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _undo_execution(arguments: argparse.Namespace) -> int:
    from alb_sg.command_line.sources.live import live_sources  # noqa: PLC0415 (see TYPE_CHECKING)
    from alb_sg.command_line.sources.sessions import given_credentials  # noqa: PLC0415 (see TYPE_CHECKING)
    from alb_sg.remediation.undo import undo  # noqa: PLC0415 (slow, and not always needed)

    results = []
    with open_output(arguments.output, machine_readable=arguments.format != "text") as stream:
        credentials = given_credentials(arguments)
        for region, _ in live_sources(credentials, arguments.region):
            results.append((region, undo(_open_account(credentials, "", region), arguments.undo)))
        if arguments.format == "json":
            write_json_document(undo_document(results), stream)
        else:
            write_lines(undo_lines(results, Style.for_stream(stream)), stream)
    if any(result.failures for _, result in results):
        return ExitCode.INCOMPLETE_EVALUATION
    if all(result.is_empty for _, result in results):
        regions = ", ".join(region for region, _ in results)
        raise InvalidInputError(
            f"nothing that {arguments.undo} added is left in {regions}; give the account and region of the fix"
        )
    return ExitCode.NEEDS_ATTENTION if any(result.left_in_place for _, result in results) else ExitCode.SUCCESS
