"""The options that choose a source, and the estates that the chosen source gives."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from alb_sg.command_line.argument_types import add_repeatable
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.files import load_files
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, refuse_unknown_names
from alb_sg.command_line.sources.planned import PLANNED_HELP, add_planned_arguments, is_planned, load_planned_estates
from alb_sg.command_line.sources.role_options import reads_with_role
from alb_sg.errors import InvalidInputError
from alb_sg.parameters import Source

SOURCES_HELP = (
    """sources:
  Without --estate and --config-items, the command reads the live account with the credentials of boto3's default
  chain (environment, ~/.aws, SSO, roles) or of --profile, in the region of that profile or in each --region.
  --estate F         a saved estate, as `alb-sg export` writes it and as `aws elbv2 describe-…` and
                     `aws ec2 describe-…` print its sections (.json, .json.gz, - for standard input)
  --config-items F   AWS Config items: a ConfigSnapshot or ConfigHistory file, or a folder of them
  Repeat and combine both as needed. With either, the command calls no AWS API.
"""
    + PLANNED_HELP
)
RECORDINGS_HELP = """\
  --source config    the live account, read from AWS Config's recordings with a tenth of the calls or less.
                     Unrecorded types, target interfaces and prefix lists come from EC2 and Elastic Load Balancing
  --aggregator NAME  every account and region that this AWS Config aggregator collects from; --region and --profile
                     locate the aggregator. The command calls no member account. Missing data is an error that names it
"""


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that choose a source, and their explanation at the end of the help."""
    # Commands without the recording options read these two as well.
    parser.set_defaults(source=None, aggregator=None)
    group = parser.add_argument_group("sources")
    add_repeatable(
        group,
        "--estate",
        metavar="F",
        help="a saved estate, a folder or a pattern such as 'estates/*.json'; repeatable",
    )
    add_repeatable(group, "--config-items", metavar="F", help="a file of AWS Config items; repeatable")
    add_live_options(group)
    add_planned_arguments(group)
    parser.epilog = f"{parser.epilog}\n{SOURCES_HELP}"


def add_recording_options(parser: argparse.ArgumentParser) -> None:
    """Adds AWS Config's recordings as sources, after `add_source_options`."""
    group = parser.add_argument_group("recordings of AWS Config")
    group.add_argument(
        "--source",
        choices=[source.value for source in Source],
        help="live (default), or config: AWS Config's recordings of the account, and live calls for the rest",
    )
    group.add_argument(
        "--aggregator",
        metavar="NAME",
        help="every account and region that this AWS Config aggregator collects from",
    )
    parser.epilog = f"{parser.epilog}{RECORDINGS_HELP}"


def add_live_options(group: argparse._ActionsContainer) -> None:
    group.add_argument("-p", "--profile", metavar="P", help="live: a profile of ~/.aws/config")
    add_repeatable(
        group,
        "-r",
        "--region",
        metavar="R",
        help="live: a region; repeatable; all: every region that is enabled in the account",
    )


def load_estates(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    load_balancer_names: Sequence[str] = (),
    *,
    include_all_targets: bool = False,
    also_security_groups: Iterable[str] = (),
) -> LoadedEstates:
    """The estates of the chosen source, with what the selected rules need.

    `load_balancer_names` are ARNs or names; without any, all load balancers are selected. `include_all_targets` looks
    up every target, also where no verdict depends on it. Raises InvalidInputError, also for an unknown name.
    """
    # A role reads a live account, and no other source.
    reads_with_role(arguments)
    if is_planned(arguments):
        loaded = load_planned_estates(arguments, load_balancer_names)
    elif arguments.estate or arguments.config_items:
        if arguments.profile or arguments.region:
            raise InvalidInputError(
                "--profile and --region are for live accounts; omit them with --estate and --config-items"
            )
        if arguments.source is not None or arguments.aggregator is not None:
            raise InvalidInputError(
                "--source and --aggregator read from AWS; omit them with --estate and --config-items"
            )
        loaded = load_files(arguments.estate, arguments.config_items, load_balancer_names)
    elif arguments.aggregator is not None:
        from alb_sg.command_line.sources.aggregator_inventory import load_aggregator_inventory  # noqa: PLC0415 (see below)

        if arguments.source is not None:
            raise InvalidInputError("--aggregator is a source of its own; omit --source")
        loaded = load_aggregator_inventory(
            arguments.profile, arguments.region, arguments.aggregator, load_balancer_names
        )
    else:
        # Importing boto3 takes a third of a second, which commands on files do not need.
        from alb_sg.command_line.sources.live import load_live_estates  # noqa: PLC0415 (see above)

        loaded = load_live_estates(
            arguments,
            selection,
            load_balancer_names,
            include_all_targets=include_all_targets,
            also_security_groups=frozenset(also_security_groups),
        )
    refuse_unknown_names(loaded, load_balancer_names)
    return loaded


def reads_only_config_items(arguments: argparse.Namespace) -> bool:
    """Whether the run judges every load balancer of files of Config items, and reads nothing else."""
    others = (
        arguments.estate,
        arguments.load_balancer,
        arguments.profile,
        arguments.region,
        arguments.source,
        arguments.aggregator,
        is_planned(arguments),
    )
    return bool(arguments.config_items) and not any(others)
