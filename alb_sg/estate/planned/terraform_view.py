"""One resource of a Terraform plan, with each argument as a known value, a reference or an unknown value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alb_sg.estate.planned.resources import Action, PlannedValue, ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.terraform_references import (
    Candidates,
    Instance,
    References,
    distinct_references,
    may_name,
    references_in,
)

_NOTHING: Mapping[str, Any] = {}
# Blocks that are lists, in the configuration's order, and those of which only the whole counts.
_ORDERED_BLOCKS = frozenset({"action", "default_action", "network_interfaces", "subnet_mapping", "target_group"})

# Arguments that the provider computes and that are no identifiers.
_NO_IDENTIFIERS = frozenset({"ip_address_type"})


class View:
    """A resource, or a block of it, after the change or before it.

    `expressions` are those of the configuration; None where the configuration does not hold the block, as for a
    `dynamic` one. `whole` is the one expression that gives a block as an object, if there is one, and `is_only_unknown`
    says that one argument of all its blocks is unknown.
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
        whole: Mapping[str, Any] | None = None,
        *,
        is_only_unknown: bool = False,
    ) -> None:
        self._whole = whole
        self._is_only_unknown = is_only_unknown
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
            return [self._unknown_value(name)] if self._has_expression(name) or not self._is_new else []
        if isinstance(values, Mapping):
            values, unknown, sensitive = [values], [unknown], [sensitive]
        if not isinstance(values, list):
            return []
        written = self._whole if self._expressions is None else self._expressions.get(name)
        is_only_unknown = _count_unknown(unknown) == 1
        found: list[View | UnknownPlannedValue] = []
        for index, value in enumerate(values):
            expressions, whole = _expressions_of_block(written, name, index, value, len(values))
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
                    is_only_unknown=is_only_unknown,
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
            found = self._references.follow(self.instance, self._whole, frozenset(types))
            # The expression gives several arguments at once. What is new in it makes only this one unknown, and all of
            # it is in it if each reference is one resource.
            is_all = self._is_only_unknown and len(found.references) == len(distinct_references(self._whole))
            return found if is_all else found._replace(has_choice=True)
        expression = None if self._expressions is None else self._expressions.get(name)
        return self._references.follow(self.instance, expression, frozenset(types))

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


def _expressions_of_block(
    written: Any, name: str, index: int, value: Any, count: int
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The expressions of a block, or else one expression that gives all blocks.

    The blocks of a set are in another order than in the configuration. Their constants tell which is which.
    """
    if isinstance(written, Mapping) and _is_expression(written):
        return None, written
    blocks = [written] if isinstance(written, Mapping) else written if isinstance(written, list) else []
    blocks = [block for block in blocks if isinstance(block, Mapping)]
    if len(blocks) != count:
        # Some blocks are in a `dynamic` block, which the configuration leaves out.
        return None, None
    if count == 1 or name in _ORDERED_BLOCKS:
        return blocks[index], None
    fitting = [block for block in blocks if _fits(block, value)]
    if len(fitting) == 1:
        return fitting[0], None
    return None, {"references": [reference for block in fitting for reference in references_in(block)]}


def _fits(block: Mapping[str, Any], value: Any) -> bool:
    """Whether the constants of a block's expressions are those of its value."""
    return isinstance(value, Mapping) and all(
        str(value.get(name)) == str(expression["constant_value"])
        for name, expression in block.items()
        if isinstance(expression, Mapping) and "constant_value" in expression
    )


def _count_unknown(blocks: Any) -> int:
    """How many arguments of blocks are not known."""
    mappings = [one for one in blocks if isinstance(one, Mapping)] if isinstance(blocks, list) else []
    return sum(_contains_true(value) for block in mappings for value in block.values())


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
