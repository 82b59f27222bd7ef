"""LL503: what a name or a keyword is called in the targeted version, as the file can write it."""

from __future__ import annotations

import ast
import re

from losslint.apis.renames import OTHER_NUMBERS, SAME_PLACES, call_now, keyword_now
from losslint.apis.tables import ask, is_old
from losslint.checks.base import Draft
from losslint.findings import Edit, Fix, Span
from losslint.fixes.base import SAFE, UNSAFE, fixer
from losslint.fixes.spelling import prefixes
from losslint.frontend.module import Module, toplevel
from losslint.frontend.references import Reference, Written
from losslint.subjects.names import Names

_LATER = re.compile(r"[\s)]*\)\Z")


@fixer("LL503")
def new_name(draft: Draft, subject: Names) -> Fix | None:
    """The new name in place of the old one, with the keywords that go with it."""
    reference: Reference = draft.data["reference"]
    if len(reference.names) != 1:
        return None
    if draft.data.get("keyword"):
        return _keyword(draft, reference)
    tree = draft.site.tree
    if isinstance(tree, ast.alias):
        return _imported(draft, subject, tree)
    if reference.tree is not tree:
        return None  # a module is gone, or a class whose attribute is asked for
    return _renamed(draft, subject, reference) or _called(draft, subject, reference)


def _fix(new: str, edits: list[Edit] | None) -> Fix | None:
    """Safe where all versions have ``new``: then nothing is lost to who runs an older one."""
    if not edits:
        return None
    return Fix(SAFE if is_old(new) else UNSAFE, f"Use {_short(new)}", tuple(edits))


def _short(name: str) -> str:
    return "tf" + name.removeprefix("tensorflow") if name.startswith("tensorflow.") else name


def _keyword(draft: Draft, reference: Reference) -> Fix | None:
    old, new = draft.data["keyword"], draft.data["keywords"].get(draft.data["keyword"])
    call = reference.call
    if new is None or call is None or any(k.arg in (new, None) for k in call.keywords):
        return None
    return Fix(SAFE, f"Use {new}=", (_rename_keyword(draft, draft.site.tree, old, new),))


def _rename_keyword(draft: Draft, keyword: ast.AST, old: str, new: str) -> Edit:
    span = draft.site.module.span(keyword)
    return Edit(Span(span.row, span.column, span.row, span.column + len(old)), new)


def _renamed(draft: Draft, subject: Names, reference: Reference) -> Fix | None:
    """Another name for the same function."""
    old, new, call = draft.data["name"], draft.data["rename"], reference.call
    if not new or new.startswith("tensorflow.compat."):
        return None  # what only compat.v1 has wants a look
    keywords: list[Edit] = []
    places = SAME_PLACES.get(old)
    if places is not None:
        if call is None or any(isinstance(a, ast.Starred) for a in call.args):
            return None
        if len(call.args) + len(call.keywords) < places[0] or len(call.args) > places[1]:
            return None
    told = OTHER_NUMBERS.get(old)
    if told is not None and not (call is not None and any(_is_true(k, told) for k in call.keywords)):
        return None
    if call is not None and call.keywords:
        answer = ask(new, subject.target, subject.legacy)
        takes = answer.keywords if answer is not None else None
        for keyword in call.keywords:
            if takes is None or keyword.arg is None:
                return None
            now = keyword.arg if keyword.arg in takes else keyword_now(keyword.arg, takes)
            if not now or (now != keyword.arg and any(k.arg == now for k in call.keywords)):
                return None
            if now != keyword.arg:
                keywords.append(_rename_keyword(draft, keyword, keyword.arg, now))
    written, importing = _written(subject, reference, new)
    if not written:
        return None
    return _fix(new, [Edit(draft.site.module.span(draft.site.tree), written), *importing, *keywords])


def _is_true(keyword: ast.keyword, name: str) -> bool:
    return keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _called(draft: Draft, subject: Names, reference: Reference) -> Fix | None:
    """A call of another function that does the same: ``tf.cast(x, tf.float32)`` for ``tf.to_float(x)``."""
    now, call = call_now(draft.data["name"]), reference.call
    if now is None or call is None or call.keywords or len(call.args) != now.arguments:
        return None
    if any(isinstance(a, ast.Starred) for a in call.args):
        return None
    place = draft.site.module
    last, end = place.span(call.args[-1]), place.span(call)
    # between the last argument and the end of the call: its own parentheses at most
    lines = subject.module.lines
    between = lines[end.end_row - 1][last.end_column - 1 : end.end_column - 1]
    if last.end_row != end.end_row or _LATER.fullmatch(between) is None:
        return None
    written, importing = _written(subject, reference, now.function)
    extra = subject.spelled(now.extra) if now.extra.startswith("tensorflow.") else now.extra
    if not written or not extra:
        return None
    column = end.end_column - 1
    edits = [Edit(place.span(draft.site.tree), written), *importing]
    return _fix(now.function, [*edits, Edit(Span(end.end_row, column, end.end_row, column), f", {extra}")])


# -- imports ---------------------------------------------------------------------------------------------------------


def _imported(draft: Draft, subject: Names, alias: ast.alias) -> Fix | None:
    """``from tensorflow.math import log`` for ``from tensorflow import log``: what uses the name stays as it is."""
    old, new = draft.data["name"], draft.data["rename"]
    if not new or new.startswith("tensorflow.compat.") or old in SAME_PLACES or old.startswith("keras.backend."):
        return None
    statement = next(n for n in ast.walk(subject.module.tree) if isinstance(n, ast.ImportFrom) and alias in n.names)
    module, _, name = new.rpartition(".")
    if statement.module is None or statement.module != old.rpartition(".")[0]:
        return None
    edits = []
    place = Written(subject.module)
    if module != statement.module:
        if len(statement.names) != 1:
            return None
        span = place.span(statement)
        found = re.match(
            rf"from\s+({re.escape(statement.module)})\s", subject.module.lines[span.row - 1][span.column - 1 :]
        )
        if found is None:
            return None
        first = span.column + found.start(1)
        edits.append(Edit(Span(span.row, first, span.row, first + len(found[1])), module))
    if name != alias.name:
        span = place.span(alias)
        bound = alias.asname or alias.name
        edits.append(Edit(span, name if name == bound else f"{name} as {bound}"))
    return _fix(new, edits)


def _written(subject: Names, reference: Reference, new: str) -> tuple[str, list[Edit]]:
    """How the file writes ``new``, with the import that this needs; "" where there is no way."""
    spelled = subject.spelled(new)
    root = spelled.split(".")[0]
    if root == reference.spelled.split(".")[0] or root in prefixes(subject.module).values():
        return spelled, []
    if spelled or not new.startswith("keras."):
        return "", []
    package, _, rest = new.removeprefix("keras.").partition(".")
    row = _row_after_import(subject.module, subject.file.aliases)
    if not rest or row is None or package in _names(subject.module):
        return "", []
    return f"{package}.{rest}", [Edit(Span(row, 1, row, 1), f"from keras import {package}\n")]


def _row_after_import(module: Module, aliases: dict[str, tuple[str, ...]]) -> int | None:
    """The row behind the statement that imports ``keras.backend``, where that stands in a line of its own."""
    bound = {name for name, meant in aliases.items() if meant == ("keras.backend",)}
    found = [
        s
        for s in toplevel(module.tree.body)
        if isinstance(s, (ast.Import, ast.ImportFrom)) and any((a.asname or a.name) in bound for a in s.names)
    ]
    if len(found) != 1 or found[0].col_offset or found[0] not in module.tree.body:
        return None
    end = found[0].end_lineno or found[0].lineno
    rest = module.lines[end - 1].encode()[found[0].end_col_offset :].decode(errors="replace").strip()
    return end + 1 if end < len(module.lines) and (not rest or rest.startswith("#")) else None


def _names(module: Module) -> set[str]:
    """Every name that the file binds or reads, anywhere."""
    found = {n.id for n in ast.walk(module.tree) if isinstance(n, ast.Name)}
    found |= {n.arg for n in ast.walk(module.tree) if isinstance(n, ast.arg)}
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(a.asname or a.name.split(".")[0] for a in node.names)
    return found
