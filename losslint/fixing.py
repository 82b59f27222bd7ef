"""Makes the fixes that findings bring: in rounds, until there is nothing left to fix, and in memory.

Fixes that overlap wait for the next round. After each round what may have changed is linted again, and a fix has to
keep its promises: the file parses and was not like that before, the finding is gone, and nothing is found in what the
fix wrote. What is found elsewhere was there before, behind what is fixed: it is reported, and fixed if it can be.
Where a round fails, its fixes are tried file by file, then one by one, and those that break something are left out,
with a warning: that is a bug in losslint.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from losslint import files, sources
from losslint.findings import Edit, Finding, Severity, Span
from losslint.fixes import edits
from losslint.report import Report
from losslint.session import Analyst, Change, Result, settle
from losslint.sources import Source

MOST_ROUNDS = 100
_Key = tuple[str, str, str]  # file, function, code
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Unwritable(Exception):
    """A file could not be written; the text says which and why."""


def fix(reports: Sequence[Report], result: Result, data: bytes | None = None) -> list[Report]:
    """``reports`` as they are after all fixes, which ``result`` lists. ``data`` is the text where there is no file."""
    state = _State(reports, data)
    for _ in range(MOST_ROUNDS):
        wanted = _compatible(f for f in state.findings if state.wants(f))
        if not wanted:
            break
        state = _round(state, wanted, result)
    result.fixed = state.fixed
    result.changes = [
        Change(Path(path), state.sources[path], text)
        for path, text in sorted(state.texts.items())
        if text != state.sources[path].text
    ]
    return list(state.reports.values())


def _compatible(findings: Iterable[Finding]) -> list[Finding]:
    """The findings whose fixes can be made together; in each file the first ones win.

    Names that are gone come before all others, which are spelled with what the file has then.
    """
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_file[finding.filename].append(finding)
    groups = [[f for f in group if f.code == "LL503"] or group for group in by_file.values()]
    return [group[i] for group in groups for i in edits.disjoint([f.fix for f in group if f.fix is not None])]


def _round(state: _State, wanted: list[Finding], result: Result) -> _State:
    """``state`` with the fixes of ``wanted``, or with some of them, or without those that break their promises."""
    after, problem = state.with_fixes(wanted)
    if not problem:
        return after
    files = sorted({f.filename for f in wanted})
    if len(files) > 1:
        for name in files:  # what is changed in one leaves the rows of the others as they are
            left = [f for f in wanted if f.filename == name and f in state.findings]
            state = _round(state, left, result) if left else state
        return state
    broken = [(f, problem) for f in wanted if (problem := state.with_fixes([f])[1])]
    for finding, problem in broken:
        where = f"{finding.filename}:{finding.span.row}"
        result.warnings.append(f"the fix of {finding.code} at {where} is left out, {problem}: a bug in losslint")
    # those that are good alone and not together are made one a round
    return state.without([f for f, _ in broken]) if broken else state.with_fixes(wanted[:1])[0]


class _State:
    """The files as they are after some fixes, and what is found in them."""

    def __init__(self, reports: Iterable[Report], data: bytes | None = None) -> None:
        self.reports = {str(r.target.path): r for r in reports}
        self.paths = {r.target.filename: path for path, r in self.reports.items()}
        self.data = data
        self.sources: dict[str, Source] = {}  # as they were found, of the files that were changed
        self.texts: dict[str, str] = {}  # as they are now
        self.earlier: dict[str, frozenset[str]] = {}  # as they were in between
        self.fixed: list[Finding] = []
        self.refused: frozenset[tuple[_Key, tuple[str, ...]]] = frozenset()
        self.findings = _settled(self.reports.values())

    def copy(self) -> _State:
        """The same, to be changed."""
        other: _State = object.__new__(_State)
        other.__dict__ = {k: v.copy() if isinstance(v, (dict, list)) else v for k, v in self.__dict__.items()}
        return other

    def wants(self, finding: Finding) -> bool:
        """Whether the fix of ``finding`` is to be made."""
        settings = self.reports[self.paths[finding.filename]].target.settings
        if finding.fix is None or not settings.fix or _identity(finding) in self.refused:
            return False
        return finding.fix.applicability == "safe" or settings.unsafe_fixes

    def without(self, findings: list[Finding]) -> _State:
        """This state, in which the fixes of ``findings`` are not tried again."""
        other = self.copy()
        other.refused = self.refused | set(map(_identity, findings))
        return other

    def with_fixes(self, wanted: list[Finding]) -> tuple[_State, str]:
        """The state after the fixes of ``wanted``, and which promise they break."""
        after = self.copy()
        changes: dict[str, list[Edit]] = defaultdict(list)
        for finding in wanted:
            changes[self.paths[finding.filename]] += finding.fix.edits if finding.fix is not None else ()
        written: dict[str, list[Span]] = {}
        for path, made in changes.items():
            source = after.source(path)
            before = after.texts.get(path, source.text)
            text = edits.apply(before, made)
            after.earlier[path] = after.earlier.get(path, frozenset()) | {before}
            if text in after.earlier[path]:
                return self, "as it undoes what other fixes did"
            try:
                sources.syntax_tree(dataclasses.replace(source, text=text))
                sources.encode(source, text)
            except (sources.Unreadable, UnicodeError) as error:
                return self, f"as the file would be broken: {error}"
            after.texts[path] = text
            written[self.reports[path].target.filename] = edits.written(before, made)
        after._lint_again(set(changes))
        after.fixed = self.fixed + wanted
        return after, _broken_promise(self.findings, after.findings, wanted, written)

    def source(self, path: str) -> Source:
        """The file at ``path`` as it was found."""
        if path not in self.sources:
            target = self.reports[path].target
            data = self.data
            self.sources[path] = (
                sources.read(target.path, target.filename)
                if data is None
                else sources.decode(data, target.filename, target.path)
            )
        return self.sources[path]

    def _lint_again(self, changed: set[str]) -> None:
        """New reports on the changed files, and on whatever else may see them."""
        analyst = Analyst()
        for path, text in self.texts.items():
            analyst.project.change(Path(path), text)
        for path in [*sorted(changed), *sorted(self._dependents(changed))]:
            target = self.reports[path].target
            if path in self.texts:
                source = dataclasses.replace(self.source(path), text=self.texts[path])
                self.reports[path] = analyst.report_on(target, source)
            else:
                self.reports[path] = analyst.report(target, self.data)
        self.findings = _settled(self.reports.values())

    def _dependents(self, changed: set[str]) -> set[str]:
        """The other files that name a changed one, or a file that does: they may import it."""
        others = {path: _words(self.reports[path]) for path in self.reports if path not in changed}
        found: set[str] = set()
        fresh = changed
        while fresh:
            names = {_imported_as(Path(path)) for path in fresh}
            fresh = {path for path, words in others.items() if path not in found and names & words}
            found |= fresh
        return found


def _imported_as(path: Path) -> str:
    return path.parent.name if path.stem == "__init__" else path.stem


def _words(report: Report) -> set[str]:
    """The words in the import statements of a file, the names it imports included."""
    text = report.text
    if not text:
        with contextlib.suppress(sources.Unreadable):
            text = sources.read(report.target.path, report.target.filename).text
    lines = re.findall(r"^[ \t]*(?:from|import)\b.*", text, re.MULTILINE)
    return set(re.findall(r"\w+", " ".join(lines)))


def _settled(reports: Iterable[Report]) -> list[Finding]:
    result = Result()
    settle(reports, result)
    return result.findings


def _key(finding: Finding) -> _Key:
    return finding.filename, finding.function, finding.code


def _identity(finding: Finding) -> tuple[_Key, tuple[str, ...]]:
    """What a fix is known by when the rows have changed."""
    return _key(finding), tuple(e.content for e in finding.fix.edits) if finding.fix is not None else ()


def _broken_promise(
    before: list[Finding], after: list[Finding], wanted: list[Finding], written: dict[str, list[Span]]
) -> str:
    """What is wrong with the findings ``after`` the fixes of ``wanted``; nothing where all is well.

    ``written`` are the places in each file that hold what the fixes wrote.
    """
    had, has = Counter(map(_key, before)), Counter(map(_key, after))
    for key, number in Counter(map(_key, wanted)).items():
        if has[key] > had[key] - number:
            return "as it is found again afterwards"
    for fresh in after:
        new = fresh.severity > Severity.INFO and has[_key(fresh)] > had[_key(fresh)]
        if new and _begins_and_ends_in(written.get(fresh.filename, []), fresh.span):
            return f"as it brings {fresh.code} in row {fresh.span.row}"
    return ""


def _begins_and_ends_in(places: list[Span], span: Span) -> bool:
    first, last = (span.row, span.column), (span.end_row, span.end_column)
    ends = [((p.row, p.column), (p.end_row, p.end_column)) for p in places]
    return any(a <= first < b for a, b in ends) and any(a < last <= b for a, b in ends)


# -- what becomes of it ----------------------------------------------------------------------------------------------


def write(change: Change) -> None:
    """Put the changed text in place of the file, all of it or nothing. Raises Unwritable."""
    path = Path(os.path.realpath(change.path))
    try:
        if path.read_bytes() != sources.encode(change.before, change.before.text):
            raise Unwritable(
                f"{change.filename} was changed meanwhile, or cannot be encoded again: left alone, run it once more"
            )
        files.replace(path, sources.encode(change.before, change.after))
    except OSError as error:
        raise Unwritable(f"cannot write {change.filename}: {error.strerror}; make it writable, or exclude it") from None


def diff(change: Change) -> Iterator[str]:
    """The lines of a unified diff, without their ends."""
    before, after = (_LINE.findall(text) for text in (change.before.text, change.after))
    for line in difflib.unified_diff(before, after, change.filename, change.filename):
        yield line.rstrip("\r\n")
        if not line.endswith(("\n", "\r")):
            yield "\\ No newline at end of file"
