"""Writes suppressions for what is found: ``# losslint: ignore[LL302] reason`` where it holds for the finding.

That is at the end of the finding's row; where a string or a continued line goes on there, at the end of the statement;
where that is not possible either, on a line of its own above. Rules that the row already ignores are added to.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from losslint import statements
from losslint.findings import Finding
from losslint.sources import Source

NEVER = frozenset({"LL001", "LL002", "LL003", "LL004"})  # about the file, about suppressions, about losslint itself
_LISTED = re.compile(r"(#\s*losslint:\s*ignore\[)([^\]#]*)(\])")
_END = re.compile(r"(\r\n|\r|\n)")


def ignored(source: Source, findings: Iterable[Finding], reason: str) -> str:
    """The text of ``source`` with a suppression for each of ``findings``, which are of that file."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for finding in findings:
        wanted[finding.span.row].add(finding.code)
    text = source.text
    for row, codes in sorted(wanted.items(), reverse=True):  # from the end: what is above keeps its row
        text = _with_comment(Source(source.filename, text), row, sorted(codes), reason)
    return text


def _with_comment(source: Source, row: int, codes: list[str], reason: str) -> str:
    parts = _END.split(source.text)  # line, end, line, end, ..., line
    first, last = statements.around(statements.rows(source), row) or (row, row)
    for at in (row, last):
        for place, column, comment in statements.comments(source):
            if place == at and (known := _LISTED.search(comment)):
                names = ", ".join(dict.fromkeys([*(n.strip() for n in known[2].split(",") if n.strip()), *codes]))
                line = parts[2 * (at - 1)]
                start = column - 1 + known.start()
                parts[2 * (at - 1)] = f"{line[:start]}{known[1]}{names}{known[3]}{line[column - 1 + known.end() :]}"
                return "".join(parts)
    comment = f"# losslint: ignore[{', '.join(codes)}] {reason}"
    for at in (row, last):
        changed = parts.copy()
        changed[2 * (at - 1)] = f"{parts[2 * (at - 1)].rstrip()}  {comment}"
        text = "".join(changed)
        if _is_comment(Source(source.filename, text), at, comment):
            return text
    line = parts[2 * (first - 1)]
    end = parts[2 * first - 1] if len(parts) > 2 * first - 1 else "\n"
    parts[2 * (first - 1)] = f"{line[: len(line) - len(line.lstrip())]}{comment}{end}{line}"
    return "".join(parts)


def _is_comment(source: Source, row: int, comment: str) -> bool:
    """Whether ``source`` still parses and has ``comment``, or one that ends with it, in ``row``."""
    if not statements.rows(source):
        return False
    return any(place == row and told.endswith(comment) for place, _, told in statements.comments(source))
