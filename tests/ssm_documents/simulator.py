"""Executes an Automation document from its YAML in the simulator of cdk-ssm-documents.

Importing this module starts node. It adds what that simulator lacks:

- Its importer drops `nextStep`, `onFailure` and outputs. So this module builds a document's typed steps, and tests
  compare the result, `Automation.printed`, with the file (`comparable`).
- A branch takes one variable; `_Condition` evaluates `And`.
- A denied approval continues with the next step; here it fails the step, as it does on AWS.
- It gives a script ten seconds of the clock; `unhurried.js`, which node loads first, removes that limit.
- It has no attachments; `Surroundings.stand_in` makes the script that runs in place of a document's.
- Its result names neither the failed step nor its inputs; `Execution` records what each step reports.

An unknown construct is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_cdk
import jsii
from cdklabs import cdk_ssm_documents as ssm

Content = Mapping[str, Any]

REFERENCE = re.compile(r"\{\{ (.+?) \}\}")
DURATION = re.compile(r"PT(\d+)S")
TYPES = {"String": ssm.DataTypeEnum.STRING, "StringList": ssm.DataTypeEnum.STRING_LIST}
# What Automation gives a script whose step says nothing.
SCRIPT_SECONDS = 600
VARIABLES = {"String": ssm.StringVariable, "StringList": ssm.StringListVariable}


@dataclass
class Execution:
    """`steps` are those that started, in order. `outputs` are by `Step.Output`. `failure`: why the last step failed."""

    execution_id: str = ""
    steps: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What AWS supplies. `stand_in` turns a script, the name of its handler and its time limit in seconds into the
    Python code that runs, which is stored in `folder`. `approve` receives the approvers and returns whether they
    approve."""

    folder: Path
    stand_in: Callable[[str, str, int], str]
    account_id: str
    region: str
    approve: Callable[[str], bool]


class Automation:
    """One document, ready to start."""

    def __init__(self, content: Content, surroundings: Surroundings) -> None:
        self._content = content
        self._surroundings = surroundings
        self._execution = Execution()
        self._types = {"global:ACCOUNT_ID": "String", "global:REGION": "String", "automation:EXECUTION_ID": "String"}
        self._types |= {name: said["type"] for name, said in content["parameters"].items()}
        for step in content["mainSteps"]:
            self._types |= {f"{step['name']}.{said['Name']}": said["Type"] for said in step.get("outputs", ())}
        self._stack = aws_cdk.Stack(aws_cdk.App(), "Stack")
        self._document = ssm.AutomationDocument(
            self._stack,
            "Document",
            description=content["description"],
            document_format=ssm.DocumentFormat.JSON,
            assume_role=self._variable(content["assumeRole"]),
            doc_inputs=[_input(name, said) for name, said in content["parameters"].items()],
            doc_outputs=[
                ssm.DocumentOutput(name=name, output_type=TYPES[self._types[name]]) for name in content["outputs"]
            ],
        )
        for step in content["mainSteps"]:
            self._document.add_step(self._step(step))

    @property
    def printed(self) -> dict[str, Any]:
        """The document under execution, as the simulator's library writes it."""
        found: dict[str, Any] = json.loads(self._document.print())
        return found

    def start(self, parameters: Mapping[str, Any]) -> Execution:
        given = {
            **_checked(self._content["parameters"], parameters),
            "global:ACCOUNT_ID": self._surroundings.account_id,
            "global:REGION": self._surroundings.region,
        }
        simulation = ssm.AutomationSimulation(
            self._document, approve_hook=_Approvers(self._surroundings.approve), sleep_hook=ssm.MockSleep()
        )
        result = simulation.start(given)
        if result.response_code is not ssm.ResponseCode.SUCCESS:
            self._execution.failure = result.stack_trace
        return self._execution

    def _step(self, step: Content) -> Any:
        known = {
            "name",
            "description",
            "action",
            "timeoutSeconds",
            "onFailure",
            "inputs",
            "outputs",
            "nextStep",
            "isEnd",
        }
        _no_others(step, known)
        if step.get("onFailure", "Abort") != "Abort":
            raise NotImplementedError(f"onFailure: {step['onFailure']}")
        common = {
            "description": step["description"],
            "timeout_seconds": step.get("timeoutSeconds"),
            "is_end": step.get("isEnd"),
            "explicit_next_step": ssm.StepRef.from_name(step["nextStep"]) if "nextStep" in step else None,
            "input_observer": _Begun(self._execution, step["name"]),
            "output_observer": _Ended(self._execution),
        }
        builders = {
            "aws:executeScript": self._script,
            "aws:branch": self._branch,
            "aws:approve": self._approval,
            "aws:sleep": self._sleep,
        }
        return builders[step["action"]](step, common)

    def _script(self, step: Content, common: Mapping[str, Any]) -> Any:
        inputs = step["inputs"]
        _no_others(inputs, {"Runtime", "Handler", "InputPayload", "Script", "Attachment"})
        path = self._surroundings.folder / f"{step['name']}.py"
        seconds = step.get("timeoutSeconds", SCRIPT_SECONDS)
        path.write_text(self._surroundings.stand_in(inputs["Script"], inputs["Handler"], seconds), encoding="utf-8")
        return ssm.ExecuteScriptStep(
            self._stack,
            step["name"],
            language=ssm.ScriptLanguage.from_runtime(inputs["Runtime"], inputs["Handler"]),
            code=_Script(inputs["Script"], path),
            input_payload={name: self._variable(value) for name, value in inputs["InputPayload"].items()},
            outputs=[
                ssm.Output(name=said["Name"], selector=said["Selector"], output_type=TYPES[said["Type"]])
                for said in step["outputs"]
            ],
            **common,
        )

    def _branch(self, step: Content, common: Mapping[str, Any]) -> Any:
        _no_others(step["inputs"], {"Choices", "Default"})
        return ssm.BranchStep(
            self._stack,
            step["name"],
            choices=[_Condition(choice, self._variable) for choice in step["inputs"]["Choices"]],
            default_step_name=step["inputs"]["Default"],
            **common,
        )

    def _approval(self, step: Content, common: Mapping[str, Any]) -> Any:
        inputs = step["inputs"]
        _no_others(inputs, {"Approvers", "Message", "MinRequiredApprovals"})
        return ssm.ApproveStep(
            self._stack,
            step["name"],
            approvers=self._variable(inputs["Approvers"]),
            message=self._variable(inputs["Message"]),
            min_required_approvals=ssm.HardCodedNumber.of(inputs["MinRequiredApprovals"]),
            **common,
        )

    def _sleep(self, step: Content, common: Mapping[str, Any]) -> Any:
        _no_others(step["inputs"], {"Duration"})
        duration = DURATION.fullmatch(step["inputs"]["Duration"])
        if duration is None:
            raise NotImplementedError(f"Duration: {step['inputs']['Duration']}")
        return ssm.SleepStep(self._stack, step["name"], sleep_seconds=int(duration[1]), **common)

    def _variable(self, value: str) -> Any:
        reference = REFERENCE.fullmatch(value)
        if reference is not None:
            return VARIABLES[self._types[reference[1]]](reference[1])
        if "{{" in value:
            raise NotImplementedError(f"a reference within a text: {value}")
        return ssm.HardCodedString.of(value)


def comparable(content: Content) -> dict[str, Any]:
    """A document without defaults and attachments, which the library does not print."""
    found = json.loads(json.dumps({**content, "mainSteps": list(content["mainSteps"])}))
    found.pop("files", None)
    for step in found["mainSteps"]:
        if step.get("onFailure") == "Abort":
            del step["onFailure"]
        step["inputs"].pop("Attachment", None)
    return dict(found)


def _input(name: str, said: Content) -> Any:
    _no_others(said, {"type", "description", "allowedPattern", "default"})
    kind = TYPES[said["type"]]
    return ssm.Input.of_specified_type(
        kind,
        name,
        name=name,
        input_type=kind,
        description=said["description"],
        allowed_pattern=said["allowedPattern"],
        default_value=said.get("default"),
    )


def _checked(declared: Mapping[str, Content], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with defaults. Raises ValueError if AWS would refuse to start the document."""
    if unknown := given.keys() - declared.keys():
        raise ValueError(f"no parameters of the document: {sorted(unknown)}")
    defaults = {name: said["default"] for name, said in declared.items() if "default" in said}
    values = {**defaults, **given}
    if missing := declared.keys() - values.keys():
        raise ValueError(f"parameters are missing: {sorted(missing)}")
    for name, value in values.items():
        for one in value if declared[name]["type"] == "StringList" else [value]:
            if not re.search(declared[name]["allowedPattern"], one):
                raise ValueError(f"{name}: {one!r} is not as allowedPattern asks")
    return values


def _no_others(said: Content, known: set[str]) -> None:
    if said.keys() - known:
        raise NotImplementedError(f"unknown: {sorted(said.keys() - known)}")


class _Script(ssm.ScriptCode):  # type: ignore[misc]  # the library's types are not read: they take mypy minutes
    """The document's script, and the file that runs in its place."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__()
        self._text = text
        self._path = path

    def code_as_string(self) -> str:
        return self._text

    def create_or_get_file(self, suffix: str) -> str:  # noqa: ARG002  # the library's signature
        return str(self._path)


class _Condition(ssm.Choice):  # type: ignore[misc]  # as above
    """A choice whose variables must all equal their texts."""

    def __init__(self, choice: Content, variable: Callable[[str], Any]) -> None:
        tests = choice.get("And", [{name: value for name, value in choice.items() if name != "NextStep"}])
        for test in tests:
            _no_others(test, {"Variable", "StringEquals"})
        self._choice = choice
        self._tests = [(variable(test["Variable"]), test["StringEquals"]) for test in tests]
        super().__init__(
            jump_to_step_name=choice["NextStep"],
            operation=ssm.Operation.STRING_EQUALS,
            variable=self._tests[0][0],
            constant=self._tests[0][1],
        )

    def as_ssm_entry(self) -> dict[str, Any]:
        return dict(self._choice)

    def evaluate(self, inputs: Mapping[str, Any]) -> bool:
        return all(inputs[variable.reference] == value for variable, value in self._tests)


@jsii.implements(ssm.IApproveHook)
class _Approvers:
    def __init__(self, approve: Callable[[str], bool]) -> None:
        self._approve = approve

    def ask(self, approver: str) -> bool:
        if not self._approve(approver):
            raise PermissionError(f"denied by {approver}")
        return True


@jsii.implements(ssm.IObserver)
class _Begun:
    def __init__(self, execution: Execution, step: str) -> None:
        self._execution = execution
        self._step = step

    def accept(self, value: Mapping[str, Any]) -> None:
        self._execution.execution_id = value["automation:EXECUTION_ID"]
        self._execution.steps.append(self._step)


@jsii.implements(ssm.IObserver)
class _Ended:
    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def accept(self, value: Mapping[str, Any]) -> None:
        self._execution.outputs |= value
