"""What names that are gone are called now, as far as the tables do not tell: what computes the same under a new name.

``tests/apis/test_renames.py`` runs both names where both exist.
"""

from __future__ import annotations

from typing import NamedTuple

from losslint.apis.tables import ask, load
from losslint.targets import Target

_SAME_IN_OPS = """
abs all any arange cast cos cumprod elu equal exp eye greater greater_equal less less_equal log logsumexp max maximum
mean min minimum ndim not_equal one_hot ones_like prod relu reshape round sigmoid sign sin softmax softplus softsign
sqrt square squeeze stack std stop_gradient sum tanh tile transpose var zeros_like binary_crossentropy
categorical_crossentropy sparse_categorical_crossentropy ones zeros clip dot expand_dims shape argmax argmin concatenate
cumsum
""".split()
"""Functions of ``keras.backend`` that ``keras.ops`` has under the same name."""

_BY_HAND = dict(
    line.split()
    for line in """
keras.backend.pow keras.ops.power
keras.backend.permute_dimensions keras.ops.transpose
keras.backend.repeat_elements keras.ops.repeat
keras.backend.map_fn keras.ops.map
keras.backend.random_normal keras.random.normal
keras.backend.random_uniform keras.random.uniform
keras.backend.truncated_normal keras.random.truncated_normal
tensorflow.mul tensorflow.multiply
tensorflow.sub tensorflow.subtract
tensorflow.neg tensorflow.negative
tensorflow.pack tensorflow.stack
tensorflow.unpack tensorflow.unstack
tensorflow.select tensorflow.where
tensorflow.div tensorflow.math.divide
tensorflow.batch_matmul tensorflow.matmul
tensorflow.arg_max tensorflow.argmax
tensorflow.arg_min tensorflow.argmin
tensorflow.nn.softmax_cross_entropy_with_logits_v2 tensorflow.nn.softmax_cross_entropy_with_logits
tensorflow.keras.losses.log_cosh tensorflow.keras.losses.logcosh
tensorflow.keras.losses.kl_divergence tensorflow.keras.losses.KLD
tensorflow.keras.metrics.kl_divergence tensorflow.keras.metrics.KLD
""".strip().splitlines()
) | {f"keras.backend.{name}": f"keras.ops.{name}" for name in _SAME_IN_OPS}

OTHER_DEFAULTS = {
    "keras.ops.argmax": "axis=-1",
    "keras.ops.argmin": "axis=-1",
    "keras.ops.concatenate": "axis=-1",
    "keras.ops.cumprod": "axis=0",
    "keras.ops.cumsum": "axis=0",
    "keras.ops.expand_dims": "axis=-1",
}
"""What the old function took for granted and the new one does not."""

OTHER_NUMBERS = {
    "keras.backend.binary_crossentropy": "from_logits",  # each logarithm had another epsilon: log 2 less at 0 and 1
}
"""What computed something else, unless it was given this keyword as True."""

_NEVER = (1, 0)
SAME_PLACES: dict[str, tuple[int, int]] = {
    # TensorFlow's own
    **dict.fromkeys(("tensorflow.arg_max", "tensorflow.arg_min"), (2, 2)),
    "tensorflow.div": _NEVER,  # whole numbers were divided without a remainder
    "tensorflow.select": _NEVER,  # a vector chose whole rows
    "tensorflow.batch_matmul": _NEVER,
    # those of keras.backend
    **{
        f"keras.backend.{name}": places
        for name, places in {
            **dict.fromkeys("argmax argmin concatenate cumprod cumsum expand_dims map_fn".split(), (2, 2)),
            **dict.fromkeys("ones zeros ones_like zeros_like".split(), (1, 2)),
            **dict.fromkeys("eye relu".split(), (1, 1)),
            "sparse_categorical_crossentropy": (2, 4),
            "shape": _NEVER,  # a tensor then, a tuple now
        }.items()
    },
}
"""Where defaults or the order of arguments changed with the name: how many a call has to give for it to mean the same,
and how many of them at most by position."""


class Call(NamedTuple):
    """What computes the same with so many ``arguments`` and an ``extra`` one behind them."""

    function: str
    arguments: int
    extra: str


_CALLS = {
    **{
        f"tensorflow.to_{name}": Call("tensorflow.cast", 1, f"tensorflow.{dtype}")
        for name, dtype in {"float": "float32", "double": "float64", "int32": "int32", "int64": "int64"}.items()
    },
    "keras.backend.flatten": Call("keras.ops.reshape", 1, "[-1]"),
    "keras.backend.gather": Call("keras.ops.take", 2, "axis=0"),
}


def call_now(name: str) -> Call | None:
    """The call in whose place ``name`` stood; None where nothing is known."""
    return _CALLS.get(name)


_HELP = {
    "tensorflow.contrib": "tf.contrib was removed with TensorFlow 2",
    "tensorflow.to_float": "write tf.cast(x, tf.float32)",
    "tensorflow.to_double": "write tf.cast(x, tf.float64)",
    "tensorflow.to_int32": "write tf.cast(x, tf.int32)",
    "tensorflow.to_int64": "write tf.cast(x, tf.int64)",
    "keras.losses.Reduction": 'reductions are strings now: "sum_over_batch_size", "sum", "none"',
    "keras.objectives": "the losses are in keras.losses",
    "keras.backend.flatten": "write keras.ops.reshape(x, [-1])",
    "keras.backend.batch_flatten": "write keras.ops.reshape(x, [keras.ops.shape(x)[0], -1])",
    "keras.backend.int_shape": "write tuple(x.shape)",
    "keras.backend.gather": "write keras.ops.take(x, indices, axis=0)",
    "keras.backend.l2_normalize": "write keras.ops.normalize(x, axis=axis), whose axis is the last one by default",
    "keras.backend.switch": "write keras.ops.where(condition, x, y)",
    "keras.backend.get_session": "Keras has no sessions any more",
}
_KEYWORDS = {
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "dim": "axis",
    "dimension": "axis",
    "concat_dim": "axis",
    "squeeze_dims": "axis",
    "seq_dim": "seq_axis",
    "min_value": "x_min",
    "max_value": "x_max",
}


class WayOut(NamedTuple):
    """What to use instead: ``name`` is the new one, dotted, "" where there is none; ``help`` says more."""

    name: str = ""
    help: str = ""


def way_out(name: str, target: Target, legacy: bool = False) -> WayOut:
    """What the missing ``name`` is called in ``target``."""
    for candidate in [] if _is_of_both(name, target) else _candidates(name):
        answer = ask(candidate, target, legacy)
        if answer is not None and answer.missing is None:
            return WayOut(candidate, _difference(name, candidate))
    parts = name.split(".")
    if _is_of_both(name, target):
        short = ".".join(parts[1:])
        return WayOut("", f"TensorFlow 1's is tf.compat.v1.{short} now, that of Keras is another one")
    known = (".".join(parts[:n]) for n in range(len(parts), 1, -1))
    return WayOut("", next((_HELP[k] for k in known if k in _HELP), ""))


def _difference(old: str, new: str) -> str:
    """What to mind where ``new`` is written for ``old``."""
    if old in OTHER_NUMBERS:
        return f"its numbers are other ones near 0 and 1, but for {OTHER_NUMBERS[old]}=True"
    return f"its default was {OTHER_DEFAULTS[new]}" if new in OTHER_DEFAULTS else ""


def _is_of_both(name: str, target: Target) -> bool:
    """Whether ``name`` was one function in TensorFlow 1 and another one in TensorFlow 2: ``tf.losses.hinge``."""
    top, _, rest = name.partition(".")
    if top != "tensorflow" or not rest.startswith(("losses.", "metrics.")):
        return False
    before = ask(f"tensorflow.compat.v1.{rest}", target)
    return before is not None and before.missing is None


def _candidates(name: str) -> list[str]:
    """New names, the best first."""
    found = [_BY_HAND.get(name, ""), load().renames.get(name, "")]
    if name in _HELP:
        return []
    top, _, rest = name.partition(".")
    if top == "tensorflow":
        found.append(load().renames.get(f"tensorflow.keras.{rest}", ""))
        if not rest.startswith(("keras", "compat", "contrib")):
            found.append(f"tensorflow.compat.v1.{rest}")
    if name.startswith("keras.objectives."):
        found.append(name.replace("objectives", "losses"))
    return [f for f in found if f]


def keyword_now(keyword: str, accepted: frozenset[str]) -> str:
    """What ``keyword`` is called now; "" where nothing is known."""
    new = _KEYWORDS.get(keyword, "")
    return new if new in accepted else ""
