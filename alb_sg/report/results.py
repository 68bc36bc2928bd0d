"""What a check found out, as every report takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.findings.finding import Compliance, Exempted, Finding, JudgementError


@dataclass(frozen=True)
class Results:
    """Findings and errors, each in the order of account, region, ARN and rule; `homes` are the accounts and
    regions that were looked at, `load_balancers` how many load balancers there were to judge in them.
    `exemptions_applied`: exemptions were given, be there any or not."""

    homes: Sequence[tuple[str, str]]
    load_balancers: int
    rules: Sequence[str]
    findings: Sequence[Finding]
    errors: Sequence[JudgementError]
    exemptions_applied: bool = False

    @property
    def exempted(self) -> list[tuple[Finding, Exempted]]:
        """The findings that an exemption in force made, with it."""
        return [(finding, finding.exempted) for finding in self.findings if finding.exempted is not None]

    def count(self, compliance: Compliance) -> int:
        return sum(finding.compliance is compliance for finding in self.findings)

    def summary(self) -> dict[str, Any]:
        """Counts: load balancers, verdicts, verdicts and errors of each rule, errors, and the exempted where
        exemptions were given (they are among the NOT_APPLICABLE)."""
        verdicts = Counter((finding.rule, finding.compliance) for finding in self.findings)
        failed = Counter(error.rule for error in self.errors)
        return {
            "loadBalancers": self.load_balancers,
            "compliance": {compliance.value: self.count(compliance) for compliance in Compliance},
            "rules": {
                rule: {
                    **{compliance.value: verdicts[rule, compliance] for compliance in Compliance},
                    "ERROR": failed[rule],
                }
                for rule in sorted(self.rules)
            },
            "errors": len(self.errors),
            **({"exempt": len(self.exempted)} if self.exemptions_applied else {}),
        }
