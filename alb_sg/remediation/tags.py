"""Tags that an account demands on everything that is created, beside those of a fix itself.

As text they are `CostCenter=1234,Owner=platform`, so that AWS Config can pass them to a document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from alb_sg.errors import InvalidInputError

# The fix's own tags. An undo depends on them.
NAME_TAG = "Name"
OWN_PREFIX = "alb-sg:"
AWS_PREFIX = "aws:"
# Characters that every AWS service allows in tags, except the `=` and `,` of the text itself.
_CHARACTERS = r"A-Za-z0-9 _.:/+@-"
KEY_PATTERN = rf"[{_CHARACTERS}]{{1,128}}"
VALUE_PATTERN = rf"[{_CHARACTERS}]{{0,256}}"
TAGS_PATTERN = f"({KEY_PATTERN}={VALUE_PATTERN}(,{KEY_PATTERN}={VALUE_PATTERN})*)?"
# EC2 allows 50 tags; the fix itself needs five.
MAX_TAGS = 40
# AWS Config's limit for RemediationParameterValue.StaticValue.
MAX_TAGS_LENGTH = 256


def parse_tags(text: str) -> dict[str, str]:
    """The tags of `CostCenter=1234,Owner=platform`. Raises InvalidInputError that names the tag."""
    tags: dict[str, str] = {}
    for entry in text.split(",") if text else ():
        key, separator, value = entry.partition("=")
        if not separator or not re.fullmatch(KEY_PATTERN, key) or not re.fullmatch(VALUE_PATTERN, value):
            raise InvalidInputError(
                f"the tag {entry!r} is not KEY=VALUE with at most 128 and 256 letters, digits, spaces and _.:/+@-"
            )
        if key == NAME_TAG or key.lower().startswith((OWN_PREFIX, AWS_PREFIX)):
            raise InvalidInputError(
                f"the tag key {key!r} is reserved; choose another one than Name, alb-sg:… and aws:…"
            )
        if key in tags:
            raise InvalidInputError(f"the tag key {key!r} appears twice; remove one")
        tags[key] = value
    if len(tags) > MAX_TAGS:
        raise InvalidInputError(f"{len(tags)} tags are more than the {MAX_TAGS} allowed")
    return tags


def format_tags(tags: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in tags.items())
