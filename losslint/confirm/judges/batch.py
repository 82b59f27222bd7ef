"""Judges of what repeating, splitting and permuting a batch changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import COUPLED, DRIFT, LAW, Evidence, confirmed, judges, refuted
from losslint.findings import CONFIRMED, INCONCLUSIVE, Verdict


def _law(wrong: Callable[[dict[str, Any]], str]) -> Callable[[Claim, Evidence], Verdict]:
    """A judge for a rule about the gradient of a repeated batch; ``wrong`` says what a run shows of it, or ""."""

    def judge(claim: Claim, evidence: Evidence) -> Verdict:
        for run in evidence["runs"]:
            shown = wrong(run)
            if shown:
                ratios = {k: round(v, 6) for k, v in run["gradient_ratio"].items()}
                return confirmed(
                    shown,
                    run,
                    batch=7,
                    gradient={"ratio for 2 and 4 copies of the batch": ratios},
                    value=run["value_ratio"],
                )
        if any((r.get("permutation") or 0.0) > LAW for r in evidence["runs"]):
            return Verdict(INCONCLUSIVE, "the gradient depends on the order of the samples: copies tell nothing")
        if all(_invariant(r) for r in evidence["runs"]):
            return refuted("the gradient of 2 and 4 copies of the batch is that of the batch", evidence)
        return Verdict(
            INCONCLUSIVE, "the gradient changes with the batch in another way than claimed, or is 0 or not finite"
        )

    return judge


def _invariant(run: dict[str, Any]) -> bool:
    """Whether the gradient stays; one that moves little but steadily, 1 to 3 for 2 and 4 copies, goes on to move."""
    shifts = [s for s in run["gradient_shift"].values() if s is not None]
    return len(shifts) == 2 and max(shifts) < LAW and not (shifts[1] > DRIFT and shifts[1] > 2.0 * shifts[0])


def _ratios(run: dict[str, Any]) -> tuple[float, float] | None:
    ratios = run["gradient_ratio"]
    return (ratios["2"], ratios["4"]) if "2" in ratios and "4" in ratios else None


def _told(ratios: tuple[float, float]) -> str:
    return f"the gradient changes by a factor of {ratios[0]:.4g} for 2 copies of the batch, {ratios[1]:.4g} for 4"


def _grows(run: dict[str, Any]) -> str:
    ratios, large = _ratios(run), run.get("large") or {}
    if ratios and ratios[1] > 1 + LAW and ratios[1] > ratios[0]:
        return _told(ratios)
    if large.get("gradient_ratio", 1.0) > 1 + LAW:
        return f"for large batches the gradient grows by a factor of {large['gradient_ratio']:.4g} for 4 copies"
    return ""


def _shrinks(run: dict[str, Any]) -> str:
    ratios, large = _ratios(run), run.get("large") or {}
    if ratios and ratios[1] < 1 - LAW and ratios[1] < ratios[0]:
        return _told(ratios)
    if 0 < large.get("gradient_ratio", 1.0) < 1 - LAW:
        return f"for large batches the gradient shrinks by a factor of {large['gradient_ratio']:.4g} for 4 copies"
    return ""


def _changes(run: dict[str, Any]) -> str:
    ratios = _ratios(run)
    shifts = [s for s in run["gradient_shift"].values() if s is not None]
    if ratios and shifts and max(shifts) > LAW:
        return _told(ratios)
    return "the gradient is 0 for the whole batch" if run.get("vanished") else ""


def _mixes(run: dict[str, Any]) -> str:
    """Terms of different laws: the direction turns, or the factor is no power of the number of copies."""
    ratios = _ratios(run)
    apart = {n: f for n, f in (run.get("by_source") or {}).items() if f is not None}
    if apart and max(apart.values()) > min(apart.values()) * (1 + LAW):
        told = ", ".join(f"that of {n} by {f:.4g}" for n, f in apart.items())
        return f"for 4 copies of the batch the gradients change by other factors: {told}"
    turns = [t for t in run["gradient_turn"].values() if t is not None]
    if ratios and _changes(run):
        no_power = abs(ratios[1] - ratios[0] ** 2) > LAW * ratios[1]
        if no_power or (turns and max(turns) > 1e-4):
            return _told(ratios) + ", and its direction turns" * bool(turns and max(turns) > 1e-4)
    return ""


_PIECEWISE = frozenset({"Maximum", "Minimum", "Select", "SelectV2", "Relu", "Max", "Min", "TopKV2", "ClipByValue"})
"""Operations that are linear here and something else there."""


@judges("LL308")
def _coupled(claim: Claim, evidence: Evidence) -> Verdict:
    micro = [r.get("micro") for r in evidence["runs"]]
    for run, away in zip(evidence["runs"], micro, strict=True):
        if away is not None and away > COUPLED:
            return confirmed(
                f"the gradient of the batch is {away:.2%} off the mean of those of its parts", run, batch=7
            )
    if all(m is not None for m in micro):
        note = "the gradient of the batch is the mean of those of its parts"
        if not _PIECEWISE.isdisjoint(evidence.get("ops") or ()):
            return Verdict(INCONCLUSIVE, f"{note} at the inputs tried; elsewhere the line may take another way")
        return refuted(note, evidence)
    return Verdict(INCONCLUSIVE, "it does not run on parts of a batch, or its gradient is 0")


@judges("LL309")
def _ordered(claim: Claim, evidence: Evidence) -> Verdict:
    moved = [(r, r.get("permutation")) for r in evidence["runs"]]
    for run, away in moved:
        if away is not None and away > COUPLED:
            return confirmed(f"the gradient of the same samples in another order is {away:.2%} off", run, batch=7)
    if all(away is not None for _, away in moved):
        return refuted("the gradient does not depend on the order of the samples", evidence)
    return Verdict(INCONCLUSIVE, "it does not run on samples in another order")


@judges("LL307")
def _across(claim: Claim, evidence: Evidence) -> Verdict:
    coupled = _coupled(claim, evidence)
    if coupled.verdict == CONFIRMED:
        return coupled
    changed = _law(_changes)(claim, evidence)
    return changed if changed.verdict == CONFIRMED else coupled


@judges("LL311")
def _extent(claim: Claim, evidence: Evidence) -> Verdict:
    ratios = [(r, r.get("extent_ratio")) for r in evidence["runs"]]
    for run, ratio in ratios:
        if ratio is not None and abs(ratio - 1.0) > LAW:
            return confirmed(f"the value changes by a factor of {ratio:.4g} where samples are twice as long", run)
    if all(ratio is not None for _, ratio in ratios):
        return refuted("the value does not depend on the extent of the samples", evidence)
    return Verdict(INCONCLUSIVE, "its samples have one axis")


judges("LL301")(_law(_changes))
judges("LL302", "LL305")(_law(_grows))
judges("LL303")(_law(_shrinks))
judges("LL304")(_law(_mixes))


@judges("LL310")
def _replicas(claim: Claim, evidence: Evidence) -> Verdict:
    """Two replicas that hold the same samples: the optimizer adds up gradients that are alike."""
    factors = [2.0 / ratio if (ratio := r["gradient_ratio"].get("2")) else None for r in evidence["runs"]]
    for run, factor in zip(evidence["runs"], factors, strict=True):
        if factor is not None and abs(factor - 2.0) < 2.0 * LAW:
            note = f"the gradients of two replicas add up to {factor:.4g} times that of their common batch"
            return confirmed(note, run, batch=7)
    if all(factor is not None and abs(factor - 1.0) < LAW for factor in factors):
        return refuted("the gradients of two replicas add up to that of their common batch", evidence)
    return Verdict(INCONCLUSIVE, "the gradient changes with the batch in another way, or is 0 or not finite")


@judges("LL109")
def _padding(claim: Claim, evidence: Evidence) -> Verdict:
    factors = evidence.get("padded") or []
    if any(abs(f - 0.5) < LAW / 2 for f in factors):
        return confirmed("as much padding again halves the loss", evidence["runs"][0])
    if any(abs(f - 1.0) < DRIFT for f in factors):
        return refuted("the loss stays the same where padding is added", evidence)
    return Verdict(INCONCLUSIVE, "nothing that was tried as padding is left out of the loss")
