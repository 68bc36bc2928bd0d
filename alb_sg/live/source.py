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

from alb_sg.estate.estate import Failure
from alb_sg.estate.model import LoadBalancer
from alb_sg.live.calls import Calls, LiveClients, Progress
from alb_sg.live.describe import confirm, describe
from alb_sg.live.find import find, found_through
from alb_sg.live.look_up import look_up
from alb_sg.live.need import Question, is_judged
from alb_sg.live.pacing import PACE, Pace
from alb_sg.live.raw import raw_sections
from alb_sg.live.reading import Reading
from alb_sg.live.requests import Requests
from alb_sg.live.run import Run
from alb_sg.live.selection import Loaded, Selection

# Collected, empty or not, as soon as they are asked for. Targets and their interfaces are collected once one of
# them was to be looked up.
_COLLECTED_WHEN_ASKED = frozenset(
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
        pace: Pace = PACE,
    ) -> None:
        for client in clients.all:
            pace.keep(client, account_id)
        self._clients = clients
        self._requests = Requests(clients)
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
    ) -> Loaded:
        """Reads what `sections` (those of several recommendations, together) ask of the selected load balancers.

        A call that fails leaves what it was for unread; everything else is still read. Targets are looked up only
        where the security groups leave a verdict open. `look_up_all_targets` has all of them looked up, and every
        prefix list that the groups name, for whoever matches targets by group or is about to change ports;
        `Selection.also_security_groups` implies it. `prefix_lists` are read as well, and so are those that the
        load balancers' tag of `tag_key` names.
        """
        also = selection.also_security_groups
        question = Question(sections, look_up_all_targets or bool(also), prefix_lists, tag_key, also)
        reading = Reading(self._account_id, self._region, set(sections & _COLLECTED_WHEN_ASKED))
        with Calls(self._progress) as calls:
            run = Run(calls, self._requests, reading, selection, question)
            if self._clients.config is not None:
                # Whoever judges live state need not load what reads configuration items.
                from alb_sg.live.recorded import recall  # noqa: PLC0415 (as said above)

                recall(run, self._clients.config)
            find(run)
            selected = selection.select(reading.load_balancers.values(), reading.target_groups, reading.targets)
            judged = [load_balancer for load_balancer in selected if is_judged(load_balancer)]
            describe(run, judged)
            confirm(run, judged)
            look_up(run, judged)
        return Loaded(
            estate=run.estate(),
            selected=tuple(found for found in selected if found.arn not in reading.deleted),
            incomplete=_incomplete(run),
            missing=_missing(run, selected),
        )

    def raw(self) -> dict[str, Any]:
        """Everything of the account and region as a saved estate holds it: the APIs' own values.

        Raises Unread, naming what and the call, where any of it could not be read.
        """
        with Calls(self._progress) as calls:
            return raw_sections(calls, self._requests, self._account_id, self._region)


def _incomplete(run: Run) -> Failure | None:
    """Why the selection may mean more load balancers than were found."""
    leading = found_through(run)
    return next(
        (
            failure
            for failure in run.reading.failures
            if failure.section == "LoadBalancers"
            or (failure.section == "TargetGroups" and run.selection.through_target_groups)
            or (failure.section == "TargetHealthDescriptions" and failure.key in leading)
        ),
        None,
    )


def _missing(run: Run, selected: Iterable[LoadBalancer]) -> tuple[str, ...]:
    known = {name for found in selected for name in (found.arn, found.name)}
    # What a failed call was to find may well be there.
    unknown = frozenset() if run.reading.failed("LoadBalancers") else run.selection.load_balancers - known
    return tuple(sorted(unknown | run.reading.deleted))
