"""The templates that depend on `rdk-config.json`. The hand-written ones are in `deploy/`."""

from __future__ import annotations

from collections.abc import Iterator

from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.central import central_template
from alb_sg.deployment.conformance_pack import conformance_pack_template, organization_pack_template
from alb_sg.deployment.documents import documents_template
from alb_sg.deployment.intrinsics import template_text
from alb_sg.deployment.member import member_template
from alb_sg.deployment.settings import RemediationMode, Settings
from alb_sg.deployment.stack import stack_template
from alb_sg.remediation.document_names import document_name


def render_templates(settings: Settings, artifact: Artifact) -> dict[str, str]:
    """The templates' texts by file name. A region with a `regionalScope` has its own files, such as
    `conformance-pack.me-central-1.yaml`."""
    files = {
        "central.yaml": template_text(central_template(settings, artifact.key)),
        "documents.yaml": template_text(documents_template(settings, artifact)),
        "member.yaml": template_text(member_template(settings)),
    }
    for region in (None, *sorted(settings.excluded_types)):
        suffix = f".{region}.yaml" if region else ".yaml"
        pack = template_text(conformance_pack_template(settings, region))
        files[f"conformance-pack{suffix}"] = pack
        files[f"organization-conformance-pack{suffix}"] = template_text(organization_pack_template(settings, pack))
        files[f"stack{suffix}"] = template_text(stack_template(settings, artifact.key, region))
    return dict(sorted(files.items()))


def regional_remarks(settings: Settings) -> Iterator[str]:
    """The regions where fewer types trigger the rules."""
    for region, types in sorted(settings.excluded_types.items()):
        yield f"{region}: changes of {', '.join(sorted(types))} trigger no rule; the periodic run covers them"


def deployment_remarks(settings: Settings) -> Iterator[str]:
    """What the person who deploys the files needs to know."""
    for remark in regional_remarks(settings):
        yield f"{remark} (in the files whose names contain the region)"
    organization = settings.organization
    if organization.delegated_administrator is None:
        yield "rdk-config.json has no organization: pass CentralAccountId to member.yaml and the conformance pack"
    if organization.organization_id is None and not organization.member_accounts:
        yield "rdk-config.json has neither organizationId nor memberAccounts: pass OrganizationId to central.yaml"
    for rule in settings.rules:
        if rule.has_remediation:
            by_whom = "AWS Config" if rule.remediation.mode is RemediationMode.AUTOMATIC else "a person"
            yield (
                f"{rule.name}: {by_whom} runs {document_name(rule.name)} as {settings.names.remediation_role}; "
                "deploy member.yaml and documents.yaml to every account first"
            )
