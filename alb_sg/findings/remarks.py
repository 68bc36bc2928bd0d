"""What no verdict depends on, and what would mislead a reader of the verdicts if it stayed unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.field_readers import HIGHEST_PORT
from alb_sg.estate.model import LoadBalancer, NetworkInterface, SecurityGroup, TargetGroup
from alb_sg.findings.finding import Compliance, Finding, Missing, Result
from alb_sg.findings.judge import Judge
from alb_sg.findings.phrasing import abbreviate, pluralize
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Permissions, Traffic
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

MAX_NAMES = 4
HTTPS = Traffic.tcp(443)
TIMEOUT = "Target.Timeout"
# Where Linux and Windows choose ports by default, and so Amazon ECS for containers without a host port (Amazon ECS API
# reference, PortMapping).
FIRST_EPHEMERAL_PORT = 32768
# By the type of the interface (EC2 API reference, NetworkInterface), what else sends to load balancers of its VPC.
SENDERS_BY_INTERFACE_TYPE = {
    "global_accelerator_managed": "Global Accelerator",
    "api_gateway_managed": "API Gateway",
}
# By the name of the security group that the service creates in the VPC (Global Accelerator developer guide, "Client IP
# address preservation"; CloudFront developer guide, "Restrict access with VPC origins").
SENDERS_BY_GROUP_NAME = {
    "GlobalAccelerator": "Global Accelerator",
    "CloudFront-VPCOrigins-Service-SG": "CloudFront (VPC origins)",
}


class RemarkFinder:
    """Finds the remarks on the load balancers of one estate. The facts are those of the estate unless others are given:
    a live account is read for verdicts, which need fewer. `unread` are facts that could not be read, each with the
    cause."""

    def __init__(
        self,
        estate: Estate,
        *,
        interfaces: Iterable[NetworkInterface] | None = None,
        security_groups: Iterable[SecurityGroup] | None = None,
        rule_authentications: Mapping[str, Sequence[str]] | None = None,
        unread: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.unread = tuple(unread)
        self._estate = estate
        self._interfaces = (estate.network_interfaces or {}).values() if interfaces is None else interfaces
        self._groups = (estate.security_groups or {}).values() if security_groups is None else security_groups
        self._rule_authentications = (
            estate.rule_authentications if rule_authentications is None else rule_authentications
        )

    def remarks(self, judge: Judge, load_balancer: LoadBalancer, results: Sequence[Result]) -> tuple[str, ...]:
        """The remarks on a load balancer with these results of the rules."""
        if load_balancer.type != "application":
            return ()
        return (
            *self._authentication(judge, load_balancer),
            *self._senders(load_balancer),
            *self._target_health(load_balancer, results),
        )

    def _authentication(self, judge: Judge, load_balancer: LoadBalancer) -> Iterator[str]:
        """Listeners that authenticate although the load balancer cannot reach an identity provider."""
        permissions = judge.permissions_of(load_balancer)
        if has_outbound_https(permissions):
            return
        for listener in (self._estate.listeners or {}).get(load_balancer.arn, ()):
            name = f"{listener.protocol}:{listener.port}"
            in_rules = self._rule_authentications.get(listener.arn, ())
            for where, types in ((name, listener.authentications), (f"a rule of {name}", in_rules)):
                if types:
                    groups = ", ".join(permissions.group_ids)
                    yield (
                        f"{where} authenticates ({', '.join(types)}), but no outbound TCP 443 is open in {groups}: the "
                        "load balancer cannot reach the identity provider"
                    )

    def _senders(self, load_balancer: LoadBalancer) -> Iterator[str]:
        """Services that send to internal load balancers from elsewhere than the VPC's own clients."""
        if load_balancer.scheme != "internal":
            return
        for service, names in sorted(self._senders_by_vpc.get(load_balancer.vpc_id, {}).items()):
            yield (
                f"{service} is present in {load_balancer.vpc_id} ({abbreviate(sorted(names), MAX_NAMES)}): if it sends "
                "to this load balancer, the clients to let in are not those of the VPC"
            )

    @cached_property
    def _senders_by_vpc(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """The interfaces and groups of each such service, by VPC."""
        found: dict[str, dict[str, list[str]]] = {}
        for group in self._groups:
            if group.name in SENDERS_BY_GROUP_NAME:
                service = SENDERS_BY_GROUP_NAME[group.name]
                found.setdefault(group.vpc_id, {}).setdefault(service, []).append(group.id)
        for interface in self._interfaces:
            if interface.interface_type in SENDERS_BY_INTERFACE_TYPE:
                service = SENDERS_BY_INTERFACE_TYPE[interface.interface_type]
                found.setdefault(interface.vpc_id, {}).setdefault(service, []).append(interface.id)
        return found

    def _target_health(self, load_balancer: LoadBalancer, results: Sequence[Result]) -> Iterator[str]:
        """Targets whose health contradicts what the rules about them say."""
        outbound = [
            result
            for result in results
            if result.rule in RECOMMENDATIONS_BY_NAME
            and RECOMMENDATIONS_BY_NAME[result.rule].direction is Direction.EGRESS
        ]
        all_met = any(_has(result, Compliance.COMPLIANT) for result in outbound) and all(
            _has(result, Compliance.COMPLIANT) or _has(result, Compliance.NOT_APPLICABLE) for result in outbound
        )
        of_targets = [
            result
            for result in results
            if isinstance(result, Finding)
            and RECOMMENDATIONS_BY_NAME[result.rule].direction is Direction.TARGET_INGRESS
        ]
        unresolved = [one for one in (*outbound, *of_targets) if isinstance(one, Finding) and one.unresolved]
        try:
            groups = self._estate.target_groups_of(load_balancer)
        except NotReadError:
            # The outbound verdicts say so.
            return
        for group in groups:
            if all_met:
                yield from self._timeouts(group, of_targets)
            yield from self._healthy(group, unresolved)
            yield from self._healthy_although_closed(group, of_targets)
            yield from self._changing_ports(group, (*outbound, *of_targets))

    def _timeouts(self, group: TargetGroup, of_targets: Iterable[Finding]) -> Iterator[str]:
        timed_out = [
            target.id for target in (self._estate.targets or {}).get(group.arn, ()) if target.reason == TIMEOUT
        ]
        if timed_out:
            yield (
                f"target group {group.name}: {pluralize(len(timed_out), 'target')} "
                f"({abbreviate(timed_out, MAX_NAMES)}) unhealthy with {TIMEOUT}, although every outbound row is met: "
                f"{_where_to_look(group, of_targets)}"
            )

    def _healthy(self, group: TargetGroup, unresolved: Iterable[Finding]) -> Iterator[str]:
        rules = sorted(
            finding.rule for finding in unresolved if any(entry.origin.arn == group.arn for entry in finding.missing)
        )
        targets = (self._estate.targets or {}).get(group.arn, ())
        healthy = [target.id for target in targets if target.state == "healthy"]
        if rules and healthy:
            verb = "is" if len(rules) == 1 else "are"
            yield (
                f"target group {group.name}: {pluralize(len(healthy), 'target')} ({abbreviate(healthy, MAX_NAMES)}) "
                f"healthy, although {' and '.join(rules)} {verb} unresolved: health checks get through"
            )

    def _healthy_although_closed(self, group: TargetGroup, findings: Iterable[Finding]) -> Iterator[str]:
        """Targets that are all healthy although the security groups of some are closed to health checks
        from everywhere."""
        targets = (self._estate.targets or {}).get(group.arn, ())
        if not targets or any(target.state != "healthy" for target in targets):
            return
        checked = group.health_check_port
        ports = {target.port or group.port for target in targets} if checked is None else {checked}
        for finding in findings:
            if any(
                entry.origin.arn == group.arn and entry.from_port in ports and _is_all_missing(entry)
                for entry in finding.missing
                if not finding.unresolved
            ):
                yield (
                    f"target group {group.name}: all targets are healthy, although {finding.rule} finds their health "
                    "check port closed: the data is not that of the account, or has changed since"
                )

    def _changing_ports(self, group: TargetGroup, results: Iterable[Result]) -> Iterator[str]:
        """Ports that are closed and that the next task of a container service does not have."""
        if group.target_type != "instance":
            return
        chosen = {
            target.port
            for target in (self._estate.targets or {}).get(group.arn, ())
            if isinstance(target.port, int) and target.port >= FIRST_EPHEMERAL_PORT and target.port != group.port
        }
        findings = [result for result in results if isinstance(result, Finding)]
        missing = [entry for finding in findings for entry in finding.missing if entry.origin.arn == group.arn]
        closed = sorted(chosen & {entry.from_port for entry in missing})
        if closed:
            yield (
                f"target group {group.name}: closed ports ({abbreviate(list(map(str, closed)), MAX_NAMES)}) are "
                "ephemeral: if Amazon ECS chooses the host ports, new tasks have other ones, so open the range that it "
                f"chooses from ({FIRST_EPHEMERAL_PORT}-{HIGHEST_PORT} contains the default ones)"
            )


def _where_to_look(group: TargetGroup, of_targets: Iterable[Finding]) -> str:
    """What may stop health checks of a target group that the load balancer lets out, after the verdicts on the security
    groups of targets, if there are any."""
    elsewhere = "network ACLs and routes"
    for finding in of_targets:
        if any(entry.origin.arn == group.arn for entry in finding.missing):
            return f"look at what {finding.rule} finds closed in the targets' own security groups, then at {elsewhere}"
        if _has(finding, Compliance.COMPLIANT):
            return (
                f"the targets' own security groups let them in as well ({finding.rule}), so look at {elsewhere}, and "
                "whether the targets answer"
            )
    return f"look at the inbound rules of the targets' own security groups, {elsewhere}"


def _is_all_missing(missing: Missing) -> bool:
    """Whether the targets' groups are known and none of the addresses that nodes may have is open: today's nodes may
    have some that are."""
    return bool(missing.security_groups) and all(
        AddressSet.from_cidrs(family, missing.required) == AddressSet.from_cidrs(family, missing.peers)
        for family in Family
    )


def has_outbound_https(permissions: Permissions) -> bool:
    """Whether an outbound rule opens TCP 443, or a rule that is not known may open it."""
    allowed = [permissions.allowed_traffic(Direction.EGRESS, HTTPS, family) for family in Family]
    return any(one.addresses or one.references or one.prefix_list_ids or one.unread for one in allowed)


def _has(result: Result, compliance: Compliance) -> bool:
    return isinstance(result, Finding) and result.compliance is compliance and result.applied_exemption is None
