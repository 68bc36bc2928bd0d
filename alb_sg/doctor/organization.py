"""The checks of an organization, from the account and region with the functions and the aggregator."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.requests import AggregatorClients
from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.account import check_functions
from alb_sg.doctor.check import Check, CheckResult, CheckStatus
from alb_sg.doctor.deployed_rules import check_exemptions, read_deployed_rules
from alb_sg.doctor.reader import Reader
from alb_sg.doctor.roles import ROLE, ROLE_PARAMETER, check_member_roles
from alb_sg.findings.phrasing import abbreviate, pluralize
from alb_sg.observations.accounts import ACTIVE, account_state
from alb_sg.observations.observation import Observation

TRUSTED_ACCESS = Check("trusted access", "Without it, AWS Config and StackSets may not act in the member accounts.")
DELEGATED = Check(
    "delegated administrator", "Only this account and the management account deploy to and collect from all accounts."
)
STACK_SETS = Check("StackSets", "An account without the stack has no role for the functions: every event there fails.")
COVERAGE = Check(
    "aggregator coverage", "Of accounts and regions that the aggregator does not collect, nothing is known."
)
MEMBERS = Check("member accounts", "A stopped recorder, a failing rule or a missing role shows in its account alone.")
VERDICTS = Check("verdicts", "A rule without verdicts, or with old ones, says nothing of today's load balancers.")

CONFIG_PRINCIPALS = ("config.amazonaws.com", "config-multiaccountsetup.amazonaws.com")
STACK_SETS_PRINCIPAL = "member.org.stacksets.cloudformation.amazonaws.com"
ACTIVE_STACK_SET = "ACTIVE"
# StackSets with this in their names are ours, unless others are named.
STACK_SET_NAME = "alb-sg"
# The longest period of a rule is a day.
OLD = timedelta(days=2)
MAX_NAMED = 5


def check_organization(
    reader: Reader,
    place: AccountRegion,
    aggregator: str,
    now: datetime,
    stack_sets: Collection[str] = (),
    *,
    with_members: bool = False,
) -> Iterator[CheckResult]:
    """All checks of the organization. `stack_sets` are names of StackSets; none: those with alb-sg in their names.

    `with_members`: the caller checks the member accounts, too. Otherwise a notice says what was not checked in them.

    Raises InvalidInputError where there is no such aggregator.
    """
    organization = reader.get("organizations", "describe_organization")
    details = organization.content.get("Organization") or {}
    management = str(details.get("MasterAccountId", ""))
    yield from _trusted_access(reader, place)
    yield from _delegated_administrators(reader, place, management)
    listed = reader.list("organizations", "list_accounts", "Accounts")
    # An account whose state botocore does not know counts: leaving it out would hide its problems.
    accounts = sorted(account["Id"] for account in listed.items if account_state(account) in (ACTIVE, None))
    cause = organization.failure or listed.failure
    if cause is not None:
        yield from (check.unread(place, cause) for check in (STACK_SETS, COVERAGE))
    else:
        yield from _stack_sets(reader, place, accounts, management, stack_sets)
    rules, results = read_deployed_rules(reader, str(place))
    # The organization's pack may leave this account out.
    yield from (result for result in results if result.status is CheckStatus.UNREAD)
    functions, results = check_functions(reader, place, rules, accounts or [place.account_id])
    yield from results
    yield from check_exemptions(reader, str(place), rules)
    names = sorted({rule.parameters[ROLE_PARAMETER].strip() for rule in rules if rule.parameters.get(ROLE_PARAMETER)})
    if names:
        partition = functions[0].role_arn.split(":")[1] if functions else "aws"
        roles = [f"arn:{partition}:iam::{account}:role/{name}" for name in names for account in accounts]
        yield from check_member_roles(reader, place, functions, roles, str(details.get("Id", "")))
    else:
        yield ROLE.notice(
            place,
            f"no rule of this account and region has {ROLE_PARAMETER}, so the functions' role is not known",
            "run alb-sg doctor in a member account",
        )
    rule_names = {rule.recommendation.name for rule in rules} or None
    observation = observe(AggregatorClients(reader.client("config")), aggregator, rule_names, now)
    yield from _coverage(aggregator, observation, None if cause is not None else accounts)
    yield from _verdicts(aggregator, observation, now)
    if not with_members:
        where = "any account" if cause is not None else pluralize(len(accounts), "account")
        yield MEMBERS.notice(
            place,
            f"not checked in {where}: recorder and delivery, rules and their last runs, the evaluation role's trust",
            "add --accounts F --assume-role NAME, or run alb-sg doctor in a member account",
        )


def _trusted_access(reader: Reader, place: AccountRegion) -> Iterator[CheckResult]:
    response = reader.list("organizations", "list_aws_service_access_for_organization", "EnabledServicePrincipals")
    if response.failure is not None:
        yield TRUSTED_ACCESS.unread(place, response.failure)
        return
    enabled = {service.get("ServicePrincipal") for service in response.items}
    missing = [name for name in (*CONFIG_PRINCIPALS, STACK_SETS_PRINCIPAL) if name not in enabled]
    if missing:
        yield TRUSTED_ACCESS.problem(
            place,
            f"not enabled for {', '.join(missing)}",
            "in the management account: aws organizations enable-aws-service-access --service-principal NAME; for "
            "StackSets: aws cloudformation activate-organizations-access",
        )
    else:
        yield TRUSTED_ACCESS.ok(place, "enabled for AWS Config and StackSets")


def _delegated_administrators(reader: Reader, place: AccountRegion, management: str) -> Iterator[CheckResult]:
    for principal in CONFIG_PRINCIPALS:
        at = f"{place} {principal}"
        response = reader.list(
            "organizations", "list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=principal
        )
        if response.failure is not None:
            yield DELEGATED.unread(at, response.failure)
            continue
        administrators = sorted(str(found.get("Id")) for found in response.items)
        if place.account_id in administrators or place.account_id == management:
            kind = "the management account" if place.account_id == management else "a delegated administrator"
            yield DELEGATED.ok(at, f"this account is {kind}")
        else:
            others = f"; {', '.join(administrators)} is" if administrators else ""
            yield DELEGATED.problem(
                at,
                f"this account is no delegated administrator{others}",
                "in the management account: aws organizations register-delegated-administrator --account-id "
                f"{place.account_id} --service-principal {principal}",
            )


def _stack_sets(
    reader: Reader, place: AccountRegion, accounts: Sequence[str], management: str, names: Collection[str]
) -> Iterator[CheckResult]:
    call_as = "SELF" if place.account_id == management else "DELEGATED_ADMIN"
    if not names:
        listed = reader.list("cloudformation", "list_stack_sets", "Summaries", Status=ACTIVE_STACK_SET, CallAs=call_as)
        if listed.failure is not None:
            yield STACK_SETS.unread(place, listed.failure)
            return
        names = [name for found in listed.items if STACK_SET_NAME in (name := str(found.get("StackSetName")))]
        if not names:
            yield STACK_SETS.problem(
                place,
                f"there is no StackSet with {STACK_SET_NAME} in its name",
                "deploy member.yaml as a StackSet, or name yours with --stack-set; run this where it was created",
            )
    for name in sorted(names):
        yield _stack_set(reader, f"{place} {name}", name, call_as, set(accounts) - {management})


def _stack_set(reader: Reader, at: str, name: str, call_as: str, accounts: set[str]) -> CheckResult:
    response = reader.list("cloudformation", "list_stack_instances", "Summaries", StackSetName=name, CallAs=call_as)
    if response.failure is not None:
        return STACK_SETS.unread(at, response.failure)
    failed = sorted(
        f"{found.get('Account')} {found.get('Region')} ({found.get('Status')}"
        f"{': ' + str(found['StatusReason']) if found.get('StatusReason') else ''})"
        for found in response.items
        if found.get("Status") != "CURRENT" and found.get("Account") in accounts
    )
    missing = sorted(accounts - {str(found.get("Account")) for found in response.items})
    found = [
        *([f"{pluralize(len(failed), 'instance')} not current: {abbreviate(failed, MAX_NAMED)}"] if failed else []),
        *([f"{pluralize(len(missing), 'account')} without it: {abbreviate(missing, MAX_NAMED)}"] if missing else []),
    ]
    if found:
        return STACK_SETS.problem(
            at, "; ".join(found), "add the accounts to its targets, or to excludedAccounts; then update the StackSet"
        )
    return STACK_SETS.ok(at, f"current in {pluralize(len(accounts), 'account')}, without the management account")


def _coverage(aggregator: str, observation: Observation, accounts: Sequence[str] | None) -> Iterator[CheckResult]:
    """What the aggregator lacks. `accounts` are the organization's; None where they could not be read."""
    unread = [error for error in observation.results.errors if error.load_balancer_arn is None and error.rule is None]
    for error in unread:
        yield COVERAGE.problem(
            aggregator, f"{error.what}: {error.cause}", "check the aggregator, its role and the source's authorization"
        )
    expected = observation.completeness.expected
    if expected is None:
        yield COVERAGE.problem(
            aggregator,
            " ".join(observation.completeness.gaps),
            "check that it collects from the organization, its role, and the permissions of these credentials",
        )
        return
    missing = sorted(set(accounts or ()) - {account_region.account_id for account_region in expected})
    silent = sorted(str(found) for found in expected if found not in observation.completeness.observed)
    if missing:
        yield COVERAGE.problem(
            aggregator,
            f"it does not collect from {pluralize(len(missing), 'account')}: {abbreviate(missing, MAX_NAMED)}",
            "let it collect from the whole organization and all regions (deploy/aggregator.yaml)",
        )
    if silent:
        yield COVERAGE.notice(
            aggregator,
            f"it has nothing of {len(silent):,} accounts and regions: {abbreviate(silent, MAX_NAMED)}",
            "run alb-sg doctor in one of them: its recorder may be off",
        )
    if accounts is not None and not missing and not silent and not unread:
        yield COVERAGE.ok(aggregator, f"it collects from all of {pluralize(len(accounts), 'account')}")


def _verdicts(aggregator: str, observation: Observation, now: datetime) -> Iterator[CheckResult]:
    rules = sorted({str(error.rule) for error in observation.results.errors if error.rule is not None})
    for rule in rules:
        errors = [error for error in observation.results.errors if error.rule == rule]
        places = sorted({f"{error.account_id} {error.region}" for error in errors})
        yield VERDICTS.problem(
            f"{aggregator} {rule}",
            f"{pluralize(len(errors), 'error')} in {abbreviate(places, MAX_NAMED)}, the first: {errors[0].cause}",
            "run alb-sg doctor in one of them",
        )
    completeness = observation.completeness
    lacking = sorted(
        f"{account_region} ({', '.join(sorted(set(completeness.rules_expected) - deployed))})"
        for account_region, deployed in (completeness.rules_deployed or {}).items()
        if set(completeness.rules_expected) - deployed
    )
    if lacking:
        yield VERDICTS.problem(
            aggregator,
            f"{len(lacking):,} accounts and regions with load balancers and without a verdict of every rule: "
            f"{abbreviate(lacking, MAX_NAMED)}",
            "deploy the rules there; a rule that applies to no load balancer has no verdict either",
        )
    old = sorted(
        str(account_region)
        for account_region, time in completeness.observed.items()
        if time is not None and now - time > OLD
    )
    if old:
        yield VERDICTS.problem(
            aggregator,
            f"{len(old):,} accounts and regions with verdicts of more than two days ago: {abbreviate(old, MAX_NAMED)}",
            "run alb-sg doctor in one of them",
        )
    if not observation.results.findings:
        yield VERDICTS.notice(
            aggregator, "the aggregator has no verdict on any load balancer", "nothing, if there is no load balancer"
        )
    elif not rules and not lacking and not old:
        yield VERDICTS.ok(
            aggregator, f"{pluralize(len(observation.results.findings), 'verdict')}, none older than two days"
        )
