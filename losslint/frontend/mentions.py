"""Where a file mentions the functions at its top level: some are nothing but parts of others."""

from __future__ import annotations

import ast
from collections import Counter


def callers(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Function -> the other statements at the top level that call it.

    Left out is what is also mentioned in any other way: passed on, listed, named in a string, an attribute.
    """
    functions = {s.name for s in tree.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))}
    found: dict[str, list[ast.stmt]] = {}
    otherwise: set[str] = set()
    for statement in tree.body:
        mentioned, called = Counter[str](), Counter[str]()
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                mentioned[node.id] += 1
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                mentioned[node.value] += 1
            elif isinstance(node, ast.Attribute):
                mentioned[node.attr] += 1
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called[node.func.id] += 1
        own = getattr(statement, "name", "")
        for name in functions & mentioned.keys() - {own}:
            if mentioned[name] == called[name]:
                found.setdefault(name, []).append(statement)
            else:
                otherwise.add(name)
    return {name: statements for name, statements in found.items() if name not in otherwise}
