"""An observation from estates that were read and judged: saved ones, live accounts, Config items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from alb_sg.dashboard.fix import Fixes
from alb_sg.dashboard.observation import Coverage, Detail, Observation
from alb_sg.dashboard.ranking import rank
from alb_sg.errors import Unread
from alb_sg.estate.estate import Estate
from alb_sg.estate.home import Home
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.findings.explanation import explain
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.findings.judge import Judge
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import Recommendation
from alb_sg.report.exemptions import ExemptionsReport
from alb_sg.report.results import Results

Result = Finding | JudgementError
Rules = Mapping[Recommendation, Parameters]
Progress = Callable[[int, int], None]


def observe_estates(
    estates: Sequence[Estate],
    rules: Rules,
    results: Results,
    exemptions: ExemptionsReport | None,
    as_of: datetime,
    most_explained: int,
    progress: Progress | None = None,
) -> Observation:
    """What the results say, with a picture and a fix of the worst load balancers, at most so many.

    `rules`: in the order in which their rows are to be shown. `progress` is called with how many are explained.
    """
    return Observation(
        as_of=as_of,
        results=results,
        coverage=Coverage(
            expected=None,
            heard={Home(estate.account_id, estate.region): None for estate in estates},
            rules_expected=tuple(sorted(results.rules)),
        ),
        details=_details(estates, rules, results, most_explained, progress),
        exemptions=exemptions,
    )


def _details(
    estates: Sequence[Estate], rules: Rules, results: Results, most: int, progress: Progress | None
) -> dict[str, Detail]:
    by_arn: dict[str, list[Result]] = {}
    every: list[Result] = [*results.findings, *results.errors]
    for result in every:
        by_arn.setdefault(result.load_balancer_arn or "", []).append(result)
    pairs = [(estate, one) for estate in estates for one in estate.load_balancers.values() if one.arn in by_arn]
    pairs.sort(key=lambda pair: (_worst(by_arn[pair[1].arn], pair[1]), pair[1].arn))
    judges: dict[int, tuple[Judge, Fixes]] = {}
    found: dict[str, Detail] = {}
    for place, (estate, load_balancer) in enumerate(pairs):
        judge, fixes = judges.setdefault(id(estate), (Judge(estate), Fixes(estate)))
        explained = place < most
        found[load_balancer.arn] = Detail(
            load_balancer,
            None if estate.tags is None else estate.tags.get(load_balancer.arn),
            tuple(_groups(estate, load_balancer)),
            explain(judge, load_balancer, rules) if explained else None,
            fixes.plan(load_balancer, _findings(by_arn[load_balancer.arn])) if explained else None,
        )
        if progress is not None:
            progress(place + 1, len(pairs))
    return found


def _worst(results: Iterable[Result], load_balancer: LoadBalancer) -> int:
    return min(rank(result, load_balancer.scheme) for result in results)


def _findings(results: Iterable[Result]) -> Iterator[Finding]:
    return (result for result in results if isinstance(result, Finding))


def _groups(estate: Estate, load_balancer: LoadBalancer) -> Iterator[SecurityGroup]:
    for group_id in load_balancer.security_groups:
        try:
            yield estate.security_group(group_id)
        except Unread:
            # Verdicts say so where it matters; causes are then told without it.
            continue
