"""What the analysis believes of the losses of one file: what ``losslint facts`` shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losslint import discovery, rulebook, sources
from losslint.settings import Settings
from losslint.sources import Source


class NotFound(Exception):
    """There is no such file, or no such loss in it."""


@dataclass(slots=True)
class Believed:
    """The passports of the losses, in the order of the source, as data and as text."""

    passports: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def passports(filename: str, name: str, settings: Settings) -> Believed:
    """The passports of the losses of ``filename`` whose qualified name, or its last part, is ``name`` ("" for all).

    Raises NotFound.
    """
    path = Path(filename).absolute()
    if not path.is_file():
        absent = f"no such file: {filename}{discovery.neighbour(str(path))}"
        raise NotFound(f"{filename} is a folder: name one file in it" if path.is_dir() else absent)
    try:
        source = sources.read(path, filename)
    except sources.Unreadable as error:
        raise _unreadable(error) from None
    return of_source(source, name, settings)


def _unreadable(error: sources.Unreadable) -> NotFound:
    return NotFound(f"{error.finding.where}: {error.finding.message}")


def _known(name: str, known: list[str]) -> str:
    """The way on for who asks for the loss ``name``, where those that are ``known`` have other names."""
    told = f"; it has {', '.join(known[:_MOST])}{', ...' * (len(known) > _MOST)}" if known else "; it has none"
    return rulebook.hint(name, known) or told


_MOST = 5  # names that are told


def of_source(source: Source, name: str, settings: Settings) -> Believed:
    """The same of a text. Raises NotFound."""
    filename = source.filename
    try:
        tree = sources.syntax_tree(source)
    except sources.Unreadable as error:
        raise _unreadable(error) from None

    from losslint import engine, passport, session
    from losslint.frontend.project import Project

    project = Project()
    module = session.module_of(source, tree, project)
    found, known = Believed(), []
    for loss in engine.losses(module, project, session.options_of(source, tree, settings)):
        if isinstance(loss, engine.Failure):
            found.failures.append(f"the analysis of {loss.function} in {filename} failed: {loss.reason}")
            continue
        known.append(loss.name)
        if name in ("", loss.name, loss.name.rpartition(".")[2]):
            facts = passport.passport(loss)
            found.passports.append(facts)
            found.texts.append(passport.render(facts))
    if name and not found.passports and not found.failures:
        raise NotFound(f"there is no loss {name!r} in {filename}{_known(name, known)}")
    return found
