"""Names that TensorFlow, Keras and NumPy no longer have, set on the real modules of this process."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_LAYERS = """core convolutional normalization pooling merge recurrent advanced_activations embeddings wrappers noise
local convolutional_recurrent dense_attention""".split()
_MOVED = (
    ("keras.objectives", "keras.losses"),
    ("keras.engine", "keras.layers"),
    ("keras.legacy.interfaces", ""),
    ("keras.backend", "keras.backend"),  # keras.backend.tensorflow_backend and the like
    ("keras.utils", "keras.utils"),  # generic_utils, np_utils, layer_utils
    ("keras.optimizer_v2", "keras.optimizers"),
    ("keras.optimizers", "keras.optimizers"),
    *((f"keras.layers.{name}", "keras.layers") for name in _LAYERS),
    ("tensorflow.python.keras", "tensorflow.keras"),
    ("tensorflow.python.util.tf_export", ""),
)
"""(prefix of a module that is gone, where what it held is now); the first that matches."""
_NUMPY = dict(
    pair.split("=")
    for pair in """
    float=float64 int=int64 bool=bool_ object=object_ complex=complex128 str=str_ long=int64 float_=float64
    complex_=complex128 unicode_=str_ Inf=inf Infinity=inf infty=inf NaN=nan NAN=nan product=prod cumproduct=cumprod
    alltrue=all sometrue=any in1d=isin trapz=trapezoid round_=round
    """.split()
)
_ROOTS = ("tensorflow", "keras", "tf_keras", "numpy")


def legacy_keras() -> bool:
    """Whether this process is to run Keras 2."""
    return os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")


def meant_by(name: str) -> str:
    """The module that ``name`` means in this process: where Keras 2 is to run, ``keras`` is ``tf_keras``."""
    if name.split(".")[0] == "keras" and legacy_keras() and importlib.util.find_spec("tf_keras"):
        return f"tf_{name}"
    return name


@dataclass
class OldNames:
    """``shims`` says what ran as what."""

    find: Callable[[str], Any]  # the module of a dotted name as the code under test sees it
    shims: list[str] = field(default_factory=list)
    replaced: dict[str, Any] = field(default_factory=dict)  # dotted name -> what stood there; None for nothing

    def put(self, owner: Any, path: str, name: str, value: Any) -> None:
        """Make ``value`` the member ``name`` of ``owner``, which is the object at ``path``."""
        self.replaced.setdefault(f"{path}.{name}", _get(owner, name))
        setattr(owner, name, value)

    def note(self, text: str) -> None:
        """Record ``text`` once."""
        if text not in self.shims:
            self.shims.append(text)

    def module(self, name: str) -> Any | None:
        """What holds now the contents of the module ``name``, which is gone; None where nothing does."""
        for prefix, now in _MOVED:
            if now and (name == prefix or name.startswith(prefix + ".")):
                candidates = [now + name[len(prefix) :], now]
                for candidate in (c for c in candidates if c != name):
                    found = _import(meant_by(candidate))
                    if found is not None:
                        self.note(f"{name} ran as {candidate}")
                        return found
        return None

    def member(self, owner: Any, path: str, name: str) -> Any | None:
        """What ``path.name`` was, now that ``owner``, the object at ``path``, has no ``name``; set on it if found."""
        for candidate in _candidates(path, name):
            if candidate == f"{path}.{name}":
                continue
            found = _at(candidate)
            if found is not None:
                self.note(f"{_short(path)}.{name} ran as {_short(candidate)}")
                self.put(owner, path, name, found)
                return found
        moved = self.module(f"{path}.{name}") if path.startswith(("keras", "tensorflow.python.keras")) else None
        if moved is not None:
            self.put(owner, path, name, moved)
        return moved

    def provide(self, tree: ast.Module) -> None:
        """Make the old names that ``tree`` uses work."""
        aliases = dict(_aliases(tree))
        if not aliases:
            return
        inner: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and id(node) not in inner:
                chain = list(_chain(node, inner))
                if chain and chain[0] in aliases:
                    self._follow(aliases[chain[0]], chain[1:])
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.keywords:
                chain = list(_chain(node.func, set()))
                if chain and aliases.get(chain[0], "").startswith("tensorflow"):
                    self._keywords(aliases[chain[0]], chain[1:], {k.arg for k in node.keywords if k.arg})

    def _follow(self, path: str, names: list[str]) -> Any | None:
        """The object that ``names`` lead to from ``path``; None where they lead nowhere."""
        owner = self.find(path)
        for name in names:
            if owner is None or not inspect.ismodule(owner):
                return None
            found = _get(owner, name)
            if found is None:
                found = _import(f"{path}.{name}") or self.member(owner, path, name)
            owner, path = found, f"{path}.{name}"
        return owner

    def _keywords(self, path: str, names: list[str], keywords: set[str]) -> None:
        """A call with arguments that only the function of TensorFlow 1 takes means that one."""
        function = self._follow(path, names)
        full = ".".join([path, *names])
        if function is None or full.startswith("tensorflow.compat.") or not callable(function):
            return
        before = _at("tensorflow.compat.v1" + full.removeprefix("tensorflow"))
        if before is None or before is function or keywords <= _parameters(function):
            return
        if keywords <= _parameters(before):
            owner = self._follow(path, names[:-1])
            self.note(f"{_short(full)} ran as tf.compat.v1{full.removeprefix('tensorflow')}")
            self.put(owner, full.rpartition(".")[0], names[-1], before)


def _parameters(function: Any) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def _candidates(path: str, name: str) -> Iterator[str]:
    top, _, rest = path.partition(".")
    inner = f"{rest}.{name}" if rest else name
    if top == "numpy":
        if not rest and name in _NUMPY:
            yield f"numpy.{_NUMPY[name]}"
        return
    if top == "tensorflow" and not rest.startswith("keras"):
        yield f"tensorflow.compat.v1.{inner}"
        yield f"tensorflow.keras.{inner}"
        if not rest:
            yield f"tensorflow.math.{name}"
        return
    if top == "tensorflow":
        inner = inner.removeprefix("keras.")
    yield f"tensorflow.keras.{inner}"
    module = inner.rpartition(".")[0]
    if module == "backend":
        if name == "tf":
            yield "tensorflow"
        yield from (f"tensorflow.math.{name}", f"tensorflow.{name}", f"keras.ops.{name}")
    if module == "losses":
        yield f"{'tf_keras.src.losses' if legacy_keras() else 'keras.src.losses.losses'}.{name}"
    yield from (f"tensorflow.keras.layers.{name}", f"tensorflow.keras.{name}") if module == "layers" else ()


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name -> dotted path of a library, as imports and plain assignments at the top level say."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = alias.name if alias.asname else alias.name.split(".")[0]
                if path.split(".")[0] in _ROOTS:
                    known[alias.asname or path] = path
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in _ROOTS:
            known.update((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names if a.name != "*")
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            chain = list(_chain(node.value, set()))
            if chain and chain[0] in known and isinstance(node.targets[0], ast.Name):
                known.setdefault(node.targets[0].id, ".".join([known[chain[0]], *chain[1:]]))
    yield from known.items()


def _chain(node: ast.expr, inner: set[int]) -> Iterator[str]:
    """``a``, ``b``, ``c`` of ``a.b.c``; nothing where it starts with something else. ``inner`` collects its parts."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
        inner.add(id(node))
    if isinstance(node, ast.Name):
        yield from (node.id, *reversed(names))


def _short(path: str) -> str:
    return "tf" + path.removeprefix("tensorflow") if path.split(".")[0] == "tensorflow" else path


def _get(owner: Any, name: str) -> Any | None:
    try:
        return getattr(owner, name, None)
    except Exception:  # a lazy module that cannot load what it promises
        return None


def _import(name: str) -> Any | None:
    try:
        return importlib.import_module(name)
    except Exception:  # whatever a package does when it is imported
        return None


def _at(path: str) -> Any | None:
    """The object at a dotted path of real modules."""
    parts = path.split(".")
    owner: Any = _import(parts[0])
    for index, name in enumerate(parts[1:], 2):
        if owner is None:
            return None
        found = _get(owner, name)
        owner = found if found is not None else _import(".".join(parts[:index]))
    return owner
