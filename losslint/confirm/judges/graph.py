"""Judges of what a graph takes: whether tracing, calling or compiling raises at the flagged line."""

from __future__ import annotations

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import Evidence, confirmed, judges, raised_at, refuted
from losslint.findings import INCONCLUSIVE, Verdict


@judges("LL501", "LL502", "LL507", "LL512", "LL513", raising=True)
def _traced(claim: Claim, evidence: Evidence) -> Verdict:
    error = (evidence["trace"].get("errors") or {}).get("None batch")
    if error is None:
        return refuted("it can be traced", evidence)
    if raised_at(claim, error):
        return confirmed(f"when it is traced it raises {error['message']}", evidence["runs"][0])
    return Verdict(INCONCLUSIVE, f"it cannot be traced, for another reason: {error['message']}")


@judges("LL511", raising=True)
def _float_labels(claim: Claim, evidence: Evidence) -> Verdict:
    error = evidence["as_keras"]
    if error is None:
        return refuted("it takes labels of float32", evidence)
    if raised_at(claim, error):
        return confirmed(
            f"with labels of float32, as Keras 3 passes them, it raises {error['message']}", evidence["runs"][0]
        )
    return Verdict(INCONCLUSIVE, f"it does not take labels of float32, for another reason: {error['message']}")


@judges("LL515")
def _compiled(claim: Claim, evidence: Evidence) -> Verdict:
    run = evidence["runs"][0]
    if not run["graph"]["runs"]:
        return Verdict(INCONCLUSIVE, "it does not run as a graph either")
    if run["xla"]["runs"]:
        return refuted("XLA compiles it", evidence)
    if run["xla"].get("missing"):
        return Verdict(INCONCLUSIVE, f"there is no XLA that works here: {run['xla']['missing']}")
    return confirmed(f"compiled by XLA it raises {run['xla']['error']}", run | {"mode": "xla"})
