"""Judges of what operations are applied to: probabilities in place of logits, a similarity, labels that are NaN."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import Evidence, confirmed, judges, refuted
from losslint.findings import INCONCLUSIVE, Verdict

_ROUNDING = 1e-6
_FAR = 50.0
"""Predictions at least this far out have left every range that they could have by chance."""


@judges("LL408")
def _activated(claim: Claim, evidence: Evidence) -> Verdict:
    seen = False
    for run in evidence["runs"]:
        here = [a for a in run["applied"] if _at(claim, a["lines"])]
        seen = seen or bool(here)
        inside = [a for a in here if a["low"] >= -_ROUNDING and a["high"] <= 1 + _ROUNDING and a["low"] < a["high"]]
        if inside and run["far"] >= _FAR:
            a = inside[0]
            note = f"what it is applied to stays in [{a['low']:.4g}, {a['high']:.4g}]"
            return confirmed(f"{note}, while the predictions go to +-{run['far']:.4g}", run)
    if not seen:
        return Verdict(INCONCLUSIVE, "no softmax or sigmoid was seen on the flagged line")
    if all(run["far"] >= _FAR for run in evidence["runs"]):
        return refuted("what the activation is applied to leaves [0, 1]", evidence)
    return Verdict(INCONCLUSIVE, "the predictions did not leave [0, 1] themselves")


def _at(claim: Claim, lines: list[list[Any]]) -> bool:
    return any(p == claim.path and claim.place.row <= row <= claim.place.end_row for p, row in lines)


@judges("LL412")
def _maximized(claim: Claim, evidence: Evidence) -> Verdict:
    told = [r for r in evidence["runs"] if not r.get("skipped")]
    for run in told:
        if not run["right"]:
            note = f"a perfect prediction has the loss {run['perfect']:.6g}, an ordinary one {run['ordinary']:.6g}"
            return confirmed(note, run, value=run["perfect"])
    if len(told) == len(evidence["runs"]):
        return refuted("a perfect prediction has a smaller loss than an ordinary one", evidence)
    return Verdict(INCONCLUSIVE, next(r["skipped"] for r in evidence["runs"] if r.get("skipped")))


@judges("LL413")
def _nan_labels(claim: Claim, evidence: Evidence) -> Verdict:
    for run in evidence["runs"]:
        for name, found in run["missing"].items():
            lost = [n for n, finite in found["finite_gradient"].items() if not finite]
            if lost or not found["finite_value"]:
                what = f"the gradient of {', '.join(lost)}" if lost else "the value"
                return confirmed(
                    f"where every third element of {name} is NaN, {what} is NaN", run, value=found["value"]
                )
    if all(run["missing"] for run in evidence["runs"]):
        return refuted("value and gradient are finite where every third label is NaN", evidence)
    return Verdict(INCONCLUSIVE, "it does not run with labels that are NaN")
