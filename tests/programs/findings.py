"""Whether what a rule says of a program shows when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from losslint.checks import load_checks
from losslint.checks.base import Draft, drafts_of
from losslint.findings import Severity
from losslint.graph import Node
from losslint.loss import Loss
from losslint.ops.singularities import singularity
from tests.conformance.columns import EXACT, WRONG, Verdict
from tests.programs.layouts import Batch, Layout, batch

if TYPE_CHECKING:
    from tests.programs.compare import Measured

LAWS = frozenset({"LL301", "LL302", "LL303", "LL304", "LL305"})
CUTS = frozenset({"LL201", "LL202", "LL204", "LL208"})
EDGES = frozenset({"LL401", "LL402", "LL404", "LL405", "LL406", "LL407", "LL411"})


def verdicts(loss: Loss, measured: Measured) -> Iterator[Verdict]:
    """One verdict for each finding of severity warning or worse that a run can decide."""
    load_checks()
    for draft in drafts_of(loss):
        if draft.severity >= Severity.WARNING and (shown := shows(draft, loss, measured)) is not None:
            yield (EXACT, "") if shown else (WRONG, f"{draft.code}: {draft.message} ({draft.fact})")


def shows(draft: Draft, loss: Loss, measured: Measured) -> bool | None:
    """Whether the fault is seen; None where a run does not tell."""
    if draft.code in LAWS:
        return measured.scales("for large batches" in draft.fact)
    if draft.code in CUTS:
        return None if measured.reached == "nan" else measured.reached != "live"
    if draft.code in EDGES:
        found = singularity(loss, draft.fault) if isinstance(draft.fault, Node) else None
        return measured.blows_up(under_xla=found is not None and found.zero_slope and found.xla_only)
    if draft.code == "LL307":
        return measured.mixes
    if draft.code == "LL101":
        return bool(measured.once.ndim)
    return None


POINTS = (0.0, 1.0, 0.5, -1.0, 200.0, -200.0, 1e-8, 1.0 - 1e-7)
"""Values to which predictions are taken."""


def extremes(layout: Layout, limited: frozenset[str]) -> Iterator[Batch]:
    """Legal inputs at which operations leave their domain; the arguments ``limited`` lie in [0, 1]."""
    whole = layout.labels == "classes"
    soft, p, features = batch(layout, 4, 41)
    ends = [np.zeros_like(soft), np.ones_like(soft), np.round(soft), soft]
    far = [400.0 * (soft - 0.5), np.full_like(soft, 200.0), -200.0 * soft, -np.ones_like(soft)]
    labels = [soft, np.zeros_like(soft)] if whole else ends if "y_true" in limited else [*ends, *far]
    for point in POINTS:
        if "y_pred" in limited and not 0.0 <= point <= 1.0:
            continue
        same = np.full_like(p, point)
        single = p.copy()
        single[..., 0] = point
        first = p.copy()
        first[:1] = point
        for y in labels:
            for prediction in (same, single, first):
                yield Batch(y, prediction, features)
    mixed = np.random.default_rng(5).integers(0, 2, p.shape).astype(float)
    for y in labels:
        yield Batch(y, mixed, features)
        if whole or "y_pred" not in limited or "y_true" in limited:
            yield Batch(y, y if not whole else p, features)  # all is right
    if whole and p.shape[:-1] == soft.shape:
        yield Batch(soft, np.eye(p.shape[-1])[soft], features)  # all is right
    if not whole:
        yield Batch(np.round(soft), 1.0 - np.round(soft), features)
        if not limited:
            yield Batch(-soft, -soft, features)
            yield Batch(soft, -soft, features)
    for size in (1, 2):  # one sample does not deviate from itself, and for equal ones it is a matter of rounding
        y, p, features = batch(layout, size, 41)
        far = np.zeros_like(p)
        far[..., 0] = 1.0 if "y_pred" in limited else 200.0
        for prediction in (np.zeros_like(p), np.ones_like(p), p, far):
            yield Batch(y, prediction, features)


def finite(value: Any) -> bool:
    """Whether nothing in an array, or in None, is infinite or no number."""
    return value is None or bool(np.all(np.isfinite(value)))
