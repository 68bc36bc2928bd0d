"""From findings to a plan: pure, and with the judgement of the rules themselves.

What is planned is held against the estate as it would then be: a plan that would not make its rules COMPLIANT, or that
would take that from another rule, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from alb_sg.errors import Unread
from alb_sg.estate.estate import Estate
from alb_sg.estate.home import Home
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.application import exempted
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.findings.judge import Judge
from alb_sg.recommendations.catalogue import BY_NAME
from alb_sg.remediation.circumstances import Circumstances
from alb_sg.remediation.needed import Needed, needed
from alb_sg.remediation.placement import Placement
from alb_sg.remediation.plan import Addition, NewGroup, Plan, Reason, Refusal, Refused
from alb_sg.remediation.policy import Fix
from alb_sg.remediation.simulation import applied

Result = Finding | JudgementError


def verdicts(estate: Estate, load_balancer: LoadBalancer, fix: Fix) -> tuple[Result, ...]:
    """What the rules say of a load balancer, exemptions included, by the rules' names."""
    judge = Judge(estate)
    results = (judge.judge(load_balancer, *rule) for rule in fix.rules.items())
    found = (exempted(result, fix.exemptions, fix.today) for result in results)
    return tuple(sorted(found, key=lambda result: result.rule or ""))


def make_plan(
    estate: Estate,
    load_balancer: LoadBalancer,
    fix: Fix,
    results: Iterable[Result],
    circumstances: Circumstances,
) -> Plan:
    """What fixes the findings among the results (those of `verdicts`). Each finding is fixed as a whole or refused."""
    return _Planner(estate, load_balancer, fix, tuple(results), circumstances).plan()


@dataclass
class _Planner:
    estate: Estate
    load_balancer: LoadBalancer
    fix: Fix
    results: Sequence[Result]
    circumstances: Circumstances
    additions: list[Addition] = field(default_factory=list)
    new_group: NewGroup | None = None
    refusals: list[Refusal] = field(default_factory=list)

    def plan(self) -> Plan:
        for result in self.results:
            if isinstance(result, Finding) and result.compliance is Compliance.NON_COMPLIANT:
                self._fix(result)
        return Plan(
            self.load_balancer, tuple(self.results), tuple(self.additions), self.new_group, tuple(self.refusals)
        )

    def _fix(self, finding: Finding) -> None:
        wanted: tuple[Needed, ...] = ()
        try:
            self._must_not_be_meant_exempt(finding)
            if finding.unresolved:
                raise Refused(
                    Reason.UNRESOLVED,
                    "it may be open already, through what could not be resolved; see to that first: "
                    f"{finding.annotation}",
                )
            wanted = needed(self.load_balancer, finding, self.circumstances)
            self._add(finding, wanted)
        except Unread as error:
            self._refuse(finding, Refused(Reason.UNREAD, f"not known: {error}"), wanted)
        except Refused as refused:
            self._refuse(finding, refused, wanted)

    def _refuse(self, finding: Finding, refused: Refused, wanted: Iterable[Needed]) -> None:
        rules = tuple(_addition(refused.group_id, one, finding.rule) for one in wanted)
        self.refusals.append(Refusal(finding.rule, refused.reason, refused.text, rules))

    def _must_not_be_meant_exempt(self, finding: Finding) -> None:
        """Raises Refused where an entry that hides nothing, being malformed, may be meant to hide this finding."""
        home = Home(finding.account_id, finding.region)
        for malformed in self.fix.exemptions.malformed:
            if malformed.load_balancer_arn in (None, finding.load_balancer_arn) and malformed.may_concern(
                finding.rule, home
            ):
                raise Refused(
                    Reason.EXEMPTION,
                    f"{malformed.place} in {self.fix.exemptions.source} may be meant to exempt it: {malformed}",
                )

    def _add(self, finding: Finding, wanted: Iterable[Needed]) -> None:
        additions = list(self.additions)
        fresh: list[Needed] = []
        for one in wanted:
            index = next(
                (
                    position
                    for position, planned in enumerate(additions)
                    if (planned.direction, planned.permission) == (one.direction, one.permission)
                ),
                None,
            )
            if index is None:
                fresh.append(one)
            else:
                additions[index] = _also(additions[index], one, finding.rule)
        new_group = self.new_group
        if fresh:
            placement = Placement(self.estate, self.load_balancer, self.circumstances, self.fix.policy)
            group_id, new_group = placement.place(fresh, self.additions, new_group)
            additions += [_addition(group_id, one, finding.rule) for one in fresh]
        self._must_do(finding, additions, new_group)
        self.additions, self.new_group = additions, new_group

    def _must_do(self, finding: Finding, additions: Sequence[Addition], new_group: NewGroup | None) -> None:
        """Raises Refused where the changes would not make the finding COMPLIANT, or another no longer so."""
        after = applied(self.estate, self.load_balancer, additions, new_group)
        judge = Judge(after)
        load_balancer = after.load_balancers[self.load_balancer.arn]
        for result in self.results:
            if result.rule != finding.rule and not _is_compliant(result):
                continue
            recommendation = BY_NAME[result.rule or ""]
            then = judge.judge(load_balancer, recommendation, self.fix.rules[recommendation])
            if not _is_compliant(then):
                said = then.annotation if isinstance(then, Finding) else f"{then.what}: {then.cause}"
                raise Refused(Reason.INSUFFICIENT, f"{recommendation.name} would then not be met: {said}")


def _is_compliant(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is Compliance.COMPLIANT


def _addition(group_id: str | None, one: Needed, rule: str) -> Addition:
    return Addition(group_id, one.direction, one.permission, (rule,), (one.because,))


def _also(addition: Addition, one: Needed, rule: str) -> Addition:
    """A rule that another recommendation asks for too."""
    return replace(
        addition,
        recommendations=tuple(sorted({*addition.recommendations, rule})),
        because=tuple(dict.fromkeys((*addition.because, one.because))),
    )
