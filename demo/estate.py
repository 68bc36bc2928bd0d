"""The demonstration's load balancers: every row of the page's three tables met, and one of each way to fail."""

from __future__ import annotations

from typing import Any

from embedded_aws.account import EmbeddedAws, all_traffic, icmp, icmpv6, tcp

PATH_MTU_DISCOVERY = icmp(3, 4, "0.0.0.0/0")


def build_estate(aws: EmbeddedAws) -> dict[str, str]:
    """Builds the load balancers; returns what each one is there to show, by name."""
    builder = _Builder(aws)
    builder.internet_facing()
    builder.internal()
    builder.behind_network_load_balancers()
    builder.targets()
    return builder.descriptions


class _Builder:
    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.descriptions: dict[str, str] = {}
        self.vpc = aws.vpc("10.0.0.0/16", second_cidr="10.1.0.0/16", ipv6=True)
        self.subnets = aws.subnets(self.vpc)
        self.app = aws.security_group(self.vpc, "app")
        self.to_app = [tcp(8080, self.app), tcp(8081, self.app)]
        self.targets_made = 0

    def target_group(self, name: str, *, target_type: str = "instance", health_check_port: str = "8081") -> str:
        if target_type == "instance":
            target = self.aws.instance(self.subnets[0], self.app)
        else:
            target = self.aws.network_interface(self.subnets[0], self.app)
        return self.aws.target_group(
            name, self.vpc, 8080, [(target, None)], target_type=target_type, health_check_port=health_check_port
        )

    def load_balancer(self, name: str, description: str, group: str, **choices: Any) -> str:
        self.descriptions[name] = description
        return self.aws.load_balancer(name, self.subnets, [group], **choices)

    def add_listeners(self, name: str, load_balancer: str, *ports: int) -> None:
        targets = self.target_group(f"{name}-targets")
        for port in ports:
            self.aws.listener(load_balancer, port, targets, protocol="HTTPS" if port == 443 else "HTTP")

    def internet_facing(self) -> None:
        aws, everyone = self.aws, ("0.0.0.0/0", "::/0")
        good = aws.security_group(
            self.vpc,
            "shop",
            ingress=[tcp(80, *everyone), tcp(443, *everyone), PATH_MTU_DISCOVERY, icmpv6(2, 0, "::/0")],
            egress=self.to_app,
        )
        shop = self.load_balancer(
            "shop", "internet-facing, IPv4 and IPv6: every row met", good, ip_address_type="dualstack"
        )
        self.add_listeners("shop", shop, 80, 443)

        halves = aws.security_group(
            self.vpc,
            "halves",
            ingress=[tcp(0, "0.0.0.0/1", to_port=1023), icmp(-1, -1, "0.0.0.0/0")],
            egress=self.to_app,
        )
        other_half = aws.security_group(self.vpc, "other-half", ingress=[tcp(443, "128.0.0.0/1")], egress=[])
        self.descriptions["halves"] = "two groups that add up to 0.0.0.0/0"
        both = aws.load_balancer("halves", self.subnets, [halves, other_half])
        self.add_listeners("halves", both, 443)

        no_https = aws.security_group(
            self.vpc, "no-https", ingress=[tcp(80, *everyone), PATH_MTU_DISCOVERY], egress=self.to_app
        )
        forgotten = self.load_balancer("no-https", "a listener was added, its port was forgotten", no_https)
        self.add_listeners("no-https", forgotten, 80, 443)

        ipv4_only = aws.security_group(
            self.vpc, "no-ipv6", ingress=[tcp(443, "0.0.0.0/0"), PATH_MTU_DISCOVERY], egress=self.to_app
        )
        dual = self.load_balancer(
            "no-ipv6", "dualstack, but ::/0 is not let in", ipv4_only, ip_address_type="dualstack"
        )
        self.add_listeners("no-ipv6", dual, 443)

        edge = aws.prefix_list("content-delivery-edge", "203.0.113.0/24", "198.51.100.0/24")
        edge_only = aws.security_group(
            self.vpc, "edge-only", ingress=[tcp(443, edge), icmp(8, 0, "0.0.0.0/0")], egress=self.to_app
        )
        cdn = self.load_balancer(
            "edge-only", "open to a prefix list alone; answers ping, not Path MTU Discovery", edge_only
        )
        self.add_listeners("edge-only", cdn, 443)

        redirect = self.load_balancer("redirect", "no target group: egress does not apply", no_https)
        aws.listener(redirect, 80)

    def internal(self) -> None:
        aws, blocks = self.aws, ("10.0.0.0/16", "10.1.0.0/16")
        good = aws.security_group(
            self.vpc, "intranet", ingress=[tcp(80, *blocks), icmp(3, 4, *blocks)], egress=[all_traffic("0.0.0.0/0")]
        )
        intranet = self.load_balancer("intranet", "internal: both VPC CIDR blocks let in", good, scheme="internal")
        self.add_listeners("intranet", intranet, 80)

        first_only = aws.security_group(
            self.vpc, "second-cidr", ingress=[tcp(80, blocks[0]), icmp(3, 4, "10.0.0.0/8")], egress=self.to_app
        )
        grown = self.load_balancer("second-cidr", "the VPC has a second CIDR block", first_only, scheme="internal")
        self.add_listeners("second-cidr", grown, 80)

    def behind_network_load_balancers(self) -> None:
        aws = self.aws
        front_group = aws.security_group(self.vpc, "front", ingress=[tcp(80, "0.0.0.0/0")])
        good = aws.security_group(
            self.vpc, "behind-nlb", ingress=[tcp(80, front_group), icmp(3, 4, "10.0.0.0/8")], egress=self.to_app
        )
        behind = self.load_balancer("behind-nlb", "an NLB in front, let in by its group", good, scheme="internal")
        self.add_listeners("behind-nlb", behind, 80)
        self.add_network_load_balancer("front", behind, [front_group])

        blind = aws.security_group(
            self.vpc, "nlb-clients", ingress=[tcp(80, "10.0.0.0/16"), icmp(3, 4, "10.0.0.0/8")], egress=self.to_app
        )
        lost = self.load_balancer(
            "nlb-clients", "an internet-facing NLB in front: its clients are not let in", blind, scheme="internal"
        )
        self.add_listeners("nlb-clients", lost, 80)
        self.add_network_load_balancer("open-front", lost, [])

    def add_network_load_balancer(self, name: str, load_balancer: str, groups: list[str]) -> None:
        network = self.aws.load_balancer(name, self.subnets, groups, type_="network")
        self.descriptions[name] = "a Network Load Balancer: not judged itself"
        target_group = self.aws.target_group(
            f"{name}-to-alb", self.vpc, 80, [(load_balancer, None)], target_type="alb", protocol="TCP"
        )
        self.aws.listener(network, 80, target_group, protocol="TCP")

    def targets(self) -> None:
        aws = self.aws
        inbound = [tcp(80, "0.0.0.0/0"), PATH_MTU_DISCOVERY]
        closed = aws.security_group(self.vpc, "no-egress", ingress=inbound, egress=[])
        silent = self.load_balancer("no-egress", "nothing is let out: no target can be reached", closed)
        self.add_listeners("no-egress", silent, 80)

        unhealthy = aws.security_group(self.vpc, "no-health", ingress=inbound, egress=[tcp(8080, self.app)])
        half = self.load_balancer("no-health", "the health check port was changed and forgotten", unhealthy)
        self.add_listeners("no-health", half, 80)

        by_address = aws.security_group(self.vpc, "tasks", ingress=inbound, egress=self.to_app)
        tasks = self.load_balancer("tasks", "ip targets, reached by their security group", by_address)
        aws.listener(tasks, 80, self.target_group("tasks-targets", target_type="ip"))

        unread = self.load_balancer("unreadable", "its targets may not be read: an error, never a verdict", closed)
        self.add_listeners("unreadable", unread, 80)
