"""The results of judging load balancers, as every report takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.finding import AppliedExemption, Change, Compliance, EvaluationError, Finding, Result
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.accounts import AccountName


class LoadBalancerFacts(NamedTuple):
    """Facts about a load balancer beside its verdicts. None is unknown."""

    scheme: str | None = None
    tags: Mapping[str, str] | None = None


UNKNOWN_FACTS = LoadBalancerFacts()


class FileLocation(NamedTuple):
    """Where a planned load balancer is written. `file` is relative to the working directory where that contains it."""

    file: str
    line: int | None


@dataclass(frozen=True)
class Results:
    """Findings and errors, each ordered by account, region, ARN and rule.

    `account_regions` are the accounts and regions that were read, with `load_balancer_count` load balancers to judge.
    `exemptions_applied`: exemptions were given, even where none applies. `advice` has sentences on what `alb-sg fix`
    would do about findings, as far as the run planned that. `remarks` are sentences on load balancers, by ARN, that no
    verdict depends on. `facts` (by ARN) and `accounts` (by account id) hold the known ones. `locations` are the places
    of planned load balancers in their files, by ARN or address, and `document` is the file of the plan or only template
    (relative as in `FileLocation`), which concerns the others. `fix_code` holds the rules that planned load balancers
    lack, in the language of the plan or template, and `fix_commands` the commands of the AWS CLI for those that the
    document does not describe and breaks, for the formats that show them. `is_change`: a plan or template was judged
    over an estate, and only the load balancers that it concerns are judged.
    """

    account_regions: Sequence[tuple[str, str]]
    load_balancer_count: int
    rule_names: Sequence[str]
    findings: Sequence[Finding]
    errors: Sequence[EvaluationError]
    exemptions_applied: bool = False
    advice: Mapping[VerdictKey, Sequence[str]] = field(default_factory=dict)
    remarks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    facts: Mapping[str, LoadBalancerFacts] = field(default_factory=dict)
    accounts: Mapping[str, AccountName] = field(default_factory=dict)
    locations: Mapping[str, FileLocation] = field(default_factory=dict)
    document: str | None = None
    fix_code: str = ""
    fix_commands: str = ""
    is_change: bool = False

    def advice_on(self, finding: Finding) -> Sequence[str]:
        return self.advice.get((finding.load_balancer_arn, finding.rule), ())

    def facts_of(self, load_balancer_arn: str | None) -> LoadBalancerFacts:
        return self.facts.get(load_balancer_arn or "", UNKNOWN_FACTS)

    @property
    def all(self) -> list[Result]:
        """The findings, then the errors."""
        return [*self.findings, *self.errors]

    @property
    def by_load_balancer(self) -> dict[str, list[Result]]:
        """The results of each load balancer, by ARN; under "" those that are about none."""
        by_arn: dict[str, list[Result]] = {}
        for result in self.all:
            by_arn.setdefault(result.load_balancer_arn or "", []).append(result)
        return by_arn

    def with_exemptions(self, loaded: LoadedExemptions | None) -> Results:
        """The results with the exemptions in force, and with the errors of their document; unchanged for None."""
        if loaded is None:
            return self
        findings, errors = loaded.apply(self.findings, self.errors)
        errors.sort(key=lambda error: error.sort_key)
        return replace(self, findings=findings, errors=errors, exemptions_applied=True)

    @property
    def exempted_findings(self) -> list[tuple[Finding, AppliedExemption]]:
        """The findings that an exemption in force makes NOT_APPLICABLE, each with it."""
        return [
            (finding, finding.applied_exemption) for finding in self.findings if finding.applied_exemption is not None
        ]

    @property
    def without_verdict_count(self) -> int:
        """The number of load balancers with neither a finding nor an error."""
        return max(self.load_balancer_count - len(self.by_load_balancer.keys() - {""}), 0)

    def count(self, compliance: Compliance) -> int:
        return sum(finding.compliance is compliance for finding in self.findings)

    @property
    def changes(self) -> Counter[Change]:
        """How many findings a planned change newly breaks, leaves broken or fixes, and how many errors are new."""
        changes = [*(finding.change for finding in self.findings), *(error.change for error in self.errors)]
        return Counter(change for change in changes if change is not None)

    def summary(self) -> dict[str, Any]:
        """Counts of load balancers, of verdicts and errors, and of both for each rule.

        `exempt` is there where exemptions were given; exempted findings count as NOT_APPLICABLE, too. `changes` is
        there where a planned change does something to a finding or error.
        """
        changes = self.changes
        verdicts = Counter((finding.rule, finding.compliance) for finding in self.findings)
        failed = Counter(error.rule for error in self.errors)
        return {
            "loadBalancers": self.load_balancer_count,
            "compliance": {compliance.value: self.count(compliance) for compliance in Compliance},
            "rules": {
                rule: {
                    **{compliance.value: verdicts[rule, compliance] for compliance in Compliance},
                    "ERROR": failed[rule],
                }
                for rule in sorted(self.rule_names)
            },
            "errors": len(self.errors),
            **({"exempt": len(self.exempted_findings)} if self.exemptions_applied else {}),
            **({"changes": {change.value: changes[change] for change in Change}} if changes else {}),
        }
