"""Asking again for load balancers and target groups that AWS said are not there (semantics §2, "Not found").

A wrong "not found" would drop a requirement or clear a verdict. An object is gone only if the call for its own ARN says
so too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.live.partial_estate import LOAD_BALANCER_NOT_FOUND, TARGET_GROUP_NOT_FOUND
from alb_sg.live.requests import ELB_NAMES, DescribeRequests, batches

# DescribeLoadBalancers fails with one of these if one of several names is wrong, and returns none of the others. The
# second is for a name or ARN that cannot be that of a load balancer of this region.
NAME_ERROR_CODES = frozenset({LOAD_BALANCER_NOT_FOUND, "ValidationError"})


@dataclass(frozen=True)
class Confirmation:
    """What a second question says: `found` items by ARN or name, those `gone`, and why others could not be asked for.

    `operation` names the call.
    """

    operation: str
    found: dict[str, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)


def confirm_load_balancers(
    calls: CallPool, requests: DescribeRequests, arns: Iterable[str], *, names: Iterable[str] = ()
) -> Confirmation:
    """Asks for load balancers by ARN and by name, 20 a call."""
    confirmation = Confirmation("DescribeLoadBalancers")
    by_arn, by_name = (partial(requests.load_balancers_by, parameter) for parameter in ("LoadBalancerArns", "Names"))
    _confirm(calls, by_arn, arns, "LoadBalancerArn", NAME_ERROR_CODES, confirmation)
    _confirm(calls, by_name, names, "LoadBalancerName", NAME_ERROR_CODES, confirmation)
    return confirmation


def confirm_target_groups(calls: CallPool, requests: DescribeRequests, arns: Iterable[str]) -> Confirmation:
    """Asks for target groups by ARN, 20 a call."""
    confirmation = Confirmation("DescribeTargetGroups")
    _confirm(calls, requests.target_groups_by_arn, arns, "TargetGroupArn", (TARGET_GROUP_NOT_FOUND,), confirmation)
    return confirmation


def _confirm(
    calls: CallPool,
    request: Callable[[Collection[str]], ApiRequest],
    values: Iterable[str],
    id_key: str,
    not_found_codes: Collection[str],
    confirmation: Confirmation,
) -> None:
    for batch, response in send_batches(calls, request, values, not_found_codes).items():
        found = {item[id_key]: item for item in response.items if id_key in item}
        for value in batch:
            if value in found:
                confirmation.found[value] = found[value]
            elif response.error_code in not_found_codes:
                confirmation.gone.add(value)
            else:
                missing = f"{response.operation}: the answer lacks {value}, which it was asked for"
                confirmation.failures[value] = response.failure or missing


def send_batches(
    calls: CallPool,
    request: Callable[[Collection[str]], ApiRequest],
    values: Iterable[str],
    not_found_codes: Collection[str],
) -> dict[tuple[str, ...], ApiResponse]:
    """The responses of Elastic Load Balancing about these ARNs or names, 20 a call. One that is gone fails the call for
    its whole batch, so that each of such a batch is asked for alone."""
    responses = calls.send_all({batch: request(batch) for batch in batches(set(values), ELB_NAMES)})
    failed = [batch for batch, found in responses.items() if len(batch) > 1 and found.error_code in not_found_codes]
    for batch in failed:
        del responses[batch]
    return responses | calls.send_all({(value,): request((value,)) for batch in failed for value in batch})
