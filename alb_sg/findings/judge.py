"""From a load balancer to its finding: what the recommendation demands, minus what the groups let through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from operator import itemgetter

from alb_sg.errors import Unread
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.quick import tuple_maker
from alb_sg.findings import annotation
from alb_sg.findings.finding import (
    COMPLIANT,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    Compliance,
    Finding,
    JudgementError,
    Missing,
)
from alb_sg.findings.outcome import Outcome, plainly_met, settle
from alb_sg.parameters import Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.permissions import Permissions
from alb_sg.recommendations.catalogue import Recommendation
from alb_sg.recommendations.requirement import Demand, EndpointPeer, NotApplicable
from alb_sg.recommendations.subject import Subject

# Sets of security groups whose permissions are kept: many load balancers share the same, and most have their own.
KEPT = 32

_new_finding = tuple_maker(Finding)


class Judge:
    """Judges the load balancers of one estate. What groups let through is worked out once per set of groups, and what
    several rules ask of a load balancer is looked up once, as long as it is judged by one after the other."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._permissions = lru_cache(KEPT)(partial(Permissions, estate))
        self._subject: Subject | None = None

    def permissions_of(self, load_balancer: LoadBalancer) -> Permissions:
        return self._permissions(load_balancer.security_groups)

    def subject(self, load_balancer: LoadBalancer) -> Subject:
        """The load balancer as recommendations ask for it."""
        if self._subject is None or self._subject.load_balancer is not load_balancer:
            self._subject = Subject(self.estate, load_balancer)
        return self._subject

    def judge(
        self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters
    ) -> Finding | JudgementError:
        """The finding, or the error that names what it hangs on."""
        try:
            return self._finding(load_balancer, recommendation, parameters)
        except Unread as error:
            return JudgementError(
                self.estate.account_id,
                self.estate.region,
                load_balancer.arn,
                recommendation.name,
                error.what,
                error.cause,
            )

    def outcomes(self, load_balancer: LoadBalancer, demand: Demand, parameters: Parameters) -> tuple[Outcome, ...]:
        """What becomes of each requirement, in the order of the demand. Raises Unread."""
        permissions = self.permissions_of(load_balancer)
        one_family = demand.one_family
        return tuple(
            settle(permissions, requirement, parameters, one_family=one_family) for requirement in demand.requirements
        )

    def _finding(self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters) -> Finding:
        try:
            demand = recommendation.demand(self.subject(load_balancer), parameters)
        except NotApplicable as nothing:
            return self._verdict(load_balancer, recommendation, NOT_APPLICABLE, nothing.reason)
        permissions = self.permissions_of(load_balancer)
        count = plainly_met(permissions, demand, parameters)
        if count is not None:
            text = annotation.met(permissions, count, demand.remarks)
            return self._verdict(load_balancer, recommendation, COMPLIANT, text)
        outcomes = self.outcomes(load_balancer, demand, parameters)
        failed = [outcome for outcome in outcomes if not outcome.covered]
        if not failed:
            text = annotation.compliant(permissions, outcomes, demand.remarks)
            return self._verdict(load_balancer, recommendation, COMPLIANT, text)
        missing = merge(failed)
        unresolved = all(outcome.unresolved for outcome in failed)
        return self._verdict(
            load_balancer,
            recommendation,
            NON_COMPLIANT,
            annotation.non_compliant(permissions, failed, demand.remarks, unresolved=unresolved),
            unresolved=unresolved,
            missing=missing,
        )

    def _verdict(
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
) -> tuple[list[Finding], list[JudgementError]]:
    """Every rule on every load balancer, in the order of account, region, ARN and rule."""
    judge = Judge(estate)
    ordered = sorted(rules.items(), key=lambda rule: rule[0].name)
    results = [
        (load_balancer.arn, [judge.judge(load_balancer, asking, parameters) for asking, parameters in ordered])
        for load_balancer in load_balancers
    ]
    results.sort(key=itemgetter(0))
    findings: list[Finding] = []
    errors: list[JudgementError] = []
    for _, of_rules in results:
        for result in of_rules:
            if isinstance(result, Finding):
                findings.append(result)
            else:
                errors.append(result)
    return findings, errors


def merge(failed: Iterable[Outcome]) -> tuple[Missing, ...]:
    """What is missing, once: targets that lack the same port for the same reason and share their groups stand
    in one entry, and so do requirements that come to the same.
    """
    merged: dict[tuple[object, ...], list[Outcome]] = {}
    for outcome in failed:
        requirement = outcome.requirement
        endpoint = isinstance(requirement.peer, EndpointPeer)
        key = (
            requirement.direction,
            requirement.traffic,
            requirement.because,
            requirement.peer.family if endpoint else (outcome.required, outcome.missing),
            outcome.or_security_groups,
            # A target whose address already is allowed lacks a reference only.
            bool(outcome.missing),
        )
        merged.setdefault(key, []).append(outcome)
    entries = [_missing(outcomes) for outcomes in merged.values()]
    return tuple(
        sorted(
            entries,
            key=lambda entry: (entry.because.arn, entry.from_port, entry.to_port, entry.protocol, entry.required),
        )
    )


def _missing(outcomes: list[Outcome]) -> Missing:
    requirement = outcomes[0].requirement
    required, peers = outcomes[0].required, outcomes[0].missing or ()
    if isinstance(requirement.peer, EndpointPeer):
        family = requirement.peer.family
        required = AddressSet.of(family, (cidr for outcome in outcomes for cidr in outcome.required)).cidrs()
        peers = AddressSet.of(family, (cidr for outcome in outcomes for cidr in outcome.missing or ())).cidrs()
    return Missing(
        direction=requirement.direction.value,
        protocol=requirement.traffic.protocol,
        from_port=requirement.traffic.from_port,
        to_port=requirement.traffic.to_port,
        required=required,
        peers=peers,
        or_security_groups=tuple(sorted(outcomes[0].or_security_groups)),
        because=requirement.because,
    )
