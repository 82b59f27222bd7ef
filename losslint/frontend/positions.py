"""Where the trees of libcst stand, with and without what surrounds them, in one pass over a tree.

libcst computes positions by writing the code out. Its two providers do so once each, behind a wrapper that walks over
the tree again; here both ranges of every tree are noted while the code is written out once.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.metadata.position_provider import PositionProvidingCodegenState

Range = tuple[int, int, int, int]
"""Row, column, end row, end column, as libcst counts: rows from 1, columns from 0."""


class Positions(PositionProvidingCodegenState):
    """``inner`` holds the range of each tree itself, ``outer`` that of its parentheses and white space as well."""

    def __init__(self, tree: cst.Module) -> None:
        super().__init__(default_indent=tree.default_indent, default_newline=tree.default_newline, provider=None)  # type: ignore[arg-type]
        self.inner: dict[cst.CSTNode, Range] = {}
        self.outer: dict[cst.CSTNode, Range] = {}
        self._starts: list[tuple[int, int]] = []
        tree._codegen(self)

    # -- what libcst calls while it writes -------------------------------------------------------------------------
    def add_token(self, value: str) -> None:
        """``value`` is written."""
        if "\n" in value or "\r" in value:
            self._update_position(value)
        else:
            self.column += len(value)

    def add_indent_tokens(self) -> None:
        """So is the indentation."""
        self.column += sum(map(len, self.indent_tokens))

    def before_codegen(self, node: cst.CSTNode) -> None:
        """All of ``node`` starts here."""
        self._starts.append((self.line, self.column))

    def after_codegen(self, node: cst.CSTNode) -> None:
        """And ends here."""
        found = (*self._starts.pop(), self.line, self.column)
        self.outer.setdefault(node, found)
        self.inner.setdefault(node, found)

    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Any:
        """What is written inside of the context is ``node`` itself, or from ``start_node`` to ``end_node``."""
        return _Itself(self, node, start_node, end_node)


class _Itself:
    __slots__ = ("_end", "_node", "_positions", "_start", "_started")

    def __init__(
        self, positions: Positions, node: cst.CSTNode, start: cst.CSTNode | None, end: cst.CSTNode | None
    ) -> None:
        self._positions, self._node, self._start, self._end = positions, node, start, end

    def __enter__(self) -> None:
        self._started = self._positions.line, self._positions.column

    def __exit__(self, *_: object) -> None:
        positions = self._positions
        start = self._started if self._start is None else positions.inner[self._start][:2]
        end = (positions.line, positions.column) if self._end is None else positions.inner[self._end][2:]
        positions.inner[self._node] = (*start, *end)
