"""Options that a landing zone demands of everything that is deployed: tags, roles, networks and keys.

`landing_zone_template` applies them to the templates. All of them are off by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alb_sg.aws.arns import region_of
from alb_sg.deployment.config_errors import SettingsProblem
from alb_sg.errors import InvalidInputError
from alb_sg.remediation.tags import MAX_TAGS_LENGTH, format_tags, parse_tags

SECTION = "landingZone"
ROOT_PATH = "/"
# AWS Signer writes a signed copy: the functions run it, and the documents still know the artifact by its sha256.
SIGNED_PREFIX = "signed/"


def signed_key(artifact_key: str) -> str:
    return f"{SIGNED_PREFIX}{artifact_key}"


@dataclass(frozen=True, slots=True)
class FunctionNetwork:
    """The subnets and security groups of the functions in a region."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LandingZone:
    """`permissions_boundary` is the name of a policy in each account, or an ARN. `role_path` begins and ends with a
    slash. `networks`, `kms_keys` and `code_signing` have every region or none; the last two are the ARNs of KMS keys
    and of Lambda's code signing configurations."""

    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: str | None = None
    role_path: str = ROOT_PATH
    networks: Mapping[str, FunctionNetwork] = field(default_factory=dict)
    kms_keys: Mapping[str, str] = field(default_factory=dict)
    code_signing: Mapping[str, str] = field(default_factory=dict)


def landing_zone_problems(
    content: Mapping[str, Any], evaluation_role: str, max_role_length: int
) -> Iterator[SettingsProblem]:
    """What the schema cannot express. AWS Config's parameters leave `max_role_length` characters for the path and name
    of the evaluation role together."""
    options = content.get(SECTION, {})
    for option in ("vpc", "kmsKeys", "codeSigning"):
        yield from _regional_problems(f"{SECTION}.{option}", options.get(option, {}), content["regions"])
    for option, what in (("kmsKeys", "key"), ("codeSigning", "code signing configuration")):
        for region, arn in options.get(option, {}).items():
            if (other := region_of(arn)) != region:
                yield SettingsProblem(
                    f"{SECTION}.{option}.{region}", f"{arn} is a {what} in {other}; name the {what} in {region}"
                )
    path = options.get("rolePath", ROOT_PATH)
    length = len(path.removeprefix("/")) + len(evaluation_role)
    if length > max_role_length:
        yield SettingsProblem(
            f"{SECTION}.rolePath",
            f"path and name of the role {path}{evaluation_role} have {length} characters, but AWS Config's parameters "
            f"leave {max_role_length}; shorten one of them",
        )
    yield from _tag_problems(content)


def _regional_problems(path: str, by_region: Mapping[str, Any], regions: list[str]) -> Iterator[SettingsProblem]:
    if not by_region:
        return
    for region in by_region:
        if region not in regions:
            yield SettingsProblem(
                path, f"{region} is not in regions: {', '.join(regions)}; add it there, or remove it here"
            )
    missing = [region for region in regions if region not in by_region]
    if missing:
        yield SettingsProblem(path, f"has nothing for {', '.join(missing)}; name every region of regions, or none")


def _tag_problems(content: Mapping[str, Any]) -> Iterator[SettingsProblem]:
    tags = content.get(SECTION, {}).get("tags", {})
    text = format_tags(tags)
    try:
        parse_tags(text)
    except InvalidInputError as error:
        yield SettingsProblem(f"{SECTION}.tags", str(error))
        return
    modes = [rule.get("remediation", {}).get("mode", "off") for rule in content.get("rules", {}).values()]
    if len(text) > MAX_TAGS_LENGTH and any(mode != "off" for mode in modes):
        yield SettingsProblem(
            f"{SECTION}.tags",
            f"have {len(text)} characters as {text[:40]}…, but AWS Config passes at most {MAX_TAGS_LENGTH} to a "
            "document; shorten them, or turn remediation off",
        )
