"""The linted tree: finds the file behind an import and keeps parsed modules."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from losslint import sources
from losslint.frontend.module import Module
from losslint.sources import Source

_T = TypeVar("_T")
ROOT_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
MAX_LEVELS = 10  # folders above a file in which its imports are looked for


class Project:
    """Modules by path. ``keep`` of them are kept, those that were used last: a tree takes fifty times its source."""

    def __init__(self, keep: int = 150, tree: Mapping[str, bytes] | None = None, here: str = "") -> None:
        """``tree`` holds the files there are, by path, where they are on another machine, and ``here`` its folder."""
        self._keep, self._tree, self._here = keep, tree, here
        self._modules: dict[str, Module | None] = {}  # the one that was used last comes last
        self._found: dict[tuple[str, str, int], tuple[str | None, dict[str, str]]] = {}
        self._probed: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self.used: dict[str, str] = {}
        """What was looked up since it was emptied: path -> "+" (it is there), "-" (it is not), or the file's digest."""
        self._told: dict[tuple[Any, ...], tuple[Any, dict[str, str]]] = {}
        self._texts: dict[str, str] = {}  # what stands for files that were changed and are not yet written
        self._added = ""  # the module that is linted now, which may differ from its file

    def fresh(self) -> Project:
        """The same project, nothing of it read yet."""
        project = Project(self._keep, self._tree, self._here)
        project._texts = self._texts
        return project

    def add(self, module: Module) -> None:
        """Use ``module`` for its path, as an unsaved buffer or a file that was read already."""
        self._added = str(self._real(Path(module.path)))
        self._digests[self._added] = sources.digest(module.text.encode(errors="surrogatepass")).hex()
        self._use(self._added, module)

    def change(self, path: Path, text: str) -> None:
        """Read ``text`` for the file at ``path`` from now on."""
        name = str(self._real(path))
        self._texts[name] = text
        self._modules.pop(name, None)
        self._digests.pop(name, None)

    def parsed(self, source: Source) -> ast.Module:
        """The tree of ``source``: the one there is where an import has led here before. Raises ``Unreadable``."""
        known = self._modules.get(str(self._real(source.path))) if source.path is not None else None
        return known.tree if known is not None and known.text == source.text else sources.syntax_tree(source)

    def load(self, path: Path) -> Module | None:
        """The module at ``path``; None where it cannot be read or parsed (reported where it is linted itself)."""
        return self._load(str(self._real(path)))

    def _load(self, path: str) -> Module | None:
        if path in self._modules:
            module = self._modules[path]
        else:
            try:
                known = self._texts.get(path)
                source = Source(path, known) if known is not None else self._source(path)
                self._digests[path] = sources.digest(source.text.encode(errors="surrogatepass")).hex()
                module = Module(source.filename, source.text, sources.syntax_tree(source))
            except sources.Unreadable:
                module = None
        self._use(path, module)
        self.used[path] = self._digests.get(path, "-")
        return module

    def _source(self, path: str) -> Source:
        if self._tree is None:
            return sources.read(Path(path), path)
        return sources.decode(self._tree[path], path, Path(path)) if path in self._tree else Source(path, "")

    def _real(self, path: Path) -> Path:
        return Path(os.path.realpath(path) if self._tree is None else os.path.normpath(os.path.join(self._here, path)))

    def _use(self, path: str, module: Module | None) -> None:
        self._modules.pop(path, None)
        self._modules[path] = module
        if len(self._modules) > self._keep:
            oldest = next(p for p in self._modules if p != self._added)
            dropped = self._modules.pop(oldest)
            if dropped is not None:
                dropped.release()

    def find(self, importer: Module, name: str, level: int = 0) -> Module | None:
        """The module that ``importer`` means by ``from <level dots>name import ...``; None outside the tree."""
        path = self.locate(importer.path, name, level)
        return None if path is None else self._load(path)

    def locate(self, importer: str, name: str, level: int = 0) -> str | None:
        """The path of the module that the file at ``importer`` means; it is not read again for that."""
        key = (importer, name, level)
        if key not in self._found:
            self._probed = {}
            self._found[key] = self._search(importer, name, level), self._probed
        path, probed = self._found[key]
        self.used |= probed
        return path

    def told(self, path: str, ask: Callable[[Module, Project], _T]) -> _T | None:
        """What ``ask`` tells of the module at ``path``, kept when the module is not; None where it cannot be read."""
        key = (path, ask, self._digests.get(path))
        if key not in self._told:
            before, self.used = self.used, {}
            try:
                module = self._load(path)
                answer = None if module is None else ask(module, self)
                key = (path, ask, self._digests.get(path))
                self._told[key] = answer, self.used
            finally:
                self.used = before
        answer, used = self._told[key]
        self.used |= used
        return answer  # type: ignore[no-any-return]

    def _search(self, importer: str, name: str, level: int) -> str | None:
        return search(self._real(Path(importer)), name, level, self._at, self._is_there)

    def _at(self, folder: Path, name: str) -> str | None:
        base = folder.joinpath(*name.split(".")) if name else folder
        for path in (base.with_suffix(".py") if name else base / "__init__.py", base / "__init__.py"):
            if self._is_there(path) and (self._tree is not None or os.path.isfile(path)):
                found = str(self._real(path))
                if self._load(found) is None:
                    self._probed[found] = self._digests.get(found, "-")
                    return None
                return found
        return None

    def _is_there(self, path: Path) -> bool:
        there = os.path.exists(path) if self._tree is None else str(path) in self._tree
        self._probed[str(path)] = "+" if there else "-"
        return there


def search(
    own: Path,
    name: str,
    level: int,
    at: Callable[[Path, str], str | None],
    is_there: Callable[[Path], bool] = os.path.exists,
) -> str | None:
    """The file that the one at ``own`` means by ``from <level dots>name import ...``; ``at`` looks in a folder.

    Without dots the folders above are tried as well, up to the root of the tree: nobody knows what ``sys.path`` holds.
    """
    here = own.parent
    if level:
        for _ in range(level - 1):
            here = here.parent
        return at(here, name)
    for _ in range(MAX_LEVELS):
        found = at(here, name)
        if found is not None and found != str(own):
            return found
        if here.parent == here or any(is_there(here / mark) for mark in ROOT_MARKS):
            break
        here = here.parent
    return None
