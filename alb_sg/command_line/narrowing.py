"""The options that narrow a run to some load balancers and results.

`observations.filter_patterns` has the grammar, which is the page's as well. Load balancers and rules are left out
before anything is judged, statuses when results are listed. An error that may concern any load balancer stays.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alb_sg.command_line.account_options import (
    add_account_option,
    add_accounts_option,
    add_owner_tag_option,
    add_unit_option,
    unknown_unit_error,
)
from alb_sg.command_line.argument_types import add_repeatable
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import EvaluationError, Finding, Result
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.filter_patterns import fits, owner_fits, tags_fit, unit_fits
from alb_sg.observations.ranking import VerdictStatus, verdict_status
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.recommendations.recommendation import Severity

STATUSES = {status.name.lower().replace("_", "-"): status for status in VerdictStatus}


def tag_pattern(text: str) -> str:
    """The type of a pattern for tags, `KEY` or `KEY=VALUE`."""
    if not text or text.startswith("="):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY or KEY=VALUE; for any key, write '*{text}'")
    return text


def add_narrowing_options(parser: argparse.ArgumentParser, *, with_tags: bool) -> None:
    """Adds the options. `with_tags`: the source tells the tags of load balancers."""
    group = parser.add_argument_group(
        "narrowing",
        "Each is repeatable: one of its values must fit. Different options must all fit. In NAME, PATH, KEY and\n"
        "VALUE, * is any characters and ? is one. Letter case does not matter.",
    )
    add_account_option(group)
    add_repeatable(group, "--name", metavar="NAME", help="load balancers of this name, such as 'shop-*'")
    add_unit_option(group)
    parser.set_defaults(tag=[], owner=[], owner_tag=[])
    if with_tags:
        add_repeatable(
            group,
            "--owner",
            metavar="NAME",
            help="load balancers of this owner; '(no owner)': of those without one; needs --owner-tag",
        )
        add_repeatable(
            group,
            "--tag",
            type=tag_pattern,
            metavar="KEY[=VALUE]",
            help="load balancers with this tag, of any value without =VALUE; live, the tags are read with it",
        )
    add_repeatable(
        group,
        "--severity",
        type=str.lower,
        choices=[severity.name.lower() for severity in Severity],
        help="rules of this severity",
    )
    add_repeatable(
        group,
        "--status",
        type=str.lower,
        choices=list(STATUSES),
        help="list results of this status alone; the exit code is about all",
    )
    add_accounts_option(parser)
    if with_tags:
        add_owner_tag_option(parser)


def is_narrowed(arguments: argparse.Namespace) -> bool:
    return _narrows_load_balancers(arguments) or bool(arguments.severity or arguments.status)


def _narrows_load_balancers(arguments: argparse.Namespace) -> bool:
    return bool(arguments.account or arguments.name or arguments.tag or arguments.unit or arguments.owner)


def narrow_rules(arguments: argparse.Namespace, selection: RuleSelection) -> RuleSelection:
    """The selected rules of one of the severities, and the tags to read. Raises InvalidInputError if there is none."""
    if arguments.tag or arguments.owner:
        selection = replace(selection, also_sections=frozenset({Section.TAGS}))
    if not arguments.severity:
        return selection
    rules = {rule: parameters for rule, parameters in selection.rules.items() if _has_severity(arguments, rule.name)}
    if not rules:
        raise InvalidInputError(f"no selected rule has severity {' or '.join(arguments.severity)}; see `alb-sg rules`")
    return replace(selection, rules=rules)


def narrow_estates(
    arguments: argparse.Namespace, loaded: LoadedEstates, accounts: Mapping[str, AccountName]
) -> LoadedEstates:
    """The estates with those of their load balancers that fit. An estate that no load balancer is judged in stays, for
    the others that refer to it.

    If its tags or its account's unit decide and are not known, a load balancer is an error.
    """
    if not _narrows_load_balancers(arguments):
        return loaded
    errors = [error for error in loaded.errors if _fits(arguments, error.account_id, error.load_balancer_name)]
    errors = [error for error in errors if not error.account_id or _is_in_unit(arguments, error.account_id, accounts)]
    chosen: dict[tuple[str, str], Sequence[LoadBalancer]] = {}
    for estate in loaded.estates:
        fitting = []
        in_unit = _is_in_unit(arguments, estate.account_id, accounts)
        if in_unit is None and _fits(arguments, estate.account_id, None):
            errors.append(unknown_unit_error(*estate.account_region))
        for load_balancer in loaded.load_balancers_by_account_region[estate.account_region]:
            if not in_unit or not _fits(arguments, estate.account_id, load_balancer.name):
                continue
            try:
                is_wanted = _has_tag(arguments, estate, load_balancer) and _has_owner(arguments, estate, load_balancer)
            except NotReadError as error:
                place = estate.account_region
                errors.append(EvaluationError(*place, load_balancer.arn, None, error.what, error.cause))
                continue
            if is_wanted:
                fitting.append(load_balancer)
        chosen[estate.account_region] = fitting
    return replace(loaded, load_balancers_by_account_region=chosen, errors=errors)


def narrow_recorded(arguments: argparse.Namespace, results: Results, accounts: Mapping[str, AccountName]) -> Results:
    """The recorded results whose load balancers and rules fit, as `narrow_estates` and `narrow_rules` choose what is
    judged. A load balancer without a result is not counted where the run is narrowed: nothing tells whether it fits."""
    if not (_narrows_load_balancers(arguments) or arguments.severity):
        return results
    fitting = [
        one
        for one in results.all
        if _fits(arguments, one.account_id, one.load_balancer_name)
        and (not arguments.severity or one.rule is None or _has_severity(arguments, one.rule))
    ]
    # An error of no account may concern any.
    in_unit = {one.account_id: _is_in_unit(arguments, one.account_id, accounts) for one in fitting if one.account_id}
    unknown = {(one.account_id, one.region) for one in fitting if in_unit.get(one.account_id, True) is None}
    chosen = [one for one in fitting if in_unit.get(one.account_id, True)]
    return _with_results(results, [*chosen, *(unknown_unit_error(*place) for place in sorted(unknown))])


def with_statuses(arguments: argparse.Namespace, results: Results) -> Results:
    """The results of one of the statuses of `--status`, to be listed. The exit code is about all of them."""
    if not arguments.status:
        return results
    statuses = {STATUSES[status] for status in arguments.status}
    return _with_results(results, [one for one in results.all if verdict_status(one) in statuses])


def _with_results(results: Results, chosen: Sequence[Result]) -> Results:
    """The chosen results, with the number of their load balancers."""
    return replace(
        results,
        findings=[one for one in chosen if isinstance(one, Finding)],
        errors=[one for one in chosen if isinstance(one, EvaluationError)],
        load_balancer_count=len({one.load_balancer_arn for one in chosen if one.load_balancer_arn is not None}),
    )


def _fits(arguments: argparse.Namespace, account: str, name: str | None) -> bool:
    """Whether account and name fit. An error of no account or of no load balancer may concern any."""
    return (not arguments.account or not account or account in arguments.account) and (
        not arguments.name or name is None or fits(name, arguments.name)
    )


def _is_in_unit(arguments: argparse.Namespace, account: str, accounts: Mapping[str, AccountName]) -> bool | None:
    """Whether an account is in one of the units or below it; None where its unit is not known and decides."""
    if not arguments.unit:
        return True
    unit = accounts.get(account, AccountName()).unit
    is_in_unit = unit_fits(unit, arguments.unit)
    return None if unit is None and not is_in_unit else is_in_unit


def _has_owner(arguments: argparse.Namespace, estate: Estate, load_balancer: LoadBalancer) -> bool:
    """Whether one of the owners is that of the load balancer. Raises NotReadError where its tags or one of its security
    groups were not read."""
    if not arguments.owner:
        return True
    # Most runs are not narrowed by owner.
    from alb_sg.observations.observation import find_owner  # noqa: PLC0415 (slow, as above)

    groups = [estate.security_group(group_id) for group_id in load_balancer.security_groups]
    return owner_fits(find_owner(arguments.owner_tag, estate.tags_of(load_balancer), groups), arguments.owner)


def _has_severity(arguments: argparse.Namespace, rule: str) -> bool:
    return rule_severity(rule).name.lower() in arguments.severity


def _has_tag(arguments: argparse.Namespace, estate: Estate, load_balancer: LoadBalancer) -> bool:
    """Whether the load balancer has one of the tags. Raises NotReadError where its tags were not read."""
    return not arguments.tag or tags_fit(estate.tags_of(load_balancer), arguments.tag)
