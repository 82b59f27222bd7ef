"""A cache must not change what is found, whatever happens to it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from losslint import cache, engine, executor, session
from losslint.findings import Finding
from losslint.frontend import elsewhere
from losslint.settings import Resolver
from tests.rule_pages import ROOT

LOSS = "import tensorflow as tf\n\ndef {name}(y_true, y_pred):\n    return -y_true * tf.math.log(y_pred)\n"
CALLER = "import tensorflow as tf\nimport helper\n\ndef my_loss(y_true, y_pred):\n    return helper.penalty(tf.nn.relu(y_pred))\n"
HELPER = "import tensorflow as tf\n\ndef penalty(x):\n    return tf.reduce_mean({body})\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.py").write_text(LOSS.format(name="first_loss"))
    (tmp_path / "plain.py").write_text("x = 1\n")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were looked into."""
    seen: list[str] = []
    plain = session.Analyst.report

    def noting(self, target, data=None):  # type: ignore[no-untyped-def]
        seen.append(target.filename)
        return plain(self, target, data)

    monkeypatch.setattr(session.Analyst, "report", noting)
    return seen


def lint(*paths: str, **options: object) -> list[Finding]:
    resolver = Resolver({"min-severity": "info", **options})
    return session.check(paths or (".",), resolver, jobs=1, cache=Path("cache")).findings


def test_a_second_run_finds_the_same_and_analyses_nothing(analysed: list[str]) -> None:
    first = lint()
    assert {f.code for f in first} >= {"LL401"}
    assert analysed == ["a.py", "plain.py"]
    assert lint() == first == session.check(["."], Resolver({"min-severity": "info"})).findings
    assert analysed == ["a.py", "plain.py"] * 2, "the run without a cache"


def test_it_holds_fixes_paths_and_suppressions(analysed: list[str]) -> None:
    fixtures = [str(p) for p in sorted((ROOT / "fixtures" / "unsound").glob("*.py"))[:12]]
    first = lint(*fixtures)
    assert any(f.fix for f in first) and any(f.path for f in first)
    analysed.clear()
    assert lint(*fixtures) == first
    assert not analysed


def test_another_name_of_the_same_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "below").mkdir()
    lint()
    monkeypatch.chdir(project / "below")
    found = session.check([".."], Resolver(), cache=project / "cache").findings
    assert {f.filename for f in found} == {os.path.join("..", "a.py")}


def test_what_only_chooses_shares_entries(analysed: list[str]) -> None:
    lint()
    assert {f.code for f in lint(select=["LL401"])} == {"LL401"}
    assert len(analysed) == 2


@pytest.mark.parametrize("options", [{"keras": "2"}, {"tensorflow": "2.10"}, {"loss-names": ["x*"]}])
def test_other_settings_have_entries_of_their_own(options: dict[str, object], analysed: list[str]) -> None:
    lint()
    lint(**options)
    assert len(analysed) == 4
    lint(), lint(**options)
    assert len(analysed) == 4


def test_a_change_of_the_file_counts(project: Path) -> None:
    lint()
    (project / "a.py").write_text(LOSS.format(name="second_loss"))
    assert {f.function for f in lint()} == {"second_loss"}
    (project / "plain.py").write_text("x = \n")
    assert "LL001" in {f.code for f in lint()}
    assert "LL001" in {f.code for f in lint()}


def test_a_change_of_a_helper_counts(project: Path, analysed: list[str]) -> None:
    (project / "caller.py").write_text(CALLER)
    without = lint("caller.py")
    (project / "helper.py").write_text(HELPER.format(body="tf.math.log(x)"))
    found = lint("caller.py", "helper.py")  # a helper that appears
    assert "LL401" in {f.code for f in found} - {f.code for f in without}
    analysed.clear()
    assert lint("caller.py", "helper.py") == found and not analysed
    (project / "helper.py").write_text(HELPER.format(body="x"))
    assert "LL401" not in {f.code for f in lint("caller.py", "helper.py")}
    (project / "helper.py").unlink()
    assert lint("caller.py") == without


def test_other_requirements_count(project: Path, analysed: list[str]) -> None:
    lint()
    (project / "requirements.txt").write_text("tensorflow==2.10\n")
    from losslint import dependencies

    dependencies.forget()
    lint()
    assert analysed == ["a.py", "plain.py", "a.py"], "plain.py holds nothing that depends on versions"


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, None])
def test_a_damaged_cache_is_made_anew(project: Path, damage: bytes | None, analysed: list[str]) -> None:
    first = lint()
    database = project / "cache" / "cache.db"
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert lint() == first
    assert lint() == first
    analysed.clear()
    assert lint() == first and not analysed


@pytest.mark.parametrize(
    "schema",
    [
        "drop table entries; create view entries as with recursive n(i) as (select 1 union all select i + 1 from n)"
        " select i as path, i as key, i as content, i as report, i as sum from n where i < 0",
        "create trigger t after insert on entries begin select raise(abort, 'no'); end",
        "alter table entries add column more as (zeroblob(900000000))",
        "create table more (x)",
    ],
    ids=["view", "trigger", "column", "table"],
)
def test_a_database_of_somebody_else_is_made_anew(project: Path, schema: str, analysed: list[str]) -> None:
    first = lint()
    with sqlite3.connect(project / "cache" / "cache.db") as connection:
        connection.executescript(schema)
    analysed.clear()
    assert lint() == first and analysed
    analysed.clear()
    assert lint() == first and not analysed


def test_an_entry_that_was_changed_is_not_believed(project: Path) -> None:
    first = lint()
    with sqlite3.connect(project / "cache" / "cache.db") as connection:
        connection.execute("update entries set report = replace(report, 'LL401', 'LL302')")
    assert lint() == first


def test_without_a_place_for_it_the_run_goes_on(project: Path) -> None:
    first = lint()
    (project / "file").write_text("")
    for place in (project / "file", project / "file" / "below"):
        resolver = Resolver({"min-severity": "info"})
        assert session.check(["."], resolver, jobs=1, cache=place).findings == first


def test_in_several_processes(project: Path, analysed: list[str]) -> None:
    first = lint()
    resolver = Resolver({"min-severity": "info"})
    assert session.check(["."], resolver, jobs=2, cache=project / "other").findings == first
    analysed.clear()
    assert session.check(["."], resolver, jobs=2, cache=project / "other").findings == first
    assert not analysed


def command(*arguments: str, **environment: str) -> list[str]:
    return [sys.executable, "-m", "losslint", "check", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_the_command_line(project: Path) -> None:
    def ran(*arguments: str) -> str:
        done = subprocess.run(command(*arguments), env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        return done.stdout

    folder = project / ".losslint_cache"
    plain = ran("--no-cache")
    assert not folder.exists()
    assert ran() == plain and (folder / ".gitignore").read_text().endswith("*\n")
    code = "import sys; from losslint.cli import main\ntry: main(['check'])\nexcept SystemExit: print(*sys.modules)"
    warm = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert warm.stdout.startswith(plain)
    assert not {"libcst", "losslint.engine", "losslint.frontend.gate"} & set(warm.stdout.split())
    ran("--cache-dir", "elsewhere")
    assert (project / "elsewhere" / "cache.db").exists()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_runs_at_a_time_and_a_run_that_is_killed(project: Path) -> None:
    for number in range(40):
        (project / f"m{number}.py").write_text(LOSS.format(name=f"loss_{number}"))
    runs = [subprocess.Popen(command("."), env=environment(), stdout=subprocess.PIPE) for _ in range(3)]
    time.sleep(1.5)
    runs[0].send_signal(signal.SIGKILL)
    said = [run.communicate(timeout=120)[0] for run in runs]  # of the killed one too: its workers end with it
    again = subprocess.run(command("."), env=environment(), stdout=subprocess.PIPE, check=False)
    assert said[1] == said[2] == again.stdout != b""


def test_chunks_come_in_order_and_few_at_a_time() -> None:
    class Pool:
        """Counts what is under way."""

        def __init__(self) -> None:
            self.waiting, self.most = 0, 0

        def submit(self, function, chunk):  # type: ignore[no-untyped-def]
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            pool = self

            class Done:
                def result(self):  # type: ignore[no-untyped-def]
                    pool.waiting -= 1
                    return chunk

            return Done()

    pool = Pool()
    assert list(executor.mapped(pool, print, [(n,) for n in range(50)], 6)) == list(range(50))  # type: ignore[arg-type]
    assert pool.most == 6


def test_the_engine_is_asked_once_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    plain = engine.lint_module
    monkeypatch.setattr(engine, "lint_module", lambda module, *rest: calls.append(module.path) or plain(module, *rest))
    lint(), lint()
    assert calls == ["a.py"]


# -- what files do with each other's functions -----------------------------------------------------------------------

STEP = "import tensorflow as tf\nfrom a import first_loss\n\ndef step(x, y, model):\n    with tf.GradientTape() as tape:\n        value = first_loss(y, model(x))\n    return tape.gradient(value, model.trainable_variables)\n"


def test_who_uses_a_function_is_not_looked_for_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "train.py").write_text(STEP)
    first = lint()
    assert first == session.check(["."], Resolver({"min-severity": "info"})).findings
    monkeypatch.setattr(elsewhere, "uses", None)
    assert lint() == first


def test_who_uses_a_function_is_looked_for_when_anything_has_changed(project: Path) -> None:
    alone = lint()
    (project / "train.py").write_text(STEP)
    used = lint()
    assert used == session.check(["."], Resolver({"min-severity": "info"})).findings
    assert [f for f in used if f.filename == "a.py"] != [f for f in alone if f.filename == "a.py"]
    (project / "train.py").write_text("x = 2\n")
    assert [f for f in lint() if f.filename == "a.py"] == [f for f in alone if f.filename == "a.py"]


class Failing:
    """A connection that fails from the statement on that begins with ``at``."""

    def __init__(self, connection: sqlite3.Connection, at: str, error: sqlite3.Error) -> None:
        self.connection, self.at, self.error = connection, at, error

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if arguments and arguments[0].startswith(self.at):
                raise self.error
            return getattr(self.connection, name)(*arguments)

        return call


@pytest.mark.parametrize("at", ["select content", "begin", "insert", "commit"])
@pytest.mark.parametrize(
    ("error", "stays"), [(sqlite3.OperationalError("locked"), True), (sqlite3.DatabaseError("malformed"), False)]
)
def test_a_database_that_fails_in_the_middle_of_a_run(
    at: str, error: sqlite3.Error, stays: bool, project: Path, monkeypatch: pytest.MonkeyPatch, analysed: list[str]
) -> None:
    first = lint()
    (project / "b.py").write_text(LOSS.format(name="second_loss"))
    expected = session.check(["."], Resolver({"min-severity": "info"})).findings
    opened = cache.Cache._opened
    monkeypatch.setattr(cache.Cache, "_opened", lambda self: Failing(opened(self), at, error))
    removed: list[bool] = []
    remove = cache.Cache._remove
    monkeypatch.setattr(cache.Cache, "_remove", lambda self: removed.append(True) or remove(self))
    assert lint() == expected != first
    assert bool(removed) is not stays, "what is damaged goes"
    monkeypatch.setattr(cache.Cache, "_opened", opened)
    assert lint() == expected
    analysed.clear()
    assert lint() == expected and not analysed


def test_nothing_is_kept_of_a_name_that_is_no_text(project: Path, analysed: list[str]) -> None:
    odd = os.fsencode(project) + b"/\xff.py"
    with open(odd, "w") as file:
        file.write(LOSS.format(name="second_loss"))
    first = lint()
    assert {f.filename for f in first} == {"a.py", os.fsdecode(b"\xff.py")}
    analysed.clear()
    assert lint() == first and analysed == [os.fsdecode(b"\xff.py")]


def test_a_file_that_changes_while_it_is_looked_up_is_analysed(
    project: Path, monkeypatch: pytest.MonkeyPatch, analysed: list[str]
) -> None:
    lint()
    plain = cache._fill
    text = LOSS.format(name="second_loss")

    def later(report: Any, written: Any, content: bytes) -> bool:
        if report.target.filename == "a.py":
            (project / "a.py").write_text(text)
        return plain(report, written, content)

    monkeypatch.setattr(cache, "_fill", later)
    analysed.clear()
    assert {f.function for f in lint()} == {"second_loss"} and analysed == ["a.py"]
