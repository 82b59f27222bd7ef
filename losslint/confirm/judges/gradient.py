"""Judges of where gradients arrive."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import Evidence, confirmed, judges, raised_at, refuted
from losslint.findings import INCONCLUSIVE, Verdict


@judges("LL201", "LL202", "LL204", "LL208")
@judges("LL205", raising=True)
def _no_gradient(claim: Claim, evidence: Evidence) -> Verdict:
    error = (evidence["trace"].get("errors") or {}).get("None batch")
    if claim.code == "LL205" and error and raised_at(claim, error):
        return confirmed(f"cannot be traced: {error['message']}", evidence["runs"][0])
    states = [r["class"] for r in evidence["runs"]]
    cut = next((r for r in evidence["runs"] if r["class"] in ("none", "zero")), None)
    if cut is not None:
        told = ", ".join(f"{n}: {s['state']}" for n, s in cut["sources"].items()) or "no float argument"
        where = _cut_at(claim, cut)
        return confirmed(
            f"no gradient arrives ({told}){where}", cut, gradient={n: s["state"] for n, s in cut["sources"].items()}
        )
    guessed = next((r for r in evidence["runs"] if not _reaches_prediction(r)), None)
    if all(s == "non-zero" for s in states) and guessed is not None:
        live = ", ".join(n for n, s in guessed["sources"].items() if s["state"] == "live")
        return Verdict(INCONCLUSIVE, f"a gradient arrives only at {live}, which may be no prediction")
    if all(s == "non-zero" for s in states):
        reached = evidence["runs"][0]["sources"]
        told = ", ".join(f"{n}: {s['reached']:.0%} of its elements" for n, s in reached.items() if s["state"] == "live")
        return refuted(f"a gradient arrives ({told})", evidence)
    return Verdict(INCONCLUSIVE, "the gradient is not finite at ordinary inputs")


def _reaches_prediction(run: dict[str, Any]) -> bool:
    """Whether a gradient arrives at more than arguments of which nothing is known, if there are others."""
    roles = [s.get("role") for s in run["sources"].values()]
    live = [s.get("role") for s in run["sources"].values() if s["state"] == "live"]
    return any(role != "other" for role in live) or set(roles) == {"other"}


def _cut_at(claim: Claim, run: dict[str, Any]) -> str:
    """Where the path is lost, the flagged line first."""
    cuts = run.get("cut_at") or []
    here = [
        c
        for c in cuts
        if any(p == claim.path and claim.place.row <= row <= claim.place.end_row for p, row in c["lines"])
    ]
    shown = (here or cuts)[:1]
    return "".join(f", lost at {c['op']}" + (f" in row {c['lines'][0][1]}" if c["lines"] else "") for c in shown)


@judges("LL203")
def _dead_term(claim: Claim, evidence: Evidence) -> Verdict:
    for run in evidence["runs"]:
        for term in run["dead_terms"]:
            if any(p == claim.path and claim.place.row <= row <= claim.place.end_row for p, row in term["lines"]):
                return confirmed(
                    "a term depends on a prediction and sends it no gradient, while another term does", run
                )
        if run["class"] in ("none", "zero"):
            return confirmed("no term sends a gradient back", run)
    if all(r["class"] == "non-zero" and not r["dead_terms"] and not r.get("not_watched") for r in evidence["runs"]):
        return refuted("every term that depends on a prediction sends it a gradient", evidence)
    return Verdict(INCONCLUSIVE, "the term of the flagged line could not be told from the others")


@judges("LL206")
def _python(claim: Claim, evidence: Evidence) -> Verdict:
    calls, error = evidence["python"]["calls"], evidence["python"]["xla"]
    if any(kind == "PyFunc" and counts for kind, counts in calls):
        return confirmed(
            "the loss depends on what Python returns (PyFunc), and no gradient passes it", evidence["runs"][0]
        )
    if error is not None and any(kind == "EagerPyFunc" for kind, _ in calls):
        return confirmed(f"XLA cannot compile it: {error}", evidence["runs"][0])
    if not calls:
        return refuted("no operation of the flagged line calls Python", evidence)
    return Verdict(INCONCLUSIVE, "Python is called, but the loss has no derivative with respect to what it returns")
