"""What AWS Config holds of a rule: calls that answer as the API may, and as it should not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from alb_sg.aws.clients import make_client
from alb_sg.aws.pages import UnexpectedAnswerError
from alb_sg.config_rule import evaluations
from alb_sg.config_rule.evaluations import FailedEvaluation, RecordedResult, put_evaluations, recorded_results
from tests.builders import ICMP, REGION

Shape = dict[str, Any]
TIME = datetime(2026, 5, 1, tzinfo=UTC)


def client(answer: Callable[[Shape], Shape]) -> Any:
    """A client of AWS Config whose calls are answered by a function of their parameters."""
    made = make_client("config", REGION)

    def remember(params: Shape, context: Shape, **_: Any) -> None:
        context["given"] = dict(params)

    def respond(context: Shape, **_: Any) -> tuple[Any, Shape]:
        found = answer(context["given"])
        status = 400 if "Error" in found else 200
        return SimpleNamespace(status_code=status), {**found, "ResponseMetadata": {}}

    made.meta.events.register("before-parameter-build.*", remember)
    made.meta.events.register("before-call.*", respond)
    return made


def evaluation(resource_id: str) -> Shape:
    return {
        "ComplianceResourceType": "type",
        "ComplianceResourceId": resource_id,
        "ComplianceType": "COMPLIANT",
        "OrderingTimestamp": "2026-05-01T00:00:00.000Z",
    }


def result(**changes: Any) -> Shape:
    qualifier = {"ConfigRuleName": ICMP, "ResourceType": "type", "ResourceId": "one"} | changes
    return {
        "EvaluationResultIdentifier": {"EvaluationResultQualifier": qualifier, "OrderingTimestamp": TIME},
        "ComplianceType": "COMPLIANT",
        "Annotation": "open",
    }


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def test_an_accepted_evaluation_is_not_put_again(pauses: list[float]) -> None:
    sent: list[Shape] = []

    def answer(given: Shape) -> Shape:
        sent.append(given)
        # The answer has a datetime in place of the time that was sent.
        returned = [{**one, "OrderingTimestamp": TIME} for one in given["Evaluations"]]
        return {"FailedEvaluations": [one for one in returned if one["ComplianceResourceId"] == "two"]}

    failed = put_evaluations(client(answer), [evaluation("one"), evaluation("two")], "token")
    assert failed == [FailedEvaluation("two", "PutEvaluations: AWS Config did not take it in 4 attempts")]
    assert [one["Evaluations"] for one in sent] == [[evaluation("one"), evaluation("two")], *[[evaluation("two")]] * 3]
    # No pause after the last.
    assert pauses == [0.2, 0.8, 3.0]


@pytest.mark.parametrize("returned", [{}, {"FailedEvaluations": None}, {"FailedEvaluations": []}])
def test_an_answer_without_failures_takes_all(returned: Shape, pauses: list[float]) -> None:
    assert put_evaluations(client(lambda _: returned), [evaluation("one")], "token") == []
    assert pauses == []


def test_one_of_the_same_id_and_another_type_is_another(pauses: list[float]) -> None:
    other = {**evaluation("one"), "ComplianceResourceType": "other"}
    sent: list[Any] = []

    def answer(given: Shape) -> Shape:
        sent.append(given["Evaluations"])
        return {"FailedEvaluations": [{**other, "OrderingTimestamp": TIME}] if len(sent) == 1 else []}

    assert put_evaluations(client(answer), [evaluation("one"), other], "token") == []
    assert sent[1] == [other]


def test_one_that_was_never_sent_is_a_failure_all_the_same(pauses: list[float]) -> None:
    stranger = {"ComplianceResourceId": "stranger"}
    failed = put_evaluations(client(lambda _: {"FailedEvaluations": [stranger]}), [evaluation("one")], "token")
    assert len(failed) == 1
    assert failed[0].resource_id == "stranger"


@pytest.mark.parametrize("returned", [{"FailedEvaluations": ["one"]}, {"FailedEvaluations": 3}])
def test_an_answer_of_another_shape_is_a_failure_of_all(returned: Shape, pauses: list[float]) -> None:
    failed = put_evaluations(client(lambda _: returned), [evaluation("one"), evaluation("two")], "token")
    assert [one.resource_id for one in failed] == ["one", "two"]
    assert all("PutEvaluations" in one.cause for one in failed)


def test_a_later_batch_is_put_after_a_refused_one(pauses: list[float]) -> None:
    many = [evaluation(f"{number:03}") for number in range(evaluations.BATCH_SIZE + 1)]

    def answer(given: Shape) -> Shape:
        refused = len(given["Evaluations"]) == evaluations.BATCH_SIZE
        return {"Error": {"Code": "AccessDeniedException", "Message": "no"}} if refused else {}

    failed = put_evaluations(client(answer), many, "token")
    assert [one.resource_id for one in failed] == [f"{number:03}" for number in range(evaluations.BATCH_SIZE)]
    assert {one.cause for one in failed} == {"PutEvaluations: AccessDeniedException: no"}


def test_results_with_what_the_api_may_leave_out() -> None:
    bare = result(ResourceId="two")
    del bare["ComplianceType"], bare["Annotation"], bare["EvaluationResultIdentifier"]["OrderingTimestamp"]
    asked: list[Shape] = []

    def answer(given: Shape) -> Shape:
        asked.append(given)
        return {"EvaluationResults": [result(), bare]}

    assert recorded_results(client(answer), ICMP) == [
        RecordedResult("type", "one", "COMPLIANT", "open", TIME),
        RecordedResult("type", "two", "", "", None),
    ]
    # What does not apply is nothing that could be cleared.
    [given] = asked
    assert given == {"ConfigRuleName": ICMP, "ComplianceTypes": ["COMPLIANT", "NON_COMPLIANT"], "Limit": 100}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"EvaluationResults": None},
        {"EvaluationResults": [None]},
        {"EvaluationResults": [{}]},
        {"EvaluationResults": [result(ResourceId=None)]},
        {"EvaluationResults": [result(ResourceType=3)]},
    ],
)
def test_an_answer_that_is_none_of_the_apis_names_the_call(answer: Shape) -> None:
    with pytest.raises(UnexpectedAnswerError, match="GetComplianceDetailsByConfigRule"):
        recorded_results(client(lambda _: answer), ICMP)


def test_a_refusal_passes() -> None:
    refused = {"Error": {"Code": "NoSuchConfigRuleException", "Message": "no"}}
    with pytest.raises(ClientError, match="NoSuchConfigRuleException"):
        recorded_results(client(lambda _: refused), ICMP)
