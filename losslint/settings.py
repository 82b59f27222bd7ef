"""What the user asked for: [tool.losslint] in pyproject.toml, or losslint.toml, then the command line on top.

The nearest configuration above a file holds for it, alone, as in ruff. Every mistake in it is a ConfigurationError that
names the place and the nearest valid word: a misspelt key that is silently ignored would switch a check off.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from losslint import patterns, rulebook
from losslint.findings import Severity

if TYPE_CHECKING:
    from losslint.options import Declared

DEFAULT_EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pypackages__", "_build",
    "buck-out", "build", "dist", "node_modules", "site-packages", "venv", ".losslint_cache",
)  # fmt: skip
FAIL_ON = ("error", "warning", "info", "never")
_ALWAYS = ("LL001", "LL004")  # not to be had by a prefix: a file that was not analysed must not pass for a clean one
_MOST_SHOWN = 400
_NARROWEST = 5  # rulebook.specificity of a code


def shortened(text: str) -> str:
    """``text`` for a message: what it quotes may be of any length."""
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN // 2]} ... {text[-_MOST_SHOWN // 2 :]}"


class ConfigurationError(Exception):
    """A mistake in the configuration or in an option; the text says where."""


class Selection(NamedTuple):
    """A layer of rule selection, the configuration's or the command line's; ``select`` None keeps what is on."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()


class PerFileIgnore(NamedTuple):
    """The rules that are off in the files matched by ``pattern``, which is relative to ``root``; "!" turns it round."""

    root: Path
    pattern: str
    codes: frozenset[str]

    def matches(self, path: Path) -> bool:
        """Whether ``path`` (absolute) is one of them."""
        negated = self.pattern.startswith("!")
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        return bool(_spec(self.pattern.removeprefix("!")).match_file(relative)) != negated


@functools.lru_cache(maxsize=256)
def _spec(pattern: str) -> Any:
    return patterns.compiled([pattern])


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is configured for a file. Paths and patterns are relative to ``root``."""

    root: Path = field(default_factory=Path.cwd)
    origin: Path | None = None  # the file it was read from
    selections: tuple[Selection, ...] = ()
    per_file_ignores: tuple[PerFileIgnore, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    severity: tuple[tuple[str, Severity | None], ...] = ()  # (code, severity or None for "off"), the narrowest last
    min_severity: Severity | None = None
    fail_on: str = "warning"
    keras: str = "auto"
    tensorflow: str | None = None
    loss_names: tuple[str, ...] = ()
    not_loss_names: tuple[str, ...] = ()
    metric_names: tuple[str, ...] = ()
    facts: tuple[tuple[str, Declared], ...] = ()
    inputs: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    fix: bool = False
    unsafe_fixes: bool = False
    baseline: Path | None = None
    file_steps: int = 500_000
    file_seconds: float = 120.0

    @property
    def threshold(self) -> Severity:
        """What is shown: ``min-severity`` where it is set, else warnings, and whatever makes the run fail."""
        if self.min_severity is not None:
            return self.min_severity
        return Severity.INFO if self.fail_on == "info" else Severity.WARNING

    @property
    def fails_at(self) -> Severity | None:
        """The least severity that makes the exit status 1; None for never."""
        return None if self.fail_on == "never" else Severity[self.fail_on.upper()]

    def fails(self, severity: Severity) -> bool:
        """Whether a finding of ``severity`` makes the exit status 1."""
        return self.fails_at is not None and severity >= self.fails_at

    @property
    def enabled(self) -> frozenset[str]:
        """The codes that are on, those turned off by ``severity`` left out."""
        off = {code for code, level in dict(self.severity).items() if level is None}
        return _selected(self.selections) - off

    @property
    def cache_folder(self) -> Path:
        """Where what was found is kept."""
        return self.root / ".losslint_cache"

    def ignored_in(self, path: Path) -> frozenset[str]:
        """The codes that ``per-file-ignores`` turns off in the file at ``path`` (absolute)."""
        return frozenset().union(*(entry.codes for entry in self.per_file_ignores if entry.matches(path)))

    def severity_of(self, code: str, default: Severity) -> Severity:
        """``default``, or what the configuration makes of it."""
        return dict(self.severity).get(code) or default

    def describe(self) -> str:
        """The settings as ``--show-settings`` prints them."""
        lines = [f"# from {self.origin or 'the defaults'}"]
        for item in dataclasses.fields(self):
            if item.name not in ("origin", "selections"):
                lines.append(f"{item.name.replace('_', '-')} = {shown(getattr(self, item.name))}")
        return "\n".join([*lines, f"enabled = {shown(sorted(self.enabled))}"])


def shown(value: Any) -> str:
    """A value as TOML has it, or nearly so."""
    if isinstance(value, Severity):
        return f'"{value.label}"'
    if isinstance(value, PerFileIgnore):
        return f'"{value.pattern}" = {shown(sorted(value.codes))}'
    if hasattr(value, "_asdict"):  # what is declared of a function
        told = {name: v for name, v in value._asdict().items() if v}
        return "{ " + ", ".join(f"{name} = {shown(v)}" for name, v in told.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    if isinstance(value, (bool, int, float)) or value is None:
        return str(value).lower()
    return f'"{value}"'


@functools.lru_cache(maxsize=64)
def _selected(selections: tuple[Selection, ...]) -> frozenset[str]:
    """The codes that are on. In a layer the narrower selector wins, of equally narrow ones ``ignore``, as in ruff."""
    on = set(rulebook.rules())
    for layer in selections:
        if layer.select is not None:
            on = set(_ALWAYS)
        added = [*(layer.select or ()), *layer.extend_select]
        for narrowness in range(_NARROWEST + 1):
            for selector in added:
                if rulebook.specificity(selector) == narrowness:
                    on |= rulebook.resolve(selector)
            for selector in layer.ignore:
                if rulebook.specificity(selector) == narrowness:
                    codes = rulebook.resolve(selector)
                    on -= codes if len(codes) == 1 else codes.difference(_ALWAYS)
    return frozenset(on)


# -- reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """Checks the values of one configuration table; ``where`` starts every error."""

    def __init__(self, where: str, root: Path) -> None:
        self.where = where
        self.root = root

    def fail(self, key: str, problem: str) -> ConfigurationError:
        return ConfigurationError(f"{self.where}{shortened(key)} {shortened(problem)}")

    def strings(self, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.fail(key, f"must be a list of strings, not {value!r}")
        return tuple(value)

    def patterns(self, key: str, value: Any) -> tuple[str, ...]:
        globs = self.strings(key, value)
        self.demand_patterns(key, globs)
        return globs

    def demand_patterns(self, key: str, globs: Sequence[str]) -> None:
        wild = [g for g in globs if patterns.WILD & set(g)]
        try:
            if wild:
                patterns.compiled(wild)
        except patterns.NoPattern as error:
            raise self.fail(key, f"cannot be followed: {error}") from None

    def selectors(self, key: str, value: Any) -> tuple[str, ...]:
        names = self.strings(key, value)
        for name in names:
            self.codes(key, name)
        return names

    def codes(self, key: str, selector: str) -> frozenset[str]:
        try:
            return rulebook.resolve(selector)
        except rulebook.UnknownRule as error:
            raise self.fail(key, f"cannot be followed: {error}") from None

    def table(self, key: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(key, f"must be a table, not {value!r}")
        return value

    def boolean(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.fail(key, f"must be true or false, not {value!r}")
        return value

    def path(self, key: str, value: Any) -> Path:
        if not isinstance(value, str) or not value:
            raise self.fail(key, f"must be the path of a file, not {value!r}")
        return self.root / value

    def choice(self, key: str, value: Any, allowed: tuple[str, ...]) -> str:
        if str(value) not in allowed:
            known = ", ".join(f'"{a}"' for a in allowed)
            raise self.fail(key, f"must be one of {known}, not {value!r}{rulebook.hint(str(value), allowed)}")
        return str(value)

    def number(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise self.fail(key, f"must be a number, 0 for no limit, not {value!r}")
        return value

    def count(self, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fail(key, f"must be a whole number, 0 for no limit, not {value!r}")
        return value

    def level(self, key: str, value: Any) -> Severity:
        return Severity[self.choice(key, value, ("error", "warning", "info")).upper()]

    def known(self, key: str, value: Mapping[str, Any], allowed: Mapping[str, Any] | tuple[str, ...]) -> None:
        for name in value:
            if name not in allowed:
                full = shortened(f"{key}.{name}" if key else name)
                raise ConfigurationError(f"{self.where}unknown key {full}{rulebook.hint(name, allowed)}")

    def per_file_ignores(self, key: str, value: Any) -> tuple[PerFileIgnore, ...]:
        entries = []
        for pattern, names in self.table(key, value).items():
            here = f"{key}.{pattern}"
            self.demand_patterns(here, [pattern.removeprefix("!")])
            codes = frozenset().union(*(self.codes(here, name) for name in self.strings(here, names)))
            entries.append(PerFileIgnore(self.root, pattern, codes))
        return tuple(entries)

    def severities(self, key: str, value: Any) -> tuple[tuple[str, Severity | None], ...]:
        found: list[tuple[str, Severity | None]] = []
        for selector, level in sorted(self.table(key, value).items(), key=lambda item: rulebook.specificity(item[0])):
            chosen = self.choice(f"{key}.{selector}", level, ("error", "warning", "info", "off"))
            codes = self.codes(key, selector)
            found += [(code, None if chosen == "off" else Severity[chosen.upper()]) for code in sorted(codes)]
        return tuple(found)

    def version(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+){0,2}", value):
            raise self.fail(key, f'must be a version such as "2.21", not {value!r}')
        return value

    def facts(self, key: str, value: Any) -> tuple[tuple[str, Declared], ...]:
        return tuple((name, self.fact(f"{key}.{name}", entry)) for name, entry in self.table(key, value).items())

    def fact(self, key: str, value: Any) -> Declared:
        entry = self.table(key, value)
        self.known(key, entry, ("shape", "range", "gradient", "like"))
        for text in ("shape", "like"):
            if not isinstance(entry.get(text, ""), str):
                raise self.fail(f"{key}.{text}", f"must be a string, not {entry[text]!r}")
        shape = entry.get("shape", "")
        if shape and not re.fullmatch(r"\[[\w\s,*]*\]", shape):
            raise self.fail(f"{key}.shape", f'must look like "[B, 10]", not {shape!r}')
        if "gradient" in entry:
            self.choice(f"{key}.gradient", entry["gradient"], ("live", "dead"))
        ends = entry.get("range")
        if ends is not None:
            numbers = isinstance(ends, list) and all(type(end) in (int, float) for end in ends)
            if not numbers or len(ends) != 2 or not ends[0] <= ends[1]:
                raise self.fail(f"{key}.range", f"must be two numbers, the lower first, not {ends!r}")
            try:
                ends = (float(ends[0]), float(ends[1]))
            except OverflowError:
                raise self.fail(f"{key}.range", "must be two numbers that a float can hold") from None
        from losslint.options import Declared

        return Declared(shape, ends, entry.get("gradient", ""), entry.get("like", ""))

    def inputs(self, key: str, value: Any) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        found = []
        for function, entry in self.table(key, value).items():
            pairs = entry if isinstance(entry, dict) else dict(p.partition("=")[::2] for p in str(entry).split())
            if not pairs or not all(isinstance(v, str) and v for v in pairs.values()):
                expected = 'must look like "y_true=int32[B] y_pred=prob[B,10]"'
                raise self.fail(f"{key}.{function}", f"{expected}, not {entry!r}")
            found.append((function, tuple(pairs.items())))
        return tuple(found)


_FIELDS: dict[str, Callable[[_Reader, str, Any], Any]] = {
    "per-file-ignores": _Reader.per_file_ignores,
    "exclude": _Reader.patterns,
    "extend-exclude": _Reader.patterns,
    "respect-gitignore": _Reader.boolean,
    "severity": _Reader.severities,
    "min-severity": _Reader.level,
    "fail-on": lambda reader, key, value: reader.choice(key, value, FAIL_ON),
    "keras": lambda reader, key, value: reader.choice(key, value, ("2", "3", "auto")),
    "tensorflow": _Reader.version,
    "loss-names": _Reader.strings,
    "not-loss-names": _Reader.strings,
    "metric-names": _Reader.strings,
    "facts": _Reader.facts,
    "inputs": _Reader.inputs,
    "fix": _Reader.boolean,
    "unsafe-fixes": _Reader.boolean,
    "baseline": _Reader.path,
    "file-steps": _Reader.count,
    "file-seconds": _Reader.number,
}
_SELECTING = ("select", "ignore", "extend-select")


def from_table(table: Mapping[str, Any], where: str, root: Path, base: Settings | None = None) -> Settings:
    """``base`` (the defaults) with the keys of ``table`` on top. Raises ConfigurationError, ``where`` first."""
    reader = _Reader(where, root)
    reader.known("", table, (*_SELECTING, *_FIELDS))
    values = {key.replace("-", "_"): read(reader, key, table[key]) for key, read in _FIELDS.items() if key in table}
    base = base or Settings(root=root)
    chosen = {key.replace("-", "_"): reader.selectors(key, table[key]) for key in _SELECTING if key in table}
    if chosen:
        values["selections"] = (*base.selections, Selection(**chosen))
    return dataclasses.replace(base, **values)


def from_file(path: Path, root: Path | None = None) -> Settings | None:
    """The settings of a pyproject.toml or losslint.toml; None for a pyproject.toml without [tool.losslint].

    Patterns are relative to ``root``, the file's folder unless told. Raises ConfigurationError.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        data = path.read_bytes()
        if path.name == "pyproject.toml" and b"losslint" not in data:
            return None  # whatever else is wrong with it is no affair of ours
        table: Any = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; --isolated does without a configuration") from None
    except ValueError as error:  # of TOML, of the encoding, of a number too long to be read
        raise ConfigurationError(f"{path}: it is no TOML: {error}; mend it there") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: it is nested too deeply to be read; mend it there") from None
    where = str(path)
    if path.name == "pyproject.toml":
        for key in ("tool", "tool.losslint"):
            table = table.get(key.rpartition(".")[2])
            if table is None:
                return None
            table = _Reader(f"{where}: ", path).table(key, table)
        where += " [tool.losslint]"
    root = root or Path(os.path.realpath(path)).parent
    return dataclasses.replace(from_table(table, f"{where}: ", root), origin=path)


class Resolver:
    """The settings of every folder. ``options`` are the command line's, in the keys of the configuration.

    ``config`` replaces the search for a file, ``isolated`` stops it.
    """

    def __init__(
        self, options: Mapping[str, Any] | None = None, config: Path | None = None, isolated: bool = False
    ) -> None:
        self._options = dict(options or {})
        self._folders: dict[Path, Settings] = {}
        self._fixed: Settings | None = None
        if isolated:
            self._fixed = self._with_options(Settings())
        elif config is not None:
            found = from_file(config, Path.cwd())
            if found is None:
                raise ConfigurationError(f"{config}: there is no [tool.losslint] in it: add that table")
            self._fixed = self._with_options(found)

    def of(self, folder: Path) -> Settings:
        """The settings of the files in ``folder`` (absolute). Raises ConfigurationError."""
        if self._fixed is not None:
            return self._fixed
        if folder not in self._folders:
            self._search(folder)
        return self._folders[folder]

    def of_file(self, filename: str) -> Settings:
        """The settings of the file that is called ``filename`` from here. Raises ConfigurationError."""
        return self.of(Path(os.path.abspath(filename)).parent)

    def _search(self, folder: Path) -> None:
        """Find the settings of ``folder`` and of those above it that have the same."""
        same: list[Path] = []
        found: Settings | None = None
        while found is None and (not same or same[-1] != folder):  # a folder may be deeper than calls can be nested
            same.append(folder)
            found = self._folders.get(folder) or self._in(folder)
            folder = folder.parent
        self._folders |= dict.fromkeys(same, found or self._with_options(Settings()))

    def _in(self, folder: Path) -> Settings | None:
        """What is configured in ``folder`` itself."""
        for name in ("losslint.toml", "pyproject.toml"):
            path = folder / name
            if os.path.isfile(path) and (found := from_file(path)) is not None:
                return self._with_options(found)
        return None

    def _with_options(self, settings: Settings) -> Settings:
        return from_table(self._options, "--", Path.cwd(), settings) if self._options else settings
