"""Sessions and clients: the configuration of each, and the errors of a wrong profile, region or credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from alb_sg.aws.clients import WORKERS, caller_identity, make_client, open_session
from alb_sg.errors import InvalidInputError, NotReadError


def test_every_client_retries_adaptively_and_has_a_connection_for_each_worker() -> None:
    config = make_client("elbv2", "eu-west-1").meta.config
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("adaptive", 9)
    assert config.max_pool_connections == WORKERS


def test_the_region_of_the_session_is_the_default() -> None:
    assert make_client("ec2").meta.region_name == "us-east-1"
    assert make_client("ec2", "eu-west-1").meta.region_name == "eu-west-1"


def test_a_profile_gives_credentials_and_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[profile build]\nregion = eu-central-1\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert make_client("ec2", session=open_session("build")).meta.region_name == "eu-central-1"
    with pytest.raises(InvalidInputError, match=r"profile 'other' is not in ~/\.aws/config"):
        open_session("other")


def test_a_configuration_that_does_not_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[profile", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(InvalidInputError, match="the AWS configuration cannot be read"):
        open_session()


def test_a_text_that_is_no_region_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="'eu west 1' is not a region; give one such as eu-west-1"):
        make_client("ec2", "eu west 1")


def test_the_region_of_the_environment_is_that_of_the_aws_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore itself knows AWS_DEFAULT_REGION alone."""
    assert make_client("ec2").meta.region_name == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert make_client("ec2").meta.region_name == "eu-west-1"
    assert make_client("ec2", "eu-west-2").meta.region_name == "eu-west-2"


class _Sts:
    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def get_caller_identity(self) -> dict[str, Any]:
        if self._error is not None:
            raise self._error
        return {"Account": "123456789012", "Arn": "arn:aws-cn:iam::123456789012:user/auditor"}


def test_account_of_the_credentials() -> None:
    assert caller_identity(_Sts()).account_id == "123456789012"
    assert caller_identity(_Sts()).partition == "aws-cn"


@pytest.mark.parametrize(
    ("error", "raised", "text"),
    [
        (NoCredentialsError(), InvalidInputError, "no usable AWS credentials"),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "GetCallerIdentity"), InvalidInputError, "AWS refuses"),
        # The credentials may be valid: this is no error of the caller's.
        (EndpointConnectionError(endpoint_url="https://sts"), NotReadError, "the account of the credentials"),
    ],
)
def test_credentials_that_have_no_account(error: Exception, raised: type[Exception], text: str) -> None:
    with pytest.raises(raised, match=text):
        caller_identity(_Sts(error))
