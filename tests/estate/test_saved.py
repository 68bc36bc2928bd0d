"""Saved estates: what each section is read as, what is refused and in which words, and what is written."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.export_file import read_export_file, write_export_file
from alb_sg.estate.model import (
    Instance,
    InstanceInterface,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    PrefixList,
    SecurityGroup,
    SecurityGroupReference,
    Subnet,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.estate.sections import Section
from tests.estate.example import ACCOUNT, BLUE, HTTP, HTTPS, IDLE, REGION, WEB, saved, write

Change = Callable[[dict[str, Any]], object]


def refusal(path: str) -> str:
    """What a user is told of a file, without the folder that it lies in."""
    with pytest.raises(InvalidInputError) as refused:
        read_export_file(path)
    return str(refused.value).replace(str(Path(path).parent) + "/", "")


def read(folder: Path, document: Any) -> Estate:
    [estate] = read_export_file(write(folder, document))
    return estate


def test_every_section_is_read(tmp_path: Path) -> None:
    http = Listener(HTTP, WEB, "HTTP", 80, ())
    https = Listener(HTTPS, WEB, "HTTPS", 443, (BLUE,))
    assert read(tmp_path, saved()) == Estate(
        account_id=ACCOUNT,
        region=REGION,
        load_balancers={
            WEB: LoadBalancer(
                WEB,
                "web",
                "application",
                "internet-facing",
                "active",
                "vpc-1",
                "dualstack",
                ("sg-admin", "sg-web"),
                ("subnet-1", "subnet-2"),
            ),
            IDLE: LoadBalancer(IDLE, "idle", "application", "internal", "provisioning", "vpc-1", "ipv4", ("sg-web",)),
        },
        listeners={WEB: (http, https), IDLE: ()},
        target_groups={BLUE: TargetGroup(BLUE, "blue", "instance", 8080, "vpc-1", Family.IPV4, (WEB,), True, 8081)},
        targets={BLUE: (Target("i-1", 8080, None), Target("i-2", 8090, None))},
        security_groups={
            "sg-web": SecurityGroup(
                "sg-web",
                "web",
                "vpc-1",
                (
                    Permission("tcp", 443, 443, ("0.0.0.0/0", "10.0.0.0/8", "::/0"), ("pl-1",), ()),
                    Permission("icmp", 3, -1, ("0.0.0.0/0",), (), ()),
                ),
                (Permission("-1", None, None, (), (), (SecurityGroupReference("sg-app", ACCOUNT, None, None, None),)),),
                ACCOUNT,
                {"team": "web"},
            ),
            "sg-admin": SecurityGroup("sg-admin", "admin", "vpc-1", (), ()),
        },
        has_all_security_groups=True,
        vpcs={"vpc-1": Vpc("vpc-1", {Family.IPV4: ("10.0.0.0/16",), Family.IPV6: ("2001:db8::/56",)})},
        subnets={
            "subnet-1": Subnet(
                "subnet-1", "vpc-1", {Family.IPV4: ("10.0.1.0/24",), Family.IPV6: ("2001:db8:0:1::/64",)}
            ),
            "subnet-2": Subnet("subnet-2", "vpc-1", {Family.IPV4: ("10.0.2.0/24",), Family.IPV6: ()}),
        },
        instances={"i-2": Instance("i-2", "10.0.0.6", None, ("sg-app",), (InstanceInterface("eni-2", ("sg-app",)),))},
        network_interfaces={
            "eni-1": NetworkInterface(
                "eni-1", "vpc-1", ("sg-app",), ("10.0.0.5",), ("2001:db8::5",), ("10.0.1.0/28",), "i-1", 0, "primary"
            ),
            "eni-3": NetworkInterface(
                "eni-3", "vpc-1", ("sg-web",), ("10.0.0.7",), (), (), None, 1, "ELB app/web/50dc6c495c0c9188", True
            ),
        },
        prefix_lists={"pl-1": PrefixList("pl-1", "corporate", Family.IPV4, ("192.0.2.0/24",), ACCOUNT, 10)},
        tags={WEB: {"clients": "internet"}, IDLE: {}},
    )


SECTION_ATTRIBUTES = [
    ("Listeners", "listeners"),
    ("TargetGroups", "target_groups"),
    ("TargetHealthDescriptions", "targets"),
    ("SecurityGroups", "security_groups"),
    ("Vpcs", "vpcs"),
    ("Instances", "instances"),
    ("NetworkInterfaces", "network_interfaces"),
    ("ManagedPrefixLists", "prefix_lists"),
    ("Tags", "tags"),
]


@pytest.mark.parametrize(("section", "attribute"), SECTION_ATTRIBUTES)
def test_an_absent_section_was_not_collected_and_null_is_absent(tmp_path: Path, section: str, attribute: str) -> None:
    absent, null = saved(), saved()
    del absent[section]
    null[section] = None
    estate = read(tmp_path, absent)
    assert getattr(estate, attribute) is None
    assert estate == read(tmp_path, null)
    assert estate.has_all_security_groups is (section != "SecurityGroups")


@pytest.mark.parametrize(("section", "attribute"), SECTION_ATTRIBUTES)
def test_an_empty_section_was_collected(tmp_path: Path, section: str, attribute: str) -> None:
    document: dict[str, Any] = {"AccountId": ACCOUNT, "Region": REGION, "LoadBalancers": []}
    document[section] = {} if section in ("TargetHealthDescriptions", "ManagedPrefixLists", "Tags") else []
    found = getattr(read(tmp_path, document), attribute)
    assert found is not None
    assert len(found) == 0


def test_load_balancers_that_were_not_collected_are_a_failure_and_not_an_empty_account(tmp_path: Path) -> None:
    account_region = {"AccountId": ACCOUNT, "Region": REGION}
    assert read(tmp_path, account_region).failures == (
        ReadFailure(Section.LOAD_BALANCERS, None, "the section was not collected"),
    )
    assert read(tmp_path, {**account_region, "LoadBalancers": []}).failures == ()


@pytest.mark.parametrize("section", ["Listeners", "Tags"])
def test_a_collected_section_answers_for_every_load_balancer(tmp_path: Path, section: str) -> None:
    document = saved()
    document[section] = type(document[section])()
    found = read(tmp_path, document)
    answers = found.listeners if section == "Listeners" else found.tags
    assert answers is not None
    assert set(answers) == {WEB, IDLE}
    assert not any(answers.values())


def test_targets_are_known_for_the_target_groups_that_are_named_only(tmp_path: Path) -> None:
    document = saved()
    document["TargetHealthDescriptions"][BLUE] = None
    assert read(tmp_path, document).targets == {}


def test_states_of_targets_are_read(tmp_path: Path) -> None:
    document = saved()
    document["TargetHealthDescriptions"][BLUE] = [
        {"Target": {"Id": "i-1"}, "TargetHealth": {"State": "unhealthy.draining"}}
    ]
    assert read(tmp_path, document).targets == {BLUE: (Target("i-1", None, "unhealthy.draining"),)}


def test_a_prefix_list_without_entries_is_one_whose_entries_were_refused(tmp_path: Path) -> None:
    document = saved()
    del document["ManagedPrefixLists"]["pl-1"]["Entries"]
    lists = read(tmp_path, document).prefix_lists
    assert lists is not None
    assert lists["pl-1"].entries is None


def test_unknown_keys_and_sections_without_use_are_ignored(tmp_path: Path) -> None:
    document = saved() | {"Comment": ["anything"], "RouteTables": [{"RouteTableId": "rtb-1"}]}
    assert read(tmp_path, document) == read(tmp_path, saved())


def _wrapped(section: str) -> Change:
    return lambda document: document.update({section: {section: document[section]}})


def _paged(section: str) -> Change:
    return lambda document: document.update({section: [{section: [one]} for one in document[section]]})


WRAPPED: list[tuple[str, Change]] = [
    *((f"{section} as the aws command prints it", _wrapped(section)) for section in ("LoadBalancers", "Listeners")),
    *((f"{section} as the aws command prints it", _wrapped(section)) for section in ("TargetGroups", "SecurityGroups")),
    *((f"{section} as the aws command prints it", _wrapped(section)) for section in ("Vpcs", "NetworkInterfaces")),
    # describe-listeners answers for one load balancer at a time: several answers, slurped into a list.
    ("Listeners, one answer per load balancer", _paged("Listeners")),
    (
        "an answer that says there is no further page",
        lambda document: document.update({"Vpcs": {"Vpcs": document["Vpcs"], "NextToken": None}}),
    ),
    ("Instances under their own name", _wrapped("Instances")),
    (
        "Instances in reservations, as describe-instances prints them",
        lambda document: document.update({"Instances": {"Reservations": [{"Instances": document["Instances"]}]}}),
    ),
    (
        "Instances as a list of reservations",
        lambda document: document.update(
            {"Instances": [{"ReservationId": "r-1", "Instances": document["Instances"]}, {"Instances": []}]}
        ),
    ),
    (
        "TargetHealthDescriptions, each as describe-target-health prints it",
        lambda document: document["TargetHealthDescriptions"].update(
            {BLUE: {"TargetHealthDescriptions": document["TargetHealthDescriptions"][BLUE]}}
        ),
    ),
    (
        "Tags as describe-tags prints them",
        lambda document: document.update(
            {
                "Tags": {
                    "TagDescriptions": [{"ResourceArn": arn, "Tags": tags} for arn, tags in document["Tags"].items()]
                }
            }
        ),
    ),
    (
        "Tags as a list of descriptions",
        lambda document: document.update(
            {"Tags": [{"ResourceArn": arn, "Tags": tags} for arn, tags in document["Tags"].items()]}
        ),
    ),
]


@pytest.mark.parametrize("change", [change for _, change in WRAPPED], ids=[name for name, _ in WRAPPED])
def test_command_output_can_be_pasted_in(tmp_path: Path, change: Change) -> None:
    document = saved()
    change(document)
    assert document != saved()
    assert read(tmp_path, document) == read(tmp_path, saved())


def test_a_file_may_hold_several_estates_in_its_order(tmp_path: Path) -> None:
    account_region = {"AccountId": ACCOUNT, "LoadBalancers": []}
    path = write(
        tmp_path, [{**account_region, "Region": "us-east-1"}, {**account_region, "Region": "eu-west-1"}], "both.json.gz"
    )
    assert [estate.region for estate in read_export_file(path)] == ["us-east-1", "eu-west-1"]


def test_gzip_is_known_by_its_content_too_and_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "piped"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(saved()).encode()))
    assert read_export_file(str(path)) == [read(tmp_path, saved())]


def test_standard_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(saved()).encode())))
    assert read_export_file("-") == [read(tmp_path, saved())]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"[7]")))
    assert refusal("-") == "standard input: [0]: an object was expected, not a number"


def _in(path: list[Any], value: Any) -> Change:
    """Put a value at a path of keys and indexes."""

    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def _twice(section: str) -> Change:
    return lambda document: document[section].append(dict(document[section][0]))


OTHER_ACCOUNT = WEB.replace(ACCOUNT, "999999999999")
OTHER_LISTENER = HTTP.replace(ACCOUNT, "999999999999")
OTHER_REGION = WEB.replace(REGION, "us-east-1")

REFUSED: list[tuple[str, Change, str]] = [
    (
        "a number as account, which has lost its leading zeros",
        _in(["AccountId"], 11122223333),
        "AccountId: a 12-digit account ID was expected as text, not 11122223333",
    ),
    (
        "an account of eleven digits",
        _in(["AccountId"], "11122223333"),
        "AccountId: a 12-digit account ID was expected as text, not '11122223333'",
    ),
    ("no account", lambda document: document.pop("AccountId"), "AccountId: the 12-digit account ID is missing"),
    ("no region", lambda document: document.pop("Region"), "Region: text is missing"),
    ("an object for a list", _in(["Vpcs"], {"VpcId": "vpc-1"}), "Vpcs: a list was expected, not an object"),
    ("a list for an object", _in(["Vpcs", 0], ["vpc-1"]), "Vpcs[0]: an object was expected, not a list"),
    (
        "a list for targets",
        _in(["TargetHealthDescriptions"], []),
        "TargetHealthDescriptions: an object was expected, not a list",
    ),
    (
        "a first page only",
        lambda document: document.update({"Vpcs": {"Vpcs": document["Vpcs"], "NextToken": "abc"}}),
        "Vpcs.NextToken: the response has further pages; collect all of them and remove this key",
    ),
    (
        "a first page of a prefix list's entries",
        _in(["ManagedPrefixLists", "pl-1", "NextToken"], "abc"),
        'ManagedPrefixLists["pl-1"].NextToken: the response has further pages; collect all of them and remove this key',
    ),
    (
        "a first page of targets",
        lambda document: document["TargetHealthDescriptions"].update(
            {BLUE: {"TargetHealthDescriptions": [], "NextMarker": "abc"}}
        ),
        (
            f'TargetHealthDescriptions["{BLUE}"].NextMarker: '
            "the response has further pages; collect all of them and remove this key"
        ),
    ),
    (
        "an instance in a reservation",
        lambda document: document.update({"Instances": {"Reservations": [{"Instances": [{"InstanceId": 7}]}]}}),
        "Instances.Reservations[0].Instances[0].InstanceId: text was expected, not 7",
    ),
    (
        "a load balancer given twice",
        _twice("LoadBalancers"),
        f"LoadBalancers[2].LoadBalancerArn: '{WEB}' was given already, in LoadBalancers[0]",
    ),
    (
        "a listener given twice",
        _twice("Listeners"),
        f"Listeners[2].ListenerArn: '{HTTPS}' was given already, in Listeners[0]",
    ),
    (
        "a target group given twice",
        _twice("TargetGroups"),
        f"TargetGroups[1].TargetGroupArn: '{BLUE}' was given already, in TargetGroups[0]",
    ),
    (
        "a security group given twice",
        _twice("SecurityGroups"),
        "SecurityGroups[2].GroupId: 'sg-web' was given already, in SecurityGroups[0]",
    ),
    ("a VPC given twice", _twice("Vpcs"), "Vpcs[1].VpcId: 'vpc-1' was given already, in Vpcs[0]"),
    (
        "an interface given twice",
        _twice("NetworkInterfaces"),
        "NetworkInterfaces[2].NetworkInterfaceId: 'eni-1' was given already, in NetworkInterfaces[0]",
    ),
    (
        "an instance given twice",
        _twice("Instances"),
        "Instances[1].InstanceId: 'i-2' was given already, in Instances[0]",
    ),
    (
        "tags given twice",
        _in(["Tags"], [{"ResourceArn": WEB, "Tags": []}] * 2),
        f"Tags[1].ResourceArn: '{WEB}' was given already",
    ),
    (
        "a load balancer of another account",
        _in(["LoadBalancers", 0, "LoadBalancerArn"], OTHER_ACCOUNT),
        f"LoadBalancers[0].LoadBalancerArn: '{OTHER_ACCOUNT}' is of 999999999999 {REGION}, not of {ACCOUNT} {REGION}",
    ),
    (
        "a listener of another region's load balancer",
        _in(["Listeners", 0, "LoadBalancerArn"], OTHER_REGION),
        f"Listeners[0].LoadBalancerArn: '{OTHER_REGION}' is of {ACCOUNT} us-east-1, not of {ACCOUNT} {REGION}",
    ),
    (
        "a listener of another account",
        _in(["Listeners", 0, "ListenerArn"], OTHER_LISTENER),
        f"Listeners[0].ListenerArn: '{OTHER_LISTENER}' is of 999999999999 {REGION}, not of {ACCOUNT} {REGION}",
    ),
    (
        "targets of a name instead of an ARN",
        _in(["TargetHealthDescriptions"], {"blue": []}),
        "TargetHealthDescriptions[\"blue\"]: 'blue' is not an ARN with a region and an account",
    ),
    (
        "tags of another account's load balancer",
        _in(["Tags"], {OTHER_ACCOUNT: []}),
        f"Tags[\"{OTHER_ACCOUNT}\"]: '{OTHER_ACCOUNT}' is of 999999999999 {REGION}, not of {ACCOUNT} {REGION}",
    ),
]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [(change, sentence) for _, change, sentence in REFUSED],
    ids=[name for name, _, _ in REFUSED],
)
def test_an_impossible_estate_is_refused_with_its_place(tmp_path: Path, change: Change, sentence: str) -> None:
    document = saved()
    change(document)
    assert refusal(write(tmp_path, document)) == f"given.json: {sentence}"
    other = {"AccountId": ACCOUNT, "Region": "us-west-1"}
    joint = "" if sentence.startswith("[") else "."
    assert refusal(write(tmp_path, [other, document])) == f"given.json: [1]{joint}{sentence}"


# What has an ID concerns what depends on it alone: the file is read.
UNREAD: list[tuple[str, Change, ReadFailure]] = [
    (
        "a target without an id",
        _in(["TargetHealthDescriptions", BLUE, 1, "Target", "Id"], None),
        ReadFailure(
            Section.TARGET_HEALTH_DESCRIPTIONS,
            BLUE,
            f'TargetHealthDescriptions["{BLUE}"][1].Target.Id: text is missing',
        ),
    ),
    (
        "prefix lists as describe-managed-prefix-lists prints them, without their entries",
        _in(["ManagedPrefixLists"], {"PrefixLists": [{"PrefixListId": "pl-1", "AddressFamily": "IPv4"}]}),
        ReadFailure(
            Section.MANAGED_PREFIX_LISTS,
            "pl-1",
            'ManagedPrefixLists["pl-1"]: its entries are missing; add the output of get-managed-prefix-list-entries '
            "under its ID",
        ),
    ),
    (
        "a prefix list whose entry is of another family",
        _in(["ManagedPrefixLists", "pl-1", "Entries"], [{"Cidr": "10.0.0.0/8"}, {"Cidr": "::/0"}]),
        ReadFailure(
            Section.MANAGED_PREFIX_LISTS,
            "pl-1",
            "ManagedPrefixLists[\"pl-1\"].Entries: '::/0' is not an IPv4 block",
        ),
    ),
    (
        "a tag without a key",
        _in(["Tags", WEB, 0], {"Value": "internet"}),
        ReadFailure(Section.TAGS, WEB, f'Tags["{WEB}"][0].Key: text is missing'),
    ),
    (
        "a described tag without a key",
        _in(["Tags"], [{"ResourceArn": WEB, "Tags": [{"Value": "internet"}]}]),
        ReadFailure(Section.TAGS, WEB, "Tags[0].Tags[0].Key: text is missing"),
    ),
    (
        "an instance whose primary interface has another address than the instance",
        _in(["Instances", 0, "PrivateIpAddress"], "10.0.0.99"),
        ReadFailure(
            Section.INSTANCES,
            "i-2",
            "Instances[0].PrivateIpAddress: the primary network interface has 10.0.0.6, and the instance 10.0.0.99",
        ),
    ),
]


@pytest.mark.parametrize(
    ("change", "failure"), [(change, failure) for _, change, failure in UNREAD], ids=[name for name, _, _ in UNREAD]
)
def test_an_unreadable_value_concerns_its_resource_alone(tmp_path: Path, change: Change, failure: ReadFailure) -> None:
    document = saved()
    change(document)
    estate = read(tmp_path, document)
    assert estate.failures == (failure,)
    assert failure.key not in (estate.section(failure.section) or {})  # type: ignore[operator]  # sections are mappings


def test_prefix_lists_as_the_aws_command_prints_them(tmp_path: Path) -> None:
    document = saved()
    document["ManagedPrefixLists"] = {
        "PrefixLists": [
            {"PrefixListId": "pl-1", "AddressFamily": "IPv4", "PrefixListName": "corporate", "MaxEntries": 10}
        ],
        # get-managed-prefix-list-entries does not name the list.
        "pl-1": {"Entries": [{"Cidr": "192.0.2.0/24", "Description": "office"}]},
    }
    [listed] = (read(tmp_path, document).prefix_lists or {}).values()
    assert listed == PrefixList("pl-1", "corporate", Family.IPV4, ("192.0.2.0/24",), None, 10)


def test_two_objects_of_one_account_and_region_are_refused(tmp_path: Path) -> None:
    account_region = {"AccountId": ACCOUNT, "Region": REGION}
    path = write(tmp_path, [account_region, {**account_region, "Region": "us-east-1"}, account_region])
    assert refusal(path) == f"given.json: [2]: {ACCOUNT} {REGION} was given already, in [0]"


UNREADABLE: list[tuple[str, str, bytes, str]] = [
    (
        "truncated gzip",
        "given.json.gz",
        gzip.compress(json.dumps(saved()).encode(), mtime=0)[:-20],
        "the gzip data is truncated; fetch the file again",
    ),
    ("no gzip", "given.json.gz", b"{}", "not gzip data, or damaged (Not a gzipped file (b'{}'))"),
    (
        "damaged gzip",
        "given.json.gz",
        gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 20,
        "not gzip data, or damaged (Error -3 while decompressing data: invalid block type)",
    ),
    (
        "not JSON",
        "given.json",
        b'{"AccountId": "1",\n  oops}',
        "not JSON: Expecting property name enclosed in double quotes at line 2, column 3",
    ),
    (
        "two documents",
        "given.json",
        b"{}\n{}",
        "not JSON: Extra data at line 2, column 1; give several values as one list",
    ),
    (
        "YAML",
        "given.json",
        b"AccountId: '111122223333'\nRegion: eu-west-1\n",
        "not JSON: Expecting value at line 1, column 1; the aws command prints JSON with --output json",
    ),
    ("cut off", "given.json", b'{"Region": "eu-w', "not JSON: Unterminated string starting at line 1, column 12"),
    ("UTF-16 that is cut off", "given.json", b"\xff\xfe{", "not UTF-16 text (byte 3 is 0x7b); save it as UTF-8"),
    ("a zip archive", "given.json", b"PK\x03\x04\x14", "this is a zip archive; unpack it first"),
    (
        "Config items",
        "given.json",
        b'{"fileVersion": "1.0", "configurationItems": []}',
        "these are AWS Config items, not a saved estate; give the file with --config-items",
    ),
    (
        "targets without their target group",
        "given.json",
        b'{"AccountId": "111122223333", "Region": "r", "TargetHealthDescriptions": {"TargetHealthDescriptions": []}}',
        "TargetHealthDescriptions: the output stands without its key; put it under the ARN of its target group",
    ),
    ("empty", "given.json", b" \n", "the file is empty; JSON was expected"),
    ("not UTF-8", "given.json", b'{"a": "\xff"}', "not UTF-8 text (byte 8 is 0xff); save it as UTF-8"),
    ("NaN", "given.json", b'{"a": NaN}', "not JSON: NaN is not a JSON value"),
    ("infinity", "given.json", b'{"a": -Infinity}', "not JSON: -Infinity is not a JSON value"),
    ("null", "given.json", b"null", "an object was expected, not null"),
    ("text", "given.json", b'"estate"', "an object was expected, not text"),
    ("a list in a list", "given.json", b"[[]]", "[0]: an object was expected, not a list"),
    (
        "a key given twice, of which one would be lost",
        "given.json",
        b'{"Vpcs": [], "Region": "eu-west-1", "Vpcs": []}',
        "the key 'Vpcs' is given twice in one object",
    ),
    ("bottomless", "given.json", b"[" * 100_000, "lists and objects are nested too deeply"),
]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [(name, content, sentence) for _, name, content, sentence in UNREADABLE],
    ids=[case for case, _, _, _ in UNREADABLE],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(str(path)) == f"{name}: {sentence}"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_as_windows_writes_it(tmp_path: Path, encoding: str, line_end: str) -> None:
    """PowerShell writes what a command prints as UTF-16 with a byte order mark."""
    path = tmp_path / "given.json"
    path.write_bytes(json.dumps(saved(), indent=1).replace("\n", line_end).encode(encoding))
    assert read_export_file(str(path)) == read_export_file(write(tmp_path, saved(), "plain.json"))


def test_a_number_of_endless_digits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    path.write_text('{"a": ' + "9" * 10_000 + "}")
    assert refusal(str(path)).startswith("given.json: not usable JSON: Exceeds the limit")


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "none.json")) == "none.json: the file cannot be read (No such file or directory)"
    (tmp_path / "folder").mkdir()
    assert refusal(str(tmp_path / "folder")) == "folder: the file cannot be read (Is a directory)"


def written(*estates: dict[str, Any]) -> str:
    stream = io.StringIO()
    write_export_file(estates, stream)
    return stream.getvalue()


def test_a_written_estate_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(written(saved()))
    assert read_export_file(str(path)) == [read(tmp_path, saved())]


def test_one_estate_is_an_object_and_any_other_number_a_list() -> None:
    east, west = ({"AccountId": ACCOUNT, "Region": region} for region in ("us-east-1", "us-west-1"))
    assert json.loads(written(east)) == east
    assert json.loads(written(west, east)) == [east, west]
    assert written() == "[]\n"


@given(st.data())
def test_the_order_of_answers_does_not_change_a_byte(data: st.DataObject) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return data.draw(st.permutations(value))
        return dict(data.draw(st.permutations(list(value.items()))))

    document = saved()
    other = shuffled({name: value if isinstance(value, str) else shuffled(value) for name, value in document.items()})
    other["TargetHealthDescriptions"] = {
        arn: shuffled(targets) for arn, targets in other["TargetHealthDescriptions"].items()
    }
    assert written(other) == written(document)


def test_times_are_written_as_iso_text_in_utc() -> None:
    half_past_one = datetime(2026, 1, 1, 13, 30, tzinfo=timezone(timedelta(hours=1)))
    document = {
        "AccountId": ACCOUNT,
        "Region": REGION,
        "Instances": [{"InstanceId": "i-1", "LaunchTime": half_past_one}],
    }
    text = written(document)
    assert json.loads(text)["Instances"][0]["LaunchTime"] == half_past_one.astimezone(UTC).isoformat()
    assert '"2026-01-01T12:30:00+00:00"' in text
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")


def test_values_that_json_cannot_hold_are_not_written() -> None:
    stream = io.StringIO()
    with pytest.raises(TypeError, match="set cannot be written to an export file"):
        write_export_file([{"AccountId": ACCOUNT, "Region": REGION, "Vpcs": [{"VpcId": {"vpc-1"}}]}], stream)
    assert stream.getvalue() == ""


def test_names_in_any_script_are_written_in_ascii(tmp_path: Path) -> None:
    document = saved()
    document["Tags"] = {WEB: [{"Key": "Büro", "Value": "東京"}]}
    text = written(document)
    assert text.isascii()
    assert read(tmp_path, json.loads(text)).tags == {WEB: {"Büro": "東京"}, IDLE: {}}
