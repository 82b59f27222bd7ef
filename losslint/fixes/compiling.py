"""LL509: a loss that keeps the variable of its loop, and a factory that is called."""

from __future__ import annotations

import ast

import libcst as cst

from losslint.checks.base import Draft
from losslint.findings import Fix
from losslint.fixes.base import fixer, unsafe
from losslint.fixes.code import Code
from losslint.subjects.compiling import Compile

_LOOPS = (cst.For, cst.BaseComp)
_FUNCTIONS = (cst.FunctionDef, cst.Lambda)


@fixer("LL509")
def usable_loss(draft: Draft, subject: Compile) -> Fix | None:
    """``q=q`` among the parameters, or the call of a factory that needs nothing."""
    code, tree = Code(draft.site), draft.site.tree
    if "bind" in draft.data:
        return _bound(code, tree, draft.data["bind"])
    if draft.data.get("makes") and isinstance(tree, (cst.Name, cst.Attribute)):
        return unsafe("Call it", [code.after(tree, "()")])
    return None


def _bound(code: Code, function: cst.CSTNode, names: tuple[str, ...]) -> Fix | None:
    """The variables of the loop as defaults, which Python computes when the function is made."""
    if not isinstance(function, _FUNCTIONS):
        return None
    params = function.params
    positional = [*params.posonly_params, *params.params]
    others = (*params.kwonly_params, params.star_kwarg, params.star_arg)
    if not positional or any(isinstance(p, cst.Param) for p in others):
        return None
    above = code.parent(function)
    while above is not None and not isinstance(above, (*_LOOPS, *_FUNCTIONS)):
        above = code.parent(above)
    if above is None or isinstance(above, _FUNCTIONS):
        return None  # made by a function inside of the loop: it may be called later
    scope = code.function_at(code.span(above).row)
    if not isinstance(above, cst.BaseComp) and any(_assignments(scope, name) != 1 for name in names):
        return None
    last = positional[-1]
    keep = "".join(f", {name}={name}" for name in names)
    end = next((part for part in (last.default, last.annotation) if part is not None), None)
    place = end.annotation if isinstance(end, cst.Annotation) else end or last.name
    return unsafe("Keep it as a default", [code.after(place, keep)])


def _assignments(scope: ast.AST, name: str) -> int:
    """How often ``scope`` binds ``name``; the variable of a comprehension is another one of that name."""
    inside = {
        id(target)
        for node in ast.walk(scope)
        if isinstance(node, ast.comprehension)
        for target in ast.walk(node.target)
    }
    return sum(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) and id(node) not in inside
        for node in ast.walk(scope)
    )
