"""An organization as an aggregator of AWS Config has it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from alb_sg.command_line.live import aggregator_client
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, home, selected
from alb_sg.errors import Unread
from alb_sg.estate.estate import together
from alb_sg.estate.home import Home
from alb_sg.findings.finding import JudgementError
from alb_sg.live.aggregator import Unseen, read_aggregator
from alb_sg.report import words

# As many accounts and regions are named in a note.
MOST_NAMED = 20


def gather_aggregated(profile: str | None, regions: Sequence[str], name: str, names: Sequence[str]) -> Gathered:
    """The estates of every account and region that the aggregator collects from, as `sources.gather` gives them."""
    try:
        client = aggregator_client(profile, regions)
        with Progress(f"reading aggregator {name}: queries") as progress:
            found = read_aggregator(client, name, progress)
    except Unread as error:
        return Gathered((), {}, [JudgementError("", "", None, None, error.what, error.cause)])
    if found.silent:
        sys.stderr.write(words.printable(_note(name, found.silent)) + "\n")
    estates = together(found.estates)
    return Gathered(
        estates,
        {home(estate): selected(estate, names) for estate in estates},
        [_error(unseen) for unseen in found.unseen],
    )


def _error(unseen: Unseen) -> JudgementError:
    account_id, region = ("", "") if unseen.home is None else (unseen.home.account_id, unseen.home.region)
    return JudgementError(account_id, region, unseen.load_balancer_arn, None, unseen.what, unseen.cause)


def _note(name: str, silent: Sequence[Home]) -> str:
    where = words.some([str(one) for one in silent], MOST_NAMED)
    return (
        f"alb-sg: aggregator {name} has no load balancer of {where}: there is none, or load balancers are not recorded "
        "there"
    )
