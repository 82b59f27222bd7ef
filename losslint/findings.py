"""The words every part of losslint shares: severities, positions, findings."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Severity(enum.IntEnum):
    """How sure and how bad; ordered, so that ``--fail-on`` can compare."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """``"error"``, ``"warning"`` or ``"info"``."""
        return self.name.lower()


class Span(NamedTuple):
    """A stretch of source; rows and columns count from 1, the end column is one past the last character."""

    row: int
    column: int
    end_row: int
    end_column: int


class Edit(NamedTuple):
    """Replace ``span`` by ``content``."""

    span: Span
    content: str


class Fix(NamedTuple):
    """``applicability`` is "safe" where results stay identical, else "unsafe"."""

    applicability: str
    message: str
    edits: tuple[Edit, ...]


class Step(NamedTuple):
    """One stop on the way from a source to the returned value, for gradient findings."""

    label: str
    span: Span | None
    filename: str | None = None


CONFIRMED, REFUTED, INCONCLUSIVE = "confirmed", "refuted", "inconclusive"


class Verdict(NamedTuple):
    """What a run says of a finding. ``reason`` tells in one line what was seen, or why nothing can be said.

    ``witness`` holds ``inputs, batch, mode, value, gradient, note``; ``tried`` the inputs that a refutation rests on.
    """

    verdict: str  # CONFIRMED, REFUTED or INCONCLUSIVE
    reason: str
    witness: dict[str, Any] | None = None
    tried: str = ""
    device: str = ""
    tensorflow: str = ""
    notes: tuple[str, ...] = ()  # what was taken for granted
    seed: int | None = None  # from which all numbers of the run were drawn; None where nothing ran


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place."""

    code: str
    severity: Severity
    message: str
    filename: str
    span: Span
    function: str  # qualified name, "<module>" outside of a function
    consumer: str | None = None  # "keras", "tape", "unknown", "metric"; None for the tool's own rules
    fact: str = ""  # what was computed, shown at the caret: "range [0, 1] contains 0"
    help: str = ""  # the way out
    path: tuple[Step, ...] = ()
    fix: Fix | None = None
    verdict: Verdict | None = field(default=None, compare=False)
    extra: dict[str, Any] = field(default_factory=dict, compare=False)  # "loss": in which it was made, "path": its file
    cells: tuple[tuple[int, int], ...] = field(default=(), compare=False)  # of a notebook: row before each, its number

    def place(self, row: int) -> tuple[int, int]:
        """The cell that ``row`` of this file is in, 0 where the file is no notebook, and its row there."""
        before, cell = max((entry for entry in self.cells if entry[0] < row), default=(0, 0))
        return cell, row - before

    @property
    def cell(self) -> int:
        """The cell of a notebook, counted from 1 as Jupyter does; 0 where the file is no notebook."""
        return self.place(self.span.row)[0]

    @property
    def shown(self) -> Span:
        """Where it is for the reader: in the file, or in the cell."""
        span = self.span
        before = span.row - self.place(span.row)[1]
        return Span(span.row - before, span.column, span.end_row - before, span.end_column)

    @property
    def in_file(self) -> Span:
        """Where it is for services that only know rows of the file: in a notebook, its first."""
        return Span(1, 1, 1, 1) if self.cell else self.span

    @property
    def where(self) -> str:
        """``path:row:column``, in a notebook ``path:cell 3:row:column``."""
        cell = f"cell {self.cell}:" if self.cell else ""
        return f"{self.filename}:{cell}{self.shown.row}:{self.shown.column}"

    @property
    def order(self) -> tuple[Any, ...]:
        """Findings are reported by path, position and code."""
        return self.filename, self.span, self.code
