"""A second judge, slow and obvious, that shares nothing with the first: it reads a saved estate's dictionaries, asks of
single addresses with Python's `ipaddress`, and looks only where an answer can change, at the ends of CIDR blocks.

It follows docs/semantics.md sentence by sentence. Where that leaves something open the answer is None: no opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ipaddress import ip_network as parse_network
from typing import Any

from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, TARGETS, Saved, Shape

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

COMPLIANT = "COMPLIANT"
NON_COMPLIANT = "NON_COMPLIANT"
NOT_APPLICABLE = "NOT_APPLICABLE"
ERROR = "ERROR"

COVERED = "covered"
MISSING = "missing"
UNRESOLVED = "missing, unless something unresolved covers it"
UNKNOWN = "not known"

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
CLIENT_FAMILIES = {"ipv4": (4,), "dualstack": (4, 6), "dualstack-without-public-ipv4": (6,)}
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


@cache
def network_of(block: str) -> Network:
    """A block as `ipaddress` reads it, host bits dropped; the same few come back all the time."""
    return parse_network(block, strict=False)


class Unread(Exception):
    """What a requirement hangs on is not in the data."""


class NoOpinion(Exception):
    """The text leaves it open."""


@dataclass(frozen=True)
class Traffic:
    """`carried` are the groups that must let it through; None: the load balancer's."""

    direction: str
    protocol: str
    first: int
    second: int
    carried: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Opinion:
    """The verdict; `unresolved` None where there is no opinion on it."""

    compliance: str
    unresolved: bool | None = False


@dataclass(frozen=True)
class Peer:
    """Blocks, a prefix list, a group or a target: what one requirement must be open to."""

    version: int
    blocks: tuple[str, ...] = ()
    or_groups: frozenset[str] = frozenset()
    prefix_list: str | None = None
    group: str | None = None
    target: Target | None = None
    replaceable: bool = False
    unread: bool = False


@dataclass(frozen=True)
class Target:
    """A registered target: address and target group."""

    id: str
    target_group: Mapping[str, Any] = field(hash=False)


def sections(saved: Saved, name: str) -> list[Shape]:
    if name not in saved:
        raise Unread(name)
    found: list[Shape] = saved[name]
    return found


def by_field(saved: Saved, section: str, key: str, value: str) -> Shape:
    for one in sections(saved, section):
        if one[key] == value:
            return one
    raise Unread(value)


class Oracle:
    """One load balancer of a saved estate and what its groups let through."""

    def __init__(self, saved: Saved, name: str, parameters: Mapping[str, str]) -> None:
        self.saved = saved
        self.balancer = next(one for one in saved["LoadBalancers"] if one["LoadBalancerName"] == name)
        self.parameters = parameters

    def opinion(self, rule: str) -> Opinion | None:
        try:
            requirements = list(self.requirements(rule))
            if not requirements:
                return Opinion(NOT_APPLICABLE)
            versions = {peer.version for _, peer in requirements}
            results = [self.result(traffic, peer, len(versions) == 1) for traffic, peer in requirements]
        except Unread:
            return Opinion(ERROR)
        except NoOpinion:
            return None
        states = [state for state, _ in results]
        if UNKNOWN in states:
            return Opinion(ERROR)
        if set(states) == {COVERED}:
            return Opinion(COMPLIANT)
        if any(not sure for _, sure in results):
            return Opinion(NON_COMPLIANT, None)
        return Opinion(NON_COMPLIANT, MISSING not in states)

    def requirements(self, rule: str) -> Iterator[tuple[Traffic, Peer]]:
        if rule == INGRESS:
            yield from self._ingress()
        elif rule == TARGETS:
            for traffic, peer in self._egress(rule):
                if peer.target is not None and self._carried(peer.target, peer.version)[1] != "none":
                    yield traffic, peer
        elif rule == ICMP:
            for peer in self._clients(groups_count=False):
                four = peer.version == 4
                yield Traffic("ingress", "icmp" if four else "icmpv6", 3 if four else 2, 4 if four else 0), peer
        else:
            yield from self._egress(rule)

    def _ingress(self) -> Iterator[tuple[Traffic, Peer]]:
        listeners = [
            one
            for one in sections(self.saved, "Listeners")
            if one["LoadBalancerArn"] == self.balancer["LoadBalancerArn"]
        ]
        fronts = list(self._fronts()) if listeners else []
        for listener in listeners:
            port = listener["Port"]
            traffic = Traffic("ingress", "tcp", port, port)
            behind = [(nlb, group) for nlb, group, front_port, _ in fronts if front_port == port]
            if not behind or self.balancer["Scheme"] == "internet-facing":
                for peer in self._clients():
                    yield traffic, peer
            for nlb, group in behind:
                yield traffic, Peer(4, self._vpc_blocks(nlb["VpcId"], 4), frozenset(nlb["SecurityGroups"]))
                for peer in self._forwarded_clients(nlb, group):
                    yield traffic, peer
            for nlb, _, front_port, check in fronts:
                if check == port != front_port:
                    yield traffic, Peer(4, self._vpc_blocks(nlb["VpcId"], 4), frozenset(nlb["SecurityGroups"]))

    def _forwarded_clients(self, nlb: Shape, group: Shape) -> Iterator[Peer]:
        """Whom a Network Load Balancer lets in on those of its listeners that forward to a target group, beside its
        VPC."""
        groups = frozenset(nlb["SecurityGroups"])
        by_scheme = [Peer(4, (EVERYWHERE[4],), groups, replaceable=True)] if nlb["Scheme"] == "internet-facing" else []
        ports = [
            one["Port"]
            for one in self.saved["Listeners"]
            if one["LoadBalancerArn"] == nlb["LoadBalancerArn"]
            for action in one["DefaultActions"]
            for weighted in action.get("ForwardConfig", {}).get("TargetGroups", [])
            if weighted["TargetGroupArn"] == group["TargetGroupArn"]
        ]
        if not groups or not ports:
            yield from by_scheme
            return
        blocks, lists, unread = self._let_in_by(groups, ports)
        known = {id_: self.saved.get("ManagedPrefixLists", {}).get(id_) for id_ in lists}
        of_ipv4 = [one for one in known.values() if one is not None and one["AddressFamily"] == "IPv4"]
        entries = {entry["Cidr"] for one in of_ipv4 for entry in one.get("Entries", [])}
        if holds_everything(blocks | entries):
            yield from by_scheme
            return
        if unread:
            yield Peer(4, (EVERYWHERE[4],), groups, replaceable=True, unread=True)
            return
        if blocks:
            yield Peer(4, tuple(blocks), groups, replaceable=True)
        for id_, one in known.items():
            if one is None or (one["AddressFamily"] == "IPv4" and one.get("Entries") != []):
                yield Peer(4, prefix_list=id_, or_groups=groups, replaceable=True)

    def _let_in_by(self, groups: Iterable[str], ports: Iterable[int]) -> tuple[set[str], set[str], bool]:
        """The IPv4 blocks and the prefix lists that groups let in on some ports, and whether one was not read."""
        blocks: set[str] = set()
        lists: set[str] = set()
        unread = False
        for id_ in groups:
            try:
                found = by_field(self.saved, "SecurityGroups", "GroupId", id_)
            except Unread:
                unread = True
                continue
            for rule in found["IpPermissions"]:
                if any(lets_through(rule, Traffic("ingress", "tcp", port, port)) for port in ports):
                    blocks |= {one["CidrIp"] for one in rule["IpRanges"]}
                    lists |= {one["PrefixListId"] for one in rule["PrefixListIds"]}
        return blocks, lists, unread

    def _fronts(self) -> Iterator[tuple[Shape, Shape, int, int]]:
        """The Network Load Balancers in front, each with its target group, the port it sends to and that it checks."""
        if "TargetGroups" not in self.saved:
            if any(one["Type"] == "network" for one in self.saved["LoadBalancers"]):
                raise Unread("TargetGroups")
            return
        for group in self.saved["TargetGroups"]:
            if group["TargetType"] != "alb" or not group["LoadBalancerArns"]:
                continue
            if group["TargetGroupArn"] not in self.saved.get("TargetHealthDescriptions", {}):
                raise Unread(group["TargetGroupArn"])
            for registration in self.saved["TargetHealthDescriptions"][group["TargetGroupArn"]]:
                draining = registration.get("TargetHealth", {}).get("State") == "draining"
                if registration["Target"]["Id"] != self.balancer["LoadBalancerArn"] or draining:
                    continue
                port = registration["Target"].get("Port", group["Port"])
                check = port if group["HealthCheckPort"] == "traffic-port" else int(group["HealthCheckPort"])
                for arn in group["LoadBalancerArns"]:
                    yield by_field(self.saved, "LoadBalancers", "LoadBalancerArn", arn), group, port, check

    def _clients(self, *, groups_count: bool = True) -> list[Peer]:
        versions = CLIENT_FAMILIES[self.balancer.get("IpAddressType", "ipv4")]
        tag = None
        if "TagKey" in self.parameters:
            if "Tags" not in self.saved:
                raise Unread("Tags")
            tags = self.saved["Tags"][self.balancer["LoadBalancerArn"]]
            tag = next((one["Value"] for one in tags if one["Key"] == self.parameters["TagKey"]), None)
        if tag is None:
            words = ["internet" if self.balancer["Scheme"] == "internet-facing" else "vpc"]
        else:
            words = [word for word in tag.split() if groups_count or not word.startswith("sg-")]
        peers = [peer for word in words for version in versions for peer in self._word(word, version)]
        if tag is not None and not peers:
            raise NoOpinion
        return peers

    def _word(self, word: str, version: int) -> list[Peer]:
        if word == "internet":
            return [Peer(version, (EVERYWHERE[version],), replaceable=True)]
        if word == "vpc":
            blocks = self._vpc_blocks(self.balancer["VpcId"], version)
            return [Peer(version, blocks, replaceable=True)] if blocks else []
        if word.startswith("sg-"):
            return [Peer(version, group=word, replaceable=True)]
        if word.startswith("pl-"):
            of_family = self._prefix_list(word)["AddressFamily"] == f"IPv{version}"
            return [Peer(version, prefix_list=word, replaceable=True)] if of_family else []
        try:
            network = network_of(word)
        except ValueError:
            raise Unread(word) from None
        return [Peer(version, (word,), replaceable=True)] if network.version == version else []

    def _vpc_blocks(self, vpc_id: str, version: int) -> tuple[str, ...]:
        found = by_field(self.saved, "Vpcs", "VpcId", vpc_id)
        name, block = (
            ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock")
            if version == 6
            else ("CidrBlockAssociationSet", "CidrBlock")
        )
        return tuple(one[block] for one in found[name] if one[f"{block}State"]["State"] == "associated")

    def _egress(self, rule: str) -> Iterator[tuple[Traffic, Peer]]:
        arn = self.balancer["LoadBalancerArn"]
        forwarded = {
            weighted["TargetGroupArn"]
            for listener in sections(self.saved, "Listeners")
            if listener["LoadBalancerArn"] == arn
            for action in listener["DefaultActions"]
            for weighted in action.get("ForwardConfig", {}).get("TargetGroups", [])
        }
        for group in sections(self.saved, "TargetGroups"):
            if arn not in group["LoadBalancerArns"] and group["TargetGroupArn"] not in forwarded:
                continue
            if group["TargetType"] == "lambda" or (rule == HEALTH and not group["HealthCheckEnabled"]):
                continue
            if group["TargetGroupArn"] not in self.saved["TargetHealthDescriptions"]:
                raise Unread(group["TargetGroupArn"])
            for registration in self.saved["TargetHealthDescriptions"][group["TargetGroupArn"]]:
                if registration.get("TargetHealth", {}).get("State") in ("draining", "unused"):
                    continue
                if rule == TARGETS:
                    yield from self._to_target(registration["Target"], group)
                    continue
                port = registration["Target"].get("Port", group["Port"])
                if rule == HEALTH and group["HealthCheckPort"] != "traffic-port":
                    port = int(group["HealthCheckPort"])
                version = 6 if group["IpAddressType"] == "ipv6" else 4
                target = Target(registration["Target"]["Id"], group)
                yield Traffic("egress", "tcp", port, port), Peer(version, target=target)
                control = group.get("TargetControlPort")
                if rule == EGRESS and control is not None:
                    yield Traffic("egress", "tcp", control, control), Peer(version, target=target)

    def _to_target(self, registered: Shape, group: Shape) -> Iterator[tuple[Traffic, Peer]]:
        """On a target's own port, the health check port where checks are enabled, and the control port."""
        own: int = registered["Port"] if "Port" in registered else group["Port"]
        ports: set[int] = {own, group.get("TargetControlPort", own)}
        if group["HealthCheckEnabled"] and group["HealthCheckPort"] != "traffic-port":
            ports.add(int(group["HealthCheckPort"]))
        version = 6 if group["IpAddressType"] == "ipv6" else 4
        for port in ports:
            yield Traffic("targetIngress", "tcp", port, port), Peer(version, target=Target(registered["Id"], group))

    def result(self, traffic: Traffic, peer: Peer, one_family: bool) -> tuple[str, bool]:
        """What becomes of one requirement, and whether the oracle is sure of `unresolved`."""
        if peer.target is not None:
            return self._endpoint(traffic, peer.target, peer.version)
        if peer.or_groups & self._references(traffic).keys():
            state = COVERED
        elif peer.prefix_list is not None:
            try:
                state = self._prefix_list_result(traffic, peer.prefix_list, peer.version)
            except Unread:
                state = UNKNOWN
        elif peer.group is not None:
            covered = self.whole(traffic, peer.version) or peer.group in self._references(traffic)
            state = COVERED if covered else self._short_of(traffic, peer.version)
        else:
            covered = self.open_to(traffic, peer.blocks)
            state = COVERED if covered else UNKNOWN if peer.unread else self._short_of(traffic, peer.version)
        if state != COVERED and peer.replaceable:
            sources = self._accepted(traffic)
            if "none" in sources:
                return COVERED, True
            concerned = [source for source in sources if self._concerns(source, peer.version)]
            accepted = [self._accepts(traffic, source, peer.version, one_family) for source in concerned]
            every = self.parameters.get("AcceptedSourcesMatch") == "all"
            if accepted and (set(accepted) == {True} if every else True in accepted):
                return COVERED, True
            if None in accepted and not (every and False in accepted):
                return UNKNOWN, True
        return state, True

    def whole(self, traffic: Traffic, version: int) -> bool:
        return self.open_to(traffic, (EVERYWHERE[version],))

    def open_to(self, traffic: Traffic, blocks: Iterable[str]) -> bool:
        """Whether every address of the blocks is let through: asked where the answer can change."""
        return all(self.lets_in(traffic, address) for block in blocks for address in self.samples(traffic, block))

    def lets_in(self, traffic: Traffic, address: Address) -> bool:
        """Whether one address is let through, by a block or a prefix list's entry."""
        return any(address in network_of(block) for block in self._open_blocks(traffic))

    def samples(self, traffic: Traffic, block: str) -> Iterator[Address]:
        """Both ends of a block, and within it both ends of every block that is open and their neighbours outside."""
        network = network_of(block)
        first, last = int(network.network_address), int(network.broadcast_address)
        points = {first, last}
        for one in self._open_blocks(traffic):
            other = network_of(one)
            if other.version == network.version:
                start, end = int(other.network_address), int(other.broadcast_address)
                points |= {start - 1, start, end, end + 1}
        make: Callable[[int], Address] = IPv4Address if network.version == 4 else IPv6Address
        return (make(point) for point in sorted(points) if first <= point <= last)

    def _open_blocks(self, traffic: Traffic) -> Iterator[str]:
        for rule in self._rules(traffic):
            yield from (one["CidrIp"] for one in rule["IpRanges"])
            yield from (one["CidrIpv6"] for one in rule["Ipv6Ranges"])
            for listed in rule["PrefixListIds"]:
                try:
                    entries = self._prefix_list(listed["PrefixListId"]).get("Entries", [])
                except Unread:
                    continue
                yield from (entry["Cidr"] for entry in entries)

    def _rules(self, traffic: Traffic) -> Iterator[Shape]:
        field_of = "IpPermissionsEgress" if traffic.direction == "egress" else "IpPermissions"
        for id_ in self._deciding(traffic):
            try:
                found = by_field(self.saved, "SecurityGroups", "GroupId", id_)
            except Unread:
                continue
            yield from (rule for rule in found[field_of] if lets_through(rule, traffic))

    def _deciding(self, traffic: Traffic) -> tuple[str, ...]:
        return tuple(self.balancer["SecurityGroups"]) if traffic.carried is None else traffic.carried

    def _references(self, traffic: Traffic) -> dict[str, list[Shape]]:
        """The references that are not stale, by group."""
        found: dict[str, list[Shape]] = {}
        there = {one["GroupId"] for one in self.saved.get("SecurityGroups", [])}
        for rule in self._rules(traffic):
            for pair in rule["UserIdGroupPairs"]:
                if "VpcPeeringConnectionId" in pair and "UserId" not in pair:
                    # EC2 leaves the owner out once the group of the other VPC is gone.
                    continue
                # EC2 does not delete a group that another group of its VPC names: without a peering it is there, and
                # was left out of the data.
                own = "VpcPeeringConnectionId" in pair and pair.get("UserId") == self.saved["AccountId"]
                if pair.get("PeeringStatus", "active") == "active" and (not own or pair["GroupId"] in there):
                    found.setdefault(pair["GroupId"], []).append(pair)
        return found

    def _short_of(self, traffic: Traffic, version: int) -> str:
        """What a requirement is that nothing covers: something unread might, or something unresolved."""
        there = {one["GroupId"] for one in self.saved.get("SecurityGroups", [])}
        if not self.balancer["SecurityGroups"] or not there.issuperset(self._deciding(traffic)):
            return UNKNOWN
        unresolved = False
        for rule in self._rules(traffic):
            for listed in rule["PrefixListIds"]:
                try:
                    found = self._prefix_list(listed["PrefixListId"])
                except Unread:
                    return UNKNOWN
                unresolved |= "Entries" not in found and found["AddressFamily"] == f"IPv{version}"
        return UNRESOLVED if unresolved else MISSING

    def _prefix_list(self, id_: str) -> Shape:
        found = self.saved.get("ManagedPrefixLists", {}).get(id_)
        if found is None:
            raise Unread(id_)
        shape: Shape = found
        return shape

    def _referenced_lists(self, traffic: Traffic) -> set[str]:
        """The prefix lists that rules name, except those that are known to have no entry: these let nobody in."""
        named = {listed["PrefixListId"] for rule in self._rules(traffic) for listed in rule["PrefixListIds"]}
        lists = self.saved.get("ManagedPrefixLists", {})
        return {id_ for id_ in named if lists.get(id_, {}).get("Entries") != []}

    def _prefix_list_result(self, traffic: Traffic, id_: str, version: int) -> str:
        if id_ in self._referenced_lists(traffic) or self.whole(traffic, version):
            return COVERED
        entries = self._prefix_list(id_).get("Entries")
        if entries and self.open_to(traffic, [entry["Cidr"] for entry in entries]):
            return COVERED
        return self._short_of(traffic, version)

    def _accepted(self, traffic: Traffic) -> list[str]:
        """The accepted sources of a port: those that name it, otherwise those without a port."""
        given = [source for source in self.parameters.get("AcceptedSources", "").split(",") if source]
        of_port = f"@{traffic.first}"
        named = [source for source in given if traffic.protocol == "tcp" and source.endswith(of_port)]
        return [source.removesuffix(of_port) for source in named] or [source for source in given if "@" not in source]

    def _concerns(self, source: str, version: int) -> bool:
        if source.startswith("sg-"):
            return True
        if not source.startswith("pl-"):
            return network_of(source).version == version
        try:
            return bool(self._prefix_list(source)["AddressFamily"] == f"IPv{version}")
        except Unread:
            return True

    def _accepts(self, traffic: Traffic, source: str, version: int, one_family: bool) -> bool | None:
        """Whether an accepted source is open; None where that is not known."""
        if source.startswith("sg-"):
            return source in self._references(traffic)
        if not source.startswith("pl-"):
            return network_of(source).version == version and self.open_to(traffic, [source])
        referenced = source in self._referenced_lists(traffic)
        try:
            found = self._prefix_list(source)
        except Unread:
            return True if referenced and one_family else None
        if found["AddressFamily"] != f"IPv{version}":
            return False
        entries = [entry["Cidr"] for entry in found.get("Entries", [])]
        return referenced or (bool(entries) and self.open_to(traffic, entries))

    def _nodes_let_in(self, traffic: Traffic, target: Target, version: int) -> str:
        """Whether a target's groups let all nodes in: by a reference, or the whole block of every enabled subnet."""
        carried, state = self._carried(target, version)
        if state == "unread":
            return UNKNOWN
        traffic = replace(traffic, carried=carried)
        if state == "known" and self._references(traffic).keys() & set(self.balancer["SecurityGroups"]):
            return COVERED
        try:
            blocks = self._subnet_blocks(version)
        except Unread:
            return COVERED if state == "known" and self._open_to_every_subnet(traffic, version) else UNKNOWN
        if state == "known" and self.open_to(traffic, blocks):
            return COVERED
        short = self._short_of(traffic, version)
        return UNRESOLVED if state == "unresolved" and short != UNKNOWN else short

    def _subnet_blocks(self, version: int) -> list[str]:
        blocks: list[str] = []
        zones = self.balancer["AvailabilityZones"]
        if not zones:
            raise Unread("AvailabilityZones")
        for zone in zones:
            found = by_field(self.saved, "Subnets", "SubnetId", zone["SubnetId"])
            of_version = [one["Ipv6CidrBlock"] for one in found["Ipv6CidrBlockAssociationSet"]]
            if version == 4:
                of_version = [found["CidrBlock"]] if "CidrBlock" in found else []
            if not of_version:
                raise Unread(zone["SubnetId"])
            blocks += of_version
        return blocks

    def _open_to_every_subnet(self, traffic: Traffic, version: int) -> bool:
        """Whether a subnet that is not known is let in all the same: every address is, or the whole VPC."""
        try:
            of_vpc = self._vpc_blocks(self.balancer["VpcId"], version)
        except Unread:
            of_vpc = ()
        return self.whole(traffic, version) or (bool(of_vpc) and self.open_to(traffic, of_vpc))

    def _carried(self, target: Target, version: int) -> tuple[tuple[str, ...], str]:
        """The groups of a target's interface, and whether they are known, unresolved, unread or none to judge."""
        group = target.target_group
        if group["TargetType"] == "instance":
            _, groups, state = self._instance(target.id, version)
            return tuple(sorted(groups)), state
        address = ip_address(target.id)
        held = self._interface(group["VpcId"], address)
        if held is None:
            try:
                if any(address in network_of(block) for block in self._vpc_blocks(group["VpcId"], version)):
                    return (), "unresolved" if "NetworkInterfaces" in self.saved else "unread"
            except Unread:
                return (), "unread"
            return self._carried_beyond(address)
        groups = {one["GroupId"] for one in held["Groups"]}
        return tuple(sorted(groups)), "known" if groups else "none"

    def _carried_beyond(self, address: Address) -> tuple[tuple[str, ...], str]:
        """The groups of the visible interface in a VPC that an active outbound peering reference names."""
        groups: set[str] = set()
        for id_ in self.balancer["SecurityGroups"]:
            try:
                found = by_field(self.saved, "SecurityGroups", "GroupId", id_)
            except Unread:
                return (), "unread"
            for rule in found["IpPermissionsEgress"]:
                for pair in rule["UserIdGroupPairs"]:
                    active = "UserId" in pair and pair.get("PeeringStatus") == "active"
                    if "VpcPeeringConnectionId" in pair and active:
                        if "NetworkInterfaces" not in self.saved:
                            return (), "unread"
                        held = self._interface(pair["VpcId"], address)
                        groups |= set() if held is None else {one["GroupId"] for one in held["Groups"]}
        return tuple(sorted(groups)), "known" if groups else "none"

    def _endpoint(self, traffic: Traffic, target: Target, version: int) -> tuple[str, bool]:
        if traffic.direction == "targetIngress":
            return self._nodes_let_in(traffic, target, version), True
        references = self._references(traffic)
        address, groups, state = self._target(target, version, references)
        only_references = self.parameters.get("TargetMatch") == "security-group" and (bool(groups) or state != "known")
        by_address = self.whole(traffic, version) or (address is not None and self.lets_in(traffic, address))
        if groups & references.keys() or (by_address and not only_references):
            return COVERED, True
        if state == "unread" and (references or only_references or address is None):
            return UNKNOWN, True
        short = self._short_of(traffic, version)
        if only_references:
            own_groups_read = all(
                any(one["GroupId"] == id_ for one in self.saved.get("SecurityGroups", []))
                for id_ in self.balancer["SecurityGroups"]
            )
            if not self.balancer["SecurityGroups"] or not own_groups_read:
                return UNKNOWN, True
            return MISSING if state == "known" else UNRESOLVED, state == "known" or bool(references)
        if short == MISSING and state == "unresolved" and references:
            return UNRESOLVED, True
        return short, True

    def _target(
        self, target: Target, version: int, references: Mapping[str, list[Shape]]
    ) -> tuple[Address | None, set[str], str]:
        """A target's address and groups, and whether those are known, unresolved or unread."""
        group = target.target_group
        if group["TargetType"] == "instance":
            return self._instance(target.id, version)
        address = ip_address(target.id)
        held = self._interface(group["VpcId"], address)
        if held is not None:
            return address, {one["GroupId"] for one in held["Groups"]}, "known"
        try:
            inside = any(address in network_of(block) for block in self._vpc_blocks(group["VpcId"], version))
        except Unread:
            return address, set(), "unread"
        if inside:
            return address, set(), "unresolved" if "NetworkInterfaces" in self.saved else "unread"
        found: set[str] = set()
        state = "known"
        for pair in (pair for pairs in references.values() for pair in pairs if "VpcPeeringConnectionId" in pair):
            try:
                blocks = self._vpc_blocks(pair["VpcId"], version)
            except Unread:
                # A VPC of somebody else's: only the interface could tell.
                blocks = (EVERYWHERE[version],)
            if not any(address in network_of(block) for block in blocks):
                continue
            if "NetworkInterfaces" not in self.saved:
                return address, found, "unread"
            held = self._interface(pair["VpcId"], address)
            if held is None:
                state = "unresolved"
            else:
                found |= {one["GroupId"] for one in held["Groups"]}
        return address, found, state

    def _instance(self, id_: str, version: int) -> tuple[Address | None, set[str], str]:
        holders = [
            one
            for instance in self.saved.get("Instances", [])
            if instance["InstanceId"] == id_
            for one in instance["NetworkInterfaces"]
        ] + [
            one for one in self.saved.get("NetworkInterfaces", []) if one.get("Attachment", {}).get("InstanceId") == id_
        ]
        for holder in holders:
            attachment = holder["Attachment"]
            if attachment["DeviceIndex"] == 0 and attachment.get("NetworkCardIndex", 0) == 0:
                text = holder["PrivateIpAddress"] if version == 4 else holder["Ipv6Addresses"][0]["Ipv6Address"]
                return ip_address(text), {one["GroupId"] for one in holder["Groups"]}, "known"
        return None, set(), "unread"

    def _interface(self, vpc_id: str, address: Address) -> Shape | None:
        for one in self.saved.get("NetworkInterfaces", []):
            if one["VpcId"] != vpc_id:
                continue
            addresses = [held["PrivateIpAddress"] for held in one["PrivateIpAddresses"]]
            addresses += [held["Ipv6Address"] for held in one["Ipv6Addresses"]]
            prefixes = [prefix["Ipv4Prefix"] for prefix in one["Ipv4Prefixes"]]
            if any(address == ip_address(held) for held in addresses):
                return dict(one)
            if any(address in network_of(prefix) for prefix in prefixes):
                return dict(one)
        return None


def lets_through(rule: Mapping[str, Any], traffic: Traffic) -> bool:
    """Whether a rule lets some traffic through, from any peer (§4)."""
    protocol: str = rule["IpProtocol"].lower()
    protocol = PROTOCOLS.get(protocol, protocol)
    first: int | None = rule.get("FromPort")
    second: int | None = rule.get("ToPort")
    if protocol == "-1":
        return True
    if protocol != traffic.protocol:
        return False
    if first is None or second is None:
        return protocol in ("tcp", "icmpv6")
    if protocol == "tcp":
        return first <= traffic.first <= second
    return first in (-1, traffic.first) and second in (-1, traffic.second)


def holds_everything(blocks: Iterable[str]) -> bool:
    """Whether every IPv4 address lies in one of the blocks: asked at their ends and next to them."""
    networks = [network_of(block) for block in blocks]
    last = 2**32 - 1
    points = {0, last}
    for one in networks:
        points |= {int(one.network_address) - 1, int(one.broadcast_address) + 1}
    return all(any(IPv4Address(point) in one for one in networks) for point in points if 0 <= point <= last)


def opinion(saved: Saved, rule: str, name: str, parameters: Mapping[str, str]) -> Opinion | None:
    """What the text says of one load balancer and one rule."""
    assert rule in (INGRESS, EGRESS, HEALTH, ICMP, TARGETS)
    return Oracle(saved, name, parameters).opinion(rule)
