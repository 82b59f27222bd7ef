from __future__ import annotations

from fractions import Fraction

import pytest

from losslint.domain.shape import Shape
from losslint.ops.extents import names_batch_size
from losslint.ops.laws import RULES
from losslint.ops.primitives import SHAPE_RULES
from tests.hand import Hand
from tests.ops.lawbook import ALL, HALF, Entry, Symbolic, Value


def built(entry: Entry):
    hand = Hand()
    ops = Symbolic(hand)
    result = entry.loss(ops, Value(ops, hand.y), Value(ops, hand.p)).node
    return hand.loss(result), result


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.name)
def test_gradient_law(entry):
    loss, result = built(entry)
    law = loss.laws.gradient(result)
    if isinstance(entry.law, str):
        assert law.kind == entry.law, law
    else:
        assert (law.kind, law.p) == ("known", entry.law), (law, law.terms)
        assert not (law.asymptotic and entry.exact)


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.name)
def test_coupling(entry):
    loss, result = built(entry)
    assert loss.couplings.of(result).kind == entry.coupling, loss.couplings.of(result)


def test_every_primitive_has_a_law():
    assert set(RULES) == set(SHAPE_RULES) - {"shape_of", "size_of", "dynamic_dim", "static_dim"}


def value_of(write):
    hand = Hand()
    ops = Symbolic(hand)
    node = write(ops, Value(ops, hand.y), Value(ops, hand.p)).node
    return hand.loss(node).laws.value(node)


@pytest.mark.parametrize(
    ("write", "p", "c"),
    [
        (lambda f, y, p: f.count(p), 1, 0),
        (lambda f, y, p: f("log", f.count(p)), 0, 1),
        (lambda f, y, p: f("sum", p, axis=None), 1, 0),
        (lambda f, y, p: f("log", f("sum", p, axis=None)), 0, 1),
        (lambda f, y, p: -f("log", f("sum", p, axis=None)), 0, -1),
        (lambda f, y, p: 2.0 * f("log", f("sum", p, axis=None)), 0, 2),
        (lambda f, y, p: f("exp", 2.0 * f("log", f("sum", p, axis=None))), 2, 0),
        (lambda f, y, p: f("log", f("sum", p, axis=None)) - f("log", f.count(p)), 0, 0),
        (lambda f, y, p: f("logsumexp", p, axis=(0,)), 0, 1),
        (lambda f, y, p: f("logsumexp", p, axis=(-1,)), 0, 0),
        (lambda f, y, p: f("softmax", p, axis=(0,)), -1, 0),
        (lambda f, y, p: f("log_softmax", p, axis=(0,)), 0, -1),
        (lambda f, y, p: f("l2_normalize", p, axis=None), -HALF, 0),
        (lambda f, y, p: f("norm", p, axis=None), HALF, 0),
        (lambda f, y, p: f("norm", p, axis=None, ord=1), 1, 0),
        (lambda f, y, p: f("count_nonzero", y, axis=None), 1, 0),
        (lambda f, y, p: f("size_of", p), 1, 0),
        (lambda f, y, p: f("sum", f("matmul", p, p, transpose_b=True), axis=None), 2, 0),
        (lambda f, y, p: f("rsqrt", f("sum", p, axis=None)), -HALF, 0),
        (lambda f, y, p: f("boolean_mask", p, f("gt", p, 0.5)), 0, 0),
        (lambda f, y, p: f("sum", f("boolean_mask", p, f("gt", p, 0.5)), axis=None), 1, 0),
        (lambda f, y, p: f("any", f("gt", p, 0.5), axis=None), 0, 0),
        (lambda f, y, p: f("std", p, axis=(0,)), 0, 0),
    ],
)
def test_value_law(write, p, c):
    power = value_of(write)
    assert power is not None
    assert (power.p, power.c) == (Fraction(p), Fraction(c))


@pytest.mark.parametrize(
    "write",
    [
        lambda f, y, p: f("prod", p, axis=(0,)),
        lambda f, y, p: f("cumsum", p, axis=(0,)),
        lambda f, y, p: f("roll", p, axis=(0,)),
        lambda f, y, p: f("range", f("dynamic_dim", p, axis=0)),
        lambda f, y, p: f("one_hot", f("range", f("dynamic_dim", p, axis=0)), depth=f("dynamic_dim", p, axis=0).node),
        lambda f, y, p: f("gather", p, f("argmax", p, axis=(0,)), axis=0),
        lambda f, y, p: f("max", f.eye(p), axis=(1,)),
        lambda f, y, p: f("argmax", p, axis=(0,)),
        lambda f, y, p: f("unique", f("reshape", p, dims=[-1])),
        lambda f, y, p: f("numpy_function", p),
        lambda f, y, p: f("top_k", f("sum", p, axis=(-1,)), k=3),
    ],
)
def test_places_along_the_batch_have_no_law(write):
    assert value_of(write) is None


@pytest.mark.parametrize(
    ("write", "p"),
    [
        (lambda f, y, p: f.count(p) - 1.0, 1),
        (lambda f, y, p: f("sum", p, axis=None) + 1e-7, 1),
        (lambda f, y, p: f("maximum", f("sum", y, axis=None), 1.0), 1),
        (lambda f, y, p: 1.0 + 1.0 / f.count(p), 0),
        (lambda f, y, p: f("log1p", f("mean", p, axis=None) / f.count(p)), -1),
    ],
)
def test_what_holds_for_large_batches_only_says_so(write, p):
    power = value_of(write)
    assert power is not None
    assert (power.p, power.asymptotic) == (p, True)


def test_a_detached_factor_counts_by_its_value_alone():
    hand = Hand()
    growing = hand.op("stop_gradient", hand.op("sum", hand.p, axis=None))
    alone, product, total = growing, hand.op("mul", growing, hand.mse()), hand.op("add", growing, hand.mse())
    loss = hand.loss(total)
    assert loss.laws.gradient(alone).kind == "absent"
    assert loss.laws.gradient(product).p == 1
    assert loss.laws.gradient(total).p == 0  # what is detached adds nothing to the gradient


def test_a_term_of_unknown_law_does_not_hide_one_that_grows():
    hand = Hand()
    total = hand.op("add", hand.op("sum", hand.p, axis=None), hand.graph.opaque([hand.p], "a helper"))
    law = hand.loss(total).laws.gradient(total)
    assert law.kind == "unknown"
    assert law.powers == {1}


def test_unknown_extents_have_no_law_but_their_mean_keeps_it():
    hand = Hand(Shape.unknown())
    summed, averaged = hand.op("sum", hand.p, axis=None), hand.op("mean", hand.p, axis=None)
    loss = hand.loss(summed)
    assert loss.laws.gradient(summed).kind == "unknown"
    assert loss.laws.gradient(averaged).p == 0


def test_sums_over_other_axes_have_law_0():
    hand = Hand(Shape((Shape.of("B").head[0],), "S", Shape.of("C").head))
    kept = hand.op("mean", hand.op("sum", hand.p, axis=(1, 2, 3)), axis=None)
    assert hand.loss(kept).laws.gradient(kept).p == 0


def test_a_loop_of_unknown_length_keeps_only_that_it_grows():
    hand = Hand()
    one = hand.op("add", 0.0, hand.op("sum", hand.p, axis=None))
    two = hand.op("add", one, hand.op("sum", hand.p, axis=None))
    grown = hand.op("loop", 0.0, one, two)
    mean_one = hand.op("add", 0.0, hand.mse())
    mean = hand.op("loop", 0.0, mean_one, hand.op("add", mean_one, hand.mse()))
    laws = hand.loss(grown).laws
    assert laws.gradient(grown).p == 1
    assert laws.gradient(mean).kind == "unknown"


def test_gradient_penalty_is_a_row():
    hand = Hand()
    critic = hand.op("model", hand.p, name="critic")
    slope = hand.op("gradient_of", critic, hand.p)
    penalty = hand.mean(hand.op("square", hand.op("sub", hand.op("norm", slope, axis=(1,)), 1.0)))
    assert hand.loss(penalty).laws.gradient(penalty).p == 0


def test_a_gram_matrix_of_one_image_has_no_batch():
    hand = Hand(Shape.of("H", "W", "C"))
    flat = hand.op("reshape", hand.p, dims=[-1, 3])
    gram = hand.op("matmul", flat, flat, transpose_a=True)
    style = hand.op("sum", hand.op("square", gram), axis=None)
    loss = hand.loss(style)
    assert loss.laws.gradient(style).p == 0
    assert loss.couplings.of(style).kind == "const"


@pytest.mark.parametrize("name", ["batch_size", "BATCH_SIZE", "self.batch_size", "bs", "GLOBAL_BATCH_SIZE", "batch"])
def test_batch_size_names(name):
    assert names_batch_size(name)


@pytest.mark.parametrize("name", ["smooth", "gamma", "n_classes", "abs", "minibatch_loss", "batch_loss", "obs"])
def test_other_names(name):
    assert not names_batch_size(name)


def test_no_axis_of_a_weight_is_the_batch():
    hand = Hand()
    weights = hand.source("model", "variable", Shape.unknown(), list=True)
    decay = hand.op("sum", hand.op("square", hand.op("index", weights, key=(object(),))), axis=None)
    total = hand.op("add", hand.op("sum", hand.p, axis=None), decay)
    loss = hand.loss(total)
    assert loss.laws.gradient(decay).p == 0
    assert loss.laws.gradient(total).kind == "mixed"
    assert loss.couplings.of(decay).kind == "const"
