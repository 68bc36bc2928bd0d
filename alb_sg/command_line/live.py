"""Live use: sessions, the account that credentials belong to, and one live source per region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import boto3
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

from alb_sg.command_line.choice import Choice
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, enumeration_error, home
from alb_sg.errors import Unread, UnusableInput
from alb_sg.estate.estate import Estate, together
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import JudgementError
from alb_sg.live import LiveClients, LiveSource, Selection, client_config
from alb_sg.live.pacing import PACE

# Who nobody knows cannot be asked anything: the call is unusable until the reader sets up credentials.
NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
HOW_TO_SIGN_IN = "sign in, name a --profile, or read files with --estate or --config-items"


def gather_live(
    profile: str | None,
    regions: Sequence[str],
    choice: Choice,
    names: Sequence[str],
    *,
    from_config: bool,
    all_targets: bool,
    also_security_groups: frozenset[str],
) -> Gathered:
    """The estate of every region, as `sources.gather` gives it."""
    if len(choice.tag_keys) > 1:
        raise UnusableInput(f"live, all rules share one TagKey, not {' and '.join(choice.tag_keys)}")
    estates: list[Estate] = []
    selected: dict[tuple[str, str], Sequence[LoadBalancer]] = {}
    errors: list[JudgementError] = []
    selection = Selection(
        everything=not names, load_balancers=frozenset(names), also_security_groups=also_security_groups
    )
    try:
        sources = live_sources(profile, regions or _regions_of(names), from_config=from_config)
    except Unread as error:
        return Gathered((), {}, [JudgementError("", "", None, None, error.what, error.cause)])
    for region, source in sources:
        with Progress(f"reading {region}: calls") as progress:
            loaded = source(progress).load(
                selection,
                choice.sections,
                look_up_all_targets=all_targets or choice.all_targets,
                prefix_lists=choice.prefix_lists,
                tag_key=next(iter(choice.tag_keys), None),
            )
        estates.append(loaded.estate)
        selected[home(loaded.estate)] = loaded.selected
        if loaded.incomplete is not None:
            errors.append(enumeration_error(loaded.estate, loaded.incomplete))
    return Gathered(together(sorted(estates, key=home)), selected, errors)


def live_sources(
    profile: str | None, regions: Sequence[str], *, from_config: bool = False
) -> list[tuple[str, Callable[[Progress], LiveSource]]]:
    """Every region and what makes its live source; the region of the profile or environment where none is given.

    `from_config`: what AWS Config has recorded is read first.

    Raises UnusableInput without a region or credentials, Unread where AWS does not answer.
    """
    session = _session(profile)
    chosen = sorted(set(regions)) or ([session.region_name] if session.region_name else [])
    if not chosen:
        raise UnusableInput("no region is set; give --region, or set AWS_REGION or a region in the profile")
    account_id = _account_id(session, chosen[0])

    def source_of(region: str) -> Callable[[Progress], LiveSource]:
        clients = LiveClients(
            elbv2=_client(session, "elbv2", region),
            ec2=_client(session, "ec2", region),
            config=_client(session, "config", region) if from_config else None,
        )
        return lambda progress: LiveSource(clients, account_id, region, progress)

    return [(region, source_of(region)) for region in chosen]


def client_of(profile: str | None, regions: Sequence[str], service: str) -> Any:
    """The client of a service in the region of the profile or environment, else in the first that is given.

    Raises UnusableInput.
    """
    session = _session(profile)
    region = session.region_name or next(iter(regions), None)
    if region is None:
        raise UnusableInput("no region is set; give --region, or set AWS_REGION or a region in the profile")
    return _client(session, service, region)


def aggregator_client(profile: str | None, regions: Sequence[str]) -> Any:
    """The client for an aggregator, in its region: the one given, else that of the profile or environment. It keeps to
    the pace of AWS Config.

    Raises UnusableInput without a region or credentials, Unread where AWS does not answer.
    """
    if len(set(regions)) > 1:
        raise UnusableInput("an aggregator is in one region; give --region once")
    session = _session(profile)
    region = next(iter(regions), session.region_name)
    if region is None:
        raise UnusableInput("no region is set; give --region, or set AWS_REGION or a region in the profile")
    client = _client(session, "config", region)
    PACE.keep(client, _account_id(session, region))
    return client


def _client(session: boto3.session.Session, service: str, region: str) -> Any:
    try:
        return session.client(service, region_name=region, config=client_config())  # type: ignore[call-overload]  # the service is not a literal
    except InvalidRegionError as error:
        raise UnusableInput(f"{region!r} is not a region; give one such as eu-west-1") from error


def _session(profile: str | None) -> boto3.session.Session:
    try:
        return boto3.session.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise UnusableInput(f"profile {error.kwargs.get('profile', profile)!r} is not in ~/.aws/config") from error
    except BotoCoreError as error:
        raise UnusableInput(f"the AWS configuration cannot be read: {error}") from error


def _account_id(session: boto3.session.Session, region: str) -> str:
    client = _client(session, "sts", region)
    try:
        account_id: str = client.get_caller_identity()["Account"]
    except NO_CREDENTIALS as error:
        raise UnusableInput(f"no usable AWS credentials ({error}); {HOW_TO_SIGN_IN}") from error
    except ClientError as error:
        # GetCallerIdentity needs no permission: what it refuses is the credentials.
        raise UnusableInput(f"AWS refuses the credentials ({error}); {HOW_TO_SIGN_IN}") from error
    except BotoCoreError as error:
        raise Unread("the account of the credentials", str(error)) from error
    return account_id


def _regions_of(names: Sequence[str]) -> list[str]:
    """The regions in ARNs, where nothing but ARNs is asked for."""
    parts = [name.split(":") for name in names]
    return sorted({part[3] for part in parts}) if all(len(part) > 5 and part[3] for part in parts) else []
