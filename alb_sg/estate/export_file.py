"""Export files: one JSON object per account and region, whose sections are the responses of the API.

    {"AccountId", "Region", "LoadBalancers": [DescribeLoadBalancers], "Listeners": [DescribeListeners],
     "TargetGroups": [DescribeTargetGroups], "TargetHealthDescriptions": {"<TargetGroupArn>": [DescribeTargetHealth]},
     "SecurityGroups": [DescribeSecurityGroups], "SecurityGroupRules": [DescribeSecurityGroupRules],
     "Vpcs": [DescribeVpcs], "Subnets": [DescribeSubnets],
     "NetworkInterfaces": [DescribeNetworkInterfaces], "Instances": [DescribeInstances' Instances],
     "ManagedPrefixLists": {"pl-…": {"PrefixListName", "AddressFamily", "OwnerId", "Entries": [{"Cidr"}]}},
     "Tags": {"<LoadBalancerArn>": [{"Key", "Value"}]}, "ListenerRules": [DescribeRules' Rules]}

A file holds one object or a list of them. A section that is absent or null was not collected; an empty section was
collected, and the account has no such resource. A section may have the wrapper of the `aws` command, once or per page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO, TypeVar

from alb_sg.aws.account_region import AccountRegion, parse_account_id
from alb_sg.aws.arns import listener_of_rule
from alb_sg.errors import InvalidInputError, error_context
from alb_sg.estate import from_api
from alb_sg.estate.config_documents import ITEM_LIST_KEYS, refuse_further_pages
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.field_readers import Shape, list_or_empty, read_each, require_object, required_text
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.json_files import file_error_context, join_place, read_json_file
from alb_sg.estate.model import Listener, PrefixList, Target
from alb_sg.estate.sections import ALL_OR_NOTHING_SECTIONS, Section

T = TypeVar("T")
U = TypeVar("U")

# The keys of a section's elements in the API's response, where they differ from the section's name.
WRAPPER_KEYS = {Section.INSTANCES: ("Reservations", "Instances"), Section.TAGS: ("TagDescriptions",)}
# What the entries of a section that is an object are keyed by.
KEYS_OF_OBJECTS = {
    Section.TARGET_HEALTH_DESCRIPTIONS: "the ARN of its target group",
    Section.MANAGED_PREFIX_LISTS: "the ID of its prefix list",
    Section.TAGS: "the ARN of its load balancer",
}
PREFIX_LISTS_KEY = "PrefixLists"
# The section, and the key of its elements in the API's response.
LISTENER_RULES_KEYS = ("ListenerRules", "Rules")


def read_export_file(path: str) -> list[Estate]:
    """The estates in a file (`.json` or `.json.gz`; `-` is standard input), in its order.

    Raises InvalidInputError that names the file and the place in it.
    """
    with file_error_context(path):
        document = read_json_file(path, unique_keys=True)
        if not isinstance(document, list):
            return [estate_of_export(document)]
        places: dict[AccountRegion, int] = {}
        estates = []
        for index, estate in enumerate(read_each(document, "", estate_of_export)):
            account_region = estate.account_region
            if account_region in places:
                raise InvalidInputError(
                    f"{account_region} was given already, in [{places[account_region]}]", f"[{index}]"
                )
            places[account_region] = index
            estates.append(estate)
        return estates


def estate_of_export(value: Any) -> Estate:
    """The estate in an export file's object. Raises InvalidInputError."""
    document = require_object(value)
    if not document.keys().isdisjoint(ITEM_LIST_KEYS):
        raise InvalidInputError("these are AWS Config items, not a saved estate; give the file with --config-items")
    account_region = AccountRegion(
        parse_account_id(document.get("AccountId"), "AccountId"), required_text(document, "Region")
    )
    failures: list[ReadFailure] = []

    def read_list(name: Section, read: Callable[[Any], T]) -> dict[str, T] | None:
        return _list_section(document, name, read, account_region, failures)

    load_balancers = read_list(Section.LOAD_BALANCERS, from_api.load_balancer)
    listeners = read_list(Section.LISTENERS, lambda value: _listener(value, account_region))
    security_groups = read_list(Section.SECURITY_GROUPS, from_api.security_group)
    listed = load_balancers or {}
    targets = _targets(document, account_region, failures)
    if load_balancers is None:
        failures.append(ReadFailure(Section.LOAD_BALANCERS, None, "the section was not collected"))
    return Estate(
        account_id=account_region.account_id,
        region=account_region.region,
        load_balancers=listed,
        listeners=None if listeners is None else listeners_by_load_balancer(listed, listeners.values()),
        target_groups=read_list(Section.TARGET_GROUPS, from_api.target_group),
        targets=targets,
        security_groups=security_groups,
        has_all_security_groups=security_groups is not None,
        security_group_rules=read_list(Section.SECURITY_GROUP_RULES, from_api.security_group_rule),
        vpcs=read_list(Section.VPCS, from_api.vpc),
        subnets=read_list(Section.SUBNETS, from_api.subnet),
        instances=read_list(Section.INSTANCES, from_api.instance),
        network_interfaces=read_list(Section.NETWORK_INTERFACES, from_api.network_interface),
        prefix_lists=_prefix_lists(document, failures),
        tags=_tags(document, listed, account_region, failures),
        rule_authentications=_rule_authentications(document),
        # Last: the sections above add to it.
        failures=tuple(failures),
    )


def _list_section(
    document: Shape,
    name: Section,
    read: Callable[[Any], T],
    account_region: AccountRegion,
    failures: list[ReadFailure],
) -> dict[str, T] | None:
    """The elements of a section by ID; None where it was not collected. IDs that are ARNs must be of `account_region`.

    An element that cannot be read is one of `failures`. Raises InvalidInputError for an element without an ID and for
    a repeated one.
    """
    if document.get(name) is None:
        return None
    field = from_api.READERS[name].id_field
    is_arn = field.endswith("Arn")
    elements: dict[str, T] = {}
    places: dict[str, str] = {}
    for place, element in _elements(document[name], name, WRAPPER_KEYS.get(name, (name,))):
        try:
            identifier = required_text(require_object(element), field)
            if is_arn:
                account_region.check_arn(identifier, field)
            if identifier in places:
                raise InvalidInputError(f"{identifier!r} was given already, in {places[identifier]}", field)
        except InvalidInputError as error:
            raise error.inside(place) from error
        places[identifier] = place
        try:
            elements[identifier] = read(element)
        except InvalidInputError as error:
            if name is Section.LISTENERS:
                # Its load balancer is not of this account and region.
                raise error.inside(place) from error
            key = None if name in ALL_OR_NOTHING_SECTIONS else identifier
            failures.append(ReadFailure(name, key, str(error.inside(place))))
    return elements


def _elements(value: Any, place: str, wrappers: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Every element and its place. The wrapper of an API response may enclose all elements or each page of them."""
    key = _wrapper_key(value, wrappers)
    if key is not None:
        refuse_further_pages(value, place)
        yield from _elements(value[key], join_place(place, key), wrappers)
        return
    with error_context(place):
        elements = list_or_empty(value)
    for index, element in enumerate(elements):
        at = f"{place}[{index}]"
        if _wrapper_key(element, wrappers) is None:
            yield at, element
        else:
            yield from _elements(element, at, wrappers)


def _wrapper_key(value: Any, wrappers: Sequence[str]) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return next((key for key in wrappers if key in value), None)


def _listener(value: Any, account_region: AccountRegion) -> Listener:
    listener = from_api.listener(value)
    account_region.check_arn(listener.load_balancer_arn, "LoadBalancerArn")
    return listener


def _object_section(
    document: Shape,
    name: Section,
    check: Callable[[str, Any], U],
    read: Callable[[str, U], T],
    failures: list[ReadFailure],
) -> dict[str, T] | None:
    """A section that is an object; None where it was not collected. A key with a null value counts as absent.

    `check` returns what `read` takes. Its errors concern the file; those of `read` concern what depends on the entry,
    and are among the `failures`.
    """
    if document.get(name) is None:
        return None
    with error_context(name):
        values = require_object(document[name])
    if name in values:
        raise InvalidInputError(f"the output stands without its key; put it under {KEYS_OF_OBJECTS[name]}", name)
    entries = {}
    for key, value in values.items():
        if value is not None:
            place = f"{name}[{json.dumps(key)}]"
            try:
                checked = check(key, value)
            except InvalidInputError as error:
                raise error.inside(place) from error
            try:
                entries[key] = read(key, checked)
            except InvalidInputError as error:
                failures.append(ReadFailure(name, key, str(error.inside(place))))
    return entries


def _targets(
    document: Shape, account_region: AccountRegion, failures: list[ReadFailure]
) -> dict[str, tuple[Target, ...]] | None:
    """Registrations by target group."""

    def check(arn: str, value: Any) -> list[tuple[str, Any]]:
        account_region.check_arn(arn, "")
        return list(_elements(value, "", (Section.TARGET_HEALTH_DESCRIPTIONS,)))

    def read(_: str, elements: list[tuple[str, Any]]) -> tuple[Target, ...]:
        targets = []
        for place, element in elements:
            try:
                targets.append(from_api.target_health_description(element))
            except InvalidInputError as error:
                raise error.inside(place) from error
        return ordered_targets(targets)

    return _object_section(document, Section.TARGET_HEALTH_DESCRIPTIONS, check, read, failures)


def _prefix_lists(document: Shape, failures: list[ReadFailure]) -> dict[str, PrefixList] | None:
    """Prefix lists by ID, or as `aws ec2 describe-managed-prefix-lists` prints them.

    That output has no entries. Those of a list are the output of `aws ec2 get-managed-prefix-list-entries` under its
    ID.
    """
    value = document.get(Section.MANAGED_PREFIX_LISTS)
    described: dict[str, Any] = {}
    if isinstance(value, list) or _wrapper_key(value, (PREFIX_LISTS_KEY,)) is not None:
        for place, element in _elements(value, Section.MANAGED_PREFIX_LISTS, (PREFIX_LISTS_KEY,)):
            with error_context(place):
                described[required_text(require_object(element), "PrefixListId")] = element
        rest = value if isinstance(value, Mapping) else {}
        entries = {key: inner for key, inner in rest.items() if key.startswith("pl-") and isinstance(inner, Mapping)}
        document = {Section.MANAGED_PREFIX_LISTS: {**described, **entries}}

    def check(prefix_list_id: str, value: Any) -> Shape:
        if not prefix_list_id.startswith("pl-"):
            raise InvalidInputError("the key is not a prefix list ID (pl-…)")
        fields = require_object(value)
        refuse_further_pages(fields, "")
        return {**described.get(prefix_list_id, {}), **fields}

    def read(prefix_list_id: str, fields: Shape) -> PrefixList:
        if prefix_list_id in described and fields.get("Entries") is None:
            raise InvalidInputError(
                "its entries are missing; add the output of get-managed-prefix-list-entries under its ID"
            )
        return from_api.prefix_list(prefix_list_id, fields)

    return _object_section(document, Section.MANAGED_PREFIX_LISTS, check, read, failures)


def _tags(
    document: Shape,
    load_balancer_arns: Mapping[str, object],
    account_region: AccountRegion,
    failures: list[ReadFailure],
) -> dict[str, Mapping[str, str]] | None:
    """Tags by load balancer. A load balancer that a collected section does not name has no tags."""
    value = document.get(Section.TAGS)
    if value is None:
        return None
    tags_by_arn: dict[str, Mapping[str, str]] = {}
    wrappers = WRAPPER_KEYS[Section.TAGS]
    if isinstance(value, list) or _wrapper_key(value, wrappers) is not None:
        for place, description in _elements(value, Section.TAGS, wrappers):
            with error_context(place):
                arn = required_text(require_object(description), "ResourceArn")
                account_region.check_arn(arn, "ResourceArn")
                if arn in tags_by_arn:
                    raise InvalidInputError(f"{arn!r} was given already", "ResourceArn")
            try:
                tags_by_arn[arn] = from_api.described_tags(description)
            except InvalidInputError as error:
                failures.append(ReadFailure(Section.TAGS, arn, str(error.inside(place))))
    else:

        def check(arn: str, tags: Any) -> Any:
            account_region.check_arn(arn, "")
            return tags

        tags_by_arn |= (
            _object_section(document, Section.TAGS, check, lambda _, tags: from_api.tags(tags), failures) or {}
        )
    unread = {failure.key for failure in failures if failure.section is Section.TAGS}
    return {arn: {} for arn in load_balancer_arns if arn not in unread} | tags_by_arn


def _rule_authentications(document: Shape) -> dict[str, tuple[str, ...]]:
    """What the rules of each listener do to authenticate, from `ListenerRules` or, as `aws elbv2 describe-rules` prints
    them, `Rules`: a list, or an object with a list for each listener."""
    name = next((key for key in LISTENER_RULES_KEYS if document.get(key) is not None), None)
    if name is None:
        return {}
    value = document[name]
    if isinstance(value, Mapping) and LISTENER_RULES_KEYS[1] not in value:
        value = [rule for rules in value.values() for _, rule in _elements(rules, name, LISTENER_RULES_KEYS[1:])]
    found: dict[str, set[str]] = {}
    for place, element in _elements(value, name, LISTENER_RULES_KEYS[1:]):
        with error_context(place):
            fields = require_object(element)
            arn = listener_of_rule(required_text(fields, "RuleArn"))
            if arn is None:
                raise InvalidInputError(f"{fields['RuleArn']!r} is not the ARN of a listener rule", "RuleArn")
        found.setdefault(arn, set()).update(from_api.authentications(fields.get("Actions")))
    return {arn: tuple(sorted(types)) for arn, types in found.items()}


def write_export_file(estates: Sequence[Mapping[str, Any]], stream: TextIO) -> None:
    """Write estates, given as the sections above: one estate as an object, any other number as a list.

    The same content gives the same bytes, whatever the order of the API's responses. Times become ISO 8601 text in UTC.
    """
    ordered = sorted(
        (_sorted_estate(estate) for estate in estates), key=lambda estate: (estate["AccountId"], estate["Region"])
    )
    document = ordered[0] if len(ordered) == 1 else ordered
    stream.write(_to_json(document, indent=2) + "\n")


def estate_text(estate: Mapping[str, Any]) -> str:
    """One estate as JSON, as it stands in a file of several."""
    return _to_json(_sorted_estate(estate), indent=2)


def write_estate_texts(texts: Iterable[str], stream: TextIO) -> int:
    """Write a list of estates, in the order of their texts, and return how many. Only one of them is in memory."""
    stream.write("[")
    separator, count = "\n", 0
    for count, text in enumerate(texts, 1):  # noqa: B007 (the count is returned)
        # No text in JSON holds a line break, so each line may be indented.
        stream.write(separator + "".join(f"  {line}" for line in text.splitlines(keepends=True)))
        separator = ",\n"
    stream.write("\n]\n" if count else "]\n")
    return count


def _sorted_estate(estate: Mapping[str, Any]) -> dict[str, Any]:
    """The estate with the elements of every section ordered by ID."""
    return {name: _sorted_section(name, value) for name, value in estate.items()}


def _sorted_section(name: str, value: Any) -> Any:
    if name in from_api.READERS and isinstance(value, Sequence):
        field = from_api.READERS[name].id_field
        return sorted(value, key=lambda element: str(element.get(field)))
    if name in (Section.TARGET_HEALTH_DESCRIPTIONS, Section.TAGS) and isinstance(value, Mapping):
        return {key: sorted(elements, key=_to_json) for key, elements in value.items()}
    return value


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, sort_keys=True, indent=indent, allow_nan=False, default=_time_to_text)


def _time_to_text(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} cannot be written to an export file")
    return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
