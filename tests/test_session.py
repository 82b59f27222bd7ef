import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from losslint import session, sources
from losslint.discovery import Target
from losslint.findings import Finding, Severity, Span
from losslint.settings import Resolver, Settings
from losslint.sources import Source
from tests.command import LOSS, engine_of_marks


def options(text: str) -> Any:
    source = Source("a.py", text)
    return session.options_of(source, sources.syntax_tree(source), Settings())


def test_pragmas_reach_the_definition_below_their_comment() -> None:
    text = "# losslint: loss\n@tf.function\ndef f(): pass\n\ndef g(): pass  # losslint: not-a-loss\n\n# losslint: batch-level\nclass C:\n    def call(self): pass\n"
    found = options(text)
    assert found.pragmas == {3: "loss", 5: "not-a-loss"}
    assert found.batch_level == {8, 9}
    assert options("def f(): pass\n").pragmas == {}


def finding(filename: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding("LL302", severity, "m", filename, Span(1, 1, 1, 2), "f")


def settled(reports: list[session.Report]) -> list[tuple[str, Severity]]:
    result = session.Result()
    session.settle(reports, result)
    return [(f.filename, f.severity) for f in result.findings]


def test_a_fault_in_a_helper_is_reported_once_under_its_name(tmp_path: Path) -> None:
    a, b = (Target(name, tmp_path / name, Settings()) for name in ("a.py", "b.py"))
    helper, elsewhere = str(tmp_path / "b.py"), str(tmp_path / "c.py")
    reports = [
        session.Report(a, [finding(helper), finding(elsewhere)]),
        session.Report(b, [finding(helper, Severity.ERROR)]),
    ]
    assert settled(reports) == [("b.py", Severity.ERROR)]
    assert settled(reports[:1]) == [], "nobody asked about b.py"


@pytest.mark.skipif(multiprocessing.get_start_method() != "fork", reason="the stand-in engine reaches workers by fork")
def test_a_file_that_kills_its_process_costs_one_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(source: Source, *rest: object) -> Iterator[Finding]:
        if "kill" in source.text:
            os._exit(139)
        return engine_of_marks(source, *rest)

    monkeypatch.setattr(session, "lint_source", engine)
    monkeypatch.chdir(tmp_path)
    for name in "abcdef":
        Path(f"{name}.py").write_text(LOSS)
    Path("d.py").write_text(f"{LOSS}# kill\n")
    result = session.check(["."], Resolver(), jobs=2)
    assert [(f.filename, f.code) for f in result.findings] == [
        ("a.py", "LL302"), ("b.py", "LL302"), ("c.py", "LL302"), ("d.py", "LL004"), ("e.py", "LL302"), ("f.py", "LL302")
    ]  # fmt: skip
    assert result.status == 2 and "died" in result.findings[3].message


@pytest.mark.skipif(multiprocessing.get_start_method() != "fork", reason="the stand-in engine reaches workers by fork")
def test_many_files_are_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "lint_source", engine_of_marks)
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        Path(f"m{number:02}.py").write_text(LOSS)
    one, many = (session.check(["."], Resolver(), jobs=jobs) for jobs in (1, 3))
    assert one.findings == many.findings and len(many.findings) == 60


def test_a_session_looks_at_what_changed_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loss = (
        "import tensorflow as tf\nimport helper\n\ndef my_loss(y_true, y_pred):\n    return helper.f(y_true * y_pred)\n"
    )
    helper = tmp_path / "helper.py"
    helper.write_text("import tensorflow as tf\n\ndef f(x):\n    return tf.reduce_mean(x)\n")
    seen: list[str] = []
    plain = session.lint_source
    monkeypatch.setattr(session, "lint_source", lambda source, *rest: seen.append(source.text) or plain(source, *rest))
    editor = session.Session()

    def codes(text: str) -> set[str]:
        return {f.code for f in editor.check(Source("a.py", text), Settings()).findings}

    assert codes(loss) == codes(loss) == set() and len(seen) == 1
    assert "LL302" in codes(loss.replace("helper.f", "tf.reduce_sum")) and len(seen) == 2
    helper.write_text("import tensorflow as tf\n\ndef f(x):\n    return tf.reduce_sum(x)\n")
    assert "LL302" in codes(loss)
