"""The top level of a file as statements that run one by one, each when a name that it binds is needed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_COMPOUND = ("body", "orelse", "finalbody")
_FLOW = (ast.Break, ast.Continue, ast.Pass)
_MUTATORS = frozenset(
    "append extend update add insert setdefault add_argument set_defaults remove discard pop sort reverse".split()
)
"""Methods that only fill the object they are called on: nothing that trains, saves or talks to the world."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One statement of the top level, or one name of an import."""

    index: int
    node: ast.stmt
    binds: frozenset[str]
    changes: frozenset[str]  # what it fills without binding it: ``table["a"] = 1``

    def replaces(self, name: str) -> bool:
        """Whether it gives ``name`` a value whatever that had before."""
        if name not in self.binds:
            return False
        if isinstance(self.node, (ast.Assign, ast.AnnAssign, ast.ClassDef)):
            return name not in set(loads(self.node))
        return isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom))


def units(tree: ast.Module) -> list[Unit]:
    """The statements of ``tree`` that may run. Expressions and the main guard are none."""
    found: list[Unit] = []
    imported = set(_imported_names(tree))
    for statement in tree.body:
        for part in _parts(statement):
            if isinstance(part, ast.AnnAssign) and part.value is None:
                continue
            if _is_main_guard(part) or (isinstance(part, ast.ImportFrom) and part.names[0].name == "*"):
                continue
            changed = frozenset(changes(part)) - imported
            if isinstance(part, ast.Expr) and (flags := _defines_flags(part)):
                changed = changed | {flags} | _named_flags(tree)
            found.append(Unit(len(found), part, frozenset(stores(part)), changed))
    return found


def star_imports(tree: ast.Module) -> list[ast.ImportFrom]:
    """``from x import *`` at the top level, those inside try and if included."""
    return [n for s in tree.body for n in _here(s) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]


def _parts(statement: ast.stmt) -> list[ast.stmt]:
    """An import of several names is several imports: each runs when its name is needed."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)) and len(statement.names) > 1:
        return [with_fields(statement, names=[alias]) for alias in statement.names]
    return [statement]


def stores(node: ast.AST) -> Iterator[str]:
    """The names that ``node`` binds in its own scope."""
    for child in _here(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name
        elif isinstance(child, (ast.Import, ast.ImportFrom)):
            for alias in child.names:
                if alias.name != "*":
                    yield alias.asname or alias.name.split(".")[0]
        elif isinstance(child, (ast.MatchAs, ast.MatchStar)) and child.name:
            yield child.name
        elif isinstance(child, ast.MatchMapping) and child.rest:
            yield child.rest


def loads(node: ast.AST) -> Iterator[str]:
    """The names that ``node`` reads, at any depth."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
            yield child.id
        elif isinstance(child, ast.AugAssign) and isinstance(child.target, ast.Name):
            yield child.target.id


def changes(node: ast.AST) -> Iterator[str]:
    """The names of the objects that ``node`` fills in place."""
    for child in _here(node):
        if isinstance(child, (ast.Attribute, ast.Subscript)) and isinstance(child.ctx, ast.Store):
            yield from root(child)
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Call):
            function = child.value.func
            if isinstance(function, ast.Attribute) and function.attr in _MUTATORS:
                yield from root(function.value)


def root(node: ast.AST) -> Iterator[str]:
    """``a`` of ``a.b[c].d``."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """``node`` and what it holds, without the bodies of the functions, classes and comprehensions in it."""
    yield node
    if isinstance(node, _SCOPES):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _COMPREHENSIONS):  # only a walrus binds outside
            yield from (n.target for n in ast.walk(child) if isinstance(n, ast.NamedExpr))
        else:
            yield from _here(child)


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        for node in _here(statement):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield from stores(node)


def _defines_flags(statement: ast.Expr) -> str:
    """``flags`` of ``flags.DEFINE_float(...)``."""
    call = statement.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr.startswith("DEFINE_"):
        return next(root(call.func), "")
    return ""


def _named_flags(tree: ast.Module) -> frozenset[str]:
    """The names of ``FLAGS = flags.FLAGS`` and the like."""
    return frozenset(
        name
        for s in tree.body
        if isinstance(s, ast.Assign) and isinstance(s.value, ast.Attribute) and s.value.attr == "FLAGS"
        for name in stores(s)
    )


def _is_main_guard(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.If):
        return False
    names = {n.id for n in ast.walk(statement.test) if isinstance(n, ast.Name)}
    constants = {n.value for n in ast.walk(statement.test) if isinstance(n, ast.Constant)}
    return "__name__" in names and "__main__" in constants


def narrowed(statement: ast.stmt, name: str, done: frozenset[int]) -> ast.stmt | None:
    """``statement`` with what ``name`` needs of it, less the parts in ``done`` (ids of nodes); None for nothing.

    Only compound statements are narrowed. What may fail in a ``try`` decides how it goes on, so its body stays whole.
    """
    if not _bodies(statement):
        return None if id(statement) in done else statement
    needed = {name}
    parts = [s for s in _nested(statement) if not _bodies(s)]
    before = -1
    while before != len(needed):
        before = len(needed)
        for part in parts:
            bound = {*stores(part), *changes(part)}
            if bound & needed:
                needed |= set(loads(part)) & {*stores(statement)}
        for block in (statement, *_nested(statement)):
            if isinstance(block, ast.Try) and not needed.isdisjoint(stores(block)):
                needed |= {n for s in block.body for n in stores(s)}
    return _narrowed(statement, needed, done)


def _narrowed(statement: ast.stmt, needed: set[str], done: frozenset[int]) -> ast.stmt | None:
    if not _bodies(statement):
        keep = not needed.isdisjoint((*stores(statement), *changes(statement))) or isinstance(statement, _FLOW)
        keep = keep or _only_looks(statement)
        return statement if keep and id(statement) not in done else None
    if _is_main_guard(statement):
        return None
    new: dict[str, Any] = {}
    kept = not needed.isdisjoint(stores(with_fields(statement, **{n: [] for n in (*_COMPOUND, "handlers", "cases")})))
    for name in _COMPOUND:
        if getattr(statement, name, None):
            new[name] = [s for s in (_narrowed(s, needed, done) for s in getattr(statement, name)) if s is not None]
            kept = kept or any(not isinstance(s, (*_FLOW, ast.Expr)) for s in new[name])
    for name in ("handlers", "cases"):
        if getattr(statement, name, None):
            inner = [(h, [_narrowed(s, needed, done) for s in h.body]) for h in getattr(statement, name)]
            kept = kept or any(s is not None and not isinstance(s, _FLOW) for _, body in inner for s in body)
            kept = kept or any(not needed.isdisjoint(stores(with_fields(h, body=[]))) for h, _ in inner)
            new[name] = [with_fields(h, body=[s for s in body if s] or [_pass(h.body[0])]) for h, body in inner]
    if not kept:
        return None
    new["body"] = new.get("body") or [_pass(statement)]
    if "cases" in new:
        del new["body"]
    made: ast.stmt = with_fields(statement, **new)
    return made


def _only_looks(statement: ast.stmt) -> bool:
    """Whether this is ``unicode`` alone, which asks in a ``try`` if there is such a name."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, (ast.Name, ast.Attribute))


def simple_parts(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in a compound one that are none themselves."""
    yield from (s for s in (statement, *_nested(statement)) if not _bodies(s))


def _bodies(statement: ast.AST) -> list[Sequence[ast.stmt]]:
    """The blocks of a compound statement; none for a definition, which runs as one."""
    if isinstance(statement, _SCOPES):
        return []
    own = [getattr(statement, n) for n in _COMPOUND if getattr(statement, n, None)]
    more: Iterable[Any] = [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
    return own + [h.body for h in more]


def _nested(statement: ast.AST) -> Iterator[ast.stmt]:
    for block in _bodies(statement):
        for inner in block:
            yield inner
            yield from _nested(inner)


def with_fields(node: Any, **fields: Any) -> Any:
    """A shallow copy of ``node`` with other fields, as far as it has them."""
    old = {n: getattr(node, n) for n in node._fields if hasattr(node, n)}
    made = type(node)(**(old | {n: v for n, v in fields.items() if n in node._fields}))
    return ast.copy_location(made, node)


def _pass(at: ast.AST) -> ast.stmt:
    return ast.copy_location(ast.Pass(), at)
