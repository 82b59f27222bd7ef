from __future__ import annotations

import pytest

import losslint.checks.gradient  # noqa: F401
from losslint.checks.base import one_per_fault
from losslint.domain.shape import SCALAR, Shape
from losslint.findings import Severity
from losslint.graph import Unknown
from tests.hand import Hand, drafts
from tests.traced import traced

ALL = ("LL201", "LL202", "LL203", "LL204", "LL205", "LL208")


def codes(loss):
    return sorted(draft.code for draft in one_per_fault(drafts(loss, *ALL)))


# --- fires ------------------------------------------------------------------------------------------------------------


def thresholded(h):
    return h.mean(h.op("select", h.op("ge", h.p, 0.5), 1.0, 0.0))


def argmax(h):
    return h.mean(h.op("cast", h.op("argmax", h.p, axis=(-1,)), dtype="float32"))


def one_hot(h):
    return h.mean(h.op("mul", h.y, h.op("one_hot", h.op("argmax", h.p, axis=(-1,)), depth=3)))


def counted(h):
    return h.op("div", h.op("count_nonzero", h.op("eq", h.y, h.op("round", h.p)), axis=None), h.op("size_of", h.y))


def numpy_function(h):
    return h.mean(h.op("numpy_function", h.p))


@pytest.mark.parametrize("build", [Hand.hits, thresholded, argmax, one_hot, counted, numpy_function])
def test_no_gradient_path(build):
    h = Hand()
    assert codes(h.loss(build(h))) == ["LL201"]
    assert codes(h.loss(build(h), consumer="metric")) == []


def test_no_gradient_path_points_at_the_op_and_shows_the_way():
    h = Hand()
    loss = h.loss(h.hits())
    [draft] = drafts(loss, "LL201")
    rounded = next(n for n in h.graph.nodes if n.op == "round")
    assert draft.severity is Severity.ERROR
    assert draft.site is rounded.site and draft.fault is rounded
    assert "y_pred" in draft.message and "tf.math.round" in draft.message
    labels = [label for label, _ in draft.path]
    assert labels[:2] == ["y_pred", "tf.math.round"] and labels[-1] == "return"
    assert draft.path[-1][1] is loss.outputs[0].site


def test_no_gradient_path_from_a_model():
    h = Hand()
    out = h.op("model", h.source("x", "input"), name="model")
    assert codes(h.loss(h.mean(h.op("round", out)), consumer="tape")) == ["LL201"]


def test_zero_gradient():
    h = Hand()
    assert codes(h.loss(h.mean(h.op("sign", h.op("sub", h.p, h.y))))) == ["LL202"]
    one = Hand(Shape.of("B", 1))
    assert codes(one.loss(one.mean(one.op("softmax", one.p, axis=(-1,))))) == ["LL202"]


def test_zero_beside_dead_is_zero():
    h = Hand()
    assert codes(h.loss(h.op("add", h.hits(), h.mean(h.op("sign", h.p))))) == ["LL202"]


def test_unused_prediction():
    h = Hand()
    [draft] = drafts(h.loss(h.mean(h.op("square", h.op("sub", h.y, h.y)))), *ALL)
    assert (draft.code, draft.severity) == ("LL204", Severity.ERROR)
    per_element = h.op("div", h.op("sum", h.y, axis=None), h.op("size_of", h.p))
    assert codes(h.loss(per_element)) == ["LL204"], "only the shape is used"


def test_a_zero_placeholder_is_no_error():
    h = Hand()
    for value in (h.mean(h.op("zeros_like", h.p)), h.graph.lift(0.0), h.op("mul", 0.0, h.mean(h.y))):
        [draft] = drafts(h.loss(value), *ALL)
        assert (draft.code, draft.severity) == ("LL204", Severity.INFO)
    assert drafts(h.loss(h.graph.lift(1.0)), "LL204")[0].severity is Severity.ERROR


@pytest.mark.parametrize(("op", "attrs"), [("stop_gradient", {}), ("variable_of", {})])
def test_detached_prediction(op, attrs):
    h = Hand()
    detached = h.op(op, h.p, **attrs)
    loss = h.loss(h.mean(h.op("square", h.op("sub", h.y, detached))))
    [draft] = drafts(loss, *ALL)
    assert draft.code == "LL208" and draft.site is detached.site


def test_predict_is_a_detached_prediction():
    h = Hand()
    out = h.op("model", h.source("x", "input"), name="model.predict")
    [draft] = drafts(h.loss(h.mean(h.op("stop_gradient", out)), consumer="tape"), *ALL)
    assert draft.code == "LL208"
    assert draft.message.startswith("model.predict is used only after the array it returns")


def test_detached_and_rounded_is_no_gradient_path():
    h = Hand()
    value = h.op("add", h.mean(h.op("stop_gradient", h.p)), h.hits())
    assert codes(h.loss(value)) == ["LL201"]


@pytest.mark.parametrize("how", ["np.mean", "float()", ".numpy()", "K.eval"])
def test_leaves_tensorflow(how):
    h = Hand()
    left = h.op("leaves_tensorflow", h.op("sub", h.y, h.p), how=how)
    [draft] = one_per_fault(drafts(h.loss(left), *ALL))
    assert (draft.code, draft.site) == ("LL205", left.site)
    assert how in draft.message
    beside = h.op("add", h.mse(), left)
    assert codes(h.loss(beside)) == ["LL205"], "not also as a dead term"


def test_dead_loss_term():
    h = Hand()
    hard = h.op("sub", 1.0, h.hits())
    [draft] = drafts(h.loss(h.op("add", h.mse(), h.op("mul", 0.5, hard))), *ALL)
    assert (draft.code, draft.severity) == ("LL203", Severity.WARNING)
    assert draft.site is next(n for n in h.graph.nodes if n.op == "round").site


def test_dead_loss_term_inside_a_mean_and_with_zero_slope():
    h = Hand()
    elementwise = h.op("add", h.op("square", h.p), h.op("mul", h.y, h.op("sign", h.p)))
    assert codes(h.loss(h.mean(elementwise))) == ["LL203"]


def test_beside_another_live_source_it_is_a_dead_term():
    h = Hand()
    for name, role in (("z_mean", "captured"), ("logits", "argument"), ("kernel", "variable")):
        other = h.mean(h.op("square", h.source(name, role, Shape.unknown())))
        assert codes(h.loss(h.op("add", h.hits(), other))) == ["LL203"]
        assert codes(h.loss(h.op("mul", h.hits(), other))) == []


# --- does not fire ----------------------------------------------------------------------------------------------------


def identity_loss(h):
    return h.p


def argmax_of_labels(h):
    target = h.op("one_hot", h.op("argmax", h.y, axis=(-1,)), depth=3)
    return h.mean(h.op("mul", target, h.op("log", h.p)))


def huber(h):
    error = h.op("abs", h.op("sub", h.y, h.p))
    return h.mean(h.op("select", h.op("lt", error, 1.0), h.op("square", error), error))


def masks_written_out(h):
    """small * e**2 + large * e - large * 0.5: the last term is the other half of one piecewise function."""
    error = h.op("abs", h.op("sub", h.y, h.p))
    small = h.op("cast", h.op("le", error, 1.0), dtype="float32")
    large = h.op("cast", h.op("gt", error, 1.0), dtype="float32")
    curved = h.op("mul", small, h.op("square", error))
    return h.mean(h.op("sub", h.op("add", curved, h.op("mul", large, error)), h.op("mul", large, 0.5)))


def wrong_class_weighs_more(h):
    wrong = h.op("ne", h.op("argmax", h.y, axis=(-1,)), h.op("argmax", h.p, axis=(-1,)))
    return h.mean(h.op("mul", h.op("square", h.p), h.op("add", 1.0, h.op("cast", wrong, dtype="float32"))))


def hard_negatives(h):
    losses = h.op("reshape", h.op("square", h.op("sub", h.y, h.p)), dims=(-1,))
    indices = h.op("top_k", losses, k=3, part="indices")
    return h.mean(h.op("gather", losses, indices, axis=0))


def straight_through(h):
    hard = h.op("add", h.p, h.op("stop_gradient", h.op("sub", h.op("round", h.p), h.p)))
    return h.mean(h.op("square", h.op("sub", h.y, hard)))


def custom_gradient(h):
    return h.mean(h.op("straight_through", h.p))


def stopped_target(h):
    target = h.op("stop_gradient", h.op("round", h.p))
    return h.mean(h.op("square", h.op("sub", target, h.p)))


def same_value_other_gradient(h):
    shown, trained = h.mean(h.op("abs", h.p)), h.mse()
    return h.op("add", trained, h.op("stop_gradient", h.op("sub", shown, trained)))


def label_entropy(h):
    entropy = h.mean(h.op("mul", h.y, h.op("log", h.op("round", h.y))))
    return h.op("add", h.mse(), entropy)


def weight_decay(h):
    kernel = h.source("kernel", "variable", Shape.of(3, 3))
    return h.op("add", h.mse(), h.op("sum", h.op("square", kernel), axis=None))


def not_followed(h):
    return h.mean(h.graph.opaque([h.p], "an unknown function"))


def hidden_leaf(h):
    return h.op("add", h.hits(), h.graph.opaque((), "self.losses"))


def closure_over_z_mean(h):
    return h.mean(h.op("square", h.source("z_mean", "captured", Shape.unknown())))


def per_pixel_count(h):
    return h.op("add", h.mse(), h.op("cast", h.op("size_of", h.p), dtype="float32"))


@pytest.mark.parametrize(
    "build",
    [
        identity_loss, argmax_of_labels, huber, masks_written_out, wrong_class_weighs_more, hard_negatives,
        straight_through, custom_gradient, stopped_target, same_value_other_gradient, label_entropy, weight_decay,
        not_followed, hidden_leaf, closure_over_z_mean, per_pixel_count,
    ],
)  # fmt: skip
def test_sound(build):
    h = Hand()
    for consumer in ("keras", "tape", "unknown"):
        assert codes(h.loss(build(h), consumer=consumer)) == []


def test_gan_loss_of_one_argument():
    h = Hand()
    fake = h.source("fake_output", "prediction", Shape.of("B", 1))
    assert codes(h.loss(h.mean(h.op("softplus", h.op("neg", fake))), consumer="unknown")) == []


def test_values_that_were_not_followed_fire_nothing():
    h = Hand()
    assert codes(h.loss(Unknown((h.p,), "a generator"))) == []
    assert codes(h.loss((h.mean(h.y), Unknown((), "a call")))) == []
    assert codes(h.loss(None)) == []


def test_numpy_on_labels_shapes_and_python_numbers():
    h = Hand()
    on_label = h.op("leaves_tensorflow", h.y, how="np.mean")
    on_shape = h.op("leaves_tensorflow", h.op("size_of", h.p), how="float()")
    gamma = h.op("leaves_tensorflow", h.source("gamma", "captured", SCALAR), how="np.log")
    unknown = h.op("leaves_tensorflow", h.graph.opaque([h.p], "len"), how="np.arange")
    for aside in (on_label, on_shape, gamma, unknown):
        assert codes(h.loss(h.op("add", h.mse(), aside))) == []
    argument = h.op("exp", h.source("logits", "argument", Shape.of("B")), api="tensorflow.math.exp")
    assert codes(h.loss(h.op("add", h.mse(), h.op("leaves_tensorflow", argument, how="np.mean")))) == ["LL205"]


def test_plain_numpy_is_not_our_business():
    h = Hand()
    value = h.op("leaves_tensorflow", h.op("round", h.p), api="numpy.mean", how="np.mean")
    assert codes(h.loss(value, consumer="unknown", proven=False)) == []
    assert "LL201" in {draft.code for draft in drafts(h.loss(value), *ALL)}
    named = codes(h.loss(value, consumer="keras", proven=False))
    assert named == ["LL201", "LL205"], "called a loss of y_true and y_pred; the round is a fault of its own"


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("tf.reduce_mean(0.0 * y_pred, axis=-1)", [("LL202", "info")]),
        ("y_true + 0.0 * y_pred", [("LL202", "error")]),
        ("tf.square(y_true - y_pred) + 0.0 * tf.reduce_sum(y_pred)", []),
        ("weight * y_pred", []),
    ],
)
def test_what_is_multiplied_by_zero_on_purpose(returned, expected):
    loss = traced(f"def my_loss(y_true, y_pred, weight=0.0):\n    return {returned}\n")
    assert [(d.code, d.severity.label) for d in one_per_fault(drafts(loss, *ALL))] == expected


def test_of_several_cuts_the_one_that_is_no_detachment_is_told():
    h = Hand()
    detached = h.mean(h.op("stop_gradient", h.p, api="tensorflow.stop_gradient"))
    rounded = h.mean(h.op("round", h.p, api="tensorflow.round"))
    [draft] = one_per_fault(drafts(h.loss(h.op("add", detached, rounded)), *ALL))
    assert draft.code == "LL201" and "tf.round" in draft.message and "stop_gradient" not in draft.message
