"""Libraries around TensorFlow: tensorflow_addons, segmentation_models, tensorflow_similarity, SciPy, scikit-learn."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import SCALAR, Dim, Shape
from losslint.graph import Graph, Node
from losslint.ops.axes import constant_of, flag, nodes_in, reduced
from losslint.ops.catalogue import keras_losses, keras_metrics, keras_models, keras_nn, tf_contrib
from losslint.ops.catalogue.arguments import contrast, of_x, samplewise, smooth_of_x, table, under
from losslint.ops.catalogue.keras_losses import as_they_come, loss_object, wrapper_class
from losslint.ops.catalogue.tf_control import structured
from losslint.ops.origins import from_tensors
from losslint.ops.registry import Callback, Expansion, api

ADDONS = "tensorflow_addons.losses"


# -- tensorflow_addons -------------------------------------------------------------------------------------------------
def sigmoid_focal_crossentropy(
    g: Graph, y_true: Any, y_pred: Any, alpha: Any = 0.25, gamma: Any = 2.0, from_logits: Any = False
) -> Node:
    """The *sum* over the last axis of alpha_t (1 - p_t)^gamma times the cross entropy."""
    y, p = g.lift(y_true), g.lift(y_pred)
    with g.library():
        entropy = keras_nn.binary_crossentropy(g, y, p, from_logits)
        sure = g.op("sigmoid", p) if flag(from_logits) else p
        opposite = g.op("sub", 1.0, y)
        hit = g.op("add", g.op("mul", y, sure), g.op("mul", opposite, g.op("sub", 1.0, sure)))
        value = g.op("mul", g.op("pow", g.op("sub", 1.0, hit), gamma), entropy)
        if constant_of(alpha) is not None:
            weight = g.op("add", g.op("mul", y, alpha), g.op("mul", opposite, g.op("sub", 1.0, alpha)))
            value = g.op("mul", weight, value)
        return reduced(g, "sum", value, -1)


def pinball_loss(g: Graph, y_true: Any, y_pred: Any, tau: Any = 0.5) -> Node:
    """mean(max(tau (y - p), (tau - 1) (y - p)))."""
    with g.library():
        delta = g.op("sub", y_true, y_pred)
        worse = g.op("maximum", g.op("mul", tau, delta), g.op("mul", g.op("sub", tau, 1.0), delta))
        return keras_losses.mean(g, worse)


def contrastive_loss(g: Graph, y_true: Any, y_pred: Any, margin: Any = 1.0) -> Node:
    """y d^2 + (1 - y) max(margin - d, 0)^2, elementwise."""
    y, d = g.lift(y_true), g.lift(y_pred)
    with g.library():
        far = g.op("square", g.op("maximum", g.op("sub", margin, d), 0.0))
        return g.op("add", g.op("mul", y, g.op("square", d)), g.op("mul", g.op("sub", 1.0, y), far))


def giou_loss(g: Graph, y_true: Any, y_pred: Any, mode: Any = "giou") -> Node:
    """1 - GIoU of each pair of boxes."""
    return samplewise(g, "giou", reduced(g, "sum", y_pred, -1).shape, y_pred, y_true, low=0.0, high=2.0)


def sparsemax_loss(g: Graph, logits: Any, sparsemax: Any, labels: Any, name: Any = None) -> Node:
    """One number for each sample."""
    shape = reduced(g, "sum", logits, -1).shape
    return samplewise(g, "sparsemax_loss", shape, logits, sparsemax, labels, low=0.0, high=math.inf)


def _sparsemax_of_logits(g: Graph, y_true: Any, y_pred: Any, from_logits: Any = True) -> Node:
    """The same, of logits alone."""
    return sparsemax_loss(g, y_pred, y_pred, y_true)


def of_batch(label: str, low: float | None = 0.0) -> Callable[..., Node]:
    """A loss of the whole batch, whose samples are compared with one another."""

    def expansion(g: Graph, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Node:
        return contrast(g, label, SCALAR, y_pred, y_true, args, kwargs, low=low, high=None if low is None else math.inf)

    return expansion


def against_batch(label: str) -> Callable[..., Node]:
    """One number for each sample, which is compared with the others of the batch."""

    def expansion(g: Graph, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Node:
        first = g.lift(y_pred).shape.axis(0)
        return contrast(g, label, Shape((first or Dim.unknown(),)), y_pred, y_true, args, kwargs)

    return expansion


def _class_of(
    function: Expansion, title: str, parameters: str = "", reduction: str = "sum_over_batch_size"
) -> Expansion:
    """The class whose objects compute ``function``; ``parameters`` are those of its constructor, where they differ."""
    names = parameters.split() or list(inspect.signature(function).parameters)[3:]
    usual = reduction

    def construct(
        g: Graph, *args: Any, reduction: Any = usual, name: Any = None, dtype: Any = None, **kwargs: Any
    ) -> Callback:
        options = dict(zip(names, args, strict=False)) | kwargs
        return loss_object(title, function, options, reduction, name, as_they_come)

    return construct


under(
    "tensorflow_addons.utils.keras_utils",
    "LossFunctionWrapper MeanMetricWrapper",
    wrapper_class("tensorflow_addons.utils.keras_utils.LossFunctionWrapper", as_they_come),
)
_ADDONS: dict[str, tuple[Expansion, str]] = {
    "pinball_loss": (pinball_loss, "PinballLoss"),
    "contrastive_loss": (contrastive_loss, "ContrastiveLoss"),
    "giou_loss": (giou_loss, "GIoULoss"),
    "npairs_loss": (of_batch("npairs_loss"), "NpairsLoss"),
    "npairs_multilabel_loss": (of_batch("npairs_multilabel_loss"), "NpairsMultilabelLoss"),
    "lifted_struct_loss": (of_batch("lifted_struct_loss"), "LiftedStructLoss"),
    "triplet_semihard_loss": (of_batch("triplet_semihard_loss"), "TripletSemiHardLoss"),
    "triplet_hard_loss": (of_batch("triplet_hard_loss"), "TripletHardLoss"),
    "weighted_kappa_loss": (of_batch("weighted_kappa_loss", None), "WeightedKappaLoss"),
}
for _name, (_function, _class) in _ADDONS.items():
    under(ADDONS, _name, _function)
    under(ADDONS, _class, _class_of(_function, f"{ADDONS}.{_class}"))
under(ADDONS, "sparsemax_loss", sparsemax_loss)
under(ADDONS, "SparsemaxLoss", _class_of(_sparsemax_of_logits, f"{ADDONS}.SparsemaxLoss"))
under(ADDONS, "sigmoid_focal_crossentropy", sigmoid_focal_crossentropy)
_FOCAL = f"{ADDONS}.SigmoidFocalCrossEntropy"  # one number for each sample, unless told otherwise
under(
    ADDONS, "SigmoidFocalCrossEntropy", _class_of(sigmoid_focal_crossentropy, _FOCAL, "from_logits alpha gamma", "none")
)


def pairwise_distance(g: Graph, feature: Any, squared: Any = False) -> Node:
    """The distance of every row to every row: (B, B)."""
    x = g.lift(feature)
    with g.library():
        gap = g.op("sub", g.op("expand_dims", x, axis=1), g.op("expand_dims", x, axis=0))
        square = g.op("sum", g.op("square", gap), axis=(-1,), keepdims=False)
        return square if flag(squared) else g.op("sqrt", g.op("maximum", square, 1e-16))


def crf_log_likelihood(
    g: Graph, inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any = None
) -> Any:
    """(one number for each sequence, the transitions)."""
    if transition_params is None:
        transition_params = g.source("transitions", "variable", Shape.unknown())
    shape = Shape((g.lift(inputs).shape.axis(0) or Dim.unknown(),))
    inside = (inputs, tag_indices, sequence_lengths, transition_params)
    return samplewise(g, "crf_log_likelihood", shape, *inside, high=0.0), transition_params


under(f"{ADDONS}.metric_learning tensorflow.contrib.losses.metric_learning", "pairwise_distance", pairwise_distance)
under("tensorflow_addons.seq2seq tensorflow_addons.seq2seq.loss", "sequence_loss", tf_contrib.sequence_loss)
under("tensorflow_addons.text tensorflow.contrib.crf", "crf_log_likelihood", crf_log_likelihood)
for _name in ("triplet_semihard_loss", "npairs_loss", "lifted_struct_loss"):
    under("tensorflow.contrib.losses.metric_learning", _name, of_batch(_name))
table(
    "tensorflow_addons.activations",
    {
        "gelu": keras_nn.gelu,
        "mish": smooth_of_x("mish", -0.30885, math.inf),
        "softshrink": keras_nn.shrunk(True),
        "hardshrink": keras_nn.shrunk(False),
        "tanhshrink": smooth_of_x("tanhshrink", -math.inf, math.inf),
        "lisht": smooth_of_x("lisht", 0.0, math.inf),
        "snake": smooth_of_x("snake", -math.inf, math.inf),
        "sparsemax": keras_nn.sparsemax,
    },
)
_METRICS = (
    "CohenKappa F1Score FBetaScore HammingLoss KendallsTauB MatthewsCorrelationCoefficient MultiLabelConfusionMatrix "
    "PearsonsCorrelation RSquare SpearmansRank"
)
for _name in _METRICS.split():
    under("tensorflow_addons.metrics", _name, keras_metrics.metric_object(f"tensorflow_addons.metrics.{_name}"))


# -- segmentation_models: losses that can be added and multiplied ------------------------------------------------------
def _segmentation(title: str, shape_of: Callable[[Graph, Any], Shape]) -> Expansion:
    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        def call(g: Graph, gt: Any, pr: Any) -> Node:
            return contrast(g, title, shape_of(g, pr), pr, gt, low=0.0, high=math.inf)

        return Callback(title, call, {"name": title})

    return construct


def _scalar(g: Graph, x: Any) -> Shape:
    return SCALAR


def _without_classes(g: Graph, x: Any) -> Shape:
    return reduced(g, "sum", x, -1).shape


SEGMENTATION = "segmentation_models.losses"
for _class in ("DiceLoss", "JaccardLoss", "CategoricalCELoss", "CategoricalFocalLoss", "BinaryFocalLoss"):
    under(SEGMENTATION, _class, _segmentation(f"{SEGMENTATION}.{_class}", _scalar))
# this one is Keras's, reduced over the last axis only
under(SEGMENTATION, "BinaryCELoss", _segmentation(f"{SEGMENTATION}.BinaryCELoss", _without_classes))
under(
    SEGMENTATION,
    "dice_loss jaccard_loss binary_focal_loss categorical_focal_loss categorical_crossentropy bce_dice_loss "
    "bce_jaccard_loss cce_dice_loss cce_jaccard_loss binary_focal_dice_loss binary_focal_jaccard_loss "
    "categorical_focal_dice_loss categorical_focal_jaccard_loss",
    lambda g, gt, pr: contrast(g, SEGMENTATION, SCALAR, pr, gt, low=0.0, high=math.inf),
)
for _class in ("IOUScore", "FScore", "Precision", "Recall"):
    under("segmentation_models.metrics", _class, _segmentation(f"segmentation_models.metrics.{_class}", _scalar))


def _network(g: Graph, *args: Any, **kwargs: Any) -> Callback:
    return keras_models.loaded(g)


under("segmentation_models", "Unet FPN Linknet PSPNet", _network)


# -- tensorflow_similarity ---------------------------------------------------------------------------------------------
_SIMILARITY = (
    "TripletLoss MultiSimilarityLoss CircleLoss PNLoss SoftNearestNeighborLoss SimSiamLoss SimCLRLoss Barlow VicReg "
    "MetricLoss"
)
for _class in _SIMILARITY.split():
    _function = against_batch(_class) if _class in ("SimSiamLoss", "SimCLRLoss") else of_batch(_class, None)
    under("tensorflow_similarity.losses", _class, _class_of(_function, f"tensorflow_similarity.losses.{_class}"))


# -- out of TensorFlow -------------------------------------------------------------------------------------------------
def leaving(spelled: str, expansion: Expansion) -> Expansion:
    """A function of arrays: what came from a tensor has left the graph."""

    def call(g: Graph, *args: Any, **kwargs: Any) -> Any:
        if not from_tensors(args, kwargs):
            return expansion(g, *args, **kwargs)
        with g.library():
            result = expansion(g, *args, **kwargs)
        return structured(lambda leaf: g.op("leaves_tensorflow", leaf, how=spelled), result)

    return call


def _some_array(g: Graph, *args: Any, **kwargs: Any) -> Node:
    return g.opaque(dict.fromkeys(nodes_in(args, kwargs)), "a function of arrays")


def _probabilities(g: Graph, x: Any, axis: Any = None) -> Node:
    return keras_nn.softmax("softmax")(g, x, axis)


_ELEMENTWISE: dict[str, Expansion] = {
    "special.expit": of_x("sigmoid"),
    "special.logit": lambda g, x: g.op("log", g.op("div", x, g.op("sub", 1.0, x))),
    "special.softmax": _probabilities,
    "special.log_softmax": lambda g, x, axis=None: keras_nn.softmax("log_softmax")(g, x, axis),
    "special.logsumexp": lambda g, a, axis=None, b=None, keepdims=False: reduced(g, "logsumexp", a, axis, keepdims),
    "special.gammaln": of_x("lgamma"),
    "special.digamma": of_x("digamma"),
    "special.erf": of_x("erf"),
    "special.xlogy": lambda g, x, y: g.op("xlogy", x, y),
}
for _name, _expansion in _ELEMENTWISE.items():
    api(f"scipy.{_name}")(leaving(f"scipy.{_name}", _expansion))
_SCIPY = (
    "stats.pearsonr stats.spearmanr stats.kendalltau stats.norm.pdf stats.norm.cdf stats.entropy "
    "stats.wasserstein_distance "
    "spatial.distance.cdist spatial.distance.pdist spatial.distance.squareform spatial.distance.cosine "
    "spatial.distance.euclidean spatial.distance.dice spatial.distance.jaccard spatial.distance.directed_hausdorff "
    "ndimage.distance_transform_edt ndimage.distance_transform_cdt ndimage.gaussian_filter ndimage.label "
    "ndimage.binary_erosion ndimage.binary_dilation ndimage.zoom ndimage.sobel ndimage.median_filter ndimage.convolve "
    "optimize.linear_sum_assignment optimize.minimize signal.convolve2d linalg.sqrtm linalg.norm linalg.inv"
)
_SKLEARN = (
    "roc_auc_score accuracy_score f1_score log_loss mean_squared_error mean_absolute_error r2_score precision_score "
    "recall_score confusion_matrix average_precision_score roc_curve auc cohen_kappa_score matthews_corrcoef "
    "jaccard_score pairwise.cosine_similarity pairwise.euclidean_distances pairwise.rbf_kernel mutual_info_score "
    "balanced_accuracy_score"
)
for _name in _SCIPY.split():
    api(f"scipy.{_name}")(leaving(f"scipy.{_name}", _some_array))
for _name in _SKLEARN.split():
    api(f"sklearn.metrics.{_name}")(leaving(f"sklearn.metrics.{_name}", _some_array))
for _name in ("structural_similarity", "peak_signal_noise_ratio"):
    api(f"skimage.metrics.{_name}")(leaving(f"skimage.metrics.{_name}", _some_array))
