"""The exemptions of a run: those that count on its day, and errors for what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from alb_sg.errors import NotReadError
from alb_sg.exemptions.exemption import Exemption, Exemptions, VerdictKey
from alb_sg.findings.exemption_application import (
    apply_exemption,
    apply_exemptions,
    expired_remark,
    malformed_exemption_error,
)
from alb_sg.findings.finding import EvaluationError, Finding

if TYPE_CHECKING:
    # Most runs need no explanation.
    from alb_sg.findings.explanation import Explanation, RuleExplanation


@dataclass(frozen=True)
class LoadedExemptions:
    """Exemptions on a day. `errors` are for documents and entries that could not be read: those exempt nothing."""

    exemptions: Exemptions
    today: date
    errors: Sequence[EvaluationError]

    @property
    def of_ports(self) -> Mapping[VerdictKey, Exemption]:
        """The exemptions of single ports that count, for those who judge."""
        return self.exemptions.of_ports(self.today)

    def apply(
        self, findings: Iterable[Finding], errors: Iterable[EvaluationError]
    ) -> tuple[list[Finding], list[EvaluationError]]:
        exempted_findings, remaining_errors = apply_exemptions(self.exemptions, findings, errors, self.today)
        return exempted_findings, [*remaining_errors, *self.errors]

    def apply_to_explanation(self, explanation: Explanation) -> Explanation:
        """The explanation with exempted verdicts, and a note on each expired exemption."""
        return replace(explanation, rules=tuple(map(self._apply_to_rule, explanation.rules)))

    def _apply_to_rule(self, rule: RuleExplanation) -> RuleExplanation:
        remark = expired_remark(rule.verdict, self.exemptions, self.today)
        return replace(
            rule,
            verdict=apply_exemption(rule.verdict, self.exemptions, self.today),
            notes=rule.notes if remark is None else (*rule.notes, remark),
        )


def load_exemptions(read: Callable[[], Exemptions], document_name: str, today: date) -> LoadedExemptions:
    """The exemptions that `read` returns, as of a day. If it raises NotReadError, that is an error and nothing is
    exempt."""
    try:
        exemptions = read()
    except NotReadError as error:
        unread = EvaluationError("", "", None, None, error.what, f"{error.cause}; no exemption applies")
        return LoadedExemptions(Exemptions(document_name), today, (unread,))
    return LoadedExemptions(
        exemptions,
        today,
        [malformed_exemption_error(malformed, exemptions.document_name) for malformed in exemptions.malformed],
    )
