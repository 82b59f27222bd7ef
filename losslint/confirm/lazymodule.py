"""Modules whose top level runs piecemeal: a statement is executed when a name that it binds is first looked up."""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import copy
import linecache
import symtable
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from losslint.confirm.jobs import File
from losslint.confirm.stubs import Stub
from losslint.confirm.toplevel import Unit, narrowed, simple_parts, star_imports, stores, units
from losslint.sources import split_lines

_ABSENT = object()
_CATCHING = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))


class Executed(NamedTuple):
    """A top-level statement that ran."""

    path: str
    first: int
    last: int
    text: str


class Context(Protocol):
    """What a lazy module asks of its loader."""

    executed: list[Executed]
    builtins: dict[str, Any]

    def star(self, scope: Scope, statement: ast.ImportFrom, name: str) -> Any:
        """What ``statement`` (``from x import *``) binds ``name`` to. Raises KeyError."""

    def dropped(self, stub: Stub, path: str, row: int) -> None:
        """``stub`` was left out as a decorator."""


class TopLevelError(Exception):
    """A KeyError of a top-level statement: as such it would read as "this name is not defined"."""


class Source:
    """What Python calls a loader: AutoGraph drops what linecache holds, and asks this for it again."""

    text = ""

    def get_source(self, name: str) -> str:
        """The text of the file."""
        return self.text


_SHOWN: dict[str, list[str]] = {}
"""Path -> the lines that Python is to see there, whatever the disk holds."""
_updatecache = linecache.updatecache


def _shown_or_read(filename: str, module_globals: dict[str, Any] | None = None) -> list[str]:
    """``linecache.updatecache``, which AutoGraph calls and which prefers the disk, for files that stay as shown."""
    return _SHOWN[filename] if filename in _SHOWN else _updatecache(filename, module_globals)


class Scope(dict[str, Any]):
    """The globals of a lazy module.

    Python asks ``__missing__`` for what is not there, of a subclass of dict, when a function or a statement reads a
    global. In the body of a class it does not, unless the name is declared global there: see ``_Prepare``.
    A name that is bound or filled by several statements is kept in ``_versions``, never in the dict itself, so that
    each statement sees what Python would have shown to it.
    """

    def __init__(self, context: Context, file: File, name: str, package: str) -> None:
        super().__init__(__name__=name, __package__=package, __file__=file.path, __doc__=None, __spec__=None)
        self["__builtins__"] = context.builtins
        self.context = context
        self.file = file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string is no affair of ours
            self.tree = ast.parse(file.text, file.path)
            self._classes = dict(_class_globals(symtable.symtable(file.text, file.path, "exec")))
        self.guarded = frozenset(_guarded_rows(self.tree))
        self.stars = star_imports(self.tree)
        self._units: dict[str, list[Unit]] = {}
        for unit in units(self.tree):
            for bound in sorted(unit.binds | unit.changes):
                self._units.setdefault(bound, []).append(unit)
        self._versions: dict[str, dict[int, Any]] = {}
        self._running: list[Unit] = []
        self._done: set[int] = set()
        self["__loader__"] = Source()
        self._lines = split_lines(file.text)
        self._show()

    def __missing__(self, name: str) -> Any:
        if name in self._units:
            later = self._starred(name, self._stars_below(name), stubs=False)
            return self._supply(name) if later is _ABSENT else later
        if not hasattr(builtins, name) and not name.startswith("__"):
            value = self._starred(name, self.stars)
            if value is not _ABSENT:
                return value
        raise KeyError(name)

    def _stars_below(self, name: str) -> list[ast.ImportFrom]:
        """The star imports that may bind ``name``, which is nothing but imported, to something else afterwards."""
        bound = [unit.node for unit in self._units[name]]
        if self._running or not all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in bound):
            return []
        return [statement for statement in self.stars if statement.lineno > bound[-1].lineno]

    def _starred(self, name: str, statements: list[ast.ImportFrom], stubs: bool = True) -> Any:
        """What the last of the star imports ``statements`` that knows ``name`` binds it to; _ABSENT where none does."""
        for statement in reversed(statements):
            try:
                value = self.context.star(self, statement, name)
            except KeyError:
                continue
            if isinstance(value, Stub) and not stubs:
                continue
            module = "." * statement.level + (statement.module or "")
            self._ran(statement, f"from {module} import {name}")
            self[name] = value
            return value
        return _ABSENT

    def _show(self) -> None:
        """Tell Python the text of the file, which need not be on this machine."""
        text = self["__loader__"].text = "\n".join(self._lines)
        lines = _SHOWN[self.file.path] = [line + "\n" for line in self._lines]
        linecache.cache[self.file.path] = (len(text), None, lines, self.file.path)
        linecache.updatecache = _shown_or_read

    def rewrite(self, rows: dict[int, str]) -> bool:
        """Show a function that was made up in the place of these rows, unless other functions would suffer."""
        first, last = min(rows), max(rows)
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef):
                own, end = _first_row(statement), statement.end_lineno or statement.lineno
                if own < first <= end < last or first <= own <= last < end:
                    return False
        self._lines[first - 1 : last] = [rows.get(row, "") for row in range(first, last + 1)]
        if last < len(self._lines) and (self._is_inside(last + 1) or not self._lines[last].strip()):
            self._lines[last] = "pass"  # what comes after it in the user's function is no part of the new one
        self._show()
        return True

    def _is_inside(self, row: int) -> bool:
        """Whether ``row`` belongs to a function that begins above it."""
        functions = (n for n in ast.walk(self.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
        return any(n.lineno < row <= (n.end_lineno or n.lineno) for n in functions)

    def names(self) -> list[str]:
        """What the top level binds."""
        return [name for name, found in self._units.items() if any(name in unit.binds for unit in found)]

    def binding(self, name: str) -> ast.stmt | None:
        """The last statement that binds ``name``."""
        return next((u.node for u in reversed(self._units.get(name, [])) if name in u.binds), None)

    def _supply(self, name: str) -> Any:
        limit = self._running[-1].index if self._running else len(self.tree.body) * 1000
        every = [u for u in self._units[name] if u not in self._running]
        before = [u for u in every if u.index < limit]
        if not any(name in u.binds for u in before):
            if hasattr(builtins, name):
                raise KeyError(name)
            before = every  # what Python would not have found yet is better than nothing
        starts = [index for index, unit in enumerate(before) if unit.replaces(name)]
        before = before[starts[-1] :] if starts else before
        for unit in before:
            self._run(unit, name)
        versions = self._versions.get(name, {})
        for unit in reversed(before):
            if unit.index in versions:
                return versions[unit.index]
        if name not in self:
            raise KeyError(name)
        return super().__getitem__(name)

    def _run(self, unit: Unit, name: str) -> None:
        statement = narrowed(unit.node, name, frozenset(self._done))
        if statement is None:
            return
        self._running.append(unit)
        try:
            self.execute(statement)
        except KeyError as error:
            raise TopLevelError(f"line {statement.lineno}: KeyError: {error}") from error
        finally:
            self._running.pop()
        self._done.update(map(id, simple_parts(statement)))
        for bound in unit.binds:
            if bound in self and type(self[bound]).__name__ == "FlagValues":
                self[bound].mark_as_parsed()  # absl: there is no command line, every flag has its default
            if len(self._units[bound]) > 1 and bound in self:
                self._versions.setdefault(bound, {})[unit.index] = self.pop(bound)

    def execute(self, statement: ast.stmt) -> None:
        """Run a statement in these globals, eagerly even when a function is being traced, and record it."""
        ready = self._without_stubs(statement)
        code = compile(self.prepared(ready), self.file.path, "exec", __future__.annotations.compiler_flag, True)
        with _outside_of_graphs():
            exec(code, self)
        text = self._text(statement) if ready is statement else ast.unparse(ready)
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            missing = [name for name in stores(statement) if isinstance(self.get(name), Stub)]
            text = "\n".join(f"{name} = None  # not imported: {text}" for name in missing) or text
        self._ran(statement, text)

    def prepared(self, statement: ast.stmt) -> ast.Module:
        """``statement`` as it can be compiled for these globals."""
        new = _Prepare(self._classes).visit(copy.deepcopy(statement))
        return ast.fix_missing_locations(ast.Module(new if isinstance(new, list) else [new], []))

    def _ran(self, statement: ast.stmt, text: str) -> None:
        last = statement.end_lineno or statement.lineno
        self.context.executed.append(Executed(self.file.path, _first_row(statement), last, text))

    def _text(self, statement: ast.stmt) -> str:
        """The source of ``statement``; of one that was narrowed, what is left of it."""
        if statement in self.tree.body:
            lines = split_lines(self.file.text)
            first, last = _first_row(statement), statement.end_lineno or statement.lineno
            alone = [s for s in self.tree.body if s.lineno <= last and (s.end_lineno or 0) >= first]
            if len(alone) == 1:
                return "\n".join(lines[first - 1 : last]).rstrip()
        return ast.unparse(statement)

    def _without_stubs(self, statement: ast.stmt) -> ast.stmt:
        """``statement`` without the decorators that come from what is not imported."""
        found = [d for n in ast.walk(statement) for d in getattr(n, "decorator_list", ()) if self._stub(d) is not None]
        if not found:
            return statement
        new = copy.deepcopy(statement)
        places = {(d.lineno, d.col_offset) for d in found}
        for decorator in found:
            stub = self._stub(decorator)
            assert stub is not None
            self.context.dropped(stub, self.file.path, decorator.lineno)
        for node in ast.walk(new):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                kept = [d for d in node.decorator_list if (d.lineno, d.col_offset) not in places]
                node.decorator_list = kept
        return new

    def _stub(self, decorator: ast.expr) -> Stub | None:
        """The stub that ``decorator`` names, if it does."""
        if isinstance(decorator, ast.Call):
            return self._stub(decorator.func)
        if isinstance(decorator, ast.Attribute):
            owner = self._stub(decorator.value)
            return None if owner is None else getattr(owner, decorator.attr)
        if isinstance(decorator, ast.Name) and isinstance(self.binding(decorator.id), (ast.Import, ast.ImportFrom)):
            value = self[decorator.id]
            return value if isinstance(value, Stub) else None
        return None


class LazyModule(types.ModuleType):
    """A module of the user's tree; ``scope`` holds what its top level binds."""

    def __init__(self, name: str, scope: Scope | None, find: Any) -> None:
        super().__init__(name)
        own = self.__dict__
        own["losslint_scope"], own["losslint_find"] = scope, find
        if scope is not None:
            own.update({n: scope[n] for n in ("__file__", "__package__", "__loader__")})
        if scope is None or scope.file.package:
            own["__path__"] = []

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        scope: Scope | None = own["losslint_scope"]
        if scope is not None:
            with contextlib.suppress(KeyError):
                return scope[name]
        inner = None if name.startswith("__") else own["losslint_find"](f"{own['__name__']}.{name}")
        if inner is None:
            raise AttributeError(f"module {own['__name__']!r} has no attribute {name!r}")
        return inner

    def __setattr__(self, name: str, value: Any) -> None:
        scope: Scope | None = self.__dict__["losslint_scope"]
        (self.__dict__ if scope is None else scope)[name] = value

    def __dir__(self) -> list[str]:
        scope: Scope | None = self.__dict__["losslint_scope"]
        own = (name for name in self.__dict__ if not name.startswith("losslint_"))
        return sorted([*own, *(scope.names() if scope is not None else ())])


class _Prepare(ast.NodeTransformer):
    """Rewrites what would not work in lazy globals; every statement keeps its place."""

    def __init__(self, classes: dict[tuple[str, int], list[str]]) -> None:
        self._classes = classes

    def visit_Import(self, node: ast.Import) -> Any:
        """``import a.b as c`` is ``from a import b as c``: the leaf is asked for, not the attribute of its parent."""
        made: list[ast.stmt] = []
        for alias in node.names:
            owner, _, name = alias.name.rpartition(".")
            one = ast.ImportFrom(owner, [ast.alias(name, alias.asname)], 0) if owner and alias.asname else None
            made.append(ast.copy_location(one or ast.Import([alias]), node))
        return made if len(made) > 1 else made[0]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Declare the globals that the body of a class reads, see ``Scope``."""
        self.generic_visit(node)
        names = self._classes.get((node.name, node.lineno))
        if names:
            docstring = int(ast.get_docstring(node, clean=False) is not None)
            node.body.insert(docstring, ast.copy_location(ast.Global(names), node.body[0]))
        return node


def _class_globals(table: symtable.SymbolTable) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """(class, row) -> the globals that its body reads and does not bind."""
    if isinstance(table, symtable.Class):
        names = [s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()]
        names = [n for n in names if not table.lookup(n).is_assigned()]
        if names:
            yield (table.get_name(), table.get_lineno()), sorted(names)
    for child in table.get_children():
        yield from _class_globals(child)


def _guarded_rows(tree: ast.Module) -> Iterator[int]:
    """The rows of the imports that may fail: what then is done stands in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            caught = {n.id for h in node.handlers if h.type for n in ast.walk(h.type) if isinstance(n, ast.Name)}
            if caught & _CATCHING or any(h.type is None for h in node.handlers):
                inner = (n for s in node.body for n in ast.walk(s))
                yield from (n.lineno for n in inner if isinstance(n, (ast.Import, ast.ImportFrom)))


def _first_row(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _outside_of_graphs() -> contextlib.AbstractContextManager[Any]:
    """Top-level code runs before anything is traced: a constant that it makes must not belong to one trace."""
    tensorflow = sys.modules.get("tensorflow")
    scope = getattr(tensorflow, "init_scope", None)
    return scope() if scope is not None else contextlib.nullcontext()
