"""The references in a plan's configuration, followed to the resources whose values are not known yet.

A plan names, for each argument, what its expression refers to, and not how. A value that is unknown before the change
depends on something that is: the one resource of a fitting type that the expression refers to, directly or through
variables, outputs and modules. Where several fit and the expression may choose between them, the value stays unknown: a
plan shows no index, condition or function.

A plan holds no local values and no `dynamic` blocks. What they refer to is found by elimination: only resources of the
same module, its variables and its child modules can be.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from alb_sg.estate.planned.resources import Action, ResourceReference

Key = int | str | None
ModulePath = tuple[tuple[str, Key], ...]

# One step of an address: a name, perhaps with an index.
_STEP = re.compile(r'([^.\[\]"]+)(?:\[(?:"((?:[^"\\]|\\.)*)"|(\d{1,9})(?=\])|[^\]]*)\])?')
_LAST_STEP = re.compile(r'(?:\.[^.\[\]"]+|\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\])\Z')
# Terraform quotes a key of `for_each` as HCL writes a string.
_ESCAPE = re.compile(
    r"\\u([0-9a-fA-F]{4})|\\U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|\\([nrt\"\\])|([$%])\4\{", re.ASCII
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_IDENTIFIER = re.compile(r"(?:sg|subnet|vpc|i|eni|pl|lt)-[0-9a-zA-Z]+|arn:[^\s]+")
# What is in the identifier of a type, by a word in the name of the type.
_IDENTIFIERS_OF_TYPES = (
    ("security_group", "sg-"),
    ("subnet", "subnet-"),
    ("vpc", "vpc-"),
    ("instance", "i-"),
    ("network_interface", "eni-"),
    ("prefix_list", "pl-"),
    ("launch_template", "lt-"),
    ("lambda_function", ":function:"),
    ("target_group", ":targetgroup/"),
    ("listener", ":listener/"),
    ("aws_lb", ":loadbalancer/"),
    ("aws_alb", ":loadbalancer/"),
    ("load_balancer", ":loadbalancer/"),
    ("autoscaling", ":autoScalingGroup:"),
)
# Computed attributes that may hold an identifier of any resource, by a word in their names.
_ANY_IDENTIFIER = re.compile("group|sg|output|result|value|json|body|response|id$|ids$|arn")
_IDENTIFIER_NAME = re.compile("_(id|arn)s?$")
# The first words of references that may be the index of a resource.
_POSSIBLE_INDEXES = frozenset({"count", "data", "each", "local", "module", "path", "self", "terraform", "var"})
_MAX_DEPTH = 40
# Resources whose unknown attributes may be identifiers of security groups and target groups, or anything.
_OTHER_SOURCES = frozenset(
    {
        "aws_cloudformation_stack",
        "aws_cloudformation_stack_set_instance",
        "aws_codedeploy_deployment_group",
        "aws_directory_service_directory",
        "aws_eks_cluster",
        "aws_elastic_beanstalk_environment",
        "aws_elb",
        "aws_emr_cluster",
        "aws_lambda_invocation",
        "aws_servicecatalog_provisioned_product",
        "aws_ssm_parameter",
        "aws_workspaces_directory",
        "terraform_data",
    }
)
# Data sources that tell no identifier of what verdicts depend on.
_OTHER_DATA = frozenset(
    {
        "aws_acm_certificate",
        "aws_ami",
        "aws_availability_zones",
        "aws_caller_identity",
        "aws_default_tags",
        "aws_ecs_cluster",
        "aws_ecs_task_definition",
        "aws_elb_service_account",
        "aws_iam_policy",
        "aws_iam_policy_document",
        "aws_iam_role",
        "aws_kms_key",
        "aws_partition",
        "aws_region",
        "aws_route53_zone",
        "aws_service_principal",
    }
)
# The attributes that name a resource itself.
IDENTITY_ATTRIBUTES = frozenset(
    {
        "id",
        "arn",
        "name",
        "group_id",
        "security_group_id",
        "load_balancer_arn",
        "listener_arn",
        "rule_arn",
        "target_group_arn",
        "vpc_id",
        "subnet_id",
        "instance_id",
        "launch_template_id",
        "prefix_list_id",
        "private_ip",
        "private_ip_address",
        "primary_network_interface_id",
        "network_interface_id",
    }
)


# A value that a plan does not tell, or that is sensitive.
UNKNOWN = object()


class Instance:
    """A resource or data source, one for each index, before and after the change."""

    __slots__ = (
        "action",
        "address",
        "after",
        "before",
        "before_sensitive",
        "generated_configuration",
        "is_data",
        "key",
        "module",
        "name",
        "sensitive",
        "type",
        "unknown",
    )

    def __init__(
        self,
        address: str,
        module: ModulePath,
        type: str,  # noqa: A002 (the format's name)
        name: str,
        key: Key,
        *,
        action: Action,
        is_data: bool = False,
        before: Any = None,
        after: Any = None,
        unknown: Any = None,
        sensitive: Any = None,
        before_sensitive: Any = None,
        generated_configuration: str = "",
    ) -> None:
        self.address = address
        self.module = module
        self.type = type
        self.name = name
        self.key = key
        self.action = action
        self.is_data = is_data
        self.before = before
        self.after = after
        self.unknown = unknown
        self.sensitive = sensitive
        self.before_sensitive = before_sensitive
        self.generated_configuration = generated_configuration


class Candidates(NamedTuple):
    """What an unknown value may consist of.

    `references` are resources of a fitting type, and identifiers of resources outside the plan. `has_choice`: the
    expression may choose between them. `opaque` names what could not be followed, and `is_open` says that the value may
    come from something else altogether.
    """

    references: tuple[ResourceReference | str, ...] = ()
    has_choice: bool = False
    opaque: str = ""
    is_open: bool = False

    def __or__(self, other: Candidates) -> Candidates:
        return Candidates.union((self, other))

    @staticmethod
    def union(parts: Iterable[Candidates]) -> Candidates:
        """All of the parts, in time linear in their references."""
        parts = list(parts)
        lists = [one.references for one in parts if one.references]
        return Candidates(
            lists[0] if len(lists) == 1 else tuple(dict.fromkeys(itertools.chain.from_iterable(lists))),
            any(one.has_choice for one in parts),
            next((one.opaque for one in parts if one.opaque), ""),
            any(one.is_open for one in parts),
        )


class _Module(NamedTuple):
    """A module of the configuration, and the call that makes it (None: the root module)."""

    node: Mapping[str, Any]
    call: Mapping[str, Any] | None
    resources: Mapping[tuple[bool, str, str], Mapping[str, Any]]


def parse_steps(address: str) -> list[tuple[str, Key]]:
    """The steps of an address: `module.a["k"].aws_lb.b[0].id` has five. An index that is no constant is left out."""
    return [
        (match[1], _ESCAPE.sub(_unescape, match[2]) if match[2] is not None else int(match[3]) if match[3] else None)
        for match in _STEP.finditer(address)
    ]


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return chr(int(code, 16))
    return f"{match[4]}{{" if match[4] else _ESCAPED.get(match[3], match[3])


def module_path(address: str) -> ModulePath:
    """The path of a module's address, such as `module.a.module.b[0]`."""
    return tuple(step for index, step in enumerate(parse_steps(address)) if index % 2)


class References:
    """Follows the expressions of one plan's configuration."""

    def __init__(self, document: Mapping[str, Any], instances: Iterable[Instance]) -> None:
        configuration = document.get("configuration") or {}
        self._variables: Mapping[str, Any] = document.get("variables") or {}
        self._modules: dict[tuple[str, ...], _Module | None] = {}
        self._root = configuration.get("root_module") or {}
        self.instances: dict[tuple[ModulePath, bool, str, str], dict[Key, Instance]] = {}
        self._by_address: dict[str, Instance] = {}
        self._relevant = _relevant_attributes(document)
        self._by_module: dict[ModulePath, list[Instance]] = {}
        self._children: dict[ModulePath, set[ModulePath]] = {}
        for one in instances:
            self.instances.setdefault((one.module, one.is_data, one.type, one.name), {})[one.key] = one
            self._by_address[one.address] = one
            self._by_module.setdefault(one.module, []).append(one)
            for length in range(1, len(one.module) + 1):
                self._children.setdefault(one.module[: length - 1], set()).add(one.module[:length])
        self._eliminated: dict[tuple[ModulePath, frozenset[str], str], Candidates] = {}
        self._eliminating: set[tuple[ModulePath, frozenset[str], str]] = set()
        self._resolving: set[tuple[Any, ...]] = set()
        # What was being followed already where following it led back to it, and what was found inside such circles.
        self._circles: set[tuple[Any, ...]] = set()
        self._parts: dict[tuple[ModulePath, frozenset[str], str], tuple[Candidates, frozenset[tuple[Any, ...]]]] = {}
        self._users: dict[ModulePath, dict[str, set[str]]] = {}

    def expressions(self, instance: Instance) -> Mapping[str, Any] | None:
        """The expressions of a resource's arguments; None where the configuration does not hold the resource."""
        configuration = self.resource_configuration(instance)
        if not configuration:
            return None
        found = configuration.get("expressions")
        return found if isinstance(found, Mapping) else {}

    def resource_configuration(self, instance: Instance) -> Mapping[str, Any]:
        module = self._module(instance.module)
        if module is None:
            return {}
        return module.resources.get((instance.is_data, instance.type, instance.name), {})

    def _module(self, path: ModulePath) -> _Module | None:
        names = tuple(name for name, _ in path)
        if names not in self._modules:
            call: Mapping[str, Any] | None = None
            node: Mapping[str, Any] | None = self._root
            for name in names:
                call = ((node or {}).get("module_calls") or {}).get(name)
                node = None if call is None else call.get("module") or {}
            self._modules[names] = None if node is None else _Module(node, call, _resources_by_name(node))
        return self._modules[names]

    def is_new(self, reference: ResourceReference | str) -> bool:
        """Whether it is a resource whose identifier is not known before the change."""
        found = self.instance(reference)
        return found is not None and found.action in (Action.CREATE, Action.REPLACE)

    def instance(self, reference: ResourceReference | str) -> Instance | None:
        """The resource that a reference names."""
        return self._by_address.get(reference.address) if isinstance(reference, ResourceReference) else None

    def follow(self, instance: Instance, expression: Any, types: frozenset[str], depth: int = 0) -> Candidates:
        """The resources of some types that an argument of a resource refers to. `expression` is None where the
        configuration does not hold it."""
        if expression is None:
            return self.eliminate(instance.module, types, without=instance)
        return self._follow_all(references_in(expression), instance.module, instance, types, depth)

    def is_known(self, instance: Instance, expression: Any, *, is_no_identifier: bool = False) -> bool:
        """Whether an expression only depends on values that are known before the change. `is_no_identifier`: it cannot
        be the identifier of a resource, so that those that it refers to, as parts of an object, do not count."""
        return self._is_known(expression, instance.module, instance, 0, is_no_identifier)

    def _is_known(
        self, expression: Any, module: ModulePath, owner: Instance | None, depth: int, is_no_identifier: bool
    ) -> bool:
        references = distinct_references(expression)
        return all(self._is_known_reference(one, module, owner, depth + 1, is_no_identifier) for one in references)

    def _is_known_reference(
        self, reference: str, module: ModulePath, owner: Instance | None, depth: int, is_no_identifier: bool
    ) -> bool:
        steps = parse_steps(reference)
        if depth > _MAX_DEPTH:
            return False
        match [name for name, _ in steps]:
            case ["var", name, *_]:
                node = self._module(module)
                if node is None or node.call is None:
                    return node is not None
                expression = (node.call.get("expressions") or {}).get(name)
                return self._is_known(expression, module[:-1], self._caller(module), depth, is_no_identifier)
            case ["each", "value", *_]:
                references = [] if owner is None else distinct_references(self._for_each(module, owner))
                # What is computed from a local value beside others is the condition by which keys are chosen.
                chosen = [one for one in references if not (is_no_identifier and one.startswith("local."))]
                return bool(chosen) and all(
                    self._is_known_reference(one, module, owner, depth + 1, is_no_identifier) for one in chosen
                )
            case ["module", name, *rest]:
                paths = [path for path in self._children.get(module, ()) if path[-1][0] == name]
                nodes = [node for path in paths if (node := self._module(path)) is not None]
                outputs = [(node.node.get("outputs") or {}).get(rest[0]) for node in nodes] if rest else [None]
                return bool(outputs) and all(
                    isinstance(output, Mapping)
                    and self._is_known(output.get("expression"), path, None, depth, is_no_identifier)
                    for path, output in zip(paths, outputs, strict=False)
                )
            case [_, _, "id" | "arn"] if is_no_identifier:
                return True
            case ["each" | "count" | "path" | "terraform", *_]:
                return True
            case ["data", kind, name, *_]:
                found = self.instances.get((module, True, kind, name), {})
                return bool(found) and all(isinstance(one.after, Mapping) for one in found.values())
        return False

    def known_value(self, reference: str, module: ModulePath) -> Any:
        """The value of a variable or of a data source that was read; UNKNOWN for what a plan does not tell."""
        steps = parse_steps(reference)
        value: Any = UNKNOWN
        rest: Sequence[tuple[str, Key]] = ()
        match [name for name, _ in steps]:
            case ["var", name, *_]:
                value, rest = self._variable_value(name, module), [("", steps[1][1]), *steps[2:]]
            case ["data", kind, name, attribute, *_]:
                one = self.instances.get((module, True, kind, name), {}).get(steps[2][1])
                sensitive = None if one is None else one.sensitive
                is_sensitive = bool(sensitive.get(attribute) if isinstance(sensitive, Mapping) else sensitive)
                if one is not None and isinstance(one.after, Mapping) and not is_sensitive:
                    value, rest = one.after, steps[3:]
        for name, key in rest:
            for part in (name or None, key):
                if part is not None and value is not UNKNOWN:
                    value = _element_of(value, part)
        return value

    def _variable_value(self, name: str, module: ModulePath) -> Any:
        """The value of a variable, or a list of those that it is made of."""
        node = self._module(module)
        declared = {} if node is None else (node.node.get("variables") or {}).get(name) or {}
        if node is None or declared.get("sensitive") or declared.get("ephemeral"):
            return UNKNOWN
        default = declared.get("default", UNKNOWN)
        if node.call is None:
            return (self._variables.get(name) or {}).get("value", default)
        expression = (node.call.get("expressions") or {}).get(name)
        if not isinstance(expression, Mapping):
            return default
        if "constant_value" in expression:
            return expression["constant_value"]
        found = [self.known_value(one, module[:-1]) for one in distinct_references(expression)]
        if not found or any(one is UNKNOWN for one in found):
            return UNKNOWN
        return found[0] if len(found) == 1 else found

    @staticmethod
    def _caller(module: ModulePath) -> Instance:
        """The call of a module as the owner of its arguments: `each` and `count` in them are those of the call."""
        path, (called, key) = module[:-1], module[-1]
        return Instance(f"module.{called}", path, "module", called, key, action=Action.KEEP)

    def _for_each(self, module: ModulePath, owner: Instance) -> Any:
        """The expression of `for_each` of a resource or module call."""
        if owner.type != "module":
            return self.resource_configuration(owner).get("for_each_expression")
        parent = self._module(module)
        calls = {} if parent is None else parent.node.get("module_calls") or {}
        return (calls.get(owner.name) or {}).get("for_each_expression")

    def eliminate(
        self, module: ModulePath, types: frozenset[str], without: Instance | None = None, local: str = ""
    ) -> Candidates:
        """Every resource of some types that a value of a module can come from. `local`: the local value that it is."""
        found = self._eliminated.get((module, types, local)) or self._eliminate(module, types, local)
        if without is not None:
            itself = ResourceReference(without.address)
            found = found._replace(references=tuple(one for one in found.references if one != itself))
        return found._replace(has_choice=True, opaque=found.opaque or "a local value or a dynamic block")

    def _eliminate(self, module: ModulePath, types: frozenset[str], local: str) -> Candidates:
        """What is found inside a circle lacks what the rest of the circle finds later. Everything in a circle comes
        from the same resources: those that are found where the circle was entered."""
        key = module, types, local
        if key in self._eliminating:
            self._circles.add(key)
            return Candidates()
        part, circles = self._parts.get(key, (Candidates(), frozenset()))
        if open_circles := {one for one in circles if one in self._eliminating or one in self._resolving}:
            self._circles |= open_circles
            return part
        self._parts.pop(key, None)
        first, outer, self._circles = len(self._parts), self._circles, set()
        self._eliminating.add(key)
        found = self._eliminate_in(module, types, self._users_of(module, local) if local else ())
        self._eliminating.discard(key)
        open_circles = self._circles - {key}
        self._circles = outer | open_circles
        if open_circles:
            self._parts[key] = found, frozenset(open_circles)
        else:
            for one in (key, *list(self._parts)[first:]):
                self._eliminated[one] = found
                self._parts.pop(one, None)
        return found

    def _eliminate_in(self, module: ModulePath, types: frozenset[str], without: Collection[str]) -> Candidates:
        """`without`: resources of the module, without their indexes, that it cannot come from."""
        in_module = [
            one for one in self._by_module.get(module, ()) if _head(one.is_data, one.type, one.name) not in without
        ]
        of_types = [one for one in in_module if one.type in types and not one.is_data]
        found = Candidates(tuple(ResourceReference(one.address) for one in of_types))
        others = [one for one in in_module if one.is_data or one.type not in types]
        found |= Candidates.union(self._computed_identifiers(one, types) for one in others)
        for one in others:
            if one.type in _OTHER_SOURCES or (one.is_data and self._may_tell(one, types)):
                found |= Candidates(opaque=one.address, is_open=True)
        node = self._module(module)
        call = None if node is None else node.call
        if call is not None:
            for name in call.get("expressions") or {}:
                found |= self._follow_variable(module, name, types, 0)
        for child in sorted(self._children.get(module, ()), key=str):
            child_node = self._module(child)
            for name in {} if child_node is None else child_node.node.get("outputs") or {}:
                found |= self._follow_output(child, name, types, 0)
        return found

    def _may_tell(self, data: Instance, types: frozenset[str]) -> bool:
        """Whether a data source that is read while the plan is applied may hold an identifier of one of the types."""
        if data.type in _OTHER_DATA or isinstance(data.after, Mapping):
            return False
        if self._relevant is None:
            return True
        used = self._relevant.get(_without_indexes(data.address), frozenset())
        return any(not _names_other(attribute, types) for attribute in used)

    def _computed_identifiers(self, instance: Instance, types: frozenset[str]) -> Candidates:
        """The identifiers of some types that the provider computes for a resource of another type, such as the default
        security group of a VPC. Only those that something in the plan refers to count."""
        if instance.is_data or not isinstance(instance.unknown, Mapping):
            return Candidates()
        written = self.expressions(instance) or {}
        return Candidates.union(
            self._follow_attribute(instance, [name], types, 0)
            for name, unknown in instance.unknown.items()
            if unknown and name not in written and _names_one_of(name, types) and self._is_relevant(instance, name)
        )

    def _is_relevant(self, instance: Instance, attribute: str) -> bool:
        """Whether something in the plan refers to an attribute. A plan of an early format does not tell."""
        if self._relevant is None:
            return True
        return not self._relevant.get(_without_indexes(instance.address), frozenset()).isdisjoint({"", attribute})

    def _users_of(self, module: ModulePath, name: str) -> set[str]:
        """The resources of a module, without their indexes, that depend on a local value of it as the configuration
        shows. The local value can depend on none of them: Terraform refuses circles."""
        if module not in self._users:
            node = self._module(module)
            users: dict[str, set[str]] = {}
            for (is_data, kind, resource), configuration in ({} if node is None else node.resources).items():
                for reference in _references_anywhere(configuration):
                    steps = [step for step, _ in parse_steps(reference.removeprefix("resource."))]
                    used = ".".join(steps[: 3 if steps[:1] == ["data"] else 2])
                    users.setdefault(used, set()).add(_head(is_data, kind, resource))
            self._users[module] = users
        found: set[str] = set()
        pending = [f"local.{name}"]
        while pending:
            new = self._users[module].get(pending.pop(), set()) - found
            found |= new
            pending += new
        return found

    def _follow_all(
        self, references: Sequence[str], module: ModulePath, owner: Instance | None, types: frozenset[str], depth: int
    ) -> Candidates:
        written = traversals(references)
        distinct = list(dict.fromkeys(written))
        by_key = _has_key_as_index(distinct)
        found = [self._follow_one(one, module, owner, types, depth + 1, by_key=by_key) for one in distinct]
        # What has no instance is nothing.
        there = [
            (name, one)
            for name, one in zip(distinct, found, strict=True)
            if one.references or one.opaque or not _names_resource(name, types)
        ]
        # A list of resources that are each written once, with an attribute, has all of them. A reference to several of
        # them or to whole resources may be to a part of these, and one that names none may choose between the others,
        # as does one that is written twice.
        is_list = len(written) == len(distinct) and all(
            len(one.references) == 1 and not one.has_choice and not self._is_whole_resource(name, module)
            for name, one in there
        )
        is_list = is_list and (len(there) == len(found) or len(there) == 1)
        return Candidates.union(found)._replace(has_choice=not is_list)

    def _is_whole_resource(self, reference: str, module: ModulePath) -> bool:
        """Whether a reference is to a resource without `count` or `for_each`, and to no attribute of it."""
        kind, _, name = reference.partition(".")
        return None in self.instances.get((module, False, kind, name), ())

    def _follow_one(
        self,
        reference: str,
        module: ModulePath,
        owner: Instance | None,
        types: frozenset[str],
        depth: int,
        *,
        by_key: bool = False,
    ) -> Candidates:
        steps = parse_steps(reference)
        key = (reference, module, owner.address if owner is not None and "each" in reference else "", types)
        if key in self._resolving:
            self._circles.add(key)
        if depth > _MAX_DEPTH or key in self._resolving or not steps:
            return Candidates(opaque=reference, is_open=key not in self._resolving)
        self._resolving.add(key)
        try:
            return self._follow_steps(reference, steps, module, owner, types, depth, by_key=by_key)
        finally:
            self._resolving.discard(key)
            self._circles.discard(key)

    def _follow_steps(
        self,
        reference: str,
        steps: Sequence[tuple[str, Key]],
        module: ModulePath,
        owner: Instance | None,
        types: frozenset[str],
        depth: int,
        *,
        by_key: bool,
    ) -> Candidates:
        match [name for name, _ in steps]:
            case ["var", name, *_]:
                return self._follow_variable(module, name, types, depth)
            case ["local", name, *_]:
                return self.eliminate(module, types, owner, name)._replace(opaque=reference)
            case ["module", _, *rest]:
                return self._follow_module(steps, rest, module, types, depth)
            case ["each", *rest]:
                return self._follow_each(rest, module, owner, types, depth)
            case ["count" | "path" | "terraform" | "self", *_]:
                return Candidates()
            case ["data", kind, name, *attributes]:
                found = self.instances.get((module, True, kind, name), {})
                key = steps[2][1]
            case ["resource", kind, name, *attributes]:
                found = self.instances.get((module, False, kind, name), {})
                key = steps[2][1]
            case [kind, name, *attributes]:
                found = self.instances.get((module, False, kind, name), {})
                key = steps[1][1]
            case _:
                return Candidates(opaque=reference)
        own_key = owner.key if owner is not None and by_key else None
        return self._follow_resource(found, key, attributes, own_key, types, depth)

    def _follow_variable(self, module: ModulePath, name: str, types: frozenset[str], depth: int) -> Candidates:
        node = self._module(module)
        if node is None:
            return Candidates(opaque=f"var.{name}", is_open=True)
        declared = (node.node.get("variables") or {}).get(name)
        declared = declared if isinstance(declared, Mapping) else {}
        if node.call is None:
            given = self._variables.get(name)
            value = given.get("value") if isinstance(given, Mapping) else declared.get("default")
            return Candidates(opaque=f"var.{name}") if declared.get("sensitive") else _identifiers(value)
        expression = (node.call.get("expressions") or {}).get(name)
        if not isinstance(expression, Mapping | list):
            return _identifiers(declared.get("default"))
        if isinstance(expression, Mapping) and "constant_value" in expression:
            return _identifiers(expression["constant_value"])
        return self._follow_all(references_in(expression), module[:-1], self._caller(module), types, depth + 1)

    def _follow_module(
        self,
        steps: Sequence[tuple[str, Key]],
        rest: Sequence[str],
        module: ModulePath,
        types: frozenset[str],
        depth: int,
    ) -> Candidates:
        name, key = steps[1]
        paths = sorted(
            (path for path in self._children.get(module, ()) if path[-1][0] == name and key in (None, path[-1][1])),
            key=str,
        )
        found = Candidates()
        for path in paths:
            node = self._module(path)
            outputs = {} if node is None else node.node.get("outputs") or {}
            for output in rest[:1] or outputs:
                found |= self._follow_output(path, output, types, depth)
        return found

    def _follow_output(self, path: ModulePath, name: str, types: frozenset[str], depth: int) -> Candidates:
        node = self._module(path)
        output = ({} if node is None else node.node.get("outputs") or {}).get(name)
        if not isinstance(output, Mapping):
            return Candidates(opaque=f"output {name}", is_open=True)
        return self._follow_all(references_in(output.get("expression")), path, None, types, depth + 1)

    def _follow_each(
        self, rest: Sequence[str], module: ModulePath, owner: Instance | None, types: frozenset[str], depth: int
    ) -> Candidates:
        if owner is None or rest[:1] != ["value"]:
            return Candidates()
        references = distinct_references(self._for_each(module, owner))
        if len(references) == 1:
            # for_each over another resource: each.value is its instance of the same key.
            continued = ".".join((references[0], *rest[1:]))
            return self._follow_one(continued, module, owner, types, depth + 1, by_key=True)
        return self._follow_all(references, module, owner, types, depth + 1)

    def _follow_resource(
        self,
        found: Mapping[Key, Instance],
        key: Key,
        attributes: Sequence[str],
        own_key: Key,
        types: frozenset[str],
        depth: int,
    ) -> Candidates:
        """`own_key`: the key of the resource that refers, where its expression uses it as an index."""
        if key is not None:
            chosen = [found[key]] if key in found else []
        elif own_key is not None and own_key in found:
            chosen = [found[own_key]]
        else:
            chosen = list(found.values())
        return Candidates.union(self._follow_attribute(one, attributes, types, depth) for one in chosen)

    def _follow_attribute(
        self, instance: Instance, attributes: Sequence[str], types: frozenset[str], depth: int
    ) -> Candidates:
        attribute = attributes[0] if attributes else ""
        if instance.is_data:
            if not isinstance(instance.after, Mapping):
                is_open = instance.type not in _OTHER_DATA and not _names_other(attribute, types)
                return Candidates(opaque=instance.address, is_open=is_open)
            return _identifiers(instance.after.get(attribute or "id"))
        own = instance.type in types
        if own and (not attribute or attribute in IDENTITY_ATTRIBUTES):
            if attribute in ("vpc_id", "subnet_id", "security_group_id") and not _names_itself(instance, attribute):
                return self._follow_argument(instance, attribute, types, depth)
            return Candidates((ResourceReference(instance.address),))
        if attribute == "default_security_group_id" and "aws_security_group" in types:
            return Candidates((ResourceReference(instance.address, "DefaultSecurityGroup"),))
        if not attribute or attribute in ("id", "arn"):
            # The identifier of another type's resource is none of these types.
            return Candidates(opaque=instance.address, is_open=instance.type in _OTHER_SOURCES)
        return self._follow_argument(instance, attribute, types, depth, attributes[1:])

    def _follow_argument(
        self, instance: Instance, attribute: str, types: frozenset[str], depth: int, rest: Sequence[str] = ()
    ) -> Candidates:
        """What an unknown attribute of a resource is set to, such as the VPC of a subnet."""
        if not _is_unknown(instance, attribute):
            return _identifiers(instance.after.get(attribute) if isinstance(instance.after, Mapping) else None)
        expression = _part_of((self.expressions(instance) or {}).get(attribute), rest)
        if expression is None:
            # The provider computes it, as Amazon EKS does the group of a cluster.
            name = ".".join((attribute, *rest))
            return Candidates(opaque=f"{instance.address}.{name}", is_open=_may_hold(name, types))
        return self.follow(instance, expression, types, depth + 1)


def _relevant_attributes(document: Mapping[str, Any]) -> Mapping[str, frozenset[str]] | None:
    """The attributes that something in the plan refers to, by the addresses of their resources without indexes ("":
    the whole resource); None where the plan does not list them."""
    listed = document.get("relevant_attributes")
    if not isinstance(listed, list) or not listed:
        return None
    found: dict[str, set[str]] = {}
    for one in listed:
        if isinstance(one, Mapping) and isinstance(one.get("resource"), str):
            path = one.get("attribute")
            name = path[0] if isinstance(path, list) and path and isinstance(path[0], str) else ""
            found.setdefault(_without_indexes(one["resource"]), set()).add(name)
    return {address: frozenset(names) for address, names in found.items()}


def _without_indexes(address: str) -> str:
    return ".".join(name for name, _ in parse_steps(address))


def _element_of(value: Any, key: int | str) -> Any:
    """The element or attribute of a value."""
    if isinstance(value, Mapping):
        return value.get(str(key), UNKNOWN)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else UNKNOWN


def _head(is_data: bool, kind: str, name: str) -> str:
    """A resource as a reference inside its module begins."""
    return f"data.{kind}.{name}" if is_data else f"{kind}.{name}"


def _references_anywhere(configuration: Any) -> Iterator[str]:
    """The references of a resource's arguments, of its `count` and `for_each`, and of what it explicitly depends on."""
    if isinstance(configuration, Mapping):
        yield from references_in(configuration.get("expressions"))
        yield from references_in(configuration.get("count_expression"))
        yield from references_in(configuration.get("for_each_expression"))
        yield from (one for one in configuration.get("depends_on") or () if isinstance(one, str))


def _names_one_of(attribute: str, types: Iterable[str]) -> bool:
    """Whether the name of an attribute holds that of one of the types."""
    return any(word in attribute and word in one for word, _ in _IDENTIFIERS_OF_TYPES for one in types)


def _may_hold(attribute: str, types: Iterable[str]) -> bool:
    """Whether an attribute that the provider computes may hold an identifier of one of the types: one that names
    other types does not."""
    if _names_other(attribute, types):
        return False
    return _names_one_of(attribute, types) or _ANY_IDENTIFIER.search(attribute) is not None


def _names_other(attribute: str, types: Iterable[str]) -> bool:
    """Whether an attribute is by its name the identifier of a resource of another type, such as `vpc_id`."""
    is_named = _IDENTIFIER_NAME.search(attribute) and any(word in attribute for word, _ in _IDENTIFIERS_OF_TYPES)
    return bool(is_named) and not _names_one_of(attribute, types)


def _resources_by_name(node: Mapping[str, Any]) -> dict[tuple[bool, str, str], Mapping[str, Any]]:
    return {
        (one.get("mode") == "data", one.get("type", ""), one.get("name", "")): one
        for one in node.get("resources") or ()
        # An ephemeral resource is not what a managed one of its type and name is.
        if isinstance(one, Mapping) and one.get("mode") in (None, "managed", "data")
    }


def _part_of(expression: Any, attributes: Sequence[str]) -> Any:
    """The expression of an attribute of a single block; None where the configuration does not hold it."""
    for attribute in attributes:
        if isinstance(expression, list):
            expression = expression[0] if len(expression) == 1 else None
        expression = expression.get(attribute) if isinstance(expression, Mapping) else None
    return expression


def references_in(expression: Any) -> list[str]:
    """The references of an expression, or of all expressions of a block."""
    if isinstance(expression, list):
        return [reference for one in expression for reference in references_in(one)]
    if not isinstance(expression, Mapping):
        return []
    references = expression.get("references")
    if isinstance(references, list):
        return [one for one in references if isinstance(one, str)]
    if "constant_value" in expression:
        return []
    return [reference for one in expression.values() for reference in references_in(one)]


def may_name(identifier: str, types: Iterable[str]) -> bool:
    """Whether an identifier or ARN may be that of a resource of these types."""
    return any(
        fragment in identifier if fragment.startswith(":") else identifier.startswith(fragment)
        for one in types
        for word, fragment in _IDENTIFIERS_OF_TYPES
        if word in one
    )


def distinct_references(expression: Any) -> list[str]:
    """What an expression refers to, each once and in full."""
    return list(dict.fromkeys(traversals(references_in(expression))))


def traversals(references: Iterable[str]) -> list[str]:
    """What an expression refers to, as often as it is written, in full.

    For each traversal that is written, Terraform lists what is left after every step is taken away: `aws_lb.a[0].arn`,
    `aws_lb.a[0]` and `aws_lb.a` (jsonconfig, marshalExpression).
    """
    found: list[str] = []
    rest = ""
    for one in references:
        if one != rest:
            found.append(one)
        rest = _LAST_STEP.sub("", one)
    return found


def _names_resource(reference: str, types: frozenset[str]) -> bool:
    """Whether a reference names a resource of these types: without any instance, it is nothing."""
    return reference.partition(".")[0] in types


def _has_key_as_index(references: Iterable[str]) -> bool:
    """Whether an index that is no constant can only be `each.key`.

    A reference leaves out such an index, and what it consists of is another reference. A plan does not show arithmetic,
    such as `count.index + 1`, or what a map holds, such as `each.value`.
    """
    return {one for one in references if one.partition(".")[0] in _POSSIBLE_INDEXES} == {"each.key"}


def _identifiers(value: Any) -> Candidates:
    """The identifiers and ARNs of resources in a known value."""
    texts: list[str] = []
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            texts += [one] if _IDENTIFIER.fullmatch(one) else []
        elif isinstance(one, Mapping):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return Candidates(tuple(sorted(set(texts))))


def _is_unknown(instance: Instance, attribute: str) -> bool:
    return isinstance(instance.unknown, Mapping) and bool(instance.unknown.get(attribute))


def _names_itself(instance: Instance, attribute: str) -> bool:
    """Whether an attribute such as `vpc_id` is the resource's own identifier, as in `awscc_ec2_vpc`."""
    return instance.type.endswith(attribute.removesuffix("_id"))
