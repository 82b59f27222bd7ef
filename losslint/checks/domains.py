"""LL410, LL411, LL413: exponents that overflow, inverse functions at the ends of their domain, and NaN labels."""

from __future__ import annotations

from collections.abc import Iterator

from losslint.checks.base import Draft, check
from losslint.checks.numerics import assuming, candidates, fact, lowered
from losslint.checks.wording import spoken
from losslint.domain.interval import Trust
from losslint.findings import Severity
from losslint.loss import Loss
from losslint.ops.missing import MASKS, masked_too_late
from losslint.ops.overflow import EXPONENTIALS, overflow
from losslint.ops.singularities import INVERSES, singularity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@check("LL410")
def overflowing_exp(loss: Loss) -> Iterator[Draft]:
    """exp of an unbounded value; worse where a division, a logarithm or a difference meets its infinity."""
    said: set[int] = set()
    for node, site in candidates(loss, *EXPONENTIALS):
        found = overflow(loss, node)
        at = node if found is None or found.breaks is None else found.breaks
        if found is None or at.number in said:
            continue
        said.add(at.number)
        then = "and so is the loss"
        if found.breaks is not None:
            told = "the division" if found.breaks.op in ("div", "reciprocal") else spoken(found.breaks)
            logs = found.breaks.op in ("log", "log1p")
            then = f"and so is {told} of it" if logs else f"and {told} makes NaN of it, in the value or in the gradient"
        yield Draft(
            "LL410",
            INFO if found.breaks is None else lowered(loss, WARNING),
            f"{spoken(node)} is inf where its argument passes {found.limit:g}, {then}",
            site,
            f"the exponent is in {loss.ranges.of(node.inputs[0])}",
            "use the stable form (softmax, sigmoid, softplus, logsumexp), or subtract the maximum or clip the exponent "
            "first",
            node,
        )


@check("LL411")
def domain_edge(loss: Loss) -> Iterator[Draft]:
    """acos, asin, atanh, acosh at the ends of their domain, where their slope is infinite."""
    for node, site in candidates(loss, *INVERSES):
        found = singularity(loss, node)
        if found is None or found.trust == Trust.UNKNOWN or found.masks:
            continue
        if not (loss.gradients.live(node) or (node.op == "atanh" and loss.is_metric)):
            continue
        edge = "1" if node.op == "acosh" else "-1 or 1"
        value = "it" if node.op == "atanh" else "its gradient"
        lost = ", as the epsilon is lost in rounding," if found.vanished else ","
        yield Draft(
            "LL411",
            lowered(loss, WARNING),
            f"the argument of {spoken(node)} can be {edge}{lost} where {value} is infinite{assuming(found)}",
            site,
            fact(loss, found, "1"),
            "keep away from the ends: maximum(x, 1 + 1e-6)"
            if node.op == "acosh"
            else "keep away from the ends: clip to [-1 + 1e-6, 1 - 1e-6]; [-1, 1] does not help",
            node,
        )


@check("LL413")
def nan_label_mask(loss: Loss) -> Iterator[Draft]:
    """Labels that are NaN are masked after they were used: the gradient is NaN all the same."""
    if loss.is_metric:
        return
    said: set[int] = set()
    for node, site in candidates(loss, *MASKS):
        found = masked_too_late(loss, node) if loss.gradients.live(node) else None
        if found is None or found[1].number in said:
            continue
        label, trap = found
        said.add(trap.number)
        where = "0 * NaN" if trap is node else f"the gradient that {spoken(trap)} sends back is 0 * NaN"
        yield Draft(
            "LL413",
            ERROR,
            f"{spoken(node)} drops the loss of labels that are NaN, but {where} = NaN there",
            site,
            f"{spoken(label)} is tested for NaN, and was used before",
            "replace the labels first: y_true = tf.where(tf.math.is_nan(y_true), y_pred, y_true), or 0, and then mask",
            node,
        )
