"""Asks the installed packages for a name or a keyword, as if no old name had been provided (``oldnames``)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

_MODULES = {"TensorFlow": "tensorflow", "Keras": "keras", "tf_keras": "tf_keras"}


def asked(claim: Mapping[str, str], replaced: Mapping[str, Any]) -> dict[str, str]:
    """What the installed package says of ``claim["name"]``, and of its ``keyword``.

    ``installed`` is its version, ``wanted`` the one that the name was checked against; ``error`` is what the use of the
    name raises, "" where it is there. ``replaced`` holds what stood where an old name was provided.
    """
    package = claim["package"]
    version = str(getattr(importlib.import_module(_MODULES[package]), "__version__", ""))
    told = {"package": package, "installed": version, "wanted": claim["version"], "error": ""}
    path, *names = claim["name"].split(".")
    owner: Any = importlib.import_module(path)
    for name in names:
        path, outer = f"{path}.{name}", path
        try:
            owner = replaced[path] if path in replaced else getattr(owner, name)
        except (AttributeError, ImportError) as error:
            return told | {"error": f"{type(error).__name__}: {error}"}
        if owner is None:
            return told | {"error": f"AttributeError: module {outer!r} has no attribute {name!r}"}
    if claim.get("keyword"):
        try:
            inspect.signature(owner).bind_partial(**{claim["keyword"]: None})
        except TypeError as error:
            return told | {"error": f"TypeError: {claim['name']} {error}"}
    return told
