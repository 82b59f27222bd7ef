"""LL503: names and keywords that the targeted version does not have."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from losslint.apis.renames import keyword_now, way_out
from losslint.apis.tables import Answer, ask
from losslint.checks.base import Draft, check
from losslint.findings import Severity
from losslint.frontend.references import Reference
from losslint.subjects.names import Names
from losslint.targets import NEWEST


@check("LL503", on=Names)
def unknown_api(subject: Names) -> Iterator[Draft]:
    """A name, or a keyword of a call, that is not there.

    ``data``: ``name`` is what is missing, dotted, ``rename`` what it is called now ("" where that is not known) and
    ``spelled`` how the file can call that; ``keyword`` and ``keywords`` likewise for a keyword; ``reference`` is where
    it stands.
    """
    imported = {r.names: r for r in subject.references if isinstance(r.tree, ast.alias)}
    for reference in subject.references:
        if reference.guarded:
            continue
        answers = [ask(name, subject.target, subject.legacy) for name in reference.names]
        known = [a for a in answers if a is not None]
        if len(known) < len(answers):
            continue
        if all(a.missing is not None for a in known):
            yield from _missing(subject, reference, known[0], imported)
        elif reference.call is not None and all(a.missing is None for a in known):
            yield from _keywords(subject, reference, reference.call, known)


def _missing(
    subject: Names, reference: Reference, answer: Answer, imported: dict[tuple[str, ...], Reference]
) -> Iterator[Draft]:
    after = answer.missing or 0
    name, spelled = _without(reference.names[0], after), _without(reference.spelled, after)
    if subject.is_set(name):
        return
    source = next((r for names, r in imported.items() if f"{names[0]}.".startswith(f"{name}.")), None)
    if source is not None and source.guarded:
        return
    if source is not None and source is not reference and not isinstance(reference.tree, ast.alias):
        return  # it is reported where it is imported, wherever that is
    tree: ast.AST = reference.tree
    for _ in range(after if isinstance(tree, ast.Attribute) else 0):
        tree = tree.value if isinstance(tree, ast.Attribute) else tree
    out = way_out(name, subject.target, subject.legacy)
    new = subject.spelled(out.name) if out.name else ""
    said = f"; it is {new or _short(out.name)} now" if out.name else f"; {out.help}" if out.help else ""
    yield Draft(
        "LL503",
        Severity.ERROR,
        f"{spelled} does not exist in {_version(subject, answer)}{said}",
        subject.place(tree, reference.owners),
        fact=f"no {name.rpartition('.')[2]} in {_short(name.rpartition('.')[0])}",
        help=_help(out.name, new, out.help),
        data={
            "name": name,
            "rename": out.name,
            "spelled": new,
            "reference": reference,
            "claim": _claim(answer, name),
        },
    )


def _help(name: str, spelled: str, more: str) -> str:
    if not name:
        return more
    where = "" if spelled else f", which needs an import of {name.split('.')[0]}"
    return f"use {spelled or _short(name)}{where}{'; ' if more else ''}{more}"


def _keywords(subject: Names, reference: Reference, call: ast.Call, answers: list[Answer]) -> Iterator[Draft]:
    accepted = [a.keywords for a in answers]
    name = reference.names[0]
    for keyword in call.keywords:
        if keyword.arg is None or any(k is None or keyword.arg in k for k in accepted) or subject.is_set(name):
            continue
        takes = accepted[0] or frozenset()
        new = keyword_now(keyword.arg, takes)
        near = difflib.get_close_matches(keyword.arg, takes, 1, 0.75)
        said = f"; it is called {new} now" if new else ""
        yield Draft(
            "LL503",
            Severity.ERROR,
            f"{reference.spelled} takes no argument {keyword.arg} in {_version(subject, answers[0])}{said}",
            subject.place(keyword, reference.owners),
            fact=f"takes {', '.join(sorted(takes)) or 'no keywords'}",
            help=_keyword_help(reference.spelled, keyword.arg, new or "".join(near)),
            data={
                "name": name,
                "keyword": keyword.arg,
                "reference": reference,
                "keywords": {keyword.arg: new} if new else {},
                "claim": _claim(answers[0], name, keyword.arg),
            },
        )


def _keyword_help(spelled: str, keyword: str, new: str) -> str:
    if new:
        return f"write {new}="
    if keyword == "reduction" and ".losses." in f".{spelled}" and spelled.rpartition(".")[2][:1].islower():
        return "a loss function returns one value per sample; the class of that loss takes a reduction"
    return ""


def _claim(answer: Answer, name: str, keyword: str = "") -> dict[str, str]:
    """What a run has to look for."""
    return {"name": name, "keyword": keyword, "package": answer.package, "version": answer.version}


def _without(name: str, last: int) -> str:
    """``name`` without its ``last`` parts."""
    return ".".join(name.split(".")[:-last]) if last else name


def _short(name: str) -> str:
    return "tf" + name.removeprefix("tensorflow") if name.split(".")[0] == "tensorflow" else name


def _version(subject: Names, answer: Answer) -> str:
    origin = subject.target.origin
    said = origin if origin in (NEWEST, "configured") else f"the newest that {origin} admits"
    return f"{answer.package} {answer.version} ({said})"
