"""The request for a fix: which rules, and what a plan may change."""

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
    """What to do if every security group is shared or full: create a dedicated one for the load balancer, or refuse."""

    DEDICATED = "dedicated"
    REFUSE = "refuse"


class ManagedGroupPolicy(Enum):
    """Whether a plan may change a group that CloudFormation, Terraform or another tool manages and may restore."""

    REFUSE = "refuse"
    ALLOW = "allow"


class WideOpeningPolicy(Enum):
    """Whether a plan may open a load balancer further than the page's tables do (an internal one beyond private
    addresses): refuse, or only if a person approves the plan."""

    REFUSE = "refuse"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """What a plan may change. `rules_per_group` is the account's quota, in each direction and address family. `tags`
    go on everything that is created, beside the fix's own."""

    shared_group: SharedGroupPolicy = SharedGroupPolicy.DEDICATED
    managed_group: ManagedGroupPolicy = ManagedGroupPolicy.REFUSE
    rules_per_group: int = RULES_PER_GROUP
    wide_opening: WideOpeningPolicy = WideOpeningPolicy.REFUSE
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FixRequest:
    """The rules to fix, with their parameters. Exemptions count as of `today` (UTC)."""

    rules: Mapping[Recommendation, Parameters]
    today: date
    policy: FixPolicy = field(default_factory=FixPolicy)
    exemptions: Exemptions = field(default_factory=lambda: Exemptions("no exemptions"))
