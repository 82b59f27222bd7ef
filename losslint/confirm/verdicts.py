"""Turns evidence into verdicts, by one strict rule: what was not seen is not said.

*Confirmed*: a run shows the fault, with numbers. *Refuted*: the flagged line was executed in the consumer's mode, on an
input that takes the flagged operand to the claimed edge (for laws and gradients: on two accepted input conventions),
and the fault was not there. Anything else is *inconclusive*, with the reason.
"""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim, Outcome
from losslint.confirm.judges import load_judges
from losslint.confirm.judges.base import JUDGES, RAISING, raised_at
from losslint.findings import CONFIRMED, INCONCLUSIVE, Verdict


def decide(claim: Claim, evidence: dict[str, Any]) -> Verdict:
    """The verdict on ``claim`` from what the run of its loss showed."""
    if evidence.get("failed"):
        return Verdict(INCONCLUSIVE, f"the probe failed: {evidence['failed']}")
    load_judges()
    judge = JUDGES.get(claim.code)
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


def not_run(claim: Claim, result: dict[str, Any], told: dict[str, Any] | None = None) -> Verdict:
    """The verdict where the loss could not be called; a call that always fails at the flagged line shows some rules.

    ``told`` is what is known of the claim all the same.
    """
    load_judges()
    if told:
        return JUDGES[claim.code](claim, told)
    error = result.get("error")
    if error and claim.code in RAISING and raised_at(claim, error):
        note = f"raises {error['message']} at the flagged line, with each of {error['tried']} input conventions"
        return Verdict(
            CONFIRMED,
            note,
            {"inputs": None, "batch": None, "mode": "graph", "value": None, "gradient": None, "note": note},
        )
    return Verdict(INCONCLUSIVE, result.get("reason") or "it was not run")
