"""Every document, checked in and shipped, against the schema of AWS's own language service."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
import yaml

from alb_sg.deployment.documents import shipped_documents
from alb_sg.remediation.document_names import DOCUMENTS
from tests.deployment.deployments import ARTIFACT, ROOT
from tests.tools import node_module

SCHEMA = "aws-ssm-document-language-service/dist/schema.json"
# Runtimes that are newer than the schema: Systems Manager user guide, "aws:executeScript", Runtime.
RUNTIMES_OF_2020 = ["python3.6", "python3.7", "PowerShell Core 6.0"]
RUNTIMES_SINCE = ["python3.8", "python3.9", "python3.10", "python3.11", "PowerShell 7.0"]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = json.loads(node_module(SCHEMA).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    [of_scripts] = [
        one["then"]
        for one in schema["properties"]["mainSteps"]["items"]["allOf"]
        if one["if"]["properties"]["action"]["const"] == "aws:executeScript"
    ]
    runtimes = of_scripts["properties"]["inputs"]["properties"]["Runtime"]["oneOf"][0]
    assert runtimes["enum"] == RUNTIMES_OF_2020
    runtimes["enum"] = [*RUNTIMES_OF_2020, *RUNTIMES_SINCE]
    return jsonschema.Draft7Validator(schema)


def checked_in(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "remediation" / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_valid(validator: jsonschema.Draft7Validator, name: str) -> None:
    validator.validate(checked_in(name))
    validator.validate(yaml.safe_load(shipped_documents(ARTIFACT)[name]))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("schemaVersion",), "2.2"),
        (("extra",), True),
        (("parameters", "DryRun", "type"), "Text"),
        (("parameters", "DryRun", "default"), True),
        (("mainSteps", 0, "action"), "aws:executeScripts"),
        (("mainSteps", 0, "inputs", "Runtime"), "python3.99"),
        (("mainSteps", 0, "onFailure"), "Stop"),
        (("mainSteps", 0, "next"), "Decide"),
    ],
)
def test_the_schema_refuses_others(
    validator: jsonschema.Draft7Validator, place: tuple[str | int, ...], value: object
) -> None:
    content = copy.deepcopy(checked_in(DOCUMENTS[0]))
    *path, last = place
    found: Any = content
    for key in path:
        found = found[key]
    found[last] = value
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(content)
