"""AWS's partitions, as botocore's `partitions.json` has them: a region's name begins as its partition's do."""

from __future__ import annotations

from typing import NamedTuple


class Partition(NamedTuple):
    """`dns_suffix` ends the names of the partition's endpoints."""

    name: str
    region_prefix: str
    dns_suffix: str


COMMERCIAL = Partition("aws", "", "amazonaws.com")
OTHERS = (
    Partition("aws-cn", "cn-", "amazonaws.com.cn"),
    Partition("aws-eusc", "eusc-", "amazonaws.eu"),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov"),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com"),
)


def partition_of_region(region: str) -> Partition:
    return next((one for one in OTHERS if region.startswith(one.region_prefix)), COMMERCIAL)
