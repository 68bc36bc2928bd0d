"""The source `--aggregator`: the items that an AWS Config aggregator has collected from an organization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alb_sg.aggregator.estates import read_aggregator
from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.output import write_note
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources.live import open_aggregator_client
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, select_in_estates
from alb_sg.command_line.sources.sessions import Credentials
from alb_sg.errors import NotReadError
from alb_sg.estate.other_accounts import link_estates
from alb_sg.findings.finding import EvaluationError
from alb_sg.report import phrasing

# The most accounts and regions that a note names.
MAX_NAMED_ACCOUNTS = 20


def load_aggregator_inventory(
    profile: str | None, regions: Sequence[str], aggregator_name: str, load_balancer_names: Sequence[str]
) -> LoadedEstates:
    """The estates of every account and region that the aggregator collects from."""
    try:
        client = open_aggregator_client(Credentials(profile), regions)
        with Progress(f"reading aggregator {aggregator_name}: queries") as progress:
            found = read_aggregator(client, aggregator_name, progress)
    except NotReadError as error:
        return LoadedEstates((), {}, [EvaluationError("", "", None, None, error.what, error.cause)])
    if found.possibly_unrecorded:
        write_note(_no_load_balancers_note(aggregator_name, found.possibly_unrecorded))
    # The aggregator's errors name all that could not be read.
    return replace(select_in_estates(link_estates(found.estates), load_balancer_names), errors=found.errors)


def _no_load_balancers_note(aggregator_name: str, account_regions: Sequence[AccountRegion]) -> str:
    where = phrasing.abbreviate([str(one) for one in account_regions], MAX_NAMED_ACCOUNTS)
    return (
        f"aggregator {aggregator_name} has no load balancer of {where}: there is none, or load balancers are not "
        "recorded there"
    )
