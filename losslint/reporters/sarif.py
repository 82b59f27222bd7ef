"""For code scanning: SARIF 2.1.0 (OASIS), with the rules' pages as help, gradient paths as code flows, and fixes.

The fingerprints let a service recognise a finding when code around it has moved. What a run has refuted is listed as
suppressed, with the run as the reason.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from losslint import __version__, rulebook
from losslint.findings import REFUTED, Finding, Fix, Severity, Span, Step
from losslint.fingerprints import fingerprints
from losslint.reporters.json import finding_json, plain
from losslint.reporters.lines import Lines, well_formed
from losslint.rulebook import Rule
from losslint.session import Result

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://github.com/losslint/losslint"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_EVIDENCE = ("verdict", "reason", "witness", "tried", "assumed", "device", "tensorflow")


def render(result: Result) -> Lines:
    """One log with one run."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(result)]}
    yield [(json.dumps(log, indent=2), "")]


def _run(result: Result) -> dict[str, Any]:
    codes = sorted({f.code for f in result.findings} & rulebook.rules().keys())
    index = {code: number for number, code in enumerate(codes)}
    marks = fingerprints(result.findings, result.texts)
    refuted = {id(f) for f in result.refuted}
    return {
        "tool": {
            "driver": {
                "name": "losslint",
                "version": __version__,
                "informationUri": _HOME,
                "rules": [_rule(rulebook.rules()[code]) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not (result.errors or result.failed),
                "exitCode": result.status,
                "toolExecutionNotifications": [
                    *({"level": "error", "message": {"text": well_formed(text)}} for text in result.errors),
                    *({"level": "warning", "message": {"text": well_formed(text)}} for text in result.warnings),
                ],
            }
        ],
        "results": [
            _result(finding, mark, index, id(finding) in refuted)
            for finding, mark in zip(result.findings, marks, strict=True)
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        **({"helpUri": rule.url} if rule.url else {}),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": [rule.family],
            "problem.severity": _LEVELS[rule.severity].replace("note", "recommendation"),
        },
    }


def _result(finding: Finding, mark: str, index: dict[str, int], refuted: bool) -> dict[str, Any]:
    fields = finding_json(finding)
    evidence = {key: fields[key] for key in _EVIDENCE if fields.get(key)}
    place = {
        "physicalLocation": _physical(finding.filename, finding.in_file),
        "logicalLocations": [{"fullyQualifiedName": finding.function, "kind": "function"}],
    }
    return {
        "ruleId": finding.code,
        **({"ruleIndex": index[finding.code]} if finding.code in index else {}),
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [place],
        "partialFingerprints": {"losslint/v1": mark},
        **({"codeFlows": [_flow(finding)]} if finding.path else {}),
        **({"fixes": [_fix(finding.fix, finding.filename)]} if finding.fix is not None and not finding.cell else {}),
        **({"suppressions": [_refutation(finding)]} if refuted else {}),
        "properties": {
            **({"consumer": finding.consumer} if finding.consumer else {}),
            **({"fact": finding.fact} if finding.fact else {}),
            **plain(evidence),
        },
    }


def _message(finding: Finding) -> str:
    cell = f"Cell {finding.cell}, line {finding.shown.row}: " if finding.cell else ""
    text = f"{finding.message}. {finding.help[:1].upper()}{finding.help[1:]}" if finding.help else finding.message
    verdict = finding.verdict
    text = well_formed(cell + text)
    return f"{text}\n{verdict.verdict.capitalize()}: {verdict.reason}" if verdict is not None else text


def _refutation(finding: Finding) -> dict[str, Any]:
    assert finding.verdict is not None and finding.verdict.verdict == REFUTED
    return {"kind": "external", "status": "accepted", "justification": f"refuted by a run: {finding.verdict.reason}"}


def _flow(finding: Finding) -> dict[str, Any]:
    return {"threadFlows": [{"locations": [_stop(step, finding) for step in finding.path]}]}


def _stop(step: Step, finding: Finding) -> dict[str, Any]:
    label, place = step.label, {}
    if step.span is not None and finding.cell and step.filename in (None, finding.filename):
        label = "{} (cell {}, line {})".format(label, *finding.place(step.span.row))
    elif step.span is not None:
        place = {"physicalLocation": _physical(step.filename or finding.filename, step.span)}
    return {"location": {"message": {"text": label}, **place}}


def _fix(fix: Fix, filename: str) -> dict[str, Any]:
    replacements = [{"deletedRegion": _region(e.span), "insertedContent": {"text": e.content}} for e in fix.edits]
    changes = [{"artifactLocation": _artifact(filename), "replacements": replacements}]
    return {"description": {"text": f"{fix.message} ({fix.applicability})"}, "artifactChanges": changes}


def _physical(filename: str, span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(filename), "region": _region(span)}


def _artifact(filename: str) -> dict[str, Any]:
    """A path below the current folder is relative to the root of the sources, as GitHub wants it."""
    if os.path.isabs(filename):
        with_root = Path(filename)
        if not with_root.is_relative_to(Path.cwd()):
            return {"uri": with_root.as_uri()}
        filename = str(with_root.relative_to(Path.cwd()))
    return {"uri": quote(os.fsencode(Path(filename).as_posix())), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, int]:
    return {"startLine": span.row, "startColumn": span.column, "endLine": span.end_row, "endColumn": span.end_column}
