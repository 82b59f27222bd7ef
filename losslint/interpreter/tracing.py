"""The graph as catalogued functions see it while a loss is traced: it can call back into user code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losslint.graph import Graph, Node
from losslint.ops.primitives import SHAPE_RULES

if TYPE_CHECKING:
    from losslint.interpreter.core import Core


class TracingGraph(Graph):
    """A graph whose expansions may run Python callables: ``tf.map_fn``, ``tf.cond``, a ``Lambda`` layer."""

    def __init__(self, machine: Core) -> None:
        super().__init__(SHAPE_RULES, keras=machine.keras)
        self._machine = machine

    def lift(self, value: Any) -> Node:
        """As for any graph; a None in the place of a tensor is an optional argument that has to be given."""
        return self._machine.missing() if value is None else super().lift(value)

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """The result of calling ``function``, a value of the interpreted program."""
        # what the user's function does is the user's business again
        internal, self.internal = self.internal, False
        try:
            return self._machine.call(function, list(args), kwargs)
        finally:
            self.internal = internal
