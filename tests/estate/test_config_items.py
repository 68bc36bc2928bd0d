"""AWS Config's recordings: every published spelling reads the same, and the latest item of a resource counts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.config_documents import MESSAGES_WITHOUT_ITEM
from alb_sg.estate.config_item import ITEM_TYPES
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.model import (
    Instance,
    InstanceInterface,
    Listener,
    LoadBalancer,
    Permission,
    PrefixList,
    SecurityGroup,
    SecurityGroupReference,
    Subnet,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.estate.resource_types import SECTION_BY_TYPE
from alb_sg.estate.sections import SECTION_ATTRIBUTES, Section
from alb_sg.estate.snapshots.files import read_config_items
from tests.estate.example import (
    ACCOUNT,
    BLUE,
    EARLIER,
    HTTP,
    HTTPS,
    IDLE,
    LATER,
    PREFIX_LIST,
    REGION,
    TYPES,
    WEB,
    Shape,
    config_item,
    config_items,
    lower_camel,
    saved,
    write,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "config-items"
LOAD_BALANCER, LISTENER, TARGET_GROUP, SECURITY_GROUP = (
    TYPES[section][0] for section in ("LoadBalancers", "Listeners", "TargetGroups", "SecurityGroups")
)


def read(folder: Path, document: Any) -> Estate:
    [estate] = read_config_items([write(folder, document)])
    return estate


def refusal(*paths: str) -> str:
    """What a user is told, without the folder that the file lies in."""
    with pytest.raises(InvalidInputError) as refused:
        read_config_items(paths)
    return str(refused.value).replace(str(Path(paths[0]).parent) + "/", "")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """The example as its saved estate gives it."""
    [estate] = read_export_file(write(tmp_path_factory.mktemp("saved"), saved()))
    return estate


def _sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


def _elb(account: str, region: str, name: str) -> str:
    return f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}"


_TEST_LOAD_BALANCER = _elb("644160558196", "us-east-1", "test/7299960b1f36557d")
_MIGRATION = _elb("644160558196", "us-east-1", "Migration-QAEAST-ELB/6b0fe08b851e2aa")
_MY_ALB = _elb("264683526309", "us-east-1", "MyALB/268aa84731d32825")
_RDK_LOAD_BALANCER = _elb("111111111111", "us-east-2", "test/abcd95d05fc9fc53")
_RDK_TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-2:111111111111:targetgroup/test/abcd9b2e38491ce1"
_RDK_LISTENER = (
    "arn:aws:elasticloadbalancing:us-east-2:111111111111:listener/app/test/abcd95d05fc9fc53/abcd983295de2c72"
)


def _named_by(arn: str) -> ReadFailure:
    """The load balancer of rdk's samples, which others name and which has no item in the same file."""
    cause = f"named by {arn}, but AWS Config has no item of it"
    return ReadFailure(Section.LOAD_BALANCERS, _RDK_LOAD_BALANCER, cause)


def _open(protocol: str, port: int | None, *references: SecurityGroupReference) -> Permission:
    return Permission(protocol, port, port, () if references else ("0.0.0.0/0",), (), references)


_EVERYTHING = (_open("-1", None),)
_ITSELF = SecurityGroupReference("sg-0bf9c8e5ea6375194", "777719877733", None, None, None)


def _groups(account_id: str, region: str, group: SecurityGroup) -> list[Estate]:
    return [Estate(account_id, region, security_groups={group.id: group}, has_all_security_groups=True)]


READABLE: dict[str, list[Estate]] = {
    # A rule's event: the item is in text within the event, its configuration in lowerCamel.
    "c7n_app-elb-config-event.json": [
        Estate(
            "644160558196",
            "us-east-1",
            {
                _TEST_LOAD_BALANCER: LoadBalancer(
                    _TEST_LOAD_BALANCER,
                    "test",
                    "application",
                    "internal",
                    "active",
                    "vpc-f1516b97",
                    "ipv4",
                    ("sg-4b9ada34",),
                    ("subnet-6f273034", "subnet-ecfb30a4"),
                )
            },
            tags={_TEST_LOAD_BALANCER: {"App": "DevTest", "Env": "Dev"}},
        )
    ],
    # `configuration` and `supplementaryConfiguration` in text; the item's own tags go before the supplementary.
    "c7n_app-elb.json": [
        Estate(
            "644160558196",
            "us-east-1",
            {
                _MIGRATION: LoadBalancer(
                    _MIGRATION,
                    "Migration-QAEAST-ELB",
                    "application",
                    "internal",
                    "active",
                    "vpc-bbaaeb9",
                    "ipv4",
                    ("sg-111222333", "sg-333444555", "sg-666777888", "sg-aaacccddd"),
                    ("subnet-93111aaa", "subnet-95222bbb", "subnet-ac333ccc"),
                )
            },
            tags={
                _MIGRATION: {
                    "App": "ARTIFACTPLATFORM",
                    "Env": "QA",
                    "Name": "Artifactory ELB",
                    "OwnerContact": "me@example.com",
                    "TeamName": "Frogger",
                }
            },
        )
    ],
    # `ipRanges` as strings beside `ipv4Ranges`.
    "c7n_event-config-rule-security-group.json": _groups(
        "123456789012",
        "eu-west-1",
        SecurityGroup("sg-e2fb6999", "sg_open_ssh", "vpc-f16e4296", (_open("tcp", 22),), _EVERYTHING, "123456789012"),
    ),
    # Without an account: the ARN in the configuration tells it. Entries in Pascal.
    "constructed_AWS_EC2_PrefixList.json": [
        Estate(
            "111111111111",
            "us-east-2",
            prefix_lists={
                "pl-0123456789abcdef0": PrefixList(
                    "pl-0123456789abcdef0", "corp", Family.IPV4, ("10.0.0.0/8",), "111111111111", 10
                )
            },
        )
    ],
    "constructed_AWS_ElasticLoadBalancingV2_TargetGroup.json": [
        Estate(
            "111111111111",
            "us-east-2",
            target_groups={
                _RDK_TARGET_GROUP: TargetGroup(
                    _RDK_TARGET_GROUP, "test", "instance", 80, "vpc-1", Family.IPV4, (_RDK_LOAD_BALANCER,), True, None
                )
            },
            targets={_RDK_TARGET_GROUP: (Target("i-0123456789abcdef0", 8080, None),)},
            failures=(_named_by(_RDK_TARGET_GROUP),),
        )
    ],
    "public_AWS_EC2_SecurityGroup_2020.json": _groups(
        "777719877733",
        "us-west-2",
        SecurityGroup(
            "sg-0bf9c8e5ea6375194",
            "default",
            "vpc-009882a2845337a77",
            (_open("tcp", 80), _open("-1", None, _ITSELF)),
            _EVERYTHING,
            "777719877733",
        ),
    ),
    # Nothing in it is of a type that a verdict needs.
    "public_ConfigSnapshot_2022.json": [],
    "rdk-1.0.0_AWS_EC2_Instance.json": [
        Estate(
            "681361479661",
            "us-east-1",
            instances={
                "i-03402838daac1d611": Instance(
                    "i-03402838daac1d611",
                    "172.31.74.239",
                    None,
                    ("sg-fd215482",),
                    (InstanceInterface("eni-d055cfc4", ("sg-fd215482",)),),
                )
            },
        )
    ],
    # 2016: `ipRanges` as strings, and no `ipv4Ranges` yet.
    "rdk-1.0.0_AWS_EC2_SecurityGroup.json": _groups(
        "264683526309",
        "us-east-1",
        SecurityGroup(
            "sg-1d56fc66", "launch-wizard-7", "vpc-0990dc6d", (_open("tcp", 22),), _EVERYTHING, "264683526309"
        ),
    ),
    # 2016: no association set of IPv6 blocks yet.
    "rdk-1.0.0_AWS_EC2_Subnet.json": [
        Estate(
            "264683526309",
            "us-east-1",
            subnets={
                "subnet-29428871": Subnet(
                    "subnet-29428871", "vpc-0990dc6d", {Family.IPV4: ("172.31.16.0/20",), Family.IPV6: ()}
                )
            },
        )
    ],
    # 2016: no association sets yet, the block alone.
    "rdk-1.0.0_AWS_EC2_VPC.json": [
        Estate(
            "264683526309",
            "us-east-1",
            vpcs={"vpc-0990dc6d": Vpc("vpc-0990dc6d", {Family.IPV4: ("172.31.0.0/16",), Family.IPV6: ()})},
        )
    ],
    "rdk-1.0.0_AWS_ElasticLoadBalancingV2_Listener.json": [
        Estate(
            "111111111111",
            "us-east-2",
            listeners={
                _RDK_LOAD_BALANCER: (Listener(_RDK_LISTENER, _RDK_LOAD_BALANCER, "HTTP", 80, (_RDK_TARGET_GROUP,)),)
            },
            failures=(_named_by(_RDK_LISTENER),),
        )
    ],
    # 2016: no address type yet; it was IPv4.
    "rdk-1.0.0_AWS_ElasticLoadBalancingV2_LoadBalancer.json": [
        Estate(
            "264683526309",
            "us-east-1",
            {
                _MY_ALB: LoadBalancer(
                    _MY_ALB,
                    "MyALB",
                    "application",
                    "internet-facing",
                    "active",
                    "vpc-0990dc6d",
                    "ipv4",
                    ("sg-2ed0d557",),
                    ("subnet-29428871", "subnet-38c20312"),
                )
            },
            tags={_MY_ALB: {}},
        )
    ],
}

REFUSED_SAMPLES = {
    "c7n_config_poll-evaluation.json": (
        "invokingEvent: ScheduledNotification carries no configuration item; "
        "use a change notification or a ConfigSnapshot file"
    ),
    "rdk-1.0.0_AWS_EC2_NetworkInterface.json": "not JSON: Expecting ',' delimiter at line 88, column 1",
    "public_AWS_EC2_VPC_2019.json": "awsAccountId: missing, and no ARN names it; add it to the record",
}

RECORDED_ANSWERS = {
    "c7n_test_aws_lambda_config_source_config.SelectResourceConfig_1.json",
    "c7n_test_ecs_service_config_config.GetResourceConfigHistory_1.json",
}


def test_every_sample_has_its_test() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == READABLE.keys() | REFUSED_SAMPLES.keys() | RECORDED_ANSWERS


@pytest.mark.parametrize("name", READABLE)
def test_recorded_samples_are_read(name: str) -> None:
    assert read_config_items([str(SAMPLES / name)]) == READABLE[name]


@pytest.mark.parametrize("name", REFUSED_SAMPLES)
def test_samples_that_are_no_items_are_refused_in_one_sentence(name: str) -> None:
    assert refusal(str(SAMPLES / name)) == f"{name}: {REFUSED_SAMPLES[name]}"


def test_a_recorded_vpc_in_text_is_read_once_its_account_is_known(tmp_path: Path) -> None:
    item = _sample("public_AWS_EC2_VPC_2019.json") | {"accountId": ACCOUNT, "awsRegion": REGION}
    assert isinstance(item["configuration"], str)
    assert read(tmp_path, item).vpcs == {
        "vpc-88f114f1": Vpc("vpc-88f114f1", {Family.IPV4: ("172.31.0.0/16",), Family.IPV6: ()})
    }


def test_a_recorded_interface_is_read_once_its_bracket_is_closed(tmp_path: Path) -> None:
    [item] = json.loads((SAMPLES / "rdk-1.0.0_AWS_EC2_NetworkInterface.json").read_text() + "]")
    [interface] = (read(tmp_path, [item]).network_interfaces or {}).values()
    assert interface.ipv4_addresses == ("172.31.59.126",)
    assert interface.groups == ("sg-e627199e", "sg-e868d092")
    assert (interface.instance_id, interface.device_index) == ("i-d46cc9e5", 0)


def test_a_recorded_history_is_read_and_other_types_are_passed_over(tmp_path: Path) -> None:
    """The recording spells its times as no API does; nobody looks, because nobody needs the type."""
    answer = _sample("c7n_test_ecs_service_config_config.GetResourceConfigHistory_1.json")["data"]
    assert read_config_items([write(tmp_path, answer)]) == []


def test_a_recorded_query_must_select_the_type(tmp_path: Path) -> None:
    answer = _sample("c7n_test_aws_lambda_config_source_config.SelectResourceConfig_1.json")["data"]
    assert refusal(write(tmp_path, answer)) == "given.json: Results[0].resourceType: text is missing"
    [row] = answer["Results"]
    answer["Results"] = [json.dumps(json.loads(row) | {"resourceType": "AWS::Lambda::Function"})]
    assert read_config_items([write(tmp_path, answer)]) == []


def test_items_read_as_the_saved_estate_of_the_same(tmp_path: Path, expected: Estate) -> None:
    assert read(tmp_path, config_items()) == expected


def test_every_type_is_in_the_example() -> None:
    assert {item["resourceType"] for item in config_items()} == ITEM_TYPES.keys() == SECTION_BY_TYPE.keys()
    assert set(SECTION_BY_TYPE.values()) <= SECTION_ATTRIBUTES.keys() | {"LoadBalancers"}


def _each(change: Callable[[Shape], object]) -> Callable[[list[Shape]], list[Shape]]:
    def changed(items: list[Shape]) -> list[Shape]:
        for item in items:
            change(item)
        return items

    return changed


def _of(type_name: str, change: Callable[[Shape], object]) -> Callable[[list[Shape]], list[Shape]]:
    return _each(lambda item: change(item) if item["resourceType"] == type_name else None)


def _without(item: Shape, *fields: str) -> None:
    for field in fields:
        del item[field]


def _home_in_the_arn_alone(item: Shape) -> None:
    resource_id = item["resourceId"]
    if resource_id.startswith("arn:"):
        item["arn"] = resource_id
    else:
        item["ARN"] = f"arn:aws:ec2:{REGION}:{ACCOUNT}:thing/{resource_id}"
    _without(item, "awsAccountId", "awsRegion")


def _permissions(change: Callable[[Shape], object]) -> Callable[[list[Shape]], list[Shape]]:
    def changed(item: Shape) -> None:
        configuration = item["configuration"]
        for field in ("IpPermissions", "IpPermissionsEgress"):
            for permission in configuration.get(field, []):
                change(permission)

    return _of(SECURITY_GROUP, changed)


def _ranges_as_strings(permission: Shape) -> None:
    permission["IpRanges"] = [block["CidrIp"] for block in permission.get("IpRanges", [])]


def _ranges_beside_ipv4_ranges(permission: Shape) -> None:
    permission["Ipv4Ranges"] = [{"cidrIp": block["CidrIp"]} for block in permission.get("IpRanges", [])]
    _ranges_as_strings(permission)


def _numbers_as(write_number: Callable[[int], Any]) -> Callable[[list[Shape]], list[Shape]]:
    def written(value: Any) -> Any:
        if isinstance(value, list):
            return [written(element) for element in value]
        if isinstance(value, dict):
            return {key: written(inner) for key, inner in value.items()}
        return write_number(value) if type(value) is int else value

    return _each(lambda item: item.update(configuration=written(item["configuration"])))


def _null_for_what_is_absent(item: Shape) -> None:
    for field in ("IpAddressType", "IpPermissions", "IpPermissionsEgress", "Description"):
        item["configuration"][field] = item["configuration"].get(field) or None


def _without_empty_lists(item: Shape) -> None:
    item["configuration"] = {name: value for name, value in item["configuration"].items() if value != []}


def _tags_in_supplementary_configuration(*, as_text: bool) -> Callable[[list[Shape]], list[Shape]]:
    def change(item: Shape) -> None:
        tags: Any = [{"key": key, "value": value} for key, value in item.pop("tags").items()]
        item["supplementaryConfiguration"]["Tags"] = json.dumps(tags) if as_text else tags

    return _of(LOAD_BALANCER, change)


def _published(item: Shape | None) -> str:
    """A change as AWS Config publishes it to a topic; without an item, a change of compliance."""
    message = (
        {"messageType": "ComplianceChangeNotification", "newEvaluationResult": {}}
        if item is None
        else {"messageType": "ConfigurationItemChangeNotification", "configurationItem": item}
    )
    return json.dumps({"Type": "Notification", "Message": json.dumps(message)})


def _as_text(item: Shape, field: str) -> None:
    item[field] = json.dumps(item[field])


SPELLINGS: list[tuple[str, Callable[[list[Shape]], list[Shape]]]] = [
    ("lowerCamel", _each(lambda item: item.update(configuration=lower_camel(item["configuration"])))),
    ("configuration in text", _each(lambda item: _as_text(item, "configuration"))),
    ("supplementary configuration in text", _each(lambda item: _as_text(item, "supplementaryConfiguration"))),
    ("accountId", _each(lambda item: item.update(accountId=item.pop("awsAccountId")))),
    (
        "the account and region in the ARN alone",
        _each(_home_in_the_arn_alone),
    ),
    ("no resourceId beside the configuration's own id", _each(lambda item: _without(item, "resourceId"))),
    (
        "a load balancer's ARN in the item alone",
        _of(LOAD_BALANCER, lambda item: _without(item["configuration"], "LoadBalancerArn")),
    ),
    ("numbers as floats", _numbers_as(float)),
    ("numbers as text", _numbers_as(str)),
    ("ipRanges as strings", _permissions(_ranges_as_strings)),
    ("ipRanges as strings beside ipv4Ranges", _permissions(_ranges_beside_ipv4_ranges)),
    (
        "a protocol by its number",
        _permissions(lambda one: one.update(IpProtocol={"tcp": "6"}.get(one["IpProtocol"], one["IpProtocol"]))),
    ),
    ("a protocol in capitals", _permissions(lambda one: one.update(IpProtocol=one["IpProtocol"].upper()))),
    (
        "prefix lists as strings",
        _permissions(
            lambda one: one.update(PrefixListIds=[found["PrefixListId"] for found in one.get("PrefixListIds", [])])
        ),
    ),
    ("null for what is absent", _each(_null_for_what_is_absent)),
    ("no rules for a group that has none", _of(SECURITY_GROUP, _without_empty_lists)),
    (
        "security groups as {value}",
        _of(
            LOAD_BALANCER,
            lambda item: item["configuration"].update(
                SecurityGroups=[{"value": group} for group in item["configuration"]["SecurityGroups"]]
            ),
        ),
    ),
    ("tags in the supplementary configuration", _tags_in_supplementary_configuration(as_text=False)),
    ("tags in the supplementary configuration, in text", _tags_in_supplementary_configuration(as_text=True)),
    (
        "tags as a query gives them",
        _of(
            LOAD_BALANCER,
            lambda item: item.update(
                tags=[{"tag": f"{key}={value}", "key": key, "value": value} for key, value in item["tags"].items()]
            ),
        ),
    ),
    ("times in seconds since 1970", _each(lambda item: item.update(configurationItemCaptureTime=1767268800.5))),
    ("the state's id in text", _each(lambda item: item.update(configurationStateId="1767268800000"))),
    ("no times at all", _each(lambda item: _without(item, "configurationItemCaptureTime", "configurationStateId"))),
    ("no status", _each(lambda item: _without(item, "configurationItemStatus"))),
    ("just discovered", _each(lambda item: item.update(configurationItemStatus="ResourceDiscovered"))),
]

DOCUMENTS: list[tuple[str, Callable[[list[Shape]], Any]]] = [
    ("a ConfigSnapshot", lambda items: {"fileVersion": "1.0", "configSnapshotId": "1", "configurationItems": items}),
    ("a ConfigHistory", lambda items: {"fileVersion": "1.0", "configurationItems": items}),
    ("a batch", lambda items: {"baseConfigurationItems": items, "unprocessedResourceKeys": []}),
    ("an aggregator's batch", lambda items: {"BaseConfigurationItems": items, "UnprocessedResourceIdentifiers": []}),
    ("a query's rows in text", lambda items: {"Results": [json.dumps(item) for item in items]}),
    ("a query's rows", lambda items: {"Results": items}),
    ("notifications", lambda items: [{"configurationItem": item, "messageType": "any"} for item in items]),
    ("events", lambda items: [{"invokingEvent": json.dumps({"configurationItem": item})} for item in items]),
    (
        "messages of a queue, as a function gets them",
        lambda items: {"Records": [{"body": _published(item)} for item in items]},
    ),
    (
        "messages of a queue, as a command gets them",
        lambda items: {"Messages": [{"Body": _published(one)} for one in items]},
    ),
    (
        "messages of a queue, some of which report no resource",
        lambda items: {"Records": [{"body": _published(item)} for item in (*items, None)]},
    ),
    ("several snapshots in one file", lambda items: [{"configurationItems": [item]} for item in items]),
]


@pytest.mark.parametrize(
    "spell", [spell for _, spell in (*SPELLINGS, *DOCUMENTS)], ids=[name for name, _ in (*SPELLINGS, *DOCUMENTS)]
)
def test_every_spelling_reads_the_same(tmp_path: Path, expected: Estate, spell: Callable[[list[Shape]], Any]) -> None:
    spelled = spell(config_items())
    assert json.dumps(spelled) != json.dumps(config_items())
    assert read(tmp_path, spelled) == expected


def test_one_single_item_is_read(tmp_path: Path, expected: Estate) -> None:
    item = next(item for item in config_items() if item["resourceType"] == PREFIX_LIST)
    assert read(tmp_path, item).prefix_lists == expected.prefix_lists


def test_the_user_s_own_words_are_no_field_names(tmp_path: Path) -> None:
    """A tag named like a field, in either case, stays what it is."""
    words = {"groupId": "a", "GroupId": "b", "ipPermissions": "c"}
    group = config_item(SECURITY_GROUP, "sg-1", {"groupId": "sg-1", "tags": words, "Tags": list(words)}, tags=words)
    assert set(read(tmp_path, [group]).security_groups or ()) == {"sg-1"}
    balancer = next(item for item in config_items() if item["resourceId"] == WEB) | {"tags": words}
    assert read(tmp_path, [balancer]).tags == {WEB: words}


BLOCKS = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24", "0.0.0.0/1", "128.0.0.0/1"])
PERMISSIONS = st.fixed_dictionaries(
    {
        "IpProtocol": st.sampled_from(["tcp", "udp"]),
        "FromPort": st.integers(0, 100),
        "ToPort": st.integers(100, 65535),
        "IpRanges": st.lists(BLOCKS.map(lambda block: {"CidrIp": block}), unique_by=lambda block: block["CidrIp"]),
        "Ipv6Ranges": st.lists(st.just({"CidrIpv6": "::/0"}), max_size=1),
        "PrefixListIds": st.lists(st.just({"PrefixListId": "pl-1"}), max_size=1),
    }
)
# Without times an item and one that it supersedes cannot be told apart.
DATED_SPELLINGS = [spell for name, spell in SPELLINGS if name != "no times at all"]


@st.composite
def recordings(draw: st.DrawFn) -> tuple[Shape, list[Any]]:
    """A saved estate, and documents that say the same in items: each spelled its own way, some superseded, some
    twice, in any order and over any number of files."""
    permissions = draw(st.lists(PERMISSIONS, max_size=4))
    estate = saved()
    estate["SecurityGroups"][1]["IpPermissions"] = permissions
    items: list[Shape] = []
    for item in config_items():
        if item["resourceId"] == "sg-admin":
            item["configuration"]["IpPermissions"] = copy.deepcopy(permissions)
        if draw(st.booleans()):
            items.append(item | {"configurationItemCaptureTime": EARLIER, "configurationItemStatus": "ResourceDeleted"})
        if draw(st.booleans()):
            gone = {"configurationStateId": 5, "configurationItemStatus": "ResourceNotRecorded", "configuration": None}
            items.append(item | gone)
        for _ in range(draw(st.integers(1, 2))):
            spell = draw(st.sampled_from(DATED_SPELLINGS))
            [spelled] = spell([copy.deepcopy(item)])
            items.append(spelled)
    shuffled = draw(st.permutations(items))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=3)))
    return estate, [
        draw(st.sampled_from([document for _, document in DOCUMENTS]))(shuffled[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
    ]


@pytest.mark.slow
@given(recordings(), st.randoms(use_true_random=False))
def test_neither_spelling_nor_the_order_of_items_and_files_matters(given_case: Any, random: Any) -> None:
    estate, documents = given_case
    with TemporaryDirectory() as folder:
        names = [f"{number}.json" for number in range(len(documents))]
        random.shuffle(names)
        paths = [write(Path(folder), document, name) for document, name in zip(documents, names, strict=True)]
        assert read_config_items(paths) == read_export_file(write(Path(folder), estate, "saved"))


def _group(group_id: str = "sg-1", block: str = "10.0.0.0/8", **changes: Any) -> Shape:
    permission = {"ipProtocol": "-1", "ipRanges": [block]}
    return config_item(SECURITY_GROUP, group_id, {"groupId": group_id, "ipPermissions": [permission]}, **changes)


OLD, NEW = "10.0.0.0/8", "192.0.2.0/24"

SUCCESSIONS: list[tuple[str, list[Shape], str | None]] = [
    (
        "the later capture counts",
        [
            _group(block=OLD, configurationItemCaptureTime=EARLIER),
            _group(block=NEW, configurationItemCaptureTime=LATER),
        ],
        NEW,
    ),
    (
        "times are compared, not their texts: 10:00 at +02:00 is before 09:00 UTC",
        [
            _group(block=NEW, configurationItemCaptureTime=EARLIER),
            _group(block=OLD, configurationItemCaptureTime="2026-01-01T10:00:00.000000+02:00"),
        ],
        NEW,
    ),
    (
        "of one time, the state's id decides, as a number: 100 after 99",
        [_group(block=OLD, configurationStateId="99"), _group(block=NEW, configurationStateId="100")],
        NEW,
    ),
    ("the same item twice is one", [_group(block=NEW), _group(block=NEW)], NEW),
    (
        "a deleted one is gone, and its configuration may be null",
        [
            _group(configurationItemCaptureTime=EARLIER),
            _group(configurationItemStatus="ResourceDeleted") | {"configuration": None},
        ],
        None,
    ),
    (
        "deleted while its type was not recorded: gone as well",
        [_group(configurationItemCaptureTime=EARLIER), _group(configurationItemStatus="ResourceDeletedNotRecorded")],
        None,
    ),
    (
        "made again after it was deleted",
        [
            _group(configurationItemStatus="ResourceDeleted") | {"configuration": None},
            _group(block=NEW, configurationItemCaptureTime=LATER),
        ],
        NEW,
    ),
    (
        "two that contradict each other are of no concern once a later one is there",
        [
            _group(block=OLD),
            _group(block="172.16.0.0/12"),
            _group(block=NEW, configurationItemCaptureTime=LATER),
        ],
        NEW,
    ),
    ("a state's id that is no number decides nothing", [_group(block=NEW, configurationStateId="first")], NEW),
    (
        "a later time decides without the state's id",
        [_group(block=OLD), _group(block=NEW, configurationItemCaptureTime=LATER, configurationStateId=1.5)],
        NEW,
    ),
    (
        "so does an earlier one",
        [_group(block=OLD, configurationItemCaptureTime=EARLIER, configurationStateId=True), _group(block=NEW)],
        NEW,
    ),
    (
        "one whose state's id is no number says the same as the latest, and not as the one before",
        [
            _group(block=OLD, configurationStateId=1),
            _group(block=NEW, configurationStateId="second"),
            _group(block=NEW, configurationStateId=2),
        ],
        NEW,
    ),
    (
        "two that contradict each other, before one whose state's id is no number",
        [
            _group(block=OLD),
            _group(block="172.16.0.0/12"),
            _group(block=NEW, configurationItemCaptureTime=LATER, configurationStateId="x"),
        ],
        NEW,
    ),
    (
        "one without a time that says the same",
        [_group(block=NEW), _group(block=NEW, configurationItemCaptureTime=None)],
        NEW,
    ),
]


@pytest.mark.parametrize(
    ("items", "block"),
    [(items, block) for _, items, block in SUCCESSIONS],
    ids=[name for name, _, _ in SUCCESSIONS],
)
def test_the_latest_item_counts_in_any_order(tmp_path: Path, items: list[Shape], block: str | None) -> None:
    for number, order in enumerate((items, items[::-1])):
        # Another group keeps the type recorded where this one is gone.
        estate = read(tmp_path / str(number), [*order, _group("sg-other")])
        assert estate.security_groups is not None
        found = estate.security_groups.get("sg-1")
        assert (found.ingress[0].cidrs if found else None) == ((block,) if block else None)


@pytest.mark.parametrize("tags", [{"team": "web"}, {}])
def test_of_two_items_of_one_time_the_one_that_speaks_of_tags_tells_them(tmp_path: Path, tags: Shape) -> None:
    items = [_group(tags=None), _group(tags=tags)]
    for order in (items, items[::-1]):
        estate = read(tmp_path, order)
        assert estate.security_groups is not None
        assert estate.security_groups["sg-1"].tags == tags
    assert "captured at the same time differs" in refusal(write(tmp_path, [_group(tags={"team": "app"}), items[1]]))


def test_of_two_items_of_one_time_malformed_tags_are_not_forgotten(tmp_path: Path) -> None:
    """The other item is silent about tags: the group does not pass as one without any."""
    items = [_group(tags=None), _group(tags={"team": 1})]
    for order in (items, items[::-1]):
        group = read(tmp_path, order).security_group("sg-1")
        assert group.ingress
        with pytest.raises(NotReadError, match=r"tags\.team of security group sg-1: text was expected, not 1"):
            _ = group.known_tags


def test_two_items_of_one_time_that_differ_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path, {"configurationItems": [_group("sg-other"), _group(block=OLD)]}, "a.json")
    second = write(tmp_path, _group(block=NEW), "b.json")
    sentence = (
        "a.json: configurationItems[1]: another item of sg-1 captured at the same time differs, in b.json; "
        "remove one of them"
    )
    folder = f"{tmp_path}/"
    assert refusal(first, second).replace(folder, "") == sentence
    assert refusal(second, first).replace(folder, "") == sentence
    # Read between them, and of no concern.
    others = [_group("sg-2"), _group("sg-3")]
    between = [write(tmp_path, {"configurationItems": [other]}, f"aa{i}.json") for i, other in enumerate(others)]
    assert refusal(first, *between, second).replace(folder, "") == sentence


def test_an_undated_item_that_differs_is_refused(tmp_path: Path) -> None:
    items = [_group(block=OLD), _group(block=NEW, configurationItemCaptureTime=None)]
    for order, (dated, undated) in ((items, (0, 1)), (items[::-1], (1, 0))):
        told = refusal(write(tmp_path, order)).replace(f"{tmp_path}/", "")
        assert told == (
            f"given.json: [{undated}].configurationItemCaptureTime: missing, and this item differs from that in "
            f"given.json: [{dated}], so neither is known to be the latest"
        )


def test_one_of_two_equal_items_may_be_silent_about_tags(tmp_path: Path, expected: Estate) -> None:
    """A batch answer carries no `tags`; a snapshot does."""
    silent = [
        {key: value for key, value in item.items() if key not in ("tags", "supplementaryConfiguration")}
        for item in config_items()
    ]
    assert read(tmp_path / "1", [*silent, *config_items()]) == expected
    assert read(tmp_path / "2", [*config_items(), *silent]) == expected
    assert read(tmp_path / "3", silent).tags == {}


@pytest.mark.parametrize("type_name", sorted(ITEM_TYPES))
def test_a_type_without_a_single_item_is_unrecorded(tmp_path: Path, expected: Estate, type_name: str) -> None:
    estate = read(tmp_path, [item for item in config_items() if item["resourceType"] != type_name])
    section = SECTION_BY_TYPE[type_name]
    if section == "LoadBalancers":
        assert (estate.load_balancers, estate.tags) == ({}, None)
        return
    assert getattr(expected, SECTION_ATTRIBUTES[section])
    assert getattr(estate, SECTION_ATTRIBUTES[section]) is None
    assert estate.has_all_security_groups is (section != "SecurityGroups")
    assert (estate.targets is None) is (section == "TargetGroups")


@pytest.mark.parametrize("type_name", sorted(ITEM_TYPES))
def test_a_type_with_deleted_items_alone_is_recorded_and_empty(tmp_path: Path, type_name: str) -> None:
    for item in (items := config_items()):
        if item["resourceType"] == type_name:
            item.update(configurationItemStatus="ResourceDeleted", configuration=None)
    estate = read(tmp_path, items)
    section = SECTION_BY_TYPE[type_name]
    found = estate.load_balancers if section == "LoadBalancers" else getattr(estate, SECTION_ATTRIBUTES[section])
    assert found is not None
    assert not (any(found.values()) if section == "Listeners" else found)
    assert estate.has_all_security_groups


def _not_recorded(resource_id: str) -> list[Shape]:
    items = config_items()
    for item in items:
        if item["resourceId"] == resource_id:
            item.update(configurationItemStatus="ResourceNotRecorded", configuration=None)
    return items


NOT_RECORDED: list[tuple[str, str, Callable[[Estate], object]]] = [
    ("listeners of web", HTTP, lambda estate: estate.listeners_of(estate.load_balancers[WEB])),
    ("target groups of idle", BLUE, lambda estate: estate.target_groups_of(estate.load_balancers[IDLE])),
    ("security group sg-web", "sg-web", lambda estate: estate.security_group("sg-web")),
    ("VPC vpc-1", "vpc-1", lambda estate: estate.vpc("vpc-1")),
    ("network interfaces", "eni-1", lambda estate: estate.interface_at("vpc-1", Family.IPV4, 0)),
    ("instance i-2", "i-2", lambda estate: estate.instance("i-2")),
    ("prefix list pl-1", "pl-1", lambda estate: estate.prefix_list("pl-1")),
]


@pytest.mark.parametrize(("what", "resource_id", "ask"), NOT_RECORDED, ids=[what for what, _, _ in NOT_RECORDED])
def test_a_resource_that_is_not_recorded_is_unread_and_not_absent(
    tmp_path: Path, what: str, resource_id: str, ask: Callable[[Estate], object]
) -> None:
    estate = read(tmp_path, _not_recorded(resource_id))
    with pytest.raises(NotReadError) as unread:
        ask(estate)
    assert unread.value.what == what
    assert unread.value.cause == f"AWS Config does not record {resource_id} (ResourceNotRecorded)"


def test_recorded_data_stays_known_beside_unrecorded_data(tmp_path: Path, expected: Estate) -> None:
    estate = read(tmp_path, _not_recorded(HTTPS))
    assert estate.listeners == {IDLE: ()}
    estate = read(tmp_path, _not_recorded("sg-web"))
    assert estate.security_group("sg-admin") == expected.security_group("sg-admin")
    assert estate.deleted_security_groups == frozenset()
    assert not estate.has_all_security_groups
    estate = read(tmp_path, _not_recorded(IDLE))
    assert set(estate.load_balancers) == {WEB}
    assert estate.failures == (
        ReadFailure(Section.LOAD_BALANCERS, IDLE, f"AWS Config does not record {IDLE} (ResourceNotRecorded)"),
    )


def test_a_type_that_is_not_recorded_at_all_is_unrecorded(tmp_path: Path) -> None:
    items = [item for item in config_items() if item["resourceType"] != TARGET_GROUP]
    for status in ("ResourceNotRecorded", "ResourceDeletedNotRecorded"):
        gone = config_item(TARGET_GROUP, BLUE, None, configurationItemStatus=status)
        estate = read(tmp_path, [*items, gone])
        assert (estate.target_groups, estate.targets) == (None, None)


@pytest.mark.parametrize(
    ("targets", "known"),
    [
        ({}, None),
        ({"Targets": None}, None),
        ({"Targets": []}, ()),
        ({"targets": [{"id": "10.0.0.9", "port": "80"}]}, (Target("10.0.0.9", 80, None),)),
    ],
    ids=["absent: not recorded", "null: not recorded", "empty: none registered", "lowerCamel"],
)
def test_registrations_are_known_where_they_were_recorded(
    tmp_path: Path, targets: Shape, known: tuple[Target, ...] | None
) -> None:
    group = config_item(TARGET_GROUP, BLUE, {"TargetGroupArn": BLUE, "TargetType": "ip", "Port": 80.0, **targets})
    assert read(tmp_path, [group]).targets == ({} if known is None else {BLUE: known})


def test_accounts_and_regions_are_kept_apart_and_sorted(tmp_path: Path) -> None:
    items = [
        _group(block=NEW, awsRegion="us-east-1"),
        _group(awsAccountId="999999999999"),
        _group(awsAccountId="000000000001"),
        _group(),
    ]
    estates = read_config_items([write(tmp_path, items)])
    assert [(estate.account_id, estate.region) for estate in estates] == [
        ("000000000001", REGION),
        (ACCOUNT, REGION),
        (ACCOUNT, "us-east-1"),
        ("999999999999", REGION),
    ]


def test_a_directory_is_all_its_files_however_deep(tmp_path: Path, expected: Estate) -> None:
    items = config_items()
    write(tmp_path, items[:3], "AWSLogs/a.json")
    write(tmp_path, {"configurationItems": items[3:6]}, "AWSLogs/2026/b.json.gz")
    last = write(tmp_path, items[6:], "AWSLogs/2026/1/c.json")
    (tmp_path / "AWSLogs" / "ConfigWritabilityCheckFile").write_text("not JSON")
    told: list[tuple[int, int]] = []
    found = read_config_items([str(tmp_path), last], lambda done, total: told.append((done, total)))
    assert found == [expected]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_directory_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refusal(str(tmp_path / "empty")) == ("empty: this directory has no .json or .json.gz file, in or below it")


def _changed(item: Shape, *path: Any, value: Any) -> Shape:
    item = copy.deepcopy(item)
    inner: Any = item
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return item


def _example(resource_id: str) -> Shape:
    return next(item for item in config_items() if item["resourceId"] == resource_id)


OTHER = WEB.replace(ACCOUNT, "999999999999")
SPELLED_TWICE = config_item(SECURITY_GROUP, "sg-1", {"groupId": "sg-1", "groupName": "a", "GroupName": "b"})

REFUSED: list[tuple[str, Any, str]] = [
    (
        "another's configuration",
        [_group() | {"resourceId": "sg-2"}],
        "[0].configuration.GroupId: 'sg-1' differs from the item's own ID 'sg-2'",
    ),
    (
        "a listener of another account's load balancer",
        [_changed(_example(HTTP), "configuration", "LoadBalancerArn", value=OTHER)],
        f"[0].configuration.LoadBalancerArn: '{OTHER}' is of 999999999999 {REGION}, not of {ACCOUNT} {REGION}",
    ),
    (
        "an item of another account than its ARN",
        [_example(WEB) | {"awsAccountId": "999999999999"}],
        f"[0].resourceId: '{WEB}' is of {ACCOUNT} {REGION}, not of 999999999999 {REGION}",
    ),
    (
        "a number as account",
        [_group() | {"awsAccountId": 111122223333}],
        "[0].awsAccountId: a 12-digit account ID was expected as text, not 111122223333",
    ),
    (
        "no account and no ARN",
        [_group(awsAccountId=None)],
        "[0].awsAccountId: missing, and no ARN names it; add it to the record",
    ),
    (
        "no region and no ARN",
        [_group(awsRegion=None)],
        "[0].awsRegion: missing, and no ARN names it; add it to the record",
    ),
    ("no type", [_group() | {"resourceType": None}], "[0].resourceType: text is missing"),
    (
        "no id of something deleted",
        [_group(configurationItemStatus="ResourceDeleted", resourceId=None) | {"configuration": None}],
        "[0].resourceId: the resource ID is missing",
    ),
    ("a list where items belong", {"configurationItems": {}}, "configurationItems: a list was expected, not an object"),
    (
        "a number where an item belongs",
        {"configurationItems": [7]},
        "configurationItems[0]: an object was expected, not a number",
    ),
    (
        "a row that is no JSON",
        {"Results": ["{"]},
        "Results[0]: not JSON: Expecting property name enclosed in double quotes at line 1, column 2",
    ),
    (
        "null where the list of items belongs, which does not say that there is none",
        {"fileVersion": "1.0", "configurationItems": None},
        "configurationItems: a list was expected, not null",
    ),
    (
        "the first page of a query: what the others hold would read as not there",
        {"Results": [json.dumps(_group())], "NextToken": "more"},
        "NextToken: the response has further pages; collect all of them and remove this key",
    ),
    (
        "a saved estate",
        saved(),
        "this is a saved estate, not AWS Config items; give it with --estate",
    ),
    (
        "a list of what is there",
        {"resourceIdentifiers": []},
        "neither a configuration item nor a ConfigSnapshot, ConfigHistory, query result or event with items",
    ),
    (
        "an oversized notification, which has only a summary",
        {
            "invokingEvent": {
                "messageType": "OversizedConfigurationItemChangeNotification",
                "configurationItemSummary": {},
            }
        },
        (
            "invokingEvent: OversizedConfigurationItemChangeNotification carries no configuration item; "
            "use a change notification or a ConfigSnapshot file"
        ),
    ),
    (
        "a batch that left resources out",
        {"baseConfigurationItems": [], "unprocessedResourceKeys": [{"resourceType": SECURITY_GROUP}]},
        "unprocessedResourceKeys: some resources were not returned; request them again and remove this key",
    ),
    ("null", None, "an object was expected, not null"),
]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [(document, sentence) for _, document, sentence in REFUSED],
    ids=[name for name, _, _ in REFUSED],
)
def test_an_impossible_document_is_refused_with_its_place(tmp_path: Path, document: Any, sentence: str) -> None:
    assert refusal(write(tmp_path, document)) == f"given.json: {sentence}"


# An item with an ID concerns its resource alone: the file is read, and what depends on the resource is an error.
UNREAD: list[tuple[str, Any, ReadFailure]] = [
    (
        "a target's port that is none: the registrations are unread, the target group is not",
        _changed(_example(BLUE), "configuration", "Targets", 1, "Id", value=None),
        ReadFailure(Section.TARGET_HEALTH_DESCRIPTIONS, BLUE, "Targets[1].Id: text is missing"),
    ),
    (
        "a prefix list without entries: the items are the owner's, to whom nobody refuses them",
        _changed(_example("pl-1"), "configuration", "Entries", value=None),
        ReadFailure(Section.MANAGED_PREFIX_LISTS, "pl-1", "configuration.Entries: it is missing"),
    ),
    (
        "no configuration",
        [_group() | {"configuration": None}],
        ReadFailure(Section.SECURITY_GROUPS, "sg-1", "configuration: an object was expected, not null"),
    ),
    (
        "a configuration that is no JSON",
        [_group() | {"configuration": "{'a': 1}"}],
        ReadFailure(
            Section.SECURITY_GROUPS,
            "sg-1",
            "configuration: not JSON: Expecting property name enclosed in double quotes at line 1, column 2",
        ),
    ),
    (
        "a list as configuration",
        [_group() | {"configuration": "[]"}],
        ReadFailure(Section.SECURITY_GROUPS, "sg-1", "configuration: an object was expected, not a list"),
    ),
    (
        "one field in two spellings, of which neither is known to be meant",
        SPELLED_TWICE,
        ReadFailure(
            Section.SECURITY_GROUPS,
            "sg-1",
            "configuration.GroupName: given in two spellings with different values",
        ),
    ),
    (
        "a status that does not tell whether the resource exists",
        [_group(configurationItemStatus="Gone")],
        ReadFailure(
            Section.SECURITY_GROUPS,
            "sg-1",
            "configurationItemStatus: 'Gone' is not a configuration item status",
        ),
    ),
    (
        "no time, so that nobody knows whether it is the latest",
        [_group(configurationItemCaptureTime="yesterday"), _group(configurationItemCaptureTime="2026-01-01T00:00:00Z")],
        ReadFailure(
            Section.SECURITY_GROUPS,
            "sg-1",
            "configurationItemCaptureTime: a time was expected, not 'yesterday'",
        ),
    ),
    (
        "no number where it alone tells which item is the latest",
        [_group(configurationStateId="first"), _group(block="192.0.2.0/24")],
        ReadFailure(Section.SECURITY_GROUPS, "sg-1", "configurationStateId: a whole number was expected, not 'first'"),
    ),
    (
        "no number, and another item of its time says that the group is gone",
        [_group(configurationStateId=[]), _group(configurationItemStatus="ResourceDeleted")],
        ReadFailure(Section.SECURITY_GROUPS, "sg-1", "configurationStateId: a whole number was expected, not []"),
    ),
    (
        "two without a number",
        [_group(configurationStateId="x"), _group(configurationStateId="x", block="192.0.2.0/24")],
        ReadFailure(Section.SECURITY_GROUPS, "sg-1", "configurationStateId: a whole number was expected, not 'x'"),
    ),
    (
        "a load balancer's tag that is no text: only TagKey depends on it",
        [_example(WEB) | {"tags": {"a": 1}}],
        ReadFailure(Section.TAGS, WEB, "tags.a: text was expected, not 1"),
    ),
    (
        "a supplementary tag without a key",
        [_example(WEB) | {"tags": None, "supplementaryConfiguration": {"Tags": '[{"value": "a"}]'}}],
        ReadFailure(Section.TAGS, WEB, "supplementaryConfiguration.Tags[0].Key: text is missing"),
    ),
]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("document", "failure"),
    [(document, failure) for _, document, failure in UNREAD],
    ids=[name for name, _, _ in UNREAD],
)
def test_an_item_that_cannot_be_read_concerns_its_resource_alone(
    tmp_path: Path, document: Any, failure: ReadFailure, *, fast: bool
) -> None:
    items = document if isinstance(document, list) else [document]
    other = _group("sg-9")
    path = write(tmp_path, {"configurationItems": [*items, other]})
    [estate] = read_config_items([path], fast=fast)
    assert failure in estate.failures
    assert "sg-9" in (estate.security_groups or {})
    assert failure.key not in (estate.security_groups or {})


def test_a_truncated_file_among_good_ones_is_named(tmp_path: Path) -> None:
    good = write(tmp_path, config_items(), "a.json.gz")
    bad = tmp_path / "b.json.gz"
    bad.write_bytes(Path(good).read_bytes()[:-30])
    assert refusal(good, str(bad)) == "b.json.gz: the gzip data is truncated; fetch the file again"


def test_other_types_are_passed_over_whatever_they_hold(tmp_path: Path) -> None:
    strange = {"resourceType": "AWS::S3::Bucket", "configuration": 7, "configurationItemCaptureTime": {}}
    assert read_config_items([write(tmp_path, [strange])]) == []


def _notification(item: Shape) -> Shape:
    return {
        "configurationItemDiff": None,
        "configurationItem": item,
        "messageType": "ConfigurationItemChangeNotification",
    }


@pytest.mark.parametrize(
    "wrap",
    [
        # What AWS Config writes to its bucket as …_ChangeNotification_… and for oversized items.
        lambda message: message,
        lambda message: {"detail-type": "Config Configuration Item Change", "source": "aws.config", "detail": message},
        lambda message: {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(message)},
        lambda message: {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(message)}}]},
    ],
    ids=["in a bucket", "by EventBridge", "by SNS", "by SNS to a function"],
)
def test_change_notifications_as_they_are_delivered(tmp_path: Path, wrap: Any) -> None:
    [estate] = read_config_items([write(tmp_path, wrap(_notification(_group())))])
    assert set(estate.security_groups or {}) == {"sg-1"}


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text("\n".join(json.dumps(item) for item in (_group(), _notification(_group("sg-2")))) + "\n")
    [estate] = read_config_items([str(path)])
    assert set(estate.security_groups or {}) == {"sg-1", "sg-2"}


@pytest.mark.parametrize("by_sns", [False, True])
@pytest.mark.parametrize("kind", sorted(MESSAGES_WITHOUT_ITEM))
def test_a_notification_without_an_item_is_skipped_with_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, *, by_sns: bool
) -> None:
    message: Any = {"messageType": kind, "s3ObjectKey": "key"}
    skipped = write(tmp_path, {"Type": "Notification", "Message": json.dumps(message)} if by_sns else message, "a.json")
    [estate] = read_config_items([skipped, write(tmp_path, _group(), "b.json")])
    assert set(estate.security_groups or {}) == {"sg-1"}
    assert "a.json: skipped" in caplog.text
