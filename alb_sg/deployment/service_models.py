"""Service models that hold only the operations that functions call, made from the installed botocore.

botocore's model of EC2 describes some 800 operations, and the rules call six. Reading it takes more time and memory
than the rest of an invocation, so `alb_sg.aws.service_models` reads these models instead. They omit unused operations,
unused shapes and documentation. Requests and responses stay the same bytes. The same botocore gives the same models.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from botocore.loaders import Loader

from alb_sg.aws.service_models import ENDPOINTS, MODEL, MODELS_FOLDER, PACKAGE
from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.aws_document import READ_ACTIONS
from alb_sg.functions.hook import HOOK_ACTIONS
from alb_sg.parameters import Source
from alb_sg.recommendations.catalogue import RECOMMENDATIONS

# botocore's names of services whose actions in IAM have another prefix.
SERVICE_BY_IAM_PREFIX = {"elasticloadbalancing": "elbv2"}
# To assume the evaluation role, and to learn the account. Rules do not declare these.
STS_ACTIONS = ("sts:AssumeRole", "sts:GetCallerIdentity")
# Calls that botocore's S3 client makes on its own: after a redirection, and for directory buckets.
S3_ACTIONS = ("s3:CreateSession", "s3:HeadBucket")

PAGINATORS = "paginators-1"
ENDPOINT_RULES = "endpoint-rule-set-1"
# Parts of a model that no client reads.
OMITTED_KEYS = frozenset({"documentation", "documentationUrl", "examples", "authorizers"})


def called_operations() -> dict[str, tuple[str, ...]]:
    """The operations that functions call, by botocore's name of the service."""
    of_rules = {
        action for recommendation in RECOMMENDATIONS for action in evaluation_actions(recommendation, Source.CONFIG)
    }
    found: dict[str, set[str]] = {}
    for action in {*of_rules, *HOOK_ACTIONS, *READ_ACTIONS.values(), *STS_ACTIONS, *S3_ACTIONS}:
        prefix, _, operation = action.partition(":")
        found.setdefault(SERVICE_BY_IAM_PREFIX.get(prefix, prefix), set()).add(operation)
    return {service: tuple(sorted(operations)) for service, operations in sorted(found.items())}


def service_model_files() -> dict[str, bytes]:
    """The files of the artifact that hold the reduced models, by path."""
    # Ignore models in ~/.aws/models and AWS_DATA_PATH.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    files: dict[str, Any] = {}
    prefixes = set()
    for service, operations in called_operations().items():
        model = loader.load_service_model(service, MODEL)
        paginators = loader.load_service_model(service, PAGINATORS)
        prefixes.add(model["metadata"]["endpointPrefix"])
        files[f"{service}/{MODEL}"] = reduce_model(model, service, operations)
        files[f"{service}/{PAGINATORS}"] = {
            **paginators,
            "pagination": {name: content for name, content in paginators["pagination"].items() if name in operations},
        }
        files[f"{service}/{ENDPOINT_RULES}"] = loader.load_service_model(service, ENDPOINT_RULES)
    files[ENDPOINTS] = _reduce_endpoints(loader.load_data(ENDPOINTS), prefixes)
    return {f"{PACKAGE}/{MODELS_FOLDER}/{name}.json": _json_bytes(content) for name, content in files.items()}


def reduce_model(model: Mapping[str, Any], service: str, operations: Collection[str]) -> dict[str, Any]:
    """A service's model with only these operations and the shapes that they use.

    Raises InvalidInputError if the installed botocore lacks one of the operations.
    """
    unknown = sorted(set(operations) - model["operations"].keys())
    if unknown:
        raise InvalidInputError(
            f"the installed botocore's model of {service} has no {unknown[0]}; install a newer boto3"
        )
    kept = {name: _without_documentation(model["operations"][name]) for name in sorted(operations)}
    shapes: dict[str, Any] = {}
    waiting = list(_referenced_shapes(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _without_documentation(model["shapes"][name])
            waiting.extend(_referenced_shapes(shapes[name]))
    rest = {name: content for name, content in model.items() if name not in OMITTED_KEYS}
    return {**rest, "operations": kept, "shapes": dict(sorted(shapes.items()))}


def _referenced_shapes(value: Any) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for member in value.values():
            yield from _referenced_shapes(member)
    elif isinstance(value, list):
        for member in value:
            yield from _referenced_shapes(member)


def _without_documentation(value: Any) -> Any:
    if isinstance(value, dict):
        # A structure's member may have such a name. Its value is an object then.
        return {
            name: _without_documentation(member)
            for name, member in value.items()
            if not (name in OMITTED_KEYS and isinstance(member, str))
        }
    if isinstance(value, list):
        return [_without_documentation(member) for member in value]
    return value


def _reduce_endpoints(endpoints: Mapping[str, Any], prefixes: Collection[str]) -> dict[str, Any]:
    """Every partition and region, with the endpoints of these services only."""
    partitions = [
        {
            **partition,
            "services": {name: content for name, content in partition["services"].items() if name in prefixes},
        }
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _json_bytes(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
