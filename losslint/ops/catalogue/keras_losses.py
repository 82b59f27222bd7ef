"""``keras.losses``: one number for each sample, and the objects that weight and reduce them.

The functions do what Keras 3 does; the names of Keras 1 and 2 are the same functions. Only in how they treat labels and
predictions of different rank the versions differ, and there they do what the targeted one does. What they compute is
Keras's business, so their nodes are internal; probabilities are clipped to [eps, 1 - eps] inside.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import ONE
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import called, constant_of, flag, reduced, unknown
from losslint.ops.catalogue import keras_nn
from losslint.ops.catalogue.arguments import under
from losslint.ops.catalogue.keras_nn import EPSILON
from losslint.ops.registry import CATALOGUE, CONSTANTS, Callback, Expansion

LOSSES = "keras.losses keras.objectives keras.metrics"
LossFunction = Callable[..., Node]
Align = Callable[[Graph, Any, Any], "tuple[Node, Node]"]
"""What becomes of the ranks of labels and predictions before a loss sees them."""

for _name, _value in {
    "NONE": "none",
    "SUM": "sum",
    "AUTO": "auto",
    "SUM_OVER_BATCH_SIZE": "sum_over_batch_size",
}.items():
    for _class in ("Reduction", "ReductionV2", "losses_utils.ReductionV2", "loss_reduction.ReductionV2"):
        CONSTANTS[f"keras.losses.{_class}.{_name}"] = _value
        CONSTANTS[f"keras.utils.{_class}.{_name}"] = _value


def aligned(g: Graph, y: Any, p: Any) -> tuple[Node, Node]:
    """Labels and predictions as the functions for regression take them.

    Keras 3 gives them one rank first. Keras 2 does not: (B,) meets (B, 1) as (B, B).
    """
    return of_one_rank(g, y, p) if g.keras == "3" else as_they_come(g, y, p)


def wrapped(g: Graph, y: Any, p: Any) -> tuple[Node, Node]:
    """Labels and predictions as a loss object hands them to its function.

    Keras 2 drops a last axis of 1 where it makes the ranks equal: (B,) and (B, 1) both are (B,), and their mean over
    the last axis is that over the batch.
    """
    if g.keras == "3":
        return of_one_rank(g, y, p)
    labels, predictions = g.lift(y), g.lift(p)
    more = _rank_above(predictions, labels)
    if more == 1 and predictions.shape.axis(-1) == ONE:
        predictions = g.op("squeeze", predictions, axis=(-1,))
    elif more == -1 and labels.shape.axis(-1) == ONE:
        labels = g.op("squeeze", labels, axis=(-1,))
    return labels, predictions


def of_one_rank(g: Graph, y: Any, p: Any) -> tuple[Node, Node]:
    """Both of equal rank: (B,) meets (B, 1) as (B, 1), (B, n, 1) meets (B, n) as (B, n)."""
    first, second = g.lift(y), g.lift(p)
    more = _rank_above(second, first)
    if more == 1:
        second, first = _matched(g, second, first)
    elif more == -1:
        first, second = _matched(g, first, second)
    return first, second


def as_they_come(g: Graph, y: Any, p: Any) -> tuple[Node, Node]:
    """Labels and predictions as they are."""
    return g.lift(y), g.lift(p)


def _rank_above(a: Node, b: Node) -> int | None:
    """How many axes ``a`` has more than ``b``, where that is known."""
    return None if a.shape.rank is None or b.shape.rank is None else a.shape.rank - b.shape.rank


def _matched(g: Graph, long: Node, short: Node) -> tuple[Node, Node]:
    if long.shape.axis(-1) != ONE:
        return long, short
    if short.shape.rank == 1:
        return long, g.op("expand_dims", short, axis=-1)
    return g.op("squeeze", long, axis=(-1,)), short


def loss(*names: str) -> Callable[[LossFunction], LossFunction]:
    """Register a loss under its names in all modules that have had it; its nodes are internal."""

    def register(function: LossFunction) -> LossFunction:
        def expansion(g: Graph, *args: Any, **kwargs: Any) -> Node:
            with g.library():
                return function(g, *args, **kwargs)

        expansion.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        under(LOSSES, " ".join(names), expansion)
        return expansion

    return register


def mean(g: Graph, x: Node, axis: Any = -1) -> Node:
    """The mean over the last axis, or over those that are named."""
    return reduced(g, "mean", x, axis)


# -- regression --------------------------------------------------------------------------------------------------------
@loss("mean_squared_error", "MSE", "mse")
def mean_squared_error(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean((y - p)^2)."""
    return mean(g, g.op("square", g.op("sub", *aligned(g, y_true, y_pred))))


@loss("mean_absolute_error", "MAE", "mae")
def mean_absolute_error(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean(|y - p|)."""
    return mean(g, g.op("abs", g.op("sub", *aligned(g, y_true, y_pred))))


@loss("mean_absolute_percentage_error", "MAPE", "mape")
def mean_absolute_percentage_error(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """100 mean(|y - p| / max(|y|, eps))."""
    y, p = aligned(g, y_true, y_pred)
    share = g.op("div", g.op("sub", y, p), g.op("maximum", g.op("abs", y), EPSILON))
    return g.op("mul", 100.0, mean(g, g.op("abs", share)))


@loss("mean_squared_logarithmic_error", "MSLE", "msle")
def mean_squared_logarithmic_error(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean((log(p + 1) - log(y + 1))^2), both at least eps."""
    logs = [g.op("log", g.op("add", g.op("maximum", x, EPSILON), 1.0)) for x in aligned(g, y_true, y_pred)]
    return mean(g, g.op("square", g.op("sub", *logs)))


@loss("huber", "huber_loss")
def huber(g: Graph, y_true: Any, y_pred: Any, delta: Any = 1.0) -> Node:
    """Half the square near zero, linear from ``delta`` on."""
    y, p = aligned(g, y_true, y_pred)
    error = g.op("sub", p, y)
    size = g.op("abs", error)
    far = g.op("sub", g.op("mul", delta, size), g.op("mul", 0.5, g.op("square", delta)))
    return mean(g, g.op("select", g.op("le", size, delta), g.op("mul", 0.5, g.op("square", error)), far))


@loss("log_cosh", "logcosh")
def log_cosh(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean(log(cosh(p - y)))."""
    y, p = aligned(g, y_true, y_pred)
    return mean(g, g.op("smooth", g.op("sub", p, y), low=0.0, high=math.inf, api="log_cosh"))


@loss("poisson")
def poisson(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean(p - y log(p + eps))."""
    p = g.lift(y_pred)
    return mean(g, g.op("sub", p, g.op("mul", y_true, g.op("log", g.op("add", p, EPSILON)))))


def _negated_cosine(g: Graph, y_true: Any, y_pred: Any, axis: Any = -1) -> Node:
    y, p = (keras_nn.normalize(g, x, axis) for x in aligned(g, y_true, y_pred))
    return g.op("neg", reduced(g, "sum", g.op("mul", y, p), axis))


loss("cosine_similarity", "cosine_proximity", "cosine")(_negated_cosine)


# -- cross entropies ---------------------------------------------------------------------------------------------------
def smoothed(g: Graph, y: Any, smoothing: Any, binary: bool) -> Node:
    """Labels drawn towards 1/2, or towards the uniform distribution over the classes."""
    labels = g.lift(y)
    if constant_of(smoothing) in (0, None):
        return labels
    share: Any = 0.5
    if not binary:
        classes = labels.shape.axis(-1)
        share = g.op(
            "div", 1.0, classes.value if classes is not None and classes.value else g.op("dynamic_dim", labels, axis=-1)
        )
    return g.op("add", g.op("mul", labels, g.op("sub", 1.0, smoothing)), g.op("mul", smoothing, share))


@loss("binary_crossentropy")
def binary_crossentropy(
    g: Graph, y_true: Any, y_pred: Any, from_logits: Any = False, label_smoothing: Any = 0.0, axis: Any = -1
) -> Node:
    """The mean over the last axis of -y log p - (1 - y) log(1 - p)."""
    y = smoothed(g, y_true, label_smoothing, True)
    return mean(g, keras_nn.binary_crossentropy(g, y, y_pred, from_logits), axis)


@loss("categorical_crossentropy")
def categorical_crossentropy(
    g: Graph, y_true: Any, y_pred: Any, from_logits: Any = False, label_smoothing: Any = 0.0, axis: Any = -1
) -> Node:
    """-sum(y log p) over the classes."""
    return keras_nn.categorical_crossentropy(g, smoothed(g, y_true, label_smoothing, False), y_pred, from_logits, axis)


@loss("sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    g: Graph, y_true: Any, y_pred: Any, from_logits: Any = False, ignore_class: Any = None, axis: Any = -1
) -> Node:
    """-log p at the class number."""
    return keras_nn.sparse_categorical_crossentropy(g, y_true, y_pred, from_logits, axis, ignore_class)


@loss("binary_focal_crossentropy")
def binary_focal_crossentropy(
    g: Graph,
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: Any = False,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: Any = False,
    label_smoothing: Any = 0.0,
    axis: Any = -1,
) -> Node:
    """The cross entropy times (1 - p_t)^gamma, where p_t is the probability of the true class."""
    y = smoothed(g, y_true, label_smoothing, True)
    p = g.op("sigmoid", y_pred) if flag(from_logits) else g.lift(y_pred)
    opposite = g.op("sub", 1.0, y)
    hit = g.op("add", g.op("mul", y, p), g.op("mul", opposite, g.op("sub", 1.0, p)))
    # Keras takes the cross entropy from the logits, which a sigmoid of its own remembers
    entropy = keras_nn.binary_crossentropy(g, y, y_pred if flag(from_logits) else p, from_logits)
    value = g.op("mul", g.op("pow", g.op("sub", 1.0, hit), gamma), entropy)
    if flag(apply_class_balancing):
        weight = g.op("add", g.op("mul", y, alpha), g.op("mul", opposite, g.op("sub", 1.0, alpha)))
        value = g.op("mul", weight, value)
    return mean(g, value, axis)


@loss("categorical_focal_crossentropy")
def categorical_focal_crossentropy(
    g: Graph,
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: Any = False,
    label_smoothing: Any = 0.0,
    axis: Any = -1,
) -> Node:
    """-sum(alpha (1 - p)^gamma y log p) over the classes."""
    y = smoothed(g, y_true, label_smoothing, False)
    at = constant_of(axis) if isinstance(constant_of(axis), int) else -1
    scores = g.op("softmax", y_pred, axis=(at,)) if flag(from_logits) else g.lift(y_pred)
    p = keras_nn.probabilities(g, scores, at)
    weight = g.op("mul", alpha, g.op("pow", g.op("sub", 1.0, p), gamma))
    value = g.op("mul", weight, g.op("mul", g.op("neg", y), g.op("log", p)))
    return g.op("sum", value, axis=(at,), keepdims=False)


@loss("kl_divergence", "kullback_leibler_divergence", "KLD", "kld")
def kl_divergence(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """sum(y log(y / p)), both clipped to [eps, 1]."""
    y, p = (g.op("clip", x, EPSILON, 1.0) for x in (y_true, y_pred))
    return reduced(g, "sum", g.op("mul", y, g.op("log", g.op("div", y, p))), -1)


@loss("categorical_generalized_cross_entropy")
def categorical_generalized_cross_entropy(g: Graph, y_true: Any, y_pred: Any, q: Any) -> Node:
    """(1 - p^q) / q with the probability p of the true class."""
    y, p = g.lift(y_true), g.lift(y_pred)
    hot = g.op("one_hot", y, depth=g.op("dynamic_dim", p, axis=-1), axis=-1, dtype="float32")
    chosen = reduced(g, "sum", g.op("mul", p, hot), -1)
    return g.op("div", g.op("sub", 1.0, g.op("pow", chosen, q)), q)


# -- hinges ------------------------------------------------------------------------------------------------------------
def _signs(g: Graph, y: Any) -> Node:
    """Labels -1 and 1; labels 0 and 1 are converted."""
    labels = g.lift(y)
    return g.op("join", g.op("sub", g.op("mul", 2.0, labels), 1.0), labels)


@loss("hinge")
def hinge(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean(max(1 - y p, 0))."""
    return mean(g, g.op("maximum", g.op("sub", 1.0, g.op("mul", _signs(g, y_true), y_pred)), 0.0))


@loss("squared_hinge")
def squared_hinge(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """mean(max(1 - y p, 0)^2)."""
    margin = g.op("maximum", g.op("sub", 1.0, g.op("mul", _signs(g, y_true), y_pred)), 0.0)
    return mean(g, g.op("square", margin))


@loss("categorical_hinge")
def categorical_hinge(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """max(best wrong class - true class + 1, 0)."""
    y, p = g.lift(y_true), g.lift(y_pred)
    true = reduced(g, "sum", g.op("mul", y, p), -1)
    wrong = reduced(g, "max", g.op("mul", g.op("sub", 1.0, y), p), -1)
    return g.op("maximum", g.op("add", g.op("sub", wrong, true), 1.0), 0.0)


# -- overlaps and embeddings -------------------------------------------------------------------------------------------
@loss("dice")
def dice(g: Graph, y_true: Any, y_pred: Any, axis: Any = None) -> Node:
    """1 - 2 sum(y p) / (sum(y) + sum(p) + eps), over everything where no axis is given."""
    y, p = g.lift(y_true), g.lift(y_pred)
    overlap = g.op("mul", 2.0, reduced(g, "sum", g.op("mul", y, p), axis))
    sizes = g.op("add", reduced(g, "sum", y, axis), reduced(g, "sum", p, axis))
    return g.op("sub", 1.0, g.op("div", overlap, g.op("add", sizes, EPSILON)))


@loss("tversky")
def tversky(g: Graph, y_true: Any, y_pred: Any, alpha: Any = 0.5, beta: Any = 0.5, axis: Any = None) -> Node:
    """1 - TP / (TP + alpha FP + beta FN + eps), over everything where no axis is given."""
    y, p = g.lift(y_true), g.lift(y_pred)
    hits = reduced(g, "sum", g.op("mul", y, p), axis)
    missed = g.op("mul", alpha, reduced(g, "sum", g.op("mul", y, g.op("sub", 1.0, p)), axis))
    false = g.op("mul", beta, reduced(g, "sum", g.op("mul", p, g.op("sub", 1.0, y)), axis))
    everything = g.op("add", g.op("add", hits, missed), g.op("add", false, EPSILON))
    return g.op("sub", 1.0, g.op("div", hits, everything))


@loss("circle")
def circle(
    g: Graph,
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: Any = True,
    gamma: Any = 80,
    margin: Any = 0.4,
) -> Node:
    """Every embedding against all of the batch: softplus(logsumexp of the positives + logsumexp of the negatives)."""
    p = g.lift(y_pred)
    others = p if ref_embeddings is None else ref_embeddings
    distance = g.op("relu", g.op("sub", 1.0, g.op("matmul", p, others, transpose_a=False, transpose_b=True)))
    labels = g.op("reshape", y_true, (-1, 1))
    same = g.op("eq", labels, g.op("reshape", y_true if ref_labels is None else ref_labels, (1, -1)))
    near = g.op("mul", g.op("add", distance, margin), g.op("sub", distance, margin))
    far = g.op("mul", g.op("relu", g.op("sub", 1.0 + EPSILON, distance)), g.op("sub", 1.0, distance))
    terms = [
        g.op("logsumexp", g.op("select", mask, g.op("mul", gamma, value), -math.inf), axis=(1,), keepdims=False)
        for mask, value in ((same, near), (g.op("not", same), far))
    ]
    return g.op("softplus", g.op("add", *terms))


@loss("ctc")
def ctc(g: Graph, y_true: Any, y_pred: Any) -> Node:
    """One number for each sequence."""
    return keras_nn.rowwise(g, "ctc", y_pred, y_true)


# -- objects -----------------------------------------------------------------------------------------------------------
MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "auto")


def reduced_loss(g: Graph, values: Any, sample_weight: Any, reduction: Any) -> Any:
    """Weighted losses as ``Loss.__call__`` returns them."""
    if not isinstance(values, Node):
        return values
    how = constant_of(reduction)
    how = how.lower() if isinstance(how, str) else how
    with g.library():
        if sample_weight is not None:
            values, weight = of_one_rank(g, values, sample_weight)
            values = g.op("mul", values, weight)
        if how in (None, "none"):
            return values
        if how == "sum":
            return g.op("sum", values, axis=None, keepdims=False)
        if how not in MEANS:
            return unknown(g, "a reduction that is not known", values, reduction)
        if how == "mean_with_sample_weight" and sample_weight is not None:
            total = g.op("sum", values, axis=None, keepdims=False)
            return g.op("div_no_nan", total, g.op("sum", weight, axis=None, keepdims=False))
        return g.op("mean", values, axis=None, keepdims=False)


def loss_object(
    title: str,
    function: Expansion,
    options: dict[str, Any],
    reduction: Any,
    name: Any,
    align: Align = wrapped,
) -> Callback:
    """An instance of a loss class; ``options`` are the further arguments of its function, which follows ``align``."""

    def unreduced(g: Graph, y_true: Any, y_pred: Any) -> Any:
        with g.library():
            y, p = align(g, y_true, y_pred)
        return function(g, y, p, **options)

    def call(g: Graph, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return reduced_loss(g, unreduced(g, y_true, y_pred), sample_weight, reduction)

    attributes = {"name": name, "reduction": reduction, "fn": Callback(title, function, {})}
    attributes["call"] = Callback(f"{title}.call", unreduced, {})
    attributes["get_config"] = Callback("get_config", lambda g: dict(options, name=name, reduction=reduction), {})
    return Callback(title, call, attributes | options)


def _loss_class(title: str, function_name: str, parameters: str) -> None:
    """Register the class ``title``; ``parameters`` are those of its constructor, with the defaults of the function."""
    function = CATALOGUE[f"keras.losses.{function_name}"]
    defaults = inspect.signature(function).parameters
    order: list[inspect.Parameter] = []
    for word in parameters.split():
        shared = {"reduction": "sum_over_batch_size", "name": function_name, "dtype": None}
        default = shared[word] if word in shared else defaults[word].default
        default = None if default is inspect.Parameter.empty else default
        order.append(inspect.Parameter(word, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
    signature = inspect.Signature(order)
    canonical = f"keras.losses.{title}"

    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        options = dict(bound.arguments)
        reduction, name = options.pop("reduction"), options.pop("name")
        options.pop("dtype")
        return loss_object(canonical, function, options, reduction, name)

    construct.__signature__ = signature  # type: ignore[attr-defined]
    under("keras.losses", title, construct)


_TAIL = "reduction name dtype"
_FOCAL = f"alpha gamma from_logits label_smoothing axis {_TAIL}"
for _title, _function, _parameters in (
    ("MeanSquaredError", "mean_squared_error", _TAIL),
    ("MeanAbsoluteError", "mean_absolute_error", _TAIL),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", _TAIL),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", _TAIL),
    ("Huber", "huber", f"delta {_TAIL}"),
    ("LogCosh", "log_cosh", _TAIL),
    ("Poisson", "poisson", _TAIL),
    ("CosineSimilarity", "cosine_similarity", f"axis {_TAIL}"),
    ("BinaryCrossentropy", "binary_crossentropy", f"from_logits label_smoothing axis {_TAIL}"),
    ("CategoricalCrossentropy", "categorical_crossentropy", f"from_logits label_smoothing axis {_TAIL}"),
    (
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        "from_logits ignore_class reduction axis name dtype",
    ),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", f"apply_class_balancing {_FOCAL}"),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", _FOCAL),
    ("CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", f"q {_TAIL}"),
    ("KLDivergence", "kl_divergence", _TAIL),
    ("Hinge", "hinge", _TAIL),
    ("SquaredHinge", "squared_hinge", _TAIL),
    ("CategoricalHinge", "categorical_hinge", _TAIL),
    ("Dice", "dice", "reduction name axis dtype"),
    ("Tversky", "tversky", "alpha beta reduction name axis dtype"),
    ("Circle", "circle", f"gamma margin remove_diagonal {_TAIL}"),
    ("CTC", "ctc", _TAIL),
):
    _loss_class(_title, _function, _parameters)


def wrapper_class(title: str, align: Align) -> Expansion:
    """``LossFunctionWrapper``: its instances are loss objects made of a function."""

    def construct(
        g: Graph, fn: Any, reduction: Any = "sum_over_batch_size", name: Any = None, dtype: Any = None, **kwargs: Any
    ) -> Callback:
        def function(g: Graph, y_true: Any, y_pred: Any, **options: Any) -> Any:
            return called(g, fn, y_true, y_pred, **options)

        return loss_object(title, function, kwargs, reduction, name, align)

    return construct


under(
    "keras.losses keras.losses.losses keras.losses.loss keras.utils.losses_utils",
    "LossFunctionWrapper MeanMetricWrapper",
    wrapper_class("keras.losses.LossFunctionWrapper", wrapped),
)


def loss_by_name(name: str) -> Callback | None:
    """The loss that ``compile(loss=name)`` uses, with its reduction over the batch; None where there is none."""
    for spelled in (name, name.lower()):
        found = CATALOGUE.get(f"keras.losses.{spelled}")
        if found is not None and _is_class(found):
            made: Callback = found(None)
            return made
        if found is not None and spelled not in ("get", "serialize", "deserialize"):
            return loss_object(f"keras.losses.{spelled}", found, {}, "sum_over_batch_size", name)
    return None


def _is_class(found: Expansion) -> bool:
    """Whether calling ``found`` makes a loss object."""
    return "reduction" in inspect.signature(found).parameters


def get(g: Graph, identifier: Any = None, custom_objects: Any = None) -> Any:
    """A loss function by its name; functions and objects stay what they are."""
    if not isinstance(identifier, str):
        return identifier
    name = f"keras.losses.{identifier}"
    found = CATALOGUE.get(name)
    if found is None:
        return Unknown((), f"the loss {identifier}")
    return found(g) if _is_class(found) else Callback(name, found, {})


under("keras.losses", "get deserialize", get)
under("keras.losses", "serialize", lambda g, loss: Unknown((), "the name of a loss"))
