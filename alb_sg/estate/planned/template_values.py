"""The value of an expression of a template, with one way of deploying it chosen.

Source: "Intrinsic function reference" of the AWS CloudFormation template reference.
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from alb_sg.errors import InvalidInputError, error_context
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.template_choices import Choices, NeedsChoiceError, Option, UndeployableError
from alb_sg.estate.planned.template_macros import PROCESSED_HINT
from alb_sg.estate.planned.template_parameters import PSEUDO_PARAMETERS, plain_text
from alb_sg.estate.planned.template_text import (
    NO_VALUE,
    JoinedText,
    OpenParameter,
    identity_of,
    is_known,
    joined,
    split,
    unknown_of,
)
from alb_sg.estate.planned.template_types import IDENTIFIER_ATTRIBUTES, PROPERTY_OF_ATTRIBUTE
from alb_sg.estate.planned.values import element_identity

MAX_INDEX_DIGITS = 9
# "Fn::Cidr": the count is from 1 to 256. Without host bits, blocks of an IPv4 network are /24 in the examples; the
# number is required for IPv6.
MAX_CIDR_COUNT = 256
DEFAULT_HOST_BITS = 8
SUBSTITUTION = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^:}]+)")
# What a condition may hold (CloudFormation template reference, "Condition functions").
CONDITION_FUNCTIONS = ("Condition", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or")


class Surroundings(Protocol):
    """What an expression may ask of its stack."""

    address: str
    document: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    choices: Choices

    def parameter(self, name: str) -> object:
        """The value of a parameter or pseudo parameter; KeyError if there is none."""

    def nested_output(self, logical_id: str, name: str) -> object: ...

    def imported(self, name: object) -> object: ...

    def stack_output(self, stack: object, name: object, region: object, role: object) -> object: ...

    def address_of(self, logical_id: str) -> str: ...


class Expressions:
    """Resolves the expressions of one stack."""

    def __init__(self, stack: Surroundings) -> None:
        self._stack = stack
        self._conditions: dict[str, bool] = {}
        # Conditions and properties that are being resolved, to find circles.
        self._open: list[str] = []
        self._functions: Mapping[str, Callable[[Any], object]] = {
            **{name: partial(self._condition_value, name) for name in CONDITION_FUNCTIONS},
            "Ref": self._ref,
            "Fn::Base64": self._base64,
            "Fn::Cidr": self._cidr,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::GetAZs": self._get_azs,
            "Fn::GetStackOutput": self._get_stack_output,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Length": self._length,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": self._to_json_string,
        }

    def resolve(self, value: Any) -> object:
        """The value of an expression; NO_VALUE for one that `AWS::NoValue` removes. Raises InvalidInputError, and
        NeedsChoiceError for a condition or allowed value that has not been chosen."""
        if isinstance(value, str):
            found = DYNAMIC_REFERENCE.search(value) if "{{resolve:" in value else None
            return value if found is None else UnknownPlannedValue(f"{found[1]} value {found[2]}, read at deployment")
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name in self._functions and not (name == "Condition" and not isinstance(argument, str)):
                try:
                    return self._functions[name](argument)
                except InvalidInputError as error:
                    raise error.inside(name) from error
        self._refuse_functions(value)
        resolved = ((name, self.resolve(one)) for name, one in value.items())
        return {name: one for name, one in resolved if one is not NO_VALUE}

    def _refuse_functions(self, value: Mapping[str, Any]) -> None:
        """Raises InvalidInputError for a key of an object that is a function which cannot be resolved there."""
        for name in value:
            if name == "Fn::Transform":
                raise InvalidInputError(_transform_error(value[name]))
            if name in self._functions and name.startswith("Fn::"):
                raise InvalidInputError(f"{name} stands beside other keys; it must be the only key of its object")
            if name.startswith("Fn::"):
                raise InvalidInputError(f"{name} is no function that this command knows; give the template without it")

    def condition(self, name: str) -> bool:
        """Whether a named condition holds. Raises InvalidInputError, NeedsChoiceError."""
        if name not in self._conditions:
            conditions = self._section("Conditions")
            if name not in conditions:
                self._refuse_functions(conditions)
                raise InvalidInputError(f"the template has no condition {name!r}; define it below Conditions")
            with self.guard(f"condition {name}"), error_context(f"Conditions.{name}"):
                self._conditions[name] = self._holds(conditions[name])
        return self._conditions[name]

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self._stack.document.get(name) or {}
        if not isinstance(section, dict):
            raise InvalidInputError("an object was expected", name)
        return section

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """Raises InvalidInputError if this is being resolved already."""
        if what in self._open:
            circle = [*self._open[self._open.index(what) :], what]
            raise InvalidInputError(f"circular references: {' → '.join(circle)}; remove one of them")
        self._open.append(what)
        try:
            yield
        finally:
            self._open.pop()

    def _condition_value(self, function: str, argument: Any) -> bool:
        return self._holds({function: argument})

    def _holds(self, expression: Any) -> bool:
        if isinstance(expression, dict) and len(expression) == 1:
            [(name, argument)] = expression.items()
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
                return self._equals(argument)
            if name == "Fn::Not" and isinstance(argument, list) and len(argument) == 1:
                return not self._holds(argument[0])
            if name in ("Fn::And", "Fn::Or") and isinstance(argument, list) and argument:
                return self._combined(argument, is_or=name == "Fn::Or")
        raise InvalidInputError(f"a condition is one of {', '.join(CONDITION_FUNCTIONS)} with its arguments")

    def _combined(self, operands: list[Any], *, is_or: bool) -> bool:
        """Whether any (`Fn::Or`) or every (`Fn::And`) operand holds. One that decides spares the choices of others."""
        needed: NeedsChoiceError | None = None
        for operand in operands:
            try:
                if self._holds(operand) == is_or:
                    return is_or
            except NeedsChoiceError as error:
                needed = needed or error
        if needed is not None:
            raise needed
        return not is_or

    def _equals(self, operands: list[Any]) -> bool:
        left, right = (self._without_no_value(operand) for operand in operands)
        return self.equal(left, right, " = ".join(compact(operand) for operand in operands))

    def equal(self, left: object, right: object, words: str) -> bool:
        """Whether two values are equal, as `Fn::Equals` compares them. `words` tell the choice where they may be.
        Raises NeedsChoiceError."""
        if is_known(left) and is_known(right):
            return plain_text(left) == plain_text(right)
        if is_known(left):
            left, right = right, left
        if is_known(right) and not isinstance(right, (list, dict)):
            decided = self._equals_text(left, plain_text(right))
            if decided is not None:
                return decided
        if identity_of(left) and identity_of(left) == identity_of(right):
            return True
        options = [Option(True, f"{words} holds"), Option(False, f"{words} does not hold")]
        # Values without an identity may differ although they are described in the same words.
        own = "" if all(is_known(one) or identity_of(one) for one in (left, right)) else f"{self._stack.address}{words}"
        key = ("equal", *sorted((repr(left), repr(right))), own)
        return self._stack.choices.choose(key, options, words) is True

    def _equals_text(self, value: object, text: str) -> bool | None:
        """Whether an unknown value is this text; None if that cannot be told or chosen."""
        if isinstance(value, OpenParameter):
            if value.hidden is not None:
                return value.hidden == text
            return self._is(value, text)
        if text == "":
            # An identifier is never empty, and neither is text of which a part is known.
            parts = value.parts if isinstance(value, JoinedText) else (value,)
            if any(
                isinstance(part, str) or (isinstance(part, ResourceReference) and not part.attribute) for part in parts
            ):
                return False
        return None

    def _is(self, parameter: OpenParameter, text: str) -> bool:
        if parameter.declared is not None and not parameter.declared.may_be(text):
            return False
        label = parameter_label(parameter.stack, parameter.name)
        shown = text or repr(text)
        options = [Option(True, f"{label} is {shown}"), Option(False, f"{label} is not {shown}")]
        key = ("is", parameter.stack, parameter.name, text)
        return self._stack.choices.choose(key, options, label) is True

    def _without_no_value(self, operand: Any) -> object:
        value = self.resolve(operand)
        return "" if value is NO_VALUE else value

    def _ref(self, name: Any) -> object:
        if not isinstance(name, str):
            raise InvalidInputError("Ref takes the name of a parameter or resource")
        if name == "AWS::NoValue":
            return NO_VALUE
        try:
            return self._stack.parameter(name)
        except KeyError:
            pass
        if name not in self._stack.resources:
            raise InvalidInputError(
                f"the template has no parameter and no resource {name!r}; define it, or correct the name"
            )
        return self._reference(name)

    def _reference(self, logical_id: str, attribute: str = "") -> object:
        condition = self._stack.resources[logical_id].get("Condition")
        if isinstance(condition, str) and not self.condition(condition):
            return UnknownPlannedValue(
                f"{attribute or 'identifier'} of {self._stack.address_of(logical_id)}, which is not created because "
                f"condition {condition} does not hold"
            )
        return ResourceReference(self._stack.address_of(logical_id), attribute)

    def _get_att(self, argument: Any) -> object:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise InvalidInputError("Fn::GetAtt takes a resource and one of its attributes")
        logical_id, attribute = argument[0], self.resolve(argument[1])
        if logical_id not in self._stack.resources:
            raise InvalidInputError(f"the template has no resource {logical_id!r}; define it, or correct the name")
        resource = self._stack.resources[logical_id]
        if not isinstance(attribute, str):
            if is_known(attribute):
                raise InvalidInputError(
                    f"Fn::GetAtt takes a resource and the name of an attribute, not {compact(attribute)}"
                )
            return unknown_of(attribute, f"the attribute of {self._stack.address_of(logical_id)}: ")
        kind = str(resource.get("Type"))
        if attribute in IDENTIFIER_ATTRIBUTES.get(kind, ()):
            return self._reference(logical_id)
        reference = self._reference(logical_id, attribute)
        if isinstance(reference, UnknownPlannedValue):
            return reference
        if kind == types.NESTED_STACK and attribute.startswith("Outputs."):
            return self._stack.nested_output(logical_id, attribute.removeprefix("Outputs."))
        echoed = PROPERTY_OF_ATTRIBUTE.get((kind, attribute))
        properties = resource.get("Properties") or {}
        if echoed is not None and echoed in properties:
            with self.guard(f"{logical_id}.{attribute}"):
                value = self.resolve(properties[echoed])
            return reference if value is NO_VALUE else value
        return reference

    def _if(self, argument: Any) -> object:
        if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
            raise InvalidInputError("Fn::If takes a condition's name and two values")
        name, then, otherwise = argument
        return self.resolve(then if then == otherwise or self.condition(name) else otherwise)

    def _sub(self, argument: Any) -> object:
        text, values = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if not isinstance(text, str) or not isinstance(values, dict):
            raise InvalidInputError("Fn::Sub takes text, or text and an object of values")
        parts: list[object] = []
        end = 0
        for found in SUBSTITUTION.finditer(text):
            parts.append(text[end : found.start()])
            end = found.end()
            literal, name = found.groups()
            if literal:
                parts.append(f"${{{name}}}")
            elif name in values:
                parts.append(self.resolve(values[name]))
            elif "." in name:
                parts.append(self._get_att(name))
            else:
                parts.append(self._ref(name))
        parts.append(text[end:])
        whole = joined("" if part is NO_VALUE else part for part in parts)
        return self.resolve(whole) if isinstance(whole, str) and "{{resolve:" in whole else whole

    def _join(self, argument: Any) -> object:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise InvalidInputError("Fn::Join takes a delimiter and a list")
        delimiter, values = argument[0], self.resolve(argument[1])
        if not isinstance(values, list):
            # The list of a parameter, joined for a parameter of the same kind.
            return (
                values if isinstance(values, OpenParameter) and delimiter == "," else unknown_of(values, "the text of ")
            )
        return joined(
            itertools.chain.from_iterable((delimiter, one) if index else (one,) for index, one in enumerate(values))
        )

    def _split(self, argument: Any) -> object:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str) or not argument[0]:
            raise InvalidInputError("Fn::Split takes a delimiter and text")
        return split(argument[0], self.resolve(argument[1]))

    def _select(self, argument: Any) -> object:
        if not isinstance(argument, list) or len(argument) != 2:
            raise InvalidInputError("Fn::Select takes an index and a list")
        index, values = (self.resolve(one) for one in argument)
        if not is_known(index):
            return self._some_element(argument[0], index, values)
        if not plain_text(index).isdecimal() or len(plain_text(index)) > MAX_INDEX_DIGITS:
            raise InvalidInputError(f"the index {plain_text(index)[:20]!r} of Fn::Select is no element's number")
        number = int(plain_text(index))
        if not isinstance(values, list):
            if is_known(values):
                raise InvalidInputError("Fn::Select takes a list; text has to be split first (Fn::Split)")
            identity = element_identity(number, identity_of(values))
            return replace(unknown_of(values, f"element {number} of "), identity=identity)
        if number >= len(values):
            raise UndeployableError(f"Fn::Select takes element {number} of a list of {len(values)}")
        return values[number]

    def _some_element(self, expression: Any, index: object, values: object) -> object:
        """Each element of a list whose index is not known: the deployment fails with another index."""
        if not isinstance(values, list) or not values:
            return unknown_of(index, "the element that is chosen by ")
        label = f"the element that is chosen by {compact(expression)}"
        options: dict[str, Option] = {}
        for number, value in enumerate(values):
            options.setdefault(repr(value), Option(value, f"{label} is element {number}"))
        about = parameter_label(index.stack, index.name) if isinstance(index, OpenParameter) else label
        return self._stack.choices.choose(("select", repr(index), repr(values)), list(options.values()), about)

    def _find_in_map(self, argument: Any) -> object:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise InvalidInputError("Fn::FindInMap takes a map and two keys")
        keys = [self.resolve(one) for one in argument[:3]]
        for key in keys[::2]:
            if not is_known(key):
                return unknown_of(key, "a value of Mappings that depends on ")
        name, second = plain_text(keys[0]), plain_text(keys[2])
        maps = self._section("Mappings")
        if name not in maps:
            self._refuse_functions(maps)
            raise UndeployableError(f"Mappings has no map {name!r}; add it, or correct the name")
        rows = maps[name]
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise InvalidInputError(f"Mappings.{name} must have two levels of keys")
        if is_known(keys[1]):
            first = plain_text(keys[1])
            if first in rows and second in rows[first]:
                return self.resolve(rows[first][second])
            if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
                return self.resolve(argument[3]["DefaultValue"])
            raise UndeployableError(f"Mappings.{name} has no entry {first}.{second}; add it, or correct the keys")
        return self._value_of_some_row(argument, name, second, rows, keys[1])

    def _value_of_some_row(
        self, argument: list[Any], name: str, second: str, rows: Mapping[str, Any], key: object
    ) -> object:
        """A value of a map for a first key that is not known: one of those in the map, since the deployment fails with
        another key."""
        values = [row[second] for row in rows.values() if second in row]
        if len(argument) == 4:
            return unknown_of(key, "a value of Mappings that depends on ")
        if not values:
            raise UndeployableError(f"Mappings.{name} has no entry for {second}; add it, or correct the keys")
        label = f"FindInMap({name}, {compact(argument[1])}, {second})"
        options = {json.dumps(value): Option(value, f"{label} is {compact(value)}") for value in values}
        about = parameter_label(key.stack, key.name) if isinstance(key, OpenParameter) else label
        return self.resolve(self._stack.choices.choose(("map", label, repr(key)), list(options.values()), about))

    def _import_value(self, argument: Any) -> object:
        return self._stack.imported(self.resolve(argument))

    def _get_stack_output(self, argument: Any) -> object:
        if not isinstance(argument, dict) or not {"StackName", "OutputName"} <= argument.keys():
            raise InvalidInputError("Fn::GetStackOutput takes an object with StackName and OutputName")
        names = ("StackName", "OutputName", "Region", "RoleArn")
        stack, output, region, role = (self._without_no_value(argument.get(name)) for name in names)
        return self._stack.stack_output(stack, output, region, role)

    def _get_azs(self, _: Any) -> object:
        return UnknownPlannedValue("the Availability Zones of the region")

    def _base64(self, argument: Any) -> object:
        value = self.resolve(argument)
        if not is_known(value):
            return unknown_of(value)
        return base64.b64encode(plain_text(value).encode()).decode()

    def _length(self, argument: Any) -> object:
        value = self.resolve(argument)
        return len(value) if isinstance(value, list) else unknown_of(value, "the length of ")

    def _to_json_string(self, argument: Any) -> object:
        value = self.resolve(argument)
        return json.dumps(value, separators=(",", ":")) if is_known(value) else unknown_of(value)

    def _cidr(self, argument: Any) -> object:
        if not isinstance(argument, list) or len(argument) not in (2, 3):
            raise InvalidInputError("Fn::Cidr takes a block, a count and the number of host bits")
        values = [self.resolve(one) for one in argument]
        for value in values:
            if not is_known(value):
                return unknown_of(value, "a part of ")
        block, count, bits = (plain_text(one) for one in (*values, DEFAULT_HOST_BITS)[:3])
        if not (count.isdecimal() and len(count) <= MAX_INDEX_DIGITS and 1 <= int(count) <= MAX_CIDR_COUNT):
            raise InvalidInputError(f"Fn::Cidr makes 1 to {MAX_CIDR_COUNT} blocks, not {count[:20]!r}")
        if not (bits.isdecimal() and len(bits) <= MAX_INDEX_DIGITS):
            raise InvalidInputError(f"the number of host bits of Fn::Cidr is no number: {bits[:20]!r}")
        try:
            network = ipaddress.ip_network(block, strict=False)
        except ValueError as error:
            raise InvalidInputError(f"Fn::Cidr takes a block, not {block[:50]!r}") from error
        prefix = network.max_prefixlen - int(bits)
        fitting = 0 if prefix < network.prefixlen else 1 << (prefix - network.prefixlen)
        if int(count) > fitting:
            raise UndeployableError(f"{block} has no {count} blocks with {bits} host bits (Fn::Cidr)")
        return [str(one) for one in itertools.islice(network.subnets(new_prefix=prefix), int(count))]


def parameter_label(stack: str, name: str) -> str:
    return name if name in PSEUDO_PARAMETERS else f"parameter {stack}{name}"


def compact(expression: Any) -> str:
    """An expression in a few words."""
    if isinstance(expression, dict) and len(expression) == 1:
        [(name, argument)] = expression.items()
        if name == "Ref" and isinstance(argument, str):
            return argument
        if name == "Fn::GetAtt":
            return argument if isinstance(argument, str) else ".".join(str(one) for one in argument)
        arguments = argument if isinstance(argument, list) else [argument]
        return f"{name.removeprefix('Fn::')}({', '.join(compact(one) for one in arguments)})"
    return repr(expression) if expression == "" else str(expression)


def _transform_error(argument: Any) -> str:
    name = argument.get("Name") if isinstance(argument, dict) else None
    return f"Fn::Transform runs the macro {name!r}, which only CloudFormation can; {PROCESSED_HINT}"
