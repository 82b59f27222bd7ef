"""One Python file: ``ast`` scouts it, libcst parses only the statements that are asked for.

libcst costs ten times what ``ast`` costs, and its positions four times that again, so a file is indexed with ``ast``,
a statement is handed to libcst when the interpreter enters it, and positions are computed when one is reported.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from losslint.budget import BudgetExceeded
from losslint.findings import Span
from losslint.frontend.mentions import callers
from losslint.frontend.survey import Survey, survey
from losslint.sources import parse

if TYPE_CHECKING:
    import libcst as cst

    from losslint.frontend.discovery import Discovered
    from losslint.frontend.positions import Positions, Range

_T = TypeVar("_T")
_CONSTANTS = ("Constant", "SimpleString", "ConcatenatedString", "Ellipsis")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_LONGEST = 500_000
"""Characters of a statement that libcst is given: it takes a second or two for them, and cannot be interrupted."""


@dataclass(eq=False)
class Slice:
    """One statement of a module as libcst sees it. ``shift`` is what its line numbers lack."""

    module: Module
    tree: cst.Module
    shift: int
    left_out: dict[int, ast.stmt] = field(default_factory=dict)
    """``id`` of a method whose body the tree lacks -> the method."""

    @property
    def path(self) -> str:
        """The file it stands in."""
        return self.module.path

    @functools.cached_property
    def _positions(self) -> Positions:
        from losslint.frontend.positions import Positions

        return Positions(self.tree)

    @functools.cached_property
    def parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        """The syntax right around each tree of the slice, white space left out.

        The provider of libcst walks over every field of every node in visitors, which takes ten times as long.
        """
        return {child: tree for tree in below(self.tree) for child in _children(tree)}

    def span(self, tree: cst.CSTNode) -> Span:
        """Where ``tree`` stands in the file; rows and columns count from 1."""
        return self._in_file(self._positions.inner.get(tree))

    def outer_span(self, tree: cst.CSTNode) -> Span:
        """The same with its parentheses, and white space that belongs to it."""
        return self._in_file(self._positions.outer.get(tree))

    def _in_file(self, position: Range | None) -> Span:
        row, column, end_row, end_column = position or (1, 0, 1, 0)
        return Span(row + self.shift, column + 1, end_row + self.shift, end_column + 1)


@dataclass(eq=False)
class Module:
    """A parsed file. Raises SyntaxError, ValueError or RecursionError where ``ast`` does."""

    path: str
    text: str
    tree: ast.Module = field(default=None)  # type: ignore[assignment]  # parsed here where it is not given
    _slices: dict[tuple[int, int, bool], Slice] = field(default_factory=dict)
    _conditions: dict[int, tuple[Slice, cst.BaseExpression]] = field(default_factory=dict)
    discovered: Discovered | None = None  # what losslint.frontend.discovery found last

    def __post_init__(self) -> None:
        if self.tree is None:
            self.tree = parse(self.text, self.path)

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines as ``ast`` counts them (a form feed ends none)."""
        return _NEWLINE.split(self.text)

    @functools.cached_property
    def is_package(self) -> bool:
        """Whether this is an ``__init__.py``."""
        return Path(self.path).name == "__init__.py"

    @functools.cached_property
    def survey(self) -> Survey:
        """What one walk over the whole file tells."""
        return survey(self.tree)

    @functools.cached_property
    def callers(self) -> dict[str, list[ast.stmt]]:
        """The functions that are called, and mentioned in no other way, and by which statements at the top level."""
        return callers(self.tree)

    @functools.cached_property
    def bindings(self) -> dict[str, list[ast.stmt]]:
        """Module-level name -> the statements that bind it, in order, those inside if, try and with included."""
        found: dict[str, list[ast.stmt]] = {}
        for statement in toplevel(self.tree.body):
            for name in bound_names(statement):
                found.setdefault(name, []).append(statement)
        return found

    @functools.cached_property
    def star_imports(self) -> list[tuple[ast.ImportFrom, Conditions]]:
        """``from x import *`` statements, and what has to hold for each."""
        return [
            (s, conditions)
            for s, conditions in conditioned(self.tree.body)
            if isinstance(s, ast.ImportFrom) and any(a.name == "*" for a in s.names)
        ]

    def slice(self, statement: ast.stmt, whole: bool = False) -> tuple[Slice, cst.BaseStatement]:
        """``statement`` (one of this module, at any depth) as libcst parses it, and the slice it belongs to.

        The methods of a class are left without bodies, unless the ``whole`` is asked for: each is a slice of its own.
        Raises BudgetExceeded for one that is too long to be parsed.
        """
        key = statement.lineno, statement.col_offset, whole and isinstance(statement, ast.ClassDef)
        if key not in self._slices:
            self._slices[key] = self._parse(statement, whole)
        return self._slices[key], _statement_of(self._slices[key], statement)

    def condition(self, test: ast.expr) -> tuple[Slice, cst.BaseExpression]:
        """A ``test`` of the module's as libcst has it, and a slice for it, in which it has no position."""
        import libcst as cst

        if id(test) not in self._conditions:
            slice_ = Slice(self, cst.parse_module(""), 0)
            self._conditions[id(test)] = slice_, cst.parse_expression(ast.unparse(test))
        return self._conditions[id(test)]

    def release(self) -> None:
        """Forget the slices, which point back here: without that cycle they are freed with the module."""
        self._slices.clear()
        self._conditions.clear()

    def _parse(self, statement: ast.stmt, whole: bool) -> Slice:
        import libcst as cst

        first, last = _first_line(statement), statement.end_lineno or statement.lineno
        lines = self.lines[first - 1 : last]
        outlined = [] if whole or not isinstance(statement, ast.ClassDef) else self._emptied(statement, lines)
        if sum(map(len, lines)) > _LONGEST:
            raise BudgetExceeded(f"a statement of more than {_LONGEST} characters")
        # trailing comments and statements after ";" are no part of it
        lines[-1] = lines[-1].encode()[: statement.end_col_offset].decode(errors="ignore")
        if statement.col_offset and first == statement.lineno:
            before = lines[0].encode()[: statement.col_offset].decode(errors="ignore")
            if before.strip():  # after a ";" or "if x:"
                lines[0] = " " * len(before) + lines[0][len(before) :]
        if statement.col_offset:
            # an indented statement is parsed below an "if", so that its columns stay true
            found = Slice(self, cst.parse_module("if 1:\n" + "\n".join(lines) + "\n"), first - 2)
        else:
            found = Slice(self, cst.parse_module("\n".join(lines) + "\n"), first - 1)
        if outlined:
            body: Any = cast("cst.ClassDef", _statement_of(found, statement)).body.body
            methods = [s for s in body if isinstance(s, cst.FunctionDef)]
            found.left_out = {id(m): s for m, s in zip(methods, outlined, strict=True) if s is not None}
        return found

    def _emptied(self, statement: ast.ClassDef, lines: list[str]) -> list[ast.stmt | None]:
        """The methods of a class, whose bodies are taken out of ``lines``; None for one whose body stays."""
        methods: list[ast.stmt | None] = []
        start = _first_line(statement)
        for method in statement.body:
            if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            body = method.body[0]
            row, last = _first_line(body) - start, (method.end_lineno or method.lineno) - start
            before = lines[row].encode()[: body.col_offset].decode(errors="ignore")
            if before.strip():  # def f(self): return 1
                methods.append(None)
                continue
            # one character, as _parse cuts the last line where the class ends
            lines[row : last + 1] = [f"{before}0", *[""] * (last - row)]
            methods.append(method)
        return methods


def _statement_of(found: Slice, statement: ast.stmt) -> cst.BaseStatement:
    """``statement`` in the tree of its slice."""
    body: cst.CSTNode = found.tree.body[0]
    if found.shift < _first_line(statement) - 1:
        body = cast("cst.If", body).body.body[0]  # see Module._parse
    return cast("cst.BaseStatement", body)


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def toplevel(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those inside if, try, with and loops included."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
            for inner in ("body", "orelse", "finalbody"):
                yield from toplevel(getattr(statement, inner, []))
            for handler in getattr(statement, "handlers", []):
                yield from toplevel(handler.body)


Conditions = tuple[tuple[ast.expr, bool], ...]
"""Tests of the ``if`` statements around, and how each has to turn out."""


def conditioned(body: list[ast.stmt], around: Conditions = ()) -> Iterator[tuple[ast.stmt, Conditions]]:
    """As ``toplevel``, each statement with what has to hold for it to run."""
    for statement in body:
        yield statement, around
        if isinstance(statement, ast.If):
            yield from conditioned(statement.body, (*around, (statement.test, True)))
            yield from conditioned(statement.orelse, (*around, (statement.test, False)))
        elif isinstance(statement, (ast.Try, ast.With, ast.For, ast.While)):
            for inner in ("body", "orelse", "finalbody"):
                yield from conditioned(getattr(statement, inner, []), around)
            for handler in getattr(statement, "handlers", []):
                yield from conditioned(handler.body, around)


def bound_names(statement: ast.stmt) -> Iterator[str]:
    """The names a simple statement or definition binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            if alias.name != "*":
                yield alias.asname or (alias.name.split(".")[0] if isinstance(statement, ast.Import) else alias.name)
    elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    elif isinstance(statement, ast.With):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from (n.id for n in ast.walk(item.optional_vars) if isinstance(n, ast.Name))


def below(tree: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """``tree`` and all nodes below it, in the order of the source, outer ones first.

    The matchers of libcst find the same, take ten times as long, and as long to import as the rest of it.
    """
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(_children(node))


def _children(tree: cst.CSTNode) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    for name in _parts(type(tree)):
        part = getattr(tree, name)
        if isinstance(part, (list, tuple)):
            found += [p for p in part if hasattr(p, "with_changes")]
        elif hasattr(part, "with_changes"):
            found.append(part)
    return found


def every(tree: cst.CSTNode, kind: type[_T]) -> Iterator[_T]:
    """The nodes of one kind among ``below(tree)``."""
    return (node for node in below(tree) if isinstance(node, kind))


@functools.cache
def _parts(kind: type) -> tuple[str, ...]:
    """The fields of a kind of node, those left out that hold only white space."""
    return tuple(f.name for f in dataclasses.fields(kind) if "whitespace" not in f.name)


def is_stub(body: Iterable[Any]) -> bool:
    """Whether a body, of ``ast`` or libcst, is only a docstring, ``pass``, ``...`` or ``raise``."""
    # both libraries call these statements alike
    small = [x for s in body for x in (s.body if type(s).__name__ == "SimpleStatementLine" else [s])]
    return all(
        type(s).__name__ in ("Pass", "Raise") or (type(s).__name__ == "Expr" and type(s.value).__name__ in _CONSTANTS)
        for s in small
    )
