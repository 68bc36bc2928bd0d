"""The check that the rules' exemptions can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alb_sg.doctor.check import Check, CheckResult
from alb_sg.doctor.deployed_rules import DeployedRule
from alb_sg.doctor.reader import Reader
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.aws_document import read_exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.phrasing import pluralize
from alb_sg.parameters import EXEMPTIONS_PARAMETER
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

EXEMPTIONS = Check("exemptions", "If a function cannot read its exemptions, none applies, and every invocation fails.")


def check_exemptions(reader: Reader, place: str, rules: Sequence[DeployedRule]) -> Iterator[CheckResult]:
    """Reads each document that rules name, with the credentials of this command. The function uses its own role."""
    locations = sorted({text for rule in rules if (text := rule.parameters.get(EXEMPTIONS_PARAMETER, "").strip())})
    if rules and not locations:
        yield EXEMPTIONS.ok(place, "no rule has exemptions")
    for text in locations:
        yield _result(reader, f"{place} {text}", text)


def _result(reader: Reader, at: str, text: str) -> CheckResult:
    try:
        exemptions = read_exemptions(parse_location(text), reader.client, RECOMMENDATIONS_BY_NAME)
    except NotReadError as error:
        return EXEMPTIONS.unread(at, error.cause)
    except InvalidInputError as error:
        return EXEMPTIONS.problem(at, str(error), "correct the document, or the rules' parameter Exemptions")
    if exemptions.malformed:
        entry, count = exemptions.malformed[0], len(exemptions.malformed)
        return EXEMPTIONS.problem(
            at,
            f"{pluralize(count, 'malformed exemption')}, the first at {entry.place}: {entry.message}",
            "correct them; alb-sg exemptions checks a document before you put it there",
        )
    return EXEMPTIONS.ok(
        at, f"{pluralize(len(exemptions.entries), 'exemption')}, read with the credentials of this command"
    )
