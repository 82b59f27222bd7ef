"""Which statements of a function a definition or a call inside of it depends on, told from the syntax.

A loss may be defined in the middle of a factory, or of a test that builds and trains a model. What it computes depends
on the few statements there that bind what it reads.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LEAVES = (ast.Return, ast.Raise, ast.Global, ast.Nonlocal)


def needed_for(wanted: Collection[ast.AST], body: Sequence[ast.stmt]) -> list[bool]:
    """For each statement of ``body`` whether any of ``wanted``, definitions or calls anywhere in it, depends on it.

    They do on those that hold them; on those that bind a name which is read there, or may change in place what such a
    name holds; on those before them that may leave the function; and on what these depend on in turn. Where nothing of
    ``wanted`` is found, all are said to be needed.
    """
    ids = {id(tree) for tree in wanted}
    places = [i for i, s in enumerate(body) if any(id(node) in ids for node in ast.walk(s))]
    if not places:
        return [True] * len(body)
    chosen = {*places, *(i for i, s in enumerate(body[: places[-1]]) if _may_leave(s))}
    touching: dict[str, list[int]] = {}
    for i, statement in enumerate(body):
        for name in _touched(statement):
            touching.setdefault(name, []).append(i)
    todo = list(chosen)
    while todo:
        names = {n.id for n in ast.walk(body[todo.pop()]) if isinstance(n, ast.Name)}
        more = {i for name in names for i in touching.pop(name, ())} - chosen
        chosen |= more
        todo += more
    return [i in chosen for i in range(len(body))]


def _own(tree: ast.AST) -> Iterator[ast.AST]:
    """``tree`` and what is below it, without the insides of functions."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            todo.extend(ast.iter_child_nodes(node))


def _may_leave(statement: ast.stmt) -> bool:
    return any(isinstance(node, _LEAVES) for node in _own(statement))


def _touched(statement: ast.stmt) -> Iterator[str]:
    """The names that ``statement`` binds, and those whose objects it may change."""
    for node in _own(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            yield from _base(node)
        elif isinstance(node, ast.Call):
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if method.startswith("assert"):
                continue
            yield from _base(node.func) if method else ()
            if isinstance(statement, ast.Expr):  # its result is dropped: it is called for what it does to these
                for argument in (*node.args, *(k.value for k in node.keywords)):
                    yield from _base(argument)


def _base(tree: ast.expr) -> Iterator[str]:
    """The name that ``tree`` starts from: ``a`` of ``a.b[c].d``."""
    while isinstance(tree, (ast.Attribute, ast.Subscript, ast.Starred)):
        tree = tree.value
    if isinstance(tree, ast.Name):
        yield tree.id
