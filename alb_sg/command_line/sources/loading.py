"""Where the estates of a run come from: files, or the accounts and regions that credentials open."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.findings.finding import EvaluationError
from alb_sg.parameters import Source

SOURCES_HELP = """where load balancers are read from:
  Without --estate and --config-items the account is read live with the credentials of boto3's usual places
  (environment, ~/.aws, SSO, roles) or of --profile, in the region of that profile or in every --region.
  --estate F         a saved estate, as `alb-sg export` writes it and as `aws elbv2 describe-…` and
                     `aws ec2 describe-…` print its sections (.json, .json.gz, - for standard input)
  --config-items F   AWS Config items: a ConfigSnapshot or ConfigHistory file, or a folder of them
  Both may be repeated and combined; nothing is called then.
"""
RECORDINGS_HELP = """\
  --source config    live, but read from what AWS Config has recorded of the account: a tenth of the calls or less.
                     What is not recorded, target interfaces and prefix lists are read from the other services
  --aggregator NAME  the accounts and regions that this aggregator of AWS Config collects from; --region and --profile
                     say where it is. No call is made to any of them. What it does not tell is an error that names it
"""


@dataclass(frozen=True)
class LoadedEstates:
    """The estates of a run by account and region, the load balancers to judge in each, and what could not be
    enumerated."""

    estates: Sequence[Estate]
    load_balancers_by_account_region: Mapping[tuple[str, str], Sequence[LoadBalancer]]
    errors: Sequence[EvaluationError]

    @property
    def load_balancers(self) -> list[tuple[Estate, LoadBalancer]]:
        return [
            (estate, found)
            for estate in self.estates
            for found in self.load_balancers_by_account_region[account_region_key(estate)]
        ]


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    # For those commands that do not offer them.
    parser.set_defaults(source=None, aggregator=None)
    group = parser.add_argument_group("sources")
    group.add_argument("--estate", action="append", default=[], metavar="F", help="a saved estate; repeatable")
    group.add_argument(
        "--config-items", action="append", default=[], metavar="F", help="a file of AWS Config items; repeatable"
    )
    add_live_options(group)


def add_recording_arguments(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--source",
        choices=[source.value for source in Source],
        help="live (default); config: from what AWS Config has recorded of the account, and live for the rest",
    )
    group.add_argument(
        "--aggregator",
        metavar="NAME",
        help="from this aggregator of AWS Config: every account and region that it collects from",
    )


def add_live_options(group: argparse._ActionsContainer) -> None:
    group.add_argument("--profile", metavar="P", help="live: a profile of ~/.aws/config")
    group.add_argument("--region", action="append", default=[], metavar="R", help="live: a region; repeatable")


def load_estates(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    load_balancer_names: Sequence[str] = (),
    *,
    include_all_targets: bool = False,
    also_security_groups: Iterable[str] = (),
) -> LoadedEstates:
    """Everything that the rules chosen need of the load balancers named (ARNs or names; all where none is).

    `all_targets`: looked up even where no verdict hangs on them, for what is said about them. Raises InvalidInputError,
    also for a name that is nobody's.
    """
    if arguments.estate or arguments.config_items:
        if arguments.profile or arguments.region:
            raise InvalidInputError("--profile and --region are for live use; leave them out beside files")
        if arguments.source is not None or arguments.aggregator is not None:
            raise InvalidInputError("--source and --aggregator ask AWS; leave them out beside files")
        gathered = _load_files(arguments.estate, arguments.config_items, load_balancer_names)
    elif arguments.aggregator is not None:
        from alb_sg.command_line.sources.aggregator_inventory import load_aggregator_inventory  # noqa: PLC0415 (as said below)

        if arguments.source is not None:
            raise InvalidInputError("an aggregator is a source of its own; leave --source out")
        gathered = load_aggregator_inventory(
            arguments.profile, arguments.region, arguments.aggregator, load_balancer_names
        )
    else:
        # boto3 takes a third of a second to import, which files need not wait for.
        from alb_sg.command_line.sources.live import load_live_estates  # noqa: PLC0415 (as said above)

        gathered = load_live_estates(
            arguments.profile,
            arguments.region,
            selection,
            load_balancer_names,
            from_config=arguments.source == Source.CONFIG.value,
            include_all_targets=include_all_targets,
            also_security_groups=frozenset(also_security_groups),
        )
    _refuse_unknown_names(gathered, load_balancer_names)
    return gathered


def reads_only_config_items(arguments: argparse.Namespace) -> bool:
    """Whether all load balancers in files of configuration items are asked for, and nothing else is given."""
    others = (
        arguments.estate,
        arguments.load_balancer,
        arguments.profile,
        arguments.region,
        arguments.source,
        arguments.aggregator,
    )
    return bool(arguments.config_items) and not any(others)


def require_single_load_balancer(loaded_estates: LoadedEstates, name: str) -> tuple[Estate, LoadBalancer]:
    """The load balancer of a name or ARN that was asked for alone.

    Raises InvalidInputError where several have the name, NotReadError where none was found and not all could be
    enumerated.
    """
    found = loaded_estates.load_balancers
    if len(found) > 1:
        arns = ", ".join(load_balancer.arn for _, load_balancer in found)
        raise InvalidInputError(f"{name!r} is the name of {len(found)} load balancers; give the ARN of one: {arns}")
    if not found:
        raise NotReadError(loaded_estates.errors[0].what, loaded_estates.errors[0].cause)
    return found[0]


def account_region_key(estate: Estate) -> tuple[str, str]:
    return estate.account_id, estate.region


def enumeration_error(estate: Estate, failure: ReadFailure) -> EvaluationError:
    """What a failure says of the load balancers there are: of one (its key), or of all of an account and region."""
    what = (
        f"{failure.section} of {estate.account_id} {estate.region}"
        if failure.key is None
        else f"load balancer {failure.key}"
    )
    return EvaluationError(estate.account_id, estate.region, failure.key, None, what, failure.cause)


def has_name_or_arn(load_balancer: LoadBalancer, name_or_arn: str) -> bool:
    return name_or_arn in (load_balancer.arn, load_balancer.name)


def _load_files(
    export_files: Sequence[str], config_items: Sequence[str], load_balancer_names: Sequence[str]
) -> LoadedEstates:
    origins: dict[tuple[str, str], str] = {}
    found: list[Estate] = []

    def add(estates: Iterable[Estate], origin: str) -> None:
        for estate in estates:
            where = account_region_key(estate)
            if where in origins:
                raise InvalidInputError(
                    f"account {estate.account_id} in {estate.region} comes twice, from {origins[where]} and "
                    f"{origin}; give each account and region once"
                )
            origins[where] = origin
            found.append(estate)

    for path in export_files:
        add(read_export_file(path), path)
    if config_items:
        with Progress("reading AWS Config items") as progress:
            add(read_config_items(config_items, progress), "--config-items")
    if not found:
        given = ", ".join((*export_files, *config_items))
        raise InvalidInputError(
            f"{given}: no item of a type that the rules read (load balancers, listeners, groups, …)"
        )
    return select_in_estates(link_estates(sorted(found, key=account_region_key)), load_balancer_names)


def select_in_estates(estates: Sequence[Estate], load_balancer_names: Sequence[str]) -> LoadedEstates:
    """Estates that were read from files, by account and region, and those of their load balancers that are named."""
    return LoadedEstates(
        estates,
        {account_region_key(estate): select_load_balancers(estate, load_balancer_names) for estate in estates},
        [
            enumeration_error(estate, failure)
            for estate in estates
            for failure in estate.failures
            if failure.section == "LoadBalancers"
        ],
    )


def select_load_balancers(estate: Estate, load_balancer_names: Sequence[str]) -> list[LoadBalancer]:
    """The load balancers of these names and ARNs, or all where none is given, by ARN."""
    every = sorted(estate.load_balancers.values(), key=attrgetter("arn"))
    return (
        [found for found in every if any(has_name_or_arn(found, name) for name in load_balancer_names)]
        if load_balancer_names
        else every
    )


def _refuse_unknown_names(loaded_estates: LoadedEstates, load_balancer_names: Iterable[str]) -> None:
    """A name that is nobody's is a mistake, unless not all load balancers could be enumerated."""
    found = [one for _, one in loaded_estates.load_balancers]
    failed = {error.load_balancer_arn for error in loaded_estates.errors}
    for name in load_balancer_names:
        if name in failed or None in failed or any(has_name_or_arn(one, name) for one in found):
            continue
        where = ", ".join(f"{estate.account_id} {estate.region}" for estate in loaded_estates.estates[:4])
        more = len(loaded_estates.estates) - 4
        raise InvalidInputError(
            f"no load balancer is called {name!r} in {where}{f' and {more} more' if more > 0 else ''}; give its "
            "name or ARN"
        )
