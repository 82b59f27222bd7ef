"""Edits of a text: which go together, and what they make of it. Newlines stay as they are in the file."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Sequence

from losslint.findings import Edit, Fix, Span
from losslint.sources import split_lines

_NEWLINE = re.compile(r"\r\n|\r|\n")


def apply(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with ``edits``, which do not overlap, made; new lines end as the first line of the text does."""
    return "".join(_parts(text, edits))


def written(text: str, edits: Iterable[Edit]) -> list[Span]:
    """Where the contents of ``edits`` stand in what ``apply`` makes of ``text``, in order; empty ones are left out."""
    spans: list[Span] = []
    row, column = 1, 1
    for i, part in enumerate(_parts(text, edits)):
        lines = _NEWLINE.split(part)
        end_row, end_column = row + len(lines) - 1, len(lines[-1]) + (column if len(lines) == 1 else 1)
        if i % 2 and part:
            spans.append(Span(row, column, end_row, end_column))
        row, column = end_row, end_column
    return spans


def _parts(text: str, edits: Iterable[Edit]) -> list[str]:
    """What is kept and what is written, by turns."""
    starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
    ending = _NEWLINE.search(text)
    newline = ending[0] if ending else "\n"
    parts = []
    done = 0
    for edit in sorted(set(edits), key=lambda e: e.span):
        first = starts[edit.span.row - 1] + edit.span.column - 1
        last = starts[edit.span.end_row - 1] + edit.span.end_column - 1
        parts += [text[done:first], edit.content.replace("\n", newline)]
        done = last
    return [*parts, text[done:]]


def disjoint(fixes: Iterable[Fix]) -> list[int]:
    """The indices of fixes that can be made at once: the first that comes wins, and what says the same goes along."""
    taken: list[Edit] = []
    chosen = []
    for i, fix in enumerate(fixes):
        fresh = [e for e in fix.edits if e not in taken]
        if not any(_overlap(e.span, other.span) for e in fresh for other in taken):
            taken += fresh
            chosen.append(i)
    return chosen


def _overlap(a: Span, b: Span) -> bool:
    """Whether two spans share a character or touch: what is inserted at one place has no order."""
    return (a.row, a.column) <= (b.end_row, b.end_column) and (b.row, b.column) <= (a.end_row, a.end_column)


def extract(lines: Sequence[str], span: Span) -> str:
    """The text at ``span``, with newlines as \\n."""
    rows = list(lines[span.row - 1 : span.end_row])
    rows[-1] = rows[-1][: span.end_column - 1]
    rows[0] = rows[0][span.column - 1 :]
    return "\n".join(rows)


def drops_comment(lines: Sequence[str], edit: Edit) -> bool:
    """Whether a comment that stands where ``edit`` is made would be lost."""
    before = extract(lines, edit.span)
    return "#" in before and any(comment not in edit.content for comment in comments(before))


def comments(text: str) -> list[str]:
    """The comments in a piece of source; where it is none by itself, whatever could be one."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(f"(\n{text}\n)").readline))
    except (tokenize.TokenError, SyntaxError):
        return [line[line.index("#") :] for line in split_lines(text) if "#" in line]
    return [token.string for token in tokens if token.type == tokenize.COMMENT]
