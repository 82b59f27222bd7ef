"""Generates losslint/apis/tables.json.gz: which public names TensorFlow and Keras have, version by version.

    python scripts/api_tables.py FOLDER

Wheels that are not yet unpacked in FOLDER are downloaded with pip, one at a time, and only their Python files are kept
(1.5 GB in all). Nothing is imported: names come from the generated ``__init__`` files of the packages, keywords from
the ``ast`` of what these import. ``tests/apis/test_tables.py`` compares the result with the installed packages.
"""

from __future__ import annotations

import ast
import functools
import gzip
import itertools
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TABLES = Path(__file__).resolve().parent.parent / "losslint" / "apis" / "tables.json.gz"

TENSORFLOW = [f"2.{minor}" for minor in range(12, 22)]
KERAS_2 = [f"2.{minor}" for minor in range(12, 16)]
KERAS_3 = [f"3.{minor}" for minor in range(16)]
TF_KERAS = [f"2.{minor}" for minor in range(15, 22)]
PYTHON = "3.11"  # has a wheel of each of them

UNKNOWN, MODULE = -1, -2
"""What stands for the keywords of a name: those are not known; it is a module."""

_KEEPS_SIGNATURE = frozenset(
    """
    tf_export keras_export keras_core_export add_dispatch_support add_fallback_dispatch_list dispatch_for_types
    add_type_based_api_dispatcher dispatch_for_api dispatch_for_unary_elementwise_apis register_binary_elementwise_api
    register_unary_elementwise_api register_binary_elementwise_assert_api deprecated deprecated_args
    deprecated_arg_values deprecated_endpoints do_not_doc_inheritable do_not_generate_docs for_subclass_implementers
    do_not_convert filter_traceback contextmanager tf_contextlib.contextmanager no_automatic_dependency_tracking
    register_keras_serializable register_tf_serializable register_pytree_node_class disable_tf_operator_overload
    __all__ abstractmethod convert_to_list
    """.split()
)
"""Decorators whose result takes the arguments of what they decorate."""


@dataclass(frozen=True)
class Definition:
    """What a name leads to: a module, or a function, class or other object of ``module``."""

    kind: str  # "module", "function", "class", "object"
    module: str
    name: str = ""

    @property
    def key(self) -> str:
        """The same for two names of one object; "" where that is not known."""
        return f"{self.module}.{self.name}" if self.kind in ("function", "class") else ""


class Package:
    """The Python files of one unpacked wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trees: dict[str, ast.Module | None] = {}
        self._bound: dict[str, dict[str, ast.stmt]] = {}

    def file(self, module: str) -> Path | None:
        """The file of ``module``."""
        base = self.folder.joinpath(*module.split("."))
        return next((p for p in (base / "__init__.py", base.with_suffix(".py")) if p.is_file()), None)

    def tree(self, module: str) -> ast.Module | None:
        """Its ``ast``."""
        if module not in self._trees:
            path = self.file(module)
            self._trees[module] = ast.parse(path.read_bytes()) if path is not None else None
        return self._trees[module]

    def bound(self, module: str) -> dict[str, ast.stmt]:
        """The names that the top level of ``module`` binds, and the statement that does so last."""
        if module not in self._bound:
            tree = self.tree(module)
            self._bound[module] = dict(_bindings(tree.body)) if tree is not None else {}
        return self._bound[module]

    def resolve(self, module: str, name: str, depth: int = 0) -> Definition | None:
        """What ``name`` of ``module`` is; None where nothing binds it."""
        statement = self.bound(module).get(name)
        if statement is None:
            below = f"{module}.{name}"
            if self.file(below) is not None:
                return Definition("module", below)
            return self._starred(module, name, depth)
        if isinstance(statement, ast.ImportFrom) and depth < 30:
            source = _absolute(statement, module, self.file(module))
            written = next(a.name for a in statement.names if (a.asname or a.name) == name)
            if source == module:  # "from keras import losses" in keras/__init__.py
                below = f"{module}.{written}"
                return Definition("module", below) if self.file(below) is not None else None
            found = self.resolve(source, written, depth + 1)
            return found or Definition("object", source, written)
        if isinstance(statement, ast.Import):
            written = next(a.name for a in statement.names if (a.asname or a.name.split(".")[0]) == name)
            return Definition("module", written)
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Definition("function", module, name)
        if isinstance(statement, ast.ClassDef):
            return Definition("class", module, name)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name) and depth < 30:
            return self.resolve(module, statement.value.id, depth + 1) or Definition("object", module, name)
        return Definition("object", module, name)

    def _starred(self, module: str, name: str, depth: int) -> Definition | None:
        tree = self.tree(module)
        if depth > 10 or name.startswith("_"):
            return None
        for statement in tree.body if tree is not None else ():
            if isinstance(statement, ast.ImportFrom) and any(a.name == "*" for a in statement.names):
                found = self.resolve(_absolute(statement, module, self.file(module)), name, depth + 1)
                if found is not None and found.kind != "module":
                    return found
        return None

    # -- keywords --------------------------------------------------------------------------------------------------
    @functools.cache  # noqa: B019  # packages live as long as the script
    def keywords(self, definition: Definition) -> tuple[str, ...] | None:
        """The keywords that a call of ``definition`` may use; None where that is not known, or where all may be."""
        if definition.kind not in ("function", "class"):
            return None
        statement = self.bound(definition.module)[definition.name]
        if isinstance(statement, ast.ClassDef):
            return self._constructor(definition, statement)
        assert isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
        return _keywords(statement)

    def _constructor(self, definition: Definition, statement: ast.ClassDef) -> tuple[str, ...] | None:
        lineage = list(self._lineage(definition, statement))
        metaclasses = [k.value for c in lineage if c is not None for k in c.keywords if k.arg == "metaclass"]
        if any(ast.unparse(m).rpartition(".")[2] != "ABCMeta" for m in metaclasses):
            return None  # it decides what a call means: tf.Variable
        for owner in lineage:
            if owner is None or any(not _keeps(d) for d in owner.decorator_list):
                return None  # a base of another package, a dataclass
            members = {s.name: s for s in owner.body if isinstance(s, ast.FunctionDef)}
            if "__new__" in members and (owner is statement or owner.name != "Operation"):  # Keras' only notes them
                return None
            if "__init__" in members:
                return _keywords(members["__init__"], bound=True)
        return None

    def _lineage(
        self, definition: Definition, statement: ast.ClassDef, below: tuple[str, ...] = ()
    ) -> Iterator[ast.ClassDef | None]:
        """A class and its bases, in about the order of Python; None for one that is not found."""
        yield statement
        below = (*below, definition.key)
        for base in statement.bases:
            found = None
            if isinstance(base, ast.Name):
                found = self.resolve(definition.module, base.id)
            elif isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
                owner = self.resolve(definition.module, base.value.id)
                found = self.resolve(owner.module, base.attr) if owner is not None and owner.kind == "module" else None
            if isinstance(base, ast.Name) and base.id == "object":
                continue
            inner = self.bound(found.module).get(found.name) if found is not None and found.kind == "class" else None
            if found is None or not isinstance(inner, ast.ClassDef) or found.key in below:
                yield None
            else:
                yield from self._lineage(found, inner, below)


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name, statement
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                yield alias.asname or alias.name.split(".")[0], statement
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if alias.name != "*":
                    yield alias.asname or alias.name, statement
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                for node in ast.walk(target):
                    if isinstance(node, ast.Name):
                        yield node.id, statement
        elif isinstance(statement, ast.Delete):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            for inner in ("body", "orelse", "finalbody"):
                yield from _bindings(getattr(statement, inner, []))


def _absolute(statement: ast.ImportFrom, module: str, file: Path | None) -> str:
    if not statement.level:
        return statement.module or ""
    package = module if file is not None and file.name == "__init__.py" else module.rpartition(".")[0]
    for _ in range(statement.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{statement.module}" if statement.module else package


def _keeps(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in _KEEPS_SIGNATURE


def _keywords(function: ast.FunctionDef | ast.AsyncFunctionDef, bound: bool = False) -> tuple[str, ...] | None:
    args = function.args
    if args.kwarg is not None or any(not _keeps(d) for d in function.decorator_list):
        return None
    names = [a.arg for a in args.args]
    if bound and not args.posonlyargs:
        names = names[1:]
    return tuple(sorted([*names, *(a.arg for a in args.kwonlyargs)]))


# -- public modules --------------------------------------------------------------------------------------------------

Members = dict[str, dict[str, tuple[Definition, tuple[str, ...] | None]]]
"""Public module (from the root on, "" for the root) -> name -> what it is, and its keywords."""


def public(package: Package, root: str, internal: frozenset[str]) -> Members:
    """Everything public below the module ``root``. ``internal`` are names of ``root`` that are no part of it."""
    found: Members = {}
    todo = [("", root)]
    while todo:
        path, module = todo.pop()
        members = found.setdefault(path, {})
        for name in package.bound(module):
            if name.startswith("_") or (not path and name in internal):
                continue
            definition = package.resolve(module, name)
            if definition is None or isinstance(package.bound(module).get(name), ast.Delete):
                continue
            members[name] = definition, package.keywords(definition)
            inner = definition.module
            below = f"{path}.{name}".lstrip(".")
            if definition.kind == "module" and _is_api(inner) and below not in found and path.count(".") < 6:
                todo.append((below, inner))
    return found


def _is_api(module: str) -> bool:
    """Whether ``module`` is one of those that only say what is public."""
    top, *rest = module.split(".")
    if top == "tensorflow":
        return rest[:1] == ["_api"] and rest[-3:] != ["compat", "v1", "compat"] and "v2" not in rest[2:]
    return top in ("keras", "tf_keras") and not {"src", "engine"} & set(rest)


def tensorflow(package: Package, minor: str) -> Members:
    """What ``import tensorflow`` has, Keras left out: that is loaded lazily, from another package."""
    internal = frozenset(("python", "core", "compiler", "keras", "losses", "metrics", "optimizers", "initializers"))
    found = public(package, "tensorflow", internal | {"importlib"})
    found["compat.v1.app"]["flags"] = found["compat.v1"]["flags"]  # set by a statement
    if int(minor.split(".")[1]) < 16:
        found[""]["estimator"] = Definition("object", "tensorflow_estimator"), None
    return found


# -- versions --------------------------------------------------------------------------------------------------------


def unpacked(folder: Path, name: str, version: str) -> Package:
    """The Python files of the newest patch of ``name`` ``version``."""
    place = folder / f"{name}-{version}"
    if not (place / ".done").is_file():
        with tempfile.TemporaryDirectory(dir=folder) as wheels:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
            command += ["--python-version", PYTHON, "--dest", wheels, f"{name}=={version}.*"]
            subprocess.run(command, check=True)
            with zipfile.ZipFile(next(Path(wheels).glob("*.whl"))) as wheel:
                wheel.extractall(place, [n for n in wheel.namelist() if n.endswith(".py")])
        (place / ".done").touch()
    return Package(place)


def keras_root(package: Package) -> str:
    """The module that says what ``import keras`` has."""
    return "keras.api" if package.file("keras.api") and package.file("keras.api.losses") else "keras"


def collected(folder: Path) -> dict[str, dict[str, Members]]:
    """Root -> version -> what is public there."""
    found: dict[str, dict[str, Members]] = defaultdict(dict)
    hidden = frozenset(("src", "api", "os"))
    for version in TENSORFLOW:
        print("tensorflow", version, file=sys.stderr)
        found["tensorflow"][version] = tensorflow(unpacked(folder, "tensorflow-cpu", version), version)
    for version in [*KERAS_2, *KERAS_3]:
        print("keras", version, file=sys.stderr)
        package = unpacked(folder, "keras", version)
        legacy = version in KERAS_2
        if version not in KERAS_2[:-1]:  # until 2.14 "keras" is its sources: whatever they bind is there
            found["keras"][version] = public(package, keras_root(package) if not legacy else "keras", hidden)
        inner = "keras.api._v2.keras" if legacy else "keras._tf_keras.keras"
        inner = inner if package.file(inner) else "keras.api._tf_keras.keras"
        found["tensorflow.keras"][version] = public(package, inner, hidden)
        if legacy:
            found["tensorflow.compat.v1.keras"][version] = public(package, "keras.api._v1.keras", hidden)
    for version in TF_KERAS:
        print("tf_keras", version, file=sys.stderr)
        found["tf_keras"][version] = public(unpacked(folder, "tf_keras", version), "tf_keras", hidden)
    return found


# -- one compact table -----------------------------------------------------------------------------------------------


def compact(found: dict[str, dict[str, Members]]) -> dict[str, object]:
    """The table that losslint reads: see ``losslint/apis/tables.py``."""
    keywords: dict[str, int] = {}

    def number(definition: Definition, names: tuple[str, ...] | None, module: bool) -> int:
        if module:
            return MODULE
        return UNKNOWN if names is None else keywords.setdefault(" ".join(names), len(keywords))

    roots: dict[str, object] = {}
    for root, by_version in found.items():
        versions = list(by_version)
        spans: dict[str, dict[str, list[int]]] = {}
        for index, version in enumerate(versions):
            for module, members in by_version[version].items():
                for name, (definition, names) in members.items():
                    below = f"{module}.{name}".lstrip(".") in by_version[version]
                    value = number(definition, names, below)
                    known = spans.setdefault(module, {}).setdefault(name, [])
                    if known and known[-2] == index - 1 and known[-1] == value:
                        known[-2] = index
                    else:
                        known += [index, index, value]
        whole = [0, len(versions) - 1]
        modules = {
            module: {n: s[2] if s[:2] == whole else s for n, s in sorted(names.items())}
            for module, names in sorted(spans.items())
        }
        roots[root] = {"versions": versions, "modules": modules}
    return {"roots": roots, "keywords": list(keywords), "renames": renames(found)}


def renames(found: dict[str, dict[str, Members]]) -> dict[str, str]:
    """Name that the newest version lacks -> the name under which it has the same function or class.

    What TensorFlow 1 had is in tf.compat.v1; ``keras`` and ``tf.keras`` have other names for the same losses.
    """
    newest = {root: by_version[list(by_version)[-1]] for root, by_version in found.items()}
    v1 = "compat.v1"
    before = {
        m.removeprefix(v1).lstrip("."): names
        for m, names in newest["tensorflow"].items()
        if m == v1 or m.startswith(f"{v1}.")
    }
    now = {m: n for m, n in newest["tensorflow"].items() if not m.startswith("compat")}
    keras, tf_keras = newest["keras"], newest["tensorflow.keras"]
    pairs = [("tensorflow", before, now), ("tensorflow.keras", keras, tf_keras), ("keras", tf_keras, keras)]
    return dict(itertools.chain.from_iterable(_renamed(*pair) for pair in pairs))


def _renamed(root: str, old: Members, new: Members) -> Iterator[tuple[str, str]]:
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for module, members in new.items():
        for name, (definition, _) in members.items():
            if definition.key:
                places[definition.key].append((module, name))
    for module, members in sorted(old.items()):
        for name, (definition, _) in sorted(members.items()):
            there = places.get(definition.key, []) if name not in new.get(module, {}) else []
            if there:
                same = sorted(there, key=lambda p: (p[0] != module, p[0].count("."), p[0] == "raw_ops", p))
                yield ".".join(filter(None, (root, module, name))), ".".join(filter(None, (root, *same[0])))


def main() -> None:
    """Write the table."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(compact(collected(folder)), separators=(",", ":"))
    TABLES.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(
        f"{TABLES.name}: {TABLES.stat().st_size / 1024:.0f} KiB, {len(text) / 1024:.0f} KiB unpacked", file=sys.stderr
    )


if __name__ == "__main__":
    main()
