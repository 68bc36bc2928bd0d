"""Stage 1: the load balancers, and the target groups that lead to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alb_sg.aws.calls import ApiResponse
from alb_sg.estate.sections import Section
from alb_sg.live.confirmation import NAME_ERROR_CODES, confirm_load_balancers
from alb_sg.live.load_context import LoadContext, RequestKey, RequestsByKey
from alb_sg.live.requests import ELB_NAMES, PREFIX_LIST_FILTERS
from alb_sg.live.target_carriers import follow_targets


def find_load_balancers(context: LoadContext) -> LoadContext:
    """Reads load balancers and target groups, and the registrations that the selection follows.

    Returns the context with the selection in terms of what was read.
    """
    all_load_balancers: RequestsByKey = {(Section.LOAD_BALANCERS, ()): context.requests.load_balancers()}
    by_name = {} if context.is_from_config(Section.LOAD_BALANCERS) else _requests_by_name(context)
    requests = dict(all_load_balancers if by_name is None else by_name)
    if context.needs_target_groups and not context.is_from_config(Section.TARGET_GROUPS):
        requests[Section.TARGET_GROUPS, ()] = context.requests.target_groups()
    using_lists = _requests_for_users_of_prefix_lists(context)
    responses = context.calls.send_all({**requests, **using_lists})
    users = {key: responses.pop(key) for key in using_lists}
    if any(responses[key].error_code in NAME_ERROR_CODES for key in by_name or ()):
        for key in by_name or ():
            del responses[key]
        # If only one load balancer is named, its absence is the whole answer.
        if len(context.selection.load_balancers) > 1:
            responses |= context.calls.send_all(all_load_balancers)
    context.add_responses(responses)
    _ask_for_unlisted(context, listed_all=not by_name)
    context = _with_selected_groups(context, users)
    context.read(context.target_health_requests(context.followed_target_groups))
    return follow_targets(context)


def _ask_for_unlisted(context: LoadContext, *, listed_all: bool) -> None:
    """Asks again for load balancers that were not listed although the selection or a target group names them."""
    partial_estate = context.partial_estate
    if partial_estate.failures_of(Section.LOAD_BALANCERS):
        return
    known = {name for found in partial_estate.load_balancers.values() for name in (found.arn, found.name)}
    unlisted = set(context.selection.load_balancers - known)
    if listed_all:
        groups = partial_estate.target_groups.values()
        unlisted |= {arn for group in groups for arn in group.load_balancer_arns or () if arn not in known}
    arns = {name for name in unlisted if name.startswith("arn:")}
    confirmation = confirm_load_balancers(context.calls, context.requests, arns, names=unlisted - arns)
    response = ApiResponse(confirmation.operation, list(confirmation.found.values()))
    partial_estate.add_response(Section.LOAD_BALANCERS, (), response)
    for name, cause in confirmation.failures.items():
        partial_estate.add_failure(Section.LOAD_BALANCERS, name, cause)
    for arn in confirmation.gone & arns:
        partial_estate.remove_load_balancer(arn)


def _requests_for_users_of_prefix_lists(context: LoadContext) -> RequestsByKey:
    return {
        (Section.SECURITY_GROUPS, (list_id, name)): context.requests.security_groups_with_prefix_list(list_id, name)
        for list_id in sorted(context.selection.prefix_lists)
        for name in PREFIX_LIST_FILTERS
    }


def _with_selected_groups(context: LoadContext, users: Mapping[RequestKey, ApiResponse]) -> LoadContext:
    """The context whose selection has the security groups that refer to selected prefix lists, and the Network Load
    Balancers with one of its groups: what these let in are the clients of the load balancers behind them."""
    selection = context.selection
    groups = set(selection.security_groups)
    for response in users.values():
        groups |= {item["GroupId"] for item in response.items}
        if response.failure is not None:
            # Without them it is unknown which load balancers are meant.
            context.partial_estate.add_failure(Section.LOAD_BALANCERS, None, response.failure)
    fronts: set[str] = set()
    if context.needs_section(Section.ALB_REGISTRATIONS):
        fronts = {
            found.arn
            for found in context.partial_estate.load_balancers.values()
            if found.type == "network" and not groups.isdisjoint(found.security_groups)
        }
    behind = selection.behind_network_load_balancers | fronts
    of_targets = selection.target_security_groups
    if context.judges_targets:
        of_targets |= groups - selection.security_groups
    return replace(
        context,
        selection=replace(
            selection,
            security_groups=frozenset(groups),
            target_security_groups=of_targets,
            behind_network_load_balancers=behind,
        ),
    )


def _requests_by_name(context: LoadContext) -> RequestsByKey | None:
    """Calls that read the named load balancers alone; None if all have to be listed, such as to find the Network
    Load Balancers in front of them, or the others with their security groups."""
    needs_all = (Section.ALB_REGISTRATIONS, Section.SECURITY_GROUP_CARRIERS)
    if not context.selection.only_named or any(map(context.needs_section, needs_all)):
        return None
    names = context.selection.load_balancers
    arns = frozenset(name for name in names if name.startswith("arn:"))
    if len(names) > ELB_NAMES:
        return None
    return {
        (Section.LOAD_BALANCERS, tuple(sorted(values))): context.requests.load_balancers_by(parameter, values)
        for parameter, values in (("LoadBalancerArns", arns), ("Names", names - arns))
        if values
    }
