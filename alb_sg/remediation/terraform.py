"""The rules to add as resources of the AWS provider for Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from alb_sg.findings.phrasing import printable
from alb_sg.remediation.api_calls import group_description, rule_description
from alb_sg.remediation.plan import PeerKind
from alb_sg.remediation.snippets import Snippet

# The address of a planned resource, perhaps in a module.
_ADDRESS = re.compile(r'(?:module\.[^."\[\]]+(?:\[[^\]]*\])?\.)*(aws(?:cc)?_[a-z0-9_]+\.[^."\[\]]+(?:\[[^\]]*\])?)')
# The arguments that name a rule's peer.
PEER_ARGUMENTS = {
    PeerKind.IPV4: "cidr_ipv4",
    PeerKind.IPV6: "cidr_ipv6",
    PeerKind.PREFIX_LIST: "prefix_list_id",
    PeerKind.SECURITY_GROUP: "referenced_security_group_id",
}


def render_terraform(snippets: Iterable[Snippet]) -> str:
    """Resources in HCL; an empty text if there is nothing to add."""
    blocks = ["\n".join(_resources(snippet)) for snippet in snippets]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _resources(snippet: Snippet) -> Iterator[str]:
    prefix = f"alb_sg_{snippet.name}"
    yield from (f"# {comment}" for comment in snippet.comments)
    separator = ""
    if snippet.group_name is not None:
        yield f'resource "aws_security_group" "{prefix}" {{'
        yield f"  name        = {_hcl_string(snippet.group_name)}"
        yield f"  description = {_hcl_string(group_description(snippet.load_balancer))}"
        yield f"  vpc_id      = {_identifier(snippet.load_balancer.vpc_id)}"
        yield "}"
        separator = "\n"
    for number, addition in enumerate(snippet.additions, 1):
        name = addition.direction.value
        group = f"aws_security_group.{prefix}.id" if addition.group_id is None else _identifier(addition.group_id)
        fields = {
            "security_group_id": group,
            "description": _hcl_string(rule_description(addition)),
            "ip_protocol": _hcl_string(addition.permission.protocol),
            "from_port": str(addition.permission.from_port),
            "to_port": str(addition.permission.to_port),
            PEER_ARGUMENTS[addition.peer_kind]: _identifier(addition.peer),
        }
        width = max(map(len, fields))
        yield f'{separator}resource "aws_vpc_security_group_{name}_rule" "{prefix}_{number}" {{'
        yield from (f"  {key.ljust(width)} = {value}" for key, value in fields.items())
        yield "}"
        separator = "\n"


def _identifier(value: str) -> str:
    """An identifier as a string. That of a planned resource is a reference to it, as its own module writes it."""
    match = _ADDRESS.fullmatch(value)
    return _hcl_string(value) if match is None else f"{match[1]}.id"


def _hcl_string(value: str) -> str:
    """A quoted string in HCL, where ${ and %{ would start an expression. A terminal obeys nothing in it."""
    return json.dumps(printable(value), ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
