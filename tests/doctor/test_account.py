"""The checks of an account and region: a working deployment passes all, and each fault is found by its check."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from alb_sg import __version__
from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.account import check_account
from alb_sg.doctor.check import CheckResult, CheckStatus
from alb_sg.doctor.functions import VERSION_TAG
from alb_sg.doctor.reader import ACCOUNT_ACTIONS, Reader
from tests.builders import ACCOUNT, INGRESS, REGION, RULES
from tests.doctor.answers import (
    ARN,
    CENTRAL,
    NOW,
    RAN,
    ROLE,
    Answers,
    Failure,
    alarm,
    alarms,
    config_rule,
    configuration,
    evaluation_status,
    function,
    function_name,
    healthy,
    member,
    permission,
    rule_of,
    trust,
    verdict,
)

PLACE = AccountRegion(ACCOUNT, REGION)
INGRESS_FUNCTION = function_name(INGRESS)
PROBLEM, UNREAD, NOTICE, OK = CheckStatus.PROBLEM, CheckStatus.UNREAD, CheckStatus.NOTICE, CheckStatus.OK
GONE = Failure("ResourceNotFoundException")
DENIED = Failure("AccessDeniedException", "not allowed")


def checked(answers: Answers) -> list[CheckResult]:
    return list(check_account(Reader(answers.make_client), PLACE, NOW))


def not_ok(results: list[CheckResult]) -> list[tuple[str, CheckStatus]]:
    return [(result.check, result.status) for result in results if result.status is not OK]


def test_a_working_deployment_passes_every_check() -> None:
    results = checked(healthy())
    assert not_ok(results) == []
    assert list(dict.fromkeys(result.check for result in results)) == [
        "recorder",
        "several recorders",
        "recorded types",
        "daily recording",
        "compliance history",
        "delivery",
        "rules",
        "last evaluation",
        "age of verdicts",
        "functions",
        "version",
        "permission to invoke",
        "event age",
        "concurrency",
        "alarms",
        "failed events",
        "exemptions",
    ]


def recorder(**changed: Any) -> dict[str, Any]:
    return {"name": "default", "recordingGroup": {"allSupported": True}, **changed}


def recorders(*found: dict[str, Any]) -> dict[str, Any]:
    return {"ConfigurationRecorders": list(found)}


def statuses(*found: dict[str, Any]) -> dict[str, Any]:
    return {"ConfigurationRecordersStatus": list(found)}


SERVICE_RECORDER = recorder(
    name="AWSConfigurationRecorderForInspector", servicePrincipal="inspector2.amazonaws.com", recordingScope="INTERNAL"
)
STATUS = ("config", "DescribeConfigurationRecorderStatus")
RUNNING = {"name": "default", "recording": True, "lastStatus": "SUCCESS"}


def excluding(*types: str) -> dict[str, Any]:
    return {
        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
        "exclusionByResourceTypes": {"resourceTypes": list(types)},
    }


def changes(**given: Any) -> Callable[[Answers], None]:
    """What makes an answer from the healthy one: `config__DescribeConfigRules={...}`."""

    def change(answers: Answers) -> None:
        for key, answer in given.items():
            service, _, operation = key.partition("__")
            answers[service, operation] = answer

    return change


def of_ingress(healthy_answer: Callable[[str], Any], broken: Any) -> Callable[[dict[str, Any]], Any]:
    """An answer by function name, broken for the function of one rule."""
    return lambda call: (
        broken if call["FunctionName"] == INGRESS_FUNCTION else healthy_answer(rule_of(call["FunctionName"]))
    )


def other_rules(found: Callable[[str], Any]) -> list[Any]:
    return [found(rule) for rule in RULES if rule != INGRESS]


def all_alarms(of_ingress_function: list[Any]) -> dict[str, Any]:
    return {"MetricAlarms": [one for rule in RULES if rule != INGRESS for one in alarms(rule)] + of_ingress_function}


@pytest.mark.parametrize(
    ("change", "check", "status", "found"),
    [
        (
            changes(config__DescribeConfigurationRecorders=recorders()),
            "recorder",
            PROBLEM,
            "there is no customer managed recorder",
        ),
        (
            changes(config__DescribeConfigurationRecorderStatus=statuses(RUNNING | {"recording": False})),
            "recorder",
            PROBLEM,
            "the recorder default is stopped",
        ),
        # A service-linked recorder that runs does not record for the customer's rules.
        (
            changes(
                config__DescribeConfigurationRecorders=recorders(recorder(), SERVICE_RECORDER),
                config__DescribeConfigurationRecorderStatus=statuses(
                    RUNNING | {"recording": False}, {"name": SERVICE_RECORDER["name"], "recording": True}
                ),
            ),
            "recorder",
            PROBLEM,
            "the recorder default is stopped",
        ),
        (
            changes(
                config__DescribeConfigurationRecorderStatus=statuses(
                    RUNNING | {"lastStatus": "FAILURE", "lastErrorCode": "AccessDenied", "lastErrorMessage": "bucket"}
                )
            ),
            "recorder",
            PROBLEM,
            "the recorder default fails: AccessDenied: bucket",
        ),
        (
            changes(config__DescribeConfigurationRecorders=recorders(recorder(), SERVICE_RECORDER)),
            "several recorders",
            NOTICE,
            "beside 1 customer managed recorder, AWS services have AWSConfigurationRecorderForInspector",
        ),
        (
            changes(
                config__DescribeConfigurationRecorders=recorders(
                    recorder(recordingGroup=excluding("AWS::EC2::SecurityGroup"))
                )
            ),
            "recorded types",
            PROBLEM,
            "not recorded: AWS::EC2::SecurityGroup",
        ),
        # Not every region records it.
        (
            changes(
                config__DescribeConfigurationRecorders=recorders(
                    recorder(recordingGroup=excluding("AWS::EC2::PrefixList"))
                )
            ),
            "recorded types",
            NOTICE,
            "not recorded: AWS::EC2::PrefixList",
        ),
        (
            changes(
                config__DescribeConfigurationRecorders=recorders(
                    recorder(
                        recordingMode={
                            "recordingFrequency": "CONTINUOUS",
                            "recordingModeOverrides": [
                                {"resourceTypes": ["AWS::EC2::SecurityGroup"], "recordingFrequency": "DAILY"}
                            ],
                        }
                    )
                )
            ),
            "daily recording",
            NOTICE,
            "recorded daily: AWS::EC2::SecurityGroup",
        ),
        (
            changes(
                config__DescribeConfigurationRecorders=recorders(
                    recorder(recordingGroup=excluding("AWS::Config::ResourceCompliance"))
                )
            ),
            "compliance history",
            NOTICE,
            "AWS::Config::ResourceCompliance is not recorded",
        ),
        (
            changes(config__DescribeDeliveryChannelStatus={"DeliveryChannelsStatus": []}),
            "delivery",
            PROBLEM,
            "there is no delivery channel",
        ),
        (
            changes(
                config__DescribeDeliveryChannelStatus={
                    "DeliveryChannelsStatus": [
                        {
                            "name": "default",
                            "configHistoryDeliveryInfo": {"lastStatus": "Failure", "lastErrorCode": "AccessDenied"},
                        }
                    ]
                }
            ),
            "delivery",
            PROBLEM,
            "the channel default does not deliver history (AccessDenied)",
        ),
        (
            changes(
                config__DescribeConfigRules={"ConfigRules": other_rules(config_rule)},
            ),
            "rules",
            NOTICE,
            f"{INGRESS} not deployed",
        ),
        (
            changes(
                config__DescribeConfigRules={
                    "ConfigRules": [*other_rules(config_rule), config_rule(INGRESS) | {"ConfigRuleState": "DELETING"}]
                }
            ),
            "rules",
            PROBLEM,
            "is DELETING",
        ),
        (
            changes(
                config__DescribeConfigRuleEvaluationStatus={
                    "ConfigRulesEvaluationStatus": [
                        *other_rules(evaluation_status),
                        evaluation_status(
                            INGRESS,
                            LastFailedInvocationTime=RAN + timedelta(minutes=1),
                            LastErrorCode="AccessDenied",
                            LastErrorMessage="Lambda",
                        ),
                    ]
                }
            ),
            "last evaluation",
            PROBLEM,
            "failed at 2027-01-31 05:01 UTC: AccessDenied: Lambda",
        ),
        (
            changes(
                config__DescribeConfigRuleEvaluationStatus={
                    "ConfigRulesEvaluationStatus": [
                        *other_rules(evaluation_status),
                        evaluation_status(INGRESS, LastSuccessfulInvocationTime=NOW - timedelta(hours=49)),
                    ]
                }
            ),
            "last evaluation",
            PROBLEM,
            "it ran last at 2027-01-29 07:00 UTC, more than two periods ago",
        ),
        (
            changes(
                config__DescribeConfigRuleEvaluationStatus={
                    "ConfigRulesEvaluationStatus": other_rules(evaluation_status)
                }
            ),
            "last evaluation",
            PROBLEM,
            "it has never run",
        ),
        (
            changes(
                config__GetComplianceDetailsByConfigRule=lambda call: {
                    "EvaluationResults": [verdict(NOW - timedelta(hours=49)), verdict()]
                    if call["ConfigRuleName"].startswith(INGRESS)
                    else [verdict()]
                }
            ),
            "age of verdicts",
            PROBLEM,
            f"1 of 2 verdicts older than two periods; the oldest, of {ARN}, is of 2027-01-29 07:00 UTC",
        ),
        (
            changes(
                config__GetComplianceDetailsByConfigRule=lambda call: {
                    "EvaluationResults": [] if call["ConfigRuleName"].startswith(INGRESS) else [verdict()]
                }
            ),
            "age of verdicts",
            NOTICE,
            "it has no verdict",
        ),
        (
            changes(
                lambda__ListFunctions={"Functions": other_rules(configuration)},
                lambda__GetFunction=of_ingress(function, GONE),
            ),
            "functions",
            PROBLEM,
            "a rule names it, and it does not exist",
        ),
        (
            changes(
                lambda__GetFunction=of_ingress(
                    function,
                    {
                        "Configuration": configuration(INGRESS, State="Failed", StateReason="subnet deleted"),
                        "Tags": {VERSION_TAG: __version__},
                    },
                )
            ),
            "functions",
            PROBLEM,
            "State is Failed: subnet deleted",
        ),
        (
            changes(
                lambda__GetFunction=of_ingress(
                    function,
                    {
                        "Configuration": configuration(INGRESS, CodeSha256="older"),
                        "Tags": {VERSION_TAG: __version__},
                    },
                )
            ),
            "version",
            PROBLEM,
            "5 functions with 2 different codes",
        ),
        (
            changes(
                lambda__GetFunction=lambda call: function(rule_of(call["FunctionName"]), Tags={VERSION_TAG: "0.0.9"})
            ),
            "version",
            NOTICE,
            f"version 0.0.9; this command is {__version__}",
        ),
        (
            changes(lambda__GetPolicy=of_ingress(lambda _: permission(ACCOUNT), permission(CENTRAL))),
            "permission to invoke",
            PROBLEM,
            f"AWS Config may not invoke it for {ACCOUNT}",
        ),
        (
            changes(
                lambda__GetPolicy=of_ingress(
                    lambda _: permission(ACCOUNT), permission(ACCOUNT, principal="events.amazonaws.com")
                )
            ),
            "permission to invoke",
            PROBLEM,
            "AWS Config may not invoke it",
        ),
        (
            changes(lambda__GetPolicy=of_ingress(lambda _: permission(ACCOUNT), GONE)),
            "permission to invoke",
            PROBLEM,
            "it has no resource policy",
        ),
        (
            changes(lambda__GetFunctionEventInvokeConfig=of_ingress(lambda _: GONE, {"MaximumEventAgeInSeconds": 60})),
            "event age",
            NOTICE,
            "Lambda drops an event after 60 seconds",
        ),
        (
            changes(
                lambda__GetFunction=of_ingress(
                    function, function(INGRESS, Concurrency={"ReservedConcurrentExecutions": 0})
                )
            ),
            "concurrency",
            PROBLEM,
            f"{INGRESS_FUNCTION} reserved 0 and never run",
        ),
        # A new account.
        (
            changes(
                lambda__GetAccountSettings={
                    "AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
                }
            ),
            "concurrency",
            PROBLEM,
            "the account's quota is 10, of which 10 are unreserved; 5 functions without reserved concurrency use them",
        ),
        (
            changes(cloudwatch__DescribeAlarms=all_alarms([])),
            "alarms",
            PROBLEM,
            "no alarm on failed invocations, throttled ones, dropped events, silence, the failed-event queue",
        ),
        (
            changes(
                cloudwatch__DescribeAlarms=all_alarms([*alarms(INGRESS), alarm(INGRESS, "Errors", StateValue="ALARM")])
            ),
            "alarms",
            PROBLEM,
            f"ringing: {INGRESS_FUNCTION}-Errors",
        ),
        (
            changes(cloudwatch__DescribeAlarms=all_alarms([one | {"AlarmActions": []} for one in alarms(INGRESS)])),
            "alarms",
            NOTICE,
            "5 alarms notify nobody",
        ),
        (
            changes(
                lambda__GetFunction=of_ingress(
                    function,
                    {
                        "Configuration": {
                            key: value for key, value in configuration(INGRESS).items() if key != "DeadLetterConfig"
                        },
                        "Tags": {VERSION_TAG: __version__},
                    },
                )
            ),
            "failed events",
            PROBLEM,
            "it has no failed-event queue",
        ),
        (
            changes(
                config__DescribeConfigRules={
                    "ConfigRules": [*other_rules(config_rule), config_rule(INGRESS, Exemptions="ssm:/alb-sg")]
                },
                ssm__GetParameter={"Parameter": {"Value": json.dumps({"version": 1, "exemptions": [{}]})}},
            ),
            "exemptions",
            PROBLEM,
            "1 malformed exemption, the first at",
        ),
        (
            changes(
                config__DescribeConfigRules={
                    "ConfigRules": [*other_rules(config_rule), config_rule(INGRESS, Exemptions="ssm:/alb-sg")]
                },
                ssm__GetParameter={"Parameter": {"Value": "{"}},
            ),
            "exemptions",
            PROBLEM,
            "ssm:/alb-sg",
        ),
        (
            changes(
                config__DescribeConfigRules={
                    "ConfigRules": [*other_rules(config_rule), config_rule(INGRESS, Exemptions="ssm:/alb-sg")]
                },
                ssm__GetParameter=Failure("ParameterNotFound"),
            ),
            "exemptions",
            UNREAD,
            "not read: GetParameter: ParameterNotFound",
        ),
    ],
)
def test_each_fault_is_found(change: Callable[[Answers], None], check: str, status: CheckStatus, found: str) -> None:
    answers = healthy()
    change(answers)
    [result] = [result for result in checked(answers) if result.check == check and result.status is not OK]
    assert result.status is status
    assert found in result.found
    assert result.why
    assert result.action


def test_events_in_the_failed_queue() -> None:
    answers = healthy()
    answers["sqs", "GetQueueAttributes"] = {"Attributes": {"ApproximateNumberOfMessages": "2"}}
    results = [result for result in checked(answers) if result.status is not OK]
    assert [result.check for result in results] == ["failed events"] * len(RULES)
    assert "holds 2 events" in results[0].found
    assert "replay" in results[0].action


def test_a_stopped_recorder_says_nothing_of_recorded_types() -> None:
    answers = healthy()
    answers[STATUS] = statuses(RUNNING | {"recording": False})
    assert not_ok(checked(answers)) == [("recorder", PROBLEM), ("recorded types", PROBLEM)]


def test_an_account_without_rules() -> None:
    answers = healthy()
    answers["config", "DescribeConfigRules"] = {"ConfigRules": [config_rule("restricted-ssh")]}
    answers["lambda", "ListFunctions"] = {"Functions": []}
    assert not_ok(checked(answers)) == [("rules", PROBLEM)]


def test_verdicts_from_recordings_may_keep_their_time() -> None:
    answers = healthy()
    answers["config", "DescribeConfigRules"] = {"ConfigRules": [config_rule(rule, Source="config") for rule in RULES]}
    answers["config", "GetComplianceDetailsByConfigRule"] = {"EvaluationResults": [verdict(NOW - timedelta(days=90))]}
    assert not_ok(checked(answers)) == []


def test_a_permission_for_every_account_is_enough() -> None:
    answers = healthy()
    statement = {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "lambda:InvokeFunction"}
    answers["lambda", "GetPolicy"] = {"Policy": json.dumps({"Statement": [statement]})}
    assert not_ok(checked(answers)) == []


def test_functions_of_another_account_are_checked_there() -> None:
    results = checked(member())
    assert not_ok(results) == [("functions", NOTICE)]
    assert [result.found for result in results if result.check == "evaluation role"] == [
        f"the role trusts account {CENTRAL}, which has the functions"
    ]


@pytest.mark.parametrize(
    ("answer", "status", "found"),
    [
        (Failure("NoSuchEntity"), PROBLEM, "the role does not exist"),
        (DENIED, UNREAD, "not read: GetRole: AccessDeniedException"),
        (trust("999988887777"), PROBLEM, f"the role does not trust account {CENTRAL}"),
    ],
)
def test_the_role_that_functions_assume(answer: Any, status: CheckStatus, found: str) -> None:
    answers = member()
    if isinstance(answer, str):
        role = answers["iam", "GetRole"]["Role"] | {"AssumeRolePolicyDocument": answer}
        answer = {"Role": role}
    answers["iam", "GetRole"] = answer
    [result] = [result for result in checked(answers) if result.check == "evaluation role"]
    assert result.place == f"{PLACE} {ROLE}"
    assert (result.status, found in result.found) == (status, True)


@pytest.mark.parametrize("call", sorted(healthy().given))
def test_a_call_that_is_denied_is_a_result_and_stops_no_other_check(call: tuple[str, str]) -> None:
    answers = member() if call[0] == "iam" else healthy()
    answers[call] = DENIED
    results = checked(answers)
    unread = [result for result in results if result.status is UNREAD]
    assert unread
    assert all(f"{call[1]}: AccessDeniedException: not allowed" in result.found for result in unread)
    assert {result.check for result in results if result.status is OK} - {result.check for result in unread}


def test_every_call_is_declared_and_every_declared_action_is_called() -> None:
    made: set[tuple[str, str]] = set()
    for answers in (healthy(), member()):
        checked(answers)
        made |= set(answers.calls)
    services = {"lambda": "lambda", "config": "config", "cloudwatch": "cloudwatch", "sqs": "sqs", "iam": "iam"}
    assert {f"{services[service]}:{operation}" for service, operation in made} == set(ACCOUNT_ACTIONS)
    assert not [
        action for action in ACCOUNT_ACTIONS if not action.partition(":")[2].startswith(("Describe", "Get", "List"))
    ]
