"""What comments say to losslint: suppressions, and pragmas for the analysis.

    x = tf.math.log(p)  # losslint: ignore[unclipped-log] p is a softmax with a floor
    # losslint: ignore-file[LL302]     # noqa: LL401        # losslint: not-a-loss

A suppression holds for the statement it stands at (its first or last row, or the row of the finding) or, on a line of
its own, for the statement below. One that suppresses nothing is LL002, one that names nothing LL003.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from losslint import rulebook, statements
from losslint.findings import Finding, Fix, Severity, Span
from losslint.sources import Source

ANALYSIS_PRAGMAS = ("loss", "not-a-loss", "batch-level", "inputs")
_KINDS = ("ignore", "ignore-file", *ANALYSIS_PRAGMAS)
_MARK = r"(?i)losslint:|noqa"
_PRAGMA = r"#\s*losslint:\s*(?P<kind>[\w-]*)\s*(?:\[(?P<listed>[^\]#]*)(?P<closed>\]?))?(?P<rest>[^#]*)"
_NOQA = r"(?i)#\s*noqa(?::\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?"
_CODES = r"(?i)[A-Z]+\d+"
_UNTOLD = ("LL002", "LL003")  # a bare suppression does not hide these: they are about suppressions


class Pragma(NamedTuple):
    """One instruction in a comment. ``row`` is the row it speaks of: its own, or that of the code below."""

    kind: str  # "ignore", "ignore-file", "noqa", "loss", "not-a-loss", "batch-level", "inputs"
    row: int
    span: Span  # of the comment
    names: tuple[str, ...] | None = None  # what ignore[...] or noqa: lists; None where bare
    text: str = ""  # what follows: the reason, or what "inputs" is given
    own_line: bool = False
    problem: str = ""  # why it cannot be followed


@dataclass(slots=True)
class Comments:
    """The pragmas of one file, and where its statements stand (only known where there is something to suppress)."""

    pragmas: list[Pragma] = field(default_factory=list)
    statements: list[tuple[int, int]] = field(default_factory=list)  # first and last row, of compound ones the header's
    lines: list[str] = field(default_factory=list)  # of the source

    @property
    def declares_losses(self) -> bool:
        """Whether some comment speaks to the analysis, and not of findings."""
        return any(p.kind in ANALYSIS_PRAGMAS for p in self.pragmas)

    def rows_of(self, span: Span) -> set[int]:
        """The rows at which a suppression holds for a finding at ``span``."""
        return {span.row, *(statements.around(self.statements, span.row) or ())}


@functools.lru_cache(maxsize=1)  # asked for twice: by the session, and for the analysis
def read_comments(source: Source) -> Comments:
    """The pragmas of ``source``; quick where there are none. Never raises: what does not tokenize ends the search."""
    if not _may_speak_to_us(source.text):
        return Comments()
    found = list(_pragmas(source))
    suppressing = any(p.kind in ("ignore", "noqa") for p in found)
    return Comments(found, statements.rows(source) if suppressing else [], source.lines)


def _may_speak_to_us(text: str) -> bool:
    """Whether ``text`` may hold a pragma: a noqa of other linters' codes is none, and many files have one."""
    lowered = text.lower()
    return "losslint:" in lowered or any(
        match["codes"] is None or any(_is_ours(code.upper()) for code in re.findall(_CODES, match["codes"]))
        for match in (re.finditer(_NOQA, text) if "noqa" in lowered else ())
    )


def pragmas(source: Source) -> dict[int, list[Pragma]]:
    """Row of the code spoken of -> pragmas, for the analysis (loss, not-a-loss, batch-level, inputs)."""
    rows: dict[int, list[Pragma]] = {}
    for pragma in read_comments(source).pragmas:
        if pragma.kind in ANALYSIS_PRAGMAS and not pragma.problem:
            rows.setdefault(pragma.row, []).append(pragma)
    return rows


def _pragmas(source: Source) -> Iterator[Pragma]:
    lines = source.lines
    below: list[int] = []
    for row, column, comment in statements.comments(source):
        if not re.search(_MARK, comment):
            continue
        own_line = not lines[row - 1][: column - 1].strip()
        if own_line and not below:
            below = _code_below(lines)
        spoken_of = below[row - 1] if own_line else row
        for kind, start, end, names, text, problem in _parse(comment):
            span = Span(row, column + start, row, column + end)
            yield Pragma(kind, row if kind == "noqa" else spoken_of, span, names, text, own_line, problem)


def _code_below(lines: list[str]) -> list[int]:
    """For each row the row of the code that a comment alone on it speaks of: the next one that is no comment.

    The row itself where only comments follow.
    """
    found = list(range(1, len(lines) + 1))
    for i in range(len(lines) - 2, -1, -1):
        if not lines[i + 1].lstrip().startswith("#"):
            found[i] = i + 2
        elif found[i + 1] > i + 2:
            found[i] = found[i + 1]
    return found


def _parse(comment: str) -> Iterator[tuple[str, int, int, tuple[str, ...] | None, str, str]]:
    """Kind, start, end, names, text and problem of each instruction in ``comment``."""
    for match in re.finditer(_PRAGMA, comment):
        kind, listed, text = match["kind"], match["listed"], match["rest"].strip()
        names = tuple(n.strip() for n in listed.split(",") if n.strip()) if listed is not None else None
        problem = ""
        if kind not in _KINDS:
            problem = f"there is no pragma {kind!r}{rulebook.hint(kind, _KINDS)}"
        elif listed is not None and not match["closed"]:
            problem = f"the bracket of {kind!r} is not closed"
        elif kind in ("ignore", "ignore-file") and names == ():
            problem = f"{kind!r} names no rule between its brackets"
        elif kind == "inputs" and not text:
            problem = "'inputs' says nothing: give it names and values, as in y_true=int32[B] y_pred=prob[B,10]"
        elif kind in ANALYSIS_PRAGMAS and names is not None:
            problem = f"{kind!r} takes no brackets"
        yield kind, match.start(), match.start() + len(match[0].rstrip()), names, text, problem
    for match in re.finditer(_NOQA, comment):
        codes = match["codes"]
        names = None if codes is None else tuple(filter(_is_ours, map(str.upper, re.findall(_CODES, codes))))
        if names != ():  # a noqa of other linters' codes is not for us
            yield "noqa", match.start(), match.end(), names, "", ""


def _is_ours(code: str) -> bool:
    """Whether a code that a noqa lists speaks to losslint, or to another linter."""
    return re.fullmatch(r"LL\d+", code) is not None or code in rulebook.rules()


def apply(findings: list[Finding], comments: Comments, filename: str, judged: frozenset[str]) -> list[Finding]:
    """``findings`` of one file without the suppressed ones, and with LL002 and LL003.

    ``judged`` are the codes that were looked for: of no other can be said that suppressing it is of no use.
    """
    used: set[tuple[int, str | None]] = set()
    at: dict[int, list[int]] = {}  # row, 0 for the whole file -> the indices of the suppressions that speak of it
    for index, pragma in enumerate(comments.pragmas):
        if not pragma.problem and pragma.kind in ("ignore", "ignore-file", "noqa"):
            at.setdefault(0 if pragma.kind == "ignore-file" else pragma.row, []).append(index)
    kept = [f for f in findings if not _suppress(f, comments, at, used)]
    own = [*_unknown(comments, filename), *_unused(comments, filename, judged, used)]
    return kept + [f for f in own if not _suppress(f, comments, at, used)]


def _suppress(
    finding: Finding, comments: Comments, at: dict[int, list[int]], used: set[tuple[int, str | None]]
) -> bool:
    """Whether a pragma hides ``finding``; every one that does is noted in ``used``, by its index and the name in it."""
    if not at:
        return False
    name = rulebook.name_of(finding.code)
    hidden = False
    for index in (i for row in (0, *comments.rows_of(finding.span)) for i in at.get(row, ())):
        names = comments.pragmas[index].names
        if names is None:
            matched: list[str | None] = [None] if finding.code not in _UNTOLD else []
        else:
            matched = [n for n in names if n in (finding.code, name)]
        used.update((index, n) for n in matched)
        hidden |= bool(matched)
    return hidden


def _unknown(comments: Comments, filename: str) -> Iterator[Finding]:
    """LL003 for every pragma that cannot be followed."""
    for pragma in comments.pragmas:
        if pragma.problem:
            yield _own("LL003", pragma.problem, filename, pragma)
        for name in pragma.names or ():
            if not pragma.problem and not _is_rule(name):
                message = f"there is no rule {name!r} to suppress{_hint(name)}"
                yield _own("LL003", message, filename, pragma)


@functools.lru_cache(maxsize=256)  # who misspells a name does so again
def _hint(name: str) -> str:
    return rulebook.hint(name, [*rulebook.rules(), *rulebook.codes_by_name()])


def _unused(
    comments: Comments, filename: str, judged: frozenset[str], used: set[tuple[int, str | None]]
) -> Iterator[Finding]:
    """LL002 for every suppression, and every name in one, that suppressed nothing."""
    if not comments.pragmas:
        return
    from losslint.fixes.comments import removal

    for index, pragma in enumerate(comments.pragmas):
        if pragma.problem or pragma.kind not in ("ignore", "ignore-file", "noqa"):
            continue
        if pragma.names is None:
            # a bare noqa is for every linter; a bare ignore is idle only if everything was looked for
            if pragma.kind != "noqa" and (index, None) not in used and judged >= frozenset(rulebook.rules()):
                fix = removal(comments.lines, pragma, None)
                yield _own("LL002", f"{pragma.kind!r} suppresses nothing here", filename, pragma, fix)
            continue
        for name in pragma.names:
            if (index, name) not in used and _is_rule(name) and rulebook.find(name).code in judged - set(_UNTOLD):
                message = f"{name} is not found here: there is nothing to suppress"
                yield _own("LL002", message, filename, pragma, removal(comments.lines, pragma, name))


def _is_rule(name: str) -> bool:
    return name in rulebook.rules() or name in rulebook.codes_by_name()


def _own(code: str, message: str, filename: str, pragma: Pragma, fix: Fix | None = None) -> Finding:
    help = "remove it" if code == "LL002" else ""
    return Finding(code, Severity.WARNING, message, filename, pragma.span, "<module>", help=help, fix=fix)
