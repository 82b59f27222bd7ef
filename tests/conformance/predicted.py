"""What losslint says about a case."""

from __future__ import annotations

from typing import Any

from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.graph import Node, Unknown
from losslint.interpreter.machine import Machine
from losslint.loss import Consumer, Loss, Output
from losslint.ops.shapevalue import Record
from tests.conformance.kinds import Kind
from tests.conformance.spelling import HEADER


class Predicted:
    """The trace of ``def case(y_true, y_pred)`` for arguments of one kind."""

    def __init__(self, source: str, kind: Kind, header: str = HEADER) -> None:
        module, project = Module("case.py", header + source), Project()
        project.add(module)
        machine = Machine(project)
        scope = machine.module_scope(module)
        machine.run_module(scope)
        function = scope.names["case"]
        graph = machine.graph
        shapes, dtypes = kind.shapes(), (kind.dtype, "float32")
        self.sources = tuple(
            graph.source(name, role, shape, dtype, batch="proven")
            for name, role, shape, dtype in zip(
                ("y_true", "y_pred"), ("label", "prediction"), shapes, dtypes, strict=True
            )
        )
        frame = machine.enter(function, list(self.sources), {})
        value = frame.outputs[0].value if frame.outputs else None
        self.leaves = [graph.lift(v) if hasattr(v, "as_node") else v for v in _flat(value)]
        site = frame.outputs[0].site if frame.outputs else None
        nodes = [v for v in self.leaves if isinstance(v, Node)]
        consumer = Consumer("keras", "the test", True)
        self.loss = Loss("case", site, consumer, graph, [Output(value, site)], nodes)  # type: ignore[arg-type]

    @property
    def tells(self) -> bool:
        """Whether there is any statement about the result."""
        return not any(isinstance(v, Unknown) or (isinstance(v, Node) and v.op == "opaque") for v in self.leaves)

    @property
    def gradient(self) -> str:
        """The gradient that the prediction is said to get."""
        return self.loss.gradients.reaches(self.sources[1])


def _flat(value: Any) -> list[Any]:
    """The leaves in the order of ``tf.nest.flatten``."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in _flat(value[key])]
    return _flat(value.values) if isinstance(value, Record) else [value]
