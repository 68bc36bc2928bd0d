"""The evaluations that an AWS Config aggregator has collected, for `alb-sg verdicts` and the dashboard."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from alb_sg.aggregator.exemptions import apply_exemptions
from alb_sg.command_line.argument_types import given_option
from alb_sg.command_line.progress import Progress
from alb_sg.errors import InvalidInputError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.observation import Observation

AGGREGATOR_HELP = """the aggregator:
  Give the credentials (boto3's default chain, or --profile) and the region (of the profile, or --region) of the
  account that owns the aggregator. The command calls no member account. It needs
  config:DescribeAggregateComplianceByConfigRules, config:GetAggregateComplianceDetailsByConfigRule (one call for each
  rule, account and region, five per second), config:SelectAggregateResourceConfig and, for coverage,
  config:DescribeConfigurationAggregatorSourcesStatus.
  An aggregator keeps no NOT_APPLICABLE: load balancers without a verdict are counted only. Where a deployed rule has no
  verdict on any load balancer of an account and region, each of them is an error.
"""
ACCOUNT_NAMES_HELP = """\
  Names and units of accounts need organizations:ListRoots, ListOrganizationalUnitsForParent, ListAccountsForParent
  and ListAccounts; without these permissions the page shows account ids alone.
"""


def read_observation(
    arguments: argparse.Namespace,
    rules: Sequence[str] | None,
    as_of: datetime,
    exemptions: LoadedExemptions | None = None,
    *,
    with_account_names: bool = True,
) -> Observation:
    """The recorded evaluations of the named rules (None: of all) in aggregator `arguments.aggregator`, with exemptions
    applied.

    `with_account_names` also reads names and units of accounts. Raises InvalidInputError, and NotReadError if a call
    fails.
    """
    # Importing boto3 takes a third of a second, which commands on files do not need.
    from alb_sg.aggregator.observe import observe  # noqa: PLC0415 (see above)
    from alb_sg.aggregator.requests import AggregatorClients  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.command_line.sources.live import open_aggregator_client, open_client  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.command_line.sources.sessions import given_credentials  # noqa: PLC0415 (slow, and not always needed)

    credentials = given_credentials(arguments)
    clients = AggregatorClients(
        config=open_aggregator_client(credentials, arguments.region),
        organizations=open_client(credentials, arguments.region, "organizations") if with_account_names else None,
    )
    with Progress(f"reading aggregator {arguments.aggregator}: calls") as progress:
        observation = observe(clients, arguments.aggregator, rules, as_of, progress)
    return observation if exemptions is None else apply_exemptions(observation, exemptions)


def with_organization_names(observation: Observation, arguments: argparse.Namespace) -> Observation:
    """The observation with the names and units of accounts; what Organizations does not tell is a gap."""
    from alb_sg.aggregator.organization import read_account_names  # noqa: PLC0415 (see above)
    from alb_sg.aws.calls import CallPool  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.command_line.sources.live import open_client  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.command_line.sources.sessions import Credentials  # noqa: PLC0415 (slow, and not always needed)

    with CallPool() as calls:
        client = open_client(Credentials(arguments.profile), arguments.region, "organizations")
        accounts, gaps = read_account_names(calls, client)
    completeness = replace(observation.completeness, gaps=(*observation.completeness.gaps, *gaps))
    return replace(observation, accounts=accounts, completeness=completeness)


def refuse_judging_options(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError for an option that does not apply to an aggregator."""
    if (option := given_option(arguments, "--estate", "--config-items")) is not None:
        raise InvalidInputError(f"{option} is another source; omit it with --aggregator")
    if arguments.parameter:
        raise InvalidInputError(
            "an aggregator holds the deployed rules' verdicts, with their own parameters; omit --parameter, or judge "
            "the items in the aggregator with `dashboard --verdicts own`"
        )
