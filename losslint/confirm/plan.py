"""Which losses are to be run and what is asked about each: from findings or from a path to jobs."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losslint import discovery, rulebook, session, sources, suppressions
from losslint.believed import NotFound
from losslint.confirm.hints import hints
from losslint.confirm.jobs import Claim, Job, Place, Step
from losslint.confirm.probes import NAMES
from losslint.confirm.slicing import bundle, place_of, step_of
from losslint.findings import Finding
from losslint.options import Options, Use
from losslint.settings import Resolver, Settings
from losslint.sources import Source

Key = tuple[str, str, int, int]
"""File, name, row and column of a loss."""


@dataclass(slots=True)
class Planned:
    """One loss to run. ``numbers`` are the places of its claims in the list of findings that was asked about."""

    name: str
    path: str
    row: int
    job: Job
    numbers: list[int] = field(default_factory=list)
    refused: str = ""  # why it cannot be run at all
    believed: dict[str, Any] = field(default_factory=dict)  # the passport of the analysis
    findings: list[Finding] = field(default_factory=list)  # what the claims are, in their order


def for_findings(
    findings: list[Finding], resolver: Resolver, texts: Mapping[str, bytes] | None = None, passports: bool = False
) -> Iterator[Planned]:
    """The losses in which ``findings`` were made, each with the claims that a run can decide; all probes on request.

    ``texts`` holds files that are not to be read from disk (standard input). Jobs speak of absolute paths: they run
    elsewhere.
    """
    named: dict[str, str] = {}
    wanted: dict[str, dict[Key, list[int]]] = {}
    for number, finding in enumerate(findings):
        key = finding.extra.get("loss")
        if key is not None and rulebook.find(finding.code).probe:
            path = os.path.abspath(key[0])
            named[path] = key[0]
            wanted.setdefault(path, {}).setdefault((path, *key[1:]), []).append(number)
    for path, keys in wanted.items():
        data = (texts or {}).get(named[path])
        source = sources.read(Path(path), path) if data is None else sources.decode(data, path, Path(path))
        settings = resolver.of(Path(path).parent)
        known = findings[next(iter(keys.values()))[0]].extra.get("elsewhere", ())
        for planned, key in _losses(source, settings, frozenset(keys), elsewhere=known):
            planned.path = named[path]
            planned.numbers = keys[key]
            planned.findings = [findings[n] for n in planned.numbers]
            claims = tuple(map(_claim, planned.findings))
            whole = passports and planned.job.subject == "loss"
            planned.job = dataclasses.replace(planned.job, claims=claims, probes=NAMES if whole else ())
            yield planned


def for_path(filename: str, name: str, settings: Settings, curves: bool = True) -> Iterator[Planned]:
    """The losses of a file, or the function called ``name``, whether it is taken for a loss or not. Raises NotFound.

    All probes are asked for; ``curves`` are for plots.
    """
    path = Path(filename).absolute()
    if not path.is_file():
        raise NotFound(f"no such file: {filename}{discovery.neighbour(str(path))}")
    try:
        source = sources.read(path, str(path))
        tree = sources.syntax_tree(source)
    except sources.Unreadable as error:
        span = error.finding.span
        raise NotFound(f"{filename}:{span.row}:{span.column}: {error.finding.message}") from None
    rows: frozenset[int] = frozenset()
    shown = settings.enabled - settings.ignored_in(path)
    if name:
        found = dict(_definitions(tree))
        known = [n for n in found if name in (n, n.rpartition(".")[2], n.replace(".<locals>", ""))]
        rows = frozenset(found[n] for n in known)
        if not known and name != "<module>":
            way = rulebook.hint(name, found) or f"; losslint facts {filename} lists its losses"
            raise NotFound(f"there is no function {name!r} in {filename}{way}")
    for planned, _ in _losses(source, settings, None, rows):
        if not name or planned.row in rows or planned.name == name:
            told = [f for f in planned.findings if f.code in shown and f.severity >= settings.threshold]
            claims = tuple(map(_claim, told))
            asked = tuple(n for n in NAMES if curves or n != "curves")
            planned.job = dataclasses.replace(planned.job, claims=claims, probes=asked)
            planned.path = filename
            here = str(path)
            planned.findings = [dataclasses.replace(f, filename=filename) if f.filename == here else f for f in told]
            yield planned


def _losses(
    source: Source,
    settings: Settings,
    keys: frozenset[Key] | None,
    forced: frozenset[int] = frozenset(),
    elsewhere: tuple[Use, ...] = (),
) -> Iterator[tuple[Planned, Key]]:
    """The losses of ``source`` that have one of ``keys`` (None: all, with their findings).

    Functions in the rows ``forced`` are taken for losses. ``elsewhere`` is what other files of the run do with them.
    """
    from losslint import engine, passport
    from losslint.frontend.project import Project

    tree = sources.syntax_tree(source)
    project = Project()
    module = session.module_of(source, tree, project)
    options = session.options_of(source, tree, settings, elsewhere)
    if forced:
        options = dataclasses.replace(options, pragmas=dict.fromkeys(forced, "loss") | dict(options.pragmas))
    files = bundle(module, project)
    declared = _declared(source, tree)
    configured = {f: " ".join(f"{n}={v}" for n, v in pairs) for f, pairs in settings.inputs}
    consumers = _consumers(module) if forced else {}
    seen: set[int] = set()
    done: set[Key] = set()
    for loss in engine.losses(module, project, options):
        if isinstance(loss, engine.Failure):
            continue
        key = engine.key_of(loss)
        if keys is not None and key not in keys:
            continue
        seen.add(key[2])
        done.add(key)
        name = key[1]
        inputs = declared.get(key[2]) or configured.get(name) or configured.get(name.rpartition(".")[2], "")
        consumer = consumers.get(key[2], loss.consumer.kind)
        job = Job(files, name, step_of(loss), consumer, _keras(module, options), hints(loss), inputs)
        found = [f for f in engine.findings_of(loss) if rulebook.find(f.code).probe] if keys is None else []
        yield (
            Planned(name, source.filename, key[2], job, [], _refused(module, job), passport.passport(loss), found),
            key,
        )
    for other in engine.others(module, project, options) if keys is not None else ():
        subject = _SUBJECTS.get(type(other).__name__)
        if isinstance(other, engine.Failure) or subject is None:
            continue
        key = engine.key_of(other)
        if keys is None or key not in keys or key in done:
            continue
        done.add(key)
        step = Step(key[1], place_of(other.site)) if subject == "compile" else None
        job = Job(files, key[1], step, "keras", _keras(module, options), subject=subject)
        yield Planned(key[1], source.filename, key[2], job), key
    for name, row in _definitions(tree):  # what the analysis makes nothing of is run all the same
        if row in forced and row not in seen:
            job = Job(files, name, None, "unknown", _keras(module, options), {}, declared.get(row, ""))
            yield Planned(name, source.filename, row, job), (source.filename, name, row, 1)


_SUBJECTS = {"LossClass": "class", "Compile": "compile", "Names": "names"}
"""What else there are findings about, as jobs call it."""
_LEGACY = ("tf_keras", "TF_USE_LEGACY_KERAS")
_GRAPH_CODE = re.compile(r"\bplaceholder\s*\(|\.Session\s*\(")
"""What TensorFlow 1 builds its graphs with."""


def _keras(module: Any, options: Options) -> str:
    """The Keras to run with: the configured one, the legacy one where the file asks for it, or the targeted one."""
    if options.keras in ("2", "3"):
        return options.keras
    return "2" if any(mark in module.text for mark in _LEGACY) else options.target.major


def _refused(module: Any, job: Job) -> str:
    if job.step is not None and job.step.function == "<module>" and _GRAPH_CODE.search(module.text):
        return "a graph of TensorFlow 1 is built by the whole script"
    return ""


def _consumers(module: Any) -> dict[int, str]:
    """Row of a def -> the consumer that discovery finds by itself."""
    from losslint.frontend.discovery import entries

    return {e.row: e.consumer.kind for e in entries(module) if e.kind == "function"}


def _claim(finding: Finding) -> Claim:
    span = finding.span
    place = Place(span.row, span.column, span.end_row, span.end_column)
    path, asked = os.path.abspath(finding.extra["path"]), finding.extra.get("asked") or {}
    return Claim(finding.code, path, place, finding.message, finding.function, asked)


def _declared(source: Source, tree: ast.Module) -> dict[int, str]:
    """Row of a def -> what ``# losslint: inputs`` above it says."""
    comments = suppressions.pragmas(source)
    found: dict[int, str] = {}
    for first, row, _ in session.definitions(tree) if comments else ():
        for pragma in (p for above in range(first, row + 1) for p in comments.get(above, ())):
            if pragma.kind == "inputs":
                found[row] = f"{found.get(row, '')} {pragma.text}".strip()
    return found


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Qualified name and row of every function."""
    for node in _children(tree):
        name = prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node, f"{name}.")
        else:
            yield name, node.lineno
            yield from _definitions(node, f"{name}.<locals>.")


def _children(tree: ast.AST) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The definitions directly inside ``tree``, those in its if, try and with blocks included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node
        elif isinstance(node, (ast.stmt, ast.ExceptHandler)):
            yield from _children(node)
