"""The mistakes in an Automation document that its schema cannot find: in jumps, references and API calls. The APIs come
from botocore's models, the rules from the Systems Manager user guide, "Automation actions reference" and "Data elements
and parameters"."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session

import alb_sg.ssm_documents

Content = Mapping[str, Any]

REFERENCE = re.compile(r"\{\{\s*([^}]+?)\s*\}\}")
PAYLOAD = re.compile(r"\$\.Payload\.([A-Za-z]\w*)")
MEMBER = re.compile(r"([A-Za-z]\w*)((?:\[\d+\]|\[\*\])*)")
# The variables that exist in every document.
GIVEN = {
    "automation:EXECUTION_ID": "String",
    "global:ACCOUNT_ID": "String",
    "global:DATE": "String",
    "global:DATE_TIME": "String",
    "global:REGION": "String",
}
PYTHON_TYPES = {"String": str, "StringList": list, "Boolean": bool, "Integer": int, "StringMap": dict, "MapList": list}
# Inputs that have a fixed type.
TYPED_INPUTS = {
    "aws:approve": {"Approvers": "StringList", "Message": "String", "NotificationArn": "String"},
    "aws:sleep": {"Duration": "String", "Timestamp": "String"},
}
API_ACTIONS = {
    "aws:executeAwsApi": {"Service", "Api"},
    "aws:assertAwsResourceProperty": {"Service", "Api", "PropertySelector", "DesiredValues"},
    "aws:waitForAwsResourceProperty": {"Service", "Api", "PropertySelector", "DesiredValues"},
}
ASSUME_ROLE = "{{ AutomationAssumeRole }}"


def mistakes(content: Content) -> tuple[str, ...]:
    """A sentence for each mistake, which begins with the step or part that is wrong."""
    return tuple(_Document(content).mistakes())


class _Document:
    def __init__(self, content: Content) -> None:
        self._content = content
        self._steps: Mapping[str, Content] = {step["name"]: step for step in content["mainSteps"]}
        self._order = [step["name"] for step in content["mainSteps"]]
        self._parameters: Mapping[str, Content] = content["parameters"]
        self._outputs = {
            f"{name}.{said['Name']}": said["Type"]
            for name, step in self._steps.items()
            for said in step.get("outputs", ())
        }

    def mistakes(self) -> Iterator[str]:
        yield from self._jump_mistakes()
        yield from self._reference_mistakes()
        yield from self._parameter_mistakes()
        yield from self._attachment_mistakes()
        for name in self._content["outputs"]:
            if name not in self._outputs:
                yield f"outputs: no step has the output {name}"
        for step in self._steps.values():
            if step["action"] == "aws:executeScript":
                yield from _script_mistakes(step)
            elif step["action"] in API_ACTIONS:
                yield from _api_mistakes(step)

    def _jump_mistakes(self) -> Iterator[str]:
        if len(self._steps) < len(self._order):
            yield "mainSteps: two steps have one name"
        for name, step in self._steps.items():
            for field, target in _jumps(step):
                if target not in self._steps:
                    yield f"{name}: {field} names {target}, which is no step"
            if step.get("isEnd") and "nextStep" in step:
                yield f"{name}: it has a nextStep and is the end"
            if step["action"] == "aws:branch" and "Default" not in step["inputs"]:
                yield f"{name}: it fails where none of its choices is met: it has no Default"
        if not self._steps[self._order[-1]].get("isEnd"):
            yield f"{self._order[-1]}: the last step is not marked as the end"
        for name in sorted(self._steps.keys() - self._reached()):
            yield f"{name}: no step leads to it"

    def _following(self, name: str) -> set[str]:
        """The steps that may come after a step that succeeded."""
        step = self._steps[name]
        if step.get("isEnd"):
            return set()
        if step["action"] == "aws:branch":
            return {target for field, target in _jumps(step) if field in ("NextStep", "Default")}
        after = dict(pairwise(self._order)).get(name)
        return {step["nextStep"]} if "nextStep" in step else {after} if after is not None else set()

    def _reached(self, without: str = "") -> set[str]:
        """The steps that may start; those that may start although the step `without` failed."""
        found: set[str] = set()
        waiting = {self._order[0]}
        while waiting:
            name = waiting.pop()
            if name in found or name not in self._steps:
                continue
            found.add(name)
            waiting |= {target for field, target in _jumps(self._steps[name]) if field in ("onFailure", "onCancel")}
            if name != without:
                waiting |= self._following(name)
            if self._steps[name].get("onFailure") == "Continue":
                waiting |= self._following(name)
        return found

    def _reference_mistakes(self) -> Iterator[str]:
        if self._content["assumeRole"] != ASSUME_ROLE:
            yield f"assumeRole: it is to be {ASSUME_ROLE}, which AWS Config and the console fill in"
        used = {"AutomationAssumeRole"}
        for name, step in self._steps.items():
            for value, wanted in _values(step):
                whole = REFERENCE.fullmatch(value)
                for reference in REFERENCE.findall(value):
                    used.add(reference)
                    yield from self._one_reference(name, reference, wanted if whole else "String")
        for name in sorted(self._parameters.keys() - used):
            yield f"{name}: the parameter is not used"

    def _one_reference(self, step: str, reference: str, wanted: str) -> Iterator[str]:
        types = {**GIVEN, **self._outputs, **{name: said["type"] for name, said in self._parameters.items()}}
        if reference not in types:
            yield f"{step}: {reference} is neither a parameter nor an output of a step"
            return
        if wanted and types[reference] != wanted:
            yield f"{step}: {reference} is a {types[reference]} where a {wanted} is taken"
        source = reference.partition(".")[0]
        if reference in self._outputs and step in self._reached(without=source):
            yield f"{step}: {source} may not have succeeded before, whose {reference} it takes"

    def _parameter_mistakes(self) -> Iterator[str]:
        if "AutomationAssumeRole" not in self._parameters:
            yield "parameters: AutomationAssumeRole is missing"
        for name, said in self._parameters.items():
            default = said.get("default")
            if default is not None and not isinstance(default, PYTHON_TYPES[said["type"]]):
                yield f"{name}: its default is no {said['type']}"
            elif said["type"] in ("String", "StringList"):
                yield from _pattern_mistakes(name, said.get("allowedPattern", ""), default)

    def _attachment_mistakes(self) -> Iterator[str]:
        """Checks the attachment of a shipped document. A checked-in document does not name it yet."""
        if "files" not in self._content:
            return
        taken = {step["inputs"]["Attachment"] for step in self._steps.values() if "Attachment" in step["inputs"]}
        for name in sorted(taken ^ self._content["files"].keys()):
            yield f"files: {name} is attached or taken, not both"
        for name, said in self._content["files"].items():
            if not re.fullmatch(r"[0-9a-f]{64}", said.get("checksums", {}).get("sha256", "")):
                yield f"files: {name} has no sha256"


def _jumps(step: Content) -> Iterator[tuple[str, str]]:
    """Fields that name a step, and the step."""
    if "nextStep" in step:
        yield "nextStep", step["nextStep"]
    for field in ("onFailure", "onCancel"):
        if step.get(field, "").startswith("step:"):
            yield field, step[field].removeprefix("step:")
    if step["action"] == "aws:branch":
        yield from (("NextStep", choice["NextStep"]) for choice in step["inputs"]["Choices"])
        if "Default" in step["inputs"]:
            yield "Default", step["inputs"]["Default"]


def _values(step: Content) -> Iterator[tuple[str, str]]:
    """Every text of a step's inputs with the type that it must have; "" for any type."""
    typed = TYPED_INPUTS.get(step["action"], {})
    for name, value in step["inputs"].items():
        if name == "Script":
            continue
        for key, text in _texts(value):
            yield text, "String" if key == "Variable" else typed.get(name, "")


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _texts(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, key)


def _pattern_mistakes(name: str, pattern: str, default: Any) -> Iterator[str]:
    if not (pattern.startswith("^") and pattern.endswith("$")):
        yield f"{name}: its allowedPattern is not anchored at both ends"
        return
    if "|" in _outside_of_groups(pattern):
        yield f"{name}: an alternative of its allowedPattern is anchored at one end alone"
    for value in default if isinstance(default, list) else [] if default is None else [default]:
        if not re.fullmatch(pattern, value):
            yield f"{name}: its default {value!r} does not match its allowedPattern"


def _outside_of_groups(pattern: str) -> str:
    rest = re.sub(r"\\.|\[[^\]]*\]", "", pattern)
    while (less := re.sub(r"\([^()]*\)", "", rest)) != rest:
        rest = less
    return rest


def _script_mistakes(step: Content) -> Iterator[str]:
    name, inputs = step["name"], step["inputs"]
    tree = ast.parse(inputs["Script"])
    handlers = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == inputs["Handler"]]
    if not handlers:
        yield f"{name}: its script has no function {inputs['Handler']}"
    elif len(handlers[0].args.args) != 2:
        yield f"{name}: {inputs['Handler']} does not take events and context"
    produced = _keys(inputs["Script"])
    for module_name, imported in _imports_of_the_package(tree):
        produced |= _produced_by_the_package()
        if not callable(getattr(importlib.import_module(module_name), imported, None)):
            yield f"{name}: {module_name} has no {imported}"
    for said in step.get("outputs", ()):
        yield from (f"{name}: {mistake}" for mistake in _selector_mistakes(said, produced))


def _selector_mistakes(output: Content, produced: frozenset[str]) -> Iterator[str]:
    selected = PAYLOAD.fullmatch(output["Selector"])
    if selected is None:
        yield f"the selector of {output['Name']} is not of its script's answer: {output['Selector']}"
    elif selected[1] not in produced:
        yield f"its script answers with no {selected[1]}, which {output['Name']} selects"
    if output["Type"] not in PYTHON_TYPES:
        yield f"{output['Name']} is a {output['Type']}, which is no type"


def _imports_of_the_package(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The modules of `alb_sg.ssm_documents` that a script imports, with the imported names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{alb_sg.ssm_documents.__name__}."):
            yield from ((node.module or "", alias.name) for alias in node.names)


@cache
def _produced_by_the_package() -> frozenset[str]:
    """The keys of every object that the package's modules make."""
    folder = Path(alb_sg.ssm_documents.__path__[0])
    return frozenset().union(*(_keys(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")))


def _keys(source: str) -> frozenset[str]:
    return frozenset(
        key.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    )


def _api_mistakes(step: Content) -> Iterator[str]:
    name, inputs = step["name"], step["inputs"]
    model = _model(inputs["Service"])
    if model is None:
        yield f"{name}: there is no service {inputs['Service']}"
        return
    if inputs["Api"] not in model.operation_names:
        yield f"{name}: {inputs['Service']} has no operation {inputs['Api']}"
        return
    operation = model.operation_model(inputs["Api"])
    given = {key: value for key, value in inputs.items() if key not in API_ACTIONS[step["action"]]}
    yield from (f"{name}: {inputs['Api']}: {said}" for said in _shape_mistakes(operation.input_shape, given))
    selectors = [said["Selector"] for said in step.get("outputs", ())]
    for selector in (*selectors, *filter(None, [inputs.get("PropertySelector")])):
        if not _selects(operation.output_shape, selector):
            yield f"{name}: {inputs['Api']} answers with nothing at {selector}"


@cache
def _model(service: str) -> Any:
    """botocore's model of a service; None if there is none."""
    session = botocore.session.Session()
    return session.get_service_model(service) if service in session.get_available_services() else None


def _shape_mistakes(shape: Any, given: Any) -> Iterator[str]:
    """Checks a value against a shape. A reference replaces a whole value of any shape."""
    if isinstance(given, str) and REFERENCE.fullmatch(given):
        return
    if shape is None:
        yield from (f"it takes no {name}" for name in given)
    elif shape.type_name == "structure":
        if not isinstance(given, Mapping):
            yield f"{shape.name} is a structure"
            return
        yield from (f"{shape.name} has no {name}" for name in given if name not in shape.members)
        yield from (f"{shape.name} lacks {name}" for name in shape.required_members if name not in given)
        for name, value in given.items():
            if name in shape.members:
                yield from _shape_mistakes(shape.members[name], value)
    elif shape.type_name == "list":
        if not isinstance(given, list):
            yield f"{shape.name} is a list"
            return
        for value in given:
            yield from _shape_mistakes(shape.member, value)


def _selects(shape: Any, selector: str) -> bool:
    if not selector.startswith("$."):
        return False
    for part in selector.removeprefix("$.").split("."):
        member = MEMBER.fullmatch(part)
        if member is None or shape.type_name != "structure" or member[1] not in shape.members:
            return False
        shape = shape.members[member[1]]
        for _ in re.findall(r"\[", member[2]):
            if shape.type_name != "list":
                return False
            shape = shape.member
    return True
