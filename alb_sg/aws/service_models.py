"""Sessions that read the small service models in the Lambda artifact.

botocore's models describe every operation of a service; reading EC2's alone takes longer than the rest of an
invocation. `alb_sg.deployment.service_models` therefore puts models with only the operations that the rules call into
the artifact. Other services come from botocore itself, as all do in a checkout, which has no such models.
"""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.loaders import Loader

# Inside the package `alb_sg`: SERVICE/TYPE.json, named as in botocore's own data, and endpoints.json.
PACKAGE = "alb_sg"
MODELS_FOLDER = "aws_models"
MODEL = "service-2"
ENDPOINTS = "endpoints"


class PackagedModelLoader(Loader):
    """botocore's loader, which looks into the artifact first."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """A service's `service-2`, `paginators-1`, `endpoint-rule-set-1` and so on. Raises the same as botocore's."""
        packaged = _read_packaged_json(f"{service_name}/{MODEL}")
        # A client loads its paginators with the version of its own model.
        if packaged is not None and api_version in (None, packaged["metadata"]["apiVersion"]):
            content = _read_packaged_json(f"{service_name}/{type_name}")
            if content is not None:
                return content
        return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Other data and its path. The artifact's endpoints are botocore's own, for fewer services. They keep
        botocore's path, because botocore ignores its endpoint rules for endpoints from any other."""
        endpoints = _read_packaged_json(name) if name == ENDPOINTS else None
        if endpoints is None:
            content_and_path: tuple[Any, str] = super().load_data_with_path(name)
            return content_and_path
        return endpoints, str(Path(self.BUILTIN_DATA_PATH) / name)


def new_session() -> botocore.session.Session:
    """A new session. All sessions of a process share one loader, so that it reads each model once."""
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    return session


@cache
def _loader() -> PackagedModelLoader:
    return PackagedModelLoader()


@cache
def _read_packaged_json(name: str) -> Any:
    """A JSON file in the artifact; None if there is none."""
    try:
        content = pkgutil.get_data(PACKAGE, f"{MODELS_FOLDER}/{name}.json")
    except OSError:
        # No such file: FileNotFoundError in a folder, plain OSError in a zip.
        return None
    return None if content is None else json.loads(content)
