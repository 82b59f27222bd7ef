"""LL510, LL511: arguments by the names that they are meant for, and labels cast where they index."""

from __future__ import annotations

import libcst as cst

from losslint.checks.base import Draft
from losslint.findings import Fix, Severity
from losslint.fixes.base import fixer, safe, unsafe
from losslint.fixes.code import Code, argument
from losslint.fixes.spelling import cast_to
from losslint.loss import Loss


@fixer("LL510")
def by_keyword(draft: Draft, loss: Loss) -> Fix | None:
    """Labels and predictions by the names that the function has for them."""
    call, names = draft.site.tree, draft.data["slots"]
    code = Code(draft.site)
    # another caller of a helper may have them the right way round
    if draft.severity is not Severity.ERROR or code.site.caller is not None or not isinstance(call, cst.Call):
        return None
    if any(a.star for a in call.args):
        return None
    given = {a.keyword.value: a.keyword for a in call.args if a.keyword is not None}
    swapped = dict(zip(names, reversed(names), strict=True))
    if given.keys() >= set(names):
        return unsafe("Swap the keywords", [code.rename(given[name], swapped[name]) for name in names])
    positional = [a.value for a in call.args if a.keyword is None]
    if given.keys() & set(names) or len(positional) < len(names):
        return None
    pair = positional[: len(names)]
    if len(positional) > len(names):  # no argument by position may follow one by keyword
        texts = reversed([code.text(value) for value in pair])
        return unsafe("Swap them", [code.replace(v, text) for v, text in zip(pair, texts, strict=True)])
    edits = [code.before(value, f"{swapped[name]}=") for value, name in zip(pair, names, strict=True)]
    return unsafe("Pass them by keyword", edits)


@fixer("LL511")
def cast_labels(draft: Draft, loss: Loss) -> Fix | None:
    """Integers where the function wants them: labels are whole numbers, whatever type they come in."""
    call, (position, keyword) = draft.site.tree, draft.data.get("index", (0, ""))
    operand = argument(call, position, keyword) if keyword else None
    if operand is None:
        return None
    code = Code(draft.site)
    around = cast_to(code, call, draft.data["api"], "int32")
    return None if around is None else safe("Cast the labels", code.around(operand, *around))
