"""What an organization's AWS Config aggregator has recorded, as a source of the dashboard and of `alb-sg verdicts`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from alb_sg.command_line.exemption_source import Given
from alb_sg.command_line.exemptions import DAYS
from alb_sg.command_line.progress import Progress
from alb_sg.dashboard.observation import Observation
from alb_sg.errors import UnusableInput
from alb_sg.exemptions.review import Looked, review
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.report.exemptions import ExemptionsReport

HELP = """the aggregator:
  Read with the credentials of boto3's usual places or of --profile, in the region of that profile or in --region: those
  of the account and region that have the aggregator. No member account is called. Needs
  config:SelectAggregateResourceConfig, config:GetAggregateComplianceDetailsByConfigRule (a call for each rule, account
  and region, five in a second) and, for what is expected, config:DescribeConfigurationAggregatorSourcesStatus.
  An aggregator keeps no NOT_APPLICABLE: a load balancer without a verdict is counted, and nothing is said of it.
"""
NAMES_HELP = """\
  Accounts' names and units need organizations:ListRoots, ListOrganizationalUnitsForParent, ListAccountsForParent and
  ListAccounts; without them the accounts' ids stand alone.
"""
# Options of a command that judges, which say nothing to one that reads what was judged.
OF_JUDGING = {
    "estate": "--estate is another source; leave it out beside --aggregator",
    "config_items": "--config-items is another source; leave it out beside --aggregator",
    "parameter": "an aggregator tells what the deployed rules said, with their own parameters; leave --parameter out",
}
NOT_KEPT = "AWS Config keeps no verdict of it, as of all that is not applicable"


def observed(
    arguments: argparse.Namespace,
    rules: Sequence[str],
    as_of: datetime,
    exemptions: Given | None = None,
    *,
    names: bool = True,
) -> Observation:
    """What aggregator `arguments.aggregator` tells of the rules named, read as `--profile` and `--region` say, with
    exemptions applied. `names`: accounts' names and units are asked for, too.

    Raises UnusableInput, and Unread where AWS does not answer.
    """
    # boto3 takes a third of a second to import, which files need not wait for.
    from alb_sg.aggregator.observe import observe  # noqa: PLC0415 (as said above)
    from alb_sg.aggregator.requests import AggregatorClients  # noqa: PLC0415
    from alb_sg.command_line.live import aggregator_client, client_of  # noqa: PLC0415

    clients = AggregatorClients(
        config=aggregator_client(arguments.profile, arguments.region),
        organizations=client_of(arguments.profile, arguments.region, "organizations") if names else None,
    )
    with Progress(f"reading aggregator {arguments.aggregator}: calls") as progress:
        observation = observe(clients, arguments.aggregator, rules, as_of, progress)
    return observation if exemptions is None else _exempted(observation, exemptions)


def refuse_options_of_judging(arguments: argparse.Namespace) -> None:
    """Raises UnusableInput where an option is given that an aggregator has no use for."""
    for name, sentence in OF_JUDGING.items():
        if getattr(arguments, name):
            raise UnusableInput(sentence)


def _exempted(observation: Observation, given: Given) -> Observation:
    """The observation with exemptions: those of load balancers without a verdict count, too, for that is what AWS
    Config makes of a load balancer that is exempt."""
    results, known = observation.results, given.exemptions
    every: list[Finding | JudgementError] = [*results.findings, *results.errors]
    said = {(one.load_balancer_arn or "", one.rule or ""): one for one in every}
    entries = [entry for entry in known.entries if entry.rule in results.rules]
    unsaid = {
        entry: JudgementError(entry.home.account_id, entry.home.region, *entry.key, "the verdict without it", NOT_KEPT)
        for entry in entries
        if entry.key not in said and entry.load_balancer_arn in observation.details
    }
    in_force = [error for entry, error in unsaid.items() if entry.in_force(given.today)]
    findings, errors = given.applied(results.findings, [*results.errors, *in_force])
    errors.sort(key=lambda error: error.sort_key)
    looked = Looked(
        homes=observation.coverage.heard.keys(),
        results={**said, **{entry.key: error for entry, error in unsaid.items()}},
        incomplete=[error for error in results.errors if error.rule is None],
    )
    return replace(
        observation,
        results=replace(results, findings=findings, errors=errors, exemptions_applied=True),
        exemptions=ExemptionsReport(
            known.source,
            given.today,
            DAYS,
            review(entries, looked, given.today, DAYS),
            [one for one in known.malformed if one.rule is None or one.rule in results.rules],
            [] if known.malformed else given.errors,
        ),
    )
