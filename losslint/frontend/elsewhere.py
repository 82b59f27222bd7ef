"""What the other files of a run do with the functions of a file: ``def f`` here, ``model.compile(loss=f)`` there.

``uses`` reads all files of a run before any of them is linted, so what is known of a file depends on which files are
linted, and never on their order. It is cheap: most files are dismissed by the words in them, and what is left is parsed
by ``ast``; the interpreter is not asked.
"""

from __future__ import annotations

import ast
import functools
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from losslint.frontend.names import LIBRARIES
from losslint.frontend.project import search
from losslint.frontend.survey import compiled_loss, last_part, summands
from losslint.options import ADDED, BESIDE, COMPILED, METRIC, UNPACKED, Use

Uses = Mapping[str, tuple[Use, ...]]
"""Resolved path of a file -> what other files do with its functions: sorted, each (kind, name) once."""

_CONSUMES = (b".compile", b"add_loss", b"GradientTape", b".minimize", b".compute_gradients")
_TAPES = frozenset({"GradientTape", "minimize", "compute_gradients"})
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\.*[\w.]*)|import[ \t]+([\w.]+))", re.MULTILINE)
_TEST = re.compile(r"^test_|_test$|^conftest$")
_KEPT = 64  # files whose text is held
_DEPTH = 6  # re-exports that are followed


def uses(files: Iterable[tuple[str, Path]], read: Callable[[Path], bytes]) -> Uses:
    """``files`` are the linted ones: how findings call each, and its path; ``read`` gives what is in one.

    Only a few are held at a time. ``read`` does not raise: of a file that cannot be read it gives b"".
    """
    reader = _Reader({os.path.realpath(path): shown for shown, path in files}, read)
    found: dict[str, dict[tuple[str, str], str]] = {}
    for path in reader.files:
        for kind, target, name in reader.read(path):
            if target != path:
                places = found.setdefault(target, {})
                place = reader.files[path]
                places[kind, name] = min(place, places.get((kind, name), place))
    return {path: tuple(sorted(Use(*what, place) for what, place in known.items())) for path, known in found.items()}


class _Reader:
    """Reads files that consume losses, and finds the functions they name among the linted files."""

    def __init__(self, files: dict[str, str], read: Callable[[Path], bytes]) -> None:
        self.files = files
        self._held = functools.lru_cache(maxsize=_KEPT)(lambda path: read(Path(path)))
        self._at = functools.cache(self._file)
        self._imports = functools.cache(self._bindings)
        self._find = functools.cache(self._search)
        self._folders = frozenset(part for path in files for part in Path(path).parts[:-1])

    def read(self, path: str) -> Iterator[tuple[str, str, str]]:
        """What the file at ``path`` does with functions of other files: (kind, their file, their name)."""
        data = self._held(path)
        if not any(word in data for word in _CONSUMES) or not self._imports_files(path, data):
            return
        tree = _parsed(data)
        if tree is None:
            return
        values = _assigned(tree)
        for kind, function in _consumed(tree, bool(_TEST.search(Path(path).stem))):
            for named in _named(function, values):
                target = self._defining(path, _dotted(named))
                if target is not None:
                    yield (kind, *target)

    def _imports_files(self, path: str, data: bytes) -> bool:
        """Whether the file imports one of the linted files, as far as the first part of a name tells."""
        for match in _IMPORT.finditer(data):
            name = (match[1] or match[2] or b"").decode(errors="replace")
            if name.startswith("."):
                return True
            first = name.split(".")[0]
            if first and first not in LIBRARIES and (first in self._folders or self._find(path, first, 0) is not None):
                return True
        return False

    def _defining(self, path: str, parts: list[str]) -> tuple[str, str] | None:
        """The linted file and the name of the function that the dotted ``parts`` mean in the file at ``path``."""
        if not parts:
            return None
        meant = self._imports(path).get(parts[0])
        if meant is None:
            return self._followed(self._imported(path, parts[0])) if len(parts) == 1 else None
        module, name, level = meant
        inner = parts[1:]
        if name:
            inner = [name, *inner]
        elif not inner:
            return None
        for cut in range(len(inner) - 1, -1, -1):  # a.b.f: the file a/b, else the name b of the file a
            whole = ".".join([*filter(None, [module]), *inner[:cut]])
            found = self._find(path, whole, level) if whole or level else None
            if found is not None:
                return self._followed([(found, inner[cut])]) if cut == len(inner) - 1 else None
        return None

    def _followed(self, places: list[tuple[str, str]]) -> tuple[str, str] | None:
        """The first of ``places`` (file, name) that defines its name, else that of those they import it from.

        Each is looked into once: files that import everything of each other lead in circles.
        """
        seen: set[tuple[str, str]] = set()
        for _ in range(_DEPTH):
            further: list[tuple[str, str]] = []
            for path, name in places:
                if path in self.files and (path, name) not in seen:
                    seen.add((path, name))
                    if self._defines(path, name):
                        return path, name
                    further += self._imported(path, name)
            places = further
        return None

    def _defines(self, path: str, name: str) -> bool:
        defined = rb"^(?:async[ \t]+)?(?:def|class)[ \t]+" + re.escape(name.encode()) + rb"\b"
        return re.search(defined, self._held(path), re.MULTILINE) is not None

    def _imported(self, path: str, name: str) -> list[tuple[str, str]]:
        """What ``name`` of the file at ``path`` may be by its imports; of ``from x import *`` the last one wins."""
        imports = self._imports(path)
        if name in imports:
            asked = [imports[name]] if imports[name][1] else []
        else:
            stars = [meant for local, meant in imports.items() if local.startswith("*")]
            asked = [(module, name, level) for module, _, level in reversed(stars)]
        found = [(self._find(path, module, level), original) for module, original, level in asked]
        return [(file, original) for file, original in found if file is not None]

    def _bindings(self, path: str) -> dict[str, tuple[str, str, int]]:
        """Local name -> (module, name in it or "", level), for the imports of the file; "*1", "*2" for star imports."""
        tree = _parsed(self._held(path))
        found: dict[str, tuple[str, str, int]] = {}
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    local = f"*{len(found)}" if alias.name == "*" else alias.asname or alias.name
                    found[local] = (node.module or "", "" if alias.name == "*" else alias.name, node.level)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname:
                        found[alias.asname] = (alias.name, "", 0)
                    else:
                        found[alias.name.split(".")[0]] = (alias.name.split(".")[0], "", 0)
        return found

    def _search(self, importer: str, module: str, level: int) -> str | None:
        """The linted or other file of ``module``, as ``importer`` imports it."""
        return search(Path(os.path.realpath(importer)), module, level, self._at)

    @staticmethod
    def _file(folder: Path, name: str) -> str | None:
        base = folder.joinpath(*name.split(".")) if name else folder
        for path in (base.with_suffix(".py") if name else base / "__init__.py", base / "__init__.py"):
            if os.path.isfile(path):
                return os.path.realpath(path)
        return None


def _parsed(data: bytes) -> ast.Module | None:
    try:
        return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # it is reported where it is linted


def _consumed(tree: ast.Module, is_test: bool) -> Iterator[tuple[str, ast.expr]]:
    """The functions that a file consumes, and how. What a test does with a tape says nothing of training."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        name = last_part(call.func)
        if name == "compile":
            loss = compiled_loss(call)
            if loss is not None:
                yield COMPILED, loss
            yield from ((METRIC, k.value) for k in call.keywords if k.arg == "metrics")
        elif name == "add_loss" and call.args:
            yield from ((ADDED, added.func) for added in summands(call.args[0]) if isinstance(added, ast.Call))
    if is_test or not any(last_part(call.func) in _TAPES for call in calls):
        return
    yield from ((BESIDE, call.func) for call in calls)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Tuple, ast.List)):
            if isinstance(node.value, ast.Call):
                yield UNPACKED, node.value.func
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
            yield UNPACKED, node.value.func


def _assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Name -> what is assigned to it anywhere in the file."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


_NAMING = (ast.Name, ast.Attribute, ast.Call, ast.List, ast.Tuple, ast.Dict, ast.IfExp)


def _named(tree: ast.expr, values: Mapping[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """The functions an expression names: ``f``, ``f(alpha)``, ``[f, g]``, ``{"out": f}``, ``f if x else g``.

    Of a variable it is what is assigned to it, by way of four others at most; each is looked into once.
    """
    known: set[str] = set()
    todo = deque([(tree, 4)])
    while todo:
        part, depth = todo.popleft()
        if isinstance(part, ast.Name):
            yield part
            if depth and part.id not in known:
                known.add(part.id)
                todo += [(value, depth - 1) for value in values.get(part.id, ()) if isinstance(value, _NAMING)]
        elif isinstance(part, ast.Attribute):
            yield part
        elif isinstance(part, ast.Call):
            todo.append((part.func, 0))  # what it makes, not what it is made of
        elif isinstance(part, (ast.List, ast.Tuple)):
            todo += [(item, depth) for item in part.elts]
        elif isinstance(part, ast.Dict):
            todo += [(item, depth) for item in part.values]
        elif isinstance(part, ast.IfExp):
            todo += [(part.body, depth), (part.orelse, depth)]


def _dotted(tree: ast.expr) -> list[str]:
    """The parts of a dotted name; none for anything else."""
    parts: list[str] = []
    while isinstance(tree, ast.Attribute):
        parts.append(tree.attr)
        tree = tree.value
    return [tree.id, *reversed(parts)] if isinstance(tree, ast.Name) else []
