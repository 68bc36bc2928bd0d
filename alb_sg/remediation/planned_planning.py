"""The rules that load balancers of a plan or template lack, as plans.

Nobody carries a group that does not exist yet, and no account says who manages it: the rules go into the least shared
of the load balancer's own groups, and into the targets' own groups. The VPC's default group comes last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Result
from alb_sg.findings.near_misses import DEFAULT_GROUP_NAME
from alb_sg.parameters import Parameters
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.planning import Planner
from alb_sg.remediation.required_rules import RequiredRule


class PlannedEstatePlanner:
    """Plans for the load balancers of one planned estate, from findings of these rules."""

    def __init__(self, estate: Estate, rules: Mapping[Recommendation, Parameters]) -> None:
        self._estate = estate
        self._rules = rules

    def plan(self, load_balancer: LoadBalancer, results: Iterable[Result]) -> Plan:
        group_id = self._least_shared_group(load_balancer)
        planner = Planner(
            self._estate,
            load_balancer,
            self._rules,
            self._context,
            lambda *_: (group_id, None),
            self._select_target_group,
        )
        return planner.plan(tuple(results))

    def _select_target_group(self, required: Sequence[RequiredRule], _: Sequence[Addition]) -> str:
        """The group of targets that fewest network interfaces and instances carry, and rather not the VPC's default
        group."""
        return min(
            required[0].target_groups,
            key=lambda group_id: (self._others_per_group[group_id], self._is_default(group_id), group_id),
        )

    @cached_property
    def _others_per_group(self) -> Counter[str]:
        """How many network interfaces and instances carry a group. Planned instances have no interfaces yet."""
        interfaces = (self._estate.network_interfaces or {}).values()
        carried = Counter(group_id for interface in interfaces for group_id in interface.groups)
        instances = (self._estate.instances or {}).values()
        return carried + Counter(group_id for instance in instances for group_id in instance.groups)

    def _least_shared_group(self, load_balancer: LoadBalancer) -> str | None:
        return min(
            load_balancer.security_groups,
            key=lambda group_id: (
                self._is_default(group_id),
                self._load_balancers_per_group[group_id] + self._others_per_group[group_id],
            ),
            default=None,
        )

    def _is_default(self, group_id: str) -> bool:
        """Whether it is the VPC's default group, which everything gets that is launched without a group."""
        group = (self._estate.security_groups or {}).get(group_id)
        return group is not None and group.name == DEFAULT_GROUP_NAME

    @cached_property
    def _load_balancers_per_group(self) -> Counter[str]:
        load_balancers = self._estate.load_balancers.values()
        return Counter(group_id for load_balancer in load_balancers for group_id in load_balancer.security_groups)

    @cached_property
    def _context(self) -> ChangeContext:
        if self._estate.security_groups is None:
            return ChangeContext(unread={"SecurityGroups": "SecurityGroups was not collected"})
        return ChangeContext(groups=self._estate.security_groups)
