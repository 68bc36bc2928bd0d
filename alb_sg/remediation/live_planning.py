"""Plans from a live account and region, which is read through the same source as for verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from alb_sg.aws.calls import CallPool
from alb_sg.errors import NotReadError
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.field_readers import required_text
from alb_sg.estate.model import LoadBalancer, PrefixList
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import Finding, Missing, Result
from alb_sg.live import LiveSource, Selection
from alb_sg.live.requests import FILTER_VALUES, DescribeRequests, batches
from alb_sg.parameters import PREFIX_LIST_ID
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.change_context import ChangeContext, ChangeContexts, groups_to_read
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.placement import dedicated_group_name
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import judge_load_balancer, make_plan


def make_live_plan(account: AccountClients, arn: str, fix: FixRequest) -> Plan | None:
    """The plan for a load balancer in its present state; None if it does not exist. Raises as `read_load_balancer`."""
    loaded = read_load_balancer(account, arn, fix)
    if loaded is None:
        return None
    estate, load_balancer = loaded
    results = judge_load_balancer(estate, load_balancer, fix)
    return make_plan(estate, load_balancer, fix, results, live_change_context(account, estate, load_balancer, results))


def read_load_balancer(account: AccountClients, arn: str, fix: FixRequest) -> tuple[Estate, LoadBalancer] | None:
    """A load balancer with everything that its verdicts need; None if it does not exist.

    Raises NotReadError if that cannot be told, InvalidInputError if the rules have different `TagKey` parameters.
    """
    loaded = LiveSource(account.clients, account.account_id, account.region).load_for_rules(
        Selection(load_balancers=frozenset({arn})),
        fix.rules,
        # A new outbound rule refers to a target's groups, and each prefix list in a group counts towards its quota.
        look_up_all_targets=True,
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
    """The facts about a load balancer's groups, read now. A failed call leaves its section unread."""
    if load_balancer.type != "application" or not load_balancer.security_groups:
        return ChangeContext()
    requests = DescribeRequests(account.clients)
    name, vpc_id = dedicated_group_name(load_balancer), load_balancer.vpc_id
    group_ids = groups_to_read(load_balancer, results)
    missing = [entry for result in results if isinstance(result, Finding) for entry in result.missing]
    of_targets = {group_id for entry in missing for group_id in entry.security_groups}
    needs_own_rules = any(entry.direction != Direction.TARGET_INGRESS for entry in missing)
    changeable = {*load_balancer.security_groups, *of_targets}
    prefix_list_ids = _relevant_prefix_lists(estate, changeable, missing)
    pending = {
        (Section.SECURITY_GROUPS, name): account.ec2_request(
            "describe_security_groups", "SecurityGroups", {"group-name": [name], "vpc-id": [vpc_id]}
        ),
        (Section.NETWORK_INTERFACES, ""): account.ec2_request(
            "describe_network_interfaces", "NetworkInterfaces", {"group-id": sorted(changeable)}
        ),
        (Section.LOAD_BALANCERS, ""): requests.load_balancers(),
        # Tags tell who manages the load balancer, which decides whether it may get a group of its own.
        **({(Section.TAGS, ""): requests.tags((load_balancer.arn,))} if needs_own_rules else {}),
        **{
            (Section.SECURITY_GROUPS, batch[0]): requests.security_groups(batch)
            for batch in batches(group_ids, FILTER_VALUES)
        },
        **{
            (Section.MANAGED_PREFIX_LISTS, batch[0]): requests.prefix_lists(batch)
            for batch in batches(prefix_list_ids, FILTER_VALUES)
        },
    }
    with CallPool() as pool:
        responses = pool.send_all(pending)
    items: dict[Section, list[Any]] = {section: [] for section in Section}
    failures: list[ReadFailure] = []
    if not needs_own_rules:
        failures.append(ReadFailure(Section.TAGS, None, "no rule of the load balancer's own groups is missing"))
    for (section, _), response in responses.items():
        found, failure = response.read_all(SURROUNDINGS_READERS[section])
        items[section] += found
        if failure is not None:
            failures.append(ReadFailure(section, None, failure))
    surroundings = Estate(
        account.account_id,
        account.region,
        load_balancers={other.arn: other for other in items[Section.LOAD_BALANCERS]},
        security_groups={group.id: group for group in items[Section.SECURITY_GROUPS]},
        network_interfaces={interface.id: interface for interface in items[Section.NETWORK_INTERFACES]},
        prefix_lists=dict(items[Section.MANAGED_PREFIX_LISTS]),
        tags={load_balancer.arn: next(iter(items[Section.TAGS]), {})},
        failures=tuple(failures),
    )
    return ChangeContexts([surroundings]).of(surroundings, load_balancer)


def _prefix_list(source: Any) -> tuple[str, PrefixList]:
    prefix_list_id = required_text(source, "PrefixListId")
    return prefix_list_id, from_api.prefix_list(prefix_list_id, source)


SURROUNDINGS_READERS: Mapping[Section, Callable[[Any], Any]] = {
    Section.LOAD_BALANCERS: from_api.load_balancer,
    Section.SECURITY_GROUPS: from_api.security_group,
    Section.NETWORK_INTERFACES: from_api.network_interface,
    Section.MANAGED_PREFIX_LISTS: _prefix_list,
    Section.TAGS: from_api.described_tags,
}


def _relevant_prefix_lists(estate: Estate, group_ids: Iterable[str], missing: Iterable[Missing]) -> set[str]:
    """The prefix lists in the groups that a plan may change, and those that a new rule may name."""
    prefix_list_ids = {peer for entry in missing for peer in entry.required if PREFIX_LIST_ID.fullmatch(peer)}
    for group_id in group_ids:
        group = (estate.security_groups or {}).get(group_id)
        for permission in () if group is None else (*group.ingress, *group.egress):
            prefix_list_ids.update(permission.prefix_list_ids)
    return prefix_list_ids
