from __future__ import annotations

from collections.abc import Callable

import pytest

from losslint.domain.interval import Trust
from losslint.domain.shape import SCALAR, Shape
from losslint.graph import Node
from losslint.ops.linear import chain, terms
from losslint.ops.singularities import singularity
from tests.hand import Hand

Build = Callable[[Hand], Node]


def softmax(h: Hand) -> Node:
    return h.op("softmax", h.p, axis=(-1,))


def probability(h: Hand) -> Node:
    """A prediction clipped to [0.1, 0.9]."""
    return h.op("clip", h.p, 0.1, 0.9)


def overlap(h: Hand, union: bool = False, factor: float = 2.0, squared: bool = False) -> Node:
    """Dice, or with ``union`` the share of the union, of a softmax and a sigmoid: factor * sum(a b) / (...)."""
    a, b = softmax(h), h.op("sigmoid", h.y)
    both = h.op("sum", h.op("mul", a, b), axis=None)
    each = [h.op("sum", h.op("square", x) if squared else x, axis=None) for x in (a, b)]
    total = h.op("add", *each)
    if union:
        return h.op("div", both, h.op("sub", total, both))
    return h.op("div", h.op("add", h.op("mul", factor, both), 1.0), h.op("add", total, 1.0))


def share(h: Hand) -> Node:
    """|p| / (sum(|p|) + 1e-7)."""
    size = h.op("abs", h.p)
    return h.op("div", size, h.op("add", h.op("sum", size, axis=(-1,), keepdims=True), 1e-7))


RANGES: dict[str, tuple[Build, str]] = {
    "unknown": (lambda h: h.p, "(-inf, inf)"),
    "softmax": (softmax, "[0, 1]"),
    "sigmoid": (lambda h: h.op("sigmoid", h.p), "[0, 1]"),
    "sigmoid of a bounded logit": (lambda h: h.op("sigmoid", h.op("clip", h.p, 0.0, 0.0)), "[0.5, 0.5]"),
    "sigmoid near 17": (lambda h: h.op("sigmoid", h.op("clip", h.p, 17.0, 20.0)), "[0.9999999, 1]"),
    "tanh": (lambda h: h.op("tanh", h.p), "[-1, 1]"),
    "relu": (lambda h: h.op("relu", h.p), "[0, inf)"),
    "exp": (lambda h: h.op("exp", h.p), "(0, inf)"),
    "exp that underflows": (lambda h: h.op("exp", h.op("neg", h.op("square", h.p))), "[0, 1]"),
    "exp that does not": (lambda h: h.op("exp", h.op("clip", h.p, -1.0, 0.0)), "[0.3678795, 1]"),
    "softplus": (lambda h: h.op("softplus", h.p), "(0, inf)"),
    "log of a probability": (lambda h: h.op("log", softmax(h)), "(-inf, 0]"),
    "log_softmax": (lambda h: h.op("log_softmax", h.p, axis=(-1,)), "(-inf, 0]"),
    "cosh": (lambda h: h.op("cosh", h.p), "[1, inf)"),
    "x * x": (lambda h: h.op("mul", h.p, h.p), "[0, inf)"),
    "x - x": (lambda h: h.op("sub", h.p, h.p), "[0, 0]"),
    "x / x of a positive": (lambda h: h.op("div", probability(h), probability(h)), "[1, 1]"),
    "x - max(x)": (lambda h: h.op("sub", h.p, h.op("max", h.p, axis=(-1,), keepdims=True)), "(-inf, 0]"),
    "sum of a softmax": (lambda h: h.op("sum", softmax(h), axis=(-1,)), "[1, 1]"),
    "sum of a softmax over all axes": (lambda h: h.op("sum", softmax(h), axis=(0, 1)), "[1, inf)"),
    "sum of a softmax over the batch": (lambda h: h.op("sum", softmax(h), axis=(0,)), "[0, inf)"),
    "sum of squares of a softmax": (lambda h: h.op("sum", h.op("square", softmax(h)), axis=(-1,)), "(0, inf)"),
    "sum of three": (lambda h: h.op("sum", probability(h), axis=(-1,)), "[0.3, 2.7]"),
    "sum over the batch": (lambda h: h.op("sum", probability(h), axis=(0,)), "[0.1, inf)"),
    "mean": (lambda h: h.mean(h.op("sigmoid", h.p)), "[0, 1]"),
    "mean of shares": (lambda h: h.mean(softmax(h)), "[0.3333333, 0.3333333]"),
    "count": (lambda h: h.op("sum", h.op("cast", h.op("gt", h.y, 0.0), dtype="float32"), axis=(0,)), "[0, inf)"),
    "norm": (lambda h: h.op("norm", h.p, axis=(-1,), ord=2), "[0, inf)"),
    "one_hot": (lambda h: h.op("one_hot", h.y, depth=3), "[0, 1]"),
    "cosine": (lambda h: h.op("l2_normalize", h.p, axis=(-1,)), "[-1, 1]"),
    "declared": (lambda h: h.op("smooth", h.p, low=-1.0, high=None), "[-1, inf)"),
    "join": (lambda h: h.op("join", softmax(h), h.op("tanh", h.p)), "[-1, 1]"),
    "pad": (lambda h: h.op("pad", h.op("add", softmax(h), 1.0), paddings=((0, 0), (1, 1))), "[0, 2]"),
    "select refined": (lambda h: h.op("select", h.op("gt", h.p, 0.5), h.p, 1.0), "(0.5, inf)"),
    "select refined below": (lambda h: h.op("select", h.op("lt", 0.0, h.p), 1.0, h.p), "(-inf, 1]"),
    "dice": (overlap, "(0, 1]"),
    "dice of squares": (lambda h: overlap(h, squared=True), "(0, 1]"),
    "more than dice": (lambda h: overlap(h, factor=3.0), "(0, inf)"),
    "intersection over union": (lambda h: overlap(h, union=True), "[0, 1]"),
    "share of a sum": (share, "[0, 1]"),
    "x / (|x| + eps)": (lambda h: h.op("div", h.p, h.op("add", h.op("abs", h.p), 1e-7)), "[-1, 1]"),
    "x / (|x| - eps)": (lambda h: h.op("div", h.p, h.op("sub", h.op("abs", h.p), 1e-7)), "(-inf, inf)"),
    "x / norm(x)": (lambda h: h.op("div", h.p, h.op("norm", h.p, axis=(-1,), ord=2, keepdims=True)), "[-1, 1]"),
    "x / sqrt(x * x + eps)": (
        lambda h: h.op("div", h.p, h.op("sqrt", h.op("add", h.op("square", h.p), 1e-7))),
        "[-1, 1]",
    ),
    "complement": (lambda h: h.op("sub", 1.0, probability(h)), "[0.1, 0.9]"),
    "mixture": (
        lambda h: h.op(
            "add",
            h.op("mul", h.op("sigmoid", h.y), probability(h)),
            h.op("mul", h.op("sub", 1.0, h.op("sigmoid", h.y)), h.op("sub", 1.0, probability(h))),
        ),
        "[0.1, 0.9]",
    ),
    "share": (
        lambda h: h.op(
            "div", h.op("relu", h.p), h.op("add", h.op("add", h.op("relu", h.p), h.op("square", h.y)), 1e-7)
        ),
        "[0, 1]",
    ),
    "float16": (lambda h: h.op("cast", h.op("clip", h.p, 0.0, 0.1), dtype="float16"), "[0, 0.09997559]"),
    "folded": (lambda h: h.op("add", h.op("sub", 1.0, softmax(h)), 1e-8), "[0, 1]"),
    "not folded away": (lambda h: h.op("add", h.op("sub", 1.0, softmax(h)), 1e-7), "[1.192093e-07, 1]"),
}


@pytest.mark.parametrize("name", RANGES)
def test_range(name: str) -> None:
    build, shown = RANGES[name]
    h = Hand()
    node = build(h)
    assert str(h.loss(h.mse()).ranges.of(node)) == shown


def test_exact_keeps_what_rounding_loses() -> None:
    h = Hand()
    node = h.op("add", h.op("sub", 1.0, softmax(h)), 1e-8)
    ranges = h.loss(h.mean(node)).ranges
    assert ranges.of(node).low.at == 0.0 < ranges.exact(node).low.at


def test_every_range_is_known_or_not() -> None:
    h = Hand()
    rectified, squared = h.op("relu", h.p), h.op("square", h.p)
    ranges = h.loss(h.mse()).ranges
    assert ranges.of(h.p).low.trust == Trust.UNKNOWN
    assert ranges.of(rectified).low.trust == Trust.KNOWN
    assert ranges.of(squared).bounded


def assumed(h: Hand, *results: Node) -> str:
    interval = h.loss(list(results)).ranges.of(h.p)
    return str(interval) if interval.given else ""


def test_what_is_logged_is_a_probability() -> None:
    h = Hand()
    assert assumed(h, h.op("log", h.p)) == "[0, 1]"
    h = Hand()
    assert assumed(h, h.op("log", h.op("clip", h.p, 1e-7, 1.0))) == "[0, 1]"
    h = Hand()
    assert assumed(h, h.op("log", h.op("sub", 1.0, h.p))) == "[0, 1]"


def test_what_is_crossed_with_labels_is_a_probability() -> None:
    h = Hand()
    assert assumed(h, h.op("mul", h.y, h.op("pow", h.op("sub", 1.0, h.p), 2.0))) == "[0, 1]"
    h = Hand()
    assert assumed(h, h.op("select", h.op("eq", h.y, 1.0), h.p, h.op("sub", 1.0, h.p))) == "[0, 1]"


@pytest.mark.parametrize("op", ["exp", "sigmoid", "softplus"])
def test_what_is_activated_is_no_probability(op: str) -> None:
    h = Hand()
    assert assumed(h, h.op("log", h.p), h.op(op, h.p)) == ""


def test_a_regression_is_no_probability() -> None:
    h = Hand()
    assert assumed(h, h.mse()) == ""
    h = Hand()
    hinge = h.op("maximum", h.op("sub", 1.0, h.op("mul", h.y, h.p)), 0.0)
    assert assumed(h, hinge) == ""


def test_a_name_can_say_logits() -> None:
    h = Hand()
    logits = h.source("logits", "prediction", Shape.of("B", 3))
    loss = h.loss(h.op("log", h.op("sub", 1.0, logits)))
    assert not loss.ranges.of(logits).given


def test_columns_are_assumed_one_by_one() -> None:
    h = Hand()
    first, second = (h.op("index", h.p, key=(("all",), i)) for i in range(2))
    ranges = h.loss([h.op("log", first), h.op("square", second)]).ranges
    assert str(ranges.of(first)) == "[0, 1]"
    assert str(ranges.of(second)) == "(-inf, inf)"


def test_weights_are_not_negative() -> None:
    h = Hand()
    weight = h.source("sample_weight", "weight", Shape.of("B"))
    assert str(h.loss(h.op("mul", h.p, weight)).ranges.of(weight)) == "[0, inf)"


def test_chains_and_terms() -> None:
    h = Hand()
    node = h.op("sub", h.op("add", h.op("sub", 1.0, h.p), 0.25), 0.5)
    links = chain(node)
    assert (links.core, links.sign, links.constant, links.constants) == (h.p, -1, 0.75, 3)
    twice = terms(h.op("add", h.op("mul", 2.0, h.op("add", h.p, h.y)), h.op("neg", h.p)))
    assert {number: c for number, (c, _) in twice.parts.items()} == {h.p.number: 1.0, h.y.number: 2.0}


def test_a_witness_shows_the_way() -> None:
    h = Hand()
    total = h.op("add", h.op("relu", h.p), h.op("square", h.y))
    log = h.op("log", total)
    loss = h.loss(h.mean(log))
    found = singularity(loss, log)
    assert found is not None and found.trust == Trust.KNOWN and not found.vanished
    assert loss.ranges.witness.told(total, found.hits[0]) == "y_true = 0, y_pred = 0"


def test_a_guard_that_depends_on_the_value_leaves_no_witness() -> None:
    h = Hand()
    d = h.op("square", h.p)
    guard = h.op("mul", h.op("cast", h.op("eq", d, 0.0), dtype="float32"), 1e-16)
    root = h.op("sqrt", h.op("add", d, guard))
    assert singularity(h.loss(h.mean(root)), root) is None


def squared_distances(h: Hand) -> tuple[Node, Node]:
    """|a|^2 - 2 a.b, and the same + |b|^2."""
    product = h.op("matmul", h.p, h.op("transpose", h.p, perm=(1, 0)))
    norm = h.op("diag_part", product)
    partly = h.op("sub", h.op("expand_dims", norm, axis=1), h.op("mul", 2.0, product))
    return partly, h.op("add", partly, h.op("expand_dims", norm, axis=0))


def test_pairwise_distances_reach_zero() -> None:
    h = Hand()
    partly, whole = squared_distances(h)
    ranges = h.loss(h.mean(whole)).ranges
    assert str(ranges.of(whole)) == "[0, inf)" and ranges.of(whole).reaches(0.0)
    assert str(ranges.of(partly)) == "(-inf, inf)"


def test_masked_by_the_branch_not_taken() -> None:
    h = Hand()
    p = h.op("relu", h.p)
    log = h.op("log", p)
    chosen = h.op("select", h.op("gt", p, 0.0), log, 0.0)
    found = singularity(h.loss(h.mean(chosen)), log)
    assert found is not None and found.masks == (chosen,)


def test_ten_thousand_nodes() -> None:
    h = Hand()
    x = h.p
    for _ in range(2500):
        x = h.op("add", h.op("tanh", x), h.op("square", h.op("sub", x, h.y)))
    log = h.op("log", h.op("relu", x))
    found = singularity(h.loss(h.mean(log)), log)
    assert found is not None and found.trust == Trust.KNOWN


def test_scalars_of_configuration_are_not_set_to_zero() -> None:
    h = Hand()
    gamma = h.source("sigma", "config", SCALAR)
    quotient = h.op("div", h.op("square", h.p), h.op("square", gamma))
    assert singularity(h.loss(h.mean(quotient)), quotient) is None
