"""Templates that are too large for a request: how to deploy them through the artifact's bucket.

CloudFormation accepts 51,200 bytes of a template in a request, and 1 MB from S3. `central.yaml` grows with the member
accounts, `documents.yaml` and the others with the regions. `deploy-stack` uploads a large `stack.yaml` itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from alb_sg.deployment.conformance_pack import MAX_TEMPLATE_BYTES
from alb_sg.deployment.settings import Settings
from alb_sg.deployment.stack_sets import (
    DOCUMENTS,
    MEMBER,
    NAMED_ROLES,
    artifact_bucket,
    deploy_command,
    is_large,
    placeholder_remark,
)


def size_remarks(settings: Settings, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A sentence with the exact command for each template in `folder` that CloudFormation refuses in a request."""
    for name, text in files.items():
        if not is_large(text):
            continue
        limit = (
            f"{name} has {len(text.encode()):,} bytes, but CloudFormation accepts {MAX_TEMPLATE_BYTES:,} in a request"
        )
        if name in (DOCUMENTS, MEMBER):
            # With organizational units, `stack_set_remarks` has the commands of all that is needed.
            if not (settings.organization.organizational_units or _is_unneeded(settings, name)):
                command = deploy_command(settings, name, text, folder)
                yield f"{limit}; upload it first{placeholder_remark(command)}: {command}"
        elif name == "central.yaml" or name.startswith("organization-conformance-pack"):
            yield f"{limit}; deploy it through the bucket{_regions(settings)}: {_stack_command(settings, name, folder)}"


def unneeded_remarks(settings: Settings, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """What the documents are for, where no rule has remediation."""
    if DOCUMENTS in files and _is_unneeded(settings, DOCUMENTS):
        command = deploy_command(settings, DOCUMENTS, files[DOCUMENTS], folder)
        yield (
            f"{DOCUMENTS}: not needed, because no rule has remediation. Deploy it before you turn remediation on, here "
            f"or with the pack's parameters{placeholder_remark(command)}: {command}"
        )


def _is_unneeded(settings: Settings, name: str) -> bool:
    return name == DOCUMENTS and not settings.has_remediation


def _stack_command(settings: Settings, name: str, folder: Path) -> str:
    """The deployment of a stack to its region, the home region unless the file is another region's."""
    own_region = name.removesuffix(".yaml").partition(".")[2]
    region = own_region or settings.home_region
    central = name == "central.yaml"
    stack = f"{settings.stack_name}-{'central' if central else 'pack'}"
    return (
        f"aws cloudformation deploy --region {region} --stack-name {stack} --template-file {folder / name}"
        f"{NAMED_ROLES if central else ''} --s3-bucket {artifact_bucket(settings, region)} --s3-prefix alb-sg"
        f"{_tags(settings)}"
    )


def _regions(settings: Settings) -> str:
    return "" if len(settings.regions) == 1 else ", here for the first region, then likewise in every other one"


def _tags(settings: Settings) -> str:
    """The tags of the stack itself, in the form that `aws cloudformation deploy` takes."""
    tags = [shlex.quote(f"{key}={value}") for key, value in settings.landing_zone.tags.items()]
    return " ".join([" --tags", *tags]) if tags else ""
