"""Makes a program that shows a fault smaller, as long as it shows it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tests.programs.grammar import Program

MOST = 150
"""Programs that are tried."""


def minimize(program: Program, shows: Callable[[Program], bool]) -> Program:
    """The smallest program found from which nothing more can be taken away. ``shows`` must not raise."""
    tried = {program.source}
    smaller = True
    while smaller and len(tried) < MOST:
        smaller = False
        for source in _smaller(program.source):
            if source in tried or len(tried) >= MOST:
                continue
            tried.add(source)
            candidate = program._replace(source=source)
            if "y_pred" in source and shows(candidate):
                program, smaller = candidate, True
                break
    return program


def _smaller(source: str) -> Iterator[str]:
    """Programs with a statement left out, or an expression replaced by a part of it."""
    count = sum(1 for _ in ast.walk(ast.parse(source)))
    for index in range(count):
        tree = ast.parse(source)
        node = list(ast.walk(tree))[index]
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list) and len(block) > 1:
                for i in range(len(block)):
                    kept = block.pop(i)
                    yield ast.unparse(tree) + "\n"
                    block.insert(i, kept)
        for name, value in ast.iter_fields(node):
            for item, put in _places(node, name, value):
                for part in _parts(item):
                    put(part)
                    text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
                    put(item)
                    if len(text) < len(source):
                        yield text


def _places(node: ast.AST, name: str, value: object) -> Iterator[tuple[ast.expr, Callable[[ast.expr], None]]]:
    if isinstance(value, ast.expr):
        yield value, lambda new: setattr(node, name, new)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            if isinstance(item, ast.expr):
                yield item, lambda new, i=i: value.__setitem__(i, new)  # type: ignore[misc]


def _parts(tree: ast.expr) -> list[ast.expr]:
    """The expressions inside, the largest first; variables in the end."""
    inside = [
        n for n in ast.walk(tree) if isinstance(n, (ast.Call, ast.BinOp, ast.UnaryOp, ast.Subscript)) and n is not tree
    ]
    names = [ast.Name(x, ast.Load()) for x in ("y_pred", "y_true") if not isinstance(tree, (ast.Name, ast.Constant))]
    return [*inside, *names]
