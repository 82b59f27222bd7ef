"""Losses with the batch law and coupling each must have, written once for the analyser and for the real TensorFlow.

A loss is a function of ``f`` (the operations), labels ``y`` and predictions ``p`` of shape (B, 3). ``law`` is the power
p of its gradient, or "mixed", "broken", "unknown"; ``exact`` False where it holds for large batches only; ``coupling``
is the kind of the returned value; ``code`` the law rule that fires for a Keras loss, "" for none.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from losslint.graph import Node
from tests.hand import Hand

HALF = Fraction(1, 2)


class Entry(NamedTuple):
    """One loss and what is true of it."""

    name: str
    loss: Callable[[Any, Any, Any], Any]
    law: Any
    coupling: str
    code: str = ""
    exact: bool = True


class Value:
    """A node with operators."""

    def __init__(self, ops: Symbolic, node: Node) -> None:
        self.ops, self.node = ops, node

    def __add__(self, other: Any) -> Value:
        return self.ops("add", self, other)

    def __radd__(self, other: Any) -> Value:
        return self.ops("add", other, self)

    def __sub__(self, other: Any) -> Value:
        return self.ops("sub", self, other)

    def __rsub__(self, other: Any) -> Value:
        return self.ops("sub", other, self)

    def __mul__(self, other: Any) -> Value:
        return self.ops("mul", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Value:
        return self.ops("div", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return self.ops("div", other, self)

    def __neg__(self) -> Value:
        return self.ops("neg", self)


class Symbolic:
    """The operations on nodes."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand

    def __call__(self, name: str, /, *values: Any, **attrs: Any) -> Value:
        nodes = [v.node if isinstance(v, Value) else v for v in values]
        return Value(self, self.hand.op(name, *nodes, **attrs))

    def count(self, x: Value) -> Value:
        """The batch size as a float."""
        return self("cast", self("dynamic_dim", x, axis=0), dtype="float32")

    def weights(self) -> Value:
        """A trainable vector that belongs to no sample."""
        from losslint.domain.shape import Shape

        return Value(self, self.hand.source("w", "variable", Shape.of(3)))

    def eye(self, x: Value) -> Value:
        """The identity of one row for each sample."""
        return self("eye", self("dynamic_dim", x, axis=0))

    def at(self, x: Value, *key: Any) -> Value:
        """``x[key]``."""
        return self("index", x, key=key)


def bce(f: Any, y: Any, p: Any) -> Any:
    return -(y * f("log", p) + (1.0 - y) * f("log", 1.0 - p))


def total(f: Any, x: Any) -> Any:
    return f("sum", x, axis=None)


def mean(f: Any, x: Any) -> Any:
    return f("mean", x, axis=None)


def mse(f: Any, y: Any, p: Any) -> Any:
    return mean(f, f("square", y - p))


def kl(f: Any, p: Any, reduction: str) -> Any:
    return -0.5 * f(reduction, 1.0 + p - f("square", p) - f("exp", p), axis=None)


def dice(f: Any, y: Any, p: Any) -> Any:
    return 1.0 - (2.0 * total(f, y * p) + 1.0) / (total(f, y) + total(f, p) + 1.0)


def contrast(f: Any, y: Any, p: Any) -> Any:
    z = f("l2_normalize", p, axis=(-1,))
    similar = f("exp", f("matmul", z, z, transpose_b=True) / 0.5)
    others = f("sum", similar * (1.0 - f.eye(p)), axis=(1,))
    return -f("log", f("exp", f("sum", z * y, axis=(1,))) / others)


def similarities(f: Any, p: Any) -> Any:
    z = f("l2_normalize", p, axis=(-1,))
    return f("matmul", z, z, transpose_b=True)


def hardest(f: Any, y: Any, p: Any) -> Any:
    """The distance to the farthest other sample of the same class, for each sample."""
    kind = f("cast", f("gt", f.at(y, slice(None), slice(0, 1)), 0.5), dtype="float32")
    same = f("matmul", kind, kind, transpose_b=True)
    return f("max", (1.0 - similarities(f, p)) * (same - f.eye(p)), axis=(1,))


def positives(f: Any, y: Any, p: Any) -> Any:
    """Cross-entropy of picking, for each sample, the labels that belong to it."""
    return -f("log", f("diag_part", f("softmax", f("matmul", p, y, transpose_b=True), axis=(-1,))))


def others(f: Any, p: Any) -> Any:
    """The similarities of all pairs, without those of a sample with itself."""
    return f("select", f("gt", f.eye(p), 0.0), 0.0, similarities(f, p))


def standardized(f: Any, p: Any) -> Any:
    return (p - f("mean", p, axis=(0,))) / (f("std", p, axis=(0,)) + 1e-3)


SOUND = [
    Entry("mse", mse, 0, "mean"),
    Entry("per-sample", lambda f, y, p: f("mean", f("square", y - p), axis=(-1,)), 0, "row"),
    Entry("elementwise", bce, 0, "row"),
    Entry("mean of sums", lambda f, y, p: mean(f, f("sum", bce(f, y, p), axis=(-1,))), 0, "mean"),
    Entry("sum over B", lambda f, y, p: total(f, bce(f, y, p)) / f.count(p), 0, "mean"),
    Entry(
        "sum over size", lambda f, y, p: total(f, bce(f, y, p)) / f("cast", f("size_of", p), dtype="float32"), 0, "mean"
    ),
    Entry("sum times 1/B", lambda f, y, p: total(f, bce(f, y, p)) * (1.0 / f.count(p)), 0, "mean"),
    Entry("mean plus weight decay", lambda f, y, p: mse(f, y, p) + total(f, f("square", f.weights())), 0, "mean"),
    Entry(
        "row plus batch mean", lambda f, y, p: f("mean", f("square", y - p), axis=(-1,)) + mse(f, y, p), 0, "row+mean"
    ),
    Entry(
        "mean of row plus batch mean",
        lambda f, y, p: mean(f, f("mean", f("square", y - p), axis=(-1,)) + mse(f, y, p)),
        0,
        "mean",
    ),
    Entry("mean recon + mean kl", lambda f, y, p: mse(f, y, p) + kl(f, p, "mean"), 0, "mean"),
    Entry("focal", lambda f, y, p: mean(f, f("pow", 1.0 - p, 2.0) * bce(f, y, p)), 0, "mean"),
    Entry("logsumexp over classes", lambda f, y, p: mean(f, f("logsumexp", p, axis=(-1,))), 0, "mean"),
    Entry(
        "softmax cross-entropy",
        lambda f, y, p: -mean(f, f("sum", y * f("log_softmax", p, axis=(-1,)), axis=(-1,))),
        0,
        "mean",
    ),
    Entry(
        "huber",
        lambda f, y, p: mean(f, f("select", f("lt", f("abs", y - p), 0.3), f("square", y - p), f("abs", y - p))),
        0,
        "mean",
    ),
    Entry("norm of each row", lambda f, y, p: mean(f, f("norm", y - p, axis=(-1,))), 0, "mean"),
]
"""Losses that are the mean over the batch of what each sample gives, up to constants and coupled weights."""

COUPLED = [
    Entry("dice over the batch", dice, 0, "coupled", exact=False),
    Entry("masked mean", lambda f, y, p: total(f, bce(f, y, p) * y) / total(f, y), 0, "coupled"),
    Entry(
        "masked mean with eps",
        lambda f, y, p: total(f, bce(f, y, p) * y) / (total(f, y) + 1e-7),
        0,
        "coupled",
        exact=False,
    ),
    Entry(
        "masked mean, guarded",
        lambda f, y, p: total(f, bce(f, y, p) * y) / f("maximum", total(f, y), 1.0),
        0,
        "coupled",
        exact=False,
    ),
    Entry(
        "guarded by where",
        lambda f, y, p: f("select", f("gt", total(f, y), 0.0), total(f, bce(f, y, p) * y) / total(f, y), 0.0),
        0,
        "coupled",
    ),
    Entry(
        "divisor guarded by where",
        lambda f, y, p: total(f, bce(f, y, p) * y) / f("select", f("eq", total(f, y), 0.0), 1.0, total(f, y)),
        0,
        "coupled",
        exact=False,
    ),
    Entry("rmse", lambda f, y, p: f("sqrt", mse(f, y, p)), 0, "coupled"),
    Entry("log of the mean", lambda f, y, p: f("log", mse(f, y, p)), 0, "coupled"),
    Entry("log of the sum", lambda f, y, p: f("log", total(f, f("square", y - p))), 0, "coupled"),
    Entry("log(1 + sum/B)", lambda f, y, p: f("log", 1.0 + total(f, f("square", y - p)) / f.count(p)), 0, "coupled"),
    Entry("ratio of norms", lambda f, y, p: f("norm", y - p, axis=None) / f("norm", y, axis=None), 0, "coupled"),
    Entry("sum over detached sum", lambda f, y, p: total(f, p) / f("stop_gradient", total(f, p)), 0, "coupled"),
    Entry("batch variance", lambda f, y, p: total(f, f("var", p, axis=(0,))), 0, "coupled"),
    Entry("batch statistics", lambda f, y, p: mean(f, standardized(f, p) * y), 0, "coupled", exact=False),
    Entry(
        "correlation",
        lambda f, y, p: (
            total(f, (y - mean(f, y)) * (p - mean(f, p)))
            / (f("norm", y - mean(f, y), axis=None) * f("norm", p - mean(f, p), axis=None))
        ),
        0,
        "coupled",
    ),
    Entry(
        "unbiased variance",
        lambda f, y, p: total(f, f("square", p - f("mean", p, axis=(0,)))) / (f.count(p) - 1.0),
        0,
        "coupled",
        exact=False,
    ),
    Entry("max over the batch", lambda f, y, p: f("max", f("square", y - p), axis=None), 0, "coupled"),
    Entry(
        "smooth max over the batch", lambda f, y, p: f("logsumexp", f("sum", p, axis=(-1,)), axis=(0,)), 0, "coupled"
    ),
    Entry(
        "covariance",
        lambda f, y, p: mean(f, f("square", f("matmul", p, p, transpose_a=True) / f.count(p))),
        0,
        "coupled",
    ),
    Entry("pairwise mean", lambda f, y, p: mean(f, f("square", f("matmul", p, p, transpose_b=True))), 0, "coupled"),
    Entry(
        "pairwise sum / B^2",
        lambda f, y, p: total(f, f("exp", f("matmul", p, p, transpose_b=True))) / f("square", f.count(p)),
        0,
        "coupled",
    ),
    Entry("contrast", lambda f, y, p: mean(f, contrast(f, y, p)), 0, "coupled", exact=False),
    Entry("contrast, sum / B", lambda f, y, p: total(f, contrast(f, y, p)) / f.count(p), 0, "coupled", exact=False),
    Entry("hardest positives", lambda f, y, p: mean(f, hardest(f, y, p)), 0, "coupled", exact=False),
    Entry("positives on the diagonal", lambda f, y, p: mean(f, positives(f, y, p)), 0, "coupled"),
    Entry("mean over pairs", lambda f, y, p: mean(f, f("square", others(f, p))), 0, "coupled", exact=False),
    Entry(
        "mean over the number of pairs",
        lambda f, y, p: total(f, others(f, p)) / total(f, 1.0 - f.eye(p)),
        0,
        "coupled",
        exact=False,
    ),
    Entry("class balance", lambda f, y, p: mean(f, bce(f, y, p) * (total(f, y) / f.count(y))), 0, "coupled"),
]
"""Law 0, but not the mean of their parts: LL308."""

UNSOUND = [
    Entry("sum", lambda f, y, p: total(f, bce(f, y, p)), 1, "sum", "LL302"),
    Entry("weighted bce", lambda f, y, p: total(f, (1.0 + 3.0 * y) * bce(f, y, p)), 1, "sum", "LL302"),
    Entry("sum over the batch axis", lambda f, y, p: f("sum", f("square", y - p), axis=(0,)), 1, "sum", "LL302"),
    Entry("half a sum", lambda f, y, p: total(f, f("square", y - p)) / 2.0, 1, "sum", "LL302"),
    Entry("frobenius norm", lambda f, y, p: f("norm", y - p, axis=None), HALF, "coupled", "LL302"),
    Entry("root of sum", lambda f, y, p: f("sqrt", total(f, f("square", y - p))), HALF, "coupled", "LL302"),
    Entry("sum times sum", lambda f, y, p: total(f, p) * total(f, p), 2, "coupled", "LL302"),
    Entry("relu of affine sum", lambda f, y, p: f("relu", total(f, f("square", y - p)) - 0.1), 1, "coupled", "LL302"),
    Entry("sum weighted by a mean", lambda f, y, p: mse(f, y, p) * total(f, y), 1, "coupled", "LL302"),
    Entry("contraction", lambda f, y, p: total(f, f("matmul", p, p, transpose_a=True)), 1, "sum", "LL302"),
    Entry("hardest positives, summed", lambda f, y, p: total(f, hardest(f, y, p)), 1, "coupled", "LL302", exact=False),
    Entry("positives on the diagonal, summed", lambda f, y, p: total(f, positives(f, y, p)), 1, "coupled", "LL302"),
    Entry("sum over pairs", lambda f, y, p: total(f, others(f, p)), 2, "coupled", "LL302", exact=False),
    Entry(
        "hardest positives / B",
        lambda f, y, p: mean(f, hardest(f, y, p)) / f.count(p),
        -1,
        "coupled",
        "LL303",
        exact=False,
    ),
    Entry("squared sum / B", lambda f, y, p: f("square", total(f, p)) / f.count(p), 1, "coupled", "LL301"),
    Entry("variance / B", lambda f, y, p: total(f, f("var", p, axis=(0,))) / f.count(p), -1, "coupled", "LL303"),
    Entry("mean / B", lambda f, y, p: mse(f, y, p) / f.count(p), -1, "scaled", "LL303"),
    Entry(
        "|mean - .5| / B + mse",
        lambda f, y, p: f("abs", mean(f, p) - 0.5) / f.count(p) + mse(f, y, p),
        "mixed",
        "coupled",
        "LL303",
    ),
    Entry(
        "per-sample / sum of weights",
        lambda f, y, p: f("sum", bce(f, y, p) * y, axis=(-1,)) / total(f, y),
        -1,
        "coupled",
        "LL303",
    ),
    Entry("mean of log / B", lambda f, y, p: f("log", mse(f, y, p)) / f.count(p), -1, "coupled", "LL303"),
    Entry(
        "log(1 + sum) / B",
        lambda f, y, p: f("log", 1.0 + total(f, f("square", y - p))) / f.count(p),
        -1,
        "coupled",
        "LL301",
        exact=False,
    ),
    Entry(
        "log1p(sum) / B",
        lambda f, y, p: f("log1p", total(f, f("square", y - p))) / f.count(p),
        -1,
        "coupled",
        "LL301",
        exact=False,
    ),
    Entry("log(sum) / B", lambda f, y, p: f("log", total(f, f("square", y - p))) / f.count(p), -1, "coupled", "LL301"),
    Entry("tanh(sum)", lambda f, y, p: f("tanh", total(f, f("square", y - p)) * 0.1), "broken", "coupled", "LL301"),
    Entry(
        "1 - exp(-sum)",
        lambda f, y, p: 1.0 - f("exp", -total(f, f("square", y - p)) * 0.1),
        "broken",
        "coupled",
        "LL301",
    ),
    Entry("vae", lambda f, y, p: mse(f, y, p) + kl(f, p, "sum"), "mixed", "coupled", "LL304"),
    Entry(
        "sum + weight decay",
        lambda f, y, p: total(f, bce(f, y, p)) + total(f, f("square", f.weights())),
        "mixed",
        "sum",
        "LL304",
    ),
    Entry(
        "row + batch sum",
        lambda f, y, p: f("sum", bce(f, y, p), axis=(-1,)) + total(f, f("square", p)),
        "mixed",
        "scaled",
        "LL304",
    ),
]
"""The gradient changes with the batch size."""

OPAQUE = [
    Entry("trace", lambda f, y, p: total(f, similarities(f, p) * f.eye(p)), "unknown", "coupled"),
    Entry(
        "diagonal of what differs there",
        lambda f, y, p: total(f, f("diag_part", f("matmul", p, p, transpose_b=True) * (1.0 + f.eye(p)))),
        "unknown",
        "coupled",
    ),
    Entry(
        "twice not the diagonal",
        lambda f, y, p: total(f, p * f("sum", 1.0 - (1.0 - f.eye(p)), axis=(1,), keepdims=True)),
        "unknown",
        "coupled",
    ),
    Entry(
        "differences of neighbours",
        lambda f, y, p: total(f, f("abs", f.at(p, slice(1, None)) - f.at(p, slice(None, -1)))),
        "unknown",
        "coupled",
    ),
    Entry("first sample", lambda f, y, p: mean(f, f("square", f.at(p, 0))), "unknown", "coupled"),
    Entry(
        "sorted by value",
        lambda f, y, p: mean(f, f("square", f("sort", p, axis=(0,)) - f("sort", y, axis=(0,)))),
        "unknown",
        "coupled",
    ),
]
"""Fixed places along the batch: no law is claimed, so no law rule may fire."""

ALL = [*SOUND, *COUPLED, *UNSOUND, *OPAQUE]
