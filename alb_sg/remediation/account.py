"""An account and region as a plan needs it: read at one moment, through the same source as verdicts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.errors import Unread, UnusableInput
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Finding
from alb_sg.live import LiveClients, LiveSource, Selection
from alb_sg.live.calls import Calls, Request
from alb_sg.live.requests import EC2_PAGE, FILTER_VALUES, Requests, batches
from alb_sg.parameters import PREFIX_LIST_ID
from alb_sg.remediation.circumstances import (
    Circumstances,
    group_facts,
    groups_concerned,
    interface_carrier,
    load_balancer_carrier,
    prefix_list_facts,
)
from alb_sg.remediation.placement import dedicated_name
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import Result, make_plan, verdicts
from alb_sg.remediation.policy import Fix


@dataclass(frozen=True)
class Account:
    """Clients of one account and region."""

    clients: LiveClients
    account_id: str
    region: str

    @property
    def ec2(self) -> Any:
        return self.clients.ec2

    @property
    def elbv2(self) -> Any:
        return self.clients.elbv2


def live_plan(account: Account, arn: str, fix: Fix) -> Plan | None:
    """The plan for a load balancer as it is now; None where it exists no more. Raises Unread where it cannot be
    looked for, UnusableInput where rules name clients by different tags."""
    found = look(account, arn, fix)
    if found is None:
        return None
    estate, load_balancer = found
    results = verdicts(estate, load_balancer, fix)
    return make_plan(estate, load_balancer, fix, results, live_circumstances(account, estate, load_balancer, results))


def look(account: Account, arn: str, fix: Fix) -> tuple[Estate, LoadBalancer] | None:
    """A load balancer and what verdicts on it hang on. As `live_plan`."""
    tag_keys = sorted({given.tag_key for given in fix.rules.values() if given.tag_key is not None})
    if len(tag_keys) > 1:
        raise UnusableInput(f"live, all rules share one TagKey, not {' and '.join(tag_keys)}")
    sections = frozenset(section for rule in fix.rules for section in rule.sections)
    accepted = (source for given in fix.rules.values() for source in given.accepted_sources)
    loaded = LiveSource(account.clients, account.account_id, account.region).load(
        Selection(load_balancers=frozenset({arn})),
        sections if tag_keys else sections - {"Tags"},
        # A target's groups are what its egress is granted to, and every list that a group names counts for its quota.
        look_up_all_targets=True,
        prefix_lists=frozenset(filter(PREFIX_LIST_ID.fullmatch, accepted)),
        tag_key=next(iter(tag_keys), None),
    )
    if loaded.selected:
        return loaded.estate, loaded.selected[0]
    if arn in loaded.missing:
        return None
    cause = "it was not found" if loaded.incomplete is None else loaded.incomplete.cause
    raise Unread(f"load balancer {arn}", cause)


def live_circumstances(
    account: Account, estate: Estate, load_balancer: LoadBalancer, results: Sequence[Result]
) -> Circumstances:
    """What a change to a load balancer's groups hangs on. A call that fails leaves its section unread."""
    if load_balancer.type != "application" or not load_balancer.security_groups:
        return Circumstances()
    ask = Requests(account.clients)
    concerned = groups_concerned(load_balancer, results)
    name, vpc_id = dedicated_name(load_balancer), load_balancer.vpc_id
    wanted = {
        ("SecurityGroups", name): _filtered(
            account, "describe_security_groups", "SecurityGroups", {"group-name": [name], "vpc-id": [vpc_id]}
        ),
        ("NetworkInterfaces", ""): _filtered(
            account, "describe_network_interfaces", "NetworkInterfaces", {"group-id": load_balancer.security_groups}
        ),
        ("LoadBalancers", ""): ask.load_balancers(),
        ("Tags", ""): ask.tags((load_balancer.arn,)),
    }
    wanted |= {("SecurityGroups", some[0]): ask.security_groups(some) for some in batches(concerned, FILTER_VALUES)}
    lists = _prefix_lists(estate, load_balancer, results)
    wanted |= {("ManagedPrefixLists", some[0]): ask.prefix_lists(some) for some in batches(lists, FILTER_VALUES)}
    with Calls() as calls:
        answers = calls.answers(wanted)
    items: dict[str, list[Any]] = {}
    unread: dict[str, str] = {}
    for (section, _), answer in answers.items():
        items.setdefault(section, []).extend(answer.items)
        if answer.failure is not None:
            unread[section] = answer.failure
    interfaces = (interface_carrier(one, load_balancer.arn) for one in items["NetworkInterfaces"])
    others = map(from_api.load_balancer, items["LoadBalancers"])
    return Circumstances(
        groups={one.id: one for one in map(group_facts, items["SecurityGroups"])},
        carriers=(
            *(carrier for carrier in interfaces if carrier is not None),
            *(load_balancer_carrier(other) for other in others if other.arn != load_balancer.arn),
        ),
        load_balancer_tags=from_api.tags(next((one.get("Tags") for one in items["Tags"]), ())),
        prefix_lists={one["PrefixListId"]: prefix_list_facts(one) for one in items.get("ManagedPrefixLists", ())},
        unread=unread,
    )


def _filtered(account: Account, operation: str, result: str, filters: Mapping[str, Iterable[str]]) -> Request:
    listed = [{"Name": name, "Values": list(values)} for name, values in filters.items()]
    return Request(account.clients.ec2, operation, result, {"Filters": listed}, EC2_PAGE)


def _prefix_lists(estate: Estate, load_balancer: LoadBalancer, results: Iterable[Result]) -> set[str]:
    """The prefix lists that the load balancer's groups name, and those that a rule may have to name."""
    found: set[str] = set()
    for group_id in load_balancer.security_groups:
        group = (estate.security_groups or {}).get(group_id)
        for permission in () if group is None else (*group.ingress, *group.egress):
            found.update(permission.prefix_list_ids)
    for result in results:
        for entry in result.missing if isinstance(result, Finding) else ():
            found.update(filter(PREFIX_LIST_ID.fullmatch, entry.required))
    return found
