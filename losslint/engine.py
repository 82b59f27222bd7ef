"""Lints one source: discovery, tracing, checks, and one finding per fault."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from losslint.budget import Budget, BudgetExceeded
from losslint.checks import load_checks
from losslint.checks.base import Draft, drafts_of
from losslint.findings import Finding, Step
from losslint.fixes import fix_of
from losslint.frontend.discovery import DEFAULTS, entries, evidence_of, imports_framework
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.loss import Loss
from losslint.options import Options
from losslint.subjects import PROVIDERS, Subject
from losslint.tracing import trace, undecided

_OVERHEAD = 250
"""Steps that a loss is charged for what is done with every one, however short it is."""


class Failure(NamedTuple):
    """The analysis of one function failed; ``reason`` says how."""

    function: str
    row: int
    reason: str


def losses(module: Module, project: Project, options: Options = DEFAULTS) -> Iterator[Loss | Failure]:
    """Every loss of ``module``, traced. A function whose analysis fails yields a Failure and the rest goes on.

    What is but a part of other losses is told of through them: they know what it is given, and what becomes of its
    result. It is traced by itself where none of them was followed into it.
    """
    if not imports_framework(module):
        return
    evidence = evidence_of(module, options)
    found = entries(module, options)
    untold = {entry.name for entry in found if entry.part}
    for entry in sorted(found, key=lambda e: e.part):
        if options.budget.exceeded:
            return
        if entry.part and entry.name not in untold:
            continue
        options.budget.charge(_OVERHEAD)
        find = functools.partial(_telling, untold, functools.partial(trace, entry, module, project, evidence, options))
        yield from _until_it_fails(find, entry.name, entry.row, options.budget)


def _telling(untold: set[str], find: Callable[[], Iterator[Loss]]) -> Iterator[Loss]:
    """What ``find`` yields; the parts that it tells of are taken from ``untold``."""
    for loss in find():
        if untold and not undecided(loss):
            untold -= loss.functions
        yield loss


def _until_it_fails(find: Callable[[], Iterable[Any]], name: str, row: int, budget: Budget) -> Iterator[Any]:
    """What ``find`` yields, and a Failure of ``name`` where it ends in an error."""
    try:
        yield from find()
    except BudgetExceeded as error:
        if not budget.exceeded:  # of the file's, lint_module tells, once
            yield Failure(name, row, str(error))
    except RecursionError:
        yield Failure(name, row, "nested too deeply")
    except Exception as error:  # a bug of ours must not cost the user the other findings
        yield Failure(name, row, f"{type(error).__name__}: {error}")


def lint_module(module: Module, project: Project, options: Options = DEFAULTS) -> tuple[list[Finding], list[Failure]]:
    """The findings of ``module`` and what could not be analysed."""
    findings: dict[tuple[Any, ...], Finding] = {}
    failures: list[Failure] = []
    last = ""
    for subject in itertools.chain(losses(module, project, options), others(module, project, options)):
        if isinstance(subject, Failure):
            failures.append(subject)
            continue
        last = subject.name if isinstance(subject, Loss) else last
        find = functools.partial(drafts_of_subject, subject)
        for made in list(_until_it_fails(find, subject.name, 1, options.budget)):
            if isinstance(made, Failure):
                failures.append(made)
                continue
            draft, source = made
            finding = finding_of(draft, subject)
            key = (finding.code, finding.filename, finding.span)
            known = findings.get(key)
            if known is not None and finding.severity <= known.severity:
                continue
            findings[key] = finding
            try:
                findings[key] = dataclasses.replace(finding, fix=fix_of(draft, source))
            except Exception as error:  # the finding stands without
                reason = f"the fix of {draft.code}: {type(error).__name__}: {error}"
                failures.append(Failure(subject.name, finding.span.row, reason))
    if options.budget.exceeded:
        where = f"after {last}" if last else "in its first function"
        reason = f"it takes more than {options.budget.most} steps (file-steps), and was given up {where}"
        failures.append(Failure("<module>", 1, reason))
    return sorted(findings.values(), key=lambda f: f.order), failures


def others(module: Module, project: Project, options: Options = DEFAULTS) -> Iterator[Subject | Failure]:
    """What else of ``module`` there are checks for. As in ``losses``, what fails costs nothing else."""
    if not imports_framework(module):
        return
    load_checks()  # they import the providers of what they look at
    for provide in PROVIDERS:
        yield from _until_it_fails(functools.partial(provide, module, project, options), "<module>", 1, options.budget)


def findings_of(subject: Subject) -> list[Finding]:
    """What every check says of one subject, a loss above all; one finding a fault."""
    return [finding_of(draft, subject) for draft, _ in drafts_of_subject(subject)]


def drafts_of_subject(subject: Subject) -> Iterator[tuple[Draft, Subject]]:
    """The same before positions are computed, and without fixes; each with the subject whose facts it is read from."""
    load_checks()
    yield from ((draft, subject) for draft in drafts_of(subject))
    if isinstance(subject, Loss) and subject.general is not None:
        seen = subject.places
        others = drafts_of(subject.general)
        yield from ((draft, subject.general) for draft in others if id(draft.site.tree) not in seen)


def finding_of(draft: Draft, subject: Subject) -> Finding:
    """``draft`` with positions, without its fix."""
    site = draft.site
    path = tuple(
        Step(label, s.module.span(s.tree) if s else None, s.module.path if s else None) for label, s in draft.path
    )
    return Finding(
        draft.code,
        draft.severity,
        draft.message,
        site.module.path,
        site.module.span(site.tree),
        site.function,
        subject.consumer.kind if subject.consumer is not None else None,
        draft.fact,
        draft.help,
        path,
        extra={"loss": key_of(subject), "path": site.module.path, "asked": draft.data.get("claim", {})},
    )


def key_of(subject: Subject) -> tuple[str, str, int, int]:
    """File, name, row and column of ``subject``: what tells it from the others of a run."""
    span = subject.site.module.span(subject.site.tree)
    return str(subject.site.module.path), subject.name, span.row, span.column
