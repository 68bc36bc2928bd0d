"""Where exemptions may be kept, and what is refused by name."""

from __future__ import annotations

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.location import S3Object, SsmParameter, parse_location
from alb_sg.parameters import parse_parameters


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("s3://governance/exemptions.json", S3Object("governance", "exemptions.json")),
        ("s3://my.bucket-1/a/b c/ü.json", S3Object("my.bucket-1", "a/b c/ü.json")),
        ("ssm:/alb-sg/exemptions", SsmParameter("/alb-sg/exemptions")),
        ("ssm:exemptions", SsmParameter("exemptions")),
        ("ssm:alb_sg.exemptions-1", SsmParameter("alb_sg.exemptions-1")),
    ],
)
def test_a_location_is_read_and_written_alike(text: str, location: object) -> None:
    assert parse_location(text) == location
    assert str(location) == text
    assert parse_parameters({"Exemptions": f" {text} "}).exemptions == location


@pytest.mark.parametrize(
    "text",
    [
        "exemptions.json",  # a function has no files
        "s3://governance",  # no key
        "s3://governance/",
        "s3://governance/folder/",  # a folder is no document
        "s3:///exemptions.json",
        "s3://UPPER/exemptions.json",  # no bucket has such a name
        "S3://governance/exemptions.json",
        "ssm:",
        "ssm:/",
        "ssm://alb-sg/exemptions",
        "ssm:/alb-sg//exemptions",
        "ssm:/alb-sg/exemptions/",
        "ssm:all of them",
        "arn:aws:s3:::governance/exemptions.json",
        "https://governance.s3.amazonaws.com/exemptions.json",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"rule parameter Exemptions: .* is not s3://bucket/key, ssm:"):
        parse_parameters({"Exemptions": text})


@pytest.mark.parametrize("values", [{}, {"Exemptions": ""}, {"Exemptions": "  "}, {"Exemptions": None}])
def test_an_empty_parameter_is_absent(values: dict[str, str | None]) -> None:
    assert parse_parameters(values).exemptions is None
