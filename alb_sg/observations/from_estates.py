"""An observation from estates that were read and judged: saved ones, live accounts, Config items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.findings.explanation import explain
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import Judge
from alb_sg.observations.observation import Completeness, LoadBalancerDetail, Observation
from alb_sg.observations.ranking import rank
from alb_sg.observations.results import Results
from alb_sg.parameters import Parameters
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.estate_planning import EstatePlanner
from alb_sg.report.exemptions import ExemptionsReport

Result = Finding | EvaluationError
Rules = Mapping[Recommendation, Parameters]
Progress = Callable[[int, int], None]


def observe_estates(
    estates: Sequence[Estate],
    rules: Rules,
    results: Results,
    exemptions: ExemptionsReport | None,
    as_of: datetime,
    max_explained: int,
    progress: Progress | None = None,
) -> Observation:
    """What the results say, with a picture and a fix of the worst load balancers, at most so many.

    `rules`: in the order in which their rows are to be shown. `progress` is called with how many are explained.
    """
    return Observation(
        as_of=as_of,
        results=results,
        completeness=Completeness(
            expected=None,
            observed={AccountRegion(estate.account_id, estate.region): None for estate in estates},
            rules_expected=tuple(sorted(results.rule_names)),
        ),
        details=_load_balancer_details(estates, rules, results, max_explained, progress),
        exemptions=exemptions,
    )


def _load_balancer_details(
    estates: Sequence[Estate], rules: Rules, results: Results, max_explained: int, progress: Progress | None
) -> dict[str, LoadBalancerDetail]:
    by_arn: dict[str, list[Result]] = {}
    every: list[Result] = [*results.findings, *results.errors]
    for result in every:
        by_arn.setdefault(result.load_balancer_arn or "", []).append(result)
    pairs = [(estate, one) for estate in estates for one in estate.load_balancers.values() if one.arn in by_arn]
    pairs.sort(key=lambda pair: (_worst_rank(by_arn[pair[1].arn], pair[1]), pair[1].arn))
    judges: dict[int, tuple[Judge, EstatePlanner]] = {}
    found: dict[str, LoadBalancerDetail] = {}
    for place, (estate, load_balancer) in enumerate(pairs):
        judge, fixes = judges.setdefault(id(estate), (Judge(estate), EstatePlanner(estate)))
        explained = place < max_explained
        found[load_balancer.arn] = LoadBalancerDetail(
            load_balancer,
            None if estate.tags is None else estate.tags.get(load_balancer.arn),
            tuple(_groups(estate, load_balancer)),
            explain(judge, load_balancer, rules) if explained else None,
            fixes.plan(load_balancer, _findings(by_arn[load_balancer.arn])) if explained else None,
        )
        if progress is not None:
            progress(place + 1, len(pairs))
    return found


def _worst_rank(results: Iterable[Result], load_balancer: LoadBalancer) -> int:
    return min(rank(result, load_balancer.scheme) for result in results)


def _findings(results: Iterable[Result]) -> Iterator[Finding]:
    return (result for result in results if isinstance(result, Finding))


def _groups(estate: Estate, load_balancer: LoadBalancer) -> Iterator[SecurityGroup]:
    for group_id in load_balancer.security_groups:
        try:
            yield estate.security_group(group_id)
        except NotReadError:
            # Verdicts say so where it matters; causes are then told without it.
            continue
