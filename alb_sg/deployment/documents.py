"""The remediation documents, and `documents.yaml`, which creates them in an account and region."""

from __future__ import annotations

from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.config_rules import document_limits
from alb_sg.deployment.intrinsics import Template, make_template, sub, tag_list
from alb_sg.deployment.lambda_resources import OWNER_TAG, region_assertion
from alb_sg.deployment.member import CENTRAL_PARAMETER, central_parameter
from alb_sg.deployment.settings import Settings
from alb_sg.remediation.document_names import DOCUMENT_PREFIX, DOCUMENTS, document_name
from alb_sg.ssm_documents.documents import ATTACHMENT, build_document, document_text, with_checksum

LOAD_BALANCER_TARGET = "/AWS::ElasticLoadBalancingV2::LoadBalancer"


def shipped_documents(artifact: Artifact, settings: Settings | None = None) -> dict[str, str]:
    """The documents' texts by name, each with the sha256 of the artifact that it runs, and the settings' limits."""
    return {name: document_text(content) for name, content in _documents_with_checksum(artifact, settings).items()}


def documents_template(settings: Settings, artifact: Artifact) -> Template:
    """Every document. Its attachment comes from the artifact's bucket in the same region.

    A new artifact makes a new version of each document, which becomes the default version.
    """
    bucket = settings.artifact_bucket_name(f"${{{CENTRAL_PARAMETER}}}", "${AWS::Region}")
    location = f"s3://{bucket}/{artifact.key}"
    attachment = {"Key": "S3FileUrl", "Name": ATTACHMENT, "Values": [sub(location) if "$" in location else location]}
    resources: Template = {
        f"{name.removeprefix(DOCUMENT_PREFIX)}Document": {
            "Type": "AWS::SSM::Document",
            "Properties": {
                "Name": name,
                "DocumentType": "Automation",
                "DocumentFormat": "YAML",
                "TargetType": LOAD_BALANCER_TARGET,
                "UpdateMethod": "NewVersion",
                "Attachments": [attachment],
                # An object, which CloudFormation passes on as JSON. JSON is YAML too, and Automation accepts a script
                # only in a YAML document.
                "Content": content,
                "Tags": tag_list({OWNER_TAG: settings.stack_name}),
            },
        }
        for name, content in _documents_with_checksum(artifact, settings).items()
    }
    return make_template(
        "alb-sg: the remediation documents, for every evaluated account and region",
        resources,
        parameters={CENTRAL_PARAMETER: central_parameter(settings)} if CENTRAL_PARAMETER in location else None,
        rules=region_assertion(settings),
    )


def _documents_with_checksum(artifact: Artifact, settings: Settings | None) -> dict[str, Template]:
    rules = () if settings is None else settings.rules
    limits = {document_name(rule.name): document_limits(settings, rule) for rule in rules if settings is not None}
    return {name: with_checksum(build_document(name, limits.get(name)), artifact.sha256) for name in DOCUMENTS}
