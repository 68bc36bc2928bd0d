"""Estates from an aggregator: judged like any other estate, with an error for everything that the aggregator lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from alb_sg.aggregator.estates import AggregatorEstates, read_aggregator
from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.clients import make_client
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.config_item import ITEM_TYPES
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.resource_types import (
    INSTANCE_TYPE,
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    NETWORK_INTERFACE_TYPE,
    SECTION_BY_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from embedded_aws.config_recorder import ALL_TYPES, record_estate
from embedded_aws.config_stand_in import ConfigStandIn
from tests.builders import ACCOUNT, REGION, Saved, build, estate, group, load_balancer, load_balancer_arn, tcp
from tests.live.test_live import estate_of_every_kind, shop

OTHER, CENTRAL, NAME = "444455556666", "999999999999", "organization"
HERE, THERE = AccountRegion(ACCOUNT, REGION), AccountRegion(OTHER, "eu-west-1")


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConfigStandIn]:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", CENTRAL)
    with mock_aws(), ConfigStandIn() as config:
        yield config


def source(account_region: AccountRegion, status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    """The status of an account and region in the aggregator."""
    return {
        "SourceId": account_region.account_id,
        "SourceType": "ACCOUNT",
        "AwsRegion": account_region.region,
        "LastUpdateStatus": status,
        "LastUpdateTime": datetime(2026, 1, 1, 12, tzinfo=UTC),
        **more,
    }


def read() -> AggregatorEstates:
    return read_aggregator(make_client("config", REGION), NAME)


def elsewhere(saved: Saved) -> Saved:
    """The same resources in the other account and region."""
    text: Mapping[str, Any] = saved
    return _replaced(text)  # type: ignore[no-any-return]  # an object stays one


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        for mine, theirs in ((ACCOUNT, OTHER), (REGION, "eu-west-1"), ("i-1", "i-other"), ("vpc-1", "vpc-other")):
            value = value.replace(mine, theirs)
        return value
    if isinstance(value, list):
        return [_replaced(one) for one in value]
    if isinstance(value, Mapping):
        return {_replaced(key): _replaced(one) for key, one in value.items()}
    return value


def judged(found: AggregatorEstates) -> tuple[list[Finding], list[EvaluationError]]:
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    for one in link_estates(found.estates):
        some, failed = judge_all(
            one,
            [found for _, found in sorted(one.load_balancers.items())],
            {rule: Parameters() for rule in DEFAULT_RECOMMENDATIONS},
        )
        findings += some
        errors += failed
    return findings, errors


def test_every_account_and_region_is_judged_as_by_its_own_items(config: ConfigStandIn) -> None:
    here, there = estate_of_every_kind(), elsewhere(shop(tcp(80, "sg-other")))
    record_estate(config, here)
    record_estate(config, there)
    config.add_aggregator(NAME, [source(HERE), source(THERE)])
    found = read()
    assert [(one.account_id, one.region) for one in found.estates] == [(ACCOUNT, REGION), (OTHER, "eu-west-1")]
    assert found.errors == ()
    assert found.possibly_unrecorded == []
    findings, errors = judged(found)
    # A prefix list with hidden entries has no item.
    assert {(error.load_balancer_arn, error.what) for error in errors} == {
        (load_balancer_arn("api"), "prefix list pl-3")
    }
    assert Counter(finding.account_id for finding in findings) == {ACCOUNT: 18, OTHER: 5}
    whole = build(here)
    own, _ = judge_all(whole, whole.load_balancers.values(), {rule: Parameters() for rule in DEFAULT_RECOMMENDATIONS})
    expected = {(one.load_balancer_arn, one.rule): one.compliance for one in own}
    assert all(
        expected[one.load_balancer_arn, one.rule] is one.compliance for one in findings if one.account_id == ACCOUNT
    )


def test_no_call_is_made_but_to_the_aggregator(config: ConfigStandIn) -> None:
    record_estate(config, estate(*(load_balancer(f"lb-{number}") for number in range(150)), group()))
    config.add_aggregator(NAME, [source(HERE)])
    found = read()
    assert len(found.estates[0].load_balancers) == 150
    assert {call.operation for call in config.calls} == {
        "SelectAggregateResourceConfig",
        "DescribeConfigurationAggregatorSourcesStatus",
    }
    assert {call.params["ConfigurationAggregatorName"] for call in config.calls} == {NAME}
    # A second page of a hundred for the load balancers; one query for each of the other types and for recorders.
    assert len(config.calls) == 2 + len(ITEM_TYPES) + 1


def test_more_sources_than_a_page_holds(config: ConfigStandIn) -> None:
    config.add_aggregator(NAME, [source(AccountRegion(f"{number:012d}", REGION)) for number in range(250)])
    found = read()
    assert len(found.estates) == len(found.possibly_unrecorded) == 250


def test_throttled_calls_are_made_again(config: ConfigStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket.acquire", lambda *_, **__: True)
    record_estate(config, shop())
    config.add_aggregator(NAME, [source(HERE)])
    config.fail("SelectAggregateResourceConfig", "ThrottlingException", times=1, message="Rate exceeded")
    found = read()
    assert found.errors == ()
    assert len(judged(found)[0]) == 5


@pytest.mark.parametrize(
    ("unrecorded", "rules_in_error"),
    [
        (LISTENER_TYPE, {"ALB_SG_LISTENER_INGRESS"}),
        (TARGET_GROUP_TYPE, {"ALB_SG_HEALTH_CHECK_EGRESS", "ALB_SG_INSTANCE_EGRESS", "ALB_SG_TARGET_INGRESS"}),
        (VPC_TYPE, {"ALB_SG_ICMP_PMTUD", "ALB_SG_LISTENER_INGRESS"}),
        (INSTANCE_TYPE, {"ALB_SG_HEALTH_CHECK_EGRESS", "ALB_SG_INSTANCE_EGRESS", "ALB_SG_TARGET_INGRESS"}),
        (NETWORK_INTERFACE_TYPE, set()),
    ],
)
def test_a_type_without_items_is_named_where_a_verdict_needs_it(
    config: ConfigStandIn, unrecorded: str, rules_in_error: set[str]
) -> None:
    saved = shop(tcp(80, "sg-app"))
    record_estate(config, saved, ALL_TYPES - {unrecorded})
    record_estate(config, elsewhere(saved))
    config.add_aggregator(NAME, [source(HERE), source(THERE)])
    findings, errors = judged(read())
    assert {(error.account_id, error.rule) for error in errors} == {(ACCOUNT, rule) for rule in rules_in_error}
    assert {error.cause for error in errors} <= {f"aggregator {NAME} has no item of {unrecorded} of {HERE}"}
    assert len([finding for finding in findings if finding.account_id == OTHER]) == 5


def recorder(
    config: ConfigStandIn,
    account_region: AccountRegion,
    recording_group: Any,
    *,
    recording: bool = True,
    name: str = "default",
    fields: dict[str, str] | None = None,
) -> None:
    """The item of an account's recorder: AWS Config records its own recorders."""
    config.add_item(
        {
            "accountId": account_region.account_id,
            "awsRegion": account_region.region,
            "resourceType": "AWS::Config::ConfigurationRecorder",
            "resourceId": name,
            "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
            "configuration": {
                "Name": name,
                "Recording": recording,
                "RecordingGroup": recording_group,
                **(fields or {}),
            },
        }
    )


def test_a_recorder_tells_which_types_it_leaves_out(config: ConfigStandIn) -> None:
    record_estate(config, shop())
    left_out = [SECURITY_GROUP_TYPE, LOAD_BALANCER_TYPE]
    recorder(
        config,
        HERE,
        {
            "RecordingStrategy": {"UseOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
            "ExclusionByResourceTypes": {"ResourceTypes": left_out},
        },
    )
    config.add_aggregator(NAME, [source(HERE)])
    found = read()
    (unseen,) = found.errors
    assert (unseen.account_id, unseen.region) == HERE
    assert unseen.cause == f"{LOAD_BALANCER_TYPE} is not recorded in {HERE}"
    _, errors = judged(found)
    assert {error.cause for error in errors} == {f"{SECURITY_GROUP_TYPE} is not recorded in {HERE}"}


def test_items_from_before_a_recorder_was_stopped_are_not_judged(config: ConfigStandIn) -> None:
    record_estate(config, shop())
    recorder(config, HERE, {"AllSupported": True}, recording=False)
    config.add_aggregator(NAME, [source(HERE)])
    found = read()
    assert [one.cause for one in found.errors] == [f"the recorder of {HERE} is stopped"]
    findings, errors = judged(found)
    assert findings == []
    assert {error.cause for error in errors} == {f"the recorder of {HERE} is stopped"}


@pytest.mark.parametrize(
    "fields", [{"ServicePrincipal": "observabilityadmin.amazonaws.com"}, {"RecordingScope": "INTERNAL"}]
)
def test_a_running_service_linked_recorder_does_not_hide_a_stopped_one(
    config: ConfigStandIn, fields: dict[str, str]
) -> None:
    record_estate(config, shop())
    recorder(config, HERE, {"AllSupported": True}, recording=False)
    recorder(config, HERE, {"AllSupported": True}, name="service-linked", fields=fields)
    config.add_aggregator(NAME, [source(HERE)])
    assert [one.cause for one in read().errors] == [f"the recorder of {HERE} is stopped"]


def test_the_group_of_a_stopped_recorder_does_not_count(config: ConfigStandIn) -> None:
    """The stopped recorder covers load balancers, the running one does not: their items are old."""
    record_estate(config, shop())
    recorder(config, HERE, {"AllSupported": True}, recording=False)
    recorder(config, HERE, {"ResourceTypes": [SECURITY_GROUP_TYPE]}, name="second")
    config.add_aggregator(NAME, [source(HERE)])
    assert [one.cause for one in read().errors] == [f"{LOAD_BALANCER_TYPE} is not recorded in {HERE}"]


def test_an_account_that_has_no_load_balancer_is_silent_unless_its_recorder_speaks(config: ConfigStandIn) -> None:
    config.add_aggregator(NAME, [source(HERE), source(THERE)])
    recorder(config, THERE, {"AllSupported": True, "ResourceTypes": []})
    found = read()
    assert found.possibly_unrecorded == [HERE]
    assert found.errors == ()


def test_load_balancers_that_other_items_name_are_missed_by_name(config: ConfigStandIn) -> None:
    saved = shop()
    arn = saved["LoadBalancers"][0]["LoadBalancerArn"]
    record_estate(config, saved, ALL_TYPES - {LOAD_BALANCER_TYPE})
    config.add_aggregator(NAME, [source(HERE)])
    (unseen,) = read().errors
    assert unseen.load_balancer_arn == arn


def test_an_account_that_refuses_is_an_error_and_the_others_are_judged(config: ConfigStandIn) -> None:
    record_estate(config, shop())
    record_estate(config, elsewhere(shop()))
    refused = {"LastErrorCode": "AccessDenied", "LastErrorMessage": "not authorized"}
    config.add_aggregator(NAME, [source(HERE, "FAILED", **refused), source(THERE)])
    found = read()
    (unseen,) = found.errors
    assert (unseen.account_id, unseen.region) == HERE
    assert unseen.cause == (
        f"aggregator {NAME}: FAILED, last updated 2026-01-01 12:00 UTC: AccessDenied: not authorized"
    )
    assert {finding.account_id for finding in judged(found)[0]} == {OTHER}
    assert found.possibly_unrecorded == []


def test_outdated_data_is_judged_and_reported(config: ConfigStandIn) -> None:
    record_estate(config, shop())
    config.add_aggregator(NAME, [source(HERE, "OUTDATED")])
    found = read()
    assert [((one.account_id, one.region), one.cause) for one in found.errors] == [
        (HERE, f"aggregator {NAME}: OUTDATED, last updated 2026-01-01 12:00 UTC")
    ]
    assert len(judged(found)[0]) == 5


def test_an_organization_that_does_not_answer_is_an_error(config: ConfigStandIn) -> None:
    failed = {"SourceId": "o-example", "SourceType": "ORGANIZATION", "LastUpdateStatus": "FAILED"}
    config.add_aggregator(NAME, [{**failed, "LastErrorCode": "OrganizationAccessDenied"}])
    found = read()
    assert [(one.account_id, one.what) for one in found.errors] == [("", "load balancers of o-example")]
    assert found.errors[0].cause == f"aggregator {NAME}: FAILED, never updated: OrganizationAccessDenied"


def test_an_aggregator_without_a_source_is_an_error(config: ConfigStandIn) -> None:
    config.add_aggregator(NAME, [])
    found = read()
    assert found.estates == ()
    assert [one.cause for one in found.errors] == [f"aggregator {NAME} names no account and region"]


def test_sources_that_cannot_be_listed_are_an_error_and_the_rest_is_judged(config: ConfigStandIn) -> None:
    record_estate(config, shop())
    config.add_aggregator(NAME, [source(HERE)])
    config.fail("DescribeConfigurationAggregatorSourcesStatus", "AccessDeniedException")
    found = read()
    (unseen,) = found.errors
    assert (unseen.account_id, unseen.region) == ("", "")
    assert "AccessDeniedException" in unseen.cause
    assert len(judged(found)[0]) == 5


def test_an_unknown_aggregator_is_refused(config: ConfigStandIn) -> None:
    config.add_aggregator("other", [])
    with pytest.raises(InvalidInputError, match=f"no aggregator '{NAME}' in {REGION}"):
        read()


def test_an_aggregator_that_may_not_be_queried_is_unread(config: ConfigStandIn) -> None:
    config.add_aggregator(NAME, [source(HERE)])
    config.fail("SelectAggregateResourceConfig", "AccessDeniedException", times=len(ITEM_TYPES) + 1)
    with pytest.raises(NotReadError, match="SelectAggregateResourceConfig: AccessDeniedException"):
        read()


@pytest.mark.parametrize("type_name", ITEM_TYPES)
def test_an_item_of_an_unknown_resource_leaves_its_type_unread_there(config: ConfigStandIn, type_name: str) -> None:
    saved = shop(tcp(80, "sg-app"))
    record_estate(config, saved)
    record_estate(config, elsewhere(saved))
    config.add_aggregator(NAME, [source(HERE), source(THERE)])
    config.add_item(
        {
            "accountId": ACCOUNT,
            "awsRegion": REGION,
            "resourceType": type_name,
            "resourceId": "broken",
            "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
            # The ID of another resource: nobody knows whose item it is.
            "configuration": dict.fromkeys(
                ("groupId", "vpcId", "subnetId", "networkInterfaceId", "instanceId", "prefixListId"), "another"
            ),
        }
    )
    found = read()
    (here, there) = found.estates
    failure = next(one for one in here.failures if one.section == SECTION_BY_TYPE[type_name])
    assert failure.cause.startswith("SelectAggregateResourceConfig: broken")
    assert SECTION_BY_TYPE[type_name] not in {one.section for one in there.failures} - {
        "ManagedPrefixLists",
        "NetworkInterfaces",
    }
    findings, _ = judged(found)
    assert len([finding for finding in findings if finding.account_id == OTHER]) == 5
    assert bool(found.errors) is (type_name == LOAD_BALANCER_TYPE)


@pytest.mark.parametrize("failing", ITEM_TYPES)
def test_a_query_that_fails_halfway_leaves_its_type_unread_everywhere(
    config: ConfigStandIn, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_estate(config, shop(tcp(80, "sg-app")))
    config.add_aggregator(NAME, [source(HERE)])
    answer = config._select_aggregate_resource_config  # noqa: SLF001 (no error that AWS knows is for one query alone)

    def fail_one(call: Any) -> Any:
        body = answer(call)
        if call.params["Expression"].endswith(f"'{failing}'"):
            return {**body, "NextToken": "lost"}
        return body

    monkeypatch.setitem(config._operations, "SelectAggregateResourceConfig", fail_one)  # noqa: SLF001 (as above)
    found = read()
    (here,) = found.estates
    causes = {one.section: one.cause for one in here.failures}
    assert "InvalidNextTokenException" in causes[SECTION_BY_TYPE[failing]]
    assert bool(found.errors) is (failing == LOAD_BALANCER_TYPE)
