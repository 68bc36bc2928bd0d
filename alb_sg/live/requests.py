"""The calls of the live source, with the page and batch sizes that the APIs allow.

Calls of EC2 pass ids as filters: the response leaves a deleted resource out, where an id parameter would fail the
whole call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient

from alb_sg.aws.calls import ApiRequest
from alb_sg.estate.cidr import Family, format_address
from alb_sg.estate.sections import Section

# Elastic Load Balancing API: DescribeLoadBalancers, DescribeTargetGroups and DescribeListeners page by at most 400;
# DescribeLoadBalancers and DescribeTags take at most 20 names.
ELB_PAGE = 400
ELB_NAMES = 20
# EC2 API: most calls page by at most 1,000, those of prefix lists by 100; a filter takes at most 200 values.
EC2_PAGE = 1000
PREFIX_LIST_PAGE = 100
FILTER_VALUES = 200

# botocore 1.42.94 and later.
MANAGED_RESOURCES = "IncludeManagedResources"
PREFIX_LIST_FILTERS = ("ip-permission.prefix-list-id", "egress.ip-permission.prefix-list-id")
ADDRESS_FILTERS = {
    Family.IPV4: "addresses.private-ip-address",
    Family.IPV6: "ipv6-addresses.ipv6-address",
}


def batches(values: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """The sorted values in tuples of at most `size`."""
    ordered = sorted(values)
    for start in range(0, len(ordered), size):
        yield tuple(ordered[start : start + size])


@dataclass(frozen=True)
class LiveClients:
    """The clients of one account and region. With a client of `config`, AWS Config's recordings are read first."""

    elbv2: BaseClient
    ec2: BaseClient
    config: BaseClient | None = None

    @property
    def all(self) -> tuple[BaseClient, ...]:
        return tuple(client for client in (self.elbv2, self.ec2, self.config) if client is not None)


class DescribeRequests:
    """Builds the requests of one account and region. `ids` of None: all resources of the type."""

    def __init__(self, clients: LiveClients) -> None:
        self._clients = clients

    def load_balancers(self) -> ApiRequest:
        return self._elbv2("describe_load_balancers", "LoadBalancers", {}, ELB_PAGE)

    def load_balancers_by(self, parameter: str, values: Collection[str]) -> ApiRequest:
        """The load balancers that `LoadBalancerArns` or `Names` lists. The call fails if one does not exist."""
        return self._elbv2("describe_load_balancers", "LoadBalancers", {parameter: sorted(values)})

    def listeners(self, load_balancer_arn: str) -> ApiRequest:
        return self._elbv2("describe_listeners", "Listeners", {"LoadBalancerArn": load_balancer_arn}, ELB_PAGE)

    def listener_rules(self, listener_arn: str) -> ApiRequest:
        return self._elbv2("describe_rules", "Rules", {"ListenerArn": listener_arn}, ELB_PAGE)

    def target_groups(self) -> ApiRequest:
        return self._elbv2("describe_target_groups", "TargetGroups", {}, ELB_PAGE)

    def target_groups_by_arn(self, arns: Collection[str]) -> ApiRequest:
        """The call fails if one of the target groups does not exist."""
        return self._elbv2("describe_target_groups", "TargetGroups", {"TargetGroupArns": sorted(arns)})

    def target_health(self, target_group_arn: str) -> ApiRequest:
        parameters = {"TargetGroupArn": target_group_arn}
        return self._elbv2("describe_target_health", "TargetHealthDescriptions", parameters)

    def tags(self, load_balancer_arns: Collection[str]) -> ApiRequest:
        return self._elbv2("describe_tags", "TagDescriptions", {"ResourceArns": list(load_balancer_arns)})

    def detail(self, section: str, arn: str) -> ApiRequest:
        """The listeners or tags of one load balancer, or the registrations in one target group."""
        match section:
            case Section.LISTENERS:
                return self.listeners(arn)
            case Section.TAGS:
                return self.tags((arn,))
        return self.target_health(arn)

    def security_groups(self, ids: Collection[str] | None = None) -> ApiRequest:
        return self._ec2("describe_security_groups", "SecurityGroups", _filtered({"group-id": ids}))

    def vpcs(self, ids: Collection[str] | None = None) -> ApiRequest:
        return self._ec2("describe_vpcs", "Vpcs", _filtered({"vpc-id": ids}))

    def subnets(self, ids: Collection[str] | None = None) -> ApiRequest:
        return self._ec2("describe_subnets", "Subnets", _filtered({"subnet-id": ids}))

    def instances(self, ids: Collection[str] | None = None) -> ApiRequest:
        parameters = {**_filtered({"instance-id": ids}), **self.managed_resources("DescribeInstances")}
        return self._ec2("describe_instances", "Reservations", parameters, nested_key="Instances")

    def network_interfaces(self, vpc_id: str | None = None) -> ApiRequest:
        return self._network_interfaces({} if vpc_id is None else {"vpc-id": (vpc_id,)})

    def network_interfaces_with_groups(self, ids: Collection[str]) -> ApiRequest:
        """The interfaces that carry one of these security groups."""
        return self._network_interfaces({"group-id": ids})

    def security_group_rules(self, group_ids: Collection[str] | None = None) -> ApiRequest:
        return self._ec2("describe_security_group_rules", "SecurityGroupRules", _filtered({"group-id": group_ids}))

    def network_interfaces_of_types(self, vpc_id: str, types: Iterable[str]) -> ApiRequest:
        """The interfaces in a VPC that are of one of EC2's interface types."""
        return self._network_interfaces({"vpc-id": (vpc_id,), "interface-type": sorted(types)})

    def security_groups_by_name(self, vpc_id: str, names: Iterable[str]) -> ApiRequest:
        """The security groups in a VPC that have one of these names."""
        parameters = _filtered({"vpc-id": (vpc_id,), "group-name": sorted(names)})
        return self._ec2("describe_security_groups", "SecurityGroups", parameters)

    def network_interfaces_by_address(self, vpc_id: str, family: Family, addresses: Iterable[int]) -> ApiRequest:
        """The interfaces in a VPC that hold one of the addresses, other than in a delegated prefix."""
        texts = [format_address(family, address) for address in addresses]
        return self._network_interfaces({"vpc-id": (vpc_id,), ADDRESS_FILTERS[family]: texts})

    def prefix_lists(self, ids: Collection[str] | None = None) -> ApiRequest:
        parameters = _filtered({"prefix-list-id": ids})
        return self._ec2("describe_managed_prefix_lists", "PrefixLists", parameters, PREFIX_LIST_PAGE)

    def prefix_list_entries(self, prefix_list_id: str) -> ApiRequest:
        parameters = {"PrefixListId": prefix_list_id}
        return self._ec2("get_managed_prefix_list_entries", "Entries", parameters, PREFIX_LIST_PAGE)

    def security_groups_with_prefix_list(self, prefix_list_id: str, filter_name: str) -> ApiRequest:
        """The security groups with a rule that refers to a prefix list, by one of `PREFIX_LIST_FILTERS`."""
        return self._ec2("describe_security_groups", "SecurityGroups", _filtered({filter_name: (prefix_list_id,)}))

    def managed_resources(self, operation: str) -> dict[str, bool]:
        """The parameter of an EC2 operation that shows the resources which AWS manages for a service.

        They can be targets, and EC2 may hide them otherwise. Empty where the installed botocore does not know it.
        """
        shape = self._clients.ec2.meta.service_model.operation_model(operation).input_shape
        return {MANAGED_RESOURCES: True} if shape is not None and MANAGED_RESOURCES in shape.members else {}

    def _network_interfaces(self, filters: Mapping[str, Collection[str]]) -> ApiRequest:
        parameters = {**_filtered(filters), **self.managed_resources("DescribeNetworkInterfaces")}
        return self._ec2("describe_network_interfaces", "NetworkInterfaces", parameters)

    def _elbv2(
        self, operation: str, result_key: str, parameters: dict[str, Any], page_size: int | None = None
    ) -> ApiRequest:
        return ApiRequest(self._clients.elbv2, operation, result_key, parameters, page_size)

    def _ec2(
        self,
        operation: str,
        result_key: str,
        parameters: dict[str, Any],
        page_size: int = EC2_PAGE,
        nested_key: str | None = None,
    ) -> ApiRequest:
        return ApiRequest(self._clients.ec2, operation, result_key, parameters, page_size, nested_key)


def _filtered(filters: Mapping[str, Collection[str] | None]) -> dict[str, Any]:
    """The parameter with filters by name, without those that have no values; empty where none has any."""
    given = [{"Name": name, "Values": list(values)} for name, values in filters.items() if values is not None]
    return {"Filters": given} if given else {}
