"""The linted tree: finds the file behind an import and keeps parsed modules."""

from __future__ import annotations

from pathlib import Path

from losslint import sources
from losslint.frontend.module import Module

_ROOT_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
_MAX_LEVELS = 6


class Project:
    """Modules by path. ``read`` is what turns a path into text (a seam for editors and clusters)."""

    def __init__(self) -> None:
        self._modules: dict[str, Module | None] = {}
        self._found: dict[tuple[str, str, int], Module | None] = {}

    def add(self, module: Module) -> None:
        """Use ``module`` for its path, as an unsaved buffer or a file that was read already."""
        self._modules[str(Path(module.path).resolve())] = module

    def load(self, path: Path) -> Module | None:
        """The module at ``path``; None where it cannot be read or parsed (reported where it is linted itself)."""
        key = str(path.resolve())
        if key not in self._modules:
            try:
                source = sources.read(path, str(path))
                self._modules[key] = Module(source.filename, source.text, sources.syntax_tree(source))
            except sources.Unreadable:
                self._modules[key] = None
        return self._modules[key]

    def find(self, importer: Module, name: str, level: int = 0) -> Module | None:
        """The module that ``importer`` means by ``from <level dots>name import ...``; None outside the tree."""
        key = (importer.path, name, level)
        if key not in self._found:
            self._found[key] = self._search(importer, name, level)
        return self._found[key]

    def _search(self, importer: Module, name: str, level: int) -> Module | None:
        here = Path(importer.path).resolve().parent
        if level:
            for _ in range(level - 1):
                here = here.parent
            return self._at(here, name)
        for _ in range(_MAX_LEVELS):
            found = self._at(here, name)
            if found is not None and found is not importer:
                return found
            if here.parent == here or any((here / mark).exists() for mark in _ROOT_MARKS):
                break
            here = here.parent
        return None

    def _at(self, folder: Path, name: str) -> Module | None:
        base = folder.joinpath(*name.split(".")) if name else folder
        for path in (base.with_suffix(".py") if name else base / "__init__.py", base / "__init__.py"):
            if path.is_file():
                return self.load(path)
        return None
