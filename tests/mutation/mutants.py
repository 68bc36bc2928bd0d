"""Mutants of a module: each is its source with one thing changed.

Left out are changes that no test could notice or should: docstrings, type annotations, the texts of messages, and
arguments that only guard against the programmer (`frozen`, `slots`, `strict`, the size of a cache).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
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
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}
# Arguments that no caller may depend on.
_GUARDS = frozenset({"frozen", "slots", "kw_only", "strict", "maxsize"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

Change = Callable[[], None]


class Mutant(NamedTuple):
    """One change to a module: the `number`th that is possible at the node with this index in `ast.walk`.

    `first_line` and `last_line` are those of the statement, without the statements inside it. `names` are the classes
    and functions around it, `change` tells what is changed. `function` is the qualified name of the outermost function
    whose body it is in; None for what runs at import alone.
    """

    node_index: int
    number: int
    line: int
    first_line: int
    last_line: int
    names: tuple[str, ...]
    function: str | None
    operator: str
    change: str

    def apply_to(self, source: str) -> ast.Module:
        """The syntax tree of the source with the change."""
        module = _Module(source)
        _, _, change = list(module.changes(module.nodes[self.node_index]))[self.number]
        change()
        return ast.fix_missing_locations(module.tree)


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    module = _Module(source)
    for index, node in enumerate(module.nodes):
        if module.is_left_out(node):
            continue
        for number, (operator, change, _) in enumerate(module.changes(node)):
            first, last = module.statement_lines(node)
            yield Mutant(
                index,
                number,
                getattr(node, "lineno", first),
                first,
                last,
                module.names(node),
                module.function(node),
                operator,
                change,
            )


class _Module:
    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.nodes = list(ast.walk(self.tree))
        self._parents: dict[ast.AST, tuple[ast.AST, str]] = {}
        for node in self.nodes:
            for field, value in ast.iter_fields(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self._parents[child] = (node, field)

    def _around(self, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
        """The nodes around a node, from the inside, each with its field that the node is in."""
        while node in self._parents:
            node, field = self._parents[node]
            yield node, field

    def is_left_out(self, node: ast.AST) -> bool:
        for outer, field in [(node, ""), *self._around(node)]:
            if field in ("annotation", "returns") or isinstance(outer, ast.Import | ast.ImportFrom):
                return True
            if isinstance(outer, ast.keyword) and outer.arg in _GUARDS:
                return True
            if isinstance(outer, ast.If) and ast.unparse(outer.test) == "TYPE_CHECKING":
                return True
        return False

    def names(self, node: ast.AST) -> tuple[str, ...]:
        around = [node, *(outer for outer, _ in self._around(node))]
        return tuple(
            one.name
            for one in reversed(around)
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        )

    def function(self, node: ast.AST) -> str | None:
        """The qualified name of the outermost function whose body holds a node."""
        around = [(node, ""), *self._around(node)]
        for index, (outer, field) in reversed(list(enumerate(around))):
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) and field == "body":
                classes = [one.name for one, _ in reversed(around[index:]) if isinstance(one, ast.ClassDef)]
                return ".".join([*classes, outer.name])
        return None

    def statement_lines(self, node: ast.AST) -> tuple[int, int]:
        """The lines of the statement around a node; of one with statements inside, its head.

        Of `continue` and `break`, which the compiler makes a jump of what is around them, those of that statement.
        """
        for one in [
            *([] if isinstance(node, ast.Continue | ast.Break) else [node]),
            *(outer for outer, _ in self._around(node)),
        ]:
            if isinstance(one, ast.stmt | ast.ExceptHandler | ast.match_case):
                inner = [child.lineno for child in ast.walk(one) if isinstance(child, ast.stmt) and child is not one]
                first = one.pattern.lineno if isinstance(one, ast.match_case) else one.lineno
                last = (inner[0] if isinstance(one, ast.match_case) else one.end_lineno) or first
                return first, max(first, min([last, *(line - 1 for line in inner)]))
        return 1, 1

    def changes(self, node: ast.AST) -> Iterator[tuple[str, str, Change]]:  # noqa: C901, PLR0912, PLR0915 (a case a kind of node)
        """Operator, text and effect of each change to a node."""
        match node:
            case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
                other = _COMPARISONS[type(op)]
                yield "comparison", f"{type(op).__name__} becomes {other.__name__}", _set(node, ops=[other()])
                if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                    turned = ast.UnaryOp(ast.Not(), ast.Compare(node.left, [op], node.comparators))
                    yield "comparison", f"{type(op).__name__} is turned round", self._put(node, turned)
            case ast.BoolOp():
                other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
                yield "boolean", f"{type(node.op).__name__} becomes {type(other_op).__name__}", _set(node, op=other_op)
                for index, operand in enumerate(node.values):
                    rest = [*node.values[:index], *node.values[index + 1 :]]
                    kept = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
                    yield "boolean", f"`{_short(operand)}` is dropped", self._put(node, kept)
            case ast.UnaryOp(op=ast.Not()):
                yield "not", "`not` is dropped", self._put(node, node.operand)
            case ast.BinOp() if type(node.op) in _OPERATORS and not _is_text(node):
                other_operator = _OPERATORS[type(node.op)]
                text = f"{type(node.op).__name__} becomes {other_operator.__name__}"
                yield "arithmetic", text, _set(node, op=other_operator())
                if isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub):
                    yield "arithmetic", f"`{_short(node.right)}` is dropped", self._put(node, node.left)
                if isinstance(node.op, ast.BitOr | ast.BitAnd):
                    yield "arithmetic", f"`{_short(node.left)}` is dropped", self._put(node, node.right)
            case ast.If() | ast.IfExp():
                for value in (True, False):
                    yield "condition", f"the condition is always {value}", _set(node, test=ast.Constant(value))
            case ast.While():
                yield "condition", "the loop never runs", _set(node, test=ast.Constant(False))
            case ast.comprehension():
                for index, condition in enumerate(node.ifs):
                    rest = [*node.ifs[:index], *node.ifs[index + 1 :]]
                    yield "condition", f"the filter `{_short(condition)}` is dropped", _set(node, ifs=rest)
            case ast.match_case() if node.guard is not None:
                yield "condition", f"the guard `{_short(node.guard)}` is dropped", _set(node, guard=None)
            case ast.Constant():
                yield from self._constant(node)
            case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
                yield "function", f"{name} becomes {_FUNCTIONS[name]}", _set(node.func, id=_FUNCTIONS[name])
            case ast.Return(value=ast.expr() as returned) if not isinstance(returned, ast.Constant):
                yield "return", "None is returned", _set(node, value=ast.Constant(None))
            case ast.Raise() if not self._passes_on(node):
                yield "statement", "the error is not raised", self._put(node, ast.Pass())
            case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
                yield "statement", f"`{_short(node)}` is dropped", self._put(node, ast.Pass())
            case ast.AugAssign():
                yield "statement", f"`{_short(node)}` is dropped", self._put(node, ast.Pass())
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield "statement", f"`{_short(node)}` is dropped", self._put(node, ast.Pass())
            case ast.Assign(targets=[ast.Name(id=name)]) if self._is_bound_before(name, node):
                yield "statement", f"`{_short(node)}` is dropped", self._put(node, ast.Pass())
            case ast.Continue():
                yield "statement", "continue becomes break", self._put(node, ast.Break())
                yield "statement", "continue is dropped", self._put(node, ast.Pass())
            case ast.Break():
                yield "statement", "break is dropped", self._put(node, ast.Pass())
            case ast.ExceptHandler():
                if not isinstance(node.body[0], ast.Raise):
                    yield "handler", "the error is raised again", _set(node, body=[ast.Raise()])
                if isinstance(node.type, ast.Tuple):
                    for index, kind in enumerate(node.type.elts):
                        rest = [*node.type.elts[:index], *node.type.elts[index + 1 :]]
                        yield "handler", f"{_short(kind)} is not caught", _set(node.type, elts=rest)

    def _constant(self, node: ast.Constant) -> Iterator[tuple[str, str, Change]]:
        value, (parent, _) = node.value, self._parents[node]
        operator = "default" if isinstance(parent, ast.arguments) else "constant"
        match value:
            case bool():
                yield operator, f"{value} becomes {not value}", _set(node, value=not value)
            case int():
                yield operator, f"{value} becomes {value + 1}", _set(node, value=value + 1)
            case float():
                yield operator, f"{value} becomes {value + 1}", _set(node, value=value + 1)
            case str() if operator == "default" or self._is_key(node):
                yield operator, f"{value!r} becomes another text", _set(node, value=f"{value}~")

    def _is_key(self, node: ast.Constant) -> bool:
        """Whether a text is compared or looked up: the others are mostly for people."""
        parent, field = self._parents[node]
        match parent:
            case ast.Compare() | ast.MatchValue() | ast.Subscript():
                return True
            case ast.Dict():
                return field == "keys"
            case ast.Call(func=ast.Attribute(attr="get")):
                return parent.args[0] is node
            case ast.Tuple() | ast.Set():
                return isinstance(self._parents[parent][0], ast.Compare)
        return False

    def _passes_on(self, node: ast.Raise) -> bool:
        """Whether it is a bare `raise`, which passes on what the handler lets through."""
        return node.exc is None

    def _is_bound_before(self, name: str, node: ast.AST) -> bool:
        """Whether a name has a value before its assignment, so that leaving it out is no mere NameError."""
        scope = next((outer for outer, _ in self._around(node) if isinstance(outer, _SCOPES)), None)
        if scope is None:
            return False
        arguments = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
        if any(argument.arg == name for argument in arguments):
            return True
        line = getattr(node, "lineno", 0)
        return any(
            isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store) and one.id == name and one.lineno < line
            for one in ast.walk(scope)
        )

    def _put(self, node: ast.AST, other: ast.AST) -> Change:
        """Puts another node in a node's place."""

        def change() -> None:
            parent, field = self._parents[node]
            value = getattr(parent, field)
            if isinstance(value, list):
                value[next(index for index, one in enumerate(value) if one is node)] = other
            else:
                setattr(parent, field, other)

        return change


def _set(node: ast.AST, **fields: object) -> Change:
    def change() -> None:
        for name, value in fields.items():
            setattr(node, name, value)

    return change


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and isinstance(one.value, str))
        for one in (node.left, node.right)
    )


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
