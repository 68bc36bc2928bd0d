"""Mutants of a module: each is its source with one thing changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


class Mutant(NamedTuple):
    """One change to a module: of the node with this index in `ast.walk`. `line` and `change` tell where and what."""

    node_index: int
    number: int
    line: int
    change: str

    def apply_to(self, source: str) -> str:
        """The source with the change."""
        tree = ast.parse(source)
        target = next(node for index, node in enumerate(ast.walk(tree)) if index == self.node_index)
        _apply(target, self.number)
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    for index, node in enumerate(ast.walk(ast.parse(source))):
        for number, change in enumerate(_changes(node)):
            yield Mutant(index, number, getattr(node, "lineno", 0), change)


def _changes(node: ast.AST) -> list[str]:  # noqa: C901 (one case a kind of node)
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            return [f"{type(op).__name__} becomes {_COMPARISONS[type(op)].__name__}"]
        case ast.BoolOp():
            return ["and becomes or" if isinstance(node.op, ast.And) else "or becomes and"]
        case ast.UnaryOp(op=ast.Not()):
            return ["not is dropped"]
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return [f"{type(node.op).__name__} becomes {_OPERATORS[type(node.op)].__name__}"]
        case ast.If() | ast.IfExp():
            return ["the condition is always true", "the condition is always false"]
        case ast.Constant(value=bool(value)):
            return [f"{value} becomes {not value}"]
        case ast.Constant(value=int(value)):
            return [f"{value} becomes {value + 1}"]
        case ast.Raise():
            return ["the error is not raised"]
        case ast.Expr(value=ast.Call()):
            return ["the call is dropped"]
        case ast.Continue() | ast.Break():
            return ["it goes on"]
    return []


def _apply(node: ast.AST, number: int) -> None:
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [_COMPARISONS[type(op)]()]
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
        case ast.BinOp():
            node.op = _OPERATORS[type(node.op)]()
        case ast.If() | ast.IfExp():
            node.test = ast.Constant(value=number == 0)
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case _:
            # As `pass`, in the same place.
            node.__class__ = ast.Pass
