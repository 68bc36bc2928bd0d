"""The JSON document of exemptions.

    {"version": 1, "exemptions": [{"loadBalancer": ARN, "rule": NAME, "reason": …, "owner": …, "ticket": …,
       "expires": "YYYY-MM-DD", "ports": [80]}]}

All but `ports` are required; other keys are ignored. A malformed entry exempts nothing and leaves the others in force.
An invalid document raises InvalidInputError.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import display_name, file_error_context, parse_json, read_json_file
from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption, VerdictKey

VERSION = 1
LOAD_BALANCER_ARN = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/[A-Za-z0-9-]+/[A-Za-z0-9]+"
)
DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Short enough for an annotation (256 characters) to hold owner, ticket and verdict in full.
MAX_NAME_LENGTH = 80
MAX_REASON_LENGTH = 1000
MAX_PORT = 65535


def read_exemptions_file(path: str, known_rules: Collection[str]) -> Exemptions:
    """The exemptions in a file (`.json` or `.json.gz`; `-` is standard input). Raises InvalidInputError."""
    with file_error_context(path):
        return _parse_document(read_json_file(path, unique_keys=True), display_name(path), known_rules)


def parse_exemptions(text: str, document_name: str, known_rules: Collection[str]) -> Exemptions:
    """The exemptions in the text of a document. An entry for none of the known rules is malformed.

    Raises InvalidInputError.
    """
    with file_error_context(document_name):
        return _parse_document(parse_json(text, unique_keys=True), document_name, known_rules)


def _parse_document(document: Any, document_name: str, known_rules: Collection[str]) -> Exemptions:
    if not isinstance(document, dict):
        raise InvalidInputError('an object was expected, {"version": 1, "exemptions": […]}')
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise InvalidInputError(f"{version!r} is not supported; write {VERSION}", "version")
    entries = document.get("exemptions")
    if not isinstance(entries, list):
        raise InvalidInputError("a list of exemptions was expected", "exemptions")
    by_key: dict[VerdictKey, list[tuple[int, Exemption]]] = defaultdict(list)
    malformed: dict[int, MalformedExemption] = {}
    for index, entry in enumerate(entries):
        try:
            exemption = _parse_entry(entry, known_rules)
        except InvalidInputError as error:
            inside = error.inside(_place(index))
            malformed[index] = MalformedExemption(inside.place, inside.message, *_intended_key(entry, known_rules))
        else:
            by_key[exemption.key].append((index, exemption))
    for key, duplicates in by_key.items():
        if len(duplicates) > 1:
            places = ", ".join(_place(index) for index, _ in duplicates)
            message = f"{places} exempt the same load balancer from the same rule; keep one of them"
            malformed |= {index: MalformedExemption(_place(index), message, *key) for index, _ in duplicates}
    unique = tuple(exemptions[0][1] for exemptions in by_key.values() if len(exemptions) == 1)
    return Exemptions(document_name, unique, tuple(malformed[index] for index in sorted(malformed)))


def _place(index: int) -> str:
    return f"exemptions[{index}]"


def _parse_entry(entry: Any, known_rules: Collection[str]) -> Exemption:
    """One entry. Raises InvalidInputError with the place within the entry."""
    if not isinstance(entry, dict):
        raise InvalidInputError("an object was expected")
    arn = _required_text(entry, "loadBalancer")
    if not LOAD_BALANCER_ARN.fullmatch(arn):
        raise InvalidInputError(
            f"{arn!r} is not the whole ARN of one Application Load Balancer (no wildcards)", "loadBalancer"
        )
    rule = _required_text(entry, "rule")
    if rule not in known_rules:
        raise InvalidInputError(f"unknown rule {rule!r}; known are {', '.join(sorted(known_rules))}", "rule")
    return Exemption(
        load_balancer_arn=arn,
        rule=rule,
        reason=_required_text(entry, "reason", MAX_REASON_LENGTH),
        owner=_required_text(entry, "owner", MAX_NAME_LENGTH),
        ticket=_required_text(entry, "ticket", MAX_NAME_LENGTH),
        expires=parse_date(_required_text(entry, "expires"), "expires"),
        ports=_parse_ports(entry["ports"]) if "ports" in entry else (),
    )


def _parse_ports(value: Any) -> tuple[int, ...]:
    """The ports, each once. An empty list exempts nothing and is a mistake: without `ports`, every port is exempt."""
    if not isinstance(value, list) or not value:
        raise InvalidInputError("a list of TCP ports was expected, such as [80]; leave it out to exempt all", "ports")
    for port in value:
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= MAX_PORT:
            raise InvalidInputError(f"{port!r} is not a TCP port, a number from 1 to {MAX_PORT}", "ports")
    return tuple(sorted(set(value)))


def _required_text(entry: Mapping[str, Any], name: str, max_length: int | None = None) -> str:
    value = entry.get(name)
    if value is None:
        raise InvalidInputError("it is missing; every exemption needs one", name)
    if not isinstance(value, str):
        raise InvalidInputError(f"text was expected, not {value!r}", name)
    # Logs, annotations and tables need a single line.
    text = " ".join(value.split())
    if not text:
        raise InvalidInputError("it is empty; every exemption needs one", name)
    if not text.isprintable():
        raise InvalidInputError(f"{text!r} has characters that cannot be printed", name)
    if max_length is not None and len(text) > max_length:
        raise InvalidInputError(f"it has {len(text)} characters; at most {max_length} are allowed", name)
    return text


def parse_date(text: str, place: str = "") -> date:
    """A date in the form YYYY-MM-DD. Raises an InvalidInputError about the place."""
    if DATE_PATTERN.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidInputError(f"{text!r} is not a date such as 2027-01-31", place)


def _intended_key(entry: Any, known_rules: Collection[str]) -> tuple[str | None, str | None]:
    """The load balancer and rule of a malformed entry, each None unless it is valid."""
    if not isinstance(entry, dict):
        return None, None
    arn, rule = entry.get("loadBalancer"), entry.get("rule")
    return (
        arn if isinstance(arn, str) and LOAD_BALANCER_ARN.fullmatch(arn) else None,
        rule if isinstance(rule, str) and rule in known_rules else None,
    )
