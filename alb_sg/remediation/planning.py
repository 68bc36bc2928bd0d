"""From findings to a plan, by pure functions.

The rules' own code judges the estate as the plan would leave it. A plan that would not make its rules COMPLIANT, or
would make another rule NON_COMPLIANT, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, SecurityGroup
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

Result = Finding | EvaluationError

# The id of the planned group in the estate that a plan is judged against. EC2's own ids are hexadecimal.
NEW_GROUP_ID = "sg-new"


def judge_load_balancer(estate: Estate, load_balancer: LoadBalancer, fix: FixRequest) -> tuple[Result, ...]:
    """The results of the requested rules for a load balancer, after exemptions, ordered by rule name."""
    judge = Judge(estate)
    results = (
        apply_exemption(judge.judge(load_balancer, recommendation, parameters), fix.exemptions, fix.today)
        for recommendation, parameters in fix.rules.items()
    )
    return tuple(sorted(results, key=lambda result: result.rule or ""))


def result_text(result: Result) -> str:
    """A finding's annotation, or what an error could not read and why."""
    return result.annotation if isinstance(result, Finding) else f"{result.what}: {result.cause}"


def make_plan(
    estate: Estate,
    load_balancer: LoadBalancer,
    fix: FixRequest,
    results: Iterable[Result],
    context: ChangeContext,
) -> Plan:
    """A plan for the NON_COMPLIANT findings among the results of `judge_load_balancer`.

    It fixes each finding completely or refuses it.
    """
    return _Planner(estate, load_balancer, fix, tuple(results), context).plan()


def apply_to_estate(
    estate: Estate, load_balancer: LoadBalancer, additions: Sequence[Addition], new_group: NewGroup | None
) -> Estate:
    """The estate as a plan's additions and new group would leave it."""
    if not additions and new_group is None:
        return estate
    groups = dict(estate.security_groups or {})
    if new_group is not None:
        groups[NEW_GROUP_ID] = SecurityGroup(NEW_GROUP_ID, new_group.name, new_group.vpc_id, (), ())
        group_ids = tuple(sorted((*load_balancer.security_groups, NEW_GROUP_ID)))
        load_balancer = load_balancer._replace(security_groups=group_ids)
    for addition in additions:
        group = groups[addition.group_id or NEW_GROUP_ID]
        if addition.direction is Direction.INGRESS:
            group = group._replace(ingress=(*group.ingress, addition.permission))
        else:
            group = group._replace(egress=(*group.egress, addition.permission))
        groups[group.id] = group
    return replace(
        estate,
        load_balancers={**estate.load_balancers, load_balancer.arn: load_balancer},
        security_groups=groups,
    )


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
        required: tuple[RequiredRule, ...] = ()
        try:
            self._require_no_malformed_exemption(finding)
            if finding.unresolved:
                raise FixRefusedError(
                    RefusalReason.UNRESOLVED,
                    "it may be open already, through what could not be resolved; see to that first: "
                    f"{finding.annotation}",
                )
            required = required_rules(self.load_balancer, finding, self.context)
            self._add_rules(finding, required)
        except NotReadError as error:
            self._refuse(finding, FixRefusedError(RefusalReason.NOT_READ, f"not known: {error}"), required)
        except FixRefusedError as refused:
            self._refuse(finding, refused, required)

    def _refuse(self, finding: Finding, refused: FixRefusedError, required: Iterable[RequiredRule]) -> None:
        additions = tuple(rule.addition(refused.group_id, finding.rule) for rule in required)
        self.refusals.append(Refusal(finding.rule, refused.reason, refused.text, additions))

    def _require_no_malformed_exemption(self, finding: Finding) -> None:
        """Raises FixRefusedError if a malformed exemption, which exempts nothing, may be meant for this finding."""
        account_region = AccountRegion(finding.account_id, finding.region)
        for malformed in self.fix.exemptions.malformed:
            if malformed.load_balancer_arn in (None, finding.load_balancer_arn) and malformed.may_apply_to(
                finding.rule, account_region
            ):
                raise FixRefusedError(
                    RefusalReason.MALFORMED_EXEMPTION,
                    f"{malformed.place} in {self.fix.exemptions.document_name} may be meant to exempt it: {malformed}",
                )

    def _add_rules(self, finding: Finding, required: Iterable[RequiredRule]) -> None:
        additions = {addition.key: addition for addition in self.additions}
        unplanned: list[RequiredRule] = []
        for rule in required:
            if rule.key in additions:
                additions[rule.key] = additions[rule.key].also_for(finding.rule, rule.origin)
            else:
                unplanned.append(rule)
        new_group = self.new_group
        if unplanned:
            selector = GroupSelector(self.estate, self.load_balancer, self.context, self.fix.policy)
            group_id, new_group = selector.select_group(unplanned, self.additions, new_group)
            additions |= {rule.key: rule.addition(group_id, finding.rule) for rule in unplanned}
        self._require_compliant_after(finding, list(additions.values()), new_group)
        self.additions, self.new_group = list(additions.values()), new_group

    def _require_compliant_after(
        self, finding: Finding, additions: Sequence[Addition], new_group: NewGroup | None
    ) -> None:
        """Raises FixRefusedError if the changes leave the finding's rule, or a rule that is COMPLIANT now, unmet."""
        estate = apply_to_estate(self.estate, self.load_balancer, additions, new_group)
        judge = Judge(estate)
        load_balancer = estate.load_balancers[self.load_balancer.arn]
        for result in self.results:
            if result.rule != finding.rule and not _is_compliant(result):
                continue
            recommendation = RECOMMENDATIONS_BY_NAME[result.rule or ""]
            result_after = judge.judge(load_balancer, recommendation, self.fix.rules[recommendation])
            if not _is_compliant(result_after):
                raise FixRefusedError(
                    RefusalReason.INSUFFICIENT,
                    f"{recommendation.name} would then not be met: {result_text(result_after)}",
                )


def _is_compliant(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is Compliance.COMPLIANT
