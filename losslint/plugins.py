"""Rules that other packages bring: found through the entry points of the group ``losslint.rules``.

An entry point names a package. Its pages are the ``*.md`` files of its folder ``rules``; importing it registers its
checks, fixes and judges with the same decorators that losslint's own use. Nothing of it is imported before code is
analysed: to list and select rules, the pages are enough.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

GROUP = "losslint.rules"
CODE = re.compile(r"(?!LL\d)[A-Z]{2,}\d{3}")
"""Codes of other packages: capitals and three digits; LL is losslint's own."""


class PluginError(Exception):
    """A package that brings rules cannot be used; the message names it and the way out."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One package with rules; ``origin`` is how messages call it."""

    module: str
    origin: str


@functools.cache
def plugins() -> tuple[Plugin, ...]:
    """The installed ones, in the order of their names."""
    found = {point.value: Plugin(point.value.partition(":")[0], _origin(point)) for point in entry_points(group=GROUP)}
    return tuple(found[name] for name in sorted(found))


def _origin(point: EntryPoint) -> str:
    if point.dist is None:
        return f"{point.name!r}"
    return f"{point.name!r} of {point.dist.name} {point.dist.version}"


def pages() -> Iterator[tuple[str, Path]]:
    """(the plugin as messages call it, a page of it). Raises PluginError where there are none."""
    for plugin in plugins():
        try:
            spec = importlib.util.find_spec(plugin.module)
        except (ImportError, ValueError, AttributeError):
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise _error(plugin, f"there is no package {plugin.module!r}")
        found = [p for place in spec.submodule_search_locations for p in sorted(Path(place, "rules").glob("*.md"))]
        if not found:
            raise _error(plugin, f"{plugin.module!r} holds no pages: they are the *.md files of its folder 'rules'")
        for path in found:
            yield plugin.origin, path


def load() -> None:
    """Import what is installed, which registers its checks. Raises PluginError."""
    for plugin in plugins():
        try:
            importlib.import_module(plugin.module)
        except Exception as error:  # whatever its import raises is its own fault
            raise _error(plugin, f"{type(error).__name__}: {error}") from error


def _error(plugin: Plugin, problem: str) -> PluginError:
    return PluginError(f"the rules {plugin.origin} cannot be used: {problem} (mend or uninstall it)")
