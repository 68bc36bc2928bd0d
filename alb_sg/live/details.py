"""Stage 2: what the load balancers consist of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alb_sg.aws.calls import ApiResponse
from alb_sg.estate.model import LoadBalancer, TargetGroup
from alb_sg.live.load_context import LoadContext, RequestKey, RequestsByKey
from alb_sg.live.lookups import groups_to_confirm
from alb_sg.live.partial_estate import LOAD_BALANCER_NOT_FOUND
from alb_sg.live.requests import ELB_NAMES, FILTER_VALUES, batches


def read_details(context: LoadContext, judged: Sequence[LoadBalancer]) -> None:
    """Reads listeners, registrations, security groups, VPCs and tags of these load balancers."""
    fronts, used = _front_target_groups(context, judged), _used_target_groups(context, judged)
    wanted: RequestsByKey = {}
    if context.needs_section("Listeners") and not context.partial_estate.failures_of("Listeners"):
        unread = (found.arn for found in judged if found.arn not in context.partial_estate.listeners)
        wanted |= {("Listeners", (arn,)): context.requests.listeners(arn) for arn in unread}
    for group in (*fronts, *(used if context.needs_section("TargetHealthDescriptions") else ())):
        wanted |= context.target_health_requests(group)
    if context.needs_section("SecurityGroups"):
        wanted |= _security_group_requests(context, judged)
    if context.needs_section("Vpcs"):
        wanted |= _vpc_requests(context, judged, fronts, used)
    if context.needs_section("Tags"):
        for arns in batches((found.arn for found in judged if found.arn not in context.partial_estate.tags), ELB_NAMES):
            wanted["Tags", arns] = context.requests.tags(arns)
    answers = context.calls.send_all(wanted)
    # One load balancer that is gone fails the call for all of its batch.
    again = [key for key, answer in answers.items() if _must_split_batch(key, answer)]
    for key in again:
        del answers[key]
    context.add_responses(answers)
    late: RequestsByKey = {("Tags", (arn,)): context.requests.tags((arn,)) for _, arns in again for arn in arns}
    for group in _default_target_groups(context, judged):
        late |= context.target_health_requests(group)
    context.read(late)


def confirm_targets(context: LoadContext, judged: Sequence[LoadBalancer]) -> None:
    """Reads the registrations on which a verdict hangs and that so far are only known as AWS Config recorded them."""
    if not context.needs_section("TargetHealthDescriptions") or not context.is_from_config("TargetGroups"):
        return
    wanted: RequestsByKey = {}
    for group in groups_to_confirm(context.estate(), judged, context.read_request):
        if group.arn in context.partial_estate.recorded_target_groups:
            del context.partial_estate.targets[group.arn]
            wanted |= context.target_health_requests(group)
    context.read(wanted)


def vpc_requests_by_id(context: LoadContext, ids: Iterable[str]) -> RequestsByKey:
    return {("Vpcs", some): context.requests.vpcs(some) for some in batches(ids, FILTER_VALUES)}


def _used_target_groups(context: LoadContext, judged: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """Target groups of these load balancers; Lambda functions are nothing that a security group lets through."""
    arns = {found.arn for found in judged}
    return [
        group
        for group in context.partial_estate.target_groups.values()
        if group.target_type != "lambda" and not arns.isdisjoint(group.load_balancer_arns or ())
    ]


def _front_target_groups(context: LoadContext, judged: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """Target groups through which a Network Load Balancer may send to one of these."""
    if not context.needs_section("AlbRegistrations"):
        return []
    vpcs = {found.vpc_id for found in judged}
    return [
        group
        for group in context.partial_estate.target_groups.values()
        if group.target_type == "alb" and group.load_balancer_arns and group.vpc_id in vpcs
    ]


def _default_target_groups(context: LoadContext, judged: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """Target groups of default actions, for those that did not say yet who uses them when they were listed."""
    if not context.needs_section("TargetHealthDescriptions"):
        return []
    listeners = [listener for found in judged for listener in context.partial_estate.listeners.get(found.arn, ())]
    arns = {arn for listener in listeners for arn in listener.target_group_arns}
    groups = [
        context.partial_estate.target_groups[arn] for arn in sorted(arns & context.partial_estate.target_groups.keys())
    ]
    return [group for group in groups if group.target_type != "lambda"]


def _security_group_requests(context: LoadContext, judged: Sequence[LoadBalancer]) -> RequestsByKey:
    ids = {
        group_id for found in judged for group_id in found.security_groups
    } | context.read_request.also_security_groups
    if context.is_from_config("SecurityGroups"):
        ids = (
            set()
            if context.partial_estate.failures_of("SecurityGroups")
            else ids - context.partial_estate.security_groups.keys()
        )
    elif context.selection.everything and ids:
        return {("SecurityGroups", ()): context.requests.security_groups()}
    return {("SecurityGroups", some): context.requests.security_groups(some) for some in batches(ids, FILTER_VALUES)}


def _vpc_requests(
    context: LoadContext, judged: Sequence[LoadBalancer], fronts: Iterable[TargetGroup], used: Iterable[TargetGroup]
) -> RequestsByKey:
    """VPCs whose blocks are somebody's clients, or tell whether a registered address is outside of them."""
    if context.selection.everything and judged and not context.is_from_config("Vpcs"):
        return {("Vpcs", ()): context.requests.vpcs()}
    # A tag may name the VPC as a load balancer's clients, whatever its scheme.
    ids = {found.vpc_id for found in judged if context.needs_section("Tags") or found.scheme != "internet-facing"}
    ids |= {group.vpc_id for group in fronts}
    if context.needs_section("NetworkInterfaces"):
        ids |= {group.vpc_id for group in used if group.target_type == "ip"}
    return (
        {}
        if context.partial_estate.failures_of("Vpcs")
        else vpc_requests_by_id(context, ids - context.partial_estate.vpcs.keys())
    )


def _must_split_batch(key: RequestKey, answer: ApiResponse) -> bool:
    section, keys = key
    return section == "Tags" and len(keys) > 1 and answer.error_code == LOAD_BALANCER_NOT_FOUND
