"""The live source: reads the selected load balancers into an estate with as few calls as possible.

It makes calls in stages. The calls of one stage are independent and run at the same time:

0. `read_recordings`, with a client of AWS Config: recorded sections, which the next stages then do not read
1. `find_load_balancers`: load balancers and target groups, and the registrations that lead to load balancers
2. `read_details`: listeners, registrations, security groups and who carries them, VPCs and tags; `confirm_targets`
   reads registrations again if a verdict depends on them and only AWS Config has been read
3. `read_lookups`: registered instances, the network interfaces of registered addresses and prefix lists, only if a
   verdict depends on them
4. `read_target_sides`: the security groups of targets, the prefix lists in them, and the load balancers' subnets
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alb_sg.aws.calls import CallPool, Progress
from alb_sg.aws.rate_limits import RATE_LIMITER, RateLimiter
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.sections import SECTION_ATTRIBUTES, Section
from alb_sg.live.confirmation import Confirmation, confirm_load_balancers
from alb_sg.live.details import confirm_targets, read_details
from alb_sg.live.enumeration import find_load_balancers
from alb_sg.live.export import AccountExport
from alb_sg.live.load_context import LoadContext
from alb_sg.live.lookup_requests import read_lookups, read_target_sides
from alb_sg.live.lookups import ReadRequest
from alb_sg.live.partial_estate import PartialEstate
from alb_sg.live.requests import DescribeRequests, LiveClients
from alb_sg.live.selection import Selection
from alb_sg.parameters import Parameters, TargetMatch
from alb_sg.recommendations.applicability import is_applicable
from alb_sg.recommendations.recommendation import Recommendation

# The estate includes these sections, even empty, whenever the question needs them. It includes instances and network
# interfaces once one of them is looked up.
_INCLUDED_WHEN_REQUESTED = SECTION_ATTRIBUTES.keys() - {
    Section.INSTANCES,
    Section.NETWORK_INTERFACES,
    Section.SECURITY_GROUP_CARRIERS,
}


@dataclass(frozen=True)
class LoadResult:
    """The estate, and the selected load balancers sorted by ARN.

    `enumeration_failure` is a reason why there may be more of them. `not_found` holds the names and ARNs in
    `Selection.load_balancers` that do not exist, and the ARNs of selected load balancers that were deleted during the
    load. AWS was asked for each of them by its own name or ARN. `not_followed` says why load balancers that send to
    carriers of a security group were not looked for: the next run over the whole account judges them. `item_times` are
    the capture times of the resources that come from AWS Config's recordings, by id.
    """

    estate: Estate
    selected: tuple[LoadBalancer, ...]
    enumeration_failure: ReadFailure | None
    not_found: tuple[str, ...]
    not_followed: tuple[str, ...] = ()
    item_times: Mapping[str, datetime] = field(default_factory=dict)

    def oldest_item_time(self, load_balancer: LoadBalancer) -> datetime | None:
        """The capture time of the oldest recorded item of a load balancer and of what belongs to it: listeners,
        security groups, VPC, target groups and Network Load Balancers in front. None where all of it was read live."""
        if not self.item_times:
            return None
        times = (self.item_times.get(resource_id) for resource_id in _resource_ids(self.estate, load_balancer))
        return min((time for time in times if time is not None), default=None)


class LiveSource:
    """The current state of one account and region."""

    def __init__(
        self,
        clients: LiveClients,
        account_id: str,
        region: str,
        progress: Progress | None = None,
        *,
        rate_limiter: RateLimiter = RATE_LIMITER,
    ) -> None:
        for client in clients.all:
            rate_limiter.limit_client(client, account_id)
        self._clients = clients
        self._requests = DescribeRequests(clients)
        self._account_id = account_id
        self._region = region
        self._progress = progress

    def load(
        self,
        selection: Selection,
        sections: frozenset[str],
        *,
        look_up_all_targets: bool = False,
        prefix_lists: frozenset[str] = frozenset(),
        tag_key: str | None = None,
    ) -> LoadResult:
        """Reads `sections`, as the recommendations need them, for the selected load balancers.

        A failed call leaves its resources unread and does not stop the others. Targets are looked up only where the
        security groups leave a verdict open. `look_up_all_targets` looks up all targets, and every prefix list that
        the groups reference, as matching targets by group and planning a change of ports require;
        `Selection.also_security_groups` implies it. `prefix_lists` are read as well, like those that the load
        balancers' tag of `tag_key` names.
        """
        also = selection.also_security_groups
        read_request = ReadRequest(sections, look_up_all_targets or bool(also), prefix_lists, tag_key, also)
        partial_estate = PartialEstate(self._account_id, self._region, set(_INCLUDED_WHEN_REQUESTED & sections))
        with CallPool(self._progress) as calls:
            context = LoadContext(calls, self._requests, partial_estate, selection, read_request)
            if self._clients.config is not None:
                # A function that reads live state alone need not import the reader of configuration items.
                from alb_sg.live.recordings import read_recordings  # noqa: PLC0415 (see above)

                read_recordings(context, self._clients.config)
            context = find_load_balancers(context)
            selected = context.selection.select(
                partial_estate.load_balancers.values(), partial_estate.target_groups, partial_estate.targets
            )
            applicable = [load_balancer for load_balancer in selected if is_applicable(load_balancer)]
            read_details(context, applicable)
            confirm_targets(context, applicable)
            read_lookups(context, applicable)
            read_target_sides(context, applicable)
        return LoadResult(
            estate=context.estate(),
            selected=tuple(found for found in selected if found.arn not in partial_estate.deleted),
            enumeration_failure=_enumeration_failure(context),
            not_found=_names_not_found(context, selected),
            not_followed=tuple(partial_estate.not_followed),
            item_times=partial_estate.item_times,
        )

    def load_for_rules(
        self,
        selection: Selection,
        rules: Mapping[Recommendation, Parameters],
        *,
        look_up_all_targets: bool = False,
        also_sections: frozenset[str] = frozenset(),
    ) -> LoadResult:
        """As `load`, of everything that the verdicts of these rules depend on. Raises InvalidInputError for rules with
        different tags."""
        sections = (rule.sections_to_read(parameters) for rule, parameters in rules.items())
        by_group = any(parameters.target_match is TargetMatch.SECURITY_GROUP for parameters in rules.values())
        prefix_lists = (parameters.accepted_prefix_lists for parameters in rules.values())
        return self.load(
            selection,
            also_sections.union(*sections),
            look_up_all_targets=look_up_all_targets or by_group,
            prefix_lists=frozenset[str]().union(*prefix_lists),
            tag_key=single_tag_key(rules),
        )

    def confirm_load_balancers(self, arns: Iterable[str]) -> Confirmation:
        """Asks for load balancers by ARN, in batches: which exist, although a list may lack them, and which do not."""
        with CallPool(self._progress) as calls:
            return confirm_load_balancers(calls, self._requests, arns)

    def export(self) -> dict[str, Any]:
        """The account and region as an export file's object, with the APIs' own values.

        Raises NotReadError, which names the section and the call, if any of it could not be read.
        """
        with self.export_in_steps() as export:
            export.read_details(export.load_balancers, export.target_groups, export.load_balancers)
            return export.document()

    @contextmanager
    def export_in_steps(self) -> Iterator[AccountExport]:
        """The account and region without details, which the caller reads inside the context.

        Raises NotReadError as `export` does.
        """
        with CallPool(self._progress) as calls:
            yield AccountExport(calls, self._requests, self._account_id, self._region)


def single_tag_key(rules: Mapping[Recommendation, Parameters]) -> str | None:
    """The tag that rules name. Raises InvalidInputError for several: a live source reads one of them."""
    keys = sorted({parameters.tag_key for parameters in rules.values() if parameters.tag_key is not None})
    if len(keys) > 1:
        raise InvalidInputError(f"live, all rules share one TagKey, not {' and '.join(keys)}")
    return next(iter(keys), None)


def _enumeration_failure(context: LoadContext) -> ReadFailure | None:
    """A reason why the selection may include more load balancers than were found."""
    followed = {group.arn for group in context.followed_target_groups}
    return next(
        (
            failure
            for failure in context.partial_estate.failures
            if failure.section == Section.LOAD_BALANCERS
            or (failure.section == Section.TARGET_GROUPS and context.selection.follows_target_groups)
            or (failure.section == Section.TARGET_HEALTH_DESCRIPTIONS and failure.key in followed)
        ),
        None,
    )


def _names_not_found(context: LoadContext, selected: Iterable[LoadBalancer]) -> tuple[str, ...]:
    known = {name for found in selected for name in (found.arn, found.name)}
    partial_estate = context.partial_estate
    # After a failed call the load balancer may well exist.
    failed = partial_estate.failures_of(Section.LOAD_BALANCERS)
    unknown = frozenset() if failed else context.selection.load_balancers - known
    return tuple(sorted(unknown | (partial_estate.deleted & known)))


def _resource_ids(estate: Estate, load_balancer: LoadBalancer) -> Iterator[str]:
    yield from _own_ids(estate, load_balancer)
    # What was not read has no recorded item, and a verdict that depends on it is an error.
    with suppress(NotReadError):
        yield from (group.arn for group in estate.target_groups_of(load_balancer))
    with suppress(NotReadError):
        for group, _ in estate.alb_registrations_of(load_balancer):
            yield group.arn
            for arn in group.load_balancer_arns or ():
                if arn in estate.load_balancers:
                    yield from _own_ids(estate, estate.load_balancers[arn])


def _own_ids(estate: Estate, load_balancer: LoadBalancer) -> Iterator[str]:
    yield load_balancer.arn
    yield load_balancer.vpc_id
    yield from load_balancer.security_groups
    yield from (listener.arn for listener in (estate.listeners or {}).get(load_balancer.arn, ()))
