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
ASSETS_ARTIFACT = "cdk:asset-manifest"
# What the CDK looks up that decides no verdict: images, names of zones, and keys.
HARMLESS_LOOKUPS = frozenset({"ami", "availability-zones", "hosted-zone", "key-provider"})
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
        _refuse_placeholders(manifest.get("missing"))
        found = list(_stacks(Path(folder), artifacts))
    if not found:
        raise InvalidInputError("the manifest lists no CloudFormation stack; run `cdk synth`", str(path))
    return found


def _refuse_placeholders(missing: Any) -> None:
    """Raises InvalidInputError if templates have placeholders for values that the CDK could not look up."""
    for one in missing if isinstance(missing, list) else ():
        provider, key = (one.get("provider"), one.get("key")) if isinstance(one, dict) else (None, one)
        if provider not in HARMLESS_LOOKUPS:
            raise InvalidInputError(
                f"the CDK did not look up {key}, so that the templates have a placeholder; run `cdk synth` with "
                "credentials",
                "missing",
            )


def _assets(folder: Path, artifacts: Mapping[str, Any]) -> Mapping[str, str]:
    """The files that the CDK puts into S3, by the keys that they get there."""
    found: dict[str, str] = {}
    for name, artifact in artifacts.items():
        if not isinstance(artifact, dict) or artifact.get("type") != ASSETS_ARTIFACT:
            continue
        file = folder / str(_object(artifact.get("properties")).get("file", f"{name}.json"))
        if not file.is_file():
            raise InvalidInputError(f"the list of assets {file} is not there; run `cdk synth`", f"artifacts.{name}")
        for asset in map(_object, _object(_object(read_json_file(str(file))).get("files")).values()):
            path = _object(asset.get("source")).get("path")
            for destination in map(_object, _object(asset.get("destinations")).values()):
                key = destination.get("objectKey")
                if isinstance(path, str) and isinstance(key, str):
                    found[key] = str(folder / path)
    return found


def _object(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for anything else, which no nested stack names."""
    return value if isinstance(value, dict) else {}


def _stacks(folder: Path, artifacts: Mapping[str, Any]) -> Iterator[TemplateFile]:
    assets = _assets(folder, artifacts)
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
                assets=assets,
            )
