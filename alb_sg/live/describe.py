"""Stage 2: what the load balancers consist of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alb_sg.estate.model import LoadBalancer, TargetGroup
from alb_sg.live.calls import Answer
from alb_sg.live.need import hanging
from alb_sg.live.reading import LOAD_BALANCER_GONE
from alb_sg.live.requests import ELB_NAMES, FILTER_VALUES, batches
from alb_sg.live.run import Key, Run, Wanted


def describe(run: Run, judged: Sequence[LoadBalancer]) -> None:
    """Reads listeners, registrations, security groups, VPCs and tags of these load balancers."""
    fronts, used = _front_groups(run, judged), _used_groups(run, judged)
    wanted: Wanted = {}
    if run.asks("Listeners") and not run.reading.failed("Listeners"):
        unread = (found.arn for found in judged if found.arn not in run.reading.listeners)
        wanted |= {("Listeners", (arn,)): run.ask.listeners(arn) for arn in unread}
    for group in (*fronts, *(used if run.asks("TargetHealthDescriptions") else ())):
        wanted |= run.target_health(group)
    if run.asks("SecurityGroups"):
        wanted |= _security_groups(run, judged)
    if run.asks("Vpcs"):
        wanted |= _vpcs(run, judged, fronts, used)
    if run.asks("Tags"):
        for arns in batches((found.arn for found in judged if found.arn not in run.reading.tags), ELB_NAMES):
            wanted["Tags", arns] = run.ask.tags(arns)
    answers = run.calls.answers(wanted)
    # One load balancer that is gone fails the call for all of its batch.
    again = [key for key, answer in answers.items() if _hides_others(key, answer)]
    for key in again:
        del answers[key]
    run.take(answers)
    late: Wanted = {("Tags", (arn,)): run.ask.tags((arn,)) for _, arns in again for arn in arns}
    for group in _named_by_listeners(run, judged):
        late |= run.target_health(group)
    run.request(late)


def confirm(run: Run, judged: Sequence[LoadBalancer]) -> None:
    """Reads the registrations on which a verdict hangs and that so far are only known as AWS Config recorded them."""
    if not run.asks("TargetHealthDescriptions") or not run.settled("TargetGroups"):
        return
    wanted: Wanted = {}
    for group in hanging(run.estate(), judged, run.question):
        if group.arn in run.reading.recorded_targets:
            del run.reading.targets[group.arn]
            wanted |= run.target_health(group)
    run.request(wanted)


def vpcs_by_id(run: Run, ids: Iterable[str]) -> Wanted:
    return {("Vpcs", some): run.ask.vpcs(some) for some in batches(ids, FILTER_VALUES)}


def _used_groups(run: Run, judged: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """Target groups of these load balancers; Lambda functions are nothing that a security group lets through."""
    arns = {found.arn for found in judged}
    return [
        group
        for group in run.reading.target_groups.values()
        if group.target_type != "lambda" and not arns.isdisjoint(group.load_balancer_arns or ())
    ]


def _front_groups(run: Run, judged: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """Target groups through which a Network Load Balancer may send to one of these."""
    if not run.asks("AlbRegistrations"):
        return []
    vpcs = {found.vpc_id for found in judged}
    return [
        group
        for group in run.reading.target_groups.values()
        if group.target_type == "alb" and group.load_balancer_arns and group.vpc_id in vpcs
    ]


def _named_by_listeners(run: Run, judged: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """Target groups of default actions, for those that did not say yet who uses them when they were listed."""
    if not run.asks("TargetHealthDescriptions"):
        return []
    listeners = [listener for found in judged for listener in run.reading.listeners.get(found.arn, ())]
    arns = {arn for listener in listeners for arn in listener.target_group_arns}
    groups = [run.reading.target_groups[arn] for arn in sorted(arns & run.reading.target_groups.keys())]
    return [group for group in groups if group.target_type != "lambda"]


def _security_groups(run: Run, judged: Sequence[LoadBalancer]) -> Wanted:
    ids = {group_id for found in judged for group_id in found.security_groups} | run.question.also_security_groups
    if run.settled("SecurityGroups"):
        ids = set() if run.reading.failed("SecurityGroups") else ids - run.reading.security_groups.keys()
    elif run.selection.everything and ids:
        return {("SecurityGroups", ()): run.ask.security_groups()}
    return {("SecurityGroups", some): run.ask.security_groups(some) for some in batches(ids, FILTER_VALUES)}


def _vpcs(
    run: Run, judged: Sequence[LoadBalancer], fronts: Iterable[TargetGroup], used: Iterable[TargetGroup]
) -> Wanted:
    """VPCs whose blocks are somebody's clients, or tell whether a registered address is outside of them."""
    if run.selection.everything and judged and not run.settled("Vpcs"):
        return {("Vpcs", ()): run.ask.vpcs()}
    # A tag may name the VPC as a load balancer's clients, whatever its scheme.
    ids = {found.vpc_id for found in judged if run.asks("Tags") or found.scheme != "internet-facing"}
    ids |= {group.vpc_id for group in fronts}
    if run.asks("NetworkInterfaces"):
        ids |= {group.vpc_id for group in used if group.target_type == "ip"}
    return {} if run.reading.failed("Vpcs") else vpcs_by_id(run, ids - run.reading.vpcs.keys())


def _hides_others(key: Key, answer: Answer) -> bool:
    section, keys = key
    return section == "Tags" and len(keys) > 1 and answer.code == LOAD_BALANCER_GONE
