"""The rules to add as resources of the AWS provider for Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from alb_sg.findings.phrasing import printable
from alb_sg.remediation.api_calls import group_description, rule_description
from alb_sg.remediation.plan import Addition, PeerKind
from alb_sg.remediation.snippets import Snippet

# The address of a planned resource or data source, perhaps in a module.
_ADDRESS = re.compile(
    r'((?:module\.[^."\[\]]+(?:\[[^\]]*\])?\.)*)((?:data\.)?aws(?:cc)?_[a-z0-9_]+\.[^."\[\]]+(?:\[[^\]]*\])?)'
)
# The arguments that name a rule's peer.
PEER_ARGUMENTS = {
    PeerKind.IPV4: "cidr_ipv4",
    PeerKind.IPV6: "cidr_ipv6",
    PeerKind.PREFIX_LIST: "prefix_list_id",
    PeerKind.SECURITY_GROUP: "referenced_security_group_id",
}
INLINE_ARGUMENTS = {
    PeerKind.IPV4: "cidr_blocks",
    PeerKind.IPV6: "ipv6_cidr_blocks",
    PeerKind.PREFIX_LIST: "prefix_list_ids",
    PeerKind.SECURITY_GROUP: "security_groups",
}


def render_terraform(snippets: Iterable[Snippet]) -> str:
    """Resources in HCL; an empty text if there is nothing to add."""
    blocks = ["\n".join(_resources(snippet)) for snippet in snippets]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _resources(snippet: Snippet) -> Iterator[str]:
    prefix = f"alb_sg_{snippet.name}"
    written = _WrittenIdentifiers(snippet)
    yield from (f"# {printable(comment)}" for comment in (*snippet.comments, *written.comments))
    separator = ""
    if snippet.group_name is not None:
        yield f'resource "aws_security_group" "{prefix}" {{'
        yield f"  name        = {_hcl_string(snippet.group_name)}"
        yield f"  description = {_hcl_string(group_description(snippet.load_balancer))}"
        yield f"  vpc_id      = {written.expression(snippet.load_balancer.vpc_id, snippet.load_balancer.arn)}"
        yield "}"
        separator = "\n"
    inline = [addition for addition in snippet.additions if snippet.is_inline(addition)]
    apart = [addition for addition in snippet.additions if not snippet.is_inline(addition)]
    for number, addition in enumerate(apart, 1):
        name = addition.direction.value
        owner = snippet.load_balancer.arn if addition.group_id is None else addition.group_id
        group = written.expression(owner, owner) if addition.group_id is not None else f"aws_security_group.{prefix}.id"
        fields = {
            "security_group_id": group,
            "description": _hcl_string(rule_description(addition)),
            "ip_protocol": _hcl_string(addition.permission.protocol),
            "from_port": str(addition.permission.from_port),
            "to_port": str(addition.permission.to_port),
            PEER_ARGUMENTS[addition.peer_kind]: written.expression(addition.peer, owner),
        }
        width = max(map(len, fields))
        yield f'{separator}resource "aws_vpc_security_group_{name}_rule" "{prefix}_{number}" {{'
        yield from (f"  {key.ljust(width)} = {value}" for key, value in fields.items())
        yield "}"
        separator = "\n"
    for group_id in dict.fromkeys(addition.group_id for addition in inline if addition.group_id is not None):
        yield f"{separator}# {printable(written.inline_comment(group_id))}"
        for addition in inline:
            if addition.group_id == group_id:
                yield from _inline_block(addition, group_id, written)
        separator = "\n"


def _inline_block(addition: Addition, group_id: str, written: _WrittenIdentifiers) -> Iterator[str]:
    """A block in the resource of a security group."""
    if addition.peer == group_id:
        argument, peer = "self", "true"
    else:
        argument = INLINE_ARGUMENTS[addition.peer_kind]
        peer = f"[{written.expression(addition.peer, group_id)}]"
    fields = {
        "description": _hcl_string(rule_description(addition)),
        "protocol": _hcl_string(addition.permission.protocol),
        "from_port": str(addition.permission.from_port),
        "to_port": str(addition.permission.to_port),
        argument: peer,
    }
    width = max(map(len, fields))
    yield f"{addition.direction.value} {{"
    yield from (f"  {key.ljust(width)} = {value}" for key, value in fields.items())
    yield "}"


class _WrittenIdentifiers:
    """The identifiers of a snippet as Terraform writes them."""

    def __init__(self, snippet: Snippet) -> None:
        self._snippet = snippet

    def expression(self, identifier: str, owner: str) -> str:
        """An identifier as a string. That of a planned resource is a reference: as its own module writes it if the
        resource `owner` is in that module too, otherwise its whole address."""
        module, address = self._address(identifier)
        if address is None:
            return _hcl_string(identifier)
        return f"{address}.id" if module == self._address(owner)[0] else f"{module}{address}.id"

    @property
    def comments(self) -> list[str]:
        """Which module the rules belong to, and what has to be passed into it."""
        snippet = self._snippet
        owners: dict[str, str] = {}
        passed: dict[str, None] = {}
        for addition in snippet.additions:
            owner = snippet.load_balancer.arn if addition.group_id is None else addition.group_id
            module, address = self._address(owner)
            if module and address is not None and not snippet.is_inline(addition):
                owners[f"{module}{address}"] = module
            for identifier in (addition.peer, *([snippet.load_balancer.vpc_id] if addition.group_id is None else [])):
                other, named = self._address(identifier)
                if named is not None and other != module:
                    passed[f"{other}{named}"] = None
        lines = [f"Put these rules into {module.rstrip('.')}, beside {owner}." for owner, module in owners.items()]
        if passed:
            lines.append(f"Pass in, as outputs and variables of modules: the id of {', '.join(passed)}.")
        return lines

    def inline_comment(self, group_id: str) -> str:
        """Where the blocks belong, and which of them make a circle."""
        name = self._snippet.document.name_of(group_id)
        text = (
            f"Add these blocks to {name}, which lists its rules itself: it would take away rules that are resources of "
            "their own."
        )
        circular = sorted(peer for peer in self._inline_peers(group_id) if group_id in self._inline_peers(peer))
        if not circular:
            return text
        peers = ", ".join(map(self._snippet.document.name_of, circular))
        return (
            f"{text} Terraform refuses groups whose blocks name each other ({name} and {peers}): first make the rules "
            "of one of them resources of their own."
        )

    def _inline_peers(self, group_id: str) -> set[str]:
        """The groups that the blocks of a group name, with those to add."""
        snippet = self._snippet
        rules = snippet.document.inline_rules.get(group_id)
        added = {one.peer for one in snippet.additions if one.group_id == group_id and snippet.is_inline(one)}
        return {*(rules.peers if rules is not None else ()), *added} - {group_id}

    def _address(self, identifier: str) -> tuple[str, str | None]:
        """The module and the address in it of a planned resource; no address for any other identifier."""
        match = _ADDRESS.fullmatch(self._snippet.document.name_of(identifier))
        return ("", None) if match is None else (match[1], match[2])


def _hcl_string(value: str) -> str:
    """A quoted string in HCL, where ${ and %{ would start an expression. A terminal obeys nothing in it."""
    return json.dumps(printable(value), ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
