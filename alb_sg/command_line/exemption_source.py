"""Exemptions that the command is given: a file, or a place in AWS, for a day."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from alb_sg.errors import Unread, UnusableInput
from alb_sg.exemptions.application import apply, exempted, expired_remark, malformed_error
from alb_sg.exemptions.document import read_file
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import is_in_aws, parse_location
from alb_sg.findings.explanation import Explanation, RuleExplanation
from alb_sg.findings.finding import Finding, JudgementError

HELP = """exemptions:
  SOURCE is a file (.json, .json.gz, - for standard input), s3://bucket/key, or ssm:/parameter/name or ssm:name for a
  parameter of AWS Systems Manager, read with the same credentials (--profile) in the region of the profile or
  environment, else in the first --region. The document:
    {"version": 1, "exemptions": [{"loadBalancer": ARN, "rule": NAME, "reason": …, "owner": …, "ticket": …,
       "expires": "YYYY-MM-DD"}]}
  Each is for one load balancer and one rule, through the day that it names (UTC). All six are required.
"""


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


def given_exemptions(arguments: argparse.Namespace) -> Given | None:
    """The exemptions of `--exemptions`, as of `--date`; None where there is no such option.

    A place in AWS that cannot be read exempts nobody, and is among the errors. Raises UnusableInput for a file that
    cannot be read and for what is no document of exemptions.
    """
    source: str | None = arguments.exemptions
    if source is None:
        if arguments.date is not None:
            raise UnusableInput("--date says on which day exemptions count; leave it out without --exemptions")
        return None
    today = day(arguments)
    try:
        exemptions = read_source(source, arguments.profile, arguments.region)
    except Unread as error:
        unread = JudgementError("", "", None, None, error.what, f"{error.cause}; no exemption applies")
        return Given(Exemptions(source), today, (unread,))
    return Given(exemptions, today, [malformed_error(one, exemptions.source) for one in exemptions.malformed])


def read_source(source: str, profile: str | None, regions: Sequence[str]) -> Exemptions:
    """The exemptions of a file or a place in AWS. Raises UnusableInput, and Unread where AWS does not give it."""
    if not is_in_aws(source):
        return read_file(source)
    location = parse_location(source)
    # boto3 takes a third of a second to import, which files need not wait for.
    from alb_sg.command_line.live import client_of  # noqa: PLC0415
    from alb_sg.exemptions.aws import read_exemptions  # noqa: PLC0415

    return read_exemptions(location, lambda service: client_of(profile, regions, service))


def add_date_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--date", type=_date, metavar="YYYY-MM-DD", help="the day (UTC) on which exemptions count (default: today)"
    )


def day(arguments: argparse.Namespace) -> date:
    """The day on which exemptions count: `--date`, or today (UTC)."""
    given: date | None = arguments.date
    return datetime.now(UTC).date() if given is None else given


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31")
