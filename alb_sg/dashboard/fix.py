"""The rules that a load balancer lacks as a plan, from an estate alone.

`alb-sg fix` looks further before it changes anything: who else carries a group, who manages it, whether its quota
suffices. Here the rules are exact, and the group is the one of the load balancer's own that fewest others carry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from alb_sg.errors import Unread
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.permissions.permissions import Direction
from alb_sg.remediation.circumstances import Circumstances, GroupFacts
from alb_sg.remediation.needed import Needed, needed
from alb_sg.remediation.plan import Addition, Plan, Reason, Refusal, Refused


class Fixes:
    """Plans for the load balancers of one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def plan(self, load_balancer: LoadBalancer, findings: Iterable[Finding]) -> Plan:
        """What the NON_COMPLIANT of the findings lack, each rule once, and what cannot be told."""
        failed = tuple(finding for finding in findings if finding.compliance is Compliance.NON_COMPLIANT)
        additions: dict[tuple[Direction, object], Addition] = {}
        refusals: list[Refusal] = []
        group_id = self._group(load_balancer)
        for finding in failed:
            try:
                for one in self._needed(load_balancer, finding):
                    key = (one.direction, one.permission)
                    additions[key] = _addition(group_id, one, finding.rule, additions.get(key))
            except Refused as refused:
                refusals.append(Refusal(finding.rule, refused.reason, refused.text))
            except Unread as error:
                refusals.append(Refusal(finding.rule, Reason.UNREAD, f"not known: {error}"))
        return Plan(load_balancer, failed, tuple(additions.values()), None, tuple(refusals))

    def _needed(self, load_balancer: LoadBalancer, finding: Finding) -> tuple[Needed, ...]:
        if finding.unresolved:
            raise Refused(Reason.UNRESOLVED, "it may be open already, through what could not be resolved")
        return needed(load_balancer, finding, self._circumstances)

    def _group(self, load_balancer: LoadBalancer) -> str | None:
        return min(load_balancer.security_groups, key=lambda group_id: self._carriers[group_id], default=None)

    @cached_property
    def _carriers(self) -> Counter[str]:
        every = self._estate.load_balancers.values()
        return Counter(group_id for one in every for group_id in one.security_groups)

    @cached_property
    def _circumstances(self) -> Circumstances:
        groups = self._estate.security_groups
        if groups is None:
            return Circumstances(unread={"SecurityGroups": "SecurityGroups was not collected"})
        owner = self._estate.account_id
        return Circumstances(
            groups={one.id: GroupFacts(one.id, one.name, one.vpc_id, owner, {}) for one in groups.values()}
        )


def _addition(group_id: str | None, one: Needed, rule: str, known: Addition | None) -> Addition:
    rules = {rule} if known is None else {rule, *known.recommendations}
    because = (one.because,) if known is None else tuple(dict.fromkeys((*known.because, one.because)))
    return Addition(group_id, one.direction, one.permission, tuple(sorted(rules)), because)
