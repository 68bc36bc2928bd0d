"""Roles of other accounts: the role that a text names in each account, and its credentials."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

from botocore.credentials import AssumeRoleCredentialFetcher, RefreshableCredentials
from botocore.session import Session

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.aws.clients import CallerIdentity
from alb_sg.errors import InvalidInputError, NotReadError

ACCOUNT_PLACEHOLDER = "{account}"
# IAM user guide, "IAM and AWS STS quotas, name requirements, and character limits".
_PATH_AND_NAME = r"(?P<name>(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{1,64})"
ROLE_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{{12}}|{re.escape(ACCOUNT_PLACEHOLDER)}):role/{_PATH_AND_NAME}",
    re.ASCII,
)
ROLE_NAME = re.compile(_PATH_AND_NAME, re.ASCII)
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException"})

# A refresh that fails is an error of the call that needed it. botocore would also print it with a traceback.
logging.getLogger("botocore.credentials").addHandler(logging.NullHandler())


class Role(NamedTuple):
    """A role by name and path, such as `audit/reader`. `account_id` None: the role of this name in every account.
    `partition` None: that of the credentials that assume it."""

    name: str
    account_id: str | None = None
    partition: str | None = None

    def arn(self, account_id: str, partition: str) -> str:
        return f"arn:{self.partition or partition}:iam::{self.account_id or account_id}:role/{self.name}"


def parse_role(text: str) -> Role:
    """A role from its ARN, whose account may be `{account}`, or from its name and path. Raises InvalidInputError."""
    arn = ROLE_ARN.fullmatch(text)
    if arn is not None:
        account = arn["account"]
        return Role(arn["name"], None if account == ACCOUNT_PLACEHOLDER else account, arn["partition"])
    if not text.startswith("arn:") and "{" not in text and ROLE_NAME.fullmatch(text):
        return Role(text)
    raise InvalidInputError(
        f"{text!r} is no role; give arn:aws:iam::111122223333:role/NAME, for many accounts "
        f"arn:aws:iam::{ACCOUNT_PLACEHOLDER}:role/NAME, or NAME alone"
    )


class RoleSettings(NamedTuple):
    """How roles are assumed."""

    session_name: str
    external_id: str | None = None


def assume_role(
    role_arn: str, settings: RoleSettings, session: Session, caller: CallerIdentity, make_client: Callable[..., Any]
) -> RefreshableCredentials:
    """The credentials of a role, which renew themselves.

    `session` and `caller` are of the credentials that assume it, `make_client` makes clients with the arguments of
    `Session.create_client`. Raises a NotReadError that names the role and what to do.
    """
    extra = {"RoleSessionName": settings.session_name}
    if settings.external_id is not None:
        extra["ExternalId"] = settings.external_id
    fetcher = AssumeRoleCredentialFetcher(make_client, session.get_credentials(), role_arn, extra_args=extra)
    try:
        return RefreshableCredentials.create_from_metadata(
            fetcher.fetch_credentials(), refresh_using=fetcher.fetch_credentials, method="assume-role"
        )
    except AWS_ERRORS as error:
        raise RoleNotAssumedError(role_arn, error, settings, caller) from error


class RoleNotAssumedError(NotReadError):
    """A role that could not be assumed. `is_denied`: AWS refuses it, and did answer."""

    def __init__(self, role_arn: str, error: Exception, settings: RoleSettings, caller: CallerIdentity) -> None:
        self.role_arn = role_arn
        self.is_denied = error_code(error) in DENIED_CODES
        super().__init__(f"role {role_arn}", f"{error_text(error, 'AssumeRole')}; {self._advice(settings, caller)}")

    def _advice(self, settings: RoleSettings, caller: CallerIdentity) -> str:
        if not self.is_denied:
            return "nothing of the account was read"
        external = (
            "give --external-id if its trust policy asks for one"
            if settings.external_id is None
            else "and its trust policy must ask for this --external-id"
        )
        return f"the role must exist and trust {caller.arn}, which needs sts:AssumeRole on it; {external}"


def use_credentials(session: Session, credentials: RefreshableCredentials) -> Session:
    """The session, which uses these credentials from now on."""
    session.register_component("credential_provider", SimpleNamespace(load_credentials=lambda: credentials))
    return session
