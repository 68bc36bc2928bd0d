"""The security group rules that would fix a finding, with one peer each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import is_cidr, parse_cidr
from alb_sg.estate.model import LoadBalancer, Permission, SecurityGroupReference, is_placeholder
from alb_sg.findings.finding import Finding, Missing
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.plan import Addition, FixRefusedError, RefusalReason, RuleKey
from alb_sg.remediation.resource_managers import is_controller_backend_group


@dataclass(frozen=True, slots=True)
class RequiredRule:
    """A rule that any one of the load balancer's groups must have or, with `target_groups`, any one of these.
    `origin`: the listener or target group.

    `required` and `missing` are the peer that it is recommended for and the part of it that is not open yet.
    """

    direction: Direction
    permission: Permission
    origin: str
    required: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()

    @property
    def key(self) -> RuleKey:
        return self.direction, self.permission, self.target_groups

    def also_for(self, other: RequiredRule) -> RequiredRule:
        """The same rule, for the peers of both."""
        return replace(self, required=self.required + other.required, missing=self.missing + other.missing)

    def addition(self, group_id: str | None, rule_name: str) -> Addition:
        """The addition of this rule to a group, for one Config rule."""
        return Addition(
            group_id,
            self.direction,
            self.permission,
            (rule_name,),
            (self.origin,),
            target_groups=self.target_groups,
        )


def required_rules(load_balancer: LoadBalancer, finding: Finding, context: ChangeContext) -> tuple[RequiredRule, ...]:
    """Every rule that would fix a finding, once.

    Raises FixRefusedError if one of them is not known, NotReadError if the context lacks what decides it.
    """
    rules: dict[RuleKey, RequiredRule] = {}
    # Inbound, a reference is only needed where no rule for addresses allows the same already.
    for entry in sorted(finding.missing, key=_may_reference_clients):
        direction = Direction(entry.direction)
        if direction is Direction.TARGET_INGRESS:
            rule = _target_rule(load_balancer, entry, context)
            rules.setdefault(rule.key, rule)
            continue
        if _may_reference_clients(entry) and _is_allowed_by(entry, rules.values()):
            continue
        for permission in _required_permissions(load_balancer, entry, direction, context):
            rule = RequiredRule(direction, permission, entry.origin.label, entry.required, entry.peers)
            # One reference may serve several peers: clients of a Network Load Balancer, and its health checks.
            known = rules.get(rule.key)
            rules[rule.key] = rule if known is None else known.also_for(rule)
    return tuple(rule for rule in rules.values() if not any(_is_covered_by(rule, other) for other in rules.values()))


def _target_rule(load_balancer: LoadBalancer, entry: Missing, context: ChangeContext) -> RequiredRule:
    """A reference to a group of the load balancer, in one of the groups of some targets.

    A target may also carry a group of another VPC, which is associated with its own or shared: that one gets no rule.
    """
    if not entry.security_groups:
        raise FixRefusedError(
            RefusalReason.UNRESOLVED,
            f"{entry.origin.label} has targets whose security groups are not known; add a rule to them by hand",
        )
    target_groups = tuple(
        group_id
        for group_id in entry.security_groups
        if (group := context.group(group_id)) is None or _is_same_vpc(group.vpc_id, load_balancer.vpc_id)
    )
    if not target_groups:
        raise FixRefusedError(
            RefusalReason.GROUP_ELSEWHERE,
            f"{entry.origin.label} needs inbound TCP {entry.from_port} from {' or '.join(entry.or_security_groups)} in "
            f"{' or '.join(entry.security_groups)}, which is not a group of {load_balancer.vpc_id}; add it by hand",
        )
    ordered = sorted(entry.or_security_groups, key=lambda group_id: _reference_order(group_id, context))
    reference = _group_reference(load_balancer, ordered, context)
    if reference is None:
        names = " or ".join(entry.or_security_groups)
        raise FixRefusedError(
            RefusalReason.GROUP_ELSEWHERE,
            f"{entry.origin.label} needs a reference to {names}, which is not a group of {load_balancer.vpc_id} in "
            "this account; add that rule by hand",
        )
    permission = _make_permission(entry, reference)
    return RequiredRule(Direction.INGRESS, permission, entry.origin.label, target_groups=target_groups)


def _reference_order(group_id: str, context: ChangeContext) -> tuple[bool, int, str]:
    """The shared backend group of the Kubernetes controller first, which it keeps while it replaces others; then the
    group that fewest others carry, so that the rule opens the targets for fewest."""
    group = context.group(group_id)
    is_backend = group is not None and is_controller_backend_group(group.known_tags)
    try:
        carriers = len(context.other_resources_with(group_id))
    except NotReadError:
        # Any of the groups is right. Whether the group of the targets may be changed depends on the same fact.
        carriers = 0
    return not is_backend, carriers, group_id


def _may_reference_clients(entry: Missing) -> bool:
    """Whether a reference to the group of a Network Load Balancer, or of other clients, is enough."""
    return Direction(entry.direction) is Direction.INGRESS and bool(entry.or_security_groups)


def _is_allowed_by(entry: Missing, rules: Iterable[RequiredRule]) -> bool:
    """Whether rules for addresses allow all that an entry requires."""
    wanted = (Direction(entry.direction), entry.protocol, entry.from_port, entry.to_port)
    cidrs = [rule.permission.cidrs[0] for rule in rules if rule.permission.cidrs and _traffic(rule) == wanted]
    if not entry.required or any(not is_cidr(peer) for peer in entry.required):
        return False
    family = parse_cidr(entry.required[0])[0]
    return AddressSet.from_cidrs(family, entry.required) <= AddressSet.from_cidrs(family, cidrs)


def _is_covered_by(rule: RequiredRule, other: RequiredRule) -> bool:
    """Whether another rule allows everything that this one does, and more."""
    if rule.permission == other.permission or not (rule.permission.cidrs and other.permission.cidrs):
        return False
    if _traffic(rule) != _traffic(other) or rule.target_groups != other.target_groups:
        return False
    family, (first, last) = parse_cidr(rule.permission.cidrs[0])
    other_family, (other_first, other_last) = parse_cidr(other.permission.cidrs[0])
    return family is other_family and other_first <= first and last <= other_last


def _traffic(rule: RequiredRule) -> tuple[Direction, str, int | None, int | None]:
    return rule.direction, rule.permission.protocol, rule.permission.from_port, rule.permission.to_port


def _required_permissions(
    load_balancer: LoadBalancer, entry: Missing, direction: Direction, context: ChangeContext
) -> Iterator[Permission]:
    reference = _group_reference(load_balancer, entry.or_security_groups, context)
    if direction is Direction.INGRESS and entry.peers and reference is None:
        for peer in _required_peers(entry):
            yield _make_permission(entry, peer)
        return
    if reference is not None:
        yield _make_permission(entry, reference)
    elif entry.peers:
        for peer in entry.peers:
            yield _make_permission(entry, peer)
    elif entry.or_security_groups:
        names = " or ".join(entry.or_security_groups)
        raise FixRefusedError(
            RefusalReason.GROUP_ELSEWHERE,
            f"{entry.origin.label} needs a reference to {names}, which is not a group of {load_balancer.vpc_id} in "
            "this account; add that rule by hand",
        )
    elif direction is Direction.INGRESS:
        raise FixRefusedError(
            RefusalReason.UNRESOLVED,
            f"{entry.origin.label} needs a rule for the VPC's CIDR blocks, which are not known; add it by hand",
        )
    else:
        raise FixRefusedError(
            RefusalReason.UNRESOLVED,
            f"{entry.origin.label} has targets whose address and security groups are not known; register them "
            "again, or add a rule for them by hand",
        )


def _required_peers(entry: Missing) -> Iterator[str]:
    """The recommended blocks of which a part is missing, each as a whole.

    The part that is allowed already gets no more open, and one rule replaces the hundreds that the missing ranges
    alone would take.
    """
    for block in entry.required:
        if not is_cidr(block):
            yield block
            continue
        family, (first, last) = parse_cidr(block)
        addresses = AddressSet(family, ((first, last),))
        if addresses.overlaps(AddressSet.from_cidrs(family, entry.peers)):
            yield addresses.cidrs()[0]


def _group_reference(
    load_balancer: LoadBalancer, group_ids: Iterable[str], context: ChangeContext
) -> SecurityGroupReference | None:
    """A reference to the first of these groups that this account and region has in the load balancer's VPC."""
    for group_id in group_ids:
        group = context.group(group_id)
        if group is not None and _is_same_vpc(group.vpc_id, load_balancer.vpc_id):
            return SecurityGroupReference(group_id, group.owner_id, None, None, None)
    return None


def _is_same_vpc(vpc_id: str, other: str) -> bool:
    """Whether two resources may be of one VPC: a plan may not tell the VPC of one."""
    return vpc_id == other or is_placeholder(vpc_id) or is_placeholder(other)


def _make_permission(entry: Missing, peer: str | SecurityGroupReference) -> Permission:
    is_prefix_list = isinstance(peer, str) and not is_cidr(peer)
    return Permission(
        protocol=entry.protocol,
        from_port=entry.from_port,
        to_port=entry.to_port,
        cidrs=(peer,) if isinstance(peer, str) and not is_prefix_list else (),
        prefix_list_ids=(peer,) if isinstance(peer, str) and is_prefix_list else (),
        references=() if isinstance(peer, str) else (peer,),
    )
