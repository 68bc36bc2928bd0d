"""Service-managed StackSets: the commands that create them and deploy them to organizational units.

StackSets skip suspended accounts, and deploy to accounts that join a unit later.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import PurePath

from alb_sg.deployment.settings import Settings

# The file of the StackSet that deploys the pack to organizational units.
UNITS_PACK = "stack-set-conformance-pack"
NAMED_ROLES = " --capabilities CAPABILITY_NAMED_IAM"
MEMBER, DOCUMENTS = "member.yaml", "documents.yaml"


def create_command(settings: Settings, name: str, template_argument: str) -> str:
    """The command that creates the StackSet of a template file. `template_argument` says where the template is."""
    return (
        f"aws cloudformation create-stack-set --region {settings.home_region} "
        f"--stack-set-name {_stack_set_name(settings, name)} --permission-model SERVICE_MANAGED "
        "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false"
        f"{NAMED_ROLES if name == MEMBER else ''}{_tags(settings)} {template_argument}"
    )


def stack_set_remarks(settings: Settings) -> Iterator[str]:
    """How to deploy to the organizational units of the settings, file by file in the order of the deployment."""
    yield (
        "organization.organizationalUnits: deploy with StackSets, in this order. A template that is too large for a "
        "request has its own create-stack-set command below"
    )
    documents = [DOCUMENTS] if settings.has_remediation else []
    own_pack = sorted(settings.excluded_types)
    shared = [region for region in settings.regions if region not in settings.excluded_types]
    packs = [(f"{UNITS_PACK}.yaml", shared), *((f"{UNITS_PACK}.{region}.yaml", [region]) for region in own_pack)]
    files = [(MEMBER, [settings.home_region]), *((name, list(settings.regions)) for name in documents), *packs]
    for name, regions in files:
        if regions:
            created = create_command(settings, name, f"--template-body file://{PurePath('dist') / name}")
            yield f"{created} && {_instances_command(settings, name, regions)}"


def _instances_command(settings: Settings, name: str, regions: list[str]) -> str:
    targets: dict[str, object] = {"OrganizationalUnitIds": list(settings.organization.organizational_units)}
    if settings.organization.excluded_accounts:
        targets |= {"Accounts": list(settings.organization.excluded_accounts), "AccountFilterType": "DIFFERENCE"}
    return (
        f"aws cloudformation create-stack-instances --region {settings.home_region} "
        f"--stack-set-name {_stack_set_name(settings, name)} --regions {' '.join(regions)} "
        f"--deployment-targets {shlex.quote(json.dumps(targets))}"
    )


def _stack_set_name(settings: Settings, name: str) -> str:
    """A name for each file. CloudFormation allows letters, digits and hyphens."""
    return f"{settings.stack_name}-{name.removesuffix('.yaml').replace('.', '-')}"


def _tags(settings: Settings) -> str:
    tags = [{"Key": key, "Value": value} for key, value in settings.landing_zone.tags.items()]
    return f" --tags {shlex.quote(json.dumps(tags))}" if tags else ""
