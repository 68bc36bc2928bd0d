"""The reduced service models: complete for what functions call, the same as botocore's own, and read by functions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from alb_sg.aws import service_models
from alb_sg.aws.service_models import new_session
from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.deployment.artifact import function_artifact
from alb_sg.deployment.service_models import called_operations, reduce_model, service_model_files
from alb_sg.errors import InvalidInputError
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from embedded_aws.account import ENVIRONMENT, REGION, EmbeddedAws, tcp
from tests.deployment.deployments import RULES

pytestmark = pytest.mark.slow

OPERATIONS = [(service, name) for service, names in called_operations().items() for name in names]
# Of each partition one, and one that no data knows yet.
REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-east-99")


@cache
def packaged() -> dict[str, bytes]:
    return service_model_files()


@cache
def files() -> dict[str, Any]:
    prefix, suffix = "alb_sg/aws_models/", ".json"
    return {name.removeprefix(prefix).removesuffix(suffix): json.loads(content) for name, content in packaged().items()}


@cache
def whole_session() -> botocore.session.Session:
    return botocore.session.Session()


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the artifact: the reduced models are there."""
    monkeypatch.setattr(service_models, "_read_packaged_json", lambda name: files().get(name))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def both(service: str, region: str = REGION) -> tuple[BaseClient, BaseClient]:
    """A client of the reduced model, and one of botocore's own."""
    return tuple(  # type: ignore[return-value]  # mypy does not see that there are two
        made.create_client(service, region_name=region) for made in (new_session(), whole_session())
    )


def described(shape: Any, inside: tuple[str, ...] = ()) -> Any:
    """All that a parser or serialiser reads of a shape, nested ones included; a shape within itself by name."""
    if shape is None or shape.name in inside:
        return shape and shape.name
    inside = (*inside, shape.name)
    nested = {name: described(member, inside) for name, member in getattr(shape, "members", {}).items()}
    parts = [described(getattr(shape, part), inside) for part in ("member", "key", "value") if hasattr(shape, part)]
    return shape.name, shape.type_name, shape.serialization, shape.metadata, list(nested.items()), parts


def test_every_action_that_a_rule_declares_has_its_operation() -> None:
    prefixes = {"elasticloadbalancing": "elbv2"}
    for recommendation in RECOMMENDATIONS:
        for action in evaluation_actions(recommendation):
            prefix, _, operation = action.partition(":")
            assert operation in files()[f"{prefixes.get(prefix, prefix)}/service-2"]["operations"]


def test_no_uncalled_operations() -> None:
    assert {
        (name.split("/")[0], operation)
        for name, content in files().items()
        if name.endswith("service-2")
        for operation in content["operations"]
    } == set(OPERATIONS)
    assert set(files()["ec2/paginators-1"]["pagination"]) <= set(called_operations()["ec2"])
    assert "documentation" not in files()["ec2/service-2"]["operations"]["DescribeVpcs"]


def test_an_operation_that_botocore_does_not_know_is_named() -> None:
    model: dict[str, Any] = {"operations": {}, "shapes": {}}
    with pytest.raises(InvalidInputError, match="model of ec2 has no DescribeNothing; install a newer boto3"):
        reduce_model(model, "ec2", ["DescribeNothing"])


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_the_same_shapes(service: str, operation: str) -> None:
    one, other = (client.meta.service_model.operation_model(operation) for client in both(service))
    for part in ("input_shape", "output_shape"):
        assert described(getattr(one, part)) == described(getattr(other, part))
    assert [described(shape) for shape in one.error_shapes] == [described(shape) for shape in other.error_shapes]
    assert reduced_operations(service)[operation]["http"] == whole_operations(service)[operation]["http"]
    for part in ("endpoint", "auth_type", "static_context_parameters", "context_parameters", "http_checksum"):
        assert getattr(one, part) == getattr(other, part)


@cache
def reduced_operations(service: str) -> dict[str, Any]:
    """Read apart from `files`: a client of Amazon S3 takes the bucket out of the paths of its model."""
    operations: dict[str, Any] = json.loads(packaged()[f"alb_sg/aws_models/{service}/service-2.json"])["operations"]
    return operations


@cache
def whole_operations(service: str) -> dict[str, Any]:
    """botocore's own, read by a loader that no client shares."""
    operations: dict[str, Any] = Loader().load_service_model(service, "service-2")["operations"]
    return operations


class Sent(Exception):
    """In place of sending a request."""


def sent(client: BaseClient, operation: str, parameters: Mapping[str, Any]) -> tuple[str, str, bytes, dict[str, str]]:
    """The request that a client would send, without what differs from one moment to the next."""
    requests = []

    def keep(request: Any, **_: Any) -> None:
        requests.append(request)
        raise Sent

    client.meta.events.register("before-send", keep)
    with pytest.raises(Sent):
        client._make_api_call(operation, parameters)  # type: ignore[attr-defined]  # noqa: SLF001 (any operation by its name)
    [request] = requests
    moment = {"x-amz-date", "authorization", "amz-sdk-invocation-id", "user-agent", "x-amz-content-sha256"}
    headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in moment}
    return request.method, request.url, request.body, headers


def example(shape: Any, inside: tuple[str, ...] = ()) -> Any:
    """A value of a shape with every member that it can have."""
    if shape.type_name == "structure":
        members = {name: member for name, member in shape.members.items() if member.name not in inside}
        return {name: example(member, (*inside, shape.name)) for name, member in members.items()}
    if shape.type_name == "list":
        return [example(shape.member, inside), example(shape.member, inside)]
    if shape.type_name == "map":
        return {example(shape.key, inside): example(shape.value, inside)}
    of_type = {"boolean": True, "blob": b"x", "timestamp": "2026-01-01T00:00:00Z"}
    of_type |= dict.fromkeys(("integer", "long"), max(7, shape.metadata.get("min", 7)))
    enumerated = shape.metadata.get("enum")
    return enumerated[0] if enumerated else of_type.get(shape.type_name, "some-example-text-of-forty-letters")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_the_same_requests(service: str, operation: str) -> None:
    one, other = both(service)
    parameters = example(other.meta.service_model.operation_model(operation).input_shape)
    assert sent(one, operation, parameters) == sent(other, operation, parameters)


@pytest.mark.usefixtures("shipped")
def test_the_same_answers() -> None:
    """What moto answers of an estate, to every call that reads it."""
    with EmbeddedAws() as aws:
        vpc = aws.vpc(second_cidr="10.1.0.0/16", ipv6=True)
        listed = aws.prefix_list("edge", "203.0.113.0/24")
        group = aws.security_group(vpc, "lb", ingress=[tcp(443, "0.0.0.0/0", listed)])
        subnets = aws.subnets(vpc)
        web = aws.load_balancer("web", subnets, [group], tags={"clients": "vpc"})
        targets = aws.target_group("web", vpc, 8080, [(aws.instance(subnets[0], group), None)])
        aws.listener(web, 443, targets, protocol="HTTPS")
        parameters: dict[str, dict[str, Any]] = {
            "DescribeListeners": {"LoadBalancerArn": web},
            "DescribeTags": {"ResourceArns": [web]},
            "DescribeTargetHealth": {"TargetGroupArn": targets},
            "GetManagedPrefixListEntries": {"PrefixListId": listed},
        }
        for service in ("elbv2", "ec2"):
            # Of a new session: only that has moto's handlers.
            own = botocore.session.Session()
            one, other = (made.create_client(service, region_name=REGION) for made in (new_session(), own))
            for operation in called_operations()[service]:
                given = parameters.get(operation, {})
                first, second = (client._make_api_call(operation, given) for client in (one, other))  # type: ignore[attr-defined]  # noqa: SLF001 (as above)
                assert any(first.values())
                assert without_metadata(first) == without_metadata(second)


def without_metadata(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.usefixtures("shipped")
def test_the_same_errors() -> None:
    body = b"<ErrorResponse><Error><Code>LoadBalancerNotFound</Code><Message>gone</Message></Error></ErrorResponse>"

    class Raw(io.BytesIO):
        def stream(self, **_: object) -> Iterator[bytes]:
            yield self.read()

    said = []
    for client in both("elbv2"):
        answer = AWSResponse("https://elb", 400, HTTPHeaders(), Raw(body))
        client.meta.events.register("before-send", lambda answer=answer, **_: answer)
        with pytest.raises(ClientError) as raised:
            client._make_api_call("DescribeListeners", {})  # type: ignore[attr-defined]  # noqa: SLF001 (as above)
        said.append((type(raised.value).__name__, raised.value.response["Error"]))
    assert said == [("LoadBalancerNotFoundException", {"Code": "LoadBalancerNotFound", "Message": "gone"})] * 2


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("service", called_operations())
def test_the_same_endpoints(service: str, region: str) -> None:
    one, other = both(service, region)
    assert one.meta.endpoint_url == other.meta.endpoint_url
    assert one.meta.partition == other.meta.partition
    [operation, *_] = called_operations()[service]
    parameters = example(other.meta.service_model.operation_model(operation).input_shape)
    assert sent(one, operation, parameters)[1] == sent(other, operation, parameters)[1]


@pytest.mark.usefixtures("shipped")
def test_other_services_use_botocores_models() -> None:
    assert "ListRoles" in new_session().create_client("iam", region_name=REGION).meta.service_model.operation_names
    assert "describe_vpcs" in dir(new_session().create_client("ec2", region_name=REGION))
    assert not hasattr(new_session().create_client("ec2", region_name=REGION), "run_instances")
    older = new_session().create_client("ec2", region_name=REGION, api_version="2016-09-15")
    assert older.meta.service_model.api_version == "2016-09-15"
    assert hasattr(older, "run_instances")


def test_a_checkout_has_none() -> None:
    assert hasattr(new_session().create_client("ec2", region_name=REGION), "run_instances")


ASKED = """
import json, sys
from alb_sg.config_rule import AlbSgRule
from alb_sg.aws.service_models import new_session
early = "boto3" in sys.modules
operations = new_session().create_client("ec2", region_name="us-east-1").meta.service_model.operation_names
import boto3, rdklib.clientfactory
same = rdklib.clientfactory.boto3.client is boto3.client
print(json.dumps([sys.modules["alb_sg"].__file__, early, operations, same]))
"""


@pytest.mark.parametrize("unpacked", [True, False], ids=["unpacked", "zip"])
def test_functions_read_them_and_import_boto3_only_where_it_is_used(tmp_path: Path, *, unpacked: bool) -> None:
    """Compiled modules are taken as they are: the source beside them is not even looked at."""
    content = function_artifact(RULES).content
    place = tmp_path / "task"
    if unpacked:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(place)
        (place / "alb_sg" / "errors.py").write_text("raise SystemExit('compiled again')", encoding="utf-8")
    else:
        place.write_bytes(content)
    done = subprocess.run(  # noqa: S603 (our own)
        [sys.executable, "-B", "-c", ASKED],
        env={**ENVIRONMENT, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    file, early, operations, same = json.loads(done.stdout)
    assert file == str(place / "alb_sg" / "__init__.py")
    assert not early
    assert tuple(operations) == called_operations()["ec2"]
    assert same
