"""From findings to a plan: pure, and with the judgement of the rules themselves.

What is planned is held against the estate as it would then be: a plan that would not make its rules COMPLIANT, or that
would take that from another rule, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.exemption_application import apply_exemption
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.judge import Judge
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.placement import GroupSelector
from alb_sg.remediation.plan import Addition, FixRefusedError, NewGroup, Plan, Refusal, RefusalReason
from alb_sg.remediation.required_rules import RequiredRule, required_rules
from alb_sg.remediation.simulation import apply_to_estate

Result = Finding | EvaluationError


def judge_load_balancer(estate: Estate, load_balancer: LoadBalancer, fix: FixRequest) -> tuple[Result, ...]:
    """What the rules say of a load balancer, exemptions included, by the rules' names."""
    judge = Judge(estate)
    results = (judge.judge(load_balancer, *rule) for rule in fix.rules.items())
    found = (apply_exemption(result, fix.exemptions, fix.today) for result in results)
    return tuple(sorted(found, key=lambda result: result.rule or ""))


def make_plan(
    estate: Estate,
    load_balancer: LoadBalancer,
    fix: FixRequest,
    results: Iterable[Result],
    context: ChangeContext,
) -> Plan:
    """What fixes the findings among the results (those of `verdicts`). Each finding is fixed as a whole or refused."""
    return _Planner(estate, load_balancer, fix, tuple(results), context).plan()


@dataclass
class _Planner:
    estate: Estate
    load_balancer: LoadBalancer
    fix: FixRequest
    results: Sequence[Result]
    context: ChangeContext
    additions: list[Addition] = field(default_factory=list)
    new_group: NewGroup | None = None
    refusals: list[Refusal] = field(default_factory=list)

    def plan(self) -> Plan:
        for result in self.results:
            if isinstance(result, Finding) and result.compliance is Compliance.NON_COMPLIANT:
                self._plan_finding(result)
        return Plan(
            self.load_balancer, tuple(self.results), tuple(self.additions), self.new_group, tuple(self.refusals)
        )

    def _plan_finding(self, finding: Finding) -> None:
        wanted: tuple[RequiredRule, ...] = ()
        try:
            self._require_no_malformed_exemption(finding)
            if finding.unresolved:
                raise FixRefusedError(
                    RefusalReason.UNRESOLVED,
                    "it may be open already, through what could not be resolved; see to that first: "
                    f"{finding.annotation}",
                )
            wanted = required_rules(self.load_balancer, finding, self.context)
            self._add_rules(finding, wanted)
        except NotReadError as error:
            self._refuse(finding, FixRefusedError(RefusalReason.NOT_READ, f"not known: {error}"), wanted)
        except FixRefusedError as refused:
            self._refuse(finding, refused, wanted)

    def _refuse(self, finding: Finding, refused: FixRefusedError, wanted: Iterable[RequiredRule]) -> None:
        rules = tuple(_make_addition(refused.group_id, one, finding.rule) for one in wanted)
        self.refusals.append(Refusal(finding.rule, refused.reason, refused.text, rules))

    def _require_no_malformed_exemption(self, finding: Finding) -> None:
        """Raises Refused where an entry that hides nothing, being malformed, may be meant to hide this finding."""
        account_region = AccountRegion(finding.account_id, finding.region)
        for malformed in self.fix.exemptions.malformed:
            if malformed.load_balancer_arn in (None, finding.load_balancer_arn) and malformed.may_apply_to(
                finding.rule, account_region
            ):
                raise FixRefusedError(
                    RefusalReason.MALFORMED_EXEMPTION,
                    f"{malformed.place} in {self.fix.exemptions.document_name} may be meant to exempt it: {malformed}",
                )

    def _add_rules(self, finding: Finding, wanted: Iterable[RequiredRule]) -> None:
        additions = list(self.additions)
        fresh: list[RequiredRule] = []
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
                additions[index] = _merge_addition(additions[index], one, finding.rule)
        new_group = self.new_group
        if fresh:
            placement = GroupSelector(self.estate, self.load_balancer, self.context, self.fix.policy)
            group_id, new_group = placement.select_group(fresh, self.additions, new_group)
            additions += [_make_addition(group_id, one, finding.rule) for one in fresh]
        self._require_compliant_after(finding, additions, new_group)
        self.additions, self.new_group = additions, new_group

    def _require_compliant_after(
        self, finding: Finding, additions: Sequence[Addition], new_group: NewGroup | None
    ) -> None:
        """Raises Refused where the changes would not make the finding COMPLIANT, or another no longer so."""
        after = apply_to_estate(self.estate, self.load_balancer, additions, new_group)
        judge = Judge(after)
        load_balancer = after.load_balancers[self.load_balancer.arn]
        for result in self.results:
            if result.rule != finding.rule and not _is_compliant(result):
                continue
            recommendation = RECOMMENDATIONS_BY_NAME[result.rule or ""]
            then = judge.judge(load_balancer, recommendation, self.fix.rules[recommendation])
            if not _is_compliant(then):
                said = then.annotation if isinstance(then, Finding) else f"{then.what}: {then.cause}"
                raise FixRefusedError(
                    RefusalReason.INSUFFICIENT, f"{recommendation.name} would then not be met: {said}"
                )


def _is_compliant(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is Compliance.COMPLIANT


def _make_addition(group_id: str | None, one: RequiredRule, rule: str) -> Addition:
    return Addition(group_id, one.direction, one.permission, (rule,), (one.origin,))


def _merge_addition(addition: Addition, one: RequiredRule, rule: str) -> Addition:
    """A rule that another recommendation asks for too."""
    return replace(
        addition,
        rule_names=tuple(sorted({*addition.rule_names, rule})),
        origins=tuple(dict.fromkeys((*addition.origins, one.origin))),
    )
