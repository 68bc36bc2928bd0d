"""The rules that a load balancer lacks as a plan, from an estate alone.

`alb-sg fix` looks further before it changes anything: who else carries a group, who manages it, whether its quota
suffices. Here the rules are exact, and the group is the one of the load balancer's own that fewest others carry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.change_context import ChangeContext, GroupFacts
from alb_sg.remediation.plan import Addition, FixRefusedError, Plan, Refusal, RefusalReason
from alb_sg.remediation.required_rules import RequiredRule, required_rules


class EstatePlanner:
    """Plans for the load balancers of one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def plan(self, load_balancer: LoadBalancer, findings: Iterable[Finding]) -> Plan:
        """What the NON_COMPLIANT of the findings lack, each rule once, and what cannot be told."""
        failed = tuple(finding for finding in findings if finding.compliance is Compliance.NON_COMPLIANT)
        additions: dict[tuple[Direction, object], Addition] = {}
        refusals: list[Refusal] = []
        group_id = self._least_shared_group(load_balancer)
        for finding in failed:
            try:
                for one in self._required_rules(load_balancer, finding):
                    key = (one.direction, one.permission)
                    additions[key] = _merge_addition(group_id, one, finding.rule, additions.get(key))
            except FixRefusedError as refused:
                refusals.append(Refusal(finding.rule, refused.reason, refused.text))
            except NotReadError as error:
                refusals.append(Refusal(finding.rule, RefusalReason.NOT_READ, f"not known: {error}"))
        return Plan(load_balancer, failed, tuple(additions.values()), None, tuple(refusals))

    def _required_rules(self, load_balancer: LoadBalancer, finding: Finding) -> tuple[RequiredRule, ...]:
        if finding.unresolved:
            raise FixRefusedError(
                RefusalReason.UNRESOLVED, "it may be open already, through what could not be resolved"
            )
        return required_rules(load_balancer, finding, self._context)

    def _least_shared_group(self, load_balancer: LoadBalancer) -> str | None:
        return min(
            load_balancer.security_groups, key=lambda group_id: self._load_balancers_per_group[group_id], default=None
        )

    @cached_property
    def _load_balancers_per_group(self) -> Counter[str]:
        every = self._estate.load_balancers.values()
        return Counter(group_id for one in every for group_id in one.security_groups)

    @cached_property
    def _context(self) -> ChangeContext:
        groups = self._estate.security_groups
        if groups is None:
            return ChangeContext(unread={"SecurityGroups": "SecurityGroups was not collected"})
        owner = self._estate.account_id
        return ChangeContext(
            groups={one.id: GroupFacts(one.id, one.name, one.vpc_id, owner, {}) for one in groups.values()}
        )


def _merge_addition(group_id: str | None, one: RequiredRule, rule: str, known: Addition | None) -> Addition:
    rules = {rule} if known is None else {rule, *known.rule_names}
    because = (one.origin,) if known is None else tuple(dict.fromkeys((*known.origins, one.origin)))
    return Addition(group_id, one.direction, one.permission, tuple(sorted(rules)), because)
