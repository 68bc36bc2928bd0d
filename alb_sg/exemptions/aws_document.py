"""Exemptions read from S3 or Systems Manager: one call, and why it failed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import AwsLocation, S3Object, SsmParameter

# What reading takes, by kind of location: the one call that each makes.
READ_ACTIONS = {S3Object: "s3:GetObject", SsmParameter: "ssm:GetParameter"}
# Tens of thousands of exemptions are smaller; what is larger is some other object, and may not fit into memory.
MAX_OBJECT_SIZE = 8 * 1024 * 1024


def read_exemptions(
    location: AwsLocation, build_client: Callable[[str], Any], known_rules: Collection[str]
) -> Exemptions:
    """The exemptions at a location; `build_client` makes the client of a service, `known_rules` are the rules' names.

    Raises NotReadError where AWS does not give the document, InvalidInputError where it is none.
    """
    try:
        text = (
            _read_s3_object(location, build_client("s3"))
            if isinstance(location, S3Object)
            else _read_ssm_parameter(location, build_client("ssm"))
        )
    except ClientError as error:
        said = error.response.get("Error", {})
        cause = f"{error.operation_name}: {said.get('Code', '')}: {said.get('Message', '')}"
        raise NotReadError(f"exemptions in {location}", cause) from error
    except BotoCoreError as error:
        raise NotReadError(f"exemptions in {location}", str(error)) from error
    return parse_exemptions(text, str(location), known_rules)


def _read_s3_object(location: S3Object, s3: Any) -> str:
    answer = s3.get_object(Bucket=location.bucket, Key=location.key)
    with answer["Body"] as body:
        if answer["ContentLength"] > MAX_OBJECT_SIZE:
            raise InvalidInputError(
                f"the object has {answer['ContentLength']:,} bytes, and exemptions at most {MAX_OBJECT_SIZE:,}",
                str(location),
            )
        content: bytes = body.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8", str(location)) from error


def _read_ssm_parameter(location: SsmParameter, ssm: Any) -> str:
    # Decryption concerns a SecureString alone; without it the ciphertext would be answered.
    answer = ssm.get_parameter(Name=location.name, WithDecryption=True)
    value: str = answer["Parameter"]["Value"]
    return value
