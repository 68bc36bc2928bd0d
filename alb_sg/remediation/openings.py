"""Which rules open a load balancer further than a plan may without a person.

The page's tables open an internet-facing load balancer to everybody and an internal one to its VPC. A tag, an accepted
source or a Network Load Balancer in front can require more, and others than the load balancer's owner decide on these.
"""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.estate.cidr import Family, is_cidr, parse_cidr
from alb_sg.estate.model import LoadBalancer
from alb_sg.parameters import SECURITY_GROUP_ID
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.clients import CLIENT_FAMILIES
from alb_sg.remediation.plan import EVERYWHERE
from alb_sg.remediation.required_rules import RequiredRule

# RFC 1918, RFC 6598 (shared address space), RFC 3927 and RFC 4291 (link-local), RFC 4193 (unique local).
PRIVATE_CIDRS = {
    Family.IPV4: ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
    Family.IPV6: ("fc00::/7", "fe80::/10"),
}


class OpeningLimit:
    """What a plan may open for one load balancer without a person. `vpc_cidrs` are its VPC's blocks."""

    def __init__(self, load_balancer: LoadBalancer, vpc_cidrs: Iterable[str]) -> None:
        self._scheme = load_balancer.scheme
        address_type = load_balancer.ip_address_type
        self._client_families = CLIENT_FAMILIES.get(address_type, ()) if isinstance(address_type, str) else ()
        blocks = tuple(vpc_cidrs)
        self._private = {family: AddressSet.from_cidrs(family, (*PRIVATE_CIDRS[family], *blocks)) for family in Family}

    def exceeded_by(self, rule: RequiredRule) -> str | None:
        """What a rule opens beyond the limit, for people; None if it does not. A prefix list whose entries are not
        known may hold any address."""
        if rule.direction is not Direction.INGRESS:
            return next((cidr for cidr in rule.permission.cidrs if cidr in EVERYWHERE), None)
        for cidr in _opened_addresses(rule):
            family = parse_cidr(cidr)[0]
            if self._scheme == "internet-facing" and family in self._client_families:
                continue
            if not AddressSet.from_cidrs(family, (cidr,)) <= self._private[family]:
                return cidr
        unknown = _unknown_prefix_list(rule)
        if unknown is not None and self._scheme != "internet-facing":
            return f"{unknown}, whose addresses are not known"
        return None


def _opened_addresses(rule: RequiredRule) -> tuple[str, ...]:
    """The blocks that a rule opens. A prefix list and a Network Load Balancer's group let in what they name."""
    if rule.permission.cidrs:
        return rule.permission.cidrs
    named = (*rule.required, *rule.missing)
    return tuple(filter(is_cidr, named))


def _unknown_prefix_list(rule: RequiredRule) -> str | None:
    """A prefix list that is missing as a whole: if its entries were known, `missing` would have their blocks."""
    if rule.permission.cidrs:
        return None
    return next((one for one in rule.missing if not (is_cidr(one) or SECURITY_GROUP_ID.fullmatch(one))), None)
