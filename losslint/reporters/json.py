"""For programs: an array of findings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from losslint import rulebook
from losslint.findings import Finding, Verdict
from losslint.reporters.lines import Lines
from losslint.session import Result


def render(result: Result) -> Lines:
    """The findings as one JSON array."""
    yield from array(finding_json(f) for f in result.findings)


def array(rows: Iterable[Any]) -> Lines:
    """``rows`` as ``json.dumps(list(rows), indent=2)`` writes them, one held at a time."""
    last = ""
    for row in rows:
        yield [(f"{last}," if last else "[", "")]
        last = "  " + json.dumps(row, indent=2).replace("\n", "\n  ")
    yield [(f"{last}\n]" if last else "[]", "")]


def finding_json(finding: Finding) -> dict[str, Any]:
    """The fields of one finding; rows and columns count from 1, the end is one past the last character."""
    rule = rulebook.rules().get(finding.code)
    span = finding.shown
    return {
        "code": finding.code,
        "name": rule.name if rule else finding.code,
        "severity": finding.severity.label,
        "message": finding.message,
        "filename": finding.filename,
        "cell": finding.cell or None,
        "location": {"row": span.row, "column": span.column},
        "end_location": {"row": span.end_row, "column": span.end_column},
        "function": finding.function,
        "consumer": finding.consumer,
        "fix": None if finding.fix is None else _fix(finding),
        "url": rule.url if rule else None,
        **_verdict(finding.verdict),
    }


def plain(value: Any) -> Any:
    """``value`` with numbers that JSON has not, inf and NaN, spelled out."""
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _verdict(verdict: Verdict | None) -> dict[str, Any]:
    """What a run said; every key is there without a run, too."""
    if verdict is None:
        return {"verdict": None, "witness": None, "device": None, "tensorflow": None}
    return {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "witness": plain(verdict.witness),
        "tried": verdict.tried or None,
        "assumed": list(verdict.notes),
        "seed": verdict.seed,
        "device": verdict.device or None,
        "tensorflow": verdict.tensorflow or None,
    }


def _fix(finding: Finding) -> dict[str, Any]:
    """The fix, its places in the same terms as the finding's: of a notebook, those of each edit's cell."""
    assert finding.fix is not None
    edits = []
    for edit in finding.fix.edits:
        cell, row = finding.place(edit.span.row)
        end = row + edit.span.end_row - edit.span.row
        places = {
            "location": {"row": row, "column": edit.span.column},
            "end_location": {"row": end, "column": edit.span.end_column},
        }
        edits.append({"content": edit.content, **({"cell": cell} if cell else {}), **places})
    return {"applicability": finding.fix.applicability, "message": finding.fix.message, "edits": edits}
