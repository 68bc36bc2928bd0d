"""The reasons for the verdicts on one load balancer.

For every recommended row: the security group rules that cover it, the missing parts, or why it could not be judged. And
for what requires nothing, such as a target group of Lambda functions: why.
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
from alb_sg.findings.coverage import AcceptedSources, PermissionsOf, requirement_count
from alb_sg.findings.evidence import CheckedRequirement, Evidence, EvidenceSearch, PermissionPeer
from alb_sg.findings.finding import Finding, Missing, Result
from alb_sg.findings.judge import Judge, merge_missing
from alb_sg.findings.near_misses import find_near_misses
from alb_sg.findings.remarks import RemarkFinder
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import Direction, Traffic
from alb_sg.permissions.unused_traffic import UnusedRule
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer, fronting_load_balancers
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.recommendations.requirement import (
    AddressPeer,
    NodesPeer,
    NotApplicable,
    Origin,
    Peer,
    PrefixListPeer,
    RequirementSet,
    SecurityGroupPeer,
    TargetPeer,
    carried_groups,
    targets_of,
)
from alb_sg.recommendations.target_requirements import listeners_by_port

T = TypeVar("T")


class RowStatus(Enum):
    """`UNREAD` is no verdict."""

    MET = "met"
    MISSING = "missing"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One recommended row, or the same row for `count` targets of a target group.

    `required` is the recommended peer (CIDR blocks, `pl-…`, `sg-…`, or the targets' addresses), described by `label`.
    `targets` are the targets' ids. `evidence` are the rules that cover the row if its status is `MET`, else those that
    cover a part of it; where accepted sources meet it, those that cover one of these. `accepted_source` is the first
    that replaces the recommended peer, `accepted_sources` are all that are open, `lost_sources` those that should be
    and are not, and `closed_sources` those that would cover the row, where none of them is open. `open_instead` are the
    other peers that are allowed the same traffic, and `near_misses` sentences on what else comes close. `unread` is a
    fact that the status depends on, with the reason why it was not read. `security_groups` are those of the targets,
    for a row that these must meet.
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
    accepted_sources: AcceptedSources | None
    lost_sources: tuple[str, ...]
    missing: Missing | None
    unresolved: tuple[str, ...]
    open_instead: tuple[PermissionPeer, ...]
    near_misses: tuple[str, ...]
    closed_sources: tuple[str, ...]
    unread: tuple[str, str] | None
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """One rule's verdict with its rows. `notes` are its remarks, and what requires nothing and why. `unused` are the
    security group rules that let in something unused, of a rule that judges that."""

    recommendation: Recommendation
    verdict: Result
    rows: tuple[RequirementRow, ...]
    notes: tuple[str, ...]
    unused: tuple[UnusedRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One load balancer and the facts that its verdicts rest on.

    `vpc_cidrs` is None where the VPC was not read; if a verdict depends on it, that verdict says so. `group_names` are
    the names by id of its security groups, and of those of targets that lack a rule, as far as they were read.
    `remarks` are sentences on what no verdict depends on. `unread` are other facts that were not read, each with the
    cause.
    """

    account_id: str
    region: str
    load_balancer: LoadBalancer
    vpc_cidrs: tuple[str, ...] | None
    group_names: Mapping[str, str]
    listeners: tuple[Listener, ...]
    fronting_load_balancers: tuple[FrontingLoadBalancer, ...]
    rules: tuple[RuleExplanation, ...]
    remarks: tuple[str, ...]
    unread: tuple[tuple[str, str], ...]


def explain(
    judge: Judge,
    load_balancer: LoadBalancer,
    rules: Mapping[Recommendation, Parameters],
    remarks: RemarkFinder | None = None,
) -> Explanation:
    """The explanation of a load balancer's verdicts. Never raises NotReadError: `unread` has those errors.

    `remarks` finds the remarks; None: from the facts in the estate.
    """
    estate = judge.estate
    remarks = RemarkFinder(estate) if remarks is None else remarks
    rule_explanations = tuple(_explain_rule(judge, load_balancer, *rule) for rule in rules.items())
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
    for verdict in (rule.verdict for rule in rule_explanations):
        for group_id in verdict.security_groups if isinstance(verdict, Finding) else ():
            group = (estate.security_groups or {}).get(group_id)
            names.setdefault(group_id, None if group is None else group.name)
    application = load_balancer.type == "application"
    return Explanation(
        account_id=estate.account_id,
        region=estate.region,
        load_balancer=load_balancer,
        vpc_cidrs=_vpc_cidrs(estate, load_balancer),
        group_names={group_id: name for group_id, name in names.items() if name is not None},
        listeners=known(lambda: listeners_by_port(estate, load_balancer), ()) if application else (),
        fronting_load_balancers=(
            known(lambda: fronting_load_balancers(estate, load_balancer), ()) if application else ()
        ),
        rules=rule_explanations,
        remarks=remarks.remarks(judge, load_balancer, [rule.verdict for rule in rule_explanations]),
        unread=(*unread, *remarks.unread),
    )


def _vpc_cidrs(estate: Estate, load_balancer: LoadBalancer) -> tuple[str, ...] | None:
    try:
        cidrs = estate.vpc(load_balancer.vpc_id).cidrs
    except NotReadError:
        return None
    return tuple(cidr for family in Family for cidr in cidrs[family])


def _explain_rule(
    judge: Judge, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters
) -> RuleExplanation:
    verdict = judge.judge(load_balancer, recommendation, parameters)
    notes = tuple(recommendation.notes(judge.estate, load_balancer)) if load_balancer.type == "application" else ()
    try:
        if recommendation.find_unused is not None:
            found = judge.unused_ingress(load_balancer, recommendation.find_unused, recommendation.name)
            return RuleExplanation(recommendation, verdict, (), (*found.remarks, *notes), found.rules)
        requirement_set = judge.requirement_set(load_balancer, recommendation, parameters)
    except (NotApplicable, NotReadError):
        # The verdict says why there is no row.
        return RuleExplanation(recommendation, verdict, (), notes)
    rows = _rows(judge, load_balancer, requirement_set, parameters)
    return RuleExplanation(recommendation, verdict, rows, (*requirement_set.remarks, *notes))


def _rows(
    judge: Judge, load_balancer: LoadBalancer, requirement_set: RequirementSet, parameters: Parameters
) -> tuple[RequirementRow, ...]:
    """A row for every requirement. Targets that differ in their address only share a row."""
    permissions_of = judge.deciding_permissions(load_balancer)
    search = EvidenceSearch(judge.estate, permissions_of, parameters, one_family=requirement_set.has_one_family)
    by_row: dict[tuple[object, ...], list[CheckedRequirement]] = {}
    for requirement in requirement_set.requirements:
        checked = search.check_requirement(requirement)
        by_row.setdefault(_row_key(checked), []).append(checked)
    return tuple(
        _row(search, permissions_of, load_balancer, checked_requirements) for checked_requirements in by_row.values()
    )


def _row_key(checked: CheckedRequirement) -> tuple[object, ...]:
    """Equal for requirements that share a row: targets of one group with the same port, status and evidence."""
    requirement, coverage, unread = checked.requirement, checked.coverage, checked.unread
    return (
        requirement.traffic,
        requirement.origin,
        requirement.peer.family if isinstance(requirement.peer, TargetPeer) else requirement,
        tuple((evidence.permission_peer, evidence.match) for evidence in checked.evidence),
        None if coverage is None else (coverage.is_covered, coverage.or_security_groups, bool(coverage.missing)),
        () if coverage is None else coverage.unresolved,
        None if unread is None else (unread.what, unread.cause),
    )


def _row(
    search: EvidenceSearch,
    permissions_of: PermissionsOf,
    load_balancer: LoadBalancer,
    checked_requirements: Sequence[CheckedRequirement],
) -> RequirementRow:
    """One row from requirements that share their key."""
    first = checked_requirements[0]
    requirement, coverage, unread = first.requirement, first.coverage, first.unread
    coverages = [checked.coverage for checked in checked_requirements if checked.coverage is not None]
    peers = [checked.requirement.peer for checked in checked_requirements]
    targets = [target for peer in peers for target in targets_of(peer)]
    evidence = tuple(
        replace(
            part,
            covers=tuple(
                dict.fromkeys(cidr for checked in checked_requirements for cidr in checked.evidence[index].covers)
            ),
        )
        for index, part in enumerate(first.evidence)
    )
    status = RowStatus.UNREAD if coverage is None else RowStatus.MET if coverage.is_covered else RowStatus.MISSING
    used = {part.permission_peer for part in evidence}
    others = () if status is RowStatus.MET else search.permission_peers(requirement)
    return RequirementRow(
        direction=requirement.direction,
        traffic=requirement.traffic,
        origin=requirement.origin,
        required=_required(requirement.peer, targets),
        label=_label(requirement.peer),
        targets=tuple(target.target_id for target in targets),
        count=sum(map(requirement_count, peers)),
        status=status,
        evidence=evidence,
        accepted_source=None if coverage is None else coverage.accepted_source,
        accepted_sources=None if coverage is None else coverage.accepted_sources,
        lost_sources=()
        if coverage is None
        else tuple(name for part in coverage.lost_sources for name in part.required),
        missing=merge_missing(coverages)[0] if status is RowStatus.MISSING else None,
        unresolved=() if coverage is None else coverage.unresolved,
        open_instead=tuple(peer for peer in others if peer not in used),
        near_misses=(
            tuple(one.sentence for one in find_near_misses(permissions_of(requirement.peer), coverage, load_balancer))
            if status is RowStatus.MISSING and coverage is not None
            else ()
        ),
        closed_sources=search.closed_accepted_sources(first),
        unread=None if unread is None else (unread.what, unread.cause),
        security_groups=carried_groups(requirement.peer),
    )


def _label(peer: Peer) -> str:
    match peer:
        case AddressPeer():
            return peer.label
        case NodesPeer():
            return "its subnets" if peer.unread_addresses is None else "its subnets are not known"
        case _:
            return ""


def _required(peer: Peer, targets: Sequence[TargetPeer]) -> tuple[str, ...]:
    match peer:
        case NodesPeer() if peer.unread_addresses is not None and peer.addresses.is_everything:
            return ()
        case AddressPeer() | NodesPeer():
            return peer.cidrs
        case PrefixListPeer():
            return (peer.prefix_list_id,)
        case SecurityGroupPeer():
            return (peer.group_id,)
        case TargetPeer():
            cidrs = (target.cidr for target in targets)
            return tuple(dict.fromkeys(cidr for cidr in cidrs if cidr is not None))
