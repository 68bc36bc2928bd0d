"""`rdk-config.json`: how the package is deployed, read once and refused with every mistake that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from alb_sg.deployment.mistakes import Mistake, WrongSettings, one_of, schema_mistakes
from alb_sg.deployment.rule_definition import RuleDefinition
from alb_sg.errors import UnusableInput
from alb_sg.exemptions.location import SSM_PREFIX, AwsLocation, S3Object, parse_location
from alb_sg.parameters import EXEMPTIONS, RDKLIB_PARAMETERS, SOURCE, Source, parse_parameters
from alb_sg.remediation.policy import RULES_PER_GROUP, ManagedGroup, SharedGroup

# AWS Config takes 1,024 characters of rule parameters. Each one has its share, so that whatever is put into a
# conformance pack's parameters, all of a rule's together fit, with their names and the name of the evaluation role.
PARAMETER_LENGTHS = {"AcceptedSources": 460, "TagKey": 128, EXEMPTIONS: 256, "TargetMatch": 16, SOURCE: 6}
# RemediationParameterValue.StaticValue in AWS Config's API: the characters of one value.
REMEDIATION_LENGTH = 256
# In the resource of a policy these mean more than themselves.
POLICY_CHARACTERS = frozenset("*?$")


@dataclass(frozen=True, slots=True)
class Names:
    function_prefix: str = "alb-sg-"
    evaluation_role: str = "alb-sg-evaluation"
    remediation_role: str = "alb-sg-remediation"
    layer: str = "alb-sg"


@dataclass(frozen=True, slots=True)
class Organization:
    """Where the rules are deployed to. The accounts that functions serve are those of `organization_id`, or those of
    `member_accounts`; with neither, the template asks for the organization's id."""

    delegated_administrator: str | None = None
    organization_id: str | None = None
    member_accounts: tuple[str, ...] = ()
    excluded_accounts: tuple[str, ...] = ()
    delivery_bucket: str | None = None


class Mode(Enum):
    """Who starts a rule's document: nobody, a person in AWS Config's console, or AWS Config by itself."""

    OFF = "off"
    MANUAL = "manual"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Remediation:
    """How a rule's findings are remedied. `attempts` are AWS Config's for one resource, `retry_seconds` apart;
    `concurrent_percentage` of the resources are worked on at once, until `error_percentage` have failed."""

    mode: Mode = Mode.OFF
    shared_group: SharedGroup = SharedGroup.DEDICATED
    managed_group: ManagedGroup = ManagedGroup.REFUSE
    rules_per_group: int = RULES_PER_GROUP
    attempts: int = 3
    retry_seconds: int = 900
    concurrent_percentage: int = 10
    error_percentage: int = 10


@dataclass(frozen=True, slots=True)
class DeployedRule:
    """A rule with everything that its deployment says of it. `parameters` are those that differ from the default."""

    definition: RuleDefinition
    severity: str
    frequency: str
    parameters: Mapping[str, str]
    remediation: Remediation = field(default_factory=Remediation)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def description(self) -> str:
        return f"[{self.severity}] {self.definition.description}"

    @property
    def exemptions(self) -> AwsLocation | None:
        value = self.parameters.get(EXEMPTIONS)
        return parse_location(value) if value else None

    @property
    def source(self) -> Source:
        return Source(self.parameters.get(SOURCE, Source.LIVE.value))

    @property
    def remedied(self) -> bool:
        return self.remediation.mode is not Mode.OFF


@dataclass(frozen=True, slots=True)
class Settings:
    """`rdk-config.json` with its defaults filled in. `left_out` are types outside the rules' scope, by region."""

    rules: tuple[DeployedRule, ...]
    regions: tuple[str, ...]
    artefact_bucket: str
    stack_name: str = "alb-sg"
    names: Names = field(default_factory=Names)
    log_retention_days: int = 90
    alarm_topic: str | None = None
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    organization: Organization = field(default_factory=Organization)

    @property
    def remedied(self) -> bool:
        """Whether any rule's findings are."""
        return any(rule.remedied for rule in self.rules)

    @property
    def home_region(self) -> str:
        """The region that is deployed first and has the roles, which are one for all regions."""
        return self.regions[0]

    def types(self, rule: DeployedRule, region: str | None) -> tuple[str, ...]:
        """The types whose changes a rule listens to in a region; None: wherever no type is left out."""
        left_out = self.left_out.get(region, frozenset()) if region else frozenset()
        return tuple(name for name in rule.definition.types if name not in left_out)

    def function_name(self, rule: DeployedRule) -> str:
        return f"{self.names.function_prefix}{rule.definition.kebab}"

    def bucket(self, account: str, region: str) -> str:
        return self.artefact_bucket.format(account=account, region=region)


def read_settings(path: Path, definitions: Sequence[RuleDefinition]) -> Settings:
    """The settings of a file. Raises WrongSettings with every mistake in it."""
    content = _read(path)
    mistakes = schema_mistakes(content)
    if mistakes:
        raise WrongSettings(str(path), mistakes)
    mistakes = list(_disagreements(content, definitions))
    if mistakes:
        raise WrongSettings(str(path), mistakes)
    return _settings(content, definitions)


def _read(path: Path) -> Any:
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return dict(pairs)

    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except OSError as error:
        raise WrongSettings(str(path), [Mistake("", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise WrongSettings(str(path), [Mistake("", f"is not UTF-8 text: {error}")]) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise WrongSettings(str(path), [Mistake("", f"is not JSON: {error.msg} in {where}")]) from error
    if twice:
        raise WrongSettings(str(path), [Mistake("", f"the key {json.dumps(key)} is there twice") for key in twice])
    return content


# --- what the schema cannot tell


def _disagreements(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[Mistake]:
    yield from _wrong_rule_sets(content, definitions)
    yield from _wrong_bucket(content)
    yield from _wrong_names(content, definitions)
    yield from _wrong_rules(content, definitions)
    yield from _wrong_scopes(content, definitions)
    yield from _wrong_organization(content.get("organization", {}))


def _wrong_rule_sets(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[Mistake]:
    known = {name for definition in definitions for name in definition.rule_sets}
    for position, name in enumerate(content["ruleSets"]):
        if name not in known:
            yield Mistake(f"ruleSets[{position}]", f"no rule is in the rule set {name!r}; known are {one_of(known)}")
    if known >= set(content["ruleSets"]) and not any(_deployed(content, definitions)):
        yield Mistake("rules", "deployed is false for every rule; leave one to deploy")


def _wrong_bucket(content: Mapping[str, Any]) -> Iterator[Mistake]:
    name = content["artefactBucket"]
    rest = name.replace("{account}", "").replace("{region}", "")
    if "{" in rest or "}" in rest:
        yield Mistake("artefactBucket", f"{name!r} has braces that are neither {{account}} nor {{region}}")
    elif len(content["regions"]) > 1 and "{region}" not in name:
        yield Mistake(
            "artefactBucket",
            f"{name!r} is one bucket for {len(content['regions'])} regions, and Lambda reads code from a bucket in its "
            "own region; put {region} into the name",
        )


def _wrong_names(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[Mistake]:
    names = _names(content)
    if names.evaluation_role == names.remediation_role:
        yield Mistake("names", f"evaluationRole and remediationRole are both {names.evaluation_role!r}")
    for definition in definitions:
        name = f"{names.function_prefix}{definition.kebab}"
        if name in {names.evaluation_role, names.remediation_role}:
            yield Mistake("names", f"{name!r} would be the role of a function and of the member accounts")


def _wrong_rules(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[Mistake]:
    known = {definition.name: definition for definition in definitions}
    shared = content.get("parameters", {})
    takers = {name for definition in definitions for name in definition.parameters}
    yield from _wrong_parameters("parameters", shared, takers)
    for name, said in content.get("rules", {}).items():
        if name not in known:
            yield Mistake("rules", f"unknown rule {name!r}; known are {one_of(known)}")
            continue
        own = said.get("parameters", {})
        yield from _wrong_parameters(f"rules.{name}.parameters", own, set(known[name].parameters))
        if said.get("remediation", {}).get("mode", Mode.OFF.value) != Mode.OFF.value:
            free = set(known[name].parameters) & set(PARAMETER_LENGTHS)
            taken = {key: value for key, value in {**shared, **own}.items() if key in free}
            yield from _wrong_remediation(name, taken, in_organization="organization" in content)


def _wrong_remediation(rule: str, parameters: Mapping[str, str], *, in_organization: bool) -> Iterator[Mistake]:
    """What a rule may be given and its document may not."""
    path = f"rules.{rule}.remediation"
    for name, value in parameters.items():
        if REMEDIATION_LENGTH < len(value) <= PARAMETER_LENGTHS[name]:
            yield Mistake(
                path,
                f"{name} has {len(value)} characters, of which AWS Config hands {REMEDIATION_LENGTH} to a document; "
                "turn remediation off, or name a prefix list",
            )
    if in_organization and parameters.get(EXEMPTIONS, "").startswith(SSM_PREFIX):
        yield Mistake(
            path,
            f"Exemptions are in {parameters[EXEMPTIONS]}, which can be read in one account alone, and documents run in "
            "every account of the organization; keep them in S3",
        )


def _wrong_parameters(path: str, values: Mapping[str, str], known: set[str]) -> Iterator[Mistake]:
    free = known - set(RDKLIB_PARAMETERS)
    for name, value in values.items():
        if name in RDKLIB_PARAMETERS:
            yield Mistake(path, f"{name} is set by the deployment itself; names.evaluationRole names the role")
        elif name not in free:
            yield Mistake(path, f"unknown parameter {name!r}; known are {one_of(free)}")
        else:
            try:
                location = parse_parameters({name: value}).exemptions
            except UnusableInput as error:
                yield Mistake(f"{path}.{name}", str(error))
                continue
            if len(value) > PARAMETER_LENGTHS[name]:
                limit = f"the {PARAMETER_LENGTHS[name]} that it may have of the 1,024 that AWS Config takes of a rule"
                yield Mistake(f"{path}.{name}", f"{len(value)} characters are more than {limit}")
            if isinstance(location, S3Object) and POLICY_CHARACTERS & set(location.key):
                yield Mistake(
                    f"{path}.{name}", "a key with *, ? or $ cannot be named in a role's policy; choose another"
                )


def _wrong_scopes(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[Mistake]:
    known = {name for definition in definitions for name in definition.types}
    for region, said in content.get("regionalScope", {}).items():
        path = f"regionalScope.{region}"
        if region not in content["regions"]:
            yield Mistake(path, f"{region} is not among the regions deployed to: {', '.join(content['regions'])}")
        for position, name in enumerate(said["leaveOut"]):
            if name not in known:
                yield Mistake(f"{path}.leaveOut[{position}]", f"no rule listens to {name!r}; known are {one_of(known)}")
        if known <= set(said["leaveOut"]):
            yield Mistake(f"{path}.leaveOut", "leaves no type to listen to")


def _wrong_organization(content: Mapping[str, Any]) -> Iterator[Mistake]:
    members, excluded = content.get("memberAccounts", []), content.get("excludedAccounts", [])
    if members and "organizationId" in content:
        yield Mistake("organization", "has both organizationId and memberAccounts; one of them says whom to serve")
    for account in members:
        if account in excluded:
            yield Mistake("organization.excludedAccounts", f"{account} is in memberAccounts too")


# --- the settings themselves


def _settings(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Settings:
    organization = content.get("organization", {})
    return Settings(
        rules=tuple(_rule(content, definition) for definition in _deployed(content, definitions)),
        regions=tuple(content["regions"]),
        artefact_bucket=content["artefactBucket"],
        stack_name=content.get("stackName", "alb-sg"),
        names=_names(content),
        log_retention_days=content.get("logRetentionDays", 90),
        alarm_topic=content.get("alarmTopic"),
        left_out={region: frozenset(said["leaveOut"]) for region, said in content.get("regionalScope", {}).items()},
        organization=Organization(
            delegated_administrator=organization.get("delegatedAdministrator"),
            organization_id=organization.get("organizationId"),
            member_accounts=tuple(organization.get("memberAccounts", ())),
            excluded_accounts=tuple(organization.get("excludedAccounts", ())),
            delivery_bucket=organization.get("deliveryBucket"),
        ),
    )


def _deployed(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[RuleDefinition]:
    asked, rules = set(content["ruleSets"]), content.get("rules", {})
    for definition in definitions:
        if definition.rule_sets & asked and rules.get(definition.name, {}).get("deployed", True):
            yield definition


def _names(content: Mapping[str, Any]) -> Names:
    said, default = content.get("names", {}), Names()
    return Names(
        function_prefix=said.get("functionPrefix", default.function_prefix),
        evaluation_role=said.get("evaluationRole", default.evaluation_role),
        remediation_role=said.get("remediationRole", default.remediation_role),
        layer=said.get("layer", default.layer),
    )


def _rule(content: Mapping[str, Any], definition: RuleDefinition) -> DeployedRule:
    said = content.get("rules", {}).get(definition.name, {})
    return DeployedRule(
        definition=definition,
        severity=said.get("severity", "MEDIUM"),
        frequency=said.get("frequency") or content.get("frequency") or definition.frequency,
        parameters=_parameters(content, definition),
        remediation=_remediation(said.get("remediation", {})),
    )


def _remediation(said: Mapping[str, Any]) -> Remediation:
    default = Remediation()
    return Remediation(
        mode=Mode(said.get("mode", default.mode.value)),
        shared_group=SharedGroup(said.get("sharedGroup", default.shared_group.value)),
        managed_group=ManagedGroup(said.get("managedGroup", default.managed_group.value)),
        rules_per_group=said.get("rulesPerGroup", default.rules_per_group),
        attempts=said.get("attempts", default.attempts),
        retry_seconds=said.get("retrySeconds", default.retry_seconds),
        concurrent_percentage=said.get("concurrentPercentage", default.concurrent_percentage),
        error_percentage=said.get("errorPercentage", default.error_percentage),
    )


def _parameters(content: Mapping[str, Any], definition: RuleDefinition) -> dict[str, str]:
    own = content.get("rules", {}).get(definition.name, {}).get("parameters", {})
    given = {**content.get("parameters", {}), **own}
    return {name: given[name] for name in definition.parameters if given.get(name)}
