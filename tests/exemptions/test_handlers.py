"""Exemptions in the rules' real `lambda_handler` on an embedded AWS: from S3 and from Systems Manager."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from alb_sg.config_rule import evaluate, evaluations
from alb_sg.errors import IncompleteEvaluationError, InvalidInputError
from alb_sg.estate.resource_types import LISTENER_TYPE, LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE
from alb_sg.exemptions import aws_document as reader
from alb_sg.exemptions.location import S3Object, SsmParameter
from embedded_aws.account import ACCOUNT_ID, REGION
from tests.builders import UNUSED
from tests.config_rule.test_handlers import ICMP_RULE, INSTANCE_RULE, LISTENER_RULE, Shop, error_lines
from tests.exemptions.entries import FAR_AHEAD, LONG_AGO, document, entry
from tests.rules import RULE_NAMES, rule_module

pytestmark = pytest.mark.slow

BUCKET, KEY = "governance", "alb-sg/exemptions.json"
OBJECT = f"s3://{BUCKET}/{KEY}"
PARAMETER = "ssm:/alb-sg/exemptions"
READS = {OBJECT: "GetObject", PARAMETER: "GetParameter"}


class Governed(Shop):
    """A shop whose function may read exemptions."""

    def keep(self, content: Any, at: str = OBJECT) -> None:
        """Puts a document, or bytes that are none, where the parameter `Exemptions` will say."""
        if at == OBJECT:
            s3 = boto3.client("s3", REGION)
            s3.create_bucket(Bucket=BUCKET)
            s3.put_object(Bucket=BUCKET, Key=KEY, Body=content if isinstance(content, bytes) else json.dumps(content))
        else:
            value = content.decode() if isinstance(content, bytes) else json.dumps(content)
            boto3.client("ssm", REGION).put_parameter(Name="/alb-sg/exemptions", Value=value, Type="String")

    def exempt(self, rule: str, at: str = OBJECT, **changes: Any) -> None:
        self.keep(document(self.entry(rule=rule, **changes)), at)

    def entry(self, **changes: Any) -> dict[str, Any]:
        return entry(**({"loadBalancer": self.web, "rule": ICMP_RULE, "expires": FAR_AHEAD} | changes))

    def judge(self, rule: str, at: str = OBJECT) -> None:
        self.run(rule, self.scheduled_event(rule, {"Exemptions": at}))

    def annotation(self, resource_id: str) -> str:
        return next(
            found.annotation or ""
            for found in self.config.accepted_evaluations[::-1]
            if found.resource_id == resource_id
        )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Governed]:
    monkeypatch.setattr(evaluations, "RETRY_PAUSES", (0, 0))
    with Governed() as shop:
        shop.build()
        yield shop


@pytest.mark.parametrize("rule", RULE_NAMES)
@pytest.mark.parametrize("at", [OBJECT, PARAMETER])
def test_an_exempted_load_balancer_is_not_applicable_and_the_others_are_judged(
    aws: Governed, rule: str, at: str
) -> None:
    other = aws.load_balancer("other", aws.subnet_ids, [aws.group])
    aws.listener(other, 443, aws.targets_of("other"))
    aws.exempt(rule, at)
    aws.judge(rule, at)
    # Nothing is unused where the group is open on port 80 alone, which `web` listens on.
    other_verdict = "COMPLIANT" if rule == UNUSED else "NON_COMPLIANT"
    assert dict(aws.recorded()) == {aws.web: "NOT_APPLICABLE", other: other_verdict}
    would_be = "COMPLIANT" if rule in (LISTENER_RULE, UNUSED) else "NON_COMPLIANT"
    said = aws.annotation(aws.web)
    assert said.startswith(f"exempt until {FAR_AHEAD} by team-edge (SEC-12): moves to another VPC; would be {would_be}")
    assert "exempt" not in aws.annotation(other)


def test_an_exemption_is_from_one_rule_alone(aws: Governed) -> None:
    aws.exempt(ICMP_RULE)
    aws.judge(INSTANCE_RULE)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}


def test_a_verdict_recorded_before_is_cleared_by_the_exemption_and_back_after_it(aws: Governed) -> None:
    aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE))
    assert aws.verdicts(ICMP_RULE) == {aws.web: "NON_COMPLIANT"}
    aws.exempt(ICMP_RULE)
    aws.judge(ICMP_RULE)
    assert aws.verdicts(ICMP_RULE) == {}
    aws.exempt(ICMP_RULE, expires=LONG_AGO)
    aws.judge(ICMP_RULE)
    assert aws.verdicts(ICMP_RULE) == {aws.web: "NON_COMPLIANT"}


@pytest.mark.parametrize("at", [OBJECT, PARAMETER])
def test_exemptions_are_read_once_whatever_is_judged(aws: Governed, at: str) -> None:
    for number in range(3):
        aws.load_balancer(f"lb-{number}", aws.subnet_ids, [aws.group])
    aws.exempt(ICMP_RULE, at)
    parameters = {"Exemptions": at}
    for event in (
        aws.scheduled_event(ICMP_RULE, parameters),
        aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, aws.group, parameters),
        aws.change_event(ICMP_RULE, LISTENER_TYPE, aws.web_80, parameters),
        aws.change_event(ICMP_RULE, LOAD_BALANCER_TYPE, aws.web, parameters, oversized=True),
    ):
        aws.faults.calls.clear()
        aws.run(ICMP_RULE, event)
        assert aws.faults.calls.count(READS[at]) == 1
        assert dict(aws.recorded())[aws.web] == "NOT_APPLICABLE"


def test_exemptions_are_not_read_without_load_balancers(aws: Governed) -> None:
    unused = aws.security_group(aws.vpc_id, "unused")
    aws.exempt(ICMP_RULE)
    aws.faults.calls.clear()
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, unused, {"Exemptions": OBJECT}))
    gone = aws.change_event(ICMP_RULE, LOAD_BALANCER_TYPE, aws.web, {"Exemptions": OBJECT}, status="ResourceDeleted")
    aws.run(ICMP_RULE, gone)
    assert "GetObject" not in aws.faults.calls


def test_the_generated_role_allows_exactly_the_calls_made() -> None:
    calls = {S3Object: READS[OBJECT], SsmParameter: READS[PARAMETER]}
    assert {kind: action.split(":")[1] for kind, action in reader.READ_ACTIONS.items()} == calls


@pytest.mark.parametrize(
    ("today", "compliance"),
    [(date(2027, 1, 30), "NOT_APPLICABLE"), (date(2027, 1, 31), "NOT_APPLICABLE"), (date(2027, 2, 1), "NON_COMPLIANT")],
)
def test_an_exemption_counts_through_its_last_day(aws: Governed, today: date, compliance: str) -> None:
    aws.exempt(ICMP_RULE, expires="2027-01-31")
    rule = getattr(rule_module(ICMP_RULE), ICMP_RULE)(today)
    evaluate(rule, aws.scheduled_event(ICMP_RULE, {"Exemptions": OBJECT}), None)
    assert dict(aws.recorded()) == {aws.web: compliance}


def test_an_expired_exemption_hides_nothing_and_says_so(aws: Governed) -> None:
    aws.exempt(ICMP_RULE, expires=LONG_AGO)
    aws.judge(ICMP_RULE)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}
    assert aws.annotation(aws.web) == (
        f"ICMP type 3 code 4 not open to 0.0.0.0/0 in {aws.group}; exemption expired {LONG_AGO} (SEC-12)"
    )


def test_an_exemption_that_lasts_longer_than_allowed_hides_nothing(
    aws: Governed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deployment says how long, and not the writer of the document."""
    monkeypatch.setenv("ALB_SG_MAX_EXEMPTION_DAYS", "90")
    aws.exempt(ICMP_RULE)
    with pytest.raises(IncompleteEvaluationError, match="more than 90 days ahead; the last day allowed is"):
        aws.judge(ICMP_RULE)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}
    [line] = error_lines(capsys)
    assert "exemptions[…].expires" in f"{line['what']}: {line['cause']}"


def test_an_exemption_within_the_longest_time_counts(aws: Governed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALB_SG_MAX_EXEMPTION_DAYS", "90")
    last = datetime.now(UTC).date() + timedelta(days=90)
    aws.exempt(ICMP_RULE, expires=last.isoformat())
    aws.judge(ICMP_RULE)
    assert dict(aws.recorded()) == {aws.web: "NOT_APPLICABLE"}


def test_the_functions_account_must_own_the_bucket(aws: Governed) -> None:
    """Somebody else may have taken the name of a bucket that was deleted."""
    aws.exempt(ICMP_RULE)
    context = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:{REGION}:999999999999:function:alb-sg-icmp-pmtud")
    rule_module(ICMP_RULE).lambda_handler(aws.scheduled_event(ICMP_RULE, {"Exemptions": OBJECT}), context)
    [headers] = [headers for name, headers in aws.faults.headers if name == "GetObject"]
    assert "'x-amz-expected-bucket-owner': '999999999999'" in headers


def test_an_exempted_load_balancer_that_cannot_be_judged_is_no_error(aws: Governed) -> None:
    aws.exempt(INSTANCE_RULE)
    aws.faults.fail("DescribeTargetHealth", "AccessDenied")
    aws.judge(INSTANCE_RULE)
    assert dict(aws.recorded()) == {aws.web: "NOT_APPLICABLE"}
    assert "could not be judged: targets of web" in aws.annotation(aws.web)


def test_an_expired_exemption_hides_no_error(aws: Governed, capsys: pytest.CaptureFixture[str]) -> None:
    aws.exempt(INSTANCE_RULE, expires=LONG_AGO)
    aws.faults.fail("DescribeTargetHealth", "AccessDenied")
    with pytest.raises(IncompleteEvaluationError):
        aws.judge(INSTANCE_RULE)
    assert aws.recorded() == []
    (line,) = error_lines(capsys)
    assert line["loadBalancerArn"] == aws.web
    assert line["cause"].endswith(f"exemption expired {LONG_AGO} (SEC-12)")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": None}, "exemptions[0].reason"),
        ({"owner": None}, "exemptions[0].owner"),
        ({"ticket": ""}, "exemptions[0].ticket"),
        ({"expires": None}, "exemptions[0].expires"),
        ({"expires": "soon"}, "exemptions[0].expires"),
        ({"loadBalancer": "*"}, "exemptions[0].loadBalancer"),
        ({"rule": "ALL"}, "exemptions[0].rule"),
    ],
)
def test_a_malformed_exemption_hides_nothing_and_says_so(
    aws: Governed, changes: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    second = aws.load_balancer("second", aws.subnet_ids, [aws.group])
    aws.keep(document(aws.entry(**changes), aws.entry(loadBalancer=second)))
    with pytest.raises(IncompleteEvaluationError, match=f"1 error.*{said.partition('.')[2]}"):
        aws.judge(ICMP_RULE)
    # Recorded all the same, and the exemption that is in order counts.
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT", second: "NOT_APPLICABLE"}
    (line,) = error_lines(capsys)
    assert line["what"] == f"{said} in {OBJECT}"
    assert "hides nothing" in line["cause"]


def test_two_exemptions_of_one_load_balancer_from_one_rule_hide_nothing(aws: Governed) -> None:
    aws.keep(document(aws.entry(), aws.entry(expires=LONG_AGO)))
    with pytest.raises(IncompleteEvaluationError, match="2 errors"):
        aws.judge(ICMP_RULE)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": LISTENER_RULE},
        {"loadBalancer": "arn:aws:elasticloadbalancing:us-east-1:000000000001:loadbalancer/app/a/1"},
    ],
)
def test_a_malformed_exemption_of_another_account_changes_nothing_here(aws: Governed, changes: dict[str, str]) -> None:
    aws.keep(document(aws.entry(owner=None, **changes), aws.entry()))
    aws.judge(ICMP_RULE)
    assert dict(aws.recorded()) == {aws.web: "NOT_APPLICABLE"}


def denied(aws: Governed) -> None:
    aws.exempt(ICMP_RULE)
    aws.faults.fail("GetObject", "AccessDenied")


def no_object(aws: Governed) -> None:
    boto3.client("s3", REGION).create_bucket(Bucket=BUCKET)


def no_bucket(aws: Governed) -> None:
    pass


def too_large(aws: Governed) -> None:
    aws.keep(b" " * (reader.MAX_OBJECT_SIZE + 1))


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (denied, "GetObject: AccessDenied"),
        (no_object, "NoSuchKey"),
        (no_bucket, "NoSuchBucket"),
        (too_large, "bytes"),
        (lambda aws: aws.keep(b"\xff\xfe"), "not UTF-8"),
        (lambda aws: aws.keep(b""), "not JSON"),
        (lambda aws: aws.keep(b"{"), "not JSON"),
        (lambda aws: aws.keep([]), "an object was expected"),
        (lambda aws: aws.keep({"version": 2, "exemptions": []}), "version"),
        (lambda aws: aws.keep({"version": 1}), "a list of exemptions"),
    ],
)
def test_an_unreadable_document_exempts_nothing_and_fails_the_invocation(
    aws: Governed, prepare: Callable[[Governed], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(aws)
    with pytest.raises(IncompleteEvaluationError, match=OBJECT):
        aws.judge(ICMP_RULE)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}
    (line,) = error_lines(capsys)
    assert line["what"] == f"exemptions in {OBJECT}"
    assert said in line["cause"]
    assert line["cause"].endswith("no exemption applies")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_an_unreadable_parameter_exempts_nothing(aws: Governed, code: str) -> None:
    aws.exempt(ICMP_RULE, PARAMETER)
    aws.faults.fail("GetParameter", code)
    with pytest.raises(IncompleteEvaluationError, match=code):
        aws.judge(ICMP_RULE, PARAMETER)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}


def test_a_missing_parameter_exempts_nothing(aws: Governed) -> None:
    with pytest.raises(IncompleteEvaluationError, match="ParameterNotFound"):
        aws.judge(ICMP_RULE, PARAMETER)
    assert dict(aws.recorded()) == {aws.web: "NON_COMPLIANT"}


def test_an_encrypted_parameter_is_read(aws: Governed) -> None:
    value = json.dumps(document(aws.entry()))
    boto3.client("ssm", REGION).put_parameter(Name="/alb-sg/exemptions", Value=value, Type="SecureString")
    aws.judge(ICMP_RULE, PARAMETER)
    assert dict(aws.recorded()) == {aws.web: "NOT_APPLICABLE"}


def test_a_location_that_does_not_parse_is_refused_before_any_call(aws: Governed) -> None:
    event = aws.scheduled_event(ICMP_RULE, {"Exemptions": "exemptions.json"})
    aws.faults.calls.clear()
    with pytest.raises(InvalidInputError, match="Exemptions"):
        aws.run(ICMP_RULE, event)
    assert aws.faults.calls == []


MEMBER = "210987654321"


def in_member(aws: Governed) -> dict[str, Any]:
    """The shop built in a member account, and the event of its periodic run."""
    role = f"arn:aws:iam::{MEMBER}:role/alb-sg-evaluation"
    assumed = boto3.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="build")["Credentials"]
    session = boto3.Session(
        assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"], region_name=REGION
    )
    aws.ec2, aws.elbv2 = session.client("ec2"), session.client("elbv2")
    aws.build()
    return aws.scheduled_event(ICMP_RULE, {"Exemptions": PARAMETER}) | {
        "accountId": MEMBER,
        "executionRoleArn": role,
        "resultToken": aws.config.issue_token(ICMP_RULE, MEMBER),
    }


def test_the_central_account_exempts_load_balancers_of_its_members() -> None:
    with Governed() as aws:
        event = in_member(aws)
        assert f":{MEMBER}:" in aws.web
        # moto keeps parameters per account: only the function's own account, not the role's, has this one.
        aws.exempt(ICMP_RULE, PARAMETER)
        aws.run(ICMP_RULE, event)
        assert [(found.resource_id, found.compliance_type) for found in aws.config.accepted_evaluations] == [
            (aws.web, "NOT_APPLICABLE")
        ]


def test_a_member_cannot_exempt_itself() -> None:
    with Governed() as aws:
        event = in_member(aws)
        assumed = boto3.client("sts", REGION).assume_role(
            RoleArn=f"arn:aws:iam::{MEMBER}:role/admin", RoleSessionName="member"
        )["Credentials"]
        boto3.client(
            "ssm",
            REGION,
            aws_access_key_id=assumed["AccessKeyId"],
            aws_secret_access_key=assumed["SecretAccessKey"],
            aws_session_token=assumed["SessionToken"],
        ).put_parameter(Name="/alb-sg/exemptions", Value=json.dumps(document(aws.entry())), Type="String")
        with pytest.raises(IncompleteEvaluationError, match="ParameterNotFound"):
            aws.run(ICMP_RULE, event)
        assert [found.compliance_type for found in aws.config.accepted_evaluations] == ["NON_COMPLIANT"]
        assert ACCOUNT_ID != MEMBER
