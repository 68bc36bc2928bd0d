"""The live source with AWS Config's recordings: the same findings with fewer calls, and live calls for everything that
is not recorded."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from alb_sg.aws.clients import make_client
from alb_sg.estate.estate import ReadFailure
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import Compliance
from alb_sg.live import LoadResult, Selection
from alb_sg.live.recordings import records_type
from embedded_aws.config_recorder import ALL_TYPES, record_estate
from embedded_aws.config_stand_in import ConfigStandIn
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    HEALTH,
    INGRESS,
    REGION,
    TARGETS,
    Saved,
    Shape,
    all_traffic,
    behind,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    network_load_balancer,
    target,
    target_group,
    target_group_arn,
    tcp,
)
from tests.live.region import Call, Refused, Region
from tests.live.test_live import EVERYTHING, RULES, WEB, estate_of_every_kind, findings, named, sections

# Every test makes three clients.
pytestmark = pytest.mark.slow

TYPES = (LOAD_BALANCER_TYPE, LISTENER_TYPE, TARGET_GROUP_TYPE, SECURITY_GROUP_TYPE, VPC_TYPE)
SECTION = {
    LOAD_BALANCER_TYPE: "LoadBalancers",
    LISTENER_TYPE: "Listeners",
    TARGET_GROUP_TYPE: "TargetGroups",
    SECURITY_GROUP_TYPE: "SecurityGroups",
    VPC_TYPE: "Vpcs",
}
# The calls that replace the recording of a type.
LIVE = {
    LOAD_BALANCER_TYPE: "DescribeLoadBalancers",
    LISTENER_TYPE: "DescribeListeners",
    TARGET_GROUP_TYPE: "DescribeTargetGroups",
    SECURITY_GROUP_TYPE: "DescribeSecurityGroups",
    VPC_TYPE: "DescribeVpcs",
}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConfigStandIn]:
    # The stand-in asks moto for the account of the credentials.
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with mock_aws(), ConfigStandIn() as config:
        yield config


def load(
    saved: Saved, config: ConfigStandIn, *rules: str, selection: Selection = EVERYTHING, **arguments: Any
) -> tuple[LoadResult, Region]:
    """The load result with AWS Config's recordings, and the region with its calls."""
    region = Region(saved)
    source = region.source(config=make_client("config", REGION))
    return source.load(selection, sections(*(rules or RULES), tags="tag_key" in arguments), **arguments), region


def operations(config: ConfigStandIn) -> Counter[str]:
    return Counter(call.operation for call in config.calls)


def shop(*egress: Shape, targets: tuple[Any, ...] = ("i-1",), **fields: Any) -> Saved:
    return estate(
        load_balancer(scheme="internal"),
        listener(443, forward=["web"]),
        group(ingress=[tcp(443, "10.0.0.0/16")], egress=egress),
        target_group("web", type="instance", targets=list(targets), **fields),
        instance("i-1", "10.0.1.5"),
        instance("i-2", "10.0.1.6", groups=["sg-other"]),
    )


OPEN = all_traffic(ANYWHERE)
TO_APP = tcp(80, "sg-app")


def test_findings_are_those_of_live_state(config: ConfigStandIn) -> None:
    saved = estate_of_every_kind()
    record_estate(config, saved)
    live = Region(saved).source().load(EVERYTHING, sections(*RULES))
    loaded, region = load(saved, config)
    assert findings(loaded) == findings(live)
    assert loaded.estate.has_all_security_groups
    assert operations(config) == {
        "DescribeConfigurationRecorders": 1,
        "DescribeConfigurationRecorderStatus": 1,
        "SelectResourceConfig": 5,
    }
    assert region.counts() == {
        # The load balancers of "web" and "ips" may send to some addresses only; "to-web" leads to a load balancer.
        "DescribeTargetHealth": 3,
        "DescribeInstances": 1,
        "DescribeNetworkInterfaces": 1,
        "DescribeManagedPrefixLists": 1,
        "GetManagedPrefixListEntries": 2,
    }


def test_no_other_service_is_called_where_no_verdict_depends_on_it(config: ConfigStandIn) -> None:
    saved = shop(OPEN)
    record_estate(config, saved)
    loaded, region = load(saved, config)
    found, errors = findings(loaded)
    assert {finding.compliance for finding in found if finding.rule in (EGRESS, HEALTH)} == {Compliance.COMPLIANT}
    assert errors == []
    assert region.calls == []


def test_a_query_selects_needed_fields_at_a_hundred_a_page(config: ConfigStandIn) -> None:
    saved = estate(*(load_balancer(f"lb-{number}") for number in range(101)), group(ingress=[tcp(443, ANYWHERE)]))
    record_estate(config, saved)
    loaded, _ = load(saved, config, INGRESS)
    assert len(loaded.selected) == 101
    queries = [call.params for call in config.calls if call.operation == "SelectResourceConfig"]
    assert {query["Limit"] for query in queries} == {100}
    of_load_balancers = [query for query in queries if query["Expression"].endswith(f"'{LOAD_BALANCER_TYPE}'")]
    assert len(of_load_balancers) == 2


@pytest.mark.parametrize("unrecorded", TYPES)
def test_a_type_that_is_not_recorded_is_read_live(config: ConfigStandIn, unrecorded: str) -> None:
    saved = estate_of_every_kind()
    record_estate(config, saved, ALL_TYPES - {unrecorded})
    live = Region(saved).source().load(EVERYTHING, sections(*RULES))
    loaded, region = load(saved, config)
    assert findings(loaded) == findings(live)
    assert set(LIVE.values()) & region.counts().keys() == {LIVE[unrecorded]}


@pytest.mark.parametrize("unrecorded", TYPES)
def test_items_of_a_type_that_is_no_longer_recorded_are_ignored(config: ConfigStandIn, unrecorded: str) -> None:
    saved = estate_of_every_kind()
    record_estate(config, saved)
    config.set_recorder({"resourceTypes": sorted(ALL_TYPES - {unrecorded})})
    _, region = load(saved, config)
    assert LIVE[unrecorded] in region.counts()


@pytest.mark.parametrize(("status", "recording"), [("Success", False), ("Pending", True), ("Failure", True)])
def test_a_recorder_that_is_not_up_to_date_is_ignored(config: ConfigStandIn, status: str, recording: bool) -> None:
    saved = shop(OPEN)
    record_estate(config, saved)
    config.set_recorder({"allSupported": True}, status, recording=recording)
    _, region = load(saved, config)
    assert set(LIVE.values()) <= region.counts().keys()


def test_a_running_service_linked_recorder_does_not_hide_a_stopped_one(config: ConfigStandIn) -> None:
    """Its items belong to an AWS service: the customer's stopped recorder leaves old items behind."""
    saved = shop(OPEN)
    record_estate(config, saved)
    config.set_recorder({"allSupported": True}, recording=False)
    config.add_service_linked_recorder({"allSupported": True})
    _, region = load(saved, config)
    assert set(LIVE.values()) <= region.counts().keys()


DAILY_GROUPS = {
    "recordingFrequency": "CONTINUOUS",
    "recordingModeOverrides": [{"resourceTypes": [SECURITY_GROUP_TYPE], "recordingFrequency": "DAILY"}],
}
ALL_DAILY_BUT_GROUPS = {
    "recordingFrequency": "DAILY",
    "recordingModeOverrides": [{"resourceTypes": [SECURITY_GROUP_TYPE], "recordingFrequency": "CONTINUOUS"}],
}


@pytest.mark.parametrize(
    ("mode", "live"),
    [
        # A daily item may be from before a fix that the rule has already judged.
        (DAILY_GROUPS, {LIVE[SECURITY_GROUP_TYPE]}),
        ({"recordingFrequency": "DAILY"}, set(LIVE.values())),
        (ALL_DAILY_BUT_GROUPS, set(LIVE.values()) - {LIVE[SECURITY_GROUP_TYPE]}),
        ({"recordingFrequency": "CONTINUOUS"}, set()),
    ],
    ids=["one type daily", "all daily", "all daily but one", "continuous"],
)
def test_types_that_are_recorded_daily_are_read_live(config: ConfigStandIn, mode: Any, live: set[str]) -> None:
    saved = estate_of_every_kind()
    record_estate(config, saved)
    config.set_recorder({"allSupported": True}, recording_mode=mode)
    _, region = load(saved, config)
    assert set(LIVE.values()) & region.counts().keys() == live


def test_an_account_without_a_recorder_is_read_live(config: ConfigStandIn) -> None:
    loaded, region = load(shop(OPEN), config)
    assert [found.name for found in loaded.selected] == ["web"]
    assert region.counts()["DescribeLoadBalancers"] == 1


@pytest.mark.parametrize(
    ("group", "covered"),
    [
        ({"allSupported": True}, True),
        ({"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}, False),
        ({"allSupported": False, "resourceTypes": [LISTENER_TYPE]}, True),
        ({"recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}}, True),
        ({"recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}, "resourceTypes": [LISTENER_TYPE]}, True),
        ({"recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}, "allSupported": True}, False),
        (
            {
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                "exclusionByResourceTypes": {"resourceTypes": [LISTENER_TYPE]},
            },
            False,
        ),
        (
            {
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                "exclusionByResourceTypes": {"resourceTypes": ["AWS::S3::Bucket"]},
            },
            True,
        ),
        ({}, False),
    ],
)
def test_recording_groups(group: dict[str, Any], covered: bool) -> None:
    assert records_type(group, LISTENER_TYPE) is covered


def _without(section: str, **which: str) -> Callable[[Saved], None]:
    """Removes the elements with these values from the recordings."""

    def change(saved: Saved) -> None:
        saved[section] = [one for one in saved[section] if any(one[key] != value for key, value in which.items())]

    return change


def _no_users(saved: Saved) -> None:
    for one in saved["TargetGroups"]:
        one.pop("LoadBalancerArns", None)


def _unreadable(saved: Saved) -> None:
    saved["Listeners"][0]["Port"] = "https"


@pytest.mark.parametrize(
    ("change", "operation"),
    [
        pytest.param(_without("LoadBalancers", LoadBalancerName="web"), "DescribeLoadBalancers", id="named by others"),
        pytest.param(_without("TargetGroups", TargetGroupName="web"), "DescribeTargetGroups", id="named by a listener"),
        pytest.param(_no_users, "DescribeTargetGroups", id="used by nobody knows whom"),
        pytest.param(_without("SecurityGroups", GroupId="sg-1"), "DescribeSecurityGroups", id="a group not yet there"),
        pytest.param(_without("Vpcs", VpcId="vpc-1"), "DescribeVpcs", id="a VPC of another account"),
        pytest.param(_unreadable, "DescribeListeners", id="an item that cannot be read"),
    ],
)
def test_partly_recorded_data_is_completed_live(
    config: ConfigStandIn, change: Callable[[Saved], None], operation: str
) -> None:
    saved = estate_of_every_kind()
    recorded = copy.deepcopy(saved)
    change(recorded)
    record_estate(config, recorded)
    live = Region(saved).source().load(EVERYTHING, sections(*RULES))
    loaded, region = load(saved, config)
    assert findings(loaded) == findings(live)
    assert operation in region.counts()


def test_a_named_load_balancer_that_is_not_yet_recorded_is_read_live(config: ConfigStandIn) -> None:
    saved = estate_of_every_kind()
    recorded = copy.deepcopy(saved)
    for section in ("LoadBalancers", "Listeners"):
        recorded[section] = [one for one in recorded[section] if "/api/" not in one["LoadBalancerArn"]]
    for one in recorded["TargetGroups"]:
        one["LoadBalancerArns"] = [arn for arn in one["LoadBalancerArns"] if "/api/" not in arn]
    record_estate(config, recorded)
    loaded, region = load(saved, config, selection=named("api"))
    assert [found.name for found in loaded.selected] == ["api"]
    assert loaded.not_found == ()
    assert "DescribeLoadBalancers" in region.counts()
    assert load(saved, config, selection=named("nobody"))[0].not_found == ("nobody",)


def test_tags_are_those_of_the_items(config: ConfigStandIn) -> None:
    saved = estate_of_every_kind()
    record_estate(config, saved)
    loaded, region = load(saved, config, INGRESS, tag_key="clients")
    assert loaded.estate.tags is not None
    assert loaded.estate.tags[WEB] == {"clients": "pl-2"}
    assert "DescribeTags" not in region.counts()


@pytest.mark.parametrize(
    ("egress", "asked"),
    [
        (OPEN, False),
        (tcp((1, 65535), ANYWHERE), False),
        (tcp(None, ANYWHERE), False),
        (tcp((80, 8080), ANYWHERE), True),
        (all_traffic("10.0.0.0/8"), True),
        (TO_APP, True),
    ],
)
def test_target_health_is_read_where_an_unreachable_target_may_be_registered(
    config: ConfigStandIn, egress: Shape, asked: bool
) -> None:
    saved = shop(egress)
    record_estate(config, saved)
    _, region = load(saved, config)
    assert ("DescribeTargetHealth" in region.counts()) is asked


def test_a_newly_registered_target_is_judged(config: ConfigStandIn) -> None:
    record_estate(config, shop(TO_APP))
    loaded, _ = load(shop(TO_APP, targets=("i-1", "i-2")), config, EGRESS)
    (found,), _ = findings(loaded, EGRESS)
    assert found.compliance is Compliance.NON_COMPLIANT


def test_a_target_that_is_draining_is_not_judged(config: ConfigStandIn) -> None:
    saved = shop(TO_APP, targets=("i-1", target("i-2", state="draining")))
    record_estate(config, saved)
    loaded, _ = load(saved, config, EGRESS)
    (found,), _ = findings(loaded, EGRESS)
    assert found.compliance is Compliance.COMPLIANT


def both_sides(*parts: Shape, targets: tuple[Any, ...] = ("i-1",), **fields: Any) -> Saved:
    """A load balancer that may send everywhere to instances; sg-app lets it in on every port, sg-closed nobody."""
    return estate(
        load_balancer(),
        group(egress=[OPEN]),
        target_group("web", type=fields.pop("type", "instance"), targets=list(targets), **fields),
        *(
            []
            if any(part.get("GroupId") == "sg-app" for part in parts)
            else [group("sg-app", ingress=[tcp(None, "sg-1")])]
        ),
        instance("i-1", "10.0.1.5"),
        *parts,
    )


CLOSED = instance("i-2", "10.0.1.6", groups=["sg-closed"])


@pytest.mark.parametrize(
    ("saved", "asked"),
    [
        pytest.param(both_sides(), False, id="every instance lets it in, by a reference"),
        pytest.param(
            both_sides(group("sg-app", ingress=[all_traffic("10.0.0.0/16")])), False, id="by the block of its VPC"
        ),
        pytest.param(
            both_sides(group("sg-app", ingress=[tcp((80, 65535), "sg-1")])),
            True,
            id="on some ports: 79 may be registered",
        ),
        pytest.param(
            both_sides(group("sg-app", ingress=[tcp(None, "10.0.1.0/24")])), True, id="from a part of its VPC"
        ),
        pytest.param(both_sides(CLOSED), True, id="an instance that is closed may be registered"),
        pytest.param(
            both_sides(instance("i-2", "10.9.0.6", groups=["sg-closed"], vpc="vpc-2")),
            False,
            id="not one of another VPC",
        ),
        pytest.param(
            both_sides({"InstanceId": "i-3", "State": {"Name": "terminated"}}), False, id="nor one that is terminated"
        ),
        pytest.param(both_sides(targets=("i-1", "i-gone")), True, id="a recorded target that no longer exists"),
        pytest.param(
            both_sides(interface("10.0.1.6"), type="ip", targets=("10.0.1.6",)),
            True,
            id="an address without an interface may be registered",
        ),
    ],
)
def test_target_health_is_read_where_a_closed_target_may_be_registered(
    config: ConfigStandIn, saved: Saved, asked: bool
) -> None:
    """The targets' own groups decide, and recorded registrations may lack the one that is closed."""
    record_estate(config, saved)
    live = Region(saved).source().load(EVERYTHING, sections(TARGETS))
    loaded, region = load(saved, config, TARGETS)
    assert ("DescribeTargetHealth" in region.counts()) is asked
    assert (
        region.counts()[
            "DescribeInstances" if "i-1" in str(saved["TargetHealthDescriptions"]) else "DescribeNetworkInterfaces"
        ]
        == 1
    )
    assert findings(loaded, TARGETS) == findings(live, TARGETS)


def test_a_closed_target_that_no_recording_has_is_judged(config: ConfigStandIn) -> None:
    record_estate(config, both_sides(CLOSED))
    loaded, _ = load(both_sides(CLOSED, targets=("i-1", "i-2")), config, TARGETS)
    (found,), _ = findings(loaded, TARGETS)
    assert found.compliance is Compliance.NON_COMPLIANT


def test_a_closed_target_that_was_deregistered_is_not_judged(config: ConfigStandIn) -> None:
    record_estate(config, both_sides(CLOSED, targets=("i-1", "i-2")))
    loaded, _ = load(both_sides(CLOSED), config, TARGETS)
    (found,), _ = findings(loaded, TARGETS)
    assert found.compliance is Compliance.COMPLIANT


def test_without_every_instance_registrations_are_read(config: ConfigStandIn) -> None:
    saved = both_sides()
    record_estate(config, saved)

    def deny(call: Call) -> Shape | None:
        if call.operation == "DescribeInstances":
            raise Refused("UnauthorizedOperation")
        return None

    region = Region(saved, intervene=deny)
    loaded = region.source(config=make_client("config", REGION)).load(EVERYTHING, sections(TARGETS))
    assert region.counts()["DescribeTargetHealth"] == 1
    _, (error,) = findings(loaded, TARGETS)
    assert "DescribeInstances: UnauthorizedOperation" in error.cause


@pytest.mark.parametrize("recorded", [None, []])
def test_registrations_that_were_not_recorded_are_read_live(config: ConfigStandIn, recorded: list[str] | None) -> None:
    saved = shop(OPEN)
    record_estate(config, shop(OPEN, targets=()))
    if recorded is None:
        config.add_item(
            {
                "accountId": ACCOUNT,
                "awsRegion": REGION,
                "resourceType": TARGET_GROUP_TYPE,
                "resourceId": target_group_arn("web"),
                "configurationItemCaptureTime": "2026-01-02T00:00:00.000Z",
                "configuration": next(one for one in saved["TargetGroups"]),
            }
        )
    loaded, region = load(saved, config, EGRESS)
    (found,), _ = findings(loaded, EGRESS)
    assert found.compliance is Compliance.COMPLIANT
    assert region.counts() == {"DescribeTargetHealth": 1}


def test_matching_targets_by_group_reads_all_registrations(config: ConfigStandIn) -> None:
    saved = shop(OPEN)
    record_estate(config, saved)
    _, region = load(saved, config, EGRESS, look_up_all_targets=True)
    assert region.counts() == {"DescribeTargetHealth": 1, "DescribeInstances": 1}


def test_live_registrations_show_a_network_load_balancer_in_front(config: ConfigStandIn) -> None:
    """Before AWS Config records the registration, the load balancer would seem to have other clients."""
    saved = estate(
        load_balancer(scheme="internal"),
        network_load_balancer(scheme="internet-facing"),
        listener(443),
        group(ingress=[tcp(443, "10.0.0.0/16")]),
        behind(),
    )
    recorded = copy.deepcopy(saved)
    recorded["TargetHealthDescriptions"] = {arn: [] for arn in recorded["TargetHealthDescriptions"]}
    record_estate(config, recorded)
    loaded, region = load(saved, config, INGRESS)
    (found,) = (finding for finding in findings(loaded, INGRESS)[0] if finding.load_balancer_name == "web")
    assert found.compliance is Compliance.NON_COMPLIANT
    assert region.counts() == {"DescribeTargetHealth": 1}


@pytest.mark.parametrize("operation", ["DescribeConfigurationRecorders", "DescribeConfigurationRecorderStatus"])
def test_a_recorder_that_cannot_be_described_is_an_error(config: ConfigStandIn, operation: str) -> None:
    saved = shop(OPEN)
    record_estate(config, saved)
    config.fail(operation, "AccessDeniedException", times=9)
    loaded, region = load(saved, config)
    assert loaded.enumeration_failure is not None
    assert loaded.enumeration_failure.cause == f"{operation}: AccessDeniedException: asked to fail"
    assert loaded.selected == ()
    assert region.calls == []


def test_refused_queries_are_not_replaced_by_calls(config: ConfigStandIn) -> None:
    saved = shop(OPEN)
    record_estate(config, saved)
    config.fail("SelectResourceConfig", "AccessDeniedException", times=9)
    loaded, region = load(saved, config)
    cause = "SelectResourceConfig: AccessDeniedException: asked to fail"
    assert loaded.enumeration_failure == ReadFailure(Section.LOAD_BALANCERS, None, cause)
    assert {failure.section for failure in loaded.estate.failures} == set(SECTION.values())
    assert region.calls == []


@pytest.mark.parametrize("failing", TYPES[1:])
def test_a_query_whose_later_page_fails_is_an_error_of_the_verdicts_that_depend_on_it(
    config: ConfigStandIn, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = shop(TO_APP)
    record_estate(config, saved)
    answer = ConfigStandIn._select_resource_config  # noqa: SLF001 (no error that AWS knows is for one query alone)

    def fail_one(self: ConfigStandIn, call: Any) -> Any:
        if call.params["Expression"].endswith(f"'{failing}'"):
            return {"Results": ["{}"], "NextToken": "lost"} if "NextToken" not in call.params else answer(self, call)
        return answer(self, call)

    monkeypatch.setitem(config._operations, "SelectResourceConfig", lambda call: fail_one(config, call))  # noqa: SLF001 (as above)
    loaded, region = load(saved, config)
    assert LIVE[failing] not in region.counts()
    _, errors = findings(loaded)
    assert errors
    assert {error.cause.partition(":")[0] for error in errors} == {"SelectResourceConfig"}
