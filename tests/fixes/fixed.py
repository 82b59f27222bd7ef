"""Applies fixes for the tests, and compares what stands before and after."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

from losslint import session
from losslint.session import Result
from losslint.settings import Resolver


def check(folder: Path, *, unsafe: bool = True, fix: bool = True, select: str = "ALL") -> Result:
    """Lint ``folder`` down to info, with the fixes made in memory."""
    options = {"min-severity": "info", "fix": fix, "unsafe-fixes": unsafe, "select": [select]}
    return session.check([str(folder)], Resolver(options, None, True), jobs=1)


def fixed_text(folder: Path, source: str, *, unsafe: bool = True, select: str = "ALL") -> str:
    """``source`` with all its fixes."""
    path = folder / "losses.py"
    path.write_text(source, encoding="utf-8")
    result = check(folder, unsafe=unsafe, select=select)
    assert result.warnings == [], "a fix broke a promise"
    return result.changes[0].after if result.changes else source


def comments(source: str) -> list[str]:
    """Every comment of ``source``, in order."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [t.string for t in tokens if t.type == tokenize.COMMENT]


def changed_rows(before: str, after: str) -> set[int]:
    """The rows that differ, where no row was added or taken away."""
    rows = list(zip(before.splitlines(), after.splitlines(), strict=True))
    return {number for number, (a, b) in enumerate(rows, 1) if a != b}


def functions(source: str) -> dict[str, str]:
    """The source of each top-level function and class by its name, as ``ast`` prints it."""
    return {n.name: ast.unparse(n) for n in ast.parse(source).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
