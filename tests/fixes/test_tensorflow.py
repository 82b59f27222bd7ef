"""TensorFlow judges every fix: what was found is refuted afterwards, and what is promised of the numbers holds."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from losslint.confirm import confirming
from losslint.confirm.plan import Planned
from losslint.confirm.probes import DECIDES
from losslint.findings import CONFIRMED, REFUTED
from tests.confirm.forked import Forked
from tests.fixes.changed import Changed, planned, twins
from tests.rule_pages import PAGES, read

pytestmark = pytest.mark.tf

FIXABLE = [page.code for page in map(read, PAGES) if page.meta["fix"] != "none"]
STABLE = {"LL407", "LL409"}
"""Rewrites that compute the same, up to rounding."""
GUARDS = {"LL401", "LL402", "LL403", "LL405"}
"""Fixes that change numbers at the edge of a domain, and only there."""
RESULT = {"LL306": "unsafe, as what was a number is a tensor"}
"""Unsafe, and identical all the same."""
ON_PURPOSE = {"LL101", "LL104", "LL110", "LL302", "LL408", "LL412"}
"""Fixes that change the value; a run has to refute the finding."""
UNDECIDED = {
    "LL503": "the claim is about a name that is not there any more",
    "LL510": "the probe knows the call by its exact place, which the fix moves; test_objects.py sees what arrives where",
}
EXACT = 1e-6

# -- verdicts --------------------------------------------------------------------------------------------------------

DECIDED = [code for code in FIXABLE if DECIDES.get(code) and code not in UNDECIDED]


@pytest.fixture(scope="module")
def verdicts(changed: dict[str, list[Changed]]) -> dict[str, list[tuple[str, str, str]]]:
    """Code -> name, verdict and reason of each finding, as if it were still made after the fix."""
    asked: dict[int, tuple[Changed, Planned]] = {}
    for code in DECIDED:
        for one in changed[code]:
            if (job := planned(one, after=True)) is not None:
                asked[id(job)] = one, job
    found = defaultdict(list)
    for ran in confirming.run([job for _, job in asked.values()], confirming.Options(device="cpu", seconds=120)):
        one = asked[id(ran.planned)][0]
        found[one.code] += [(one.name, v.verdict, v.reason) for v in ran.verdicts()]
    return found


@pytest.mark.parametrize("code", DECIDED)
def test_what_was_found_is_refuted(code: str, verdicts: dict[str, list[tuple[str, str, str]]]) -> None:
    told = verdicts[code]
    assert any(verdict == REFUTED for _, verdict, _ in told) or code in ("LL110", "LL407", "LL409")
    assert [one for one in told if one[1] == CONFIRMED] == []
    assert [one for one in told if one[1] != REFUTED and not any(reason in one[2] for reason in AS_GOOD)] == []


AS_GOOD = {
    "the flagged line holds no operation of the kind that is claimed": "another one stands there",
    "the flagged operand came no closer than": "it is kept away from the edge",
    "a batch of one gives as many axes as any other": "of which no samples of other shapes are refuted",
    "a graph of TensorFlow 1 is built by the whole script": "it cannot be run",
}
"""Reasons for which there is no verdict, in their words, and what they mean for a fix."""


# -- numbers ---------------------------------------------------------------------------------------------------------

Compare = Callable[[Changed], "dict[str, Any] | None"]


@pytest.fixture(scope="module")
def compare(run: Forked) -> Compare:
    """The same inputs before and after; None for what is no loss that can be run."""

    return functools.partial(twins, run=run)


def broken(one: Changed, told: dict[str, Any]) -> str:
    """The promise that the numbers do not keep; "" where they keep all."""
    points = told["points"]
    if told["refused"]:
        return ""
    if one.fix.applicability == "safe" or one.code in RESULT:
        wrong = [p["name"] for p in points if not p["identical"] and p["dtype"] == "float32"]
        return f"not identical at {wrong}" if wrong else ""
    if lost := [p["name"] for p in points if p["lost"]]:
        return f"not finite any more at {lost}"
    if one.code in STABLE and (far := [p["name"] for p in points if not p["finite"]]):
        return f"not finite at {far}"
    stable = one.code in STABLE or "log_sigmoid" in one.fix.message
    exact = [p for p in points if p["dtype"] == "float64" and (stable or p["ordinary"])]
    far = [(p["name"], p["error"]) for p in exact if p["error"] > EXACT]
    return f"another value at {far}" if far or not exact else ""


@pytest.mark.parametrize("code", sorted({*STABLE, *GUARDS, *RESULT, "LL503", "LL511"}))
def test_numbers_are_what_the_fix_promises(code: str, changed: dict[str, list[Changed]], compare: Compare) -> None:
    told = [(one, result) for one in changed[code] if (result := compare(one)) is not None]
    assert sum(bool(result["points"]) for _, result in told) >= min(2, len(changed[code])), "too few could be run"
    assert [f"{one.name}: {problem}" for one, result in told if (problem := broken(one, result))] == []
    if code == "LL503":
        left = [shim for one, result in told for shim in result["shims"] if shim.split()[0] == _short(one)]
        assert left == [], "the old name is still asked for"


def _short(one: Changed) -> str:
    """The name that was missing, as the confirmer calls it."""
    return str(one.finding.extra["asked"]["name"]).replace("tensorflow", "tf", 1)


def test_every_fix_is_run(changed: dict[str, list[Changed]]) -> None:
    elsewhere = {"LL002", "LL504", "LL505", "LL506", "LL509", "LL510"}  # below, and in test_promises.py
    assert set(FIXABLE) == STABLE | GUARDS | set(RESULT) | ON_PURPOSE | elsewhere | {"LL503", "LL511"}
    assert set(changed) == set(FIXABLE)
