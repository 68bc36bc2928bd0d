"""Exemptions that the command is given: a file, or a place in AWS, for a day."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.document import read_exemptions_file
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import is_aws_location, parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

EXEMPTIONS_HELP = """exemptions:
  SOURCE is a file (.json, .json.gz, - for standard input), s3://bucket/key, or ssm:/parameter/name or ssm:name for a
  parameter of AWS Systems Manager, read with the same credentials (--profile) in the region of the profile or
  environment, else in the first --region. The document:
    {"version": 1, "exemptions": [{"loadBalancer": ARN, "rule": NAME, "reason": …, "owner": …, "ticket": …,
       "expires": "YYYY-MM-DD"}]}
  Each is for one load balancer and one rule, through the day that it names (UTC). All six are required.
"""


def load_given_exemptions(arguments: argparse.Namespace) -> LoadedExemptions | None:
    """The exemptions of `--exemptions`, as of `--date`; None where there is no such option.

    A place in AWS that cannot be read exempts nobody, and is among the errors. Raises InvalidInputError for a file that
    cannot be read and for what is no document of exemptions.
    """
    source: str | None = arguments.exemptions
    if source is None:
        if arguments.date is not None:
            raise InvalidInputError("--date says on which day exemptions count; leave it out without --exemptions")
        return None
    return load_exemptions(
        lambda: read_exemption_document(source, arguments.profile, arguments.region), source, exemption_date(arguments)
    )


def read_exemption_document(document_name: str, profile: str | None, regions: Sequence[str]) -> Exemptions:
    """The exemptions of a file or a place in AWS. Raises InvalidInputError, and NotReadError where AWS does not give
    it."""
    if not is_aws_location(document_name):
        return read_exemptions_file(document_name, RECOMMENDATIONS_BY_NAME)
    location = parse_location(document_name)
    # boto3 takes a third of a second to import, which files need not wait for.
    from alb_sg.command_line.sources.live import open_client  # noqa: PLC0415
    from alb_sg.exemptions.aws_document import read_exemptions  # noqa: PLC0415

    return read_exemptions(location, lambda service: open_client(profile, regions, service), RECOMMENDATIONS_BY_NAME)


def add_date_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--date",
        type=_parse_date,
        metavar="YYYY-MM-DD",
        help="the day (UTC) on which exemptions count (default: today)",
    )


def exemption_date(arguments: argparse.Namespace) -> date:
    """The day on which exemptions count: `--date`, or today (UTC)."""
    given: date | None = arguments.date
    return datetime.now(UTC).date() if given is None else given


def _parse_date(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31")
