"""The SSM Automation documents, as they are checked in and as they ship.

`make generate` writes the files; the tests refuse stale ones. What ships differs from them in one thing: it says which
artefact, by its sha256, AWS must find attached (`with_checksum`).

Automation runs a script's `Handler` with the attachment unpacked beside it (Systems Manager user guide,
"aws:executeScript": libraries in an attachment are imported from the script's content).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.document_names import RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT
from alb_sg.remediation.execution import ApplyOutcome
from alb_sg.ssm_documents.document_parameters import (
    APPROVERS,
    ASSUME_ROLE,
    DRY_RUN,
    UNDO_PARAMETERS,
    DocumentParameter,
    fix_parameters,
    plan_parameters,
)
from alb_sg.ssm_documents.scripts import PLANNED
from alb_sg.yaml_text import to_yaml

Content = dict[str, Any]

ATTACHMENT = "alb-sg.zip"
RUNTIME = "python3.11"
# Seconds. A script may run for ten minutes; an approval is waited for as long as Automation does by itself.
SCRIPT_TIMEOUT = 600
APPROVAL_TIMEOUT = 604_800
# Bytes that AWS takes of a document.
MAX_DOCUMENT_BYTES = 64 * 1024

GENERATED_HEADER = "# Made by `make generate` from alb_sg/automation; do not edit.\n"
STRING, STRING_LIST = "String", "StringList"


def build_document(name: str) -> Content:
    """A document by its name, without the artefact's checksum."""
    return _undo_document() if name == UNDO_DOCUMENT else _fix_document(RECOMMENDATION_BY_DOCUMENT[name])


def with_checksum(content: Mapping[str, Any], sha256: str) -> Content:
    """The document as it ships: AWS refuses an attachment with another sha256."""
    return {**content, "files": {ATTACHMENT: {"checksums": {"sha256": sha256}}}}


def document_text(content: Mapping[str, Any]) -> str:
    return GENERATED_HEADER + to_yaml(content)


# --- a document for each rule


def _fix_document(recommendation: Recommendation) -> Content:
    rule = recommendation.name
    parameters = fix_parameters(rule)
    judged = {parameter.name: _parameter_reference(parameter) for parameter in plan_parameters(rule)}
    common = {"Rule": rule, **ACCOUNT_AND_REGION, **judged}
    return {
        "description": _description(recommendation),
        "schemaVersion": "0.3",
        "assumeRole": _parameter_reference(ASSUME_ROLE),
        "parameters": {parameter.name: parameter.declaration for parameter in parameters},
        "outputs": [
            "Plan.Outcome",
            "Plan.Summary",
            "Plan.Refused",
            "Plan.Plan",
            "Apply.Outcome",
            "Apply.Summary",
            "Apply.Added",
            "Apply.Refused",
            "Apply.Result",
            "Verify.Verdict",
            "Verify.Reevaluation",
            "Verify.Summary",
        ],
        "mainSteps": [
            _script_step(
                "Plan",
                "Judges the load balancer as it is now, and says what would be done. Changes nothing.",
                "plan",
                {**common, APPROVERS.name: _parameter_reference(APPROVERS)},
                {
                    "Outcome": STRING,
                    "Approval": STRING,
                    "Fingerprint": STRING,
                    "Summary": STRING,
                    "Refused": STRING_LIST,
                    "Plan": STRING,
                },
                "Decide",
            ),
            _branch_step(
                "Decide",
                "Goes on where there is something to do and it is not only a plan that is asked for.",
                [
                    (
                        "Approve",
                        [("Plan.Outcome", PLANNED), (DRY_RUN.name, "false"), ("Plan.Approval", "asked for")],
                    ),
                    ("Apply", [("Plan.Outcome", PLANNED), (DRY_RUN.name, "false")]),
                ],
            ),
            {
                "name": "Approve",
                "description": "Waits for one of the approvers. Denied, the document ends here; nothing has changed.",
                "action": "aws:approve",
                "timeoutSeconds": APPROVAL_TIMEOUT,
                "onFailure": "Abort",
                "inputs": {
                    "Approvers": _parameter_reference(APPROVERS),
                    "Message": "{{ Plan.Summary }}",
                    "MinRequiredApprovals": 1,
                },
                "nextStep": "Apply",
            },
            _script_step(
                "Apply",
                "Looks again and does what was planned, if that is still the same. What was added is taken back where "
                "a call fails.",
                "apply",
                {**common, "Fingerprint": "{{ Plan.Fingerprint }}", "Execution": "{{ automation:EXECUTION_ID }}"},
                {"Outcome": STRING, "Summary": STRING, "Added": STRING_LIST, "Refused": STRING_LIST, "Result": STRING},
                "Changed",
            ),
            _branch_step(
                "Changed",
                "Verifies what was changed; what was refused, gone or in order meanwhile is in Apply's outputs.",
                [
                    ("Verify", [("Apply.Outcome", ApplyOutcome.APPLIED.value)]),
                    ("Verify", [("Apply.Outcome", ApplyOutcome.UNVERIFIED.value)]),
                ],
            ),
            _script_step(
                "Verify",
                "Judges again, and asks AWS Config to. Fails where the rule is not met; what was added stays then.",
                "verify",
                {**common, "ConfigRuleName": "{{ ConfigRuleName }}"},
                {"Verdict": STRING, "Reevaluation": STRING, "Summary": STRING},
                "End",
            ),
            END_STEP,
        ],
    }


def _description(recommendation: Recommendation) -> str:
    return (
        f"Adds the security group rules that an Application Load Balancer lacks for {recommendation.name}, and nothing "
        f"more. {recommendation.requirement_text}\n\n"
        "It judges again with the rule's own code, plans, stops before anything risky, applies and verifies. "
        "AlbSg-Undo takes back what an execution added. Accepted, tagged, exempt and compliant load balancers are left "
        "as they are. By default it only plans (DryRun).\n"
    )


# --- their inverse


def _undo_document() -> Content:
    return {
        "description": (
            "Takes back what one execution added: revokes exactly its security group rules, and takes a group that it "
            "made off the load balancer and deletes it. Can be run again: what is gone is not missed.\n"
        ),
        "schemaVersion": "0.3",
        "assumeRole": _parameter_reference(ASSUME_ROLE),
        "parameters": {parameter.name: parameter.declaration for parameter in UNDO_PARAMETERS},
        "outputs": ["Undo.Summary", "Undo.Revoked", "Undo.Kept", "Undo.Result"],
        "mainSteps": [
            _script_step(
                "Undo",
                "Finds what the execution added by its tags, and takes it back.",
                "undo",
                {**ACCOUNT_AND_REGION, "Execution": "{{ Execution }}"},
                {"Summary": STRING, "Revoked": STRING_LIST, "Kept": STRING_LIST, "Result": STRING},
                "End",
            ),
            END_STEP,
        ],
    }


# --- steps

ACCOUNT_AND_REGION = {"AccountId": "{{ global:ACCOUNT_ID }}", "Region": "{{ global:REGION }}"}
END_STEP = {
    "name": "End",
    "description": "Nothing more is done.",
    "action": "aws:sleep",
    "inputs": {"Duration": "PT1S"},
    "isEnd": True,
}


def _parameter_reference(parameter: DocumentParameter) -> str:
    return f"{{{{ {parameter.name} }}}}"


def _script_step(
    name: str, description: str, function: str, payload: Content, outputs: Mapping[str, str], next_step: str
) -> Content:
    """A step that calls a function of `scripts`. An output's selector is its name with a small first letter."""
    return {
        "name": name,
        "description": description,
        "action": "aws:executeScript",
        "timeoutSeconds": SCRIPT_TIMEOUT,
        "onFailure": "Abort",
        "inputs": {
            "Runtime": RUNTIME,
            "Handler": "handler",
            "InputPayload": payload,
            "Script": (
                f"from alb_sg.ssm_documents.scripts import {function}\n\n\n"
                f"def handler(events, context):\n    return {function}(events)\n"
            ),
            "Attachment": ATTACHMENT,
        },
        "outputs": [
            {"Name": output, "Selector": f"$.Payload.{output[0].lower()}{output[1:]}", "Type": kind}
            for output, kind in outputs.items()
        ],
        "nextStep": next_step,
    }


def _branch_step(name: str, description: str, choices: Iterable[tuple[str, list[tuple[str, str]]]]) -> Content:
    """Goes to the first step all of whose variables have the values said, else to the end."""
    return {
        "name": name,
        "description": description,
        "action": "aws:branch",
        "inputs": {
            "Choices": [{"NextStep": step, **_condition(conditions)} for step, conditions in choices],
            "Default": "End",
        },
    }


def _condition(conditions: list[tuple[str, str]]) -> Content:
    tests = [{"Variable": f"{{{{ {variable} }}}}", "StringEquals": value} for variable, value in conditions]
    return tests[0] if len(tests) == 1 else {"And": tests}
