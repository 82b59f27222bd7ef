"""The linted tree: finds the file behind an import and keeps parsed modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from losslint import sources
from losslint.frontend.module import Module
from losslint.sources import Source

_ROOT_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
_MAX_LEVELS = 10


class Project:
    """Modules by path. ``keep`` of them are kept, those that were used last: a tree takes fifty times its source."""

    def __init__(self, keep: int = 150) -> None:
        self._keep = keep
        self._modules: dict[str, Module | None] = {}  # the one that was used last comes last
        self._found: dict[tuple[str, str, int], str | None] = {}
        self._texts: dict[str, str] = {}  # what stands for files that were changed and are not yet written
        self._added = ""  # the module that is linted now, which may differ from its file

    def add(self, module: Module) -> None:
        """Use ``module`` for its path, as an unsaved buffer or a file that was read already."""
        self._added = str(Path(module.path).resolve())
        self._use(self._added, module)

    def change(self, path: Path, text: str) -> None:
        """Read ``text`` for the file at ``path`` from now on."""
        name = str(path.resolve())
        self._texts[name] = text
        self._modules.pop(name, None)

    def load(self, path: Path) -> Module | None:
        """The module at ``path``; None where it cannot be read or parsed (reported where it is linted itself)."""
        return self._load(str(path.resolve()))

    def _load(self, path: str) -> Module | None:
        if path in self._modules:
            module = self._modules[path]
        else:
            try:
                known = self._texts.get(path)
                source = Source(path, known) if known is not None else sources.read(Path(path), path)
                module = Module(source.filename, source.text, sources.syntax_tree(source))
            except sources.Unreadable:
                module = None
        self._use(path, module)
        return module

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
        key = (importer.path, name, level)
        if key not in self._found:
            self._found[key] = self._search(importer, name, level)
        path = self._found[key]
        return None if path is None else self._load(path)

    def _search(self, importer: Module, name: str, level: int) -> str | None:
        return search(Path(importer.path), name, level, self._at)

    def _at(self, folder: Path, name: str) -> str | None:
        base = folder.joinpath(*name.split(".")) if name else folder
        for path in (base.with_suffix(".py") if name else base / "__init__.py", base / "__init__.py"):
            if path.is_file():
                found = str(path.resolve())
                return None if self._load(found) is None else found
        return None


def search(importer: Path, name: str, level: int, at: Callable[[Path, str], str | None]) -> str | None:
    """The file that ``importer`` means by ``from <level dots>name import ...``; ``at`` looks for a module in a folder.

    Without dots the folders above are tried as well, up to the root of the tree: nobody knows what ``sys.path`` holds.
    """
    own = importer.resolve()
    here = own.parent
    if level:
        for _ in range(level - 1):
            here = here.parent
        return at(here, name)
    for _ in range(_MAX_LEVELS):
        found = at(here, name)
        if found is not None and found != str(own):
            return found
        if here.parent == here or any((here / mark).exists() for mark in _ROOT_MARKS):
            break
        here = here.parent
    return None
