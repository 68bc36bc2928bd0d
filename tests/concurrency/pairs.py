"""Pairs of fixes and undos of one load balancer, with a person who changes it at the same time.

What must hold, for each order of the calls:

- What the person added stays.
- A fix that is not done leaves nothing behind, and what a fix adds has a record.
- A fix that ends last and says that it is done is done.
- Later undos restore the groups and rules from before, apart from what the person added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from unittest.mock import patch

import botocore.session

from alb_sg.aws import calls
from alb_sg.errors import NotReadError
from alb_sg.remediation.account import AccountClients, open_account
from alb_sg.remediation.api_calls import EXECUTION_TAG
from alb_sg.remediation.apply import apply
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult
from alb_sg.remediation.execution_record import read_records
from alb_sg.remediation.undo import undo
from embedded_aws.account import ACCOUNT_ID, REGION, tcp
from tests.builders import ICMP
from tests.concurrency.turns import Choice, Program, Turns
from tests.faults.fixing import is_met
from tests.remediation.account import Shop, fix_of, shop

FIRST, SECOND = "execution-a", "execution-b"
WITHOUT_CHANGES = (ApplyOutcome.ROLLED_BACK, ApplyOutcome.REFUSED, ApplyOutcome.NOTHING_TO_DO)
# An undo leaves what others still use or changed, and says so: then it runs again.
UNDOES = 3
# A fix makes 20 to 39 calls, an undo 6 to 20. Programs that make fewer run one after the other.
MOST_CALLS = 32


def fix(execution: str, *rules: str) -> Callable[[Shop], Program]:
    """A fix of these rules, of all four without names."""

    def of(found: Shop) -> Program:
        return lambda session, pause: apply(_account(session), found.arn, fix_of(*rules), execution, pause=pause)

    return of


def undo_of(execution: str) -> Callable[[Shop], Program]:
    return lambda _: lambda session, pause: undo(_account(session), execution, pause=pause)


def _account(session: botocore.session.Session) -> AccountClients:
    return open_account(ACCOUNT_ID, REGION, session)


@dataclass(frozen=True)
class Pair:
    """Two programs, and what ran before them."""

    before: tuple[Callable[[Shop], Program], ...]
    programs: tuple[Callable[[Shop], Program], Callable[[Shop], Program]]


PAIRS: Mapping[str, Pair] = {
    "fix and fix": Pair((), (fix(FIRST), fix(SECOND))),
    "fix and undo": Pair((fix(FIRST, ICMP),), (fix(SECOND), undo_of(FIRST))),
    "undo and fix": Pair((fix(FIRST, ICMP),), (undo_of(FIRST), fix(SECOND))),
    "undo and undo": Pair((fix(FIRST, ICMP), fix(SECOND)), (undo_of(FIRST), undo_of(SECOND))),
    "undo twice": Pair((fix(FIRST),), (undo_of(FIRST), undo_of(FIRST))),
}
PERSONS = ("nobody", "adds a rule", "attaches a group")


@dataclass(frozen=True)
class Meeting:
    """One run of a pair. `first_calls` of the first program pass, then `second_calls` of the second, then each goes on
    to its end. `shared`: the fixes make a group. The person acts before the call `person_at` of the first program."""

    pair: str
    shared: bool
    first_calls: int
    second_calls: int
    person: str = "nobody"
    person_at: int = 0

    def choose(self) -> Choice:
        limits = (self.first_calls, self.second_calls)
        switched: set[int] = set()

        def choose(number: int, made: int) -> int:
            if number in switched or made < limits[number]:
                return number
            switched.add(number)
            return 1 - number

        return choose


def random_meetings(count: int, seed: int) -> Iterator[Meeting]:
    random = Random(seed)
    for _ in range(count):
        yield Meeting(
            random.choice(sorted(PAIRS)),
            random.random() < 0.5,
            random.randrange(MOST_CALLS),
            random.randrange(MOST_CALLS),
            random.choice(PERSONS),
            random.randrange(MOST_CALLS),
        )


def problem_of(meeting: Meeting) -> str | None:
    """What is wrong with a run; None where nothing is."""
    with patch.object(calls, "WORKERS", 1), shop() as found:
        problem = _Run(found, meeting).problem()
    return None if problem is None else f"{meeting}: {problem}"[:2000]


class _Run:
    def __init__(self, found: Shop, meeting: Meeting) -> None:
        self._found = found
        self._meeting = meeting
        if meeting.shared:
            found.share()
        self._node = found.node()
        self._other = found.aws.security_group(found.vpc, "other")
        self._before = found.state()
        self._acted = False
        self._added_rules: list[str] = []

    def problem(self) -> str | None:
        pair = PAIRS[self._meeting.pair]
        for program in pair.before:
            self._alone(program)
        turns = Turns(self._meeting.choose(), self._before_call)
        results = turns.run(*(program(self._found) for program in pair.programs))
        said = f" (calls {turns.calls}, results {results})"
        problem = self._lost() or self._unfinished(turns, results)
        if problem is not None:
            return problem + said
        for _ in range(UNDOES):
            undone = [self._alone(undo_of(execution)) for execution in (FIRST, SECOND)]
            if not any(one.left_in_place or one.failures for one in undone):
                break
        problem = self._lost()
        if problem is not None:
            return f"after the undos, {problem}: {undone}{said}"
        self._take_back_what_the_person_added()
        state = self._found.state()
        if state != self._before:
            lines, before = set(state.splitlines()), set(self._before.splitlines())
            return f"not restored: {lines - before} in place of {before - lines}; {undone}{said}"
        return None

    def _alone(self, program: Callable[[Shop], Program]) -> Any:
        [result] = Turns(lambda *_: 0, lambda _, operation: self._settle(operation)).run(program(self._found))
        if isinstance(result, Exception):
            raise result
        return result

    def _before_call(self, number: int, operation: str) -> None:
        self._settle(operation)
        if number == 0:
            self._calls = getattr(self, "_calls", -1) + 1
        if self._meeting.person != "nobody" and not self._acted and self._calls >= self._meeting.person_at:
            self._acted = True
            self._act()

    def _settle(self, operation: str) -> None:
        """Elastic Load Balancing gives its interfaces the load balancer's groups, some time after they changed."""
        if operation == "DeleteSecurityGroup":
            self._found.aws.ec2.modify_network_interface_attribute(
                NetworkInterfaceId=self._node, Groups=self._found.groups()
            )

    def _act(self) -> None:
        if self._meeting.person == "adds a rule":
            added = self._found.aws.ec2.authorize_security_group_ingress(
                GroupId=self._found.group, IpPermissions=[tcp(22, "10.0.0.0/16")]
            )
            self._added_rules = [rule["SecurityGroupRuleId"] for rule in added["SecurityGroupRules"]]
        else:
            self._found.attach(self._other, self._node)

    def _lost(self) -> str | None:
        """What a person added, or had before, and is gone."""
        if self._acted and self._meeting.person == "attaches a group" and self._other not in self._found.groups():
            return f"the group that a person attached is gone: {self._found.groups()}"
        if self._found.group not in self._found.groups():
            return f"the load balancer's own group is gone: {self._found.groups()}"
        there = {rule["SecurityGroupRuleId"] for rule in self._rules()}
        lost = [rule for rule in self._added_rules if rule not in there]
        return f"rules that a person added are gone: {lost}" if lost else None

    def _rules(self) -> list[Any]:
        rules: list[Any] = self._found.aws.ec2.describe_security_group_rules()["SecurityGroupRules"]
        return rules

    def _unfinished(self, turns: Turns, results: list[Any]) -> str | None:
        """What a program left behind without a record, or says and is not so."""
        for number, result in enumerate(results):
            if isinstance(result, Exception) and not isinstance(result, NotReadError):
                return f"program {number} raised {result!r}"
            if isinstance(result, ApplyResult) and (problem := self._false_claim(result)) is not None:
                return problem
        for execution in (FIRST, SECOND):
            if self._tagged(execution) and not read_records(self._found.account, execution):
                return f"{execution} left something without a record: {self._tagged(execution)}"
        last = results[turns.ended[-1]]
        if isinstance(last, ApplyResult) and last.outcome is ApplyOutcome.APPLIED:
            assert last.plan is not None
            unmet = {result.rule for result in self._found.plan().results if not is_met(result)}
            if unmet & set(last.plan.rule_names):
                return f"{last.execution} ended last and says that it is done, but {unmet} are not met"
        return None

    def _false_claim(self, result: ApplyResult) -> str | None:
        tagged = self._tagged(result.execution)
        if result.outcome in WITHOUT_CHANGES and tagged:
            return f"{result.execution} says {result.outcome} and left {tagged}"
        return None

    def _tagged(self, execution: str) -> list[str]:
        tagged = [{"Name": f"tag:{EXECUTION_TAG}", "Values": [execution]}]
        ec2 = self._found.aws.ec2
        return [
            *(one["GroupId"] for one in ec2.describe_security_groups(Filters=tagged)["SecurityGroups"]),
            *(
                one["SecurityGroupRuleId"]
                for one in ec2.describe_security_group_rules(Filters=tagged)["SecurityGroupRules"]
            ),
        ]

    def _take_back_what_the_person_added(self) -> None:
        aws, found = self._found.aws, self._found
        if self._added_rules:
            aws.ec2.revoke_security_group_ingress(GroupId=found.group, SecurityGroupRuleIds=self._added_rules)
        groups = [group for group in found.groups() if group != self._other]
        aws.elbv2.set_security_groups(LoadBalancerArn=found.arn, SecurityGroups=groups)
