"""What Landing Zone Accelerator needs to deploy the rules: parts of its configuration, and a policy file for each rule.

The Accelerator creates a function in every account and region, with a role from the policy file. It chooses the
function's name, and remediation documents accept only rules of a function that the deployment has named. So remediation
is not among these files.
"""

from __future__ import annotations

import json
from typing import Any

from alb_sg.aws.arns import partition_of_region
from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.intrinsics import Template, allow, policy_document
from alb_sg.deployment.lambda_resources import TIMEOUT
from alb_sg.deployment.resolved_template import ACCOUNT, PARTITION, resolve_template
from alb_sg.deployment.role_policies import evaluation_statements, function_statements
from alb_sg.deployment.settings import DeployedRule, Settings
from alb_sg.deployment.stack import USE_OWN_ROLE
from alb_sg.ssm_documents.yaml_text import to_yaml

FOLDER = "landing-zone-accelerator"
RULES_FOLDER = "custom-config-rules"
# The Accelerator names the functions, and so their logs.
LOGS = "WriteOwnLog"
QUEUE = "LeaveFailedEvents"
EVERYWHERE: dict[str, Any] = {"organizationalUnits": ["Root"]}


def accelerator_files(settings: Settings, artifact: Artifact) -> dict[str, str]:
    """The files' texts by their paths in the Accelerator's configuration repository."""
    rules = [_rule(settings, rule, artifact) for rule in settings.rules]
    config = {"awsConfig": {"ruleSets": [{"deploymentTargets": EVERYWHERE, "rules": rules}]}}
    files = {f"{FOLDER}/security-config.yaml": to_yaml(config)}
    for rule in settings.rules:
        files[f"{FOLDER}/{_policy_file(settings, rule)}"] = _policy_text(settings, _rule_statements(settings, rule))
    return files


def _rule(settings: Settings, rule: DeployedRule, artifact: Artifact) -> Template:
    entry: Template = {
        "name": rule.name,
        "type": "Custom",
        "description": rule.description,
        # Each account has its own function, which reads with its own role.
        "inputParameters": {**rule.parameters, **USE_OWN_ROLE},
        "customRule": {
            "lambda": {
                "sourceFilePath": f"{RULES_FOLDER}/{artifact.name}",
                "handler": f"{rule.name}.lambda_handler",
                "runtime": rule.definition.runtime,
                "rolePolicyFile": _policy_file(settings, rule),
                "timeout": TIMEOUT,
            },
            "periodic": True,
            "maximumExecutionFrequency": rule.frequency,
            "configurationChanges": True,
            "triggeringResources": {
                "lookupType": "ResourceTypes",
                "lookupKey": "ResourceTypes",
                "lookupValue": list(settings.resource_types(rule, None)),
            },
        },
    }
    if settings.landing_zone.tags:
        entry["tags"] = [{"key": key, "value": value} for key, value in settings.landing_zone.tags.items()]
    return entry


def _policy_file(settings: Settings, rule: DeployedRule) -> str:
    return f"{RULES_FOLDER}/{settings.function_name(rule)}.json"


def _rule_statements(settings: Settings, rule: DeployedRule) -> list[Template]:
    own = [statement for statement in function_statements(settings, rule) if statement["Sid"] not in {LOGS, QUEUE}]
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    logs = allow(LOGS, actions, f"arn:{PARTITION}:logs:*:*:log-group:/aws/lambda/*")
    return [logs, *own, *evaluation_statements([rule])]


def _policy_text(settings: Settings, statements: list[Template]) -> str:
    """A policy file, which is the same in every account."""
    resource = {"Type": "Policy", "Properties": policy_document(statements)}
    resolved = resolve_template({"Resources": {"Policy": resource}}, settings.home_region, {})
    text = json.dumps(resolved["Policy"]["Properties"], indent=2)
    return text.replace(ACCOUNT, "*").replace(PARTITION, partition_of_region(settings.home_region).name) + "\n"
