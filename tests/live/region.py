"""A region that serves real clients from an export file. It filters and pages like the APIs, counts calls, and fails
where a test needs it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient

from alb_sg.live import LiveClients, LiveSource
from tests.builders import ACCOUNT, REGION, Saved, Shape
from tests.clients import make_client

# Runs before the region serves a call. It may raise an exception, or return a response in place of the region's.
Intervention = Callable[["Call"], Shape | None]


@dataclass(frozen=True)
class Call:
    """One request: the operation's name, its parameters, and the index of the page's first item."""

    operation: str
    parameters: Mapping[str, Any]
    start: int

    def names(self, parameter: str, value: str) -> bool:
        """Whether a parameter has this value or lists it."""
        given = self.parameters.get(parameter)
        return given == value or (isinstance(given, list) and value in given)


class Refused(Exception):
    """An error response of the API."""

    def __init__(self, code: str, message: str = "as the test wants it") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Region:
    """Serves `saved`. `page` limits every page: an API may return fewer items than requested."""

    def __init__(self, saved: Saved, *, page: int | None = None, intervene: Intervention | None = None) -> None:
        self.saved = saved
        self.calls: list[Call] = []
        self._page = page
        self._intervene = intervene
        self._lock = threading.Lock()

    def source(
        self, progress: Callable[[int, int], None] | None = None, *, config: BaseClient | None = None
    ) -> LiveSource:
        """A source whose clients this region serves, except the one of AWS Config."""
        clients = LiveClients(
            elbv2=make_client("elbv2"),
            ec2=make_client("ec2"),
            config=config,
        )
        for client in (clients.elbv2, clients.ec2):
            self.serve(client)
        return LiveSource(clients, ACCOUNT, REGION, progress)

    def serve(self, client: BaseClient) -> None:
        """Answers every call of a client."""
        # Only this event has the parameters before their serialization.
        client.meta.events.register("before-parameter-build.*", self._remember)
        client.meta.events.register("before-call.*", self._answer)  # type: ignore[arg-type]  # what such a handler returns becomes the answer (botocore.client)

    def counts(self) -> dict[str, int]:
        """The number of calls by operation."""
        return dict(Counter(call.operation for call in self.calls))

    def _remember(self, params: Shape, context: Shape, **_: Any) -> None:
        context["given"] = dict(params)

    def _answer(self, model: Any, context: Shape, **_: Any) -> tuple[Any, Shape]:
        return self.answer(model, dict(context["given"]))

    def answer(self, model: Any, given: Shape) -> tuple[Any, Shape]:
        """The answer to a call of the operation `model` with these parameters, as a client's handler gives it."""
        start = int(given.pop("Marker", given.pop("NextToken", 0)))
        size = given.pop("PageSize", given.pop("MaxResults", None))
        call = Call(model.name, given, start)
        with self._lock:
            self.calls.append(call)
        try:
            answer = None if self._intervene is None else self._intervene(call)
            if answer is None:
                answer = self._page_of(call, size, paged="NextMarker" in model.output_shape.members)
        except Refused as refused:
            return _Http(400), {"Error": {"Code": refused.code, "Message": refused.message}, "ResponseMetadata": {}}
        return _Http(200), {**answer, "ResponseMetadata": {}}

    def _page_of(self, call: Call, size: int | None, *, paged: bool) -> Shape:
        member, found = getattr(self, f"_{call.operation}")(call)
        limit = min(filter(None, (size, self._page)), default=len(found) or 1)
        shown = found[call.start : call.start + limit]
        if call.operation == "DescribeInstances":
            shown = [{"ReservationId": "r-1", "Instances": [one]} for one in shown]
        answer: Shape = {member: shown}
        if call.start + limit < len(found) and call.operation not in ("DescribeTargetHealth", "DescribeTags"):
            answer["NextMarker" if paged else "NextToken"] = str(call.start + limit)
        elif call.operation in ("DescribeTargetHealth", "DescribeTags"):
            answer[member] = found
        return answer

    def _DescribeLoadBalancers(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (the operation's name)
        found = self.saved["LoadBalancers"]
        for parameter, field in (("LoadBalancerArns", "LoadBalancerArn"), ("Names", "LoadBalancerName")):
            if parameter in call.parameters:
                wanted = call.parameters[parameter]
                found = [one for one in found if one[field] in wanted]
                if len(found) < len(wanted):
                    raise Refused("LoadBalancerNotFound")
        return "LoadBalancers", found

    def _DescribeListeners(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        arn = call.parameters["LoadBalancerArn"]
        return "Listeners", [one for one in self.saved["Listeners"] if one["LoadBalancerArn"] == arn]

    def _DescribeTargetGroups(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        wanted = call.parameters.get("TargetGroupArns")
        if wanted is None:
            return "TargetGroups", self.saved["TargetGroups"]
        found = [one for one in self.saved["TargetGroups"] if one["TargetGroupArn"] in wanted]
        if len(found) < len(wanted):
            raise Refused("TargetGroupNotFound")
        return "TargetGroups", found

    def _DescribeTargetHealth(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "TargetHealthDescriptions", self.saved["TargetHealthDescriptions"][call.parameters["TargetGroupArn"]]

    def _DescribeTags(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        arns = call.parameters["ResourceArns"]
        assert len(arns) <= 20, "DescribeTags takes at most 20"
        return "TagDescriptions", [{"ResourceArn": arn, "Tags": self.saved["Tags"].get(arn, [])} for arn in arns]

    def _DescribeSecurityGroups(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "SecurityGroups", self._filtered("SecurityGroups", call)

    def _DescribeSecurityGroupRules(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "SecurityGroupRules", self._filtered("SecurityGroupRules", call)

    def _DescribeVpcs(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "Vpcs", self._filtered("Vpcs", call)

    def _DescribeSubnets(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "Subnets", self._filtered("Subnets", call)

    def _DescribeInstances(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "Reservations", self._filtered("Instances", call)

    def _DescribeNetworkInterfaces(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        return "NetworkInterfaces", self._filtered("NetworkInterfaces", call)

    def _DescribeManagedPrefixLists(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        lists = [
            {"PrefixListId": found, **{name: value for name, value in shape.items() if name != "Entries"}}
            for found, shape in self.saved["ManagedPrefixLists"].items()
        ]
        return "PrefixLists", _matching(lists, call)

    def _GetManagedPrefixListEntries(self, call: Call) -> tuple[str, list[Shape]]:  # noqa: N802 (as above)
        shape = self.saved["ManagedPrefixLists"].get(call.parameters["PrefixListId"], {})
        if "Entries" not in shape:
            raise Refused("InvalidPrefixListID.NotFound")
        return "Entries", shape["Entries"]

    def _filtered(self, section: str, call: Call) -> list[Shape]:
        return _matching(self.saved[section], call)


@dataclass(frozen=True)
class _Http:
    status_code: int


def _matching(found: Iterable[Shape], call: Call) -> list[Shape]:
    """What passes every filter of the call. An id given as a parameter fails a real call once it is gone, so none
    may be given."""
    assert set(call.parameters) <= {"Filters", "IncludeManagedResources"}, (
        f"{call.operation} by {sorted(call.parameters)}"
    )
    filters = {one["Name"]: one["Values"] for one in call.parameters.get("Filters", ())}
    assert all(0 < len(values) <= 200 for values in filters.values()), "a filter takes at most 200 values"
    return [one for one in found if all(_values(one, name) & set(values) for name, values in filters.items())]


def _values(shape: Shape, name: str) -> set[str]:
    """The values that a filter of this name compares."""
    match name:
        case "group-id" if "NetworkInterfaceId" in shape:
            return {one["GroupId"] for one in shape["Groups"]}
        case "group-id":
            carried = shape.get("Groups")
            return {shape["GroupId"]} if carried is None else {one["GroupId"] for one in carried}
        case "subnet-id":
            return {shape["SubnetId"]}
        case "vpc-id":
            return {shape["VpcId"]}
        case "instance-id":
            return {shape["InstanceId"]}
        case "prefix-list-id":
            return {shape["PrefixListId"]}
        case "ip-permission.prefix-list-id" | "egress.ip-permission.prefix-list-id":
            rules = shape["IpPermissionsEgress" if name.startswith("egress") else "IpPermissions"]
            return {one["PrefixListId"] for rule in rules for one in rule.get("PrefixListIds", ())}
        case "addresses.private-ip-address":
            return {one["PrivateIpAddress"] for one in shape["PrivateIpAddresses"]}
        case "ipv6-addresses.ipv6-address":
            return {one["Ipv6Address"] for one in shape["Ipv6Addresses"]}
    raise AssertionError(f"no filter is called {name}")
