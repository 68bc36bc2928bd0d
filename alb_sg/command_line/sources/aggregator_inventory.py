"""An organization as an aggregator of AWS Config has it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from alb_sg.aggregator.estates import AggregatorFailure, read_aggregator
from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources.live import open_aggregator_client
from alb_sg.command_line.sources.loading import LoadedEstates, account_region_key, select_load_balancers
from alb_sg.errors import NotReadError
from alb_sg.estate.other_accounts import link_estates
from alb_sg.findings.finding import EvaluationError
from alb_sg.report import phrasing

# As many accounts and regions are named in a note.
MAX_NAMED_ACCOUNTS = 20


def load_aggregator_inventory(
    profile: str | None, regions: Sequence[str], aggregator_name: str, load_balancer_names: Sequence[str]
) -> LoadedEstates:
    """The estates of every account and region that the aggregator collects from, as `sources.gather` gives them."""
    try:
        client = open_aggregator_client(profile, regions)
        with Progress(f"reading aggregator {aggregator_name}: queries") as progress:
            found = read_aggregator(client, aggregator_name, progress)
    except NotReadError as error:
        return LoadedEstates((), {}, [EvaluationError("", "", None, None, error.what, error.cause)])
    if found.possibly_unrecorded:
        sys.stderr.write(phrasing.printable(_no_load_balancers_note(aggregator_name, found.possibly_unrecorded)) + "\n")
    estates = link_estates(found.estates)
    return LoadedEstates(
        estates,
        {account_region_key(estate): select_load_balancers(estate, load_balancer_names) for estate in estates},
        [_evaluation_error(unseen) for unseen in found.failures],
    )


def _evaluation_error(unseen: AggregatorFailure) -> EvaluationError:
    account_id, region = (
        ("", "") if unseen.account_region is None else (unseen.account_region.account_id, unseen.account_region.region)
    )
    return EvaluationError(account_id, region, unseen.load_balancer_arn, None, unseen.what, unseen.cause)


def _no_load_balancers_note(aggregator_name: str, account_regions: Sequence[AccountRegion]) -> str:
    where = phrasing.abbreviate([str(one) for one in account_regions], MAX_NAMED_ACCOUNTS)
    return (
        f"alb-sg: aggregator {aggregator_name} has no load balancer of {where}: there is none, or load balancers "
        "are not recorded "
        "there"
    )
