"""From findings to a plan, without calls to AWS.

`make_plan` judges each step against the estate as it would then be. It refuses rules that would not make their finding
COMPLIANT, or that would make another finding no longer COMPLIANT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.findings.exemption_application import apply_exemption
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.judge import Judge
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.placement import GroupSelector
from alb_sg.remediation.plan import Addition, FixRefusedError, NewGroup, Plan, Refusal, RefusalReason
from alb_sg.remediation.required_rules import RequiredRule, required_rules
from alb_sg.remediation.simulation import apply_to_estate

Result = Finding | EvaluationError
# The group for new rules, given those already planned: a group's id, or None and the group to create.
SelectGroup = Callable[
    [Sequence[RequiredRule], Sequence[Addition], NewGroup | None], tuple[str | None, NewGroup | None]
]


def judge_load_balancer(estate: Estate, load_balancer: LoadBalancer, fix: FixRequest) -> tuple[Result, ...]:
    """The results of the rules for a load balancer, exemptions applied, ordered by rule name."""
    judge = Judge(estate)
    results = (judge.judge(load_balancer, *rule) for rule in fix.rules.items())
    exempted = (apply_exemption(result, fix.exemptions, fix.today) for result in results)
    return tuple(sorted(exempted, key=lambda result: result.rule or ""))


def make_plan(
    estate: Estate,
    load_balancer: LoadBalancer,
    fix: FixRequest,
    results: Iterable[Result],
    context: ChangeContext,
) -> Plan:
    """The plan that fixes the findings among the results of `judge_load_balancer`."""
    return _VerifyingPlanner(estate, load_balancer, fix, context).plan(tuple(results))


class Planner:
    """Plans the rules that one load balancer lacks. Each finding is fixed as a whole or refused."""

    def __init__(self, load_balancer: LoadBalancer, context: ChangeContext, select_group: SelectGroup) -> None:
        self._load_balancer = load_balancer
        self._context = context
        self._select_group = select_group
        self._additions: dict[tuple[Direction, Permission], Addition] = {}
        self._new_group: NewGroup | None = None
        self._refusals: list[Refusal] = []

    def plan(self, results: tuple[Result, ...]) -> Plan:
        for result in results:
            if isinstance(result, Finding) and result.compliance is Compliance.NON_COMPLIANT:
                self._plan_finding(result, results)
        return Plan(
            self._load_balancer, results, tuple(self._additions.values()), self._new_group, tuple(self._refusals)
        )

    def _check_finding(self, finding: Finding) -> None:
        """Raises FixRefusedError where the finding must not be fixed."""
        if finding.unresolved:
            raise FixRefusedError(
                RefusalReason.UNRESOLVED,
                f"it may be open already, through what could not be resolved; see to that first: {finding.annotation}",
            )

    def _check_changes(
        self,
        finding: Finding,
        results: Sequence[Result],
        additions: Sequence[Addition],
        new_group: NewGroup | None,
    ) -> None:
        """Raises FixRefusedError where the changes planned so far would not fix the finding."""

    def _plan_finding(self, finding: Finding, results: Sequence[Result]) -> None:
        required: tuple[RequiredRule, ...] = ()
        try:
            self._check_finding(finding)
            required = required_rules(self._load_balancer, finding, self._context)
            self._add_rules(finding, required, results)
        except NotReadError as error:
            self._refuse(finding, FixRefusedError(RefusalReason.NOT_READ, f"not known: {error}"), required)
        except FixRefusedError as refused:
            self._refuse(finding, refused, required)

    def _refuse(self, finding: Finding, refused: FixRefusedError, required: Iterable[RequiredRule]) -> None:
        additions = tuple(_make_addition(refused.group_id, rule, finding.rule) for rule in required)
        self._refusals.append(Refusal(finding.rule, refused.reason, refused.text, additions))

    def _add_rules(self, finding: Finding, required: Iterable[RequiredRule], results: Sequence[Result]) -> None:
        additions = dict(self._additions)
        unplanned: list[RequiredRule] = []
        for rule in required:
            key = (rule.direction, rule.permission)
            if key in additions:
                additions[key] = _merge_addition(additions[key], rule, finding.rule)
            else:
                unplanned.append(rule)
        new_group = self._new_group
        if unplanned:
            group_id, new_group = self._select_group(unplanned, tuple(self._additions.values()), new_group)
            for rule in unplanned:
                additions[rule.direction, rule.permission] = _make_addition(group_id, rule, finding.rule)
        self._check_changes(finding, results, tuple(additions.values()), new_group)
        self._additions, self._new_group = additions, new_group


class _VerifyingPlanner(Planner):
    """Places the rules by the policy of a fix, and judges the estate with the changes."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer, fix: FixRequest, context: ChangeContext) -> None:
        selector = GroupSelector(estate, load_balancer, context, fix.policy)
        super().__init__(load_balancer, context, selector.select_group)
        self._estate = estate
        self._fix = fix

    def _check_finding(self, finding: Finding) -> None:
        self._require_no_malformed_exemption(finding)
        super()._check_finding(finding)

    def _require_no_malformed_exemption(self, finding: Finding) -> None:
        """Raises FixRefusedError where a malformed entry may be meant to exempt this finding."""
        account_region = AccountRegion(finding.account_id, finding.region)
        for malformed in self._fix.exemptions.malformed:
            if malformed.load_balancer_arn in (None, finding.load_balancer_arn) and malformed.may_apply_to(
                finding.rule, account_region
            ):
                raise FixRefusedError(
                    RefusalReason.MALFORMED_EXEMPTION,
                    f"{malformed.place} in {self._fix.exemptions.document_name} may be meant to exempt it: {malformed}",
                )

    def _check_changes(
        self,
        finding: Finding,
        results: Sequence[Result],
        additions: Sequence[Addition],
        new_group: NewGroup | None,
    ) -> None:
        """Raises FixRefusedError where the finding would not be COMPLIANT, or another would no longer be."""
        changed = apply_to_estate(self._estate, self._load_balancer, additions, new_group)
        judge = Judge(changed)
        load_balancer = changed.load_balancers[self._load_balancer.arn]
        for result in results:
            if result.rule != finding.rule and not _is_compliant(result):
                continue
            recommendation = RECOMMENDATIONS_BY_NAME[result.rule or ""]
            after = judge.judge(load_balancer, recommendation, self._fix.rules[recommendation])
            if not _is_compliant(after):
                text = after.annotation if isinstance(after, Finding) else f"{after.what}: {after.cause}"
                raise FixRefusedError(
                    RefusalReason.INSUFFICIENT, f"{recommendation.name} would then not be met: {text}"
                )


def _is_compliant(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is Compliance.COMPLIANT


def _make_addition(group_id: str | None, rule: RequiredRule, rule_name: str) -> Addition:
    return Addition(group_id, rule.direction, rule.permission, (rule_name,), (rule.origin,))


def _merge_addition(addition: Addition, rule: RequiredRule, rule_name: str) -> Addition:
    """An addition that another recommendation requires too."""
    return replace(
        addition,
        rule_names=tuple(sorted({*addition.rule_names, rule_name})),
        origins=tuple(dict.fromkeys((*addition.origins, rule.origin))),
    )
