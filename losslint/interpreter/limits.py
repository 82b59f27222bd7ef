"""How large the Python values may get that the interpreter computes: a program of a few lines can ask for anything."""

from __future__ import annotations

import re
from typing import Any

HUGE = 10_000
"""Elements or characters of a value, and exponents, beyond which nothing is computed."""
_BITS = 100_000
"""Bits of an integer beyond which nothing is computed."""
_WIDE = re.compile(r"%[^a-zA-Z%]*(\d{4}|\*)")
"""A width or precision that makes a long string of anything."""


def is_huge(name: str, left: Any, right: Any) -> bool:
    """Whether computing ``left <operator> right`` would make something that is only worth its memory to the program."""
    if name in ("Power", "LeftShift") and isinstance(right, (int, float)):
        factor = abs(right) if name == "Power" else 1 + abs(right)
        return abs(right) > HUGE or (isinstance(left, int) and left.bit_length() * factor > _BITS)
    if name == "Modulo" and isinstance(left, str):
        return bool(_WIDE.search(left))
    sizes = [len(x) for x in (left, right) if isinstance(x, (str, bytes, list, tuple))]
    counts = [x for x in (left, right) if isinstance(x, int)]
    if name == "Multiply" and sizes:
        return sizes[0] * max(counts, default=1) > HUGE
    if name == "Multiply" and len(counts) == 2:
        return sum(x.bit_length() for x in counts) > _BITS
    return name == "Add" and sum(sizes) > HUGE


def is_heavy(value: Any) -> bool:
    """Whether ``value`` holds more than ``HUGE`` values, those that are shared counted each time.

    Whoever walks over a value meets them as often: forty times ``x = [x, x]`` would be walked over forever.
    """
    todo, seen = [value], 0
    while todo and seen <= HUGE:
        found = todo.pop()
        seen += 1
        if isinstance(found, (list, tuple)):
            todo.extend(found)
        elif isinstance(found, dict):
            todo.extend(found.values())
    return seen > HUGE


def makes_long_text(owner: str, name: str, args: list[Any]) -> bool:
    """Whether ``owner.name(*args)`` may be a string of more than ``HUGE`` characters."""
    if name == "replace":
        return len(owner) * max([len(a) for a in args[1:2] if isinstance(a, str)], default=0) > HUGE
    if name == "join":
        parts = args[0] if args and isinstance(args[0], (list, tuple)) else ()
        return sum(len(p) + len(owner) for p in parts if isinstance(p, str)) > HUGE
    return False
