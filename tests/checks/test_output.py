from __future__ import annotations

import losslint.checks.output  # noqa: F401
from losslint.domain.shape import SCALAR, Shape
from losslint.findings import Severity
from losslint.loss import Output
from tests.hand import Hand, drafts, site

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741


def severities(loss, code):
    return [draft.severity for draft in drafts(loss, code)]


def per_sample(h):
    return h.op("mean", h.op("square", h.op("sub", h.y, h.p)), axis=(-1,))


# --- LL101 ------------------------------------------------------------------------------------------------------------


def test_per_sample_is_judged_by_its_consumer():
    h = Hand()
    value = per_sample(h)
    assert severities(h.loss(value, consumer="tape"), "LL101") == [E]
    assert severities(h.loss(value, consumer="tape", proven=False), "LL101") == [W]
    assert severities(h.loss(value, consumer="unknown"), "LL101") == [W]
    assert severities(h.loss(value, consumer="keras"), "LL101") == [I]
    assert severities(h.loss(value, consumer="metric"), "LL101") == []


def test_non_scalar_says_the_shape_at_the_return():
    h = Hand()
    loss = h.loss(per_sample(h), consumer="tape")
    [draft] = drafts(loss, "LL101")
    assert draft.site is loss.outputs[0].site
    assert "(B,)" in draft.message and "tape by hand" in draft.message


def test_scalar_and_unknown_are_no_vector():
    h = Hand()
    for value in (h.mse(), h.graph.opaque([h.p])):
        assert severities(h.loss(value, consumer="tape"), "LL101") == []


def test_a_single_element_trains_as_a_scalar_does():
    h = Hand()
    assert severities(h.loss(h.op("reshape", h.mse(), dims=(1,)), consumer="tape"), "LL101") == [I]


def test_open_rank_with_a_known_axis_is_a_vector():
    h = Hand(Shape((*BATCH_AXIS,), "S"))
    assert severities(h.loss(h.op("square", h.p), consumer="tape"), "LL101") == [E]


BATCH_AXIS = Shape.of("B").head


def test_reduction_none_is_a_choice():
    h = Hand()
    whole = Output(per_sample(h), site(), by_configuration=True)
    mean = Output(h.mse(), site(), by_configuration=True)
    assert severities(h.loss(mean, whole, consumer="tape"), "LL101") == [I]
    assert severities(h.loss(whole, consumer="tape"), "LL101") == [E]


# --- LL102 ------------------------------------------------------------------------------------------------------------


def test_containers_by_consumer():
    h = Hand()
    for value in ((h.mse(), h.mse()), [h.mse()], {"loss": h.mse()}):
        assert severities(h.loss(value, consumer="keras"), "LL102") == [E]
        assert severities(h.loss(value, consumer="tape"), "LL102") == [E]
        assert severities(h.loss(value, consumer="tape", proven=False), "LL102") == [I]
        assert severities(h.loss(value, consumer="unknown"), "LL102") == [I]
        assert severities(h.loss(value, consumer="metric"), "LL102") == []
        assert severities(h.loss(value, consumer="tape", unpacked=True), "LL102") == []
    assert severities(h.loss(h.mse()), "LL102") == []


def test_labels_and_predictions_alone_do_not_make_a_keras_loss():
    h = Hand()
    assert severities(h.loss((h.mse(), h.mse()), proven=False), "LL102") == [E], "y_true, y_pred: as Keras says"
    other = Hand(names=("labels", "embeddings"))
    assert severities(other.loss((other.mse(), other.mse()), proven=False), "LL102") == [I]


def test_a_list_of_unknown_length():
    class SomeOf(list):
        pass

    h = Hand()
    [draft] = drafts(h.loss(SomeOf([h.mse()])), "LL102")
    assert draft.fact == "list"


def test_extra_terms_on_request_are_a_choice():
    h = Hand()
    terms = Output((h.mse(), h.mse()), site(), by_configuration=True)
    assert severities(h.loss(h.mse(), terms), "LL102") == [I]


def test_a_trailing_comma_is_named():
    h = Hand()
    [draft] = drafts(h.loss((h.mse(),)), "LL102")
    assert "trailing comma" in draft.help


# --- LL103 ------------------------------------------------------------------------------------------------------------


def test_nothing_to_differentiate():
    h = Hand()
    h.mse()
    count = h.op("sum", h.op("cast", h.op("gt", h.p, 0.5), dtype="int32"), axis=None)
    for value in (None, 1.0, False, count):
        assert severities(h.loss(value), "LL103") == [E]
        assert severities(h.loss(value, consumer="metric"), "LL103") == []
        assert severities(h.loss(Output(value, site(), by_configuration=True)), "LL103") == [I]
    assert severities(h.loss(h.mse()), "LL103") == []


def test_some_path_forgets_to_return():
    h = Hand()
    value, forgotten = Output(h.mse(), site()), Output(None, site())
    [draft] = drafts(h.loss(value, forgotten), "LL103")
    assert (draft.severity, draft.site) == (E, forgotten.site)


def test_zero_on_an_early_way_out_is_meant():
    h = Hand()
    assert severities(h.loss(h.mse(), 0.0), "LL103") == [I]
    assert severities(h.loss(h.mse(), 3.0), "LL103") == [E]
    assert severities(h.loss(h.mse(), 3.0, consumer="unknown"), "LL103") == [I], "a helper: penalty or 1"


def test_one_of_several_outputs():
    h = Hand()
    assert severities(h.loss((h.mse(), 0.0)), "LL103") == [I]


def test_procedures_and_abstract_methods_are_no_losses():
    h = Hand()
    assert severities(h.loss(None), "LL103") == [], "nothing is computed: abstract"
    h.mse()
    assert severities(h.loss(None, consumer="unknown"), "LL103") == [], "a procedure that stores its result"
    assert severities(h.loss(None), "LL103") == [E]


def test_whole_numbers_that_are_only_assumed():
    h = Hand()
    untyped = h.graph.source("q", "prediction", SCALAR)
    weighted = h.op("mul", untyped, h.op("size_of", h.y))
    assert severities(h.loss(weighted), "LL103") == []


# --- LL104 ------------------------------------------------------------------------------------------------------------


def test_scalar_under_keras():
    h = Hand()
    value = h.mse()
    assert severities(h.loss(value), "LL104") == [I]
    assert severities(h.loss(value, weighted=True), "LL104") == [W]
    assert severities(h.loss(value, strategy=True), "LL104") == [W]
    assert severities(h.loss(value, consumer="tape"), "LL104") == []
    mine = Hand(names=("labels", "logits"))  # a function of these may be called by anybody
    assert severities(mine.loss(mine.mse(), strategy=True, proven=False), "LL104") == [I]
    assert severities(h.loss(value, consumer="unknown"), "LL104") == []
    assert severities(h.loss(per_sample(h)), "LL104") == []
    assert severities(h.loss(h.graph.opaque([h.p])), "LL104") == []
    assert severities(h.loss(value, per_sample(h)), "LL104") == []


def test_replicas_double_a_scalar_under_keras_3_only():
    h = Hand()
    assert "replica" in drafts(h.loss(h.mse(), strategy=True), "LL104")[0].message
    assert "replica" not in drafts(h.loss(h.mse(), strategy=True, keras="2"), "LL104")[0].message


def test_plain_numpy_is_not_our_business():
    h = Hand()
    value = h.op("leaves_tensorflow", h.op("sub", h.y, h.p), api="numpy.square", how="np.square")
    assert drafts(h.loss(value, consumer="unknown", proven=False), "LL101", "LL104") == []
    assert severities(h.loss(value, consumer="tape"), "LL101") == [E]


def test_a_container_says_what_keras_does_with_it():
    h = Hand()
    [mapping] = drafts(h.loss({"loss": h.mse()}), "LL102")
    [listed] = drafts(h.loss([h.mse(), h.mse()]), "LL102")
    assert "cannot convert" in mapping.message and "stacks and averages" not in mapping.message
    assert "stacks and averages" in listed.message and "cannot convert" not in listed.message


def test_weights_matter_where_keras_applies_them():
    h = Hand()
    assert severities(h.loss(h.mse(), weighted=True, proven=True, tape=True), "LL104") == [W]
    assert severities(h.loss(h.mse(), weighted=True, proven=True), "LL104") == [W]
    assert severities(h.loss(h.mse(), weighted=True, proven=False), "LL104") == [W], "y_true, y_pred: as Keras says"
    assert severities(h.loss(h.mse(), weighted=True, proven=False, tape=True), "LL104") == [I], "its own weights"
    assert severities(h.loss(h.mse(), proven=True), "LL104") == [I]
