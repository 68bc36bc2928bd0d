"""The plans for the load balancers of a run, from the estates that it judged, for reports and the dashboard.

They are the plans of `alb-sg fix`, by the same planner. Where an estate was read for verdicts only, it does not tell
who carries and manages a group: such a plan refuses every finding for that reason, and names the rules to add.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Result
from alb_sg.remediation.change_context import ChangeContexts, incomplete_change_context
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import make_plan


class EstatePlanner:
    """Plans for the load balancers of estates. `incomplete` has the cause for each estate that was read for verdicts
    only."""

    def __init__(self, estates: Sequence[Estate], fix: FixRequest, incomplete: Mapping[AccountRegion, str]) -> None:
        self._estates = estates
        self._fix = fix
        self._incomplete = incomplete
        self._contexts = ChangeContexts(estates)

    def plan(self, estate: Estate, load_balancer: LoadBalancer, results: Sequence[Result]) -> Plan:
        """The plan for the findings among the results of all rules for a load balancer, after exemptions."""
        cause = self._incomplete.get(estate.account_region)
        context = (
            self._contexts.of(estate, load_balancer)
            if cause is None
            else incomplete_change_context(estate, load_balancer, results, cause)
        )
        return make_plan(estate, load_balancer, self._fix, results, context)

    def plan_findings(
        self, results: Iterable[Result], progress: Callable[[int, int], None] | None = None
    ) -> dict[str, Plan]:
        """The plan for each load balancer with a result, by ARN.

        `progress` receives how many are planned, and of how many.
        """
        by_arn: dict[str, list[Result]] = defaultdict(list)
        for result in results:
            if result.load_balancer_arn is not None and result.rule is not None:
                by_arn[result.load_balancer_arn].append(result)
        plans: dict[str, Plan] = {}
        for estate in self._estates:
            for arn in sorted(by_arn.keys() & estate.load_balancers.keys()):
                ordered = sorted(by_arn[arn], key=lambda result: result.rule or "")
                plans[arn] = self.plan(estate, estate.load_balancers[arn], ordered)
                if progress is not None:
                    progress(len(plans), len(by_arn))
        return plans
