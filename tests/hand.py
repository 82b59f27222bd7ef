"""Losses built by hand: the graph a trace would yield, with a site of its own for every node."""

from __future__ import annotations

from typing import Any

from losslint.checks.base import CHECKS, Draft
from losslint.domain.shape import SCALAR, Shape
from losslint.graph import Node, Site
from losslint.loss import Consumer, Loss, Output, flatten
from losslint.ops.primitives import new_graph

BATCH = Shape.of("B", 3)


def site() -> Site:
    """A place in the source unlike any other."""
    return Site(None, object(), "loss")


class Hand:
    """Writes a loss node by node: ``h.op("round", h.p)``; ``h.y`` is the label, ``h.p`` the prediction."""

    def __init__(self, shape: Shape = BATCH, names: tuple[str, str] = ("y_true", "y_pred")) -> None:
        self.graph = new_graph()
        self.y = self.source(names[0], "label", shape)
        self.p = self.source(names[1], "prediction", shape)

    def source(self, name: str, role: str, shape: Shape = SCALAR, **attrs: Any) -> Node:
        """A leaf of ``role``."""
        return self.graph.source(name, role, shape, "float32", **attrs)

    def op(self, name: str, /, *inputs: Any, api: str = "", **attrs: Any) -> Node:
        """A primitive at a site of its own, ``api`` being what the user wrote."""
        with self.graph.at(site(), api):
            return self.graph.op(name, *inputs, **attrs)

    def mean(self, x: Node) -> Node:
        """The mean of all elements."""
        return self.op("mean", x, axis=None)

    def mse(self) -> Node:
        """A term whose gradient is live."""
        return self.mean(self.op("square", self.op("sub", self.y, self.p)))

    def hits(self) -> Node:
        """A term that is cut from the prediction at a round."""
        hit = self.op("eq", self.y, self.op("round", self.p, api="tensorflow.math.round"))
        return self.mean(self.op("cast", hit, dtype="float32"))

    def loss(self, *values: Any, consumer: str = "keras", proven: bool = True, **facts: Any) -> Loss:
        """The loss that returns the first of ``values`` or, on other ways, one of the others."""
        outputs = [value if isinstance(value, Output) else Output(value, site()) for value in values]
        joined = [output.value for output in outputs]
        if len(joined) > 1 and all(isinstance(value, Node) for value in joined):
            joined = [self.op("join", *joined)]
        value = next((v for v in joined if list(flatten(v))), joined[0])
        evidence = Consumer(consumer, f"{consumer} by hand", proven)
        return Loss("loss", site(), evidence, self.graph, outputs, value, **facts)


def drafts(loss: Loss, *codes: str) -> list[Draft]:
    """What the checks of ``codes`` say about ``loss``, in that order."""
    return [draft for code in codes for draft in CHECKS[Loss][code](loss)]
