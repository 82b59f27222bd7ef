"""What the worker needs of the linted tree: the texts that a loss can reach, and where its parts stand."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from losslint.confirm.jobs import Bundle, File, Place, Step
from losslint.findings import Span
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.graph import Site, ancestors
from losslint.loss import Loss

MAX_FILES = 200
MAX_BYTES = 4 << 20


def bundle(module: Module, project: Project) -> Bundle:
    """``module`` and the modules of its tree whose names it reaches, by the dotted name they are imported as.

    Of ``module`` every statement counts, of the others those that bind a name which is imported from them.
    """
    main = _own_name(module)
    files: dict[str, File] = {}
    size = 0
    seen: dict[str, set[str]] = {}
    todo: list[tuple[str, Module, set[str] | None]] = [(main, module, None)]  # None: all of its names
    for key, here, wanted in todo:  # grows while it is walked over: near files come first
        if key in files and files[key].path != here.path:
            continue  # the nearer of two that are imported under one name
        if key not in files:
            if len(files) >= MAX_FILES or size + len(here.text) > MAX_BYTES:
                continue
            size += len(here.text)
            files[key] = File(key, here.path, here.text, here.is_package)
        names = set(here.bindings) if wanted is None else wanted
        fresh = names - seen.setdefault(key, set())
        if fresh or wanted is None:
            seen[key] |= fresh
            todo.extend(_imported(key, here, project, _reached(here, fresh, wanted is None)))
    return Bundle(main, files)


def step_of(loss: Loss) -> Step | None:
    """Where an inline loss is computed; None for one that is a function of its own."""
    if loss.whole:
        return None
    site = loss.site
    here = [n.site for n in ancestors(loss.results) if n.op == "model" and n.site is not None]
    inside = f"{site.function}.<locals>."
    places = {
        _place(s.module.span(s.tree))
        for s in here
        if s.module.path == site.module.path
        and ((s.function == site.function and s.caller is site.caller) or s.function.startswith(inside))
    }
    models = tuple(sorted(places, key=lambda p: (p.row, p.column)))
    return Step(site.function, place_of(site), models)


def place_of(site: Site) -> Place:
    """Where ``site`` stands in its file."""
    return _place(site.module.span(site.tree))


def _place(span: Span) -> Place:
    return Place(span.row, span.column, span.end_row, span.end_column)


def _own_name(module: Module) -> str:
    """A dotted name of ``module`` under which its relative imports, and those of its package, can be resolved."""
    path = Path(module.path).resolve()
    levels = [s.level for s in ast.walk(module.tree) if isinstance(s, ast.ImportFrom)]
    folder = path.parent
    above: list[str] = []
    while (folder / "__init__.py").is_file() or len(above) < max(levels, default=0):
        if not folder.name:
            break
        above.insert(0, folder.name)
        folder = folder.parent
    parts = above if module.is_package and above else [*above, path.stem]
    return ".".join(part.replace(".", "_") for part in parts)


def _reached(module: Module, names: set[str], whole: bool) -> list[ast.stmt]:
    """The top-level statements that bind ``names``, and those that bind what they read."""
    if whole:
        return module.tree.body
    found: dict[int, ast.stmt] = {}
    todo, known = sorted(names), set(names)
    for name in todo:  # grows
        for statement in module.bindings.get(name, ()):
            if id(statement) in found:
                continue
            found[id(statement)] = statement
            read = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)} - known
            known |= read
            todo.extend(sorted(read))
        if name not in module.bindings:
            found.update((id(s), s) for s, _ in module.star_imports)
    return list(found.values())


def _imported(
    key: str, module: Module, project: Project, statements: Iterable[ast.stmt]
) -> Iterator[tuple[str, Module, set[str] | None]]:
    """The modules of the tree that ``statements`` import, each with the names that are wanted of it."""
    package = key if module.is_package else key.rpartition(".")[0]
    nodes = [n for s in statements for n in ast.walk(s)]
    attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    # a module is wanted for its attributes, which may be read anywhere in the file
    attributes |= {n.attr for n in ast.walk(module.tree) if isinstance(n, ast.Attribute)} if nodes else set()
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(module, project, alias.name, attributes)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(node, package, module, project, attributes)


def _from(
    node: ast.ImportFrom, package: str, module: Module, project: Project, attributes: set[str]
) -> Iterator[tuple[str, Module, set[str] | None]]:
    """What ``from ... import ...`` brings in; an imported name may be a module as well."""
    name = node.module or ""
    star = any(a.name == "*" for a in node.names)
    wanted = None if star else {a.name for a in node.names}
    if node.level:
        base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
        absolute = f"{base}.{name}".strip(".")
        found = _find(project, module, name, node.level)
        if found is not None and absolute:
            yield absolute, found, wanted
        elif not absolute:
            return
    else:
        absolute = name
        yield from _with_parents(module, project, name, wanted)
    for alias in node.names:
        inner = _find(project, module, f"{name}.{alias.name}".strip("."), node.level) if alias.name != "*" else None
        if inner is not None:
            yield f"{absolute}.{alias.name}", inner, attributes


def _with_parents(
    module: Module, project: Project, name: str, wanted: set[str] | None
) -> Iterator[tuple[str, Module, set[str] | None]]:
    """The module called ``name`` and the packages around it."""
    prefixes = list(itertools.accumulate(name.split("."), "{}.{}".format))
    for prefix in prefixes:
        found = _find(project, module, prefix)
        if found is not None:
            yield prefix, found, wanted if prefix == name else set()


def _find(project: Project, module: Module, name: str, level: int = 0) -> Module | None:
    try:
        return project.find(module, name, level)
    except (OSError, ValueError, RecursionError):  # a name that no file system takes
        return None
