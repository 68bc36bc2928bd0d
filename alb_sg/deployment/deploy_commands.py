"""The commands that deploy templates: as StackSets to organizational units, and through a bucket if they are large.

CloudFormation accepts 51,200 bytes of a template in a request, and 1 MB from S3. `central.yaml` grows with the member
accounts, `documents.yaml` and the others with the regions. `deploy-stack` uploads a large `stack.yaml` itself.

Service-managed StackSets skip suspended accounts, and deploy to accounts that join a unit later. A delegated
administrator of StackSets adds `--call-as DELEGATED_ADMIN` to each command.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from alb_sg.aws.arns import partition_of_region
from alb_sg.deployment.conformance_pack import MAX_TEMPLATE_BYTES
from alb_sg.deployment.intrinsics import tag_list
from alb_sg.deployment.member import CENTRAL_PARAMETER
from alb_sg.deployment.settings import Settings

# The file of the StackSet that deploys the pack to organizational units.
UNITS_PACK = "stack-set-conformance-pack"
NAMED_ROLES = "--capabilities CAPABILITY_NAMED_IAM"
MEMBER, DOCUMENTS = "member.yaml", "documents.yaml"
# Placeholders for the account of the functions and for the units, where the settings do not name them.
ACCOUNT, UNIT = "ACCOUNT", "UNIT"


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
        yield _deploy_command(settings, name, files[name], folder)
    own_pack = sorted(settings.excluded_types)
    shared = [region for region in settings.regions if region not in settings.excluded_types]
    packs = [(f"{UNITS_PACK}.yaml", shared), *((f"{UNITS_PACK}.{region}.yaml", [region]) for region in own_pack)]
    for name, regions in packs:
        if regions:
            yield _deploy_command(settings, name, files[name], folder, regions)


def size_remarks(settings: Settings, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A sentence with the exact command for each template in `folder` that CloudFormation refuses in a request."""
    for name, text in files.items():
        if not _is_large(text):
            continue
        size = f"{len(text.encode()):,} bytes"
        limit = f"{name} has {size}, but CloudFormation accepts {MAX_TEMPLATE_BYTES:,} in a request"
        if name == MEMBER or (name == DOCUMENTS and settings.has_remediation):
            # With organizational units, `stack_set_remarks` has the commands.
            if not settings.organization.organizational_units:
                command = _deploy_command(settings, name, text, folder)
                yield f"{limit}; upload it first{_placeholder_remark(command)}: {command}"
        elif name == "central.yaml" or name.startswith("organization-conformance-pack"):
            others = ", here for the first region, then likewise in every other one"
            likewise = others if len(settings.regions) > 1 else ""
            yield f"{limit}; deploy it through the bucket{likewise}: {_stack_command(settings, name, folder)}"


def unneeded_remarks(settings: Settings, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """What the documents are for, where no rule has remediation."""
    if DOCUMENTS in files and not settings.has_remediation:
        command = _deploy_command(settings, DOCUMENTS, files[DOCUMENTS], folder)
        yield (
            f"{DOCUMENTS}: not needed, because no rule has remediation. Deploy it before you turn remediation on, here "
            f"or with the pack's parameters{_placeholder_remark(command)}: {command}"
        )


def _is_large(text: str) -> bool:
    """Whether CloudFormation refuses the template in a request."""
    return len(text.encode()) > MAX_TEMPLATE_BYTES


def _deploy_command(
    settings: Settings, name: str, text: str, folder: Path, regions: Sequence[str] | None = None
) -> str:
    """The command that creates the StackSet of a template file in `folder`, and its stacks in the organizational units
    and in these regions; None: in all that it is for. A large template goes through the artifact's bucket of the home
    region first."""
    organization, home, file = settings.organization, settings.home_region, folder / name
    # CloudFormation allows letters, digits and hyphens.
    stack_set = f"{settings.stack_name}-{name.removesuffix('.yaml').replace('.', '-')}"
    upload, template = "", f"--template-body file://{file}"
    if _is_large(text):
        bucket, key = _artifact_bucket(settings, home), f"alb-sg/{name}"
        upload = f"aws s3 cp --region {home} {file} s3://{bucket}/{key} && "
        template = f"--template-url https://{bucket}.s3.{home}.{partition_of_region(home).dns_suffix}/{key}"
    tags = tag_list(settings.landing_zone.tags)
    unnamed = organization.delegated_administrator is None and CENTRAL_PARAMETER in text
    options = [
        *([NAMED_ROLES] if name == MEMBER else []),
        *([f"--tags {shlex.quote(json.dumps(tags))}"] if tags else []),
        *([f"--parameters ParameterKey={CENTRAL_PARAMETER},ParameterValue={ACCOUNT}"] if unnamed else []),
    ]
    targets: dict[str, object] = {"OrganizationalUnitIds": list(organization.organizational_units) or [UNIT]}
    if organization.excluded_accounts:
        targets |= {"Accounts": list(organization.excluded_accounts), "AccountFilterType": "DIFFERENCE"}
    if regions is None:
        # Roles are global.
        regions = [home] if name == MEMBER else settings.regions
    return (
        f"{upload}aws cloudformation create-stack-set --region {home} --stack-set-name {stack_set} "
        "--permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false "
        f"{' '.join([*options, template])} && "
        f"aws cloudformation create-stack-instances --region {home} --stack-set-name {stack_set} "
        f"--regions {' '.join(regions)} --deployment-targets {shlex.quote(json.dumps(targets))}"
    )


def _stack_command(settings: Settings, name: str, folder: Path) -> str:
    """The deployment of a stack to its region, the home region unless the file is another region's."""
    region = name.removesuffix(".yaml").partition(".")[2] or settings.home_region
    is_central = name == "central.yaml"
    tags = [shlex.quote(f"{key}={value}") for key, value in settings.landing_zone.tags.items()]
    options = [
        f"--stack-name {settings.stack_name}-{'central' if is_central else 'pack'} --template-file {folder / name}",
        *([NAMED_ROLES] if is_central else []),
        f"--s3-bucket {_artifact_bucket(settings, region)} --s3-prefix alb-sg",
        *(["--tags", *tags] if tags else []),
    ]
    return f"aws cloudformation deploy --region {region} {' '.join(options)}"


def _artifact_bucket(settings: Settings, region: str) -> str:
    """The bucket of the functions' account, whose id is a placeholder where the settings do not name it."""
    return settings.artifact_bucket_name(settings.organization.delegated_administrator or ACCOUNT, region)


def _placeholder_remark(command: str) -> str:
    """What to replace in a command; empty for nothing."""
    meanings = {ACCOUNT: "the account of the functions", UNIT: "an organizational unit or the root"}
    found = [f"{name} by {meaning}" for name, meaning in meanings.items() if name in command]
    return f" (replace {', '.join(found)})" if found else ""
