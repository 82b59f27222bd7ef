"""LL209, LL210, LL310: what goes wrong around a loss, in the step that computes, records and differentiates it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken, words
from losslint.findings import Severity
from losslint.graph import Node, ancestors
from losslint.loss import Happening, Loss
from losslint.ops.gradients import TRAINABLE_ROLES, edge_kind

# -- LL209: what the tape does not see -----------------------------------------------------------------------------

_NO_OPERATION = frozenset({"join", "loop", "source", "const"})
"""Nodes that stand for no operation: where ways of a program meet, and leaves."""
_PARTS = frozenset({"index", "unstack", "identity"})
"""An element of what a call returned is taken out of a Python container; TensorFlow does not hear of it."""


class _Seen(NamedTuple):
    """What reaches a node from what is trained: recorded all the way, not recorded, something that was not followed.

    ``first`` is the first operation that the tape missed.
    """

    recorded: bool
    missed: bool
    unknown: bool
    first: Node | None


def _followed(loss: Loss) -> _Seen:
    """How the first result of ``loss`` is reached by what is trained."""
    spans = loss.watched or ()
    seen: dict[int, _Seen] = {}
    for node in ancestors(loss.results):
        inside = any(start <= node.id < end for start, end in spans)
        loose = node.op in _PARTS and node.inputs[0].op in ("opaque", "model")
        carried = inside or node.op in _NO_OPERATION or loose
        before = [seen[x.id] for i, x in enumerate(node.inputs) if edge_kind(node, i) in ("live", "unknown")]
        recorded, missed, unknown = (any(b[k] for b in before) for k in range(3))
        first = next((b.first for b in before if b.first is not None), None)
        if node.op == "opaque" or (before and any(edge_kind(node, i) == "unknown" for i in range(len(node.inputs)))):
            unknown = True
        if node.op == "model" or node.attrs.get("role") in TRAINABLE_ROLES:
            recorded = True
        if not carried and (recorded or missed):
            recorded, missed, first = False, True, first or node
        seen[node.id] = _Seen(recorded, missed, unknown, first)
    return seen[loss.results[0].id]


@check("LL209")
def outside_tape(loss: Loss) -> Iterator[Draft]:
    """The loss, or the forward pass that it is computed from, was computed while the tape did not record."""
    if not loss.watched or len(loss.results) != 1:
        return
    state = _followed(loss)
    if state.recorded or state.unknown or not state.missed or state.first is None:
        return
    node = state.first
    start = min(start for start, _ in loss.watched)
    when = "before the tape records" if node.id < start else "after the tape has stopped recording"
    what = "the model is called" if node.op == "model" else "the loss is computed"
    yield Draft(
        "LL209",
        Severity.ERROR,
        f"{what} {when}: tape.gradient returns None for everything that is trained",
        loss.site_of(node),
        fact=f"{spoken(node)} is outside of the with block of the tape",
        help="move it into the with block",
        fault=node,
    )


# -- LL210: computed for nothing -----------------------------------------------------------------------------------

_PURE = frozenset(
    "neg abs square sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus relu sign round floor "
    "ceil trunc stop_gradient cast add sub mul div pow maximum minimum floordiv mod div_no_nan mul_no_nan xlogy xdivy "
    "xlog1py select clip sum mean prod max min logsumexp std var norm argmax argmin count_nonzero softmax log_softmax "
    "l2_normalize cumsum cumprod sort argsort reverse roll reshape expand_dims squeeze transpose broadcast_to tile "
    "repeat pad concat stack gather gather_nd boolean_mask one_hot matmul einsum tensordot lt le gt ge eq ne "
    "not".split()
)
"""Primitives that do nothing but compute."""
_LIBRARIES = ("Tensor.", "tensorflow.", "keras.ops.", "keras.backend.", "keras.losses.", "keras.activations.")
_DOING = frozenset(
    "print Print assert debugging summary assign update cond case map_fn while_loop scatter_ add_to_collection "
    "ensure_shape check_ set_".split()
)
"""In the names of functions that are called for what they do."""
_COLLECTING = "tensorflow.losses."
"""The losses of TensorFlow 1 leave their result in a collection."""


def _for_nothing(happening: Happening) -> bool:
    """Whether a statement only computes, by an operator or by a function that does nothing else."""
    node, tree = happening.result, happening.site.tree
    if node.op not in _PURE or node.site is None or node.site.tree is not tree or happening.site.function == "<module>":
        return False
    if isinstance(tree, cst.Call):
        does = node.api.startswith(_COLLECTING) or any(word in node.api.partition(".")[2] for word in _DOING)
        return node.api.startswith(_LIBRARIES) and not does
    return isinstance(tree, (cst.BinaryOperation, cst.UnaryOperation))


@check("LL210")
def discarded_result(loss: Loss) -> Iterator[Draft]:
    """``tf.clip_by_value(p, ...)`` as a statement: tensors are never changed in place."""
    if loss.is_metric or loss.numpy_only:
        return
    said: set[int] = set()
    for happening in loss.happenings:
        if happening.kind != "discard" or id(happening.site.tree) in said or not _for_nothing(happening):
            continue
        said.add(id(happening.site.tree))
        name = spoken(happening.result)
        yield Draft(
            "LL210",
            Severity.WARNING,
            f"the result of {name} is never used: tensors are not changed in place",
            happening.site,
            fact=f"{name} returns a new tensor",
            help="assign it: y_pred = tf.clip_by_value(y_pred, ...)" if "clip" in name else "assign it, or drop it",
        )


# -- LL310: a mean on every replica --------------------------------------------------------------------------------


@check("LL310")
def replica_scaling(loss: Loss) -> Iterator[Draft]:
    """A mean over the samples of one replica: the optimizer adds up what the replicas send."""
    if not loss.replicated or loss.consumer.kind != "tape" or len(loss.results) != 1 or loss.batch_level:
        return
    result = loss.results[0]
    if result.shape.rank != 0 or any(t.p != 0 for t in loss.laws.gradient(result).terms if t.rows):
        return
    at = _own_mean(loss, result)
    if at is None:
        return
    yield Draft(
        "LL310",
        Severity.WARNING,
        f"{spoken(at)} averages over the samples of one replica, and the optimizer adds up the gradients of all: "
        "the step grows with the number of replicas",
        loss.site_of(at),
        fact="every replica computes a mean over its own part of the batch",
        help="use tf.nn.compute_average_loss(per_example_loss, global_batch_size=...)",
        fault=result,
    )


def _own_mean(loss: Loss, result: Node) -> Node | None:
    """The mean over the batch that the gradient of ``result`` passes, as the author wrote it.

    None where the number of replicas comes in. A loss object of Keras divides by the number of replicas itself.
    """
    order = ancestors([result])
    if any(_counts_replicas(word) for n in order for word in _named(n)):
        return None
    for node in order:
        extent = node.attrs.get("extent")
        if (
            node.op == "mean"
            and not node.internal
            and extent is not None
            and extent.batch
            and loss.gradients.live(node)
        ):
            return node
    return None


def _named(node: Node) -> Iterator[str]:
    """What a factor or a divisor is called: by its source, or in the code."""
    if node.op == "source":
        yield str(node.attrs["name"])
    elif node.op in ("mul", "div", "div_no_nan") and node.site is not None:
        yield from words(node.site.tree)


def _counts_replicas(name: str) -> bool:
    return any(word in name.lower() for word in ("replica", "global", "worker", "num_gpu", "n_gpu"))
