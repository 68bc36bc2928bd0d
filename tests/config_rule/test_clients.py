"""The clients of an invocation: the role is assumed once, each client made once, and a refusal gives advice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from alb_sg.config_rule.client_factory import RetryingClientFactory
from embedded_aws.account import REGION, ROLE_ARN, EmbeddedAws


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


def test_the_role_is_assumed_once_and_each_client_made_once(aws: EmbeddedAws) -> None:
    factory = RetryingClientFactory(ROLE_ARN, None, assume_role_mode=True)
    assert aws.faults.calls == []
    ec2 = factory.build_client("ec2")
    assert factory.build_client("ec2") is ec2
    assert factory.build_client("elbv2").meta.region_name == REGION
    assert aws.faults.calls == ["AssumeRole"]
    [(_, body)] = aws.faults.bodies
    assert "configLambdaExecution" in body
    assert "900" in body


def test_the_functions_own_clients_beside_those_of_the_role(aws: EmbeddedAws) -> None:
    """The function's own role reads exemptions, in ExecutionRoleRegion if that is set."""
    factory = RetryingClientFactory(ROLE_ARN, "eu-west-1", assume_role_mode=True)
    own = factory.build_client("sts", assume_role_mode=False)
    assert aws.faults.calls == []
    assumed = factory.build_client("sts")
    assert "assumed-role/alb-sg-evaluation" in assumed.get_caller_identity()["Arn"]
    assert "assumed-role" not in own.get_caller_identity()["Arn"]
    assert own.meta.region_name == "eu-west-1"
    # The regional endpoint, never the global one.
    assert own.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


def test_a_denied_role_gets_advice(aws: EmbeddedAws) -> None:
    aws.faults.fail("AssumeRole", "AccessDenied")
    factory = RetryingClientFactory(ROLE_ARN, None, assume_role_mode=True)
    with pytest.raises(ClientError) as refused:
        factory.build_client("ec2")
    message = refused.value.response["Error"]["Message"]
    assert message.startswith("asked to fail (the function's role must be allowed to assume this role")
