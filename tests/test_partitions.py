"""Every partition of AWS: its regions, ARNs, endpoints and templates. botocore's `partitions.json` is the reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import pytest

from alb_sg.aws.arns import (
    COMMERCIAL,
    OTHERS,
    find_load_balancer_arns,
    is_load_balancer_arn,
    listener_load_balancer_arn,
    partition_of,
    partition_of_region,
)
from alb_sg.aws.clients import make_client
from alb_sg.aws.service_models import new_session
from alb_sg.deployment.template_files import HAND_WRITTEN_FOLDER, render_templates
from tests.deployment.deployments import ARTIFACT, ROOT, SHIPPED, VARIANTS, settings_of
from tests.estate.planned.templates import only_value

PARTITIONS: list[dict[str, Any]] = json.loads(
    (Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8")
)["partitions"]
REGIONS = {
    region: partition["id"]
    for partition in PARTITIONS
    for region in partition["regions"]
    if not region.endswith("-global")
}
# One region of each partition.
SAMPLE_REGIONS = {partition: region for region, partition in sorted(REGIONS.items(), reverse=True)}


def test_the_partitions_are_those_of_botocore() -> None:
    assert {(one["id"], one["outputs"]["dnsSuffix"]) for one in PARTITIONS} == {
        (one.name, one.dns_suffix) for one in (COMMERCIAL, *OTHERS)
    }
    assert len(REGIONS) > 40
    assert {region: partition_of_region(region).name for region in REGIONS} == REGIONS


def test_settings_take_every_region(tmp_path: Path) -> None:
    assert settings_of({**SHIPPED, "regions": sorted(REGIONS)}, tmp_path).regions == tuple(sorted(REGIONS))


@pytest.mark.parametrize("region", SAMPLE_REGIONS.values(), ids=SAMPLE_REGIONS)
def test_pseudo_parameters_of_a_template_have_the_partitions_names(region: str, tmp_path: Path) -> None:
    expected = partition_of_region(region)
    expression = {"Fn::Sub": "${AWS::Partition} ${AWS::URLSuffix}"}
    assert only_value(tmp_path, expression, {"AWS::Region": region}) == f"{expected.name} {expected.dns_suffix}"


@pytest.mark.parametrize("partition", SAMPLE_REGIONS)
def test_arns_of_every_partition_are_read(partition: str) -> None:
    start = f"arn:{partition}:elasticloadbalancing:{SAMPLE_REGIONS[partition]}:111122223333:"
    load_balancer = f"{start}loadbalancer/app/web/0123456789abcdef"
    assert is_load_balancer_arn(load_balancer)
    assert find_load_balancer_arns(f'"{load_balancer}"') == [load_balancer]
    assert listener_load_balancer_arn(f"{start}listener/app/web/0123456789abcdef/abcdef0123456789") == load_balancer
    assert partition_of(load_balancer) == partition


@pytest.mark.parametrize("partition", SAMPLE_REGIONS)
@pytest.mark.parametrize("service", ["config", "ec2", "elbv2", "sts"])
def test_calls_go_to_the_partitions_endpoint(partition: str, service: str) -> None:
    region = SAMPLE_REGIONS[partition]
    client = make_client(service, region, session=new_session(), aws_access_key_id="x", aws_secret_access_key="x")
    assert client.meta.partition == partition
    assert region in client.meta.endpoint_url
    assert client.meta.endpoint_url.endswith(f".{partition_of_region(region).dns_suffix}")


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_no_rendered_template_names_a_partition(variant: str, tmp_path: Path) -> None:
    for name, text in render_templates(settings_of(VARIANTS[variant], tmp_path), ARTIFACT).items():
        assert "arn:aws:" not in text, name


def test_no_hand_written_template_or_document_names_a_partition() -> None:
    files = [
        path
        for folder in (HAND_WRITTEN_FOLDER, "remediation")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".yaml", ".json", ".tf"}
    ]
    assert len(files) > 8
    assert [str(path) for path in files if "arn:aws:" in path.read_text(encoding="utf-8")] == []
