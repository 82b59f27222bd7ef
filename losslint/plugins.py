"""Rules that other packages bring: found through the entry points of the group ``losslint.rules``.

An entry point names a package. Its pages are the ``*.md`` files of its folder ``rules``; importing it registers its
checks, fixes and judges with the same decorators that losslint's own use. Nothing of it is imported before code is
analysed: to list and select rules, the pages are enough.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "losslint.rules"
CODE = r"(?!LL\d)[A-Z]{2,}\d{3}"
"""Codes of other packages: capitals and three digits; LL is losslint's own."""


class PluginError(Exception):
    """A package that brings rules cannot be used; the message names it and the way out."""


class Plugin(NamedTuple):
    """One package with rules; ``origin`` is how messages call it."""

    module: str
    origin: str


@functools.cache
def plugins() -> tuple[Plugin, ...]:
    """The installed ones, in the order of their names."""
    if not _are_named_somewhere():
        return ()
    from importlib.metadata import entry_points  # which takes longer to import than everything else together

    found = {point.value: Plugin(point.value.partition(":")[0], _origin(point)) for point in entry_points(group=GROUP)}
    return tuple(found[name] for name in sorted(found))


def _are_named_somewhere() -> bool:
    """Whether a distribution on the path names ``GROUP`` among its entry points, or may do so."""
    for folder in dict.fromkeys(sys.path):
        if folder.endswith((".zip", ".egg", ".whl")) and os.path.isfile(folder):
            return True  # there it is looked up properly
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.endswith((".dist-info", ".egg-info", ".egg")) and _names_group(entry.path):
                    return True
    return False


def _names_group(distribution: str) -> bool:
    if distribution.endswith(".egg"):
        return True  # a format of old, with more places to look at
    try:
        with open(os.path.join(distribution, "entry_points.txt"), "rb") as file:
            return GROUP.encode() in file.read()
    except OSError:
        return False


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
