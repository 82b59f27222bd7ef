"""What the analysis knows of the arguments of a loss, as plain data for the process that has to make them up."""

from __future__ import annotations

from typing import Any

from losslint.confirm.jobs import output_of
from losslint.graph import Node, ancestors
from losslint.interpreter.parameters import SAMPLES
from losslint.interpreter.ranks import evident_ranks
from losslint.loss import Loss
from losslint.ops.assumptions import SAME_VALUES, root_of

Hint = dict[str, Any]
_INDEXING = {"one_hot": 0, "gather": 1, "gather_nd": 1, "segment": 1}
"""Primitives, and the input of theirs that is an index."""


def hints(loss: Loss) -> dict[str, Hint]:
    """Name of each source, or ``output_of`` of a model's call -> what its uses tell; each key where something is known.

    ``role`` is that of the source; ``rank`` the number of axes; ``columns`` how many the last axis must have at least;
    ``domain`` is "prob", "logits", "ids" or "positive"; ``integer`` says that it is cast to integers; ``of`` names the
    argument it must be computed from; ``api`` lists the library functions that take it as it is.
    """
    graph = loss.graph
    ranks = evident_ranks(graph, SAMPLES)
    assumptions = loss.ranges.assumptions
    found: dict[str, Hint] = {}
    for node in graph.nodes:
        if node.op == "source":
            name = str(node.attrs.get("name"))
            hint = found.setdefault(name, {"role": node.attrs.get("role")})
            rank = ranks.get(name, node.shape.rank)
            if rank is not None:
                hint["rank"] = rank
            continue
        for position, x in enumerate(node.inputs):
            piece = assumptions.pieces.get(x.id)
            root = root_of(piece) if piece is not None else None
            key = _key(root) if root is not None else ""
            if root is None or not key:
                continue
            hint = found.setdefault(key, {"role": root.attrs.get("role", "prediction")})
            whole = _same_values(x, root)
            if whole and node.api:
                hint.setdefault("api", [])
                if node.api not in hint["api"]:
                    hint["api"].append(node.api)
            if _INDEXING.get(node.op) == position:
                hint["domain"] = "ids"
            if node.op == "cast" and str(node.attrs.get("dtype")).startswith(("int", "uint")):
                hint["integer"] = True
            if node.op == "index" and x is root:
                columns = _columns(node)
                if columns:
                    hint["columns"] = max(hint.get("columns", 0), columns)
        if node.op == "gradient_of":
            _derived(node, found)
    _domains(loss, found)
    return found


def _key(root: Node) -> str:
    """What a source is called; the output of a model goes by the row of its call."""
    if root.op == "source":
        return str(root.attrs.get("name"))
    return output_of(root.site.module.span(root.site.tree).row) if root.site is not None else ""


def _derived(node: Node, found: dict[str, Hint]) -> None:
    """A loss that differentiates one argument with respect to another takes it to be computed from that one."""
    of = [str(n.attrs["name"]) for n in ancestors(node.inputs[1:]) if n.op == "source"]
    for source in ancestors(node.inputs[:1]):
        if source.op == "source" and len(of) == 1 and source.attrs["name"] != of[0]:
            found[str(source.attrs["name"])]["of"] = of[0]


def _domains(loss: Loss, found: dict[str, Hint]) -> None:
    """Adds the domain that the loss assumes of each source."""
    assumptions = loss.ranges.assumptions
    for node in loss.graph.nodes:
        hint = found.get(_key(node)) if node.op in ("source", "model") else None
        if hint is None:
            continue
        interval = assumptions.intervals.get(node.number)
        if "domain" in hint:
            continue
        if node.number in assumptions.logits:
            hint["domain"] = "logits"
        elif interval is not None and interval.high.at == 1.0:
            hint["domain"] = "prob"
        elif interval is not None and interval.low.at == 0.0:
            hint["domain"] = "positive"


def _same_values(node: Node, root: Node) -> bool:
    """Whether ``node`` holds all of the values of ``root``, nothing cut out."""
    while node is not root:
        if node.op not in SAME_VALUES or not node.inputs:
            return False
        node = node.inputs[0]
    return True


def _columns(node: Node) -> int:
    """How many columns ``x[..., k]`` or ``x[:, a:b]`` asks for; 0 where the key is not about the last axis."""
    key = node.attrs.get("key")
    keys = key if isinstance(key, tuple) else (key,)
    if len(keys) < 2:
        return 0
    last = keys[-1]
    if isinstance(last, bool):
        return 0
    if isinstance(last, int):
        return last + 1 if last >= 0 else -last
    if isinstance(last, slice) and last.step is None:
        ends = [b for b in (last.start, last.stop) if isinstance(b, int) and not isinstance(b, bool)]
        return max([b + (b == last.start) if b >= 0 else 1 - b for b in ends], default=0)
    return 0
