"""What makes losslint fast must not change what it finds."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from losslint import session, tracing
from losslint.findings import Finding
from losslint.frontend import gate
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.interpreter import machine
from losslint.interpreter.merging import copied
from losslint.interpreter.values import Bindings
from losslint.settings import Resolver
from losslint.subjects import compiling
from tests.rule_pages import ROOT

FIXTURES = str(ROOT / "fixtures")


def found(paths: list[str], jobs: int = 1) -> list[Finding]:
    return session.check(paths, Resolver({"min-severity": "info"}, isolated=True), jobs=jobs).findings


@pytest.fixture(scope="module")
def expected() -> list[Finding]:
    return found([FIXTURES])


def test_there_is_something_to_compare(expected: list[Finding]) -> None:
    assert len(expected) > 100


def test_without_the_prefilter(
    expected: list[Finding], monkeypatch: pytest.MonkeyPatch, folder: str = FIXTURES
) -> None:
    monkeypatch.setattr(session, "_SHORTCUTS", False)
    monkeypatch.setattr(gate, "_FRAMEWORK", re.compile(""))
    assert found([folder]) == expected


@pytest.mark.skipif("LOSSLINT_CORPUS" not in os.environ, reason="LOSSLINT_CORPUS names no folder of real code")
def test_without_the_prefilter_on_real_code(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.environ["LOSSLINT_CORPUS"]
    expected = found([folder])
    assert expected
    test_without_the_prefilter(expected, monkeypatch, folder)


def test_however_few_modules_are_kept(expected: list[Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Project.__init__
    monkeypatch.setattr(Project, "__init__", lambda self: plain(self, 1))
    assert found([FIXTURES]) == expected


def test_in_several_processes(expected: list[Finding]) -> None:
    assert found([FIXTURES], jobs=2) == expected


def test_file_by_file(expected: list[Finding]) -> None:
    files = sorted(str(path) for path in Path(FIXTURES, "unsound").glob("*.py"))
    alone = [f for file in files for f in found([file])]
    assert alone == [f for f in expected if f.filename in files]


def test_with_copies_of_every_state(expected: list[Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    """Branches share what they leave behind; nothing may be written to it later."""
    plain = machine.Machine._state

    def copying(self: machine.Machine) -> Any:
        names, attributes = plain(self)
        memo: dict[int, Any] = {}
        return Bindings(copied(dict(names), memo)), [Bindings(copied(dict(a), memo)) for a in attributes]

    monkeypatch.setattr(machine.Machine, "_state", copying)
    assert found([FIXTURES]) == expected


def test_with_whole_classes(expected: list[Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Module.slice
    monkeypatch.setattr(Module, "slice", lambda self, statement, whole=False: plain(self, statement, True))
    assert found([FIXTURES]) == expected


def test_with_everything_on_the_way_to_a_loss(expected: list[Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tracing, compiling):
        monkeypatch.setattr(module, "needed_for", lambda wanted, body: [True] * len(body))
    assert found([FIXTURES]) == expected
