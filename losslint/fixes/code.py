"""The source around a place: texts, spans and parents of its trees, and whether two places see the same values."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterator

import libcst as cst

from losslint.findings import Edit, Span
from losslint.fixes.edits import extract
from losslint.frontend.module import Module, Slice
from losslint.graph import Node, Site

_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float, cst.List, cst.Tuple)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Code:
    """What surrounds one site, in the function it stands in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.slice: Slice = site.module
        self.module: Module = self.slice.module

    def holds(self, site: Site | None) -> bool:
        """Whether ``site`` is in the same run of the same function."""
        here = self.site
        return (
            site is not None
            and site.module is here.module
            and site.function == here.function
            and (site.caller is here.caller or site.caller == here.caller)
        )

    def tree_of(self, node: Node, internal: bool = False) -> cst.CSTNode | None:
        """The expression that computed ``node``, None where it is not one of this function.

        ``internal``: the call of a library function will do whose result it is.
        """
        if node.site is None or (node.internal and not internal) or not self.holds(node.site):
            return None
        tree: cst.CSTNode = node.site.tree
        return tree

    # -- texts -----------------------------------------------------------------------------------------------------
    def span(self, tree: cst.CSTNode) -> Span:
        """Where ``tree`` stands, without its parentheses."""
        return self.slice.span(tree)

    def outer(self, tree: cst.CSTNode) -> Span:
        """Where ``tree`` stands, its parentheses included."""
        return self.slice.outer_span(tree)

    def text(self, tree: cst.CSTNode) -> str:
        """``tree`` as it is written, its parentheses included."""
        return extract(self.module.lines, self.outer(tree))

    def operand(self, tree: cst.CSTNode) -> str:
        """``tree`` as it has to be written beside an operator."""
        return f"({self.text(tree)})" if _is_bare(tree) else self.text(tree)

    def parent(self, tree: cst.CSTNode) -> cst.CSTNode | None:
        """The syntax right around ``tree``."""
        return self.slice.parents.get(tree)

    def statement(self, tree: cst.CSTNode) -> cst.CSTNode:
        """The innermost statement that ``tree`` is part of."""
        here: cst.CSTNode | None = tree
        while here is not None and not isinstance(here, (cst.BaseSmallStatement, cst.BaseCompoundStatement)):
            here = self.parent(here)
        return here or tree

    # -- edits -----------------------------------------------------------------------------------------------------
    def between(self, first: cst.CSTNode, second: cst.CSTNode, content: str) -> Edit:
        """``content`` in place of what stands between two trees."""
        start, end = self.outer(first), self.outer(second)
        return Edit(Span(start.end_row, start.end_column, end.row, end.column), content)

    def replace(self, tree: cst.CSTNode, content: str) -> Edit:
        """``content`` in place of ``tree`` and its parentheses."""
        return Edit(self.outer(tree), content)

    def rename(self, tree: cst.CSTNode, content: str) -> Edit:
        """``content`` in place of ``tree``, a name."""
        return Edit(self.span(tree), content)

    def before(self, tree: cst.CSTNode, content: str) -> Edit:
        """``content`` in front of ``tree`` and its parentheses."""
        span = self.outer(tree)
        return Edit(Span(span.row, span.column, span.row, span.column), content)

    def after(self, tree: cst.CSTNode, content: str) -> Edit:
        """``content`` behind ``tree`` and its parentheses."""
        span = self.outer(tree)
        return Edit(Span(span.end_row, span.end_column, span.end_row, span.end_column), content)

    def insert(self, row: int, column: int, content: str) -> Edit:
        """``content`` at one place."""
        return Edit(Span(row, column, row, column), content)

    def around(self, tree: cst.CSTNode, before: str, after: str) -> list[Edit]:
        """``before`` and ``after`` around ``tree`` and its parentheses, which stay as they are."""
        return [self.before(tree, before), self.after(tree, after)]

    def drop_after(self, first: cst.CSTNode, last: cst.CSTNode, content: str = "") -> Edit:
        """``content`` in place of everything from the end of ``first`` to the end of ``last``."""
        start, end = self.outer(first), self.outer(last)
        return Edit(Span(start.end_row, start.end_column, end.end_row, end.end_column), content)

    def unwrap(self, outer: cst.CSTNode, inner: cst.CSTNode) -> list[Edit]:
        """``inner`` in place of ``outer``, which it is part of, in parentheses where it needs them there."""
        whole, kept = self.outer(outer), self.outer(inner)
        joined = _is_bare(inner) and isinstance(self.parent(outer), cst.BaseExpression)
        broken = kept.row != kept.end_row and not getattr(inner, "lpar", ())
        before, after = "()" if joined or broken else ("", "")
        return [
            Edit(Span(whole.row, whole.column, kept.row, kept.column), before),
            Edit(Span(kept.end_row, kept.end_column, whole.end_row, whole.end_column), after),
        ]

    # -- values ----------------------------------------------------------------------------------------------------
    @functools.cached_property
    def function(self) -> ast.AST:
        """The innermost function that the site stands in, or the module."""
        return self.function_at(self.span(self.site.tree).row)

    def function_at(self, row: int) -> ast.AST:
        """The innermost function around ``row``, the module where there is none."""
        functions = itertools.chain.from_iterable(self.module.survey.functions.values())
        inside = [node for node in functions if node.lineno <= row <= (node.end_lineno or node.lineno)]
        return max(inside, key=lambda n: n.lineno, default=self.module.tree)

    def bindings(self, name: str) -> list[int]:
        """The rows at which ``name`` is bound in this function; those of the whole file where it is not."""
        own = list(_bindings(self.function, name))
        return own or list(_bindings(self.module.tree, name))

    def uses(self, name: str) -> list[ast.Name]:
        """Where this function reads ``name``."""
        return [
            n
            for n in ast.walk(self.function)
            if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
        ]

    def stands_for(self, tree: cst.CSTNode, value: cst.CSTNode) -> bool:
        """Whether ``tree`` is ``value``, or the name that it alone is bound to in this function."""
        if tree is value:
            return True
        assign = self.parent(value)
        if not isinstance(tree, cst.Name) or not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
            return False
        target = assign.targets[0].target
        return isinstance(target, cst.Name) and target.value == tree.value and len(self.bindings(tree.value)) == 1

    def without_use(self, value: cst.CSTNode, tree: cst.Name) -> list[Edit]:
        """The edit that drops the assignment of ``value`` to the name ``tree``, where nothing else reads it.

        No edit where its line holds more, or is not in the same block as the statement of ``tree``.
        """
        line = self.parent(self.statement(value))
        beside = self.parent(self.statement(tree))
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or len(self.uses(tree.value)) != 1:
            return []
        if line is beside or beside is None or self.parent(line) is not self.parent(beside):
            return []
        span = self.span(line)
        rows = self.module.lines[span.row - 1 : span.end_row]
        if (
            any("#" in row for row in rows)
            or rows[0][: span.column - 1].strip()
            or span.end_row >= len(self.module.lines)
        ):
            return []
        return [Edit(Span(span.row, 1, span.end_row + 1, 1), "")]

    def same_value(self, tree: cst.CSTNode, there: cst.CSTNode, calls: bool = False) -> bool:
        """Whether ``tree``, which is evaluated where it stands, has the same value at ``there``.

        ``calls``: what is called is known to depend on its arguments alone.
        """
        if within(tree, there) or (calls and self.statement(tree) is self.statement(there)):
            return True
        rows = {self.span(tree).row, self.span(there).row}
        for node in walk(tree):
            if isinstance(node, (cst.Lambda, cst.NamedExpr, cst.Await, cst.BaseComp, cst.Yield)):
                return False
            if isinstance(node, cst.Call) and not calls:
                return False  # computed twice, it may differ
            if isinstance(node, cst.Attribute) and _is_stored(self.function, node.attr.value):
                return False
        for name in names_in(tree):
            bound = self.bindings(name)
            if len(bound) > 1 or any(row >= min(rows) for row in bound):
                return False
        return True


def _is_bare(tree: cst.CSTNode) -> bool:
    """Whether an operator beside ``tree`` could take a part of it."""
    return not getattr(tree, "lpar", ()) and not isinstance(tree, _ATOMS)


def _bindings(scope: ast.AST, name: str) -> Iterator[int]:
    """The rows in ``scope`` at which ``name`` is bound, whatever binds it."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Name):
            found = node.id == name and not isinstance(node.ctx, ast.Load)
        elif isinstance(node, ast.arg):
            found = node.arg == name
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            found = node.name == name and node is not scope
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found = any((a.asname or a.name.split(".")[0]) == name for a in node.names)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)):
            found = node.name == name
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            found = name in node.names
            if found:
                yield node.lineno  # and whatever is done to it elsewhere
        else:
            continue
        if found:
            yield node.lineno


def _is_stored(scope: ast.AST, attribute: str) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == attribute and not isinstance(node.ctx, ast.Load)
        for node in ast.walk(scope)
    )


def walk(tree: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """``tree`` and everything in it."""
    yield tree
    for child in tree.children:
        yield from walk(child)


def within(tree: cst.CSTNode, outer: cst.CSTNode) -> bool:
    """Whether ``tree`` is part of ``outer``."""
    return any(node is tree for node in walk(outer))


def names_in(tree: cst.CSTNode) -> Iterator[str]:
    """The names that ``tree`` reads; those of attributes and keywords are none."""
    if isinstance(tree, cst.Name):
        yield tree.value
    elif isinstance(tree, (cst.Attribute, cst.Arg)):
        yield from names_in(tree.value)
    else:
        for child in tree.children:
            yield from names_in(child)


def argument(call: cst.CSTNode, index: int, *keywords: str) -> cst.BaseExpression | None:
    """The argument of ``call`` at ``index``, or by one of ``keywords``; None where it cannot be told."""
    if not isinstance(call, cst.Call) or any(a.star for a in call.args):
        return None
    positional = [a.value for a in call.args if a.keyword is None]
    if index < len(positional):
        return positional[index]
    return next((a.value for a in call.args if a.keyword is not None and a.keyword.value in keywords), None)


def number(tree: cst.CSTNode | None) -> float | None:
    """The number that is written there."""
    if isinstance(tree, cst.UnaryOperation) and isinstance(tree.operator, cst.Minus):
        inner = number(tree.expression)
        return None if inner is None else -inner
    if isinstance(tree, cst.Float):
        return float(tree.value)
    return float(int(tree.value, 0)) if isinstance(tree, cst.Integer) else None
