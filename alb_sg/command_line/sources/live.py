"""Live use: the clients of an account, and one live source per region."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from botocore.session import Session

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.clients import make_client
from alb_sg.aws.rate_limits import RATE_LIMITER
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.command_line.sources.sessions import (
    Credentials,
    chosen_regions,
    given_credentials,
    identify_caller,
    regions_in_arns,
    require_region,
)
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.other_accounts import link_estates
from alb_sg.findings.finding import EvaluationError, enumeration_error
from alb_sg.live import LiveClients, LiveSource, Selection
from alb_sg.live.source import single_tag_key
from alb_sg.parameters import Source


def load_live_estates(
    arguments: argparse.Namespace,
    rule_selection: RuleSelection,
    load_balancer_names: Sequence[str],
    *,
    include_all_targets: bool,
    also_security_groups: frozenset[str],
) -> LoadedEstates:
    """The estate of every region of the account that the arguments choose, as `sources.loading` gives it."""
    single_tag_key(rule_selection.rules)
    estates: list[Estate] = []
    selected: dict[tuple[str, str], Sequence[LoadBalancer]] = {}
    errors: list[EvaluationError] = []
    selection = Selection(
        everything=not load_balancer_names,
        load_balancers=frozenset(load_balancer_names),
        also_security_groups=also_security_groups,
    )
    try:
        credentials = given_credentials(arguments, load_balancer_names)
        regions = arguments.region or regions_in_arns(load_balancer_names)
        sources = live_sources(credentials, regions, from_config=arguments.source == Source.CONFIG.value)
    except NotReadError as error:
        return LoadedEstates((), {}, [EvaluationError("", "", None, None, error.what, error.cause)])
    for region, source in sources:
        with Progress(f"reading {region}: calls") as progress:
            loaded = load_region(source(progress), selection, rule_selection, include_all_targets=include_all_targets)
        estates += loaded.estates
        selected |= loaded.load_balancers_by_account_region
        errors += loaded.errors
    linked = link_estates(sorted(estates, key=lambda estate: estate.account_region))
    return LoadedEstates(linked, selected, errors, credentials=credentials)


def load_region(
    source: LiveSource, selection: Selection, rule_selection: RuleSelection, *, include_all_targets: bool
) -> LoadedEstates:
    """The estate of one account and region, with what the selected rules need."""
    loaded = source.load_for_rules(
        selection,
        rule_selection.rules,
        look_up_all_targets=include_all_targets,
        also_sections=rule_selection.detail_sections,
    )
    errors = (
        [] if loaded.enumeration_failure is None else [enumeration_error(loaded.estate, loaded.enumeration_failure)]
    )
    return LoadedEstates([loaded.estate], {loaded.estate.account_region: loaded.selected}, errors)


def live_sources(
    credentials: Credentials, regions: Sequence[str], *, from_config: bool = False
) -> list[tuple[str, Callable[[Progress], LiveSource]]]:
    """Every region and what makes its live source; the region of the profile or environment where none is given.

    `from_config`: what AWS Config has recorded is read first.

    Raises InvalidInputError without a region or credentials, NotReadError where AWS does not answer.
    """
    session = credentials.open_session()

    def source_of(place: AccountRegion) -> Callable[[Progress], LiveSource]:
        clients = make_live_clients(session, place.region, from_config=from_config)
        return lambda progress: LiveSource(clients, *place, progress)

    return [(place.region, source_of(place)) for place in _account_regions(session, regions)]


def export_regions(credentials: Credentials, regions: Sequence[str]) -> list[dict[str, Any]]:
    """Every region as `alb-sg export` saves it. Raises as `live_sources`, and NotReadError where a call fails."""
    exports = []
    for region, source in live_sources(credentials, regions):
        with Progress(f"reading {region}: calls") as progress:
            exports.append(source(progress).export())
    return exports


def make_live_clients(session: Session, region: str, *, from_config: bool = False) -> LiveClients:
    """The clients that a live source needs. `from_config`: it reads what AWS Config has recorded first."""
    return LiveClients(
        elbv2=make_client("elbv2", region, session=session),
        ec2=make_client("ec2", region, session=session),
        config=make_client("config", region, session=session) if from_config else None,
    )


def open_regions(credentials: Credentials, regions: Sequence[str]) -> list[tuple[AccountRegion, Callable[[str], Any]]]:
    """The account of the credentials in every region, with what makes the client of a service there.

    The clients of AWS Config keep to its pace. Raises as `live_sources`.
    """
    session = credentials.open_session()
    return [(place, client_factory(session, place)) for place in _account_regions(session, regions)]


def _account_regions(session: Session, regions: Sequence[str]) -> list[AccountRegion]:
    chosen = chosen_regions(session, regions)
    account_id = identify_caller(session, chosen[0]).account_id
    return [AccountRegion(account_id, region) for region in chosen]


def client_factory(session: Session, place: AccountRegion) -> Callable[[str], Any]:
    """What makes the client of a service in an account and region. The clients of AWS Config keep to its pace."""

    def make(service: str) -> Any:
        client = make_client(service, place.region, session=session)
        if service == "config":
            RATE_LIMITER.limit_client(client, place.account_id)
        return client

    return make


def open_live_clients(credentials: Credentials, account_id: str, region: str) -> LiveClients:
    """The clients of an account and region that was read before, so its credentials are known to work."""
    session = credentials.open_session()
    elbv2, ec2 = (make_client(service, region, session=session) for service in ("elbv2", "ec2"))
    for client in (elbv2, ec2):
        RATE_LIMITER.limit_client(client, account_id)
    return LiveClients(elbv2=elbv2, ec2=ec2)


def open_client(credentials: Credentials, regions: Sequence[str], service: str) -> Any:
    """The client of a service in the region of the profile or environment, else in the first that is given.

    Raises InvalidInputError.
    """
    session = credentials.open_session()
    region = require_region(session.get_config_variable("region") or next(iter(regions), None))
    return make_client(service, region, session=session)


def open_aggregator_client(credentials: Credentials, regions: Sequence[str]) -> Any:
    """The client for an aggregator, in its region: the one given, else that of the profile or environment. It keeps to
    the pace of AWS Config.

    Raises InvalidInputError without a region or credentials, NotReadError where AWS does not answer.
    """
    if len(set(regions)) > 1:
        raise InvalidInputError("an aggregator is in one region; give --region once")
    session = credentials.open_session()
    region = require_region(next(iter(regions), session.get_config_variable("region")))
    client = make_client("config", region, session=session)
    RATE_LIMITER.limit_client(client, identify_caller(session, region).account_id)
    return client
