"""For test reports, JUnit's XML: a suite for each file, a failed case for each finding, a passed one if clean."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from xml.etree import ElementTree

from losslint import rulebook
from losslint.findings import Finding
from losslint.reporters.lines import Lines
from losslint.session import Result

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def render(result: Result) -> Lines:
    """The findings that stand, by file."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in result.standing:
        by_file[finding.filename].append(finding)
    cases = len(result.standing) + sum(name not in by_file for name in result.files)
    counts = {"tests": str(cases), "failures": str(len(result.standing)), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "losslint", **counts})
    for name in result.files:
        root.append(_suite(name, by_file.get(name, [])))
    ElementTree.indent(root)
    yield [('<?xml version="1.0" encoding="utf-8"?>', "")]
    yield [(ElementTree.tostring(root, encoding="unicode"), "")]


def _suite(name: str, findings: list[Finding]) -> ElementTree.Element:
    counts = {"tests": str(len(findings) or 1), "failures": str(len(findings)), "errors": "0", "skipped": "0"}
    suite = ElementTree.Element("testsuite", {"name": _clean(name), **counts})
    for finding in findings:
        place = {"file": _clean(name), "line": str(finding.shown.row), "column": str(finding.shown.column)}
        title = f"{finding.code} [{rulebook.name_of(finding.code)}]"
        case = ElementTree.SubElement(
            suite, "testcase", {"name": title, "classname": _clean(finding.function), **place}
        )
        told = {"type": finding.severity.label, "message": _clean(finding.message)}
        ElementTree.SubElement(case, "failure", told).text = _clean("\n".join(_body(finding)))
    if not findings:
        ElementTree.SubElement(suite, "testcase", {"name": "losslint", "classname": _clean(name), "file": _clean(name)})
    return suite


def _body(finding: Finding) -> Iterator[str]:
    yield f"{finding.where}: {finding.code} {finding.message}"
    yield from (f"help: {finding.help}" for _ in range(bool(finding.help)))
    if finding.verdict is not None:
        yield f"{finding.verdict.verdict}: {finding.verdict.reason}"


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
