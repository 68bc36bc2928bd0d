"""The estates that a run has loaded, and the load balancers that it judges in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from alb_sg.command_line.suggestions import did_you_mean
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import EvaluationError, enumeration_error

if TYPE_CHECKING:
    # Importing botocore takes a third of a second, which commands on files do not need.
    from alb_sg.command_line.sources.sessions import Credentials

    # Slow to import, and for plans and templates alone.
    from alb_sg.estate.planned.resources import DocumentResources

# The most load balancers of one name that an error lists.
MAX_LISTED_NAMES = 8


@dataclass(frozen=True)
class LoadedEstates:
    """The estates of a run, the load balancers to judge in each, and the enumerations that failed.

    `from_config_items` holds the keys of the estates that come from files of Config items. `document` has the
    resources of a plan or template. `credentials` are those that read a live account. Both are None for every other
    source.
    """

    estates: Sequence[Estate]
    load_balancers_by_account_region: Mapping[tuple[str, str], Sequence[LoadBalancer]]
    errors: Sequence[EvaluationError]
    from_config_items: frozenset[tuple[str, str]] = frozenset()
    document: DocumentResources | None = None
    credentials: Credentials | None = None

    @property
    def load_balancers(self) -> list[tuple[Estate, LoadBalancer]]:
        return [
            (estate, found)
            for estate in self.estates
            for found in self.load_balancers_by_account_region[estate.account_region]
        ]


def select_in_estates(estates: Sequence[Estate], load_balancer_names: Sequence[str]) -> LoadedEstates:
    """The estates with those of their load balancers that have one of the names; all without any name."""
    return LoadedEstates(
        estates,
        {estate.account_region: select_load_balancers(estate, load_balancer_names) for estate in estates},
        [
            enumeration_error(estate, failure)
            for estate in estates
            for failure in estate.failures
            if failure.section == Section.LOAD_BALANCERS
        ],
    )


def select_load_balancers(estate: Estate, load_balancer_names: Sequence[str]) -> list[LoadBalancer]:
    """The load balancers of an estate with one of these names or ARNs, sorted by ARN; all without any name."""
    every = sorted(estate.load_balancers.values(), key=attrgetter("arn"))
    return (
        [found for found in every if any(has_name_or_arn(found, name) for name in load_balancer_names)]
        if load_balancer_names
        else every
    )


def require_single_load_balancer(loaded_estates: LoadedEstates, name: str) -> tuple[Estate, LoadBalancer]:
    """The one load balancer that a command was given by name or ARN.

    Raises InvalidInputError if several have the name, and NotReadError if none was found and an enumeration failed.
    """
    found = loaded_estates.load_balancers
    refuse_ambiguous_names(loaded_estates, [name])
    if not found:
        raise NotReadError(loaded_estates.errors[0].what, loaded_estates.errors[0].cause)
    return found[0]


def refuse_ambiguous_names(loaded_estates: LoadedEstates, load_balancer_names: Iterable[str]) -> None:
    """Raises InvalidInputError for a name of several load balancers, and lists them."""
    for name in load_balancer_names:
        found = [pair for pair in loaded_estates.load_balancers if has_name_or_arn(pair[1], name)]
        if len(found) > 1:
            listed = "; ".join(
                f"{estate.account_id} {estate.region} {one.scheme} {one.arn}"
                for estate, one in found[:MAX_LISTED_NAMES]
            )
            more = f"; and {len(found) - MAX_LISTED_NAMES} more" if len(found) > MAX_LISTED_NAMES else ""
            raise InvalidInputError(f"{name!r} names {len(found)} load balancers; give the ARN of one: {listed}{more}")


def has_name_or_arn(load_balancer: LoadBalancer, name_or_arn: str) -> bool:
    return name_or_arn in (load_balancer.arn, load_balancer.name)


def refuse_unknown_names(loaded_estates: LoadedEstates, load_balancer_names: Iterable[str]) -> None:
    """Raises InvalidInputError for a name without a load balancer, unless an enumeration failed."""
    found = [one for _, one in loaded_estates.load_balancers]
    failed = {error.load_balancer_arn for error in loaded_estates.errors}
    for name in load_balancer_names:
        if name in failed or None in failed or any(has_name_or_arn(one, name) for one in found):
            continue
        places = [f"{estate.account_id} {estate.region}".strip() for estate in loaded_estates.estates[:4]]
        # A planned estate may have neither.
        where = ", ".join(filter(None, places)) or "what was read"
        more = len(loaded_estates.estates) - 4
        known = {one.name for estate in loaded_estates.estates for one in estate.load_balancers.values()}
        raise InvalidInputError(
            f"no load balancer has the name {name!r} in {where}{f' and {more} more' if more > 0 else ''}; give its "
            f"name or ARN{did_you_mean(name, known)}"
        )
