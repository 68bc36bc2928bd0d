"""`deploy`: deploys the rules to one account with rdk, the library as a layer and the settings in rdk's own files.

rdk packs only a rule's own folder. The layer brings what the rule imports, including rdklib in the tested version.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import boto3

from alb_sg.aws.pages import read_items
from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.intrinsics import tag_list
from alb_sg.deployment.lambda_resources import TIMEOUT
from alb_sg.deployment.preflight import DeploymentError, PrintLine, artifact_buckets
from alb_sg.deployment.settings import Settings
from alb_sg.deployment.stack import USE_OWN_ROLE
from alb_sg.deployment.stack_deployment import UPDATABLE_STATUSES, find_stack

# rdk names a function with this prefix and the rule's name without underscores.
RDK_FUNCTION_PREFIX = "RDK-Rule-Function-"
# Environment variable with the path of the rdk command, if it is not on PATH.
RDK_COMMAND_VARIABLE = "ALB_SG_RDK"


def deploy_with_rdk(settings: Settings, layer: Artifact, rules: Path, print_line: PrintLine) -> None:
    """Runs `rdk deploy` for the rules in every region. Raises DeploymentError if the account or rdk refuses."""
    command = os.environ.get(RDK_COMMAND_VARIABLE) or shutil.which("rdk")
    if command is None or shutil.which(command) is None:
        raise DeploymentError(
            f"the command rdk was not found; run `make setup-rdk`, or set {RDK_COMMAND_VARIABLE} to its path"
        )
    buckets = artifact_buckets(settings)
    for bucket in buckets:
        bucket.check()
        _check_owner(settings, bucket.region)
    for bucket in buckets:
        region = bucket.region
        arn = _publish_layer(settings.names.layer, layer, region)
        print_line(f"{region}: layer {arn}")
        with tempfile.TemporaryDirectory() as folder:
            staged = stage_rules(settings, rules, Path(folder) / "rules", region)
            options = landing_zone_options(settings, bucket.account, region)
            _run_rdk(command, staged, options, arn, bucket.name, region)
        _check_stacks(settings, region)
        print_line(f"{region}: {len(settings.rules)} rules")


def stage_rules(settings: Settings, rules: Path, folder: Path, region: str) -> Path:
    """Copies the rules to `folder` and writes the settings into rdk's files. Returns the folder.

    In one account a function judges with its own role: nobody but AWS Config can assume the recorder's role.
    """
    for rule in settings.rules:
        shutil.copytree(rules / rule.name, folder / rule.name, ignore=shutil.ignore_patterns("__pycache__", "*.zip"))
        path = folder / rule.name / "parameters.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        parameters = content["Parameters"]
        optional = json.loads(parameters["OptionalParameters"])
        parameters["OptionalParameters"] = json.dumps({**optional, **rule.parameters, **USE_OWN_ROLE})
        parameters["Description"] = rule.description
        parameters["SourceEvents"] = ",".join(settings.resource_types(rule, region))
        parameters["SourcePeriodic"] = rule.frequency
        if settings.landing_zone.tags:
            content["Tags"] = tag_list(settings.landing_zone.tags)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return folder


def landing_zone_options(settings: Settings, account: str, region: str) -> list[str]:
    """The landing-zone options that rdk knows. Tags are in `parameters.json`; rdk knows no role path and no keys."""
    zone = settings.landing_zone
    options: list[str] = []
    if zone.permissions_boundary is not None:
        boundary = zone.permissions_boundary
        partition = boto3.session.Session().get_partition_for_region(region)
        arn = boundary if boundary.startswith("arn:") else f"arn:{partition}:iam::{account}:policy/{boundary}"
        options += ["--boundary-policy-arn", arn]
    if region in zone.networks:
        network = zone.networks[region]
        options += ["--lambda-subnets", ",".join(network.subnets)]
        options += ["--lambda-security-groups", ",".join(network.security_groups)]
    return options


def _publish_layer(name: str, layer: Artifact, region: str) -> str:
    """The ARN of the layer version with this content: the latest version if it has it, otherwise a new one."""
    client: Any = boto3.client("lambda", region_name=region)
    digest = base64.b64encode(hashlib.sha256(layer.content).digest()).decode()
    # The newest version is the first.
    for version in islice(read_items(client, "list_layer_versions", {"LayerName": name}, "LayerVersions"), 1):
        latest = client.get_layer_version(LayerName=name, VersionNumber=version["Version"])
        if latest["Content"]["CodeSha256"] == digest:
            return str(version["LayerVersionArn"])
    published = client.publish_layer_version(
        LayerName=name, Description=layer.name, Content={"ZipFile": layer.content}, LicenseInfo="Apache-2.0"
    )
    return str(published["LayerVersionArn"])


def _run_rdk(command: str, folder: Path, options: Sequence[str], layer_arn: str, bucket: str, region: str) -> None:
    arguments = [
        *("--region", region, "deploy", "--all"),
        *("--lambda-layers", layer_arn),
        *("--custom-code-bucket", bucket),
        *("--lambda-timeout", str(TIMEOUT)),
        *options,
    ]
    done = subprocess.run([command, *arguments], cwd=folder, check=False)  # noqa: S603 (the user's own rdk)
    if done.returncode != 0:
        raise DeploymentError(f"rdk deploy in {region} ended with status {done.returncode}; its own output says why")


def _check_owner(settings: Settings, region: str) -> None:
    """Raises DeploymentError if a stack or function has rdk's name for a rule but does not come from it: rdk would
    overwrite it. The template's parameters identify it, because rdk does not tag its stacks."""
    cloudformation: Any = boto3.client("cloudformation", region_name=region)
    functions: Any = boto3.client("lambda", region_name=region)
    for rule in settings.rules:
        name = rule.name.replace("_", "")
        stack = find_stack(cloudformation, name)
        if stack is not None:
            parameters = {
                parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])
            }
            if parameters.get("SourceHandler") != f"{rule.name}.lambda_handler":
                raise DeploymentError(
                    f"stack {name} exists in {region} and is not what rdk makes for {rule.name}; remove it, or use "
                    "deploy-stack"
                )
            continue
        function = f"{RDK_FUNCTION_PREFIX}{name}"
        try:
            functions.get_function(FunctionName=function)
        except functions.exceptions.ResourceNotFoundException:
            continue
        raise DeploymentError(f"function {function} exists in {region} without rdk's stack {name}; remove it first")


def _check_stacks(settings: Settings, region: str) -> None:
    """Raises DeploymentError if CloudFormation rolled a stack back: rdk exits with status 0 then."""
    client: Any = boto3.client("cloudformation", region_name=region)
    for rule in settings.rules:
        name = rule.name.replace("_", "")
        status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status not in UPDATABLE_STATUSES or "ROLLBACK" in status:
            raise DeploymentError(f"rdk left stack {name} in {region} {status}; its events say why")
