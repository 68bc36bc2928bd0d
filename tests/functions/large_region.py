"""A region with 500 load balancers whose calls take their time, and changes that the Hook judges over it."""

from __future__ import annotations

from collections.abc import Sequence

from alb_sg.aws.clients import WORKERS
from alb_sg.aws.rate_limits import RATE_LIMITS, TokenBucket
from embedded_aws.throttling import VirtualTime
from tests.builders import (
    ANYWHERE,
    Saved,
    Shape,
    all_traffic,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    target_group,
    tcp,
)
from tests.functions.hook_events import GROUP, changed
from tests.live.region import Call, Region

ENTIRE = "10.0.0.0/8"
INBOUND, OUTBOUND = "SecurityGroupIngress", "SecurityGroupEgress"
TO_APP = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "DestinationSecurityGroupId": "sg-app"}
FROM_LOAD_BALANCER = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "SourceSecurityGroupId": "sg-1"}
SIZE = 500
# Seconds that a call takes; ten of them are under way at a time.
LATENCY = 0.1


class LimitedRegion(Region):
    """A region whose calls take their time, and wait for the services' token buckets."""

    def __init__(self, saved: Saved) -> None:
        super().__init__(saved, intervene=self._wait)
        self.time = VirtualTime()
        self._buckets: dict[str, TokenBucket] = {}

    def _wait(self, call: Call) -> None:
        service, key = ("ec2", call.operation) if call.operation not in ELB_OPERATIONS else ("elbv2", "elbv2")
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(RATE_LIMITS[service], self.time.clock, self.time.sleep)
        self._buckets[key].take_token()
        self.time.sleep(LATENCY / WORKERS)


ELB_OPERATIONS = frozenset(
    {"DescribeLoadBalancers", "DescribeTargetGroups", "DescribeListeners", "DescribeTargetHealth", "DescribeTags"}
)


def large_region(*, lost: Sequence[str] = ()) -> LimitedRegion:
    """Load balancers that share a group, and another one that lets through the same; those that are `lost` have the
    shared group alone. Their targets share a group, too."""
    names = [f"web-{number:03}" for number in range(SIZE)]
    addresses = [f"10.0.1.{number + 4}" for number in range(200)]
    spare = group("sg-2", ingress=[tcp(443, "0.0.0.0/1", "128.0.0.0/1")], egress=[all_traffic(ENTIRE)])
    targets_of = {name: [addresses[number % len(addresses)]] for number, name in enumerate(names)}
    return LimitedRegion(
        estate(
            *(load_balancer(name, groups=["sg-1", *([] if name in lost else ["sg-2"])]) for name in names),
            *(listener(443, of=name, forward=[name]) for name in names),
            *(target_group(name, load_balancers=[name], targets=targets_of[name]) for name in names),
            *(interface(address) for address in addresses),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
            spare,
            group("sg-app", ingress=[tcp(80, "sg-1")]),
        )
    )


def rule(port: int, cidr: str = ANYWHERE) -> Shape:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr}


def change(before: Shape, after: Shape, logical_id: str = "Changed") -> Shape:
    """An update of a security group's rules."""
    fixed = {"GroupDescription": "lb", "VpcId": "vpc-1"}
    return changed(logical_id, GROUP, "UPDATE", before={**fixed, **before}, after={**fixed, **after})


NO_INGRESS = change({INBOUND: [rule(443)]}, {INBOUND: []})
NO_EGRESS = change({OUTBOUND: [TO_APP]}, {OUTBOUND: [rule(443, "192.0.2.0/24")]})
NO_TARGETS = change({INBOUND: [FROM_LOAD_BALANCER]}, {INBOUND: []}, "App")
NOTHING = change({INBOUND: [rule(443)], OUTBOUND: [TO_APP]}, {INBOUND: [], OUTBOUND: [rule(443, "192.0.2.0/24")]})
