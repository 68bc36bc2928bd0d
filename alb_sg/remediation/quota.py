"""How many of a security group's rules are used, in one direction and address family.

Amazon VPC user guide, "Amazon VPC quotas": inbound and outbound, IPv4 and IPv6 are counted apart; a reference to a
security group counts once for each family. A customer-managed prefix list counts its maximum of entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Permission

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

# How many rules a prefix list counts for, and its family; None where that is not known.
PrefixListWeight = Callable[[str], tuple[int | None, Family | None]]


def prefix_list_weight(name: str, maximum: int | None) -> int | None:
    """How many rules a reference to a prefix list counts for; None where that is not known. `maximum`: MaxEntries,
    which AWS-managed lists do not have."""
    if name.startswith(AWS_MANAGED_PREFIX):
        return next((weight for end, weight in AWS_MANAGED_WEIGHTS.items() if name.endswith(f".{end}")), None)
    return maximum


def count_rules(permissions: Iterable[Permission], family: Family, weight_of: PrefixListWeight) -> int:
    """What permissions count for. Raises NotReadError for a prefix list whose weight is not known."""
    counted = 0
    for permission in permissions:
        counted += sum(parse_cidr(cidr)[0] is family for cidr in permission.cidrs) + len(permission.references)
        for prefix_list_id in permission.prefix_list_ids:
            weight, of_list = weight_of(prefix_list_id)
            if weight is None:
                raise NotReadError(f"how many rules {prefix_list_id} counts for", "its maximum of entries is not known")
            if of_list in (None, family):
                counted += weight
    return counted
