"""The parameters that the rules take, read and refused by name before any call is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, TypeVar

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import InvalidCidrError, parse_cidr
from alb_sg.exemptions.location import AwsLocation, parse_location

# rdklib reads these itself (rdklib.configrule.ConfigRule).
RDKLIB_PARAMETERS = ("AssumeRoleMode", "ExecutionRoleName", "ExecutionRoleRegion")

EXEMPTIONS_PARAMETER = "Exemptions"
SOURCE_PARAMETER = "Source"
# What decides how a rule reads, and not what it finds.
READING_PARAMETERS = (*RDKLIB_PARAMETERS, SOURCE_PARAMETER)

Choice = TypeVar("Choice", bound=Enum)

PREFIX_LIST_ID = re.compile(r"pl-[0-9a-z]+")
SECURITY_GROUP_ID = re.compile(r"sg-[0-9a-z]+")


class TargetMatch(Enum):
    """What counts as a way to a target: `EFFECTIVE`, whatever lets the load balancer reach it;
    `SECURITY_GROUP`, only a reference to one of its groups."""

    EFFECTIVE = "effective"
    SECURITY_GROUP = "security-group"


class Source(Enum):
    """Where a periodic run reads: `LIVE`, the services' own APIs; `CONFIG`, what AWS Config has recorded, and those
    APIs for the rest."""

    LIVE = "live"
    CONFIG = "config"


class Parameters(NamedTuple):
    """Rule parameters as they are used; every one has the default of the rules' pages."""

    accepted_sources: tuple[str, ...] = ()
    tag_key: str | None = None
    target_match: TargetMatch = TargetMatch.EFFECTIVE
    exemptions: AwsLocation | None = None
    source: Source = Source.LIVE


class ParameterDefinition(NamedTuple):
    """What a page, `alb-sg rules` and a rule's `parameters.json` say of a parameter."""

    name: str
    default: str
    meaning: str
    rules: frozenset[str] = frozenset()


_INGRESS = frozenset({"ALB_SG_LISTENER_INGRESS", "ALB_SG_ICMP_PMTUD"})
_EGRESS = frozenset({"ALB_SG_INSTANCE_EGRESS", "ALB_SG_HEALTH_CHECK_EGRESS"})

PARAMETERS: tuple[ParameterDefinition, ...] = (
    ParameterDefinition(
        "AcceptedSources",
        "",
        "Comma-separated CIDR blocks, prefix lists (pl-…) and security groups (sg-…): a listener port or ICMP "
        "that is not open to the recommended peer, but to at least one of these, is compliant.",
        _INGRESS,
    ),
    ParameterDefinition(
        "TagKey",
        "",
        "Where set, a load balancer's tag of this key names its clients instead (CIDR blocks, pl-…, sg-…, "
        "internet, vpc; space-separated; all are required).",
        _INGRESS,
    ),
    ParameterDefinition(
        "TargetMatch",
        "effective",
        "effective: whatever lets the load balancer reach the target counts. security-group: only a reference "
        "to one of the target's security groups.",
        _EGRESS,
    ),
    ParameterDefinition(
        EXEMPTIONS_PARAMETER,
        "",
        "Where exemptions are kept, s3://bucket/key or ssm:/parameter/name in the account of the function: an "
        "exempted load balancer is not applicable until its exemption expires.",
        _INGRESS | _EGRESS,
    ),
    ParameterDefinition(
        SOURCE_PARAMETER,
        "",
        "Where periodic runs read. live, also where not set: the services' own APIs. config: what AWS Config has "
        "recorded, and those for the rest.",
        _INGRESS | _EGRESS,
    ),
    ParameterDefinition(
        "AssumeRoleMode", "true", "rdklib's: whether to assume the execution role.", _INGRESS | _EGRESS
    ),
    ParameterDefinition("ExecutionRoleName", "", "rdklib's: the role to assume in the account.", _INGRESS | _EGRESS),
    ParameterDefinition("ExecutionRoleRegion", "", "rdklib's: the region for the assumed role.", _INGRESS | _EGRESS),
)


def parse_parameters(values: Mapping[str, object]) -> Parameters:
    """Rule parameters as AWS Config passes them (all texts; an empty one is absent).

    Raises InvalidInputError that names the parameter, for one that is unknown or does not parse.
    """
    known = {fact.name for fact in PARAMETERS}
    unknown = sorted(set(values) - known)
    if unknown:
        raise InvalidInputError(f"unknown rule parameter {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise InvalidInputError(f"rule parameter {name} must be text, not {value!r}")
    texts = {name: str(value).strip() for name, value in values.items() if value is not None and str(value).strip()}
    if texts.get("AssumeRoleMode", "true").lower() not in ("true", "false"):
        raise InvalidInputError(f"rule parameter AssumeRoleMode is true or false, not {texts['AssumeRoleMode']!r}")
    return Parameters(
        accepted_sources=_accepted_sources(texts.get("AcceptedSources", "")),
        tag_key=texts.get("TagKey"),
        target_match=_enum_member(TargetMatch, "TargetMatch", texts.get("TargetMatch", TargetMatch.EFFECTIVE.value)),
        exemptions=_exemptions_location(texts.get(EXEMPTIONS_PARAMETER)),
        source=_enum_member(Source, SOURCE_PARAMETER, texts.get(SOURCE_PARAMETER, Source.LIVE.value)),
    )


def _enum_member(kind: type[Choice], name: str, value: str) -> Choice:
    try:
        return kind(value)
    except ValueError:
        choices = " or ".join(choice.value for choice in kind)
        raise InvalidInputError(f"rule parameter {name} is {choices}, not {value!r}") from None


def _exemptions_location(value: str | None) -> AwsLocation | None:
    if value is None:
        return None
    try:
        return parse_location(value)
    except InvalidInputError as error:
        raise InvalidInputError(f"rule parameter {EXEMPTIONS_PARAMETER}: {error.message}") from None


def _accepted_sources(value: str) -> tuple[str, ...]:
    sources = [source.strip() for source in value.split(",")] if value else []
    for source in sources:
        if not (is_accepted_source(source)):
            raise InvalidInputError(
                f"rule parameter AcceptedSources: {source!r} is not a CIDR block, a prefix list (pl-…) or a "
                "security group (sg-…)"
            )
    return tuple(sources)


def is_accepted_source(value: str) -> bool:
    """Whether the text is a CIDR block, a prefix list or a security group."""
    if PREFIX_LIST_ID.fullmatch(value) or SECURITY_GROUP_ID.fullmatch(value):
        return True
    try:
        parse_cidr(value)
    except InvalidCidrError:
        return False
    return True
