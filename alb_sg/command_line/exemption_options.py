"""The options for exemptions, and the exemptions that they name."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime

from alb_sg.command_line.argument_types import calendar_date
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.document import read_exemptions_file
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import is_aws_location, parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

EXEMPTIONS_HELP = """exemptions:
  SOURCE is a file (.json, .json.gz, - for standard input), s3://bucket/key, or ssm:/parameter/name or ssm:name for a
  parameter of AWS Systems Manager, read with the credentials of --profile or the environment, never with those of
  --assume-role, in the region of the profile or environment, else in the first --region. The document:
    {"version": 1, "exemptions": [{"loadBalancer": ARN, "rule": NAME, "reason": …, "owner": …, "ticket": …,
       "expires": "YYYY-MM-DD"}]}
  Each exempts one load balancer from one rule through its last day (UTC). All six fields are required.
"""


def load_given_exemptions(arguments: argparse.Namespace) -> LoadedExemptions | None:
    """The exemptions of `--exemptions` on the day of `--date`; None without the option.

    An unreadable location in AWS exempts nothing and becomes an error of the result. Raises InvalidInputError for an
    unreadable file and for a document that holds no exemptions.
    """
    source: str | None = arguments.exemptions
    if source is None:
        if arguments.date is not None:
            raise InvalidInputError("--date sets the day for --exemptions; omit it without --exemptions")
        return None
    return load_exemptions(
        lambda: read_exemption_document(source, arguments.profile, arguments.region), source, exemption_date(arguments)
    )


def read_exemption_document(document_name: str, profile: str | None, regions: Sequence[str]) -> Exemptions:
    """The exemptions of a file or of a location in AWS. Raises InvalidInputError, and NotReadError if a call fails."""
    if not is_aws_location(document_name):
        return read_exemptions_file(document_name, RECOMMENDATIONS_BY_NAME)
    location = parse_location(document_name)
    # Importing boto3 takes a third of a second, which commands on files do not need.
    from alb_sg.command_line.sources.live import open_client  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.command_line.sources.sessions import Credentials  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.exemptions.aws_document import read_exemptions  # noqa: PLC0415 (slow, and not always needed)

    own = Credentials(profile)
    return read_exemptions(location, lambda service: open_client(own, regions, service), RECOMMENDATIONS_BY_NAME)


def add_date_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--date",
        type=calendar_date,
        metavar="YYYY-MM-DD",
        help="the day (UTC) for which exemptions apply (default: today)",
    )


def exemption_date(arguments: argparse.Namespace) -> date:
    """The day for which exemptions apply: `--date`, or today (UTC)."""
    given: date | None = arguments.date
    return datetime.now(UTC).date() if given is None else given
