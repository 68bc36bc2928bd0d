"""The document that exemptions are written in.

    {"version": 1, "exemptions": [{"loadBalancer": ARN, "rule": NAME, "reason": …, "owner": …, "ticket": …,
       "expires": "YYYY-MM-DD"}]}

All six are required; further keys are the writer's own. An entry that is malformed is kept apart and the others still
count. A document that is none is an UnusableInput.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from alb_sg.errors import UnusableInput
from alb_sg.estate.files import file_name, inside_file, parse_json, read_json_file
from alb_sg.exemptions.exemption import Exemption, Exemptions, Key, MalformedExemption
from alb_sg.recommendations.catalogue import BY_NAME

VERSION = 1
LOAD_BALANCER_ARN = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/[A-Za-z0-9-]+/[A-Za-z0-9]+"
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# An annotation (256 characters) names owner and ticket in full, and still has room for the verdict.
LONGEST_NAME = 80
LONGEST_REASON = 1000


def read_file(path: str) -> Exemptions:
    """The exemptions in a file (`.json` or `.json.gz`; `-` is standard input). Raises UnusableInput."""
    with inside_file(path):
        return _exemptions(read_json_file(path, unique_keys=True), file_name(path))


def read_text(text: str, source: str) -> Exemptions:
    """The exemptions in the text of a document; `source` names it in errors. Raises UnusableInput."""
    with inside_file(source):
        return _exemptions(parse_json(text, unique_keys=True), source)


def _exemptions(document: Any, source: str) -> Exemptions:
    if not isinstance(document, dict):
        raise UnusableInput('an object was expected, {"version": 1, "exemptions": […]}')
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise UnusableInput(f"{version!r} is no version of exemptions that this reads; write {VERSION}", "version")
    listed = document.get("exemptions")
    if not isinstance(listed, list):
        raise UnusableInput("a list of exemptions was expected", "exemptions")
    found: dict[Key, list[tuple[int, Exemption]]] = defaultdict(list)
    malformed: dict[int, MalformedExemption] = {}
    for index, entry in enumerate(listed):
        try:
            exemption = _exemption(entry)
        except UnusableInput as error:
            inside = error.inside(_place(index))
            malformed[index] = MalformedExemption(inside.place, inside.message, *_meant(entry))
        else:
            found[exemption.key].append((index, exemption))
    for same in found.values():
        if len(same) > 1:
            places = ", ".join(_place(index) for index, _ in same)
            message = f"{places} exempt the same load balancer from the same rule; keep one of them"
            malformed |= {index: MalformedExemption(_place(index), message, *one.key) for index, one in same}
    entries = tuple(same[0][1] for same in found.values() if len(same) == 1)
    return Exemptions(source, entries, tuple(malformed[index] for index in sorted(malformed)))


def _place(index: int) -> str:
    return f"exemptions[{index}]"


def _exemption(entry: Any) -> Exemption:
    """One entry. Raises UnusableInput with the place in it."""
    if not isinstance(entry, dict):
        raise UnusableInput("an object was expected")
    arn = _text(entry, "loadBalancer")
    if not LOAD_BALANCER_ARN.fullmatch(arn):
        raise UnusableInput(
            f"{arn!r} is not the whole ARN of one Application Load Balancer (no wildcards)", "loadBalancer"
        )
    rule = _text(entry, "rule")
    if rule not in BY_NAME:
        raise UnusableInput(f"unknown rule {rule!r}; known are {', '.join(sorted(BY_NAME))}", "rule")
    return Exemption(
        load_balancer_arn=arn,
        rule=rule,
        reason=_text(entry, "reason", LONGEST_REASON),
        owner=_text(entry, "owner", LONGEST_NAME),
        ticket=_text(entry, "ticket", LONGEST_NAME),
        expires=_date(_text(entry, "expires")),
    )


def _text(entry: Mapping[str, Any], name: str, longest: int | None = None) -> str:
    value = entry.get(name)
    if value is None:
        raise UnusableInput("it is missing; every exemption has one", name)
    if not isinstance(value, str):
        raise UnusableInput(f"text was expected, not {value!r}", name)
    # One line, so that it can stand in a log line, an annotation and a table.
    text = " ".join(value.split())
    if not text:
        raise UnusableInput("it is empty; every exemption has one", name)
    if not text.isprintable():
        raise UnusableInput(f"{text!r} has characters that cannot be shown", name)
    if longest is not None and len(text) > longest:
        raise UnusableInput(f"it has {len(text)} characters; at most {longest} are allowed", name)
    return text


def _date(text: str) -> date:
    if DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise UnusableInput(f"{text!r} is not a date such as 2027-01-31", "expires")


def _meant(entry: Any) -> tuple[str | None, str | None]:
    """The load balancer and rule of a malformed entry, each as far as it can be used."""
    if not isinstance(entry, dict):
        return None, None
    arn, rule = entry.get("loadBalancer"), entry.get("rule")
    return (
        arn if isinstance(arn, str) and LOAD_BALANCER_ARN.fullmatch(arn) else None,
        rule if isinstance(rule, str) and rule in BY_NAME else None,
    )
