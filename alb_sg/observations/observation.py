"""What was observed, and of what: what every source of the dashboard gives, and all that the page is made from.

A source is whoever looks at load balancers: saved estates, a live account, or an organization's Config aggregator. It
leaves empty what it does not know; the page then says so, and never shows as fine what nobody looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.findings.explanation import Explanation
from alb_sg.observations.results import Results
from alb_sg.remediation.plan import Plan
from alb_sg.report.exemptions import ExemptionsReport


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account as people know it: its name, and the path of its organizational unit from below the root, such as
    `Production/Shops`. None: not known, or not allowed to be read; "" is the root itself."""

    name: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class LoadBalancerDetail:
    """What is known of one load balancer besides its verdicts. `tags` None: not known.

    `security_groups` are those of its own that were read, from which causes are told. `explanation` makes its picture
    and table, `plan` its exact fix; None where no estate was seen.
    """

    load_balancer: LoadBalancer
    tags: Mapping[str, str] | None = None
    security_groups: tuple[SecurityGroup, ...] = ()
    explanation: Explanation | None = None
    plan: Plan | None = None


@dataclass(frozen=True)
class Completeness:
    """How much of what there is was looked at.

    `expected`: the accounts and regions that should be heard from; None where nobody can say. `heard`: those that
    were, each with the time (UTC) of its oldest evaluation, None where it was judged in this very run or where that is
    not known. `rules_expected`: the names of the rules asked for, sorted. `rules_deployed`: the rules of them that each
    account and region has; None where rules are judged here and not by AWS Config. `gaps`: a whole sentence for each
    thing that was not looked at.
    """

    expected: tuple[AccountRegion, ...] | None
    observed: Mapping[AccountRegion, datetime | None]
    rules_expected: tuple[str, ...]
    rules_deployed: Mapping[AccountRegion, frozenset[str]] | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """The load balancers as of a time (UTC, to the second).

    `results` has the findings with exemptions applied, and the errors; its `homes` are those of `coverage.heard`.
    `accounts` and `details` (by load balancer ARN) have entries where something is known. `exemptions` None: none were
    given.
    """

    as_of: datetime
    results: Results
    completeness: Completeness
    accounts: Mapping[str, AccountName] = field(default_factory=dict)
    details: Mapping[str, LoadBalancerDetail] = field(default_factory=dict)
    exemptions: ExemptionsReport | None = None
