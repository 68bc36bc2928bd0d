"""The transforms of a template. CloudFormation runs them before it deploys; those that only it can run are refused."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.resource_types import NESTED_STACK

# It adds functions, which this package resolves itself.
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
SERVERLESS = "AWS::Serverless-2016-10-31"
PROCESSED_HINT = "give the processed template (`aws cloudformation get-template --template-stage Processed`)"
SAM_INSTALL_HINT = (
    f"the transform {SERVERLESS} needs aws-sam-translator, which is not installed; install `alb-sg[sam]`, or "
    f"{PROCESSED_HINT}"
)
SERVERLESS_APPLICATION = "AWS::Serverless::Application"
# Where serverless resources name code and definitions. The translator wants them in S3; no verdict depends on them.
CODE_PROPERTIES = ("CodeUri", "ContentUri", "DefinitionUri", "ImageUri")
PLACEHOLDER_URI = "s3://bucket/key"
# The translator wants a region; it writes it into resources of its own alone.
PLACEHOLDER_REGION = "us-east-1"


def uses_language_extensions(document: Mapping[str, Any]) -> bool:
    """Raises InvalidInputError."""
    return LANGUAGE_EXTENSIONS in _transform_names(document.get("Transform"))


def expand_transforms(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template after its transforms. Raises InvalidInputError for one that is not known."""
    if "Fn::Transform" in document:
        raise InvalidInputError(
            f"Fn::Transform adds to the template, which only CloudFormation can do; {PROCESSED_HINT}"
        )
    names = _transform_names(document.get("Transform"))
    for name in names:
        if name not in (LANGUAGE_EXTENSIONS, SERVERLESS):
            raise InvalidInputError(
                f"the transform {name} is a macro, which only CloudFormation can run; {PROCESSED_HINT}"
            )
    return _expand_serverless(document) if SERVERLESS in names else document


def _transform_names(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [] if value is None else [value]
    names = [one.get("Name") if isinstance(one, dict) else one for one in found]
    for name in names:
        if not isinstance(name, str):
            raise InvalidInputError("Transform must be the name of a transform, or a list of names")
    return [str(name) for name in names]


def _expand_serverless(document: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415 (an extra)
        from samtranslator.parser.parser import Parser  # noqa: PLC0415 (slow, and not always needed)
        from samtranslator.sdk.resource import SamResourceType  # noqa: PLC0415 (slow, and not always needed)
        from samtranslator.translator.translator import Translator  # noqa: PLC0415 (slow, and not always needed)
    except ImportError as error:
        raise InvalidInputError(SAM_INSTALL_HINT) from error
    from boto3.session import Session  # noqa: PLC0415 (slow to import)

    # It logs metrics, missing feature flags and tracebacks of errors that it also raises.
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    template = copy.deepcopy(dict(document))
    template["Resources"] = {name: _without_application(one) for name, one in template["Resources"].items()}
    serverless = {one.value for one in SamResourceType}
    for resource in template["Resources"].values():
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if isinstance(properties, dict) and resource.get("Type") in serverless:
            properties.update(
                {name: PLACEHOLDER_URI for name in CODE_PROPERTIES if isinstance(properties.get(name), str)}
            )
    # Without policies of AWS, the translator keeps their names, which no verdict depends on.
    translator = Translator({}, Parser(), boto_session=Session(region_name=PLACEHOLDER_REGION))
    try:
        expanded: Mapping[str, Any] = translator.translate(template, {})
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise InvalidInputError(
            f"the transform {SERVERLESS} refuses the template: {causes or error.message}"
        ) from error
    return expanded


def _without_application(resource: Any) -> Any:
    """A resource; a serverless application is the nested stack that the transform makes of it.

    The translator would call AWS to create the template of an application in the Serverless Application Repository.
    """
    if not isinstance(resource, dict) or resource.get("Type") != SERVERLESS_APPLICATION:
        return resource
    properties = resource.get("Properties") or {}
    if not isinstance(properties, dict):
        return resource
    location = properties.get("Location")
    nested: dict[str, Any] = {"Parameters": properties.get("Parameters") or {}}
    # Any other location is an application of the repository, whose template is in S3.
    if isinstance(location, str):
        nested["TemplateURL"] = location
    return {**resource, "Type": NESTED_STACK, "Properties": nested}
