import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from losslint import __version__, engine, rulebook, session
from tests.command import LOSS, Ran, engine_of_marks, losslint


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, and an engine that finds what the files say."""
    monkeypatch.setattr(session, "lint_source", engine_of_marks)
    monkeypatch.setattr(session, "_SHORTCUTS", False)  # marks stand in files without losses as well
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(name: str, text: str = LOSS) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def codes(ran: Ran) -> list[str]:
    return [f["code"] for f in json.loads(ran.out)]


def check(*arguments: str, **options: bytes) -> Ran:
    return losslint("check", "--output-format", "json", *arguments, **options)  # type: ignore[arg-type]


# -- what is linted --------------------------------------------------------------------------------------------------


def test_check_is_the_default() -> None:
    write("src/a.py")
    runs = [losslint("src/"), losslint("check", "src"), losslint("src/a.py"), losslint("--no-cache", "src"), losslint()]
    assert {run.status for run in runs} == {1}
    assert {run.out for run in runs} == {runs[0].out}
    assert runs[0].out.startswith(f"src{os.sep}a.py:4:12: LL302 [unnormalized-batch-sum] Mark of LL302\n")
    assert runs[0].out.endswith("Found 1 finding (1 warning) in 1 file\n")


def test_the_name_of_a_subcommand_wins_over_a_folder() -> None:
    write("rules/a.py")
    assert losslint("rules").out.startswith("LL001  ")
    assert losslint("./rules").status == 1


def test_clean_is_zero() -> None:
    write("a.py", "x = 1\n")
    assert losslint("a.py") == Ran(0, "No findings in 1 file\n", "")


def test_order_is_by_path_and_position() -> None:
    write("b.py", "import keras\nfound  # here: LL401\nfound  # here: LL201\n")
    write("a.py", "import keras\nfound  # here: LL302\n")
    write("sub/c.py", "import keras\nfound  # here: LL101\n")
    for jobs in ("1", "2"):
        lines = losslint("--output-format", "concise", "sub", "b.py", "a.py", "--jobs", jobs).out.splitlines()
        if jobs == "1" or sys.platform == "linux":
            assert [line.split(" ")[0] for line in lines[:-1]] == [
                "a.py:2:1:", "b.py:2:1:", "b.py:3:1:", f"sub{os.sep}c.py:2:1:"
            ]  # fmt: skip


def test_a_missing_path_says_so_and_the_rest_is_linted() -> None:
    write("a.py")
    ran = losslint("a.py", "gone.py")
    assert ran.status == 2 and "no such file or folder: gone.py" in ran.err and "LL302" in ran.out


def test_a_mistyped_subcommand_is_named() -> None:
    assert 'did you mean "explain"' in losslint("explian", "LL302").err


def test_a_folder_without_python_is_a_warning(project: Path) -> None:
    (project / "empty").mkdir()
    ran = losslint("empty")
    assert ran.status == 0 and "warning: no Python files under empty" in ran.err


def test_a_broken_link_is_passed_over(project: Path) -> None:
    write("a.py", "x = 1\n")
    (project / "b.py").symlink_to("gone.py")
    ran = losslint(".")
    assert ran.status == 0 and "broken symbolic link skipped: b.py" in ran.err
    assert losslint("b.py").status == 2


def test_standard_input() -> None:
    write("losslint.toml", 'per-file-ignores = {"odd.py" = ["LL302"]}\n')
    assert losslint("-", stdin=LOSS.encode()).out.startswith("-:4:12: LL302")
    ran = check("--stdin-filename", "src/a.py", stdin=LOSS.encode())
    assert ran.status == 1 and json.loads(ran.out)[0]["filename"] == "src/a.py"
    assert check("--stdin-filename", "odd.py", "-", stdin=LOSS.encode()).status == 0
    assert check("--stdin-filename", "build/a.py", "--force-exclude", stdin=LOSS.encode()).status == 0
    assert check("-", "a.py").status == 2


def test_force_exclude_is_for_named_files() -> None:
    write("build/a.py")
    assert losslint("build/a.py").status == 1
    assert losslint("build/a.py", "--force-exclude") == Ran(0, "No findings in 0 files\n", "")
    assert losslint("--extend-exclude", "build", "--force-exclude", "build/a.py").status == 0


def test_show_files_and_settings() -> None:
    write("b.py")
    write("a/a.py")
    write("pyproject.toml", '[tool.losslint]\nkeras = "2"\nignore = ["LL3"]\n')
    assert losslint("--show-files").out.splitlines() == [f"a{os.sep}a.py", "b.py"]
    shown = losslint("--show-settings").out
    assert 'keras = "2"' in shown and "pyproject.toml" in shown and '"LL302"' not in shown


# -- what is reported ------------------------------------------------------------------------------------------------


MANY = "import keras\nfound  # here: LL302 W\nfound  # here: LL201 E\nfound  # here: LL308 I\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["LL302", "LL201"]),
        ("--select LL3", ["LL302"]),
        ("--select LL2,LL302", ["LL302", "LL201"]),
        ("--select LL2 --select LL3", ["LL302", "LL201"]),
        ("--select LL2 --extend-select unnormalized-batch-sum", ["LL302", "LL201"]),
        ("--ignore LL3", ["LL201"]),
        ("--ignore LL", []),
        ("--select ALL --ignore no-gradient-path", ["LL302"]),
        ("--min-severity info", ["LL302", "LL201", "LL308"]),
        ("--min-severity error", ["LL201"]),
        ("--fail-on info", ["LL302", "LL201", "LL308"]),
        ("--per-file-ignores *.py:LL302", ["LL201"]),
        ("--per-file-ignores b.py:LL302", ["LL302", "LL201"]),
    ],
)
def test_selection(options: str, expected: list[str]) -> None:
    write("a.py", MANY)
    ran = check(*options.split(), "a.py")
    assert codes(ran) == expected and ran.status == bool(expected)


@pytest.mark.parametrize(
    ("severity", "options", "status"),
    [
        ("W", "", 1), ("E", "", 1), ("I", "", 0), ("I", "--min-severity info", 0), ("I", "--fail-on info", 1),
        ("W", "--fail-on error", 0), ("E", "--fail-on error", 1), ("E", "--fail-on never", 0), ("E", "--exit-zero", 0),
        ("W", "--fail-on warning --min-severity error", 0),
    ],
)  # fmt: skip
def test_exit_status(severity: str, options: str, status: int) -> None:
    write("a.py", f"import keras\nfound  # here: LL302 {severity}\n")
    assert losslint(*options.split(), "a.py").status == status


def test_configured_severity() -> None:
    write("losslint.toml", '[severity]\nLL302 = "info"\nno-gradient-path = "warning"\n')
    write("a.py", MANY)
    (finding,) = json.loads(check("a.py").out)
    assert (finding["code"], finding["severity"]) == ("LL201", "warning")


def test_suppressed_is_not_reported_and_idle_suppressions_are() -> None:
    write("a.py", LOSS.replace("# here", "# losslint: ignore[LL302] fixed batch # here"))
    assert losslint("a.py").status == 0
    write("a.py", "x = 1  # losslint: ignore[LL302]\ny = 1  # losslint: ignore[LL3O2]\n")
    assert codes(check("a.py")) == ["LL002", "LL003"]
    assert codes(check("--select", "LL4", "a.py")) == []


def test_a_crash_costs_one_file_only() -> None:
    write("a.py", "import keras\n# here: crash\n")
    write("b.py")
    ran = check("a.py", "b.py")
    assert ran.status == 2 and codes(ran) == ["LL004", "LL302"]
    message = json.loads(ran.out)[0]["message"]
    assert "a.py" in message and "ZeroDivisionError: on purpose" in message
    assert check("a.py", "b.py", "--exit-zero").status == 2
    assert check("a.py", "--ignore", "LL004").status == 0


def test_statistics_and_output_file() -> None:
    write("a.py", MANY)
    assert losslint("--statistics", "a.py").out.splitlines()[0] == "1  LL201  no-gradient-path"
    ran = check("--output-file", "out.json", "a.py")
    assert ran.out == "" and len(json.loads(Path("out.json").read_text())) == 2
    assert losslint("--output-file", "none/out.txt", "a.py").status == 2


def test_full_is_text() -> None:
    write("a.py", MANY)
    assert losslint("--output-format", "full", "a.py").out == losslint("a.py").out


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py")
    assert "\x1b" not in losslint("a.py").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in losslint("a.py").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in losslint("a.py").out


# -- wrong usage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--select LL3O2", ["--select", "LL3O2", '"LL302"']),
        ("--ignore unclipped-logs", ["--ignore", '"unclipped-log"']),
        ("--per-file-ignores a.py", ["PATTERN:CODE"]),
        ("--per-file-ignores a.py:LL999", ["LL999"]),
        ("--output-format xml", ["xml"]),
        ("--fail-on critical", ["critical"]),
        ("--tensorflow two", ["--tensorflow"]),
        ("--keras 4", ["4"]),
        ("--config none.toml", ["none.toml"]),
        ("--fixes", ["--fixes"]),
        ("--jobs -1", ["-1"]),
    ],
)
def test_wrong_usage_is_two_and_says_what(arguments: str, words: list[str]) -> None:
    ran = losslint("check", *arguments.split(), ".")
    assert ran.status == 2 and ran.out == "" and "Traceback" not in ran.err
    assert all(word in ran.err for word in words), ran.err


def test_a_typo_in_the_configuration() -> None:
    write("a.py")
    write("pyproject.toml", '[tool.losslint]\nextend-selects = ["LL3"]\n')
    ran = losslint("a.py")
    assert ran.status == 2 and ran.out == ""
    assert "pyproject.toml" in ran.err and 'unknown key extend-selects; did you mean "extend-select"?' in ran.err
    assert losslint("--isolated", "a.py").status == 1
    write("other.toml", 'ignore = ["LL3"]\n')
    assert losslint("--config", "other.toml", "a.py").status == 0


def test_an_internal_error_is_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "check", lambda *a, **k: 1 / 0)
    ran = losslint("a.py")
    assert ran.status == 2 and "ZeroDivisionError" in ran.err and "bug in losslint" in ran.err


# -- the rules -------------------------------------------------------------------------------------------------------


def test_rules() -> None:
    listed = json.loads(losslint("rules", "--format", "json").out)
    assert [rule["code"] for rule in listed] == list(rulebook.rules())
    assert {"code", "name", "severity", "summary", "fixable", "probe"} <= listed[0].keys()
    assert len(losslint("rules").out.splitlines()) == len(listed)


def test_explain() -> None:
    assert losslint("explain", "LL302").out == losslint("explain", "unnormalized-batch-sum").out
    assert "## Why is this bad?" in losslint("explain", "LL302").out
    ran = losslint("explain", "LL3O2")
    assert ran.status == 2 and 'did you mean "LL302"' in ran.err


def test_version_and_help() -> None:
    assert losslint("--version").out == f"losslint {__version__}\n"
    for command in ([], ["check"], ["facts"], ["explain"], ["rules"]):
        ran = losslint(*command, "--help")
        assert ran.status == 0 and ran.out.startswith("Usage: ")


def test_facts_of_what_is_not_there() -> None:
    write("a.py", "def f(:\n")
    for target, words in [
        ("none.py", "no such file"),
        (".", "is a folder"),
        ("a.py", "a.py:1:7: the file does not parse"),
    ]:
        ran = losslint("facts", target)
        assert ran.status == 2 and words in ran.err


def test_facts() -> None:
    loss = "def {}(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - y_pred))\n\n"
    write("a.py", "import tensorflow as tf\n\n" + loss.format("first_loss") + loss.format("second_loss"))
    every, one = (json.loads(losslint("facts", t, "--format", "json").out) for t in ("a.py", "a.py::second_loss"))
    assert len(every) == 2 and one == every[1:]
    assert "second_loss" in losslint("facts", "a.py::second_loss").out
    ran = losslint("facts", "a.py::third_loss")
    assert ran.status == 2 and "did you mean" in ran.err
    write("b.py", "x = 1\n")
    assert losslint("facts", "b.py") == Ran(0, "No losses in b.py\n", "")


def test_facts_where_an_analysis_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", "import tensorflow as tf\n\ndef first_loss(y_true, y_pred):\n    return y_true - y_pred\n")
    failure = engine.Failure("first_loss", 3, "ZeroDivisionError")
    monkeypatch.setattr(engine, "losses", lambda *_: [failure])
    ran = losslint("facts", "a.py")
    assert (ran.status, ran.out) == (2, "No losses in a.py\n")
    assert "warning: the analysis of first_loss in a.py failed: ZeroDivisionError" in ran.err


def test_a_page_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = losslint("explain", "LL302").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = losslint("explain", "LL302").out
    assert plain.startswith("# ") and not shown.startswith("# ")
    assert "\x1b[" in shown and "unnormalized-batch-sum" in shown


@pytest.mark.parametrize("missing", ["pygls", "lsprotocol"])
def test_the_server_says_what_it_needs(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "losslint.server", raising=False)
    for name in [m for m in sys.modules if m.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    ran = losslint("server")
    assert ran.status == 2 and ran.err.strip().endswith(
        "the language server needs pygls: pip install 'losslint[server]'"
    )


def test_a_mistyped_subcommand_beside_paths(project: Path) -> None:
    write("a.py", "x = 1\n")
    ran = losslint("confrim", "a.py")
    assert ran.status == 2 and 'did you mean "confirm"?' in ran.err
    assert "did you mean" not in losslint(f"confrim{os.sep}b", "a.py").err


def test_a_reader_that_leaves_early() -> None:
    write("a.py", "x = (\n" * 50)
    command = f"{sys.executable} -m losslint rules | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment)
    assert ran.stdout.startswith("LL001") and "Traceback" not in ran.stderr
