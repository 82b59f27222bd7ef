"""One line a finding, then the summary."""

from __future__ import annotations

from collections import Counter

from losslint import rulebook
from losslint.findings import Finding, Severity
from losslint.reporters.lines import STYLE, Lines, Piece, counted, printable
from losslint.session import Result


def render(result: Result) -> Lines:
    """``path:row:column: LL302 [unnormalized-batch-sum] message`` for each finding."""
    for finding in result.findings:
        yield heading(finding)
    yield [(summary(result), "bold")]


def heading(finding: Finding) -> list[Piece]:
    """The line that says what is wrong and where."""
    place = f"{printable(finding.filename)}:{finding.span.row}:{finding.span.column}:"
    name = rulebook.name_of(finding.code)
    return [
        (place, "bold"),
        (" ", ""),
        (finding.code, STYLE[finding.severity]),
        (f" [{name}]" if name else "", ""),
        (" " + printable(" ".join(finding.message.split())), ""),
    ]


def summary(result: Result) -> str:
    """``Found 3 findings (1 error, 2 warnings) in 12 files``."""
    files = counted(len(result.files), "file")
    more = f"; {result.hidden} more below the severity that is shown" if result.hidden else ""
    if not result.findings:
        return f"No findings in {files}{more}"
    counts = Counter(f.severity for f in result.findings)
    parts = [
        f"{n} info" if severity is Severity.INFO else counted(n, severity.label)
        for severity, n in sorted(counts.items(), reverse=True)
    ]
    return f"Found {counted(len(result.findings), 'finding')} ({', '.join(parts)}) in {files}{more}"
