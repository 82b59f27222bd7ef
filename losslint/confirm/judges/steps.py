"""Judges of what goes on around a loss: what a tape records, what is computed for nothing, what a graph freezes."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import Evidence, confirmed, judges, refuted, shown
from losslint.findings import INCONCLUSIVE, REFUTED, Verdict


@judges("LL209")
def _outside(claim: Claim, evidence: Evidence) -> Verdict:
    step = evidence.get("step") or {}
    given, gradients = step.get("given", ""), step.get("gradients") or []
    lost = next((states for states in gradients if states and "some" not in states), None)
    if lost is not None:
        error = f"; then the step raises {step['error']}" if step["error"] else ""
        return shown(f"tape.gradient returns None for each of {len(lost)} variables{error}", given)
    if gradients and step["executed"]:
        return Verdict(REFUTED, "tape.gradient returns a gradient", None, given)
    return Verdict(INCONCLUSIVE, f"the step does not come to its tape: {step.get('error') or 'it cannot be called'}")


@judges("LL210")
def _for_nothing(claim: Claim, evidence: Evidence) -> Verdict:
    step = evidence.get("step") or {}
    told: dict[str, Any] = step.get("discarded") or evidence.get("discarded") or {}
    run = (evidence.get("runs") or [{}])[0]
    if told.get("ran") and not told["used"]:
        note = f"the flagged line runs ({', '.join(told['ran'])}), and nothing is computed from what it returns"
        return shown(note, step.get("given") or str(run.get("convention", "")))
    if told.get("ran"):
        note = "something is computed from what the flagged line returns"
        return Verdict(REFUTED, note, None, step.get("given") or str(run.get("convention", "")))
    return Verdict(INCONCLUSIVE, "no operation of the flagged line was seen")


@judges("LL508")
def _frozen(claim: Claim, evidence: Evidence) -> Verdict:
    eager, graph = evidence["calls"]["eager"], evidence["calls"]["graph"]
    if len(eager) < 2 or len(graph) < 2:
        return Verdict(INCONCLUSIVE, "it does not run eagerly and as a graph")
    if not evidence["executed"]:
        return Verdict(INCONCLUSIVE, "the flagged line was not executed")
    if len(set(graph)) > 1:
        return refuted("the graph returns other numbers at other calls", evidence)
    if len(set(eager)) > 1:
        note = f"eagerly it returns {eager[0]:.6g} and then {next(v for v in eager if v != eager[0]):.6g}"
        return confirmed(f"{note}; as a graph {graph[0]:.6g} at each of {len(graph)} calls", evidence["runs"][0])
    return Verdict(INCONCLUSIVE, "it returns the same number at each call, eagerly as well")


_STATIONARY = 1e-3
"""A gradient this much smaller than the other is 0 but for rounding and the epsilon of a clip."""


@judges("LL510")
def _swapped(claim: Claim, evidence: Evidence) -> Verdict:
    told = evidence["orders"]
    if "skipped" in told:
        return Verdict(INCONCLUSIVE, told["skipped"])
    written, exchanged = told["written"], told["exchanged"]
    note = f"where predictions are soft labels, the gradient is {written:.4g}; with the arguments exchanged"
    if exchanged < _STATIONARY * written:
        return confirmed(f"{note} it is {exchanged:.4g}", evidence["runs"][0])
    if written < _STATIONARY * exchanged:
        return refuted(f"{note} it is {exchanged:.4g}", evidence)
    return Verdict(INCONCLUSIVE, f"{note} it is {exchanged:.4g}: neither order is least there")
