"""Judges of what a model is compiled with."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import LAW, Evidence, judges, shown
from losslint.confirm.judges.classes import by_copies
from losslint.findings import INCONCLUSIVE, REFUTED, Verdict

_UNTRAINABLE = ("No gradients provided", "Could not interpret loss identifier")
"""What Keras says where there is no way from a loss to the weights, or no such loss."""


@judges("LL108")
def _unreduced(claim: Claim, evidence: Evidence) -> Verdict:
    last = [one["tries"][-1] for one in evidence["given"]]
    told = [by_copies(t) for t in last if "once" in t]
    found = next((v for v in told if v is not None and v.witness), None)
    if found is not None:
        return found
    if told and len(told) == len(last) and None not in told:
        return told[0]  # type: ignore[return-value]
    return Verdict(INCONCLUSIVE, next((t["error"] for t in last if "error" in t), "the weights do not move"))


def _failing(evidence: Evidence, wrong: Any) -> Verdict | None:
    """Confirmed by the first loss with which Keras does not train, if ``wrong(loss, error)`` says that this is why."""
    for one in evidence["given"]:
        last = one["tries"][-1]
        fails = "error" in last and not last["stub"] and "once" in evidence["control"][-1]
        if fails:
            error = next((t["error"] for t in one["tries"] if wrong(one, t.get("error", ""))), "")
            if error:
                return shown(f"a model that is compiled with {one['name']} raises {error}", last["batch"])
    return None


def _otherwise(evidence: Evidence) -> Verdict:
    last = [one["tries"][-1] for one in evidence["given"]]
    if last and all("once" in t and t["once"]["step"] for t in last):
        return Verdict(REFUTED, "a model that is compiled with it trains", None, last[0]["batch"])
    return Verdict(INCONCLUSIVE, next((t["error"] for t in last if "error" in t), "the weights do not move"))


@judges("LL207")
def _metric(claim: Claim, evidence: Evidence) -> Verdict:
    found = _failing(evidence, lambda one, error: one["metric"] or any(u in error for u in _UNTRAINABLE))
    if found is not None:
        return found
    for one in evidence["given"]:
        last = one["tries"][-1]
        if "once" in last and not last["once"]["step"]:
            return shown(f"a model that is compiled with {one['name']} does not move", last["batch"])
    return _otherwise(evidence)


@judges("LL509")
def _callable(claim: Claim, evidence: Evidence) -> Verdict:
    if "late" in evidence:
        return _late(evidence["late"])
    found = _failing(
        evidence,
        lambda one, error: error and (one["tensor"] or not one["callable"] or one["misfit"] or one["returns"]),
    )
    return found or _otherwise(evidence)


def _late(told: dict[str, Any]) -> Verdict:
    values, others = told["values"], told["others"]
    note = f"the {len(values)} losses of the loop return {', '.join(f'{v:.4g}' for v in values)}"
    if any(v != values[0] for v in values):
        return Verdict(REFUTED, note, None, told["batch"])
    if len(values) < 2 or not others:
        return Verdict(INCONCLUSIVE, "the losses that the loop makes could not be told from one another")
    if any(abs(o - values[0]) > 1e-6 * abs(values[0]) for o in others):
        changed = ", ".join(f"{o:.4g}" for o in others)
        return shown(f"{note} for one batch; with half or twice {told['names']} it is {changed}", told["batch"])
    return Verdict(INCONCLUSIVE, f"{note}, whatever {told['names']} is")


@judges("LL514")
def _ignored(claim: Claim, evidence: Evidence) -> Verdict:
    if "skipped" in evidence:
        return Verdict(INCONCLUSIVE, evidence["skipped"])
    whole, alone = evidence["whole"], evidence["alone"]
    rest = [v for v in alone[1:] if v is not None and v == v]
    if evidence["outputs"] != 1:
        return Verdict(REFUTED, f"the model has {evidence['outputs']} outputs", None, "its own inputs")
    if alone[0] is None or not rest:
        return Verdict(INCONCLUSIVE, "a loss of the list cannot be evaluated alone")
    note = f"with the list Keras shows {whole:.6g}, with the first alone {alone[0]:.6g}, with another {rest[0]:.6g}"
    if abs(whole - alone[0]) <= LAW * 1e-3 * abs(whole) and any(rest):
        return shown(note, "7 samples")
    return Verdict(REFUTED, note, None, "7 samples")
