"""The section `Rules` of a template: values of parameters that CloudFormation refuses.

Source: "Rules" of the AWS CloudFormation user guide, and its rule-specific intrinsic functions.
"""

from __future__ import annotations

from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.template_choices import NeedsChoiceError, UndeployableError
from alb_sg.estate.planned.template_stacks import Stack

# What they return depends on resources of the account, or on all parameters of a type.
_UNREAD_FUNCTIONS = ("Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll")
_LIST_FUNCTIONS = ("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn")


class _CannotTellError(Exception):
    """What an expression returns is not known. Never leaves this module."""


def refuse_failing_assertions(stack: Stack) -> None:
    """Raises UndeployableError if an assertion does not hold for the values of this way of deploying.

    An assertion that depends on something unknown may hold. Raises InvalidInputError for a section that is malformed.
    """
    rules = stack.document.get("Rules") or {}
    if not isinstance(rules, dict):
        raise InvalidInputError("an object was expected", f"{stack.template.name}: Rules")
    for name, rule in rules.items():
        place = f"{stack.template.name}: Rules.{name}"
        assertions = rule.get("Assertions") if isinstance(rule, dict) else None
        if not isinstance(assertions, list) or not all(isinstance(one, dict) for one in assertions):
            raise InvalidInputError("a rule must be an object with a list of Assertions", place)
        if _may_be(stack, rule.get("RuleCondition", True), outcome=False):
            continue
        for assertion in assertions:
            if not _may_be(stack, assertion.get("Assert"), outcome=True):
                described = assertion.get("AssertDescription")
                reason = f"{described!r} does not hold" if isinstance(described, str) else "an assertion does not hold"
                raise UndeployableError(f"{reason} for these values of parameters; give others", place)


def _may_be(stack: Stack, expression: Any, *, outcome: bool) -> bool:
    """Whether an expression has this outcome, or may have it."""
    try:
        return _holds(stack, expression) is outcome
    except (_CannotTellError, NeedsChoiceError):
        return True


def _holds(stack: Stack, expression: Any) -> bool:
    if isinstance(expression, bool):
        return expression
    if not isinstance(expression, dict) or len(expression) != 1:
        raise _CannotTellError
    [(name, argument)] = expression.items()
    if name in ("Fn::And", "Fn::Or") and isinstance(argument, list):
        return _combined(stack, argument, is_or=name == "Fn::Or")
    if name == "Fn::Not" and isinstance(argument, list) and len(argument) == 1:
        return not _holds(stack, argument[0])
    if not isinstance(argument, list) or len(argument) != 2:
        raise _CannotTellError
    if name == "Fn::Equals":
        return _are_equal(stack, *argument)
    if name not in _LIST_FUNCTIONS:
        raise _CannotTellError
    first = _elements(stack, argument[0])
    if name == "Fn::Contains":
        return any(_are_equal(stack, one, argument[1]) for one in first)
    if name == "Fn::EachMemberEquals":
        return all(_are_equal(stack, one, argument[1]) for one in first)
    allowed = _elements(stack, argument[1])
    return all(any(_are_equal(stack, one, other) for other in allowed) for one in first)


def _combined(stack: Stack, operands: list[Any], *, is_or: bool) -> bool:
    """Whether any (`Fn::Or`) or every (`Fn::And`) operand holds."""
    if any(not _may_be(stack, one, outcome=not is_or) for one in operands):
        return is_or
    if any(_may_be(stack, one, outcome=is_or) for one in operands):
        raise _CannotTellError
    return not is_or


def _elements(stack: Stack, expression: Any) -> list[Any]:
    value = _value(stack, expression)
    if not isinstance(value, list):
        raise _CannotTellError
    return value


def _are_equal(stack: Stack, left: Any, right: Any) -> bool:
    return stack.expressions.equal(_value(stack, left), _value(stack, right), "an assertion")


def _value(stack: Stack, expression: Any) -> object:
    if isinstance(expression, dict) and any(name in expression for name in _UNREAD_FUNCTIONS):
        raise _CannotTellError
    return stack.expressions.resolve(expression)
