"""From a load balancer to its finding: the recommended requirements minus what its security groups allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from operator import itemgetter

from alb_sg.errors import NotReadError, unexpected_error_text
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.exemption import Exemption, VerdictKey
from alb_sg.findings import annotation
from alb_sg.findings.coverage import Coverage, PermissionsOf, check, not_covered_directly, requirement_count
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Missing, Result, Unused
from alb_sg.parameters import Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Permissions
from alb_sg.permissions.unused_traffic import UnusedRule
from alb_sg.recommendations.applicability import require_applicable
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.plain_load_balancer import NotPlain, PlainLoadBalancer
from alb_sg.recommendations.recommendation import FindUnused, Recommendation, UnusedIngress
from alb_sg.recommendations.requirement import (
    NodesPeer,
    NotApplicable,
    Peer,
    RequirementSet,
    TargetPeer,
    carried_groups,
)

NO_EXEMPTIONS: Mapping[VerdictKey, Exemption] = {}
# Many load balancers share one set of security groups, but most have their own: more entries gain nothing.
PERMISSIONS_CACHE_SIZE = 32


class Judge:
    """Judges the load balancers of one estate.

    It keeps what a set of security groups allows, and the facts that several rules need of the load balancer that was
    judged last. `port_exemptions` are those of single ports that are in force: what is required there does not count.
    """

    def __init__(self, estate: Estate, port_exemptions: Mapping[VerdictKey, Exemption] = NO_EXEMPTIONS) -> None:
        self.estate = estate
        self._port_exemptions = port_exemptions
        self._permissions = lru_cache(PERMISSIONS_CACHE_SIZE)(partial(Permissions, estate))
        self._context: LoadBalancerContext | None = None
        self._plain: PlainLoadBalancer | None = None

    def permissions_of(self, load_balancer: LoadBalancer) -> Permissions:
        return self._permissions(load_balancer.security_groups)

    def deciding_permissions(self, load_balancer: LoadBalancer) -> PermissionsOf:
        """The permissions that decide about the peers of a load balancer's requirements."""
        of_load_balancer = self.permissions_of(load_balancer)

        def permissions_of(peer: Peer) -> Permissions:
            return self._permissions(peer.target_groups) if isinstance(peer, NodesPeer) else of_load_balancer

        return permissions_of

    def context(self, load_balancer: LoadBalancer) -> LoadBalancerContext:
        """The load balancer with the facts that recommendations share. Raises NotApplicable."""
        if self._context is None or self._context.load_balancer is not load_balancer:
            self._context = LoadBalancerContext(self.estate, load_balancer)
        return self._context

    def judge(self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters) -> Result:
        """The finding, or an error that names the fact that it depends on."""
        try:
            return self._find_plainly_met(load_balancer, recommendation, parameters) or self._find(
                load_balancer, recommendation, parameters
            )
        except NotReadError as error:
            what, cause = error.what, error.cause
        except Exception as error:  # noqa: BLE001 (every other load balancer is still judged)
            what, cause = f"the verdict on {load_balancer.name}", unexpected_error_text(error)
        return EvaluationError(
            self.estate.account_id, self.estate.region, load_balancer.arn, recommendation.name, what, cause
        )

    def requirement_set(
        self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters
    ) -> RequirementSet:
        """What a rule requires of a load balancer, without the ports that are exempt. Raises NotApplicable,
        NotReadError."""
        whole = recommendation.requirements(self.context(load_balancer), parameters)
        if not self._port_exemptions:
            return whole
        exemption = self._port_exemptions.get((load_balancer.arn, recommendation.name))
        return whole if exemption is None else whole.without_ports(exemption.ports, _describe_port_exemption(exemption))

    def unused_ingress(self, load_balancer: LoadBalancer, find_unused: FindUnused, rule: str) -> UnusedIngress:
        """What is open and unused. Ports that are exempt from the rule are used. Raises NotApplicable, NotReadError."""
        require_applicable(load_balancer)
        exemption = self._port_exemptions.get((load_balancer.arn, rule)) if self._port_exemptions else None
        if exemption is None:
            return find_unused(self.estate, load_balancer, ())
        found = find_unused(self.estate, load_balancer, exemption.ports)
        if found == find_unused(self.estate, load_balancer, ()):
            return found
        return found._replace(remarks=(*found.remarks, _describe_port_exemption(exemption)))

    def _find(self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters) -> Finding:
        try:
            if recommendation.find_unused is not None:
                found = self.unused_ingress(load_balancer, recommendation.find_unused, recommendation.name)
                return self._judge_unused(load_balancer, recommendation, found)
            requirement_set = self.requirement_set(load_balancer, recommendation, parameters)
        except NotApplicable as error:
            return self._build_finding(
                load_balancer, recommendation, Compliance.NOT_APPLICABLE, annotation.fit_to_limit([error.reason])
            )
        return self._judge_requirements(load_balancer, recommendation, requirement_set, parameters)

    def _find_plainly_met(
        self, load_balancer: LoadBalancer, recommendation: Recommendation, parameters: Parameters
    ) -> Finding | None:
        """The finding where it shows at a glance that the recommendation is met, else None."""
        if recommendation.plainly_met is None:
            return None
        if self._port_exemptions and (load_balancer.arn, recommendation.name) in self._port_exemptions:
            return None
        try:
            if self._plain is None or self._plain.load_balancer is not load_balancer:
                self._plain = PlainLoadBalancer(self.estate, load_balancer)
            count, group_ids = recommendation.plainly_met(self._plain, parameters)
        except (NotPlain, NotReadError):
            return None
        # Where nothing is required, there is a reason, which does not show here.
        if not count:
            return None
        text = annotation.describe_compliant(group_ids, count, ())
        return self._build_finding(load_balancer, recommendation, Compliance.COMPLIANT, text, security_groups=group_ids)

    def _judge_unused(
        self, load_balancer: LoadBalancer, recommendation: Recommendation, found: UnusedIngress
    ) -> Finding:
        if not found.rules:
            text = annotation.describe_nothing_unused(found.judged_groups, found.remarks)
            return self._build_finding(load_balancer, recommendation, Compliance.COMPLIANT, text, remarks=found.remarks)
        unused = tuple(entry for rule in found.rules for entry in _unused_entries(self.estate, rule))
        text = annotation.describe_unused(unused, found.remarks)
        return self._build_finding(
            load_balancer, recommendation, Compliance.NON_COMPLIANT, text, unused=unused, remarks=found.remarks
        )

    def _judge_requirements(
        self,
        load_balancer: LoadBalancer,
        recommendation: Recommendation,
        requirement_set: RequirementSet,
        parameters: Parameters,
    ) -> Finding:
        remarks = requirement_set.remarks
        permissions_of = self.deciding_permissions(load_balancer)
        coverages = self._indirect_coverages(permissions_of, requirement_set, parameters)
        failed = [coverage for coverage in coverages if not coverage.is_covered]
        if not failed:
            accepted_sources = annotation.describe_accepted_sources(coverages)
            count = sum(requirement_count(peer) for group in requirement_set.groups for peer in group.peers)
            group_ids = _deciding_groups(load_balancer, requirement_set)
            text = annotation.describe_compliant(group_ids, count, remarks, accepted_sources)
            return self._build_finding(
                load_balancer,
                recommendation,
                Compliance.COMPLIANT,
                text,
                remarks=(*accepted_sources, *remarks),
                security_groups=group_ids,
            )
        unresolved = all(coverage.unresolved for coverage in failed)
        missing = merge_missing(failed)
        return self._build_finding(
            load_balancer,
            recommendation,
            Compliance.NON_COMPLIANT,
            annotation.describe_non_compliant(load_balancer, permissions_of, failed, remarks, unresolved=unresolved),
            unresolved=unresolved,
            missing=missing,
            remarks=remarks,
            security_groups=_groups_to_change(load_balancer, missing),
        )

    def _indirect_coverages(
        self, permissions_of: PermissionsOf, requirement_set: RequirementSet, parameters: Parameters
    ) -> list[Coverage]:
        """The coverage of each requirement that is not covered as it stands, in their order. Raises NotReadError.

        In a planned estate, what is missing whatever the unknown values are is missing (semantics §13): the
        requirements that depend on unknown values are left out then.
        """
        requirements = not_covered_directly(permissions_of, requirement_set, parameters.target_match)
        one_family = bool(requirements) and requirement_set.has_one_family
        known: list[Coverage] = []
        unread: list[NotReadError] = []
        for requirement in requirements:
            try:
                coverage = check(permissions_of(requirement.peer), requirement, parameters, one_family=one_family)
                if requirement.unread is not None and not coverage.is_covered:
                    raise requirement.unread
                known.append(coverage)
            except NotReadError as error:
                if not self.estate.is_planned:
                    raise
                unread.append(error)
        if all(coverage.is_covered for coverage in known):
            # Perhaps nothing is required, which is another verdict than that everything is allowed.
            unread += [] if requirement_set.doubt is None else [requirement_set.doubt]
            if unread:
                raise unread[0]
        return known

    def _build_finding(
        self,
        load_balancer: LoadBalancer,
        recommendation: Recommendation,
        compliance: Compliance,
        text: str,
        *,
        unresolved: bool = False,
        missing: tuple[Missing, ...] = (),
        unused: tuple[Unused, ...] = (),
        remarks: tuple[str, ...] = (),
        security_groups: tuple[str, ...] | None = None,
    ) -> Finding:
        return Finding(
            self.estate.account_id,
            self.estate.region,
            load_balancer.arn,
            load_balancer.name,
            recommendation.name,
            compliance,
            text,
            unresolved,
            missing,
            remarks,
            load_balancer.security_groups if security_groups is None else security_groups,
            None,
            unused,
        )


def _groups_to_change(load_balancer: LoadBalancer, missing: Iterable[Missing]) -> tuple[str, ...]:
    """The groups that lack something: those of targets, or of the load balancer."""
    if all(entry.direction != Direction.TARGET_INGRESS for entry in missing):
        return load_balancer.security_groups
    return tuple(dict.fromkeys(group_id for entry in missing for group_id in entry.security_groups))


def _deciding_groups(load_balancer: LoadBalancer, requirement_set: RequirementSet) -> tuple[str, ...]:
    """The ids of the groups that decide about the requirements, each once."""
    if requirement_set.groups[0].direction is not Direction.TARGET_INGRESS:
        return load_balancer.security_groups
    peers = [peer for group in requirement_set.groups for peer in group.peers]
    carried = dict.fromkeys([peer.target_groups for peer in peers if isinstance(peer, NodesPeer)])
    return tuple(dict.fromkeys([group_id for group_ids in carried for group_id in group_ids]))


def _describe_port_exemption(exemption: Exemption) -> str:
    ports = ", ".join(map(str, exemption.ports))
    return (
        f"port{'s' if len(exemption.ports) > 1 else ''} {ports} exempt until {exemption.expires} "
        f"by {exemption.owner} ({exemption.ticket})"
    )


def _unused_entries(estate: Estate, rule: UnusedRule) -> Iterator[Unused]:
    rule_ids = estate.inbound_rule_ids(rule.group_id, rule.permission)
    for unused in rule.unused:
        used = () if rule.permission.has_ports else rule.used
        yield Unused(rule.group_id, *unused, rule.permission.peers, used, rule_ids)


def judge_all(
    estate: Estate,
    load_balancers: Iterable[LoadBalancer],
    rules: Mapping[Recommendation, Parameters],
    port_exemptions: Mapping[VerdictKey, Exemption] = NO_EXEMPTIONS,
) -> tuple[list[Finding], list[EvaluationError]]:
    """Every rule on every load balancer, in the order of account, region, ARN and rule."""
    judge = Judge(estate, port_exemptions)
    ordered_rules = sorted(rules.items(), key=lambda rule: rule[0].name)
    results_by_arn = [
        (
            load_balancer.arn,
            [judge.judge(load_balancer, recommendation, parameters) for recommendation, parameters in ordered_rules],
        )
        for load_balancer in load_balancers
    ]
    results_by_arn.sort(key=itemgetter(0))
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    for _, results in results_by_arn:
        for result in results:
            if isinstance(result, Finding):
                findings.append(result)
            else:
                errors.append(result)
    return findings, errors


def merge_missing(failed: Iterable[Coverage]) -> tuple[Missing, ...]:
    """What is missing, each permission once, in the order in which permissions are named.

    One entry stands for all targets that miss the same port for the same reason and share their security groups, and
    for equal requirements.
    """
    merged: dict[tuple[object, ...], list[Coverage]] = {}
    parts = [part for whole in failed for part in whole.lost_sources or (whole,)]
    for coverage in sorted(parts, key=annotation.coverage_sort_key):
        requirement = coverage.requirement
        is_target = isinstance(requirement.peer, TargetPeer)
        key = (
            requirement.direction,
            requirement.traffic,
            requirement.origin,
            requirement.peer.family if is_target else (coverage.required, coverage.missing),
            carried_groups(requirement.peer),
            coverage.or_security_groups,
            # A target whose address is allowed already only misses a reference.
            bool(coverage.missing),
        )
        merged.setdefault(key, []).append(coverage)
    return tuple(map(_merge_coverages, merged.values()))


def _merge_coverages(coverages: list[Coverage]) -> Missing:
    requirement = coverages[0].requirement
    required, peers = coverages[0].required, coverages[0].missing or ()
    if isinstance(requirement.peer, TargetPeer):
        family = requirement.peer.family
        required = AddressSet.from_cidrs(family, (cidr for coverage in coverages for cidr in coverage.required)).cidrs()
        # Of a target, the whole address is missing or only a reference.
        peers = required if peers else ()
    return Missing(
        direction=requirement.direction.value,
        protocol=requirement.traffic.protocol,
        from_port=requirement.traffic.from_port,
        to_port=requirement.traffic.to_port,
        required=required,
        peers=peers,
        or_security_groups=tuple(sorted(coverages[0].or_security_groups)),
        origin=requirement.origin,
        security_groups=carried_groups(requirement.peer),
    )
