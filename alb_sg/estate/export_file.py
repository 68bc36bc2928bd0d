"""Saved estates: one JSON object per account and region whose sections are the API's own answers.

    {"AccountId", "Region", "LoadBalancers": [DescribeLoadBalancers], "Listeners": [DescribeListeners],
     "TargetGroups": [DescribeTargetGroups], "TargetHealthDescriptions": {"<TargetGroupArn>": [DescribeTargetHealth]},
     "SecurityGroups": [DescribeSecurityGroups], "Vpcs": [DescribeVpcs], "Subnets": [DescribeSubnets],
     "NetworkInterfaces": [DescribeNetworkInterfaces], "Instances": [DescribeInstances' Instances],
     "ManagedPrefixLists": {"pl-…": {"PrefixListName", "AddressFamily", "OwnerId", "Entries": [{"Cidr"}]}},
     "Tags": {"<LoadBalancerArn>": [{"Key", "Value"}]}}

A file holds one object or a list of them. A section that is absent or null was not collected; an empty one was,
and there is nothing. A section may stand in the wrapper in which the `aws` command prints it, once or per page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO, TypeVar

from alb_sg.aws.account_region import AccountRegion, parse_account_id
from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.from_api import Shape, list_or_empty, require_object, required_text
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.json_files import file_error_context, join_place, read_json_file
from alb_sg.estate.model import Listener, PrefixList, Target

T = TypeVar("T")

# What tells the elements of a section apart.
ID_FIELDS = {
    "LoadBalancers": "LoadBalancerArn",
    "Listeners": "ListenerArn",
    "TargetGroups": "TargetGroupArn",
    "SecurityGroups": "GroupId",
    "Vpcs": "VpcId",
    "Subnets": "SubnetId",
    "NetworkInterfaces": "NetworkInterfaceId",
    "Instances": "InstanceId",
}
# The keys under which the API answers with a section's elements, where they are not the section's own name.
WRAPPER_KEYS = {"Instances": ("Reservations", "Instances"), "Tags": ("TagDescriptions",)}
NEXT_PAGE_KEYS = ("NextToken", "NextMarker")


def read_export_file(path: str) -> list[Estate]:
    """The estates in a file (`.json` or `.json.gz`; `-` is standard input), in its order.

    Raises InvalidInputError that names the file and the place in it.
    """
    with file_error_context(path):
        document = read_json_file(path, unique_keys=True)
        if not isinstance(document, list):
            return [_estate(document)]
        places: dict[AccountRegion, int] = {}
        estates = []
        for index, estate in enumerate(from_api.read_each(document, "", _estate)):
            account_region = AccountRegion(estate.account_id, estate.region)
            if account_region in places:
                raise InvalidInputError(
                    f"{account_region} was given already, in [{places[account_region]}]", f"[{index}]"
                )
            places[account_region] = index
            estates.append(estate)
        return estates


def _estate(source: Any) -> Estate:
    source = require_object(source)
    account_region = AccountRegion(
        parse_account_id(source.get("AccountId"), "AccountId"), required_text(source, "Region")
    )
    load_balancers = _list_section(source, "LoadBalancers", from_api.load_balancer, account_region)
    listeners = _list_section(source, "Listeners", lambda value: _listener(value, account_region), account_region)
    security_groups = _list_section(source, "SecurityGroups", from_api.security_group)
    held = load_balancers or {}
    return Estate(
        account_id=account_region.account_id,
        region=account_region.region,
        load_balancers=held,
        listeners=None if listeners is None else listeners_by_load_balancer(held, listeners.values()),
        target_groups=_list_section(source, "TargetGroups", from_api.target_group, account_region),
        targets=_object_section(
            source, "TargetHealthDescriptions", lambda arn, value: _targets(arn, value, account_region)
        ),
        security_groups=security_groups,
        has_all_security_groups=security_groups is not None,
        vpcs=_list_section(source, "Vpcs", from_api.vpc),
        instances=_list_section(source, "Instances", from_api.instance),
        network_interfaces=_list_section(source, "NetworkInterfaces", from_api.network_interface),
        prefix_lists=_object_section(source, "ManagedPrefixLists", _prefix_list),
        tags=_tags(source, held, account_region),
        failures=()
        if load_balancers is not None
        else (ReadFailure("LoadBalancers", None, "the section was not collected"),),
    )


# --- sections that are lists


def _list_section(
    source: Shape, name: str, read: Callable[[Any], T], account_region: AccountRegion | None = None
) -> dict[str, T] | None:
    """A section by its elements' ids; None where it was not collected. `home`: the ids are ARNs of it.

    Raises InvalidInputError, also for an element that is given twice.
    """
    if source.get(name) is None:
        return None
    field = ID_FIELDS[name]
    found: dict[str, T] = {}
    places: dict[str, str] = {}
    for place, element in _elements(source[name], name, WRAPPER_KEYS.get(name, (name,))):
        try:
            value = read(element)
            identifier = required_text(element, field)
            if account_region is not None:
                account_region.check_arn(identifier, field)
            if identifier in places:
                raise InvalidInputError(f"{identifier!r} was given already, in {places[identifier]}", field)
        except InvalidInputError as error:
            raise error.inside(place) from error
        places[identifier] = place
        found[identifier] = value
    return found


def _elements(value: Any, place: str, wrappers: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Every element and its place, out of the wrappers in which the API answers: around all or page by page."""
    key = _wrapper_key(value, wrappers)
    if key is not None:
        _refuse_partial(value, place)
        yield from _elements(value[key], join_place(place, key), wrappers)
        return
    try:
        elements = list_or_empty(value)
    except InvalidInputError as error:
        raise error.inside(place) from error
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


def _refuse_partial(answer: Shape, place: str) -> None:
    """An answer that goes on would leave out what is on its further pages."""
    for key in NEXT_PAGE_KEYS:
        if answer.get(key):
            raise InvalidInputError(
                "the answer has further pages; collect all of them and remove this key", join_place(place, key)
            )


def _listener(source: Any, account_region: AccountRegion) -> Listener:
    listener = from_api.listener(source)
    account_region.check_arn(listener.load_balancer_arn, "LoadBalancerArn")
    return listener


# --- sections that are objects


def _object_section(source: Shape, name: str, read: Callable[[str, Any], T]) -> dict[str, T] | None:
    """A section that is an object; None where it was not collected. A key whose value is null is absent too."""
    if source.get(name) is None:
        return None
    try:
        values = require_object(source[name])
    except InvalidInputError as error:
        raise error.inside(name) from error
    found = {}
    for key, value in values.items():
        if value is not None:
            try:
                found[key] = read(key, value)
            except InvalidInputError as error:
                raise error.inside(f"{name}[{json.dumps(key)}]") from error
    return found


def _targets(arn: str, value: Any, account_region: AccountRegion) -> tuple[Target, ...]:
    account_region.check_arn(arn, "")
    return ordered_targets(_read_elements(value, "TargetHealthDescriptions", from_api.target_health_description))


def _read_elements(value: Any, wrapper: str, read: Callable[[Any], T]) -> Iterator[T]:
    for place, element in _elements(value, "", (wrapper,)):
        try:
            yield read(element)
        except InvalidInputError as error:
            raise error.inside(place) from error


def _prefix_list(prefix_list_id: str, value: Any) -> PrefixList:
    if not prefix_list_id.startswith("pl-"):
        raise InvalidInputError("the key is not the id of a prefix list (pl-…)")
    value = require_object(value)
    _refuse_partial(value, "")
    return from_api.prefix_list(prefix_list_id, value)


def _tags(
    source: Shape, load_balancer_arns: Mapping[str, object], account_region: AccountRegion
) -> dict[str, Mapping[str, str]] | None:
    """Tags by load balancer. In a section that was collected, a load balancer that it does not name has none."""
    value = source.get("Tags")
    if value is None:
        return None
    found: dict[str, Mapping[str, str]] = {}
    if isinstance(value, list) or _wrapper_key(value, WRAPPER_KEYS["Tags"]) is not None:
        for place, description in _elements(value, "Tags", WRAPPER_KEYS["Tags"]):
            try:
                arn, tags = _tag_description(description, account_region)
                if arn in found:
                    raise InvalidInputError(f"{arn!r} was given already", "ResourceArn")
            except InvalidInputError as error:
                raise error.inside(place) from error
            found[arn] = tags
    else:
        found.update(_object_section(source, "Tags", lambda arn, tags: _tags_of(arn, tags, account_region)) or {})
    return {arn: {} for arn in load_balancer_arns} | found


def _tag_description(source: Any, account_region: AccountRegion) -> tuple[str, Mapping[str, str]]:
    source = require_object(source)
    arn = required_text(source, "ResourceArn")
    account_region.check_arn(arn, "ResourceArn")
    try:
        return arn, from_api.tags(source.get("Tags"))
    except InvalidInputError as error:
        raise error.inside("Tags") from error


def _tags_of(arn: str, value: Any, account_region: AccountRegion) -> Mapping[str, str]:
    account_region.check_arn(arn, "")
    return from_api.tags(value)


# --- writing


def write_export_file(estates: Sequence[Mapping[str, Any]], stream: TextIO) -> None:
    """Write saved estates, given as the sections above: one as an object, any other number as a list.

    The same content gives the same bytes, in whatever order the API answered. Times become ISO 8601 text in UTC.
    """
    ordered = sorted(
        (_sorted_estate(estate) for estate in estates), key=lambda estate: (estate["AccountId"], estate["Region"])
    )
    document = ordered[0] if len(ordered) == 1 else ordered
    stream.write(_to_json(document, indent=2) + "\n")


def _sorted_estate(estate: Mapping[str, Any]) -> dict[str, Any]:
    """The estate with the elements of every section in the order of their ids."""
    return {name: _sorted_section(name, value) for name, value in estate.items()}


def _sorted_section(name: str, value: Any) -> Any:
    if name in ID_FIELDS and isinstance(value, Sequence):
        field = ID_FIELDS[name]
        return sorted(value, key=lambda element: str(element.get(field)))
    if name in ("TargetHealthDescriptions", "Tags") and isinstance(value, Mapping):
        return {key: sorted(elements, key=_to_json) for key, elements in value.items()}
    return value


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, sort_keys=True, indent=indent, allow_nan=False, default=_time_to_text)


def _time_to_text(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} has no place in a saved estate")
    return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
