"""LL105, LL107, LL109, LL110: axes that meet the wrong way, vanish, or are averaged over with their padding."""

from __future__ import annotations

from collections.abc import Iterator

from losslint.checks.base import Draft, check
from losslint.checks.wording import extents, spoken
from losslint.domain.shape import Shape
from losslint.findings import Severity
from losslint.graph import Node, ancestors, users
from losslint.loss import Loss
from losslint.ops.masks import is_mask, undone

_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "std", "var", "norm", "logsumexp", "median"})
_ELEMENTWISE = frozenset(
    "add sub mul div pow maximum minimum mod floordiv div_no_nan mul_no_nan xlogy xlog1py xdivy select clip neg abs "
    "square sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus relu erf sign round floor ceil "
    "smooth cast identity stop_gradient lt le gt ge eq ne and or not is_nan is_inf is_finite zeros_like ones_like "
    "join".split()
)
_MEETING = frozenset("add sub mul div pow maximum minimum div_no_nan mul_no_nan xlogy select eq ne lt le gt ge".split())
_WEIGHING = frozenset({"mul", "div", "div_no_nan", "mul_no_nan"})
"""What a weight is applied with; nobody multiplies each loss by each weight on purpose."""


def _silent(loss: Loss) -> bool:
    return loss.is_metric or loss.numpy_only


# -- LL105: samples meet samples -----------------------------------------------------------------------------------


def _leads_with_batch(shape: Shape) -> bool:
    """Whether axis 0 is the batch and no other listed axis is."""
    return bool(shape.head) and shape.head[0].batch == 1 and all(d.batch == 0 for d in (*shape.head[1:], *shape.tail))


def _crossing(node: Node) -> tuple[Node, Node] | None:
    """The operands (of lower and of higher rank) of ``node`` whose batch axes face other axes; None where all is well.

    NumPy aligns shapes from the right, so axis 0 of the one is not axis 0 of the other.
    """
    if node.op not in _MEETING or len(node.inputs) < 2:
        return None
    met = [x for value in node.inputs[-2:] if (x := _given(value) if node.internal else value) is not None]
    if len(met) < 2:
        return None
    low, high = sorted(met, key=lambda x: x.shape.min_rank)
    if not (_leads_with_batch(low.shape) and _leads_with_batch(high.shape)):
        return None
    ranks = low.shape.rank, high.shape.rank
    if None not in ranks:
        return (low, high) if ranks[0] != ranks[1] else None
    return (low, high) if _reduced_once(low, high) else None


def _given(node: Node) -> Node | None:
    """The argument of a library's function whose axes ``node`` has inside of it; None where it made axes of its own."""
    while node.internal:
        tensors = [x for x in node.inputs if x.op != "const"]
        if node.op not in _ELEMENTWISE or len(tensors) != 1:
            return None
        node = tensors[0]
    return node


def _reduced_once(low: Node, high: Node) -> bool:
    """Whether ``low`` has fewer axes than ``high`` whatever their number: both come from tensors of one shape."""
    a, b = low.shape, high.shape
    if a.rest is None or a.rest != b.rest or a.rest.startswith("?") or a.min_rank >= b.min_rank:
        return False
    sources = _samples(low)
    labels = [s for s in _samples(high) if s.attrs["role"] == "label"]
    return set(_samples(high)) <= set(sources) and all(_is_dense(label, low) for label in labels)


def _samples(node: Node) -> list[Node]:
    """The labels and predictions ``node`` is computed from."""
    return [n for n in ancestors([node]) if n.op == "source" and n.attrs["role"] in ("label", "prediction")]


def _is_dense(label: Node, node: Node) -> bool:
    """Whether ``label`` is subtracted from, or multiplied with, a prediction of its shape: it holds no class ids."""
    alike = {label.id}
    for n in ancestors([node]):
        if n.op in ("cast", "identity", "stop_gradient", "clip") and n.inputs[0].id in alike:
            alike.add(n.id)
        elif n.op in ("sub", "mul") and any(x.id in alike for x in n.inputs):
            return any(x.id not in alike and x.shape == label.shape for x in n.inputs)
    return False


def _writes_axis(node: Node) -> bool:
    """Whether ``node`` gives its operand an axis that stands in the code: ``w[:, None]``, ``keepdims=True``."""
    inserted = node.op in ("expand_dims", "reshape") or (node.op == "index" and None in (node.attrs.get("key") or ()))
    return inserted or (node.op in _REDUCTIONS and node.attrs.get("keepdims") is True)


def _is_written(node: Node) -> bool:
    """Whether an axis of ``node`` stands in the code; what is computed from it element by element still has it."""
    todo, seen = [node], set()
    while todo:
        here = todo.pop()
        if here.id in seen or here.shape.min_rank < node.shape.min_rank:
            continue
        seen.add(here.id)
        if _writes_axis(here):
            return True
        if here.op in _ELEMENTWISE:
            todo += here.inputs
    return False


def _bare(node: Node) -> Node:
    """``node`` before it was cast or got an axis."""
    while node.inputs and (_writes_axis(node) or node.op in ("cast", "identity", "stop_gradient")):
        node = node.inputs[0]
    return node


def _is_meant(node: Node, low: Node, high: Node) -> bool:
    """Whether each sample is paired with each on purpose, as in a matrix of distances."""
    if _bare(high).number == _bare(low).number:
        return True
    roles = [{s.attrs["role"] for s in _samples(x)} for x in (low, high)]
    error = node.op == "sub" and sorted(map(sorted, roles)) == [["label"], ["prediction"]]
    return (_is_written(high) or _is_written(low)) and not error and node.op not in _WEIGHING


def _joins_a_matrix(node: Node, taken: dict[int, list[Node]]) -> bool:
    """Whether what ``node`` makes meets pairs of samples that were made another way: a product of two matrices."""
    todo, made = [node], {node.id}
    while todo:
        for user in taken.get(todo.pop().id, ()):
            if user.op not in _ELEMENTWISE or user.id in made:
                continue
            if any(x.id not in made and len(x.shape.batch_axes) > 1 for x in user.inputs):
                return True
            made.add(user.id)
            todo.append(user)
    return False


@check("LL105")
def rank_mismatch_broadcast(loss: Loss) -> Iterator[Draft]:
    """(B,) meets (B, 1) or (B, C): every sample is combined with every other."""
    if _silent(loss) or loss.batch_level:
        return
    order = ancestors(loss.results)
    taken = users(order)
    said: set[int] = set()
    for node in order:
        crossing = _crossing(node)
        if crossing is None or node.number in said or _is_meant(node, *crossing) or _joins_a_matrix(node, taken):
            continue
        said.add(node.number)
        low, high = (extents(x.shape) for x in crossing)
        yield Draft(
            "LL105",
            Severity.WARNING,
            f"{spoken(node)} combines shapes {low} and {high}: they are aligned from the right, so every "
            "sample meets every other, or the shapes do not fit",
            loss.site_of(node),
            fact=f"{low} {spoken(node)} {high}",
            help="give both the same axes: keepdims=True, or tf.squeeze(x, axis=-1) on the other",
            fault=node,
        )


# -- LL107: the batch is reduced, another axis is kept -------------------------------------------------------------


@check("LL107")
def batch_axis_reduction(loss: Loss) -> Iterator[Draft]:
    """What is returned has axes, and the batch is none of them: Keras has nothing to apply its weights to."""
    if _silent(loss) or loss.batch_level or loss.consumer.kind != "keras" or loss.name.endswith(".__call__"):
        return
    if loss.called and not loss.consumer.proven:
        return  # whoever calls it goes on with its classes
    for output in loss.outputs:
        at = _lost_batch(output.value) if isinstance(output.value, Node) else None
        if at is None:
            continue
        shape = extents(output.value.shape)
        yield Draft(
            "LL107",
            Severity.WARNING,
            f"{spoken(at)} reduces the batch axis and keeps another: Keras takes axis 0 of what is returned, "
            f"{shape}, for the batch, and sample_weight and class_weight cannot apply",
            loss.place(loss.site_of(at)),
            fact=f"shape {shape}",
            help="reduce over the last axis (axis=-1) and keep axis 0",
            fault=output.value,
        )
        return


def _lost_batch(result: Node) -> Node | None:
    """The reduction that took the batch axis of a value that still has axes; None where there is none."""
    shape = result.shape
    if not shape.min_rank or shape.numel.value == 1 or shape.numel.batch != 0:
        return None
    for node in reversed(ancestors([result])):
        extent = node.attrs.get("extent")
        if node.op in _REDUCTIONS and not node.internal and node.attrs.get("axis") is not None and node.shape.min_rank:
            held = node.inputs[0].shape
            if extent is not None and extent.batch and held.head and held.head[0].batch and not node.shape.numel.batch:
                return node
    return None


# -- LL109: padding is averaged over -------------------------------------------------------------------------------


@check("LL109")
def masked_mean_over_padding(loss: Loss) -> Iterator[Draft]:
    """mean(loss * mask) divides by the number of all elements."""
    if _silent(loss):
        return
    order = ancestors(loss.results)
    said: set[int] = set()
    for node in order:
        if node.op != "mean" or node.internal or node.number in said:
            continue
        mask = _masked_by(node)
        if mask is None or undone(mask, order):
            continue
        said.add(node.number)
        yield Draft(
            "LL109",
            Severity.WARNING,
            f"{spoken(node)} divides by the number of all elements, those that the mask hides included: the more "
            "padding there is, the smaller the loss",
            loss.site_of(node),
            fact=f"mean over {'all' if node.attrs.get('axis') is None else 'some'} axes of a product with a mask",
            help="divide by the sum of the mask: tf.reduce_sum(loss * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)",
            fault=node,
        )


def _masked_by(mean: Node) -> Node | None:
    """The mask that the operand of ``mean`` is a product with, if it varies along an axis that is averaged over."""
    todo = [mean.inputs[0]]
    while todo:
        node = todo.pop()
        if node.op in ("neg", "identity", "cast"):
            todo.append(node.inputs[0])
        elif node.op == "mul":
            masks = [x for x in node.inputs if is_mask(x)]
            if masks:
                return masks[0] if _varies(masks[0], node, mean) else None
            todo += node.inputs
    return None


def _varies(mask: Node, product: Node, mean: Node) -> bool:
    """Whether ``mask`` differs along an axis that ``mean`` reduces."""
    axes, growth = mean.attrs.get("axis"), mask.shape.numel.batch
    if axes is None:
        return bool(growth) or (growth is None and mask.api.endswith("sequence_mask"))
    if mask.shape == product.shape or mask.shape.rank == product.shape.rank is not None:
        dims = [mask.shape.axis(a) for a in axes]
        return all(d is None or d.value != 1 for d in dims)
    return False


# -- LL110: an axis too many is dropped ----------------------------------------------------------------------------


@check("LL110")
def squeeze_without_axis(loss: Loss) -> Iterator[Draft]:
    """tf.squeeze(x) drops the batch axis too, where a batch holds one sample."""
    if _silent(loss):
        return
    taken = users(ancestors(loss.results))
    said: set[int] = set()
    for node in ancestors(loss.results):
        if node.op != "squeeze" or node.attrs.get("axis") or node.internal or node.api.startswith("numpy"):
            continue
        shape = node.inputs[0].shape
        if not (shape.head and shape.head[0].batch) or node.number in said:
            continue
        if not _axes_matter(loss, node, taken):
            continue
        said.add(node.number)
        fit = ", and under fit, where the batch size is not known, the rank is unknown" * (
            loss.consumer.kind == "keras"
        )
        yield Draft(
            "LL110",
            Severity.WARNING,
            f"{spoken(node)} without an axis drops the batch axis as well where a batch holds one sample{fit}",
            loss.site_of(node),
            fact=f"squeezes shape {extents(shape)}",
            help="name the axis: tf.squeeze(x, axis=-1)",
            fault=node,
        )


def _axes_matter(loss: Loss, node: Node, taken: dict[int, list[Node]]) -> bool:
    """Whether something depends on how many axes ``node`` has: not where all of them are reduced together.

    What meets a tensor that still has its batch axis gets it back. Keras is told no rank even then.
    """
    results = {n.id for n in loss.results}
    keras = loss.consumer.kind == "keras"
    todo, seen = [(node, False)], {node.id}
    while todo:
        here, regained = todo.pop()
        if here.id in results and (keras or not regained):
            return True
        for user in taken.get(here.id, ()):
            if user.op in ("size_of", "reshape") or (user.op in _REDUCTIONS and user.attrs.get("axis") is None):
                continue
            back = regained or (user.op in _ELEMENTWISE and any(map(_keeps_batch, user.inputs)))
            if user.op not in _ELEMENTWISE and not back:
                return True
            if user.id not in seen:
                seen.add(user.id)
                todo.append((user, back))
    return False


def _keeps_batch(node: Node) -> bool:
    """Whether axis 0 of ``node`` is the batch, and nothing on the way to it was squeezed."""
    whole = bool(node.shape.head) and bool(node.shape.head[0].batch)
    return whole and not any(n.op == "squeeze" and not n.attrs.get("axis") for n in ancestors([node]))
