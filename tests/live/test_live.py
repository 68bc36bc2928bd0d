"""The live source against a region of known content: its calls and rounds, its findings, and its failures."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.aws.clients import WORKERS, client_config
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import ReadFailure
from alb_sg.estate.export_file import read_export_file, write_export_file
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.live import LoadResult, Selection, requests
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    TARGETS,
    Saved,
    Shape,
    all_traffic,
    behind,
    build,
    estate,
    group,
    icmp,
    instance,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    node,
    prefix_list,
    reference,
    target,
    target_group,
    target_group_arn,
    tcp,
    vpc,
)
from tests.live.region import Call, Intervention, Refused, Region
from tests.tools import HANGING

# The rules of the load balancers' own groups. What the targets' side takes has tests of its own.
RULES = (INGRESS, EGRESS, HEALTH, ICMP)
WEB, API = load_balancer_arn("web"), load_balancer_arn("api")
NLB = load_balancer_arn("nlb", "network")
EVERYTHING = Selection(everything=True)
ONE_GROUP = Selection(security_groups=frozenset({"sg-1"}))


def sections(*rules: str, tags: bool = False) -> frozenset[str]:
    """The sections that these rules read, with tags only if a parameter names a tag."""
    asked = frozenset[str]().union(*(RECOMMENDATIONS_BY_NAME[rule].estate_sections for rule in rules))
    return asked if tags else asked - {"Tags"}


def named(*names: str) -> Selection:
    return Selection(load_balancers=frozenset(names))


def findings(loaded: LoadResult, *rules: str, **parameters: str) -> tuple[list[Finding], list[EvaluationError]]:
    rules = rules or RULES
    return judge_all(
        loaded.estate, loaded.selected, {RECOMMENDATIONS_BY_NAME[rule]: parse_parameters(parameters) for rule in rules}
    )


def findings_saved(saved: Saved, *rules: str) -> tuple[list[Finding], list[EvaluationError]]:
    whole = build(saved)
    return judge_all(
        whole,
        whole.load_balancers.values(),
        {RECOMMENDATIONS_BY_NAME[rule]: parse_parameters({}) for rule in rules or RULES},
    )


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of calls of each round. A round waits for the previous one."""
    made: list[int] = []
    answers = CallPool.send_all

    def counted(self: CallPool, requests: Mapping[Any, ApiRequest]) -> dict[Any, ApiResponse]:
        if requests:
            made.append(len(requests))
        return answers(self, requests)

    monkeypatch.setattr(CallPool, "send_all", counted)
    return made


CLOSED = [tcp(443, ANYWHERE)]


def shop(*egress: Shape) -> Saved:
    """An internal load balancer with one security group, one listener and one instance."""
    return estate(
        load_balancer(scheme="internal"),
        listener(443, forward=["web"]),
        group(ingress=[tcp(443, "10.0.0.0/16")], egress=egress),
        target_group("web", type="instance", targets=["i-1"]),
        instance("i-1", "10.0.1.5"),
    )


def estate_of_every_kind() -> Saved:
    """Two load balancers, one behind an NLB; instances, addresses of every kind, prefix lists and other types."""
    return estate(
        load_balancer("web", scheme="internal", tags={"clients": "pl-2"}),
        load_balancer("api", groups=["sg-2", "sg-3"], ip_address_type="dualstack"),
        load_balancer("new", state="provisioning"),
        network_load_balancer("nlb", scheme="internal", groups=["sg-nlb"]),
        listener(443, forward=["web", "ips"]),
        listener(80, of="api", redirect=True),
        listener(443, of="api", forward=["web", "function"]),
        listener(443, "TCP", of=NLB),
        group("sg-1", ingress=[tcp(443, "sg-nlb", "10.0.0.0/17")], egress=[tcp(80, "sg-app")]),
        group("sg-2", ingress=[tcp(443, "pl-1"), icmp(-1, -1, ANYWHERE)], egress=[tcp(80, "pl-3")]),
        group(
            "sg-3",
            ingress=[tcp(80, ANYWHERE, ANYWHERE_IPV6)],
            egress=[tcp(80, reference("sg-far", peering="pcx-1", vpc="vpc-2"))],
        ),
        group("sg-unused"),
        target_group("web", type="instance", load_balancers=["web", "api"], targets=["i-1", target("i-2", 8080)]),
        target_group("ips", targets=["10.0.7.1", "10.0.7.2", "10.0.9.9", "10.9.0.1", "192.168.0.1"], port=80),
        target_group("function", type="lambda", load_balancers=["api"], targets=["arn:aws:lambda:f"]),
        target_group("unused", load_balancers=[], targets=["10.0.1.1"]),
        behind(name="to-web"),
        instance("i-1", "10.0.1.5"),
        instance("i-2", "10.0.1.6", groups=["sg-other"]),
        instance("i-3", "10.0.1.7"),
        interface("10.0.7.0", secondary=["10.0.7.1"]),
        interface("10.0.8.0", prefixes=["10.0.9.0/28"]),
        interface("10.9.0.1", vpc="vpc-2", groups=["sg-far"]),
        interface("10.9.0.1", vpc="vpc-3", groups=["sg-app"]),
        vpc("10.0.0.0/16"),
        vpc("10.9.0.0/16", id="vpc-2"),
        vpc("10.9.0.0/16", id="vpc-3"),
        prefix_list("pl-1", "13.124.199.0/24"),
        prefix_list("pl-2", "10.0.0.0/24"),
        prefix_list("pl-3", "10.0.1.5/32", refused=True),
        prefix_list("pl-unused", "10.0.0.0/8"),
    )


def peered(*egress: Shape, target_address: str = "10.9.0.5") -> Saved:
    """One target outside the VPC; vpc-2 is peered, and one of its interfaces has a prefix delegated."""
    return estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=egress),
        group("sg-app"),
        target_group("web", targets=[target_address]),
        interface("10.9.0.5", vpc="vpc-2", groups=["sg-far"]),
        interface("10.9.1.5", vpc="vpc-2", groups=["sg-far"], prefixes=["10.9.2.0/28"]),
        vpc("10.0.0.0/16"),
        vpc("10.9.0.0/16", id="vpc-2"),
    )


OVER_PEERING = tcp(80, reference("sg-far", peering="pcx-1", vpc="vpc-2"))


def test_everything_is_read_in_account_wide_calls_and_one_per_load_balancer_and_target_group(
    rounds: list[int],
) -> None:
    region = Region(estate_of_every_kind())
    region.source().load(EVERYTHING, sections(*RULES))
    assert region.counts() == {
        "DescribeLoadBalancers": 1,
        "DescribeTargetGroups": 1,
        "DescribeSecurityGroups": 1,
        "DescribeVpcs": 1,
        "DescribeInstances": 1,
        "DescribeNetworkInterfaces": 1,
        "DescribeListeners": 3,  # the provisioning one is not judged; the NLB is in front of one that is
        "DescribeTargetHealth": 3,  # "function" needs nothing, "unused" is nobody's
        "DescribeManagedPrefixLists": 1,
        "GetManagedPrefixListEntries": 2,  # the two that an ALB's groups name
    }
    assert len(rounds) == 4  # an NLB in front is known once its registrations are read


def test_a_region_without_application_load_balancers_takes_two_calls() -> None:
    saved = estate(network_load_balancer(), group("sg-1"))
    saved["LoadBalancers"] = [found for found in saved["LoadBalancers"] if found["Type"] == "network"]
    region = Region(saved)
    loaded = region.source().load(EVERYTHING, sections(*RULES))
    assert region.counts() == {"DescribeLoadBalancers": 1, "DescribeTargetGroups": 1}
    assert [found.name for found in loaded.selected] == ["nlb"]


def test_a_security_groups_event_takes_seven_calls_three_deep(rounds: list[int]) -> None:
    region = Region(shop(tcp(80, "sg-app")))
    loaded = region.source().load(ONE_GROUP, sections(*RULES))
    assert region.counts() == {
        "DescribeLoadBalancers": 1,
        "DescribeTargetGroups": 1,
        "DescribeListeners": 1,
        "DescribeTargetHealth": 1,
        "DescribeSecurityGroups": 1,
        "DescribeVpcs": 1,  # internal: its clients are the VPC
        "DescribeInstances": 1,  # a group is referenced: it matters which the instance carries
    }
    assert rounds == [2, 4, 1]
    assert findings(loaded)[1] == []


def test_with_an_nlb_in_front_and_addresses_an_event_takes_one_call_more_for_its_listeners() -> None:
    region = Region(
        estate(
            load_balancer(scheme="internal"),
            network_load_balancer(),
            listener(443, forward=["web"]),
            group(ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
            target_group("web", targets=["10.0.1.5"]),
            behind(),
            interface("10.0.1.5"),
        )
    )
    region.source().load(ONE_GROUP, sections(*RULES))
    assert len(region.calls) == 9
    assert region.counts()["DescribeListeners"] == 2


def test_a_group_on_fifty_load_balancers_takes_their_listeners_and_registrations_more_in_no_more_rounds(
    rounds: list[int],
) -> None:
    names = [f"web-{number}" for number in range(50)]
    region = Region(
        estate(
            *(load_balancer(name, scheme="internal") for name in names),
            *(listener(443, of=name, forward=[name]) for name in names),
            *(target_group(name, type="instance", load_balancers=[name], targets=["i-1"]) for name in names),
            *(
                target_group(f"{name}-more", type="instance", load_balancers=[name], targets=["i-1"])
                for name in names[:25]
            ),
            load_balancer("other", groups=["sg-2"]),
            group(ingress=[tcp(443, "10.0.0.0/16")], egress=[tcp(80, "sg-app")]),
            instance("i-1", "10.0.1.5"),
        )
    )
    loaded = region.source().load(ONE_GROUP, sections(*RULES))
    assert len(loaded.selected) == 50
    assert len(rounds) == 3
    assert region.counts()["DescribeListeners"] == 50
    assert region.counts()["DescribeTargetHealth"] == 75
    assert len(region.calls) <= 8 + 50 + 75
    assert findings(loaded)[1] == []


@pytest.mark.parametrize(
    ("egress", "health_check_port", "looked_up"),
    [
        pytest.param([all_traffic(ANYWHERE)], "traffic-port", False, id="open to everybody"),
        pytest.param([tcp(80, "0.0.0.0/1", "128.0.0.0/1")], "traffic-port", False, id="open in two halves"),
        pytest.param([tcp(80, ANYWHERE)], "8081", True, id="the health check port is not open"),
        pytest.param([tcp(80, "10.0.0.0/8")], "traffic-port", True, id="the instance's address is not known"),
        pytest.param([all_traffic(ANYWHERE_IPV6)], "traffic-port", True, id="the other family is open"),
        pytest.param([all_traffic("pl-1")], "traffic-port", True, id="a prefix list may be anything"),
    ],
)
def test_instances_are_looked_up_only_where_egress_is_not_open(
    egress: list[Shape], health_check_port: str, *, looked_up: bool
) -> None:
    region = Region(
        estate(
            listener(443, forward=["web"]),
            group(ingress=CLOSED, egress=egress),
            target_group("web", type="instance", targets=["i-1"], health_check_port=health_check_port),
            instance("i-1", "10.0.1.5"),
            prefix_list("pl-1", ANYWHERE),
        )
    )
    loaded = region.source().load(ONE_GROUP, sections(*RULES))
    assert ("DescribeInstances" in region.counts()) is looked_up
    assert (loaded.estate.instances is not None) is looked_up
    assert findings(loaded) == findings_saved(region.saved)


@pytest.mark.parametrize(
    "registered",
    [
        pytest.param([], id="nothing registered"),
        pytest.param([target("i-1", state="draining"), target("i-2", state="unused")], id="draining and unused"),
    ],
)
def test_targets_that_get_no_traffic_are_not_looked_up(registered: list[Shape]) -> None:
    region = Region(
        estate(
            listener(443, forward=["web"]),
            group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
            target_group("web", type="instance", targets=registered),
        )
    )
    region.source().load(ONE_GROUP, sections(*RULES))
    assert "DescribeInstances" not in region.counts()


def test_an_address_that_a_range_lets_through_needs_no_interface() -> None:
    saved = estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=[tcp(80, "10.0.0.0/16")]),
        target_group("web", targets=["10.0.1.5"]),
    )
    region = Region(saved)
    loaded = region.source().load(ONE_GROUP, sections(*RULES))
    assert "DescribeNetworkInterfaces" not in region.counts()
    assert findings(loaded) == findings_saved(saved)


def test_all_targets_are_looked_up_where_groups_are_matched() -> None:
    saved = shop(all_traffic(ANYWHERE))
    region = Region(saved)
    loaded = region.source().load(ONE_GROUP, sections(EGRESS), look_up_all_targets=True)
    assert region.counts()["DescribeInstances"] == 1
    found, errors = findings(loaded, EGRESS, TargetMatch="security-group")
    assert errors == []
    assert found[0].missing[0].or_security_groups == ("sg-app",)


def test_for_other_security_groups_they_and_all_that_matters_under_them_are_read() -> None:
    saved = shop(all_traffic(ANYWHERE))
    saved["SecurityGroups"].append(group("sg-new", ingress=[tcp(443, "pl-1")]))
    saved["ManagedPrefixLists"]["pl-1"] = {"AddressFamily": "IPv4", "Entries": [{"Cidr": "10.0.0.0/16"}]}
    selection = Selection(load_balancers=frozenset({"web"}), also_security_groups=frozenset({"sg-new"}))
    loaded = Region(saved).source().load(selection, sections(*RULES))
    assert set(loaded.estate.security_groups or ()) == {"sg-1", "sg-new"}
    assert set(loaded.estate.prefix_lists or ()) == {"pl-1"}
    assert set(loaded.estate.instances or ()) == {"i-1"}


def test_path_mtu_discovery_alone_needs_groups_and_vpc() -> None:
    region = Region(shop())
    region.source().load(ONE_GROUP, sections(ICMP))
    assert region.counts() == {"DescribeLoadBalancers": 1, "DescribeSecurityGroups": 1, "DescribeVpcs": 1}


def test_an_internet_facing_load_balancer_needs_no_vpc_for_its_clients() -> None:
    region = Region(estate(listener(443), group(ingress=CLOSED)))
    region.source().load(ONE_GROUP, sections(*RULES))
    assert "DescribeVpcs" not in region.counts()


@pytest.mark.parametrize(
    ("ingress", "rules", "read"),
    [
        pytest.param([tcp(443, "pl-1")], [INGRESS], {"pl-1"}, id="the listener's port hangs on it"),
        pytest.param([tcp(443, ANYWHERE, "pl-1")], [INGRESS], set(), id="the port is open anyway"),
        pytest.param([tcp(22, "pl-1")], [INGRESS], set(), id="no listener has the port"),
        pytest.param([tcp(443, "pl-1")], [ICMP], set(), id="no message of Path MTU Discovery is TCP"),
        pytest.param([all_traffic("pl-1")], [ICMP], {"pl-1"}, id="all traffic has them"),
        pytest.param([tcp(443, "pl-1")], [EGRESS], set(), id="clients are nothing to targets"),
    ],
)
def test_prefix_lists_are_read_where_a_verdict_depends_on_them(
    ingress: list[Shape], rules: list[str], read: set[str]
) -> None:
    saved = estate(listener(443), group(ingress=ingress), prefix_list("pl-1", "13.124.199.0/24"))
    region = Region(saved)
    loaded = region.source().load(ONE_GROUP, sections(*rules))
    assert set(loaded.estate.prefix_lists or ()) == read
    assert ("GetManagedPrefixListEntries" in region.counts()) is bool(read)
    assert findings(loaded, *rules) == findings_saved(saved, *rules)


def test_prefix_lists_of_parameters_and_tags_are_read_in_the_third_round(rounds: list[int]) -> None:
    saved = estate(
        load_balancer(tags={"clients": "10.0.0.0/8 pl-2", "other": "pl-3"}),
        listener(443),
        group(ingress=[tcp(443, ANYWHERE)]),
        *(prefix_list(f"pl-{number}", "10.0.0.0/24") for number in (1, 2, 3)),
    )
    loaded = (
        Region(saved)
        .source()
        .load(ONE_GROUP, sections(INGRESS, tags=True), prefix_lists=frozenset({"pl-1"}), tag_key="clients")
    )
    assert set(loaded.estate.prefix_lists or ()) == {"pl-1", "pl-2"}
    assert loaded.estate.tags == {WEB: {"clients": "10.0.0.0/8 pl-2", "other": "pl-3"}}
    assert set(loaded.estate.vpcs or ()) == {"vpc-1"}, "the tag may name the VPC"
    assert len(rounds) == 3


def test_tags_are_read_twenty_load_balancers_at_a_time() -> None:
    names = [f"web-{number:02}" for number in range(21)]
    region = Region(estate(*(load_balancer(name, tags={"clients": "vpc"}) for name in names), group()))
    loaded = region.source().load(EVERYTHING, sections(ICMP, tags=True), tag_key="clients")
    assert region.counts()["DescribeTags"] == 2
    assert len(loaded.estate.tags or ()) == 21


def test_named_load_balancers_are_read_by_name_where_no_nlb_can_matter() -> None:
    region = Region(estate_of_every_kind())
    loaded = region.source().load(named(WEB, "api"), sections(EGRESS))
    asked = [call.parameters for call in region.calls if call.operation == "DescribeLoadBalancers"]
    assert sorted(asked, key=str) == [{"LoadBalancerArns": [WEB]}, {"Names": ["api"]}]
    assert [found.name for found in loaded.selected] == ["api", "web"]
    assert loaded.not_found == ()


def test_all_load_balancers_are_listed_where_an_nlb_may_be_in_front() -> None:
    region = Region(estate_of_every_kind())
    loaded = region.source().load(named("web"), sections(INGRESS))
    assert [call.parameters for call in region.calls if call.operation == "DescribeLoadBalancers"] == [{}]
    assert [found.name for found in loaded.selected] == ["web"]


def test_more_ids_than_a_filter_takes_are_read_in_several_calls() -> None:
    names = [f"i-{number:03}" for number in range(201)]
    saved = estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
        target_group("web", type="instance", targets=names),
        *(instance(name, f"10.0.{number // 100}.{number % 100}") for number, name in enumerate(names)),
    )
    region = Region(saved)
    loaded = region.source().load(ONE_GROUP, sections(EGRESS))
    assert region.counts()["DescribeInstances"] == 2
    assert len(loaded.estate.instances or ()) == 201


def test_more_addresses_than_a_filter_takes_are_read_in_several_calls() -> None:
    addresses = [f"10.0.{number // 100}.{number % 100}" for number in range(201)]
    saved = estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
        target_group("web", targets=addresses),
        *(interface(address) for address in addresses),
    )
    region = Region(saved)
    loaded = region.source().load(ONE_GROUP, sections(EGRESS))
    assert region.counts()["DescribeNetworkInterfaces"] == 2
    assert findings(loaded, EGRESS) == findings_saved(saved, EGRESS)


def test_independent_calls_run_at_the_same_time() -> None:
    # Each call of a round waits for the others. Sequential calls would wait until the barrier breaks.
    first, second = threading.Barrier(2), threading.Barrier(4)

    def wait(call: Call) -> None:
        listing = call.operation in ("DescribeLoadBalancers", "DescribeTargetGroups")
        (first if listing else second).wait(timeout=HANGING)

    loaded = Region(shop(all_traffic(ANYWHERE)), intervene=wait).source().load(ONE_GROUP, sections(*RULES))
    assert findings(loaded)[1] == []


def test_no_more_calls_run_at_once_than_a_client_has_connections() -> None:
    under_way = threading.Semaphore(WORKERS)

    def hold(call: Call) -> None:
        assert under_way.acquire(blocking=False), "more calls than workers"
        threading.Event().wait(0.005)
        under_way.release()

    saved = estate(*(load_balancer(f"web-{number}") for number in range(40)), group())
    region = Region(saved, intervene=hold)
    region.source().load(EVERYTHING, sections(INGRESS))
    assert region.counts()["DescribeListeners"] == 40
    config: Any = client_config()
    assert config.max_pool_connections == WORKERS
    assert config.retries["mode"] == "adaptive"


def test_progress_counts_calls_up_to_all_of_them() -> None:
    seen: list[tuple[int, int]] = []
    region = Region(shop(tcp(80, "sg-app")))
    region.source(lambda done, total: seen.append((done, total))).load(ONE_GROUP, sections(*RULES))
    assert [done for done, _ in seen] == list(range(1, 8))
    assert seen[-1] == (7, 7)


@pytest.mark.parametrize("page", [None, 1, 2])
@pytest.mark.parametrize("selection", [EVERYTHING, named("web", "api", "new", "nlb")], ids=["everything", "by name"])
def test_findings_are_those_of_the_whole_estate(selection: Selection, page: int | None) -> None:
    saved = estate_of_every_kind()
    loaded = Region(saved, page=page).source().load(selection, sections(*RULES))
    assert loaded.enumeration_failure is None
    found, errors = findings(loaded)
    assert (found, errors) == findings_saved(saved)
    # The test is meaningful only if every compliance occurs.
    assert {finding.compliance.value for finding in found} == {"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"}


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(peered(OVER_PEERING), id="an address in a peered VPC"),
        pytest.param(peered(OVER_PEERING, target_address="10.9.2.7"), id="inside a prefix there"),
        pytest.param(peered(OVER_PEERING, target_address="10.9.7.7"), id="held by nobody there"),
        pytest.param(peered(OVER_PEERING, target_address="192.168.0.1"), id="on premises, beside a peering"),
        pytest.param(peered(tcp(80, "sg-app"), target_address="192.168.0.1"), id="on premises"),
        pytest.param(peered(tcp(80, reference("sg-far", peering="pcx-1"))), id="a peering that names no VPC"),
        pytest.param(
            peered(tcp(80, reference("sg-x", peering="pcx-1", vpc="vpc-9", account="999999999999"))),
            id="a peered VPC of another account",
        ),
        pytest.param(peered(tcp(80, "sg-app"), target_address="10.0.3.3"), id="in the VPC, held by nobody"),
        pytest.param(
            estate(
                listener(443, forward=["web"]),
                group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
                target_group("web", targets=["2001:db8::5", "2001:0DB8::6"], ip_address_type="ipv6"),
                interface("10.0.1.5", ipv6=["2001:db8::5", "2001:db8::6"]),
                vpc("10.0.0.0/16", "2001:db8::/56"),
            ),
            id="IPv6 addresses, however they are spelt",
        ),
    ],
)
@pytest.mark.parametrize("selection", [EVERYTHING, ONE_GROUP], ids=["everything", "one group"])
def test_registered_addresses_are_found_where_they_are(saved: Saved, selection: Selection) -> None:
    loaded = Region(saved).source().load(selection, sections(EGRESS))
    assert findings(loaded, EGRESS) == findings_saved(saved, EGRESS)


def test_the_vpc_is_listed_only_for_addresses_that_no_interface_holds_itself(rounds: list[int]) -> None:
    saved = estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
        target_group("web", targets=["10.0.1.5", "10.0.2.7"]),
        interface("10.0.1.5"),
        interface("10.0.1.6", prefixes=["10.0.2.0/28"]),
    )
    region = Region(saved)
    loaded = region.source().load(ONE_GROUP, sections(EGRESS))
    assert findings(loaded, EGRESS)[0][0].compliance.value == "COMPLIANT"
    assert rounds[2:] == [1, 1]
    saved["TargetHealthDescriptions"][target_group_arn("web")].pop()
    rounds.clear()
    region.source().load(ONE_GROUP, sections(EGRESS))
    assert rounds[2:] == [1]


def test_a_peered_vpc_is_not_listed_for_an_address_outside_of_it(rounds: list[int]) -> None:
    region = Region(peered(OVER_PEERING, target_address="192.168.0.1"))
    region.source().load(ONE_GROUP, sections(EGRESS))
    # The interface of the address is read together with the peered VPC's blocks, which do not contain the address.
    assert rounds[2:] == [2]
    assert region.counts()["DescribeNetworkInterfaces"] == 1


def test_a_vpc_whose_blocks_were_not_read_is_listed_for_an_address_that_may_be_in_it() -> None:
    def deny(call: Call) -> None:
        if call.operation == "DescribeVpcs":
            raise Refused("UnauthorizedOperation")

    saved = estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
        target_group("web", targets=["10.0.2.7"]),
        interface("10.0.1.6", prefixes=["10.0.2.0/28"]),
    )
    loaded = Region(saved, intervene=deny).source().load(ONE_GROUP, sections(EGRESS))
    assert findings(loaded, EGRESS) == findings_saved(saved, EGRESS)


def test_an_nlb_comes_over_ipv4_to_a_load_balancer_of_ipv6_clients() -> None:
    saved = estate(
        load_balancer(ip_address_type="dualstack-without-public-ipv4"),
        network_load_balancer(scheme="internal"),
        listener(443),
        group(ingress=[tcp(443, ANYWHERE_IPV6, "pl-1")]),
        behind(),
        prefix_list("pl-1", "10.0.0.0/16"),
    )
    loaded = Region(saved).source().load(ONE_GROUP, sections(INGRESS))
    found, errors = findings(loaded, INGRESS)
    assert errors == []
    assert found[0].compliance.value == "COMPLIANT"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param(Selection(), [], id="nothing"),
        pytest.param(EVERYTHING, ["api", "new", "nlb", "web"], id="everything"),
        pytest.param(named(NLB, "web"), ["nlb", "web"], id="an NLB where it is named"),
        pytest.param(ONE_GROUP, ["new", "web"], id="those that carry a group"),
        pytest.param(Selection(security_groups=frozenset({"sg-nlb"})), ["web"], id="behind an NLB that carries it"),
        pytest.param(Selection(vpcs=frozenset({"vpc-1"})), ["api", "new", "web"], id="those in a VPC"),
        pytest.param(Selection(vpcs=frozenset({"vpc-9"})), [], id="a VPC without load balancers"),
        pytest.param(
            Selection(target_groups=frozenset({target_group_arn("web")})), ["api", "web"], id="users of a group"
        ),
        pytest.param(
            Selection(target_groups=frozenset({target_group_arn("to-web")})), ["web"], id="registered in a group"
        ),
        pytest.param(Selection(target_groups=frozenset({target_group_arn("gone")})), [], id="a deleted group"),
        pytest.param(Selection(behind_network_load_balancers=frozenset({NLB})), ["web"], id="behind an NLB"),
        pytest.param(Selection(behind_deleted_load_balancers=True), [], id="behind none that was deleted"),
        pytest.param(
            Selection(behind_deleted_load_balancers=True, load_balancers=frozenset({API})),
            ["api"],
            id="several ways at once",
        ),
    ],
)
def test_selections(selection: Selection, expected: list[str]) -> None:
    loaded = Region(estate_of_every_kind()).source().load(selection, sections(*RULES))
    assert sorted(found.name for found in loaded.selected) == expected
    assert [found.arn for found in loaded.selected] == sorted(found.arn for found in loaded.selected)
    assert loaded.enumeration_failure is None
    assert loaded.not_found == ()
    assert findings(loaded)[1] == []


def test_a_prefix_list_leads_to_those_whose_groups_refer_to_it() -> None:
    # moto does not know these filters of DescribeSecurityGroups.
    saved = estate(
        load_balancer("web", scheme="internal"),
        load_balancer("api", groups=["sg-2"]),
        network_load_balancer(groups=["sg-nlb"]),
        listener(443),
        group("sg-1", ingress=[tcp(443, "10.0.0.0/16")]),
        group("sg-2", egress=[tcp(80, "pl-out")]),
        group("sg-nlb", ingress=[tcp(443, "pl-in")]),
        behind(),
        prefix_list("pl-in", "203.0.113.0/24"),
        prefix_list("pl-out", "203.0.113.0/24"),
    )
    for prefix_list_id, expected in (("pl-in", ["web"]), ("pl-out", ["api"]), ("pl-unused", [])):
        region = Region(saved)
        loaded = region.source().load(Selection(prefix_lists=frozenset({prefix_list_id})), sections(*RULES))
        assert [found.name for found in loaded.selected] == expected
        assert loaded.enumeration_failure is None


def test_where_the_groups_that_refer_to_a_prefix_list_are_unread_the_load_is_incomplete() -> None:
    def refuse(call: Call) -> None:
        if call.operation == "DescribeSecurityGroups":
            raise Refused("UnauthorizedOperation", "no")

    selection = Selection(prefix_lists=frozenset({"pl-1"}))
    loaded = Region(shop(), intervene=refuse).source().load(selection, sections(ICMP))
    assert loaded.enumeration_failure is not None
    assert loaded.enumeration_failure.cause == "DescribeSecurityGroups: UnauthorizedOperation: no"


def test_load_balancers_behind_a_deleted_nlb_are_found_in_its_unused_group() -> None:
    saved = estate(listener(443), group(ingress=CLOSED), behind(), load_balancer())
    saved["TargetGroups"][0]["LoadBalancerArns"] = []
    region = Region(saved)
    loaded = region.source().load(
        Selection(behind_network_load_balancers=frozenset({NLB}), behind_deleted_load_balancers=True), sections(INGRESS)
    )
    assert [found.name for found in loaded.selected] == ["web"]
    assert region.counts()["DescribeTargetHealth"] == 1


def test_the_whole_list_of_groups_is_known_only_where_all_were_listed() -> None:
    saved = shop()
    assert Region(saved).source().load(EVERYTHING, sections(*RULES)).estate.has_all_security_groups
    assert not Region(saved).source().load(ONE_GROUP, sections(*RULES)).estate.has_all_security_groups


def test_a_target_group_that_only_the_listener_names_yet_is_read_too() -> None:
    saved = shop(all_traffic(ANYWHERE))
    saved["TargetGroups"][0]["LoadBalancerArns"] = []
    loaded = Region(saved).source().load(ONE_GROUP, sections(*RULES))
    found, errors = findings(loaded, EGRESS)
    assert errors == []
    assert found[0].compliance.value == "COMPLIANT"


def test_a_target_group_without_load_balancers_in_the_response_has_none() -> None:
    saved = shop(all_traffic(ANYWHERE))
    spare = target_group("spare", load_balancers=[], targets=None)
    del spare["LoadBalancerArns"]
    saved["TargetGroups"].append(spare)
    assert findings(Region(saved).source().load(ONE_GROUP, sections(EGRESS)), EGRESS)[1] == []


@pytest.mark.parametrize("rules", [[EGRESS], list(RULES)], ids=["asked for by name", "all listed"])
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("gone",), id="one"),
        pytest.param(("gone", "web"), id="one of two names"),
        pytest.param((load_balancer_arn("gone"), WEB, "api", "gone"), id="ARNs and names"),
    ],
)
def test_a_name_that_does_not_exist_hides_no_other(names: tuple[str, ...], rules: list[str]) -> None:
    region = Region(estate_of_every_kind())
    loaded = region.source().load(named(*names), sections(*rules))
    known = {WEB: "web", "web": "web", "api": "api"}
    assert sorted(found.name for found in loaded.selected) == sorted(known[name] for name in names if name in known)
    assert loaded.not_found == tuple(sorted(name for name in names if name not in known))
    assert loaded.enumeration_failure is None


def test_a_name_that_the_api_refuses_hides_no_other() -> None:
    def refuse(call: Call) -> None:
        if call.names("LoadBalancerArns", "arn:nonsense"):
            raise Refused("ValidationError", "'arn:nonsense' is not a valid load balancer ARN")

    for names, found, calls in ((("arn:nonsense", "web"), ["web"], 4), (("arn:nonsense",), [], 2)):
        region = Region(shop(), intervene=refuse)
        loaded = region.source().load(named(*names), sections(EGRESS))
        assert [one.name for one in loaded.selected] == found
        assert loaded.not_found == ("arn:nonsense",)
        assert loaded.enumeration_failure is None
        # Beside others, all are listed. A refused name is asked for once more, in a call of its own.
        assert region.counts()["DescribeLoadBalancers"] == calls


def not_found(call: Call, operation: str, parameter: str, arn: str) -> bool:
    """Whether a call is `operation`, or the question whether the load balancer exists, about this ARN."""
    return (call.operation == operation and call.names(parameter, arn)) or call.names("LoadBalancerArns", arn)


@pytest.mark.parametrize(
    ("operation", "parameter"), [("DescribeListeners", "LoadBalancerArn"), ("DescribeTags", "ResourceArns")]
)
def test_a_load_balancer_deleted_meanwhile_is_not_found_and_others_are_judged(operation: str, parameter: str) -> None:
    def delete(call: Call) -> None:
        if not_found(call, operation, parameter, API):
            raise Refused("LoadBalancerNotFound")

    region = Region(estate_of_every_kind(), intervene=delete)
    loaded = region.source().load(EVERYTHING, sections(*RULES, tags=True), tag_key="clients")
    assert [found.name for found in loaded.selected if found.type == "application"] == ["new", "web"]
    assert loaded.not_found == (API,)
    assert loaded.enumeration_failure is None
    assert API not in loaded.estate.load_balancers
    assert findings(loaded, TagKey="clients")[1] == []


def test_a_target_group_deleted_meanwhile_is_left_out() -> None:
    def delete(call: Call) -> None:
        gone = target_group_arn("web")
        if call.names("TargetGroupArn", gone) or call.names("TargetGroupArns", gone):
            raise Refused("TargetGroupNotFound")

    saved = shop(all_traffic(ANYWHERE))
    saved["Listeners"][0]["DefaultActions"] = [{"Type": "fixed-response"}]
    loaded = Region(saved, intervene=delete).source().load(ONE_GROUP, sections(EGRESS))
    found, errors = findings(loaded, EGRESS)
    assert errors == []
    assert found[0].compliance.value == "NOT_APPLICABLE"


def spurious(times: int, code: str, operation: str, parameter: str = "", value: str = "") -> Intervention:
    """Answers the first calls of an operation (about a value) with an error that is not true."""
    seen: list[Call] = []

    def answer(call: Call) -> None:
        if call.operation == operation and (not parameter or call.names(parameter, value)):
            seen.append(call)
            if len(seen) <= times:
                raise Refused(code)

    return answer


SPURIOUS_NOT_FOUND = [
    # Each drops a requirement, a client or a load balancer if it is believed.
    pytest.param("LoadBalancerNotFound", "DescribeListeners", "LoadBalancerArn", API, id="a load balancer's listeners"),
    pytest.param("LoadBalancerNotFound", "DescribeListeners", "LoadBalancerArn", NLB, id="listeners of an NLB"),
    pytest.param("LoadBalancerNotFound", "DescribeTags", "ResourceArns", API, id="tags"),
    pytest.param("TargetGroupNotFound", "DescribeTargetHealth", "TargetGroupArn", target_group_arn("to-web"), id="NLB"),
    pytest.param(
        "TargetGroupNotFound", "DescribeTargetHealth", "TargetGroupArn", target_group_arn("web"), id="targets"
    ),
]


@pytest.mark.parametrize(("code", "operation", "parameter", "value"), SPURIOUS_NOT_FOUND)
def test_a_not_found_that_is_not_true_changes_no_verdict(code: str, operation: str, parameter: str, value: str) -> None:
    untroubled = (
        Region(estate_of_every_kind()).source().load(EVERYTHING, sections(*RULES, tags=True), tag_key="clients")
    )
    region = Region(estate_of_every_kind(), intervene=spurious(1, code, operation, parameter, value))
    loaded = region.source().load(EVERYTHING, sections(*RULES, tags=True), tag_key="clients")
    assert loaded.not_found == ()
    assert loaded.selected == untroubled.selected
    assert findings(loaded, TagKey="clients") == findings(untroubled, TagKey="clients")


@pytest.mark.parametrize(("code", "operation", "parameter", "value"), SPURIOUS_NOT_FOUND)
def test_a_not_found_that_contradicts_the_answer_for_the_arn_is_an_error(
    code: str, operation: str, parameter: str, value: str
) -> None:
    region = Region(estate_of_every_kind(), intervene=spurious(9, code, operation, parameter, value))
    loaded = region.source().load(EVERYTHING, sections(*RULES, tags=True), tag_key="clients")
    assert loaded.not_found == ()
    causes = [failure.cause for failure in loaded.estate.failures]
    assert causes == [f"{operation}: {code}: as the test wants it"]


@pytest.mark.parametrize(("code", "operation", "parameter", "value"), SPURIOUS_NOT_FOUND)
def test_a_not_found_that_cannot_be_confirmed_is_an_error(
    code: str, operation: str, parameter: str, value: str
) -> None:
    doubt = spurious(9, code, operation, parameter, value)

    def refuse(call: Call) -> None:
        doubt(call)
        if call.names("LoadBalancerArns", value) or call.names("TargetGroupArns", value):
            raise Refused("ThrottlingException", "Rate exceeded")

    loaded = (
        Region(estate_of_every_kind(), intervene=refuse)
        .source()
        .load(EVERYTHING, sections(*RULES, tags=True), tag_key="clients")
    )
    asked = "DescribeTargetGroups" if code == "TargetGroupNotFound" else "DescribeLoadBalancers"
    assert [failure.cause for failure in loaded.estate.failures] == [f"{asked}: ThrottlingException: Rate exceeded"]
    assert loaded.not_found == ()


@pytest.mark.parametrize("rules", [[EGRESS], list(RULES)], ids=["asked for by name", "all listed"])
@pytest.mark.parametrize("name", ["web", WEB])
def test_a_name_not_found_once_is_requested_again(name: str, rules: list[str]) -> None:
    def deny(call: Call) -> Shape | None:
        if call.operation != "DescribeLoadBalancers" or len(denied) == 1:
            return None
        denied.append(call)
        if call.parameters:
            raise Refused("LoadBalancerNotFound")
        return {"LoadBalancers": []}

    denied: list[Call] = []
    loaded = Region(estate_of_every_kind(), intervene=deny).source().load(named(name), sections(*rules))
    assert [found.name for found in loaded.selected] == ["web"]
    assert loaded.not_found == ()


def test_a_load_balancer_missing_from_the_list_is_known_from_its_target_group() -> None:
    """The API's target groups name their load balancers: a list without one of these is not the whole list."""

    def lose(call: Call) -> Shape | None:
        return {"LoadBalancers": []} if call.operation == "DescribeLoadBalancers" and not call.parameters else None

    region = Region(shop(), intervene=lose)
    loaded = region.source().load(EVERYTHING, sections(*RULES))
    assert [found.name for found in loaded.selected] == ["web"]
    assert findings(loaded) == findings_saved(shop())
    assert region.counts()["DescribeLoadBalancers"] == 2


def test_twenty_arns_are_confirmed_in_one_call() -> None:
    names = [f"web-{number}" for number in range(30)]
    saved = estate(*(load_balancer(name) for name in names), group("sg-1"))
    region = Region(saved)
    arns = [load_balancer_arn(name) for name in (*names, "gone")]
    confirmation = region.source().confirm_load_balancers(arns)
    assert confirmation.gone == {load_balancer_arn("gone")}
    assert confirmation.found.keys() == set(arns) - confirmation.gone
    # Two batches; the one with the deleted load balancer fails and is asked for one by one.
    sizes = sorted(len(call.parameters["LoadBalancerArns"]) for call in region.calls)
    assert sizes[-1] == 20
    assert len(region.calls) <= 2 + 20


LISTS = {
    "DescribeLoadBalancers": "LoadBalancers",
    "DescribeTargetGroups": "TargetGroups",
    "DescribeListeners": "Listeners",
    "DescribeTargetHealth": "TargetHealthDescriptions",
    "DescribeTags": "TagDescriptions",
    "DescribeSecurityGroups": "SecurityGroups",
    "DescribeVpcs": "Vpcs",
    "DescribeInstances": "Reservations",
    "DescribeNetworkInterfaces": "NetworkInterfaces",
    "DescribeManagedPrefixLists": "PrefixLists",
    "GetManagedPrefixListEntries": "Entries",
}


@pytest.mark.parametrize(("operation", "member"), LISTS.items())
def test_an_answer_without_its_list_is_a_failure_and_not_an_empty_list(operation: str, member: str) -> None:
    def answer(call: Call) -> Shape | None:
        return {} if call.operation == operation else None

    region = Region(estate_of_every_kind(), intervene=answer)
    loaded = region.source().load(EVERYTHING, sections(*RULES, tags=True), tag_key="clients", look_up_all_targets=True)
    assert region.counts()[operation] > 0
    causes = {failure.cause for failure in loaded.estate.failures}
    assert causes == {f"{operation}: the answer has no list {member}"}
    with pytest.raises(NotReadError, match=f"{operation}: the answer has no list {member}"):
        Region(estate_of_every_kind(), intervene=answer).source().export()


@pytest.mark.parametrize("answer", [{}, {"Tags": None}])
def test_a_description_without_its_tags_does_not_say_that_there_are_none(answer: Shape) -> None:
    """A tag may ask for more clients than the scheme does."""
    arn = load_balancer_arn()

    def without_tags(call: Call) -> Shape | None:
        described = {"TagDescriptions": [{"ResourceArn": arn, **answer}]}
        return described if call.operation == "DescribeTags" else None

    saved = estate(listener(443), group("sg-1", ingress=[tcp(443, ANYWHERE)]))
    loaded = (
        Region(saved, intervene=without_tags).source().load(EVERYTHING, sections(INGRESS, tags=True), tag_key="clients")
    )
    found, errors = findings(loaded, INGRESS, TagKey="clients")
    assert not found
    assert [error.cause for error in errors] == ["DescribeTags: Tags: it is missing"]
    with pytest.raises(NotReadError, match="DescribeTags: the answer lacks them"):
        Region(saved, intervene=without_tags).source().export()


def test_a_reservation_without_its_instances_is_a_failure() -> None:
    def answer(call: Call) -> Shape | None:
        return {"Reservations": [{"ReservationId": "r-1"}]} if call.operation == "DescribeInstances" else None

    loaded = Region(shop(tcp(80, "sg-app")), intervene=answer).source().load(EVERYTHING, sections(*RULES))
    [failure] = loaded.estate.failures
    assert failure.cause == "DescribeInstances: the answer has no list Instances"


def test_a_later_page_without_its_list_is_a_failure() -> None:
    def answer(call: Call) -> Shape | None:
        return {} if call.operation == "DescribeLoadBalancers" and call.start == 1 else None

    loaded = Region(estate_of_every_kind(), page=1, intervene=answer).source().load(EVERYTHING, sections(ICMP))
    assert loaded.enumeration_failure is not None
    assert loaded.enumeration_failure.cause == "DescribeLoadBalancers: the answer has no list LoadBalancers"


@pytest.mark.slow
@pytest.mark.parametrize("period", [1, 2, 3])
@pytest.mark.parametrize(
    ("operation", "member", "token"),
    [
        ("DescribeLoadBalancers", "LoadBalancers", "NextMarker"),
        ("DescribeSecurityGroups", "SecurityGroups", "NextToken"),
    ],
)
def test_page_tokens_in_a_circle_end_with_an_error(operation: str, member: str, token: str, period: int) -> None:
    def answer(call: Call) -> Shape | None:
        if call.operation != operation:
            return None
        return {member: [], token: str(call.start % period + 1)}

    loaded = Region(estate_of_every_kind(), intervene=answer).source().load(EVERYTHING, sections(ICMP))
    causes = [failure.cause for failure in loaded.estate.failures]
    assert causes or operation == "DescribeSecurityGroups"
    assert all(cause.startswith(f"{operation}: ") and "token" in cause for cause in causes)


def test_listeners_and_groups_of_a_network_load_balancer_in_front_are_read() -> None:
    saved = estate(
        load_balancer(scheme="internal"),
        network_load_balancer(groups=["sg-nlb"]),
        network_load_balancer("far", groups=["sg-far"]),
        listener(443),
        listener(8443, "TCP", of=NLB, forward=["to-web"]),
        group(ingress=[tcp(443, "10.0.0.0/16")]),
        group("sg-nlb", ingress=[tcp(8443, "pl-1"), tcp(22, "pl-2")]),
        group("sg-far", ingress=[tcp(1, "pl-3")]),
        behind(),
        prefix_list("pl-1", "203.0.113.0/24"),
        prefix_list("pl-2", "203.0.113.0/24"),
    )
    for selection in (ONE_GROUP, EVERYTHING):
        region = Region(saved)
        estate_read = region.source().load(selection, sections(INGRESS)).estate
        assert [found.port for found in (estate_read.listeners or {})[NLB]] == [8443]
        assert "sg-nlb" in (estate_read.security_groups or {})
        # Only the list that says who reaches the port that leads here, and only the NLB that leads here.
        assert (estate_read.prefix_lists or {}).keys() == {"pl-1"}
        assert region.counts()["DescribeListeners"] == 2
    # Path MTU Discovery has nothing to do with it.
    region = Region(saved)
    region.source().load(EVERYTHING, sections(ICMP))
    assert "DescribeListeners" not in region.counts()


def test_a_deleted_network_load_balancer_is_in_front_of_none() -> None:
    def delete(call: Call) -> None:
        if not_found(call, "DescribeListeners", "LoadBalancerArn", NLB):
            raise Refused("LoadBalancerNotFound")

    saved = estate(load_balancer(), network_load_balancer(), listener(443), group(ingress=CLOSED), behind())
    loaded = Region(saved, intervene=delete).source().load(ONE_GROUP, sections(INGRESS))
    assert loaded.not_found == ()
    found, errors = findings(loaded, INGRESS)
    assert errors == []
    assert [finding.compliance.value for finding in found] == ["COMPLIANT"]


@pytest.mark.parametrize("known", [True, False], ids=["botocore knows them", "an older botocore"])
def test_instances_and_interfaces_that_aws_manages_are_asked_for(known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not known:
        monkeypatch.setattr(requests, "MANAGED_RESOURCES", "ParameterOfTomorrow")
    region = Region(estate_of_every_kind())
    region.source().load(EVERYTHING, sections(*RULES), look_up_all_targets=True)
    Region.source(region).load(ONE_GROUP, sections(*RULES), look_up_all_targets=True)
    region.source().export()
    asked = [call for call in region.calls if call.operation in ("DescribeInstances", "DescribeNetworkInterfaces")]
    assert len(asked) >= 6
    assert all(("IncludeManagedResources" in call.parameters) == known for call in asked)


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidPrefixListID.NotFound"])
def test_another_accounts_prefix_list_whose_entries_are_refused_is_unresolved(code: str) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "GetManagedPrefixListEntries":
            raise Refused(code)

    saved = estate(listener(443), group(ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", "10.0.0.0/8", refused=True))
    loaded = Region(saved, intervene=refuse).source().load(ONE_GROUP, sections(INGRESS))
    found, errors = findings(loaded, INGRESS)
    assert errors == []
    assert found[0].unresolved


def test_a_prefix_list_that_is_not_described_at_all_is_unresolved() -> None:
    loaded = (
        Region(estate(listener(443), group(ingress=[tcp(443, "pl-9")]))).source().load(ONE_GROUP, sections(INGRESS))
    )
    assert findings(loaded, INGRESS)[0][0].unresolved


@pytest.mark.parametrize(
    ("owner", "code"),
    [
        pytest.param("111122223333", "UnauthorizedOperation", id="its own list: a permission is missing"),
        pytest.param("AWS", "UnauthorizedOperation", id="AWS's: a permission is missing"),
        pytest.param("999999999999", "RequestLimitExceeded", id="another account's: throttled"),
    ],
)
def test_a_prefix_list_that_could_have_been_read_is_an_error(owner: str, code: str) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "GetManagedPrefixListEntries":
            raise Refused(code, "no")

    saved = estate(listener(443), group(ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", "10.0.0.0/8"))
    saved["ManagedPrefixLists"]["pl-1"]["OwnerId"] = owner
    loaded = Region(saved, intervene=refuse).source().load(ONE_GROUP, sections(INGRESS))
    found, errors = findings(loaded, INGRESS)
    assert found == []
    assert errors[0].what == "prefix list pl-1"
    assert errors[0].cause == f"GetManagedPrefixListEntries: {code}: no"


@pytest.mark.parametrize(
    ("operation", "concerned", "rules_in_error"),
    [
        pytest.param("DescribeListeners", "", set(RULES) - {ICMP}, id="listeners"),
        pytest.param("DescribeTargetGroups", "", {EGRESS, HEALTH, INGRESS}, id="target groups"),
        pytest.param("DescribeTargetHealth", target_group_arn("web"), {EGRESS, HEALTH}, id="targets"),
        pytest.param("DescribeTargetHealth", target_group_arn("to-web"), {INGRESS}, id="registrations in front"),
        pytest.param("DescribeSecurityGroups", "", set(RULES), id="security groups"),
        pytest.param("DescribeVpcs", "", {INGRESS, ICMP}, id="VPCs"),
        pytest.param("DescribeInstances", "", {EGRESS, HEALTH}, id="instances"),
        pytest.param("DescribeNetworkInterfaces", "", {EGRESS, HEALTH}, id="interfaces"),
        pytest.param("DescribeManagedPrefixLists", "", {INGRESS, ICMP}, id="prefix lists"),
        pytest.param("GetManagedPrefixListEntries", "", {INGRESS, ICMP}, id="prefix list entries"),
    ],
)
@pytest.mark.parametrize("selection", [EVERYTHING, named("web")], ids=["everything", "by name"])
def test_a_failed_call_is_an_error_of_the_rules_that_depend_on_it_and_of_no_other(
    selection: Selection, operation: str, concerned: str, rules_in_error: set[str]
) -> None:
    def deny(call: Call) -> None:
        if call.operation == operation and (not concerned or concerned in call.parameters.values()):
            raise Refused("UnauthorizedOperation", "not you")

    saved = estate(
        load_balancer(scheme="internal"),
        network_load_balancer(),
        listener(443, forward=["web", "ips"]),
        group(ingress=[all_traffic("10.0.0.0/17", "pl-1")], egress=[tcp(80, "sg-app")]),
        target_group("web", type="instance", targets=["i-1"]),
        target_group("ips", targets=["10.0.1.6"]),
        behind(),
        instance("i-1", "10.0.1.5"),
        interface("10.0.1.6"),
        prefix_list("pl-1", "10.0.128.0/17"),
    )
    if operation != "DescribeListeners":
        # A listener's default action names its target groups; only the target group tells about listener rules.
        saved["Listeners"][0]["DefaultActions"] = [{"Type": "fixed-response"}]
    loaded = Region(saved, intervene=deny).source().load(selection, sections(*RULES))
    found, errors = findings(loaded)
    errors = [error for error in errors if error.load_balancer_arn == WEB]
    if operation == "DescribeListeners":
        # A target group names its own load balancers.
        rules_in_error = {INGRESS}
    assert {error.rule for error in errors} == rules_in_error
    assert all(error.cause == f"{operation}: UnauthorizedOperation: not you" for error in errors)
    judged = {finding.rule: finding for finding in found if finding.load_balancer_arn == WEB}
    whole = {finding.rule: finding for finding in findings_saved(saved)[0] if finding.load_balancer_arn == WEB}
    assert judged == {rule: whole[rule] for rule in RULES if rule not in rules_in_error}
    assert loaded.enumeration_failure is None


def test_a_failed_call_leaves_the_other_load_balancers_judged() -> None:
    def throttle(call: Call) -> None:
        if call.operation in ("DescribeListeners", "DescribeTargetHealth") and WEB in call.parameters.values():
            raise Refused("ThrottlingException", "Rate exceeded")

    loaded = Region(estate_of_every_kind(), intervene=throttle).source().load(EVERYTHING, sections(*RULES))
    _, errors = findings(loaded)
    assert {error.load_balancer_arn for error in errors} == {WEB}
    assert errors[0].cause == "DescribeListeners: ThrottlingException: Rate exceeded"


@pytest.mark.parametrize(
    ("operation", "rules_in_error"),
    [
        ("DescribeTargetGroups", {EGRESS, HEALTH}),
        ("DescribeSecurityGroups", {INGRESS, ICMP}),  # sg-1 was read, and covers all targets by itself
        ("DescribeInstances", {EGRESS, HEALTH}),
        ("DescribeNetworkInterfaces", {EGRESS, HEALTH}),
        ("DescribeListeners", {INGRESS}),
        ("GetManagedPrefixListEntries", {INGRESS, ICMP}),
    ],
)
def test_a_list_whose_later_page_failed_is_incomplete(operation: str, rules_in_error: set[str]) -> None:
    def fail_later(call: Call) -> None:
        if call.operation == operation and call.start > 0:
            raise Refused("RequestLimitExceeded", "slow down")

    # The first page of each list alone would give COMPLIANT, or a wrong NON_COMPLIANT.
    saved = estate(
        load_balancer(groups=["sg-1", "sg-2"]),
        listener(443, forward=["web"]),
        listener(444, forward=["web"]),
        group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
        group("sg-2", ingress=[all_traffic("pl-1")]),
        target_group("web", type="instance", targets=["i-1", "i-2"]),
        target_group("ips", targets=["10.0.1.7", "10.0.1.8"]),
        instance("i-1", "10.0.1.5"),
        instance("i-2", "10.0.1.6"),
        interface("10.0.1.7"),
        interface("10.0.1.8"),
        prefix_list("pl-1", "0.0.0.0/1", "128.0.0.0/1"),
    )
    loaded = Region(saved, page=1, intervene=fail_later).source().load(EVERYTHING, sections(*RULES))
    _, errors = findings(loaded)
    assert {error.rule for error in errors} == rules_in_error
    assert {error.cause for error in errors} == {f"{operation}: RequestLimitExceeded: slow down"}
    assert loaded.enumeration_failure is None
    if operation == "DescribeSecurityGroups":
        assert not loaded.estate.has_all_security_groups
    if operation == "DescribeTargetGroups":
        assert loaded.estate.target_groups is None


def test_a_call_without_any_answer_is_a_failure_too() -> None:
    def hang(call: Call) -> None:
        if call.operation == "DescribeListeners":
            raise ConnectTimeoutError(endpoint_url="https://elasticloadbalancing.example/")

    loaded = Region(shop(all_traffic(ANYWHERE)), intervene=hang).source().load(EVERYTHING, sections(INGRESS))
    cause = findings(loaded, INGRESS)[1][0].cause
    assert cause.startswith("DescribeListeners: Connect timeout on endpoint URL")


def test_an_answer_that_cannot_be_read_is_a_failure_of_that_item() -> None:
    saved = estate(
        load_balancer("web"),
        load_balancer("api", groups=["sg-2"]),
        group("sg-1", ingress=[tcp(443, ANYWHERE), {"IpProtocol": "tcp", "FromPort": 80, "IpRanges": []}]),
        group("sg-2", ingress=[icmp(3, 4, ANYWHERE)]),
    )
    loaded = Region(saved).source().load(EVERYTHING, sections(ICMP))
    found, errors = findings(loaded, ICMP)
    assert [finding.load_balancer_arn for finding in found] == [API]
    assert errors[0].load_balancer_arn == WEB
    assert errors[0].what == "IpPermissions[1] of security group sg-1"
    assert errors[0].cause == "tcp needs both FromPort and ToPort, or neither"


def test_an_interface_that_cannot_be_read_may_be_the_one_in_question() -> None:
    saved = estate(
        listener(443, forward=["web"]),
        group(ingress=CLOSED, egress=[tcp(80, "sg-app")]),
        group("sg-app"),
        target_group("web", targets=["10.0.1.5"]),
        target_group("odd", targets=["10.0.1.7"], health_check_port="70000"),
        interface("10.0.1.5"),
        interface("10.0.1.7"),
    )
    # Only health checks depend on their port.
    found, errors = findings(Region(saved).source().load(EVERYTHING, sections(EGRESS)), EGRESS)
    assert [finding.compliance.value for finding in found] == ["COMPLIANT"]
    _, errors = findings(Region(saved).source().load(EVERYTHING, sections(HEALTH)), HEALTH)
    assert errors[0].what == "HealthCheckPort of target group odd"
    assert errors[0].cause == "70000 is not a port (1 to 65535)"

    saved["TargetGroups"].pop()
    saved["NetworkInterfaces"] = [interface("10.0.1.6", prefixes=["10.0.0.0/nonsense"])]
    _, errors = findings(Region(saved).source().load(EVERYTHING, sections(EGRESS)), EGRESS)
    assert errors[0].what.startswith("Ipv4Prefixes[0].Ipv4Prefix of network interface eni-")


def test_an_error_of_our_own_is_raised() -> None:
    def stumble(call: Call) -> None:
        if call.operation == "DescribeTargetGroups":
            raise LookupError("a mistake in this program")

    with pytest.raises(LookupError):
        Region(shop(), intervene=stumble).source().load(EVERYTHING, sections(*RULES))


@pytest.mark.parametrize(
    ("selection", "operation", "section", "key"),
    [
        pytest.param(EVERYTHING, "DescribeLoadBalancers", "LoadBalancers", None, id="the list"),
        pytest.param(ONE_GROUP, "DescribeLoadBalancers", "LoadBalancers", None, id="the list, for one group"),
        pytest.param(named("web"), "DescribeLoadBalancers", "LoadBalancers", None, id="the list, for one name"),
        pytest.param(
            Selection(target_groups=frozenset({target_group_arn("web")})),
            "DescribeTargetGroups",
            "TargetGroups",
            None,
            id="target groups that lead to them",
        ),
        pytest.param(
            Selection(behind_network_load_balancers=frozenset({NLB})),
            "DescribeTargetHealth",
            "TargetHealthDescriptions",
            target_group_arn("to-web"),
            id="registrations that lead to them",
        ),
    ],
)
def test_where_load_balancers_could_not_be_found_the_load_is_incomplete(
    selection: Selection, operation: str, section: str, key: str | None
) -> None:
    def throttle(call: Call) -> None:
        if call.operation == operation:
            raise Refused("ThrottlingException", "Rate exceeded")

    loaded = Region(estate_of_every_kind(), intervene=throttle).source().load(selection, sections(*RULES))
    assert loaded.enumeration_failure == ReadFailure(
        Section(section), key, f"{operation}: ThrottlingException: Rate exceeded"
    )
    assert loaded.selected == ()
    assert loaded.not_found == (), "what a failed call was to find may be there"


def test_an_incomplete_list_keeps_its_first_pages() -> None:
    def fail_later(call: Call) -> None:
        if call.operation == "DescribeLoadBalancers" and call.start > 0:
            raise Refused("ThrottlingException", "Rate exceeded")

    saved = estate_of_every_kind()
    loaded = Region(saved, page=1, intervene=fail_later).source().load(EVERYTHING, sections(EGRESS))
    assert [found.name for found in loaded.selected] == ["web"]
    assert loaded.enumeration_failure is not None
    whole = [finding for finding in findings_saved(saved, EGRESS)[0] if finding.load_balancer_arn == WEB]
    assert findings(loaded, EGRESS) == (whole, [])


def test_an_nlb_on_a_failed_page_may_be_in_front() -> None:
    """Without target groups and all load balancers, a Network Load Balancer in the VPC cannot be excluded."""

    def fail(call: Call) -> None:
        if call.operation == "DescribeTargetGroups" or (call.operation == "DescribeLoadBalancers" and call.start > 0):
            raise Refused("ThrottlingException", "Rate exceeded")

    saved = estate(
        load_balancer(scheme="internal"),
        network_load_balancer(),
        listener(443),
        group(ingress=[tcp(443, "10.0.0.0/16")]),
        behind(),
    )
    loaded = Region(saved, page=1, intervene=fail).source().load(EVERYTHING, sections(INGRESS))
    found, errors = findings(loaded, INGRESS)
    assert not [finding for finding in found if finding.load_balancer_name == "web"]
    assert [error.load_balancer_arn for error in errors] == [WEB]


def test_a_named_load_balancer_whose_call_failed_is_not_reported_as_not_found() -> None:
    def throttle(call: Call) -> None:
        if call.operation == "DescribeLoadBalancers":
            raise Refused("ThrottlingException", "Rate exceeded")

    loaded = Region(shop(), intervene=throttle).source().load(named("web"), sections(EGRESS))
    assert loaded.not_found == ()
    assert loaded.enumeration_failure == ReadFailure(
        Section.LOAD_BALANCERS, "web", "DescribeLoadBalancers: ThrottlingException: Rate exceeded"
    )


def read_again(raw: Saved, folder: Path) -> LoadResult:
    text = io.StringIO()
    write_export_file([raw], text)
    (folder / "estate.json").write_text(text.getvalue())
    (saved,) = read_export_file(str(folder / "estate.json"))
    selected = sorted(saved.load_balancers.values(), key=lambda found: found.arn)
    return LoadResult(saved, tuple(selected), None, ())


@pytest.mark.parametrize("page", [None, 1])
def test_an_export_gives_the_same_findings(page: int | None, tmp_path: Path) -> None:
    region = Region(estate_of_every_kind(), page=page)
    live = region.source().load(EVERYTHING, sections(*RULES))
    assert findings(read_again(region.source().export(), tmp_path)) == findings(live)


def test_an_export_holds_the_apis_own_values() -> None:
    saved = estate_of_every_kind()
    raw = Region(saved).source().export()
    assert raw["ManagedPrefixLists"].pop("pl-1")["PrefixListId"] == "pl-1", "a description names itself"
    for section in set(saved) - {"ManagedPrefixLists", "Listeners", "Subnets"}:
        assert raw[section] == saved[section], section
    assert sorted(raw["Listeners"], key=str) == sorted(saved["Listeners"], key=str)
    assert "Entries" not in raw["ManagedPrefixLists"]["pl-3"], "refused"
    assert raw["ManagedPrefixLists"]["pl-unused"]["Entries"] == [{"Cidr": "10.0.0.0/8"}]


def test_a_prefix_list_that_is_not_described_is_exported_without_entries(tmp_path: Path) -> None:
    region = Region(estate(listener(443), group(ingress=[tcp(443, "pl-9")])))
    raw = region.source().export()
    assert raw["ManagedPrefixLists"] == {"pl-9": {}}
    assert findings(read_again(raw, tmp_path), INGRESS)[0][0].unresolved


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation",
    [
        "DescribeLoadBalancers",
        "DescribeListeners",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
        "DescribeSecurityGroups",
        "DescribeVpcs",
        "DescribeNetworkInterfaces",
        "DescribeInstances",
        "DescribeManagedPrefixLists",
        "GetManagedPrefixListEntries",
        "DescribeTags",
    ],
)
def test_a_region_is_exported_whole_or_not_at_all(operation: str) -> None:
    def throttle(call: Call) -> None:
        if call.operation == operation:
            raise Refused("ThrottlingException", "Rate exceeded")

    with pytest.raises(NotReadError, match=f"{operation}: ThrottlingException: Rate exceeded"):
        Region(estate_of_every_kind(), intervene=throttle).source().export()


@pytest.mark.parametrize(
    ("operation", "parameter"), [("DescribeListeners", "LoadBalancerArn"), ("DescribeTags", "ResourceArns")]
)
def test_a_resource_deleted_during_the_export_is_left_out(operation: str, parameter: str) -> None:
    def delete(call: Call) -> None:
        if not_found(call, operation, parameter, API):
            raise Refused("LoadBalancerNotFound")
        gone = target_group_arn("function")
        if call.names("TargetGroupArn", gone) or call.names("TargetGroupArns", gone):
            raise Refused("TargetGroupNotFound")

    raw = Region(estate_of_every_kind(), intervene=delete).source().export()
    assert API not in {found["LoadBalancerArn"] for found in raw["LoadBalancers"] + raw["Listeners"]}
    assert API not in raw["Tags"]
    assert len(raw["LoadBalancers"]) == 3
    gone = target_group_arn("function")
    assert gone not in raw["TargetHealthDescriptions"]
    assert gone not in {found["TargetGroupArn"] for found in raw["TargetGroups"]}


@pytest.mark.parametrize(("code", "operation", "parameter", "value"), SPURIOUS_NOT_FOUND)
def test_a_not_found_that_is_not_true_leaves_nothing_out_of_an_export(
    code: str, operation: str, parameter: str, value: str
) -> None:
    whole = Region(estate_of_every_kind()).source().export()
    region = Region(estate_of_every_kind(), intervene=spurious(1, code, operation, parameter, value))
    assert region.source().export() == whole


def two_sides(*ingress: Shape) -> Saved:
    """`web` sends to an instance and an address; both carry sg-app with these inbound rules. `api` sends elsewhere."""
    return estate(
        load_balancer(),
        load_balancer("api", groups=["sg-2"]),
        listener(443, forward=["web"]),
        group(egress=[all_traffic(ANYWHERE)]),
        group("sg-2", egress=[all_traffic(ANYWHERE)]),
        group("sg-app", ingress=ingress),
        group("sg-db"),
        target_group("web", type="instance", targets=["i-1"]),
        target_group("tasks", targets=["10.0.1.6"]),
        target_group("api", targets=["10.0.1.7"], load_balancers=["api"]),
        instance("i-1", "10.0.1.5"),
        interface("10.0.1.5", instance="i-1"),
        interface("10.0.1.6"),
        interface("10.0.1.7", groups=["sg-db"]),
        prefix_list("pl-1", "10.0.0.0/16"),
    )


OF_TARGETS = Selection(
    security_groups=frozenset({"sg-app"}),
    target_security_groups=frozenset({"sg-app"}),
)


@pytest.mark.parametrize("selection", [EVERYTHING, named(WEB, API)], ids=["everything", "named"])
@pytest.mark.parametrize("ingress", [[], [tcp(80, "sg-1")], [tcp(80, "pl-1")], [tcp(80, "10.0.1.0/24")]])
def test_the_targets_side_is_judged_as_in_a_saved_estate(selection: Selection, ingress: list[Shape]) -> None:
    saved = two_sides(*ingress)
    loaded = Region(saved).source().load(selection, sections(TARGETS))
    assert findings(loaded, TARGETS) == findings_saved(saved, TARGETS)


def test_the_targets_side_of_an_account_takes_account_wide_calls() -> None:
    region = Region(two_sides(tcp(80, "sg-1")))
    region.source().load(EVERYTHING, sections(TARGETS))
    calls = region.counts()
    assert {name: calls[name] for name in ("DescribeSecurityGroups", "DescribeSubnets", "DescribeInstances")} == {
        "DescribeSecurityGroups": 1,
        "DescribeSubnets": 1,
        "DescribeInstances": 1,
    }
    assert calls["DescribeNetworkInterfaces"] == 1


def test_subnets_that_were_not_read_are_an_error_unless_a_reference_covers() -> None:
    def deny(call: Call) -> Shape | None:
        if call.operation == "DescribeSubnets":
            raise Refused("UnauthorizedOperation")
        return None

    for ingress, expected in (([tcp(80, "sg-1")], []), ([tcp(80, "10.0.1.0/24", "10.0.2.0/24")], ["subnet subnet-a"])):
        loaded = Region(two_sides(*ingress), intervene=deny).source().load(named(WEB), sections(TARGETS))
        _, errors = findings(loaded, TARGETS)
        assert [error.what for error in errors] == expected
        assert all("DescribeSubnets: UnauthorizedOperation" in error.cause for error in errors)


def test_a_change_of_a_targets_group_finds_the_load_balancers_that_send_to_its_carriers() -> None:
    saved = two_sides()
    region = Region(saved)
    loaded = region.source().load(OF_TARGETS, sections(TARGETS))
    assert [found.name for found in loaded.selected] == ["web"]
    assert loaded.not_followed == ()
    found, errors = findings(loaded, TARGETS)
    assert not errors
    assert found == [one for one in findings_saved(saved, TARGETS)[0] if one.load_balancer_name == "web"]
    # One for each target group in the VPC, with any targets.
    assert region.counts()["DescribeTargetHealth"] == 3


def test_a_change_of_a_group_that_no_target_carries_finds_none() -> None:
    saved = two_sides()
    saved["SecurityGroups"].append(group("sg-new"))
    region = Region(saved)
    selection = Selection(security_groups=frozenset({"sg-new"}), target_security_groups=frozenset({"sg-new"}))
    assert region.source().load(selection, sections(TARGETS)).selected == ()
    # Nothing carries it, so no target group needs to be asked.
    assert "DescribeTargetHealth" not in region.counts()


@pytest.mark.parametrize(("count", "followed"), [(10, True), (100, True), (101, False), (1000, False)])
def test_a_change_of_a_targets_group_takes_a_bounded_number_of_calls(count: int, followed: bool) -> None:
    """Beyond the bound nobody looks, and that is said: the periodic run judges them."""
    groups = [target_group(f"tg-{number}", targets=["10.0.1.5"]) for number in range(count)]
    saved = estate(load_balancer(), *groups, group(), group("sg-app"), interface("10.0.1.5"))
    region = Region(saved)
    loaded = region.source().load(OF_TARGETS, sections(TARGETS))
    assert [found.name for found in loaded.selected] == (["web"] if followed else [])
    assert region.counts().get("DescribeTargetHealth", 0) == (count if followed else 0)
    assert [f"{count} target groups" in text for text in loaded.not_followed] == ([] if followed else [True])


def test_a_failed_search_for_carriers_is_an_error_of_the_enumeration() -> None:
    def deny(call: Call) -> Shape | None:
        if call.operation == "DescribeNetworkInterfaces":
            raise Refused("RequestLimitExceeded")
        return None

    loaded = Region(two_sides(), intervene=deny).source().load(OF_TARGETS, sections(TARGETS))
    assert loaded.enumeration_failure is not None
    assert "RequestLimitExceeded" in loaded.enumeration_failure.cause


def over_a_peering(*, status: str = "active", address: str = "10.9.1.5", kind: str = "ip") -> Saved:
    """`web` in vpc-1 sends to an address in the peered vpc-9, whose interface carries sg-far; `api` to one of its own
    VPC, and its groups name no other."""
    far = reference("sg-far", peering="pcx-1", vpc="vpc-9", status=status)
    return estate(
        load_balancer(),
        load_balancer("api", groups=["sg-2"]),
        group(egress=[tcp(80, far)]),
        group("sg-2", egress=[all_traffic(ANYWHERE)]),
        group("sg-far", vpc="vpc-9"),
        target_group("web", type=kind, targets=[address]),
        target_group("api", targets=["10.0.1.7"], load_balancers=["api"]),
        interface("10.9.1.5", groups=["sg-far"], vpc="vpc-9"),
        interface("10.0.1.7", groups=["sg-db"]),
        vpc("10.0.0.0/16"),
        vpc("10.9.0.0/16", id="vpc-9"),
    )


OF_FAR_TARGETS = Selection(
    security_groups=frozenset({"sg-far"}),
    target_security_groups=frozenset({"sg-far"}),
)


def test_a_change_of_a_targets_group_finds_the_load_balancers_beyond_a_peering() -> None:
    saved = over_a_peering()
    region = Region(saved)
    loaded = region.source().load(OF_FAR_TARGETS, sections(TARGETS))
    assert [found.name for found in loaded.selected] == ["web"]
    found, errors = findings(loaded, TARGETS)
    assert (errors, loaded.enumeration_failure) == ([], None)
    assert found == [one for one in findings_saved(saved, TARGETS)[0] if one.load_balancer_name == "web"]
    assert [one.compliance.value for one in found] == ["NON_COMPLIANT"]
    # Only the groups of `web` name the VPC, so that the target group of `api` is not read.
    assert region.counts()["DescribeTargetHealth"] == 1


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(over_a_peering(status="deleted"), id="the peering is gone: semantics §6 judges no such target"),
        pytest.param(over_a_peering(address="10.9.1.6"), id="another address"),
        pytest.param(over_a_peering(kind="instance", address="i-9"), id="instances are in the target group's VPC"),
    ],
)
def test_a_change_beyond_a_peering_finds_no_others(saved: Saved) -> None:
    loaded = Region(saved).source().load(OF_FAR_TARGETS, sections(TARGETS))
    assert (loaded.selected, loaded.enumeration_failure, loaded.not_followed) == ((), None, ())


def test_groups_that_may_name_a_peered_vpc_and_cannot_be_read_are_an_error_of_the_enumeration() -> None:
    def deny(call: Call) -> Shape | None:
        if call.operation == "DescribeSecurityGroups":
            raise Refused("RequestLimitExceeded")
        return None

    loaded = Region(over_a_peering(), intervene=deny).source().load(OF_FAR_TARGETS, sections(TARGETS))
    assert loaded.enumeration_failure is not None
    assert "DescribeSecurityGroups: RequestLimitExceeded" in loaded.enumeration_failure.cause


def test_target_groups_beyond_a_peering_count_towards_the_bound() -> None:
    saved = over_a_peering()
    saved["TargetGroups"] += [target_group(f"tg-{number}") for number in range(100)]
    for added in saved["TargetGroups"]:
        added.pop("TargetHealthDescriptions", None)
    loaded = Region(saved).source().load(OF_FAR_TARGETS, sections(TARGETS))
    assert loaded.selected == ()
    assert ["101 target groups would have to be read" in text for text in loaded.not_followed] == [True]


def test_a_change_of_a_network_load_balancers_group_finds_those_that_send_to_its_addresses() -> None:
    """Its addresses are static, so that they may be registered; it is no target of type `alb` there."""
    saved = estate(
        load_balancer(),
        group(),
        network_load_balancer(groups=["sg-nlb"]),
        group("sg-nlb"),
        node("10.0.1.5", of="nlb", type="network", groups=["sg-nlb"]),
        target_group("web", targets=["10.0.1.5"]),
    )
    selection = Selection(security_groups=frozenset({"sg-nlb"}), target_security_groups=frozenset({"sg-nlb"}))
    loaded = Region(saved).source().load(selection, sections(TARGETS))
    assert [found.name for found in loaded.selected] == ["web"]
    found, _ = findings(loaded, TARGETS)
    assert [one.compliance.value for one in found] == ["NON_COMPLIANT"]


def test_a_carrier_whose_addresses_are_not_known_may_be_any_target() -> None:
    saved = two_sides()
    saved["NetworkInterfaces"][0]["Ipv4Prefixes"] = [7]
    loaded = Region(saved).source().load(OF_TARGETS, sections(TARGETS))
    assert loaded.enumeration_failure is not None
    assert "Ipv4Prefixes" in loaded.enumeration_failure.cause
