"""Changing a load balancer's security groups without losing what somebody else attaches meanwhile.

SetSecurityGroups replaces the whole list, and no call compares before it writes. So a change reads just before it
writes, writes without a retry that would repeat an old list, and reads again. A group that another change attached
between the read and the write is no longer in the load balancer's list then. Its network interfaces, which Elastic
Load Balancing updates after the list, may still show it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from alb_sg.aws.client_errors import AWS_ERRORS, error_code
from alb_sg.errors import NotReadError
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.api_calls import set_groups_call

Sleep = Callable[[float], None]
# From a load balancer's present groups to those that it is to have.
Wanted = Callable[[tuple[str, ...]], tuple[str, ...]]

# Seconds between attempts. A security group stays in use for a while after its load balancer has dropped it.
RETRY_DELAYS = (1, 2, 4, 8, 16)
RETRYABLE_CODES = frozenset(
    {
        "DependencyViolation",
        "InternalError",
        "InternalFailure",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
    }
)


@dataclass(frozen=True, slots=True)
class GroupsChange:
    """A load balancer's groups after a change. `put_back`: those that the change had taken off by accident."""

    groups: tuple[str, ...]
    put_back: tuple[str, ...]


def is_retryable(error: Exception) -> bool:
    """Whether a failed call may succeed later: AWS did not answer, or answered so."""
    return not isinstance(error, ClientError) or error_code(error) in RETRYABLE_CODES


def change_groups(account: AccountClients, arn: str, wanted: Wanted, pause: Sleep = time.sleep) -> GroupsChange:
    """Gives a load balancer the groups that `wanted` makes of its present ones, until a read shows them.

    Raises what boto3 raises, and NotReadError if the groups cannot be read, or if others keep changing them.
    """
    put_back: list[str] = []
    for seconds in (*RETRY_DELAYS, None):
        on_interfaces = account.groups_on_interfaces(arn)
        groups = account.groups_of_load_balancer(arn)
        target = wanted(tuple(dict.fromkeys((*groups, *put_back))))
        try:
            if target != groups:
                account.send_once(set_groups_call(arn, target))
        except AWS_ERRORS as error:
            if seconds is None or not is_retryable(error):
                raise
            pause(seconds)
            continue
        appeared = account.groups_on_interfaces(arn) - on_interfaces
        groups = account.groups_of_load_balancer(arn)
        lost = sorted(one for one in appeared - set(groups) if one in wanted((*groups, one)))
        put_back += (one for one in lost if one not in put_back)
        if not lost and wanted(groups) == groups:
            return GroupsChange(groups, tuple(put_back))
        if seconds is not None:
            pause(seconds)
    raise NotReadError(f"the security groups of {arn} after the change", "others keep changing them; try again later")
