"""Files beside a template that `AWS::Include` inserts, as `aws cloudformation package` finds them.

Source: "AWS::Include transform" of the AWS CloudFormation user guide, and `aws cloudformation package` of the AWS CLI.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import read_content
from alb_sg.estate.planned.template_documents import parse_snippet

TRANSFORM = "Fn::Transform"
INCLUDE = "AWS::Include"


def insert_local_files(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The template with the content of the files that it includes. A file in S3 is left: it is not read.

    Raises InvalidInputError for a file that is not there.
    """
    return {name: _inserted(value, folder, name) for name, value in document.items()}


def _inserted(value: Any, folder: Path, place: str) -> Any:
    if isinstance(value, list):
        return [_inserted(one, folder, f"{place}[{index}]") for index, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    location = _local_file(value.get(TRANSFORM))
    others = {
        name: _inserted(one, folder, f"{place}.{name}")
        for name, one in value.items()
        if location is None or name != TRANSFORM
    }
    if location is None:
        return others
    content = _content(folder, location, place)
    if not others:
        return content
    if not isinstance(content, dict):
        raise InvalidInputError(f"{location} holds no object, and cannot stand beside other keys", place)
    twice = sorted(content.keys() & others.keys())
    if twice:
        raise InvalidInputError(f"{location} and the template both have {twice[0]!r}; remove one", place)
    return {**others, **content}


def _local_file(transform: Any) -> str | None:
    """The path in an `AWS::Include`; None where it is another transform, or a file in S3."""
    if not isinstance(transform, dict) or transform.get("Name") != INCLUDE:
        return None
    parameters = transform.get("Parameters")
    location = parameters.get("Location") if isinstance(parameters, dict) else None
    return location if isinstance(location, str) and "://" not in location else None


def _content(folder: Path, location: str, place: str) -> Any:
    path = folder / location
    # The author of a template must not see other files of the machine that judges it, such as its environment.
    if not any(path.resolve().is_relative_to(one.resolve()) for one in (folder, Path())):
        raise InvalidInputError(
            f"{location} is in neither the template's folder nor the working directory; move the file there", place
        )
    if not path.is_file():
        raise InvalidInputError(f"the included file {path} is not there; add it, or correct the path", place)
    try:
        return parse_snippet(read_content(str(path)))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}", place) from error
