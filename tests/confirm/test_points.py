"""Edge points are legal inputs: a softmax stays a distribution, a label keeps its kind."""

from __future__ import annotations

import numpy as np
import pytest

from losslint.confirm.inputs import SIZES, Convention, Spec
from losslint.confirm.points import FAR, Edges


def points(label: Spec, prediction: Spec) -> dict[str, dict[str, np.ndarray]]:
    convention = Convention("", {"y": label, "p": prediction})
    return dict(Edges(convention, convention.sample(SIZES[0])).points())


def pair(label: str, prediction: str, dims: tuple[str | int, ...] = ("B", "C")) -> dict[str, dict[str, np.ndarray]]:
    return points(Spec("label", label, dims), Spec("prediction", prediction, dims))


def test_probabilities_reach_0_and_1_whatever_the_label() -> None:
    found = pair("binary", "prob")
    for label in (0.0, 1.0):
        for prediction in (0.0, 1.0):
            wanted = [p for p in found.values() if (p["y"] == label).all() and (p["p"] == prediction).all()]
            assert wanted, (label, prediction)


def test_a_softmax_stays_a_distribution() -> None:
    for name, point in pair("onehot", "simplex").items():
        assert np.allclose(point["p"].sum(-1), 1) and (point["p"] >= 0).all(), name
        assert (point["y"].sum(-1) == 1).all(), name


def test_perfect_and_wrong() -> None:
    found = pair("onehot", "simplex")
    assert np.array_equal(found["p perfect"]["p"], found["p perfect"]["y"])
    assert (found["p all wrong"]["p"].argmax(-1) != found["p all wrong"]["y"].argmax(-1)).all()


def test_logits_go_far_on_both_sides() -> None:
    ends = {float(p["p"].max()) for p in pair("binary", "logits").values()}
    assert {-FAR, FAR} <= ends


def test_labels_keep_their_kind() -> None:
    ids = points(Spec("label", "ids", ("B",), "int32"), Spec("prediction", "real", ("B", "E")))
    assert any(len(set(p["y"])) == 1 for p in ids.values()) and any(len(set(p["y"])) == 7 for p in ids.values())
    assert all(p["y"].dtype == np.int32 for p in ids.values())


def test_no_point_comes_twice() -> None:
    for label, prediction in (("binary", "prob"), ("onehot", "simplex"), ("real", "real"), ("unit", "unit")):
        found = [b"".join(v.tobytes() for v in p.values()) for p in pair(label, prediction).values()]
        assert len(found) == len(set(found)) > 4


@pytest.mark.parametrize("domain", ["positive", "box", "unit", "real"])
def test_shapes_and_dtypes_stay(domain: str) -> None:
    for name, point in pair(domain, domain, ("B", 4)).items():
        assert point["p"].shape == (7, 4) and point["p"].dtype == np.float32, name
