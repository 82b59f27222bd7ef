"""What an editor has opened: a text, or the cells of a notebook, which are linted as one source.

Positions of the protocol count UTF-16 units, or what was agreed on, from 0
(microsoft.github.io/language-server-protocol), ours characters from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lsprotocol import types as lsp

from losslint import believed
from losslint.findings import Edit, Finding, Span
from losslint.settings import Settings
from losslint.sources import Source

Units = Callable[[str], int]
"""How many units of the client a text has."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text of the editor: ``rows`` rows of the source, the first of them behind row ``before``."""

    uri: str
    version: int | None
    before: int
    rows: int

    def holds(self, row: int) -> bool:
        """Whether that row of the source is one of this text."""
        return self.before < row <= self.before + self.rows


@dataclass(slots=True)
class Opened:
    """A source of one text, or of one for each cell, and what was found in it."""

    source: Source
    settings: Settings
    parts: tuple[Part, ...]
    units: Units
    findings: list[Finding] = field(default_factory=list)
    _passports: dict[str, tuple[int, str]] | None = None

    def part_of(self, row: int) -> Part | None:
        """The text that a row of the source stands in."""
        return next((part for part in self.parts if part.holds(row)), None)

    def named(self, uri: str) -> Part | None:
        """The text at ``uri``."""
        return next((part for part in self.parts if part.uri == uri), None)

    def range_of(self, span: Span, part: Part) -> lsp.Range:
        """``span``, which starts in ``part``, in the units of the client."""
        end = min(span.end_row, part.before + part.rows)
        column = span.end_column if end == span.end_row else len(self.source.lines[end - 1]) + 1
        return lsp.Range(self._position(span.row, span.column, part), self._position(end, column, part))

    def _position(self, row: int, column: int, part: Part) -> lsp.Position:
        if row > len(self.source.lines):
            return lsp.Position(len(self.source.lines) - part.before, 0)
        return lsp.Position(row - part.before - 1, self.units(self.source.lines[row - 1][: column - 1]))

    def changes(self, edits: Iterable[Edit]) -> lsp.WorkspaceEdit | None:
        """The edits of the texts that they fall into; None where one falls into none."""
        made: dict[Part, list[lsp.TextEdit | lsp.AnnotatedTextEdit | lsp.SnippetTextEdit]] = {}
        for edit in edits:
            part = self.part_of(edit.span.row)
            if part is None or not part.holds(edit.span.end_row):
                return None
            made.setdefault(part, []).append(lsp.TextEdit(self.range_of(edit.span, part), edit.content))
        return lsp.WorkspaceEdit(
            document_changes=[
                lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(part.uri, part.version), changed)
                for part, changed in made.items()
            ]
        )

    def passports(self) -> dict[str, tuple[int, str]]:
        """The losses: name -> the row of the def and the passport, computed when they are first asked for."""
        if self._passports is None:
            try:
                found = believed.of_source(self.source, "", self.settings)
            except believed.NotFound:  # it does not parse
                self._passports = {}
            else:
                pairs = zip(found.passports, found.texts, strict=True)
                self._passports = {str(p["name"]): (int(p["line"] or 0), text) for p, text in pairs}
        return self._passports


def overlap(one: lsp.Range, other: lsp.Range) -> bool:
    """Whether two ranges touch."""
    return _at(one.start) <= _at(other.end) and _at(other.start) <= _at(one.end)


def _at(position: lsp.Position) -> tuple[int, int]:
    return position.line, position.character
