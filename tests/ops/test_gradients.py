from __future__ import annotations

import pytest

from losslint.domain.shape import Shape
from losslint.ops.gradients import edge_kind
from losslint.ops.primitives import SHAPE_RULES
from tests.hand import Hand

UNKNOWN_BY_NATURE = {"opaque"}


def a_node(name: str, **attrs: object):
    h = Hand()
    return h.op(name, h.p, h.p, h.p, **attrs)


@pytest.mark.parametrize("name", sorted(set(SHAPE_RULES) - UNKNOWN_BY_NATURE))
def test_every_primitive_is_in_the_table(name):
    assert edge_kind(a_node(name), 0) != "unknown"


@pytest.mark.parametrize(
    ("name", "attrs", "kinds"),
    [
        ("round", {}, "dead"),
        ("sign", {}, "zero"),
        ("mod", {}, "live live"),
        ("floordiv", {}, "dead dead"),
        ("select", {}, "dead live live"),
        ("gather", {"axis": 0}, "live dead"),
        ("boolean_mask", {}, "live dead"),
        ("scatter", {}, "dead live"),
        ("segment", {"how": "mean"}, "live dead"),
        ("top_k", {"k": 2, "part": "values"}, "live"),
        ("top_k", {"k": 2, "part": "indices"}, "dead"),
        ("sort", {}, "live"),
        ("argsort", {}, "dead"),
        ("median", {"axis": None}, "live"),
        ("cast", {"dtype": "float16"}, "live"),
        ("cast", {"dtype": "int32"}, "dead"),
        ("cast", {"dtype": "bool"}, "dead"),
        ("cast", {"dtype": None}, "live"),
        ("numpy_function", {}, "dead"),
        ("py_function", {}, "live"),
        ("straight_through", {}, "live"),
        ("linalg", {"how": "matrix_rank"}, "dead"),
        ("linalg", {"how": "det"}, "live"),
        ("clip", {}, "live"),
        ("opaque", {"why": "?"}, "unknown"),
    ],
)
def test_edges_as_measured(name, attrs, kinds):
    node = a_node(name, **attrs)
    assert [edge_kind(node, i) for i in range(len(kinds.split()))] == kinds.split()


def test_a_cast_back_from_whole_numbers_is_dead():
    h = Hand()
    assert edge_kind(h.op("cast", h.op("gt", h.p, 0.5), dtype="float32"), 0) == "dead"


def test_softmax_over_a_single_unit_is_flat():
    h = Hand(Shape.of("B", 1))
    assert edge_kind(h.op("softmax", h.p, axis=(-1,)), 0) == "zero"
    assert edge_kind(h.op("softmax", h.p, axis=(0,)), 0) == "live"


def test_a_path_is_its_worst_edge_and_a_source_its_best_path():
    h = Hand()
    hits, mse = h.hits(), h.mse()
    assert h.loss(hits).gradients.reaches(h.p) == "dead"
    assert h.loss(h.mean(h.op("sign", h.p))).gradients.reaches(h.p) == "zero"
    assert h.loss(h.mean(h.op("round", h.op("sign", h.p)))).gradients.reaches(h.p) == "dead"
    assert h.loss(h.op("add", hits, mse)).gradients.reaches(h.p) == "live"
    assert h.loss(h.mean(h.y)).gradients.reaches(h.p) == "absent"


def test_opaque_is_unknown_unless_it_is_cut():
    h = Hand()
    hidden = h.graph.opaque([h.p], "a call that was not followed")
    assert h.loss(h.mean(hidden)).gradients.reaches(h.p) == "unknown"
    assert h.loss(h.mean(h.op("round", hidden))).gradients.reaches(h.p) == "dead"
    assert h.loss(h.op("sum", hidden)).gradients.reaches(hidden) == "unknown"


def test_live_needs_both_ends():
    h = Hand()
    inner = h.op("square", h.p)
    label_side = h.op("square", h.y)
    beside = h.op("sqrt", h.p)
    gradients = h.loss(h.mean(h.op("add", inner, label_side))).gradients
    assert gradients.live(inner)
    assert not gradients.live(label_side) and gradients.live_to_result(label_side)
    assert not gradients.live(beside) and gradients.live_from_source(beside)


def test_a_model_carries_weights_of_its_own():
    h = Hand()
    x = h.source("x", "input")
    out = h.op("model", x, name="model")
    gradients = h.loss(h.mean(out)).gradients
    assert gradients.reaches(out) == "live"
    assert gradients.live(out)


def test_straight_through_estimator_is_live():
    h = Hand()
    hard = h.op("add", h.p, h.op("stop_gradient", h.op("sub", h.op("round", h.p), h.p)))
    assert h.loss(h.mean(hard)).gradients.reaches(h.p) == "live"


def test_cuts_are_the_first_on_each_path_and_shapes_are_none():
    h = Hand()
    rounded = h.op("round", h.op("square", h.p))
    later = h.op("floor", rounded)
    count = h.op("cast", h.op("size_of", h.p), dtype="float32")
    compared = h.op("gt", h.p, 0.5)
    total = h.mean(h.op("mul", h.op("cast", compared, dtype="float32"), h.op("div", later, count)))
    cuts = h.loss(total).gradients.cuts(h.p)
    assert [(cut.node, cut.kind) for cut in cuts] == [(rounded, "dead"), (compared, "dead")]


def test_path_from_prediction_to_result():
    h = Hand()
    rounded = h.op("round", h.p)
    result = h.mean(rounded)
    gradients = h.loss(result).gradients
    assert gradients.path(h.p, result) == [h.p, rounded, result]
    assert gradients.path(h.y, result) == []
    soft = h.op("exp", h.op("square", h.p))
    both = h.op("add", rounded, soft)
    assert soft in h.loss(both).gradients.path(h.p, both), "the live way is taken though it is longer"


def test_dependence_is_on_values_not_on_shapes():
    h = Hand()
    size = h.op("size_of", h.p)
    gradients = h.loss(h.op("div", h.mean(h.y), size)).gradients
    assert not gradients.depends_on_prediction(size)
    assert gradients.reaching == []
    assert h.loss(h.hits()).gradients.reaching == [h.p]


def test_ten_thousand_nodes_in_a_chain():
    h = Hand()
    node = h.p
    for _ in range(10_000):
        node = h.op("mul", node, 0.5)
    gradients = h.loss(h.mean(node)).gradients
    assert gradients.reaches(h.p) == "live"
    assert len(gradients.path(h.p, node)) == 10_001


def test_a_clip_that_is_always_saturated_is_flat():
    h = Hand()
    probability = h.op("sigmoid", h.p)
    assert h.loss(h.mean(h.op("clip", probability, 2.0, 3.0))).gradients.reaches(h.p) == "zero"
    assert h.loss(h.mean(h.op("clip", probability, 1e-7, 1 - 1e-7))).gradients.reaches(h.p) == "live"
    assert h.loss(h.mean(h.op("clip", h.p, 2.0, 3.0))).gradients.reaches(h.p) == "live", "the range is unknown"


def test_the_losing_side_of_maximum_minimum_and_relu_is_flat():
    h = Hand()
    positive = h.op("exp", h.p)
    negative = h.op("sub", h.op("neg", positive), 1.0)
    cases = [
        (h.op("maximum", negative, 0.0), "zero"),
        (h.op("maximum", positive, 0.0), "live"),
        (h.op("minimum", 0.0, h.op("add", positive, 1.0)), "zero"),
        (h.op("minimum", negative, 0.0), "live"),
        (h.op("relu", negative), "zero"),
        (h.op("relu", positive), "live"),
    ]
    assert [h.loss(h.mean(node)).gradients.reaches(h.p) for node, _ in cases] == [state for _, state in cases]


def test_a_range_that_is_only_assumed_saturates_nothing():
    h = Hand()
    logged = h.mean(h.op("log", h.p))  # so y_pred is taken for a probability
    clipped = h.mean(h.op("maximum", h.p, 2.0))
    assert h.loss(h.op("add", logged, clipped)).gradients.live(clipped)
    assert h.loss(h.op("add", h.op("stop_gradient", logged), clipped)).gradients.reaches(h.p) == "live"
