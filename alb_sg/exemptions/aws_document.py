"""Exemptions from S3 or Systems Manager, read in one call, and the longest time that they may last.

The deployment sets that time, not the writer of the document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.pages import name_call
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption
from alb_sg.exemptions.location import AwsLocation, S3Object, SsmParameter

# The IAM action of that call, by kind of location.
READ_ACTIONS = {S3Object: "s3:GetObject", SsmParameter: "ssm:GetParameter"}
# Tens of thousands of exemptions are smaller. A larger object is no document of exemptions and may exhaust the memory.
MAX_OBJECT_SIZE = 8 * 1024 * 1024
# The functions' environment variable; unset or empty for no limit.
MAX_DAYS_VARIABLE = "ALB_SG_MAX_EXEMPTION_DAYS"


def read_exemptions(
    location: AwsLocation,
    build_client: Callable[[str], Any],
    known_rules: Collection[str],
    *,
    bucket_owner: str | None = None,
) -> Exemptions:
    """The exemptions at a location. `build_client` makes the client of a service, `known_rules` are the rules' names.

    `bucket_owner` is the account that must own the bucket: somebody else may have taken the name of a deleted one. None
    for a person, whose bucket may be of any account.

    Raises NotReadError if AWS refuses the document, InvalidInputError if it is not a valid one.
    """
    try:
        text = (
            _read_s3_object(location, build_client("s3"), bucket_owner)
            if isinstance(location, S3Object)
            else _read_ssm_parameter(location, build_client("ssm"))
        )
    except AWS_ERRORS as error:
        raise NotReadError(f"exemptions in {location}", error_text(error)) from error
    return parse_exemptions(text, str(location), known_rules)


def _read_s3_object(location: S3Object, s3: Any, bucket_owner: str | None) -> str:
    expected = {} if bucket_owner is None else {"ExpectedBucketOwner": bucket_owner}
    with name_call("GetObject"):
        response = s3.get_object(Bucket=location.bucket, Key=location.key, **expected)
        with response["Body"] as body:
            size: int = response["ContentLength"]
            content: bytes = body.read() if size <= MAX_OBJECT_SIZE else b""
    if size > MAX_OBJECT_SIZE:
        raise InvalidInputError(
            f"the object has {size:,} bytes, and exemptions at most {MAX_OBJECT_SIZE:,}", str(location)
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8", str(location)) from error


def _read_ssm_parameter(location: SsmParameter, ssm: Any) -> str:
    # Decryption affects a SecureString only, whose value is ciphertext otherwise.
    with name_call("GetParameter"):
        value: str = ssm.get_parameter(Name=location.name, WithDecryption=True)["Parameter"]["Value"]
    return value


def parse_max_days(text: str | None) -> int | None:
    """The value of MAX_DAYS_VARIABLE in days, None without a limit. Raises InvalidInputError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6):
        raise InvalidInputError(f"{text!r} is not a number of days", MAX_DAYS_VARIABLE)
    return int(text)


def limit_exemptions(exemptions: Exemptions, today: date, max_days: int | None) -> Exemptions:
    """The exemptions without those that last longer: they are malformed, and exempt nothing."""
    if max_days is None:
        return exemptions
    latest = today + timedelta(days=max_days)
    too_long = [_too_long(entry, latest, max_days) for entry in exemptions.entries if entry.expires > latest]
    entries = tuple(entry for entry in exemptions.entries if entry.expires <= latest)
    return replace(exemptions, entries=entries, malformed=(*exemptions.malformed, *too_long))


def _too_long(entry: Exemption, latest: date, max_days: int) -> MalformedExemption:
    return MalformedExemption(
        "exemptions[…].expires",
        f"{entry.expires} is more than {max_days} {'day' if max_days == 1 else 'days'} ahead; the last day allowed is "
        f"{latest}",
        entry.load_balancer_arn,
        entry.rule,
    )
