"""LL504-LL506: keywords for the constructor of ``Loss``, ``call`` and ``super().__init__``, and ``get_config``."""

from __future__ import annotations

import libcst as cst

from losslint.checks.base import Draft
from losslint.findings import Edit, Fix
from losslint.fixes.base import fixer, unsafe
from losslint.fixes.code import Code, walk
from losslint.subjects.classes import LossClass

_KEPT_BY_LOSS = ("name", "reduction")
_WIDTH = 88
"""A longer line is broken, as the common formatters do."""


@fixer("LL504")
def keywords(draft: Draft, subject: LossClass) -> Fix | None:
    """The arguments by the names that they are meant for."""
    call, names = draft.site.tree, draft.data["keywords"]
    if not isinstance(call, cst.Call) or any(a.star for a in call.args):
        return None
    positional = [a for a in call.args if a.keyword is None]
    taken = {a.keyword.value for a in call.args if a.keyword is not None}
    if len(positional) != len(names) or taken & set(names):
        return None
    code = Code(draft.site)
    return unsafe("Pass them by keyword", [code.before(a, f"{n}=") for a, n in zip(positional, names, strict=True)])


@fixer("LL505")
def callable_by_keras(draft: Draft, subject: LossClass) -> Fix | None:
    """``call`` for ``__call__``, or the missing call of the base's constructor."""
    code = Code(draft.site)
    method = code.parent(draft.site.tree)
    if not isinstance(method, cst.FunctionDef):
        return None
    if draft.data.get("override"):
        others = sum(isinstance(n, cst.Name) and n.value in ("__call__", "call") for n in walk(subject.tree))
        arguments = [p.name.value for p in method.params.params]
        if not subject.is_plain or others > 1 or len(arguments) != 3 or method.params.kwonly_params:
            return None
        return unsafe("Name it call", [code.rename(method.name, "call")])
    if draft.data.get("missing") != "super" or not subject.is_plain or len(subject.tree.bases) != 1:
        return None
    first = _first_statement(method)
    if first is None:
        return None
    named = [f"{p.name}={p.name}" for p in subject.parameters if p.name in _KEPT_BY_LOSS]
    rest = method.params.star_kwarg
    arguments = [*named, *([f"**{rest.name.value}"] if rest is not None else [])]
    span = code.span(first)
    indentation = code.module.lines[span.row - 1][: span.column - 1]
    if indentation.strip():
        return None  # on the line of the def
    call = f"super().__init__({', '.join(arguments)})\n{indentation}"
    return unsafe("Call super().__init__", [code.insert(span.row, span.column, call)])


def _first_statement(method: cst.FunctionDef) -> cst.CSTNode | None:
    """The first statement of ``method`` that is no docstring."""
    for statement in method.body.body:
        small = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
        text = small[0].value if len(small) == 1 and isinstance(small[0], cst.Expr) else None
        if not isinstance(text, (cst.SimpleString, cst.ConcatenatedString)):
            return next(iter(small or getattr(statement, "decorators", ())), statement)
    return None


@fixer("LL506")
def complete_config(draft: Draft, subject: LossClass) -> Fix | None:
    """``get_config`` with what it leaves out; one of its own where there is none."""
    names, attributes = draft.data["parameters"], draft.data["attributes"]
    if not set(names) <= attributes.keys():
        return None
    entries = [f'"{name}": self.{attributes[name]}' for name in names]
    code = Code(subject.site)
    change = _completed if draft.data["method"] else _written
    return unsafe("Return what get_config leaves out", change(code, subject, entries))


def _completed(code: Code, subject: LossClass, entries: list[str]) -> list[Edit] | None:
    """The edits that add ``entries`` to what the class's own ``get_config`` returns."""
    site = subject.config.site
    if site is None or site.module is not code.slice:
        return None
    method = code.parent(site.tree)
    if not isinstance(method, cst.FunctionDef):
        return None
    returns = [n for n in walk(method) if isinstance(n, cst.Return)]
    if len(returns) != 1 or (value := returns[0].value) is None:
        return None
    if isinstance(value, cst.Dict) and value.elements:
        return [code.after(value.elements[-1].value, f", {', '.join(entries)}")]
    return code.around(value, "{**", f", {', '.join(entries)}}}") if isinstance(value, (cst.Name, cst.Call)) else None


def _written(code: Code, subject: LossClass, entries: list[str]) -> list[Edit] | None:
    """The edit that writes a ``get_config`` at the end of the class."""
    taken = {p.name for p in subject.parameters}
    if subject.open_ended or taken.issuperset(_KEPT_BY_LOSS):
        entries = ["**super().get_config()", *entries]
    elif not subject.is_plain:
        return None  # its base keeps more than these, and the constructor does not take it
    else:  # the constructor takes no more than this
        entries = [f'"{name}": self.{name}' for name in _KEPT_BY_LOSS if name in taken] + entries
    body = subject.tree.body
    if not isinstance(body, cst.IndentedBlock):
        return None
    first, end = code.span(body.body[0]), code.span(body.body[-1])
    lines = code.module.lines
    indentation = lines[first.row - 1][: first.column - 1]
    row = end.end_row if end.end_column > 1 else end.end_row - 1
    step = "\t" if "\t" in indentation else "    "
    inner = indentation + step
    returned = f"{inner}return {{{', '.join(entries)}}}"
    if len(returned) > _WIDTH:
        listed = "".join(f"{inner}{step}{entry},\n" for entry in entries)
        returned = f"{inner}return {{\n{listed}{inner}}}"
    text = f"\n\n{indentation}def get_config(self):\n{returned}"
    column = len(lines[row - 1]) + 1
    return [code.insert(row, column, text)]
