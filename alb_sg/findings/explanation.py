"""Why the verdicts on one load balancer are what they are: every recommended row with the security group rules
that meet it, what is missing, or why it could not be judged; and what asks for nothing, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer
from alb_sg.findings.evidence import CheckedRequirement, Evidence, EvidenceSearch, PermissionPeer
from alb_sg.findings.finding import EvaluationError, Finding, Missing
from alb_sg.findings.judge import Judge, merge_missing
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import Direction, Traffic
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.recommendations.requirement import (
    AddressPeer,
    NotApplicable,
    Origin,
    Peer,
    PrefixListPeer,
    RequirementSet,
    SecurityGroupPeer,
    TargetPeer,
)
from alb_sg.recommendations.target_requirements import listeners_by_port

T = TypeVar("T")


class RowStatus(Enum):
    """What became of a row; `UNREAD` is no verdict."""

    MET = "met"
    MISSING = "missing"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One recommended row, or the same row for `count` targets of a target group.

    `required` is the peer as the page has it (CIDR blocks, `pl-…`, `sg-…`, or the targets' addresses), `label`
    what it is, `targets` the targets' ids. `evidence` meets it whole where the status is `MET`, else it is what
    lets a part of it through already; `accepted` names the accepted source that stands in. `instead` is whatever
    else is let through of the same traffic. `unread` is what the row hangs on, and why that was not read.
    """

    direction: Direction
    traffic: Traffic
    origin: Origin
    required: tuple[str, ...]
    label: str
    targets: tuple[str, ...]
    count: int
    status: RowStatus
    evidence: tuple[Evidence, ...]
    accepted_source: str | None
    missing: Missing | None
    unresolved: tuple[str, ...]
    open_instead: tuple[PermissionPeer, ...]
    unread: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """One rule's verdict with its rows; `notes` are what asks for nothing, and why."""

    recommendation: Recommendation
    verdict: Finding | EvaluationError
    rows: tuple[RequirementRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrontingLoadBalancerSummary:
    """A Network Load Balancer in front, and the port of this load balancer that it sends to."""

    name: str
    arn: str
    scheme: str
    target_group: str
    port: int | None
    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One load balancer and all that its verdicts rest on.

    `vpc_cidrs` is None where the VPC was not read, which only matters where its verdicts say so. `group_names` are
    the names of its security groups by id, of those that were read; `unread` are other facts about it that were
    not, each with the cause.
    """

    account_id: str
    region: str
    load_balancer: LoadBalancer
    vpc_cidrs: tuple[str, ...] | None
    group_names: Mapping[str, str]
    listeners: tuple[Listener, ...]
    fronting_load_balancers: tuple[FrontingLoadBalancerSummary, ...]
    rules: tuple[RuleExplanation, ...]
    unread: tuple[tuple[str, str], ...]


def explain(judge: Judge, load_balancer: LoadBalancer, rules: Mapping[Recommendation, Parameters]) -> Explanation:
    """Everything that the verdicts on a load balancer rest on. What was not read stands in it, never raised."""
    estate = judge.estate
    unread: dict[tuple[str, str], None] = {}

    def known(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except NotReadError as error:
            unread[error.what, error.cause] = None
            return otherwise

    def group_name(group_id: str) -> str | None:
        return known(lambda: estate.security_group(group_id).name, None)

    names = {group_id: group_name(group_id) for group_id in load_balancer.security_groups}
    application = load_balancer.type == "application"
    return Explanation(
        account_id=estate.account_id,
        region=estate.region,
        load_balancer=load_balancer,
        vpc_cidrs=_vpc_cidrs(estate, load_balancer),
        group_names={group_id: name for group_id, name in names.items() if name is not None},
        listeners=known(lambda: listeners_by_port(estate, load_balancer), ()) if application else (),
        fronting_load_balancers=known(lambda: _fronting_load_balancers(estate, load_balancer), ())
        if application
        else (),
        rules=tuple(_explain_rule(judge, load_balancer, *rule) for rule in rules.items()),
        unread=tuple(unread),
    )


def _vpc_cidrs(estate: Estate, load_balancer: LoadBalancer) -> tuple[str, ...] | None:
    try:
        cidrs = estate.vpc(load_balancer.vpc_id).cidrs
    except NotReadError:
        return None
    return tuple(cidr for family in Family for cidr in cidrs[family])


def _fronting_load_balancers(estate: Estate, load_balancer: LoadBalancer) -> tuple[FrontingLoadBalancerSummary, ...]:
    fronts = []
    for group, target in estate.alb_registrations_of(load_balancer):
        port = group.port_of(target)
        for arn in group.load_balancer_arns or ():
            found = estate.load_balancers.get(arn)
            if found is None:
                raise NotReadError(f"Network Load Balancer {arn}", "it is not among the LoadBalancers collected")
            fronts.append(
                FrontingLoadBalancerSummary(found.name, arn, str(found.scheme), group.name, port, found.security_groups)
            )
    return tuple(sorted(fronts, key=lambda front: (front.arn, front.target_group, front.port or 0)))


# --- rows


def _explain_rule(
    judge: Judge, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters
) -> RuleExplanation:
    verdict = judge.judge(load_balancer, recommendation, parameters)
    notes = tuple(recommendation.notes(judge.estate, load_balancer)) if load_balancer.type == "application" else ()
    try:
        demand = recommendation.requirements(judge.context(load_balancer), parameters)
    except (NotApplicable, NotReadError):
        # The verdict says why there is no row.
        return RuleExplanation(recommendation, verdict, (), notes)
    rows = _rows(judge, load_balancer, demand, parameters)
    return RuleExplanation(recommendation, verdict, rows, (*demand.remarks, *notes))


def _rows(
    judge: Judge, load_balancer: LoadBalancer, requirement_set: RequirementSet, parameters: Parameters
) -> tuple[RequirementRow, ...]:
    """A row for every requirement; targets that share all but their address share a row."""
    search = EvidenceSearch(judge.permissions_of(load_balancer), parameters, one_family=requirement_set.has_one_family)
    together: dict[tuple[object, ...], list[CheckedRequirement]] = {}
    for requirement in requirement_set.requirements:
        settled = search.check_requirement(requirement)
        together.setdefault(_row_key(settled), []).append(settled)
    return tuple(_row(search, alike) for alike in together.values())


def _row_key(checked: CheckedRequirement) -> tuple[object, ...]:
    """Equal for what stands in one row: targets of one group, with one port, state and evidence."""
    requirement, outcome, unread = checked.requirement, checked.coverage, checked.unread
    return (
        requirement.traffic,
        requirement.origin,
        requirement.peer.family if isinstance(requirement.peer, TargetPeer) else requirement,
        tuple((evidence.permission_peer, evidence.match) for evidence in checked.evidence),
        None if outcome is None else (outcome.is_covered, outcome.or_security_groups, bool(outcome.missing)),
        () if outcome is None else outcome.unresolved,
        None if unread is None else (unread.what, unread.cause),
    )


def _row(search: EvidenceSearch, checked_requirements: Sequence[CheckedRequirement]) -> RequirementRow:
    """One row from requirements that share their key."""
    first = checked_requirements[0]
    requirement, outcome, unread = first.requirement, first.coverage, first.unread
    outcomes = [one.coverage for one in checked_requirements if one.coverage is not None]
    endpoints = [one.requirement.peer for one in checked_requirements if isinstance(one.requirement.peer, TargetPeer)]
    evidence = tuple(
        replace(
            part,
            covers=tuple(dict.fromkeys(cidr for one in checked_requirements for cidr in one.evidence[index].covers)),
        )
        for index, part in enumerate(first.evidence)
    )
    status = RowStatus.UNREAD if outcome is None else RowStatus.MET if outcome.is_covered else RowStatus.MISSING
    used = {part.permission_peer for part in evidence}
    others = () if status is RowStatus.MET else search.permission_peers(requirement.direction, requirement.traffic)
    return RequirementRow(
        direction=requirement.direction,
        traffic=requirement.traffic,
        origin=requirement.origin,
        required=_required(requirement.peer, endpoints),
        label=requirement.peer.label if isinstance(requirement.peer, AddressPeer) else "",
        targets=tuple(endpoint.target_id for endpoint in endpoints),
        count=len(checked_requirements),
        status=status,
        evidence=evidence,
        accepted_source=None if outcome is None else outcome.accepted_source,
        missing=merge_missing(outcomes)[0] if status is RowStatus.MISSING else None,
        unresolved=() if outcome is None else outcome.unresolved,
        open_instead=tuple(grant for grant in others if grant not in used),
        unread=None if unread is None else (unread.what, unread.cause),
    )


def _required(peer: Peer, endpoints: Sequence[TargetPeer]) -> tuple[str, ...]:
    match peer:
        case AddressPeer():
            return peer.cidrs
        case PrefixListPeer():
            return (peer.prefix_list_id,)
        case SecurityGroupPeer():
            return (peer.group_id,)
        case TargetPeer():
            found = (endpoint.cidr for endpoint in endpoints)
            return tuple(dict.fromkeys(required for required in found if required is not None))
