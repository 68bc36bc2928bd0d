"""The account that every tool looks at: Application Load Balancers with one planted defect each, and sound ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embedded_aws.account import EmbeddedAws, IpPermission, all_traffic, icmp, icmpv6, tcp

COPIES = 10
ALL_ADDRESSES = ("0.0.0.0/0", "::/0")
PATH_MTU_DISCOVERY = icmp(3, 4, "0.0.0.0/0")
VPC_CIDR, SECOND_VPC_CIDR = "10.0.0.0/16", "10.1.0.0/16"


@dataclass(frozen=True, slots=True)
class PlantedCase:
    """A kind of load balancer, `COPIES` of which are made. `rule` is what reports its defect here; None where nothing
    does: it is sound, or its defect is none that Elastic Load Balancing's recommendations name."""

    name: str
    description: str
    rule: str | None
    has_defect: bool = True


PLANTED_CASES = (
    PlantedCase("shut-port", "a listener on 443, its security group open on 80", "ALB_SG_LISTENER_INGRESS"),
    PlantedCase("no-ipv6", "dualstack, not open to ::/0", "ALB_SG_LISTENER_INGRESS"),
    PlantedCase("second-cidr", "internal, the VPC's second CIDR block not let in", "ALB_SG_LISTENER_INGRESS"),
    PlantedCase("no-egress", "nothing let out", "ALB_SG_INSTANCE_EGRESS"),
    PlantedCase("wrong-group", "let out to a security group that no target has", "ALB_SG_INSTANCE_EGRESS"),
    PlantedCase("no-health", "the health check port not let out", "ALB_SG_HEALTH_CHECK_EGRESS"),
    PlantedCase("no-pmtud", "ICMP type 3 code 4 not let in", "ALB_SG_ICMP_PMTUD"),
    PlantedCase("wide-open", "every port open to the internet", None),
    PlantedCase("sound", "all as recommended", None, has_defect=False),
    PlantedCase("halves", "all as recommended, by two security groups together", None, has_defect=False),
)


def build_account(aws: EmbeddedAws) -> None:
    """Makes the load balancers: `NAME-NUMBER`, with security groups `NAME-NUMBER…` and one instance as a target."""
    vpc = aws.vpc(VPC_CIDR, second_cidr=SECOND_VPC_CIDR)
    subnets = aws.subnets(vpc)
    app, other = aws.security_group(vpc, "app"), aws.security_group(vpc, "other")
    instance = aws.instance(subnets[0], app)
    to_app = [tcp(8080, app), tcp(8081, app)]
    # Differences from a sound one: inbound rules, outbound rules.
    ingress: dict[str, list[IpPermission]] = {
        "shut-port": [tcp(80, *ALL_ADDRESSES), PATH_MTU_DISCOVERY],
        "no-ipv6": [tcp(443, "0.0.0.0/0"), PATH_MTU_DISCOVERY, icmpv6(2, 0, "::/0")],
        "second-cidr": [tcp(443, VPC_CIDR), icmp(3, 4, "10.0.0.0/8")],
        "no-pmtud": [tcp(443, *ALL_ADDRESSES), icmp(8, 0, "0.0.0.0/0")],
        "wide-open": [all_traffic(*ALL_ADDRESSES)],
        "halves": [tcp(443, "0.0.0.0/1"), PATH_MTU_DISCOVERY],
    }
    egress: dict[str, Sequence[IpPermission]] = {
        "no-egress": [],
        "wrong-group": [tcp(8080, other), tcp(8081, app)],
        "no-health": [tcp(8080, app)],
    }
    for planted in PLANTED_CASES:
        for number in range(COPIES):
            name = f"{planted.name}-{number}"
            let_in = ingress.get(planted.name, [tcp(443, *ALL_ADDRESSES), PATH_MTU_DISCOVERY])
            groups = [aws.security_group(vpc, name, ingress=let_in, egress=egress.get(planted.name, to_app))]
            if planted.name == "halves":
                groups.append(aws.security_group(vpc, f"{name}-b", ingress=[tcp(443, "128.0.0.0/1")], egress=[]))
            arn = aws.load_balancer(
                name,
                subnets,
                groups,
                scheme="internal" if planted.name == "second-cidr" else "internet-facing",
                ip_address_type="dualstack" if planted.name == "no-ipv6" else "ipv4",
            )
            port = "8081" if planted.name in {"no-health", "sound"} else "traffic-port"
            targets = aws.target_group(name, vpc, 8080, [(instance, None)], health_check_port=port)
            aws.listener(arn, 443, targets, protocol="HTTPS")
