"""Clients of S3 and Systems Manager that are served from this process, without HTTP: objects in a dictionary."""

from __future__ import annotations

import hashlib
import io
from types import SimpleNamespace
from typing import Any

from alb_sg.aws.clients import make_client
from tests.builders import REGION

Shape = dict[str, Any]
Answer = tuple[Any, Shape]


class ServedObjects:
    """`objects` are by bucket and key, `parameters` by name, `calls` the operations with what they were given."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.parameters: dict[str, str] = {}
        self.calls: list[tuple[str, Shape]] = []

    def client(self, service: str) -> Any:
        client = make_client(service, REGION)
        client.meta.events.register("before-parameter-build.*", self._remember)
        client.meta.events.register("before-call.*", self._answer)
        return client

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for owner, key in self.objects if owner == bucket)

    def _remember(self, params: Shape, context: Shape, **_: Any) -> None:
        context["given"] = dict(params)

    def _answer(self, model: Any, context: Shape, **_: Any) -> Answer:
        given: Shape = context["given"]
        self.calls.append((model.name, given))
        match model.name:
            case "PutObject":
                self.objects[given["Bucket"], given["Key"]] = given["Body"]
                return _found({})
            case "GetObject":
                content = self.objects.get((given["Bucket"], given["Key"]))
                if content is None:
                    return _refused("NoSuchKey")
                return _found({"Body": io.BytesIO(content), "ContentLength": len(content)})
            case "ListObjectsV2":
                keys = [key for key in self.keys(given["Bucket"]) if key.startswith(given["Prefix"])]
                stored = [{"Key": key, **_listed(self.objects[given["Bucket"], key])} for key in keys]
                return _found({"Contents": stored, "KeyCount": len(keys)})
            case "GetParameter":
                if given["Name"] not in self.parameters:
                    return _refused("ParameterNotFound")
                return _found({"Parameter": {"Value": self.parameters[given["Name"]]}})
        raise AssertionError(f"{model.name} is not served")


def _listed(content: bytes) -> Shape:
    return {"Size": len(content), "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}


def _found(answer: Shape) -> Answer:
    return SimpleNamespace(status_code=200), {**answer, "ResponseMetadata": {}}


def _refused(code: str) -> Answer:
    error = {"Code": code, "Message": "as the test wants it"}
    return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
