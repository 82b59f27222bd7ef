"""Where the statements of a file stand, and how one reads once layout and comments are taken away.

Suppressions hold for a statement; fingerprints and baselines know a finding again by the statement it is in.
"""

from __future__ import annotations

import ast
import bisect
import functools
import io
import re
import sys
import tokenize
from collections.abc import Iterator

from losslint.sources import Source, parse

_LAYOUT = r"[\s\\]+"
_LAST_COMMA = r",(?=[)\]}])"


def comments(source: Source) -> Iterator[tuple[int, int, str]]:
    """Row, column (from 1) and text of every comment up to where the source stops being Python."""
    text = source.text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1] + 1, token.string
    except (tokenize.TokenError, SyntaxError):
        return


def rows(source: Source) -> list[tuple[int, int]]:
    """First and last row of every statement, of compound ones those of the header; [] where it does not parse."""
    try:
        tree = parse(source.text, source.filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.ExceptHandler)):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            body = getattr(node, "body", None) or getattr(node, "cases", None)
            last = (_first_row(body[0]) - 1) if body else (node.end_lineno or node.lineno)
            found.append((first, max(first, last, node.lineno)))
    return sorted(found)


def _first_row(node: ast.AST) -> int:
    found: list[int] = [d.lineno for d in getattr(node, "decorator_list", [])]
    found.append(node.pattern.lineno if isinstance(node, ast.match_case) else getattr(node, "lineno", 1))
    return min(found)


def around(statements: list[tuple[int, int]], row: int) -> tuple[int, int] | None:
    """The statement of ``statements`` (sorted) that ``row`` is in; None between them."""
    index = bisect.bisect_right(statements, (row, sys.maxsize)) - 1
    return statements[index] if index >= 0 and row <= statements[index][1] else None


class Statements:
    """The statements of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def normal(self, row: int) -> str:
        """The statement at ``row`` without what a formatter may change: layout, comments, quotes, last commas."""
        first, last = around(self._rows, row) or (row, row)
        lines = self._source.lines[first - 1 : last]
        code = [line[: self._comments.get(first + i, len(line))] for i, line in enumerate(lines)]
        return re.sub(_LAST_COMMA, "", re.sub(_LAYOUT, "", "".join(code)).replace("'", '"'))

    @functools.cached_property
    def _rows(self) -> list[tuple[int, int]]:
        return rows(self._source)

    @functools.cached_property
    def _comments(self) -> dict[int, int]:
        """Row -> where its comment starts, as an index from 0."""
        return {row: column - 1 for row, column, _ in comments(self._source)}
