"""LL408, LL412: the logits in place of the probability, and a similarity that is minimized the other way round."""

from __future__ import annotations

import libcst as cst

from losslint.checks.base import Draft
from losslint.findings import Edit, Fix
from losslint.fixes.base import fixer, unsafe
from losslint.fixes.code import Code, argument, number
from losslint.fixes.spelling import is_call_of
from losslint.frontend.names import is_loss_name
from losslint.graph import Node
from losslint.loss import Loss
from losslint.ops.linear import constant
from losslint.ops.logits import probability

_OPERAND = ("x", "a", "logits", "features", "input")
_SLOT = ("logits", "y_pred", "output")
_GUARDS = frozenset({"identity", "clip", "maximum", "minimum", "add", "sub"})
_PRODUCTS = (cst.Multiply, cst.Divide, cst.MatrixMultiply, cst.Power)


@fixer("LL408")
def once_activated(draft: Draft, loss: Loss) -> Fix | None:
    """What the first activation is applied to, or the first activation without the second."""
    code, node = Code(draft.site), draft.node
    given = node.inputs[0]
    call = draft.site.tree
    if "logits" in node.attrs:
        place = argument(call, 1, *_SLOT)
    elif not is_call_of(code, call, node.api):
        return None
    else:
        place = argument(call, 0, *_OPERAND)
        if place is not None and not node.op.startswith("log_"):
            return unsafe("Drop the second activation", code.unwrap(call, place))
    first = probability(given)
    if place is None or first is None or not _is_guarded_only(given, first):
        return None
    written = code.tree_of(given)
    logits = _logits(code, first)
    if written is None or logits is None or not code.stands_for(place, written) or not code.same_value(logits, call):
        return None
    unused = code.without_use(written, place) if isinstance(place, cst.Name) else []
    return unsafe("Pass the logits", [code.replace(place, code.text(logits)), *unused])


def _is_guarded_only(given: Node, first: Node) -> bool:
    """Whether nothing but guards stands between the activation and what is given."""
    while given is not first:
        if given.op not in _GUARDS:
            return False
        given = next(x for x in given.inputs if constant(x) is None)
    return True


def _logits(code: Code, first: Node) -> cst.BaseExpression | None:
    """What the activation ``first`` of this function is applied to, along its last axis."""
    tree = code.tree_of(first)
    if not isinstance(tree, cst.Call) or not is_call_of(code, tree, first.api):
        return None
    operand = argument(tree, 0, *_OPERAND)
    axes = [a for a in tree.args if a.value is not operand and not (a.keyword and a.keyword.value == "name")]
    return operand if all(number(a.value) == -1 for a in axes) else None


@fixer("LL412")
def minimized_distance(draft: Draft, loss: Loss) -> Fix | None:
    """One minus the similarity, or without the minus that is one too many."""
    found, value = draft.fault, loss.value
    called_loss = is_loss_name(loss.name.removesuffix(".call").replace(".<locals>", ""))
    if len(loss.outputs) != 1 or not isinstance(value, Node) or not called_loss:
        return None
    site = loss.outputs[0].site
    if site is None or site.caller is not None or not isinstance(site.tree, cst.Return) or site.tree.value is None:
        return None
    code, result = Code(site), site.tree.value
    if code.slice.module is not draft.site.module.module:
        return None
    while value.op in ("mean", "identity") and value is not found:
        value = value.inputs[0]
    return unsafe("Minimize it the other way round", _turned(code, site.tree, result, value is found))


def _turned(code: Code, statement: cst.Return, result: cst.BaseExpression, plain: bool) -> list[Edit]:
    """The edits after which ``result`` falls where it rose. ``plain``: it is the similarity, at most 1."""
    if isinstance(result, cst.UnaryOperation) and isinstance(result.operator, cst.Minus) and not result.lpar:
        return code.unwrap(result, result.expression)
    if isinstance(result, cst.BinaryOperation) and not result.lpar and number(result.left) is not None:
        if isinstance(result.operator, cst.Subtract):
            return [code.between(result.left, result.right, " + ")]
        if isinstance(result.operator, cst.Add):
            return [code.between(result.left, result.right, " - ")] if _binds(result.right) else []
    sign = ("" if statement.whitespace_after_return.value else " ") + ("1.0 - " if plain else "-")
    return [code.before(result, sign)] if _binds(result) else code.around(result, f"{sign}(", ")")


def _binds(tree: cst.BaseExpression) -> bool:
    """Whether a sign or a term may stand in front of ``tree`` without parentheses."""
    if isinstance(tree, cst.BinaryOperation) and not tree.lpar:
        return isinstance(tree.operator, _PRODUCTS)
    return bool(tree.lpar) or not isinstance(tree, (cst.Comparison, cst.BooleanOperation, cst.IfExp, cst.Lambda))
