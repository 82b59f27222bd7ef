"""For GitHub Actions: workflow commands, which become annotations on the lines of a pull request.

The escapes are those of docs.github.com, "Workflow commands for GitHub Actions", as actions/toolkit makes them.
"""

from __future__ import annotations

from pathlib import Path

from losslint.findings import Finding, Severity
from losslint.reporters.concise import heading
from losslint.reporters.lines import Lines
from losslint.session import Result

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_IN_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = _IN_TEXT | {":": "%3A", ",": "%2C"}


def render(result: Result) -> Lines:
    """A command for each finding that stands."""
    for finding in result.standing:
        text = "".join(piece for piece, _ in heading(finding))
        if finding.help:
            text += f"\n{finding.help}"
        yield [(f"::{_COMMANDS[finding.severity]} {_properties(finding)}::{_escaped(text, _IN_TEXT)}", "")]


def _properties(finding: Finding) -> str:
    span = finding.in_file
    values = {
        "title": f"losslint ({finding.code})",
        "file": Path(finding.filename).as_posix(),
        "line": str(span.row),
        "endLine": str(span.end_row),
    }
    if span.row == span.end_row and not finding.cell:  # GitHub takes columns on one line only
        values |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return ",".join(f"{key}={_escaped(value, _IN_PROPERTY)}" for key, value in values.items())


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(c, c) for c in text)
