"""``keras.metrics``: functions that measure, and objects that keep a state and so pass no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import SCALAR
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import nodes_in
from losslint.ops.catalogue import keras_losses, tf_reduce
from losslint.ops.catalogue.arguments import nothing, table, under
from losslint.ops.catalogue.keras_nn import class_numbers
from losslint.ops.registry import CATALOGUE, Callback

METRICS = "keras.metrics"


# -- functions ---------------------------------------------------------------------------------------------------------
def hits(g: Graph, equal: Node) -> Node:
    """Truth as 0 and 1."""
    return g.op("cast", equal, dtype="float32")


def binary_accuracy(g: Graph, y_true: Any, y_pred: Any, threshold: Any = 0.5) -> Node:
    """Which elements are on the right side of the threshold."""
    y, p = keras_losses.aligned(g, y_true, y_pred)
    with g.library():
        sure = g.op("cast", g.op("gt", p, threshold), dtype="float32")
        return hits(g, g.op("eq", y, sure))


def categorical_accuracy(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """Whether the most probable class is the true one."""
    with g.library():
        best = [g.op("argmax", x, axis=(-1,), keepdims=False) for x in (y_true, y_pred)]
        return hits(g, g.op("eq", *best))


def sparse_categorical_accuracy(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """The same for class numbers."""
    y, p = g.lift(y_true), g.lift(y_pred)
    with g.library():
        return hits(g, g.op("eq", class_numbers(g, y, p), g.op("argmax", p, axis=(-1,), keepdims=False)))


def top_k_categorical_accuracy(g: Graph, y_true: Any, y_pred: Any, k: Any = 5) -> Node:
    """Whether the true class is among the ``k`` most probable ones."""
    with g.library():
        true = g.op("argmax", y_true, axis=(-1,), keepdims=False)
        return hits(g, tf_reduce.in_top_k(g, true, y_pred, k))


def sparse_top_k_categorical_accuracy(
    g: Graph, y_true: Any, y_pred: Any, k: Any = 5, from_sorted_ids: Any = False
) -> Node:
    """The same for class numbers."""
    y, p = g.lift(y_true), g.lift(y_pred)
    with g.library():
        return hits(g, tf_reduce.in_top_k(g, class_numbers(g, y, p), p, k))


def pearson_correlation(g: Graph, y_true: Any, y_pred: Any, axis: Any = -1) -> Node:
    """The correlation of the elements of each sample."""
    at = (axis,) if isinstance(axis, int) else (-1,)
    with g.library():
        centred = [g.op("sub", x, g.op("mean", x, axis=at, keepdims=True)) for x in map(g.lift, (y_true, y_pred))]
        y, p = (g.op("l2_normalize", x, axis=at, epsilon=1e-7) for x in centred)
        return g.op("sum", g.op("mul", y, p), axis=at, keepdims=False)


table(
    METRICS,
    {
        "binary_accuracy": binary_accuracy,
        "categorical_accuracy accuracy": categorical_accuracy,
        "sparse_categorical_accuracy": sparse_categorical_accuracy,
        "top_k_categorical_accuracy": top_k_categorical_accuracy,
        "sparse_top_k_categorical_accuracy": sparse_top_k_categorical_accuracy,
        "pearson_correlation concordance_correlation": pearson_correlation,
    },
)


# -- objects -----------------------------------------------------------------------------------------------------------
CLASSES = (
    "AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy "
    "CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives "
    "Hinge IoU KLDivergence "
    "LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanRelativeError "
    "MeanSquaredError MeanSquaredLogarithmicError MeanTensor OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson "
    "Precision PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity "
    "SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity "
    "SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives TruePositives"
)


def metric_object(title: str) -> Callable[..., Callback]:
    """A class of metrics. What an instance returns is read from its variables, so no gradient passes."""

    def measured(g: Graph, *values: Any) -> Node:
        state = g.opaque(dict.fromkeys(nodes_in(values)), f"the state of {title}", SCALAR)
        return g.op("stop_gradient", state, metric=title)

    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        kept: list[Any] = []

        def update(g: Graph, *args: Any, **kwargs: Any) -> None:
            kept.extend(nodes_in(args, kwargs))

        methods: dict[str, Callable[..., Any]] = {
            "update_state": update,
            "result": lambda g: measured(g, *kept),
            "reset_state": nothing,
            "reset_states": nothing,
        }
        attributes: dict[str, Any] = {name: Callback(f"{title}.{name}", method, {}) for name, method in methods.items()}
        attributes |= {"name": kwargs.get("name"), "metric": title, "variables": []}
        return Callback(title, lambda g, *args, **kwargs: measured(g, args, kwargs), attributes)

    return construct


for _title in CLASSES.split():
    under(METRICS, _title, metric_object(f"keras.metrics.{_title}"))


def get(g: Graph, identifier: Any = None, custom_objects: Any = None) -> Any:
    """A metric by the name of its class; functions and objects stay what they are."""
    if not isinstance(identifier, str):
        return identifier
    if identifier in CLASSES.split():
        return CATALOGUE[f"keras.metrics.{identifier}"](g)
    return Unknown((), f"the metric {identifier}")  # "mse" is a function in Keras 2, and an object in Keras 3


under(METRICS, "get deserialize", get)
under(METRICS, "serialize", lambda g, metric: Unknown((), "the name of a metric"))
