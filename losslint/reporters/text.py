"""For people: each finding with the code it is about, the fact at the caret, and the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from losslint import notebooks
from losslint.findings import Finding, Span, Step
from losslint.reporters.concise import closing, heading
from losslint.reporters.lines import STYLE, Lines, Piece, printable, width
from losslint.session import Result
from losslint.sources import split_lines

_MOST_ROWS = 6  # of a long expression the first rows and the last are shown
_MOST_CELLS = 160  # of a long line a window around the caret is shown
_MOST_INPUT = 120
FADED = "blue"  # gutters
_CONSUMERS = {
    "keras": "a loss that Keras reduces",
    "tape": "differentiated as it is",
    "metric": "a metric",
    "unknown": "consumer unknown",
}


def render(result: Result) -> Lines:
    """A frame for each finding, then the summary."""
    lines = {name: source_lines(text) for name, text in result.texts.items()}
    for finding in result.standing:
        yield heading(finding, result.offers(finding))
        yield from frame(finding, lines.get(finding.filename, []))
        yield from _notes(finding)
        yield []
    if result.refuted:
        yield [("Refuted by a run:", "bold")]
    for finding in result.refuted:
        yield heading(finding)
        yield from _verdict(finding, " ")
    if result.refuted:
        yield []
    yield from closing(result)
    if result.limits:
        yield from limits(result.limits)


def source_lines(text: str) -> list[str]:
    """The lines as they stand in the file, or in the cells of a notebook."""
    lines = split_lines(text)
    return list(map(notebooks.original, lines)) if notebooks.MARK in text else lines


def limits(enforced: Mapping[str, str]) -> Iterator[list[Piece]]:
    """What kept the runs inside their limits."""
    told = "; ".join(f"{limit}: {mechanism}" for limit, mechanism in sorted(enforced.items()))
    yield [("Run with these limits: ", ""), (printable(told), "")]


def frame(finding: Finding, lines: list[str]) -> Iterator[list[Piece]]:
    """The rows of the finding, carets under its part of each, the fact behind the last caret."""
    span = finding.span
    rows = [row for row in range(span.row, span.end_row + 1) if row <= len(lines)]
    if not rows or not any(lines[row - 1].strip() for row in rows):
        return
    shown = rows if len(rows) <= _MOST_ROWS else [*rows[: _MOST_ROWS - 2], 0, rows[-1]]
    before = span.row - finding.shown.row
    gutter = len(str(rows[-1] - before))
    yield [(" " * gutter + " |", FADED)]
    for row in shown:
        if not row:
            yield [("...", FADED)]
            continue
        code, start, length = _window(lines[row - 1], *_columns(span, row, lines[row - 1]))
        yield [(f"{row - before:>{gutter}} | ", FADED), (code, "")]
        fact = f" {printable(finding.fact)}" if finding.fact and row == shown[-1] else ""
        style = STYLE[finding.severity]
        yield [(" " * gutter + " | ", FADED), (" " * start + "^" * length, style), (fact, style)]
    yield [(" " * gutter + " |", FADED)]


def _columns(span: Span, row: int, line: str) -> tuple[int, int]:
    """The part of ``line`` that ``span`` covers, as indices from 0; without the indentation of later rows."""
    indentation = len(line) - len(line.lstrip())
    start = span.column - 1 if row == span.row else indentation
    end = span.end_column - 1 if row == span.end_row else len(line.rstrip())
    start = min(start, len(line))
    return start, max(end, start)


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """``line`` as it is shown, and where the carets start and how many they are, in terminal cells."""
    before, marked, after = (_expanded(part) for part in (line[:start], line[start:end], line[end:]))
    if width(before + marked + after) > _MOST_CELLS:
        room = max(_MOST_CELLS - len(marked), _MOST_CELLS // 2)
        if len(before) > room // 2:
            before = "..." + before[len(before) - room // 2 :]
        if len(marked) > _MOST_CELLS:
            marked = marked[:_MOST_CELLS] + "..."
        after = after[: room // 2] + ("..." if len(after) > room // 2 else "")
    return (before + marked + after).rstrip(), width(before), max(width(marked), 1)


def _expanded(text: str) -> str:
    return printable(text.replace("\t", "    ").replace("\f", " "))


def _notes(finding: Finding) -> Iterator[list[Piece]]:
    gutter = " " * (len(str(finding.shown.end_row)) + 1)
    if finding.path:
        yield _note(gutter, "path", " -> ".join(_step(step, finding) for step in finding.path))
    if finding.consumer is not None:
        consumer = _CONSUMERS.get(finding.consumer, finding.consumer)
        yield _note(gutter, "note", f"{finding.severity.label} in {finding.function} ({consumer})")
    if finding.help:
        yield _note(gutter, "help", finding.help)
    yield from _verdict(finding, gutter)


def _verdict(finding: Finding, gutter: str) -> Iterator[list[Piece]]:
    """What a run said, on which device, and what it rests on."""
    verdict = finding.verdict
    if verdict is None:
        return
    where = f" on {verdict.device}, TensorFlow {verdict.tensorflow}" if verdict.device and verdict.tensorflow else ""
    yield _note(gutter, verdict.verdict, verdict.reason + where)
    inputs = (verdict.witness or {}).get("inputs")
    if isinstance(inputs, dict):
        yield _note(gutter, "input", ", ".join(f"{name} = {_short(value)}" for name, value in inputs.items()))
    if verdict.tried:
        yield _note(gutter, "tried", verdict.tried)
    for note in verdict.notes:
        if note != f"called with {verdict.tried}":
            yield _note(gutter, "assumed", note)


def _short(value: object) -> str:
    """A nested list as far as a line shows it."""
    text = str(value)
    return text if len(text) <= _MOST_INPUT else text[: _MOST_INPUT - 4] + " ..."


def _note(gutter: str, label: str, text: str) -> list[Piece]:
    return [(gutter + "= ", FADED), (f"{label}:", "bold"), (" " + printable(" ".join(text.split())), "")]


def _step(step: Step, finding: Finding) -> str:
    if step.span is None:
        return step.label
    if step.filename not in (None, finding.filename):
        return f"{step.label} ({step.filename}:{step.span.row})"
    cell, row = finding.place(step.span.row)
    return f"{step.label} ({f'cell {cell}, ' if cell != finding.cell else ''}row {row})"
