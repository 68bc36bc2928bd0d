"""What an organization's AWS Config aggregator has recorded, as a source of the dashboard and of `alb-sg verdicts`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime

from alb_sg.aggregator.exemptions import apply_exemptions
from alb_sg.command_line.progress import Progress
from alb_sg.errors import InvalidInputError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.observation import Observation

AGGREGATOR_HELP = """the aggregator:
  Read with the credentials of boto3's usual places or of --profile, in the region of that profile or in --region: those
  of the account and region that have the aggregator. No member account is called. Needs
  config:SelectAggregateResourceConfig, config:GetAggregateComplianceDetailsByConfigRule (a call for each rule, account
  and region, five in a second) and, for what is expected, config:DescribeConfigurationAggregatorSourcesStatus.
  An aggregator keeps no NOT_APPLICABLE: a load balancer without a verdict is counted, and nothing is said of it.
"""
ACCOUNT_NAMES_HELP = """\
  Accounts' names and units need organizations:ListRoots, ListOrganizationalUnitsForParent, ListAccountsForParent and
  ListAccounts; without them the accounts' ids stand alone.
"""
# Options of a command that judges, which say nothing to one that reads what was judged.
REFUSED_OPTIONS = {
    "estate": "--estate is another source; leave it out beside --aggregator",
    "config_items": "--config-items is another source; leave it out beside --aggregator",
    "parameter": "an aggregator tells what the deployed rules said, with their own parameters; leave --parameter out",
}


def read_observation(
    arguments: argparse.Namespace,
    rules: Sequence[str],
    as_of: datetime,
    exemptions: LoadedExemptions | None = None,
    *,
    with_account_names: bool = True,
) -> Observation:
    """What aggregator `arguments.aggregator` tells of the rules named, read as `--profile` and `--region` say, with
    exemptions applied. `names`: accounts' names and units are asked for, too.

    Raises InvalidInputError, and NotReadError where AWS does not answer.
    """
    # boto3 takes a third of a second to import, which files need not wait for.
    from alb_sg.aggregator.observe import observe  # noqa: PLC0415 (as said above)
    from alb_sg.aggregator.requests import AggregatorClients  # noqa: PLC0415
    from alb_sg.command_line.sources.live import open_aggregator_client, open_client  # noqa: PLC0415

    clients = AggregatorClients(
        config=open_aggregator_client(arguments.profile, arguments.region),
        organizations=open_client(arguments.profile, arguments.region, "organizations") if with_account_names else None,
    )
    with Progress(f"reading aggregator {arguments.aggregator}: calls") as progress:
        observation = observe(clients, arguments.aggregator, rules, as_of, progress)
    return observation if exemptions is None else apply_exemptions(observation, exemptions)


def refuse_judging_options(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError where an option is given that an aggregator has no use for."""
    for name, sentence in REFUSED_OPTIONS.items():
        if getattr(arguments, name):
            raise InvalidInputError(sentence)
