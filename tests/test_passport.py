from __future__ import annotations

import json

from losslint.domain.shape import Shape
from losslint.graph import Unknown
from losslint.passport import passport, render
from tests.hand import Hand


def facts_of(h, value, **more):
    facts = passport(h.loss(value, **more))
    assert json.loads(json.dumps(facts)) == facts, "plain data"
    return facts


def test_a_mean():
    h = Hand()
    facts = facts_of(h, h.mse())
    assert (facts["rank"], facts["shape"], facts["structure"]) == (0, "()", "tensor")
    assert (facts["law"], facts["law_ratio"], facts["gradient_law"]) == ("0", 1.0, "0")
    assert facts["coupling"] == "mean"
    assert facts["gradient"] == {"y_pred": "live"}
    assert facts["consumer"] == {"kind": "keras", "evidence": "keras by hand"}
    assert facts["understood"] is True


def test_a_batch_sum_and_a_norm():
    h = Hand()
    error = h.op("square", h.op("sub", h.y, h.p))
    facts = facts_of(h, h.op("sum", error, axis=None))
    assert (facts["law"], facts["law_ratio"], facts["gradient_law"], facts["coupling"]) == ("1", 2.0, "1", "sum")
    norm = facts_of(h, h.op("sqrt", h.op("sum", error, axis=None)))
    assert norm["law"] == "1/2" and round(norm["law_ratio"], 3) == 1.414


def test_log_of_a_batch_sum():
    h = Hand()
    facts = facts_of(h, h.op("log", h.op("sum", h.op("exp", h.p), axis=None)))
    assert (facts["law"], facts["law_ratio"], facts["gradient_law"]) == ("0 + 1 log k", None, "0")


def test_mixed_and_broken_laws():
    h = Hand()
    total = h.op("sum", h.op("square", h.p), axis=None)
    mixed = facts_of(h, h.op("add", h.mse(), total))
    assert (mixed["law"], mixed["law_ratio"], mixed["gradient_law"]) == ("mixed", None, "mixed")
    assert facts_of(h, h.op("tanh", total))["law"] == "broken"


def test_gradient_by_source_the_best_of_each_name():
    h = Hand()
    h.source("unused", "argument", Shape.unknown())
    out = h.op("model", h.source("x", "input"), name="critic")
    facts = facts_of(h, h.op("add", h.hits(), h.mean(out)))
    assert facts["gradient"] == {"y_pred": "dead", "unused": "absent", "critic": "live"}
    assert facts_of(h, h.hits())["gradient_law"] == "absent"


def test_ranges_where_a_domain_has_an_edge():
    h = Hand()
    soft = h.op("softmax", h.p, axis=(-1,))
    value = h.mean(h.op("log", soft, api="tensorflow.math.log"))
    facts = facts_of(h, value)
    assert facts["ranges"] == [{"op": "tf.math.log", "line": None, "range": "[0, 1]", "status": "known"}]
    h = Hand()
    assumed = facts_of(h, h.mean(h.op("mul", h.y, h.op("log", h.p))))["ranges"]
    assert [r["status"] for r in assumed] == ["assumed"]


def test_divisions_by_constants_and_inside_library_functions_are_no_news():
    h = Hand()
    with h.graph.library():
        inner = h.op("log", h.p)
    assert facts_of(h, h.op("div", h.mean(inner), 3.0))["ranges"] == []


def test_what_was_lost_is_named_and_spoils_understanding():
    h = Hand()
    hidden = h.graph.opaque([h.p], "calls helper(), which was not found")
    facts = facts_of(h, h.mean(hidden))
    assert facts["lost_at"] == [{"line": None, "why": "calls helper(), which was not found"}]
    assert facts["understood"] is False


def test_notes_alone_leave_a_loss_understood():
    h = Hand()
    facts = facts_of(h, h.mse(), notes=["axis 0 of y_pred is taken for the batch"])
    assert facts["lost_at"] == [{"line": None, "why": "axis 0 of y_pred is taken for the batch"}]
    assert facts["understood"] is True


def test_containers_and_strangers():
    h = Hand()
    facts = facts_of(h, (h.mse(), h.hits()))
    assert (facts["structure"], facts["rank"], facts["law"]) == ("tuple of 2", None, "0")
    assert facts_of(h, (h.mse(), h.graph.op("sum", h.p, axis=None)))["law"] is None  # the parts do not agree
    assert facts_of(h, None)["structure"] == "None"
    assert facts_of(h, 0.0)["structure"] == "number"
    stranger = facts_of(h, Unknown((h.p,), "yields"))
    assert (stranger["structure"], stranger["understood"]) == ("unknown", False)
    assert stranger["lost_at"] == [{"line": None, "why": "yields"}]


def test_the_table_names_every_fact_once():
    h = Hand()
    text = render(facts_of(h, h.mse()))
    assert text.splitlines()[0] == "?:?  loss"
    assert "returns       tensor ()" in text
    assert "batch law     0 (x1 when the batch is doubled)" in text
    assert "gradient      y_pred: live" in text
    assert text.endswith("understood    yes")
