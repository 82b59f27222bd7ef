"""Backward slices: of a list of statements those that contribute to what is needed after them.

What is needed is a set of words: ``a`` the name, ``a.b`` its attribute, ``a.*`` the whole object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from losslint.confirm.toplevel import stores, with_fields

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FILLING = frozenset("append extend update add insert setdefault watch reset write_grads assign".split())
Block = list[ast.stmt]


def sliced(body: Iterable[ast.stmt], needed: set[str], flow: bool = False) -> tuple[Block, set[str]]:
    """The statements of ``body`` that contribute to ``needed``, and what is needed before them.

    A ``return`` is what is asked for and always stays; ``flow`` keeps what ends a turn of a loop, too.
    """
    statements = list(body)
    functions = [s for s in statements if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
    kept: Block = []
    for statement in reversed(statements):
        needed = needed.union(*(_inner_reads(f) for f in functions if f.name in needed))
        new, needed = _one(statement, needed, flow)
        kept[:0] = new
    return kept, needed


def _one(statement: ast.stmt, needed: set[str], flow: bool) -> tuple[Block, set[str]]:
    if isinstance(statement, ast.Return):
        return [statement], needed | reads(statement)
    if isinstance(statement, ast.If):
        return _if(statement, needed, flow)
    if isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
        return _loop(statement, needed)
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return _with(statement, needed, flow)
    if isinstance(statement, ast.Try):
        return sliced([*statement.body, *statement.orelse, *statement.finalbody], needed, flow)
    if isinstance(statement, (ast.Break, ast.Continue)):
        return ([statement] if flow else []), needed
    bound = set(stores(statement))
    if not bound & needed and not any(map(_wanted(needed), fills(statement))):
        return [], needed
    # what a function reads is needed where it is used, which may be after it was set
    read = _outer_reads(statement) if isinstance(statement, _FUNCTIONS) else reads(statement)
    return [statement], _before(needed, bound if _replaces(statement) else set()) | read


def _if(statement: ast.If, needed: set[str], flow: bool) -> tuple[Block, set[str]]:
    body, first = sliced(statement.body, needed, flow)
    orelse, second = sliced(statement.orelse, needed, flow)
    if not body and not orelse:
        return [], needed
    for block, kept in ((statement.body, body), (statement.orelse, orelse)):
        if block and isinstance(block[-1], ast.Raise):  # nothing is needed there: it does not go on
            kept[:] = [block[-1]]
            first, second = (reads(block[-1]), second) if kept is body else (first, reads(block[-1]))
    new: ast.stmt = with_fields(statement, body=body or [_pass(statement)], orelse=orelse)
    return [new], first | second | reads(statement.test)


def _loop(statement: ast.For | ast.AsyncFor | ast.While, needed: set[str]) -> tuple[Block, set[str]]:
    head = needed | (reads(statement.test) if isinstance(statement, ast.While) else set())
    body, more = sliced(statement.body, needed)
    if not body:
        return [], needed
    while True:  # what one turn needs may be what the turn before made
        body, more = sliced(statement.body, head, flow=True)
        if more <= head:
            break
        head = head | more
    bound = set(stores(statement.target)) if not isinstance(statement, ast.While) else set()
    source = reads(statement.test if isinstance(statement, ast.While) else statement.iter)
    new: ast.stmt = with_fields(statement, body=body, orelse=[])
    return [new], _before(head, bound - needed) | source


def _with(statement: ast.With | ast.AsyncWith, needed: set[str], flow: bool) -> tuple[Block, set[str]]:
    """Only what is used later as ``as name`` matters: the tape that the loss itself asks for a gradient."""
    body, inner = sliced(statement.body, needed, flow)
    items = [i for i in statement.items if i.optional_vars is not None and set(stores(i.optional_vars)) & inner]
    if not body or not items:
        return body, inner
    new: ast.stmt = with_fields(statement, items=items, body=body)
    bound = {name for item in items for name in stores(item)}
    return [new], _before(inner, bound).union(*(reads(item.context_expr) for item in items))


def _wanted(needed: set[str]) -> Any:
    return lambda word: word in needed or ("." in word and f"{word.split('.')[0]}.*" in needed)


def _replaces(statement: ast.stmt) -> bool:
    """Whether the names that ``statement`` binds had no say in their new values."""
    return not isinstance(statement, ast.AugAssign)


def _before(needed: set[str], bound: set[str]) -> set[str]:
    return {word for word in needed if word.split(".")[0] not in bound}


def fills(statement: ast.stmt) -> Iterator[str]:
    """What ``statement`` changes in place, as words."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        if isinstance(function, ast.Attribute) and function.attr in _FILLING:
            targets = [function.value]
            if isinstance(function.value, ast.Name):
                yield function.value.id
                return
    elif isinstance(statement, ast.Assign):
        targets = [t for target in statement.targets for t in getattr(target, "elts", [target])]
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    for target in targets:
        node: ast.expr = target
        while isinstance(node, (ast.Subscript, ast.Starred)) or (
            isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Name)
        ):
            node = node.value
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name) and node is not target:
            yield node.id


def reads(node: ast.AST) -> set[str]:
    """What ``node`` reads from around it, as words."""
    if isinstance(node, ast.Name):
        return {node.id, f"{node.id}.*"} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return {node.value.id, f"{node.value.id}.{node.attr}"}
    if isinstance(node, ast.AugAssign):
        target = with_fields(node.target, ctx=ast.Load())
        return reads(target) | reads(node.value)
    if isinstance(node, _FUNCTIONS):
        return _inner_reads(node) | _outer_reads(node)
    inner = set().union(*(reads(child) for child in ast.iter_child_nodes(node)), set())
    if isinstance(node, _COMPREHENSIONS):
        return _before(inner, {name for g in node.generators for name in stores(g.target)})
    return inner


def _inner_reads(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """What a function reads from around it when it is called."""
    args = node.args
    own = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg) if a}
    body = node.body if isinstance(node.body, list) else [node.body]
    own |= {name for s in body for name in stores(s)}
    return _before(set().union(*map(reads, body)), own)


def _outer_reads(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """What a function reads when it is made."""
    outside = [d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None]
    return set().union(*map(reads, [*outside, *getattr(node, "decorator_list", ())]), set())


def _pass(at: ast.AST) -> ast.stmt:
    return ast.copy_location(ast.Pass(), at)
