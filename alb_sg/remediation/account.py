"""One account and region, as a fix reads and changes it, and what else uses a security group there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore import xform_name
from botocore.session import Session

from alb_sg.aws.calls import ApiRequest
from alb_sg.aws.clients import make_client, single_attempt_config
from alb_sg.aws.pages import name_call
from alb_sg.errors import NotReadError
from alb_sg.estate import from_api
from alb_sg.estate.field_readers import require_object, required_text
from alb_sg.estate.model import NetworkInterface, SecurityGroup
from alb_sg.estate.sections import Section
from alb_sg.live import LiveClients
from alb_sg.live.requests import EC2_PAGE, FILTER_VALUES, DescribeRequests, batches
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.api_calls import ApiCall
from alb_sg.remediation.change_context import attached_interface, elb_interface_description
from alb_sg.remediation.execution import RuleContent, SecurityGroupRule, normalized_peer

T = TypeVar("T")


@dataclass(frozen=True)
class AccountClients:
    """The clients of one account and region. An empty `account_id` is an account that nobody has looked up.
    `elbv2_once` sends a request once: a list that replaces another must not be sent again when it is old. `ssm` keeps
    the records of executions. Only changes need these two.

    The methods that read raise NotReadError.
    """

    clients: LiveClients
    account_id: str
    region: str
    elbv2_once: Any = None
    ssm: Any = None

    @property
    def ec2(self) -> Any:
        return self.clients.ec2

    @property
    def elbv2(self) -> Any:
        return self.clients.elbv2

    def send(self, call: ApiCall) -> dict[str, Any]:
        """Makes one call of a plan. Raises what boto3 raises."""
        client = self.ec2 if call.service == "ec2" else self.elbv2
        with name_call(call.operation):
            response: dict[str, Any] = getattr(client, xform_name(call.operation))(**call.parameters)
        return response

    def send_once(self, call: ApiCall) -> None:
        """Makes one call of Elastic Load Balancing, without retries. Raises what boto3 raises."""
        with name_call(call.operation):
            getattr(self.elbv2_once, xform_name(call.operation))(**call.parameters)

    def ec2_request(self, operation: str, result_key: str, filters: Mapping[str, Sequence[str]]) -> ApiRequest:
        """A describe call of EC2, with filters by name."""
        parameters: dict[str, Any] = {
            "Filters": [{"Name": name, "Values": list(values)} for name, values in filters.items()]
        }
        # An interface that AWS manages shares a group as any other does.
        api_name = self.clients.ec2.meta.method_to_api_mapping[operation]
        parameters |= DescribeRequests(self.clients).managed_resources(api_name)
        return ApiRequest(self.clients.ec2, operation, result_key, parameters, EC2_PAGE)

    def security_group_rules(self, filter_name: str, value: str) -> tuple[SecurityGroupRule, ...]:
        """The security group rules that a filter of DescribeSecurityGroupRules selects, by group and id."""
        request = self.ec2_request("describe_security_group_rules", "SecurityGroupRules", {filter_name: [value]})
        rules = self._read("SecurityGroupRules", request, _security_group_rule)
        return tuple(sorted(rules, key=lambda rule: (rule.group_id, rule.rule_id)))

    def tagged_rules(self, key: str, value: str) -> dict[SecurityGroupRule, RuleContent]:
        """The security group rules that have a tag, with their contents."""
        return self._rules_with_contents(f"tag:{key}", [value])

    def rules_of_ids(self, rule_ids: Sequence[str]) -> dict[SecurityGroupRule, RuleContent]:
        """Those of some security group rules that are there, with their contents."""
        found: dict[SecurityGroupRule, RuleContent] = {}
        for batch in batches(rule_ids, FILTER_VALUES):
            found |= self._rules_with_contents("security-group-rule-id", batch)
        return found

    def _rules_with_contents(self, filter_name: str, values: Sequence[str]) -> dict[SecurityGroupRule, RuleContent]:
        request = self.ec2_request("describe_security_group_rules", "SecurityGroupRules", {filter_name: values})
        return dict(self._read("SecurityGroupRules", request, _rule_with_content))

    def security_groups(self, filter_name: str, values: Sequence[str]) -> list[SecurityGroup]:
        request = self.ec2_request("describe_security_groups", "SecurityGroups", {filter_name: values})
        return self._read(Section.SECURITY_GROUPS, request, from_api.security_group)

    def network_interfaces_with(self, group_id: str) -> list[NetworkInterface]:
        request = self.ec2_request("describe_network_interfaces", "NetworkInterfaces", {"group-id": [group_id]})
        return self._read(Section.NETWORK_INTERFACES, request, from_api.network_interface)

    def groups_of_load_balancer(self, arn: str) -> tuple[str, ...]:
        """A load balancer's present groups, in the API's order. Raises what boto3 raises."""
        with name_call("DescribeLoadBalancers"):
            response = self.elbv2.describe_load_balancers(LoadBalancerArns=[arn])
            found = next((one for one in response.get("LoadBalancers", ()) if one["LoadBalancerArn"] == arn), None)
            if found is None:
                raise NotReadError(f"load balancer {arn}", "DescribeLoadBalancers: the answer does not contain it")
            groups = found.get("SecurityGroups")
            if not isinstance(groups, list) or not groups:
                # To write back an incomplete list would take its groups off the load balancer.
                raise NotReadError(f"security groups of {arn}", "DescribeLoadBalancers: the answer does not name them")
            return tuple(groups)

    def groups_on_interfaces(self, arn: str) -> frozenset[str]:
        """The groups on the network interfaces that Elastic Load Balancing created for a load balancer."""
        filters = {"description": [elb_interface_description(arn)]}
        request = self.ec2_request("describe_network_interfaces", "NetworkInterfaces", filters)
        interfaces = self._read(Section.NETWORK_INTERFACES, request, from_api.network_interface)
        return frozenset(group for one in interfaces if one.is_elb_managed for group in one.groups)

    def load_balancers(self) -> list[Any]:
        """Every load balancer, in the API's shape: it keeps the order of the security groups."""
        return self._read(Section.LOAD_BALANCERS, DescribeRequests(self.clients).load_balancers(), require_object)

    def _read(self, what: str, request: ApiRequest, read: Callable[[Any], T]) -> list[T]:
        items, failure = request.send().read_all(read)
        if failure is not None:
            raise NotReadError(" ".join(filter(None, (what, "of", self.account_id, self.region))), failure)
        return items


def open_account(account_id: str, region: str, session: Session | None = None) -> AccountClients:
    """Clients of an account and region, with the session's credentials."""
    elbv2, ec2, ssm = (make_client(service, region, session=session) for service in ("elbv2", "ec2", "ssm"))
    elbv2_once = make_client("elbv2", region, session=session, config=single_attempt_config())
    return AccountClients(LiveClients(elbv2=elbv2, ec2=ec2), account_id, region, elbv2_once, ssm)


def _rule_with_content(source: Any) -> tuple[SecurityGroupRule, RuleContent]:
    """A rule and what it lets through, from DescribeSecurityGroupRules' shape."""
    rule = _security_group_rule(source)
    protocol = required_text(source, "IpProtocol")
    peers = (source.get("CidrIpv4"), source.get("CidrIpv6"), source.get("PrefixListId"))
    peer = next((one for one in peers if one), None) or required_text(source["ReferencedGroupInfo"], "GroupId")
    protocol = from_api.PROTOCOL_NAMES.get(protocol, protocol)
    ports = source.get("FromPort"), source.get("ToPort")
    return rule, RuleContent(rule.group_id, rule.direction.value, protocol, *ports, normalized_peer(peer))


def _security_group_rule(source: Any) -> SecurityGroupRule:
    source = require_object(source)
    return SecurityGroupRule(
        required_text(source, "GroupId"),
        required_text(source, "SecurityGroupRuleId"),
        Direction.EGRESS if source.get("IsEgress") else Direction.INGRESS,
    )


def other_users(account: AccountClients, group_id: str, arn: str, load_balancers: Iterable[Any]) -> list[str]:
    """The resources that carry a group, apart from the load balancer. Raises NotReadError."""
    users = [
        f"load balancer {one['LoadBalancerName']}"
        for one in with_group(load_balancers, group_id)
        if one["LoadBalancerArn"] != arn
    ]
    attached = (attached_interface(interface, arn) for interface in account.network_interfaces_with(group_id))
    return [*users, *(resource.label for resource in attached if resource is not None)]


def with_group(load_balancers: Iterable[Any], group_id: str) -> Iterator[Any]:
    """The load balancers, in the API's shape, that carry a group."""
    return (one for one in load_balancers if group_id in one.get("SecurityGroups", ()))
