from __future__ import annotations

import pytest

import losslint.checks.graph  # noqa: F401
from losslint.domain.shape import Shape
from losslint.findings import Severity
from tests.hand import Hand, drafts


def weights(h, name="model.trainable_variables"):
    return h.source(name, "variable", Shape.unknown(), list=True)


@pytest.mark.parametrize("op", ["sum", "square", "mul", "norm"])
def test_a_list_taken_for_a_tensor(op):
    h = Hand()
    listed = weights(h)
    node = h.op(op, 0.5, listed) if op == "mul" else h.op(op, listed)
    [draft] = drafts(h.loss(h.op("add", h.mse(), node)), "LL516")
    assert draft.severity is Severity.ERROR
    assert draft.site is node.site and "model.trainable_variables" in draft.message


def test_one_finding_a_call():
    h = Hand()
    listed = weights(h)
    with h.graph.at(h.mse().site, "tensorflow.nn.l2_loss"), h.graph.library():
        h.graph.op("square", listed)
        h.graph.op("sum", listed, axis=None)
    assert len(drafts(h.loss(h.mse()), "LL516")) == 1


def test_lists_that_are_taken_as_lists():
    h = Hand()
    listed = weights(h)
    h.op("add", listed, listed, api="tensorflow.math.add_n")
    h.op("add", listed, weights(h, "tf.global_variables()"))  # + makes a longer list of two
    h.op("index", listed, key=0)
    h.op("gradient_of", h.mse(), listed)
    h.op("square", h.source("kernel", "variable", Shape.of(3, 3)))
    assert drafts(h.loss(h.mse()), "LL516") == []
