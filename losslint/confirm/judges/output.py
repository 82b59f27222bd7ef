"""Judges of what a loss returns."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import Evidence, confirmed, judges, refuted
from losslint.findings import INCONCLUSIVE, Verdict


@judges("LL101")
def _non_scalar(claim: Claim, evidence: Evidence) -> Verdict:
    runs = evidence["runs"]
    wide = [r for r in runs if any(len(s) for s in r["shapes"]) and r["structure"] == "tensor"]
    if wide:
        return confirmed(f"returns a tensor of shape {_shape(wide[0])}", wide[0], value=wide[0]["total"])
    if all(r["structure"] == "tensor" for r in runs):
        return refuted("returns a scalar", evidence)
    return Verdict(INCONCLUSIVE, f"returns a {runs[0]['structure']}")


def _shape(run: dict[str, Any]) -> str:
    shape = run["shapes"][0]
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


@judges("LL102")
def _sequence(claim: Claim, evidence: Evidence) -> Verdict:
    runs = evidence["runs"]
    found = next((r for r in runs if r["structure"].startswith(("tuple", "list", "dict"))), None)
    if found:
        return confirmed(f"returns a {found['structure']}", found)
    return refuted(f"returns a {runs[0]['structure']}", evidence)


@judges("LL103")
def _missing(claim: Claim, evidence: Evidence) -> Verdict:
    for run in evidence["runs"]:
        dtypes = [d for d in run["dtypes"] if not d.startswith(("float", "bfloat", "complex"))]
        if run["structure"] in ("None", "number") or (run["structure"] == "tensor" and dtypes):
            what = f"a tensor of {dtypes[0]}" if dtypes else run["structure"]
            return confirmed(f"returns {what}, which has no gradient", run)
    if evidence.get("ways_out"):
        return confirmed(f"returns {evidence['ways_out'][0]}, which has no gradient", evidence["runs"][0])
    return Verdict(INCONCLUSIVE, "returns a float tensor here; another way out of it was not taken")


@judges("LL104")
def _scalar(claim: Claim, evidence: Evidence) -> Verdict:
    runs = evidence["runs"]
    scalar = next((r for r in runs if r["structure"] == "tensor" and not r["shapes"][0]), None)
    weights = evidence.get("weights") or {}
    if scalar is None:
        return refuted("returns one value per sample", evidence)
    note = "returns a scalar"
    if weights.get("only_rescales"):
        note += (
            f": with the sample weights 1, 0, 0, ... Keras computes {weights['weighted']:.4g}, that is"
            f" {weights['whole']:.4g} times their mean, not the loss of the first sample ({weights['alone']:.4g})"
        )
    return confirmed(note, scalar, value=scalar["total"])


@judges("LL105", raising=True)
def _crossed(claim: Claim, evidence: Evidence) -> Verdict:
    if evidence["crossed"]:
        return confirmed(f"samples are paired with samples: {evidence['crossed'][0]}", evidence["runs"][0])
    return refuted("no operation of the flagged line pairs samples with samples", evidence)


@judges("LL106")
def _unaligned(claim: Claim, evidence: Evidence) -> Verdict:
    totals, run = evidence["unaligned"], evidence["runs"][0]
    if totals is None:
        return Verdict(INCONCLUSIVE, "it does not take predictions of shape (B, 1)")
    aligned, crossed = totals
    if abs(aligned - crossed) > 1e-4 * abs(aligned):
        note = f"predictions of shape (B, 1) give {aligned:.4g} with labels of that shape, {crossed:.4g} with (B,)"
        return confirmed(note, run, value=crossed)
    return refuted("labels of shape (B,) and (B, 1) give the same loss", evidence)


@judges("LL107")
def _batch_lost(claim: Claim, evidence: Evidence) -> Verdict:
    weights, run = evidence["weights"], evidence["runs"][0]
    if "only_rescales" in weights:
        due = weights["alone"] / weights["count"]
        if abs(weights["weighted"] - due) <= 1e-3 * abs(due):
            return refuted("sample weights choose among samples", evidence)
        note = f"with the sample weights 1, 0, 0, ... Keras computes {weights['weighted']:.4g} in place of {due:.4g}"
        return confirmed(note, run, value=weights["whole"])
    if weights.get("raised"):
        return confirmed(f"Keras cannot apply sample weights: {weights['raised']}", run, value=run["total"])
    return Verdict(INCONCLUSIVE, weights.get("skipped") or f"Keras cannot evaluate it: {weights.get('error')}")


@judges("LL110")
def _squeezed(claim: Claim, evidence: Evidence) -> Verdict:
    alone, run = evidence["single"], evidence["runs"][0]
    if alone.get("error"):
        return confirmed(f"a batch of one raises {alone['error']}", run)
    if any(a < b for a, b in zip(alone["alone"], alone["ranks"], strict=False)):
        note = f"for a batch of one it returns {alone['alone'][0]} axes, for more {alone['ranks'][0]}"
        return confirmed(note, run)
    if alone["unranked"]:
        return confirmed("with an unknown batch size its rank is unknown, and Keras cannot average what has none", run)
    return Verdict(INCONCLUSIVE, "a batch of one gives as many axes as any other, with samples of the shapes tried")
