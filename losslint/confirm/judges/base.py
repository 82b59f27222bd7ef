"""What judges share: how near is near, and how a verdict is worded. A judge is registered for the rules it decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.confirm.jobs import Claim
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
Judge = Callable[[Claim, Evidence], Verdict]

JUDGES: dict[str, Judge] = {}
"""Rule -> its judge: one small rule each."""

RAISING: set[str] = set()
"""Rules that a call which always fails at the flagged line shows."""


REPEATING = frozenset("LL101 LL102 LL103 LL105 LL205 LL501 LL502 LL503 LL507 LL508 LL511 LL512 LL513 LL515".split())
"""Rules about shapes and about what raises, at every call alike: random numbers in a loss are of no matter to them."""


def judges(*codes: str, raising: bool = False) -> Callable[[Judge], Judge]:
    """Register the decorated judge for the rules ``codes``; ``raising`` if an error at the flagged line shows them."""

    def register(judge: Judge) -> Judge:
        JUDGES.update(dict.fromkeys(codes, judge))
        RAISING.update(codes if raising else ())
        return judge

    return register


def raised_at(claim: Claim, error: dict[str, Any]) -> bool:
    """Whether the traceback of ``error`` passes the flagged place."""
    lines = error.get("lines") or []
    return any(p == claim.path and claim.place.row <= row <= claim.place.end_row for p, row in lines)


def confirmed(note: str, run: dict[str, Any], **numbers: Any) -> Verdict:
    """Confirmed by ``run``; ``numbers`` go into the witness."""
    mode = run.get("mode", "graph")
    witness = {"inputs": run.get("convention"), "batch": None, "mode": mode, "value": None, "gradient": None}
    return Verdict(CONFIRMED, note, witness | numbers | {"note": note}, tried(run))


def shown(note: str, tried: str = "", **numbers: Any) -> Verdict:
    """Confirmed by what was seen without a run of the loss on its own."""
    witness = {"inputs": tried or None, "batch": None, "mode": None, "value": None, "gradient": None}
    return Verdict(CONFIRMED, note, witness | numbers | {"note": note}, tried)


def refuted(note: str, evidence: Evidence) -> Verdict:
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


def tried(run: dict[str, Any]) -> str:
    """How ``run`` called the loss."""
    return str(run.get("convention", ""))
