"""How findings speak: the way from a source to where a gradient ends."""

from __future__ import annotations

from losslint.checks.wording import stops
from tests.hand import Hand, site


def test_every_operation_is_a_stop_but_what_hands_its_input_on():
    h = Hand()
    identity = h.op("identity", h.p)
    rounded = h.op("round", identity, api="tensorflow.round")
    squared = h.op("square", rounded, api="tensorflow.square")
    end = site()
    path = stops([h.p, identity, rounded, squared], end)
    assert [label for label, _ in path] == ["y_pred", "tf.round", "tf.square", "return"]
    assert path[2][1] is squared.site and path[3][1] is end


def test_what_one_call_expands_to_is_one_stop():
    h = Hand()
    with h.graph.at(site(), "tensorflow.norm"):
        squared = h.graph.op("square", h.p)
        total = h.graph.op("sum", squared, axis=None, keepdims=False)
    again = h.op("sqrt", total, api="tensorflow.norm")
    assert [label for label, _ in stops([h.p, squared, total], None)] == ["y_pred", "tf.norm", "return"]
    assert [label for label, _ in stops([squared, total, again], None)] == ["tf.norm", "tf.norm", "return"]
