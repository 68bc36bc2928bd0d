"""The templates that depend on `rdk-config.json`, and the hand-written ones of `deploy/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.conformance_pack import (
    conformance_pack_template,
    organization_pack_template,
    stack_set_pack_template,
)
from alb_sg.deployment.deploy_commands import UNITS_PACK
from alb_sg.deployment.documents import documents_template
from alb_sg.deployment.intrinsics import MADE_BY, Template, template_text
from alb_sg.deployment.landing_zone_template import apply_landing_zone
from alb_sg.deployment.member import member_template
from alb_sg.deployment.settings import RemediationMode, Settings
from alb_sg.deployment.stack import central_template, stack_template
from alb_sg.estate.planned.template_documents import parse_template
from alb_sg.remediation.document_names import document_name
from alb_sg.ssm_documents.yaml_text import to_yaml

HAND_WRITTEN_FOLDER = "deploy"


def render_templates(settings: Settings, artifact: Artifact) -> dict[str, str]:
    """The templates' texts by file name. A region with a `regionalScope` has its own files, such as
    `conformance-pack.me-central-1.yaml`."""

    def text_of(template: Template) -> str:
        return template_text(apply_landing_zone(settings, template))

    files = {
        "central.yaml": text_of(central_template(settings, artifact.key)),
        "documents.yaml": text_of(documents_template(settings, artifact)),
        "member.yaml": text_of(member_template(settings)),
    }
    units = settings.organization.organizational_units
    for region in (None, *sorted(settings.excluded_types)):
        suffix = f".{region}.yaml" if region else ".yaml"
        pack = text_of(conformance_pack_template(settings, region))
        files[f"conformance-pack{suffix}"] = pack
        if units:
            files[f"{UNITS_PACK}{suffix}"] = text_of(stack_set_pack_template(settings, pack))
        else:
            files[f"organization-conformance-pack{suffix}"] = text_of(organization_pack_template(settings, pack))
        files[f"stack{suffix}"] = text_of(stack_template(settings, artifact.key, region))
    return dict(sorted(files.items()))


def render_hand_written_templates(settings: Settings, checkout: Path) -> dict[str, str]:
    """The texts of the templates in the checkout's `deploy/`, with the landing-zone options and log retention."""
    return {
        path.name: MADE_BY.replace("rules/*/parameters.json", f"{HAND_WRITTEN_FOLDER}/{path.name}")
        + to_yaml(apply_landing_zone(settings, parse_template(path.read_bytes()).value))
        for path in sorted((checkout / HAND_WRITTEN_FOLDER).glob("*.yaml"))
    }


def stale_templates(folder: Path, written: Iterable[str]) -> list[Path]:
    """The templates of earlier settings in a folder, such as the pack of a region that has no `regionalScope` any more:
    Terraform's module and people would deploy them. `written` are the names of the current ones."""
    start = MADE_BY.partition(" and ")[0].encode()
    current = set(written)
    found = (path for path in sorted(folder.glob("*.yaml")) if path.name not in current and path.is_file())
    return [path for path in found if path.read_bytes().startswith(start)]


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
