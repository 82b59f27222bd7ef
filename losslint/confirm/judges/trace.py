"""Judges of what tracing with an unknown batch size shows."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import LAW, Evidence, confirmed, judges, raised_at, refuted
from losslint.findings import INCONCLUSIVE, Verdict


def _raised_after(claim: Claim, error: dict[str, Any]) -> bool:
    """Whether what is None, for want of a batch size, was used in a row below the flagged one."""
    lines = [row for p, row in error.get("lines") or [] if p == claim.path]
    return "None" in error["message"] and bool(lines) and max(lines) >= claim.place.row


@judges("LL306", "LL516", raising=True)
def _static(claim: Claim, evidence: Evidence) -> Verdict:
    trace = evidence["trace"]
    error = (trace.get("errors") or {}).get("None batch")
    if error is None:
        unknown, known = trace.get("totals") or (0.0, 0.0)
        if evidence.get("executed") and abs(unknown - known) > LAW * abs(known):
            return confirmed(
                f"traced with an unknown batch size it is {unknown:.4g}, with a known one {known:.4g}",
                evidence["runs"][0],
            )
        return refuted("it can be traced with an unknown batch size", evidence)
    for found in (error, *(evidence.get("partial") or ())):
        if raised_at(claim, found) or (evidence["executed"] and _raised_after(claim, found)):
            return confirmed(f"with an unknown batch size it raises {found['message']}", evidence["runs"][0])
    return Verdict(
        INCONCLUSIVE, f"it cannot be traced with an unknown batch size, for another reason: {error['message']}"
    )
