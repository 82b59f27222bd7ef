"""LL1: the mean around what a tape differentiates, one value per sample for Keras, and the axes that squeeze drops."""

from __future__ import annotations

import ast

import libcst as cst

from losslint.checks.base import Draft
from losslint.domain.shape import BATCH, ONE
from losslint.findings import Fix, Severity
from losslint.fixes.base import fixer, unsafe
from losslint.fixes.code import Code, argument
from losslint.fixes.spelling import is_call_of, spell
from losslint.graph import Node
from losslint.loss import Loss
from losslint.ops.linear import constant
from losslint.ops.singularities import users

_MEANS = ("reduce_mean", "mean")


@fixer("LL101")
def reduce_result(draft: Draft, loss: Loss) -> Fix | None:
    """The mean around the result, under the tape that differentiates it."""
    value = loss.value
    if draft.severity is not Severity.ERROR or not isinstance(value, Node):
        return None
    code = Code(draft.site)
    mean = spell(code, "mean", code.tree_of(value, internal=True), value.api)
    if mean is None:
        return None
    site = draft.site.tree
    if isinstance(site, cst.Return):
        result = site.value
    elif isinstance(site, cst.Call) and loss.consumer.evidence == "add_loss":
        result = argument(site, 0, "losses")
    else:
        result = _assigned(code, code.tree_of(value, internal=True))
    return None if result is None else unsafe(f"Reduce it with {mean}", code.around(result, f"{mean}(", ")"))


def _assigned(code: Code, tree: cst.CSTNode | None) -> cst.BaseExpression | None:
    """``tree`` where it is all that is assigned to a name that only a scalar or the mean is wanted of afterwards."""
    if tree is None or not isinstance(assign := code.parent(tree), cst.Assign) or len(assign.targets) != 1:
        return None
    target = assign.targets[0].target
    if not isinstance(target, cst.Name) or len(code.bindings(target.value)) != 1 or assign.value is not tree:
        return None
    if not all(_takes_scalar(code.function, use) for use in code.uses(target.value)):
        return None
    return assign.value


def _takes_scalar(function: ast.AST, use: ast.Name) -> bool:
    """Whether a mean does where ``use`` stands: it is differentiated, returned, or reduced as a whole."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is use:
            return True
        if isinstance(node, ast.Call) and node.args[:1] == [use] and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            return name in ("gradient", "minimize") or (name in _MEANS and len(node.args) + len(node.keywords) == 1)
    return False


@fixer("LL104")
def one_value_per_sample(draft: Draft, loss: Loss) -> Fix | None:
    """The batch axis is left to Keras."""
    if draft.severity is Severity.INFO or len(loss.outputs) != 1 or not isinstance(loss.outputs[0].value, Node):
        return None
    code = Code(draft.site)
    mean = _scaled(loss, loss.outputs[0].value)
    tree = code.tree_of(mean) if mean is not None else None
    if mean is None or not isinstance(tree, cst.Call) or not is_call_of(code, tree, mean.api) or len(tree.args) != 1:
        return None
    shape = mean.inputs[0].shape
    if shape.head[:1] != (BATCH,) or (shape.rank is None and shape.min_rank > 2):
        return None  # flattened or transposed: what is left would be no value of a sample
    if shape.rank == 1:
        return unsafe("Leave the batch axis to Keras", code.unwrap(tree, tree.args[0].value))
    return unsafe("Reduce over the last axis only", [code.after(tree.args[0], ", axis=-1")])


def _scaled(loss: Loss, node: Node) -> Node | None:
    """The mean that ``node`` is up to constants, None where it is something else or is used elsewhere, too."""
    while node.op != "mean":
        inner = [x for x in node.inputs if constant(x) is None]
        if node.op not in ("neg", "mul", "div", "add", "sub", "identity") or len(inner) != 1:
            return None
        if node.op == "div" and inner[0] is not node.inputs[0]:
            return None
        node = inner[0]
    return node if len(users(loss).get(node.id, ())) <= 1 and node.attrs.get("axis") is None else None


@fixer("LL110")
def named_axes(draft: Draft, loss: Loss) -> Fix | None:
    """The axes that are known to be of length 1."""
    code, node = Code(draft.site), draft.node
    shape = node.inputs[0].shape
    known = shape.tail if shape.rest is not None else shape.head
    axes = [place - len(known) for place, dim in enumerate(known) if dim == ONE]
    calls = {code.tree_of(n): n for n in loss.graph.nodes if n.number == node.number and not n.internal}
    alone = (isinstance(c, cst.Call) and is_call_of(code, c, n.api) and len(c.args) == 1 for c, n in calls.items())
    if not axes or not all(alone):
        return None
    written = str(axes[0]) if len(axes) == 1 else f"({', '.join(map(str, axes))})"
    edits = [code.after(call.args[0], f", axis={written}") for call in calls if isinstance(call, cst.Call)]
    return unsafe("Name the axis" if len(axes) == 1 else "Name the axes", edits)
