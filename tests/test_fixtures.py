"""The fixtures: what is expected stands in comments on the line, and is compared exactly, both ways.

``# LL302 LL401``   found on this line, as warning or error
``# info: LL308``   on a ``def`` line: said at info, anywhere in that function
``# miss: LL302``   a known miss: not found on this line, though it should be
``# false: LL404``  a known false alarm: found on this line, though it should not be

Several of them are separated by ``;``. The infos LL101 and LL104 are left out: every loss of Keras follows one of the
two contracts, and the rule pages test which.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.rule_pages import ROOT, lint

FIXTURES = ROOT / "fixtures"
FILES = sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.rglob("*.py"))
CONTRACTS = {"LL101", "LL104"}

_EXPECTATION = re.compile(r"(?:(info|miss|false): )?(LL\d{3}(?: LL\d{3})*)")

Place = tuple[Any, str]
"""A row, or the qualified name of a function, and a code."""


@dataclass
class Expected:
    """What the comments of one file say, by kind: "" (loud), "info", "miss", "false"."""

    by_kind: dict[str, set[Place]] = field(default_factory=lambda: defaultdict(set))

    @property
    def loud(self) -> set[Place]:
        return self.by_kind[""] | self.by_kind["false"]


def functions_by_row(source: str) -> dict[int, str]:
    """The qualified name of each function, by the row of its ``def``."""
    names: dict[int, str] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names[child.lineno] = prefix + child.name
                visit(child, f"{prefix}{child.name}.<locals>.")
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    visit(ast.parse(source), "")
    return names


def expectations(source: str) -> Expected:
    """Read the comments. Raises ValueError for an info that stands on no ``def`` line."""
    names = functions_by_row(source)
    expected = Expected()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        for part in token.string.lstrip("# ").split(";"):
            match = _EXPECTATION.fullmatch(part.strip())
            if match is None:
                continue
            kind, row = match.group(1) or "", token.start[0]
            if kind == "info" and row not in names:
                raise ValueError(f"row {row}: an info belongs on the line of a def")
            place = names[row] if kind == "info" else row
            expected.by_kind[kind] |= {(place, code) for code in match.group(2).split()}
    return expected


def difference(name: str, expected: set[Place], found: set[Place], known_misses: set[Place]) -> list[str]:
    """One line for each expectation that does not hold."""
    lines = [f"{name}:{place}: {code} expected, not found" for place, code in sorted(expected - found, key=str)]
    for place, code in sorted(found - expected, key=str):
        known = " (a known miss no longer: remove its comment)" if (place, code) in known_misses else ""
        lines.append(f"{name}:{place}: {code} found, not expected{known}")
    return lines


@pytest.fixture(scope="module")
def findings() -> dict[str, list[dict[str, Any]]]:
    """The findings by file; all fixtures are linted by one process."""
    found = defaultdict(list)
    for finding in lint(".", cwd=FIXTURES):
        found[finding["filename"]].append(finding)
    return found


@pytest.mark.parametrize("name", FILES)
def test_warnings_are_where_the_comments_say(name: str, findings: dict[str, list[dict[str, Any]]]) -> None:
    expected = expectations((FIXTURES / name).read_text(encoding="utf-8"))
    found = {(f["location"]["row"], f["code"]) for f in findings[name] if f["severity"] != "info"}
    differences = difference(name, expected.loud, found, expected.by_kind["miss"])
    assert not differences, "\n".join(["", *differences])


@pytest.mark.parametrize("name", FILES)
def test_infos_are_in_the_functions_that_say_so(name: str, findings: dict[str, list[dict[str, Any]]]) -> None:
    expected = expectations((FIXTURES / name).read_text(encoding="utf-8"))
    infos = [f for f in findings[name] if f["severity"] == "info" and f["code"] not in CONTRACTS]
    differences = difference(name, expected.by_kind["info"], {(f["function"], f["code"]) for f in infos}, set())
    assert not differences, "\n".join(["", *differences])


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("sound/")])
def test_sound_fixtures_expect_nothing_loud(name: str) -> None:
    expected = expectations((FIXTURES / name).read_text(encoding="utf-8"))
    assert not expected.by_kind[""] and not expected.by_kind["miss"]


def test_unsound_fixtures_cover_the_rules() -> None:
    """Each rule of the analysis that can be loud is shown in at least one fixture."""
    covered = {code for name in FILES for _, code in expectations((FIXTURES / name).read_text(encoding="utf-8")).loud}
    rules = {path.stem for path in (ROOT / "rules").glob("LL[1-9]*.md")} - {"LL106", "LL308", "LL309", "LL311", "LL515"}
    assert rules <= covered


def test_expectations_are_read_from_comments_only() -> None:
    source = 'def f(x):  # info: LL308\n    a = "# LL101"\n    return a  # LL302 LL401; miss: LL404; false: LL409\n'
    expected = expectations(source)
    assert expected.loud == {(3, "LL302"), (3, "LL401"), (3, "LL409")}
    assert expected.by_kind["miss"] == {(3, "LL404")}
    assert expected.by_kind["info"] == {("f", "LL308")}


def test_a_found_miss_is_called_one() -> None:
    assert difference("a.py", set(), {(1, "LL302")}, {(1, "LL302")}) == [
        "a.py:1: LL302 found, not expected (a known miss no longer: remove its comment)"
    ]
