"""Losses of TensorFlow Addons: measured with its sources and tf_keras 2.21, batches of six samples."""

from __future__ import annotations

from typing import Any

import pytest

import losslint.ops.catalogue  # noqa: F401
from losslint.domain.shape import Shape
from losslint.graph import Graph, Node
from losslint.loss import Loss
from losslint.ops.registry import CATALOGUE
from tests.hand import Hand

FEATURES = ("B", 5)
MEASURED: dict[str, tuple[tuple[Any, ...], str, str]] = {
    # what is called: shape of both, of the result, coupling
    "sigmoid_focal_crossentropy": (FEATURES, "(B,)", "row"),
    "SigmoidFocalCrossEntropy": (FEATURES, "(B,)", "row"),
    "pinball_loss": (FEATURES, "(B,)", "row"),
    "PinballLoss": (FEATURES, "()", "mean"),
    "contrastive_loss": (("B",), "(B,)", "row"),
    "ContrastiveLoss": (("B",), "()", "mean"),
    "giou_loss": (("B", 4), "(B,)", "row"),
    "GIoULoss": (("B", 4), "()", "mean"),
    "SparsemaxLoss": (FEATURES, "()", "mean"),
    "npairs_loss": (FEATURES, "()", "coupled"),
    "lifted_struct_loss": (FEATURES, "()", "coupled"),
    "triplet_semihard_loss": (FEATURES, "()", "coupled"),
    "TripletHardLoss": (FEATURES, "()", "coupled"),
    "WeightedKappaLoss": (FEATURES, "()", "coupled"),
}


def called(g: Graph, name: str, y: Node, p: Node, **options: Any) -> Any:
    """The loss function ``name``, or an object of the class."""
    made = CATALOGUE[f"tensorflow_addons.losses.{name}"]
    return made(g, **options).call(g, y, p) if name[0].isupper() else made(g, y, p)


def traced(name: str, shape: tuple[Any, ...], **options: Any) -> tuple[Loss, Node]:
    h = Hand(Shape.of(*shape))
    result = called(h.graph, name, h.y, h.p, **options)
    assert isinstance(result, Node)
    return h.loss(result), result


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_measured(name: str) -> None:
    shape, returned, coupling = MEASURED[name]
    loss, result = traced(name, shape, **({"num_classes": 5} if name == "WeightedKappaLoss" else {}))
    assert (str(result.shape), loss.couplings.of(result).kind) == (returned, coupling)
    prediction = next(n for n in loss.graph.nodes if n.attrs.get("role") == "prediction")
    assert loss.gradients.reaches(prediction) == "live"


def test_a_reduction_can_be_asked_for() -> None:
    _, result = traced("SigmoidFocalCrossEntropy", FEATURES, reduction="sum_over_batch_size")
    assert str(result.shape) == "()"


def test_arguments_stand_as_in_the_constructor() -> None:
    h = Hand(Shape.of(*FEATURES))
    made = CATALOGUE["tensorflow_addons.losses.SigmoidFocalCrossEntropy"](h.graph, True, 0.5)
    assert (made.attrs["from_logits"], made.attrs["alpha"]) == (True, 0.5)


def test_sparsemax_takes_the_labels_last() -> None:
    h = Hand(Shape.of(*FEATURES))
    result = CATALOGUE["tensorflow_addons.losses.sparsemax_loss"](h.graph, h.p, h.op("softmax", h.p, axis=(-1,)), h.y)
    assert str(result.shape) == "(B,)"


def test_ranks_are_left_as_they_are() -> None:
    h = Hand(Shape.of("B"))
    scores = h.op("expand_dims", h.p, axis=-1)
    result = called(h.graph, "pinball_loss", h.y, scores)
    assert len(result.inputs[0].shape.batch_axes) == 2, "every label meets every prediction"
