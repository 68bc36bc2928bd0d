"""How many of a security group's rules are used, in one direction and address family.

Amazon VPC user guide, "Amazon VPC quotas": inbound and outbound rules, and IPv4 and IPv6 rules, have separate quotas.
A reference to a security group counts once in each family. A customer-managed prefix list counts as its maximum
number of entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Permission, PrefixList

# Amazon VPC user guide, "AWS-managed prefix list weight", by the last parts of their names.
AWS_MANAGED_PREFIX = "com.amazonaws."
AWS_MANAGED_WEIGHTS = {
    "cloudfront.origin-facing": 55,
    "dynamodb": 1,
    "ec2-instance-connect": 2,
    "groundstation": 5,
    "route53-healthchecks": 25,
    "s3": 1,
    "s3express": 6,
    "vpc-lattice": 10,
}


def prefix_list_weight(name: str, max_entries: int | None) -> int | None:
    """How many rules a reference to a prefix list counts as; None if that is not known.

    AWS-managed lists have no `max_entries`.
    """
    if name.startswith(AWS_MANAGED_PREFIX):
        return next((weight for end, weight in AWS_MANAGED_WEIGHTS.items() if name.endswith(f".{end}")), None)
    return max_entries


def count_rules(permissions: Iterable[Permission], family: Family, prefix_lists: Mapping[str, PrefixList]) -> int:
    """How many rules of one family the permissions count as. Raises NotReadError for an unknown prefix list."""
    count = 0
    for permission in permissions:
        count += sum(parse_cidr(cidr)[0] is family for cidr in permission.cidrs) + len(permission.references)
        for prefix_list_id in permission.prefix_list_ids:
            prefix_list = prefix_lists.get(prefix_list_id)
            weight = None if prefix_list is None else prefix_list_weight(prefix_list.name, prefix_list.max_entries)
            if prefix_list is None or weight is None:
                raise NotReadError(f"how many rules {prefix_list_id} counts for", "its maximum of entries is not known")
            if prefix_list.family in (None, family):
                count += weight
    return count
