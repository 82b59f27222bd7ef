"""Judges of values and gradients at the edges of a domain."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import NEAR, Evidence, judges
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED, Verdict


@judges("LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409", "LL410", "LL411")
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
        if claim.code == "LL411":
            # nothing but rounding keeps a cosine from 1, eagerly or in a graph: finite here is not finite there
            return Verdict(INCONCLUSIVE, note)
        xla = f"there is no XLA that works here: {found['without_xla']}" if found.get("without_xla") else ""
        xla = xla or f"{compiled} compiled by XLA"
        return Verdict(REFUTED, note, None, f"{tested} edges under tf.function, {xla}")
    if found["elsewhere"] and found["nearest"] <= NEAR:
        return Verdict(
            INCONCLUSIVE, f"something is not finite at {found['elsewhere'][0]}, but not for the flagged line"
        )
    note = f"the flagged operand came no closer than {found['nearest']:.3g} to its edge at {tested} inputs"
    return Verdict(INCONCLUSIVE, note)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
