"""What a finding asks to be let through, as security group rules of one peer each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alb_sg.estate.cidr import parse_cidr
from alb_sg.estate.model import LoadBalancer, Permission, SecurityGroupReference
from alb_sg.findings.finding import Finding, Missing
from alb_sg.parameters import PREFIX_LIST_ID
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.plan import FixRefusedError, RefusalReason


@dataclass(frozen=True, slots=True)
class RequiredRule:
    """A rule that is needed in any one of the load balancer's groups, and what of the load balancer needs it."""

    direction: Direction
    permission: Permission
    origin: str


def required_rules(load_balancer: LoadBalancer, finding: Finding, context: ChangeContext) -> tuple[RequiredRule, ...]:
    """Every rule that a finding lacks, once. Raises Refused where one cannot be told, NotReadError."""
    found: dict[tuple[Direction, Permission], RequiredRule] = {}
    for entry in finding.missing:
        direction = Direction(entry.direction)
        for permission in _required_permissions(load_balancer, entry, direction, context):
            found.setdefault((direction, permission), RequiredRule(direction, permission, entry.origin.label))
    return tuple(one for one in found.values() if not any(_is_covered_by(one, other) for other in found.values()))


def _is_covered_by(one: RequiredRule, other: RequiredRule) -> bool:
    """Whether another rule lets through all that one does, and more."""
    if one.permission == other.permission or not (one.permission.cidrs and other.permission.cidrs):
        return False
    if (one.direction, _traffic(one)) != (other.direction, _traffic(other)):
        return False
    (family, block), (of_other, larger) = parse_cidr(one.permission.cidrs[0]), parse_cidr(other.permission.cidrs[0])
    return family is of_other and larger[0] <= block[0] and block[1] <= larger[1]


def _traffic(one: RequiredRule) -> tuple[str, int | None, int | None]:
    return one.permission.protocol, one.permission.from_port, one.permission.to_port


def _required_permissions(
    load_balancer: LoadBalancer, entry: Missing, direction: Direction, context: ChangeContext
) -> Iterator[Permission]:
    if direction is Direction.INGRESS and entry.peers:
        for peer in _required_peers(entry):
            yield _make_permission(entry, peer)
        return
    reference = _group_reference(load_balancer, entry.or_security_groups, context)
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
    else:
        raise FixRefusedError(
            RefusalReason.UNRESOLVED,
            f"{entry.origin.label} has targets whose address and security groups are not known; register them "
            "again, or add a rule for them by hand",
        )


def _required_peers(entry: Missing) -> Iterator[str]:
    """The blocks of the recommendation of which a part is missing, each in full: what is let through already is no
    more open by it, and one rule stands for hundreds of ranges."""
    for block in entry.required:
        if PREFIX_LIST_ID.fullmatch(block):
            yield block
            continue
        family, (first, last) = parse_cidr(block)
        addresses = AddressSet(family, ((first, last),))
        if addresses.overlaps(AddressSet.from_cidrs(family, entry.peers)):
            yield addresses.cidrs()[0]


def _group_reference(
    load_balancer: LoadBalancer, group_ids: Iterable[str], context: ChangeContext
) -> SecurityGroupReference | None:
    """A reference to the first of these groups that is in the load balancer's VPC and in sight."""
    for group_id in group_ids:
        facts = context.group(group_id)
        if facts is not None and facts.vpc_id == load_balancer.vpc_id:
            return SecurityGroupReference(group_id, facts.owner_id, None, None, None)
    return None


def _make_permission(entry: Missing, peer: str | SecurityGroupReference) -> Permission:
    listed = isinstance(peer, str) and PREFIX_LIST_ID.fullmatch(peer)
    return Permission(
        protocol=entry.protocol,
        from_port=entry.from_port,
        to_port=entry.to_port,
        cidrs=(peer,) if isinstance(peer, str) and not listed else (),
        prefix_list_ids=(peer,) if isinstance(peer, str) and listed else (),
        references=() if isinstance(peer, str) else (peer,),
    )
