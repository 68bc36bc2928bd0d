"""Texts and bytes for the parsers that need nothing else, changed byte by byte: a million in minutes.

`PARSERS` has each parser with texts that it takes. `changed` is a text with a few bytes flipped, cut, repeated, moved
from another of the texts, or replaced by a word that means something to a parser.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from random import Random
from typing import Any, NamedTuple

from alb_sg.aws.roles import parse_role
from alb_sg.command_line.accounts.stored_results import merge_stored
from alb_sg.config_rule.notification import read_notification
from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import InvalidCidrError, parse_cidr
from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.json_files import parse_content, parse_json
from alb_sg.estate.planned.change_set import read_change_set, read_changed_resources
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.deployed_stack import read_resource_files
from alb_sg.estate.planned.template_documents import parse_template
from alb_sg.estate.planned.template_parameters import parse_assignments, read_parameter_file
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile
from alb_sg.estate.planned.terraform import read_terraform_scenario
from alb_sg.estate.planned.terraform_references import parse_steps
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.exemptions.aws_document import parse_max_days
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.annotation import parse_annotation
from alb_sg.findings.finding import Compliance
from alb_sg.functions.hook import parse_rules, read_request
from alb_sg.observations.accounts import parse_accounts
from alb_sg.observations.severities import parse_severities
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.tags import parse_tags
from tests.builders import ICMP, RULES
from tests.functions.hook_events import event
from tests.fuzzing.strategies import ODD_TEXTS, places
from tests.fuzzing.test_fuzzing import EVENT, EXEMPTIONS, ITEMS, PARAMETERS, SAVED, written
from tests.fuzzing.test_fuzzing_inputs import (
    ACCOUNT_REGION,
    ACCOUNTS,
    CHANGE_SET,
    PARAMETER_FILE,
    PLAN,
    STORED,
    TEMPLATE,
    TEMPLATE_TEXT,
)

REFUSALS = (InvalidInputError, InvalidCidrError)


class Parser(NamedTuple):
    """A parser of bytes, and texts that it takes. Raises one of REFUSALS for what it refuses."""

    parse: Callable[[bytes], object]
    texts: Sequence[bytes]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _object(content: bytes) -> Any:
    """The JSON object in a text."""
    found = parse_json(_text(content))
    if not isinstance(found, dict):
        raise InvalidInputError("no object")
    return found


def _notification(content: bytes) -> object:
    found = _object(content)
    if not isinstance(found.get("invokingEvent"), str):
        found["invokingEvent"] = json.dumps(found.get("invokingEvent"))
    return read_notification(found)


def _change_set(content: bytes) -> object:
    found = _object(content)
    template = found.get("template")
    resources = read_changed_resources(found)
    return (
        template
        if not isinstance(template, str)
        else read_change_set(template, resources, PHYSICAL_IDS, ACCOUNT_REGION)
    )


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


STACK_ARN = "arn:aws:cloudformation:us-east-1:111122223333:stack"
STACK_RESOURCES = {
    "StackResources": [
        {
            "StackName": name,
            "StackId": f"{STACK_ARN}/{name}/1",
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, logical_id, physical_id, kind in (
            ("web", "Group", "sg-1", "AWS::EC2::SecurityGroup"),
            (
                "web",
                "Inner",
                f"{STACK_ARN}/inner/1",
                "AWS::CloudFormation::Stack",
            ),
            ("inner", "Web", "arn:of:web", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
        )
    ]
}
PHYSICAL_IDS = {"Web": "arn:web", "Listener": "arn:listener"}
GIVEN = GivenValues({}, take_defaults=True)
PARSERS: Mapping[str, Parser] = {
    "locations": Parser(
        lambda content: parse_location(_text(content)),
        [b"s3://bucket/exemptions.json", b"ssm:/alb-sg/exemptions", b"ssm:exemptions"],
    ),
    "parameters": Parser(
        lambda content: parse_parameters(
            dict(line.split("=", 1) for line in _text(content).split("\n") if line.split("=", 1)[1:] not in ([], [""]))
        ),
        ["\n".join(f"{name}={value}" for name, value in PARAMETERS.items()).encode()],
    ),
    "exemptions": Parser(
        lambda content: parse_exemptions(_text(content), "given", RECOMMENDATIONS_BY_NAME).of_ports(date(2027, 1, 1)),
        [_json(EXEMPTIONS)],
    ),
    "templates": Parser(parse_template, [_json(TEMPLATE), TEMPLATE_TEXT.encode(), TEMPLATE_TEXT.encode("utf-16")]),
    "JSON files": Parser(
        lambda content: parse_content("file", content, unique_keys=True),
        [_json(ACCOUNTS), gzip.compress(_json(ACCOUNTS), 1, mtime=0)],
    ),
    "accounts": Parser(lambda content: parse_accounts(parse_json(_text(content))), [_json(ACCOUNTS)]),
    "events": Parser(_notification, [_json(EVENT)]),
    "events of a Hook": Parser(lambda content: read_request(_object(content)), [_json(event()), _json(event("STACK"))]),
    "rules of a Hook": Parser(lambda content: parse_rules(_text(content)), [_json({ICMP: {"TagKey": "clients"}})]),
    "severities": Parser(lambda content: parse_severities(_text(content)), [f"{ICMP}=HIGH".encode()]),
    "tags": Parser(lambda content: parse_tags(_text(content)), [b"CostCenter=1234,Owner=platform"]),
    "roles": Parser(
        lambda content: parse_role(_text(content)), [b"audit/reader", b"arn:aws:iam::{account}:role/audit/reader"]
    ),
    "longest times": Parser(lambda content: parse_max_days(_text(content)), [b"90"]),
    "template parameters": Parser(
        lambda content: parse_assignments(_text(content).split("\n")), [b"Scheme=internal\nClients=10.0.0.0/8"]
    ),
    "addresses of Terraform": Parser(
        lambda content: parse_steps(_text(content)), [b'module.a["k.\\"x"].aws_lb.b[0].id', b"data.aws_vpc.main"]
    ),
    "address ranges": Parser(
        lambda content: parse_cidr(_text(content)), [b"10.0.0.0/8", b"2001:db8::/32", b"::ffff:10.0.0.1"]
    ),
    "saved estates": Parser(lambda content: read_export_file(written(content)), [_json(SAVED)]),
    "configuration items": Parser(lambda content: read_config_items([written(content)]), [_json(ITEMS)]),
    "plans of Terraform": Parser(lambda content: read_terraform_scenario(written(content)), [_json(PLAN)]),
    "templates and their values": Parser(
        lambda content: read_templates([TemplateFile(written(content), "web")], GIVEN, over_estate=False),
        [_json(TEMPLATE), TEMPLATE_TEXT.encode()],
    ),
    "parameter files": Parser(lambda content: read_parameter_file(written(content)), [_json(PARAMETER_FILE)]),
    "resources of deployed stacks": Parser(
        lambda content: read_resource_files([written(content)]), [_json(STACK_RESOURCES)]
    ),
    "change sets": Parser(_change_set, [_json(CHANGE_SET)]),
    "interrupted runs": Parser(
        lambda content: merge_stored([(ACCOUNT_REGION, _object(content))], RULES, {}), [_json(STORED)]
    ),
    "annotations": Parser(
        lambda content: parse_annotation(Compliance.NON_COMPLIANT, _text(content)),
        [b"Missing: ingress TCP 443 from 0.0.0.0/0 for HTTPS:443; TCP 80 from ::/0 (2 more)"],
    ),
}
WORDS = tuple(
    text.encode("utf-8", "surrogatepass") for text in (*ODD_TEXTS, '"', ":", ",", "}", "]", "null", "true", "[[[[")
)


# How many changes of JSON keep it JSON.
SHARE_OF_VALUES = 0.7
ODD: tuple[Any, ...] = (
    *ODD_TEXTS,
    None,
    True,
    False,
    0,
    -1,
    65536,
    2**63,
    0.5,
    1e308,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": {}},
)


def changed(texts: Sequence[bytes], random: Random) -> bytes:
    text = random.choice(texts)
    if text.startswith((b"{", b"[")) and random.random() < SHARE_OF_VALUES:
        return _with_other_values(json.loads(text), random)
    return _with_other_bytes(text, texts, random)


def _with_other_values(document: Any, random: Random) -> bytes:
    """JSON with one to three values replaced, removed or repeated elsewhere."""
    for _ in range(random.choice((1, 1, 2, 3))):
        *outer, key = random.choice(list(places(document)))
        holder = document
        for step in outer:
            holder = holder[step]
        match random.randrange(4):
            case 0:
                del holder[key]
                if not document:
                    break
            case 1:
                other: Any = document
                for step in random.choice(list(places(document))):
                    other = other[step]
                holder[key] = copy.deepcopy(other)
            case _:
                holder[key] = copy.deepcopy(random.choice(ODD))
    return json.dumps(document).encode()


def _with_other_bytes(text: bytes, texts: Sequence[bytes], random: Random) -> bytes:
    content = bytearray(text)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        place = random.randrange(len(content) + 1)
        match random.randrange(6):
            case 0 if content:
                content[place % len(content)] ^= 1 << random.randrange(8)
            case 1:
                del content[place : place + random.choice((1, 4, 16, 1000))]
            case 2:
                content[place:place] = content[place : place + random.randrange(1, 32)] * random.choice((1, 1, 2, 100))
            case 3:
                other = random.choice(texts)
                start = random.randrange(len(other))
                content[place:place] = other[start : start + random.randrange(1, 64)]
            case 4:
                content[place:place] = random.choice(WORDS)
            case _:
                content[place:place] = random.randbytes(random.randrange(1, 5))
    return bytes(content)


def refused_badly(name: str, count: int, seed: int) -> Iterator[tuple[bytes, Exception]]:
    """The inputs of `count` for which a parser raises anything but a refusal."""
    parser, random = PARSERS[name], Random(f"{name} {seed}")
    for _ in range(count):
        content = changed(parser.texts, random)
        try:
            parser.parse(content)
        except REFUSALS:
            pass
        except Exception as error:  # noqa: BLE001 (any is what is looked for)
            yield content, error
