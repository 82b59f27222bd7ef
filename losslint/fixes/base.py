"""How a fix is written: a function from a draft and its subject to a ``Fix``, tied to its rule by the code."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from losslint.checks.base import Draft
from losslint.findings import Edit, Fix
from losslint.fixes.edits import drops_comment
from losslint.frontend.module import Module

SAFE, UNSAFE = "safe", "unsafe"

Fixer = Callable[[Draft, Any], "Fix | None"]
_F = TypeVar("_F", bound=Fixer)
FIXERS: dict[str, Fixer] = {}
"""Code -> fixer."""


def fixer(code: str) -> Callable[[_F], _F]:
    """Register the decorated function as what fixes rule ``code``."""

    def register(function: _F) -> _F:
        FIXERS[code] = function
        return function

    return register


def fix_of(draft: Draft, subject: Any) -> Fix | None:
    """The fix of ``draft``, None where there is none. One that would drop a comment is none."""
    _load()
    make = FIXERS.get(draft.code)
    fix = make(draft, subject) if make is not None else None
    if fix is None:
        return None
    module: Module = draft.site.module.module
    return None if any(drops_comment(module.lines, edit) for edit in fix.edits) else fix


def unsafe(message: str, edits: Iterable[Edit] | None) -> Fix | None:
    """A fix that changes results, if only in rounding or at the edge; None where there are no edits."""
    made = tuple(edits or ())
    return Fix(UNSAFE, message, made) if made else None


def safe(message: str, edits: Iterable[Edit] | None) -> Fix | None:
    """A fix that leaves every result as it is; None where there are no edits."""
    made = tuple(edits or ())
    return Fix(SAFE, message, made) if made else None


@functools.cache
def _load() -> None:
    package = importlib.import_module("losslint.fixes")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"losslint.fixes.{module.name}")
