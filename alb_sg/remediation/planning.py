"""From findings to a plan, without calls to AWS.

`make_plan` judges the estate as each step would leave it, with the rules' own code. It refuses a step that would not
make its finding COMPLIANT, or that would leave another finding no longer COMPLIANT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, SecurityGroup
from alb_sg.findings.exemption_application import apply_exemption
from alb_sg.findings.finding import Compliance, Finding, Result
from alb_sg.findings.judge import Judge
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.fix_request import FixRequest, WideOpeningPolicy
from alb_sg.remediation.openings import OpeningLimit
from alb_sg.remediation.placement import GroupSelector
from alb_sg.remediation.plan import Addition, FixRefusedError, NewGroup, Plan, Refusal, RefusalReason, RuleKey
from alb_sg.remediation.required_rules import RequiredRule, required_rules
from alb_sg.remediation.resource_managers import find_group_manager

# The id of a planned group in the estate that a plan is judged against. EC2's own ids are hexadecimal.
NEW_GROUP_ID = "sg-new"

# Selects the load balancer's group for required rules, given the additions and the new group that are planned already.
# Returns its id, or None for the new group, and the new group of the plan.
SelectGroup = Callable[
    [Sequence[RequiredRule], Sequence[Addition], NewGroup | None], tuple[str | None, NewGroup | None]
]
# Selects the group of targets for required rules that one of the same groups must have.
SelectTargetGroup = Callable[[Sequence[RequiredRule], Sequence[Addition]], str]


def judge_load_balancer(estate: Estate, load_balancer: LoadBalancer, fix: FixRequest) -> tuple[Result, ...]:
    """The results of the rules for a load balancer, exemptions applied, ordered by rule name."""
    judge = Judge(estate, fix.exemptions.of_ports(fix.today))
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
    plan = _VerifyingPlanner(estate, load_balancer, fix, context).plan(tuple(results))
    return replace(plan, tags=fix.policy.tags)


def result_text(result: Result) -> str:
    """A finding's annotation, or what an error could not read and why."""
    return result.annotation if isinstance(result, Finding) else f"{result.what}: {result.cause}"


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
    load_balancers = {**estate.load_balancers, load_balancer.arn: load_balancer}
    return estate.with_security_groups(load_balancers, groups)


def _vpc_blocks(estate: Estate, load_balancer: LoadBalancer) -> tuple[str, ...]:
    """The known CIDR blocks of a load balancer's VPC."""
    vpc = (estate.vpcs or {}).get(load_balancer.vpc_id)
    return () if vpc is None else tuple(cidr for cidrs in vpc.cidrs.values() for cidr in cidrs)


class Planner:
    """Plans the rules that one load balancer lacks. Each finding is fixed completely or refused."""

    def __init__(
        self,
        estate: Estate,
        load_balancer: LoadBalancer,
        rules: Mapping[Recommendation, Parameters],
        context: ChangeContext,
        select_group: SelectGroup,
        select_target_group: SelectTargetGroup,
        wide_opening: WideOpeningPolicy = WideOpeningPolicy.REFUSE,
    ) -> None:
        self._estate = estate
        self._rules = rules
        self._load_balancer = load_balancer
        self._opening_limit = OpeningLimit(load_balancer, _vpc_blocks(estate, load_balancer))
        self._wide_opening = wide_opening
        self._context = context
        self._select_group = select_group
        self._select_target_group = select_target_group
        self._additions: dict[RuleKey, Addition] = {}
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
        """Raises FixRefusedError if the finding must not be fixed."""
        self._require_no_empty_prefix_list(finding)
        if finding.unused:
            how = f"alb-sg explain {finding.load_balancer_name} --rule {finding.rule} prints the commands that do"
            raise FixRefusedError(
                RefusalReason.REMOVES_RULES,
                "; ".join(["no fix removes security group rules", how, *self._managers_of_unused(finding)]),
            )
        if finding.unresolved:
            raise FixRefusedError(
                RefusalReason.UNRESOLVED,
                f"it may be open already, through what could not be resolved; see to that first: {finding.annotation}",
            )

    def _require_no_empty_prefix_list(self, finding: Finding) -> None:
        """Raises FixRefusedError if clients are named by a prefix list that has lost its entries. Without them, no rule
        lets these clients in, and one for the recommended peer would let in everybody."""
        parameters = self._rules[RECOMMENDATIONS_BY_NAME[finding.rule]]
        required = {peer for entry in finding.missing for peer in entry.required}
        prefix_lists = self._estate.prefix_lists or {}
        for prefix_list_id in sorted(required | parameters.accepted_prefix_lists):
            prefix_list = prefix_lists.get(prefix_list_id)
            if prefix_list is not None and prefix_list.entries == ():
                raise FixRefusedError(
                    RefusalReason.UNRESOLVED,
                    f"the prefix list {prefix_list_id} has no entries, so a rule for it lets nobody in: add entries, "
                    "or take it out of AcceptedSources or the tag",
                )

    def _managers_of_unused(self, finding: Finding) -> Iterator[str]:
        """Who may put unused rules back that somebody removes."""
        for group_id in dict.fromkeys(entry.security_group for entry in finding.unused):
            try:
                group = self._context.group(group_id)
                manager = None if group is None else find_group_manager(group)
            except NotReadError:
                # The sentence only warns: what to remove is known without it.
                continue
            if manager is not None:
                yield f"{group_id} is managed by {manager}, which may put the rules back: ask there"

    def _check_openings(self, required: Iterable[RequiredRule]) -> None:
        """Raises FixRefusedError if a rule opens more than a plan may without a person."""
        for rule in required if self._wide_opening is WideOpeningPolicy.REFUSE else ():
            opened = self._opening_limit.exceeded_by(rule)
            if opened is not None:
                name, scheme = self._load_balancer.name, self._load_balancer.scheme
                raise FixRefusedError(
                    RefusalReason.OPENS_INTERNAL,
                    f"{rule.origin} would be open to {opened}, and {name} is {scheme}; a person must approve that, or "
                    "add the rule by hand",
                )

    def _check_changes(
        self,
        finding: Finding,
        results: Sequence[Result],
        additions: Sequence[Addition],
        new_group: NewGroup | None,
    ) -> None:
        """Raises FixRefusedError if the changes planned so far would not fix the finding."""

    def _plan_finding(self, finding: Finding, results: Sequence[Result]) -> None:
        required: tuple[RequiredRule, ...] = ()
        try:
            self._check_finding(finding)
            required = required_rules(self._load_balancer, finding, self._context)
            self._check_openings(required)
            self._add_rules(finding, required, results)
        except NotReadError as error:
            self._refuse(finding, FixRefusedError(RefusalReason.NOT_READ, f"not known: {error}"), required)
        except FixRefusedError as refused:
            self._refuse(finding, refused, required)

    def _refuse(self, finding: Finding, refused: FixRefusedError, required: Iterable[RequiredRule]) -> None:
        additions = tuple(self._addition(rule, refused.group_id, finding) for rule in required)
        self._refusals.append(Refusal(finding.rule, refused.reason, refused.text, additions))

    def _addition(self, rule: RequiredRule, group_id: str | None, finding: Finding) -> Addition:
        """The addition of a rule to a group. A rule for targets that no group is selected for is shown in the first."""
        addition = rule.addition(
            rule.target_groups[0] if rule.target_groups and group_id is None else group_id, finding.rule
        )
        return replace(addition, is_wide=self._opening_limit.exceeded_by(rule) is not None)

    def _add_rules(self, finding: Finding, required: Iterable[RequiredRule], results: Sequence[Result]) -> None:
        additions = dict(self._additions)
        unplanned: list[RequiredRule] = []
        for rule in required:
            if rule.key in additions:
                additions[rule.key] = additions[rule.key].also_for(finding.rule, rule.origin)
            else:
                unplanned.append(rule)
        new_group = self._new_group
        own = [rule for rule in unplanned if not rule.target_groups]
        if own:
            group_id, new_group = self._select_group(own, tuple(self._additions.values()), new_group)
            additions |= {rule.key: self._addition(rule, group_id, finding) for rule in own}
        self._add_target_rules(finding, [rule for rule in unplanned if rule.target_groups], additions)
        self._check_changes(finding, results, tuple(additions.values()), new_group)
        self._additions, self._new_group = additions, new_group

    def _add_target_rules(
        self, finding: Finding, required: Sequence[RequiredRule], additions: dict[RuleKey, Addition]
    ) -> None:
        """Adds to `additions` the rules for targets. Those with fewer groups come first: their rule may serve others,
        which carry the same group among more."""
        known = {(one.group_id, one.permission): key for key, one in additions.items() if one.target_groups}
        for target_groups in sorted(dict.fromkeys(rule.target_groups for rule in required), key=len):
            unplanned: list[RequiredRule] = []
            for rule in required:
                if rule.target_groups != target_groups:
                    continue
                keys = (known.get((group_id, rule.permission)) for group_id in target_groups)
                key = next((key for key in keys if key is not None), None)
                if key is None:
                    unplanned.append(rule)
                else:
                    additions[key] = additions[key].also_for(finding.rule, rule.origin)
            if not unplanned:
                continue
            group_id = self._select_target_group(unplanned, tuple(additions.values()))
            also_opens = self._also_opens(group_id)
            for rule in unplanned:
                additions[rule.key] = replace(self._addition(rule, group_id, finding), also_opens=also_opens)
                known[group_id, rule.permission] = rule.key

    def _also_opens(self, group_id: str) -> tuple[str, ...]:  # noqa: ARG002 (a planner that knows them overrides it)
        """The resources that a rule in a group of targets opens, and that are no targets of the load balancer."""
        return ()


class _VerifyingPlanner(Planner):
    """Places the rules by the policy of a fix, and judges the estate with the changes."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer, fix: FixRequest, context: ChangeContext) -> None:
        selector = GroupSelector(estate, load_balancer, context, fix.policy)
        super().__init__(
            estate,
            load_balancer,
            fix.rules,
            context,
            selector.select_group,
            selector.select_target_group,
            fix.policy.wide_opening,
        )
        self._fix = fix

    def _check_finding(self, finding: Finding) -> None:
        """Raises FixRefusedError also if a malformed entry, which exempts nothing, may be meant for this finding."""
        account_region = AccountRegion(finding.account_id, finding.region)
        for malformed in self._fix.exemptions.malformed:
            if malformed.load_balancer_arn in (None, finding.load_balancer_arn) and malformed.may_apply_to(
                finding.rule, account_region
            ):
                raise FixRefusedError(
                    RefusalReason.MALFORMED_EXEMPTION,
                    f"{malformed.place} in {self._fix.exemptions.document_name} may be meant to exempt it: {malformed}",
                )
        super()._check_finding(finding)

    def _also_opens(self, group_id: str) -> tuple[str, ...]:
        estate = self._estate
        groups = estate.target_groups_of(self._load_balancer)
        target_ids = {target.id for group in groups for target in (estate.targets or {}).get(group.arn, ())}
        return self._context.others_than_targets_with(group_id, target_ids)

    def _check_changes(
        self,
        finding: Finding,
        results: Sequence[Result],
        additions: Sequence[Addition],
        new_group: NewGroup | None,
    ) -> None:
        """Raises FixRefusedError if the finding would not be COMPLIANT, or another would no longer be."""
        changed = apply_to_estate(self._estate, self._load_balancer, additions, new_group)
        judge = Judge(changed, self._fix.exemptions.of_ports(self._fix.today))
        load_balancer = changed.load_balancers[self._load_balancer.arn]
        for result in results:
            if result.rule != finding.rule and not _is_compliant(result):
                continue
            recommendation = RECOMMENDATIONS_BY_NAME[result.rule or ""]
            after = judge.judge(load_balancer, recommendation, self._fix.rules[recommendation])
            if not _is_compliant(after):
                raise FixRefusedError(
                    RefusalReason.INSUFFICIENT, f"{recommendation.name} would then not be met: {result_text(after)}"
                )


def _is_compliant(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is Compliance.COMPLIANT
