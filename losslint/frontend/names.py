"""Canonical API names, and what the name of an argument or a function says about it.

Names are resolved from the text alone: TensorFlow's lazy loading defeats every tool that imports or infers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

_PREFIXES = [
    # (written, canonical); the first that matches is replaced, repeatedly
    ("tf.", "tensorflow."),
    ("tensorflow.compat.v1.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.v1.", "tensorflow."),
    ("tensorflow.python.keras.", "keras."),
    ("tensorflow.python.framework.ops.", "tensorflow."),
    ("tensorflow.python.framework.constant_op.", "tensorflow."),
    ("tensorflow.python.ops.math_ops.", "tensorflow."),
    ("tensorflow.python.ops.array_ops.", "tensorflow."),
    ("tensorflow.python.ops.nn_ops.", "tensorflow.nn."),
    ("tensorflow.python.ops.nn.", "tensorflow.nn."),
    ("tensorflow.python.ops.nn_impl.", "tensorflow.nn."),
    ("tensorflow.python.ops.clip_ops.", "tensorflow."),
    ("tensorflow.python.ops.linalg_ops.", "tensorflow.linalg."),
    ("tensorflow.python.ops.control_flow_ops.", "tensorflow."),
    ("tensorflow.python.ops.gen_array_ops.", "tensorflow."),
    ("tensorflow.python.ops.gen_nn_ops.", "tensorflow.nn."),
    ("tensorflow.python.ops.losses.losses_impl.", "tensorflow.losses."),
    ("tensorflow.python.ops.losses.losses.", "tensorflow.losses."),
    ("tensorflow.python.ops.losses.util.", "tensorflow.losses."),
    ("tensorflow.python.ops.confusion_matrix.", "tensorflow."),
    ("tensorflow.python.ops.state_ops.", "tensorflow."),
    ("tensorflow.python.ops.random_ops.", "tensorflow."),
    ("tensorflow.python.ops.sparse_ops.", "tensorflow."),
    ("tensorflow.python.ops.check_ops.", "tensorflow."),
    ("tensorflow.python.ops.sort_ops.", "tensorflow."),
    ("tensorflow.python.ops.map_fn.", "tensorflow."),
    ("tensorflow.python.ops.tensor_array_ops.", "tensorflow."),
    ("tensorflow.python.ops.variable_scope.", "tensorflow."),
    ("tensorflow.python.ops.variables.", "tensorflow."),
    ("tensorflow.python.ops.gradients_impl.", "tensorflow."),
    ("tensorflow.python.ops.image_ops.", "tensorflow.image."),
    ("tensorflow.python.ops.sets.set_", "tensorflow.sets."),
    ("tensorflow.python.ops.gen_math_ops.", "tensorflow."),
    ("tensorflow.keras.", "keras."),
    ("tensorflow.contrib.keras.", "keras."),
    ("tensorflow_core.", "tensorflow."),
    ("tf_keras.", "keras."),
    ("keras.api.", "keras."),
    ("keras._v2.keras.", "keras."),
    ("keras._tf_keras.keras.", "keras."),
    ("keras.backend.tf.", "tensorflow."),
    ("keras.src.", "keras."),
    ("keras.python.", "keras."),
    ("keras_core.", "keras."),
    ("tensorflow_probability.python.internal.tf_keras.", "keras."),
    ("tensorflow_probability.python.distributions.", "tensorflow_probability.distributions."),
    ("tensorflow_probability.python.bijectors.", "tensorflow_probability.bijectors."),
    ("tensorflow_probability.python.layers.", "tensorflow_probability.layers."),
]
_WHOLE = {
    # kernels take their arguments in another order, and return the gradient beside the loss
    **{
        f"tensorflow.python.ops.gen_nn_ops.{name}": f"tensorflow.raw_ops.{name}"
        for name in ("sparse_softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits")
    },
    "tf": "tensorflow",
    "tensorflow.compat.v1": "tensorflow",
    "tensorflow.compat.v2": "tensorflow",
    "tensorflow.keras": "keras",
    "tensorflow.python.keras": "keras",
    "tf_keras": "keras",
    "keras_core": "keras",
    "tensorflow_probability.python.internal.tf_keras": "keras",
    "keras.src": "keras",
    "keras.api": "keras",
    "keras.backend.tf": "tensorflow",
    "tensorflow.python.ops.math_ops": "tensorflow",
    "tensorflow.python.ops.array_ops": "tensorflow",
    "tensorflow.python.ops.nn": "tensorflow.nn",
    "tensorflow.python.ops.nn_ops": "tensorflow.nn",
}
FRAMEWORKS = ("tensorflow", "keras", "tensorflow_addons", "tensorflow_probability")
LIBRARIES = frozenset(
    (*FRAMEWORKS, "numpy", "math", "scipy", "functools", "typing", "builtins", "operator", "itertools", "torch", "jax")
)


_SHARED = r"keras\.backend\.(?:numpy|nn|math|core|linalg|image)\.(\w+)$"
"""How Keras 3 itself spells its operations. ``keras.backend.numpy.nn.softmax`` is one that works with NumPy only."""


@functools.lru_cache(maxsize=8192)
def canonical(name: str) -> str:
    """``tf.compat.v1.log`` -> ``tensorflow.log``, ``tensorflow.keras.losses.MSE`` -> ``keras.losses.MSE``."""
    for _ in range(4):
        if name in _WHOLE:
            name = _WHOLE[name]
        for written, replaced in _PREFIXES:
            if name.startswith(written):
                name = replaced + name[len(written) :]
                break
        else:
            break
    if name.startswith("keras.backend.tensorflow_backend."):
        name = "keras.backend." + name.removeprefix("keras.backend.tensorflow_backend.")
    shared = re.match(_SHARED, name)
    if shared is not None:
        return f"keras.ops.{shared[1]}"
    return "keras.backend" if name == "keras.backend.tensorflow_backend" else name


# Patterns are compiled when they are first asked for (re keeps them): a file without a loss needs few of them.

_LABEL = (
    r"(?i)"
    r"^(y|y_?true\d*|y_?t|true|y_?label|y_?gt|y_?truth|y_?actual|y_?batch|y_?train|ys|y_+|labels?|.*_labels?|label_\w+|targets?|.*_targets?"
    r"|target_\w+|gt|.*_gt|gts|gt_\w+|ground_?truths?\w*|actual|truth|trues?|.*_true|true_\w+|real|one_?hot\w*|real_(?:y|label)\w*"
    r"|expected|annotations?|t|y_tru|tgt|reference|ref|events?|durations?|y_true_\w+|correct_\w+)$"
)
_PREDICTED_MASK = (
    r"(?i)"
    r"^(y_?pred|pred|predicted|predictions?|output)_masks?$"
)
"""Masks that a network segments, which weight nothing."""
_PREDICTION = (
    r"(?i)"
    r"^(y_?pred\w*|y_?hat\w*|yhat|y_?p|y_?out\w*|y_?prob\w*|y_?logits?|preds?|.*_preds?|pred_\w+|predictions?|.*_predictions?"
    r"|predicted\w*|logits?|.*_logits?|logits?_\w+|outputs?|.*_outputs?|output_\w+|outs?|probs?|.*_probs?|probabilit\w+|p|q|pr"
    r"|hat|.*_hat|scores?|.*_scores?|fake\w*|.*_fake|recon\w*|.*_recon\w*|x_rec\w*|gen(?!erator)\w*|generated\w*|d_(?:real|fake)\w*|real_\w+"
    r"|embeddings?|.*_embeddings?|embs?|.*_embs?|.*_embeds?|features?|.*_features?|anchors?|positives?|negatives?|hidden\w*|z|z_\w+|mu|mus|mean|means|.*_mean"
    r"|log_?var\w*|.*_log_?var\w*|log_?sigma\w*|sigma|.*_sigma|variance|est\w*|x_?decoded\w*|similarit\w+|distances?|dists?|activations?)$"
)
_WEIGHT = (
    r"(?i)"
    r"^(sample_?weights?|.*mask\w*|masks?|weights?|w|pixel_weights?|weight_?maps?|.*_weights)$"
)
_CONFIG = (
    r"^(alpha|beta|gamma|delta|eps|epsilon|smooth\w*|margin|.*_margin|lambda_?\w*|lam|lamb|lmbda|coef\w*|.*_coef\w*|scale|factor|.*_factor"
    r"|temperature|temp|tau|power|axis|axes|dim|dims|reduction|name|from_logits|label_smoothing|num_\w+|n_\w+|.*_size|size|.*_rate|rate"
    r"|k|n|c|theta|rho|kappa|quantiles?|threshold|.*_threshold|.*_weight|max_\w+|min_\w+|use_\w+|is_\w+|with_\w+|normalize\w*|training"
    r"|depth|clip_\w+"
    r"|classes|.*_classes|nb_\w+|class_weights?|anchors_?\w*|config|cfg|params|args|hparams|hps|opts?|options|flags|FLAGS|mode|kwargs"
    r"|dtype|batch_?size|epochs?|ignore_\w+|.*_dim|.*_dims|height|width|img_\w+|image_size|ratio|.*_ratio|base_\w+|[a-z]|[A-Z][A-Z0-9_]*)$"
)
_MODEL = (
    r"(?i)"
    r"(model|net|network|encoder|decoder|generator|discriminator|critic|backbone|layers?|extractor|predictor|embedder|vgg\w*|"
    r"resnet\w*|classifier|gan|vae|unet|teacher|student|policy|actor|actor_critic|agent|module|mlp|cnn|rnn|lstm"
    r"|transformer|forward|head)\d*$"
)
_LOSS_NAME = (
    r"(?i)"
    r"(loss|cost|objective|cross_?entropy|xent|focal|tversky|\bbce|_bce|^bce|^cce|^mse$|^mae$|^nll|_nll|nll_|likelihood"
    r"|log_?lik|divergence|penalty|regulari[sz]|hinge|huber|wasserstein|lovasz|jaccard_distance|dssim|pinball|^kld?$|elbo|criterion|_distance$)"
)
_METRIC_NAME = (
    r"(?i)"
    r"(metric|accuracy|precision|recall|sensitivity|specificity|f1|f_?beta|f_?score|fmeasure|^auc|_auc|(^|_)acc($|_)|score($|_)"
    r"|(^|_)m?iou($|_)|dice($|_coef|_coeff|_hard|_metric|_score|_similarity)|coef($|_|f)|jaccard_?(index|coef)|psnr"
    r"|^ssim$|r2|r_square|top_?k|hamming|matthews|^tp$|^fp$|^fn$|^tn$|true_pos|false_pos|true_neg|false_neg|error_rate|evaluat|correct($|_)|^dsc$|confusion)"
)


_ABOUT = (
    r"(?i)"
    r"_(fn|func|function|callback|shape|shapes|size|names?|dtype|path|dir|file|spec|keys?)$"
)
"""What tells something about labels or predictions, or makes them, is none: ``true_fn``, ``output_shape``."""


@functools.lru_cache(maxsize=16384)
def role_of(name: str) -> str | None:
    """The role an argument's name suggests: "label", "prediction", "weight", "config", "model"; None for no role."""
    if name == "T":
        return "config"  # a temperature, or how many steps
    if is_label_name(name):
        return "label"
    if re.search(_ABOUT, name):
        return "config" if re.match(_CONFIG, name) else None
    if re.match(_PREDICTED_MASK, name):
        return "prediction"
    if re.match(_WEIGHT, name):
        return "weight"
    if re.match(_PREDICTION, name):
        return "prediction"
    if re.match(_CONFIG, name):
        return "config"
    if re.search(_MODEL, name):
        return "model"
    return None


@functools.lru_cache(maxsize=16384)
def is_label_name(name: str) -> bool:
    """Whether an argument of this name holds labels."""
    return bool(re.match(_LABEL, name)) and not re.search(_ABOUT, name)


def roles_of(names: Sequence[str]) -> list[str | None]:
    """The roles of the arguments of one function.

    Anchors without positives or negatives are boxes of a detector, no samples that others are compared with.
    """
    boxes = not any(name.startswith(("pos", "neg")) for name in names)
    return [None if boxes and name == "anchors" else role_of(name) for name in names]


def is_model_name(name: str) -> bool:
    """Whether a callable of this name is a model or a layer."""
    return bool(re.search(_MODEL, name))


@functools.lru_cache(maxsize=16384)
def is_loss_name(name: str) -> bool:
    """Whether a function of this name says that it is a loss."""
    return bool(re.search(_LOSS_NAME, name))


_SPELLED = (
    r"(?i)"
    r"^_?(y|y_.*|y(true|pred|hat)|.*_?(true|pred)(_.*)?|preds|gts?|pr)$"
)


def is_spelled_out(name: str) -> bool:
    """Whether an argument of this name is nothing but labels or predictions: ``y_true``, ``pred``, not ``features``."""
    return bool(re.match(_SPELLED, name))


@functools.lru_cache(maxsize=16384)
def is_metric_name(name: str) -> bool:
    """Whether a function of this name says that it only measures; a name that says loss wins.

    The Hamming and the zero-one loss count mistakes: they are losses to a statistician only.
    """
    if re.search(r"hamming|zero_one", name, re.IGNORECASE):
        return True
    return bool(re.search(_METRIC_NAME, name)) and not re.search(r"loss|cost|objective|entropy", name, re.IGNORECASE)
