"""From a load balancer to its finding: what the recommendation demands, minus what the groups let through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from operator import itemgetter

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.snapshots.speed import tuple_constructor
from alb_sg.findings import annotation
from alb_sg.findings.coverage import Coverage, check, count_if_all_covered
from alb_sg.findings.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    Compliance,
    EvaluationError,
    Finding,
    Missing,
)
from alb_sg.parameters import Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Permissions
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.recommendations.requirement import NotApplicable, RequirementSet, TargetPeer

# Sets of security groups whose permissions are kept: many load balancers share the same, and most have their own.
PERMISSIONS_CACHE_SIZE = 32

_new_finding = tuple_constructor(Finding)


class Judge:
    """Judges the load balancers of one estate. What groups let through is worked out once per set of groups, and what
    several rules ask of a load balancer is looked up once, as long as it is judged by one after the other."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._permissions = lru_cache(PERMISSIONS_CACHE_SIZE)(partial(Permissions, estate))
        self._context: LoadBalancerContext | None = None

    def permissions_of(self, load_balancer: LoadBalancer) -> Permissions:
        return self._permissions(load_balancer.security_groups)

    def context(self, load_balancer: LoadBalancer) -> LoadBalancerContext:
        """The load balancer as recommendations ask for it."""
        if self._context is None or self._context.load_balancer is not load_balancer:
            self._context = LoadBalancerContext(self.estate, load_balancer)
        return self._context

    def judge(
        self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters
    ) -> Finding | EvaluationError:
        """The finding, or the error that names what it hangs on."""
        try:
            return self._find(load_balancer, recommendation, parameters)
        except NotReadError as error:
            return EvaluationError(
                self.estate.account_id,
                self.estate.region,
                load_balancer.arn,
                recommendation.name,
                error.what,
                error.cause,
            )

    def coverages(
        self, load_balancer: LoadBalancer, requirement_set: RequirementSet, parameters: Parameters
    ) -> tuple[Coverage, ...]:
        """What becomes of each requirement, in the order of the demand. Raises NotReadError."""
        permissions = self.permissions_of(load_balancer)
        one_family = requirement_set.has_one_family
        return tuple(
            check(permissions, requirement, parameters, one_family=one_family)
            for requirement in requirement_set.requirements
        )

    def _find(self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters) -> Finding:
        try:
            demand = recommendation.requirements(self.context(load_balancer), parameters)
        except NotApplicable as nothing:
            return self._build_finding(load_balancer, recommendation, NOT_APPLICABLE, nothing.reason)
        permissions = self.permissions_of(load_balancer)
        count = count_if_all_covered(permissions, demand, parameters)
        if count is not None:
            text = annotation.describe_all_covered(permissions, count, demand.remarks)
            return self._build_finding(load_balancer, recommendation, COMPLIANT, text)
        outcomes = self.coverages(load_balancer, demand, parameters)
        failed = [outcome for outcome in outcomes if not outcome.is_covered]
        if not failed:
            text = annotation.describe_compliant(permissions, outcomes, demand.remarks)
            return self._build_finding(load_balancer, recommendation, COMPLIANT, text)
        missing = merge_missing(failed)
        unresolved = all(outcome.unresolved for outcome in failed)
        return self._build_finding(
            load_balancer,
            recommendation,
            NON_COMPLIANT,
            annotation.describe_non_compliant(permissions, failed, demand.remarks, unresolved=unresolved),
            unresolved=unresolved,
            missing=missing,
        )

    def _build_finding(
        self,
        load_balancer: LoadBalancer,
        recommendation: Recommendation,
        compliance: Compliance,
        text: str,
        *,
        unresolved: bool = False,
        missing: tuple[Missing, ...] = (),
    ) -> Finding:
        return _new_finding(
            (
                self.estate.account_id,
                self.estate.region,
                load_balancer.arn,
                load_balancer.name,
                recommendation.name,
                compliance,
                text,
                unresolved,
                missing,
                None,
            )
        )


def judge_all(
    estate: Estate,
    load_balancers: Iterable[LoadBalancer],
    rules: Mapping[Recommendation, Parameters],
) -> tuple[list[Finding], list[EvaluationError]]:
    """Every rule on every load balancer, in the order of account, region, ARN and rule."""
    judge = Judge(estate)
    ordered = sorted(rules.items(), key=lambda rule: rule[0].name)
    results = [
        (load_balancer.arn, [judge.judge(load_balancer, asking, parameters) for asking, parameters in ordered])
        for load_balancer in load_balancers
    ]
    results.sort(key=itemgetter(0))
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    for _, of_rules in results:
        for result in of_rules:
            if isinstance(result, Finding):
                findings.append(result)
            else:
                errors.append(result)
    return findings, errors


def merge_missing(failed: Iterable[Coverage]) -> tuple[Missing, ...]:
    """What is missing, once: targets that lack the same port for the same reason and share their groups stand
    in one entry, and so do requirements that come to the same.
    """
    merged: dict[tuple[object, ...], list[Coverage]] = {}
    for outcome in failed:
        requirement = outcome.requirement
        endpoint = isinstance(requirement.peer, TargetPeer)
        key = (
            requirement.direction,
            requirement.traffic,
            requirement.origin,
            requirement.peer.family if endpoint else (outcome.required, outcome.missing),
            outcome.or_security_groups,
            # A target whose address already is allowed lacks a reference only.
            bool(outcome.missing),
        )
        merged.setdefault(key, []).append(outcome)
    entries = [_merge_coverages(outcomes) for outcomes in merged.values()]
    return tuple(
        sorted(
            entries,
            key=lambda entry: (entry.origin.arn, entry.from_port, entry.to_port, entry.protocol, entry.required),
        )
    )


def _merge_coverages(coverages: list[Coverage]) -> Missing:
    requirement = coverages[0].requirement
    required, peers = coverages[0].required, coverages[0].missing or ()
    if isinstance(requirement.peer, TargetPeer):
        family = requirement.peer.family
        required = AddressSet.from_cidrs(family, (cidr for outcome in coverages for cidr in outcome.required)).cidrs()
        peers = AddressSet.from_cidrs(family, (cidr for outcome in coverages for cidr in outcome.missing or ())).cidrs()
    return Missing(
        direction=requirement.direction.value,
        protocol=requirement.traffic.protocol,
        from_port=requirement.traffic.from_port,
        to_port=requirement.traffic.to_port,
        required=required,
        peers=peers,
        or_security_groups=tuple(sorted(coverages[0].or_security_groups)),
        origin=requirement.origin,
    )
