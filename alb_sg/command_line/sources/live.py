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

from alb_sg.aws.rate_limits import RATE_LIMITER
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loading import LoadedEstates, account_region_key, enumeration_error
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.other_accounts import link_estates
from alb_sg.findings.finding import EvaluationError
from alb_sg.live import LiveClients, LiveSource, Selection, client_config

# Who nobody knows cannot be asked anything: the call is unusable until the reader sets up credentials.
CREDENTIAL_ERRORS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
SIGN_IN_HINT = "sign in, name a --profile, or read files with --estate or --config-items"


def load_live_estates(
    profile: str | None,
    regions: Sequence[str],
    rule_selection: RuleSelection,
    load_balancer_names: Sequence[str],
    *,
    from_config: bool,
    include_all_targets: bool,
    also_security_groups: frozenset[str],
) -> LoadedEstates:
    """The estate of every region, as `sources.gather` gives it."""
    if len(rule_selection.tag_keys) > 1:
        raise InvalidInputError(f"live, all rules share one TagKey, not {' and '.join(rule_selection.tag_keys)}")
    estates: list[Estate] = []
    selected: dict[tuple[str, str], Sequence[LoadBalancer]] = {}
    errors: list[EvaluationError] = []
    selection = Selection(
        everything=not load_balancer_names,
        load_balancers=frozenset(load_balancer_names),
        also_security_groups=also_security_groups,
    )
    try:
        sources = live_sources(profile, regions or _regions_in_arns(load_balancer_names), from_config=from_config)
    except NotReadError as error:
        return LoadedEstates((), {}, [EvaluationError("", "", None, None, error.what, error.cause)])
    for region, source in sources:
        with Progress(f"reading {region}: calls") as progress:
            loaded = source(progress).load(
                selection,
                rule_selection.estate_sections,
                look_up_all_targets=include_all_targets or rule_selection.needs_all_targets,
                prefix_lists=rule_selection.prefix_list_ids,
                tag_key=next(iter(rule_selection.tag_keys), None),
            )
        estates.append(loaded.estate)
        selected[account_region_key(loaded.estate)] = loaded.selected
        if loaded.enumeration_failure is not None:
            errors.append(enumeration_error(loaded.estate, loaded.enumeration_failure))
    return LoadedEstates(link_estates(sorted(estates, key=account_region_key)), selected, errors)


def live_sources(
    profile: str | None, regions: Sequence[str], *, from_config: bool = False
) -> list[tuple[str, Callable[[Progress], LiveSource]]]:
    """Every region and what makes its live source; the region of the profile or environment where none is given.

    `from_config`: what AWS Config has recorded is read first.

    Raises InvalidInputError without a region or credentials, NotReadError where AWS does not answer.
    """
    session = _open_session(profile)
    chosen = sorted(set(regions)) or ([session.region_name] if session.region_name else [])
    if not chosen:
        raise InvalidInputError("no region is set; give --region, or set AWS_REGION or a region in the profile")
    account_id = _caller_account_id(session, chosen[0])

    def source_of(region: str) -> Callable[[Progress], LiveSource]:
        clients = LiveClients(
            elbv2=_make_client(session, "elbv2", region),
            ec2=_make_client(session, "ec2", region),
            config=_make_client(session, "config", region) if from_config else None,
        )
        return lambda progress: LiveSource(clients, account_id, region, progress)

    return [(region, source_of(region)) for region in chosen]


def open_client(profile: str | None, regions: Sequence[str], service: str) -> Any:
    """The client of a service in the region of the profile or environment, else in the first that is given.

    Raises InvalidInputError.
    """
    session = _open_session(profile)
    region = session.region_name or next(iter(regions), None)
    if region is None:
        raise InvalidInputError("no region is set; give --region, or set AWS_REGION or a region in the profile")
    return _make_client(session, service, region)


def open_aggregator_client(profile: str | None, regions: Sequence[str]) -> Any:
    """The client for an aggregator, in its region: the one given, else that of the profile or environment. It keeps to
    the pace of AWS Config.

    Raises InvalidInputError without a region or credentials, NotReadError where AWS does not answer.
    """
    if len(set(regions)) > 1:
        raise InvalidInputError("an aggregator is in one region; give --region once")
    session = _open_session(profile)
    region = next(iter(regions), session.region_name)
    if region is None:
        raise InvalidInputError("no region is set; give --region, or set AWS_REGION or a region in the profile")
    client = _make_client(session, "config", region)
    RATE_LIMITER.limit_client(client, _caller_account_id(session, region))
    return client


def _make_client(session: boto3.session.Session, service: str, region: str) -> Any:
    try:
        return session.client(service, region_name=region, config=client_config())  # type: ignore[call-overload]  # the service is not a literal
    except InvalidRegionError as error:
        raise InvalidInputError(f"{region!r} is not a region; give one such as eu-west-1") from error


def _open_session(profile: str | None) -> boto3.session.Session:
    try:
        return boto3.session.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise InvalidInputError(f"profile {error.kwargs.get('profile', profile)!r} is not in ~/.aws/config") from error
    except BotoCoreError as error:
        raise InvalidInputError(f"the AWS configuration cannot be read: {error}") from error


def _caller_account_id(session: boto3.session.Session, region: str) -> str:
    client = _make_client(session, "sts", region)
    try:
        account_id: str = client.get_caller_identity()["Account"]
    except CREDENTIAL_ERRORS as error:
        raise InvalidInputError(f"no usable AWS credentials ({error}); {SIGN_IN_HINT}") from error
    except ClientError as error:
        # GetCallerIdentity needs no permission: what it refuses is the credentials.
        raise InvalidInputError(f"AWS refuses the credentials ({error}); {SIGN_IN_HINT}") from error
    except BotoCoreError as error:
        raise NotReadError("the account of the credentials", str(error)) from error
    return account_id


def _regions_in_arns(load_balancer_names: Sequence[str]) -> list[str]:
    """The regions in ARNs, where nothing but ARNs is asked for."""
    parts = [name.split(":") for name in load_balancer_names]
    return sorted({part[3] for part in parts}) if all(len(part) > 5 and part[3] for part in parts) else []
