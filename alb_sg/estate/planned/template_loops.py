"""`Fn::ForEach` of the transform AWS::LanguageExtensions: it repeats a fragment of a template for each value of a list.

Source: "Fn::ForEach" of the AWS CloudFormation template reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.template_documents import RESOURCES
from alb_sg.estate.planned.template_parameters import DeclaredParameter, plain_text

LOOP = "Fn::ForEach::"
# Where loops are allowed.
SECTIONS = ("Conditions", RESOURCES, "Outputs")
LOGICAL_ID = re.compile(r"[A-Za-z0-9]+")
NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]+")
PLACEHOLDER = re.compile(r"([$&])\{([A-Za-z0-9]+)\}")
# Resources of a template, by CloudFormation's quotas: more come from a loop that nobody meant.
MAX_ENTRIES = 500


def has_loops(document: Mapping[str, Any]) -> bool:
    """Whether a template has a loop anywhere."""
    return any(_has_loop(document.get(section)) for section in SECTIONS)


def unroll_loops(
    document: Mapping[str, Any], parameters: Mapping[str, DeclaredParameter], values: Mapping[str, str]
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """The template with the fragments of its loops, and the loop of each resource that one made. `values` are those of
    parameters and pseudo parameters that are known. Raises InvalidInputError, also for a list that is not known."""
    unroller = _Unroller(document.get("Mappings") or {}, parameters, values)
    unrolled = dict(document)
    loops: dict[str, str] = {}
    for section in SECTIONS:
        if isinstance(document.get(section), dict):
            unrolled[section] = unroller.walk(document[section], {}, section)
    for name in document[RESOURCES]:
        if name.startswith(LOOP):
            made = unroller.walk({name: document[RESOURCES][name]}, {}, RESOURCES)
            loops |= dict.fromkeys(made, name)
    return unrolled, loops


def _has_loop(value: Any) -> bool:
    if isinstance(value, dict):
        return any(name.startswith(LOOP) or _has_loop(one) for name, one in value.items())
    return isinstance(value, list) and any(map(_has_loop, value))


class _Unroller:
    def __init__(self, mappings: Any, parameters: Mapping[str, DeclaredParameter], values: Mapping[str, str]) -> None:
        self._mappings = mappings
        self._parameters = parameters
        self._values = values

    def walk(self, value: Any, bound: Mapping[str, str], place: str) -> Any:
        """A part of a template with its loops unrolled. `bound` are the identifiers of the loops around it."""
        if isinstance(value, str):
            return _substituted(value, bound)
        if isinstance(value, list):
            return [self.walk(one, bound, f"{place}[{index}]") for index, one in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"} and isinstance(value["Ref"], str) and value["Ref"] in bound:
            return bound[value["Ref"]]
        found: dict[str, Any] = {}
        for name, one in value.items():
            entries = (
                self._unrolled(name, one, bound, place)
                if name.startswith(LOOP)
                else {_substituted(name, bound): self.walk(one, bound, f"{place}.{name}")}
            )
            for key, entry in entries.items():
                if key in found:
                    raise InvalidInputError(f"{key} is there twice once the loops are unrolled; rename one", place)
                found[key] = entry
            if len(found) > MAX_ENTRIES:
                raise InvalidInputError(f"its loops make more than {MAX_ENTRIES} entries", place)
        return _simplified(found) if bound else found

    def _unrolled(self, name: str, loop: Any, bound: Mapping[str, str], place: str) -> dict[str, Any]:
        place = f"{place}.{name}"
        if not (isinstance(loop, list) and len(loop) == 3 and isinstance(loop[0], str) and isinstance(loop[2], dict)):
            raise InvalidInputError("a loop is a list of an identifier, a collection and an object to repeat", place)
        identifier, collection, fragment = loop
        if identifier in bound or identifier in self._parameters:
            raise InvalidInputError(f"the identifier {identifier} is taken; rename it", place)
        found: dict[str, Any] = {}
        for one in self._collection(collection, bound, place):
            inner = {**bound, identifier: one}
            for key, entry in self.walk(fragment, inner, place).items():
                if key in found:
                    raise InvalidInputError(
                        f"{key} is there twice: its name has to contain ${{{identifier}}}, and each value once", place
                    )
                if _makes_resources(place) and not LOGICAL_ID.fullmatch(key):
                    raise InvalidInputError(
                        f"{key} is no logical ID; write &{{{identifier}}}, which leaves out all but letters and digits",
                        place,
                    )
                found[key] = entry
        return found

    def _collection(self, value: Any, bound: Mapping[str, str], place: str) -> list[str]:
        found = self._resolved(value, bound, place)
        if not isinstance(found, list):
            raise InvalidInputError("the collection is no list", place)
        elements: list[str] = []
        for one in found:
            # A list may hold references to lists.
            element = self._resolved(one, bound, place)
            elements += element if isinstance(element, list) else [element]
        return list(map(plain_text, elements))

    def _resolved(self, value: Any, bound: Mapping[str, str], place: str) -> Any:
        """A collection, or a part of one: a literal, a parameter, or an entry of Mappings."""
        if not isinstance(value, dict):
            return _substituted(value, bound) if isinstance(value, str) else value
        if set(value) == {"Ref"} and isinstance(value["Ref"], str):
            return bound[value["Ref"]] if value["Ref"] in bound else self._parameter(value["Ref"], place)
        if set(value) == {"Fn::FindInMap"} and isinstance(value["Fn::FindInMap"], list):
            return self._entry_of_map(value["Fn::FindInMap"], bound, place)
        raise InvalidInputError(
            f"the collection is {', '.join(map(str, value))}, which only CloudFormation resolves; give a list, or the "
            "processed template (`aws cloudformation get-template --template-stage Processed`)",
            place,
        )

    def _parameter(self, name: str, place: str) -> Any:
        declared = self._parameters.get(name)
        text = self._values.get(name)
        if text is None or (declared is not None and (declared.is_from_ssm or declared.is_secret)):
            raise InvalidInputError(
                f"the loop goes through parameter {name}, whose value is not known; give --template-parameter "
                f"{name}=…, or take defaults with --template-defaults",
                place,
            )
        if declared is not None and declared.is_list:
            return [one.strip() for one in text.split(",")] if text else []
        return text

    def _entry_of_map(self, argument: list[Any], bound: Mapping[str, str], place: str) -> Any:
        keys = [plain_text(self._resolved(one, bound, place)) for one in argument[:3]]
        entry = self._mappings
        for key in keys:
            entry = entry.get(key) if isinstance(entry, dict) else None
        if entry is None and len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
            return self._resolved(argument[3]["DefaultValue"], bound, place)
        if entry is None or len(keys) < 3:
            raise InvalidInputError(f"Mappings has no entry {'.'.join(keys)}; add it, or correct the keys", place)
        return entry


def _makes_resources(place: str) -> bool:
    """Whether the entries of a loop at this place are resources, and no properties of one."""
    section, *loops = place.split(".")
    return section == RESOURCES and all(one.startswith(LOOP) for one in loops)


def _substituted(text: str, bound: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        sign, name = found.groups()
        if name not in bound:
            return found[0]
        return bound[name] if sign == "$" else NOT_ALPHANUMERIC.sub("", bound[name])

    return PLACEHOLDER.sub(value, text) if bound else text


def _simplified(value: dict[str, Any]) -> Any:
    """`Fn::Sub` of text in which nothing is left to substitute is that text, so that Ref and Fn::GetAtt may take it."""
    text = value.get("Fn::Sub")
    return text if len(value) == 1 and isinstance(text, str) and "${" not in text else value
