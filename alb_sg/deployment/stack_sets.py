"""Service-managed StackSets: the commands that create them and deploy them to organizational units.

StackSets skip suspended accounts, and deploy to accounts that join a unit later. A delegated administrator of
StackSets adds `--call-as DELEGATED_ADMIN` to each command.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from alb_sg.aws.arns import partition_of_region
from alb_sg.deployment.conformance_pack import MAX_TEMPLATE_BYTES
from alb_sg.deployment.member import CENTRAL_PARAMETER
from alb_sg.deployment.settings import Settings

# The file of the StackSet that deploys the pack to organizational units.
UNITS_PACK = "stack-set-conformance-pack"
NAMED_ROLES = " --capabilities CAPABILITY_NAMED_IAM"
MEMBER, DOCUMENTS = "member.yaml", "documents.yaml"
# Placeholders for the account of the functions and for the units, where the settings do not name them.
ACCOUNT, UNIT = "ACCOUNT", "UNIT"


def is_large(text: str) -> bool:
    """Whether CloudFormation refuses the template in a request."""
    return len(text.encode()) > MAX_TEMPLATE_BYTES


def deploy_command(settings: Settings, name: str, text: str, folder: Path, regions: Sequence[str] | None = None) -> str:
    """The command that creates the StackSet of a template file in `folder`, and its stacks in the organizational units
    and in these regions; None: in all that it is for. A large template goes through the artifact's bucket of the home
    region first."""
    # Roles are global.
    everywhere = [settings.home_region] if name == MEMBER else settings.regions
    created = _create_command(settings, name, text, folder)
    return f"{created} && {_instances_command(settings, name, everywhere if regions is None else regions)}"


def placeholder_remark(command: str) -> str:
    """What to replace in a command; empty for nothing."""
    meanings = {ACCOUNT: "the account of the functions", UNIT: "an organizational unit or the root"}
    found = [f"{name} by {meaning}" for name, meaning in meanings.items() if name in command]
    return f" (replace {', '.join(found)})" if found else ""


def _create_command(settings: Settings, name: str, text: str, folder: Path) -> str:
    region, file = settings.home_region, folder / name
    upload, template = "", f"--template-body file://{file}"
    if is_large(text):
        bucket, key = artifact_bucket(settings, region), f"alb-sg/{name}"
        upload = f"aws s3 cp --region {region} {file} s3://{bucket}/{key} && "
        template = f"--template-url https://{bucket}.s3.{region}.{partition_of_region(region).dns_suffix}/{key}"
    unnamed = settings.organization.delegated_administrator is None and CENTRAL_PARAMETER in text
    parameters = f" --parameters ParameterKey={CENTRAL_PARAMETER},ParameterValue={ACCOUNT}" if unnamed else ""
    return (
        f"{upload}aws cloudformation create-stack-set --region {region} "
        f"--stack-set-name {_stack_set_name(settings, name)} --permission-model SERVICE_MANAGED "
        "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false"
        f"{NAMED_ROLES if name == MEMBER else ''}{_tags(settings)}{parameters} {template}"
    )


def artifact_bucket(settings: Settings, region: str) -> str:
    """The bucket of the functions' account, whose id is a placeholder where the settings do not name it."""
    return settings.artifact_bucket_name(settings.organization.delegated_administrator or ACCOUNT, region)


def stack_set_remarks(settings: Settings, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """How to deploy the files in `folder` to the organizational units of the settings, if there are any, in the order
    of the deployment."""
    if not settings.organization.organizational_units:
        return
    yield (
        "organization.organizationalUnits: deploy with StackSets, in this order, and central.yaml before the pack, "
        "which needs its functions. A delegated administrator of StackSets adds --call-as DELEGATED_ADMIN to each "
        "`aws cloudformation` command"
    )
    for name in (MEMBER, *([DOCUMENTS] if settings.has_remediation else [])):
        yield deploy_command(settings, name, files[name], folder)
    own_pack = sorted(settings.excluded_types)
    shared = [region for region in settings.regions if region not in settings.excluded_types]
    packs = [(f"{UNITS_PACK}.yaml", shared), *((f"{UNITS_PACK}.{region}.yaml", [region]) for region in own_pack)]
    for name, regions in packs:
        if regions:
            yield deploy_command(settings, name, files[name], folder, regions)


def _instances_command(settings: Settings, name: str, regions: Sequence[str]) -> str:
    targets: dict[str, object] = {"OrganizationalUnitIds": list(settings.organization.organizational_units) or [UNIT]}
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
