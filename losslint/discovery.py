"""Finds the Python files under the given paths, as ruff does: .gitignore honoured, excluded folders never entered."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from losslint import notebooks, patterns, rulebook
from losslint.settings import Resolver, Settings

if TYPE_CHECKING:
    from losslint.options import Use

SUFFIXES = (".py", ".pyw", notebooks.SUFFIX)


class Target(NamedTuple):
    """A file to lint: ``filename`` as findings show it, ``path`` absolute."""

    filename: str
    path: Path
    settings: Settings
    elsewhere: tuple[Use, ...] = ()  # what other files of the run do with its functions


@dataclass(slots=True)
class Found:
    """``errors`` are paths that are not there; ``warnings`` are what the user may want to know."""

    targets: list[Target] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class _Patterns(NamedTuple):
    """Glob patterns as in .gitignore, relative to ``base``."""

    base: str
    spec: Any  # pathspec.GitIgnoreSpec

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Whether ``path`` is matched; False where "!" takes it back, None where no pattern speaks of it."""
        relative = os.path.relpath(path, self.base).replace(os.sep, "/")
        if relative.startswith(".."):
            return None
        matched: bool | None = self.spec.check_file(relative + "/" if is_folder else relative).include
        return matched


class _Exclusion:
    """What ``exclude`` and ``extend-exclude`` keep out. Plain names are compared, only globs are matched."""

    def __init__(self, settings: Settings) -> None:
        excluded = (*settings.exclude, *settings.extend_exclude)
        self._names = {p for p in excluded if not patterns.WILD & set(p)}
        globs = [p for p in excluded if p not in self._names]
        self._root = str(settings.root)
        self._globs = _Patterns(self._root, patterns.compiled(globs)) if globs else None

    def excludes(self, path: str, is_folder: bool) -> bool:
        """Whether the entry at ``path`` (absolute) is kept out by its own name or by a glob."""
        if os.path.basename(path) in self._names:
            return True
        return self._globs is not None and bool(self._globs.verdict(path, is_folder))

    def excludes_within(self, path: str) -> bool:
        """The same for a file or a folder above it, up to the root of the configuration."""
        relative = os.path.relpath(path, self._root)
        parts = relative.split(os.sep) if not relative.startswith("..") else [os.path.basename(path)]
        return bool(self._names & set(parts)) or self.excludes(path, is_folder=False)


def find(paths: Sequence[str], resolver: Resolver, force_exclude: bool = False) -> Found:
    """The files under ``paths``, sorted by name, each once. Raises ConfigurationError.

    A file that is named itself is linted whatever its suffix and whatever excludes it, unless ``force_exclude``.
    """
    found = Found()
    targets: dict[str, Target] = {}
    for given in paths:
        before, errors = len(targets), len(found.errors)
        for target in _under(given, resolver, force_exclude, found):
            targets.setdefault(str(target.path), target)
        empty = len(targets) == before and len(found.errors) == errors
        if empty and os.path.isdir(given) and not any(t.startswith(_absolute(given)) for t in targets):
            found.warnings.append(f"no Python files under {given}")
    found.targets = sorted(targets.values(), key=lambda t: t.filename)
    return found


def is_excluded(path: Path, settings: Settings) -> bool:
    """Whether ``path`` (absolute), or a folder above it, is excluded."""
    return _Exclusion(settings).excludes_within(str(path))


def _absolute(path: str) -> str:
    return os.path.normpath(os.path.join(os.getcwd(), path))


def _under(given: str, resolver: Resolver, force_exclude: bool, found: Found) -> Iterator[Target]:
    shown, path = os.path.normpath(given), _absolute(given)
    if os.path.isdir(path):
        if not (force_exclude and is_excluded(Path(path), resolver.of(Path(path)))):
            yield from _walk(shown, path, resolver, found)
    elif why := _missing(given, path):
        found.errors.append(why)
    else:
        settings = resolver.of(Path(path).parent)
        if not (force_exclude and is_excluded(Path(path), settings)):
            yield Target(shown, Path(path), settings)


def _missing(given: str, path: str) -> str:
    """Why there is no file at ``path``; "" where there is one."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return f"no such file or folder: {given}{neighbour(path)}"
    except (OSError, ValueError) as error:
        return f"{given} cannot be read: {getattr(error, 'strerror', error)}"
    if not os.path.exists(path):
        return f"broken symbolic link: {given}"
    if not os.path.isfile(path):  # a pipe would be waited for, and is read more than once
        return f"{given} is neither a file nor a folder: hand what it holds to losslint -"
    return ""


def neighbour(path: str) -> str:
    """What the name of a file that is not there may have been meant for, as ``rulebook.hint`` says it."""
    folder, name = os.path.split(path)
    with contextlib.suppress(OSError):
        return rulebook.hint(name, os.listdir(folder))
    return ""


def _walk(shown: str, top: str, resolver: Resolver, found: Found) -> Iterator[Target]:
    """The files below the folder ``top``; links to folders are not followed."""
    exclusions: dict[int, _Exclusion] = {}
    ignores = _ignore_files_above(top) if resolver.of(Path(top)).respect_gitignore else ()
    todo = [(shown, top, ignores)]
    while todo:
        name, folder, ignores = todo.pop()
        settings = resolver.of(Path(folder))
        exclusion = exclusions.setdefault(id(settings), _Exclusion(settings))
        if settings.respect_gitignore:
            ignores = (*ignores, *_ignore_files(folder, ".gitignore", ".ignore"))
        try:
            entries = [(entry, entry.is_dir(follow_symlinks=False)) for entry in os.scandir(folder)]
        except OSError as error:
            told = found.errors if folder == top else found.warnings
            told.append(f"{name} cannot be read: {error.strerror}")
            continue
        for entry, is_folder in entries:
            if not is_folder and not entry.name.endswith(SUFFIXES):
                continue
            if exclusion.excludes(entry.path, is_folder) or _is_ignored(entry.path, is_folder, ignores):
                continue
            inner = entry.name if name == "." else os.path.join(name, entry.name)
            if is_folder:
                todo.append((inner, entry.path, ignores))
            elif entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path):  # a link may lead to itself
                yield Target(inner, Path(entry.path), settings)
            elif entry.is_symlink() and not os.path.exists(entry.path):
                found.warnings.append(f"broken symbolic link skipped: {inner}")


def _is_ignored(path: str, is_folder: bool, ignores: tuple[_Patterns, ...]) -> bool:
    """Whether git ignores ``path``: the deepest file that speaks of it decides."""
    for ignore in reversed(ignores):
        verdict: bool | None = ignore.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def _ignore_files_above(top: str) -> tuple[_Patterns, ...]:
    """The ignore files of the repository above ``top``; none where ``top`` is no part of one, or is itself ignored."""
    chain: list[tuple[_Patterns, ...]] = []
    folder = Path(top)
    while not os.path.exists(folder / ".git"):
        if folder.parent == folder:
            return ()
        folder = folder.parent
        chain.insert(0, _ignore_files(str(folder), ".gitignore", ".ignore"))
    exclude = _ignore_files(str(folder), os.path.join(".git", "info", "exclude"))
    ignores = (*exclude, *(ignore for files in chain for ignore in files))
    return () if top != str(folder) and _is_ignored(top, True, ignores) else ignores


def _ignore_files(folder: str, *names: str) -> tuple[_Patterns, ...]:
    found = []
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):  # a pipe would be waited for
            continue
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found.append(_Patterns(folder, patterns.followed(file.read().splitlines())))
        except OSError:
            continue
    return tuple(found)
