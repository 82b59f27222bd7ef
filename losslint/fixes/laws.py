"""LL3: a mean in place of a sum over the batch, and the batch size that is known when the step runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import libcst as cst

from losslint.checks.base import Draft
from losslint.domain.shape import Dim
from losslint.findings import Edit, Fix
from losslint.fixes.base import fixer, unsafe
from losslint.fixes.code import Code, argument, number
from losslint.fixes.spelling import cast_to, is_call_of, prefixes, spell
from losslint.graph import Node, ancestors
from losslint.loss import Loss
from losslint.ops.singularities import users

_SUMS = ("reduce_sum", "sum")
_TAKES_SHAPE = frozenset({"reshape", "fill", "zeros", "ones", "tile", "broadcast_to", "stack"})
"""Functions that take extents in a list, known or not."""


@fixer("LL302")
def mean_for_sum(draft: Draft, loss: Loss) -> Fix | None:
    """The mean in place of the sum, where it is this sum that grows with the batch."""
    total = draft.data.get("at")
    if not isinstance(total, Node) or total.op != "sum":
        return None
    if loss.called:
        return None  # what it is added to would weigh more than before
    code = Code(draft.site)
    tree = code.tree_of(total)
    if tree is not draft.site.tree or not isinstance(tree, cst.Call) or not total.api.endswith(_SUMS):
        return None
    if not is_call_of(code, tree, total.api):
        return None
    extent = total.attrs.get("extent")
    if not isinstance(extent, Dim) or extent.batch != 1 or _grows_beside(loss, draft.node, total):
        return None
    name = spell(code, "mean", tree, total.api)
    return None if name is None else unsafe(f"Use {name}", [code.rename(tree.func, name)])


def _grows_beside(loss: Loss, result: Node, total: Node) -> bool:
    """Whether another part of ``result`` grows with the batch, and would outweigh what is a mean then."""
    above, beside = {total.id}, []
    for node in ancestors([result]):
        if node is not total and any(x.id in above for x in node.inputs):
            above.add(node.id)
            beside += [x for x in node.inputs if x.id not in above]
    return any(p > 0 for x in beside for p in loss.laws.gradient(x).powers)


@fixer("LL306")
def dynamic_batch_size(draft: Draft, loss: Loss) -> Fix | None:
    """``tf.shape(x)[0]`` for ``x.shape[0]``, cast where it meets floats, wherever the loss asks for the same extent."""
    code, extent = Code(draft.site), draft.node
    unused = [n for n in loss.graph.nodes if n.attrs.get("listed") and n.id not in users(loss)]
    same = [n for n in loss.graph.nodes if n.number == extent.number and not n.internal and n not in unused]
    edits: dict[Edit, str] = {}
    for node in same:
        made = _dynamic(code, loss, node)
        if made is None:
            return None
        edits[made[1]] = made[0]
    return unsafe(f"Use {edits[next(iter(edits))]}", edits)


def _dynamic(code: Code, loss: Loss, extent: Node) -> tuple[str, Edit] | None:
    """The name of the function, and the edit that has it in place of what ``extent`` is written as."""
    tree = code.tree_of(extent)
    tensor = _measured(tree) if tree is not None else None
    if tree is None or tensor is None:
        return None
    like = _call_in(tree)
    shape = spell(code, "shape", like, _api(like))
    role = _role(code, tree)
    if shape is None or not role:
        return None
    written = f"{shape}({code.text(tensor)})[0]"
    if role == "number":
        met = {_meets(user, i) for user, i in users(loss).get(extent.id, ())}
        dtype = met.pop() if len(met) == 1 else None
        if dtype == "" and isinstance(tensor, cst.Name) and _is_prediction(extent):
            dtype = f"{tensor.value}.dtype"
        around = cast_to(code, like, _api(like), dtype or "float32") if dtype is not None else None
        if around is None:
            return None
        written = written.join(around)
    return shape, code.replace(tree, written)


def _role(code: Code, tree: cst.CSTNode) -> str:
    """What the extent is used for: "shape" or "number"; "" for anything that a tensor may not be good for."""
    span = code.span(tree)
    parents = {child: node for node in ast.walk(code.function) for child in ast.iter_child_nodes(node)}
    found = [
        n for n in parents if isinstance(n, ast.Subscript) and (n.lineno, n.col_offset) == (span.row, span.column - 1)
    ]
    if len(found) != 1:
        return ""
    uses: list[ast.expr] = list(found)
    above = parents[found[0]]
    if isinstance(above, ast.Assign):
        target = above.targets[0]
        if len(above.targets) != 1 or not isinstance(target, ast.Name) or len(code.bindings(target.id)) != 1:
            return ""
        uses = list(code.uses(target.id))
    roles = {_role_of(code, use, parents) for use in uses}
    return roles.pop() if len(roles) == 1 else ""


def _role_of(code: Code, use: ast.expr, parents: Mapping[ast.AST, ast.AST]) -> str:
    above = parents.get(use)
    if isinstance(above, ast.BinOp) and isinstance(above.op, (ast.Div, ast.Mult)):
        return "number"
    call = parents.get(above) if isinstance(above, (ast.Tuple, ast.List)) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in _TAKES_SHAPE:
        return ""
    owner = ast.unparse(call.func.value)
    known = {name for full, name in prefixes(code.module).items() if full.startswith(("tensorflow", "keras"))}
    return "shape" if owner.split(".")[0] in known else ""


def _meets(user: Node, i: int) -> str | None:
    """The dtype of the floats that an extent is combined with, "" where it is not known; None for anything else."""
    if user.op not in ("div", "mul") or user.internal:
        return None
    other = user.inputs[1 - i]
    if other.op == "const" or not (other.dtype or "float32").startswith("float"):
        return None
    return other.dtype or ""


def _is_prediction(extent: Node) -> bool:
    """Whether it is the extent of a prediction, which has the type that the loss computes in."""
    return any(x.op in ("source", "model") and x.attrs.get("role", "prediction") == "prediction" for x in extent.inputs)


def _api(like: cst.Call | None) -> str:
    return "keras.backend.int_shape" if like is not None and _attribute(like.func) == "int_shape" else "tensorflow."


def _call_in(tree: cst.CSTNode) -> cst.Call | None:
    owner = tree.value if isinstance(tree, cst.Subscript) else tree
    return owner if isinstance(owner, cst.Call) else None


def _measured(tree: cst.CSTNode) -> cst.BaseExpression | None:
    """The tensor whose first extent ``tree`` reads: ``x.shape[0]``, ``x.get_shape()[0]``, ``K.int_shape(x)[0]``."""
    if not isinstance(tree, cst.Subscript) or len(tree.slice) != 1:
        return None
    index = tree.slice[0].slice
    if not isinstance(index, cst.Index) or number(index.value) != 0:
        return None
    shape = tree.value
    if isinstance(shape, cst.Call) and _attribute(shape.func) == "as_list":
        shape = shape.func.value  # type: ignore[attr-defined]
    if isinstance(shape, cst.Attribute) and shape.attr.value == "shape":
        return shape.value
    if isinstance(shape, cst.Call) and isinstance(shape.func, cst.Attribute):
        if shape.func.attr.value == "get_shape":
            return shape.func.value
        if shape.func.attr.value == "int_shape":
            return argument(shape, 0, "x")
    return None


def _attribute(tree: cst.CSTNode) -> str:
    return tree.attr.value if isinstance(tree, cst.Attribute) else ""
