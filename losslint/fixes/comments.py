"""LL002: the suppression that suppresses nothing goes, with its reason; other comments on the line stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from losslint.findings import Edit, Fix, Span

if TYPE_CHECKING:
    from losslint.suppressions import Pragma


def removal(lines: Sequence[str], pragma: Pragma, name: str | None) -> Fix:
    """What takes ``name`` out of ``pragma``; all of it, where nothing is left then."""
    span = pragma.span
    line = lines[span.row - 1]
    left = [n for n in pragma.names or () if n != name] if name is not None else []
    written = line[span.column - 1 : span.end_column - 1]
    if left and pragma.kind != "noqa":
        head, _, rest = written.partition("[")
        return _fix(span, f"{head}[{', '.join(left)}]{rest.partition(']')[2]}")
    if pragma.kind == "noqa":
        codes = [c for c in written.partition(":")[2].replace(",", " ").split() if c.upper() != name]
        if codes:
            return _fix(span, f"{written.partition(':')[0]}: {', '.join(codes)}")
    after = line[span.end_column - 1 :]
    if after.strip() and not after.lstrip().startswith("#"):
        return _fix(span, "#")  # a reason without brackets stays a comment
    before = line[: span.column - 1]
    if after.strip():
        return _fix(Span(span.row, span.column, span.row, len(line) - len(after.lstrip()) + 1), "")
    if before.strip():
        return _fix(Span(span.row, len(before.rstrip()) + 1, span.row, len(line) + 1), "")
    if span.row < len(lines):
        return _fix(Span(span.row, 1, span.row + 1, 1), "")
    return _fix(Span(span.row, 1, span.row, len(line) + 1), "")


def _fix(span: Span, content: str) -> Fix:
    return Fix("safe", "Remove the suppression", (Edit(span, content),))
