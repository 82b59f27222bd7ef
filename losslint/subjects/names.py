"""The names of TensorFlow and Keras that losses use, and those by which losses are chosen: ``compile(loss=...)``."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from losslint.frontend.discovery import Entry, entries
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.frontend.references import Reference, References, Written, references
from losslint.graph import Site
from losslint.loss import Consumer
from losslint.options import Options
from losslint.subjects import provider
from losslint.targets import Target

_CHOOSES = re.compile(r"\.(losses|metrics|objectives)\.")
_SETS = re.compile(r"\b(tf|tensorflow|keras|K)(\.\w+)+\s*=[^=]|setattr\(")
_MODULES = 200
"""How many files are asked whether they set a name."""
_REACHED = 300
"""How many functions of its file one loss is followed into: losses that all call each other reach as many each."""


@dataclass(eq=False)
class Names:
    """The library names that one loss uses, its helpers in the file included; or that the rest of the file chooses."""

    name: str
    site: Site
    consumer: Consumer | None
    module: Module
    project: Project
    file: References
    target: Target
    legacy: bool  # the file asks for Keras 2 in place of tf.keras
    references: list[Reference] = field(default_factory=list)

    def is_set(self, name: str) -> bool:
        """Whether the linted tree sets ``name`` itself: this file, or one that it imports."""
        return any(name == s or name.startswith(f"{s}.") for s in (*self.file.assigned, *self._set_elsewhere))

    @functools.cached_property
    def _set_elsewhere(self) -> frozenset[str]:
        return frozenset(_set_by_imports(self.module, self.project))

    def place(self, tree: ast.AST, owners: Iterable[ast.AST]) -> Site:
        """``tree``, inside of ``owners``, as a place."""
        return Site(Written(self.module), tree, _qualified(owners) or "<module>")

    def spelled(self, name: str) -> str:
        """How the file can call the dotted ``name`` with what it imports; "" where it cannot."""
        fitting = [
            (len(meant[0]), local + name[len(meant[0]) :])
            for local, meant in self.file.aliases.items()
            if len(meant) == 1 and (name == meant[0] or name.startswith(f"{meant[0]}."))
        ]
        return max(fitting, default=(0, ""))[1]


@provider
def names(module: Module, project: Project, options: Options) -> Iterator[Names]:
    """The names of each loss of ``module``, and those below ``*.losses`` and ``*.metrics`` in the rest of it."""
    found = entries(module, options)
    if not found and not _CHOOSES.search(module.text) and "losses" not in module.text:
        return
    file = references(module, project)
    legacy = "TF_USE_LEGACY_KERAS" in module.text
    calls = _Calls(module.survey.functions)
    imports = [r for r in file.found if isinstance(r.tree, ast.alias)]
    left = {id(r): r for r in file.found}
    inside: dict[int, list[int]] = {}  # definition, 0 for the module -> the indices of what stands in it
    for i, r in enumerate(file.found):
        for owner in map(id, r.owners) if r.owners else (0,):
            inside.setdefault(owner, []).append(i)
    for entry in sorted(found, key=lambda e: -len(e.chain)):  # a factory after the loss that it makes
        within = _region(entry, calls)
        own = [file.found[i] for i in sorted({i for owner in within for i in inside.get(owner, ())})]
        for reference in own:
            left.pop(id(reference), None)
        if own:
            tree: ast.AST = entry.chain[-1] if entry.chain else module.tree
            site = Site(Written(module), tree if entry.chain else _first(module), entry.name)
            yield Names(
                entry.name,
                site,
                entry.consumer,
                module,
                project,
                file,
                options.target,
                legacy,
                _with_imports(own, imports),
            )
    rest = [r for r in left.values() if _CHOOSES.search(f"{r.names[0]}.")]
    if rest:
        site = Site(Written(module), _first(module), "<module>")
        yield Names("<module>", site, None, module, project, file, options.target, legacy, rest)


def _first(module: Module) -> ast.AST:
    return module.tree.body[0]


def _with_imports(used: list[Reference], imports: list[Reference]) -> list[Reference]:
    """``used``, and those of the file's ``imports`` that they stand on."""
    known = set(map(id, used))
    wanted = {prefix for r in used for name in r.names for prefix in itertools.accumulate(name.split("."), _joined)}
    return used + [r for r in imports if r.names[0] in wanted and id(r) not in known]


def _joined(name: str, part: str) -> str:
    return f"{name}.{part}"


class _Calls:
    """The definitions of a file that each of its definitions may call; found once, however many losses lead there."""

    def __init__(self, bodies: Mapping[str, Sequence[ast.AST]]) -> None:
        self._bodies = bodies
        self._known: dict[int, list[ast.AST]] = {}

    def of(self, tree: ast.AST) -> list[ast.AST]:
        """Those that the definition ``tree`` may call."""
        if id(tree) not in self._known:
            called = dict.fromkeys(_called(n) for n in ast.walk(tree) if isinstance(n, ast.Call))
            self._known[id(tree)] = [body for name in called for body in self._bodies.get(name, ())]
        return self._known[id(tree)]


def _region(entry: Entry, calls: _Calls) -> set[int]:
    """The definitions that run with ``entry``: itself, and what it calls in the file. 0 stands for the module."""
    found: set[int] = set()
    todo: list[ast.AST] = []
    if not entry.chain:
        found.add(0)
        return found
    owner = entry.chain[-2] if len(entry.chain) > 1 else None
    todo.append(owner if isinstance(owner, ast.ClassDef) and entry.chain[-1].name == "call" else entry.chain[-1])
    while todo and len(found) < _REACHED:
        tree = todo.pop()
        if id(tree) not in found:
            found.add(id(tree))
            todo += calls.of(tree)
    return found


def _called(call: ast.Call) -> str:
    """The function of the same file that ``call`` may mean."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self":
        return function.attr
    return ""


def _qualified(owners: Iterable[ast.AST]) -> str:
    name, inside = "", False
    for owner in owners:
        own = owner.name if isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else "<lambda>"
        name = f"{name}{'.<locals>.' if inside else '.'}{own}" if name else own
        inside = not isinstance(owner, ast.ClassDef)
    return name


def _set_by_imports(module: Module, project: Project) -> Iterator[str]:
    """The names that the files which ``module`` imports set, and those that they import."""
    seen = {module.path}
    todo = [(module.path, _imports(module))]
    while todo and len(seen) < _MODULES:
        importer, wanted = todo.pop()
        for name, level in wanted:
            path = project.locate(importer, name, level)
            if path is not None and path not in seen:
                seen.add(path)
                said = project.told(path, _said)
                if said is not None:
                    yield from said.sets
                    todo.append((path, said.imports))


class _Said(NamedTuple):
    """What one file tells those that import it: asked of it once a run, however many do."""

    sets: frozenset[str]
    imports: tuple[tuple[str, int], ...]


def _said(module: Module, project: Project) -> _Said:
    sets = references(module, project).assigned if _SETS.search(module.text) else ()
    return _Said(frozenset(sets), _imports(module))


def _imports(module: Module) -> tuple[tuple[str, int], ...]:
    """The modules, with the number of dots before them, that a file may import; some may be names in them."""
    wanted: dict[tuple[str, int], None] = {}
    for statement in ast.walk(module.tree):
        if isinstance(statement, ast.Import):
            wanted |= dict.fromkeys((a.name, 0) for a in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base, level = statement.module or "", statement.level
            names = [base, *(f"{base}.{a.name}".lstrip(".") for a in statement.names)]
            wanted |= dict.fromkeys((name, level) for name in names if name or level)
    return tuple(wanted)
