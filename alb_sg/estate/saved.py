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

from alb_sg.errors import UnusableInput
from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate, Failure
from alb_sg.estate.files import inside_file, joined, read_json_file
from alb_sg.estate.from_api import Shape, items, shape, text
from alb_sg.estate.home import Home, account_id
from alb_sg.estate.keyed import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.model import Listener, PrefixList, Target

T = TypeVar("T")

# What tells the elements of a section apart.
IDENTIFIERS = {
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
WRAPPERS = {"Instances": ("Reservations", "Instances"), "Tags": ("TagDescriptions",)}
NEXT_PAGE = ("NextToken", "NextMarker")


def read_saved_estates(path: str) -> list[Estate]:
    """The estates in a file (`.json` or `.json.gz`; `-` is standard input), in its order.

    Raises UnusableInput that names the file and the place in it.
    """
    with inside_file(path):
        document = read_json_file(path, unique_keys=True)
        if not isinstance(document, list):
            return [_estate(document)]
        places: dict[Home, int] = {}
        estates = []
        for index, estate in enumerate(from_api.each(document, "", _estate)):
            home = Home(estate.account_id, estate.region)
            if home in places:
                raise UnusableInput(f"{home} was given already, in [{places[home]}]", f"[{index}]")
            places[home] = index
            estates.append(estate)
        return estates


def _estate(source: Any) -> Estate:
    source = shape(source)
    home = Home(account_id(source.get("AccountId"), "AccountId"), text(source, "Region"))
    load_balancers = _section(source, "LoadBalancers", from_api.load_balancer, home)
    listeners = _section(source, "Listeners", lambda value: _listener(value, home), home)
    security_groups = _section(source, "SecurityGroups", from_api.security_group)
    held = load_balancers or {}
    return Estate(
        account_id=home.account_id,
        region=home.region,
        load_balancers=held,
        listeners=None if listeners is None else listeners_by_load_balancer(held, listeners.values()),
        target_groups=_section(source, "TargetGroups", from_api.target_group, home),
        targets=_keyed(source, "TargetHealthDescriptions", lambda arn, value: _targets(arn, value, home)),
        security_groups=security_groups,
        complete_groups=security_groups is not None,
        vpcs=_section(source, "Vpcs", from_api.vpc),
        instances=_section(source, "Instances", from_api.instance),
        network_interfaces=_section(source, "NetworkInterfaces", from_api.network_interface),
        prefix_lists=_keyed(source, "ManagedPrefixLists", _prefix_list),
        tags=_tags(source, held, home),
        failures=()
        if load_balancers is not None
        else (Failure("LoadBalancers", None, "the section was not collected"),),
    )


# --- sections that are lists


def _section(source: Shape, name: str, read: Callable[[Any], T], home: Home | None = None) -> dict[str, T] | None:
    """A section by its elements' ids; None where it was not collected. `home`: the ids are ARNs of it.

    Raises UnusableInput, also for an element that is given twice.
    """
    if source.get(name) is None:
        return None
    field = IDENTIFIERS[name]
    found: dict[str, T] = {}
    places: dict[str, str] = {}
    for place, element in _elements(source[name], name, WRAPPERS.get(name, (name,))):
        try:
            value = read(element)
            identifier = text(element, field)
            if home is not None:
                home.require(identifier, field)
            if identifier in places:
                raise UnusableInput(f"{identifier!r} was given already, in {places[identifier]}", field)
        except UnusableInput as error:
            raise error.inside(place) from error
        places[identifier] = place
        found[identifier] = value
    return found


def _elements(value: Any, place: str, wrappers: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Every element and its place, out of the wrappers in which the API answers: around all or page by page."""
    key = _wrapper(value, wrappers)
    if key is not None:
        _refuse_partial(value, place)
        yield from _elements(value[key], joined(place, key), wrappers)
        return
    try:
        elements = items(value)
    except UnusableInput as error:
        raise error.inside(place) from error
    for index, element in enumerate(elements):
        at = f"{place}[{index}]"
        if _wrapper(element, wrappers) is None:
            yield at, element
        else:
            yield from _elements(element, at, wrappers)


def _wrapper(value: Any, wrappers: Sequence[str]) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return next((key for key in wrappers if key in value), None)


def _refuse_partial(answer: Shape, place: str) -> None:
    """An answer that goes on would leave out what is on its further pages."""
    for key in NEXT_PAGE:
        if answer.get(key):
            raise UnusableInput(
                "the answer has further pages; collect all of them and remove this key", joined(place, key)
            )


def _listener(source: Any, home: Home) -> Listener:
    listener = from_api.listener(source)
    home.require(listener.load_balancer_arn, "LoadBalancerArn")
    return listener


# --- sections that are objects


def _keyed(source: Shape, name: str, read: Callable[[str, Any], T]) -> dict[str, T] | None:
    """A section that is an object; None where it was not collected. A key whose value is null is absent too."""
    if source.get(name) is None:
        return None
    try:
        values = shape(source[name])
    except UnusableInput as error:
        raise error.inside(name) from error
    found = {}
    for key, value in values.items():
        if value is not None:
            try:
                found[key] = read(key, value)
            except UnusableInput as error:
                raise error.inside(f"{name}[{json.dumps(key)}]") from error
    return found


def _targets(arn: str, value: Any, home: Home) -> tuple[Target, ...]:
    home.require(arn, "")
    return ordered_targets(_read_elements(value, "TargetHealthDescriptions", from_api.target_health_description))


def _read_elements(value: Any, wrapper: str, read: Callable[[Any], T]) -> Iterator[T]:
    for place, element in _elements(value, "", (wrapper,)):
        try:
            yield read(element)
        except UnusableInput as error:
            raise error.inside(place) from error


def _prefix_list(prefix_list_id: str, value: Any) -> PrefixList:
    if not prefix_list_id.startswith("pl-"):
        raise UnusableInput("the key is not the id of a prefix list (pl-…)")
    value = shape(value)
    _refuse_partial(value, "")
    return from_api.prefix_list(prefix_list_id, value)


def _tags(source: Shape, load_balancer_arns: Mapping[str, object], home: Home) -> dict[str, Mapping[str, str]] | None:
    """Tags by load balancer. In a section that was collected, a load balancer that it does not name has none."""
    value = source.get("Tags")
    if value is None:
        return None
    found: dict[str, Mapping[str, str]] = {}
    if isinstance(value, list) or _wrapper(value, WRAPPERS["Tags"]) is not None:
        for place, description in _elements(value, "Tags", WRAPPERS["Tags"]):
            try:
                arn, tags = _tag_description(description, home)
                if arn in found:
                    raise UnusableInput(f"{arn!r} was given already", "ResourceArn")
            except UnusableInput as error:
                raise error.inside(place) from error
            found[arn] = tags
    else:
        found.update(_keyed(source, "Tags", lambda arn, tags: _tags_of(arn, tags, home)) or {})
    return {arn: {} for arn in load_balancer_arns} | found


def _tag_description(source: Any, home: Home) -> tuple[str, Mapping[str, str]]:
    source = shape(source)
    arn = text(source, "ResourceArn")
    home.require(arn, "ResourceArn")
    try:
        return arn, from_api.tags(source.get("Tags"))
    except UnusableInput as error:
        raise error.inside("Tags") from error


def _tags_of(arn: str, value: Any, home: Home) -> Mapping[str, str]:
    home.require(arn, "")
    return from_api.tags(value)


# --- writing


def write_saved_estates(estates: Sequence[Mapping[str, Any]], stream: TextIO) -> None:
    """Write saved estates, given as the sections above: one as an object, any other number as a list.

    The same content gives the same bytes, in whatever order the API answered. Times become ISO 8601 text in UTC.
    """
    ordered = sorted(
        (_ordered(estate) for estate in estates), key=lambda estate: (estate["AccountId"], estate["Region"])
    )
    document = ordered[0] if len(ordered) == 1 else ordered
    stream.write(_json(document, indent=2) + "\n")


def _ordered(estate: Mapping[str, Any]) -> dict[str, Any]:
    """The estate with the elements of every section in the order of their ids."""
    return {name: _ordered_section(name, value) for name, value in estate.items()}


def _ordered_section(name: str, value: Any) -> Any:
    if name in IDENTIFIERS and isinstance(value, Sequence):
        field = IDENTIFIERS[name]
        return sorted(value, key=lambda element: str(element.get(field)))
    if name in ("TargetHealthDescriptions", "Tags") and isinstance(value, Mapping):
        return {key: sorted(elements, key=_json) for key, elements in value.items()}
    return value


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, sort_keys=True, indent=indent, allow_nan=False, default=_time)


def _time(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} has no place in a saved estate")
    return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
