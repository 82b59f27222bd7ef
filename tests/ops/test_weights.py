"""Values that training can take anywhere: products with a trained weight."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from losslint.domain.interval import Trust
from losslint.domain.shape import Shape
from losslint.graph import Node
from tests.hand import Hand


def weight(h: Hand, **attrs: object) -> Node:
    return h.source("w", "variable", Shape.of(3, 4), **attrs)


def raw(h: Hand) -> Node:
    return h.op("matmul", h.p, weight(h))


def with_own_minimum(h: Hand) -> Node:
    value = raw(h)
    return h.op("add", value, h.op("abs", value))


def gram(h: Hand) -> Node:
    w = weight(h)
    return h.op("matmul", w, w, transpose_a=True)


FREE: dict[str, Callable[[Hand], Node]] = {
    "x @ W": raw,
    "x @ W^T": lambda h: h.op("matmul", h.p, h.op("transpose", weight(h), perm=(1, 0))),
    "x @ W + b": lambda h: h.op("add", raw(h), h.source("b", "variable", Shape.of(4))),
    "x @ W + x": lambda h: h.op("add", h.y, raw(h)),
    "1 - x @ W": lambda h: h.op("sub", 1.0, raw(h)),
    "x @ W / 2": lambda h: h.op("div", h.op("neg", raw(h)), 2.0),
    "max(x @ W)": lambda h: h.op("max", raw(h), axis=(1,)),
    "einsum": lambda h: h.op("einsum", h.p, weight(h), equation="bi,ij->bj"),
    "convolution": lambda h: h.op("conv", h.p, weight(h), how="conv1d"),
}
NOT_FREE: dict[str, Callable[[Hand], Node]] = {
    "x @ y": lambda h: h.op("matmul", h.p, h.y, transpose_b=True),
    "a gain": lambda h: h.op("mul", h.p, h.source("gain", "variable", Shape.of(3))),
    "0 @ W": lambda h: h.op("matmul", h.op("zeros_like", h.p), weight(h)),
    "W^T @ W": gram,
    "in bounds": lambda h: h.op("matmul", h.p, weight(h, constrained=True)),
    "a list of variables": lambda h: h.op("matmul", h.p, weight(h, list=True)),
    "x @ softmax(W)": lambda h: h.op("matmul", h.p, h.op("softmax", weight(h), axis=(-1,))),
    "x @ W + |x @ W|": with_own_minimum,
    "pooling": lambda h: h.op("conv", h.p, how="max_pool"),
}


@pytest.mark.parametrize("name", FREE)
def test_takes_either_sign(name: str) -> None:
    h = Hand()
    node = FREE[name](h)
    interval = h.loss(h.mean(node)).ranges.of(node)
    assert interval.free
    assert interval.reaches(0.0) is not None
    assert not interval.bounded  # how far it goes is not known


@pytest.mark.parametrize("name", NOT_FREE)
def test_says_nothing(name: str) -> None:
    h = Hand()
    node = NOT_FREE[name](h)
    assert not h.loss(h.mean(node)).ranges.of(node).free


@pytest.mark.parametrize("op", ["exp", "softplus"])
def test_does_not_underflow(op: str) -> None:
    h = Hand()
    node = h.op(op, raw(h))
    interval = h.loss(h.mean(node)).ranges.of(node)
    assert interval.low.open and interval.low.trust == Trust.UNKNOWN


@pytest.mark.parametrize(("op", "shown"), [("sigmoid", "[0, 1]"), ("relu", "[0, inf)"), ("square", "[0, inf)")])
def test_saturates_as_any_value(op: str, shown: str) -> None:
    h = Hand()
    node = h.op(op, raw(h))
    interval = h.loss(h.mean(node)).ranges.of(node)
    assert str(interval) == shown
    assert interval.low.trust == interval.high.trust == Trust.KNOWN
