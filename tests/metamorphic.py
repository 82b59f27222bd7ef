"""Changes of a program that leave alone what it computes: what is found has to be the same before and after.

Comments do not survive, so a program is compared with itself written anew by ``ast.unparse``.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from losslint import session
from losslint.settings import Settings

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPAQUE = (ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp, ast.Yield, ast.Await, ast.NamedExpr)


def plain(text: str) -> str:
    """``text`` written anew."""
    return ast.unparse(ast.parse(text)) + "\n"


def named(text: str) -> str:
    """``return e`` becomes ``outcome_ = e; return outcome_``."""

    class Change(ast.NodeTransformer):
        def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.AST]:
            if node.value is None or isinstance(node.value, (ast.Name, ast.Constant)):
                return node
            bound = ast.Assign([ast.Name("outcome_", ast.Store())], node.value, lineno=0)
            return [bound, ast.Return(ast.Name("outcome_", ast.Load()))]

    return _written(Change().visit(ast.parse(text)))


def renamed(text: str) -> str:
    """Local variables get other names, which mean the same to a reader."""
    tree = ast.parse(text)
    outer = {n.id for s in tree.body for n in _stored(s) if not isinstance(s, (*_FUNCTIONS, ast.ClassDef))}
    for function in [n for n in ast.walk(tree) if isinstance(n, _FUNCTIONS)]:
        inside = list(ast.walk(function))
        if any(isinstance(n, (ast.ClassDef, ast.Global, ast.Nonlocal)) for n in inside):
            continue
        taken = {n.arg for n in inside if isinstance(n, ast.arg)} | outer
        for name in {n.id for n in _stored(function)} - taken:
            for node in inside:
                if isinstance(node, ast.Name) and node.id == name:
                    node.id = f"{name}_2"
    return _written(tree)


def aliased(text: str) -> str:
    """``import tensorflow as tf`` becomes ``import tensorflow as tf_2``."""
    tree = ast.parse(text)
    stored = {n.id for n in _stored(tree)} | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for statement in [s for s in tree.body if isinstance(s, ast.Import)]:
        for alias in statement.names:
            if alias.asname and alias.asname not in stored:
                for node in ast.walk(tree):
                    if isinstance(node, ast.Name) and node.id == alias.asname:
                        node.id += "_2"
                alias.asname += "_2"
    return _written(tree)


def extracted(text: str) -> str:
    """What a function returns is computed by a helper that is given what it needs, under the names it had."""
    tree = ast.parse(text)
    body: list[ast.stmt] = []
    for statement in tree.body:
        last = statement.body[-1] if isinstance(statement, ast.FunctionDef) else None
        if (
            isinstance(statement, ast.FunctionDef)
            and isinstance(last, ast.Return)
            and isinstance(last.value, ast.BinOp)
        ):
            args = statement.args
            local = {n.id for n in _stored(statement)} | {
                a.arg for a in [*args.posonlyargs, *args.args, *args.kwonlyargs]
            }
            used = [n for n in ast.walk(last.value) if isinstance(n, (ast.Name, *_OPAQUE))]
            if not any(isinstance(n, _OPAQUE) for n in used):
                needed = sorted({n.id for n in used if isinstance(n, ast.Name)} & local)
                name = f"combined_{len(body)}_"  # one that does not say what it is of
                body.append(
                    ast.parse(f"def {name}({', '.join(needed)}):\n    return {ast.unparse(last.value)}").body[0]
                )
                last.value = ast.parse(f"{name}({', '.join(needed)})", mode="eval").body
        body.append(statement)
    tree.body = body
    return _written(tree)


def made(text: str) -> str:
    """A function at the top level is made by a factory without arguments."""
    tree = ast.parse(text)
    body: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and not statement.decorator_list:
            name = statement.name
            factory = ast.parse(f"def make_{name}_():\n    return {name}\n{name} = make_{name}_()").body
            factory[0].body.insert(0, statement)  # type: ignore[attr-defined]
            body += factory
        else:
            body.append(statement)
    tree.body = body
    return _written(tree)


def swapped(text: str) -> str:
    """Neighbouring assignments that need nothing of each other change places."""
    tree = ast.parse(text)
    for function in [n for n in ast.walk(tree) if isinstance(n, _FUNCTIONS)]:
        at = 0
        while at + 1 < len(function.body):
            first, second = function.body[at : at + 2]
            if isinstance(first, ast.Assign) and isinstance(second, ast.Assign) and _are_independent(first, second):
                function.body[at : at + 2] = [second, first]
                at += 1
            at += 1
    return _written(tree)


SAME_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "results are named": named, "variables renamed": renamed, "modules renamed": aliased, "assignments swapped": swapped
}  # fmt: skip
"""Changes after which findings stand in the functions where they stood."""
OTHER_FUNCTIONS: dict[str, Callable[[str], str]] = {"helpers extracted": extracted, "made by factories": made}
"""Changes after which they may stand in others."""


def findings(text: str, path: Path, by_function: bool) -> Counter[tuple[str, ...]]:
    """What is found in ``text`` in place of the file at ``path``."""
    result = session.check_text(text.encode(), str(path), Settings())
    return Counter((f.function, f.code) if by_function else (f.code,) for f in result.findings)


def differences(text: str, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each change, and what is found only without it (-) or only with it (+)."""
    before = plain(text)
    for changes, by_function in ((SAME_FUNCTIONS, True), (OTHER_FUNCTIONS, False)):
        known = findings(before, path, by_function)
        for name, change in changes.items():
            after = change(before)
            if after != before:
                told = findings(after, path, by_function)
                lost = [f"-{' '.join(k)}" for k in (known - told).elements()]
                yield name, lost + [f"+{' '.join(k)}" for k in (told - known).elements()]


def _stored(tree: ast.AST) -> Iterator[ast.Name]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def _are_independent(first: ast.Assign, second: ast.Assign) -> bool:
    """Whether two assignments to names share none but what both only read."""
    if not all(isinstance(t, ast.Name) for t in (*first.targets, *second.targets)):
        return False
    names = [{n.id for n in ast.walk(s) if isinstance(n, ast.Name)} for s in (first, second)]
    bound = [{n.id for n in _stored(s)} for s in (first, second)]
    return not names[0] & bound[1] and not bound[0] & names[1]


def _written(tree: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
