"""How a catalogued name is written in Python, and what the installed packages have under that name."""

from __future__ import annotations

import builtins
import functools
import importlib
import math
from types import ModuleType
from typing import Any, NamedTuple

HEADER = """\
import math
import numpy as np
import tensorflow as tf
import tf_keras
import keras as standalone
from tensorflow import keras
from tensorflow.keras import backend as K
from keras import ops
"""
"""What every case imports."""

_ROOTS = {
    # canonical package: ways to write it, the first that has the name wins
    "tensorflow": ("tf", "tf.compat.v1"),
    "keras": ("keras", "standalone", "standalone.src", "tf_keras"),
    "numpy": ("np",),
    "math": ("math",),
    "builtins": ("",),
}


class Spelled(NamedTuple):
    """``text`` is how ``function`` is written where ``HEADER`` stands above."""

    text: str
    function: Any


@functools.cache
def namespace() -> dict[str, Any]:
    """The names that ``HEADER`` binds."""
    names: dict[str, Any] = {}
    exec(HEADER, names)
    return names


@functools.cache
def spelled(name: str) -> Spelled | None:
    """The canonical ``name`` as Python, None where the installed packages do not have it."""
    package, *path = name.split(".")
    for root in _ROOTS.get(package, ()):
        found = _follow(_start(root), path)
        if found is not None:
            if root == "keras" and path[0] == "backend":
                return Spelled(".".join(["K", *path[1:]]), found)
            return Spelled(".".join([root] * bool(root) + path), found)
    return None


def _start(root: str) -> Any:
    if not root:
        return builtins
    first, *path = root.split(".")
    return _follow(math if first == "math" else namespace()[first], path)


def _follow(owner: Any, path: list[str]) -> Any:
    for part in path:
        found = getattr(owner, part, None)
        if found is None and isinstance(owner, ModuleType):
            try:
                found = importlib.import_module(f"{owner.__name__}.{part}")
            except ImportError:
                return None
        owner = found
    return owner
