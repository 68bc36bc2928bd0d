"""Exemptions read from S3 or Systems Manager: one call, and why it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from alb_sg.errors import Unread, UnusableInput
from alb_sg.exemptions.document import read_text
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import AwsLocation, S3Object, SsmParameter

# What reading takes, by kind of location: the one call that each makes.
PERMISSIONS = {S3Object: "s3:GetObject", SsmParameter: "ssm:GetParameter"}
# Tens of thousands of exemptions are smaller; what is larger is some other object, and may not fit into memory.
LARGEST_OBJECT = 8 * 1024 * 1024


def read_exemptions(location: AwsLocation, build_client: Callable[[str], Any]) -> Exemptions:
    """The exemptions at a location; `build_client` makes the client of a service.

    Raises Unread where AWS does not give the document, UnusableInput where it is none.
    """
    try:
        text = (
            _object(location, build_client("s3"))
            if isinstance(location, S3Object)
            else _parameter(location, build_client("ssm"))
        )
    except ClientError as error:
        said = error.response.get("Error", {})
        cause = f"{error.operation_name}: {said.get('Code', '')}: {said.get('Message', '')}"
        raise Unread(f"exemptions in {location}", cause) from error
    except BotoCoreError as error:
        raise Unread(f"exemptions in {location}", str(error)) from error
    return read_text(text, str(location))


def _object(location: S3Object, s3: Any) -> str:
    answer = s3.get_object(Bucket=location.bucket, Key=location.key)
    with answer["Body"] as body:
        if answer["ContentLength"] > LARGEST_OBJECT:
            raise UnusableInput(
                f"the object has {answer['ContentLength']:,} bytes, and exemptions at most {LARGEST_OBJECT:,}",
                str(location),
            )
        content: bytes = body.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8", str(location)) from error


def _parameter(location: SsmParameter, ssm: Any) -> str:
    # Decryption concerns a SecureString alone; without it the ciphertext would be answered.
    answer = ssm.get_parameter(Name=location.name, WithDecryption=True)
    value: str = answer["Parameter"]["Value"]
    return value
