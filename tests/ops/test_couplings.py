from __future__ import annotations

import pytest

from losslint.domain.shape import Shape
from losslint.ops.couplings import RULES
from losslint.ops.primitives import SHAPE_RULES
from tests.hand import Hand
from tests.ops.lawbook import Symbolic, Value


def of(write, hand=None):
    hand = hand or Hand()
    ops = Symbolic(hand)
    node = write(ops, Value(ops, hand.y), Value(ops, hand.p)).node
    return hand.loss(node).couplings.of(node)


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (lambda f, y, p: f("softmax", p, axis=(-1,)), "row"),
        (lambda f, y, p: f("softmax", p, axis=(0,)), "coupled"),
        (lambda f, y, p: f("reshape", p, dims=[-1]), "row"),
        (lambda f, y, p: f("expand_dims", p, axis=0) - f("expand_dims", p, axis=1), "coupled"),
        (lambda f, y, p: f("matmul", p, [[1.0], [2.0], [3.0]]), "row"),
        (lambda f, y, p: f("matmul", p, p, transpose_b=True), "coupled"),
        (lambda f, y, p: f("matmul", p, p, transpose_a=True), "sum"),
        (lambda f, y, p: f("mean", f("boolean_mask", p, f("gt", p, 0.5)), axis=None), "coupled"),
        (lambda f, y, p: f("sum", f("boolean_mask", p, f("gt", p, 0.5)), axis=None), "sum"),
        (lambda f, y, p: f("count_nonzero", f("gt", p, 0.5), axis=None), "sum"),
        (lambda f, y, p: f("gather", p, f("argmax", y, axis=(-1,)), axis=1, batch_dims=1), "row"),
        (lambda f, y, p: f("gather", [1.0, 2.0, 3.0], f("argmax", y, axis=(-1,)), axis=0), "row"),
        (lambda f, y, p: f("gather", p, f("argmax", y, axis=(0,)), axis=0), "coupled"),
        (lambda f, y, p: f("model", p, name="critic"), "row"),
        (lambda f, y, p: f("one_hot", f("argmax", y, axis=(-1,)), depth=3), "row"),
        (lambda f, y, p: f("select", f("gt", y, 0.5), p, 0.0), "row"),
        (lambda f, y, p: f("stack", f("mean", p, axis=None), f("mean", y, axis=None), axis=0), "mean"),
        (lambda f, y, p: f("join", f("mean", p, axis=None), 0.0), "mean"),
        (lambda f, y, p: f("join", f("mean", p, axis=None), f("sum", p, axis=None)), "unknown"),
        (lambda f, y, p: f("numpy_function", p), "unknown"),
        (lambda f, y, p: f.count(p), "count"),
        (lambda f, y, p: f("zeros", shape=[f("dynamic_dim", p, axis=0).node, 1]), "const"),
        (lambda f, y, p: f("batch_statistics", p), "coupled"),
        (lambda f, y, p: f.eye(p), "coupled"),
        (lambda f, y, p: f("cast", f("gt", f("mean", p, axis=None), 0.5), dtype="float32"), "coupled"),
    ],
)
def test_kinds(write, kind):
    assert of(write).kind == kind


@pytest.mark.parametrize(
    ("write", "ordered"),
    [
        (lambda f, y, p: f("roll", p, axis=(0,)), True),
        (lambda f, y, p: f("cumsum", p, axis=(0,)), True),
        (lambda f, y, p: f.at(p, slice(1, None)) - f.at(p, slice(None, -1)), True),
        (lambda f, y, p: f("reverse", p, axis=(1,)), False),
        (lambda f, y, p: f("sort", p, axis=(0,)), False),
        (lambda f, y, p: f("mean", p, axis=None), False),
    ],
)
def test_order(write, ordered):
    assert of(write).ordered is ordered


def test_unknown_shapes_are_unknown():
    assert of(lambda f, y, p: f("square", p), Hand(Shape.unknown())).kind == "unknown"


def test_no_rule_is_for_an_unknown_primitive():
    assert set(RULES) <= set(SHAPE_RULES)


def test_one_place_in_each_row_is_a_row():
    hand = Hand()
    count = hand.op("dynamic_dim", hand.p, axis=0)
    chosen = hand.op("argmax", hand.y, axis=(-1,))
    pairs = hand.op("stack", hand.op("range", count), chosen, axis=1)
    picked = hand.op("gather_nd", hand.p, pairs)
    loss = hand.loss(picked)
    assert loss.couplings.of(picked).kind == "row"
    assert loss.laws.gradient(picked).p == 0


def test_what_a_mapped_body_sees_is_a_row():
    hand = Hand()
    row = hand.op("index", hand.p, key=(object(),), mapped=True)
    loss = hand.loss(row)
    assert loss.couplings.of(row).kind == "row"
    assert loss.laws.gradient(row).p == 0


def test_a_mapped_index_sees_a_row():
    hand = Hand()
    counter = hand.op("range", hand.op("dynamic_dim", hand.p, axis=0))
    place = hand.op("index", counter, key=(object(),), mapped=True)
    row = hand.op("index", hand.p, key=(place,))
    assert hand.loss(row).couplings.of(row).kind == "row"


def test_a_loop_may_add_up_samples():
    hand = Hand()
    once = hand.mse()
    looped = hand.op("loop", 0.0, once, hand.op("add", once, hand.mse()))
    assert hand.loss(looped).couplings.of(looped).kind == "unknown"


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (lambda f, y, p: f("count_nonzero", f("pow", 1.0 - f("sigmoid", p), 2.0), axis=None), "count"),
        (lambda f, y, p: f("count_nonzero", f("exp", p), axis=None), "count"),
        (lambda f, y, p: f("count_nonzero", y, axis=None), "sum"),
        (lambda f, y, p: f("count_nonzero", f("relu", p), axis=None), "sum"),
    ],
)
def test_what_is_never_0_is_counted_in_full(write, kind):
    assert of(write).kind == kind
