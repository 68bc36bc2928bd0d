"""Stacks and their nested stacks, with one way of deploying them chosen: parameters, outputs, exports."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alb_sg.aws.arns import account_id_of, partition_of_region
from alb_sg.errors import InvalidInputError
from alb_sg.estate.field_readers import texts_in
from alb_sg.estate.json_files import STANDARD_INPUT, display_name, file_error_context, read_content
from alb_sg.estate.planned.deployed_stack import DeployedStack
from alb_sg.estate.planned.resource_types import NESTED_STACK
from alb_sg.estate.planned.resources import UnknownPlannedValue
from alb_sg.estate.planned.template_choices import Choices, Option, UndeployableError
from alb_sg.estate.planned.template_documents import RESOURCES, parse_template
from alb_sg.estate.planned.template_includes import insert_local_files
from alb_sg.estate.planned.template_loops import has_loops, unroll_loops
from alb_sg.estate.planned.template_macros import (
    LANGUAGE_EXTENSIONS,
    PROCESSED_HINT,
    expand_transforms,
    uses_language_extensions,
)
from alb_sg.estate.planned.template_parameters import (
    PSEUDO_PARAMETERS,
    DeclaredParameter,
    plain_text,
    read_declared_parameters,
)
from alb_sg.estate.planned.template_properties import NO_VALUE_EXPRESSION, spread_condition
from alb_sg.estate.planned.template_text import (
    NO_VALUE,
    OpenParameter,
    is_known,
    parameter_identity,
    split,
    unknown_of,
)
from alb_sg.estate.planned.template_types import DECIDING_PROPERTIES, MODULE_SUFFIX
from alb_sg.estate.planned.template_values import Expressions, parameter_label

OPTION = "--template-parameter"
ASSET_PATH = "aws:asset:path"


@dataclass(frozen=True)
class TemplateFile:
    """A template to deploy. `stack_name`, `account_id` and `region` are None where nobody has told them.

    `deployed` is the stack that it updates. `parameters` are values of its parameters for which the caller gives no
    others. `has_local_parts`: the templates of nested stacks may be files beside it. `content` is that of a template
    that is no file, and `assets` are local files by the keys that they get in S3.
    """

    path: str
    stack_name: str | None = None
    account_id: str | None = None
    region: str | None = None
    deployed: DeployedStack | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    has_local_parts: bool = True
    content: bytes | None = None
    assets: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class LoadedTemplate:
    """A template that was read, checked and expanded."""

    path: str
    document: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    lines: Mapping[str, int]
    parameters: Mapping[str, DeclaredParameter]

    @property
    def name(self) -> str:
        return display_name(self.path)


@dataclass(frozen=True)
class GivenValues:
    """What the caller says about a deployment. `take_defaults`: parameters without a value have their default.
    `nested_templates` are the files of nested stacks, by the address of the stack."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    take_defaults: bool = False
    nested_templates: Mapping[str, str] = field(default_factory=dict)


@dataclass
class TemplateLibrary:
    """Reads every file once, with what is `given` for the deployment."""

    given: GivenValues = field(default_factory=GivenValues)
    loaded: dict[tuple[str, frozenset[tuple[str, str]]], LoadedTemplate] = field(default_factory=dict)

    def load(self, file: TemplateFile) -> LoadedTemplate:
        """Raises InvalidInputError with the file's name."""
        key = file.path, frozenset(file.parameters.items())
        if key not in self.loaded:
            with file_error_context(file.path):
                self.loaded[key] = _load(file, self.given)
        return self.loaded[key]


def folder_of(path: str) -> Path:
    """The folder that relative paths in a template begin at."""
    return Path() if path == STANDARD_INPUT else Path(path).parent


def _load(file: TemplateFile, given: GivenValues) -> LoadedTemplate:
    document = parse_template(read_content(file.path) if file.content is None else file.content)
    value, lines = document.value, dict(document.lines)
    if file.has_local_parts:
        value = insert_local_files(value, folder_of(file.path))
    if uses_language_extensions(value) and has_loops(value):
        declared = read_declared_parameters(value)
        defaults = {
            name: one.default for name, one in declared.items() if given.take_defaults and one.default is not None
        }
        value, loops = unroll_loops(value, declared, {**defaults, **file.parameters, **given.parameters})
        lines |= {name: lines[loop] for name, loop in loops.items() if loop in lines}
    value = expand_transforms(value)
    resources = {
        logical_id: _checked_resource(logical_id, resource) for logical_id, resource in value[RESOURCES].items()
    }
    outputs = _checked_outputs(value.get("Outputs") or {})
    return LoadedTemplate(file.path, value, resources, outputs, lines, read_declared_parameters(value))


def _checked_outputs(outputs: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(outputs, dict):
        raise InvalidInputError("Outputs must be an object")
    for name, output in outputs.items():
        if not isinstance(output, dict):
            raise InvalidInputError("an output must be an object with a Value", f"Outputs.{name}")
    return outputs


def _checked_resource(logical_id: str, resource: Any) -> Mapping[str, Any]:
    """A resource with its properties by name. Raises InvalidInputError."""
    if logical_id == "Fn::Transform":
        raise InvalidInputError(f"{logical_id} adds resources, which only CloudFormation can do; {PROCESSED_HINT}")
    if logical_id.startswith("Fn::"):
        raise InvalidInputError(
            f"{logical_id} makes resources only with the transform {LANGUAGE_EXTENSIONS}; add it, or {PROCESSED_HINT}"
        )
    place = f"{RESOURCES}.{logical_id}"
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise InvalidInputError("a resource must be an object with a Type", place)
    if resource["Type"].endswith(MODULE_SUFFIX):
        raise InvalidInputError(
            f"{resource['Type']} is a module, which only CloudFormation can expand; {PROCESSED_HINT}",
            place,
        )
    properties = resource.get("Properties") or {}
    if not isinstance(properties, dict):
        raise InvalidInputError("Properties must be an object", place)
    properties = spread_condition(properties)
    for owner in (resource, properties):
        function = next((name for name in owner if str(name).startswith("Fn::")), None)
        if function is not None and resource["Type"] in DECIDING_PROPERTIES:
            raise InvalidInputError(
                f"{function} makes properties only when CloudFormation processes the template; {PROCESSED_HINT}",
                place,
            )
    return {**resource, "Properties": properties}


class Deployment:
    """All stacks of a deployment, with the choices made so far."""

    def __init__(self, files: Sequence[TemplateFile], library: TemplateLibrary, choices: Choices) -> None:
        self.given = library.given
        self.library = library
        self.choices = choices
        self.several = len(files) > 1
        addresses = _root_addresses(files)
        self.roots = [
            Stack(self, library.load(file), address, file) for file, address in zip(files, addresses, strict=True)
        ]
        self._exports: Mapping[str, list[tuple[Stack, Mapping[str, Any]]]] | None = None

    def stacks(self, addresses: Collection[str] | None = None) -> Iterator[Stack]:
        """The stacks that are created; with `addresses`, of the nested ones those that have any of these resources."""
        for root in self.roots:
            yield from root.with_nested(addresses)

    def given_text(self, stack: Stack, name: str) -> str:
        """The value that a parameter of a root is given, or has by default; "" if it is not known."""
        default = stack.template.parameters[name].default if self.given.take_defaults else None
        return self.given.parameters.get(name, stack.file.parameters.get(name, default or ""))

    def imported(self, name: object) -> object:
        """The value of an export, from another template of this deployment."""
        if not is_known(name):
            return unknown_of(name, "an import whose name depends on ")
        text = plain_text(name)
        for stack, output in self._exports_of_name().get(text, ()):
            if stack.has(output):
                return stack.value(output.get("Value"))
        return UnknownPlannedValue(f"import {text}", "give the template that exports it with another --template")

    def stack_output(self, name: object, output: object, region: object, account_id: str | None) -> object:
        """The value of an output of another template of this deployment, which may be in another account or region.
        `region` is None where any may be meant."""
        for value in (name, output, region):
            if not is_known(value):
                return unknown_of(value, "an output of a stack that depends on ")
        text = plain_text(name)
        found = [
            root
            for root in self.roots
            if root.file.stack_name == text
            and (region is None or root.told("AWS::Region") in (None, region))
            and (account_id is None or root.told("AWS::AccountId") in (None, account_id))
        ]
        if len(found) == 1:
            return found[0].output(plain_text(output))
        return UnknownPlannedValue(
            f"output {plain_text(output)} of stack {text}",
            f"give its template with another --template {text}=F" if not found else "give the region of the stack",
        )

    def _exports_of_name(self) -> Mapping[str, list[tuple[Stack, Mapping[str, Any]]]]:
        if self._exports is None:
            # An export whose name is an import would ask for exports again.
            self._exports = {}
            # A single stack has none to import from.
            if self.several or any(one["Type"] == NESTED_STACK for one in self.roots[0].resources.values()):
                self._exports = self._find_exports()
        return self._exports

    def _find_exports(self) -> dict[str, list[tuple[Stack, Mapping[str, Any]]]]:
        found: dict[str, list[tuple[Stack, Mapping[str, Any]]]] = {}
        for stack in self.stacks():
            for name, output in stack.exports():
                others = found.setdefault(name, [])
                if any(other.template is not stack.template for other, _ in others):
                    raise InvalidInputError(
                        f"{others[0][0].template.name} and {stack.template.name} both export {name!r}; rename one"
                    )
                others.append((stack, output))
        return found


def _root_addresses(files: Sequence[TemplateFile]) -> list[str]:
    """What the addresses of a template's resources begin with: nothing for a single one."""
    if len(files) == 1:
        return [""]
    names = [file.stack_name or Path(display_name(file.path)).name.partition(".")[0] for file in files]
    return [
        f"{name if names.count(name) == 1 else display_name(file.path)}/"
        for name, file in zip(names, files, strict=True)
    ]


class Stack:
    """A stack: a template with its parameters. `parent` is the parent of a nested stack, and the logical ID there."""

    def __init__(
        self,
        deployment: Deployment,
        template: LoadedTemplate,
        address: str,
        file: TemplateFile,
        parent: tuple[Stack, str] | None = None,
    ) -> None:
        self.deployment = deployment
        self.template = template
        self.address = address
        self.file = file
        self.choices = deployment.choices
        self.document = template.document
        self.resources = template.resources
        self.outputs = template.outputs
        self.expressions = Expressions(self)
        self._parent = parent
        # What the parent passes for each parameter, as the parent writes it.
        self.passed = {} if parent is None else _passed_expressions(*parent)
        self._children: dict[str, Stack | None] = {}
        self._values: dict[str, object] = {}

    @property
    def is_nested(self) -> bool:
        return self._parent is not None

    @property
    def parent(self) -> Stack | None:
        return None if self._parent is None else self._parent[0]

    def encloses(self, path: str) -> bool:
        """Whether a template is that of this stack, or of one that this stack is nested in."""
        return self.template.path == path or (self.parent is not None and self.parent.encloses(path))

    def value(self, expression: Any) -> object:
        """The value of an expression. Raises InvalidInputError with the template's name."""
        with file_error_context(self.template.path):
            return self.expressions.resolve(expression)

    def address_of(self, logical_id: str) -> str:
        return f"{self.address}{logical_id}"

    def is_created(self, logical_id: str) -> bool:
        """Whether the condition of a resource holds."""
        return self.has(self.resources[logical_id])

    def created(
        self, types: Container[str], addresses: Container[str] | None = None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The resources of these types that the stack creates, by logical ID. Asks for choices.

        With `addresses`, no others than these.
        """
        for logical_id, resource in self.resources.items():
            if resource["Type"] not in types or (
                addresses is not None and self.address_of(logical_id) not in addresses
            ):
                continue
            if self.is_created(logical_id):
                yield logical_id, resource

    def imported(self, name: object) -> object:
        return self.deployment.imported(name)

    def stack_output(self, stack: object, name: object, region: object, role: object) -> object:
        """The value of `Fn::GetStackOutput`: without a region or role, of a stack in the same one."""
        if is_known(role):
            account_id = account_id_of(plain_text(role)) or (None if role else self.told("AWS::AccountId"))
        else:
            account_id = None
        is_own = region in (None, "") or (isinstance(region, OpenParameter) and region.name == "AWS::Region")
        place = self.told("AWS::Region") if is_own else region
        return self.deployment.stack_output(stack, name, place, account_id)

    def output(self, name: str) -> object:
        """The value of an output for another stack."""
        if name not in self.outputs:
            raise InvalidInputError(f"{self.template.name} has no output {name!r}; define it below Outputs")
        if not self.has(self.outputs[name]):
            raise UndeployableError(f"{self.template.name} does not make the output {name!r}: its condition fails")
        with self.expressions.guard(f"{self.address}Outputs.{name}"):
            value = self.value(self.outputs[name].get("Value"))
        return "" if value is NO_VALUE else value

    def parameter(self, name: str) -> object:
        if name not in self._values:
            self._values[name] = self._pseudo(name) if name in PSEUDO_PARAMETERS else self._declared(name)
        return self._values[name]

    def _declared(self, name: str) -> object:
        declared = self.template.parameters[name]
        if self._parent is not None:
            return self._passed_value(declared, *self._parent)
        text = self.deployment.given.parameters.get(name, self.file.parameters.get(name))
        if text is not None:
            return self._given(declared, text)
        if self.deployment.given.take_defaults and declared.default is not None:
            return self._given(declared, declared.default)
        return self._not_given(declared)

    def _passed_value(self, declared: DeclaredParameter, parent: Stack, logical_id: str) -> object:
        """The value in a nested stack, whose defaults apply."""
        if declared.name not in self.passed:
            if declared.default is None:
                raise InvalidInputError(
                    f"{parameter_label(self.address, declared.name)} has no default, and the parent stack passes no "
                    "value; pass one"
                )
            return self._given(declared, declared.default)
        with parent.expressions.guard(f"{parent.address_of(logical_id)}.Parameters.{declared.name}"):
            value = parent.value(self.passed[declared.name])
        if value is NO_VALUE:
            value = ""
        if is_known(value):
            return self._given(declared, plain_text(value))
        if declared.is_from_ssm:
            return self._from_ssm(declared, None)
        return split(",", value) if declared.is_list and not isinstance(value, OpenParameter) else value

    def _given(self, declared: DeclaredParameter, text: str) -> object:
        if declared.allowed_values and not declared.is_list and text not in declared.allowed_values:
            shown = "the value that is given" if declared.is_secret else repr(text)
            # In a nested stack, it may be what the parent passes for one choice of several.
            raise UndeployableError(
                f"{shown} is not allowed for {parameter_label(self.address, declared.name)}; the template allows "
                f"{', '.join(declared.allowed_values)}"
            )
        if declared.is_from_ssm:
            return self._from_ssm(declared, text)
        if declared.is_secret:
            unknown = UnknownPlannedValue(f"{parameter_label(self.address, declared.name)}, which is NoEcho")
            return OpenParameter(self.address, declared.name, unknown, hidden=text)
        return [one.strip() for one in text.split(",")] if declared.is_list else text

    def _from_ssm(self, declared: DeclaredParameter, name: str | None) -> UnknownPlannedValue:
        which = "an SSM parameter" if name is None else f"SSM parameter {name}"
        origin = f"{parameter_label(self.address, declared.name)} ({which}, read at deployment)"
        return UnknownPlannedValue(origin, identity=parameter_identity(self.address, declared.name))

    def _not_given(self, declared: DeclaredParameter) -> object:
        label = parameter_label(self.address, declared.name)
        if declared.is_from_ssm:
            return self._from_ssm(declared, None)
        if declared.allowed_values and not declared.is_list and not declared.is_secret:
            options = [Option(one, f"{label} is {one or repr(one)}") for one in declared.allowed_values]
            return self.choices.choose(("value", self.address, declared.name), options, label)
        literal = self.choices.literal_of(self.address, declared.name)
        if literal is not None:
            return [one.strip() for one in literal.split(",")] if declared.is_list else literal
        remedy = "" if declared.is_secret else f"give {OPTION} {declared.name}=…"
        if declared.default is not None and not declared.is_secret:
            remedy += ", or take defaults with --template-defaults"
        return OpenParameter(
            self.address,
            declared.name,
            UnknownPlannedValue(f"{label}, which is NoEcho" if declared.is_secret else label, remedy),
            is_identifier=declared.type.startswith("AWS::"),
            declared=declared,
        )

    def told(self, name: str) -> str | None:
        """The value of a pseudo parameter that the caller or the CDK's manifest tells, and no choice."""
        if self.is_nested and name.startswith("AWS::Stack"):
            # CloudFormation names nested stacks itself.
            return None
        given = self.deployment.given.parameters.get(name)
        if given is not None:
            return given
        known = {
            "AWS::AccountId": self.file.account_id,
            "AWS::Region": self.file.region,
            "AWS::StackName": self.file.stack_name,
        }
        return known.get(name)

    def _pseudo(self, name: str) -> object:
        told = self.told(name)
        if told is not None:
            return told
        if name in ("AWS::Partition", "AWS::URLSuffix"):
            region = self.parameter("AWS::Region")
            if isinstance(region, str):
                partition = partition_of_region(region)
                return partition.name if name == "AWS::Partition" else partition.dns_suffix
        # Stacks of one deployment may be in several accounts and regions, but each template says so itself.
        stack = self.address if name.startswith("AWS::Stack") else ""
        value = self.choices.literal_of(stack, name)
        if value is not None:
            return value
        remedy = "" if name in ("AWS::StackId", "AWS::NotificationARNs") else f"give {OPTION} {name}=…"
        return OpenParameter(stack, name, UnknownPlannedValue(name, remedy))

    def with_nested(self, addresses: Collection[str] | None = None) -> Iterator[Stack]:
        """The stack and those that it nests and creates. Asks for choices."""
        yield self
        for logical_id, child in self.children():
            is_needed = addresses is None or any(one.startswith(child.address) for one in addresses)
            if is_needed and self.is_created(logical_id):
                yield from child.with_nested(addresses)

    def exports(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The outputs with an export whose name is known, by that name, whether or not their condition holds."""
        for output in self.outputs.values():
            export = output.get("Export")
            if isinstance(export, dict) and "Name" in export:
                name = self.value(export["Name"])
                if is_known(name):
                    yield plain_text(name), output

    def has(self, entry: Mapping[str, Any]) -> bool:
        """Whether the condition of a resource or output holds."""
        condition = entry.get("Condition")
        if not isinstance(condition, str):
            return True
        with file_error_context(self.template.path):
            return self.expressions.condition(condition)

    def nested_output(self, logical_id: str, name: str) -> object:
        """An output of a nested stack."""
        child = self.child(logical_id)
        if child is None:
            address = self.address_of(logical_id)
            return UnknownPlannedValue(f"output {name} of nested stack {address}", nested_remedy(address))
        return child.output(name)

    def children(self) -> Iterator[tuple[str, Stack]]:
        """The nested stacks whose templates are local files, by logical ID, whether or not they are created."""
        for logical_id, resource in self.resources.items():
            child = self.child(logical_id) if resource["Type"] == NESTED_STACK else None
            if child is not None:
                yield logical_id, child

    def unseen_children(self) -> Iterator[str]:
        """The logical IDs of the nested stacks whose templates are not local files."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == NESTED_STACK and self.child(logical_id) is None:
                yield logical_id

    def child(self, logical_id: str) -> Stack | None:
        """A nested stack; None where its template is not a local file."""
        if logical_id not in self._children:
            self._children[logical_id] = self._load_child(logical_id)
        return self._children[logical_id]

    def _load_child(self, logical_id: str) -> Stack | None:
        path = self._child_path(logical_id)
        if path is None:
            return None
        address = f"{self.address_of(logical_id)}."
        if self.encloses(path):
            raise InvalidInputError(f"the template {path} nests itself; remove the circle", self.template.name)
        passed = self.resources[logical_id]["Properties"].get("Parameters") or {}
        if not isinstance(passed, dict):
            raise InvalidInputError("Parameters must be an object", f"{self.template.name}: {RESOURCES}.{logical_id}")
        template = self.deployment.library.load(TemplateFile(path))
        unknown = sorted(passed.keys() - template.parameters.keys())
        if unknown:
            raise InvalidInputError(
                f"{template.name} has no parameter {unknown[0]!r}; declare it, or do not pass it",
                f"{self.template.name}: {RESOURCES}.{logical_id}",
            )
        return Stack(self.deployment, template, address, self.file, (self, logical_id))

    def _child_path(self, logical_id: str) -> str | None:
        if not self.file.has_local_parts:
            return None
        resource = self.resources[logical_id]
        metadata = resource.get("Metadata") or {}
        asset = metadata.get(ASSET_PATH) if isinstance(metadata, dict) else None
        place = f"{RESOURCES}.{logical_id}.TemplateURL"
        folder = folder_of(self.template.path)
        given = self.deployment.given.nested_templates.get(self.address_of(logical_id))
        if given is not None:
            path = Path(given)
        elif isinstance(asset, str):
            path = folder / asset
        else:
            url = resource["Properties"].get("TemplateURL")
            key = next((one for text in texts_in(url) for one in self.file.assets if text.endswith(f"/{one}")), None)
            if key is not None:
                return self.file.assets[key]
            if not isinstance(url, str) or "://" in url:
                # A path is written as text. What has to be computed is an address in S3.
                return None
            path = folder / url
        if not path.is_file():
            raise InvalidInputError(
                f"the template of this nested stack, {path}, is not there; add it, or correct the path",
                f"{self.template.name}: {place}",
            )
        return str(path)


def _passed_expressions(parent: Stack, logical_id: str) -> Mapping[str, Any]:
    passed = parent.resources[logical_id]["Properties"].get("Parameters") or {}
    return {name: expression for name, expression in passed.items() if expression != NO_VALUE_EXPRESSION}


def nested_remedy(address: str) -> str:
    """What would tell what a nested stack does."""
    return f"give its template with --nested-template {address}=F"
