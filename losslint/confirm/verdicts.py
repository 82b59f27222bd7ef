"""Turns evidence into verdicts, by one strict rule: what was not seen is not said.

*Confirmed*: a run shows the fault, with numbers. *Refuted*: the flagged line was executed in the consumer's mode, on an
input that takes the flagged operand to the claimed edge (for laws and gradients: on two accepted input conventions),
and the fault was not there. Anything else is *inconclusive*, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.confirm.jobs import Claim, Outcome
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED, Verdict

LAW = 0.02
"""A gradient that moves by less when the batch is repeated does not move: float32 sums and guards account for it."""
DRIFT = 1e-5
"""A gradient that moves by less stays: float32 sums; guards make it settle."""
NEAR = 1e-3
"""An operand this close to the edge has been taken there: guards are smaller."""
COUPLED = 1e-3
"""Parts of a batch that are not coupled agree up to float32 sums; coupling may be weak."""

Evidence = dict[str, Any]


def decide(claim: Claim, evidence: Evidence) -> Verdict:
    """The verdict on ``claim`` from what the run of its loss showed."""
    if evidence.get("failed"):
        return Verdict(INCONCLUSIVE, f"the probe failed: {evidence['failed']}")
    judge = _JUDGES.get(claim.code)
    if judge is None:
        return Verdict(INCONCLUSIVE, "no probe decides this rule")
    runs = evidence.get("runs")
    if runs:
        usable = [r for r in runs if not r.get("failed")]
        if not usable:
            return Verdict(INCONCLUSIVE, f"the probe failed: {runs[0]['failed']}")
        evidence = evidence | {"runs": usable}
    return judge(claim, evidence)


def ended(outcome: Outcome) -> Verdict:
    """The verdict on every claim of a job that did not come to an end."""
    said = {
        "timeout": "the time limit was reached",
        "memory": "the memory limit was reached",
        "processes": "it started too many processes",
        "output": "it wrote more output than is allowed",
        "exit": "it ended the process",
        "crash": "the process crashed",
        "failed": "the confirmer failed",
        "budget": "it was not run",
        "refused": "it is not run",
    }
    detail = f": {outcome.detail}" if outcome.detail else ""
    return Verdict(INCONCLUSIVE, said.get(outcome.kind, outcome.kind) + detail)


def not_run(claim: Claim, result: dict[str, Any]) -> Verdict:
    """The verdict where the loss could not be called; a call that always fails at the flagged line shows some rules."""
    error = result.get("error")
    if error and claim.code in ("LL516", "LL205", "LL306") and _raised_at(claim, error):
        note = f"raises {error['message']} at the flagged line, with each of {error['tried']} input conventions"
        return Verdict(
            CONFIRMED,
            note,
            {"inputs": None, "batch": None, "mode": "graph", "value": None, "gradient": None, "note": note},
        )
    return Verdict(INCONCLUSIVE, result.get("reason") or "it was not run")


def _raised_at(claim: Claim, error: dict[str, Any]) -> bool:
    lines = error.get("lines") or []
    return any(p == claim.path and claim.place.row <= row <= claim.place.end_row for p, row in lines)


def _raised_after(claim: Claim, error: dict[str, Any]) -> bool:
    """Whether what is None, for want of a batch size, was used in a row below the flagged one."""
    lines = [row for p, row in error.get("lines") or [] if p == claim.path]
    return "None" in error["message"] and bool(lines) and max(lines) >= claim.place.row


# -- what judges share -----------------------------------------------------------------------------------------------


def _confirmed(note: str, run: dict[str, Any], **numbers: Any) -> Verdict:
    mode = run.get("mode", "graph")
    witness = {"inputs": run.get("convention"), "batch": None, "mode": mode, "value": None, "gradient": None}
    return Verdict(CONFIRMED, note, witness | numbers | {"note": note}, _tried(run))


def _refuted(note: str, evidence: Evidence) -> Verdict:
    """Refuted, if the flagged line ran in the consumer's mode and two conventions agree."""
    unlike = next((run["unlike"] for run in evidence["runs"] if run.get("unlike")), "")
    if unlike:
        return Verdict(INCONCLUSIVE, f"{note}, but it runs only {unlike}, which its consumer does not do")
    if not evidence.get("executed"):
        return Verdict(INCONCLUSIVE, "the flagged line was not executed")
    tried = [run.get("convention", "") for run in evidence["runs"]]
    if len(tried) < 2:
        return Verdict(INCONCLUSIVE, f"{note}, but only on one input convention")
    return Verdict(REFUTED, note, None, " and ".join(dict.fromkeys(tried)))


def _tried(run: dict[str, Any]) -> str:
    return str(run.get("convention", ""))


# -- output ----------------------------------------------------------------------------------------------------------


def _non_scalar(claim: Claim, evidence: Evidence) -> Verdict:
    runs = evidence["runs"]
    wide = [r for r in runs if any(len(s) for s in r["shapes"]) and r["structure"] == "tensor"]
    if wide:
        return _confirmed(f"returns a tensor of shape {_shape(wide[0])}", wide[0], value=wide[0]["total"])
    if all(r["structure"] == "tensor" for r in runs):
        return _refuted("returns a scalar", evidence)
    return Verdict(INCONCLUSIVE, f"returns a {runs[0]['structure']}")


def _shape(run: dict[str, Any]) -> str:
    shape = run["shapes"][0]
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _sequence(claim: Claim, evidence: Evidence) -> Verdict:
    runs = evidence["runs"]
    found = next((r for r in runs if r["structure"].startswith(("tuple", "list", "dict"))), None)
    if found:
        return _confirmed(f"returns a {found['structure']}", found)
    return _refuted(f"returns a {runs[0]['structure']}", evidence)


def _missing(claim: Claim, evidence: Evidence) -> Verdict:
    for run in evidence["runs"]:
        dtypes = [d for d in run["dtypes"] if not d.startswith(("float", "bfloat", "complex"))]
        if run["structure"] in ("None", "number") or (run["structure"] == "tensor" and dtypes):
            what = f"a tensor of {dtypes[0]}" if dtypes else run["structure"]
            return _confirmed(f"returns {what}, which has no gradient", run)
    return Verdict(INCONCLUSIVE, "returns a float tensor here; another way out of it was not taken")


def _scalar(claim: Claim, evidence: Evidence) -> Verdict:
    runs = evidence["runs"]
    scalar = next((r for r in runs if r["structure"] == "tensor" and not r["shapes"][0]), None)
    weights = evidence.get("weights") or {}
    if scalar is None:
        return _refuted("returns one value per sample", evidence)
    note = "returns a scalar"
    if weights.get("only_rescales"):
        note += (
            f": with the sample weights 1, 0, 0, ... Keras computes {weights['weighted']:.4g}, that is"
            f" {weights['whole']:.4g} times their mean, not the loss of the first sample ({weights['alone']:.4g})"
        )
    return _confirmed(note, scalar, value=scalar["total"])


# -- gradient --------------------------------------------------------------------------------------------------------


def _no_gradient(claim: Claim, evidence: Evidence) -> Verdict:
    error = (evidence["trace"].get("errors") or {}).get("None batch")
    if claim.code == "LL205" and error and _raised_at(claim, error):
        return _confirmed(f"cannot be traced: {error['message']}", evidence["runs"][0])
    states = [r["class"] for r in evidence["runs"]]
    cut = next((r for r in evidence["runs"] if r["class"] in ("none", "zero")), None)
    if cut is not None:
        told = ", ".join(f"{n}: {s['state']}" for n, s in cut["sources"].items()) or "no float argument"
        where = _cut_at(claim, cut)
        return _confirmed(
            f"no gradient arrives ({told}){where}", cut, gradient={n: s["state"] for n, s in cut["sources"].items()}
        )
    guessed = next((r for r in evidence["runs"] if not _reaches_prediction(r)), None)
    if all(s == "non-zero" for s in states) and guessed is not None:
        live = ", ".join(n for n, s in guessed["sources"].items() if s["state"] == "live")
        return Verdict(INCONCLUSIVE, f"a gradient arrives only at {live}, which may be no prediction")
    if all(s == "non-zero" for s in states):
        reached = evidence["runs"][0]["sources"]
        told = ", ".join(f"{n}: {s['reached']:.0%} of its elements" for n, s in reached.items() if s["state"] == "live")
        return _refuted(f"a gradient arrives ({told})", evidence)
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


def _dead_term(claim: Claim, evidence: Evidence) -> Verdict:
    for run in evidence["runs"]:
        for term in run["dead_terms"]:
            if any(p == claim.path and claim.place.row <= row <= claim.place.end_row for p, row in term["lines"]):
                return _confirmed(
                    "a term depends on a prediction and sends it no gradient, while another term does", run
                )
        if run["class"] in ("none", "zero"):
            return _confirmed("no term sends a gradient back", run)
    if all(r["class"] == "non-zero" and not r["dead_terms"] and not r.get("not_watched") for r in evidence["runs"]):
        return _refuted("every term that depends on a prediction sends it a gradient", evidence)
    return Verdict(INCONCLUSIVE, "the term of the flagged line could not be told from the others")


# -- batch -----------------------------------------------------------------------------------------------------------


def _law(wrong: Callable[[dict[str, Any]], str]) -> Callable[[Claim, Evidence], Verdict]:
    """A judge for a rule about the gradient of a repeated batch; ``wrong`` says what a run shows of it, or ""."""

    def judge(claim: Claim, evidence: Evidence) -> Verdict:
        for run in evidence["runs"]:
            shown = wrong(run)
            if shown:
                ratios = {k: round(v, 6) for k, v in run["gradient_ratio"].items()}
                return _confirmed(
                    shown,
                    run,
                    batch=7,
                    gradient={"ratio for 2 and 4 copies of the batch": ratios},
                    value=run["value_ratio"],
                )
        if any((r.get("permutation") or 0.0) > LAW for r in evidence["runs"]):
            return Verdict(INCONCLUSIVE, "the gradient depends on the order of the samples: copies tell nothing")
        if all(_invariant(r) for r in evidence["runs"]):
            return _refuted("the gradient of 2 and 4 copies of the batch is that of the batch", evidence)
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


def _coupled(claim: Claim, evidence: Evidence) -> Verdict:
    micro = [r.get("micro") for r in evidence["runs"]]
    for run, away in zip(evidence["runs"], micro, strict=True):
        if away is not None and away > COUPLED:
            return _confirmed(
                f"the gradient of the batch is {away:.2%} off the mean of those of its parts", run, batch=7
            )
    if all(m is not None for m in micro):
        note = "the gradient of the batch is the mean of those of its parts"
        if not _PIECEWISE.isdisjoint(evidence.get("ops") or ()):
            return Verdict(INCONCLUSIVE, f"{note} at the inputs tried; elsewhere the line may take another way")
        return _refuted(note, evidence)
    return Verdict(INCONCLUSIVE, "it does not run on parts of a batch, or its gradient is 0")


def _across(claim: Claim, evidence: Evidence) -> Verdict:
    coupled = _coupled(claim, evidence)
    if coupled.verdict == CONFIRMED:
        return coupled
    changed = _law(_changes)(claim, evidence)
    return changed if changed.verdict == CONFIRMED else coupled


def _extent(claim: Claim, evidence: Evidence) -> Verdict:
    ratios = [(r, r.get("extent_ratio")) for r in evidence["runs"]]
    for run, ratio in ratios:
        if ratio is not None and abs(ratio - 1.0) > LAW:
            return _confirmed(f"the value changes by a factor of {ratio:.4g} where samples are twice as long", run)
    if all(ratio is not None for _, ratio in ratios):
        return _refuted("the value does not depend on the extent of the samples", evidence)
    return Verdict(INCONCLUSIVE, "its samples have one axis")


# -- trace -----------------------------------------------------------------------------------------------------------


def _static(claim: Claim, evidence: Evidence) -> Verdict:
    trace = evidence["trace"]
    error = (trace.get("errors") or {}).get("None batch")
    if error is None:
        unknown, known = trace.get("totals") or (0.0, 0.0)
        if evidence.get("executed") and abs(unknown - known) > LAW * abs(known):
            return _confirmed(
                f"traced with an unknown batch size it is {unknown:.4g}, with a known one {known:.4g}",
                evidence["runs"][0],
            )
        return _refuted("it can be traced with an unknown batch size", evidence)
    for found in (error, *(evidence.get("partial") or ())):
        if _raised_at(claim, found) or (evidence["executed"] and _raised_after(claim, found)):
            return _confirmed(f"with an unknown batch size it raises {found['message']}", evidence["runs"][0])
    return Verdict(
        INCONCLUSIVE, f"it cannot be traced with an unknown batch size, for another reason: {error['message']}"
    )


# -- edges -----------------------------------------------------------------------------------------------------------


def _edges(claim: Claim, evidence: Evidence) -> Verdict:
    found = evidence["edges"]
    witness = found.get("witness")
    if witness is not None:
        where = "compiled by XLA" if witness["mode"] == "xla" else "under tf.function"
        gradients = ", ".join(f"{n}: {_number(g)}" for n, g in (witness.get("gradient") or {}).items()) or "none"
        note = f"{where} the value is {_number(witness['value'])}, the gradient {gradients}, at {witness['point']}"
        keep = {k: witness[k] for k in ("inputs", "batch", "mode", "value", "gradient", "point")}
        tried = f"{found['tested']} edges, called with {found.get('convention')}"
        return Verdict(CONFIRMED, note, keep | {"note": note}, tried)
    if not found["executed"]:
        return Verdict(INCONCLUSIVE, f"the flagged line was not executed at any of {found['tested']} inputs")
    if found["nearest"] is None:
        return Verdict(INCONCLUSIVE, "the flagged line holds no operation of the kind that is claimed")
    tested = found["tested"]
    if found["near"] and evidence.get("unlike"):
        return Verdict(INCONCLUSIVE, f"finite, but it runs only {evidence['unlike']}, which its consumer does not do")
    if found["near"]:
        point, nearest = min(found["near"], key=lambda p: p[1])
        finite, compiled = found["finite"], found["compiled"]
        note = f"finite at {finite} edges, though the operand comes within {nearest:.3g} of its edge at {point}"
        return Verdict(REFUTED, note, None, f"{tested} edges under tf.function, {compiled} compiled by XLA")
    if found["elsewhere"] and found["nearest"] <= NEAR:
        return Verdict(
            INCONCLUSIVE, f"something is not finite at {found['elsewhere'][0]}, but not for the flagged line"
        )
    note = f"the flagged operand came no closer than {found['nearest']:.3g} to its edge at {tested} inputs"
    return Verdict(INCONCLUSIVE, note)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_JUDGES: dict[str, Callable[[Claim, Evidence], Verdict]] = {
    "LL101": _non_scalar,
    "LL102": _sequence,
    "LL103": _missing,
    "LL104": _scalar,
    **dict.fromkeys(("LL201", "LL202", "LL204", "LL205", "LL208"), _no_gradient),
    "LL203": _dead_term,
    "LL301": _law(_changes),
    "LL302": _law(_grows),
    "LL303": _law(_shrinks),
    "LL304": _law(_mixes),
    "LL305": _law(_grows),
    "LL306": _static,
    "LL307": _across,
    "LL308": _coupled,
    "LL311": _extent,
    "LL516": _static,
    **dict.fromkeys(("LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409"), _edges),
}
"""Rule -> its judge: one small rule each."""
