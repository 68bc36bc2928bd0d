"""The documents have no semantic mistakes, and each kind of mistake is found."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from alb_sg.deployment.documents import shipped_documents
from alb_sg.remediation.document_names import DOCUMENTS
from alb_sg.ssm_documents.documents import build_document
from tests.deployment.deployments import ARTIFACT, ROOT
from tests.ssm_documents.semantics import mistakes

ABSENT = object()
SHA256 = "a" * 64
Place = tuple[str | int, ...]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_have_no_mistakes(name: str) -> None:
    checked_in = (ROOT / "remediation" / f"{name}.yaml").read_text(encoding="utf-8")
    assert mistakes(yaml.safe_load(checked_in)) == ()
    assert mistakes(yaml.safe_load(shipped_documents(ARTIFACT)[name])) == ()


def parameter(kind: str, pattern: str, **said: Any) -> dict[str, Any]:
    return {"type": kind, "description": "It.", "allowedPattern": pattern, **said}


# A document with one construct of each kind.
WHOLE: dict[str, Any] = {
    "description": "Describes load balancers.",
    "schemaVersion": "0.3",
    "assumeRole": "{{ AutomationAssumeRole }}",
    "parameters": {
        "AutomationAssumeRole": parameter("String", "^arn:.+$"),
        "Approvers": parameter("StringList", "^[a-z]+$", default=[]),
        "Mode": parameter("String", "^(a|b)$", default="a"),
    },
    "outputs": ["Describe.Arn", "Script.Said"],
    "mainSteps": [
        {
            "name": "Describe",
            "action": "aws:executeAwsApi",
            "onFailure": "step:Mend",
            "inputs": {
                "Service": "elbv2",
                "Api": "DescribeTags",
                "ResourceArns": ["{{ Mode }}", "arn"],
            },
            "outputs": [
                {"Name": "Arn", "Selector": "$.TagDescriptions[0].ResourceArn", "Type": "String"},
                {"Name": "Keys", "Selector": "$.TagDescriptions[0].Tags[*].Key", "Type": "StringList"},
            ],
            "nextStep": "Decide",
        },
        {
            "name": "Decide",
            "action": "aws:branch",
            "inputs": {
                "Choices": [{"NextStep": "Ask", "Variable": "{{ Describe.Arn }}", "StringEquals": "x"}],
                "Default": "Mend",
            },
        },
        {
            "name": "Ask",
            "action": "aws:approve",
            "inputs": {"Approvers": "{{ Approvers }}", "Message": "{{ Describe.Arn }} in {{ global:REGION }}?"},
        },
        {
            "name": "Mend",
            "action": "aws:waitForAwsResourceProperty",
            "inputs": {
                "Service": "ec2",
                "Api": "DescribeSecurityGroups",
                "Filters": [{"Name": "group-name", "Values": ["{{ Mode }}"]}],
                "PropertySelector": "$.SecurityGroups[0].GroupName",
                "DesiredValues": ["x"],
            },
        },
        {
            "name": "Script",
            "action": "aws:executeScript",
            "inputs": {
                "Runtime": "python3.11",
                "Handler": "handler",
                "InputPayload": {"Execution": "{{ automation:EXECUTION_ID }}", "Names": "{{ Approvers }}"},
                "Script": "def handler(events, context):\n    return {'said': 'yes'}\n",
                "Attachment": "it.zip",
            },
            "outputs": [{"Name": "Said", "Selector": "$.Payload.said", "Type": "String"}],
        },
        {"name": "End", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "isEnd": True},
    ],
    "files": {"it.zip": {"checksums": {"sha256": SHA256}}},
}
DESCRIBE, DECIDE, ASK, MEND, SCRIPT, END = (("mainSteps", number) for number in range(6))


def test_the_whole_has_no_mistakes() -> None:
    assert mistakes(WHOLE) == ()


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        # Jumps.
        ((*DESCRIBE, "nextStep"), "Decid", "Describe: nextStep names Decid, which is no step"),
        ((*DESCRIBE, "onFailure"), "step:Mended", "Describe: onFailure names Mended, which is no step"),
        ((*DESCRIBE, "onCancel"), "step:Mended", "Describe: onCancel names Mended, which is no step"),
        ((*DECIDE, "inputs", "Choices", 0, "NextStep"), "Asks", "Decide: NextStep names Asks, which is no step"),
        ((*DECIDE, "inputs", "Default"), "Ends", "Decide: Default names Ends, which is no step"),
        (
            (*DECIDE, "inputs", "Default"),
            ABSENT,
            "Decide: it fails where none of its choices is met: it has no Default",
        ),
        ((*DECIDE, "inputs", "Choices", 0, "NextStep"), "Script", "Ask: no step leads to it"),
        ((*SCRIPT, "nextStep"), "Script", "End: no step leads to it"),
        ((*MEND, "isEnd"), True, "Script: no step leads to it"),
        ((*END, "nextStep"), "Mend", "End: it has a nextStep and is the end"),
        ((*END, "isEnd"), ABSENT, "End: the last step is not marked as the end"),
        ((*MEND, "name"), "Ask", "mainSteps: two steps have one name"),
        # References.
        (("assumeRole",), "{{ Role }}", "assumeRole: it is to be {{ AutomationAssumeRole }}, which"),
        ((*ASK, "inputs", "Approvers"), "{{ Approver }}", "Ask: Approver is neither a parameter nor an output"),
        ((*ASK, "inputs", "Message"), "{{Describe.Name}}?", "Ask: Describe.Name is neither a parameter nor an output"),
        ((*ASK, "inputs", "Message"), "{{ global:ACCOUNT }}", "Ask: global:ACCOUNT is neither a parameter"),
        ((*ASK, "inputs", "Message"), "{{ Approvers }}", "Ask: Approvers is a StringList where a String is taken"),
        ((*ASK, "inputs", "Message"), "{{ Approvers }}?", "Ask: Approvers is a StringList where a String is taken"),
        ((*ASK, "inputs", "Approvers"), "{{ Mode }}", "Ask: Mode is a String where a StringList is taken"),
        (
            (*DECIDE, "inputs", "Choices", 0, "Variable"),
            "{{ Describe.Keys }}",
            "Decide: Describe.Keys is a StringList where a String is taken",
        ),
        # A later step; a step whose failure leads here; a step on one of two paths; a step that may have no output.
        ((*ASK, "inputs", "Message"), "{{ Script.Said }}", "Ask: Script may not have succeeded before"),
        ((*MEND, "inputs", "DesiredValues"), ["{{ Describe.Arn }}"], "Mend: Describe may not have succeeded before"),
        ((*DESCRIBE, "onFailure"), "Continue", "Decide: Describe may not have succeeded before"),
        ((*SCRIPT, "inputs", "InputPayload", "Names"), "{{ Describe.Keys }}", "Script: Describe may not have"),
        ((*ASK, "inputs", "Approvers"), ["alice"], ""),
        ((*SCRIPT, "inputs", "InputPayload"), {}, ""),
        # Parameters.
        (("parameters", "Extra"), parameter("String", "^x$"), "Extra: the parameter is not used"),
        (("parameters", "AutomationAssumeRole"), ABSENT, "parameters: AutomationAssumeRole is missing"),
        (("parameters", "Mode", "allowedPattern"), ABSENT, "Mode: its allowedPattern is not anchored at both ends"),
        (("parameters", "Mode", "allowedPattern"), "(a|b)$", "Mode: its allowedPattern is not anchored at both ends"),
        (("parameters", "Mode", "allowedPattern"), "^(a|b)", "Mode: its allowedPattern is not anchored at both ends"),
        (("parameters", "Mode", "allowedPattern"), "^a|b$", "Mode: an alternative of its allowedPattern is anchored"),
        (("parameters", "Mode", "default"), "c", "Mode: its default 'c' does not match its allowedPattern"),
        (("parameters", "Mode", "default"), True, "Mode: its default is no String"),
        (("parameters", "Approvers", "default"), "", "Approvers: its default is no StringList"),
        (("parameters", "Approvers", "default"), ["A"], "Approvers: its default 'A' does not match"),
        # Outputs.
        (("outputs", 0), "Describe.Name", "outputs: no step has the output Describe.Name"),
        # Scripts.
        ((*SCRIPT, "inputs", "Handler"), "handle", "Script: its script has no function handle"),
        (
            (*SCRIPT, "inputs", "Script"),
            "def handler(events):\n    return {'said': 1}\n",
            "Script: handler does not take events and context",
        ),
        (
            (*SCRIPT, "inputs", "Script"),
            "from alb_sg.ssm_documents.scripts import plans\ndef handler(events, _):\n    return {'said': plans}\n",
            "Script: alb_sg.ssm_documents.scripts has no plans",
        ),
        ((*SCRIPT, "outputs", 0, "Selector"), "$.Payload.says", "Script: its script answers with no says"),
        ((*SCRIPT, "outputs", 0, "Selector"), "$.said", "Script: the selector of Said is not of its script's answer"),
        ((*SCRIPT, "outputs", 0, "Type"), "Text", "Script: Said is a Text, which is no type"),
        # Calls.
        ((*DESCRIBE, "inputs", "Service"), "elbv3", "Describe: there is no service elbv3"),
        ((*DESCRIBE, "inputs", "Api"), "describe_tags", "Describe: elbv2 has no operation describe_tags"),
        ((*DESCRIBE, "inputs", "Arns"), ["x"], "Describe: DescribeTags: DescribeTagsInput has no Arns"),
        ((*DESCRIBE, "inputs", "ResourceArns"), ABSENT, "Describe: DescribeTags: DescribeTagsInput lacks ResourceArns"),
        ((*DESCRIBE, "inputs", "ResourceArns"), "x", "Describe: DescribeTags: ResourceArns is a list"),
        ((*MEND, "inputs", "Filters", 0, "Key"), "x", "Mend: DescribeSecurityGroups: Filter has no Key"),
        ((*MEND, "inputs", "Filters"), ["x"], "Mend: DescribeSecurityGroups: Filter is a structure"),
        ((*MEND, "inputs", "PropertySelector"), "$.SecurityGroups.GroupName", "Mend: DescribeSecurityGroups answers"),
        (
            (*DESCRIBE, "outputs", 0, "Selector"),
            "$.TagDescriptions[0].Arn",
            "Describe: DescribeTags answers with nothing at $.TagDescriptions[0].Arn",
        ),
        # Attachments.
        (("files",), {}, "files: it.zip is attached or taken, not both"),
        (("files", "other.zip"), {"checksums": {"sha256": SHA256}}, "files: other.zip is attached or taken, not both"),
        (("files", "it.zip", "checksums", "sha256"), "b", "files: it.zip has no sha256"),
    ],
)
def test_a_broken_document_is_refused(place: Place, value: object, said: str) -> None:
    """One sentence reports a single broken place; an empty text means that the place is valid."""
    found = mistakes(changed(WHOLE, place, value))
    assert [sentence for sentence in found if sentence.startswith(said)] if said else found == ()


def changed(content: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    found = copy.deepcopy(content)
    inner: Any = found
    *path, last = place
    for key in path:
        inner = inner[key]
    if value is ABSENT:
        del inner[last]
    else:
        inner[last] = value
    return found


def test_a_reference_to_an_absent_output_is_refused() -> None:
    content = changed(build_document(DOCUMENTS[0]), ("mainSteps", 0, "outputs", 0, "Selector"), "$.Payload.outcomes")
    assert mistakes(content) == ("Plan: its script answers with no outcomes, which Outcome selects",)
