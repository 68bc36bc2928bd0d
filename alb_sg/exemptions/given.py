"""Exemptions as they are given to a run: what counts on its day, and what of them could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from alb_sg.errors import Unread
from alb_sg.exemptions.application import apply, exempted, expired_remark, malformed_error
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.findings.finding import Finding, JudgementError

if TYPE_CHECKING:
    # Most runs explain nothing.
    from alb_sg.findings.explanation import Explanation, RuleExplanation


@dataclass(frozen=True)
class Given:
    """Exemptions as they count on a day. `errors` say what of them could not be read and hides nothing."""

    exemptions: Exemptions
    today: date
    errors: Sequence[JudgementError]

    def applied(
        self, findings: Iterable[Finding], errors: Iterable[JudgementError]
    ) -> tuple[list[Finding], list[JudgementError]]:
        found, failed = apply(self.exemptions, findings, errors, self.today)
        return found, [*failed, *self.errors]

    def explained(self, explanation: Explanation) -> Explanation:
        """An explanation whose verdicts are the exempted ones; that an exemption has expired is a note."""
        return replace(explanation, rules=tuple(map(self._explained, explanation.rules)))

    def _explained(self, rule: RuleExplanation) -> RuleExplanation:
        remark = expired_remark(rule.verdict, self.exemptions, self.today)
        return replace(
            rule,
            verdict=exempted(rule.verdict, self.exemptions, self.today),
            notes=rule.notes if remark is None else (*rule.notes, remark),
        )


def given_by(read: Callable[[], Exemptions], source: str, today: date) -> Given:
    """The exemptions that `read` finds in a source, as of a day. Those that it raises Unread for exempt nobody, and are
    among the errors."""
    try:
        exemptions = read()
    except Unread as error:
        unread = JudgementError("", "", None, None, error.what, f"{error.cause}; no exemption applies")
        return Given(Exemptions(source), today, (unread,))
    return Given(exemptions, today, [malformed_error(one, exemptions.source) for one in exemptions.malformed])
