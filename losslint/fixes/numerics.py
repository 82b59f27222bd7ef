"""LL4: guards where a logarithm, a root or a division leaves its domain, and the fused operations."""

from __future__ import annotations

import libcst as cst

from losslint.checks.base import Draft
from losslint.domain.interval import Trust
from losslint.findings import Edit, Fix
from losslint.fixes.base import fixer, unsafe
from losslint.fixes.code import Code, argument, number, walk
from losslint.fixes.spelling import is_call_of, spell
from losslint.graph import Node
from losslint.loss import Loss
from losslint.ops.gradients import SHAPE_ONLY
from losslint.ops.linear import chain, constant
from losslint.ops.singularities import LOGS

_EPSILONS = {"float16": "1e-3", "bfloat16": "1e-2"}
_LOST = 6e-8  # 1 minus less than this is 1 in float32
_KEYWORDS = ("x", "a", "y", "input", "input_tensor", "features", "logits")


def _epsilon(node: Node) -> str:
    """The epsilon that survives next to 1 in the dtype of ``node``."""
    return _EPSILONS.get(node.dtype or "", "1e-7")


def _place(node: Node) -> int:
    """Which argument of its call the operand of ``node`` is."""
    return 1 if node.op in ("xlogy", "xlog1py") else 0


def _operand(code: Code, node: Node) -> cst.BaseExpression | None:
    """The expression that ``node`` is singular in."""
    tree = code.tree_of(node)
    if node.op == "div":
        return tree.right if isinstance(tree, cst.BinaryOperation) and isinstance(tree.operator, cst.Divide) else None
    return argument(tree, _place(node), *_KEYWORDS) if tree is not None else None


# --- guards -------------------------------------------------------------------------------------------------------


@fixer("LL401")
def clip_argument(draft: Draft, loss: Loss) -> Fix | None:
    """Keep the argument of a log away from 0, or take the operation that needs no guard."""
    code, log = Code(draft.site), draft.node
    return _log_of_complement(code, log) or unsafe(
        "Clip the argument of the logarithm", _guarded(code, loss, log, _operand(code, log))
    )


def _guarded(code: Code, loss: Loss, log: Node, operand: cst.BaseExpression | None) -> list[Edit] | None:
    """The edits that keep ``operand`` of ``log`` above the point where it is -inf."""
    value = log.inputs[-1]
    interval = loss.ranges.of(value)
    point = LOGS.get(log.op)
    if operand is None or point is None or interval.low.at != point:
        return None  # what is negative over a whole range needs more than a guard
    like, api = code.tree_of(log), log.api
    epsilon = _epsilon(value)
    if point < 0:
        maximum = spell(code, "maximum", like, api)
        return None if maximum is None else code.around(operand, f"{maximum}(", f", {epsilon} - 1.0)")
    floor = _floor(operand)
    if floor is not None:
        return [code.replace(floor, epsilon)]
    clip, maximum = spell(code, "clip", like, api), spell(code, "maximum", like, api)
    # another caller of a helper may pass more than 1, and what is only taken for a probability may be more
    bounded = interval.high.at <= 1.0 and interval.high.trust is Trust.KNOWN
    if clip is not None and bounded and code.site.caller is None:
        return code.around(operand, f"{clip}(", f", {epsilon}, 1.0)")
    return None if maximum is None else code.around(operand, f"{maximum}(", f", {epsilon})")


def _floor(operand: cst.CSTNode) -> cst.CSTNode | None:
    """The bound 0 that ``operand``, a maximum or a clip, is written with."""
    if not isinstance(operand, cst.Call) or not isinstance(operand.func, (cst.Name, cst.Attribute)):
        return None
    name = operand.func.value if isinstance(operand.func, cst.Name) else operand.func.attr.value
    if name not in ("maximum", "clip", "clip_by_value"):
        return None
    bound = argument(operand, 1)
    return bound if number(bound) == 0 else None


def _log_of_complement(code: Code, log: Node) -> Fix | None:
    """``log(1 - sigmoid(x))`` is ``log_sigmoid(-x)``, whatever epsilon was added."""
    if log.op != "log":
        return None
    links = chain(log.inputs[0])
    tree, inner = code.tree_of(log), code.tree_of(links.core)
    if (
        not is_call_of(code, tree, log.api)
        or links.core.op != "sigmoid"
        or links.sign > 0
        or not 1.0 <= links.constant < 1.001
        or tree is None
    ):
        return None
    logits = argument(inner, 0, *_KEYWORDS) if inner is not None else None
    name = spell(code, "log_sigmoid", tree, log.api)
    if logits is None or name is None or not code.same_value(logits, tree):
        return None
    return unsafe(f"Use {name}", [code.replace(tree, f"{name}(-{code.operand(logits)})")])


@fixer("LL402")
def surviving_epsilon(draft: Draft, loss: Loss) -> Fix | None:
    """An epsilon that rounding does not take away."""
    code, node = Code(draft.site), draft.node
    operand = _operand(code, node)
    if operand is None or node.op in ("norm", "std", "pow", "log1p", "xlog1py"):
        return None
    if (stable := _log_of_complement(code, node)) is not None:
        return stable
    if (bounds := _wider_clip(code, node)) is not None:
        return unsafe("Clip to 1e-7 and 1 - 1e-7", bounds)
    maximum = spell(code, "maximum", code.tree_of(node), node.api)
    if maximum is None:
        return None
    if isinstance(operand, cst.BinaryOperation) and isinstance(operand.operator, cst.Add) and not operand.lpar:
        added = chain(node.inputs[-1] if node.op != "div" else node.inputs[1])
        if added.constants > 1 and _is_small(operand.right, added.core.dtype):
            # the sum 1 - x stays, what was added to it becomes its least value
            edits = [
                code.before(operand, f"{maximum}("),
                code.between(operand.left, operand.right, ", "),
                code.after(operand, ")"),
            ]
            return unsafe(f"Use {maximum}", edits)
    value = node.inputs[1] if node.op == "div" else node.inputs[-1]
    return unsafe(f"Use {maximum}", code.around(operand, f"{maximum}(", f", {_epsilon(value)})"))


def _is_small(tree: cst.CSTNode, dtype: str | None) -> bool:
    """Whether ``tree`` is a constant that the dtype can hold, and small."""
    known = number(tree)
    return known is not None and (1e-6 if dtype == "float16" else 1e-30) < known <= 1e-3


def _wider_clip(code: Code, node: Node) -> list[Edit] | None:
    """1e-7 in place of a smaller bound that is written in the clip before ``node``."""
    clip = chain(node.inputs[1] if node.op == "div" else node.inputs[-1]).core
    tree = code.tree_of(clip) if clip.op == "clip" else None
    if tree is None or clip.dtype in _EPSILONS:
        return None
    edits = []
    for bound in (argument(tree, 1), argument(tree, 2)):
        small = (
            bound.right
            if isinstance(bound, cst.BinaryOperation) and isinstance(bound.operator, cst.Subtract)
            else bound
        )
        known = number(small)
        if bound is None or small is None or known is None:
            return None  # a constant with a name may be meant for more than this
        if 0 < known <= _LOST:
            edits.append(code.replace(small, "1e-7"))
    return edits or None


@fixer("LL403")
def clip_before_log(draft: Draft, loss: Loss) -> Fix | None:
    """Clip the argument of the log; a clip of the result that has nothing left to do goes."""
    code, log = Code(draft.site), draft.node
    tree = code.tree_of(log)
    edits = _guarded(code, loss, log, _operand(code, log))
    if edits is None or tree is None:
        return None
    outer = draft.site.tree
    if code.parent(tree) in getattr(outer, "args", ()) and _is_idle(outer):
        first, last = code.unwrap(outer, tree)
        edits = [first, *edits, last]
    return unsafe("Clip the argument of the logarithm instead", edits)


def _is_idle(clip: cst.CSTNode) -> bool:
    """Whether a clip of ``log(p)`` changes nothing where p is between 1e-7 and 1."""
    low, high = number(argument(clip, 1)), number(argument(clip, 2))
    return low is not None and low < -16.2 and high is not None and high >= 0


@fixer("LL405")
def epsilon_in_denominator(draft: Draft, loss: Loss) -> Fix | None:
    """``a / b + eps`` becomes ``a / (b + eps)``."""
    code, total = Code(draft.site), draft.site.tree
    tree = code.tree_of(draft.node)
    if not isinstance(total, cst.BinaryOperation) or tree is not total.left:
        return None
    if not isinstance(tree, cst.BinaryOperation) or not isinstance(tree.operator, cst.Divide) or tree.lpar:
        return None
    epsilon, denominator = code.text(total.right), tree.right
    if denominator.lpar and isinstance(denominator, cst.BinaryOperation):
        edits = [code.after(denominator.right, f" + {epsilon}"), code.drop_after(tree, total.right)]
    else:
        edits = [code.before(denominator, "("), code.drop_after(tree, total.right, f" + {epsilon})")]
    return unsafe("Move the epsilon into the denominator", edits)


# --- where --------------------------------------------------------------------------------------------------------

_SAFE = dict.fromkeys((*LOGS, "div", "reciprocal", "exp", "sqrt", "rsqrt", "pow"), "ones_like") | dict.fromkeys(
    ("acos", "asin", "atanh"), "zeros_like"
)


@fixer("LL407")
def double_where(draft: Draft, loss: Loss) -> Fix | None:
    """Give the branch that is not taken an argument at which it is harmless."""
    code, node, mask = Code(draft.site), draft.node, draft.data["mask"]
    if mask.op != "select" or node.op not in _SAFE:
        return None
    tree, where = code.tree_of(node), code.tree_of(mask)
    operand = _operand(code, node)
    if tree is None or operand is None or not isinstance(where, cst.Call):
        return None
    condition = argument(where, 0, "condition")
    taken = _branch(mask, node)
    if condition is None or taken is None or not code.same_value(condition, tree, calls=True):
        return None
    choose, other = spell(code, "where", where, mask.api), spell(code, _SAFE[node.op], where, mask.api)
    if choose is None or other is None:
        return None
    harmless = f"{other}({code.text(operand)})"
    before, after = f"{choose}({code.text(condition)}, ", ")"
    if taken == 1:
        edits = code.around(operand, before, f", {harmless}{after}")
    else:
        edits = code.around(operand, f"{before}{harmless}, ", after)
    return unsafe("Make the argument safe where the result is not taken", edits)


def _branch(mask: Node, node: Node) -> int | None:
    """The branch of ``mask`` that ``node`` comes through, None where it comes through both."""
    found = [i for i in (1, 2) if _reaches(mask.inputs[i], node)]
    return found[0] if len(found) == 1 else None


def _reaches(start: Node, node: Node) -> bool:
    todo, seen = [start], {start.id}
    while todo:
        at = todo.pop()
        if at is node:
            return True
        fresh = [x for x in at.inputs if x.id not in seen and x.id >= node.id and at.op not in SHAPE_ONLY]
        seen.update(x.id for x in fresh)
        todo += fresh
    return False


# --- fused operations ---------------------------------------------------------------------------------------------


@fixer("LL409")
def fuse(draft: Draft, loss: Loss) -> Fix | None:
    """The fused operation in place of the logarithm."""
    code, log = Code(draft.site), draft.node
    tree = code.tree_of(log)
    inner = log.inputs[0]
    if tree is None or not is_call_of(code, tree, log.api):
        return None
    if inner.op in ("softmax", "sigmoid"):
        return _renamed(code, log, tree, code.tree_of(inner), f"log_{inner.op}")
    if inner.op == "sum" and inner.inputs[0].op == "exp":
        return _log_sum_exp(code, log, tree, inner)
    exponential = inner if log.op == "log1p" else next((x for x in inner.inputs if constant(x) is None), inner)
    if exponential.op != "exp" or (log.op == "log" and inner.op != "add"):
        return None
    return _renamed(code, log, tree, code.tree_of(exponential), "softplus", alone=True)


def _renamed(
    code: Code, log: Node, tree: cst.CSTNode, inner: cst.CSTNode | None, operation: str, alone: bool = False
) -> Fix | None:
    """``log(f(args))`` as ``operation(args)``; ``alone``: f takes one argument."""
    name = spell(code, operation, tree, log.api)
    if not isinstance(inner, cst.Call) or name is None or any(a.star for a in inner.args):
        return None
    first = argument(inner, 0, *_KEYWORDS)
    if first is None or (alone and len(inner.args) > 1):
        return None
    args = [code.text(first)]
    for arg in inner.args:
        if arg.value is first:
            continue
        if arg.keyword is None and len(args) > 1:
            return None
        if arg.keyword is not None and arg.keyword.value not in ("axis", "dim"):
            continue  # a name for the graph
        args.append(f"axis={code.text(arg.value)}")
    if operation == "log_sigmoid":
        args = args[:1]
    if not all(code.same_value(a.value, tree) for a in inner.args):
        return None
    named = next((n for n in walk(tree) if isinstance(n, cst.Name) and code.stands_for(n, inner)), None)
    unused = code.without_use(inner, named) if named is not None else []
    return unsafe(f"Use {name}", [code.replace(tree, f"{name}({', '.join(args)})"), *unused])


def _log_sum_exp(code: Code, log: Node, tree: cst.CSTNode, total: Node) -> Fix | None:
    outer, inner = code.tree_of(total), code.tree_of(total.inputs[0])
    name = spell(code, "logsumexp", tree, log.api)
    exponent = argument(inner, 0, *_KEYWORDS) if inner is not None else None
    if not isinstance(outer, cst.Call) or exponent is None or name is None or any(a.star for a in outer.args):
        return None
    first = argument(outer, 0, *_KEYWORDS)
    others = [a for a in outer.args if a.value is not first]
    if not all(code.same_value(x, tree) for x in (exponent, *(a.value for a in others))):
        return None
    args = [code.text(exponent)]
    for place, arg in enumerate(others):
        keyword = arg.keyword.value if arg.keyword is not None else ("axis", "keepdims")[place] if place < 2 else ""
        if keyword not in ("axis", "keepdims"):
            return None
        args.append(f"{keyword}={code.text(arg.value)}")
    return unsafe(f"Use {name}", [code.replace(tree, f"{name}({', '.join(args)})")])
