"""Files of items, read item by item: the same estates and the same errors as by reading the whole document."""

from __future__ import annotations

import copy
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.json_files import read_json_file
from alb_sg.estate.snapshots import chunks
from alb_sg.estate.snapshots.files import first_account_region, read_config_items
from alb_sg.estate.snapshots.reader import NeedsGeneralReader, fast_items
from alb_sg.estate.snapshots.schemas import READERS_BY_TYPE, FastItemReader, refuse_other_spelling
from benchmarks.snapshot_files import expected_verdicts, snapshot_file
from tests.estate.example import ACCOUNT, REGION, Shape, config_items, lower_camel, write

SAMPLES = Path(__file__).parents[1] / "samples" / "config-items"
PASCAL = ("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::TargetGroup")


def thoroughly(path: str) -> list[ConfigItem]:
    """The items of a file by the reader that knows every spelling."""
    found = [read_item(source) for _, source in find_config_items(read_json_file(path))]
    return [item for item in found if item is not None]


def usually(path: str) -> list[ConfigItem]:
    return [item for _, items in fast_items(path) for item in items if item is not None]


def either(read: Callable[[str], list[ConfigItem]], path: str) -> list[ConfigItem] | str:
    """The items, or the sentence that refuses them."""
    try:
        return read(path)
    except InvalidInputError as error:
        return error.message


def refuse(_: bytes) -> NoReturn:
    """In place of the reader for unusual elements."""
    raise NeedsGeneralReader


def recorded_spelling(item: Shape) -> Shape:
    """An item of the example as snapshots spell it: the newer types in Pascal, the older in lowerCamel."""
    configuration = item["configuration"]
    if item["resourceType"] not in PASCAL:
        configuration = lower_camel(configuration)
    for permissions in ("ipPermissions", "ipPermissionsEgress"):
        for permission in configuration.get(permissions, ()):
            permission["ipv4Ranges"] = permission.get("ipRanges", [])
            permission["ipRanges"] = [block["cidrIp"] for block in permission["ipv4Ranges"]]
    return {**item, "configuration": configuration, "ARN": item["resourceId"]}


def of_a_snapshot(size: int = 3) -> list[Shape]:
    items: list[Shape] = json.loads(gzip.decompress(snapshot_file(size).read_bytes()))["configurationItems"]
    return items


def test_items_of_snapshots_need_no_other_reader() -> None:
    for item in of_a_snapshot():
        for separators in ((",", ":"), (", ", ": ")):
            [read] = FastItemReader(refuse).read_list(json.dumps([item], separators=separators).encode())
            assert read == read_item(item)
            assert (read is not None) == (item["resourceType"] in READERS_BY_TYPE)
    path = str(snapshot_file(3))
    assert usually(path) == thoroughly(path)


def test_the_example_is_read_the_same(tmp_path: Path) -> None:
    items = [recorded_spelling(item) for item in config_items()]
    path = write(tmp_path, {"configurationItems": items})
    assert usually(path) == thoroughly(path)
    assert len(usually(path)) == len(items)


# Said of a field that no verdict needs, too, where the whole document is read.
IN_TWO_SPELLINGS = "given in two spellings with different values"
KEYS = st.sampled_from(
    [
        *("GroupId", "groupId", "value", "Value", "cidrIp", "CidrIp", "cidrIpv6", "ipRanges", "IpRanges"),
        *("port", "Port", "targets", "Targets", "type", "Type", "scheme", "state", "State", "vpcId", "VpcId"),
        *("configurationItems", "Results", "invokingEvent", "configurationItem", "accountId", "arn", "ARN"),
        *("primary", "deviceIndex", "DeviceIndex", "attachment", "privateIpAddress", "tags", "Tags", "resourceType"),
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 80, 65536, 2**70, 80.0, 80.5]),
    st.sampled_from(
        ["", "80", "80.0", "-1", "tcp", "TCP", "6", "sg-9", "10.0.0.0/8", "10.0.0.0/33", "::/0", "é", "OK"]
    ),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01", "ResourceDeleted", "application", "traffic-port", "{}"]),
    st.sampled_from([[], {}, [{}], [None], ["sg-9"], [{"groupId": "sg-9"}], {"GroupId": "sg-9"}, {"code": "active"}]),
)


def containers(value: Any) -> list[dict[str, Any] | list[Any]]:
    """Every object and list in a value, itself first."""
    found = [value] if isinstance(value, dict | list) else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [container for each in inner for container in containers(each)]


def mutated(draw: st.DrawFn, item: Shape) -> None:
    """One value replaced, taken out, doubled or spelled in the other way, anywhere in an item."""
    container: dict[str, Any] | list[Any] = draw(st.sampled_from(containers(item)))
    anything: list[Any] = [copy.deepcopy(draw(VALUES))]
    if isinstance(container, list):
        in_place: bool = draw(st.booleans())
        if container and in_place:
            container[draw(st.integers(0, len(container) - 1))] = anything[0]
        else:
            container.append(copy.deepcopy(draw(st.sampled_from(anything + container[:1]))))
        return
    key: str = draw(st.one_of(KEYS, st.sampled_from(sorted(container)))) if container else draw(KEYS)
    change: str = draw(st.sampled_from(["replace", "remove", "respell", "both"]))
    match change:
        case "replace":
            container[key] = anything[0]
        case "remove":
            container.pop(key, None)
        case "respell" if key in container:
            container[key[0].swapcase() + key[1:]] = container.pop(key)
        case _:
            container[key[:1].swapcase() + key[1:]] = anything[0]


@st.composite
def documents(draw: st.DrawFn) -> list[Shape]:
    item = copy.deepcopy(draw(st.sampled_from([*of_a_snapshot(), *map(recorded_spelling, config_items())])))
    for _ in range(draw(st.integers(1, 3))):
        mutated(draw, item)
    return [item]


@pytest.mark.slow
@given(documents())
def test_both_readers_mean_the_same(items: list[Shape]) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), {"configurationItems": items})
        try:
            quick = either(usually, path)
        except NeedsGeneralReader:
            return
        thorough = either(thoroughly, path)
        assert thorough in (quick, IN_TWO_SPELLINGS) or _has_two_spellings(thorough)


def _has_two_spellings(items: object) -> bool:
    """Whether an item is unread because of it: the general reader looks at fields that no verdict needs, too."""
    return isinstance(items, list) and any((one.unread_cause or "").endswith(IN_TWO_SPELLINGS) for one in items)


@given(documents())
def test_a_document_says_the_same_as_a_list_of_its_items(items: list[Shape]) -> None:
    """A list is always read thoroughly; so errors must differ in nothing but the place that they begin with."""
    with TemporaryDirectory() as folder:
        outcomes: list[object] = []
        for document in ({"configurationItems": items}, items):
            try:
                outcomes.append(read_config_items([write(Path(folder), document)]))
            except InvalidInputError as error:
                outcomes.append(str(error).replace(": configurationItems[", ": ["))
        assert outcomes[0] == outcomes[1] or IN_TWO_SPELLINGS in str(outcomes[1])


def fields_of(value: Any) -> list[tuple[dict[str, Any], str]]:
    """Every field of every object in a value."""
    return [(container, key) for container in containers(value) if isinstance(container, dict) for key in container]


def as_usual(item: Shape) -> ConfigItem | None:
    """An item as the quick reader has it; None where it leaves it to the other."""
    try:
        return FastItemReader(refuse).read_list(json.dumps([item]).encode())[0]
    except NeedsGeneralReader:
        return None


def test_no_field_that_is_read_is_there_in_two_spellings() -> None:
    """What is not read is not looked at; what is read, which shows where its value is changed, is refused."""
    read = 0
    for original in [*of_a_snapshot(1), *map(recorded_spelling, config_items())]:
        expected = as_usual(original)
        for number in range(len(fields_of(original.get("configuration")))) if expected is not None else ():
            item = copy.deepcopy(original)
            container, key = fields_of(item["configuration"])[number]
            value, container[key] = container[key], [[7]]
            if as_usual(item) == expected:
                continue
            read += 1
            container[key] = value
            container[key[0].swapcase() + key[1:]] = [[7]]
            assert as_usual(item) is None, key
    assert read > 150


def test_a_type_s_other_spelling_is_refused_field_by_field() -> None:
    @refuse_other_spelling
    class Shape(msgspec.Struct, rename="camel"):
        group_id: str = ""

    assert msgspec.json.decode(b'{"groupId": "a", "other": 1}', type=Shape).group_id == "a"
    for value in (b"null", b"0", b"1", b'""', b"{}"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(b'{"GroupId": %b}' % value, type=Shape)


def item_json(item: object) -> str:
    return json.dumps(item, separators=(",", ":"))


OTHER_TYPE = {"resourceType": "AWS::EC2::VPC"}
NESTED = [{"relatedEvents": 1}, {"relatedEvents": 2}]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda item: {**item, "after": OTHER_TYPE}, id="a type after the item's own"),
        pytest.param(lambda item: {**OTHER_TYPE, **item}, id="the type before the configuration"),
        pytest.param(lambda item: {**item, "nested": NESTED}, id="a separator inside an item"),
        pytest.param(lambda item: {**item, "text": '},{"relatedEvents":'}, id="a separator in a text"),
        pytest.param(lambda item: {"first": 1, **item}, id="another first key"),
        pytest.param(lambda item: {**item, "resourceType": "AWS::S3::Bucket"}, id="a type that no rule reads"),
        pytest.param(lambda item: [item, item], id="a list of items"),
    ],
)
@pytest.mark.parametrize("separator", [",", " ,\n "])
def test_items_among_unusual_ones(tmp_path: Path, change: Callable[[Shape], object], separator: str) -> None:
    """The items of a list are decoded together, and each unusual one again by itself."""
    items = of_a_snapshot()
    # One alone, two side by side, and the last one.
    for numbers in ({5}, {7, 8}, {len(items) - 1}):
        elements = [change(item) if number in numbers else item for number, item in enumerate(items)]
        path = tmp_path / "given.json"
        path.write_text(f'{{"configurationItems":[{separator.join(map(item_json, elements))}]}}')
        assert usually(str(path)) == thoroughly(str(path))


def test_halves_of_two_items_are_no_item(tmp_path: Path) -> None:
    """Where items are cut inside, and parts of two of them have the type of one."""
    instances = [item for item in of_a_snapshot() if item["resourceType"] == "AWS::EC2::Instance"]
    first, second = ({**item, "configuration": {**item["configuration"], "nested": NESTED}} for item in instances[:2])
    first["relationships"] = [{"resourceType": "AWS::EC2::Instance"}]
    second["relationships"] = []
    path = write(tmp_path, {"configurationItems": [first, second]})
    path_without_space = tmp_path / "compact.json"
    path_without_space.write_text(item_json(json.loads(Path(path).read_text())))
    assert usually(str(path_without_space)) == thoroughly(path)


def test_only_white_space_of_json_separates_items(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    elements = ",\x0c".join(map(item_json, of_a_snapshot()))
    path.write_text(f'{{"configurationItems":[{elements}]}}')
    with pytest.raises(InvalidInputError, match="not JSON"):
        read_config_items([str(path)])


def blocks_of(text: str, size: int) -> list[list[Any]]:
    stream = io.BytesIO(text.encode())
    return list(chunks.read_chunks(lambda _: stream.read(size), msgspec.json.decode))


TEXTS = st.lists(st.sampled_from(['"', "\\", "]", "}", ",", "[", " ", '{"a":', "é", "\n"]), max_size=12).map("".join)
ELEMENTS = st.recursive(
    st.one_of(TEXTS, st.integers(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
ITEMS = st.lists(
    st.builds(lambda rest, a: {"a": a, "resourceType": "x", **rest}, st.dictionaries(TEXTS, ELEMENTS), ELEMENTS),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@given(ITEMS, st.integers(1, 60), st.sampled_from([None, 1]), st.booleans())
def test_blocks_are_cut_between_items_alone(
    items: list[Shape], size: int, indent: int | None, ascii_only: bool
) -> None:
    document = {"fileVersion": "1.0", "configurationItems": items, "after": [1, {"a": "]"}]}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    try:
        found = blocks_of(text, size)
    except NeedsGeneralReader:
        # Where "configurationItems" or what follows the list is within texts; the whole document is read then.
        return
    assert [item for block in found for item in block] == items


def test_most_files_are_cut_into_blocks() -> None:
    items = [{"a": number, "resourceType": "x", "b": '},{"a":'} for number in range(50)]
    for indent in (None, 2):
        found = blocks_of(json.dumps({"configurationItems": items}, indent=indent), 200)
        assert len(found) > 10
        assert [item for block in found for item in block] == items


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("[]", id="a list"),
        pytest.param('{"configurationItems": []}', id="no item"),
        pytest.param('{"a": {"configurationItems": [{"resourceType": "x"}]}}', id="a list further in"),
        pytest.param('{"a": "\\"configurationItems\\": [{\\"resourceType\\":1}]"}', id="a list in a text"),
        pytest.param('{"configurationItems": [{"resourceType": "x"}], "Results": []}', id="two lists"),
        pytest.param('{"configurationItems": [{"a": 1}], "configurationItems": []}', id="one list twice"),
        pytest.param('{"configurationItems": [{"a": 1}]', id="cut short"),
        pytest.param('{"configurationItems": [{"a": 1}]} x', id="more behind it"),
        pytest.param('{"configurationItems": [{"a": NaN}]}', id="no JSON"),
        pytest.param('{"configurationItems": [{"a": 1}], "unprocessedResourceKeys": [1]}', id="unanswered"),
    ],
)
def test_other_documents_are_left_to_others(document: str) -> None:
    with pytest.raises(NeedsGeneralReader):
        blocks_of(document, 1 << 16)


def test_text_that_is_not_utf_8_is_refused_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(b'{"configurationItems": [{"resourceType": "AWS::S3::Bucket", "configuration": "\xff"}]}')
    with pytest.raises(InvalidInputError, match=r"not UTF-8 text \(byte 79 is 0xff\)"):
        read_config_items([str(path)])


def test_a_file_as_windows_writes_it(tmp_path: Path) -> None:
    [expected] = read_config_items([write(tmp_path, config_items(), "plain.json")])
    lines = "\r\n".join(map(json.dumps, config_items()))
    for name, content in (
        ("lines.json", lines.encode("utf-8-sig")),
        ("utf-16.json", json.dumps({"configurationItems": config_items()}).encode("utf-16")),
        ("utf-16-lines.json", lines.encode("utf-16")),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert read_config_items([str(path)]) == [expected], name


def test_documents_that_follow_one_another(tmp_path: Path) -> None:
    """As `aws … >> items.json` appends them: each is printed over many lines."""
    half = len(config_items()) // 2
    path = tmp_path / "items.json"
    pages = ({"configurationItems": part} for part in (config_items()[:half], config_items()[half:]))
    path.write_text("".join(f"{json.dumps(page, indent=4)}\n" for page in pages))
    assert read_config_items([str(path)]) == read_config_items([write(tmp_path, config_items(), "plain.json")])


def test_a_separator_of_lines_in_a_text_ends_no_line(tmp_path: Path) -> None:
    """JSON texts may hold U+2028 as it is."""
    items = [{**item, "note": "\u2028"} for item in config_items()]
    path = tmp_path / "items.json"
    path.write_text("\n".join(json.dumps(item, ensure_ascii=False) for item in items), encoding="utf-8")
    assert read_config_items([str(path)]) == read_config_items([write(tmp_path, config_items(), "plain.json")])


def test_concatenated_gzip_data_is_one_file(tmp_path: Path) -> None:
    whole = json.dumps({"configurationItems": [recorded_spelling(item) for item in config_items()]}).encode()
    path = tmp_path / "given.json.gz"
    path.write_bytes(gzip.compress(whole[:500]) + gzip.compress(whole[500:]))
    assert usually(str(path)) == thoroughly(str(path))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-9],
        lambda data: data[:-8] + bytes(8),
        lambda _: b"\x1f\x8b!",
        # isal has an error of its own for a block of a type that there is not.
        lambda data: data[:10] + b"\x07" + data[11:],
    ],
)
def test_damaged_gzip_data_is_named_as_ever(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "given.json.gz"
    path.write_bytes(damage(snapshot_file(3).read_bytes()))
    with pytest.raises(NeedsGeneralReader):
        usually(str(path))
    with pytest.raises(InvalidInputError, match=r"given.json.gz: (the gzip data is truncated|not gzip data)"):
        read_config_items([str(path)])


def test_the_first_home_is_that_of_the_first_item_that_counts(tmp_path: Path) -> None:
    role = {"resourceType": "AWS::IAM::Role", "awsAccountId": "999999999999", "awsRegion": "global"}
    items = [role, *map(recorded_spelling, config_items())]
    assert first_account_region(write(tmp_path, {"configurationItems": items})) == AccountRegion(ACCOUNT, REGION)
    assert first_account_region(write(tmp_path, items)) is None
    assert first_account_region(write(tmp_path, {"configurationItems": [role]})) is None


def test_samples_read_the_same_in_a_snapshot(tmp_path: Path) -> None:
    compared = 0
    for sample in sorted(SAMPLES.iterdir()):
        try:
            items = [source for _, source in find_config_items(read_json_file(str(sample)))]
        except InvalidInputError:
            # Some are no items.
            continue
        path = write(tmp_path, {"configurationItems": items})
        assert either(usually, path) == either(thoroughly, path), sample
        compared += 1
    assert compared >= 14


def test_a_snapshot_is_made_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = snapshot_file(3).read_bytes()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert snapshot_file(3).read_bytes() == first
    assert sum(expected_verdicts(100).values()) == 5 * 100
