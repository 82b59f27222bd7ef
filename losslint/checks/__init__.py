"""The checks, one module a family. Importing a module registers its checks."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from losslint import plugins


@functools.cache
def load_checks() -> None:
    """Import every check module; what is registered is in ``losslint.checks.base.CHECKS``. Raises PluginError."""
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}")
    plugins.load()
