"""`terraform.json`: what the Terraform modules in `deploy/terraform` create, resource by resource.

The modules translate the properties of CloudFormation into the arguments of Terraform's AWS provider, and know no fact
of a rule. The file holds the resources of `stack.yaml` ("account") and `central.yaml` ("functions") for every region,
and the tags of the StackSets.
"""

from __future__ import annotations

import json
from typing import Any

from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.documents import documents_template
from alb_sg.deployment.intrinsics import Template
from alb_sg.deployment.landing_zone_template import apply_landing_zone
from alb_sg.deployment.member import CENTRAL_PARAMETER
from alb_sg.deployment.resolved_template import ACCOUNT, resolve_template
from alb_sg.deployment.role_policies import ORGANIZATION_PARAMETER
from alb_sg.deployment.settings import Settings
from alb_sg.deployment.stack import central_template, stack_template

FILE = "terraform.json"


def terraform_file(settings: Settings, artifact: Artifact) -> str:
    """The file's text. The organization's id is a placeholder where the settings do not name it."""
    accounts: dict[str, Template] = {}
    functions: dict[str, Template] = {}
    for region in settings.regions:
        accounts[region] = _resolved(settings, stack_template(settings, artifact.key, region), region)
        if settings.has_remediation:
            accounts[region] |= _resolved(settings, documents_template(settings, artifact), region)
        functions[region] = _resolved(settings, central_template(settings, artifact.key), region)
    content = {
        "artifact": {"file": artifact.name, "key": artifact.key, "sha256": artifact.sha256},
        "home_region": settings.home_region,
        "tags": dict(settings.landing_zone.tags),
        "account": accounts,
        "functions": functions,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _resolved(settings: Settings, template: Template, region: str) -> Template:
    parameters: dict[str, Any] = {
        ORGANIZATION_PARAMETER: settings.organization.organization_id or "__ORGANIZATION__",
        CENTRAL_PARAMETER: ACCOUNT,
    }
    return resolve_template(apply_landing_zone(settings, template), region, parameters)
