"""An observation from estates that were read and judged: export files, live accounts, Config items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import starmap

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.exemptions.exemption import Exemption, VerdictKey
from alb_sg.findings.explanation import explain
from alb_sg.findings.finding import Result
from alb_sg.findings.judge import NO_EXEMPTIONS, Judge
from alb_sg.findings.remarks import RemarkFinder
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.observations.observation import Completeness, LoadBalancerDetail, Observation
from alb_sg.observations.ranking import rank
from alb_sg.observations.results import Results
from alb_sg.parameters import Parameters
from alb_sg.recommendations.recommendation import Recommendation

Rules = Mapping[Recommendation, Parameters]
Progress = Callable[[int, int], None]


def observe_results(
    results: Results,
    details: Mapping[str, LoadBalancerDetail],
    as_of: datetime,
    exemptions: ExemptionsReport | None = None,
    max_explained: int = 0,
) -> Observation:
    """An observation of what was judged. The worst load balancers keep their explanations, `max_explained` of them."""
    by_arn = results.by_load_balancer
    explained = [arn for arn, detail in details.items() if detail.explanation is not None]
    explained.sort(key=lambda arn: (_worst_rank(by_arn[arn], details[arn].load_balancer), arn))
    without = {arn: replace(details[arn], explanation=None) for arn in explained[max_explained:]}
    return Observation(
        as_of=as_of,
        results=results,
        completeness=Completeness(
            expected=None,
            observed=dict.fromkeys(starmap(AccountRegion, results.account_regions)),
            rules_expected=tuple(sorted(results.rule_names)),
        ),
        details={**details, **without},
        exemptions=exemptions,
    )


def load_balancer_details(
    estates: Sequence[Estate],
    rules: Rules,
    results: Results,
    max_explained: int = 0,
    progress: Progress | None = None,
    port_exemptions: Mapping[VerdictKey, Exemption] = NO_EXEMPTIONS,
) -> dict[str, LoadBalancerDetail]:
    """The judged load balancers by ARN, with an explanation of the worst, at most `max_explained` of them.

    An explanation lists rules in the order of `rules`, without the rows of `port_exemptions`. `progress` receives how
    many load balancers are done, and of how many.
    """
    by_arn = results.by_load_balancer
    judged = [
        (estate, load_balancer)
        for estate in estates
        for load_balancer in estate.load_balancers.values()
        if load_balancer.arn in by_arn
    ]
    judged.sort(key=lambda pair: (_worst_rank(by_arn[pair[1].arn], pair[1]), pair[1].arn))
    judges: dict[int, Judge] = {}
    remarks: dict[int, RemarkFinder] = {}
    details: dict[str, LoadBalancerDetail] = {}
    for estate, load_balancer in judged:
        explained = len(details) < max_explained
        judge = judges.setdefault(id(estate), Judge(estate, port_exemptions))
        details[load_balancer.arn] = LoadBalancerDetail(
            load_balancer,
            tags=None if estate.tags is None else estate.tags.get(load_balancer.arn),
            security_groups=tuple(_read_groups(estate, load_balancer)),
            explanation=(
                explain(judge, load_balancer, rules, remarks.setdefault(id(estate), RemarkFinder(estate)))
                if explained
                else None
            ),
            target_count=_target_count(estate, load_balancer),
        )
        if progress is not None:
            progress(len(details), len(judged))
    return details


def _target_count(estate: Estate, load_balancer: LoadBalancer) -> int | None:
    """The registered targets of all target groups; None where not all of them were read."""
    try:
        return sum(len(estate.targets_of(group)) for group in estate.target_groups_of(load_balancer))
    except NotReadError:
        return None


def _worst_rank(results: Iterable[Result], load_balancer: LoadBalancer) -> int:
    return min(rank(result, str(load_balancer.scheme)) for result in results)


def _read_groups(estate: Estate, load_balancer: LoadBalancer) -> Iterator[SecurityGroup]:
    for group_id in load_balancer.security_groups:
        try:
            yield estate.security_group(group_id)
        except NotReadError:
            # The verdicts that need the group name it as unread; causes are then found without it.
            continue
