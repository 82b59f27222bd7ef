"""What Keras 2 and 3 do where labels and predictions differ by a last axis of 1, in their functions and objects."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

import losslint.ops.catalogue  # noqa: F401
from losslint.domain.shape import Shape
from losslint.graph import Graph, Node, ancestors
from losslint.ops.primitives import new_graph
from losslint.ops.registry import CATALOGUE

REGRESSION = {
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "mean_absolute_percentage_error": "MeanAbsolutePercentageError",
    "mean_squared_logarithmic_error": "MeanSquaredLogarithmicError",
    "huber": "Huber",
    "log_cosh": "LogCosh",
    "cosine_similarity": "CosineSimilarity",
}
OTHER = {
    "poisson": "Poisson",
    "kl_divergence": "KLDivergence",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
}
LOSSES = REGRESSION | OTHER
SHAPES = {"flat labels": (("B",), ("B", 1)), "flat predictions": (("B", 1), ("B",))}
PACKAGES = {"2": "tf_keras", "3": "keras"}


def called(g: Graph, name: str, y: Node, p: Node) -> Node:
    """A function of ``keras.losses``, or ``call`` of an object without reduction."""
    made = CATALOGUE[f"keras.losses.{name}"]
    result = made(g, reduction="none").call(g, y, p) if name[0].isupper() else made(g, y, p)
    assert isinstance(result, Node)
    return result


def predicted(keras: str, name: str, shapes: Any) -> tuple[str, bool]:
    """The shape of the result, and whether every sample meets every other on the way."""
    g = new_graph(keras)
    y, p = (
        g.source(role, role, Shape.of(*shape), "float32")
        for role, shape in zip(("label", "prediction"), shapes, strict=True)
    )
    result = called(g, name, y, p)
    return str(result.shape), any(len(n.shape.batch_axes) > 1 for n in ancestors([result]))


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("function", LOSSES)
def test_functions(function: str, shapes: str) -> None:
    aligns = function in REGRESSION
    assert predicted("3", function, SHAPES[shapes]) == ("(B,)", not aligns)
    assert predicted("2", function, SHAPES[shapes]) == ("(B,)", True)


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("title", LOSSES.values())
def test_objects(title: str, shapes: str) -> None:
    assert predicted("3", title, SHAPES[shapes]) == ("(B,)", False)
    assert predicted("2", title, SHAPES[shapes]) == ("()", False), "both are (B,), and the mean is over the last axis"


@pytest.mark.parametrize("keras", PACKAGES)
def test_what_differs_by_more_than_one_axis_is_left(keras: str) -> None:
    assert predicted(keras, "MeanSquaredError", (("B",), ("B", 4, 1)))[1]


@pytest.mark.tf
@pytest.mark.parametrize("keras", PACKAGES)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("function", LOSSES)
def test_the_libraries_do_so(function: str, shapes: str, keras: str) -> None:
    import numpy as np

    losses = importlib.import_module(PACKAGES[keras]).losses
    dice = np.random.default_rng(0)
    y, p = (dice.uniform(0.2, 0.8, 5).astype("float32") for _ in range(2))
    apart = {"B": 5}
    labels, predictions = (
        value.reshape([apart.get(n, n) for n in shape]) for value, shape in zip((y, p), SHAPES[shapes], strict=True)
    )
    import tensorflow as tf

    both = tf.constant(labels), tf.constant(predictions)
    for name in (function, LOSSES[function]):
        made = getattr(losses, name)
        measured = np.asarray(made(*both) if name == function else made(reduction="none").call(*both))
        pairs = np.asarray(getattr(losses, function)(y[:, None], p[:, None]))
        meets_its_own = any(np.isclose(f(measured), f(pairs), rtol=1e-5) for f in (np.mean, np.sum))
        if name in ("cosine_similarity", "CosineSimilarity"):  # of vectors of length 1, or of one vector
            meets_its_own = measured.shape == () or np.allclose(measured, pairs, rtol=1e-5)
        shape, crossed = predicted(keras, name, SHAPES[shapes])
        assert (shape, crossed) == ("(B,)" if measured.ndim else "()", not meets_its_own), name
