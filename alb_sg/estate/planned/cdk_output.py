"""The templates in the output folder of the AWS CDK (`cdk synth`), which its manifest lists.

Source: the cloud assembly schema of the AWS CDK (`aws-cdk-lib/cloud-assembly-schema`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import file_error_context, read_json_file
from alb_sg.estate.planned.template_stacks import TemplateFile

MANIFEST = "manifest.json"
STACK_ARTIFACT = "aws:cloudformation:stack"
ASSEMBLY_ARTIFACT = "cdk:cloud-assembly"
ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")


def read_cdk_output(folder: str) -> list[TemplateFile]:
    """The stacks of a folder, with names, accounts and regions. Raises InvalidInputError."""
    path = Path(folder, MANIFEST)
    if not path.is_file():
        raise InvalidInputError(
            "this folder has no manifest.json, so that it is not the output of `cdk synth`; give the template files",
            folder,
        )
    with file_error_context(str(path)):
        manifest = read_json_file(str(path))
        artifacts = manifest.get("artifacts") if isinstance(manifest, dict) else None
        if not isinstance(artifacts, dict):
            raise InvalidInputError("not the manifest of a CDK output: it has no artifacts; run `cdk synth`")
        found = list(_stacks(Path(folder), artifacts))
    if not found:
        raise InvalidInputError("the manifest lists no CloudFormation stack; run `cdk synth`", str(path))
    return found


def _stacks(folder: Path, artifacts: Mapping[str, Any]) -> Iterator[TemplateFile]:
    for name, artifact in artifacts.items():
        if not isinstance(artifact, dict) or not isinstance(artifact.get("properties") or {}, dict):
            raise InvalidInputError("an artifact must be an object", f"artifacts.{name}")
        properties = artifact.get("properties") or {}
        if artifact.get("type") == ASSEMBLY_ARTIFACT:
            yield from read_cdk_output(str(folder / str(properties.get("directoryName", name))))
        elif artifact.get("type") == STACK_ARTIFACT:
            file = folder / str(properties.get("templateFile", f"{name}.template.json"))
            if not file.is_file():
                raise InvalidInputError(f"the template {file} is not there; run `cdk synth`", f"artifacts.{name}")
            environment = ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
            account_id, region = environment.groups() if environment else ("", "")
            yield TemplateFile(
                path=str(file),
                stack_name=str(properties.get("stackName", name)),
                account_id=account_id if account_id.isdecimal() else None,
                # "unknown-region" is a region that only the deployment tells.
                region=None if region in ("", "unknown-region") else region,
            )
