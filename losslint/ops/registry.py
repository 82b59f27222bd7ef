"""Where catalogued functions register: ``@api("tensorflow.math.log", ...)`` ties names to an expansion.

An expansion is called with the graph and the arguments as the user gave them, and is bound by its own signature, so a
wrong keyword is noticed. Arguments are Python values: numbers, strings, None, lists, tuples, dicts and slices as
themselves, tensors as ``Node``, anything else as ``Unknown``. It returns a Python value of the same kinds.

Names are canonical: ``tensorflow.*`` (``tf.compat.v1.log`` is ``tensorflow.log``), ``keras.*`` (also for ``tf.keras``),
``tensorflow_addons.*``, ``tensorflow_probability.*``, ``numpy.*``; see ``losslint.frontend.names.canonical``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Expansion = Callable[..., Any]
_E = TypeVar("_E", bound=Expansion)

CATALOGUE: dict[str, Expansion] = {}
"""Canonical name -> expansion ``f(graph, *args, **kwargs) -> value``."""

CONSTANTS: dict[str, Any] = {}
"""Canonical name -> value: dtypes as strings ("float32"), numpy.pi, ..."""

METHODS: dict[str, Expansion] = {}
"""Method or property of a tensor -> expansion ``f(graph, x, *args, **kwargs)``."""

PROPERTIES: dict[str, Expansion] = {}
"""Attribute of a tensor that is no method (``x.dtype``, ``x.T``) -> ``f(graph, x)``."""

OBJECT_METHODS: dict[str, Expansion] = {}
"""Method of an object that is no tensor (a model, a distribution) -> ``f(graph, owner, *args, **kwargs)``.

The owner is a ``Callback``, or something unknown: these names say enough of what they return.
"""


@dataclass(slots=True)
class Callback:
    """A Python value that can be called: a Keras loss object, a layer, an optimizer's method.

    ``call(graph, *args, **kwargs)`` runs it; ``name`` is what messages say; ``attrs`` are readable attributes.
    """

    name: str
    call: Expansion
    attrs: dict[str, Any]


def api(*names: str) -> Callable[[_E], _E]:
    """Register the decorated expansion under ``names``. Raises ValueError where a name is taken."""

    def register(expansion: _E) -> _E:
        for name in names:
            if CATALOGUE.setdefault(name, expansion) is not expansion:
                raise ValueError(f"{name} is catalogued twice")
        return expansion

    return register


@functools.cache
def packages() -> frozenset[str]:
    """The modules of libraries that the catalogue has something of; ask only once it is filled."""
    names = [*CATALOGUE, *CONSTANTS]
    return frozenset(name.rsplit(".", i)[0] for name in names for i in range(1, name.count(".") + 1))


OUTSIDE: dict[str, str] = {}
"""Canonical name of a function or a whole module -> why the catalogue knows nothing of it, and never will."""


def outside(name: str) -> str:
    """Why the function ``name`` is none the catalogue could know, "" for one that it might."""
    if name in CATALOGUE:
        return ""
    parts = name.split(".")
    return next((OUTSIDE[p] for i in range(len(parts), 0, -1) if (p := ".".join(parts[:i])) in OUTSIDE), "")
