"""Inline losses: what a training step or a script computes before it differentiates, as a function of its own."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass
class Inline:
    """The function that computes an inline loss; ``parameters`` are (name, "argument", "model" or "loop")."""

    function: ast.FunctionDef
    parameters: list[tuple[str, str]]
    owner: str = ""  # the class whose instance ``self`` is
    notes: list[str] = field(default_factory=list)


def computing(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, cls: str) -> ast.FunctionDef:
    """The part of ``function``, a method of ``cls``, that computes ``self.name``; it returns that."""
    raise NotImplementedError
