"""The live source: from a selection of load balancers to an estate, in as few calls as the question takes.

Calls are made in stages; those of one stage do not depend on one another and run at the same time:

0. `recall`, where AWS Config is given as well: what it has recorded of the stages below, and these then leave out;
1. `find`: load balancers and target groups, and where target groups lead to load balancers, their registrations;
2. `describe`: listeners, registrations, security groups, VPCs and tags, and `confirm` for registrations that are known
   from AWS Config alone and more hangs on than that;
3. `look_up`: only where a verdict hangs on them, registered instances, the network interfaces that hold
   registered addresses, and prefix lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alb_sg.aws.calls import CallPool, LiveClients, Progress
from alb_sg.aws.rate_limits import RATE_LIMITER, RateLimiter
from alb_sg.estate.estate import ReadFailure
from alb_sg.estate.model import LoadBalancer
from alb_sg.live.details import confirm_targets, read_details
from alb_sg.live.enumeration import find_load_balancers, followed_target_groups
from alb_sg.live.export import export_sections
from alb_sg.live.load_context import LoadContext
from alb_sg.live.lookup_requests import read_lookups
from alb_sg.live.lookups import ReadRequest
from alb_sg.live.partial_estate import PartialEstate
from alb_sg.live.requests import DescribeRequests
from alb_sg.live.selection import LoadResult, Selection
from alb_sg.recommendations.applicability import is_applicable

# Collected, empty or not, as soon as they are asked for. Targets and their interfaces are collected once one of
# them was to be looked up.
_INCLUDED_WHEN_REQUESTED = frozenset(
    {
        "Listeners",
        "TargetGroups",
        "TargetHealthDescriptions",
        "SecurityGroups",
        "Vpcs",
        "ManagedPrefixLists",
        "Tags",
    }
)


class LiveSource:
    """One account and region as its APIs answer now. `progress(done, total)` counts the calls known so far."""

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
        """Reads what `sections` (those of several recommendations, together) ask of the selected load balancers.

        A call that fails leaves what it was for unread; everything else is still read. Targets are looked up only
        where the security groups leave a verdict open. `look_up_all_targets` has all of them looked up, and every
        prefix list that the groups name, for whoever matches targets by group or is about to change ports;
        `Selection.also_security_groups` implies it. `prefix_lists` are read as well, and so are those that the
        load balancers' tag of `tag_key` names.
        """
        also = selection.also_security_groups
        question = ReadRequest(sections, look_up_all_targets or bool(also), prefix_lists, tag_key, also)
        reading = PartialEstate(self._account_id, self._region, set(sections & _INCLUDED_WHEN_REQUESTED))
        with CallPool(self._progress) as calls:
            run = LoadContext(calls, self._requests, reading, selection, question)
            if self._clients.config is not None:
                # Whoever judges live state need not load what reads configuration items.
                from alb_sg.live.recordings import read_recordings  # noqa: PLC0415 (as said above)

                read_recordings(run, self._clients.config)
            find_load_balancers(run)
            selected = selection.select(reading.load_balancers.values(), reading.target_groups, reading.targets)
            judged = [load_balancer for load_balancer in selected if is_applicable(load_balancer)]
            read_details(run, judged)
            confirm_targets(run, judged)
            read_lookups(run, judged)
        return LoadResult(
            estate=run.estate(),
            selected=tuple(found for found in selected if found.arn not in reading.deleted),
            enumeration_failure=_enumeration_failure(run),
            not_found=_names_not_found(run, selected),
        )

    def export(self) -> dict[str, Any]:
        """Everything of the account and region as a saved estate holds it: the APIs' own values.

        Raises NotReadError, naming what and the call, where any of it could not be read.
        """
        with CallPool(self._progress) as calls:
            return export_sections(calls, self._requests, self._account_id, self._region)


def _enumeration_failure(context: LoadContext) -> ReadFailure | None:
    """Why the selection may mean more load balancers than were found."""
    leading = followed_target_groups(context)
    return next(
        (
            failure
            for failure in context.partial_estate.failures
            if failure.section == "LoadBalancers"
            or (failure.section == "TargetGroups" and context.selection.follows_target_groups)
            or (failure.section == "TargetHealthDescriptions" and failure.key in leading)
        ),
        None,
    )


def _names_not_found(context: LoadContext, selected: Iterable[LoadBalancer]) -> tuple[str, ...]:
    known = {name for found in selected for name in (found.arn, found.name)}
    # What a failed call was to find may well be there.
    unknown = (
        frozenset() if context.partial_estate.failures_of("LoadBalancers") else context.selection.load_balancers - known
    )
    return tuple(sorted(unknown | context.partial_estate.deleted))
