"""What a deployment fixes for the documents: a starter may only narrow it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from alb_sg.errors import InvalidInputError
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.fix_request import (
    FixPolicy,
    ManagedGroupPolicy,
    SharedGroupPolicy,
    WideOpeningPolicy,
)

DEFAULT_FUNCTION_PREFIX = "alb-sg-"


def default_function(rule: str) -> str:
    return f"{DEFAULT_FUNCTION_PREFIX}{RECOMMENDATIONS_BY_NAME[rule].kebab_name}"


@dataclass(frozen=True)
class DocumentLimits:
    """The limits of one rule's document. `function` is the name of the rule's function, by which the document knows
    the rule in AWS Config. With `approvers`, one of them must approve every fix. `max_exemption_days` as the function
    has it."""

    function: str
    policy: FixPolicy = field(default_factory=FixPolicy)
    approvers: tuple[str, ...] = ()
    max_exemption_days: int | None = None

    @property
    def text(self) -> str:
        """The limits as the document's steps get them: on one line, because each step has them."""
        content = {
            "Function": self.function,
            "MaxExemptionDays": self.max_exemption_days,
            "SharedGroup": self.policy.shared_group.value,
            "ManagedGroup": self.policy.managed_group.value,
            "RulesPerGroup": self.policy.rules_per_group,
            "Approvers": list(self.approvers),
        }
        return json.dumps(content)

    @staticmethod
    def from_text(text: str) -> DocumentLimits:
        payload = json.loads(text)
        policy = FixPolicy(
            SharedGroupPolicy(payload["SharedGroup"]),
            ManagedGroupPolicy(payload["ManagedGroup"]),
            payload["RulesPerGroup"],
        )
        approvers = tuple(payload["Approvers"])
        return DocumentLimits(payload["Function"], policy, approvers, payload["MaxExemptionDays"])

    def narrowed(self, policy: FixPolicy) -> FixPolicy:
        """What both the deployment and the starter allow, with the starter's tags. Only approvers whom the deployment
        names let a plan open more than the page's tables do: a starter could name themselves."""
        shared = {self.policy.shared_group, policy.shared_group}
        managed = {self.policy.managed_group, policy.managed_group}
        return FixPolicy(
            SharedGroupPolicy.REFUSE if SharedGroupPolicy.REFUSE in shared else SharedGroupPolicy.DEDICATED,
            ManagedGroupPolicy.REFUSE if ManagedGroupPolicy.REFUSE in managed else ManagedGroupPolicy.ALLOW,
            min(self.policy.rules_per_group, policy.rules_per_group),
            WideOpeningPolicy.APPROVAL if self.approvers else WideOpeningPolicy.REFUSE,
            policy.tags,
        )

    def narrowed_approvers(self, given: Sequence[str]) -> list[str]:
        """Who must approve: those given, or the deployment's. Raises InvalidInputError for others than these."""
        others = [one for one in given if one not in self.approvers]
        if self.approvers and others:
            raise InvalidInputError(
                f"{others[0]} is none of the approvers of this deployment: {', '.join(self.approvers)}", "Approvers"
            )
        return list(given or self.approvers)
