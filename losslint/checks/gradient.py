"""LL201-LL206, LL208: losses whose gradient never arrives.

LL201, LL202, LL204 and LL208 are four names for one fault, no trainable source gets a gradient, by its cause; so one
function decides which of them speaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken, stops
from losslint.findings import Severity
from losslint.graph import Node, Site, Unknown, ancestors
from losslint.loss import Loss, is_tensorflow
from losslint.ops.gradients import SHAPE_ONLY, TRAINABLE_ROLES, Cut, edge_kind, is_prediction, is_whole

_DETACHING = frozenset({"stop_gradient", "variable_of"})
_LINEAR = frozenset({"neg", "identity", "mean", "sum", "cast", "reshape", "expand_dims", "squeeze", "broadcast_to"})
"""Primitives of one tensor through which a sum stays a sum."""


class _Fate(NamedTuple):
    """Why nothing trainable gets a gradient: the rule, and the source and the edge at which it is best shown."""

    code: str
    source: Node
    cut: Cut | None


def _fate(loss: Loss) -> _Fate | None:
    """The rule that explains why no source of ``loss`` gets a gradient; None where one does, or may."""
    if loss.is_metric or loss.numpy_only or not loss.results or _has_unknown(loss.value):
        return None
    gradients = loss.gradients
    if not gradients.reaching:
        unused = [n for n in loss.graph.nodes if n.op == "source" and n.attrs.get("role") == "prediction"]
        return _Fate("LL204", unused[0], None) if unused else None
    states = {gradients.reaches(origin) for origin in gradients.reaching}
    if states & {"live", "unknown"}:
        return None
    cuts = [(source, cut) for source in gradients.reaching if is_prediction(source) for cut in gradients.cuts(source)]
    if not cuts:
        return None
    if all(_detaches(cut.node) for _, cut in cuts):
        return _Fate("LL208", *cuts[0])
    kind = "zero" if "zero" in states else "dead"
    # the cut that says most: a value that leaves TensorFlow, then what the author wrote, in source order
    source, cut = min(
        ((s, c) for s, c in cuts if c.kind == kind and (kind == "zero" or not _detaches(c.node))),
        key=lambda sc: (sc[1].node.op != "leaves_tensorflow", sc[1].node.internal, sc[1].node.id),
        default=cuts[0],
    )
    return _Fate("LL202" if kind == "zero" else "LL201", source, cut)


def _has_unknown(value: Any) -> bool:
    """Whether a returned value holds something that was not followed."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(_has_unknown(item) for item in value)
    return isinstance(value, Unknown)


def _detaches(node: Node) -> bool:
    """Whether ``node`` hands the value on without its gradient and changes nothing else."""
    return node.op in _DETACHING


def _way(loss: Loss, source: Node, cut: Node) -> list[tuple[str, Site | None]]:
    """The stops from ``source`` over ``cut`` to the result that is computed from it."""
    gradients = loss.gradients
    before = gradients.path(source, cut)
    after = next(filter(None, (gradients.path(cut, result) for result in loss.results)), [cut])
    return stops(before + after[1:], loss.outputs[0].site if loss.outputs else None)


def _cut_draft(loss: Loss, code: str, message: str, help: str) -> Iterator[Draft]:
    """The finding of ``code`` where it is the fate of ``loss``; ``{source}`` and ``{op}`` are filled in."""
    fate = _fate(loss)
    if fate is None or fate.code != code or fate.cut is None:
        return
    node = fate.cut.node
    names = {"source": spoken(fate.source), "op": spoken(node)}
    yield Draft(
        code,
        Severity.INFO if node.op == "mul" and all(map(_is_zero, loss.results)) else Severity.ERROR,
        message.format(**names),
        loss.site_of(node),
        fact=f"gradient of {names['source']}: {'0' if fate.cut.kind == 'zero' else 'None'}, lost at {names['op']}",
        help=help,
        fault=node,
        path=_way(loss, fate.source, node),
    )


@check("LL201")
def no_gradient_path(loss: Loss) -> Iterator[Draft]:
    """Every path from a prediction passes an operation that has no gradient."""
    return _cut_draft(
        loss,
        "LL201",
        "no gradient reaches {source}: {op} is not differentiable, and no other path leads to it",
        "use a smooth surrogate, or a straight-through estimator: p + tf.stop_gradient(f(p) - p)",
    )


@check("LL202")
def zero_gradient(loss: Loss) -> Iterator[Draft]:
    """The gradient exists and is zero for every input: training runs and changes nothing."""
    return _cut_draft(
        loss,
        "LL202",
        "the gradient of {source} is always 0: {op} is flat, and nothing warns about it while training",
        "use a smooth surrogate such as tf.tanh, or widen the interval that saturates",
    )


@check("LL208")
def detached_prediction(loss: Loss) -> Iterator[Draft]:
    """The prediction is only used after it was cut from its gradient."""
    return _cut_draft(
        loss,
        "LL208",
        "{source} is used only after {op} has detached it: no gradient reaches it",
        "detach the target or the weight instead, and use the prediction itself in the loss",
    )


@check("LL204")
def unused_prediction(loss: Loss) -> Iterator[Draft]:
    """The loss is computed from data alone. A constant zero is a placeholder for a loss added elsewhere."""
    fate = _fate(loss)
    if fate is None or fate.code != "LL204" or not loss.outputs:
        return
    name = spoken(fate.source)
    yield Draft(
        "LL204",
        Severity.INFO if all(map(_is_zero, loss.results)) else Severity.ERROR,
        f"the loss does not depend on {name}, nor on anything else that is trained",
        loss.outputs[0].site,
        fact=f"gradient of {name}: None",
        help=f"use {name} in what is returned",
        fault=loss.results[0],
    )


def _is_zero(result: Node) -> bool:
    """Whether ``result`` is surely the constant 0."""
    zero: set[int] = set()
    for node in ancestors([result]):
        inside = [value.id in zero for value in node.inputs]
        if (
            node.op in ("zeros", "zeros_like")
            or (node.op == "const" and node.attrs["value"] == 0)
            or (node.op == "mul" and any(inside))
            or (node.op in _LINEAR | {"add", "sub", "max", "min", "stack"} and inside and all(inside))
        ):
            zero.add(node.id)
    return result.id in zero


@check("LL205")
def leaves_tensorflow(loss: Loss) -> Iterator[Draft]:
    """NumPy, ``float()``, ``.numpy()`` on a tensor that a result is computed from."""
    if loss.is_metric or loss.numpy_only:
        return
    gradients = loss.gradients
    said: set[int] = set()
    for node in gradients.order:
        if node.op != "leaves_tensorflow" or node.number in said:
            continue
        source = _tensor_in(node)
        if source is None:
            continue
        said.add(node.number)
        name, what = spoken(node), spoken(source)
        yield Draft(
            "LL205",
            Severity.ERROR,
            f"{name} takes {what} out of TensorFlow: it fails on symbolic tensors and ends the gradient",
            loss.site_of(node),
            fact=f"gradient of {what}: None, lost at {name}",
            help="use the TensorFlow function of the same meaning",
            fault=node,
            path=_way(loss, source, node),
        )


def _tensor_in(node: Node) -> Node | None:
    """A source whose values surely come to ``node`` as a tensor; None where there is none.

    What something unknown returns may be a Python number, and so may an argument or a free name be, unless an
    operation of TensorFlow was applied to it on the way.
    """
    held: dict[int, Node] = {}
    for n in ancestors([node]):
        if n.op == "model" or n.attrs.get("role") in ("prediction", "variable"):
            held[n.id] = n
        elif n.op != "opaque" and n.op not in SHAPE_ONLY:
            for value in n.inputs:
                if value.id in held:
                    held[n.id] = held[value.id]
                elif is_tensorflow(n.api) and value.attrs.get("role") in TRAINABLE_ROLES:
                    held[n.id] = value
    return held.get(node.id)


_PYTHON = frozenset({"numpy_function", "py_function"})
_WEIGHED = frozenset({"mul", "div", "mul_no_nan", "div_no_nan"})


@check("LL206")
def python_function_op(loss: Loss) -> Iterator[Draft]:
    """A value that Python computes, in the middle of what is differentiated."""
    if loss.is_metric or loss.numpy_only:
        return
    gradients = loss.gradients
    said: set[int] = set()
    for node in gradients.order:
        if node.op not in _PYTHON or node.number in said or not gradients.depends_on_prediction(node):
            continue
        name, keras = spoken(node), loss.consumer.kind == "keras"
        if node.op == "numpy_function":
            if is_whole(node.dtype) or not _is_summed(loss, node):
                continue  # an index, a mask or a weight: no gradient is wanted
            severity, why = Severity.WARNING, "has no gradient, so training does not see what it computes"
        else:
            severity = Severity.WARNING if keras else Severity.INFO
            why = "returns a tensor of unknown shape, and XLA, which Keras turns on for one GPU, cannot compile it"
        said.add(node.number)
        yield Draft(
            "LL206",
            severity,
            f"{name} {why}",
            loss.site_of(node),
            fact=f"{name}: {'no gradient' if node.op == 'numpy_function' else 'no shape, no XLA'}",
            help="write it with TensorFlow functions",
            fault=node,
        )


def _is_summed(loss: Loss, node: Node) -> bool:
    """Whether the value of ``node`` comes to a result, other than as a factor of something that has a gradient."""
    gradients = loss.gradients
    reached = {node.id}
    for user in gradients.order:
        if user.id <= node.id:
            continue
        for i, value in enumerate(user.inputs):
            weighs = user.op in _WEIGHED and any(gradients.live_from_source(x) for x in user.inputs)
            if value.id in reached and edge_kind(user, i) == "live" and not weighs:
                reached.add(user.id)
    return any(result.id in reached for result in loss.results)


@check("LL203")
def dead_loss_term(loss: Loss) -> Iterator[Draft]:
    """A term of the returned sum has no gradient while another has: training never sees it."""
    if loss.is_metric or loss.numpy_only:
        return
    gradients = loss.gradients
    said: set[int] = set()
    for output in loss.outputs:
        for value in output.value if isinstance(output.value, (tuple, list)) else (output.value,):
            if not isinstance(value, Node):
                continue
            terms = _terms(loss, value)
            live = [term for term in terms if gradients.from_sources(term) == "live"]
            masks = {_operands(cut) for term in live for cut in _all_cuts(loss, term)}
            for term in terms if live else ():
                cuts = _all_cuts(loss, term) if _is_dead_term(loss, term) else []
                if not cuts or masks & {_operands(cut) for cut in cuts}:
                    continue
                cut = min(cuts, key=lambda c: (c.node.internal, c.node.id)).node
                if cut.number in said:
                    continue
                said.add(cut.number)
                source = next(s for s in gradients.depends(term) if is_prediction(s))
                yield Draft(
                    "LL203",
                    Severity.WARNING,
                    f"this term of the loss has no gradient: {spoken(cut)} cuts it off, only the other terms train",
                    loss.site_of(cut),
                    fact=f"gradient of the term: {'0' if gradients.from_sources(term) == 'zero' else 'None'}",
                    help="use a smooth surrogate, or report the term as a metric",
                    fault=cut,
                    path=_way(loss, source, cut),
                )


def _is_dead_term(loss: Loss, term: Node) -> bool:
    """Whether a term is computed from a prediction and moves nothing, and its author did not detach it on purpose.

    Where it leaves TensorFlow, LL205 says so.
    """
    gradients = loss.gradients
    if not gradients.depends_on_prediction(term) or gradients.from_sources(term) not in ("dead", "zero"):
        return False
    said = ("stop_gradient", "leaves_tensorflow")
    on_purpose = _is_zero(term) or any(n.op in said and gradients.depends_on_prediction(n) for n in ancestors([term]))
    return not on_purpose


def _all_cuts(loss: Loss, term: Node) -> list[Cut]:
    """The first cuts between every prediction and ``term``."""
    gradients = loss.gradients
    inside = ancestors([term])
    return [cut for s in gradients.depends(term) if is_prediction(s) for cut in gradients.cuts(s, inside)]


def _operands(cut: Cut) -> frozenset[int]:
    """What a cut looks at: ``p > t`` and ``p <= t`` are the two halves of one mask, and only together a term."""
    return frozenset(value.number for value in cut.node.inputs)


def _terms(loss: Loss, result: Node) -> list[Node]:
    """The additive terms of ``result``: what it is a sum of, through linear operations and constant factors."""
    gradients = loss.gradients
    terms: list[Node] = []
    todo, seen = [result], {result.id}
    while todo:
        node = todo.pop()
        parts = _parts(node, {value.id for value in node.inputs if not gradients.depends(value)})
        if not parts:
            terms.append(node)
        todo.extend(part for part in parts if part.id not in seen)
        seen.update(part.id for part in parts)
    return sorted(terms, key=lambda n: n.id)


def _parts(node: Node, fixed: set[int]) -> list[Node]:
    """The inputs that ``node`` is a linear function of, the ids ``fixed`` being constants; empty where it is none.

    What a library function computes inside is not taken apart.
    """
    if node.internal:
        return []
    if node.op in _LINEAR and edge_kind(node, 0) == "live":
        return list(node.inputs[:1])
    if node.op in ("add", "sub", "stack", "concat"):
        return list(node.inputs)
    if node.op == "mul":
        loose = [value for value in node.inputs if value.id not in fixed]
        return loose if len(loose) == 1 else []
    if node.op in ("div", "div_no_nan") and node.inputs[1].id in fixed:
        return list(node.inputs[:1])
    return []
