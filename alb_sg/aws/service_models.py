"""Sessions whose clients are made from the service models that travel with the artefact.

botocore's models describe every operation of a service; the one of EC2 alone takes longer to read than everything else
that a function does. The artefact therefore brings models with the operations that the rules call and no others (made
by `alb_sg.deployment.service_models`). Whatever is not among them comes from botocore itself, and so does everything
where nothing was built: in a checkout and on a laptop.
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
    """botocore's loader, which looks into the artefact first."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """A service's `service-2`, `paginators-1`, `endpoint-rule-set-1` and so on. Raises what botocore's does."""
        shipped = _read_packaged_json(f"{service_name}/{MODEL}")
        # A client asks for its paginators with the version of its own model.
        if shipped is not None and api_version in (None, shipped["metadata"]["apiVersion"]):
            found = _read_packaged_json(f"{service_name}/{type_name}")
            if found is not None:
                return found
        return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Other data, and where it came from. The endpoints in the artefact are botocore's own, of fewer services:
        from another place botocore would take them for a customer's and leave its endpoint rules aside."""
        endpoints = _read_packaged_json(name) if name == ENDPOINTS else None
        if endpoints is None:
            found: tuple[Any, str] = super().load_data_with_path(name)
            return found
        return endpoints, str(Path(self.BUILTIN_DATA_PATH) / name)


def new_session() -> botocore.session.Session:
    """A new session. All of them share what was read of the models, which outlasts an invocation."""
    made = botocore.session.Session()
    made.register_component("data_loader", _loader())
    return made


@cache
def _loader() -> PackagedModelLoader:
    return PackagedModelLoader()


@cache
def _read_packaged_json(name: str) -> Any:
    """The file of that name in the artefact, read as JSON; None where there is none."""
    try:
        content = pkgutil.get_data(PACKAGE, f"{MODELS_FOLDER}/{name}.json")
    except OSError:
        # Not there: FileNotFoundError in a folder, plain OSError in a zip.
        return None
    return None if content is None else json.loads(content)
