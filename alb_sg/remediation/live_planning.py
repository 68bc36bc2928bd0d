"""An account and region as a plan needs it: read at one moment, through the same source as verdicts are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alb_sg.aws.calls import CallPool
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Finding
from alb_sg.live import LiveSource, Selection
from alb_sg.live.requests import FILTER_VALUES, DescribeRequests, batches
from alb_sg.parameters import PREFIX_LIST_ID
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.change_context import (
    ChangeContext,
    attached_interface,
    attached_load_balancer,
    groups_to_read,
    parse_group_facts,
    parse_prefix_list_facts,
)
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.placement import dedicated_group_name
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import Result, judge_load_balancer, make_plan


def make_live_plan(account: AccountClients, arn: str, fix: FixRequest) -> Plan | None:
    """The plan for a load balancer as it is now; None where it exists no more. Raises NotReadError where it cannot be
    looked for, InvalidInputError where rules name clients by different tags."""
    found = read_load_balancer(account, arn, fix)
    if found is None:
        return None
    estate, load_balancer = found
    results = judge_load_balancer(estate, load_balancer, fix)
    return make_plan(estate, load_balancer, fix, results, live_change_context(account, estate, load_balancer, results))


def read_load_balancer(account: AccountClients, arn: str, fix: FixRequest) -> tuple[Estate, LoadBalancer] | None:
    """A load balancer and what verdicts on it hang on. As `live_plan`."""
    tag_keys = sorted({given.tag_key for given in fix.rules.values() if given.tag_key is not None})
    if len(tag_keys) > 1:
        raise InvalidInputError(f"live, all rules share one TagKey, not {' and '.join(tag_keys)}")
    sections = frozenset(section for rule in fix.rules for section in rule.estate_sections)
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
    if arn in loaded.not_found:
        return None
    cause = "it was not found" if loaded.enumeration_failure is None else loaded.enumeration_failure.cause
    raise NotReadError(f"load balancer {arn}", cause)


def live_change_context(
    account: AccountClients, estate: Estate, load_balancer: LoadBalancer, results: Sequence[Result]
) -> ChangeContext:
    """What a change to a load balancer's groups hangs on. A call that fails leaves its section unread."""
    if load_balancer.type != "application" or not load_balancer.security_groups:
        return ChangeContext()
    ask = DescribeRequests(account.clients)
    concerned = groups_to_read(load_balancer, results)
    name, vpc_id = dedicated_group_name(load_balancer), load_balancer.vpc_id
    wanted = {
        ("SecurityGroups", name): account.ec2_request(
            "describe_security_groups", "SecurityGroups", {"group-name": [name], "vpc-id": [vpc_id]}
        ),
        ("NetworkInterfaces", ""): account.ec2_request(
            "describe_network_interfaces", "NetworkInterfaces", {"group-id": load_balancer.security_groups}
        ),
        ("LoadBalancers", ""): ask.load_balancers(),
        ("Tags", ""): ask.tags((load_balancer.arn,)),
    }
    wanted |= {("SecurityGroups", some[0]): ask.security_groups(some) for some in batches(concerned, FILTER_VALUES)}
    lists = _relevant_prefix_lists(estate, load_balancer, results)
    wanted |= {("ManagedPrefixLists", some[0]): ask.prefix_lists(some) for some in batches(lists, FILTER_VALUES)}
    with CallPool() as calls:
        answers = calls.send_all(wanted)
    items: dict[str, list[Any]] = {}
    unread: dict[str, str] = {}
    for (section, _), answer in answers.items():
        items.setdefault(section, []).extend(answer.items)
        if answer.failure is not None:
            unread[section] = answer.failure
    interfaces = (attached_interface(one, load_balancer.arn) for one in items["NetworkInterfaces"])
    others = map(from_api.load_balancer, items["LoadBalancers"])
    return ChangeContext(
        groups={one.id: one for one in map(parse_group_facts, items["SecurityGroups"])},
        attached_resources=(
            *(carrier for carrier in interfaces if carrier is not None),
            *(attached_load_balancer(other) for other in others if other.arn != load_balancer.arn),
        ),
        load_balancer_tags=from_api.tags(next((one.get("Tags") for one in items["Tags"]), ())),
        prefix_lists={one["PrefixListId"]: parse_prefix_list_facts(one) for one in items.get("ManagedPrefixLists", ())},
        unread=unread,
    )


def _relevant_prefix_lists(estate: Estate, load_balancer: LoadBalancer, results: Iterable[Result]) -> set[str]:
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
