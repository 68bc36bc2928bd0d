"""The SBOM of a release, in CycloneDX's JSON: its files with their checksums, and the distributions in them.

The zip and the layer contain rdklib, and service models made from botocore; the wheel asks for the distributions that
`pyproject.toml` names. Their versions are those of the environment that builds. The same files give the same bytes.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

import alb_sg
from alb_sg.deployment.artifact import PACKAGES

# The name of a requirement, before extras, versions and markers.
REQUIREMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EXTRA_MARKER = "extra =="
# The distribution that the service models come from.
SERVICE_MODELS = "botocore"


def sbom(files: Mapping[str, str], built_at: datetime) -> str:
    """The SBOM's text for the release's zip, layer and wheel: their sha256 by file name."""
    own = Component(
        name="alb-sg",
        version=alb_sg.__version__,
        type=ComponentType.APPLICATION,
        bom_ref="alb-sg",
        purl=PackageURL("pypi", None, "alb-sg", alb_sg.__version__),
        licenses=[LicenseExpression("Apache-2.0")],
    )
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(f"{name} {files[name]}" for name in sorted(files)))
    bom = Bom(serial_number=serial, metadata=BomMetaData(component=own, timestamp=built_at.astimezone(UTC)))
    libraries = {name: _library(distribution(name)) for name in _distribution_names("alb-sg")}
    for library in libraries.values():
        bom.components.add(library)
    for name, library in libraries.items():
        required = _required_names(distribution(name))
        bom.register_dependency(library, [libraries[other] for other in required if other in libraries])
    parts = []
    for name, sha256 in sorted(files.items()):
        file = Component(
            name=name,
            type=ComponentType.FILE,
            bom_ref=name,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        )
        bom.components.add(file)
        inside = _required_names(distribution("alb-sg")) if name.endswith(".whl") else _bundled_names()
        bom.register_dependency(file, [libraries[other] for other in inside])
        parts.append(file)
    bom.register_dependency(own, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _bundled_names() -> list[str]:
    """The distributions whose modules or data are in the zip and the layer."""
    return [SERVICE_MODELS, *(name for name in PACKAGES if name != alb_sg.__name__)]


def _distribution_names(root: str) -> list[str]:
    """What a distribution requires, at any depth, without extras."""
    found: set[str] = set()
    waiting = _required_names(distribution(root))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _required_names(distribution(name))
    return sorted(found)


def _required_names(found: Distribution) -> list[str]:
    return sorted({_canonical(text) for text in found.requires or () if EXTRA_MARKER not in text})


def _canonical(requirement: str) -> str:
    match = REQUIREMENT_NAME.match(requirement)
    if match is None:
        raise ValueError(f"{requirement!r} is not a requirement")
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _library(found: Distribution) -> Component:
    name = _canonical(found.name)
    return Component(
        name=name,
        version=found.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={found.version}",
        purl=PackageURL("pypi", None, name, found.version),
        licenses=_licenses(found),
    )


def _licenses(found: Distribution) -> Iterable[LicenseExpression | DisjunctiveLicense]:
    """As the distribution states it: an SPDX expression, or a name."""
    metadata = found.metadata
    if "License-Expression" in metadata:
        return [LicenseExpression(metadata["License-Expression"])]
    return [DisjunctiveLicense(name=metadata["License"].splitlines()[0])] if "License" in metadata else []
