"""One resource of a Terraform plan, with each argument as a known value, a reference or an unknown value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from alb_sg.estate.planned.resources import Action, PlannedValue, ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.terraform_references import (
    Candidates,
    Instance,
    References,
    may_name,
    references_in,
    traversals,
)

_NOTHING: Mapping[str, Any] = {}
# Blocks that are lists, in the configuration's order, and those of which only the whole counts.
_ORDERED_BLOCKS = frozenset({"action", "default_action", "network_interfaces", "subnet_mapping", "target_group"})

# Blocks that the provider computes where none is written: they are unknown then, without any expression.
_COMPUTED_BLOCKS = frozenset(
    {
        "egress",
        "entry",
        "health_check",
        "ingress",
        "mixed_instances_policy",
        "network_interface",
        "override",
        "primary_network_interface",
        "subnet_mapping",
        "traffic_source",
    }
)
# Arguments that the provider computes and that are no identifiers.
_NO_IDENTIFIERS = frozenset({"ip_address_type"})


class View:
    """A resource, or a block of it, after the change or before it.

    `expressions` are those of the configuration; None where the configuration does not hold the block, as for a
    `dynamic` one. `whole` is what the configuration has instead, if it has anything.
    """

    def __init__(
        self,
        references: References,
        instance: Instance,
        values: Any,
        unknown: Any,
        sensitive: Any,
        expressions: Mapping[str, Any] | None,
        place: str,
        whole: _WholeExpression | None = None,
    ) -> None:
        self._whole = whole
        self._references = references
        self.instance = instance
        self._values = _as_mapping(values)
        self._unknown = _as_mapping(unknown)
        # A block may be sensitive as a whole.
        self._sensitive = dict.fromkeys(self._values, True) if sensitive is True else _as_mapping(sensitive)
        self._expressions = expressions
        self.place = place

    @staticmethod
    def after(references: References, instance: Instance) -> View:
        return View(
            references,
            instance,
            instance.after,
            instance.unknown,
            instance.sensitive,
            references.expressions(instance),
            instance.address,
        )

    @staticmethod
    def before(references: References, instance: Instance) -> View:
        return View(references, instance, instance.before, None, instance.before_sensitive, _NOTHING, instance.address)

    def names(self) -> list[str]:
        """The arguments and attributes that have a value, or will have one."""
        unknown = [name for name, value in self._unknown.items() if _contains_true(value)]
        return list(dict.fromkeys((*self._values, *unknown)))

    def has_value(self, name: str) -> bool:
        return self._values.get(name) is not None

    def is_text(self, name: str) -> bool:
        return isinstance(self._values.get(name), str)

    @property
    def _is_new(self) -> bool:
        return self.instance.action in (Action.CREATE, Action.REPLACE)

    def _is_left_out(self, name: str) -> bool:
        """Whether an unknown argument of a new resource is left out. It is not known of one in a `dynamic` block, and
        of one that exists the provider knows it. An argument that is unknown although its expression depends on known
        values alone is null, and the provider computes it."""
        if not self._is_new or self._expressions is None:
            return False
        expression = self._expressions.get(name)
        is_no_identifier = name in _NO_IDENTIFIERS
        return expression is None or self._references.is_known(
            self.instance, expression, is_no_identifier=is_no_identifier
        )

    def is_unknown(self, name: str) -> bool:
        """Whether a part of the argument is not known before the change."""
        return _contains_true(self._unknown.get(name))

    def get(self, name: str) -> PlannedValue:
        """The value of an argument; None where it is absent.

        The provider computes an argument of a new resource that is unknown and not written: it is absent too.
        """
        if _contains_true(self._sensitive.get(name)):
            return UnknownPlannedValue(f"{self.place}.{name} is sensitive")
        if self._unknown.get(name) is True:
            return None if self._is_left_out(name) else self._unknown_value(name)
        return self._values.get(name)

    def computed(self, name: str) -> PlannedValue:
        """As `get`, for an attribute that the provider computes: unknown although it is not written."""
        if self._unknown.get(name) is True:
            return self._unknown_value(name)
        return self.get(name)

    def reference(self, name: str, *types: str) -> PlannedValue:
        """An argument that names one resource of these types."""
        value = self.get(name)
        if not isinstance(value, UnknownPlannedValue) or self._unknown.get(name) is not True:
            return value
        found = self._follow(name, types)
        new = [one for one in found.references if self._references.is_new(one)]
        if len(new) == 1 and not found.is_open:
            return new[0]
        return self._ambiguous(name, found)

    def arguments_of(self, resource: PlannedValue, name: str) -> set[str]:
        """The texts that an argument has in a planned resource, or in those of which it is one; none if one of them
        is not known."""
        of = resource.candidates if isinstance(resource, UnknownPlannedValue) else [resource]
        found = [self._references.instance(one) for one in of if isinstance(one, ResourceReference)]
        values = [one.after.get(name) for one in found if one is not None and isinstance(one.after, Mapping)]
        texts = {one for one in values if isinstance(one, str)}
        return texts if len(values) == len(of) and all(one in texts for one in values) else set()

    def references(self, name: str, *types: str) -> list[PlannedValue] | None:
        """An argument that lists resources of these types; None where it is absent."""
        if _contains_true(self._sensitive.get(name)):
            return [UnknownPlannedValue(f"{self.place}.{name} is sensitive")]
        unknown = self._unknown.get(name)
        values = self._values.get(name)
        if not _contains_true(unknown):
            return None if values is None else list(values) if isinstance(values, list) else [values]
        if unknown is True and self._is_left_out(name):
            return None
        found = self._follow(name, types)
        if unknown is True:
            return self._unknown_list(name, found)
        known = [one for one in values or () if one is not None]
        new = [one for one in found.references if self._references.is_new(one)]
        if (
            not found.is_open
            and isinstance(unknown, list)
            and len(new) == sum(1 for one in unknown if _contains_true(one))
        ):
            return [*known, *new]
        return [*known, *self._unknown_list(name, found)]

    def references_and_texts(self, name: str, *types: str) -> list[PlannedValue] | None:
        """As `references`. A list that is unknown as a whole may also hold identifiers that are written as text: a plan
        shows the references alone."""
        found = self.references(name, *types)
        if found is None or self._unknown.get(name) is not True:
            return found
        origin = f"known after apply: {self.place}.{name} (a plan does not show what it holds besides references)"
        return [*found, UnknownPlannedValue(origin, is_existing=True)]

    def _unknown_list(self, name: str, found: Candidates) -> list[PlannedValue]:
        """The elements of a list that is unknown as a whole."""
        new = [one for one in found.references if self._references.is_new(one)]
        if new and not found.has_choice and not found.opaque:
            return list(found.references)
        if len(new) == 1 and not found.is_open:
            # The list is unknown because of this one, and may have other elements.
            is_alone = len(found.references) == 1 and not found.opaque
            return [new[0]] if is_alone else [new[0], self._ambiguous(name, found)]
        return [self._ambiguous(name, found)]

    def blocks(self, name: str) -> list[View | UnknownPlannedValue]:
        """The blocks of a name. Blocks that are unknown as a whole are one unknown value."""
        unknown, values = self._unknown.get(name), self._values.get(name)
        sensitive = self._sensitive.get(name)
        if sensitive is True:
            return [UnknownPlannedValue(f"{self.place}.{name} is sensitive")]
        if unknown is True:
            # `awscc` has attributes in place of blocks.
            is_computed = name in _COMPUTED_BLOCKS or self.instance.type.startswith("awscc_")
            is_absent = is_computed and self._is_new and not self._has_expression(name)
            return [] if is_absent else [self._unknown_value(name)]
        if isinstance(values, Mapping):
            values, unknown, sensitive = [values], [unknown], [sensitive]
        if not isinstance(values, list):
            return []
        if self._expressions is None and self._whole is not None:
            written: Any = self._whole.expression
        else:
            written = None if self._expressions is None else self._expressions.get(name)
        found: list[View | UnknownPlannedValue] = []
        for index, value in enumerate(values):
            if _element(unknown, index) is True:
                found.append(self._unknown_value(f"{name}[{index}]"))
                continue
            expressions, whole = _expressions_of_block(written, name, index, values, unknown)
            found.append(
                View(
                    self._references,
                    self.instance,
                    value,
                    _element(unknown, index),
                    _element(sensitive, index),
                    expressions,
                    f"{self.place}.{name}[{index}]",
                    whole,
                )
            )
        return found

    def _has_expression(self, name: str) -> bool:
        return self._expressions is not None and name in self._expressions

    def _follow(self, name: str, types: Sequence[str]) -> Candidates:
        found = self._follow_expression(name, types)
        fitting = (one for one in found.references if isinstance(one, ResourceReference) or may_name(one, types))
        return found._replace(references=tuple(fitting))

    def _follow_expression(self, name: str, types: Sequence[str]) -> Candidates:
        if self._expressions is None and self._whole is not None:
            return self._follow_whole(self._whole, name, frozenset(types))
        expression = None if self._expressions is None else self._expressions.get(name)
        return self._references.follow(self.instance, expression, frozenset(types))

    def _follow_whole(self, whole: _WholeExpression, name: str, types: frozenset[str]) -> Candidates:
        """What an argument of a block may be whose expression the configuration does not show by itself.

        A block may be of a `dynamic` block, of which the configuration shows nothing. It is not if what the expression
        refers to already explains each unknown value, and there are as many of them as references.
        """
        found = self._references.follow(self.instance, whole.expression, types)
        new = [one for one in found.references if self._references.is_new(one)]
        unknown = sum(_contains_true(block.get(name)) for block in whole.unknown_blocks)
        if new and unknown == 1:
            return found
        found = found._replace(has_choice=True)
        if not whole.may_lack_blocks:
            return found
        if len(new) == 1 and not found.is_open and unknown == self._times_written(new[0], whole.expression, types):
            return found
        return found | self._references.eliminate(self.instance.module, types, without=self.instance)

    def _times_written(
        self, reference: ResourceReference | str, expression: Mapping[str, Any], types: frozenset[str]
    ) -> int:
        """How often an expression refers to a resource."""
        return sum(
            reference in self._references.follow(self.instance, {"references": [one]}, types).references
            for one in traversals(references_in(expression))
        )

    def _unknown_value(self, name: str) -> UnknownPlannedValue:
        return UnknownPlannedValue(f"known after apply: {self.place}.{name}")

    def _ambiguous(self, name: str, found: Candidates) -> UnknownPlannedValue:
        """An unknown value that may come from several resources, or from what a plan does not show."""
        named = [one.address if isinstance(one, ResourceReference) else one for one in found.references]
        causes = []
        if named:
            more = f" and {len(named) - 3} more" if len(named) > 3 else ""
            causes.append(f"may be {', '.join(named[:3])}{more}")
        if found.opaque:
            causes.append(f"depends on {found.opaque}, which a plan does not show")
        said = f" ({'; '.join(causes)})" if causes else ""
        candidates = () if found.is_open else found.references
        return UnknownPlannedValue(f"known after apply: {self.place}.{name}{said}", candidates=candidates)


class _WholeExpression(NamedTuple):
    """One expression for several blocks. `unknown_blocks` has the unknown parts of each block, and
    `may_lack_blocks` that there may be blocks which the expression does not give."""

    expression: Mapping[str, Any]
    unknown_blocks: Sequence[Mapping[str, Any]]
    may_lack_blocks: bool


def _expressions_of_block(
    written: Any, name: str, index: int, values: Sequence[Any], unknown: Any
) -> tuple[Mapping[str, Any] | None, _WholeExpression | None]:
    """The expressions of a block, or else one expression for several blocks.

    The blocks of a set are in another order than in the configuration. Their constants tell which is which.
    """
    unknown_blocks = [_as_mapping(_element(unknown, position)) for position in range(len(values))]
    if isinstance(written, Mapping) and _is_expression(written):
        return None, _WholeExpression(written, unknown_blocks, may_lack_blocks=True)
    blocks = [written] if isinstance(written, Mapping) else written if isinstance(written, list) else []
    blocks = [block for block in blocks if isinstance(block, Mapping)]
    if len(blocks) != len(values):
        # Some blocks are in a `dynamic` block, which the configuration leaves out.
        return None, None
    if len(blocks) == 1 or name in _ORDERED_BLOCKS:
        return blocks[index], None
    fitting = [block for block in blocks if _fits(block, values[index])]
    if len(fitting) == 1:
        return fitting[0], None
    together = {"references": [reference for block in fitting for reference in references_in(block)]}
    return None, _WholeExpression(together, unknown_blocks, may_lack_blocks=False)


def _fits(block: Mapping[str, Any], value: Any) -> bool:
    """Whether the constants of a block's expressions are those of its value."""
    return isinstance(value, Mapping) and all(
        str(value.get(name)) == str(expression["constant_value"])
        for name, expression in block.items()
        if isinstance(expression, Mapping) and "constant_value" in expression
    )


def _element(values: Any, index: int) -> Any:
    return values[index] if isinstance(values, list) and index < len(values) else None


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _NOTHING


def _is_expression(expression: Mapping[str, Any]) -> bool:
    """Whether this is an expression of its own, not the expressions of a block."""
    return isinstance(expression.get("references"), list) or "constant_value" in expression


def _contains_true(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_contains_true, value.values()))
    if isinstance(value, list):
        return any(map(_contains_true, value))
    return value is True
