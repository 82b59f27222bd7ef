"""Which files can hold anything to analyse, told from the text and the symbol table: no tree is built for the others.

Python's parser makes a symbol table in two thirds of the time of a tree, and to read the names of functions and
parameters off it costs next to nothing, where a walk over the tree costs as much again as the tree. Whatever passes
is looked at properly; what does not pass, ``frontend.discovery`` and ``subjects`` would find nothing in.
"""

from __future__ import annotations

import _symtable  # type: ignore[import-not-found]  # `symtable` wraps each scope in an object of its own
import functools
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from losslint.frontend.names import is_label_name, is_loss_name, is_metric_name, role_of
from losslint.frontend.words import CLASS_WORDS, METRIC_FILE, NO_LOSS

_FRAMEWORK = re.compile(r"tensorflow|keras|\btf\b|\bK\b|backend|[Ll]oss|LOSS")
"""Without one of these words a file is no TensorFlow code, nor a part of some."""
_WORDS = re.compile(
    r"\b(?:gradient|minimize|compute_gradients|add_loss|get_updates)\b"  # what makes a function a training step
    r"|(?<!\bre\.)(?<!\bregex\.)\bcompile\b"
    r"|\blosses\b|\.(?:metrics|objectives)\."  # by which losses are chosen
)
_PARTS = ("gradient", "minimize", "add_loss", "get_updates", "compile", "losses", ".metrics.", ".objectives.")
"""Without one of these texts none of the words is met; to look for them takes a tenth of the time."""
_CLASS = re.compile(r"\bclass\s+(\w+)\s*\((?:(.{0,1000}?)\)\s{0,9}:)?", re.DOTALL)
"""A class and its bases, unless they are too long to be looked for: a text may hold many a beginning and no end."""
_OPEN = r"[\[{#\"'\\]|lambda"
"""What may hide the end of a list of base classes."""


def may_matter(text: str) -> bool:
    """Whether ``text`` can be TensorFlow or Keras code at all."""
    return _FRAMEWORK.search(text) is not None


def symbols(text: str, filename: str) -> Any | None:
    """The symbol table of ``text``; None where Python cannot make one, which does not say that it cannot parse it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _symtable.symtable(text, filename, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def says_so(text: str, path: Path) -> bool:
    """Whether the words of the file at ``path`` speak of a training step, a loss class or a call there are checks for.

    Comments and settings that declare losses are not looked at.
    """
    if any(part in text for part in _PARTS) and _WORDS.search(text) is not None:
        return True
    if re.search(METRIC_FILE, path.stem) or re.search(METRIC_FILE, path.parent.name):
        return True
    return any(_may_be_loss_class(match) for match in _CLASS.finditer(text))


def may_define_losses(table: Any) -> bool:
    """Whether a function in the symbol ``table`` of a file may be a loss."""
    return any(_may_be_loss(*scope) for scope in _functions(table, ()))


def _may_be_loss_class(match: re.Match[str]) -> bool:
    name, bases = match.groups()
    if bases is None or re.search(_OPEN, bases):
        return True
    return any(_says_loss(word) for word in (name, *re.findall(r"\w+", bases)))


@functools.lru_cache(maxsize=8192)
def _says_loss(word: str) -> bool:
    return re.search(CLASS_WORDS, word) is not None or is_loss_name(word)


def _functions(table: Any, outer: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """The name of each function, the names of those around it, and its parameters."""
    for child in table.children:
        inside = outer
        if child.type == _symtable.TYPE_FUNCTION and child.name != "lambda" and child.varnames != [".0"]:
            yield child.name, outer, child.varnames
            inside = (*outer, child.name)
        if child.children:
            yield from _functions(child, inside)


def _may_be_loss(name: str, outer: tuple[str, ...], parameters: list[str]) -> bool:
    kind = _kind_of(name)
    if kind == "no":
        return False
    if kind == "loss" or any(_kind_of(o) == "loss" or is_loss_name(o) for o in outer):
        return True
    given = parameters[:5]
    if any(map(_is_mangled, given)):
        return True
    return any(map(is_label_name, given)) and any(role_of(p) == "prediction" for p in given)


@functools.lru_cache(maxsize=16384)
def _kind_of(name: str) -> str:
    """ "no" for the name of a function that is no loss, "loss" for one that may be, by itself, a loss or a metric."""
    if name.startswith("__") or re.search(NO_LOSS, name):
        return "no"
    return "loss" if is_loss_name(name) or is_metric_name(name) else ""


def _is_mangled(parameter: str) -> bool:
    """Whether it may be another name: inside of a class the table holds "_Class__name" for "__name"."""
    return parameter.startswith("_") and "__" in parameter[1:]
