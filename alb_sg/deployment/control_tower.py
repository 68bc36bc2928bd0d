"""`manifest.yaml` for Customizations for AWS Control Tower: the templates of `make pack` in the deployment's order.

It deploys one resource after the other, and names organizational units by their names, which `rdk-config.json` does not
know: the manifest says Root.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from alb_sg.deployment.deploy_commands import UNITS_PACK
from alb_sg.deployment.intrinsics import Template
from alb_sg.deployment.settings import Settings
from alb_sg.ssm_documents.yaml_text import to_yaml

FOLDER = "control-tower"
# The version of the manifest's format.
VERSION = date(2021, 3, 15)
EVERYWHERE = {"organizational_units": ["Root"]}


def control_tower_files(settings: Settings) -> dict[str, str]:
    """The manifest by its path, or nothing without an organization."""
    central = settings.organization.delegated_administrator
    if central is None:
        return {}
    manifest = {"region": settings.home_region, "version": VERSION, "resources": list(_resources(settings, central))}
    return {f"{FOLDER}/manifest.yaml": to_yaml(manifest)}


def _resources(settings: Settings, central: str) -> Iterator[Template]:
    administrator = {"accounts": [central]}
    # Roles are global: one region.
    yield _resource(settings, "member.yaml", EVERYWHERE, [settings.home_region])
    # The home region first: its stack creates the functions' roles.
    yield _resource(settings, "central.yaml", administrator, list(settings.regions))
    if settings.has_remediation:
        yield _resource(settings, "documents.yaml", EVERYWHERE, list(settings.regions))
    in_units = bool(settings.organization.organizational_units)
    pack, targets = (UNITS_PACK, EVERYWHERE) if in_units else ("organization-conformance-pack", administrator)
    shared = [region for region in settings.regions if region not in settings.excluded_types]
    if shared:
        yield _resource(settings, f"{pack}.yaml", targets, shared)
    for region in sorted(settings.excluded_types):
        yield _resource(settings, f"{pack}.{region}.yaml", targets, [region])


def _resource(settings: Settings, file: str, targets: object, regions: list[str]) -> Template:
    name = file.removesuffix(".yaml").replace(".", "-")
    return {
        "name": f"{settings.stack_name}-{name}",
        "resource_file": f"templates/{file}",
        "deploy_method": "stack_set",
        "deployment_targets": targets,
        "regions": regions,
    }
