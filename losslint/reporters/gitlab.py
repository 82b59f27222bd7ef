"""For GitLab's code quality widget: the fields of docs.gitlab.com/ci/testing/code_quality that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from losslint import rulebook
from losslint.findings import Finding, Severity
from losslint.fingerprints import fingerprints
from losslint.reporters.json import array
from losslint.reporters.lines import Lines, well_formed
from losslint.session import Result

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(result: Result) -> Lines:
    """The findings that stand, as one JSON array."""
    yield from array(_rows(result))


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    for finding, fingerprint in zip(result.standing, fingerprints(result.standing, result.texts), strict=True):
        span = finding.in_file
        told = f"{_cell(finding)}{finding.code} [{rulebook.name_of(finding.code)}] {finding.message}"
        yield {
            "description": well_formed(told),
            "check_name": finding.code,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": well_formed(Path(finding.filename).as_posix()),
                "positions": {
                    "begin": {"line": span.row, "column": span.column},
                    "end": {"line": span.end_row, "column": span.end_column},
                },
            },
        }


def _cell(finding: Finding) -> str:
    return f"cell {finding.cell}, line {finding.shown.row}: " if finding.cell else ""
