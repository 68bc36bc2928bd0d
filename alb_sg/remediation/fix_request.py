"""What a plan may do, and for which rules of a load balancer it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from alb_sg.exemptions.exemption import Exemptions
from alb_sg.parameters import Parameters
from alb_sg.recommendations.recommendation import Recommendation

# "Security groups per load balancer" (Elastic Load Balancing user guide, "Quotas for your Application Load
# Balancers"); it cannot be raised.
GROUPS_PER_LOAD_BALANCER = 5
# "Inbound or outbound rules per security group" (Amazon VPC user guide, "Amazon VPC quotas"); it can be raised.
RULES_PER_GROUP = 60


class SharedGroupPolicy(Enum):
    """What to do where each security group is carried by others too, or is full: `DEDICATED`, add a group that is
    the load balancer's alone; `REFUSE`."""

    DEDICATED = "dedicated"
    REFUSE = "refuse"


class ManagedGroupPolicy(Enum):
    """Whether what CloudFormation, Terraform or another manager keeps as it is may be changed all the same."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """`rules_per_group`: the account's quota, in each direction and address family."""

    shared_group: SharedGroupPolicy = SharedGroupPolicy.DEDICATED
    managed_group: ManagedGroupPolicy = ManagedGroupPolicy.REFUSE
    rules_per_group: int = RULES_PER_GROUP


@dataclass(frozen=True)
class FixRequest:
    """Which rules are to be met, with their parameters; exemptions count as of `today` (UTC)."""

    rules: Mapping[Recommendation, Parameters]
    today: date
    policy: FixPolicy = field(default_factory=FixPolicy)
    exemptions: Exemptions = field(default_factory=lambda: Exemptions("no exemptions"))
