"""Judges of what Keras makes of a subclass of ``Loss``."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import Claim
from losslint.confirm.judges.base import LAW, Evidence, judges, raised_at, shown
from losslint.findings import INCONCLUSIVE, REFUTED, Verdict

_REDUCTIONS = frozenset(("auto", "none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"))


@judges("LL504")
def _positional(claim: Claim, evidence: Evidence) -> Verdict:
    error = evidence.get("error")
    if error is not None and raised_at(claim, error):
        return shown(f"making an object raises {error['message']}")
    if error is not None:
        return Verdict(INCONCLUSIVE, f"no object could be made: {error['message']}")
    if not evidence["executed"]:
        return Verdict(INCONCLUSIVE, "the flagged line was not executed")
    name, reduction = evidence["name"], evidence["reduction"]
    if str(name).lower() in _REDUCTIONS:
        return shown(f"the object is called {name!r}, and its reduction is {reduction!r}")
    return Verdict(REFUTED, f"the object is called {name!r}, and its reduction is {reduction!r}", None, "its defaults")


@judges("LL505")
def _called(claim: Claim, evidence: Evidence) -> Verdict:
    if evidence.get("error"):
        return Verdict(INCONCLUSIVE, f"no object could be made: {evidence['error']['message']}")
    last = evidence["tries"][-1]
    if "error" in last:
        usable = evidence["direct"] or not evidence["method"]
        if last["stub"] or not usable or not _trains(evidence["control"]):
            return Verdict(INCONCLUSIVE, f"a model that is compiled with it does not train: {last['error']}")
        alone = f", though {evidence['method']} takes that batch" if evidence["direct"] else ""
        return shown(f"a model that is compiled with it raises {last['error']}{alone}", last["batch"])
    return by_copies(last) or Verdict(INCONCLUSIVE, "a model that is compiled with it does not move, or in another way")


def by_copies(told: dict[str, Any]) -> Verdict | None:
    """The verdict where two copies of a batch double the step, or leave it; None where neither is seen."""
    once, twice = told["once"], told["twice"]
    if not once["step"]:
        return None
    factor, value = twice["step"] / once["step"], f"the loss that Keras shows is {once['value']:.4g}"
    alike = abs(twice["value"] - once["value"]) <= LAW * abs(once["value"])
    if alike and abs(factor - 2.0) < 2.0 * LAW:
        note = f"for two copies of the batch the step is {factor:.4g} times as long, while {value} for both"
        return shown(note, told["batch"])
    if alike and abs(factor - 1.0) < LAW:
        return Verdict(REFUTED, f"two copies of the batch move the weights as one does; {value}", None, told["batch"])
    return None


def _trains(tries: list[dict[str, Any]]) -> bool:
    return "once" in tries[-1]


@judges("LL506")
def _saved(claim: Claim, evidence: Evidence) -> Verdict:
    told = [s for s in evidence["saved"] if "skipped" not in s]
    for one in told:
        made = f"made with {one['name']}={one['given']}"
        if "unsaved" in one:
            return shown(f"{made} it cannot be saved: get_config raises {one['unsaved']}")
        if "unloaded" in one:
            return shown(f"{made} it cannot be loaded again: from_config raises {one['unloaded']}")
        if one["differs"]:
            return shown(f"{made} and made again of its configuration it differs: {'; '.join(one['differs'])}")
    if told and len(told) == len(evidence["saved"]):
        return Verdict(
            REFUTED, "made again of its configuration it is the same", None, "other values than the defaults"
        )
    return Verdict(INCONCLUSIVE, next((s["skipped"] for s in evidence["saved"] if "skipped" in s), "nothing to try"))
