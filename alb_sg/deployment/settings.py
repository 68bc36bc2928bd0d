"""`rdk-config.json`, the deployment's settings: read once, and refused with every problem at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from alb_sg.deployment.config_errors import InvalidSettingsError, SettingsProblem, schema_problems, sorted_list
from alb_sg.deployment.landing_zone import SECTION, FunctionNetwork, LandingZone, landing_zone_problems
from alb_sg.deployment.rule_definition import RuleDefinition
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.location import SSM_PREFIX, AwsLocation, S3Object, parse_location
from alb_sg.parameters import (
    EXEMPTIONS_PARAMETER,
    PARAMETERS,
    RDKLIB_PARAMETERS,
    SOURCE_PARAMETER,
    TAG_KEY,
    Source,
    parse_parameters,
)
from alb_sg.recommendations.recommendation import Severity
from alb_sg.remediation.fix_request import RULES_PER_GROUP, ManagedGroupPolicy, SharedGroupPolicy

T = TypeVar("T", "LandingZone", "OrganizationSettings", "ResourceNames", "RemediationSettings")

MAX_PARAMETER_LENGTHS = {
    definition.name: definition.max_length for definition in PARAMETERS if definition.max_length is not None
}
# Characters with a special meaning in the resource of a policy.
POLICY_WILDCARDS = frozenset("*?$")
# IAM's limit: characters of a role's name. A rule's parameters leave as many for the evaluation role.
MAX_ROLE_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class ResourceNames:
    function_prefix: str = "alb-sg-"
    evaluation_role: str = "alb-sg-evaluation"
    remediation_role: str = "alb-sg-remediation"
    layer: str = "alb-sg"


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """The organization that the rules are deployed to. The functions serve the accounts of `organization_id` or of
    `member_accounts`. With neither, the template has a parameter for the organization's id. StackSets deploy the rules
    to the accounts of `organizational_units`; without them, AWS Config deploys to all accounts."""

    delegated_administrator: str | None = None
    organization_id: str | None = None
    member_accounts: tuple[str, ...] = ()
    excluded_accounts: tuple[str, ...] = ()
    delivery_bucket: str | None = None
    organizational_units: tuple[str, ...] = ()


class RemediationMode(Enum):
    """Who starts a rule's document: nobody, a person, or AWS Config."""

    OFF = "off"
    MANUAL = "manual"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """How AWS Config remediates a rule's findings. It tries a resource `attempts` times within `retry_seconds`. It
    works on `concurrent_percentage` of the resources at once and stops when `error_percentage` have failed. With
    `approvers`, one of them must approve each fix, also one that AWS Config starts."""

    mode: RemediationMode = RemediationMode.OFF
    shared_group: SharedGroupPolicy = SharedGroupPolicy.DEDICATED
    managed_group: ManagedGroupPolicy = ManagedGroupPolicy.REFUSE
    rules_per_group: int = RULES_PER_GROUP
    attempts: int = 3
    retry_seconds: int = 900
    concurrent_percentage: int = 10
    error_percentage: int = 10
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployedRule:
    """A rule with its deployment settings. `parameters` are those that differ from the default."""

    definition: RuleDefinition
    severity: str
    frequency: str
    parameters: Mapping[str, str]
    remediation: RemediationSettings = field(default_factory=RemediationSettings)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def camel_name(self) -> str:
        """The start of its resources' logical ids."""
        return self.definition.recommendation.camel_name

    @property
    def description(self) -> str:
        return f"[{self.severity}] {self.definition.description}"

    @property
    def exemptions(self) -> AwsLocation | None:
        value = self.parameters.get(EXEMPTIONS_PARAMETER)
        return parse_location(value) if value else None

    @property
    def source(self) -> Source:
        return Source(self.parameters.get(SOURCE_PARAMETER, Source.LIVE.value))

    @property
    def has_remediation(self) -> bool:
        return self.remediation.mode is not RemediationMode.OFF


@dataclass(frozen=True, slots=True)
class Settings:
    """`rdk-config.json` with its defaults filled in. `excluded_types` are types outside the rules' scope, by region."""

    rules: tuple[DeployedRule, ...]
    regions: tuple[str, ...]
    artifact_bucket: str
    stack_name: str = "alb-sg"
    names: ResourceNames = field(default_factory=ResourceNames)
    log_retention_days: int = 90
    alarm_topic: str | None = None
    reserved_concurrency: int | None = None
    maximum_event_age_seconds: int | None = None
    max_exemption_days: int | None = None
    excluded_types: Mapping[str, frozenset[str]] = field(default_factory=dict)
    organization: OrganizationSettings = field(default_factory=OrganizationSettings)
    landing_zone: LandingZone = field(default_factory=LandingZone)

    @property
    def fixable_rules(self) -> tuple[DeployedRule, ...]:
        """The rules with a remediation document."""
        return tuple(rule for rule in self.rules if rule.definition.recommendation.is_fixable)

    @property
    def has_remediation(self) -> bool:
        """Whether any rule has remediation."""
        return any(rule.has_remediation for rule in self.rules)

    @property
    def home_region(self) -> str:
        """The region to deploy first. Its stack creates the roles, which serve all regions."""
        return self.regions[0]

    @property
    def severities(self) -> dict[str, Severity]:
        """The severities that differ from the rules' own."""
        given = ((rule, Severity[rule.severity]) for rule in self.rules)
        return {
            rule.name: severity for rule, severity in given if severity is not rule.definition.recommendation.severity
        }

    def resource_types(self, rule: DeployedRule, region: str | None) -> tuple[str, ...]:
        """The types whose changes trigger a rule in `region` (None: every region without `regionalScope`)."""
        left_out = self.excluded_types.get(region, frozenset()) if region else frozenset()
        return tuple(name for name in rule.definition.resource_types if name not in left_out)

    def function_name(self, rule: DeployedRule) -> str:
        return f"{self.names.function_prefix}{rule.definition.recommendation.kebab_name}"

    def role_resource(self, name: str) -> str:
        """The resource of the ARN of a role that the templates create, such as `role/platform/alb-sg-evaluation`."""
        return f"role{self.landing_zone.role_path}{name}"

    def artifact_bucket_name(self, account: str, region: str) -> str:
        return self.artifact_bucket.format(account=account, region=region)


def read_settings(path: Path, definitions: Sequence[RuleDefinition]) -> Settings:
    """The settings of a file. Raises InvalidSettingsError with every problem in it."""
    content = _read(path)
    problems = schema_problems(content)
    if problems:
        raise InvalidSettingsError(str(path), problems)
    problems = list(_inconsistencies(content, definitions))
    if problems:
        raise InvalidSettingsError(str(path), problems)
    return _make_settings(content, definitions)


def _read(path: Path) -> Any:
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return dict(pairs)

    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except OSError as error:
        raise InvalidSettingsError(str(path), [SettingsProblem("", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidSettingsError(str(path), [SettingsProblem("", f"is not UTF-8 text: {error}")]) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidSettingsError(str(path), [SettingsProblem("", f"is not JSON: {error.msg} in {where}")]) from error
    if twice:
        raise InvalidSettingsError(
            str(path), [SettingsProblem("", f"the key {json.dumps(key)} appears twice; remove one") for key in twice]
        )
    return content


def _inconsistencies(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[SettingsProblem]:
    yield from _rule_set_problems(content, definitions)
    yield from _bucket_problems(content)
    yield from _name_problems(content, definitions)
    yield from _rule_problems(content, definitions)
    yield from _scope_problems(content, definitions)
    yield from _organization_problems(content.get("organization", {}))
    yield from landing_zone_problems(content, _resource_names(content).evaluation_role, MAX_ROLE_NAME_LENGTH)


def _rule_set_problems(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[SettingsProblem]:
    known = {name for definition in definitions for name in definition.rule_sets}
    for position, name in enumerate(content["ruleSets"]):
        if name not in known:
            yield SettingsProblem(
                f"ruleSets[{position}]", f"no rule is in the rule set {name!r}; known are {sorted_list(known)}"
            )
    if known >= set(content["ruleSets"]) and not any(_deployed_definitions(content, definitions)):
        yield SettingsProblem("rules", "deployed is false for every rule; deploy at least one")


def _bucket_problems(content: Mapping[str, Any]) -> Iterator[SettingsProblem]:
    name = content["artefactBucket"]
    rest = name.replace("{account}", "").replace("{region}", "")
    if "{" in rest or "}" in rest:
        yield SettingsProblem("artefactBucket", f"{name!r} has braces that are neither {{account}} nor {{region}}")
    elif len(content["regions"]) > 1 and "{region}" not in name:
        yield SettingsProblem(
            "artefactBucket",
            f"{name!r} is one bucket for {len(content['regions'])} regions, but Lambda reads code only from a bucket "
            "in its own region; put {region} into the name",
        )


def _name_problems(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[SettingsProblem]:
    names = _resource_names(content)
    if names.evaluation_role == names.remediation_role:
        yield SettingsProblem(
            "names", f"evaluationRole and remediationRole are both {names.evaluation_role!r}; choose different names"
        )
    for definition in definitions:
        name = f"{names.function_prefix}{definition.recommendation.kebab_name}"
        if name in {names.evaluation_role, names.remediation_role}:
            yield SettingsProblem(
                "names", f"{name!r} is also the name of a function's role; choose another role name or functionPrefix"
            )


def _rule_problems(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[SettingsProblem]:
    known = {definition.name: definition for definition in definitions}
    shared = content.get("parameters", {})
    takers = {name for definition in definitions for name in definition.parameters}
    yield from _parameter_problems("parameters", shared, takers)
    for name, rule in content.get("rules", {}).items():
        if name not in known:
            yield SettingsProblem("rules", f"unknown rule {name!r}; known are {sorted_list(known)}")
            continue
        own = rule.get("parameters", {})
        yield from _parameter_problems(f"rules.{name}.parameters", own, set(known[name].parameters))
        mode = RemediationMode(rule.get("remediation", {}).get("mode", RemediationMode.OFF.value))
        if mode is not RemediationMode.OFF:
            if not known[name].recommendation.is_fixable:
                yield SettingsProblem(
                    f"rules.{name}.remediation", "no document removes security group rules; leave out the remediation"
                )
                continue
            free = set(known[name].parameters) & set(MAX_PARAMETER_LENGTHS)
            taken = {key: value for key, value in {**shared, **own}.items() if key in free}
            yield from _remediation_problems(name, taken, mode, in_organization="organization" in content)


def _remediation_problems(
    rule: str, parameters: Mapping[str, str], mode: RemediationMode, *, in_organization: bool
) -> Iterator[SettingsProblem]:
    """Parameters that a rule accepts, but not together with its remediation."""
    path = f"rules.{rule}.remediation"
    if mode is RemediationMode.AUTOMATIC and parameters.get(TAG_KEY.name):
        yield SettingsProblem(
            path,
            "TagKey lets everybody who may tag a load balancer decide whom AWS Config "
            "opens it to; make the mode manual, or remove TagKey",
        )
    if in_organization and parameters.get(EXEMPTIONS_PARAMETER, "").startswith(SSM_PREFIX):
        yield SettingsProblem(
            path,
            f"Exemptions are in {parameters[EXEMPTIONS_PARAMETER]}, which only one account can read, but documents run "
            "in every account of the organization; keep them in S3",
        )


def _parameter_problems(path: str, values: Mapping[str, str], known: set[str]) -> Iterator[SettingsProblem]:
    free = known - set(RDKLIB_PARAMETERS)
    for name, value in values.items():
        if name in RDKLIB_PARAMETERS:
            yield SettingsProblem(path, f"the deployment sets {name} itself; name the role with names.evaluationRole")
        elif name not in free:
            yield SettingsProblem(path, f"unknown parameter {name!r}; known are {sorted_list(free)}")
        else:
            try:
                location = parse_parameters({name: value}).exemptions
            except InvalidInputError as error:
                yield SettingsProblem(f"{path}.{name}", str(error))
                continue
            if len(value) > MAX_PARAMETER_LENGTHS[name]:
                limit = f"its share of {MAX_PARAMETER_LENGTHS[name]} of the 1,024 that AWS Config accepts for a rule"
                yield SettingsProblem(f"{path}.{name}", f"{len(value)} characters are more than {limit}")
            if isinstance(location, S3Object) and POLICY_WILDCARDS & set(location.key):
                yield SettingsProblem(
                    f"{path}.{name}", "a role's policy cannot name a key with *, ? or $; choose another key"
                )


def _scope_problems(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Iterator[SettingsProblem]:
    known = {name for definition in definitions for name in definition.resource_types}
    for region, scope in content.get("regionalScope", {}).items():
        path = f"regionalScope.{region}"
        if region not in content["regions"]:
            yield SettingsProblem(
                path, f"{region} is not in regions: {', '.join(content['regions'])}; add it there, or remove it here"
            )
        for position, name in enumerate(scope["leaveOut"]):
            if name not in known:
                yield SettingsProblem(
                    f"{path}.leaveOut[{position}]", f"no rule is triggered by {name!r}; known are {sorted_list(known)}"
                )
        if known <= set(scope["leaveOut"]):
            yield SettingsProblem(f"{path}.leaveOut", "leaves no type that triggers a rule; keep at least one")


def _organization_problems(content: Mapping[str, Any]) -> Iterator[SettingsProblem]:
    members, excluded = content.get("memberAccounts", []), content.get("excludedAccounts", [])
    if members and "organizationId" in content:
        yield SettingsProblem("organization", "has both organizationId and memberAccounts; remove one")
    if members and content.get("organizationalUnits"):
        yield SettingsProblem(
            "organization",
            "has both organizationalUnits and memberAccounts; name the accounts, or the units and the organizationId",
        )
    for account in members:
        if account in excluded:
            yield SettingsProblem(
                "organization.excludedAccounts", f"{account} is also in memberAccounts; remove it from one of them"
            )


def _make_settings(content: Mapping[str, Any], definitions: Sequence[RuleDefinition]) -> Settings:
    return Settings(
        rules=tuple(_deployed_rule(content, definition) for definition in _deployed_definitions(content, definitions)),
        regions=tuple(content["regions"]),
        artifact_bucket=content["artefactBucket"],
        stack_name=content.get("stackName", "alb-sg"),
        names=_resource_names(content),
        log_retention_days=content.get("logRetentionDays", 90),
        alarm_topic=content.get("alarmTopic"),
        reserved_concurrency=content.get("reservedConcurrency"),
        maximum_event_age_seconds=content.get("maximumEventAgeSeconds"),
        max_exemption_days=content.get("maxExemptionDays"),
        excluded_types={
            region: frozenset(scope["leaveOut"]) for region, scope in content.get("regionalScope", {}).items()
        },
        organization=_with_content(OrganizationSettings(), content.get("organization", {})),
        landing_zone=_landing_zone(content.get(SECTION, {})),
    )


def _landing_zone(options: Mapping[str, Any]) -> LandingZone:
    networks = {
        region: FunctionNetwork(tuple(network["subnets"]), tuple(network["securityGroups"]))
        for region, network in options.get("vpc", {}).items()
    }
    others = {key: value for key, value in options.items() if key != "vpc"}
    return replace(_with_content(LandingZone(), others), networks=networks)


def _with_content(default: T, content: Mapping[str, Any]) -> T:
    """Settings with the values of an object, whose keys are the names of the fields in camel case."""
    given: dict[str, Any] = {}
    for key, value in content.items():
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
        kind = type(getattr(default, name))
        given[name] = kind(value) if issubclass(kind, Enum | tuple) else value
    return replace(default, **given)


def _deployed_definitions(
    content: Mapping[str, Any], definitions: Sequence[RuleDefinition]
) -> Iterator[RuleDefinition]:
    asked, rules = set(content["ruleSets"]), content.get("rules", {})
    for definition in definitions:
        by_default = definition.recommendation.deployed_by_default
        if definition.rule_sets & asked and rules.get(definition.name, {}).get("deployed", by_default):
            yield definition


def _resource_names(content: Mapping[str, Any]) -> ResourceNames:
    return _with_content(ResourceNames(), content.get("names", {}))


def _deployed_rule(content: Mapping[str, Any], definition: RuleDefinition) -> DeployedRule:
    rule = content.get("rules", {}).get(definition.name, {})
    return DeployedRule(
        definition=definition,
        severity=rule.get("severity", definition.recommendation.severity.name),
        frequency=rule.get("frequency") or content.get("frequency") or definition.frequency,
        parameters=_rule_parameters(content, definition),
        remediation=_with_content(RemediationSettings(), rule.get("remediation", {})),
    )


def _rule_parameters(content: Mapping[str, Any], definition: RuleDefinition) -> dict[str, str]:
    own = content.get("rules", {}).get(definition.name, {}).get("parameters", {})
    given = {**content.get("parameters", {}), **own}
    return {name: given[name] for name in definition.parameters if given.get(name)}
