"""The checks of an account and region."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.check import CheckResult
from alb_sg.doctor.deployed_rules import (
    DeployedRule,
    check_exemptions,
    check_last_evaluations,
    check_verdict_ages,
    read_deployed_rules,
)
from alb_sg.doctor.functions import (
    RuleFunction,
    check_alarms,
    check_concurrency,
    check_failed_events,
    check_invocation,
    check_versions,
    read_functions,
)
from alb_sg.doctor.reader import Reader
from alb_sg.doctor.recorder import check_delivery, check_recorders
from alb_sg.doctor.roles import check_own_role


def check_account(reader: Reader, place: AccountRegion, now: datetime) -> Iterator[CheckResult]:
    """All checks of an account and region. Functions of another account are checked there."""
    rules, results = read_deployed_rules(reader, str(place))
    yield from check_recorders(reader, str(place), [rule.recommendation for rule in rules])
    yield from check_delivery(reader, str(place))
    yield from results
    yield from check_last_evaluations(reader, str(place), rules, now)
    yield from check_verdict_ages(reader, str(place), rules, now)
    _, results = check_functions(reader, place, rules, [place.account_id])
    yield from results
    yield from check_own_role(reader, place, rules)
    # Functions read the exemptions, with credentials of their own account.
    yield from check_exemptions(
        reader, str(place), [rule for rule in rules if rule.function_account == place.account_id]
    )


def check_functions(
    reader: Reader, place: AccountRegion, rules: Sequence[DeployedRule], accounts: Collection[str]
) -> tuple[list[RuleFunction], list[CheckResult]]:
    """The functions here, and all checks of them. `accounts` are those that they serve."""
    functions, results = read_functions(reader, place, rules)
    results += check_versions(place, functions)
    results += check_invocation(reader, place, functions, accounts)
    results += check_concurrency(reader, place, functions)
    results += check_alarms(reader, place, functions)
    results += check_failed_events(reader, place, functions)
    return functions, results
