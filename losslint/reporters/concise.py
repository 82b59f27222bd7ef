"""One line a finding, then the summary."""

from __future__ import annotations

from collections import Counter

from losslint import rulebook
from losslint.findings import CONFIRMED, INCONCLUSIVE, Finding, Severity
from losslint.reporters.lines import STYLE, VERDICT_STYLE, Lines, Piece, counted, printable
from losslint.session import Result


def render(result: Result) -> Lines:
    """``path:row:column: LL302 [unnormalized-batch-sum] message`` for each finding."""
    for finding in result.standing:
        yield heading(finding, result.offers(finding))
    for finding in result.refuted:
        yield heading(finding)
    yield from closing(result)


def heading(finding: Finding, fixable: bool = False) -> list[Piece]:
    """The line that says what is wrong and where."""
    place = f"{printable(finding.where)}:"
    name = rulebook.name_of(finding.code)
    return [
        (place, "bold"),
        (" ", ""),
        (finding.code, STYLE[finding.severity]),
        *([(" [*]", "bold cyan")] if fixable else []),
        (f" [{name}]" if name else "", ""),
        (" " + printable(" ".join(finding.message.split())), ""),
        *([(f" ({finding.verdict.verdict})", VERDICT_STYLE[finding.verdict.verdict])] if finding.verdict else []),
    ]


def closing(result: Result) -> Lines:
    """The summary, and what ``--fix`` would do."""
    yield [(summary(result), "bold")]
    fixable = sum(map(result.offers, result.standing))
    hidden = sum(f.fix is not None for f in result.standing) - fixable
    more = f"{counted(hidden, 'hidden fix', 'hidden fixes')} can be enabled with --unsafe-fixes" if hidden else ""
    if fixable:
        yield [("[*]", "bold cyan"), (f" {fixable} fixable with --fix{f' ({more})' if more else ''}", "")]
    elif more:
        yield [(more, "")]


def summary(result: Result) -> str:
    """``Found 3 findings (1 error, 2 warnings) in 12 files``; ``(1 fixed, 2 remaining: 2 warnings)`` after fixes."""
    files = counted(len(result.files), "file")
    more = f"; {result.hidden} more below the severity that is shown" if result.hidden else ""
    more += f"; {result.baselined} more in the baseline" if result.baselined else ""
    fixed = len(result.fixed)
    if fixed and not result.standing:
        return f"Found {counted(fixed, 'finding')} ({fixed} fixed, 0 remaining) in {files}{more}"
    if not result.findings:
        return f"No findings in {files}{more}"
    refuted = f"; {counted(len(result.refuted), 'refuted finding')} apart" if result.refuted else ""
    more = refuted + more
    if not result.standing:
        return f"No findings in {files}{more}"
    counts = Counter(f.severity for f in result.standing)
    parts = [
        f"{n} info" if severity is Severity.INFO else counted(n, severity.label)
        for severity, n in sorted(counts.items(), reverse=True)
    ]
    verdicts = ""
    if result.confirmed:
        kinds = Counter(f.verdict.verdict for f in result.standing if f.verdict is not None)
        verdicts = f": {kinds[CONFIRMED]} confirmed, {kinds[INCONCLUSIVE]} inconclusive" if kinds else ""
    told = ", ".join(parts)
    if fixed:
        told = f"{fixed} fixed, {len(result.standing)} remaining: {told}"
    found = counted(fixed + len(result.standing), "finding")
    return f"Found {found} ({told}) in {files}{verdicts}{more}"
