"""The parameters of the rules: their definitions, and their values parsed before any call to AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, TypeVar

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import is_cidr
from alb_sg.exemptions.location import AwsLocation, parse_location

# rdklib reads these itself (rdklib.configrule.ConfigRule).
RDKLIB_PARAMETERS = ("AssumeRoleMode", "ExecutionRoleName", "ExecutionRoleRegion")

EXEMPTIONS_PARAMETER = "Exemptions"
SOURCE_PARAMETER = "Source"

Choice = TypeVar("Choice", bound=Enum)

PREFIX_LIST_ID = re.compile(r"pl-[0-9a-z]+")
SECURITY_GROUP_ID = re.compile(r"sg-[0-9a-z]+")

MAX_PORT = 65535
_PORT = re.compile(r"[0-9]{1,5}")
# Of AcceptedSources: `none@80` for a port that is closed on purpose.
_NOBODY = "none"


class TargetMatch(Enum):
    """Which security group rules count for a target: `EFFECTIVE`, every rule that lets the load balancer reach it;
    `SECURITY_GROUP`, only a reference to one of its security groups."""

    EFFECTIVE = "effective"
    SECURITY_GROUP = "security-group"


class AcceptedSourcesMatch(Enum):
    """How many of the accepted sources that concern a port and address family must be open: `ANY`, at least one;
    `ALL`, every one."""

    ANY = "any"
    ALL = "all"


class AcceptedSource(NamedTuple):
    """A CIDR block, `pl-…` or `sg-…` of AcceptedSources, for one listener port or (None) for all that no other entry
    names. `peer` is None for `none@PORT`: nobody needs to reach the port."""

    peer: str | None
    port: int | None = None


class Source(Enum):
    """Where a periodic run reads: `LIVE`, the services' own APIs; `CONFIG`, AWS Config's recordings, and those APIs for
    what is not recorded."""

    LIVE = "live"
    CONFIG = "config"


class Parameters(NamedTuple):
    """Parsed rule parameters, with the documented defaults."""

    accepted_sources: tuple[AcceptedSource, ...] = ()
    tag_key: str | None = None
    target_match: TargetMatch = TargetMatch.EFFECTIVE
    exemptions: AwsLocation | None = None
    source: Source = Source.LIVE
    accepted_sources_match: AcceptedSourcesMatch = AcceptedSourcesMatch.ANY

    def accepted_sources_of(self, port: int | None) -> tuple[AcceptedSource, ...]:
        """The accepted sources of a listener port: those that name it, else those without a port. None: of ICMP."""
        own = tuple(source for source in self.accepted_sources if source.port == port)
        return own or tuple(source for source in self.accepted_sources if source.port is None)

    @property
    def accepted_prefix_lists(self) -> frozenset[str]:
        """The prefix lists among the accepted sources."""
        peers = (source.peer or "" for source in self.accepted_sources)
        return frozenset(filter(PREFIX_LIST_ID.fullmatch, peers))


class ParameterDefinition(NamedTuple):
    """A rule parameter as every surface describes it.

    `max_length`: its share of the 1,024 characters that AWS Config allows a rule's parameters together, so that every
    combination fits; None where the deployment sets the parameter itself. `choices`: the only values, one of which is
    always set.
    """

    name: str
    default: str
    meaning: str
    max_length: int | None = None
    choices: tuple[str, ...] = ()


ACCEPTED_SOURCES = ParameterDefinition(
    "AcceptedSources",
    "",
    "Comma-separated CIDR blocks, prefix lists (pl-…) and security groups (sg-…): a listener port or ICMP "
    "that is not open to the recommended peer, but to at least one of these, is compliant. SOURCE@PORT concerns that "
    "listener port alone, none@PORT says that nobody needs to reach it; a source without a port concerns every port "
    "that no other one names.",
    max_length=430,
)
ACCEPTED_SOURCES_MATCH = ParameterDefinition(
    "AcceptedSourcesMatch",
    AcceptedSourcesMatch.ANY.value,
    "any: at least one of AcceptedSources must be open. all: every one that concerns the port and address family.",
    max_length=3,
    choices=tuple(choice.value for choice in AcceptedSourcesMatch),
)
TAG_KEY = ParameterDefinition(
    "TagKey",
    "",
    "Where set, a load balancer's tag of this key names its clients instead (CIDR blocks, pl-…, sg-…, "
    "internet, vpc; space-separated; all are required).",
    max_length=128,
)
TARGET_MATCH = ParameterDefinition(
    "TargetMatch",
    TargetMatch.EFFECTIVE.value,
    "effective: whatever lets the load balancer reach the target counts. security-group: only a reference "
    "to one of the target's security groups.",
    max_length=16,
    choices=tuple(choice.value for choice in TargetMatch),
)
EXEMPTIONS = ParameterDefinition(
    EXEMPTIONS_PARAMETER,
    "",
    "Where exemptions are kept, s3://bucket/key or ssm:/parameter/name in the account of the function: an "
    "exempted load balancer is not applicable until its exemption expires.",
    max_length=256,
)
SOURCE = ParameterDefinition(
    SOURCE_PARAMETER,
    "",
    "Where periodic runs read. live, also where not set: the services' own APIs. config: what AWS Config has "
    "recorded, and those for the rest.",
    max_length=6,
)

# Every rule takes these.
COMMON_PARAMETERS: tuple[ParameterDefinition, ...] = (
    EXEMPTIONS,
    SOURCE,
    ParameterDefinition("AssumeRoleMode", "true", "rdklib's: whether to assume the execution role."),
    ParameterDefinition("ExecutionRoleName", "", "rdklib's: the role to assume in the account."),
    ParameterDefinition("ExecutionRoleRegion", "", "rdklib's: the region for the assumed role."),
)
PARAMETERS: tuple[ParameterDefinition, ...] = (
    ACCEPTED_SOURCES,
    ACCEPTED_SOURCES_MATCH,
    TAG_KEY,
    TARGET_MATCH,
    *COMMON_PARAMETERS,
)


def parse_parameters(values: Mapping[str, object]) -> Parameters:
    """Parses rule parameters as AWS Config passes them: all texts, and an empty one counts as absent.

    Raises InvalidInputError that names an unknown or malformed parameter.
    """
    known = {definition.name for definition in PARAMETERS}
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
        accepted_sources=_accepted_sources(texts.get(ACCEPTED_SOURCES.name, "")),
        tag_key=texts.get(TAG_KEY.name),
        target_match=_enum_member(TargetMatch, TARGET_MATCH.name, texts.get(TARGET_MATCH.name, TARGET_MATCH.default)),
        exemptions=_exemptions_location(texts.get(EXEMPTIONS_PARAMETER)),
        source=_enum_member(Source, SOURCE_PARAMETER, texts.get(SOURCE_PARAMETER, Source.LIVE.value)),
        accepted_sources_match=_enum_member(
            AcceptedSourcesMatch,
            ACCEPTED_SOURCES_MATCH.name,
            texts.get(ACCEPTED_SOURCES_MATCH.name, ACCEPTED_SOURCES_MATCH.default),
        ),
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


def _accepted_sources(value: str) -> tuple[AcceptedSource, ...]:
    """The accepted sources, each once. Raises InvalidInputError."""
    texts = [text.strip() for text in value.split(",")] if value else []
    sources = tuple(dict.fromkeys(map(_accepted_source, texts)))
    for closed in (source for source in sources if source.peer is None):
        if any(source.port == closed.port for source in sources if source.peer is not None):
            raise InvalidInputError(
                f"rule parameter AcceptedSources: none@{closed.port} contradicts another source of port {closed.port}"
            )
    return sources


def _accepted_source(text: str) -> AcceptedSource:
    peer, separator, port_text = text.partition("@")
    port = int(port_text) if _PORT.fullmatch(port_text) else None
    if separator and (port is None or not 1 <= port <= MAX_PORT):
        raise InvalidInputError(f"rule parameter AcceptedSources: {text!r} names no port; write {peer}@443")
    if peer == _NOBODY and port is not None:
        return AcceptedSource(None, port)
    if peer == _NOBODY:
        raise InvalidInputError(
            "rule parameter AcceptedSources: 'none' needs the listener port that nobody needs to reach; write none@80"
        )
    if not is_peer(peer):
        raise InvalidInputError(
            f"rule parameter AcceptedSources: {peer!r} is not a CIDR block, a prefix list (pl-…) or a "
            "security group (sg-…)"
        )
    return AcceptedSource(peer, port)


def is_peer(value: str) -> bool:
    """Whether the text is a CIDR block, a prefix list id or a security group id."""
    return bool(PREFIX_LIST_ID.fullmatch(value) or SECURITY_GROUP_ID.fullmatch(value)) or is_cidr(value)
