"""Terraform plans of format 1.2, as `terraform show -json` prints them.

A value that is a `Ref` is unknown before the change, and the configuration names what it refers to. `COMPUTED` is
unknown and not written. As Terraform does, the configuration leaves out local values and `dynamic` blocks, writes the
inline rules of a security group as one expression, and says nothing of texts beside references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alb_sg.estate.planned.terraform_references import parse_steps

# Arguments that are written as blocks, and that the provider's schema has as attributes: Terraform's configuration has
# one expression for all blocks.
ATTRIBUTES_AS_BLOCKS = frozenset(
    {(kind, name) for kind in ("aws_security_group", "aws_default_security_group") for name in ("ingress", "egress")}
)


class Ref:
    """An expression that refers to these, in the words of a plan; what they begin with is added."""

    def __init__(self, *references: str) -> None:
        self.references = [one for reference in references for one in _with_beginnings(reference)]

    def __repr__(self) -> str:
        return f"Ref({self.references})"


class Written:
    """A known value whose expression refers to something, such as a variable."""

    def __init__(self, value: Any, *references: str) -> None:
        self.value = value
        self.references = list(references)


class _Computed:
    pass


COMPUTED = _Computed()


class Dynamic:
    """Blocks of a `dynamic` block, which a configuration leaves out."""

    def __init__(self, *blocks: Mapping[str, Any]) -> None:
        self.blocks = list(blocks)


def _with_beginnings(reference: str) -> list[str]:
    """`aws_lb.a[0].arn`, `aws_lb.a[0]` and `aws_lb.a`: a plan lists what is left without each of the last steps."""
    steps = re.findall(r'\.?[^.\[\]]+|\["(?:[^"]*)"\]|\[[^\]]*\]', reference)
    assert "".join(steps) == reference
    head = 3 if steps[0] == "data" else 2
    return ["".join(steps[:length]) for length in range(len(steps), head - 1, -1)]


class Plan:
    """A plan that grows by resource."""

    def __init__(self, *, version: str = "1.2", region: str = "eu-west-1") -> None:
        self.changes: list[dict[str, Any]] = []
        self.data: dict[str, list[dict[str, Any]]] = {}
        self.root = _module_without_content()
        self.variables: dict[str, Any] = {}
        self.version = version
        self.providers: dict[str, Any] = {}
        self.provider("aws", region=region)
        self.extra: dict[str, Any] = {}

    def create(self, address: str, /, **values: Any) -> Plan:
        after, unknown = _after(values)
        for name in ("id", "arn"):
            unknown.setdefault(name, True)
        return self._change(address, values, ["create"], None, after, unknown)

    def keep(self, address: str, identifier: str, /, **values: Any) -> Plan:
        """A resource that exists and does not change."""
        after, unknown = _after({"id": identifier, **values})
        return self._change(address, values, ["no-op"], after, after, unknown)

    def update(self, address: str, identifier: str, before: Mapping[str, Any], /, **values: Any) -> Plan:
        after, unknown = _after({"id": identifier, **values})
        return self._change(address, values, ["update"], {"id": identifier, **before}, after, unknown)

    def replace(self, address: str, identifier: str, before: Mapping[str, Any], /, **values: Any) -> Plan:
        after, unknown = _after(values)
        unknown |= {"id": True, "arn": True}
        return self._change(address, values, ["delete", "create"], {"id": identifier, **before}, after, unknown)

    def delete(self, address: str, identifier: str, /, **values: Any) -> Plan:
        """The configuration does not hold it any more."""
        self.changes.append(
            {
                **_identity(address),
                "change": {"actions": ["delete"], "before": {"id": identifier, **values}, "after": None},
            }
        )
        return self

    def read(self, address: str, /, **values: Any) -> Plan:
        """A data source that was read for the plan."""
        identity = _identity(address)
        module = identity.get("module_address", "")
        entry = {**identity, "values": values}
        self.data.setdefault(module, []).append(entry)
        self._configure(address, {})
        return self

    def defer(self, address: str, /) -> Plan:
        """A data source that is read while the plan is applied."""
        entry = {
            **_identity(address),
            "change": {"actions": ["read"], "before": None, "after": {}, "after_unknown": {"id": True}},
        }
        self.changes.append(entry)
        self._configure(address, {})
        return self

    def _change(
        self, address: str, values: Mapping[str, Any], actions: list[str], before: Any, after: Any, unknown: Any
    ) -> Plan:
        change = {"actions": actions, "before": before, "after": after, "after_unknown": unknown, "after_sensitive": {}}
        self.changes.append({**_identity(address), "change": change})
        self._configure(address, values)
        return self

    def call(self, module: str, /, for_each: Ref | None = None, **arguments: Any) -> Plan:
        """The call of a module, such as `module.vpc`."""
        node = self._module([name for name, _ in parse_steps(module)][1::2])
        node["expressions"] = {name: _expression(value) for name, value in arguments.items()}
        if for_each is not None:
            node["for_each_expression"] = {"references": for_each.references}
        return self

    def provider(self, key: str, /, **arguments: Any) -> Plan:
        """A provider configuration, such as `aws.edge`."""
        expressions = {name: _expression(value) for name, value in arguments.items()}
        self.providers[key] = {"name": "aws", "expressions": expressions}
        return self

    def made_by(self, key: str, *addresses: str) -> Plan:
        """Resources that are there already are made by a provider configuration."""
        for address in addresses:
            self._configured(address)["provider_config_key"] = key
        return self

    def output(self, module: str, name: str, value: Any) -> Plan:
        node = self._module([step for step, _ in parse_steps(module)][1::2])
        node["module"]["outputs"][name] = {"expression": _expression(value)}
        return self

    def variable(self, name: str, value: Any, *, sensitive: bool = False) -> Plan:
        self.variables[name] = {"value": value}
        self.root["variables"][name] = {"sensitive": True} if sensitive else {}
        return self

    def default(self, module: str, name: str, value: Any) -> Plan:
        """The default of a module's variable."""
        node = self._module([step for step, _ in parse_steps(module)][1::2])
        node["module"]["variables"][name] = {"default": value}
        return self

    def for_each(self, address: str, *references: str) -> Plan:
        """The `for_each` of a resource that is there already."""
        self._configured(address)["for_each_expression"] = {"references": list(references)}
        return self

    def count(self, address: str, *references: str) -> Plan:
        """The `count` of a resource that is there already."""
        self._configured(address)["count_expression"] = {"references": list(references)}
        return self

    def depends_on(self, address: str, *references: str) -> Plan:
        """The `depends_on` of a resource that is there already."""
        self._configured(address)["depends_on"] = list(references)
        return self

    def _node(self, address: str) -> dict[str, Any]:
        steps = parse_steps(address)
        names: list[str] = []
        while steps and steps[0][0] == "module":
            names.append(steps[1][0])
            steps = steps[2:]
        return self._module(names)["module"] if names else self.root

    def _configured(self, address: str) -> dict[str, Any]:
        """The configuration of a resource that is there already."""
        resources: list[dict[str, Any]] = self._node(address)["resources"]
        return next(one for one in resources if one["address"] == _without_index(address))

    def _module(self, names: Sequence[str]) -> dict[str, Any]:
        node: dict[str, Any] = {"module": self.root}
        for name in names:
            empty: dict[str, Any] = {
                "expressions": {},
                "module": {"resources": [], "module_calls": {}, "variables": {}, "outputs": {}},
            }
            node = node["module"]["module_calls"].setdefault(name, empty)
        return node

    def _configure(self, address: str, values: Mapping[str, Any]) -> None:
        node, local = self._node(address), _without_index(address)
        identity = _identity(address)
        if any(one["address"] == local for one in node["resources"]):
            return
        expressions = {
            name: _attribute(value) if (identity["type"], name) in ATTRIBUTES_AS_BLOCKS else _expression(value)
            for name, value in values.items()
            if not isinstance(value, _Computed | Dynamic)
        }
        node["resources"].append(
            {
                "address": local,
                "mode": identity["mode"],
                "type": identity["type"],
                "name": identity["name"],
                "provider_config_key": "aws",
                "expressions": {name: one for name, one in expressions.items() if one is not None},
            }
        )

    def document(self) -> dict[str, Any]:
        modules = [{"address": module, "resources": entries} for module, entries in sorted(self.data.items()) if module]
        return {
            "format_version": self.version,
            "terraform_version": "1.13.4",
            "variables": self.variables,
            "planned_values": {"root_module": {}},
            "resource_changes": self.changes,
            "prior_state": {
                "format_version": "1.0",
                "values": {"root_module": {"resources": self.data.get("", []), "child_modules": modules}},
            },
            "configuration": {
                "provider_config": self.providers,
                "root_module": self.root,
            },
            "timestamp": "2026-11-29T20:00:00Z",
            "applyable": True,
            "complete": True,
            "errored": False,
            **self.extra,
        }

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(self.document()))
        return path


def _module_without_content() -> dict[str, Any]:
    return {"resources": [], "module_calls": {}, "variables": {}, "outputs": {}}


def _identity(address: str) -> dict[str, Any]:
    """The fields of a change that say which resource it is."""
    steps = parse_steps(address)
    module: list[str] = []
    rest = address
    while steps[0][0] == "module":
        name, key = steps[1]
        index = "" if key is None else f"[{json.dumps(key)}]"
        module.append(f"module.{name}{index}")
        rest = rest.removeprefix(f"module.{name}{index}.")
        steps = steps[2:]
    mode = "managed"
    if steps[0][0] == "data":
        mode, steps = "data", steps[1:]
    (kind, _), (name, key) = steps[0], steps[1]
    identity: dict[str, Any] = {
        "address": address,
        "mode": mode,
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
    }
    if key is not None:
        identity["index"] = key
    if module:
        identity["module_address"] = ".".join(module)
    return identity


def _without_index(address: str) -> str:
    """The address in the configuration of its module."""
    identity = _identity(address)
    prefix = "data." if identity["mode"] == "data" else ""
    return f"{prefix}{identity['type']}.{identity['name']}"


def _after(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`after` and `after_unknown`."""
    after: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in values.items():
        known, is_unknown = _split(value)
        if is_unknown is not True:
            after[name] = known
        if is_unknown is not False:
            unknown[name] = is_unknown
    return after, unknown


def _split(value: Any) -> tuple[Any, Any]:
    match value:
        case Ref() | _Computed():
            return None, True
        case Written():
            return value.value, False
        case Dynamic():
            return _split(value.blocks)
        case list() if any(isinstance(one, Dynamic) for one in value):
            return _split([block for one in value for block in (one.blocks if isinstance(one, Dynamic) else [one])])
        case list() if any(isinstance(one, Ref | _Computed) for one in value):
            # The provider's sets are unknown as a whole where an element is.
            return None, True
        case list():
            pairs = [_split(one) for one in value]
            return [known for known, _ in pairs], [is_unknown for _, is_unknown in pairs]
        case Mapping():
            return _after(value)
        case _:
            return value, False


def _attribute(blocks: Sequence[Any]) -> Any:
    """The one expression of blocks that the schema has as an attribute."""
    written = [one for one in blocks if not isinstance(one, Dynamic)]
    references = [reference for block in written for reference in _references(block)]
    if references:
        return {"references": references}
    return {"constant_value": written} if written or not blocks else None


def _references(value: Any) -> list[str]:
    """The references that an expression consists of."""
    match value:
        case Ref() | Written():
            return value.references
        case Mapping():
            return [reference for one in value.values() for reference in _references(one)]
        case list():
            return [reference for one in value for reference in _references(one)]
        case _:
            return []


def _expression(value: Any) -> Any:
    """The expression of an argument, or those of blocks."""
    match value:
        case Ref() | Written():
            return {"references": value.references}
        case list() if any(isinstance(one, Ref) for one in value):
            return {"references": [reference for one in value if isinstance(one, Ref) for reference in one.references]}
        case list() if value and all(isinstance(one, Mapping) for one in value):
            return [
                {
                    name: expression
                    for name, inner in one.items()
                    if not isinstance(inner, _Computed | Dynamic) and (expression := _expression(inner)) is not None
                }
                for one in value
            ]
        case _:
            return {"constant_value": value}
