from __future__ import annotations

import pytest

import losslint.checks.laws  # noqa: F401
from losslint.checks.base import one_per_fault
from losslint.domain.shape import BATCH, Dim, Shape
from losslint.findings import Severity
from tests.checks import short
from tests.hand import Hand, drafts
from tests.ops.lawbook import ALL, COUPLED, OPAQUE, SOUND, Entry, Symbolic, Value, bce, kl, mse, total

LAWS = ("LL301", "LL302", "LL303", "LL304", "LL305", "LL307")
EVERY = (*LAWS, "LL306", "LL308", "LL311")


def written(entry, hand, consumer="keras", **facts):
    """The loss of ``entry``, a function of (f, y, p) or an Entry."""
    ops = Symbolic(hand)
    write = entry.loss if isinstance(entry, Entry) else entry
    return hand.loss(write(ops, Value(ops, hand.y), Value(ops, hand.p)).node, consumer=consumer, **facts)


def found(entry, *codes, **facts):
    return one_per_fault(drafts(written(entry, Hand(), **facts), *(codes or EVERY)))


def codes(entry, *only, **facts):
    return [draft.code for draft in found(entry, *only, **facts)]


# --- which rule -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.name)
def test_the_first_law_rule_that_applies_speaks(entry):
    assert codes(entry, *LAWS) == ([entry.code] if entry.code else [])


@pytest.mark.parametrize("entry", SOUND, ids=lambda e: e.name)
def test_sound_losses_are_silent(entry):
    assert codes(entry) == []


@pytest.mark.parametrize("entry", [*COUPLED, *OPAQUE], ids=lambda e: e.name)
def test_coupled_losses_are_only_told_about(entry):
    [draft] = found(entry)
    assert (draft.code, draft.severity) == ("LL308", Severity.INFO)


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.name)
def test_metrics_and_losses_meant_for_a_batch_are_silent(entry):
    assert codes(entry, consumer="metric") == []
    assert codes(entry, batch_level=True) == []


# --- where it points, what it says ------------------------------------------------------------------------------------


def pointed(hand, result, code, **facts):
    [draft] = drafts(hand.loss(result, **facts), code)
    return draft


def test_a_sum_is_pointed_at_with_its_law():
    hand = Hand()
    summed = hand.op("sum", hand.op("square", hand.p), axis=None, api="tensorflow.reduce_sum")
    draft = pointed(hand, hand.op("mul", summed, 0.5), "LL302")
    assert draft.site is summed.site
    assert draft.severity is Severity.WARNING
    assert draft.fact == "batch law 1: two copies of the batch double the gradient"
    assert "tf.reduce_sum" in draft.message


def test_a_norm_grows_by_the_root():
    hand = Hand()
    draft = pointed(hand, hand.op("norm", hand.p, axis=None), "LL302")
    assert draft.fact == "batch law 1/2: two copies of the batch multiply the gradient by 1.41"


def test_the_second_division_is_pointed_at():
    hand = Hand()
    size = hand.op("cast", hand.op("dynamic_dim", hand.p, axis=0), dtype="float32")
    first = hand.op("div", hand.op("sum", hand.p, axis=None), size)
    second = hand.op("div", first, size)
    draft = pointed(hand, second, "LL303")
    assert draft.site is second.site
    assert draft.fact == "batch law -1: two copies of the batch halve the gradient"


def test_the_addition_is_pointed_at():
    hand = Hand()
    meeting = hand.op("add", hand.mse(), hand.op("sum", hand.op("exp", hand.p), axis=None))
    draft = pointed(hand, hand.op("mul", meeting, 2.0), "LL304")
    assert draft.site is meeting.site
    assert draft.fact == "batch laws 0 and 1: two copies of the batch change the ratio of the terms by 2"


def test_the_nonlinearity_is_pointed_at():
    hand = Hand()
    bent = hand.op("tanh", hand.op("sum", hand.p, axis=None), api="tensorflow.tanh")
    draft = pointed(hand, hand.op("sub", 1.0, bent), "LL301")
    assert draft.site is bent.site
    assert draft.severity is Severity.ERROR
    assert "tf.tanh" in draft.message


def test_laws_for_large_batches_say_so():
    hand = Hand()
    grown = hand.op("add", hand.op("sum", hand.y, axis=None), 1.0)
    draft = pointed(hand, hand.op("mul", grown, hand.mse()), "LL302")
    assert draft.fact.startswith("batch law 1 (for large batches)")


# --- consumers --------------------------------------------------------------------------------------------------------


def weighted(f, y, p):
    return f("sum", bce(f, y, p) * y, axis=(-1,)) / total(f, y)


@pytest.mark.parametrize(("consumer", "expected"), [("keras", ["LL303"]), ("tape", []), ("unknown", [])])
def test_only_keras_averages_what_a_caller_may_sum(consumer, expected):
    assert codes(weighted, *LAWS, consumer=consumer) == expected


@pytest.mark.parametrize("consumer", ["keras", "tape", "unknown"])
def test_a_per_sample_loss_is_no_matter_of_laws(consumer):
    assert codes(bce, *LAWS, consumer=consumer) == []


@pytest.mark.parametrize("consumer", ["keras", "tape", "unknown"])
def test_a_batch_sum_is_one_for_every_consumer(consumer):
    assert codes(lambda f, y, p: total(f, bce(f, y, p)), *LAWS, consumer=consumer) == ["LL302"]


def test_parts_returned_beside_the_whole_are_for_the_log():
    hand = Hand()
    ops = Symbolic(hand)
    y, p = Value(ops, hand.y), Value(ops, hand.p)
    divergence = kl(ops, p, "sum")
    both = mse(ops, y, p) + divergence
    assert [d.code for d in drafts(hand.loss((both.node, divergence.node), unpacked=True), *LAWS)] == ["LL304"]


def test_each_term_of_a_tuple_has_a_law_of_its_own():
    hand = Hand()
    ops = Symbolic(hand)
    y, p = Value(ops, hand.y), Value(ops, hand.p)
    terms = (mse(ops, y, p).node, kl(ops, p, "sum").node)
    assert [d.code for d in drafts(hand.loss(terms, unpacked=True), *LAWS)] == ["LL302"]


# --- LL305 ------------------------------------------------------------------------------------------------------------


def divided_by(hand, name, role="config"):
    size = hand.source(name, role)
    return hand.op("div", hand.op("sum", hand.p, axis=None), size)


def test_a_batch_size_kept_in_an_attribute():
    hand = Hand()
    result = divided_by(hand, "self.batch_size")
    draft = pointed(hand, result, "LL305")
    assert draft.site is result.site
    assert "self.batch_size" in draft.message
    assert drafts(hand.loss(result), "LL302") == []


def test_a_named_constant():
    hand = Hand()
    size = hand.op("const", value=32, name="BATCH_SIZE")
    assert "BATCH_SIZE" in pointed(hand, hand.op("div", hand.op("sum", hand.p, axis=None), size), "LL305").message


def test_a_constant_named_in_the_source_only():
    import libcst as cst

    from losslint.graph import Site

    hand = Hand()
    with hand.graph.at(Site(None, cst.parse_expression("tf.reduce_sum(p) / float(BATCH_SIZE)"), "loss")):
        result = hand.graph.op("div", hand.op("sum", hand.p, axis=None), 32.0)
    assert "BATCH_SIZE" in pointed(hand, result, "LL305").message


def test_an_argument_called_batch_size_may_be_the_size_of_the_batch():
    hand = Hand()
    assert drafts(hand.loss(divided_by(hand, "batch_size")), *LAWS) == []


@pytest.mark.parametrize(("name", "strategy"), [("self.global_batch_size", False), ("self.batch_size", True)])
def test_a_global_batch_size_is_right_under_a_strategy(name, strategy):
    hand = Hand()
    assert drafts(hand.loss(divided_by(hand, name), strategy=strategy), *LAWS) == []


# --- LL306 ------------------------------------------------------------------------------------------------------------


def static(hand, axis=0, **attrs):
    size = hand.op("static_dim", hand.p, axis=axis, **attrs)
    return hand.op("div", hand.op("sum", hand.p, axis=None), size)


@pytest.mark.parametrize(
    ("consumer", "severity"), [("keras", Severity.ERROR), ("tape", Severity.WARNING), ("unknown", Severity.WARNING)]
)
def test_static_batch_size(consumer, severity):
    hand = Hand()
    draft = pointed(hand, static(hand), "LL306", consumer=consumer)
    assert draft.severity is severity
    assert draft.fact == "y_pred.shape[0] is the batch axis"


@pytest.mark.parametrize("attrs", [{"axis": 1}, {"guarded": True}])
def test_other_axes_and_guarded_reads_are_fine(attrs):
    hand = Hand()
    assert drafts(hand.loss(static(hand, **attrs)), "LL306") == []


def test_an_extent_of_as_list_counts_where_it_is_used():
    hand = Hand()
    hand.op("static_dim", hand.p, axis=0, listed=True)
    assert drafts(hand.loss(hand.mse()), "LL306") == []
    assert drafts(hand.loss(static(hand, listed=True)), "LL306")


def test_whoever_tests_one_extent_for_none_knows_of_all():
    hand = Hand()
    hand.op("static_dim", hand.p, axis=1, guarded=True)
    assert drafts(hand.loss(static(hand)), "LL306") == []
    hand = Hand()
    hand.op("static_dim", hand.y, axis=0, guarded=True)
    assert drafts(hand.loss(static(hand)), "LL306")


def test_the_length_of_what_may_be_a_list():
    hand = Hand()
    anchors = hand.source("anchors", "argument", Shape.of("B", 2))
    for value in (hand.p, anchors):
        hand.op("static_dim", value, axis=0, length=True)
    assert [d.fact for d in drafts(hand.loss(hand.mse()), "LL306")] == ["y_pred.shape[0] is the batch axis"]
    assert drafts(hand.loss(hand.mse(), whole=False), "LL306") == []


def test_what_a_library_function_reads_is_its_business():
    hand = Hand()
    with hand.graph.library():
        result = static(hand)
    assert drafts(hand.loss(result), "LL306") == []


# --- LL307 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "l2_normalize"])
@pytest.mark.parametrize("axis", [(0,), None])
def test_activation_over_the_batch(op, axis):
    hand = Hand()
    if axis is None and op != "l2_normalize":
        return
    shares = hand.op(op, hand.p, axis=axis)
    loss = hand.loss(hand.mean(hand.op("mul", hand.y, shares)))
    assert [d.code for d in drafts(loss, *EVERY)] == ["LL307"]
    assert drafts(loss, "LL307")[0].site is shares.site


def test_activation_over_classes_is_fine():
    hand = Hand()
    assert drafts(hand.loss(hand.mean(hand.op("softmax", hand.p, axis=(-1,)))), *EVERY) == []


def test_similarities_between_samples_may_be_normalized_over_samples():
    hand = Hand()
    similar = hand.op("matmul", hand.p, hand.p, transpose_b=True)
    loss = hand.loss(hand.mean(hand.op("log_softmax", similar, axis=(-1,))))
    assert [d.code for d in drafts(loss, *EVERY)] == ["LL308"]


# --- LL311 ------------------------------------------------------------------------------------------------------------

IMAGES = Shape.of("B", "H", "W", "C")


def variation(hand, how):
    rows = hand.op(
        "sub",
        hand.op("index", hand.p, key=(slice(None), slice(1, None))),
        hand.op("index", hand.p, key=(slice(None), slice(None, -1))),
    )
    return hand.mean(hand.op(how, hand.op("abs", rows), axis=(1, 2, 3)))


def test_a_summed_total_variation_depends_on_the_size_of_the_image():
    hand = Hand(IMAGES)
    draft = pointed(hand, variation(hand, "sum"), "LL311")
    assert draft.severity is Severity.INFO
    assert draft.fact.startswith("law 2 over the other axes")


def test_a_mean_one_does_not():
    hand = Hand(IMAGES)
    assert drafts(hand.loss(variation(hand, "mean")), *EVERY) == []


def test_a_sum_over_classes_does_not():
    hand = Hand(IMAGES)
    kept = hand.mean(hand.op("sum", hand.op("square", hand.p), axis=(-1,)))
    assert drafts(hand.loss(kept), *EVERY) == []


def test_axes_that_nobody_told_apart_may_be_none():
    hand = Hand(Shape((BATCH,), "S", (Dim.of("C"),)))
    size = hand.op("cast", hand.op("dynamic_dim", hand.p, axis=0), dtype="float32")
    assert drafts(hand.loss(hand.op("div", hand.op("sum", hand.p, axis=None), size)), *EVERY) == []


def test_axes_that_were_sliced_are_known():
    hand = Hand(Shape((BATCH,), "S", (Dim.of("C"),)))
    every = slice(None)
    down = hand.op("index", hand.p, key=(every, slice(1, None), every, every))
    up = hand.op("index", hand.p, key=(every, slice(None, -1), every, every))
    size = hand.op("cast", hand.op("dynamic_dim", hand.p, axis=0), dtype="float32")
    summed = hand.op("div", hand.op("sum", hand.op("abs", hand.op("sub", down, up)), axis=None), size)
    assert [d.code for d in drafts(hand.loss(summed), *EVERY)] == ["LL311"]


def test_a_turned_image_has_no_batch():
    hand = Hand(Shape((BATCH,), "S", (Dim.of("C"),)))
    flat = hand.op("reshape", hand.op("transpose", hand.p, perm=(2, 0, 1)), dims=(3, -1))
    gram = hand.op("matmul", flat, flat, transpose_b=True)
    style = hand.op("div", hand.op("sum", hand.op("square", gram), axis=None), 400.0)
    assert drafts(hand.loss(style, consumer="unknown"), *EVERY) == []


# --- order ------------------------------------------------------------------------------------------------------------

ORDER = {
    "shift": ("tf.reduce_mean(tf.square(y_pred[1:] - y_pred[:-1]))", "LL309"),
    "roll": ("tf.reduce_mean(tf.square(y_pred - tf.roll(y_true, 1, axis=0)))", "LL309"),
    "cumsum over its default axis": ("tf.reduce_mean(tf.square(tf.cumsum(y_pred) - y_true))", "LL309"),
    "pairs": ("tf.reduce_mean(tf.square(y_pred[::2] - y_pred[1::2]))", "LL309"),
    "halves": ("a, b = tf.split(y_pred, 2, axis=0)\ntf.reduce_mean(tf.square(a - b))", "LL309"),
    "one sample": ("tf.reduce_mean(tf.square(y_pred[0]))", "LL308"),
    "root": ("tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)) + 1e-7)", "LL308"),
    "sorted first": ("tf.reduce_mean(tf.square(tf.cumsum(tf.sort(y_pred, axis=0)) - 1.0))", "LL308"),
    "time": ("tf.reduce_mean(tf.square(y_pred[:, 1:] - y_pred[:, :-1]))", ""),
    "cumsum over time": ("tf.reduce_mean(tf.square(tf.cumsum(y_pred, axis=1) - y_true))", ""),
}


@pytest.mark.parametrize("body, expected", ORDER.values(), ids=ORDER.keys())
def test_order_is_told_in_place_of_coupling(body, expected):
    assert [f.code for f in short.findings(body, ("LL308", "LL309"))] == expected.split()
