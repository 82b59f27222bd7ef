"""``--baseline``, ``--write-baseline`` and ``--add-ignore``, on files as a project has them."""

import json
import os
from pathlib import Path

import pytest

from losslint import fixing, ignoring
from losslint.findings import Finding, Severity, Span
from losslint.session import Change
from losslint.sources import Source
from tests.command import losslint

HEAD = "import tensorflow as tf\n\n\n"
SUM = "def sum_loss(y_true, y_pred):\n    return tf.reduce_sum(tf.square(y_true - y_pred))\n"
ROUND = "def round_loss(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - tf.round(y_pred)))\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(HEAD + SUM)
    (tmp_path / "src" / "b.py").write_text(HEAD + ROUND)
    (tmp_path / "losslint.toml").write_text("")
    return tmp_path


def baseline(project: Path) -> Path:
    path = project / "known.json"
    ran = losslint("src", "--baseline", path, "--write-baseline", cwd=project)
    assert ran.status == 0 and ran.out.startswith("Wrote 2 findings")
    return path


def test_what_is_listed_is_hidden_and_what_is_new_is_not(project: Path) -> None:
    path = baseline(project)
    assert {row["code"] for row in json.loads(path.read_text())["findings"]} == {"LL201", "LL302"}
    ran = losslint("src", "--baseline", path, cwd=project)
    assert ran.status == 0 and ran.out.startswith("No findings") and ran.out.endswith("; 2 more in the baseline\n")
    a = project / "src" / "a.py"
    a.write_text(a.read_text().replace("sum_loss", "first_loss") + "\n\n" + SUM)  # the old one is under another name
    ran = losslint("src", "--baseline", path, "--output-format", "concise", cwd=project)
    assert ran.status == 1 and "src/a.py:5:12: LL302" in ran.out and "src/a.py:9" not in ran.out


def test_moved_and_formatted_code_stays_listed(project: Path) -> None:
    path = baseline(project)
    a = project / "src" / "a.py"
    a.write_text("'''Now with a docstring.'''\n" + HEAD + SUM.replace("(tf.square", "(  # summed\n        tf.square"))
    assert losslint("src", "--baseline", path, cwd=project).status == 0


def test_the_same_twice_is_listed_once(project: Path) -> None:
    path = baseline(project)
    b = project / "src" / "b.py"
    b.write_text(b.read_text() + "    # no more\n\n\n" + ROUND.replace("mean", "sum"))
    assert losslint("src", "--baseline", path, cwd=project).status == 1


def test_fixed_ones_are_told_and_taken_out(project: Path) -> None:
    path = baseline(project)
    (project / "src" / "b.py").write_text(HEAD)
    ran = losslint("src", "--baseline", path, cwd=project)
    assert ran.status == 0
    assert f"1 finding of {path} found no more (LL201 in round_loss of src/b.py): --write-baseline takes it" in ran.err
    assert losslint("src/a.py", "--baseline", path, cwd=project).err == ""  # nothing is said of what was not linted
    losslint("src", "--baseline", path, "--write-baseline", cwd=project)
    assert losslint("src", "--baseline", path, cwd=project).err == ""


def test_writing_for_some_files_keeps_the_others(project: Path) -> None:
    path = baseline(project)
    before = path.read_text()
    losslint("src/a.py", "--baseline", path, "--write-baseline", cwd=project)
    assert path.read_text() == before
    (project / "src" / "b.py").unlink()
    losslint("src/a.py", "--baseline", path, "--write-baseline", cwd=project)
    assert "src/b.py" not in path.read_text()


def test_the_configuration_can_name_it(project: Path) -> None:
    (project / "losslint.toml").write_text('baseline = "known.json"\n')
    ran = losslint("src", cwd=project)
    assert ran.status == 2 and "there is no baseline" in ran.err and "--write-baseline" in ran.err
    assert losslint("src", "--write-baseline", cwd=project).status == 0
    assert losslint("src", cwd=project).status == 0


def test_a_broken_file_is_never_hidden(project: Path) -> None:
    (project / "src" / "c.py").write_text("def f(:\n")
    path = project / "known.json"
    losslint("src", "--baseline", path, "--write-baseline", cwd=project)
    ran = losslint("src", "--baseline", path, cwd=project)
    assert ran.status == 1 and "LL001" in ran.out


_ROW = '{"file": "src/gone.py", "code": "LL302", "function": "loss", "statement": "d"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 9, "findings": []}',
        '{"version": 1, "findings": [1]}',
        '{"version": 1, "findings": {"a": 1}}',
        '{"version": 1, "findings": [' + _ROW.replace('"loss"', "3") + "}]}",
        '{"version": 1, "findings": [' + _ROW + ', "count": 1e999}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_baseline_is_an_error_with_a_way_out(project: Path, text: str) -> None:
    (project / "known.json").write_text(text)
    for more in ((), ("--write-baseline",)):
        ran = losslint("src", "--baseline", "known.json", *more, cwd=project)
        assert ran.status == 2 and "known.json" in ran.err and "--write-baseline" in ran.err
        assert (project / "known.json").read_text() == text


def test_a_count_of_any_size_is_only_a_number(project: Path) -> None:
    (project / "known.json").write_text('{"version": 1, "findings": [' + _ROW + ', "count": 1000000000000}]}')
    ran = losslint("src", "--baseline", "known.json", cwd=project)
    assert ran.status == 1 and "1000000000000 findings of known.json found no more" in ran.err


def test_a_baseline_is_a_file(project: Path) -> None:
    (project / "known").symlink_to(os.devnull)
    ran = losslint("src", "--baseline", "known", cwd=project)
    assert ran.status == 2 and "is no file" in ran.err


def test_write_baseline_wants_a_name(project: Path) -> None:
    ran = losslint("src", "--write-baseline", cwd=project)
    assert ran.status == 2 and "--baseline" in ran.err


# -- --add-ignore ----------------------------------------------------------------------------------------------------


def test_suppressions_are_written_and_hold(project: Path) -> None:
    ran = losslint("src", "--add-ignore", "the batch  is fixed", cwd=project)
    assert (ran.status, ran.out) == (0, "Ignored 2 findings in 2 files\n")
    assert "# losslint: ignore[LL302] the batch is fixed\n" in (project / "src" / "a.py").read_text()
    ran = losslint("src", cwd=project)
    assert ran.status == 0 and "No findings" in ran.out


def test_a_reason_is_wanted_and_a_file(project: Path) -> None:
    assert losslint("src", "--add-ignore", " ", cwd=project).status == 2
    assert losslint("-", "--add-ignore", "why", cwd=project).status == 2


def test_a_file_that_cannot_be_changed_is_told_and_the_others_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = project / "src" / "broken.py"
    broken.write_text("def loss(:\n")
    plain = fixing.write

    def write(change: Change) -> None:
        if change.filename.endswith("a.py"):
            raise fixing.Unwritable("cannot write src/a.py: it is somebody else's")
        plain(change)

    monkeypatch.setattr(fixing, "write", write)
    ran = losslint("src", "--add-ignore", "why", cwd=project)
    assert (ran.status, ran.out) == (2, "Ignored 1 finding in 1 file\n")
    assert "error: cannot write src/a.py: it is somebody else's" in ran.err
    assert broken.read_text() == "def loss(:\n", "no comment helps where nothing can be read"
    assert "ignore" not in (project / "src" / "a.py").read_text()


def _at(row: int) -> list[Finding]:
    return [Finding("LL302", Severity.WARNING, "", "a.py", Span(row, 5, row, 6), "f")]


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("x = 1", 1, "x = 1  # losslint: ignore[LL302] why"),
        ("x = 1  # a\r\ny\r\n", 1, "x = 1  # a  # losslint: ignore[LL302] why\r\ny\r\n"),
        ("x = f(\n  1)\n", 1, "x = f(  # losslint: ignore[LL302] why\n  1)\n"),
        ("x = '''a\nb'''\n", 1, "x = '''a\nb'''  # losslint: ignore[LL302] why\n"),
        ("x = 1 + \\\n  2\n", 1, "x = 1 + \\\n  2  # losslint: ignore[LL302] why\n"),
        ("if y:\n\tx = '''a\n'''\\\n\n", 2, "if y:\n\t# losslint: ignore[LL302] why\n\tx = '''a\n'''\\\n\n"),
        ("x = 1  # losslint: ignore[LL401] old\n", 1, "x = 1  # losslint: ignore[LL401, LL302] old\n"),
        ("x = 1  # losslint: ignore[LL302] old\n", 1, "x = 1  # losslint: ignore[LL302] old\n"),
    ],
)
def test_where_a_suppression_is_written(text: str, row: int, expected: str) -> None:
    assert ignoring.ignored(Source("a.py", text), _at(row), "why") == expected
