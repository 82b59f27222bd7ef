"""One run over many files: finds and reads them, has each analysed, and settles what is reported.

Analysing is a map over files, written against ``concurrent.futures.Executor``; what is reported is settled afterwards
in one place, because a fault in a helper may be found from any file that calls it.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from losslint import budget, collector, discovery, notebooks, plugins, rulebook, sources, suppressions
from losslint.budget import Budget
from losslint.discovery import Target
from losslint.findings import REFUTED, Finding, Severity, Span
from losslint.report import Report
from losslint.settings import Resolver, Settings
from losslint.sources import Source, Unreadable
from losslint.suppressions import Comments

if TYPE_CHECKING:
    from losslint.cache import Cache
    from losslint.frontend.module import Module
    from losslint.frontend.project import Project
    from losslint.options import Options, Use
    from losslint.progress import Progress

_SHORTCUTS = True
"""Whether files that hold nothing to analyse are told without looking into them; tests turn it off."""


class Change(NamedTuple):
    """What fixes make of one file."""

    path: Path
    before: Source
    after: str

    @property
    def filename(self) -> str:
        """The file, as findings show it."""
        return self.before.filename


@dataclass(slots=True)
class Result:
    """What a run found; ``findings`` are sorted and at or above the severity that is shown."""

    findings: list[Finding] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    hidden: int = 0  # findings below the severity that is shown
    baselined: int = 0  # findings that the baseline lists
    failing: int = 0  # findings at or above ``fail-on``
    failed: bool = False  # an analysis failed
    texts: dict[str, str] = field(default_factory=dict)  # of the files with findings
    confirmed: bool = False  # the findings were run and have verdicts
    trust_refuted: bool = True  # refuted findings are set apart
    limits: dict[str, str] = field(default_factory=dict)  # limit -> what enforced it in those runs
    unsafe: set[str] = field(default_factory=set)  # files in which unsafe fixes are wanted
    fixed: list[Finding] = field(default_factory=list)  # what was found before fixes were made, and is no more
    changes: list[Change] = field(default_factory=list)  # what the fixes made of files

    @property
    def standing(self) -> list[Finding]:
        """The findings that stand: those that no run has refuted."""
        return [f for f in self.findings if not self._is_refuted(f)]

    @property
    def refuted(self) -> list[Finding]:
        """The findings that a run has refuted; none where that is not trusted."""
        return [f for f in self.findings if self._is_refuted(f)]

    def offers(self, finding: Finding) -> bool:
        """Whether ``--fix`` would fix ``finding`` as things are set."""
        fix = finding.fix
        return fix is not None and (fix.applicability == "safe" or finding.filename in self.unsafe)

    def _is_refuted(self, finding: Finding) -> bool:
        return self.trust_refuted and finding.verdict is not None and finding.verdict.verdict == REFUTED

    @property
    def status(self) -> int:
        """The exit status."""
        return 2 if self.errors or self.failed else 1 if self.failing else 0


def check(
    paths: Sequence[str],
    resolver: Resolver,
    *,
    jobs: int = 0,
    force_exclude: bool = False,
    cache: Path | None = None,
    cluster: str = "",
    progress: Progress | None = None,
) -> Result:
    """Lint ``paths`` with ``jobs`` processes, 0 for as many as are worth it, or on a ``cluster``, given by its address.

    ``cache`` is the folder of the cache; ``progress`` is told how many files are done.
    Raises ConfigurationError, PluginError and NoCluster.
    """
    plugins.load()
    rulebook.demand()
    found = discovery.find(paths, resolver, force_exclude)
    result = Result(errors=found.errors, warnings=found.warnings)
    known, rest = _recalled(found.targets, cache)
    reports: Iterable[Report] = itertools.chain(known, _analysed(rest, jobs, cache, cluster)) if rest else known
    if progress is not None:
        reports = _told(reports, len(found.targets), progress)
    settle(_fixed(reports, result), result)
    return result


def _told(reports: Iterable[Report], total: int, progress: Progress) -> Iterator[Report]:
    """``reports``, each told when it is there."""
    for done, report in enumerate(reports, 1):
        progress(done, total)
        yield report


def _recalled(targets: list[Target], folder: Path | None) -> tuple[list[Report], list[Target]]:
    """The reports that the cache in ``folder`` holds, and the files it tells nothing of; all know of each other."""
    if folder is None or any(t.settings.fix for t in targets):
        return [], with_uses(targets)
    from losslint.cache import Cache

    cache = Cache(folder)
    contents = [_content(target.path) for target in targets]
    known, rest = [], []
    for target, content in zip(with_uses(targets, cache, contents), contents, strict=True):
        report = Report(target)
        if content and cache.get(report, content):
            known.append(report)
        else:
            rest.append(target)
    cache.close()
    return known, rest


def _content(path: Path) -> bytes:
    """What tells the content of the file at ``path`` from another; b"" where it cannot be read, as is told later."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return sources.digest(file.read())
    return b""


def check_text(data: bytes, filename: str, settings: Settings) -> Result:
    """Lint what an editor or a pipe holds, under the name ``filename``. Raises PluginError."""
    plugins.load()
    path = Path(os.path.abspath(filename))
    result = Result()
    settle(_fixed([Analyst().report(Target(filename, path, settings), data)], result, data), result)
    return result


class Session:
    """Lints one text again and again, for an editor: what was read stays in memory until some file of it changes."""

    def __init__(self) -> None:
        self._analyst = Analyst()
        self._stamps: dict[str, tuple[int, int] | None] = {}  # of the files that were read or looked for
        self._last: dict[str, tuple[str, Report]] = {}

    def check(self, source: Source, settings: Settings) -> Result:
        """Lint ``source``, a text that was decoded elsewhere. Raises PluginError."""
        plugins.load()
        if any(_stamp(path) != known for path, known in self._stamps.items()):
            self._forget()
        target = Target(source.filename, Path(os.path.abspath(source.filename)), settings)
        text, report = self._last.get(source.filename, ("", Report(target)))
        if not report.used or text != source.text or report.target != target:
            with collector.patient():
                report = self._analyst.report_on(target, source)
            self._last[source.filename] = source.text, report
            self._stamps |= {path: _stamp(path) for path in report.used or ()}
        result = Result()
        settle([report], result)
        return result

    def _forget(self) -> None:
        from losslint import dependencies

        dependencies.forget()
        self._analyst, self._stamps, self._last = Analyst(), {}, {}


def _stamp(path: str) -> tuple[int, int] | None:
    """What changes with the file at ``path``; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _fixed(reports: Iterable[Report], result: Result, data: bytes | None = None) -> Iterable[Report]:
    """``reports`` as they are once the fixes that are wanted have been made; ``result`` tells of those."""
    reports = list(reports)
    if not any(r.target.settings.fix for r in reports):
        return reports
    from losslint import fixing

    return fixing.fix(reports, result, data)


def settle(reports: Iterable[Report], result: Result) -> None:
    """Suppressions, selection and severities on ``reports``; sorts what is left into ``result``."""
    by_file = {str(r.target.path): r for r in reports}
    raised: dict[str, dict[tuple[Any, ...], Finding]] = {path: {} for path in by_file}
    for report in by_file.values():
        for finding in report.findings:
            path = os.path.abspath(finding.filename)
            if path in by_file:  # a helper that nobody asked about is not reported
                named = dataclasses.replace(finding, filename=by_file[path].target.filename)
                known = raised[path].setdefault(named.order, named)
                raised[path][named.order] = max(known, named, key=lambda f: f.severity)
    for path, report in by_file.items():
        result.files.append(report.target.filename)
        if report.target.settings.unsafe_fixes:
            result.unsafe.add(report.target.filename)
        _settle_file(report, list(raised[path].values()), result)
    result.findings.sort(key=lambda f: f.order)
    result.files.sort()


def _settle_file(report: Report, findings: list[Finding], result: Result) -> None:
    if not findings and not report.comments.pragmas:
        return  # the rules need not even be read
    settings, filename = report.target.settings, report.target.filename
    enabled = settings.enabled - settings.ignored_in(report.target.path)
    judged = enabled if report.whole else frozenset[str]()
    cells = notebooks.starts(report.text) if filename.endswith(notebooks.SUFFIX) else ()
    for finding in suppressions.apply(findings, report.comments, filename, judged):
        if finding.code not in enabled:
            continue
        severity = settings.severity_of(finding.code, finding.severity)
        result.failed |= finding.code == "LL004"
        if severity < settings.threshold:
            result.hidden += 1
            continue
        result.failing += settings.fails(severity)
        result.findings.append(dataclasses.replace(finding, severity=severity, cells=cells))
        result.texts[filename] = report.text


# -- analysing -------------------------------------------------------------------------------------------------------


def with_uses(targets: list[Target], cache: Cache | None = None, contents: Sequence[bytes] = ()) -> list[Target]:
    """``targets``, each with what the others do with its functions. ``contents``: their digests, for the ``cache``."""
    if len(targets) < 2:
        return targets
    run = [(t.filename, str(t.path)) for t in targets]
    found = cache.uses(run, contents) if cache is not None else None
    if found is None:
        from losslint.frontend import elsewhere

        uses = elsewhere.uses(((t.filename, t.path) for t in targets), _code_in)
        found = {str(t.path): used for t in targets if (used := uses.get(os.path.realpath(t.path)))} if uses else {}
        if cache is not None:
            cache.keep_uses(run, contents, found)
    return [t._replace(elsewhere=found.get(str(t.path), ())) for t in targets]


def _code_in(path: Path) -> bytes:
    """The Python in the file at ``path``; none where it cannot be read, which is reported where it is linted."""
    with contextlib.suppress(OSError, Unreadable):
        is_notebook = path.suffix == notebooks.SUFFIX
        return sources.read(path, str(path)).text.encode() if is_notebook else path.read_bytes()
    return b""


class Analyst:
    """Analyses files one after the other; the modules they import are kept."""

    def __init__(self, project: Project | None = None) -> None:
        self._project = project

    @property
    def project(self) -> Project:
        """The modules that were read."""
        if self._project is None:
            plugins.load()
            from losslint.frontend.project import Project

            self._project = Project()
        return self._project

    def report(self, target: Target, data: bytes | None = None) -> Report:
        """The report on one file; never raises."""
        try:
            path, filename = target.path, target.filename
            data = sources.read_bytes(path, filename) if data is None else data
            source = sources.decode(data, filename, path)
        except Unreadable as error:
            return Report(target, [error.finding], whole=False)
        report = self.report_on(target, source)
        report.content = sources.digest(data)
        return report

    def report_on(self, target: Target, source: Source) -> Report:
        """The report on ``source``, which stands for the file of ``target``; never raises."""
        report = self._report_on(target, source)
        report.used = {} if self._project is None else self._project.used
        if self._project is not None:
            self._project.used = {}
        return report

    def _report_on(self, target: Target, source: Source) -> Report:
        from losslint.frontend import gate

        comments = suppressions.read_comments(source)
        if _is_idle(source, comments, target):
            return Report(target, [], comments, text=source.text if comments.pragmas else "", idle=True)
        try:
            tree = sources.syntax_tree(source) if self._project is None else self._project.parsed(source)
        except Unreadable as error:
            return Report(target, [error.finding], comments, False, source.text)
        if not gate.may_matter(source.text):
            kept = source.text if comments.pragmas or source.problems else ""
            return Report(target, [*source.problems], comments, not source.problems, kept)
        findings = self._in_time(target, source, tree)
        whole = all(f.code not in ("LL001", "LL004") for f in findings)
        return Report(target, findings, comments, whole, source.text if findings or comments.pragmas else "")

    def _in_time(self, target: Target, source: Source, tree: ast.Module) -> list[Finding]:
        """What is found in ``source``; LL004 alone where that takes too long."""
        from losslint import engine  # noqa: F401
        from losslint.checks import load_checks

        load_checks()  # nothing is interrupted while it is imported
        project, most = self.project, target.settings.file_seconds
        try:
            with budget.seconds(most):
                return self._findings(target, source, tree)
        except budget.OutOfTime:
            self._project = project.fresh()  # this one was left half-way through anything
            return [failure(target.filename, "<module>", 1, f"it takes more than {most:g} seconds (file-seconds)")]

    def _findings(self, target: Target, source: Source, tree: ast.Module) -> list[Finding]:
        try:
            found = lint_source(source, tree, self.project, target.settings, target.elsewhere)
            return [*source.problems, *found]
        except RecursionError:
            return [failure(target.filename, "<module>", 1, "nested too deeply")]
        except Exception as error:  # a bug of ours must not cost the user the other files
            return [failure(target.filename, "<module>", 1, _described(error))]


def _is_idle(source: Source, comments: Comments, target: Target) -> bool:
    """Whether ``source`` parses and certainly holds nothing to analyse; False where that takes a closer look."""
    from losslint.frontend import gate

    settings = target.settings
    if (
        not _SHORTCUTS or source.problems or plugins.plugins()
    ):  # of other packages' rules it is not known what they look at
        return False
    if comments.declares_losses or settings.loss_names or settings.metric_names or target.elsewhere:
        return False
    matters = gate.may_matter(source.text)
    if matters and gate.says_so(source.text, target.path):
        return False
    table = gate.symbols(source.text, source.filename)
    return table is not None and not (matters and gate.may_define_losses(table))


def lint_source(
    source: Source, tree: ast.Module, project: Project, settings: Settings, elsewhere: tuple[Use, ...] = ()
) -> Iterator[Finding]:
    """The findings of the engine in ``source``, and LL004 for each function whose analysis failed."""
    from losslint import engine

    module = module_of(source, tree, project)
    found, failures = engine.lint_module(module, project, options_of(source, tree, settings, elsewhere))
    for finding in found:
        finding.extra["elsewhere"] = elsewhere  # a run has to find the same losses again
        yield finding
    for failed in failures:
        yield failure(source.filename, failed.function, failed.row, failed.reason)


def module_of(source: Source, tree: ast.Module, project: Project) -> Module:
    """``source`` as the frontend sees it, made known to ``project``."""
    from losslint.frontend.module import Module

    module = Module(source.filename, source.text, tree)
    project.add(module)
    return module


def options_of(source: Source, tree: ast.Module, settings: Settings, elsewhere: tuple[Use, ...] = ()) -> Options:
    """What ``settings``, the comments of ``source``, and other files say to the analysis."""
    from losslint.options import Options
    from losslint.targets import target_for

    comments = suppressions.pragmas(source)
    kinds: dict[int, str] = {}
    batch_level: set[int] = set()
    for first, row, end in definitions(tree) if comments else ():
        for pragma in (p for above in range(first, row + 1) for p in comments.get(above, ())):
            if pragma.kind in ("loss", "not-a-loss"):
                kinds[row] = pragma.kind
            elif pragma.kind == "batch-level":  # above a class it speaks of the methods
                batch_level.update(range(row, end + 1))
    return Options(
        keras=settings.keras,
        target=target_for(source.path or Path(source.filename), settings.keras, settings.tensorflow),
        loss_names=settings.loss_names,
        not_loss_names=settings.not_loss_names,
        metric_names=settings.metric_names,
        declared=dict(settings.facts),
        pragmas=kinds,
        batch_level=frozenset(batch_level),
        elsewhere=elsewhere,
        budget=Budget(settings.file_steps),
    )


def definitions(tree: ast.Module) -> Iterator[tuple[int, int, int]]:
    """The rows where each definition starts (with its decorators), where its name stands, and where it ends."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield (
                min([node.lineno, *(d.lineno for d in node.decorator_list)]),
                node.lineno,
                node.end_lineno or node.lineno,
            )


def failure(filename: str, function: str, row: int, reason: str) -> Finding:
    """LL004 of ``function``."""
    where = f"in {filename}" if function == "<module>" else f"of {function} in {filename}"
    message = f"the analysis {where} failed: {reason}"
    return Finding("LL004", Severity.WARNING, message, filename, Span(row, 1, row, 1), function)


def _described(error: BaseException) -> str:
    """``error`` and the place in losslint that raised it."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


# -- many files ------------------------------------------------------------------------------------------------------


def _analysed(targets: list[Target], jobs: int, folder: Path | None, cluster: str) -> Iterator[Report]:
    """The reports on ``targets``, which are put into the cache in ``folder``."""
    from losslint import executor

    if folder is None:
        yield from executor.reports(targets, jobs, cluster)
        return
    from losslint.cache import Cache

    cache = Cache(folder)
    try:
        for report in executor.reports(targets, jobs, cluster):
            cache.put(report)
            yield report
    finally:
        cache.close()
