"""Locations of exemption documents in AWS: an object in S3 or a parameter of Systems Manager."""

from __future__ import annotations

import re
from typing import NamedTuple

from alb_sg.errors import InvalidInputError

S3_PREFIX, SSM_PREFIX = "s3://", "ssm:"
# Amazon S3 user guide, "General purpose bucket naming rules"; PutParameter, Name.
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PARAMETER_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class S3Object(NamedTuple):
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{S3_PREFIX}{self.bucket}/{self.key}"


class SsmParameter(NamedTuple):
    """A parameter of AWS Systems Manager. Its name may begin with a slash."""

    name: str

    def __str__(self) -> str:
        return f"{SSM_PREFIX}{self.name}"


AwsLocation = S3Object | SsmParameter


def parse_location(text: str) -> AwsLocation:
    """`s3://bucket/key`, `ssm:/parameter/name` or `ssm:name`. Raises InvalidInputError."""
    if text.startswith(S3_PREFIX):
        bucket, _, key = text.removeprefix(S3_PREFIX).partition("/")
        if BUCKET.fullmatch(bucket) and key and not key.endswith("/"):
            return S3Object(bucket, key)
    elif text.startswith(SSM_PREFIX):
        name = text.removeprefix(SSM_PREFIX)
        if PARAMETER_NAME.fullmatch(name):
            return SsmParameter(name)
    raise InvalidInputError(f"{text!r} is not s3://bucket/key, ssm:/parameter/name or ssm:name")


def is_aws_location(text: str) -> bool:
    """Whether a text is a location in AWS rather than the name of a file. It may still be an invalid one."""
    return text.startswith((S3_PREFIX, SSM_PREFIX))
