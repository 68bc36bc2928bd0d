"""Exemptions that the command is given: a file, or a place in AWS, for a day."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from alb_sg.errors import UnusableInput
from alb_sg.exemptions.document import read_file
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.given import Given, given_by
from alb_sg.exemptions.location import is_in_aws, parse_location

HELP = """exemptions:
  SOURCE is a file (.json, .json.gz, - for standard input), s3://bucket/key, or ssm:/parameter/name or ssm:name for a
  parameter of AWS Systems Manager, read with the same credentials (--profile) in the region of the profile or
  environment, else in the first --region. The document:
    {"version": 1, "exemptions": [{"loadBalancer": ARN, "rule": NAME, "reason": …, "owner": …, "ticket": …,
       "expires": "YYYY-MM-DD"}]}
  Each is for one load balancer and one rule, through the day that it names (UTC). All six are required.
"""


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
    return given_by(lambda: read_source(source, arguments.profile, arguments.region), source, day(arguments))


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
