"""Glob patterns as .gitignore has them, and what is none."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

WILD = frozenset("*?[!\\/")
"""What makes a pattern more than a plain name."""


class NoPattern(ValueError):
    """The text is no pattern; it says which."""


def compiled(lines: Sequence[str]) -> Any:
    """The ``pathspec.GitIgnoreSpec`` of ``lines``. Raises NoPattern."""
    import pathspec

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `re` has its doubts about "[[:alpha:]]"
            return pathspec.GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        if len(lines) == 1:
            raise NoPattern(f"{lines[0]!r} is no pattern of .gitignore") from None
    for line in lines:
        compiled([line])  # one of them says that it is none
    raise NoPattern("they are no patterns of .gitignore")


def followed(lines: Sequence[str]) -> Any:
    """The same of those ``lines`` that are patterns: git takes the others for patterns that match nothing."""
    try:
        return compiled(lines)
    except NoPattern:
        return compiled([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    try:
        compiled([line])
    except NoPattern:
        return False
    return True
