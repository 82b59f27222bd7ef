"""LL408, LL412: values that are taken for something else: probabilities for logits, a similarity for a loss."""

from __future__ import annotations

import re
from collections.abc import Iterator

from losslint.checks.base import Draft, check
from losslint.checks.numerics import lowered
from losslint.checks.wording import spoken
from losslint.findings import Severity
from losslint.frontend.names import is_loss_name
from losslint.graph import Node
from losslint.loss import Loss
from losslint.ops.agreement import rises_with_agreement, similarity
from losslint.ops.logits import probability

WARNING, INFO = Severity.WARNING, Severity.INFO
_APPLIED = {"softmax": "softmax", "log_softmax": "softmax", "sigmoid": "sigmoid", "log_sigmoid": "sigmoid"}
_MAXIMIZED = re.compile(
    r"adv(ersari|_|$)|attack|negativ|repel|repuls|divers|dissimil|orthogon|decorrel|confus|unlearn|forget",
    re.IGNORECASE,
)
"""Names of terms that are meant to drive predictions away from what they are compared with."""


@check("LL408")
def double_activation(loss: Loss) -> Iterator[Draft]:
    """A softmax or sigmoid of what is a probability already."""
    said: set[tuple[int, int]] = set()
    for node in loss.gradients.order:
        slot = node.attrs.get("logits")
        given = node.inputs[0] if slot is not None else _given(node)
        first = None if given is None else probability(given)
        applied = str(slot or _APPLIED.get(node.op))
        if given is None or first is None or node.site is None or (first.number, id(node.site.tree)) in said:
            continue
        if slot is None and (first.op != applied or first.attrs.get("axis") != node.attrs.get("axis")):
            continue
        said.add((first.number, id(node.site.tree)))
        again = "a softmax" if applied == "softmax" else "the sigmoid"
        undone = bool(node.attrs.get("recovers")) and _last(given) is first and first.op == slot
        yield Draft(
            "LL408",
            INFO if undone else lowered(loss, WARNING),
            f"{spoken(node)} applies {again} to what {spoken(first)} returned"
            + (": Keras finds the logits again, but only in a graph" if undone else ""),
            node.site,
            "the values are in [0, 1]: as logits they are at most 1 apart, and the slopes are small everywhere",
            f"pass the logits, without {spoken(first)}, or from_logits=False"
            if slot is not None
            else f"drop one of them: {spoken(first)} is enough",
            node,
        )


def _given(node: Node) -> Node | None:
    """What a user's own activation is applied to."""
    return node.inputs[0] if node.op in _APPLIED and not node.internal else None


def _last(node: Node) -> Node:
    while node.op == "identity":
        node = node.inputs[0]
    return node


@check("LL412")
def maximized_similarity(loss: Loss) -> Iterator[Draft]:
    """Dice, IoU or a cosine is returned as it is: the loss rises as the prediction approaches the label."""
    if loss.is_metric or loss.numpy_only or not _meant_as_loss(loss):
        return
    found = similarity(loss)
    if found is None or not rises_with_agreement(loss):
        return
    place = loss.place(loss.site_of(found))
    yield Draft(
        "LL412",
        WARNING,
        "the loss is largest where the prediction is the label: a similarity is returned as it is",
        place,
        f"{spoken(found)} is a similarity of labels and predictions, and the result rises with it",
        "return 1 - similarity, or -similarity (keras.losses.cosine_similarity is negative already)",
        found,
    )


def _meant_as_loss(loss: Loss) -> bool:
    """Whether it is minimized for sure: seen to be, or called a loss while nothing else here uses it."""
    name = loss.name.removesuffix(".call").replace(".<locals>", "")
    if _MAXIMIZED.search(name):
        return False
    return loss.consumer.proven or (is_loss_name(name) and not loss.called)
