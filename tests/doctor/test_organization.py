"""The checks of an organization, from the account with the functions and the aggregator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.check import CheckResult, CheckStatus
from alb_sg.doctor.organization import check_organization
from alb_sg.doctor.reader import ACCOUNT_ACTIONS, ORGANIZATION_ACTIONS, Reader
from alb_sg.errors import InvalidInputError
from tests.aggregator.recordings import config_rule as aggregated_rule
from tests.aggregator.recordings import counted, evaluation, load_balancer, source
from tests.builders import ACCOUNT, INGRESS, REGION, RULES
from tests.doctor.answers import NOW, RAN, ROLE, Answers, Failure, config_rule, healthy, permission

PLACE = AccountRegion(ACCOUNT, REGION)
MEMBER, MANAGEMENT = "444455556666", "999900001111"
MEMBER_PLACE = AccountRegion(MEMBER, REGION)
PROBLEM, UNREAD, NOTICE, OK = CheckStatus.PROBLEM, CheckStatus.UNREAD, CheckStatus.NOTICE, CheckStatus.OK
AGGREGATOR = "alb-sg"
PRINCIPALS = (
    "config.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
)
DENIED = Failure("AccessDeniedException", "not allowed")


def account(account_id: str, status: str = "ACTIVE") -> dict[str, str]:
    return {"Id": account_id, "Name": account_id, "Status": status}


def instance(account_id: str, status: str = "CURRENT", **more: str) -> dict[str, str]:
    return {"Account": account_id, "Region": REGION, "Status": status, **more}


def services(*names: str) -> dict[str, Any]:
    return {"EnabledServicePrincipals": [{"ServicePrincipal": name} for name in names]}


def selected(rows_by_text: dict[str, list[str]]) -> Callable[[dict[str, Any]], Any]:
    """The rows of a query, by a text in it."""
    return lambda call: {
        "Results": next((rows for text, rows in rows_by_text.items() if text in call["Expression"]), [])
    }


def details(
    time: Any = RAN, places: tuple[AccountRegion, ...] = (PLACE, MEMBER_PLACE)
) -> Callable[[dict[str, Any]], Any]:
    def answer(call: dict[str, Any]) -> Any:
        place = AccountRegion(call["AccountId"], call["AwsRegion"])
        found = [evaluation("web", "COMPLIANT", account_region=place, time=time)] if place in places else []
        return {"AggregateEvaluationResults": found}

    return answer


def working() -> Answers:
    answers = healthy()
    answers["config", "DescribeConfigRules"] = {
        "ConfigRules": [config_rule(rule, ExecutionRoleName=ROLE) for rule in RULES]
    }
    answers["lambda", "GetPolicy"] = permission(ACCOUNT, MEMBER, MANAGEMENT)
    answers["organizations", "DescribeOrganization"] = {
        "Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": MANAGEMENT}
    }
    answers["organizations", "ListAWSServiceAccessForOrganization"] = services(*PRINCIPALS)
    answers["organizations", "ListDelegatedAdministrators"] = {"DelegatedAdministrators": [{"Id": ACCOUNT}]}
    answers["organizations", "ListAccounts"] = {
        "Accounts": [account(ACCOUNT), account(MEMBER), account(MANAGEMENT), account("777788889999", "SUSPENDED")]
    }
    answers["cloudformation", "ListStackSets"] = {
        "Summaries": [{"StackSetName": "alb-sg-member"}, {"StackSetName": "baseline"}]
    }
    answers["cloudformation", "ListStackInstances"] = {"Summaries": [instance(ACCOUNT), instance(MEMBER)]}
    answers["iam", "SimulatePrincipalPolicy"] = lambda call: {
        "EvaluationResults": [
            {"EvalActionName": "sts:AssumeRole", "EvalResourceName": arn, "EvalDecision": "allowed"}
            for arn in call["ResourceArns"]
        ]
    }
    places = (PLACE, MEMBER_PLACE)
    answers["config", "DescribeAggregateComplianceByConfigRules"] = {
        "AggregateComplianceByConfigRules": [
            aggregated_rule(rule, account_region=place) for rule in RULES for place in places
        ]
    }
    answers["config", "DescribeConfigurationAggregatorSourcesStatus"] = {
        "AggregatedSourceStatusList": [source(place) for place in (*places, AccountRegion(MANAGEMENT, REGION))]
    }
    answers["config", "SelectAggregateResourceConfig"] = selected(
        {
            "targetResourceId": [],
            "configurationStateId": [load_balancer("web", place) for place in places],
            "COUNT": [counted(place) for place in (*places, AccountRegion(MANAGEMENT, REGION))],
        }
    )
    answers["config", "GetAggregateComplianceDetailsByConfigRule"] = details()
    return answers


def checked(answers: Answers, *stack_sets: str) -> list[CheckResult]:
    return list(check_organization(Reader(answers.make_client), PLACE, AGGREGATOR, NOW, stack_sets))


@pytest.fixture(autouse=True)
def _one_call_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers take the parameters of the call that was made last."""
    monkeypatch.setattr("alb_sg.aws.calls.WORKERS", 1)


def test_a_working_organization_passes_every_check() -> None:
    results = checked(working())
    # It looks into no member account, and says so.
    [unchecked] = [result for result in results if result.status is not OK]
    assert (unchecked.check, unchecked.status) == ("member accounts", NOTICE)
    assert unchecked.found.startswith("not checked in 3 accounts: recorder and delivery, ")
    assert list(dict.fromkeys(result.check for result in results)) == [
        "trusted access",
        "delegated administrator",
        "StackSets",
        "functions",
        "version",
        "permission to invoke",
        "event age",
        "concurrency",
        "alarms",
        "failed events",
        "exemptions",
        "evaluation role",
        "aggregator coverage",
        "verdicts",
        "member accounts",
    ]


@pytest.mark.parametrize(
    "state_keys",
    [
        # AWS retires Status on September 9, 2026.
        ("State",),
        ("Status", "State"),
        # A botocore without State drops it: an account of an unknown state must not go unseen.
        (),
    ],
)
def test_accounts_count_whichever_way_their_state_is_named(state_keys: tuple[str, ...]) -> None:
    answers = working()
    answers["organizations", "ListAccounts"] = {
        "Accounts": [
            {"Id": found, "Name": found, **dict.fromkeys(state_keys, "ACTIVE")}
            for found in (ACCOUNT, MEMBER, MANAGEMENT)
        ]
    }
    answers["cloudformation", "ListStackInstances"] = {"Summaries": [instance(ACCOUNT)]}
    [result] = [result for result in checked(answers) if result.check == "StackSets"]
    assert (result.status, result.found) == (PROBLEM, f"1 account without it: {MEMBER}")


@pytest.mark.parametrize(
    ("call", "answer", "check", "status", "found"),
    [
        (
            ("organizations", "ListAWSServiceAccessForOrganization"),
            services(*PRINCIPALS[1:]),
            "trusted access",
            PROBLEM,
            "not enabled for config.amazonaws.com",
        ),
        (
            ("organizations", "ListDelegatedAdministrators"),
            lambda call: {
                "DelegatedAdministrators": [{"Id": ACCOUNT if call["ServicePrincipal"] == PRINCIPALS[0] else MEMBER}]
            },
            "delegated administrator",
            PROBLEM,
            f"this account is no delegated administrator; {MEMBER} is",
        ),
        (
            ("cloudformation", "ListStackSets"),
            {"Summaries": [{"StackSetName": "baseline"}]},
            "StackSets",
            PROBLEM,
            "there is no StackSet with alb-sg in its name",
        ),
        (
            ("cloudformation", "ListStackInstances"),
            {"Summaries": [instance(ACCOUNT)]},
            "StackSets",
            PROBLEM,
            f"1 account without it: {MEMBER}",
        ),
        (
            ("cloudformation", "ListStackInstances"),
            {"Summaries": [instance(ACCOUNT), instance(MEMBER, "OUTDATED", StatusReason="role exists")]},
            "StackSets",
            PROBLEM,
            f"1 instance not current: {MEMBER} {REGION} (OUTDATED: role exists)",
        ),
        (
            ("lambda", "GetPolicy"),
            permission(ACCOUNT, MANAGEMENT),
            "permission to invoke",
            PROBLEM,
            f"AWS Config may not invoke it for {MEMBER}",
        ),
        (
            ("iam", "SimulatePrincipalPolicy"),
            lambda call: {
                "EvaluationResults": [
                    {
                        "EvalActionName": "sts:AssumeRole",
                        "EvalResourceName": arn,
                        "EvalDecision": "implicitDeny" if MEMBER in arn else "allowed",
                    }
                    for arn in call["ResourceArns"]
                ]
            },
            "evaluation role",
            PROBLEM,
            f"its policies deny sts:AssumeRole on arn:aws:iam::{MEMBER}:role/{ROLE}",
        ),
        (
            ("config", "DescribeConfigRules"),
            {"ConfigRules": []},
            "evaluation role",
            NOTICE,
            "no rule of this account and region has ExecutionRoleName",
        ),
        (
            ("config", "DescribeConfigurationAggregatorSourcesStatus"),
            {"AggregatedSourceStatusList": [source(PLACE), source(MEMBER_PLACE)]},
            "aggregator coverage",
            PROBLEM,
            f"it does not collect from 1 account: {MANAGEMENT}",
        ),
        (
            ("config", "DescribeConfigurationAggregatorSourcesStatus"),
            {
                "AggregatedSourceStatusList": [
                    source(PLACE),
                    source(AccountRegion(MANAGEMENT, REGION)),
                    source(MEMBER_PLACE, "FAILED", "AccessDenied", "authorization is missing"),
                ]
            },
            "aggregator coverage",
            PROBLEM,
            "AccessDenied: authorization is missing",
        ),
        (
            ("config", "DescribeConfigurationAggregatorSourcesStatus"),
            {
                "AggregatedSourceStatusList": [
                    source(place)
                    for place in (
                        PLACE,
                        MEMBER_PLACE,
                        AccountRegion(MANAGEMENT, REGION),
                        AccountRegion(MEMBER, "eu-north-1"),
                    )
                ]
            },
            "aggregator coverage",
            NOTICE,
            f"it has nothing of 1 accounts and regions: {MEMBER} eu-north-1",
        ),
        (
            ("config", "GetAggregateComplianceDetailsByConfigRule"),
            details(NOW - timedelta(days=3)),
            "verdicts",
            PROBLEM,
            "2 accounts and regions with verdicts of more than two days ago",
        ),
    ],
)
def test_each_fault_is_found(call: tuple[str, str], answer: Any, check: str, status: CheckStatus, found: str) -> None:
    answers = working()
    answers[call] = answer
    results = [result for result in checked(answers) if result.check == check and result.status is not OK]
    assert results
    assert {result.status for result in results} == {status}
    assert found in results[0].found
    assert results[0].action


def test_a_rule_that_is_silent_in_an_account_is_found() -> None:
    answers = working()
    answers["config", "GetAggregateComplianceDetailsByConfigRule"] = details(places=(PLACE,))
    results = [result for result in checked(answers) if result.check == "verdicts"]
    assert [result.place for result in results[: len(RULES)]] == [f"{AGGREGATOR} {rule}" for rule in sorted(RULES)]
    assert f"1 error in {MEMBER} {REGION}" in results[0].found


def test_a_rule_that_is_not_deployed_in_an_account_is_found() -> None:
    answers = working()
    rules = answers["config", "DescribeAggregateComplianceByConfigRules"]["AggregateComplianceByConfigRules"]
    kept = [rule for rule in rules if (rule["ConfigRuleName"], rule["AccountId"]) != (INGRESS, MEMBER)]
    answers["config", "DescribeAggregateComplianceByConfigRules"] = {"AggregateComplianceByConfigRules": kept}
    [result] = [result for result in checked(answers) if result.check == "verdicts"]
    assert result.status is PROBLEM
    assert f"{MEMBER} {REGION} ({INGRESS})" in result.found


def test_an_aggregator_without_verdicts_is_no_passed_check() -> None:
    answers = working()
    answers["config", "DescribeAggregateComplianceByConfigRules"] = {"AggregateComplianceByConfigRules": []}
    answers["config", "SelectAggregateResourceConfig"] = {"Results": []}
    [result] = [result for result in checked(answers) if result.check == "verdicts"]
    assert (result.status, result.found) == (NOTICE, "the aggregator has no verdict on any load balancer")


def test_errors_of_the_aggregator_are_told_without_the_organization() -> None:
    answers = working()
    answers["organizations", "ListAccounts"] = DENIED
    answers["config", "DescribeAggregateComplianceByConfigRules"] = DENIED
    results = [result for result in checked(answers) if result.check == "aggregator coverage"]
    assert [result.status for result in results] == [UNREAD, PROBLEM]
    assert "DescribeAggregateComplianceByConfigRules: AccessDeniedException" in results[1].found


def test_the_simulation_gets_the_organization() -> None:
    """The functions' roles may assume roles of their organization only (aws:ResourceOrgID)."""
    answers = working()
    checked(answers)
    call = answers.parameters["SimulatePrincipalPolicy"]
    assert [entry["ContextKeyValues"] for entry in call["ContextEntries"]] == [["o-a1b2c3d4e5"]]
    assert f"arn:aws:iam::{MEMBER}:role/{ROLE}" in call["ResourceArns"]


@pytest.mark.parametrize(("management", "call_as"), [(MANAGEMENT, "DELEGATED_ADMIN"), (ACCOUNT, "SELF")])
def test_named_stack_sets_are_read_as_who_made_them(management: str, call_as: str) -> None:
    answers = working()
    organization = {"Id": "o-a1b2c3d4e5", "MasterAccountId": management}
    answers["organizations", "DescribeOrganization"] = {"Organization": organization}
    results = [result for result in checked(answers, "roles") if result.check == "StackSets"]
    assert [result.place for result in results] == [f"{PLACE} roles"]
    assert answers.parameters["ListStackInstances"] == {"StackSetName": "roles", "CallAs": call_as}
    assert "ListStackSets" not in answers.parameters


def test_there_is_no_such_aggregator() -> None:
    answers = working()
    missing = Failure("NoSuchConfigurationAggregatorException")
    answers["config", "DescribeConfigurationAggregatorSourcesStatus"] = missing
    with pytest.raises(InvalidInputError, match="no aggregator 'alb-sg'"):
        checked(answers)


@pytest.mark.slow
@pytest.mark.parametrize(
    "call", [*sorted(working().given.keys() - healthy().given.keys()), ("config", "DescribeConfigRules")]
)
def test_a_call_that_is_denied_is_no_passed_check(call: tuple[str, str]) -> None:
    answers = working()
    answers[call] = DENIED
    results = [result for result in checked(answers) if result.status in (PROBLEM, UNREAD)]
    assert any(f"{call[1]}: AccessDeniedException: not allowed" in result.found for result in results)


def test_every_call_is_declared_and_every_declared_action_is_called() -> None:
    answers = working()
    checked(answers)
    made = {f"{service}:{operation}" for service, operation in answers.calls}
    assert set(ORGANIZATION_ACTIONS) <= made <= {*ORGANIZATION_ACTIONS, *ACCOUNT_ACTIONS}
