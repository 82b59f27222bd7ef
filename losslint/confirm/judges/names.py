"""Judge of names that the installed packages have or lack."""

from __future__ import annotations

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import Evidence, judges, refuted, shown, tried
from losslint.findings import INCONCLUSIVE, Verdict


@judges("LL503")
def _unknown_api(claim: Claim, evidence: Evidence) -> Verdict:
    told = evidence["name"]
    installed = f"{told['package']} {told['installed']}"
    if told["installed"].split(".")[:2] != told["wanted"].split("."):
        return Verdict(INCONCLUSIVE, f"it was checked against {told['wanted']}, and {installed} is installed")
    runs = evidence.get("runs") or []
    if told["error"]:
        note = f"{installed} raises {told['error']}"
        return shown(note, tried(runs[0]) if runs else "")
    if not runs:
        return Verdict(INCONCLUSIVE, f"{installed} has it, but the loss was not run")
    return refuted(f"{installed} has it", evidence)
