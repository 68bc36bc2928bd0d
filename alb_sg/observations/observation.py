"""An observation: the verdicts of a run or of an aggregator, and how complete they are.

Every source gives one: export files, a live account, or an organization's AWS Config aggregator. The reports and the
dashboard are made from it. A source leaves empty what it does not know, so that nothing unknown is shown as compliant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.findings.explanation import Explanation
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.observations.results import Results


@dataclass(frozen=True, slots=True)
class LoadBalancerDetail:
    """A load balancer beside its verdicts.

    `tags` is None where they are unknown. `security_groups` has those of its own groups that were read; the causes of
    findings are looked up in them. `explanation` is None where the load balancer was not judged here, or is not one of
    the worst. `target_count`: its registered targets; None where they are not known.
    """

    load_balancer: LoadBalancer
    tags: Mapping[str, str] | None = None
    security_groups: tuple[SecurityGroup, ...] = ()
    explanation: Explanation | None = None
    target_count: int | None = None


@dataclass(frozen=True)
class Completeness:
    """How much of an organization an observation covers.

    `expected`: the accounts and regions that should report; None where the source does not know.
    `observed`: those that did report, each with the time (UTC) of its oldest evaluation; None where it was judged in
    this run, or the time is unknown.
    `rules_expected`: the names of the selected rules, sorted.
    `rules_deployed`: which of them each account and region has; None where they were judged here, not by AWS Config.
    `gaps`: a sentence for everything that was not covered.
    """

    expected: tuple[AccountRegion, ...] | None
    observed: Mapping[AccountRegion, datetime | None]
    rules_expected: tuple[str, ...]
    rules_deployed: Mapping[AccountRegion, frozenset[str]] | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """The load balancers as of a time (UTC, to the second).

    `results` has the findings with exemptions applied, and the errors; its `account_regions` are those of
    `completeness.observed`. `accounts` (by account id) and `details` (by load balancer ARN) hold the known ones.
    `exemptions` is None where none were given. `owner_tags` are the tags that name an owner, the first that is set
    counts.
    """

    as_of: datetime
    results: Results
    completeness: Completeness
    accounts: Mapping[str, AccountName] = field(default_factory=dict)
    details: Mapping[str, LoadBalancerDetail] = field(default_factory=dict)
    exemptions: ExemptionsReport | None = None
    owner_tags: tuple[str, ...] = ()

    def owner_of(self, load_balancer_arn: str) -> str | None:
        """The owner that the tags of a load balancer or its groups name; None where they name none, or could not be
        read."""
        detail = self.details.get(load_balancer_arn)
        try:
            return None if detail is None else find_owner(self.owner_tags, detail.tags, detail.security_groups)
        except NotReadError:
            return None

    @property
    def errors_of_load_balancers(self) -> list[EvaluationError]:
        """The errors without those of the exemptions' document, which leave no load balancer unread."""
        of_document = () if self.exemptions is None else self.exemptions.document_errors
        return [error for error in self.results.errors if error not in of_document]


def find_owner(tag_keys: Sequence[str], tags: Mapping[str, str] | None, groups: Sequence[SecurityGroup]) -> str | None:
    """The value of the first of these tags that the load balancer has, else that one of its groups has.

    None where none of them has a value, or where the load balancer's tags are not known. Raises NotReadError where the
    tags of a group could not be read and no tag before names an owner.
    """
    every_tags = chain([tags or {}], (group.known_tags for group in groups))
    return next((each[key] for each in every_tags for key in tag_keys if each.get(key)), None)
