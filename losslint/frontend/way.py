"""What a function has to do before a definition inside of it is as its callers know it, told from the syntax.

A loss may be defined in the middle of a factory or of a test that builds and trains a model. What it computes depends
on the few statements there that bind what it reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LEAVES = (ast.Return, ast.Raise, ast.Global, ast.Nonlocal)


def needed_for(inner: ast.stmt, outer: ast.FunctionDef | ast.AsyncFunctionDef) -> list[bool]:
    """For each statement in the body of ``outer`` whether ``inner``, a definition anywhere in it, depends on it.

    It does on the one that holds it; on those that bind a name which it reads, or may change in place what such a
    name holds; on those before it that may leave ``outer``; and on what these depend on in turn. Where ``inner`` is not
    found it is said to depend on all.
    """
    place = next((i for i, s in enumerate(outer.body) if any(n is inner for n in ast.walk(s))), None)
    if place is None:
        return [True] * len(outer.body)
    chosen = {place, *(i for i, s in enumerate(outer.body[:place]) if _may_leave(s))}
    touched = [set(_touched(s)) for s in outer.body]
    needed: set[str] = set()
    todo = list(chosen)
    while todo:
        needed |= {n.id for i in todo for n in ast.walk(outer.body[i]) if isinstance(n, ast.Name)}
        todo = [i for i, names in enumerate(touched) if i not in chosen and not names.isdisjoint(needed)]
        chosen.update(todo)
    return [i in chosen for i in range(len(outer.body))]


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
            if isinstance(node.func, ast.Attribute) and not node.func.attr.startswith("assert"):
                yield from _base(node.func)
            if isinstance(statement, ast.Expr):  # its result is dropped: it is called for what it does to these
                for argument in (*node.args, *(k.value for k in node.keywords)):
                    yield from _base(argument)


def _base(tree: ast.expr) -> Iterator[str]:
    """The name that ``tree`` starts from: ``a`` of ``a.b[c].d``."""
    while isinstance(tree, (ast.Attribute, ast.Subscript, ast.Starred)):
        tree = tree.value
    if isinstance(tree, ast.Name):
        yield tree.id
