"""What losslint says of a program: once with the shapes of its arguments declared, once as it reads a user's file."""

from __future__ import annotations

from losslint.checks import load_checks
from losslint.checks.base import drafts_of
from losslint.domain.shape import Shape
from losslint.engine import Failure, losses
from losslint.findings import Severity
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.graph import Node
from losslint.interpreter.machine import Machine
from losslint.loss import Consumer, Loss
from losslint.ops.assumptions import root_of
from tests.programs.grammar import HEADER, Program
from tests.programs.layouts import SIZES, Layout, numbers

ENTRY = "\n\ndef entry(y_true, y_pred):\n    return loss(y_true, y_pred)\n"


class Crash(Exception):
    """The analysis itself failed."""


def as_read(program: Program) -> Loss | None:
    """The loss as it is found in a file; None where nothing is taken for one. Raises Crash."""
    module, project = Module("losses.py", HEADER + program.source), Project()
    project.add(module)
    found = list(losses(module, project))
    for loss in found:
        if isinstance(loss, Failure):
            raise Crash(f"{loss.function}: {loss.reason}")
    named = [loss for loss in found if isinstance(loss, Loss) and loss.name == program.name]
    return named[0] if named else None


def as_declared(program: Program) -> Loss:
    """The loss for arguments of the program's layout."""
    module, project = Module("losses.py", f"{HEADER}{program.source}{ENTRY}"), Project()
    project.add(module)
    machine = Machine(project)
    scope = machine.module_scope(module)
    machine.run_module(scope)
    layout = program.layout
    arguments = [
        machine.graph.source("y_true", "label", Shape.of(*layout.y_true), layout.dtype, batch="proven"),
        machine.graph.source("y_pred", "prediction", Shape.of(*layout.y_pred), "float32", batch="proven"),
    ]
    frame = machine.enter(scope.names["entry"], arguments, {})
    output = frame.outputs[0]
    return Loss("loss", output.site, Consumer("keras", "the test", True), machine.graph, [output], output.value)


def fits(loss: Loss, layout: Layout) -> bool:
    """Whether the layout is one that a file is read for: two axes or more, labels shaped like predictions.

    Where the uses of an argument tell how many axes it has, that number.
    """
    if len(layout.y_pred) < 2 or layout.labels == "classes":
        return False
    shapes = [n.shape for n in loss.graph.nodes if n.op == "source"]
    if any(
        n.attrs.get("axis") in (-1, (-1,)) and n.inputs[0].shape.rest and not n.inputs[0].shape.tail
        for n in loss.graph.nodes
    ):
        return False  # an axis that is not listed is taken for none of the batch
    return all(s.rank is None or s.rank == len(layout.y_pred) for s in shapes)


def argument(loss: Loss, name: str) -> Node:
    """The argument ``name``."""
    return next(n for n in loss.graph.nodes if n.op == "source" and n.attrs["name"] == name)


def extents(layout: Layout, declared: bool) -> dict[str, int]:
    """What the letters in shapes stand for; a file that is read tells no more than which axis is the last."""
    if declared:
        return dict(SIZES)
    return {"C": numbers(layout.y_pred, 1)[-1]} if layout.axes else {}


def limited(loss: Loss) -> frozenset[str]:
    """The arguments of which the loss takes for granted where they lie."""
    assumptions = loss.ranges.assumptions
    roots = [root_of(p) for p in assumptions.pieces.values() if p.number in assumptions.intervals]
    return frozenset(str(root.attrs.get("name")) for root in roots)


def result(loss: Loss) -> Node | None:
    """The tensor that is returned."""
    return loss.value if isinstance(loss.value, Node) else None


def facts(loss: Loss) -> str:
    """Law, gradient law, coupling and gradient in words, and the findings of severity warning or worse."""
    node = result(loss)
    assert node is not None
    power = loss.laws.value(node)
    told = [
        "law unknown" if power is None else str(power),
        f"gradient {loss.laws.gradient(node)}",
        f"coupling {loss.couplings.of(node)}",
        f"gradient {loss.gradients.reaches(argument(loss, 'y_pred'))}",
    ]
    load_checks()
    codes = sorted(draft.code for draft in drafts_of(loss) if draft.severity >= Severity.WARNING)
    return "; ".join([*told, *(f"findings {code}" for code in codes)])
