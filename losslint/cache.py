"""What earlier runs found, file by file: one SQLite database in ``.losslint_cache``.

An entry holds what the analysis of one file says before suppressions and selection, so that options which only choose
among findings share it. It counts as long as everything it was made from is as it was: the content of the file, the
files that its imports were looked for in, what the other files of the run do with it, the versions its project asks
for, the settings of the analysis, and losslint and the packages with rules themselves. SQLite makes it safe to run
twice at a time and to be killed; what is damaged is made anew. Entries are JSON: reading a cache that came with
somebody's repository executes nothing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from losslint import __version__, plugins
from losslint.findings import Edit, Finding, Fix, Severity, Span, Step
from losslint.options import Use
from losslint.report import Report
from losslint.sources import digest
from losslint.suppressions import Comments, Pragma

_FORMAT = 1
_FLUSH = 500  # entries that are written at a time: what a killed run loses
_WAIT = 5.0  # seconds for another run to have written
_SCHEMA = """\
CREATE TABLE entries (
    path text not null, key blob not null, content blob not null, report text not null, sum blob not null,
    primary key (path, key)
) without rowid"""
"""As SQLite keeps it: a database with anything else in it, such as a view that never ends, is none of ours."""


class Cache:
    """The entries in ``folder``. Whatever goes wrong with them, the run goes on without."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new: list[tuple[str, bytes, bytes, str, bytes]] = []
        self._states: dict[str, str] = {}  # of other files, as they are now
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = self._opened()
        except (sqlite3.Error, OSError):
            with contextlib.suppress(sqlite3.Error, OSError):
                self._remove()
                self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
        ignore = self._folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("# made by losslint\n*\n", encoding="utf-8")
        connection = sqlite3.connect(self._folder / "cache.db", timeout=_WAIT, isolation_level=None)
        try:
            known = connection.execute("pragma user_version").fetchone()[0]
            if known != _FORMAT:
                connection.execute("begin immediate")
                connection.execute("drop table if exists entries")
                connection.execute(_SCHEMA)
                connection.execute(f"pragma user_version = {_FORMAT}")
                connection.execute("commit")
            if connection.execute("select sql from sqlite_master").fetchall() != [(_SCHEMA,)]:
                raise sqlite3.DatabaseError("made by something else")
            connection.execute("select 1 from entries limit 1").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        for name in ("cache.db", "cache.db-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._folder / name)

    # -- reading -------------------------------------------------------------------------------------------------------
    def get(self, report: Report, content: bytes) -> bool:
        """Fill ``report``, of a file with that digest, with what is known of it; whether there was something."""
        try:
            text = self._entry(str(report.target.path), _key(report.target.settings, report.target.elsewhere), content)
            if text is None:
                return False
            used, versions, *rest = json.loads(text)
            if versions and versions != self._versions(report):
                return False
            if any(self._state(path, state) != state for path, state in used.items()):
                return False
            return _fill(report, rest, content)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            return False

    def uses(self, files: list[tuple[str, str]], contents: Sequence[bytes]) -> dict[str, tuple[Use, ...]] | None:
        """What the ``files`` (their names and paths) do with each other's functions, where that was kept.

        It depends on nothing but their contents, as long as no file beside them comes to be what an import means.
        """
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            text = self._entry("", _run_key(files), digest(b"".join(contents)))
            if text is not None:
                return {path: tuple(Use(*use) for use in known) for path, known in json.loads(text).items()}
        return None

    def keep_uses(
        self, files: list[tuple[str, str]], contents: Sequence[bytes], found: dict[str, tuple[Use, ...]]
    ) -> None:
        """Keep what ``uses`` tells."""
        if all(contents):
            text = json.dumps(found, separators=(",", ":"))
            self._new.append(("", _run_key(files), digest(b"".join(contents)), text, digest(text.encode())))

    def _entry(self, path: str, key: bytes, content: bytes) -> str | None:
        """The text that was kept under ``path`` and ``key`` for that content."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(
                "select content, report, sum from entries where path = ? and key = ?", (path, key)
            ).fetchone()
        except sqlite3.OperationalError:  # another run is writing for too long
            return None
        except sqlite3.Error:
            self._give_up()
            return None
        if row is None or row[0] != content or row[2] != digest(row[1].encode()):
            return None
        text: str = row[1]
        return text

    def _give_up(self) -> None:
        """The database is damaged: the next run starts with an empty one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
        with contextlib.suppress(OSError):
            self._remove()

    @staticmethod
    def _versions(report: Report) -> str:
        from losslint.targets import target_for

        settings = report.target.settings
        return repr(target_for(report.target.path, settings.keras, settings.tensorflow))

    def _state(self, path: str, known: str) -> str:
        """What ``path`` is now, in the terms of ``known``: "-" for no such file, "+" for one, or its digest."""
        key = path if known in "+-" else f"={path}"
        if key not in self._states:
            if known in "+-":
                self._states[key] = "+" if os.path.exists(path) else "-"
            else:
                try:
                    with open(path, "rb") as file:
                        self._states[key] = digest(file.read()).hex()
                except OSError:
                    self._states[key] = "-"
        return self._states[key]

    # -- writing -------------------------------------------------------------------------------------------------------
    def put(self, report: Report) -> None:
        """Keep ``report``; one that is not whole is left out, and so is what cannot be written down."""
        if self._connection is None or not report.whole or report.used is None or not report.content:
            return
        if any(report.target.filename in text for f in report.findings for text in (f.message, f.fact, f.help)):
            return
        try:
            versions = "" if report.idle else self._versions(report)
            text = json.dumps([report.used, versions, *_written(report)], separators=(",", ":"))
            path = str(report.target.path)
            path.encode()  # of a name that is no UTF-8, nothing is kept
        except (TypeError, ValueError):
            return
        key = _key(report.target.settings, report.target.elsewhere)
        self._new.append((path, key, report.content, text, digest(text.encode())))
        if len(self._new) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        new, self._new = self._new, []
        if self._connection is None or not new:
            return
        try:
            self._connection.execute("begin immediate")
            self._connection.executemany("insert or replace into entries values (?, ?, ?, ?, ?)", new)
            self._connection.execute("commit")
        except sqlite3.OperationalError:  # the disk is full, it may not be written to, or another run takes long
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("rollback")
        except sqlite3.Error:
            self._give_up()

    def close(self) -> None:
        """Write what is new."""
        self._flush()
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


# -- what an entry depends on beside files ---------------------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def _key(settings: Any, elsewhere: tuple[Any, ...]) -> bytes:
    """What the analysis depends on that is the same for many files, and what the others of the run do with this one."""
    told = (
        settings.keras,
        settings.tensorflow,
        settings.loss_names,
        settings.not_loss_names,
        settings.metric_names,
        settings.facts,
        elsewhere,
    )
    return digest(repr((told, _program())).encode())


def _run_key(files: list[tuple[str, str]]) -> bytes:
    return digest(repr((files, _program())).encode())


@functools.cache
def _program() -> tuple[Any, ...]:
    """What tells this losslint, its Python and the packages with rules from others."""
    folders = [os.path.dirname(os.path.abspath(__file__))]
    for plugin in plugins.plugins():
        spec = importlib.util.find_spec(plugin.module)
        folders += list(spec.submodule_search_locations or ()) if spec is not None else []
    return (__version__, sys.version_info[:3], plugins.plugins(), [_stamp(folder) for folder in folders])


def _stamp(folder: str) -> list[tuple[str, int, int]]:
    """The files of a package, with size and time: losslint may be installed from a checkout that changes."""
    return sorted((e.path, e.stat().st_size, e.stat().st_mtime_ns) for e in _files(folder))


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif entry.name.endswith((".py", ".gz", ".json", ".csv")):
                yield entry


# -- reports as JSON -------------------------------------------------------------------------------------------------


def _written(report: Report) -> list[Any]:
    own = report.target.filename
    comments = report.comments
    return [
        report.idle,
        [_finding(f, own) for f in report.findings],
        [[p.kind, p.row, _span(p.span), p.names, p.text, p.own_line, p.problem] for p in comments.pragmas],
        comments.statements,
    ]


def _span(span: Span | None) -> Any:
    return None if span is None else [span.row, span.column, span.end_row, span.end_column]


def _finding(f: Finding, own: str) -> list[Any]:
    steps = [[s.label, _span(s.span), _name(s.filename, own)] for s in f.path]
    fix = f.fix and [f.fix.applicability, f.fix.message, [[_span(e.span), e.content] for e in f.fix.edits]]
    return [
        f.code, int(f.severity), f.message, _name(f.filename, own), _span(f.span), f.function, f.consumer, f.fact,
        f.help, steps, fix,
    ]  # fmt: skip


def _name(filename: str | None, own: str) -> str | None:
    """The file itself is "": it may be called otherwise when it is linted from another folder."""
    return "" if filename == own else filename


def _fill(report: Report, written: list[Any], content: bytes) -> bool:
    """Fill ``report``; False where the file has changed since its ``content`` was looked at. Raises OSError."""
    idle, findings, pragmas, rows = written
    own = report.target.filename
    made = [_read(f, own) for f in findings]
    comments = Comments(
        [
            Pragma(kind, row, Span(*span), None if names is None else tuple(names), text, own_line, problem)
            for kind, row, span, names, text, own_line, problem in pragmas
        ],
        [(first, last) for first, last in rows],
    )
    if made or comments.pragmas:
        from losslint import sources

        data = report.target.path.read_bytes()
        if digest(data) != content:
            return False
        source = sources.decode(data, own, report.target.path)
        report.text = source.text
        comments.lines = source.lines if comments.pragmas else []
    report.findings, report.comments, report.idle = made, comments, idle
    return True


def _read(written: list[Any], own: str) -> Finding:
    code, severity, message, filename, span, function, consumer, fact, help_, steps, fix = written
    path = tuple(
        Step(label, None if at is None else Span(*at), own if name == "" else name) for label, at, name in steps
    )
    edits = fix and Fix(fix[0], fix[1], tuple(Edit(Span(*at), content) for at, content in fix[2]))
    return Finding(
        code, Severity(severity), message, own if filename == "" else filename, Span(*span), function, consumer, fact,
        help_, path, edits,
    )  # fmt: skip
