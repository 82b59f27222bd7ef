"""LL510-LL513: a function is handed what it takes for something else, or refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken, written
from losslint.findings import Severity
from losslint.graph import Node, Site, alternatives, ancestors
from losslint.interpreter.values import Function
from losslint.loss import Happening, Loss, flatten
from losslint.ops.elementtypes import WEAK, clash, is_floating, promotes
from losslint.ops.gradients import SHAPE_ONLY


class _Slots(NamedTuple):
    """How a library's loss names its labels and predictions, in its order."""

    labels: str
    predictions: str
    symmetric: bool = False  # or nearly so: the order changes no gradient that matters


_KERAS = _Slots("y_true", "y_pred")
_BACKEND = _Slots("target", "output")
_LOGITS = _Slots("labels", "logits")
_CROSS = "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy"
_ORDERED = (
    f"{_CROSS} binary_focal_crossentropy categorical_focal_crossentropy kl_divergence kullback_leibler_divergence KLD "
    "kld poisson mean_absolute_percentage_error MAPE mape BinaryCrossentropy CategoricalCrossentropy KLDivergence "
    "SparseCategoricalCrossentropy BinaryFocalCrossentropy CategoricalFocalCrossentropy Poisson "
    "MeanAbsolutePercentageError"
)
_EVEN = (
    "mean_squared_error MSE mse mean_absolute_error MAE mae huber huber_loss log_cosh logcosh cosine_similarity "
    "mean_squared_logarithmic_error MSLE msle MeanSquaredError MeanAbsoluteError Huber LogCosh CosineSimilarity "
    "MeanSquaredLogarithmicError hinge squared_hinge Hinge SquaredHinge dice Dice"
)
_SLOTS: dict[str, _Slots] = {
    **{f"keras.losses.{name}": _KERAS for name in _ORDERED.split()},
    **{f"keras.losses.{name}": _KERAS._replace(symmetric=True) for name in _EVEN.split()},
    **{f"keras.backend.{name}": _BACKEND for name in _CROSS.split()},
    **{f"keras.ops.{name}": _BACKEND for name in _CROSS.split()},
    **{
        f"tensorflow.nn.{name}": _LOGITS
        for name in (
            *("sigmoid_cross_entropy_with_logits", "softmax_cross_entropy_with_logits"),
            *("softmax_cross_entropy_with_logits_v2", "sparse_softmax_cross_entropy_with_logits"),
            "weighted_cross_entropy_with_logits",
        )
    },
}
_ON_PURPOSE = re.compile(r"reverse|symm|consist|distil|adversarial|vat\b|mutual|jensen|js_?d|teacher|student", re.I)
"""Names of losses that compare two predictions, or both ways round."""
_CERTAIN_LABEL = re.compile(r"^(y|y_?true|true|labels?|y_?label|targets?|y_?gt|ground_?truth|gt)$", re.I)
_CERTAIN_PREDICTION = re.compile(r"^(y_?pred|y_?hat|pred|preds|predictions?|predicted|logits|y_?prob|probs)$", re.I)


@check("LL510")
def swapped_arguments(loss: Loss) -> Iterator[Draft]:
    """The labels stand where predictions are expected, and the predictions where labels are."""
    calls = [
        (happening, slots, *_given(happening, slots))
        for happening in loss.happenings
        if isinstance(happening.result, Node)
        for slots in (_slots(happening),)
        if slots is not None
    ]
    upright = [
        happening.result
        for happening, _, labels, outputs in calls
        if _role(labels) == "label" and _role(outputs) == "prediction"
    ]
    for happening, slots, labels, outputs in calls:
        if _role(labels) != "prediction" or _role(outputs) != "label":
            continue
        both = not all(_instead(loss, happening, other) for other in upright)
        meant = both or _logs_prediction(loss, happening) or bool(_ON_PURPOSE.search(loss.name))
        first, second = _name(labels), _name(outputs)
        named = bool(_CERTAIN_PREDICTION.match(first) and _CERTAIN_LABEL.match(second))
        lenient = slots.symmetric or meant or loss.is_metric or not (named or loss.consumer.proven)
        yield Draft(
            "LL510",
            Severity.INFO if lenient else Severity.ERROR,
            f"{written(happening.name)} gets {first} as {slots.labels} and {second} as {slots.predictions}",
            happening.site,
            fact=f"{slots.labels}={first}, {slots.predictions}={second}",
            help=f"pass them by name: {slots.labels}={second}, {slots.predictions}={first}",
            fault=happening.result,
            data={"slots": (slots.labels, slots.predictions)},
        )


def _instead(loss: Loss, happening: Happening, other: Node) -> bool:
    """Whether shapes decide between a call and ``other``: nobody means one order for some shapes only."""
    asked = (h.args[0] for h in loss.happenings if h.kind == "branch")
    by_shape = all(not _sources(condition) for condition in asked)
    return by_shape and alternatives(happening.result, other, loss.graph.nodes)


def _slots(happening: Happening) -> _Slots | None:
    """How what is called names its labels and predictions; None where it does not say so in these words.

    What a function of the user's computes may be the same for both orders: only who names both has said which is which.
    """
    if happening.kind == "call":
        return _SLOTS.get(happening.name)
    if happening.kind not in ("inlined", "unfollowed"):
        return None
    named = next((s for s in (_KERAS, _BACKEND, _LOGITS) if {s.labels, s.predictions} <= happening.kwargs.keys()), None)
    if named is not None or happening.kind == "unfollowed":
        return named
    callee = happening.callee
    if not isinstance(callee, Function):  # a part of its arguments is given already
        return None
    params = callee.tree.params
    names = [p.name.value for p in (*params.posonly_params, *params.params)][callee.bound is not None :][:2]
    told = len(names) == 2 and _CERTAIN_LABEL.match(names[0]) and _CERTAIN_PREDICTION.match(names[1])
    return _Slots(names[0], names[1], symmetric=True) if told else None


def _given(happening: Happening, slots: _Slots) -> tuple[Any, Any]:
    """What was passed as labels and as predictions."""
    args = (*happening.args, None, None)
    return (
        happening.kwargs.get(slots.labels, args[0]),
        happening.kwargs.get(slots.predictions, args[0 if slots.labels in happening.kwargs else 1]),
    )


def _sources(value: Any) -> list[Node]:
    """The sources, and models, whose values go into ``value``; its shape alone does not count."""
    found: dict[int, Node] = {}
    todo, seen = [value] if isinstance(value, Node) else [], set()
    while todo:
        node = todo.pop()
        if node.id in seen or node.op in SHAPE_ONLY:
            continue
        seen.add(node.id)
        if node.op in ("source", "model", "opaque"):
            found[node.id] = node
        else:
            todo.extend(node.inputs)
    return [found[number] for number in sorted(found)]


def _role(value: Any) -> str | None:
    """ "label" or "prediction" where ``value`` is computed from such alone."""
    roles = {node.attrs.get("role") for node in _sources(value)} - {"config"}
    return roles.pop() if len(roles) == 1 and roles <= {"label", "prediction"} else None


def _name(value: Any) -> str:
    """The label or prediction that ``value`` is computed from."""
    return next(spoken(node) for node in _sources(value) if node.attrs.get("role") in ("label", "prediction"))


def _logs_prediction(loss: Loss, happening: Happening) -> bool:
    """Whether something else takes the logarithm of a prediction, as a cross entropy the right way round does."""
    return any(
        node.op in ("log", "log1p", "log_softmax", "log_sigmoid", "xlogy")
        and (node.site is None or node.site.tree is not happening.site.tree)
        and _role(node.inputs[-1]) == "prediction"
        and not _instead(loss, happening, node)
        for node in loss.graph.nodes
    )


def _table(names: str, position: int, keyword: str) -> dict[str, tuple[int, str]]:
    return dict.fromkeys(names.split(), (position, keyword))


_INDICES: dict[str, tuple[int, str]] = (
    _table("tensorflow.one_hot keras.backend.one_hot tensorflow.scatter_nd keras.ops.scatter", 0, "indices")
    | _table("tensorflow.gather tensorflow.gather_nd keras.backend.gather keras.ops.take", 1, "indices")
    | _table("tensorflow.tensor_scatter_nd_update tensorflow.tensor_scatter_nd_add", 1, "indices")
    | _table("tensorflow.nn.sparse_softmax_cross_entropy_with_logits", 0, "labels")
    | _table("tensorflow.nn.embedding_lookup", 1, "ids")
    | _table("tensorflow.math.segment_sum tensorflow.math.segment_mean tensorflow.segment_sum", 1, "segment_ids")
    | _table("tensorflow.math.unsorted_segment_sum tensorflow.math.unsorted_segment_mean", 1, "segment_ids")
    | _table("tensorflow.math.unsorted_segment_max keras.ops.segment_sum keras.ops.segment_max", 1, "segment_ids")
    | _table("tensorflow.math.in_top_k tensorflow.nn.in_top_k keras.ops.in_top_k", 0, "targets")
    | _table("tensorflow.dynamic_partition", 1, "partitions")
    | _table("tensorflow.repeat keras.ops.repeat", 1, "repeats")
)
"""Functions that refuse floating indices, with the place of these (measured)."""


@check("LL511")
def float_label_index(loss: Loss) -> Iterator[Draft]:
    """Labels, which Keras 3 casts to float32, index something."""
    if loss.keras != "3" or not loss.for_keras or (loss.called and not loss.consumer.proven):
        return
    said: set[int] = set()
    for what, value, place, data in _indexing(loss):
        labels = [n for n in _sources(value) if n.attrs.get("role") == "label"]
        if not labels or not is_floating(loss.element_types.of(value)) or id(place.tree) in said:
            continue
        said.add(id(place.tree))
        name = spoken(labels[0])
        yield Draft(
            "LL511",
            Severity.ERROR,
            f"{what} wants integers, but Keras 3 casts {name} to float32 before it calls a loss",
            place,
            fact=f"{name}: float32",
            help=f"cast it first: tf.cast({name}, tf.int32)",
            fault=place,
            data=data,
        )


def _indexing(loss: Loss) -> Iterator[tuple[str, Node, Site, dict[str, Any]]]:
    """What is used as an index, by which function and where; ``index`` is the place and name of that argument."""
    for happening in loss.happenings:
        place = _INDICES.get(happening.name) if happening.kind == "call" else None
        if place is not None:
            position, keyword = place
            rest = happening.args[position] if len(happening.args) > position else None
            value = happening.kwargs.get(keyword, rest)
            if isinstance(value, Node):
                yield written(happening.name), value, happening.site, {"index": place, "api": happening.name}
    for node in loss.graph.nodes:
        if node.op == "index" and not node.internal and not node.api and node.site is not None:
            for value in flatten(node.attrs.get("key")):
                yield "an index in brackets", value, node.site, {}


_STRICT = frozenset(
    "add sub mul div div_no_nan pow maximum minimum mod floordiv lt le gt ge eq ne "
    "select concat stack matmul clip".split()
)
"""Primitives whose inputs have to be of one type."""
_JOINING = frozenset({"concat", "stack", "select"})
"""Primitives that give Python numbers a type of their own."""


@check("LL512")
def dtype_mix(loss: Loss) -> Iterator[Draft]:
    """Tensors of different types meet without a cast; TensorFlow converts numbers only."""
    if loss.numpy_only:
        return
    said: set[int] = set()
    types = loss.element_types
    for node in loss.graph.nodes:
        if node.op not in _STRICT or node.internal or promotes(node) or node.site is None:
            continue
        kinds = [types.of(value) for value in node.inputs[node.op == "select" :]]
        if node.op in _JOINING:
            kinds = [kind for kind in kinds if kind not in WEAK]
        found = clash(kinds, node.op == "mul")
        if found is None or id(node.site.tree) in said:
            continue
        said.add(id(node.site.tree))
        one, other = (_TYPE.get(kind, f"a tensor of {kind}") for kind in found)
        yield Draft(
            "LL512",
            Severity.WARNING,
            f"{spoken(node)} mixes {one} with {other}: TensorFlow does not convert tensors, and raises TypeError",
            node.site,
            fact=f"{found[0]} and {found[1]}",
            help="cast one of them: tf.cast(x, y.dtype)",
            fault=node,
        )


_TYPE = {"float": "a floating point tensor", "number": "a Python int", "fraction": "a Python float"}


@check("LL513")
def symbolic_closure(loss: Loss) -> Iterator[Draft]:
    """A loss reaches for a tensor of the model under construction, which has no value."""
    if loss.keras != "3" or not loss.for_keras or not loss.whole:
        return
    used = {node.id for node in ancestors(loss.results)}
    symbolic: dict[int, str] = {}  # made outside of the loss, with what made it
    for node in loss.graph.nodes:
        inside = loss.inside(node.site)
        if node.op == "source":
            if node.api.endswith(".Input") and not inside:
                symbolic[node.id] = "an Input"
            continue
        held = next((value for value in node.inputs if value.id in symbolic), None)
        if held is None or node.op in SHAPE_ONLY:
            continue
        if not inside and node.site is not None:
            symbolic[node.id] = f"the output of {spoken(node)}" if node.op == "model" else symbolic[held.id]
        elif node.id in used:
            site = loss.site_of(node)
            yield Draft(
                "LL513",
                Severity.ERROR,
                f"{spoken(node)} takes a symbolic tensor of the model ({symbolic[held.id]}), which has no value here",
                site,
                fact="a KerasTensor",
                help="compute this term in a layer and add it with add_loss, or make it an output of the model",
                fault=node,
            )
            return
