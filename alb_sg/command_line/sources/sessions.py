"""Sessions of live calls: with whose credentials, and in which regions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from alb_sg.aws.arns import account_id_of, region_of
from alb_sg.aws.clients import CREDENTIAL_ERRORS, CallerIdentity, caller_identity, make_client, open_session
from alb_sg.aws.roles import Role, RoleSettings, assume_role, parse_role, use_credentials
from alb_sg.command_line.output import write_note
from alb_sg.command_line.sources.role_options import DEFAULT_SESSION_NAME, has_role, ignored_role_origin
from alb_sg.errors import InvalidInputError, NotReadError

ALL_REGIONS = "all"
# The region to list regions in if none is configured. Every account has it.
DEFAULT_REGION = "us-east-1"
ROLE_OPTIONS = frozenset({"--assume-role", "--external-id", "--session-name"})
SIGN_IN_HINT = "sign in, name a --profile, or read files with --estate or --config-items"


@dataclass(frozen=True)
class Credentials:
    """The credentials of a profile or of the environment; with `role`, those of a role that they have assumed."""

    profile: str | None
    role: RefreshableCredentials | None = None

    def open_session(self) -> Session:
        """A session of its own: sessions are not made for several threads. Raises InvalidInputError."""
        session = open_session(self.profile)
        return session if self.role is None else use_credentials(session, self.role)


class RoleAssumer:
    """Assumes roles with the credentials of the command, which are those of `caller`."""

    def __init__(self, arguments: argparse.Namespace, regions: Sequence[str]) -> None:
        """`regions`: those to read. Calls to AWS STS go to the first. Raises InvalidInputError, and NotReadError if the
        credentials cannot be used."""
        self._profile = arguments.profile
        own = open_session(self._profile)
        region = next((one for one in regions if one != ALL_REGIONS), own.get_config_variable("region"))
        self._region = region or DEFAULT_REGION
        self._settings = RoleSettings(arguments.session_name or DEFAULT_SESSION_NAME, arguments.external_id)
        self.caller = identify_caller(own, self._region)

    def assume(self, role: Role, account_id: str) -> Credentials:
        """The credentials of the role in an account. Raises a NotReadError that names the role and what to do."""
        session = open_session(self._profile)

        def make(service: str, **given: Any) -> Any:
            return make_client(service, self._region, session=session, **given)

        role_arn = role.arn(account_id, self.caller.partition)
        return Credentials(self._profile, assume_role(role_arn, self._settings, session, self.caller, make))


def given_credentials(arguments: argparse.Namespace, load_balancer_names: Sequence[str] = ()) -> Credentials:
    """The credentials of a command about one account: those of `--assume-role`, else of the profile or environment.

    A role of every account is that of the account in the ARNs among `load_balancer_names`. Without such an account, a
    configured one is ignored with a note. Raises InvalidInputError, and NotReadError for a role that cannot be assumed.
    """
    if not has_role(arguments):
        return Credentials(arguments.profile)
    role = parse_role(arguments.assume_role)
    account_id = role.account_id
    if account_id is None:
        accounts = {account_id_of(name) for name in load_balancer_names}
        if len(accounts) != 1 or "" in accounts:
            origin = ignored_role_origin(arguments)
            if origin is not None:
                return _without_role(arguments, origin)
            or_arn = ", or the ARN of the load balancer" if load_balancer_names else ""
            raise InvalidInputError(
                f"--assume-role {arguments.assume_role} is of every account, and this command reads one; give "
                f"arn:aws:iam::111122223333:role/NAME{or_arn}"
            )
        (account_id,) = accounts
    return RoleAssumer(arguments, arguments.region or regions_in_arns(load_balancer_names)).assume(role, account_id)


def _without_role(arguments: argparse.Namespace, origin: str) -> Credentials:
    write_note(
        f"assume-role {arguments.assume_role} from {origin} is of every account, and this command reads one; it reads "
        "the account of the credentials without it. --assume-role ARN names another account"
    )
    arguments.applied_options = [one for one in arguments.applied_options if one.option not in ROLE_OPTIONS]
    return Credentials(arguments.profile)


def chosen_regions(session: Session, regions: Sequence[str]) -> list[str]:
    """The regions given, else that of the profile or environment; `all` is every region that is enabled in the account.

    Raises InvalidInputError, and NotReadError where `all` cannot be told.
    """
    region = session.get_config_variable("region")
    if ALL_REGIONS in regions:
        if len(set(regions)) > 1:
            raise InvalidInputError("--region all is every region; omit the others")
        return _enabled_regions(session, region or DEFAULT_REGION)
    return sorted(set(regions)) or [require_region(region)]


def require_region(region: str | None) -> str:
    """Raises InvalidInputError for None."""
    if not region:
        raise InvalidInputError("no region is set; give --region, or set AWS_REGION or a region in the profile")
    return region


def regions_in_arns(load_balancer_names: Sequence[str]) -> list[str]:
    """The regions in ARNs; none if one of the names is not an ARN."""
    regions = {region_of(name) for name in load_balancer_names}
    return [] if "" in regions else sorted(regions)


def identify_caller(session: Session, region: str) -> CallerIdentity:
    """Whose credentials a session has. Raises InvalidInputError, and NotReadError if AWS does not answer."""
    sts = make_client("sts", region, session=session)
    try:
        return caller_identity(sts)
    except InvalidInputError as error:
        raise InvalidInputError(f"{error}; {SIGN_IN_HINT}") from error


def _enabled_regions(session: Session, region: str) -> list[str]:
    """The regions that are enabled in the account, asked for in one of them."""
    ec2 = make_client("ec2", region, session=session)
    try:
        return sorted(found["RegionName"] for found in ec2.describe_regions()["Regions"])
    except CREDENTIAL_ERRORS as error:
        raise InvalidInputError(f"no usable AWS credentials ({error}); {SIGN_IN_HINT}") from error
    except (BotoCoreError, ClientError) as error:
        raise NotReadError(f"the regions of the account (ec2:DescribeRegions in {region})", str(error)) from error
