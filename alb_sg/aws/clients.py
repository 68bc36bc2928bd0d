"""Clients of AWS services: one way to make them, with the session and the sign-in that they need."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from alb_sg.aws.pages import name_call
from alb_sg.errors import InvalidInputError, NotReadError

# Simultaneous calls, and connections per client: enough to hide latency, few enough for the API's rate limits.
WORKERS = 10

CREDENTIAL_ERRORS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)


def client_config() -> Config:
    """Adaptive retries, and timeouts that leave a Lambda function time to report which call hung."""
    return Config(
        retries={"mode": "adaptive", "max_attempts": 8},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=WORKERS,
    )


def single_attempt_config() -> Config:
    """`client_config` without retries, for a request that must not be sent again when it is old."""
    return client_config().merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


def open_session(profile: str | None = None) -> Session:
    """A session with the credentials of a profile, or those of the environment. Raises InvalidInputError."""
    session = Session(profile=profile)
    try:
        data_path = session.get_config_variable("data_path")
    except ProfileNotFound as error:
        raise InvalidInputError(f"profile {error.kwargs.get('profile', profile)!r} is not in ~/.aws/config") from error
    except BotoCoreError as error:
        raise InvalidInputError(f"the AWS configuration cannot be read: {error}") from error
    session.register_component("data_loader", _model_loader(data_path))
    # The AWS CLI and the other SDKs know this variable, and prefer it.
    region = os.environ.get("AWS_REGION")
    if region:
        session.set_config_variable("region", region)
    return session


def make_client(service: str, region: str | None = None, *, session: Session | None = None, **arguments: Any) -> Any:
    """A client with `client_config`, in the region given or the session's. Further arguments as `create_client`
    takes them. Raises InvalidInputError for a text that is no region."""
    try:
        return (session or open_session()).create_client(
            service, region_name=region, **{"config": client_config(), **arguments}
        )
    except InvalidRegionError as error:
        raise InvalidInputError(f"{region!r} is not a region; give one such as eu-west-1") from error


class CallerIdentity(NamedTuple):
    """Whose credentials are used: the account, and the ARN of the user or of the assumed role."""

    account_id: str
    arn: str

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]


def caller_identity(sts: Any) -> CallerIdentity:
    """Whose credentials an STS client has.

    Raises InvalidInputError for missing or refused credentials, NotReadError if AWS does not answer.
    """
    try:
        with name_call("GetCallerIdentity"):
            try:
                answer = sts.get_caller_identity()
                return CallerIdentity(answer["Account"], answer["Arn"])
            except CREDENTIAL_ERRORS as error:
                raise InvalidInputError(f"no usable AWS credentials ({error})") from error
    except ClientError as error:
        # GetCallerIdentity needs no permission, so a refusal concerns the credentials.
        raise InvalidInputError(f"AWS refuses the credentials ({error})") from error
    except BotoCoreError as error:
        raise NotReadError("the account of the credentials", str(error)) from error


@cache
def _model_loader(data_path: str | None) -> Loader:
    """One loader for all sessions, so that a process reads each service model once."""
    return create_loader(data_path)
